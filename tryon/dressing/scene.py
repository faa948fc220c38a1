"""Scene: body and cloth at rest, in coordinates that actions move cloth in - along limbs, down the torso, out of gathers - and the body that is in
the way.

Times run from 0 to 1, distances are pixels of the photo.
"""
import functools
from dataclasses import dataclass

import cv2
import numpy as np

from tryon.body import Body
from tryon.dressing.cloth import Grid
from tryon.fit import smooth
from tryon.limbs import capsule

ROWS = 40  # at which the width of a garment is known


def ramp(t: float, a: float, b: float) -> float:
    """0 before ``a``, 1 after ``b``, eased in between."""
    t = float(np.clip((t - a) / (b - a), 0, 1))
    return 0.45 * t + 0.55 * t * t * (3 - 2 * t)


class Curve:
    """A limb as a smooth curve, extended straight at both ends: ``t`` is the length along it from the first of the points Kx2, ``u`` the side."""

    def __init__(self, points: np.ndarray, reach: float):
        seg = np.diff(points, axis=0)
        first, last = (d / max(float(np.linalg.norm(d)), 1e-6) for d in (seg[0], seg[-1]))
        ends = np.concatenate(((points[0] - first * reach)[None], points, (points[-1] + last * reach)[None]))
        length = np.concatenate(((0.0,), np.cumsum(np.linalg.norm(np.diff(ends, axis=0), axis=1))))
        at = np.linspace(0, length[-1], 240)
        line = np.stack([np.interp(at, length, ends[:, k]) for k in range(2)], 1)
        kernel = np.hanning(27)[1:-1]
        line = np.stack([np.convolve(np.pad(line[:, k], 12, mode="reflect", reflect_type="odd"), kernel / kernel.sum(), "valid") for k in range(2)], 1)
        self.line = line
        self.t = np.concatenate(((0.0,), np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))))
        self.t -= self.t[np.argmin(((line - points[0]) ** 2).sum(1))]
        tangent = np.gradient(line, axis=0)
        self.tangent = tangent / np.maximum(np.linalg.norm(tangent, axis=1, keepdims=True), 1e-6)
        self.length = float(self.t[np.argmin(((line - points[-1]) ** 2).sum(1))])  # of the limb itself

    def project(self, p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        flat = p.reshape(-1, 2)
        near = np.argmin(((flat[:, None] - self.line[None]) ** 2).sum(-1), 1)
        rel, d = flat - self.line[near], self.tangent[near]
        t, u = self.t[near] + (rel * d).sum(1), rel[:, 1] * d[:, 0] - rel[:, 0] * d[:, 1]
        return t.reshape(p.shape[:-1]), u.reshape(p.shape[:-1])

    def at(self, t: np.ndarray, u) -> np.ndarray:
        x, y, dx, dy = (np.interp(t, self.t, c) for c in (*self.line.T, *self.tangent.T))
        return np.stack((x - dy * u, y + dx * u), -1)

    def leaves(self, shape: tuple[int, int]) -> float:
        """Length at which the curve leaves a photo of ``shape`` for good."""
        x, y = self.line.T
        inside = (x >= 0) & (x < shape[1]) & (y >= 0) & (y < shape[0]) & (self.t >= 0)
        return float(self.t[inside].max()) if inside.any() else 0.0


def gathered(x: np.ndarray, placed: float, least: float = 0.24, width: float = 0.75) -> np.ndarray:
    """Where cloth at ``x`` of its length (0 at the end that leads, 1 at the other) lies when ``placed`` of it has come out of the gathers: the rest is
    gathered to the share ``least``, with a soft front. Below 0 nothing is gathered."""
    s = np.linspace(0, 1.3, 66)
    rate = least + (1 - least) * smooth(placed * (1 + width) - np.minimum(s, 1), 0, width)
    return np.where(x < 0, x, np.interp(x, s, np.concatenate(((0.0,), np.cumsum((rate[1:] + rate[:-1]) / 2) * (s[1] - s[0])))))


def round_off(x: np.ndarray) -> np.ndarray:
    """Width of a bunch of cloth at ``x`` 0..1 of its length: narrower at both ends."""
    return 1 - 0.3 * np.abs(2 * np.clip(x, 0, 1) - 1) ** 3


TRIES = np.linspace(0, 1, 33)


@functools.lru_cache(64)
def totals(least: float) -> list[float]:
    """The whole length of cloth of which TRIES have come out of the gathers."""
    return [float(gathered(np.array(1.0), p, least)) for p in TRIES]


def placed_for(total: float, least: float = 0.24) -> float:
    """How much must have come out of the gathers for the whole to be ``total`` of its length."""
    return float(np.interp(total, totals(least), TRIES))


@dataclass
class Scene:
    """Body and cloth at rest, in the axes of the torso: a across, b down from the collar, for every point of every sheet. category and subcategory
    of schema; shape H, W of the photo; parts of the sheets; bool S x gh x gw: active, near their cloth, and inside it."""

    body: Body
    category: str
    subcategory: str
    shape: tuple[int, int]
    grid: Grid
    parts: list[str]
    active: np.ndarray
    inside: np.ndarray

    def __post_init__(self):
        self.unit = self.body.unit
        points = self.grid.points().astype(float)
        self.rest = np.broadcast_to(points, (len(self.parts), *points.shape))
        self.origin = self.body.neck - 0.075 * self.unit * self.body.down
        rel = points - self.origin
        self.a, self.b = rel @ self.body.across, rel @ self.body.down
        used, torsos = self.active.any(0), [p.startswith("torso") for p in self.parts]
        self.top, self.bottom = float(self.b[used].min()), float(self.b[used].max())
        self.hem = float(self.b[self.active[torsos].any(0)].max())
        torso = torsos.index(True)
        self.rows, left, right = self._rows(self.inside[torso] if self.inside[torso].any() else self.active[torso])
        self.middles, self.halves = (left + right) / 2, np.maximum((right - left) / 2, 1.0)
        rng = np.random.default_rng(0)
        self.noise = self._noise(rng), self._noise(rng)
        self.late = {"right": 0.0, "left": 0.05 + 0.04 * rng.random()}

    def _rows(self, on: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Where rows are, down from the collar, and where cloth at points ``on`` (bool gh x gw) begins and ends across."""
        rows = np.linspace(self.b[on].min(), self.b[on].max(), ROWS)
        near = [self.a[on & (np.abs(self.b - r) < 0.75 * self.grid.spacing)] for r in rows]
        known = np.array([len(n) > 0 for n in near])
        even = lambda v: np.convolve(np.pad(np.interp(rows, rows[known], v), 2, mode="edge"), np.ones(5) / 5, "valid")
        return rows, even([n.min() for n in near if len(n)]), even([n.max() for n in near if len(n)])

    def row(self, b) -> tuple[np.ndarray, np.ndarray]:
        """The middle and half the width of the cloth of the torso at b."""
        return np.interp(b, self.rows, self.middles), np.interp(b, self.rows, self.halves)

    def _noise(self, rng) -> np.ndarray:
        small = rng.standard_normal((7, 5)).astype(np.float32)
        return cv2.resize(small, self.a.shape[::-1], interpolation=cv2.INTER_CUBIC)

    def on(self, part: str) -> np.ndarray:
        """Bool gh x gw: points near the cloth of a part; of any, if there is no such part."""
        return self.active[self.parts.index(part)] if part in self.parts else self.active.any(0)

    def sides(self) -> dict[str, str]:
        """Side of the garment -> side of the body it is seen on."""
        return {s: s if self.body.right_to_left > 0 else {"left": "right", "right": "left"}[s] for s in ("right", "left")}

    def limb(self, side: str, arm: bool) -> np.ndarray:
        """Joints 3x2 of the limb that a side of the garment is seen on."""
        return self.body.limb(self.sides()[side], arm)[0]

    def vector(self, a, b) -> np.ndarray:
        return np.asarray(a)[..., None] * self.body.across + np.asarray(b)[..., None] * self.body.down

    def rough(self, loose: np.ndarray) -> np.ndarray:
        """Irregular displacement of gathered cloth."""
        return self.vector(self.noise[0] * loose * 0.045 * self.unit, self.noise[1] * loose * 0.05 * self.unit)


class Outline:
    """The body from the front, row by row of the torso's axis: cloth of the torso is at least as wide where it passes, stretching over head and hips."""

    def __init__(self, scene: Scene):
        s = self.s = scene
        body, unit, (h, w) = s.body, s.unit, s.shape
        mask = body.is_head & ((np.indices((h, w)).transpose(1, 2, 0)[..., ::-1] - body.neck) @ body.down < 0)
        mask |= capsule((h, w), np.array((body.neck + 0.3 * unit * body.down, body.hips)), (0.42 * body.torso_width, 0.46 * body.hip_width))
        for side in ("right", "left"):
            mask |= capsule((h, w), body.limb(side, arm=False)[0], (0.17 * unit, 0.12 * unit, 0.09 * unit))
        rel = np.argwhere(mask)[:, ::-1] - s.origin
        a, b = rel @ body.across, rel @ body.down
        self.rows = np.arange(-1.2, 4, 0.04) * unit
        row = np.clip(np.searchsorted(self.rows, b), 0, len(self.rows) - 1)
        self.low, self.high = np.zeros(len(self.rows)), np.zeros(len(self.rows))
        np.minimum.at(self.low, row, a)
        np.maximum.at(self.high, row, a)
        self.torsos = [k for k, p in enumerate(s.parts) if p == "torso" and s.category != "accessory"]
        middle, self.edge = s.row(s.b)
        self.part = np.clip((s.a - middle) / self.edge, -1, 1)  # where in the width of its row a point is

    def __call__(self, x: np.ndarray, time: float) -> None:
        """Move points that are inside the outline out of it, in place; not once the cloth comes to rest."""
        s, strength = self.s, 1 - ramp(time, 0.75, 0.88)
        for k in self.torsos:
            rel = x[k] - s.origin
            a, b = rel @ s.body.across, rel @ s.body.down
            low, high = np.interp(b, self.rows, self.low), np.interp(b, self.rows, self.high)
            wanted = np.clip(np.where(self.part > 0, self.part * high, -self.part * low), -1.3 * self.edge, 1.3 * self.edge)
            push = np.where(self.part > 0, np.maximum(wanted - a, 0), np.minimum(wanted - a, 0))
            x[k] += (strength * push)[..., None] * s.body.across
