"""tryon/datasets/articulate.py on drawn garments, whose landmarks are known."""

import numpy as np
import pytest

from tryon import sample
from tryon.datasets import articulate
from tryon.datasets.articulate import LEFT, RIGHT, TORSO, Layout

SLEEVED = ("shirt", "sweater", "jacket")


def layout(kind: str, seed: int) -> tuple[Layout, str]:
    drawn = sample.draw_garment(np.random.default_rng((seed, 3)), (448, 336), kind)
    return Layout(drawn.image, drawn.mask, articulate.split(drawn.mask, drawn.landmarks, drawn.category), drawn.landmarks), drawn.category


@pytest.mark.parametrize("kind", [*SLEEVED, "trousers"])
@pytest.mark.parametrize("seed", range(3))
def test_split_finds_both_limbs_on_the_wearers_sides(kind, seed):
    """Left and right as in the picture, or a cut that takes half of the torso along."""
    flat, _ = layout(kind, seed)
    assert set(np.unique(flat.parts)) == {0, TORSO, RIGHT, LEFT} and ((flat.parts > 0) == (flat.mask > 127)).all()
    middle = {v: np.flatnonzero((flat.parts == v).any(0)).mean() for v in (TORSO, RIGHT, LEFT)}
    assert middle[RIGHT] < middle[TORSO] < middle[LEFT]
    areas = {v: (flat.parts == v).sum() for v in middle}
    assert 0.7 < areas[RIGHT] / areas[LEFT] < 1.4 and (kind == "trousers" or areas[TORSO] > areas[RIGHT] + areas[LEFT])


def test_what_has_no_limbs_is_all_torso():
    """A skirt with sleeves."""
    for kind in ("skirt", "hat"):
        flat, _ = layout(kind, 0)
        assert set(np.unique(flat.parts)) == {0, TORSO}


@pytest.mark.parametrize("kind", SLEEVED)
@pytest.mark.parametrize("seed", range(4))
def test_cuffs_stay_at_the_ends_of_their_sleeves(kind, seed):
    """Landmarks that do not move with the pixels: the network would learn them in the wrong place."""
    flat, category = layout(kind, seed)
    # Room for sleeves that swing out.
    pad = lambda a: np.pad(a, ((100, 100), (100, 100), (0, 0))[:a.ndim])
    flat = Layout(pad(flat.image), pad(flat.mask), pad(flat.parts), {k: (x + 100, y + 100) for k, (x, y) in flat.landmarks.items()})
    laid = articulate.lay(flat, category, np.random.default_rng(seed))
    moved = max(np.linalg.norm(np.subtract(laid.landmarks[k], flat.landmarks[k])) for k in laid.landmarks)
    assert moved > 5 and laid.mask.shape == flat.mask.shape and ((laid.parts > 0) == (laid.mask > 127)).all()
    for side, value in articulate.SIDE.items():
        cuff = np.mean([laid.landmarks[f"cuff_{edge}_{side}"] for edge in ("outer", "inner")], 0)
        ys, xs = np.nonzero(laid.parts == value)
        hidden = laid.parts[int(cuff[1]), int(cuff[0])] not in (0, value)  # under the torso or the other sleeve
        assert hidden or np.hypot(xs - cuff[0], ys - cuff[1]).min() < 8, side
    fixed = [k for k in flat.landmarks if not k.startswith("cuff")]
    assert all(laid.landmarks[k] == pytest.approx(flat.landmarks[k]) for k in fixed)


def test_same_seed_lays_the_same():
    """Batches that are no function of seed and step: a resumed training would see others."""
    flat, category = layout("sweater", 1)
    a, b = (articulate.lay(flat, category, np.random.default_rng(5)) for _ in range(2))
    assert (a.image == b.image).all() and (a.parts == b.parts).all()


def test_reliable_refuses_sleeves_that_do_not_fit_the_label():
    """A long-sleeved top whose sleeves were missed, learned from as sleeveless."""
    drawn = [sample.draw_garment(np.random.default_rng((n, 9)), (448, 336), kind) for kind in ("sweater", "jacket", "top") for n in range(6)]
    found = {label: [articulate.reliable(g.image, g.mask, label) for g in drawn] for label in ("T-Shirt", "Longsleeve")}
    for g, short, long in zip(drawn, found["T-Shirt"], found["Longsleeve"]):
        assert short is None or long is None
        assert g.subcategory == "top" or short is None
        assert long is None or {"cuff_outer_left", "cuff_outer_right"} <= long[1]
    assert sum(f is not None for f in found["Longsleeve"]) >= 4 and any(f is not None for f in found["T-Shirt"])
