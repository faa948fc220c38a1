"""Residual flow: what geometry alone misjudges of a placed garment's outline, corrected coarse to fine (in the manner of PF-AFN, Ge et al. 2021,
https://arxiv.org/abs/2103.04559, but on shapes alone: nothing it learns depends on what cloth looks like).

Shape legend: B batch, P parts (torso, right and left sleeve or leg), C channels, H and W height and width.
"""
import torch
from torch import nn
from torch.nn import functional as F

PARTS = ("torso", "right", "left")
# What it sees, in channel order: the placed parts (3), the skeleton (3), head and hair (1), a blurred silhouette of the person (1), all 0..1.
SHAPES = len(PARTS) + 3 + 1 + 1
REACH = 0.12  # heights of the picture by which one level may move a garment


class Residual(nn.Module):
    """Shapes B x SHAPES x H x W (H and W multiples of 16) -> flows of the levels, coarse to fine, each B x 2P x h x w in heights of the picture:
    part p shows at x what lies at x + flow there. Begins as no flow at all."""

    def __init__(self, widths: tuple[int, ...] = (24, 40, 64, 96)):
        super().__init__()
        block = lambda a, b, s: nn.Sequential(nn.Conv2d(a, b, 3, s, 1), nn.GroupNorm(8, b), nn.SiLU(), nn.Conv2d(b, b, 3, 1, 1), nn.GroupNorm(8, b), nn.SiLU())
        self.down = nn.ModuleList(block(a, b, 2) for a, b in zip((SHAPES, *widths), widths))
        self.join = nn.ModuleList(block(skip + deeper + SHAPES, skip, 1) for skip, deeper in zip(widths[:0:-1], (0, *widths[:1:-1])))
        self.head = nn.ModuleList(nn.Conv2d(w, 2 * len(PARTS), 3, 1, 1) for w in widths[:0:-1])
        for head in self.head:
            nn.init.zeros_(head.weight)
            nn.init.zeros_(head.bias)

    def forward(self, x_BCHW):
        features, y = [], x_BCHW
        for block in self.down:
            y = block(y)
            features.append(y)
        flow, flows, deeper = None, [], None
        for join, head, skip in zip(self.join, self.head, features[:0:-1]):
            size = skip.shape[-2:]
            shapes = F.interpolate(x_BCHW, size=size, mode="area")
            if flow is not None:
                flow = F.interpolate(flow, size=size, mode="bilinear", align_corners=False)
                shapes = torch.cat((moved(shapes[:, :len(PARTS)], flow), shapes[:, len(PARTS):]), 1)
                deeper = F.interpolate(deeper, size=size, mode="nearest")
            deeper = join(torch.cat([t for t in (skip, deeper, shapes) if t is not None], 1))
            step = REACH * head(deeper).float().tanh()
            flow = step if flow is None else flow + step
            flows.append(flow)
        return flows


def moved(parts_BPHW: torch.Tensor, flow: torch.Tensor) -> torch.Tensor:
    """The parts as their flows (B x 2P x H x W, heights of the picture) show them."""
    b, p, h, w = parts_BPHW.shape
    y, x = torch.meshgrid(torch.arange(h, device=flow.device) + 0.5, torch.arange(w, device=flow.device) + 0.5, indexing="ij")
    grid = torch.stack((x * 2 / w - 1, y * 2 / h - 1), -1)  # corners of the picture are -1 and 1
    step = flow.reshape(b * p, 2, h, w).permute(0, 2, 3, 1) * torch.tensor((2 * h / w, 2.0), device=flow.device)
    return F.grid_sample(parts_BPHW.reshape(b * p, 1, h, w).float(), grid + step, mode="bilinear", align_corners=False).reshape(b, p, h, w)
