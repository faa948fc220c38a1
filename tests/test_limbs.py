"""tryon/limbs.py: how thick limbs are, where they go on from what shows of them, and where legs end."""

import numpy as np
import pytest

from tryon import schema as S
from tryon.limbs import ARM, CALVES, HAND, LEG, above_shoulders, adjusted, at, beside_neck, capsule, hand, head, into_shoe, limbs, out_of_sleeves, profile, shoulders, throat, trousers, with_ends

LINE, UNIT = np.array(((60.0, 20), (60, 90), (60, 160))), 100.0


@pytest.mark.parametrize("arm, widths", [(True, ARM), (False, LEG)])
def test_a_limb_is_as_thick_as_its_table_says(arm, widths):
    """Radii taken for diameters, or bones that are mixed up."""
    region = capsule((200, 120), *profile(LINE, arm, UNIT))
    for t, half in widths[1:-1]:
        if t > 2:  # the hand, which is only there when it has to be
            break
        assert abs(region[int(20 + 70 * t)].sum() - 2 * half * UNIT) < 3


def test_a_limb_goes_on_through_the_middle_of_what_shows_of_it():
    """A painted forearm beside the wrist it belongs to, or twice as thick."""
    points, radii = profile(3 * LINE, True, 3 * UNIT)  # large, as it is counted in whole pixels
    seen, hidden = capsule((600, 360), points + (18, 0), 0.85 * radii), np.zeros((600, 360), bool)
    hidden[:330], seen[:330] = True, False
    moved, thick = adjusted(points, radii, seen, hidden)
    assert abs(moved[-1, 0] - 198) < 1.5 and np.abs(moved[0] - points[0]).max() < 0.5
    assert 0.8 < np.median(thick / radii) < 0.92
    wide_hand = seen | capsule((600, 360), points[-2:], 1.5 * radii[-2:])
    wide_hand[:440] = False  # all that shows is a hand
    assert np.array_equal(adjusted(points, radii, wide_hand, ~wide_hand & hidden)[1], radii)
    same = adjusted(points, radii, np.zeros_like(seen), np.ones_like(seen))
    assert (same[0] == points).all() and (same[1] == radii).all()


def test_legs_end_in_the_nearest_shoe():
    """Legs that end above their shoes where trousers hid the ankles, or run to a stranger's."""
    parse, nothing = np.zeros((200, 120), np.uint8), np.zeros((200, 120), bool)
    assert into_shoe(np.array((60.0, 150)), parse, nothing, 50) is None
    parse[170:180, 50:75], parse[170:180, 100:118] = S.SHOES, S.SHOES
    end = into_shoe(np.array((60.0, 150)), parse, nothing, 50)
    assert 50 <= end[0] <= 75 and 169 <= end[1] <= 176
    assert into_shoe(np.array((60.0, 100)), parse, nothing, 50) is None
    pose = np.zeros((18, 3), np.float32)
    pose[[S.R_HIP, S.R_KNEE]] = (60, 30, 1), (60, 95, 1)
    found = list(limbs(pose, UNIT, parse, nothing))
    assert [cls for cls, *_ in found] == [S.RIGHT_LEG] and found[0][1][-1, 1] > 168


def test_an_arm_that_points_to_the_viewer_reaches_its_hand():
    """An arm whose elbow was found at its hand and whose wrist was not: nothing of it is painted."""
    parse, nothing, pose = np.zeros((200, 120), np.uint8), np.zeros((200, 120), bool), np.zeros((18, 3), np.float32)
    pose[[S.R_SHOULDER, S.R_ELBOW]] = (60, 20, 1), (50, 75, 1)
    assert not list(limbs(pose, UNIT, parse, nothing))
    parse[68:82, 44:58] = S.RIGHT_ARM
    (cls, points, radii), = limbs(pose, UNIT, parse, nothing)
    assert cls == S.RIGHT_ARM and np.allclose(points[0], (60, 20)) and np.abs(points[-1] - (50, 75)).max() < 5 and radii[0] > radii[-1]
    parse[82:140, 44:58] = S.RIGHT_ARM  # a forearm that goes on is no hand
    assert not list(limbs(pose, UNIT, parse, nothing))


def test_arms_begin_where_the_sleeve_ends():
    """Skin beside a sleeve; a bare arm without its shoulder; hair before a shoulder that is taken for a bare one."""
    arm = [(S.RIGHT_ARM, *profile(LINE, True, UNIT))]
    nothing, sleeve, free = (np.zeros((200, 120), bool) for _ in range(3))
    sleeve[10:80], free[80:] = True, True
    assert abs(out_of_sleeves(arm, sleeve, free)[0][1][0, 1] - 80) < 8
    assert (out_of_sleeves(arm, nothing, ~nothing)[0][1] == arm[0][1]).all()
    sleeve[:52] = False  # behind hair
    assert abs(out_of_sleeves(arm, sleeve, free)[0][1][0, 1] - 80) < 8
    sleeve[10:] = True  # to the very end
    assert len(out_of_sleeves(arm, sleeve, free)[0][1]) == 2, "a hand alone, or skin could be painted anywhere"
    sleeve[80:] = sleeve[:52] = False
    free[:52] = True  # torn off the shoulder: the arm is in front of what covers its middle
    assert (out_of_sleeves(arm, sleeve, free)[0][1] == arm[0][1]).all()


def test_bare_shoulders_reach_from_neck_to_arm():
    """A gap of ground between the straps of a top and the arms."""
    pose, free = np.zeros((18, 3), np.float32), np.zeros((200, 200), bool)
    pose[[S.NECK_JOINT, S.R_SHOULDER, S.L_SHOULDER]] = (100, 60, 1), (64, 60, 1), (136, 62, 1)
    assert not list(shoulders(pose, UNIT, free, set()))
    free[:, :100] = True  # the other one stays covered
    assert not list(shoulders(pose, UNIT, free, {S.RIGHT_ARM}))
    found = list(shoulders(pose, UNIT, free, set()))
    bare = np.any([capsule(free.shape, points, radii) for _, points, radii in found], 0)
    assert {cls for cls, *_ in found} == {S.NECK} and bare[60, 60:100].all() and not bare[:, 115:].any() and bare[80, 66:76].all() and not bare[100:].any()


@pytest.mark.parametrize("wide", [False, True])
def test_legs_go_on_where_the_picture_ends_above_the_knees(wide):
    """Trousers as wide as the coat was over them, in a half-body photo; a wide skirt that becomes trousers in one."""
    pose = np.zeros((18, 3))
    pose[[S.R_HIP, S.L_HIP]] = (43, 100, 1), (77, 100, 1)
    parse, hidden = np.zeros((140, 120), np.uint8), np.zeros((140, 120), bool)
    parse[110:, 10 if wide else 28:110 if wide else 92], hidden[:130] = S.LOWER, True
    found = list(limbs(pose, UNIT, parse, hidden))
    assert {cls for cls, *_ in found} == {S.RIGHT_LEG, S.LEFT_LEG}
    assert all(p[0, 1] == 100 and p[-1, 1] > 200 and abs(p[12, 0] - 60) < 17 for _, p, _ in found)
    assert len(trousers(found, parse, hidden)) == (0 if wide else 2)
    pose[S.R_HIP, 1] = pose[S.L_HIP, 1] = 20  # the knees would be in the picture
    assert not list(limbs(pose, UNIT, parse, hidden))


@pytest.mark.parametrize("what", ["trousers", "boots", "skirt", "bare", "close", "wide"])
def test_legs_go_on_in_the_trousers_that_show_below_a_coat(what):
    """A coat taken off, and ground where a leg must be, or a skirt that is as wide as the coat was; a skirt that becomes a pair of legs."""
    lines = [LINE + (x, 0) for x in ((-5, 5) if what in ("close", "wide") else (-22, 22))]
    found = [(cls, *profile(line, False, UNIT)) for cls, line in zip((S.RIGHT_LEG, S.LEFT_LEG), lines)]
    parse, hidden = np.zeros((200, 120), np.uint8), np.zeros((200, 120), bool)
    for _, points, radii in found:
        parse[capsule(parse.shape, points, 0.9 * radii)] = S.RIGHT_LEG if what == "bare" else S.LOWER
    if what in ("skirt", "wide"):
        parse[:, 30:90] = S.LOWER
    if what == "boots":
        parse[118:][parse[118:] > 0] = S.SHOES
    hidden[:110] = True
    legs = trousers(found, parse, hidden)
    assert len(legs) == (2 if what in ("trousers", "boots", "close") else 0)
    for (cls, points, radii), line in zip(legs, lines):
        assert cls == S.LOWER and (points[0] == line[0]).all() and 105 < points[-1, 1] < 125


@pytest.mark.parametrize("apart", [5, 22])
def test_trousers_are_no_wider_under_a_coat_than_below_it(apart):
    """Humps beside the hips where a coat was, above legs that are closer than their joints were found to be."""
    found = [(cls, *profile(LINE + (x, 0), False, UNIT)) for cls, x in ((S.RIGHT_LEG, -apart), (S.LEFT_LEG, apart))]
    parse, hidden = np.zeros((200, 120), np.uint8), np.zeros((200, 120), bool)
    for (_, points, radii), way in zip(found, (6, -6)):
        parse[capsule(parse.shape, points + (way, 0), radii)] = S.LOWER
    hidden[:110] = True
    below = np.flatnonzero(parse[112])
    legs = trousers(found, parse, hidden)
    assert len(legs) == 2
    edges = [(points[-2, 0] - radii[-2], points[-2, 0] + radii[-2]) for _, points, radii in legs]
    assert abs(min(a for a, _ in edges) - below[0]) < 2.5 and abs(max(b for _, b in edges) - below[-1]) < 2.5


def test_a_hidden_hand_has_fingers_and_a_thumb_towards_the_body():
    """Arms that end in a round stump, or as a mitten."""
    pose, shape = np.zeros((18, 3), np.float32), (240, 120)
    pose[[S.R_SHOULDER, S.R_ELBOW, S.R_WRIST], :2], pose[[S.R_SHOULDER, S.R_ELBOW, S.R_WRIST, S.NOSE], 2] = LINE, 1
    for middle, side in ((200, 1), (0, -1)):
        pose[S.NOSE, :2] = middle, 10
        parse = np.zeros(shape, np.uint8)
        whole = list(limbs(pose, UNIT, parse, np.ones(shape, bool), (S.RIGHT_ARM,)))
        found, creases = with_ends(out_of_sleeves(whole, np.zeros(shape, bool), np.ones(shape, bool)), whole, pose, UNIT, parse, np.ones(shape, bool))
        skin = np.any([capsule(shape, points, radii) for _, points, radii in found], 0)
        below = skin[164:]
        assert {cls for cls, *_ in found} == {S.RIGHT_ARM} and 0.2 * UNIT < np.flatnonzero(below.any(1)).max() < 0.32 * UNIT
        across = np.nonzero(below[int(0.12 * UNIT)])[0] - LINE[2, 0]
        assert side * across.mean() > 0.01 * UNIT and 0.1 * UNIT < np.ptp(across) < 0.15 * UNIT
        assert len(creases) == 4 and all(at(skin, points).mean() > 0.6 for _, points in creases)
        sleeve = np.zeros(shape, bool)
        sleeve[:158] = True  # down to the wrist
        longer, _ = with_ends(out_of_sleeves(whole, sleeve, np.ones(shape, bool)), whole, pose, UNIT, parse, np.ones(shape, bool))
        assert np.array_equal(np.any([capsule(shape, points, radii) for _, points, radii in longer], 0)[170:], skin[170:])
    parse[162:182, 52:68] = S.RIGHT_ARM
    seen = list(limbs(pose, UNIT, parse, np.zeros(shape, bool), (S.RIGHT_ARM,)))
    assert with_ends(seen, seen, pose, UNIT, parse, np.zeros(shape, bool)) == (seen, [])


def test_a_leg_whose_foot_was_hidden_ends_in_one():
    """Legs that end in stumps where a skirt reached the ground; feet beside the shoes that are seen."""
    pose, shape = np.zeros((18, 3), np.float32), (240, 120)
    pose[[S.R_HIP, S.R_KNEE, S.R_ANKLE], :2], pose[[S.R_HIP, S.R_KNEE, S.R_ANKLE], 2] = LINE, 1
    parse, hidden = np.zeros(shape, np.uint8), np.ones(shape, bool)
    hidden[200:] = False  # below the hem
    region = lambda found: np.any([capsule(shape, points, radii) for _, points, radii in found], 0)
    whole = list(limbs(pose, UNIT, parse, hidden, (S.RIGHT_LEG,)))
    bare, found = region(whole), region(with_ends(whole, whole, pose, UNIT, parse, hidden)[0])
    assert 0.02 * UNIT ** 2 > (found & ~bare).sum() > 0.006 * UNIT ** 2 and np.flatnonzero(found.any(1)).max() > 160 + 0.15 * UNIT
    parse[202:212, 50:70] = S.SHOES
    assert with_ends(whole, whole, pose, UNIT, parse, np.zeros(shape, bool))[0] == whole  # an ankle that is seen
    shoe = hidden.copy()
    shoe[180:] = False
    parse[182:196, 50:70] = S.SHOES
    assert len(with_ends(whole, whole, pose, UNIT, parse, shoe)[0]) == 1


def test_an_arm_whose_hand_was_hidden_ends_in_one():
    """Stumps where a pocket was taken away; a second hand beside the one that is seen."""
    seen = np.zeros((220, 120), bool)
    assert hand(LINE, seen, UNIT) == HAND
    seen[162:182, 52:68] = True
    assert hand(LINE, seen, UNIT) == 0
    ends = [profile(LINE, True, UNIT, beyond)[0][-1, 1] for beyond in (0.0, HAND)]
    assert ends[0] == 160 and 170 < ends[1] < 190


def test_a_neck_is_no_wider_than_necks_are():
    """Skin painted where a scarf was, from ear to shoulder."""
    beside = beside_neck((200, 200), np.array((100.0, 100)), np.array((104.0, 55)), UNIT)
    assert beside[70, 60] and beside[70, 140] and not beside[70, 92:114].any()
    assert not beside[90:].any()  # shoulders


def test_a_neck_leads_to_the_middle_of_a_head_that_is_turned():
    """Ground in a nape, and skin before a throat, of somebody who looks sideways."""
    pose = np.zeros((18, 3))
    assert head(pose) is None
    pose[S.NOSE] = 140, 55, 1
    assert head(pose).tolist() == [140, 55]
    pose[[S.R_EAR, S.L_EAR]] = (98, 50, 1), (106, 50, 1)
    assert head(pose).tolist() == [102, 50]
    pose[S.NECK_JOINT] = 100, 100, 1
    (_, points, _), = throat(pose, UNIT, np.ones((200, 200), bool))
    assert np.abs(points[:, 0] - 100).max() < 3


def test_a_painted_neck_goes_over_into_the_shoulders():
    above, height = above_shoulders((200, 200), np.array((100.0, 100)), UNIT), lambda x: int(above[:100, x].sum())
    assert not above[20:, 100].any()  # the neck itself
    edge = [height(int(100 + (0.13 + d) * UNIT)) for d in (0.01, 0.05, 0.1, 0.3)]
    assert edge == sorted(edge) and edge[-1] > edge[0] + 0.06 * UNIT
    assert (above == above[:, ::-1])[:, 1:-1].mean() > 0.98
    # Bare shoulders of CCP's train split, medians: so far from the middle, so high above the joints.
    assert [100 - height(int(100 + u * UNIT)) for u in (0.15, 0.2, 0.25, 0.3)] == pytest.approx([v * UNIT for v in (0.165, 0.15, 0.12, 0.1)], abs=0.025 * UNIT)


def test_shins_are_curved_outwards():
    straight, _ = profile(LINE, False, UNIT)
    curved, radii = profile(LINE, False, UNIT, outwards=np.array((-1.0, 0)))
    shift = (straight - curved)[:, 0] / UNIT
    assert abs(shift[:9]).max() < 1e-6 and shift.max() == pytest.approx(CALVES[:, 1].max(), abs=2e-3) and shift.argmax() > 12


def test_a_freed_neck_is_wide_from_the_shoulders_to_the_chin():
    """A head parted from its body where a high collar was: a neck that tapers away below the chin, or one where no collar was taken off."""
    pose, free = np.zeros((18, 3), np.float32), np.zeros((400, 300), bool)
    pose[S.NECK_JOINT], pose[S.NOSE] = (150, 200, 1), (150, 120, 1)
    free[150:190, 120:180] = True
    (cls, points, radii), = throat(pose, 100.0, free)
    neck = capsule(free.shape, points, radii)
    assert cls == S.NECK and (neck[150:190].sum(1) >= 18).all() and (neck[150:190].sum(1) <= 26).all()
    assert not list(throat(pose, 100.0, free[:, ::-1] & False)) and not list(throat(pose * 0, 100.0, free))


def test_an_ankle_that_shows_tells_its_end_of_a_leg_and_little_of_the_rest():
    """A shin that is wider than the ankle it goes over into, below trousers that are taken off, and a thigh as thin as the ankle."""
    points, radii = profile(3 * LINE, False, 3 * UNIT, beyond=0.12)
    seen, hidden = capsule((600, 360), points + (6, 0), 0.75 * radii), np.zeros((600, 360), bool)
    seen[:430], seen[455:], hidden[:430] = False, False, True  # between trouser and shoe
    moved, thick = adjusted(points, radii, seen, hidden)
    ankle = np.abs(points[:, 1] - 442).argmin()
    assert abs(thick[ankle] / radii[ankle] - 0.77) < 0.06 and abs(moved[ankle, 0] - points[ankle, 0] - 6) < 1
    assert 0.85 < thick[6] / radii[6] < 1
    beside = seen | np.roll(seen, 8, 1)
    half = np.roll(hidden, 0) | (beside & (np.arange(360) < 190))  # a bag covers half of it
    assert np.array_equal(adjusted(points, radii, seen & ~half, half)[1], radii), "what is half hidden tells no width"
