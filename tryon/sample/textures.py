"""What drawing people and garments share: outlines, relief, light, noise, cloth and prints. Only numpy and OpenCV.

Pictures are float32 HxWx3 RGB in 0..1 until they are finished; alpha maps are float32 HxW in 0..1; points are (x, y)
in pixels. Shapes are lit from the upper left by a height map in pixels, so that a body, a fold and a seam are the
same thing: a change of height.
"""

from dataclasses import dataclass

import cv2
import numpy as np

LIGHT = np.array((-0.48, -0.58, 0.66), np.float32)
CLOTHS = ("jersey", "weave", "knit", "denim", "smooth")
PRINTS = ("plain", "stripes", "pinstripes", "checks", "tartan", "dots", "floral")


def fork(rng: np.random.Generator) -> np.random.Generator:
    """A stream for the noise of pixels, so that what is drawn does not depend on the size it is drawn at."""
    return np.random.default_rng(rng.integers(1 << 62))


def noise(shape: tuple[int, int], scale: float, rng: np.random.Generator, stretch: float = 1.0) -> np.ndarray:
    """Smooth noise HxW of standard deviation near 1 with features ``scale`` pixels wide and ``scale * stretch`` high."""
    h, w = shape
    cells = rng.normal(0, 1.3, (int(h / max(scale * stretch, 1)) + 4, int(w / max(scale, 1)) + 4)).astype(np.float32)
    y0, x0 = rng.uniform(0.5, 1.5, 2)
    m = np.float32([[1 / max(scale, 1), 0, x0], [0, 1 / max(scale * stretch, 1), y0]])
    return cv2.warpAffine(cells, m, (w, h), flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REFLECT)


def spline(points, steps: int = 10) -> np.ndarray:
    """Catmull-Rom curve through ``points`` (N, 2), both ends included: (M, 2) float32."""
    p = np.asarray(points, np.float32)
    if len(p) < 3:
        return p
    p = np.concatenate((2 * p[:1] - p[1:2], p, 2 * p[-1:] - p[-2:-1]))
    t = np.linspace(0, 1, steps, endpoint=False, dtype=np.float32)[None, :, None]
    a, b, c, d = (p[i : len(p) - 3 + i, None] for i in range(4))
    curve = 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
    return np.concatenate((curve.reshape(-1, p.shape[1]), p[-2:-1]))


def outline(*sides) -> np.ndarray:
    """Closed outline (M, 2) of curves; each side is a list of points, smooth inside, a corner where sides meet."""
    return np.concatenate([spline(side) for side in sides])


def fill(shape: tuple[int, int], polygon: np.ndarray, blur: float = 0.0) -> np.ndarray:
    """Anti-aliased alpha HxW of a polygon (M, 2) in pixels, blurred by ``blur`` pixels."""
    alpha = np.zeros(shape, np.uint8)
    cv2.fillPoly(alpha, [np.round(np.asarray(polygon) * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    alpha = alpha.astype(np.float32) / 255
    return cv2.GaussianBlur(alpha, (0, 0), blur) if blur else alpha


def stroke(shape: tuple[int, int], lines: list, width: float, blur: float = 0.0) -> np.ndarray:
    """Anti-aliased alpha HxW of open curves of ``width`` pixels; below one pixel the line gets fainter, not thinner."""
    alpha = np.zeros(shape, np.uint8)
    lines = [np.round(np.asarray(line) * 16).astype(np.int32) for line in lines]
    cv2.polylines(alpha, lines, False, int(255 * min(width, 1)), max(1, round(width)), cv2.LINE_AA, 4)
    alpha = alpha.astype(np.float32) / 255
    return cv2.GaussianBlur(alpha, (0, 0), blur) if blur else alpha


def creases(height: np.ndarray, lines: list, width: float, depth: float) -> None:
    """Add soft ridges (valleys if ``depth`` < 0) of ``depth`` pixels along ``lines`` to ``height`` in place."""
    if lines:
        ridge = stroke(height.shape, lines, 0.9 * width, 0.55 * width)
        height += (2.2 * depth) * ridge


def relief(alpha: np.ndarray, radius: float, power: float = 0.5) -> np.ndarray:
    """Height in pixels of a shape rounded at its border: a quarter circle of ``radius`` pixels, then flat."""
    d = cv2.distanceTransform((alpha > 0.5).astype(np.uint8), cv2.DIST_L2, 5)
    inner = 1 - np.minimum(d / radius, 1)
    return cv2.GaussianBlur(radius * (1 - inner**2) ** power, (0, 0), max(0.06 * radius, 0.6))


def lit(height: np.ndarray) -> np.ndarray:
    """Light HxW on a height map in pixels: 0.95 on a flat place, 1.1 towards the light, 0.45 away from it."""
    height = height.astype(np.float32, copy=False)
    gx = cv2.Scharr(height, cv2.CV_32F, 1, 0, scale=1 / 32)
    gy = cv2.Scharr(height, cv2.CV_32F, 0, 1, scale=1 / 32)
    towards = (LIGHT[2] - LIGHT[0] * gx - LIGHT[1] * gy) / np.sqrt(1 + gx * gx + gy * gy)
    return 0.45 + 0.68 * np.maximum((towards + 0.55) / 1.55, 0)


def colour(hue: float, saturation: float, value: float) -> np.ndarray:
    """HSV, each in 0..1, to float32 RGB."""
    k = (np.array((5, 3, 1), np.float32) + 6 * hue) % 6
    return (value * (1 - saturation * np.clip(np.minimum(k, 4 - k), 0, 1))).astype(np.float32)


def cloth_colour(rng: np.random.Generator) -> np.ndarray:
    """A colour clothes are made in: white, black, grey, navy, earth or saturated; float32 RGB."""
    kind = rng.choice(6, p=(0.14, 0.13, 0.12, 0.13, 0.16, 0.32))
    if kind == 0:
        return colour(rng.uniform(0.05, 0.2), rng.uniform(0, 0.06), rng.uniform(0.88, 0.97))
    if kind == 1:
        return colour(rng.random(), rng.uniform(0, 0.25), rng.uniform(0.1, 0.2))
    if kind == 2:
        return colour(rng.random(), rng.uniform(0, 0.08), rng.uniform(0.3, 0.75))
    if kind == 3:
        return colour(rng.uniform(0.56, 0.68), rng.uniform(0.4, 0.75), rng.uniform(0.2, 0.5))
    if kind == 4:
        return colour(rng.uniform(0.03, 0.2), rng.uniform(0.2, 0.55), rng.uniform(0.3, 0.85))
    return colour(rng.random(), rng.uniform(0.25, 0.72), rng.uniform(0.32, 0.86))


@dataclass
class Cloth:
    """A material: a periodic tile HxWx3 (print and weave), its main colour, how deep it folds (about 1), and of which of
    ``CLOTHS`` and ``PRINTS`` it was made."""

    tile: np.ndarray
    base: np.ndarray
    fold: float
    kind: str
    pattern: str

    def albedo(self, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        """Colour HxWx3 at cloth coordinates ``u`` (across) and ``v`` (along), HxW in pixels."""
        h, w = self.tile.shape[:2]
        return cv2.remap(self.tile, np.mod(u, w - 1).astype(np.float32), np.mod(v, h - 1).astype(np.float32), cv2.INTER_LINEAR)


def weave(kind: str, n: int, unit: float, rng: np.random.Generator) -> np.ndarray:
    """Periodic n x n multiplier near 1 of a cloth's surface; ``unit`` is the head height in pixels."""
    y, x = np.mgrid[0:n, 0:n].astype(np.float32)
    grain = cv2.GaussianBlur(rng.normal(0, 1, (n, n)).astype(np.float32), (0, 0), 0.8, borderType=cv2.BORDER_REPLICATE)
    turns = lambda width: 2 * np.pi * round(n / max(width, 2.5)) / n  # a whole number of threads per tile
    if kind == "knit":
        a, b = turns(0.045 * unit), turns(0.035 * unit)
        return 1 + 0.07 * np.sin(b * y + 2.2 * np.abs(np.sin(a / 2 * x))) + 0.04 * np.cos(a * x) + 0.02 * grain
    if kind == "denim":
        return 1 + 0.06 * np.sin(turns(0.02 * unit) * (x + y)) + 0.07 * grain
    if kind == "weave":
        return 1 + 0.03 * np.sin(turns(0.018 * unit) * x) * np.sin(turns(0.018 * unit) * y) + 0.03 * grain
    return 1 + (0.025 if kind == "jersey" else 0.008) * grain


def make_cloth(rng: np.random.Generator, unit: float, kind: str | None = None, pattern: str | None = None, base=None) -> Cloth:
    """A random ``Cloth``; ``unit`` is the head height in pixels and sets the size of thread and print."""
    kind = kind or str(rng.choice(CLOTHS, p=(0.35, 0.25, 0.15, 0.05, 0.2)))
    pattern = pattern or str(rng.choice(PRINTS, p=(0.48, 0.13, 0.05, 0.08, 0.07, 0.09, 0.10)))
    grain = fork(rng)
    base = cloth_colour(rng) if base is None else np.asarray(base, np.float32)
    if kind == "denim":
        base, pattern = colour(rng.uniform(0.57, 0.63), rng.uniform(0.3, 0.65), rng.uniform(0.22, 0.7)), "plain"
    n = max(24, int(unit * rng.uniform(0.8, 1.3)))
    y, x = np.mgrid[0:n, 0:n].astype(np.float32) / n
    tile = np.broadcast_to(base, (n, n, 3)).copy()
    ink = cloth_colour(rng)
    while np.abs(ink - base).sum() < 0.6:
        ink = cloth_colour(rng)

    def band(t, count, share):  # soft-edged stripes, a whole number per tile
        return np.clip((share / 2 - np.abs((t * count) % 1 - 0.5)) * n / count + 0.5, 0, 1)[..., None]

    if pattern == "stripes":
        tile += band(y, int(rng.integers(2, 8)), rng.uniform(0.2, 0.6)) * (ink - tile)
    elif pattern == "pinstripes":
        tile += 0.8 * band(x, int(rng.integers(7, 14)), rng.uniform(0.12, 0.3)) * (ink - tile)
    elif pattern == "checks":
        count = int(rng.integers(3, 9))
        tile += 0.5 * (band(x, count, 0.5) + band(y, count, 0.5)) * (ink - tile)
    elif pattern == "tartan":
        third = cloth_colour(rng)
        for count, share, c, a in ((2, 0.5, ink, 0.45), (2, 0.12, third, 0.6), (1, 0.06, cloth_colour(rng), 0.7)):
            tile += a * band(x, count, share) * (c - tile)
            tile += a * band(y, count, share) * (c - tile)
    elif pattern == "dots":
        count = int(rng.integers(3, 10))
        size = rng.uniform(0.15, 0.32)
        row = np.floor(y * count * 2) % 2
        d = np.hypot((x * count + row * 0.5) % 1 - 0.5, ((y * count * 2) % 1 - 0.5) / 2)
        tile += np.clip((size * 0.8 - d) * n / count + 0.5, 0, 1)[..., None] * (ink - tile)
    elif pattern == "floral":
        leaf = colour(rng.uniform(0.2, 0.45), rng.uniform(0.2, 0.6), rng.uniform(0.25, 0.7))
        for _ in range(int(rng.integers(9, 22))):
            cx, cy, r, turn = rng.random() * n, rng.random() * n, n * rng.uniform(0.035, 0.09), rng.uniform(0, 6.3)
            petal, c = int(rng.integers(4, 7)), np.clip(ink + rng.normal(0, 0.08, 3), 0, 1).astype(np.float32)
            dx, dy = (x * n - cx + n / 2) % n - n / 2, (y * n - cy + n / 2) % n - n / 2
            d, angle = np.hypot(dx, dy), np.arctan2(dy, dx) + turn
            green = np.clip(r * 1.9 * np.maximum(np.cos(angle), 0) ** 6 - d + 0.5, 0, 1)
            tile += green[..., None] * (leaf - tile)
            bloom = np.clip(r * (0.65 + 0.35 * np.cos(petal * angle)) - d + 0.5, 0, 1)
            tile += (bloom * (0.75 + 0.25 * np.minimum(d / r, 1)))[..., None] * (c - tile)
            tile += np.clip(0.25 * r - d + 0.5, 0, 1)[..., None] * (np.float32((0.95, 0.8, 0.3)) - tile)
    tile *= weave(kind, n, unit, grain)[..., None]
    fold = {"jersey": 1.0, "weave": 1.15, "knit": 0.6, "denim": 0.7, "smooth": 1.25}[kind] * rng.uniform(0.8, 1.2)
    return Cloth(np.clip(tile, 0, 1.1).astype(np.float32), base, fold, kind, pattern)


def studio(size: tuple[int, int], rng: np.random.Generator, white: float = 0.25) -> np.ndarray:
    """A plain ground HxWx3: near white with probability ``white``, else any shade; a soft gradient and vignette."""
    h, w = size
    if rng.random() < white:
        base = np.full(3, rng.uniform(0.93, 0.985), np.float32)
    else:
        base = colour(rng.random(), rng.uniform(0, 0.22) if rng.random() < 0.8 else rng.uniform(0.2, 0.55), rng.uniform(0.35, 0.93))
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    y, x = y / h - 0.5, x / w - 0.5
    cx, cy = rng.uniform(-0.25, 0.25), rng.uniform(-0.3, 0.1)
    shade = 1.02 - rng.uniform(0.02, 0.28) * ((x - cx) ** 2 + (y - cy) ** 2) - rng.normal(0, 0.03) * x - rng.normal(0, 0.04) * y
    return base * shade[..., None]


def finish(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Float HxWx3 to uint8 with a trace of sensor grain, which also dithers away banding."""
    grain = rng.standard_normal(image.shape[:2], np.float32) * rng.uniform(0.7, 1.6)
    return np.clip(image * 255 + grain[..., None] + 0.5, 0, 255).astype(np.uint8)
