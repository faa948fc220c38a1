"""Sleeves: coordinates on a sleeve in its product photo, and where they lie on an arm.

A sleeve is the surface ruled between its outer edge, from the shoulder of the placed torso down the outside of the arm, and its inner edge, from the
armpit down the inside. So it covers the arm however narrow it is in the product photo, and turns into any arm. Of an arm that is raised higher than the
sleeve lay it meets the torso all along the armhole; where the arm hangs lower, what lies beyond the armhole is folded away behind the torso.
"""
from dataclasses import dataclass

import cv2
import numpy as np

from tryon.landmarks import PART, SURE, along
from tryon.limbs import ARM

SIGN = {"right": -1, "left": 1}  # side of the garment -> that of the product photo
SHORT = 2.1  # square of a sleeve's length over its area: below it the cuff decides the direction, not the middle line
STUB = 0.7  # of the armhole's length: what comes out of it no farther is short, too
# Half of a sleeve's width over that of the arm in it, at least, and over that on the outside of the arm; and at most on its inside, in torso lengths beyond.
EASE, INSIDE = 1.25, 0.06
OUTSIDE = np.array(((0.15, 1.0), (0.6, 1.2)))  # times that, how far outside of the bones a sleeve lies at so many upper arms from the shoulder
ON_SHOULDER, BESIDE_SHOULDER = 0.09, 0.03  # torso lengths above and outside of the joint: where a shoulder turns into the arm
SLIVER = 0.2  # area of a sleeve over the square of its armhole: below it there is no quadrangle to speak of
ALIKE, TOLD = 0.98, 0.85  # quadrangles of so many times the largest area are as good, and those that landmarks tell are better
BEYOND = 0.15  # of the width: cloth farther outside the edges lies no farther
LONG = 0.7  # of the arm: sleeves that would reach so far are long ones
SETTLE = 0.3  # torso lengths of sleeve in which its edges come from the armhole to the arm


def smooth(t):
    t = np.clip(t, 0, 1)
    return t * t * (3 - 2 * t)


@dataclass
class Chart:
    """Points of a product photo in a sleeve's own coordinates, N each: ``way`` from 0 at the armhole to 1 at the cuff, ``across`` from 0 at the outer edge
    to 1 at the inner one, ``half`` the width there, halved. ends: shoulder and armpit, 2x2; length: of the outer edge; lag: how much farther along the sleeve
    the inner edge begins. In pixels of the photo."""

    way: np.ndarray
    across: np.ndarray
    half: np.ndarray
    ends: np.ndarray
    length: float
    lag: float


def chart(garment, side: str, points: np.ndarray) -> Chart:
    """The points Nx2 of the product photo of a tryon.garment.Garment on its sleeve; outside of it the coordinates are carried on."""
    region, torso = garment.parts == PART[side], (garment.parts == 1).astype(np.uint8)
    ends = np.array([garment.landmarks[f"{n}_{side}"][:2] for n in ("shoulder", "armpit")], float)
    seam = np.argwhere(region & (cv2.dilate(torso, np.ones((5, 5), np.uint8)) > 0))[:, ::-1].astype(float)
    if len(seam):  # the armhole, or where a sleeve that hangs leaves it
        near = np.array([seam[((seam - e) ** 2).sum(1).argmin()] for e in ends])
        if np.linalg.norm(near[1] - near[0]) > 0.6 * np.linalg.norm(ends[1] - ends[0]):
            ends = near
    pixels = np.argwhere(region)[:, ::-1].astype(float)
    far = np.linalg.norm(pixels - ends[0], axis=1)
    armhole = ends[1] - ends[0]
    t = np.clip((pixels - ends[0]) @ armhole / max(float(armhole @ armhole), 1e-6), 0, 1)[:, None]
    deep = float(np.percentile(np.linalg.norm(pixels - ends[0] - t * armhole, axis=1), 97))
    if deep < STUB * float(np.linalg.norm(armhole)) or far.max() ** 2 < SHORT * len(pixels):
        if len(seam):  # up to its very top
            ends[0] = seam[((seam - ends[1]) @ (ends[0] - ends[1])).argmax()]
        cuff = [garment.landmarks.get(f"cuff_{n}_{side}", (0, 0, 0)) for n in ("outer", "inner")]
        return _short(region, ends, SIGN[side], points, np.array(cuff)[:, :2] if min(c for *_, c in cuff) >= SURE else None)
    return _long(pixels, ends, garment.shape.limbs[side][:, :2].astype(float), SIGN[side], points)


def _short(region: np.ndarray, ends: np.ndarray, sign: int, points: np.ndarray, cuff: np.ndarray | None) -> Chart:
    """Inside the largest quadrangle from the armhole to two points of the sleeve's outline, the ends of the cuff, or nearly as large a one to where a
    network found these (``cuff``, 2x2)."""
    outline = max(cv2.findContours(region.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0], key=len)[:, 0].astype(float)
    c = outline[::max(1, len(outline) // 90)]
    cross = lambda a, b: a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
    a, b, (s, p) = c[:, None], c[None], ends
    area = sign * (cross(s, a) + cross(a, b) + cross(b, p) + cross(p, s))  # twice that of shoulder, outer and inner end of the cuff, armpit
    # Where the cuff runs into the armpit many are as large: the one with all of the cuff, which is no longer inside than outside.
    long = lambda q: np.linalg.norm(q, axis=-1)
    likely = (area >= ALIKE * area.max()) & (long(a - s) >= long(b - p))
    i, j = np.unravel_index(int((np.where(likely, long(a - b), 0) if likely.any() else area).argmax()), area.shape)
    if cuff is not None:
        told = tuple(int(long(c - end).argmin()) for end in cuff)
        i, j = told if area[told] >= TOLD * area.max() else (i, j)
    outer, inner = c[i], c[j]
    deep, armhole = area.max() / 2, p - s
    if deep < SLIVER * (armhole @ armhole):  # hardly more than an armhole: straight out of it
        out = sign * np.array((armhole[1], -armhole[0])) / (armhole @ armhole)
        depth = max(float(np.percentile((outline - s) @ out, 97)), SLIVER)
        across = (points - s) @ armhole / (armhole @ armhole)
        length = float(np.linalg.norm(armhole))
        return Chart(np.clip((points - s) @ out / depth, -1.0, 2.0), np.clip(across, -BEYOND, 1 + BEYOND), np.full(len(points), length / 2), ends, depth * length, 0.0)
    # The inverse of the bilinear map of the unit square onto it, by Newton's method.
    way, across = np.full(len(points), 0.5), np.full(len(points), 0.5)
    for _ in range(8):
        edge, other = s + (outer - s) * way[:, None], p + (inner - p) * way[:, None]
        off = points - (edge + (other - edge) * across[:, None])
        dw, da = (outer - s) * (1 - across[:, None]) + (inner - p) * across[:, None], other - edge
        det = cross(dw, da)
        det = np.where(np.abs(det) < 1e-3, 1e-3, det)
        way, across = (np.clip(x + np.clip(d / det, -0.5, 0.5), -1.0, 2.0) for x, d in ((way, cross(off, da)), (across, cross(dw, off))))
    width = np.linalg.norm(p - s) + (np.linalg.norm(inner - outer) - np.linalg.norm(p - s)) * np.clip(way, 0, 1)
    reach = float(np.linalg.norm(outer - s))
    return Chart(way, np.clip(across, -BEYOND, 1 + BEYOND), width / 2, ends, reach, float((p - s) @ (outer - s)) / max(reach, 1e-6))


def _long(pixels: np.ndarray, ends: np.ndarray, axis: np.ndarray, sign: int, points: np.ndarray) -> Chart:
    """Along the middle line of the sleeve (its ``pixels`` Nx2), between edges that are offsets from it. axis: the line Kx2 for a bent one."""
    start = ends.mean(0)
    far = np.linalg.norm(pixels - start, axis=1)
    tip = pixels[far >= np.percentile(far, 95)].mean(0)
    straight = np.array((start, tip))
    # Bent where the straight line leaves the sleeve.
    line = start + np.linspace(0.1, 0.95, 30)[:, None] * (tip - start)
    inside = np.zeros(pixels.max(0).astype(int) + 1, bool)
    inside[tuple(pixels.astype(int).T)] = True
    if np.mean(inside[tuple(np.clip(np.rint(line).astype(int), 0, np.array(inside.shape) - 1).T)]) > 0.85:
        axis = straight
    else:
        away = np.linalg.norm(axis - start, axis=1)
        axis = np.vstack((start, axis[away > 0.5 * float(np.linalg.norm(ends[1] - ends[0]))]))
        axis = axis if len(axis) > 2 else straight
    from_axis = lambda p: (lambda t, u, _: (t, -sign * u))(*along(p, axis))
    (t_seam, o_seam), reach = from_axis(ends), float(np.linalg.norm(np.diff(axis, axis=0), axis=1).sum())
    t_seam = np.minimum(t_seam, (0.5 * reach, 0.7 * reach))
    t, o = from_axis(pixels[::max(1, len(pixels) // 4000)])
    bins = np.linspace(0, reach, 17)
    within = [o[(t >= a) & (t <= b)] for a, b in zip(bins[:-1], bins[1:])]
    middle, edges = (bins[:-1] + bins[1:]) / 2, []
    for k, share in enumerate((97, 3)):
        known = np.array([len(w) > 2 and m > t_seam[k] for w, m in zip(within, middle)])
        at = np.array([np.percentile(w, share) for w, ok in zip(within, known) if ok])
        edges.append((np.append(t_seam[k], middle[known]), np.append(o_seam[k], at)))

    def between(t: np.ndarray, o: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        outer, inner = (np.interp(t, *e) for e in edges)
        return np.clip((outer - o) / np.maximum(outer - inner, 1.0), -BEYOND, 1 + BEYOND), (outer - inner) / 2

    across, bands = between(t, o)[0], np.linspace(0, 1, 7)
    cuff = [((a + b) / 2, np.percentile(t[at], 98)) for a, b in zip(bands[:-1], bands[1:]) if (at := (across >= a) & (across <= b)).sum() > 5]
    cuff = np.polyfit(*np.array(cuff).T, 1) if len(cuff) > 2 else (0.0, reach)  # cut straight
    t, o = from_axis(points)
    across, half = between(t, o)
    begin, finish = t_seam[0] + (t_seam[1] - t_seam[0]) * np.clip(across, 0, 1), np.polyval(cuff, np.clip(across, 0, 1))
    way = np.minimum((t - begin) / np.maximum(finish - begin, 0.25 * reach), 1.5)
    return Chart(way, across, half, ends, float(np.polyval(cuff, 0) - t_seam[0]), float(t_seam[1] - t_seam[0]))


class Shoulder:
    """The outline of a body from the collar of a garment over the shoulder and down the outside of the arm. Cloth lies on it by its own length."""

    def __init__(self, collar: np.ndarray, line: np.ndarray, true: np.ndarray, walk, unit: float, down: np.ndarray, outwards: np.ndarray, sign: int):
        """collar: where that of the placed garment is; line, true: the arm's bones 3x2 and their true lengths; walk: tryon.fit._walk; unit: torso length;
        down and outwards: directions of the body; sign: SIGN of the garment's side. In pixels of the person photo."""
        self.line, self.true, self.unit = line, true, unit
        self.edge = lambda arc, offset: walk(line, true, arc, -sign * offset, 0.12 * unit)
        top = line[0] - ON_SHOULDER * unit * down + BESIDE_SHOULDER * unit * outwards
        arc = np.linspace(0.1, 1.7, 65) * true.sum()
        arm = self.edge(arc, self.outside(arc))
        first = int(np.argmax((arm - top) @ (line[1] - line[0]) > 0))
        self.path = np.vstack((collar, top, arm[first:]))
        self.far = np.append(0, np.cumsum(np.linalg.norm(np.diff(self.path, axis=0), axis=1)))
        self.arc = np.append((-self.far[1], 0), arc[first:])

    def thick(self, arc: np.ndarray) -> np.ndarray:
        """Half of the least width of a sleeve, ``arc`` from the shoulder along the bones."""
        return EASE * np.interp(arc / self.true[0], *ARM.T) * self.unit

    def outside(self, arc: np.ndarray) -> np.ndarray:
        """How far outside of the bones a sleeve lies, ``arc`` from the shoulder along them."""
        return np.interp(arc / self.true[0], *OUTSIDE.T) * self.thick(arc)

    def at(self, length: np.ndarray) -> np.ndarray:
        """Places Nx2 so far along the outline from the collar."""
        return np.stack([np.interp(length, self.far, self.path[:, k]) for k in (0, 1)], -1)

    def nearest(self, place: np.ndarray) -> float:
        """How far along the outline, down to the elbow, the point of it is that is nearest to ``place`` (x, y): a forearm may be raised to the shoulder."""
        t, _, _ = along(place[None], self.path[self.arc <= self.true[0]])
        return float(t[0])


def share_of_arm(start: np.ndarray, shoulder: Shoulder, length: float) -> float:
    """How much of an arm a sleeve so long (pixels) reaches down that begins at ``start`` (x, y)."""
    return float(np.interp(shoulder.nearest(start) + length, shoulder.far, shoulder.arc)) / shoulder.true.sum()


def place_sleeve(c: Chart, torso: np.ndarray, ends: np.ndarray, shoulder: Shoulder, length: float, s_across: float, long: bool) -> tuple[np.ndarray, np.ndarray]:
    """Positions Nx2 in the person photo of the points of a chart, as points of a sleeve, and how far outside of the armhole, or below it, each lies, N, in pixels there:
    what lies inside of it is folded away, under an arm that hangs lower than the sleeve lay. torso and ends: where they, and the ends of the armhole, are as
    points of the torso, Nx2 and 2x2; length: of the sleeve's outer edge, in pixels of the person photo; s_across: pixels of the person photo per pixel
    of the product photo, across the sleeve; long: whether it ends at the wrist."""
    unit, line, true = shoulder.unit, shoulder.line, shoulder.true
    bone, arm = line[1] - line[0], true.sum()
    drawn = max(float(np.linalg.norm(bone)), 0.4 * true[0])  # of an arm that points at the camera
    begin = float(shoulder.nearest(ends[0]))
    reach = begin + length
    end = float(np.interp(reach, shoulder.far, shoulder.arc))
    if long:
        end = 1.03 * arm
        reach = float(np.interp(end, shoulder.arc, shoulder.far))
    gone = np.maximum(c.way, 0) * (reach - begin)
    outer = shoulder.at(begin + gone) + (ends[0] - shoulder.at(begin)) * (1 - smooth(gone / (SETTLE * unit)))[:, None]
    start = float(np.clip((ends[1] - line[0]) @ bone / max(float(np.linalg.norm(bone)), 1e-6) / drawn, 0, 0.65)) * true[0]
    edge = lambda arc, offset: shoulder.edge(arc, -offset)
    first = shoulder.thick(np.array([start]))
    at = edge(np.array([start]), first)[0]
    leave = ends[1] - at
    inwards = at - edge(np.array([start]), np.zeros(1))[0]
    leave = leave * (leave @ inwards > 0)  # an armpit that lies outside of the inside of the arm is hidden behind the arm
    settle = max(min(max(SETTLE * unit, 1.2 * float(np.linalg.norm(leave))), 0.8 * (end - start)), 1.0)
    # Cloth under an arm that hangs lower than the sleeve lay is folded away, not squeezed.
    lag = float(np.interp(begin + max(c.lag, 0.0) * (reach - begin) / max(c.length, 1e-6), shoulder.far, shoulder.arc))
    lag = min(start, max(lag, 0.0), end - 0.3 * max(end, 0.3 * unit))
    # Cloth lies on the outside of the arm; what a wide sleeve has to spare hangs on the inside.
    arc = lag + np.maximum(c.way, 0) * (end - lag)
    thick = shoulder.thick(arc)
    offset = np.clip(2 * c.half * 0.9 * s_across - shoulder.outside(arc), thick, thick + INSIDE * unit)
    fade = 1 - smooth((arc - start) / settle)
    inner = edge(arc, first * fade + offset * (1 - fade)) + leave * fade[:, None]
    across = c.across[:, None]
    ruled = outer * (1 - across) + inner * across
    place = np.where(c.way[:, None] >= 0, ruled, ruled + torso - ends[0] * (1 - across) - ends[1] * across)
    foot = at + leave
    down = (foot - ends[0]) / max(float(np.linalg.norm(foot - ends[0])), 1e-6)
    if down @ bone <= 0:  # upside down: there is no armhole
        return place, np.full(len(place), np.inf)
    out = np.array((down[1], -down[0]))
    return place, np.maximum((place - ends[0]) @ (out if out @ inwards < 0 else -out), (place - foot) @ down)
