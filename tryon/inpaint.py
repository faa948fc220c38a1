"""Inpaint: ground that somebody's clothes hid, made of patches of the ground that is seen.

Every patch that touches the hole is like some patch of what is seen, and where patches overlap they agree (Wexler et al. 2007,
https://doi.org/10.1109/TPAMI.2007.60): both are sought in turns, from coarse to fine. At the coarsest size each patch is compared with all, at finer
ones with those around the place that was found. Ground goes on sideways rather than upwards, and from near rather than from afar.
"""
from collections.abc import Callable

import cv2
import numpy as np

from tryon.masks import box_of, closest, distance_to

HALF = 2  # of a patch
PATCH = 2 * HALF + 1
ROUNDS = (4, 1, 1)  # in which patches are sought and laid, from the coarsest size to the finest; each is half the next
REACH = 28  # pixels of the coarsest size around a hole from which patches are taken
COARSER = 4  # colours, of 255, are told apart in steps of so many: sums of them are whole numbers, which do not depend on the order
GUESSED = 5  # how often, at most, what was filled in counts half of what is a pixel nearer to what is seen
PIECES, LEAST = 5, 12  # of a print, at most; pixels: the least of one
UNSEEN, AFAR = 150, 0.1  # what it costs that nothing of a piece is seen, and that it comes from a pixel farther away, in steps of 255
ASIDE, UPWARDS = 2, 8  # what a squared pixel of displacement costs, in squared steps


def fill(image: np.ndarray, guess: np.ndarray, ground: np.ndarray, hole: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """image HxWx3 (0..255), of which ``ground`` is seen and ``hole`` is to be filled (bool HxW); what is neither tells nothing. guess HxWx3: what the hole
    may hold, smoothly. Returns it filled, float32 HxWx3, and for every pixel where what is there comes from: so many rows down and columns to the
    right, int HxW each. None without a hole, or where too little ground is seen."""
    sizes = [(np.where(hole[..., None], guess, image).astype(np.float32), ground & ~hole, hole)]
    half = lambda a: cv2.resize(a.astype(np.float32), (max(1, a.shape[1] // 2), max(1, a.shape[0] // 2)), interpolation=cv2.INTER_AREA)
    for _ in ROUNDS[1:]:
        picture, seen, todo = (half(a) for a in sizes[-1])
        sizes.append((picture, (seen > 0.999) & (todo == 0), todo > 0))
    now, moves = None, None
    for rounds, (image, seen, todo) in zip(ROUNDS, sizes[::-1]):
        whole = cv2.erode(seen.view(np.uint8), np.ones((PATCH, PATCH), np.uint8), borderValue=0).view(bool)  # patches that are all ground
        middles = cv2.dilate(todo.view(np.uint8), np.ones((3, 3), np.uint8)).view(bool) & (todo | seen)
        if now is None:
            if not whole.any() or not todo.any():
                continue
            now = image
        else:
            now = np.where(todo[..., None], cv2.resize(now, todo.shape[::-1], interpolation=cv2.INTER_LINEAR), image)
            rows, columns = (np.minimum(np.arange(n) // 2, m - 1) for n, m in zip(todo.shape, moves[0].shape))
            moves = [2 * m[rows][:, columns] for m in moves]
            middles[1::2] = middles[:, 1::2] = False
        y, x = np.nonzero(middles)
        if not len(y):
            continue
        halves = np.clip(np.ceil(distance_to(seen)), 0, GUESSED).astype(int)
        weight = _patches(np.ldexp(np.float32(1), -halves)[..., None] * (seen | todo)[..., None], y, x)[..., 0]
        seek = _among_all(image, whole, weight, y, x) if moves is None else _around(image, whole, weight, y, x, moves)
        for _ in range(rounds):
            at = seek(_patches(now, y, x))
            now = _laid(now, todo, _patches(image, *at), y, x)
        moves = _everywhere(y, x, at, todo.shape)
    return None if moves is None else (now, *moves)


def shift(image: np.ndarray, seen: np.ndarray, hole: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where a print in ``hole`` may come from: a few large pieces of what is ``seen`` of it (bool HxW), each as it is, so that they meet what lies beside them: for every
    pixel so many rows down and columns to the right, int HxW each, zeros where nothing was found. image HxWx3 (0..255)."""
    now, done, moves = np.float32(image), seen.copy(), np.zeros((2, *hole.shape), int)
    pieces = cv2.connectedComponentsWithStats((hole & ~seen).view(np.uint8))
    for k in 1 + np.argsort(-pieces[2][1:, cv2.CC_STAT_AREA], kind="stable"):
        left = pieces[1] == k
        for _ in range(PIECES):
            count = int(left.sum())
            if count < LEAST:
                break
            y0, y1, x0, x1 = np.clip(np.array(box_of(left)) + (-2, 2, -2, 2), 0, np.repeat(hole.shape, 2))
            window = np.s_[y0:y1, x0:x1]
            ring = (cv2.dilate(left.view(np.uint8), np.ones((5, 5), np.uint8)).view(bool) & ~left & done)[window].astype(np.float32)
            cover = cv2.matchTemplate(seen.astype(np.float32), left[window].astype(np.float32), cv2.TM_CCORR) / count
            unlike = cv2.matchTemplate(now, now[window], cv2.TM_SQDIFF, mask=cv2.merge((ring,) * 3)) / max(3 * float(ring.sum()), 1.0)
            far = np.hypot(np.arange(cover.shape[0])[:, None] - y0, np.arange(cover.shape[1]) - x0)
            cost = np.rint(np.sqrt(np.maximum(unlike, 0)) + UNSEEN * (1 - cover) + AFAR * far)  # whole: the last bits of a correlation decide nothing but ties of halves
            cost[cover < LEAST / count] = np.inf
            at = np.unravel_index(int(cost.argmin()), cost.shape)
            if not np.isfinite(cost[at]):
                break
            dy, dx = at[0] - y0, at[1] - x0
            y, x = np.nonzero(left)
            inside = (y + dy >= 0) & (y + dy < hole.shape[0]) & (x + dx >= 0) & (x + dx < hole.shape[1])
            y, x = y[inside], x[inside]
            known = seen[y + dy, x + dx]
            y, x = y[known], x[known]
            if not len(y):
                break
            moves[0, y, x], moves[1, y, x], now[y, x] = dy, dx, image[y + dy, x + dx]
            left[y, x], done[y, x] = False, True
    return moves[0], moves[1]


def _patches(a: np.ndarray, y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """The patches of an array HxWxC around N pixels: N x PATCH^2 x C; beyond the border it is repeated."""
    padded = cv2.copyMakeBorder(a, HALF, HALF, HALF, HALF, cv2.BORDER_REPLICATE).reshape(a.shape[0] + 2 * HALF, a.shape[1] + 2 * HALF, a.shape[2])
    dy, dx = np.divmod(np.arange(PATCH * PATCH), PATCH)
    wide = padded.shape[1]
    return padded.reshape(-1, a.shape[2]).take((y * wide + x)[:, None] + (dy * wide + dx), 0)


def _steps(colours: np.ndarray) -> np.ndarray:
    return np.rint(colours / COARSER)


def _among_all(image: np.ndarray, whole: np.ndarray, weight: np.ndarray, y: np.ndarray, x: np.ndarray) -> Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """A function from patches, N x PATCH^2 x 3, that are wanted around N pixels with a ``weight`` N x PATCH^2, to y and x of the middles of those among all
    ``whole`` ones, within REACH, that are most like them."""
    near = np.zeros_like(whole)
    near[max(0, y.min() - REACH):y.max() + REACH + 1, max(0, x.min() - REACH):x.max() + REACH + 1] = True
    fy, fx = np.nonzero(whole & near if (whole & near).any() else whole)
    found = _patches(_steps(image), fy, fx)
    # Squares of differences, as products: of colours, and of places.
    mine = lambda wanted: np.column_stack((weight, (wanted * weight[..., None]).reshape(len(y), -1), np.ones(len(y)), y, x)).astype(np.float32)
    theirs = np.column_stack(((found ** 2).sum(2), -2 * found.reshape(len(fy), -1), UPWARDS * fy ** 2 + ASIDE * fx ** 2, -2 * UPWARDS * fy, -2 * ASIDE * fx))
    theirs = np.ascontiguousarray(theirs.T, np.float32)

    def seek(wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        best = cv2.gemm(mine(_steps(wanted)), theirs, 1, None, 0).argmin(1)  # of whole numbers and 32nds: exact in any order
        return fy[best], fx[best]

    return seek


def _around(image: np.ndarray, whole: np.ndarray, weight: np.ndarray, y: np.ndarray, x: np.ndarray,
            moves: list[np.ndarray]) -> Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """The same among those one pixel around the places moved by ``moves``; where none of these is whole, the nearest that is."""
    h, w = whole.shape
    cy, cx = np.clip(y + moves[0][y, x], 0, h - 1), np.clip(x + moves[1][y, x], 0, w - 1)
    nearest = [a[cy, cx] for a in closest(whole)]
    places = [(np.clip(cy + dy, 0, h - 1), np.clip(cx + dx, 0, w - 1)) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]
    image = _steps(image)

    def seek(wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        (fy, fx), wanted, least = (a.copy() for a in nearest), _steps(wanted), np.full(len(y), np.inf, np.float32)
        for py, px in places:
            unlike = _patches(image, py, px) - wanted
            cost = np.einsum("npc,npc,np->n", unlike, unlike, weight)
            better = whole[py, px] & (cost < least)
            least[better], fy[better], fx[better] = cost[better], py[better], px[better]
        return fy, fx

    return seek


def _laid(now: np.ndarray, todo: np.ndarray, patches: np.ndarray, y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """The picture with the mean of all ``patches`` (N x PATCH^2 x 3, around N pixels) that lie over each pixel of ``todo``."""
    h, w = todo.shape
    total = np.zeros((h + 2 * HALF, w + 2 * HALF, 4), np.float32)
    for k, (dy, dx) in enumerate(zip(*np.divmod(np.arange(PATCH * PATCH), PATCH))):
        total[y + dy, x + dx, :3] += patches[:, k]
        total[y + dy, x + dx, 3] += 1
    total = total[HALF:-HALF, HALF:-HALF]
    some = todo & (total[..., 3] > 0)
    out = now.copy()
    out[some] = total[some, :3] / total[some, 3:]
    return out


def _everywhere(y: np.ndarray, x: np.ndarray, at: tuple[np.ndarray, np.ndarray], shape: tuple[int, int]) -> list[np.ndarray]:
    """Of each pixel how far the nearest of the patches around ``y`` and ``x`` was moved to be ``at`` its place: rows and columns, int HxW each."""
    placed, (down, right) = np.zeros(shape, bool), np.zeros((2, *shape), int)
    placed[y, x], down[y, x], right[y, x] = True, at[0] - y, at[1] - x
    near = closest(placed)
    return [down[near], right[near]]
