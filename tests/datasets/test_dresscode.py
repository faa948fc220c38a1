"""tryon/datasets/dresscode.py: typed from FORMATS.md."""

import handmade
import numpy as np
import pytest

from tryon import schema as S
from tryon.datasets import dresscode
from tryon.datasets.sample import DatasetError

# ATR ids: background, upper-clothes, dress / left-leg, right-leg, bag.
PARSE = np.repeat(np.repeat(np.array([[0, 4, 7], [12, 13, 16]]), 20, 0), 10, 1)
# x, y, confidence, id on a canvas of 384 x 512; the id is OpenPose's number of the candidate, not the joint's.
KEYPOINTS = {"keypoints": [[10 * j, 20 * j, 0.8, 17.0 - j] for j in range(17)] + [[-1, -1, 0, -1]]}


def category(name, ids, width=30, height=40, keypoints=KEYPOINTS, parse=None):
    return {f"{name}/{folder}/{i}_{end}": data for i in ids for folder, end, data in (
        ("images", "0.jpg", handmade.photo(width, height, int(i))), ("images", "1.jpg", handmade.photo(width, height, 99)),
        ("keypoints", "2.json", keypoints), ("label_maps", "4.png", parse or handmade.palette(PARSE)),
        ("skeletons", "5.jpg", b""), ("dense", "5.png", b""))}  # fmt: skip


def test_the_three_categories_and_their_labels(tmp_path):
    """ATR's ids looked up in LIP (12 is there a skirt); dresses as tops; pairs of a list read twice."""
    handmade.write(tmp_path, {
        **category("upper_body", ("000001", "000002")), **category("dresses", ("020001",)),
        "upper_body/train_pairs.txt": "000001_0.jpg\t000001_1.jpg\n", "upper_body/test_pairs_paired.txt": "000002_0.jpg\t000002_1.jpg\n",
        "upper_body/test_pairs_unpaired.txt": "000002_0.jpg\t000001_1.jpg\n000002_0.jpg\t000002_1.jpg\n",
        "dresses/train_pairs.txt": "020001_0.jpg\t020001_1.jpg\n",
    })  # fmt: skip
    samples, rejected = handmade.read(dresscode.entries, tmp_path)
    assert not rejected
    assert list(samples) == ["upper_body/000001", "upper_body/000002", "upper_body/000002+000001", "dresses/020001"]
    s = samples["dresses/020001"]
    assert [(g.category, g.subcategory) for g in s.garments] == [("full", "dress")] and s.identity == "dresscode/020001"
    assert s.parse[::20, ::10].tolist() == [[S.BACKGROUND, S.UPPER, S.FULL], [S.LEFT_LEG, S.RIGHT_LEG, S.BAG]]
    assert s.product.paired and s.product.mask is None and not samples["upper_body/000002+000001"].product.paired
    assert samples["upper_body/000002"].split == samples["upper_body/000002+000001"].split


@pytest.mark.parametrize(("width", "height"), [(768, 1024), (384, 512), (192, 256), (768, 512)])
def test_key_points_are_scaled_from_their_canvas_to_the_photo(tmp_path, width, height):
    """Poses in the upper left quarter of the photo: the canvas is 384 x 512, the published photos are 768 x 1024, resized copies neither."""
    parse = handmade.palette(np.zeros((height, width), int))
    files = category("lower_body", ("013001",), width, height, parse=parse)
    handmade.write(tmp_path, files | {"lower_body/train_pairs.txt": "013001_0.jpg 013001_1.jpg"})
    pose = handmade.read(dresscode.entries, tmp_path)[0]["lower_body/013001"].poses[0]
    assert pose[10].tolist() == pytest.approx([100 * width / 384, 200 * height / 512, 0.8]) and pose[17].tolist() == [0, 0, 0]


def test_a_smaller_parse_map_of_the_same_aspect_is_scaled_and_another_is_refused(tmp_path):
    """Classes blended by interpolation into others; a map of another crop stretched over the photo."""
    files = category("upper_body", ("000001",), 60, 80) | category("upper_body", ("000002",), 40, 80)
    handmade.write(tmp_path, files | {"upper_body/train_pairs.txt": "000001_0.jpg 000001_1.jpg\n000002_0.jpg 000002_1.jpg\n"})
    samples, rejected = handmade.read(dresscode.entries, tmp_path)
    assert samples["upper_body/000001"].parse[::40, ::20].tolist() == [[S.BACKGROUND, S.UPPER, S.FULL], [S.LEFT_LEG, S.RIGHT_LEG, S.BAG]]
    assert rejected["upper_body/000002"].reason == "size_mismatch"


def test_the_roots_lists_name_the_category_by_a_third_column_or_not_at_all(tmp_path):
    """Dresses looked for among the tops."""
    files = category("upper_body", ("000001",)) | category("dresses", ("020001",))
    handmade.write(tmp_path, files | {"train_pairs.txt": "020001_0.jpg 020001_1.jpg 2\n000001_0.jpg 000001_1.jpg\n"})
    assert list(handmade.read(dresscode.entries, tmp_path)[0]) == ["dresses/020001", "upper_body/000001"]


def test_missing_and_wrong_files_cost_their_sample_and_missing_folders_are_told(tmp_path):
    """18 joints with three numbers read as four; a run that ends at one of them."""
    files = category("upper_body", [f"00000{i}" for i in range(4)])
    files["upper_body/keypoints/000001_2.json"] = {"keypoints": [[1, 2, 3]] * 18}
    del files["upper_body/label_maps/000002_4.png"], files["upper_body/images/000003_1.jpg"]
    handmade.write(tmp_path, files | {"upper_body/train_pairs.txt": "".join(f"00000{i}_0.jpg 00000{i}_1.jpg\n" for i in range(4))})
    samples, rejected = handmade.read(dresscode.entries, tmp_path)
    assert list(samples) == ["upper_body/000000"]
    assert [r.reason for r in rejected.values()] == ["bad_annotation", "not_found", "not_found"]
    assert "000002_4.png" in rejected["upper_body/000002"].detail
    handmade.write(tmp_path / "b", {"dresses/train_pairs.txt": "a_0.jpg a_1.jpg"})
    with pytest.raises(DatasetError, match="dresses/images"):
        handmade.read(dresscode.entries, tmp_path / "b")


def test_an_unknown_label_names_the_file(tmp_path):
    """Id 18 of another set taken for background."""
    files = category("dresses", ("020001",), parse=handmade.grey(np.full((40, 30), 18)))
    handmade.write(tmp_path, files | {"dresses/train_pairs.txt": "020001_0.jpg 020001_1.jpg"})
    with pytest.raises(DatasetError, match="020001_4.png.*'18'"):
        handmade.read(dresscode.entries, tmp_path)
