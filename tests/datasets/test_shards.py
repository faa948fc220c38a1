"""tryon/datasets/shards.py: what goes in comes out, in bounded pieces, and only when whole."""

import handmade
import numpy as np
import pyarrow.parquet as pq
import pytest

from tryon import schema as S
from tryon.datasets import shards
from tryon.datasets.sample import IGNORE, DatasetError, Garment, Product, Sample
from tryon.storage import Storage

W, H = 12, 16


def mask(*box):
    m = np.zeros((H, W), np.uint8)
    m[box[1] : box[3], box[0] : box[2]] = 255
    return m


def full(id="a", split="train") -> Sample:
    parse = np.arange(H * W, dtype=np.uint8).reshape(H, W) % 17
    parse[0, 0] = IGNORE
    poses = np.arange(108, dtype=np.float32).reshape(2, 18, 3) / 7
    garments = [Garment("upper", "top", "vest", mask(1, 2, 5, 6), {"1": (1.5, 2.25, 0.5)}, (1, 2, 5, 6), "17", 3), Garment()]
    product = Product("000001_1", handmade.photo(W, H, 2), mask(3, 3, 9, 9), False)
    heads = np.arange(8, dtype=np.float32).reshape(2, 4)
    return Sample(id, f"set/{id}", "set/shop", handmade.photo(W, H), parse, poses, heads, [mask(0, 0, 3, 3), None], mask(9, 9, 12, 16), garments,
                  product, np.arange(17) % 3 == 0, split)  # fmt: skip


def bare(id, split="train") -> Sample:
    return Sample(id, f"set/{id}", "set", handmade.photo(W, H), split=split)


def same(a, b) -> bool:
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return type(a) is type(b) and a.dtype == b.dtype and np.array_equal(a, b)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    if hasattr(a, "__dataclass_fields__"):
        return type(a) is type(b) and all(same(getattr(a, f), getattr(b, f)) for f in a.__dataclass_fields__)
    return a == b


def put(root, samples, **options) -> dict[str, bytes]:
    writer = shards.ShardWriter(Storage(), str(root), **options)
    for s in samples:
        writer.add(s)
    writer.close({"n": 1})
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def test_every_field_comes_back_as_it_went_in(tmp_path):
    """Masks scaled or lossy, ids of a parse map changed, nobody there (0 people) turned into not known, a garment without a mask."""
    samples = [full(), bare("b"), Sample("c", "set/c", "set", handmade.photo(W, H), poses=np.zeros((0, 18, 3), np.float32), split="train")]
    put(tmp_path, samples)
    back = list(shards.read(str(tmp_path)))
    assert all(map(same, back, samples)) and len(back) == 3
    assert back[0].parse[0, 1] == S.HAIR and back[1].poses is None and back[2].poses.shape == (0, 18, 3) and back[2].pose is None


def test_shards_have_one_schema_and_a_bounded_size(tmp_path):
    """A column that is null in the first shard and text in the second; a shard of the whole set."""
    put(tmp_path, [bare(str(i)) for i in range(4)] + [full("x"), bare("v", "val")], rows=2)
    files = sorted(tmp_path.rglob("*.parquet"))
    assert [(str(f.relative_to(tmp_path)), pq.read_metadata(f).num_rows) for f in files] == [
        ("train/00000.parquet", 2), ("train/00001.parquet", 2), ("train/00002.parquet", 1), ("val/00000.parquet", 1)]  # fmt: skip
    assert all(pq.read_schema(f).equals(shards.SCHEMA) for f in files)
    large = Sample("l", "set/l", "set", bytes(700_000), split="train")
    writer = shards.ShardWriter(Storage(), str(tmp_path / "b"), megabytes=1)
    writer.add(large)
    assert not writer.shards
    writer.add(large)
    assert writer.shards == {"train/00000.parquet": 2} and not writer.waiting["train"]


def test_splits_are_read_apart_and_in_order(tmp_path):
    """Test samples in training."""
    put(tmp_path, [bare(f"{i}", ("train", "val", "test")[i % 3]) for i in range(9)], rows=2)
    assert [s.id for s in shards.read(str(tmp_path), ("val",))] == ["1", "4", "7"]
    assert [s.id for s in shards.read(str(tmp_path), ("train", "test"))] == ["0", "3", "6", "2", "5", "8"]


def test_the_same_samples_give_the_same_bytes_and_old_shards_go(tmp_path):
    """A second run that doubles the set, or leaves the last shards of a longer one; files of somebody else deleted."""
    first = put(tmp_path, [full(str(i)) for i in range(5)], rows=2)
    assert put(tmp_path, [full(str(i)) for i in range(5)], rows=2) == first
    handmade.write(tmp_path, {"train/notes.txt": b"mine"})
    second = put(tmp_path, [full(str(i)) for i in range(2)], rows=2)
    assert sorted(second) == ["statistics.json", "train/00000.parquet", "train/notes.txt"]
    assert second["train/00000.parquet"] == first["train/00000.parquet"]


def test_a_set_that_was_not_finished_is_not_read(tmp_path):
    """A killed run taken for a small data set; a mixture of an old set and a new one."""
    put(tmp_path, [full()])
    writer = shards.ShardWriter(Storage(), str(tmp_path), rows=1)
    writer.add(full("new"))
    with pytest.raises(DatasetError, match="statistics.json"):
        list(shards.read(str(tmp_path)))
