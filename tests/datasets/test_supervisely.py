"""tryon/datasets/supervisely.py: projects typed from FORMATS.md, and what the writer makes of a parse map."""

import base64
import io
import json
import zlib

import handmade
import numpy as np
import pytest
from PIL import Image

from tryon import schema as S
from tryon.datasets import supervisely
from tryon.datasets.sample import IGNORE, DatasetError
from tryon.storage import Storage

W, H = 40, 30
VECTOR = (
    "eJzrDPBz5+WS4mJgYOD19HAJAtLMIMwIInOeqf8BUmwBPiGuQPr///9Lb86/C2QxlgT5BT"
    "M4PLuRBuTwebo4hlTMSa44cOHAB6DqY0yORgq8YkAZBk9XP5d1TglNANAFGzA="
)
META = {"classes": [{"title": "upper", "shape": "polygon", "color": "#F6FF00", "geometry_config": {}},
                    {"title": "man", "shape": "graph", "color": "#00FF00", "geometry_config": {"edges": [], "nodes": {
                        "5f0c": {"label": "nose", "loc": [0, 0], "color": "#0000FF"},
                        "77aa": {"label": "left_wrist", "loc": [0, 0], "color": "#0000FF"}}}}],
        "tags": [{"name": "checked", "value_type": "none"}]}  # fmt: skip


def obj(title, kind, exterior=None, interior=(), **other) -> dict:
    points = {"points": {"exterior": exterior, "interior": list(interior)}} if exterior is not None else {}
    return {"id": 1, "classId": 2, "description": "", "geometryType": kind, "tags": [], "classTitle": title} | points | other


def annotation(*objects, **other) -> dict:
    return {"description": "", "tags": [], "size": {"height": H, "width": W}, "objects": list(objects)} | other


def write(root, annotations: dict, meta=META):
    return handmade.write(root, {"meta.json": meta, **{f"ds1/ann/{n}.json": a for n, a in annotations.items()},
                                 **{f"ds1/img/{n}": handmade.photo(W, H, i) for i, n in enumerate(annotations)}})  # fmt: skip


def one(root, *objects, **other):
    samples, rejected = handmade.read(supervisely.entries, write(root, {"a.jpg": annotation(*objects, **other)}))
    return samples["ds1/a.jpg"] if samples else rejected["ds1/a.jpg"]


def test_the_bitmap_test_vector():
    """Colours in place of the alpha channel; a bitmap inside out."""
    assert supervisely.decode_bitmap(VECTOR).astype(int).tolist() == [[1, 1, 1], [1, 0, 0], [1, 1, 1]]


@pytest.mark.parametrize("mode", ["1", "L", "RGBA", "LA", "P"])
def test_bitmaps_of_every_kind_of_png(mode):
    """A mask that is empty or full because another encoder wrote it."""
    mask = np.array([[1, 0, 0], [1, 1, 0]], bool)
    grey = Image.fromarray(mask.astype(np.uint8) * 255)
    if mode in ("RGBA", "LA"):
        image = Image.merge("LA", (grey, grey)).convert(mode)
    elif mode == "P":  # index 0 transparent, whatever its colour
        image = handmade.palette_image(mask, ["ffffff", "ffffff"])
    else:
        image = grey.convert(mode)
    f = io.BytesIO()
    image.save(f, "PNG", **({"transparency": 0} if mode == "P" else {}))
    assert np.array_equal(supervisely.decode_bitmap(base64.b64encode(zlib.compress(f.getvalue())).decode()), mask)


def test_polygons_have_holes_and_bitmaps_have_an_origin(tmp_path):
    """The hole of a sleeve's loop filled up; a bitmap in the corner, or with x and y swapped; earlier objects on top."""
    ring = [[2, 2], [20, 2], [20, 20], [2, 20]], [[[6, 6], [10, 6], [10, 10], [6, 10]]]
    parse = one(tmp_path, obj("upper", "polygon", *ring), obj("bag", "bitmap", bitmap={"data": VECTOR, "origin": [30, 5]}),
                obj("shoes", "rectangle", [[15, 15], [25, 25]]), obj("lower", "line", [[0, 27], [39, 27]])).parse  # fmt: skip
    assert parse[3, 3] == S.UPPER and parse[8, 8] == S.BACKGROUND and parse[16, 16] == S.SHOES and parse[27, 20] == S.LOWER
    assert (parse == S.BAG).sum() == 7 and parse[5, 32] == S.BAG and parse[6, 31] == S.BACKGROUND


def test_a_graph_is_a_person_with_the_labels_of_its_class(tmp_path):
    """Nodes taken in their order, which is none; a disabled node at its place."""
    nodes = {"77aa": {"loc": [7.5, 8]}, "5f0c": {"loc": [3, 4]}}
    other = {"5f0c": {"loc": [1, 1]}, "77aa": {"loc": [9, 9], "disabled": True}}
    s = one(tmp_path, obj("man", "graph", nodes=nodes), obj("man", "graph", nodes=other))
    assert s.poses[0, S.L_WRIST].tolist() == [7.5, 8, 1] and s.poses[:, S.NOSE].tolist() == [[3, 4, 1], [1, 1, 1]]
    assert s.poses[1, S.L_WRIST].tolist() == [0, 0, 0] and s.parse is None
    assert one(tmp_path, obj("man", "graph", nodes={"zz": {"loc": [1, 1]}})).reason == "bad_annotation"


def test_points_are_joints_and_landmarks(tmp_path):
    """A landmark as a dot of an unknown class."""
    s = one(tmp_path, obj("nose", "point", [[3, 4]]), obj("skirt", "rectangle", [[5, 5], [9, 9]]), obj("hem_left", "point", [[9, 9]]))
    assert s.poses[0, S.NOSE].tolist() == [3, 4, 1] and s.garments[0].landmarks == {"hem_left": (9, 9, 1)}


@pytest.mark.parametrize(("objects", "other", "reason"), [
    ([obj("upper", "cuboid", [])], {}, "bad_annotation"), ([obj("upper", "polygon", [[1, 1]])], {}, "bad_annotation"),
    ([obj("upper", "bitmap", bitmap={"data": "AAAA", "origin": [0, 0]})], {}, "bad_annotation"), ([{"classTitle": "upper"}], {}, "bad_annotation"),
    ([obj("upper", "rectangle", [[1, 1], [3, 3]])], {"size": {"height": W, "width": H}}, "size_mismatch"), ([], {"size": None}, "bad_annotation"),
])  # fmt: skip
def test_a_bad_annotation_costs_one_sample(tmp_path, objects, other, reason):
    """A geometry that is silently left out; width and height swapped."""
    assert one(tmp_path, *objects, **other).reason == reason


def test_missing_files_and_unknown_labels_are_told(tmp_path):
    """A photo nobody has annotated that is never heard of; a typo that becomes background."""
    write(tmp_path, {n: annotation() for n in ("a.jpg", "b.jpg", "c.png")})
    (tmp_path / "ds1/img/a.jpg").unlink()
    (tmp_path / "ds1/ann/b.jpg.json").unlink()
    samples, rejected = handmade.read(supervisely.entries, tmp_path)
    assert list(samples) == ["ds1/c.png"] and {i: r.reason for i, r in rejected.items()} == {"ds1/a.jpg": "not_found", "ds1/b.jpg": "not_found"}
    with pytest.raises(DatasetError, match="a.jpg.json.*'uper'"):
        one(tmp_path / "b", obj("uper", "rectangle", [[1, 1], [2, 2]]))
    (tmp_path / "meta.json").unlink()
    with pytest.raises(DatasetError, match="meta.json"):
        handmade.read(supervisely.entries, tmp_path)
    with pytest.raises(DatasetError, match="ann"):
        handmade.read(supervisely.entries, handmade.write(tmp_path / "c", {"meta.json": META}))


@pytest.mark.parametrize("seed", range(4))
def test_a_written_project_reads_back_pixel_for_pixel_and_pillow_sees_the_same(tmp_path, seed):
    """Our own decoder making up for our own encoder."""
    rng = np.random.default_rng(seed)
    parse = np.kron(rng.choice([0, 0, 1, 8, 9, 16], (10, 8)), np.ones((3, 5), int)).astype(np.uint8)
    parse[rng.integers(0, H, 30), rng.integers(0, W, 30)] = rng.integers(0, 17, 30)
    parse[0, 0] = IGNORE
    poses = np.zeros((1, 18, 3), np.float32)
    poses[0, [S.NOSE, S.L_HIP]] = [[1, 1, 1], [30, 20, 1]]
    supervisely.write(Storage(), str(tmp_path), "ds1", "a.jpg", handmade.photo(W, H), parse, poses)
    s = handmade.read(supervisely.entries, tmp_path)[0]["ds1/a.jpg"]
    assert np.array_equal(s.parse, parse) and np.array_equal(s.poses, poses)
    document, seen = json.loads((tmp_path / "ds1/ann/a.jpg.json").read_text()), np.zeros((H, W), int)
    titles = {c["title"] for c in json.loads((tmp_path / "meta.json").read_text())["classes"]}
    for o in document["objects"]:
        assert o["classTitle"] in titles
        if o["geometryType"] == "bitmap":
            image = Image.open(io.BytesIO(zlib.decompress(base64.b64decode(o["bitmap"]["data"])))).convert("RGBA")
            alpha, (x, y) = np.asarray(image)[..., 3] > 0, o["bitmap"]["origin"]
            seen[y : y + alpha.shape[0], x : x + alpha.shape[1]] += alpha
    assert (seen[(parse > 0)] == 1).all() and document["size"] == {"height": H, "width": W}


def test_a_rewritten_project_keeps_what_it_does_not_know(tmp_path):
    """The team's own classes and tags, graphs and keys lost when the network's map is put in."""
    graph = obj("man", "graph", nodes={"5f0c": {"loc": [3, 4]}}, labelerLogin="ada")
    write(tmp_path, {"a.jpg": annotation(obj("upper", "rectangle", [[1, 1], [3, 3]]), graph, customBigData={"x": 1}, tags=[{"name": "checked"}])})
    parse = np.full((H, W), S.LOWER, np.uint8)
    supervisely.write(Storage(), str(tmp_path), "ds1", "a.jpg", handmade.photo(W, H), parse)
    document, meta = (json.loads((tmp_path / n).read_text()) for n in ("ds1/ann/a.jpg.json", "meta.json"))
    assert document["customBigData"] == {"x": 1} and document["tags"] == [{"name": "checked"}] and graph in document["objects"]
    assert meta["classes"][:2] == META["classes"] and meta["tags"] == META["tags"]
    s = handmade.read(supervisely.entries, tmp_path)[0]["ds1/a.jpg"]
    assert (s.parse == S.LOWER).all() and s.poses[0, S.NOSE].tolist() == [3, 4, 1]
