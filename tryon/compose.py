"""Compose: put a fitted garment into the person photo at full resolution.

What the new garment covers is decided first. What the old garment covered and the new one does not is freed: it becomes skin, trousers
or background, as the generator decides and paints (tryon/paint.py). Nothing outside the edit mask is ever written.
"""
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from tryon import schema as S
from tryon import shade
from tryon.body import Body
from tryon.colours import colours, rather
from tryon.condition import GARMENTS, skin_tone
from tryon.fit import CROTCH, Fit, seen_as
from tryon.garment import Garment, once
from tryon.landmarks import along, length_of
from tryon.limbs import BONES, at, beside_neck, capsule, hand, head, profile
from tryon.masks import among, box_of, closed, closest, distance_to, grown, pieces, shrunk, touching
from tryon.networks import Networks
from tryon.paint import mirrored, paint
from tryon.pyramid import thrice
from tryon.texture import bleed, sample, textures

CLASS_OF = {"upper": S.UPPER, "jacket": S.OUTER, "lower": S.LOWER, "full": S.FULL, "hat": S.HEADWEAR, "scarf": S.ACCESSORY, "bag": S.BAG}
# What a garment takes the place of. A jacket goes over what is worn under it.
REPLACES = {
    "upper": (S.UPPER, S.OUTER, S.FULL), "jacket": (S.OUTER,), "lower": (S.LOWER, S.FULL),
    "full": (S.UPPER, S.OUTER, S.FULL, S.LOWER), "hat": (S.HEADWEAR,), "scarf": (S.ACCESSORY,), "bag": (),
}

WITH_SCARF = ("upper", "jacket", "full")  # what a scarf is taken off for, and sleeves
RAISED, COLLAR = 0.3, 0.6  # torso lengths from a neck's middle: where a collar may be; how far from the colour of clothes, in distances from that of ground
BESIDE = 0.5  # torso lengths around it in which ground and clothes are looked for that tell a collar from ground
STRAND = 0.01  # squared torso lengths: a smaller piece of hair that lies on clothes is of them, or goes with them
INSIDE = 0.1  # torso lengths from a neck, and from a collar beside it: what is seen between them is the inside of the collar
CHIN = 0.03  # torso lengths below a face: beards are no collars, unless they are light
LIKE_SKIN = 0.4  # of how far skin is from grey, in its own direction: anything less is no skin
SLANT = 0.25  # pixels per pixel: the most that the upper edge of trousers falls from the middle outwards
EVEN = 0.06  # torso lengths to either side over which that edge is evened out
BELT = 0.11  # torso lengths: the most that a belt shows above them
HELD = 0.25  # torso lengths from a hand within which something is held
WAISTBAND = 0.12  # torso lengths that trousers begin above or below where they do in the middle
CUFF = 0.1  # torso lengths above a wrist: what is in a sleeve there has its cuff at the hand, no farther than twice that from the wrist
PRINT = 60  # of 255: what differs by more from the cloth's edge is a print
RIM_OF = 4  # of the reach within which cloth closes gaps, so many-th is the rim of it that its photo shows mixed with the ground
BROWS = 0.05  # torso lengths above the eyes
MOUTH = 1.0  # times as far below the nose as the eyes are above it: the end of the mouth
SEAM = 0.06  # torso lengths from both legs: where a hole in trousers is one between them
UNDER_HEM = 0.12  # torso lengths: as far as a waist goes on up to the hem of the top over it
STUB = 0.3  # widths of a top or jacket: sleeves no longer than that are none
LOW, ROUNDED = 0.4, 0.06  # of the height of a top, its lower part, whose side tells where its hem is; and torso lengths inwards of that where a rounded hem ends
ELBOW_ROOM = 0.4  # torso lengths between a top and an arm beside it
SLIT, DEEP = 0.04, 0.6  # torso lengths: half the width of the widest gap between legs that is none; and how much darker than the cloth it is
CRACK, OPENED = 0.015, 0.75  # the same of a gap no longer than so many torso lengths at whose end ground is seen
HOLE = 0.35  # torso lengths: the tallest hole between legs of trousers that is closed
INSEAM = 0.15  # torso lengths below the crotch until legs of trousers are as dark as where they meet
BARE, FIRST = 0.004, 10  # squared torso lengths of an arm's skin: the least that tells where a sleeve ends; and so many percent of it lie before that
SLEEVE = 0.06  # torso lengths: so much may a sleeve stand off an arm
ALONE = 0.013  # squared torso lengths: what is smaller and in the midst of clothes is no bag
BLACK = (25, 80), (2.5, 1.0)  # how light cloth is, of 255, and the power of the shade on it
PARTING = 8  # pixels from one to the next that are asked which leg is nearer
DRESS = 0.1  # squared torso lengths of a dress: the least that is one
CUT_OFF = 0.3  # torso lengths of a top at the picture's lower border: what it is worn with is not in the picture
# Squared torso lengths: who wears no more legwear than the first has bare legs above it; who wears more than the second, and shows no bare legs, has none.
SOCKS, TIGHTS = 0.06, 0.1
HEM, HUNG_OVER = 0.03, 0.7  # torso lengths beside shoes in which, and the least share of it above their hem in which, trousers go on that hang over them
SHAFT = 0.06  # torso lengths above the ankles: what of shoes is higher is the shaft of a boot
NEAR = 0.14  # torso lengths from clothes within which some of them may have been taken for something else
ARMPITS = -0.75  # torso lengths below the hips
SOFT, STEEP = 0.68, 2.0  # pixels of blur at edges of a sharp picture; and how many times as steep as that of a warped mask such an edge is
RIM = {S.BACKGROUND: 90, S.LOWER: 64, S.LEGWEAR: 180} | dict.fromkeys((S.NECK, *S.ARMS, S.LEFT_LEG, S.RIGHT_LEG), 60)  # what may lose a rim to the old garment beside it, so many-th of the height
SOFTEST, EDGE = 75, 3.4  # the same of ground where the photo is soft, and pixels per softness (``sharpness``)
UNLIKE, STAINED = 30, 0.85  # of 255, how far apart colours of face or ground and of clothes are that can be told; the share of its own that a clean pixel has
FADES, MELTS = 130, 64  # so many-th of the height: within which such a rim goes over into the photo, and that of skin into skin


@dataclass
class Canvas:
    """A look while its garments are laid out; nothing is painted yet.

    photo HxWx3 uint8; layout HxW uint8, parse ids of the result so far, provisional where freed; before: parse ids of the photo, with a dress
    or coat that stays in part named by what it now is; worn HxW int8, index of the garment seen at each pixel, -1 where none; colour float32
    HxWx3 times alpha, and alpha float32 HxW in 0..1, of all garments together; freed HxW bool, where an old garment was and no new one is;
    may: bool per class, what the freed may become.
    """

    photo: np.ndarray
    layout: np.ndarray
    before: np.ndarray
    worn: np.ndarray
    colour: np.ndarray
    alpha: np.ndarray
    freed: np.ndarray
    may: np.ndarray

    @property
    def arrays(self) -> tuple[np.ndarray, ...]:
        return self.photo, self.layout, self.before, self.worn, self.colour, self.alpha, self.freed

    @staticmethod
    def of(photo: np.ndarray, parse: np.ndarray) -> "Canvas":
        """Before the first garment."""
        shape = parse.shape
        return Canvas(photo, parse, parse, np.full(shape, -1, np.int8), np.zeros((*shape, 3), np.float32), np.zeros(shape, np.float32),
                      np.zeros(shape, bool), np.zeros(len(S.PARSE_CLASSES), bool))


def kind_of(garment: Garment) -> str:
    """Key of ``CLASS_OF`` and ``REPLACES``."""
    return garment.subcategory if garment.subcategory in CLASS_OF else garment.category


def has_sleeves(garment: Garment) -> bool:
    """Whether arms are in it: what stands off the armholes of a vest is no sleeve."""
    return any(length_of(axis) > STUB * garment.shape.width for axis in garment.shape.limbs.values())


def put_on(canvas: Canvas, fit: Fit, garment: Garment, index: int, body: Body, later: tuple[int, ...] = ()) -> Canvas:
    """Lay garment number ``index`` over the canvas; returns a new canvas. ``later``: classes that garments to come will take off."""
    kind = kind_of(garment)
    has_legs = (canvas.layout == S.LOWER).sum() >= 0.03 * fit.unit * fit.unit
    # All that follows happens where the garment comes to lie and where the old one is.
    goes = among(canvas.layout, REPLACES[kind])
    if kind in WITH_SCARF:
        goes |= scarf(canvas.layout, body)
    full, box = canvas, reach_of(fit, goes)
    window, whole_body, body = np.s_[box[0]:box[1], box[2]:box[3]], body, body.moved(-box[2], -box[0])
    canvas = Canvas(*(a[window] for a in full.arrays), full.may)
    old, layout, before = taken_off(canvas, kind, body, fit.unit, has_legs, has_sleeves(garment))
    taken = np.zeros(full.layout.shape, bool)
    taken[window] = old
    theirs = old & (canvas.worn < 0)
    old |= left_over(full, taken, whole_body)[window] | in_the_midst(canvas.layout, theirs, fit.unit)
    if kind in WITH_SCARF:
        old |= lost_sleeves(canvas.layout, theirs, body)
    front = in_front(canvas, fit, garment, body, later) & ~old
    colour, alpha, old, bare = laid(canvas, sample(fit, garment, full.layout.shape, box), fit, garment, body, old, front)
    seen = without_crumbs(alpha, front & (canvas.layout == S.HAIR))

    freed = (old | canvas.freed) & ~seen
    layout[old & ~seen] = S.BACKGROUND  # until it is painted
    for cls, arm in bare.items():  # but garments that follow must know an arm that came out
        layout[arm & ~seen] = cls
    layout[seen] = CLASS_OF[kind]
    worn = np.where(old, -1, canvas.worn).astype(np.int8)
    worn[seen] = index
    kept = np.where(freed, 0, canvas.alpha) * (1 - alpha)
    total = canvas.colour * thrice(np.where(freed, 0, 1 - alpha)) + colour * thrice(alpha)
    out = Canvas(full.photo, *(a.copy() for a in full.arrays[1:]), full.may)
    for whole, part in zip(out.arrays[1:], (layout, before, worn, total, kept + alpha, freed)):
        whole[window] = part
    gone = np.isin(np.arange(len(full.may)), [c for c in REPLACES[kind] if not ((out.layout == c) & (out.worn < 0)).any()])
    own = np.where(out.worn < 0, out.layout, S.BACKGROUND)
    if (own == S.LEGWEAR).sum() < SOCKS * fit.unit ** 2:
        own[own == S.LEGWEAR] = S.BACKGROUND
    out.may = (full.may & ~gone) | may_become(kind, own, has_sleeves(garment))
    area = lambda *classes: among(own, classes).sum() / fit.unit ** 2
    if out.may[S.LEGWEAR] and area(S.LEGWEAR) > TIGHTS and area(S.LEFT_LEG, S.RIGHT_LEG) < SOCKS:
        out.may[[S.LEFT_LEG, S.RIGHT_LEG]] = False
    return out


def laid(canvas: Canvas, layers, fit: Fit, garment: Garment, body: Body, old: np.ndarray,
         front: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, dict[int, np.ndarray]]:
    """A garment's layers (``sample``) as they are seen: colour float32 HxWx3 and alpha float32 HxW in 0..1. old and front, bool HxW: what is taken off
    for it, and what stays in front of it. Also ``old`` with the skin that goes into its sleeves, and the arms that come out (``come_out``)."""
    shape, on_arms = old.shape, garment.category in ("upper", "full")
    past, behind = {}, np.zeros(shape, bool)
    if garment.category == "lower":
        layers = parted(layers, body)
    if on_arms:
        regions = arm_regions(canvas.layout, body, fit.unit)
        past, behind = past_sleeves(layers, regions, body), bare_arms(canvas.layout, regions, body, fit.unit) & ~old
        sleeved = in_sleeves(canvas.layout, past, body, fit.unit) & ~front & behind.any()
        behind, old = behind & ~sleeved, old | sleeved
    if garment.subcategory == "trousers":
        old = old | in_legs(canvas.layout, layers, body)
        front = front & ~hung_over(canvas.layout, layers, body.unit)
    if fit.tucked and not (canvas.worn[canvas.layout == S.LOWER] >= 0).any():
        behind |= under_waistband(canvas.layout, body)
    if garment.category == "lower":
        front = front | beside_top(front & among(canvas.layout, shade.TOPS), canvas.layout == S.BACKGROUND, among(canvas.layout, S.ARMS), body.unit)
    skin = among(canvas.layout, S.ARMS) & ~old
    bare = {} if kind_of(garment) == "jacket" and has_sleeves(garment) else come_out(layers, past, old & ~front, behind_torso(layers, canvas.layout, body, fit.unit))
    arms = np.any([*bare.values(), np.zeros(shape, bool)], 0)
    colour, alpha = stacked(shaded(layers, garment, front | behind & skin | arms, front & ~skin, body) if on_arms else layers, front, behind)
    near = arms & lower_than(shape, body, ARMPITS)
    if on_arms and not garment.shape.limbs:  # the sides of the body are in it, too
        trunk = capsule(shape, np.array((body.neck, body.hips)), (0.5 * body.torso_width, 0.45 * body.hip_width)) & lower_than(shape, body, ARMPITS)
    else:
        trunk = np.zeros(shape, bool)
    gaps = old & ~front & ~arms
    if garment.category == "lower":  # between the legs there may be one
        gaps &= ~lower_than(shape, body, CROTCH)
        close_gaps(colour, alpha, gaps, front & among(canvas.layout, (*shade.TOPS, S.ACCESSORY)), trunk, max(1, int(UNDER_HEM * fit.unit)))
    close_gaps(colour, alpha, gaps, near, trunk, max(1, int(0.06 * fit.unit)))
    if garment.category == "lower" and garment.shape.limbs:  # slits between legs, where the old garment let no ground be seen
        before = alpha > 0.5
        slits = old & ~front & lower_than(shape, body, CROTCH)
        opened = opens(slits & ~before, (canvas.layout == S.BACKGROUND) & ~old, OPENED * fit.unit)  # ground goes on up to the crotch
        close_gaps(colour, alpha, slits & ~opened, near, trunk, max(1, int(SLIT * fit.unit)))
        close_gaps(colour, alpha, slits, near, trunk, max(1, int(CRACK * fit.unit)))
        if garment.subcategory == "trousers":  # where legs meet again below it, a gap is none
            legs = [grown(a > 0.5, SEAM * fit.unit) for part, _, a in layers if part != "torso"]
            close_gaps(colour, alpha, enclosed(alpha > 0.5, front, legs, HOLE * fit.unit), near, trunk, max(1, int(0.15 * fit.unit)))
        colour *= thrice(1 - DEEP * cv2.GaussianBlur(((alpha > 0.5) & ~before).astype(np.float32), (0, 0), max(0.5, SLIT / 4 * fit.unit)))
    if garment.category == "lower":
        colour *= thrice(on_legs(layers, alpha, garment, body))
    if bare:
        alpha *= 1 - cv2.GaussianBlur((arms & ~skin).astype(np.float32), (0, 0), SOFT)
    return colour, alpha, old, bare


def taken_off(canvas: Canvas, kind: str, body: Body, unit: float, has_legs: bool, sleeved: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What goes for a garment of ``kind``, bool HxW, and the layout and ``before`` in which the rest of a dress or coat has the name of what it now
    is: a top takes the place of a dress above the waist, trousers and skirts below it."""
    layout, before, old = canvas.layout.copy(), canvas.before, among(canvas.layout, REPLACES[kind])
    own = canvas.worn < 0
    below, whole, rest = lower_than(layout.shape, body, -0.2), canvas.layout == S.FULL, np.zeros_like(old)
    if kind == "lower":
        rest = whole & ~below
    elif kind in ("upper", "jacket"):
        if not has_legs and whole.sum() < DRESS * unit * unit:  # under a closed coat or a tunic nothing is known: its lower part stays as a skirt
            whole = canvas.layout == S.OUTER
            tunic = (canvas.layout == S.UPPER) & own
            if kind == "upper" and ((tunic & lower_than(layout.shape, body, CROTCH)).sum() > DRESS * unit * unit or tunic[-1].sum() > CUT_OFF * unit):
                whole |= tunic
        elif kind == "jacket":
            whole = np.zeros_like(old)
        rest = whole & below & ~sleeves_of(canvas.layout, body, unit)
    old &= ~rest
    layout[rest] = S.UPPER if kind == "lower" else S.LOWER
    before = np.where(rest & own, layout, before).astype(np.uint8)
    if kind == "jacket":  # what is worn under a jacket is no wider than the body, and its sleeves are in those of the jacket
        trunk = capsule(layout.shape, np.array((body.neck, body.hips)), np.array((0.32, 0.36) if sleeved else (0.5, 0.55)) * (body.torso_width, body.hip_width))
        arms = np.zeros(layout.shape, bool) if sleeved else sleeves_of(canvas.layout, body, unit)
        hem = lower_than(layout.shape, body, -0.1)  # hangs below the jacket
        if sleeved:  # but no cuff is a hem
            hem &= ~sleeves_of(canvas.layout, body, unit) | capsule(layout.shape, np.array((body.hips, 2 * body.hips - body.neck)), np.full(2, 0.5 * body.hip_width))
        old |= among(layout, (S.UPPER, S.FULL)) & own & ~trunk & ~arms & ~hem
    if kind == "scarf":
        old &= scarf(layout, body)
    if kind in WITH_SCARF:
        old |= scarf(layout, body) & own
    return old, layout, before


def left_over(canvas: Canvas, old: np.ndarray, body: Body) -> np.ndarray:
    """Bool HxW: what the parser took for arm, neck, hair or ground, but that touches clothes that are taken off (``old``, bool HxW) and has their colours, or
    is where no neck can be, or a scrap of hair on them, or an accessory that lies on them around the neck: cuffs, collars, fringes, pieces of
    scarves. What skin, hair and ground look like is told by all of the photo, of which every other pixel is asked, of ground beside a neck by what is next to
    it, too (``raised``)."""
    out, wide, taken = np.zeros_like(old), max(2, int(NEAR * body.unit)), old & (canvas.worn < 0)
    if taken.sum() < 100:
        return out
    y0, y1, x0, x1 = np.array(box_of(taken)) + (-wide - 2, wide + 2, -wide - 2, wide + 2)
    window, far, few = np.s_[max(0, y0):y1, max(0, x0):x1], np.ones_like(old), np.s_[::2, ::2]
    taken, layout, photo = taken[window], canvas.layout[window], canvas.photo[window]
    near, inside = grown(taken, wide), cv2.erode(taken.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    far[window] = ~near
    index, everywhere, kinds, far = colours(photo), colours(np.ascontiguousarray(canvas.photo[few])), canvas.layout[few], far[few]
    opened = lambda mask: cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)) > 0
    found, cloth = np.zeros_like(taken), index[inside]
    chin = near & below_mouth(near.shape, body.moved(-window[1].start, -window[0].start))  # a beard is told by what of it is farther up
    low = chin if chin.any() else near  # beside a face, nothing but hair is in hair
    for classes, like, zone in ((S.ARMS, S.SKIN, near), ((S.NECK,), S.SKIN, near), ((S.FACE,), S.SKIN, chin), ((S.HAIR,), (S.HAIR,), low),
                                ((S.BACKGROUND,), (S.BACKGROUND,), near)):
        sure, mine = among(kinds, like) & far, among(layout, classes) & zone & ~old[window]
        if len(cloth) and sure.sum() >= 25 and mine.any():
            mine[mine] = rather(cloth, everywhere[sure])[index[mine]]
            if classes == (S.FACE,) and mine.any():  # a chin in the shadow is no collar
                mine &= colourless(photo, mine, canvas.photo[few][sure])
            found |= opened(mine)
    neck = (layout == S.NECK) & near & ~old[window]
    skin = canvas.photo[few][among(kinds, (S.FACE, S.NECK)) & far]
    collar = neck & ~(grown(layout == S.FACE, int(CHIN * body.unit)) & ~as_light(photo, skin))
    if collar.any():
        found |= grown(opened(colourless(photo, collar, skin)), 1) & collar
    strands, area = pieces(layout == S.HAIR)
    found |= ((area < STRAND * body.unit ** 2) & lie_on(strands, taken | found))[strands]
    top = head(np.column_stack((body.joint, body.seen)))
    if top is not None:
        corner = window[1].start, window[0].start
        found |= neck & beside_neck(neck.shape, body.neck - corner, top - corner, body.unit)
        throat = capsule(near.shape, np.array((body.neck, top)) - corner, np.full(2, RAISED * body.unit))
        beside = among(layout, (S.FACE, S.NECK)) & ~found
        found |= opened(raised(photo, (layout == S.BACKGROUND) & ~old[window], near, inside, throat & chin, beside, body.unit))
        loose, area = pieces((layout == S.ACCESSORY) & ~old[window])
        around = 2 * np.bincount(loose[throat], minlength=len(area)) > area
        found |= (around & lie_on(loose, taken))[loose]
    out[window] = found & touching(found | taken, taken)
    return out & ~hands(canvas.layout, body)  # of which more would be lost than gloves found


def between(one: np.ndarray, other: np.ndarray, reach: int) -> np.ndarray:
    """Bool HxW: what has something of ``one`` on one side and something of the ``other`` (bool HxW each) on the other side, in its row, within ``reach`` pixels
    of each."""
    toward = lambda mask, at: cv2.dilate(mask.view(np.uint8), np.ones((1, reach + 1), np.uint8), anchor=(at, 0)).view(bool)
    return toward(one, 0) & toward(other, reach) | toward(one, reach) & toward(other, 0)


def lie_on(labels: np.ndarray, cloth: np.ndarray) -> np.ndarray:
    """Bool per piece (HxW ``labels``, 0 where there is none): at least half of its outline lies along ``cloth`` (bool HxW)."""
    beside = cv2.dilate(labels.astype(np.float32), np.ones((3, 3), np.uint8)).astype(int) * (labels == 0)
    count = lambda where: np.bincount(beside[where], minlength=int(labels.max()) + 1)
    out = 2 * count(cloth) >= count(beside > 0)
    out[0] = False
    return out


def raised(photo: np.ndarray, ground: np.ndarray, near: np.ndarray, cloth: np.ndarray, around: np.ndarray, skin: np.ndarray, unit: float) -> np.ndarray:
    """Bool HxW: collars that were taken for ``ground``: what of it is ``near`` clothes that are taken off, ``around`` a neck, and much more like the nearest
    of their ``cloth`` than like the nearest ground beyond, wherever else its colours are; or between such cloth and ``skin`` (bool HxW each), and most
    of it unlike that ground, as the inside of a collar is. photo HxWx3 uint8; unit: torso length in pixels."""
    whole = np.zeros_like(ground)
    if not (ground & near & around).any():
        return whole
    y0, y1, x0, x1 = np.maximum(np.array(box_of(ground & near & around)) + np.array((-1, 1, -1, 1)) * int(BESIDE * unit), 0)
    window = np.s_[y0:y1, x0:x1]
    photo, ground, near, cloth, around, skin = (a[window] for a in (photo, ground, near, cloth, around, skin))
    out, sure = ground & near & around, ground & ~near
    if not (sure.any() and cloth.any()):
        return whole
    at = np.nonzero(out)
    own, old = (nearest_colour(photo, where, at, max(2, round(0.022 * unit))) for where in (sure, cloth))
    off = lambda a, b: ((a - b) ** 2).sum(1)
    out[at] = (off(photo[at], old) < COLLAR ** 2 * off(photo[at], own)) & (off(own, old) > UNLIKE ** 2)
    unlike = np.zeros_like(out)
    unlike[at] = out[at] | (off(photo[at], own) > UNLIKE ** 2)
    labels, areas = pieces(ground & near & around & between(skin, cloth | out, int(INSIDE * unit)))
    inside = 2 * np.bincount(labels[unlike], minlength=len(areas)) > areas
    inside[0] = False
    whole[window] = out | inside[labels]
    return whole


def nearest_colour(photo: np.ndarray, where: np.ndarray, at: tuple[np.ndarray, np.ndarray], width: int) -> np.ndarray:
    """float32 Nx3: of each of the places ``at`` (y, x) the mean colour of a photo HxWx3 within ``width`` pixels of the nearest place of ``where`` (bool HxW,
    not empty), of such places alone."""
    mean = lambda a: cv2.blur(a.astype(np.float32), (2 * width + 1,) * 2)
    to = tuple(a[at] for a in closest(where))
    return mean(cv2.copyTo(photo, where.view(np.uint8)))[to] / mean(where)[to][:, None]


def in_the_midst(layout: np.ndarray, taken: np.ndarray, unit: float) -> np.ndarray:
    """Bool HxW: bags and accessories (of ``layout``, parse ids) that are too small for one and have nothing but clothes that are ``taken`` off (bool HxW) around
    them: parts of these, such as prints and buttons."""
    mine = among(layout, (S.BAG, S.ACCESSORY)) & ~taken
    if not mine.any():
        return mine
    labels, areas = pieces(mine & ~touching(mine, grown(~(taken | mine), 1)))
    few = areas < ALONE * unit * unit
    few[0] = False
    return few[labels]


def lost_sleeves(layout: np.ndarray, taken: np.ndarray, body: Body) -> np.ndarray:
    """Bool HxW: ground (of ``layout``, parse ids) on forearms between a sleeve that is ``taken`` off (bool HxW) and a hand that is seen: the end of that sleeve."""
    out, ground = np.zeros_like(taken), layout == S.BACKGROUND
    for side, cls in (("left", S.LEFT_ARM), ("right", S.RIGHT_ARM)):
        line = body.limb(side, arm=True)[0]
        points, radii = profile(line, True, body.unit)
        lost = at(ground, points) & np.logical_or.accumulate(at(taken, points)) & ~np.logical_or.accumulate(at(layout == cls, points))
        if lost.any() and not hand(line, layout == cls, body.unit):
            first = int(lost.argmax())
            out |= ground & capsule(layout.shape, points[first:], radii[first:] + SLEEVE * body.unit)
    return out


def as_light(photo: np.ndarray, skin: np.ndarray) -> np.ndarray:
    """Bool HxW: places of a photo HxWx3 that are as light as most ``skin`` (Nx3; both uint8 RGB), as no beard is."""
    light = lambda pixels: cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_RGB2GRAY)
    return light(photo) >= np.median(light(skin[None])) if len(skin) else np.zeros(photo.shape[:2], bool)


def colourless(photo: np.ndarray, where: np.ndarray, skin: np.ndarray) -> np.ndarray:
    """Bool HxW: places of ``where`` (bool HxW) that are white, grey or black, or of a colour far from that of all ``skin`` (Nx3): whatever the light,
    skin is as far from grey as its brightness. photo HxWx3; both uint8 RGB."""
    out = np.zeros(where.shape, bool)
    if len(skin) < 25:
        return out

    def hue(pixels: np.ndarray) -> np.ndarray:
        light, a, b = (v.astype(np.float32) for v in cv2.cvtColor(pixels[None], cv2.COLOR_RGB2LAB)[0].T)
        return np.stack((a - 128, b - 128), 1) / np.maximum(light, 25)[:, None]

    usual = np.median(hue(skin), 0)
    out[where] = hue(photo[where]) @ usual < LIKE_SKIN * float(usual @ usual)
    return out


def below_mouth(shape: tuple[int, int], body: Body) -> np.ndarray:
    """Bool HxW: what lies lower than the mouth of a face whose nose and eyes are seen."""
    eyes = [body.joint[k] for k in (S.R_EYE, S.L_EYE) if body.seen[k]]
    if not (eyes and body.seen[S.NOSE]):
        return np.zeros(shape, bool)
    nose, down = body.joint[S.NOSE], body.joint[S.NOSE] - np.mean(eyes, 0)
    return (np.arange(shape[1])[None] - nose[0]) * down[0] + (np.arange(shape[0])[:, None] - nose[1]) * down[1] > MOUTH * float(down @ down)


def above_brows(shape: tuple[int, int], body: Body) -> np.ndarray:
    """Bool HxW: what lies higher than the brows."""
    eyes = [body.joint[k] for k in (S.R_EYE, S.L_EYE) if body.seen[k]]
    eye = np.mean(eyes, 0) if eyes else np.full(2, -np.inf)
    return (np.arange(shape[1])[None] - eye[0]) * body.down[0] + (np.arange(shape[0])[:, None] - eye[1]) * body.down[1] < -BROWS * body.unit


def sleeves_of(layout: np.ndarray, body: Body, unit: float) -> np.ndarray:
    """Bool HxW: where sleeves may be, along the arms, down to where their skin begins to be seen in ``layout`` (HxW parse ids)."""
    out = np.zeros(layout.shape, bool)
    for side, cls in (("left", S.LEFT_ARM), ("right", S.RIGHT_ARM)):
        line = body.limb(side, arm=True)[0]
        points, radii = profile(line, True, unit)
        there, skin = capsule(layout.shape, points, radii + SLEEVE * unit), layout == cls
        out |= there & ~beyond(skin, line, FIRST) if (skin & there).sum() > BARE * unit * unit else there
    return out


def scarf(layout: np.ndarray, body: Body) -> np.ndarray:
    """Bool HxW: accessories that hang from the neck over the chest and are too large for a necklace."""
    out, mine = np.zeros(layout.shape, bool), layout == S.ACCESSORY
    if not mine.any():
        return out
    pieces = cv2.connectedComponentsWithStats(mine.view(np.uint8))
    for k, centre in enumerate(pieces[3][1:], 1):
        at = (centre - body.neck) @ body.down, abs((centre - body.neck) @ body.across)
        begins = pieces[2][k, cv2.CC_STAT_TOP] < body.neck[1] + 0.35 * body.unit  # others are belts
        if begins and pieces[2][k, cv2.CC_STAT_AREA] > 0.05 * body.unit ** 2 and -0.3 * body.unit < at[0] < 0.75 * body.unit and at[1] < 0.4 * body.unit:
            out |= pieces[1] == k
    return out


def lower_by(shape: tuple[int, int], body: Body, height: float) -> np.ndarray:
    """HxW: pixels down the body from ``height`` torso lengths below the hips."""
    x, y = np.arange(shape[1])[None] - body.hips[0], np.arange(shape[0])[:, None] - body.hips[1]
    return x * body.down[0] + y * body.down[1] - height * body.unit


def lower_than(shape: tuple[int, int], body: Body, height: float) -> np.ndarray:
    """Bool HxW: what is farther down the body than ``height`` torso lengths below the hips."""
    return lower_by(shape, body, height) > 0


def in_front(canvas: Canvas, fit: Fit, garment: Garment, body: Body, later: tuple[int, ...]) -> np.ndarray:
    """Bool HxW: what stays in front of every layer of a garment, if it is not taken off."""
    front = among(canvas.layout, (S.FACE, S.HAIR, S.HEADWEAR, S.BAG, S.ACCESSORY, S.SHOES)) | hands(canvas.layout, body)
    if garment.category in ("upper", "full"):  # necklaces and scarves go under it: around them the old garment is seen
        front &= (canvas.layout != S.ACCESSORY) | (belt(canvas.layout, body) & fit.tucked) | held(canvas.layout, body)
    ankles = [S.R_ANKLE, S.L_ANKLE]
    if garment.subcategory in ("dress", "skirt") and body.seen[ankles].all():  # hang over the shafts of boots, into which trousers go
        higher = float(((body.joint[ankles] - body.hips) @ body.down).min()) / body.unit
        front &= (canvas.layout != S.SHOES) | lower_than(front.shape, body, higher - SHAFT)
    if fit.tucked:  # what reaches far above the waist is a dark top that was taken for trousers
        front |= (canvas.layout == S.LOWER) & (canvas.worn < 0) & lower_than(front.shape, body, -body.rise - WAISTBAND)
    if garment.subcategory == "bag":  # the hand that holds it
        return hands(canvas.layout, body)
    if garment.subcategory == "hat":  # a hat covers the hair and the forehead
        front &= ~among(canvas.layout, (S.HAIR, S.HEADWEAR)) & ~((canvas.layout == S.FACE) & above_brows(canvas.layout.shape, body))
    if garment.category == "lower":
        # The own top hangs over, unless it will be taken off; one that was put on before in this look is tucked in.
        front |= among(canvas.layout, [c for c in (S.UPPER, S.OUTER) if c not in later]) & (canvas.worn < 0)
        front |= among(canvas.layout, S.ARMS)
    return front


def shaded(layers, garment: Garment, front: np.ndarray, before_sleeves: np.ndarray, body: Body) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """The layers of a top or dress (``sample``) in the light of a body that wears them: float32 colours. front and before_sleeves: bool HxW, what lies in front
    of its torso, and of its sleeves, out of which hands only come."""
    unit, out, sides = body.unit, [], side_shade(garment)
    below = np.clip(lower_by(front.shape, body, ARMPITS) / (0.15 * unit), 0, 1)  # further up, torso and sleeves are one surface
    for k, (part, pixels, alpha) in enumerate(layers):
        over, before = np.max([a for _, _, a in layers[k + 1:]] or [np.zeros_like(alpha)], 0), front if part == "torso" else before_sleeves
        factor = shade.turned(alpha, unit, part != "torso", sides) * shade.beside(np.maximum(before, over * below).astype(np.float32), unit)
        seen = alpha * (1 - np.maximum(before, over))
        mean = float((factor * seen).sum() / max(seen.sum(), 1e-6))
        out.append((part, pixels * thrice(factor / np.float32(max(mean, 0.9))), alpha))  # all in all as bright as it is
    return out


def side_shade(garment: Garment) -> float:
    """How much darker its sides are made on a body: the less, the more its photo shows of that."""
    return shade.SIDES * (0.3 + 0.7 * textures(garment)[-1])


@once
def on_black(garment: Garment) -> np.float32:
    """The power of a shade on its cloth: on what is black, nothing less is seen."""
    return np.float32(np.interp(np.median(cv2.cvtColor(garment.photo, cv2.COLOR_RGB2GRAY)[garment.mask > 127]), *BLACK))


def stacked(layers, front: np.ndarray, behind: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The layers of a garment over each other, hidden where something is in ``front`` and its torso ``behind`` something, too (bool HxW each): colour
    float32 HxWx3 and alpha float32 HxW in 0..1."""
    alpha, colour = np.zeros(front.shape, np.float32), np.zeros((*front.shape, 3), np.float32)
    for part, pixels, a in layers:
        if part == "torso":
            a = a * ~behind
        a = a * ~front
        colour = pixels * thrice(a) + colour * thrice(1 - a)
        alpha = a + alpha * (1 - a)
    return colour / thrice(np.maximum(alpha, 1e-3)), np.clip(alpha, 0, 1)


def parted(layers, body: Body) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """The layers of trousers (``sample``), of which legs that lie over one another part halfway between the legs of the body, unless these are crossed."""
    legs = [part for part, _, _ in layers if part != "torso"]
    lines = [body.limb(seen_as(body, side), arm=False)[0] for side in legs]
    if len(legs) < 2 or np.ptp(np.sign((lines[1] - lines[0]) @ body.across)):
        return list(layers)
    under, over = (a for part, _, a in layers if part != "torso")
    both = np.minimum(under, over) > 0
    if not both.any():
        return list(layers)
    y0, y1, x0, x1 = box_of(both)
    ys, xs = np.mgrid[y0:y1:PARTING, x0:x1:PARTING]
    away = [along(np.stack((xs.ravel(), ys.ravel()), 1).astype(float), line)[2].reshape(xs.shape) for line in lines]
    mine = cv2.resize((away[0] - away[1]).astype(np.float32), (PARTING * xs.shape[1], PARTING * xs.shape[0]), interpolation=cv2.INTER_LINEAR)[:y1 - y0, :x1 - x0]
    over = over.copy()
    over[y0:y1, x0:x1] *= 1 - under[y0:y1, x0:x1] * (1 - np.clip(0.5 + mine / 2, 0, 1))
    return [(part, pixels, over if part == legs[1] else a) for part, pixels, a in layers]


def on_legs(layers, alpha: np.ndarray, garment: Garment, body: Body) -> np.ndarray:
    """Factor float32 HxW of trousers, shorts and skirts (``sample``; alpha float32 HxW in 0..1, what is seen of them) in the light of a body that wears them."""
    factor = (shade.turned(alpha, body.unit, False, side_shade(garment)) * between_legs(layers, body)) ** on_black(garment)
    seen = alpha > 0.5
    return factor / np.float32(max(float(factor[seen].mean()), 0.9) if seen.any() else 1.0)  # all in all as bright as it is


def between_legs(layers, body: Body) -> np.ndarray:
    """Factor float32 HxW of trousers: darker from the crotch down where one leg of them (``sample``) meets the other."""
    legs = [alpha > 0.5 for part, _, alpha in layers if part != "torso"]
    if len(legs) < 2 or not all(leg.any() for leg in legs):
        return np.ones(layers[0][2].shape, np.float32)
    apart = np.maximum(distance_to(legs[0] & ~legs[1]), distance_to(legs[1])) / body.unit
    below = np.clip(lower_by(apart.shape, body, CROTCH) / (INSEAM * body.unit), 0, 1)
    return (1 - below * shade.met(apart)).astype(np.float32)


def arm_regions(layout: np.ndarray, body: Body, unit: float) -> dict[int, np.ndarray]:
    """Class of each arm -> bool HxW, where it and its hand may lie."""
    lines = {cls: body.limb(side, arm=True)[0] for side, cls in (("left", S.LEFT_ARM), ("right", S.RIGHT_ARM))}
    return {cls: capsule(layout.shape, *profile(line, True, unit, hand(line, layout == cls, unit))) for cls, line in lines.items()}


def past_sleeves(layers, regions: dict[int, np.ndarray], body: Body) -> dict[int, tuple[np.ndarray, np.ndarray | None]]:
    """Class of each arm -> bool HxW, where it may lie (``arm_regions``), and bool HxW, what is farther along it than the new sleeve reaches, None without a
    sleeve."""
    out = {}
    for side, cls in (("left", S.LEFT_ARM), ("right", S.RIGHT_ARM)):
        sleeve = next((a > 0.5 for part, _, a in layers if part == seen_as(body, side)), None)
        there = sleeve is not None and (sleeve & regions[cls]).any()
        out[cls] = regions[cls], beyond(sleeve, body.limb(side, arm=True)[0]) if there else None
    return out


def behind_torso(layers, layout: np.ndarray, body: Body, unit: float) -> set[int]:
    """Classes of arms that go on behind the torso: they end over it, and no hand is seen there."""
    torso, out = next(a for part, _, a in layers if part == "torso"), set()
    for side, cls in (("left", S.LEFT_ARM), ("right", S.RIGHT_ARM)):
        line = body.limb(side, arm=True)[0]
        x, y = np.rint(line[2]).astype(int)
        if 0 <= y < len(torso) and 0 <= x < torso.shape[1] and torso[y, x] > 0.5 and hand(line, layout == cls, unit):
            out.add(cls)
    return out


def come_out(layers, past: dict[int, tuple[np.ndarray, np.ndarray | None]], free: np.ndarray, behind: set[int]) -> dict[int, np.ndarray]:
    """Arms whose old sleeve is gone: they lie in front of the torso, if they are not ``behind`` it, below the end of the new sleeve (``past_sleeves``). Class
    of the arm -> bool HxW, within ``free``, where something was taken off and nothing is in front."""
    covered = lambda torso: np.any([a > 0.5 for part, _, a in layers if (part == "torso") == torso] or np.zeros((1, *free.shape), bool), 0)
    free = free & ~covered(torso=False)
    beside = free & ~covered(torso=True) if behind else free
    return {cls: region & (beside if cls in behind else free) & (True if farther is None else farther) for cls, (region, farther) in past.items()}


def in_sleeves(layout: np.ndarray, past: dict[int, tuple[np.ndarray, np.ndarray | None]], body: Body, unit: float) -> np.ndarray:
    """Bool HxW: skin of arms that the sleeves of a new garment cover, also where they do not quite lie on it."""
    out = np.zeros(layout.shape, bool)
    for side, cls in (("left", S.LEFT_ARM), ("right", S.RIGHT_ARM)):
        if past[cls][1] is not None:
            wrist = tuple(np.rint(body.limb(side, arm=True)[0][2]).astype(int).tolist())
            hand = cv2.circle(np.zeros(layout.shape, np.uint8), wrist, int(0.25 * unit), 1, -1) > 0
            out |= (layout == cls) & ~past[cls][1] & ~hand
    return out


def in_legs(layout: np.ndarray, layers, body: Body) -> np.ndarray:
    """Bool HxW: skin of legs no farther along them than the legs of new trousers (``sample``) reach, also where these do not quite lie on it."""
    out = np.zeros(layout.shape, bool)
    for side, cls in (("left", S.LEFT_LEG), ("right", S.RIGHT_LEG)):
        leg = next((a > 0.5 for part, _, a in layers if part == seen_as(body, side)), None)
        if leg is not None and leg.any():
            out |= (layout == cls) & ~beyond(leg, body.limb(side, arm=False)[0])
    return out


def hung_over(layout: np.ndarray, layers, unit: float) -> np.ndarray:
    """Bool HxW: what of shoes the legs of new trousers (``sample``) hang over: those on both sides of which they go on. Narrower ones go into boots."""
    shoes, legs = layout == S.SHOES, np.any([a > 0.5 for part, _, a in layers if part != "torso"] or np.zeros((1, *layout.shape), bool), 0)
    out, labels, width = np.zeros(layout.shape, bool), pieces(shoes)[0], max(2, int(HEM * unit))
    for k in np.unique(labels[shoes & legs]):
        mine = labels == k
        last = np.flatnonzero((mine & legs).any(1))[-1]  # the hem
        beside = grown(mine, width) & ~shoes
        beside[last:] = False
        if legs[beside].sum() > HUNG_OVER * beside.sum():
            out |= mine & legs
    return out


def enclosed(cloth: np.ndarray, front: np.ndarray, beside: list[np.ndarray], tall: float) -> np.ndarray:
    """Bool HxW: holes no more than so many pixels ``tall`` in ``cloth`` that nothing in ``front`` touches, and all of ``beside`` do (bool HxW each)."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats((~cloth).view(np.uint8))
    hole = stats[:, cv2.CC_STAT_HEIGHT] <= tall
    hole[0] = False
    for mask in beside:
        hole &= np.bincount(labels[mask], minlength=len(hole)) > 0
    hole[np.unique(labels[front & ~cloth])] = False
    hole[np.unique(np.concatenate([labels[[0, -1]].ravel(), labels[:, [0, -1]].ravel()]))] = False
    return hole[labels]


def opens(gaps: np.ndarray, ground: np.ndarray, tall: float) -> np.ndarray:
    """Those pieces of ``gaps`` that ``ground`` touches (bool HxW each), if they are no more than so many pixels ``tall``."""
    count, pieces, stats, _ = cv2.connectedComponentsWithStats(gaps.view(np.uint8))
    found = (np.bincount(pieces[grown(ground, 1) & gaps], minlength=count) > 0) & (stats[:, cv2.CC_STAT_HEIGHT] <= tall)
    return found[pieces] & gaps


def walled(gaps: np.ndarray, cloth: np.ndarray, arms: np.ndarray) -> np.ndarray:
    """Those pieces of ``gaps`` that lie along ``cloth``, or between it and ``arms`` (bool HxW each), and are not open: dents of a hem and what lies along the
    ground are no gaps, nor are slivers along an arm alone."""
    count, pieces = cv2.connectedComponents(gaps.astype(np.uint8))
    beside = lambda mask: np.bincount(pieces[grown(mask, 1) & gaps], minlength=count)
    walls = beside(cloth | arms)
    return gaps & ((2 * beside(~(cloth | arms) & ~gaps) <= walls) & (3 * beside(cloth) >= walls))[pieces]


def close_gaps(colour: np.ndarray, alpha: np.ndarray, old: np.ndarray, arms: np.ndarray, trunk: np.ndarray, reach: int) -> None:
    """Where the old garment (bool HxW) would peep out between the parts of the new one, at most 2 ``reach`` pixels wide, or between it and bare ``arms``, half
    as wide, cloth closes the gap, in place, if it is one (``walled``), and meets what is there softly; and above its hem all of ``trunk``."""
    seen, wide = alpha > 0.5, max(2, round(len(alpha) / 300))
    if not (old & ~seen).any():
        return
    y0, y1, x0, x1 = np.maximum(np.array(box_of(old & ~seen)) + (-3 * reach, 3 * reach, -3 * reach, 3 * reach), 0)
    window, trunk = np.s_[y0:y1, x0:x1], trunk & np.logical_or.accumulate(seen[::-1], 0)[::-1]
    colour, alpha, old, arms, trunk, seen = (a[window] for a in (colour, alpha, old, arms, trunk, seen))
    between = closed(seen | trunk, reach) | closed(seen | trunk | arms, reach / 2)
    gaps = walled(between & old & ~seen, seen, arms)
    edge = (alpha > 0.1) & seen & (cv2.dilate(gaps.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0)
    rim = max(1, reach // RIM_OF)
    inner = shrunk(alpha > 0.9, rim)
    if not gaps.any() or not inner.any():
        return
    gaps |= grown(gaps, rim) & seen & ~inner
    colour[gaps] = bleed(np.clip(colour, 0, 255).astype(np.uint8), inner, 128)[gaps]
    ty, tx, my, mx = mirrored(inner, gaps)
    near = np.hypot(ty - my, tx - mx) < reach
    # An outline is ragged: pixels beside each other go to places beside each other.
    moves = np.zeros((*gaps.shape, 3), np.float32)
    moves[ty[near], tx[near]] = np.stack((my - ty, mx - tx, np.ones_like(ty)), 1)[near]
    moves = cv2.GaussianBlur(moves, (0, 0), max(1.5, reach / 2))
    ys, xs = np.nonzero(gaps & (moves[..., 2] > 0.02))
    moves = moves[ys, xs, :2] / moves[ys, xs, 2:]
    at = lambda share: tuple(np.clip(np.rint(a + share * m).astype(int), 0, n - 1) for a, m, n in zip((ys, xs), moves.T, gaps.shape))
    edge_on, done = colour[ys, xs].copy(), np.zeros(len(ys), bool)
    for share in (0.5, 0.6, 0.75, 1.0):  # the edge goes on, where it can its reflection: if that is unlike the edge, a print begins, which is not to be repeated
        to = at(share)
        known = inner[to] & (~done | (np.abs(colour[to] - edge_on) < PRINT).all(1))
        edge_on[known & ~done] = colour[to][known & ~done]
        done |= known
        colour[ys[known], xs[known]] = colour[to][known]
    # Where what was there, its reflection and what is carried on meet is no ragged line.
    cloth, met = seen | gaps, np.zeros(gaps.shape, bool)
    of = gaps.astype(np.uint8)
    of[ys[done], xs[done]] = 2
    for part in range(3):
        met |= grown((of == part) & cloth, wide) & (of != part) & cloth
    even = lambda a: cv2.GaussianBlur(a.astype(np.float32), (0, 0), wide / 2)
    colour[met] = even(cv2.copyTo(colour, cloth.view(np.uint8)))[met] / even(cloth)[met][:, None]
    alpha[gaps | edge] = 1.0


def without_crumbs(alpha: np.ndarray, hair: np.ndarray) -> np.ndarray:
    """Take crumbs that show beside an arm out of ``alpha``, in place; bool HxW of what is seen. What ``hair`` (bool HxW) in front parts is one piece."""
    seen = alpha > 0.5
    count, pieces = cv2.connectedComponents((seen | hair).astype(np.uint8))
    areas = np.bincount(pieces[seen], minlength=count)
    crumbs = seen & (areas < 0.02 * int(seen.sum()))[pieces]
    seen &= ~crumbs
    alpha[crumbs | (cv2.dilate(seen.astype(np.uint8), np.ones((5, 5), np.uint8)) == 0)] = 0
    return seen


def reach_of(fit: Fit, old: np.ndarray) -> tuple[int, int, int, int]:
    """y0, y1, x0, x1 of what a garment covers and of what is taken off for it (bool HxW), with room for soft edges."""
    h, w = old.shape
    cover = np.max([layer.cover for layer in fit.layers], 0)
    room = 2 + int(np.ceil(2 * h / cover.shape[0]) + 0.05 * fit.unit)
    boxes = [np.array(box_of(old))] if old.any() else []
    if (cover > 0).any():
        boxes.append(np.array(box_of(cover > 0)) * np.repeat((h / cover.shape[0], w / cover.shape[1]), 2))
    boxes = np.array(boxes or [(0, h, 0, w)])
    low, high = np.floor(boxes.min(0)).astype(int) - room, np.ceil(boxes.max(0)).astype(int) + room
    return max(0, int(low[0])), min(h, int(high[1])), max(0, int(low[2])), min(w, int(high[3]))


def lay_out(photo: np.ndarray, parse: np.ndarray, body: Body, garments: Sequence[Garment], fits: Sequence[Fit]) -> list[Canvas]:
    """Garments put on in order: the canvas before the first, and after each."""
    out = [Canvas.of(photo, parse)]
    for i, (garment, placed) in enumerate(zip(garments, fits)):
        later = tuple(c for g in garments[i + 1:] for c in REPLACES[kind_of(g)])
        out.append(put_on(out[-1], placed, garment, i, body, later))
    return out


def finish(canvas: Canvas, pose: np.ndarray, body: Body, networks: Networks) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Decide and paint what was freed, light the garments: image HxWx3 uint8, layout HxW uint8 and edit HxW bool, every pixel that may
    differ from the photo."""
    h, unit = len(canvas.layout), body.unit
    out, layout, edit = canvas.photo.copy(), canvas.layout.copy(), np.zeros(canvas.layout.shape, bool)
    changed = canvas.freed | (canvas.alpha > 0)
    if not changed.any():
        return out, layout, edit
    # The generator sees the part of the picture that changes, as large as it can.
    y0, y1, x0, x1 = view_of(changed, unit)
    window, pose = np.s_[y0:y1, x0:x1], pose - np.float32((x0, y0, 0)) * (pose[:, 2:] > 0)
    photo, old, before, worn, colour, alpha, freed = (a[window] for a in canvas.arrays)
    # The parse is a little narrow: take a rim of the old garment along, but never from what is protected.
    seen = worn >= 0
    # Edges are as wide as the photo is soft. Of hands, the pixels at a wrist show some of the sleeve that was taken off.
    sharp = sharpness(photo)
    soft, sigma = min(EDGE / sharp, h / SOFTEST), float(np.clip(SOFT / sharp, SOFT, 2.5 * SOFT))
    cuffs = beyond_cuffs((freed | seen) & among(before, shade.TOPS) | freed & (before == S.BACKGROUND), before, body.moved(-x0, -y0), max(2, round(h / 200), int(soft / 2)))
    whole = canvas.before
    mixed = stained(photo, (before == S.FACE) & ~seen, freed | seen & among(before, GARMENTS), max(2, round(h / 300)))
    freed = freed | mixed
    palms = hands(whole, body)[window]
    kept = (among(whole, (S.FACE, S.SHOES))[window] & ~mixed | palms) & ~cuffs
    rim = np.zeros(256, np.uint8)
    rim[list(RIM)] = [max(3, h // share, int(soft)) for share in RIM.values()]
    near = distance_to(freed | seen & among(before, GARMENTS))
    lower = old == S.LOWER
    if lower.any():  # under the new top, too
        near = np.where(lower, distance_to(freed | seen & among(old, shade.TOPS) & among(before, shade.TOPS)), near)
    fill = freed | (near <= cv2.LUT(old, rim)) & ~seen & ~kept & among(old, RIM)
    edit[window] = fill | (alpha > 0)
    tone, edited = skin_tone(canvas.photo, among(canvas.before, S.SKIN) & ~edit), edit[window]
    colour = colour / thrice(np.maximum(alpha, 1e-3))
    found, painted, light = paint(networks, photo, colour, seen, fill, old, before, pose, canvas.may, unit, tone, sigma)
    again = shaded_hair(photo, before, freed & (found == S.NECK))
    found[again] = S.HAIR
    rim_of_arms = fill & ~freed & among(old, S.ARMS) & (found == S.BACKGROUND)
    if rim_of_arms.any():  # ground comes out beside ground alone, and in no hand
        astray = rim_of_arms & (palms | (distance_to((found == S.BACKGROUND) & ~rim_of_arms) > rim[S.LEFT_ARM]))
        found[astray], again = old[astray], again | astray
    fill, edited[again] = fill & ~again, alpha[again] > 0
    falls, fades = np.ones((2, 256), np.float32) * ((1,), (max(1.0, h / FADES),))
    falls[[S.BACKGROUND, S.NECK]] = 0, shade.OPEN
    fades[[*S.SKIN, S.LOWER]] = max(1.0, h / MELTS)
    of_class = lambda table, classes: cv2.LUT(np.ascontiguousarray(classes), table.astype(np.float32))
    shadow = 1 - of_class(falls, found) * fill * (1 - shade.beside(alpha, unit, shade.OVER, shade.FALL))
    # Under the soft edge of a garment lies what is painted beside it, not the old garment.
    beside = cv2.dilate(freed.view(np.uint8), np.ones((5, 5), np.uint8)) > 0
    # The rim goes over into the photo, but not where it meets what was freed, however narrow it is.
    depth = cv2.distanceTransform(edited.view(np.uint8), cv2.DIST_L2, 3)
    fades = np.minimum(of_class(fades, old), np.maximum(np.float32(0.7) * (depth + near), 1))
    share = np.where(fill & ~freed, np.clip((depth - np.float32(0.5)) / fades, 0, 1), (fill | beside & seen).astype(np.float32))
    on_skin, part = among(found, S.SKIN) & (shadow < 0.995), thrice(shadow * share)
    part[on_skin] = shadow[on_skin][:, None] ** shade.SKIN * share[on_skin][:, None]
    made = painted * part + photo * thrice(1 - share)
    lay_on(made, colour, light, np.clip(alpha, 0, 1), edited, sigma)
    reach_out(made, photo, kept & ~edited & (old != S.BACKGROUND), edited, sigma)
    made = cv2.add(made, 0, dtype=cv2.CV_8U)  # rounded and saturated
    made = cv2.copyTo(made, edited.view(np.uint8), photo.copy())
    out[window], band = unmixed(photo, made, edited, before, found, kept, seen, max(2, round(h / 300)))
    layout[window], edit[window] = found, edited | band
    return out, layout, edit


def stained(photo: np.ndarray, face: np.ndarray, taken: np.ndarray, width: int) -> np.ndarray:
    """Bool HxW: what of a ``face`` no more than ``width`` pixels from what was ``taken`` off (bool HxW each) has the colour of that rather than that of the
    face a little farther in: it would stay as a line along the chin. photo HxWx3 uint8."""
    out, rim = np.zeros_like(face), face & grown(taken, width)
    if not rim.any():
        return out
    y0, y1, x0, x1 = np.maximum(np.array(box_of(rim)) + (-4 * width, 4 * width, -4 * width, 4 * width), 0)
    window = np.s_[y0:y1, x0:x1]
    photo, at, inner, cloth = photo[window], np.nonzero(rim[window]), face[window] & ~rim[window], shrunk(taken[window], 1)
    if not (inner.any() and cloth.any()):
        return out
    own, old = (nearest_colour(photo, where, at, width) for where in (inner, cloth))
    way, colour = own - old, photo[at].astype(np.float32)
    out[window][at] = ((way * way).sum(1) > UNLIKE ** 2) & (((colour - old) * way).sum(1) < STAINED * (way * way).sum(1))
    beside = cv2.boxFilter((out | taken).view(np.uint8), cv2.CV_8U, (3, 3), normalize=False)  # pixels go with those around them, or the outline is frayed
    return rim & (out & (beside > 3) | (beside >= 7))


def shaded_hair(photo: np.ndarray, before: np.ndarray, taken: np.ndarray) -> np.ndarray:
    """Bool HxW: what of hair that was ``taken`` (bool HxW) for the old garment, but where skin would come out instead, stays: all that is darker than most hair, as
    what lies in the shadow of strands has the colour of anything dark. photo HxWx3 uint8, before HxW parse ids."""
    hair = before == S.HAIR
    mine = taken & hair
    if not mine.any() or not (hair & ~taken).any():
        return np.zeros_like(mine)
    grey = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)
    return mine & (grey < np.median(grey[hair & ~taken]))


def lay_on(below: np.ndarray, cloth: np.ndarray, light: np.ndarray, alpha: np.ndarray, edited: np.ndarray, sigma: float) -> None:
    """Lay ``cloth`` with its ``light`` over ``below``, in place: float32 HxWx3, HxWx1 and HxWx3, with an edge as soft as ``sigma`` pixels of blur make it, as in a photo. The
    cloth counts where alpha (float32 HxW in 0..1) is more than a half, what is below elsewhere: each is carried over the edge, so that neither an old
    garment under the new one nor the ground of a product photo comes to be seen there. Edges are soft where a pixel is ``edited`` (bool HxW)."""
    if not (alpha > 0).any():
        return
    room = int(4 * sigma) + 1
    y0, y1, x0, x1 = np.maximum(np.array(box_of(alpha > 0)) + (-room, room, -room, room), 0)
    window = np.s_[y0:y1, x0:x1]
    cloth, alpha, edited, under = cloth[window] + light[window], alpha[window], edited[window], below[window].copy()
    blur = lambda a: cv2.GaussianBlur(a, (0, 0), sigma)
    alpha = np.clip(STEEP * (alpha - np.float32(0.5)) + np.float32(0.5), 0, 1)
    share, inside = blur(alpha), alpha > 0.5
    below[window] += (cloth - under) * thrice(alpha)
    ys, xs = np.nonzero(edited & (share > 0.02) & (share < 0.98))
    covered, w = inside[ys, xs][:, None], share[ys, xs][:, None]
    around = lambda a: cv2.blur(a, (2 * int(2 * sigma + 0.5) + 1,) * 2)[ys, xs]
    mean = lambda picture, where: around(cv2.copyTo(picture, where.view(np.uint8))) / np.maximum(around(where.astype(np.float32)), 1e-3)[:, None]
    of_cloth = np.where(covered, cloth[ys, xs], mean(cloth, inside))
    of_others = np.where(covered, mean(under, ~inside), under[ys, xs])
    below[window][ys, xs] = of_cloth * w + of_others * (1 - w)


def reach_out(made: np.ndarray, photo: np.ndarray, kept: np.ndarray, edited: np.ndarray, sigma: float) -> None:
    """Let what is ``kept``, such as hands and shoes, have as soft an edge as ``sigma`` pixels of blur make it, in place: float32 HxWx3, in the pixels beside it that are
    ``edited``, with the colours that it has a pixel farther in. photo HxWx3 uint8, both masks bool HxW."""
    if not kept.any():
        return
    room = int(4 * sigma) + 4
    y0, y1, x0, x1 = np.maximum(np.array(box_of(kept)) + (-room, room, -room, room), 0)
    window = np.s_[y0:y1, x0:x1]
    made, photo, kept, edited = made[window], photo[window], kept[window], edited[window]
    ys, xs = np.nonzero(edited & grown(kept, max(1, round(2 * sigma))))
    if not len(ys):
        return
    inner, around = shrunk(kept, 1), lambda a: cv2.blur(a, (7, 7))[ys, xs]
    weight = around(inner.astype(np.float32))[:, None]
    colour = around(cv2.copyTo(photo, inner.view(np.uint8)).astype(np.float32)) / np.maximum(weight, 1e-3)
    share = np.where(weight > 0.05, cv2.GaussianBlur(kept.astype(np.float32), (0, 0), sigma)[ys, xs][:, None], 0)
    made[ys, xs] += share * (colour - made[ys, xs])


def sharpness(photo: np.ndarray) -> float:
    """How much of the change from a pixel to the next but one its strongest edges make from the first to the second alone, on average: about 1 in a photo HxWx3
    uint8 at its own size, 0.5 in one that was enlarged to twice that. Every fourth row is asked."""
    rows = cv2.cvtColor(np.ascontiguousarray(photo[::4]), cv2.COLOR_RGB2GRAY).astype(np.float32)
    a, b, c = rows[:, :-2], rows[:, 1:-1], rows[:, 2:]
    change = np.abs(c - a)
    if not change.size:
        return 1.0
    edges = change > max(float(np.percentile(change, 95)), 1.0)
    return max(0.1, float(2 * np.abs(c - 2 * b + a)[edges].sum() / change[edges].sum())) if edges.any() else 1.0


def unmixed(photo: np.ndarray, image: np.ndarray, edit: np.ndarray, before: np.ndarray, layout: np.ndarray, kept: np.ndarray, covered: np.ndarray,
            width: int) -> tuple[np.ndarray, np.ndarray]:
    """Pixels of hair, skin and other clothes along a garment that was taken off, or along skin or ground that is covered now, show some of it. Their share of it is read off the
    colours on both sides and given to what is there now.

    photo and image HxWx3 uint8, before and after; edit HxW bool, where they differ; before and layout HxW parse ids; kept HxW bool, what must not
    change; covered HxW bool, where a new garment is; width of the border in pixels. Returns the image, and bool HxW where it was changed by this."""
    off, whole, changed = edit & among(before, (*GARMENTS, S.ACCESSORY)), image.copy(), np.zeros(edit.shape, bool)
    taken = off | edit & covered
    if not taken.any():
        return whole, changed
    y0, y1, x0, x1 = np.maximum(np.array(box_of(taken)) + (-8 * width, 8 * width, -8 * width, 8 * width), 0)
    window = np.s_[y0:y1, x0:x1]
    photo, image, edit, before, layout, kept, taken, off = (a[window] for a in (photo, image, edit, before, layout, kept, taken, off))
    near = grown(taken, width)
    beside, far = near & ~edit & ~kept, ~edit & ~near
    # Ground beside covered ground shows that alone, and clothes have folds at their edges, dark as mixtures are.
    band = beside & (~among(layout, (S.BACKGROUND, *GARMENTS)) | grown(off, width))
    for cls in np.intersect1d(GARMENTS, layout[band]):  # trousers below a longer top show nothing of themselves
        band &= (layout != cls) | grown(taken & (before != cls), width)
    ys, xs = np.nonzero(band)
    if not beside.any():
        return whole, changed
    out, done = whole[window], changed[window]
    half = max(1, edit.shape[1] // 2), max(1, edit.shape[0] // 2)
    at = np.minimum(ys // 2, half[1] - 1), np.minimum(xs // 2, half[0] - 1)

    def around(picture: np.ndarray, where: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean colour of the places ``where`` around each pixel of the border, and whether there are any."""
        mean = lambda a: cv2.blur(cv2.resize(a, half, interpolation=cv2.INTER_AREA).astype(np.float32), (3 * width + 1,) * 2)[at]
        share = mean(where.astype(np.float32))
        return mean(cv2.copyTo(picture, where.view(np.uint8))) / np.maximum(share, 1e-6)[:, None], share > 5e-3

    old, known = around(photo, shrunk(taken, 1))
    new, there = around(image, edit)
    own, colour, fewer = np.zeros_like(old), photo[ys, xs].astype(np.float32), np.ascontiguousarray(photo[::2, ::2])
    for cls in np.unique(layout[band]):
        mine, inner = layout[ys, xs] == cls, far & (layout == cls)
        known[mine] &= around(photo, inner)[1][mine]
        few = np.ascontiguousarray(inner[::2, ::2])
        if few.any():  # the nearest: hair is light and dark in strands
            own[mine] = nearest_colour(fewer, few, (ys[mine] // 2, xs[mine] // 2), max(1, width // 2))
    way = own - old
    length = (way * way).sum(1)
    share = np.clip((((colour - old) * way).sum(1) / np.maximum(length, 1) - 0.15) / 0.7, 0, 1)  # of what is the pixel's own
    shaded = (layout[ys, xs] == S.HAIR) & (old.mean(1) < own.mean(1)) & (share < 1)  # whether it is dark cloth or hair in its shadow, nobody knows: it is hair
    share[shaded], colour[shaded] = 1, own[shaded]
    todo = known & there & (length > 30 ** 2)
    whose = (~edit).astype(np.float32)
    whose[ys[todo], xs[todo]] = share[todo]
    evened = cv2.GaussianBlur(whose, (0, 0), SOFT)[ys, xs]  # single pixels of another share would be dots
    todo &= (share < 1) | (evened < 0.99)
    colour = colour + (evened - share)[:, None] * own - (1 - share)[:, None] * old + (1 - evened)[:, None] * new
    ys, xs = ys[todo], xs[todo]
    out[ys, xs] = np.clip(np.rint(colour), 0, 255)[todo].astype(np.uint8)
    done[ys, xs] = True
    # The outermost pixel is a little of both, as in a photo.
    first = grown(edit, 1)
    ys, xs = np.nonzero(beside & first & (layout != S.BACKGROUND))
    blur = lambda a: cv2.GaussianBlur(a.astype(np.float32), (0, 0), SOFT)[ys, xs]
    out[ys, xs] = np.clip(np.rint(out[ys, xs] * (1 - blur(edit))[:, None] + blur(cv2.copyTo(image, edit.view(np.uint8)))), 0, 255).astype(np.uint8)
    done[ys, xs] = True
    return whole, changed


def view_of(edit: np.ndarray, unit: float) -> tuple[int, int, int, int]:
    """y0, y1, x0, x1 of the window that the generator works in: what changes (bool HxW), a third of a torso (``unit``, in pixels) around it, and no
    narrower than half its height."""
    h, w = edit.shape
    y0, y1, x0, x1 = box_of(edit)
    y0, y1, x0, x1 = (y0 - unit / 3, y1 + unit / 3, x0 - unit / 3, x1 + unit / 3)
    tall, wide = max(y1 - y0, 1.2 * (x1 - x0)), max(x1 - x0, 0.6 * (y1 - y0))
    (y0, y1), (x0, x1) = (((a + b - size) / 2, (a + b + size) / 2) for a, b, size in ((y0, y1, tall), (x0, x1, wide)))
    return max(0, int(y0)), min(h, int(np.ceil(y1))), max(0, int(x0)), min(w, int(np.ceil(x1)))


def under_waistband(layout: np.ndarray, body: Body) -> np.ndarray:
    """Bool HxW: where a top that is tucked in is not seen: below the upper edge of trousers or skirt, which is near ``Body.rise``, falls by no more than
    SLANT from the middle outwards, and goes on level beside them."""
    shape = layout.shape
    band = lower_than(shape, body, -body.rise - WAISTBAND) & ~lower_than(shape, body, -body.rise + WAISTBAND)
    edge = (layout == S.LOWER) & band
    known = np.flatnonzero(edge.any(0))
    if not len(known):
        return lower_than(shape, body, -body.rise)
    x, middle = np.arange(shape[1]), int(np.clip(body.hips[0], 0, shape[1] - 1))
    top = np.interp(x, known, edge[:, known].argmax(0))
    for side in (np.s_[middle:], np.s_[middle::-1]):
        fall = SLANT * np.abs(x[side] - middle)
        top[side] = np.minimum.accumulate(top[side] - fall) + fall
    top = np.minimum(top, cv2.blur(top[None].astype(np.float32), (2 * max(1, int(EVEN * body.unit)) + 1, 1))[0])
    return np.arange(shape[0])[:, None] >= top


def beside_top(top: np.ndarray, ground: np.ndarray, arms: np.ndarray, unit: float) -> np.ndarray:
    """Bool HxW: ``ground`` between a ``top`` that hangs over and one of the ``arms`` (bool HxW each), no lower than its hem is at that side: nothing that is worn under it stands out
    there. unit: torso length in pixels."""
    out, rows = np.zeros_like(ground), np.flatnonzero(top.any(1))
    for flip in (slice(None), slice(None, None, -1)):
        if len(rows):
            first = top[rows, flip].argmax(1)
            side = np.median(first[-max(1, int(LOW * len(rows))):])
            rows_of = rows[:np.flatnonzero(first <= side + ROUNDED * unit)[-1] + 1]
            out[rows_of, flip] |= np.arange(top.shape[1]) < first[:len(rows_of), None]
    return out & ground & between(top, arms, int(ELBOW_ROOM * unit))


def belt(layout: np.ndarray, body: Body) -> np.ndarray:
    """Bool HxW: what is worn around the waist, which only a top that is tucked in leaves to be seen. It lies where trousers or skirt begin: what is more than BELT
    above that was taken for one."""
    y, x = np.nonzero(layout == S.ACCESSORY)
    rel = np.stack((x, y), 1) - body.neck
    highest = 0.5 if body.rise is None else max(0.5, 1 - body.rise - BELT)
    at = (rel @ body.down > highest * body.unit) & (rel @ body.down < 1.3 * body.unit) & (np.abs(rel @ body.across) < 0.6 * body.unit)
    out = np.zeros(layout.shape, bool)
    out[y[at], x[at]] = True
    return out


def hands(layout: np.ndarray, body: Body) -> np.ndarray:
    """Bool HxW: skin of the arms beyond the wrists; no sleeve may cover it."""
    out = np.zeros(layout.shape, bool)
    for wrist, elbow in ((S.R_WRIST, S.R_ELBOW), (S.L_WRIST, S.L_ELBOW)):
        if not (body.seen[wrist] and body.seen[elbow]):
            continue
        centre, reach = body.joint[wrist], 0.4 * body.unit
        d = centre - body.joint[elbow]
        d /= max(float(np.linalg.norm(d)), 1e-6)
        y0, x0 = (max(0, int(v)) for v in (centre[1] - reach, centre[0] - reach))
        window = layout[y0:int(centre[1] + reach) + 1, x0:int(centre[0] + reach) + 1]
        if not window.size:
            continue
        y, x = np.mgrid[0:window.shape[0], 0:window.shape[1]]
        along = (x + x0 - centre[0]) * d[0] + (y + y0 - centre[1]) * d[1]
        out[y0:y0 + window.shape[0], x0:x0 + window.shape[1]] |= among(window, S.ARMS) & (along > 0)
    return out


def beyond_cuffs(sleeves: np.ndarray, layout: np.ndarray, body: Body, reach: int) -> np.ndarray:
    """Bool HxW: skin of an arm (of ``layout``, parse ids) that is in one of ``sleeves`` (bool HxW) at the wrist, within ``reach`` pixels of it along the forearm."""
    out, far = np.zeros(sleeves.shape, bool), 2 * CUFF * body.unit
    for cls, (_, elbow, wrist) in ((cls, BONES[cls]) for cls in S.ARMS):
        if not (body.seen[wrist] and body.seen[elbow]):
            continue
        (x, y), way = body.joint[wrist], body.joint[wrist] - body.joint[elbow]
        way = way / max(float(np.linalg.norm(way)), 1e-6)
        window = np.s_[max(0, int(y - far)):max(0, int(y + far) + 1), max(0, int(x - far)):max(0, int(x + far) + 1)]
        if sleeves[window].any() and at(sleeves, body.joint[wrist] - np.multiply.outer((CUFF / 2, CUFF), way) * body.unit).any():
            line = cv2.line(np.zeros((2 * reach + 1,) * 2, np.uint8), (reach, reach), np.rint(reach - reach * way).astype(int).tolist(), 1)
            out[window] |= (layout[window] == cls) & cv2.dilate(sleeves[window].astype(np.uint8), line).view(bool)
    return out


def held(layout: np.ndarray, body: Body) -> np.ndarray:
    """Bool HxW: accessories in a hand or around a wrist, such as cups and watches, but for belts and scarves that a hand touches."""
    mine, hand = layout == S.ACCESSORY, hands(layout, body)
    if not mine.any() or not hand.any():
        return np.zeros(layout.shape, bool)
    return touching(mine & grown(hand, HELD * body.unit) & ~belt(layout, body) & ~scarf(layout, body), grown(hand, 2))


def bare_arms(layout: np.ndarray, regions: dict[int, np.ndarray], body: Body, unit: float) -> np.ndarray:
    """Bool HxW: skin of the arms below the shoulders. A bare shoulder is covered by the torso of a garment, the arm below it is in front; what is apart
    from where arms may lie (``arm_regions``) was taken for one."""
    shoulders = np.zeros(layout.shape, np.uint8)
    for side in ("left", "right"):
        cv2.circle(shoulders, tuple(int(v) for v in np.rint(body.limb(side, arm=True)[0][0])), max(1, int(0.2 * unit)), 1, -1)
    return touching(among(layout, S.ARMS), np.any(list(regions.values()), 0)) & (shoulders == 0)


def beyond(sleeve: np.ndarray, line: np.ndarray, most: float = 90) -> np.ndarray:
    """Bool HxW: farther along an arm (polyline Kx2) than the new sleeve (bool HxW) reaches, which is where ``most`` percent of it are."""
    step = 4
    position = lambda y, x: arm_position(np.stack((x, y), -1).reshape(-1, 2) * float(step), line)
    seen = sleeve[::step, ::step]
    end = np.percentile(position(*np.nonzero(seen if seen.any() else np.ones_like(seen))), most)
    grid = position(*np.mgrid[0:seen.shape[0], 0:seen.shape[1]]).reshape(seen.shape).astype(np.float32)
    m = np.array(((1 / step, 0, 0), (0, 1 / step, 0)))
    return cv2.warpAffine(grid, m, sleeve.shape[::-1], flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE) > end


def arm_position(points: np.ndarray, line: np.ndarray) -> np.ndarray:
    """Arc length in pixels of the nearest place on the polyline Kx2 to each of the points Nx2."""
    best, out, s = np.full(len(points), np.inf), np.zeros(len(points)), 0.0
    for a, b in zip(line[:-1], line[1:]):
        d = b - a
        l = max(float(np.linalg.norm(d)), 1e-6)
        t = np.clip((points - a) @ d / l, 0, l)
        dist = ((points - a - np.outer(t / l, d)) ** 2).sum(1)
        closer = dist < best
        best[closer], out[closer] = dist[closer], s + t[closer]
        s += l
    return out


def may_become(kind: str, layout: np.ndarray, sleeved: bool = True) -> np.ndarray:
    """Bool per class: what shows where a garment of ``kind``, ``sleeved`` or not, has taken the old one away. Garments only where they are worn already."""
    skin = (S.NECK, S.LEFT_ARM, S.RIGHT_ARM, S.LEFT_LEG, S.RIGHT_LEG)
    under = {"upper": (*skin, S.LOWER, S.LEGWEAR, S.HAIR), "jacket": (*skin, S.UPPER, S.FULL, S.LOWER, S.LEGWEAR, S.HAIR),
             "lower": (*skin, S.UPPER, S.OUTER, S.LEGWEAR), "full": (*skin, S.LEGWEAR, S.HAIR), "hat": (S.HAIR, S.FACE), "bag": (),
             "scarf": (S.NECK, S.UPPER, S.OUTER, S.FULL, S.HAIR)}[kind]
    out = np.zeros(len(S.PARSE_CLASSES), bool)
    out[[S.BACKGROUND, *(c for c in under if c in (*skin, S.FACE) or (layout == c).any())]] = True
    if kind == "jacket" and sleeved and not out[[S.UPPER, S.FULL]].any():  # something is worn under a coat, which does not hide arms when a vest takes its place
        out[S.UPPER] = True
    return out
