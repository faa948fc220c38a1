"""tryon/datasets/ccp.py: Clothing Co-Parsing in the shape of shared/data/ccp.tar."""

import hashlib
import json

import cv2
import handmade
import numpy as np
import pytest
from conftest import ROOT

from tryon import schema as S
from tryon.datasets import ccp
from tryon.datasets.sample import DatasetError, Sample
from tryon.datasets.split import split_of

LABELS = ["null", "skin", "dress", "hair", "bag"]
W, H = 40, 80
# BlazePose: a person upright in the middle, facing the camera (their left to the right in the picture).
POINTS = [[20, 8, 0.9] for _ in range(33)]
for i, x, y in ((9, 21, 10), (10, 19, 10), (7, 23, 8), (8, 17, 8), (11, 26, 20), (12, 14, 20), (13, 30, 32), (14, 10, 32), (15, 32, 42),
                (16, 8, 42), (19, 33, 45), (20, 7, 45), (23, 24, 44), (24, 16, 44), (25, 25, 58), (26, 15, 58), (27, 25, 72), (28, 15, 72),
                (31, 26, 76), (32, 14, 76)):  # fmt: skip
    POINTS[i] = [x, y, 0.9]
POINTS[16] = [8, 42, 0.1]  # BlazePose gives every joint; this one is not seen


def write(root, **other):
    parse = np.zeros((H, W), int)
    parse[2:78, 5:36], parse[24:50, 15:26], parse[0:3, 15:25] = 1, 2, 3
    files = {"labels.json": LABELS, "pose33.json": {"0001": POINTS, "0002": POINTS}, "tags.json": {"0002": [0, 1, 4]},
             "parse/0001.png": handmade.grey(parse), "parse/0003.png": handmade.grey(parse),
             **{f"image/000{i}.jpg": handmade.photo(W, H, i) for i in (1, 2, 3)}}  # fmt: skip
    return handmade.write(root, files | other)


def test_skin_is_split_by_the_pose_and_the_rest_by_name(tmp_path):
    """Skin as one class; the arm to the right in the picture as the right one; labels taken for our ids."""
    s = handmade.read(ccp.entries, write(tmp_path))[0]["0001"]
    at = {(60, 0): S.BACKGROUND, (35, 20): S.FULL, (1, 20): S.HAIR, (9, 20): S.FACE, (40, 32): S.LEFT_ARM, (40, 8): S.RIGHT_ARM, (65, 25): S.LEFT_LEG,
          (65, 15): S.RIGHT_LEG, (18, 20): S.NECK}  # fmt: skip
    assert {k: int(s.parse[k]) for k in at} == at
    assert s.classes is None and s.identity == "ccp/0001"


def test_joints_of_low_visibility_are_missing(tmp_path):
    """A wrist BlazePose invented."""
    s = handmade.read(ccp.entries, write(tmp_path))[0]["0001"]
    assert s.poses.shape == (1, 18, 3) and s.poses[0, S.R_WRIST].tolist() == [0, 0, 0]
    assert s.poses[0, S.L_WRIST].tolist() == pytest.approx([32, 42, 0.9]) and s.poses[0, S.NECK_JOINT].tolist() == pytest.approx([20, 20, 0.9])


def test_tags_tell_classes_and_a_photo_without_pose_has_no_parse(tmp_path):
    """Tagged photos taken for fully labelled ones; skin that could not be split as background."""
    samples = handmade.read(ccp.entries, write(tmp_path))[0]
    tagged = {S.PARSE_CLASSES[i] for i in np.flatnonzero(samples["0002"].classes)}
    assert tagged == {"background", "bag", "face", "neck", "left_arm", "right_arm", "left_leg", "right_leg"} and samples["0002"].parse is None
    assert samples["0003"].parse is None and samples["0003"].poses is None


def test_training_reads_the_same_with_photos_in_memory(tmp_path):
    """A photo decoded at every step of training; splits or photos without parse that slip in."""
    root = write(tmp_path)
    photos = ccp.read(root)
    streamed = handmade.read(ccp.entries, root)[0]
    assert [p.id for p in photos] == ["0001", "0002", "0003"] and all(isinstance(p.photo, np.ndarray) for p in photos)
    assert all(np.array_equal(p.image, streamed[p.id].image) and p.split == split_of(f"ccp/{p.id}") for p in photos)
    assert photos[0].pose.shape == (1, 18, 3) and photos[2].pose is None
    assert [p.id for p in ccp.read(root, parsed_only=True)] == ["0001"]  # 0003 has no pose to split its skin by
    assert [p.id for p in ccp.read(root, (split_of("ccp/0001"),))] == [p.id for p in photos if p.split == split_of("ccp/0001")]


def test_an_unknown_label_names_the_file_unless_mapped(tmp_path):
    """A new label that becomes background."""
    root = write(tmp_path, **{"labels.json": [*LABELS[:4], "kilt"]})
    with pytest.raises(DatasetError, match="labels.json.*'kilt'"):
        ccp.read(root)
    assert handmade.read(ccp.entries, root, labels={"kilt": "lower", "dress": "ignore"})[0]["0001"].parse[35, 20] == 255


@pytest.mark.parametrize("name", ["labels.json", "pose33.json", "tags.json", "image"])
def test_what_is_missing_is_told(tmp_path, name):
    """KeyError, or a set without poses."""
    root = write(tmp_path)
    (tmp_path / name).rename(tmp_path / "away")
    with pytest.raises(DatasetError, match=name):
        ccp.read(root)


def test_ids_beyond_the_names_cost_one_sample(tmp_path):
    """'index 9 is out of bounds', for the whole run."""
    samples, rejected = handmade.read(ccp.entries, write(tmp_path, **{"parse/0001.png": handmade.grey(np.full((H, W), 9))}))
    assert list(samples) == ["0002", "0003"] and "0001.png" in rejected["0001"].detail


def test_corrections_are_made_at_once_and_only_to_the_photo_they_were_made_for(tmp_path):
    """A swap done one after the other; a correction of CCP's 0001 made to another set's."""
    parse = np.array([[S.UPPER, S.OUTER], [S.UPPER, S.LOWER], [S.LOWER, S.SHOES]], np.uint8)
    pose = np.zeros((18, 3), np.float32)
    assert ccp.correct(parse, pose, {"upper": "outer", "outer": "upper"}).tolist() == [[S.OUTER, S.UPPER], [S.OUTER, S.LOWER], [S.LOWER, S.SHOES]]
    pose[[S.R_HIP, S.L_HIP]] = (0, 1.4, 1)
    assert ccp.correct(parse, pose, {"lower/above": "full"}).tolist() == [[S.UPPER, S.OUTER], [S.UPPER, S.FULL], [S.LOWER, S.SHOES]]
    assert ccp.correct(parse, pose, {"lower/below": "legwear"})[2, 0] == S.LEGWEAR
    table = json.loads((ROOT / "tryon/datasets/ccp_corrections.json").read_text())
    assert "0001" in table and all(len(row["photo"]) == 12 for row in table.values())
    for row in table.values():
        for which, right in row["changes"].items() if row["changes"] != "bad" else ():
            assert right in S.PARSE_CLASSES and which.removesuffix("/above").removesuffix("/below") in S.PARSE_CLASSES
    root = write(tmp_path)
    plain, corrected = handmade.read(ccp.entries, root)[0], handmade.read(ccp.corrected_entries, root)[0]
    assert np.array_equal(plain["0001"].parse, corrected["0001"].parse)


def test_outlined_parses_are_sound():
    """A photo of the test split; a class nobody knows; a map of next to nothing."""
    known = ccp.outlined()
    assert {split_of(f"ccp/{id}") for id in known} == {"train", "val"} and len(known) > 450
    for id, row in known.items():
        assert len(row["photo"]) == 16 and set(row["parse"]) <= set(S.PARSE_CLASSES) and {"background", "shoes"} & set(row["parse"]), id
        assert all(len(ring) >= 6 and len(ring) % 2 == 0 for rings in row["parse"].values() for ring in rings), id


def test_an_outlined_parse_knows_nothing_where_outlines_meet_and_belongs_to_one_photo(monkeypatch):
    """Edges learned where two outlines overlap or leave a gap; a gap within a ring filled; outlines of CCP's 0001 given to another set's."""
    photo = cv2.imencode(".jpg", np.zeros((20, 30, 3), np.uint8))[1].tobytes()
    rings = {"background": [[0, 0, 29, 0, 29, 19, 0, 19], [9, 4, 21, 4, 21, 16, 9, 16]], "upper": [[10, 5, 20, 5, 20, 10, 10, 10]], "lower": [[10, 10, 20, 10, 20, 14, 10, 14]]}
    monkeypatch.setattr(ccp, "outlined", lambda: {"0001": {"photo": hashlib.sha256(photo).hexdigest()[:16], "parse": rings}})
    parse = ccp.outlined_parse(Sample("0001", "a", "ccp", photo))
    assert parse.shape == (20, 30) and parse[2, 2] == S.BACKGROUND and parse[7, 15] == S.UPPER and parse[12, 15] == S.LOWER
    assert (parse[10, 10:21] == 255).all() and (parse[15, 12:20] == 255).all() and (parse == 255).mean() < 0.1
    assert ccp.outlined_parse(Sample("0001", "a", "ccp", photo + b"x")) is None and ccp.outlined_parse(Sample("0002", "a", "ccp", photo)) is None


def test_reading_finds_outlined_parses(tmp_path, monkeypatch):
    """Asked for when the photo is decoded already, whose bytes are others: no outline is ever found, and nobody notices."""
    folder = write(tmp_path)
    rings = {"background": [[0, 0, 39, 0, 39, 20, 0, 20]], "upper": [[10, 30, 30, 30, 30, 60, 10, 60]]}
    known = lambda id: {"photo": hashlib.sha256((tmp_path / "image" / f"{id}.jpg").read_bytes()).hexdigest()[:16], "parse": rings}
    monkeypatch.setattr(ccp, "outlined", lambda: {"0001": known("0001"), "0002": known("0002"), "0003": known("0001")})
    photos = {p.id: p for p in ccp.read(folder)}
    assert {id for id, p in photos.items() if p.by_eye is not None} == {"0002"}  # 0001 has its own parse, 0003 is another photo
    one = photos["0002"]
    assert one.parse is None and one.by_eye[45, 20] == S.UPPER and one.by_eye[10, 10] == S.BACKGROUND
    outlines = one.by_eye
    unsure = ccp.fill_in(one)
    assert (unsure == (outlines == 255)).all() and set(np.unique(one.parse)) == {S.BACKGROUND, S.UPPER} and ccp.fill_in(photos["0003"]) is None
