"""Fetch: a source's hash, and its bytes when it has to be analysed."""
import hashlib
import json
from dataclasses import dataclass

import pyarrow as pa

from tryon.config import Config
from tryon.plan import analysis_key, source_key
from tryon.schema import PERMANENT_REASONS, PIPELINE_VERSION, RowError
from tryon.stages.contract import STATE, Stage
from tryon.storage import NotFoundError, Storage, absolute, join

# A source: one person or product photo of the tables.
SOURCE = pa.schema([
    ("position", pa.int64()), ("id", pa.string()), ("uri", pa.string()), ("mask_uri", pa.string()), ("category", pa.string()),
    ("subcategory", pa.string()), ("carried", pa.string()), *STATE,
])
# A source that was looked at: the hash of its bytes, and the key of its analysis.
INDEX = pa.schema([*SOURCE, ("sha256", pa.string()), ("key", pa.string()), ("analysed", pa.bool_()), ("ms_analyse", pa.float32())])


@dataclass
class Fetch(Stage):
    """uri -> sha256, analysis key, and data (bytes) unless the analysis is cached.

    The output keeps (etag -> sha256) per URI, so bytes that have not changed are not read again. With ``lookup`` nothing is
    read: sources that the output does not know yet, or whose analysis it lacks, come back with neither reason nor ``cached``.
    """

    config: Config
    storage: Storage
    kind: str  # "person" or "garment"
    weights: str
    lookup: bool = False
    name = "fetch"
    schema = pa.schema([*SOURCE, ("sha256", pa.string()), ("key", pa.string()), ("cached", pa.bool_()), ("data", pa.binary()),
                        ("mask", pa.binary()), ("ms_fetch", pa.float32())])

    def __call__(self, row: dict) -> dict:
        out = absolute(self.config.output.out)
        sha, data = self._bytes(row["uri"])
        mask_sha, mask = self._bytes(row["mask_uri"]) if row["mask_uri"] else ("", None)
        if sha is None or mask_sha is None:
            return row | {"cached": False}
        # What else decides the analysis: the size a person photo is brought to, the kind a garment is said to be.
        given = f"{PIPELINE_VERSION} {self.config.output.size} {self.config.render.max_height} {row['category']} {row['subcategory']}"
        key = analysis_key(self.kind, [sha, mask_sha], given, self.weights)
        row = row | {"sha256": sha + mask_sha, "key": key, "cached": self.storage.exists(join(out, key))}
        if row["cached"]:
            return row
        if not self.config.run.retry_failed and (failure := read_json(self.storage, join(out, key + ".failed"))):
            return row | failure
        if self.lookup:
            return row
        row["data"] = data if data is not None else self._read(row["uri"], sha)
        if row["mask_uri"]:
            row["mask"] = mask if mask is not None else self._read(row["mask_uri"], mask_sha)
        return row

    def _bytes(self, uri: str) -> tuple[str | None, bytes | None]:
        """(sha256, bytes or None when the index knew the hash); on lookup, None and None when it does not."""
        etag = self.storage.etag_source(uri)
        if etag is None:
            raise RowError("not_found", f"there is nothing at {uri}")
        index = join(absolute(self.config.output.out), source_key(uri))
        entry = read_json(self.storage, index)
        if entry and entry["etag"] == etag:
            return entry["sha256"], None
        if self.lookup:
            return None, None
        data = self.storage.read_source(uri, self.config.images.max_bytes)
        sha = hashlib.sha256(data).hexdigest()
        self.storage.write(index, json.dumps({"uri": uri, "etag": etag, "sha256": sha}).encode(), "application/json")
        return sha, data

    def _read(self, uri: str, sha: str) -> bytes:
        return read_unchanged(self.storage, uri, sha, self.config.images.max_bytes)


def read_unchanged(storage: Storage, uri: str, sha: str, limit: int) -> bytes:
    """The bytes of a source, which must still be those that were hashed. Raises RowError ``source_changed``."""
    data = storage.read_source(uri, limit)
    if hashlib.sha256(data).hexdigest() != sha:
        raise RowError("source_changed", f"{uri} changed while the run was under way; run again")
    return data


def read_json(storage: Storage, uri: str) -> dict | None:
    """The JSON object at ``uri``, or None when there is nothing."""
    try:
        return json.loads(storage.read(uri))
    except NotFoundError:
        return None


def is_permanent(reason: str) -> bool:
    return reason in PERMANENT_REASONS
