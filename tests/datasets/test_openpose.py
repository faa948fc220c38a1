"""tryon/datasets/openpose.py: joints in COCO-18 out of every variant of the JSON."""

import json

import numpy as np
import pytest

from tryon import schema as S
from tryon.datasets import openpose
from tryon.datasets.sample import SampleError

BODY_25 = (
    "nose neck right_shoulder right_elbow right_wrist left_shoulder left_elbow left_wrist mid_hip right_hip right_knee right_ankle left_hip "
    "left_knee left_ankle right_eye left_eye right_ear left_ear left_big_toe left_small_toe left_heel right_big_toe right_small_toe right_heel"
).split()


def person(joints, key="pose_keypoints_2d", scale=1.0, at=0.0) -> dict:
    """A joint named n has x = its place in COCO-18, whatever the order in the file; toes and the middle of the hips have x = 99."""
    points = [[at + scale * (S.JOINTS.index(n) if n in S.JOINTS else 99), at + scale * 2 * i, 0.5] for i, n in enumerate(joints)]
    return {"person_id": [-1], key: [v for p in points for v in p], "face_keypoints_2d": [], "hand_left_keypoints_2d": []}


@pytest.mark.parametrize("key", ["pose_keypoints_2d", "pose_keypoints"])
@pytest.mark.parametrize("joints", [S.JOINTS, BODY_25])
def test_eighteen_and_twenty_five_joints_under_both_keys(key, joints):
    """BODY_25 cut off after 18 joints: its ninth is the middle of the hips; VITON's old files found empty."""
    pose = openpose.loads(json.dumps({"version": 1.3, "people": [person(joints, key)]}).encode(), "a.json")
    assert pose.shape == (1, 18, 3) and pose.dtype == np.float32
    assert pose[0, :, 0].tolist() == list(range(18))


def test_the_largest_person_comes_first_and_people_without_joints_are_nobody():
    """The passer-by dressed in place of the model; an empty entry that becomes a person at 0, 0."""
    people = [person(S.JOINTS, scale=1), person(S.JOINTS, scale=3, at=7), {"pose_keypoints_2d": []}, {"pose_keypoints_2d": [0] * 54}]
    poses = openpose.loads(json.dumps({"people": people}).encode(), "a.json")
    assert len(poses) == 2 and poses[:, 0, 0].tolist() == [7, 0]
    assert openpose.loads(b'{"version": 1.1, "people": []}', "a.json").shape == (0, 18, 3)


def test_a_joint_without_confidence_is_zero_whatever_its_place():
    """A missing joint at -1, -1 that a garment is hung on."""
    numbers = [5.0, 6.0, 0.9] * 18
    numbers[3:6], numbers[6:9] = [-1, -1, 0], [0, 0, 0]
    pose = openpose.loads(json.dumps({"people": [{"pose_keypoints_2d": numbers}]}).encode(), "a.json")[0]
    assert pose[1].tolist() == pose[2].tolist() == [0, 0, 0] and pose[0].tolist() == pytest.approx([5, 6, 0.9])


@pytest.mark.parametrize("data", [b"no json", b"[]", b"{}", b'{"people": 3}', b'{"people": [{"pose_keypoints_2d": [1, 2, 3]}]}'])
def test_anything_else_is_an_error_that_names_the_file(data):
    """A file of another tool read as nobody."""
    with pytest.raises(SampleError, match="a.json"):
        openpose.loads(data, "a.json")


@pytest.mark.parametrize("joints", [18, 25])
def test_what_is_written_has_openposes_keys_and_reads_back(joints):
    """A file other tools cannot read: no version, joints in another order, a missing joint that is null."""
    poses = np.zeros((2, 18, 3), np.float32)
    poses[0] = [[j, 3 * j + 1, 0.5] for j in range(18)]
    poses[1, :2] = [[5, 6, 1], [7, 8, 0.25]]
    document = json.loads(openpose.dumps(poses, joints))
    first, second = document["people"]
    assert document["version"] == 1.3 and first["person_id"] == [-1] and first["hand_right_keypoints_2d"] == []
    assert len(first["pose_keypoints_2d"]) == 3 * joints and second["pose_keypoints_2d"][6:9] == [0, 0, 0]
    if joints == 25:
        assert first["pose_keypoints_2d"][24:27] == [9.5, 29.5, 0.5] and first["pose_keypoints_2d"][27:30] == [8, 25, 0.5]
    assert np.array_equal(openpose.loads(json.dumps(document).encode(), "a.json"), poses)
