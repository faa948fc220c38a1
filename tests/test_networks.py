"""tryon/networks.py: precision, and what pictures do not depend on."""
import cv2
import numpy as np
import pytest
import torch

from tryon.models import limb, weights
from tryon.models.generator import CONDITION
from tryon.models.warp import SHAPES, SIZE
from tryon.networks import Networks, native_bfloat16

NAMES = ("parser", "pose", "garment", "generator", "limb", "warp")


def found(networks: Networks, persons, goods) -> dict[str, np.ndarray]:
    photo, product = persons["clara"].photo, goods["top-01"].photo
    condition = np.random.default_rng(0).random((CONDITION, 128, 96), dtype=np.float32)
    shapes = np.random.default_rng(1).random((SHAPES, *SIZE), dtype=np.float32)
    bare = np.random.default_rng(2).random((2, limb.CONDITION, 96, 32), dtype=np.float32)
    arrays = {"parse": networks.parse(photo), "pose": networks.pose(photo)[:2], "garment": networks.garment(product),
              "generate": networks.generate(condition), "coarse": networks.generate(condition, coarse=True), "warp": (networks.warp(shapes),), "limb": networks.limbs(bare)[1]}
    return {f"{k} {i}": a for k, v in arrays.items() for i, a in enumerate(v)}


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_the_number_of_threads_changes_nothing(precision, persons, goods):
    """Pictures that differ from one machine to the next by the number of its cores; a caller who has one thread left."""
    networks, before, seen = Networks("cpu", names=NAMES, precision=precision), torch.get_num_threads(), []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            seen.append(found(networks, persons, goods))
            assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
    assert all(a.dtype == np.float32 and (a == seen[1][k]).all() for k, a in seen[0].items())


def test_bfloat16_says_what_float32_says(persons, goods):
    """A network that comes apart in half the digits."""
    exact, fast = (found(Networks("cpu", names=NAMES, precision=p), persons, goods) for p in ("float32", "bfloat16"))
    assert (exact["parse 0"].argmax(-1) == fast["parse 0"].argmax(-1)).mean() > 0.99
    for k, a in exact.items():
        assert np.abs(a - fast[k]).mean() < 0.02 * a.std() + 1e-3 and ((a != fast[k]).any() or k == "warp 0"), k


def test_auto_is_what_the_machine_has():
    """bfloat16 that is imitated, many times slower; places of the warp in eight bits."""
    networks = Networks("cpu", names=NAMES)
    kinds = {name: next(net.parameters()).dtype for name, net in networks.nets.items()}
    assert kinds == dict.fromkeys(NAMES, torch.bfloat16 if native_bfloat16("cpu") else torch.float32) | {"warp": torch.float32}


def test_folded_networks_say_the_same(persons, goods):
    """A norm that is folded into the wrong convolution, or left out, or stays to cost time."""
    networks = Networks("cpu", names=("parser", "garment"), precision="float32")
    x = torch.from_numpy(cv2.resize(persons["clara"].photo, (96, 128))).float().permute(2, 0, 1)[None]
    for name, net in networks.nets.items():
        assert not any(isinstance(part, torch.nn.BatchNorm2d) for part in net.modules())
        with torch.inference_mode():
            told, whole = net(x), weights.load(name)(x)
        told, whole = (t[0] if isinstance(t, tuple) else t for t in (told, whole))
        torch.testing.assert_close(told, whole, rtol=1e-3, atol=1e-3)
