"""tryon/datasets/polygons.py: outlines as annotation tools draw them."""

import numpy as np
import pytest

from tryon.datasets import polygons


def test_the_outline_is_inside_and_holes_are_not():
    """A mask that is a pixel too small on two sides; a hole filled up."""
    mask = polygons.fill((6, 7), [[(1, 1), (5, 1), (5, 4), (1, 4)]], [[(3, 2), (3, 2), (3, 3)]])
    assert (mask[1:5, 1:6] > 0).sum() == 18 and (mask > 0).sum() == 18 and set(np.unique(mask)) == {0, 255}


def test_outlines_are_united_and_may_leave_the_picture():
    """Overlapping parts that cancel each other out; a crash for a point outside."""
    mask = polygons.fill((4, 4), [[(0, 0), (2, 0), (2, 2), (0, 2)], [(1, 1), (9e9, 1), (9, 9)]])
    assert mask[1, 1] == mask[2, 2] == mask[1, 3] == 255 and mask[3, 0] == 0


@pytest.mark.parametrize("outline", [[], [(1, 1), (2, 2)], [1, 2, 3], [(1, 1), (2, 2), (float("nan"), 3)]])
def test_what_is_no_outline_is_an_error(outline):
    """An empty mask, silently."""
    with pytest.raises(ValueError, match="three points"):
        polygons.fill((4, 4), [outline])
