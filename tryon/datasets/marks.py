"""What people draw on a photo by hand -> parse map, poses and garments; and a parse map -> what they can go on drawing on.

An area (mask) belongs to a class of the parse map; later areas paint over earlier ones. A point is a joint (schema.JOINTS) or a
garment's landmark (schema.LANDMARKS). Marks of one group belong to one person or one garment.
"""
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import cv2
import numpy as np

from tryon import schema as S
from tryon.datasets.ccp import NAME_TO_CLASS
from tryon.datasets.labels import our_class
from tryon.datasets.openpose import largest_first
from tryon.datasets.sample import IGNORE, Garment, SampleError

# Names a mark may have without a mapping: our classes, LabelMe's two reserved ones, CCP's labels.
NAMES = NAME_TO_CLASS | {name: i for i, name in enumerate(S.PARSE_CLASSES)} | {"_background_": S.BACKGROUND, "__ignore__": IGNORE}
CATEGORY = {S.UPPER: "upper", S.OUTER: "upper", S.FULL: "full", S.LOWER: "lower", S.HEADWEAR: "accessory", S.BAG: "accessory",
            S.ACCESSORY: "accessory"}
SUBCATEGORY = {S.OUTER: "jacket", S.HEADWEAR: "hat", S.BAG: "bag"}
POINT_RADIUS, LINE_WIDTH = 5, 10  # pixels of a point and of a line that stand for an area; LabelMe's own


@dataclass
class Mark:
    """Either ``mask`` (HxW uint8, above 0: inside) or ``point`` (x, y, confidence)."""

    label: str
    group: object = None
    mask: np.ndarray | None = None
    point: tuple[float, float, float] | None = None


@dataclass
class Drawn:
    parse: np.ndarray | None  # HxW uint8; None when no area was drawn
    poses: np.ndarray | None  # Px18x3; None when no joint was drawn
    garments: list[Garment]


def gather(marks: list[Mark], shape: tuple[int, int], labels: Mapping[str, str], where: str) -> Drawn:
    """``marks`` in drawing order, on a photo of ``shape`` (H, W). What no area covers is background.

    Raises DatasetError naming the file and an unknown label; SampleError when a joint is drawn twice for one person.
    """
    parse, people, garments, landmarks = None, {}, {}, {}
    for number, mark in enumerate(marks):
        name = labels.get(mark.label, mark.label)
        if mark.point is not None and name in S.JOINTS:
            pose = people.setdefault(mark.group, np.zeros((len(S.JOINTS), 3), np.float32))
            _once(pose[S.JOINTS.index(name), 2] == 0, name, where)
            pose[S.JOINTS.index(name)] = mark.point
        elif mark.point is not None and name in S.LANDMARKS:
            of = landmarks.setdefault(mark.group, {})
            _once(name not in of, name, where)
            of[name] = mark.point
        else:
            cls = our_class(mark.label, labels, where, NAMES)
            mask = mark.mask if mark.mask is not None else dot(shape, mark.point)
            parse = np.zeros(shape, np.uint8) if parse is None else parse
            parse[mask > 0] = cls
            if cls in CATEGORY:
                key = mark.group if mark.group is not None else ("alone", number)
                g = garments.setdefault(key, Garment(CATEGORY[cls], SUBCATEGORY.get(cls, ""), mark.label, np.zeros(shape, np.uint8)))
                g.mask[mask > 0] = 255
    for group, points in landmarks.items():
        if group is None and len(garments) == 1:
            group = next(iter(garments))
        garments.setdefault(group, Garment()).landmarks = points
    for g in garments.values():
        if g.mask is not None and g.mask.any():
            x, y, w, h = cv2.boundingRect(g.mask)
            g.box = (float(x), float(y), float(x + w), float(y + h))
    poses = largest_first(np.array([_with_neck(p) for p in people.values()], np.float32)) if people else None
    return Drawn(parse, poses, list(garments.values()))


def _once(free: bool, name: str, where: str) -> None:
    if not free:
        raise SampleError("bad_annotation", f"{where}: {name} is drawn twice in one group; give each person and garment a group of its own")


def _with_neck(pose: np.ndarray) -> np.ndarray:
    """The neck is the middle of the shoulders where it was not drawn itself."""
    shoulders = pose[[S.R_SHOULDER, S.L_SHOULDER]]
    if pose[S.NECK_JOINT, 2] == 0 and (shoulders[:, 2] > 0).all():
        pose[S.NECK_JOINT] = (*shoulders[:, :2].mean(0), shoulders[:, 2].min())
    return pose


def dot(shape: tuple[int, int], point, radius: float = POINT_RADIUS) -> np.ndarray:
    """HxW uint8 0/255: a filled circle around (x, y)."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    return (((x - point[0]) ** 2 + (y - point[1]) ** 2 <= radius**2) * 255).astype(np.uint8)


def line(shape: tuple[int, int], points) -> np.ndarray:
    """HxW uint8 0/255: a polyline of ``LINE_WIDTH``."""
    mask = np.zeros(shape, np.uint8)
    cv2.polylines(mask, [np.round(np.asarray(points, float)).astype(np.int32)], False, 255, LINE_WIDTH)
    return mask


def put_patch(shape: tuple[int, int], patch: np.ndarray, x: int, y: int) -> np.ndarray:
    """HxW uint8 0/255 with ``patch`` (bool) at its top-left corner (x, y); what lies outside the photo is cut off."""
    mask = np.zeros(shape, np.uint8)
    h, w = patch.shape
    top, left, bottom, right = max(y, 0), max(x, 0), min(y + h, shape[0]), min(x + w, shape[1])
    if top < bottom and left < right:
        mask[top:bottom, left:right] = patch[top - y : bottom - y, left - x : right - x] * np.uint8(255)
    return mask


def pieces(parse: np.ndarray) -> Iterator[tuple[str, np.ndarray, tuple[int, int]]]:
    """(name, patch bool, (x, y) of its corner) of every connected piece of a class, holes included, the larger first.

    What lies in a hole is a smaller piece and comes later, so painting the filled pieces in order gives the map again, but for
    background, which is a piece only inside another one. IGNORE is called __ignore__.
    """
    found = []
    for cls in np.unique(parse).tolist():
        inside = (parse == cls).astype(np.uint8)
        # Four neighbours: pieces that touch by a corner must not cross.
        count, numbers, stats, _ = cv2.connectedComponentsWithStats(inside, connectivity=4)
        for i in range(1, count):
            x, y, w, h, area = stats[i].tolist()
            piece = numbers[y : y + h, x : x + w] == i
            outer = x == 0 or y == 0 or x + w == parse.shape[1] or y + h == parse.shape[0]
            if cls == S.BACKGROUND and outer:
                continue
            found.append((w * h, "__ignore__" if cls == IGNORE else S.PARSE_CLASSES[cls], piece, (x, y)))
    found.sort(key=lambda f: -f[0])
    for _, name, piece, corner in found:
        yield name, piece, corner
