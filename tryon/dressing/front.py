"""Front: whether a shirt is buttoned down the front, or a polo that goes over the head."""
import cv2
import numpy as np

from tryon.garment import Garment

ROWS, COLUMNS, WIDTH = 140, 161, 0.8  # of the lower half of the front, straightened; its width in widths of the torso
# Set on 48 shirts of the training and validation splits (two open that do not, or the other way round).
SHORT = 0.62  # widths of the torso: a shorter sleeve may be that of a polo
CLEAR, PLAIN = 1.55, 4.0  # how much more a row of buttons stands out than other places; how much those may for buttons to be told


def opens(garment: Garment) -> bool:
    """Whether an upper garment with a collar opens down to the hem: it has long sleeves, or a row of buttons below the middle, or a pattern in which
    none could be told."""
    sleeves = [np.linalg.norm(np.diff(axis[:, :2], axis=0), axis=1).sum() for axis in garment.shape.limbs.values()]
    if max(sleeves, default=0.0) > SHORT * garment.shape.width:
        return True
    score = rows_of_dots(garment)
    usual = float(np.median(score))
    return usual > PLAIN or float(score[COLUMNS // 5:-COLUMNS // 5].max()) > CLEAR * (usual + 1)


def rows_of_dots(garment: Garment) -> np.ndarray:
    """float64 COLUMNS: how far the third best of seven pieces of a line down the lower half of the front has a dot, light or dark, that stands out:
    the weaker curvature of lightness there (8-bit Lab), the best of several slants."""
    (xc, top), (xe, bottom), width = *garment.shape.centre, garment.shape.width
    down = np.linspace(0.42, 0.92, ROWS)[:, None]
    x = xc + down * (xe - xc) + np.linspace(-WIDTH / 2, WIDTH / 2, COLUMNS) * width
    at = x.astype(np.float32), np.broadcast_to(top + down * (bottom - top), x.shape).astype(np.float32)
    light = cv2.remap(cv2.cvtColor(garment.photo, cv2.COLOR_RGB2LAB)[..., 0], *at, cv2.INTER_LINEAR).astype(np.float32)
    dots = np.zeros_like(light)
    for sigma in (1.5, 2.2):
        even = cv2.GaussianBlur(light, (0, 0), sigma)
        xx, yy, xy = (cv2.Sobel(even, cv2.CV_32F, *order, ksize=3, scale=sigma ** 2 / 4) for order in ((2, 0), (0, 2), (1, 1)))
        dots = np.maximum(dots, np.abs(xx + yy) / 2 - np.hypot((xx - yy) / 2, xy))
    dots *= cv2.erode(cv2.remap(garment.mask, *at, cv2.INTER_NEAREST), np.ones((9, 9), np.uint8)) > 0
    score = np.zeros(COLUMNS)
    for slant in np.linspace(-0.06, 0.06, 9) * COLUMNS:
        line = np.array([np.roll(row, -round(shift)) for row, shift in zip(dots, np.linspace(-slant, slant, ROWS))])
        pieces = cv2.dilate(line, np.ones((1, 3), np.uint8)).reshape(7, -1, COLUMNS).max(1)
        score = np.maximum(score, np.sort(pieces, 0)[-3])
    return score
