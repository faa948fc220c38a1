"""The garment network as the product uses it: tryon.garment.analyse on the raw product photo, against masks, kinds and landmarks."""
from dataclasses import dataclass

import cv2
import numpy as np

from tryon import garment
from tryon.datasets.sample import Garment, Sample
from tryon.evaluation.parser import CLOTHED, confidence_report
from tryon.evaluation.views import mark_upper, texture
from tryon.report.sheet import Tile
from tryon.schema import RowError

OUTLINE = "garment"  # label of an outline that tells no kind; holes are cut out of its parse map
BAD_BELOW = 0.9  # IoU below which a picture should be reviewed
DEFINITIONS = {
    "iou": "mean over the pictures of the IoU of mask and label; 0 where no garment was found. iou_worst: the smallest",
    "kind": "share of the pictures whose subcategory (else category) is found, where the label tells one",
    "landmarks": "share of labelled landmarks found within 5 % of the longer side of the garment's box, or of what was found where the label has none",
    "plain ground": "the colours around the garment (0.02 to 0.15 of the picture's height outside the label) lie within 8 of their median, mean "
                    "distance in 8-bit Lab; other grounds are arbitrary",
    "textured": "the third of the pictures whose garments have the strongest mean gradient",
}


@dataclass
class Row:
    id: str
    strata: set[str]
    quality: float  # IoU; NaN where the label has no mask
    kind: bool | None
    landmarks: tuple[int, int]  # right, labelled
    confidence: float
    refused: str
    tile: Tile | None
    texture: float


class Evaluation:
    """``add`` every product photo of which mask, kind or landmarks are known, then ``report``."""

    networks, definitions, wants = ("garment",), DEFINITIONS, "product photos with a mask or a kind"

    def __init__(self, networks):
        self.nets, self.rows, self.negatives = networks, [], []

    def add(self, sample: Sample, image: np.ndarray) -> bool:
        image, mask, label = product(sample, image)
        if mask is None and not label.category:
            return False
        try:
            found = garment.analyse(self.nets, image)
            out, sure, refused = found.mask > 0, found.confidence, ""
        except RowError as e:
            found, out, sure, refused = None, np.zeros(image.shape[:2], bool), 0.0, e.reason
        iou, strata, tile = np.nan, set(), None
        if mask is not None:
            iou = float((out & mask).sum() / max((out | mask).sum(), 1))
            strata.add("plain ground" if plain(image, mask) else "arbitrary ground")
            tile = Tile.of((image, shown(image, mask), shown(image, out)))
        kind = None
        if label.category:
            strata.add(label.category)
            kind = bool(found and (found.subcategory == label.subcategory if label.subcategory else found.category == label.category))
        box = label.box or (extent(out) if out.any() else (0, 0, *image.shape[1::-1]))
        side = max(box[2] - box[0], box[3] - box[1])
        right = sum(bool(found and n in found.landmarks and np.hypot(found.landmarks[n][0] - x, found.landmarks[n][1] - y) <= 0.05 * side)
                    for n, (x, y, c) in label.landmarks.items())
        worn = mask if mask is not None else out
        self.rows.append(Row(sample.id, strata, iou, kind, (right, len(label.landmarks)), sure, refused, tile, texture(image, worn)))
        return True

    def reject(self, image: np.ndarray) -> None:
        """A picture without a garment."""
        try:
            self.negatives.append(garment.analyse(self.nets, image).confidence)
        except RowError:
            self.negatives.append(0.0)

    def report(self) -> dict:
        mark_upper(self.rows, np.array([r.texture if r.texture else np.nan for r in self.rows]), 1 / 3, "textured", "plain cloth")
        groups = {"all photos": self.rows} | {s: [r for r in self.rows if s in r.strata] for s in sorted({s for r in self.rows for s in r.strata})}
        masked = [r for r in self.rows if not np.isnan(r.quality)]
        return {"strata": {name: summary(rows) for name, rows in groups.items() if rows},
                "confidence": confidence_report(masked, self.negatives, BAD_BELOW)}

    def worst(self) -> list[tuple[float, str, Tile]]:
        rows = sorted((r for r in self.rows if r.tile), key=lambda r: r.quality)
        return [(r.quality, f"{r.id[:18]} {r.refused or f'IoU {r.quality:.2f}'}", r.tile) for r in rows]


def product(sample: Sample, image: np.ndarray) -> tuple[np.ndarray, np.ndarray | None, Garment]:
    """The product photo of a sample, its mask (bool HxW) and what else is known: that of its shop picture, else its one garment of a known kind,
    else all cloth of its parse map."""
    if sample.product is not None:
        label = sample.garments[0] if len(sample.garments) == 1 else Garment()
        known = Garment(label.category, label.subcategory)
        return sample.product.image, None if sample.product.mask is None else sample.product.mask > 0, known
    if len(sample.garments) == 1 and sample.garments[0].label != OUTLINE:
        mask = sample.garments[0].mask
        return image, None if mask is None else mask > 0, sample.garments[0]
    return image, np.isin(sample.parse, CLOTHED) if sample.parse is not None else None, Garment()


def extent(mask: np.ndarray) -> tuple[int, int, int, int]:
    """The box x0, y0, x1, y1 of a bool HxW mask."""
    x, y, w, h = cv2.boundingRect(mask.astype(np.uint8))
    return x, y, x + w, y + h


def plain(image: np.ndarray, mask: np.ndarray) -> bool:
    """Whether the ground around a garment is plain (see DEFINITIONS)."""
    h = image.shape[0]
    distance = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 3)
    ring = (distance > 0.02 * h) & (distance < 0.15 * h)
    if not ring.any():
        return False
    lab = cv2.cvtColor(image, cv2.COLOR_RGB2LAB)[ring].astype(np.float32)
    return bool(np.linalg.norm(lab - np.median(lab, 0), axis=1).mean() < 8)


def shown(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The picture with all but ``mask`` (bool HxW) turned magenta."""
    return np.where(mask[..., None], image, np.array((255, 0, 255), np.uint8))


def summary(rows: list[Row]) -> dict:
    ious = [r.quality for r in rows if not np.isnan(r.quality)]
    kinds, right, labelled = [r.kind for r in rows if r.kind is not None], *np.sum([r.landmarks for r in rows], 0).tolist()
    return {"pictures": len(rows), "masks": len(ious), "iou": float(np.mean(ious)) if ious else None, "iou_worst": min(ious) if ious else None,
            "kind": float(np.mean(kinds)) if kinds else None, "landmarks": right / labelled if labelled else None}
