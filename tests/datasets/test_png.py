"""tryon/datasets/png.py: ids out of every kind of PNG, written by Pillow."""

import handmade
import numpy as np
import pytest
from PIL import Image

from tryon.datasets import png
from tryon.schema import RowError


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
@pytest.mark.parametrize("transparent", [False, True])
def test_the_ids_of_a_palette_png_are_its_indices(bits, transparent):
    """Colours read in place of ids; ids of a small palette spread over 0-255; a palette with transparency read as four channels."""
    rows = np.random.default_rng(bits).integers(0, 2**bits, (5, 11))
    options = {"transparency": 0} if transparent else {}
    data = handmade.palette(rows, handmade.LIP_COLOURS[: min(2**bits, 20)] + ["123456"] * max(0, 2**bits - 20), bits=bits, **options)
    assert data[24] == bits and data[25] == png.PALETTE
    ids, colours = png.read(data)
    assert colours is None and ids.dtype == np.uint8 and np.array_equal(ids, rows)


def test_grey_values_are_ids_in_8_and_16_bits():
    """A 16-bit map scaled down to zeros."""
    rows = np.array([[0, 19], [20, 58]])
    for dtype in (np.uint8, np.uint16):
        assert np.array_equal(png.read(handmade.save(Image.fromarray(rows.astype(dtype)), "PNG"))[0], rows)


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_a_copy_in_colour_gives_its_colours_in_rgb_order(mode):
    """Red and blue swapped, which are the hair and the face of LIP."""
    where, colours = png.read(handmade.save(handmade.palette_image([[0, 2], [13, 2]]).convert(mode), "PNG"))
    assert colours[where].tolist() == [[[0, 0, 0], [255, 0, 0]], [[0, 0, 255], [255, 0, 0]]]


@pytest.mark.parametrize("data", [b"", b"\xff\xd8\xff rest", handmade.palette([[1, 2]] * 9)[:60], handmade.grey([[1] * 64] * 64)[:50]])
def test_what_is_no_whole_png_is_a_decode_error(data):
    """A JPEG parse map, whose ids are blurred, taken for one; a struct.error."""
    with pytest.raises(RowError) as e:
        png.read(data)
    assert e.value.reason == "decode_error"


def test_a_huge_map_is_refused_before_it_is_decoded():
    """20000 x 20000 ids out of a file of a few bytes."""
    data = bytearray(handmade.palette([[0]]))
    data[16:24] = (20000).to_bytes(4, "big") * 2
    with pytest.raises(RowError) as e:
        png.read(bytes(data))
    assert e.value.reason == "too_large"
