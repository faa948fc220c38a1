"""Clothing Co-Parsing (CCP): street photos with 59-label parses and BlazePose joints -> our classes and COCO-18."""
import functools
import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from tryon import schema as S
from tryon.datasets import png, polygons, shards
from tryon.datasets.labels import our_class
from tryon.datasets.sample import IGNORE, Entry, Sample, SampleError
from tryon.datasets.source import Source, stem, whole_json
from tryon.datasets.split import split_of
from tryon.masks import closest

NAME_TO_CLASS = {"null": S.BACKGROUND, "hair": S.HAIR, "hat": S.HEADWEAR} | {
    name: cls
    for cls, names in {
        S.UPPER: "blouse shirt sweater t-shirt top vest sweatshirt hoodie jumper cardigan bodysuit bra intimate tie",
        S.OUTER: "coat blazer jacket cape suit",
        S.FULL: "dress romper swimwear",
        S.LOWER: "pants jeans leggings shorts skirt panties",
        S.LEGWEAR: "stockings tights socks",
        S.SHOES: "shoes boots clogs flats heels loafers pumps sandals sneakers wedges",
        S.BAG: "bag purse wallet",
        S.ACCESSORY: "accessories belt bracelet earrings glasses gloves necklace ring scarf sunglasses watch",
    }.items()
    for name in names.split()
}
WHOLE_SKIN = 254  # until the pose splits it
# BlazePose-33 index of each COCO-18 joint; the neck is the middle of the shoulders.
BLAZE = (0, None, 12, 14, 16, 11, 13, 15, 24, 26, 28, 23, 25, 27, 5, 2, 8, 7)


Photo = Sample  # the name the training code knows it by


def pose_from_blaze(points: np.ndarray, min_visibility: float = 0.3) -> np.ndarray:
    """33x3 (x, y, visibility) -> 18x3. BlazePose always gives 33 joints: low visibility means missing."""
    pose = np.zeros((18, 3), np.float32)
    for joint, source in enumerate(BLAZE):
        xyv = points[source] if source is not None else (points[11] + points[12]) / 2
        if xyv[2] >= min_visibility:
            pose[joint] = xyv
    return pose


def split_skin(skin: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Give each skin pixel (bool HxW) to the nearest body part of a BlazePose skeleton (33x3): HxW uint8 classes."""
    p = points[:, :2]
    neck, nose, mouth = (p[11] + p[12]) / 2, p[0], (p[9] + p[10]) / 2
    chin = mouth + 0.75 * (mouth - nose)
    bones = (
        (S.FACE, (p[7], p[8])), (S.FACE, ((p[2] + p[5]) / 2, chin)), (S.FACE, (p[7], chin)), (S.FACE, (p[8], chin)),
        (S.NECK, (chin + 0.35 * (neck - chin), neck)), (S.NECK, (neck, neck + 0.25 * ((p[23] + p[24]) / 2 - neck))),
        (S.NECK, (neck, neck + 0.6 * (p[11] - neck))), (S.NECK, (neck, neck + 0.6 * (p[12] - neck))),
        (S.LEFT_ARM, (p[11], p[13])), (S.LEFT_ARM, (p[13], p[15])), (S.LEFT_ARM, (p[15], p[19])),
        (S.RIGHT_ARM, (p[12], p[14])), (S.RIGHT_ARM, (p[14], p[16])), (S.RIGHT_ARM, (p[16], p[20])),
        (S.LEFT_LEG, (p[23], p[25])), (S.LEFT_LEG, (p[25], p[27])), (S.LEFT_LEG, (p[27], p[31])),
        (S.RIGHT_LEG, (p[24], p[26])), (S.RIGHT_LEG, (p[26], p[28])), (S.RIGHT_LEG, (p[28], p[32])),
    )
    y, x = np.nonzero(skin)
    xy = np.stack((x, y), 1).astype(np.float32)
    best, out = np.full(len(xy), np.inf), np.zeros(skin.shape, np.uint8)
    label = np.zeros(len(xy), np.uint8)
    for cls, (a, b) in bones:
        d = b - a
        t = np.clip(((xy - a) @ d) / max(float(d @ d), 1e-6), 0, 1)
        dist = ((xy - a - t[:, None] * d) ** 2).sum(1)
        closer = dist < best
        best[closer], label[closer] = dist[closer], cls
    out[y, x] = label
    return out


def entries(source: Source, splits: tuple[str, ...] = ("train", "val", "test"), parsed_only: bool = False) -> Iterator[Entry]:
    """Every photo of image/, with parse/ID.png, labels.json, pose33.json and tags.json. Raises DatasetError naming an unknown label.

    A photo with a parse but without a pose has no parse map here: its skin could not be split.
    """
    source.require("image")
    names, poses, tags = (whole_json(source.annotation(uri, "CCP keeps image/, parse/, labels.json, pose33.json and tags.json together"), uri, kind)
                          for uri, kind in ((source.uri("labels.json"), list), (source.uri("pose33.json"), dict), (source.uri("tags.json"), dict)))
    table = np.array([our_class(n, source.labels, source.uri("labels.json"), NAME_TO_CLASS | {"skin": WHOLE_SKIN}) for n in names], np.uint8)
    parsed = {stem(n) for n in source.files("parse", (".png",))}
    for name in sorted(source.files("image", (".jpg",))):
        id = stem(name)
        if split_of(f"ccp/{id}") in splits and (id in parsed or not parsed_only):
            yield Entry(id, _loader(source, id, table, poses.get(id), tags.get(id), id in parsed))


def _loader(source: Source, id: str, table: np.ndarray, points: list | None, tags: list[int] | None, parsed: bool) -> Callable[[], Sample]:
    def load() -> Sample:
        joints = np.array(points, np.float32) if points is not None else None
        parse = classes = None
        if parsed and joints is not None:
            uri = source.uri("parse", f"{id}.png")
            ids, colours = png.read(source.read(uri))
            if colours is not None or ids.max() >= len(table):
                raise SampleError("bad_annotation", f"{uri}: 8-bit ids below {len(table)} were expected, the names in labels.json")
            parse = table[ids]
            skin = parse == WHOLE_SKIN
            parse[skin] = split_skin(skin, joints)[skin]
        if tags is not None:
            classes = np.isin(np.arange(len(S.PARSE_CLASSES)), table[tags])
            classes[list(S.SKIN)] |= bool((table[tags] == WHOLE_SKIN).any())
        poses = pose_from_blaze(joints)[None] if joints is not None else None
        return Sample(id, f"ccp/{id}", "ccp", source.read(source.uri("image", f"{id}.jpg")), parse=parse, poses=poses, classes=classes)

    return load


def corrected_entries(source: Source, splits: tuple[str, ...] = ("train", "val", "test"), parsed_only: bool = False) -> Iterator[Entry]:
    """As ``entries``, with the classes of whole garments put right that somebody saw to be wrong. ccp_corrections.json: id -> photo, the beginning
    of its sha256 (another data set may use the same names), and changes: {class of ours, or class/above or class/below the hips: the right
    class}, or "bad" for a parse map that cannot be used, which is left out."""
    table = json.loads((Path(__file__).parent / "ccp_corrections.json").read_text())
    for entry in entries(source, splits, parsed_only):
        yield Entry(entry.id, _corrected(entry.load, **table[entry.id])) if entry.id in table else entry


def _corrected(load: Callable[[], Sample], photo: str, changes: dict[str, str] | str) -> Callable[[], Sample]:
    def corrected() -> Sample:
        sample = load()
        if sample.parse is not None and hashlib.sha256(sample.photo).hexdigest().startswith(photo):
            sample.parse = correct(sample.parse, sample.poses[0], changes) if changes != "bad" else None
        return sample

    return corrected


def correct(parse: np.ndarray, pose: np.ndarray, changes: dict[str, str]) -> np.ndarray:
    """A parse map HxW with ``changes`` made, all at once; the hips are those of an 18x3 pose."""
    hips = pose[[S.R_HIP, S.L_HIP]]
    below = np.arange(len(parse))[:, None] > hips[hips[:, 2] > 0, 1].mean() if (hips[:, 2] > 0).any() else np.zeros((len(parse), 1), bool)
    out = parse.copy()
    for which, right in changes.items():
        name, _, side = which.partition("/")
        place = parse == S.PARSE_CLASSES.index(name)
        place &= {"": True, "above": ~below, "below": below}[side]
        out[place] = S.PARSE_CLASSES.index(right)
    return out


@functools.cache
def outlined() -> dict[str, dict]:
    """Photo id -> photo, the beginning of its sha256, and parse, name of a class -> rings of it in pixels, x and y by turns
    (tryon/datasets/ccp_outlined.json): parse maps, put right by eye, of photos that have none, of the train and validation splits."""
    return json.loads((Path(__file__).parent / "ccp_outlined.json").read_text())


def outlined_parse(sample: Sample) -> np.ndarray | None:
    """Parse map HxW uint8 of a photo by ``outlined``, 255 where no class, or more than one, was outlined; None where that knows nothing of the photo."""
    known = outlined().get(sample.id)
    if known is None or not hashlib.sha256(sample.photo).hexdigest().startswith(known["photo"]):
        return None
    shape = sample.image.shape[:2]
    parse, times = np.full(shape, IGNORE, np.uint8), np.zeros(shape, np.uint8)
    for name, rings in known["parse"].items():
        inside = polygons.even_odd(shape, [np.reshape(ring, (-1, 2)) for ring in rings]) > 0
        parse[inside] = S.PARSE_CLASSES.index(name)
        times += inside
    return np.where(times == 1, parse, IGNORE).astype(np.uint8)


def fill_in(photo: Sample) -> np.ndarray | None:
    """Give a photo that has none the parse map that was put right by eye (``Sample.by_eye``), in place, unknown pixels with the class of the nearest known one: bool HxW,
    where these are; or None."""
    if photo.by_eye is None:
        return None
    unsure = photo.by_eye == IGNORE
    photo.parse, photo.by_eye = photo.by_eye[closest(~unsure)], None
    return unsure


def read(folder: str | Path, splits: tuple[str, ...] = ("train", "val", "test"), parsed_only: bool = False) -> list[Sample]:
    """Read CCP with its corrections into memory, photos decoded, from ``folder``: the untarred ``ccp``, or shards made from it or from any
    other set of people with parse maps and poses; photos without parse map have ``by_eye``, if CCP's were outlined. Raises DatasetError naming an unknown label."""
    photos = []
    for sample in shards.samples(folder, lambda source: corrected_entries(source, splits, parsed_only), splits):
        if not parsed_only or sample.parse is not None:
            sample.by_eye = outlined_parse(sample) if sample.parse is None else None
            sample.photo = sample.image  # training asks for it again and again
            photos.append(sample)
    return photos
