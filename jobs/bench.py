"""How fast analyses, looks and sequences are on this machine, all in one run.

    python jobs/bench.py
    python jobs/bench.py --threads 1 --batch 8 --rounds 5 --out bench.json

On drawn photos (--size, as people send them): milliseconds per person (parse map and pose), per garment (mask, parts, landmarks, kind), each
from the decoded photo to the finished analysis, in batches of --batch, the best of --rounds; and how many times faster the parser is than the
classic U-Net (Ronneberger et al. 2015: 64 to 1024 channels) at the same size and dtype. Then milliseconds per look from analyses at hand, a
person with a garment: fitted, generated, composed and encoded, with the encodings apart; of one person and one garment from photos to a JPEG,
one after the other; and of a sequence of 24 frames of a top at 384x512, beside 24 stills of it. Run it on an idle machine, and compare within a run.
"""
import argparse
import json
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import cv2
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from tryon import garment, images, person
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
    p.add_argument("--threads", type=int, default=2, metavar="N", help="pictures worked on at the same time, one thread each (default: 2)")
    p.add_argument("--batch", type=int, default=8, metavar="N", help="pictures of a batch (default: 8)")
    p.add_argument("--rounds", type=int, default=3, metavar="N", help="the best of so many (default: 3)")
    p.add_argument("--size", default="768x1024", metavar="WxH", help="of the person photos (default: 768x1024)")
    p.add_argument("--out", metavar="FILE.json", help="also write the figures there")
    args = p.parse_args(argv)
    torch.set_num_threads(1)
    cv2.setNumThreads(0)
    w, h = (int(v) for v in args.size.split("x"))
    tryon, rng = TryOn.load("cpu"), np.random.default_rng(0)
    networks = tryon.networks
    people = [draw_person(rng, (h, w), "half" if i % 2 else "full").image for i in range(args.batch)]
    garments = [draw_garment(rng, (h, w), k).image for i, k in zip(range(args.batch), 3 * ("top", "trousers", "dress", "jacket"))]
    parser, classic = networks.nets["parser"], ClassicUNet(len(S.PARSE_CLASSES)).eval().to(memory_format=torch.channels_last)
    size, dtype = working_size((h, w), PARSER_AREA), next(parser.parameters()).dtype
    classic = classic.to(dtype)
    x = (torch.rand(1, 3, *size) * 255).to(dtype).contiguous(memory_format=torch.channels_last)
    with ThreadPoolExecutor(args.threads) as pool, torch.inference_mode():
        alone = lambda net: milliseconds(lambda: net(x), 1, args.rounds)
        figures = {
            "person": milliseconds(lambda: list(pool.map(lambda i: person.analyse(networks, i), people)), args.batch, args.rounds),
            "garment": milliseconds(lambda: list(pool.map(lambda i: garment.analyse_upright(networks, i), garments)), args.batch, args.rounds),
            "parser network, one thread": alone(parser),
            "classic U-Net, one thread": alone(classic),
        }
        analysed = list(zip((tryon.person(p) for p in people), (tryon.garment(g) for g in garments)))
        pictures = [tryon.render(*pair).image for pair in analysed]
        small = draw_person(rng, (512, 384), "full").image, draw_garment(rng, (512, 384), "top").image
        still = lambda: tryon.render(*pair)
        whole = lambda pair: images.encode(tryon.render(*pair).image, "jpeg")
        each = lambda do, of: milliseconds(lambda: list(pool.map(do, of)), len(of), args.rounds)
        figures |= {
            "look, with JPEG": each(whole, analysed),
            "JPEG alone": each(lambda picture: images.encode(picture, "jpeg"), pictures),
            "lossless WebP alone": each(lambda picture: images.encode(picture, "webp"), pictures),
            "two photos to a JPEG": milliseconds(lambda: whole((people[0], garments[0])), 1, args.rounds),
        }
        pair = tryon.person(small[0]), tryon.garment(small[1])
        figures |= {"sequence, 24 frames": milliseconds(lambda: tryon.dress(*pair, frames=24), 1, args.rounds), "24 stills": 24 * milliseconds(still, 1, args.rounds)}
    figures["parser times faster"] = figures["classic U-Net, one thread"] / figures["parser network, one thread"]
    print(f"{args.threads} threads, batches of {args.batch}, photos of {args.size}, parser at {size[1]}x{size[0]}, {str(dtype).removeprefix('torch.')}; milliseconds each")
    print("\n".join(f"{name:<30}{value:9.1f}" for name, value in figures.items()))
    if args.out:
        Path(args.out).write_text(json.dumps({"threads": args.threads, "batch": args.batch, "size": args.size} | figures, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
