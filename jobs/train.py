"""Train one network.

    python jobs/train.py parser --data ../cache/ccp --out runs/parser
    python jobs/train.py garment --data ../cache/garments --grounds ../cache/ccp --out runs/garment
    python jobs/train.py generator --data ../cache/ccp --out runs/generator --fit.lr 4e-4
    python jobs/train.py parser --data ../cache/ccp --out runs/parser --fit.steps 20 --fit.batch_size 4   # a smoke run

The same command resumes after a kill. Needs the extra: pip install -e '.[train]'
"""
import argparse
import dataclasses
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import torch

from tryon.sample import draw_garment, draw_person
from tryon.training.fit import FitConfig, fit


def build(args):
    """The training task of ``args.network``; drawn people and garments are mixed in, so that the networks know them."""
    if args.network == "generator":
        from tryon.training.generator import GeneratorTask
        return GeneratorTask(args.data)
    rng = np.random.default_rng(1)
    if args.network in ("parser", "pose"):
        drawn = [draw_person(rng, (512, 384), "half" if i % 3 == 0 else "full") for i in range(args.drawn)]
        if args.network == "parser":
            from tryon.training.parser import ParserTask
            return ParserTask(args.data, drawn)
        from tryon.training.pose import PoseTask
        return PoseTask(args.data, drawn)
    from tryon.datasets.garments import GarmentPhoto
    from tryon.training.garment import GarmentTask
    drawn = [draw_garment(rng, (448, 336)) for _ in range(args.drawn)]
    drawn = [GarmentPhoto(g.id, g.image, g.subcategory, "train", g.mask) for g in drawn]
    return GarmentTask(args.data, args.grounds, f"{args.out}/masks", drawn)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("network", choices=("parser", "pose", "garment", "generator"))
    parser.add_argument("--data", required=True, help="folder of the data set (CCP for people, garments for garments)")
    parser.add_argument("--grounds", help="garment only: a CCP folder whose street scenes serve as grounds")
    parser.add_argument("--drawn", type=int, default=300, help="people or garments drawn by the package to mix in (default 300)")
    parser.add_argument("--out", required=True, help="run folder: checkpoint, best weights, metrics")
    parser.add_argument("--init", help="start from these weights instead of ImageNet's (a .pt of the same network)")
    for field in dataclasses.fields(FitConfig):
        parser.add_argument(f"--fit.{field.name}", dest=field.name, default=None, help=f"default {field.default}")
    args = parser.parse_args()
    given = {f.name: type(f.default)(eval(getattr(args, f.name)) if isinstance(f.default, bool) else getattr(args, f.name))
             for f in dataclasses.fields(FitConfig) if getattr(args, f.name) is not None}
    torch.set_num_threads(2)
    task = build(args)
    if args.init:
        task.model.load_state_dict(torch.load(args.init, map_location="cpu", weights_only=True))
    best = fit(task, args.out, FitConfig(**given))
    print(" ".join(f"{k} {v:.4f}" for k, v in best.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
