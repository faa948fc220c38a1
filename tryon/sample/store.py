"""The fixed sample store and its tables, bit-identical for a seed."""

import csv
from pathlib import Path

import cv2
import numpy as np

from tryon.sample.garment import SampleGarment, draw_garment
from tryon.sample.person import SamplePerson, draw_person

# Name, framing and random stream; the streams are those whose drawing for seed 0 shows a wide choice of builds, skins and poses.
PEOPLE = (("clara", "full", 36), ("edgar", "full", 14), ("lina", "full", 18), ("amir", "half", 9))
# Subcategory and random stream.
GARMENTS = (("top", 0), ("top", 3), ("top", 5), ("shirt", 1), ("sweater", 2), ("jacket", 0), ("trousers", 1), ("shorts", 0), ("skirt", 7),
    ("dress", 0), ("dress", 3), ("jumpsuit", 5), ("hat", 4), ("bag", 7))


def people(seed: int = 0, size: tuple[int, int] = (1024, 768)) -> list[SamplePerson]:
    """The people of the store: three full figures and a half one, pictures of ``size`` (H, W)."""
    return [draw_person(np.random.default_rng((seed, 1, stream)), size, framing, name) for name, framing, stream in PEOPLE]


def garments(seed: int = 0, size: tuple[int, int] = (1024, 768)) -> list[SampleGarment]:
    """The garments of the store, of every subcategory, pictures of ``size`` (H, W)."""
    drawn = [draw_garment(np.random.default_rng((seed, 2, stream)), size, subcategory) for subcategory, stream in GARMENTS]
    for n, garment in enumerate(drawn):
        garment.id = f"{garment.subcategory}-{n + 1:02d}"
    return drawn


def write_store(folder: str | Path, seed: int = 0) -> tuple[str, str]:
    """Write pictures and tables under ``folder``: returns the paths of ``catalog.csv`` (product_id, garment_uri, category,
    subcategory, title, price) and ``people.csv`` (person_id, person_uri); URIs are relative to their table."""
    folder = Path(folder)
    (folder / "garments").mkdir(parents=True, exist_ok=True)
    (folder / "people").mkdir(exist_ok=True)

    def save(kind: str, item) -> str:
        uri = f"{kind}/{item.id}.jpg"
        ok, data = cv2.imencode(".jpg", cv2.cvtColor(item.image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 96])
        assert ok
        (folder / uri).write_bytes(data.tobytes())
        return uri

    prices = np.random.default_rng((seed, 3)).integers(12, 120, len(GARMENTS))
    rows = [(g.id, save("garments", g), g.category, g.subcategory, g.title, f"{price}.90") for g, price in zip(garments(seed), prices)]
    tables = (("catalog.csv", ("product_id", "garment_uri", "category", "subcategory", "title", "price"), rows),
        ("people.csv", ("person_id", "person_uri"), [(p.id, save("people", p)) for p in people(seed)]))
    for name, header, rows in tables:
        with open(folder / name, "w", newline="") as file:
            csv.writer(file).writerows([header, *rows])
    return str(folder / "catalog.csv"), str(folder / "people.csv")
