"""tryon/datasets/coco.py: typed from FORMATS.md."""

import handmade
import numpy as np
import pytest

from tryon import schema as S
from tryon.datasets import coco
from tryon.datasets.sample import DatasetError, SampleError

W, H = 20, 10
NAMES = ("nose left_eye right_eye left_ear right_ear left_shoulder right_shoulder left_elbow right_elbow left_wrist right_wrist left_hip right_hip "
         "left_knee right_knee left_ankle right_ankle").split()  # fmt: skip
PERSON = {"id": 1, "name": "person", "supercategory": "person", "keypoints": NAMES, "skeleton": [[16, 14]]}
# RLE runs down the columns, starting with zeros: rows 2 and 3 of the second column.
UNCOMPRESSED = {"size": [H, W], "counts": [12, 2, 186]}
COMPRESSED = {"size": [H, W], "counts": "<2j5"}


def joints(at=0, v=2, **other) -> list:
    """Joint i lies at (at + i / 2, i / 4); ``other`` sets v of a joint by name."""
    return [x for i, n in enumerate(NAMES) for x in (at + i / 2, i / 4, other.get(n, v))]


def annotation(id, image=7, **other) -> dict:
    square = [[2, 3, 8, 3, 8, 7, 2, 7]]
    return {"id": id, "image_id": image, "category_id": 1, "iscrowd": 0, "num_keypoints": 17, "keypoints": joints(), "bbox": [2, 3, 6, 4], "area": 24,
            "segmentation": square} | other  # fmt: skip


def write(root, annotations, categories=(PERSON,), images=(7,), folder="val2017"):
    document = {"info": {}, "licenses": [], "annotations": annotations, "categories": list(categories),
                "images": [{"id": i, "file_name": f"{i:012d}.jpg", "width": W, "height": H, "license": 1} for i in images]}  # fmt: skip
    return handmade.write(root, {
        "annotations/person_keypoints_val2017.json": document, "annotations/captions_val2017.json": {},
        **{f"{folder}/{i:012d}.jpg": handmade.photo(W, H, i) for i in images}})  # fmt: skip


def one(root, *annotations):
    samples, rejected = handmade.read(coco.entries, write(root, annotations))
    assert not rejected
    return samples["val2017/7"]


def test_joints_in_cocos_order_become_openposes(tmp_path):
    """Left and right swapped, eyes and ears taken for each other, a neck out of thin air; hidden joints as sure as visible ones."""
    pose = one(tmp_path, annotation(1, keypoints=joints(left_wrist=1, right_knee=0))).poses[0]
    for j, name in enumerate(S.JOINTS):
        if name == "neck":
            assert pose[j].tolist() == [2.75, 1.375, 1]
        elif name == "right_knee":
            assert pose[j].tolist() == [0, 0, 0]
        else:
            assert pose[j].tolist() == [NAMES.index(name) / 2, NAMES.index(name) / 4, 0.5 if name == "left_wrist" else 1]
    assert one(tmp_path, annotation(1, keypoints=joints(left_shoulder=0))).poses[0, S.NECK_JOINT].tolist() == [0, 0, 0]


def test_several_people_the_largest_first_and_those_without_joints_last(tmp_path):
    """A passer-by first; the mask of one person with the joints of another; a person without joints in place of the model."""
    s = one(tmp_path, annotation(1, bbox=[0, 0, 2, 2], keypoints=joints(1)),
            annotation(2, bbox=[0, 0, 19, 9], keypoints=[0] * 51, num_keypoints=0, segmentation=[[0, 0, 19, 0, 19, 9, 0, 9]]),
            annotation(3, bbox=[0, 0, 5, 5], keypoints=joints(3), segmentation=UNCOMPRESSED))  # fmt: skip
    assert s.poses[:, 0].tolist() == [[3, 0, 1], [1, 0, 1], [0, 0, 0]]
    assert [(m > 0).sum() for m in s.masks] == [2, 24, 171] and s.masks[0].shape == (H, W) and s.masks[0].dtype == np.uint8


@pytest.mark.parametrize("rle", [UNCOMPRESSED, COMPRESSED])
def test_rle_runs_down_the_columns_in_both_writings(rle):
    """A mask on its side; the compressed text read as something else."""
    mask = coco.decode(rle, (H, W))
    assert np.argwhere(mask).tolist() == [[2, 1], [3, 1]] and mask.max() == 255


def test_polygons_are_united_and_degenerate_ones_cover_nothing():
    """Overlapping parts counted out; a polygon of two points that ends the run."""
    mask = coco.decode([[0, 0, 4, 0, 4, 4, 0, 4], [2, 2, 6, 2, 6, 6, 2, 6], [1, 1, 2, 2]], (H, W))
    assert (mask > 0).sum() == 28 and not coco.decode([[1, 1, 2, 2]], (H, W)).any()


@pytest.mark.parametrize("rle", [UNCOMPRESSED, COMPRESSED])
def test_a_crowd_is_no_person_but_a_region_not_to_be_judged(tmp_path, rle):
    """A crowd as one person without joints: the network learns that nobody is there."""
    s = one(tmp_path, annotation(1), annotation(2, iscrowd=1, keypoints=[0] * 51, num_keypoints=0, segmentation=rle))
    assert len(s.poses) == 1 and (s.ignore > 0).sum() == 2 and one(tmp_path, annotation(1)).ignore is None


def test_a_photo_without_people_is_a_sample_too(tmp_path):
    """No examples without anybody; no people as an error."""
    s = one(tmp_path)
    assert s.poses.shape == (0, 18, 3) and s.pose is None and s.masks == []


@pytest.mark.parametrize("wrong", [{"segmentation": {"size": [W, H], "counts": [W * H]}}, {"segmentation": {"size": [H, W], "counts": [3]}},
                                   {"keypoints": [1, 2, 2]}, {"keypoints": joints(v=5)}, {"keypoints": joints(nose=-1)}])  # fmt: skip
def test_a_wrong_annotation_costs_one_sample(tmp_path, wrong):
    """Height and width of an RLE swapped: a mask of stripes."""
    samples, rejected = handmade.read(coco.entries, write(tmp_path, [annotation(1, **wrong), annotation(2, 8)], images=(7, 8)))
    assert list(samples) == ["val2017/8"] and rejected["val2017/7"].reason in ("bad_annotation", "size_mismatch")


def test_joints_of_a_photo_of_another_size_are_refused(tmp_path):
    """Photos resized after they were labelled: every joint beside its place, and no mask to show it."""
    write(tmp_path, [annotation(1, segmentation=[])])
    handmade.write(tmp_path, {"val2017/000000000007.jpg": handmade.photo(2 * W, 2 * H)})
    assert handmade.read(coco.entries, tmp_path)[1]["val2017/7"].reason == "size_mismatch"


def test_a_missing_photo_and_annotations_of_an_unlisted_one_are_counted(tmp_path):
    """Labels that vanish with their image."""
    write(tmp_path, [annotation(1), annotation(2, 8), annotation(3, 99)], images=(7, 8))
    (tmp_path / "val2017/000000000008.jpg").unlink()
    samples, rejected = handmade.read(coco.entries, tmp_path)
    assert list(samples) == ["val2017/7"]
    assert [(r.id, r.reason) for r in rejected.values()] == [("val2017/8", "not_found"), ("val2017/99", "bad_annotation")]


def test_an_annotation_names_no_file_outside_the_set(tmp_path):
    """A downloaded annotation that puts /etc/passwd, or another set's photos, into the shards."""
    write(tmp_path / "set", [annotation(1)])
    handmade.write(tmp_path, {"other.jpg": handmade.photo(W, H)})
    file = tmp_path / "set/annotations/person_keypoints_val2017.json"
    file.write_text(file.read_text().replace("000000000007.jpg", "../../other.jpg"))
    assert handmade.read(coco.entries, tmp_path / "set")[1]["val2017/7"].reason == "uri_denied"


@pytest.mark.parametrize("folder", ["val2017", "images/val2017", "images"])
def test_photos_are_found_in_each_of_the_usual_places_and_one_file_can_be_named(tmp_path, folder):
    """A set that is not found because its folder is called images."""
    write(tmp_path, [annotation(1)], folder=folder)
    assert list(handmade.read(coco.entries, tmp_path)[0]) == ["val2017/7"]
    assert list(handmade.read(coco.entries, tmp_path / "annotations/person_keypoints_val2017.json")[0]) == ["val2017/7"]


def test_what_is_no_coco_set_is_told(tmp_path):
    """Another category's boxes as people; joints in another order read in COCO's."""
    with pytest.raises(DatasetError, match="person_keypoints_"):
        handmade.read(coco.entries, tmp_path)
    dog = {"id": 2, "name": "dog"}
    with pytest.raises(DatasetError, match="person_keypoints_val2017.json.*'dog'"):
        handmade.read(coco.entries, write(tmp_path, [annotation(1)], (PERSON, dog)))
    assert len(handmade.read(coco.entries, tmp_path, labels={"dog": "ignore"})[0]) == 1
    with pytest.raises(DatasetError, match="17"):
        handmade.read(coco.entries, write(tmp_path, [], [PERSON | {"keypoints": NAMES[::-1]}]))
    write(tmp_path / "b", [annotation(1)], folder="elsewhere")
    with pytest.raises(DatasetError, match="val2017"):
        handmade.read(coco.entries, tmp_path / "b")
    with pytest.raises(DatasetError, match="'images'"):
        handmade.read(coco.entries, handmade.write(tmp_path / "c", {"annotations/person_keypoints_x.json": {"annotations": []}}))


def test_a_wrong_size_of_rle_says_both_sizes():
    """'cannot reshape array'."""
    with pytest.raises(SampleError, match=r"\[20, 10\].*\[10, 20\]"):
        coco.decode({"size": [W, H], "counts": [W * H]}, (H, W))
