"""Annotate: what the networks find in one photo, as files that other tools read."""
import json
import os
from dataclasses import dataclass

import cv2
import numpy as np
import pyarrow as pa
import torch

from tryon import garment, images, person
from tryon import schema as S
from tryon.config import Config
from tryon.datasets import labelme, openpose
from tryon.networks import Networks
from tryon.stages.contract import STATE, Stage
from tryon.storage import Storage, is_s3, join

FOUND = pa.schema([("id", pa.string()), ("uri", pa.string()), ("confidence", pa.float64()), ("people", pa.int64()), ("category", pa.string()),
                   ("subcategory", pa.string()), ("landmarks", pa.string()), ("ms_annotate", pa.float64()), *STATE])
# The class that stands for a garment's kind in a parse map.
CLASS = {"upper": S.UPPER, "jacket": S.OUTER, "full": S.FULL, "lower": S.LOWER, "hat": S.HEADWEAR, "scarf": S.ACCESSORY, "bag": S.BAG}


@dataclass
class Annotate(Stage):
    """uri -> OUT/labelme/ID.json, and parse/ID.png and pose/ID_keypoints.json of ``people``, or mask/ID.png of ``garments``."""

    config: Config
    storage: Storage
    kind: str
    out: str  # absolute
    name = "annotate"
    schema = FOUND

    def setup(self) -> None:
        torch.set_num_threads(1)
        names = ("parser", "pose") if self.kind == "people" else ("garment",)
        self.networks = Networks(self.config.cluster.device, self.config.weights.folder, names, self.config.weights.precision)

    def __call__(self, row: dict) -> dict:
        photo = images.decode(self.storage.read_source(row["uri"], self.config.images.max_bytes), self.config.images)
        remote = is_s3(self.out) or is_s3(row["uri"])
        image_path = row["uri"].rpartition("/")[2] if remote else os.path.relpath(row["uri"], os.path.dirname(f"{self.out}/labelme/{row['id']}"))
        if self.kind == "people":
            found = person.analyse(self.networks, photo)
            self.put("parse", f"{row['id']}.png", cv2.imencode(".png", found.parse)[1].tobytes())
            self.put("pose", f"{row['id']}_keypoints.json", openpose.dumps(found.pose))
            document = labelme.document(found.parse, image_path, found.pose, tolerance=1.0)
            row |= {"confidence": found.confidence, "people": len(found.pose)}
        else:
            found = garment.analyse(self.networks, photo)
            self.put("mask", f"{row['id']}.png", cv2.imencode(".png", found.mask)[1].tobytes())
            cls = CLASS.get(found.subcategory, CLASS.get(found.category, S.ACCESSORY))
            points = [{"label": n, "points": [[x, y]], "group_id": None, "shape_type": "point", "flags": {}} for n, (x, y, _) in found.landmarks.items()]
            document = labelme.document(np.where(found.mask > 127, cls, S.BACKGROUND).astype(np.uint8), image_path, tolerance=1.0, old={"shapes": points})
            document["imagePath"] = image_path
            row |= {"confidence": found.confidence, "category": found.category, "subcategory": found.subcategory,
                    "landmarks": json.dumps({n: [x, y, round(c, 3)] for n, (x, y, c) in found.landmarks.items()})}
        self.put("labelme", f"{row['id']}.json", labelme.dumps(document))
        return row

    def put(self, folder: str, name: str, data: bytes) -> None:
        self.storage.write(join(self.out, folder, name), data)
