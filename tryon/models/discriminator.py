"""PatchGAN discriminator (Isola et al. 2017, https://arxiv.org/abs/1611.07004), for the least-squares loss (Mao et al. 2017)."""
import torch
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

from tryon.models.generator import CONDITION


class PatchGAN(nn.Module):
    """Picture B3HW in 0..1 and its condition B x ``condition`` x H x W -> one score per patch, B1hw (h = H/8); real is 1."""

    def __init__(self, width: int = 32, condition: int = CONDITION):
        super().__init__()
        layers, cin = [], 3 + condition
        for cout in (width, 2 * width, 4 * width):
            layers += [spectral_norm(nn.Conv2d(cin, cout, 4, 2, 1)), nn.LeakyReLU(0.2)]
            cin = cout
        self.net = nn.Sequential(*layers, spectral_norm(nn.Conv2d(cin, 4 * width, 3, padding=1)), nn.LeakyReLU(0.2), nn.Conv2d(4 * width, 1, 3, padding=1))

    def forward(self, picture_BCHW, condition_BCHW):
        return self.net(torch.cat((picture_BCHW, condition_BCHW), 1))
