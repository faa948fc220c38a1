"""Small pictures of the report."""
import numpy as np

from tryon import images
from tryon.storage import Storage, join

THUMB = 320  # their height


def thumb_key(name: str) -> str:
    """Key of a small picture. ``name``: the sha256 of a source, or a look id."""
    return f"report/thumbs/{name}.jpg"


def put_thumb(storage: Storage, out: str, name: str, image: np.ndarray) -> None:
    storage.write(join(out, thumb_key(name)), images.encode(images.fit_height(image, THUMB), "jpeg", 85), "image/jpeg")
