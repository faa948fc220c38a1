"""cluster.yaml against Ray's own schema and EC2's own parameter shapes, both offline, and the promises neither knows about."""
import re
from pathlib import Path

import botocore.session
import pytest
import yaml
from botocore.validate import ParamValidator
from ray.autoscaler._private.util import prepare_config, validate_config

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "cluster.yaml").read_text()
INSTANCES = {"m7i.xlarge": (4, 0), "c7i.4xlarge": (16, 0), "g6.2xlarge": (8, 1)}  # vCPUs, GPUs


@pytest.fixture
def config():
    return yaml.safe_load(TEXT)


@pytest.fixture(scope="module")
def run_instances():
    return botocore.session.get_session().get_service_model("ec2").operation_model("RunInstances").input_shape


def test_ray_accepts_the_file(config):
    """Catches a key that `ray up` refuses, or a sum of minimum workers above the maximum."""
    validate_config(prepare_config(config))


def test_ec2_accepts_every_node_config(config, run_instances):
    """Catches a misspelt or null launch parameter, which Ray's schema lets through to the first launch at night."""
    instance_types = run_instances.members["InstanceType"].enum
    for name, node in config["available_node_types"].items():
        report = ParamValidator().validate(node["node_config"] | {"MinCount": 1, "MaxCount": 1}, run_instances)
        assert not report.has_errors(), f"{name}: {report.generate_report()}"
        assert node["node_config"]["InstanceType"] in instance_types


def test_head_takes_no_work(config):
    """Catches stages scheduled on the head, which a stage out of memory would then take down with the whole cluster."""
    head = config["available_node_types"][config["head_node_type"]]
    assert head["resources"] == {"CPU": 0}
    assert INSTANCES[head["node_config"]["InstanceType"]][1] == 0
    assert "InstanceMarketOptions" not in head["node_config"]


def test_workers_announce_what_their_instances_have(config):
    """Catches an instance type exchanged without its resources, and GPUs starved by fewer than 8 vCPUs each."""
    for name, node in config["available_node_types"].items():
        if name != config["head_node_type"]:
            vcpus, gpus = INSTANCES[node["node_config"]["InstanceType"]]
            assert node["resources"] == {"CPU": vcpus} | ({"GPU": gpus} if gpus else {}), name
            assert vcpus >= 8 * gpus, name


def test_spot_first_then_the_same_machine_on_demand(config):
    """Catches a run that stands still when spot capacity is gone, or one that pays the full price while there is some."""
    gpu = [n for n in config["available_node_types"].values() if "GPU" in n["resources"]]
    spot, = [n for n in gpu if "InstanceMarketOptions" in n["node_config"]]
    on_demand, = [n for n in gpu if "InstanceMarketOptions" not in n["node_config"]]
    assert spot["node_config"]["InstanceMarketOptions"] == {
        "MarketType": "spot", "SpotOptions": {"SpotInstanceType": "one-time", "InstanceInterruptionBehavior": "terminate"}}
    assert spot["resources"] == on_demand["resources"] and spot["priority"] > on_demand["priority"]
    assert on_demand["max_workers"] > 0


def test_credentials_come_from_instance_profiles_alone(config):
    """Catches a key, a token or a password written into a file that is committed."""
    assert all(n["node_config"]["IamInstanceProfile"] for n in config["available_node_types"].values())
    assert not re.search(r"\b(AKIA|ASIA)[A-Z0-9]{16}\b|-----BEGIN|\b[0-9a-f]{64}\b", TEXT)
    assert not re.search(r"secret|password|access_key|aws_credentials|KeyName|RAY_AUTH_TOKEN=", TEXT, re.IGNORECASE)


def test_every_node_demands_the_token(config):
    """Catches a job API or a node that runs anybody's code without asking."""
    assert "/home/ubuntu/.ray/auth_token" in config["file_mounts"]
    for start in (config["head_start_ray_commands"], config["worker_start_ray_commands"]):
        assert all("RAY_AUTH_MODE=token" in c for c in start if "ray start" in c)
    assert "dashboard-host" not in TEXT


def test_nodes_install_the_project_from_this_folder(config):
    """Catches nodes with other versions than pyproject.toml names, or a mount of something that is not there."""
    assert any("pip install -q -e ~/tryon" in c for c in config["setup_commands"])
    for local in config["file_mounts"].values():
        assert local.startswith("~") or (ROOT / local).exists(), local
