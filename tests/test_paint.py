"""tryon/paint.py with the package's own generator, on drawn people: what is painted where a garment was taken away."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from conftest import generator

from tryon import schema as S
from tryon.condition import skin_tone
from tryon.masks import distance_to
from tryon.limbs import profile
from tryon.paint import ARMS, HEMMED, LEGS, OF_HANDS, SHADOW, _bring_up, _told, beside_hair, beyond_shadow, bounded, folded, met, mirrored, paint, printed, upright, without_crevices


def everything() -> np.ndarray:
    return np.ones(len(S.PARSE_CLASSES), bool)


def tone_of(person) -> np.ndarray:
    return skin_tone(person.photo, np.isin(person.parse, S.SKIN))


def painted(person, fill: np.ndarray, allowed: np.ndarray | None = None, which: str = "cgan"):
    nothing = np.zeros(fill.shape, bool)
    return paint(generator(which), person.photo, np.zeros(person.photo.shape, np.float32), nothing, fill, person.parse, person.parse, person.pose[0],
                 everything() if allowed is None else allowed, 100.0, tone_of(person))


def disc(person, x: float, y: float, radius: float) -> np.ndarray:
    """Bool HxW; place and radius as shares of the picture's height."""
    h, w = person.parse.shape
    return cv2.circle(np.zeros((h, w), np.uint8), (int(x * h), int(y * h)), int(radius * h), 1, -1) > 0


painters = pytest.mark.parametrize("which", ["cgan", "none"])


@painters
def test_only_what_is_allowed_comes_out(persons, which):
    """A shirt painted under the shirt that was taken away."""
    person = persons["edgar"]
    fill = person.parse == S.UPPER
    allowed = np.zeros(len(S.PARSE_CLASSES), bool)
    allowed[[S.BACKGROUND, S.NECK, S.LEFT_ARM, S.RIGHT_ARM]] = True
    layout, _, _ = painted(person, fill, allowed, which)
    assert fill.any() and set(np.unique(layout[fill])) <= set(np.flatnonzero(allowed)) and (layout[~fill] == person.parse[~fill]).all()


@painters
def test_ground_comes_back_where_only_ground_was(persons, which):
    """Colours of the network's working size off by a gain or an offset: a patch on a plain ground must not be seen."""
    for person in persons.values():
        h, w = person.parse.shape
        fill = disc(person, 0.1, 0.12, 0.05)
        if (person.parse[fill] != S.BACKGROUND).any():
            continue
        layout, image, _ = painted(person, fill, which=which)
        off = np.abs(image[fill] - person.photo[fill].astype(np.float32)).mean()
        assert (layout[fill] == S.BACKGROUND).mean() > 0.95 and off < 8, off


def test_the_outline_of_what_was_taken_off_does_not_stay_on_a_plain_ground(persons):
    """Grounds of a strong colour, which the network has hardly seen: a paler ghost of the old clothes on every studio photo."""
    person, colour = persons["edgar"], np.array((255, 180, 255), np.uint8)
    ground = person.parse == S.BACKGROUND
    photo = np.where(ground[..., None], colour, person.photo).astype(np.uint8)
    sleeves = cv2.dilate(np.isin(person.parse, (S.UPPER, S.LEFT_ARM, S.RIGHT_ARM)).astype(np.uint8), np.ones((41, 41), np.uint8)) > 0
    fill, allowed = sleeves & ground, np.arange(len(S.PARSE_CLASSES)) == S.BACKGROUND
    far = fill & (cv2.distanceTransform(ground.astype(np.uint8), cv2.DIST_L2, 5) > 6)
    _, image, _ = painted(replace(person, photo=photo), fill, allowed)
    assert far.sum() > 500 and np.abs(image[far] - colour.astype(np.float32)).mean() < 2


@painters
def test_an_arm_that_was_hidden_is_an_arm_again(persons, which):
    """Skin of another tone, or ground where the arm must be: part of a bare arm is blanked and painted again."""
    right, off = [], []
    for person in persons.values():
        for side, (a, b) in {S.LEFT_ARM: (S.L_ELBOW, S.L_WRIST), S.RIGHT_ARM: (S.R_ELBOW, S.R_WRIST)}.items():
            if not person.pose[0, [a, b], 2].all():
                continue
            h = person.parse.shape[0]
            x, y = person.pose[0, [a, b], :2].mean(0) / h
            fill = disc(person, x, y, 0.035)
            arm = fill & (person.parse == side)
            if arm.sum() < 50:
                continue
            layout, image, _ = painted(person, fill, which=which)
            right.append(np.isin(layout[arm], (S.LEFT_ARM, S.RIGHT_ARM)).mean())
            off.append(np.abs(np.median(image[arm], 0) - np.median(person.photo[arm].astype(np.float32), 0)).max())
    assert len(right) >= 2 and np.median(right) > 0.7 and np.median(off) < 40, (right, off)


@painters
def test_a_look_that_frees_nothing_is_only_lit(persons, which):
    """A division by an empty region; light on a garment that no network has seen."""
    person = persons["clara"]
    garment = disc(person, 0.37, 0.4, 0.1)
    worn = np.full(person.photo.shape, 128, np.float32)
    layout, image, light = paint(generator(which), person.photo, worn, garment, np.zeros(garment.shape, bool), person.parse, person.parse, person.pose[0], everything(), 100.0, tone_of(person))
    assert (layout == person.parse).all() and (image == person.photo).all()
    assert light.shape == (*garment.shape, 1) and np.isfinite(light).all() and np.abs(light[garment]).max() < 128
    assert light.any() == (which == "cgan")


@painters
@pytest.mark.parametrize("size", [(97, 73), (301, 223)])
def test_odd_sizes_and_slivers(persons, size, which):
    """A region smaller than a cell of the working size, a picture whose sides are multiples of nothing."""
    person = persons["amir"]
    photo = cv2.resize(person.photo, size[::-1], interpolation=cv2.INTER_AREA)
    parse = cv2.resize(person.parse, size[::-1], interpolation=cv2.INTER_NEAREST)
    fill = np.zeros(size, bool)
    fill[size[0] // 2, 5] = True
    nothing = np.zeros(size, bool)
    layout, image, _ = paint(generator(which), photo, np.zeros((*size, 3), np.float32), nothing, fill, parse, parse, person.pose[0], everything(), 100.0, tone_of(person))
    assert image.shape == photo.shape and np.isfinite(image).all() and (layout[~fill] == parse[~fill]).all()


def test_without_a_network_bones_say_where_a_sleeve_hid_an_arm(persons):
    """A person who loses an arm: all that lies around it is ground."""
    person = persons["edgar"]
    fill = np.isin(person.parse, (S.UPPER, S.LEFT_ARM, S.RIGHT_ARM))
    allowed = np.zeros(len(S.PARSE_CLASSES), bool)
    allowed[[S.BACKGROUND, S.NECK, S.LEFT_ARM, S.RIGHT_ARM]] = True
    layout, _, _ = painted(person, fill, allowed, "none")
    for side, joints in {S.LEFT_ARM: (S.L_SHOULDER, S.L_ELBOW, S.L_WRIST), S.RIGHT_ARM: (S.R_SHOULDER, S.R_ELBOW, S.R_WRIST)}.items():
        ends = person.pose[0, joints, :2]
        middles = np.rint((ends[:-1] + ends[1:]) / 2).astype(int)
        assert (layout[middles[:, 1], middles[:, 0]] == side).all()


def test_same_twice_and_nothing_is_written_to(persons):
    """Bytes that depend on the run, or a photo painted on in place."""
    person, fill = persons["lina"], persons["lina"].parse == S.LOWER
    before = person.photo.copy()
    a, b = painted(person, fill), painted(person, fill)
    assert all((x == y).all() for x, y in zip(a, b)) and (person.photo == before).all()


def test_reflections_lie_in_the_source():
    """Grain taken from the region that is to be painted."""
    source, todo = np.zeros((20, 20), bool), np.zeros((20, 20), bool)
    source[:, :10], todo[:, 10:14] = True, True
    ty, tx, my, mx = mirrored(source, todo)
    assert len(ty) == todo.sum() and (ty == my).all() and (tx + mx == 18).all()


def test_skin_is_of_the_tone_around_it(persons):
    """A patch of the face's colour on an arm that is browner."""
    person = persons["clara"]
    arm = person.parse == S.RIGHT_ARM
    photo = person.photo.copy()
    photo[arm] = np.clip(photo[arm].astype(int) - (20, 45, 60), 0, 255)
    ys, xs = np.nonzero(arm)
    y = int(np.median(ys))
    fill = arm & (np.abs(np.arange(len(arm))[:, None] - y) < 12)
    brown = replace(person, photo=photo)
    before, after = photo[fill].astype(float).mean(0), painted(brown, fill)[1][fill].mean(0)
    face = photo[person.parse == S.FACE].astype(float).mean(0)
    assert np.abs(before - face).max() > 30 and np.abs(after - before).max() < 0.35 * np.abs(before - face).max(), (before, after, face)


def test_a_chest_lies_in_the_light(persons):
    """A chest in a deep neckline as dark as the neck above it, on which the chin throws its shadow."""
    person = persons["clara"]
    neck, h = person.parse == S.NECK, person.parse.shape[0]
    photo = person.photo.copy()
    photo[neck] = photo[neck] // 2
    low, x = int(np.flatnonzero(neck.any(1))[-1]), int(np.median(np.nonzero(neck)[1]))
    fill = np.zeros_like(neck)
    fill[low - h // 100:low + h // 8, x - h // 25:x + h // 25] = True
    fill &= np.isin(person.parse, (S.UPPER, S.NECK))
    allowed = np.zeros(len(S.PARSE_CLASSES), bool)
    allowed[S.NECK] = True
    shown = painted(replace(person, photo=photo), fill, allowed)[1]
    tone, far = tone_of(replace(person, photo=photo)).sum(), np.s_[low + h // 10:low + h // 8]
    assert 1.01 * tone < shown[far][fill[far]].sum(1).mean() < 1.25 * tone


def test_skin_is_of_the_persons_tone_though_none_is_seen(persons):
    """Legs painted in a window that shows no skin, of a person whose face is beyond it: of two tones, each must give its own."""
    person, outcomes = persons["edgar"], []
    top = int(person.pose[0, [S.R_HIP, S.L_HIP], 1].mean())
    photo, parse, pose = person.photo[top:], person.parse[top:], person.pose[0] - np.float32((0, top, 0)) * (person.pose[0, :, 2:] > 0)
    fill = np.isin(parse, (*S.SKIN, S.LOWER, S.LEGWEAR))
    allowed = np.zeros(len(S.PARSE_CLASSES), bool)
    allowed[[S.BACKGROUND, S.LEFT_LEG, S.RIGHT_LEG]] = True
    for tone in ((224, 180, 150), (104, 66, 46)):
        layout, image, _ = paint(generator(), photo, np.zeros(photo.shape, np.float32), np.zeros(fill.shape, bool), fill, parse, parse, pose, allowed, 100.0,
                                 np.float32(tone))
        skin = fill & np.isin(layout, S.SKIN)
        assert skin.sum() > 500
        outcomes.append(np.abs(np.median(image[skin], 0) - tone * LEGS).max())  # legs are darker than what of a person is well lit
    assert max(outcomes) < 30, outcomes


@painters
def test_what_a_wide_skirt_hid_are_legs(persons, which):
    """Slabs of skin as wide as the old garment."""
    person = persons["edgar"]
    legs = np.isin(person.parse, (S.LEFT_LEG, S.RIGHT_LEG, S.LOWER, S.LEGWEAR)).astype(np.uint8)
    unit = float(np.linalg.norm(person.pose[0, [S.R_HIP, S.L_HIP], :2].mean(0) - person.pose[0, S.NECK_JOINT, :2]))
    fill = (cv2.dilate(legs, np.ones((int(0.6 * unit),) * 2, np.uint8)) > 0) & ~np.isin(person.parse, (S.SHOES, S.UPPER, S.LEFT_ARM, S.RIGHT_ARM))
    allowed = np.zeros(len(S.PARSE_CLASSES), bool)
    allowed[[S.BACKGROUND, S.LEFT_LEG, S.RIGHT_LEG]] = True
    nothing = np.zeros(fill.shape, bool)
    layout, _, _ = paint(generator(which), person.photo, np.zeros(person.photo.shape, np.float32), nothing, fill, person.parse, person.parse, person.pose[0],
                         allowed, unit, tone_of(person))
    for cls, joints in ((S.LEFT_LEG, (S.L_HIP, S.L_KNEE, S.L_ANKLE)), (S.RIGHT_LEG, (S.R_HIP, S.R_KNEE, S.R_ANKLE))):
        bones = np.ones(fill.shape, np.uint8)
        cv2.polylines(bones, [np.rint(person.pose[0, joints, :2]).astype(np.int32)], False, 0, 1)
        leg = fill & (layout == cls)
        assert leg.sum() > 0.3 * unit * unit / 4 and cv2.distanceTransform(bones, cv2.DIST_L2, 5)[leg].max() < 0.32 * unit


@painters
def test_no_leg_is_bare_above_a_hem(persons, which):
    """Thighs between the new top and all that the old coat let see of the skirt."""
    person = persons["edgar"]
    pose, h = person.pose[0], len(person.parse)
    hips, knees = (int(pose[joints, 1].mean()) for joints in ([S.R_HIP, S.L_HIP], [S.R_KNEE, S.L_KNEE]))
    rows, band = np.arange(h)[:, None], (knees - hips) // 3
    worn = np.isin(person.parse, (S.LOWER, S.LEFT_LEG, S.RIGHT_LEG, S.LEGWEAR)) & (rows > hips - band)
    fill, hem = worn & (rows < knees - band), worn & (rows >= knees - band) & (rows < knees)
    layout = np.where(hem, S.LOWER, np.where(fill, S.BACKGROUND, np.where(worn, S.LEFT_LEG, person.parse))).astype(np.uint8)
    before, allowed = np.where(fill, S.OUTER, layout).astype(np.uint8), np.zeros(len(S.PARSE_CLASSES), bool)
    allowed[[S.BACKGROUND, S.LEFT_LEG, S.RIGHT_LEG, S.LOWER]] = True
    found, _, _ = paint(generator(which), person.photo, np.zeros(person.photo.shape, np.float32), np.zeros(fill.shape, bool), fill, layout, before, pose, allowed, 100.0,
                        tone_of(person))
    inner = fill & cv2.erode(hem.any(0).astype(np.uint8)[None], np.ones((1, 9), np.uint8)).astype(bool)
    assert inner.sum() > 500 and not np.isin(found[inner], (S.LEFT_LEG, S.RIGHT_LEG)).any()


def test_no_ground_between_an_arm_and_a_garment():
    """A line of ground, a pixel wide, where a painted arm meets cloth: it is of the arm. Ground that is wider stays, and so does a gap far from all else that
    is painted."""
    layout, fill, label = np.full((40, 60), S.BACKGROUND, np.uint8), np.zeros((40, 60), bool), np.full((40, 60), S.LEFT_ARM, np.uint8)
    layout[:, 35:], label[:, 35:] = S.UPPER, S.BACKGROUND
    fill[5:35, 10:35] = True
    label[:, 34], label[:, 10:20], label[20:26, 18:34] = S.BACKGROUND, S.BACKGROUND, S.BACKGROUND
    out = without_crevices(label, fill, layout, 1)
    assert (out[7:18, 34] == S.LEFT_ARM).all() and (out[5:35, 10:20] == S.BACKGROUND).all() and (out[20:26, 18:33] == S.BACKGROUND).all()
    assert (out[12:14, 36:40] == S.LEFT_ARM).all()  # under the garment, whose edge is soft, too
    assert np.array_equal(without_crevices(label, np.zeros_like(fill), layout, 1), label)
    layout[:, :35] = S.LOWER
    fill[:, :], label[:, :] = False, S.BACKGROUND
    fill[10:30, 33:35] = fill[10:30, 5:10] = True
    label[10:30, 5:10] = S.LEFT_ARM
    assert (without_crevices(label, fill, layout, 1)[10:30, 33:35] == S.BACKGROUND).all()


def test_only_what_is_printed_all_over_is_carried_on():
    """The fringe of a plain skirt in its middle."""
    y, x = np.mgrid[:256, :192]
    before, layout, fill = np.zeros((256, 192), np.uint8), np.zeros((256, 192), np.uint8), np.zeros((256, 192), bool)
    layout[60:220, 60:130] = before[120:220, 60:130] = S.LOWER
    fill[60:120, 60:130] = True
    plain = np.full((256, 192, 3), 120, np.uint8)
    dots = np.where((((y % 10) - 5) ** 2 + ((x % 10) - 5) ** 2 < 7)[..., None], np.uint8(220), np.uint8(40)).repeat(3, 2)
    fringe = np.where((y > 200)[..., None], dots, plain)
    made = [printed(photo, ~fill, before, layout, fill) for photo in (dots, plain, fringe)]
    assert set(made[0]) == {S.LOWER} and not made[1] and not made[2]
    assert (made[0][S.LOWER][0][fill] != 0).mean() > 0.8


def test_ground_goes_on_in_the_light_beside_it():
    """The outline of a coat that was taken off, seen as the end of its shadow; a ground that changes where there is none."""
    ground = np.full((120, 100, 3), 200, np.float32) + np.random.default_rng(0).normal(0, 0.3, (120, 100, 1)).astype(np.float32)
    hole = np.zeros((120, 100), bool)
    hole[30:90, 40:] = True
    assert np.abs(met(ground, ground, ~hole, hole) - ground).max() < 0.5
    shadow = ground.copy()
    shadow[:, 25:] -= 24
    out = met(ground, shadow, ~hole, hole)
    steps = out[40:80, 40:].mean((0, 2)) - shadow[40:80, 36:40].mean()
    assert abs(steps[0]) < 4 and steps[-1] > steps[20] > steps[0]  # it fades
    assert np.array_equal(met(ground, shadow, np.zeros_like(hole), hole), ground)


def test_cloth_has_its_colour_beyond_the_shadow_of_what_was_over_it():
    """A skirt as dark as the shadow of the coat that hung over it; nothing told where there is only that."""
    seen, gone = np.zeros((60, 40), bool), np.zeros((60, 40), bool)
    seen[20:50, 5:35], gone[:20] = True, True
    told = beyond_shadow(seen, distance_to(gone) > SHADOW)
    assert told.any() and np.flatnonzero(told.any(1))[0] >= 23 and not (told & ~seen).any()
    seen[25:] = False
    assert beyond_shadow(seen, distance_to(gone) > SHADOW).sum() == 3 * 28


@pytest.mark.parametrize("height", [10, 4])
def test_a_hem_does_not_tell_the_colour_of_what_a_coat_hid(height):
    """Dark shorts with white cuffs that become light blue where a coat hung over them; of a hem alone all tells it."""
    seen, gone = np.zeros((60, 40), bool), np.zeros((60, 40), bool)
    seen[20:20 + height, 5:35], gone[:20] = True, True
    told = beyond_shadow(seen, distance_to(gone) > SHADOW)
    rows = np.flatnonzero(told.any(1))
    assert told.any() and rows[-1] == (25 if height == 10 else 22)


@pytest.mark.parametrize("colour", [(248, 120, 100), (40, 60, 150)])
def test_what_a_coat_hid_of_a_skirt_has_its_colour(persons, colour):
    """A skirt that becomes grey where a coat hung over it, as if the network knew its colour better than the photo."""
    person = persons["edgar"]
    lower = person.parse == S.LOWER
    photo = person.photo.copy()
    photo[lower] = np.clip(photo[lower].mean(1, keepdims=True) * 0.2 + np.float32(colour) * 0.8, 0, 255).astype(np.uint8)
    ys = np.nonzero(lower)[0]
    fill = lower & (np.arange(len(lower))[:, None] < int(np.percentile(ys, 60)))
    allowed = np.zeros(len(S.PARSE_CLASSES), bool)
    allowed[S.LOWER] = True
    before = person.parse.copy()
    before[fill] = S.OUTER
    coated = photo.copy()
    coated[fill] = 120, 120, 130
    nothing = np.zeros(fill.shape, bool)
    image = paint(generator(), coated, np.zeros(photo.shape, np.float32), nothing, fill, person.parse, before, person.pose[0], allowed, 100.0, tone_of(person))[1]
    assert np.abs(np.median(image[fill], 0) - np.median(photo[lower & ~fill], 0)).max() < 12


def test_no_ground_is_seen_between_neck_and_hair():
    """Green triangles of ground where a collar stood between a neck and hair that hangs beside it; hair beside ground, and where no hair hangs."""
    layout, fill, pose = np.zeros((100, 100), np.uint8), np.zeros((100, 100), bool), np.zeros((18, 3))
    pose[S.NECK_JOINT], pose[S.NOSE] = (50, 80, 1), (50, 40, 1)
    layout[20:55, 42:58], layout[55:80, 45:55] = S.FACE, S.NECK
    layout[20:75, 62:70], layout[20:75, 20:25] = S.HAIR, S.HAIR  # on the right beside the neck, on the left with ground between
    fill[60:80, 55:62], fill[60:80, 38:45] = True, True
    found = beside_hair(fill, layout, pose, 100.0)
    assert found[60:75, 55:62].all() and found.sum() == 15 * 7
    assert not beside_hair(fill, layout, 0 * pose, 100.0).any()


def test_a_neck_is_dark_beside_hair(persons):
    """A chest painted as bright under hair that falls over it as in the middle."""
    person = persons["clara"]
    parse, photo, h = person.parse.copy(), person.photo, person.parse.shape[0]
    neck = parse == S.NECK
    low, x = int(np.flatnonzero(neck.any(1))[-1]), int(np.median(np.nonzero(neck)[1]))
    fill = np.zeros_like(neck)
    fill[low:low + h // 8, x - h // 20:x + h // 20] = True
    hair = np.zeros_like(neck)
    hair[low - h // 10:low + h // 8, x + h // 20:x + h // 20 + h // 30] = True
    allowed = np.zeros(len(S.PARSE_CLASSES), bool)
    allowed[S.NECK] = True
    light = {}
    for name, cls in (("hair", S.HAIR), ("cloth", S.UPPER)):
        parse[hair] = cls
        image = painted(replace(person, parse=parse, photo=photo), fill, allowed)[1].mean(2)
        light[name] = image[low + h // 20:low + h // 8, x + h // 20 - h // 60:x + h // 20].mean() / image[low + h // 20:low + h // 8, x - h // 40:x].mean()
    assert light["hair"] < 0.9 * light["cloth"], light


def test_folds_go_on_upwards():
    """Creases that jump to another column, that repeat a hem, or that come from where nothing of the cloth is seen."""
    source, todo = np.zeros((120, 80), bool), np.zeros((120, 80), bool)
    source[60:110, 20:60], todo[5:60, 10:70] = True, True
    source[100:, 40] = False  # a shorter column
    ty, tx, my, mx = folded(source, todo, 10)
    assert len(ty) == todo.sum() and source[my, mx].all()
    own = (tx >= 20) & (tx < 60)
    assert (mx[own] == tx[own]).all() and (mx[tx == 19] == 20).all() and (mx[tx == 61] == 58).all()
    assert (my - 60 < HEMMED * 50).all() and (my[ty == 59] == 60).all() and (my[ty == 50] == 69).all()
    source[:, 30:], todo[70:] = False, True
    source[60:64, 45:60] = True  # too short to tell
    ty, tx, my, mx = folded(source, todo, 10)
    assert (mx < 30).all() and (ty < 60).all()
    assert not len(folded(source & False, todo, 10)[0]) and not len(folded(source, todo & False, 10)[0])


def test_folds_go_on_but_seams_do_not():
    """Rows of the same hem or rip above each other in what a coat hid of trousers; folds that are lost with them."""
    source, detail = np.zeros((100, 60), bool), np.zeros((100, 60, 3), np.float32)
    source[40:90, 10:50] = True
    detail[50:53, 10:50] = 20
    detail[40:90, 30:33] = 10
    detail[~source] = 99  # is of something else
    found = upright(detail, source, 15)
    assert found[source].max() < 12 and found[42:88, 31].min() > 8 and np.abs(found[42:88, 20]).max() < 4


def test_what_a_coat_hid_of_a_skirt_has_its_folds(persons):
    """A slab where folds are seen below it."""
    person = persons["edgar"]
    lower = person.parse == S.LOWER
    ys, xs = np.nonzero(lower)
    photo = person.photo.copy()
    wave = (12 * np.sin(2 * np.pi * xs / (len(lower) / 40)))[:, None]
    photo[lower] = np.clip(120 + wave, 0, 255).astype(np.uint8)
    fill = lower & (np.arange(len(lower))[:, None] < int(np.percentile(ys, 50)))
    allowed = np.zeros(len(S.PARSE_CLASSES), bool)
    allowed[S.LOWER] = True
    before = person.parse.copy()
    before[fill] = S.OUTER
    nothing = np.zeros(fill.shape, bool)
    layout, image, _ = paint(generator(), photo, np.zeros(photo.shape, np.float32), nothing, fill, person.parse, before, person.pose[0], allowed, 100.0, tone_of(person))
    there = cv2.erode((fill & (layout == S.LOWER)).astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    assert there.sum() > 500
    made, true = image[there].mean(1), photo[there].astype(float).mean(1)
    assert np.corrcoef(made, true)[0, 1] > 0.6 and made.std() > 0.4 * true.std()


def test_a_limb_is_there_whatever_it_is_in():
    """Forearms that are ground below the short sleeves of a new coat, as they may be in those of the shirt under the old one."""
    shape, allowed = (200, 120), np.zeros(len(S.PARSE_CLASSES), bool)
    allowed[[S.BACKGROUND, S.UPPER, S.LEFT_ARM]] = True
    classes, arm = np.flatnonzero(allowed), [(S.LEFT_ARM, *profile(np.array(((60.0, 20), (60, 90), (60, 160))), True, 100.0))]
    for ground, cloth, skin, told in ((5.0, 1.0, 2.0, S.LEFT_ARM), (5.0, 2.0, 1.0, S.UPPER)):
        logits = np.zeros((3, *shape), np.float32) + np.float32((ground, cloth, skin))[[list(classes).index(c) for c in (S.BACKGROUND, S.UPPER, S.LEFT_ARM)], None, None]
        bounded(logits, classes, arm, allowed, np.zeros((18, 3), np.float32), 100.0)
        found = classes[logits.argmax(0)]
        assert (found[40:150, 58:63] == told).all() and (found[:, :40] == S.BACKGROUND).all()


def test_no_ground_is_painted_in_front_of_a_body():
    """A hole in a skirt between forearms; ground that fails between legs, or beside the waist."""
    pose, classes = np.zeros((18, 3), np.float32), np.array((S.BACKGROUND, S.LOWER))
    pose[[S.NECK_JOINT, S.R_HIP, S.L_HIP]] = (60, 20, 1), (40, 120, 1), (80, 120, 1)
    logits = np.zeros((2, 200, 120), np.float32) + np.float32((5, 1))[:, None, None]
    bounded(logits, classes, [], everything(), pose, 100.0)
    found = classes[logits.argmax(0)]
    assert (found[60:120, 52:69] == S.LOWER).all() and (found[145:] == S.BACKGROUND).all() and (found[:, :40] == S.BACKGROUND).all()


def test_no_top_comes_out_between_the_legs_of_trousers(persons):
    """A piece of the coat's cloth that hangs down between the legs of new trousers, below its hem."""
    person = persons["edgar"]
    hips = person.pose[0, [S.R_HIP, S.L_HIP], 1].mean()
    unit = hips - person.pose[0, S.NECK_JOINT, 1]
    rows = np.arange(len(person.parse))[:, None]
    fill = np.isin(person.parse, (S.LOWER, S.BACKGROUND)) & (rows > hips + 0.45 * unit) & (rows < hips + 1.2 * unit)
    fill &= np.abs(np.arange(person.parse.shape[1]) - person.pose[0, [S.R_HIP, S.L_HIP], 0].mean()) < 0.3 * unit
    allowed = np.zeros(len(S.PARSE_CLASSES), bool)
    allowed[[S.BACKGROUND, S.UPPER, S.OUTER]] = True
    assert fill.sum() > 200 and set(np.unique(painted(person, fill, allowed)[0][fill])) == {S.BACKGROUND}


def test_edges_of_what_is_painted_have_no_steps():
    """A leg beside ground along whose edge the pixels of its mask are seen as a staircase."""
    h, w, slope = 120, 80, 0.13
    edge = 30.3 + slope * np.arange(h)
    label = np.where(np.arange(w)[None] < np.rint(edge)[:, None], S.LEFT_LEG, S.BACKGROUND).astype(np.uint8)
    colours = {S.FACE: np.full((h, w, 3), 200, np.float32), S.BACKGROUND: np.full((h, w, 3), 100, np.float32)}
    out = _bring_up(colours, np.ones((h, w, 3), np.float32), label, (h, w), (0, h, 0, w), 0.68, {}, label > 0)
    half = np.array([np.interp(-150, -row, np.arange(w)) for row in out[..., 0]])[10:-10]  # where it is half
    off = half - np.polyval(np.polyfit(np.arange(len(half)), half, 1), np.arange(len(half)))
    stairs = np.rint(edge)[10:-10] - np.polyval(np.polyfit(np.arange(len(half)), np.rint(edge)[10:-10], 1), np.arange(len(half)))
    assert off.std() < 0.6 * stairs.std()
    row = out[60, :, 0]
    assert np.ptp(np.interp((-190, -110), -row, np.arange(w))) < 2.6, "as sharp as before"


def test_arms_are_as_light_as_the_tone_says_not_as_what_is_nearest():
    """Arms as dark as the neck in the chin's shadow beside them; in another colour than the hands; a seam at the wrist."""
    h, w, tone = 192, 128, np.float32((200, 160, 140))
    before, layout, image = np.zeros((h, w), np.uint8), np.zeros((h, w), np.uint8), np.full((h, w, 3), 90, np.uint8)
    before[20:44, 52:76], image[20:44, 52:76] = S.FACE, tone
    before[44:56, 52:76], image[44:56, 52:76] = S.NECK, 0.6 * tone
    layout[56:150, 30:46] = S.LEFT_ARM
    known, clear = layout == S.BACKGROUND, np.ones((h, w), bool)
    arms = lambda: np.median(_told(image, image.astype(np.float32), known, clear, before, tone, layout, 60.0)[S.FACE][70:140, 36:40], (0, 1))
    none = arms()
    np.testing.assert_allclose(none, tone * np.minimum(ARMS[1], 225 / 200), rtol=0.02)
    before[150:166, 30:46], image[150:166, 30:46] = S.LEFT_ARM, 0.9 * tone
    far = _told(image, image.astype(np.float32), known, clear, before, tone, layout, 60.0)[S.FACE]
    np.testing.assert_allclose(np.median(far[60:70, 36:40], (0, 1)), tone * ARMS[0] * (1 - OF_HANDS) + 0.9 * tone * OF_HANDS, rtol=0.02)
    assert np.abs(far[148, 38] - 0.9 * tone).max() < 6
