"""Dress Code: {upper_body,lower_body,dresses}/{images,keypoints,label_maps}, ATR parse maps, key points on a canvas of their own."""
from collections.abc import Callable, Iterator

import cv2
import numpy as np

from tryon import images
from tryon import schema as S
from tryon.datasets import labels, openpose
from tryon.datasets.pairs import read_pairs
from tryon.datasets.sample import LIMITS, DatasetError, Entry, Garment, Product, Sample, SampleError
from tryon.datasets.source import Source, parse_json, stem

CATEGORIES = {"upper_body": "upper", "lower_body": "lower", "dresses": "full"}  # in the order of the third column of the root's pairs files
SUBCATEGORY = {"full": "dress"}
CANVAS = (384, 512)  # width and height the key points are given in, whatever the size of the photo
PAIRS = ("train_pairs.txt", "test_pairs_paired.txt", "test_pairs_unpaired.txt")


def entries(source: Source) -> Iterator[Entry]:
    """Pairs files lie in each category's folder, or in the root with the category's number as a third column."""
    inside = [c for c in CATEGORIES if any(source.storage.exists(source.uri(c, p)) for p in PAIRS)]
    if inside:
        lines = ((c, line) for c in inside for lines in read_pairs(source, {p: f"{c}/{p}" for p in PAIRS}).values() for line in lines)
    else:
        lines = ((_category(source, line), line) for lines in read_pairs(source, {p: p for p in PAIRS}).values() for line in lines)
    seen, palettes = set(), {}
    for category, (person, cloth, *_) in lines:
        if category not in palettes:
            source.require(*(f"{category}/{folder}" for folder in ("images", "keypoints", "label_maps")))
            palettes[category] = labels.palettes_in(source, f"{category}/label_maps")
        number = _number(person)
        id = f"{category}/{number}" + ("" if number == _number(cloth) else f"+{_number(cloth)}")
        if id not in seen:  # the paired test list may repeat what another list names
            seen.add(id)
            yield Entry(id, _loader(source, category, person, cloth, id, palettes[category]))


def _category(source: Source, line: tuple[str, ...]) -> str:
    if len(line) > 2 and line[2] in ("0", "1", "2"):
        return list(CATEGORIES)[int(line[2])]
    found = next((c for c in CATEGORIES if source.storage.exists(source.uri(c, "images", line[0]))), None)
    if found is None:
        raise DatasetError(f"{source.root}: {line[0]} of a pairs file is in none of {', '.join(f'{c}/images' for c in CATEGORIES)}")
    return found


def _loader(source: Source, category: str, person: str, cloth: str, id: str, palettes: Callable) -> Callable[[], Sample]:
    number, kind = _number(person), CATEGORIES[category]

    def load() -> Sample:
        photo, shop = (source.read(source.uri(category, "images", name)) for name in (person, cloth))
        shape = images.decode(photo, LIMITS).shape[:2]
        pose_uri = source.uri(category, "keypoints", f"{number}_2.json")
        parse = labels.parse_map(source, source.uri(category, "label_maps", f"{number}_4.png"), "atr", palettes)
        if parse.shape != shape and abs(parse.shape[0] * shape[1] - parse.shape[1] * shape[0]) <= 0.01 * parse.shape[0] * shape[1]:
            parse = cv2.resize(parse, shape[::-1], interpolation=cv2.INTER_NEAREST)
        return Sample(
            id, f"dresscode/{number}", "dresscode", photo, parse=parse, poses=read_pose(source.read(pose_uri), shape, pose_uri),
            garments=[Garment(kind, SUBCATEGORY.get(kind, ""), category)], product=Product(stem(cloth), shop, None, number == _number(cloth)),
        )

    return load


def read_pose(data: bytes, shape: tuple[int, int], where: str) -> np.ndarray:
    """Px18x3 float32 in pixels of a photo of ``shape`` (H, W), P at most 1. Raises SampleError naming the file."""
    points = np.array(parse_json(data, where)["keypoints"], np.float32)
    if points.shape != (len(S.JOINTS), 4):
        raise SampleError("bad_annotation", f"{where}: keypoints of shape {points.shape}, 18 of [x, y, confidence, id] were expected")
    pose = points[:, :3]
    pose[(points[:, 2] <= 0) | (points[:, :2] < 0).any(1)] = 0
    pose[:, :2] *= (shape[1] / CANVAS[0], shape[0] / CANVAS[1])
    return openpose.largest_first(pose[None])


def _number(name: str) -> str:
    """050855 of 050855_0.jpg (person) and 050855_1.jpg (garment)."""
    return stem(name).rpartition("_")[0] or stem(name)
