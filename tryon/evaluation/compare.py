"""The generator beside its peers, and beside itself with a part left out: one row each, all trained from nothing with the same number of steps."""
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tryon.evaluation.look import DEFINITIONS as LOOK
from tryon.evaluation.look import SIZE, Evaluation
from tryon.report.sheet import Tile, sheet
from tryon.training.task import some


@dataclass(frozen=True)
class Row:
    """network: what is trained, by jobs/train.py with ``options``; generator and warp: how its looks are made."""

    network: str
    options: tuple[str, ...] = ()
    generator: str = "cgan"
    warp: str = "flow"


ROWS = {
    "cgan": Row("generator"),
    "pix2pix": Row("pix2pix", generator="pix2pix"),
    "vae": Row("vae", generator="vae"),
    "gmm-only": Row("gmm", generator="none", warp="gmm"),
    "cgan-no-attention": Row("generator", ("--no-attention",)),
    "cgan-no-adversarial": Row("generator", ("--loss", "adversarial=0")),
    "cgan-no-augmentation": Row("generator", ("--augment", "none")),
}
LR = 5e-4  # highest learning rate of every row
FIGURES = ("overlay", "ssim", "ssim_edit", "floor_edit", "perceptual", "fid_parser_paired", "fid_parser_unpaired", "colour", "cycle_overlay",
           "changed_outside", "refused", "pairs")
DEFINITIONS = {
    "rows": "each trains one network from nothing, on the train split, with the same number of steps and samples per step, the same learning rate and "
            "seed, and is judged with the averaged weights of its last step; all else is the same: parser, pose, garment and, but for gmm-only, the "
            "residual flow that fits garments",
    "gmm-only": "trains CP-VTON's matching module, which fits the tops; no generator: the photo alone tells what shows where the old garment was, and "
                "the new one is not lit",
    "cgan-no-attention": "the attention is left at the identity it starts as",
    "cgan-no-adversarial": "the weight of the adversarial loss is 0",
    "cgan-no-augmentation": "neither rotation and reflection nor changes of colour and light; crops and grounds vary as in all rows",
    "minutes": "spent in training steps, without the making of samples, on the machine that trained",
} | LOOK


def strip(evaluation: Evaluation, which: Callable[[dict], tuple]) -> np.ndarray:
    """Two pictures of the same few pairs, one below the other: those that ``which`` picks from a row's looks, grey where there is none."""
    nothing = np.full((*SIZE, 3), 127, np.uint8)
    shown = some(sorted(evaluation.rows, key=lambda row: row.kind))
    return np.vstack([picture if picture is not None else nothing for row in shown for picture in which(row.looks)])


def contact_sheet(strips: dict[str, np.ndarray]) -> np.ndarray:
    """The strips as columns, side by side: HxWx3 uint8."""
    return sheet([(name, Tile(picture)) for name, picture in strips.items()], width=1 << 20)


def table(rows: dict[str, dict]) -> str:
    """Markdown, one line per row; rows: name -> {"minutes", "look": the report of tryon.evaluation.look}."""
    cell = lambda v: "-" if v is None else str(v) if isinstance(v, int) else f"{v:.4f}"
    lines = [["", "minutes", *FIGURES], ["---"] * (2 + len(FIGURES))]
    for name, row in rows.items():
        figures = row["look"]["strata"]["all pairs"]
        lines.append([name, f"{row['minutes']:.1f}", *(cell(figures.get(key)) for key in FIGURES)])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
