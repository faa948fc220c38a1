"""Supervisely projects: meta.json and <dataset>/{img,ann}. Read, and written so that a parse map can be corrected by hand."""
import base64
import colorsys
import json
import zlib
from collections.abc import Callable, Iterator, Mapping

import cv2
import numpy as np

from tryon import schema as S
from tryon.datasets import marks, polygons
from tryon.datasets.marks import Mark
from tryon.datasets.sample import DatasetError, Entry, Sample, SampleError, expect_size
from tryon.datasets.source import Source, parse_json, whole_json
from tryon.storage import Storage, join


def entries(source: Source) -> Iterator[Entry]:
    """Every <dataset>/ann/<name of the photo>.json of the project, and photos without one as not found."""
    uri = source.uri("meta.json")
    meta = whole_json(source.annotation(uri, "a Supervisely project keeps its classes there"), uri)
    joints = {c["title"]: {id: node["label"] for id, node in ((c.get("geometry_config") or {}).get("nodes") or {}).items()}
              for c in meta.get("classes", ())}
    files = list(source.files("", ("",)))
    annotated = {(d, n.removesuffix(".json")) for d, kind, n in map(_place, files) if kind == "ann" and n.endswith(".json")}
    photos = {(d, n) for d, kind, n in map(_place, files) if kind == "img"}
    if not annotated:
        raise DatasetError(f"there is no <dataset>/ann/*.json in {source.root}: Supervisely keeps one per photo")
    for dataset, name in sorted(annotated | photos):
        yield Entry(f"{dataset}/{name}", _loader(source, dataset, name, joints))


def _place(path: str) -> tuple[str, str, str]:
    """(dataset, "ann" or "img", name) of a file; all empty for any other."""
    folder, _, name = path.rpartition("/")
    dataset, _, kind = folder.rpartition("/")
    return (dataset, kind, name) if dataset and kind in ("ann", "img") else ("", "", "")


def _loader(source: Source, dataset: str, name: str, joints: Mapping[str, Mapping[str, str]]) -> Callable[[], Sample]:
    def load() -> Sample:
        uri, id = source.uri(dataset, "ann", name + ".json"), f"{dataset}/{name}"
        document = parse_json(source.read(uri), uri)
        shape = (int(document["size"]["height"]), int(document["size"]["width"]))
        photo = source.read(source.uri(dataset, "img", name))
        expect_size(photo, shape)
        drawn = marks.gather(read_marks(document, shape, joints, uri), shape, source.labels, uri)
        return Sample(id, f"supervisely/{id}", "supervisely", photo, parse=drawn.parse, poses=drawn.poses, garments=drawn.garments)

    return load


def read_marks(document: dict, shape: tuple[int, int], joints: Mapping[str, Mapping[str, str]], where: str) -> list[Mark]:
    """The objects of an annotation as marks on a photo of ``shape`` (H, W), in drawing order.

    joints: class title -> node id -> label, as meta.json has them. Raises SampleError("bad_annotation") for an unknown geometry.
    """
    found = []
    for i, o in enumerate(document["objects"]):
        title, kind = o["classTitle"], o["geometryType"]
        if kind == "graph":
            for id, node in o["nodes"].items():
                if not node.get("disabled"):
                    label = joints.get(title, {}).get(id)
                    if label is None:
                        raise SampleError("bad_annotation", f"{where}, object {i}: node {id} is not in the class {title!r} of meta.json")
                    found.append(Mark(label, ("graph", i), point=(*map(float, node["loc"]), 1.0)))
            continue
        outline = o.get("points", {}).get("exterior", [])
        if kind == "point":
            found.append(Mark(title, point=(*map(float, outline[0]), 1.0)))
            continue
        try:
            found.append(Mark(title, None, _area(kind, o, shape)))
        except (ValueError, zlib.error) as e:
            raise SampleError("bad_annotation", f"{where}, object {i} ({title}): {e}") from None
    return found


def _area(kind: str, o: dict, shape: tuple[int, int]) -> np.ndarray:
    if kind == "bitmap":
        x, y = o["bitmap"]["origin"]
        return marks.put_patch(shape, decode_bitmap(o["bitmap"]["data"]), int(x), int(y))
    outline = o["points"]["exterior"]
    if kind == "polygon":
        return polygons.fill(shape, [outline], o["points"].get("interior", []))
    if kind == "rectangle":
        (x0, y0), (x1, y1) = outline
        return polygons.fill(shape, [[(x0, y0), (x1, y0), (x1, y1), (x0, y1)]])
    if kind == "line":
        return marks.line(shape, outline)
    raise ValueError(f"unknown geometryType {kind!r}")


def decode_bitmap(data: str) -> np.ndarray:
    """hxw bool of base64(zlib(PNG)): where alpha is above 0; of a PNG without alpha, where it is not black.

    Raises ValueError or zlib.error when it is none.
    """
    pixels = cv2.imdecode(np.frombuffer(zlib.decompress(base64.b64decode(data)), np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise ValueError("its bitmap is no PNG")
    if pixels.ndim == 3:
        return pixels[..., 3] > 0 if pixels.shape[2] == 4 else pixels.any(axis=2)
    return pixels > 0


def encode_bitmap(patch: np.ndarray) -> str:
    """base64(zlib(PNG)) of a patch (hxw bool): white where it is set, transparent elsewhere."""
    png = cv2.imencode(".png", np.repeat(patch[..., None].astype(np.uint8) * 255, 4, axis=2))[1].tobytes()
    return base64.b64encode(zlib.compress(png)).decode()


def meta(old: Mapping | None = None) -> dict:
    """The meta.json of a project whose classes are ours, and the pose as a graph; those of ``old`` stay."""
    classes = list((old or {}).get("classes", ()))
    titles = {c["title"] for c in classes}
    names = (*S.PARSE_CLASSES, "__ignore__")
    colours = ["#{:02X}{:02X}{:02X}".format(*(round(255 * v) for v in colorsys.hsv_to_rgb(i / len(names), 0.9, 0.9))) for i in range(len(names))]
    new = [{"title": n, "shape": "bitmap", "color": c, "geometry_config": {}} for n, c in zip(names, colours, strict=True)]
    nodes = {name: {"label": name, "loc": [0, 0], "color": "#0000FF"} for name in S.JOINTS}
    new.append({"title": "pose", "shape": "graph", "color": "#FF00FF",
                "geometry_config": {"nodes": nodes, "edges": [{"src": S.JOINTS[a], "dst": S.JOINTS[b], "color": "#00FF00"} for a, b in S.LIMBS]}})
    return {"tags": []} | dict(old or {}) | {"classes": classes + [c for c in new if c["title"] not in titles]}


def annotation(parse: np.ndarray, poses: np.ndarray | None = None, old: Mapping | None = None) -> dict:
    """The annotation of a parse map (HxW uint8) as bitmaps and of poses (Px18x3) as graphs. Bitmaps read back exactly.

    old: an annotation whose areas are replaced (and its graphs, when poses are given); all else in it, unknown keys included, stays.
    """
    kept = [o for o in (old or {}).get("objects", ()) if o["geometryType"] == "point" or (o["geometryType"] == "graph" and poses is None)]
    objects = [{"classTitle": name, "geometryType": "bitmap", "description": "", "tags": [],
                "bitmap": {"data": encode_bitmap(patch), "origin": list(corner)}} for name, patch, corner in marks.pieces(parse)]
    for pose in poses if poses is not None else ():
        nodes = {S.JOINTS[j]: {"loc": [float(x), float(y)]} for j, (x, y, c) in enumerate(pose) if c > 0}
        objects.append({"classTitle": "pose", "geometryType": "graph", "description": "", "tags": [], "nodes": nodes})
    size = {"height": parse.shape[0], "width": parse.shape[1]}
    return {"description": "", "tags": []} | dict(old or {}) | {"size": size, "objects": objects + kept}


def write(storage: Storage, root: str, dataset: str, name: str, photo: bytes, parse: np.ndarray, poses: np.ndarray | None = None) -> None:
    """Put one photo (its encoded bytes, ``name`` with its suffix) and its annotation into the project at ``root``.

    What is there already is kept as ``annotation`` says; meta.json gets our classes.
    """
    for uri, make in ((join(root, "meta.json"), meta), (join(root, dataset, "ann", name + ".json"), lambda old: annotation(parse, poses, old))):
        old = json.loads(storage.read(uri)) if storage.exists(uri) else None
        storage.write(uri, json.dumps(make(old), ensure_ascii=False).encode(), "application/json")
    storage.write(join(root, dataset, "img", name), photo)
