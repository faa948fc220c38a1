"""Pyramid: what is known in some places of a picture, carried smoothly into the others."""
import cv2
import numpy as np


def spread(a: np.ndarray, known: np.ndarray, enough: float = 0.5) -> np.ndarray:
    """Carry the values of ``a`` (h x w x C) from ``known`` smoothly over its border and everywhere: push-pull over a pyramid (Gortler et al.
    1996). ``known`` must hold at least one pixel. A level is followed wholly where at least the share ``enough`` of it is known: the less, the nearer is
    what counts."""
    wide = lambda weight: np.repeat(weight, a.shape[2], 2)  # faster than to broadcast over so few channels
    # OpenCV takes no more than four channels.
    one = lambda x, size, how: cv2.resize(np.ascontiguousarray(x, np.float32), size, interpolation=how).reshape(*size[::-1], -1)
    resize = lambda x, size, how: np.concatenate([one(x[..., i:i + 4], size, how) for i in range(0, x.shape[2], 4)], 2) if x.shape[2] > 4 else one(x, size, how)
    a, mask, levels = np.ascontiguousarray(a, np.float32), np.ascontiguousarray(known).view(np.uint8), []
    level = cv2.copyTo(a, mask).reshape(a.shape)
    weight = known.astype(np.float32)[..., None]
    while max(weight.shape[:2]) > 1 and weight.min() < enough:  # from there on nothing more is taken
        h, w = weight.shape[:2]
        half = max(1, (w + 1) // 2), max(1, (h + 1) // 2)
        levels.append((level, weight))
        level, weight = resize(level, half, cv2.INTER_AREA), one(weight, half, cv2.INTER_AREA)
    out = level / wide(np.maximum(weight, 1e-9))
    for level, weight in levels[:0:-1]:
        up, trust = resize(out, level.shape[1::-1], cv2.INTER_LINEAR), np.clip(weight / enough, 0, 1)
        out = level * wide(trust / np.maximum(weight, 1e-9)) + up * wide(1 - trust)
    return cv2.copyTo(a, mask, resize(out, known.shape[::-1], cv2.INTER_LINEAR)).reshape(a.shape) if levels else out


def thrice(a: np.ndarray) -> np.ndarray:
    """HxW -> float32 HxWx3, the same in every channel: faster than to broadcast over so few."""
    a = np.asarray(a, np.float32)
    return cv2.merge((a, a, a))
