"""tryon/models: every network of the registry, OpenPose's assembly, and the weight files that are shipped."""

import hashlib
import json

import numpy as np
import pytest
import torch

from tryon import sample
from tryon import schema as S
from tryon.models import gmm, limb, warp, weights
from tryon.models.digest import FOLDER, digest
from tryon.models.discriminator import PatchGAN
from tryon.models.encoder import CHANNELS, Encoder
from tryon.models.generator import CONDITION, FILL, GARMENT
from tryon.models.openpose import HEATMAPS, PAFS, STRIDE, _peaks, assemble, targets
from tryon.models.vae import LATENT

SIZE = (96, 64)
BUILDS = {**weights.NETWORKS, "discriminator": PatchGAN}
INPUTS = {"generator": (CONDITION,), "pix2pix": (CONDITION,), "vae": (CONDITION,), "discriminator": (3, CONDITION), "warp": (warp.SHAPES,),
          "gmm": (gmm.PERSON, gmm.PRODUCT), "limb": (limb.CONDITION,)}  # channels; others: RGB
SIZES = {"gmm": gmm.SIZE, "warp": warp.SIZE}  # of the inputs; others: SIZE
SHAPES = {
    "parser": [(2, len(S.PARSE_CLASSES), 48, 32)],
    "pose": [(2, PAFS, 12, 8), (2, HEATMAPS, 12, 8)] * 2,
    "garment": [(2, weights.GARMENT_CHANNELS, 48, 32), (2, len(weights.KINDS))],
    **dict.fromkeys(("generator", "pix2pix", "vae"), [(2, 3, *SIZE), (2, 1, *SIZE), (2, len(S.PARSE_CLASSES), *SIZE)]),
    "discriminator": [(2, 1, 12, 8)],
    "warp": [(2, 2 * len(warp.PARTS), h, w) for h, w in ((8, 6), (8, 6), (16, 12), (32, 24))],
    "gmm": [(2, *gmm.SIZE, 2)],
    "limb": [(2, 3, *SIZE), (2, 1, *SIZE)],
}
everyone = pytest.mark.parametrize("name", BUILDS)
shipped = pytest.mark.parametrize("name", weights.NETWORKS)


def flat(output) -> list[torch.Tensor]:
    """The tensors of a network's output, in order."""
    return [output] if torch.is_tensor(output) else [t for part in output for t in flat(part)]


def inputs(name: str, fill: float | None = None) -> list[torch.Tensor]:
    """What a network takes, two of each: random, or one value everywhere, in its range."""
    top = 255.0 if name not in INPUTS else 1.0
    make = torch.Generator().manual_seed(0)
    shapes = [(2, channels, *SIZES.get(name, SIZE)) for channels in INPUTS.get(name, (3,))]
    return [torch.rand(shape, generator=make) * top if fill is None else torch.full(shape, fill * top) for shape in shapes]


def fresh(name: str) -> torch.nn.Module:
    torch.manual_seed(0)
    return BUILDS[name]()


@everyone
def test_outputs_have_their_shapes_and_are_finite(name):
    """A network whose resolution or channel count moved, or that overflows on white or black photos."""
    network = fresh(name).eval()
    with torch.inference_mode():
        for fill in (None, 0.0, 1.0):
            out = flat(network(*inputs(name, fill)))
            assert [tuple(t.shape) for t in out] == SHAPES[name]
            assert all(t.isfinite().all() for t in out)


@everyone
def test_gradient_reaches_every_parameter(name):
    """A layer that was built and never called: it would be trained for nothing and shipped untrained."""
    network = fresh(name).train()
    for p in network.parameters():  # a branch that starts at zero, as attention does, passes nothing on in its first step
        if not p.any():
            torch.nn.init.normal_(p, std=0.1)
    photo = [torch.rand(2, 3, *SIZE)] if name == "vae" else []  # without one its encoder is not asked
    sum((t * torch.randn(t.shape, generator=torch.Generator().manual_seed(1))).sum() for t in flat(network(*inputs(name), *photo))).backward()
    reached = lambda p: p.grad is not None and p.grad.any() and p.grad.isfinite().all()
    assert [k for k, p in network.named_parameters() if p.requires_grad and not reached(p)] == []


@everyone
def test_batch_mates_do_not_matter(name):
    """Statistics over the batch: a picture would depend on what happened to be beside it."""
    network = fresh(name)
    # Also while training, so that the workers of a distributed run agree; but for spectral norm's own state and for dropout.
    network.train(name not in ("discriminator", "pix2pix"))
    with torch.no_grad():
        one, two = flat(network(*(x[:1] for x in inputs(name)))), flat(network(*inputs(name)))
    for a, b in zip(one, two):
        torch.testing.assert_close(a, b[:1], rtol=1e-3, atol=1e-3)


def test_latent_tells_the_decoder_what_the_edit_region_shows():
    """A posterior that looks at what the photo shows elsewhere, or never reaches the picture; a prior whose mean is not zero."""
    network, (x, _), photo = fresh("vae").eval(), inputs("vae")[0].split(1), torch.rand(2, 3, *SIZE)
    x[:, GARMENT:FILL + 1], x[:, GARMENT, 20:60, 20:40] = 0, 1
    beside = photo.clone()
    beside[:, :, :20] = 0
    with torch.inference_mode():
        drawn = []
        for truth in (photo[:1], beside[:1], photo[1:]):
            torch.manual_seed(0)
            drawn.append(network(x, truth))
        assert all(torch.equal(a, b) for a, b in zip(drawn[0], drawn[1])) and not torch.equal(drawn[0][0], drawn[2][0])
        torch.nn.init.zeros_(network.encoder[-1].weight)
        network.encoder[-1].bias.copy_(torch.cat((torch.zeros(LATENT), torch.full((LATENT,), -40.0))))  # all but certain of zero
        torch.testing.assert_close(network(x, photo[:1])[:3], network(x))


def test_dropout_is_noise_in_training_alone():
    """Pix2Pix without noise; looks that differ from one run to the next."""
    network, (x,) = fresh("pix2pix"), inputs("pix2pix")
    with torch.no_grad():
        assert not torch.equal(network(x)[0], network(x)[0]) and torch.equal(network.eval()(x)[0], network(x)[0])


def test_attention_that_is_not_trained_does_nothing():
    """The ablation without attention: a bias that shifts the features, weights that the full network cannot load."""
    network, x = fresh("generator"), torch.randn(1, 192, 6, 4)
    assert torch.equal(network.middle[0](x), x)


@shipped
def test_weights_round_trip(name, tmp_path):
    """A key that is lost on the way to the file, a card without the hash of its file."""
    network = fresh(name)
    path = weights.save(network.state_dict(), name, {"licence": "x"}, tmp_path)
    loaded = weights.load(name, tmp_path)
    state = loaded.state_dict()
    for k, v in network.state_dict().items():
        if v.is_floating_point():
            torch.testing.assert_close(state[k].contiguous(), v, rtol=2e-3, atol=1e-6)
    assert not loaded.training and not any(p.requires_grad for p in loaded.parameters())
    assert json.loads(path.with_suffix(".json").read_text())["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()


def test_too_large_weights_are_refused(tmp_path):
    """A wider network that silently makes the working directory too large to submit."""
    with pytest.raises(AssertionError, match="16000000"):
        weights.save({"w": torch.zeros(9_000_000)}, "parser", {}, tmp_path)


def test_missing_and_foreign_weights_say_what_to_do(tmp_path):
    """A KeyError from deep inside, or a network that runs on somebody else's weights."""
    with pytest.raises(FileNotFoundError, match="jobs/train.py pose"):
        weights.load("pose", tmp_path)
    with pytest.raises(FileNotFoundError, match="weights.folder"):
        digest(tmp_path)
    with pytest.raises(FileNotFoundError, match="no weights of none"):
        digest(FOLDER, ("parser", "none"))
    weights.save(fresh("parser").state_dict(), "garment", {}, tmp_path)
    with pytest.raises((ValueError, RuntimeError), match="garment|size mismatch"):
        weights.load("garment", tmp_path)


def test_digest_follows_the_weights(tmp_path):
    """Look ids that stay the same when a network was trained again: old pictures would pass for new ones."""
    weights.save({"w": torch.zeros(3)}, "parser", {}, tmp_path)
    first = digest(tmp_path)
    assert digest(tmp_path) == first and len(first) == 16
    weights.save({"w": torch.ones(3)}, "parser", {}, tmp_path)
    assert digest(tmp_path) != first


@shipped
def test_shipped_weights_load_and_have_a_card(name):
    """A network without weights in the package, or weights nobody can say the origin of."""
    weights.load(name)
    path = FOLDER / f"{name}.safetensors"
    assert path.stat().st_size <= weights.MAX_BYTES
    card = json.loads(path.with_suffix(".json").read_text())
    assert all(card[k] for k in ("data", "licence", "command", "steps", "metrics", "date")), card
    assert f"jobs/train.py {name}" in card["command"] and card["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()


def test_all_weights_together_can_be_submitted():
    """A working directory above what `ray job submit` should carry, and files no network reads."""
    files = [p for p in FOLDER.iterdir() if p.is_file()]
    assert sum(p.stat().st_size for p in files) <= 64_000_000
    assert {p.name for p in files} == {f"{name}{suffix}" for name in weights.NETWORKS for suffix in (".safetensors", ".json")}


def test_encoder_strides():
    """Skip connections of the wrong level: every feature must have half the side of the one before."""
    with torch.inference_mode():
        features = Encoder().eval()(*inputs("parser"))
    assert [tuple(f.shape[1:]) for f in features] == [(c, SIZE[0] >> i, SIZE[1] >> i) for i, c in enumerate(CHANNELS, 1)]


@pytest.mark.parametrize("seed", range(6))
def test_assembly_finds_the_drawn_pose(seed):
    """Joints off by a cell, limbs joined crosswise: perfect maps must give back the pose they were made from."""
    drawn = sample.draw_person(np.random.default_rng((4, seed)), (320, 224), "half" if seed % 3 == 2 else "full").pose
    found = assemble(*targets(drawn, (320, 224)))
    assert found.shape == (1, 18, 3) and found.dtype == np.float32
    seen = (drawn[0, :, 2] > 0) & (found[0, :, 2] > 0)
    assert seen.sum() >= (drawn[0, :, 2] > 0).sum() - 1
    assert np.linalg.norm(found[0, seen, :2] - drawn[0, seen, :2], axis=1).max() < 0.5 * STRIDE
    assert not found[0, found[0, :, 2] == 0].any()


def test_assembly_parts_two_people_and_puts_the_larger_first():
    """Limbs of one person given to the other; a passer-by dressed instead of the model."""
    pair = []
    for seed, (scale, x, y) in enumerate(((0.6, 10, 100), (0.9, 130, 10))):
        pose = sample.draw_person(np.random.default_rng((4, seed)), (320, 224)).pose[0].copy()
        pose[:, :2] = pose[:, :2] * scale + (x, y)
        pair.append(pose)
    found = assemble(*targets(np.stack(pair), (320, 352)))
    assert len(found) == 2
    for pose, truth in zip(found, pair[::-1]):
        seen = pose[:, 2] > 0
        assert seen.sum() >= 15 and np.linalg.norm(pose[seen, :2] - truth[seen, :2], axis=1).max() < STRIDE


def test_one_joint_that_peaks_twice_is_one():
    """A neck with two peaks in cells that touch at a corner: half of the limbs go to each, and one person becomes two halves."""
    drawn = sample.draw_person(np.random.default_rng((4, 1)), (320, 224)).pose
    heat = targets(drawn, (320, 224))[1][S.NECK_JOINT]
    (x, y, _), = _peaks(heat, 0.15)
    x, y = round(x), round(y)
    heat[y + 1, x + 1], heat[y + 1, x], heat[y, x + 1] = heat[y, x] - 0.01, 0.3, 0.3
    assert len(_peaks(heat, 0.15)) == 1


def test_nobody_gives_no_pose():
    """A crash or a phantom on an empty picture."""
    empty = np.zeros((HEATMAPS, 40, 28), np.float32)
    assert assemble(np.zeros((PAFS, 40, 28), np.float32), empty).shape == (0, 18, 3)


def test_somebody_beyond_the_picture_gives_no_pose():
    """Weak peaks along the border, the flanks of joints beyond it: nothing is left of who stands there, and the photo must not fail."""
    pose = sample.draw_person(np.random.default_rng((4, 1)), (320, 224)).pose[0].copy()
    pose[:, 0] = 223
    paf, heat = targets(pose[None], (320, 224))
    assert len(assemble(paf, heat)) == 1
    assert assemble(paf, 0.4 * heat).shape == (0, 18, 3)
