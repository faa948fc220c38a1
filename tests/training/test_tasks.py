"""tryon/training: the task of every network, on tiny drawn data and without Ray."""

import json

import cv2
import drawn
import numpy as np
import pytest
import torch
from ray import cloudpickle

from tryon import schema as S
from tryon.datasets import ccp
from tryon.datasets.sample import Garment as Worn
from tryon.datasets.sample import Product, Sample
from tryon.networks import Networks
from tryon.sample import draw_garment, draw_person
from tryon.training.garment import GarmentTask
from tryon.training.generator import GeneratorTask, Pix2PixTask, VaeTask
from tryon.training.limb import LimbTask
from tryon.training.parser import ParserTask
from tryon.training.pose import PoseTask
from tryon.training.task import View
from tryon.training.warp import GmmTask, WarpTask, pairs

GENERATORS = {"generator": GeneratorTask, "pix2pix": Pix2PixTask, "vae": VaeTask}
NETWORKS = ("parser", "pose", "garment", *GENERATORS, "warp", "gmm", "limb")


@pytest.fixture(scope="module")
def tasks(tmp_path_factory):
    """Every task as a worker gets it: sent, with arrays that cannot be written to."""
    torch.manual_seed(0)  # of the networks' first weights, whatever tests came before
    root = tmp_path_factory.mktemp("data")
    people, goods = drawn.ccp(root / "ccp"), drawn.garments(root / "garments")
    some = [draw_person(np.random.default_rng(i), (192, 144)) for i in range(2)]
    flat = [draw_garment(np.random.default_rng(i), (128, 112)) for i in range(9)]
    made = {"parser": ParserTask(people, some), "pose": PoseTask(people, some),
            "garment": GarmentTask(goods, people, str(root / "masks"), flat)}  # fmt: skip
    made |= {name: task(people, some) for name, task in GENERATORS.items()}
    large, networks = drawn.ccp(root / "large", train=8, val=3, size=(384, 288)), Networks("cpu", names=("garment",))
    made |= {name: task(large, teacher=networks, times=1) for name, task in (("warp", WarpTask), ("gmm", GmmTask))}
    made["limb"] = LimbTask(large)
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
    batch = task.batch(0, 0, range(1 if name in GENERATORS else 4))
    optimizer = torch.optim.AdamW(task.parameters(3e-4 if name == "warp" else 1e-3))
    for _ in range({"generator": 3, "warp": 120, "pix2pix": 12}.get(name, 8)):
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


def test_a_loss_of_weight_zero_is_left_out(tasks, monkeypatch):
    """An ablation whose adversary is trained and listened to all the same, a weight that does not count."""
    task, found = tasks["vae"], {}
    batch = task.batch(0, 0, range(1))
    for name, weights in {"own": {}, "no layout": {"layout": 0.0}, "perceptual": {"perceptual": 1.0}, "free": {"kl": 0.0}}.items():
        monkeypatch.setattr(task, "weights", VaeTask.losses | weights)
        torch.manual_seed(0)
        found[name] = task.loss(task.model.train(), batch)
    assert {name: set(parts) for name, (_, parts) in found.items()} == {
        "own": {"l1", "layout", "kl"}, "no layout": {"l1", "kl"}, "perceptual": {"l1", "layout", "kl", "perceptual"}, "free": {"l1", "layout", "kl"}}
    (own, parts), (free, _) = found["own"], found["free"]
    assert parts["kl"] > 0
    torch.testing.assert_close(own - free, VaeTask.losses["kl"] * parts["kl"], rtol=0.01, atol=1e-5)


@pytest.mark.parametrize("name", [*GENERATORS, "warp", "gmm", "limb"])
def test_sheets_show_the_same_samples_beside_their_truth(tasks, name):
    """A sheet that cannot be compared with that of another step; a truth that the network has touched."""
    task = tasks[name]
    first, again = (task.samples(task.model.eval()) for _ in range(2))
    assert [c for c, _ in first] == [c for c, _ in again] and all((a.picture == b.picture).all() for (_, a), (_, b) in zip(first, again))
    assert 1 <= len(first) <= 8 and len({c for c, _ in first}) == len(first)
    made = first[0][1].picture
    with torch.no_grad():
        for p in task.model.parameters():
            p.add_(0.1)
        other = task.samples(task.model)[0][1].picture
        for p in task.model.parameters():
            p.sub_(0.1)
    result, width = {"warp": 3, "gmm": 3, "limb": 1}.get(name, 2), made.shape[1] // {"warp": 5, "gmm": 5, "limb": 4}.get(name, 6)
    column = lambda picture, i: picture[:, i * width:(i + 1) * width]
    changed = [i for i in range(made.shape[1] // width) if (column(made, i) != column(other, i)).any()]
    assert result in changed and set(changed) <= {result, result + 1 if name in (*GENERATORS, "limb") else result}


def test_tops_with_a_shop_picture_are_not_laid_out_flat():
    """Pairs that a paired data set has, left unused; another garment's picture taken for the worn one's."""
    networks, rng = Networks("cpu", names=("garment",)), np.random.default_rng(3)
    person, product = draw_person(rng, (384, 288), "full"), draw_garment(rng, (384, 288), "top")

    def sample(paired: bool) -> Sample:
        parse = np.where(np.isin(person.parse, (S.OUTER, S.FULL)), S.UPPER, person.parse).astype(np.uint8)
        return Sample("a", "a", "a", person.image, parse, person.pose, product=Product("p", product.image, product.mask, paired))
    (pair,) = pairs([sample(True)], networks, 2)
    seen = pair.product.max(0) > 127
    outline = product.mask[np.ix_(*(np.flatnonzero((product.mask > 0).any(axis)) for axis in (1, 0)))]
    ratio = np.ptp(np.nonzero(seen.any(0))[0]) / np.ptp(np.nonzero(seen.any(1))[0])
    assert abs(ratio / (outline.shape[1] / outline.shape[0]) - 1) < 0.1
    assert (pair.worn > 0).any() and pairs([sample(False)], networks, 2) == []
    trousers = sample(True)
    trousers.garments = [Worn("lower")]
    assert pairs([trousers], networks, 2) == []


def test_edges_that_an_outline_leaves_open_are_not_learned(tmp_path, monkeypatch):
    """A photo with tags and an outlined parse that is left out, or taken for a labelled one; its open edges learned as ground where it is moved onto
    another, or cut out of the person."""
    folder = drawn.ccp(tmp_path / "ccp", train=2)
    ids = [id for id, split in drawn.names("ccp", 2, 1) if split == "train"]
    whole = {p.id: p.parse for p in ParserTask(folder).train}
    (tmp_path / "ccp" / "parse" / f"{ids[0]}.png").unlink()
    (tmp_path / "ccp" / "tags.json").write_text(json.dumps({ids[0]: [1, 2, 3, 6]}))
    open_ = whole[ids[0]].copy()
    edge = np.zeros(open_.shape, bool)
    edge[1:] |= open_[1:] != open_[:-1]
    open_[cv2.dilate(edge.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0] = 255
    monkeypatch.setattr(ccp, "outlined_parse", lambda sample: open_ if sample.id == ids[0] else None)
    task = ParserTask(folder)
    assert [p.id for p in task.outlined] == ids[:1] and [p.id for p in task.train] == ids[1:] and ParserTask(folder, final=True).outlined
    assert (task.outlined[0].parse == whole[ids[0]]).mean() > 0.98 and (task.unsure[ids[0]] > 0).sum() == (open_ == 255).sum()
    task.train = task.outlined
    for seed in range(12):
        image, parse = task.sample(np.random.default_rng(seed), View((192, 144)))
        known, task.unsure = task.unsure, {}
        same, filled = task.sample(np.random.default_rng(seed), View((192, 144)))
        task.unsure = known
        assert (image == same).all() and (parse[parse != 255] == filled[parse != 255]).all() and (parse == 255).sum() > (filled == 255).sum() + 100, seed
