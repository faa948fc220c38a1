"""OpenPose-style pose estimation (Cao et al. 2018, https://arxiv.org/abs/1812.08008): part affinity fields (PAFs) first,
heat-maps on top of them, refined in stages; people are assembled by greedy matching along the PAFs.

Shape legend: B batch, C channels, H and W height and width; h and w are H/8 and W/8.
"""
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from tryon import schema as S
from tryon.models.encoder import CHANNELS, Encoder

STRIDE = 8
HEATMAPS = len(S.JOINTS) + 1  # the last one is the background
PAFS = 2 * len(S.LIMBS)


class Block(nn.Module):
    """Three 3x3 convolutions whose outputs are concatenated, as in OpenPose's later version: a wide view, few weights."""

    def __init__(self, cin: int, width: int):
        super().__init__()
        self.convs = nn.ModuleList(nn.Conv2d(c, width, 3, padding=1) for c in (cin, width, width))

    def forward(self, x_BCHW):
        out = []
        for conv in self.convs:
            x_BCHW = F.relu(conv(x_BCHW), inplace=True)
            out.append(x_BCHW)
        return torch.cat(out, 1)


class Stage(nn.Module):
    def __init__(self, cin: int, cout: int, width: int):
        super().__init__()
        self.body = nn.Sequential(Block(cin, width), Block(3 * width, width), nn.Conv2d(3 * width, 128, 1), nn.ReLU(), nn.Conv2d(128, cout, 1))

    def forward(self, x_BCHW):
        return self.body(x_BCHW)


class OpenPose(nn.Module):
    """RGB float B3HW in 0..255, H and W multiples of 32 -> list over stages of (PAFs B38hw, heat-maps B19hw)."""

    def __init__(self, features: int = 96, width: int = 48):
        super().__init__()
        self.encoder = Encoder()
        self.laterals = nn.ModuleList(nn.Conv2d(c, features, 1) for c in CHANNELS[2:])
        self.fuse = nn.Sequential(nn.Conv2d(features, features, 3, padding=1), nn.ReLU())
        self.paf = nn.ModuleList((Stage(features, PAFS, width), Stage(features + PAFS, PAFS, width)))
        self.heat = nn.ModuleList((Stage(features + PAFS, HEATMAPS, width), Stage(features + PAFS + HEATMAPS, HEATMAPS, width)))

    def forward(self, x_BCHW):
        f8, f16, f32 = (lateral(f) for lateral, f in zip(self.laterals, self.encoder(x_BCHW)[2:]))
        f16 = f16 + F.interpolate(f32, size=f16.shape[-2:], mode="bilinear", align_corners=False)
        x_BCHW = self.fuse(f8 + F.interpolate(f16, size=f8.shape[-2:], mode="bilinear", align_corners=False))
        paf1 = self.paf[0](x_BCHW)
        paf2 = self.paf[1](torch.cat((x_BCHW, paf1), 1))
        heat1 = self.heat[0](torch.cat((x_BCHW, paf2), 1))
        heat2 = self.heat[1](torch.cat((x_BCHW, paf2, heat1), 1))
        return [(paf1, heat1), (paf2, heat2)]


def targets(poses: np.ndarray, size: tuple[int, int], sigma: float = 0.9, half_width: float = 0.9) -> tuple[np.ndarray, np.ndarray]:
    """Px18x3 poses in pixels of a picture of ``size`` (H, W) -> PAFs 38hw and heat-maps 19hw, float32.

    ``sigma`` of the Gaussians and ``half_width`` of the limbs are in cells of the stride-8 grid.
    """
    h, w = size[0] // STRIDE, size[1] // STRIDE
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    heat, paf, count = np.zeros((HEATMAPS, h, w), np.float32), np.zeros((PAFS, h, w), np.float32), np.zeros((len(S.LIMBS), h, w), np.float32)
    for pose in poses:
        cells = (pose[:, :2] + 0.5) / STRIDE - 0.5
        for j in np.flatnonzero(pose[:, 2] > 0):
            heat[j] = np.maximum(heat[j], np.exp(-((x - cells[j, 0]) ** 2 + (y - cells[j, 1]) ** 2) / (2 * sigma * sigma)))
        for k, (a, b) in enumerate(S.LIMBS):
            if pose[a, 2] <= 0 or pose[b, 2] <= 0:
                continue
            d = cells[b] - cells[a]
            length = float(np.linalg.norm(d))
            if length < 1e-3:
                continue
            u = d / length
            along, across = (x - cells[a, 0]) * u[0] + (y - cells[a, 1]) * u[1], (x - cells[a, 0]) * u[1] - (y - cells[a, 1]) * u[0]
            on = ((along >= -0.5) & (along <= length + 0.5) & (np.abs(across) <= half_width)).astype(np.float32)
            paf[2 * k] += on * u[0]
            paf[2 * k + 1] += on * u[1]
            count[k] += on
    paf /= np.maximum(np.repeat(count, 2, 0), 1)
    heat[-1] = 1 - heat[:-1].max(0)
    return paf, heat


# A weak peak in an outermost cell is the flank of one beyond the edge (set on validation photos; ``invented`` of jobs/evaluate.py pose).
OUTSIDE = 0.5


def _peaks(heat: np.ndarray, threshold: float) -> list[tuple[float, float, float]]:
    """Local maxima of one heat-map hw as (x, y, value) in cells, refined by a parabola through the neighbours."""
    p = np.pad(heat, 1, constant_values=-1)
    c = p[1:-1, 1:-1]
    top = (c > threshold) & (c >= p[:-2, 1:-1]) & (c > p[2:, 1:-1]) & (c >= p[1:-1, :-2]) & (c > p[1:-1, 2:])
    out = []
    for y, x in zip(*np.nonzero(top)):
        peak = []
        for before, here, after in ((p[y + 1, x], c[y, x], p[y + 1, x + 2]), (p[y, x + 1], c[y, x], p[y + 2, x + 1])):
            curve = before - 2 * here + after
            peak.append(float(np.clip(0.5 * (before - after) / curve, -0.5, 0.5)) if before > -1 and after > -1 and curve < 0 else 0.0)
        out.append((x + peak[0], y + peak[1], float(c[y, x])))
    apart: list[tuple[float, float, float]] = []  # two next to each other are one joint, and would split a person
    for peak in sorted(out, key=lambda q: -q[2]):
        if len(apart) < 20 and all(np.hypot(peak[0] - q[0], peak[1] - q[1]) > 1.5 for q in apart):
            apart.append(peak)
    return apart


def _own_hips(pose: np.ndarray) -> np.ndarray:
    """Drop the leg of somebody else: hips farther apart than half a torso (0.44 in 99.8 of 100 people of CCP) belong to two people, and the
    one farther off is not ours."""
    neck, hips = pose[S.NECK_JOINT], pose[[S.R_HIP, S.L_HIP]]
    if neck[2] > 0 and (hips[:, 2] > 0).all():
        reach = np.linalg.norm(hips[:, :2] - neck[:2], axis=1)
        if np.linalg.norm(hips[0, :2] - hips[1, :2]) > 0.52 * reach.min():
            far = int(np.abs(hips[:, 0] - neck[0]).argmax())
            pose[[(S.R_HIP, S.R_KNEE, S.R_ANKLE), (S.L_HIP, S.L_KNEE, S.L_ANKLE)][far], :] = 0
    return pose


def assemble(paf: np.ndarray, heat: np.ndarray, threshold: float = 0.15) -> np.ndarray:
    """PAFs 38hw and heat-maps 19hw -> poses Px18x3 (x, y in pixels of the network's input, confidence), largest
    person first. People with fewer than four joints are dropped; a missing joint is 0, 0, 0, and so is one out of the picture."""
    joints = [_peaks(heat[j], threshold) for j in range(len(S.JOINTS))]
    h, w = heat.shape[1:]
    people: list[dict[int, int]] = []
    for k, (a, b) in enumerate(S.LIMBS):
        pairs = []
        for i, (xa, ya, ca) in enumerate(joints[a]):
            for j, (xb, yb, cb) in enumerate(joints[b]):
                d = np.array((xb - xa, yb - ya))
                length = float(np.linalg.norm(d))
                t = np.linspace(0, 1, 10)
                xs, ys = np.clip(np.rint(xa + t * d[0]), 0, w - 1).astype(int), np.clip(np.rint(ya + t * d[1]), 0, h - 1).astype(int)
                along = (paf[2 * k, ys, xs] * d[0] + paf[2 * k + 1, ys, xs] * d[1]) / max(length, 0.5)
                score = along.mean() + min(0.0, 0.5 * h / max(length, 1e-3) - 1)
                if (along > 0.05).mean() >= 0.6 and score > 0:
                    pairs.append((score + 0.1 * (ca + cb), i, j))
        used_a, used_b = set(), set()
        for _, i, j in sorted(pairs, reverse=True):
            if i in used_a or j in used_b:
                continue
            used_a.add(i), used_b.add(j)
            owners = [p for p in people if p.get(a) == i or p.get(b) == j]
            if not owners:
                people.append({a: i, b: j})
            elif len(owners) == 1:
                owners[0].setdefault(a, i), owners[0].setdefault(b, j)
            elif not owners[0].keys() & owners[1].keys():
                owners[0].update(owners[1])
                people.remove(owners[1])
    poses = []
    for person in people:
        if len(person) < 4:
            continue
        pose = np.zeros((len(S.JOINTS), 3), np.float32)
        for j, i in person.items():
            x, y, c = joints[j][i]
            if c < OUTSIDE and (x in (0, w - 1) or y in (0, h - 1)):
                continue
            pose[j] = (x + 0.5) * STRIDE - 0.5, (y + 0.5) * STRIDE - 0.5, min(c, 1.0)
        pose = _own_hips(pose)
        if (pose[:, 2] > 0).any():
            poses.append(pose)

    def extent(pose):
        seen = pose[pose[:, 2] > 0, :2]
        return float(np.prod(np.ptp(seen, axis=0) + 1))
    poses.sort(key=extent, reverse=True)
    return np.stack(poses) if poses else np.zeros((0, len(S.JOINTS), 3), np.float32)
