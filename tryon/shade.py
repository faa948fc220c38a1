"""Shade: what light does to cloth that lies on a body, and that a product photo, laid flat, does not show.

Cloth turns away from the camera towards its sides; what lies in front of it keeps light from it, and it from what it hangs over (ambient
occlusion, in the plane of the picture: the blurred mask of what is in front). Worked out at a quarter of the size.
"""
import cv2
import numpy as np

from tryon import schema as S
from tryon.landmarks import along
from tryon.masks import box_of

COARSE = 4  # pixels per pixel of the shades
SIDES = 0.2  # how much darker cloth is at its very sides
ROUND = {"torso": 0.13, "sleeve": 0.05}  # torso lengths from a side within which cloth turns away
UPRIGHT = 10  # times as near counts a side as a hem
FRONT, OVER = 0.36, 0.55  # how dark is what is close to something in front of it, where that covers half of what is around
NEAR = 0.03  # torso lengths: how close
FALL = 0.012  # torso lengths: how far the shadow of what hangs over something falls below it


def _coarse(mask: np.ndarray) -> np.ndarray:
    h, w = mask.shape
    return cv2.resize(mask.astype(np.float32), (max(2, w // COARSE), max(2, h // COARSE)), interpolation=cv2.INTER_AREA)


def _fine(a: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    return cv2.resize(a.astype(np.float32), shape[::-1], interpolation=cv2.INTER_LINEAR)


def flatness(photo: np.ndarray, torso: np.ndarray) -> float:
    """How little of its sides' shade a product photo (HxWx3 uint8) shows by itself on the torso of a garment (bool HxW): 1 where they are as bright as its
    middle, 0 where they are darker by SIDES / 4 or more, about what ``turned`` does to that quarter of its width."""
    ys, xs = np.nonzero(torso)
    if len(xs) < 200:
        return 1.0
    count = np.bincount(ys, minlength=len(torso))
    centre, half = np.bincount(ys, xs, len(torso)) / np.maximum(count, 1), np.maximum(count / 2, 1)
    off = np.abs(xs - centre[ys]) / half[ys]
    light = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)[ys, xs]
    middle, sides = (float(light[at].mean()) if at.any() else 1.0 for at in (off < 0.4, (off > 0.72) & (off < 0.97)))
    return float(np.clip(1 - 4 * (1 - sides / max(middle, 1.0)) / SIDES, 0, 1))


def turned(cover: np.ndarray, unit: float, sleeve: bool, strength: float = SIDES) -> np.ndarray:
    """Factor float32 HxW of cloth (``cover`` HxW, 0..1): darker towards its sides, and of a sleeve towards its edges, by ``strength`` at the very edge.
    unit: torso length in pixels."""
    inside = (_coarse(cover) > 0.5).astype(np.uint8)
    inside = np.pad(inside, 1)  # a picture's border is a side of nothing, but of what ends there little is seen
    tall = 1 if sleeve else UPRIGHT
    stretched = cv2.resize(inside, None, fx=1, fy=tall, interpolation=cv2.INTER_NEAREST)
    deep = cv2.distanceTransform(stretched, cv2.DIST_L2, 3)[tall // 2::tall][1:-1, 1:-1] * COARSE
    out = 1 - strength * (1 - np.clip(deep / (ROUND["sleeve" if sleeve else "torso"] * unit), 0, 1)) ** 2
    across = 2 * int(np.ceil(0.03 * unit / COARSE)) + 1
    return _fine(cv2.GaussianBlur(out, (across, across if sleeve else 1), 0), cover.shape)


def beside(front: np.ndarray, unit: float, strength: float = FRONT, fall: float = 0.0) -> np.ndarray:
    """Factor float32 HxW of what is behind ``front`` (HxW, 0..1): darker close to it; ``fall``: torso lengths that its shadow falls. unit: torso length in
    pixels."""
    mask = _coarse(front)
    if fall:
        mask = cv2.warpAffine(mask, np.array(((1.0, 0, 0), (0, 1, fall * unit / COARSE))), mask.shape[::-1], borderMode=cv2.BORDER_REPLICATE)
    return _fine(1 - strength * cv2.GaussianBlur(mask, (0, 0), max(0.8, NEAR * unit / COARSE)), front.shape)


OPEN = 0.25  # of that shadow, what falls on a chest in a neck opening, which faces the light
TOPS = (S.UPPER, S.OUTER, S.FULL)
LIMBS = (S.NECK, S.LEFT_ARM, S.RIGHT_ARM, S.LEFT_LEG, S.RIGHT_LEG)
# Light on bare limbs, all in all 1: rows at so many bones from the first joint, columns from the outer side to the inner one, which is darker. Means of 278
# legs and 355 arms of CCP's train split, of each in units of its median: kneecaps and shins, elbows and forearms.
ACROSS = (-0.8, -0.4, 0.0, 0.4, 0.8)  # half widths
ON_LEG = np.float32((
    (0.95, 0.955, 0.94, 0.9, 0.82), (0.95, 0.98, 0.98, 0.93, 0.84), (0.97, 0.975, 0.96, 0.91, 0.85), (0.97, 0.93, 0.88, 0.84, 0.82), (1.01, 0.965, 0.92, 0.885, 0.86),
    (1.06, 1.05, 1.02, 0.96, 0.92), (1.06, 1.08, 1.05, 1.0, 0.96), (1.02, 1.04, 1.04, 1.01, 0.98), (1.02, 1.04, 1.04, 1.02, 0.99), (1.06, 1.09, 1.1, 1.095, 1.07)))
ALONG_LEG = (0.46, 0.71, 0.88, 1.04, 1.13, 1.21, 1.29, 1.46, 1.8, 1.96)
ON_ARM = np.float32((
    (0.95, 0.95, 0.98, 0.96, 0.9), (0.97, 0.98, 0.97, 0.93, 0.85), (1.04, 1.01, 0.95, 0.89, 0.81), (1.09, 1.075, 1.02, 0.93, 0.84), (1.02, 1.05, 1.04, 0.985, 0.89),
    (1.01, 1.06, 1.06, 1.0, 0.88), (1.01, 1.01, 0.99, 0.935, 0.88)))
ON_LEG, ON_ARM = (table.mean(1, keepdims=True) + (table - table[:, ::-1]) / 2 for table in (ON_LEG, ON_ARM))  # ``limbs`` makes both sides round
ALONG_ARM = (0.3, 0.63, 0.88, 1.04, 1.3, 1.7, 1.95)
EDGE = 0.3  # how much darker a limb is at its outline
SKIN = np.float32((0.8, 1.05, 1.15))  # powers of a shade by channel: light that went through skin is red
THICK = 0.09  # torso lengths: the most of a limb's thickness that is seen to be round
SIDE = 0.16  # the most that one side is darker, or lighter, than the middle


def lit_from(image: np.ndarray, face: np.ndarray) -> np.ndarray:
    """Where the light on a face comes from (image HxWx3, face bool HxW): x and y, by how much brightness rises on the way from its middle to where it
    ends, -SIDE..SIDE. Zeros where no face is seen."""
    ys, xs = np.nonzero(face)
    if len(xs) < 40:
        return np.zeros(2)
    light = image[ys, xs].astype(np.float32) @ np.float32((0.3, 0.59, 0.11))
    at = np.stack((xs - xs.mean(), ys - ys.mean()), 1)
    at /= 2 * at.std(0) + 1e-6  # half of what is as wide
    slope = np.linalg.lstsq(np.column_stack((at, np.ones(len(at)))), light, rcond=None)[0][:2]
    return np.clip(slope / max(float(light.mean()), 1.0), -SIDE, SIDE)


def on_limb(points: np.ndarray, line: np.ndarray, radii: np.ndarray, joint: int, inner: int, arm: bool) -> np.ndarray:
    """Factor N of points Nx2 of a bare limb: what the light of the street makes of knees, shins and elbows. line Kx2 and radii K: a limb and its half
    widths (tryon.limbs.limbs); joint: which of them is knee or elbow; inner: 1 where its inner side is to the left of the picture, going down, -1 where it is
    to the right."""
    t, u, _ = along(points, line)
    step = np.concatenate(([0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))))
    at = np.interp(t, step, np.arange(len(line)))
    u = inner * u / np.maximum(np.interp(at, np.arange(len(line)), radii), 1e-3)
    rows, table = (ALONG_ARM, ON_ARM) if arm else (ALONG_LEG, ON_LEG)
    index = np.stack((np.interp(u, ACROSS, np.arange(len(ACROSS))), np.interp(at / joint, rows, np.arange(len(rows)))), -1).astype(np.float32)
    return cv2.remap(table, index[None], None, cv2.INTER_LINEAR)[0]


def limbs(layout: np.ndarray, fill: np.ndarray, unit: float, light: np.ndarray, box: tuple[int, int, int, int]) -> np.ndarray:
    """Factor float32 h x w x 3 that makes painted limbs and necks round, in the rows and columns ``box`` (y0, y1, x0, x1): darker towards their outlines, lighter where
    the ``light`` (``lit_from``) comes from; 1 elsewhere. layout HxW ids, fill bool HxW; unit: torso length in pixels."""
    room = int(2 * THICK * unit) + 1
    y0, y1, x0, x1 = box
    top, left = max(0, y0 - room), max(0, x0 - room)
    layout, fill = (a[top:y1 + room, left:x1 + room] for a in (layout, fill))
    out = np.ones(fill.shape, np.float32)
    for cls in LIMBS:
        todo = fill & (layout == cls)
        if not todo.any():
            continue
        ya, yb, xa, xb = box_of(todo)
        around = np.s_[max(0, ya - room):yb + room, max(0, xa - room):xb + room]
        # A neckline is where a garment ends, not a neck.
        inside = np.isin(layout[around], (cls, *TOPS) if cls == S.NECK else cls)
        deep = cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, 5)
        step = max(1, int(0.02 * unit))
        small = cv2.resize(deep, (max(1, deep.shape[1] // step), max(1, deep.shape[0] // step)), interpolation=cv2.INTER_AREA)
        half = cv2.blur(cv2.dilate(small, np.ones((5, 5), np.uint8)), (5, 5))  # of the thickness there
        half = np.clip(cv2.resize(half, deep.shape[::-1], interpolation=cv2.INTER_LINEAR), 0.02 * unit, THICK * unit)
        away = 1 - np.clip(deep / half, 0, 1)  # from the middle, 0..1
        smooth = cv2.GaussianBlur(deep, (0, 0), max(1.0, 0.012 * unit))
        slope = [cv2.Sobel(smooth, cv2.CV_32F, dx, 1 - dx, ksize=3, scale=1 / 8) for dx in (1, 0)]
        lit = -(slope[0] * light[0] + slope[1] * light[1]) * away
        np.copyto(out[around], 1.03 - EDGE * away ** 2.2 + lit, where=todo[around])
    out = cv2.GaussianBlur(out, (0, 0), max(1.0, 0.01 * unit))[y0 - top:y1 - top, x0 - left:x1 - left]
    return out[..., None] ** SKIN
