"""tryon/datasets/pairs.py: the lines of a pairs file."""

import handmade
import pytest

from tryon.datasets.pairs import read_pairs
from tryon.datasets.sample import DatasetError
from tryon.datasets.source import Source

FILES = {"train": "train_pairs.txt", "test": "test_pairs.txt"}


def test_lines_in_order_once_each_whatever_their_ends(tmp_path):
    """A BOM in the first file name; a carriage return in the last; an empty line that is a pair; a pair read twice."""
    handmade.write(tmp_path, {"test_pairs.txt": "\ufeffb_0.jpg b_1.jpg\r\n\r\na_0.jpg\ta_1.jpg\t2\nb_0.jpg b_1.jpg\n"})
    assert read_pairs(Source.at(str(tmp_path)), FILES) == {"test": [("b_0.jpg", "b_1.jpg"), ("a_0.jpg", "a_1.jpg", "2")]}


@pytest.mark.parametrize("line", ["a_0.jpg", "../a_0.jpg a_1.jpg"])
def test_a_bad_line_is_named_with_its_number(tmp_path, line):
    """A file outside the folder; 'not enough values to unpack'."""
    handmade.write(tmp_path, {"train_pairs.txt": f"b_0.jpg b_1.jpg\n{line}\n"})
    with pytest.raises(DatasetError, match="train_pairs.txt, line 2"):
        read_pairs(Source.at(str(tmp_path)), FILES)


def test_no_file_at_all_is_named(tmp_path):
    """A wrong folder that looks like an empty set."""
    with pytest.raises(DatasetError, match="train_pairs.txt, test_pairs.txt"):
        read_pairs(Source.at(str(tmp_path)), FILES)
