"""Small data sets typed by hand in the shape of their format (FORMATS.md), with Pillow and json, never with the package's writers."""

import io
import json
from pathlib import Path

import numpy as np
from PIL import Image

from tryon.datasets.sample import Rejected, Sample, load
from tryon.datasets.source import Source

# The first colours of LIP's palette; index = id.
LIP_COLOURS = (
    "000000 800000 ff0000 005500 aa0033 ff5500 000055 0077dd 555500 005555 553300 345680 008000 0000ff 33aadd 00ffff 55ffaa aaff55 ffff00 ffaa00"
).split()


def write(root: Path, files: dict) -> str:
    """Put files (path -> bytes, text, or what becomes JSON) below ``root`` and return it."""
    for name, content in files.items():
        path = Path(root, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        if not isinstance(content, bytes):
            content = (content if isinstance(content, str) else json.dumps(content)).encode()
        path.write_bytes(content)
    return str(root)


def save(image: Image.Image, format: str, **options) -> bytes:
    f = io.BytesIO()
    image.save(f, format, **options)
    return f.getvalue()


def photo(width: int, height: int, seed: int = 0, format: str = "JPEG") -> bytes:
    """A picture of that size; another seed is another picture."""
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), np.uint8)
    return save(Image.fromarray(coarse).resize((width, height)), format)


def grey(rows) -> bytes:
    """8-bit grey PNG of rows of numbers."""
    return save(Image.fromarray(np.array(rows, np.uint8)), "PNG")


def palette_image(rows, colours=LIP_COLOURS) -> Image.Image:
    """A palette image whose indices are ``rows``."""
    array = np.array(rows, np.uint8)
    image = Image.frombytes("P", array.shape[::-1], array.tobytes())
    image.putpalette([int(c[i : i + 2], 16) for c in colours for i in (0, 2, 4)])
    return image


def palette(rows, colours=LIP_COLOURS, **options) -> bytes:
    return save(palette_image(rows, colours), "PNG", **options)


def read(entries, uri, **options) -> tuple[dict[str, Sample], dict[str, Rejected]]:
    """(samples by id, rejected ones by id) of a reader."""
    results = list(load(entries(Source.at(str(uri), **options)), 2))
    return ({r[0].id: r[0] for r in results if not isinstance(r, Rejected)}, {r.id: r for r in results if isinstance(r, Rejected)})
