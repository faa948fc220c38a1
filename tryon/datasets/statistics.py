"""What is in a set of samples: counted one sample at a time, given as JSON and as a table."""
from collections import Counter

import numpy as np

from tryon import schema as S
from tryon.datasets.sample import IGNORE, Rejected, Sample
from tryon.datasets.shards import SPLITS

COMMONEST = 10  # sizes of photos that are listed


class Statistics:
    """``add`` every sample that goes in, ``reject`` every other one; ``report`` at any time."""

    def __init__(self):
        self.samples, self.people, self.products, self.rejected = Counter(), Counter(), Counter(), Counter()
        self.pixels = {s: np.zeros(256, np.int64) for s in SPLITS}
        self.joints = {s: np.zeros(len(S.JOINTS), np.int64) for s in SPLITS}
        self.garments = {s: Counter() for s in SPLITS}
        self.sizes = {s: Counter() for s in SPLITS}
        self.have = {s: Counter() for s in SPLITS}
        self.details: list[Rejected] = []

    def add(self, sample: Sample, size: tuple[int, int]) -> None:
        """``size``: (H, W) of the photo."""
        s = sample.split
        self.samples[s] += 1
        self.sizes[s][f"{size[1]}x{size[0]}"] += 1
        if sample.parse is not None:
            self.pixels[s] += np.bincount(sample.parse.ravel(), minlength=256)
        if sample.pose is not None:
            seen = sample.pose[..., 2] > 0
            self.people[s] += len(seen)
            self.joints[s] += seen.sum(0)
        self.garments[s].update(f"{g.category or 'unknown'}/{g.subcategory or 'unknown'}" for g in sample.garments)
        if sample.product is not None:
            self.products[s] += sample.product.paired
        present = {"parse": sample.parse is not None, "pose": sample.pose is not None, "person masks": any(m is not None for m in sample.masks),
                   "garment masks": any(g.mask is not None for g in sample.garments), "landmarks": any(g.landmarks for g in sample.garments),
                   "product": sample.product is not None, "classes only": sample.classes is not None}
        self.have[s].update(k for k, v in present.items() if v)

    def reject(self, rejected: Rejected) -> None:
        self.rejected[rejected.reason] += 1
        self.details.append(rejected)

    def report(self) -> dict:
        """Counts per split; shares are of 1. ``joints_visible`` is the share of people with that joint, ``class_pixels`` of judged pixels."""
        out = {"samples": {s: self.samples[s] for s in SPLITS}, "rejected": dict(sorted(self.rejected.items()))}
        for s in SPLITS:
            judged = int(self.pixels[s][:IGNORE].sum())
            sizes = self.sizes[s].most_common(COMMONEST)
            out[s] = {
                "have": dict(sorted(self.have[s].items())),
                "people": self.people[s],
                "joints_visible": {n: round(float(v) / max(self.people[s], 1), 4) for n, v in zip(S.JOINTS, self.joints[s], strict=True)},
                "class_pixels": {n: round(float(v) / max(judged, 1), 6) for n, v in zip(S.PARSE_CLASSES, self.pixels[s], strict=False)},
                "ignored_pixels": round(float(self.pixels[s][IGNORE]) / max(judged + int(self.pixels[s][IGNORE]), 1), 6),
                "garments": dict(sorted(self.garments[s].items())),
                "paired_products": self.products[s],
                "image_sizes": dict(sizes) | ({"other": self.samples[s] - sum(n for _, n in sizes)} if len(self.sizes[s]) > COMMONEST else {}),
            }
        return out


def table(report: dict) -> str:
    """A report as text, one column per split; rows of which nothing is there are left out."""
    rows = [("samples", *(report["samples"][s] for s in SPLITS))]
    keys = lambda part: dict.fromkeys(k for s in SPLITS for k in report[s][part])
    rows += [(f"with {k}", *(report[s]["have"].get(k, 0) for s in SPLITS)) for k in sorted(keys("have"))]
    rows += [("people", *(report[s]["people"] for s in SPLITS)), ("paired products", *(report[s]["paired_products"] for s in SPLITS))]
    rows += [(f"garment {k}", *(report[s]["garments"].get(k, 0) for s in SPLITS)) for k in sorted(keys("garments"))]
    for name, part in (("pixels", "class_pixels"), ("joint", "joints_visible")):
        rows += [(f"{name} {k}", *(_percent(report[s][part][k]) for s in SPLITS)) for k in keys(part)]
    rows.append(("pixels ignored", *(_percent(report[s]["ignored_pixels"]) for s in SPLITS)))
    rows += [(f"size {k}", *(report[s]["image_sizes"].get(k, 0) for s in SPLITS)) for k in list(keys("image_sizes"))[:5]]
    rows = [r for r in rows if r[0] == "samples" or any(v not in (0, "0.0 %") for v in r[1:])]
    width = max(len(r[0]) for r in rows)
    lines = [" " * width + "".join(f"{s:>10}" for s in SPLITS)]
    lines += [f"{r[0]:<{width}}" + "".join(f"{v:>10}" for v in r[1:]) for r in rows]
    lines += [f"left out, {reason}: {n}" for reason, n in report["rejected"].items()]
    return "\n".join(lines)


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
