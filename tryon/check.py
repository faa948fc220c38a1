"""Check: what can be told to be wrong with a look without seeing the truth."""
from dataclasses import dataclass

import cv2
import numpy as np

from tryon import schema as S
from tryon.body import FOREARM, UPPER_ARM, Body
from tryon.fit import Fit
from tryon.garment import Garment
from tryon.masks import box_of, pieces
from tryon.models.warp import PARTS
from tryon.warp import placed

ARM_SURE = 0.35  # confidence of a wrist: of 9 people of validation who have one below it 6 have an arm somewhere else
STRETCH = 3.0  # how many times longer than wide, or the reverse, cloth is drawn where it counts as distorted


@dataclass
class Signs:
    """Of one garment in a look, each 0..1. shown: share of the placed garment, inside the picture, that nothing hides; whole: share of what is shown
    that lies in one piece; distorted: share of what is shown that is folded over or drawn STRETCH times longer one way than the other."""

    shown: float
    whole: float
    distorted: float


def signs(fit: Fit, garment: Garment, worn: np.ndarray, over: np.ndarray) -> Signs:
    """``worn``: bool HxW, where the garment is seen in the picture; ``over``: bool HxW, where it is meant to be hidden. All is judged on the coarse
    grid of the fit."""
    covers = covered(fit, garment)
    small = lambda mask: cv2.resize(mask.astype(np.float32), covers[0].shape[::-1], interpolation=cv2.INTER_AREA) > 0.5
    there, seen = np.any(covers, 0) & ~small(over), small(worn)
    if not seen.any() or not there.any():
        return Signs(0.0, 1.0, 0.0)
    bad, done = np.zeros(seen.shape, bool), np.zeros(seen.shape, bool)
    for layer, cover in list(zip(fit.layers, covers))[::-1]:  # the front one is seen
        if not cover.any():
            continue
        y0, y1, x0, x1 = box_of(cover)
        window = np.s_[y0:y1, x0:x1]
        m = cv2.GaussianBlur(layer.map[max(0, y0 - 8):y1 + 8, max(0, x0 - 8):x1 + 8].astype(np.float32), (0, 0), 1.5)
        (ax, ay), (bx, by) = (np.gradient(m[..., k], axis=(1, 0)) for k in (0, 1))
        det, norm = ax * by - ay * bx, ax ** 2 + ay ** 2 + bx ** 2 + by ** 2
        # Of the singular values a >= b: a / b + b / a = norm / det.
        odd = ((det <= 0) | (norm > (STRETCH + 1 / STRETCH) * np.maximum(det, 1e-9)))[min(8, y0):, min(8, x0):][:y1 - y0, :x1 - x0]
        bad[window] |= odd & (cover & ~done)[window]
        done |= cover
    return Signs(float((seen & there).sum() / there.sum()), float(pieces(seen)[1][1:].max() / seen.sum()), float((bad & seen).sum() / seen.sum()))


def without_feet(layout: np.ndarray, edit: np.ndarray, body: Body) -> bool:
    """Whether a bare leg was painted (in ``edit``, bool HxW) down to an ankle in the picture that no shoe is near; layout: HxW parse ids of the look."""
    painted, shoes = edit & np.isin(layout, (S.LEFT_LEG, S.RIGHT_LEG)), layout == S.SHOES
    for ankle in (S.L_ANKLE, S.R_ANKLE):
        y, x = body.joint[ankle][1], body.joint[ankle][0]
        if not (body.seen[ankle] and 0 <= y < layout.shape[0] - 0.1 * body.unit):
            continue
        near = lambda r: tuple(slice(max(0, int(v - r * body.unit)), max(0, int(v + r * body.unit)) + 1) for v in (y, x))
        foot = near(0.3)
        if painted[near(0.1)].any() and not (shoes[foot].any() or (~edit & np.isin(layout, (S.LEFT_LEG, S.RIGHT_LEG)))[foot].any()):
            return True
    return False


def unsure_arms(pose: np.ndarray, shape: tuple[int, int], unit: float) -> bool:
    """Whether an elbow or a wrist was not found with confidence, or not at all where it must be in the picture (H, W): farther from its border than an arm reaches.
    pose 18x3; unit: torso length in pixels."""
    inside = lambda joint, reach: pose[joint, 2] > 0 and (np.minimum(pose[joint, :2], np.subtract(shape[::-1], pose[joint, :2])) > reach * unit).all()
    for shoulder, elbow, wrist in ((S.R_SHOULDER, S.R_ELBOW, S.R_WRIST), (S.L_SHOULDER, S.L_ELBOW, S.L_WRIST)):
        sure = pose[[elbow, wrist], 2]
        missing = inside(elbow, FOREARM) if sure[0] > 0 else inside(shoulder, UPPER_ARM + FOREARM)
        if ((sure > 0) & (sure < ARM_SURE)).any() or (sure <= 0).any() and missing:
            return True
    return False


def covered(fit: Fit, garment: Garment) -> list[np.ndarray]:
    """Of each layer, bool h x w on the coarse grid: what it covers before anything is in front of it."""
    if garment.category in ("upper", "full"):
        parts = placed(fit, garment)
        return [parts[PARTS.index(layer.part)] > 0.5 for layer in fit.layers]
    out, (x0, y0, cell) = [], fit.grid
    for layer in fit.layers:
        m = layer.map * np.float32(fit.step)
        inside = cv2.remap(garment.mask, m, None, cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT) > 127
        share = cv2.remap(layer.share, (m - np.float32((x0, y0))) / np.float32(cell), None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        out.append(inside & (share > 127) & (layer.cover > 127))
    return out
