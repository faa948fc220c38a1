"""jobs/verify.py and tryon.ledger.verify: every kind of damage is found and named."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from test_ledger import IDS, PICTURES, failed, full_run, ok, run

from tryon import plan
from tryon.config import Config
from tryon.ledger import Ledger, new_run_id, verify
from tryon.storage import Storage, join

JOB = str(Path(__file__).parents[1] / "jobs" / "verify.py")


@pytest.fixture
def out(tmp_path):
    """A whole output: three looks, one of them failed, and a superseded one."""
    out = str(tmp_path / "out")
    full_run(out, IDS[:3])
    ledger = run(out)
    ledger.commit([failed(IDS[3])])
    ledger.finish({IDS[0], IDS[1], IDS[3]})
    assert verify(Storage(), out) == []
    return out


def test_the_job_says_whole_and_exits_zero(out):
    """A checker that fails on a whole output."""
    done = subprocess.run([sys.executable, JOB, out], capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout == f"{out}: whole\n", done.stderr


def test_the_job_names_the_problem_and_exits_one(out, tmp_path):
    """Damage that leaves a nightly check green; an output that does not exist taken for whole."""
    Storage().delete(join(out, plan.image_key(IDS[0], "png")))
    done = subprocess.run([sys.executable, JOB, out], capture_output=True, text=True)
    assert done.returncode == 1 and f"look {IDS[0]}" in done.stdout and done.stdout.endswith("1 problems\n")
    assert subprocess.run([sys.executable, JOB, str(tmp_path / "nothing")], capture_output=True).returncode == 1
    assert subprocess.run([sys.executable, JOB], capture_output=True).returncode == 2


def test_an_output_on_s3_is_verified(s3_server, s3_bucket):
    """Local paths only; the endpoint option that is not passed on."""
    out = f"s3://{s3_bucket}/out"
    full_run(out, IDS[:2])
    assert verify(Storage(), out) == []
    Storage().write(join(out, plan.image_key(IDS[0], "png")), PICTURES[IDS[1]])
    done = subprocess.run([sys.executable, JOB, out, "--storage.endpoint_url", s3_server], capture_output=True, text=True)
    assert done.returncode == 1 and "sha256" in done.stdout
    done = subprocess.run([sys.executable, JOB, "s3://no-such-bucket/out"], capture_output=True, text=True)
    assert done.returncode == 1 and "no-such-bucket" in done.stdout and not done.stderr


def shard_of(out: str, look_id: str) -> str:
    return Ledger(Storage(), out, new_run_id(), Config()).load()[look_id].shard


def damage_row(out: str, **change):
    """Put a shard, with marker, whose row is wrong."""
    ledger = run(out)
    ledger.commit([ok(out, IDS[4], **change)])


def rewrite(uri: str, change) -> None:
    s = Storage()
    document = json.loads(s.read(uri))
    change(document)
    s.write(uri, json.dumps(document).encode())


DAMAGES = {
    "a picture is missing": (lambda s, out: s.delete(join(out, plan.image_key(IDS[0], "png"))), "picture .* missing"),
    "a picture is another": (lambda s, out: s.write(join(out, plan.image_key(IDS[0], "png")), PICTURES[IDS[5]]), "sha256"),
    "a picture is cut off": (lambda s, out: s.write(join(out, plan.image_key(IDS[0], "png")), PICTURES[IDS[0]][:40]), "cannot be read"),
    "a superseded picture is missing": (lambda s, out: s.delete(join(out, plan.image_key(IDS[2], "png"))), "superseded row"),
    "an orphan": (lambda s, out: s.write(join(out, "images/aa/x.png"), b"x"), "no row names"),
    "a shard is gone": (lambda s, out: s.delete(join(out, f"results/{shard_of(out, IDS[0])}.parquet")), "results/.*nothing"),
    "a shard is damaged": (lambda s, out: s.write(join(out, f"results/{shard_of(out, IDS[0])}.parquet"), b"PAR1"), "sha256"),
    "a marker is gone": (lambda s, out: s.delete(join(out, f"state/commits/{shard_of(out, IDS[0])}.json")), "no marker"),
    "a marker counts wrong": (
        lambda s, out: rewrite(join(out, f"state/commits/{shard_of(out, IDS[0])}.json"), lambda d: d.update(rows=9)),
        "marker says 9",
    ),
    "a replaced shard is left": (
        lambda s, out: rewrite(
            join(out, f"state/commits/{shard_of(out, IDS[0])}.json"), lambda d: d.update(replaces=[shard_of(out, IDS[3])])
        ),
        "replaces it",
    ),
    "a look has two rows": (lambda s, out: run(out).commit([ok(out, IDS[0])]), "2 rows for look"),
    "a row has the wrong size": (lambda s, out: damage_row(out, width=7), "its row says 7x8"),
    "a row has no picture": (lambda s, out: damage_row(out, image_key=""), "picture .* missing"),
    "a row has an odd status": (lambda s, out: damage_row(out, status="fine"), "unknown status"),
    "a row failed for an odd reason": (lambda s, out: damage_row(out, status="failed", reason="bad luck"), "unknown reason"),
    "run.json is gone": (lambda s, out: s.delete(join(out, "run.json")), "run.json"),
    "run.json counts wrong": (lambda s, out: rewrite(join(out, "run.json"), lambda d: d["counts"].update(ok=7)), "ok is 7"),
    "run.json planned wrong": (lambda s, out: rewrite(join(out, "run.json"), lambda d: d["counts"].update(planned=7)), "7 looks planned"),
    "no verdict": (lambda s, out: s.delete(join(out, "_SUCCESS")), "found none"),
    "two verdicts": (lambda s, out: s.write(join(out, "_PARTIAL"), b""), "_SUCCESS and _PARTIAL"),
    "success with looks pending": (
        lambda s, out: rewrite(join(out, "run.json"), lambda d: d["counts"].update(pending=1, planned=4)),
        "not terminal",
    ),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_each_kind_of_damage_is_found(out, name):
    """A kind of damage that verify does not look for."""
    damage, words = DAMAGES[name]
    damage(Storage(), out)
    problems = verify(Storage(), out)
    assert any(re.search(words, problem) for problem in problems), problems
    assert not any("\n" in problem for problem in problems)
