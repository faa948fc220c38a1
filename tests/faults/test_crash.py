"""What a run that is killed or stopped leaves behind, and how the next one goes on."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from conftest import RUN_COLUMNS, SMALL_LOOKS, command, pictures, render, rows, tables, verify

# Small blocks and shards, so that commits come one by one.
OFTEN = ("--cluster.block_rows", "2", "--cluster.batch_size", "1", "--run.shard_rows", "1")


def committed(out: Path) -> int:
    """Rows that are true at this moment."""
    found = 0
    for marker in (out / "state" / "commits").glob("*.json"):
        try:
            found += json.loads(marker.read_text())["rows"]
        except FileNotFoundError:  # replaced meanwhile
            continue
    return found


started: list[subprocess.Popen] = []


@pytest.fixture(autouse=True)
def nothing_is_left_running():
    """A job that hangs must not outlive the test that says so."""
    yield
    while started:
        started.pop().kill()


def start(*args, **options) -> subprocess.Popen:
    started.append(subprocess.Popen(command(*args), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options))
    return started[-1]


def wait_for(process: subprocess.Popen, happened: Callable[[], bool]) -> None:
    """Return when something has happened in the output of a process that is still there."""
    deadline = time.monotonic() + 300
    while not happened():
        assert process.poll() is None, process.stdout.read()
        assert time.monotonic() < deadline
        time.sleep(0.05)


def holds_lock(out: Path, pid: int) -> bool:
    lock = out / "state" / "lock"
    return lock.exists() and f'"pid": {pid},' in lock.read_text()


def written(out: Path, keys) -> dict[str, int]:
    return {key: (out / key).stat().st_mtime_ns for key in keys}


def keys(out: Path) -> set[str]:
    """The pictures of committed rows: a shard counts once its marker is there."""
    shards = (out / "results" / f"{marker.stem}.parquet" for marker in (out / "state" / "commits").glob("*.json"))
    return {key for shard in shards for key in pq.read_table(shard)["image_key"].to_pylist()}


def workers(driver: int) -> list[int]:
    """Ids of the actor processes of a run's local Ray."""
    parent, title = {}, {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            parent[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            title[int(folder.name)] = (folder / "cmdline").read_bytes()
    ours = lambda pid: pid == driver or (pid in parent and ours(parent[pid]))
    return [pid for pid in title if title[pid].startswith(b"ray::MapWorker") and ours(pid)]


def known(clean: Path, out: Path) -> None:
    """Give ``out`` the analyses of the clean run, so that a run over it starts to render at once."""
    for part in ("analyses", "sources"):
        shutil.copytree(clean / "state" / part, out / "state" / part)


def test_killed_twice_and_run_again_is_one_clean_run(clean, small_store, tmp_path):
    """SIGKILL at 30 % and again at 70 %, each time run again at once: a lock that outlives its process, a row that is
    lost or doubled, a committed look rendered again, a picture that differs from the clean run's; and a second run beside
    a living one that does not refuse."""
    out = tmp_path / "out"
    args = *tables(small_store), "--out", out, *OFTEN
    kept: dict[str, int] = {}
    for share in (0.3, 0.7):
        run = start(*args)
        wait_for(run, lambda: holds_lock(out, run.pid))
        beside = start(*args)
        wait_for(run, lambda: committed(out) >= share * SMALL_LOOKS)
        run.send_signal(signal.SIGKILL)
        run.wait()
        refusal, _ = beside.communicate(timeout=60)
        assert beside.returncode == 2 and f"is being written by process {run.pid}" in refusal, refusal
        assert committed(out) < SMALL_LOOKS, "the run was over before it was killed; make the store larger"
        assert written(out, kept) == kept, "a committed look was rendered again"
        kept = written(out, keys(out))
    done = render(*args)
    assert done.returncode == 0, done.stdout + done.stderr
    assert written(out, kept) == kept, "a committed look was rendered again"
    assert pictures(out) == pictures(clean) and rows(out, RUN_COLUMNS) == rows(clean, RUN_COLUMNS)
    run = json.loads((out / "run.json").read_text())
    assert run["counts"]["rendered"] == SMALL_LOOKS - len(kept) and run["analyses"] == {"person": 0, "garment": 0}
    assert verify(out).returncode == 0


def test_sigterm_commits_what_is_finished(clean, small_store, tmp_path):
    """A spot notice: what is finished is committed, _PARTIAL says that the rest is not, and it takes less than 30 s."""
    out = tmp_path / "out"
    known(clean, out)
    run = start(*tables(small_store), "--out", out, *OFTEN)
    wait_for(run, lambda: committed(out) >= 0.2 * SMALL_LOOKS)
    run.send_signal(signal.SIGTERM)
    sent = time.monotonic()
    output, _ = run.communicate(timeout=60)
    assert time.monotonic() - sent < 30
    assert run.returncode == 1 and "Traceback" not in output, output
    found = rows(out)
    assert 0.2 * SMALL_LOOKS <= len(found) < SMALL_LOOKS and (out / "_PARTIAL").exists() and not (out / "_SUCCESS").exists()
    assert json.loads((out / "run.json").read_text())["counts"]["pending"] == SMALL_LOOKS - len(found)
    assert verify(out).returncode == 0
    whole = pictures(clean)
    assert all(whole[key] == data for key, data in pictures(out).items())


def test_notice_before_the_plan_is_known_leaves_a_verdict(clean, small_store, tmp_path):
    """A spot notice while Ray starts, and one while photos are analysed, over the output of an earlier night: no run.json, no
    verdict, looks of that night set aside, breadcrumbs or a lock that stay behind."""
    out = tmp_path / "out"
    shutil.copytree(clean, out)
    shutil.rmtree(out / "state" / "analyses")
    starts, analyses = lambda: holds_lock(out, run.pid), lambda: any((out / "state").glob("analyses/*/*/*.npz"))
    for happened in (starts, analyses):
        # Ray's sockets need a short path, our breadcrumbs are looked for below.
        run = start(*tables(small_store), "--out", out, env=os.environ | {"TMPDIR": str(tmp_path), "RAY_TMPDIR": "/tmp"})
        wait_for(run, happened)
        run.send_signal(signal.SIGTERM)
        sent = time.monotonic()
        output, _ = run.communicate(timeout=60)
        assert time.monotonic() - sent < 30
        assert run.returncode == 1 and "Traceback" not in output and "run the same command again" in output, output
        assert (out / "_PARTIAL").exists() and not (out / "_SUCCESS").exists() and verify(out).returncode == 0
        document = json.loads((out / "run.json").read_text())
        assert document["counts"]["planned"] is None and document["run_id"] != rows(out).popitem()[1]["run_id"]
        assert rows(out) == rows(clean) and pictures(out) == pictures(clean)
        assert not list(tmp_path.glob("tryon-crumbs-*"))


def test_killed_workers_are_replaced(clean, small_store, tmp_path):
    """A worker that the kernel kills for its memory: its rows must be done by the next one, once, and alike."""
    out = tmp_path / "out"
    known(clean, out)
    run = start(*tables(small_store), "--out", out, *OFTEN)
    wait_for(run, lambda: any((out / "images").rglob("*.webp")))  # the workers are in the middle of it
    killed = workers(run.pid)
    assert killed, "the workers were done before they were killed; make the store larger"
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    output, _ = run.communicate(timeout=120)
    assert run.returncode == 0, output
    assert pictures(out) == pictures(clean) and rows(out, RUN_COLUMNS) == rows(clean, RUN_COLUMNS)
