"""Joint augmentation of a photo, its parse map and its key points: a view (geometry) and three switchable groups.

The only file that imports albumentations.
"""
import os

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")

import albumentations as A
import cv2
import numpy as np

from tryon import schema as S

GROUPS = ("geometry", "colour", "crop_noise")


def colour() -> A.Compose:
    """Lighting and colour: HxWx3 uint8 -> the same."""
    return A.Compose([
        A.OneOf([
            A.RandomBrightnessContrast(0.3, 0.3),
            A.RandomGamma(gamma_limit=(65, 150)),
            A.ColorJitter(brightness=0.25, contrast=0.25, saturation=0.4, hue=0.03),
        ], p=0.7),
        A.RGBShift(14, 14, 14, p=0.3),
        A.HueSaturationValue(4, 30, 0, p=0.2),
        A.ToGray(p=0.03),
    ])


def noise() -> A.Compose:
    """Sensor noise, blur and compression: HxWx3 uint8 -> the same."""
    return A.Compose([
        A.OneOf([A.GaussNoise(std_range=(0.01, 0.05)), A.ISONoise((0.01, 0.04), (0.1, 0.4))], p=0.25),
        A.OneOf([A.GaussianBlur(blur_limit=(3, 5)), A.MotionBlur(blur_limit=(3, 5)), A.Downscale(scale_range=(0.5, 0.9))], p=0.2),
        A.ImageCompression(quality_range=(50, 95), p=0.25),
    ])


def pixels(image: np.ndarray, rng: np.random.Generator, groups: tuple[str, ...], colour: A.Compose, noise: A.Compose) -> np.ndarray:
    """Apply the groups that change pixels only, as ``rng`` says: albumentations draws from generators of its own."""
    for name, transform in (("colour", colour), ("crop_noise", noise)):
        if name in groups:
            transform.set_random_seed(int(rng.integers(1 << 31)))
            image = transform(image=image)["image"]
    return image


def view_matrix(source: tuple[float, float, float, float], size: tuple[int, int], angle: float = 0.0, flip: bool = False) -> np.ndarray:
    """2x3 affine that shows the box ``source`` (x0, y0, x1, y1 in pixels) centred in ``size`` (H, W), rotated by
    ``angle`` degrees and reflected if ``flip``."""
    h, w = size
    x0, y0, x1, y1 = source
    scale = min(w / (x1 - x0), h / (y1 - y0))
    m = cv2.getRotationMatrix2D(((x0 + x1) / 2, (y0 + y1) / 2), angle, scale)
    m[:, 2] += np.array((w / 2, h / 2)) - ((x0 + x1) / 2, (y0 + y1) / 2)
    if flip:
        m[0] = -m[0]
        m[0, 2] += w - 1
    return m


def person_box(photo_shape, pose: np.ndarray, kind: str, rng: np.random.Generator) -> tuple[float, float, float, float]:
    """A crop box around the person of an 18x3 ``pose``: ``full``, ``half`` (head to somewhere between hip and
    knee), ``torso`` (the head cut off as well), ``legs`` (waist down) or ``any``."""
    h, w = photo_shape[:2]
    seen = pose[:, 2] > 0
    if kind == "full" or not seen[[S.NECK_JOINT, S.R_HIP, S.L_HIP]].all():
        zoom = rng.uniform(0.8, 1.15)
        cx, cy = w * rng.uniform(0.44, 0.56), h * rng.uniform(0.46, 0.54)
        return cx - w * zoom / 2, cy - h * zoom / 2, cx + w * zoom / 2, cy + h * zoom / 2
    neck, hip = pose[S.NECK_JOINT, :2], (pose[S.R_HIP, :2] + pose[S.L_HIP, :2]) / 2
    torso = max(float(np.linalg.norm(hip - neck)), 0.1 * h)
    if kind == "half":
        top, bottom = neck[1] - torso * rng.uniform(0.6, 1.0), hip[1] + torso * rng.uniform(-0.15, 1.0)
    elif kind == "torso":
        top, bottom = neck[1] - torso * rng.uniform(-0.1, 0.4), hip[1] + torso * rng.uniform(-0.1, 0.9)
    elif kind == "legs":
        top, bottom = hip[1] - torso * rng.uniform(-0.2, 0.6), min(h, hip[1] + torso * rng.uniform(1.6, 2.4))
    else:
        height = h * rng.uniform(0.35, 0.9)
        top = rng.uniform(-0.05 * h, 1.02 * h - height)
        bottom = top + height
    width = (bottom - top) * rng.uniform(0.62, 0.85)
    cx = (neck[0] + hip[0]) / 2 + rng.uniform(-0.12, 0.12) * width
    return cx - width / 2, top, cx + width / 2, bottom


def warp(image: np.ndarray, matrix: np.ndarray, size: tuple[int, int], nearest: bool = False, fill=None) -> np.ndarray:
    """Resample an HxW[x3] uint8 array by a forward 2x3 affine to ``size``; outside is the edge repeated, or ``fill``."""
    scale = np.sqrt(abs(np.linalg.det(matrix[:, :2])))
    flags = cv2.INTER_NEAREST if nearest else (cv2.INTER_AREA if scale < 0.7 else cv2.INTER_LINEAR)
    if not nearest and scale < 0.7:  # warpAffine has no area filter: blur first, or the small picture aliases
        image = cv2.GaussianBlur(image, (0, 0), 0.35 / scale)
        flags = cv2.INTER_LINEAR
    border = cv2.BORDER_REPLICATE if fill is None else cv2.BORDER_CONSTANT
    return cv2.warpAffine(image, matrix, size[::-1], flags=flags, borderMode=border, borderValue=fill if fill is not None else 0)


def warp_pose(pose: np.ndarray, matrix: np.ndarray, size: tuple[int, int], flip: bool) -> np.ndarray:
    """Carry a Px18x3 pose along; joints that leave the picture become missing; left and right swap on reflection."""
    out = pose.copy()
    out[..., :2] = pose[..., :2] @ matrix[:, :2].T.astype(np.float32) + matrix[:, 2].astype(np.float32)
    inside = (out[..., 0] >= 0) & (out[..., 0] < size[1]) & (out[..., 1] >= 0) & (out[..., 1] < size[0]) & (pose[..., 2] > 0)
    out[~inside] = 0
    return out[:, list(S.JOINT_FLIP)] if flip else out


def studio_ground(size: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """A plain studio or shop ground HxWx3 uint8: near white or grey (seldom coloured), a soft gradient, a faint floor."""
    h, w = size
    base = rng.uniform(215, 255) if rng.random() < 0.6 else rng.uniform(40, 255)
    tint = rng.normal(0, 4 if rng.random() < 0.7 else 40, 3)
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    gx, gy = rng.normal(0, 10, 2)
    shade = gx * (x / w - 0.5) + gy * (y / h - 0.5) - rng.uniform(0, 14) * ((x / w - 0.5) ** 2 + (y / h - 0.5) ** 2)
    if rng.random() < 0.3:
        shade = shade - rng.uniform(3, 25) * (y > h * rng.uniform(0.6, 0.95))
    ground = base + tint[None, None] + shade[..., None] + rng.normal(0, rng.uniform(0.2, 2.0), (h, w, 1))
    return np.clip(ground, 0, 255).astype(np.uint8)


def on_ground(image: np.ndarray, mask: np.ndarray, ground: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Move what ``mask`` (bool HxW) shows onto ``ground`` with a soft edge, one pixel eroded against halos."""
    alpha = cv2.erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(np.float32)
    alpha = cv2.GaussianBlur(alpha, (0, 0), rng.uniform(0.5, 1.1))[..., None]
    if rng.random() < 0.4:  # a soft cast shadow
        shift = np.float32([[1, 0, rng.uniform(-8, 8)], [0, 1, rng.uniform(0, 8)]])
        shadow = cv2.GaussianBlur(cv2.warpAffine(alpha[..., 0], shift, mask.shape[::-1]), (0, 0), rng.uniform(3, 9))
        ground = (ground * (1 - rng.uniform(0.05, 0.3) * shadow[..., None])).astype(np.uint8)
    return (image * alpha + ground * (1 - alpha)).astype(np.uint8)
