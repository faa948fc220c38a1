"""Expansion: augmented copies of samples, in which picture, maps, masks, boxes, landmarks and key points move together.

The groups of tryon/datasets/augment.py, each on its own or together:

- ``geometry``: reflection (one copy in two), rotation (standard deviation 6 degrees, at most 15), scaling by 0.85 to 1.2;
- ``colour``: lighting and colour;
- ``crop_noise``: crops (around the largest person: full, half-body, head cut off, legs, or any band; without a pose a part of 70 % or more
  of each side), noise, blur and compression.

A copy has the size of its original. What lies outside the photo is its edge repeated, and not judged in the parse map.
"""
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from tryon import images
from tryon import schema as S
from tryon.datasets import augment, deepfashion2
from tryon.datasets.openpose import order
from tryon.datasets.sample import IGNORE, Garment, Sample

CROPS = {"full": 0.3, "half": 0.32, "torso": 0.13, "legs": 0.1, "any": 0.15}  # of augment.person_box, how often
MIN_JOINTS = 4  # of the largest person that a crop must show
JPEG_QUALITY = 95


def shares(samples: int, copies: int) -> list[int]:
    """How many of ``copies`` each of so many samples gets: as even as can be, those with one more spread over the set."""
    return [(i + 1) * copies // samples - i * copies // samples for i in range(samples)]


class Augmentation:
    """``groups``: some of augment.GROUPS."""

    def __init__(self, groups: Sequence[str], seed: int):
        self.groups, self.seed = tuple(groups), seed
        self.colour, self.noise = augment.colour(), augment.noise()

    def copy(self, sample: Sample, image: np.ndarray, k: int) -> Sample:
        """The ``k``-th copy of a sample with its decoded photo HxWx3 uint8: depends on the seed, the groups and these arguments alone.

        Its id is "<id>~k"; identity, source, split and shop picture are the original's. People and garments of which nothing is left in
        the picture are left out.
        """
        id = f"{sample.id}~{k}"
        rng = np.random.default_rng((self.seed, zlib.crc32(id.encode())))
        view = self.view(sample, image.shape[:2], rng)
        pixels = augment.pixels(augment.warp(image, view.matrix, view.size), rng, self.groups, self.colour, self.noise)
        poses, heads, masks = view.people(sample)
        garments = [g for g in map(view.garment, sample.garments) if g]
        return replace(sample, id=id, photo=images.encode(pixels, "jpeg", JPEG_QUALITY), parse=view.parse(sample.parse), poses=poses, heads=heads,
                       masks=masks, ignore=view.mask(sample.ignore, 255), garments=garments, classes=view.classes(sample.classes))

    def view(self, sample: Sample, size: tuple[int, int], rng: np.random.Generator) -> "View":
        """What a copy shows of a photo of ``size`` (H, W). A photo with a shop picture is neither cropped, or the garment might go, nor
        reflected, or its print would be another one; a photo with nothing but tags is not cropped, or they might become untrue."""
        box, angle, flip = (0, 0, size[1], size[0]), 0.0, False
        if "crop_noise" in self.groups and sample.product is None and (sample.parse is not None or sample.classes is None):
            box = _crop(sample, size, rng)
        if "geometry" in self.groups:
            flip, angle = bool(rng.random() < 0.5) and sample.product is None, float(np.clip(rng.normal(0, 6), -15, 15))
            centre, half = np.add(box[:2], box[2:]) / 2, np.subtract(box[2:], box[:2]) / 2 / rng.uniform(0.85, 1.2)
            box = (*(centre - half), *(centre + half))
        return View(augment.view_matrix(box, size, angle, flip), size, flip)


@dataclass(frozen=True)
class View:
    """A 2x3 affine from the pixels of a photo to those of a picture of ``size`` (H, W); ``flip``: it reflects."""

    matrix: np.ndarray
    size: tuple[int, int]
    flip: bool

    def mask(self, mask: np.ndarray | None, outside: int = 0) -> np.ndarray | None:
        return None if mask is None else augment.warp(mask, self.matrix, self.size, nearest=True, fill=outside)

    def parse(self, parse: np.ndarray | None) -> np.ndarray | None:
        moved = self.mask(parse, IGNORE)
        return augment.reflect_parse(moved) if self.flip and moved is not None else moved

    def classes(self, classes: np.ndarray | None) -> np.ndarray | None:
        return classes[list(S.PARSE_FLIP)] if self.flip and classes is not None else classes

    def people(self, sample: Sample) -> tuple[np.ndarray | None, np.ndarray | None, list[np.ndarray | None]]:
        """Poses, head boxes and masks of those who are in the picture, the largest first, those without joints last."""
        heads = None if sample.heads is None else np.array([self._head(box) for box in sample.heads], np.float32).reshape(-1, 4)
        masks = [self.mask(m) for m in sample.masks]
        if sample.poses is None:
            return None, heads, masks
        poses = augment.warp_pose(sample.poses, self.matrix, self.size, self.flip)
        first = order(poses)
        for i, before in enumerate(sample.poses):
            mask = masks[i] if masks else None
            gone = (before[:, 2] > 0).any() if mask is None else not mask.any()
            if i not in first and not gone:
                first.append(i)
        return poses[first], None if heads is None else heads[first], [masks[i] for i in first] if masks else []

    def garment(self, garment: Garment) -> Garment | None:
        """None: nothing of it is left. Landmarks whose name in the reflection is not known are left out."""
        mask, box, landmarks = self.mask(garment.mask), garment.box, {}
        for name, (x, y, confidence) in garment.landmarks.items():
            (x, y), name = self._points([(x, y)])[0].tolist(), reflected(name, garment.label) if self.flip else name
            if name and self._inside(x, y):
                landmarks[name] = (x, y, confidence)
        if box is not None:
            x0, y0, x1, y1 = box
            corners = self._points([(x0, y0), (x1, y0), (x0, y1), (x1, y1)]).clip(0, self.size[::-1])
            box = (*corners.min(0).tolist(), *corners.max(0).tolist())
        if mask is not None and mask.any() and box is not None:
            x, y, w, h = cv2.boundingRect(mask)
            box = (float(x), float(y), float(x + w), float(y + h))
        if mask is not None:
            gone = not mask.any()
        elif box is not None:
            gone = min(box[2] - box[0], box[3] - box[1]) <= 0
        else:
            gone = bool(garment.landmarks) and not landmarks
        return None if gone else replace(garment, mask=mask, landmarks=landmarks, box=box)

    def _points(self, points) -> np.ndarray:
        return np.asarray(points, float) @ self.matrix[:, :2].T + self.matrix[:, 2]

    def _inside(self, x: float, y: float) -> bool:
        return 0 <= x < self.size[1] and 0 <= y < self.size[0]

    def _head(self, box: np.ndarray) -> tuple[float, ...]:
        """A head box about the moved middle, scaled but not turned: its diagonal is what PCKh measures by. Zeros: none, or outside."""
        x, y = self._points((box[:2] + box[2:]) / 2)
        w, h = (box[2:] - box[:2]) / 2 * np.sqrt(abs(np.linalg.det(self.matrix[:, :2])))
        return (x - w, y - h, x + w, y + h) if box.any() and self._inside(x, y) else (0, 0, 0, 0)


def reflected(name: str, label: str) -> str | None:
    """What a landmark of a garment is called in the reflection; ``label`` is DeepFashion2's category where landmarks are numbered. None:
    numbered, but not as DeepFashion2 does."""
    if not name.isdigit():
        return re.sub("left|right", lambda m: "right" if m[0] == "left" else "left", name)
    if label not in deepfashion2.CATEGORIES:
        return None
    _, count, category, kind = deepfashion2.CATEGORIES[label]
    n = int(name)
    # DeepFashion2 numbers the collar (or waist) first, and then goes once around the outline.
    if category == "lower":
        return str(4 - n if n < 4 else count + 4 - n)
    last = count if kind != "jacket" else count - 6
    pairs = {1: 1, 2: 6, 3: 5, 4: 4}
    if kind == "jacket":  # the right half of an open front comes last
        pairs |= {4: last + 1, (7 + last) // 2: last + 4, last + 2: last + 5, last + 3: last + 6}
    return str((pairs | {b: a for a, b in pairs.items()}).get(n, last + 7 - n))


def _crop(sample: Sample, size: tuple[int, int], rng: np.random.Generator) -> tuple[float, float, float, float]:
    h, w = size
    if sample.pose is None or not (sample.poses[0, :, 2] > 0).any():
        part = rng.uniform(0.7, 1, 2) * (w, h)
        x, y = rng.uniform(0, 1, 2) * ((w, h) - part)
        return x, y, x + part[0], y + part[1]
    joints = sample.poses[0, sample.poses[0, :, 2] > 0, :2]
    x0, y0, x1, y1 = box = augment.person_box(size, sample.poses[0], rng.choice(list(CROPS), p=list(CROPS.values())), rng)
    shown = ((joints >= (x0, y0)) & (joints < (x1, y1))).all(1).sum()
    return box if shown >= min(MIN_JOINTS, len(joints)) else (0, 0, w, h)
