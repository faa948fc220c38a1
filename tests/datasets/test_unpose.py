"""tryon/datasets/unpose.py on drawn people, whose sleeves and skeleton are known."""

import cv2
import numpy as np
import pytest

from tryon import schema as S
from tryon.datasets.articulate import LEFT, RIGHT, TORSO
from tryon.datasets.unpose import sleeves, unpose, worn_parts
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
        flat = unpose(p.image, p.parse, S.UPPER, p.pose[0], np.random.default_rng(n))
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
    one, two, other = (unpose(p.image, p.parse, S.UPPER, p.pose[0], np.random.default_rng(s)) for s in (1, 1, 2))
    assert np.array_equal(one.image, two.image) and not np.array_equal(one.mask, other.mask)


def test_what_cannot_be_laid_out_is_none(dressed):
    p = dressed[0]
    rng = np.random.default_rng(0)
    hipless = p.pose[0].copy()
    hipless[S.R_HIP] = 0
    assert unpose(p.image, p.parse, S.UPPER, hipless, rng) is None
    assert unpose(p.image, p.parse, S.OUTER, p.pose[0], rng) is None
    behind = p.pose[0][list(S.JOINT_FLIP)]
    assert unpose(p.image, p.parse, S.UPPER, behind, rng) is None


def standing(sleeve: float = 2.0, left=((250, 190), (250, 280))) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Image, parse and pose of somebody whose arms hang close beside the body in sleeves ``sleeve`` bones long; elbow and wrist of the left arm may be elsewhere."""
    parse, pose = np.zeros((512, 384), np.uint8), np.zeros((18, 3), np.float32)
    for k, at in {S.NECK_JOINT: (200, 100), S.R_SHOULDER: (160, 100), S.L_SHOULDER: (240, 100), S.R_HIP: (178, 240), S.L_HIP: (222, 240), S.R_ELBOW: (150, 190),
                  S.R_WRIST: (150, 280), S.L_ELBOW: left[0], S.L_WRIST: left[1]}.items():
        pose[k] = *at, 1
    parse[85:270, 165:236] = S.UPPER
    for arm, cls in (((S.R_SHOULDER, S.R_ELBOW, S.R_WRIST), S.RIGHT_ARM), ((S.L_SHOULDER, S.L_ELBOW, S.L_WRIST), S.LEFT_ARM)):
        points = np.rint(pose[list(arm), :2]).astype(int)
        cv2.polylines(parse, [points], False, cls, 18)
        down = [points[0] + t * (points[1] - points[0]) if t <= 1 else points[1] + (t - 1) * (points[2] - points[1]) for t in np.linspace(0, sleeve, 21)]
        cv2.polylines(parse, [np.rint(down).astype(np.int32)], False, S.UPPER, 26)
    image = np.full((512, 384, 3), 90, np.uint8)
    image[parse == S.UPPER] = 200, 40, 40
    return image, parse, pose


def test_a_torso_stays_where_it_is_when_sleeves_beside_it_are_spread():
    """What hangs beside an arm must not go along with it: the top would have wings."""
    image, parse, pose = standing()
    for seed in range(4):
        flat = unpose(image, parse, S.UPPER, pose, np.random.default_rng(seed))
        ys, xs = np.nonzero(flat.parts == TORSO)
        low = ys > ys.min() + 0.6 * np.ptp(ys)
        width = lambda rows: np.median([np.ptp(xs[ys == y]) for y in np.unique(ys[rows])])
        middle = ~low & (ys > ys.min() + 0.4 * np.ptp(ys))
        assert width(low) < 1.15 * width(middle) and all(0.49 < width(rows) / flat.unit < 0.69 for rows in (low, middle))  # 71 of 140, laid up to 1.3 times as wide
        for part, way in ((RIGHT, -1), (LEFT, 1)):
            py, px = np.nonzero(flat.parts == part)
            tip = py > py.min() + 0.8 * np.ptp(py)
            assert way * (px[tip].mean() - xs.mean()) > 0.5 * width(low) + 0.1 * flat.unit, "a sleeve whose end is not off the torso"
        assert flat.even > 0.8 and flat.natural
        assert np.abs(flat.image[cv2.erode(flat.mask, np.ones((5, 5), np.uint8)) > 0].astype(int) - (200, 40, 40)).max() < 60


def test_a_bare_forearm_over_the_belly_is_no_sleeve_and_leaves_no_hole():
    image, parse, pose = standing(0.9, ((262, 185), (190, 215)))
    found = {s.part: s.end for s in sleeves(parse, S.UPPER, pose, 140.0)}
    assert found.keys() == {RIGHT, LEFT} and all(0.7 < end < 1.2 for end in found.values())
    flat = unpose(image, parse, S.UPPER, pose, np.random.default_rng(0))
    assert 0.49 < np.median((flat.parts == TORSO).sum(1)[(flat.parts == TORSO).any(1)]) / flat.unit < 0.69
    holes = cv2.connectedComponentsWithStats((flat.mask == 0).astype(np.uint8))[2][1:, cv2.CC_STAT_AREA]
    assert len(holes) == 1 and flat.natural  # the ground around it
    assert np.abs(flat.image[flat.parts == TORSO].mean(0) - (200, 40, 40)).max() < 25


def test_bare_arms_that_hang_beside_a_torso_do_not_widen_it():
    image, parse, pose = standing(0.3)
    flat = unpose(image, parse, S.UPPER, pose, np.random.default_rng(0))
    ys, xs = np.nonzero(flat.parts == TORSO)
    for share in (0.45, 0.6, 0.75, 0.9):
        assert 0.49 < np.ptp(xs[ys == int(ys.min() + share * np.ptp(ys))]) / flat.unit < 0.69, share


def unknown_wrist(image, parse, pose):
    pose[S.L_WRIST] = 0


def unknown_elbow(image, parse, pose):
    pose[[S.L_ELBOW, S.L_WRIST]] = 0


def a_bag_before_a_forearm(image, parse, pose):
    parse[200:300, 238:270] = S.BAG


def cut_off_by_the_border(image, parse, pose):
    return image[:255], parse[:255], pose


@pytest.mark.parametrize("trouble", [unknown_wrist, unknown_elbow, a_bag_before_a_forearm, cut_off_by_the_border])
def test_what_is_not_seen_to_its_end_cannot_be_laid_out(trouble):
    """A sleeve that is taken for torso, or ends where a bag begins; a hem that the photo's border makes."""
    given = standing()
    assert unpose(given[0], given[1], S.UPPER, given[2], np.random.default_rng(0)) is not None
    image, parse, pose = trouble(*given) or given
    assert unpose(image, parse, S.UPPER, pose, np.random.default_rng(0)) is None
    image, parse, pose = standing(0.6)
    pose[S.L_WRIST] = 0
    assert unpose(image, parse, S.UPPER, pose, np.random.default_rng(0)) is not None  # nobody asks where a bare arm ends


def test_the_hand_of_the_other_arm_ends_no_sleeve():
    _, parse, pose = standing()
    cv2.circle(parse, (250, 235), 20, S.RIGHT_ARM, -1)
    assert [s.end for s in sleeves(parse, S.UPPER, pose, 140.0)] == [2.0, 2.0]
    cv2.circle(parse, (250, 260), 40, S.LEFT_ARM, -1)
    assert [s.part for s in sleeves(parse, S.UPPER, pose, 140.0) if s.end < 1.7] == [LEFT]


def test_sleeves_before_the_chest_hide_it():
    """Folded arms: what would be shown of the chest is made up."""
    image, parse, pose = standing()
    pose[S.R_ELBOW], pose[S.R_WRIST], pose[S.L_ELBOW], pose[S.L_WRIST] = (150, 185, 1), (235, 150, 1), (250, 185, 1), (165, 165, 1)
    parse[:] = 0
    parse[85:270, 165:236] = S.UPPER
    for arm in ((S.R_SHOULDER, S.R_ELBOW, S.R_WRIST), (S.L_SHOULDER, S.L_ELBOW, S.L_WRIST)):
        cv2.polylines(parse, [np.rint(pose[list(arm), :2]).astype(np.int32)], False, S.UPPER, 26)
    flat = unpose(image, parse, S.UPPER, pose, np.random.default_rng(0))
    assert flat.whole < 0.8 and not flat.natural


def test_what_is_uneven_is_no_product():
    """Half of a torso is hidden by somebody else: no shop shows that."""
    image, parse, pose = standing(0.6)
    parse[150:, 205:] = S.BACKGROUND
    flat = unpose(image, parse, S.UPPER, pose, np.random.default_rng(0))
    assert flat.even < 0.72 and not flat.natural


def test_a_hidden_chest_is_told(dressed):
    """Something before the chest: the product photo would have a hole."""
    share = lambda p: unpose(p.image, p.parse, S.UPPER, p.pose[0], np.random.default_rng(0)).whole
    p = max(dressed, key=share)
    whole = share(p)
    x, y = ((p.pose[0, S.NECK_JOINT, :2] + p.pose[0, [S.R_HIP, S.L_HIP], :2].mean(0)) / 2).astype(int)
    cut = p.parse.copy()
    cut[y - 30:y + 30, x - 25:x + 25] = S.BAG
    assert whole > 0.85 and unpose(p.image, cut, S.UPPER, p.pose[0], np.random.default_rng(0)).whole < whole - 0.2


def test_parts_of_what_is_worn():
    """Arms spread out, in long sleeves; skin beyond a short one is of none."""
    _, parse, pose = standing(left=((310, 130), (370, 160)))
    parts = worn_parts(parse, S.UPPER, pose, 140.0, np.array((200.0, 170.0)))
    assert ((parts > 0) == (parse == S.UPPER)).all()
    assert [parts[y, x] for x, y in ((200, 200), (340, 145), (150, 220), (168, 220), (140, 270))] == [TORSO, LEFT, RIGHT, TORSO, RIGHT]
    _, parse, pose = standing(0.5)
    parts = worn_parts(parse, S.UPPER, pose, 140.0, np.array((200.0, 170.0)))
    assert (parts[240:] == TORSO).sum() == (parse[240:] == S.UPPER).sum() and (parts == LEFT).any() and (parts == RIGHT).any()
