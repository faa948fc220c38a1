"""The gallery's pages, read back with an HTML parser from the folder they were written to."""
import json
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest

from tryon.report import gallery


class Folder:
    """Local storage: URIs are paths."""

    def join(self, root, *parts):
        return "/".join((root, *parts))

    def write(self, uri, data, content_type):
        Path(uri).parent.mkdir(parents=True, exist_ok=True)
        Path(uri).write_bytes(data)


class Page(HTMLParser):
    """``tags``: (name, attributes) in order; ``text``: what a reader sees, style and script left out."""

    def __init__(self, path: Path):
        super().__init__()
        self.tags, self.text, self.raw = [], "", False
        self.feed(path.read_text())

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.raw = tag in ("style", "script")

    def handle_endtag(self, tag):
        self.raw = False

    def handle_data(self, data):
        self.text += "" if self.raw else data

    def attributes(self, tag, name):
        return [attrs[name] for t, attrs in self.tags if t == tag and name in attrs]


def look(number, status="ok", **changed):
    row = {
        "look_id": f"{number:064x}", "person_id": f"p{number % 3}", "product_ids": [f"sku-{number}"], "status": status,
        "reason": {"ok": None, "review": "low_score", "failed": "no_person"}[status], "detail": None,
        "score": None if status == "failed" else 0.75,
        "image_key": None if status == "failed" else f"images/{number:02x}/{number:064x}.webp",
        "width": 768, "height": 1024, "person_thumb": "report/thumbs/p.jpg", "garment_thumbs": ["report/thumbs/g.jpg"], "title": None,
    }
    return row | changed


@pytest.fixture
def render(tmp_path):
    """Writes a gallery of the looks into a fresh folder and returns that of its pages."""
    def write(looks, title="a shop"):
        counts = {s: sum(row["status"] == s for row in looks) for s in ("ok", "review", "failed")}
        summary = {"looks": len(looks), **counts, "seconds": 3725.0, "looks_per_second": 1.5}
        uri = gallery.write(Folder(), str(tmp_path), title, iter(looks), summary)
        assert uri == str(tmp_path / "report" / "index.html")
        return tmp_path / "report"
    return write


def test_every_look_is_on_exactly_one_page(render):
    """Catches looks lost or repeated where one page ends and the next begins."""
    report = render([look(n) for n in range(401)])
    pages = sorted(report.glob("*.html"))
    assert [p.name for p in pages] == ["index.html", "page-2.html", "page-3.html"]
    ids = [Page(p).attributes("article", "id") for p in pages]
    assert [len(i) for i in ids] == [200, 200, 1]
    assert sorted(sum(ids, [])) == [look(n)["look_id"] for n in range(401)]


def test_pages_do_not_depend_on_the_order_of_the_looks(render):
    """Catches pages that differ from run to run because result shards come in any order."""
    looks = [look(n) for n in range(250)]
    first = {p.name: p.read_bytes() for p in render(looks).iterdir()}
    assert first == {p.name: p.read_bytes() for p in render(looks[::-1]).iterdir()}


def test_merchant_strings_stay_text(render):
    """Catches stored XSS: a title, an id, a reason or a detail that becomes markup."""
    evil = "</script></title>\"'><img src=x onerror=alert(1)><script>alert(2)</script>&lt;"
    names = ("person_id", "title", "detail")
    plain = [look(0, title="t"), look(1, "failed", title="t", detail="d")]
    nasty = [row | {n: evil for n in names if row[n]} | {"product_ids": [evil]} for row in plain]
    nasty[1]["reason"] = evil
    before, after = Page(render(plain, "shop") / "index.html"), Page(render(nasty, evil) / "index.html")
    grouping = ("section", "h2", "div")  # the two looks now share a person, so there are fewer of these
    assert [tag for tag, _ in after.tags if tag not in grouping] == [tag for tag, _ in before.tags if tag not in grouping]
    assert not any(name.startswith("on") for _, attrs in after.tags for name in attrs)
    assert after.text.count(evil) >= 6
    assert json.loads(next(v for v in after.attributes("article", "data-products"))) == [evil]


def test_links_stay_inside_the_output(render):
    """Catches absolute links, which break when OUT is moved or opened from file://, and requests to other sites."""
    report = render([look(n, image_thumb="report/thumbs/i.jpg" if n else None) for n in range(201)])
    for path in report.glob("*.html"):
        page = Page(path)
        for link in {unquote(attrs[name]) for _, attrs in page.tags for name in ("src", "href") if name in attrs}:
            assert "//" not in link and not link.startswith("/")
            assert (report / link).resolve().is_relative_to(report.parent)
        assert page.attributes("script", "src") == ["looks.js"]
        assert "http://" not in path.read_text() and "https://" not in path.read_text()
    page = Page(report / "index.html")
    assert f"../images/00/{0:064x}.webp" in page.attributes("img", "src")
    assert page.attributes("img", "src").count("thumbs/i.jpg") == 199 and f"../images/03/{3:064x}.webp" in page.attributes("a", "href")


def test_policy_names_the_script_and_style_of_the_page(render):
    """Catches an edit that makes the browser refuse the page's own script, which shows only as dead filters."""
    page = render([look(0)]).joinpath("index.html").read_text()
    style, script = page.split("<style>")[1].split("</style>")[0], page.split("<script>")[1].split("</script>")[0]
    policy, = [attrs["content"] for _, attrs in Page(render([look(0)]) / "index.html").tags if "http-equiv" in attrs]
    assert f"style-src {gallery._digest(style)}" in policy and gallery._digest(script) in policy
    assert "unsafe" not in policy and " style=" not in page.split("</style>")[1]


def test_images_load_lazily_and_keep_their_place(render):
    """Catches a page of 200 results that loads all pictures at once, or jumps while they come in."""
    page = Page(render([look(n) for n in range(3)]) / "index.html")
    images = [attrs for tag, attrs in page.tags if tag == "img"]
    assert len(images) == 9 and all(attrs["loading"] == "lazy" for attrs in images)
    assert [(a["width"], a["height"]) for a in images if "images/" in a["src"]] == [("768", "1024")] * 3


def test_failures_are_listed_with_reason_and_detail(render):
    """Catches failures that are counted but cannot be found: each is listed first and linked to its page."""
    looks = [look(n, "failed", detail=f"detail {n}") if n % 50 == 7 else look(n) for n in range(260)]
    looks[8] = look(8, "failed", reason="decode_error", detail="not a picture")
    page = Page(render(looks) / "index.html")
    assert "7 failed: 6 no_person, 1 decode_error" in page.text
    assert "not a picture" in page.text and all(f"detail {n}" in page.text for n in range(7, 260, 50))
    for name, anchor in (link.split("#") for link in page.attributes("a", "href") if "#" in link):
        assert anchor in Page(render(looks) / name).attributes("article", "id")


def test_search_index_points_to_the_page_of_each_look(render):
    """Catches a filter that sends the reader to a page where the look is not."""
    report = render([look(n, title=f"title {n}") for n in range(250)])
    text = (report / "looks.js").read_text()
    index = json.loads(text.removeprefix("const LOOKS = ").removesuffix(";\n"))
    assert len(index) == 250
    for number, name in ((1, "index.html"), (2, "page-2.html")):
        shown = [json.loads(v) for v in Page(report / name).attributes("article", "data-products")]
        assert [row[3] for row in index if row[0] == number] == shown


def test_summary_line_says_counts_time_and_rate(render):
    """Catches a summary that leaves the reader to count."""
    text = " ".join(Page(render([look(0), look(1, "review"), look(2, "failed")]) / "index.html").text.split())
    assert "3 looks: 1 ok, 1 to review, 1 failed" in text and "1 h 2 min" in text and "1.50 looks/s" in text


def test_an_empty_run_has_a_page(render):
    """Catches a run without looks that ends in an exception or without the page its last line names."""
    assert "0 looks" in Page(render([]) / "index.html").text
