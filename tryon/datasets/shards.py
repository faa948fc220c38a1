"""Training shards: samples as parquet files under one schema, OUT/{train,val,test}/NNNNN.parquet, named by OUT/statistics.json.

statistics.json is written last: what it does not name is not part of the set. The same samples give the same bytes.
"""
import io
import json
import re
from collections.abc import Callable, Iterator

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tryon import schema as S
from tryon import storage as storage_module
from tryon.datasets.sample import DatasetError, Entry, Garment, Product, Sample
from tryon.datasets.source import Source
from tryon.storage import Storage, join

SPLITS = ("train", "val", "test")
STATISTICS = "statistics.json"

_POSE = pa.list_(pa.float32(), len(S.JOINTS) * 3)
_BOX = pa.list_(pa.float32(), 4)
_LANDMARK = pa.struct([("name", pa.string()), ("x", pa.float32()), ("y", pa.float32()), ("confidence", pa.float32())])
_GARMENT = pa.struct([("category", pa.string()), ("subcategory", pa.string()), ("label", pa.string()), ("mask", pa.binary()),
                      ("landmarks", pa.list_(_LANDMARK)), ("box", _BOX), ("pair_id", pa.string()), ("style", pa.int32())])
_PRODUCT = pa.struct([("id", pa.string()), ("image", pa.binary()), ("mask", pa.binary()), ("paired", pa.bool_())])
# image: the photo's file as it was. parse, ignore and every mask: PNG of 8-bit values as in Sample. classes: names of schema.PARSE_CLASSES.
SCHEMA = pa.schema([
    ("id", pa.string()), ("identity", pa.string()), ("source", pa.string()), ("split", pa.string()), ("image", pa.binary()), ("parse", pa.binary()),
    ("poses", pa.list_(_POSE)), ("heads", pa.list_(_BOX)), ("person_masks", pa.list_(pa.binary())), ("ignore", pa.binary()),
    ("classes", pa.list_(pa.string())),
    ("garments", pa.list_(_GARMENT)), ("product", _PRODUCT),
])


def to_row(sample: Sample) -> dict:
    """A sample as a row of ``SCHEMA``. Its photos must be encoded."""
    p = sample.product
    return {
        "id": sample.id, "identity": sample.identity, "source": sample.source, "split": sample.split, "image": sample.photo,
        "parse": _png(sample.parse), "ignore": _png(sample.ignore), "person_masks": [_png(m) for m in sample.masks],
        "poses": None if sample.poses is None else sample.poses.reshape(-1, len(S.JOINTS) * 3).tolist(),
        "heads": None if sample.heads is None else sample.heads.tolist(),
        "classes": None if sample.classes is None else [S.PARSE_CLASSES[i] for i in np.flatnonzero(sample.classes)],
        "garments": [{"category": g.category, "subcategory": g.subcategory, "label": g.label, "mask": _png(g.mask), "box": g.box,
                      "landmarks": [dict(zip(("name", "x", "y", "confidence"), (n, *xyc), strict=True)) for n, xyc in g.landmarks.items()],
                      "pair_id": g.pair_id, "style": g.style} for g in sample.garments],
        "product": p and {"id": p.id, "image": p.photo, "mask": _png(p.mask), "paired": p.paired},
    }


def from_row(row: dict) -> Sample:
    """The sample of a row of ``SCHEMA``; its photos stay encoded until they are asked for."""
    garments = [Garment(g["category"], g["subcategory"], g["label"], _pixels(g["mask"]),
                        {m["name"]: (m["x"], m["y"], m["confidence"]) for m in g["landmarks"]}, g["box"] and tuple(g["box"]), g["pair_id"],
                        g["style"])
                for g in row["garments"]]
    p = row["product"]
    return Sample(
        row["id"], row["identity"], row["source"], row["image"], parse=_pixels(row["parse"]), ignore=_pixels(row["ignore"]),
        poses=None if row["poses"] is None else np.array(row["poses"], np.float32).reshape(-1, len(S.JOINTS), 3),
        heads=None if row["heads"] is None else np.array(row["heads"], np.float32).reshape(-1, 4),
        masks=[_pixels(m) for m in row["person_masks"]], garments=garments,
        product=p and Product(p["id"], p["image"], _pixels(p["mask"]), p["paired"]),
        classes=None if row["classes"] is None else np.isin(S.PARSE_CLASSES, row["classes"]), split=row["split"],
    )


class ShardWriter:
    """Collects the samples of each split and writes a shard when it is full: bounded memory, whatever the size of the set.

    rows, megabytes: a shard is full when it has either. ``close`` writes what is left, and then the statistics.
    """

    def __init__(self, storage: Storage, out: str, rows: int = 256, megabytes: int = 128):
        self.storage, self.out, self.rows, self.bytes = storage, storage_module.absolute(out), rows, megabytes << 20
        self.waiting: dict[str, list[dict]] = {s: [] for s in SPLITS}
        self.size = dict.fromkeys(SPLITS, 0)
        self.shards: dict[str, int] = {}  # key below OUT -> rows
        # From here on OUT holds no whole set, until close says so.
        storage.delete(join(self.out, STATISTICS))

    def add(self, sample: Sample) -> None:
        row = to_row(sample)
        self.waiting[sample.split].append(row)
        self.size[sample.split] += sum(len(v) for v in (row["image"], row["parse"], row["product"] and row["product"]["image"]) if v)
        if len(self.waiting[sample.split]) >= self.rows or self.size[sample.split] >= self.bytes:
            self._write(sample.split)

    def close(self, statistics: dict) -> None:
        """Write the last shards, delete those of an earlier run that are no longer part of the set, and name the shards."""
        for split in SPLITS:
            if self.waiting[split]:
                self._write(split)
        for split in SPLITS:
            for uri, _ in self.storage.list(join(self.out, split)):
                key = uri.removeprefix(self.out).lstrip("/")
                if re.fullmatch(r"\w+/\d{5}\.parquet", key) and key not in self.shards:
                    self.storage.delete(uri)
        text = json.dumps(statistics | {"shards": dict(sorted(self.shards.items()))}, indent=2)
        self.storage.write(join(self.out, STATISTICS), text.encode(), "application/json")

    def _write(self, split: str) -> None:
        table = pa.Table.from_pylist(self.waiting[split], SCHEMA)
        file = io.BytesIO()
        # Pictures are compressed already; small row groups let a reader take a few at a time.
        pq.write_table(table, file, row_group_size=32, compression="none", use_dictionary=False, write_statistics=False)
        key = f"{split}/{sum(k.startswith(split + '/') for k in self.shards):05d}.parquet"
        self.storage.write(join(self.out, key), file.getvalue())
        self.shards[key], self.waiting[split], self.size[split] = len(table), [], 0


def statistics(storage: Storage, out: str) -> dict:
    """statistics.json of a set. Raises DatasetError when there is none: the job that makes it has not ended."""
    uri = join(storage_module.absolute(out), STATISTICS)
    if not storage.exists(uri):
        raise DatasetError(f"there is no {uri}: make the shards with jobs/prepare_data.py; without this file they are not whole")
    return json.loads(storage.read(uri))


def read(out: str, splits: tuple[str, ...] = SPLITS, storage: Storage = Storage()) -> Iterator[Sample]:
    """The samples of a set of shards, split by split in the order of the data set, some rows at a time.

    Raises DatasetError when the set is not whole.
    """
    out = storage_module.absolute(out)
    shards = sorted(statistics(storage, out)["shards"])
    for key in (k for split in splits for k in shards if k.startswith(split + "/")):
        filesystem, path = storage.filesystem(join(out, key))
        with storage.errors(join(out, key)), filesystem.open_input_file(path) as file:
            for batch in pq.ParquetFile(file).iter_batches(batch_size=32):
                yield from map(from_row, batch.to_pylist())


def samples(folder: str, entries: Callable[[Source], Iterator[Entry]], splits: tuple[str, ...]) -> Iterator[Sample]:
    """The samples of ``splits`` in a folder or s3:// prefix that holds shards, or else a data set that ``entries`` reads."""
    storage, folder = Storage(), storage_module.absolute(str(folder))
    if storage.exists(join(folder, STATISTICS)):
        yield from read(folder, splits, storage)
        return
    for entry in entries(Source.at(folder)):
        sample = entry.load()
        if sample.split in splits:
            yield sample


def _png(array: np.ndarray | None) -> bytes | None:
    return None if array is None else cv2.imencode(".png", array)[1].tobytes()


def _pixels(data: bytes | None) -> np.ndarray | None:
    return None if data is None else cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
