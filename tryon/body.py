"""Body: what a fit asks of a person - joints, the missing ones inferred, proportions, outlines."""
import copy
from typing import TYPE_CHECKING

import cv2
import numpy as np

from tryon import schema as S
from tryon.masks import among
from tryon.schema import RowError

if TYPE_CHECKING:
    from tryon.person import Person

# Proportions measured on 527 CCP people (median), in units of the torso length B (neck to middle of the hips).
SHOULDERS, UPPER_ARM, FOREARM, THIGH, SHIN = 0.64, 0.55, 0.46, 0.79, 0.70
TORSO_WIDTH = 1.1  # of a clothed torso from the front, in distances of the shoulder joints
HANGING = (S.OUTER, S.BAG, *S.ARMS)  # what hangs in front of a waist
TUCKED_RISE = 0.2  # torso lengths above the hips: trousers begin higher if a top is tucked into them; most waistbands are at 0.24, and what ends below hangs over


class Body:
    """Joints of the main person with the missing ones inferred, in pixels, and the outline of the torso."""

    def __init__(self, person: "Person"):
        pose = person.pose[0]
        self.seen = pose[:, 2] > 0
        self.joint = pose[:, :2].astype(float).copy()
        height, width = person.parse.shape
        if not self.seen[[S.R_SHOULDER, S.L_SHOULDER]].any() and not self.seen[[S.R_HIP, S.L_HIP]].any():
            raise RowError("no_place", "neither shoulders nor hips are in the photo")
        j, seen = self.joint, self.seen
        if not seen[[S.R_SHOULDER, S.L_SHOULDER]].any():  # legs only: a torso above the hips
            hips = j[[S.R_HIP, S.L_HIP]][seen[[S.R_HIP, S.L_HIP]]].mean(0)
            apart = abs(j[S.L_HIP, 0] - j[S.R_HIP, 0]) if seen[[S.R_HIP, S.L_HIP]].all() else 0.2 * width
            unit = max(apart / 0.36, 20.0)
            j[S.R_SHOULDER], j[S.L_SHOULDER] = hips + (-0.32 * unit, -unit), hips + (0.32 * unit, -unit)
        for a, b in ((S.R_SHOULDER, S.L_SHOULDER), (S.L_SHOULDER, S.R_SHOULDER)):
            if not seen[a] and seen[b]:
                j[a] = 2 * j[S.NECK_JOINT] - j[b] if seen[S.NECK_JOINT] else j[b] + (0.1 * width * (1 if a == S.L_SHOULDER else -1), 0)
        self.neck = (j[S.R_SHOULDER] + j[S.L_SHOULDER]) / 2
        across = j[S.L_SHOULDER] - j[S.R_SHOULDER]
        self.shoulder_width = float(np.linalg.norm(across))
        hips = [j[k] for k in (S.R_HIP, S.L_HIP) if seen[k]]
        if hips:
            middle = np.mean(hips, 0)
            torso = float(np.linalg.norm(middle - self.neck))
            # A torso much shorter than the shoulders are wide is a joint found in the wrong place, or cut off.
            self.unit = max(torso, self.shoulder_width / 0.74)
            self.down = (middle - self.neck) / max(torso, 1e-6)
            self.hips = self.neck + self.down * self.unit if torso < 0.8 * self.unit else middle
        else:
            self.unit = max(self.shoulder_width / SHOULDERS, 1.0)
            self.down = np.array((0.0, 1.0))
            self.hips = self.neck + self.down * self.unit
        self.down = self.down / np.linalg.norm(self.down)
        # How far the body is turned: 1 from the front, smaller from the side.
        self.view = float(np.clip(self.shoulder_width / (SHOULDERS * self.unit), 0.45, 1.08))
        sideways = across / max(self.shoulder_width, 1e-6) * (1 if across[0] >= 0 else -1)
        square = np.array((self.down[1], -self.down[0]))
        self.right_to_left = 1 if across[0] >= 0 else -1  # -1 when the person is seen from behind
        self.across = sideways + square
        self.across /= max(float(np.linalg.norm(self.across)), 1e-6)
        self.torso_width = self._width(person, 0.35, 0.75)
        self.hip_width = self._width(person, 0.95, 1.1)
        self.rise, self.tucks = self._rise(person)
        # Where trousers and skirts begin, in torso lengths above the hips: where the worn ones do, if no top hangs over that.
        self.waist = 0.24 if self.rise is None or self.rise < TUCKED_RISE else min(self.rise, 0.5)
        self.is_head = among(person.parse, (S.HAIR, S.FACE, S.HEADWEAR))

    def moved(self, x: float, y: float) -> "Body":
        """The same body with its joints ``x`` and ``y`` pixels farther right and down."""
        out = copy.copy(self)
        out.joint, out.neck, out.hips = (p + (x, y) for p in (self.joint, self.neck, self.hips))
        return out

    def _width(self, person: "Person", a: float, b: float) -> float:
        """Width of the outline without arms, median over rows between ``a`` and ``b`` torso lengths below the neck,
        kept within what bodies have. Coats count less than they show."""
        default = TORSO_WIDTH * SHOULDERS * self.unit * self.view
        body = among(person.parse, (S.UPPER, S.OUTER, S.FULL, S.LOWER, S.NECK, S.LEFT_LEG, S.RIGHT_LEG, S.LEGWEAR)).view(np.uint8)
        for side in ("left", "right"):  # sleeves are of one class with the torso
            line = np.rint(self.limb(side, arm=True)[0]).astype(int)
            cv2.line(body, tuple((line[0] + (line[1] - line[0]) // 4).tolist()), tuple(line[1].tolist()), 0, max(1, int(0.15 * self.unit)))
            cv2.line(body, tuple(line[1].tolist()), tuple(line[2].tolist()), 0, max(1, int(0.13 * self.unit)))
        body = body.view(bool)
        widths = []
        for t in np.linspace(a, b, 9):
            x, y = self.neck + t * self.unit * self.down
            if not 0 <= int(y) < body.shape[0]:
                continue
            row = body[int(y)]
            x = int(np.clip(x, 0, len(row) - 1))
            if row[x]:
                left = np.flatnonzero(~row[:x])
                right = np.flatnonzero(~row[x:])
                widths.append((right[0] + x if len(right) else len(row)) - (left[-1] if len(left) else 0))
        if not widths:
            return default
        return float(np.clip(np.median(widths), 1.0 * default, 1.15 * default))

    def _rise(self, person: "Person") -> tuple[float | None, bool]:
        """How far above the hips, in torso lengths, what is worn on the legs begins to show; None where it does not, down to 0.2 below. Where an open coat or a bag
        hangs over it, it may begin higher: such places count only if there are no others. And whether a top is seen to end there at the waistband: of what
        ends below it, or under a coat all along, nothing is told."""
        tops, under, coats = [], [], 0
        for x in np.linspace(-0.1, 0.1, 7) * self.unit:
            line = self.hips + x * self.across + np.outer(np.arange(-0.6, 0.2, 0.01) * self.unit, self.down)
            ij = np.rint(line).astype(int)
            ok = (ij >= 0).all(1) & (ij[:, 0] < person.parse.shape[1]) & (ij[:, 1] < person.parse.shape[0])
            met = np.zeros(len(line), np.uint8)
            met[ok] = person.parse[ij[ok, 1], ij[ok, 0]]
            first = int(np.argmax(met == S.LOWER))  # what goes on beyond the line's end is no waist, but a top of the same colour
            if first:
                (under if met[first - 1] in HANGING else tops).append(0.6 - 0.01 * first)
                coats += met[first - 1] == S.OUTER
        if not tops and not under:
            return None, False
        rise = float(np.median(tops or under))
        return rise, rise > TUCKED_RISE and coats < len(tops) + len(under)

    def head(self, eye: np.ndarray, across: np.ndarray) -> tuple[float, float, float]:
        """Width of the head with its hair above the eyes, its height above them, kept within what heads have, and how far its middle there lies from the ``eye`` (x, y)
        along ``across``, as that of a turned head does; in pixels."""
        down = np.array((-across[1], across[0]))
        ys, xs = np.nonzero(self.is_head)
        rel = np.stack((xs, ys), 1) - eye
        u, v = rel @ across, rel @ down
        near = (np.abs(u) < 0.35 * self.unit) & (v < 0) & (v > -0.5 * self.unit)
        if near.sum() < 20:
            return 0.32 * self.unit, 0.2 * self.unit, 0.0
        band = near & (v > -0.12 * self.unit)
        ends = np.percentile(u[band], (2, 98)) if band.any() else np.zeros(2)
        height = float(-np.percentile(v[near & (np.abs(u) < 0.1 * self.unit)], 2)) if (near & (np.abs(u) < 0.1 * self.unit)).any() else 0.0
        beside = float(np.clip(ends.mean(), -0.1 * self.unit, 0.1 * self.unit))
        return float(np.clip(np.ptp(ends), 0.27 * self.unit, 0.42 * self.unit)), float(np.clip(height, 0.14 * self.unit, 0.32 * self.unit)), beside

    def limb(self, side: str, arm: bool) -> tuple[np.ndarray, np.ndarray]:
        """Polyline of two bones (3x2) and their true lengths: shoulder, elbow, wrist or hip, knee, ankle."""
        ids = {("left", True): (S.L_SHOULDER, S.L_ELBOW, S.L_WRIST), ("right", True): (S.R_SHOULDER, S.R_ELBOW, S.R_WRIST),
               ("left", False): (S.L_HIP, S.L_KNEE, S.L_ANKLE), ("right", False): (S.R_HIP, S.R_KNEE, S.R_ANKLE)}[side, arm]
        lengths = np.array((UPPER_ARM, FOREARM) if arm else (THIGH, SHIN)) * self.unit
        sign = (1 if side == "left" else -1) * self.right_to_left
        start = self.joint[ids[0]] if self.seen[ids[0]] or arm else self.hips + self.across * sign * 0.18 * self.unit
        line = [start]
        direction = self.down + 0.12 * sign * self.across * (1 if arm else 0.2)
        for k, length in zip(ids[1:], lengths):
            if self.seen[k]:
                direction = self.joint[k] - line[-1]
                line.append(self.joint[k])
            else:
                line.append(line[-1] + direction / max(float(np.linalg.norm(direction)), 1e-6) * length)
        return np.array(line), lengths
