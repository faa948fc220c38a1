"""tryon/datasets/augment.py: two people in one picture. The other functions are tested where they are used (test_expand.py)."""

import numpy as np
import pytest

from tryon import schema as S
from tryon.datasets import augment
from tryon.datasets.sample import IGNORE

RED, GREEN, GROUND, GROUND2 = (230, 20, 20), (20, 200, 20), (60, 60, 120), (250, 250, 0)


def person(size, x, top, torso, body, colour, ground):
    """A flat figure at ``x`` with its right arm (left in the picture) spread: image, parse, pose 18x3."""
    image, parse, pose = np.full((*size, 3), ground, np.uint8), np.zeros(size, np.uint8), np.zeros((18, 3), np.float32)
    at = lambda dx, dy: (x + dx * torso, top + dy * torso, 1)  # noqa: E731
    pose[[S.NECK_JOINT, S.NOSE]] = at(0, 0), at(0, -0.3)
    for side, (shoulder, wrist, hip, knee, ankle) in ((-1, (S.R_SHOULDER, S.R_WRIST, S.R_HIP, S.R_KNEE, S.R_ANKLE)),
                                                      (1, (S.L_SHOULDER, S.L_WRIST, S.L_HIP, S.L_KNEE, S.L_ANKLE))):  # fmt: skip
        pose[[shoulder, hip, knee, ankle]] = at(0.25 * side, 0), at(0.2 * side, 1), at(0.2 * side, 1.8), at(0.2 * side, 2.6)
        pose[wrist] = at(0.3 * side, 0.8)
    pose[S.R_WRIST] = at(-0.6, 0.3)
    for label, (x0, y0, x1, y1) in ((body, (-0.35, -0.5, 0.35, 2.7)), (S.RIGHT_ARM, (-0.65, 0.2, -0.35, 0.4))):
        rows, columns = (slice(round(o + a * torso), round(o + b * torso)) for o, a, b in ((top, y0, y1), (x, x0, x1)))
        image[rows, columns], parse[rows, columns] = colour, label
    return image, parse, pose


def couple(seed, flip=False, size=(320, 224), whole=True):
    image, parse, pose = person(size, 100, 70, 80, S.UPPER, RED, GROUND)
    other = person((500, 300), 150, 80, 130 if whole else 220, S.LOWER, GREEN, GROUND2)
    return augment.beside((image, parse, pose[None]), other, np.random.default_rng(seed), flip)


def near(image, colour) -> np.ndarray:
    return (np.abs(image.astype(int) - colour) < 60).all(-1)


@pytest.mark.parametrize("flip", [False, True])
def test_picture_parse_and_poses_of_two_people_agree(flip):
    """The one in front in the picture and the other one in the parse map; a halo of the second photo's ground; joints that do not move along;
    arms that keep their names on reflection; the smaller person first."""
    fronts, gaps = set(), set()
    for seed in range(30):
        image, parse, poses, covered = couple(seed, flip)
        red, green = near(image, RED), near(image, GREEN)
        assert not near(image, GROUND2).any() and parse.dtype == np.uint8 and image.dtype == np.uint8
        body, body2 = parse == S.UPPER, parse == S.LOWER
        assert red[body].mean() > 0.95 and green[body2].mean() > 0.9 and not (red & body2).sum() > 0.05 * body2.sum()
        assert len(poses) == 2 and np.prod(np.ptp(poses[0, poses[0, :, 2] > 0, :2], 0)) >= np.prod(np.ptp(poses[1, poses[1, :, 2] > 0, :2], 0))
        mine = int(np.abs(poses[:, S.NECK_JOINT, 0] - 100).argmin())
        x, y = np.rint(poses[..., :2]).astype(int).transpose(2, 0, 1)
        spread = (S.R_WRIST, S.RIGHT_ARM), (S.L_WRIST, S.LEFT_ARM)  # the arm away from the body; a reflection makes it the left one
        for p, own, (wrist, arm) in ((mine, S.UPPER, spread[0]), (1 - mine, S.LOWER, spread[flip])):
            for j in np.flatnonzero(poses[p, :, 2] > 0):
                label = parse[y[p, j], x[p, j]]
                assert (label == (arm if j == wrist else own)) != covered[p, j]
        if all(augment.torso(q) for q in poses):
            lengths = [np.linalg.norm(np.subtract(*augment.torso(q))) for q in poses]
            assert 1 / 1.26 < lengths[0] / lengths[1] < 1.26
        feet = poses[:, [S.R_ANKLE, S.L_ANKLE], 1].max(1)
        assert not feet.all() or abs(feet[0] - feet[1]) <= 0.2 * 80 + 1
        assert not covered[:, S.L_KNEE].all()
        fronts.update(np.flatnonzero(covered.any(1)) == mine)
        gaps.add(bool(covered.any()))
    assert fronts == {True, False} and gaps == {True, False}


def test_without_a_parse_map_the_second_person_comes_to_the_front():
    """Somebody put behind an outline that is not known."""
    image, _, pose = person((320, 224), 100, 70, 80, S.UPPER, RED, GROUND)
    other = person((500, 300), 150, 80, 130, S.LOWER, GREEN, GROUND2)
    hidden = 0
    for seed in range(10):
        out, parse, poses, covered = augment.beside((image, None, pose[None]), other, np.random.default_rng(seed))
        second = int(np.abs(poses[:, S.NECK_JOINT, 0] - 100).argmax())
        assert parse is None and not covered[second].any()
        x, y = np.rint(poses[1 - second, :, :2]).astype(int).T
        overlaid = near(out, GREEN)[y, x] & (poses[1 - second, :, 2] > 0)
        assert covered[1 - second][overlaid].all()
        hidden += overlaid.sum()
    assert hidden > 10


def test_somebody_cut_off_below_is_cut_off_by_the_picture_and_joints_outside_are_missing():
    """Legs that end in the air; a joint beyond the picture that is learned at its edge."""
    for seed in range(10):
        image, parse, poses, _ = couple(seed, whole=False)
        shown = np.flatnonzero((parse == S.LOWER).any(0))
        assert len(shown) and (parse[-1] == S.LOWER).any()
        inside = (poses[..., 0] >= 0) & (poses[..., 0] < 224) & (poses[..., 1] >= 0) & (poses[..., 1] < 320)
        assert (inside | (poses == 0).all(-1)).all()


def test_somebody_without_a_torso_adds_nobody():
    """A scale of infinity."""
    image, parse, pose = person((320, 224), 100, 70, 80, S.UPPER, RED, GROUND)
    headless = pose.copy()
    headless[S.NECK_JOINT] = 0
    for view_pose, other_pose in ((headless, pose), (pose, headless)):
        out = augment.beside((image, parse, view_pose[None]), (image, parse, other_pose), np.random.default_rng(0))
        assert (out[0] == image).all() and (out[1] == parse).all() and (out[2] == view_pose).all() and not out[3].any()


def test_couples_depend_on_the_generator_alone():
    """A resumed training that sees others."""
    a, b, c = couple(1), couple(1), couple(2)
    assert all(np.array_equal(x, y) for x, y in zip(a, b)) and not np.array_equal(a[0], c[0])


def test_reflected_parse_maps_swap_sides_and_keep_what_is_not_judged():
    """255 read as a class, or as the last one."""
    parse = np.array([[S.LEFT_ARM, S.RIGHT_LEG, S.UPPER, IGNORE]], np.uint8)
    assert augment.reflect_parse(parse).tolist() == [[S.RIGHT_ARM, S.LEFT_LEG, S.UPPER, IGNORE]]


@pytest.mark.parametrize(("rows", "columns", "whole"), [
    (slice(5, 25), slice(5, 15), True), (slice(5, 30), slice(5, 15), True), (slice(0, 25), slice(5, 15), False),
    (slice(5, 25), slice(0, 15), False), (slice(5, 25), slice(5, 20), False),
])  # fmt: skip
def test_somebody_cut_off_by_another_edge_than_the_lower_one_is_not_whole(rows, columns, whole):
    """Half a person put into the middle of a picture, with a straight side."""
    parse = np.zeros((30, 20), np.uint8)
    parse[rows, columns] = S.UPPER
    assert augment.whole(parse) == whole
    parse[10, columns.stop - 1] = IGNORE  # the end of a photo that was turned
    assert not augment.whole(parse)
