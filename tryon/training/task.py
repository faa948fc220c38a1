"""What tryon.training.fit trains: a network, samples of its data, its loss and its evaluation.

Shape legend: B batch, C channels, H and W height and width.
"""
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import torch

from tryon.datasets import augment
from tryon.report.sheet import Tile

SHOWN = 8  # validation samples on a sheet


@dataclass(frozen=True)
class View:
    """What all samples of one step have in common."""

    size: tuple[int, int]  # H, W
    phase: tuple[int, int] = (0, 0)  # y, x of the grid of stride 2 on which truths of half size are taken: a random one keeps edges unbiased

    def halve(self, truth_HW: np.ndarray) -> np.ndarray:
        return truth_HW[self.phase[0]::2, self.phase[1]::2]


class Task:
    """Base of the tasks. One is made by the driver and sent to every worker, so it holds plain data; its arrays are read-only there.

    ``sample(rng, view)`` gives a tuple of arrays (the picture HxWx3 uint8 first) that depends on nothing but its arguments,
    ``loss(model, batch)`` the loss and its parts (name -> scalar) of such tuples stacked, ``evaluate(model)`` a dictionary with ``score``,
    higher is better; ``samples(model)`` the same few validation samples each time, with captions, or nothing. None of the four may change the task.
    """

    title: str
    sources: tuple[str, ...]
    sizes: tuple[tuple[int, int], ...]  # (H, W) that the pictures of a step may have
    model: torch.nn.Module
    final = False  # learns from the validation split as well: evaluations choose nothing, the last weights are kept

    def view(self, rng: np.random.Generator) -> View:
        return View(self.sizes[rng.integers(len(self.sizes))], tuple(rng.integers(2, size=2).tolist()))

    def batch(self, seed: int, step: int, indices: Iterable[int]) -> tuple[torch.Tensor, ...]:
        """The samples ``indices`` of the global batch of a step: the same whoever makes them, and whichever others he makes."""
        view = self.view(np.random.default_rng((seed, step, 0)))
        rows = [self.sample(np.random.default_rng((seed, step, 1 + i)), view) for i in indices]
        return tuple(torch.from_numpy(np.stack(column)) for column in zip(*rows))

    def parameters(self, lr: float) -> list[dict]:
        """Parameter groups; the pretrained encoder learns at half the rate."""
        encoder, rest = [], []
        for name, p in self.model.named_parameters():
            (encoder if name.startswith("encoder.") else rest).append(p)
        return [{"params": encoder, "lr": lr * 0.5}, {"params": rest, "lr": lr}]

    def samples(self, model: torch.nn.Module) -> list[tuple[str, Tile]]:
        return []

    def prepare(self, device: torch.device, wrap: Callable[[torch.nn.Module], torch.nn.Module]) -> None:
        """Called once in each worker: move to ``device`` what the loss needs besides the model, ``wrap`` what else is trained."""

    def extra_state(self) -> dict:
        """What a checkpoint must hold beside the model and its optimizer."""
        return {}

    def load_extra_state(self, state: dict) -> None:
        pass


def to_input(images_BHWC: torch.Tensor) -> torch.Tensor:
    """uint8 BHW3 -> float B3HW in 0..255, channels last in memory."""
    return images_BHWC.permute(0, 3, 1, 2).float()


def to_picture(rgb_CHW: torch.Tensor) -> np.ndarray:
    """3HW in 0..1 -> HxWx3 uint8."""
    return (rgb_CHW.float().permute(1, 2, 0).clamp(0, 1) * 255).round().byte().cpu().numpy()


def some(items: list) -> list:
    """At most SHOWN of ``items``, evenly spread."""
    return items[::max(1, -(-len(items) // SHOWN))]


def predict(model: torch.nn.Module, image: np.ndarray):
    """What ``model`` says of one picture, HxWx3 uint8, in bfloat16."""
    device = next(model.parameters()).device
    with torch.autocast(device.type, torch.bfloat16):
        return model(to_input(torch.from_numpy(image)[None].to(device)))


def judged_views(photos, sizes: dict[str, tuple[int, int]], rng: np.random.Generator) -> Iterator[tuple]:
    """(photo, kind, 2x3 affine, size) of each photo and each kind of ``sizes``: "street" shows all of it, "half" a half-body crop."""
    for photo in photos:
        for kind, size in sizes.items():
            box = (0, 0, *photo.image.shape[1::-1]) if kind == "street" else augment.person_box(photo.image.shape, photo.pose[0], kind, rng)
            yield photo, kind, augment.view_matrix(box, size), size
