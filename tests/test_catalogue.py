"""tryon/catalogue.py: tables and folders as merchants really have them."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tryon import catalogue
from tryon.catalogue import CatalogueError
from tryon.storage import Storage, StorageError

ROWS = [
    {"product_id": "007", "garment_uri": "a.jpg", "category": "upper", "title": "Shirt, blue"},
    {"product_id": "x|y/../z", "garment_uri": "sub/\u00e9.jpg", "category": "", "title": 'line\nbreak "q"'},
    {"product_id": "9", "garment_uri": "s3://other/b.jpg", "category": "Full", "title": ""},
]


def write(tmp_path, kind: str, rows: list[dict]):
    path = tmp_path / f"t.{kind}"
    if kind == "csv":
        quote = lambda v: '"' + v.replace('"', '""') + '"'  # noqa: E731
        lines = [",".join(rows[0])] + [",".join(quote(v) for v in row.values()) for row in rows]
        path.write_bytes(("\ufeff" + "\r\n".join(lines)).encode())
    elif kind == "jsonl":
        path.write_text("\n\n".join(json.dumps(row) for row in rows))
    else:
        pq.write_table(pa.Table.from_pylist(rows), path, row_group_size=2)
    return str(path)


def flat(chunks) -> list[dict]:
    return [row for chunk in chunks for row in chunk]


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_the_three_kinds_of_table_give_the_same_rows(tmp_path, kind):
    """007 that becomes 7, a BOM in the first column's name, a quoted line break that splits a row, rows out of order."""
    rows = flat(catalogue.products(Storage(), write(tmp_path, kind, ROWS), chunk=2))
    assert [r["product_id"] for r in rows] == ["007", "x|y/../z", "9"] and [r["row"] for r in rows] == [1, 2, 3]
    assert [r["uri"] for r in rows] == [str(tmp_path / "a.jpg"), str(tmp_path / "sub/\u00e9.jpg"), "s3://other/b.jpg"]
    assert [r["category"] for r in rows] == ["upper", "", "full"] and not any(r["reason"] for r in rows)
    assert rows[1]["carried"] == {"title": 'line\nbreak "q"'} and rows[0]["subcategory"] == rows[0]["mask_uri"] == ""


def test_chunks_have_the_size_asked_for_and_come_before_the_table_is_read(tmp_path):
    """A catalogue of a million rows in one list; an error in the last row that hides the first."""
    path = tmp_path / "t.jsonl"
    path.write_text("".join(json.dumps({"product_id": i, "garment_uri": "a.jpg"}) + "\n" for i in range(7)) + "{broken")
    chunks = catalogue.products(Storage(), str(path), chunk=3)
    assert [len(next(chunks)), len(next(chunks))] == [3, 3]
    with pytest.raises(CatalogueError, match="line 8"):
        next(chunks)


def test_ids_are_text_whatever_the_columns_type(tmp_path):
    """An integer id that matches no look, 7.0 out of a column with nulls, a null that becomes the id 'None'."""
    table = pa.table(
        {"person_id": pa.array([7, None, 9], pa.float64()), "person_uri": ["a", "b", "c"], "n": [1, 2, None], "tags": [["x"], [], None]}
    )
    pq.write_table(table, tmp_path / "p.parquet")
    rows = flat(catalogue.people(Storage(), str(tmp_path / "p.parquet")))
    assert [r["person_id"] for r in rows] == ["7", "", "9"] and [r["reason"] for r in rows] == ["", "bad_row", ""]
    assert rows[0]["carried"] == {"n": "1", "tags": '["x"]'} and rows[2]["carried"] == {"n": "", "tags": ""}


def test_a_folder_of_parquet_files_is_one_table(tmp_path):
    """What Spark writes, read as its first file."""
    (tmp_path / "t.parquet").mkdir()
    for i in range(2):
        pq.write_table(pa.table({"person_id": [f"p{i}"], "person_uri": ["a.jpg"]}), tmp_path / "t.parquet" / f"part-{i}.parquet")
    rows = flat(catalogue.people(Storage(), str(tmp_path / "t.parquet")))
    assert [r["person_id"] for r in rows] == ["p0", "p1"] and rows[0]["uri"] == str(tmp_path / "a.jpg")


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"product_id": " "}, "bad_row"),
        ({"garment_uri": ""}, "bad_row"),
        ({"category": "shoe"}, "unknown_category"),
        ({"product_id": "1"}, "duplicate_id"),
        ({"subcategory": "tux"}, ""),
        ({"category": "lower", "subcategory": "dress"}, ""),
        ({"category": "full", "subcategory": "dress"}, ""),
        ({"subcategory": "skirt"}, ""),
        ({"category": "UPPER"}, ""),
    ],
)
def test_a_bad_row_keeps_its_place_and_says_why(tmp_path, row, reason):
    """A row that vanishes, or that ends the run."""
    good = {"product_id": "1", "garment_uri": "a", "category": "", "subcategory": ""}
    rows = flat(catalogue.products(Storage(), write(tmp_path, "csv", [good, good | {"product_id": "2"} | row, good | {"product_id": "3"}])))
    assert [r["reason"] for r in rows] == ["", reason, ""] and bool(rows[1]["detail"]) == bool(reason)


def test_a_subcategory_tells_the_category(tmp_path):
    """A skirt inferred from its photo although the table says what it is."""
    path = write(tmp_path, "csv", [{"product_id": "1", "garment_uri": "a", "subcategory": "skirt"}])
    assert flat(catalogue.products(Storage(), path))[0]["category"] == "lower"


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_looks_keep_the_order_of_garments(tmp_path, kind):
    """[shirt, trousers] worn as [trousers, shirt]; a list column read as its text."""
    ids = [["b", "a"], ["7"], [""]]
    path = write(
        tmp_path, kind, [{"person_id": f"p{i}", "product_ids": "|".join(x) if kind == "csv" else x, "size": "M"} for i, x in enumerate(ids)]
    )
    rows = flat(catalogue.looks(Storage(), path))
    assert [r["product_ids"] for r in rows] == [("b", "a"), ("7",), ("",)] and [r["reason"] for r in rows] == ["", "", "bad_row"]
    assert rows[0]["carried"] == {"size": "M"}


@pytest.mark.parametrize("where", ["local", "s3"])
def test_a_folder_of_pictures_is_a_table(tmp_path, request, where):
    """Text files taken for garments; two pictures of one name; a prefix listing that also takes its neighbour's objects."""
    root = str(tmp_path) if where == "local" else f"s3://{request.getfixturevalue('s3_bucket')}"
    s = Storage()
    for name in ("in/b/shirt.JPG", "in/a.png", "in/a.webp", "in/readme.txt", "in-2/c.png"):
        s.write(s.join(root, name), b"x")
    rows = flat(catalogue.products(s, s.join(root, "in/")))
    assert [(r["product_id"], r["uri"], r["reason"]) for r in rows] == [
        ("a", s.join(root, "in/a.png"), ""),
        ("a", s.join(root, "in/a.webp"), "duplicate_id"),
        ("b/shirt", s.join(root, "in/b/shirt.JPG"), ""),
    ]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("none.csv", None, ["none.csv", "no such"]),
        ("none.parquet", None, ["none.parquet", "no such"]),
        ("empty", None, ["no pictures", ".parquet"]),
        ("a.csv", b"", ["product_id", "none"]),
        ("a.csv", b"id,url\n1,2\n", ["product_id", "garment_uri", "id, url"]),
        ("a.parquet", b"PAR1 no", ["not a readable"]),
        ("a.csv", b"product_id,garment_uri\n1,2,3\n", ["line 2", "more cells"]),
        ("a.csv", b"product_id,garment_uri\n\xff,2\n", ["utf-8"]),
        ("a.jsonl", b"[1]\n", ["line 1", "object"]),
        ("a.jsonl", b'{"product_id": 1}\n', ["garment_uri"]),
        ("a.xlsx", b"x", [".parquet"]),
    ],
)
def test_an_unusable_table_is_one_line_that_names_it(tmp_path, name, content, words):
    """A traceback of pyarrow; 'KeyError: product_id'."""
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(CatalogueError) as e:
        flat(catalogue.products(Storage(), str(tmp_path / name)))
    assert name in str(e.value) and all(word in str(e.value) for word in words) and "\n" not in str(e.value)


def test_tables_on_s3_are_read_and_a_missing_one_or_bucket_is_named(s3_bucket):
    """A wrong bucket that looks like an empty catalogue."""
    s = Storage()
    s.write(f"s3://{s3_bucket}/feed/t.csv", b"person_id,person_uri\np,a.jpg\n")
    assert flat(catalogue.people(s, f"s3://{s3_bucket}/feed/t.csv"))[0]["uri"] == f"s3://{s3_bucket}/feed/a.jpg"
    pq.write_table(
        pa.table({"person_id": ["p"], "person_uri": ["b.jpg"]}), f"{s3_bucket}/feed/t.parquet", filesystem=s.filesystem("s3://x/")[0]
    )
    assert flat(catalogue.people(s, f"s3://{s3_bucket}/feed/t.parquet"))[0]["uri"] == f"s3://{s3_bucket}/feed/b.jpg"
    for missing in ("feed/no.csv", "feed/no.parquet", "nofolder"):
        with pytest.raises(CatalogueError, match="no"):
            flat(catalogue.people(s, f"s3://{s3_bucket}/{missing}"))
    with pytest.raises(StorageError, match="no-such-bucket"):
        flat(catalogue.people(s, "s3://no-such-bucket/t.csv"))
