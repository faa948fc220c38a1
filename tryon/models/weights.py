"""Weights: float16 safetensors beside a card (JSON), loaded with the network they belong to."""
import hashlib
import json
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from tryon import schema as S
from tryon.models.digest import FOLDER
from tryon.models.generator import Generator
from tryon.models.gmm import GMM
from tryon.models.limb import LimbPainter
from tryon.models.openpose import OpenPose
from tryon.models.pix2pix import Pix2Pix
from tryon.models.unet import UNet
from tryon.models.vae import VAE
from tryon.models.warp import Residual

KINDS = tuple(k for kinds in S.SUBCATEGORIES.values() for k in kinds)  # order of the garment network's tags
GARMENT_CHANNELS = 1 + 3 + len(S.LANDMARKS) + 1  # mask; torso, right and left sleeve or leg; heat-maps of the landmarks; what a neck hides

NETWORKS = {
    "parser": lambda: UNet(len(S.PARSE_CLASSES)),
    "pose": lambda: OpenPose(),
    "garment": lambda: UNet(GARMENT_CHANNELS, tags=len(KINDS)),
    "generator": lambda: Generator(),
    "pix2pix": lambda: Pix2Pix(),
    "vae": lambda: VAE(),
    "warp": lambda: Residual(),
    "gmm": lambda: GMM(),
    "limb": lambda: LimbPainter(),
}
MAX_BYTES = 16_000_000


def save(state: dict[str, torch.Tensor], name: str, card: dict, folder: str | Path = FOLDER) -> Path:
    """Write ``name.safetensors`` (float16) and ``name.json`` (the card: data, licence, command, steps, metrics, date)."""
    path = Path(folder) / f"{name}.safetensors"
    half = {k: (v.half() if v.is_floating_point() else v).contiguous() for k, v in state.items() if not k.endswith("num_batches_tracked")}
    save_file(half, path, metadata={"network": name})
    assert path.stat().st_size <= MAX_BYTES, f"{path} has {path.stat().st_size} bytes, more than {MAX_BYTES}"
    path.with_suffix(".json").write_text(json.dumps(card | {"sha256": hashlib.sha256(path.read_bytes()).hexdigest()}, indent=1) + "\n")
    return path


def fill(network: torch.nn.Module, path: str | Path) -> None:
    """Read ``path`` (.safetensors, or the .pt of a training run) into ``network``. Raises ValueError when they do not fit."""
    if Path(path).suffix == ".pt":
        state = torch.load(path, map_location="cpu", weights_only=True)
    else:
        with safe_open(path, "pt") as f:
            state = {k: f.get_tensor(k).float() for k in f.keys()}
    shapes = {k: v.shape for k, v in network.state_dict().items()}
    foreign = [k for k, v in state.items() if k in shapes and v.shape != shapes[k]]
    if foreign:
        raise ValueError(f"{path} does not fit its network: {foreign[0]} is {tuple(state[foreign[0]].shape)}, not {tuple(shapes[foreign[0]])}")
    missing, unexpected = network.load_state_dict(state, strict=False)
    missing = [k for k in missing if not k.endswith("num_batches_tracked")]
    if missing or unexpected:
        raise ValueError(f"{path} does not fit its network: missing {missing[:3]}, unexpected {unexpected[:3]}")


def load(name: str, folder: str | Path = "", device: str = "cpu") -> torch.nn.Module:
    """A network of ``NETWORKS`` in evaluation mode with its weights. Raises FileNotFoundError saying what to do."""
    path = Path(folder or FOLDER) / f"{name}.safetensors"
    if not path.exists():
        raise FileNotFoundError(f"no weights at {path}: train them with jobs/train.py {name}, or set weights.folder")
    network = NETWORKS[name]()
    fill(network, path)
    return network.eval().requires_grad_(False).to(device, memory_format=torch.channels_last)
