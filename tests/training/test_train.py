"""jobs/train.py and tryon/training/fit.py: training on a real Ray, on drawn data."""

import json
import signal
import subprocess
import sys
from argparse import Namespace
from dataclasses import asdict, replace
from pathlib import Path

import drawn
import numpy as np
import pytest
import torch
from conftest import ROOT
from safetensors.torch import load_file

from jobs.train import build, main
from tryon import cluster, images
from tryon.config import ConfigError
from tryon.datasets import augment
from tryon.storage import Storage, join
from tryon.training.fit import CHECKPOINTS, SNAPSHOT, STATE, FitConfig, fit
from tryon.training.generator import GeneratorTask
from tryon.training.parser import ParserTask

WEIGHTS = str(ROOT / "tryon" / "weights" / "pose.safetensors")
# The run that others are compared with; they make a checkpoint at each step.
WHOLE = FitConfig(steps=4, batch_size=2, log_every=1, eval_every=2, warmup=2, checkpoint_seconds=1e9, loaders=1, bfloat16=False)
HASTY = replace(WHOLE, checkpoint_seconds=0.0)
QUICK = {"RAY_TRAIN_HEALTH_CHECK_INTERVAL_S": "0.1", "RAY_TRAIN_ENABLE_PREEMPTION_WATCHER": "0"}


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> str:
    return drawn.ccp(tmp_path_factory.mktemp("data") / "ccp", val=2)


@pytest.fixture(scope="module")
def local_ray(s3_server):
    """A Ray whose workers know the S3 server."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in QUICK.items():
            patch.setenv(name, value)
        cluster.join(store_bytes=1 << 28)
        yield
        cluster.leave()


def pose(data: str):
    """The task of ``jobs/train.py pose --data data --drawn 2 --init WEIGHTS``."""
    torch.manual_seed(WHOLE.seed)
    return build(Namespace(network="pose", data=data, drawn=2, teacher=None, init=WEIGHTS, augment=augment.GROUPS, loss=()), "")


@pytest.fixture(scope="module")
def whole(local_ray, data, tmp_path_factory):
    """(run folder, best evaluation, its weights) of one worker that nobody disturbs."""
    out = tmp_path_factory.mktemp("whole")
    return out, *fit(pose(data), str(out), WHOLE)


def metrics(out) -> list[dict]:
    return [json.loads(line) for line in Storage().read(join(str(out), "metrics.jsonl")).splitlines()]


def curve(out) -> np.ndarray:
    """Losses of a run, one row per step."""
    return np.array([list(row["losses"].values()) for row in metrics(out) if "losses" in row])


def reports(out) -> int:
    return json.loads((Path(out) / CHECKPOINTS / SNAPSHOT).read_text())["current_report_index"]


def test_two_workers_learn_what_one_does(whole, data, tmp_path):
    """Workers that see the same samples, norms or losses of half a batch, gradients that are summed. In float32 the losses of all steps agree
    within 0.5 %. Also: --init that is not used; a checkpoint at each evaluation and whenever the seconds are over."""
    fit(pose(data), str(tmp_path), HASTY, workers=2)
    np.testing.assert_allclose(curve(tmp_path), curve(whole[0]), rtol=5e-3)
    assert curve(whole[0])[0, 0] < 5  # an untrained network starts at 20
    assert reports(whole[0]) == 2 and reports(tmp_path) == 4
    assert list((tmp_path / "tensorboard").glob("events*"))


def test_two_workers_train_a_gan_on_s3_and_stop_early(local_ray, data, s3_bucket):
    """A discriminator that is not trained together, or not resumed; a run that goes on although nothing gets better, or after it has stopped;
    checkpoints and sheets that only a local folder can take."""
    out = f"s3://{s3_bucket}/runs/gan"
    config = FitConfig(steps=50, batch_size=2, lr=0.0, log_every=1, eval_every=1, patience=1, loaders=0)
    first = fit(GeneratorTask(data), out, config, workers=2)
    rows = metrics(out)
    assert max(row["step"] for row in rows) == 2 and first[0]["step"] == 1
    assert all(np.isfinite([row["losses"][k] for k in ("judge", "fooled", "layout")]).all() for row in rows if "losses" in row)
    sheets = [images.decode(Storage().read(join(out, "samples", f"step-00000{step}.png"))) for step in (1, 2)]
    assert all(s.shape[1] > 2 * 6 * 190 for s in sheets) and (sheets[0] == sheets[1]).mean() > 0.5  # two photos, six pictures of each
    again = fit(GeneratorTask(data), out, config, workers=1)
    assert again[0] == first[0] and all(torch.equal(a, b) for a, b in zip(first[1].values(), again[1].values()))
    assert metrics(out) == rows


def test_final_run_learns_from_validation_and_keeps_its_last_weights(local_ray, data, tmp_path):
    """A final run that leaves the validation photos out, or chooses among its weights by photos it has learned from."""
    judged, final = ParserTask(data), ParserTask(data, final=True)
    assert {p.id for p in final.train} == {p.id for p in judged.train} | {p.id for p in judged.val} and not {p.id for p in judged.train} & {p.id for p in judged.val}
    config = replace(WHOLE, lr=0.0, eval_every=1, steps=2, loaders=0)  # nothing gets better
    assert fit(final, str(tmp_path), config)[0]["step"] == 2  # the GAN above keeps the first


def test_killed_run_goes_on_as_if_nothing_had_happened(whole, data, tmp_path):
    """A resumed run with other samples, optimizer or average; one that starts from a folder the kill left behind, or cannot read the half-written
    snapshot; steps that are told twice or not at all; --init used again on resume."""
    out, flags = tmp_path, [f"--fit.{k}={v}" for k, v in asdict(HASTY).items()]
    command = [sys.executable, str(ROOT / "jobs" / "train.py"), "pose", "--data", data, "--drawn", "2", "--init", WEIGHTS, "--out", str(out), *flags]
    snapshot, orphan = out / CHECKPOINTS / SNAPSHOT, out / CHECKPOINTS / "checkpoint_2999-01-01_00-00-00.000000"
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        for line in process.stdout:
            if line.startswith("step ") and snapshot.with_name(SNAPSHOT + ".copy").exists():
                process.send_signal(signal.SIGKILL)
                break
    assert process.wait() == -signal.SIGKILL
    snapshot.write_text(snapshot.read_text()[:100])
    orphan.mkdir()
    (orphan / STATE).write_bytes(b"half")
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "going on after step" in done.stdout and not orphan.exists()

    unbroken, best, state = whole
    np.testing.assert_allclose(curve(out), curve(unbroken), rtol=1e-5)
    for name, tensor in load_file(out / "pose.safetensors").items():
        torch.testing.assert_close(tensor, state[name].half(), rtol=0, atol=1e-5)
    card = json.loads((out / "pose.json").read_text())
    assert card["steps"] == best["step"] and card["metrics"]["street_pck"] == round(best["street_pck"], 4)


def test_bad_usage_is_told_before_anything_runs(local_ray, data, tmp_path, capsys):
    """A batch that two workers cannot share, more workers than cores (it would wait for ever), a key that is no number, a loss or an option that the
    network does not have."""
    with pytest.raises(ConfigError, match="multiple of --workers 3"):
        fit(None, str(tmp_path), WHOLE, workers=3)
    with pytest.raises(ConfigError, match="this machine has"):
        fit(None, str(tmp_path), FitConfig(batch_size=512), workers=512)
    assert main(["pose", "--data", data, "--out", str(tmp_path), "--fit.steps", "many"]) == 2
    assert "--fit.steps: expected an integer" in capsys.readouterr().err
    for args, words in ((["generator", "--loss", "kl=1"], "generator has no loss kl"), (["pose", "--loss", "l1=1"], "pose has no loss l1"),
                        (["pose", "--final"], "--final is for the parser"),
                        (["vae", "--no-attention"], "--no-attention"), (["generator", "--no-attention", "--init", WEIGHTS], "--no-attention")):
        with pytest.raises(SystemExit) as e:
            main([*args, "--data", data, "--out", str(tmp_path)])
        assert e.value.code == 2 and words in capsys.readouterr().err
