"""Curation: the N samples of a large set that are worth training on, by quality, without near-duplicates, classes balanced.

The split comes first and is never touched: each split gets its share of N and chooses among its own samples only.

1. *Quality* (``quality``), 0 to 1: the geometric mean of sharpness (variance of the Laplacian at 256 px of height, v / (v + 100)), size
   (shorter side / 256 px, at most 1) and exposure (range between the 5th and 95th percentile of luminance / 128, at most 1).
2. *Near-duplicates* (``NEAR``): two pictures of a split whose perceptual hashes (64 bits of the low DCT frequencies of a 32x32 grey copy;
   Zauner 2010) differ in at most 4 bits. The one of the higher quality stays.
3. *Balance*: samples are taken one at a time, each time the best one left of the class that has been taken least so far. The classes of
   a sample are the garment classes it shows: of its parse map (1 in 200 pixels or more), its garments, or its tags.
"""
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from tryon import schema as S
from tryon.datasets.sample import Sample

NEAR = 4  # bits
MIN_SHARE = 0.005  # of the pixels
GARMENT_CLASSES = tuple(S.PARSE_CLASSES[c] for c in (S.UPPER, S.OUTER, S.FULL, S.LOWER, S.LEGWEAR, S.SHOES, S.HEADWEAR, S.BAG, S.ACCESSORY))
# Reasons of a sample that was left out.
DUPLICATE, SURPLUS = "near_duplicate", "surplus"


@dataclass(frozen=True)
class Candidate:
    """What curation knows of a sample; small, so that those of a large set fit into memory."""

    id: str
    split: str
    quality: float
    hash: int
    classes: tuple[str, ...]


def candidate(sample: Sample, image: np.ndarray) -> Candidate:
    return Candidate(sample.id, sample.split, quality(image), perceptual_hash(image), shown(sample))


def quality(image: np.ndarray) -> float:
    """0-1 of an HxWx3 uint8 picture, as defined above."""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    h, w = grey.shape
    if h > 256:  # sharpness is compared at one scale; a picture is never made larger, which would blur it
        grey = cv2.resize(grey, (max(1, round(w * 256 / h)), 256), interpolation=cv2.INTER_AREA)
    sharpness = float(cv2.Laplacian(grey, cv2.CV_32F).var())
    low, high = np.percentile(grey, (5, 95))
    return float(np.cbrt(sharpness / (sharpness + 100) * min(1.0, min(h, w) / 256) * min(1.0, (high - low) / 128)))


def perceptual_hash(image: np.ndarray) -> int:
    """64 bits of an HxWx3 uint8 picture: which low frequencies lie above their median."""
    grey = cv2.resize(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), (32, 32), interpolation=cv2.INTER_AREA)
    low = cv2.dct(grey.astype(np.float32))[:8, :8].ravel()
    # The mean brightness (the first one) says nothing about the picture; a hair's breadth above the median is rounding.
    bits = low > np.median(low[1:]) + 1e-3
    return int.from_bytes(np.packbits(bits).tobytes(), "big")


def shown(sample: Sample) -> tuple[str, ...]:
    """Names of the garment classes a sample shows, in the order of the schema; kinds of its garments without a parse map."""
    if sample.parse is not None:
        share = np.bincount(sample.parse.ravel(), minlength=256)[: len(S.PARSE_CLASSES)] / sample.parse.size
        return tuple(n for n in GARMENT_CLASSES if share[S.PARSE_CLASSES.index(n)] >= MIN_SHARE)
    if sample.garments:
        return tuple(sorted({g.label or g.subcategory or g.category for g in sample.garments}))
    if sample.classes is not None:
        return tuple(n for n in GARMENT_CLASSES if sample.classes[S.PARSE_CLASSES.index(n)])
    return ()


def choose(candidates: Sequence[Candidate], keep: int) -> dict[int, str]:
    """Index into ``candidates`` -> "" when it is kept, else DUPLICATE or SURPLUS; at most ``keep`` are kept. Deterministic."""
    fate = dict.fromkeys(range(len(candidates)), SURPLUS)
    splits = {s: [i for i, c in enumerate(candidates) if c.split == s] for s in sorted({c.split for c in candidates})}
    for split, share in _shares({s: len(found) for s, found in splits.items()}, keep).items():
        best_first = sorted(splits[split], key=lambda i: (-candidates[i].quality, candidates[i].id))
        unique = _without_duplicates(best_first, candidates)
        fate.update(dict.fromkeys(set(best_first) - set(unique), DUPLICATE))
        fate.update(dict.fromkeys(_balanced(unique, candidates, share), ""))
    return fate


def leaks(candidates: Sequence[Candidate]) -> dict[str, int]:
    """Of each other split, how many samples have a near-duplicate in training: the split goes by identity and cannot see pictures."""
    train = np.array([c.hash for c in candidates if c.split == "train"], np.uint64)
    found = dict.fromkeys(sorted({c.split for c in candidates} - {"train"}), 0)
    for c in candidates:
        if c.split != "train":
            found[c.split] += bool((np.bitwise_count(train ^ np.uint64(c.hash)) <= NEAR).any())
    return found


def _shares(sizes: dict[str, int], keep: int) -> dict[str, int]:
    """``keep`` in proportion to ``sizes``, whole numbers that add up to it (largest remainder)."""
    total = sum(sizes.values())
    keep = min(keep, total)
    exact = {s: keep * n / total for s, n in sizes.items()}
    shares = {s: int(v) for s, v in exact.items()}
    for s in sorted(exact, key=lambda s: (shares[s] - exact[s], s))[: keep - sum(shares.values())]:
        shares[s] += 1
    return shares


def _without_duplicates(best_first: list[int], candidates: Sequence[Candidate]) -> list[int]:
    kept: list[int] = []
    hashes = np.zeros(len(best_first), np.uint64)
    for i in best_first:
        if not (np.bitwise_count(hashes[: len(kept)] ^ np.uint64(candidates[i].hash)) <= NEAR).any():
            hashes[len(kept)] = candidates[i].hash
            kept.append(i)
    return kept


def _balanced(best_first: list[int], candidates: Sequence[Candidate], count: int) -> list[int]:
    queues: dict[str, list[int]] = {}
    for i in reversed(best_first):  # so that the best lies at the end, where pop takes it
        for name in candidates[i].classes or ("",):
            queues.setdefault(name, []).append(i)
    taken: dict[int, None] = {}
    seen = dict.fromkeys(sorted(queues), 0)
    while len(taken) < count and queues:
        name = min(queues, key=lambda n: (seen[n], n))
        while queues[name] and queues[name][-1] in taken:
            queues[name].pop()
        if not queues[name]:
            del queues[name]
            continue
        i = queues[name].pop()
        taken[i] = None
        for n in candidates[i].classes or ("",):
            seen[n] += 1
    return list(taken)
