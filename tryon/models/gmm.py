"""Geometric matching module of CP-VTON (Wang et al. 2018, https://arxiv.org/abs/1807.07688): features of person and product are correlated, and a
thin-plate spline on a 5x5 grid is regressed from that. The baseline that the fit is compared with.

Shape legend: B batch, C channels, H and W height and width.
"""
import torch
from torch import nn
from torch.nn import functional as F

from tryon.models.warp import PARTS, SHAPES, SIZE

GRID = 5  # control points along each side
PERSON, PRODUCT = SHAPES - len(PARTS), len(PARTS)  # skeleton and head; the parts of the product, as what it learns must not depend on cloth


class Features(nn.Module):
    """B x C x H x W -> unit vectors B x 128 x H/8 x W/8."""

    def __init__(self, cin: int):
        super().__init__()
        layers = []
        for a, b in ((cin, 32), (32, 64), (64, 128)):
            layers += [nn.Conv2d(a, b, 4, 2, 1), nn.ReLU(), nn.GroupNorm(8, b)]
        self.net = nn.Sequential(*layers, nn.Conv2d(128, 128, 3, padding=1), nn.ReLU(), nn.GroupNorm(8, 128), nn.Conv2d(128, 128, 3, padding=1))

    def forward(self, x_BCHW):
        return F.normalize(self.net(x_BCHW), dim=1)


class GMM(nn.Module):
    """Person B x PERSON x SIZE and product B x PRODUCT x SIZE, 0..1 -> B x SIZE x 2: for each place of the person's view where to look in the
    product's, corners at -1 and 1."""

    def __init__(self):
        super().__init__()
        self.person, self.product = Features(PERSON), Features(PRODUCT)
        h, w = SIZE[0] // 8, SIZE[1] // 8
        self.regress = nn.Sequential(nn.Conv2d(h * w, 128, 4, 2, 1), nn.ReLU(), nn.GroupNorm(8, 128), nn.Conv2d(128, 64, 4, 2, 1), nn.ReLU(), nn.GroupNorm(8, 64),
                                     nn.Flatten(), nn.Linear(64 * (h // 4) * (w // 4), 2 * GRID * GRID))
        nn.init.zeros_(self.regress[-1].weight)
        nn.init.zeros_(self.regress[-1].bias)
        self.register_buffer("basis", spline_basis(), persistent=False)

    def forward(self, person_BCHW, product_BCHW):
        a, b = self.person(person_BCHW), self.product(product_BCHW)
        correlation = torch.einsum("bcx,bchw->bxhw", b.flatten(2), a)
        step = self.regress(correlation).float().tanh().reshape(-1, GRID * GRID, 2)
        y, x = torch.meshgrid(*(torch.linspace(-1 + 1 / n, 1 - 1 / n, n, device=step.device) for n in SIZE), indexing="ij")
        return torch.stack((x, y), -1) + (self.basis @ step).reshape(-1, *SIZE, 2)


def spline_basis() -> torch.Tensor:
    """How much each of SIZE places follows each control point of a thin-plate spline (Bookstein 1989): H*W x GRID*GRID float32."""
    line = torch.linspace(-1, 1, GRID, dtype=torch.float64)
    control = torch.stack(torch.meshgrid(line, line, indexing="xy"), -1).reshape(-1, 2)
    y, x = torch.meshgrid(*(torch.linspace(-1 + 1 / n, 1 - 1 / n, n, dtype=torch.float64) for n in SIZE), indexing="ij")
    places = torch.stack((x, y), -1).reshape(-1, 2)
    one = lambda p: torch.cat((torch.ones(len(p), 1, dtype=p.dtype), p), 1)
    bend = lambda p, q: (d := torch.cdist(p, q).square()) * torch.log(d.clamp(min=1e-12))
    n = len(control)
    system = torch.zeros(n + 3, n + 3, dtype=torch.float64)
    system[:n, :n], system[:n, n:], system[n:, :n] = bend(control, control), one(control), one(control).T
    return (torch.cat((bend(places, control), one(places)), 1) @ torch.linalg.inv(system)[:, :n]).float()
