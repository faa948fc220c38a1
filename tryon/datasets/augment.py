"""Joint augmentation of a photo, its parse map and its key points: a view (geometry), three switchable groups, a second person.

The only file that imports albumentations.
"""
import argparse
import os

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")

import albumentations as A
import cv2
import numpy as np

from tryon import schema as S
from tryon.datasets.openpose import order
from tryon.datasets.sample import IGNORE

GROUPS = ("geometry", "colour", "crop_noise")
_REFLECTED = np.append(np.array(S.PARSE_FLIP, np.uint8), np.full(256 - len(S.PARSE_FLIP), IGNORE, np.uint8))


def groups(text: str) -> tuple[str, ...]:
    """An argument of the jobs: some of ``GROUPS`` joined by commas, or "none". Raises argparse.ArgumentTypeError naming what is neither."""
    chosen = () if text == "none" else tuple(text.split(","))
    if unknown := set(chosen) - set(GROUPS):
        raise argparse.ArgumentTypeError(f"{', '.join(sorted(unknown))} is none of {', '.join(GROUPS)}, none")
    return chosen


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
    """Sensor noise, blur and compression: HxWx3 uint8 -> the same, in its place (as they come, motion blur and the coarser picture would be
    shifted by a pixel or two against the labels)."""
    coarser = A.Downscale(scale_range=(0.5, 0.9), interpolation_pair={"downscale": cv2.INTER_AREA, "upscale": cv2.INTER_LINEAR})
    return A.Compose([
        A.OneOf([A.GaussNoise(std_range=(0.01, 0.05)), A.ISONoise((0.01, 0.04), (0.1, 0.4))], p=0.25),
        A.OneOf([A.GaussianBlur(blur_limit=(3, 5)), A.MotionBlur(blur_limit=(3, 5), allow_shifted=False), coarser], p=0.2),
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


def torso(pose: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Neck and middle of the hips (x, y) of an 18x3 pose; None when one of the three joints is missing."""
    if not (pose[[S.NECK_JOINT, S.R_HIP, S.L_HIP], 2] > 0).all():
        return None
    return pose[S.NECK_JOINT, :2], (pose[S.R_HIP, :2] + pose[S.L_HIP, :2]) / 2


def person_box(photo_shape, pose: np.ndarray, kind: str, rng: np.random.Generator) -> tuple[float, float, float, float]:
    """A crop box around the person of an 18x3 ``pose``: ``full``, ``half`` (head to somewhere between hip and
    knee), ``torso`` (the head cut off as well), ``legs`` (waist down) or ``any``."""
    h, w = photo_shape[:2]
    ends = torso(pose)
    if kind == "full" or ends is None:
        zoom = rng.uniform(0.8, 1.15)
        cx, cy = w * rng.uniform(0.44, 0.56), h * rng.uniform(0.46, 0.54)
        return cx - w * zoom / 2, cy - h * zoom / 2, cx + w * zoom / 2, cy + h * zoom / 2
    neck, hip = ends
    length = max(float(np.linalg.norm(hip - neck)), 0.1 * h)
    if kind == "half":
        top, bottom = neck[1] - length * rng.uniform(0.6, 1.0), hip[1] + length * rng.uniform(-0.15, 1.0)
    elif kind == "torso":
        top, bottom = neck[1] - length * rng.uniform(-0.1, 0.4), hip[1] + length * rng.uniform(-0.1, 0.9)
    elif kind == "legs":
        top, bottom = hip[1] - length * rng.uniform(-0.2, 0.6), min(h, hip[1] + length * rng.uniform(1.6, 2.4))
    else:
        height = h * rng.uniform(0.35, 0.9)
        top = rng.uniform(-0.05 * h, 1.02 * h - height)
        bottom = top + height
    width = (bottom - top) * rng.uniform(0.62, 0.85)
    cx = (neck[0] + hip[0]) / 2 + rng.uniform(-0.12, 0.12) * width
    return cx - width / 2, top, cx + width / 2, bottom


def aside(box: tuple[float, float, float, float], rng: np.random.Generator) -> tuple[float, float, float, float]:
    """A crop box moved sideways by up to a quarter of its width: room for somebody else."""
    shift = rng.uniform(-0.25, 0.25) * (box[2] - box[0])
    return box[0] + shift, box[1], box[2] + shift, box[3]


def warp(image: np.ndarray, matrix: np.ndarray, size: tuple[int, int], nearest: bool = False, fill=None) -> np.ndarray:
    """Resample an HxW[x3] uint8 array by a forward 2x3 affine to ``size``; outside is the edge repeated, or ``fill``."""
    scale = np.sqrt(abs(np.linalg.det(matrix[:, :2])))
    flags = cv2.INTER_NEAREST if nearest else (cv2.INTER_AREA if scale < 0.7 else cv2.INTER_LINEAR)
    if not nearest and scale < 0.7:  # warpAffine has no area filter: blur first, or the small picture aliases
        image = cv2.GaussianBlur(image, (0, 0), 0.35 / scale)
        flags = cv2.INTER_LINEAR
    border = cv2.BORDER_REPLICATE if fill is None else cv2.BORDER_CONSTANT
    return cv2.warpAffine(image, matrix, size[::-1], flags=flags, borderMode=border, borderValue=fill if fill is not None else 0)


def warp_pose(pose: np.ndarray, matrix: np.ndarray, size: tuple[int, int] | None, flip: bool) -> np.ndarray:
    """Carry a Px18x3 pose along; joints that leave the picture of ``size`` (if given) become missing; left and right swap on reflection."""
    out = pose.copy()
    out[..., :2] = pose[..., :2] @ matrix[:, :2].T.astype(np.float32) + matrix[:, 2].astype(np.float32)
    out[pose[..., 2] <= 0] = 0
    if size is not None:
        out[((out[..., :2] < 0) | (out[..., :2] >= size[::-1])).any(-1)] = 0
    return out[:, list(S.JOINT_FLIP)] if flip else out


def reflect_parse(parse: np.ndarray) -> np.ndarray:
    """A parse map HxW uint8 whose pixels have been reflected: left and right change their names."""
    return _REFLECTED[parse]


def people(parse: np.ndarray) -> np.ndarray:
    """Where a parse map shows somebody, bool HxW."""
    return (parse != S.BACKGROUND) & (parse != IGNORE)


def whole(parse: np.ndarray) -> bool:
    """Whether nobody in a parse map HxW is cut off, except by its lower edge: by another edge or by what is not judged."""
    around = cv2.dilate(np.pad(people(parse), ((1, 0), (1, 1))).astype(np.uint8), np.ones((3, 3), np.uint8))
    return not (around[np.pad(parse == IGNORE, ((1, 0), (1, 1)), constant_values=True)]).any()


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


def beside(view: tuple, other: tuple, rng: np.random.Generator, flip: bool = False) -> tuple:
    """Put a second person in front of or behind the people of a view: apart, touching or overlapping.

    view: image HxWx3 uint8, parse HxW uint8 or None (then the second person comes to the front), poses Px18x3 that may reach beyond it.
    other: image, parse and pose 18x3 of a picture of any size, of one person who is ``whole``. They are brought to the torso length of the
    view's first person up to 25 %, reflected if ``flip``, and stand 0.35 to 1.6 torsos aside (less where the picture ends), more often
    where there is room, on the same level: of the feet where both show them, else of the necks.

    Gives image, parse (None as given), poses of all people, the largest first, and ``covered`` Px18 bool: which joints lie behind somebody
    else. Those keep their place in ``poses``; joints outside become missing. Nobody is added when either has no ``torso``.
    """
    (image, parse, poses), (image2, parse2, pose2) = view, other
    size = h, w = image.shape[:2]
    ends, ends2 = torso(poses[0]), torso(pose2)
    if ends is None or ends2 is None:
        poses = warp_pose(poses, np.eye(2, 3), size, False)
        return image, parse, poses, np.zeros(poses.shape[:2], bool)
    front = parse is None or rng.random() < 0.5
    length, length2 = (max(float(np.linalg.norm(hip - neck)), 1.0) for neck, hip in (ends, ends2))
    scale = length / length2 * 1.25 ** rng.uniform(-1, 1)
    ankles, ankles2 = (p[[S.R_ANKLE, S.L_ANKLE], 1][p[[S.R_ANKLE, S.L_ANKLE], 2] > 0] for p in (poses[0], pose2))
    level, level2 = (ankles.max(), ankles2.max()) if len(ankles) and len(ankles2) else (ends[0][1], ends2[0][1])
    side = 1 if rng.random() < 1 - ends[0][0] / w else -1
    m = np.float64([[-scale if flip else scale, 0, 0], [0, scale, 0]])
    x = np.clip(ends[0][0] + side * length * rng.uniform(0.35, 1.6), 0, w - 1)
    y = level + length * rng.uniform(0, 0.2) * (1 if front else -1)  # the nearer, the lower
    m[:, 2] = (x, y) - m[:, :2] @ (ends2[0][0], level2)
    if people(parse2)[-1].any():
        m[1, 2] = max(m[1, 2], h - scale * len(parse2))
    poses = np.concatenate((warp_pose(poses, np.eye(2, 3), size, False), warp_pose(pose2[None], m, size, flip)))
    parse2 = warp(reflect_parse(parse2) if flip else parse2, m, size, nearest=True, fill=IGNORE)
    mask, mask2 = np.zeros(size, bool) if parse is None else people(parse), people(parse2)
    out = on_ground(warp(image2, m, size), mask2, image, rng)
    if not front:
        out = on_ground(image, mask, out, rng)
    x, y = np.rint(poses[..., :2]).astype(int).clip(0, (w - 1, h - 1)).transpose(2, 0, 1)
    covered = (mask2 if front else mask)[y, x] & (poses[..., 2] > 0)
    covered[-1 if front else slice(-1)] = False  # those in front
    if parse is not None:
        parse = np.where(mask2 if front else mask2 & ~mask, parse2, parse)
    first = order(poses)
    return out, parse, poses[first], covered[first]
