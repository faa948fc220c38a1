"""Names that are pure functions of content: the same work has the same key on any machine and any storage.

No merchant string becomes part of a key: every variable part is a hex digest or a word of this package.
"""

import hashlib
import json


def _digest(*parts) -> str:
    # JSON, because it is injective: ["ab", "c"] and ["a", "bc"] differ, which joined strings would not.
    return hashlib.sha256(json.dumps(parts, ensure_ascii=True).encode()).hexdigest()


def look_id(product_ids: list[str] | tuple[str, ...], person_id: str, sources: list[str], render_hash: str) -> str:
    """The identity of a look, 32 hex digits.

    product_ids: in dressing order. sources: for the person, then each garment, the sha256 of the bytes, or of the
    URI when it cannot be read. render_hash: see tryon.config.render_hash.
    """
    return _digest("look", list(product_ids), person_id, list(sources), render_hash)[:32]


def image_key(look_id: str, format: str) -> str:
    """Where a look's picture is, below the output: images/ab/ab12....webp"""
    return f"images/{look_id[:2]}/{look_id}.{format}"


def dressing_key(look_id: str, end: str) -> str:
    """Where a file of a look's dressing sequence is: images/ab/ab12....dressing.webp, .dressing.json, .dressing.000.jpg"""
    return f"images/{look_id[:2]}/{look_id}.dressing.{end}"


def analysis_key(kind: str, sha256s: list[str], category: str, weights: str) -> str:
    """Where an analysis is cached: state/analyses/<kind>/ab/ab12....npz

    kind: "person" or "garment". sha256s: of the bytes it was made from (photo, mask). category: as given, "" if inferred.
    """
    digest = _digest(kind, list(sha256s), category, weights)
    return f"state/analyses/{kind}/{digest[:2]}/{digest}.npz"


def source_key(uri: str) -> str:
    """Where the index entry of a source is (its etag and the sha256 of its bytes): state/sources/ab/ab12....json"""
    digest = hashlib.sha256(uri.encode("utf-8", "surrogatepass")).hexdigest()
    return f"state/sources/{digest[:2]}/{digest}.json"
