"""Bring what a network found at its own size up to a photo's, with the photo's own edges."""
import cv2
import numpy as np

ROWS = 30000  # of a picture, which OpenCV can map at once


class Guide:
    """Fast guided filter with a colour guide (He et al. 2010, https://doi.org/10.1109/TPAMI.2012.213; He & Sun 2015,
    https://arxiv.org/abs/1505.00996): around each place what was found is taken for an affine function of the photo's colours, fitted at the
    size it was found at and evaluated at the photo's.

    photo HxWx3 uint8; size h, w of what was found; radius of the neighbourhoods, in its pixels; eps: variance of colours, of 0..1, below which
    edges are not followed.
    """

    def __init__(self, photo: np.ndarray, size: tuple[int, int], radius: int, eps: float = 1e-3):
        self.photo, self.kernel = photo, (2 * radius + 1,) * 2
        self.small = cv2.resize(photo, size[::-1], interpolation=cv2.INTER_AREA).astype(np.float32) / 255
        self.mean = self.box(self.small)
        centred = self.box((self.small[..., :, None] * self.small[..., None, :]).reshape(*size, 9)).reshape(*size, 3, 3)
        centred -= self.mean[..., :, None] * self.mean[..., None, :]
        self.inverse = np.linalg.inv(centred + np.float32(eps) * np.eye(3, dtype=np.float32))

    def box(self, x: np.ndarray) -> np.ndarray:
        return cv2.boxFilter(x, -1, self.kernel, borderType=cv2.BORDER_REFLECT)

    def upsample(self, p: np.ndarray, places: tuple[np.ndarray, np.ndarray] | None = None) -> np.ndarray:
        """float32 h x w -> float32 HxW, not clipped; with ``places``, y and x of N pixels of the photo, only those: float32 N."""
        mean = self.box(p)
        together = self.box(self.small * p[..., None]) - self.mean * mean[..., None]
        slope = np.einsum("yxij,yxj->yxi", self.inverse, together)
        fit = self.box(np.dstack((slope / 255, mean - (slope * self.mean).sum(-1))))
        (h, w), (full_h, full_w) = p.shape, self.photo.shape[:2]
        if places is None:
            colours, fit = self.photo, cv2.resize(fit, (full_w, full_h), interpolation=cv2.INTER_LINEAR)
        else:
            y, x = places
            if not len(y):
                return np.empty(0, np.float32)
            at = [((v + 0.5) * (n / full) - 0.5).astype(np.float32)[:, None] for v, n, full in ((x, w, full_w), (y, h, full_h))]
            colours = self.photo[y, x]
            fit = np.concatenate([cv2.remap(fit, at[0][i:i + ROWS], at[1][i:i + ROWS], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)[:, 0]
                                  for i in range(0, len(y), ROWS)])
        out = fit[..., 3].copy()
        for i in range(3):
            out += fit[..., i] * colours[..., i]
        return out
