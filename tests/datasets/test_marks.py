"""tryon/datasets/marks.py: areas and points drawn by hand."""

import numpy as np
import pytest

from tryon import schema as S
from tryon.datasets import marks
from tryon.datasets.marks import Mark, gather
from tryon.datasets.sample import IGNORE, DatasetError, SampleError

SHAPE = (8, 10)


def box(x0, y0, x1, y1):
    m = np.zeros(SHAPE, np.uint8)
    m[y0:y1, x0:x1] = 255
    return m


def test_later_areas_paint_over_earlier_ones_but_not_out_of_a_garment():
    """The bag under the coat it is worn over; a garment's own mask with a hole where something covers it in the parse map."""
    areas = [Mark("outer", 1, box(0, 0, 6, 6)), Mark("bag", None, box(4, 4, 8, 8)), Mark("__ignore__", None, box(0, 0, 2, 1))]
    drawn = gather(areas, SHAPE, {}, "a.json")
    assert drawn.parse[5, 5] == S.BAG and drawn.parse[2, 2] == S.OUTER and drawn.parse[0, 0] == IGNORE and drawn.parse[0, 9] == S.BACKGROUND
    assert [(g.category, g.subcategory, (g.mask > 0).sum(), g.box) for g in drawn.garments] == [
        ("upper", "jacket", 36, (0, 0, 6, 6)), ("accessory", "bag", 16, (4, 4, 8, 8))]  # fmt: skip


def test_a_group_is_one_person_or_one_garment():
    """Two people's joints in one pose; both sleeves as two garments; the largest person not first."""
    shoulders = (("left_shoulder", 2, 0), ("right_shoulder", 0, 2))
    people = [Mark(n, p, point=(x * s + 1, y * s + 1, 1.0)) for p, s in ((1, 1), (2, 3)) for n, x, y in shoulders]
    garment = [Mark("shirt", 7, box(0, 0, 2, 2)), Mark("shirt", 7, box(4, 0, 6, 2)), Mark("collar_left", 7, point=(1, 1, 1.0))]
    drawn = gather(people + garment, SHAPE, {}, "a.json")
    assert drawn.poses[:, S.L_SHOULDER].tolist() == [[7, 1, 1], [3, 1, 1]] and drawn.poses[0, S.NECK_JOINT].tolist() == [4, 4, 1]
    (g,) = drawn.garments
    assert (g.mask > 0).sum() == 8 and g.landmarks == {"collar_left": (1, 1, 1.0)} and g.label == "shirt"


def test_landmarks_without_a_group_belong_to_the_only_garment():
    """A garment without landmarks beside landmarks without a garment."""
    (g,) = gather([Mark("hem_left", point=(3, 3, 1.0)), Mark("skirt", None, box(0, 0, 2, 2))], SHAPE, {}, "a.json").garments
    assert g.category == "lower" and g.landmarks and g.mask.any()


def test_nothing_drawn_is_no_parse_map_and_no_pose():
    """A photo nobody has labelled yet as one that is all background."""
    drawn = gather([], SHAPE, {}, "a.json")
    assert drawn.parse is None and drawn.poses is None and drawn.garments == []
    assert gather([Mark("nose", point=(1, 1, 1.0))], SHAPE, {}, "a.json").parse is None


def test_unknown_labels_and_joints_drawn_twice_are_errors():
    """A typo that becomes background; the second of two noses wins."""
    with pytest.raises(DatasetError, match="a.json.*'uper'"):
        gather([Mark("uper", None, box(0, 0, 1, 1))], SHAPE, {}, "a.json")
    with pytest.raises(SampleError, match="nose"):
        gather([Mark("nose", point=(1, 1, 1.0)), Mark("nose", point=(2, 2, 1.0))], SHAPE, {}, "a.json")
    german = [Mark("Oberteil", None, box(0, 0, 1, 1)), Mark("Nase", point=(1, 1, 1.0))]
    mapped = gather(german, SHAPE, {"Oberteil": "upper", "Nase": "nose"}, "a.json")
    assert mapped.parse[0, 0] == S.UPPER and mapped.poses[0, S.NOSE, 2] == 1


def test_a_patch_is_cut_off_at_the_photos_edge():
    """A brush stroke beyond the edge that ends the run, or comes in again on the other side."""
    patch = np.ones((3, 4), bool)
    assert np.argwhere(marks.put_patch(SHAPE, patch, -2, -1)).max(0).tolist() == [1, 1]
    assert (marks.put_patch(SHAPE, patch, 8, 7) > 0).sum() == 2 and not marks.put_patch(SHAPE, patch, 10, 0).any()


@pytest.mark.parametrize("seed", range(6))
def test_pieces_painted_in_order_give_the_map_again(seed):
    """Holes that are painted over; pieces that touch by a corner; background inside a garment that is lost."""
    rng = np.random.default_rng(seed)
    parse = np.kron(rng.integers(0, 3 + seed, (9, 7)), np.ones((rng.integers(1, 4), rng.integers(1, 4)), int)).astype(np.uint8)
    parse[parse == 2] = IGNORE
    out = np.zeros_like(parse)
    for name, patch, (x, y) in marks.pieces(parse):
        out[y : y + patch.shape[0], x : x + patch.shape[1]][patch] = IGNORE if name == "__ignore__" else S.PARSE_CLASSES.index(name)
    assert np.array_equal(out, parse)
