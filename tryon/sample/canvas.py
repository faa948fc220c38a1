"""Solid parts of a figure (limbs as tubes, the trunk and skirts as slabs) and the canvas that paints skin and cloth on them.

A part is a signed distance field with coordinates across and along, so that light, folds, prints and cuffs follow it.
"""
from dataclasses import dataclass

import cv2
import numpy as np

from tryon.sample import textures as T


@dataclass
class Field:
    """One solid part in the window ``box`` (y0, y1, x0, x1): signed distance, coordinates across (-1..1) and along (px), height (px)."""

    box: tuple[int, int, int, int]
    sdf: np.ndarray
    u: np.ndarray
    v: np.ndarray
    radius: np.ndarray
    height: np.ndarray

    @property
    def alpha(self) -> np.ndarray:
        return np.clip(0.5 - self.sdf, 0, 1)

    def cut(self, beyond: np.ndarray) -> "Field":
        """Take away where ``beyond`` (px, HxW) is positive."""
        self.sdf = np.maximum(self.sdf, beyond)
        return self


def window(shape, x0, y0, x1, y1):
    h, w = shape
    return max(int(y0), 0), min(int(y1) + 1, h), max(int(x0), 0), min(int(x1) + 1, w)


def tube(shape, points, radii, step: int = 2) -> Field | None:
    """A limb along ``points`` (N, 2) px with ``radii`` (N,) px; computed every ``step`` pixels. None outside the picture."""
    path = T.spline(np.column_stack((points, radii)), 5)
    reach = path[:, 2].max() + 3
    y0, y1, x0, x1 = box = window(shape, *(path[:, :2].min(0) - reach), *(path[:, :2].max(0) + reach))
    if y1 - y0 < 2 or x1 - x0 < 2:
        return None
    xs = np.arange(x0, x1, step, dtype=np.float32) + (step - 1) / 2
    ys = np.arange(y0, y1, step, dtype=np.float32)[:, None] + (step - 1) / 2
    axis = np.full((len(ys), len(xs)), 1e6, np.float32)  # distance to the centre line
    sdf, u, v, radius = axis.copy(), np.zeros_like(axis), np.zeros_like(axis), np.ones_like(axis)
    start = 0.0
    for (ax, ay, ar), (bx, by, br) in zip(path[:-1], path[1:]):
        length = max(float(np.hypot(bx - ax, by - ay)), 1e-3)
        dx, dy = (bx - ax) / length, (by - ay) / length
        px, py = xs - ax, ys - ay
        t = np.clip(px * dx + py * dy, 0, length)
        side = px * dy - py * dx
        r = ar + (br - ar) / length * t
        d = np.sqrt((px - t * dx) ** 2 + (py - t * dy) ** 2)
        near = d < axis
        axis, sdf, radius = np.where(near, d, axis), np.where(near, d - r, sdf), np.where(near, r, radius)
        u, v = np.where(near, side / r, u), np.where(near, start + t, v)
        start += length
    if step > 1:
        size = (x1 - x0, y1 - y0)
        whole = (len(xs) * step, len(ys) * step)
        sdf, u, v, radius = (cv2.resize(a, whole, interpolation=cv2.INTER_LINEAR)[: size[1], : size[0]] for a in (sdf, u, v, radius))
    inner = np.clip(1 + sdf / radius, 0, 0.985)
    return Field(box, sdf, np.clip(u, -1, 1), v, radius, radius * np.sqrt(1 - inner**2))


def slab(shape, ys, left, right, top, bottom, depth: float = 0.5, tilt=(0.0, 0.0)) -> Field | None:
    """The trunk or a skirt: rows between ``left`` and ``right`` (px at heights ``ys``), below ``top`` and above ``bottom``
    ((N, 2) curves). Rows lean by the slopes ``tilt`` (at the first and the last row)."""
    y0, y1, x0, x1 = box = window(shape, left.min() - 3, top[:, 1].min() - 3, right.max() + 3, bottom[:, 1].max() + 3)
    if y1 - y0 < 2 or x1 - x0 < 2:
        return None
    xs, yy = np.arange(x0, x1, dtype=np.float32), np.arange(y0, y1, dtype=np.float32)
    middle = float(left.mean() + right.mean()) / 2
    slope = np.interp(yy, ys[[0, -1]], tilt).astype(np.float32)[:, None]
    y = yy[:, None] - slope * (xs - middle)
    a, b = (np.interp(y, ys, side).astype(np.float32) for side in (left, right))
    centre, half = (a + b) / 2, np.maximum((b - a) / 2, 1)
    u = (xs - centre) / half
    ceiling, floor = np.interp(xs, *top.T).astype(np.float32), np.interp(xs, *bottom.T).astype(np.float32)
    steep = np.sqrt(1 + np.gradient(ceiling) ** 2)
    sdf = np.maximum(np.maximum((np.abs(u) - 1) * half * 0.97, (ceiling - y) / steep), y - floor)
    inner = np.clip(np.abs(u), 0, 0.985)
    return Field(box, sdf, np.clip(u, -1, 1), y, half, depth * half * np.sqrt(1 - inner**2.4))


def merge(shape, parts: list) -> Field | None:
    """The union of fields; coordinates and height come from the part that is deepest at each pixel."""
    parts = [p for p in parts if p is not None]
    if not parts:
        return None
    y0, x0 = min(p.box[0] for p in parts), min(p.box[2] for p in parts)
    y1, x1 = max(p.box[1] for p in parts), max(p.box[3] for p in parts)
    maps = [np.full((y1 - y0, x1 - x0), fill, np.float32) for fill in (1e6, 0, 0, 1, 0)]
    for p in parts:
        at = slice(p.box[0] - y0, p.box[1] - y0), slice(p.box[2] - x0, p.box[3] - x0)
        near = p.sdf < maps[0][at]
        for whole, part in zip(maps[:4], (p.sdf, p.u, p.v, p.radius)):
            whole[at] = np.where(near, part, whole[at])
        maps[4][at] = np.maximum(maps[4][at], np.where(p.sdf < 1, p.height, 0))
    return Field((y0, y1, x0, x1), *maps)


class Canvas:
    """The picture being painted: ``image`` float32 HxWx3 in 0..1 and ``parse`` HxW; ``unit`` is one head in pixels."""

    def __init__(self, image: np.ndarray, unit: float, origin, grain: np.random.Generator):
        self.image, self.unit, self.origin = image, unit, np.asarray(origin, np.float32)
        self.shape, self.grain = image.shape[:2], grain
        self.parse = np.zeros(self.shape, np.uint8)

    def px(self, points) -> np.ndarray:
        return np.asarray(points, np.float32) * self.unit + self.origin

    def over(self, box, alpha, rgb, cls: int | None) -> None:
        y0, y1, x0, x1 = box
        view = self.image[y0:y1, x0:x1]
        view += alpha[..., None] * (rgb - view)
        if cls is not None:
            self.parse[y0:y1, x0:x1][alpha >= 0.5] = cls

    def shade(self, alpha, box, amount: float, spread: float, shift=(0.35, 0.5), where=None) -> None:
        """Soft contact shadow of a part on what is already painted."""
        y0, y1, x0, x1 = box
        pad = int(3 * spread) + 1
        Y0, Y1, X0, X1 = window(self.shape, x0 - pad, y0 - pad, x1 + pad, y1 + pad)
        soft = np.zeros((Y1 - Y0, X1 - X0), np.float32)
        soft[y0 - Y0 : y1 - Y0, x0 - X0 : x1 - X0] = alpha if where is None else alpha * where
        m = np.float32([[1, 0, shift[0] * spread], [0, 1, shift[1] * spread]])
        soft = cv2.GaussianBlur(cv2.warpAffine(soft, m, soft.shape[::-1]), (0, 0), spread)
        soft *= np.where(self.parse[Y0:Y1, X0:X1] > 0, amount, 0.12 * amount)
        self.image[Y0:Y1, X0:X1] *= 1 - soft[..., None]

    def polygon(self, points, rgb, cls=None, blur=0.0, opacity=1.0, within=None) -> None:
        """Paint a small flat polygon (heads), for instance an eye. ``within`` limits it to an alpha map of the whole picture."""
        p = self.px(points)
        pad = 3 * blur + 2
        y0, y1, x0, x1 = box = window(self.shape, *(p.min(0) - pad), *(p.max(0) + pad))
        if y1 > y0 and x1 > x0:
            alpha = opacity * T.fill((y1 - y0, x1 - x0), p - (x0, y0), blur)
            self.over(box, alpha if within is None else alpha * within[y0:y1, x0:x1], np.float32(rgb), cls)

    def line(self, points, rgb, width: float, blur=0.0, opacity=1.0) -> None:
        p = self.px(points)
        pad = 3 * blur + width * self.unit + 2
        y0, y1, x0, x1 = box = window(self.shape, *(p.min(0) - pad), *(p.max(0) + pad))
        if y1 > y0 and x1 > x0:
            self.over(box, opacity * T.stroke((y1 - y0, x1 - x0), [p - (x0, y0)], width * self.unit, blur), np.float32(rgb), None)

    def skin(self, part: Field | None, tone, cls: int, contact=0.35, where=None, melt=None) -> None:
        """Paint skin; ``melt`` (HxW in 0..1) thins the paint on the part that this one grows out of."""
        if part is None:
            return
        self.shade(part.alpha, part.box, contact, 0.05 * self.unit, where=where)
        light = T.lit(cv2.GaussianBlur(0.8 * part.height, (0, 0), max(0.02 * self.unit, 0.6)))
        alpha = part.alpha
        if melt is not None:
            y0, y1, x0, x1 = part.box
            alpha = alpha * np.where(self.parse[y0:y1, x0:x1] > 0, melt, 1)
        self.over(part.box, alpha, tone * warm(light), cls)

    def wear(self, part: Field | None, cloth: T.Cloth, cls: int, rng, lines=(), flutes=0.0, contact=0.5, where=None, marks=None) -> None:
        """Paint cloth on a part: low-frequency folds, ``lines`` of creases (heads), vertical ``flutes`` (height in heads)."""
        if part is None:
            return
        y0, y1, x0, x1 = part.box
        unit, size = self.unit, part.sdf.shape
        self.shade(part.alpha, part.box, contact, 0.07 * unit, where=where)
        height = 0.75 * part.height
        height = height + 0.011 * unit * cloth.fold * T.noise(size, 0.16 * unit, self.grain, rng.uniform(1.2, 2.4))
        height += 0.022 * unit * cloth.fold * T.noise(size, 0.42 * unit, self.grain, 1.6)
        if flutes:
            fall = np.clip((part.v - part.v[part.sdf < 0].min(initial=1e6)) / (1.6 * unit), 0, 1)
            height += (flutes * unit * fall * np.cos(part.u * rng.uniform(8, 14) + rng.uniform(0, 6) + 0.6
                * T.noise(size, 0.5 * unit, self.grain, 3)))
        px = [T.spline(self.px(line)) - (x0, y0) for line in lines]
        T.creases(height, px[::2], 0.075 * unit, 0.03 * unit * cloth.fold)
        T.creases(height, px[1::2], 0.05 * unit, -0.022 * unit * cloth.fold)
        light = T.lit(cv2.GaussianBlur(height, (0, 0), max(0.012 * unit, 0.5)))
        light = light * (1 - 0.22 * np.exp(np.minimum(part.sdf, 0) / (0.03 * unit)))  # the cloth turns away at its border
        albedo = cloth.albedo(part.u * part.radius, part.v)
        if marks is not None:
            albedo = marks(albedo, part)
        self.over(part.box, part.alpha, albedo * light[..., None] + sheen(light), cls)


def warm(light: np.ndarray) -> np.ndarray:
    """Light on skin HxW -> HxWx3: blood shows in the shadows."""
    dark = np.clip(1 - light, 0, 1)[..., None]
    return light[..., None] * (1 + dark * np.float32((0.16, -0.06, -0.12)))


def sheen(light: np.ndarray) -> np.ndarray:
    """A little light that even black cloth reflects, HxWx1."""
    return 0.045 * np.clip(light - 0.55, 0, 1)[..., None]
