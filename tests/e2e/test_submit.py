"""``ray job submit`` against a cluster of its own and a real S3 server: the same command, the same pictures."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

import boto3
import pytest
from conftest import ROOT, RUN_COLUMNS, pictures, rows, tables, verify
from s3 import free_ports

RAY = str(Path(sys.executable).with_name("ray"))


def processes_of(text: str) -> list[int]:
    """Ids of the processes whose command line holds ``text``."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if text.encode() in (folder / "cmdline").read_bytes() and int(folder.name) != os.getpid():
                found.append(int(folder.name))
        except OSError:  # it has ended meanwhile
            continue
    return found


@pytest.fixture(scope="module")
def cluster(s3_server):
    """(address, environment) of a one-node cluster with a job server; ended process by process, never by `ray stop`."""
    folder = tempfile.mkdtemp(prefix="ray-test-", dir="/tmp")  # short: Ray makes sockets below it
    names = ("port", "dashboard-port", "dashboard-agent-listen-port", "dashboard-agent-grpc-port", "ray-client-server-port",
             "metrics-export-port", "node-manager-port", "object-manager-port", "runtime-env-agent-port")
    ports = dict(zip(names, free_ports(len(names))))
    environment = os.environ | {"RAY_AUTH_MODE": "disabled", "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    for name in ("RAY_ADDRESS", "PYTHONPATH"):
        environment.pop(name, None)
    # Nothing of this checkout may reach the cluster but through the submitted working directory: its cwd is elsewhere.
    with open(Path(folder) / "head.log", "wb") as log:
        fixed = ("--head", "--block", "--disable-usage-stats", "--include-dashboard=true", "--dashboard-host=127.0.0.1",
                 "--node-ip-address=127.0.0.1")
        sized = f"--num-cpus={max(2, os.cpu_count())}", f"--object-store-memory={1 << 29}", f"--temp-dir={folder}"
        head = subprocess.Popen([RAY, "start", *fixed, *sized, *(f"--{k}={v}" for k, v in ports.items())], cwd=folder, env=environment,
                                stdout=log, stderr=log)
    address = f"http://127.0.0.1:{ports['dashboard-port']}"
    try:
        deadline = time.monotonic() + 90
        while not answers(address + "/api/jobs/"):
            assert head.poll() is None and time.monotonic() < deadline, (Path(folder) / "head.log").read_text()[-2000:]
            time.sleep(0.5)
        yield address, environment
    finally:
        while mine := processes_of(folder):  # a process that was just being started shows up in the next round
            for pid in mine:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.1)
        head.wait()
        shutil.rmtree(folder, ignore_errors=True)


def answers(url: str) -> bool:
    try:
        return urllib.request.urlopen(url, timeout=2).status == 200
    except (urllib.error.URLError, OSError):
        return False


def submit(cluster, *args, cwd=ROOT) -> subprocess.CompletedProcess:
    address, environment = cluster
    command = [RAY, "job", "submit", "--address", address, "--working-dir", ".", "--", "python", "jobs/render_catalog.py", *map(str, args)]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=300)


def test_submitted_job_on_s3_gives_the_pictures_of_the_local_run(cluster, clean, small_store, s3_server, s3_bucket, tmp_path):
    """A job that needs something the working directory does not carry, ids or pictures that depend on where the store is
    or what the job runs on, a table or picture that cannot be read from S3."""
    client = boto3.client("s3", endpoint_url=s3_server)
    for file in small_store.iterdir():
        client.upload_file(str(file), s3_bucket, f"shop/{file.name}")
    out = f"s3://{s3_bucket}/out"
    done = submit(cluster, *tables(f"s3://{s3_bucket}/shop"), "--out", out)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert verify(out).returncode == 0
    for item in client.list_objects_v2(Bucket=s3_bucket, Prefix="out/")["Contents"]:
        copy = tmp_path / item["Key"]
        copy.parent.mkdir(parents=True, exist_ok=True)
        client.download_file(s3_bucket, item["Key"], str(copy))
    assert pictures(tmp_path / "out") == pictures(clean) and rows(tmp_path / "out", RUN_COLUMNS) == rows(clean, RUN_COLUMNS)
    assert (tmp_path / "out" / "_SUCCESS").exists() and (tmp_path / "out" / "report" / "index.html").exists()


def test_wrong_bucket_is_red(cluster, small_store):
    """A night that could not write anything and is reported as a success, or that hangs."""
    start = time.monotonic()
    done = submit(cluster, *tables(small_store), "--out", "s3://no-such-bucket-here/out")
    assert done.returncode != 0 and time.monotonic() - start < 60
    assert "no-such-bucket-here" in done.stdout + done.stderr and "Traceback" not in done.stdout
