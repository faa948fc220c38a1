"""Masks, bool HxW: of classes of a parse map, their connected pieces, and grown or shrunk by discs."""
from collections.abc import Iterable

import cv2
import numpy as np

SMALL = 8  # pixels: discs up to this are laid everywhere, for larger ones distances are faster


def among(labels: np.ndarray, classes: Iterable[int]) -> np.ndarray:
    """Where ``labels`` (uint8 HxW) are one of ``classes``."""
    table = np.zeros(256, np.uint8)
    table[list(classes)] = 1
    return cv2.LUT(np.ascontiguousarray(labels), table).view(bool)


def box_of(mask: np.ndarray) -> tuple[int, int, int, int]:
    """y0, y1, x0, x1 of the rows and columns that hold all of a ``mask`` that is not empty."""
    ys, xs = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return int(ys[0]), int(ys[-1]) + 1, int(xs[0]), int(xs[-1]) + 1


def distance_to(mask: np.ndarray) -> np.ndarray:
    """Distance of every pixel to the nearest of ``mask``, in pixels, 0 in it, very large where it is empty: float32 HxW."""
    return cv2.distanceTransform((~mask).view(np.uint8), cv2.DIST_L2, 5)


def closest(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """y and x of the pixel of ``mask``, which is not empty, that is nearest to every pixel: int32 HxW each."""
    _, labels = cv2.distanceTransformWithLabels((~mask).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    ys, xs = np.nonzero(mask)
    where = np.zeros((2, labels.max() + 1), np.int32)
    where[:, labels[ys, xs]] = ys, xs
    return where[0][labels], where[1][labels]


def grown(mask: np.ndarray, radius: float) -> np.ndarray:
    """What is at most ``radius`` pixels from ``mask``."""
    if not mask.any():
        return mask.copy()
    if radius > SMALL:
        return distance_to(mask) <= radius
    offset = np.arange(-int(radius), int(radius) + 1) ** 2
    return cv2.dilate(mask.view(np.uint8), (offset[:, None] + offset <= radius ** 2).astype(np.uint8)).view(bool)


def shrunk(mask: np.ndarray, radius: float) -> np.ndarray:
    """What is more than ``radius`` pixels from all that is not ``mask``; beyond the picture nothing is known, and nothing is taken away for it."""
    return ~grown(~mask, radius)


def closed(mask: np.ndarray, radius: float) -> np.ndarray:
    """``mask`` without gaps that a disc of ``radius`` pixels does not fit into."""
    return shrunk(grown(mask, radius), radius)


def opened(mask: np.ndarray, radius: float) -> np.ndarray:
    """``mask`` without what a disc of ``radius`` pixels does not fit into."""
    return grown(shrunk(mask, radius), radius)


def pieces(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The number of each pixel's connected piece of ``mask`` (8 neighbours), from 1 on, 0 beside it, int32 HxW; and how many pixels each number has. Several
    times as fast as with the centres and boxes that OpenCV can tell, too."""
    count, labels = cv2.connectedComponents(mask.view(np.uint8))
    return labels, np.bincount(labels.ravel(), minlength=count)


def runs(line: np.ndarray) -> list[tuple[int, int]]:
    """First and last index of each run of True of a row or column (bool N)."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], line.astype(np.int8), [0]))))
    return [(int(a), int(b) - 1) for a, b in edges.reshape(-1, 2)]


def largest(mask: np.ndarray) -> np.ndarray:
    """The largest connected piece of ``mask``."""
    labels, area = pieces(mask)
    return labels == 1 + int(area[1:].argmax()) if len(area) > 1 else mask


def touching(mask: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Those connected pieces of ``mask`` that share a pixel with ``other``."""
    count, pieces = cv2.connectedComponents(mask.astype(np.uint8))
    kept = np.zeros(count, bool)
    kept[pieces[other]] = True
    return mask & kept[pieces]
