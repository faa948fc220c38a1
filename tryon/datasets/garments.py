"""The Clothing dataset: photos of single garments on all sorts of ground, labelled with their kind but without masks.

Masks of easy grounds are found by GrabCut (Rother et al. 2004) and kept only where they can be trusted; the network
learns the hard grounds from garments moved onto them.
"""
import csv
import functools
import io
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from tryon import schema as S
from tryon.datasets.sample import DatasetError, Entry, Garment, Sample
from tryon.datasets.shards import samples
from tryon.datasets.source import Source

# Label of the data set -> our subcategory (schema.SUBCATEGORIES); the rest is ambiguous and carries no label.
SUBCATEGORY = {
    "T-Shirt": "top", "Longsleeve": "top", "Top": "top", "Undershirt": "top", "Blouse": "shirt", "Body": None,
    "Polo": "shirt", "Shirt": "shirt", "Hoodie": "sweater", "Blazer": "jacket", "Outwear": "jacket", "Pants": "trousers",
    "Shorts": "shorts", "Skirt": "skirt", "Dress": "dress", "Hat": "hat",
}


@dataclass(frozen=True)
class Traced:
    """What was traced by eye in one photo of a top or dress, in its pixels (tryon/datasets/traced.json). landmarks: of schema.LANDMARKS -> (x, y);
    neck: Nx2, from the wearer's right to the left along the edge of the cloth that lies in front of the neck; none of a hooded one."""

    landmarks: dict[str, tuple[float, float]]
    neck: np.ndarray
    sleeved: bool

    @property
    def known(self) -> set[str]:
        """Names of the landmarks that may be learned from: those that were seen, and those of sleeves that are not there."""
        return set(self.landmarks) | ({n for n in S.LANDMARKS if n.startswith("cuff")} if not self.sleeved else set())

    def inner(self, mask: np.ndarray) -> np.ndarray | None:
        """Bool HxW: what of a garment's mask (HxW uint8 0/255) a wearer's neck hides, the inside of the back and all that lies on it; None: unknown."""
        if not len(self.neck):
            return None
        out = np.zeros(mask.shape, np.uint8)
        above = np.vstack((self.neck, (self.neck[-1, 0], -10), (self.neck[0, 0], -10)))
        cv2.fillPoly(out, [np.rint(above * 16).astype(np.int32)], 1, cv2.LINE_8, 4)
        return (out > 0) & (mask > 127)


@functools.cache
def traced() -> dict[str, Traced]:
    """Photo id -> what was traced in it."""
    found = json.loads((Path(__file__).parent / "traced.json").read_text())
    return {id: Traced({k: tuple(v) for k, v in t["landmarks"].items()}, np.array(t["neck"], float).reshape(-1, 2), t["sleeved"])
            for id, t in found.items()}


@functools.cache
def outlined() -> dict[str, list[np.ndarray]]:
    """Photo id -> polygons Nx2 of what is the product's cloth, in pixels (tryon/datasets/outlined.json): photos of which no network was sure, or was
    wrong, outlined by eye. A polygon within another is a gap."""
    found = json.loads((Path(__file__).parent / "outlined.json").read_text())
    return {id: [np.array(p, float).reshape(-1, 2) for p in polygons] for id, polygons in found.items()}


@dataclass
class GarmentPhoto:
    id: str
    image: np.ndarray  # HxWx3 uint8 RGB
    subcategory: str | None
    split: str
    mask: np.ndarray | None = None  # HxW uint8 0/255
    label: str = ""  # as the data set has it


def entries(source: Source) -> Iterator[Entry]:
    """Every photo that images.csv lists and image/ holds, with its kind. Raises DatasetError naming the file and an unknown label."""
    uri = source.uri("images.csv")
    text = source.annotation(uri, "the Clothing dataset keeps image/ and images.csv together").decode()
    there = set(source.files("image", (".jpg",)))
    for row in csv.DictReader(io.StringIO(text)):
        kind = source.labels.get(row["label"]) or SUBCATEGORY.get(row["label"], "")
        if kind == "":
            raise DatasetError(f"{uri}: unknown label {row['label']!r}; map it with --labels to one of {', '.join(S.CATEGORY_OF)}, ignore")
        if f"{row['image']}.jpg" in there:
            yield Entry(row["image"], _loader(source, row["image"], row["label"], None if kind == "ignore" else kind))


def _loader(source: Source, id: str, label: str, kind: str | None) -> Callable[[], Sample]:
    trace = traced().get(id)
    garment = Garment(S.CATEGORY_OF[kind] if kind else "", kind or "", label,
                      landmarks={k: (*v, 1.0) for k, v in trace.landmarks.items()} if trace else {})
    return lambda: Sample(id, f"garments/{id}", "clothing", source.read(source.uri("image", f"{id}.jpg")), garments=[garment])


def read(folder: str | Path, splits: tuple[str, ...] = ("train", "val", "test")) -> list[GarmentPhoto]:
    """The photos of the untarred ``garments`` folder, or of shards made from it, in memory. Raises DatasetError as ``entries`` does."""
    photos = []
    for sample in samples(folder, entries, splits):
        kind = sample.garments[0] if sample.garments else Garment()
        photos.append(GarmentPhoto(sample.id, sample.image, kind.subcategory or None, sample.split, label=kind.label))
    return photos


def easy_mask(image: np.ndarray, side: int = 240) -> np.ndarray | None:
    """Mask (HxW uint8 0/255) of a garment on an easy ground, or None when the result cannot be trusted.

    The ground is modelled by four colours of the picture's border; what differs from them seeds GrabCut. Trusted
    is a result that is one solid piece, hardly touches the border, covers 8-75 % of the picture, and that GrabCut
    finds again from a seed that is a third narrower.
    """
    scale = side / max(image.shape[:2])
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    lab = cv2.cvtColor(small, cv2.COLOR_RGB2LAB).astype(np.float32)
    h, w = lab.shape[:2]
    band = max(3, int(0.035 * side))
    border = np.ones((h, w), bool)
    border[band:-band, band:-band] = False
    cv2.setRNGSeed(0)
    _, _, centres = cv2.kmeans(lab[border], 4, None, (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 12, 1.0), 1, cv2.KMEANS_PP_CENTERS)
    distance = np.sqrt(((lab[:, :, None] - centres) ** 2).sum(-1)).min(-1)
    spread = float(np.percentile(distance[border], 90))
    if spread > 22:
        return None
    masks = []
    for factor in (1.6, 2.4):
        seed = cv2.GaussianBlur(distance, (0, 0), 1.5) > max(10.0, factor * spread)
        seed = cv2.morphologyEx(seed.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((7, 7), np.uint8))
        trimap = np.where(seed > 0, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
        trimap[border & (seed == 0)] = cv2.GC_BGD
        if not 0.05 < seed.mean() < 0.85:
            return None
        cv2.grabCut(small[..., ::-1].copy(), trimap, None, np.zeros((1, 65)), np.zeros((1, 65)), 3, cv2.GC_INIT_WITH_MASK)
        mask = ((trimap == cv2.GC_FGD) | (trimap == cv2.GC_PR_FGD)).astype(np.uint8)
        mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
        count, labels, stats, _ = cv2.connectedComponentsWithStats(mask)
        if count < 2:
            return None
        biggest = 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
        if stats[biggest, cv2.CC_STAT_AREA] < 0.9 * mask.sum():
            return None
        solid = (labels == biggest).astype(np.uint8)
        count, gaps, stats, _ = cv2.connectedComponentsWithStats(1 - solid)
        inner = [i for i in range(1, count) if stats[i, cv2.CC_STAT_LEFT] > 0 and stats[i, cv2.CC_STAT_TOP] > 0
                 and stats[i, cv2.CC_STAT_LEFT] + stats[i, cv2.CC_STAT_WIDTH] < w and stats[i, cv2.CC_STAT_TOP] + stats[i, cv2.CC_STAT_HEIGHT] < h]
        if sum(stats[i, cv2.CC_STAT_AREA] for i in inner) > 0.07 * solid.sum():  # the garment shares a colour with its ground
            return None
        # Pinholes are filled; a real gap, as between sleeve and torso, looks like the ground.
        filled = solid.copy()
        for i in inner:
            if stats[i, cv2.CC_STAT_AREA] < 0.002 * solid.sum() or np.median(distance[gaps == i]) > max(8.0, 1.2 * spread):
                filled[gaps == i] = 1
        masks.append(filled)
    a, b = (m.astype(bool) for m in masks)
    if (a & b).sum() < 0.95 * (a | b).sum() or not 0.08 < a.mean() < 0.75:
        return None
    edge = np.concatenate((a[:2].ravel(), a[-2:].ravel(), a[:, :2].ravel(), a[:, -2:].ravel()))
    if edge.mean() > 0.06:
        return None
    contour = max(cv2.findContours(masks[0], cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0], key=cv2.contourArea)
    roughness = cv2.arcLength(contour, True) ** 2 / (4 * np.pi * max(a.sum(), 1))
    if roughness > 9:
        return None
    full = cv2.resize(masks[0].astype(np.float32), image.shape[1::-1], interpolation=cv2.INTER_CUBIC)
    return ((full > 0.5) * 255).astype(np.uint8)


def with_easy_masks(photos: list[GarmentPhoto], cache: str | Path, threads: int = 2) -> list[GarmentPhoto]:
    """The photos whose mask can be trusted, with it; masks are kept as PNG in ``cache``, an empty file where none is."""
    cache = Path(cache)
    cache.mkdir(parents=True, exist_ok=True)

    def one(photo: GarmentPhoto):
        path = cache / f"{photo.id}.png"
        if not path.exists():
            mask = easy_mask(photo.image)
            path.write_bytes(b"" if mask is None else cv2.imencode(".png", mask)[1].tobytes())
        data = path.read_bytes()
        photo.mask = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE) if data else None

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(one, photos))
    return [p for p in photos if p.mask is not None]
