"""jobs/evaluate.py on drawn data sets, as a user runs it but in this process."""

import importlib.util
import json
import os
import signal
import subprocess
import sys

import cv2
import numpy as np
import pytest
import torch
from conftest import ROOT

from tryon.models import weights
from tryon.models.digest import FOLDER
from tryon.sample import draw_garment

sys.path.insert(0, str(ROOT / "tests" / "training"))
import drawn  # noqa: E402

spec = importlib.util.spec_from_file_location("evaluate_job", ROOT / "jobs" / "evaluate.py")
job = importlib.util.module_from_spec(spec)
spec.loader.exec_module(job)


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    return drawn.ccp(tmp_path_factory.mktemp("people") / "ccp", train=2, val=2, size=(384, 288))


def evaluate(capsys, *args) -> tuple[int, dict | None, str]:
    status = job.main([str(a) for a in args])
    said = capsys.readouterr()
    out = args[args.index("--out") + 1]
    return status, json.loads(out.read_text()) if out.exists() else None, said.out + said.err


def test_parser(people, tmp_path, capsys):
    """A report without definitions, a figure out of range, a sheet that is not there."""
    status, report, said = evaluate(capsys, "parser", "--data", people, "--format", "ccp", "--split", "val", "--out", tmp_path / "r.json")
    assert status == 0 and report["split"] == "val" and report["samples"] == 2
    strata = report["strata"]
    assert strata["all photos"]["pictures"] == 2 and strata["half-body crop"]["pictures"] == 2 and strata["full body"]["pictures"] == 2
    assert 0.3 < strata["all photos"]["clothed"] <= 1 and strata["all photos"]["merged"]["background"] > 0.8
    assert set(strata["all photos"]["classes"]) > {"left_arm", "upper"} and "miou" in report["definitions"]
    assert report["confidence"]["negatives"] == 40 and report["confidence"]["auc_present"] > 0.9
    assert cv2.imread(str(tmp_path / "r.png")).shape[1] > 400
    assert "half-body crop" in said and "miou" in said and f"{strata['all photos']['miou']:.4f}" in said


def test_pose_of_all_splits(people, tmp_path, capsys):
    status, report, said = evaluate(capsys, "pose", "--data", people, "--format", "ccp", "--split", "all", "--out", tmp_path / "r.json")
    whole = report["strata"]["all photos"]
    assert status == 0 and report["samples"] == 4 and whole["judged"] == 4
    assert 0.5 < whole["pck"] <= 1 and 0.2 < whole["oks_ap"] <= 1 and set(whole["joints"]) > {"left_wrist", "nose"}
    assert report["strata"]["half-body crop"]["invented"] is not None


@pytest.fixture(scope="module")
def outlines(tmp_path_factory):
    """Two product photos in a folder of their own, and their outlines as LabelMe keeps them."""
    root = tmp_path_factory.mktemp("traced")
    (root / "photos").mkdir()
    (root / "json").mkdir()
    for n, kind in enumerate(("top", "trousers")):
        garment = draw_garment(np.random.default_rng(n), (384, 320), kind)
        cv2.imwrite(str(root / "photos" / f"{kind}.png"), garment.image[..., ::-1])
        outline = max(cv2.findContours(garment.mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0], key=cv2.contourArea)[:, 0].astype(float)
        (root / "json" / f"{kind}.json").write_text(json.dumps({
            "version": "5.5.0", "flags": {}, "imagePath": f"{kind}.png", "imageData": None, "imageHeight": 384, "imageWidth": 320,
            "shapes": [{"label": "garment", "points": outline.tolist(), "group_id": None, "shape_type": "polygon", "flags": {}}]}))
    return root


def test_garment_masks_against_outlines(outlines, tmp_path, capsys):
    args = "garment", "--data", outlines / "json", "--format", "labelme", "--photos", outlines / "photos", "--out", tmp_path / "r.json"
    status, report, said = evaluate(capsys, *args)
    assert status == 0 and report["split"] == "all"
    assert report["strata"]["all photos"]["masks"] == 2 and report["strata"]["all photos"]["iou"] > 0.85
    assert report["strata"]["all photos"]["kind"] is None  # an outline tells none


def test_kinds_of_the_clothing_data_set(tmp_path, capsys):
    data = drawn.garments(tmp_path / "clothing", train=2, val=1, size=(256, 224))
    status, report, _ = evaluate(capsys, "garment", "--data", data, "--format", "clothing", "--split", "all", "--out", tmp_path / "r.json")
    assert status == 0 and report["strata"]["all photos"]["masks"] == 0 and report["strata"]["all photos"]["kind"] is not None


@pytest.mark.parametrize(("change", "status", "words"), [
    ({"--split": "test"}, 1, "nothing to judge"),  # the drawn set has no test photos
    ({"--data": "/nowhere"}, 2, "there is nothing in /nowhere"),
    ({"--out": "report.txt"}, 2, ".json"),
    ({"--weights": "/nowhere"}, 2, "no weights at /nowhere"),
])
def test_bad_usage_is_told(people, tmp_path, capsys, monkeypatch, change, status, words):
    monkeypatch.chdir(tmp_path)
    options = {"--data": people, "--format": "ccp", "--split": "val", "--out": "r.json"} | change
    assert job.main(["parser", *(str(x) for pair in options.items() for x in pair)]) == status
    assert words in capsys.readouterr().err


def test_looks_of_self_made_pairs(tmp_path, capsys):
    """Figures without their floor, pixels changed outside the edit mask, a cycle that was not made, sheets that are not there."""
    data = drawn.ccp(tmp_path / "ccp", train=0, val=10, size=(384, 288))
    status, report, said = evaluate(capsys, "look", "--data", data, "--format", "ccp", "--split", "val", "--out", tmp_path / "r.json")
    assert status == 0 and report["strata"].keys() >= {"all pairs", "photo", "half-body crop"}
    figures = report["strata"]["all pairs"]
    assert figures["pairs"] == len(report["rows"]) >= 4 and figures["changed_outside"] == 0 and figures["refused"] < figures["pairs"]
    assert 0.2 < figures["overlay"] <= 1 and 0.5 < figures["ssim"] <= 1 and 0 < figures["edit"] < 0.6
    assert figures["cycle_overlay"] + figures["cycle_drop"] == pytest.approx(
        np.mean([r["overlay"] for r in report["rows"] if r["cycle_overlay"]]), abs=0.2)
    assert figures["fid_parser_paired"] >= 0 and figures["fid_parser_unpaired"] >= 0 and "floor_edit" in report["definitions"]["ssim_edit"]
    for name in ("best", "median", "worst"):
        assert cv2.imread(str(tmp_path / f"r.{name}.png")) is not None
    assert not any(k.startswith("FID") for k in figures)  # no Inception was given


def test_looks_of_another_generator(tmp_path, capsys):
    """--generator that is not listened to: no network may be asked for, and the figures must be others."""
    data = drawn.ccp(tmp_path / "ccp", train=0, val=7, size=(384, 288))
    (tmp_path / "weights").mkdir()
    for name in ("parser", "pose", "garment", "warp"):
        (tmp_path / "weights" / f"{name}.safetensors").symlink_to(FOLDER / f"{name}.safetensors")
    args = "look", "--data", data, "--format", "ccp", "--split", "val"
    none, cgan = (evaluate(capsys, *args, *more, "--out", tmp_path / "r.json")[1] for more in (("--generator", "none", "--weights", tmp_path / "weights"), ()))
    assert none["strata"]["all pairs"]["overlay"] == cgan["strata"]["all pairs"]["overlay"]
    assert none["strata"]["all pairs"]["ssim_edit"] != cgan["strata"]["all pairs"]["ssim_edit"]
    assert evaluate(capsys, *args, "--generator", "cgan", "--weights", tmp_path / "weights", "--out", tmp_path / "s.json")[0] == 2


def test_compare_goes_on_where_it_stopped(tmp_path, capsys):
    """Rows that are trained or judged again, with another result; rows of two budgets in one table; a row that is judged with the weights of
    another; a table without definitions."""
    data, out = drawn.ccp(tmp_path / "ccp", train=0, val=7, size=(384, 288)), tmp_path / "out"
    for n, (row, network) in enumerate((("cgan", "generator"), ("vae", "vae"), ("gmm-only", "gmm"))):  # as a kill after their training leaves them
        (out / row).mkdir(parents=True)
        torch.manual_seed(n)
        weights.save(weights.NETWORKS[network]().state_dict(), network, {"trained_minutes": n + 0.5}, out / row)
    command = "compare", "--data", data, "--split", "val", "--steps", "3", "--out", out, "--rows"

    def compare(*rows: str) -> tuple[int, str]:
        status = job.main([str(a) for a in (*command, *rows)])
        return status, "".join(capsys.readouterr())

    assert compare("cgan")[0] == 0
    first = {p.name: p.read_bytes() for p in (out / "cgan").iterdir()}
    assert first.keys() == {"generator.safetensors", "generator.json", "row.json", "given.png", "looks.png"}  # no training was started
    (out / "cgan" / "generator.safetensors").write_bytes(b"no weights any more")
    status, said = compare("cgan", "vae", "gmm-only")
    assert status == 0 and "training:" not in said, said
    assert {p.name: p.read_bytes() for p in (out / "cgan").iterdir()} == first | {"generator.safetensors": b"no weights any more"}

    report = json.loads((out / "compare.json").read_text())
    lines = [line.split(" | ") for line in said.splitlines() if line.startswith("|")]
    assert [line[0].strip("| ") for line in lines] == ["", "---", "cgan", "vae", "gmm-only"] == ["", "---", *report["rows"]]
    figures = {name: row["look"]["strata"]["all pairs"] for name, row in report["rows"].items()}
    for line in lines[2:]:
        row = dict(zip((head.strip("| ") for head in lines[0]), (cell.strip("| ") for cell in line)))
        assert row["ssim_edit"] == f"{figures[row['']]['ssim_edit']:.4f}" and row["pairs"] == str(figures[row[""]]["pairs"]) and row["changed_outside"] == "0"
        assert row["minutes"] == str(report["rows"][row[""]]["minutes"])
    assert figures["cgan"]["overlay"] == figures["vae"]["overlay"] != figures["gmm-only"]["overlay"]
    assert len({f["ssim_edit"] for f in figures.values()}) == 3 and {"ssim_edit", "rows", "gmm-only"} <= set(report["definitions"])
    picture = cv2.imread(str(out / "compare.png"))
    pairs = figures["cgan"]["pairs"]
    assert picture.shape[0] >= 2 * 256 * min(pairs, 4) and picture.shape[1] >= 4 * 192

    (out / "vae" / "row.json").unlink()
    again = compare("cgan", "vae", "gmm-only")
    assert again == (0, again[1]) and json.loads((out / "compare.json").read_text()) == report
    status, said = compare("cgan", "--steps", "4")
    assert status == 2 and "other settings" in said


def test_compare_trains_what_is_not_trained(tmp_path):
    """A training that goes on behind the back of a command that was stopped, and then holds its folder against the next one; a row trained
    with another budget, or with other options, than it says."""
    data, out = drawn.ccp(tmp_path / "ccp", train=6, val=4, size=(384, 288)), tmp_path / "out"
    command = [sys.executable, str(ROOT / "jobs" / "evaluate.py"), "compare", "--data", data, "--split", "val", "--steps", "2", "--batch-size", "2",
               "--limit", "1", "--rows", "cgan-no-attention", "--out", str(out)]
    given = {"env": os.environ | {"RAY_TRAIN_HEALTH_CHECK_INTERVAL_S": "0.1", "RAY_TRAIN_ENABLE_PREEMPTION_WATCHER": "0"}, "text": True}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **given) as process:
        for line in process.stdout:
            if line.startswith("training:"):
                process.send_signal(signal.SIGTERM)
    assert process.wait() == 1
    done = subprocess.run(command, capture_output=True, timeout=240, **given)
    assert done.returncode == 0, done.stdout + done.stderr
    row = json.loads((out / "compare.json").read_text())["rows"]["cgan-no-attention"]
    config = json.loads((out / "cgan-no-attention" / "config.json").read_text())
    assert (config["steps"], config["batch_size"], config["lr"]) == (2, 2, 5e-4) and row["card"]["steps"] == 2 and row["look"]["split"] == "val"
    network, x = weights.load("generator", out / "cgan-no-attention"), torch.randn(1, 192, 4, 3)
    assert torch.equal(network.middle[0](x), x) and (out / "cgan-no-attention" / "samples" / "step-000002.png").exists()


def test_a_vitonhd_layout_is_judged_by_its_pairs_file(tmp_path, capsys):
    """A pairs file that is read from the set and not from where it was given; a shop photo taken for the person's."""
    from tryon import schema as S
    from tryon.datasets import openpose
    from tryon.sample import draw_person

    part = tmp_path / "set" / "test"
    for folder in ("image", "cloth", "cloth-mask", "image-parse-v3", "openpose_json"):
        (part / folder).mkdir(parents=True)
    ids = np.zeros(len(S.PARSE_CLASSES), np.uint8)
    for ours, theirs in ((S.HAIR, 2), (S.FACE, 13), (S.NECK, 10), (S.UPPER, 5), (S.OUTER, 7), (S.FULL, 6), (S.LOWER, 9), (S.LEFT_ARM, 14), (S.RIGHT_ARM, 15),
                         (S.LEFT_LEG, 16), (S.RIGHT_LEG, 17), (S.SHOES, 18), (S.HEADWEAR, 1)):
        ids[ours] = theirs
    for n in range(2):
        person, product = draw_person(np.random.default_rng(n), (512, 384), "half"), draw_garment(np.random.default_rng(n), (512, 384), "top")
        name = f"{n:05}_00"
        cv2.imwrite(str(part / "image" / f"{name}.jpg"), person.image[..., ::-1])
        cv2.imwrite(str(part / "cloth" / f"{name}.jpg"), product.image[..., ::-1])
        cv2.imwrite(str(part / "cloth-mask" / f"{name}.jpg"), product.mask)
        cv2.imwrite(str(part / "image-parse-v3" / f"{name}.png"), ids[person.parse])
        (part / "openpose_json" / f"{name}_keypoints.json").write_bytes(openpose.dumps(person.pose, 25))
    (tmp_path / "pairs.txt").write_text("00001_00.jpg 00001_00.jpg\n")
    status, report, said = evaluate(capsys, "look", "--data", tmp_path / "set", "--format", "viton-hd", "--pairs", tmp_path / "pairs.txt",
                                    "--out", tmp_path / "r.json")  # fmt: skip
    assert status == 0, said
    assert [r["id"] for r in report["rows"]] == ["test/00001_00"] and report["strata"]["all pairs"]["changed_outside"] == 0
    assert report["rows"][0]["overlay"] > 0.2
