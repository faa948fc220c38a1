"""Render a catalogue: every product on every person, or the looks of a table.

    python jobs/render_catalog.py                                                  # the built-in sample store into ./out
    python jobs/render_catalog.py --catalog s3://shop/catalog.parquet --people s3://shop/models/ --out s3://shop/looks
    ray job submit --working-dir . -- python jobs/render_catalog.py --catalog ... --people ... --out ...

The same command goes on after a crash and renders only what is new on the next night.
Exit status: 0 when every look is terminal and at least one was rendered, 1 when not, 2 for bad usage or input.
"""
import itertools
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tryon import catalogue
from tryon.config import Config, ConfigError, parse_args, render_hash
from tryon.ledger import Ledger, LockedError, lock, new_run_id
from tryon.models.digest import digest
from tryon.report import gallery
from tryon.schema import FAILED, PIPELINE_VERSION
from tryon.stages.keys import crumbs, thumb_key
from tryon.storage import Storage, StorageError, absolute, join, roots


class Interrupted(Exception):
    """SIGTERM (a spot notice) or Ctrl-C: commit what is finished and stop."""


def main(argv: list[str] | None = None) -> int:
    config = parse_args(argv, description=__doc__)
    try:
        return run(config)
    except (ConfigError, catalogue.CatalogueError, StorageError, LockedError, FileNotFoundError) as e:
        print(f"error: {' '.join(str(e).split())}", file=sys.stderr)
        return 2
    except Interrupted:
        print("stopped before the plan was complete; run the same command again", file=sys.stderr)
        return 1


def run(config: Config) -> int:
    start = time.monotonic()
    if not config.input.catalog:
        tables = sample_store()
        config = replace(config, input=replace(config.input, catalog=tables[0], people=tables[1]))
        print(f"no --catalog: rendering the built-in sample store at {os.path.dirname(tables[0])}", flush=True)
    given, out = config.input, absolute(config.output.out)
    config = replace(config, output=replace(config.output, out=out))
    if config.output.dressing != "none":
        print(f"--dressing {config.output.dressing}: dressing sequences are not made yet; this run renders stills only", flush=True)
    storage = Storage(config.storage, roots(tuple(filter(None, (given.catalog, given.people, given.looks))), given.allow))
    for uri in (out, *map(absolute, filter(None, (given.catalog, given.people, given.looks)))):
        storage.check(uri)
    people = [row for chunk in catalogue.people(storage, given.people) for row in chunk]
    # The first rows are read here for the errors of the tables, which are told before anything is started.
    next(catalogue.products(storage, given.catalog), None)
    if given.looks:
        next(catalogue.looks(storage, given.looks), None)
    if config.run.dry_run:
        return dry_run(config, storage, people)

    from tryon import cluster  # Ray takes seconds to import; bad input is told before
    from tryon.pipeline import Pipeline
    weights, run_id = digest(config.weights.folder), new_run_id()
    with lock(storage, out, config.storage.lease_seconds) as held:
        ledger = Ledger(storage, out, run_id, config, held)
        ledger.load()
        ledger.begin()
        cluster.connect(config)
        for number in (signal.SIGTERM, signal.SIGINT):  # after Ray, which sets handlers of its own
            signal.signal(number, _interrupt)
        pipeline = Pipeline(config, storage, run_id, weights, render_hash(config, weights))

        looks = named_looks(storage, config) if given.looks else None
        wanted = None
        if looks is not None:
            looks = list(looks)
            wanted = ({r["person_id"] for c in looks for r in c}, {i for r in itertools.chain(*looks) for i in r["product_ids"]})
            people = [p for p in people if p["person_id"] in wanted[0]]
        seen = Analysed()
        people_index = pipeline.analyse("person", [sources(people, "person_id", 0)], seen.of("person")).take_all()
        people_index.sort(key=lambda r: r["position"])
        products = pipeline.analyse("garment", product_chunks(storage, config, len(people), wanted and wanted[1]), seen.of("garment"))
        seen.show()

        plan = pipeline.plan(people_index, products, looks)
        plan_ids = {i for batch in plan.iter_batches(batch_size=None, batch_format="pyarrow") for i in batch["look_id"].to_pylist()}
        done = {i for i in plan_ids if ledger.terminal(i, config.run.retry_failed)}
        progress = Progress(len(plan_ids), len(done))
        interrupted = False
        try:
            render(pipeline, ledger, plan, done, config, weights, progress)
        except Interrupted:
            interrupted = True
        rows = [gallery_row(r, seen.sha256) for r in ledger.rows() if r["look_id"] in plan_ids]
        seconds = time.monotonic() - start
        counts = {s: sum(r["status"] == s for r in rows) for s in ("ok", "review", "failed")}
        summary = {"looks": len(rows), **counts, "seconds": seconds, "looks_per_second": progress.rate()}
        page = gallery.write(storage, out, "tryon: " + os.path.basename(given.catalog.rstrip("/")), rows, summary)
        counts = ledger.finish(plan_ids, {"analyses": seen.made, "weights": weights, "pipeline_version": PIPELINE_VERSION, "seconds": round(seconds, 1)})
    if counts["superseded"] and not config.run.prune:
        print(f"{counts['superseded']} looks are no longer in the plan; their rows lie under superseded/, --prune deletes them and their pictures")
    shutil.rmtree(crumbs(run_id), ignore_errors=True)
    whole = not interrupted and not counts["pending"] and storage.exists(join(out, "_SUCCESS"))
    print(f"{counts['planned']} looks: {counts['ok']} ok, {counts['review']} review, {counts['failed']} failed, {counts['pending']} pending; "
          f"{counts['rendered']} done by this run in {seconds:.0f} s" + (f"; failures: {counts['reasons']}" if counts["reasons"] else ""))
    print(f"gallery: {page}")
    return 0 if whole and counts["ok"] + counts["review"] else 1


def render(pipeline, ledger: Ledger, plan, done: set[str], config: Config, weights: str, progress: "Progress") -> None:
    """Drive the pipeline and commit its rows in shards."""
    from tryon.stages.render import result
    shard, opened = [], time.monotonic()

    def commit():
        nonlocal shard, opened
        ledger.commit(shard)
        shard, opened = [], time.monotonic()

    try:
        if len(done) < progress.total:
            for row in pipeline.render(plan, done):
                shard.append(result(row) | {"weights": weights, "carried": json.loads(row["carried"])})
                progress.count(shard[-1]["status"])
                if len(shard) >= config.run.shard_rows or time.monotonic() - opened > config.run.shard_seconds:
                    commit()
    finally:
        commit()
        progress.show(last=True)


class Analysed:
    """Counts sources as they come back: ``made`` analyses by kind, and the ``sha256`` of each (kind, id)."""

    def __init__(self):
        self.made, self.rows, self.sha256, self.shown = {"person": 0, "garment": 0}, {"person": 0, "garment": 0}, {}, time.monotonic()

    def of(self, kind: str):
        def report(table):
            self.rows[kind] += len(table)
            self.made[kind] += sum(bool(a) for a in table["analysed"].to_pylist())
            self.sha256 |= {(kind, i): s for i, s in zip(table["id"].to_pylist(), table["sha256"].to_pylist())}
            if time.monotonic() - self.shown > 5:
                self.show()
        return report

    def show(self) -> None:
        self.shown = time.monotonic()
        print(f"{self.rows['person']} people and {self.rows['garment']} garments seen, {sum(self.made.values())} of them analysed by this run", flush=True)


class Progress:
    """One line now and then: done/total, ok/failed, looks per second, time left."""

    def __init__(self, total: int, done: int):
        self.total, self.before, self.fresh, self.failed = total, done, 0, 0
        self.start, self.first, self.shown = time.monotonic(), 0.0, time.monotonic()
        print(f"{total} looks planned, {done} of them done before, {total - done} to do", flush=True)

    def count(self, status: str) -> None:
        self.fresh += 1
        self.first = self.first or time.monotonic()
        self.failed += status == FAILED
        if time.monotonic() - self.shown > (1 if sys.stdout.isatty() else 5):
            self.show()

    def rate(self) -> float:
        return self.fresh / max(time.monotonic() - self.start, 1e-3)

    def show(self, last: bool = False) -> None:
        self.shown = time.monotonic()
        # The time left is judged from the first look on: before it, workers start and networks load.
        pace = (time.monotonic() - self.first) / (self.fresh - 1) if self.fresh > 1 else 0.0
        left = pace * (self.total - self.before - self.fresh)
        print(f"{self.before + self.fresh}/{self.total} looks, {self.fresh - self.failed} ok, {self.failed} failed, {self.rate():.2f} looks/s, "
              + ("done" if last else f"{int(left) // 60}:{int(left) % 60:02d} left"), flush=True)


def sources(rows: list[dict], id: str, position: int) -> list[dict]:
    """Rows of the catalogue as tryon.stages.fetch.SOURCE."""
    return [{"position": position + i, "id": r[id], "uri": r["uri"], "mask_uri": r.get("mask_uri", ""), "category": r.get("category", ""),
             "subcategory": r.get("subcategory", ""), "carried": json.dumps(r["carried"]), "reason": r["reason"], "detail": r["detail"],
             "traceback": ""} for i, r in enumerate(rows)]


def product_chunks(storage: Storage, config: Config, people: int, wanted: set[str] | None):
    """The catalogue as source rows, chunk by chunk; only as far as the limit asks, and only what named looks use."""
    position, limit = 0, config.input.limit if wanted is None else 0
    for chunk in catalogue.products(storage, config.input.catalog, config.cluster.block_rows):
        if wanted is not None:
            chunk = [r for r in chunk if r["product_id"] in wanted]
        if limit:
            chunk = chunk[:max(0, -(-limit // max(people, 1)) - position)]
            if not chunk:
                return
        yield sources(chunk, "product_id", position)
        position += len(chunk)


def named_looks(storage: Storage, config: Config):
    """The looks table in chunks, each look once, as far as the limit asks."""
    seen, position = set(), 0
    for chunk in catalogue.looks(storage, config.input.looks, config.cluster.block_rows):
        rows = []
        for row in chunk:
            key = (row["person_id"], row["product_ids"])
            if (key in seen and not row["reason"]) or (config.input.limit and position >= config.input.limit):
                continue
            seen.add(key)
            rows.append({k: row[k] for k in ("person_id", "reason", "detail")} | {
                "product_ids": list(row["product_ids"]), "carried": json.dumps(row["carried"]), "position": position})
            position += 1
        yield rows


def gallery_row(row: dict, thumbs: dict) -> dict:
    thumb = lambda kind, id: thumb_key(thumbs[kind, id][:64]) if thumbs.get((kind, id)) else None
    return {k: row[k] for k in ("look_id", "person_id", "product_ids", "status", "reason", "detail", "score", "image_key", "width", "height")} | {
        "title": row.get("title") or None, "person_thumb": thumb("person", row["person_id"]),
        "garment_thumbs": [t for i in row["product_ids"] if (t := thumb("garment", i))],
        "image_thumb": thumb_key(row["look_id"]) if row["image_key"] else None}


def dry_run(config: Config, storage: Storage, people: list[dict]) -> int:
    """Read the tables and say what a run would do; nothing is written."""
    products = bad = 0
    problems = [f"people: {p['detail']}" for p in people if p["reason"]]
    for chunk in catalogue.products(storage, config.input.catalog):
        products += len(chunk)
        problems += [f"catalogue: {p['detail']}" for p in chunk if p["reason"]]
    total = products * len(people)
    if config.input.looks:
        total = sum(len(c) for c in named_looks(storage, config))
    total = min(total, config.input.limit) if config.input.limit else total
    ledger = Ledger(storage, config.output.out, "dry-run", config)
    known = len(ledger.load())
    bad = len(problems)
    print(f"{len(people)} people, {products} products, {total} looks planned; {known} looks have rows in {config.output.out}")
    for line in problems[:20]:
        print("  " + line)
    if bad > 20:
        print(f"  ... and {bad - 20} more rows with problems")
    print("dry run: nothing was rendered or written")
    return 0


def sample_store() -> tuple[str, str]:
    """Tables of the built-in sample store, drawn once per machine and version into the temporary folder."""
    folder = Path(tempfile.gettempdir()) / f"tryon-sample-store-{os.getuid()}-v{PIPELINE_VERSION}"
    if not folder.exists():
        from tryon.sample import write_store
        fresh = Path(tempfile.mkdtemp(prefix="tryon-sample-"))
        write_store(fresh)
        try:
            fresh.rename(folder)
        except OSError:  # another process was faster
            shutil.rmtree(fresh)
    return str(folder / "catalog.csv"), str(folder / "people.csv")


def _interrupt(signum, frame):
    raise Interrupted


if __name__ == "__main__":
    status = main()
    if "ray" in sys.modules:
        sys.modules["ray"].shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    # As in jobs/verify.py: native threads that abort while the interpreter goes down must not change the exit status.
    os._exit(status)
