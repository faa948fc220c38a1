"""70 / 15 / 15 by a hash of the identity, before anything else, so that nothing leaks."""
import hashlib


def split_of(identity: str) -> str:
    """``train``, ``val`` or ``test``; depends on the identity string alone."""
    bucket = int.from_bytes(hashlib.sha256(identity.encode()).digest()[:4], "big") % 100
    return "train" if bucket < 70 else "val" if bucket < 85 else "test"
