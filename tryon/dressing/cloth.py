"""Cloth: the parts of a placed garment as sheets that move over the photo, are simulated, and are drawn back into pictures.

A sheet is a regular grid of points over the person photo. At rest every point lies where the still has it; moved, the grid says for every
pixel which place of the still its cloth comes from. Simulation is position-based dynamics (Mueller et al. 2007) on all sheets at once, in
arrays S x gh x gw x 2: x and y in pixels of the photo.
"""
from dataclasses import dataclass

import cv2
import numpy as np

from tryon.body import Body
from tryon.fit import Fit, carried_on, splat
from tryon.garment import Garment
from tryon.texture import cloth_of, sampled

SPACING = 3  # of the grid's points, in steps of the coarse grid of tryon.fit
PAD = 40  # steps of the coarse grid by which cloth is known beyond the photo
SUBSTEPS, ITERATIONS = 3, 4  # of the simulation, per frame of 24
STRETCH = 1.06  # to what share of its length cloth stretches,
GATHER = 0.16  # and to what share it can be gathered
LAMBDA = 0.27  # distance of two folds, torso lengths
INSIDE = 0.72  # brightness of the inside of cloth


@dataclass
class Sheet:
    """One part of a garment as it lies in the still. ``part`` as in tryon.fit.Layer; colour uint8 HxWx3 and alpha uint8 HxW 0..255 on the photo with
    ``pad`` more pixels around; set later: active bool gh x gw, points of the grid with cloth near them; folds float32 HxWx4: heights, about
    -1..1, of crests across and along the part, and how far, x and y in pixels, cloth lies from its crest (``ridges``)."""

    part: str
    colour: np.ndarray
    alpha: np.ndarray
    active: np.ndarray | None = None
    folds: np.ndarray | None = None


@dataclass
class Grid:
    """Points ``spacing`` pixels apart, the first at ``origin`` (x, y) of the photo; ``size``: gh, gw."""

    origin: tuple[float, float]
    spacing: float
    size: tuple[int, int]

    def points(self) -> np.ndarray:
        """float32 gh x gw x 2."""
        x, y = (np.arange(n, dtype=np.float32) * self.spacing + o for n, o in zip(self.size[::-1], self.origin))
        return np.stack(np.meshgrid(x, y), -1).astype(np.float32)

    def read(self, picture: np.ndarray, pad: int) -> np.ndarray:
        """Values of an HxW picture with ``pad`` pixels around the photo, at the points."""
        at = self.points() + pad
        return cv2.remap(picture, at[..., 0], at[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def sheets(fit: Fit, garment: Garment, shape: tuple[int, int]) -> tuple[list[Sheet], int]:
    """The parts of a fitted garment, back to front, over a photo of ``shape`` and beyond its border, where the maps go on straight; and by how
    many pixels beyond."""
    h, w = shape
    ratio = h / fit.layers[0].cover.shape[0]
    pad = int(PAD * ratio)
    size = (w + 2 * pad, h + 2 * pad)
    # Pixel centres of the padded photo on the padded coarse grid.
    fx, fy = fit.layers[0].cover.shape[1] / w, 1 / ratio
    m = np.array(((fx, 0, (0.5 - pad) * fx - 0.5 + PAD), (0, fy, (0.5 - pad) * fy - 0.5 + PAD)))
    zoom = lambda a: cv2.warpAffine(a, m, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE)
    out = []
    for layer in fit.layers:
        at = np.pad(layer.map.astype(np.float32), ((PAD, PAD), (PAD, PAD), (0, 0)), mode="reflect", reflect_type="odd") * np.float32(fit.step)
        at, cover = zoom(at), zoom(np.pad(layer.cover.astype(np.float32) / 255, PAD, mode="edge"))
        colour, alpha = sampled(cloth_of(layer, fit, garment), at)
        alpha *= 255 * np.clip(cover * 2, 0, 1)
        # Beyond the border cloth goes on only where it reaches the border.
        _, pieces = cv2.connectedComponents((alpha > 8).astype(np.uint8))
        alpha *= np.isin(pieces, np.unique(pieces[pad:pad + h, pad:pad + w]))
        out.append(Sheet(layer.part, colour, np.rint(alpha).astype(np.uint8)))
    return out, pad


def halves(parts: list[Sheet], pad: int, body: Body) -> list[Sheet]:
    """The torso, parted at the middle of the front, then the other parts."""
    torso = next(s for s in parts if s.part == "torso")
    y, x = np.mgrid[0:torso.alpha.shape[0], 0:torso.alpha.shape[1]].astype(np.float32)
    across = (x - pad - body.neck[0]) * body.across[0] + (y - pad - body.neck[1]) * body.across[1]
    out = []
    for side, sign in (("left", body.right_to_left), ("right", -body.right_to_left)):
        half = np.clip(across * sign + (2.0 if side == "left" else 0.5), 0, 1)  # the left one reaches a little under the right one
        out.append(Sheet(f"torso-{side}", torso.colour, (torso.alpha * half).astype(np.uint8)))
    return out + [s for s in parts if s is not torso]


def lined(sheet: Sheet, part: str) -> Sheet:
    """The inside of what is behind a sheet."""
    return Sheet(part, (sheet.colour * np.float32(INSIDE)).astype(np.uint8), sheet.alpha)


def grid_over(parts: list[Sheet], pad: int, spacing: float) -> Grid:
    """A grid over all that the sheets cover; sets which points of it are active on each."""
    any_ = np.max([s.alpha for s in parts], 0) > 8
    ys, xs = np.flatnonzero(any_.any(1)), np.flatnonzero(any_.any(0))
    x0, y0, x1, y1 = xs[0] - pad - 2 * spacing, ys[0] - pad - 2 * spacing, xs[-1] - pad + 2 * spacing, ys[-1] - pad + 2 * spacing
    grid = Grid((x0, y0), spacing, (int(np.ceil((y1 - y0) / spacing)) + 1, int(np.ceil((x1 - x0) / spacing)) + 1))
    reach = 2 * int(1.5 * spacing) + 1
    for s in parts:
        s.active = grid.read(cv2.dilate((s.alpha > 8).astype(np.uint8), np.ones((reach, reach), np.uint8)), pad) > 0
    return grid


def ridges(along: np.ndarray, across: np.ndarray, length: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Irregular crests that lie across ``along``; along and across HxW in pixels; ``length``: from crest to crest. Returns their heights, about
    -1..1, and how far along, in pixels, cloth lies from the crest that alone is seen of it when it is gathered to nothing: float32 HxW each."""
    h, w = along.shape
    def noise(cell: float, stretch: float = 1.0) -> np.ndarray:
        small = rng.standard_normal((max(2, int(h / cell)), max(2, int(w / (cell * stretch))))).astype(np.float32)
        return cv2.resize(small, (w, h), interpolation=cv2.INTER_CUBIC)
    def waves(length: float) -> tuple[np.ndarray, np.ndarray]:
        # Crests run slanting, part and meet: the phase wanders by more than a turn, and each dies away after a while.
        phase = 2 * np.pi * (along + 0.3 * across * noise(9 * length)) / length + 2.6 * noise(2.5 * length, 1.3) + 2.5 * noise(6 * length)
        strength = np.clip(0.55 + 0.65 * noise(1.8 * length, 2.2), 0, 1.4)
        aside = (np.mod(phase / (2 * np.pi) + 0.5, 1) - 0.5) * length
        return strength * (np.cos(phase) + 0.3 * np.cos(2 * phase)), np.minimum(strength, 1) * aside
    (wide, aside), (narrow, _) = waves(1.5 * length), waves(0.8 * length)
    return (0.6 * wide + 0.4 * narrow).astype(np.float32), aside.astype(np.float32)


def limit(x: np.ndarray, edges: list, low: float, high: float) -> None:
    """Move the ends of each edge, in place, so that its length lies within ``low`` and ``high`` of that at rest."""
    for a, b, rest, weight in edges:
        d = x[b] - x[a]
        length = np.sqrt(np.einsum("...i,...i", d, d)) + 1e-6
        d *= (weight * (length - np.clip(length, low * rest, high * rest)) / length)[..., None]
        x[a] += d
        x[b] -= d


def edges_of(rest: np.ndarray, active: np.ndarray) -> list:
    """Edges to the right, downwards and along both diagonals: index of one end, of the other, length at rest, share to move."""
    s = np.s_
    pairs = ((s[:, :, :-1], s[:, :, 1:]), (s[:, :-1], s[:, 1:]), (s[:, :-1, :-1], s[:, 1:, 1:]), (s[:, :-1, 1:], s[:, 1:, :-1]))
    return [(a, b, np.linalg.norm(rest[b] - rest[a], axis=-1), 0.3 * (active[a] & active[b]).astype(np.float32)) for a, b in pairs]


def simulate(rest: np.ndarray, active: np.ndarray, sewn: list[list[int]], moves, frames: int, unit: float, collide):
    """Positions S x gh x gw x 2 of every frame, from the first to the last, as they are worked out.

    rest S x gh x gw x 2; active S x gh x gw; sewn: numbers of the sheets that are one piece; moves(time 0..1) -> where hands and body want the
    cloth, like rest, and how loose it is there, 0..1; collide(x, time) moves x out of the body, in place. Cloth follows what moves it with inertia,
    falls where it is loose, and gives way to its neighbours; towards the end it comes to rest.
    """
    steps = max(1, round(SUBSTEPS * 24 / frames))
    h = 24 / (frames * steps)  # frames of 24 per step
    edges = edges_of(rest, active)
    seams = [(piece, active[piece].sum(0), (active[piece].sum(0) > 1) & active[piece]) for piece in sewn if (active[piece].sum(0) > 1).any()]
    x, _ = moves(0.0)
    v = np.zeros_like(x)
    follow, keep = 1 - 0.45 ** h, 0.2 ** h
    fall = np.array((0, 0.012 * unit * h), np.float32)
    bend = lambda x: (x[:, :-2, 1:-1] + x[:, 2:, 1:-1] + x[:, 1:-1, :-2] + x[:, 1:-1, 2:]) / 4 - x[:, 1:-1, 1:-1]
    flat = bend(rest)
    inner = (active[:, 1:-1, 1:-1] & active[:, :-2, 1:-1] & active[:, 2:, 1:-1] & active[:, 1:-1, :-2] & active[:, 1:-1, 2:])[..., None]
    yield x.copy()
    for frame in range(1, frames):
        for k in range(steps):
            time = (frame - 1 + (k + 1) / steps) / (frames - 1)
            goal, loose = moves(time)
            settle = float(np.clip((time - 0.9) / 0.08, 0, 1))
            new = x + keep * v + fall * loose[..., None] * (1 - settle)
            new += follow * (goal - new)
            for _ in range(ITERATIONS):
                limit(new, edges, GATHER, STRETCH)
                # Bending: a point gives way to the middle of its neighbours.
                new[:, 1:-1, 1:-1] += 0.35 * (bend(new) - flat) * inner
                for piece, count, shared in seams:  # parts are sewn together where they meet
                    mean = (new[piece] * active[piece][..., None]).sum(0) / np.maximum(count, 1)[..., None]
                    new[piece] += 0.5 * (mean - new[piece]) * shared[..., None]
            collide(new, time)
            v = new - x
            x = new + (rest - new) * settle ** 2
        yield rest.copy() if frame == frames - 1 else x.copy()


def draw(x: np.ndarray, values: np.ndarray, active: np.ndarray, spacing: float, ratio: float,
         shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Splat points x (gh x gw x 2, pixels) with their values (gh x gw x C) onto a grid ``shape`` that is ``ratio`` times coarser than the photo:
    float32 h x w x C, carried on beyond what is covered, and cover float32 h x w in 0..1."""
    h, w = shape
    up = max(1, int(np.ceil(1.25 * spacing / ratio)))
    gh, gw = active.shape
    size = (gw - 1) * up + 1, (gh - 1) * up + 1
    m = np.array(((1 / up, 0, 0), (0, 1 / up, 0)))
    zoom = lambda a: cv2.warpAffine(np.ascontiguousarray(a, np.float32), m, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
                                    borderMode=cv2.BORDER_REPLICATE)
    dense = np.dstack([zoom(c) for c in np.dstack((x, values, active)).transpose(2, 0, 1)])
    p = (dense[..., :2] + 0.5) / ratio - 0.5 + 1
    ok = (dense[..., -1] > 0.35) & (p[..., 0] >= 0) & (p[..., 0] < w + 1) & (p[..., 1] >= 0) & (p[..., 1] < h + 1)
    sums, total = (a[1:-1, 1:-1].astype(np.float32) for a in splat(p[ok], dense[..., 2:-1][ok], (h + 2, w + 2)))
    cover = total > 0.02
    out = carried_on(sums / np.maximum(total, 1e-6)[..., None], cover, (1.0, 2.5))
    cover = cv2.morphologyEx(cover.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    return out, cv2.GaussianBlur(cover.astype(np.float32), (0, 0), 0.9)
