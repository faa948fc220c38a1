"""OpenPose JSON: Px18x3 out of a file and into one. The file of ``photo.jpg`` is called ``photo_keypoints.json``."""
import json

import numpy as np

from tryon import schema as S
from tryon.datasets.sample import SampleError
from tryon.datasets.source import parse_json

# BODY_25 index of each COCO-18 joint; BODY_25 has the middle of the hips at 8, and feet.
BODY_25 = (0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18)
MID_HIP = 8
KEYS = ("pose_keypoints_2d", "pose_keypoints")  # the second is VITON's


def order(poses: np.ndarray) -> list[int]:
    """Which of Px18x3 come first: by the area of the box around the seen joints, people without any left out. The order is stable."""
    area = [np.prod(np.ptp(p[p[:, 2] > 0, :2], axis=0)) if (p[:, 2] > 0).any() else -1.0 for p in poses]
    return sorted((i for i, a in enumerate(area) if a >= 0), key=lambda i: -area[i])


def largest_first(poses: np.ndarray) -> np.ndarray:
    """Px18x3 in ``order``, float32."""
    return np.asarray(poses, np.float32).reshape(-1, len(S.JOINTS), 3)[order(poses)]


def loads(data: bytes, where: str) -> np.ndarray:
    """Px18x3 float32 (x, y, confidence), COCO-18, the largest person first; nobody is 0x18x3.

    Reads 18 and 25 joints under either key. Raises SampleError("bad_annotation") naming the file ``where``.
    """
    people = parse_json(data, where).get("people")
    if not isinstance(people, list):
        raise SampleError("bad_annotation", f"{where} has no list of people")
    return largest_first(np.array([_person(p, where) for p in people], np.float32).reshape(-1, len(S.JOINTS), 3))


def _person(person: dict, where: str) -> np.ndarray:
    key = next((k for k in KEYS if person.get(k)), None)
    if key is None:  # somebody without a body: a face or hands alone
        return np.zeros((len(S.JOINTS), 3), np.float32)
    points = np.array(person[key], np.float32)
    if points.size not in (54, 75):
        raise SampleError("bad_annotation", f"{where}: {key} has {points.size} numbers; 18 joints are 54 and 25 are 75")
    points = points.reshape(-1, 3)
    pose = points if len(points) == 18 else points[list(BODY_25)]
    pose[~(pose[:, 2] > 0) | ~np.isfinite(pose).all(1)] = 0
    return pose


def dumps(poses: np.ndarray, joints: int = 18) -> bytes:
    """The JSON of Px18x3 poses, with 18 joints (COCO) or 25 (BODY_25: the hips' middle added, feet missing)."""
    assert joints in (18, 25), f"OpenPose writes 18 or 25 joints, not {joints}"
    people = []
    for pose in np.asarray(poses, np.float64):
        if joints == 25:
            pose, body = np.zeros((25, 3)), pose
            pose[list(BODY_25)] = body
            hips = body[[S.R_HIP, S.L_HIP]]
            if (hips[:, 2] > 0).all():
                pose[MID_HIP] = (*hips[:, :2].mean(0), hips[:, 2].min())
        person = {"person_id": [-1], KEYS[0]: [round(float(v), 3) for v in pose.ravel()]}
        empty = ("face_keypoints_2d", "hand_left_keypoints_2d", "hand_right_keypoints_2d", "pose_keypoints_3d", "face_keypoints_3d",
                 "hand_left_keypoints_3d", "hand_right_keypoints_3d")
        people.append(person | {k: [] for k in empty})
    return json.dumps({"version": 1.3, "people": people}, separators=(",", ":")).encode()
