"""Bytes to pixels and back. Photos are HxWx3 uint8 RGB; masks HxW uint8, 0 or 255.

The size is read from the header before anything is decoded, so that a small file that claims a huge picture is refused
before memory is asked for.
"""

import re
import struct

import cv2
import numpy as np

from tryon.config import ImageConfig
from tryon.schema import RowError

CONTENT_TYPES = {"webp": "image/webp", "png": "image/png", "jpeg": "image/jpeg", "avif": "image/avif"}


def sniff(data: bytes) -> tuple[str, int, int]:
    """(format, width, height) from the header: jpeg, png, webp, gif, avif, bmp or tiff; the size before EXIF turns it.

    Raises RowError("decode_error") for anything else and for a file that ends too early to be whole.
    """
    try:
        found = _sniff(data)
    except (struct.error, IndexError):
        raise RowError("decode_error", "the picture is cut off in its header") from None
    if found is None:
        raise RowError("decode_error", _what(data))
    if min(found[1:]) < 1:
        raise RowError("decode_error", "the picture has no pixels")
    return found


def decode(data: bytes, limits: ImageConfig = ImageConfig()) -> np.ndarray:
    """The first picture in ``data`` as HxWx3 uint8 RGB, upright (EXIF), transparency over white, 16 bits cut to 8.

    Colour profiles are ignored: the values are taken as sRGB. Raises RowError: too_large (nothing was decoded),
    decode_error.
    """
    pixels = _decode(data, limits)
    if pixels.ndim == 2:
        return cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGB)
    if pixels.shape[2] == 3:
        return cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)
    rgb, alpha = cv2.cvtColor(pixels, cv2.COLOR_BGRA2RGB), pixels[..., 3:].astype(np.uint16)
    if alpha.min() == 255:
        return rgb
    # libtiff hands out colours that are multiplied by alpha already.
    covered = rgb if sniff(data)[0] == "tiff" else (rgb * alpha + 127) // 255
    return np.minimum(covered + (255 - alpha), 255).astype(np.uint8)


def decode_mask(data: bytes, shape: tuple[int, ...], limits: ImageConfig = ImageConfig()) -> np.ndarray:
    """A mask file as HxW uint8, 0 or 255, at ``shape`` = (height, width, ...) of its photo.

    What counts is the alpha channel where there is one, else the grey value; more than half of the largest is 255, so
    0/1 masks work too. Raises RowError: too_large, decode_error (also when the aspect is not the photo's).
    """
    pixels = _decode(data, limits)
    if pixels.ndim == 3 and pixels.shape[2] == 4 and pixels[..., 3].min() < 255:
        grey = pixels[..., 3]
    else:
        grey = pixels if pixels.ndim == 2 else pixels[..., :3].max(axis=2)
    height, width = shape[:2]
    if abs(grey.shape[1] * height - grey.shape[0] * width) > 0.02 * grey.shape[0] * width:
        raise RowError("decode_error", f"the mask is {grey.shape[1]}x{grey.shape[0]}, its photo {width}x{height}: not the same aspect")
    mask = np.where(grey > grey.max() / 2, 255, 0).astype(np.uint8)
    return mask if mask.shape == (height, width) else cv2.resize(mask, (width, height), interpolation=cv2.INTER_NEAREST)


def fit_height(image: np.ndarray, max_height: int) -> np.ndarray:
    """``image``, scaled down to ``max_height`` pixels of height when it is higher; the aspect is kept."""
    height, width = image.shape[:2]
    if height <= max_height:
        return image
    return cv2.resize(image, (max(1, round(width * max_height / height)), max_height), interpolation=cv2.INTER_AREA)


def resize_to(image: np.ndarray, size: str) -> np.ndarray:
    """``image`` at ``size`` "WxH": scaled up or down to fit inside with its aspect, centred on the colour of its edge.

    "source" returns the picture as it is. The edge colour is the median of the outermost pixels.
    """
    if size == "source":
        return image
    width, height = map(int, size.split("x"))
    scale = min(width / image.shape[1], height / image.shape[0])
    w, h = (max(1, round(side * scale)) for side in (image.shape[1], image.shape[0]))
    small = cv2.resize(image, (w, h), interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    edge = np.median(np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]]), axis=0)
    out = np.empty((height, width, 3), np.uint8)
    out[:] = edge.astype(np.uint8)
    top, left = (height - h) // 2, (width - w) // 2
    out[top : top + h, left : left + w] = small
    return out


def encode(image: np.ndarray, format: str, quality: int = 90) -> bytes:
    """HxWx3 uint8 RGB as a file: the same pixels give the same bytes. webp and png are lossless; quality 1-100 else."""
    suffix, parameters = {
        "webp": (".webp", [cv2.IMWRITE_WEBP_LOSSLESS_MODE, cv2.IMWRITE_WEBP_LOSSLESS_ON]),
        "png": (".png", []),
        "jpeg": (".jpg", [cv2.IMWRITE_JPEG_QUALITY, quality]),
        "avif": (".avif", [cv2.IMWRITE_AVIF_QUALITY, quality]),
    }[format]
    return cv2.imencode(suffix, cv2.cvtColor(image, cv2.COLOR_RGB2BGR), parameters)[1].tobytes()


def _decode(data: bytes, limits: ImageConfig) -> np.ndarray:
    """Upright uint8 pixels as OpenCV orders them: HxW grey, HxWx3 BGR or HxWx4 BGRA."""
    format, width, height = sniff(data)
    if width * height > limits.max_pixels:
        raise RowError("too_large", f"{width}x{height} pixels, the limit is {limits.max_pixels} ([images] max_pixels)")
    if min(width, height) < limits.min_side:
        raise RowError("decode_error", f"{width}x{height} pixels are too few, the shorter side must have {limits.min_side}")
    if format == "tiff" and _tags(data).get(274, 1) != 1:
        # libtiff undoes a part of the turn, strip by strip.
        raise RowError("decode_error", "a TIFF with an orientation is not supported; save it upright")
    pixels, kinds, metadata = cv2.imdecodeWithMetadata(np.frombuffer(data, np.uint8), flags=cv2.IMREAD_UNCHANGED)
    if pixels is None or pixels.size == 0:
        raise RowError("decode_error", f"the {format} data is damaged or cut off")
    if pixels.dtype == np.uint16:
        pixels = cv2.convertScaleAbs(pixels, alpha=1 / 257)
    elif pixels.dtype != np.uint8:
        raise RowError("decode_error", f"pixels of type {pixels.dtype} are not supported; save with 8 or 16 bits")
    if format == "avif":
        return _turn_avif(pixels, data)
    exif = b"".join(m.tobytes() for k, m in zip(kinds, metadata, strict=True) if k == cv2.IMAGE_METADATA_EXIF)
    try:
        orientation = _tags(exif.removeprefix(b"Exif\0\0")).get(274, 1)
    except struct.error:
        orientation = 1  # a damaged EXIF block does not damage the picture
    return _turn(pixels, orientation)


def _turn(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """``pixels`` as EXIF orientation 1-8 wants them seen."""
    if orientation in (5, 6, 7, 8):
        pixels = cv2.transpose(pixels)
    # After the transposition: 6 is a turn to the right, 8 to the left, 7 the other diagonal.
    flip = {2: 1, 3: -1, 4: 0, 6: 1, 7: -1, 8: 0}.get(orientation)
    return pixels if flip is None else cv2.flip(pixels, flip)


def _turn_avif(pixels: np.ndarray, data: bytes) -> np.ndarray:
    """AVIF turns (irot, quarter turns to the left) and mirrors (imir, 0 top to bottom, 1 left to right) by properties."""
    if turn := re.search(rb"\0\0\0\x09irot(.)", data, re.DOTALL):
        pixels = np.ascontiguousarray(np.rot90(pixels, turn[1][0] & 3))
    if mirror := re.search(rb"\0\0\0\x09imir(.)", data, re.DOTALL):
        pixels = cv2.flip(pixels, mirror[1][0] & 1)
    return pixels


def _tags(data: bytes) -> dict[int, int]:
    """The single numbers (SHORT, LONG) of the first directory of a TIFF or EXIF block: tag -> value."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(data[:4])
    if order is None:
        return {}
    (start,) = struct.unpack_from(order + "I", data, 4)
    (count,) = struct.unpack_from(order + "H", data, start)
    tags = {}
    for at in range(start + 2, start + 2 + 12 * count, 12):
        tag, kind, n = struct.unpack_from(order + "HHI", data, at)
        if n == 1 and kind in (3, 4):
            (tags[tag],) = struct.unpack_from(order + ("H" if kind == 3 else "I"), data, at + 8)
    return tags


def _sniff(data: bytes) -> tuple[str, int, int] | None:
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png", *struct.unpack_from(">II", data, 16)
    if data.startswith(b"\xff\xd8\xff"):
        return _sniff_jpeg(data)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return _sniff_webp(data)
    if data[:6] in (b"GIF87a", b"GIF89a"):
        return _sniff_gif(data)
    if data[4:12] in (b"ftypavif", b"ftypavis"):
        # Several extents: the picture, its alpha, tiles of a grid. The largest is what memory is asked for.
        sizes = [struct.unpack(">II", m) for m in re.findall(rb"\0\0\0\x14ispe\0\0\0\0(.{8})", data, re.DOTALL)]
        return "avif", *max(sizes, key=lambda s: s[0] * s[1], default=(0, 0))
    if data[:2] == b"BM":
        (header,) = struct.unpack_from("<I", data, 14)
        width, height = struct.unpack_from("<HH" if header == 12 else "<ii", data, 18)
        return "bmp", width, abs(height)
    if tags := _tags(data):
        return "tiff", tags.get(256, 0), tags.get(257, 0)
    return None


def _sniff_jpeg(data: bytes) -> tuple[str, int, int]:
    at = 2
    while True:
        marker, length = struct.unpack_from(">HH", data, at)
        if marker == 0xFFFF:  # a fill byte
            at += 1
            continue
        if 0xFFC0 <= marker <= 0xFFCF and marker not in (0xFFC4, 0xFFC8, 0xFFCC):
            height, width = struct.unpack_from(">HH", data, at + 5)
            # Inside the coded data an end marker cannot occur; without it the file stops half-way down.
            if data.find(b"\xff\xd9", at) < 0:
                raise RowError("decode_error", "the jpeg data is cut off")
            return "jpeg", width, height
        if marker < 0xFFC0 or length < 2:
            raise RowError("decode_error", "the jpeg header is damaged")
        at += 2 + length


def _sniff_webp(data: bytes) -> tuple[str, int, int] | None:
    if data[12:16] == b"VP8X":
        return "webp", int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1
    if data[12:16] == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        return "webp", (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if data[12:16] == b"VP8 ":
        width, height = struct.unpack_from("<HH", data, 26)
        return "webp", width & 0x3FFF, height & 0x3FFF
    return None


def _sniff_gif(data: bytes) -> tuple[str, int, int]:
    """The larger of the screen and every frame: a small screen may announce a huge frame."""
    width, height, flags = struct.unpack_from("<HHB", data, 6)
    at = 13 + (3 << (flags & 7) + 1 if flags & 0x80 else 0)
    frames = 0
    while at < len(data) and data[at] in (0x21, 0x2C):
        if data[at] == 0x21:
            at += 2
        else:
            left, top, w, h, flags = struct.unpack_from("<HHHHB", data, at + 1)
            width, height = max(width, left + w), max(height, top + h)
            at += 11 + (3 << (flags & 7) + 1 if flags & 0x80 else 0)
            frames += 1
        while size := data[at] if at < len(data) else 0:
            at += 1 + size
        at += 1
    if not frames:
        raise RowError("decode_error", "the gif has no picture")
    return "gif", width, height


def _what(data: bytes) -> str:
    """What a file that is no picture seems to be, for the person who has to mend it."""
    start = data[:512].lstrip()
    if not data:
        return "the file is empty"
    if start[:1] == b"<":
        return "this is a web page or other text (HTML, XML, SVG), not a picture; was the link an error page?"
    if data[4:8] == b"ftyp":
        return f"{data[8:12].decode('latin1')!r} (HEIC or video) is not supported; save as JPEG, PNG, WebP or AVIF"
    if start[:4] == b"%PDF":
        return "this is a PDF, not a picture"
    return f"not a picture: starts with {data[:8]!r}; JPEG, PNG, WebP, GIF, AVIF, BMP and TIFF are read"
