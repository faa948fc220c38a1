"""The package's own garment network against outlines traced by hand (tests/data/garment_polygons, LabelMe; photos of the test split of the
Clothing dataset, which are not part of the repository: without ../shared/data these tests are skipped)."""

import json
import tarfile
from pathlib import Path

import cv2
import numpy as np
import pytest
from conftest import ROOT

from tryon.garment import upright

POLYGONS = sorted((ROOT / "tests" / "data" / "garment_polygons").glob("*.json"))
PHOTOS = ROOT.parent / "shared" / "data" / "garments.tar"


def traced(label: dict) -> np.ndarray:
    """Bool HxW of a traced garment; points are (x, y) with pixel centres at whole numbers."""
    mask = np.zeros((label["imageHeight"], label["imageWidth"]), np.uint8)
    for value, name in ((1, "garment"), (0, "hole")):
        for shape in label["shapes"]:
            if shape["label"] == name:
                cv2.fillPoly(mask, [np.rint(np.array(shape["points"]) * 16).astype(np.int32)], value, cv2.LINE_8, 4)
    return mask > 0


def test_outlines_are_whole():
    """A polygon without a photo's size, out of its picture, or of nothing."""
    assert len(POLYGONS) >= 60
    for path in POLYGONS:
        label = json.loads(path.read_text())
        assert label["imageData"] is None and label["flags"]["ground"] in ("plain", "arbitrary") and label["imagePath"] == path.stem + ".jpg"
        assert 0.03 < traced(label).mean() < 0.95, path.name


@pytest.mark.skipif(not PHOTOS.exists(), reason="needs ../shared/data/garments.tar")
def test_masks_agree_with_the_hand_traced(tryon):
    """Masks that only agree with the masks the network was taught by: mean IoU over the pictures, by ground."""
    wanted, ious = {f"{p.stem}.jpg": json.loads(p.read_text()) for p in POLYGONS}, {"plain": [], "arbitrary": []}
    with tarfile.open(PHOTOS) as tar:
        for member in tar:
            label = wanted.get(Path(member.name).name)
            if label is None:
                continue
            photo = cv2.cvtColor(cv2.imdecode(np.frombuffer(tar.extractfile(member).read(), np.uint8), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
            garment = tryon.garment(photo)
            truth, found = upright(traced(label), garment.turned), garment.mask > 0
            ious[label["flags"]["ground"]].append((truth & found).sum() / (truth | found).sum())
    print({k: (len(v), round(float(np.mean(v)), 4), round(float(np.min(v)), 4)) for k, v in ious.items()})
    assert sum(map(len, ious.values())) == len(wanted)
    assert np.mean(ious["plain"]) > 0.93 and np.mean(ious["arbitrary"]) > 0.85
