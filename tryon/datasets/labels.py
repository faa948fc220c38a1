"""Label sets of parse maps -> our classes (schema.PARSE_CLASSES). A label that is neither known nor mapped is an error."""
import functools
import itertools
from collections.abc import Callable, Mapping

import numpy as np

from tryon import schema as S
from tryon.datasets import png
from tryon.datasets.sample import IGNORE, DatasetError
from tryon.datasets.source import Source

_LIMBS = {"left-arm": S.LEFT_ARM, "right-arm": S.RIGHT_ARM, "left-leg": S.LEFT_LEG, "right-leg": S.RIGHT_LEG, "face": S.FACE,
          "left-shoe": S.SHOES, "right-shoe": S.SHOES, "hair": S.HAIR, "background": S.BACKGROUND}
_CLOTHES = {"hat": S.HEADWEAR, "glove": S.ACCESSORY, "sunglasses": S.ACCESSORY, "upper-clothes": S.UPPER, "upper": S.UPPER, "dress": S.FULL,
            "coat": S.OUTER, "socks": S.LEGWEAR, "pants": S.LOWER, "jumpsuits": S.FULL, "scarf": S.ACCESSORY, "skirt": S.LOWER,
            "belt": S.ACCESSORY, "bag": S.BAG, "noise": S.UPPER, "neck": S.NECK}
# Name of a label in the sets below -> our class.
NAMES = _LIMBS | _CLOTHES

_LIP = ("background hat hair glove sunglasses upper-clothes dress coat socks pants jumpsuits scarf skirt face left-arm right-arm left-leg "
        "right-leg left-shoe right-shoe neck").split()
# id -> name. VITON-HD uses LIP's id of jumpsuits for the neck; ACGPN's noise belongs to the upper garment, its 2 and 3 are not in use.
LABEL_SETS: dict[str, dict[int, str]] = {
    "lip": dict(enumerate(_LIP)),
    "viton-hd": dict(enumerate(_LIP[:20])) | {10: "neck"},
    "atr": dict(enumerate(
        "background hat hair sunglasses upper-clothes skirt pants dress belt left-shoe right-shoe face left-leg right-leg left-arm right-arm "
        "bag scarf".split())),
    "acgpn": {0: "background", 1: "hair", 4: "upper", 5: "left-shoe", 6: "right-shoe", 7: "noise", 8: "pants", 9: "left-leg", 10: "right-leg",
              11: "left-arm", 12: "face", 13: "right-arm"},
}


def voc_colours() -> np.ndarray:
    """The 256 colours of PASCAL VOC: the bits of the id, dealt out to R, G and B from the top."""
    n, colours = np.arange(256), np.zeros((256, 3), int)
    for bit in range(8):
        colours |= (n[:, None] >> (3 * bit + np.arange(3)) & 1) << (7 - bit)
    return colours.astype(np.uint8)


# The colours LIP, VITON and VITON-HD are published in; index = id.
LIP_COLOURS = np.array(
    [(0, 0, 0), (128, 0, 0), (255, 0, 0), (0, 85, 0), (170, 0, 51), (255, 85, 0), (0, 0, 85), (0, 119, 221), (85, 85, 0), (0, 85, 85),
     (85, 51, 0), (52, 86, 128), (0, 128, 0), (0, 0, 255), (51, 170, 221), (0, 255, 255), (85, 255, 170), (170, 255, 85), (255, 255, 0),
     (255, 170, 0)], np.uint8)
# Label set -> the palettes its maps are written with, the likelier first: LIP's own, and PASCAL VOC's.
PALETTES = {"lip": (LIP_COLOURS, voc_colours()), "viton-hd": (LIP_COLOURS, voc_colours()), "atr": (voc_colours(),), "acgpn": (voc_colours(),)}


def our_class(name: str, labels: Mapping[str, str], where: str, names: Mapping[str, int] = NAMES) -> int:
    """The class id of a label's name, IGNORE for one mapped to "ignore". Raises DatasetError naming the file and the label."""
    if name in labels:
        target = labels[name]
        if target == "ignore":
            return IGNORE
        if target not in S.PARSE_CLASSES:
            raise DatasetError(f"label {name!r} is mapped to {target!r}, which is none of {', '.join(S.PARSE_CLASSES)}, ignore")
        return S.PARSE_CLASSES.index(target)
    if name not in names:
        raise DatasetError(f"{where}: unknown label {name!r}; map it with --labels to one of {', '.join(S.PARSE_CLASSES)}, ignore")
    return names[name]


def to_classes(ids: np.ndarray, names: Mapping[int, str], labels: Mapping[str, str], where: str) -> np.ndarray:
    """A map of ids (HxW uint8) in our classes. ``labels`` may name a label by its id or its name.

    Raises DatasetError naming the file and the first unknown id.
    """
    table = np.zeros(256, np.uint8)
    for id in np.unique(ids).tolist():
        table[id] = our_class(str(id) if str(id) in labels else names.get(id, str(id)), labels, where)
    return table[ids]


def parse_map(source: Source, uri: str, label_set: str, palettes: Callable[[], tuple[np.ndarray, ...]] = tuple) -> np.ndarray:
    """The parse map at ``uri`` in our classes, HxW uint8. Raises RowError; DatasetError naming the file and an unknown label.

    The colours of an RGB(A) copy are looked up in ``palettes()`` (see ``palettes_in``), then in ``PALETTES``; a map whose colours
    several palettes have is read with the first.
    """
    values, colours = png.read(source.read(uri))
    label_set = source.label_set or label_set
    names = LABEL_SETS[label_set]
    if colours is None:
        return to_classes(values, names, source.labels, uri)
    mapped = [i for i, c in enumerate(colours) if _hex(c) in source.labels]
    rest = [tuple(c) for i, c in enumerate(colours.tolist()) if i not in mapped]
    known = _ids_of(rest, (*palettes(), *PALETTES[label_set]))
    for colour in rest:
        if colour not in known:
            raise DatasetError(f"{uri}: unknown colour {_hex(colour)} in a copy of a palette; map the colours with --labels, "
                               f'as "{_hex(colour)}" = "upper"')
    ids = np.array([0 if i in mapped else known[tuple(c)] for i, c in enumerate(colours.tolist())], np.uint8)
    classes = to_classes(ids, names, source.labels, uri)
    for i in mapped:
        classes[i] = our_class(_hex(colours[i]), source.labels, uri)
    return classes[values]


def _ids_of(colours: list[tuple[int, int, int]], palettes: tuple[np.ndarray, ...]) -> dict[tuple[int, int, int], int]:
    """colour -> id by the first palette that has all of them, else by their grey value, else by the one that has most."""
    # A palette may be filled up with repetitions of a colour: the first one counts.
    tables = [{tuple(c): i for i, c in reversed(list(enumerate(p.tolist())))} for p in palettes]
    for table in tables:
        if all(c in table for c in colours):
            return table
    if all(r == g == b for r, g, b in colours):
        return {c: c[0] for c in colours}
    return max(tables, key=lambda t: sum(c in t for c in colours))


def palettes_in(source: Source, folder: str) -> Callable[[], tuple[np.ndarray, ...]]:
    """The palette of the first palette PNG among the first files of ``folder``, looked for once and only when asked for."""

    @functools.cache
    def find() -> tuple[np.ndarray, ...]:
        for name in itertools.islice(source.files(folder, (".png",)), 16):
            data = source.read(source.uri(folder, name))
            if data.startswith(png.HEADER) and data[25:26] == bytes([png.PALETTE]):
                return (png.palette(data),)
        return ()

    return find


def _hex(colour) -> str:
    return "#{:02x}{:02x}{:02x}".format(*(int(v) for v in colour))
