"""Limb painter: bare arms and legs, laid out straight (tryon.straight), of which a part is hidden (a U-Net; Isola et al. 2017,
https://arxiv.org/abs/1611.07004, learned with the PatchGAN of tryon.models.discriminator).

Shape legend: B batch, C channels, H and W height and width.
"""
import torch
from torch import nn
from torch.nn import functional as F

from tryon.models.generator import Block

# What it sees, in channel order: the colours of what is seen of the limb, in units of twice the tone of the person's skin (3), where that is (1), that tone (3), the
# light on the face (2, about 0), how far off the middle of the limb a place is, in twice its half width (1), how far along it (1), 1 for an arm (1).
KNOWN, TONE, LIGHT, ACROSS, ALONG, ARM = 3, slice(4, 7), slice(7, 9), 9, 10, 11
CONDITION = 12


class LimbPainter(nn.Module):
    """Condition B x CONDITION x H x W (H and W multiples of 16) -> colours B3HW in 0..1 and the logit of being limb rather than ground B1HW. Begins as
    skin of the given tone."""

    def __init__(self, widths: tuple[int, ...] = (24, 40, 64, 96, 128)):
        super().__init__()
        self.stem = nn.Conv2d(CONDITION, widths[0], 3, padding=1)
        self.down = nn.ModuleList(Block(a, b) for a, b in zip((widths[0], *widths[:-1]), widths))
        self.middle = Block(widths[-1], widths[-1])
        self.up = nn.ModuleList(Block(a + b, b) for a, b in zip(widths[:0:-1], widths[-2::-1]))
        self.head = nn.Conv2d(widths[0], 4, 3, padding=1)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, x_BCHW):
        tone, y_BCHW, skips = x_BCHW[:, TONE], self.stem(x_BCHW), []
        for i, block in enumerate(self.down):
            y_BCHW = block(y_BCHW if i == 0 else F.avg_pool2d(y_BCHW, 2))
            skips.append(y_BCHW)
        y_BCHW = self.middle(y_BCHW)
        for block, skip in zip(self.up, skips[-2::-1]):
            y_BCHW = block(torch.cat((F.interpolate(y_BCHW, scale_factor=2, mode="nearest"), skip), 1))
        out = self.head(F.silu(y_BCHW)).float()
        return (2 * tone * out[:, :3].sigmoid()).clamp(max=1), out[:, 3:]
