"""Pix2Pix (Isola et al. 2017, https://arxiv.org/abs/1611.07004): mask -> image, the peer of the generator without attention.

Shape legend: B batch, C channels, H and W height and width (multiples of 32).
"""
import torch
from torch import nn

from tryon.models.generator import COLOURS, CONDITION, RENDERED


class Pix2Pix(nn.Module):
    """As Generator, but of the condition it sees no colours, only masks, layout and skeleton: 4x4 convolutions of stride 2 and skip connections, group norm in the place of batch
    norm. Dropout in the three deepest layers of the decoder is its noise; in evaluation mode there is none, so a look is the same each time."""

    told = False

    def __init__(self, widths: tuple[int, ...] = (48, 96, 192, 192, 192)):
        super().__init__()
        down = lambda a, b: nn.Sequential(nn.LeakyReLU(0.2), nn.Conv2d(a, b, 4, 2, 1), nn.GroupNorm(8, b))
        up = lambda a, b, noise: nn.Sequential(nn.ReLU(), nn.ConvTranspose2d(a, b, 4, 2, 1), nn.GroupNorm(8, b), nn.Dropout(0.5 * noise))
        self.stem = nn.Conv2d(CONDITION - COLOURS, widths[0], 4, 2, 1)
        self.down = nn.ModuleList(down(a, b) for a, b in zip(widths, widths[1:]))
        self.up = nn.ModuleList(up(a * (1 + (i > 0)), b, i < 3) for i, (a, b) in enumerate(zip(widths[::-1], widths[-2::-1])))
        self.head = nn.Sequential(nn.ReLU(), nn.ConvTranspose2d(2 * widths[0], RENDERED, 4, 2, 1))

    def forward(self, x_BCHW):
        x_BCHW, skips = self.stem(x_BCHW[:, COLOURS:]), []
        for block in self.down:
            skips.append(x_BCHW)
            x_BCHW = block(x_BCHW)
        for block in self.up:
            x_BCHW = torch.cat((block(x_BCHW), skips.pop()), 1)
        out = self.head(x_BCHW).float()
        return out[:, :3].sigmoid(), out[:, 3:4].sigmoid(), out[:, 4:]
