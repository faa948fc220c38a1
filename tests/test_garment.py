"""tryon/garment.py and what tryon/landmarks.py makes of parts and landmarks: with the package's own garment network, on drawn garments."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from tryon import sample
from tryon import schema as S
from tryon.colours import colours
from tryon.datasets import articulate
from tryon.garment import Garment, below_bar, between_legs, between_parts, cloth_alone, found_in, leans, patches_of_ground, peaks, quarter_turns, turns_of, upright, whole, without_hanger, without_rim
from tryon.fit import fit
from tryon.landmarks import PART, Shape, alike, between_ends, lone, measure, other_sleeve, plausible, set_in, unlike, whole_sleeves
from tryon.models.weights import KINDS
from tryon.sleeves import chart
from tryon.texture import textures

SIZE = (448, 336)


@pytest.fixture(scope="module")
def drawn():
    return {kind: sample.draw_garment(np.random.default_rng((2, 5)), SIZE, kind) for kind in ("top", "sweater", "trousers", "dress")}


def test_an_analysis_comes_back_from_the_store(tryon, drawn):
    """A part or a landmark lost on the way to the cache."""
    photo = drawn["sweater"].image
    found = tryon.garment(photo)
    back = Garment.from_bytes(found.to_bytes(), photo)
    assert (back.category, back.subcategory, back.landmarks) == (found.category, found.subcategory, found.landmarks)
    assert (back.mask == found.mask).all() and (back.parts == found.parts).all()
    assert back.shape.limbs.keys() == found.shape.limbs.keys() == {"left", "right"}


@pytest.mark.parametrize("turns", [0, 1, 3])
def test_trousers_that_lie_on_their_side_are_turned(tryon, drawn, turns):
    """Legs taken for a waist and a hem; a photo that does not fit the analysis it was kept with."""
    photo = np.ascontiguousarray(np.rot90(drawn["trousers"].image, turns))
    mask = np.rot90(drawn["trousers"].mask, turns)
    assert quarter_turns(mask > 0) == (4 - turns) % 4
    found = tryon.garment(photo, mask=np.ascontiguousarray(mask), category="lower")
    back = Garment.from_bytes(found.to_bytes(), photo)
    assert found.turned == back.turned == 90 * ((4 - turns) % 4)
    assert (found.photo == drawn["trousers"].image).all() and (back.photo == found.photo).all() and (found.mask == drawn["trousers"].mask).all()


@pytest.mark.parametrize("kind", ["sweater", "dress"])
@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_tops_and_dresses_that_lie_on_their_side_or_upside_down_are_turned(tryon, drawn, kind, turns):
    """A shirt worn across the body; a photo that does not fit the analysis it was kept with."""
    photo = np.ascontiguousarray(np.rot90(drawn[kind].image, turns))
    found = tryon.garment(photo)
    back = Garment.from_bytes(found.to_bytes(), photo)
    assert found.turned == back.turned == 90 * ((4 - turns) % 4) and S.CATEGORY_OF[found.subcategory] == S.CATEGORY_OF[kind]
    assert (found.photo == drawn[kind].image).all() and (back.photo == found.photo).all()


@pytest.mark.parametrize("kind, turns", [("sweater", 1), ("dress", 0)])
def test_a_large_photo_is_analysed_as_a_small_one_with_finer_outlines(tryon, kind, turns):
    """Landmarks and parts off their places in a photo that was made smaller to be analysed; stairs at its outlines; a mask that was given and comes back coarse."""
    large = sample.draw_garment(np.random.default_rng((2, 5)), (1500, 1100), kind)
    small = cv2.resize(large.image, (352, 480), interpolation=cv2.INTER_AREA)
    found, few = tryon.garment(np.ascontiguousarray(np.rot90(large.image, turns))), tryon.garment(small)
    assert found.photo.shape == large.image.shape and found.turned == 90 * (-turns % 4) and found.subcategory == few.subcategory
    assert found.landmarks.keys() == few.landmarks.keys() and found.shape.limbs.keys() == few.shape.limbs.keys()
    place = lambda garment: np.array([v[:2] for _, v in sorted(garment.landmarks.items())]) / garment.mask.shape[::-1]
    assert np.median(np.abs(place(found) - place(few))) < 0.004
    assert ((found.parts > 0) == (found.mask > 0)).all() and not (found.inner > found.mask).any()
    agree = lambda mask: (mask & (large.mask > 0)).sum() / (mask | (large.mask > 0)).sum()
    stairs = cv2.resize(few.mask, large.mask.shape[::-1], interpolation=cv2.INTER_NEAREST) > 0
    assert agree(found.mask > 0) > max(0.98, agree(stairs))
    assert (tryon.garment(large.image, mask=large.mask).mask == large.mask).all()


def test_what_a_small_photo_leaves_out_stays_out_in_a_large_one(drawn):
    """A sleeve folded away beside the torso, which belongs to no part, worn again as torso; thin straps of the ground's colour that get lost."""
    def analyse(photo, _):
        mask = cv2.resize(drawn["top"].mask, photo.shape[1::-1], interpolation=cv2.INTER_NEAREST)
        mask[20:60, 30:32] = 255
        parts = (mask > 127).astype(np.uint8)
        parts[:, :photo.shape[1] // 3] *= 2
        parts[200:240, photo.shape[1] // 2:] = 0
        return Garment(photo, mask, parts, np.zeros_like(mask), "upper", "top", measure(mask, "upper", "top"), 1.0)

    photo = np.full((960, 720, 3), 230, np.uint8)
    few, found = analyse(np.ascontiguousarray(photo[::2, ::2]), None), whole(analyse, photo, None)
    wide = found.parts[::2, ::2]
    assert found.mask.shape == (960, 720) and set(np.unique(wide[few.mask > 0])) == {0, 1, 2}
    assert (wide == few.parts)[few.mask > 0].mean() > 0.98 and not wide[204:236, 180:].any() and (found.mask[44:116, 61:63] > 0).all()


def test_which_way_a_garment_lies_is_told_by_collar_and_hem_alone():
    """One that hangs aslant turned by a quarter, or by what is hardly seen."""
    corners = {"collar_left": (10, -50, 0.9), "collar_right": (-10, -50, 0.9), "hem_left": (30, 50, 0.9), "hem_right": (-30, 50, 0.9)}
    turned = lambda degrees: {n: (x * np.cos(a) + y * np.sin(a), y * np.cos(a) - x * np.sin(a), c) for a in (np.radians(degrees),) for n, (x, y, c) in corners.items()}
    assert [turns_of(turned(d)) for d in (0, 25, 90, 180, 270, 110)] == [0, 0, 3, 2, 1, 3]
    assert turns_of(turned(45)) == 0, "nobody knows"
    assert turns_of({n: p for n, p in turned(90).items() if n != "hem_left"}) == 0


def test_what_leans_is_told_by_lines_that_agree(drawn):
    """A shirt with a slanted hem turned by that; one that the camera saw from the side; one that hangs straight."""
    corners = {"collar_left": (10, -60, 0.9), "collar_right": (-10, -60, 0.9), "shoulder_left": (35, -50, 0.9), "shoulder_right": (-35, -50, 0.9),
               "armpit_left": (30, -20, 0.9), "armpit_right": (-30, -20, 0.9), "hem_left": (30, 60, 0.9), "hem_right": (-30, 60, 0.9)}
    turned = lambda degrees: {n: (x * np.cos(a) + y * np.sin(a), y * np.cos(a) - x * np.sin(a), c) for a in (np.radians(degrees),) for n, (x, y, c) in corners.items()}
    assert [leans(turned(d)) for d in (0, 3, 12, -12, 45)] == [0, 0, -12, 12, 0]
    assert leans(corners | {"hem_left": (30, 40, 0.9)}) == 0, "its hem alone slopes"
    assert leans({n: (x, y + 0.2 * x, c) for n, (x, y, c) in corners.items()}) == 0, "its middle does not lean"
    assert leans({n: p for n, p in turned(12).items() if n != "hem_left"}) == 0


@pytest.mark.parametrize("degrees", [-14, 10])
def test_a_top_that_lies_aslant_is_set_upright(tryon, drawn, degrees):
    """A shirt whose buttons run across the chest; a photo that does not fit the analysis it was kept with; cloth lost at the border."""
    photo = upright(drawn["sweater"].image, degrees)
    found = tryon.garment(photo)
    back = Garment.from_bytes(found.to_bytes(), photo)
    assert abs(found.turned + degrees) <= 4 and back.turned == found.turned and (back.photo == found.photo).all() and found.photo.shape[:2] == found.mask.shape
    assert abs(leans(found.landmarks)) < 6
    hem = np.subtract(found.landmarks["hem_left"][:2], found.landmarks["hem_right"][:2])
    assert abs(np.degrees(np.arctan2(hem[1], hem[0]))) < 5
    assert (found.mask > 0).sum() == pytest.approx((drawn["sweater"].mask > 0).sum(), rel=0.06)


def test_pictures_are_turned_with_all_that_is_in_them():
    """Corners cut off; a mask with grey edges; a border of black; a quarter turn that resamples."""
    photo, mask = np.full((60, 40, 3), 200, np.uint8), np.ones((60, 40), bool)
    assert (upright(photo, 17) == 200).all() and upright(mask, 17).dtype == bool and upright(mask, 17).shape == upright(photo, 17).shape[:2]
    assert upright(mask, 17).sum() == pytest.approx(mask.sum(), rel=0.03) and not upright(mask, 17)[0, 0]
    ramp = np.arange(2400, dtype=np.uint8).reshape(60, 40)
    assert all((upright(ramp, 90 * k) == np.rot90(ramp, k)).all() for k in range(4)) and upright(None, 17) is None
    assert upright(photo, 107).shape == upright(np.rot90(photo), 17).shape


def test_ground_between_sleeve_and_torso_is_no_cloth():
    """A red wedge in the armpit of a grey jacket on a red sheet, closed by the cuff; a red print on its chest that goes, or cloth in the sheet's colour."""
    rng = np.random.default_rng(0)
    photo = np.full((400, 400, 3), (200, 30, 30), np.uint8)
    parts = np.zeros((400, 400), np.uint8)
    parts[60:340, 120:280], parts[80:320, 40:120] = 1, 2
    photo[60:340, 20:40] = 165, 25, 25  # its shadow
    photo[parts > 0] = 120, 125, 130
    photo[150:170, 190:220] = 200, 30, 30  # a print
    wedge = np.zeros(parts.shape, bool)
    for y in range(120, 310):
        wedge[y, 119 - (y - 120) // 30:121 + (y - 120) // 30] = True
    photo[wedge] = 165, 25, 25
    photo = np.clip(photo + rng.normal(0, 3, photo.shape), 0, 255).astype(np.uint8)
    mask = np.where(parts > 0, 255, 0).astype(np.uint8)
    found = between_parts(photo, mask, parts)
    assert (found & wedge).sum() > 0.8 * wedge.sum() and (found & ~wedge).sum() < 0.1 * wedge.sum()
    photo[parts > 0] = 200, 30, 30
    assert not between_parts(photo, mask, parts).any()
    assert not between_parts(np.full_like(photo, 128), np.zeros_like(mask), np.zeros_like(parts)).any()


def test_a_skirt_or_shorts_on_their_side_stay_as_they_are():
    """Turned at random, where nothing tells."""
    wide = np.zeros((100, 200), bool)
    wide[20:80, 10:190] = True
    assert quarter_turns(wide) == 0
    wide[45:55, 150:] = wide[45:55, :50] = False  # two pieces at both ends
    assert quarter_turns(wide) == 0


@pytest.mark.parametrize("kind", ["sweater", "shirt", "jacket"])
def test_hanging_sleeves_are_measured_along_themselves(kind):
    """Sleeves that lie against the torso or on it, read as a wide torso: the outline alone cannot tell them."""
    off = []
    for seed in range(8):
        g = sample.draw_garment(np.random.default_rng((seed, 7)), SIZE, kind)
        flat = articulate.Layout(g.image, g.mask, articulate.split(g.mask, g.landmarks, g.category), g.landmarks)
        laid = articulate.lay(flat, g.category, np.random.default_rng(seed))
        truth = {k: (*v, 1.0) for k, v in laid.landmarks.items()}
        shape = measure(laid.mask, g.category, kind, laid.parts, truth)
        apart = abs(g.landmarks["armpit_left"][0] - g.landmarks["armpit_right"][0])
        assert 0.75 < shape.width / apart < 1.3, (seed, shape.width, apart)
        for side, axis in shape.limbs.items():
            cuff = np.mean([laid.landmarks[f"cuff_{edge}_{side}"] for edge in ("outer", "inner")], 0)
            off.append(np.linalg.norm(axis[-1, :2] - cuff) / apart)
    assert len(off) >= 12 and np.percentile(off, 75) < 0.3, np.sort(off).round(2)


def laid(drawn) -> tuple[np.ndarray, dict, Shape]:
    """Parts, landmarks with their confidence, and measures of a drawn garment."""
    parts, points = articulate.split(drawn.mask, drawn.landmarks, drawn.category), {k: (*v, 1.0) for k, v in drawn.landmarks.items()}
    return parts, points, measure(drawn.mask, drawn.category, drawn.subcategory, parts, points)


@pytest.mark.parametrize("found", ["left", "right"])
def test_a_sleeve_that_is_folded_away_is_like_the_other_one(drawn, persons, found):
    """A long-sleeved top that comes out with one sleeve, or with the shoulder where the fold was; a second sleeve on the wrong arm."""
    top, other = drawn["sweater"], {"left": "right", "right": "left"}[found]
    parts, points, whole = laid(top)
    mask = np.where(parts == PART[other], 0, top.mask).astype(np.uint8)
    parts[parts == PART[other]] = 0
    points = {k: v for k, v in points.items() if not k.startswith("cuff") or k.endswith(found)}
    points[f"shoulder_{other}"] = (*np.add(points[f"shoulder_{other}"][:2], (0, 0.3 * whole.width)), 1.0)
    shape = measure(mask, "upper", "sweater", parts, dict(points))
    assert list(shape.limbs) == [found] and lone(shape)
    parts, points = alike(parts, points, shape)
    shape = measure(mask, "upper", "sweater", parts, dict(points))
    assert np.linalg.norm(np.subtract(points[f"shoulder_{other}"][:2], whole.landmarks[f"shoulder_{other}"][:2])) < 0.08 * whole.width
    garment = Garment(top.image, mask, parts, top.inner, "upper", "sweater", shape, 1.0)
    assert garment.sleeves == dict.fromkeys(("left", "right"), found)
    person = persons["clara"]
    layers = {layer.part: layer for layer in fit(person, garment).layers}
    assert layers.keys() == {"torso", "left", "right"}
    area = {side: int((layers[side].cover > 127).sum()) for side in ("left", "right")}
    assert 0.8 < area["left"] / area["right"] < 1.25, area
    for side, sign in (("left", 1), ("right", -1)):  # of the picture, in which she faces us
        x = np.nonzero(layers[side].cover > 127)[1].mean() / layers[side].cover.shape[1] * person.parse.shape[1]
        assert sign * (x - person.pose[0, 1, 0]) > 0


@pytest.mark.parametrize("found", ["left", "right"])
@pytest.mark.parametrize("reach, sure, sleeved", [(1.0, True, True), (1.0, False, True), (0.6, True, True), (0.6, False, False), (0.3, True, False)])
def test_a_dress_with_one_sleeve_has_two(found, reach, sure, sleeved):
    """A dress whose other sleeve is folded away, or was not told from the ground, worn with bare arms; a strap, or the end of a hanger, worn on both."""
    dress, other = sample.draw_garment(np.random.default_rng((2, 2)), SIZE, "dress"), {"left": "right", "right": "left"}[found]
    parts = articulate.split(dress.mask, dress.landmarks, "full")
    parts[parts == PART[other]] = 0
    at = {name: np.array(point, float) for name, point in dress.landmarks.items()}
    sleeve = at[f"cuff_outer_{found}"] - at[f"shoulder_{found}"]
    y, x = np.mgrid[0:SIZE[0], 0:SIZE[1]]
    parts[(parts == PART[found]) & ((np.stack((x, y), -1) - at[f"shoulder_{found}"]) @ sleeve > reach * sleeve @ sleeve)] = 0
    for name, start in (("cuff_outer", "shoulder"), ("cuff_inner", "armpit")):
        at[f"{name}_{found}"] = at[f"{start}_{found}"] + reach * (at[f"{name}_{found}"] - at[f"{start}_{found}"])
    heat = np.zeros((len(S.LANDMARKS), *SIZE), np.float32)
    for name, point in at.items():
        if not name.startswith("cuff") or name.endswith(found):
            heat[S.LANDMARKS.index(name)][tuple(np.rint(point[::-1]).astype(int))] = 1.0 if sure or not name.startswith("cuff") else 0.4
    heat[S.LANDMARKS.index(f"shoulder_{other}")] = np.roll(heat[S.LANDMARKS.index(f"shoulder_{other}")], 20, 0)  # where it is folded
    kinds = np.zeros(len(KINDS), np.float32)
    told = (parts > 0).astype(np.float32), np.stack([parts == k for k in (1, 2, 3)]).astype(np.float32), heat, np.zeros(SIZE, np.float32), kinds
    garment = found_in(None, np.where(parts[..., None] > 0, dress.image, np.uint8(255)), "full", None, "dress", told)
    assert garment.sleeves == (dict.fromkeys(("left", "right"), found) if sleeved else {})
    lower = garment.landmarks[f"shoulder_{other}"][1] - garment.landmarks[f"shoulder_{found}"][1]
    assert abs(lower) < 3 if sleeved else 12 < lower < 28, lower


def test_a_stub_of_a_sleeve_is_told_from_a_short_sleeve(drawn):
    """The shoulder of a sleeve taken for all of it; a short sleeve, or one seen a little shorter, thrown away."""
    parts, points, shape = laid(drawn["sweater"])
    assert unlike(shape) is None and unlike(laid(drawn["top"])[2]) is None
    for side in ("left", "right"):
        axis = shape.limbs[side].copy()
        shape.limbs[side] = axis[:3]
        assert unlike(shape) == side
        shape.limbs[side] = axis * (1, 1, 3)
        assert unlike(shape) == side, "a strip of the torso"
        shape.limbs[side] = axis
        at = dict(shape.landmarks)
        shape.landmarks[f"shoulder_{side}"], shape.landmarks[f"armpit_{side}"] = at[f"armpit_{side}"], at[f"shoulder_{side}"]
        assert unlike(shape) == side, "upside down"
        other = "left" if side == "right" else "right"
        whole, shape.limbs[other] = shape.limbs[other], shape.limbs[other][:3]
        assert unlike(shape) == other, "a stub is no better than a sleeve with its shoulder in the wrong place"
        shape.limbs[other] = whole
        shape.landmarks.update(at)


def test_a_sleeve_on_the_torso_goes_down_to_its_cuff():
    """A sleeve of which only the shoulder was told from the torso; a strip where only one side's cuff says so, or over the ground."""
    parts = np.zeros((200, 200), np.uint8)
    parts[20:180, 40:160] = 1
    parts[22:50, 40:60], parts[22:50, 140:160] = 2, 3
    sides = {"right": (lambda x: x), "left": (lambda x: 199 - x)}
    points = {f"{n}_{s}": (at(x), y, 0.9) for s, at in sides.items() for n, x, y in (("shoulder", 45, 22), ("cuff_outer", 41, 170), ("cuff_inner", 56, 170))}
    whole = between_ends(parts, points)
    assert (whole[40:160, 42:52] == 2).all() and (whole[40:160, 148:158] == 3).all() and (whole[:, 80:120] == parts[:, 80:120]).all()
    assert (between_ends(parts, points | {"cuff_outer_left": (158.0, 60.0, 0.9), "cuff_inner_left": (143.0, 60.0, 0.9)}) == parts).all()
    cut = parts.copy()
    cut[22:50, :40] = 2  # goes on beyond the border of the photo
    assert (between_ends(cut, points) == cut).all()
    short = parts.copy()
    short[100:, :60], short[100:, 140:] = 0, 0
    assert (between_ends(short, points) == short).all()


def test_the_lower_end_of_a_sleeve_is_carried_up_to_the_shoulder():
    """A sleeve against the torso of which only the cuff was told from it: the rest would stay behind on the body."""
    parts = np.zeros((200, 200), np.uint8)
    parts[20:180, 40:160] = 1
    parts[120:170, 130:160] = 3
    points = {"shoulder_right": (45.0, 22.0, 0.9), "shoulder_left": (155.0, 22.0, 0.9)}
    whole = whole_sleeves(parts, points)
    assert (whole[30:170, 145:159] == 3).all() and (whole[:, 40:110] == parts[:, 40:110]).all()
    assert (whole_sleeves(parts, {}) == parts).all()
    # One that is seen from the side, behind the torso: half the chest would be sleeve.
    parts[parts == 3] = 1
    parts[:, 152:160] = 0
    parts[90:170, 152:160] = 3
    whole = whole_sleeves(parts, points)
    assert (whole[40:60, 149:152] == 3).all() and (whole[:, 40:136] == parts[:, 40:136]).all()


def test_raglan_sleeves_begin_at_the_shoulder():
    """Sleeves that begin at the collar: turned down with the arms, they would leave the shoulders bare."""
    parts = np.zeros((200, 200), np.uint8)
    parts[30:180, 60:140] = 1
    for value, edge in ((2, 60), (3, 140)):
        arm = np.array(((100, 20), (100, 60), (edge, 95), (40 if value == 2 else 160, 160), (20 if value == 2 else 180, 150), (edge, 40)))
        cv2.fillPoly(parts, [arm], value)
    points = {"shoulder_right": (92.0, 22.0, 0.9), "shoulder_left": (108.0, 22.0, 0.9)}
    mask = (parts > 0).astype(np.uint8) * 255
    shape = measure(mask, "upper", "top", parts, points)
    label, left = set_in(parts, points, shape)
    y = int(shape.landmarks["armpit_left"][1])
    middle = slice(int(100 - 0.4 * shape.width), int(100 + 0.4 * shape.width))
    assert not np.isin(label[:y - 1, middle], (2, 3)).any() and not left and ((label > 0) == (parts > 0)).all()
    assert (label[150:] == parts[150:]).all()
    seams = {"shoulder_right": (62.0, 30.0, 0.9), "shoulder_left": (138.0, 30.0, 0.9)}
    assert set_in(parts, seams, shape)[0] is not parts and (set_in(parts, seams, shape)[0] == parts).all()  # set-in sleeves stay
    vest = np.minimum(parts, 1) * (np.abs(np.arange(200) - 100) < 40)  # whose straps are as near to each other
    bare = measure(vest * 255, "upper", "top", vest, dict(points))
    assert not bare.limbs and set_in(vest, points, bare)[1] == points


def test_landmarks_of_another_garment_in_the_picture_are_dropped(drawn):
    """Armpits beside the mask, collars near the hem, left and right swapped: they crashed the measuring or tore the garment."""
    g = drawn["sweater"]
    parts = articulate.split(g.mask, g.landmarks, g.category)
    straight = measure(g.mask, g.category, g.subcategory, parts, {})
    wrong = {"armpit_left": (900.0, 40.0, 0.9), "armpit_right": (880.0, 40.0, 0.9), "collar_left": (170.0, 400.0, 0.9), "collar_right": (150.0, 400.0, 0.9),
             "hem_left": (100.0, 300.0, 0.9), "hem_right": (240.0, 300.0, 0.9), "shoulder_left": (1.0, 447.0, 0.9), "shoulder_right": (0.0, 447.0, 0.9)}
    found = measure(g.mask, g.category, g.subcategory, parts, wrong)
    assert found.width == pytest.approx(straight.width) and np.allclose(found.centre, straight.centre)
    assert found.landmarks == straight.landmarks


@pytest.mark.parametrize("paint", [lambda p: p * 0, lambda p: np.where(p == 1, 2, p).astype(np.uint8), lambda p: np.where(p > 1, 1, p).astype(np.uint8)])
def test_any_parts_can_be_measured(drawn, paint):
    """A network that finds no torso, or nothing but one, must cost no crash."""
    for g in drawn.values():
        parts = articulate.split(g.mask, g.landmarks, g.category)
        shape = measure(g.mask, g.category, g.subcategory, paint(parts), {})
        assert shape.width > 0 and np.isfinite(shape.centre).all() and shape.centre[1, 1] > shape.centre[0, 1]


def test_peaks_are_where_the_heat_is():
    """Half a cell off, x and y swapped, or a landmark where there is none."""
    heat = np.zeros((21, 64, 48), np.float32)
    y, x = np.mgrid[0:64, 0:48]
    heat[3] = np.exp(-((x - 30) ** 2 + (y - 10) ** 2) / 8)
    heat[4, 5, 5] = 0.2
    found = peaks(heat, (256, 192))
    assert list(found) == ["shoulder_left"]
    assert found["shoulder_left"][:2] == pytest.approx((30.5 * 4 - 0.5, 10.5 * 4 - 0.5), abs=0.2) and found["shoulder_left"][2] == 1.0


def test_a_mask_of_another_size_is_refused(tryon, drawn):
    """A mask stretched silently, or an error from deep inside."""
    with pytest.raises(ValueError, match="size"):
        tryon.garment(drawn["top"].image, mask=np.zeros((10, 10), np.uint8))


def test_textures_are_not_carried_to_another_photo(goods):
    """A cached texture that outlives its photo."""
    garment = goods["top-01"]
    assert textures(garment) is textures(garment)
    other = replace(garment, photo=garment.photo[:, ::-1])
    assert not other.kept and (textures(other)[1] != textures(garment)[1]).any()


def test_hooks_and_tags_are_no_cloth_and_straps_are():
    """A hanger's hook above a neck, a price tag on its string below a hem, a clip on a waistband; the straps of a top stay."""
    mask = np.zeros((400, 300), np.uint8)
    mask[120:330, 80:220] = 255
    straps = mask.copy()
    for x in (100, 190):
        cv2.line(straps, (x, 60), (x, 125), 255, 7)
    cv2.line(straps, (100, 60), (190, 60), 255, 7)
    assert (cloth_alone(straps, False) == straps).all()
    hung = mask.copy()
    cv2.ellipse(hung, (150, 80), (14, 22), 0, -180, 90, 255, 2)
    cv2.line(hung, (150, 100), (150, 121), 255, 2)
    hung[330:350, 178:181], hung[350:375, 168:192] = 255, 255
    assert (hung != mask).sum() > 700 and (cloth_alone(hung, False) != mask).sum() < 60
    clipped = mask.copy()
    clipped[104:120, 90:102] = 255
    assert (cloth_alone(clipped, True) != mask).sum() < 40 and (cloth_alone(mask, True) != mask).sum() == 0


def test_no_mask_at_all_stays_none():
    """A crash on a picture in which nothing was found."""
    assert not cloth_alone(np.zeros((60, 40), np.uint8), True).any()


def test_ground_between_the_legs_is_no_cloth(drawn):
    """Trousers whose legs the network joined; a print or a button of the ground's colour that becomes a hole."""
    g = drawn["trousers"]
    filled = cv2.morphologyEx(g.mask, cv2.MORPH_CLOSE, np.ones((1, 61), np.uint8))
    gap = (filled > 0) & (g.mask == 0)
    photo, y = g.image.copy(), int(0.75 * SIZE[0])
    x = int(np.flatnonzero(g.mask[y])[0]) + 6
    photo[y:y + 8, x:x + 8] = np.median(g.image[g.mask == 0], 0)
    found = between_legs(photo, filled, measure(filled, "lower", "trousers"))
    assert gap.sum() > 300 and found[gap].mean() > 0.8
    assert found[g.mask > 0].mean() < 0.02 and not found[y + 2:y + 6, x + 2:x + 6].any()
    # Seen from the feet, a seat is short: the ground begins high up.
    crotch, top = int(g.landmarks["crotch"][1]), int(np.flatnonzero(g.mask.any(1))[0])
    cut = crotch - int(0.27 * (np.flatnonzero(g.mask.any(1))[-1] - crotch))
    assert cut > top
    low = np.where(np.arange(SIZE[0])[:, None] < cut, 0, filled).astype(np.uint8)
    found = between_legs(photo, low, measure(low, "lower", "trousers"))
    high = gap & (np.arange(SIZE[0])[:, None] < crotch + 0.1 * (SIZE[0] - crotch))
    assert high.sum() > 20 and found[high].mean() > 0.6


def test_a_sleeve_that_was_not_found_is_in_the_mirror():
    """A T-shirt with one sleeve; a sleeve that is folded away and appears from nothing."""
    parts = np.zeros((200, 200), np.uint8)
    parts[30:180, 60:140], parts[30:80, 20:60], parts[30:80, 140:180] = 1, 2, 1
    shape = Shape(80.0, np.array(((99.5, 30), (99.5, 180))), {}, {"right": np.zeros((2, 3), np.float32)})
    found = other_sleeve(parts, shape)
    assert (found[30:80, 141:180] == 3).all() and (found[:, :138] == parts[:, :138]).all()
    folded = np.where(np.arange(200) >= 145, 0, parts).astype(np.uint8)
    assert (other_sleeve(folded, shape) == folded).all()
    both = replace(shape, limbs={side: np.zeros((2, 3), np.float32) for side in ("left", "right")})
    assert (other_sleeve(parts, both) == parts).all()


def worn_short(corners, armhole) -> tuple[Garment, np.ndarray]:
    """A drawn-by-hand top with a sleeve on the left of the picture, a polygon of ``corners``; ``armhole``: shoulder and armpit."""
    parts = np.zeros((300, 300), np.uint8)
    parts[40:280, 90:210] = 1
    cv2.fillPoly(parts, [np.array(corners, np.int32)], 2)
    mask = np.where(parts > 0, 255, 0).astype(np.uint8)
    landmarks = {f"{n}_right": (*map(float, p), 1.0) for n, p in zip(("shoulder", "armpit"), armhole)}
    shape = Shape(120.0, np.array(((150.0, 40.0), (150.0, 280.0))), landmarks, {"right": np.zeros((2, 3), np.float32)})
    return Garment(np.zeros((300, 300, 3), np.uint8), mask, parts, np.zeros_like(mask), "upper", "top", shape, 1.0), parts


def test_a_cuff_that_runs_into_the_armpit_is_a_cuff_all_along():
    """A sleeve without an inner seam, as polo shirts lie: the stripe of its cuff would turn upwards along the arm's inside, over the chest."""
    garment, _ = worn_short([(90, 50), (30, 110), (90, 150)], [(90, 50), (90, 150)])
    cuff = np.linspace((34, 112), (78, 142), 12)
    found = chart(garment, "right", cuff)
    assert (found.way > 0.85).all(), found.way.round(2)
    assert found.across[0] < 0.25 and found.across[-1] > 0.6 and (np.diff(found.across) > 0).all()


def test_a_sliver_of_a_sleeve_is_no_maze():
    """Hardly more than an armhole: coordinates that jump from pixel to pixel, and cloth that is torn to shreds by them."""
    garment, _ = worn_short([(90, 50), (78, 80), (76, 120), (90, 150)], [(90, 50), (90, 150)])
    y, x = np.mgrid[52:148, 70:110]
    found = chart(garment, "right", np.stack((x.ravel(), y.ravel()), 1).astype(float))
    for values in (found.way, found.across):
        steps = values.reshape(y.shape)
        assert max(np.abs(np.diff(steps, axis=k)).max() for k in (0, 1)) < 0.15
    assert found.way.reshape(y.shape)[48, 8] > 0.3 > found.way.reshape(y.shape)[48, 30]


def test_ground_at_the_outline_is_no_cloth(drawn):
    """Corners of the ground under sleeves that come along with the garment; cloth that goes because it is as light as the ground."""
    for kind in ("top", "sweater"):
        mask = drawn[kind].mask
        more = (cv2.dilate(mask, np.ones((7, 7), np.uint8)) > 0) & (mask == 0)
        more[:, SIZE[1] // 2:] = False  # along one side
        photo = np.where(mask[..., None] > 0, (40, 60, 150), (190, 180, 160)).astype(np.uint8) + np.random.default_rng(0).integers(0, 20, (*SIZE, 3), np.uint8)
        found = without_rim(photo, np.where(more, 255, mask).astype(np.uint8))
        assert more.sum() > 300 and (found[more] == 0).mean() > 0.75 and (found[mask > 0] > 0).mean() > 0.98
        plain = np.full((*SIZE, 3), 200, np.uint8) + np.random.default_rng(0).integers(0, 20, (*SIZE, 3), np.uint8)
        assert (without_rim(plain, mask) == mask).all()


def test_shoulders_and_collars_are_level():
    """One landmark on a cuff: a garment hung up by it, askew. A garment that lies a little turned loses none."""
    points = {"shoulder_right": (40.0, 60.0, 0.9), "shoulder_left": (160.0, 80.0, 0.9), "collar_right": (85.0, 40.0, 0.9), "collar_left": (115.0, 48.0, 0.9),
              "hem_right": (45.0, 190.0, 0.9), "hem_left": (155.0, 195.0, 0.9)}
    assert plausible(points, (200, 200)).keys() == points.keys()
    for name in ("shoulder", "collar"):
        askew = points | {f"{name}_right": (points[f"{name}_right"][0], 140.0, 0.9)}
        assert plausible(askew, (200, 200)).keys() == points.keys() - {f"{name}_right", f"{name}_left"}


@pytest.mark.parametrize("what", ["hanger", "waistband", "nothing"])
def test_a_hanger_is_no_waistband(what):
    """The bar and clips of a hanger worn with the skirt; a waistband of another colour that is cut off."""
    photo, mask = np.full((300, 200, 3), 200, np.uint8), np.zeros((300, 200), np.uint8)
    rng = np.random.default_rng(0)
    photo[60:280, 40:160] = (90, 150, 160) + rng.integers(-6, 7, (220, 120, 1))
    mask[60:280, 40:160] = 255
    if what == "hanger":
        photo[52:57, 35:165] = photo[52:72, 45:60] = photo[52:72, 140:155] = 20
        mask[52:60, 40:160] = 255
    elif what == "waistband":
        photo[60:78, 40:160] = 20
    found = without_hanger(photo, mask)
    skirt = np.zeros_like(mask)
    skirt[60:280, 40:160] = 255
    if what == "hanger":
        skirt[60:72, 45:60] = skirt[60:72, 140:155] = 0
        assert (found != skirt).sum() < 0.3 * (mask != skirt).sum()
    else:
        assert (found == mask).all()


@pytest.mark.parametrize("what", ["bar", "print", "waistband", "plain"])
def test_a_bar_of_the_colour_of_the_trousers_is_no_waist(what):
    """Black trousers on a black hanger, with ground between it and their waist, which a look shows as a strip above them; a print in the colour of the ground, or a
    waistband without anything above it, that is cut off."""
    rng = np.random.default_rng(0)
    photo, mask = np.full((400, 300, 3), 205, np.uint8), np.zeros((400, 300), np.uint8)
    x, y = np.arange(300)[None], np.arange(400)[:, None]
    cloth = (abs(x - 150) < 75) & (y > 84 - ((x - 150) / 75) ** 2 * 12) & (y < 370)
    bar = (abs(x - 150) < 82) & (abs(y - 66) < 5)
    ground = (y > 66) & (abs(x - 150) < 75) & ~cloth & (y < 90)
    photo[cloth] = 28
    if what == "bar":
        photo[bar] = 20
    elif what == "print":
        photo[(y > 100) & (y < 112) & (abs(x - 150) < 50)] = 205
    elif what == "waistband":
        photo[cloth & (y < 96)] = (150, 60, 60)
    photo = np.clip(photo + rng.integers(-5, 6, (400, 300, 1)), 0, 255).astype(np.uint8)
    mask[cloth | (bar | ground if what == "bar" else False)] = 255
    found = below_bar(photo, mask) > 127
    if what == "bar":
        assert (found != cloth).sum() < 0.1 * ((mask > 127) != cloth).sum()
    else:
        assert (found == cloth).all()


def test_ground_in_a_mask_is_told_from_prints():
    """Ground between a sleeve and the torso that is worn as part of them; a print, a stripe or a part of another colour that goes with it."""
    rng = np.random.default_rng(0)
    photo = np.clip((178, 32, 44) + rng.normal(0, 3, (400, 300, 1)), 0, 255).astype(np.uint8)
    inside = np.zeros((400, 300), bool)
    inside[60:340, 60:240] = True
    photo[inside] = np.clip((120, 124, 130) + rng.normal(0, 3, (int(inside.sum()), 1)), 0, 255)
    assert not patches_of_ground(photo, colours(photo), inside).any()
    gap, print_, patch = (np.zeros_like(inside) for _ in range(3))
    gap[300:340, 90:102], print_[120:130, 130:150] = True, True
    patch[180:200, 228:240] = True  # of another cloth, beside a blue blanket
    ground = photo.copy()
    photo[gap], photo[print_] = ground[:40, :12].reshape(-1, 3), ground[:10, :20].reshape(-1, 3)
    found = patches_of_ground(photo, colours(photo), inside)
    assert found[gap].mean() > 0.8 and not (found & ~gap).any()
    photo[:, 240:], photo[patch] = (30, 60, 150), ground[:20, :12].reshape(-1, 3)
    found = patches_of_ground(photo, colours(photo), inside)
    assert found[gap].mean() > 0.8 and not (found & ~gap).any()
    photo[60:200, 60:240] = ground[60:200, 250:251]  # half of it is red: colours tell nothing
    assert not patches_of_ground(photo, colours(photo), inside).any()
