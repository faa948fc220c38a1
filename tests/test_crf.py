"""tryon/models/crf.py: places of one colour agree on their class."""
import numpy as np
import torch

from tryon import schema as S
from tryon.models import crf

H, W = 112, 80
RED, BLUE, GREY = (200, 30, 40), (30, 50, 190), (120, 120, 120)


def scene() -> tuple[np.ndarray, torch.Tensor]:
    """A red top and blue trousers in the middle of a grey ground, and logits that are rather sure of both, 17HW."""
    picture = np.full((H, W, 3), GREY, np.uint8)
    label = np.zeros((H, W), np.int64)
    picture[20:60, 20:60], label[20:60, 20:60] = RED, S.UPPER
    picture[60:100, 25:55], label[60:100, 25:55] = BLUE, S.LOWER
    return picture, 4.0 * torch.nn.functional.one_hot(torch.from_numpy(label), len(S.PARSE_CLASSES)).permute(2, 0, 1).float()


def doubt(logits: torch.Tensor, window, cls: int, by: float = 1.5) -> torch.Tensor:
    """The logits with ``cls`` ahead by ``by`` in a window."""
    out = logits.clone()
    out[(cls, *window)] = out[(slice(None), *window)].amax(0) + by
    return out


def test_a_corner_in_the_colour_of_the_skirt_is_no_bag():
    picture, logits = scene()
    corner = np.s_[88:100, 45:55]
    before = doubt(logits, corner, S.BAG)
    assert (before.argmax(0)[corner] == S.BAG).all()
    assert (crf.settle(before, picture).argmax(0)[corner] == S.LOWER).all()
    # A green bag before the trousers is one, and what was right stays.
    green = picture.copy()
    green[corner] = (20, 160, 60)
    after = crf.settle(before, green).argmax(0)
    assert (after == before.argmax(0)).all()


def test_what_the_network_is_sure_of_stays():
    """A bag of the colour of the trousers: nothing but the network can tell."""
    picture, logits = scene()
    corner = np.s_[80:100, 35:55]
    before = doubt(logits, corner, S.BAG, by=6.0)
    assert (crf.settle(before, picture).argmax(0)[corner] == S.BAG).all()


def test_far_away_the_same_colour_says_nothing():
    """A bag of the colour of the trousers on the ground beside the head."""
    picture, logits = scene()
    away = np.s_[2:12, 2:12]
    picture[away] = BLUE
    before = doubt(logits, away, S.BAG, by=0.5)
    assert (crf.settle(before, picture).argmax(0)[away] == S.BAG).all()


def test_parts_of_the_skin_keep_their_borders():
    """Face and neck have one colour: the larger must not take the smaller."""
    picture, logits = scene()
    picture[4:20, 30:50] = (220, 180, 160)
    logits[:, 4:20, 30:50], logits[S.FACE, 4:16, 30:50], logits[S.NECK, 16:20, 30:50] = 0, 5, 2.5
    after = crf.settle(logits, picture).argmax(0)
    assert (after[16:20, 30:50] == S.NECK).all() and (after[4:16, 30:50] == S.FACE).all()


def test_the_picture_may_have_any_size_and_the_logits_any_precision():
    picture, logits = scene()
    before = doubt(logits, np.s_[88:100, 45:55], S.BAG)
    large = np.repeat(np.repeat(picture, 4, 0), 4, 1)
    assert torch.equal(crf.settle(before, large), crf.settle(before, picture))
    assert crf.settle(before.bfloat16(), picture).dtype == torch.float32


def test_ground_alone_is_left_as_it_is():
    logits = torch.zeros(len(S.PARSE_CLASSES), H, W)
    logits[S.BACKGROUND] = 9
    assert torch.equal(crf.settle(logits, np.full((H, W, 3), GREY, np.uint8)), logits)
    logits[:] = 0  # nothing is likely anywhere
    assert torch.equal(crf.settle(logits, np.full((H, W, 3), GREY, np.uint8)), logits)


def test_noise_does_not_make_a_cell_of_every_pixel():
    """Kernels go with the square of the cells: memory of a worker is limited."""
    noise = np.random.default_rng(0).uniform(0, 60, (40000, 5)).astype(np.float32)
    cell, order, first = crf.cells(noise)
    assert crf.MOST / 4 < len(first) <= crf.MOST and cell.max() == len(first) - 1
    sums = np.add.reduceat(noise[order], first, 0)
    there = np.zeros_like(sums)
    np.add.at(there, cell, noise)
    assert np.allclose(sums, there, rtol=1e-4)
    spread = np.stack([np.ptp(noise[cell == k], axis=0) for k in range(0, len(first), 97)])
    assert spread.max() < 30
