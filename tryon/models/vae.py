"""Conditional VAE (Kingma & Welling 2014, https://arxiv.org/abs/1312.6114; Sohn et al. 2015, https://papers.nips.cc/paper/5775): the peer of the
generator without an adversary.

Shape legend: B batch, C channels, H and W height and width (multiples of 16), Z latent.
"""
import torch
from torch import nn

from tryon.models.generator import CONDITION, FILL, GARMENT, Generator

LATENT = 32


class VAE(nn.Module):
    """As Generator, whose U-Net it decodes with, the latent added to the deepest features.

    With ``photo``, B3HW in 0..1, the latent is drawn from what the encoder sees inside the edit region, and its mean and log variance, BZ each, are
    returned as well. Without, it is the mean of the prior, zero.
    """

    told = False

    def __init__(self, widths: tuple[int, ...] = (32, 64, 96, 128)):
        super().__init__()
        layers = []
        for a, b in zip((3 + CONDITION, *widths), widths):
            layers += [nn.Conv2d(a, b, 4, 2, 1), nn.GroupNorm(8, b), nn.SiLU()]
        self.encoder = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(widths[-1], 2 * LATENT))
        self.decoder = Generator()
        self.code = nn.Linear(LATENT, self.decoder.deepest, bias=False)

    def forward(self, x_BCHW, photo_BCHW=None):
        if photo_BCHW is None:
            return self.decoder(x_BCHW)
        edited = x_BCHW[:, GARMENT:FILL + 1].sum(1, keepdim=True).clamp(max=1)
        mean_BZ, log_variance_BZ = self.encoder(torch.cat((photo_BCHW * edited, x_BCHW), 1)).float().chunk(2, 1)
        z_BZ = mean_BZ + (log_variance_BZ / 2).exp() * torch.randn_like(mean_BZ)
        return *self.decoder(x_BCHW, self.code(z_BZ)), mean_BZ, log_variance_BZ
