"""The pairs files of the VITON family: a line is a person's and a garment's file name, and sometimes more."""
from collections.abc import Mapping

from tryon.datasets.sample import DatasetError
from tryon.datasets.source import Source


def read_pairs(source: Source, files: Mapping[str, str]) -> dict[str, list[tuple[str, ...]]]:
    """key -> the lines of each file of ``files`` (key -> name below the root) that exists, each line once, in order.

    ``source.pairs``, when given, is read for the key "test" alone.

    Raises DatasetError when there is none of them, and for a line that does not name two files, with its number.
    """
    found = {}
    if source.pairs:
        files = {"test": source.pairs}
    for key, name in files.items():
        uri = source.pairs or source.uri(name)
        if not source.storage.exists(uri):
            continue
        lines = {}
        for number, line in enumerate(source.storage.read(uri).decode("utf-8-sig").splitlines(), 1):
            words = tuple(line.split())
            if len(words) == 1 or any("/" in w for w in words):
                raise DatasetError(f"{uri}, line {number}: {line.strip()[:80]!r} does not name a person and a garment, as 000001_0.jpg 000001_1.jpg")
            if words:
                lines[words] = None
        found[key] = list(lines)
    if not found:
        raise DatasetError(f"there is none of {', '.join(files.values())} in {source.root}: they name the pairs of this format")
    return found
