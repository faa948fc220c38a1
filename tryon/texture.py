"""Texture: what a product photo gives to every look of it - cloth without its ground and the inside of its back, in parts - and how it is sampled where
a fit lays it."""
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np

from tryon import shade
from tryon.colours import colours
from tryon.fit import Fit, Layer, between, on_photo, part_masks, smooth
from tryon.garment import MOST_PIXELS, Garment, clips, like_ground, once
from tryon.inpaint import fill
from tryon.landmarks import PART
from tryon.masks import box_of, distance_to, grown, shrunk, touching
from tryon.paint import copied, zoom
from tryon.pyramid import spread, thrice

INSET = 0.7  # 0.5 would cut a product out along its found outline, which takes a rim of the ground along
DENT, EVENLY = 0.2, 0.03  # of a neckline's width: dents that are no part of it, and the blur that makes the rest even
PATCHED = 0.02  # of a torso: so much of it that both sleeves hide is made of patches, less in the colours around
V_NECK = 0.36, 0.44  # depths of necklines, in their widths, up to which they are round, and from which on they may be any
HEM, SEWN = (0.3, 0.12), (100, 0.57)  # heights above its lowest point: where hems are, which are smoother (``outline``), no farther in than the rest
COARSE, CRISP = 1.25, 0.85  # pixels of the product photo per pixel of a look, from where on it is made smaller first, and to how many of them
LIGHT_AROUND, UNLIKE = 7, 50  # pixels of a small picture beside what a sleeve hides that tell its light, and the most that it differs from the other side, of 255
SLIT = 0.2  # widths of a top from its torso and its sleeve: where there may be ground between them
SEAM = 0.03  # the same from where they meet: where such ground begins, and half of what it reaches on the mean
MIXED = 0.4  # of the way from the ground's colour to the cloth's: what is farther beside it is no mixture of the two
HUE, LEAN = 0.08, 0.12  # shares of R, G and B: hues of cloth and ground so far apart tell them, and so much of the way from the one to the other is all ground's


def sample(fit: Fit, garment: Garment, shape: tuple[int, int], box: tuple[int, int, int, int] | None = None) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """Layers at full resolution, back to front: part, colour uint8 HxWx3, alpha float32 HxW in 0..1; of the rows and columns ``box`` (y0, y1, x0,
    x1) alone, where one is given."""
    box = box or (0, shape[0], 0, shape[1])
    textures(garment)  # once, not by every thread

    def one(layer: Layer) -> tuple[str, np.ndarray, np.ndarray]:
        m = zoom(layer.map * np.float32(fit.step), shape, box)
        cover = zoom(layer.cover.astype(np.float32) / 255, shape, box)
        colour, alpha = sampled(cloth_of(layer, fit, garment), m)
        return layer.part, colour, alpha * np.clip(cover * 2, 0, 1)

    with ThreadPoolExecutor(len(fit.layers)) as pool:
        return list(pool.map(one, fit.layers))


def sampled(cloth: tuple[np.ndarray, np.ndarray], at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Colour uint8 HxWx3 and alpha float32 HxW in 0..1 of a layer's ``cloth`` (``cloth_of``) at places HxWx2, x and y in its pixels. Where these are farther
    apart than its pixels it is made so much smaller first: fine patterns would flicker."""
    own, pixels = cloth
    alpha = cv2.remap(own, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    few = np.s_[4:-1:8, 4:-1:8]
    right, down = at[4:-1:8, 5::8] - at[few], at[5::8, 4:-1:8] - at[few]
    area = np.abs(right[..., 0] * down[..., 1] - right[..., 1] * down[..., 0])[alpha[few] > 0.5]
    apart = float(np.sqrt(np.median(area))) if len(area) else 1.0
    if apart > COARSE:
        h, w = own.shape
        size = max(2, round(w / (CRISP * apart))), max(2, round(h / (CRISP * apart)))
        own, pixels = (cv2.resize(a, size, interpolation=cv2.INTER_AREA) for a in cloth)
        at = (at + np.float32(0.5)) * np.float32((size[0] / w, size[1] / h)) - np.float32(0.5)
        alpha = cv2.remap(own, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    return cv2.remap(pixels, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), alpha


def cloth_of(layer: Layer, fit: Fit, garment: Garment) -> tuple[np.ndarray, np.ndarray]:
    """What of the product photo is a layer's: alpha float32 HxW in 0..1 and colour uint8 HxWx3. Parts agree on where a shared pixel goes, so they
    may overlap: no seam opens between torso and sleeve."""
    soft, colour, parts, _ = textures(garment)
    if layer.part in parts:
        return parts[layer.part]
    return soft * np.clip((on_photo(layer.share, fit.grid, soft.shape) - 0.05) / 0.1, 0, 1).astype(np.float32), colour


@once
def textures(garment: Garment) -> tuple[np.ndarray, np.ndarray, dict[str, tuple[np.ndarray, np.ndarray]], float]:
    """What every look of a garment needs of its photo: a soft mask float32 HxW in 0..1 without the inner collar,
    colours uint8 HxWx3 that reach over the outline, both per part (``part_layers``), and how much its sides are to be shaded, 0..1."""
    in_parts = garment.category in ("upper", "full")
    with ThreadPoolExecutor(1) as aside:
        found = aside.submit(lambda: (slits(garment) if in_parts else None, shade.flatness(garment.photo, garment.parts == 1)))
        soft, colour = _whole(garment)
        ground, flat = found.result()
    return soft, colour, part_layers(garment, soft, colour, ground) if in_parts else {}, flat


def _whole(garment: Garment) -> tuple[np.ndarray, np.ndarray]:
    """The soft mask of ``textures`` and the colours of all of it."""
    soft, hidden = outline(garment.mask), neck_opening(garment)
    if garment.category != "accessory":
        ys = np.flatnonzero(garment.mask.any(1))
        low = smooth(np.arange(len(soft)), *(ys[-1] - v * np.ptp(ys) for v in HEM))[:, None].astype(np.float32)
        soft = soft * (1 - low) + outline(garment.mask, *SEWN) * low
    # The inner back is hidden behind the neck; its edge is as smooth as an outline.
    soft *= 1 - outline(hidden.view(np.uint8) * 255)
    # The outermost pixels of a mask carry the colour of the ground: colours are taken from inside.
    rim = max(5, garment.mask.shape[0] // 80 | 1)
    inside = shrunk((garment.mask > 127) & ~hidden, rim // 2)
    if garment.category == "lower":
        inside &= ~clips(garment.photo, garment.mask)
    return soft, bleed(without_ground(garment.photo, garment.mask > 127, rim), inside)


def without_ground(photo: np.ndarray, inside: np.ndarray, wide: int) -> np.ndarray:
    """A product photo (HxWx3 uint8) whose outermost ``wide`` pixels of cloth (``inside``, bool HxW) have lost what they show of the ground: where their
    colour is a mixture of those on both sides, the ground's share is given to the cloth."""
    depth = cv2.distanceTransform(inside.view(np.uint8), cv2.DIST_L2, 3)
    away = distance_to(inside)
    core, ground = depth > wide, (away > wide // 2) & (away <= 4 * wide)
    ys, xs = np.nonzero(inside & ~core)
    if not (core.any() and ground.any() and len(ys)):
        return photo
    cloth, beyond = (bleed(photo, where)[ys, xs].astype(np.float32) for where in (core, ground))
    colour, way = photo[ys, xs].astype(np.float32), cloth - beyond
    length = np.maximum((way * way).sum(1), 1)
    share = ((colour - beyond) * way).sum(1) / length
    off = np.linalg.norm(colour - beyond - share[:, None] * way, axis=1)
    mixed = (length > 30 ** 2) & (off < MIXED * np.sqrt(length)) & (share < 1)
    less = np.where(mixed, 1 - np.clip((share - 0.1) / 0.8, 0, 1), 0)[:, None]
    # What is left of its hue, as in the shade at the very edge or where a JPEG keeps hues at half the size, goes as well.
    mixed = colour + less * way
    hue = lambda a: a / np.maximum(a.sum(1, keepdims=True), 30)
    lean, towards = hue(mixed) - hue(cloth), hue(beyond) - hue(cloth)
    far = np.maximum((towards ** 2).sum(1), 1e-6)
    share = (lean * towards).sum(1) / far
    off = np.linalg.norm(lean - share[:, None] * towards, axis=1)
    gone = np.where((far > HUE ** 2) & (off < MIXED * np.sqrt(far)), np.clip(share / LEAN, 0, 1), 0)[:, None]
    mixed += gone * (cloth * np.clip(mixed.mean(1) / np.maximum(cloth.mean(1), 1), 0.3, 1.5)[:, None] - mixed)
    out = photo.copy()
    out[ys, xs] = np.clip(np.rint(mixed), 0, 255).astype(np.uint8)
    return out


def outline(mask: np.ndarray, finer: int = 300, inset: float = INSET) -> np.ndarray:
    """An HxW mask (uint8, 0/255) with a smooth, slightly soft outline, as cut cloth has: float32 HxW in 0..1. What is finer than about 2 / ``finer`` of the
    height - the raggedness of a found mask - goes."""
    out = np.zeros(mask.shape, np.float32)
    if not mask.any():
        return out
    sigma = max(0.6, mask.shape[0] / finer)
    room, (y0, y1, x0, x1) = int(5 * sigma) + 2, box_of(mask)
    window = np.s_[max(0, y0 - room):y1 + room, max(0, x0 - room):x1 + room]  # nothing is farther out
    soft = cv2.GaussianBlur(mask[window].astype(np.float32) / 255, (0, 0), sigma)
    soft -= np.float32(inset)
    soft *= np.float32(max(sigma / 0.8, 0.5 / (1 - inset)))
    soft += np.float32(0.5)
    np.clip(soft, 0, 1, out=out[window])
    return out


def part_layers(garment: Garment, soft: np.ndarray, colour: np.ndarray, ground: np.ndarray) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Alpha (float32 HxW in 0..1) and colours (uint8 HxWx3) of each part of a top or dress, in its photo; ``soft`` and ``colour``: those of all of it; ``ground``:
    its ``slits``. What a sleeve hides of the torso takes the colours of the other side, or goes on in patches."""
    masks, width, lm = part_masks(garment), garment.shape.width, garment.landmarks
    joints = np.zeros(garment.mask.shape, np.uint8)
    for side in ("left", "right"):
        cv2.line(joints, *(tuple(int(v) for v in np.rint(lm[f"{n}_{side}"][:2])) for n in ("shoulder", "armpit")), 1, max(3, int(0.16 * width)))
    overlap, rim, ground_around = max(1, int(0.035 * width)), max(2, len(soft) // 50), garment.parts == 0
    out = {}
    colour = bleed(colour, (garment.mask > 127) & ~ground) if ground.any() else colour
    for part, mask in masks.items():
        away = distance_to(mask)
        overlapping = (away <= overlap) & (joints > 0) | mask | (away <= rim) & ground_around  # the outline itself is ``soft``'s
        out[part] = soft * cv2.GaussianBlur(overlapping.astype(np.float32), (0, 0), 0.8), colour
    hidden = masks["torso"] & (garment.parts != 1) & ~between(garment, "shoulder", "armpit")
    if hidden.any():
        xc = float(garment.shape.centre[:, 0].mean())
        ys, xs = np.nonzero(hidden)
        across = np.clip(np.rint(2 * xc - xs).astype(int), 0, hidden.shape[1] - 1)
        solid = cv2.erode((garment.parts == 1).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        seen = solid[ys, across]
        torso = bleed(colour, solid)
        mirrored = np.ascontiguousarray(colour[:, np.clip(np.rint(2 * xc - np.arange(hidden.shape[1])).astype(int), 0, hidden.shape[1] - 1)])
        lit = in_light(mirrored, torso, solid, hidden)
        torso[ys[seen], xs[seen]] = lit[ys[seen], xs[seen]]
        left = masks["torso"] & (garment.parts != 1)
        left[ys[seen], xs[seen]] = hidden[ys[seen], xs[seen]] = False
        if hidden.sum() > PATCHED * masks["torso"].sum():
            torso = patched(torso, solid, left)
        out["torso"] = out["torso"][0], torso
    return out


def in_light(other: np.ndarray, picture: np.ndarray, seen: np.ndarray, hole: np.ndarray, longest: int = 256) -> np.ndarray:
    """``other`` (HxWx3 uint8), which is to fill a ``hole`` of a ``picture`` of which something is ``seen`` (bool HxW each), as light as the picture is around the
    hole, worked out at about ``longest`` pixels: no seam shows between them."""
    step = max(1, round(max(hole.shape) / longest))
    few = np.s_[::step, ::step]
    beside = seen[few] & grown(hole[few], LIGHT_AROUND)
    if not beside.any():
        return other
    mean = lambda a: cv2.blur(cv2.copyTo(np.ascontiguousarray(a[few]).astype(np.float32), beside.view(np.uint8)), (LIGHT_AROUND,) * 2)
    weight = thrice(np.maximum(cv2.blur(beside.astype(np.float32), (LIGHT_AROUND,) * 2), 1e-3))
    off = spread((mean(picture) - mean(other)) / weight, beside)
    off = cv2.resize(np.clip(off, -UNLIKE, UNLIKE), hole.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return np.clip(np.rint(other + off), 0, 255).astype(np.uint8)


def patched(picture: np.ndarray, seen: np.ndarray, hole: np.ndarray, longest: int = 256) -> np.ndarray:
    """A picture HxWx3 uint8 whose ``hole`` is filled with patches of what of it is ``seen`` (bool HxW; tryon.inpaint.fill, at about ``longest`` pixels): a print goes on."""
    scale = min(1.0, longest / max(hole.shape))
    size = max(1, round(hole.shape[1] * scale)), max(1, round(hole.shape[0] * scale))
    small, known, todo = (cv2.resize(a, size, interpolation=cv2.INTER_AREA) for a in (picture, seen.astype(np.float32), hole.astype(np.float32)))
    found = fill(small, small.astype(np.float32), known > 0.99, (todo > 0) & (known <= 0.99))
    if found is None:
        return picture
    out, (ty, tx, my, mx) = picture.copy(), copied(found[1:], seen, hole)
    out[ty, tx] = picture[my, mx]
    return out


def slits(garment: Garment) -> np.ndarray:
    """Bool HxW of what looks like the ground between the sleeves and the torso of a top, and is too narrow for the network to see: places near both, below
    the armpits, whose colour is by far more frequent around the garment than in it, along the line where sleeve and torso meet; prints lie farther in."""
    scale = min(1.0, MOST_PIXELS / max(garment.parts.shape))
    size = max(1, round(garment.parts.shape[1] * scale)), max(1, round(garment.parts.shape[0] * scale))
    photo, mask = (cv2.resize(a, size, interpolation=cv2.INTER_AREA) for a in (garment.photo, garment.mask))
    parts, width = cv2.resize(garment.parts, size, interpolation=cv2.INTER_NEAREST), scale * garment.shape.width
    wide, zone, seam = max(2, int(SLIT * width)), np.zeros(parts.shape, bool), np.zeros(parts.shape, bool)
    near_torso = distance_to(parts == 1)
    for side, part in PART.items():
        below, near = max(0, int(scale * garment.landmarks[f"armpit_{side}"][1])), distance_to(parts == part)
        zone[below:] |= ((near <= wide) & (near_torso <= wide) & (parts > 0))[below:]
        seam |= (near <= 1) & (near_torso <= 1)
    found = like_ground(colours(photo), mask, zone, wide)
    if not found.any():
        return np.zeros(garment.parts.shape, bool)
    count, pieces = cv2.connectedComponents(found.astype(np.uint8))
    mean = np.bincount(pieces[found], distance_to(seam)[found], count) / np.maximum(np.bincount(pieces[found], minlength=count), 1)
    found = touching(found, grown(seam, max(2, SEAM * width))) & (mean < max(4, 2 * SEAM * width))[pieces]
    return cv2.resize(found.view(np.uint8), garment.parts.shape[::-1], interpolation=cv2.INTER_NEAREST) > 0


def bleed(photo: np.ndarray, inside: np.ndarray, longest: int = 320) -> np.ndarray:
    """Carry the colours of ``inside`` outwards over its border, smoothly, worked out at about ``longest`` pixels: uint8 HxWx3."""
    if not inside.any():
        return photo.copy()
    h, w = inside.shape
    step = max(1, round(max(h, w) / longest))  # whole: several times as fast
    small = -(-w // step), -(-h // step)
    shrink = lambda a: cv2.resize(cv2.copyMakeBorder(a, 0, -h % step, 0, -w % step, cv2.BORDER_REPLICATE), small, interpolation=cv2.INTER_AREA)
    weight = shrink(inside.astype(np.float32))
    colour = shrink(cv2.copyTo(photo, inside.view(np.uint8))) / thrice(np.maximum(weight, 1e-3))
    found = spread(colour.astype(np.float32), weight > min(0.5, 0.9 * float(weight.max())))
    out = cv2.resize(np.clip(np.rint(found), 0, 255).astype(np.uint8), (small[0] * step, small[1] * step), interpolation=cv2.INTER_LINEAR)[:h, :w]
    return cv2.copyTo(photo, inside.view(np.uint8), np.ascontiguousarray(out))


def rounded(depth: np.ndarray) -> np.ndarray:
    """What to add to the depth of a neckline (N, pixels) from one side to the other so that it is round, an arc of an ellipse as large: of one that is not deep, which is no V."""
    wide = len(depth)
    share = float(np.clip((V_NECK[1] - depth.max() / wide) / (V_NECK[1] - V_NECK[0]), 0, 1))
    off = np.linspace(-1, 1, wide)
    return share * (4 / np.pi * max(float(depth.mean()), 0.0) * np.sqrt(1 - off * off) - depth)


@once
def neck_opening(garment: Garment) -> np.ndarray:
    """Bool HxW, in the product photo, of what a wearer's neck hides: the inner back and all that lies above it, of tops and dresses from one collar to the
    other."""
    inner, (h, w) = garment.inner > 127, garment.mask.shape
    known = np.flatnonzero(inner.any(0))
    edge = [(x, h - 1 - inner[::-1, x].argmax()) for x in known]  # the front of the neckline
    if garment.category in ("upper", "full"):
        ends = np.array([garment.landmarks[f"collar_{side}"][:2] for side in ("right", "left")])
        outside = [end for end in ends if not len(known) or not known[0] <= end[0] <= known[-1]]
        edge = sorted([*edge, *map(tuple, outside)])
    x, y = np.array(edge, float).reshape(-1, 2).T
    x0, x1 = (int(np.ceil(x[0])), int(x[-1]) + 1) if len(x) else (0, 0)
    if x0 >= x1:  # both collars were found at one place
        return inner
    lowest = np.full(w, -1.0)
    # A neckline is cut in one go: narrow dents of what was found of it go, and what is left is smooth.
    dent = int(DENT * (x1 - x0) / 2)
    line = np.pad(np.interp(np.arange(x0, x1), x, y).astype(np.float32), 2 * dent)
    line = cv2.morphologyEx(line[None], cv2.MORPH_CLOSE, np.ones((1, 2 * dent + 1), np.uint8))[:, 2 * dent:][:, :x1 - x0]
    line = cv2.GaussianBlur(np.ascontiguousarray(line), (0, 0), max(0.5, EVENLY * (x1 - x0)), borderType=cv2.BORDER_REPLICATE)[0]
    lowest[x0:x1] = line + rounded(line - np.linspace(line[0], line[-1], len(line)))
    return np.arange(h)[:, None] <= np.rint(lowest)
