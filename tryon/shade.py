"""Shade: what light does to cloth that lies on a body, and that a product photo, laid flat, does not show.

Cloth turns away from the camera towards its sides; what lies in front of it keeps light from it, and it from what it hangs over (ambient
occlusion, in the plane of the picture: the blurred mask of what is in front). Worked out at a quarter of the size.
"""
from collections.abc import Iterable

import cv2
import numpy as np

from tryon import schema as S
from tryon.landmarks import along
from tryon.masks import box_of, distance_to

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
# Light on bare limbs: rows at so many bones from the first joint, columns from the outer side to the inner one, which is darker, in units of a limb's median.
# Kneecaps and shins, elbows and forearms. Medians of 373 legs and 262 arms of CCP's train split, whose outer sides face the sky; SIDEWAYS: how the
# logarithm changes where the light on the face rises by 1 towards the outer side (``lit_from``).
ACROSS = (-0.9, -0.6, -0.3, 0.0, 0.3, 0.6, 0.9)  # half widths
ON_LEG = np.float32((
    (0.8, 0.9, 0.95, 0.94, 0.865, 0.755, 0.665), (0.94, 1.015, 1.025, 0.985, 0.9, 0.765, 0.71), (0.99, 1.08, 1.075, 1.025, 0.94, 0.8, 0.76),
    (0.965, 1.035, 1.015, 0.975, 0.885, 0.795, 0.805), (0.96, 0.98, 0.93, 0.875, 0.81, 0.77, 0.8), (0.99, 1.015, 0.94, 0.89, 0.845, 0.815, 0.85),
    (1.025, 1.075, 1.01, 0.955, 0.905, 0.865, 0.895), (1.03, 1.125, 1.085, 1.045, 0.995, 0.94, 0.945), (0.99, 1.085, 1.075, 1.05, 1.02, 0.98, 0.985),
    (0.965, 1.055, 1.045, 1.025, 1.0, 0.97, 0.99), (0.96, 1.06, 1.07, 1.06, 1.045, 1.01, 0.98), (0.97, 1.06, 1.085, 1.085, 1.09, 1.045, 1.005)))
ALONG_LEG = (0.45, 0.6, 0.78, 0.88, 0.98, 1.06, 1.14, 1.25, 1.4, 1.6, 1.85, 1.97)
ON_ARM = np.float32((
    (0.995, 1.055, 1.06, 1.02, 0.955, 0.915, 0.865), (0.955, 1.005, 1.025, 1.005, 0.93, 0.85, 0.8), (0.925, 1.005, 1.035, 1.025, 0.975, 0.875, 0.735),
    (0.9, 1.015, 1.05, 1.025, 0.96, 0.815, 0.65), (0.925, 1.03, 1.045, 1.0, 0.92, 0.78, 0.665), (0.98, 1.095, 1.095, 1.03, 0.955, 0.83, 0.68),
    (0.975, 1.11, 1.13, 1.08, 1.01, 0.875, 0.725), (0.925, 1.07, 1.11, 1.09, 1.03, 0.89, 0.72), (0.9, 1.03, 1.085, 1.075, 1.01, 0.87, 0.725),
    (0.94, 1.04, 1.085, 1.075, 1.03, 0.915, 0.815), (0.925, 1.02, 1.085, 1.075, 1.04, 0.99, 0.925)))
ALONG_ARM = (0.1, 0.3, 0.5, 0.7, 0.85, 0.98, 1.1, 1.25, 1.5, 1.8, 1.97)
SIDEWAYS_LEG, SIDEWAYS_ARM = (0.64, 0.6, 0.33, 0.0, -0.28, -0.47, -0.53), (0.52, 0.42, 0.12, -0.11, -0.36, -0.55, -0.6)
ASIDE, LEAST = 2.0, 0.06  # times that, as the light on a face tells but a fifth of what varies; and the least light from aside
CLEARER = 1.3  # power of those medians: of people who stand differently they are softer than any of them
MEETS = (0.34, 0.04), (0.35, 0.01)  # how much darker legs are where they meet, and the torso lengths within which that fades
CREASE = 0.36  # how much darker it is between fingers
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


def on_limb(points: np.ndarray, line: np.ndarray, radii: np.ndarray, joint: int, inner: int, arm: bool, light: np.ndarray) -> np.ndarray:
    """Factor N of points Nx2 of a bare limb: what the light of the street makes of its sides, of knees, shins and elbows. line Kx2 and radii K: a limb and its half
    widths (tryon.limbs.limbs); joint: which of them is knee or elbow; inner: 1 where its inner side is to the left of the picture, going down, -1 where it is
    to the right; light: that on the face (``lit_from``)."""
    few = np.arange(0, len(line), 2)
    t, u, _ = along(points, line[few])
    at = np.interp(t, np.concatenate(([0], np.cumsum(np.linalg.norm(np.diff(line[few], axis=0), axis=1)))), few)
    return measured(at / joint, u / np.maximum(np.interp(at, np.arange(len(line)), radii), 1e-3), inner, arm, light)


def measured(bones: np.ndarray, across: np.ndarray, inner: int, arm: bool, light: np.ndarray) -> np.ndarray:
    """The factors N of ``on_limb`` of places so many bones from the first joint, and so many half widths to the left of the middle, going down (N each)."""
    rows, table, sideways = (ALONG_ARM, ON_ARM, SIDEWAYS_ARM) if arm else (ALONG_LEG, ON_LEG, SIDEWAYS_LEG)
    aside = ASIDE * np.copysign(max(abs(light[0]), LEAST), light[0]) if light[0] else 0.0
    table = table ** CLEARER * np.exp(inner * aside * np.float32(sideways))
    index = np.stack((np.interp(inner * across, ACROSS, np.arange(len(ACROSS))), np.interp(bones, rows, np.arange(len(rows)))), -1).astype(np.float32)
    return cv2.remap(table, index[None], None, cv2.INTER_LINEAR)[0]


def meet(light: np.ndarray, label: np.ndarray, unit: float) -> None:
    """Put the dark where one bare leg touches the other into ``light``, in place: a factor h x w x 3 of a picture whose ids are ``label``; unit: torso length in
    pixels."""
    legs = label == S.LEFT_LEG, label == S.RIGHT_LEG
    if all(leg.any() for leg in legs):
        both = legs[0] | legs[1]
        light[both] *= (1 - met(np.maximum(*map(distance_to, legs))[both] / unit, MEETS[:1]))[:, None] ** SKIN  # of skin no outline is drawn


def met(apart: np.ndarray, meets: tuple[tuple[float, float], ...] = MEETS) -> np.ndarray:
    """How much darker legs are so many torso lengths from where they meet: both turn away there, and between trousers it is dark."""
    return sum(dark * np.exp(-apart / near) for dark, near in meets).astype(np.float32)


def crease(light: np.ndarray, label: np.ndarray, lines: list[tuple[int, np.ndarray]], unit: float) -> None:
    """Put the dark between the fingers of painted hands into ``light``, in place: a factor h x w x 3 of a picture whose ids are ``label``; lines: class and points
    Nx2 in it; unit: torso length in pixels."""
    for cls in {cls for cls, _ in lines}:
        dark = np.zeros(label.shape, np.uint8)
        fixed = [np.rint(16 * points).astype(np.int32) for mine, points in lines if mine == cls]
        cv2.polylines(dark, fixed, False, 255, max(1, round(0.011 * unit)), cv2.LINE_AA, 4)
        mine = label == cls
        dark = cv2.GaussianBlur(dark, (0, 0), max(0.6, 0.004 * unit))[mine][:, None] / np.float32(255)
        light[mine] *= (1 - CREASE * dark) ** SKIN


def limbs(layout: np.ndarray, fill: np.ndarray, unit: float, light: np.ndarray, box: tuple[int, int, int, int], classes: Iterable[int] = LIMBS) -> np.ndarray:
    """Factor float32 h x w x 3 that makes painted limbs and necks (of ``classes``) round, in the rows and columns ``box`` (y0, y1, x0, x1): darker towards their outlines, lighter where
    the ``light`` (``lit_from``) comes from; 1 elsewhere. layout HxW ids, fill bool HxW; unit: torso length in pixels."""
    room = int(2 * THICK * unit) + 1
    y0, y1, x0, x1 = box
    top, left = max(0, y0 - room), max(0, x0 - room)
    layout, fill = (a[top:y1 + room, left:x1 + room] for a in (layout, fill))
    out = np.ones(fill.shape, np.float32)
    for cls in classes:
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
