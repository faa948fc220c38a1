"""The parser as the product uses it: tryon.person.analyse on the raw photo, its parse map at the photo's size against the label."""
from dataclasses import dataclass, field

import numpy as np

from tryon import person
from tryon import schema as S
from tryon.evaluation import confidence
from tryon.evaluation.views import HALF, PHOTO, View, mark_upper, rarity, texture
from tryon.metrics.quality import confusion, iou_of, region_iou
from tryon.report.sheet import Tile, label_picture
from tryon.schema import RowError

BAD_BELOW = 0.6  # IoU of the clothed region below which a picture should be reviewed
DEFINITIONS = {
    "miou": "mean over the classes of intersection over union; pixels of all pictures are counted together, a class that is in neither is left out",
    "merged": "the ten classes of FORMATS.md: " + ", ".join(S.MERGED_CLASSES),
    "garment": "IoU of (upper or outer or full) as one region, all pictures together; garment_mean: the mean over the pictures",
    "clothed": "IoU of (upper or outer or full or lower) as one region: whether cloth is told from the rest",
    HALF: "head to somewhere between hip and knee, cut out of a full-body photo along its label, on a drawn studio ground",
    "rare pose": "the fifth of the pictures whose pose is farthest from its five nearest (mean angle between limbs)",
    "textured": "the third of the pictures whose upper garments have the strongest mean gradient",
}
GARMENT = (S.UPPER, S.OUTER, S.FULL)
CLOTHED = (*GARMENT, S.LOWER)


@dataclass
class Row:
    id: str
    kind: str
    strata: set[str]
    classes: np.ndarray  # 17x17 counts, truth by found
    garment: tuple[int, int]  # intersection and union in pixels
    clothed: tuple[int, int]
    confidence: float
    refused: str
    tile: Tile
    pose: np.ndarray | None
    texture: float
    quality: float = field(init=False)

    def __post_init__(self):
        self.quality = self.clothed[0] / self.clothed[1] if self.clothed[1] else 1.0


class Evaluation:
    """``add`` every view that has a parse map, then ``report``."""

    networks, definitions, wants = ("parser", "pose"), DEFINITIONS, "parse maps"

    def __init__(self, networks):
        self.nets, self.rows, self.negatives = networks, [], []

    def add(self, view: View) -> bool:
        if view.parse is None:
            return False
        try:
            found = person.analyse(self.nets, view.image)
            parse, sure, refused = found.parse, found.confidence, ""
        except RowError as e:
            parse, sure, refused = np.zeros(view.parse.shape, np.uint8), 0.0, e.reason
        worn = np.isin(view.parse, GARMENT)
        pose = view.poses[0] if view.poses is not None and len(view.poses) else None
        tile = Tile.of((view.image, label_picture(view.parse), label_picture(parse)))
        self.rows.append(Row(view.id, view.kind, set(view.strata), confusion(parse, view.parse), region_iou(parse, view.parse, GARMENT),
                             region_iou(parse, view.parse, CLOTHED), sure, refused, tile, pose, texture(view.image, worn)))
        return True

    def reject(self, image: np.ndarray) -> None:
        """A picture without a person."""
        try:
            self.negatives.append(person.analyse(self.nets, image).confidence)
        except RowError:
            self.negatives.append(0.0)

    def report(self) -> dict:
        whole = [r for r in self.rows if r.kind == PHOTO]
        posed = [r for r in whole if r.pose is not None]
        mark_upper(posed, rarity([r.pose for r in posed]), 0.2, "rare pose", "common pose")
        mark_upper(whole, np.array([r.texture if r.texture else np.nan for r in whole]), 1 / 3, "textured", "plain cloth")
        groups = {"all photos": whole, HALF: [r for r in self.rows if r.kind == HALF]}
        groups |= {s: [r for r in whole if s in r.strata] for s in sorted({s for r in whole for s in r.strata})}
        return {"strata": {name: summary(rows) for name, rows in groups.items() if rows},
                "confidence": confidence_report(self.rows, self.negatives, BAD_BELOW)}

    def worst(self) -> list[tuple[float, str, Tile]]:
        return [(r.quality, f"{r.id} {r.refused or f'clothed {r.quality:.2f}'}", r.tile) for r in sorted(self.rows, key=lambda r: r.quality)]


def confidence_report(rows: list, negatives: list[float], bad_below: float) -> dict:
    return confidence.report([r.confidence for r in rows], [r.quality for r in rows], bad_below, negatives, sum(bool(r.refused) for r in rows),
                             sum(c > 0 for c in negatives))


def summary(rows: list[Row]) -> dict:
    counts = sum(r.classes for r in rows)
    merge = np.array(S.PARSE_TO_MERGED)
    ten = np.zeros((len(S.MERGED_CLASSES),) * 2, np.int64)
    np.add.at(ten, (merge[:, None], merge[None]), counts)
    merged, own = iou_of(ten), iou_of(counts)
    share = lambda pairs: sum(a for a, _ in pairs) / max(sum(b for _, b in pairs), 1)
    garment = [r.garment[0] / r.garment[1] for r in rows if r.garment[1]]
    return {"pictures": len(rows), "miou": float(np.nanmean(merged)), "garment": share([r.garment for r in rows]),
            "garment_mean": float(np.mean(garment)) if garment else None, "clothed": share([r.clothed for r in rows]),
            "merged": {n: none(v) for n, v in zip(S.MERGED_CLASSES, merged)}, "classes": {n: none(v) for n, v in zip(S.PARSE_CLASSES, own)}}


def none(value: float) -> float | None:
    """JSON has no NaN."""
    return None if np.isnan(value) else float(value)
