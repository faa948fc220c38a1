"""Tiny data sets in the layouts that training reads, drawn by the package: CCP and the Clothing dataset."""
import csv
import json
from itertools import count

import cv2
import numpy as np

from tryon import schema as S
from tryon.datasets.ccp import BLAZE
from tryon.datasets.split import split_of
from tryon.sample import draw_garment, draw_person

# Names of CCP, and which of them a class of ours is written as; CCP calls all skin "skin".
NAMES = ["null", "skin", "hair", "shirt", "coat", "dress", "pants", "tights", "shoes", "hat", "bag", "belt"]
WRITTEN = {S.BACKGROUND: 0, S.HAIR: 2, S.UPPER: 3, S.OUTER: 4, S.FULL: 5, S.LOWER: 6, S.LEGWEAR: 7, S.SHOES: 8, S.HEADWEAR: 9, S.BAG: 10,
           S.ACCESSORY: 11}
LABELS = {"top": "T-Shirt", "trousers": "Pants", "dress": "Dress"}


def names(prefix: str, train: int, val: int):
    """(name, split) with so many of each split, as the hash of the name decides."""
    left = {"train": train, "val": val, "test": 0}
    for i in count():
        split = split_of(f"{prefix}/{i:04d}")
        if left[split]:
            left[split] -= 1
            yield f"{i:04d}", split
        if not any(left.values()):
            return


def ccp(folder, train: int = 4, val: int = 1, size=(192, 144)) -> str:
    for kind in ("image", "parse"):
        (folder / kind).mkdir(parents=True)
    poses = {}
    for n, (id, _) in enumerate(names("ccp", train, val)):
        person = draw_person(np.random.default_rng((7, n)), size, "full")
        cv2.imwrite(str(folder / "image" / f"{id}.jpg"), person.image[..., ::-1])
        parse = np.array([WRITTEN.get(c, 1) for c in range(len(S.PARSE_CLASSES))], np.uint8)[person.parse]
        cv2.imwrite(str(folder / "parse" / f"{id}.png"), parse)
        points = np.zeros((33, 3))
        for joint, source in enumerate(BLAZE):
            if source is not None:
                points[source] = person.pose[0, joint]
        for finger, wrist in ((19, 15), (20, 16), (31, 27), (32, 28), (9, 0), (10, 0)):  # a drawn pose has neither hands, feet nor mouth
            points[finger] = points[wrist] + (0, 2, 0)
        poses[id] = points.tolist()
    (folder / "labels.json").write_text(json.dumps(NAMES))
    (folder / "pose33.json").write_text(json.dumps(poses))
    (folder / "tags.json").write_text("{}")
    return str(folder)


def garments(folder, train: int = 5, val: int = 2, size=(256, 224)) -> str:
    (folder / "image").mkdir(parents=True)
    with open(folder / "images.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("image", "label"))
        for n, (id, _) in enumerate(names("garments", train, val)):
            kind = list(LABELS)[n % len(LABELS)]
            cv2.imwrite(str(folder / "image" / f"{id}.jpg"), draw_garment(np.random.default_rng((8, n)), size, kind).image[..., ::-1])
            writer.writerow((id, LABELS[kind]))
    return str(folder)
