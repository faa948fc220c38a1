"""Drawn product photos: flat garments with cloth, print, folds and seams, their exact mask and landmarks.

Measured in heads of the wearer: x = 0 is the middle of the garment, y = 0 the point where shoulder meets collar (upper,
full) or the waist (lower). The wearer's left is on the right of the picture, at positive x.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from tryon import schema as S
from tryon.sample import textures as T

SIDES = {1: "left", -1: "right"}
CATEGORY = {sub: category for category, subs in S.SUBCATEGORIES.items() for sub in subs}


@dataclass
class SampleGarment:
    """``image`` HxWx3 uint8 RGB, ``mask`` HxW uint8 0/255, ``landmarks`` name -> (x, y) px, names of schema.LANDMARKS; ``inner`` HxW uint8 0/255: what of
    the mask a wearer's neck hides."""

    id: str
    title: str
    category: str
    subcategory: str
    image: np.ndarray
    mask: np.ndarray
    landmarks: dict[str, tuple[float, float]]
    inner: np.ndarray


class Table:
    """The garment lying on its ground. ``extent`` is (x0, y0, x1, y1) in heads, what the picture has to show."""

    def __init__(self, size: tuple[int, int], extent, rng: np.random.Generator):
        h, w = size
        x0, y0, x1, y1 = extent
        self.shape, self.rng, self.grain = size, rng, T.fork(rng)
        self.unit = min(h / (y1 - y0), w / (x1 - x0)) * rng.uniform(0.84, 0.95)
        angle = np.radians(rng.normal(0, 1.0))
        self.turn = np.float32([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) * self.unit
        self.origin = np.float32((w / 2, h / 2)) - self.turn @ np.float32(((x0 + x1) / 2, (y0 + y1) / 2))
        self.wave = rng.normal(0, 0.012, (2, 2)), rng.uniform(0, 6, (2, 2))  # nothing lies perfectly symmetric
        self.paint, self.alpha = np.zeros((h, w, 3), np.float32), np.zeros((h, w), np.float32)
        self.inner = np.zeros((h, w), np.float32)
        self.landmarks = {}

    def px(self, points) -> np.ndarray:
        p = np.asarray(points, np.float32)
        (a, b), (c, d) = self.wave[0]
        (e, f), (g, i) = self.wave[1]
        bent = p + np.stack((a * np.sin(1.7 * p[..., 1] + e) + b * np.sin(2.3 * p[..., 0] + f),
            c * np.sin(1.9 * p[..., 0] + g) + d * np.sin(1.3 * p[..., 1] + i)), -1)
        return bent @ self.turn.T.astype(np.float32) + self.origin

    def mark(self, **points) -> None:
        for name, p in points.items():
            self.landmarks[name] = tuple(float(v) for v in self.px(p))

    def box(self, p, pad: float):
        h, w = self.shape
        (x0, y0), (x1, y1) = p.min(0) - pad, p.max(0) + pad
        return max(int(y0), 0), min(int(y1) + 2, h), max(int(x0), 0), min(int(x1) + 2, w)

    def lay(self, points, cloth: T.Cloth, lines=(), angle=0.0, round_=0.2, shadow=0.45, tint=1.0, flutes=None, decorate=None,
            fold=1.0, inner=False) -> None:
        """Lay one piece of cloth: outline and crease ``lines`` in heads; ``angle`` turns the grain (radians); ``flutes`` is
        (count, height) of vertical folds that deepen downwards; ``decorate(albedo, x, y)`` paints on it, x and y in heads;
        ``inner``: a wearer's neck hides it."""
        p, unit, rng = self.px(points), self.unit, self.grain
        y0, y1, x0, x1 = self.box(p, 3)
        size = (y1 - y0, x1 - x0)
        alpha = T.fill(size, p - (x0, y0))
        self.cast(alpha, (y0, y1, x0, x1), shadow)
        k = cloth.fold * fold
        height = T.relief(alpha, round_ * unit) * 0.75
        height += unit * k * (0.010 * T.noise(size, 0.14 * unit, rng, rng.uniform(1.2, 2.5)) + 0.03 * T.noise(size, 0.45 * unit, rng, 1.8))
        yy, xx = np.mgrid[y0:y1, x0:x1].astype(np.float32)
        inverse = np.linalg.inv(self.turn).astype(np.float32)
        gx, gy = xx - self.origin[0], yy - self.origin[1]
        x, y = inverse[0, 0] * gx + inverse[0, 1] * gy, inverse[1, 0] * gx + inverse[1, 1] * gy
        if flutes:
            count, tall = flutes
            t = np.clip((y - points[:, 1].min()) / np.ptp(points[:, 1]), 0, 1)
            spread = x / np.interp(y, *self.widths(points))
            height += tall * unit * t * np.sin(count * spread + rng.uniform(0, 6) + 0.5 * T.noise(size, 0.5 * unit, rng, 4))
        curves = [self.px(T.spline(line)) - (x0, y0) for line in lines]
        T.creases(height, curves[::2], 0.07 * unit, 0.028 * unit * k)
        T.creases(height, curves[1::2], 0.05 * unit, -0.022 * unit * k)
        light = T.lit(cv2.GaussianBlur(height, (0, 0), max(0.012 * unit, 0.5)))
        c, s = np.cos(angle), np.sin(angle)
        albedo = cloth.albedo((x * c + y * s) * unit + 4000, (y * c - x * s) * unit + 4000) * np.float32(tint)
        if decorate is not None:
            albedo = decorate(albedo, x, y)
        self.put(alpha, (y0, y1, x0, x1), albedo * light[..., None] + 0.04 * np.clip(light - 0.55, 0, 1)[..., None], inner)

    @staticmethod
    def widths(points):
        """Half-width of an outline by height, for flutes that follow the flare."""
        ys = np.linspace(points[:, 1].min(), points[:, 1].max(), 12)
        return ys, [max(np.abs(points[np.abs(points[:, 1] - y) < np.ptp(ys) / 8, 0]).max(initial=0.3), 0.2) for y in ys]

    def cast(self, alpha, box, amount: float) -> None:
        """Soft shadow of a piece on the pieces below."""
        y0, y1, x0, x1 = box
        spread = 0.06 * self.unit
        soft = cv2.GaussianBlur(cv2.copyMakeBorder(alpha, *4 * [int(3 * spread)], cv2.BORDER_CONSTANT), (0, 0), spread)
        pad, (h, w) = int(3 * spread), self.shape
        a, b, c, d = max(y0 - pad, 0), min(y1 + pad, h), max(x0 - pad, 0), min(x1 + pad, w)
        self.paint[a:b, c:d] *= 1 - amount * soft[a - y0 + pad : b - y0 + pad, c - x0 + pad : d - x0 + pad, None]

    def put(self, alpha, box, rgb, inner=False) -> None:
        y0, y1, x0, x1 = box
        keep = 1 - alpha
        self.paint[y0:y1, x0:x1] = self.paint[y0:y1, x0:x1] * keep[..., None] + alpha[..., None] * rgb
        self.alpha[y0:y1, x0:x1] = self.alpha[y0:y1, x0:x1] * keep + alpha
        self.inner[y0:y1, x0:x1] = self.inner[y0:y1, x0:x1] * keep + inner * alpha

    def stitch(self, *lines, width=0.014, dark=0.42, shift=0.012) -> None:
        """Seams: a dark line with a light one beside it, on the cloth only."""
        for line in lines:
            p = self.px(T.spline(line))
            y0, y1, x0, x1 = self.box(p, 4)
            for k, o in ((1 - dark, 0.0), (1 + 0.25 * dark, shift * self.unit)):
                a = T.stroke((y1 - y0, x1 - x0), [p - (x0, y0) + o], width * self.unit, 0.5)
                self.paint[y0:y1, x0:x1] *= 1 + (k - 1) * a[..., None]

    def dot(self, at, radius: float, rgb) -> None:
        """A button."""
        t = np.linspace(0, 6.3, 24)
        ring = np.column_stack((np.cos(t), np.sin(t)))
        for r, o, colour in ((radius * 1.15, 0.25 * radius, None), (radius, 0, rgb), (radius * 0.75, 0, np.float32(rgb) * 0.9)):
            p = self.px(np.float32(at) + r * ring + o)
            box = y0, y1, x0, x1 = self.box(p, 3)
            a = T.fill((y1 - y0, x1 - x0), p - (x0, y0))
            if colour is None:
                self.paint[y0:y1, x0:x1] *= 1 - 0.5 * a[..., None]
            else:
                self.put(a * self.alpha[y0:y1, x0:x1], box, np.float32(colour))

    def finish(self, id: str, title: str, subcategory: str) -> SampleGarment:
        h, w = self.shape
        rng = self.rng
        ground = T.studio(self.shape, rng, 0.55)
        for spread, amount in ((0.035, 0.28), (0.16, rng.uniform(0.1, 0.3))):
            shift = np.float32([[1, 0, 0.5 * spread * self.unit], [0, 1, 0.7 * spread * self.unit]])
            soft = cv2.GaussianBlur(cv2.warpAffine(self.alpha, shift, (w, h)), (0, 0), spread * self.unit)
            ground *= 1 - amount * soft[..., None]
        image = ground * (1 - self.alpha[..., None]) + self.paint
        mask, inner = (np.where(a >= 0.5, 255, 0).astype(np.uint8) for a in (self.alpha, self.inner))
        return SampleGarment(id, title, CATEGORY[subcategory], subcategory, T.finish(image, rng), mask, self.landmarks, inner)


def mirror(points, side: int) -> np.ndarray:
    return np.float32(points) * (side, 1)


@dataclass
class Cut:
    """The pattern of a top, bodice or jacket, in heads."""

    neck: float = 0.36
    depth: float = 0.28
    vee: bool = False
    shoulder: tuple[float, float] = (0.98, 0.24)
    chest: float = 0.93
    armpit: float = 0.95
    waist: float = 0.88
    hem: float = 0.93
    length: float = 2.9
    sleeve: float = 0.0  # length along the upper border; 0 is sleeveless
    cuff: float = 0.55
    angle: float = 45.0  # of the sleeve from the vertical, degrees

    def neckline(self, back: bool = False) -> list:
        n, d = self.neck, 0.1 if back else self.depth
        if self.vee and not back:
            return [(-n, 0), (-n * 0.55, d * 0.5), (0, d), (n * 0.55, d * 0.5), (n, 0)]
        return [(-n, 0), (-n * 0.93, d * 0.4), (-n * 0.6, d * 0.85), (0, d), (n * 0.6, d * 0.85), (n * 0.93, d * 0.4), (n, 0)]

    def sleeve_points(self, side: int, angle: float):
        """Shoulder, outer cuff, inner cuff, armpit."""
        a = np.radians(angle)
        d, n = np.array((np.sin(a), np.cos(a))), np.array((-np.cos(a), np.sin(a)))
        outer = np.array(self.shoulder) + self.sleeve * d
        return [mirror(p, side) for p in (self.shoulder, outer, outer + self.cuff * n, (self.chest, self.armpit))]

    def body(self, waist_y: float = 1.75) -> np.ndarray:
        half = []
        for s in (1, -1):
            arm = [self.shoulder, (self.shoulder[0] - 0.1, 0.5), (self.chest - (0.02 if self.sleeve else 0.1), self.armpit - 0.15),
                (self.chest, self.armpit)]
            side = [(self.chest, self.armpit), (self.waist, min(waist_y, self.length * 0.7)), (self.hem, self.length)]
            half.append((mirror(arm, s), mirror(side, s)))
        (arm_l, side_l), (arm_r, side_r) = half
        bottom = [(self.hem, self.length), (0, self.length + 0.05), (-self.hem, self.length)]
        return T.outline(self.neckline(), arm_l, side_l, bottom, side_r[::-1], arm_r[::-1])


def body_folds(cut: Cut, rng, n: int = 3) -> list:
    lines = []
    for s in (1, -1):
        for _ in range(n):
            y, x = cut.armpit + rng.uniform(-0.15, 0.2), rng.uniform(0.2, 0.6)
            lines.append(mirror([(cut.chest * 0.97, y), (cut.chest * (0.5 + x / 2), y + rng.uniform(0.1, 0.3)),
                (cut.chest * x, y + rng.uniform(0.2, 0.8))], s))
        for _ in range(2):
            y, x = rng.uniform(1.5, max(cut.length - 0.3, 1.6)), rng.uniform(0.3, 0.8)
            lines.append(mirror([(cut.waist, y), (cut.waist * 0.8, y + 0.06), (cut.waist * x, y + rng.uniform(-0.2, 0.25))], s))
    for _ in range(3):
        x, y = rng.uniform(-0.5, 0.5), rng.uniform(1.3, max(cut.length - 0.9, 1.4))
        lines.append([(x, y), (x + rng.normal(0, 0.08), y + 0.35), (x + rng.normal(0, 0.2), y + 0.7)])
    return lines


def artwork(cut: Cut, cloth: T.Cloth, rng):
    """One picture on the chest: lettering, a roundel, colour blocks or nothing. Returns a decorate function or None."""
    kind = rng.choice(("none", "text", "roundel", "block", "blobs"), p=(0.42, 0.2, 0.12, 0.16, 0.10))
    ink = np.float32((0.95, 0.95, 0.93)) if cloth.base.mean() < 0.5 else T.cloth_colour(rng) * 0.7
    if kind == "none":
        return None
    if kind == "block":
        y0, second = rng.uniform(0.7, 1.6), T.cloth_colour(rng)
        return lambda albedo, x, y: (albedo + np.clip((y - y0) * 150 + 0.5, 0, 1)[..., None]
            * (second * albedo / np.maximum(cloth.base, 0.05) - albedo))
    n = 256
    art = np.zeros((n, n), np.uint8)
    if kind == "text":
        words = ("STUDIO", "NORTH", "ATLAS", "1987", "SALTY", "HELLO", "CLOUD 9", "ALMATY", "MOON", "RIVER")
        word = str(rng.choice(words))
        font = int(rng.choice((cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_TRIPLEX, cv2.FONT_HERSHEY_SCRIPT_COMPLEX)))
        (tw, th), _ = cv2.getTextSize(word, font, 1.0, 3)
        scale = 230 / tw
        cv2.putText(art, word, (13, int(n * 0.4)), font, scale, 255, max(2, int(3 * scale)), cv2.LINE_AA)
        if rng.random() < 0.5:
            cv2.line(art, (30, int(n * 0.5)), (226, int(n * 0.5)), 255, 5, cv2.LINE_AA)
    elif kind == "roundel":
        cv2.circle(art, (128, 110), 84, 255, 12, cv2.LINE_AA)
        star = [(128 + r * np.sin(a), 110 - r * np.cos(a)) for r, a in zip((64, 27) * 5, np.arange(10) * np.pi / 5)]
        cv2.fillPoly(art, [np.int32(star)], 255, cv2.LINE_AA)
    else:
        for _ in range(7):
            cv2.ellipse(art, tuple(int(v) for v in rng.uniform(60, 190, 2)), tuple(int(v) for v in rng.uniform(12, 44, 2)),
                float(rng.uniform(0, 180)), 0, 360, int(rng.uniform(140, 255)), -1, cv2.LINE_AA)
    wide, top = rng.uniform(0.8, 1.2), cut.depth + rng.uniform(0.2, 0.4)

    def decorate(albedo, x, y):
        a = cv2.remap(art, ((x + wide / 2) / wide * n).astype(np.float32), ((y - top) / wide * n).astype(np.float32), cv2.INTER_LINEAR)
        return albedo + (a.astype(np.float32) / 255 * 0.93)[..., None] * (ink - albedo)

    return decorate


def rib_band(t: Table, curve: list, width: float, cloth: T.Cloth, tint: float, down: bool = True, inner: bool = False) -> None:
    """A ribbed band along a neckline: from the ``curve`` outwards."""
    a = T.spline(curve, 8)
    n = np.gradient(a, axis=0)
    n = np.column_stack((-n[:, 1], n[:, 0])) / np.linalg.norm(n, axis=1, keepdims=True)
    b = a + n * width * (1 if down else -1)
    t.lay(np.concatenate((a, b[::-1])), cloth, round_=0.05, shadow=0.25, tint=tint, fold=0.3, inner=inner)


def lay_sleeves(t: Table, cut: Cut, cloth: T.Cloth, rng, band: float = 0.0, marks=True, tint=1.0) -> None:
    for s, name in SIDES.items():
        angle = cut.angle + rng.normal(0, 2.5)
        shoulder, outer, inner, armpit = cut.sleeve_points(s, angle)
        bend = mirror((0.04, -0.03), s) * cut.sleeve if cut.sleeve > 1.2 else np.zeros(2)
        top = [mirror((cut.shoulder[0] - 0.25, cut.shoulder[1] - 0.02), s), shoulder,
            shoulder + (outer - shoulder) * 0.3 + mirror((0.03, -0.03), s), (shoulder + outer) / 2 + bend, outer]
        under = [inner, (inner + armpit) / 2 + bend * 0.6, armpit, mirror((cut.chest - 0.25, cut.armpit + 0.02), s)]
        d = (outer - shoulder) / np.linalg.norm(outer - shoulder)
        folds, n = [], inner - outer
        for _ in range(5 if cut.sleeve > 1.2 else 2):
            o = rng.uniform(0.3, 0.9)
            base = shoulder + (outer - shoulder) * o
            width = (armpit - shoulder) * (1 - o) + n * o
            a, b = rng.uniform(0.0, 0.4), rng.uniform(0.6, 1.0)
            folds.append([base + width * a - d * 0.05, base + width * (a + b) / 2 + d * rng.uniform(-0.05, 0.1),
                base + width * b + d * rng.uniform(-0.1, 0.1)])
        folds.append([armpit, armpit + (shoulder - armpit) * 0.3 + d * 0.15, armpit + (shoulder - armpit) * 0.65 + d * 0.1])
        grain = -s * np.radians(angle)
        t.lay(T.outline(top, [outer, (outer + inner) / 2 + d * 0.03, inner], under), cloth, folds, grain, 0.18, 0.3, tint)
        if band:
            a, b = outer - d * band, inner - d * band
            t.lay(T.outline([a, outer], [outer, (outer + inner) / 2 + d * 0.03, inner], [inner, b], [b, (a + b) / 2 + d * 0.02, a]), cloth,
                (), grain, 0.06, 0.3, 0.94 * tint, fold=0.3)
        else:
            t.stitch([outer - d * 0.1, (outer + inner) / 2 - d * 0.07, inner - d * 0.1])
        if marks:
            t.mark(**{f"cuff_outer_{name}": outer, f"cuff_inner_{name}": inner})


def mark_top(t: Table, cut: Cut, hem: bool = True) -> None:
    t.mark(collar_front=(0, cut.depth))
    for s, name in SIDES.items():
        t.mark(**{f"collar_{name}": mirror((cut.neck, 0), s), f"shoulder_{name}": mirror(cut.shoulder, s),
            f"armpit_{name}": mirror((cut.chest, cut.armpit), s)})
        if hem:
            t.mark(**{f"hem_{name}": mirror((cut.hem, cut.length), s)})


def inside_back(t: Table, cut: Cut, cloth: T.Cloth) -> None:
    """The inner back seen through the neck opening, with its label."""
    back = T.outline(cut.neckline(back=True), [(cut.neck, 0), (cut.neck + 0.06, cut.depth), (0, cut.depth + 0.12),
        (-cut.neck - 0.06, cut.depth), (-cut.neck, 0)])
    t.lay(back, cloth, tint=0.5, round_=0.1, shadow=0, inner=True)
    label = np.float32([(-0.09, 0.13), (0.09, 0.13), (0.09, 0.22), (-0.09, 0.22)])
    if cut.depth > 0.24:
        t.lay(label, T.make_cloth(t.rng, t.unit, "smooth", "plain", (0.82, 0.82, 0.8)), round_=0.02, shadow=0.1, tint=0.8, inner=True)


def extent(cut: Cut, length: float | None = None):
    a = np.radians(cut.angle)
    x = max(cut.shoulder[0] + cut.sleeve * np.sin(a), cut.hem, cut.chest) + 0.05 + 0.07 * cut.sleeve
    y = max(length or cut.length, cut.shoulder[1] + cut.sleeve * np.cos(a) + cut.cuff * np.sin(a)) + 0.08
    return -x, -0.12, x, y


def shift(rng, cut: Cut) -> Cut:
    """Vary a pattern a little."""
    k = rng.uniform(0.94, 1.08)
    cut.chest, cut.waist, cut.hem = cut.chest * k, cut.waist * k * rng.uniform(0.95, 1.03), cut.hem * k * rng.uniform(0.97, 1.05)
    cut.shoulder = (cut.shoulder[0] * rng.uniform(0.96, 1.03), cut.shoulder[1] * rng.uniform(0.85, 1.15))
    cut.length *= rng.uniform(0.93, 1.08)
    return cut


def random_sleeve(rng, kind: str) -> dict:
    if kind == "none":
        return {"sleeve": 0.0}
    if kind == "short":
        return {"sleeve": rng.uniform(0.75, 1.05), "cuff": rng.uniform(0.58, 0.7), "angle": rng.uniform(42, 60)}
    return {"sleeve": rng.uniform(2.15, 2.4), "cuff": rng.uniform(0.34, 0.42), "angle": rng.uniform(16, 34)}


def draw_top(size, rng, kind: str | None = None) -> SampleGarment:
    """T-shirt, long-sleeve top or tank top."""
    kind = kind or str(rng.choice(("short", "long", "none"), p=(0.45, 0.3, 0.25)))
    neck = (dict(neck=rng.uniform(0.36, 0.5), depth=rng.uniform(0.24, 0.42)) if rng.random() < 0.7
        else dict(neck=0.38, depth=rng.uniform(0.5, 0.75), vee=True))
    cut = shift(rng, Cut(**neck, **random_sleeve(rng, kind)))
    if kind == "none":
        cut.neck, cut.depth, cut.shoulder, cut.armpit, cut.vee = (rng.uniform(0.46, 0.55), rng.uniform(0.5, 0.75),
            (rng.uniform(0.7, 0.8), 0.1), 1.0, False)
        cut.chest *= 0.93
    t = Table(size, extent(cut), rng)
    cloth = T.make_cloth(rng, t.unit, str(rng.choice(("jersey", "weave", "smooth"))))
    ringer = T.make_cloth(rng, t.unit, "jersey", "plain") if rng.random() < 0.2 else cloth
    inside_back(t, cut, cloth)
    if cut.sleeve:
        lay_sleeves(t, cut, ringer if rng.random() < 0.5 else cloth, rng)
    t.lay(cut.body(), cloth, body_folds(cut, rng), decorate=artwork(cut, cloth, rng) if cloth.pattern == "plain" else None, shadow=0.3)
    rib_band(t, cut.neckline(back=True), 0.07, ringer, 0.6, inner=True)
    rib_band(t, cut.neckline(), 0.085, ringer, 0.93)
    h = cut.length
    t.stitch([(-cut.hem * 0.99, h - 0.1), (0, h - 0.05), (cut.hem * 0.99, h - 0.1)])
    if not cut.sleeve:
        for s in (1, -1):
            arm = mirror([cut.shoulder, (cut.shoulder[0] - 0.1, 0.5), (cut.chest - 0.1, cut.armpit - 0.15), (cut.chest, cut.armpit)], s)
            rib_band(t, arm, 0.06, ringer, 0.93, down=s > 0)
    mark_top(t, cut)
    title = {"short": "T-shirt", "long": "Long-sleeve top", "none": "Tank top"}[kind]
    return t.finish("top", f"{title}{', V-neck' if cut.vee else ''}", "top")


def draw_shirt(size, rng) -> SampleGarment:
    kind = "short" if rng.random() < 0.35 else "long"
    cut = shift(rng, Cut(neck=0.34, depth=0.3, length=3.0, **random_sleeve(rng, kind)))
    t = Table(size, extent(cut), rng)
    cloth = T.make_cloth(rng, t.unit, str(rng.choice(("weave", "weave", "denim", "smooth"))))
    inside_back(t, cut, cloth)
    lay_sleeves(t, cut, cloth, rng, 0.0 if kind == "short" else 0.26)
    t.lay(cut.body(), cloth, body_folds(cut, rng), shadow=0.3)
    h = cut.length
    placket = T.outline([(-0.075, cut.depth), (-0.08, h + 0.04)], [(0.085, h + 0.045), (0.08, cut.depth)])
    t.lay(placket, cloth, round_=0.03, shadow=0.35, tint=0.98, fold=0.5)
    t.stitch([(-0.055, cut.depth), (-0.06, h)], [(0.06, cut.depth), (0.065, h)],
        [(-cut.hem * 0.99, h - 0.07), (0, h - 0.02), (cut.hem * 0.99, h - 0.07)], width=0.01, dark=0.25)
    button = np.float32((0.93, 0.92, 0.89)) if rng.random() < 0.7 else cloth.base * 0.5
    for y in np.arange(cut.depth + 0.2, h - 0.15, 0.38):
        t.dot((0.0, y), 0.034, button)
    if rng.random() < 0.6:
        pocket = np.float32([(0.28, 0.75), (0.7, 0.75), (0.7, 1.2), (0.49, 1.28), (0.28, 1.2)])
        t.lay(pocket, cloth, round_=0.03, shadow=0.25, fold=0.4)
        t.stitch([(0.28, 0.83), (0.7, 0.83)], width=0.01)
    n, d = cut.neck, cut.depth
    stand = T.outline([(-n, -0.02), (0, -0.12), (n, -0.02)], [(n * 0.98, 0.08), (0, 0.04), (-n * 0.98, 0.08)])
    t.lay(stand, cloth, round_=0.06, shadow=0.2, tint=0.78, fold=0.3, inner=True)
    for s in (1, -1):
        leaf = T.outline(mirror([(n * 0.9, -0.05), (n * 0.62, 0.12), (0.02, d + 0.02)], s), mirror([(0.02, d + 0.02), (0.3, d + 0.22)], s),
            mirror([(0.3, d + 0.22), (n + 0.16, 0.13)], s), mirror([(n + 0.16, 0.13), (n * 1.0, -0.04), (n * 0.9, -0.05)], s))
        t.lay(leaf, cloth, angle=0.5 * s, round_=0.05, shadow=0.4, fold=0.3)
    mark_top(t, cut)
    return t.finish("shirt", f"{'Short-sleeve' if kind == 'short' else 'Button-down'} shirt", "shirt")


def draw_sweater(size, rng) -> SampleGarment:
    hood = rng.random() < 0.35
    cut = shift(rng, Cut(neck=0.38, depth=rng.uniform(0.2, 0.3), chest=1.0, waist=0.98, hem=0.92, length=2.75,
        **random_sleeve(rng, "long")))
    cut.cuff *= 0.92
    box = extent(cut)
    t = Table(size, (box[0], -0.75, box[2], box[3]) if hood else box, rng)
    cloth = T.make_cloth(rng, t.unit, "jersey" if hood else "knit", "plain" if hood else None)
    if hood:
        t.lay(T.outline([(-0.52, 0.16), (-0.6, -0.25), (-0.34, -0.62), (0, -0.7), (0.34, -0.62), (0.6, -0.25), (0.52, 0.16)],
            [(0.3, 0.34), (-0.3, 0.34)]), cloth, round_=0.25, shadow=0)
        t.lay(T.outline([(-0.36, 0.12), (-0.4, -0.2), (-0.24, -0.46), (0, -0.52), (0.24, -0.46), (0.4, -0.2), (0.36, 0.12)],
            [(0.2, 0.3), (0, 0.34), (-0.2, 0.3)]), cloth, round_=0.1, shadow=0.2, tint=0.55, inner=True)
    else:
        inside_back(t, cut, cloth)
    lay_sleeves(t, cut, cloth, rng, 0.24)
    t.lay(cut.body(), cloth, body_folds(cut, rng, 2), shadow=0.3, round_=0.25, decorate=artwork(cut, cloth, rng) if hood else None)
    h, w = cut.length, cut.hem
    rib = T.outline([(-w, h - 0.24), (0, h - 0.19), (w, h - 0.24)], [(w * 0.97, h), (0, h + 0.05), (-w * 0.97, h)])
    ribs = lambda albedo, x, y: albedo * (0.93 + 0.07 * np.sin(x * 95))[..., None]
    t.lay(rib, cloth, round_=0.06, shadow=0.3, tint=0.96, fold=0.3, decorate=ribs)
    if hood:
        for s in (1, -1):
            flap = T.outline(mirror([(0.42, -0.1), (0.36, 0.14), (0.02, 0.4)], s),
                mirror([(0.02, 0.4), (0.3, 0.36), (0.54, 0.16), (0.56, -0.1), (0.42, -0.1)], s))
            t.lay(flap, cloth, round_=0.08, shadow=0.4)
            t.lay(T.outline(mirror([(0.12, 0.36), (0.14, 0.7), (0.12, 1.0)], s), mirror([(0.16, 1.0), (0.18, 0.7), (0.16, 0.36)], s)),
                T.make_cloth(rng, t.unit, "smooth", "plain", (0.9, 0.9, 0.88)), round_=0.02, shadow=0.4)
        pocket = T.outline([(-0.36, 1.62), (0.36, 1.62)], [(0.62, 2.05), (0.62, h - 0.25)],
            [(-0.62, h - 0.25), (-0.62, 2.05), (-0.36, 1.62)])
        t.lay(pocket, cloth, round_=0.04, shadow=0.35)
    else:
        rib_band(t, cut.neckline(back=True), 0.08, cloth, 0.6, inner=True)
        rib_band(t, cut.neckline(), 0.12, cloth, 0.93)
    mark_top(t, cut)
    return t.finish("sweater", "Hoodie" if hood else "Knitted sweater", "sweater")


def draw_jacket(size, rng) -> SampleGarment:
    style = str(rng.choice(("blazer", "zip", "denim")))
    cut = shift(rng, Cut(neck=0.36, depth=1.15 if style == "blazer" else 0.16, vee=style == "blazer", chest=1.02, waist=0.93
        if style == "blazer" else 1.0, hem=1.03 if style == "blazer" else 0.93, length=3.2 if style == "blazer" else 2.5,
        **random_sleeve(rng, "long")))
    cut.cuff *= 1.12
    t = Table(size, extent(cut), rng)
    cloth = T.make_cloth(rng, t.unit, {"blazer": "weave", "zip": "smooth", "denim": "denim"}[style], None if style == "blazer"
        and rng.random() < 0.4 else "plain")
    inside_back(t, cut, T.make_cloth(rng, t.unit, "smooth", "plain"))
    lay_sleeves(t, cut, cloth, rng, 0.0 if style == "blazer" else 0.22)
    t.lay(cut.body(), cloth, body_folds(cut, rng), shadow=0.35, round_=0.24)
    h, w, n, d = cut.length, cut.hem, cut.neck, cut.depth
    if style == "blazer":
        t.stitch([(0.0, d), (0.03, d + 0.7), (0.06, h)], dark=0.6, width=0.02)
        for s in (-1, 1):
            lapel = T.outline(mirror([(n, -0.04), (n * 0.6, 0.45), (0.0, d + 0.03)], s),
                mirror([(0.0, d + 0.03), (0.34, 0.8), (0.56, 0.5)], s), mirror([(0.56, 0.5), (0.44, 0.44)], s),
                mirror([(0.44, 0.44), (0.6, 0.3)], s), mirror([(0.6, 0.3), (n + 0.08, 0.0), (n, -0.04)], s))
            t.lay(lapel, cloth, angle=0.3 * s, round_=0.05, shadow=0.45, fold=0.3)
            flap = np.float32([(0.34, 2.2), (0.84, 2.16), (0.85, 2.3), (0.35, 2.34)]) * (s, 1)
            t.lay(flap, cloth, round_=0.03, shadow=0.4, fold=0.3)
        for y in (d + 0.12, d + 0.52):
            t.dot((0.05, y), 0.05, cloth.base * 0.35)
        collar = T.outline([(-n - 0.03, 0.02), (0, -0.1), (n + 0.03, 0.02)], [(n * 0.95, 0.12), (0, 0.06), (-n * 0.95, 0.12)])
        t.lay(collar, cloth, round_=0.05, shadow=0.2, tint=0.85, fold=0.3, inner=True)
    else:
        rib = T.outline([(-w, h - 0.22), (0, h - 0.18), (w, h - 0.22)], [(w, h), (0, h + 0.05), (-w, h)])
        t.lay(rib, cloth, round_=0.05, shadow=0.35, tint=0.95, fold=0.4)
        for s in (-1, 1):
            leaf = T.outline(mirror([(n, -0.06), (n * 0.6, 0.06), (0.01, d)], s), mirror([(0.01, d), (0.14, d + 0.3), (0.42, d + 0.2)], s),
                mirror([(0.42, d + 0.2), (n + 0.16, 0.1), (n, -0.06)], s))
            t.lay(leaf, cloth, round_=0.06, shadow=0.45, fold=0.4)
            if style == "denim":
                t.lay(np.float32([(0.25, 0.68), (0.75, 0.68), (0.75, 0.82), (0.5, 0.92), (0.25, 0.82)]) * (s, 1), cloth, round_=0.03,
                    shadow=0.4, fold=0.4)
                t.stitch(mirror([(0.28, 0.9), (0.4, h - 0.25)], s), mirror([(0.72, 0.9), (0.6, h - 0.25)], s),
                    mirror([(0.05, 0.62), (0.9, 0.6)], s))
            else:
                t.stitch(mirror([(0.5, 1.5), (0.78, 2.05)], s), width=0.03, dark=0.6)
        back = T.outline([(-n, -0.05), (0, -0.1), (n, -0.05)], [(n * 0.9, 0.05), (0, 0.02), (-n * 0.9, 0.05)])
        t.lay(back, cloth, round_=0.05, shadow=0.1, tint=0.7, fold=0.3, inner=True)
        if style == "zip":
            zip_ = T.outline([(-0.035, d), (-0.035, h)], [(0.035, h), (0.035, d)])
            t.lay(zip_, T.make_cloth(rng, t.unit, "smooth", "plain", (0.55, 0.55, 0.57)), round_=0.02, shadow=0.4, decorate=lambda a, x,
                y: a * (0.75 + 0.25 * np.sign(np.sin(y * 130)))[..., None])
        else:
            t.stitch([(-0.08, d), (-0.08, h)], [(0.08, d), (0.08, h)])
            for y in np.arange(d + 0.3, h, 0.4):
                t.dot((0, y), 0.045, (0.72, 0.6, 0.42))
    mark_top(t, cut)
    return t.finish("jacket", {"blazer": "Blazer", "zip": "Zip jacket", "denim": "Denim jacket"}[style], "jacket")


def lay_legs(t: Table, cloth, rng, waist: float, hip: float, crotch: float, length: float, hem: tuple[float, float],
        y0: float = 0.0) -> None:
    """Two legs from the waist at ``y0``; ``hem`` is (inner x, outer x)."""
    inner, outer = hem
    for s in (-1, 1):
        side = mirror([(waist, y0), (hip, y0 + 0.75), (hip + (outer - hip) * 0.45, (crotch + length) / 2), (outer, length)], s)
        inside = mirror([(inner, length), (inner * 0.75 + 0.02, (crotch + length) / 2), (0.02, crotch)], s)
        middle = mirror([(0.02, crotch), (-0.02, y0 + (crotch - y0) * 0.6), (-0.01, y0)], s)
        folds = [mirror([(0.06, crotch - 0.05 - 0.09 * k), (0.35, crotch - 0.25 * k + 0.05),
            (hip * rng.uniform(0.6, 0.95), crotch - 0.3 * k + rng.uniform(-0.1, 0.3))], s) for k in range(3)]
        if length - crotch > 1.5:
            for _ in range(2):
                y = rng.uniform(crotch + 0.5, length - 0.2)
                a, b = inner + 0.1, outer - 0.1
                folds.append(mirror([(a, y), ((a + b) / 2, y + rng.uniform(-0.1, 0.12)), (b, y + rng.uniform(-0.15, 0.15))], s))
            if rng.random() < 0.4:  # pressed
                folds.append(mirror([((inner + outer) / 2, crotch + 0.3), ((inner + outer) / 2 + 0.02, length - 0.3)], s))
        t.lay(T.outline(side, [mirror((outer, length), s), mirror(((inner + outer) / 2, length + 0.04), s), mirror((inner, length), s)],
            inside, middle), cloth, folds, -s * 0.06, 0.24, 0.4 if s > 0 else 0.0)
        t.stitch([mirror((outer - 0.01, length - 0.1), s), mirror(((inner + outer) / 2, length - 0.06), s),
            mirror((inner + 0.01, length - 0.1), s)])
    for s, name in SIDES.items():
        t.mark(**{f"hem_{name}": mirror((outer, length), s), f"leg_inner_{name}": mirror((inner, length), s)})
    t.mark(crotch=(0, crotch))


def waistband(t: Table, cloth, waist: float, y: float, tall: float = 0.2, tint: float = 1.0) -> None:
    t.lay(T.outline([(-waist, y), (0, y + 0.05), (waist, y)], [(waist + 0.03, y + tall), (0, y + tall + 0.05), (-waist - 0.03, y + tall)]),
        cloth, round_=0.05, shadow=0.3, fold=0.3, tint=tint)


def open_waist(t: Table, cloth, waist: float) -> None:
    """The inner back of the waist."""
    t.lay(T.outline([(-waist, 0.0), (0, -0.06), (waist, 0.0)], [(waist, 0.1), (0, 0.16), (-waist, 0.1)]), cloth, round_=0.05, shadow=0,
        tint=0.5, fold=0.3)


def draw_trousers(size, rng, short: bool = False) -> SampleGarment:
    waist, hip = rng.uniform(0.66, 0.76), rng.uniform(0.9, 1.02)
    crotch = rng.uniform(1.2, 1.45)
    length = rng.uniform(2.0, 2.5) if short else rng.uniform(4.0, 4.6)
    kind = str(rng.choice(("slim", "straight", "wide")))
    width = rng.uniform(0.72, 0.9) if short else {"slim": 0.42, "straight": 0.55, "wide": 0.8}[kind]
    inner = rng.uniform(0.14, 0.24) if short else rng.uniform(0.12, 0.36)
    outer = max(inner + width, hip + 0.12) if short else inner + width
    t = Table(size, (-max(hip, outer), -0.08, max(hip, outer), length + 0.05), rng)
    cloth = T.make_cloth(rng, t.unit, str(rng.choice(("denim", "weave", "smooth", "jersey"), p=(0.4, 0.3, 0.15, 0.15))), None
        if rng.random() < 0.25 else "plain")
    open_waist(t, cloth, waist)
    lay_legs(t, cloth, rng, waist, hip, crotch, length, (inner, outer))
    jersey = cloth.kind == "jersey"
    t.stitch([(0.0, 0.2), (0.01, crotch - 0.02)], width=0.02, dark=0.5)
    if not jersey:
        t.stitch([(0.17, 0.2), (0.17, 0.75), (0.03, crotch - 0.32)], dark=0.3)
    for s in (-1, 1):
        pocket = [(0.4, 0.22), (0.48, 0.42), (hip - 0.09, 0.6)] if cloth.kind == "denim" else [(waist - 0.18, 0.22), (hip - 0.05, 0.85)]
        t.stitch(mirror(pocket, s), width=0.02, dark=0.5)
    gathers = (lambda a, x, y: a * (0.9 + 0.1 * np.sin(x * 70))[..., None]) if jersey else None
    waistband(t, cloth, waist, 0.0)
    if jersey:
        band = T.outline([(-waist, 0.0), (0, 0.05), (waist, 0.0)], [(waist + 0.03, 0.2), (0, 0.25), (-waist - 0.03, 0.2)])
        t.lay(band, cloth, round_=0.05, shadow=0.1, fold=0.3, decorate=gathers)
        for s in (-1, 1):
            t.lay(T.outline(mirror([(0.05, 0.14), (0.09, 0.4), (0.07, 0.75)], s), mirror([(0.11, 0.75), (0.13, 0.4), (0.09, 0.14)], s)),
                T.make_cloth(rng, t.unit, "smooth", "plain", (0.9, 0.9, 0.88)), round_=0.02, shadow=0.4)
    else:
        for x in (-0.45, 0.45):
            t.lay(np.float32([(x - 0.035, -0.0), (x + 0.035, -0.0), (x + 0.035, 0.26), (x - 0.035, 0.26)]), cloth, round_=0.02, shadow=0.4,
                fold=0.2)
        t.dot((0.03, 0.15), 0.05, (0.75, 0.65, 0.45) if cloth.kind == "denim" else cloth.base * 0.5)
    for s, name in SIDES.items():
        t.mark(**{f"waist_{name}": mirror((waist, 0), s)})
    name = {"denim": "jeans", "jersey": "joggers"}.get(cloth.kind, "trousers")
    return t.finish("shorts" if short else "trousers", ("Shorts" if short else f"{kind.capitalize()} {name}"), "shorts" if short
        else "trousers")


def draw_skirt(size, rng) -> SampleGarment:
    pencil = rng.random() < 0.4
    waist, length = rng.uniform(0.64, 0.74), rng.uniform(1.6, 3.2)
    hem = rng.uniform(0.78, 0.88) if pencil else rng.uniform(1.15, 1.75)
    hip = 0.93 if pencil else waist + (hem - waist) * 0.42
    t = Table(size, (-max(hem, hip), -0.08, max(hem, hip), length + 0.12), rng)
    cloth = T.make_cloth(rng, t.unit)
    open_waist(t, cloth, waist)
    side = lambda s: mirror([(waist, 0.05), (hip, 0.75 if pencil else length * 0.4), (hem, length)], s)
    shape = T.outline([(-waist, 0.05), (0, 0.1), (waist, 0.05)], side(1), [(hem, length), (0, length + (0.04 if pencil else 0.12)),
        (-hem, length)], side(-1)[::-1])
    folds = ([mirror([(hip * 0.95, y), (hip * 0.5, y + 0.1), (0.1, y + rng.uniform(-0.1, 0.2))], s) for s in (1, -1)
        for y in rng.uniform(0.4, length - 0.3, 3)] if pencil else [])
    t.lay(shape, cloth, folds, flutes=None if pencil else (rng.uniform(9, 16), rng.uniform(0.03, 0.07)), shadow=0.3)
    waistband(t, cloth, waist, 0.0, 0.16)
    bow = 0.0 if pencil else 0.08
    t.stitch([(-hem, length - 0.09), (0, length - 0.05 + bow), (hem, length - 0.09)])
    if pencil:
        t.stitch([(-0.35, 0.2), (-0.38, 0.7)], [(0.35, 0.2), (0.38, 0.7)])
    for s, name in SIDES.items():
        t.mark(**{f"waist_{name}": mirror((waist, 0), s), f"hem_{name}": mirror((hem, length), s)})
    return t.finish("skirt", "Pencil skirt" if pencil else "A-line skirt", "skirt")


def draw_dress(size, rng, kind: str | None = None, legs: bool = False) -> SampleGarment:
    kind = kind or str(rng.choice(("none", "short", "long"), p=(0.45, 0.35, 0.2)))
    cut = Cut(neck=rng.uniform(0.38, 0.52), depth=rng.uniform(0.3, 0.6), vee=rng.random() < 0.3, chest=0.84, armpit=0.9, waist=0.66,
        hem=0.66, length=1.72, **random_sleeve(rng, kind))
    if kind == "none":
        cut.shoulder, cut.neck = (rng.uniform(0.68, 0.78), 0.1), rng.uniform(0.42, 0.5)
    waist_y, hem = cut.length, rng.uniform(0.85, 1.6)
    length = rng.uniform(3.4, 5.2) if not legs else rng.uniform(5.2, 5.9)
    x0, y0, x1, y1 = extent(cut, length + 0.1)
    t = Table(size, (min(x0, -hem), y0, max(x1, hem), y1), rng)
    cloth = T.make_cloth(rng, t.unit, None if not legs else "weave")
    inside_back(t, cut, cloth)
    if cut.sleeve:
        lay_sleeves(t, cut, cloth, rng)
    if legs:
        inner, hip = rng.uniform(0.14, 0.3), 0.86
        lay_legs(t, cloth, rng, cut.waist, hip, waist_y + 1.35, length, (inner, inner + rng.uniform(0.5, 0.75)), waist_y)
        t.stitch([(0, waist_y), (0.01, waist_y + 1.33)])
    else:
        hip = cut.waist + (hem - cut.waist) * 0.45 + 0.06
        side = lambda s: mirror([(cut.waist, waist_y - 0.06), (hip, waist_y + (length - waist_y) * 0.4), (hem, length)], s)
        skirt = T.outline([(-cut.waist, waist_y - 0.06), (cut.waist, waist_y - 0.06)], side(1),
            [(hem, length), (0, length + 0.1), (-hem, length)], side(-1)[::-1])
        t.lay(skirt, cloth, flutes=(rng.uniform(8, 15), 0.07 * min(hem - 0.6, 0.8)), shadow=0.2)
        t.stitch([(-hem, length - 0.09), (0, length + 0.01), (hem, length - 0.09)])
    t.lay(cut.body(1.2), cloth, body_folds(cut, rng, 2), shadow=0.25)
    if rng.random() < 0.45:
        band = T.make_cloth(rng, t.unit, "smooth", "plain") if rng.random() < 0.5 else cloth
        waistband(t, band, cut.waist - 0.01, waist_y - 0.1, 0.17)
    rib_band(t, cut.neckline(back=True), 0.05, cloth, 0.6, inner=True)
    rib_band(t, cut.neckline(), 0.05, cloth, 0.95)
    mark_top(t, cut, hem=False)
    for s, name in SIDES.items():
        t.mark(**{f"waist_{name}": mirror((cut.waist, waist_y), s)})
        if not legs:
            t.mark(**{f"hem_{name}": mirror((hem, length), s)})
    if legs:
        return t.finish("jumpsuit", "Jumpsuit", "jumpsuit")
    return t.finish("dress", {"none": "Sleeveless dress", "short": "Short-sleeve dress", "long": "Long-sleeve dress"}[kind], "dress")


def draw_hat(size, rng) -> SampleGarment:
    kind = str(rng.choice(("cap", "beanie", "brim")))
    t = Table(size, (-1.05, -0.9, 1.05, 0.75) if kind == "brim" else (-0.75, -0.85, 0.75, 0.65), rng)
    cloth = T.make_cloth(rng, 0.6 * t.unit, "knit" if kind == "beanie" else None)
    if kind == "beanie":
        dome = [(-0.58, 0.2), (-0.58, -0.2), (-0.4, -0.6), (0, -0.78), (0.4, -0.6), (0.58, -0.2), (0.58, 0.2)]
        folds = [[(x, 0.1), (x * 0.9, -0.3), (x * 0.4, -0.68)] for x in (-0.4, -0.2, 0.0, 0.2, 0.4)]
        t.lay(T.outline(dome, [(0.58, 0.2), (0, 0.26), (-0.58, 0.2)]), cloth, folds, round_=0.35, decorate=lambda a, x,
            y: a * (0.95 + 0.05 * np.sin(x * 60))[..., None])
        t.lay(T.outline([(-0.6, 0.08), (0, 0.14), (0.6, 0.08)], [(0.6, 0.08), (0.62, 0.3), (0.6, 0.5)],
            [(0.6, 0.5), (0, 0.57), (-0.6, 0.5)], [(-0.6, 0.5), (-0.62, 0.3), (-0.6, 0.08)]), cloth, round_=0.14, shadow=0.5,
            decorate=lambda a, x, y: a * (0.9 + 0.1 * np.sin(x * 60))[..., None])
        t.mark(crown=(0, -0.78), brim_left=(0.6, 0.5), brim_right=(-0.6, 0.5))
    elif kind == "cap":
        dome = [(-0.62, 0.15), (-0.6, -0.25), (-0.38, -0.62), (0, -0.74), (0.38, -0.62), (0.6, -0.25), (0.62, 0.15)]
        t.lay(T.outline(dome, [(0.62, 0.15), (0, 0.05), (-0.62, 0.15)]), cloth, round_=0.4)
        t.stitch([(0, -0.74), (0, 0.06)], [(0.0, -0.74), (0.3, -0.4), (0.38, 0.1)], [(0, -0.74), (-0.3, -0.4), (-0.38, 0.1)])
        t.dot((0, -0.74), 0.05, cloth.base)
        brim = T.outline([(-0.62, 0.13), (-0.3, 0.03), (0, 0.0), (0.3, 0.03), (0.62, 0.13)],
            [(0.62, 0.13), (0.66, 0.3), (0.42, 0.48), (0, 0.55), (-0.42, 0.48), (-0.66, 0.3), (-0.62, 0.13)])
        t.lay(brim, cloth, round_=0.1, shadow=0.6, fold=0.3)
        t.stitch(*[[(-0.56, 0.2 + k), (0, 0.12 + 2 * k), (0.56, 0.2 + k)] for k in (0.06, 0.12)], width=0.01)
        t.mark(crown=(0, -0.74), brim_left=(0.655, 0.3), brim_right=(-0.655, 0.3))
    else:
        rim = np.linspace(0, 2 * np.pi, 60)
        t.lay(np.column_stack((1.0 * np.cos(rim), 0.32 + 0.3 * np.sin(rim))), cloth, round_=0.08, fold=0.5)
        dome = [(-0.56, 0.26), (-0.56, -0.2), (-0.48, -0.6), (-0.2, -0.74), (0, -0.68), (0.2, -0.74), (0.48, -0.6), (0.56, -0.2),
            (0.56, 0.26)]
        t.lay(T.outline(dome, [(0.56, 0.26), (0, 0.4), (-0.56, 0.26)]), cloth, [[(0, -0.66), (0.02, -0.35)], [(-0.1, -0.7), (-0.12, -0.5)]],
            round_=0.3, shadow=0.6)
        band = T.outline([(-0.565, 0.06), (0, 0.2), (0.565, 0.06)], [(0.565, 0.25), (0, 0.39), (-0.565, 0.25)])
        t.lay(band, T.make_cloth(rng, t.unit, "smooth", "plain"), round_=0.05, shadow=0.3, fold=0.3)
        t.mark(crown=(0, -0.69), brim_left=(1.0, 0.32), brim_right=(-1.0, 0.32))
    return t.finish("hat", {"cap": "Baseball cap", "beanie": "Knitted beanie", "brim": "Brimmed hat"}[kind], "hat")


def draw_scarf(size, rng) -> SampleGarment:
    t = Table(size, (-0.95, -0.95, 0.95, 2.9), rng)
    cloth = T.make_cloth(rng, t.unit, str(rng.choice(("knit", "weave", "smooth"))), None if rng.random() < 0.3
        else str(rng.choice(("tartan", "stripes", "checks", "floral"))))
    loop = T.outline([(-0.62, 0.35), (-0.7, -0.2), (-0.4, -0.75), (0, -0.86), (0.4, -0.75), (0.7, -0.2), (0.62, 0.35)],
        [(0.62, 0.35), (0.2, 0.62), (-0.2, 0.62), (-0.62, 0.35)])
    t.lay(loop, cloth, round_=0.25)
    t.lay(T.outline([(-0.36, 0.2), (-0.4, -0.15), (-0.2, -0.48), (0, -0.54), (0.2, -0.48), (0.4, -0.15), (0.36, 0.2)],
        [(0.36, 0.2), (0, 0.4), (-0.36, 0.2)]), cloth, round_=0.1, tint=0.45, shadow=0.2, inner=True)
    for s, end in ((-1, rng.uniform(2.2, 2.7)), (1, rng.uniform(2.0, 2.6))):
        tail = T.outline(mirror([(-0.02, 0.25), (0.02, 1.2), (0.06, end)], s), mirror([(0.06, end), (0.6, end - 0.04)], s),
            mirror([(0.6, end - 0.04), (0.6, 1.2), (0.42, 0.25)], s))
        folds = [mirror([(x, 0.4), (x + 0.04, 1.2), (x + 0.1, end - 0.1)], s) for x in (0.12, 0.24, 0.36)]
        for x in np.linspace(0.08, 0.58, 13):
            t.lay(np.float32(mirror([(x - 0.016, end - 0.08), (x + 0.016, end - 0.08), (x + 0.012, end + 0.14), (x - 0.008, end + 0.14)],
                s)), cloth, round_=0.02, shadow=0)
        t.lay(tail, cloth, folds, -0.06 * s, 0.15, 0.5)
    front = T.outline([(-0.66, 0.0), (-0.3, 0.28), (0.05, 0.36), (0.4, 0.2), (0.68, -0.1)],
        [(0.68, -0.1), (0.64, 0.36), (0.3, 0.66), (-0.1, 0.72), (-0.62, 0.4), (-0.66, 0.0)])
    t.lay(front, cloth, [[(-0.55, 0.2), (0, 0.5), (0.55, 0.2)], [(-0.5, 0.33), (0, 0.6), (0.5, 0.34)]], 0.7, 0.18, 0.5)
    return t.finish("scarf", "Scarf", "scarf")


def draw_bag(size, rng) -> SampleGarment:
    t = Table(size, (-1.15, -1.25, 1.15, 1.15), rng)
    cloth = T.make_cloth(rng, 0.7 * t.unit, str(rng.choice(("smooth", "weave", "denim"))), None if rng.random() < 0.25 else "plain")
    strap = T.make_cloth(rng, t.unit, "smooth", "plain", cloth.base * 0.7)
    w, h = rng.uniform(0.8, 1.0), rng.uniform(0.8, 1.0)
    arch, inner = ([(-0.5, -0.2), (-0.46, -0.8), (0, -1.15), (0.46, -0.8), (0.5, -0.2)],
        [(0.4, -0.2), (0.37, -0.75), (0, -1.04), (-0.37, -0.75), (-0.4, -0.2)])
    t.lay(T.outline(arch, inner), strap, round_=0.05, fold=0.2)
    body = T.outline([(-w, -0.3), (0, -0.26), (w, -0.3)], [(w, -0.3), (w + 0.08, 0.3), (w + 0.02, h - 0.08)],
        [(w + 0.02, h - 0.08), (w - 0.1, h), (0, h + 0.03), (-w + 0.1, h), (-w - 0.02, h - 0.08)],
        [(-w - 0.02, h - 0.08), (-w - 0.08, 0.3), (-w, -0.3)])
    t.lay(body, cloth, round_=0.25, shadow=0.5, fold=0.6)
    if rng.random() < 0.6:
        flap = T.outline([(-w, -0.3), (0, -0.27), (w, -0.3)], [(w, -0.3), (w + 0.03, 0.05), (w * 0.8, 0.28), (0, 0.34), (-w * 0.8, 0.28),
            (-w - 0.03, 0.05), (-w, -0.3)])
        t.lay(flap, cloth, round_=0.1, shadow=0.5, fold=0.5)
        t.dot((0, 0.22), 0.07, (0.85, 0.72, 0.42))
    else:
        t.stitch([(-w, -0.14), (0, -0.1), (w, -0.14)], dark=0.5)
        for x in (-0.45, 0.45):
            t.lay(np.float32([(x - 0.09, -0.28), (x + 0.09, -0.28), (x + 0.06, 0.05), (x - 0.06, 0.05)]), strap, round_=0.03, shadow=0.4,
                fold=0.2)
            t.dot((x, -0.02), 0.03, (0.85, 0.72, 0.42))
    return t.finish("bag", "Handbag", "bag")


DRAW = {"top": draw_top, "shirt": draw_shirt, "sweater": draw_sweater, "jacket": draw_jacket, "trousers": draw_trousers,
    "shorts": lambda size, rng: draw_trousers(size, rng, short=True), "skirt": draw_skirt, "dress": draw_dress, "jumpsuit": lambda size,
    rng: draw_dress(size, rng, legs=True), "hat": draw_hat, "scarf": draw_scarf, "bag": draw_bag}


def draw_garment(rng: np.random.Generator, size: tuple[int, int] = (1024, 768), subcategory: str | None = None) -> SampleGarment:
    """A random product photo of ``size`` (H, W) px; ``subcategory`` is one of schema.SUBCATEGORIES' values or None for
    any. Raises KeyError for an unknown one."""
    if subcategory is None:
        subcategory = str(rng.choice(list(DRAW), p=(0.19, 0.1, 0.09, 0.1, 0.12, 0.06, 0.09, 0.13, 0.03, 0.05, 0.02, 0.02)))
    return DRAW[subcategory](size, rng)
