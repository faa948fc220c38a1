"""tryon/datasets/deepfashion2.py: typed from FORMATS.md."""

import handmade
import pytest

from tryon.datasets import deepfashion2
from tryon.datasets.sample import DatasetError

# (name, id, landmarks, category), typed from FORMATS.md.
CATEGORIES = [
    ("short sleeve top", 1, 25, "upper"), ("long sleeve top", 2, 33, "upper"), ("short sleeve outwear", 3, 31, "upper"),
    ("long sleeve outwear", 4, 39, "upper"), ("vest", 5, 15, "upper"), ("sling", 6, 15, "upper"), ("shorts", 7, 10, "lower"),
    ("trousers", 8, 14, "lower"), ("skirt", 9, 8, "lower"), ("short sleeve dress", 10, 29, "full"), ("long sleeve dress", 11, 37, "full"),
    ("vest dress", 12, 19, "full"), ("sling dress", 13, 19, "full"),
]  # fmt: skip


def item(name="skirt", id=9, count=8, style=1, **other):
    """Landmark i lies at (i, 2 i); the first is visible, the second hidden, the third absent, the rest visible."""
    points = [v for i in range(count) for v in (i, 2 * i, (2, 1, 0, *[2] * 40)[i])]
    return {"category_name": name, "category_id": id, "style": style, "bounding_box": [2, 3, 20, 30], "landmarks": points, "scale": 2, "occlusion": 1,
            "zoom_in": 1, "viewpoint": 2, "segmentation": [[2, 3, 10, 3, 10, 13, 2, 13], [15, 20, 18, 20, 18, 22]]} | other  # fmt: skip


def write(root, annotations: dict):
    return handmade.write(root, {
        **{f"image/{n}.jpg": handmade.photo(40, 50, int(n)) for n in annotations},
        **{f"annos/{n}.json": a for n, a in annotations.items()}})  # fmt: skip


@pytest.mark.parametrize(("name", "id", "landmarks", "category"), CATEGORIES)
def test_every_category_with_its_landmarks(tmp_path, name, id, landmarks, category):
    """A dress filed under tops; landmarks of one category read with the count of another."""
    write(tmp_path, {"000001": {"source": "shop", "pair_id": 1, "item1": item(name, id, landmarks)}})
    g = handmade.read(deepfashion2.entries, tmp_path)[0]["000001"].garments[0]
    assert (g.label, g.category, len(g.landmarks)) == (name, category, landmarks - 1)
    write(tmp_path, {"000001": {"source": "shop", "pair_id": 1, "item1": item(name, id, landmarks + 1)}})
    assert handmade.read(deepfashion2.entries, tmp_path)[1]["000001"].reason == "bad_annotation"


def test_outline_box_and_visibility_of_every_item(tmp_path):
    """The second part of an outline lost, or cut out of the first; hidden landmarks as sure as visible ones; absent ones at 2, 4."""
    items = {f"item{i}": item(style=i) for i in (10, 2, 1)}
    write(tmp_path, {"000001": {"source": "user", "pair_id": 7, **items}})
    s = handmade.read(deepfashion2.entries, tmp_path)[0]["000001"]
    assert [g.style for g in s.garments] == [1, 2, 10] and s.source == "deepfashion2/user" and s.parse is None
    g = s.garments[0]
    assert g.landmarks["1"] == (0, 0, 1.0) and g.landmarks["2"] == (1, 2, 0.5) and "3" not in g.landmarks and g.box == (2, 3, 20, 30)
    assert g.mask.shape == (50, 40) and (g.mask[:15] > 0).sum() == 99 and g.mask[20, 16] == 255 and g.mask[16, 5] == 0


def test_pairs_share_id_and_style_and_fall_into_one_split(tmp_path):
    """The shop photo in training and its wearer in the test; style 0, which has no pair, paired with another style 0."""
    files = {f"{i:06d}": {"source": "shop" if i % 2 else "user", "pair_id": i // 2, "item1": item(style=i // 2 % 3)} for i in range(1, 40)}
    samples = handmade.read(deepfashion2.entries, write(tmp_path, files))[0]
    for i in range(2, 40, 2):
        user, shop = samples[f"{i:06d}"], samples.get(f"{i + 1:06d}")
        if shop:
            assert user.split == shop.split and user.garments[0].pair == shop.garments[0].pair
            assert bool(user.garments[0].pair) == (i // 2 % 3 > 0)
    assert len({s.split for s in samples.values()}) == 3


def test_an_unknown_category_names_file_and_label_unless_mapped(tmp_path):
    """A garment left out in silence."""
    write(tmp_path, {"000001": {"source": "shop", "pair_id": 1, "item1": item("kilt", 14), "item2": item()}})
    with pytest.raises(DatasetError, match="000001.json, item1.*'kilt'"):
        handmade.read(deepfashion2.entries, tmp_path)
    assert len(handmade.read(deepfashion2.entries, tmp_path, labels={"kilt": "skirt"})[0]["000001"].garments) == 2
    assert len(handmade.read(deepfashion2.entries, tmp_path, labels={"kilt": "ignore"})[0]["000001"].garments) == 1


@pytest.mark.parametrize("wrong", [{"category_id": 8}, {"landmarks": [1, 2]}, {"segmentation": [[1, 2, 3, 4]]}, {"bounding_box": None},
                                   {"style": "x"}, {"landmarks": [1, 2, 7] * 8}])  # fmt: skip
def test_a_wrong_item_costs_one_sample(tmp_path, wrong):
    """A category whose name and id differ: which landmarks are these?"""
    write(tmp_path, {n: {"source": "shop", "pair_id": 1, "item1": i} for n, i in (("000001", item(**wrong)), ("000002", item()))})
    samples, rejected = handmade.read(deepfashion2.entries, tmp_path)
    assert list(samples) == ["000002"] and rejected["000001"].reason == "bad_annotation"


def test_missing_files_on_either_side_and_a_missing_folder(tmp_path):
    """A photo without annotation that is never heard of."""
    write(tmp_path, {n: {"source": "shop", "pair_id": 1, "item1": item()} for n in ("000001", "000002", "000003")})
    (tmp_path / "image/000001.jpg").unlink()
    (tmp_path / "annos/000002.json").unlink()
    samples, rejected = handmade.read(deepfashion2.entries, tmp_path)
    assert list(samples) == ["000003"] and [(r.id, r.reason) for r in rejected.values()] == [("000001", "not_found"), ("000002", "not_found")]
    with pytest.raises(DatasetError, match="annos"):
        handmade.read(deepfashion2.entries, handmade.write(tmp_path / "b", {"image/000001.jpg": b"x"}))
    with pytest.raises(DatasetError, match="annos"):
        handmade.read(deepfashion2.entries, tmp_path / "c")


def test_the_published_parts_are_found(tmp_path):
    """train/ and validation/ read as an empty set."""
    for part in ("train", "validation"):
        write(tmp_path / part, {"000001": {"source": "shop", "pair_id": 1, "item1": item()}})
    assert list(handmade.read(deepfashion2.entries, tmp_path)[0]) == ["train/000001", "validation/000001"]
