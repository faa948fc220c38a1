"""Dressing sequences of raw photos, as the product makes them, against the laws they must keep (tryon/metrics/dressing.py)."""
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from tryon import garment as garment_module
from tryon import images, person, sample
from tryon.api import TryOn, generate
from tryon.check import covered
from tryon.datasets.sample import LIMITS, DatasetError
from tryon.datasets.source import PICTURES, Source, stem
from tryon.datasets.split import split_of
from tryon.dressing.sequence import dress
from tryon.evaluation.look import small
from tryon.metrics import dressing
from tryon.metrics.pictures import FrechetDistance
from tryon.report.sheet import Tile
from tryon.schema import RowError
from tryon.storage import Storage
from tryon.warp import place

HEIGHT = 512  # pixels of the photos judged
STRIP = 10  # frames of a film strip
DEFINITIONS = {
    "looks": "a person and a product photo drawn at random, kinds of garment evenly; refused: those that the product does not render"
} | dressing.DEFINITIONS | {
    "frame_score": "confidence of the parse map that the parser finds in the picture (tryon.person.sureness), mean over every fourth frame on the way; "
                   "frame_score_least: the least of those; photo_score: of the photo, still_score: of the still",
    "fid_parser": "Frechet distance of 320 pooled features of this package's parser encoder between the photos and the middle frames (not Inception: "
                  "not to be compared with a FID); fid_parser_still: between the photos and the stills",
}
# What a sequence must keep to at 24 frames: figure -> (least, most).
LAWS = {"first_exact": (1, 1), "last_exact": (1, 1), "changed_outside": (0, 0), "coverage_drop": (0, 0.01), "area_jump": (0, 0.15),
        "travelling": (0.25, 1), "flow_ssim": (0.85, 1), "flow_ssim_least": (0.85, 1), "flow_known": (0.6, 1), "no_mixture": (0.1, 1)}
DEFINITIONS["lawful"] = "share of sequences that keep to every one of: " + ", ".join(f"{k} {a}-{b}" for k, (a, b) in LAWS.items())


@dataclass
class Case:
    id: str
    person: np.ndarray  # HxWx3 uint8
    product: np.ndarray
    subcategory: str = ""  # "" when it has to be found


@dataclass
class Row:
    id: str
    kind: str
    refused: str
    figures: dict[str, float]
    pictures: dict[str, np.ndarray]
    tile: Tile


def cases(data: str, products: str, split: str, storage: Storage, seed: int = 0) -> Iterator[Case]:
    """People of the folder ``data`` and products of the folder ``products``, each in random order, again and again; for ``data`` "sample", what the
    built-in store draws."""
    rng = np.random.default_rng(seed)
    if data == "sample":
        people = [(p.id, lambda p=p: p.image) for p in sample.people(0, (HEIGHT, 384))]
        goods = [(g.id, lambda g=g: g.image, g.subcategory) for g in sample.garments(0, (HEIGHT, 384))]
    else:
        read = lambda uri: images.fit_height(images.decode(storage.read(uri), LIMITS), HEIGHT)
        people, goods = ([(stem(n), lambda uri=source.uri(n): read(uri)) for n in sorted(source.files("", PICTURES))
                          if split == "all" or split_of(f"{prefix}/{stem(n)}") == split]
                         for prefix, source in (("ccp", Source.at(data, storage=storage)), ("garments", Source.at(products, storage=storage))))
        goods = [(*g, "") for g in goods]
        if not people or not goods:
            raise DatasetError(f"there is no photo of the split {split} in {data if not people else products}")
    rng.shuffle(people)
    for n in range(4 * len(goods)):
        if n % len(goods) == 0:
            rng.shuffle(goods)
        (who, photo), (what, product, kind) = people[n % len(people)], goods[n % len(goods)]
        yield Case(f"{who} {what}", photo(), product(), kind)


class Evaluation:
    """``add`` cases, then ``report``. Of a kind of garment no more than ``each`` are taken."""

    networks, wants = ("parser", "pose", "garment"), "a person and a product that go together"

    def __init__(self, networks, warp: str = "flow", under: str = "over", frames: int = 24, each: int = 4):
        self.tryon, self.under, self.frames, self.each = TryOn(networks, warp), under, frames, each
        self.rows, self.taken, self.people, self.distance = [], Counter(), {}, FrechetDistance(networks.features())

    def add(self, case: Case) -> bool:
        """Whether the case was taken."""
        try:
            garment = garment_module.analyse_upright(self.tryon.networks, case.product, subcategory=case.subcategory or None)
            kind = garment.subcategory
            if self.taken[kind] >= self.each:
                return False
            who = case.id.split()[0]
            if who not in self.people:
                self.people[who] = self.tryon.person(case.person)
            wearer = self.people[who]
            placed = place(self.tryon.networks, wearer, garment, self.tryon.warp, self.tryon.tuck)
            still = generate(self.tryon.networks, wearer, [garment], [placed])
            sequence = dress(self.tryon.networks, wearer, [garment], [placed], self.frames, self.under)
        except RowError as e:
            self.rows.append(Row(case.id, case.subcategory or "refused", e.reason, {}, {}, Tile.of([case.person, case.product])))
            return False
        self.taken[kind] += 1
        area = np.any(covered(placed, garment), 0).mean() * case.person.shape[0] * case.person.shape[1]
        figures = dressing.laws(sequence, case.person, still.image, wearer.body.unit, area)
        figures["lawful"] = float(all(a <= figures[k] <= b for k, (a, b) in LAWS.items()))
        score = lambda picture: person.parse(self.tryon.networks, picture)[1]
        scores = [score(f) for f in sequence.frames[3:-1:4]]
        figures |= {"frame_score": float(np.mean(scores)), "frame_score_least": min(scores), "photo_score": score(case.person),
                    "still_score": score(still.image)}
        middle = sequence.frames[self.frames // 2]
        shown = [sequence.frames[k] for k in np.rint(np.linspace(0, self.frames - 1, STRIP)).astype(int)]
        pictures = {"photo": small(case.person), "middle": small(middle), "still": small(still.image)}
        self.rows.append(Row(case.id, kind, "", figures, pictures, Tile.of(shown, 380)))
        return True

    def report(self) -> dict:
        made = [r for r in self.rows if not r.refused]
        groups = {"all": self.rows} | {kind: [r for r in made if r.kind == kind] for kind in sorted({r.kind for r in made})}
        return {"strata": {name: self.summary(rows) for name, rows in groups.items()},
                "rows": [{"id": r.id, "kind": r.kind, "refused": r.refused} | r.figures for r in self.rows]}

    def summary(self, rows: list[Row]) -> dict:
        made = [r for r in rows if not r.refused]
        out = {"looks": len(rows), "refused": len(rows) - len(made)}
        worst = {"coverage_drop": max, "area_jump": max, "area_jump_seen": max, "changed_outside": max, "travelling": min, "no_mixture": min, "flow_ssim_least": min,
                 "frame_score_least": min}
        out |= {k: worst.get(k, lambda v: float(np.mean(v)))([r.figures[k] for r in made]) for k in (made[0].figures if made else ())}
        with torch.no_grad():
            for name, which in (("fid_parser", "middle"), ("fid_parser_still", "still")):
                out[name] = self.distance([r.pictures["photo"] for r in made], [r.pictures[which] for r in made]) if len(made) >= 8 else None
        return out

    def sheet_cases(self) -> dict[str, list[tuple[str, Tile]]]:
        """Film strips, by kind of garment."""
        made = [r for r in self.rows if not r.refused]
        caption = lambda r: f"{r.id} " + " ".join(k for k, (a, b) in LAWS.items() if not a <= r.figures[k] <= b)
        return {kind: [(caption(r), r.tile) for r in made if r.kind == kind] for kind in sorted({r.kind for r in made})}
