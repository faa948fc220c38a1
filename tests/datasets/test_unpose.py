"""tryon/datasets/unpose.py on drawn people, whose sleeves and skeleton are known."""

import cv2
import numpy as np
import pytest

from tryon import schema as S
from tryon.datasets.articulate import LEFT, RIGHT, TORSO
from tryon.datasets.unpose import bones, unpose
from tryon.sample import draw_person


@pytest.fixture(scope="module")
def dressed():
    """Drawn people in a top whose sleeves show."""
    people = [draw_person(np.random.default_rng(i), (512, 384), "full") for i in range(12)]
    return [p for p in people if (p.parse == S.UPPER).mean() > 0.04]


def test_sleeves_swing_out_to_their_own_sides(dressed):
    """Left and right swapped; a picture that is not of the garment; a mask of another size."""
    whole = 0
    for n, p in enumerate(dressed):
        flat = unpose(p.image, p.parse == S.UPPER, p.pose[0], np.random.default_rng(n))
        assert flat.image.shape == (512, 384, 3) and flat.mask.shape == flat.parts.shape == (512, 384)
        assert ((flat.parts > 0) == (flat.mask > 0)).all() and 0.04 < (flat.mask > 0).mean() < 0.75
        x = np.mgrid[:512, :384][1]
        centre = x[flat.parts == TORSO].mean()
        if (flat.parts == RIGHT).sum() > 400 and (flat.parts == LEFT).sum() > 400:
            assert x[flat.parts == RIGHT].mean() < centre < x[flat.parts == LEFT].mean()  # the wearer's right is the picture's left
            whole += 1
        # The cloth of the photo, nothing else: its mean colour is that of the worn one.
        worn, laid = p.image[p.parse == S.UPPER].mean(0), flat.image[cv2.erode(flat.mask, np.ones((7, 7), np.uint8)) > 0].mean(0)
        assert np.abs(worn - laid).max() < 25
    assert len(dressed) >= 4 and whole >= 2


def test_the_same_seed_gives_the_same_product(dressed):
    p = dressed[0]
    one, two, other = (unpose(p.image, p.parse == S.UPPER, p.pose[0], np.random.default_rng(s)) for s in (1, 1, 2))
    assert np.array_equal(one.image, two.image) and not np.array_equal(one.mask, other.mask)


def test_what_cannot_be_laid_out_is_none(dressed):
    p = dressed[0]
    rng = np.random.default_rng(0)
    hipless = p.pose[0].copy()
    hipless[S.R_HIP] = 0
    assert unpose(p.image, p.parse == S.UPPER, hipless, rng) is None
    assert unpose(p.image, np.zeros_like(p.parse, bool), p.pose[0], rng) is None
    behind = p.pose[0][list(S.JOINT_FLIP)]
    assert unpose(p.image, p.parse == S.UPPER, behind, rng) is None


def test_a_hidden_chest_is_told(dressed):
    """A bag before the chest: the product photo would have a hole."""
    p = dressed[0]
    worn = p.parse == S.UPPER
    whole = unpose(p.image, worn, p.pose[0], np.random.default_rng(0)).whole
    x, y = ((p.pose[0, S.NECK_JOINT, :2] + p.pose[0, [S.R_HIP, S.L_HIP], :2].mean(0)) / 2).astype(int)
    cut = worn.copy()
    cut[y - 30:y + 30, x - 25:x + 25] = False
    assert whole > 0.85 and unpose(p.image, cut, p.pose[0], np.random.default_rng(0)).whole < whole - 0.2


def test_bones_name_the_parts(dressed):
    pose = dressed[0].pose[0].copy()
    pose[[S.R_WRIST, S.L_WRIST], 0] += (-120, 120)  # arms spread out
    pose[[S.R_ELBOW, S.L_ELBOW], 0] += (-60, 60)
    points = np.array([pose[S.R_WRIST, :2], pose[S.L_WRIST, :2], (pose[S.NECK_JOINT, :2] + pose[S.R_HIP, :2]) / 2])
    assert bones(points, pose, 20.0).tolist() == [RIGHT, LEFT, TORSO]
