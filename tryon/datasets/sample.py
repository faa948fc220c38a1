"""One sample schema: whatever the format, a photo with what is known about it.

Every reader of this folder gives ``Entry`` objects, which cost nothing until they are loaded, so that a set larger than the
memory is a list of entries. Colours are RGB; coordinates are pixels of the photo, x to the right and y down.
"""
import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import NamedTuple

import cv2
import numpy as np

from tryon import images
from tryon.config import ImageConfig
from tryon.datasets.split import split_of
from tryon.schema import PARSE_CLASSES, REASONS, RowError
from tryon.storage import StorageError

IGNORE = 255  # in a parse map: not judged
VISIBILITY = (0.0, 0.5, 1.0)  # confidence of COCO's and DeepFashion2's v: 0 absent, 1 labelled but hidden, 2 visible
LIMITS = ImageConfig(min_side=1)  # data sets may hold small pictures

# Why a sample is left out, beside the reasons of tryon.schema that reading a file can have.
SAMPLE_REASONS = {
    "bad_annotation": "the annotation is not what its format promises",
    "size_mismatch": "the annotation has another size than its photo",
    "unlabelled": "the annotation says nothing about the photo",
}


class DatasetError(Exception):
    """The data set cannot be used as it is; the message is one line: which file or label, and what was expected."""


class SampleError(Exception):
    """One sample cannot be used. ``reason`` is a key of ``SAMPLE_REASONS``."""

    def __init__(self, reason: str, detail: str):
        assert reason in SAMPLE_REASONS, f"unknown reason {reason!r}: add it to SAMPLE_REASONS"
        super().__init__(f"{reason}: {detail}")
        self.reason, self.detail = reason, detail


def pixels(photo: bytes | np.ndarray) -> np.ndarray:
    """HxWx3 uint8 RGB of an encoded photo (decoded anew at every call) or of pixels. Raises RowError: decode_error, too_large."""
    return photo if isinstance(photo, np.ndarray) else images.decode(photo, LIMITS)


def expect_size(photo: bytes, shape: tuple[int, int]) -> None:
    """Raise SampleError("size_mismatch") when the header of an encoded photo has another size than ``shape`` (H, W), turned or not."""
    _, width, height = images.sniff(photo)
    if (height, width) != shape and (width, height) != shape:
        raise SampleError("size_mismatch", f"the annotation was made on {shape[1]}x{shape[0]} pixels, its photo has {width}x{height}")


@dataclass
class Garment:
    """A garment as worn or laid in the photo."""

    category: str = ""  # of schema.CATEGORIES; "" unknown
    subcategory: str = ""  # of schema.SUBCATEGORIES; "" unknown
    label: str = ""  # the format's own word
    mask: np.ndarray | None = None  # HxW uint8 0/255; None: unknown, or to be read off the parse map
    landmarks: dict[str, tuple[float, float, float]] = field(default_factory=dict)  # name -> x, y, confidence 0-1; absent ones left out
    box: tuple[float, float, float, float] | None = None  # x0, y0, x1, y1
    pair_id: str = ""  # the same in a shop photo and in photos of its wearers
    style: int = 0  # of a pair; 0: has no pair

    @property
    def pair(self) -> str:
        """Equal and not empty for two pictures of the same garment."""
        return f"{self.pair_id}/{self.style}" if self.pair_id and self.style > 0 else ""


@dataclass
class Product:
    """The shop picture of a garment."""

    id: str
    photo: bytes | np.ndarray
    mask: np.ndarray | None = None  # of the garment, HxW uint8 0/255
    paired: bool = True  # it is the very garment the person wears

    @property
    def image(self) -> np.ndarray:
        return pixels(self.photo)


@dataclass
class Sample:
    """``photo``: an encoded file, decoded whenever ``image`` is asked for, or HxWx3 uint8 RGB. None: the format does not tell.

    ``identity`` (set/person or set/garment) alone decides ``split``. The largest labelled person comes first in ``poses``; a
    person without labelled joints is a row of zeros at the end.
    """

    id: str
    identity: str
    source: str
    photo: bytes | np.ndarray
    parse: np.ndarray | None = None  # HxW uint8, indices into PARSE_CLASSES or IGNORE
    poses: np.ndarray | None = None  # Px18x3 float32 (x, y, confidence 0-1), COCO-18; a missing joint is 0, 0, 0; P = 0: nobody there
    heads: np.ndarray | None = None  # Px4 float32 (x0, y0, x1, y1), the head boxes of the people; zeros where one has none (MPII's PCKh)
    masks: list[np.ndarray | None] = field(default_factory=list)  # of the people in the order of poses, HxW uint8 0/255
    ignore: np.ndarray | None = None  # HxW uint8 0/255: people not told apart (COCO's crowds), not to be judged
    garments: list[Garment] = field(default_factory=list)
    product: Product | None = None
    classes: np.ndarray | None = None  # bool, one per PARSE_CLASSES: what a photo without parse map is tagged with
    split: str = ""  # train, val, test
    by_eye: np.ndarray | None = None  # HxW uint8 like parse: what was put right by eye for this package, for training alone

    def __post_init__(self):
        self.split = self.split or split_of(self.identity)

    @property
    def image(self) -> np.ndarray:
        """HxWx3 uint8 RGB. Raises RowError: decode_error, too_large."""
        return pixels(self.photo)

    @property
    def pose(self) -> np.ndarray | None:
        """``poses`` of a photo with somebody in it, else None."""
        return self.poses if self.poses is not None and len(self.poses) else None


class Entry(NamedTuple):
    """A sample that has not been read yet. ``load`` raises SampleError or RowError when this one is bad, DatasetError when all are."""

    id: str
    load: Callable[[], Sample]


class Rejected(NamedTuple):
    """A sample that was left out: ``reason`` is a key of SAMPLE_REASONS or schema.REASONS."""

    id: str
    reason: str
    detail: str


def check(sample: Sample) -> np.ndarray:
    """The decoded photo. Raises RowError when it cannot be decoded, SampleError when an annotation does not fit it."""
    image = sample.image
    _check_size("parse map", sample.parse, image)
    _check_size("ignored region", sample.ignore, image)
    for mask in sample.masks:
        _check_size("mask of a person", mask, image)
    for garment in sample.garments:
        _check_size("mask of a garment", garment.mask, image)
    if sample.product is not None:
        _check_size("mask of the product", sample.product.mask, sample.product.image)
    if sample.parse is not None:
        strange = np.setdiff1d(sample.parse, [*range(len(PARSE_CLASSES)), IGNORE])
        assert not len(strange), f"{sample.id}: parse classes {strange}: a reader let ids through that are not ours"
    return image


def _check_size(name: str, array: np.ndarray | None, image: np.ndarray) -> None:
    if array is not None and array.shape != image.shape[:2]:
        raise SampleError("size_mismatch", f"the {name} is {array.shape[1]}x{array.shape[0]}, its photo {image.shape[1]}x{image.shape[0]}")


def load(entries: Iterable[Entry], threads: int = 4) -> Iterator[tuple[Sample, np.ndarray] | Rejected]:
    """Every entry in order, as (sample, decoded photo) or with the reason why not; a few are read ahead by ``threads``.

    Raises DatasetError, and StorageError when the storage is at fault and not the sample.
    """
    entries = iter(entries)
    with ThreadPoolExecutor(threads) as pool:
        ahead = deque(pool.submit(_one, e) for e in itertools.islice(entries, 2 * threads))
        while ahead:
            yield ahead.popleft().result()
            ahead.extend(pool.submit(_one, e) for e in itertools.islice(entries, 1))


def _one(entry: Entry) -> tuple[Sample, np.ndarray] | Rejected:
    """The guard of the readers: one bad sample costs one sample, whatever is wrong in its annotation."""
    try:
        sample = entry.load()
        return sample, check(sample)
    except RowError as e:
        assert e.reason in REASONS
        if e.reason == "storage_error":
            raise StorageError(e.detail) from e
        return Rejected(entry.id, e.reason, e.detail)
    except SampleError as e:
        return Rejected(entry.id, e.reason, e.detail)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError, cv2.error) as e:
        return Rejected(entry.id, "bad_annotation", f"{type(e).__name__}: {' '.join(str(e).split())[:300]}")
