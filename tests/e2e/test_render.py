"""jobs/render_catalog.py as a user runs it: a process of its own, a real Ray. On S3 and a cluster: test_submit.py."""

import json
import os
import shutil
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT, SMALL_GARMENTS, SMALL_LOOKS, SMALL_PEOPLE, pictures, render, rows, tables, verify, write_csv

from tryon import images


def report(out: Path) -> dict:
    return json.loads((out / "run.json").read_text())


def times(out: Path) -> dict[str, int]:
    """Key of a picture, small ones too -> when it was written."""
    return {str(p.relative_to(out)): p.stat().st_mtime_ns for top in ("images", "report/thumbs") for p in (out / top).rglob("*") if p.is_file()}


def state(out: Path) -> set[str]:
    """What is kept of sources: analyses, and hashes by URI."""
    return {str(p.relative_to(out)) for top in ("analyses", "sources") for p in (out / "state" / top).rglob("*") if p.is_file()}


def test_sample_store_without_arguments(tmp_path):
    """The first command of the README: a gallery, every row accounted for, each source analysed once; and the second
    night, which must neither analyse, render nor write a picture."""
    first = render(cwd=tmp_path)
    assert first.returncode == 0, first.stdout + first.stderr
    out = tmp_path / "out"
    run = report(out)
    assert run["analyses"] == {"person": 4, "garment": 14}
    assert run["counts"]["planned"] == 56 and run["counts"]["pending"] == 0 and (out / "_SUCCESS").exists()
    found = rows(out)
    assert len(pictures(out)) == run["counts"]["ok"] + run["counts"]["review"] == 56
    assert all(r["title"] for r in found.values()), "carried columns"
    lines = first.stdout.splitlines()
    gallery = Path(lines[-1].removeprefix("gallery: "))
    assert gallery.is_file() and gallery.read_text().count("top-01") >= 4
    assert any("56/56 looks" in line and "looks/s" in line for line in lines), "progress"
    assert verify(out).returncode == 0
    before = times(out)

    # Whatever wants a network on the second night does not get it.
    (tmp_path / "without" / "torch").mkdir(parents=True)
    (tmp_path / "without" / "torch" / "__init__.py").write_text("raise ImportError('a warm run does without')")
    second = render(cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(tmp_path / "without")})
    assert second.returncode == 0, second.stdout + second.stderr
    assert report(out)["analyses"] == {"person": 0, "garment": 0} and report(out)["counts"]["rendered"] == 0
    assert times(out) == before and rows(out) == found
    assert verify(out).returncode == 0


def test_job_renders_what_the_python_face_renders(clean, small_store, tryon):
    """Stages that scale, crop or colour a photo otherwise than TryOn does."""
    found = {(r["person_id"], r["product_ids"][0]): r for r in rows(clean).values()}
    load = lambda name: images.decode((small_store / f"{name}.png").read_bytes())
    for who, id, category in (("clara", "top-02", "upper"), ("amir", "dress-10", "full"), ("edgar", "trousers-07", "lower")):
        row = found[who, id]
        look = tryon.render(tryon.person(load(who)), tryon.garment(load(id), category))
        assert (images.decode((clean / row["image_key"]).read_bytes()) == look.image).all(), (who, id)
        assert row["score"] == pytest.approx(look.score, abs=1e-6)


def test_small_store_is_rendered_whole(clean):
    """A look that is missing, twice there, or whose picture has another size than its photo."""
    found = rows(clean)
    pairs = {(p, g) for p in SMALL_PEOPLE for g in SMALL_GARMENTS}
    assert len(found) == SMALL_LOOKS and {(r["person_id"], r["product_ids"][0]) for r in found.values()} == pairs
    assert {r["status"] for r in found.values()} <= {"ok", "review"}, [(r["product_ids"], r["reason"]) for r in found.values()]
    assert all((r["width"], r["height"], r["attempt"]) == (192, 256, 1) and r["ms_generate"] > 0 for r in found.values())
    assert report(clean)["analyses"] == {"person": len(SMALL_PEOPLE), "garment": len(SMALL_GARMENTS)}
    assert verify(clean).returncode == 0


def png(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds nothing."""
    chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")


BAD = {  # id -> (URI, category, reason)
    "cut-off": ("cut-off.jpg", "upper", "decode_error"),
    "empty": ("empty.jpg", "upper", "decode_error"),
    "web-page": ("web-page.jpg", "upper", "decode_error"),
    "tiny": ("tiny.png", "upper", "decode_error"),
    "bomb": ("bomb.png", "upper", "too_large"),
    "secret": ("file:///etc/passwd", "upper", "uri_denied"),
    "climbing": ("../../../../etc/passwd", "upper", "uri_denied"),
    "metadata": ("http://169.254.169.254/latest", "upper", "uri_denied"),
    "missing": ("missing.jpg", "upper", "not_found"),
    "blank": ("", "upper", "bad_row"),
    "hats": ("top-02.png", "hats", "unknown_category"),
    "bare-table": ("bare-table.png", "upper", "no_garment"),
}


@pytest.fixture
def damaged(small_store, goods, tmp_path) -> Path:
    """A store of twelve bad products and a duplicate of one of them, one person and one photo of nobody."""
    folder = tmp_path / "damaged"
    folder.mkdir()
    for name in ("top-02", "trousers-07", "clara"):
        shutil.copy(small_store / f"{name}.png", folder)
    photo = goods["shirt-04"].photo
    jpeg, grey = images.encode(photo, "jpeg"), images.encode(np.full((256, 192, 3), 128, np.uint8), "png")
    files = {"cut-off.jpg": jpeg[:len(jpeg) // 2], "empty.jpg": b"", "web-page.jpg": b"<html><body>404</body></html>",
             "tiny.png": images.encode(photo[:8, :8], "png"), "bomb.png": png(20000, 20000), "bare-table.png": grey, "wall.png": grey}
    for name, data in files.items():
        (folder / name).write_bytes(data)
    write_csv(folder / "catalog.csv", [*map(product, BAD), product("missing")])
    write_csv(folder / "people.csv", [{"person_id": id, "person_uri": f"{id}.png"} for id in ("clara", "wall")])
    return folder


def product(id: str) -> dict:
    """The catalogue row of a bad product, or of a good one."""
    uri, category, _ = BAD.get(id, (f"{id}.png", "", ""))
    return {"product_id": id, "garment_uri": uri, "category": category}


def test_bad_rows_cost_themselves_alone_and_are_retried_on_demand(damaged, tmp_path):
    """A night in which everything failed and the exit status is 0; then one damaged source that stops the run, vanishes or
    is told with the wrong reason, and failures that --retry-failed does not try again."""
    out = tmp_path / "out"
    why = lambda r: r["reason"] if r["status"] == "failed" else ""
    ended = lambda who: sorted((r["product_ids"][0], why(r)) for r in rows(out).values() if r["person_id"] == who)
    bad = [*((id, reason) for id, (_, _, reason) in BAD.items()), ("missing", "duplicate_id")]

    done = render(*tables(damaged), "--out", out)
    assert done.returncode == 1 and "decode_error" in done.stdout, done.stdout + done.stderr
    assert ended("clara") == sorted(bad) and len(rows(out)) == 2 * len(bad) == report(out)["counts"]["failed"]
    assert all(r["detail"] and not r["image_key"] and r["attempt"] == 1 for r in rows(out).values()) and not pictures(out)
    told = [json.loads(line) for file in (out / "failures").iterdir() for line in file.read_text().splitlines()]
    assert {t["look_id"] for t in told} == set(rows(out)) and verify(out).returncode == 0

    write_csv(damaged / "catalog.csv", [*map(product, BAD), product("missing"), product("top-02"), product("trousers-07")])
    again = render(*tables(damaged), "--out", out, "--retry-failed")
    assert again.returncode == 0, again.stdout + again.stderr
    assert ended("clara") == sorted([*bad, ("top-02", ""), ("trousers-07", "")])
    assert {("top-02", "no_person"), ("trousers-07", "no_person")} < set(ended("wall")) and "" not in dict(ended("wall")).values()
    assert {r["attempt"] for r in rows(out).values() if r["product_ids"][0] in BAD} == {2} and len(pictures(out)) == 2
    assert report(out)["counts"]["rendered"] == 2 * len(bad) + 4 and verify(out).returncode == 0 and (out / "_SUCCESS").exists()


def test_named_looks_size_format_and_a_changing_plan(small_store, tmp_path):
    """Outfits, --size and --format; then a plan that moves on: looks that left it are kept, listed, taken back without
    work when they return, and deleted by --prune, with the small pictures and analyses of what is gone."""
    out, folder = tmp_path / "out", tmp_path / "shop"
    shutil.copytree(small_store, folder)
    looks = [{"person_id": "clara", "product_ids": "trousers-07|shirt-04|hat-13"}, {"person_id": "amir", "product_ids": "shirt-04"},
             {"person_id": "nobody", "product_ids": "shirt-04"}, {"person_id": "clara", "product_ids": "shirt-04|nothing"},
             {"person_id": "amir", "product_ids": "shirt-04"}]
    named = "--looks", write_csv(folder / "looks.csv", looks)
    common = *tables(folder), "--out", out, "--size", "384x512", "--format", "png"
    done = render(*common, *named)
    assert done.returncode == 0, done.stdout + done.stderr
    found = {(r["person_id"], "|".join(r["product_ids"])): r for r in rows(out).values()}
    assert len(found) == 4 == report(out)["counts"]["planned"]
    assert found["nobody", "shirt-04"]["reason"] == "unknown_person" and found["clara", "shirt-04|nothing"]["reason"] == "unknown_product"
    assert report(out)["analyses"] == {"person": 2, "garment": 3}, "only what the looks use"
    for key in (("clara", "trousers-07|shirt-04|hat-13"), ("amir", "shirt-04")):
        row = found[key]
        assert row["status"] in ("ok", "review") and row["image_key"].endswith(".png") and (row["width"], row["height"]) == (384, 512)
        assert images.sniff((out / row["image_key"]).read_bytes()) == ("png", 384, 512)
    outfits, kept = times(out), state(out)
    assert len(kept) == 2 * 5

    limited = render(*common, "--limit", 2)
    assert limited.returncode == 0, limited.stdout + limited.stderr
    assert len(rows(out)) == 2 == report(out)["counts"]["planned"]
    assert report(out)["counts"]["superseded"] == 4 and "--prune" in limited.stdout
    assert outfits.items() <= times(out).items() and verify(out).returncode == 0

    pruned = render(*common, *named, "--prune")
    assert pruned.returncode == 0, pruned.stdout + pruned.stderr
    assert report(out)["counts"]["rendered"] == 0 and report(out)["counts"]["superseded"] == 0
    assert times(out) == outfits and state(out) == kept
    assert {(r["person_id"], "|".join(r["product_ids"])) for r in rows(out).values()} == set(found)
    assert verify(out).returncode == 0


@pytest.mark.parametrize("args, message", [
    (("--catalog", "{store}/none.csv", "--people", "{store}/people.csv"), "there is no such table"),
    (("--catalog", "{store}/people.csv", "--people", "{store}/people.csv"), "column product_id and garment_uri missing"),
    (("--catalog", "{store}/catalog.csv"), "--catalog without --people"),
    (("--catalog", "s3://no-such-bucket-here/c.csv", "--people", "{store}/people.csv"), "no-such-bucket-here"),
    (("--generate.speed", "fast"), "unknown argument '--generate.speed'"),
    (("--size", "large"), "'large' is no size"),
    (("--render.generator", "vae", "--weights.folder", "{some}"), "no weights of vae in"),
])
def test_bad_input_is_one_clear_line(small_store, tmp_path, s3_server, args, message):
    """A traceback, a silent success or minutes of work before bad usage is told."""
    some = tmp_path / "weights"
    some.mkdir()
    for name in ("parser", "pose", "garment", "warp", "limb"):
        (some / f"{name}.safetensors").symlink_to(ROOT / "tryon" / "weights" / f"{name}.safetensors")
    done = render(*(a.format(store=small_store, some=some) for a in args), "--out", tmp_path / "out")
    assert done.returncode == 2 and message in done.stderr and "Traceback" not in done.stderr, done.stderr
    assert len(done.stderr.strip().splitlines()) == 1 and not list(tmp_path.rglob("*.parquet"))


def test_dry_run_writes_nothing(small_store, tmp_path):
    """--dry-run that renders, plans another number of looks, or does not tell of a bad row."""
    named = write_csv(tmp_path / "looks.csv", [{"person_id": "clara", "product_ids": "top-02"}, {"person_id": "", "product_ids": "top-02"}])
    for more, told in (((), f"{SMALL_LOOKS} looks planned"), (("--looks", named), "2 looks planned"), (("--looks", named), "looks: row 2 has an empty")):
        done = render(*tables(small_store), *more, "--out", tmp_path / "out", "--dry-run")
        assert done.returncode == 0 and told in done.stdout, done.stdout + done.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["looks.csv"]
