"""tryon/stages without Ray: the guard around every stage, the index of sources, the expansion into looks, the last stage."""

import hashlib
import json
import os
import subprocess
import sys
import textwrap
import time
import uuid
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
import pytest
from conftest import ROOT, SMALL_GARMENTS, SMALL_LOOKS, SMALL_PEOPLE

from tryon import images
from tryon.config import Config, InputConfig, OutputConfig, RenderConfig, RunConfig
from tryon.plan import image_key
from tryon.schema import FAILED, OK, REVIEW, RowError
from tryon.stages import crumbs
from tryon.stages.analyse import Analyse
from tryon.stages.contract import STATE, Guard, Stage
from tryon.stages.expand import LOOK, Expand
from tryon.stages.fetch import SOURCE, Fetch
from tryon.stages.finish import Finish, result
from tryon.stages.render import Fit, Generate
from tryon.storage import Storage, StorageError

ROW = pa.schema([("id", pa.string()), ("uri", pa.string()), ("out", pa.string()), ("ms_try", pa.float32()), *STATE])


@dataclass
class Try(Stage):
    """Writes ``out`` unless the id asks for trouble."""

    seen: list = field(default_factory=list)
    name = "try"
    schema = ROW

    def __call__(self, row: dict) -> dict:
        self.seen.append(row["id"])
        if row["id"] == "raises":
            raise ZeroDivisionError("a bug")
        if row["id"] == "refused":
            raise RowError("no_person", "nobody there")
        if row["id"] == "store":
            raise StorageError("the bucket does not answer")
        if row["id"] == "dies":
            os._exit(9)
        return row | {"out": row["id"].upper()}


@pytest.fixture(autouse=True)
def breadcrumbs(tmp_path, monkeypatch):
    """Breadcrumbs, of child processes too, fall where pytest cleans up."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))


def batch(*ids: str, **more) -> pa.Table:
    return pa.Table.from_pylist([{"id": i, "uri": "u", "reason": "", "detail": "", "traceback": ""} | more for i in ids], ROW)


def guard(run_id: str = "") -> Guard:
    return Guard(Try(), run_id or f"test-{uuid.uuid4().hex}")


def test_one_bad_row_costs_one_row():
    """An exception that takes its batch, or the job, with it."""
    ids = [f"r{i}" for i in range(16)]
    ids[5] = "raises"
    out = guard()(batch(*ids)).to_pylist()
    assert [row["id"] for row in out] == ids
    assert [row["reason"] for row in out] == ["stage_error" if i == "raises" else "" for i in ids]
    assert [row["out"] for row in out] == [None if i == "raises" else i.upper() for i in ids]
    assert "try: ZeroDivisionError: a bug" == out[5]["detail"] and "Traceback" in out[5]["traceback"] and out[0]["traceback"] == ""


def test_row_and_storage_errors_keep_their_reason():
    """A refusal reported as a bug, or an outage recorded as permanent: it would never be tried again."""
    out = guard()(batch("refused", "store", "fine")).to_pylist()
    told = [("no_person", "nobody there"), ("storage_error", "the bucket does not answer"), ("", "")]
    assert [(r["reason"], r["detail"]) for r in out] == told


def test_failed_rows_pass_untouched():
    """A later stage that works on a failed row, changes its reason or sets up models for it."""
    g = guard()
    out = g(batch("a", "raises", reason="no_person", detail="d")).to_pylist()
    assert g.stage.seen == [] and not g.ready
    assert all((r["reason"], r["detail"], r["out"], r["ms_try"]) == ("no_person", "d", None, None) for r in out)


def test_breadcrumbs_are_swept_up():
    """A row that only failed counted as one that killed its process."""
    g = guard()
    g(batch("a", "raises", "refused"))
    assert list(g.crumbs.iterdir()) == []


def test_a_row_that_kills_its_process_twice_is_given_up():
    """A poison row that is retried for ever, or that is given up after a crash it had nothing to do with."""
    run_id = f"test-{uuid.uuid4().hex}"
    code = textwrap.dedent(f"""
        import sys; sys.path.insert(0, {str(ROOT / "tests")!r})
        import test_stages as t
        t.guard({run_id!r})(t.batch("fine", "dies", "late"))
    """)
    for _ in range(2):
        assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}).returncode == 9
    g = guard(run_id)
    out = g(batch("fine", "dies", "late")).to_pylist()
    assert [r["reason"] for r in out] == ["", "worker_crashed", ""] and g.stage.seen == ["fine", "late"]
    assert guard()(batch("fine")).to_pylist()[0]["reason"] == ""


def test_breadcrumbs_of_dead_runs_go_and_those_of_living_ones_stay(tmp_path):
    """A temporary folder that fills up with every killed run; or a sweep under a run at work, whose rows then all fail."""
    code = """
        import os
        from tryon.stages import crumbs
        with crumbs.laid("killed"):
            (crumbs.folder("killed") / "generate").mkdir()
            os._exit(0)
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, check=True)
    for run_id in ("elsewhere", "elsewhere-long-ago"):  # as on a machine of a cluster without the driver
        (crumbs.folder(run_id) / "generate").mkdir(parents=True)
    for path in (crumbs.folder("elsewhere-long-ago") / "generate", crumbs.folder("elsewhere-long-ago"), crumbs.folder("elsewhere")):
        os.utime(path, (0, time.time() - 2 * crumbs.FORGOTTEN))
    here = lambda: {p.name.removeprefix(crumbs.PREFIX) for p in tmp_path.glob(crumbs.PREFIX + "*")}
    assert here() == {"killed", "elsewhere", "elsewhere-long-ago"}
    with crumbs.laid("alive"):
        crumbs.sweep()
        assert here() == {"alive", "elsewhere"}
        guard("alive")(batch("fine"))
    assert here() == {"elsewhere"}


def test_breadcrumbs_tidied_up_by_somebody_else_cost_no_row():
    """A cleaner of /tmp under a long run, after which every row fails."""
    g = guard()
    g(batch("a"))
    g.crumbs.rmdir()
    assert g(batch("b")).to_pylist()[0]["reason"] == ""


def test_times_are_noted():
    """A report whose timings are all empty."""
    assert guard()(batch("a", "raises"))["ms_try"].to_pylist() == pytest.approx([0, 0], abs=1000)


@pytest.fixture
def shop(tmp_path):
    """(folder of sources, configuration with an output beside it, storage that may read the folder)."""
    (tmp_path / "shop").mkdir()
    config = Config(input=InputConfig(catalog="c", people="p"), output=OutputConfig(out=str(tmp_path / "out")))
    return tmp_path / "shop", config, Storage(allow=(str(tmp_path / "shop"),))


def fetch(shop, uri, kind: str = "garment", weights: str = "w", config: Config | None = None, lookup: bool = False, **more) -> dict:
    folder, standard, storage = shop
    row = dict.fromkeys(SOURCE.names, "") | {"position": 0, "id": "a", "uri": str(uri), "carried": "{}"} | more
    table = Guard(Fetch(config or standard, storage, kind, weights, lookup), "test")(pa.Table.from_pylist([row], SOURCE))
    assert table.schema == Fetch.schema
    return table.to_pylist()[0]


def overwrite(path, data: bytes) -> None:
    """Other bytes of the same size under the same time: what only reading would show."""
    info = path.stat()
    assert len(data) == info.st_size
    path.write_bytes(data)
    os.utime(path, ns=(info.st_atime_ns, info.st_mtime_ns))


def test_source_is_read_once_and_hashed(shop):
    """A hash of something other than the bytes; data that is lost before the analysis."""
    (shop[0] / "a.png").write_bytes(b"first")
    row = fetch(shop, shop[0] / "a.png")
    assert (row["sha256"], row["data"], row["cached"], row["reason"]) == (hashlib.sha256(b"first").hexdigest(), b"first", False, "")


def test_unchanged_source_is_not_read_again(shop):
    """A night that reads the whole catalogue: with the analysis in the store, size and time are all that is looked at."""
    path = shop[0] / "a.png"
    path.write_bytes(b"first")
    row = fetch(shop, path)
    shop[2].write(f"{shop[1].output.out}/{row['key']}", b"analysis")
    overwrite(path, b"other")
    again = fetch(shop, path)
    assert again["cached"] and again["data"] is None and (again["sha256"], again["key"]) == (row["sha256"], row["key"])


def test_changed_source_is_read_again(shop):
    """A new photo under an old name that keeps its old picture."""
    path = shop[0] / "a.png"
    path.write_bytes(b"first")
    row = fetch(shop, path)
    path.write_bytes(b"other one")
    again = fetch(shop, path)
    assert again["data"] == b"other one" and again["sha256"] != row["sha256"] and again["key"] != row["key"]


def test_lookup_reads_nothing_and_tells_the_new_from_the_known(shop):
    """A warm run that starts actors for what is done; a new photo, a changed one or an analysis that is gone taken for done."""
    path, mask = shop[0] / "a.png", shop[0] / "m.png"
    path.write_bytes(b"first"), mask.write_bytes(b"mask")
    state = lambda **more: [fetch(shop, path, lookup=True, **more)[k] for k in ("cached", "reason", "data")]
    assert state() == [False, "", None] and not (shop[0].parent / "out").exists()
    key = fetch(shop, path)["key"]
    assert state() == [False, "", None]
    shop[2].write(f"{shop[1].output.out}/{key}", b"analysis")
    assert state() == [True, "", None] and state(mask_uri=str(mask)) == [False, "", None] and state(weights="v") == [False, "", None]
    path.write_bytes(b"other one")
    assert state() == [False, "", None]
    path.unlink()
    assert state() == [None, "not_found", None]


def test_source_that_changes_under_the_run_is_transient(shop):
    """A picture made from other bytes than its id says."""
    path = shop[0] / "a.png"
    path.write_bytes(b"first")
    fetch(shop, path)
    overwrite(path, b"other")
    assert fetch(shop, path)["reason"] == "source_changed"


def test_what_decides_an_analysis_is_in_its_key(shop):
    """Yesterday's analysis under other weights, another category or another mask."""
    path, mask = shop[0] / "a.png", shop[0] / "m.png"
    path.write_bytes(b"first"), mask.write_bytes(b"mask")
    small = replace(shop[1], output=replace(shop[1].output, size="192x256"))
    given = ({}, {"weights": "v"}, {"category": "upper"}, {"kind": "person"}, {"mask_uri": str(mask)}, {"config": small})
    assert len({fetch(shop, path, **more)["key"] for more in given}) == len(given)


def test_missing_and_forbidden_sources_fail_their_row(shop, tmp_path):
    """A file outside the catalogue's folder that is read, a missing one that stops the run."""
    (tmp_path / "secret").write_bytes(b"x")
    assert fetch(shop, shop[0] / "none.png")["reason"] == "not_found"
    for uri in (tmp_path / "secret", shop[0] / ".." / "secret", "file:///etc/passwd", "http://169.254.169.254/", "s3://other/x"):
        row = fetch(shop, uri)
        assert row["reason"] == "uri_denied" and row["data"] is None, uri


def test_failed_analysis_is_remembered_until_it_is_to_be_retried(shop):
    """A photo of nobody that is analysed every night; --retry-failed that retries nothing."""
    path = shop[0] / "a.png"
    path.write_bytes(b"first")
    key = fetch(shop, path)["key"]
    shop[2].write(f"{shop[1].output.out}/{key}.failed", json.dumps({"reason": "no_garment", "detail": "d"}).encode())
    assert fetch(shop, path)["reason"] == "no_garment"
    again = fetch(shop, path, config=replace(shop[1], run=RunConfig(retry_failed=True)))
    assert again["reason"] == "" and again["data"] == b"first"


def source(id: str, position: int = 0, **more) -> dict:
    state = {"reason": "", "detail": "", "traceback": ""}
    return {"position": position, "id": id, "uri": f"/x/{id}", "sha256": id * 4, "key": "k" + id, "carried": "{}"} | state | more


def looks(expand: Expand, rows: list[dict], products: dict | None = None) -> list[dict]:
    """The expansion through the columns that leave it."""
    made = expand.products(rows) if products is None else expand.looks(rows, products)
    return pa.Table.from_pylist(made, LOOK).to_pylist()


def named(person: str, *ids: str, **more) -> dict:
    return {"position": 0, "person_id": person, "product_ids": list(ids), "carried": "{}", "reason": "", "detail": ""} | more


def test_every_product_on_every_person_once():
    """A pair that is lost or planned twice."""
    out = looks(Expand([source("p"), source("q")], "h"), [source("a", 0), source("b", 1)])
    assert [(r["product_ids"], r["person_id"]) for r in out] == [(["a"], "p"), (["a"], "q"), (["b"], "p"), (["b"], "q")]
    assert len({r["look_id"] for r in out}) == 4
    assert out[1]["person"] == {"uri": "/x/q", "sha256": "qqqq", "key": "kq"}
    assert out[1]["garments"] == [{"uri": "/x/a", "sha256": "aaaa", "key": "ka"}]


def test_ids_follow_content_and_order_alone():
    """An id that depends on place, people or URI: the next night would render everything again; or one that does not see
    new bytes, another order or another configuration."""
    id = lambda expand, rows, products=None: looks(expand, rows, products)[0]["look_id"]
    expand, a, b = Expand([source("p")], "h"), source("a"), source("b")
    first = id(expand, [a])
    assert first == id(Expand([source("p", 5), source("q")], "h"), [source("a", 7, uri="s3://elsewhere/a")])
    assert first == id(expand, [named("p", "a")], {"a": a})
    assert first != id(expand, [source("a", sha256="new")])
    assert first != id(Expand([source("p")], "other"), [a])
    assert first != id(Expand([source("p", sha256="new")], "h"), [a])
    assert id(expand, [named("p", "a", "b")], {"a": a, "b": b}) != id(expand, [named("p", "b", "a")], {"a": a, "b": b})


def test_limit_takes_the_first_looks():
    """--limit that takes N products, or another N every time the chunks fall otherwise."""
    people = [source(p) for p in "pqr"]
    everything = [(r["product_ids"][0], r["person_id"]) for r in looks(Expand(people, "h"), [source(g, i) for i, g in enumerate("abcd")])]
    for limit in (1, 3, 5, 100):
        parts = [looks(Expand(people, "h", limit), [source(g, i)]) for i, g in enumerate("abcd")]
        assert [(r["product_ids"][0], r["person_id"]) for part in parts for r in part] == everything[:limit]


def test_unknown_ids_of_a_look_fail_that_look():
    """A typing error in the looks table that stops the run or vanishes."""
    out = looks(Expand([source("p")], "h"), [named("p", "a"), named("nobody", "a"), named("p", "a", "nothing")], {"a": source("a")})
    assert [r["reason"] for r in out] == ["", "unknown_person", "unknown_product"]
    assert "'nobody'" in out[1]["detail"] and "'nothing'" in out[2]["detail"] and out[2]["product_ids"] == ["a", "nothing"]
    assert len({r["look_id"] for r in out}) == 3


def test_looks_that_lack_an_id_keep_a_row_each():
    """Two bad rows of the looks table that become one look: rows out must be rows in."""
    bad = {"reason": "bad_row", "detail": "d"}
    out = looks(Expand([source("p")], "h"), [named("", "a", **bad), named("", "a", **bad | {"position": 1}), named("p", **bad | {"position": 2})],
                {"a": source("a")})
    assert [r["reason"] for r in out] == ["bad_row"] * 3 and len({r["look_id"] for r in out}) == 3


def test_failed_sources_fail_their_looks_alone():
    """A photo of nobody that fails the whole column of looks silently, or without saying whose fault it is."""
    people = [source("p"), source("q", reason="no_person", detail="nobody", sha256="s")]
    out = looks(Expand(people, "h"), [source("a"), source("b", 1, reason="not_found", detail="gone", sha256=None, key=None)])
    assert [r["reason"] for r in out] == ["", "no_person", "not_found", "no_person"]
    assert out[1]["detail"] == "person q: nobody" and out[2]["detail"] == "product b: gone"
    assert len({r["look_id"] for r in out}) == 4


def test_duplicate_ids_keep_a_row_each():
    """Two rows with one id that become one look: rows out must be rows in."""
    again = {"reason": "duplicate_id", "detail": "d", "sha256": None}
    out = looks(Expand([source("p")], "h"), [source("a", 0), source("a", 1, **again), source("a", 2, **again)])
    assert [r["reason"] for r in out] == ["", "duplicate_id", "duplicate_id"] and len({r["look_id"] for r in out}) == 3


def test_carried_columns_reach_the_look():
    """A merchant's own columns that are lost on the way, or of which an outfit keeps only the last."""
    a, b = source("a", carried='{"title": "A", "price": "1"}'), source("b", carried='{"title": "B"}')
    assert json.loads(looks(Expand([source("p")], "h"), [a])[0]["carried"]) == {"title": "A", "price": "1"}
    outfit = looks(Expand([source("p")], "h"), [named("p", "a", "b", carried='{"season": "w"}')], {"a": a, "b": b})[0]
    assert json.loads(outfit["carried"]) == {"title": "A|B", "price": "1", "season": "w"}


def finish(tmp_path, score: float = 0.9, review: str = "", format: str = "webp") -> tuple[dict, np.ndarray, str]:
    """What the last stage and ``result`` make of a generated row, with its picture and the output."""
    out = str(tmp_path / "out")
    config = Config(output=OutputConfig(out=out, format=format), render=RenderConfig(review_below=0.5))
    image = np.random.default_rng(0).integers(0, 256, (40, 30, 3), dtype=np.uint8)
    look = looks(Expand([source("p")], "h"), [source("a")])[0]
    row = look | {"image": image.tobytes(), "height": 40, "width": 30, "score": score, "review": review}
    given = pa.Table.from_pylist([row], Generate.schema)
    return result(Guard(Finish(config, Storage()), "test")(given).to_pylist()[0]), image, out


@pytest.mark.parametrize("format", ["webp", "png"])
def test_picture_in_the_store_is_the_one_that_was_made(tmp_path, format):
    """A picture that lost pixels, lies elsewhere than its row says, or has another hash."""
    row, image, out = finish(tmp_path, format=format)
    data = Storage().read(f"{out}/{row['image_key']}")
    assert row["image_key"] == image_key(row["look_id"], format) and row["sha256"] == hashlib.sha256(data).hexdigest()
    assert (images.decode(data, replace(Config().images, min_side=1)) == image).all()
    assert (row["status"], row["reason"], row["height"], row["width"]) == (OK, "", 40, 30)


def test_doubtful_looks_go_to_review(tmp_path):
    """A low score or an uncertain pose that is published unseen."""
    assert [finish(tmp_path, 0.4)[0][k] for k in ("status", "reason")] == [REVIEW, "low_score"]
    assert [finish(tmp_path, 0.9, "pose_uncertain")[0][k] for k in ("status", "reason")] == [REVIEW, "pose_uncertain"]


def test_failed_row_ends_as_a_failed_result(tmp_path):
    """A failed row that the last stage drops or gives a picture."""
    row = looks(Expand([source("p", reason="no_person", detail="d")], "h"), [source("a")])[0]
    last = Guard(Finish(Config(output=OutputConfig(out=str(tmp_path / "out"))), Storage()), "test")
    row = result(last(pa.Table.from_pylist([row], LOOK)).to_pylist()[0])
    assert (row["status"], row["reason"], row["image_key"]) == (FAILED, "no_person", None) and not (tmp_path / "out").exists()


def test_batch_mates_do_not_matter(shop, small_store):
    """A picture that depends on what lay beside it in its batch or on what its worker has kept from before: the same looks one
    by one, in fours and by the sixteen."""
    ids = {"person": SMALL_PEOPLE, "garment": SMALL_GARMENTS}
    storage = Storage(allow=(str(small_store),))

    def through(size: int, rows: list[dict], *stages: Stage) -> list[dict]:
        for stage in stages:
            guarded = Guard(stage, f"test-{size}")
            parts = [pa.Table.from_pylist(rows[i:i + size]) for i in range(0, len(rows), size)]
            rows = [row for part in parts for row in guarded(part).to_pylist()]
        return rows

    def pictures(size: int) -> dict[str, bytes]:
        out = str(shop[0] / f"out-{size}")
        config = replace(shop[1], output=OutputConfig(out=out))
        rows = {kind: [dict.fromkeys(SOURCE.names, "") | {"position": i, "id": id, "uri": f"{small_store}/{id}.png", "carried": "{}"}
                       for i, id in enumerate(ids[kind])] for kind in ids}
        index = {k: through(size, rows[k], Fetch(config, storage, k, "w"), Analyse(config, storage, k)) for k in ids}
        looks = Expand(index["person"], "h").products(index["garment"])
        done = through(size, looks, Fit(config, storage), Generate(config, storage), Finish(config, storage))
        assert len(done) == SMALL_LOOKS and {row["reason"] for row in done} == {""}
        return {row["look_id"]: storage.read(f"{out}/{row['image_key']}") for row in done}

    assert pictures(1) == pictures(4) == pictures(16)
