"""tryon/ledger.py: what is true after a kill, who may write, and whether verify sees damage."""

import dataclasses
import hashlib
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from tryon import images, plan
from tryon.config import Config, RunConfig
from tryon.ledger import Ledger, LockedError, lock, new_run_id, verify
from tryon.schema import FAILED, OK
from tryon.storage import Storage, StorageError, join

IDS = [plan.look_id([f"g{i}"], "p", ["1", "2"], "h") for i in range(8)]
PICTURES = {i: images.encode(np.full((8, 6, 3), n * 20, np.uint8), "png") for n, i in enumerate(IDS)}


@pytest.fixture(params=["local", "s3"])
def out(request, tmp_path):
    if request.param == "local":
        return str(tmp_path / "out")
    return f"s3://{request.getfixturevalue('s3_bucket')}/out"


@pytest.fixture
def local(tmp_path):
    return str(tmp_path / "out")


def run(out: str, **run_config) -> Ledger:
    """A ledger as a run has it after its start."""
    ledger = Ledger(Storage(), out, new_run_id(), Config(run=RunConfig(**run_config)))
    ledger.load()
    ledger.begin()
    return ledger


def ok(out: str, look_id: str, **more) -> dict:
    """The row of a rendered look, its picture put."""
    key, data = plan.image_key(look_id, "png"), PICTURES[look_id]
    Storage().write(join(out, key), data)
    return {
        "look_id": look_id,
        "person_id": "p",
        "product_ids": ["g"],
        "status": OK,
        "reason": "",
        "image_key": key,
        "width": 6,
        "height": 8,
        "sha256": hashlib.sha256(data).hexdigest(),
        "score": 0.9,
        "weights": "w",
        "carried": {"title": "T", "sha256": "mine"},
    } | more


def failed(look_id: str, reason: str = "no_person") -> dict:
    return {
        "look_id": look_id,
        "person_id": "p",
        "product_ids": ("g", "h"),
        "status": FAILED,
        "reason": reason,
        "detail": "d",
        "traceback": "Trace",
    }


def results(out: str) -> list[dict]:
    """All rows as a reader of results/*.parquet sees them, markers or not."""
    s = Storage()
    rows = []
    for uri, _ in s.list(join(out, "results")):
        filesystem, path = s.filesystem(uri)
        rows += pq.read_table(path, filesystem=filesystem).to_pylist()
    return rows


def keys(out: str, *tops: str) -> set[str]:
    return {uri.removeprefix(out + "/") for top in tops or ("",) for uri, _ in Storage().list(join(out, top) if top else out)}


def full_run(out: str, ids, **run_config) -> dict:
    ledger = run(out, **run_config)
    ledger.commit([ok(out, i) for i in ids if not ledger.terminal(i)])
    return ledger.finish(set(ids))


def test_a_run_ends_with_one_row_per_look_and_verifies(out):
    """A ledger that loses rows, columns or types; counts that do not add up; a verify that finds faults in a whole."""
    ledger = run(out)
    ledger.commit([ok(out, IDS[0]), ok(out, IDS[1])])
    ledger.commit([failed(IDS[2])])
    counts = ledger.finish(set(IDS[:3]), {"analyses": 4})
    assert verify(Storage(), out) == []
    rows = {row["look_id"]: row for row in results(out)}
    assert sorted(rows) == sorted(IDS[:3])
    assert rows[IDS[0]]["title"] == "T" and rows[IDS[0]]["catalogue_sha256"] == "mine" and rows[IDS[2]]["product_ids"] == ["g", "h"]
    assert rows[IDS[0]]["attempt"] == 1 and rows[IDS[0]]["run_id"] == ledger.run_id
    assert counts | {"planned": 3, "pending": 0, "ok": 2, "review": 0, "failed": 1, "reasons": {"no_person": 1}, "rendered": 3} == counts
    document = json.loads(Storage().read(join(out, "run.json")))
    assert document["counts"] == counts and document["analyses"] == 4 and document["config"]["output"]["format"] == "webp"
    assert {"_SUCCESS"} == keys(out) & {"_SUCCESS", "_PARTIAL"}
    (failure,) = [json.loads(Storage().read(uri)) for uri, _ in Storage().list(join(out, "failures"))]
    assert failure["traceback"] == "Trace" and failure["look_id"] == IDS[2]
    assert sorted(row["look_id"] for row in ledger.rows()) == sorted(IDS[:3])


def test_a_second_run_changes_nothing(out):
    """A re-run that renders or rewrites what is there."""
    full_run(out, IDS[:3])
    before = dict(Storage().list(out))
    ledger = run(out)
    assert all(ledger.terminal(i) for i in IDS[:3]) and not ledger.terminal(IDS[3])
    counts = ledger.finish(set(IDS[:3]))
    after = dict(Storage().list(out))
    changed = {uri.removeprefix(out + "/") for uri in before if before[uri] != after.get(uri)}
    assert changed <= {"run.json", "_SUCCESS"} and before.keys() == after.keys() and counts["rendered"] == 0


def test_a_run_under_way_has_no_verdict(local):
    """_SUCCESS of last night beside tonight's half-done work; a dry run that removes it."""
    full_run(local, IDS[:1])
    ledger = Ledger(Storage(), local, new_run_id(), Config())
    ledger.load()
    assert "_SUCCESS" in keys(local)
    ledger.begin()
    assert not keys(local) & {"_SUCCESS", "_PARTIAL"}
    assert any("under way" in problem for problem in verify(Storage(), local))


def test_what_a_killed_run_left_is_not_believed_and_goes_away(out):
    """Rows of a shard whose marker never came, or half a shard; pictures that no row names."""
    ledger = run(out)
    ledger.commit([ok(out, IDS[0])])
    ledger.commit([failed(IDS[1])])
    ledger.commit([ok(out, IDS[2])])
    s, (first, second, third) = Storage(), ledger.shards
    s.delete(join(out, f"state/commits/{second}.json"))
    s.write(join(out, f"results/{third}.parquet"), s.read(join(out, f"results/{third}.parquet"))[:200])
    s.write(join(out, plan.image_key(IDS[3], "png")), PICTURES[IDS[3]])
    s.write(join(out, f"results/.{first}.parquet.0123.tmp"), b"half")
    again = run(out)
    assert list(again.looks) == [IDS[0]] and again.shards == [first]
    assert keys(out, "results", "failures", "state/commits") == {f"results/{first}.parquet", f"state/commits/{first}.json"}
    again.commit([failed(IDS[1]), ok(out, IDS[2])])
    assert again.finish(set(IDS[:3]))["orphans_deleted"] == 1
    assert verify(s, out) == [] and len(results(out)) == 3


def test_transient_failures_are_retried_and_make_the_run_partial(local):
    """A look lost for ever to one bad minute of the object store; _SUCCESS although it is missing."""
    ledger = run(local)
    ledger.commit([ok(local, IDS[0]), failed(IDS[1], "storage_error"), failed(IDS[2], "decode_error")])
    ledger.finish(set(IDS[:3]))
    assert "_PARTIAL" in keys(local) and "_SUCCESS" not in keys(local) and verify(Storage(), local) == []
    again = run(local)
    assert [again.terminal(i) for i in IDS[:3]] == [True, False, True]
    assert [again.terminal(i, retry_failed=True) for i in IDS[:3]] == [True, False, False]
    again.commit([ok(local, IDS[1])])
    counts = again.finish(set(IDS[:3]))
    rows = {row["look_id"]: row for row in results(local)}
    assert len(results(local)) == 3 and (rows[IDS[1]]["status"], rows[IDS[1]]["attempt"]) == (OK, 2)
    assert counts["ok"] == 2 and "_SUCCESS" in keys(local) and verify(Storage(), local) == []
    failures = [json.loads(line) for uri, _ in Storage().list(join(local, "failures")) for line in Storage().read(uri).splitlines()]
    assert [f["look_id"] for f in failures] == [IDS[2]]


def test_pending_looks_make_the_run_partial(local):
    """A spot notice in the middle of the night that ends in _SUCCESS."""
    ledger = run(local)
    ledger.commit([ok(local, IDS[0])])
    assert ledger.finish(set(IDS[:3]))["pending"] == 2 and "_PARTIAL" in keys(local) and verify(Storage(), local) == []


def test_a_row_delivered_twice_counts_once(local):
    """Ray runs a block again after a node is lost: two rows for its looks."""
    ledger = run(local)
    ledger.commit([ok(local, IDS[0]), ok(local, IDS[0])])
    ledger.commit([ok(local, IDS[0]), failed(IDS[1], "storage_error")])
    ledger.commit([ok(local, IDS[1])])
    ledger.finish(set(IDS[:2]))
    assert sorted((r["look_id"], r["attempt"]) for r in results(local)) == sorted([(IDS[0], 1), (IDS[1], 2)])
    assert verify(Storage(), local) == []


def test_a_superseded_look_is_set_aside_and_comes_back_without_rendering(out):
    """Pictures of last season among this season's results; a look rendered again although its picture is there."""
    full_run(out, IDS[:4])
    counts = full_run(out, IDS[2:5])
    assert sorted(r["look_id"] for r in results(out)) == sorted(IDS[2:5]) and counts["superseded"] == 2 and verify(Storage(), out) == []
    ledger = run(out)
    assert all(ledger.terminal(i) for i in IDS[:5])
    counts = ledger.finish(set(IDS[1:5]))
    assert (counts["rendered"], counts["superseded"], counts["ok"]) == (0, 1, 4) and verify(Storage(), out) == []
    assert sorted(r["look_id"] for r in results(out)) == sorted(IDS[1:5])
    assert ledger.superseded() == [plan.image_key(IDS[0], "png")]


def test_pruning_deletes_superseded_pictures_and_rows_only(out):
    """--prune that takes a picture of the present plan, or leaves rows that name what it deleted."""
    full_run(out, IDS[:4])
    assert full_run(out, IDS[2:4], prune=True)["pruned"] == 2
    assert keys(out, "images") == {plan.image_key(i, "png") for i in IDS[2:4]} and not keys(out, "superseded")
    assert verify(Storage(), out) == [] and not run(out).terminal(IDS[0])


def test_pruning_takes_what_stages_kept_of_the_gone(out):
    """The photo of a model who has left in report/thumbs, her pose in state/analyses; the small picture of a look that stays."""
    full_run(out, IDS[:2])
    of_stages = [f"{top}/{name}" for top in ("report/thumbs", "state/analyses/person/ab", "state/sources/ab") for name in ("here", "gone")]
    for key in of_stages:
        Storage().write(join(out, key), b"x")
    ledger = run(out, prune=True)
    ledger.finish({IDS[0]}, kept={key for key in of_stages if key.endswith("here")})
    assert keys(out) & set(of_stages) == {key for key in of_stages if key.endswith("here")} and verify(Storage(), out) == []


def test_nothing_is_pruned_while_a_look_is_open(local):
    """A store of photos that does not answer for a minute: its looks get other ids, and last night's pictures were deleted."""
    full_run(local, IDS[:2])
    Storage().write(join(local, "report/thumbs/x.jpg"), b"x")
    ledger = run(local, prune=True)
    ledger.commit([failed(IDS[2], "storage_error")])
    counts = ledger.finish({IDS[0], IDS[2]}, kept=set())
    assert (counts["pruned"], counts["superseded"]) == (0, 1) and "report/thumbs/x.jpg" in keys(local)
    assert full_run(local, IDS[:2], prune=True)["rendered"] == 0 and verify(Storage(), local) == []


def test_a_run_stopped_before_its_plan_is_known_changes_no_row(local):
    """A spot notice while photos are analysed: every look superseded, or no verdict at all; debris that stays."""
    full_run(local, IDS[:2])
    full_run(local, IDS[1:3])
    Storage().write(join(local, plan.image_key(IDS[3], "png")), PICTURES[IDS[3]])
    before = sorted(row["look_id"] for row in results(local))
    counts = run(local, prune=True).finish(None, kept=set())
    assert (counts["planned"], counts["pending"], counts["superseded"], counts["pruned"], counts["orphans_deleted"]) == (None, None, 1, 0, 1)
    assert sorted(row["look_id"] for row in results(local)) == before and verify(Storage(), local) == []
    assert keys(local) & {"_SUCCESS", "_PARTIAL"} == {"_PARTIAL"}
    os.rename(f"{local}/_PARTIAL", f"{local}/_SUCCESS")
    assert "_SUCCESS, although" in verify(Storage(), local)[0]


def test_a_deleted_picture_is_rendered_again(local):
    """A look that stays 'ok' although somebody deleted its picture; a superseded one taken back without a picture."""
    full_run(local, IDS[:3])
    full_run(local, IDS[:2])
    for i in (IDS[0], IDS[2]):
        Storage().delete(join(local, plan.image_key(i, "png")))
    ledger = run(local)
    assert [ledger.terminal(i) for i in IDS[:3]] == [False, True, False]
    ledger.finish(set(IDS[:3]))
    assert "_PARTIAL" in keys(local)
    run(local).finish({IDS[0]})  # rewrites the shard of the look without a picture
    assert "_PARTIAL" in keys(local)
    full_run(local, IDS[:3])
    assert verify(Storage(), local) == [] and "_SUCCESS" in keys(local)


@dataclasses.dataclass(frozen=True)
class DyingStorage(Storage):
    """Real storage that dies at its n-th change, as a killed process does: what came before is there, the rest is not."""

    left: list = dataclasses.field(default_factory=list)

    def _change(self):
        self.left[0] -= 1
        if self.left[0] < 0:
            raise KeyboardInterrupt

    def write(self, *args, **kwargs):
        self._change()
        return super().write(*args, **kwargs)

    def delete(self, uri):
        self._change()
        return super().delete(uri)


@pytest.mark.parametrize("prune", [False, True])
def test_finish_may_be_killed_at_any_point(tmp_path, prune):
    """Rows lost, or there twice, because the kill fell between writing the new shard and deleting the old."""

    def prepare(out: str):
        full_run(out, IDS[:4])
        ledger = run(out)
        ledger.commit([failed(IDS[4], "storage_error"), failed(IDS[5])])
        ledger.finish({IDS[0], IDS[2], IDS[4], IDS[5]})  # 1 and 3 superseded
        ledger = run(out)
        ledger.commit([ok(out, IDS[4]), ok(out, IDS[6])])
        return {IDS[1], IDS[2], IDS[4], IDS[5], IDS[6]}  # 1 comes back, 0 goes, 4 is retried

    clean, changes = str(tmp_path / "clean"), [10**6]
    planned = prepare(clean)
    Ledger(DyingStorage(left=changes), clean, new_run_id(), Config(run=RunConfig(prune=prune))).finish(planned)
    steps = 10**6 - changes[0]
    assert steps > 8
    look = lambda out: {r["look_id"]: (r["status"], r["attempt"]) for r in results(out)}  # noqa: E731
    assert set(look(clean)) == planned and verify(Storage(), clean) == []
    for step in range(steps):
        out = str(tmp_path / str(step))
        prepare(out)
        with pytest.raises(KeyboardInterrupt):
            Ledger(DyingStorage(left=[step]), out, new_run_id(), Config(run=RunConfig(prune=prune))).finish(planned)
        seen = Ledger(Storage(), out, new_run_id(), Config())
        committed = seen.load()
        assert all(i in committed and not committed[i].image_lost for i in planned)
        live = [row for name in seen.shards for row in pq.read_table(join(out, f"results/{name}.parquet")).to_pylist()]
        assert len({(row["look_id"], row["attempt"]) for row in live}) == len(live)
        again = run(out, prune=prune)
        assert all(again.terminal(i) for i in planned)
        again.finish(planned)
        assert look(out) == look(clean) and len(results(out)) == len(planned) and verify(Storage(), out) == [], step
        assert keys(out, "images") == keys(clean, "images"), step


HOLDER = """
import sys, time
from tryon.ledger import lock
from tryon.storage import Storage
with lock(Storage(), sys.argv[1], 2.0):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(out):
    """Another process that holds the lock of ``out``."""
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(HOLDER), out],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[1],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])},
    )
    assert process.stdout.readline() == b"held\n"
    yield process
    process.kill()
    process.wait()


def test_a_live_run_is_not_disturbed_and_is_named(out, holder):
    """Two runs that write one output; a message that does not say who is in the way."""
    with pytest.raises(LockedError, match=rf"process {holder.pid} on .* since") as e, lock(Storage(), out, 2.0):
        pass
    assert "\n" not in str(e.value)


def test_a_killed_holder_does_not_block(out, holder):
    """A lock file of a dead process that somebody has to delete by hand."""
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    start = time.monotonic()
    with lock(Storage(), out, 2.0) as held:
        held.check()
        took = time.monotonic() - start
    assert took < (8 if out.startswith("s3") else 1)
    start = time.monotonic()
    with lock(Storage(), out, 2.0):  # given back, so there is nothing to wait for
        assert time.monotonic() - start < 1.5


def test_a_lease_is_renewed_and_a_lost_one_stops_the_holder(s3_bucket):
    """A run that goes on writing after it was thought dead and replaced; a lease that runs out under a live holder."""
    out, s = f"s3://{s3_bucket}/out", Storage()
    with lock(s, out, 1.5) as held:
        first = s.read(join(out, "state/lease.json"))
        time.sleep(2.5)
        held.check()
        assert s.read(join(out, "state/lease.json")) != first
        s.write(join(out, "state/lease.json"), b'{"host": "other", "pid": 1, "lease_seconds": 1}')
        time.sleep(1.0)
        ledger = Ledger(s, out, new_run_id(), Config(), held)
        with pytest.raises(LockedError, match="taken"):
            ledger.commit([failed(IDS[0])])
    assert not keys(out, "results") and json.loads(s.read(join(out, "state/lease.json")))["host"] == "other"


def test_an_output_that_cannot_be_written_is_one_clear_line(tmp_path):
    """A traceback for --out under a file."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="file"), lock(Storage(), str(tmp_path / "file" / "out"), 2.0):
        pass
