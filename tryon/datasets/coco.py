"""COCO key points: people of a photo with 17 joints and masks. Needs the extra: pip install -e '.[data]' (pycocotools)."""
from collections import defaultdict
from collections.abc import Callable, Iterator

import numpy as np

from tryon import schema as S
from tryon.datasets.sample import VISIBILITY, DatasetError, Entry, Sample, SampleError, expect_size
from tryon.datasets.source import Source, whole_json

KEYPOINTS = ("nose left_eye right_eye left_ear right_ear left_shoulder right_shoulder left_elbow right_elbow left_wrist right_wrist left_hip "
             "right_hip left_knee right_knee left_ankle right_ankle").split()
# COCO-17 index of each COCO-18 joint; the neck is the middle of the shoulders.
TO_18 = (0, None, 6, 8, 10, 5, 7, 9, 12, 14, 16, 11, 13, 15, 2, 1, 4, 3)


def entries(source: Source) -> Iterator[Entry]:
    """Every photo of annotations/person_keypoints_*.json (or of the one file the URI names), photos without people included.

    The photos of person_keypoints_PART.json lie in PART/, images/PART/ or images/, beside annotations/.
    """
    if source.root.endswith(".json"):
        files = [source.root]
        folder = source.root.rpartition("/")[0]
        root = folder.removesuffix("/annotations")
    else:
        root = source.root
        files = [source.uri("annotations", n) for n in source.files("annotations", (".json",)) if n.startswith("person_keypoints_")]
        if not files:
            raise DatasetError(f"there is no annotations/person_keypoints_*.json in {source.root}: COCO key points keep their labels there")
    for uri in files:
        document = whole_json(source.annotation(uri, "COCO key points keep their labels there"), uri)
        for key in ("images", "annotations", "categories"):
            if not isinstance(document.get(key), list):
                raise DatasetError(f"{uri} has no list {key!r}: it is no COCO annotation file")
        people = {c["id"] for c in document["categories"] if _is_person(c, source, uri)}
        part = uri.rpartition("/")[2].removesuffix(".json").removeprefix("person_keypoints_")
        folders = [f"{root}/{f}" for f in (part, f"images/{part}", "images")]
        folder = next((f for f in folders if source.has(f)), None)
        if folder is None:
            raise DatasetError(f"there are no photos for {uri}: they were expected in one of {', '.join(folders)}")
        found = defaultdict(list)
        for annotation in document["annotations"]:
            if annotation["category_id"] in people:
                found[annotation["image_id"]].append(annotation)
        for image in document["images"]:
            yield Entry(f"{part}/{image['id']}", _loader(source, folder, part, image, found.pop(image["id"], [])))
        for id, left in found.items():
            yield Entry(f"{part}/{id}", _orphan(uri, id, len(left)))


def _is_person(category: dict, source: Source, where: str) -> bool:
    name = source.labels.get(category["name"], category["name"])
    if name not in ("person", "ignore"):
        raise DatasetError(f"{where}: unknown category {name!r}; map it with --labels to person or ignore")
    if name == "person" and category.get("keypoints", KEYPOINTS) != KEYPOINTS:
        raise DatasetError(f"{where}: the key points of category {name!r} are not COCO's 17 in COCO's order")
    return name == "person"


def _orphan(where: str, id, count: int) -> Callable[[], Sample]:
    def load() -> Sample:
        raise SampleError("bad_annotation", f"{where}: {count} annotations of image {id}, which is not in its list of images")

    return load


def _loader(source: Source, folder: str, part: str, image: dict, annotations: list[dict]) -> Callable[[], Sample]:
    def load() -> Sample:
        shape, id = (image["height"], image["width"]), f"{part}/{image['id']}"
        photo = source.read(f"{folder}/{image['file_name']}")
        expect_size(photo, shape)
        people, crowd = [], np.zeros(shape, np.uint8)
        for a in annotations:
            mask = decode(a["segmentation"], shape) if a.get("segmentation") else None
            if a.get("iscrowd"):
                crowd |= _box(a["bbox"], shape) if mask is None else mask
            else:
                people.append((pose(a.get("keypoints") or [0] * 51), mask, float(np.prod(a["bbox"][2:]))))
        # The largest labelled person first, people without joints at the end.
        people.sort(key=lambda p: (not (p[0][:, 2] > 0).any(), -p[2]))
        poses = np.array([p[0] for p in people], np.float32).reshape(-1, len(S.JOINTS), 3)
        return Sample(id, f"coco/{image['id']}", "coco", photo, poses=poses, masks=[p[1] for p in people], ignore=crowd if crowd.any() else None)

    return load


def pose(keypoints: list) -> np.ndarray:
    """[x, y, v] * 17 -> 18x3 float32; the neck is there when both shoulders are. Raises ValueError for another count."""
    points = np.array(keypoints, np.float32)
    if points.size != 51:
        raise ValueError(f"{points.size} numbers of key points, 17 joints are 51")
    points = points.reshape(17, 3)
    if not np.isin(points[:, 2], (0, 1, 2)).all():
        raise ValueError(f"visibility {points[:, 2].tolist()} is none of 0, 1, 2")
    points[:, 2] = np.array(VISIBILITY, np.float32)[points[:, 2].astype(int)]
    points[points[:, 2] == 0] = 0
    out = np.array([points[i] if i is not None else (0, 0, 0) for i in TO_18], np.float32)
    shoulders = out[[S.R_SHOULDER, S.L_SHOULDER]]
    if (shoulders[:, 2] > 0).all():
        out[S.NECK_JOINT] = (*shoulders[:, :2].mean(0), shoulders[:, 2].min())
    return out


def decode(segmentation, shape: tuple[int, int]) -> np.ndarray:
    """HxW uint8 0/255 of a list of polygons [x, y, ...] or of RLE {"size": [h, w], "counts": [...] or text}, at ``shape`` (H, W).

    Raises SampleError when an RLE has another size.
    """
    from pycocotools import mask as rle  # of the extra `data`

    h, w = shape
    if isinstance(segmentation, list):
        # COCO lets no polygon have fewer than three points; a degenerate one covers nothing.
        rings = [[float(v) for v in ring] for ring in segmentation if len(ring) >= 6]
        runs = rle.frPyObjects(rings, h, w) if rings else []
        return rle.decode(rle.merge(runs)) * np.uint8(255) if runs else np.zeros(shape, np.uint8)
    if list(segmentation["size"]) != [h, w]:
        raise SampleError("size_mismatch", f"an RLE of size {segmentation['size']} in a photo of [{h}, {w}]")
    counts = segmentation["counts"]
    if isinstance(counts, list):
        if sum(counts) != h * w:
            raise SampleError("bad_annotation", f"an RLE of {sum(counts)} pixels in a photo of {h * w}")
        return (np.repeat(np.arange(len(counts)) % 2, counts).reshape(w, h).T * 255).astype(np.uint8)
    return rle.decode({"size": [h, w], "counts": counts.encode() if isinstance(counts, str) else counts}) * np.uint8(255)


def _box(bbox: list, shape: tuple[int, int]) -> np.ndarray:
    x, y, w, h = bbox
    out = np.zeros(shape, np.uint8)
    out[max(0, int(y)) : int(np.ceil(y + h)), max(0, int(x)) : int(np.ceil(x + w))] = 255
    return out
