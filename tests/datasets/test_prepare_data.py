"""jobs/prepare_data.py and tryon/datasets/formats.py: a data set of files becomes shards, locally and on S3."""

import json

import handmade
import numpy as np
import pytest

from jobs.prepare_data import main
from tryon import schema as S
from tryon.datasets import shards
from tryon.datasets.formats import FORMATS
from tryon.storage import Storage

W, H = 30, 40


def labelme(n: int) -> dict:
    """n photos in the shape of LabelMe, each with an upper garment; every fourth also with a skirt."""
    shape = lambda label, y: {"label": label, "points": [[5, y], [25, y + 12]], "shape_type": "rectangle"}  # noqa: E731
    files = {}
    for i in range(n):
        shapes = [shape("Top", 5)] + [shape("skirt", 20)] * (i % 4 == 0)
        files |= {f"{i:03d}.json": {"shapes": shapes, "imagePath": f"{i:03d}.png", "imageHeight": H, "imageWidth": W},
                  f"{i:03d}.png": handmade.photo(W, H, i, "PNG")}  # fmt: skip
    return files


def contents(root) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


@pytest.fixture
def store(tmp_path):
    """A data set of 40 good photos and three bad ones, and its mapping."""
    bad = {"bad1.json": "{", "bad2.json": {"shapes": [], "imagePath": "none.png"}, "bad3.json": {"shapes": [], "imagePath": "bad3.png"},
           "bad3.png": b"<html>"}
    handmade.write(tmp_path, {f"set/{n}": c for n, c in (labelme(40) | bad).items()} | {"labels.json": {"Top": "upper"}})
    return tmp_path


def run(store, out="out", *more, data=None) -> int:
    out = out if "://" in out else f"{store}/{out}"
    labels = f"{store}/labels.json"
    return main(["--format", "labelme", "--data", data or f"{store}/set", "--out", out, "--labels", labels, *map(str, more)])


def test_every_sample_is_in_a_shard_or_in_the_list_of_those_left_out(store, capsys):
    """Samples that vanish; bad ones that end the run; a photo that was encoded again and lost by it."""
    assert run(store, "out", "--shard-rows", 8) == 0
    samples = {s.id: s for s in shards.read(f"{store}/out")}
    left_out = [json.loads(line) for line in (store / "out/rejected.jsonl").read_text().splitlines()]
    assert sorted(samples) == [f"{i:03d}" for i in range(40)]
    assert {r["id"]: r["reason"] for r in left_out} == {"bad1": "bad_annotation", "bad2": "not_found", "bad3": "decode_error"}
    assert samples["004"].photo == (store / "set/004.png").read_bytes() and samples["004"].parse[30, 10] == S.LOWER
    report = json.loads((store / "out/statistics.json").read_text())
    assert sum(report["samples"].values()) == 40 == sum(report["shards"].values()) and report["rejected"]["decode_error"] == 1
    assert all(s.split == key.split("/")[0] for key in report["shards"] for s in shards.read(f"{store}/out", (key.split("/")[0],)))
    text = capsys.readouterr().out
    assert "40 samples in" in text and "3 left out" in text and "left" in text and "left out, not_found: 1" in text


def test_a_second_run_writes_the_same_bytes_whatever_the_threads(store):
    """A set that grows, or is dealt out anew, with every run."""
    run(store, "out", "--threads", 1, "--shard-rows", 7)
    first = contents(store / "out")
    run(store, "out", "--threads", 8, "--shard-rows", 7)
    assert contents(store / "out") == first


def test_keep_curates_within_the_splits_and_counts_what_it_leaves_out(store, capsys):
    """Copies of one photo that fill a set; rare skirts lost; a sample of the test split in training."""
    for i in range(40, 50):
        (store / f"set/{i:03d}.png").write_bytes((store / "set/001.png").read_bytes())
        (store / f"set/{i:03d}.json").write_text((store / "set/001.json").read_text().replace("001.png", f"{i:03d}.png"))
    run(store, "all")
    assert run(store, "kept", "--keep", 20) == 0
    assert "near-duplicate in train" in capsys.readouterr().out
    everything = {s.id: s.split for s in shards.read(f"{store}/all")}
    kept = list(shards.read(f"{store}/kept"))
    assert len(kept) == 20 and all(everything[s.id] == s.split for s in kept)
    assert sum(int(s.id) > 39 or s.id == "001" for s in kept) <= 3  # of eleven copies one per split
    assert sum((s.parse == S.LOWER).any() for s in kept) >= 7  # of ten
    reasons = json.loads((store / "kept/statistics.json").read_text())["rejected"]
    assert reasons["near_duplicate"] >= 8 and reasons["near_duplicate"] + reasons["surplus"] == 30 and reasons["not_found"] == 1


def test_s3_in_and_out_gives_the_same_bytes_as_local(store, s3_bucket):
    """A reader that works on paths only; a listing in another order; shards that differ by where they lie."""
    storage, root = Storage(), f"s3://{s3_bucket}"
    for path in sorted((store / "set").iterdir())[20:]:  # the rest is enough, the bad ones included
        storage.write(f"{root}/set/{path.name}", path.read_bytes())
    for path in sorted((store / "set").iterdir())[:20]:
        path.unlink()
    assert run(store, f"{root}/out", "--shard-rows", 8, data=f"{root}/set") == 0
    run(store, "out", "--shard-rows", 8)
    local = contents(store / "out")
    remote = {uri.removeprefix(f"{root}/out/"): storage.read(uri) for uri, _ in storage.list(f"{root}/out")}
    assert {k for k in local if k.endswith("parquet")} == {k for k in remote if k.endswith("parquet")}
    assert all(remote[k] == v for k, v in local.items() if k.endswith("parquet"))
    assert [s.id for s in shards.read(f"{root}/out")] == [s.id for s in shards.read(f"{store}/out")]


@pytest.mark.parametrize(("arguments", "words"), [
    (["--data", "{0}/none"], ["none", "LabelMe"]), (["--labels", "{0}/none.json"], ["none.json"]),
    (["--labels", "{0}/empty.json"], ["'Top'", "--labels"]),
    (["--out", "{0}/set/shards"], ["--out", "folder of their own"]), (["--format", "viton"], ["train_pairs.txt"]), (["--data", "ftp://x/y"], ["ftp"]),
])  # fmt: skip
def test_what_cannot_be_used_is_one_line_and_status_2(store, capsys, arguments, words):
    """A traceback; shards written beside the photos they are made of; an empty set with status 0."""
    handmade.write(store, {"empty.json": {}})
    assert run(store, "out", *(a.format(store) for a in arguments)) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ") and error.count("\n") == 1 and all(w in error for w in words)
    assert not (store / "out/statistics.json").exists()


@pytest.mark.parametrize("arguments", [["--keep", "0"], ["--keep", "x"], ["--format", "voc"], ["--labelset", "lip"]])
def test_bad_usage_is_status_2(store, arguments):
    """A --keep 0 that keeps all, or nothing."""
    with pytest.raises(SystemExit) as e:
        run(store, "out", *arguments)
    assert e.value.code == 2


def test_a_set_without_a_good_sample_is_status_1(tmp_path):
    """A night's run that ends green with nothing in it."""
    handmade.write(tmp_path, {"set/a.json": "{", "labels.json": {}})
    assert run(tmp_path) == 1


def test_limit_reads_the_first_samples_only(store):
    """A quick look that takes hours."""
    assert run(store, "out", "--limit", 5) == 0 and len(list(shards.read(f"{store}/out"))) == 5


def test_every_format_of_the_issue_is_there():
    """A reader nobody can call."""
    assert set(FORMATS) == {"viton", "viton-hd", "dresscode", "deepfashion2", "coco", "mpii", "ccp", "labelme", "supervisely", "ccp-corrected", "clothing", "catalogue"}


def test_parse_maps_of_another_label_set_are_read_by_its_name(tmp_path):
    """VITON photos parsed with ACGPN's labels, read as LIP's."""
    rows = np.full((H, W), 7)  # ACGPN: noise, a part of the upper garment; LIP: coat
    handmade.write(tmp_path, {
        "set/train_pairs.txt": "1_0.jpg 1_1.jpg", "set/train/image-parse/1_0.png": handmade.palette(rows),
        "set/train/pose/1_0_keypoints.json": {"people": []},
        **{f"set/train/{n}.jpg": handmade.photo(W, H) for n in ("image/1_0", "cloth/1_1", "cloth-mask/1_1")}})  # fmt: skip
    for more, cls in (((), S.OUTER), (("--label-set", "acgpn"), S.UPPER)):
        assert main(["--format", "viton", "--data", f"{tmp_path}/set", "--out", f"{tmp_path}/out", *more]) == 0
        assert (next(shards.read(f"{tmp_path}/out")).parse == cls).all()
