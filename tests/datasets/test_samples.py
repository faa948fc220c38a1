"""tryon/datasets/sample.py: the schema, and the guard around readers."""

import time

import handmade
import numpy as np
import pytest

from tryon.datasets.sample import DatasetError, Entry, Garment, Product, Rejected, Sample, SampleError, check, load
from tryon.datasets.split import split_of
from tryon.schema import RowError
from tryon.storage import StorageError

W, H = 12, 16


def sample(id="a", **other) -> Sample:
    return Sample(id, f"set/{id}", "set", handmade.photo(W, H), **other)


def raises(error):
    def load():
        raise error

    return load


def test_one_bad_sample_costs_one_sample_in_its_place():
    """A run that ends at the first broken file; samples out of order, so that a second run writes other shards."""

    def slow():
        time.sleep(0.05)
        return sample("slow")

    bad = {"row": RowError("not_found", "no a.jpg"), "sample": SampleError("unlabelled", "x"), "key": KeyError("item1"), "value": ValueError("x\ny")}
    entries = [Entry("slow", slow), *(Entry(n, raises(e)) for n, e in bad.items()), *(Entry(str(i), lambda i=i: sample(str(i))) for i in range(20))]
    found = list(load(entries, 4))
    assert [r.id if isinstance(r, Rejected) else r[0].id for r in found] == ["slow", *bad, *map(str, range(20))]
    assert [r.reason for r in found[1:5]] == ["not_found", "unlabelled", "bad_annotation", "bad_annotation"]
    assert all(r.detail and "\n" not in r.detail for r in found[1:5]) and found[0][1].shape == (H, W, 3)


@pytest.mark.parametrize("error", [DatasetError("unknown label"), StorageError("no bucket"), RowError("storage_error", "timeout")])
def test_what_is_wrong_with_the_set_or_the_storage_ends_the_run(error):
    """A set in which every sample is rejected one by one; samples lost for good to a bad network."""
    with pytest.raises((DatasetError, StorageError)):
        list(load([Entry("a", raises(error))]))


def test_only_a_few_samples_are_read_ahead():
    """The whole set in memory."""
    begun = []
    entries = (Entry(str(i), lambda i=i: begun.append(i) or sample(str(i))) for i in range(1000))
    results = load(entries, 2)
    next(results)
    time.sleep(0.05)
    assert len(begun) <= 6


@pytest.mark.parametrize("wrong", [
    {"parse": np.zeros((H, W + 1), np.uint8)}, {"masks": [None, np.zeros((W, H), np.uint8)]}, {"ignore": np.zeros((1, 1), np.uint8)},
    {"garments": [Garment(mask=np.zeros((H + 1, W), np.uint8))]},
    {"product": Product("p", handmade.photo(W, H), np.zeros((W, H), np.uint8))},
])  # fmt: skip
def test_an_annotation_of_another_size_than_its_photo_is_refused(wrong):
    """A parse map shifted against its photo."""
    with pytest.raises(SampleError) as e:
        check(sample(**wrong))
    assert e.value.reason == "size_mismatch"


def test_ids_that_are_not_ours_do_not_pass():
    """A reader that forgets to map its labels."""
    with pytest.raises(AssertionError, match="17"):
        check(sample(parse=np.full((H, W), 17, np.uint8)))


def test_photos_stay_encoded_and_pose_is_none_when_nobody_is_there():
    """A list of samples that holds every photo decoded; training on a person who is not there."""
    s = sample(poses=np.zeros((0, 18, 3), np.float32))
    assert s.image is not s.image and s.pose is None and isinstance(s.photo, bytes)
    assert sample(poses=np.ones((1, 18, 3), np.float32)).pose.shape == (1, 18, 3) and sample().pose is None
    assert s.split == split_of("set/a") and sample(split="val").split == "val"


def test_style_0_pairs_with_nothing():
    """DeepFashion2's garments without a pair, paired with one another."""
    assert Garment(pair_id="7", style=2).pair == Garment(pair_id="7", style=2).pair == "7/2"
    assert Garment(pair_id="7").pair == "" and Garment(style=1).pair == ""
