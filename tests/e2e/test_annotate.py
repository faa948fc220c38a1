"""jobs/annotate.py as a subprocess on a real Ray, and back through the LabelMe reader."""

import json
import subprocess
import sys

import cv2
import numpy as np
from conftest import ROOT

from tryon import schema as S
from tryon.datasets import labelme, openpose
from tryon.datasets.source import Source
from tryon.sample import draw_garment, draw_person


def annotate(kind, data, out):
    return subprocess.run([sys.executable, str(ROOT / "jobs" / "annotate.py"), kind, "--data", str(data), "--out", str(out)],
                          capture_output=True, text=True, timeout=300)  # fmt: skip


def test_people_are_annotated_and_read_back(tmp_path):
    """A parse map that LabelMe's reader cannot read, a pose OpenPose's cannot, a bad photo that ends the job."""
    (tmp_path / "data" / "shop").mkdir(parents=True)
    person = draw_person(np.random.default_rng(3), (512, 384), "full")
    cv2.imwrite(str(tmp_path / "data" / "shop" / "a.jpg"), person.image[..., ::-1])
    (tmp_path / "data" / "b.jpg").write_bytes(b"no picture")
    done = annotate("people", tmp_path / "data", tmp_path / "out")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 of 2 photos annotated" in done.stdout and "b: decode_error" in done.stdout
    rows = [json.loads(line) for line in (tmp_path / "out" / "found.jsonl").read_text().splitlines()]
    assert [(r["id"], r["reason"]) for r in rows] == [("b", "decode_error"), ("shop/a", None)] and 0.5 < rows[1]["confidence"] <= 1
    parse = cv2.imread(str(tmp_path / "out" / "parse" / "shop" / "a.png"), cv2.IMREAD_UNCHANGED)
    pose = openpose.loads((tmp_path / "out" / "pose" / "shop" / "a_keypoints.json").read_bytes(), "a")
    assert parse.shape == (512, 384) and (parse == person.parse).mean() > 0.8
    found, truth = pose[0], person.pose[0]
    both = (found[:, 2] > 0) & (truth[:, 2] > 0)
    assert both.sum() > 10 and np.median(np.linalg.norm(found[both, :2] - truth[both, :2], axis=1)) < 15
    entry, = labelme.entries(Source.at(str(tmp_path / "out" / "labelme"), allow=(str(tmp_path / "data"),)))
    sample = entry.load()
    assert (sample.parse == parse).mean() > 0.98 and np.allclose(sample.poses[0, both, :2], found[both, :2], atol=1)


def test_garments_are_annotated(tmp_path):
    (tmp_path / "data").mkdir()
    garment = draw_garment(np.random.default_rng(0), (384, 320), "top")
    cv2.imwrite(str(tmp_path / "data" / "top.png"), garment.image[..., ::-1])
    done = annotate("garments", tmp_path / "data", tmp_path / "out")
    assert done.returncode == 0, done.stdout + done.stderr
    row = json.loads((tmp_path / "out" / "found.jsonl").read_text())
    mask = cv2.imread(str(tmp_path / "out" / "mask" / "top.png"), cv2.IMREAD_UNCHANGED) > 127
    assert (mask & (garment.mask > 0)).sum() / (mask | (garment.mask > 0)).sum() > 0.9
    assert row["category"] == "upper" and set(json.loads(row["landmarks"])) <= set(S.LANDMARKS)
    entry, = labelme.entries(Source.at(str(tmp_path / "out" / "labelme"), allow=(str(tmp_path / "data"),)))
    read = entry.load().garments[0]
    assert ((read.mask > 0) == mask).mean() > 0.98 and read.landmarks.keys() == json.loads(row["landmarks"]).keys()
