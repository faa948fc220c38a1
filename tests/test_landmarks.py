"""tryon/landmarks.py against the drawn garments, whose landmarks are known."""

import cv2
import numpy as np
import pytest

from tryon import sample
from tryon import schema as S
from tryon.datasets.articulate import split
from tryon.landmarks import PART, SIDES, begun_at_shoulders, measure, rooted, short_sleeves, sure_of_sleeves

SIZE = (512, 384)
MEASURED = ("top", "shirt", "sweater", "jacket", "trousers", "shorts", "skirt", "dress", "jumpsuit", "hat")


@pytest.fixture(scope="module")
def drawn():
    """Eight drawings of every kind that can be put on."""
    return {kind: [sample.draw_garment(np.random.default_rng((n, 9)), SIZE, kind) for n in range(8)] for kind in MEASURED}


def errors(garments, name: str) -> np.ndarray:
    """Distance of a landmark (both sides of it) from the truth, as a share of the garment's longer side."""
    out = []
    for g in garments:
        found = measure(g.mask, g.category, g.subcategory).landmarks
        longer = max(np.ptp(np.flatnonzero(g.mask.any(axis))) for axis in (0, 1))
        names = [k for k in g.landmarks if name in (k, k.rpartition("_")[0])]
        out += [np.linalg.norm(np.subtract(found[k][:2], g.landmarks[k])) / longer for k in names]
    return np.array(out)


@pytest.mark.parametrize("kind, name, tolerance", [
    *((kind, "shoulder", 0.08) for kind in ("top", "shirt", "sweater", "jacket")),
    *((kind, "armpit", 0.13) for kind in ("top", "shirt", "sweater", "jacket")),
    *((kind, "cuff_outer", 0.07) for kind in ("top", "shirt", "sweater", "jacket")),
    *((kind, "hem", 0.08) for kind in ("top", "shirt", "sweater", "jacket")),
    *((kind, "waist", 0.03) for kind in ("trousers", "shorts", "skirt")),
    ("trousers", "crotch", 0.05), ("trousers", "hem", 0.04), ("trousers", "leg_inner", 0.04), ("shorts", "crotch", 0.1),
    ("shorts", "hem", 0.1),
    ("dress", "shoulder", 0.15), ("dress", "armpit", 0.15), ("jumpsuit", "shoulder", 0.15), ("hat", "crown", 0.06),
])
def test_landmark_is_near_the_truth(drawn, kind, name, tolerance):
    """A skirt read as sleeves, an armpit read at the hem, a crotch read at the waist: three in four must be within tolerance."""
    off = errors(drawn[kind], name)
    assert len(off) >= 4 and np.percentile(off, 75) < tolerance, np.sort(off).round(3)


@pytest.mark.parametrize("kind", ["top", "shirt", "sweater", "jacket"])
def test_both_ends_of_a_cuff_are_near_the_truth(drawn, kind):
    """A sleeve axis that bends at the end of a short sleeve: its inner corner then lies far off and the warp folds over."""
    off = errors(drawn[kind], "cuff_inner")
    assert np.percentile(off, 75) < 0.09, np.sort(off).round(3)


@pytest.mark.parametrize("kind", MEASURED)
def test_mirrored_mask_swaps_left_and_right(drawn, kind):
    """A side that is treated on its own terms: landmarks of a mirrored garment must be the mirrored landmarks, sides swapped."""
    swap = lambda name: name.replace("_left", "_?").replace("_right", "_left").replace("_?", "_right")
    far = []
    for g in drawn[kind]:
        a = measure(g.mask, g.category, g.subcategory)
        b = measure(np.ascontiguousarray(g.mask[:, ::-1]), g.category, g.subcategory)
        assert set(map(swap, b.landmarks)) == set(a.landmarks) and {swap("_" + k)[1:] for k in b.limbs} == set(a.limbs)
        longer = max(np.ptp(np.flatnonzero(g.mask.any(axis))) for axis in (0, 1))
        back = {swap(k): (SIZE[1] - 1 - x, y) for k, (x, y, _) in b.landmarks.items()}
        far += [np.linalg.norm(np.subtract(back[k], xyc[:2])) / longer for k, xyc in a.landmarks.items()]
    assert np.percentile(far, 90) < 0.04, np.sort(far).round(3)


@pytest.mark.parametrize("kind", MEASURED)
def test_measures_scale_with_the_picture(drawn, kind):
    """Pixels of the working size given back as pixels of the photo, or a threshold in pixels."""
    for g in drawn[kind][:3]:
        a = measure(g.mask, g.category, g.subcategory)
        b = measure(cv2.resize(g.mask, None, fx=2, fy=2, interpolation=cv2.INTER_NEAREST), g.category, g.subcategory)
        assert b.width == pytest.approx(2 * a.width, rel=0.04)
        np.testing.assert_allclose(b.centre, 2 * a.centre, atol=12)


@pytest.mark.parametrize("kind", MEASURED)
def test_names_are_those_of_the_schema_and_sides_are_the_wearers(drawn, kind):
    """A misspelt landmark nobody reads; left and right as in the picture instead of the wearer's."""
    for g in drawn[kind]:
        found = measure(g.mask, g.category, g.subcategory).landmarks
        assert set(found) <= set(S.LANDMARKS)
        assert all(0 <= c <= 1 for _, _, c in found.values())
        for name, (x, _, _) in found.items():
            if name.endswith("_left") and not name.startswith("cuff_inner"):
                assert x > found[name.replace("_left", "_right")][0], name


def test_sleeves_and_legs_are_found_where_they_are(drawn):
    """A sleeveless top that gets sleeves, trousers that lose a leg, a skirt that gets two."""
    limbs = lambda g: set(measure(g.mask, g.category, g.subcategory).limbs)
    both = {"left", "right"}
    for g in drawn["top"] + drawn["dress"]:
        assert limbs(g) == (both if "cuff_outer_left" in g.landmarks else set()), g.title
    for g in drawn["trousers"] + drawn["shorts"] + drawn["sweater"] + drawn["jacket"]:
        assert limbs(g) == both, g.title
    assert not any(map(limbs, drawn["skirt"] + drawn["hat"]))


@pytest.mark.parametrize("kind", ["trousers", "shorts", "skirt"])
def test_a_lower_garment_in_pieces_is_measured(kind):
    """A mask with empty rows between its pieces was an error without a reason."""
    mask = np.zeros((300, 200), np.uint8)
    mask[20:60, 50:150], mask[90:220, 40:160] = 255, 255
    assert 80 < measure(mask, "lower", kind).width < 130


@pytest.mark.parametrize("flip", [False, True])
def test_a_leg_that_lies_aslant_ends_in_the_middle_of_its_own_hem(flip):
    """Legs of different length in the picture, one of them aslant with its hem: an axis that bends to a corner, or ends where the other leg does."""
    mask = np.zeros((400, 300), np.uint8)
    waist, crotch = ((90, 20), (210, 20)), (150, 150)
    aslant, upright = ((70, 350), (15, 320)), ((215, 385), (160, 385))  # of each hem: inner and outer corner, and the other way round
    cv2.fillPoly(mask, [np.array((*waist, (225, 150), *upright, crotch, *aslant, (75, 150)), np.int32)], 255)
    shape = measure(mask[:, ::-1].copy() if flip else mask, "lower", "trousers")
    for side, corners, start in (("right", aslant, (112, 150)), ("left", upright[::-1], (188, 150))):
        side = {"right": "left", "left": "right"}[side] if flip else side
        back = lambda p: np.array((299 - p[0], p[1])) if flip else np.array(p)
        axis = np.array([back(p) for p in shape.limbs[side][:, :2]])
        straight, end = np.mean(corners, 0) - start, np.mean(corners, 0)
        last = axis[-1] - axis[-2]
        assert np.linalg.norm(axis[-1] - end) < 9 and np.linalg.norm(axis[0] - start) < 9, (side, axis)
        assert last @ straight / np.linalg.norm(last) / np.linalg.norm(straight) > 0.99
        assert abs(shape.limbs[side][-1, 2] - np.linalg.norm(np.subtract(*corners)) / 2) < 5
        for name, corner in zip((f"leg_inner_{side}", f"hem_{side}"), corners):
            assert np.linalg.norm(back(shape.landmarks[name][:2]) - corner) < 6, name


def test_a_crotch_that_is_seen_is_where_legs_begin():
    """Legs that begin somewhere above or below the gap between them, where a network put the crotch; where they touch it alone can tell."""
    mask = np.zeros((400, 300), np.uint8)
    cv2.fillPoly(mask, [np.array(((90, 20), (210, 20), (250, 380), (195, 380), (150, 150), (105, 380), (50, 380)), np.int32)], 255)
    touching = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((1, 121), np.uint8))
    parts = (mask > 0).astype(np.uint8)
    for told in (110.0, 180.0):
        shape = measure(mask, "lower", "trousers", parts, {"crotch": (150.0, told, 0.9)})
        assert all(abs(axis[0, 1] - shape.landmarks["crotch"][1]) < 3 and abs(axis[0, 1] - 150) < 12 for axis in shape.limbs.values())
        shape = measure(touching, "lower", "trousers", (touching > 0).astype(np.uint8), {"crotch": (150.0, told, 0.9)})
        assert set(shape.limbs) == {"left", "right"} and all(abs(axis[0, 1] - told) < 6 for axis in shape.limbs.values())
        assert abs(shape.landmarks["crotch"][1] - told) < 1


def test_the_edge_of_an_armhole_is_no_sleeve(drawn):
    """A sliver of the torso that the network calls a sleeve, drawn out over a whole arm."""
    g = next(x for x in drawn["sweater"])
    parts = np.where(g.mask > 0, 1, 0).astype(np.uint8)
    x, y = (int(v) for v in g.landmarks["shoulder_left"])
    width = measure(g.mask, "upper", "sweater").width
    parts[y:y + int(0.5 * width), x - int(0.05 * width):x + int(0.02 * width)] *= 3
    assert "left" not in measure(g.mask, "upper", "sweater", parts, {}).limbs


@pytest.mark.parametrize("kind", ["top", "shirt"])
def test_short_sleeves_that_were_taken_for_torso_are_told_by_their_landmarks(kind):
    """A plain T-shirt whose sleeves the parts do not show is no vest; a strip along an armhole is no sleeve."""
    rng, checked = np.random.default_rng(5), 0
    while checked < 4:
        garment = sample.draw_garment(rng, SIZE, kind)
        parts = split(garment.mask, garment.landmarks, garment.category)
        if parts is None or "cuff_outer_left" not in garment.landmarks:  # one without sleeves
            continue
        region = [parts == PART[side] for side in SIDES]
        reach = [np.linalg.norm(np.subtract(garment.landmarks[f"cuff_outer_{s}"], garment.landmarks[f"shoulder_{s}"])) for s in SIDES]
        wide = np.linalg.norm(np.subtract(garment.landmarks["shoulder_left"], garment.landmarks["shoulder_right"]))
        if min(r.sum() for r in region) < 100 or max(reach) > 0.6 * wide:
            continue
        checked += 1
        points = {name: (x, y, 0.8) for name, (x, y) in garment.landmarks.items()}
        found = short_sleeves(np.minimum(parts, 1), points)
        for side, truth in zip(SIDES, region):
            mine = found == PART[side]
            assert (mine & truth).sum() / (mine | truth).sum() > 0.75
        assert sure_of_sleeves(points) and not sure_of_sleeves(points | {"cuff_inner_left": (0, 0, 0.2)})
        strip = points | {f"{end}_{s}": (*np.add(points[f"armpit_{s}"][:2], (-2 * SIDES[s], 0)), 0.8) for end in ("cuff_outer", "cuff_inner") for s in SIDES}
        assert (short_sleeves(np.minimum(parts, 1), strip) < 2).all()


def test_a_hem_is_not_at_a_cuff():
    """The corner of a hem found at the end of a sleeve that hangs beside it: part of the sleeve was taken for torso, and stood out from the body as a wedge."""
    parts = np.zeros((200, 240), np.uint8)
    parts[20:180, 70:170] = 1
    parts[30:170, 20:50], parts[30:170, 190:220] = 2, 3
    parts[30:60, 50:70], parts[30:60, 170:190] = 2, 3
    mask = (parts > 0).astype(np.uint8) * 255
    points = {"hem_left": (169.0, 178.0, 0.9), "hem_right": (22.0, 168.0, 0.9), "cuff_outer_right": (20.0, 168.0, 0.9), "cuff_inner_right": (49.0, 168.0, 0.9)}
    found = measure(mask, "upper", "sweater", parts, points).landmarks
    assert np.hypot(*np.subtract(found["hem_right"][:2], (70, 179))) < 12, found["hem_right"]
    assert np.hypot(*np.subtract(found["hem_left"][:2], (169, 178))) < 2, found["hem_left"]


def test_a_piece_of_a_vest_is_no_sleeve():
    """Vests whose sides cover the arms like a cape."""
    parts = np.zeros((200, 160), np.uint8)
    parts[10:190, 30:130] = 1
    points = {"shoulder_right": (32.0, 15.0, 0.9), "shoulder_left": (128.0, 15.0, 0.9)}
    vest = parts.copy()
    vest[120:170, 100:130], vest[150:153, 30:36] = PART["left"], PART["right"]
    assert (rooted(vest, points) == parts).all()
    for rows, other in (((20, 70), None), ((120, 170), (120, 170))):  # one that begins at its shoulder; both hanging, of which the lower ends alone were told
        sleeved = parts.copy()
        sleeved[slice(*rows), 100:130] = PART["left"]
        if other:
            sleeved[slice(*other), 30:60] = PART["right"]
        assert (rooted(sleeved, points) == sleeved).all()
    assert (rooted(vest, {}) == vest).all()


def test_sleeves_of_a_dress_begin_at_its_shoulders():
    """A corner of a hem, or the side of a dress, worn on an arm; a ribbon beside a sleeve, which leaves both arms bare."""
    parts = np.zeros((200, 160), np.uint8)
    parts[10:190, 30:130] = 1
    points = {"shoulder_right": (42.0, 12.0, 0.9), "shoulder_left": (118.0, 12.0, 0.9)}
    pieces = parts.copy()
    pieces[165:190, 115:130], pieces[60:110, 30:42] = PART["left"], PART["right"]
    assert (begun_at_shoulders(pieces, points) == parts).all() and (begun_at_shoulders(pieces, {}) == pieces).all()
    pieces[10:40, 20:42] = PART["right"]
    found = begun_at_shoulders(pieces, points)
    assert (found[10:40, 20:42] == PART["right"]).all() and (found[:, 100:] == parts[:, 100:]).all()
    sleeve = {"armpit_right": (42.0, 40.0, 0.9), "cuff_outer_right": (20.0, 20.0, 0.9), "cuff_inner_right": (22.0, 40.0, 0.9)}
    assert (begun_at_shoulders(pieces, points | sleeve) == pieces).all()


def test_a_waist_is_as_wide_as_its_outline_tells(goods):
    """Both ends of a waistband found at the same corner, so that shorts seem to lie aslant."""
    garment = goods["skirt-09"]
    found = {name: tuple(at) for name, at in garment.landmarks.items()}
    corner = found | {"waist_left": (found["waist_right"][0] + 5, found["waist_right"][1] - 8, 0.8)}
    for points in (found, corner):
        lm = measure(garment.mask, "lower", "skirt", garment.parts, points).landmarks
        assert abs(lm["waist_left"][0] - found["waist_left"][0]) < 0.1 * garment.shape.width
        assert abs(lm["waist_left"][1] - lm["waist_right"][1]) < 0.1 * garment.shape.width


def test_a_sleeve_that_hangs_along_the_torso_goes_down_to_its_cuff():
    """A long sleeve whose armhole is seen deep down the side, measured across: with a stub for the other sleeve both were lost, and the shirt had none."""
    mask = np.zeros((400, 400), np.uint8)
    sleeve = cv2.fillPoly(mask.copy(), [np.array(((272, 80), (300, 110), (345, 330), (318, 338), (283, 210)))], 1)
    torso = cv2.fillPoly(mask.copy(), [np.array(((130, 80), (272, 80), (283, 210), (280, 320), (120, 320), (118, 210)))], 1)
    mirrored = sleeve[:, ::-1]
    parts = np.where(sleeve > 0, 3, np.where(mirrored > 0, 2, torso)).astype(np.uint8)
    parts[torso > 0] = 1
    points = {"shoulder_left": (274.0, 82.0, 1.0), "armpit_left": (283.0, 206.0, 1.0), "shoulder_right": (126.0, 82.0, 1.0), "armpit_right": (117.0, 206.0, 1.0)}
    shape = measure(np.where(parts > 0, 255, 0).astype(np.uint8), "upper", "top", parts, points)
    assert shape.limbs.keys() == {"left", "right"}
    for side, cuff in (("left", (332, 334)), ("right", (67, 334))):
        axis = shape.limbs[side]
        assert np.linalg.norm(axis[-1, :2] - cuff) < 25 and axis[-1, 1] - axis[0, 1] > 120, axis
        assert np.median(axis[:, 2]) < 25


def test_legs_of_shorts_go_to_the_middle_of_their_own_hems():
    """Shorts that were laid out with their legs far apart, worn as they lay, as only what was below where a leg begins was asked for its hem."""
    leg = lambda sign: [(200 + sign * a, b) for a, b in ((0, 200), (72, 330), (152, 290), (95, 200), (80, 60), (0, 60))]
    mask = np.zeros((400, 400), np.uint8)
    for sign in (-1, 1):
        cv2.fillPoly(mask, [np.array(leg(sign), np.int32)], 255)
    shape = measure(mask, "lower", "shorts")
    assert shape.limbs.keys() == {"left", "right"}
    for side, sign in SIDES.items():
        axis, (_, inner, outer, *_) = shape.limbs[side], leg(sign)
        middle = np.mean((inner, outer), 0)
        assert np.linalg.norm(axis[-1, :2] - middle) < 8 and abs(axis[-1, 2] - np.linalg.norm(np.subtract(inner, outer)) / 2) < 6, (axis, middle)
        assert np.linalg.norm(np.subtract(shape.landmarks[f"hem_{side}"][:2], outer)) < 12
        assert np.linalg.norm(np.subtract(shape.landmarks[f"leg_inner_{side}"][:2], inner)) < 12
