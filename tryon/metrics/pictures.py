"""How alike two pictures are, and two sets of pictures."""
import cv2
import numpy as np
import torch
from torch.nn import functional as F
from torchmetrics.functional.image import structural_similarity_index_measure
from torchmetrics.image.fid import FrechetInceptionDistance


def _tensor(pictures: list[np.ndarray]) -> torch.Tensor:
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2)


def ssim(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Structural similarity at every place of two HxWx3 uint8 pictures, mean over R, G, B: float32 HxW (torchmetrics, Gaussian window of sigma
    1.5, data_range 255)."""
    _, full = structural_similarity_index_measure(_tensor([a]).float(), _tensor([b]).float(), data_range=255.0, return_full_image=True)
    return full[0].mean(0).numpy()


def ssim_inside(a: np.ndarray, b: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """``ssim`` of what ``mask`` (bool HxW) shows of two HxWx3 uint8 pictures: float32 HxW, where each window counts the pixels of the mask alone, so that
    what lies beside them, which may have moved otherwise, does not matter. Of any value off the mask."""
    weight = mask.astype(np.float32)
    blur = lambda x: cv2.GaussianBlur(x, (11, 11), 1.5)
    x, y = (p.astype(np.float32) * weight[..., None] for p in (a, b))
    total = np.maximum(blur(weight), 1e-6)[..., None]
    mx, my, xx, yy, xy = (blur(v) / total for v in (x, y, x * x, y * y, x * y))
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    alike = (2 * mx * my + c1) * (2 * (xy - mx * my) + c2) / ((mx * mx + my * my + c1) * (xx + yy - mx * mx - my * my + c2))
    return alike.mean(2)


def colour_difference(a: np.ndarray, in_a: np.ndarray, b: np.ndarray, in_b: np.ndarray) -> float:
    """Distance in CIELAB (CIE 1976) of the mean colours of two regions (bool HxW) of two HxWx3 uint8 pictures; 0 where one is empty."""
    if not in_a.any() or not in_b.any():
        return 0.0
    lab = lambda p, m: cv2.cvtColor((p[m].mean(0) / 255).astype(np.float32)[None, None], cv2.COLOR_RGB2LAB)[0, 0]
    return float(np.linalg.norm(lab(a, in_a) - lab(b, in_b)))


class PerceptualDistance:
    """Mean distance of unit feature vectors of an encoder (RGB B3HW in 0..255 -> features of several strides), as LPIPS (Zhang et al. 2018,
    https://arxiv.org/abs/1801.03924) takes it, without its learned weights."""

    def __init__(self, encoder: torch.nn.Module):
        self.encoder = encoder

    @torch.no_grad()
    def __call__(self, a: np.ndarray, b: np.ndarray) -> float:
        """Two HxWx3 uint8 pictures of one size, H and W multiples of 32."""
        levels = self.encoder(_tensor([a, b]).float())
        return float(np.mean([(F.normalize(f, dim=1)[0] - F.normalize(f, dim=1)[1]).square().sum(0).mean() for f in levels]))


class _Pooled(torch.nn.Module):
    def __init__(self, encoder: torch.nn.Module):
        super().__init__()
        self.encoder = encoder

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out = self.encoder(x.float())
        out = out[-1] if isinstance(out, (list, tuple)) else out
        return out.mean((2, 3)) if out.ndim == 4 else out.flatten(1)


class FrechetDistance:
    """Frechet distance (Heusel et al. 2017, https://arxiv.org/abs/1706.08500) by torchmetrics, on the pooled deepest features of ``encoder``
    (RGB B3HW in 0..255). It is called a FID only when the encoder is Inception."""

    def __init__(self, encoder: torch.nn.Module):
        self.encoder = encoder

    def __call__(self, real: list[np.ndarray], made: list[np.ndarray]) -> float | None:
        """Lists of HxWx3 uint8 pictures of one size; None with fewer than two of either. With few pictures it is biased upwards: compare only
        figures of the same count."""
        if min(len(real), len(made)) < 2:
            return None
        judge = FrechetInceptionDistance(feature=_Pooled(self.encoder), input_img_size=(3, *real[0].shape[:2]))
        for pictures, is_real in ((real, True), (made, False)):
            for start in range(0, len(pictures), 8):
                judge.update(_tensor(pictures[start:start + 8]), real=is_real)
        return float(judge.compute())
