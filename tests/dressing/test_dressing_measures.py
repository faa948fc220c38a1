"""tryon/metrics/dressing.py: what is no dressing must be told from what is."""
from dataclasses import replace

import cv2
import numpy as np
import pytest
from conftest import generator, wear

from tryon.body import Body
from tryon.dressing.sequence import Sequence, dress
from tryon.evaluation.dressing import LAWS
from tryon.fit import fit
from tryon.metrics.dressing import flow_ssim, laws, off_line
from tryon.metrics.pictures import ssim, ssim_inside


@pytest.fixture(scope="module")
def made(persons, goods):
    person, garment = persons["clara"], goods["top-02"]
    look = wear(person, garment)
    return dress(generator(), person, [garment], [fit(person, garment)], 24), person.photo, look, Body(person).unit


def broken(sequence: Sequence, made) -> set[str]:
    figures = laws(sequence, made[1], made[2].image, made[3])
    return {k for k, (low, high) in LAWS.items() if not low <= figures[k] <= high}


def test_a_dressing_is_one(made):
    assert not broken(made[0], made)


def test_cross_fade_is_none(made):
    """The finished still, faded in."""
    _, photo, look, _ = made
    worn, edit = look.warped_mask > 0, look.edit_mask > 0
    share = np.linspace(0, 1, 24)
    frames = [np.rint(photo * (1 - t) + look.image * t).astype(np.uint8) for t in share]
    shown = [np.where(worn & (t > 0), 0, -1).astype(np.float32) for t in share]
    still = replace(made[0], frames=frames, displacement=shown, edits=[edit] * 24, flow=[np.zeros((*worn.shape, 2), np.float32)] * 24)
    assert {"travelling", "no_mixture"} <= broken(still, made)


def test_wipe_is_none(made):
    """The finished still, revealed from above."""
    _, photo, look, _ = made
    worn, edit = look.warped_mask > 0, look.edit_mask > 0
    ys = np.flatnonzero(worn.any(1))
    lines = np.rint(np.linspace(ys[0], ys[-1] + 1, 24)).astype(int)
    above = [np.arange(len(worn))[:, None] < y for y in lines]
    frames = [np.where((edit & a)[..., None], look.image, photo) for a in above]
    frames[-1] = look.image
    wipe = replace(made[0], frames=frames, displacement=[np.where(worn & a, 0, -1).astype(np.float32) for a in above], edits=[edit] * 24,
                   flow=[np.zeros((*worn.shape, 2), np.float32)] * 24)
    assert {"travelling", "no_mixture"} <= broken(wipe, made)


def test_faults_are_found(made):
    """A frame left out, one that flickers, a pixel changed outside, an end that is not the look."""
    s, photo, look, _ = made
    cut = [*range(12), *range(17, 24)]
    pick = lambda x: [x[k] for k in cut]
    assert "area_jump" in broken(replace(s, frames=pick(s.frames), displacement=pick(s.displacement), flow=pick(s.flow), edits=pick(s.edits)), made)
    rng = np.random.default_rng(0)
    noisy = [np.clip(f + rng.normal(0, 40, f.shape) * (0 < k < 23), 0, 255).astype(np.uint8) for k, f in enumerate(s.frames)]
    assert {"flow_ssim", "changed_outside"} <= broken(replace(s, frames=noisy), made)
    assert "last_exact" in broken(replace(s, frames=[*s.frames[:-1], s.frames[-2]]), made)
    assert "coverage_drop" in broken(replace(s, displacement=[*s.displacement[:20], s.displacement[8], *s.displacement[21:]]), made)


def test_off_line():
    a, b = np.zeros((1, 4, 3), np.uint8), np.full((1, 4, 3), 200, np.uint8)
    x = np.array([[(0, 0, 0), (100, 100, 100), (255, 255, 255), (100, 0, 0)]], np.uint8)
    assert off_line(x, a, b)[0].tolist() == pytest.approx([0, 0, 95.26, 81.65], abs=0.01)


def test_likeness_inside_is_that_of_the_mask_alone():
    rng = np.random.default_rng(0)
    a = rng.integers(0, 256, (40, 50, 3)).astype(np.uint8)
    b = np.clip(a + rng.normal(0, 30, a.shape), 0, 255).astype(np.uint8)
    whole = ssim_inside(a, b, np.ones((40, 50), bool))[6:-6, 6:-6]
    assert whole == pytest.approx(ssim(a, b)[6:-6, 6:-6], abs=1e-4)
    mask = np.zeros((40, 50), bool)
    mask[10:30, 12:33] = True
    other = np.where(mask[..., None], b, rng.integers(0, 256, b.shape)).astype(np.uint8)
    assert np.array_equal(ssim_inside(a, b, mask)[mask], ssim_inside(a, other, mask)[mask])
    assert np.abs(ssim(a, b) - ssim(a, other))[mask].max() > 0.1


def test_area_jumps_are_in_shares_of_the_garment(made):
    """What a coat hides in the end counts as area of the garment."""
    s, photo, look, unit = made
    seen = int((s.displacement[-1] >= 0).sum())
    alone, hidden = laws(s, photo, look.image, unit), laws(s, photo, look.image, unit, 4 * seen)
    assert hidden["area_jump"] == pytest.approx(alone["area_jump"] / 4)
    assert hidden["area_jump_seen"] == alone["area_jump_seen"] == alone["area_jump"]


def test_likeness_along_the_motion():
    """A fine print carried half a pixel over other ground is like itself; one that does not move as it is said to is not."""
    rng = np.random.default_rng(0)
    print_ = cv2.GaussianBlur(rng.normal(0, 1, (80, 80, 3)), (0, 0), 0.8)
    print_ = np.clip(128 + 60 * print_ / print_.std(), 0, 255).astype(np.float32)
    y, x = np.mgrid[0:60, 0:60].astype(np.float32)
    carried = [cv2.remap(print_, x + 8 - dx, y + 8, cv2.INTER_LANCZOS4) for dx in (0.0, 3.5)]
    masks = [((x - 20 - dx) ** 2 + (y - 30) ** 2 < 14 ** 2) for dx in (0.0, 3.5)]
    soft = [cv2.GaussianBlur(m.astype(np.float32), (0, 0), 0.6)[..., None] for m in masks]
    ground = [np.full((60, 60, 3), c, np.float32) for c in (0, 255)]
    frames = [np.clip(c * a + g * (1 - a), 0, 255).astype(np.uint8) for c, a, g in zip(carried, soft, ground)]
    moved = lambda dx: flow_ssim(*frames, *masks, np.broadcast_to(np.float32((dx, 0)), (60, 60, 2)))
    assert moved(3.5) > 0.97 and moved(2.5) < 0.85 and moved(0.0) < 0.5
