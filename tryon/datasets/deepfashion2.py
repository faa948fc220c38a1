"""DeepFashion2: image/000001.jpg with annos/000001.json; up to some garments each, with outline and landmarks.

Landmarks are numbered per category, from "1". Parse maps cannot be made of it: what is no labelled garment is not labelled at all.
"""
from collections.abc import Callable, Iterator

import numpy as np

from tryon import images
from tryon.datasets import polygons
from tryon.datasets.sample import LIMITS, VISIBILITY, DatasetError, Entry, Garment, Sample, SampleError
from tryon.datasets.source import Source, parse_json, stem

# category_name -> (category_id, number of landmarks, our category, our subcategory)
CATEGORIES = {
    "short sleeve top": (1, 25, "upper", "top"), "long sleeve top": (2, 33, "upper", "top"),
    "short sleeve outwear": (3, 31, "upper", "jacket"), "long sleeve outwear": (4, 39, "upper", "jacket"),
    "vest": (5, 15, "upper", "top"), "sling": (6, 15, "upper", "top"), "shorts": (7, 10, "lower", "shorts"),
    "trousers": (8, 14, "lower", "trousers"), "skirt": (9, 8, "lower", "skirt"), "short sleeve dress": (10, 29, "full", "dress"),
    "long sleeve dress": (11, 37, "full", "dress"), "vest dress": (12, 19, "full", "dress"), "sling dress": (13, 19, "full", "dress"),
}
PARTS = ("train", "validation", "test")


def entries(source: Source) -> Iterator[Entry]:
    """image/ and annos/ lie in the root, or in train/ and validation/ of it (the published test part has no annos/)."""
    parts = [""] if source.has("annos") or source.has("image") else [p for p in PARTS if source.has(f"{p}/annos")]
    if not parts:
        raise DatasetError(f"there is neither image/ and annos/ nor train/annos/ in {source.root}: DeepFashion2 keeps its files there")
    for part in parts:
        prefix = f"{part}/" if part else ""
        source.require(f"{prefix}image", f"{prefix}annos")
        names = {kind: {stem(n) for n in source.files(prefix + kind, (suffix,))} for kind, suffix in (("image", ".jpg"), ("annos", ".json"))}
        for name in sorted(names["image"] | names["annos"]):
            yield Entry(prefix + name, _loader(source, prefix, name))


def _loader(source: Source, prefix: str, name: str) -> Callable[[], Sample]:
    def load() -> Sample:
        uri = source.uri(f"{prefix}annos", f"{name}.json")
        document = parse_json(source.read(uri), uri)
        photo = source.read(source.uri(f"{prefix}image", f"{name}.jpg"))
        shape = images.decode(photo, LIMITS).shape[:2]
        items = sorted((k for k in document if k.startswith("item") and k[4:].isdigit()), key=lambda k: int(k[4:]))
        pair = str(document["pair_id"])
        garments = [_garment(document[k], shape, pair, f"{uri}, {k}", source.labels) for k in items]
        # Shop and street photos of one pair show one garment: they must fall into the same split.
        return Sample(prefix + name, f"deepfashion2/{pair}", f"deepfashion2/{document['source']}", photo, garments=[g for g in garments if g])

    return load


def _garment(item: dict, shape: tuple[int, int], pair: str, where: str, labels) -> Garment | None:
    """None for a category that ``labels`` maps to "ignore"."""
    name = labels.get(item["category_name"], item["category_name"])
    if name == "ignore":
        return None
    if name not in CATEGORIES:
        raise DatasetError(f"{where}: unknown category {name!r}; map it with --labels to one of {', '.join(CATEGORIES)}, ignore")
    id, count, category, subcategory = CATEGORIES[name]
    if name == item["category_name"] and item["category_id"] != id:
        raise SampleError("bad_annotation", f"{where}: category_id {item['category_id']} with category_name {name!r}, which is {id}")
    points = np.array(item["landmarks"], np.float64).reshape(-1, 3)
    if len(points) != count:
        raise SampleError("bad_annotation", f"{where}: {len(points)} landmarks, a {name} has {count}")
    landmarks = {str(i): (x, y, VISIBILITY[int(v)]) for i, (x, y, v) in enumerate(points.tolist(), 1) if v > 0}
    outlines = [np.reshape(ring, (-1, 2)) for ring in item["segmentation"]]
    box = tuple(float(v) for v in item["bounding_box"])
    return Garment(category, subcategory, item["category_name"], polygons.fill(shape, outlines), landmarks, box, pair, int(item["style"]))
