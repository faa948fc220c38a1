"""tryon/datasets/split.py: 70 / 15 / 15 by the identity alone."""

from collections import Counter

from tryon.datasets.split import split_of


def test_shares_are_70_15_15_and_a_name_always_falls_alike():
    """A split that differs per process (Python's own hash) or leaks when the set grows."""
    counts = Counter(split_of(f"set/{i}") for i in range(20000))
    assert all(abs(counts[s] / 20000 - share) < 0.01 for s, share in (("train", 0.7), ("val", 0.15), ("test", 0.15)))
    assert [split_of(f"ccp/{i:04d}") for i in range(100, 110)] == "train train val val test train train train train val".split()
