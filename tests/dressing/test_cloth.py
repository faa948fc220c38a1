"""tryon/dressing/cloth.py: the simulation and the drawing of sheets."""
import numpy as np
import pytest

from tryon.dressing.cloth import GATHER, STRETCH, Grid, draw, ridges, simulate

UNIT = 100.0


@pytest.fixture
def rest() -> np.ndarray:
    return Grid((20.0, 30.0), 6.0, (16, 12)).points()[None]


def run(rest, moves, frames=24, collide=lambda x, time: None):
    return list(simulate(rest, np.ones(rest.shape[:3], bool), [[0]], moves, frames, UNIT, collide))


def lengths(x: np.ndarray) -> np.ndarray:
    return np.concatenate([np.linalg.norm(np.diff(x, axis=axis), axis=-1).ravel() for axis in (1, 2)])


def falling(rest, loose=0.0):
    return lambda time: ((rest + (0, -80 * (1 - min(time / 0.8, 1)))).astype(np.float32), np.full(rest.shape[:3], loose, np.float32))


@pytest.mark.parametrize("frames", [2, 9, 24, 60])
def test_ends_at_rest(rest, frames):
    """A last frame in which the cloth still hangs off its place, or a count that is off by one."""
    xs = run(rest, falling(rest, 1.0), frames)
    assert len(xs) == frames and (xs[-1] == rest).all() and np.isfinite(xs).all()
    assert np.abs(xs[0] - rest - (0, -80)).max() < 1e-3


def test_cloth_has_weight(rest):
    """Points that are where they are wanted at once, or fall without being loose."""
    wanted, held, loose = falling(rest), run(rest, falling(rest)), run(rest, falling(rest, 1.0))
    lag = [float((x - wanted(k / 23)[0])[..., 1].mean()) for k, x in enumerate(held)]
    assert min(lag[4:12]) < -1, "it lags behind what moves it"
    assert (loose[10] - held[10])[..., 1].mean() > 1, "what is loose hangs lower"


def test_cloth_does_not_stretch(rest):
    """Corners pulled apart that tear or stretch without limit; what is pushed together that collapses to nothing."""
    def apart(time):
        goal = rest.copy()
        goal[:, :, 6:, 0] += 60 * np.sin(np.pi * min(time / 0.8, 1))
        return goal, np.zeros(rest.shape[:3], np.float32)

    def together(time):
        return (rest * (1, 0.05 + 0.95 * min(time / 0.8, 1))).astype(np.float32), np.zeros(rest.shape[:3], np.float32)

    free = np.linalg.norm(np.diff(apart(0.4)[0], axis=2), axis=-1).max()
    assert lengths(run(rest, apart)[9]).max() < 0.5 * free
    squeezed = lengths(run(rest, together)[2])
    assert squeezed.min() > 0.4 * GATHER * 6 and squeezed.max() < 1.4 * STRETCH * 6


def test_sheets_are_sewn_together(rest):
    """A sleeve that leaves the torso."""
    both = np.concatenate((rest, rest))
    def moves(time):
        goal = both.copy()
        goal[1, ..., 0] += 30 * (1 - min(time / 0.8, 1))
        return goal, np.zeros(both.shape[:3], np.float32)
    active = np.ones(both.shape[:3], bool)
    gap = {name: np.abs(np.diff(list(simulate(both, active, sewn, moves, 24, UNIT, lambda x, t: None))[6], axis=0)).max()
           for name, sewn in (("sewn", [[0, 1]]), ("apart", [[0], [1]]))}
    assert gap["sewn"] < 0.5 * gap["apart"]


def test_body_is_in_the_way(rest):
    """Collisions that are not asked for."""
    def wall(x, time):
        x[..., 0] = np.maximum(x[..., 0], 40)
    assert all(x[..., 0].min() >= 39.99 for x in run(rest, falling(rest), collide=wall)[1:18])


def test_drawn_at_rest_is_in_place(rest):
    """A picture that is shifted, turned or scaled when nothing has moved."""
    values = np.dstack((rest[0], np.ones(rest.shape[1:3], np.float32)))
    out, cover = draw(rest[0], values, np.ones(rest.shape[1:3], bool), 6.0, 2.0, (80, 70))
    cover = cover > 0.5
    y, x = np.nonzero(cover[16:56, 12:40])
    at = np.stack((x + 12, y + 16), -1)
    assert len(at) > 500 and np.abs(out[at[:, 1], at[:, 0], :2] - (2 * at + 0.5)).max() < 0.3
    assert not cover[:10].any() and not cover[:, 60:].any() and (out[cover][:, 2] > 0.999).all()


def test_drawn_moved_and_gathered(rest):
    """Holes where cloth is stretched, cloth where there is none."""
    x = rest[0] * (1.05, 0.3) + (10, 40)
    out, cover = draw(x, rest[0], np.ones(rest.shape[1:3], bool), 6.0, 2.0, (80, 70))
    top, bottom, left, right = x[0, 0, 1] / 2, x[-1, 0, 1] / 2, x[0, 0, 0] / 2, x[0, -1, 0] / 2
    cover = cover > 0.5
    inside = cover[int(top) + 2:int(bottom) - 2, int(left) + 2:int(right) - 2]
    assert inside.all() and cover.sum() < 1.5 * (bottom - top + 3) * (right - left + 3)


def test_ridges_are_irregular():
    """Folds like corduroy: the same distance everywhere, across the whole width."""
    y, x = np.mgrid[0:200, 0:160].astype(np.float32)
    h, aside = ridges(y, x, 15.0, np.random.default_rng(0))
    assert h.shape == aside.shape == y.shape and h.dtype == aside.dtype == np.float32 and np.abs(h).max() < 2.5 and h.std() > 0.2
    assert np.abs(aside).max() <= 0.75 * 15 + 1e-3, "no farther than half way to the next crest"
    assert np.corrcoef(h[:, 20], h[:, 140])[0, 1] < 0.5
    spectrum = np.abs(np.fft.rfft(h - h.mean(0), axis=0)).mean(1) ** 2
    assert spectrum.max() < 0.35 * spectrum.sum()
