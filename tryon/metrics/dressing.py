"""What a dressing sequence must keep to, measured on its frames alone."""
from collections.abc import Callable

import cv2
import numpy as np

from tryon.dressing.actions import HEIGHT
from tryon.dressing.sequence import Sequence
from tryon.metrics.pictures import ssim, ssim_inside

TRAVEL = 0.04  # of the body's height: cloth farther from its place is on its way
FEW = 1000  # pixels: a smaller final region counts as one of so many, or a handful of them would decide
LEAST = 200  # pixels of cloth: with less nothing is told
MIXTURE = 10.0  # 8-bit RGB: a colour farther from the line between two others is no mixture of them

DEFINITIONS = {
    "first_exact": "share of sequences whose first frame is the photo bit for bit",
    "last_exact": "share of sequences whose last frame is the still bit for bit",
    "changed_outside": "pixels that differ from the photo in any frame outside the union of the frames' edit masks: must be 0",
    "coverage_drop": f"largest drop, from a frame to the next, of the share of the garment's final region, of {FEW} pixels at least, that its cloth covers",
    "area_jump": "largest change, from a frame to the next, of the area of visible cloth, in areas of the garment as it is placed, with what of it lies "
                 "in the photo behind coats, hair and arms in the end; area_jump_seen: in areas of what is seen of it in the end",
    "travelling": f"least share, over the middle third, of visible cloth farther than {TRAVEL:.0%} of the body's height ({HEIGHT} torso lengths) from "
                  "its place in the still",
    "flow_ssim": "structural similarity (Gaussian window, RGB) of each frame and the one before moved along with the cloth, mean over the cloth "
                 "visible in both, without the pixels at its border, which are half ground; of it alone a window counts the pixels, and moved is it by bicubic "
                 "interpolation; the mean over the frames",
    "flow_ssim_least": "the same of the one pair of frames that has least",
    "flow_known": "share of the visible cloth that was seen in the frame before, too, as the motion tells: mean over the frames; the rest came out of folds "
                  "or from behind, or jumped",
    "flow_ssim_rim": "as flow_ssim, but windows count what lies beside the cloth, too, which does not move along with it",
    "no_mixture": f"least share, over the middle third, of visible cloth whose colour lies farther than {MIXTURE:.0f} (8-bit RGB) from every mixture of "
                  "that pixel in photo and still",
}


def laws(sequence: Sequence, photo: np.ndarray, still: np.ndarray, unit: float, placed: float = 0.0) -> dict[str, float]:
    """Figures of DEFINITIONS for a sequence of one garment that is put on. photo, still HxWx3 uint8; unit: torso length in pixels; placed: pixels that the
    garment covers in the end, seen or not; at least those that are seen."""
    frames, count = sequence.frames, len(sequence.frames)
    edits = np.any(sequence.edits, axis=0)
    final = sequence.displacement[-1] >= 0
    seen = [d >= 0 for d in sequence.displacement]
    jump = float(np.abs(np.diff([int(s.sum()) for s in seen])).max())
    covered = np.array([(s & final).sum() for s in seen]) / max(final.sum(), FEW)
    middle = range(-(-(count - 1) // 3), 2 * (count - 1) // 3 + 1)
    far = [float((sequence.displacement[k][seen[k]] > TRAVEL * HEIGHT * unit).mean()) if seen[k].any() else 0.0 for k in middle]
    fresh = [float((off_line(frames[k], photo, still)[seen[k]] > MIXTURE).mean()) if seen[k].any() else 0.0 for k in middle]
    pairs = list(zip(frames, frames[1:], seen, seen[1:], sequence.flow[1:]))
    alike, rim = ([s for s in (flow_ssim(*pair, measure) for pair in pairs) if s is not None] for measure in (ssim_inside, lambda a, b, _: ssim(a, b)))
    known = [float(np.isfinite(f[s]).all(-1).mean()) for f, s, last in zip(sequence.flow[1:], seen[1:], seen) if min(s.sum(), last.sum()) >= LEAST]
    mean = lambda values: float(np.mean(values)) if values else np.nan  # of next to no cloth nothing is told
    return {"first_exact": float(np.array_equal(frames[0], photo)), "last_exact": float(np.array_equal(frames[-1], still)),
            "changed_outside": max(int(((f != photo).any(2) & ~edits).sum()) for f in frames),
            "coverage_drop": float(max(0.0, -np.diff(covered).min())), "area_jump": jump / max(placed, final.sum(), 1), "area_jump_seen": jump / max(final.sum(), 1),
            "travelling": min(far), "no_mixture": min(fresh), "flow_ssim": mean(alike),
            "flow_ssim_least": min(alike, default=np.nan), "flow_ssim_rim": mean(rim), "flow_known": mean(known)}


def off_line(image: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Distance of each colour of ``image`` from the line between those of ``a`` and ``b``, HxWx3 uint8 each: float32 HxW."""
    x, d = image.astype(np.float32) - a, b.astype(np.float32) - a
    t = np.clip((x * d).sum(-1) / np.maximum((d * d).sum(-1), 1e-6), 0, 1)
    return np.linalg.norm(x - t[..., None] * d, axis=-1)


def flow_ssim(before: np.ndarray, after: np.ndarray, seen_before: np.ndarray, seen_after: np.ndarray, flow: np.ndarray,
              measure: Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray] = ssim_inside) -> float | None:
    """Mean SSIM of ``after`` and ``before`` moved by ``flow`` (NaN where that cloth was hidden before), over the cloth seen in both (bool HxW each); None
    where that is next to nothing. ``measure``: of two pictures and that mask, at every place."""
    y, x = np.mgrid[0:flow.shape[0], 0:flow.shape[1]].astype(np.float32)
    inner = lambda seen: cv2.erode(seen.astype(np.uint8), np.ones((3, 3), np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=0)
    seen_before, seen_after = inner(seen_before), inner(seen_after)  # the border is half ground
    known, flow = np.isfinite(flow).all(-1), np.nan_to_num(flow)
    at = x - flow[..., 0], y - flow[..., 1]
    moved = cv2.remap(before, *at, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    where = (seen_after > 0) & known & (cv2.remap(seen_before, *at, cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT) > 0)
    if where.sum() < LEAST:
        return None
    ys, xs = np.flatnonzero(where.any(1)), np.flatnonzero(where.any(0))
    near = np.s_[max(0, ys[0] - 6):ys[-1] + 7, max(0, xs[0] - 6):xs[-1] + 7]  # as far as the window reaches
    return float(measure(moved[near], after[near], where[near])[where[near]].mean())
