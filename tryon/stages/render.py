"""Fit, generate, dress: a look row gets its picture, and the files of its sequence are put."""
import hashlib
import json
import pickle
import time
from collections import OrderedDict
from dataclasses import dataclass, field

import pyarrow as pa
import torch

from tryon.api import generate
from tryon.config import GENERATORS, WARPS, Config
from tryon.dressing import encode, sequence
from tryon.garment import Garment
from tryon.networks import Networks
from tryon.person import Person
from tryon.plan import dressing_key
from tryon.stages.analyse import garment_photo, person_photo
from tryon.stages.contract import Stage
from tryon.stages.expand import LOOK
from tryon.stages.fetch import read_unchanged
from tryon.storage import Storage, absolute, join
from tryon.warp import place

PEOPLE, GARMENTS = 48, 4  # analyses a worker keeps; looks come product by product, so people are met again and again


@dataclass
class Recent:
    """The last ``keep`` things that were loaded."""

    keep: int
    items: OrderedDict = field(default_factory=OrderedDict)

    def get(self, key: str, load):
        if key not in self.items:
            self.items[key] = load()
            if len(self.items) > self.keep:
                self.items.popitem(last=False)
        self.items.move_to_end(key)
        return self.items[key]


@dataclass
class Fit(Stage):
    """Analyses -> where every part of every garment lies on the person (pickled tryon.fit.Fit, coarse and small)."""

    config: Config
    storage: Storage
    name = "fit"
    schema = pa.schema([*LOOK, ("fits", pa.binary()), ("ms_fit", pa.float32())])

    def setup(self) -> None:
        torch.set_num_threads(1)
        self.recent = {Person: Recent(PEOPLE), Garment: Recent(GARMENTS)}
        # A small network; a GPU would wait for it.
        self.networks = Networks("cpu", self.config.weights.folder, WARPS[self.config.render.warp], self.config.weights.precision)

    def __call__(self, row: dict) -> dict:
        out = absolute(self.config.output.out)
        load = lambda cls, key: self.recent[cls].get(key, lambda: cls.from_bytes(self.storage.read(join(out, key)), None))
        person = load(Person, row["person"]["key"])
        how = self.config.render.warp, self.config.render.tuck
        return row | {"fits": pickle.dumps([place(self.networks, person, load(Garment, g["key"]), *how) for g in row["garments"]])}


@dataclass
class Generate(Stage):
    """Photos, analyses and fits -> the picture (raw uint8) with its score."""

    config: Config
    storage: Storage
    name = "generate"
    schema = pa.schema([*LOOK, ("fits", pa.binary()), ("image", pa.binary()), ("height", pa.int32()), ("width", pa.int32()), ("score", pa.float32()),
                        ("review", pa.string()), ("ms_fetch", pa.float32()), ("ms_fit", pa.float32()), ("ms_generate", pa.float32())])

    def setup(self) -> None:
        torch.set_num_threads(1)
        self.recent = {Person: Recent(PEOPLE), Garment: Recent(GARMENTS)}
        self.networks = Networks(self.config.cluster.device, self.config.weights.folder, GENERATORS[self.config.render.generator], self.config.weights.precision)

    def __call__(self, row: dict) -> dict:
        start = time.perf_counter()
        person = self._load(Person, row["person"], person_photo)
        garments = [self._load(Garment, g, garment_photo) for g in row["garments"]]
        row["ms_fetch"] = 1000 * (time.perf_counter() - start)
        look = generate(self.networks, person, garments, pickle.loads(row["fits"]))
        h, w = look.image.shape[:2]
        fits = row["fits"] if self.config.output.dressing != "none" else None  # nobody else needs them
        return row | {"fits": fits, "image": look.image.tobytes(), "height": h, "width": w, "score": look.score, "review": " ".join(look.reasons)}

    def _load(self, cls, source: dict, decode):
        def load():
            photo = decode(read_unchanged(self.storage, source["uri"], source["sha256"][:64], self.config.images.max_bytes), self.config)
            return cls.from_bytes(self.storage.read(join(absolute(self.config.output.out), source["key"])), photo)
        return self.recent[cls].get(source["key"] + source["uri"], load)


@dataclass
class Dress(Generate):
    """Photos, analyses and fits -> the files of the dressing sequence, put here; their keys go on."""

    name = "dress"
    schema = pa.schema([*Generate.schema, ("dressing_keys", pa.list_(pa.string())), ("ms_dress", pa.float32())])

    def __call__(self, row: dict) -> dict:
        c, o, out, look_id = self.config.dressing, self.config.output, absolute(self.config.output.out), row["look_id"]
        person = self._load(Person, row["person"], person_photo)
        garments = [self._load(Garment, g, garment_photo) for g in row["garments"]]
        person, fits = sequence.scaled(person, pickle.loads(row["fits"]), c.height)
        timeline, files = [], {}

        def told(frames):
            for k, frame in enumerate(frames):
                timeline.append(sequence.event(k, c.frames, frame))
                yield frame.image

        made = told(sequence.frames(self.networks, person, garments, fits, c.frames, c.under, c.backwards))
        for end, data in encode.encode(made, c.frames, o.dressing, c.fps, o.quality):
            key = dressing_key(look_id, end)
            self.storage.write(join(out, key), data, encode.CONTENT_TYPES["jpeg" if end.endswith(".jpg") else end])
            files[key] = hashlib.sha256(data).hexdigest()
        h, w = person.photo.shape[:2]
        document = {"look_id": look_id, "width": w, "height": h, "fps": c.fps, "under": c.under, "backwards": c.backwards, "files": files, "frames": timeline}
        key = dressing_key(look_id, "json")  # last: it names the others
        self.storage.write(join(out, key), json.dumps(document, indent=1).encode(), "application/json")
        return row | {"dressing_keys": [*files, key]}
