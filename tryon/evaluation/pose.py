"""The pose network as the product uses it: tryon.person.pose on the raw photo against labelled poses."""
from dataclasses import dataclass

import cv2
import numpy as np

from tryon import person
from tryon import schema as S
from tryon.condition import skeleton
from tryon.evaluation.parser import confidence_report, none
from tryon.evaluation.views import HALF, PHOTO, View, mark_upper, rarity
from tryon.metrics.keypoints import CLOSE, apart, lifted, oks, oks_ap
from tryon.report.sheet import Tile

BAD_BELOW = 0.8  # share of joints found below which a picture should be reviewed
DEFINITIONS = {
    "pck": "share of the labelled joints that are found within 0.2 of the torso length (neck to middle of the hips); a joint that is not found "
           "counts as wrong; people whose label lacks neck or hips are left out",
    "pckh": "the same within 0.5 of the head: 0.6 of the diagonal of the head box where the label has one (MPII), else the distance nose to neck",
    "oks_ap": "COCO's average precision over object key point similarity .50:.05:.95 (pycocotools), 17 joints without the neck; area: that of the "
              "person's mask, else of the box around its joints; people without a label count as wrong",
    "invented": "share of the joints known to be out of the picture (half-body crops) that were reported all the same",
    "matching": "one labelled person: the first of the poses found, as the product takes it; several: greedily by key point similarity",
    "rare pose": "the fifth of the pictures whose pose is farthest from its five nearest (mean angle between limbs)",
    "lifted arm": "a wrist is no lower than its elbow",
    "crossed legs": f"the ankles are the other way round than the hips, or stand less than {CLOSE} torso lengths apart sideways",
}


@dataclass
class Row:
    id: str
    kind: str
    strata: set[str]
    truth: np.ndarray  # 18x3
    found: np.ndarray  # 18x3, zeros where nobody was found
    head: float  # pixels; 0 unknown
    absent: np.ndarray
    confidence: float
    refused: str
    tile: Tile | None

    @property
    def torso(self) -> float:
        t = self.truth
        if (t[[S.NECK_JOINT, S.R_HIP, S.L_HIP], 2] <= 0).any():
            return 0.0
        return float(np.linalg.norm(t[S.NECK_JOINT, :2] - (t[S.R_HIP, :2] + t[S.L_HIP, :2]) / 2))

    def near(self, limit: float) -> np.ndarray:
        """Bool 18: labelled, found, and within ``limit`` pixels."""
        t, f = self.truth, self.found
        return (t[:, 2] > 0) & (f[:, 2] > 0) & (np.linalg.norm(f[:, :2] - t[:, :2], axis=1) <= limit)

    @property
    def quality(self) -> float:
        return float(self.near(0.2 * self.torso).sum() / max((self.truth[:, 2] > 0).sum(), 1))


class Evaluation:
    """``add`` every view that has poses, then ``report``."""

    networks, definitions, wants = ("pose",), DEFINITIONS, "poses"

    def __init__(self, networks):
        self.nets, self.rows, self.negatives, self.pictures = networks, [], [], {PHOTO: [], HALF: []}

    def add(self, view: View) -> bool:
        if view.poses is None or not len(view.poses):
            return False
        found = person.pose(self.nets, view.image)
        labelled = [i for i, p in enumerate(view.poses) if (p[:, 2] > 0).any()]
        areas = [float((view.masks[i] > 0).sum()) if i < len(view.masks) and view.masks[i] is not None else box_area(view.poses[i]) for i in labelled]
        truth = view.poses[labelled]
        self.pictures[view.kind].append((truth, areas, found, view.ignore))
        pairs = match(truth, areas, found)
        for n, (i, pose) in enumerate(zip(labelled, pairs)):
            tile = Tile.of((drawn(view.image, view.poses), drawn(view.image, found))) if n == 0 else None
            head = 0.6 * float(np.hypot(*(view.heads[i, 2:] - view.heads[i, :2]))) if view.heads is not None and view.heads[i].any() else 0.0
            if not head and (truth[n, [S.NOSE, S.NECK_JOINT], 2] > 0).all():
                head = float(np.linalg.norm(truth[n, S.NOSE, :2] - truth[n, S.NECK_JOINT, :2]))
            sure = float(pose[pose[:, 2] > 0, 2].mean()) if (pose[:, 2] > 0).any() else 0.0
            self.rows.append(Row(view.id, view.kind, set(view.strata), truth[n], pose, head, view.absent, sure, "" if len(found) else "no_person", tile))
        return True

    def reject(self, image: np.ndarray) -> None:
        """A picture without a person."""
        found = person.pose(self.nets, image)
        self.negatives.append(float(found[0, found[0, :, 2] > 0, 2].mean()) if len(found) else 0.0)

    def report(self) -> dict:
        whole = [r for r in self.rows if r.kind == PHOTO]
        mark_upper(whole, rarity([r.truth for r in whole]), 0.2, "rare pose", "common pose")
        for row in whole:
            if lifted(row.truth).max() >= 0:
                row.strata.add("lifted arm")
            if apart(row.truth) < CLOSE:
                row.strata.add("crossed legs")
        groups = {"all photos": whole, HALF: [r for r in self.rows if r.kind == HALF]}
        groups |= {s: [r for r in whole if s in r.strata] for s in sorted({s for r in whole for s in r.strata})}
        strata = {name: summary(rows) for name, rows in groups.items() if rows}
        for name, kind in (("all photos", PHOTO), (HALF, HALF)):
            if name in strata:
                strata[name]["oks_ap"] = oks_ap(self.pictures[kind])
        judged = [r for r in self.rows if r.torso]
        return {"strata": strata, "confidence": confidence_report(judged, self.negatives, BAD_BELOW)}

    def worst(self) -> list[tuple[float, str, Tile]]:
        rows = sorted((r for r in self.rows if r.torso and r.tile), key=lambda r: r.quality)
        return [(r.quality, f"{r.id} {r.refused or f'joints {r.quality:.2f}'}", r.tile) for r in rows]


def summary(rows: list[Row]) -> dict:
    judged, headed = [r for r in rows if r.torso], [r for r in rows if r.head]
    total = sum((r.truth[:, 2] > 0).astype(int) for r in judged) if judged else np.zeros(18, int)
    hit = sum(r.near(0.2 * r.torso).astype(int) for r in judged) if judged else np.zeros(18, int)
    absent = sum(int(r.absent.sum()) for r in rows)
    heads = sum(int((r.truth[:, 2] > 0).sum()) for r in headed)
    return {"people": len(rows), "judged": len(judged), "pck": float(hit.sum() / total.sum()) if total.sum() else None,
            "pckh": sum(int(r.near(0.5 * r.head).sum()) for r in headed) / heads if heads else None,
            "invented": sum(int((r.absent & (r.found[:, 2] > 0)).sum()) for r in rows) / absent if absent else None,
            "joints": {n: none(h / t) if t else None for n, h, t in zip(S.JOINTS, hit, total)}}


def match(truth: np.ndarray, areas: list[float], found: np.ndarray) -> list[np.ndarray]:
    """The found pose of each labelled one, zeros where there is none."""
    nobody = np.zeros((len(S.JOINTS), 3), np.float32)
    if len(truth) == 1:
        return [found[0] if len(found) else nobody]
    scores = np.array([[oks(t, f, a) for f in found] for t, a in zip(truth, areas)]).reshape(len(truth), len(found))
    out = [nobody] * len(truth)
    while scores.size and scores.max() > 0:
        i, j = np.unravel_index(int(scores.argmax()), scores.shape)
        out[i] = found[j]
        scores[i], scores[:, j] = -1, -1
    return out


def box_area(pose: np.ndarray) -> float:
    seen = pose[pose[:, 2] > 0, :2]
    return float(np.prod(np.maximum(np.ptp(seen, axis=0), 1))) if len(seen) else 1.0


def drawn(image: np.ndarray, poses: np.ndarray) -> np.ndarray:
    """The picture with the skeletons on it, made small: HxWx3 uint8."""
    scale = 480 / image.shape[0]
    out = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    for pose in poses:
        limbs = skeleton(pose * (scale, scale, 1), out.shape[:2])
        out = np.where(limbs.any(2, keepdims=True), limbs, out)
    return out
