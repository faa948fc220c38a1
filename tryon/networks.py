"""The trained networks of one worker, loaded once, with the arithmetic between pixels and tensors."""
import cv2
import numpy as np
import torch

from tryon.models import weights
from tryon.models.openpose import STRIDE


def working_size(shape: tuple[int, ...], area: int) -> tuple[int, int]:
    """(H, W), multiples of 32, of about ``area`` pixels, nearest to the picture's own aspect."""
    h, w = shape[:2]
    aspect = float(np.clip(h / w, 0.5, 2.5))
    hh = max(64, int(round((area * aspect) ** 0.5 / 32)) * 32)
    ww = max(64, int(round((area / aspect) ** 0.5 / 32)) * 32)
    return hh, ww


class Networks:
    """Parser, pose and garment networks on ``device`` (``cpu``, ``cuda``, ``auto``: CUDA when there is one).

    Pictures go through one at a time, so what a picture gives does not depend on its batch-mates.
    """

    def __init__(self, device: str = "auto", folder: str = "", names: tuple[str, ...] = ("parser", "pose", "garment")):
        self.device = ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
        self.nets = {name: weights.load(name, folder, self.device) for name in names}

    def _run(self, name: str, photo: np.ndarray, area: int):
        size = working_size(photo.shape, area)
        shrink = photo.shape[0] > size[0]
        small = cv2.resize(photo, size[::-1], interpolation=cv2.INTER_AREA if shrink else cv2.INTER_LINEAR)
        x = torch.from_numpy(small).to(self.device).permute(2, 0, 1)[None].float().contiguous(memory_format=torch.channels_last)
        with torch.inference_mode():
            return self.nets[name](x), size

    def parse(self, photo: np.ndarray) -> np.ndarray:
        """HxWx3 uint8 -> class probabilities, float32 h x w x 17 at half the working size."""
        logits, _ = self._run("parser", photo, 288 * 200)
        return logits.float().softmax(1)[0].permute(1, 2, 0).cpu().numpy()

    def pose(self, photo: np.ndarray) -> tuple[np.ndarray, np.ndarray, tuple[float, float]]:
        """HxWx3 uint8 -> PAFs 38hw, heat-maps 19hw, and the (x, y) factors from working pixels to photo pixels."""
        stages, size = self._run("pose", photo, 320 * 224)
        paf, heat = (t[0].float().cpu().numpy() for t in stages[-1])
        assert heat.shape[1] * STRIDE == size[0]
        return paf, heat, (photo.shape[1] / size[1], photo.shape[0] / size[0])

    def garment(self, photo: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """HxWx3 uint8 -> probability of garment, float32 h x w at half the working size, and of each kind (``weights.KINDS``)."""
        (logits, tags), _ = self._run("garment", photo, 256 * 224)
        return logits[0, 0].float().sigmoid().cpu().numpy(), tags[0].float().softmax(0).cpu().numpy()
