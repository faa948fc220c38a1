"""The shape of a flat or hanging garment, read off its mask and what a network found of its parts and landmarks: landmarks, and the axes
of sleeves and legs.

Everything is measured on a mask scaled to ``WORK`` pixels and given back in pixels of the photo. The garment is
expected upright (collar or waist on top). Left is the wearer's left, which is the right side of the picture.
"""
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import cv2
import numpy as np

from tryon.masks import largest, pieces, runs

WORK = 192
SIDES = {"right": -1, "left": 1}  # direction in the picture
PART = {"right": 2, "left": 3}  # of a garment's parts
LONG = 0.58  # of the torso's width: sleeves that are no short ones
ASLANT = 0.45  # slope between two landmarks of a garment that lies upright: steeper, one is a mistake
HUGE = 0.24  # of a top: no sleeve is so large
BESIDE = 0.06  # of a garment's longer side: a hem so far beside the torso, and so near a cuff, is that cuff
SURE = 0.5  # height of the peak of a landmark that is to be believed before the parts
SPECK = 0.004  # of a top: no sleeve is so small
ROOT = 0.25  # of the width between the shoulders: how far from its shoulder a sleeve begins at most, of a top when of the other one there is next to nothing
THICKER = 1.5  # times as wide as the upper end of what was found of it: the most that a sleeve is at the shoulder
AT_BORDER = 0.1  # of the width between the shoulders: so much of a sleeve along the border of the photo goes on beyond it
SPREAD = 0.25  # widths of a leg of shorts that it has to reach aside to be laid out spread
INWARDS = 0.5  # how much a pixel inwards counts for the inner corner of a hem, of one downwards
ELONGATED = 2.5  # times as long as wide, of a sleeve that is no short one
UNLIKE = 1.6  # times as long as the other one: no two sleeves are sewn so


_PAIRS = lambda *names: {f"{n}_{s}" for n in names for s in SIDES}
NAMES = {  # the landmarks a garment of a category has
    "upper": {"collar_front"} | _PAIRS("collar", "shoulder", "armpit", "cuff_outer", "cuff_inner", "hem"),
    "full": {"collar_front", "crotch"} | _PAIRS("collar", "shoulder", "armpit", "cuff_outer", "cuff_inner", "waist", "hem", "leg_inner"),
    "lower": {"crotch"} | _PAIRS("waist", "hem", "leg_inner"),
    "accessory": {"crown"} | _PAIRS("brim"),
}
NEAR_HEM = 0.93  # of a leg: the lowest that its middle is measured, as hems are no straight lines
NARROWEST = 0.4  # of what the outline tells of it: a waist whose ends are nearer was not found


@dataclass
class Shape:
    """Measurements in pixels of the photo.

    ``landmarks``: name -> (x, y, confidence). ``limbs``: ``left``/``right`` -> float32 Nx3 (x, y, half width) along
    the axis of the sleeve (upper, full) or leg (lower) from the body outwards; absent when there is none.
    ``width``: of the torso, or of the waist (lower), or of the brim (hat). ``centre``: 2x2, top and bottom of the
    centre line.
    """

    width: float
    centre: np.ndarray
    landmarks: dict[str, tuple[float, float, float]]
    limbs: dict[str, np.ndarray] = field(default_factory=dict)


def along(points: np.ndarray, line: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Arc length, signed side (positive to the right of the direction, in picture terms) and distance of points
    Nx2 against a polyline Kx2, whose ends are extended straight."""
    seg = np.diff(line, axis=0)
    length = np.maximum(np.linalg.norm(seg, axis=1), 1e-6)
    start = np.concatenate(([0], np.cumsum(length)[:-1]))
    best, t_out, u_out = np.full(len(points), np.inf), np.zeros(len(points)), np.zeros(len(points))
    for k, (a, d, l, s) in enumerate(zip(line[:-1], seg, length, start)):
        n = d / l
        rel = points - a
        t = rel @ n
        lo, hi = (-np.inf if k == 0 else 0.0), (np.inf if k == len(seg) - 1 else l)
        tc = np.clip(t, lo, hi)
        gap = rel - tc[:, None] * n
        dist = (gap ** 2).sum(1)
        closer = dist < best
        best[closer] = dist[closer]
        t_out[closer] = s + tc[closer]
        u_out[closer] = (rel[:, 1] * n[0] - rel[:, 0] * n[1])[closer]
    return t_out, u_out, np.sqrt(best)


def _axis(region: np.ndarray, start: np.ndarray, points: int = 7) -> np.ndarray | None:
    """Axis Nx3 (x, y, half width) of ``region`` (bool HxW) along the geodesic distance from the mask ``start``."""
    level = np.full(region.shape, -1, np.int32)
    front, step = (start & region).astype(np.uint8), 0
    inside = region.astype(np.uint8)
    seen = np.zeros_like(inside)
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    square = np.ones((3, 3), np.uint8)
    while front.any():
        level[front > 0] = step
        seen |= front
        # Alternating the two neighbourhoods makes the distance nearly Euclidean.
        front = cv2.dilate(front, square if step % 2 else cross) & inside & ~seen & 1
        step += 1
    if step < 3:
        return None
    # The axis is a straight line or, where the limb is longer than wide, a parabola through the level sets.
    ys, xs = np.nonzero(level >= 0)
    l = level[ys, xs] / step
    opening = max(int((start & region).sum()), 1)
    degree = 2 if step > 1.5 * opening else 1
    fits = [np.polyfit(l, v, degree) for v in (xs, ys)]
    at = np.linspace(0, 1, points)
    line = np.stack([np.polyval(f, at) for f in fits], 1)
    # Across the axis the region is measured anew: level sets end aslant, and their middle lies off the cuff's.
    pixels = np.stack((xs, ys), 1).astype(float)
    t, u, _ = along(pixels, line)
    reach = float(np.percentile(t, 98))
    half = []
    for k in range(points):
        near = u[np.abs(t - at[k] * reach) < max(1.5, 0.6 * reach / points)]
        half.append(np.percentile(near, (3, 97)) if len(near) > 2 else half[-1] if half else (-1.0, 1.0))
    half = np.array(half)
    half[-1] = np.median(half[-3:], 0)
    step_along = np.gradient(line, axis=0)
    normal = np.stack((-step_along[:, 1], step_along[:, 0]), 1) / np.maximum(np.linalg.norm(step_along, axis=1, keepdims=True), 1e-6)
    length = np.concatenate(([0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))))
    on = np.stack([np.interp(at * reach, length, line[:, i]) for i in range(2)], 1)
    if reach > length[-1]:  # the parabola stops short of the cuff
        on[-1] = line[-1] + (line[-1] - line[-2]) / max(length[-1] - length[-2], 1e-6) * (reach - length[-1])
    middle, width = half.mean(1), (half[:, 1] - half[:, 0]) / 2 + 0.5
    middle[:-2 if degree > 1 else None] = 0  # only the cuff of a long sleeve is centred, so that the axis stays smooth
    return np.concatenate((on + normal * middle[:, None], width[:, None]), 1).astype(np.float32)


def hangs(region: np.ndarray, axis: np.ndarray) -> bool:
    """Whether a sleeve (bool HxW) is far longer than wide, however deep its armhole seems to be, and its ``axis`` leads downwards, as that of one that hangs along
    the torso does."""
    spread = np.linalg.eigvalsh(np.cov(np.argwhere(region).T.astype(float)))
    return bool(spread[1] > ELONGATED ** 2 * spread[0] and axis[-1, 1] > axis[0, 1])


def _short_axis(region: np.ndarray, shoulder: np.ndarray, armpit: np.ndarray, points: int) -> np.ndarray:
    """Axis Nx3 of a sleeve (bool HxW) that is hardly longer than wide: straight, from the middle of the armhole to the middle of the cuff. The cuff
    lies between the two corners of the outline that span the largest quadrangle with shoulder and armpit."""
    outline = max(cv2.findContours(region.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0], key=len)
    hull = cv2.convexHull(outline)[:, 0].astype(float)
    hull = hull[np.linspace(0, len(hull) - 1, min(len(hull), 40)).astype(int)]
    outer, inner = hull[:, None], hull[None]
    cross = lambda a, b: a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
    area = np.abs(cross(shoulder, outer) + cross(outer, inner) + cross(inner, armpit) + cross(armpit, shoulder))
    i, j = np.unravel_index(int(area.argmax()), area.shape)
    at = np.linspace(0, 1, points)[:, None]
    half = np.linalg.norm(armpit - shoulder) / 2 * (1 - at) + np.linalg.norm(hull[i] - hull[j]) / 2 * at
    return np.hstack(((shoulder + armpit) / 2 * (1 - at) + (hull[i] + hull[j]) / 2 * at, half)).astype(np.float32)


def measure(mask: np.ndarray, category: str, subcategory: str, parts: np.ndarray | None = None, points: dict | None = None,
            sleeved: bool = False) -> Shape:
    """Measure an HxW uint8 mask (0/255) of a garment; the mask must not be empty. ``parts`` (HxW uint8 as in tryon.garment.Garment) and
    ``points`` (landmark name -> x, y, confidence) are what a network found; without them the outline alone decides. ``sleeved``: sleeves among the parts
    are no flounces, however thin (``sure_of_sleeves``)."""
    ys, xs = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    x0, y0, x1, y1 = xs[0], ys[0], xs[-1] + 1, ys[-1] + 1
    scale = WORK / max(x1 - x0, y1 - y0)
    size = max(1, round((x1 - x0) * scale)), max(1, round((y1 - y0) * scale))
    crop = cv2.resize(mask[y0:y1, x0:x1], size, interpolation=cv2.INTER_AREA) > 127
    if not crop.any():  # a mask of dots
        crop[:] = True
    m = np.pad(crop, 2)
    if parts is not None:
        parts = np.pad(cv2.resize(parts[y0:y1, x0:x1], crop.shape[::-1], interpolation=cv2.INTER_NEAREST_EXACT), 2)
        points = {k: ((x - x0 + 0.5) * scale + 1.5, (y - y0 + 0.5) * scale + 1.5, c) for k, (x, y, c) in points.items() if k in NAMES[category]}
        points = plausible(points, m.shape)
        if category == "upper":
            points = hems_of_torso(points, parts)
        if "crotch" in points and not 0.15 < (points["crotch"][1] - 2) / len(crop) < (0.88 if subcategory == "shorts" else 0.52):
            del points["crotch"]  # lower down, the legs only touch
    if category == "lower":
        shape = _lower(m, subcategory, (points or {}).get("crotch"))
        if points and subcategory == "trousers" and shape.landmarks["crotch"][2] > SURE:
            points.pop("crotch", None)  # the outline is exact
        if points and {"waist_right", "waist_left"} <= points.keys() and points["waist_left"][0] - points["waist_right"][0] < NARROWEST * shape.width:
            points = {k: v for k, v in points.items() if not k.startswith("waist")}  # both were found at one end: the outline tells
    elif category == "accessory":
        shape = _hat(m)
    elif parts is not None:
        shape = _upper_parts(m, parts, points, category, sleeved)
    else:
        shape = _upper(m, category, subcategory)
    if points:
        shape.landmarks |= points
    back = lambda p: np.stack(((p[..., 0] - 2 + 0.5) / scale + x0 - 0.5, (p[..., 1] - 2 + 0.5) / scale + y0 - 0.5), -1)
    return mapped(shape, back, 1 / scale)


def mapped(shape: Shape, place: Callable[[np.ndarray], np.ndarray], scale: float) -> Shape:
    """A shape with its points where ``place`` (... x 2 -> ... x 2) puts them, and with ``scale`` times its widths."""
    landmarks = {k: (*place(np.array(v[:2], float)).tolist(), v[2]) for k, v in shape.landmarks.items()}
    limbs = {k: np.concatenate((place(v[:, :2]), v[:, 2:] * scale), 1).astype(np.float32) for k, v in shape.limbs.items()}
    return Shape(shape.width * scale, place(shape.centre), landmarks, limbs)


def _central_runs(m: np.ndarray, xc: float) -> np.ndarray:
    """Per row the run that holds the centre, or lies nearest to it: Hx2, -1 where the row is empty."""
    out = np.full((m.shape[0], 2), -1)
    for y in range(m.shape[0]):
        found = runs(m[y])
        if found:
            out[y] = min(found, key=lambda r: max(r[0] - xc, xc - r[1], 0))
    return out


def _upper(m: np.ndarray, category: str, subcategory: str) -> Shape:
    rows = np.flatnonzero(m.any(1))
    top, height = rows[0], len(rows)
    at = lambda f: int(top + f * (height - 1))
    # The centre: the middle of the picture's extent in each row, which sleeves extend on both sides alike.
    middles = [np.flatnonzero(m[y])[[0, -1]].mean() for y in range(at(0.3), at(0.97) + 1) if m[y].any()]
    xc = float(np.median(middles))
    # An open front is closed around the centre; a gap between sleeve and torso stays one.
    extent = np.ptp(np.flatnonzero(m.any(0)))
    lo, hi = int(xc - 0.16 * extent), int(xc + 0.16 * extent) + 1
    closed = m.copy()
    closed[:, lo:hi] = cv2.morphologyEx(m[:, lo:hi].astype(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 15), np.uint8)) > 0
    spans = _central_runs(closed, xc)
    span = (0.25, 0.5) if category == "full" else (0.42, 0.97)
    body = np.array([r for r in spans[at(span[0]):at(span[1]) + 1] if r[0] >= 0], float)
    widths = body[:, 1] - body[:, 0] + 1
    # The narrow rows are those where a gap parts the sleeves from the torso; a gap on one side only moves their middle.
    for percentile in (30, 45, 60) if category == "full" else (12, 25, 40, 60):
        width = float(np.percentile(widths, percentile))
        middle = float(np.median(body[widths <= 1.1 * width].mean(1)))
        if abs(middle - xc) < 0.1 * width:
            xc = middle
            break
    if category == "upper" and (inset := _hanging_sleeves(m, xc, width)) is not None:
        width = inset
    profile = np.array([np.flatnonzero(m[:, x])[0] if m[:, x].any() else m.shape[0] for x in range(m.shape[1])])

    landmarks, limbs = {}, {}
    for side, sign in SIDES.items():
        edge = int(np.clip(round(xc + sign * width * 0.53), 1, m.shape[1] - 2))
        beyond = np.zeros_like(m)
        if sign > 0:
            beyond[:, edge:] = m[:, edge:]
        else:
            beyond[:, :edge + 1] = m[:, :edge + 1]
        count, labels, stats, _ = cv2.connectedComponentsWithStats(beyond.astype(np.uint8))
        sleeves = [i for i in range(1, count) if stats[i, cv2.CC_STAT_TOP] < top + 0.75 * width and stats[i, cv2.CC_STAT_AREA] > 0.008 * m.sum()]
        hem_y = max(np.flatnonzero(m[:, int(np.clip(xc + sign * 0.4 * width, 0, m.shape[1] - 1))]), default=at(1.0))
        sleeve = max(sleeves, key=lambda i: stats[i, cv2.CC_STAT_AREA], default=None)
        if sleeve is not None:
            region = labels == sleeve
            touch = runs(region[:, edge])
            ya, yb = max(touch, key=lambda r: r[1] - r[0]) if touch else (at(0.1), at(0.3))
            yb = min(yb, ya + 0.62 * width)
            start = np.zeros_like(region)
            start[int(ya):int(yb) + 1, edge - 1:edge + 2] = True
            axis = _axis(region, start)
            reach = 0.0 if axis is None else np.linalg.norm(np.diff(axis[:, :2], axis=0), axis=1).sum()
            if axis is not None and reach > 0.08 * width:
                limbs[side] = axis
                d = axis[-1, :2] - axis[-2, :2]
                d /= max(float(np.linalg.norm(d)), 1e-6)
                normal = np.array((d[1], -d[0])) * sign  # towards the outside of the arm
                landmarks[f"cuff_outer_{side}"] = (*(axis[-1, :2] + normal * axis[-1, 2]), 0.8)
                landmarks[f"cuff_inner_{side}"] = (*(axis[-1, :2] - normal * axis[-1, 2]), 0.8)
            shoulder, armpit = (edge - sign * 0.05 * width, min(ya, top + 0.4 * width)), (edge, yb)
        else:
            # Sleeveless: the shoulder is the outermost column about as high as the highest one on this side.
            columns = np.arange(int(np.clip(xc + sign * 0.1 * width, 0, m.shape[1] - 1)), int(np.clip(xc + sign * 0.6 * width, -1, m.shape[1])), sign)
            high = columns[profile[columns] <= profile[columns].min() + 0.14 * width]
            x = int(high[-1])
            shoulder = (x, profile[x])
            full = [y for y in range(at(0.08), at(0.6)) if spans[y, 0] >= 0 and sign * (spans[y, 1 if sign > 0 else 0] - xc) > 0.45 * width]
            armpit = (xc + sign * 0.48 * width, full[0] if full else at(0.3))
        landmarks[f"shoulder_{side}"] = (*shoulder, 0.8)
        landmarks[f"armpit_{side}"] = (*armpit, 0.8 if side in limbs else 0.6)
        landmarks[f"hem_{side}"] = (xc + sign * 0.45 * width, hem_y, 0.8)
        # The collar: the highest point between the centre and the shoulder.
        lo, hi = sorted((xc + sign * 0.08 * width, xc + sign * 0.33 * width))
        columns = np.arange(int(np.clip(lo, 0, m.shape[1] - 1)), int(np.clip(hi, 0, m.shape[1] - 2)) + 1)
        x = int(columns[np.argmin(profile[columns])])
        landmarks[f"collar_{side}"] = (x, profile[x], 0.7)
    total = m.any(0).sum()
    hanging = [(int(xc + sign * 0.38 * total), at(f)) for sign in SIDES.values() for f in (0.35, 0.6, 0.85)]
    if not limbs and subcategory in ("sweater", "jacket") and total > 0.78 * height and all(m[y, np.clip(x, 0, m.shape[1] - 1)] for x, y in hanging):
        # Long sleeves that lie against the torso without a gap.
        width = 0.62 * total
        for side, sign in SIDES.items():
            y = np.linspace(at(0.1), at(0.97), 5)
            x = np.linspace(xc + sign * 0.33 * total, xc + sign * 0.41 * total, 5)
            limbs[side] = np.stack((x, y, np.full(5, 0.085 * total)), 1).astype(np.float32)
            landmarks[f"cuff_outer_{side}"], landmarks[f"cuff_inner_{side}"] = (x[-1] + sign * 0.08 * total, y[-1], 0.4), (x[-1] - sign * 0.08 * total, y[-1], 0.4)
            landmarks[f"shoulder_{side}"] = (xc + sign * 0.3 * total, landmarks[f"shoulder_{side}"][1], 0.5)
    if len(limbs) == 1:  # the other sleeve is folded away: assume it is like this one
        (side, axis), = limbs.items()
        other = "left" if side == "right" else "right"
        limbs[other] = axis * (-1, 1, 1) + (2 * xc, 0, 0)
        for name in ("cuff_outer", "cuff_inner"):
            x, y, _ = landmarks[f"{name}_{side}"]
            landmarks[f"{name}_{other}"] = (2 * xc - x, y, 0.3)
    front = columns_between(landmarks, m.shape[1])
    x = int(front[np.argmax(profile[front])])
    landmarks["collar_front"] = (x, min(profile[x], at(0.5)), 0.5)
    shoulder_y = (landmarks["shoulder_left"][1] + landmarks["shoulder_right"][1]) / 2
    centre = np.array(((xc, shoulder_y), (xc, rows[-1])), float)
    return Shape(width, centre, landmarks, limbs)


def _upper_parts(m: np.ndarray, parts: np.ndarray, points: dict, category: str, sleeved: bool) -> Shape:
    """A top or dress whose sleeves a network has told from the torso."""
    labels, area = pieces(m & (parts == 1))
    large = np.flatnonzero(area[1:] > 0.03 * m.sum()) + 1  # sleeves folded over the torso cut it into pieces
    torso = np.isin(labels, large)
    rows = np.flatnonzero(torso.any(1))
    if len(rows) < 8 or torso.sum() < 0.15 * m.sum():
        torso = largest(m)
        rows = np.flatnonzero(torso.any(1))
    sure = lambda *names: [np.array(points[n][:2]) for n in names if n in points]
    armpits = sure("armpit_right", "armpit_left")
    top, bottom = rows[0], rows[-1]
    start = int(np.mean([p[1] for p in armpits])) if armpits else int(top + 0.3 * (bottom - top))
    end = top + 0.45 * (bottom - top) if category == "full" else bottom - 0.04 * (bottom - top)
    start = int(np.clip(start, top, max(top, end - 4)))
    spans = np.array([np.flatnonzero(torso[y])[[0, -1]] for y in range(start, int(end) + 1) if torso[y].any()]
                     or [np.flatnonzero(torso[y])[[0, -1]] for y in rows], float)
    width = float(np.percentile(spans[:, 1] - spans[:, 0] + 1, 40))
    xc = float(np.median(spans.mean(1)))
    if len(armpits) == 2:
        apart, middle = float(armpits[1][0] - armpits[0][0]), float(armpits[0][0] + armpits[1][0]) / 2
        # A sleeve that lies on the torso hides a part of it: then there is cloth all the way from armpit to armpit, and below.
        y, x0, x1 = int(max(p[1] for p in armpits)), int(armpits[0][0]), int(armpits[1][0])
        between = m[y:y + max(1, int(0.4 * width)), max(0, x0):x1 + 1]
        if 1.15 * width < apart < 1.6 * width and abs(middle - xc) < 0.35 * width and between.size and between.mean() > 0.97:
            width, xc = 0.5 * (width + apart), middle
    # No torso is as narrow as a network that mistakes it for a sleeve would have it.
    ys, xs = np.flatnonzero(m.any(1)), np.flatnonzero(m.any(0))
    width = max(width, 0.32 * (xs[-1] - xs[0] + 1), (0.16 if category == "full" else 0.36) * (ys[-1] - ys[0] + 1))
    for side, sign in SIDES.items():  # no shoulder or armpit is in the middle
        for name in (f"shoulder_{side}", f"armpit_{side}"):
            if name in points and sign * (points[name][0] - xc) < 0.15 * width:
                del points[name]
    landmarks, limbs = {}, {}
    for side, sign in SIDES.items():
        edge = xc + sign * 0.5 * width
        columns = np.clip(np.arange(int(xc + sign * 0.25 * width), int(edge), sign), 0, m.shape[1] - 1)
        shoulder = next(iter(sure(f"shoulder_{side}")), None)
        if shoulder is None:
            shoulder = np.array((edge - sign * 0.06 * width, np.median([np.flatnonzero(m[:, x])[0] if m[:, x].any() else top for x in columns])))
        region = largest(m & (parts == PART[side]))
        seam = region & (cv2.dilate(torso.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0)
        if region.sum() >= 0.008 * m.sum() and seam.sum() > 3 and sign * (np.nonzero(region)[1].mean() - xc) > 0.2 * width:
            # The shoulder is where the sleeve is set in; one that was found elsewhere, at the cuff, is wrong.
            pixels = np.argwhere(seam)[:, ::-1].astype(float)
            if np.linalg.norm(pixels - shoulder, axis=1).min() > 0.12 * width:
                shoulder = pixels[pixels[:, 1] <= pixels[:, 1].min() + 2].mean(0)
                points.pop(f"shoulder_{side}", None)
        armpit = next(iter(sure(f"armpit_{side}")), np.array((edge, shoulder[1] + 0.42 * width)))
        deep = float(np.linalg.norm(armpit - shoulder))
        if not 0.15 * width < deep < 0.5 * width:  # a sleeve that lies against the torso hides where it begins
            armpit = shoulder + (armpit - shoulder) / max(deep, 1e-6) * float(np.clip(deep, 0.15 * width, 0.45 * width))
        points.pop(f"armpit_{side}", None)
        landmarks[f"shoulder_{side}"], landmarks[f"armpit_{side}"] = (*shoulder, 0.4), (*armpit, 0.4)
        hem_y = max(np.flatnonzero(torso[:, int(np.clip(xc + sign * 0.4 * width, 0, m.shape[1] - 1))]), default=bottom)
        hem_y = max(hem_y, bottom - 0.15 * (bottom - top))  # above what a sleeve hides there is no hem
        landmarks[f"hem_{side}"] = (xc + sign * 0.45 * width, hem_y, 0.4)
        lo, hi = sorted((xc + sign * 0.08 * width, xc + sign * 0.33 * width))
        reach = np.arange(int(np.clip(lo, 0, m.shape[1] - 1)), int(np.clip(hi, 0, m.shape[1] - 2)) + 1)
        profile = np.array([np.flatnonzero(torso[:, x])[0] if torso[:, x].any() else m.shape[0] for x in reach])
        landmarks[f"collar_{side}"] = (int(reach[np.argmin(profile)]), int(profile.min()), 0.4)
        if region.sum() < 0.008 * m.sum() or sign * (np.nonzero(region)[1].mean() - xc) < 0.2 * width:
            continue
        if np.percentile(sign * (np.nonzero(region)[1] - xc), 95) < 0.46 * width:  # a strap
            continue
        away = np.linalg.norm(np.argwhere(region)[:, ::-1] - shoulder, axis=1)
        # A flounce, or the edge of an armhole.
        if away.min() > 0.5 * width or not sleeved and away.max() < 0.9 * width and region.sum() < 0.2 * away.max() ** 2:
            continue
        line = np.zeros(m.shape, np.uint8)
        cv2.line(line, *(tuple(int(v) for v in np.rint(p)) for p in (shoulder, armpit)), 1, 5)
        joint = region & (line > 0)
        if joint.sum() < 3:
            joint = seam.copy()
            ys = np.flatnonzero(region.any(1))
            joint[int(ys[0] + 0.5 * width):] = False
        axis = _axis(region, joint) if joint.any() else None
        if axis is None:
            continue
        if float(np.linalg.norm(axis[-1, :2] - axis[0, :2])) < 1.6 * float(np.linalg.norm(armpit - shoulder)) and not hangs(region, axis):
            axis = _short_axis(region, shoulder, armpit, len(axis))
        limbs[side] = axis
        d = axis[-1, :2] - axis[-2, :2]
        d /= max(float(np.linalg.norm(d)), 1e-6)
        normal = np.array((d[1], -d[0])) * sign
        landmarks[f"cuff_outer_{side}"] = (*(axis[-1, :2] + normal * axis[-1, 2]), 0.4)
        landmarks[f"cuff_inner_{side}"] = (*(axis[-1, :2] - normal * axis[-1, 2]), 0.4)
    between = columns_between(points if {"collar_left", "collar_right"} <= points.keys() else landmarks, m.shape[1])
    profile = np.array([np.flatnonzero(torso[:, x])[0] if torso[:, x].any() else top for x in between])
    landmarks["collar_front"] = (int(between[np.argmax(profile)]), int(min(profile.max(), top + 0.5 * (bottom - top))), 0.3)
    # Sleeves that hang in front of the sides narrow the torso that is seen, a hem with tails its median: no chest is much narrower than its shoulders.
    apart = abs(np.subtract(*(next(iter(sure(f"shoulder_{s}")), landmarks[f"shoulder_{s}"])[0] for s in SIDES)))
    width = max(width, 0.88 * float(apart))
    shoulder_y = float(np.mean([sure(f"shoulder_{s}")[0][1] if sure(f"shoulder_{s}") else landmarks[f"shoulder_{s}"][1] for s in SIDES]))
    shoulder_y = min(shoulder_y, top + 0.4 * (bottom - top))
    return Shape(width, np.array(((xc, shoulder_y), (xc, bottom)), float), landmarks, limbs)


SLEEVE = ("shoulder", "armpit", "cuff_outer", "cuff_inner")


def sure_of_sleeves(points: dict, sides: Iterable[str] = tuple(SIDES)) -> bool:
    """Whether landmarks (name -> x, y, confidence) tell the sleeves of ``sides`` from end to end."""
    return min(points.get(f"{name}_{side}", (0, 0, 0))[2] for name in SLEEVE for side in sides) >= SURE


def short_sleeves(parts: np.ndarray, points: dict) -> np.ndarray:
    """HxW uint8 ``parts`` of a top with short sleeves that were not told from its torso, as ``points``, in pixels, tell them (``sure_of_sleeves``): what lies
    outside of the armholes, down to the cuffs."""
    place, found = lambda name: np.array(points[name][:2]), {}
    wide, (y, x) = float(np.linalg.norm(place("shoulder_left") - place("shoulder_right"))), np.mgrid[0:parts.shape[0], 0:parts.shape[1]]
    for side, value in PART.items():
        shoulder, armpit, outer, inner = (place(f"{name}_{side}") for name in SLEEVE)
        armhole, sleeve = armpit - shoulder, np.zeros(parts.shape, np.uint8)
        deep, outwards = float(np.linalg.norm(armhole)), SIDES[side] * np.array((armhole[1], -armhole[0]))
        cv2.fillConvexPoly(sleeve, cv2.convexHull(np.rint((shoulder, outer, inner, armpit)).astype(np.int32)), 1)
        # A strip along the armhole is no sleeve, nor is what leads over the ground or turns inwards.
        if not 0.15 * wide < deep < 0.7 * wide or sleeve.sum() < 0.25 * deep ** 2 or (sleeve & (parts > 0)).sum() < 0.85 * sleeve.sum() or \
                (outer - shoulder) @ outwards < 0.2 * deep ** 2:
            return parts
        lowest = max(outer[1], inner[1], armpit[1]) + 0.05 * wide
        found[value] = largest((parts > 0) & ((x - shoulder[0]) * outwards[0] + (y - shoulder[1]) * outwards[1] > 0) & (y < lowest))
    out = np.minimum(parts, 1)
    for value, region in found.items():
        out[region] = value
    return out


def rooted(parts: np.ndarray, points: dict) -> np.ndarray:
    """HxW uint8 ``parts`` of a top, without sleeves where what was found of them are pieces away from their shoulders (of ``points``, in pixels), next to
    nothing on one side, and no landmarks tell of them: these are the sides of a vest."""
    if not {"shoulder_left", "shoulder_right"} <= points.keys() or sure_of_sleeves(points):
        return parts
    wide, least = float(np.linalg.norm(np.subtract(points["shoulder_left"][:2], points["shoulder_right"][:2]))), SPECK * (parts > 0).sum()
    found = {side: np.argwhere(parts == value)[:, ::-1] for side, value in PART.items()}
    away = all(np.linalg.norm(at - points[f"shoulder_{side}"][:2], axis=1).min(initial=np.inf) > ROOT * wide for side, at in found.items())
    return np.minimum(parts, 1) if away and min(len(at) for at in found.values()) < 3 * least else parts


def begun_at_shoulders(parts: np.ndarray, points: dict) -> np.ndarray:
    """HxW uint8 ``parts`` of a dress without sleeves that begin away from their shoulders (of ``points``, in pixels), unless landmarks tell of a sleeve on
    the other side: they are pieces of its sides or its hem."""
    if not {"shoulder_left", "shoulder_right"} <= points.keys():
        return parts
    wide = float(np.linalg.norm(np.subtract(points["shoulder_left"][:2], points["shoulder_right"][:2])))
    found = {side: np.argwhere(parts == value)[:, ::-1] for side, value in PART.items()}
    away = {side: np.linalg.norm(at - points[f"shoulder_{side}"][:2], axis=1).min(initial=np.inf) > ROOT * wide for side, at in found.items()}
    sleeved = any(not far and sure_of_sleeves(points, (side,)) for side, far in away.items())
    return parts if sleeved else np.where(np.isin(parts, [PART[side] for side, far in away.items() if far]), np.uint8(1), parts)


def whole_sleeves(parts: np.ndarray, points: dict) -> np.ndarray:
    """Carry sleeves (2 and 3 of HxW uint8 ``parts``) that lie against the torso, and of which only the lower end was told from it, up to
    their shoulders (of ``points``, in pixels): a straight strip as wide as a sleeve."""
    if not {"shoulder_left", "shoulder_right"} <= points.keys():
        return parts
    out, ends = parts.copy(), {side: np.array(points[f"shoulder_{side}"][:2]) for side in SIDES}
    wide = float(np.linalg.norm(ends["left"] - ends["right"]))
    for side, value in PART.items():
        inwards = (ends["left"] + ends["right"]) / 2 - ends[side]
        inwards /= max(float(np.linalg.norm(inwards)), 1e-6)
        ys, xs = np.nonzero(parts == value)
        region = np.stack((xs, ys), 1).astype(np.float32)
        if len(region) < SPECK * (parts > 0).sum():
            continue
        if np.linalg.norm(region - ends[side], axis=1).min() < 0.3 * wide:
            strip = parts == value
        else:
            down = np.array((-inwards[1], inwards[0])) * (1 if inwards[0] > 0 else -1)
            upper = region[region @ down < np.percentile(region @ down, 25)] @ inwards
            across = min(0.24 * wide, max(THICKER * float(np.ptp(upper)), 0.08 * wide))
            top = np.array((ends[side], ends[side] + across * inwards + 0.25 * across * down))
            strip = np.zeros(parts.shape, np.uint8)
            cv2.fillConvexPoly(strip, cv2.convexHull(np.rint(np.concatenate((region, top))).astype(np.int32)), 1)
            if (strip & (parts > 0)).sum() > 0.25 * (parts > 0).sum():  # half the torso is no sleeve
                continue
        # What lies farther out than a sleeve is no torso.
        outwards = SIDES[side]  # 1 towards the right of the picture
        beyond = np.maximum.accumulate(strip[:, ::outwards], 1)[:, ::outwards]
        if ((beyond > 0) & (parts > 0)).sum() < HUGE * (parts > 0).sum():
            out[(beyond > 0) & (parts == 1)] = value
    return out


def between_ends(parts: np.ndarray, points: dict) -> np.ndarray:
    """HxW uint8 ``parts`` with long sleeves that lie against or on the torso, and of which no more than the upper end was told from it, straight down
    to the cuffs (of ``points``, in pixels), where those of both sides say the same and the border of the photo cuts off none, of which no cuff is seen."""
    if not _PAIRS("shoulder", "cuff_outer", "cuff_inner") <= points.keys():
        return parts
    out, place = parts.copy(), lambda name: np.array(points[name][:2])
    across = place("shoulder_left") - place("shoulder_right")
    wide = float(np.linalg.norm(across))
    ends = {side: [place(f"{name}_{side}") for name in ("shoulder", "cuff_outer", "cuff_inner")] for side in SIDES}
    lengths = [float(np.linalg.norm((outer + inner) / 2 - shoulder)) for shoulder, outer, inner in ends.values()]
    cut_off = max((parts[:, column] > 1).sum() for column in (0, -1)) > AT_BORDER * wide
    if cut_off or min(lengths) < 0.8 * wide or max(lengths) > 1.3 * min(lengths) or abs(across[1]) > 0.2 * wide:
        return parts
    for length, (side, value) in zip(lengths, PART.items()):
        (shoulder, outer, inner), region = ends[side], np.argwhere(parts == value)[:, ::-1]
        if len(region) < 0.01 * (parts > 0).sum() or np.percentile(np.linalg.norm(region - shoulder, axis=1), 98) > 0.65 * length:
            continue
        armhole = shoulder - SIDES[side] * across / wide * max(0.22 * wide, 1.3 * float(np.linalg.norm(outer - inner)))
        strip = np.zeros(parts.shape, np.uint8)
        cv2.fillConvexPoly(strip, cv2.convexHull(np.rint((shoulder, outer, inner, armhole)).astype(np.int32)), 1)
        if (strip & (parts > 0)).sum() < 0.8 * strip.sum():  # it leads over the ground
            continue
        beyond = (np.maximum.accumulate(strip[:, ::SIDES[side]], 1)[:, ::SIDES[side]] > 0) & (parts > 0)
        if beyond.sum() < HUGE * (parts > 0).sum():
            out[parts == value] = 1
            out[beyond] = value
    return out


def other_sleeve(parts: np.ndarray, shape: Shape) -> np.ndarray:
    """HxW uint8 ``parts`` of a top of which one sleeve alone was found (``shape``), with the other one where it lies in the mirror, if there is cloth."""
    if len(shape.limbs) != 1:
        return parts
    found, = shape.limbs
    mine, other = (2, 3) if found == "right" else (3, 2)
    region, out = parts == mine, parts.copy()
    xc, outwards = float(shape.centre[:, 0].mean()), -SIDES[found]
    m = np.array(((-1.0, 0, 2 * xc), (0, 1, 0)))
    there = cv2.warpAffine(region.astype(np.uint8), m, region.shape[::-1], flags=cv2.INTER_NEAREST) > 0
    beyond = np.maximum.accumulate(there[:, ::outwards], 1)[:, ::outwards] & (parts > 0)
    if 0.6 * region.sum() < beyond.sum() < min(1.6 * region.sum(), HUGE * (parts > 0).sum()):
        out[beyond] = other
    return out


def alike(parts: np.ndarray, points: dict, shape: Shape) -> tuple[np.ndarray, dict]:
    """HxW uint8 ``parts`` and ``points`` of a top of which one sleeve was found (``shape``) and the other one is folded away, or on the torso, or nothing
    like it: shoulder and armpit are where they are in the mirror, and what lies beside a torso that is alike on both sides goes."""
    found, = shape.limbs
    other, sign, xc = "left" if found == "right" else "right", SIDES[found], float(shape.centre[:, 0].mean())
    if {"collar_left", "collar_right"} <= points.keys():
        collar = (points["collar_left"][0] + points["collar_right"][0]) / 2
        xc = collar if abs(collar - xc) < 0.2 * shape.width else xc
    points = {name: at for name, at in points.items() if name not in (f"shoulder_{other}", f"armpit_{other}")}
    for name in ("shoulder", "armpit"):
        if f"{name}_{found}" in points:
            x, y, sure = points[f"{name}_{found}"]
            points[f"{name}_{other}"] = 2 * xc - x, y, sure
    room = 2 * max(1, int(0.04 * shape.width)) + 1
    torso = cv2.dilate((parts == 1).astype(np.uint8), np.ones((1, room), np.uint8))
    mirror = np.array(((-1.0, 0, 2 * xc), (0, 1, 0)))
    inside = cv2.warpAffine(torso, mirror, parts.shape[::-1], flags=cv2.INTER_NEAREST) > 0
    near = sign * (np.arange(parts.shape[1]) - xc) > -0.25 * shape.width
    return np.where(inside | near, parts, 0).astype(np.uint8), points


def length_of(axis: np.ndarray) -> float:
    """Of a sleeve's or leg's axis Nx3, in its pixels."""
    return float(np.linalg.norm(np.diff(axis[:, :2], axis=0), axis=1).sum())


def lone(shape: Shape) -> bool:
    """Whether one sleeve alone was found of a top, a long one."""
    return len(shape.limbs) == 1 and length_of(*shape.limbs.values()) >= LONG * shape.width


def cap(shape: Shape, points: dict) -> bool:
    """Whether one sleeve alone was found of a dress and is a short one, which may as well be a strap or the end of a hanger; landmarks (name -> x, y,
    confidence) may tell that its outer edge is long."""
    if len(shape.limbs) != 1 or lone(shape):
        return False
    (side,) = shape.limbs
    edge = np.subtract(*(shape.landmarks[f"{name}_{side}"][:2] for name in ("cuff_outer", "shoulder")))
    return not sure_of_sleeves(points, (side,)) or float(np.linalg.norm(edge)) < LONG * shape.width


def unlike(shape: Shape) -> str | None:
    """The side of a top's sleeve that is so much shorter than the other one that only a piece of it was found, or so much wider that it is torso, too, or
    whose shoulder was found below its armpit."""
    if len(shape.limbs) < 2:
        return None
    length = {side: length_of(axis) / shape.width for side, axis in shape.limbs.items()}
    half = {side: float(np.median(axis[:, 2])) / shape.width for side, axis in shape.limbs.items()}
    short, wide = min(length, key=length.get), max(half, key=half.get)
    if max(length.values()) < LONG:
        return None
    at = shape.landmarks
    below = [side for side in SIDES if at[f"shoulder_{side}"][1] > at[f"armpit_{side}"][1]]
    if len(below) == 1 and all(length[side] >= LONG for side in length if side not in below):
        return below[0]
    if half[wide] > max(0.2, 2 * min(half.values())):
        return wide
    return short if length[short] < LONG and UNLIKE * length[short] < max(length.values()) else None


def set_in(parts: np.ndarray, points: dict, shape: Shape) -> tuple[np.ndarray, dict]:
    """Raglan sleeves, which begin at the collar (HxW uint8 ``parts``, ``points`` and ``shape`` of a top), cut off at the shoulder: what they cover of
    the shoulders lies there like the torso. Straps are no sleeves."""
    xc, out, points = float(shape.centre[:, 0].mean()), parts.copy(), dict(points)
    for side, value in PART.items():
        name = f"shoulder_{side}"
        if side not in shape.limbs or name not in points or abs(points[name][0] - xc) > 0.36 * shape.width:
            continue
        ys, xs = np.nonzero(parts == value)
        inner = (np.abs(xs - xc) < 0.44 * shape.width) & (ys < shape.landmarks[f"armpit_{side}"][1])
        out[ys[inner], xs[inner]] = 1
        del points[name]
    return out, points


def plausible(points: dict, shape: tuple[int, int]) -> dict:
    """Those of the landmarks that lie in the picture of the garment, and pairs the right way round and level."""
    h, w = shape
    out = {k: v for k, v in points.items() if -0.03 * w < v[0] < 1.03 * w and -0.03 * h < v[1] < 1.03 * h}
    for name in [k for k in out if k.endswith("_right")]:
        left = name.replace("_right", "_left")
        if left in out and not name.startswith("cuff_inner") and out[left][0] <= out[name][0]:
            del out[name], out[left]
    for name in ("shoulder", "collar"):  # both sides are about as high
        if {f"{name}_left", f"{name}_right"} <= out.keys():
            across, down = np.abs(np.subtract(out[f"{name}_left"][:2], out[f"{name}_right"][:2]))
            if down > ASLANT * across:
                del out[f"{name}_left"], out[f"{name}_right"]
    hems = [out[k][1] for k in ("hem_left", "hem_right") if k in out]
    high = {"collar_left", "collar_right", "shoulder_left", "shoulder_right"}
    return {k: v for k, v in out.items() if k not in high or v[1] < 0.6 * (np.mean(hems) if hems else h)}


def hems_of_torso(points: dict, parts: np.ndarray) -> dict:
    """Landmarks of a top, in pixels of its HxW ``parts``, without hems that were found at a cuff, beside its torso."""
    away = cv2.distanceTransform((parts != 1).astype(np.uint8), cv2.DIST_L2, 5)
    cuffs = [p[:2] for name, p in points.items() if name.startswith("cuff")]
    at_cuff = lambda p: away[tuple(np.clip(np.rint(p[1::-1]).astype(int), 0, np.subtract(away.shape, 1)))] > BESIDE * WORK and \
        any(np.linalg.norm(np.subtract(p[:2], cuff)) < BESIDE * WORK for cuff in cuffs)
    return {name: p for name, p in points.items() if not (name.startswith("hem") and at_cuff(p))}


def _hanging_sleeves(m: np.ndarray, xc: float, width: float) -> float | None:
    """Width of the torso when both sleeves hang against it, seen as a step between hem and cuff, else None."""
    rows = np.flatnonzero(m.any(1))
    height = len(rows)
    bottom = np.array([np.flatnonzero(m[:, x])[-1] if m[:, x].any() else -1 for x in range(m.shape[1])])
    hem = np.median(bottom[int(xc - 0.2 * width):int(xc + 0.2 * width) + 1])
    insets = []
    for sign in SIDES.values():
        reach = np.arange(int(0.26 * width), int(0.47 * width))
        columns = np.clip((xc + sign * reach).astype(int), 0, m.shape[1] - 1)
        off = np.abs(bottom[columns] - hem) > 0.045 * height
        # The step is where the outline leaves the hem for good.
        if not off[-max(3, len(off) // 5):].all():
            return None
        first = len(off) - int(np.argmin(off[::-1])) if not off.all() else 0
        if first == 0:
            return None
        insets.append(reach[min(first, len(reach) - 1)])
    return 2 * float(np.mean(insets)) if min(insets) > 0.7 * max(insets) else None


def columns_between(landmarks: dict, width: int) -> np.ndarray:
    """Columns strictly between the two collar points (at least one)."""
    a, b = sorted((landmarks["collar_left"][0], landmarks["collar_right"][0]))
    return np.clip(np.arange(int(a), max(int(b), int(a) + 1) + 1), 0, width - 1)


def _lower(m: np.ndarray, subcategory: str, told: tuple[float, float, float] | None = None) -> Shape:
    """told: x, y and confidence of the crotch that a network found, where legs of trousers begin if they touch below it."""
    rows = np.flatnonzero(m.any(1))
    top, height = rows[0], len(rows)
    at = lambda f: int(top + f * (height - 1))
    across = lambda a, b: np.array([np.flatnonzero(m[y])[[0, -1]] for y in range(at(a), at(b) + 1) if m[y].any()] or [np.flatnonzero(m.any(0))[[0, -1]]])
    waist = across(0.02, 0.08)
    left, right = float(np.median([w[0] for w in waist])), float(np.median([w[1] for w in waist]))
    # A tilted garment shows only one corner in its first rows: then the hips tell.
    hips = across(0.15, 0.35)
    if right - left < 0.6 * np.median(hips[:, 1] - hips[:, 0]):
        a, b = np.median(hips, 0)
        left, right = (a + b) / 2 - 0.4 * (b - a), (a + b) / 2 + 0.4 * (b - a)
    xc, width = (left + right) / 2, right - left
    landmarks = {"waist_right": (left, at(0.02), 0.9), "waist_left": (right, at(0.02), 0.9)}
    limbs = {}
    if subcategory != "skirt":
        # The crotch: the column near the centre whose first run from the top ends earliest.
        columns = range(int(max(0, xc - 0.25 * width)), int(min(m.shape[1] - 1, xc + 0.25 * width)) + 1)
        ends = {x: next((r[1] for r in runs(m[:, x]) if r[1] > at(0.1)), at(1.0)) for x in columns}
        x = min(ends, key=lambda c: (ends[c], abs(c - xc)))
        seen = at(0.15) < ends[x] < at(0.88 if subcategory == "shorts" else 0.52)  # lower down, the legs only touch
        crotch = (float(x), float(ends[x])) if seen else (xc, float(at(0.62 if subcategory == "shorts" else 0.34)))
        crotch = told[:2] if told and subcategory == "trousers" and not seen else crotch
        landmarks["crotch"] = (*crotch, 0.9 if seen else 0.3)
        for side, sign in SIDES.items():
            leg = (_short_leg if subcategory == "shorts" else _leg)(m, crotch, sign, 0.3 * width)
            if leg is not None:
                limbs[side], (outer, inner) = leg
                landmarks[f"hem_{side}"], landmarks[f"leg_inner_{side}"] = (*outer, 0.8), (*inner, 0.8)
    if not limbs:
        row = np.flatnonzero(m[rows[int(0.97 * (height - 1))]])
        landmarks["hem_right"], landmarks["hem_left"] = (float(row[0]), at(0.97), 0.9), (float(row[-1]), at(0.97), 0.9)
    return Shape(width, np.array(((xc, top), (xc, rows[-1])), float), landmarks, limbs)


def _short_leg(m: np.ndarray, crotch: tuple[float, float], sign: int, least: float) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray]] | None:
    """As ``_leg``, of shorts, whose hems are slanted whichever way they lie: straight from the crotch's height to the middle of the hem."""
    row = np.flatnonzero(m[int(crotch[1])])
    found = runs(np.isin(np.arange(m.shape[1]), row[row > crotch[0]] if sign > 0 else row[row <= crotch[0]]))
    if not found:
        return None
    a, b = max(found, key=lambda r: r[1] - r[0])
    region = np.zeros_like(m)
    across = np.s_[int(crotch[0]) + 1:] if sign > 0 else np.s_[:int(crotch[0]) + 1]
    region[int(crotch[1]):, across] = m[int(crotch[1]):, across]
    region = largest(region)
    columns = np.flatnonzero(region.any(0))
    spread = len(columns) and max(a - columns[0], columns[-1] - b) > SPREAD * (b - a + 1)  # wider below than where it begins
    columns = columns if spread else np.arange(a, b + 1)
    bottom = len(m) - 1 - m[::-1, columns].argmax(0)
    out = np.abs(columns - crotch[0])
    hem = out >= out[(bottom - INWARDS * out).argmax()] if spread else bottom > crotch[1]  # from its inner corner on
    columns, bottom = columns[hem], bottom[hem]
    if not len(columns) or bottom.mean() - crotch[1] < least:
        return None
    x, y, half = columns.mean(), bottom.mean(), (np.ptp(columns) + 1) / 2
    slope = float(np.polyfit(columns, bottom, 1)[0]) if spread else 0.0
    axis = np.array((((a + b) / 2, crotch[1], (b - a + 1) / 2), (x, y, half * np.hypot(1, slope))), np.float32)
    return axis, (np.array((x + sign * half, y + sign * half * slope)), np.array((x - sign * half, y - sign * half * slope)))


def _leg(m: np.ndarray, crotch: tuple[float, float], sign: int, least: float, points: int = 7) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray]] | None:
    """Axis Nx3 (x, y, half width) of the leg on one side (``sign`` of SIDES) of the ``crotch`` (x, y) of trousers m (bool HxW), from the crotch's height to the
    middle of its hem, and the outer and inner corner of that (x, y); None if it is not as long as ``least``. A leg that lies aslant has a hem that does."""
    y = int(crotch[1])
    region = np.zeros_like(m)
    columns = np.s_[int(crotch[0]) + 1:] if sign > 0 else np.s_[:int(crotch[0]) + 1]
    region[y:, columns] = m[y:, columns]
    region = largest(region)
    first = np.flatnonzero(region[y])
    at = np.argwhere(region)[:, ::-1].astype(float)
    if len(at) < 12 or not len(first):
        return None
    outer, inner = (first[-1], first[0]) if sign > 0 else (first[0], first[-1])
    start = np.array(((outer, y), (inner, y)), float)
    down = at[at[:, 1] >= np.percentile(at[:, 1], 80)].mean(0) - start.mean(0)
    if down[1] < least:
        return None
    down /= np.linalg.norm(down)
    out = sign * np.array((down[1], -down[0]))
    ends = np.stack([at[(at @ (down + side * out)).argmax()] for side in (1, -1)])
    axis, shares, steps = [], [], np.linspace(-0.5, 1.5, 2 * WORK)[:, None]
    for share in np.minimum(np.linspace(0, 1, points), NEAR_HEM):
        a, b = start + share * (ends - start)  # from an outer to an inner point, and beyond both
        on = np.rint(a + steps * (b - a)).astype(int)
        inside = ((on >= 0) & (on < m.shape[::-1])).all(1)
        inside[inside] = region[on[inside, 1], on[inside, 0]]
        found = [r for r in runs(inside) if steps[r[1]] > 0 and steps[r[0]] < 1]
        if found:
            low, high = steps[list(max(found, key=lambda r: r[1] - r[0])), 0]
            axis.append((*(a + (low + high) / 2 * (b - a)), *((high - low) / 2 * (b - a))))
            shares.append(share)
    if len(axis) < 3:
        return None
    axis, halves = np.array(axis, np.float32)[:, :2], np.array(axis)[:, 2:]
    way = np.gradient(axis, axis=0)
    axis = np.column_stack((axis, np.abs(halves[:, 0] * way[:, 1] - halves[:, 1] * way[:, 0]) / np.linalg.norm(way, axis=1)))  # across it
    axis[-1, :2] += (axis[-1, :2] - axis[-2, :2]) * (1 - shares[-1]) / (shares[-1] - shares[-2])
    return axis.astype(np.float32), (ends[0], ends[1])


def _hat(m: np.ndarray) -> Shape:
    rows = np.flatnonzero(m.any(1))
    widths = m.sum(1)
    brim = int(rows[0] + np.argmax(widths[rows[0]:] > 0.92 * widths.max()))
    row = np.flatnonzero(m[brim])
    xc = float(row[[0, -1]].mean())
    landmarks = {"crown": (xc, float(rows[0]), 0.8), "brim_right": (float(row[0]), brim, 0.7), "brim_left": (float(row[-1]), brim, 0.7)}
    return Shape(float(row[-1] - row[0] + 1), np.array(((xc, rows[0]), (xc, rows[-1])), float), landmarks)
