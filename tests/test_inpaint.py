"""tryon/inpaint.py: ground is made of what is seen of it."""

import numpy as np
import pytest

from tryon.inpaint import fill, shift
from tryon.paint import copied
from tryon.pyramid import spread

Y, X = np.mgrid[0:192, 0:160]
HOLE = (np.abs(X - 80) < 20) & (np.abs(Y - 100) < 60)


def stripes() -> np.ndarray:
    return np.repeat((128 + 80 * np.sign(np.sin(2 * np.pi * (X + 0.5) / 16)))[..., None], 3, 2).astype(np.uint8)


def kerb() -> np.ndarray:
    """A wall above a street, with a dark line between."""
    out = np.repeat(np.where(Y < 110, 200, 90)[..., None], 3, 2).astype(np.uint8)
    out[108:112] = 20
    return out


def filled(photo: np.ndarray, ground: np.ndarray = ~HOLE, hole: np.ndarray = HOLE):
    return fill(photo, spread(photo.astype(np.float32), ground, 0.06), ground, hole)


@pytest.mark.parametrize("photo, bound", [(stripes(), 40), (kerb(), 8)], ids=["stripes", "kerb"])
def test_lines_go_on(photo, bound):
    """A mean of what is around, which is off by 80 on stripes and hides the kerb."""
    now, down, right = filled(photo)
    assert np.array_equal(now[~HOLE], photo[~HOLE])
    assert np.abs(now - photo)[HOLE].mean() < bound
    ty, tx, my, mx = copied((down, right), ~HOLE, HOLE)
    assert len(ty) == HOLE.sum() and not HOLE[my, mx].any()
    assert np.abs(photo[ty, tx].astype(int) - photo[my, mx]).mean() < bound


def test_nothing_is_taken_of_what_is_no_ground():
    """The colours of the person beside the hole, which a patch at its border holds."""
    photo, person = kerb(), (X > 100) & (X < 150)
    photo[person] = (255, 0, 0)
    now, down, right = filled(photo, ~HOLE & ~person)
    assert (now[HOLE][:, 0] - now[HOLE][:, 1]).max() < 1
    _, _, my, mx = copied((down, right), ~HOLE & ~person, HOLE)
    assert len(my) == HOLE.sum() and not person[my, mx].any()


def test_without_a_hole_or_ground_there_is_nothing_to_do():
    nothing = np.zeros(HOLE.shape, bool)
    assert filled(kerb(), ~nothing, nothing) is None
    narrow = nothing.copy()
    narrow[:, :10] = True  # too narrow for patches at a quarter of the size
    assert np.abs(filled(kerb(), narrow, ~narrow)[0] - kerb()).mean() < 20
    narrow[:, 3:] = False
    assert filled(kerb(), narrow, ~narrow) is None
    one = nothing.copy()
    one[3, 3] = True
    now, *_ = filled(kerb(), ~one, one)
    assert np.abs(now[3, 3] - 200).max() < 1


def test_moves_hold_at_any_size():
    """Rows and columns that are confused, or a move that is not enlarged."""
    moves = np.zeros((24, 16), int), np.full((24, 16), -3)
    todo = np.zeros((96, 48), bool)
    todo[40:50, 30:40] = True
    ty, tx, my, mx = copied(moves, ~todo, todo)
    assert (my == ty).all() and (mx == tx - 9).all() and tx.max() < 39


def test_a_print_is_carried_on_in_large_pieces():
    """Dots that end where a coat hung over a dress, or that are torn."""
    y, x = np.mgrid[:160, :120]
    dots = np.where((((y % 12) - 6) ** 2 + ((x % 12) - 6) ** 2 < 9)[..., None], 230, 30).repeat(3, 2).astype(np.uint8)
    dress = (x > 20) & (x < 100) & (y > 10)
    hole = dress & (y < 90) & ((x < 50) | (x > 75))
    seen = dress & ~hole
    dy, dx = shift(np.where(seen[..., None], dots, 0).astype(np.uint8), seen, hole)
    found = hole & ((dy != 0) | (dx != 0))
    assert found.sum() > 0.9 * hole.sum() and not (dy | dx)[~hole].any()
    made = dots[(y + dy)[found], (x + dx)[found]]
    assert seen[(y + dy)[found], (x + dx)[found]].all() and (made == dots[found]).mean() > 0.95  # in step with what is seen beside it
    assert not np.any(shift(dots, np.zeros_like(seen), hole))
