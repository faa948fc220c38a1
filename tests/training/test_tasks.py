"""tryon/training: the task of every network, on tiny drawn data and without Ray."""

import drawn
import numpy as np
import pytest
import torch
from ray import cloudpickle

from tryon.networks import Networks
from tryon.sample import draw_garment, draw_person
from tryon.training.garment import GarmentTask
from tryon.training.generator import GeneratorTask
from tryon.training.parser import ParserTask
from tryon.training.pose import PoseTask
from tryon.training.warp import GmmTask, WarpTask

NETWORKS = ("parser", "pose", "garment", "generator", "warp", "gmm")


@pytest.fixture(scope="module")
def tasks(tmp_path_factory):
    """Every task as a worker gets it: sent, with arrays that cannot be written to."""
    root = tmp_path_factory.mktemp("data")
    people, goods = drawn.ccp(root / "ccp"), drawn.garments(root / "garments")
    some = [draw_person(np.random.default_rng(i), (192, 144)) for i in range(2)]
    flat = [draw_garment(np.random.default_rng(i), (128, 112)) for i in range(9)]
    made = {"parser": ParserTask(people, some), "pose": PoseTask(people, some), "generator": GeneratorTask(people, some),
            "garment": GarmentTask(goods, people, str(root / "masks"), flat)}  # fmt: skip
    large, networks = drawn.ccp(root / "large", train=8, val=3, size=(384, 288)), Networks("cpu", names=("garment",))
    made |= {name: task(large, teacher=networks, times=1) for name, task in (("warp", WarpTask), ("gmm", GmmTask))}
    for name in ("parser", "pose", "garment"):
        made[name].sizes = ((96, 64), (64, 64))
    return {name: received(task) for name, task in made.items()}


def received(task):
    buffers = []
    data = cloudpickle.dumps(task, protocol=5, buffer_callback=buffers.append)
    return cloudpickle.loads(data, buffers=[memoryview(bytes(b.raw())) for b in buffers])


@pytest.mark.parametrize("name", NETWORKS)
def test_samples_depend_on_their_place_in_the_global_batch_alone(tasks, name):
    """Two workers that see the same samples, or others than one worker would; sizes that differ within a step; augmentation with a random
    generator of its own."""
    task = tasks[name]
    for step in range(3):
        whole, halves = task.batch(0, step, range(4)), [task.batch(0, step, indices) for indices in ((2, 3), (0, 1))]
        for column, back, front in zip(whole, *halves):
            assert torch.equal(column, torch.cat((front, back)))
    assert not torch.equal(task.batch(0, 0, [0])[0], task.batch(0, 0, [1])[0])


@pytest.mark.parametrize("name", NETWORKS)
def test_network_learns_a_batch_by_heart(tasks, name):
    """A loss that is not finite, whose gradient misses part of the network (data parallel training would hang on it), or that does not fall."""
    task, losses = tasks[name], []
    torch.manual_seed(0)
    task.prepare(torch.device("cpu"), lambda module: module)
    batch = task.batch(0, 0, range(1 if name == "generator" else 4))
    optimizer = torch.optim.AdamW(task.parameters(3e-4 if name == "warp" else 1e-3))
    for _ in range({"generator": 3, "warp": 120}.get(name, 8)):
        with torch.autocast("cpu", torch.bfloat16):
            loss, parts = task.loss(task.model.train(), batch)
        optimizer.zero_grad()
        loss.backward()
        assert not [n for n, p in task.model.named_parameters() if p.grad is None or not p.grad.isfinite().all()]
        optimizer.step()
        losses.append((parts["union"] if name == "warp" else loss).item())  # smoothness is no error: it is what learning costs a flow
        assert all(v.isfinite() for v in parts.values())
    assert losses[-1] < 0.9 * losses[0], losses


@pytest.mark.parametrize("name", NETWORKS)
def test_evaluation_is_repeatable(tasks, name):
    """Early stopping on noise: an evaluation that differs from call to call."""
    model = tasks[name].model.eval()
    first = tasks[name].evaluate(model)
    assert first == tasks[name].evaluate(model) and np.isfinite(list(first.values())).all()
