"""Reading the tables a merchant gives: products, people, looks; row by row, in order, never a whole table at once.

A table is parquet (a file or a folder of them), CSV or JSONL; products and people may also be a folder of pictures,
whose ids are then their paths without extension. Every value is text, whatever the column's type. A row that cannot
be used keeps its place and says why in ``reason`` and ``detail``.
"""

import csv
import io
import itertools
import json
import os
from collections.abc import Iterator

import pyarrow
import pyarrow.dataset

from tryon import storage as storage_module
from tryon.schema import CATEGORIES, SUBCATEGORIES
from tryon.storage import Storage

PICTURE_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".avif", ".bmp", ".tif", ".tiff")


class CatalogueError(Exception):
    """A table or folder cannot be used at all; the message is one line that names it and what to do."""


def products(storage: Storage, uri: str, chunk: int = 512) -> Iterator[list[dict]]:
    """Rows ``product_id, uri, category ("": infer), subcategory, mask_uri, on_model_uri, carried, row, reason, detail``.

    ``row`` counts from 1; ``carried`` maps the other columns to their text; URIs are absolute. Raises CatalogueError.
    """
    seen: set[str] = set()

    def product(row: dict, base: str, number: int) -> dict:
        p = _take(row, base, number, "product_id", "garment_uri", ("category", "subcategory", "mask_uri", "on_model_uri"), seen)
        p["mask_uri"], p["on_model_uri"] = (uri and storage_module.resolve(base, uri) for uri in (p["mask_uri"], p["on_model_uri"]))
        category, subcategory = p["category"], p["subcategory"] = p["category"].lower(), p["subcategory"].lower()
        parents = [c for c in CATEGORIES if subcategory in SUBCATEGORIES[c]]
        if category and category not in CATEGORIES:
            return _bad(p, "unknown_category", f"category {category!r} is none of {', '.join(CATEGORIES)}")
        # A merchant's own word for the kind ("polo") is no error: the photo decides.
        p["subcategory"] = subcategory if parents and category in ("", *parents) else ""
        p["category"] = category or (parents[0] if parents else "")
        return p

    return _chunks(storage, uri, chunk, ("product_id", "garment_uri"), product)


def people(storage: Storage, uri: str, chunk: int = 512) -> Iterator[list[dict]]:
    """Rows ``person_id, uri, carried, row, reason, detail``; see ``products``. Raises CatalogueError."""
    seen: set[str] = set()
    return _chunks(
        storage,
        uri,
        chunk,
        ("person_id", "person_uri"),
        lambda row, base, number: _take(row, base, number, "person_id", "person_uri", (), seen),
    )


def looks(storage: Storage, uri: str, chunk: int = 512) -> Iterator[list[dict]]:
    """Rows ``person_id, product_ids (tuple, in dressing order), carried, row, reason, detail``. Raises CatalogueError.

    The same look on two rows is given twice. Whether the ids exist is for the caller to see.
    """

    def look(row: dict, base: str, number: int) -> dict:
        ids = row["product_ids"]
        ids = tuple(_text(i).strip() for i in (ids if isinstance(ids, list) else _text(ids).split("|")))
        found = {
            "person_id": _text(row["person_id"]).strip(),
            "product_ids": ids,
            "carried": _carried(row, ("person_id", "product_ids")),
            "row": number,
            "reason": "",
            "detail": "",
        }
        if not found["person_id"] or not ids or not all(ids):
            return _bad(found, "bad_row", f"row {number} has an empty person_id or product id")
        return found

    if not storage_module.is_table(uri):
        raise CatalogueError(f"--looks {uri}: give a table ({', '.join(storage_module.TABLE_SUFFIXES)})")
    return _chunks(storage, uri, chunk, ("person_id", "product_ids"), look)


def _take(row: dict, base: str, number: int, id: str, uri: str, optional: tuple[str, ...], seen: set[str]) -> dict:
    """The row of one photo, with its id under the column's name and its URI under "uri"."""
    names = (id, uri, *optional)
    taken = {name: _text(row.get(name)).strip() for name in names}
    taken["uri"] = taken.pop(uri)
    taken |= {"carried": _carried(row, names), "row": number, "reason": "", "detail": ""}
    empty = [name for name, value in ((id, taken[id]), (uri, taken["uri"])) if not value]
    if empty:
        return _bad(taken, "bad_row", f"row {number}: {' and '.join(empty)} empty")
    taken["uri"] = storage_module.resolve(base, taken["uri"])
    if taken[id] in seen:
        return _bad(taken, "duplicate_id", f"row {number}: an earlier row has the {id} {taken[id]!r}")
    seen.add(taken[id])
    return taken


def _bad(row: dict, reason: str, detail: str) -> dict:
    return row if row["reason"] else row | {"reason": reason, "detail": detail}


def _carried(row: dict, names: tuple[str, ...]) -> dict[str, str]:
    return {str(name): _text(value) for name, value in row.items() if name not in names}


def _text(value) -> str:
    """Any cell as text; null and NaN are empty, 7 and 7.0 (an integer column that had nulls) are "7"."""
    if value is None or value != value:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return json.dumps(value, ensure_ascii=False, default=str) if isinstance(value, list | dict) else str(value)


def _chunks(storage: Storage, uri: str, chunk: int, required: tuple[str, str], make) -> Iterator[list[dict]]:
    """``make(row, base, number)`` of every row, in lists of ``chunk``."""
    base = storage_module.folder(uri)
    number = itertools.count(1)
    rows = _table(storage, uri, chunk, required) if storage_module.is_table(uri) else _pictures(storage, uri, required)
    while some := list(itertools.islice(rows, chunk)):
        yield [make(row, base, next(number)) for row in some]


def _pictures(storage: Storage, uri: str, columns: tuple[str, str]) -> Iterator[dict]:
    """The pictures below a folder, as rows of a table."""
    base = storage_module.absolute(uri)
    storage.check(base)
    found = False
    for picture, _ in storage.list(base):
        name, suffix = os.path.splitext(picture.removeprefix(base + "/"))
        if suffix.lower() in PICTURE_SUFFIXES:
            found = True
            yield dict(zip(columns, (name, picture), strict=True))
    if not found:
        raise CatalogueError(
            f"{uri}: no pictures there ({', '.join(PICTURE_SUFFIXES)}), and it is no table ({', '.join(storage_module.TABLE_SUFFIXES)})"
        )


def _table(storage: Storage, uri: str, chunk: int, required: tuple[str, ...]) -> Iterator[dict]:
    """The rows of a table as they are written. Raises CatalogueError; StorageError when the bucket cannot be used."""
    uri = storage_module.absolute(uri)
    storage.check(uri)
    read = {".parquet": _parquet, ".csv": _csv, ".jsonl": _jsonl}[os.path.splitext(uri)[1].lower()]
    filesystem, path = storage.filesystem(uri)
    try:
        yield from read(filesystem, path, chunk, lambda columns: _require(uri, columns, required))
    except FileNotFoundError as e:
        raise CatalogueError(f"{uri}: there is no such table") from e
    except (OSError, pyarrow.ArrowException, ValueError, csv.Error) as e:
        raise CatalogueError(f"{uri}: not a readable table: {' '.join(str(e).split())[:300]}") from e


def _require(uri: str, columns: list[str], required: tuple[str, ...]) -> None:
    missing = [name for name in required if name not in columns]
    if missing:
        raise CatalogueError(f"{uri}: column {' and '.join(missing)} missing; the columns are {', '.join(map(str, columns)) or 'none'}")


def _parquet(filesystem, path: str, chunk: int, require) -> Iterator[dict]:
    table = pyarrow.dataset.dataset(path, filesystem=filesystem, format="parquet")
    require(table.schema.names)
    for batch in table.scanner(batch_size=chunk, batch_readahead=1, fragment_readahead=1, use_threads=False).to_batches():
        yield from batch.to_pylist()


def _csv(filesystem, path: str, chunk: int, require) -> Iterator[dict]:
    # The csv module and not pyarrow's reader: nothing is inferred, so the id 007 stays 007.
    reader = csv.DictReader(_lines(filesystem, path), restkey="", strict=True)
    require(reader.fieldnames or [])
    for row in reader:
        if "" in row and row[""]:
            raise ValueError(f"line {reader.line_num} has more cells than the header; is a comma or quote not escaped?")
        yield row


def _jsonl(filesystem, path: str, chunk: int, require) -> Iterator[dict]:
    for number, line in enumerate(_lines(filesystem, path), 1):
        if not line.strip():
            continue
        try:
            # Numbers as they are written: an id 1e3 or 007.10 is a name, not an amount.
            row = json.loads(line, parse_int=str, parse_float=str)
        except ValueError as e:
            raise ValueError(f"line {number}: {e}") from e
        if not isinstance(row, dict):
            raise ValueError(f"line {number} is no JSON object")
        if number == 1:
            require(list(row))
        yield row


def _lines(filesystem, path: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BufferedReader(filesystem.open_input_stream(path, compression=None)), encoding="utf-8-sig", newline="")
