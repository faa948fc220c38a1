"""tryon/guided.py: what was found coarsely gets the outlines of the photo."""

import cv2
import numpy as np
import pytest

from tryon.guided import Guide


def scene() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A red shape on green that is equally bright: photo, where it is, and what a coarse network found of it, softly and two pixels off."""
    truth = cv2.ellipse(np.zeros((256, 192), np.uint8), (96, 128), (50, 90), 20, 0, 360, 1, -1) > 0
    photo = np.where(truth[..., None], (200, 60, 60), (60, 130, 60)).astype(np.uint8)
    small = cv2.resize(np.roll(truth, 8, 1).astype(np.float32), (48, 64), interpolation=cv2.INTER_AREA)
    return photo, truth, cv2.GaussianBlur(small, (0, 0), 1.0)


def iou(a: np.ndarray, b: np.ndarray) -> float:
    return (a & b).sum() / (a | b).sum()


def test_outlines_move_to_those_of_the_photo():
    """A filter that looks at brightness alone, at another place, or not at the photo."""
    photo, truth, p = scene()
    plain = cv2.resize(p, photo.shape[1::-1], interpolation=cv2.INTER_LINEAR) > 0.5
    assert iou(plain, truth) < 0.9 < 0.985 < iou(Guide(photo, p.shape, 4).upsample(p) > 0.5, truth)


@pytest.mark.parametrize("count", [0, 1, 40000])
def test_single_places_are_those_of_the_whole(count):
    """Another alignment of pixel centres for a list of places, or a list longer than OpenCV maps at once."""
    photo, _, p = scene()
    guide, rng = Guide(photo, p.shape, 3), np.random.default_rng(0)
    places = rng.integers(0, 256, count), rng.integers(0, 192, count)
    found = guide.upsample(p, places)
    assert found.shape == (count,) and np.abs(found - guide.upsample(p)[places]).max(initial=0) < 0.02


def test_a_plain_photo_changes_nothing():
    """A division by the variance of a photo that has none."""
    p = scene()[2]
    out = Guide(np.full((64, 48, 3), 128, np.uint8), p.shape, 2).upsample(p)
    assert np.isfinite(out).all() and np.abs(out - p).mean() < 0.05
