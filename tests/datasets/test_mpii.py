"""tryon/datasets/mpii.py: the .mat saved by scipy in the release's shape, and the JSON conversion, typed from FORMATS.md."""

import io

import handmade
import numpy as np
import pytest
from scipy.io import savemat

from tryon import schema as S
from tryon.datasets import mpii
from tryon.datasets.sample import DatasetError

# MPII id -> name, typed from FORMATS.md; ids 6-9 are the pelvis, thorax, upper neck and head top.
IDS = {0: "right_ankle", 1: "right_knee", 2: "right_hip", 3: "left_hip", 4: "left_knee", 5: "left_ankle", 10: "right_wrist", 11: "right_elbow",
       12: "right_shoulder", 13: "left_shoulder", 14: "left_elbow", 15: "left_wrist"}  # fmt: skip
FACE = ("nose", "right_eye", "left_eye", "right_ear", "left_ear")


def points(ids=range(16), scale=1.0, hidden=(), empty=()):
    """Joint i at (1 + scale * i, 1 + scale * 2 i) counted from 1."""
    dtype = [("x", object), ("y", object), ("id", object), ("is_visible", object)]
    flag = lambda i: np.array([]) if i in empty else (0 if i in hidden else 1)  # noqa: E731
    out = np.empty((1, len(ids)), dtype)
    for k, i in enumerate(ids):
        out[0, k] = (1 + scale * i, 1 + scale * 2 * i, i, flag(i))
    return {"point": out}


def person(annopoints):
    return {"x1": 5, "y1": 5, "x2": 9, "y2": 11, "annopoints": annopoints, "scale": 1.5, "objpos": {"x": 10, "y": 12}}


def struct(dicts) -> np.ndarray:
    """A 1xN MATLAB struct array."""
    out = np.empty((1, len(dicts)), [(k, object) for k in dicts[0]])
    for i, d in enumerate(dicts):
        out[0, i] = tuple(d.values())
    return out


def mat(photos) -> bytes:
    annolist = struct([{"image": {"name": n}, "annorect": struct(people) if people else np.array([]), "frame_sec": np.array([]),
                        "vididx": v if v else np.array([])} for n, people, v in photos])  # fmt: skip
    f = io.BytesIO()
    savemat(f, {"RELEASE": {"annolist": annolist, "img_train": np.ones((1, len(photos))), "version": "12", "single_person": np.array([])}})
    return f.getvalue()


def write(root, photos):
    return handmade.write(root, {"mpii_human_pose_v1_u12_1.mat": mat(photos), **{f"images/{n}": handmade.photo(40, 50) for n, *_ in photos}})


def test_ids_become_openposes_joints_counted_from_0_without_a_face(tmp_path):
    """Everything one pixel off; left and right swapped; the head's top taken for the nose."""
    pose = handmade.read(mpii.entries, write(tmp_path, [("1.jpg", [person(points(hidden=(10,), empty=(8, 9)))], 0)]))[0]["1"].poses[0]
    for i, name in IDS.items():
        assert pose[S.JOINTS.index(name)].tolist() == [i, 2 * i, 0.5 if i == 10 else 1], name
    assert pose[S.NECK_JOINT].tolist() == [12.5, 25, 1]
    assert not pose[[S.JOINTS.index(n) for n in FACE]].any()


def test_the_thorax_is_the_neck_where_a_shoulder_is_missing(tmp_path):
    """A neck half-way between a shoulder and the corner of the photo."""
    pose = handmade.read(mpii.entries, write(tmp_path, [("1.jpg", [person(points([7, 13, 3]))], 0)]))[0]["1"].poses[0]
    assert pose[S.NECK_JOINT].tolist() == [7, 14, 1] and pose[S.R_SHOULDER].tolist() == [0, 0, 0] and (pose[:, 2] > 0).sum() == 3


def test_several_people_the_largest_first_and_marked_places_are_nobody(tmp_path):
    """MATLAB's struct of one element, which is no list; a person of whom only the place is known as zeros in front."""
    photos = [("1.jpg", [person(np.array([])), person(points(scale=1)), person(points(scale=2))], 0), ("2.jpg", [person(points([5]))], 0)]
    photos[0][1][2] |= {"x1": 11, "x2": 21}
    samples = handmade.read(mpii.entries, write(tmp_path, photos))[0]
    assert samples["1"].poses[:, S.L_ANKLE, 0].tolist() == [10, 5] and len(samples["2"].poses) == 1
    assert samples["1"].heads.tolist() == [[10, 4, 20, 10], [4, 4, 8, 10]]  # PCKh would be measured by somebody else's head


def test_photos_without_points_and_missing_photos_are_counted(tmp_path):
    """The test part, which carries no points, as photos without people: the network would learn that nobody is there."""
    photos = [("1.jpg", [person(points())], 0), ("2.jpg", [], 0), ("3.jpg", [person(np.array([]))], 0), ("4.jpg", [person(points())], 0)]
    write(tmp_path, photos)
    (tmp_path / "images/4.jpg").unlink()
    samples, rejected = handmade.read(mpii.entries, tmp_path)
    assert list(samples) == ["1"] and [r.reason for r in rejected.values()] == ["unlabelled", "unlabelled", "not_found"]


def test_frames_of_one_video_fall_into_one_split(tmp_path):
    """The same people in training and test."""
    photos = [(f"{i}.jpg", [person(points())], 1 + i % 9) for i in range(27)]
    samples = handmade.read(mpii.entries, write(tmp_path, photos))[0]
    assert all(samples[str(i)].split == samples[str(i % 9)].split for i in range(27)) and len({s.split for s in samples.values()}) > 1


def converted(image, scale=1.0, missing=()) -> dict:
    return {"image": image, "center": [10.0, 12.0], "scale": 1.5, "joints_vis": [int(i not in missing) for i in range(16)],
            "joints": [[-1.0, -1.0] if i in missing else [1 + scale * i, 1 + scale * 2 * i] for i in range(16)]}  # fmt: skip


@pytest.mark.parametrize("folder", ["", "annot/"])
def test_the_json_conversion_gives_the_same_as_the_mat(tmp_path, folder):
    """The conversion taken to count from 0; one sample per person, so that the photo is there twice; joints at -1, -1."""
    people = [converted("1.jpg"), converted("2.jpg", missing=(3, 12)), converted("1.jpg", 2.0)]
    photos = {f"images/{n}.jpg": handmade.photo(40, 50) for n in "12"}
    handmade.write(tmp_path, {f"{folder}train.json": people[:2], f"{folder}valid.json": people[2:], **photos})
    samples = handmade.read(mpii.entries, tmp_path)[0]
    of_mat = handmade.read(mpii.entries, write(tmp_path / "mat", [("1.jpg", [person(points()), person(points(scale=2))], 0)]))[0]
    assert np.array_equal(samples["1"].poses, of_mat["1"].poses) and samples["1"].heads is None
    assert (samples["2"].poses[0, [S.L_HIP, S.R_SHOULDER]] == 0).all() and samples["2"].poses[0, S.NECK_JOINT].tolist() == [7, 14, 1]
    assert list(handmade.read(mpii.entries, tmp_path / f"{folder}valid.json")[0]) == ["1"]


def test_what_is_no_mpii_set_is_told(tmp_path):
    """KeyError: RELEASE."""
    with pytest.raises(DatasetError, match="mpii_human_pose_v1_u12_1.mat"):
        handmade.read(mpii.entries, tmp_path)
    for name, content in (("mpii_human_pose_v1_u12_1.mat", b"no mat"), ("train.json", "[{}]"), ("train.json", "{}")):
        root = handmade.write(tmp_path / str(len(content)), {name: content, "images/1.jpg": b""})
        with pytest.raises(DatasetError, match=name):
            handmade.read(mpii.entries, root)
    with pytest.raises(DatasetError, match="images"):
        handmade.read(mpii.entries, handmade.write(tmp_path / "b", {"train.json": []}))
