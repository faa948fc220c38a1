"""tryon/person.py: confidence, and whose parse map it is."""

import cv2
import numpy as np
import pytest

from tryon import schema as S
from tryon.person import (alone, evened, on_their_side, smooth, soft_iou, sureness, to_hands, under_hems, without_islands, without_rims, without_scraps,
                          without_short_dresses, without_strangers)


def test_soft_iou_is_the_iou_that_probabilities_promise():
    rng = np.random.default_rng(0)
    p = np.clip(cv2.GaussianBlur((np.hypot(*(np.mgrid[:200, :200] - 100)) < 60).astype(np.float32), (0, 0), 12), 0, 1)
    found = p > 0.5
    ious = [(found & truth).sum() / (found | truth).sum() for truth in (rng.random(p.shape) < p for _ in range(5))]
    assert soft_iou(p) == pytest.approx(np.mean(ious), abs=0.01)
    assert soft_iou(found.astype(np.float32)) == 1.0 and soft_iou(np.zeros((4, 4), np.float32)) == 0.0


def test_doubt_lowers_the_confidence():
    p = np.zeros((10, 10, len(S.PARSE_CLASSES)), np.float32)
    p[..., S.BACKGROUND] = 1
    assert sureness(p) == 0.0  # nobody
    p[2:8, 2:8] = 0
    p[2:8, 2:8, S.UPPER] = 1
    certain = sureness(p)
    p[2:8, 2:8, S.UPPER], p[2:8, 2:8, S.FULL] = 0.6, 0.4
    kind = sureness(p)
    p[2:8, 2:8, S.FULL], p[2:8, 2:8, S.BACKGROUND] = 0, 0.4
    assert 1.0 == certain > kind > sureness(p)


def test_a_stranger_becomes_background():
    label = np.zeros((100, 200), np.uint8)
    label[10:90, 20:60], label[10:90, 130:170] = S.UPPER, S.LOWER
    poses = np.zeros((2, 18, 3), np.float32)
    for pose, x in zip(poses, (40, 150)):
        for k, y in ((S.NECK_JOINT, 20), (S.R_HIP, 60), (S.R_KNEE, 80)):
            pose[k] = (x, y, 1)
    assert (alone(label, poses) > 0).sum() == (label == S.UPPER).sum() and not np.isin(alone(label, poses), S.LOWER).any()
    assert np.array_equal(alone(label, poses[::-1]) > 0, label == S.LOWER)


@pytest.fixture
def crossed() -> tuple[np.ndarray, np.ndarray]:
    """Pose and parse map, 100 pixels to a torso length: the left arm crosses the body in a sleeve, out of which its hand comes beside the right elbow; its wrist was
    found half-way along the forearm. The right arm hangs down."""
    pose, label = np.zeros((18, 3), np.float32), np.full((300, 200), S.UPPER, np.uint8)
    for joint, at in ((S.NECK_JOINT, (100, 50)), (S.R_HIP, (85, 150)), (S.L_HIP, (115, 150)), (S.L_SHOULDER, (132, 52)), (S.L_ELBOW, (135, 105)), (S.L_WRIST, (108, 103)),
                      (S.R_SHOULDER, (68, 52)), (S.R_ELBOW, (65, 105)), (S.R_WRIST, (66, 160))):
        pose[joint] = (*at, 0.8)
    label[95:109, 74:88] = S.RIGHT_ARM  # the hand, taken for the other arm's
    label[160:180, 60:72] = S.RIGHT_ARM
    return pose, label


def test_a_wrist_goes_to_its_hand(crossed):
    """A forearm that ends in the sleeve it was found in, before its hand; a hand that stays the other arm's."""
    pose, label = to_hands(*crossed)
    assert 83 < pose[S.L_WRIST, 0] < 88 and abs(pose[S.L_WRIST, 1] - 102) < 3 and pose[S.L_WRIST, 2] == np.float32(0.8)
    assert (label[95:109, 74:88] == S.LEFT_ARM).all() and (label[160:180, 60:72] == S.RIGHT_ARM).all()
    others = np.arange(18) != S.L_WRIST
    assert (pose[others] == crossed[0][others]).all() and crossed[1][100, 80] == S.RIGHT_ARM, "the analysis that was given is left alone"


def test_a_wrist_beside_the_person_tells_nothing(crossed):
    """An arm across the body whose wrist was found on a stranger behind: its hand stays nobody's, and the forearm is lost."""
    pose, label = crossed
    label[:, 150:], pose[S.L_WRIST, :2] = S.BACKGROUND, (170, 160)
    after, named = to_hands(pose, label)
    assert 83 < after[S.L_WRIST, 0] < 88 and abs(after[S.L_WRIST, 1] - 102) < 3 and (named[95:109, 74:88] == S.LEFT_ARM).all()
    alone = pose.copy()
    alone[S.R_WRIST] = 0  # it may be that arm's
    assert (to_hands(alone, label)[0] == alone).all()
    label[95:109, 74:88], label[90:150, 128:142] = S.UPPER, S.LEFT_ARM  # a bare arm on the elbow itself is no hand
    assert (to_hands(pose, label)[0] == pose).all()


@pytest.mark.parametrize("change", ["skin at the wrist", "the other one's hand", "behind the elbow", "too small", "no hips"])
def test_a_wrist_stays_where_no_hand_is_its_own(crossed, change):
    """A wrist that goes to skin of another arm, back to the upper arm or to a speck."""
    pose, label = crossed
    if change == "skin at the wrist":
        label[95:109, 100:110] = S.LEFT_ARM
    elif change == "the other one's hand":
        pose[S.R_WRIST, :2] = 72, 104
    elif change == "behind the elbow":
        label[95:109, 74:88], label[95:109, 150:164] = S.UPPER, S.LEFT_ARM
    elif change == "too small":
        label[95:109, 74:88], label[100:103, 80:83] = S.UPPER, S.LEFT_ARM
    else:
        pose[[S.R_HIP, S.L_HIP]] = 0
    after = to_hands(pose, label)
    assert (after[0] == pose).all() and (after[1] == label).all()


@pytest.mark.parametrize("size", [1, 3])
def test_islands_of_a_garment_in_another_are_of_that(size):
    """A bite in a skirt, of which a piece was taken for a coat; a shirt gone that an open coat lets see."""
    label = np.zeros((300, 200), np.uint8)
    label[20:120, 50:150], label[120:260, 40:160] = S.OUTER, S.LOWER
    label[40:50, 90:100] = S.UPPER  # all there is of a shirt
    true = label.copy()
    label[200:212, 100:112] = label[250:260, 40:50] = S.OUTER  # amid the skirt, and at its hem beside the ground
    label[130:133, 60:63] = S.FULL
    true[130:133, 60:63] = S.FULL  # the largest of its kind
    large = lambda a: np.repeat(np.repeat(a, size, 0), size, 1)
    assert np.array_equal(without_islands(large(label)), large(true))
    alone = np.where(label == S.OUTER, S.UPPER, label)
    alone[20:120, 50:150], alone[40:50, 90:100] = S.UPPER, S.UPPER
    alone[200:212, 100:112] = S.OUTER  # the only coat
    assert not (without_islands(large(alone)) == S.OUTER).any()


@pytest.mark.parametrize("height", [300, 541, 1024])
def test_outlines_are_not_frayed(height):
    """An outline of dots between hair and a patterned coat; a strap that goes, or pixels that were sure."""
    label = np.zeros((height, 200), np.uint8)
    label[50:250, 20:100], label[50:250, 100:180] = S.OUTER, S.HAIR
    true, rng, band = label.copy(), np.random.default_rng(0), np.s_[60:240, 97:103]
    strap = 2 * max(1, round(height / 400))
    label[50:250, 150:150 + strap] = true[50:250, 150:150 + strap] = S.BAG
    frayed = rng.random(label[band].shape) < 0.2
    label[band] = np.where(frayed, S.OUTER + S.HAIR - label[band], label[band])
    label[100, 30] = S.HAIR  # not among the unsure
    where = np.nonzero((np.indices(label.shape)[1] >= 97) & (label > 0))
    out = smooth(label, where, np.array((S.BACKGROUND, S.HAIR, S.OUTER, S.BAG)))
    assert (out[band] != true[band]).mean() < 0.4 * frayed.mean() and out[100, 30] == S.HAIR
    assert (out[60:240, 150:150 + strap] == S.BAG).mean() > 0.9 and (out[:45] == 0).all() and (out[60:240, 110:145] == S.HAIR).all()


def test_ends_of_hair_are_not_frayed():
    """Hair on a patterned coat that keeps single pixels of it, or loses single pixels to it."""
    rng = np.random.default_rng(0)
    label, photo = np.zeros((541, 240), np.uint8), np.full((541, 240, 3), (90, 160, 90), np.uint8)
    label[100:500, 20:220], photo[100:500, 20:220] = S.OUTER, np.array([(230, 230, 240), (120, 120, 160)], np.uint8)[rng.integers(2, size=(400, 200))]
    hair = np.zeros(label.shape, bool)
    hair[20:300, 80:160] = True
    label[hair], photo[hair] = S.HAIR, (60, 40, 30)
    rim = hair & ~np.roll(hair, -2, 0) | hair & ~np.roll(hair, 2, 1)  # two pixels below and at the left are half and half
    photo[rim] = np.where(rng.random((rim.sum(), 1)) < 0.5, (60, 40, 30), (200, 200, 220))
    out = without_rims(photo, label)
    mine = (out == S.HAIR).astype(np.uint8)
    count, sizes = cv2.connectedComponents(mine, connectivity=4), cv2.boxFilter(mine, cv2.CV_8U, (3, 3), normalize=False)
    assert (out != label).sum() > 100 and count[0] == 2 and (sizes[mine > 0] >= 4).all() and (out[hair & ~rim] == S.HAIR).mean() > 0.99


def test_shoes_begin_below_hems():
    """A rim of trousers on shoes, which are never painted; shoes that lose their soles."""
    label = np.zeros((540, 100), np.uint8)
    label[300:500, 20:80], label[500:530, 15:85] = S.LOWER, S.SHOES
    out = under_hems(label)
    assert (out[500:503, 30:70] == S.LOWER).all() and (out[504:530, 15:85] == S.SHOES).all() and (out != label).sum() < 4 * 70
    label[300:500] = S.BACKGROUND
    assert np.array_equal(under_hems(label), label)


def test_the_tops_of_boots_are_even():
    """Dark boots below dark trousers whose upper edge is frayed; straps of sandals on skin, or boots that end beside the ground, that are changed."""
    label = np.zeros((540, 120), np.uint8)
    label[300:440, 30:80], label[440:500, 30:80] = S.LOWER, S.SHOES
    rng = np.random.default_rng(0)
    for x in range(30, 80):
        label[440 + rng.integers(-3, 4):440 + 4, x] = S.SHOES
        if rng.random() < 0.4:
            label[438:443, x] = S.LOWER
    frayed = lambda a: np.abs(np.diff((a[420:460, 34:76] == S.SHOES).argmax(0))).sum()
    out = evened(label)
    assert frayed(label) > 40 and frayed(out) < 12 and set(np.unique(out[430:450, 34:76])) == {S.LOWER, S.SHOES}
    assert (out[:430] == label[:430]).all() and (out[450:] == label[450:]).all() and ((out == 0) == (label == 0)).all()
    label[label == S.LOWER] = S.LEFT_LEG
    assert (evened(label) == label).all()


@pytest.mark.parametrize("height", [300, 541, 1024])
def test_rims_of_a_hand_are_the_clothes_beside_it(height):
    """A dark outline of the coat around a hand that stays; a hand that loses skin, or a rim to a coat of its own colour, or to the ground."""
    rim = max(2, round(height / 200))
    label, photo = np.zeros((height, 240), np.uint8), np.full((height, 240, 3), (90, 160, 90), np.uint8)
    label[50:250, 20:140], photo[50:250, 20:140] = S.OUTER, (30, 30, 40)
    hand = np.zeros(label.shape, bool)
    hand[120:180, 110:200] = True
    label[hand], photo[120 + rim:180 - rim, 110 + rim:200] = S.RIGHT_ARM, (220, 170, 150)
    photo[120:180, 140:200] = 220, 170, 150  # beyond the coat it is skin to the edge
    out = without_rims(photo, label)
    dark = hand & (photo.max(2) < 60)
    assert dark.sum() > 50 and (out[dark] == S.OUTER).mean() > 0.9 and (out[hand & ~dark] == S.RIGHT_ARM).all() and np.array_equal(out[~hand], label[~hand])
    photo[label == S.OUTER] = photo[hand] = 220, 170, 150
    assert np.array_equal(without_rims(photo, label), label)


@pytest.mark.parametrize("cls", [S.BAG, S.ACCESSORY, S.LEFT_ARM])
def test_scraps_in_a_garments_colours_are_of_it(cls):
    """A cuff or a corner of a skirt that stays behind as a bag; a bag, a belt of another colour or a real hand that goes."""
    label, photo = np.zeros((400, 300), np.uint8), np.full((400, 300, 3), 230, np.uint8)
    label[50:350, 60:240], photo[50:350, 60:240] = S.OUTER, (40, 60, 120)
    label[300:316, 240:256], photo[300:316, 240:256] = cls, (40, 60, 120)  # at its side, in its colours
    other, far, large = label.copy(), label.copy(), label.copy()
    out = without_scraps(photo, label)
    assert (out[300:316, 240:256] == S.OUTER).all() and np.array_equal(out[:, :240], label[:, :240])
    odd = other.copy()
    odd[300:316, 240:256] = S.BACKGROUND
    odd[299:315, 239:255] = cls  # found in half the size: no outline of it stays
    assert (without_scraps(photo, odd)[299:315, 239:255] == S.OUTER).all()
    red = photo.copy()
    red[300:316, 240:256] = 200, 60, 40
    assert np.array_equal(without_scraps(red, other), other)
    far[300:316, 240:256], far[300:316, 270:286] = S.BACKGROUND, cls
    moved = photo.copy()
    moved[300:316, 270:286] = 40, 60, 120
    assert np.array_equal(without_scraps(moved, far), far)
    large[250:330, 240:290] = cls
    photo[250:330, 240:290] = 40, 60, 120
    assert np.array_equal(without_scraps(photo, large), large)


def test_a_hand_on_the_other_side_of_the_chest_is_of_its_own_arm(persons):
    """A forearm that is lost behind the chest, as its hand was taken for the other one; ankles of crossed legs; a hand that stays what it is."""
    person = persons["edgar"]
    pose, parse, unit = person.pose[0].copy(), person.parse.copy(), person.body.unit
    assert (on_their_side(pose, parse) == parse).all()
    middle = pose[[S.NECK_JOINT, S.R_HIP, S.L_HIP], :2].mean(0)
    pose[S.L_ELBOW, :2], pose[S.L_WRIST, :2] = middle + (0.6 * unit, 0), middle + (0.1 * unit, 0)
    hand = cv2.circle(np.zeros(parse.shape, np.uint8), tuple(int(v) for v in middle), int(0.08 * unit), 1, -1) > 0
    parse[np.isin(parse, S.ARMS)], parse[hand] = S.BACKGROUND, S.RIGHT_ARM
    found = on_their_side(pose, parse)
    assert (found[hand] == S.LEFT_ARM).mean() > 0.9 and (found[~hand] == parse[~hand]).all()
    unknown = pose.copy()
    unknown[S.L_ELBOW] = 0
    assert (on_their_side(unknown, parse) == parse).all()
    ankles = pose[[S.R_ANKLE, S.L_ANKLE], :2].copy()
    pose[[S.L_ANKLE, S.R_ANKLE], :2] = ankles + np.array(((-0.2, 0), (0.2, 0))) * unit
    for (x, y), cls in zip(pose[[S.L_ANKLE, S.R_ANKLE], :2], (S.RIGHT_LEG, S.LEFT_LEG)):  # as they lie in the picture
        parse[int(y) - 12:int(y) + 2, int(x) - 6:int(x) + 6] = cls
    found = on_their_side(pose, parse)
    assert [found[int(y) - 5, int(x)] for x, y in pose[[S.L_ANKLE, S.R_ANKLE], :2]] == [S.LEFT_LEG, S.RIGHT_LEG]


def test_a_coat_that_ends_over_a_skirt_is_no_dress(persons):
    """The lower half of a coat that was taken for a dress, kept as a skirt below a new top; a dress over legs, or a long one over trousers, that loses its name."""
    person = persons["edgar"]
    pose, parse, unit, (x, y) = person.pose[0], np.zeros_like(person.parse), person.body.unit, person.body.hips
    reach = lambda down: (int(y + down * unit), np.s_[int(x - 0.4 * unit):int(x + 0.4 * unit)])
    for start, end, cls in ((-1, -0.3, S.OUTER), (-0.3, 0.3, S.FULL), (0.3, 0.4, S.LOWER)):
        parse[reach(start)[0]:reach(end)[0], reach(0)[1]] = cls
    found = without_short_dresses(pose, parse)
    assert (found == np.where(parse == S.FULL, S.OUTER, parse)).all()
    bare, long = np.where(parse == S.LOWER, S.LEFT_LEG, parse).astype(np.uint8), parse.copy()
    long[reach(0.3)[0]:reach(0.8)[0], reach(0)[1]], long[reach(0.8)[0]:reach(1)[0], reach(0)[1]] = S.FULL, S.LOWER
    for other in (bare, long, np.where(parse == S.OUTER, 0, parse).astype(np.uint8)):
        assert (without_short_dresses(pose, other) == other).all()


def test_the_legs_of_a_stranger_behind_a_hand_are_ground(persons):
    """A bystander without legs: taken off with the own skirt, as a hand touches them."""
    person = persons["edgar"]
    pose, parse, unit = person.pose[0].copy(), person.parse.copy(), person.body.unit
    assert (without_strangers(pose, parse) == parse).all()
    x, y = int(pose[S.L_HIP, 0] + 0.95 * unit), int(person.body.hips[1])
    pose[S.L_WRIST, :2] = x - 0.1 * unit, y
    theirs = np.zeros(parse.shape, bool)
    theirs[y:y + int(1.2 * unit), x:x + int(0.15 * unit)] = True
    parse[theirs], parse[y - 6:y + 6, x - 30:x] = S.LOWER, S.LEFT_ARM
    parse[y + int(1.2 * unit):y + int(1.3 * unit), x:x + int(0.2 * unit)] = S.SHOES
    found = without_strangers(pose, parse)
    assert (found[theirs] == S.BACKGROUND).all() and (found[y:, x:] == S.BACKGROUND).all()
    assert (found[:, :x] == parse[:, :x]).all()
    assert (without_strangers(np.zeros_like(pose), parse) == parse).all()
