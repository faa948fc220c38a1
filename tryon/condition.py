"""What the generator sees of a look, as one array; the same for training and for rendering."""
import cv2
import numpy as np

from tryon import schema as S
from tryon.models.generator import COLOURS, CONDITION, FILL, GARMENT

GARMENTS = (S.UPPER, S.OUTER, S.FULL, S.LOWER)


def skeleton(pose: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """An 18x3 pose drawn as limbs: uint8 HxWx3, right limbs red, left limbs green, the middle blue."""
    out = np.zeros((*size, 3), np.uint8)
    for a, b in S.LIMBS:
        if pose[a, 2] > 0 and pose[b, 2] > 0:
            side = 0 if "right" in S.JOINTS[b] else 1 if "left" in S.JOINTS[b] else 2
            colour = [0, 0, 0]
            colour[side] = 255
            cv2.line(out, tuple(int(v) for v in np.rint(pose[a, :2])), tuple(int(v) for v in np.rint(pose[b, :2])), colour, max(1, size[0] // 80), cv2.LINE_AA)
    return out


def skin_tone(photo: np.ndarray, skin: np.ndarray) -> np.ndarray:
    """Mean colour of well-lit skin: float32 RGB in 0..255 of the pixels ``skin`` (bool HxW) of a photo HxWx3; zeros when there is next to none."""
    pixels = photo[skin].astype(np.float32)
    if len(pixels) < 12:
        return np.zeros(3, np.float32)
    light = pixels.sum(1)
    low, high = np.percentile(light, (50, 85))
    return pixels[(light >= low) & (light <= high)].mean(0)


def condition(image: np.ndarray, warped: np.ndarray, tone: np.ndarray, garment: np.ndarray, fill: np.ndarray, layout: np.ndarray, limbs: np.ndarray,
              allowed: np.ndarray) -> np.ndarray:
    """Arrays of one size -> float32 CONDITION x H x W in 0..1 (tryon.models.generator).

    image and warped HxWx3 uint8 RGB, tone RGB in 0..255 of the person's skin (``skin_tone``), garment and fill HxW bool, layout HxW parse ids of the result (not looked at inside fill), limbs
    HxWx3 uint8; allowed bool per class, what fill may become, or C x H x W, at each place.
    """
    allowed = allowed if allowed.ndim == 3 else allowed[:, None, None]
    out = np.empty((CONDITION, *fill.shape), np.float32)
    out[:3] = (image * ~(garment | fill)[..., None]).transpose(2, 0, 1)
    out[3:6] = (warped * garment[..., None]).transpose(2, 0, 1)
    out[6:9] = tone[:, None, None]
    out[-3:] = limbs.transpose(2, 0, 1)
    for colours in (out[:COLOURS], out[-3:]):
        colours *= np.float32(1 / 255)
    out[GARMENT], out[FILL] = garment, fill
    one_hot = out[FILL + 1:-3]
    one_hot[:] = layout[None] == np.arange(len(S.PARSE_CLASSES), dtype=np.uint8)[:, None, None]
    np.copyto(one_hot, np.float32(0.5) * allowed, where=fill)
    return out
