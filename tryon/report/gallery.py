"""The gallery of a run: static pages under ``report/`` that show every look beside what went into it.

The pages work from a local folder (file://) and wherever OUT is copied to: links are relative, nothing is loaded from elsewhere
(the pages' own Content-Security-Policy forbids it), and without JavaScript everything but filtering is still there. Every string of
a merchant is escaped on its way into HTML and only ever set as text by the script.
"""
import base64
import hashlib
import json
import posixpath
from collections import Counter
from collections.abc import Iterable
from html import escape
from itertools import groupby
from urllib.parse import quote

from tryon.schema import FAILED, REASONS, REVIEW_REASONS, STATUSES

LOOKS_PER_PAGE = 200
FAILURES_LISTED = 500


def write(storage, out: str, title: str, looks: Iterable[dict], summary: dict) -> str:
    """Writes ``report/index.html``, ``page-2.html`` ... and their search index ``looks.js``; returns the URI of the first.

    ``looks``: dicts with ``look_id, person_id, product_ids`` (list of str), ``status`` (ok | review | failed), ``reason`` and
    ``detail`` (str or None), ``score`` (0..1 or None), ``image_key`` (None when failed), ``width, height`` (pixels of that
    image), ``person_thumb`` (key or None), ``garment_thumbs`` (list of keys), ``title`` (of the products, or None) and optionally
    ``dressing_keys`` (keys of the look's sequence: played on demand), ``image_thumb``, a smaller picture to show instead of ``image_key``, which is then only linked. Keys are relative to ``out``.
    All looks are held in memory and shown ordered by person and products, whatever order they come in.
    ``summary``: ``looks, ok, review, failed`` (counts), ``seconds`` (wall-clock) and ``looks_per_second`` (rendered by this run).
    ``storage``: an object with ``write(uri, data, content_type)`` and ``join(root, *parts)``; its exceptions pass through.
    """
    looks = sorted(looks, key=lambda look: (look["person_id"], look["product_ids"], look["look_id"]))
    pages = [looks[i:i + LOOKS_PER_PAGE] for i in range(0, len(looks), LOOKS_PER_PAGE)] or [[]]

    def put(name: str, text: str, content_type: str) -> str:
        uri = storage.join(out, "report", name)
        storage.write(uri, text.encode(), content_type)
        return uri

    index = [[number, look["status"], look["person_id"], look["product_ids"], look["title"] or ""]
             for number, page in enumerate(pages, 1) for look in page]
    put("looks.js", f"const LOOKS = {json.dumps(index)};\n", "text/javascript; charset=utf-8")
    for number in range(len(pages), 0, -1):  # the first page last: it links to all others
        failures = _failures(pages) if number == 1 else ""
        html = _page(title, summary, number, len(pages), _grid(pages[number - 1]), failures)
        uri = put(_page_name(number), html, "text/html; charset=utf-8")
    return uri


def _page_name(number: int) -> str:
    return "index.html" if number == 1 else f"page-{number}.html"


def _page(title: str, summary: dict, number: int, count: int, grid: str, failures: str) -> str:
    links = "".join(
        f'<a data-page="{n}" href="{_page_name(n)}"{" aria-current=page" if n == number else ""}>{n}</a>' for n in range(1, count + 1))
    statuses = "".join(f'<option value="{s}">{s} ({summary[s]:,})</option>' for s in STATUSES)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<title>{escape(title)}</title>
<style>{_STYLE}</style>
</head>
<body data-page="{number}">
<header>
<h1>{escape(title)}</h1>
<p id="summary"><b>{summary["looks"]:,}</b> looks: <b class="ok">{summary["ok"]:,}</b> ok,
<b class="review">{summary["review"]:,}</b> to review, <b class="failed">{summary["failed"]:,}</b> failed
&middot; {_duration(summary["seconds"])} &middot; {summary["looks_per_second"]:.2f} looks/s</p>
<form>
<select name="status" aria-label="status"><option value="">every status</option>{statuses}</select>
<input name="person" list="persons" placeholder="person" aria-label="person" type="search">
<input name="product" list="products" placeholder="product or title" aria-label="product" type="search">
<select name="by" aria-label="group by"><option value="">by person</option><option value="product">by product</option></select>
<output></output>
<datalist id="persons"></datalist><datalist id="products"></datalist>
</form>
<nav{" hidden" if count == 1 else ""}>{links}</nav>
</header>
{failures}
<main>
{grid}
</main>
<dialog><figure></figure></dialog>
<script src="looks.js"></script>
<script>{_SCRIPT}</script>
</body>
</html>
"""


def _grid(looks: list[dict]) -> str:
    sections = []
    for person_id, group in groupby(looks, key=lambda look: look["person_id"]):
        cards = "\n".join(map(_card, group))
        sections.append(f'<section><h2>{escape(person_id)}</h2><div class="grid">\n{cards}\n</div></section>')
    return "\n".join(sections)


def _card(look: dict) -> str:
    products = ", ".join(look["product_ids"])
    name = look["title"] or products
    status, reason = look["status"], look["reason"] or ""
    meaning = (REASONS | REVIEW_REASONS).get(reason, reason)
    if look["image_key"]:
        result = (f'<a class="result" href="{_link(look["image_key"])}">'
                  f'<img loading="lazy" decoding="async" src="{_link(look.get("image_thumb") or look["image_key"])}"'
                  f' width="{look["width"]}" height="{look["height"]}" alt="{escape(name)} on {escape(look["person_id"])}"></a>')
    else:
        result = f'<div class="result"><p>{escape(look["detail"] or meaning)}</p></div>'
    inputs = "".join(
        f'<img loading="lazy" decoding="async" src="{_link(key)}" alt="{alt}">'
        for key, alt in [(look["person_thumb"], "person"), *((key, "garment") for key in look["garment_thumbs"])] if key)
    score = "" if look["score"] is None else f"{look['score']:.2f}"
    film = next((k for k in look.get("dressing_keys") or () if k.endswith((".webp", ".gif", ".mp4", ".sheet.jpg"))), None)
    play = f'<a class="play" href="{_link(film)}" title="being put on" aria-label="play">&#9654;</a>' if film else ""
    badge = "" if status == "ok" else f'<span class="badge {status}" title="{escape(meaning)}">{escape(reason or status)}</span>'
    return (f'<article id="{escape(look["look_id"])}" data-status="{status}" data-person="{escape(look["person_id"])}"'
            f' data-products="{escape(json.dumps(look["product_ids"]))}" data-title="{escape(look["title"] or "")}">'
            f'{result}{badge}{play}<div class="inputs">{inputs}</div>'
            f'<p class="name" title="{escape(products)}">{escape(name)}</p>'
            f'<p class="who"><span>{escape(look["person_id"])}</span><span title="quality score">{score}</span></p></article>')


def _failures(pages: list[list[dict]]) -> str:
    """The list of failed looks on the first page, most frequent reason first; at most ``FAILURES_LISTED`` of them."""
    failed = [(look, number) for number, page in enumerate(pages, 1) for look in page if look["status"] == FAILED]
    if not failed:
        return ""
    counts = Counter(look["reason"] for look, _ in failed)
    failed.sort(key=lambda item: (-counts[item[0]["reason"]], item[0]["reason"]))
    rows = "".join(
        f'<tr><td><a href="{_page_name(number)}#{quote(look["look_id"])}">{escape(look["reason"])}</a></td>'
        f'<td>{escape(look["person_id"])}</td><td>{escape(", ".join(look["product_ids"]))}</td>'
        f'<td>{escape(look["detail"] or REASONS.get(look["reason"], ""))}</td></tr>'
        for look, number in failed[:FAILURES_LISTED])
    reasons = ", ".join(f"{count:,} {escape(reason)}" for reason, count in counts.most_common())
    more = len(failed) - FAILURES_LISTED
    rest = f"<p>{more:,} more are in results/ and on the pages.</p>" if more > 0 else ""
    return (f'<details id="failures"><summary>{len(failed):,} failed: {reasons}</summary><table>'
            f"<tr><th>reason<th>person<th>products<th>detail</tr>{rows}</table>{rest}</details>")


def _link(key: str) -> str:
    """Link from a page under ``report/`` to a key of the output."""
    return quote(posixpath.relpath(key, "report"))


def _duration(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds} s" if minutes else f"{seconds} s"


_STYLE = """
:root { color-scheme: light dark; --ground: light-dark(#f6f5f3, #161616); --card: light-dark(#fff, #222);
  --ink: light-dark(#1d1d1b, #e9e7e3); --faint: light-dark(#77746e, #98948c); --line: light-dark(#e3e0da, #333);
  --ok: #2f8f5b; --review: #b97b10; --failed: #c0392b; }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 14px/1.45 system-ui, sans-serif; }
header { position: sticky; top: 0; z-index: 1; padding: 14px 24px 10px; background: var(--ground); border-bottom: 1px solid var(--line); }
h1 { margin: 0; font-size: 19px; font-weight: 600; }
#summary { margin: 2px 0 10px; color: var(--faint); }
#summary b { color: var(--ink); font-weight: 600; }
#summary b.ok { color: var(--ok); } #summary b.review { color: var(--review); } #summary b.failed { color: var(--failed); }
form { display: flex; flex-wrap: wrap; gap: 8px; align-items: center; }
input, select { font: inherit; color: inherit; background: var(--card); border: 1px solid var(--line); border-radius: 6px;
  padding: 4px 8px; }
output { color: var(--faint); }
nav { display: flex; flex-wrap: wrap; gap: 4px; margin-top: 8px; max-height: 60px; overflow: auto; }
nav[hidden] { display: none; }
nav a { padding: 1px 8px; border-radius: 6px; color: inherit; text-decoration: none; background: var(--card);
  border: 1px solid var(--line); }
nav a[aria-current] { background: var(--ink); color: var(--ground); }
nav a.none { opacity: .3; }
#failures { margin: 16px 24px 0; padding: 8px 14px; background: var(--card); border-left: 3px solid var(--failed); border-radius: 4px; }
#failures summary { cursor: pointer; }
table { border-collapse: collapse; margin-top: 8px; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: 4px 12px 4px 0; border-top: 1px solid var(--line); overflow-wrap: anywhere; }
td a { color: var(--failed); white-space: nowrap; }
main { padding: 4px 24px 48px; }
h2 { margin: 22px 0 8px; font-size: 14px; font-weight: 600; overflow-wrap: anywhere; }
.grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(200px, 1fr)); gap: 14px; }
article { position: relative; background: var(--card); border-radius: 8px; overflow: hidden; box-shadow: 0 1px 2px #0002; }
article:target { outline: 3px solid var(--failed); }
[hidden] { display: none !important; }
.result { display: block; aspect-ratio: 3 / 4; background: light-dark(#efedea, #1b1b1b); }
.result img { width: 100%; height: 100%; object-fit: contain; display: block; }
.result p { margin: 0; padding: 40px 14px; max-height: 100%; overflow: auto; color: var(--faint); overflow-wrap: anywhere;
  white-space: pre-line; }
.badge { position: absolute; top: 8px; left: 8px; padding: 1px 8px; border-radius: 9px; color: #fff; font-size: 12px; }
.badge.review { background: var(--review); } .badge.failed { background: var(--failed); }
.play { position: absolute; top: 8px; right: 8px; width: 30px; height: 30px; border-radius: 50%; background: #000a; color: #fff; text-align: center;
  line-height: 30px; text-decoration: none; }
.inputs { display: flex; gap: 6px; padding: 8px 10px 0; height: 84px; overflow-x: auto; }
.inputs img { height: 76px; max-width: 76px; object-fit: contain; border-radius: 4px; background: light-dark(#efedea, #1b1b1b); }
article p { margin: 0; padding: 2px 10px; }
.name { margin-top: 6px !important; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.who { display: flex; justify-content: space-between; gap: 8px; padding-bottom: 8px !important; color: var(--faint); font-size: 12px; }
.who span { overflow: hidden; text-overflow: ellipsis; }
dialog { border: 0; padding: 0; width: 100vw; height: 100vh; max-width: none; max-height: none; background: #000d; }
dialog figure { margin: 0; height: 100%; display: flex; gap: 2vw; justify-content: center; align-items: center; cursor: zoom-out; }
dialog img, dialog video { max-height: 94vh; max-width: 60vw; object-fit: contain; border-radius: 6px; }
dialog img ~ img, dialog video ~ img { max-height: 60vh; max-width: 22vw; }
"""

# The state of the filters is the fragment of the address, so that it can be shared and goes along from page to page.
_SCRIPT = """
"use strict";
const all = typeof LOOKS === "undefined" ? [] : LOOKS;  // not there when somebody copied a page alone
const here = Number(document.body.dataset.page), form = document.forms[0], fields = ["status", "person", "product", "by"];
const main = document.querySelector("main"), cards = [...document.querySelectorAll("article")], dialog = document.querySelector("dialog");
const known = { person: new Set(all.map(l => l[2])), product: new Set(all.flatMap(l => l[3])) };
const make = (tag, props) => Object.assign(document.createElement(tag), props);
for (const name of ["person", "product"])
  document.getElementById(name + "s").append(...[...known[name]].sort().map(value => make("option", { value })));

// A full id is matched exactly, so that SKU-1 does not show SKU-10; anything else is looked for inside ids and titles.
function matches(status, person, products, title) {
  const want = n => form[n].value, has = (text, part) => text.toLowerCase().includes(part.toLowerCase());
  return (!want("status") || want("status") === status)
    && (known.person.has(want("person")) ? person === want("person") : has(person, want("person")))
    && (known.product.has(want("product")) ? products.includes(want("product")) : [...products, title].some(t => has(t, want("product"))));
}

function group() {
  const groups = new Map(), byProduct = form.by.value === "product";
  for (const card of cards) {
    const name = byProduct ? JSON.parse(card.dataset.products).join(", ") : card.dataset.person;
    groups.set(name, [...(groups.get(name) || []), card]);
  }
  main.replaceChildren(...[...groups].map(([name, members]) => {
    const section = make("section", {}), grid = make("div", { className: "grid" });
    grid.append(...members);
    section.append(make("h2", { textContent: name }), grid);
    return section;
  }));
}

function filter() {
  let shown = 0;
  for (const card of cards) {
    const { status, person, products, title } = card.dataset;
    card.hidden = !matches(status, person, JSON.parse(products), title);
    shown += !card.hidden;
  }
  for (const section of document.querySelectorAll("section")) section.hidden = !section.querySelector("article:not([hidden])");
  const pages = all.filter(l => matches(...l.slice(1))).map(l => l[0]), found = new Set(pages);
  const set = fields.filter(n => form[n].value), state = new URLSearchParams(set.map(n => [n, form[n].value])).toString();
  for (const link of document.querySelectorAll("nav a")) {
    link.hash = state;
    link.className = found.has(Number(link.dataset.page)) ? "" : "none";
  }
  const elsewhere = pages.filter(page => page !== here).length, filtered = set.some(n => n !== "by");
  form.querySelector("output").textContent = filtered ? shown + " here" + (elsewhere ? ", " + elsewhere + " on other pages" : "") : "";
  return state;
}

function restore() {
  if (document.getElementById(location.hash.slice(1))) return;  // a link to one look
  const state = new URLSearchParams(location.hash.slice(1));
  for (const name of fields) form[name].value = state.get(name) || "";
  group();
  filter();
}

form.addEventListener("submit", event => event.preventDefault());
form.addEventListener("input", event => {
  if (event.target.name === "by") group();
  history.replaceState(null, "", "#" + filter());
});
addEventListener("hashchange", restore);
restore();

// A click on a result opens it at full size beside the photos it was made from; the arrow keys go on from there.
let open;
function show(card, film) {
  if (!card) return;
  open = card;
  const full = !film ? make("img", { src: card.querySelector("a.result").href, alt: "" })
    : film.endsWith(".mp4") ? make("video", { src: film, autoplay: true, loop: true, muted: true, controls: true }) : make("img", { src: film, alt: "" });
  const inputs = [...card.querySelectorAll(".inputs img")].map(i => make("img", { src: i.src, alt: i.alt }));
  dialog.firstElementChild.replaceChildren(full, ...inputs);
  if (!dialog.open) dialog.showModal();
}
main.addEventListener("click", event => {
  const link = event.target.closest("a.result, a.play");
  if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    show(link.closest("article"), link.className === "play" && link.href);
  }
});
dialog.addEventListener("click", () => dialog.close());
dialog.addEventListener("keydown", event => {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  const visible = [...main.querySelectorAll("article:not([hidden])")].filter(card => card.querySelector("a.result"));
  if (step) show(visible[visible.indexOf(open) + step]);
});
"""


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


# Runs this file's style and script and nothing else, so that markup slipping through an escape could neither act nor load anything.
_POLICY = (f"default-src 'none'; img-src 'self' file:; media-src 'self' file:; style-src {_digest(_STYLE)}; script-src 'self' file: {_digest(_SCRIPT)};"
           " base-uri 'none'; form-action 'none'")
