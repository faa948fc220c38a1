"""Garment analysis: mask, kind and landmarks of a product photo."""
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import wraps
from typing import Any

import cv2
import numpy as np

from tryon import schema as S
from tryon.colours import colours, rather
from tryon.landmarks import PART, SIDES, Shape, alike, begun_at_shoulders, between_ends, cap, lone, mapped, measure, other_sleeve, rooted, set_in, short_sleeves, sure_of_sleeves, unlike, whole_sleeves
from tryon.masks import box_of, grown, largest, opened, pieces, shrunk, touching
from tryon.models.weights import KINDS
from tryon.networks import Networks
from tryon.outlines import GuidedFilter
from tryon.person import pack, soft_iou, unpack
from tryon.schema import RowError


@dataclass
class Garment:
    """photo HxWx3 uint8 RGB, the garment upright in it; mask HxW uint8 0/255; parts HxW uint8: 0, torso 1, right sleeve or leg 2, left 3;
    inner HxW uint8 0/255: what of the mask its wearer's neck hides, the inside of the back and the label and hanger in it; shape: measurements
    in pixels of the photo; confidence: the IoU 0..1 that the mask can be expected to have (tryon.person.soft_iou)."""

    photo: np.ndarray
    mask: np.ndarray
    parts: np.ndarray
    inner: np.ndarray
    category: str
    subcategory: str
    shape: Shape
    confidence: float
    turned: int = 0  # degrees, against the clock, that made the photo upright
    kept: dict = field(default_factory=dict, init=False, repr=False, compare=False)  # what ``once`` has worked out of it

    @property
    def landmarks(self) -> dict[str, tuple[float, float, float]]:
        """Name (of schema.LANDMARKS) -> x, y in pixels of the photo, confidence."""
        return self.shape.landmarks

    @property
    def sleeves(self) -> dict[str, str]:
        """Side of a top or dress -> that side whose sleeve is seen there: where one alone was found, both are like it."""
        found = list(self.shape.limbs) if self.category in ("upper", "full") else []
        return dict.fromkeys(SIDES, found[0]) if len(found) == 1 else {side: side for side in found}

    def to_bytes(self) -> bytes:
        """The analysis without the photo."""
        meta = {"category": self.category, "subcategory": self.subcategory, "confidence": self.confidence, "turned": self.turned,
                "width": self.shape.width, "landmarks": self.shape.landmarks}
        arrays = {"centre": self.shape.centre} | {f"limb_{k}": v for k, v in self.shape.limbs.items()}
        return pack(meta, arrays, {"mask": self.mask, "parts": self.parts, "inner": self.inner})

    @staticmethod
    def from_bytes(data: bytes, photo: np.ndarray | None) -> "Garment":
        """``photo`` as it was taken; None for a garment without."""
        meta, a = unpack(data)
        photo = upright(photo, meta["turned"])
        limbs = {k.removeprefix("limb_"): v for k, v in a.items() if k.startswith("limb_")}
        shape = Shape(meta["width"], a["centre"], {k: tuple(v) for k, v in meta["landmarks"].items()}, limbs)
        return Garment(photo, a["mask"], a["parts"], a["inner"], meta["category"], meta["subcategory"], shape, meta["confidence"], meta["turned"])


def once(work: Callable[[Garment], Any]) -> Callable[[Garment], Any]:
    """A function of a garment alone, whose result every look of it needs: worked out the first time, and kept with it."""

    @wraps(work)
    def kept(garment: Garment):
        if work.__qualname__ not in garment.kept:
            garment.kept[work.__qualname__] = work(garment)
        return garment.kept[work.__qualname__]

    return kept


# Shares of the root of a garment's area: half the width of what is thin, and of a clip; how far what goes sticks out.
THIN, CLIP, STICKS_OUT = 0.012, 0.04, 0.035
ON_CLOTH = 0.0005, 0.02  # of the area of trousers or a skirt: the least and the most that a clip covers
BAR, BELOW_BAR = 0.04, 0.35  # of the height of trousers or a skirt: the most that the bar of a hanger is thick; of their width: the least that ground is seen below it
HANGER = 0.14  # of the height of trousers or a skirt: how far down a hanger reaches
SEAT = 0.18  # of the height of trousers: how far down the highest crotch is
RIM = 0.03  # share of the root of a garment's area: how far in an outline may be wrong
# A patch of ground in a mask: the least share of it, of its outline that lies at that of the mask, how much of the cloth may be of the ground's colours, and how far
# apart the colours of one ground are (CIELAB, 8 bits). Between a sleeve and the torso there may be more of them.
PATCH, TOUCHES, ALIKE, SAME, RATHER_ALIKE = 0.0008, 0.12, 0.02, 14, 0.05
SHORTEST = 1.1  # times as long as wide: no dress is shorter; of 217 of the train and validation splits two are, and they lie on their sides or are tops
SEAM = 0.05  # share of the root of a garment's area: how near to a sleeve and to the torso what lies between them is
PLAIN = 0.35  # of a quarter turn: how far off one a garment may lie that is turned by it
LEANS, AGREE, MOST = 5, 6, 30  # degrees: from where on a garment lies aslant (its middle from half of that), how nearly its lines must agree, and the most that is told so
SIDEWAYS = 1.2  # times as wide as high are trousers that lie on their side
OUTLINE = 3  # pixels at the network's size within which an outline is looked for in the photo
MOST_PIXELS = 480  # of a photo's longer side at which it is analysed; of a larger one, only the mask's outline is found in all its pixels


def clean(mask: np.ndarray) -> np.ndarray:
    """Keep the pieces of a bool HxW mask that are at least a tenth of the largest, fill pinholes: uint8 0/255."""
    labels, area = pieces(mask)
    if len(area) < 2:
        return np.zeros(mask.shape, np.uint8)
    area[0] = 0
    keep = np.isin(labels, np.flatnonzero(area >= 0.1 * area.max()))
    holes, area = pieces(~keep)
    small = np.flatnonzero(area < 0.004 * keep.sum())
    keep |= np.isin(holes, small[small > 0])
    return keep.astype(np.uint8) * 255


def cloth_alone(mask: np.ndarray, lower: bool) -> np.ndarray:
    """A mask HxW uint8 0/255 without what sticks out of the cloth on a thin stem: hooks of hangers, tags on strings, at the waist of ``lower`` garments
    clips. Straps stay: they are held at both ends."""
    if not (mask > 127).any():
        return mask
    out, (y0, y1, x0, x1) = mask.copy(), box_of(mask > 127)
    area, tall = int((mask > 127).sum()), y1 - y0
    size = float(np.sqrt(area))
    room = max(1, round(CLIP * size)) + 2
    window = np.s_[max(0, y0 - room):y1 + room, max(0, x0 - room):x1 + room]
    inside, here = mask[window] > 127, out[window]
    solid = opened(inside, max(1, round(THIN * size)))
    if lower:
        top = y0 - window[0].start
        waist = slice(top, top + int(0.12 * (tall - 1)) + 1)
        solid[waist] = opened(solid, max(1, round(CLIP * size)))[waist]
    labels, areas = pieces(solid)
    if len(areas) < 2:
        return mask
    core = np.isin(labels, np.flatnonzero(areas >= 0.1 * areas[1:].max())) & solid
    far = cv2.distanceTransform((~core).view(np.uint8), cv2.DIST_L2, 3)
    _, labels, stats, _ = cv2.connectedComponentsWithStats((inside & ~core).view(np.uint8))
    for k in np.flatnonzero(stats[:, cv2.CC_STAT_AREA] < 0.025 * area):
        x, y, w, h = stats[k, :4]
        near = np.s_[max(0, y - 2):y + h + 2, max(0, x - 2):x + w + 2]
        piece = labels[near] == k
        if far[near][piece].max() < STICKS_OUT * size:
            continue
        touch = cv2.dilate(piece.view(np.uint8), np.ones((3, 3), np.uint8)).view(bool) & core[near]
        if cv2.connectedComponents(touch.view(np.uint8))[0] - 1 < 2:
            here[near][piece] = 0
    return out


def like_ground(index: np.ndarray, mask: np.ndarray, zone: np.ndarray, reach: int) -> np.ndarray:
    """Places of ``zone`` (bool HxW), in what a mask (HxW uint8 0/255) takes for cloth, whose colour is by far more frequent within 2 ``reach`` pixels
    around it than in the rest of it: bool HxW. index: the photo's ``colours``."""
    inside = mask > 127
    around = grown(inside, 2 * reach) & ~grown(inside, 2)
    cloth = inside & ~zone
    if not (zone.any() and around.any() and cloth.any()):
        return np.zeros(zone.shape, bool)
    found = cv2.morphologyEx((zone & rather(index[around], index[cloth])[index]).astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    return zone & (cv2.dilate(found, np.ones((5, 5), np.uint8)) > 0)


def _unlike_below(photo: np.ndarray, inside: np.ndarray) -> tuple[tuple[slice, slice], np.ndarray, np.ndarray]:
    """What of the upper end of trousers or a skirt (``inside``, bool HxW) is of colours that are not found below: the window, inside and the places, bool, in it."""
    if not inside.any():
        return np.s_[:0, :0], inside[:0, :0], inside[:0, :0]
    index, (y0, y1, x0, x1) = colours(photo), box_of(inside)
    top, below = np.s_[y0:y0 + int(HANGER * (y1 - y0)) + 1, x0:x1], np.s_[y0 + int(0.2 * (y1 - y0)):y1]
    zone, body = inside[top], index[below][inside[below]]
    if not len(body):
        return top, zone, np.zeros_like(zone)
    found = (rather(index[top][zone], body)[index[top]] & zone).astype(np.uint8)
    found = cv2.morphologyEx(cv2.morphologyEx(found, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8)), cv2.MORPH_OPEN, np.ones((2, 2), np.uint8)).view(bool) & zone
    return top, zone, found


def clips(photo: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Bool HxW: the clips that hold trousers or a skirt, on their cloth (photo HxWx3 uint8, mask HxW uint8 0/255): small pieces at the upper edge and towards the
    sides, unlike all below. A button or a buckle is in the middle."""
    inside, out = mask > 127, np.zeros(mask.shape, bool)
    top, zone, found = _unlike_below(photo, inside)
    if found.any():
        labels, areas = pieces(found)
        first, tall, wide = zone.argmax(0), len(zone) / HANGER, zone.shape[1]
        for k in np.flatnonzero((areas[1:] > ON_CLOTH[0] * inside.sum()) & (areas[1:] < ON_CLOTH[1] * inside.sum())) + 1:
            piece = labels == k
            columns = np.flatnonzero(piece.any(0))
            high = (piece.argmax(0) - first)[columns].min() <= 0.03 * tall
            if high and abs(columns.mean() / wide - 0.5) > 0.15 and np.ptp(columns) < 0.25 * wide:
                out[top] |= piece
    return grown(out, max(1, len(mask) // 200)) & inside


def without_hanger(photo: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """A mask HxW uint8 0/255 of trousers or a skirt in its photo (HxWx3 uint8) without the hanger that they are clipped to: what lies along most of their upper
    edge, is unlike all below and thick in places alone. A waistband of another colour is equally thick all along."""
    inside = mask > 127
    top, zone, found = _unlike_below(photo, inside)
    if not found.any():
        return mask
    tall = np.ptp(np.flatnonzero(inside.any(1))) + 1
    labels, areas = pieces(found)
    first, high = zone.argmax(0), np.zeros(len(areas), bool)
    for k in np.flatnonzero(areas[1:] > 0.0008 * inside.sum()) + 1:
        piece = labels == k
        columns = piece.any(0)
        high[k] = np.mean(piece.argmax(0)[columns] - first[columns] <= 2 + 0.004 * tall) > 0.6
    hanger = high[labels]
    thick = hanger.sum(0)
    thick = thick[thick > 0]
    if len(thick) < 0.45 * zone.shape[1] or np.percentile(thick, 95) < max(0.03 * tall, 1.5 * float(np.median(thick))):
        return mask
    inside[top] &= ~hanger
    return clean(inside)


def below_bar(photo: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """A mask HxW uint8 0/255 of trousers or a skirt in its photo (HxWx3 uint8) without the bar of a hanger that has their colour: below it
    ground is seen along much of their upper edge. That edge is a parabola through the lower end of this ground; beside it, it rises no higher than the bar."""
    inside = mask > 127
    if not inside.any():
        return mask
    y0, y1, _, _ = box_of(inside)
    tall, down = y1 - y0, y0 + int(HANGER * (y1 - y0))
    high = np.arange(len(inside))[:, None] < down
    labels, patches, _ = in_colours_of_ground(colours(photo), inside, inside & ~high, RATHER_ALIKE)
    below = np.isin(labels, [k for k in patches if (labels[:down] == k).sum() > 0.9 * (labels == k).sum()])
    columns, wide = np.flatnonzero(below.any(0)), int(inside[down].sum())
    top, end = below.argmax(0)[columns], len(below) - below[::-1].argmax(0)[columns]
    if len(columns) < max(BELOW_BAR * wide, 8) or not 0 < np.median(top - inside.argmax(0)[columns]) <= BAR * tall:
        return mask
    place = lambda column: (column - columns.mean()) / wide
    weight = np.ones(len(columns))
    for _ in range(8):  # labels and buttons are no part of it
        edge = np.polyfit(place(columns), end, 2, w=weight)
        weight = 1 / np.hypot(1, (np.polyval(edge, place(columns)) - end) / (0.008 * tall))
    bar, all_columns = np.polyfit(place(columns), top, 1), np.arange(inside.shape[1])
    line = np.minimum(np.polyval(edge, place(all_columns.clip(columns[0], columns[-1]))), np.polyval(edge, place(all_columns)))
    line = np.maximum(line, np.polyval(bar, place(all_columns)))
    return clean(inside & (np.arange(len(mask))[:, None] >= line + 0.5))


def between_legs(photo: np.ndarray, mask: np.ndarray, shape: Shape) -> np.ndarray:
    """Bool HxW: ground between the legs of trousers (photo HxWx3, mask HxW uint8, measured as ``shape``) that is too narrow for the network to see."""
    h, w = mask.shape
    top, bottom = shape.centre
    y = np.arange(h)[:, None]
    reach = max(2, int(0.07 * shape.width))
    middle = shape.landmarks["crotch"][0] if "crotch" in shape.landmarks else top[0]
    zone = (np.abs(np.arange(w)[None] - middle) < 0.22 * shape.width) & (y > top[1] + SEAT * (bottom[1] - top[1])) & (mask > 127)
    # Prints and buttons are inside.
    return touching(like_ground(colours(photo), mask, zone, reach), cv2.dilate((mask <= 127).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0)


def without_rim(photo: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """A mask HxW uint8 0/255 of what lies on a ground, without what at its outline has the ground's colours and by far not the cloth's: the network is too
    coarse for corners under sleeves, and for folds of the ground. (HxWx3 photo.)"""
    inside, index = mask > 127, colours(photo)
    wide = max(2, int(RIM * np.sqrt(inside.sum())))
    found = touching(like_ground(index, mask, inside & ~shrunk(inside, wide), wide), grown(~inside, 1))
    found |= patches_of_ground(photo, index, inside & ~found)
    return np.where(found, 0, mask).astype(np.uint8)


def patches_of_ground(photo: np.ndarray, index: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Bool HxW: what of a garment's mask (``inside``, bool HxW, in its photo HxWx3 uint8, whose ``colours`` are index) is ground that lies farther in than
    ``without_rim`` looks: between a sleeve and the torso, below a hanger. Its colours are the ground's and not the cloth's, it goes over into the ground without an edge, and ends with one at the
    cloth. Nothing where cloth and ground are alike."""
    out, near = np.zeros_like(inside), max(4, round(0.024 * np.sqrt(inside.sum())))
    labels, patches, _ = in_colours_of_ground(index, inside, inside, ALIKE)
    if not len(patches):
        return out
    lab, beside, edge = cv2.cvtColor(photo, cv2.COLOR_RGB2LAB).astype(np.float32), grown(~inside, 2), grown(~inside, near)
    for k in patches:
        y0, y1, x0, x1 = np.maximum(np.array(box_of(labels == k)) + (-2 * near, 2 * near, -2 * near, 2 * near), 0)
        window = np.s_[y0:y1, x0:x1]
        patch, garment = labels[window] == k, inside[window]
        outline, around = patch & grown(~patch, 1), grown(patch, near)
        sides = patch & edge[window], ~garment & around & ~grown(garment, 1), patch & grown(garment & ~patch, near), garment & around & ~grown(patch, 1)
        if (outline & beside[window]).sum() < TOUCHES * outline.sum() or not all(side.any() for side in sides):
            continue
        of_ground, ground_by, of_patch, cloth_by = (np.median(lab[window][side], 0) for side in sides)
        out_there, in_here = np.linalg.norm(of_ground - ground_by), np.linalg.norm(of_patch - cloth_by)
        if out_there < min(0.4 * in_here, SAME):
            out[window] |= patch
    return out


def in_colours_of_ground(index: np.ndarray, inside: np.ndarray, sure: np.ndarray, alike: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Patches of a garment's mask (bool HxW, in a photo whose ``colours`` are index) whose colours are the ground's and not those of ``sure`` cloth (bool HxW): int32 HxW numbers, those
    that are not too small, and bool HxW which ground was asked. None where more than ``alike`` of the cloth has colours of the ground."""
    size = float(np.sqrt(inside.sum()))
    cloth, ground = sure & shrunk(inside, 0.04 * size), grown(inside, 0.25 * size) & ~grown(inside, max(2, 0.012 * size))
    none = np.zeros(inside.shape, np.int32), np.zeros(0, int), ground
    if size < 40 or min(cloth.sum(), ground.sum()) < 200:
        return none
    like, radius = rather(index[ground], index[cloth]), max(1, round(0.006 * size))
    if like[index[cloth]].mean() > alike:
        return none
    found = inside & like[index]
    labels, areas = pieces(opened(found, radius))
    return labels, np.flatnonzero(areas[1:] > PATCH * inside.sum()) + 1, ground


def between_parts(photo: np.ndarray, mask: np.ndarray, parts: np.ndarray) -> np.ndarray:
    """Bool HxW: ground in a mask (HxW uint8 0/255 of a photo HxWx3 uint8) between a sleeve and the torso, also where cloth encloses it. It has the colours of the ground, as that looks
    beside there, and lies where two of the ``parts`` (HxW uint8, as Garment's) meet, so that it is no print."""
    inside = mask > 127
    found, wide = np.zeros_like(inside), float(np.sqrt(inside.sum()))
    seam = grown(parts == 1, SEAM * wide) & grown(parts > 1, SEAM * wide)
    if not (inside & seam).any():
        return found
    labels, patches, ground = in_colours_of_ground(colours(photo), inside, ~seam, RATHER_ALIKE)
    lab = cv2.cvtColor(photo, cv2.COLOR_RGB2LAB).astype(np.float32) * (0.5, 1, 1) if len(patches) else None  # between two layers of cloth the ground is darker
    for k in patches:
        y0, y1, x0, x1 = np.maximum(np.array(box_of(labels == k)) + np.array((-1, 1, -1, 1)) * int(0.3 * wide), 0)
        window = np.s_[y0:y1, x0:x1]
        patch = labels[window] == k
        cloth = inside[window] & grown(patch, max(4, 0.024 * wide)) & ~grown(patch, 1)
        if (patch & seam[window]).sum() < 0.7 * patch.sum() or ground[window].sum() < 30 or not cloth.any():
            continue
        of_patch, of_ground, of_cloth = (np.median(lab[window][where], 0) for where in (patch, ground[window], cloth))
        if np.linalg.norm(of_patch - of_ground) < min(0.4 * np.linalg.norm(of_patch - of_cloth), 20):
            found[window] |= patch
    return found


def outlined(photo: np.ndarray, mask: np.ndarray) -> bool:
    """Whether the border of an HxW uint8 mask shows in the photo. On a bare ground the network imagines a garment, with confidence;
    the mean slope at its border is then 0-0.3 (8-bit Lab per pixel of a photo 384 high), that of 370 garments is above 4 (measured)."""
    size = (max(32, round(384 * photo.shape[1] / photo.shape[0])), 384)
    lab = cv2.cvtColor(cv2.resize(photo, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2LAB).astype(np.float32)
    lab = cv2.GaussianBlur(lab, (0, 0), 1.5)
    slope = np.sqrt(sum(cv2.Sobel(lab, cv2.CV_32F, dx, 1 - dx, scale=1 / 8) ** 2 for dx in (0, 1)).sum(-1))
    border = cv2.morphologyEx(cv2.resize(mask, size, interpolation=cv2.INTER_NEAREST), cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    return bool(border.any() and slope[border > 0].mean() > 1.5)


def edges_of(photo: np.ndarray, p: np.ndarray) -> GuidedFilter:
    """What moves the edges of probabilities, of the size of ``p``, to those of a photo HxWx3 uint8."""
    return GuidedFilter(photo, p.shape, OUTLINE)


def soft_mask(p: np.ndarray, edges: GuidedFilter) -> tuple[np.ndarray, float]:
    """The network's probability h x w at the photo's own size, its edges moved to those of the photo: mask HxW uint8 0/255, and the
    mean probability inside it."""
    mask, inside = clean(at_edges(p, edges) > 0.5), p > 0.5
    return mask, float(p[inside].mean()) if inside.any() else 0.0


def at_edges(p: np.ndarray, edges: GuidedFilter) -> np.ndarray:
    """A probability h x w at the photo's own size, float32 HxW, its edges moved to those of the photo."""
    p = p.astype(np.float32)
    soft = cv2.resize(p, edges.photo.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    unsure = np.nonzero(np.abs(soft - 0.5) < 0.48)
    soft[unsure] = edges(p, unsure)
    return soft


def inner_back(p: np.ndarray, edges: GuidedFilter, mask: np.ndarray) -> np.ndarray:
    """Its largest piece, HxW uint8 0/255, in a mask HxW uint8, from the network's probability h x w (Garment.inner)."""
    return largest((at_edges(p, edges) > 0.5) & (mask > 127)).astype(np.uint8) * 255


def peaks(heat: np.ndarray, shape: tuple[int, ...]) -> dict[str, tuple[float, float, float]]:
    """Heat-maps Lhw -> landmark name -> x, y in pixels of a picture of ``shape``, height of the peak 0..1; weak ones are left out."""
    out, (h, w) = {}, heat.shape[1:]
    for name, q in zip(S.LANDMARKS, heat):
        y, x = np.unravel_index(int(q.argmax()), q.shape)
        if q[y, x] < 0.3:
            continue
        y0, y1, x0, x1 = max(0, y - 2), min(h, y + 3), max(0, x - 2), min(w, x + 3)
        around = np.clip(q[y0:y1, x0:x1], 0, None)
        yy, xx = np.mgrid[y0:y1, x0:x1]
        cx, cy = float((xx * around).sum() / around.sum()), float((yy * around).sum() / around.sum())
        out[name] = (round(((cx + 0.5) * shape[1] / w - 0.5) * 8) / 8, round(((cy + 0.5) * shape[0] / h - 0.5) * 8) / 8, float(min(q[y, x], 1.0)))
    return out


def analyse(networks: Networks, photo: np.ndarray, category: str | None = None, mask: np.ndarray | None = None, subcategory: str | None = None) -> Garment:
    """Analyse an HxWx3 uint8 product photo. ``category`` and ``subcategory`` restrict what it may be; ``mask`` (HxW
    uint8 0/255) replaces the network's. Raises RowError ``no_garment`` or ``unknown_category``."""
    return whole(lambda photo, mask: found_in(networks, photo, category, mask, subcategory), photo, mask)


def analyse_upright(networks: Networks, photo: np.ndarray, category: str | None = None, mask: np.ndarray | None = None, subcategory: str | None = None) -> Garment:
    """As ``analyse``, but what was photographed lying on its side, upside down or aslant is turned: photo and mask of the result are upright, ``turned`` tells how. Tops
    and dresses show it by their landmarks, trousers by their shape alone and in quarter turns, skirts and shorts not at all."""
    return whole(lambda photo, mask: found_upright(networks, photo, category, mask, subcategory), photo, mask)


def whole(analyse: Callable[[np.ndarray, np.ndarray | None], Garment], photo: np.ndarray, mask: np.ndarray | None) -> Garment:
    """What ``analyse`` finds in a photo HxWx3 uint8, and a mask HxW uint8 0/255 that is given or not, made so much smaller that the longer side has MOST_PIXELS, at
    the photo's own size, the mask with the outline that all of its pixels show. A given mask stays as it is but for what ``analyse`` takes away."""
    if mask is not None and (mask.shape != photo.shape[:2] or mask.dtype != np.uint8):
        raise ValueError(f"a mask is an HxW uint8 array of the photo's size {photo.shape[:2]}, not {mask.dtype} {mask.shape}")
    scale = MOST_PIXELS / max(photo.shape[:2])
    if scale >= 1:
        return analyse(photo, mask)
    size = max(1, round(photo.shape[1] * scale)), max(1, round(photo.shape[0] * scale))
    few = None if mask is None else (cv2.resize(mask, size, interpolation=cv2.INTER_AREA) > 127).astype(np.uint8) * 255
    found = analyse(cv2.resize(photo, size, interpolation=cv2.INTER_AREA), few)
    photo, mask, few = (upright(picture, found.turned) for picture in (photo, mask, few))
    larger = lambda mask: cv2.resize(mask.view(np.uint8) * np.uint8(255), photo.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    thin = lambda mask: mask & ~grown(shrunk(mask, OUTLINE), OUTLINE)

    def refined(mask: np.ndarray) -> np.ndarray:
        """A mask bool h x w at the photo's size; what is as thin as the filter is wide stays, or straps of the ground's colour would be lost."""
        out = at_edges(mask.astype(np.float32), edges_of(photo, mask)) > 0.5
        return (out | (larger(thin(mask)) > 127)) & ~(larger(thin(~mask)) > 127)

    if mask is None:
        mask = refined(found.mask > 127).astype(np.uint8) * 255
    elif (gone := (few > 127) & (found.mask <= 127)).any():
        mask = np.where(refined(gone), 0, mask).astype(np.uint8)
    parts, most = np.zeros_like(mask), larger((found.parts == 0) & (found.mask > 127))
    for part in np.unique(found.parts[found.parts > 0]):
        share = larger(found.parts == part)
        parts[share > most] = part
        most = np.maximum(most, share)
    inside, times = mask > 127, np.divide(photo.shape[1::-1], found.mask.shape[::-1])
    shape = mapped(found.shape, lambda points: (points + 0.5) * times - 0.5, float(times.mean()))
    return replace(found, photo=photo, mask=mask, parts=parts * inside, inner=np.where(inside & (larger(found.inner > 127) > 127), np.uint8(255), np.uint8(0)), shape=shape)


def found_in(networks: Networks, photo: np.ndarray, category: str | None, mask: np.ndarray | None, subcategory: str | None, told: tuple[np.ndarray, ...] | None = None) -> Garment:
    """``analyse`` at the photo's own size. ``told``: what the network says of the photo, if it was asked before."""
    (p, parts, heat, inner, kinds), given = told or networks.garment(photo), mask
    kind, edges = _kind(kinds, category, subcategory), edges_of(photo, p)
    if mask is None:
        mask = cloth_alone(soft_mask(p, edges)[0], S.CATEGORY_OF[kind] == "lower")
        if not outlined(photo, mask):
            raise RowError("no_garment", "no garment was found in the photo")
        mask = without_rim(photo, mask)
        if S.CATEGORY_OF[kind] == "lower":
            mask = below_bar(photo, without_hanger(photo, mask))
    if (mask > 0).mean() < 0.01:
        raise RowError("no_garment", "no garment was found in the photo")
    if S.CATEGORY_OF[kind] == "lower" and kind != "skirt":
        mask = np.where(between_legs(photo, mask, measure(mask, "lower", kind)), 0, mask).astype(np.uint8)
    h, w = mask.shape
    torso, *sides = (cv2.resize(q, (w, h), interpolation=cv2.INTER_LINEAR) for q in parts)
    label = np.where(np.maximum(*sides) > torso, np.where(sides[1] > sides[0], np.uint8(3), np.uint8(2)), np.uint8(1)) * (mask > 127)
    if given is None and S.CATEGORY_OF[kind] in ("upper", "full"):
        mask = np.where(between_parts(photo, mask, label), 0, mask).astype(np.uint8)
        label *= mask > 127
    for part in (2, 3):  # specks of a sleeve elsewhere belong to the torso
        label[(label == part) & ~largest(label == part)] = 1
    points = peaks(heat, photo.shape)
    if S.CATEGORY_OF[kind] == "upper":
        label = between_ends(whole_sleeves(rooted(label, points), points), points)
    elif S.CATEGORY_OF[kind] == "full":
        label = begun_at_shoulders(label, points)
    sleeved = sure_of_sleeves(points)
    shape = measure(mask, S.CATEGORY_OF[kind], kind, label, points, sleeved)
    if S.CATEGORY_OF[kind] == "upper":
        if sleeved and not shape.limbs:
            label = short_sleeves(label, points)
            shape = measure(mask, "upper", kind, label, points, sleeved)
        if (stub := unlike(shape)) is not None:
            label[label == PART[stub]] = 1
            del shape.limbs[stub]
        label, points = set_in(other_sleeve(label, shape), points, shape)
        shape = measure(mask, "upper", kind, label, points, sleeved)
        if lone(shape):
            label, points = alike(label, points, shape)
            shape = measure(mask, "upper", kind, label, points, sleeved)
    elif S.CATEGORY_OF[kind] == "full" and cap(shape, points):
        shape.limbs.clear()  # of short ones both are seen
    elif S.CATEGORY_OF[kind] == "full" and len(shape.limbs) == 1:
        label, points = alike(label, points, shape)
        shape = measure(mask, "full", kind, label, points, sleeved)
    if kind == "dress" and not category and not subcategory and np.ptp(shape.centre[:, 1]) < SHORTEST * shape.width:
        return found_in(networks, photo, None, given, "top", (p, parts, heat, inner, kinds))
    for side, part in PART.items():
        if side not in shape.limbs:
            label[label == part] = 1
    hidden = inner_back(inner, edges, mask) if S.CATEGORY_OF[kind] in ("upper", "full") or kind == "scarf" else np.zeros_like(mask)
    return Garment(photo, mask, label, hidden, S.CATEGORY_OF[kind], kind, shape, round(soft_iou(p), 3))


def found_upright(networks: Networks, photo: np.ndarray, category: str | None, mask: np.ndarray | None, subcategory: str | None) -> Garment:
    """``analyse_upright`` at the photo's own size."""
    told = networks.garment(photo)
    turned = 90 * turns_of(peaks(told[2], photo.shape)) if S.CATEGORY_OF[_kind(told[-1], category, subcategory)] in ("upper", "full") else 0
    again = lambda degrees: replace(found_in(networks, upright(photo, degrees), category, upright(mask, degrees), subcategory), turned=degrees)
    found = again(turned) if turned else found_in(networks, photo, category, mask, subcategory, told)
    if found.subcategory == "trousers" and not turned:
        turned = 90 * quarter_turns(found.mask > 127)
    elif found.category in ("upper", "full"):
        turned += leans(found.landmarks)
    return found if turned == found.turned else again(turned)


def upright(picture: np.ndarray | None, degrees: int) -> np.ndarray | None:
    """A picture HxW or HxWx3, uint8 or bool, if there is one, turned by so many degrees against the clock; by other than quarter turns it becomes larger, and a photo goes on as
    its border, a mask as 0."""
    if picture is None or not degrees:
        return picture
    quarters = round(degrees / 90)
    picture, rest = np.ascontiguousarray(np.rot90(picture, quarters)), degrees - 90 * quarters
    if not rest:
        return picture
    (h, w), angle = picture.shape[:2], np.radians(abs(rest))
    size = np.ceil((w * np.cos(angle) + h * np.sin(angle), w * np.sin(angle) + h * np.cos(angle))).astype(int)
    turn = cv2.getRotationMatrix2D(((w - 1) / 2, (h - 1) / 2), rest, 1.0)
    turn[:, 2] += (size - (w, h)) / 2
    how = (cv2.INTER_NEAREST, cv2.BORDER_CONSTANT) if picture.ndim == 2 else (cv2.INTER_CUBIC, cv2.BORDER_REPLICATE)
    return cv2.warpAffine(picture.view(np.uint8), turn, tuple(size.tolist()), flags=how[0], borderMode=how[1]).view(picture.dtype)


def leans(landmarks: dict[str, tuple[float, float, float]]) -> int:
    """By how many degrees, against the clock, a top or dress that lies aslant is to be turned: 0 where its middle, from collar to hem, and the lines from one armpit,
    shoulder and end of the hem to the other do not agree, or it is hardly aslant. Where the middle does not lean with them, the camera looked from the side."""
    ends = {n: [np.array(landmarks[f"{n}_{side}"][:2]) for side in ("right", "left")] for n in ("collar", "shoulder", "armpit", "hem")
            if f"{n}_left" in landmarks and f"{n}_right" in landmarks}
    if not {"collar", "hem"} <= ends.keys():
        return 0
    x, y = np.mean(ends["hem"], 0) - np.mean(ends.pop("collar"), 0)
    slopes = [np.degrees(np.arctan2(-x, y)), *(np.degrees(np.arctan2(*(b - a)[::-1])) for a, b in ends.values())]
    lean = float(np.median(slopes))
    agree = np.abs(np.array(slopes) - lean) < AGREE
    return round(lean) if LEANS < abs(lean) < MOST and slopes[0] * np.sign(lean) > LEANS / 2 and agree[0] and agree.sum() >= 3 else 0


def turns_of(landmarks: dict[str, tuple[float, float, float]]) -> int:
    """How many quarter turns, against the clock, set a top or dress upright, by the way from its collar and shoulders to its hem (``peaks``); 0 where one of
    them is not seen or it lies too much aslant to tell."""
    middle = lambda names: np.average([landmarks[n][:2] for n in names], axis=0, weights=[landmarks[n][2] for n in names])
    high, low = ([n for n in landmarks if n.startswith(names)] for names in (("collar", "shoulder"), "hem"))
    if len(high) < 2 or len(low) < 2:
        return 0
    x, y = middle(low) - middle(high)
    quarters = np.arctan2(x, y) / (np.pi / 2)  # 0 down, 1 to the right
    return int(-np.rint(quarters)) % 4 if abs(quarters - np.rint(quarters)) < PLAIN else 0


def quarter_turns(inside: np.ndarray) -> int:
    """How many quarter turns, against the clock, set trousers (bool HxW) upright that lie on their side: their waist is one piece, their legs are two."""
    y0, y1, x0, x1 = box_of(inside)
    if x1 - x0 < SIDEWAYS * (y1 - y0):
        return 0
    box = inside[y0:y1, x0:x1]

    def ends(rows: np.ndarray) -> tuple[float, float]:
        """In how many pieces the first and the last rows are, most of them."""
        count = (np.diff(np.pad(rows, ((0, 0), (1, 0))).astype(np.int8), axis=1) == 1).sum(1)
        band = max(1, len(rows) // 8)
        return float(np.median(count[:band])), float(np.median(count[-band:]))

    if ends(box) == (1, 2):
        return 0
    return {(1, 2): 3, (2, 1): 1}.get(ends(box.T), 0)


def _kind(kinds: np.ndarray, category: str | None, subcategory: str | None) -> str:
    """The likeliest kind of those that the given category and subcategory allow. Raises RowError ``unknown_category``."""
    if category and category not in S.CATEGORIES:
        raise RowError("unknown_category", f"{category!r} is none of {', '.join(S.CATEGORIES)}")
    allowed = [i for i, k in enumerate(KINDS) if (not category or S.CATEGORY_OF[k] == category) and (not subcategory or k == subcategory)]
    if not allowed:
        allowed = [i for i, k in enumerate(KINDS) if not category or S.CATEGORY_OF[k] == category]
    return KINDS[max(allowed, key=lambda i: kinds[i])]
