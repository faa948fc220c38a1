"""tryon/dressing/film.py: what is said of the motion of cloth."""
import numpy as np

from tryon.dressing.film import BETWEEN, HALVES, halved, minified, on_screen, seen_before, traced


def places(turn: float, scale: float, shift: tuple[float, float], window: tuple[int, int, int, int]) -> np.ndarray:
    """Where a flat sheet that was turned (radians), enlarged and then moved is seen: its place, x and y, at each pixel of y0, y1, x0, x1."""
    y, x = np.mgrid[window[0]:window[1], window[2]:window[3]].astype(np.float32)
    x, y = x - 60 - shift[0], y - 50 - shift[1]
    c, s = np.cos(turn) / scale, np.sin(turn) / scale
    return np.dstack((c * x + s * y, -s * x + c * y)).astype(np.float32)


def test_shift_of_a_sheet_on_the_screen():
    """A shift that is not turned or enlarged as the sheet is; one where a fold hides what lies between."""
    source = places(np.pi / 2, 2.0, (0, 0), (0, 40, 0, 40))  # x of the sheet points down
    assert np.allclose(on_screen(source)(np.broadcast_to(np.float32((3, 0)), source.shape))[1:-1, 1:-1], (0, 6), atol=1e-3)
    source[:, 20:] += 500
    assert np.allclose(on_screen(source)(np.ones_like(source))[:, 19:21], 0, atol=0.05)


def test_motion_is_traced_to_where_the_cloth_was():
    """Motion of another point of the cloth than that which is seen; one that is invented where the cloth was not seen before."""
    now, last = places(0.04, 1.03, (4, 9), (10, 60, 20, 70)), places(0.0, 1.0, (0, 0), (5, 40, 10, 65))
    rough = np.broadcast_to(np.float32((4, 9)), now.shape)
    here = np.dstack(np.mgrid[10:60, 20:70].astype(np.float32)[::-1])
    there, true = here - traced(rough, now, on_screen(now), (20, 10), (last, (10, 5))), now + (60, 50)
    wrong = np.abs(here - rough - true).max(-1)
    inside = (true > (12, 7)).all(-1) & (true < (62, 37)).all(-1) & (wrong < 1.5)
    assert inside.sum() > 300 and wrong[inside].max() > 1 and np.abs(there - true)[inside].max() < 0.1
    outside = true[..., 1] > 43
    assert outside.sum() > 100 and (there[outside] == (here - rough)[outside]).all()


def test_cloth_that_was_hidden_before_has_not_moved_from_anywhere():
    """A likeness of cloth with the other cloth that was in its place: what comes out of a fold is taken for flicker, or flicker for motion."""
    now, last = places(0.04, 1.03, (4, 9), (10, 60, 20, 70)), places(0.0, 1.0, (0, 0), (5, 40, 10, 65))
    last[:, 45:] += 40  # a fold hides the cloth between
    rough, moves, given = np.broadcast_to(np.float32((4, 9)), now.shape), on_screen(now), ((20, 10), (last, (10, 5)))
    way = traced(rough, now, moves, *given)
    open_ = np.ones((80, 90), bool)
    known, true = seen_before(way, now, moves, *given, open_), now + (60, 50)
    here = np.dstack(np.mgrid[10:60, 20:70].astype(np.float32)[::-1])
    before = (true > (12, 7)).all(-1) & (true < (53, 37)).all(-1) & (np.abs(here - rough - true).max(-1) < 1.5)
    hidden = (true[..., 0] > 57) & (true[..., 0] < 62) | (true[..., 1] > 43)
    assert before.sum() > 200 and hidden.sum() > 200 and known[before].mean() > 0.98 and not known[hidden].any()
    open_[:24] = False  # another sheet lay over it there
    under = np.rint(true[..., 1]) < 23
    known = seen_before(way, now, moves, *given, open_)
    assert (before & under).sum() > 50 and not known[under].any() and known[before & (true[..., 1] > 25)].mean() > 0.98


def test_gathered_cloth_shows_no_more_than_it_can():
    """A fine print, gathered: single stripes of it that come and go from frame to frame instead of what they look like together. Laid out, it is as sharp
    as the still."""
    stripes = np.zeros((200, 200), np.uint8)
    stripes[:, ::2] = 200
    y, x = np.mgrid[20:40, 4:20].astype(np.float32)
    levels = halved(stripes, HALVES)
    for shift in (0.0, 3.0):
        many = minified(levels, 9.3 * x + shift, y)
        assert np.abs(many - 100).max() < 12
    assert np.ptp(minified(levels[:1], 9.3 * x, y)) > 40
    few = 2 * BETWEEN / 3
    assert np.array_equal(minified(levels, few * x, y), minified(levels[:1], few * x, y))
