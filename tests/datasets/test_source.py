"""tryon/datasets/source.py: what may be read, and mapping files."""

import handmade
import pytest

from tryon.datasets.sample import DatasetError, SampleError
from tryon.datasets.source import Source, load_labels, parse_json, whole_json
from tryon.schema import RowError


def test_files_outside_the_set_are_denied_unless_allowed(tmp_path):
    """A downloaded annotation that names /etc/passwd."""
    handmade.write(tmp_path, {"set/a.jpg": b"a", "set2/b.jpg": b"b", "other/c.jpg": b"c"})
    source = Source.at(str(tmp_path / "set"), allow=(str(tmp_path / "other"),))
    assert source.read(source.uri("a.jpg")) == b"a" and source.read(str(tmp_path / "other/c.jpg")) == b"c"
    for uri in (source.uri("../set2/b.jpg"), str(tmp_path / "set2/b.jpg"), "/etc/passwd", "s3://bucket/a"):
        with pytest.raises(RowError) as e:
            source.read(uri)
        assert e.value.reason == "uri_denied"


def test_files_are_listed_relative_to_their_folder(tmp_path):
    """IDs with half a path in front; a folder whose name begins alike."""
    handmade.write(tmp_path, {"a/x.JPG": b"", "a/b/y.jpg": b"", "ab/z.jpg": b"", "a/n.txt": b""})
    source = Source.at(str(tmp_path) + "/")
    assert sorted(source.files("a", (".jpg",))) == ["b/y.jpg", "x.JPG"] and sorted(source.files("", (".txt",))) == ["a/n.txt"]
    assert source.has("a/b") and not source.has("b")
    with pytest.raises(DatasetError, match="masks.*a, masks"):
        source.require("a", "masks")


@pytest.mark.parametrize(("name", "text"), [("l.json", '{"coat": "outer", "20": "neck"}'), ("l.toml", 'coat = "outer"\n20 = "neck"'),
                                            ("l.toml", '[labels]\ncoat = "outer"\n"20" = "neck"')])  # fmt: skip
def test_a_mapping_is_a_table_of_text(tmp_path, name, text):
    """An id that is a number in one file and text in the other."""
    assert load_labels(handmade.write(tmp_path, {name: text}) + "/" + name) == {"coat": "outer", "20": "neck"}


@pytest.mark.parametrize(("name", "text"), [("l.json", "{"), ("l.json", "[1]"), ("l.json", '{"a": 1}'), ("l.toml", "a ="), ("none.json", None)])
def test_a_wrong_mapping_is_named(tmp_path, name, text):
    """A traceback for a missing comma."""
    if text is not None:
        handmade.write(tmp_path, {name: text})
    with pytest.raises(DatasetError, match=name):
        load_labels(str(tmp_path / name))


@pytest.mark.parametrize("data", [b"", b"{", b"\xff\xfe", b"[1]"])
def test_json_that_is_none_costs_a_sample_or_the_set(data):
    """The set given up for one sample's file, or a sample for the set's."""
    with pytest.raises(SampleError, match="a.json"):
        parse_json(data, "a.json")
    with pytest.raises(DatasetError, match="a.json"):
        whole_json(data, "a.json")
