"""Whole looks, made from two raw photos as the product makes them, against photos of people who wear that very garment."""
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field

import cv2
import numpy as np
import torch

from tryon import garment as garment_module
from tryon import images
from tryon import schema as S
from tryon.api import Look, TryOn
from tryon.datasets.sample import Sample
from tryon.datasets.unpose import unpose
from tryon.evaluation.views import mark_upper, rarity, texture, views
from tryon.garment import Garment
from tryon.metrics.pictures import FrechetDistance, PerceptualDistance, colour_difference, ssim
from tryon.report.sheet import Tile
from tryon.schema import RowError

SIZE = (256, 192)  # H, W at which pictures are compared
DEFINITIONS = {
    "pairs": "a person and the shop picture of what they wear; of ccp: the worn top or coat cut out and laid out flat on a drawn ground (tryon.datasets.unpose, "
             "those that might pass for a product photo), the person as photographed and as half-body crop on a studio ground; whether it is a top or a jacket is told, as a catalogue would",
    "overlay": "mean over the pairs of the IoU of the pixels where the look shows the new garment and those where the label shows the worn one; "
               "0 for a pair that gives no look. overlay_75: share of pairs at 0.75 or more",
    "ssim": "structural similarity (torchmetrics, RGB, data_range=255, Gaussian window) of look and photo at 256x192, mean over the picture",
    "ssim_edit": "its mean over the pixels of the edit mask; floor_edit: the same for the photo with that region filled with its mean colour",
    "perceptual": "mean over levels and places of the distance of unit feature vectors of this package's parser encoder (in the manner of LPIPS, "
                  "without its learned weights)",
    "fid_parser": "Frechet distance of 320 pooled features of this package's parser encoder (not Inception: not to be compared with a FID); "
                  "paired: of looks that wear their own garment, unpaired: of those that wear somebody else's",
    "colour": "distance in CIELAB of the mean colours of product and of placed garment",
    "changed_outside": "pixels outside the edit mask that are not those of the photo: must be 0",
    "changed_face": "share of the pixels labelled face that changed",
    "cycle": "the same after a garment of another length was put on first, and the true one on that result: cycle_overlay, and cycle_drop, by how "
             "much overlay falls",
    "rare pose": "the fifth of the pairs whose pose is farthest from its five nearest (mean angle between limbs)",
    "textured": "the third of the pairs whose product has the strongest mean gradient",
}


@dataclass
class Case:
    id: str
    kind: str
    person: np.ndarray  # HxWx3 uint8
    product: np.ndarray
    worn: np.ndarray  # bool HxW
    face: np.ndarray
    pose: np.ndarray | None
    subcategory: str | None = None  # as a catalogue would tell it


@dataclass
class Row:
    id: str
    kind: str
    strata: set[str]
    figures: dict[str, float]
    refused: str
    texture: float
    pose: np.ndarray | None
    tile: Tile
    looks: dict[str, np.ndarray] = field(default_factory=dict)  # at SIZE

    @property
    def quality(self) -> float:
        return self.figures["overlay"]


def cases(sample: Sample, image: np.ndarray) -> Iterator[Case]:
    """The pairs of a sample: what its format pairs, else a pair made of what is worn."""
    if sample.parse is None:
        return
    if sample.product is not None:
        if sample.product.paired:
            classes = {"lower": (S.LOWER,), "full": (S.FULL,)}.get(sample.garments[0].category if sample.garments else "", (S.UPPER, S.OUTER, S.FULL))
            yield Case(sample.id, "photo", image, sample.product.image, np.isin(sample.parse, classes), sample.parse == S.FACE,
                       sample.pose[0] if sample.pose is not None else None)
        return
    if sample.pose is None:
        return
    rng = np.random.default_rng(int(hashlib.sha256(sample.id.encode()).hexdigest()[:12], 16))
    cls = max((S.UPPER, S.OUTER), key=lambda c: int((sample.parse == c).sum()))
    flat = unpose(image, sample.parse, cls, sample.pose[0], rng)
    if flat is not None and flat.natural:
        for view in views(sample, image):
            yield Case(sample.id, view.kind, view.image, flat.image, view.parse == cls, view.parse == S.FACE, view.poses[0],
                       "jacket" if cls == S.OUTER else "top")


class Evaluation:
    """``add`` every pair, then ``report``."""

    networks, definitions, wants = ("parser", "pose", "garment"), DEFINITIONS, "pairs of person and product"

    def __init__(self, networks, warp: str = "flow", inception: str = ""):
        self.tryon, self.rows, self.products = TryOn(networks, warp), [], []
        self.encoder = networks.features()
        self.distance = PerceptualDistance(self.encoder)
        self.inception = inception

    def add(self, case: Case) -> None:
        figures, refused, looks = {"overlay": 0.0, "cycle_overlay": 0.0}, "", {}
        shown = [case.person, case.product]
        try:
            person = self.tryon.person(case.person)
            garment = garment_module.analyse_upright(self.tryon.networks, case.product, subcategory=case.subcategory)
            look = self.tryon.render(person, garment)
            figures |= self.compare(case, look, garment)
            looks["paired"] = small(look.image)
            shown.append(look.image)
            if other := self.other(garment):
                first = self.tryon.render(person, other)
                looks |= {"other": images.resize_to(other.photo, f"{SIZE[1]}x{SIZE[0]}"), "unpaired": small(first.image)}
                again = self.tryon.render(self.tryon.person(first.image), garment)
                figures["cycle_overlay"] = iou(again.warped_mask > 0, case.worn)
                shown += [first.image, again.image]
            self.products.append(garment)
        except RowError as e:
            refused = e.reason
        self.rows.append(Row(case.id, case.kind, set(), figures, refused, texture(case.person, case.worn), case.pose, Tile.of(shown, 260),
                             looks | {"photo": small(case.person)}))

    def other(self, garment: Garment) -> Garment | None:
        """Of the products seen last, the one whose length differs most."""
        length = lambda g: np.flatnonzero(g.mask.any(1)).size / max(g.shape.width, 1)
        return max(self.products[-20:], key=lambda g: abs(np.log(length(g) / length(garment))), default=None)

    def compare(self, case: Case, look: Look, garment: Garment) -> dict[str, float]:
        edit, placed = look.edit_mask > 0, look.warped_mask > 0
        changed = (look.image != case.person).any(2)
        whole = ssim(small(look.image), small(case.person))
        region = small(edit.astype(np.uint8) * 255) > 127
        filled = small(case.person).copy()
        filled[region] = filled[region].mean(0) if region.any() else 0
        inside = lambda m: float(m[region].mean()) if region.any() else 1.0
        return {"overlay": iou(placed, case.worn), "ssim": float(whole.mean()), "ssim_edit": inside(whole),
                "floor_edit": inside(ssim(filled, small(case.person))), "perceptual": self.distance(small(look.image), small(case.person)),
                "colour": colour_difference(garment.photo, garment.mask > 0, look.image, placed), "edit": float(edit.mean()),
                "changed_outside": int((changed & ~edit).sum()),
                "changed_face": float(changed[case.face].mean()) if case.face.any() else 0.0, "score": look.score}

    def report(self) -> dict:
        posed = [r for r in self.rows if r.pose is not None]
        mark_upper(posed, rarity([r.pose for r in posed]), 0.2, "rare pose", "common pose")
        mark_upper(self.rows, np.array([r.texture if r.texture else np.nan for r in self.rows]), 1 / 3, "textured", "plain cloth")
        groups = {"all pairs": self.rows} | {k: [r for r in self.rows if r.kind == k] for k in dict.fromkeys(r.kind for r in self.rows)}
        groups |= {s: [r for r in self.rows if s in r.strata] for s in sorted({s for r in self.rows for s in r.strata})}
        strata = {name: summary(rows) for name, rows in groups.items() if rows}
        for name, rows in list(groups.items())[: 1 + len({r.kind for r in self.rows})]:
            for which in ("paired", "unpaired"):
                with torch.no_grad():
                    strata[name] |= self.frechet(which, rows)
        return {"strata": strata, "rows": [{"id": r.id, "kind": r.kind, "refused": r.refused} | r.figures for r in self.rows]}

    def frechet(self, which: str, rows: list[Row]) -> dict[str, float | None]:
        real, made = [r.looks["photo"] for r in rows], [r.looks[which] for r in rows if which in r.looks]
        out = {f"fid_parser_{which}": FrechetDistance(self.encoder)(real, made)}
        if self.inception:
            out[f"FID_{which}"] = FrechetDistance(torch.jit.load(self.inception).eval())(real, made)
        return out

    def sheet_cases(self) -> dict[str, list[tuple[str, Tile]]]:
        """Best, median and worst by overlay: person, product, look, look with another garment, the true one on that."""
        rows = sorted(self.rows, key=lambda r: -r.quality)
        middle = max(0, len(rows) // 2 - 6)
        caption = lambda r: f"{r.id} {r.refused or ''} overlay {r.quality:.2f} cycle {r.figures['cycle_overlay']:.2f}"
        return {name: [(caption(r), r.tile) for r in part] for name, part in
                (("best", rows[:12]), ("median", rows[middle:middle + 12]), ("worst", rows[::-1][:12]))}


def iou(a: np.ndarray, b: np.ndarray) -> float:
    return float((a & b).sum() / max((a | b).sum(), 1))


def small(picture: np.ndarray) -> np.ndarray:
    return cv2.resize(picture, SIZE[::-1], interpolation=cv2.INTER_AREA)


def summary(rows: list[Row]) -> dict:
    made = [r for r in rows if not r.refused]
    mean = lambda key: float(np.mean([r.figures[key] for r in made])) if made else None
    cycled = [r for r in made if "unpaired" in r.looks]
    out = {"pairs": len(rows), "refused": len(rows) - len(made), "overlay": float(np.mean([r.quality for r in rows])),
           "overlay_75": float(np.mean([r.quality >= 0.75 for r in rows]))}
    out |= {key: mean(key) for key in ("ssim", "ssim_edit", "floor_edit", "perceptual", "colour", "edit", "changed_face", "score")}
    out["changed_outside"] = sum(r.figures["changed_outside"] for r in made)
    if cycled:
        out["cycle_overlay"] = float(np.mean([r.figures["cycle_overlay"] for r in cycled]))
        out["cycle_drop"] = float(np.mean([r.quality for r in cycled])) - out["cycle_overlay"]
    return out
