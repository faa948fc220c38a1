"""tryon/datasets/on_model.py: pairs out of a merchant's own catalogue, with the package's own parser and pose network."""

import cv2
import handmade
import numpy as np
import pytest

from tryon import schema as S
from tryon.datasets import on_model
from tryon.datasets.sample import DatasetError
from tryon.sample import draw_garment, draw_person


def png(image: np.ndarray) -> bytes:
    return cv2.imencode(".png", image[..., ::-1])[1].tobytes()


def store(root, table: str) -> str:
    rng = np.random.default_rng(3)
    handmade.write(root, {"worn/a.png": png(draw_person(rng, (384, 288), "full").image), "shop/a.png": png(draw_garment(rng, (384, 288), "top").image),
                          "catalog.csv": table})
    return f"{root}/catalog.csv"


def test_rows_with_a_photo_of_the_wearer_are_pairs(tmp_path):
    """Wearer and product mixed up; rows without a wearer that become people; a bad row that ends the set."""
    uri = store(tmp_path, "product_id,garment_uri,category,on_model_uri\na,shop/a.png,upper,worn/a.png\nb,shop/a.png,upper,\n"
                          "c,shop/a.png,upper,worn/missing.png\nd,shop/a.png,shoe,worn/a.png\ne,shop/a.png,upper,shop/a.png\n")
    samples, rejected = handmade.read(on_model.entries, uri)
    assert list(samples) == ["a"] and {k: r.reason for k, r in rejected.items()} == {"c": "not_found", "d": "unknown_category", "e": "no_person"}
    s = samples["a"]
    assert s.product.paired and s.product.image.shape == (384, 288, 3) and s.garments[0].category == "upper" and s.identity == "catalogue/a"
    assert s.parse.shape == s.image.shape[:2] and (s.parse == S.FACE).any() and s.poses.shape[1:] == (18, 3)
    assert np.abs(s.image.astype(int) - cv2.imread(str(tmp_path / "worn/a.png"))[..., ::-1]).max() == 0


@pytest.mark.parametrize("table, says", [("product_id,garment_uri\na,shop/a.png\n", "on_model_uri"), ("id,uri\na,b\n", "product_id")])
def test_a_table_without_wearers_is_an_error(tmp_path, table, says):
    """An empty set that trains on nothing."""
    with pytest.raises(DatasetError, match=says):
        handmade.read(on_model.entries, store(tmp_path, table))
