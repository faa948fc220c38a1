"""tryon/datasets/labels.py: ids, names and colours in our classes."""

import handmade
import numpy as np
import pytest

from tryon import schema as S
from tryon.datasets import labels
from tryon.datasets.labels import LABEL_SETS, our_class, parse_map, to_classes
from tryon.datasets.sample import IGNORE, DatasetError
from tryon.datasets.source import Source

# (label set, id) -> our class, typed from FORMATS.md.
EXPECTED = {
    "lip": "background headwear hair accessory accessory upper full outer legwear lower full accessory lower face left_arm right_arm left_leg "
    "right_leg shoes shoes neck",
    "viton-hd": "background headwear hair accessory accessory upper full outer legwear lower neck accessory lower face left_arm right_arm left_leg "
    "right_leg shoes shoes",
    "atr": "background headwear hair accessory upper lower lower full accessory shoes shoes face left_leg right_leg left_arm right_arm bag accessory",
    "acgpn": "background hair - - upper shoes shoes upper lower left_leg right_leg left_arm face right_arm",
}


@pytest.mark.parametrize("name", EXPECTED)
def test_every_id_has_its_class_and_the_others_are_unknown(name):
    """VITON-HD's neck read as LIP's jumpsuits; ATR's ids looked up in LIP; ACGPN's noise as a class of its own; left and right swapped."""
    for id, cls in enumerate(EXPECTED[name].split()):
        if cls == "-":
            with pytest.raises(DatasetError, match=f"a.png.*'{id}'"):
                to_classes(np.array([[id]]), LABEL_SETS[name], {}, "a.png")
        else:
            assert to_classes(np.array([[id]]), LABEL_SETS[name], {}, "a.png") == S.PARSE_CLASSES.index(cls), f"{name} {id}"
    with pytest.raises(DatasetError, match=f"a.png.*'{id + 1}'"):
        to_classes(np.array([[0, id + 1]]), LABEL_SETS[name], {}, "a.png")


def test_a_mapping_names_labels_by_id_or_name_and_may_ignore_them():
    """A mapping that is asked only after the format's own table; an ignored label that becomes background."""
    ids = np.array([[10, 20, 21, 7]])
    mapped = to_classes(ids, LABEL_SETS["lip"], {"jumpsuits": "lower", "20": "ignore", "21": "bag"}, "a.png")
    assert mapped.tolist() == [[S.LOWER, IGNORE, S.BAG, S.OUTER]]
    with pytest.raises(DatasetError, match="'coat'.*'jacket'"):
        our_class("coat", {"coat": "jacket"}, "a.png")


def test_palettes_are_lips_and_pascals():
    """A wrong colour: a label read as another one wherever the map is a copy in colour."""
    assert ["{:02x}{:02x}{:02x}".format(*c) for c in labels.LIP_COLOURS] == handmade.LIP_COLOURS
    assert labels.PALETTES["atr"][0][[0, 1, 2, 3, 8, 15, 255]].tolist() == [
        [0, 0, 0], [128, 0, 0], [0, 128, 0], [128, 128, 0], [64, 0, 0], [192, 128, 128], [224, 224, 192]]  # fmt: skip


ROWS = [[0, 5, 12], [13, 14, 18]]
OWN = ["000000", "0000ff", *(f"{i:02x}10{i:02x}" for i in range(2, 20))]  # a palette of nobody's


@pytest.mark.parametrize("mode", ["P", "RGB", "RGBA"])
@pytest.mark.parametrize("colours", [handmade.LIP_COLOURS, OWN])
def test_a_palette_png_and_its_copies_in_colour_read_alike(tmp_path, mode, colours):
    """A copy whose colours are looked up in another palette than that of its neighbours in the folder."""
    image = handmade.palette_image(ROWS, colours)
    image = image if mode == "P" else image.convert(mode)
    handmade.write(tmp_path, {"p/b.png": handmade.palette([[0]], colours), "p/a.png": handmade.save(image, "PNG")})
    source = Source.at(str(tmp_path))
    found = parse_map(source, source.uri("p", "a.png"), "lip", labels.palettes_in(source, "p"))
    assert found.tolist() == [[S.BACKGROUND, S.UPPER, S.LOWER], [S.FACE, S.LEFT_ARM, S.SHOES]]


def test_colours_without_a_neighbour_are_lips_pascals_or_grey(tmp_path):
    """A set that was converted as a whole, without one palette PNG left."""
    pascal = ["{:02x}{:02x}{:02x}".format(*c) for c in labels.PALETTES["lip"][1][:20]]
    for name, colours in {"pascal": pascal, "lip": handmade.LIP_COLOURS, "grey": [f"{i:02x}" * 3 for i in range(20)]}.items():
        handmade.write(tmp_path, {f"{name}.png": handmade.save(handmade.palette_image(ROWS, colours).convert("RGB"), "PNG")})
        source = Source.at(str(tmp_path))
        found = parse_map(source, source.uri(f"{name}.png"), "lip")
        assert found.tolist() == [[S.BACKGROUND, S.UPPER, S.LOWER], [S.FACE, S.LEFT_ARM, S.SHOES]], name


def test_lips_colours_mean_nothing_in_another_set(tmp_path):
    """A Dress Code map in PASCAL's colours read with LIP's: (0, 128, 0) is 2 there, the hair, and LIP's 12, ATR's left leg."""
    copy = handmade.save(handmade.palette_image([[0, 1, 2]], ["000000", "800000", "008000"]).convert("RGB"), "PNG")
    source = Source.at(handmade.write(tmp_path, {"a.png": copy}))
    assert parse_map(source, source.uri("a.png"), "atr").tolist() == [[S.BACKGROUND, S.HEADWEAR, S.HAIR]]
    assert parse_map(source, source.uri("a.png"), "lip").tolist() == [[S.BACKGROUND, S.HEADWEAR, S.LOWER]]


def test_an_unknown_colour_names_file_and_colour_and_can_be_mapped(tmp_path):
    """The nearest colour taken, or the pixel left as background."""
    handmade.write(tmp_path, {"a.png": handmade.save(handmade.palette_image([[0, 1, 2]], ["000000", "ff0000", "0102ff"]).convert("RGB"), "PNG")})
    source = Source.at(str(tmp_path))
    with pytest.raises(DatasetError, match="a.png.*#0102ff"):
        parse_map(source, source.uri("a.png"), "lip")
    source = Source.at(str(tmp_path), labels={"#0102ff": "bag"})
    assert parse_map(source, source.uri("a.png"), "lip").tolist() == [[S.BACKGROUND, S.HAIR, S.BAG]]


def test_another_label_set_can_be_named(tmp_path):
    """A VITON folder with ACGPN's maps, read with LIP's labels."""
    handmade.write(tmp_path, {"a.png": handmade.grey([[7, 13]])})
    source = Source.at(str(tmp_path), label_set="acgpn")
    assert parse_map(source, source.uri("a.png"), "lip").tolist() == [[S.UPPER, S.RIGHT_ARM]]
