"""Analyse: each person and each garment once; the analysis goes to the output store, a small row goes on."""
import json
from dataclasses import dataclass

import cv2
import numpy as np
import torch

from tryon import garment, images, person
from tryon.config import Config
from tryon.networks import Networks
from tryon.schema import RowError
from tryon.stages.contract import Stage
from tryon.stages.fetch import INDEX, is_permanent
from tryon.stages.thumbs import put_thumb
from tryon.storage import Storage, absolute, join


def person_photo(data: bytes, config: Config) -> np.ndarray:
    """Decode a person photo to the size the look will have."""
    photo = images.decode(data, config.images)
    if config.output.size != "source":
        photo = images.resize_to(photo, config.output.size)
    return images.fit_height(photo, config.render.max_height)


def garment_photo(data: bytes, config: Config) -> np.ndarray:
    return images.fit_height(images.decode(data, config.images), config.render.max_height)


@dataclass
class Analyse(Stage):
    """data -> the analysis at the row's key; cached rows pass. A photo that cannot be analysed is remembered too."""

    config: Config
    storage: Storage
    kind: str
    name = "analyse"
    schema = INDEX

    def setup(self) -> None:
        torch.set_num_threads(1)
        self.networks = None

    def __call__(self, row: dict) -> dict:
        if row["cached"]:
            return row | {"analysed": False}
        if self.networks is None:  # a warm run never loads a network
            names = ("parser", "pose") if self.kind == "person" else ("garment",)
            self.networks = Networks(self.config.cluster.device, self.config.weights.folder, names, self.config.weights.precision)
        out = absolute(self.config.output.out)
        row["analysed"] = True
        try:
            if self.kind == "person":
                photo = person_photo(row["data"], self.config)
                put_thumb(self.storage, out, row["sha256"][:64], photo)
                analysis = person.analyse(self.networks, photo)
            else:
                photo = garment_photo(row["data"], self.config)
                put_thumb(self.storage, out, row["sha256"][:64], photo)
                mask = images.decode_mask(row["mask"], images.decode(row["data"], self.config.images).shape, self.config.images) if row["mask"] else None
                if mask is not None and mask.shape != photo.shape[:2]:
                    mask = cv2.resize(mask, photo.shape[1::-1], interpolation=cv2.INTER_NEAREST)
                analysis = garment.analyse_upright(self.networks, photo, row["category"] or None, mask, row["subcategory"] or None)
        except RowError as e:
            if is_permanent(e.reason):
                failure = {"reason": e.reason, "detail": e.detail}
                self.storage.write(join(out, row["key"] + ".failed"), json.dumps(failure).encode(), "application/json")
            row |= {"reason": e.reason, "detail": e.detail}
            return row
        self.storage.write(join(out, row["key"]), analysis.to_bytes())
        return row
