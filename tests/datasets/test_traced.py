"""What was traced by eye in photos of garments (tryon/datasets/traced.json), and what training makes of it."""
import cv2
import numpy as np
import pytest

from tryon import schema as S
from tryon.datasets import garments, polygons
from tryon.datasets.garments import GarmentPhoto, Traced
from tryon.datasets.split import split_of
from tryon.training.garment import between_points, near_edge, traced_product


def test_traces_are_sound():
    """A landmark of another garment or far outside its photo, left and right swapped, armpits above shoulders, a neckline from left to right."""
    traces = garments.traced()
    assert {split: sum(split_of(f"garments/{id}") == split for id in traces) for split in ("train", "val", "test")} == {"train": 399, "val": 66, "test": 31}
    level = []
    for id, t in traces.items():
        lm = t.landmarks
        assert set(lm) <= set(S.LANDMARKS) and len(t.neck) in (0, *range(3, 40)), id
        assert len(t.neck) == 0 or t.neck[0, 0] < t.neck[-1, 0], id
        for name in ("collar", "shoulder", "hem"):
            if {f"{name}_left", f"{name}_right"} <= set(lm):
                assert lm[f"{name}_right"][0] < lm[f"{name}_left"][0], (id, name)
        level += [lm[f"armpit_{s}"][1] > lm[f"shoulder_{s}"][1] for s in ("left", "right") if {f"armpit_{s}", f"shoulder_{s}"} <= set(lm)]
    assert np.mean(level) > 0.99 and all(-20 < v < 500 for t in traces.values() for p in t.landmarks.values() for v in p)


VEE = Traced({"shoulder_right": (40.0, 30.0), "shoulder_left": (160.0, 30.0), "armpit_right": (41.0, 84.0), "armpit_left": (159.0, 84.0),
              "cuff_outer_right": (5.0, 90.0), "cuff_inner_right": (20.0, 105.0), "cuff_outer_left": (195.0, 90.0), "cuff_inner_left": (180.0, 105.0)},
             np.array(((80, 20), (100, 60), (120, 20)), float), True)


def shape_of(*more) -> np.ndarray:
    """Mask 200x200 of a top with the sleeves of VEE, and of further polygons."""
    mask = np.zeros((200, 200), np.uint8)
    for polygon in (((40, 20), (160, 20), (155, 190), (45, 190)), ((40, 25), (5, 90), (20, 105), (50, 75)), ((160, 25), (195, 90), (180, 105), (150, 75)), *more):
        cv2.fillPoly(mask, [np.array(polygon)], 255)
    return mask


def test_inner_back_lies_above_the_neckline():
    """What is in front of the neck, or beside it; the ground above the garment; the inside of a hood, which nobody traced."""
    inner = VEE.inner(shape_of(((85, 5), (115, 5), (115, 25), (85, 25))))
    assert inner[30:35, 95:106].all() and inner[8:15, 90:110].all() and not inner[:4].any()
    assert not inner[64:].any() and not inner[:, :79].any() and not inner[:, 122:].any() and not inner[50:56, 80:92].any()
    assert Traced({}, np.zeros((0, 2)), True).inner(shape_of()) is None


@pytest.mark.parametrize("sleeved, more", ((True, False), (False, True)))
def test_sleeves_that_are_not_there_are_known_to_be_absent(sleeved, more):
    """Cuffs that nobody looked for, learned as absent."""
    assert ("cuff_outer_left" in Traced({"hem_left": (1, 2)}, np.zeros((0, 2)), sleeved).known) == more


def test_sleeves_between_their_corners():
    """A sleeve that lies on the torso taken for torso; one that is bent, or crosses the torso, taken for a quadrangle."""
    parts = between_points(shape_of(), VEE.landmarks)
    assert parts[70, 28] == 2 and parts[70, 172] == 3 and parts[100, 100] == 1 and (parts > 0).sum() == (shape_of() > 0).sum()
    bent = VEE.landmarks | {"cuff_outer_right": (15.0, 180.0), "cuff_inner_right": (35.0, 180.0)}
    assert between_points(shape_of(), bent) is None
    across = VEE.landmarks | {"cuff_outer_right": (140.0, 150.0), "cuff_inner_right": (120.0, 165.0)}
    assert between_points(shape_of(), across) is None
    assert set(np.unique(between_points(shape_of(), {k: v for k, v in VEE.landmarks.items() if "cuff" not in k}))) == {0, 1}


def test_a_traced_photo_without_a_sure_mask_teaches_no_mask():
    """An unsure mask learned as the truth, or its photo left out, which are the hard ones."""

    class Network:
        def garment(self, photo):
            return (np.where(cv2.resize(shape_of(), (100, 100)) > 127, 0.9, 0.1).astype(np.float32), *[None] * 4)

    photo = GarmentPhoto("x", np.full((200, 200, 3), 90, np.uint8), "top", "train")
    product = traced_product(photo, VEE, Network())
    assert not product.sure and product.place is None and set(np.unique(product.layout.parts)) <= {0, 1, 2, 3, 255}
    assert traced_product(photo, VEE) is None
    photo.mask = shape_of()
    product = traced_product(photo, VEE)
    assert product.sure and product.place == "upper" and {2, 3} <= set(np.unique(product.layout.parts)) and product.inner[40, 100]


def test_outlines_are_sound():
    """A photo of the test split; an outline outside its photo, or of next to nothing."""
    outlines = garments.outlined()
    assert {split_of(f"garments/{id}") for id in outlines} == {"train", "val"} and len(outlines) > 400
    for id, polygons in outlines.items():
        points = np.concatenate(polygons)
        assert all(len(p) > 2 for p in polygons) and points.min() >= -1 and points.max() <= 400, id
        assert np.prod(np.ptp(points, 0)) > 0.02 * 400 * 225, id


def test_a_polygon_within_another_is_a_gap():
    square = lambda a, b: np.array(((a, a), (b, a), (b, b), (a, b)), float)
    mask = polygons.even_odd((100, 120), [square(10, 90), square(30, 50)])
    assert mask.shape == (100, 120) and mask[20, 20] == 255 and not mask[40, 40] and mask[60, 60] == 255 and not mask[95].any()


def test_the_edge_of_an_outline_is_not_learned():
    """An outline traced by eye is a pixel or two off: what lies next to it is neither cloth nor ground for sure, all else is."""
    mask = np.zeros((200, 160), bool)
    mask[50:150, 40:120] = True
    near = near_edge(mask)
    assert near[50, 40:120].all() and near[48, 80] and near[51, 80] and not near[56, 80] and not near[44, 80] and near.mean() < 0.07
