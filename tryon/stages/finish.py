"""Finish: a picture goes to the store, a small result row goes on. Apart from the stages with networks: its workers, and the driver, need none."""
import hashlib
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from tryon import images
from tryon.config import Config
from tryon.plan import image_key
from tryon.schema import FAILED, OK, REVIEW
from tryon.stages.contract import Stage
from tryon.stages.expand import LOOK
from tryon.stages.thumbs import put_thumb
from tryon.storage import Storage, absolute, join


@dataclass
class Finish(Stage):
    """Encode and put the picture; what goes on is a result row. A failed row comes through as a failed result."""

    config: Config
    storage: Storage
    name = "finish"
    schema = pa.schema([(f.name, f.type) for f in LOOK if f.name not in ("person", "garments")] + [
        ("status", pa.string()), ("image_key", pa.string()), ("height", pa.int32()), ("width", pa.int32()), ("sha256", pa.string()),
        ("score", pa.float32()), ("review", pa.string()), ("dressing_keys", pa.list_(pa.string())),
        ("ms_fetch", pa.float32()), ("ms_fit", pa.float32()), ("ms_generate", pa.float32()), ("ms_dress", pa.float32()), ("ms_finish", pa.float32())])

    def __call__(self, row: dict) -> dict:
        out, o = absolute(self.config.output.out), self.config.output
        image = np.frombuffer(row["image"], np.uint8).reshape(row["height"], row["width"], 3)
        data = images.encode(image, o.format, o.quality)
        key = image_key(row["look_id"], o.format)
        put_thumb(self.storage, out, row["look_id"], image)
        self.storage.write(join(out, key), data, images.CONTENT_TYPES[o.format])
        review = row["review"].split()
        if row["score"] < self.config.render.review_below:
            review.append("low_score")
        return row | {"status": REVIEW if review else OK, "review": " ".join(review), "image_key": key, "sha256": hashlib.sha256(data).hexdigest()}


def result(row: dict) -> dict:
    """A row that left Finish as the ledger takes it: a failed one keeps its reason, one in review says why."""
    if row["reason"]:
        return row | {"status": FAILED}
    return row | {"reason": row["review"], "detail": ""}
