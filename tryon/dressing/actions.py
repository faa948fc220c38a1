"""Actions: how each kind of garment is put on, as where hands and body want every point of its cloth at every time.

A pull-over, a dress, a hat or a scarf comes from above, over the head; a bag from below, into the hand; trousers, skirts and jumpsuits come from below, one leg first; a jacket or shirt
comes onto one arm from the hand, round the back onto the other, and is closed. The person does not move: arms stay where the photo has them,
sleeves that a person would reach into are drawn over them. What lies outside the photo when an action begins comes in from outside.

Times run from 0 to 1, distances are pixels of the photo. The order of the sides is the person's own: right first.
"""
import numpy as np

from tryon.body import Body
from tryon.dressing.cloth import Sheet, halves, lined
from tryon.dressing.scene import Curve, Scene, gathered, placed_for, ramp, round_off
from tryon.fit import smooth

HEIGHT = 3.3  # of a body, in torso lengths (tryon.fit's proportions)


class Action:
    """Called with a time: where the points of the sheets are wanted, float32 S x gh x gw x 2, and how loose cloth is there, float32 S x gh x gw in
    0..1. ``phases``: when they begin, and what is done."""

    phases: tuple[tuple[float, str], ...]

    def __init__(self, scene: Scene):
        self.s = scene

    @staticmethod
    def cut(parts: list[Sheet], pad: int, body: Body) -> list[Sheet]:
        """The sheets that move for themselves, of parts with ``pad`` pixels around the photo."""
        return parts

    def pieces(self) -> list[list[int]]:
        """Numbers of the sheets that are sewn to one another."""
        return [list(range(len(self.s.parts)))]

    def order(self, time: float) -> list[int]:
        """Numbers of the sheets that are drawn, back to front."""
        return list(range(len(self.s.parts)))

    def in_front(self, part: str, time: float) -> float:
        """How far round the shoulder, down and inwards (tryon.dressing.ground.Occluders), a part is in front of the person."""
        return np.inf

    def form(self, time: float) -> np.ndarray:
        """float32 S x gh x gw x 2: how high cloth stands out to the viewer, and how far it is outside the outline of what is gathered, in pixels."""
        return np.broadcast_to(np.float32((0, -1)), (*self.s.active.shape, 2))


class OverHead(Action):
    """Tops, sweaters, dresses: gathered to a ring, whose front passes the face and whose back, ``torso-back``, the back of the head; the body is
    pulled down while the sleeves, which hang from the ring, run out along the arms."""

    phases = ((0.0, "over the head"), (0.42, "pull down"), (0.92, "settle"))
    ON, CLOSED = 0.45, 0.6  # when the ring lies on the shoulders, and when nothing is seen any more of its back
    SLEEVE = 0.26  # share of its length that a sleeve is gathered to

    def __init__(self, scene: Scene):
        s = self.s = scene
        self.length, self.wide = s.hem, 1.1 * float(np.median(s.halves))
        self.least = float(np.clip(0.34 * s.unit / max(self.length, 1.0), 0.15, 0.3))
        self.start = -(s.origin[1] + s.bottom * self.least + 0.2 * s.unit)  # just above the photo
        self.arms = {}
        for side in (p for p in ("right", "left") if p in s.parts):
            curve = Curve(s.limb(side, arm=True), 3 * s.unit)
            t, u = curve.project(s.rest[0])
            joint = curve.at(np.array(0.0), 0.0) - s.origin
            beside = s.rest[0] - curve.at(t, u)  # inside a sharp bend a curve does not lead back
            self.arms[side] = curve, t, u, max(float(np.percentile(t[s.on(side)], 97)), 0.1 * s.unit), joint @ s.body.across, joint @ s.body.down, beside

    @staticmethod
    def cut(parts: list[Sheet], pad: int, body: Body) -> list[Sheet]:
        return [lined(next(s for s in parts if s.part == "torso"), "torso-back"), *parts]

    def pieces(self) -> list[list[int]]:
        return [[k for k, p in enumerate(self.s.parts) if p != "torso-back"]]

    def order(self, time: float) -> list[int]:
        # Sleeves hang behind the front of the ring, then lie on the arms.
        depth = {"torso-back": 0, "torso": 2 if time < self.ON else 1}
        shown = [k for k, p in enumerate(self.s.parts) if p != "torso-back" or time < self.CLOSED]
        return sorted(shown, key=lambda k: depth.get(self.s.parts[k], 1))

    def in_front(self, part: str, time: float) -> float:
        return -np.inf if part == "torso-back" else np.inf

    def pulled(self, time: float) -> float:
        """How much of the body has come out of the gathers, so that it grows evenly longer."""
        return placed_for(self.least + (1 - self.least) * ramp(time, 0.38, 0.97) ** 1.35, self.least)

    def ring(self, a, b, time: float, back: bool = False) -> tuple[np.ndarray, ...]:
        """Where cloth at a, b lies in the axes of the torso, how high towards the viewer, and how far outside what is gathered: in pixels."""
        s, pulled, x = self.s, self.pulled(time), b / self.length
        fall, round_ = ramp(time, 0.0, self.ON), 1 - ramp(time, 0.3, self.CLOSED)
        # Gathered, all rows are as wide as the ring, and what stands off beside them is tucked in.
        begin = 1.75 * pulled - 0.75
        bunched = smooth(x, begin, begin + 0.75) if pulled < 1 else np.zeros_like(x)
        middle, wide = s.row(b)
        side = (a - middle) / wide
        part = np.clip(side, -1, 1)
        ring = part + 0.45 * round_ * (0.55 * np.sin(part * np.pi / 2) - part)
        across = middle * (1 - bunched) + wide * (side - part) + (wide + (self.wide - wide) * bunched) * ring
        outside = (np.abs(side) - 1) * wide - 0.5 * s.unit * (1 - smooth(bunched, 0, 0.3))
        # The bunch, from where cloth is gathered down to the hem, stands out like a tube, thinner at its ends.
        down = np.where(b < 0, b * (0.55 + 0.45 * ramp(time, 0.25, 0.5)), self.length * gathered(x, pulled, self.least))
        top, bottom = self.length * gathered(np.array((max(0.0, begin), 1.0)), pulled, self.least)
        off, half = down - (top + bottom) / 2, max((bottom - top) / 2, 1.0)
        standing = smooth(1 - pulled, 0.0, 0.35)
        down = down - 0.3 * off * part ** 6 * standing * (1 - smooth(np.abs(off), half, 2 * half))
        # The ring is seen a little from above; a held hem hangs in a curve.
        bow = np.sqrt(1 - 0.98 * part ** 2)
        tilt = 0.1 * s.unit * (1 - ramp(time, 0.28, 0.52))
        skew = 0.02 * np.sin(2 * np.pi * (time * 1.6 + 0.2)) * (1 - pulled) * a
        down = down + tilt * (-bow if back else bow) + 0.04 * s.unit * np.clip(x, 0, 1) * (1 - pulled) * bow + skew + self.start * (1 - fall)
        tube = 0.5 * self.length * self.least * np.sqrt(1.02 - np.clip(off / half, -1, 1) ** 2)
        height = standing * (tube + 0.25 * s.unit * bow * round_)
        return across, down, height * (-0.5 if back else 1), outside

    def __call__(self, time: float) -> tuple[np.ndarray, np.ndarray]:
        s = self.s
        slack = np.clip(s.b / self.length, 0, 1) * (1 - self.pulled(time))
        loose = np.clip(slack + (1 - ramp(time, 0.0, self.ON)), 0, 1)
        goal, free = np.repeat(s.rest[:1], len(s.parts), 0), np.repeat(loose[None], len(s.parts), 0)
        for k, part in enumerate(s.parts):
            across, down, *_ = self.ring(s.a, s.b, time, part == "torso-back")
            goal[k] += s.vector(across - s.a, down - s.b) + s.rough(0.6 * slack)
        limp = 1 - ramp(time, 0.38, 0.62)  # without an arm in it a sleeve hangs, set in a little towards the front of the ring
        for side, (curve, t, u, length, a, b, beside) in self.arms.items():
            k = s.parts.index(side)
            out = placed_for(0.4 + 0.6 * ramp(time, 0.42 + s.late[side], 0.94 + 0.5 * s.late[side]), self.SLEEVE)
            across, down, *_ = self.ring(a + limp * (np.sign(a) * min(abs(a), 0.8 * self.wide) - a), b, time)
            along = length * gathered(t / length, out, self.SLEEVE)
            slack = np.clip(t / length, 0, 1) * (1 - out)
            worn = curve.at(along, u * (1 + 0.12 * (1 - out) * smooth(t / length, 0.2, 0.9))) + beside * out + s.vector(across - a, down - b)
            hung = s.origin + s.vector(across - 0.7 * u, down + along)
            weight = smooth(t, -0.02 * s.unit, (0.22 - 0.14 * limp) * s.unit)
            goal[k] += weight[..., None] * (worn + limp * (hung - worn) + s.rough(0.8 * slack) - goal[k])
            free[k] = (1 - weight) * free[k] + weight * slack
        return goal.astype(np.float32), free.astype(np.float32)

    def form(self, time: float) -> np.ndarray:
        s, out = self.s, super().form(time).copy()
        for k, part in enumerate(s.parts):
            if part.startswith("torso"):
                out[k] = np.stack(self.ring(s.a, s.b, time, part == "torso-back")[2:], -1)
        return out


class StepIn(Action):
    """Trousers, shorts, skirts, jumpsuits: gathered, from below, up the legs - one, then the other - and over the hips."""

    def __init__(self, scene: Scene):
        s = self.s = scene
        unit, lines = s.unit, {side: s.limb(side, arm=False) for side in ("right", "left")}
        apart = (lines["left"] - lines["right"]) @ s.body.across
        # Crossed legs are stepped in with together.
        legs = s.category == "lower" and "left" in s.parts and apart[-1] * np.sign(apart[0]) > 0.1 * unit
        begin = ((0.0, "one leg"), (0.2, "other leg")) if legs else ((0.0, "step in"),)
        self.phases = *begin, (0.45, "pull up"), (0.9, "settle")
        waist = s.origin + s.vector(0.0, max(s.top, 0.0))
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
        # By what the width of each point's row is to be multiplied to be that of the rows around: gathered cloth has no wings and no waist.
        kernel = np.hanning(41)[1:-1]
        mean = np.minimum(np.convolve(np.pad(s.halves, 19, mode="edge"), kernel / kernel.sum(), "valid"), np.median(s.halves))
        self.even = np.interp(s.b, s.rows, np.clip(mean / s.halves, 0.5, 1.25))
        self.coords = {}
        for side, curve in self.curves.items():
            t, u = curve.project(s.rest[0])
            self.coords[side] = t, u, float(np.percentile(t[s.on(side)], 99)), curve.leaves(s.shape) + 0.04 * unit
        if legs:
            # Each point follows the leg it is of; over the crotch, both.
            below = s.b - (waist - s.origin) @ s.body.down
            soft = 0.22 * unit * (1 - smooth(below, 0.25 * unit, 0.5 * unit)) + 0.03 * unit
            left = smooth(np.sign(apart[0]) * (s.a - float((waist - s.origin) @ s.body.across)) / soft, -1, 1)
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
                wide = wide * (1 + (self.even * round_off(t / length) - 1) * (1 - placed) ** 0.5)
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


class Open(Action):
    """Jackets and shirts: a sleeve from the hand up, the panel hanging from it; round the back; the other sleeve; the front is closed. ``parts`` are
    torso-right, torso-left, right, left."""

    phases = ((0.0, "one sleeve"), (0.34, "round the back"), (0.42, "other sleeve"), (0.64, "close"), (0.93, "settle"))
    SLEEVE = {"right": (0.0, 0.42), "left": (0.32, 0.64)}

    @staticmethod
    def cut(parts: list[Sheet], pad: int, body: Body) -> list[Sheet]:
        return halves(parts, pad, body)

    def pieces(self) -> list[list[int]]:
        return [[k for k, p in enumerate(self.s.parts) if p.removeprefix("torso-") == side] for side in ("right", "left")]

    def __init__(self, scene: Scene):
        s = self.s = scene
        unit = s.unit
        self.arms = {}
        for side in ("right", "left"):
            line = s.limb(side, arm=True)
            curve = Curve(line, 3 * unit)
            t, u = curve.project(s.rest[0])
            sign = 1.0 if (line[0] - s.body.neck) @ s.body.across > 0 else -1.0
            length = max(float(np.percentile(t[s.on(side)], 97)), 0.2 * unit) if side in s.parts else 0.5 * unit
            edge = sign * (0.3 if side not in s.parts else 0.33) * unit * min(s.body.view, 1.0)
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
        held = 0.42 + 0.06 * up if side == "right" else 0.2 + 0.26 * smooth(time, end, end + 0.12)
        open_ = held + (1 - held) * close
        below = np.clip(s.b / max(s.hem, 1.0), 0, 1.2)
        # A panel opens most at the hem.
        fold = open_ + (1 - open_) * 0.3 * (1 - below) * up
        across = edge + (s.a - edge) * fold + sign * 0.12 * unit * (1 - up)
        sway = 0.05 * unit * np.sin(7 * time + 3 * below) * below * (1 - up)
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
        # It comes from behind, the shoulder first.
        side = part.removeprefix("torso-")
        begin, end = self.SLEEVE[side]
        if side == "right":
            return np.inf
        shown = smooth(time, end - 0.14, end + 0.1) if part != side else smooth(time, end - 0.1, end + 0.05)
        return -0.3 * self.s.unit + shown * (self.s.bottom + 0.9 * self.s.unit) if shown < 1 else np.inf


class FromAbove(Action):
    """Hats and scarves: into the picture from above, over from the side, lowered and pressed on."""

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


class Handed(Action):
    """Bags: aslant from below, into the hand, where they turn until they hang still."""

    phases = ((0.0, "bring"), (0.6, "take hold"), (0.75, "let hang"), (0.93, "settle"))

    def __init__(self, scene: Scene):
        s = self.s = scene
        used = scene.rest[0][scene.active.any(0)]
        self.handle = np.array((used[:, 0].mean(), used[:, 1].min()))
        self.below = s.shape[0] - float(used[:, 1].min()) + s.grid.spacing  # just outside the photo
        self.side = -1.0 if self.handle[0] < s.shape[1] / 2 else 1.0

    def __call__(self, time: float) -> tuple[np.ndarray, np.ndarray]:
        s, up = self.s, ramp(time, 0.0, 0.85)
        angle = np.radians(self.side * 16 * (1 - ramp(time, 0.3, 0.97)))
        turn = np.array(((np.cos(angle), -np.sin(angle)), (np.sin(angle), np.cos(angle))))
        goal = (s.rest - self.handle) @ turn.T + self.handle + np.array((self.side * 0.3 * s.unit * (1 - up), self.below * (1 - up)))
        return goal.astype(np.float32), np.zeros(s.active.shape, np.float32)


def way(category: str, subcategory: str) -> type[Action]:
    """The way this kind of garment is put on."""
    if category == "accessory":
        return Handed if subcategory == "bag" else FromAbove
    if category == "lower" or subcategory == "jumpsuit":
        return StepIn
    return Open if subcategory in ("jacket", "shirt") else OverHead
