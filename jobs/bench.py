"""How fast analyses, looks and sequences are on this machine, all in one run.

    python jobs/bench.py
    python jobs/bench.py --workers 1 --batch 8 --rounds 5 --out bench.json

On drawn photos (--size, as people send them), by --workers processes whose networks take one thread, as the job's actors are: milliseconds per person (parse map
and pose), per garment (mask, parts, landmarks, kind), each from the decoded photo to the finished analysis, the time of a batch of --batch by their
number, the best of --rounds; milliseconds per look from analyses at hand, a person with a garment: fitted, generated, composed and encoded, with the
encodings apart. Then, in one process: how many times faster the parser is than the classic U-Net (Ronneberger et al. 2015: 64 to 1024 channels) at
the same size and dtype; one person and one garment from photos to a JPEG, analysed side by side; and a sequence of 24 frames of a top at 384x512,
beside 24 stills of it. Run it on an idle machine, and compare within a run.
"""
import argparse
import json
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import cv2
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from tryon import images
from tryon import schema as S
from tryon.api import TryOn
from tryon.networks import PARSER_AREA, working_size
from tryon.sample import draw_garment, draw_person


class ClassicUNet(nn.Module):
    """Ronneberger et al. 2015 (https://arxiv.org/abs/1505.04597) with padded convolutions and batch norm: B3HW -> B x classes x H x W."""

    def __init__(self, classes: int, width: int = 64):
        super().__init__()
        double = lambda a, b: nn.Sequential(nn.Conv2d(a, b, 3, padding=1), nn.BatchNorm2d(b), nn.ReLU(), nn.Conv2d(b, b, 3, padding=1), nn.BatchNorm2d(b), nn.ReLU())
        widths = [width << i for i in range(5)]
        self.down = nn.ModuleList(double(a, b) for a, b in zip((3, *widths), widths))
        self.grow = nn.ModuleList(nn.ConvTranspose2d(b, b // 2, 2, 2) for b in widths[:0:-1])
        self.up = nn.ModuleList(double(b, b // 2) for b in widths[:0:-1])
        self.head = nn.Conv2d(width, classes, 1)

    def forward(self, x):
        skips = []
        for i, block in enumerate(self.down):
            x = block(F.max_pool2d(x, 2) if i else x)
            skips.append(x)
        for grow, block, skip in zip(self.grow, self.up, skips[-2::-1]):
            x = block(torch.cat((skip, grow(x)), 1))
        return self.head(x)


class Bench:
    """Drawn photos, ``batch`` of people and of garments, of h, w pixels, the package's networks, and what is measured of number i of them."""

    def __init__(self, batch: int, size: tuple[int, int]):
        torch.set_num_threads(1)
        cv2.setNumThreads(0)
        rng = np.random.default_rng(0)
        self.tryon = TryOn.load("cpu")
        self.people = [draw_person(rng, size, "half" if i % 2 else "full").image for i in range(batch)]
        self.garments = [draw_garment(rng, size, k).image for i, k in zip(range(batch), batch * ("top", "trousers", "dress", "jacket"))]
        self.analysed = [(self.tryon.person(p), self.tryon.garment(g)) for p, g in zip(self.people, self.garments)]
        self.pictures = [self.tryon.render(*pair).image for pair in self.analysed]
        self.tasks = {
            "person": lambda i: self.tryon.person(self.people[i]),
            "garment": lambda i: self.tryon.garment(self.garments[i]),
            "look, with JPEG": lambda i: images.encode(self.tryon.render(*self.analysed[i]).image, "jpeg"),
            "JPEG alone": lambda i: images.encode(self.pictures[i], "jpeg"),
            "lossless WebP alone": lambda i: images.encode(self.pictures[i], "webp"),
        }


def begin(batch: int, size: tuple[int, int], together: Barrier | None = None) -> None:
    """Makes the ``Bench`` of a process; those that work ``together`` begin when all have one."""
    global bench
    bench = Bench(batch, size)
    if together:
        together.wait()


def task(name: str, i: int) -> None:
    bench.tasks[name](i)


def milliseconds(do: Callable[[], None], count: int, rounds: int) -> float:
    """Of one of ``count`` things that ``do`` does, the best of ``rounds``."""
    do()
    best = np.inf
    for _ in range(rounds):
        start = time.perf_counter()
        do()
        best = min(best, time.perf_counter() - start)
    return 1000 * best / count


def main(argv: list[str] | None = None) -> int:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False)
    p.add_argument("--workers", type=int, default=2, metavar="N", help="processes that share a batch (default: 2)")
    p.add_argument("--batch", type=int, default=8, metavar="N", help="pictures of a batch (default: 8)")
    p.add_argument("--rounds", type=int, default=3, metavar="N", help="the best of so many (default: 3)")
    p.add_argument("--size", default="768x1024", metavar="WxH", help="of the photos (default: 768x1024)")
    p.add_argument("--out", metavar="FILE.json", help="also write the figures there")
    args = p.parse_args(argv)
    w, h = (int(v) for v in args.size.split("x"))
    begin(args.batch, (h, w))
    tryon, pair = bench.tryon, (bench.people[0], bench.garments[0])
    context, workers = get_context("spawn"), min(args.workers, args.batch)
    with ProcessPoolExecutor(workers, context, begin, (args.batch, (h, w), context.Barrier(workers))) as pool:
        shared = lambda name: milliseconds(lambda: list(pool.map(task, repeat(name), range(args.batch))), args.batch, args.rounds)
        figures = {name: shared(name) for name in bench.tasks}
    parser, classic = tryon.networks.nets["parser"], ClassicUNet(len(S.PARSE_CLASSES)).eval().to(memory_format=torch.channels_last)
    size, dtype = working_size((h, w), PARSER_AREA), next(parser.parameters()).dtype
    classic = classic.to(dtype)
    x = (torch.rand(1, 3, *size) * 255).to(dtype).contiguous(memory_format=torch.channels_last)
    alone = lambda do, times=1: times * milliseconds(do, 1, args.rounds)
    with torch.inference_mode():
        figures |= {"parser network, one thread": alone(lambda: parser(x)), "classic U-Net, one thread": alone(lambda: classic(x))}
    rng = np.random.default_rng(0)
    small = tryon.person(draw_person(rng, (512, 384), "full").image), tryon.garment(draw_garment(rng, (512, 384), "top").image)
    figures |= {
        "two photos to a JPEG": alone(lambda: images.encode(tryon.render(*pair).image, "jpeg")),
        "sequence, 24 frames": alone(lambda: tryon.dress(*small, frames=24)),
        "24 stills": alone(lambda: tryon.render(*small), 24),
        "parser times faster": figures["classic U-Net, one thread"] / figures["parser network, one thread"],
    }
    print(f"{workers} processes, batches of {args.batch}, photos of {args.size}, parser at {size[1]}x{size[0]}, {str(dtype).removeprefix('torch.')}; milliseconds each")
    print("\n".join(f"{name:<30}{value:9.1f}" for name, value in figures.items()))
    if args.out:
        Path(args.out).write_text(json.dumps({"workers": workers, "batch": args.batch, "size": args.size} | figures, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
