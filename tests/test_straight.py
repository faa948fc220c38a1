"""tryon/straight.py: limbs laid out straight, painted, and brought back."""
import cv2
import numpy as np
import pytest

from tryon import schema as S
from tryon import straight
from tryon.limbs import STEPS, profile
from tryon.models import limb as model
from tryon.networks import Networks

UNIT = 150.0
BENT = np.array(((60.0, 40), (70, 120), (120, 160)))


def limb(cls: int = S.LEFT_ARM, line: np.ndarray = BENT):
    points, radii = profile(line, cls in S.ARMS, UNIT)
    return points, straight.bones_at(points, cls, line[1]), radii


@pytest.mark.parametrize("inner", [1, -1])
@pytest.mark.parametrize("cls", [S.LEFT_ARM, S.RIGHT_LEG])
def test_a_limb_comes_back_from_where_it_was_laid_out(cls, inner):
    """Colours of a forearm on the upper arm, the inner side outside."""
    points, bones, radii = limb(cls)
    where = straight.laid_out(points, bones, UNIT, cls in S.ARMS, inner)
    rows, columns = np.mgrid[8:straight.SIZE[0] - 8:9, 26:38:3]
    back = straight.places(where[rows, columns].reshape(-1, 2), points, bones, UNIT, cls in S.ARMS, inner)
    off = np.abs(back - np.stack((columns.ravel(), rows.ravel()), 1))
    assert np.percentile(off, 90) < 1.5 and off.max() < 6, off.max()


def test_the_body_is_on_the_right():
    """A left arm laid out like a mirrored right one."""
    body = np.zeros((200, 200, 3), np.uint8)
    body[:, 100:] = 255
    left = np.array(((90.0, 20), (90, 90), (90, 150)))
    for line, inner in ((left, -1), ((199, 0) + (-1, 1) * left, 1)):
        image = body if inner < 0 else body[:, ::-1]
        points, bones, _ = limb(S.RIGHT_ARM, line)
        pose = np.zeros((18, 3), np.float32)
        pose[S.NECK_JOINT] = (150 if inner < 0 else 49, 20, 1)
        assert straight.inner_side(points, pose) == inner
        out = cv2.remap(image, straight.laid_out(points, bones, UNIT, True, inner), None, cv2.INTER_LINEAR)
        assert out[100, -1].min() > 200 and out[100, 0].max() < 50


def test_bones_are_counted_from_the_first_joint():
    for cls, beyond, last in ((S.LEFT_ARM, 0.4, 2.4), (S.LEFT_ARM, 0.0, 2.0), (S.LEFT_LEG, 0.12, 2.12)):
        points, _ = profile(BENT, cls in S.ARMS, UNIT, beyond)
        bones = straight.bones_at(points, cls, BENT[1])
        assert len(bones) == STEPS + 1 and bones[-1] == pytest.approx(last)
        assert np.abs(points[np.abs(bones - 1).argmin()] - BENT[1]).max() < 0.06 * UNIT


@pytest.fixture(scope="module")
def networks():
    return Networks("cpu", names=("limb",), precision="float32")


def painted(networks, seen_from: int | None, colour=(150, 105, 80), tone=(190, 140, 115)):
    """An arm that hangs, of which only what is lower than a row is seen, in a picture that is green elsewhere."""
    line, unit = np.array(((80.0, 40), (78, 122), (82, 190))), UNIT
    points, radii = profile(line, True, unit)
    parse, image = np.zeros((260, 160), np.uint8), np.full((260, 160, 3), (40, 90, 40), np.uint8)
    for (x, y), r in zip(points, radii):
        cv2.circle(parse, (int(x), int(y)), int(r), S.LEFT_ARM, -1)
    known = np.zeros(parse.shape, bool)
    if seen_from is not None:
        known[seen_from:] = True
    image[(parse == S.LEFT_ARM) & known] = colour
    pose = np.zeros((18, 3), np.float32)
    pose[[S.L_SHOULDER, S.L_ELBOW, S.L_WRIST], :2], pose[[S.L_SHOULDER, S.L_ELBOW, S.L_WRIST, S.NECK_JOINT], 2] = line, 1
    pose[S.NECK_JOINT, :2] = 30, 40
    (found,) = straight.painted(networks, image, parse, known, [(S.LEFT_ARM, points, radii)], pose, unit, np.float32(tone), np.zeros(2))
    return found, line


def test_what_is_painted_is_skin_and_meets_what_is_seen(networks):
    """The green of what was around an arm in its colours; a step where a hand begins; a dark hand below a light arm."""
    found, line = painted(networks, 170)
    along = lambda t: found.at(line[1] + np.multiply.outer(t, line[2] - line[1]))
    colours = along(np.linspace(0, 1, 30))
    assert (colours[:, 0] > colours[:, 1]).all() and (colours[:, 1] > colours[:, 2]).all()  # red before green before blue
    assert np.abs(np.diff(colours, axis=0)).max() < 14  # no step
    assert np.abs(colours[-3:].mean(0) - (150, 105, 80)).max() < 15


def test_the_outline_is_that_of_a_limb(networks):
    """Outlines that fall apart, or leave the bones."""
    for seen in (None, 170):
        found, _ = painted(networks, seen)
        points, radii = found.outlined()
        assert np.abs(points - found.points).max() < 0.06 * UNIT and (radii > 0.02 * UNIT).all() and (radii < 0.16 * UNIT).all()
        assert np.abs(np.diff(radii)).max() < 0.03 * UNIT


def test_a_larger_photo_shows_the_same_limb(networks):
    """A limb that is painted otherwise in a photo of more pixels: it is looked at at one size."""
    small, _ = painted(networks, 170)
    scale = 3.0
    points, radii = small.points * scale, small.radii * scale
    line = np.array(((80.0, 40), (78, 122), (82, 190))) * scale
    parse, image = np.zeros((780, 480), np.uint8), np.full((780, 480, 3), (40, 90, 40), np.uint8)
    for (x, y), r in zip(points, radii):
        cv2.circle(parse, (int(x), int(y)), int(r), S.LEFT_ARM, -1)
    known = np.zeros(parse.shape, bool)
    known[510:] = True
    image[(parse == S.LEFT_ARM) & known] = (150, 105, 80)
    pose = np.zeros((18, 3), np.float32)
    pose[[S.L_SHOULDER, S.L_ELBOW, S.L_WRIST], :2], pose[[S.L_SHOULDER, S.L_ELBOW, S.L_WRIST, S.NECK_JOINT], 2] = line, 1
    pose[S.NECK_JOINT, :2] = 30 * scale, 40 * scale
    (large,) = straight.painted(networks, image, parse, known, [(S.LEFT_ARM, points, radii)], pose, UNIT * scale, np.float32((190, 140, 115)), np.zeros(2))
    everywhere = np.mgrid[0:480, 0:480].reshape(2, -1).T.astype(float)  # more places than OpenCV takes in a row
    assert (large.at(everywhere)[:300] == large.at(everywhere[:300])).all() and large.at(everywhere).shape == (480 * 480, 3) and large.at(everywhere[:0]).shape == (0, 3)
    middle = np.s_[30:150, 26:38]
    assert np.abs(small.colours[middle] - large.colours[middle]).mean() < 6
