"""VITON in the layout of CP-VTON, and VITON-HD: pairs of a person and a shop picture, with parse map and pose.

The two differ in folder names, in the joints of the pose files (18 or 25), and in the meaning of parse id 10: jumpsuits in VITON
(LIP's labels), neck in VITON-HD. The format is therefore named by the caller and never guessed.
"""
from collections.abc import Callable, Iterator

from tryon import images
from tryon.datasets import labels, openpose
from tryon.datasets.pairs import read_pairs
from tryon.datasets.sample import LIMITS, Entry, Garment, Product, Sample
from tryon.datasets.source import Source, stem

PARTS = ("train", "test")
# format -> label set, folder of parse maps, folder of poses
LAYOUTS = {"viton": ("lip", "image-parse", "pose"), "viton-hd": ("viton-hd", "image-parse-v3", "openpose_json")}


def entries(source: Source) -> Iterator[Entry]:
    """VITON, CP-VTON layout: {train,test}_pairs.txt and {train,test}/{image,cloth,cloth-mask,image-parse,pose}."""
    return _entries(source, "viton")


def entries_hd(source: Source) -> Iterator[Entry]:
    """VITON-HD: the same with image-parse-v3 and openpose_json."""
    return _entries(source, "viton-hd")


def _entries(source: Source, format: str) -> Iterator[Entry]:
    _, parses, poses = LAYOUTS[format]
    other = next(f for f in LAYOUTS if f != format)
    for part, pairs in read_pairs(source, {part: f"{part}_pairs.txt" for part in PARTS}).items():
        there = any(source.has(f"{part}/{folder}") for folder in LAYOUTS[other][1:])
        hint = f"; what is there looks like --format {other}" if there else ""
        source.require(*(f"{part}/{folder}" for folder in ("image", "cloth", "cloth-mask", parses, poses)), hint=hint)
        palettes = labels.palettes_in(source, f"{part}/{parses}")
        for person, cloth, *_ in pairs:
            # In an unpaired list the same person comes with somebody else's garment.
            id = f"{part}/{stem(person)}" + ("" if _number(person) == _number(cloth) else f"+{stem(cloth)}")
            yield Entry(id, _loader(source, format, part, person, cloth, id, palettes))


def _loader(source: Source, format: str, part: str, person: str, cloth: str, id: str, palettes: Callable) -> Callable[[], Sample]:
    label_set, parses, poses = LAYOUTS[format]

    def load() -> Sample:
        shop = source.read(source.uri(part, "cloth", cloth))
        mask = images.decode_mask(source.read(source.uri(part, "cloth-mask", cloth)), images.decode(shop, LIMITS).shape, LIMITS)
        pose_uri = source.uri(part, poses, f"{stem(person)}_keypoints.json")
        return Sample(
            id, f"{format}/{_number(person)}", format, source.read(source.uri(part, "image", person)),
            parse=labels.parse_map(source, source.uri(part, parses, f"{stem(person)}.png"), label_set, palettes),
            poses=openpose.loads(source.read(pose_uri), pose_uri), garments=[Garment("upper")],
            product=Product(stem(cloth), shop, mask, _number(person) == _number(cloth)),
        )

    return load


def _number(name: str) -> str:
    """000001 of 000001_0.jpg and 000001_1.jpg; 00006 of 00006_00.jpg: a person and their own garment share it."""
    return stem(name).rpartition("_")[0] or stem(name)
