"""The identity of a set of weight files; apart from weights.py so that the driver need not import torch."""
import hashlib
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "weights"


def digest(folder: str | Path = "", needed: tuple[str, ...] = ()) -> str:
    """One hash over all ``*.safetensors`` of ``folder`` (empty: the package's), 16 hex digits: part of every look's id.

    Raises FileNotFoundError when there are none, or not those of the networks ``needed``.
    """
    paths = sorted(Path(folder or FOLDER).glob("*.safetensors"))
    if not paths:
        raise FileNotFoundError(f"no weights (*.safetensors) in {folder or FOLDER}: check weights.folder")
    if missing := sorted(set(needed) - {path.stem for path in paths}):
        raise FileNotFoundError(f"no weights of {missing[0]} in {folder or FOLDER}: train them with jobs/train.py, or check weights.folder")
    h = hashlib.sha256()
    for path in paths:
        h.update(path.name.encode() + hashlib.sha256(path.read_bytes()).digest())
    return h.hexdigest()[:16]
