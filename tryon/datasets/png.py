"""Ids out of a parse map's PNG: the indices of a palette or grey values; of an RGB(A) copy of a palette, its colours."""
import struct
import zlib
from collections.abc import Iterator

import cv2
import numpy as np

from tryon import images
from tryon.datasets.sample import LIMITS
from tryon.schema import RowError

HEADER = b"\x89PNG\r\n\x1a\n"
GREY, PALETTE = 0, 3  # colour types; 2 is RGB, 4 and 6 are grey and RGB with alpha


def chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """(type, content) of every chunk. Raises RowError("decode_error") when the file ends too early."""
    at = len(HEADER)
    while at < len(data):
        if len(data) < at + 12:
            raise RowError("decode_error", "the png data is cut off")
        (length,) = struct.unpack_from(">I", data, at)
        yield data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        at += 12 + length


def colour_type(data: bytes) -> int:
    """Raises RowError("decode_error") for what is no PNG, "too_large" before anything is decoded."""
    if not data.startswith(HEADER) or len(data) < 33:
        raise RowError("decode_error", f"a parse map must be a PNG, because its values are ids; this starts with {data[:8]!r}")
    _, width, height = images.sniff(data)
    if width * height > LIMITS.max_pixels:
        raise RowError("too_large", f"{width}x{height} pixels, the limit is {LIMITS.max_pixels}")
    return data[25]


def palette(data: bytes) -> np.ndarray | None:
    """The palette Kx3 uint8 RGB of a PNG, None when it has none."""
    for kind, content in chunks(data):
        if kind == b"PLTE":
            return np.frombuffer(content, np.uint8).reshape(-1, 3)
    return None


def indices(data: bytes) -> np.ndarray:
    """The palette indices of a palette PNG, HxW uint8. Raises RowError("decode_error").

    OpenCV gives colours only, so the file is relabelled as grey first: the same numbers, without palette.
    """
    out = [HEADER]
    depth = data[24]
    for kind, content in chunks(data):
        if kind == b"IHDR":
            content = content[:9] + bytes([GREY]) + content[10:]
        if kind in (b"IHDR", b"IDAT", b"IEND"):
            out.append(struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content)))
    grey = _decode(b"".join(out))
    # libpng spreads grey of 1, 2 and 4 bits over 0-255.
    return grey if depth == 8 else grey // (255 // ((1 << depth) - 1))


def read(data: bytes) -> tuple[np.ndarray, np.ndarray | None]:
    """(ids HxW uint8, None) of a palette or grey PNG; (HxW index into the colours, Kx3 uint8 RGB) of one in colour; alpha is
    left out. Raises RowError("decode_error")."""
    if colour_type(data) == PALETTE:
        return indices(data), None
    found = _decode(data)
    if found.ndim == 2:
        return found, None
    b, g, r = (found[..., i].astype(np.uint32) for i in range(3))
    packed, where = np.unique(r << 16 | g << 8 | b, return_inverse=True)
    return where.reshape(found.shape[:2]), np.stack((packed >> 16, packed >> 8 & 255, packed & 255), 1).astype(np.uint8)


def _decode(data: bytes) -> np.ndarray:
    found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if found is None:
        raise RowError("decode_error", "the png data is damaged or cut off")
    if found.dtype == np.uint16:
        if found.ndim == 3 or found.max(initial=0) > 255:
            raise RowError("decode_error", "16-bit ids above 255 are not labels of any set")
        found = found.astype(np.uint8)
    return found
