"""The trained networks of one worker, loaded once, with the arithmetic between pixels and tensors."""
import contextlib
from collections.abc import Iterator

import cv2
import numpy as np
import torch
from torch.nn import functional as F

from tryon.config import GENERATORS
from tryon.models import crf, weights
from tryon.models.encoder import folded
from tryon.models.openpose import STRIDE


PARSER_AREA = 448 * 320  # pixels of the parser's working size


def working_size(shape: tuple[int, ...], area: int) -> tuple[int, int]:
    """(H, W), multiples of 32, of about ``area`` pixels, nearest to the picture's own aspect."""
    h, w = shape[:2]
    aspect = float(np.clip(h / w, 0.5, 2.5))
    hh = max(64, int(round((area * aspect) ** 0.5 / 32)) * 32)
    ww = max(64, int(round((area / aspect) ** 0.5 / 32)) * 32)
    return hh, ww


SHAPES = ("warp", "gmm")  # networks that give places: float32 always


def native_bfloat16(device: str) -> bool:
    """Whether ``device`` computes in bfloat16 itself, where it is two to three times faster than float32, and does not imitate it slowly."""
    return torch.cuda.is_bf16_supported(including_emulation=False) if device.startswith("cuda") else torch.cpu._is_avx512_bf16_supported()


class Networks:
    """The networks ``names`` on ``device`` (``cpu``, ``cuda``, ``auto``: CUDA when there is one), at most one generator among them, in
    ``precision`` (``float32``, ``bfloat16``, ``auto``: bfloat16 where the device has it).

    Pictures go through one at a time and on one thread, so what a picture gives depends neither on its batch-mates nor on how many threads there
    are: work on several pictures at the same time.
    """

    def __init__(self, device: str = "auto", folder: str = "", names: tuple[str, ...] = ("parser", "pose", "garment", "generator", "limb", "warp"),
                 precision: str = "auto"):
        self.folder, self.device = folder, ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
        fast = precision == "bfloat16" or precision == "auto" and native_bfloat16(self.device)
        self.nets = {name: folded(weights.load(name, folder, self.device)).to(torch.bfloat16 if fast and name not in SHAPES else torch.float32) for name in names}

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            with torch.inference_mode():
                yield
        finally:
            torch.set_num_threads(threads)

    def _input(self, net: torch.nn.Module, a: np.ndarray) -> torch.Tensor:
        """HWC -> 1CHW, channels last, as the network takes it."""
        return torch.from_numpy(np.ascontiguousarray(a)).to(self.device, next(net.parameters()).dtype)[None].permute(0, 3, 1, 2)

    def _run(self, name: str, photo: np.ndarray, area: int):
        size = working_size(photo.shape, area)
        shrink = photo.shape[0] > size[0]
        small = cv2.resize(photo, size[::-1], interpolation=cv2.INTER_AREA if shrink else cv2.INTER_LINEAR)
        with self._alone():
            return self.nets[name](self._input(self.nets[name], small)), size

    def parse(self, photo: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """HxWx3 uint8 -> class probabilities, float32 h x w x 17 at half the working size: as the network gives them, and settled by the colours of
        the photo (tryon.models.crf)."""
        logits, _ = self._run("parser", photo, PARSER_AREA)
        with self._alone():
            return tuple(a.float().softmax(0).permute(1, 2, 0).cpu().numpy() for a in (logits[0], crf.settle(logits[0], photo)))

    def pose(self, photo: np.ndarray) -> tuple[np.ndarray, np.ndarray, tuple[float, float]]:
        """HxWx3 uint8 -> PAFs 38hw, heat-maps 19hw, and the (x, y) factors from working pixels to photo pixels."""
        stages, size = self._run("pose", photo, 320 * 224)
        paf, heat = (t[0].float().cpu().numpy() for t in stages[-1])
        assert heat.shape[1] * STRIDE == size[0]
        return paf, heat, (photo.shape[1] / size[1], photo.shape[0] / size[0])

    def garment(self, photo: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """HxWx3 uint8 -> all at half the working size, float32: probability of garment h x w, of its parts 3hw (torso, right and left
        sleeve or leg), heat-maps of schema.LANDMARKS Lhw, the probability that a wearer's neck hides it h x w; and that of each kind
        (``weights.KINDS``)."""
        (logits, tags), _ = self._run("garment", photo, 256 * 224)
        logits = logits[0].float()
        found = logits[0].sigmoid(), logits[1:4].softmax(0), logits[4:-1], logits[-1].sigmoid(), tags[0].float().softmax(0)
        return tuple(t.cpu().numpy() for t in found)

    def warp(self, shapes: np.ndarray) -> np.ndarray:
        """SHAPES x h x w in 0..1 (tryon.warp) -> flow P x 2 x h x w, x and y in pixels."""
        h, w = shapes.shape[1:]
        with self._alone():
            flow = F.interpolate(self.nets["warp"](self._input(self.nets["warp"], cv2.merge(list(shapes))))[-1], size=(h, w), mode="bilinear", align_corners=False)[0]
        return flow.reshape(-1, 2, h, w).cpu().numpy() * np.float32(h)

    def features(self) -> torch.nn.Module:
        """The parser's encoder in float32, whatever this machine computes in, to measure distances of pictures with."""
        return weights.load("parser", self.folder, self.device).encoder

    def match(self, person: np.ndarray, product: np.ndarray) -> np.ndarray:
        """Person and product as tryon.models.gmm takes them -> SIZE x 2: where each place of the person's view looks in the product's, corners
        at -1 and 1."""
        with self._alone():
            return self.nets["gmm"](*(self._input(self.nets["gmm"], cv2.merge(list(a))) for a in (person, product)))[0].cpu().numpy()

    def limbs(self, conditions: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
        """Conditions of straight limbs N x C x h x w (tryon.straight) -> of each its colours h x w x 3 in 0..255 and the logit of being limb h x w, float32."""
        with self._alone():
            x = torch.from_numpy(conditions).to(self.device, next(self.nets["limb"].parameters()).dtype).contiguous(memory_format=torch.channels_last)
            colours, logit = (t.float().cpu().numpy() for t in self.nets["limb"](x))
        return [(np.ascontiguousarray(c.transpose(1, 2, 0)) * 255, np.ascontiguousarray(l[0])) for c, l in zip(colours, logit)]

    @property
    def generator(self) -> torch.nn.Module | None:
        return next((self.nets[names[0]] for names in GENERATORS.values() if names and names[0] in self.nets), None)

    def generate(self, condition: np.ndarray, coarse: bool = False) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Condition C x h x w in 0..1 (tryon.condition; h and w multiples of 16) -> rendered h x w x 3 and alpha h x w in 0..255 and 0..1,
        and logits of the layout 17hw, all float32. ``coarse``: worked out at half the size."""
        with self._alone():
            x = self._input(self.generator, cv2.merge(list(condition)))
            found = tuple(t.float() for t in self.generator(F.avg_pool2d(x, 2) if coarse else x))
            if coarse:
                found = (F.interpolate(t, scale_factor=2.0, mode="bilinear", align_corners=False) for t in found)
            rgb, alpha, layout = (t[0].cpu().numpy() for t in found)
        return rgb.transpose(1, 2, 0) * 255, alpha[0], layout
