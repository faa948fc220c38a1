"""Outlines -> masks, as annotation tools draw them: a vertex is a pixel's centre, and the pixels of the outline are inside."""
from collections.abc import Sequence

import cv2
import numpy as np


def fill(shape: tuple[int, ...], outlines: Sequence, holes: Sequence = ()) -> np.ndarray:
    """HxW uint8 0/255 of the union of ``outlines`` (each Kx2, x and y in pixels, K >= 3) without ``holes``.

    Raises ValueError for an outline of fewer than three points.
    """
    mask = np.zeros(shape[:2], np.uint8)
    for rings, value in ((outlines, 255), (holes, 0)):
        for ring in rings:
            points = np.asarray(ring, np.float64)
            if points.ndim != 2 or points.shape[1] != 2 or len(points) < 3 or not np.isfinite(points).all():
                raise ValueError(f"an outline needs three points (x, y) or more, got an array of shape {points.shape}")
            cv2.fillPoly(mask, [np.clip(np.round(points), -1e6, 1e6).astype(np.int32)], value)
    return mask


def even_odd(shape: tuple[int, ...], rings: Sequence) -> np.ndarray:
    """HxW uint8 0/255 of what an odd number of ``rings`` (each Kx2 as above) surrounds: one within another is a gap."""
    mask = np.zeros(shape[:2], np.uint8)
    cv2.fillPoly(mask, [np.round(np.asarray(ring, np.float64)).astype(np.int32) for ring in rings], 255)
    return mask
