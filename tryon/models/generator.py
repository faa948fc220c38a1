"""Conditional generator: a U-Net with self-attention at the bottleneck (Isola et al. 2017, https://arxiv.org/abs/1611.07004;
attention as in Zhang et al. 2019, https://arxiv.org/abs/1805.08318), and the PatchGAN that judges it.

Shape legend: B batch, C channels, H and W height and width (multiples of 16).
"""
import torch
from torch import nn
from torch.nn import functional as F

from tryon import schema as S

# What the generator sees, in channel order: the picture with the fill region and the garment blanked (3), the warped
# garment (3), the tone of the person's skin (3), the garment's mask (1), the fill region (1), the layout one-hot, in the fill region one half for
# each class that a place may become (17), the skeleton (3). All in 0..1.
COLOURS = 9
GARMENT, FILL = COLOURS, COLOURS + 1
CONDITION = COLOURS + 1 + 1 + len(S.PARSE_CLASSES) + 3
RENDERED = 3 + 1 + len(S.PARSE_CLASSES)


class Block(nn.Module):
    def __init__(self, cin: int, cout: int):
        super().__init__()
        self.norm1, self.conv1 = nn.GroupNorm(8 if cin % 8 == 0 else 1, cin), nn.Conv2d(cin, cout, 3, padding=1)
        self.norm2, self.conv2 = nn.GroupNorm(8, cout), nn.Conv2d(cout, cout, 3, padding=1)
        self.skip = nn.Conv2d(cin, cout, 1) if cin != cout else nn.Identity()

    def forward(self, x_BCHW):
        y_BCHW = self.conv1(F.silu(self.norm1(x_BCHW), inplace=True))
        return self.skip(x_BCHW) + self.conv2(F.silu(self.norm2(y_BCHW), inplace=True))


class Attention(nn.Module):
    """Self-attention over all places of a coarse feature map; starts as the identity."""

    def __init__(self, channels: int, heads: int = 4):
        super().__init__()
        self.norm, self.heads = nn.GroupNorm(8, channels), heads
        self.qkv, self.out = nn.Conv2d(channels, 3 * channels, 1), nn.Conv2d(channels, channels, 1)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, x_BCHW):
        b, c, h, w = x_BCHW.shape
        q, k, v = self.qkv(self.norm(x_BCHW)).reshape(b, 3, self.heads, c // self.heads, h * w).transpose(-1, -2).unbind(1)
        y = F.scaled_dot_product_attention(q, k, v).transpose(-1, -2).reshape(b, c, h, w)
        return x_BCHW + self.out(y)


class Generator(nn.Module):
    """Condition B x CONDITION x H x W in 0..1 -> rendered RGB B3HW in 0..1, composition mask alpha B1HW in 0..1 and logits of the layout
    B17HW, which say what the fill region becomes.

    Inside the garment the result is alpha * warped + (1 - alpha) * rendered, inside the fill region it is rendered. ``code``, B x deepest, is added
    to the deepest features.
    """

    told = True  # what the fill region may become; in a second pass, what it becomes. The peers are not

    def __init__(self, widths: tuple[int, ...] = (24, 48, 96, 144, 192)):
        super().__init__()
        self.deepest = widths[-1]
        self.stem = nn.Conv2d(CONDITION, widths[0], 3, padding=1)
        self.down = nn.ModuleList(Block(a, b) for a, b in zip((widths[0], *widths[:-1]), widths))
        self.middle = nn.ModuleList((Attention(widths[-1]), Block(widths[-1], widths[-1])))
        self.up = nn.ModuleList(Block(a + b, b) for a, b in zip(widths[:0:-1], widths[-2::-1]))
        self.head = nn.Conv2d(widths[0], RENDERED, 3, padding=1)

    def forward(self, x_BCHW, code_BC=None):
        x_BCHW, skips = self.stem(x_BCHW), []
        for i, block in enumerate(self.down):
            x_BCHW = block(x_BCHW if i == 0 else F.avg_pool2d(x_BCHW, 2))
            skips.append(x_BCHW)
        if code_BC is not None:
            x_BCHW = x_BCHW + code_BC[..., None, None]
        for block in self.middle:
            x_BCHW = block(x_BCHW)
        for block, skip in zip(self.up, skips[-2::-1]):
            x_BCHW = block(torch.cat((F.interpolate(x_BCHW, scale_factor=2, mode="nearest"), skip), 1))
        out = self.head(F.silu(x_BCHW)).float()
        return out[:, :3].sigmoid(), out[:, 3:4].sigmoid(), out[:, 4:]
