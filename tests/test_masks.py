"""tryon/masks.py: sets of classes, discs."""
import cv2
import numpy as np
import pytest

from tryon.masks import among, closed, closest, distance_to, grown, largest, opened, pieces, shrunk, touching

DOTS = np.random.default_rng(0).random((90, 70)) < 0.004


def test_among_classes():
    """A class that is missed, or one too many; a slice of a picture, which is not contiguous."""
    labels = np.random.default_rng(0).integers(0, 17, (40, 30), dtype=np.uint8)
    for some in (labels, labels[3:20, 5:9]):
        assert (among(some, (2, 7, 16)) == np.isin(some, (2, 7, 16))).all() and not among(some, ()).any()


@pytest.mark.parametrize("radius", [1, 4, 11])
def test_grown_is_a_dilation_by_a_disc(radius):
    """A square, a disc of another size."""
    y, x = np.nonzero(DOTS)
    yy, xx = np.indices(DOTS.shape)
    true = np.hypot(yy[..., None] - y, xx[..., None] - x).min(-1)
    assert (np.abs(distance_to(DOTS) - true) <= 0.03 * true).all()
    found = grown(DOTS, radius)
    assert found[(true <= 0.97 * radius) | (true == radius)].all() and not found[true > 1.03 * radius].any()


def test_shrunk_and_closed():
    """A mask that loses its rim at the picture's edge, gaps that stay, a bay that is filled."""
    square = np.zeros((60, 60), bool)
    square[:40, 10:50] = True
    assert (shrunk(square, 5) == (cv2.erode(square.view(np.uint8), np.ones((11, 11), np.uint8)) > 0)).all()
    square[:, 28:32] = False
    square[30:, 14:20] = False
    whole = closed(square, 3)
    assert whole[5:38, 28:32].all() and not whole[36:, 15:19].all() and (whole | ~square).all()


def test_opened():
    """A strap that stays, what is broad and goes."""
    mask = np.zeros((60, 60), bool)
    mask[10:40, 10:40] = True
    mask[22:28, 40:58] = True
    broad = opened(mask, 5)
    assert not broad[:, 42:].any() and broad[10:40, 15:35].all() and broad[15:35, 10:38].all() and not (broad & ~mask).any()


def test_nothing_and_everything():
    """A distance to nothing that is small."""
    nothing = np.zeros((20, 30), bool)
    assert not grown(nothing, 9).any() and not closed(nothing, 9).any() and not shrunk(nothing, 2).any()
    assert grown(~nothing, 9).all() and shrunk(~nothing, 9).all() and (distance_to(nothing) > 100).all()


def test_pieces_that_touch():
    """A piece that is kept though it only lies near, or cut to what touches; a mask that grows by the other."""
    mask, other = np.zeros((20, 30), bool), np.zeros((20, 30), bool)
    mask[2:6, 2:10] = mask[10:14, 2:10] = True
    other[4, 8:14] = True
    kept = touching(mask, other)
    assert (kept[2:6, 2:10]).all() and kept.sum() == 32
    assert not touching(mask, np.zeros_like(other)).any() and not touching(np.zeros_like(mask), other).any()


def test_the_closest_pixel():
    """Of every pixel the nearest dot, as by comparing it with all of them."""
    y, x = closest(DOTS)
    assert DOTS[y, x].all()
    far = np.hypot(*(np.mgrid[0:90, 0:70][:, None] - np.argwhere(DOTS).T[..., None, None])).min(0)
    assert np.abs(np.hypot(y - np.arange(90)[:, None], x - np.arange(70)) - far).max() < 0.6


def test_pieces_and_the_largest():
    """Corners that do not connect, areas of other pieces, the rest counted as one."""
    mask = np.zeros((20, 30), bool)
    mask[2:5, 3:9] = mask[5:7, 9:11] = mask[10:12, 20:22] = True  # the first two meet at a corner
    labels, areas = pieces(mask)
    assert labels[3, 4] == labels[6, 10] != labels[11, 21] and not labels[0, 0]
    assert areas.tolist() == [600 - 26, 22, 4] and (largest(mask) == (labels == 1)).all()
    assert not largest(np.zeros((4, 5), bool)).any()
