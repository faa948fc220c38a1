"""LabelMe 5-7 (and older): one JSON per photo, beside it. Read, and written so that a parse map can be corrected by hand."""
import base64
import json
from collections.abc import Callable, Iterator, Mapping

import cv2
import numpy as np

from tryon import images, storage
from tryon import schema as S
from tryon.datasets import marks, polygons
from tryon.datasets.marks import Mark
from tryon.datasets.sample import LIMITS, DatasetError, Entry, Sample, SampleError, expect_size
from tryon.datasets.source import Source, parse_json, stem

VERSION = "5.5.0"  # of LabelMe, whose format this is


def entries(source: Source) -> Iterator[Entry]:
    """Every *.json below the folder. The photo is inside it (imageData), or where imagePath says, or of that name beside it
    or in ``source.photos``."""
    found = False
    for name in source.files("", (".json",)):
        found = True
        yield Entry(stem(name), _loader(source, name))
    if not found:
        raise DatasetError(f"there is no *.json below {source.root}: LabelMe keeps one per photo")


def _loader(source: Source, name: str) -> Callable[[], Sample]:
    def load() -> Sample:
        uri = source.uri(name)
        document = parse_json(source.read(uri), uri)
        photo = base64.b64decode(document["imageData"]) if document.get("imageData") else _photo(source, uri, document["imagePath"])
        shape = images.decode(photo, LIMITS).shape[:2]
        if document.get("imageHeight"):  # older files have no size
            shape = (int(document["imageHeight"]), int(document["imageWidth"]))
            expect_size(photo, shape)
        drawn = marks.gather(read_marks(document, shape, uri), shape, source.labels, uri)
        return Sample(stem(name), f"labelme/{stem(name)}", "labelme", photo, parse=drawn.parse, poses=drawn.poses, garments=drawn.garments)

    return load


def _photo(source: Source, uri: str, path: str) -> bytes:
    base, path = uri.rpartition("/")[0], path.replace("\\", "/")  # LabelMe on Windows
    if source.photos:
        return source.read(storage.join(source.photos, path.rpartition("/")[2]))
    named, beside = storage.resolve(base, path), storage.join(base, path.rpartition("/")[2])
    return source.read(beside if named != beside and source.storage.exists(beside) else named)


def read_marks(document: dict, shape: tuple[int, int], where: str) -> list[Mark]:
    """The shapes of a document as marks on a photo of ``shape`` (H, W), in drawing order.

    Raises SampleError("bad_annotation") for a shape that is not of LabelMe's.
    """
    found = []
    for i, s in enumerate(document["shapes"]):
        kind, points = s.get("shape_type") or "polygon", np.array(s["points"], float).reshape(-1, 2)
        if kind == "points" or kind == "point":
            found += [Mark(s["label"], s.get("group_id"), point=(float(x), float(y), 1.0)) for x, y in points]
            continue
        try:
            found.append(Mark(s["label"], s.get("group_id"), _area(kind, points, s, shape)))
        except ValueError as e:
            raise SampleError("bad_annotation", f"{where}, shape {i} ({s['label']}): {e}") from None
    return found


def _area(kind: str, points: np.ndarray, s: dict, shape: tuple[int, int]) -> np.ndarray:
    if kind in ("polygon", "oriented_rectangle"):
        return polygons.fill(shape, [points])
    if kind in ("rectangle", "circle", "mask") and len(points) != 2:
        raise ValueError(f"a {kind} has two points, this one {len(points)}")
    if kind == "rectangle":
        (x0, y0), (x1, y1) = points
        return polygons.fill(shape, [[(x0, y0), (x1, y0), (x1, y1), (x0, y1)]])
    if kind == "circle":  # its centre and a point of its rim
        return marks.dot(shape, points[0], float(np.linalg.norm(points[1] - points[0])))
    if kind in ("line", "linestrip"):
        return marks.line(shape, points)
    if kind == "mask":
        patch = cv2.imdecode(np.frombuffer(base64.b64decode(s["mask"]), np.uint8), cv2.IMREAD_GRAYSCALE) if s.get("mask") else None
        if patch is None:
            raise ValueError("its mask is no base64 PNG")
        x, y = np.round(points.min(0)).astype(int).tolist()
        return marks.put_patch(shape, patch > 0, x, y)
    raise ValueError(f"unknown shape_type {kind!r}")


def document(parse: np.ndarray, image_path: str, poses: np.ndarray | None = None, tolerance: float = 0.0, old: Mapping | None = None) -> dict:
    """A LabelMe document of a parse map (HxW uint8) and poses (Px18x3); ``image_path`` is relative to where it will lie.

    tolerance: pixels by which an outline may be simplified; 0 reads back exactly, 1-2 leaves few points to drag. old: a document
    whose areas are replaced (and its joints, when poses are given); all else in it, unknown keys included, stays.
    """
    shapes = [s for s in (old or {}).get("shapes", ()) if s.get("shape_type") in ("point", "points")
              and (s["label"] in S.LANDMARKS or (s["label"] in S.JOINTS and poses is None))]
    areas = [_shape(name, *_outline(patch, corner, tolerance)) for name, patch, corner in marks.pieces(parse)]
    joints = [_shape(S.JOINTS[j], "point", [[float(x), float(y)]], group_id=p)
              for p, pose in enumerate(poses if poses is not None else ()) for j, (x, y, c) in enumerate(pose) if c > 0]
    new = {"version": VERSION, "flags": {}, "shapes": areas + shapes + joints, "imagePath": image_path, "imageData": None,
           "imageHeight": parse.shape[0], "imageWidth": parse.shape[1]}
    return new | {k: v for k, v in (old or {}).items() if k not in ("shapes", "imageHeight", "imageWidth")}


def dumps(document: dict) -> bytes:
    return json.dumps(document, indent=2, ensure_ascii=False).encode()


def _outline(patch: np.ndarray, corner: tuple[int, int], tolerance: float) -> tuple[str, list, str | None]:
    """(shape_type, points, mask) of a piece: a polygon, or a mask where there are too few corners for one."""
    contours, _ = cv2.findContours(patch.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE, offset=corner)
    outline = cv2.approxPolyDP(contours[0], tolerance, True) if tolerance else contours[0]
    if len(outline) >= 3:
        return "polygon", outline[:, 0].astype(float).tolist(), None
    h, w = patch.shape
    png = cv2.imencode(".png", patch.astype(np.uint8))[1].tobytes()
    x, y = corner
    return "mask", [[float(x), float(y)], [float(x + w - 1), float(y + h - 1)]], base64.b64encode(png).decode()


def _shape(label: str, kind: str, points: list, mask: str | None = None, group_id: int | None = None) -> dict:
    return {"label": label, "points": points, "group_id": group_id, "description": "", "shape_type": kind, "flags": {}, "mask": mask}
