"""tryon/datasets/curate.py: quality, near-duplicates, balance; never across splits."""

from collections import Counter
from dataclasses import replace

import cv2
import handmade
import numpy as np
import pytest

from tryon import schema as S
from tryon.datasets import curate
from tryon.datasets.curate import DUPLICATE, SURPLUS, Candidate, choose, perceptual_hash, quality
from tryon.datasets.sample import Garment, Sample


def picture(seed=0, size=(512, 384)) -> np.ndarray:
    rng = np.random.default_rng(seed)
    coarse = cv2.resize(rng.integers(0, 256, (9, 7, 3), np.uint8), size[::-1], interpolation=cv2.INTER_CUBIC).astype(int)
    return np.clip(coarse + rng.integers(-25, 26, (*size, 3)), 0, 255).astype(np.uint8)


def candidates(n, split="train", classes=("upper",), first=0, quality=0.5):
    """Pictures that are all different: hashes far apart."""
    rng = np.random.default_rng(first)
    return [Candidate(f"{split}{first + i}", split, quality, int(rng.integers(0, 2**63)), classes) for i in range(n)]


def kept(found, keep):
    return [found[i] for i, reason in choose(found, keep).items() if not reason]


def test_quality_falls_with_blur_smallness_and_flat_exposure():
    """A definition that prefers a blurred, tiny or under-exposed photo."""
    good = picture()
    worse = {"blurred": cv2.GaussianBlur(good, (0, 0), 4), "small": cv2.resize(good, (96, 128), interpolation=cv2.INTER_AREA), "dark": good // 8,
             "bright": 255 - good // 8}
    assert 0 < quality(good) <= 1 and quality(np.full((300, 200, 3), 128, np.uint8)) == 0
    assert all(quality(w) < 0.9 * quality(good) for w in worse.values()), {n: quality(w) for n, w in worse.items()}


def test_copies_have_near_hashes_and_other_pictures_have_not():
    """A resized or recompressed copy that passes as new; different photos dropped as copies."""
    a = picture()
    bits = lambda x, y: (perceptual_hash(x) ^ perceptual_hash(y)).bit_count()  # noqa: E731
    jpeg = cv2.imdecode(cv2.imencode(".jpg", a, [cv2.IMWRITE_JPEG_QUALITY, 60])[1], cv2.IMREAD_COLOR)
    for copy in (jpeg, cv2.resize(a, (192, 256), interpolation=cv2.INTER_AREA), np.clip(a.astype(int) + 12, 0, 255).astype(np.uint8)):
        assert bits(a, copy) <= curate.NEAR
    assert min(bits(picture(i), picture(j)) for i in range(12) for j in range(i)) > 3 * curate.NEAR


def test_of_near_duplicates_the_best_stays_and_only_within_a_split():
    """The blurred copy kept; a training sample dropped for its likeness to a test sample, which mixes the splits."""
    found = [Candidate("a", "train", 0.4, 0b0, ()), Candidate("b", "train", 0.9, 0b1111, ()), Candidate("c", "train", 0.5, 0b11111 << 20, ()),
             Candidate("d", "test", 0.1, 0b0, ()), Candidate("e", "train", 0.2, 0b11111, ())]  # fmt: skip
    assert choose(found, 10) == {0: DUPLICATE, 1: "", 2: "", 3: "", 4: DUPLICATE}


def test_near_duplicates_between_training_and_the_other_splits_are_counted():
    """One person under two names, in training and in the test, that nobody hears of."""
    train, test = candidates(5), candidates(4, "test", first=50)
    copies = [replace(c, split="test", hash=c.hash ^ 0b101) for c in train[:2]]
    assert curate.leaks([*train, *test, *copies]) == {"test": 2} and curate.leaks(test) == {"test": 0}


def test_each_split_gets_its_share():
    """N taken from the training split alone; more or fewer than N by rounding; a sample that changes its split."""
    found = candidates(70) + candidates(15, "val", first=100) + candidates(15, "test", first=200)
    for keep in (1, 10, 33, 99, 100, 1000):
        counts = Counter(c.split for c in kept(found, keep))
        assert sum(counts.values()) == min(keep, 100)
        assert all(abs(counts[s] - min(keep, 100) * n / 100) < 1 for s, n in (("train", 70), ("val", 15), ("test", 15)))


def test_rare_classes_are_taken_before_more_of_the_common_one():
    """5,000 of 15,000 with every dress lost, because tops are sharper."""
    found = candidates(90, classes=("bag",), quality=0.9) + candidates(6, classes=("full",), first=500, quality=0.2)
    found += candidates(4, classes=("full", "upper"), first=600, quality=0.1)
    counts = Counter(name for c in kept(found, 20) for name in c.classes)
    assert counts["full"] == 10 and counts["upper"] == 4 and counts["bag"] == 10


def test_within_a_class_the_best_are_taken_and_ties_are_settled():
    """The first in the list in place of the best; another choice on another day."""
    found = [replace(c, quality=(7 * i % 20) / 20) for i, c in enumerate(candidates(20))]
    best = kept(found, 5)
    assert {c.quality for c in best} == {0.95, 0.9, 0.85, 0.8, 0.75}
    assert {c.id for c in kept(found[::-1], 5)} == {c.id for c in best}
    assert list(choose(found, 5).values()).count(SURPLUS) == 15


@pytest.mark.parametrize(("sample", "expected"), [
    ({"parse": np.repeat(np.array([S.BACKGROUND, S.UPPER, S.FACE, 255], np.uint8), 5).reshape(4, 5)}, ("upper",)),
    ({"parse": np.append(np.zeros(999, np.uint8), S.BAG).reshape(40, 25)}, ()),
    ({"garments": [Garment("upper", "top", "vest"), Garment("lower", "skirt")]}, ("skirt", "vest")),
    ({"classes": np.arange(17) == S.FULL}, ("full",)), ({}, ()),
])  # fmt: skip
def test_the_classes_of_a_sample_are_the_garments_it_shows(sample, expected):
    """Balance by background and faces, which every photo has; three pixels of a bag that count as one."""
    assert curate.shown(Sample("a", "set/a", "set", handmade.photo(5, 4), **sample)) == expected


def test_fifteen_thousand_are_curated_in_seconds():
    """A comparison of all with all in Python: the article's 15,000 are 112 million pairs."""
    assert len(kept(candidates(15000), 5000)) == 5000
