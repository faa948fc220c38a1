"""Clothing Co-Parsing (CCP): street photos with 59-label parses and BlazePose joints -> our classes and COCO-18."""
import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from tryon import schema as S
from tryon.datasets.split import split_of

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
# BlazePose-33 index of each COCO-18 joint; the neck is the middle of the shoulders.
BLAZE = (0, None, 12, 14, 16, 11, 13, 15, 24, 26, 28, 23, 25, 27, 5, 2, 8, 7)


@dataclass
class Photo:
    id: str
    image: np.ndarray  # HxWx3 uint8 RGB
    parse: np.ndarray | None  # HxW uint8 of our classes
    pose: np.ndarray | None  # 1x18x3 float32
    split: str


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


def read(folder: str | Path, splits: tuple[str, ...] = ("train", "val", "test"), parsed_only: bool = False) -> list[Photo]:
    """Read CCP from ``folder`` (the untarred ``ccp``). Raises ValueError naming an unknown label."""
    folder = Path(folder)
    labels = json.loads((folder / "labels.json").read_text())
    unknown = [name for name in labels if name != "skin" and name not in NAME_TO_CLASS]
    if unknown:
        raise ValueError(f"{folder / 'labels.json'}: unknown label {unknown[0]!r}; map it in NAME_TO_CLASS")
    table = np.array([NAME_TO_CLASS.get(name, 255) for name in labels], np.uint8)
    poses = json.loads((folder / "pose33.json").read_text())
    photos = []
    for path in sorted((folder / "image").glob("*.jpg")):
        split, parse_path = split_of(f"ccp/{path.stem}"), folder / "parse" / f"{path.stem}.png"
        if split not in splits or (parsed_only and not parse_path.exists()):
            continue
        image = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
        points = np.array(poses[path.stem], np.float32) if path.stem in poses else None
        parse = None
        if parse_path.exists() and points is not None:
            parse = table[cv2.imread(str(parse_path), cv2.IMREAD_UNCHANGED)]
            skin = parse == 255
            parse[skin] = split_skin(skin, points)[skin]
        pose = pose_from_blaze(points)[None] if points is not None else None
        photos.append(Photo(path.stem, image, parse, pose, split))
    return photos
