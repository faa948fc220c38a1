"""Image and label metrics, each with its definition."""
import numpy as np

from tryon import schema as S
from tryon.metrics.keypoints import torso_length


def confusion(predicted: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """17x17 counts (truth by predicted) of two HxW uint8 parse maps; pixels whose truth is none of our classes are left out."""
    n, judged = len(S.PARSE_CLASSES), truth < len(S.PARSE_CLASSES)
    return np.bincount(truth[judged].astype(np.int64) * n + predicted[judged], minlength=n * n).reshape(n, n)


def iou_of(counts: np.ndarray) -> np.ndarray:
    """Intersection over union per class of a square table of counts; NaN for a class that is in neither."""
    hit = np.diag(counts).astype(float)
    total = counts.sum(0) + counts.sum(1) - hit
    return np.where(total > 0, hit / np.maximum(total, 1), np.nan)


def region_iou(predicted: np.ndarray, truth: np.ndarray, classes: tuple[int, ...]) -> tuple[int, int]:
    """Intersection and union, in judged pixels, of ``classes`` as one region of two HxW uint8 parse maps."""
    judged = truth < len(S.PARSE_CLASSES)
    p, t = np.isin(predicted, classes) & judged, np.isin(truth, classes)
    return int((p & t).sum()), int((p | t).sum())


def merged_iou(predicted: list[np.ndarray], truth: list[np.ndarray]) -> tuple[np.ndarray, float]:
    """Intersection over union per merged class, and of (upper or outer or full) as one region.

    Pixels of all pictures are counted together (micro over pictures); a class absent from both is NaN. Inputs are
    lists of uint8 HxW parse maps in our classes.
    """
    merge, n = np.array(S.PARSE_TO_MERGED), len(S.MERGED_CLASSES)
    counts, pairs = np.zeros((n, n), np.int64), []
    for p, t in zip(predicted, truth):
        np.add.at(counts, (merge[:, None], merge[None]), confusion(p, t))
        pairs.append(region_iou(p, t, (S.UPPER, S.OUTER, S.FULL)))
    inter, union = np.sum(pairs, 0)
    return iou_of(counts), float(inter / max(union, 1))


def pck(found: list[np.ndarray], truth: list[np.ndarray], alpha: float = 0.2) -> tuple[float, np.ndarray]:
    """Share of the joints present in the truth that were found within ``alpha`` of the torso length (neck to middle
    of the hips; people without these are left out). A joint that was not found counts as wrong.

    ``found`` and ``truth`` are lists of 18x3 poses of the same person. Returns the mean over all joints and the
    share per joint (NaN where the truth never has it).
    """
    hit, total = np.zeros(len(S.JOINTS)), np.zeros(len(S.JOINTS))
    for f, t in zip(found, truth):
        torso = torso_length(t)
        if not torso:
            continue
        present = t[:, 2] > 0
        near = (f[:, 2] > 0) & (np.linalg.norm(f[:, :2] - t[:, :2], axis=1) <= alpha * torso)
        hit += present & near
        total += present
    return float(hit.sum() / max(total.sum(), 1)), np.where(total > 0, hit / np.maximum(total, 1), np.nan)
