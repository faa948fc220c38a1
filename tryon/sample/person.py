"""Drawn people with exact parse map and joints: a skeleton, a build, clothes on it, painted back to front.

Everything is measured in heads: a person is about 7.5 heads tall, y = 0 is the top of the head, x = 0 the middle. The
order of painting makes the parse map; joints are those of the skeleton itself.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from tryon import schema as S
from tryon.sample import textures as T
from tryon.sample.canvas import Canvas, Field, merge, slab, tube, warm, window

SHORT, MID, LONG = 0.42, 0.84, 1.0  # sleeve and leg lengths as a share of the limb


@dataclass
class SamplePerson:
    """``image`` HxWx3 uint8 RGB, ``parse`` HxW uint8 of schema classes, ``pose`` 1x18x3 float32 COCO-18 (missing: 0, 0, 0)."""

    id: str
    image: np.ndarray
    parse: np.ndarray
    pose: np.ndarray


SKINS = (np.float32([(250, 222, 202), (241, 204, 178), (229, 184, 150), (208, 158, 120), (178, 126, 90), (141, 93, 64), (104, 66, 46),
    (72, 46, 34)]) / 255)
HAIRS = (np.float32([(26, 21, 20), (42, 28, 22), (72, 46, 30), (108, 70, 42), (150, 104, 60), (196, 158, 104), (224, 196, 146),
    (132, 56, 30), (150, 148, 146), (206, 204, 200)]) / 255)
PROFILE_Y = np.float32((1.1, 1.55, 1.9, 2.25, 2.8, 3.15, 3.6, 3.95, 4.3))
MAN = np.float32((0.5, 0.80, 0.70, 0.66, 0.585, 0.60, 0.665, 0.66, 0.62))
WOMAN = np.float32((0.45, 0.68, 0.59, 0.555, 0.475, 0.555, 0.695, 0.69, 0.64))
HEAVY = np.float32((0.02, 0.06, 0.12, 0.20, 0.27, 0.27, 0.21, 0.16, 0.12))
HEAD_Y = (0.0, 0.03, 0.1, 0.2, 0.33, 0.47, 0.6, 0.72, 0.82, 0.9, 0.96, 1.0)
HEAD_X = (0.0, 0.12, 0.215, 0.285, 0.325, 0.335, 0.322, 0.29, 0.238, 0.172, 0.10, 0.0)


@dataclass
class Body:
    """A build and a pose; lengths in heads, ``joints`` 18x2."""

    woman: float
    weight: float
    joints: np.ndarray
    turn: float
    centre: np.ndarray  # x of the middle of the trunk at PROFILE_Y
    half: np.ndarray  # half-width of the trunk at PROFILE_Y
    tilt: tuple[float, float]
    arm: np.ndarray  # radii shoulder, middle, elbow, forearm, wrist
    leg: np.ndarray  # radii hip, thigh, knee, calf, ankle
    shoulder: float
    hands: tuple[float, float]  # direction of each hand relative to its forearm

    def limb(self, side: int, leg: bool) -> tuple[np.ndarray, np.ndarray]:
        """Centre line (5, 2) and radii (5,) of an arm or leg; side -1 is the person's right, on the picture's left."""
        first = ((S.L_SHOULDER, S.R_SHOULDER), (S.L_HIP, S.R_HIP))[leg][side < 0]
        a, b, c = self.joints[first : first + 3]
        if leg:
            pts = np.stack((a, a + (b - a) * 0.4 + (0.05 * side, 0), b, b + (c - b) * 0.36 + (0.035 * side, 0), c))
            return pts, self.leg
        return np.stack((a, (a + b) / 2, b, b + (c - b) * 0.35, c)), self.arm


def make_body(rng: np.random.Generator) -> Body:
    woman = float(rng.random() < 0.58) * rng.uniform(0.75, 1.0)
    weight = float(np.clip(rng.normal(0.12, 0.3), -0.2, 1.0))
    half = MAN + woman * (WOMAN - MAN) + weight * HEAVY * (1 if weight > 0 else 0.6)
    half = half * rng.uniform(0.96, 1.04)
    sway, lean = rng.normal(0, 0.07), rng.normal(0, 0.03)
    tilt = (float(np.clip(rng.normal(0, 0.025), -0.06, 0.06)), float(np.clip(0.35 * sway + rng.normal(0, 0.015), -0.06, 0.06)))
    centre = np.interp(PROFILE_Y, (1.3, 2.2, 3.7), (0, 0.35 * sway + lean, sway)).astype(np.float32)
    shoulder = 0.725 - 0.075 * woman + 0.05 * max(weight, 0)
    j = np.zeros((18, 2), np.float32)
    turn = float(np.clip(rng.normal(0, 0.35), -0.8, 0.8))
    head_x = rng.normal(0, 0.02)
    j[S.NOSE] = head_x + 0.09 * turn, 0.665
    j[S.R_EYE], j[S.L_EYE] = (head_x - 0.15 + 0.06 * turn, 0.5), (head_x + 0.15 + 0.06 * turn, 0.5)
    j[S.R_EAR], j[S.L_EAR] = (head_x - 0.335 - 0.02 * turn, 0.56), (head_x + 0.335 - 0.02 * turn, 0.56)
    arm = np.float32((0.178, 0.182, 0.146, 0.148, 0.096)) * (1 - 0.15 * woman) + max(weight,
        0) * np.float32((0.04, 0.07, 0.035, 0.03, 0.01))
    leg = np.float32((0.34, 0.33, 0.222, 0.222, 0.118)) + max(weight, 0) * np.float32((0.1, 0.1, 0.05, 0.05, 0.02)) + min(weight, 0) * 0.08
    leg = leg * np.float32((1 + 0.03 * woman, 1 + 0.02 * woman, 1 - 0.06 * woman, 1 - 0.05 * woman, 1 - 0.12 * woman))
    leg[:2] = np.maximum(leg[:2], np.float32((0.54, 0.5)) * half[6])  # the thighs carry the hips on
    poses = ("down", "down", "out", "hip", "front")
    kinds = [str(rng.choice(poses)) for _ in range(2)]
    if kinds[0] == kinds[1] == "front":
        kinds[0] = "down"
    hands = []
    clear = max(0, float(half[6]) + 0.2 - shoulder)  # heavier hips push hanging arms outwards
    for kind, side, first in ((kinds[0], -1, S.R_SHOULDER), (kinds[1], 1, S.L_SHOULDER)):
        a, b, turn_hand = {"down": (rng.uniform(5, 10) + 12 * clear, rng.uniform(-1, 6) + 10 * clear, rng.uniform(-6, 6)),
            "out": (rng.uniform(14, 34), rng.uniform(6, 30), rng.uniform(-10, 14)),
            "hip": (rng.uniform(40, 50), -rng.uniform(44, 54), rng.uniform(10, 40)),
            "front": (rng.uniform(8, 16), -rng.uniform(68, 104), rng.uniform(-12, 12))}[kind]
        a, b = np.radians((a, b))
        j[first] = side * shoulder, 1.58 + tilt[0] * side * shoulder
        j[first + 1] = j[first] + 1.32 * np.array((side * np.sin(a), np.cos(a)))
        j[first + 2] = j[first + 1] + (1.08 if kind != "front" else 0.95) * np.array((side * np.sin(b), np.cos(b)))
        hands.append(float(turn_hand))
    j[S.NECK_JOINT] = (j[S.R_SHOULDER] + j[S.L_SHOULDER]) / 2
    length, spread = rng.normal(0, 0.08), rng.choice((0.16, 0.26, 0.46)) * rng.uniform(0.85, 1.15)
    relaxed = rng.choice((-1, 0, 1), p=(0.25, 0.5, 0.25))
    for side, first in ((-1, S.R_HIP), (1, S.L_HIP)):
        j[first] = sway + side * 0.46 * float(half[6]), 3.66 + tilt[1] * side * 0.35
        foot = side * spread + 0.25 * sway + (side * 0.22 if side == relaxed else 0)
        knee = 0.52 * j[first, 0] + 0.48 * foot + (side * 0.06 if side == relaxed else 0)
        j[first + 1] = knee, 5.5 + 0.55 * length + (0.03 if side == relaxed else 0)
        j[first + 2] = foot, 7.22 + length + (0.04 if side == relaxed else 0)
    return Body(woman, weight, j, turn, centre, half.astype(np.float32), tilt, arm, leg, shoulder, tuple(hands))


def trunk(c: Canvas, body: Body, y_top, top, y_hem, ease=0.0, flare=0.0, hem_bow=0.03, depth=0.42) -> Field | None:
    """The trunk, or a top, skirt or dress on it: from the curve ``top`` (heads) to the hem; ``ease`` and ``flare`` widen it."""
    ys = np.linspace(min(y_top, 1.1), y_hem + 0.1, 40, dtype=np.float32)
    centre = np.interp(ys, PROFILE_Y, body.centre)
    half = np.interp(ys, *T.spline(np.column_stack((PROFILE_Y, body.half)), 6).T)
    widest = np.maximum.accumulate(np.where(ys > 3.6, half, 0))
    half = np.maximum(half, widest) + ease + flare * np.clip((ys - max(y_top, 1.9)) / max(y_hem - max(y_top, 1.9), 0.1), 0, 1) ** 1.2
    xs = np.linspace(-2.2, 2.2, 61, dtype=np.float32)
    hem = np.column_stack((xs, y_hem + hem_bow * (1 - np.minimum((xs - centre[-1]) / half[-1], 1) ** 2)))
    px, dx = c.px, c.unit
    return slab(c.shape, ys * dx + c.origin[1], (centre - half) * dx + c.origin[0], (centre + half) * dx + c.origin[0], px(top), px(hem),
        depth, body.tilt)


def shoulder_line(body: Body, neck: float, neckline=None, lift=0.0) -> np.ndarray:
    """Upper border of trunk or top (heads), left to right; ``neckline`` is (half-width, depth, power) of the opening."""
    xs = np.linspace(-1.4, 1.4, 141, dtype=np.float32)
    s = body.shoulder
    y = np.interp(np.abs(xs), (0, neck, neck + 0.13, s, s + 0.12, s + 0.3), (1.1, 1.15, 1.26, 1.39, 1.47, 1.75)) - lift
    if neckline is not None:
        w, depth, power = neckline
        inside = np.abs(xs) < w
        rim = float(np.interp(w, xs, y))
        y = np.where(inside, rim + depth * (1 - (np.abs(xs) / w).clip(0, 1) ** power), y)
    return np.column_stack((xs, y)).astype(np.float32)


def top_creases(body: Body, rng, hem: float) -> list:
    """Crease curves of a top: from the armpits inwards, round the waist, along the hem."""
    lines = []
    for side in (-1, 1):
        w = float(body.half[2])
        for _ in range(int(rng.integers(2, 4))):
            y = rng.uniform(1.85, 2.15)
            x, drop = rng.uniform(0.25, 0.55), rng.uniform(-0.1, 0.45)
            lines.append([(side * w * 0.97, y), (side * w * (1 + x) / 2, y + 0.35 * drop + 0.04), (side * w * x, y + drop)])
        for _ in range(int(rng.integers(2, 5))):
            y, x, dy = rng.uniform(2.5, min(3.3, hem)), rng.uniform(0.15, 0.6), rng.uniform(-0.15, 0.15)
            w2, cx = float(np.interp(y, PROFILE_Y, body.half)), float(np.interp(y, PROFILE_Y, body.centre))
            lines.append([(cx + side * w2 * 0.98, y), (cx + side * w2 * (1 + x) / 2, y + 0.06), (cx + side * w2 * x, y + dy)])
    for _ in range(3):
        x, y = rng.uniform(-0.4, 0.4), rng.uniform(2.6, hem - 0.2)
        lines.append([(x, y), (x + rng.normal(0, 0.05), y + 0.25), (x + rng.normal(0, 0.1), y + 0.5)])
    return lines


def limb_creases(points: np.ndarray, radii: np.ndarray, at, rng, spread=0.16) -> list:
    """Creases across a limb near its bend: ``at`` are indices into the centre line."""
    lines = []
    for i in at:
        d = points[min(i + 1, 4)] - points[max(i - 1, 0)]
        d = d / np.linalg.norm(d)
        n = np.array((-d[1], d[0]))
        for _ in range(3):
            o, lean = points[i] + d * rng.normal(0, spread), rng.normal(0, 0.09)
            a, b = rng.uniform(-1, -0.2), rng.uniform(0.2, 1)
            r = radii[i]
            lines.append([o + n * r * a - d * lean, o + n * r * (a + b) / 2 + d * 0.04, o + n * r * b + d * lean])
    return lines


def torso_form(body: Body, c: Canvas, part: Field | None) -> Field | None:
    """Raise the chest of a trunk or top."""
    if part is None:
        return None
    y0, y1, x0, x1 = part.box
    y, x = (np.mgrid[y0:y1, x0:x1].astype(np.float32) - c.origin[::-1, None, None]) / c.unit
    for side in (-1, 1):
        d = ((x - side * (0.29 + 0.02 * body.woman) - body.centre[2]) / 0.3) ** 2 + ((y - 2.12) / np.where(y > 2.12, 0.22, 0.42)) ** 2
        part.height += c.unit * (0.04 + 0.11 * body.woman) * np.exp(-d)
    return part


def draw_hand(c: Canvas, body: Body, side: int, tone, cls: int) -> None:
    first = S.L_SHOULDER if side > 0 else S.R_SHOULDER
    elbow, wrist = body.joints[first + 1], body.joints[first + 2]
    d = (wrist - elbow) / np.linalg.norm(wrist - elbow)
    a = np.radians(body.hands[side > 0]) * (1 if d[0] * side < 0 else -side * np.sign(d[0] or 1))
    a = a * (-side)
    d = np.array((d[0] * np.cos(a) - d[1] * np.sin(a), d[0] * np.sin(a) + d[1] * np.cos(a)))
    n = np.array((d[1], -d[0])) * -side  # towards the thumb
    k = 0.95 - 0.1 * body.woman
    at = lambda along, across: wrist + k * (along * d + across * n)
    fingers = ((-0.115, 0.235, 0.036), (-0.045, 0.3, 0.04), (0.03, 0.32, 0.042), (0.1, 0.29, 0.041))
    palm = tube(c.shape, c.px([at(-0.12, 0), at(0.1, 0), at(0.26, -0.01), at(0.37, -0.01)]),
        np.float32((0.098, 0.122, 0.155, 0.14)) * k * c.unit, 1)
    c.skin(palm, tone, cls, 0.2, melt=palm and np.clip(palm.v / (0.14 * c.unit), 0, 1))
    for across, length, r in fingers:
        pts = [at(0.28, across * 0.9), at(0.42 + length * 0.35, across * 0.98 + 0.01), at(0.4 + length * 0.95, across * 0.74 + 0.03)]
        finger = tube(c.shape, c.px(pts), np.float32((r, r, r * 0.8)) * k * c.unit, 1)
        c.skin(finger, tone, cls, 0.3, melt=finger and np.clip(finger.v / (0.12 * c.unit), 0, 1))
    thumb = [at(0.1, 0.06), at(0.24, 0.165), at(0.42, 0.2)]
    thumb = tube(c.shape, c.px(thumb), np.float32((0.07, 0.055, 0.036)) * k * c.unit, 1)
    c.skin(thumb, tone, cls, 0.25, melt=thumb and np.clip(thumb.v / (0.1 * c.unit), 0, 1))


def draw_shoe(c: Canvas, body: Body, side: int, kind: str, cloth: T.Cloth, tone, under_trousers: bool, rng) -> None:
    ankle = body.joints[(S.L_HIP if side > 0 else S.R_HIP) + 2]
    cls = S.LEFT_LEG if side > 0 else S.RIGHT_LEG
    at = lambda pts: ankle + np.float32(pts) * (side, 1)
    foot = [[(-0.13, -0.1), (-0.14, 0.1), (-0.175, 0.26), (-0.135, 0.385)], [(-0.135, 0.385), (0.04, 0.425), (0.2, 0.375)],
        [(0.2, 0.375), (0.235, 0.25), (0.16, 0.06), (0.13, -0.1)], [(0.13, -0.1), (0, -0.08), (-0.13, -0.1)]]

    def part(sides, grow=0.0):
        p = T.outline(*[at(s) for s in sides])
        mid = p.mean(0)
        p = c.px(mid + (p - mid) * (1 + grow))
        y0, y1, x0, x1 = box = window(c.shape, *(p.min(0) - 3), *(p.max(0) + 3))
        if y1 - y0 < 3 or x1 - x0 < 3:
            return None
        alpha = T.fill((y1 - y0, x1 - x0), p - (x0, y0))
        u = np.broadcast_to(np.arange(x1 - x0, dtype=np.float32), alpha.shape)
        v = np.broadcast_to(np.arange(y1 - y0, dtype=np.float32)[:, None], alpha.shape)
        return Field(box, 0.5 - alpha, u / c.unit, v, np.full_like(alpha, c.unit), 0.85 * T.relief(alpha, 0.17 * c.unit))

    if kind in ("flat", "sandal", "bare", "heel"):
        bare = part(foot)
        c.skin(bare, tone, cls, 0.2, melt=bare and np.clip((bare.v - 0.03 * c.unit) / (0.14 * c.unit), 0, 1))
        for k in range(5):  # toes
            x = -0.115 + 0.07 * k
            c.skin(tube(c.shape, c.px(at([(x, 0.3), (x * 1.05, 0.385 - 0.012 * k)])), np.float32((0.03, 0.032)) * c.unit, 1), tone, cls,
                0.2)
    if kind == "bare":
        return
    if kind == "sandal":
        for y, w in ((0.03, 0.15), (0.24, 0.2)):
            band = [[(-w, y), (0.02, y + 0.06), (w + 0.03, y - 0.02)], [(w + 0.04, y + 0.07), (0.02, y + 0.14), (-w, y + 0.08)]]
            c.wear(part(band), cloth, S.SHOES, rng, contact=0.3)
        return
    if kind == "boot":
        tall = 0.15 if under_trousers else rng.uniform(0.35, 1.1)
        wide = 0.16 if under_trousers else 0.2
        shaft = [(-wide, -tall), (-wide, -0.14), (-0.165, 0.08)]
        shape = [[*shaft, (-0.2, 0.27), (-0.155, 0.41)], [(-0.155, 0.41), (0.05, 0.45), (0.225, 0.4)],
            [(0.225, 0.4), (0.26, 0.26), (0.175, 0.06), (wide, -0.14), (wide, -tall)], [(wide, -tall), (0, -tall + 0.04), (-wide, -tall)]]
    elif kind in ("flat", "heel"):
        dip = 0.16 if kind == "flat" else 0.2
        shape = [[(-0.165, 0.05), (-0.195, 0.26), (-0.14, 0.41)], [(-0.14, 0.41), (0.04, 0.455), (0.21, 0.4)],
            [(0.21, 0.4), (0.255, 0.25), (0.165, 0.03)], [(0.165, 0.03), (0.12, dip), (0.0, dip + 0.06), (-0.12, dip), (-0.165, 0.05)]]
    else:  # sneaker, loafer
        up = -0.13 if kind == "sneaker" else 0.0
        shape = [[(-0.17, up), (-0.165, 0.1), (-0.205, 0.27), (-0.16, 0.405)], [(-0.16, 0.405), (0.05, 0.45), (0.225, 0.395)],
            [(0.225, 0.395), (0.265, 0.26), (0.175, 0.07), (0.17, up)], [(0.17, up), (0, up + 0.05), (-0.17, up)]]
    whole = part(shape, 0.02)
    c.wear(whole, cloth, S.SHOES, rng, contact=0.5)
    if whole is None:
        return
    if kind in ("sneaker", "boot"):
        sole = np.float32((0.93, 0.93, 0.91)) if kind == "sneaker" else cloth.base * 0.35
        inside = np.zeros(c.shape, np.float32)
        y0, y1, x0, x1 = whole.box
        inside[y0:y1, x0:x1] = whole.alpha
        c.polygon(T.outline(at([(-0.3, 0.36), (0.03, 0.4), (0.32, 0.34)]), at([(0.32, 0.5), (-0.3, 0.5)])), sole * 0.92, None, 0, 1, inside)
    if kind == "sneaker":
        lace = np.float32((0.95, 0.95, 0.94)) if cloth.base.mean() < 0.75 else np.float32((0.5, 0.5, 0.52))
        for y in (0.03, 0.09, 0.15, 0.21):
            c.line(T.spline(at([(-0.085, y), (0.01, y + 0.025), (0.105, y - 0.01)])), lace, 0.022)


def draw_head(c: Canvas, body: Body, tone, hair, rng) -> np.ndarray:
    """Neck is painted already. Returns the outline of the head (heads) for hair and hats."""
    j, turn, woman = body.joints, body.turn, body.woman
    cx = float(j[S.R_EYE, 0] + j[S.L_EYE, 0]) / 2 - 0.06 * turn
    jaw = (np.float32((0, 0, 0, 0, 0, 0, 0.004, 0.012, 0.028, 0.045, 0.05, 0)) * (1 - woman) + 0.03 * max(body.weight, 0)
        * np.linspace(0, 1, 12) ** 2)
    right = np.column_stack((np.float32(HEAD_X) + jaw * (np.float32(HEAD_X) > 0), HEAD_Y))
    head = T.spline(np.concatenate((right, (right * (-1, 1))[-2::-1])), 5) + (cx, 0)
    for side in (-1, 1):  # ears
        ear = np.float32([(0.0, -0.1), (0.05, -0.11), (0.07, -0.04), (0.045, 0.06), (0.02, 0.11), (-0.02, 0.08)]) * (side, 1)
        e = T.spline(np.concatenate((ear, ear[:1])), 5) + (cx + side * 0.315 - 0.02 * turn, 0.56)
        c.polygon(e, tone * (1.0, 0.92, 0.89) * (1.0 if side < 0 else 0.88), S.FACE)
        c.line(e[3:14] * 0.75 + 0.25 * e.mean(0), tone * (0.72, 0.6, 0.56), 0.018, 0.008 * c.unit, 0.6)
    p = c.px(head)
    y0, y1, x0, x1 = box = window(c.shape, *(p.min(0) - 3), *(p.max(0) + 3))
    size = (y1 - y0, x1 - x0)
    alpha = T.fill(size, p - (x0, y0))
    y, x = (np.mgrid[y0:y1, x0:x1].astype(np.float32) - c.origin[::-1, None, None]) / c.unit
    x = x - cx
    width = np.maximum(np.interp(y, HEAD_Y, HEAD_X), 0.2)
    height = 0.3 * np.sqrt(np.clip(1 - (x / (width + 0.03)) ** 2, 0.03, 1)) - 0.12 * (y - 0.52) ** 2
    fx = x - 0.06 * turn

    def bump(px, py, sx, sy, amount):
        return amount * np.exp(-(((fx - px) / sx) ** 2) - ((y - py) / sy) ** 2)

    for side in (-1, 1):
        height += (bump(side * 0.15, 0.495, 0.1, 0.06, -0.028) + bump(side * 0.19, 0.62, 0.1, 0.07, 0.02)
            + bump(side * 0.15, 0.43, 0.12, 0.035, 0.014))
        height += bump(side * 0.045 + 0.035 * turn, 0.675, 0.025, 0.025, 0.012)
    height += bump(0.02 * turn, 0.58, 0.035, 0.1, 0.022) + bump(0.035 * turn, 0.665, 0.045, 0.04, 0.035)
    height += bump(0, 0.8, 0.09, 0.035, 0.014) + bump(0, 0.93, 0.09, 0.05, 0.016) + bump(0, 0.86, 0.08, 0.02, -0.008)
    light = T.lit(cv2.GaussianBlur(height * c.unit * 0.9, (0, 0), max(0.012 * c.unit, 0.5)))
    albedo = np.broadcast_to(tone, (*size, 3)).copy()
    for side in (-1, 1):
        albedo *= 1 - bump(side * 0.18, 0.66, 0.09, 0.07, rng.uniform(0.04, 0.12))[..., None] * np.float32((0.1, 1, 0.9))
    if woman < 0.5:  # a shaved beard darkens the jaw; a full one is hair of the face
        grow = rng.choice((0.0, 0.12, 0.3, 0.85), p=(0.35, 0.3, 0.2, 0.15))
        beard = np.clip((y - 0.70) / 0.08, 0, 1) * np.clip((np.hypot(fx / 1.15, y - 0.795) - 0.055) / 0.035, 0, 1) * (y > 0.66)
        beard = np.maximum(beard, np.clip((np.abs(fx) - 0.235) / 0.04, 0, 1) * np.clip((y - 0.55) / 0.1, 0, 1)) * grow
        beard = beard * (0.9 + 0.1 * T.noise(size, 0.015 * c.unit, c.grain))
        albedo += np.clip(beard, 0, 0.9)[..., None] * (hair * 0.9 - albedo)
    c.shade(alpha, box, 0.5, 0.06 * c.unit, (0.2, 1.2))
    c.over(box, alpha, albedo * warm(light), S.FACE)
    draw_features(c, cx, turn, woman, tone, hair, rng)
    return head


def draw_features(c: Canvas, cx: float, turn: float, woman: float, tone, hair, rng) -> None:
    dark = tone * (0.38, 0.26, 0.24)
    iris = (np.float32([(58, 38, 26), (88, 58, 34), (70, 94, 70), (74, 106, 140), (40, 28, 22)][rng.integers(5) if tone.mean() > 0.55
        else rng.choice((0, 1, 4))]) / 255)
    size = rng.uniform(0.92, 1.1) * (1 + 0.06 * woman)
    brow = rng.normal(0, 0.012)
    for side in (-1, 1):
        o = np.float32((cx + 0.06 * turn + side * (0.15 - 0.012 * side * turn), 0.5))
        shape = lambda pts: o + np.float32(pts) * (side * size, size)
        upper = T.spline(shape([(-0.072, 0.012), (-0.035, -0.024), (0.015, -0.034), (0.055, -0.016), (0.08, 0.004)]), 6)
        lower = T.spline(shape([(0.08, 0.004), (0.04, 0.024), (-0.01, 0.028), (-0.05, 0.02), (-0.072, 0.012)]), 6)
        eye = np.concatenate((upper, lower))
        c.polygon(o + (eye - o) * 1.35 + (0, -0.012), dark, None, 0.02 * c.unit, 0.28)
        c.polygon(eye, (0.93, 0.91, 0.89), None, 0.003 * c.unit)
        inside = T.fill(c.shape, c.px(eye)) if c.unit > 30 else None
        ring = np.column_stack((np.cos(np.linspace(0, 6.28, 20)), np.sin(np.linspace(0, 6.28, 20))))
        look = o + (0.004 + 0.008 * turn, -0.004)
        c.polygon(look + 0.034 * size * ring, iris, None, 0.003 * c.unit, 1, inside)
        c.polygon(look + 0.016 * size * ring, (0.04, 0.03, 0.03), None, 0.002 * c.unit, 1, inside)
        c.polygon(look + (-0.012, -0.012) + 0.008 * ring, (1, 1, 1), None, 0.001 * c.unit, 0.9, inside)
        c.line(upper, dark * 0.6, 0.013 + 0.009 * woman, 0.003 * c.unit, 0.95)
        c.line(lower, dark, 0.007, 0.004 * c.unit, 0.4)
        c.line(T.spline(shape([(-0.06, -0.03), (0, -0.062), (0.075, -0.03)])), dark, 0.009, 0.004 * c.unit, 0.4)
        w = rng.uniform(0.012, 0.019) + 0.007 * (1 - woman)
        y = -0.1 + brow
        arch = np.concatenate((T.spline(shape([(-0.085, y + 0.012 - w), (0.01, y - 0.016 - w), (0.07, y - 0.008 - w * 0.7),
            (0.108, y + 0.022)])), T.spline(shape([(0.108, y + 0.022), (0.06, y - 0.002), (0.0, y - 0.006 + w * 0.5),
            (-0.085, y + 0.016 + w * 0.6)]))))
        c.polygon(arch, np.minimum(hair, tone * 0.62) * 0.8, None, 0.006 * c.unit, 0.82)
    nx = cx + 0.06 * turn + 0.035 * turn
    for side in (-1, 1):
        c.line(T.spline([(nx + side * 0.022, 0.697), (nx + side * 0.038, 0.69), (nx + side * 0.05, 0.699)]), dark, 0.017, 0.004 * c.unit,
            0.7)
        c.line(T.spline([(nx + side * 0.062, 0.655), (nx + side * 0.073, 0.68), (nx + side * 0.06, 0.7)]), dark, 0.01, 0.007 * c.unit, 0.4)
    c.line([(nx - 0.02, 0.71), (nx + 0.02, 0.71)], dark, 0.02, 0.012 * c.unit, 0.35)
    c.line(T.spline([(nx - 0.012, 0.56), (nx - 0.014, 0.62), (nx - 0.008, 0.655)]), np.minimum(tone * 1.25, 1), 0.025, 0.012 * c.unit, 0.35)
    lip = tone * ((0.86, 0.56, 0.55) if woman < 0.5 else (0.86 + rng.uniform(-0.05, 0.08), rng.uniform(0.32, 0.52),
        rng.uniform(0.38, 0.52)))
    w, full, smile = rng.uniform(0.1, 0.125), rng.uniform(0.8, 1.25), rng.uniform(-0.002, 0.018)
    m = np.float32((cx + 0.075 * turn, 0.798))
    line = T.spline(m + np.float32([(-w, -smile), (-w / 2, 0.002), (0, 0.005), (w / 2, 0.002), (w, -smile)]), 6)
    over = T.spline(m + np.float32([(w, -smile), (w * 0.45, -0.02 * full), (0.02, -0.03 * full), (0, -0.024 * full), (-0.02, -0.03 * full),
        (-w * 0.45, -0.02 * full), (-w, -smile)]), 6)
    under = T.spline(m + np.float32([(w, -smile), (w * 0.6, 0.024 * full), (0, 0.042 * full), (-w * 0.6, 0.024 * full), (-w, -smile)]), 6)
    c.polygon(np.concatenate((line, over)), lip * 0.84, None, 0.004 * c.unit, 0.85)
    c.polygon(np.concatenate((line, under)), lip, None, 0.005 * c.unit, 0.85)
    c.line(m + np.float32([(-0.04, 0.022), (0.02, 0.023)]), np.minimum(lip * 1.3, 1), 0.012, 0.008 * c.unit, 0.4)
    c.line(line, dark * 0.8, 0.009, 0.003 * c.unit, 0.85)
    c.line([(m[0] - 0.05, 0.862), (m[0] + 0.05, 0.862)], dark, 0.02, 0.014 * c.unit, 0.25)


def paint_hair(c: Canvas, points, colour, root, rng, cls=S.HAIR, curl=0.0, contact=0.35) -> None:
    """Hair inside a closed outline (heads); strands fan out from ``root``; a band of light runs across them."""
    p = c.px(points)
    y0, y1, x0, x1 = box = window(c.shape, *(p.min(0) - 4), *(p.max(0) + 4))
    if y1 - y0 < 3 or x1 - x0 < 3:
        return
    size = (y1 - y0, x1 - x0)
    alpha = T.fill(size, p - (x0, y0))
    y, x = (np.mgrid[y0:y1, x0:x1].astype(np.float32) - c.px(root)[::-1, None, None]) / c.unit
    far = np.hypot(x, y)
    angle = np.arctan2(x, y + 0.02) * (1 + 1.2 * np.exp(-far / 0.3)) if not curl else x * 3
    angle = angle + 0.05 * np.sin(5 * far + 3 * angle)
    strands = T.noise((512, 64), 6, rng, 0.35) * 0.6 + T.noise((512, 64), 8, rng, 1.2)
    streak = cv2.remap(strands, (20 + 12 * far).astype(np.float32) % 60, (256 + 78 * angle).astype(np.float32) % 508, cv2.INTER_LINEAR)
    if curl:
        streak = 1.4 * T.noise(size, curl * c.unit, c.grain)
    height = T.relief(alpha, 0.16 * c.unit) + 0.018 * c.unit * cv2.GaussianBlur(streak, (0, 0), max(0.008 * c.unit, 0.5))
    light = T.lit(height)
    band = np.exp(-(((far - 0.32 - 0.03 * streak) / 0.085) ** 2)) * np.clip(0.8 - 0.6 * x, 0, 1)
    shine = (0.1 + 0.2 * colour.mean()) * band * np.clip(0.7 + 0.4 * streak, 0, 1.5)
    c.shade(alpha, box, contact, 0.05 * c.unit)
    c.over(box, alpha, colour * (light * (1 + 0.13 * streak))[..., None] + shine[..., None] * (0.35 + 0.65 * colour / colour.max()), cls)


def cap_of_hair(cx: float, puff: float, line: float, side_end: float, part: float) -> np.ndarray:
    """Outline of the hair on the scalp: ``puff`` beyond the skull, hair line at ``line``, down to ``side_end`` beside the face."""
    k = puff
    outer = [(-0.335 - k * 0.6, side_end), (-0.35 - k, 0.36), (-0.315 - k, 0.2), (-0.22 - k * 0.8, 0.05 - k * 0.5), (-0.08, -0.02 - k),
        (0.08, -0.02 - k), (0.22 + k * 0.8, 0.05 - k * 0.5), (0.315 + k, 0.2), (0.35 + k, 0.36), (0.335 + k * 0.6, side_end)]
    inner = [(0.30, side_end - 0.02), (0.292, 0.4), (0.262, line + 0.07), (part + 0.12, line), (part, line - 0.035), (part - 0.12, line),
        (-0.262, line + 0.07), (-0.292, 0.4), (-0.30, side_end - 0.02)]
    return T.outline(outer, inner) + (cx, 0)


def draw_person(rng: np.random.Generator, size: tuple[int, int] = (1024, 768), framing: str = "full", id: str = "person") -> SamplePerson:
    """A random person on a studio ground. ``size`` is (H, W) in pixels; ``framing`` is "full" (head to shoes) or "half"
    (head to somewhere between hip and knee; joints outside the picture are missing)."""
    h, w = size
    body = make_body(rng)
    bottom = float(body.joints[[S.R_ANKLE, S.L_ANKLE], 1].max()) + 0.45
    if framing == "full":
        unit = h * rng.uniform(0.82, 0.93) / (bottom + 0.1)
        top = h * rng.uniform(0.4, 0.65) - 0.5 * (bottom * unit) if rng.random() < 0.3 else 0.0
        top = min(max(top, 0.32 * unit + 0.01 * h), h - (bottom + 0.12) * unit)
    else:
        unit = h / rng.uniform(4.15, 5.1)
        top = unit * rng.uniform(0.25, 0.5)
    unit = min(unit, w / 3.7)
    c = Canvas(T.studio(size, rng), unit, (w * (0.5 + rng.normal(0, 0.012)), top), T.fork(rng))
    tone = float(np.clip(rng.uniform(0, len(SKINS) - 1), 0, len(SKINS) - 1.001))
    tone = SKINS[int(tone)] * (1 - tone % 1) + SKINS[int(tone) + 1] * (tone % 1)
    hair = HAIRS[rng.integers(len(HAIRS)) if tone.mean() > 0.6 else rng.choice((0, 0, 1, 1, 2, 8))] * rng.uniform(0.85, 1.15)
    hair = hair.astype(np.float32)
    if rng.random() < 0.03:
        hair = T.colour(rng.random(), 0.5, 0.7)
    woman = body.woman > 0.5
    cloth = lambda **kw: T.make_cloth(rng, unit, **kw)

    # The outfit.
    outfit = str(rng.choice(("separates", "dress", "jumpsuit"), p=(0.72, 0.24, 0.04) if woman else (0.97, 0.0, 0.03)))
    sleeve = float(rng.choice((0.0, SHORT, MID, LONG), p=(0.18, 0.42, 0.08, 0.32)))
    sleeve = sleeve * rng.uniform(0.92, 1.0) if sleeve else 0.0
    top_kind = str(rng.choice(("plain", "shirt", "sweater"), p=(0.6, 0.22, 0.18))) if sleeve else "plain"
    if top_kind == "sweater":
        sleeve = 0.99
    top_cloth = cloth(kind={"shirt": "weave", "sweater": "knit"}.get(top_kind))
    outer = rng.random() < 0.2
    skirt = outfit == "dress" or (woman and outfit == "separates" and rng.random() < 0.3)
    leg_length = float(rng.choice((0.35, 0.45, 0.86, 1.0), p=(0.1, 0.16, 0.1, 0.64)))
    skirt_hem = float(rng.choice((4.75, 5.25, 5.9, 6.7), p=(0.3, 0.38, 0.2, 0.12)) + rng.normal(0, 0.08))
    low_cloth = (top_cloth if outfit != "separates" else cloth(kind=str(rng.choice(("denim", "weave", "smooth"), p=(0.4, 0.35, 0.25))),
        pattern="plain" if rng.random() < 0.82 else None))
    upper_cls = S.UPPER if outfit == "separates" else S.FULL
    lower_cls = S.LOWER if outfit == "separates" else S.FULL
    long_trousers = not skirt and leg_length > 0.8
    shoes = str(rng.choice(("sneaker", "loafer", "boot", "flat", "sandal", "bare"), p=(0.34, 0.16, 0.18, 0.2, 0.08, 0.04)))
    legwear = ("none" if long_trousers or shoes in ("sandal", "bare") else str(rng.choice(("none", "tights", "socks"),
        p=(0.6, 0.22 if woman else 0.02, 0.18 if woman else 0.38))))
    tucked = rng.random() < 0.35 and outfit == "separates"
    hem = 2.94 if tucked else rng.uniform(3.45, 3.95) if outfit == "separates" else 2.84
    style = str(rng.choice(("long", "bun", "bob", "short", "afro"), p=(0.4, 0.2, 0.22, 0.13, 0.05)) if woman
        else rng.choice(("short", "bald", "afro", "long"), p=(0.72, 0.15, 0.06, 0.07)))
    hat = str(rng.choice(("none", "beanie", "cap", "brim"), p=(0.84, 0.06, 0.05, 0.05)))
    hat_cloth = cloth()
    neck = 0.232 - 0.035 * body.woman + 0.03 * max(body.weight, 0)

    # Ground shadow under the feet, or on the wall for a half figure.
    ground_shadow(c, body, framing, rng)
    cx = float(body.joints[[S.R_EYE, S.L_EYE], 0].mean()) - 0.06 * body.turn
    length = {"long": rng.uniform(1.75, 2.7), "bob": rng.uniform(0.95, 1.25)}.get(style, 0)
    spread = rng.uniform(0.06, 0.16)
    if length:
        s, e = spread, length
        back = [(-0.33, 0.2), (-0.37 - s * 0.6, 0.6), (-0.36 - s, 1.0), (-0.34 - s, (1 + e) / 2), (-0.24 - s, e)]
        back = T.outline(back, [back[-1], (0, e + 0.1), (0.24 + s, e)], [(-x, y) for x, y in back[::-1]]) + (cx, 0)
        paint_hair(c, back, hair * 0.72, (cx, 0.1), rng)

    # Legs, legwear, shoes.
    sock_top = rng.choice((0.6, 0.85)) if legwear == "socks" else 1.0
    for side in (-1, 1):
        pts, radii = body.limb(side, leg=True)
        pts_px, radii_px = c.px(pts), radii * unit
        cls = S.LEFT_LEG if side > 0 else S.RIGHT_LEG
        c.skin(knee_form(tube(c.shape, pts_px, radii_px), pts_px, unit), tone, cls)
        if legwear == "tights":
            c.wear(tube(c.shape, pts_px, radii_px * 1.01), T.make_cloth(np.random.default_rng(7), unit, "smooth", "plain",
                low_cloth.base * 0.2 + 0.06), S.LEGWEAR, rng)
        elif legwear == "socks":
            sock = tube(c.shape, pts_px, radii_px * 1.04)
            c.wear(sock and sock.cut(np.linalg.norm(np.diff(pts_px, axis=0), axis=1).sum() * sock_top - sock.v), top_cloth, S.LEGWEAR, rng)
    shoe_cloth = cloth(kind="smooth", pattern="plain")
    seed = int(rng.integers(1 << 30))  # both shoes of one pair
    for side in (-1, 1):
        draw_shoe(c, body, side, shoes, shoe_cloth, tone, long_trousers, np.random.default_rng(seed))

    # Trunk, neck.
    c.skin(torso_form(body, c, trunk(c, body, 1.1, shoulder_line(body, neck * 0.9), 4.0)), tone, S.NECK)
    c.skin(tube(c.shape, c.px([(cx, 0.8), (cx * 0.6, 1.1), (0, 1.5)]), np.float32((neck * 0.95, neck * 0.94, neck * 1.1)) * unit), tone,
        S.NECK, 0.0)
    for side in (-1, 1):  # collar bones
        c.line(T.spline([(side * 0.07, 1.5), (side * 0.3, 1.44), (side * 0.55, 1.4)]), tone * (0.7, 0.55, 0.5), 0.03, 0.025 * unit, 0.4)
        c.line(T.spline([(side * 0.2, 1.0), (side * 0.13, 1.3), (side * 0.05, 1.48)]), tone * (0.7, 0.55, 0.5), 0.03, 0.03 * unit, 0.3)

    def draw_top():
        lift = 0.035
        opening = {"shirt": (neck + 0.07, 0.26, 1.1), "sweater": (neck + 0.1, 0.16, 2)}.get(top_kind)
        opening = (opening or ((neck + 0.11, 0.2, 2), (neck + 0.13, 0.5, 1.0), (neck + 0.22, 0.4, 2.2),
            (neck + 0.09, 0.13, 2))[rng.integers(4)])
        ease = {"shirt": 0.06, "sweater": 0.08}.get(top_kind, rng.choice((0.02, 0.05, 0.09)))
        line = shoulder_line(body, neck, opening, lift)
        if not sleeve:  # a tank top ends at its straps
            strap = max(opening[0] + 0.14, body.shoulder - 0.16)
            line[:, 1] = np.where(np.abs(line[:, 0]) > strap, np.maximum(line[:, 1],
                1.3 + np.minimum((np.abs(line[:, 0]) - strap) * 7, 0.62)), line[:, 1])
        if outfit != "separates":
            ease = 0.08
        part = torso_form(body, c, trunk(c, body, 1.5, line, hem, ease, rng.uniform(-0.02, 0.06) if hem > 3.2
            else min(0.04 - ease, 0.0) * tucked))
        if part is None:
            return ease

        def marks(albedo, part):
            y0, y1, x0, x1 = part.box
            y, x = (np.mgrid[y0:y1, x0:x1].astype(np.float32) - c.origin[::-1, None, None]) / unit
            edge = np.interp(x, *line.T) - lift * 0
            rim = np.clip((0.055 - (y - edge)) / 0.008, 0, 1) * (np.abs(x) < opening[0] + 0.03)
            albedo = albedo * (1 - (0.12 if top_cloth.base.mean() > 0.25 else -0.25) * rim[..., None])
            if not tucked and outfit == "separates":
                seam = np.exp(-(((part.v - (hem - 0.09) * unit - c.origin[1]) / max(0.012 * unit, 0.8)) ** 2))
                albedo = albedo * (1 - 0.2 * seam[..., None])
            if top_kind == "shirt":
                placket = np.exp(-(((np.abs(x - 0.0) - 0.07) / 0.009) ** 2)) * (y > edge)
                albedo = albedo * (1 - 0.16 * placket[..., None])
                for by in np.arange(1.62, hem - 0.1, 0.3):
                    button = np.clip((0.024 - np.hypot(x, y - by)) / 0.008, 0, 1)
                    albedo = albedo + button[..., None] * (np.float32((0.93, 0.92, 0.9)) * (0.6 + 0.4 * (y < by + 0.005))[..., None]
                        - albedo)
            return albedo

        c.wear(part, top_cloth, upper_cls, rng, top_creases(body, rng, hem), marks=marks, contact=0.4)
        if top_kind == "shirt":
            for side in (-1, 1):
                o = opening[0]
                leaf = np.float32([(o - 0.07, 1.0), (o + 0.04, 1.16), (o + 0.13, 1.42), (0.17, 1.6), (0.015, 1.45), (0.1, 1.28),
                    (o - 0.1, 1.08)]) * (side, 1)
                p = c.px(leaf)
                y0, y1, x0, x1 = box = window(c.shape, *(p.min(0) - 3), *(p.max(0) + 3))
                alpha = T.fill((y1 - y0, x1 - x0), p - (x0, y0))
                c.shade(alpha, box, 0.45, 0.05 * unit)
                c.over(box, alpha, np.clip(top_cloth.base * (1.0 if side < 0 else 0.9), 0, 1)
                    * T.lit(0.4 * T.relief(alpha, 0.06 * unit))[..., None], upper_cls)
        return ease

    def draw_bottom():
        waist = 2.82 if outfit == "jumpsuit" or tucked else rng.uniform(2.95, 3.25)
        if outfit == "dress":
            waist = 2.75
        line = np.column_stack((np.linspace(-2, 2, 41), np.full(41, waist))).astype(np.float32)
        if skirt:
            knees = np.abs(body.joints[[S.R_KNEE, S.L_KNEE], 0] - body.centre[6]).max() + float(body.leg[2])
            stance = max(knees - float(body.half[6]), 0.0)  # a narrow skirt widens with the legs
            flare = rng.choice((0.0, 0.25, 0.55)) * (skirt_hem - waist) / 2.4
            part = trunk(c, body, waist, line, skirt_hem, 0.08, max(flare, stance), 0.07, 0.35)
            folds = ([[(x, 3.6), (x * 1.1, 4.4), (x * 1.2, skirt_hem - 0.1)] for x in rng.uniform(-0.6, 0.6, 3)] if flare
                else limb_like(rng, waist))
            c.wear(part, low_cloth, lower_cls, rng, folds, flutes=0.05 * min(flare, 1) + 0.004)
            return
        loose = float(rng.choice((0.015, 0.06, 0.14), p=(0.4, 0.4, 0.2)))
        parts = [trunk(c, body, waist, line, 3.72, 0.025 + 0.3 * loose, 0, 0.33)]
        lines = []
        for side in (-1, 1):
            pts, radii = body.limb(side, leg=True)
            pts = pts.copy()
            pts[4, 1] += 0.12 * (leg_length == 1.0)
            wide = np.maximum(radii + loose, np.float32((0, 0, 0.2, 0.21 + 0.3 * loose, 0.17 + 0.6 * loose)))
            if leg_length < 0.8:
                wide = wide + np.float32((0, 0.03, 0.07, 0.06, 0.06))
            part = tube(c.shape, c.px(pts), wide * unit)
            if part is not None:
                total = np.linalg.norm(np.diff(c.px(pts), axis=0), axis=1).sum()
                part.cut(part.v - total * min(leg_length, 0.985) - 0.05 * unit * (1 - part.u**2))
            parts.append(part)
            lines += limb_creases(pts, wide, (2, 4) if leg_length > 0.8 else (1,), rng)
            hip = pts[0]
            lines += [[(side * 0.04 + body.centre[6], 3.95), (hip[0], 3.85 + 0.1 * k), (hip[0] + side * 0.3, 3.72 + 0.15 * k)]
                for k in range(2)]

        def marks(albedo, part):
            y0, y1, x0, x1 = part.box
            y, x = (np.mgrid[y0:y1, x0:x1].astype(np.float32) - c.origin[::-1, None, None]) / unit
            if outfit == "separates":
                mid = float(np.interp(waist, PROFILE_Y, body.centre))
                albedo = albedo * (1 - 0.25 * np.exp(-(((y - waist - 0.17) / 0.012) ** 2))[..., None])
                fly = np.exp(-(((x - mid - 0.0) / 0.01) ** 2)) * ((y < 3.85) & (y > waist + 0.17))
                pocket = np.exp(-(((np.abs(x - mid) - 0.42 - 0.35 * (y - waist - 0.25)) / 0.013) ** 2)) * ((y > waist + 0.18) & (y < waist
                    + 0.62))
                albedo = albedo * (1 - 0.3 * np.maximum(fly, pocket)[..., None])
                if low_cloth.kind == "denim":
                    fade = sum(np.exp(-(((x - body.joints[k, 0]) / 0.16) ** 2) - ((y - 4.6) / 0.7) ** 2) for k in (S.R_KNEE, S.L_KNEE))
                    albedo = albedo + 0.1 * fade[..., None]
            return albedo

        c.wear(merge(c.shape, parts), low_cloth, lower_cls, rng, lines, marks=marks)

    if tucked:
        ease = draw_top()
        draw_bottom()
        if rng.random() < 0.3:
            belt(c, body, rng)
    else:
        draw_bottom()
        ease = draw_top()
    if outfit == "dress" and rng.random() < 0.4:
        belt(c, body, rng, 2.78)
    coat = (cloth(kind=str(rng.choice(("weave", "knit", "denim", "smooth"))), pattern=None if rng.random() < 0.25 else "plain") if outer
        else None)
    if outer:
        coat_hem = rng.choice((3.6, 4.2, 5.2))
        draw_open_coat(c, body, neck, coat, coat_hem, rng)

    bare = tone * np.float32((1, 0.995, 0.99))
    bag = str(rng.choice(("none", "hand", "cross"), p=(0.86, 0.08, 0.06)))
    bag_cloth = cloth(kind="smooth", pattern="plain")
    if bag == "cross":
        side = rng.choice((-1, 1))
        c.line(T.spline([(-side * 0.45, 1.32), (0, 2.4), (side * 0.62, 3.4)]), bag_cloth.base * 0.8, 0.06)
        draw_bag(c, np.float32((side * 0.66, 3.35)), 0.38, bag_cloth, rng, handle=False)

    # Arms over the trunk; sleeves over arms; the contact shadow fades towards the shoulder, where they are one piece.
    for side in (-1, 1):
        pts, radii = body.limb(side, leg=False)
        pts_px, radii_px = c.px(pts), radii * unit
        cls = S.LEFT_ARM if side > 0 else S.RIGHT_ARM
        if bag == "hand" and side > 0:
            draw_bag(c, pts[4] + (0.02, 0.55), 0.42, bag_cloth, rng, handle=True)
        part = tube(c.shape, pts_px, radii_px)
        if part is None:
            continue
        inwards = armhole(c, part, pts, side)
        part.cut(inwards)
        below = np.clip((part.v - 0.25 * unit) / (0.45 * unit), 0, 1)
        c.skin(part, bare, cls, 0.5, below, np.clip(-inwards / (0.2 * unit), 0, 1))
        draw_hand(c, body, side, bare, cls)
        total = np.linalg.norm(np.diff(pts_px, axis=0), axis=1).sum()
        for on, material, reach, wide, kind_cls in ((sleeve > 0, top_cloth, sleeve, ease, upper_cls), (outer, coat, 0.99, 0.11, S.OUTER)):
            if not on:
                continue
            open_end = np.float32((0.2, 0.7, 1, 1, 1)) if reach < 0.5 else np.float32((0.2, 0.6, 1, 0.9, 0.55))
            grown = radii + 0.035 + (wide + (0.06 if reach < 0.5 else 0)) * open_end
            pts_cap = pts.copy()
            pts_cap[0] += (-side * 0.03, 0.02)
            part = tube(c.shape, c.px(pts_cap), grown * unit)
            part.cut(part.v - total * reach - 0.03 * unit * (1 - part.u**2))
            part.cut(armhole(c, part, pts, side))
            below = np.clip((part.v - 0.25 * unit) / (0.45 * unit), 0, 1)
            end = total * reach

            def cuff(albedo, part, end=end):
                d = (end - part.v) / unit
                return albedo * (1 - 0.2 * np.exp(-(((d - (0.16 if reach > 0.9 else 0.08)) / 0.012) ** 2))[..., None])

            c.wear(part, material, kind_cls, rng, limb_creases(pts, grown, (1, 2, 3) if reach > 0.5 else (1,), rng), where=below,
                marks=cuff)

    # Head, hair, hat and small things on top.
    head = draw_head(c, body, tone, hair, rng)
    draw_hair(c, cx, style, hair, tone, length, spread, hat, rng)
    if hat != "none":
        draw_hat(c, cx, hat, hat_cloth, head, rng)
    if rng.random() < 0.07:
        glasses(c, cx, body.turn, rng)
    if rng.random() < 0.06:
        scarf(c, neck, cloth(), rng)

    pose = np.zeros((1, 18, 3), np.float32)
    pose[0, :, :2], pose[0, :, 2] = c.px(body.joints), 1
    outside = (pose[0, :, 0] < 0) | (pose[0, :, 0] > w - 1) | (pose[0, :, 1] < 0) | (pose[0, :, 1] > h - 1)
    pose[0, outside] = 0
    return SamplePerson(id, T.finish(c.image, rng), c.parse, pose)


def armhole(c: Canvas, part: Field, pts, side: int) -> np.ndarray:
    """How far (px) a pixel of an arm lies inside the armhole, where the trunk begins; negative outside."""
    x = (np.arange(part.box[2], part.box[3], dtype=np.float32) - c.px(pts[0])[0]) * side
    return -x - 0.1 * c.unit - np.clip(part.v - 0.3 * c.unit, 0, None) * 4


def limb_like(rng, waist: float) -> list:
    """Drag lines across a narrow skirt."""
    return [[(s * 0.62, waist + d), (s * 0.3, waist + d + 0.06), (0, waist + d + rng.uniform(-0.05, 0.15))] for s in (-1, 1)
        for d in rng.uniform(0.4, 1.6, 3)]


def knee_form(part: Field | None, pts_px, unit: float) -> Field | None:
    if part is not None:
        y0, y1, x0, x1 = part.box
        y, x = np.mgrid[y0:y1, x0:x1].astype(np.float32)
        kx, ky = pts_px[2]
        part.height += 0.05 * unit * np.exp(-(((x - kx) / (0.12 * unit)) ** 2) - ((y - ky) / (0.16 * unit)) ** 2)
    return part


def ground_shadow(c: Canvas, body: Body, framing: str, rng) -> None:
    h, w = c.shape
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    if framing == "full":
        floor = float(body.joints[[S.R_ANKLE, S.L_ANKLE], 1].max() + 0.4) * c.unit + c.origin[1]
        if rng.random() < 0.6:  # a horizon where wall and floor meet
            line = floor - c.unit * rng.uniform(0.4, 1.6)
            soft = rng.uniform(2, 90) * h / 1024
            c.image *= 1 - rng.uniform(-0.05, 0.16) / (1 + np.exp(-np.clip((y - line) / soft, -30, 30)))[..., None]
        for k in (S.R_ANKLE, S.L_ANKLE):
            fx, fy = c.px(body.joints[k] + (0.04, 0.39))
            d = np.hypot((x - fx - 0.1 * c.unit) / (0.42 * c.unit), (y - fy) / (0.11 * c.unit))
            c.image *= 1 - 0.5 * np.exp(-(d**2))[..., None]
        fx = float(body.joints[[S.R_ANKLE, S.L_ANKLE], 0].mean() + 0.35) * c.unit + c.origin[0]
        d = np.hypot((x - fx) / (1.3 * c.unit), (y - floor + 0.02 * c.unit) / (0.25 * c.unit))
        c.image *= 1 - rng.uniform(0.12, 0.3) * np.exp(-(d**2))[..., None]
    else:
        fx, fy = c.px((0.5, 2.8))
        d = np.hypot((x - fx) / (1.5 * c.unit), (y - fy) / (3 * c.unit))
        c.image *= 1 - rng.uniform(0.03, 0.16) * np.exp(-(d**2))[..., None]


def draw_hair(c: Canvas, cx, style, hair, tone, length, spread, hat, rng) -> None:
    if style == "bald":
        paint = cap_of_hair(cx, 0.0, 0.2, 0.5, 0.0)
        c.polygon(paint, hair * 0.5 + tone * 0.4, None, 0.03 * c.unit, rng.uniform(0, 0.3))
        return
    part, line = rng.uniform(-0.14, 0.14), rng.uniform(0.17, 0.24)
    root = (cx + part, -0.12)
    if style == "bun":
        t = np.linspace(0, 2 * np.pi, 24)
        if hat == "none":
            r = rng.uniform(0.14, 0.2)
            paint_hair(c, np.column_stack((r * 1.1 * np.cos(t), r * np.sin(t) - 0.12)) + (cx, 0), hair, (cx, -0.28), rng)
        paint_hair(c, cap_of_hair(cx, 0.0, line - 0.03, 0.52, 0.0), hair, (cx, -0.05), rng)
    elif style == "short":
        paint_hair(c, cap_of_hair(cx, rng.uniform(0.01, 0.06), line, 0.54, part), hair, root, rng)
    elif style == "afro":
        t = np.linspace(0, 2 * np.pi, 90)
        r = rng.uniform(0.5, 0.62) * (1 + 0.02 * np.sin(17 * t) + 0.015 * np.sin(29 * t + 1))
        keep = [(0.31, 0.62), (0.29, 0.4), (0.2, 0.25), (0, 0.22), (-0.2, 0.25), (-0.29, 0.4), (-0.31, 0.62)]
        ring = np.column_stack((r * np.cos(t), 0.33 + r * np.sin(t)))
        ring = ring[(ring[:, 1] < 0.72)]
        ring = ring[np.argsort(np.arctan2(ring[:, 0], 0.33 - ring[:, 1]))]
        paint_hair(c, np.concatenate((ring, T.spline(keep))) + (cx, 0), hair, root, rng, curl=0.03)
    else:
        paint_hair(c, cap_of_hair(cx, 0.035, line, 0.62, part), hair, root, rng)
        for side in (-1, 1):
            e, s = length + rng.uniform(-0.1, 0.1), spread
            if style == "bob":
                lock = [[(0.16, 0.1), (0.262, 0.24), (0.303, 0.5), (0.3, 0.8), (0.25 + s, e - 0.04), (0.30 + s, e + 0.02),
                    (0.37 + s, e - 0.02), (0.42 + s, 0.85), (0.40 + s * 0.5, 0.5), (0.365, 0.28), (0.29, 0.14), (0.16, 0.1)]]
            else:
                lock = [[(0.16, 0.1), (0.262, 0.24), (0.303, 0.5), (0.31, 0.85), (0.27, 1.3), (0.24 + s * 0.5, (1.3 + e) / 2),
                    (0.28 + s, e - 0.05), (0.33 + s, e + 0.04), (0.41 + s, e - 0.08), (0.51 + s, (1.3 + e) / 2), (0.47 + s, 1.25),
                    (0.44 + s, 0.9), (0.40 + s * 0.5, 0.5), (0.365, 0.28), (0.29, 0.14), (0.16, 0.1)]]
            lock = T.outline(*[np.float32(k) * (side, 1) for k in lock]) + (cx, 0)
            paint_hair(c, lock, hair, root, rng)


def region(c: Canvas, points) -> Field | None:
    """A Field of a closed outline (heads)."""
    p = c.px(points)
    y0, y1, x0, x1 = box = window(c.shape, *(p.min(0) - 3), *(p.max(0) + 3))
    if y1 - y0 < 3 or x1 - x0 < 3:
        return None
    alpha = T.fill((y1 - y0, x1 - x0), p - (x0, y0))
    y, x = np.mgrid[0 : y1 - y0, 0 : x1 - x0].astype(np.float32)
    return Field(box, 0.5 - alpha, x / c.unit, y, np.full_like(alpha, c.unit), 0.6 * T.relief(alpha, 0.2 * c.unit))


def draw_hat(c: Canvas, cx, kind, cloth, head, rng) -> None:
    dome = [(-0.37, 0.3), (-0.38, 0.12), (-0.3, -0.08), (-0.12, -0.17), (0.12, -0.17), (0.3, -0.08), (0.38, 0.12), (0.37, 0.3)]
    c.wear(region(c, T.outline(dome, [(0.37, 0.3), (0, 0.26), (-0.37, 0.3)]) + (cx, 0)), cloth, S.HEADWEAR, rng)
    if kind == "beanie":
        c.wear(region(c, T.outline([(-0.385, 0.16), (0, 0.1), (0.385, 0.16)], [(0.38, 0.36), (0, 0.31), (-0.38, 0.36)]) + (cx, 0)), cloth,
            S.HEADWEAR, rng, contact=0.4)
    elif kind == "cap":
        c.wear(region(c, T.outline([(-0.36, 0.21), (0, 0.14), (0.36, 0.21)], [(0.42, 0.3), (0.3, 0.37), (0, 0.4), (-0.3, 0.37),
            (-0.42, 0.3)]) + (cx, 0)), cloth, S.HEADWEAR, rng, contact=0.6)
    else:
        c.wear(region(c, T.outline([(-0.8, 0.28), (-0.4, 0.16), (0, 0.15), (0.4, 0.16), (0.8, 0.28)],
            [(0.8, 0.28), (0.4, 0.36), (0, 0.37), (-0.4, 0.36), (-0.8, 0.28)]) + (cx, 0)), cloth, S.HEADWEAR, rng, contact=0.6)
        band = region(c, T.outline([(-0.375, 0.07), (0, 0.1), (0.375, 0.07)], [(0.38, 0.16), (0, 0.2), (-0.38, 0.16)]) + (cx, 0))
        if band is not None:
            c.over(band.box, band.alpha, cloth.base * 0.3, S.HEADWEAR)


def draw_bag(c: Canvas, at, size: float, cloth, rng, handle: bool) -> None:
    box = (np.float32([(-1, -0.45), (-0.9, -0.6), (0.9, -0.6), (1, -0.45), (1.08, 0.7), (0.95, 0.85), (-0.95, 0.85), (-1.08, 0.7),
        (-1, -0.45)]) * size)
    if handle:
        c.line(T.spline(at + np.float32([(-0.5, -0.55), (-0.42, -1.2), (0, -1.5), (0.42, -1.2), (0.5, -0.55)]) * size), cloth.base * 0.75,
            0.05)
    c.wear(region(c, at + box), cloth, S.BAG, rng, contact=0.5)
    c.line(at + np.float32([(-1.0, 0.0), (1.02, 0.0)]) * size, cloth.base * 0.55, 0.02)
    c.line(at + np.float32([(-0.12, 0.0), (0.12, 0.0)]) * size, (0.85, 0.72, 0.4), 0.05)


def belt(c: Canvas, body: Body, rng, y: float = 2.84) -> None:
    line = lambda d: np.column_stack((np.linspace(-2, 2, 21), np.full(21, y + d))).astype(np.float32)
    part = trunk(c, body, y, line(0), y + 0.13, 0.06, 0, 0.0)
    material = T.make_cloth(rng, c.unit, "smooth", "plain", T.colour(0.07, rng.uniform(0.2, 0.6), rng.uniform(0.12, 0.4)))
    c.wear(part, material, S.ACCESSORY, rng, contact=0.2)
    x = float(np.interp(y, PROFILE_Y, body.centre))
    c.line([(x - 0.09, y + 0.02), (x + 0.09, y + 0.02), (x + 0.09, y + 0.13), (x - 0.09, y + 0.13), (x - 0.09, y + 0.02)],
        (0.82, 0.7, 0.42), 0.03)


def draw_open_coat(c: Canvas, body: Body, neck: float, cloth, hem: float, rng) -> None:
    """A jacket or coat worn open: two fronts whose inner border runs from the neck to the hem."""
    part = trunk(c, body, 1.5, shoulder_line(body, neck, (neck + 0.1, 0.02, 2), 0.05), hem, 0.12, 0.1)
    if part is None:
        return
    y0, y1, x0, x1 = part.box
    y, x = (np.mgrid[y0:y1, x0:x1].astype(np.float32) - c.origin[::-1, None, None]) / c.unit
    gap = np.interp(y, (1.1, 1.6, 2.6, hem), (neck, 0.24, rng.uniform(0.16, 0.36), rng.uniform(0.25, 0.5))).astype(np.float32)
    x = x - np.interp(y, PROFILE_Y, body.centre)
    part.cut((gap - np.abs(x)) * c.unit)
    lapel = rng.random() < 0.6

    def marks(albedo, part):
        if lapel:
            edge = gap + np.interp(y, (1.2, 1.75, 2.6), (0.06, 0.26, 0.0))
            albedo = albedo * (1 - 0.38 * np.exp(-(((np.abs(x) - edge) / 0.014) ** 2)) * (y < 2.6))[..., None]
        return albedo * (1 - 0.2 * np.exp(-(((np.abs(x) - gap - 0.05) / 0.01) ** 2)))[..., None]

    c.wear(part, cloth, S.OUTER, rng, top_creases(body, rng, min(hem, 3.4)), marks=marks, contact=0.7)


def glasses(c: Canvas, cx, turn, rng) -> None:
    t = np.linspace(0, 2 * np.pi, 28)
    dark = rng.random() < 0.5
    for side in (-1, 1):
        ring = np.column_stack((0.115 * np.cos(t), 0.09 * np.sin(t))) + (cx + 0.06 * turn + side * 0.15, 0.51)
        if dark:
            c.polygon(ring, (0.08, 0.07, 0.08), S.ACCESSORY, 0, 0.93)
        c.line(ring, (0.1, 0.08, 0.08), 0.02)
    c.line([(cx + 0.06 * turn - 0.04, 0.5), (cx + 0.06 * turn + 0.04, 0.5)], (0.1, 0.08, 0.08), 0.02)


def scarf(c: Canvas, neck: float, cloth, rng) -> None:
    end = rng.uniform(2.3, 3.0)
    c.wear(region(c, T.outline([(-0.1, 1.4), (-0.2, 2.0), (-0.24, end)], [(0.08, end + 0.03), (0.1, 2.0), (0.14, 1.4)])), cloth,
        S.ACCESSORY, rng)
    wrap = T.outline([(-neck - 0.14, 1.12), (0, 1.24), (neck + 0.14, 1.12)], [(neck + 0.2, 1.35), (0.05, 1.62), (-neck - 0.2, 1.35)])
    c.wear(region(c, wrap), cloth, S.ACCESSORY, rng, [[(-0.35, 1.28), (0, 1.42), (0.35, 1.26)], [(-0.33, 1.36), (0, 1.5), (0.33, 1.34)]])
