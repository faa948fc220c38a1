"""Whether a confidence can be decided by: does it tell good from bad, and is it what it says it is?"""
import numpy as np

DEFINITIONS = {
    "auc": "chance that a picture that has what is looked for gets a higher confidence than one that has not (0.5: a guess)",
    "rank_correlation": "Spearman's, of confidence and quality over the pictures",
    "bins": "pictures in order of confidence, in five equal parts: mean confidence, mean quality",
}


def auc(positive: np.ndarray, negative: np.ndarray) -> float:
    """Area under the ROC curve: the chance that a positive is above a negative, ties counted half. NaN without both."""
    if not len(positive) or not len(negative):
        return float("nan")
    p, n = np.asarray(positive)[:, None], np.asarray(negative)[None]
    return float((p > n).mean() + 0.5 * (p == n).mean())


def spearman(a: np.ndarray, b: np.ndarray) -> float:
    """Rank correlation of two lists; NaN for fewer than three."""
    if len(a) < 3:
        return float("nan")
    rank = lambda x: np.searchsorted(np.sort(x), x, "left") / 2 + np.searchsorted(np.sort(x), x, "right") / 2
    return float(np.corrcoef(rank(np.asarray(a)), rank(np.asarray(b)))[0, 1])


def bins(confidence: np.ndarray, quality: np.ndarray, count: int = 5) -> list[dict]:
    order = np.argsort(confidence, kind="stable")
    return [{"pictures": len(part), "confidence": float(np.mean(confidence[part])), "quality": float(np.mean(quality[part]))}
            for part in np.array_split(order, count) if len(part)]


def report(confidence: list[float], quality: list[float], bad_below: float, negatives: list[float], missed: int, false_alarms: int) -> dict:
    """``confidence`` and ``quality`` (both 0-1) of the pictures that show what is looked for, ``bad_below``: the quality below which one
    should be reviewed; ``negatives``: confidence on pictures that do not show it (0 where it was refused); ``missed`` of the former were
    refused, ``false_alarms`` of the latter were not."""
    c, q = np.asarray(confidence, float), np.asarray(quality, float)
    return {"definitions": DEFINITIONS, "pictures": len(c), "refused": missed, "negatives": len(negatives), "negatives_accepted": false_alarms,
            "auc_present": auc(c, np.asarray(negatives, float)), f"auc_quality_at_least_{bad_below:g}": auc(c[q >= bad_below], c[q < bad_below]),
            "rank_correlation": spearman(c, q), "bins": bins(c, q)}
