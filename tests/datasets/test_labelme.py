"""tryon/datasets/labelme.py: documents typed from FORMATS.md, old and new, and what the writer makes of a parse map."""

import base64
import json

import handmade
import numpy as np
import pytest

from tryon import schema as S
from tryon.datasets import labelme
from tryon.datasets.sample import IGNORE, DatasetError
from tryon.datasets.source import Source

W, H = 40, 30


def shape(label, kind, points, **other) -> dict:
    return {"label": label, "points": points, "group_id": None, "description": "", "shape_type": kind, "flags": {}, "mask": None} | other


def document(*shapes, **other) -> dict:
    return {"version": "5.4.1", "flags": {}, "shapes": list(shapes), "imagePath": "a.jpg", "imageData": None, "imageHeight": H,
            "imageWidth": W} | other


def one(root, *shapes, **other):
    handmade.write(root, {"a.json": document(*shapes, **other), "a.jpg": handmade.photo(W, H)})
    samples, rejected = handmade.read(labelme.entries, root)
    return samples["a"] if samples else rejected["a"]


SQUARE = [[10.0, 5.0], [19.4, 5.2], [18.6, 9.0], [10.0, 9.3]]


@pytest.mark.parametrize(("kind", "points", "other", "inside", "outside", "area"), [
    ("polygon", SQUARE, {}, [(5, 10), (9, 19)], [(10, 10), (5, 9)], 50),
    ("rectangle", [[19.0, 9.0], [10.0, 5.0]], {}, [(5, 10), (9, 19)], [(10, 10)], 50),
    ("oriented_rectangle", [[20, 5], [25, 10], [20, 15], [15, 10]], {}, [(10, 15), (10, 20)], [(5, 15)], 61),
    ("circle", [[20, 15], [20, 19]], {}, [(15, 24), (11, 20), (17, 22)], [(11, 24), (10, 20)], 49),
    ("line", [[5, 15], [30, 15]], {}, [(15, 5), (12, 20), (18, 20)], [(25, 20)], None),
    ("linestrip", [[5, 5], [30, 5], [30, 25]], {}, [(5, 20), (20, 30)], [(20, 10)], None),
    ("point", [[20, 15]], {}, [(15, 25), (10, 20)], [(15, 26)], 81),
    ("mask", [[10, 5], [13, 7]], {"mask": base64.b64encode(handmade.grey([[1, 0, 0, 1], [0, 0, 0, 0], [1, 1, 1, 1]])).decode()},
     [(5, 10), (5, 13), (7, 11)], [(5, 11), (6, 10)], 6),
])  # fmt: skip
def test_every_shape_type_covers_what_labelme_shows(tmp_path, kind, points, other, inside, outside, area):
    """A circle whose rim is taken for a corner; a rectangle drawn from below that is empty; a mask of 0 and 1 read as 0 and 255."""
    parse = one(tmp_path, shape("upper", kind, points, **other)).parse
    assert all(parse[p] == S.UPPER for p in inside) and all(parse[p] == S.BACKGROUND for p in outside)
    assert area is None or (parse == S.UPPER).sum() == area


def test_later_shapes_paint_over_earlier_ones(tmp_path):
    """A bag hidden under the coat that was drawn first."""
    parse = one(tmp_path, shape("outer", "rectangle", [[0, 0], [20, 20]]), shape("bag", "rectangle", [[10, 10], [30, 25]])).parse
    assert parse[15, 15] == S.BAG and parse[5, 5] == S.OUTER


def test_points_are_joints_and_landmarks_of_their_group(tmp_path):
    """Joints painted as dots of an unknown class."""
    s = one(tmp_path, shape("nose", "point", [[3.5, 4]], group_id=1), shape("nose", "point", [[9, 4]], group_id=2), shape("skirt", "polygon", SQUARE),
            shape("hem_left", "points", [[18, 9]]))  # fmt: skip
    assert sorted(s.poses[:, S.NOSE].tolist()) == [[3.5, 4, 1], [9, 4, 1]] and s.garments[0].landmarks == {"hem_left": (18, 9, 1)}


def test_old_files_without_description_mask_shape_type_and_size_are_read(tmp_path):
    """KeyError for every file of an older LabelMe."""
    old = {"version": "3.16.7", "flags": {}, "shapes": [{"label": "upper", "line_color": None, "fill_color": None, "points": SQUARE}],
           "lineColor": [0, 255, 0, 128], "fillColor": [255, 0, 0, 128], "imagePath": "a.jpg",
           "imageData": base64.b64encode(handmade.photo(W, H)).decode()}
    handmade.write(tmp_path, {"a.json": old})
    assert (handmade.read(labelme.entries, tmp_path)[0]["a"].parse == S.UPPER).sum() == 50


@pytest.mark.parametrize("path", ["../img/a.jpg", "..\\img\\a.jpg"])
def test_the_photo_is_found_where_the_document_says(tmp_path, path):
    """Backslashes of Windows; the photo in a folder of its own."""
    handmade.write(tmp_path, {"ann/a.json": document(shape("upper", "polygon", SQUARE), imagePath=path), "img/a.jpg": handmade.photo(W, H)})
    samples, rejected = handmade.read(labelme.entries, tmp_path)
    assert list(samples) == ["ann/a"], rejected
    handmade.write(tmp_path, {"ann/a.json": document(imagePath="../../../etc/passwd")})
    assert handmade.read(labelme.entries, tmp_path)[1]["ann/a"].reason == "uri_denied"


@pytest.mark.parametrize(("shapes", "other", "reason"), [
    ([shape("upper", "heptagon", SQUARE)], {}, "bad_annotation"), ([shape("upper", "polygon", SQUARE[:2])], {}, "bad_annotation"),
    ([shape("upper", "rectangle", SQUARE)], {}, "bad_annotation"), ([shape("upper", "mask", SQUARE[:2])], {}, "bad_annotation"),
    ([shape("upper", "polygon", SQUARE)], {"imageHeight": 31}, "size_mismatch"),
    ([shape("upper", "polygon", SQUARE)], {"imagePath": "b.jpg"}, "not_found"),
    ([{"points": SQUARE}], {}, "bad_annotation"), ([], {"imageData": "bm8gcGhvdG8="}, "decode_error"),
])  # fmt: skip
def test_a_bad_document_costs_one_sample(tmp_path, shapes, other, reason):
    """An area that is silently left out; a map drawn on another size of the photo."""
    assert one(tmp_path, *shapes, **other).reason == reason


def test_unknown_labels_and_an_empty_folder_are_told(tmp_path):
    """A typo that becomes background."""
    with pytest.raises(DatasetError, match="a.json.*'Upper'"):
        one(tmp_path, shape("Upper", "polygon", SQUARE))
    assert (handmade.read(labelme.entries, tmp_path, labels={"Upper": "ignore"})[0]["a"].parse == IGNORE).sum() == 50
    with pytest.raises(DatasetError, match="json"):
        handmade.read(labelme.entries, handmade.write(tmp_path / "b", {"a.jpg": b""}))


def blobs(seed: int) -> np.ndarray:
    """A parse map with holes, islands, single pixels, pieces that touch by a corner, and pixels not judged."""
    rng = np.random.default_rng(seed)
    parse = np.kron(rng.choice([0, 0, 1, 8, 9, 16], (10, 8)), np.ones((3, 5), int)).astype(np.uint8)
    parse[rng.integers(0, 30, 25), rng.integers(0, 40, 25)] = rng.integers(0, 17, 25)
    parse[12:18, 12:18], parse[14:16, 14:16], parse[3, 3] = S.FULL, S.BACKGROUND, IGNORE
    return parse


@pytest.mark.parametrize("seed", range(8))
def test_a_written_parse_map_reads_back_pixel_for_pixel(tmp_path, seed):
    """Holes filled up, single pixels lost, borders shifted: the corrections of a map would be corrections of the writer."""
    parse, poses = blobs(seed), np.zeros((2, 18, 3), np.float32)
    poses[0, [S.NOSE, S.L_HIP]], poses[1, [S.NOSE, S.L_HIP]] = [[1, 1, 1], [30, 20, 1]], [[5, 5, 1], [6, 6, 1]]
    text = labelme.dumps(labelme.document(parse, "a.jpg", poses))
    handmade.write(tmp_path, {"a.json": text, "a.jpg": handmade.photo(W, H)})
    s = handmade.read(labelme.entries, tmp_path)[0]["a"]
    assert np.array_equal(s.parse, parse) and np.array_equal(s.poses, poses)
    keys = {"label", "points", "group_id", "description", "shape_type", "flags", "mask"}
    assert list(json.loads(text)) == "version flags shapes imagePath imageData imageHeight imageWidth".split()
    assert all(set(s) == keys and (s["shape_type"] != "polygon" or len(s["points"]) > 2) for s in json.loads(text)["shapes"])


def test_pieces_that_cross_at_a_corner_do_not_cover_each_other(tmp_path):
    """An outline that takes a diagonal gap for closed, and the class that reaches in through it."""
    parse = np.zeros((9, 9), np.uint8)
    parse[2:7, 2:7], parse[3:6, 3:6], parse[2, 6], parse[0:3, 6:9] = S.UPPER, S.LOWER, S.LOWER, S.LOWER
    parse[3, 6], parse[2, 5], parse[3, 5] = S.UPPER, S.UPPER, S.LOWER  # (3, 5) and (2, 6) touch by a corner only
    document = labelme.document(parse, "a.jpg")
    assert np.array_equal(labelme.marks.gather(labelme.read_marks(document, (9, 9), "a"), (9, 9), {}, "a").parse, parse)


def test_a_rewritten_document_keeps_what_it_does_not_know(tmp_path):
    """The annotator's landmarks, flags and a tool's own keys lost when the network's map is put in."""
    old = document(shape("upper", "polygon", SQUARE), shape("hem_left", "point", [[18, 9]], tool={"x": 1}), shape("nose", "point", [[4, 4]]),
                   flags={"checked": True}, reviewer="Ada", imagePath="../a.jpg", imageData="bm8gcGhvdG8=")
    new = labelme.document(blobs(0), "b.jpg", old=old)
    assert new["reviewer"] == "Ada" and new["flags"] == {"checked": True} and new["imagePath"] == "../a.jpg" and new["version"] == "5.4.1"
    kept = {s["label"]: s for s in new["shapes"] if s["shape_type"] == "point"}
    assert kept["hem_left"]["tool"] == {"x": 1} and "nose" in kept and not any(s["points"] == SQUARE for s in new["shapes"])
    assert not [s for s in labelme.document(blobs(0), "b.jpg", np.zeros((0, 18, 3)), old=old)["shapes"] if s["label"] == "nose"]


def test_a_simplified_outline_has_few_points_and_stays_close(tmp_path):
    """Hundreds of points nobody can drag; an outline that is another one."""
    y, x = np.mgrid[:H, :W]
    parse = (((x - 20) ** 2 + (y - 15) ** 2 < 144) * S.UPPER).astype(np.uint8)
    exact, coarse = labelme.document(parse, "a.jpg"), labelme.document(parse, "a.jpg", tolerance=1.5)
    assert len(coarse["shapes"][0]["points"]) < len(exact["shapes"][0]["points"]) / 2
    found = labelme.marks.gather(labelme.read_marks(coarse, (H, W), "a"), (H, W), {}, "a").parse
    assert (found != parse).mean() < 0.05 and Source.at(str(tmp_path)).root == str(tmp_path)
