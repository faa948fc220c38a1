"""Actions: how each kind of garment is put on, as where hands and body want every point of its cloth at every time.

A pull-over, a dress or a hat comes from above, over the head; trousers, skirts and jumpsuits come from below, one leg first; a jacket or shirt
comes onto one arm from the hand, round the back onto the other, and is closed. The person does not move: arms stay where the photo has them,
sleeves that a person would reach into are drawn over them. What lies outside the photo when an action begins comes in from outside.

Times run from 0 to 1, distances are pixels of the photo. The order of the sides is the person's own: right first.
"""
from dataclasses import dataclass

import cv2
import numpy as np

from tryon.compose import capsule
from tryon.dressing.cloth import Grid
from tryon.fit import Body, smooth

HEIGHT = 3.3  # of a body, in torso lengths (tryon.fit's proportions)
OPEN = ("jacket", "shirt")  # kinds that open at the front


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


def placed_for(total: float, least: float = 0.24) -> float:
    """How much must have come out of the gathers for the whole to be ``total`` of its length."""
    tries = np.linspace(0, 1, 33)
    return float(np.interp(total, [float(gathered(np.array(1.0), p, least)) for p in tries], tries))


@dataclass
class Scene:
    """Body and cloth at rest, in the axes of the torso: a across, b down from the collar, for every point of every sheet. category and subcategory
    of schema; shape H, W of the photo; parts, active and inside of the sheets,
    bool S x gh x gw: near cloth, and in it."""

    body: Body
    category: str
    subcategory: str
    shape: tuple[int, int]
    grid: Grid
    parts: list[str]
    active: np.ndarray
    inside: np.ndarray
    seed: int = 0

    def __post_init__(self):
        self.unit = self.body.unit
        points = self.grid.points().astype(float)
        self.rest = np.broadcast_to(points, (len(self.parts), *points.shape))
        self.origin = self.body.neck - 0.075 * self.unit * self.body.down
        rel = points - self.origin
        self.a, self.b = rel @ self.body.across, rel @ self.body.down
        used = self.active.any(0)
        self.top, self.bottom = float(self.b[used].min()), float(self.b[used].max())
        body = self.active[self.parts.index(next(p for p in self.parts if p.startswith("torso")))]
        self.hem = float(self.b[self.active[[p.startswith("torso") for p in self.parts]].any(0)].max())
        self.half = float(np.percentile(np.abs(self.a[body]), 95))
        self.rows = self._widths(body)
        self.sides_of_rows = self._edges(self.inside[self.parts.index(next(p for p in self.parts if p.startswith("torso")))])
        self.even = self._even()
        rng = np.random.default_rng(self.seed)
        self.noise = self._noise(rng), self._noise(rng)
        self.late = {"right": 0.0, "left": 0.05 + 0.04 * rng.random()}

    def _widths(self, on: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Half the width of the cloth at points ``on`` (bool gh x gw) row by row: where the rows are, down from the collar, and the widths."""
        rows = np.linspace(self.b[on].min(), self.b[on].max(), 24)
        near = [np.abs(self.a[on & (np.abs(self.b - r) < 1.5 * self.grid.spacing)]) for r in rows]
        return rows, np.array([np.percentile(n, 92) if len(n) > 3 else self.half for n in near])

    def _edges(self, on: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Rows down from the collar, and where cloth at points ``on`` (bool gh x gw) begins and ends across."""
        rows = np.linspace(self.b[on].min(), self.b[on].max(), 40)
        left, right = np.full(len(rows), np.nan), np.full(len(rows), np.nan)
        for k, r in enumerate(rows):
            near = self.a[on & (np.abs(self.b - r) < 0.75 * self.grid.spacing)]
            if len(near) > 1:
                left[k], right[k] = near.min(), near.max()
        known = ~np.isnan(left)
        even = lambda v: np.convolve(np.pad(np.interp(rows, rows[known], v[known]), 2, mode="edge"), np.ones(5) / 5, "valid")
        return rows, even(left), even(right)

    def edges(self, b) -> tuple[np.ndarray, np.ndarray]:
        rows, left, right = self.sides_of_rows
        return np.interp(b, rows, left), np.interp(b, rows, right)

    def _even(self) -> np.ndarray:
        """By what the width of each point's row is to be multiplied to be that of the rows around: gathered cloth has no wings and no waist."""
        rows, wide = self.rows
        mean = np.minimum(np.convolve(np.pad(wide, 11, mode="edge"), np.hanning(25)[1:-1] / np.hanning(25).sum(), "valid"), np.median(wide))
        return np.interp(self.b, rows, np.clip(mean / np.maximum(wide, 1.0), 0.5, 1.25))

    def _noise(self, rng) -> np.ndarray:
        small = rng.standard_normal((7, 5)).astype(np.float32)
        return cv2.resize(small, self.a.shape[::-1], interpolation=cv2.INTER_CUBIC)

    def sides(self) -> dict[str, str]:
        """Side of the garment -> side of the body it is seen on."""
        return {s: s if self.body.right_to_left > 0 else {"left": "right", "right": "left"}[s] for s in ("right", "left")}

    def vector(self, a, b) -> np.ndarray:
        return np.asarray(a)[..., None] * self.body.across + np.asarray(b)[..., None] * self.body.down

    def rough(self, loose: np.ndarray) -> np.ndarray:
        """Irregular displacement of gathered cloth."""
        return self.vector(self.noise[0] * loose * 0.045 * self.unit, self.noise[1] * loose * 0.05 * self.unit)


class OverHead:
    """Tops, sweaters, dresses: gathered to a ring whose front passes the face and whose back, ``torso-back``, the back of the head; the body is
    pulled down while the sleeves, which hang from the ring, run out along the arms."""

    phases = ((0.0, "over the head"), (0.42, "pull down"), (0.92, "settle"))
    ROUND = 0.45  # share of the width that goes round to the back

    def __init__(self, scene: Scene):
        s = self.s = scene
        self.length = s.hem
        self.least = float(np.clip(0.34 * s.unit / max(self.length, 1.0), 0.15, 0.3))
        rows, left, right = s.sides_of_rows
        self.wide = 1.1 * float(np.median(right - left)) / 2
        self.thick = 0.5 * self.length * self.least  # half of that of the ring
        self.start = -(s.origin[1] + s.bottom * self.least + 0.2 * s.unit)  # just above the photo
        self.arms = {}
        for side, seen in s.sides().items():
            if side in s.parts:
                curve = Curve(s.body.limb(seen, arm=True)[0], 3 * s.unit)
                t, u = curve.project(s.rest[0])
                on = s.active[s.parts.index(side)]
                joint = curve.at(np.array(0.0), 0.0) - s.origin
                self.arms[side] = (curve, t, u, max(float(np.percentile(t[on], 97)), 0.1 * s.unit), smooth(t, -0.02 * s.unit, 0.22 * s.unit),
                                   joint @ s.body.across, joint @ s.body.down)

    def pulled(self, time: float) -> float:
        """How much of the body has come out of the gathers, so that it grows evenly longer."""
        return placed_for(self.least + (1 - self.least) * ramp(time, 0.38, 0.97) ** 1.35, self.least)

    def ring(self, a, b, time: float, back: bool = False) -> tuple[np.ndarray, ...]:
        """Where cloth at a, b lies in the axes of the torso, how high towards the viewer, and how far beyond the outline of the gathered part: pixels."""
        s, pulled, x = self.s, self.pulled(time), b / self.length
        fall, open_ = ramp(time, 0.0, 0.45), 1 - ramp(time, 0.3, 0.6)
        bunched = smooth(x, 1.75 * pulled - 0.75, 1.75 * pulled) if pulled < 1 else np.zeros_like(x)
        # Gathered, all rows are as wide as the ring, and what stands off beside them is tucked in.
        left, right = s.edges(b)
        middle, wide = (left + right) / 2, np.maximum((right - left) / 2, 1.0)
        side = (a - middle) / wide
        part = np.clip(side, -1, 1)
        ring = part + self.ROUND * open_ * (0.55 * np.sin(part * np.pi / 2) - part)
        across = middle + wide * (side - part) + (wide + (self.wide - wide) * bunched) * ring - middle * bunched
        beyond = (np.abs(side) - 1) * wide - 0.5 * s.unit * (1 - smooth(bunched, 0, 0.3))
        # The bunch: from where cloth is gathered down to the hem, thinner at its ends.
        down = np.where(b < 0, b * (0.55 + 0.45 * ramp(time, 0.25, 0.5)), self.length * gathered(x, pulled, self.least))
        top, bottom = self.length * gathered(np.array((max(0.0, 1.75 * pulled - 0.75), 1.0)), pulled, self.least)
        centre, half = (top + bottom) / 2, max((bottom - top) / 2, 1.0)
        off = down - centre
        standing = smooth(1 - pulled, 0.0, 0.35)
        down = down - 0.3 * off * part ** 6 * standing * (1 - smooth(np.abs(off), half, 2 * half))
        # It is seen a little from above; a held hem hangs in a curve.
        bow = np.sqrt(1 - 0.98 * part ** 2)
        tilt = (1 - ramp(time, 0.28, 0.52)) * 0.1 * s.unit
        down = down + tilt * (-bow if back else bow) + 0.04 * s.unit * np.clip(x, 0, 1) * (1 - pulled) * bow
        skew = 0.06 * np.sin(2 * np.pi * (time * 1.6 + 0.2)) * (1 - pulled) * a
        height = standing * (self.thick * np.sqrt(1.02 - np.clip(off / half, -1, 1) ** 2) + 0.25 * s.unit * bow * open_)
        return across, down + skew + self.start * (1 - fall), height * (-0.5 if back else 1), beyond

    def __call__(self, time: float) -> tuple[np.ndarray, np.ndarray]:
        s = self.s
        slack = np.clip(s.b / self.length, 0, 1) * (1 - self.pulled(time))
        loose = np.clip(slack + (1 - ramp(time, 0.0, 0.45)), 0, 1)
        goal, free = np.repeat(s.rest[:1], len(s.parts), 0), np.repeat(loose[None], len(s.parts), 0)
        for k, part in enumerate(s.parts):
            across, down = self.ring(s.a, s.b, time, part == "torso-back")[:2]
            goal[k] += s.vector(across - s.a, down - s.b) + s.rough(0.6 * slack)
        limp = 1 - ramp(time, 0.38, 0.62)
        for side, (curve, t, u, length, weight, a, b) in self.arms.items():
            out = placed_for(0.4 + 0.6 * ramp(time, 0.42 + s.late[side], 0.94 + 0.5 * s.late[side]), 0.26)
            k = s.parts.index(side)
            # On the ring sleeves are set in a little towards the front.
            inside = np.sign(a) * min(abs(a), 0.8 * self.wide)
            across, down = self.ring(a + (inside - a) * limp, b, time)[:2]
            along = length * gathered(t / length, out, 0.26)
            full = 1 + 0.12 * (1 - out) * smooth(t / length, 0.2, 0.9)
            slack = np.clip(t / length, 0, 1) * (1 - out)
            # A sleeve without an arm hangs.
            slid = curve.at(along, u * full) + s.vector(across - a, down - b)
            hung = s.origin + s.vector(across - 0.7 * u, down + along)
            slid = slid + limp * (hung - slid) + s.rough(slack * 0.8)
            weight = weight + limp * (smooth(t, -0.02 * s.unit, 0.08 * s.unit) - weight)
            goal[k] += weight[..., None] * (slid - goal[k])
            free[k] = (1 - weight) * free[k] + weight * slack
        return goal.astype(np.float32), free.astype(np.float32)

    def form(self, time: float) -> np.ndarray:
        """S x gh x gw x 2: how high cloth stands out towards the viewer, and how far beyond the outline of what is gathered it is, in pixels."""
        s = self.s
        out = [np.stack(self.ring(s.a, s.b, time, p == "torso-back")[2:], -1) if p.startswith("torso") else np.broadcast_to((0.0, -1.0), (*s.a.shape, 2))
               for p in s.parts]
        return np.array(out, np.float32)


class StepIn:
    """Trousers, shorts, skirts, jumpsuits: gathered, from below, up the legs - one, then the other - and over the hips."""

    def __init__(self, scene: Scene):
        s = self.s = scene
        legs = s.category == "lower" and "left" in s.parts
        begin = ((0.0, "one leg"), (0.2, "other leg")) if legs else ((0.0, "step in"),)
        self.phases = *begin, (0.45, "pull up"), (0.9, "settle")
        unit = s.unit
        waist = s.origin + s.vector(0.0, max(s.top, 0.0))
        lines = {side: s.body.limb(seen, arm=False)[0] for side, seen in s.sides().items()}
        # From the waist down: clothes that sit low begin below the hips.
        def leg(start: np.ndarray, line: np.ndarray) -> Curve:
            below = line[(line - start) @ s.body.down > 0.08 * unit]
            return Curve(np.concatenate((start[None], below if len(below) else (start + unit * s.body.down)[None])), 4 * unit)

        if legs:
            sign = {side: np.sign((line[0] - s.body.hips) @ s.body.across) or 1.0 for side, line in lines.items()}
            self.curves = {side: leg(waist + s.vector(sign[side] * 0.17 * unit, 0.0), line) for side, line in lines.items()}
        else:
            middle = (lines["right"] + lines["left"]) / 2
            self.curves = {"both": leg(waist, middle if s.category == "lower" else middle[:0])}
        self.coords = {}
        for side, curve in self.curves.items():
            t, u = curve.project(s.rest[0])
            on = s.active[s.parts.index(side)] if side in s.parts else s.active.any(0)
            self.coords[side] = t, u, float(np.percentile(t[on], 99)), curve.leaves(s.shape) + 0.04 * unit
        if legs:
            # Each point follows the leg it is of; over the crotch, both.
            below = s.b - (waist - s.origin) @ s.body.down
            soft = 0.22 * unit * (1 - smooth(below, 0.25 * unit, 0.5 * unit)) + 0.03 * unit
            mine = (lines["left"][0] - lines["right"][0]) @ s.body.across > 0
            a = s.a - float((waist - s.origin) @ s.body.across)
            left = smooth((a if mine else -a) / soft, -1, 1)
            self.share = {"right": 1 - left, "left": left}
        else:
            self.share = {"both": np.ones_like(s.a)}

    def __call__(self, time: float) -> tuple[np.ndarray, np.ndarray]:
        s, move, loose = self.s, 0.0, 0.0
        for side, curve in self.curves.items():
            t, u, length, away = self.coords[side]
            lag = 0.12 * min(1.0, length / (1.3 * s.unit)) if side == "left" else 0.0  # of shorts less, or they would be torn
            # The lag is made up for while pulling up.
            up = 1 - (1 - ramp(time, lag, 0.93)) ** 1.3
            rest = away * (1 - up)
            # It opens on the way, however short it is.
            total = max(0.24 + 0.66 * ramp(time, 0.25, 0.95), min(1.0, (length - rest) / length))
            placed = placed_for(total)
            along = np.where(t < 0, t, length * gathered(t / length, placed)) + rest
            slack = np.clip(t / length, 0, 1) * (1 - up)
            wide = 1 + 0.10 * np.clip(t / length, 0, 1) * (1 - placed)
            if side == "both":
                wide = wide * (1 + (s.even * round_off(t / length) - 1) * (1 - placed) ** 0.5)
            # The legs of shorts stand out as they were laid; gathered, they hang.
            hung = u if side == "both" else u + (1 - placed) ** 0.5 * (0.19 * s.unit * np.tanh(u / (0.19 * s.unit)) - u)
            slid = curve.at(along, hung * wide) - curve.at(t, u)
            swing = s.vector(0.02 * s.unit * np.sin(9 * time + 2 * t / length) * (1 - up), 0.0)
            weight = self.share[side]
            move = move + weight[..., None] * (slid + s.rough(slack) + swing)
            loose = loose + weight * slack
        goal = np.repeat((s.rest[0] + move)[None], len(s.parts), 0)
        free = np.repeat(np.asarray(loose)[None], len(s.parts), 0)
        return goal.astype(np.float32), free.astype(np.float32)


class Open:
    """Jackets and shirts: a sleeve from the hand up, the panel hanging from it; round the back; the other sleeve; the front is closed. ``parts`` are
    torso-right, torso-left, right, left."""

    phases = ((0.0, "one sleeve"), (0.34, "round the back"), (0.42, "other sleeve"), (0.64, "close"), (0.93, "settle"))
    SLEEVE = {"right": (0.0, 0.42), "left": (0.32, 0.64)}

    def __init__(self, scene: Scene):
        s = self.s = scene
        unit = s.unit
        self.arms = {}
        for side, seen in s.sides().items():
            curve = Curve(s.body.limb(seen, arm=True)[0], 3 * unit)
            t, u = curve.project(s.rest[0])
            sign = 1.0 if (s.body.limb(seen, arm=True)[0][0] - s.body.neck) @ s.body.across > 0 else -1.0
            on = s.active[s.parts.index(side)] if side in s.parts else None
            length = max(float(np.percentile(t[on], 97)), 0.2 * unit) if on is not None and on.any() else 0.5 * unit
            edge = sign * (0.3 * unit if side not in s.parts else 0.33 * unit)
            self.arms[side] = curve, t, u, length, smooth(t, -0.02 * unit, 0.22 * unit), sign, edge
        # How far aside the first side must be to be out of the photo.
        self.reach = 0.0
        panel, _, slid, _, weight = self.side("right", 0.0)
        x = np.concatenate([(s.rest[0] + m)[s.active[s.parts.index(p)], 0] for p, m in (("torso-right", panel), ("right", slid)) if p in s.parts])
        self.reach = float(x.max() if self.arms["right"][5] * s.body.across[0] < 0 else s.shape[1] - x.min())

    def side(self, side: str, time: float) -> tuple[np.ndarray, ...]:
        """Of one side: how the panel moves, gh x gw x 2, and how loose it is, the same of the sleeve, and how much each point is of the sleeve."""
        s, unit = self.s, self.s.unit
        curve, t, u, length, weight, sign, edge = self.arms[side]
        begin, end = self.SLEEVE[side]
        up = ramp(time, begin, end)
        close = ramp(time, 0.62, 0.97)
        # It hangs below the shoulder until both arms are in.
        rest = (curve.length + 0.1 * unit) * (1 - up) + 0.19 * unit * up * (1 - close)
        # From outside the photo, or from behind the back.
        enter = 1 - smooth(time, begin, begin + 0.85 * (end - begin))
        if side == "right":
            aside = s.vector(sign * self.reach * enter, 0.15 * unit * enter * (1 - enter))
        else:
            aside = s.vector(-sign * 0.55 * unit * enter, -0.1 * unit * enter)
        joint = curve.at(np.array(rest), 0.0) - curve.at(np.array(0.0), 0.0)
        joint = joint * np.array((0.75, 0.45))  # the shoulder of the jacket is held higher than the hand
        held = 0.2 + 0.24 * up if side == "right" else 0.14 + 0.3 * smooth(time, end, end + 0.12)
        open_ = held + (1 - held) * close
        below = np.clip(s.b / max(s.hem, 1.0), 0, 1.2)
        # A panel opens most at the hem.
        fold = open_ + (1 - open_) * 0.3 * (1 - below) * up
        across = edge + (s.a - edge) * fold + sign * 0.12 * unit * (1 - up)
        sway = 0.05 * unit * np.sin(7 * time + 3 * below) * below * (1 - close)
        slack = (1 - close) * np.minimum(0.3 + 0.7 * below, 1)
        panel = s.vector(across - s.a + sway, -0.3 * s.b * (1 - up) ** 1.5) + joint + aside + s.rough(slack * 0.7)
        total = max(0.3, min(1.0, (length - rest) / length))
        placed = placed_for(total, 0.26)
        along = np.where(t < 0, t, length * gathered(t / length, placed, 0.26)) + rest
        slid = curve.at(along, u * (1 + 0.1 * (1 - placed))) - curve.at(t, u) + aside + s.rough(np.clip(t / length, 0, 1) * (1 - placed) * 0.8)
        return panel, slack, slid, np.clip(t / length, 0, 1) * (1 - up), weight

    def __call__(self, time: float) -> tuple[np.ndarray, np.ndarray]:
        s = self.s
        goal, free = np.repeat(s.rest[:1].astype(np.float32), len(s.parts), 0), np.zeros(s.active.shape, np.float32)
        for side in ("right", "left"):
            panel, slack, slid, loose, weight = self.side(side, time)
            k = s.parts.index(f"torso-{side}")
            goal[k] += panel
            free[k] = slack
            if side in s.parts:
                k = s.parts.index(side)
                goal[k] += weight[..., None] * slid + (1 - weight[..., None]) * panel
                free[k] = weight * loose + (1 - weight) * slack
        return goal, free

    def in_front(self, part: str, time: float) -> float:
        """Down to what length below the collar a part is in front of the person: it comes from behind, the shoulder first."""
        side = part.removeprefix("torso-")
        begin, end = self.SLEEVE[side]
        if side == "right":
            return np.inf
        shown = smooth(time, end - 0.14, end + 0.1) if part != side else smooth(time, end - 0.1, end + 0.05)
        return -0.3 * self.s.unit + shown * (self.s.bottom + 0.4 * self.s.unit) if shown < 1 else np.inf


class FromAbove:
    """Hats, and whatever is simply laid on: into the picture from above, over from the side, lowered and pressed on."""

    phases = ((0.0, "bring"), (0.35, "over the head"), (0.75, "put on"), (0.93, "settle"))

    def __init__(self, scene: Scene):
        s = self.s = scene
        used = scene.rest[0][scene.active.any(0)]
        self.centre = used.mean(0)
        self.side = 1.0 if self.centre[0] < s.shape[1] / 2 else -1.0  # from where there is more room
        tilted = (used - self.centre) @ self._turn(18).T
        self.start = -(float(self.centre[1] + tilted[:, 1].max()) - s.grid.spacing)

    def _turn(self, degrees: float) -> np.ndarray:
        angle = np.radians(self.side * degrees)
        return np.array(((np.cos(angle), -np.sin(angle)), (np.sin(angle), np.cos(angle))))

    def __call__(self, time: float) -> tuple[np.ndarray, np.ndarray]:
        s = self.s
        over, lower = ramp(time, 0.15, 0.88), min(time / 0.95, 1.0)
        x, y = self.side * 0.85 * s.unit * (1 - over), self.start * (1 - lower)
        goal = (s.rest - self.centre) @ self._turn(18 * (1 - over) - 7 * np.sin(np.pi * over)).T + self.centre + np.array((x, y))
        return goal.astype(np.float32), np.zeros(s.active.shape, np.float32)


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
        self.edge = np.interp(s.b, *s.rows)
        self.part = np.clip(s.a / np.maximum(self.edge, 1.0), -1, 1)  # where in the width of its row a point is

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


def action(scene: Scene):
    """The way this kind of garment is put on."""
    if scene.category == "accessory":
        return FromAbove(scene)
    if scene.category == "lower" or scene.subcategory == "jumpsuit":
        return StepIn(scene)
    return Open(scene) if scene.subcategory in OPEN else OverHead(scene)
