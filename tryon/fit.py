"""Fit: lay a garment on a body, geometry only, in closed form.

A regular grid over the product photo is carried to the person photo: the torso (or pelvis, or head) by an affine map, each leg by sliding along its
bones, blended in between, each sleeve as a surface between its edges (tryon/sleeves.py). Every part becomes a layer of its own,
so that a sleeve may lie over the torso. The grid is then inverted on a coarse target grid; the texture itself is
sampled later, at full resolution.
"""
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from tryon import schema as S
from tryon.body import SHOULDERS, TORSO_WIDTH, Body
from tryon.garment import Garment, once
from tryon.landmarks import PART, along, length_of
from tryon.limbs import shoulder_height
from tryon.masks import box_of
from tryon.person import Person
from tryon.schema import RowError
from tryon.sleeves import LONG, SIGN, Chart, Shoulder, chart, place_sleeve, share_of_arm

GRID = 40  # cells along the longer side of the garment
FINE = 8  # splatted points per cell and direction
COARSE = 256  # height of the coarse target grid
ROOM = 8  # of its places: how far around a part its map is known
MARGIN = 0.08  # of the garment's box, so that the map is known beyond the outline

# Torso lengths per width of a garment as a shop shows it. Laid flat it is as wide as half its girth, of which a body shows less from the front:
# lengths are scaled by more than widths. Of tops between what sizes tell (47 cm for a torso of 52 from between the shoulders to between the hips: 0.9) and what 226
# tops tell that hang over trousers or skirts on CCP's train split (product photos end where those do, medians, at 0.8). What is worn over others is cut wider; dresses
# closer: by so much those of 170 product photos would else be longer than those that 155 people of that split wear (medians).
FLAT_WIDTH, FLAT_WIDTHS = 0.86, {"jacket": 1.0, "dress": 0.83}
# What hangs, or is gathered, is narrower than it lies: a dress that is drawn in at the waist is then no longer than that tells, which lies WAIST torso lengths below the
# shoulders and counts as such a share (IN_LOG) of both, and no more than so much shorter. It is narrower than the chest and what is below it, by so much, and so many
# heights of the dress below the armpits and above the hem, at least.
WAIST, IN_LOG, SHORTER, DRAWN_IN, FLARED, LOWER = 0.67, 0.6, 0.75, 0.95, 0.92, (0.06, 0.3)
ASKEW = 0.12  # widths of a top: the most that its collar or hem lies beside the middle of its chest
SEAM = 0.02  # torso lengths along an armhole in which a sleeve goes over into the torso
COLLAR, MEASURED = 0.12, 0.08  # torso lengths above the joints of the shoulders: the highest that the sides of a collar lie, and where LENGTHS begin
# How long a top is, is told by its width and, if they are at least LONG_SLEEVE of it, by its sleeves, which reach the wrists: so many torso lengths. What hangs
# is narrower than what lies. Both together are right more often than either: chosen on CCP's validation split. Dresses are narrow for their sleeves: those of
# 0.8 end at the elbow.
LONG_SLEEVE, LONG_SLEEVES, WHOLE_SLEEVE = 0.75, {"dress": 0.85}, 1.03
# A top that is higher than so many of its widths hangs. Its sleeves, however long for its width, are short ones if they are no more than such a share of its height,
# and as long as on one of so many torso lengths.
HUNG, HALF_SLEEVE, SHOWN = 1.5, 0.6, 1.2
# Sleeves that the border of the photo cuts off, along so much of their width there, and that are so many widths of the top long up to it, or a sweater's or
# jacket's, are long ones.
CUT, CUT_FROM = 0.4, 0.5
UNEQUAL = 1.5, 2.0  # times as long as the other one, and times as large: a sleeve that shows what the other does not
DROPPED = 0.2  # torso lengths: the most that a seam lies beyond the top of the shoulder
TUCKED = ("top", "shirt")  # what may be tucked in


@dataclass
class Layer:
    """One part of a placed garment, small enough to travel.

    ``part``: ``torso``, ``left`` or ``right`` (sleeve or leg). ``map``: int16 h x w x 2 on the coarse grid, the (x, y)
    in steps (``Fit.step``) of the product photo that is seen at each place of the person photo; ``cover``: uint8 h x w, 255 where
    the map may be trusted. ``share``: uint8 gh x gw on the garment's grid, how much of it belongs to this part.
    """

    part: str
    map: np.ndarray
    cover: np.ndarray
    share: np.ndarray


@dataclass
class Fit:
    layers: list[Layer]  # back to front
    grid: tuple[float, float, float]  # x and y of the garment grid's first point and its cell, in pixels of the product photo
    category: str
    subcategory: str
    unit: float  # torso length B in pixels
    step: float  # of the maps, in pixels of the product photo: 1/8, more where int16 would not reach
    confidence: float  # of the joints the garment hangs on, 0..1
    tucked: bool = False  # a top that goes into the trousers or the skirt worn with it


def smooth(x, a: float, b: float):
    t = np.clip((x - a) / (b - a), 0, 1)
    return t * t * (3 - 2 * t)


def _walk(line: np.ndarray, true: np.ndarray, t: np.ndarray, u: np.ndarray, blur: float) -> np.ndarray:
    """Points at true arc length ``t`` and side offset ``u`` along two bones of true lengths ``true`` drawn as the
    polyline ``line``; a foreshortened bone shortens what lies on it. ``blur`` rounds the bend."""
    seg = np.diff(line, axis=0)
    unit = seg / np.maximum(np.linalg.norm(seg, axis=1, keepdims=True), 1e-6)
    first = line[0] + np.outer(t / true[0], seg[0])
    beyond = (t - true[0]) / true[1]
    second = line[1] + np.outer(beyond, seg[1])
    w = smooth(t, true[0] - blur, true[0] + blur)[:, None]
    centre = np.where(t[:, None] < true[0], first, second)
    direction = unit[0] * (1 - w) + unit[1] * w
    direction /= np.maximum(np.linalg.norm(direction, axis=1, keepdims=True), 1e-6)
    normal = np.stack((-direction[:, 1], direction[:, 0]), 1)
    return centre + normal * u[:, None]


def invert(source: np.ndarray, target: np.ndarray, share: np.ndarray, mask: np.ndarray | None, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Turn a forward map on a grid (``source`` gh x gw x C, of which the first two are x and y and others are carried along, ``target`` gh x gw x 2,
    ``share`` of the part gh x gw, none of it below 0.02) into a backward map h x w x C and its cover h x w, by splatting a dense resampling of the grid.
    Only what lies in the garment's ``mask`` or close by is splatted: the ground between sleeve and torso belongs to neither."""
    h, w = shape
    fine = (source.shape[1] * FINE, source.shape[0] * FINE)
    dense = [cv2.resize(a.astype(np.float32), fine, interpolation=cv2.INTER_LINEAR) for a in (source, target, share)]
    at = np.ascontiguousarray(dense[0][..., :2])
    keep = dense[2] > 0.02
    if mask is not None:
        inside = cv2.remap(mask, at, None, cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT)
        keep &= cv2.dilate(inside, np.ones((FINE + 1, FINE + 1), np.uint8)) > 0
    tx, ty = dense[1][..., 0], dense[1][..., 1]
    keep &= (tx > -4) & (tx < w + 3) & (ty > -4) & (ty < h + 3)
    values, solid = np.zeros((h, w, source.shape[2]), np.float32), np.zeros((h, w), np.float32)
    if not keep.any():
        return values, solid
    s, t = dense[0][keep], dense[1][keep]
    # Worked out where the points are, and a little around.
    low, high = np.floor(t.min(0)).astype(int) - ROOM, np.floor(t.max(0)).astype(int) + 2 + ROOM
    sums, total = splat(t - low, s, tuple(high - low)[::-1])
    cover = total > 1e-3
    out = carried_on(np.where(cover[..., None], sums / np.maximum(total, 1e-6)[..., None], 0), cover, (1.0, 2.0, 5.0, 12.0))
    out = cv2.GaussianBlur(out, (0, 0), 0.9)  # of the splats' noise nothing shows at the outline
    first, last = np.maximum(low, 0), np.minimum(high, (w, h))
    there, here = np.s_[first[1]:last[1], first[0]:last[0]], np.s_[first[1] - low[1]:last[1] - low[1], first[0] - low[0]:last[0] - low[0]]
    values[there], solid[there] = out[here], cv2.dilate(cover.astype(np.uint8), np.ones((3, 3), np.uint8))[here]
    return values, solid


def splat(points: np.ndarray, values: np.ndarray, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Values NxC at points Nx2 (x and y, inside the grid) shared out to the four places of a grid h x w around each: their sums h x w x C and the
    weights h x w, float64."""
    h, w = shape
    at = np.floor(points).astype(int)
    fx, fy = (points - at).T
    index, total, sums = at[:, 1] * w + at[:, 0], np.zeros(h * w), [np.zeros(h * w) for _ in range(values.shape[1])]
    for shift, weight in ((0, (1 - fx) * (1 - fy)), (1, fx * (1 - fy)), (w, (1 - fx) * fy), (w + 1, fx * fy)):
        total += np.bincount(index + shift, weight, h * w)
        for c, s in enumerate(sums):
            s += np.bincount(index + shift, weight * values[:, c], h * w)
    return np.stack(sums, -1).reshape(h, w, -1), total.reshape(h, w)


def carried_on(values: np.ndarray, known: np.ndarray, sigmas: tuple[float, ...]) -> np.ndarray:
    """Values h x w x C where they are ``known`` (bool h x w), elsewhere the mean of a neighbourhood of the first of ``sigmas`` (in places) that reaches
    there."""
    out, found = values.copy(), known.copy()
    base = np.where(known[..., None], np.concatenate((values, np.ones((*known.shape, 1))), -1), 0).astype(np.float32)
    for sigma in sigmas:
        if found.all():
            break
        coarse = max(1, int(sigma / 2))
        blurred = cv2.resize(base, (max(1, base.shape[1] // coarse), max(1, base.shape[0] // coarse)), interpolation=cv2.INTER_AREA)
        blurred = cv2.resize(cv2.GaussianBlur(blurred, (0, 0), sigma / coarse), base.shape[1::-1], interpolation=cv2.INTER_LINEAR)
        fill = ~found & (blurred[..., -1] > 1e-4)
        out[fill] = (blurred[..., :-1] / np.maximum(blurred[..., -1:], 1e-9))[fill]
        found |= fill
    return out


@dataclass
class Grid:
    """Over the product photo: points gh x gw x 2 in its pixels, ``cell`` of them apart; of tops and dresses also how much of each point belongs to each part,
    or lies beside it, gh * gw in 0..1, and each sleeve's ``Chart`` of them."""

    source: np.ndarray
    cell: float
    shares: dict[str, np.ndarray]
    charts: dict[str, Chart]


@once
def grid(garment: Garment) -> Grid:
    """A little beyond the garment's box."""
    y0, y1, x0, x1 = (float(v) for v in box_of(garment.mask))
    pad = MARGIN * max(x1 - x0, y1 - y0)
    cell = (max(x1 - x0, y1 - y0) + 2 * pad) / GRID
    source = np.stack(np.meshgrid(np.arange(x0 - pad, x1 + pad + cell, cell), np.arange(y0 - pad, y1 + pad + cell, cell)), -1)
    if garment.category not in ("upper", "full"):
        return Grid(source, cell, {}, {})
    near = lambda part: cv2.dilate(part.astype(np.uint8), np.ones((2 * int(cell) + 1,) * 2, np.uint8))
    at = lambda part: cv2.remap(near(part), source.astype(np.float32), None, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE).ravel().astype(float)
    return Grid(source, cell, {name: at(part) for name, part in part_masks(garment).items()},
                {side: chart(garment, seen, source.reshape(-1, 2)) for side, seen in sewn(garment).items()})


@once
def sewn(garment: Garment) -> dict[str, str]:
    """Side of a top or dress -> that side whose sleeve is worn there: both are sewn alike, so where one is much shorter or smaller than the other in the photo
    - it hangs, is folded, or was found in part - the other one is."""
    length = {side: chart(garment, seen, np.zeros((1, 2))).length for side, seen in garment.sleeves.items()}
    area = {side: float((garment.parts == PART[seen]).sum()) for side, seen in garment.sleeves.items()}
    for size, unequal in zip((length, area), UNEQUAL):
        if size and max(size.values()) >= unequal * min(size.values()):
            return dict.fromkeys(size, max(size, key=size.get))
    return garment.sleeves


def fit(person: Person, garment: Garment) -> Fit:
    """Place ``garment`` on ``person``. Raises RowError ``no_place`` when the part of the body it belongs on is not in the photo."""
    body, on = person.body, grid(garment)
    source, cell = on.source, on.cell
    points = source.reshape(-1, 2)

    legs = lambda *a: _place_lower(*a, person.bare_legs)
    places = {"upper": _place_upper, "full": _place_upper, "lower": legs, "hat": _place_hat, "scarf": _place_scarf, "bag": _place_bag}
    place = places[garment.subcategory if garment.category == "accessory" else garment.category]
    torso, limbs, joints = place(body, garment, points)

    # Every part has positions of its own. Legs agree with the torso where they meet; sleeves end at its armholes, ``outside`` of them by so many pixels.
    placed, shares, outside = {"torso": torso}, {"torso": np.ones(len(points))}, {}
    if garment.category in ("upper", "full"):
        placed |= {side: position for side, (position, _) in limbs.items()}
        shares = {part: share for part, share in on.shares.items() if part in placed}
        outside = {side: np.minimum(beyond, body.unit) for side, (_, beyond) in limbs.items()}
        shares |= {side: np.minimum(shares[side], beyond / cell) for side, beyond in outside.items()}
    else:
        for side, (position, weight) in limbs.items():
            placed["torso"] = placed["torso"] * (1 - weight[:, None]) + position * weight[:, None]
            placed[side], shares[side] = torso * (1 - weight[:, None]) + position * weight[:, None], weight
            shares["torso"] = np.minimum(shares["torso"], 1 - weight)
    h, w = person.parse.shape
    scale = COARSE / h
    coarse = (COARSE, max(8, int(round(w * scale))))

    step = max(1.0, max(garment.mask.shape) / 3000) / 8
    layers = []
    for part in ("torso", "right", "left"):
        if part not in shares:
            continue
        share = shares[part].reshape(source.shape[:2])
        target = ((placed[part] + 0.5) * (coarse[1] / w, scale) - 0.5).reshape(*source.shape)
        values = np.concatenate((source, outside[part].reshape(*share.shape, 1)), 2) if part in outside else source
        m, cover = invert(values, target, share, garment.mask if limbs else None, coarse)
        if part in outside:  # where it meets the torso a sleeve goes over into it
            seam = m[..., 2] / (SEAM * body.unit)
            cover = np.minimum(cover, np.where(seam > 1, 1, np.clip(seam, 0, 1) / 2))
            m = m[..., :2]
        m = np.rint(np.clip(m / step, -32000, 32000)).astype(np.int16)
        layers.append(Layer(part, m, np.rint(cover * 255).astype(np.uint8), np.rint(np.clip(share, 0, 1) * 255).astype(np.uint8)))
    confidence = float(np.mean([person.pose[0, k, 2] if body.seen[k] else 0.3 for k in joints]))
    # Who wears the own top tucked in, or cut off at the waist, wears the new one so.
    tucked = garment.subcategory in TUCKED and body.tucks
    return Fit(layers, (*source[0, 0].tolist(), cell), garment.category, garment.subcategory, body.unit, step, confidence, tucked)


@once
def part_masks(garment: Garment) -> dict[str, np.ndarray]:
    """Bool HxW of each part of a top or dress, ``torso`` with what its sleeves hide of it and up to straight armholes."""
    parts = garment.parts
    out = {"torso": parts == 1} | {side: parts == PART[sewn(garment).get(side, side)] for side in PART}
    out["torso"] |= (between(garment, "armpit", "hem") | between(garment, "shoulder", "armpit")) & (parts > 0)
    return out


def between(garment: Garment, upper: str, lower: str) -> np.ndarray:
    """Bool HxW: what lies between two landmarks on the right side of a top or dress and those on its left, nothing where one is missing."""
    out, names = np.zeros(garment.parts.shape, np.uint8), (f"{upper}_right", f"{upper}_left", f"{lower}_left", f"{lower}_right")
    if all(k in garment.landmarks for k in names):
        cv2.fillPoly(out, [np.rint([garment.landmarks[k][:2] for k in names]).astype(np.int32)], 1)
    return out > 0


def on_photo(share: np.ndarray, grid: tuple[float, float, float], shape: tuple[int, int]) -> np.ndarray:
    """A layer's ``share`` resampled onto the pixels of the product photo: float32 HxW in 0..1, edges repeated."""
    x0, y0, cell = grid
    y, x = np.arange(shape[0], dtype=np.float32), np.arange(shape[1], dtype=np.float32)
    mx, my = np.meshgrid((x - x0) / cell, (y - y0) / cell)
    return cv2.remap(share.astype(np.float32) / 255, mx.astype(np.float32), my.astype(np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


LOOP, BEHIND, FALL = 0.5, 0.27, 1.5  # torso lengths: width of a scarf around the neck, how far it begins above the shoulders, its greatest length
BAG, HANGS, GRIP = 0.6, 1.0, 0.1  # torso lengths: width of a bag, its greatest height with its straps, from the wrist to the fingers that hold it
FLOOR, STANDS = 0.04, 1.8  # torso lengths below the ankles: where dresses and skirts end at most; and below the neck: ankles of somebody who stands
LENGTHS = {"top": (0.75, 1.35), "shirt": (0.95, 1.45), "sweater": (0.9, 1.4), "jacket": (0.9, 2.3), "dress": (1.35, 2.9), "jumpsuit": (2.0, 2.9)}


def _ankles(body: Body, origin: np.ndarray) -> list[float]:
    """How far below ``origin`` the ankles are that are seen, in pixels."""
    return [float((body.joint[k] - origin) @ body.down) for k in (S.R_ANKLE, S.L_ANKLE) if body.seen[k]]


def _place_upper(body: Body, garment: Garment, points: np.ndarray):
    shape = garment.shape
    xc, top = shape.centre[0]
    wide = body.torso_width * (1.08 if garment.subcategory == "jacket" else 1.0)
    sx = wide / shape.width
    if not shape.limbs:  # without sleeves it must reach from arm to arm, however it flares below
        sx *= float(np.clip(0.96 * shape.width / max(_chest(garment), 1.0), 1, 1.25))
    elif {"shoulder_left", "shoulder_right"} <= shape.landmarks.keys():  # the seams sit on the shoulders, or a little beyond
        seams = abs(shape.landmarks["shoulder_left"][0] - shape.landmarks["shoulder_right"][0])
        if 0.7 * shape.width < seams < 1.22 * shape.width:
            sx = float(np.clip(1.24 * SHOULDERS * body.unit * body.view / max(seams, 1.0), 0.85 * sx, 1.02 * sx))
    # From the side a garment is narrower, not shorter.
    s = sy = FLAT_WIDTHS.get(garment.subcategory, FLAT_WIDTH) * body.unit / shape.width
    s_across = TORSO_WIDTH * SHOULDERS * body.unit / shape.width  # sleeves are flat, arms round
    length = whole = (shape.centre[1, 1] - top) * sy / body.unit
    lo, hi = LENGTHS.get(garment.subcategory, (0.75, 2.9))
    charts = grid(garment).charts
    lengths = [c.length for c in charts.values()]
    sleeve = float(np.mean(lengths)) if lengths else 0.0
    height = shape.centre[1, 1] - top
    half = garment.subcategory in TUCKED and height > HUNG * shape.width and sleeve < HALF_SLEEVE * height
    if (waist := _waist(garment)) is not None:
        length *= float(np.clip((WAIST / (waist * length)) ** IN_LOG, SHORTER, 1))
    elif sleeve > LONG_SLEEVES.get(garment.subcategory, LONG_SLEEVE) * shape.width and not half:
        length *= float(np.sqrt(WHOLE_SLEEVE * body.unit / (sleeve * sy)))
    s *= min(1.0, (SHOWN if half else hi) / max(whole, 1e-6))  # of sleeves: what hangs is narrower than what lies, and seems to be longer
    ankles = _ankles(body, body.neck)
    if max(ankles, default=0.0) > STANDS * body.unit:  # nothing trails on the floor
        hi = min(hi, max(ankles) / body.unit + FLOOR + MEASURED)
    # The sides of a collar lie on the shoulders' outline, which falls outwards; hems stay where lengths were measured.
    collar = 0.13 * body.unit  # there is no room for more above the shoulders: a hood or a high collar sinks
    sunk = lambda below: np.where(below < 0, -collar * np.tanh(-below / collar), below)
    collars = np.array([garment.landmarks[f"collar_{side}"][:2] for side in SIGN])
    above = -sunk((collars[:, 1] - top) * sy).mean() / body.unit
    rise = float(np.clip(shoulder_height(np.ptp(collars[:, 0]) * sx / 2 / body.unit) - above, 0, COLLAR))
    sy *= (float(np.clip(length, lo, hi)) + rise - MEASURED) / max(whole, 1e-6)
    origin = body.neck - body.down * rise * body.unit
    if garment.subcategory == "jumpsuit" and ankles:
        sy = float(np.clip((max(ankles) + rise * body.unit) / max(shape.centre[1, 1] - top, 1e-6), 0.7 * sy, 1.5 * sy))
    middle = _middle(garment)

    def flat(points: np.ndarray) -> np.ndarray:
        return origin + np.outer((points[:, 0] - middle(points[:, 1])) * sx, body.across) + np.outer(sunk((points[:, 1] - top) * sy), body.down)

    shoulders = {side: Shoulder(flat(np.array([garment.landmarks[f"collar_{side}"][:2]]))[0], *body.limb(seen_as(body, side), arm=True), _walk,
                                body.unit, body.down, SIGN[side] * body.across, SIGN[side]) for side in SIGN}
    # Both sides of a garment are alike, however it lies: seams are equally far beyond the shoulders, sleeves equally long.
    seam = lambda side: np.linalg.norm(np.subtract(garment.landmarks[f"shoulder_{side}"][:2], garment.landmarks[f"collar_{side}"][:2]))
    beyond = min(float(np.mean([s * seam(side) - shoulder.far[1] for side, shoulder in shoulders.items()])), DROPPED * body.unit) if shape.limbs else None
    drops = [_drop(garment, side, shoulder, flat, beyond) for side, shoulder in shoulders.items()]
    carry = lambda points: flat(points) + sum(drop(points) for drop in drops)
    length = max(s, WHOLE_SLEEVE * body.unit / sleeve) * sleeve if cut_off(garment) else s * sleeve
    # Where the sleeve of the other side is seen, the torso is that of the other side, too.
    across = lambda side, points: points if sewn(garment)[side] == side else (-1, 1) * points + (2 * xc, 0)
    ends = {side: carry(across(side, c.ends)) for side, c in charts.items()}
    long = bool(charts) and np.mean([share_of_arm(ends[side][0], shoulders[side], length) for side in charts]) > LONG
    limbs = {side: place_sleeve(c, carry(across(side, points)), ends[side], shoulders[side], length, s_across, long) for side, c in charts.items()}
    torso = carry(points)
    return torso, limbs, (S.R_SHOULDER, S.L_SHOULDER) + ((S.R_ELBOW, S.L_ELBOW) if limbs else ())


@once
def cut_off(garment: Garment) -> bool:
    """Whether a sleeve of a top or dress goes on beyond the border of its photo."""
    def cut(side: str, axis: np.ndarray) -> bool:
        sleeve = garment.parts == PART[side]
        at_border = max(int(line.sum()) for line in (sleeve[:, 0], sleeve[:, -1], sleeve[-1]))
        return at_border > CUT * 2 * axis[-1, 2] and (length_of(axis) > CUT_FROM * garment.shape.width or garment.subcategory in ("sweater", "jacket"))

    return any(cut(side, axis) for side, axis in garment.shape.limbs.items())


def _drop(garment: Garment, side: str, shoulder: Shoulder, flat: Callable[[np.ndarray], np.ndarray], beyond: float | None) -> Callable[[np.ndarray], np.ndarray]:
    """How cloth comes down on a shoulder: a function from points Nx2 of the product photo to what is to be added to where ``flat`` puts them. What is
    sewn flat from the collar to the sleeve lies along the body's shoulder and, if it is longer, down the arm. beyond: how far the seam is then beyond
    the top of the shoulder, in pixels of the person photo; None without sleeves: it stays as far from the collar as it was placed."""
    lm, sign = garment.landmarks, SIGN[side]
    collar, seam, armpit = (np.array(lm[f"{n}_{side}"][:2], float) for n in ("collar", "shoulder", "armpit"))
    steps = np.linspace(0, 1, 9)
    line = flat(collar + steps[:, None] * (seam - collar))
    length = shoulder.far[1] + beyond if beyond is not None else float(np.linalg.norm(line[-1] - line[0]))
    moves = shoulder.at(steps * length) - line
    across = max(sign * (seam[0] - collar[0]), 0.05 * garment.shape.width)
    deep = max(float(armpit[1] - seam[1]), 0.4 * garment.shape.width)

    def drop(points: np.ndarray) -> np.ndarray:
        at, fade = np.clip(sign * (points[:, 0] - collar[0]) / across, 0, 1), 1 - smooth(points[:, 1], seam[1], seam[1] + deep)
        return np.stack([np.interp(at, steps, moves[:, k]) for k in (0, 1)], -1) * fade[:, None]

    return drop


def _middle(garment: Garment) -> Callable[[np.ndarray], np.ndarray]:
    """The x of a top's middle at each y, in pixels of the product photo: from the middle of its collar to that of its hem, however crooked it lies; no
    farther than ASKEW from the middle of its chest."""
    shape, lm = garment.shape, garment.landmarks
    xc, ends = shape.centre[0, 0], []
    for name, y in zip(("collar", "hem"), shape.centre[:, 1]):
        pair = [lm[f"{name}_{side}"] for side in SIGN if f"{name}_{side}" in lm]
        x, y = np.mean([p[:2] for p in pair], 0) if len(pair) == 2 else (xc, y)
        ends.append((float(np.clip(x, xc - ASKEW * shape.width, xc + ASKEW * shape.width)), y))
    (x0, y0), (x1, y1) = ends
    return lambda y: x0 + (x1 - x0) * np.clip((y - y0) / max(y1 - y0, 1.0), 0, 1)


@once
def _waist(garment: Garment) -> float | None:
    """Share of its height that the waist of a dress lies below its shoulders, None where it is not drawn in."""
    top, bottom = garment.shape.centre[:, 1]
    height, armpit = bottom - top, np.mean([garment.landmarks[f"armpit_{side}"][1] for side in SIGN])
    rows = (garment.parts == 1)[max(0, int(armpit)):int(bottom) + 1]
    if garment.subcategory != "dress" or len(rows) < 0.4 * height or len(rows) < 20:
        return None
    even = max(1, round(0.03 * height))
    across = np.convolve(np.pad([np.ptp(np.flatnonzero(row)) + 1 if row.any() else 0 for row in rows], even, "edge"), np.full(2 * even + 1, 1 / (2 * even + 1)), "valid")
    first, last = int(LOWER[0] * height), int(len(rows) - LOWER[1] * height)
    at = first + int(across[first:last].argmin()) if last > first else 0
    drawn_in = first < at < last - 1 and across[at] < DRAWN_IN * across[:at].max() and across[at] < FLARED * across[at:].max()
    return float((armpit + at - top) / height) if drawn_in else None


def _chest(garment: Garment) -> float:
    """Width of a top below its armholes, in pixels of the product photo."""
    armpit = np.mean([garment.landmarks[f"armpit_{side}"][1] for side in ("left", "right")])
    top, bottom = garment.shape.centre[:, 1]
    rows = garment.mask[max(0, int(armpit)):max(0, int(armpit + 0.08 * (bottom - top))) + 1] > 127
    spans = [np.ptp(np.flatnonzero(row)) + 1 for row in rows if row.any()]
    return float(np.median(spans)) if spans else garment.shape.width


def seen_as(body: Body, side: str) -> str:
    """The limb that the garment's ``side`` is seen on: from behind, sides change."""
    return side if body.right_to_left > 0 else {"left": "right", "right": "left"}[side]


TILTED, AS_TILTED, MOST_TILTED = 0.05, 0.07, 0.4  # slopes of a waist: from where on it is one, how nearly two measures must agree, and the most


def _upright(garment: Garment) -> tuple[Callable[[np.ndarray], np.ndarray], float]:
    """For trousers and skirts photographed aslant: a function that makes points Nx2 of the product photo those of one whose waist is level, and where that
    then lies (y). What is upright but for the camera is sheared: trousers above the crotch - legs have axes of their own -, others if their hem slopes, too."""
    shape, lm = garment.shape, garment.landmarks
    (xc, top), bottom = shape.centre[0], shape.centre[1, 1]
    (ax, ay), (bx, by) = (lm[f"waist_{side}"][:2] for side in ("right", "left"))
    columns = np.arange(max(0, int(ax + 0.15 * (bx - ax))), min(garment.mask.shape[1], int(bx - 0.15 * (bx - ax))))
    inside = garment.mask[:, columns] > 127
    columns, inside = columns[inside.any(0)], inside[:, inside.any(0)]
    if bx - ax < 0.5 * shape.width or len(columns) < 8:
        return lambda points: points, top
    edge, middle = np.polyfit(columns - xc, inside.argmax(0), 1)
    slope = (edge + (by - ay) / (bx - ax)) / 2
    if not (TILTED < abs(slope) < MOST_TILTED and abs(edge - slope) < AS_TILTED / 2):
        return lambda points: points, top
    low = lm["crotch"][1] if "crotch" in lm else bottom
    fade = lambda y: 1 - smooth(y, top, low)
    if garment.subcategory != "trousers":
        hem = [np.array(lm[f"hem_{side}"][:2]) for side in ("right", "left") if f"hem_{side}" in lm]
        if len(hem) < 2 or abs((hem[1] - hem[0])[1] / max((hem[1] - hem[0])[0], 1.0) - slope) > 2 * AS_TILTED:
            return lambda points: points, top
        fade = np.ones_like
    return lambda points: points - np.outer(slope * (points[:, 0] - xc) * fade(points[:, 1]), (0, 1)), middle


def _levelled(garment: Garment, upright: Callable[[np.ndarray], np.ndarray], top: float) -> Callable[[np.ndarray], np.ndarray]:
    """For skirts and for shorts without legs to speak of: a function that makes points Nx2 of the product photo, ``upright``, those of one whose hem is as level as
    when it is worn. Laid flat, cloth that gets wider downwards spreads to both sides like a fan, and its hem rises towards them. ``top``: its waist (y)."""
    y0, y1, *_ = box_of(garment.mask > 127)
    bottoms, crotch = (garment.mask[y0:y1] > 127)[::-1], garment.landmarks.get("crotch")
    columns = np.flatnonzero(bottoms[:int(BELOW * len(bottoms))].any(0))
    if len(columns) < 8:
        return lambda points: points
    wide, middle = float(np.ptp(columns)), float(columns[0] + columns[-1]) / 2
    columns = columns[int(0.04 * wide):len(columns) - int(0.04 * wide)]
    x, y = upright(np.stack((columns, y1 - 1 - bottoms[:, columns].argmax(0)), 1).astype(float)).T
    far = lambda x: np.clip((x - middle) / wide, -0.5, 0.5)
    form = lambda x: np.stack((np.minimum(far(x), 0), np.maximum(far(x), 0), np.ones_like(x)) if crotch else (far(x), far(x) ** 2, np.ones_like(x)), 1)
    own = np.abs(x - crotch[0]) > NOTCH * wide if crotch else np.ones(len(x), bool)  # not between the legs of shorts
    if own.sum() < 8:
        return lambda points: points
    of, *_ = np.linalg.lstsq(form(x[own]), y[own], rcond=None)
    height = y[own].mean() - top
    rises = of[0] > 0 > of[1] if crotch else of[1] < 0
    if not rises or height < 8 or np.median(np.abs(form(x) @ of - y)[own]) > UNEVEN * height:
        return lambda points: points
    lower = lambda x: LEVEL * np.clip(y[own].mean() - form(x) @ of, -FANNED * height, FANNED * height)
    return lambda points: points + np.outer(lower(points[:, 0]) * np.clip((points[:, 1] - top) / height, 0, 1.05), (0, 1))


LEVEL = 0.8  # of what the hem of a skirt rises towards the sides when it lies flat: what is levelled
BELOW = 0.4  # of its height: where it is as wide as its hem
NOTCH, UNEVEN, FANNED = 0.12, 0.04, 0.4  # widths of a hem beside the crotch that tell nothing; heights: the most that a hem is off such a form, and that it is moved
CROTCH = 0.2  # torso lengths below the hips
BETWEEN = 0.1  # torso lengths to either side of the middle of the hips: what of shorts is of both legs
CROPPED = 0.8  # of the rise: the longest legs of cropped trousers; those of 445 whole ones, seen from above, have 0.83 and more
ASLANT = 0.4  # of a leg: where its slant is that of its own, not that of the crotch
AT_CROTCH = 0.27  # widths of a waist: by so much sooner the inner side of a leg is all leg
FLAT_HIP = 1.0  # torso lengths per width of hips as a shop shows them, flat, by which lengths are scaled (as FLAT_WIDTH): shorts 54 cm wide for one of 52
WHOLE_LEG = 1.055  # of thigh and shin: how long legs of trousers are that are not cropped


def _over_leg(line: np.ndarray, true: np.ndarray, axis: np.ndarray, s_t: float, sx: float, leg: tuple[np.ndarray, np.ndarray]) -> Callable[[np.ndarray], np.ndarray]:
    """How many times wider than ``sx`` a leg of trousers (``axis`` Kx3) has to be, at arc lengths in pixels of the product photo, to cover the bare ``leg``
    (points and half widths, in pixels of the person photo) in it."""
    arc = np.concatenate(([0], np.cumsum(np.linalg.norm(np.diff(axis[:, :2], axis=0), axis=1))))
    t = np.linspace(0, arc[-1], 25)
    centre = _walk(line, true, t * s_t, np.zeros(len(t)), 1.0)
    nearest = np.linalg.norm(centre[:, None] - leg[0], axis=2).argmin(1)
    wider = np.clip(OVER_LEG * leg[1][nearest] / np.maximum(np.interp(t, arc, axis[:, 2]) * sx, 1e-6), 1, STRETCHED)
    wider = 1 + (np.convolve(np.pad(wider, 2, "edge"), np.full(5, 0.2), "valid") - 1) * smooth(t, 0, 0.2 * arc[-1])
    return lambda at: np.interp(at, t, wider)


@once
def _outline(garment: Garment) -> np.ndarray:
    """Points Nx2 of the outline of a product, in pixels of its photo, about 200 along its longer side."""
    step = max(1, max(garment.mask.shape) // 200)
    small = (garment.mask[::step, ::step] > 127).view(np.uint8)
    return step * np.argwhere(small - cv2.erode(small, np.ones((3, 3), np.uint8), borderValue=0))[:, ::-1].astype(float)


def _inner_side(t: np.ndarray, u: np.ndarray, sign: int, reach: float) -> Callable[[np.ndarray], np.ndarray]:
    """How far from its axis a leg's inner side is, at arc lengths, by its outline (``t`` and ``u``: ``along``), in pixels of the product photo."""
    bins = np.linspace(0, reach, 41)
    which, own = np.clip(np.digitize(t, bins) - 1, 0, 39), (t >= 0) & (t < reach)
    far = np.full(40, -np.inf)
    np.maximum.at(far, which[own], sign * u[own])
    known = np.flatnonzero(far > 0)
    return lambda at: np.interp(at, (bins[known] + bins[known + 1]) / 2, far[known]) if len(known) else np.zeros_like(at)


def _to_inseam(line: np.ndarray, true: np.ndarray, half: Callable[[np.ndarray], np.ndarray], s_t: float, sx: float, sign: int, crotch: np.ndarray,
               body: Body) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """How far cloth of a leg of trousers (``half``: ``_inner_side``; ``sign``: -1 right, 1 left) has to go inwards, in pixels of the person photo, at arc length and
    side (``along``) in pixels of the product photo: worn legs part at the ``crotch`` (x, y in the person photo) in a point, and evenly down to the knee, however
    they were laid out."""
    t = np.linspace(0, APART * true[0] / s_t, 25)
    gap = sign * (_walk(line, true, t * s_t, sign * half(t) * sx, 1.0) - crotch) @ body.across
    begins = t[np.argmax(gap > OPEN * body.unit)] * s_t / true[0]  # where they touch at first, they may part below
    more = np.clip(gap - max(gap[-1], 0) * np.linspace(0, 1, len(t)), 0, MOST_APART * body.unit) * (1 - smooth(begins, *TOUCH))
    return lambda at, side: np.interp(at, t, more) * np.clip((1 + sign * side / np.maximum(half(at), 1e-6)) / 2, 0, 1)


def _strides(body: Body, points: np.ndarray) -> np.ndarray:
    """How far to the right of its hip joint the leg is at points Nx2 of the person photo, in pixels; between both legs it goes over from one to the other."""
    (x, y), gone = ((points - body.hips) @ np.stack((body.across, body.down), 1)).T, []
    for line in sorted((body.limb(side, arm=False)[0] - body.hips for side in ("left", "right")), key=lambda line: line[0] @ body.across):
        away, below = (line - line[0]) @ body.across, line @ body.down
        gone.append(np.interp(y, below, away) if (np.diff(below) > 0).all() else np.zeros(len(y)))
    return gone[0] + (gone[1] - gone[0]) * smooth(x, -BETWEEN * body.unit, BETWEEN * body.unit)


FITTED, ELASTIC = ((0.15, 0.5), (0.92, 0.8)), 1.8  # torso lengths above the hips, and how wide a body is there, of its hips; the most that a waist is stretched
APART, MOST_APART = 0.7, 0.15  # of the thigh: where legs are as far apart as they are; torso lengths: the most that they are brought together
OPEN, TOUCH = 0.03, (0.1, 0.2)  # torso lengths of a gap that is one, and of the thigh: down to where legs touch at most, if they are brought together
OVER_LEG, STRETCHED = 1.1, 1.5  # half widths of a bare leg that trousers have, and the most that they are stretched to


def _place_lower(body: Body, garment: Garment, points: np.ndarray, bare: dict[int, tuple[np.ndarray, np.ndarray]]):
    if not body.seen[[S.R_HIP, S.L_HIP]].any():
        raise RowError("no_place", "the hips are not in the photo, so trousers and skirts have no place")
    shape = garment.shape
    xc, top = shape.centre[0]
    crotch = shape.landmarks.get("crotch")
    rows = garment.mask[int(top):int(crotch[1] if crotch else top + 0.3 * (shape.centre[1, 1] - top)) + 1] > 0
    hip = float(np.percentile(rows.sum(1), 90)) if len(rows) else shape.width
    hip = min(hip, 1.6 * shape.width)
    sx = 1.04 * body.hip_width / hip
    sy = FLAT_HIP * body.unit / hip if garment.subcategory == "shorts" else 1.04 * max(body.hip_width, 1.0 * SHOULDERS * body.unit) / hip
    origin = body.hips - body.down * body.waist * body.unit
    upright, top = _upright(garment)
    if crotch and shape.limbs:
        # The rise is fixed by the body: waist to crotch.
        rise = (body.waist + CROTCH) * body.unit / max(crotch[1] - top, 1e-6)
        sy = float(np.clip(rise, 0.75 * sy, 1.3 * sy))
    elif ankles := _ankles(body, origin):
        floor = (max(ankles) + FLOOR * body.unit) / max(shape.centre[1, 1] - top, 1e-6)
        sy = min(sy, max(floor, 0.6 * sy))
    levelled = (lambda points: points) if shape.limbs else _levelled(garment, upright, top)
    # A waist is at least as wide as the body there, however an elastic one gathers it.
    wider = float(np.clip(np.interp(body.waist, *FITTED) * body.hip_width / (sx * shape.width), 1, ELASTIC))
    deep = (crotch[1] if crotch else top + 0.3 * (shape.centre[1, 1] - top)) - top
    def carry(points: np.ndarray) -> np.ndarray:
        x, y = (levelled(upright(points)) - (xc, top)).T
        return origin + np.stack((x * sx * (1 + (wider - 1) * (1 - smooth(y, 0, deep))), y * sy), 1) @ np.stack((body.across, body.down))

    torso = carry(points)
    if crotch and not shape.limbs:  # shorts whose legs are too short to have axes go with those of the body
        torso = torso + np.outer(_strides(body, torso), body.across)
    limbs, joints = {}, (S.R_HIP, S.L_HIP)
    reaches = {side: length_of(axis) for side, axis in shape.limbs.items()}
    # All but cropped trousers end at the ankle, on both sides.
    long = garment.subcategory == "trousers" and bool(reaches) and np.mean(list(reaches.values())) > CROPPED * (crotch[1] - top)
    for side, axis in shape.limbs.items():
        sign = 1 if side == "left" else -1
        line, true = body.limb(seen_as(body, side), arm=False)
        leg = bare.get(S.LEFT_LEG if seen_as(body, side) == "left" else S.RIGHT_LEG)
        if leg:  # it goes through the middle of the leg that is seen
            fine = np.stack([np.interp(np.linspace(0, len(leg[0]) - 1, 200), np.arange(len(leg[0])), leg[0][:, k]) for k in (0, 1)], 1)
            knee = int(np.linalg.norm(fine - line[1], axis=1).argmin())
            line = np.stack((line[0], fine[knee], fine[knee:][np.linalg.norm(fine[knee:] - line[2], axis=1).argmin()]))
        start, on = carry(axis[:1, :2])[0], points
        if not long:  # short legs slope as their waist does
            on, axis = upright(points), np.column_stack((upright(axis[:, :2].astype(float)), axis[:, 2]))
        drop = float(np.linalg.norm(start - line[0]))
        line = np.concatenate((start[None], line[1:]))
        true = true - (min(drop, 0.6 * true[0]), 0)
        first = axis[1, :2] - axis[0, :2]

        def arc_and_side(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            """Of a leg that lies aslant, what is as high as the crotch is where it begins."""
            t, u, _ = along(points, axis[:, :2].astype(float))
            return t + u * first[0] / max(first[1], 1e-6) * (1 - smooth(t, 0, ASLANT * reaches[side])), u

        t, u = arc_and_side(on)
        s_t = true.sum() * WHOLE_LEG / reaches[side]
        s_t = s_t if long else min(s_t, max(sy, FLAT_HIP * body.unit / hip))
        wide = _over_leg(line, true, axis, s_t, sx, leg)(t) if leg else 1.0
        position = _walk(line, true, t * s_t, u * sx * wide, 0.15 * body.unit)
        if crotch:
            seen = _outline(garment)
            half = _inner_side(*arc_and_side(seen[sign * (seen[:, 0] - crotch[0]) > 0]), sign, reaches[side])
            inwards = _to_inseam(line, true, half, s_t, sx, sign, carry(np.array([crotch[:2]]))[0], body)
            position = position - inwards(t, u)[:, None] * sign * body.across
        # Below the crotch the inner sides go with the leg at once, so that no gap opens there.
        inner = np.clip(sign * u / max(float(axis[0, 2]), 1.0), 0, 1)
        weight = smooth(t, -0.05 * shape.width, (0.35 - AT_CROTCH * inner) * shape.width) * smooth(sign * (points[:, 0] - (crotch[0] if crotch else xc)), -0.02 * shape.width, 0.02 * shape.width)
        limbs[side] = (position, weight)
        joints += (S.R_KNEE, S.L_KNEE) if len(joints) == 2 else ()
    return torso, limbs, joints


TALL = (0.8, 1.15), (1.2, 1.55)  # heights per width of hats, and how many times as high as the head above the forehead they stand at most


# Of the height of a hat: where it is measured; its lower edge is a brim where it is more than so many times wider than it would be if it went on widening evenly.
ROWS, WITHOUT_BRIM = (0.35, 0.65, 0.9), 1.12


def _place_hat(body: Body, garment: Garment, points: np.ndarray):
    eyes = [body.joint[k] for k in (S.R_EYE, S.L_EYE) if body.seen[k]]
    if not eyes:
        raise RowError("no_place", "no eyes were found in the photo, so a hat has no place")
    shape = garment.shape
    xc, top = shape.centre[0]
    bottom = shape.centre[1, 1]
    eye = np.mean(eyes, 0)
    across = body.across
    if body.seen[[S.R_EYE, S.L_EYE]].all():
        d = body.joint[S.L_EYE] - body.joint[S.R_EYE]
        across = d / max(float(np.linalg.norm(d)), 1e-6) * (1 if d[0] >= 0 else -1)
    down = np.array((-across[1], across[0]))
    width, height, beside = body.head(eye, across)
    high, low, edge = (float((garment.mask[int(top + share * (bottom - top))] > 0).sum()) for share in ROWS)
    crown = edge if low < edge < WITHOUT_BRIM * (low + (low - high) * (ROWS[2] - ROWS[1]) / (ROWS[1] - ROWS[0])) else low
    crown = max(crown, 0.5 * shape.width)
    s = 1.2 * width / crown
    rise = 0.03 * body.unit  # the lower edge of the hat lies on the forehead
    origin = eye - down * rise + across * beside
    # The crown of a hat reaches over the top of the head; a soft one sinks down on it.
    # What is tall for its width - a cap with its peak, laid out - stands up farther.
    most = np.interp((bottom - top) / crown, *TALL)
    sy = float(np.clip(s, 1.08 * (height - rise) / (bottom - top), most * (height - rise) / (bottom - top)))
    placed = origin + np.outer((points[:, 0] - xc) * s, across) + np.outer((points[:, 1] - bottom) * sy, down)
    return placed, {}, (S.R_EYE, S.L_EYE)


def _place_scarf(body: Body, garment: Garment, points: np.ndarray):
    """As it was photographed, folded or in a loop, around the neck: the upper third of it is as wide as what lies on a neck."""
    top, bottom = garment.shape.centre[:, 1]
    rows = [np.flatnonzero(row) for row in garment.mask[int(top):int(top + 0.35 * (bottom - top)) + 1] > 127]
    ends = np.array([(row[0], row[-1]) for row in rows if len(row)])
    left, right = np.percentile(ends[:, 0], 10), np.percentile(ends[:, 1], 90)
    s = body.unit * min(LOOP * body.view / max(right - left, 1.0), FALL / max(bottom - top, 1.0))
    origin = body.neck - BEHIND * body.unit * body.down
    placed = origin + np.outer((points[:, 0] - (left + right) / 2) * s, body.across) + np.outer((points[:, 1] - top) * s, body.down)
    return placed, {}, (S.R_SHOULDER, S.L_SHOULDER)


def _place_bag(body: Body, garment: Garment, points: np.ndarray):
    """Upright, held at its top by the hand that hangs lowest."""
    arms = [arm for arm in ((S.R_ELBOW, S.R_WRIST), (S.L_ELBOW, S.L_WRIST)) if body.seen[list(arm)].all()]
    if not arms:
        raise RowError("no_place", "no hand is in the photo, so a bag has no place")
    elbow, wrist = max(arms, key=lambda arm: body.joint[arm[1], 1])
    along_arm = body.joint[wrist] - body.joint[elbow]
    held = body.joint[wrist] + GRIP * body.unit * along_arm / max(float(np.linalg.norm(along_arm)), 1e-6)
    top, bottom = garment.shape.centre[:, 1]
    s = body.unit * min(BAG / max(garment.shape.width, 1.0), HANGS / max(bottom - top, 1.0))
    handle = np.flatnonzero((garment.mask[int(top):int(top + 0.03 * (bottom - top)) + 1] > 127).any(0))
    return held + (points - (handle.mean(), top)) * s, {}, (elbow, wrist)
