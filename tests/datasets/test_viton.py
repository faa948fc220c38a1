"""tryon/datasets/viton.py: both layouts, typed from FORMATS.md."""

import json

import handmade
import numpy as np
import pytest

from tryon import schema as S
from tryon.datasets import viton
from tryon.datasets.sample import DatasetError
from tryon.datasets.split import split_of

W, H = 48, 64
# Rows of ids: background, upper-clothes, 10, pants, left-arm (person's left: to the right in the picture), left-shoe.
PARSE = np.repeat(np.repeat(np.array([[0, 5, 10], [0, 9, 14], [0, 0, 18]]), 16, 1), [22, 21, 21], 0)
OLD_POSE = {"version": 1.0, "people": [{"face_keypoints": [], "pose_keypoints": [v for j in range(18) for v in (j, 2 * j, 0.9)]}]}
BODY_25 = {"version": 1.3, "people": [{"person_id": [-1], "pose_keypoints_2d": [v for j in range(25) for v in (j, 2 * j, 0.9)]}]}


def mask() -> bytes:
    rows = np.zeros((H, W), int)
    rows[10:50, 10:40] = 255
    return handmade.grey(rows)


def cp_vton(root, parse=None):
    parse = parse or handmade.palette(PARSE)
    return handmade.write(root, {
        "train_pairs.txt": "000001_0.jpg 000001_1.jpg\n000002_0.jpg 000002_1.jpg\n", "test_pairs.txt": "000003_0.jpg 000002_1.jpg\n",
        **{f"{part}/{folder}/{n}_{i}{suffix}": data for part, ns in (("train", ("000001", "000002")), ("test", ("000003",))) for n in ns
           for folder, i, suffix, data in (
               ("image", 0, ".jpg", handmade.photo(W, H, int(n))), ("image-parse", 0, ".png", parse), ("pose", 0, "_keypoints.json", OLD_POSE))},
        **{f"{part}/{folder}/{n}_1.jpg": data for part, n in (("train", "000001"), ("train", "000002"), ("test", "000002"))
           for folder, data in (("cloth", handmade.photo(W, H, 9)), ("cloth-mask", mask()))},
    })  # fmt: skip


def viton_hd(root, parse=None, pose=BODY_25):
    return handmade.write(root, {
        "train_pairs.txt": "00006_00.jpg 00006_00.jpg\n",
        "train/image/00006_00.jpg": handmade.photo(W, H), "train/cloth/00006_00.jpg": handmade.photo(W, H, 1),
        "train/cloth-mask/00006_00.jpg": mask(), "train/image-parse-v3/00006_00.png": parse or handmade.palette(PARSE),
        "train/image-parse-agnostic-v3.2/00006_00.png": handmade.palette(PARSE), "train/openpose_json/00006_00_keypoints.json": pose,
    })  # fmt: skip


def test_cp_vton_gives_person_parse_pose_and_product(tmp_path):
    """The old key `pose_keypoints` read as nobody; the shop picture in place of the person; a mask of 0/1; train and test mixed up."""
    samples, rejected = handmade.read(viton.entries, cp_vton(tmp_path))
    assert not rejected and list(samples) == ["train/000001_0", "train/000002_0", "test/000003_0+000002_1"]
    s = samples["train/000001_0"]
    assert s.image.shape == (H, W, 3) and s.identity == "viton/000001" and s.split == split_of("viton/000001")
    assert s.poses.shape == (1, 18, 3) and s.poses[0, S.L_EAR].tolist() == pytest.approx([17, 34, 0.9])
    assert s.product.id == "000001_1" and s.product.paired and s.product.image.shape == (H, W, 3)
    assert set(np.unique(s.product.mask)) == {0, 255} and (s.product.mask > 0).sum() == 1200
    assert [g.category for g in s.garments] == ["upper"]


def test_id_10_is_jumpsuits_in_viton_and_neck_in_viton_hd(tmp_path):
    """The trap of the formats: necks dressed as jumpsuits."""
    corners = [S.BACKGROUND, S.UPPER, S.LOWER, S.LEFT_ARM, S.SHOES]
    for root, make, entries, ten in ((tmp_path / "a", cp_vton, viton.entries, S.FULL), (tmp_path / "b", viton_hd, viton.entries_hd, S.NECK)):
        parse = next(iter(handmade.read(entries, make(root))[0].values())).parse
        assert [parse[y, x] for y, x in ((0, 0), (0, 20), (30, 20), (30, 40), (60, 40))] == corners and parse[0, 40] == ten


def test_viton_hd_reads_body_25(tmp_path):
    """Joint 8, the middle of the hips, read as the right hip, and everything after it shifted."""
    s = handmade.read(viton.entries_hd, viton_hd(tmp_path))[0]["train/00006_00"]
    assert s.poses[0, :, 0].tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18]
    assert s.identity == "viton-hd/00006" and s.product.paired


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_a_parse_map_copied_into_colours_reads_as_its_ids(tmp_path, mode):
    """Every pixel unknown, or the red channel read as ids."""
    copy = handmade.save(handmade.palette_image(PARSE).convert(mode), "PNG")
    a = handmade.read(viton.entries, cp_vton(tmp_path / "a", copy))[0]["train/000001_0"]
    b = handmade.read(viton.entries, cp_vton(tmp_path / "b"))[0]["train/000001_0"]
    assert np.array_equal(a.parse, b.parse)


def test_id_20_is_the_neck_of_cp_vton_plus_and_unknown_to_viton_hd(tmp_path):
    """An unknown id that becomes background, or that costs the sample only, so that nobody sees it."""
    parse = handmade.grey(np.where(PARSE == 10, 20, PARSE))
    assert (handmade.read(viton.entries, cp_vton(tmp_path / "a", parse))[0]["train/000001_0"].parse == S.NECK).any()
    root = viton_hd(tmp_path / "b", parse)
    with pytest.raises(DatasetError, match="00006_00.png.*'20'"):
        handmade.read(viton.entries_hd, root)
    assert (handmade.read(viton.entries_hd, root, labels={"20": "neck"})[0]["train/00006_00"].parse == S.NECK).any()


@pytest.mark.parametrize("name", ["image/000001_0.jpg", "cloth/000001_1.jpg", "cloth-mask/000001_1.jpg", "image-parse/000001_0.png",
                                  "pose/000001_0_keypoints.json"])  # fmt: skip
def test_a_missing_file_costs_one_sample_and_is_named(tmp_path, name):
    """A run of hours that ends at one file; a sample that goes on without its parse map."""
    root = cp_vton(tmp_path)
    (tmp_path / "train" / name).unlink()
    samples, rejected = handmade.read(viton.entries, root)
    assert list(samples) == ["train/000002_0", "test/000003_0+000002_1"]
    assert rejected["train/000001_0"].reason == "not_found" and name in rejected["train/000001_0"].detail


@pytest.mark.parametrize(("name", "data", "reason"), [
    ("image/000001_0.jpg", b"<html>", "decode_error"), ("image/000001_0.jpg", handmade.photo(W, H)[:400], "decode_error"),
    ("image-parse/000001_0.png", handmade.palette(PARSE[:-1]), "size_mismatch"), ("image-parse/000001_0.png", b"", "decode_error"),
    ("pose/000001_0_keypoints.json", b"{", "bad_annotation"), ("cloth-mask/000001_1.jpg", handmade.grey([[0] * 64] * 20), "decode_error"),
])  # fmt: skip
def test_a_damaged_file_costs_one_sample(tmp_path, name, data, reason):
    """Half a photo trained on as if it were whole; a parse map one row too short, shifted against its photo."""
    root = cp_vton(tmp_path)
    (tmp_path / "train" / name).write_bytes(data)
    samples, rejected = handmade.read(viton.entries, root)
    assert list(samples) == ["train/000002_0", "test/000003_0+000002_1"] and rejected["train/000001_0"].reason == reason


def test_nobody_and_several_people(tmp_path):
    """No people as an error; the smaller of two taken for the model."""
    two = {"people": [{"pose_keypoints_2d": [v for j in range(25) for v in (k * j, k * j, 1)]} for k in (0.5, 1)]}
    assert handmade.read(viton.entries_hd, viton_hd(tmp_path, pose=two))[0]["train/00006_00"].poses[:, 1, 0].tolist() == [1, 0.5]
    s = handmade.read(viton.entries_hd, viton_hd(tmp_path, pose={"version": 1.3, "people": []}))[0]["train/00006_00"]
    assert s.poses.shape == (0, 18, 3) and s.pose is None


def test_the_wrong_layout_and_a_missing_folder_are_told(tmp_path):
    """VITON-HD read as VITON with necks as jumpsuits; every sample 'not found' in place of one line."""
    with pytest.raises(DatasetError, match="train/image-parse.*--format viton-hd"):
        handmade.read(viton.entries, viton_hd(tmp_path / "a"))
    with pytest.raises(DatasetError, match="train/image-parse-v3"):
        handmade.read(viton.entries_hd, cp_vton(tmp_path / "b"))
    with pytest.raises(DatasetError, match="train_pairs.txt"):
        handmade.read(viton.entries, tmp_path / "nothing")


def test_an_unpaired_list_is_not_mistaken_for_pairs(tmp_path):
    """A fit learned from somebody else's garment."""
    s = handmade.read(viton.entries, cp_vton(tmp_path))[0]["test/000003_0+000002_1"]
    assert not s.product.paired and s.identity == "viton/000003" and json.dumps(s.product.id) == '"000002_1"'
