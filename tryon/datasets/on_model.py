"""A merchant's own catalogue whose rows name a photo of the product being worn (``on_model_uri``): pairs, as VITON has them. Parse map and pose of
the wearer are what the package's networks find, so a wrong one is learned from, too: prepare the set, look at it, and correct it in LabelMe."""
import functools
import threading
from collections.abc import Callable, Iterator

from tryon import catalogue
from tryon.datasets.sample import LIMITS, DatasetError, Entry, Garment, Product, Sample
from tryon.datasets.source import Source
from tryon.images import decode, decode_mask
from tryon.schema import RowError

_one_at_a_time = threading.Lock()


def entries(source: Source) -> Iterator[Entry]:
    """The rows of a table (parquet, CSV, JSONL) with a ``on_model_uri``. Raises DatasetError when it is no such table or no row has one."""
    found = False
    try:
        for rows in catalogue.products(source.storage, source.root):
            for row in rows:
                if row["on_model_uri"]:
                    found = True
                    yield Entry(row["product_id"] or f"row {row['row']}", _loader(source, row))
    except catalogue.CatalogueError as e:
        raise DatasetError(str(e)) from None
    if not found:
        raise DatasetError(f"no row of {source.root} has an on_model_uri: there is no photo of a product being worn")


def _loader(source: Source, row: dict) -> Callable[[], Sample]:
    def load() -> Sample:
        if row["reason"]:
            raise RowError(row["reason"], row["detail"])
        photo, shop = source.read(row["on_model_uri"]), source.read(row["uri"])
        mask = decode_mask(source.read(row["mask_uri"]), decode(shop, LIMITS).shape, LIMITS) if row["mask_uri"] else None
        with _one_at_a_time:
            worn = _analyse(decode(photo, LIMITS))
        return Sample(row["product_id"], f"catalogue/{row['product_id']}", "catalogue", photo, parse=worn.parse, poses=worn.pose,
                      garments=[Garment(row["category"], row["subcategory"])], product=Product(row["product_id"], shop, mask))

    return load


def _analyse(photo):
    from tryon import person  # networks are loaded by those who read a catalogue alone

    return person.analyse(_networks(), photo)


@functools.cache
def _networks():
    from tryon.networks import Networks

    return Networks(names=("parser", "pose"))
