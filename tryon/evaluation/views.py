"""The pictures that are judged: every photo as it is, and half-body crops of full-body photos on a plain studio ground."""
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field

import cv2
import numpy as np

from tryon import schema as S
from tryon.datasets import augment
from tryon.datasets.sample import IGNORE, Sample

HALF = "half-body crop"
PHOTO = "photo"


@dataclass
class View:
    """image HxWx3 uint8; parse HxW uint8 (IGNORE: not judged); poses Px18x3; absent bool 18: joints known not to be in the picture;
    strata: what kind of picture it is."""

    id: str
    kind: str
    image: np.ndarray
    parse: np.ndarray | None
    poses: np.ndarray | None
    heads: np.ndarray | None = None
    masks: list[np.ndarray | None] = field(default_factory=list)
    ignore: np.ndarray | None = None
    absent: np.ndarray = field(default_factory=lambda: np.zeros(len(S.JOINTS), bool))
    strata: set[str] = field(default_factory=set)


def views(sample: Sample, image: np.ndarray) -> Iterator[View]:
    """The photo, and, where parse map and pose of a full body are known, a crop from the head to somewhere between hip and knee on a studio
    ground; both are functions of the sample alone."""
    whole = View(sample.id, PHOTO, image, sample.parse, sample.poses, sample.heads, sample.masks, sample.ignore)
    if sample.pose is not None:
        whole.strata.add("full body" if (sample.pose[0, [S.R_ANKLE, S.L_ANKLE], 2] > 0).any() else "half body")
    yield whole
    if sample.parse is None or "full body" not in whole.strata:
        return
    pose = sample.pose[0]
    if not (pose[[S.NECK_JOINT, S.R_HIP, S.L_HIP], 2] > 0).all():
        return
    rng = np.random.default_rng(int(hashlib.sha256(sample.id.encode()).hexdigest()[:12], 16))
    box = augment.person_box(image.shape, pose, "half", rng)
    size = max(64, round(box[3] - box[1])), max(64, round(box[2] - box[0]))
    m = augment.view_matrix(box, size)
    parse = augment.warp(sample.parse, m, size, nearest=True, fill=S.BACKGROUND)
    ground = augment.studio_ground(size, rng)
    cropped = augment.on_ground(augment.warp(image, m, size), (parse != S.BACKGROUND) & (parse != IGNORE), ground, rng)
    moved = augment.warp_pose(pose[None], m, size, False)
    yield View(sample.id, HALF, cropped, parse, moved, absent=(pose[:, 2] > 0) & (moved[0, :, 2] == 0))


def texture(image: np.ndarray, mask: np.ndarray) -> float:
    """Complexity of what ``mask`` (bool HxW) shows: mean length of the grey gradient inside it, in grey levels per pixel of a picture
    256 high; the outline itself is left out. 0 where there is nothing."""
    scale = 256 / image.shape[0]
    grey = cv2.resize(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA).astype(np.float32)
    inner = cv2.resize(mask.astype(np.uint8), grey.shape[::-1], interpolation=cv2.INTER_NEAREST)
    inner = cv2.erode(inner, np.ones((5, 5), np.uint8)) > 0
    slope = np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0, scale=1 / 8), cv2.Sobel(grey, cv2.CV_32F, 0, 1, scale=1 / 8))
    return float(slope[inner].mean()) if inner.any() else 0.0


def rarity(poses: list[np.ndarray], neighbours: int = 5) -> np.ndarray:
    """How unlike the others each 18x3 pose is: mean distance to its nearest ``neighbours``, where the distance of two poses is the mean
    angle (radians) between the limbs that both have. NaN where there is no pose or too few others."""
    a, b = np.array([l for l in S.LIMBS if max(l) < S.R_EYE]).T
    limbs = np.stack([p[b, :2] - p[a, :2] for p in poses]) if poses else np.zeros((0, len(a), 2))
    seen = np.stack([(p[a, 2] > 0) & (p[b, 2] > 0) for p in poses]) if poses else np.zeros((0, len(a)), bool)
    angle = np.arctan2(limbs[..., 1], limbs[..., 0])
    out = np.full(len(poses), np.nan)
    for i in range(len(poses)):
        both = seen & seen[i]
        turn = np.abs((angle - angle[i] + np.pi) % (2 * np.pi) - np.pi)
        distance = np.where(both.sum(1) >= 4, (turn * both).sum(1) / np.maximum(both.sum(1), 1), np.nan)
        distance[i] = np.nan
        nearest = np.sort(distance[~np.isnan(distance)])[:neighbours]
        if len(nearest) == neighbours:
            out[i] = nearest.mean()
    return out


def mark_upper(rows: list, values: np.ndarray, share: float, upper: str, lower: str) -> None:
    """Add the stratum ``upper`` to the ``share`` of ``rows`` whose value is highest, ``lower`` to the others; NaN to neither."""
    known = values[~np.isnan(values)]
    if not len(known):
        return
    limit = np.quantile(known, 1 - share)
    for row, value in zip(rows, values):
        if not np.isnan(value):
            row.strata.add(upper if value > limit else lower)
