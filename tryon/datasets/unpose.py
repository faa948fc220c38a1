"""Un-posing: what somebody wears in a photo, laid out flat as a shop would show it - pairs of product and wearer where there are none.

Blend skinning with five bones: the torso as the affine map of shoulders and hips, two bones per arm; what lies between moves with both.
"""
from dataclasses import dataclass

import cv2
import numpy as np

from tryon import schema as S
from tryon.body import FOREARM, SHOULDERS, UPPER_ARM
from tryon.datasets import augment
from tryon.datasets.articulate import LEFT, RIGHT, TORSO
from tryon.fit import invert

CELL = 4  # pixels of the photo between two points of the grid
BLEND = 0.04  # of the frame's height: how far a bone's pull reaches over its neighbour's
ARMS = ((S.R_SHOULDER, S.R_ELBOW, S.R_WRIST, -1), (S.L_SHOULDER, S.L_ELBOW, S.L_WRIST, 1))


@dataclass
class Flat:
    """A worn garment laid out flat: image HxWx3 uint8 on a drawn plain ground, mask HxW uint8 0/255, parts HxW uint8: 0, torso 1, right sleeve 2,
    left 3; ``whole``: 0-1, how much of it the photo
    shows: the share of its chest and belly that nothing hides, times the share of the largest piece. Below 0.9 it is no product photo. ``unit``: the wearer's torso length
    (neck to middle of the hips) in pixels of the image."""

    image: np.ndarray
    mask: np.ndarray
    parts: np.ndarray
    whole: float
    unit: float


def unpose(image: np.ndarray, worn: np.ndarray, pose: np.ndarray, rng: np.random.Generator, height: int = 512) -> Flat | None:
    """The top or coat ``worn`` (bool HxW) by the person of an 18x3 ``pose`` in ``image`` (HxWx3 uint8), in a picture ``height`` x 3/4 height
    with arms hanging 5 to 80 degrees off the vertical. None when shoulders or hips are not in the photo or the person is seen from the side
    or the back."""
    if (pose[[S.NECK_JOINT, S.R_SHOULDER, S.L_SHOULDER, S.R_HIP, S.L_HIP], 2] <= 0).any() or worn.mean() < 0.005:
        return None
    j = pose[:, :2].astype(float)
    neck, hips = (j[S.R_SHOULDER] + j[S.L_SHOULDER]) / 2, (j[S.R_HIP] + j[S.L_HIP]) / 2
    unit, across = float(np.linalg.norm(hips - neck)), j[S.L_SHOULDER, 0] - j[S.R_SHOULDER, 0]
    if unit < 20 or across < 0.45 * unit:
        return None
    h, w = worn.shape
    ys, xs = np.nonzero(worn)
    gx, gy = np.meshgrid(np.arange(xs.min() - 2 * CELL, xs.max() + 2 * CELL, CELL), np.arange(ys.min() - 2 * CELL, ys.max() + 2 * CELL, CELL))
    source = np.stack((gx, gy), -1).astype(np.float32)
    target, part = _skinned(source.reshape(-1, 2).astype(float), j, pose[:, 2] > 0, unit, BLEND * h, rng)
    target, part = target.reshape(source.shape), part.reshape(source.shape[:2])
    # Centred in the picture, with some room around it.
    inside = cv2.remap(worn.astype(np.uint8), source, None, cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT) > 0
    if not inside.any():
        return None
    chest = (np.abs(target[..., 0]) < 0.35 * SHOULDERS * unit) & (target[..., 1] > 0.2 * unit) & (target[..., 1] < 0.65 * unit)
    low, high = target[inside].min(0), target[inside].max(0)
    size = height, round(0.75 * height)
    scale = float((np.array(size[::-1]) / np.maximum(high - low, 1)).min()) * rng.uniform(0.75, 0.92)
    target = (target - (low + high) / 2) * scale + np.array(size[::-1]) / 2
    mask = worn.astype(np.uint8) * 255
    back, cover = invert(source, target.astype(np.float32), np.ones(source.shape[:2], np.float32), mask, size)
    laid = cv2.remap(image, back, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    seen = (cv2.remap(mask, back, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT) > 127) & (cover > 0.5)
    reach = max(3, round(0.035 * height)) | 1
    solid = cv2.morphologyEx(np.pad(seen.astype(np.uint8), reach), cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach)))
    solid = _without_holes(solid[reach:-reach, reach:-reach])
    rim = cv2.erode(seen.astype(np.uint8), np.ones((3, 3), np.uint8)) == 0
    laid = cv2.inpaint(laid, (rim & (solid > 0)).astype(np.uint8), 3, cv2.INPAINT_TELEA)
    parts = cv2.remap(part, (back - source[0, 0]) / CELL, None, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)
    whole = float(inside[chest].mean()) * _largest_share(worn) if chest.any() else 0.0
    return Flat(augment.on_ground(laid, solid > 0, augment.studio_ground(size, rng), rng), solid * 255, parts * solid, whole, unit * scale)


def _largest_share(mask: np.ndarray) -> float:
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    return float(stats[1:, cv2.CC_STAT_AREA].max() / stats[1:, cv2.CC_STAT_AREA].sum())


def bones(points: np.ndarray, pose: np.ndarray, blend: float) -> np.ndarray:
    """The part - TORSO, RIGHT or LEFT - that each of ``points`` (N x 2, pixels) of a worn top belongs to by an 18x3 ``pose``: uint8 N."""
    return _skinned(points, pose[:, :2].astype(float), pose[:, 2] > 0, 1.0, blend, np.random.default_rng(0))[1]


def _skinned(points: np.ndarray, j: np.ndarray, seen: np.ndarray, unit: float, blend: float, rng: np.random.Generator):
    """``points`` (N x 2, pixels of the photo) laid out flat, N x 2 in pixels around the neck at (0, 0), and the part each belongs to (uint8)."""
    # Laid flat, a tube shows half its girth: more than a worn one from the front.
    half, girth = 0.5 * SHOULDERS * unit, rng.uniform(1.0, 1.3)
    flat = {S.R_SHOULDER: (-half, 0.0), S.L_SHOULDER: (half, 0.0), S.R_HIP: (-0.55 * half, unit), S.L_HIP: (0.55 * half, unit)}
    corners = np.array([j[k] for k in flat])
    affine = np.linalg.lstsq(np.c_[corners, np.ones(4)], np.array(list(flat.values())), rcond=None)[0]
    torso = corners[[0, 1, 3, 2]]
    quad = cv2.convexHull(np.concatenate((torso, torso + (torso[2] + torso[3] - torso[0] - torso[1]) / 2 * 0.6)).astype(np.float32))
    outside = np.maximum(0, [-cv2.pointPolygonTest(quad, tuple(p), True) for p in points.astype(float).tolist()])
    moved, weight, part = [(np.c_[points, np.ones(len(points))] @ affine) * (girth, 1)], [np.exp(-outside / blend)], [TORSO]
    lean = rng.uniform(5, 80)
    for shoulder, elbow, wrist, side in ARMS:
        angle, start = np.radians(lean + rng.normal(0, 4)), np.array(flat[shoulder]) * (girth, 1)
        for a, b, true in ((shoulder, elbow, UPPER_ARM), (elbow, wrist, FOREARM)):
            if not (seen[a] and seen[b]):
                break
            direction = np.array((side * np.sin(angle), np.cos(angle)))
            bone = j[b] - j[a]
            length = max(float(np.linalg.norm(bone)), 1.0)
            along = np.clip((points - j[a]) @ bone / length, 0, length)
            distance = np.linalg.norm(points - j[a] - np.outer(along / length, bone), axis=1)
            # Along the bone its true length, across it the width it is seen with.
            rel = (points - j[a]) @ np.stack((bone, (-bone[1], bone[0])), 1) / length
            stretch = np.clip(true * unit / length, 1.0, 2.0)
            moved.append(start + np.outer(rel[:, 0] * stretch, direction) + np.outer(rel[:, 1] * girth, (-direction[1], direction[0])))
            weight.append(np.exp(-distance / blend))
            part.append(RIGHT if side < 0 else LEFT)
            start, angle = start + direction * length * stretch, angle + np.radians(rng.normal(0, 6))
    weight = np.stack(weight) + 1e-12
    return (np.stack(moved) * (weight / weight.sum(0))[..., None]).sum(0), np.array(part, np.uint8)[weight.argmax(0)]


def _without_holes(mask: np.ndarray) -> np.ndarray:
    """The largest piece of an HxW uint8 0/1 mask, small holes filled."""
    count, pieces, stats, _ = cv2.connectedComponentsWithStats(mask)
    if count < 2:
        return mask
    out = (pieces == 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())).astype(np.uint8)
    count, holes, stats, _ = cv2.connectedComponentsWithStats(1 - out)
    small = [i for i in range(1, count) if stats[i, cv2.CC_STAT_AREA] < 0.03 * out.sum()]
    return out | np.isin(holes, small).astype(np.uint8)
