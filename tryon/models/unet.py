"""U-Net (Ronneberger et al. 2015, https://arxiv.org/abs/1505.04597) on the EfficientNet-Lite0 encoder."""
import torch
from torch import nn
from torch.nn import functional as F

from tryon.models.encoder import CHANNELS, Encoder


class Up(nn.Module):
    """Upsample by two, join the skip connection, two 3x3 convolutions with group norm."""

    def __init__(self, cin: int, skip: int, cout: int):
        super().__init__()
        self.conv1 = nn.Conv2d(cin + skip, cout, 3, padding=1, bias=False)
        self.norm1 = nn.GroupNorm(8, cout)
        self.conv2 = nn.Conv2d(cout, cout, 3, padding=1, bias=False)
        self.norm2 = nn.GroupNorm(8, cout)

    def forward(self, x_BCHW, skip_BCHW):
        x_BCHW = F.interpolate(x_BCHW, size=skip_BCHW.shape[-2:], mode="nearest")
        x_BCHW = F.relu(self.norm1(self.conv1(torch.cat((x_BCHW, skip_BCHW), 1))), inplace=True)
        return F.relu(self.norm2(self.conv2(x_BCHW)), inplace=True)


class UNet(nn.Module):
    """RGB float B3HW in 0..255, H and W multiples of 32 -> logits B x classes x H/2 x W/2.

    With ``tags`` > 0 it also returns image-level logits B x tags, pooled from the deepest features.
    """

    def __init__(self, classes: int, tags: int = 0, widths: tuple[int, ...] = (128, 80, 56, 32)):
        super().__init__()
        self.encoder = Encoder()
        skips = CHANNELS[-2::-1]
        cins = (CHANNELS[-1], *widths[:-1])
        self.ups = nn.ModuleList(Up(c, s, w) for c, s, w in zip(cins, skips, widths))
        self.head = nn.Conv2d(widths[-1], classes, 1)
        self.tags = nn.Linear(CHANNELS[-1], tags) if tags else None

    def forward(self, x_BCHW):
        *skips, x_BCHW = self.encoder(x_BCHW)
        deep_BCHW = x_BCHW
        for up, skip in zip(self.ups, skips[::-1]):
            x_BCHW = up(x_BCHW, skip)
        logits_BCHW = self.head(x_BCHW)
        return (logits_BCHW, self.tags(deep_BCHW.mean((2, 3)))) if self.tags is not None else logits_BCHW
