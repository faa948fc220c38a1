"""Colours: of which a photo's pixels are, in steps coarse enough to be counted."""
import cv2
import numpy as np

COLOURS = 13 ** 3  # numbers that ``colours`` gives


def colours(photo: np.ndarray) -> np.ndarray:
    """Of each pixel of an HxWx3 uint8 photo the number of its colour, one of 13 x 13 x 13 in CIELAB: int32 HxW."""
    lightness, a, b = cv2.split(cv2.cvtColor(photo, cv2.COLOR_RGB2LAB))
    bins = (np.arange(256, dtype=np.int32) // 20)[None]
    return cv2.LUT(lightness, 169 * bins) + cv2.LUT(a, 13 * bins) + cv2.LUT(b, bins)


def rather(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Which of the 13^3 colours are by far more frequent among ``one`` than among the ``other`` (numbers as from ``colours``, at least one each): bool
    13^3, to be indexed with such numbers."""

    def frequency(found: np.ndarray) -> np.ndarray:
        out = np.bincount(found, minlength=COLOURS).reshape(13, 13, 13).astype(np.float32)
        for axis in range(3):  # so that neighbouring colours count as alike
            pad = np.pad(out, [(1, 1) if k == axis else (0, 0) for k in range(3)], mode="edge")
            out = 0.25 * np.take(pad, range(13), axis) + 0.5 * out + 0.25 * np.take(pad, range(2, 15), axis)
        return out.ravel() / len(found)

    return frequency(one) > 6 * frequency(other) + 1e-4
