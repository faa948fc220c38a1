"""Bring what a network found at its own size up to a photo's, with the photo's own outlines."""
import cv2
import numpy as np

from tryon.masks import box_of

ROWS = 30000  # of a picture, which OpenCV can map at once
PAIRS = [(i, j) for i in range(3) for j in range(i, 3)]  # of colours
FAINT = 0.02  # what was found is nothing where it is less, all around
Places = tuple[np.ndarray, np.ndarray]  # y and x of N pixels of the photo


class GuidedFilter:
    """Fast guided filter with a colour guide (He et al. 2010, https://doi.org/10.1109/TPAMI.2012.213; He & Sun 2015,
    https://arxiv.org/abs/1505.00996): around each place what was found is taken for an affine function of the photo's colours, fitted at the
    size it was found at and evaluated at the photo's.

    photo HxWx3 uint8; size h, w of what was found; radius of the neighbourhoods, in pixels of that size; eps: variance of colours, of 0..1, below
    which edges are not followed.
    """

    def __init__(self, photo: np.ndarray, size: tuple[int, int], radius: int, eps: float = 1e-3):
        self.photo, self.size, self.radius = photo, size, radius
        self.small = cv2.resize(photo, size[::-1], interpolation=cv2.INTER_AREA).astype(np.float32) / 255
        self.mean = self.box(self.small)
        planes, means = cv2.split(self.small), cv2.split(self.mean)
        self.variances = [self.box(planes[i] * planes[j]) - means[i] * means[j] + np.float32(eps * (i == j)) for i, j in PAIRS]

    def __call__(self, p: np.ndarray, places: Places) -> np.ndarray:
        """float32 h x w -> float32 N, not clipped, at pixels of the photo; K x h x w -> K x N."""
        x, y = self.where(places)
        colours = np.ascontiguousarray(np.column_stack((self.photo[places] / np.float32(255), np.ones(len(y), np.float32))))
        found, room = np.zeros((p[..., 0, 0].size, len(y)), np.float32), 2 * self.radius + 1
        used = self.around(x, y)
        inverse = inverse_of([v[used] for v in self.variances])
        for one, out in zip(p.reshape(-1, *self.size), found):
            if not (one > FAINT).any():
                continue
            y0, y1, x0, x1 = box_of(one > FAINT)
            window = np.s_[max(0, y0 - room):y1 + room, max(0, x0 - room):x1 + room]
            factors = self.affine(one, window, used, inverse)
            ax, ay = x - window[1].start, y - window[0].start
            near = np.flatnonzero((ax > -1) & (ay > -1) & (ax < factors.shape[1]) & (ay < factors.shape[0]))
            out[near] = np.einsum("nc,nc->n", self.at(factors, ax[near], ay[near]), colours[near])
        return found.reshape(*p.shape[:-2], -1)

    def around(self, x: np.ndarray, y: np.ndarray) -> Places:
        """The pixels of what was found whose factors those at x and y (N x 1) are made of."""
        used = np.zeros(self.size, np.uint8)
        used[np.rint(y).astype(int).clip(0, self.size[0] - 1), np.rint(x).astype(int).clip(0, self.size[1] - 1)] = 1
        return np.nonzero(cv2.dilate(used, np.ones((2 * self.radius + 3,) * 2, np.uint8)))

    def affine(self, p: np.ndarray, window: tuple[slice, slice], used: Places, inverse: np.ndarray) -> np.ndarray:
        """float32 h x w -> the factors of red, green, blue and 1 that make it of the colours around each place of the window, right where they are ``used``, N pixels
        with the ``inverse`` of the variances of their colours, 3x3xN: h' x w' x 4."""
        height, width = p[window].shape
        ay, ax = used[0] - window[0].start, used[1] - window[1].start
        inside = np.flatnonzero((ay >= 0) & (ax >= 0) & (ay < height) & (ax < width))
        here, there = (ay[inside], ax[inside]), (used[0][inside], used[1][inside])
        mean, mean_colour = self.box(p[window])[here], self.mean[there]
        together = self.box(self.small[window] * p[window][..., None])[here] - mean_colour * mean[:, None]
        slope = np.einsum("ijn,nj->ni", inverse[..., inside], together)
        factors = np.zeros((height, width, 4), np.float32)
        factors[here] = np.column_stack((slope, mean - np.einsum("ni,ni->n", slope, mean_colour)))
        return self.box(factors)

    def box(self, x: np.ndarray) -> np.ndarray:
        return cv2.boxFilter(x, -1, (2 * self.radius + 1,) * 2, borderType=cv2.BORDER_REFLECT)

    def where(self, places: Places) -> tuple[np.ndarray, np.ndarray]:
        """x and y, N x 1 each, of pixels of the photo in what was found."""
        y, x = (((v + 0.5) * (n / full) - 0.5).astype(np.float32)[:, None] for v, n, full in zip(places, self.size, self.photo.shape))
        return x, y

    @staticmethod
    def at(a: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """float32 h x w x C, at most 4 -> its values at x and y (N x 1, in pixels of it): N x C, bilinear."""
        parts = [cv2.remap(a, x[i:i + ROWS], y[i:i + ROWS], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)[:, 0] for i in range(0, len(y), ROWS)]
        return np.concatenate(parts) if parts else np.empty((0, *a.shape[2:]), np.float32)


def inverse_of(m: list[np.ndarray]) -> np.ndarray:
    """Of N symmetric matrices 3x3, whose PAIRS are given (N each), the inverses, 3x3xN: their adjugates over their determinants, many times faster than by LAPACK
    one by one."""
    a, b, c, d, e, f = m
    first = d * f - e * e, c * e - b * f, b * e - c * d
    whole = a * first[0] + b * first[1] + c * first[2]
    return np.stack((*first, first[1], a * f - c * c, b * c - a * e, first[2], b * c - a * e, a * d - b * b)).reshape(3, 3, -1) / whole
