"""Render a catalogue: every product on every person, or the looks of a table.

    python jobs/render_catalog.py                                                  # the built-in sample store into ./out
    python jobs/render_catalog.py --catalog s3://shop/catalog.parquet --people s3://shop/models/ --out s3://shop/looks
    ray job submit --working-dir . -- python jobs/render_catalog.py --catalog ... --people ... --out ...

The same command goes on after a crash and renders only what is new on the next night.
Exit status: 0 when every look is terminal and at least one was rendered, 1 when not, 2 for bad usage or input.
"""
import contextlib
import itertools
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tryon import catalogue
from tryon.config import GENERATORS, WARPS, Config, ConfigError, parse_args, render_hash
from tryon.leave import leave
from tryon.ledger import Ledger, LockedError, lock, new_run_id
from tryon.models.digest import digest
from tryon.plan import source_key
from tryon.report import gallery
from tryon.schema import FAILED, PIPELINE_VERSION
from tryon.stages import crumbs
from tryon.stages.finish import result
from tryon.stages.thumbs import thumb_key
from tryon.storage import Storage, StorageError, absolute, join, roots


class Interrupted(BaseException):
    """SIGTERM (a spot notice) or Ctrl-C: commit what is finished and stop. No Exception, as KeyboardInterrupt is none: Ray reports those."""


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
    start, notice = time.monotonic(), Notice()
    if not config.input.catalog:
        tables = sample_store()
        config = replace(config, input=replace(config.input, catalog=tables[0], people=tables[1]))
        print(f"no --catalog: rendering the built-in sample store at {os.path.dirname(tables[0])}", flush=True)
    given, out = config.input, absolute(config.output.out)
    config = replace(config, output=replace(config.output, out=out))
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
    needed = ("parser", "pose", "garment", *WARPS[config.render.warp], *GENERATORS[config.render.generator])
    weights, run_id = digest(config.weights.folder, needed), new_run_id()
    seen, plan_ids, progress, interrupted, page = Analysed(), None, None, False, None
    with crumbs.laid(run_id), lock(storage, out, config.storage.lease_seconds) as held:
        notice.defer()
        ledger = Ledger(storage, out, run_id, config, held)
        ledger.load()
        try:
            cluster.connect(config)
            ledger.begin()
            with notice.cuts():
                pipeline = Pipeline(config, storage, run_id, weights, render_hash(config, weights))
                plan = make_plan(pipeline, people, seen)
                plan_ids = {i for batch in plan.iter_batches(batch_size=None, batch_format="pyarrow") for i in batch["look_id"].to_pylist()}
            done = {i for i in plan_ids if ledger.terminal(i, config.run.retry_failed)}
            progress = Progress(len(plan_ids), len(done))
            render(pipeline, ledger, plan, done, progress, notice)
        except Interrupted:
            interrupted = True
        finally:
            cluster.leave()  # nothing may work on the output any more when it is settled
        seconds = time.monotonic() - start
        if plan_ids is not None:
            rows = [gallery_row(r, seen.sha256) for r in ledger.rows() if r["look_id"] in plan_ids]
            counts = {s: sum(r["status"] == s for r in rows) for s in ("ok", "review", "failed")}
            summary = {"looks": len(rows), **counts, "seconds": seconds, "looks_per_second": progress.rate() if progress else 0.0}
            page = gallery.write(storage, out, "tryon: " + os.path.basename(given.catalog.rstrip("/")), rows, summary)
        kept = seen.keys | set(map(thumb_key, plan_ids or ())) if config.run.prune else None
        info = {"analyses": seen.made, "weights": weights, "pipeline_version": PIPELINE_VERSION, "seconds": round(seconds, 1)}
        counts = ledger.finish(plan_ids, info, kept)
    if plan_ids is None:
        raise Interrupted
    if counts["superseded"]:
        print(f"{counts['superseded']} looks are no longer in the plan; their rows lie under superseded/, --prune deletes them and their pictures"
              + (" when every look of the plan is terminal" if config.run.prune else ""))
    print(f"{counts['planned']} looks: {counts['ok']} ok, {counts['review']} review, {counts['failed']} failed, {counts['pending']} pending; "
          f"{counts['rendered']} done by this run in {seconds:.0f} s" + (f"; failures: {counts['reasons']}" if counts["reasons"] else ""))
    print(f"gallery: {page}")
    whole = not interrupted and storage.exists(join(out, "_SUCCESS"))
    return 0 if whole and counts["ok"] + counts["review"] else 1


def make_plan(pipeline, people: list[dict], seen: "Analysed"):
    """Analyse every source that the plan needs, then expand it: a dataset of tryon.stages.expand.LOOK."""
    storage, config = pipeline.storage, pipeline.config
    looks = wanted = None
    if config.input.looks:
        looks = list(named_looks(storage, config))
        wanted = {i for r in itertools.chain(*looks) for i in r["product_ids"]}
        persons = {r["person_id"] for r in itertools.chain(*looks)}
        people = [p for p in people if p["person_id"] in persons]
    index = pipeline.analyse("person", [sources(people, "person_id", 0)], seen.of("person")).take_all()
    index.sort(key=lambda r: r["position"])
    products = pipeline.analyse("garment", product_chunks(storage, config, len(people), wanted), seen.of("garment"))
    seen.show()
    return pipeline.plan(index, products, looks)


def render(pipeline, ledger: Ledger, plan, done: set[str], progress: "Progress", notice: "Notice") -> None:
    """Drive the pipeline and commit its rows in shards. A notice cuts off the waiting for a row, never a commit."""
    config, shard, opened = pipeline.config.run, [], time.monotonic()

    def commit():
        nonlocal shard, opened
        ledger.commit(shard)
        shard, opened = [], time.monotonic()

    try:
        if len(done) < progress.total:
            for row in notice.until(pipeline.render(plan, done)):
                shard.append(result(row) | {"weights": pipeline.weights, "carried": json.loads(row["carried"])})
                progress.count(shard[-1]["status"])
                if len(shard) >= config.shard_rows or time.monotonic() - opened > config.shard_seconds:
                    commit()
    finally:
        commit()
        progress.show(last=True)


class Notice:
    """SIGTERM (a spot notice) and Ctrl-C. Until ``defer`` they raise Interrupted at once, afterwards only where ``cuts`` says so."""

    def __init__(self):
        self.given, self.cutting = False, True
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._receive)

    def _receive(self, number, frame) -> None:
        self.given = True
        if self.cutting:
            self.cutting = False
            raise Interrupted

    def defer(self) -> None:
        self.cutting = False

    @contextlib.contextmanager
    def cuts(self) -> Iterator[None]:
        """Work that a notice cuts off, also one that was given before."""
        self.cutting = True
        try:
            if self.given:
                raise Interrupted
            yield
        finally:
            self.cutting = False

    def until(self, rows: Iterable[dict]) -> Iterator[dict]:
        """``rows`` as they come; a notice ends the waiting for the next one."""
        rows = iter(rows)
        while True:
            with self.cuts():
                row = next(rows, None)
            if row is None:
                return
            yield row


class Analysed:
    """Counts sources as they come back: ``made`` analyses by kind, the ``sha256`` of each (kind, id), and the ``keys`` in the
    output that belong to them."""

    def __init__(self):
        self.made, self.rows, self.shown = {"person": 0, "garment": 0}, {"person": 0, "garment": 0}, time.monotonic()
        self.sha256, self.keys = {}, set()

    def of(self, kind: str):
        def report(table):
            self.rows[kind] += len(table)
            self.made[kind] += sum(bool(a) for a in table["analysed"].to_pylist())
            for row in table.select(["id", "sha256", "key", "uri", "mask_uri"]).to_pylist():
                self.sha256[kind, row["id"]] = row["sha256"]
                self.keys |= {source_key(uri) for uri in (row["uri"], row["mask_uri"]) if uri}
                if row["sha256"]:
                    self.keys |= {row["key"], row["key"] + ".failed", thumb_key(row["sha256"][:64])}
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
        "dressing_keys": row.get("dressing_keys") or [],
        "title": row.get("title") or None, "person_thumb": thumb("person", row["person_id"]),
        "garment_thumbs": [t for i in row["product_ids"] if (t := thumb("garment", i))],
        "image_thumb": thumb_key(row["look_id"]) if row["image_key"] else None}


def dry_run(config: Config, storage: Storage, people: list[dict]) -> int:
    """Read the tables and say what a run would do; nothing is written."""
    products = 0
    problems = [f"people: {p['detail']}" for p in people if p["reason"]]
    for chunk in catalogue.products(storage, config.input.catalog):
        products += len(chunk)
        problems += [f"catalogue: {p['detail']}" for p in chunk if p["reason"]]
    total = products * len(people)
    if config.input.looks:
        looks = list(itertools.chain(*named_looks(storage, config)))
        total, problems = len(looks), problems + [f"looks: {r['detail']}" for r in looks if r["reason"]]
    total = min(total, config.input.limit) if config.input.limit else total
    ledger = Ledger(storage, config.output.out, "dry-run", config)
    known = len(ledger.load())
    print(f"{len(people)} people, {products} products, {total} looks planned; {known} looks have rows in {config.output.out}")
    for line in problems[:20]:
        print("  " + line)
    if len(problems) > 20:
        print(f"  ... and {len(problems) - 20} more rows with problems")
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


if __name__ == "__main__":
    leave(main())
