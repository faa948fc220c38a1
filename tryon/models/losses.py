"""Losses of the generators; each weight may be zero."""
import torch
from torch import nn

from tryon.models.encoder import Encoder


class Perceptual(nn.Module):
    """L1 between features of a frozen ImageNet encoder at strides 2 to 16 (Johnson et al. 2016, https://arxiv.org/abs/1603.08155).

    Pictures B3HW in 0..1; ``weight`` B1HW says where it counts.
    """

    def __init__(self):
        super().__init__()
        self.encoder = Encoder(depth=4).eval().requires_grad_(False)
        # The shallow encoder is the beginning of the deep one, so the weights of the first layers fit by order.
        self.encoder.load_imagenet()

    def forward(self, a_BCHW, b_BCHW, weight_BCHW):
        with torch.no_grad():
            truth = self.encoder(b_BCHW * 255.0)
        total = 0.0
        for x, y in zip(self.encoder(a_BCHW * 255.0), truth):
            w = torch.nn.functional.interpolate(weight_BCHW, size=x.shape[-2:], mode="area")
            scale = y.abs().mean().clamp(min=1e-3)
            total = total + ((x - y).abs() / scale * w).sum() / (w.sum() * x.shape[1]).clamp(min=1.0)
        return total / 4
