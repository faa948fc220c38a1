"""Image and label metrics, each with its definition."""
import numpy as np

from tryon import schema as S


def merged_iou(predicted: list[np.ndarray], truth: list[np.ndarray]) -> tuple[np.ndarray, float]:
    """Intersection over union per merged class, and of (upper or outer or full) as one region.

    Pixels of all pictures are counted together (micro over pictures); a class absent from both is NaN. Inputs are
    lists of uint8 HxW parse maps in our classes.
    """
    merge = np.array(S.PARSE_TO_MERGED)
    n = len(S.MERGED_CLASSES)
    confusion = np.zeros((n, n), np.int64)
    inter = union = 0
    for p, t in zip(predicted, truth):
        pm, tm = merge[p], merge[t]
        confusion += np.bincount((tm * n + pm).ravel(), minlength=n * n).reshape(n, n)
        pg, tg = (pm >= 3) & (pm <= 5), (tm >= 3) & (tm <= 5)
        inter, union = inter + (pg & tg).sum(), union + (pg | tg).sum()
    hit = np.diag(confusion).astype(float)
    total = confusion.sum(0) + confusion.sum(1) - hit
    return np.where(total > 0, hit / np.maximum(total, 1), np.nan), float(inter / max(union, 1))


def pck(found: list[np.ndarray], truth: list[np.ndarray], alpha: float = 0.2) -> tuple[float, np.ndarray]:
    """Share of the joints present in the truth that were found within ``alpha`` of the torso length (neck to middle
    of the hips; people without these are left out). A joint that was not found counts as wrong.

    ``found`` and ``truth`` are lists of 18x3 poses of the same person. Returns the mean over all joints and the
    share per joint (NaN where the truth never has it).
    """
    hit, total = np.zeros(len(S.JOINTS)), np.zeros(len(S.JOINTS))
    for f, t in zip(found, truth):
        if (t[[S.NECK_JOINT, S.R_HIP, S.L_HIP], 2] <= 0).any():
            continue
        torso = np.linalg.norm(t[S.NECK_JOINT, :2] - (t[S.R_HIP, :2] + t[S.L_HIP, :2]) / 2)
        present = t[:, 2] > 0
        near = (f[:, 2] > 0) & (np.linalg.norm(f[:, :2] - t[:, :2], axis=1) <= alpha * torso)
        hit += present & near
        total += present
    return float(hit.sum() / max(total.sum(), 1)), np.where(total > 0, hit / np.maximum(total, 1), np.nan)
