"""MPII Human Pose: the .mat release (read by scipy, extra `data`) and the common JSON conversion of it.

Coordinates of both count from 1; ours from 0. There are no face points: nose, eyes and ears are missing in every pose.
"""
import io
import os
from collections import defaultdict
from collections.abc import Callable, Iterator

import numpy as np

from tryon import schema as S
from tryon.datasets import openpose
from tryon.datasets.sample import DatasetError, Entry, Sample, SampleError
from tryon.datasets.source import Source, stem, whole_json

Person = tuple[np.ndarray, tuple[float, float, float, float]]  # pose 18x3, and head box, zeros when the file has none
MAT = "mpii_human_pose_v1_u12_1.mat"
# MPII id of each COCO-18 joint; the thorax stands for the neck only where a shoulder is missing.
TO_18 = {S.R_ANKLE: 0, S.R_KNEE: 1, S.R_HIP: 2, S.L_HIP: 3, S.L_KNEE: 4, S.L_ANKLE: 5, S.NECK_JOINT: 7, S.R_WRIST: 10, S.R_ELBOW: 11,
         S.R_SHOULDER: 12, S.L_SHOULDER: 13, S.L_ELBOW: 14, S.L_WRIST: 15}


def entries(source: Source) -> Iterator[Entry]:
    """Photos lie in images/ beside the annotation: the .mat, or the conversion's train.json and valid.json (also in annot/).

    The URI names the folder or one annotation file. A photo without points, as all of the test part, is rejected as unlabelled.
    """
    if os.path.splitext(source.root)[1] in (".mat", ".json"):
        root, files = source.root.rpartition("/")[0], [source.root]
    else:
        root = source.root
        names = (MAT, *(f"{folder}{part}.json" for folder in ("", "annot/") for part in ("train", "valid")))
        files = [uri for uri in map(source.uri, names) if source.storage.exists(uri)]
        if not files:
            raise DatasetError(f"there is none of {', '.join(names)} in {root}: MPII keeps its labels there")
        files = files[:1] if files[0].endswith(".mat") else files
    folder = next((f for f in (f"{root}/images", f"{root.removesuffix('/annot')}/images") if source.has(f)), None)
    if folder is None:
        raise DatasetError(f"there are no photos in {root}/images: MPII keeps them there")
    people: dict[str, list[Person]] = defaultdict(list)
    identity: dict[str, str] = {}
    for uri in files:
        data = source.annotation(uri, "MPII keeps its labels there")
        for name, found, video in _mat(data, uri) if uri.endswith(".mat") else _json(data, uri):
            people[name] += found
            identity[name] = video or stem(name)
    for name, found in people.items():
        yield Entry(stem(name), _loader(source, folder, name, identity[name], found))


def _loader(source: Source, folder: str, name: str, identity: str, people: list[Person]) -> Callable[[], Sample]:
    def load() -> Sample:
        order = openpose.order([pose for pose, _ in people])
        if not order:
            raise SampleError("unlabelled", f"{name} has no points")
        poses, heads = (np.array([people[i][k] for i in order], np.float32) for k in (0, 1))
        return Sample(stem(name), f"mpii/{identity}", "mpii", source.read(f"{folder}/{name}"), poses=poses, heads=heads if heads.any() else None)

    return load


def pose(points: dict[int, tuple[float, float, float]]) -> np.ndarray:
    """MPII joint id -> (x, y, confidence), counted from 1, to 18x3 float32 counted from 0. Unknown ids raise KeyError."""
    for id in points:
        if not 0 <= id <= 15:
            raise KeyError(f"joint id {id}")
    out = np.zeros((len(S.JOINTS), 3), np.float32)
    for joint, id in TO_18.items():
        if id in points:
            x, y, confidence = points[id]
            out[joint] = (x - 1, y - 1, confidence)
    shoulders = out[[S.R_SHOULDER, S.L_SHOULDER]]
    if (shoulders[:, 2] > 0).all():
        out[S.NECK_JOINT] = (*shoulders[:, :2].mean(0), shoulders[:, 2].min())
    return out


def _mat(data: bytes, where: str) -> Iterator[tuple[str, list[Person], str]]:
    """(photo's name, its people, its video) of every photo of the release."""
    from scipy.io import loadmat  # of the extra `data`
    from scipy.io.matlab import MatReadError

    try:
        release = loadmat(io.BytesIO(data), struct_as_record=False, squeeze_me=True)["RELEASE"]
    except (MatReadError, ValueError, NotImplementedError, KeyError, TypeError) as e:
        raise DatasetError(f"{where} is no .mat with a RELEASE in it: {e}") from None
    for photo in np.atleast_1d(release.annolist):
        people = [p for p in np.atleast_1d(getattr(photo, "annorect", [])) if hasattr(p, "annopoints")]
        found = []
        for person in people:
            # People of whom only the place is marked have an empty annopoints.
            points = np.atleast_1d(getattr(person.annopoints, "point", []))
            joints = pose({int(p.id): (float(p.x), float(p.y), _visibility(getattr(p, "is_visible", None))) for p in points})
            box = [getattr(person, k, np.array([])) for k in ("x1", "y1", "x2", "y2")]
            found.append((joints, tuple(float(v) - 1 for v in box) if all(np.size(v) for v in box) else (0.0, 0.0, 0.0, 0.0)))
        # The frames of one video show the same people: they must fall into the same split.
        video = np.atleast_1d(getattr(photo, "vididx", []))
        yield str(photo.image.name), found, f"video-{int(video[0])}" if len(video) else ""


def _visibility(value) -> float:
    """1 visible, 0.5 hidden; the flag is a number or text, and empty for the head's two points, which are then seen."""
    flag = str(np.atleast_1d(value)[0]) if value is not None and np.size(value) else ""
    return 0.5 if flag in ("0", "0.0") else 1.0


def _json(data: bytes, where: str) -> Iterator[tuple[str, list[Person], str]]:
    """The conversion: one object per person, ``joints`` 16x2 in the order of the ids, ``joints_vis`` 0 for a missing joint."""
    for i, person in enumerate(whole_json(data, where, list)):
        try:
            joints, seen = np.array(person["joints"], float).reshape(16, 2), np.array(person["joints_vis"], float).reshape(16)
            name = person["image"]
        except (KeyError, ValueError, TypeError) as e:
            raise DatasetError(f"{where}, person {i}: expected image, joints[16][2] and joints_vis[16] ({type(e).__name__}: {e})") from None
        found = pose({id: (x, y, 1.0) for id, ((x, y), v) in enumerate(zip(joints, seen, strict=True)) if v > 0})
        yield name, [(found, (0.0, 0.0, 0.0, 0.0))], ""
