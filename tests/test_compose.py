"""tryon/compose.py (through tryon.api.generate) on drawn people and garments: every kind on full and half framing."""

import copy
import functools
from dataclasses import replace
from itertools import product

import cv2
import numpy as np
import pytest
from conftest import wear

from tryon import compose as compose_module
from tryon import schema as S
from tryon.body import Body
from tryon.check import unsure_arms
from tryon.compose import (Canvas, arm_regions, bare_arms, behind_torso, belt, beside_top, between_legs, close_gaps, colourless, enclosed, held, hung_over, in_the_midst, lay_on,
                           left_over, lost_sleeves, on_legs, opens, parted, reach_out, scarf, shaded_hair, sharpness, taken_off, under_waistband, unmixed, without_crumbs)
from tryon.condition import GARMENTS
from tryon.fit import TUCKED
from tryon.limbs import capsule
from tryon.masks import shrunk
from tryon.person import Person

KINDS = ("top-01", "top-02", "top-03", "shirt-04", "sweater-05", "jacket-06", "trousers-07", "shorts-08", "skirt-09", "dress-10",
         "dress-11", "jumpsuit-12", "hat-13")
PEOPLE = ("clara", "edgar", "lina", "amir")
# Where the middle of the garment belongs: torso lengths below the neck.
REGION = {"upper": (0.2, 0.75), "lower": (0.8, 1.9), "full": (0.4, 1.6), "accessory": (-1.1, -0.5)}


@pytest.fixture(scope="module")
def looks(persons, goods):
    """(who, id) -> (person, garment, look), each made when it is first asked for."""
    return functools.cache(lambda key: (persons[key[0]], goods[key[1]], wear(persons[key[0]], goods[key[1]])))


@pytest.fixture(params=[(who, id) for who in PEOPLE for id in KINDS], ids=lambda p: "-".join(p))
def one(request, looks):
    return looks(request.param)


def torso(person: Person) -> tuple[np.ndarray, float]:
    """The neck (x, y) and the length of the torso, in pixels, of a drawn person."""
    pose = person.pose[0, :, :2]
    neck, hips = pose[[S.R_SHOULDER, S.L_SHOULDER]].mean(0), pose[[S.R_HIP, S.L_HIP]].mean(0)
    return neck, float(np.linalg.norm(hips - neck))


def hands(person: Person) -> np.ndarray:
    """Bool HxW: arm pixels beyond the wrists."""
    _, unit = torso(person)
    y, x = np.mgrid[0:person.parse.shape[0], 0:person.parse.shape[1]]
    arms, out = np.isin(person.parse, (S.LEFT_ARM, S.RIGHT_ARM)), np.zeros(person.parse.shape, bool)
    for elbow, wrist in ((S.R_ELBOW, S.R_WRIST), (S.L_ELBOW, S.L_WRIST)):
        if person.pose[0, [elbow, wrist], 2].all():
            a, b = person.pose[0, [elbow, wrist], :2]
            d = (b - a) / np.linalg.norm(b - a)
            along = (x - b[0]) * d[0] + (y - b[1]) * d[1]
            out |= arms & (along > 0.05 * unit) & (np.hypot(x - b[0], y - b[1]) < 0.35 * unit)
    return out


def grown(mask: np.ndarray, pixels: int) -> np.ndarray:
    return cv2.dilate(mask.astype(np.uint8), np.ones((2 * pixels + 1,) * 2, np.uint8)) > 0


def test_arrays_are_as_promised(one):
    """Sizes, types or values other than those the Python face promises."""
    person, _, look = one
    shape = person.parse.shape
    assert look.image.shape == (*shape, 3) and look.image.dtype == np.uint8
    for mask in (look.warped_mask, look.edit_mask):
        assert mask.shape == shape and mask.dtype == np.uint8 and set(np.unique(mask)) == {0, 255}
    assert look.layout.shape == shape and look.layout.dtype == np.uint8 and look.layout.max() < len(S.PARSE_CLASSES)
    assert 0 <= look.score <= 1 and set(look.reasons) <= set(S.REVIEW_REASONS)


def test_nothing_changes_outside_the_edit_mask(one):
    """A blend, a colour conversion or a resize that touches the photo where nothing was edited."""
    person, _, look = one
    kept = look.edit_mask == 0
    assert (look.image[kept] == person.photo[kept]).all()
    assert not (look.warped_mask.astype(bool) & kept).any()


def test_protected_pixels_are_the_photos(one):
    """Face (but the forehead under a hat), hair (but under a hat), hands and shoes painted over, the most frequent complaint about such systems."""
    person, garment, look = one
    changed = (look.image != person.photo).any(-1)
    protected = {"face": person.parse == S.FACE, "hands": hands(person)}
    if garment.subcategory == "hat":
        eye = person.pose[0, [S.R_EYE, S.L_EYE], 1]
        protected["face"][:int(eye[eye > 0].mean())] = False
    else:  # a border of two pixels may lose what it shows of the old garment, and of skin and ground that the new one covers
        taken = np.isin(person.parse, GARMENTS) & (look.edit_mask > 0) | (look.warped_mask > 0)
        protected["hair"] = (person.parse == S.HAIR) & ~grown(taken, 2)
    if garment.subcategory != "jumpsuit":  # its legs may fall over the shoes
        protected["shoes"] = person.parse == S.SHOES
    assert {name: int((changed & mask).sum()) for name, mask in protected.items() if (changed & mask).any()} == {}


def test_background_away_from_body_and_garment_is_the_photos(one):
    """Inpainting or stray cloth far from the person."""
    person, _, look = one
    near = grown(person.parse > 0, person.parse.shape[0] // 80) | grown(look.warped_mask > 0, person.parse.shape[0] // 40)
    assert ((look.edit_mask > 0) & ~near).sum() < 10


def test_layout_names_the_garment_where_it_is_seen(one):
    """A layout that disagrees with the picture: the next garment of the look is laid by it."""
    _, garment, look = one
    cls = {"upper": S.UPPER, "lower": S.LOWER, "full": S.FULL, "accessory": S.HEADWEAR}[garment.category]
    cls = S.OUTER if garment.subcategory == "jacket" else cls
    assert (look.layout[look.warped_mask > 0] == cls).all()


def test_garment_lies_on_its_part_of_the_body(one):
    """A skirt on the chest, a shirt beside the body."""
    person, garment, look = one
    neck, unit = torso(person)
    y, x = np.nonzero(look.warped_mask)
    low, high = REGION[garment.category]
    if person.pose[0, S.R_KNEE, 2] == 0:  # the frame cuts the garment off
        low = min(low, 0.4)
    down, across = (y.mean() - neck[1]) / unit, (x.mean() - neck[0]) / unit
    assert low < down < high and abs(across) < 0.15, (down, across)


def test_garment_covers_the_middle_of_its_place(one):
    """Holes in the cloth, and old cloth that shows through it."""
    person, garment, look = one
    neck, unit = torso(person)
    down = {"upper": (0.3, 0.7), "full": (0.3, 1.1), "lower": (0.95, 1.15), "accessory": (-0.8, -0.75)}[garment.category]
    x, y = int(neck[0]), [int(neck[1] + unit * d) for d in down]
    if garment.subcategory == "jacket":  # open in front
        return
    half = int(unit * (0.15 if garment.category != "accessory" else 0.08))
    place = np.s_[y[0]:y[1], x - half:x + half]
    free = ~np.isin(person.parse[place], (S.LEFT_ARM, S.RIGHT_ARM, S.HAIR)) | (garment.category == "accessory")
    if garment.category == "lower":
        free &= ~np.isin(person.parse[place], (S.UPPER, S.OUTER))
    if garment.subcategory in TUCKED:
        free &= person.parse[place] != S.LOWER
    assert not free.any() or (look.warped_mask[place] > 0)[free].mean() > 0.97


def test_garment_stays_in_large_pieces(one):
    """Shreds: a warp that folds over at the end of a sleeve tears the cloth into crumbs."""
    _, _, look = one
    count, _, stats, _ = cv2.connectedComponentsWithStats(look.warped_mask)
    area = stats[1:, cv2.CC_STAT_AREA]
    assert area[area < 0.01 * area.sum()].sum() < 0.004 * area.sum() and count <= 12, np.sort(area)[::-1][:30]


def test_old_garment_is_gone(one):
    """The old garment leaking out from under the new one, in layout or in pixels."""
    person, garment, look = one
    replaced = {"upper": S.UPPER, "lower": S.LOWER, "full": S.UPPER, "accessory": S.HEADWEAR}[garment.category]
    if garment.subcategory == "jacket":
        return
    left = (person.parse == replaced) & (look.edit_mask == 0)
    assert left.sum() == 0
    if garment.category in ("upper", "lower"):
        assert ((look.layout == replaced) & (look.warped_mask == 0)).sum() == 0


def test_jacket_leaves_what_is_under_it(looks):
    """A jacket that takes the shirt away: it goes over it."""
    for who in PEOPLE:
        person, _, look = looks((who, "jacket-06"))
        inner = (person.parse == S.UPPER) & (look.warped_mask == 0) & (look.edit_mask == 0)
        assert (look.layout[inner] == S.UPPER).all()


def test_own_sleeves_are_in_those_of_a_jacket(persons):
    """Sleeves of a wide blouse that stick out of a jacket; bare arms under a waistcoat whose wearer has sleeves."""
    person = persons["edgar"]
    body = Body(person)
    sleeves = (person.parse == S.UPPER) & (np.abs((np.indices(person.parse.shape)[::-1].transpose(1, 2, 0) - body.neck) @ body.across) > 0.6 * body.torso_width)
    for sleeved in (True, False):
        old, *_ = taken_off(Canvas.of(person.photo, person.parse), "jacket", body, body.unit, True, sleeved)
        assert sleeves.sum() > 500 and (old[sleeves].mean() > 0.9) == sleeved, sleeved
        centre = np.rint(body.neck + 0.5 * body.unit * body.down).astype(int)
        assert person.parse[centre[1], centre[0]] == S.UPPER and not old[centre[1], centre[0]]


def test_cuffs_of_a_shirt_go_with_the_jacket_over_them(persons):
    """White slivers along the cuffs of a jacket: wrists hang lower than the hips, as the hem of a shirt does, which stays."""
    person = persons["amir"]
    body = Body(person)
    parse = np.where(person.parse == S.UPPER, S.BACKGROUND, person.parse).astype(np.uint8)
    line = body.limb("left", arm=True)[0]
    end = body.hips + 0.1 * body.unit * body.down
    cuff, hem = (capsule(parse.shape, np.array((p, p)), np.full(2, 0.05 * body.unit)) for p in (line[2] - 0.05 * (line[2] - line[1]), end))
    cuff &= ~np.isin(parse, S.ARMS)
    parse[cuff | hem] = S.UPPER
    assert line[2] @ body.down > (body.hips - 0.1 * body.unit * body.down) @ body.down
    old, *_ = taken_off(Canvas.of(person.photo, parse), "jacket", body, body.unit, True, True)
    assert cuff.sum() > 50 and old[cuff].mean() > 0.8 and not old[hem].any()


def test_what_was_taken_for_an_arm_goes_with_its_sleeve(persons):
    """Cuffs and hems of the old garment that stay because the parser took them for skin, hair or ground; hands and faces that go with them."""
    person = persons["edgar"]
    old = person.parse == S.UPPER
    band = grown(~old, 6) & old  # all along its outline
    for cls in (S.RIGHT_ARM, S.BACKGROUND):
        parse = np.where(band, cls, person.parse).astype(np.uint8)
        found = left_over(Canvas.of(person.photo, parse), old & ~band, Body(person))
        assert band.sum() > 500 and found[band].mean() > 0.6, cls
        assert found[~grown(old, 1)].sum() < 0.02 * band.sum() and not found[np.isin(person.parse, (S.FACE, S.HAIR))].any(), cls


def test_what_is_in_the_midst_of_old_clothes_goes_with_them():
    """Prints and pieces of sleeves that were taken for a bag, as dark scraps on a bare arm; bags, and what a hand holds, that go."""
    layout = np.full((200, 200), S.UPPER, np.uint8)
    layout[20:28, 20:28], layout[60:70, 60:64], layout[100:108, 100:108], layout[150:190, 150:190] = S.BAG, S.ACCESSORY, S.BAG, S.BAG
    layout[108:120, 100:108] = S.LEFT_ARM
    found = in_the_midst(layout, layout == S.UPPER, 120)
    assert found[20:28, 20:28].all() and found[60:70, 60:64].all() and found.sum() == 64 + 40


@pytest.mark.parametrize("bare, seen", [(False, True), (True, True), (False, False)])
def test_the_end_of_a_sleeve_that_was_taken_for_ground_goes(persons, bare, seen):
    """A dark cuff before dark ground that stays between a painted arm and its hand; ground beside a bare wrist that goes, or where no hand is."""
    person = persons["edgar"]
    body, line = person.body, person.body.limb("right", arm=True)[0]
    hand = compose_module.hands(person.parse, body)
    layout = np.where(np.isin(person.parse, S.ARMS) & ~hand, np.uint8(S.RIGHT_ARM if bare else S.UPPER), person.parse)
    if not seen:
        layout[hand] = S.BACKGROUND
    end = capsule(layout.shape, np.array((line[1] + 0.7 * (line[2] - line[1]), line[2])), np.full(2, 0.08 * body.unit)) & ~hand
    layout[end] = S.BACKGROUND
    found = lost_sleeves(layout, layout == S.UPPER, body)
    assert end.sum() > 200 and (found[end].mean() > 0.8 if seen and not bare else not found.any()) and not found[layout != S.BACKGROUND].any()


@pytest.mark.parametrize("who", ["clara", "edgar", "amir"])
def test_a_hand_in_the_colours_of_what_is_taken_off_stays_whole(persons, goods, who):
    """A hand on a dress of the colour of skin, of which pieces go with the dress, and leave holes with ground in the new one."""
    person = persons[who]
    body, photo, parse = Body(person), person.photo.copy(), person.parse.copy()
    arms = np.isin(parse, S.ARMS)
    hand = compose_module.hands(parse, body)
    around = grown(hand, 15) & (parse != S.FACE)
    photo[around], parse[around & ~arms] = (170, 150, 190), S.UPPER
    found = left_over(Canvas.of(photo, parse), parse == S.UPPER, body)
    assert hand.sum() > 100 and not found[hand].any() and found[around & arms & ~hand].mean() > 0.5
    look = wear(replace(person, photo=photo, parse=parse), goods["top-01"])
    inner = hand & ~grown(~hand, 2)
    assert (look.image[inner] == photo[inner]).all(1).mean() > 0.95 and (look.layout[inner] != S.BACKGROUND).all()


@pytest.mark.parametrize("who", ["edgar", "amir"])
def test_no_ground_shows_in_the_middle_of_a_garment(persons, goods, who):
    """A belt that was taken for the arm beside it: its rim, beside what is taken off, painted as ground."""
    person = persons[who]
    body, parse, photo = Body(person), person.parse.copy(), person.photo.copy()
    band = np.zeros(parse.shape, np.uint8)
    ends = body.joint[S.R_ELBOW], body.neck + 0.6 * body.unit * body.down
    cv2.line(band, *(tuple(np.rint(p).astype(int).tolist()) for p in ends), 1, int(0.08 * body.unit))
    band = (band > 0) & np.isin(parse, (S.UPPER, S.FULL, S.OUTER, S.RIGHT_ARM))
    parse[band], photo[band] = S.RIGHT_ARM, (120, 66, 50)
    look = wear(replace(person, photo=photo, parse=parse), goods["top-01"])
    middle = band & grown(np.isin(person.parse, (S.UPPER, S.FULL, S.OUTER)) & shrunk(person.parse != S.BACKGROUND, 0.1 * body.unit), 1)
    assert middle.sum() > 200 and (look.layout[middle] == S.BACKGROUND).mean() < 0.02


def test_long_hair_in_front_stays(persons, goods):
    """A strand of hair over the chest that is taken for the old garment: what hair looks like is told by all of it, not by what lies near."""
    person = persons["clara"]
    neck, unit = torso(person)
    hair, photo, parse = person.parse == S.HAIR, person.photo.copy(), person.parse.copy()
    strand = np.zeros(parse.shape, np.uint8)
    x = int(neck[0] + 0.14 * unit)
    cv2.line(strand, (x, int(neck[1] - 0.1 * unit)), (x, int(neck[1] + 0.45 * unit)), 1, max(3, int(0.09 * unit)))
    strand = (strand > 0) & np.isin(parse, (S.UPPER, S.FULL, S.OUTER, S.NECK))
    rng = np.random.default_rng(0)
    photo[strand] = photo[hair][rng.integers(0, int(hair.sum()), int(strand.sum()))]
    parse[strand] = S.HAIR
    look = wear(replace(person, photo=photo, parse=parse), goods["sweater-05"])
    inner = strand & ~grown(~strand, 2)
    assert strand.sum() > 200 and (look.layout[inner] == S.HAIR).mean() > 0.97 and (look.image[inner] == photo[inner]).all(1).mean() > 0.95


@pytest.mark.parametrize("who", PEOPLE)
def test_a_collar_taken_for_neck_is_no_skin(persons, who):
    """The white or dark collar of an undershirt that is left around the neck; a neck in shadow, or in the light, that is taken for one."""
    person = persons[who]
    old, skin = np.isin(person.parse, (S.UPPER, S.OUTER, S.FULL)), np.isin(person.parse, (S.FACE, S.NECK))
    band = (person.parse == S.NECK) & grown(old, 5)
    share = lambda photo: colourless(photo, band, photo[skin & ~band])[band].mean()
    assert band.sum() > 30
    for colour in ((245, 245, 245), (25, 25, 30), (60, 90, 200)):
        photo = np.where(band[..., None], np.uint8(colour), person.photo)
        assert share(photo) == 1, colour
        assert left_over(Canvas.of(photo, person.parse), old, Body(person))[band].mean() > 0.8, colour
    for light in (0.5, 0.75, 1.0, 1.15):
        assert share(np.where(band[..., None], np.clip(person.photo * light, 0, 255), person.photo).astype(np.uint8)) < 0.05, light


@pytest.mark.parametrize("who", ("clara", "edgar"))
def test_scraps_of_hair_on_clothes_go_with_them(persons, who):
    """Dark spots beside a neck, of a collar whose shaded places were taken for hair; a lock of hair that is seen against the ground."""
    person, (neck, unit) = persons[who], torso(persons[who])
    clothes = np.isin(person.parse, (S.UPPER, S.OUTER, S.FULL))
    disc = lambda x, y: cv2.circle(np.zeros(person.parse.shape, np.uint8), (int(x), int(y)), max(2, int(0.03 * unit)), 1, -1) > 0
    scrap, top = disc(neck[0], neck[1] + 0.3 * unit), int(np.flatnonzero(clothes[:, int(neck[0] + 0.25 * unit)])[0])
    lock = disc(neck[0] + 0.25 * unit, top - 0.02 * unit)
    parse = np.where(scrap | lock, np.uint8(S.HAIR), person.parse)
    photo = np.where((parse == S.HAIR)[..., None], np.median(person.photo[person.parse == S.HAIR], 0).astype(np.uint8), person.photo)
    found = left_over(Canvas.of(photo, parse), clothes & ~scrap & ~lock, Body(person))
    assert found[scrap].all() and found[lock].mean() < 0.2


@pytest.mark.parametrize("who", ("clara", "edgar"))
def test_a_collar_taken_for_ground_goes(persons, who):
    """A raised white collar that stays beside a neck, as something white is seen far from it, too; ground that is grey beside clothes that are."""
    person, (neck, unit) = persons[who], torso(persons[who])
    ys, xs = np.mgrid[0:len(person.parse), 0:person.parse.shape[1]]
    ground, old = person.parse == S.BACKGROUND, np.isin(person.parse, (S.UPPER, S.OUTER, S.FULL))
    collar = ground & grown(old, int(0.1 * unit)) & (np.abs(xs - neck[0]) < 0.22 * unit) & (ys > neck[1] - 0.25 * unit) & (ys < neck[1])
    found = []
    for colour in (240, 130):
        photo = person.photo.copy()
        photo[ground], photo[old] = 120, colour
        photo[ground & ((ys < neck[1] - 0.5 * unit) | (ys > neck[1] + 0.6 * unit))] = 240
        if colour == 240:
            photo[collar] = 240
        found.append(left_over(Canvas.of(photo, person.parse), old, Body(person))[collar].mean())
    assert collar.sum() > 30 and found[0] > 0.8 and found[1] < 0.05, found


@pytest.mark.parametrize("who", ("clara", "edgar"))
def test_a_piece_of_a_scarf_that_lies_on_clothes_goes_with_them(persons, who):
    """A piece too small for a scarf, on the clothes below the throat; a necklace on the skin of the throat stays."""
    person, (neck, unit) = persons[who], torso(persons[who])
    clothes = np.isin(person.parse, (S.UPPER, S.OUTER, S.FULL))
    top = int(np.flatnonzero(clothes[:, int(neck[0])])[0])
    disc = lambda y: cv2.circle(np.zeros(clothes.shape, np.uint8), (int(neck[0]), int(y)), max(2, int(0.05 * unit)), 1, -1) > 0
    for y, goes in ((top + 0.02 * unit, True), (top - 0.06 * unit, False)):
        piece = disc(y)
        parse = np.where(piece, np.uint8(S.ACCESSORY), person.parse)
        found = left_over(Canvas.of(person.photo, parse), clothes & ~piece, Body(person))[piece].mean()
        assert found == goes, (y, found)


@pytest.mark.parametrize("who", ("clara", "edgar"))
def test_what_lies_between_a_neck_and_a_collar_is_no_ground(persons, who):
    """The dark inside of a white collar, which is like neither that nor the ground; ground that is as light as the rest of it."""
    person, (neck, unit) = persons[who], torso(persons[who])
    ys, xs = np.mgrid[0:len(person.parse), 0:person.parse.shape[1]]
    rows, away = (ys > neck[1] - 0.15 * unit) & (ys < neck[1] - 0.05 * unit), np.abs(xs - neck[0]) / unit
    throat, inner, collar = rows & (away < 0.1), rows & (away >= 0.1) & (away < 0.17), rows & (away >= 0.17) & (away < 0.27)
    parse = np.select((throat, inner, collar), (np.uint8(S.NECK), np.uint8(S.BACKGROUND), np.uint8(S.UPPER)), person.parse)
    old = np.isin(parse, (S.UPPER, S.OUTER, S.FULL))
    found = []
    for colour in (20, 130):
        photo = person.photo.copy()
        photo[parse == S.BACKGROUND], photo[old], photo[inner], photo[throat] = 130, 240, colour, np.median(person.photo[person.parse == S.FACE], 0)
        found.append(left_over(Canvas.of(photo, parse), old, Body(person))[inner].mean())
    assert inner.sum() > 20 and found[0] > 0.8 and found[1] < 0.05, found


@pytest.mark.parametrize("who", ("clara", "edgar"))
def test_the_nape_of_a_head_that_is_turned_stays(persons, who):
    """A neck that is taken for what lies beside one, as the nose points past it."""
    person, (_, unit) = persons[who], torso(persons[who])
    turned = replace(person, pose=person.pose.copy())
    turned.pose[0, S.NOSE, 0] += 0.2 * unit
    old, neck = np.isin(person.parse, (S.UPPER, S.OUTER, S.FULL)), person.parse == S.NECK
    found = [left_over(Canvas.of(p.photo, p.parse), old, Body(p))[neck].mean() for p in (person, turned)]
    assert found[1] <= found[0] + 0.02


def test_no_skin_shows_above_a_cuff(persons, goods):
    """Pieces of a bent bare arm in front of the new garment, where its sleeve does not quite lie on them."""
    for who in ("clara", "edgar", "amir"):  # a hand of lina's is there
        person, (_, unit) = persons[who], torso(persons[who])
        bare = replace(person, parse=person.parse.copy())
        body = Body(person)
        centre = body.neck + (0.45 * body.down - 0.12 * body.across) * unit
        patch = cv2.circle(np.zeros(person.parse.shape, np.uint8), tuple(np.rint(centre).astype(int).tolist()), int(0.08 * unit), 1, -1) > 0
        patch &= np.isin(person.parse, (S.UPPER, S.FULL))
        bare.parse[patch] = S.RIGHT_ARM
        look = wear(bare, goods["sweater-05"])
        assert patch.sum() > 30 and (look.edit_mask[patch] > 0).mean() > 0.95, who


def test_what_cannot_be_made_well_is_sent_to_review(persons, goods):
    """Legs without feet and people in profile that are published unseen; people who stand as they should that are not."""
    who = next(p for p in persons.values() if (p.parse == S.SHOES).any() and (p.parse == S.LOWER).any())
    assert not {"no_feet", "turned"} & set(wear(who, goods["skirt-09"]).reasons)
    hidden = replace(who, parse=np.where(who.parse == S.SHOES, S.LOWER, who.parse).astype(np.uint8))
    assert "no_feet" in wear(hidden, goods["skirt-09"]).reasons
    cloth, reach = np.isin(who.parse, (S.UPPER, S.LOWER)), int(0.2 * torso(who)[1])
    wide = cv2.dilate(cloth.astype(np.uint8), np.ones((2 * reach + 1,) * 2, np.uint8)) > 0
    coat = replace(who, parse=np.where(cloth | wide & (who.parse == S.BACKGROUND), S.OUTER, who.parse).astype(np.uint8))
    assert "repainted" in wear(coat, goods["top-03"]).reasons and "repainted" not in wear(who, goods["top-03"]).reasons
    pose = who.pose.copy()
    for left, right in ((S.L_SHOULDER, S.R_SHOULDER), (S.L_HIP, S.R_HIP)):
        middle = pose[0, [left, right], :2].mean(0)
        pose[0, [left, right], :2] = middle + 0.2 * (pose[0, [left, right], :2] - middle)
    assert "turned" in wear(replace(who, pose=pose), goods["skirt-09"]).reasons


@pytest.mark.parametrize("joint, confidence, bad", [(S.R_WRIST, 1.0, False), (S.R_WRIST, 0.3, True), (S.R_WRIST, 0.0, True), (S.L_ELBOW, 0.3, True)])
def test_arms_that_are_not_found_are_sent_to_review(persons, goods, joint, confidence, bad):
    """A sleeve along an arm that may be somewhere else; an arm that leaves the picture, or hangs beside new trousers, that is looked at for nothing."""
    who = persons["edgar"]
    unsure = replace(who, pose=who.pose.copy())
    unsure.pose[0, joint] = (*who.pose[0, joint, :2], confidence) if confidence else (0, 0, 0)
    assert ("pose_uncertain" in wear(unsure, goods["sweater-05"]).reasons) == bad
    assert "pose_uncertain" not in wear(unsure, goods["trousers-07"]).reasons
    x = np.sort(who.pose[0, [S.R_ELBOW, S.R_WRIST], 0])[0]
    cut = who.pose[0] - np.float32((x - 5, 0, 0)) * (who.pose[0, :, 2:] > 0)
    cut[S.R_WRIST] = 0
    assert not unsure_arms(cut, who.parse.shape, torso(who)[1])


def test_a_long_dress_hangs_over_boots(persons, goods):
    """The shafts of boots in front of the dress that is worn over them; a dress over shoes."""
    who = persons["lina"]
    ankle = who.pose[0, [S.L_ANKLE, S.R_ANKLE], 1].min()
    above = np.arange(len(who.parse))[:, None] < ankle - 0.12 * torso(who)[1]
    boots = replace(who, parse=np.where(np.isin(who.parse, (S.LEFT_LEG, S.RIGHT_LEG, S.LEGWEAR)), S.SHOES, who.parse).astype(np.uint8))
    shaft = (boots.parse == S.SHOES) & above & (wear(who, goods["dress-10"]).warped_mask > 0)
    look = wear(boots, goods["dress-10"])
    assert shaft.sum() > 50 and (look.warped_mask[shaft] > 0).mean() > 0.95
    assert not ((look.image != who.photo).any(2) & (who.parse == S.SHOES)).any()


def test_same_bytes_twice(persons, goods):
    """Anything that depends on the run: resume and the comparison of two machines rest on it."""
    for who, id in (("edgar", "shirt-04"), ("amir", "dress-11"), ("lina", "trousers-07")):
        a, b = (wear(persons[who], goods[id]) for _ in range(2))
        assert all(getattr(a, k).tobytes() == getattr(b, k).tobytes() for k in ("image", "warped_mask", "edit_mask", "layout"))
        assert a.score == b.score


def test_inputs_are_not_written_to(persons, goods):
    """A photo or parse map that is painted on: workers keep analyses and use them again."""
    person, garment = persons["clara"], goods["dress-10"]
    before = [a.copy() for a in (person.photo, person.parse, person.pose, garment.photo, garment.mask)]
    wear(person, garment)
    assert all((a == b).all() for a, b in zip(before, (person.photo, person.parse, person.pose, garment.photo, garment.mask)))


def test_outfit_shows_all_its_garments(persons, goods):
    """A garment that wipes out the one before it."""
    for who in PEOPLE:
        look = wear(persons[who], goods["trousers-07"], goods["shirt-04"], goods["hat-13"])
        for cls in (S.LOWER, S.UPPER, S.HEADWEAR):
            assert ((look.layout == cls) & (look.warped_mask > 0)).sum() > 200, (who, S.PARSE_CLASSES[cls])
        kept = look.edit_mask == 0
        assert (look.image[kept] == persons[who].photo[kept]).all()


def test_jacket_closes_over_a_shirt(persons, goods):
    """Dressing order ignored: a jacket put on after a shirt lies over it, and the shirt is still seen or covered, not the old one."""
    seen = 0
    for person, id in product(persons.values(), ("shirt-04", "top-02")):
        shirt, both = wear(person, goods[id]), wear(person, goods[id], goods["jacket-06"])
        jacket = both.layout == S.OUTER
        assert jacket.sum() > 1000
        under = (shirt.layout == S.UPPER) & ~jacket & (both.layout == S.UPPER)
        inner = cv2.erode(under.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
        if inner.any():
            # The same cloth: only its light, one number for all three channels, may know of the jacket.
            change = both.image[inner].astype(float) - shirt.image[inner]
            assert np.abs(change - change.mean(1, keepdims=True)).mean() < 1 and np.abs(change).mean() < 20
            seen += inner.sum()
    assert seen > 5000


def test_order_matters_only_where_garments_meet(persons, goods):
    """What an outfit shows away from the place where two garments meet must not depend on which came first: no strip of
    skin between them, no sleeve that is another one."""
    for who in PEOPLE:
        person, shirt, trousers = persons[who], goods["shirt-04"], goods["trousers-07"]
        ab, ba = wear(person, shirt, trousers), wear(person, trousers, shirt)
        # What comes last is seen whole: where both are seen in their turn, they meet.
        meet = grown((ab.layout == S.LOWER) & (ab.warped_mask > 0), 4) & grown((ba.layout == S.UPPER) & (ba.warped_mask > 0), 4)
        assert (meet & (ab.layout == S.LOWER) & (ba.layout == S.UPPER)).sum() > 100, "tucked in, and hanging over"
        assert ((ab.layout != ba.layout) & ~meet).sum() < 100, who


def test_covering_the_arms_of_a_sleeveless_person_and_back(persons, goods):
    """Long to short: the arm that comes out from under an old sleeve is skin in the layout and in colour."""
    person = persons["amir"]  # wears long sleeves
    look = wear(person, goods["top-03"])
    bare = np.isin(look.layout, (S.LEFT_ARM, S.RIGHT_ARM)) & ~np.isin(person.parse, (S.LEFT_ARM, S.RIGHT_ARM))
    assert bare.sum() > 500
    skin = np.median(person.photo[np.isin(person.parse, (S.FACE, S.LEFT_ARM, S.RIGHT_ARM))].astype(float), axis=0)
    assert np.abs(np.median(look.image[bare].astype(float), axis=0) - skin).max() < 40


def test_a_collar_that_was_taken_for_a_chin_goes(persons, goods):
    """A strip of a high dark collar below the chin, which is protected as a part of the face."""
    for who in ("clara", "edgar", "amir"):
        person, (_, unit) = persons[who], torso(persons[who])
        chin, (x, y) = np.flatnonzero((person.parse == S.FACE).any(1)).max(), person.pose[0, S.NECK_JOINT, :2]
        high = replace(person, photo=person.photo.copy(), parse=person.parse.copy())
        ys, xs = np.mgrid[0:len(person.parse), 0:person.parse.shape[1]]
        neck = np.isin(person.parse, (S.NECK, S.UPPER)) & (np.abs(xs - x) < 0.15 * unit) & (ys > chin - 0.02 * unit) & (ys < y)
        high.photo[np.isin(person.parse, (S.UPPER, S.FULL)) | neck] = 25
        high.parse[neck] = S.UPPER
        strip = neck & (ys < chin + 0.05 * unit)
        high.parse[strip] = S.FACE
        look = wear(high, goods["top-02"])
        assert strip.sum() > 50 and (look.edit_mask[strip] > 0).mean() > 0.9, who
        face = (person.parse == S.FACE) & (ys < chin - 0.05 * unit)
        assert not look.edit_mask[face].any(), who


@pytest.mark.parametrize("collar", (20, 250))
def test_no_line_of_a_collar_stays_along_the_chin(persons, goods, collar):
    """The outermost pixels of a face, which are half of a high dark or white collar beside it, as a black or white line between face and painted neck."""
    person, (_, unit) = persons["clara"], torso(persons["clara"])
    chin, (x, y) = np.flatnonzero((person.parse == S.FACE).any(1)).max(), person.pose[0, S.NECK_JOINT, :2]
    ys, xs = np.mgrid[0:len(person.parse), 0:person.parse.shape[1]]
    high = replace(person, photo=person.photo.copy(), parse=person.parse.copy())
    neck = (person.parse == S.NECK) & (np.abs(xs - x) < 0.15 * unit) & (ys > chin - 0.02 * unit) & (ys < y)
    high.parse[neck] = S.UPPER
    high.photo[np.isin(high.parse, (S.UPPER, S.FULL))] = collar
    rim = (person.parse == S.FACE) & grown(neck, 1)
    high.photo[rim] = (high.photo[rim].astype(int) + collar) // 2
    look = wear(high, goods["top-02"])
    assert rim.sum() > 10 and (look.edit_mask[rim] > 0).mean() > 0.9
    off = np.abs(look.image[rim].astype(float) - np.median(person.photo[person.parse == S.FACE], 0)).max(1)
    assert np.median(off) < 0.6 * np.abs(collar - np.median(person.photo[person.parse == S.FACE], 0)).max() / 2
    assert not look.edit_mask[(person.parse == S.FACE) & ~grown(neck, 3)].any()


@pytest.mark.parametrize("who", ("clara", "edgar"))
def test_a_light_collar_right_below_the_chin_goes_and_a_beard_stays(persons, who):
    """A white ring of a roll-neck around the throat, close to the chin, that was taken for neck; a dark beard that goes with it."""
    person, (_, unit) = persons[who], torso(persons[who])
    chin, x = np.flatnonzero((person.parse == S.FACE).any(1)).max(), person.pose[0, S.NECK_JOINT, 0]
    ys, xs = np.mgrid[0:len(person.parse), 0:person.parse.shape[1]]
    neck = np.isin(person.parse, (S.NECK, S.UPPER)) & (np.abs(xs - x) < 0.12 * unit) & (ys > chin) & (ys < chin + 0.1 * unit)
    strip, taken = neck & (ys < chin + 0.015 * unit), np.isin(person.parse, (S.UPPER, S.FULL, S.OUTER))
    found = {}
    for colour in (235, 20):
        high = replace(person, photo=person.photo.copy(), parse=np.where(neck, np.uint8(S.NECK), person.parse))
        high.photo[neck], high.photo[taken & ~neck] = colour, (40, 60, 160)
        found[colour] = left_over(Canvas.of(high.photo, high.parse), taken & ~neck, high.body)[strip].mean()
    assert strip.sum() > 15 and found[235] > found[20] + 0.25, (who, found)


@pytest.mark.parametrize("who", ("clara", "edgar", "amir"))
@pytest.mark.parametrize("stub", [False, True])
def test_arms_come_out_of_a_vest(persons, goods, who, stub):
    """A coat taken off for a vest, and ground where arms must be, as what stands off an armhole was taken for a sleeve."""
    person, jacket = persons[who], goods["jacket-06"]
    coat = replace(person, parse=np.where(person.parse == S.UPPER, np.uint8(S.OUTER), person.parse))
    sleeves, axis = np.isin(jacket.parts, (2, 3)), jacket.shape.limbs["left"]
    if stub:
        ys, xs = np.nonzero(jacket.parts == 3)
        kept = (np.stack((xs, ys), 1) - axis[0, :2]) @ (axis[-1, :2] - axis[0, :2]) < 0.15 * ((axis[-1, :2] - axis[0, :2]) ** 2).sum()
        sleeves[ys[kept], xs[kept]] = False
    vest = replace(jacket, mask=np.where(sleeves, 0, jacket.mask).astype(np.uint8), parts=np.where(sleeves, 0, jacket.parts).astype(np.uint8),
                   shape=replace(jacket.shape, limbs={"left": axis[:1] + 0.15 * (axis - axis[:1])} if stub else {}))
    layout = wear(coat, vest).layout
    for joint in (S.R_SHOULDER, S.R_ELBOW, S.L_SHOULDER, S.L_ELBOW):
        x, y = np.rint(person.pose[0, joint, :2]).astype(int)
        assert layout[y, x] in S.ARMS


def test_protection_holds_at_an_odd_size(persons, goods):
    """Resizing by rounded factors that shifts masks against the photo by a pixel."""
    person = persons["edgar"]
    size = (223, 301)  # (width, height)
    pose = person.pose.copy()
    pose[..., :2] = np.where(pose[..., 2:] > 0, (pose[..., :2] + 0.5) * (size[0] / 384, size[1] / 512) - 0.5, 0)
    small = replace(person, photo=cv2.resize(person.photo, size, interpolation=cv2.INTER_AREA),
                    parse=cv2.resize(person.parse, size, interpolation=cv2.INTER_NEAREST), pose=pose)
    look = wear(small, goods["sweater-05"])
    kept = look.edit_mask == 0
    assert look.image.shape == (301, 223, 3) and (look.image[kept] == small.photo[kept]).all() and (look.warped_mask > 0).sum() > 3000
    changed = (look.image != small.photo).any(-1)
    assert not (changed & np.isin(small.parse, (S.FACE, S.HAIR, S.SHOES))).any()


@pytest.mark.parametrize("name", ("top-01", "shirt-04", "sweater-05", "dress-10", "scarf"))
def test_inner_back_never_shows(persons, goods, name):
    """The label and the inside of the back in front of the neck, or a rim of them."""
    garment, seen = goods[name], []
    photo = np.where(garment.inner[..., None] > 127, np.uint8((255, 0, 255)), garment.photo)
    assert (garment.inner > 0).mean() > 0.002
    for inner in (garment.inner, np.zeros_like(garment.inner)):
        image = wear(persons["clara"], replace(garment, photo=photo, inner=inner)).image.astype(int)
        seen.append(int(((image[..., 0] > 150) & (image[..., 2] > 150) & (image[..., 1] < 90)).sum()))
    assert seen[0] < 0.03 * seen[1] and seen[1] > 100


def test_a_belt_is_no_scarf(persons):
    """A belt that is taken off with the top it was worn over; a scarf that stays."""
    person = persons["clara"]
    body, layout = person.body, np.zeros(person.parse.shape, np.uint8)
    box = lambda above, below, half: np.s_[int(body.neck[1] + above * body.unit):int(body.neck[1] + below * body.unit), int(body.neck[0] - half * body.unit):int(body.neck[0] + half * body.unit)]
    layout[box(0.55, 0.75, 0.3)] = S.ACCESSORY
    assert not scarf(layout, body).any()
    layout[:] = 0
    layout[box(0.0, 0.6, 0.15)] = S.ACCESSORY
    assert (scarf(layout, body) == (layout > 0)).all()


def test_a_thick_scarf_goes_up_to_the_chin(persons, goods):
    """A strip of it under the chin, cut off straight where the new garment's surroundings end."""
    person = persons["clara"]
    body, photo, parse = person.body, person.photo.copy(), person.parse.copy()
    around = np.zeros(parse.shape, bool)
    around[int(body.neck[1] - 0.3 * body.unit):int(body.neck[1] + 0.25 * body.unit), int(body.neck[0] - 0.25 * body.unit):int(body.neck[0] + 0.25 * body.unit)] = True
    around &= ~np.isin(parse, (S.FACE, S.HAIR))
    photo[around], parse[around] = (255, 0, 255), S.ACCESSORY
    for name in ("top-01", "jacket-06"):
        image = wear(replace(person, photo=photo, parse=parse), goods[name]).image.astype(int)
        left = (image[..., 0] > 150) & (image[..., 2] > 150) & (image[..., 1] < 90)
        assert left.sum() < 0.01 * around.sum(), name


def test_what_a_hand_holds_stays_in_front(persons):
    """A cup before the chest that the new top covers; a belt that shows over it because a hand touches it, or a scarf that a hand holds."""
    person = persons["clara"]
    pose, unit, (nx, ny) = person.pose.copy(), person.body.unit, (int(v) for v in person.body.neck)
    x, y = int(nx - 0.25 * unit), int(ny + 0.3 * unit)
    pose[0, S.R_ELBOW], pose[0, S.R_WRIST] = (nx - 0.55 * unit, y, 1), (x, y, 1)
    body = Person(person.photo, person.parse, pose, 1.0).body
    hand, cup = np.s_[y - 8:y + 8, x:x + 16], np.s_[y - 12:y + 12, x + 16:x + 26]

    def layout(*boxes) -> np.ndarray:
        out = np.zeros(person.parse.shape, np.uint8)
        for box in boxes:
            out[box] = S.ACCESSORY
        out[hand] = S.RIGHT_ARM
        return out

    assert (held(layout(cup), body) == (layout(cup) == S.ACCESSORY)).all()
    apart = layout(cup)
    apart[hand] = S.UPPER
    assert not held(apart, body).any()
    waist = int(ny + unit)
    assert not held(layout(np.s_[waist:waist + 8, x:nx + 30], np.s_[y:waist, x + 16:x + 20]), body)[waist:].any()
    assert not held(layout(np.s_[ny:int(ny + 0.6 * unit), nx - 20:nx + 20], cup), body).any()


def test_trousers_below_a_longer_top_stay_as_they_are():
    """Dots of shorts that become dashes along the hem above them; a white shirt that was over them and is still mixed with them."""
    photo = np.full((200, 120, 3), 235, np.uint8)
    for y, x in np.ndindex(10, 6):
        cv2.circle(photo, (10 + 20 * x, 10 + 20 * y), 5, (10, 10, 10), -1)
    before, layout = np.full((2, 200, 120), S.LOWER, np.uint8)
    edit = np.zeros((200, 120), bool)
    edit[:100], layout[:100] = True, S.UPPER
    image = photo.copy()
    image[:100] = 60
    out, _ = unmixed(photo, image, edit, before, layout, np.zeros_like(edit), edit, 3)
    assert (out[101:] == photo[101:]).all()
    before[:100] = S.UPPER
    photo[:100], photo[100:103] = (0, 200, 0), (0, 200, 0)
    out, _ = unmixed(photo, image, edit, before, layout, np.zeros_like(edit), edit, 3)
    assert not (out[100:103, :, 1] > 150).any() & (out[100:103, :, 0] < 50).any()


@pytest.mark.parametrize("old", (S.NECK, S.BACKGROUND))
def test_hair_and_bags_lose_what_they_show_of_what_is_covered(old):
    """A pale line along hair that lay on a bare chest, and along a bag that hung before light ground, when something dark is worn over these."""
    before, layout = np.full((2, 200, 120), S.BAG if old == S.BACKGROUND else S.HAIR, np.uint8)
    edit = np.zeros((200, 120), bool)
    edit[:100], before[:100], layout[:100] = True, old, S.UPPER
    photo = np.where(edit[..., None], np.uint8((235, 200, 180)), np.uint8((70, 45, 30)))
    photo[100] = (152, 122, 105)  # half of both
    image = np.where(edit[..., None], np.uint8((20, 25, 60)), photo)
    out, changed = unmixed(photo, image, edit, before, layout, np.zeros_like(edit), edit, 3)
    assert out[100, 20:100].max() < 75 and changed[100, 20:100].all() and (out[106:] == photo[106:]).all()
    before[100:], layout[100:], before[:100] = S.BACKGROUND, S.BACKGROUND, S.BACKGROUND  # what is ground on both sides stays
    assert not unmixed(photo, image, edit, before, layout, np.zeros_like(edit), edit, 3)[1].any()


def test_hair_that_lay_on_dark_clothes_gets_no_pale_line():
    """Strands that end in the dark, whose last pixels turn out lighter than they are on both sides."""
    before, layout = np.full((2, 200, 120), S.HAIR, np.uint8)
    edit = np.zeros((200, 120), bool)
    edit[:100], before[:100], layout[:100] = True, S.UPPER, S.UPPER
    photo = np.where(edit[..., None], np.uint8((25, 20, 25)), np.uint8((190, 140, 95)))
    photo[100:102], photo[102:110] = (60, 40, 30), (110, 75, 50)
    image = np.where(edit[..., None], np.uint8((60, 80, 120)), photo)
    out, _ = unmixed(photo, image, edit, before, layout, np.zeros_like(edit), edit, 3)
    assert (out[100:102, 20:100] <= np.maximum(photo[104, 60], image[50, 60]) + 3).all()


def test_no_trousers_stand_out_beside_the_jacket_above_them():
    """Waists of trousers wider than a jacket that show between it and an arm; hips below its rounded hem that are cut off, or where no arm is; tops of which nothing
    is seen."""
    top, ground, arms = np.zeros((3, 200, 160), bool)
    arms[:, :20] = True
    top[40:140, 50:110] = True
    top[140:148, 60:100] = True  # the hem is rounded
    ground[:] = ~top & ~arms
    out = beside_top(top, ground, arms, 100.0)
    assert out[60:138, 20:50].all() and not out[:, 110:].any() and not out[:, 50:110].any() and not out[150:].any()
    assert not beside_top(np.zeros_like(top), ground, arms, 100.0).any()


@pytest.mark.parametrize("old", (S.UPPER, S.ACCESSORY))
def test_the_border_of_hair_has_no_dots(old):
    """Dots of a new top along hair: pixels of the border that were by turns hair and old top, or old scarf, one by one."""
    before, layout = np.full((2, 200, 120), S.HAIR, np.uint8)
    edit = np.zeros((200, 120), bool)
    edit[:100], before[:100], layout[:100] = True, old, S.UPPER
    photo = np.where(edit[..., None], np.uint8(20), np.uint8((150, 110, 80)))
    photo[100, ::2] = 20
    image = np.where(edit[..., None], np.uint8(240), photo)
    out, changed = unmixed(photo, image, edit, before, layout, np.zeros_like(edit), edit, 3)
    row = out[100, 20:100].astype(float).mean(1)
    assert np.abs(row[1:] - row[:-1]).max() < 40 and row.min() > 110 and row.max() < 240  # from 113, which is hair, to 240
    assert (out[106:] == photo[106:]).all() and not changed[106:].any()


def test_a_waist_reaches_the_hem_above_it(persons, goods, monkeypatch):
    """A strip of the own top that goes on below its hem, or of ground, where the waist of the new skirt hangs through."""
    person, garment = persons["clara"], goods["skirt-09"]
    mask = garment.mask.copy()
    (xc, top), wide = garment.shape.centre[0], garment.shape.width
    cv2.ellipse(mask, (int(xc), int(top)), (int(0.35 * wide), int(0.12 * wide)), 0, 0, 360, 0, -1)
    hung, between = replace(garment, mask=mask), []
    for reach in (compose_module.UNDER_HEM, 0):
        monkeypatch.setattr(compose_module, "UNDER_HEM", reach)
        look = wear(person, hung)
        own = (person.parse == S.UPPER) & (look.layout == S.UPPER)
        columns = np.abs(np.arange(own.shape[1]) - person.body.hips[0]) < 0.1 * person.body.unit
        below = (look.layout == S.LOWER).argmax(0) - (len(own) - own[::-1].argmax(0))
        between.append(float(np.median(below[columns])))
        assert not ((look.layout == S.LOWER) & own).any()
    assert between[0] <= 1 and between[1] > 3


@pytest.mark.parametrize("who", ["clara", "edgar", "lina"])
def test_slits_between_legs_are_dark_cloth(persons, goods, who, monkeypatch):
    """A white slit of painted ground from the crotch to the knees where the old garment let none be seen; legs that are one, or a gap that is wide and goes."""
    person = persons[who]
    body, inside = person.body, np.zeros(person.parse.shape, np.uint8)
    cv2.fillPoly(inside, [np.array([body.joint[k] for k in (S.R_HIP, S.R_ANKLE, S.L_ANKLE, S.L_HIP)], np.int32)], 1)
    between = (inside > 0) & (person.parse == S.BACKGROUND)
    photo, parse = np.where(between[..., None], np.uint8((200, 60, 60)), person.photo), np.where(between, S.LOWER, person.parse).astype(np.uint8)
    person, low = replace(person, photo=photo, parse=parse), int(body.hips[1] + 0.3 * body.unit)
    look = wear(person, goods["trousers-07"])
    monkeypatch.setattr("tryon.compose.SLIT", 0)
    trousers, slit = look.layout == S.LOWER, (look.layout == S.LOWER) & (wear(person, goods["trousers-07"]).layout != S.LOWER)
    gap, grey = ((inside > 0) & ~trousers)[low:].sum(1), look.image.mean(2)
    assert (gap > 0.1 * body.unit).any() and ((gap > 0) & (gap < 0.05 * body.unit)).sum() <= 5
    assert slit.sum() > 100 and np.median(grey[slit]) < 0.8 * np.median(grey[trousers & ~slit])


def test_what_is_tucked_in_ends_at_the_waistband(persons):
    """A gap between a top and trousers whose upper edge is not straight, or cloth that hangs out beside them."""
    person = persons["clara"]
    body, layout = person.body, np.zeros(person.parse.shape, np.uint8)
    body = Body(person)
    body.rise = 0.2
    y, x = np.mgrid[0:layout.shape[0], 0:layout.shape[1]]
    waist, off = body.hips[1] - 0.2 * body.unit, x - body.hips[0]
    layout[(y >= waist + 0.15 * off) & (np.abs(off) < 0.3 * body.unit)] = S.LOWER
    behind = under_waistband(layout, body)
    assert behind[layout == S.LOWER].all()
    for at in (-0.25, 0.0, 0.25):
        column = int(body.hips[0] + at * body.unit)
        assert abs(int(behind[:, column].argmax()) - (waist + 0.15 * at * body.unit)) < 3
    beside = int(body.hips[0] + 0.4 * body.unit)
    assert abs(int(behind[:, beside].argmax()) - (waist + 0.15 * 0.3 * body.unit)) < 4
    assert not under_waistband(np.zeros_like(layout), body)[:int(waist) - 2].any()


@pytest.mark.parametrize("who", ["edgar", "clara"])
def test_cuffs_are_no_darker_than_their_sleeves(persons, goods, who):
    """A sleeve in the shadow of the bare arm that is in it: smudged cuffs."""
    person, sweater = persons[who], goods["sweater-05"]
    body = person.body
    grey = replace(sweater, photo=np.where(sweater.mask[..., None] > 0, np.uint8(150), sweater.photo))
    look = wear(person, grey)
    for elbow, wrist in ((S.R_ELBOW, S.R_WRIST), (S.L_ELBOW, S.L_WRIST)):
        along = body.joint[elbow] - body.joint[wrist]
        along /= np.linalg.norm(along)
        spot = lambda t: cv2.circle(np.zeros(person.parse.shape, np.uint8), tuple(int(v) for v in body.joint[wrist] + t * body.unit * along), 3, 1, -1) > 0
        cuff, sleeve = (spot(t) & (look.warped_mask > 0) for t in (0.12, 0.4))
        assert cuff.any() and np.isin(person.parse[cuff], (S.LEFT_ARM, S.RIGHT_ARM)).all()
        assert look.image[cuff].mean() > 0.92 * look.image[sleeve].mean()


@pytest.mark.parametrize("above", [0.0, 0.07])
def test_a_wrist_loses_what_it_shows_of_the_sleeve(persons, goods, above):
    """A line of the old sleeve's colour between a painted arm and the hand, also where the wrist was found so many torso lengths ``above`` the cuff."""
    person = persons["amir"]
    pose = person.pose.copy()
    for elbow, wrist in ((S.R_ELBOW, S.R_WRIST), (S.L_ELBOW, S.L_WRIST)):
        way = pose[0, wrist, :2] - pose[0, elbow, :2]
        pose[0, wrist, :2] -= above * person.body.unit * way / np.linalg.norm(way)
    person = replace(person, pose=pose)
    top, near = np.isin(person.parse, (S.UPPER, S.OUTER, S.FULL)), np.zeros(person.parse.shape, np.uint8)
    for wrist in (S.R_WRIST, S.L_WRIST):
        cv2.circle(near, tuple(int(v) for v in person.body.joint[wrist]), int((0.1 + above) * person.body.unit), 1, -1)
    line = grown(top, 2) & np.isin(person.parse, (S.LEFT_ARM, S.RIGHT_ARM)) & (near > 0)
    photo = person.photo.copy()
    photo[top] = 20, 200, 40
    photo[line] = photo[line] // 2 + np.uint8((10, 100, 20))
    green = lambda image: float((image[line][:, 1].astype(int) - image[line][:, 0]).mean())
    own, mixed, shown = (green(a) for a in (person.photo, photo, wear(replace(person, photo=photo), goods["top-01"]).image))
    assert line.sum() > 50 and shown - own < 0.4 * (mixed - own), (own, mixed, shown)


@pytest.mark.parametrize("beside, wide, closes", [("cloth", 10, True), ("cloth", 30, False), ("arm", 10, False), ("arm", 5, True)])
def test_gaps_close_between_cloth_and_slits_beside_arms(beside, wide, closes):
    """The old garment between the parts of the new one; a wall of cloth from a top to a bare arm."""
    alpha, wall = np.zeros((100, 100), np.float32), np.zeros((100, 100), bool)
    alpha[:, :40], wall[:, 40 + wide:70 + wide] = 1, True
    alpha[wall] = beside == "cloth"
    colour, old, nothing = np.full((100, 100, 3), 90, np.float32), np.zeros((100, 100), bool), np.zeros((100, 100), bool)
    old[:, 40:40 + wide] = True
    close_gaps(colour, alpha, old, wall & (beside == "arm"), nothing, 8)
    assert (alpha[50, 40:40 + wide] == closes).all() and (alpha[:, :40] == 1).all() and (alpha[:, 75 + wide:] == 0).all()


def test_what_closes_a_gap_meets_the_cloth_in_no_ragged_line():
    """A sleeve with a ragged dark edge, as it lay on its ground: light and dark dots along the cloth that was made between it and the torso."""
    alpha, colour, nothing = np.ones((100, 100), np.float32), np.full((100, 100, 3), 170, np.float32), np.zeros((100, 100), bool)
    alpha[:, 45:53] = 0
    colour[::3, 41:45] = 60
    before = colour.copy()
    close_gaps(colour, alpha, alpha == 0, nothing, nothing, 8)
    assert np.abs(np.diff(colour[10:90, 42:53], axis=0)).max() < 45 and np.abs(np.diff(colour[10:90, 42:53], axis=1)).max() < 45
    assert (colour[:, :40] == before[:, :40]).all() and (colour[:, 58:] == before[:, 58:]).all(), "what lies farther off stays"


def test_a_gap_repeats_no_print():
    """Letters beside a gap mirrored into it: dashes along the seam of a sleeve."""
    alpha, colour, nothing = np.ones((100, 100), np.float32), np.full((100, 100, 3), 40, np.float32), np.zeros((100, 100), bool)
    alpha[:, 45:53] = 0
    colour[30:70:8, 34:42] = 240  # a print, and something fine that may go on
    colour[:, 54::2] += 8
    old = alpha == 0
    close_gaps(colour, alpha, old, nothing, nothing, 8)
    assert (alpha[50, 45:53] == 1).all() and colour[5:95, 45:53].max() < 130
    assert colour[5:95, 50:53].std() > 1


def test_cloth_ends_as_sharply_as_what_is_beside_it():
    """A halo: an outline that is twice as soft as those of a sharp photo, as the mask of a product is soft by itself; a staircase along a slanted one."""
    x, y = np.meshgrid(np.arange(60, dtype=np.float32), np.arange(60, dtype=np.float32))
    away = (x - 30 - 0.3 * (y - 30)) / np.hypot(1, 0.3)  # pixels from the outline
    alpha = np.clip(0.5 + away / 3, 0, 1)
    out = np.full((60, 60, 3), 200, np.float32)
    lay_on(out, np.full_like(out, 20), np.zeros((60, 60, 1), np.float32), alpha, np.ones(alpha.shape, bool), compose_module.SOFT)
    share = (200 - out[..., 0]) / 180
    wide = [np.interp(0.9, share[k], x[k]) - np.interp(0.1, share[k], x[k]) for k in range(10, 50)]
    assert 1.5 < np.median(wide) < 2.6
    middle = [float(np.interp(0.5, share[k], x[k])) for k in range(10, 50)]
    assert np.abs(np.diff(middle, 2)).max() < 0.2  # straight to a fifth of a pixel


def test_cloth_ends_softly():
    """Cloth that ends in a staircase, or in a dotted line; an edge that changes what lies beside it; old clothes that shine through at the edge."""
    below, cloth, alpha = np.full((40, 40, 3), 200, np.float32), np.zeros((40, 40, 3), np.float32), np.zeros((40, 40), np.float32)
    alpha[:, 20], alpha[:, 21:] = 0.4, 1
    cloth[:, 20:] = 20
    below[:, 21:] = 90  # what was worn there

    def laid_on(cloth, alpha, below, edited, sigma):
        out = below.copy()
        lay_on(out, cloth, np.zeros((40, 40, 1), np.float32), alpha, edited, sigma)
        return out

    for sigma in (0.8, 1.6):
        out = laid_on(cloth, alpha, below, alpha > 0, sigma)
        assert (out[:, :20] == 200).all() and np.allclose(out[:, 28:], 20) and 60 < out[20, 20, 0] < 190
        edited = np.ones_like(alpha, bool)
        out = laid_on(cloth, alpha, below, edited, sigma)[20, :, 0]
        assert (np.diff(out) <= 1e-3).all() and -np.diff(out).min() < (100, 50)[sigma > 1]  # from the one to the other, without turning back
        assert abs(float((200 - out).sum() / 180) - 19.4) < 0.7  # of what lies between 200 and 20 neither is more, whatever was worn
    assert (laid_on(cloth, alpha, below, np.zeros_like(alpha, bool), 0.8)[:, :20] == 200).all()


def test_what_was_taken_for_an_arm_is_covered(persons):
    """A belt of the colour of skin, in front of a new top."""
    person = persons["clara"]
    body, layout = person.body, person.parse.copy()
    x, y = (int(v) for v in body.neck + 0.5 * body.unit * body.down)
    layout[y - 4:y + 4, x - 12:x + 12] = S.LEFT_ARM
    layout[y - 6:y + 6, [x - 13, x + 12]] = layout[[y - 5, y + 4], x - 13:x + 13] = S.UPPER
    bare = bare_arms(layout, arm_regions(layout, body, body.unit), body, body.unit)
    true = np.isin(person.parse, (S.LEFT_ARM, S.RIGHT_ARM)) & (person.parse == layout)
    assert not bare[y - 4:y + 4, x - 12:x + 12].any() and bare[true].mean() > 0.5


def test_an_arm_whose_hand_is_hidden_ends_behind_the_torso(persons):
    """A stump on the new shirt, of an arm whose hand is behind somebody else."""
    person = persons["clara"]
    body, (h, w) = copy.copy(person.body), person.parse.shape
    body.joint, body.seen = body.joint.copy(), body.seen.copy()
    body.joint[S.R_WRIST], body.seen[S.R_WRIST] = body.neck + 0.6 * body.unit * body.down, True
    torso, nothing = np.zeros((h, w), np.float32), np.zeros((h, w), np.uint8)
    x, y = (int(v) for v in body.joint[S.R_WRIST])
    torso[y - 60:y + 60, x - 40:x + 40] = 1
    layers = [("torso", None, torso), ("right", None, torso * 0)]
    hand = cv2.circle(nothing.copy(), (x, y), int(0.12 * body.unit), S.RIGHT_ARM, -1)
    assert S.RIGHT_ARM in behind_torso(layers, nothing, body, body.unit)
    assert S.RIGHT_ARM not in behind_torso(layers, hand, body, body.unit)
    assert not behind_torso([("torso", None, torso * 0)], nothing, body, body.unit)


def test_dents_of_a_hem_are_no_gaps():
    """Cloth in discs below a hem that is not straight."""
    alpha, nothing = np.zeros((100, 100), np.float32), np.zeros((100, 100), bool)
    alpha[:50] = 1
    for x, radius in ((20, 8), (45, 6), (70, 7)):
        cv2.circle(alpha, (x, 50), radius, 0.0, -1)
    before = alpha.copy()
    close_gaps(np.full((100, 100, 3), 90, np.float32), alpha, ~nothing, nothing, nothing, 8)
    assert (alpha == before).all()


def test_sharpness_falls_with_enlargement(persons):
    """A rim of repainted ground as wide around a sharp photo as around a small one that was enlarged."""
    photo = persons["clara"].photo
    larger = [cv2.resize(photo, None, fx=k, fy=k, interpolation=cv2.INTER_CUBIC) for k in (2, 3)]
    sharp, twice, thrice = sharpness(photo), *(sharpness(p) for p in larger)
    assert sharp > 0.8 and 0.3 < twice / sharp < 0.65 and 0.15 < thrice / sharp < 0.45
    assert sharpness(np.full((40, 40, 3), 200, np.uint8)) == 1 and sharpness(np.zeros((2, 2, 3), np.uint8)) == 1


@pytest.mark.parametrize("high, stays", [(0.08, True), (0.3, False)])
def test_a_belt_lies_where_trousers_begin(persons, high, stays):
    """A shirt that was taken for a belt, in front of the new top that is tucked in; a belt that the new top hides."""
    body, layout = Body(persons["clara"]), np.zeros(persons["clara"].parse.shape, np.uint8)
    body.rise = 0.2
    y, x = np.indices(layout.shape)
    above = (body.hips[1] - y) / body.unit
    layout[(np.abs(above - body.rise - high) < 0.02) & (np.abs(x - body.hips[0]) < 0.1 * body.unit)] = S.ACCESSORY
    assert (layout == S.ACCESSORY).any() and (belt(layout, body) == (layout == S.ACCESSORY) * stays).all()


def test_what_hair_parts_is_no_crumb():
    """A strip of a shoulder between two strands, that becomes a hole; a crumb that stays."""
    alpha, hair = np.zeros((60, 60), np.float32), np.zeros((60, 60), bool)
    alpha[10:50, 10:40] = alpha[10:16, 44:47] = alpha[52:55, 50:53] = 1
    hair[5:20, 40:44] = True
    left = alpha.copy()
    seen = without_crumbs(left, hair)
    assert seen[10:16, 44:47].all() and not seen[52:55, 50:53].any() and not left[52:55, 50:53].any() and seen.sum() == 30 * 40 + 18
    assert not without_crumbs(alpha, np.zeros_like(hair))[10:16, 44:47].any()


def test_holes_between_legs_are_told_from_gaps():
    """Ground seen through the crotch, where trouser legs meet again below; what is open below, tall, in front, or at the picture's border stays."""
    cloth = np.ones((80, 90), bool)
    cloth[20:30, 10:16] = cloth[20:80, 30:36] = cloth[20:50, 45:50] = cloth[40:50, 75:80] = cloth[60:66, 85:] = False
    front = np.zeros_like(cloth)
    front[44, 76] = True
    legs = [np.arange(90)[None] < 13, np.arange(90)[None] >= 13]
    found = enclosed(cloth, front, [np.broadcast_to(leg, cloth.shape) for leg in legs], 12)
    assert found[20:30, 10:16].all() and found.sum() == 60
    assert not enclosed(cloth, front, [np.broadcast_to(np.arange(90)[None] > 40, cloth.shape)], 12).any()  # a rip in one leg


def test_trousers_hang_over_boots_if_they_are_wider():
    """The shaft of a boot in front of the leg of trousers that is worn over it; a narrow leg over the boot into which it goes, or over the toes of a shoe."""
    layout, wide, narrow = np.zeros((3, 120, 100), np.uint8)
    layout[70:110, 20:32] = layout[70:110, 60:72] = S.SHOES
    wide[:95, 12:40], narrow[:95, 61:71] = 1, 1
    over = hung_over(layout, [("torso", wide * 0.0, wide * 0.0), ("right", None, wide), ("left", None, narrow)], 100)
    assert over[70:95, 20:32].all() and over.sum() == 25 * 12
    layout[:], layout[85:100, 5:60] = 0, S.SHOES
    assert not hung_over(layout, [("right", None, wide)], 100).any()


def test_socks_hide_no_legs(persons, goods):
    """Shins that are ground because socks are seen below: what legs may be is told by what is worn on them, which socks are not."""
    person, dress = persons["lina"], goods["dress-11"]
    parse = person.parse.copy()
    ankles = person.pose[0, [S.R_ANKLE, S.L_ANKLE], 1].min()
    legs = np.isin(parse, (S.LEFT_LEG, S.RIGHT_LEG))
    assert legs.sum() > 500
    parse[legs & (np.arange(len(parse))[:, None] > ankles - 12)] = S.LEGWEAR
    assert 0 < (parse == S.LEGWEAR).sum() < 0.06 * person.body.unit ** 2
    look, plain = wear(replace(person, parse=parse), dress), wear(person, dress)
    shown = lambda look: np.isin(look.layout, (S.LEFT_LEG, S.RIGHT_LEG)) & (look.edit_mask > 0)
    assert shown(plain).sum() > 300 and shown(look).sum() > 0.8 * shown(plain).sum()


def test_tights_go_on_below_a_new_hem(persons, goods):
    """Bare thighs between a shorter dress and the tights that were seen below the skirt; tights that fill all that is between the legs."""
    person, dress = persons["lina"], goods["dress-11"]
    legs, rows, unit = np.isin(person.parse, (S.LEFT_LEG, S.RIGHT_LEG)), np.arange(len(person.parse))[:, None], person.body.unit
    knees = person.pose[0, [S.R_KNEE, S.L_KNEE], 1].mean()
    parse = np.where(legs, np.where(rows > knees, S.LEGWEAR, S.FULL), person.parse).astype(np.uint8)
    parse[(person.parse == S.BACKGROUND) & (rows > knees - 0.6 * unit) & (rows <= knees) & (np.abs(np.arange(parse.shape[1]) - person.body.hips[0]) < 0.4 * unit)] = S.FULL
    assert (parse == S.LEGWEAR).sum() > 0.1 * unit ** 2
    look = wear(replace(person, parse=parse), dress)
    shown = (look.edit_mask > 0) & (look.warped_mask == 0) & (rows < knees)
    thighs = np.any([capsule(parse.shape, person.pose[0, bone, :2], np.full(2, 0.05 * unit)) for bone in ([S.R_HIP, S.R_KNEE], [S.L_HIP, S.L_KNEE])], 0)
    assert not np.isin(look.layout[shown], (S.LEFT_LEG, S.RIGHT_LEG)).any()
    assert (shown & thighs).sum() > 50 and (look.layout[shown & thighs] == S.LEGWEAR).mean() > 0.95 and (look.layout[shown] == S.BACKGROUND).sum() > 100


def test_trousers_are_darker_where_their_legs_meet(persons):
    """Trousers on legs that stand close, which look like a skirt; a pelvis with a line down its middle; legs that stand apart."""
    body = Body(persons["edgar"])
    h, w = persons["edgar"].parse.shape
    x, unit = int(body.hips[0]), body.unit
    right, left = np.zeros((2, h, w), np.float32)
    y0 = int(body.hips[1])
    right[y0:, x - int(0.2 * unit):x], left[y0:, x:x + int(0.2 * unit)] = 1, 1
    layers = [("torso", None, np.ones((h, w), np.float32)), ("right", None, right), ("left", None, left)]
    factor = between_legs(layers, body)
    knees = int(body.hips[1] + 0.7 * unit)
    assert factor[knees, x] < 0.75 and factor[knees, x - int(0.15 * unit)] > 0.97 and factor[y0 + int(0.1 * unit), x] == 1 and (factor <= 1).all()
    far = np.roll(left, int(0.2 * unit), 1)
    assert between_legs([*layers[:2], ("left", None, far)], body)[knees].min() > 0.97
    assert (between_legs(layers[:2], body) == 1).all()


def test_shade_is_seen_on_black_trousers(persons, goods):
    """Legs of black trousers that are one, as what is black gets hardly darker; grey ones that become black."""
    person, garment = persons["edgar"], goods["trousers-07"]
    body, (h, w) = person.body, person.parse.shape
    x, y0, wide = int(body.hips[0]), int(body.hips[1]), int(0.2 * body.unit)
    right, left = np.zeros((2, h, w), np.float32)
    right[y0:, x - wide:x], left[y0:, x:x + wide] = 1, 1
    layers = [("torso", None, np.ones((h, w), np.float32)), ("right", None, right), ("left", None, left)]
    row, least = int(y0 + 0.7 * body.unit), {}
    for light in (20, 60, 160):
        factor = on_legs(layers, right + left, replace(garment, photo=np.full_like(garment.photo, light)), body)
        least[light] = float(factor[row, x - 2:x + 2].min() / factor[row, x - wide // 2])
    assert least[20] < 0.5 * least[160] and least[20] < least[60] < least[160] and least[160] > 0.3


def test_wide_legs_part_halfway_between_the_legs_of_the_body(persons):
    """A leg of trousers that covers half of the other one; one that is crossed over the other and must stay in front of it."""
    person = persons["edgar"]
    h, w = person.parse.shape
    for crossed in (False, True):
        pose = person.pose.copy()
        if crossed:
            ankles = [S.R_ANKLE, S.L_ANKLE]
            pose[0, ankles] = pose[0, ankles[::-1]]
        body = Body(replace(person, pose=pose))
        x, y0, wide = int(body.hips[0]), int(body.hips[1]), int(0.25 * body.unit)
        right, left = np.zeros((2, h, w), np.float32)
        right[y0:, x - wide:x + wide // 2], left[y0:, x - wide // 2:x + wide] = 1, 1
        layers = [("torso", None, np.ones((h, w), np.float32)), ("right", None, right), ("left", None, left)]
        found = parted(layers, body)
        assert [part for part, *_ in found] == ["torso", "right", "left"] and found[1][2] is right
        over, rows = found[2][2], slice(y0 + int(0.1 * body.unit), y0 + int(body.unit))
        if crossed:
            assert (over == left).all()
        else:
            middle = (body.limb("left", arm=False)[0][1] + body.limb("right", arm=False)[0][1]) / 2
            begins = (over[rows] > 0.5).argmax(1)
            assert np.abs(begins - middle[0]).max() < 0.06 * body.unit and np.abs(np.diff(begins)).max() <= 1
            assert (np.maximum(over, right) == np.maximum(left, right)).all()  # nothing is lost


def test_hair_in_the_shadow_is_hair():
    """Patches of skin amid hair, where its dark parts have the colour of a dark coat; a white collar taken for hair that stays."""
    photo, before, taken = np.full((40, 40, 3), 150, np.uint8), np.full((40, 40), S.HAIR, np.uint8), np.zeros((40, 40), bool)
    photo[10:15, 10:15], photo[20:25, 20:25] = 20, 240
    taken[10:15, 10:15] = taken[20:25, 20:25] = True
    before[30:] = S.UPPER
    taken[32:35] = True
    stays = shaded_hair(photo, before, taken)
    assert stays[10:15, 10:15].all() and stays.sum() == 25 and not shaded_hair(photo, before, np.zeros_like(taken)).any()


def test_what_stays_has_a_soft_edge():
    """Stairs along a hand in front of a new garment; a hand that is written to, or that hands on the colour of the old garment at its rim."""
    photo, kept = np.zeros((30, 40, 3), np.uint8), np.zeros((30, 40), bool)
    kept[:, :15] = True
    photo[kept], photo[:, 14] = 200, 0  # the rim shows a black coat
    made = np.full((30, 40, 3), 100, np.float32)
    reach_out(made, photo, kept, ~kept, 0.8)
    assert (made[:, :15] == 100).all() and (made[3:-3, 15] > 115).all() and (made[3:-3, 15] < 160).all() and (made[:, 19:] == 100).all()
    assert made[10, 15, 0] > made[10, 16, 0] >= 100


@pytest.mark.parametrize("kind", ["upper", "jacket"])
def test_what_was_worn_alone_stays_below_a_shorter_garment(persons, kind):
    """A torso without a lap and legs: under a tunic or a closed coat that is all there is, nothing of what comes below a shorter top is known."""
    person = persons["lina"]
    body, parse = person.body, person.parse.copy()
    parse[np.isin(parse, GARMENTS)] = S.UPPER if kind == "upper" else S.OUTER
    unit = body.unit
    old, layout, _ = taken_off(Canvas.of(person.photo, parse), kind, body, unit, False, True)
    lap = np.s_[int(body.hips[1] + 0.1 * unit):int(body.hips[1] + 0.4 * unit), int(body.hips[0] - 0.1 * unit):int(body.hips[0] + 0.1 * unit)]
    chest = np.s_[int(body.neck[1] + 0.2 * unit):int(body.neck[1] + 0.5 * unit), lap[1]]
    assert (layout[lap] == S.LOWER).mean() > 0.9 and not old[lap].any() and old[chest].mean() > 0.9
    parse[int(body.hips[1] + 0.15 * unit):][np.isin(parse[int(body.hips[1] + 0.15 * unit):], (S.UPPER, S.OUTER))] = S.LOWER  # trousers: nothing stays of the top
    old, layout, _ = taken_off(Canvas.of(person.photo, parse), kind, body, unit, True, True)
    assert not ((layout == S.LOWER) & (parse != S.LOWER)).any()


def test_a_hem_below_a_coat_tells_what_is_worn_under_it(persons, goods):
    """The lower half of a coat as a skirt below a new top, though a hand's breadth of the skirt is seen below it."""
    person = persons["lina"]
    body, parse = person.body, person.parse.copy()
    rows, unit = np.arange(len(parse))[:, None], body.unit
    parse[np.isin(parse, GARMENTS)] = S.OUTER
    first = int(body.hips[1] + 0.5 * unit)
    skirt = (parse == S.OUTER) & (rows >= first)
    parse[skirt] = np.where(np.cumsum(skirt.sum(1))[:, None] < 0.035 * unit ** 2, S.LOWER, S.LEFT_LEG).repeat(parse.shape[1], 1)[skirt]
    lap = (parse == S.OUTER) & (rows > body.hips[1] + 0.3 * unit) & (rows < first)
    assert 0.03 < (parse == S.LOWER).sum() / unit ** 2 < 0.04 and lap.sum() > 50
    assert (wear(replace(person, parse=parse), goods["top-01"]).edit_mask[lap] > 0).mean() > 0.9


@pytest.mark.parametrize("sleeved", [True, False])
def test_a_skirt_beside_bare_forearms_stays(persons, sleeved):
    """Holes in the skirt of a dress, and ends of arms on it, where forearms that its sleeves leave bare hang beside it."""
    person = persons["clara"]
    body, unit = person.body, person.body.unit
    arms, regions = np.isin(person.parse, S.ARMS), arm_regions(person.parse, person.body, person.body.unit)
    around = np.any(list(regions.values()), 0) & (np.indices(arms.shape)[0] > body.hips[1] - 0.15 * unit)
    skirt, hands = grown(around, int(0.04 * unit)) & ~arms, compose_module.hands(person.parse, body)
    parse = np.where(np.isin(person.parse, GARMENTS) | skirt | sleeved & arms & ~hands, np.uint8(S.FULL), person.parse)
    old, *_ = taken_off(Canvas.of(person.photo, parse), "upper", body, unit, False, True)
    assert skirt.sum() > 100 and (old[around & arms & ~hands].mean() > 0.9 if sleeved else old[skirt].mean() < 0.02)


@pytest.mark.parametrize("who", ["clara", "edgar"])
def test_forearms_come_out_of_the_short_sleeves_of_a_coat(persons, goods, who):
    """Hands that hang in the air below the new coat, where the old one had long sleeves and something is worn under it."""
    person, jacket = persons[who], goods["jacket-06"]
    body = person.body
    front = capsule(person.parse.shape, np.array((body.neck, body.hips)), np.full(2, 0.15 * body.unit))
    hands = np.any([capsule(front.shape, np.array((body.joint[w], 2 * body.joint[w] - body.joint[e])), np.full(2, 0.12 * body.unit)) & (person.parse == cls)
                    for e, w, cls in ((S.R_ELBOW, S.R_WRIST, S.RIGHT_ARM), (S.L_ELBOW, S.L_WRIST, S.LEFT_ARM))], 0)
    coat = replace(person, parse=np.where(np.isin(person.parse, (S.UPPER, *S.ARMS)) & ~front & ~hands, np.uint8(S.OUTER), person.parse))
    short = replace(jacket, mask=jacket.mask.copy(), parts=jacket.parts.copy())
    for part, axis in zip((2, 3), (jacket.shape.limbs["right"], jacket.shape.limbs["left"])):
        ys, xs = np.nonzero(jacket.parts == part)
        below = (np.stack((xs, ys), 1) - axis[3, :2]) @ (axis[-1, :2] - axis[0, :2]) > 0
        short.mask[ys[below], xs[below]] = short.parts[ys[below], xs[below]] = 0
    short = replace(short, shape=replace(jacket.shape, limbs={side: axis[:4] for side, axis in jacket.shape.limbs.items()}))
    layout = wear(coat, short).layout
    for elbow, wrist in ((S.R_ELBOW, S.R_WRIST), (S.L_ELBOW, S.L_WRIST)):
        x, y = np.rint(np.mean(person.pose[0, [elbow, wrist], :2], 0)).astype(int)
        assert coat.parse[y, x] == S.OUTER and layout[y, x] in (*S.ARMS, S.UPPER, S.OUTER), S.PARSE_CLASSES[layout[y, x]]


def test_ground_goes_on_between_legs_as_far_as_it_opens():
    """Dark cloth, level at its end, from the crotch of trousers down to that of the old ones; a slit between legs that meet again that is ground."""
    gaps, ground = np.zeros((60, 40), bool), np.zeros((60, 40), bool)
    gaps[10:30, 18:22] = gaps[10:20, 30:32] = True
    ground[30:, 18:22] = True
    opened = opens(gaps, ground, 25)
    assert opened[10:30, 18:22].all() and not opened[:, 30:].any() and not (opened & ~gaps).any()
    assert not opens(gaps, ground, 15).any(), "a slit along the whole of both legs is dark"


def test_a_waist_reaches_the_belt_above_it(persons, goods):
    """A strip of shirt between the belt and the new trousers."""
    person, garment = persons["edgar"], goods["trousers-07"]
    body, parse = person.body, person.parse.copy()
    y, x = np.indices(parse.shape)
    above, own = (body.hips[1] - y) / body.unit, (parse == S.UPPER) & (np.abs(x - body.hips[0]) < 0.4 * body.unit)
    parse[own & (above < 0.22)], parse[own & (above >= 0.22) & (above < 0.3)] = S.LOWER, S.ACCESSORY
    mask = garment.mask.copy()
    (xc, top), wide = garment.shape.centre[0], garment.shape.width
    cv2.ellipse(mask, (int(xc), int(top)), (int(0.45 * wide), int(0.15 * wide)), 0, 0, 360, 0, -1)
    layout = wear(replace(person, parse=parse), replace(garment, mask=mask)).layout
    below = layout[(np.abs(x - body.hips[0]) < 0.1 * body.unit) & (above < 0.21) & (above > 0.18)]
    assert np.mean(below == S.LOWER) > 0.9
