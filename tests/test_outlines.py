"""tryon/outlines.py: what was found coarsely gets the outlines of the photo."""

import cv2
import numpy as np
import pytest

from tryon.outlines import GuidedFilter


def scene() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A red shape on green that is equally bright: photo, where it is, and what a coarse network found of it, softly and two pixels off."""
    truth = cv2.ellipse(np.zeros((256, 192), np.uint8), (96, 128), (50, 90), 20, 0, 360, 1, -1) > 0
    photo = np.where(truth[..., None], (200, 60, 60), (60, 130, 60)).astype(np.uint8)
    small = cv2.resize(np.roll(truth, 8, 1).astype(np.float32), (48, 64), interpolation=cv2.INTER_AREA)
    return photo, truth, cv2.GaussianBlur(small, (0, 0), 1.0)


def iou(a: np.ndarray, b: np.ndarray) -> float:
    return (a & b).sum() / (a | b).sum()


def everywhere(photo: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.nonzero(np.ones(photo.shape[:2], bool))


def test_outlines_move_to_those_of_the_photo():
    """A filter that looks at brightness alone, at another place, or not at the photo."""
    photo, truth, p = scene()
    plain = cv2.resize(p, photo.shape[1::-1], interpolation=cv2.INTER_LINEAR) > 0.5
    assert iou(plain, truth) < 0.9 < 0.985 < iou(GuidedFilter(photo, p.shape, 4)(p, everywhere(photo)).reshape(truth.shape) > 0.5, truth)


@pytest.mark.parametrize("count", [0, 1, 40000])
def test_places_are_those_of_the_photo(count):
    """Another alignment of pixel centres than OpenCV's, or a list longer than it maps at once."""
    photo, _, p = scene()
    rng = np.random.default_rng(0)
    places = rng.integers(0, 256, count), rng.integers(0, 192, count)
    guided = GuidedFilter(photo, p.shape, 3)
    found = guided.at(p, *guided.where(places))
    assert found.shape == (count,) and np.abs(found - cv2.resize(p, (192, 256), interpolation=cv2.INTER_LINEAR)[places]).max(initial=0) < 0.02


def test_a_plain_photo_changes_nothing():
    """A division by the variance of a photo that has none."""
    p = scene()[2]
    photo = np.full((64, 48, 3), 128, np.uint8)
    out = GuidedFilter(photo, p.shape, 2)(p, everywhere(photo)).reshape(p.shape)
    assert np.isfinite(out).all() and np.abs(out - p).mean() < 0.05


@pytest.mark.parametrize("shift", [(0, 0), (-20, -70), (100, 0)])
def test_of_several_each_is_found_where_it_is(shift):
    """A window of the wrong place, or one that ends before what it holds does; at the picture's border, too."""
    photo, truth, p = scene()
    photo, truth, p = (np.roll(a, (shift[0] // n, shift[1] // n), (0, 1)) for a, n in ((photo, 1), (truth, 1), (p, 4)))
    both = GuidedFilter(photo, p.shape, 4)(np.stack((p, 1 - p)), everywhere(photo)).reshape(2, *truth.shape)
    assert iou(both[0] > both[1], truth) > 0.97 and np.abs(both.sum(0) - 1).mean() < 0.02
