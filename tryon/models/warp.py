"""Residual flow: what geometry alone misjudges of a placed garment's outline, corrected coarse to fine (in the manner of PF-AFN, Ge et al. 2021,
https://arxiv.org/abs/2103.04559, but on shapes alone: nothing it learns depends on what cloth looks like).

Shape legend: B batch, P parts (torso, right and left sleeve or leg), C channels, H and W height and width.
"""
import torch
from torch import nn
from torch.nn import functional as F

SIZE = (128, 96)  # H, W of what it sees
PARTS = ("torso", "right", "left")
# What it sees, in channel order: the placed parts (3), the skeleton (3), head and hair (1), all 0..1.
SHAPES = len(PARTS) + 3 + 1
REACH = 0.08  # heights of the picture by which one level may move a garment
TURN, MOVE = 0.6, 0.15  # how much of it the affine map of a part may add to scale and turn, and heights of the picture by which it may move it


class Residual(nn.Module):
    """Shapes B x SHAPES x SIZE -> flows of the levels, coarse to fine, each B x 2P x h x w in heights of the picture: part p shows at x what lies
    at x + flow there. First comes an affine map of each part about its middle, then what is left is corrected level by level. Begins as no
    flow at all."""

    def __init__(self, widths: tuple[int, ...] = (24, 40, 64, 96)):
        super().__init__()
        last = 2 ** len(widths)
        self.regress = nn.Sequential(nn.Conv2d(widths[-1], 48, 3, 1, 1), nn.GroupNorm(8, 48), nn.SiLU(), nn.Flatten(),
                                     nn.Linear(48 * (SIZE[0] // last) * (SIZE[1] // last), 96), nn.SiLU(), nn.Dropout(0.2), nn.Linear(96, 6 * len(PARTS)))
        block = lambda a, b, s: nn.Sequential(nn.Conv2d(a, b, 3, s, 1), nn.GroupNorm(8, b), nn.SiLU(), nn.Conv2d(b, b, 3, 1, 1), nn.GroupNorm(8, b), nn.SiLU())
        self.down = nn.ModuleList(block(a, b, 2) for a, b in zip((SHAPES, *widths), widths))
        self.join = nn.ModuleList(block(skip + deeper + SHAPES, skip, 1) for skip, deeper in zip(widths[:0:-1], (0, *widths[:1:-1])))
        self.head = nn.ModuleList(nn.Conv2d(w, 2 * len(PARTS), 3, 1, 1) for w in widths[:0:-1])
        for head in (*self.head, self.regress[-1]):
            nn.init.zeros_(head.weight)
            nn.init.zeros_(head.bias)

    def forward(self, x_BCHW):
        features, y = [], x_BCHW
        for block in self.down:
            y = block(y)
            features.append(y)
        maps, middle = self.regress(y).float().tanh().unflatten(1, (len(PARTS), 2, 3)), centres(x_BCHW[:, :len(PARTS)])
        rest, deeper = None, None
        flows = [affine(maps, middle, features[-1].shape[-2:])]
        for join, head, skip in zip(self.join, self.head, features[:0:-1]):
            size = skip.shape[-2:]
            shapes, whole = F.interpolate(x_BCHW, size=size, mode="area"), affine(maps, middle, size)
            if rest is not None:
                rest = F.interpolate(rest, size=size, mode="bilinear", align_corners=False)
                deeper = F.interpolate(deeper, size=size, mode="nearest")
            shapes = torch.cat((moved(shapes[:, :len(PARTS)], whole if rest is None else whole + rest), shapes[:, len(PARTS):]), 1)
            deeper = join(torch.cat([t for t in (skip, deeper, shapes) if t is not None], 1))
            step = REACH * head(deeper).float().tanh()
            rest = step if rest is None else rest + step
            flows.append(whole + rest)
        return flows


def places(size: tuple[int, int], device) -> torch.Tensor:
    """2 x h x w: x and y of the cells' middles in heights of the picture."""
    h, w = size
    y, x = torch.meshgrid(torch.arange(h, device=device) + 0.5, torch.arange(w, device=device) + 0.5, indexing="ij")
    return torch.stack((x, y)) / h


def centres(parts_BPHW: torch.Tensor) -> torch.Tensor:
    """Centre of gravity of each part, B x P x 2, in heights of the picture; the middle of the picture for a part that is not there."""
    at, weight = places(parts_BPHW.shape[-2:], parts_BPHW.device), parts_BPHW.float() + 1e-4
    return torch.einsum("bphw,chw->bpc", weight, at) / weight.sum((-2, -1))[..., None]


def affine(maps_BP23: torch.Tensor, middle_BP2: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """The flow B x 2P x h x w of an affine map of each part about its middle; maps in -1..1, 0 does nothing."""
    away = places(size, maps_BP23.device)[None, None] - middle_BP2[..., None, None]
    flow = TURN * torch.einsum("bpij,bpjhw->bpihw", maps_BP23[..., :2], away) + MOVE * maps_BP23[..., 2, None, None]
    return flow.flatten(1, 2)


def moved(parts_BPHW: torch.Tensor, flow: torch.Tensor) -> torch.Tensor:
    """The parts as their flows (B x 2P x H x W, heights of the picture) show them."""
    b, p, h, w = parts_BPHW.shape
    y, x = torch.meshgrid(torch.arange(h, device=flow.device) + 0.5, torch.arange(w, device=flow.device) + 0.5, indexing="ij")
    grid = torch.stack((x * 2 / w - 1, y * 2 / h - 1), -1)  # corners of the picture are -1 and 1
    step = flow.reshape(b * p, 2, h, w).permute(0, 2, 3, 1) * torch.tensor((2 * h / w, 2.0), device=flow.device)
    return F.grid_sample(parts_BPHW.reshape(b * p, 1, h, w).float(), grid + step, mode="bilinear", align_corners=False).reshape(b, p, h, w)
