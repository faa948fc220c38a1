"""Random looks over raw photos, to be judged by eye.

    python jobs/report.py looks --people ../cache/ccp/image --garments ../cache/garments/image --looks 100 --seed 1 --out report/looks

Draws people and product photos at random (the same for the same --seed), renders each look as the product does from the raw photos, and
writes OUT/NNN.png, contact sheets OUT/sheet-NN.png (person, product, look, a dozen to a sheet) and OUT/looks.jsonl with score and reasons.
--split takes only photos whose name falls into val or test of the data sets they come from: those of test no shipped network was trained on, those of val
the parser alone.

Exit status: 0 when looks were rendered, 1 when none was, 2 for bad usage or a folder that cannot be used.
"""
import argparse
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np

from tryon import images
from tryon.api import TryOn
from tryon.config import GENERATORS, WARPS
from tryon.datasets.sample import LIMITS, DatasetError
from tryon.datasets.source import PICTURES, Source, stem
from tryon.datasets.split import split_of
from tryon.leave import leave
from tryon.progress import Progress
from tryon.report.sheet import Tile, sheet
from tryon.schema import RowError
from tryon.storage import Storage, StorageError, absolute, join

PER_SHEET = 12


def main(argv: list[str] | None = None) -> int:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False)
    p.add_argument("what", choices=("looks",))
    p.add_argument("--people", required=True, metavar="URI", help="folder of photos of people, local or s3://")
    p.add_argument("--garments", required=True, metavar="URI", help="folder of product photos")
    p.add_argument("--looks", type=int, default=100, metavar="N", help="how many (default: 100)")
    p.add_argument("--seed", type=int, default=0, metavar="S", help="of the draw (default: 0)")
    p.add_argument("--split", default="all", choices=("all", "val", "test"), help="of the names ccp/NAME and garments/NAME (default: all)")
    p.add_argument("--warp", default="flow", choices=WARPS, help="how garments are fitted (default: flow)")
    p.add_argument("--generator", default="cgan", choices=GENERATORS, help="what paints (default: cgan)")
    p.add_argument("--weights", default="", metavar="FOLDER", help="weights (default: the package's)")
    p.add_argument("--out", required=True, metavar="URI", help="folder of the pictures")
    args = p.parse_args(argv)
    try:
        return run(args)
    except (DatasetError, StorageError, FileNotFoundError) as e:
        print(f"error: {' '.join(str(e).split())}", file=sys.stderr)
        return 2


def photos(uri: str, prefix: str, split: str) -> list[str]:
    source = Source.at(uri)
    names = sorted(n for n in source.files("", PICTURES) if split == "all" or split_of(f"{prefix}/{stem(n)}") == split)
    if not names:
        raise DatasetError(f"there is no photo ({', '.join(PICTURES)}) of the split {split} in {source.root}")
    return [source.uri(n) for n in names]


def run(args) -> int:
    out, storage = absolute(args.out), Storage()
    people, garments = photos(args.people, "ccp", args.split), photos(args.garments, "garments", args.split)
    storage.check(out)
    rng, tryon = np.random.default_rng(args.seed), TryOn.load(weights=args.weights, warp=args.warp, generator=args.generator)
    rows, tiles, progress = [], [], Progress("rendered", args.looks)
    for n in range(args.looks):
        row = {"look": n, "person": people[rng.integers(len(people))], "garment": garments[rng.integers(len(garments))]}
        progress.count()
        try:
            person, product = (images.fit_height(images.decode(storage.read(row[k]), LIMITS), 2048) for k in ("person", "garment"))
            garment = tryon.garment(product)
            look = tryon.render(person, garment)
            row |= {"kind": garment.subcategory, "score": round(look.score, 3), "reasons": look.reasons, "reason": ""}
            storage.write(join(out, f"{n:03}.png"), images.encode(look.image, "png"))
            tiles.append((f"{n} {garment.subcategory} {look.score:.2f} {' '.join(look.reasons)}", Tile.of((person, product, look.image), 420)))
        except RowError as e:
            row |= {"reason": e.reason, "detail": e.detail}
        rows.append(row)
    for k in range(0, len(tiles), PER_SHEET):
        storage.write(join(out, f"sheet-{k // PER_SHEET:02}.png"), images.encode(sheet(tiles[k:k + PER_SHEET]), "png"))
    storage.write(join(out, "looks.jsonl"), "".join(json.dumps(r) + "\n" for r in rows).encode())
    print(f"{len(tiles)} of {args.looks} looks rendered: {out}")
    return 0 if tiles else 1


if __name__ == "__main__":
    leave(main())
