"""tryon/warp.py: the residual flow, with networks whose answer is known, and the package's own."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from conftest import as_garment, as_person

from tryon import warp
from tryon.body import Body
from tryon.fit import fit
from tryon.models.gmm import PERSON, PRODUCT, SIZE, spline_basis
from tryon.models.warp import PARTS, SHAPES, Residual, moved
from tryon.sample import draw_garment, draw_person


class Flow:
    """Networks whose warp always answers the same flow."""

    def __init__(self, x: float, y: float):
        self.flow = np.zeros((len(PARTS), 2, *warp.SIZE), np.float32)
        self.flow[:, 0], self.flow[:, 1] = x, y

    def warp(self, shapes):
        assert shapes.shape == (SHAPES, *warp.SIZE) and shapes.dtype == np.float32 and 0 <= shapes.min() and shapes.max() <= 1
        return self.flow


@pytest.fixture(scope="module")
def look():
    person = as_person(draw_person(np.random.default_rng(5), (512, 384), "full"))
    garment = as_garment(draw_garment(np.random.default_rng(2), (448, 336), "top"))
    return person, garment, fit(person, garment)


def test_no_flow_changes_nothing(look):
    person, garment, fitted = look
    same = warp.refine(Flow(0, 0), person, garment, fitted)
    for a, b in zip(fitted.layers, same.layers, strict=True):
        covered = a.cover > 250
        assert np.abs(a.map[covered].astype(int) - b.map[covered]).max() <= 1 and np.array_equal(a.cover, b.cover)


@pytest.mark.parametrize("ratio, followed", [(0.9, 1.0), (1.3, warp.FOLLOWED)])
def test_a_flow_moves_the_torso_below_the_shoulders_by_so_many_pixels(look, ratio, followed):
    """Moved the other way, in the units of another grid, or only in part; sleeves or shoulders that move; prints torn where what moves meets what does not;
    tops of the usual proportions as long as the network would have them."""
    person, garment, fitted = look
    garment = replace(garment, shape=replace(garment.shape, width=np.ptp(garment.shape.centre[:, 1]) / ratio))
    body, m = Body(person), warp.view(Body(person))
    h, w = fitted.layers[0].cover.shape
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    below = (np.stack((x, y), -1) * 2 + 0.5 - body.neck) @ body.down / body.unit
    for flow in ((5, 0), (-3, 0), (0, -8)):
        whole = np.linalg.inv(m[:, :2]) @ flow * 256 / 512  # pixels of the coarse grid
        for before, after in zip(fitted.layers, warp.refine(Flow(*flow), person, garment, fitted).layers, strict=True):
            covered, same = (before.cover > 250) & (after.cover > 250), (before.map == after.map).all(-1)
            if before.part != "torso":
                assert same.all() and (before.cover == after.cover).all()
                continue
            # A place shows what lies at place + flow: sideways all of it below the armpits, along the body all of it from the hips on.
            along, across = (followed * np.clip(below, 0, 1)[..., None] * (whole @ body.down) * body.down, (whole @ body.across) * body.across)
            if flow[1]:
                at = np.stack((x, y), -1) + along + warp.smooth(below, *warp.FREE)[..., None] * across
                free = covered & (below > 0.1)
                step = np.diff(after.map[..., 1].astype(float), axis=0)[covered[1:] & covered[:-1] & (np.abs(x[1:] - w / 2) < 5)]
                assert step.min() > 0 and step.max() < 2 * np.median(step)
            else:
                at, free = np.stack((x, y), -1) + across + along, covered & (below > warp.FREE[1] + 0.02)
                high = covered & (below < 0)
                assert high.sum() > 100 and same[high].all()
            moved = cv2.remap(before.map.astype(np.float32), at.astype(np.float32), None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            assert free.sum() > 300 and np.abs(after.map - moved)[free].mean() < 2 and np.abs(before.map - after.map)[free].max(-1).mean() > (8 * followed if flow[1] else 8)


def test_moved_shows_what_lies_at_the_flow():
    parts = torch.zeros(1, 3, 20, 10)
    parts[0, 1, 8, 4] = 1
    flow = torch.zeros(1, 6, 20, 10)
    flow[0, 2], flow[0, 3] = 2 / 20, -3 / 20  # x and y of the second part, in heights
    out = moved(parts, flow)
    assert out[0, 1, 11, 2] == pytest.approx(1, abs=1e-4) and out[0, 0].sum() == 0 and out[0, 1].sum() == pytest.approx(1, abs=1e-3)


def test_an_untrained_network_moves_nothing():
    flows = Residual()(torch.rand(1, SHAPES, *warp.SIZE))
    assert [f.shape[1] for f in flows] == [6, 6, 6, 6] and all((f == 0).all() for f in flows)


def test_kinds_it_has_not_learned_stay(look):
    person, _, _ = look
    trousers = as_garment(draw_garment(np.random.default_rng(3), (448, 336), "trousers"))
    fitted = fit(person, trousers)
    assert warp.refine(None, person, trousers, fitted) is fitted


class Matching:
    """Networks whose matching module always looks at the same place of the product's view as of the person's."""

    def match(self, person, product):
        assert person.shape == (PERSON, *SIZE) and product.shape == (PRODUCT, *SIZE)
        y, x = np.mgrid[:SIZE[0], :SIZE[1]]
        return np.stack(((x + 0.5) * 2 / SIZE[1] - 1, (y + 0.5) * 2 / SIZE[0] - 1), -1).astype(np.float32)


def test_the_matching_module_says_where_the_product_is_seen(look):
    """Views mixed up: an identity fills the person's view with the product as it fills its own."""
    person, garment, _ = look
    placed = warp.place(Matching(), person, garment, "gmm")
    m = warp.view(Body(person))
    height = np.ptp(np.flatnonzero(warp.placed(placed, garment).max(0).max(1) > 0.5)) * 2 * np.sqrt(abs(np.linalg.det(m[:, :2])))
    ys, xs = np.flatnonzero(garment.mask.any(1)), np.flatnonzero(garment.mask.any(0))
    expected = 0.92 * min(SIZE[0], SIZE[1] * np.ptp(ys) / np.ptp(xs))
    assert abs(height - expected) < 0.08 * expected
    assert warp.place(None, person, garment, "geometry").layers[0].map.shape == placed.layers[0].map.shape


def test_a_thin_plate_spline_keeps_affine_maps():
    line = torch.linspace(-1, 1, 5)
    control = torch.stack(torch.meshgrid(line, line, indexing="xy"), -1).reshape(-1, 2)
    bent = control @ torch.tensor(((0.8, 0.1), (-0.2, 1.1))) + torch.tensor((0.3, -0.1))
    y, x = torch.meshgrid(*(torch.linspace(-1 + 1 / n, 1 - 1 / n, n) for n in SIZE), indexing="ij")
    places = torch.stack((x, y), -1).reshape(-1, 2)
    assert torch.allclose(spline_basis() @ bent, places @ torch.tensor(((0.8, 0.1), (-0.2, 1.1))) + torch.tensor((0.3, -0.1)), atol=1e-4)
