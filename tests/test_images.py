"""tryon/images.py: real files of every kind, written by Pillow and read by OpenCV."""

import io
import struct
import tracemalloc

import numpy as np
import pytest
from PIL import Image, ImageOps

from tryon import images
from tryon.config import ImageConfig
from tryon.schema import RowError

LIMITS = ImageConfig(min_side=32)


@pytest.fixture(scope="module")
def photo() -> Image.Image:
    """A smooth, asymmetric 120x80 picture: every orientation of it looks different."""
    y, x = np.mgrid[:80, :120]
    return Image.fromarray(np.stack([x * 2, y * 3, 255 - x - y], -1).astype(np.uint8))


def save(image: Image.Image, format: str, **options) -> bytes:
    f = io.BytesIO()
    image.save(f, format, **options)
    return f.getvalue()


def close(a, b, mean: float = 3.0) -> bool:
    a, b = np.asarray(a, int), np.asarray(b, int)
    return a.shape == b.shape and np.abs(a - b).mean() < mean


def reason(data: bytes, limits: ImageConfig = LIMITS) -> str:
    with pytest.raises(RowError) as e:
        images.decode(data, limits)
    assert e.value.detail and "\n" not in e.value.detail
    return e.value.reason


FORMATS = [
    ("JPEG", {"quality": 95}),
    ("PNG", {}),
    ("WEBP", {"lossless": True}),
    ("WEBP", {"quality": 95}),
    ("GIF", {}),
    ("AVIF", {"quality": 95}),
    ("BMP", {}),
    ("TIFF", {}),
]


@pytest.mark.parametrize(("format", "options"), FORMATS)
def test_every_format_is_read_in_rgb_and_sniffed_at_its_size(photo, format, options):
    """Red and blue swapped in one decoder; width and height swapped in one header reader."""
    data = save(photo, format, **options)
    assert images.sniff(data) == (format.lower(), 120, 80)
    assert close(images.decode(data, LIMITS), photo, 8 if format == "GIF" else 3)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "AVIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_applied_as_pillow_does(photo, format, orientation):
    """Sideways or mirrored people: a decoder that ignores the orientation, or a wrong entry in the flip table."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = save(photo, format, exif=exif)
    with Image.open(io.BytesIO(data)) as image:
        assert close(images.decode(data, LIMITS), ImageOps.exif_transpose(image).convert("RGB"), 4)


@pytest.mark.parametrize(("format", "options"), [("PNG", {}), ("WEBP", {"lossless": True}), ("AVIF", {"quality": 95}), ("TIFF", {})])
def test_transparency_becomes_white(photo, format, options):
    """Cut-out product photos whose hidden colours show, or whose ground turns black."""
    see_through = photo.convert("RGBA")
    see_through.putalpha(Image.fromarray(np.tile(np.linspace(0, 255, 120).astype(np.uint8), (80, 1))))
    white = Image.alpha_composite(Image.new("RGBA", photo.size, "white"), see_through).convert("RGB")
    assert close(images.decode(save(see_through, format, **options), LIMITS), white)


def test_grey_palette_sixteen_bit_one_bit_and_cmyk_are_right(photo):
    """A grey photo of shape HxW, a 16-bit photo that saturates, a CMYK photo in negative."""
    grey = photo.convert("L")
    assert close(images.decode(save(grey, "PNG"), LIMITS), grey.convert("RGB"))
    assert close(images.decode(save(grey.convert("LA"), "PNG"), LIMITS), grey.convert("RGB"))
    assert close(images.decode(save(photo.quantize(64), "PNG"), LIMITS), photo.quantize(64).convert("RGB"))
    sixteen = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)
    assert close(images.decode(save(sixteen, "PNG"), LIMITS), grey.convert("RGB"), 1)
    assert close(images.decode(save(grey.convert("1"), "PNG"), LIMITS), grey.convert("1").convert("RGB"))
    assert close(images.decode(save(photo.convert("CMYK"), "JPEG", quality=95), LIMITS), photo)
    transparent = photo.quantize(16)
    white = Image.alpha_composite(
        Image.new("RGBA", photo.size, "white"), Image.open(io.BytesIO(save(transparent, "PNG", transparency=3))).convert("RGBA")
    )
    assert close(images.decode(save(transparent, "PNG", transparency=3), LIMITS), white.convert("RGB"))


@pytest.mark.parametrize(("format", "options"), [("GIF", {}), ("WEBP", {"lossless": True}), ("AVIF", {"quality": 95}), ("PNG", {})])
def test_the_first_frame_of_an_animation_is_taken(photo, format, options):
    """The last frame, or frames stacked on top of each other."""
    data = save(photo, format, save_all=True, append_images=[Image.new("RGB", photo.size, c) for c in ("red", "blue")], **options)
    assert close(images.decode(data, LIMITS), photo, 8 if format == "GIF" else 3)


@pytest.mark.parametrize(("format", "options"), FORMATS)
@pytest.mark.parametrize("kept", [0.02, 0.3, 0.7, 0.98])
def test_a_cut_off_file_is_refused(format, options, kept):
    """Half a photo with a grey lower half, rendered as if it were whole."""
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (300, 400, 3), np.uint8))
    data = save(noise, format, **options)
    assert reason(data[: int(len(data) * kept)]) == "decode_error"


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"", "empty"),
        (b"\n<!DOCTYPE html><html>404</html>", "HTML"),
        (b"%PDF-1.7", "PDF"),
        (b"\0\0\0\x18ftypheic" + b"\0" * 40, "HEIC"),
        (b"\xff\xd8\xff\x11" + b"\0" * 9, "damaged"),
        (b"BM", "cut off"),
        (b"GIF89a" + b"\0" * 20, "no picture"),
        (b"hello world", "not a picture"),
    ],
)
def test_what_is_no_picture_is_refused_with_a_detail_a_person_understands(data, word):
    """A Python traceback, or a bare 'decode failed', for a merchant who linked an error page."""
    with pytest.raises(RowError, match=word) as e:
        images.decode(data, LIMITS)
    assert e.value.reason == "decode_error"


def bombs() -> dict[str, bytes]:
    png = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sIIBBBBB", 13, b"IHDR", 20000, 20000, 8, 2, 0, 0, 0) + b"\0" * 64
    gif = b"GIF89a" + struct.pack("<HHBBB", 10, 10, 0, 0, 0) + b"\x2c" + struct.pack("<HHHHB", 0, 0, 60000, 60000, 0) + b"\x02\x01\x00\x00;"
    jpeg = b"\xff\xd8\xff\xc0" + struct.pack(">HBHHB", 17, 8, 60000, 60000, 3) + b"\0" * 9 + b"\xff\xd9"
    webp = b"RIFF\x64\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + b"\xff\xff\0" * 2 + b"\0" * 40
    return {
        "png": png,
        "gif": gif,
        "jpeg": jpeg,
        "webp": webp,
        "bmp": b"BM" + b"\0" * 12 + struct.pack("<Iii", 40, 50000, -50000) + b"\0" * 40,
    }


@pytest.mark.parametrize("format", bombs())
def test_a_bomb_is_refused_before_memory_is_asked_for(format):
    """400 megapixels decoded out of a kilobyte."""
    tracemalloc.start()
    assert reason(bombs()[format]) == "too_large"
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()


def test_random_damage_is_refused_or_read_but_never_raises_anything_else(photo):
    """A flipped bit in a header that ends a whole batch with an exception of OpenCV or struct."""
    rng = np.random.default_rng(1)
    for format, options in FORMATS:
        good = save(photo, format, **options)
        for _ in range(40):
            bad = bytearray(good)
            for at in rng.integers(0, min(len(bad), 200), 3):
                bad[at] = rng.integers(256)
            try:
                assert images.decode(bytes(bad), LIMITS).dtype == np.uint8
            except RowError as e:
                assert e.reason in ("decode_error", "too_large")


def test_a_turned_tiff_is_refused(photo):
    """A TIFF turned half-way, because libtiff flips and does not transpose."""
    exif = Image.Exif()
    exif[0x0112] = 6
    assert reason(save(photo, "TIFF", exif=exif)) == "decode_error"


def test_too_small_a_picture_is_refused(photo):
    """A one-pixel tracking picture stretched over a person."""
    assert reason(save(photo, "PNG"), ImageConfig(min_side=81)) == "decode_error"


@pytest.mark.parametrize("format", ["webp", "png", "jpeg", "avif"])
def test_encoding_is_deterministic_and_lossless_where_promised(photo, format):
    """Re-runs that write other bytes; a 'lossless' WebP at quality 100; red and blue swapped."""
    image = np.asarray(photo)
    data = images.encode(image, format, 90)
    assert data == images.encode(image.copy(), format, 90)
    assert images.sniff(data)[0] == format and format in images.CONTENT_TYPES
    back = images.decode(data, LIMITS)
    assert np.array_equal(back, image) if format in ("webp", "png") else close(back, image, 4)


def test_a_mask_follows_alpha_then_grey_and_the_photos_size(photo):
    """A 0/1 mask read as empty; an RGBA cut-out read by its colours; a mask of half the size refused or smeared."""
    shape = np.zeros((80, 120), np.uint8)
    shape[20:60, 30:90] = 1
    want = shape * 255
    assert np.array_equal(images.decode_mask(save(Image.fromarray(shape), "PNG"), (80, 120, 3), LIMITS), want)
    cut = photo.convert("RGBA")
    cut.putalpha(Image.fromarray(want))
    assert np.array_equal(images.decode_mask(save(cut, "PNG"), (80, 120), LIMITS), want)
    twice = images.decode_mask(save(Image.fromarray(want), "PNG"), (160, 240), LIMITS)
    assert np.array_equal(twice, want.repeat(2, 0).repeat(2, 1))
    with pytest.raises(RowError, match="aspect"):
        images.decode_mask(save(Image.fromarray(want), "PNG"), (120, 80), LIMITS)


def test_resizing_keeps_the_aspect(photo):
    """A person stretched to the shop's picture size; a photo scaled up by fit_height."""
    image = np.asarray(photo)
    assert images.fit_height(image, 40).shape == (40, 60, 3) and images.fit_height(image, 80) is image
    square = images.resize_to(np.full((80, 120, 3), 9, np.uint8), "60x60")
    assert square.shape == (60, 60, 3) and (square == 9).all()
    padded = images.resize_to(image, "60x60")
    assert close(padded[10:50], images.fit_height(image, 40), 1) and len(np.unique(padded[:10].reshape(-1, 3), axis=0)) == 1
    assert images.resize_to(image, "source") is image
