"""tryon/datasets/statistics.py: the counts of a set."""

import handmade
import numpy as np

from tryon import schema as S
from tryon.datasets.sample import IGNORE, Garment, Product, Rejected, Sample
from tryon.datasets.statistics import Statistics, table


def sample(split, **other) -> Sample:
    return Sample("a", "set/a", "set", handmade.photo(4, 4), split=split, **other)


def test_counts_and_shares_per_split():
    """Ignored pixels in the denominator; joints counted per photo in place of per person; a split's figures in another's column."""
    parse = np.array([[S.UPPER, S.UPPER, S.BACKGROUND, IGNORE]], np.uint8)
    poses = np.zeros((4, 18, 3), np.float32)
    poses[:, S.NOSE], poses[:2, S.NECK_JOINT] = 1, 1
    found = Statistics()
    found.add(sample("train", parse=parse, poses=poses, garments=[Garment("upper", "top"), Garment("upper")]), (30, 20))
    found.add(sample("train", poses=np.zeros((0, 18, 3), np.float32), product=Product("p", b"", None, False)), (30, 20))
    found.add(sample("test", product=Product("p", b"")), (10, 10))
    for reason in ("not_found", "not_found", "decode_error"):
        found.reject(Rejected("x", reason, "why"))
    report = found.report()
    train = report["train"]
    assert report["samples"] == {"train": 2, "val": 0, "test": 1} and report["rejected"] == {"decode_error": 1, "not_found": 2}
    assert train["class_pixels"]["upper"] == 0.666667 and train["ignored_pixels"] == 0.25 and train["people"] == 4
    assert train["joints_visible"]["nose"] == 1 and train["joints_visible"]["neck"] == 0.5 and train["joints_visible"]["left_ear"] == 0
    assert train["garments"] == {"upper/top": 1, "upper/unknown": 1} and train["image_sizes"] == {"20x30": 2}
    assert train["have"] == {"parse": 1, "pose": 1, "product": 1} and train["paired_products"] == 0 and report["test"]["paired_products"] == 1
    text = table(report)
    assert "pixels upper" in text and "66.7 %" in text and "left out, not_found: 2" in text and "left_ear" not in text


def test_of_many_sizes_the_commonest_are_listed():
    """Statistics with one line per photo."""
    found = Statistics()
    for i in range(30):
        found.add(sample("val"), (100, 50 if i < 5 else 100 + i))
    sizes = found.report()["val"]["image_sizes"]
    assert len(sizes) == 11 and sizes["50x100"] == 5 and sum(sizes.values()) == 30
