"""What has been rendered: the rows, the order in which they become true, and who may write.

    OUT/images/ab/ab12....webp      pictures, and files of dressing sequences, put before their row
    OUT/results/<shard>.parquet     rows, put before their marker
    OUT/failures/<shard>.jsonl      the failed rows of that shard, with tracebacks
    OUT/state/commits/<shard>.json  marker: row count and sha256 of the shard, and the shards it replaces
    OUT/superseded/<shard>.parquet  rows of looks that are no longer in the plan; their pictures are kept until --prune
    OUT/report/thumbs, OUT/state/analyses, OUT/state/sources   what stages keep of sources and looks, until --prune
    OUT/run.json, OUT/_SUCCESS | OUT/_PARTIAL   written last

A row is true once its marker exists. A process may be killed between any two puts: what has no marker is debris and
is deleted by the next run, and a shard is deleted only after the marker of the one that replaces it is there. What is
not protected: somebody else deleting or changing objects (``verify`` finds that), and on a local disk the loss of
power between a rename and its reaching the disk.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import socket
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq

from tryon import images
from tryon.config import Config, ImageConfig
from tryon.schema import FAILED, REASONS, STATUSES, TRANSIENT_REASONS, RowError
from tryon.storage import NotFoundError, Storage, StorageError, absolute, is_s3, join

RESULT_SCHEMA = pa.schema(
    [
        ("look_id", pa.string()),
        ("person_id", pa.string()),
        ("product_ids", pa.list_(pa.string())),
        ("status", pa.string()),
        ("reason", pa.string()),
        ("detail", pa.string()),
        ("image_key", pa.string()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("sha256", pa.string()),
        ("score", pa.float32()),
        ("dressing_keys", pa.list_(pa.string())),
        ("ms_fetch", pa.float32()),
        ("ms_fit", pa.float32()),
        ("ms_generate", pa.float32()),
        ("ms_dress", pa.float32()),
        ("ms_finish", pa.float32()),
        ("weights", pa.string()),
        ("attempt", pa.int32()),
        ("run_id", pa.string()),
    ]
)
_RECORD_COLUMNS = ("look_id", "status", "reason", "attempt", "image_key", "dressing_keys", "run_id")


class LockedError(Exception):
    """Another run writes to this output, or has taken it over; the message names it."""


@dataclass(slots=True)
class Record:
    """What a run must know of a look that has a row. shard: the file below results/ or superseded/ that holds it."""

    status: str
    reason: str
    attempt: int
    keys: tuple[str, ...]  # of its picture and the files of its dressing sequence
    run_id: str
    shard: str
    superseded: bool
    image_lost: bool


def new_run_id() -> str:
    """A name for a run that sorts by time and no other run has."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:8]}"


class Ledger:
    """The ledger of one output. Use: ``lock``, then ``load``, ``begin``, ``commit`` as rows come, ``finish``.

    run_id: see ``new_run_id``. held: what ``lock`` gave; it is asked before every commit whether it still holds.
    Every method raises StorageError when the output cannot be read or written.
    """

    def __init__(self, storage: Storage, out: str, run_id: str, config: Config, held: "LocalLock | Lease | None" = None):
        self.storage, self.out, self.run_id, self.config, self.held = storage, absolute(out), run_id, config, held
        self.looks: dict[str, Record] = {}
        self.shards: list[str] = []
        self._debris: list[str] = []
        self._shard_number = 0

    def load(self) -> dict[str, Record]:
        """Read every committed row, and the superseded ones: look_id -> the record of its latest attempt.

        Changes nothing in the output, so it also serves a dry run.
        """
        there = {self._relative(uri) for uri, _ in self.storage.list(join(self.out, "images"))}
        files = [
            self._relative(uri) for top in ("state/commits", "results", "failures") for uri, _ in self.storage.list(join(self.out, top))
        ]
        tables, replaced = {}, set()
        for name in (_stem(f) for f in files if f.startswith("state/commits/") and f.endswith(".json")):
            marker, table = self._committed(name)
            if table is not None:
                tables[name] = table
                replaced.update(marker["replaces"])
        self.shards = [name for name in tables if name not in replaced]
        kept = set(self.shards)
        self._debris = [f for f in files if _stem(f) not in kept]
        self.looks = {}
        for name in self.shards:
            self._index(tables[name], name, False, there)
        for name in self._superseded_files():
            self._index(self._read_table("superseded", name), name, True, there)
        return self.looks

    def begin(self) -> None:
        """Say that a run is under way: remove _SUCCESS, _PARTIAL and what a killed run left behind. After ``load``."""
        for marker in ("_SUCCESS", "_PARTIAL"):
            self.storage.delete(join(self.out, marker))
        # Markers first: a shard must never lack what its marker promises.
        for file in sorted(self._debris, key=lambda f: not f.startswith("state/")):
            self.storage.delete(join(self.out, file))
        self._debris = []

    def terminal(self, look_id: str, retry_failed: bool = False) -> bool:
        """Whether the look needs no work: rendered with its picture in place, or failed for a reason that will not pass."""
        record = self.looks.get(look_id)
        if record is None or record.image_lost:
            return False
        if record.status == FAILED:
            return record.reason not in TRANSIENT_REASONS and not retry_failed
        return True

    def commit(self, rows: Iterable[dict]) -> None:
        """Make rows true. Their pictures must have been put.

        rows: a dict of RESULT_SCHEMA's names (what is left out is null; attempt and run_id are filled in here), with
        ``carried`` (name -> text) and, of a failed row, ``traceback``. A row delivered twice in one run counts once.
        Raises LockedError when another run has taken over.
        """
        fresh = {}
        for row in rows:
            before = self.looks.get(row["look_id"])
            if before is None or before.run_id != self.run_id or before.status != row["status"]:
                fresh[row["look_id"]] = row | {"attempt": before.attempt + 1 if before else 1, "run_id": self.run_id}
        if not fresh:
            return
        table = _table(list(fresh.values()))
        failures = [
            {
                "look_id": r["look_id"],
                "person_id": r["person_id"],
                "product_ids": list(r["product_ids"]),
                "reason": r["reason"],
                "detail": r.get("detail", ""),
                "traceback": r.get("traceback", ""),
            }
            for r in fresh.values()
            if r["status"] == FAILED
        ]
        self._index(table, self._write_shard(table, failures, []), False, None)

    def rows(self) -> Iterator[dict]:
        """Every committed row, shard by shard; after ``finish`` exactly one per look of the plan."""
        for name in self.shards:
            for row in self._read_table("results", name).to_pylist():
                record = self.looks.get(row["look_id"])
                if record and record.shard == name and not record.superseded:
                    yield row

    def finish(self, plan_ids: set[str] | None, info: dict | None = None, kept: set[str] | None = None) -> dict:
        """Bring the output to the state of the plan and say how the run ended; returns the counts.

        Afterwards results/ holds one row, the latest, per look of the plan; rows of other looks lie under superseded/
        (and are deleted with their pictures if the configuration says prune); pictures that no row names are gone.
        run.json gets the configuration, the counts and ``info``; _SUCCESS means that every look of the plan is
        terminal, _PARTIAL that some are pending or failed for a reason that may pass. Killed half-way, the next
        run's ``finish`` does the rest.

        plan_ids None: the run was stopped before its plan was known. Every row then stays where it is, ``planned`` and
        ``pending`` are None, and the run is partial. kept: see ``prune``. Nothing is pruned unless every look of the plan
        is terminal: a source that cannot be reached tonight gives its look another id, and its picture must not go for that.
        """
        # Read again: what is decided here is decided on what is stored, not on what this process remembers.
        self.load()
        self.begin()
        if plan_ids is not None:
            self._take_back(plan_ids)
            for name in list(self.shards):
                self._settle(name, plan_ids)
        current = [(i, r) for i, r in self.looks.items() if not r.superseded]
        pending = None if plan_ids is None else len(plan_ids) - len(current)
        whole = pending == 0 and all(self.terminal(i) for i, _ in current)
        pruned = self.prune(kept) if whole and self.config.run.prune else []
        orphans = self._delete_but("images", {key for r in self.looks.values() for key in r.keys})
        counts = _counts((r.status, r.reason) for _, r in current) | {
            "planned": None if plan_ids is None else len(plan_ids),
            "pending": pending,
            "rendered": sum(r.run_id == self.run_id for _, r in current),
            "superseded": len(self.looks) - len(current),
            "pruned": len(pruned),
            "orphans_deleted": orphans,
        }
        document = {
            "run_id": self.run_id,
            "finished": datetime.now(UTC).isoformat(timespec="seconds"),
            "counts": counts,
            "config": self.config.to_dict(),
        } | (info or {})
        self._check()
        self.storage.write(join(self.out, "run.json"), json.dumps(document, indent=1).encode(), "application/json")
        self.storage.write(join(self.out, "_SUCCESS" if whole else "_PARTIAL"), b"", "text/plain")
        return counts

    def superseded(self) -> list[str]:
        """The keys of the pictures and sequences whose looks are no longer in the plan."""
        return [key for r in self.looks.values() if r.superseded for key in r.keys]

    def prune(self, kept: set[str] | None = None) -> list[str]:
        """Delete superseded pictures and rows; returns the keys of the pictures. ``finish`` does it when configured.

        kept: the keys of all analyses, source hashes and small pictures that the plan uses; all others are deleted too.
        None: they stay.
        """
        self._check()
        keys = self.superseded()
        for key in keys:
            self.storage.delete(join(self.out, key))
        for name in self._superseded_files():
            self.storage.delete(self._file("superseded", name))
        self.looks = {i: r for i, r in self.looks.items() if not r.superseded}
        if kept is not None:
            for top in ("report/thumbs", "state/analyses", "state/sources"):
                self._delete_but(top, kept)
        return keys

    def _delete_but(self, top: str, kept: set[str]) -> int:
        """Delete what lies below ``top``, but for the ``kept`` keys; returns the number of objects deleted."""
        gone = [uri for uri, _ in self.storage.list(join(self.out, top)) if self._relative(uri) not in kept]
        for uri in gone:
            self.storage.delete(uri)
        return len(gone)

    def _take_back(self, plan_ids: set[str]) -> None:
        """Superseded rows of looks that are in the plan again become results; those with a newer result go."""
        for name in self._superseded_files():
            table = self._read_table("superseded", name)
            ids = table["look_id"].to_pylist()
            records = [self.looks.get(i) for i in ids]
            mine = [r is not None and r.superseded and r.shard == name for r in records]
            back = [m and i in plan_ids for m, i in zip(mine, ids, strict=True)]
            if any(back):
                # A row whose picture somebody deleted is not taken back: the look is pending.
                good = table.filter([b and not r.image_lost for b, r in zip(back, records, strict=True)])
                if len(good):
                    self._move(good, self._write_shard(good, [], []), False)
                for i, b, r in zip(ids, back, records, strict=True):
                    if b and r.image_lost:
                        del self.looks[i]
            rest = table.filter([m and not b for m, b in zip(mine, back, strict=True)])
            if not len(rest):
                self.storage.delete(self._file("superseded", name))
            elif len(rest) < len(table):
                self.storage.write(self._file("superseded", name), _parquet(rest))

    def _settle(self, name: str, plan_ids: set[str]) -> None:
        """Rewrite a shard that holds more than the latest rows of planned looks."""
        table = self._read_table("results", name)
        ids = table["look_id"].to_pylist()
        latest = [self.looks[i].shard == name and not self.looks[i].superseded for i in ids]
        keep = [new and i in plan_ids for new, i in zip(latest, ids, strict=True)]
        if all(keep):
            return
        leave = table.filter([new and not k for new, k in zip(latest, keep, strict=True)])
        if len(leave):
            self.storage.write(self._file("superseded", name), _parquet(leave))
            self._move(leave, name, True)
        kept = table.filter(keep)
        if len(kept):
            ids_kept = set(kept["look_id"].to_pylist())
            failures = [f for f in self._read_failures(name) if f["look_id"] in ids_kept]
            self._move(kept, self._write_shard(kept, failures, [name]), False)
        self.shards.remove(name)
        for file in (f"state/commits/{name}.json", f"results/{name}.parquet", f"failures/{name}.jsonl"):
            self.storage.delete(join(self.out, file))

    def _index(self, table: pa.Table, shard: str, superseded: bool, there: set[str] | None) -> None:
        """Note the rows of a shard. there: the keys of all pictures, None for rows of now, whose pictures are in place.

        Of two rows of one look the later attempt counts; a superseded row counts only if there is no other.
        """
        for row in table.select([c for c in _RECORD_COLUMNS if c in table.column_names]).to_pylist():
            old = self.looks.get(row["look_id"])
            if there is not None and old and (superseded or old.attempt > row["attempt"]):
                continue
            keys = _keys(row)
            self.looks[row["look_id"]] = Record(
                row["status"],
                row["reason"] or "",
                row["attempt"],
                keys,
                row["run_id"],
                shard,
                superseded,
                image_lost=there is not None and not there.issuperset(keys),
            )

    def _move(self, table: pa.Table, shard: str, superseded: bool) -> None:
        for look_id in table["look_id"].to_pylist():
            self.looks[look_id].shard, self.looks[look_id].superseded = shard, superseded

    def _write_shard(self, table: pa.Table, failures: list[dict], replaces: list[str]) -> str:
        self._check()
        self._shard_number += 1
        name = f"{self.run_id}-{self._shard_number:06d}"
        data = _parquet(table)
        self.storage.write(self._file("results", name), data)
        if failures:
            lines = "".join(json.dumps(f) + "\n" for f in failures)
            self.storage.write(join(self.out, f"failures/{name}.jsonl"), lines.encode(), "application/jsonl")
        marker = {"rows": len(table), "sha256": hashlib.sha256(data).hexdigest(), "replaces": replaces}
        self._check()
        self.storage.write(join(self.out, f"state/commits/{name}.json"), json.dumps(marker).encode(), "application/json")
        self.shards.append(name)
        return name

    def _committed(self, name: str) -> tuple[dict, pa.Table | None]:
        """The marker of a shard, and its table if that is what the marker promises."""
        marker = json.loads(self.storage.read(join(self.out, f"state/commits/{name}.json")))
        try:
            data = self.storage.read(self._file("results", name))
        except NotFoundError:
            return marker, None
        if hashlib.sha256(data).hexdigest() != marker["sha256"]:
            return marker, None
        return marker, pq.ParquetFile(pa.BufferReader(data)).read(columns=list(_RECORD_COLUMNS))

    def _read_table(self, top: str, name: str) -> pa.Table:
        return _read_parquet(self.storage.read(self._file(top, name)))

    def _read_failures(self, name: str) -> list[dict]:
        try:
            data = self.storage.read(join(self.out, f"failures/{name}.jsonl"))
        except NotFoundError:
            return []
        return [json.loads(line) for line in data.splitlines()]

    def _superseded_files(self) -> list[str]:
        return [_stem(uri) for uri, _ in self.storage.list(join(self.out, "superseded")) if uri.endswith(".parquet")]

    def _file(self, top: str, name: str) -> str:
        return join(self.out, top, name + ".parquet")

    def _relative(self, uri: str) -> str:
        return uri.removeprefix(self.out + "/")

    def _check(self) -> None:
        if self.held:
            self.held.check()


def _keys(row: dict) -> tuple[str, ...]:
    """Of what a row says has been put. Rows of former versions know no dressing."""
    return *filter(None, (row["image_key"],)), *(row.get("dressing_keys") or ())


def _stem(path: str) -> str:
    # A half-written file (".name.parquet.uuid.tmp") has a stem that no shard has.
    return path.rpartition("/")[2].rpartition(".")[0]


def _parquet(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    return sink.getvalue().to_pybytes()


def _read_parquet(data: bytes) -> pa.Table:
    return pq.read_table(pa.BufferReader(data))


def _table(rows: list[dict]) -> pa.Table:
    """Rows as a table of RESULT_SCHEMA and the carried columns, of which a reserved name gets "catalogue_" before it."""
    carried = dict.fromkeys(name for row in rows for name in row.get("carried", ()))
    taken = set(RESULT_SCHEMA.names)
    columns = {f.name: pa.array([row.get(f.name) for row in rows], f.type) for f in RESULT_SCHEMA}
    for name in carried:
        values = pa.array([row.get("carried", {}).get(name, "") for row in rows], pa.string())
        columns[f"catalogue_{name}" if name in taken else name] = values
    return pa.table(columns)


def _counts(outcomes: Iterable[tuple[str, str]]) -> dict:
    outcomes = list(outcomes)
    statuses = Counter(status for status, _ in outcomes)
    return {
        **{status: statuses[status] for status in STATUSES},
        "reasons": dict(sorted(Counter(reason for status, reason in outcomes if status == FAILED).items())),
    }


class LocalLock:
    """A lock of the operating system on OUT/state/lock: it ends with its process, however that ends."""

    def __init__(self, out: str):
        os.makedirs(join(out, "state"), exist_ok=True)
        self._file = open(join(out, "state", "lock"), "a+")  # noqa: SIM115 - open as long as the lock is held
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.seek(0)
            holder = self._file.read() or "{}"
            self._file.close()
            raise _locked(out, json.loads(holder)) from None
        self._file.truncate(0)
        self._file.write(json.dumps(_holder()))
        self._file.flush()

    def check(self) -> None:
        """The operating system does not take a lock away."""

    def release(self) -> None:
        self._file.close()


class Lease:
    """A lease on an S3 output: the object OUT/state/lease.json, changed only by conditional puts and renewed by a thread.

    Clocks of two machines are never compared: who wants a lease that is held waits until it has not changed for
    lease_seconds of their own clock, then takes it over. A holder whose last renewal is older than that must assume
    that this has happened, and ``check`` says so. Not protected: a process that stalls for longer than the lease
    right between ``check`` and its put; its shard has a name of its own, and ``finish`` of the next run settles it.
    """

    def __init__(self, storage: Storage, out: str, seconds: float):
        storage.check(out)
        self._storage, self._out, self._uri, self._seconds = storage, out, join(out, "state/lease.json"), seconds
        self._body = _holder() | {"lease_seconds": seconds, "token": uuid.uuid4().hex, "renewals": 0}
        self._lost = threading.Event()
        self._stop = threading.Event()
        self._renewed = time.monotonic()
        self._etag = self._acquire()
        self._thread = threading.Thread(target=self._renew, name="lease", daemon=True)
        self._thread.start()

    def check(self) -> None:
        """Raise LockedError when the lease is lost or may be."""
        if self._lost.is_set() or time.monotonic() - self._renewed > self._seconds:
            raise LockedError(f"{self._out}: the lease was not renewed in time or another run has taken it over; this run stops")

    def release(self) -> None:
        self._stop.set()
        self._thread.join()
        # Not deleted but marked: every server with conditional puts can do that, not every one a conditional delete.
        self._storage.replace_if(self._uri, self._data(released=True), self._etag)

    def _data(self, **more) -> bytes:
        return json.dumps(self._body | more).encode()

    def _acquire(self) -> str:
        if etag := self._storage.write_if_absent(self._uri, self._data()):
            return etag
        data, seen = self._storage.read_with_etag(self._uri)
        holder = json.loads(data)
        patience = max(self._seconds, holder["lease_seconds"])
        start = time.monotonic()
        while not holder.get("released") and time.monotonic() - start < patience:
            time.sleep(min(1.0, patience / 10))
            data, etag = self._storage.read_with_etag(self._uri)
            if etag != seen and not json.loads(data).get("released"):
                raise _locked(self._out, json.loads(data))
            holder, seen = json.loads(data), etag
        self._renewed = time.monotonic()
        etag = self._storage.replace_if(self._uri, self._data(), seen)
        if etag is None:
            raise _locked(self._out, json.loads(self._storage.read(self._uri)))
        return etag

    def _renew(self) -> None:
        while not self._stop.wait(self._seconds / 3):
            sent = time.monotonic()
            self._body["renewals"] += 1
            try:
                etag = self._storage.replace_if(self._uri, self._data(), self._etag)
            except StorageError:
                # The put may have arrived although its answer did not; replace_if recognises its own bytes next time.
                self._body["renewals"] -= 1
                continue
            if etag is None:
                self._lost.set()
                return
            self._etag, self._renewed = etag, sent


@contextlib.contextmanager
def lock(storage: Storage, out: str, lease_seconds: float) -> Iterator[LocalLock | Lease]:
    """Be the only run that writes to ``out``. Raises LockedError when another one does, naming it; StorageError.

    A killed holder's lock is gone at once on a local disk; on S3 this waits for lease_seconds before it goes on.
    """
    out = absolute(out)
    with storage.errors(out):
        held = Lease(storage, out, lease_seconds) if is_s3(out) else LocalLock(out)
    try:
        yield held
    finally:
        with contextlib.suppress(StorageError):  # a lease that cannot be given back runs out by itself
            held.release()


def _holder() -> dict:
    return {"host": socket.gethostname(), "pid": os.getpid(), "since": datetime.now(UTC).isoformat(timespec="seconds")}


def _locked(out: str, holder: dict) -> LockedError:
    who = f"process {holder.get('pid')} on {holder.get('host')}, since {holder.get('since')}" if holder else "another process"
    return LockedError(f"{out} is being written by {who}; wait for it or stop it")


def verify(storage: Storage, out: str) -> list[str]:
    """Read everything in an output again; returns its problems, one line each: none when it is whole.

    Failed rows are part of a whole. Raises StorageError only when the output cannot be reached at all.
    """
    out = absolute(out)
    storage.check(out)
    check = _Verification(storage, out)
    check.run()
    return check.problems


@dataclass
class _Verification:
    storage: Storage
    out: str
    problems: list[str] = field(default_factory=list)

    def run(self) -> None:
        listed = {uri.removeprefix(self.out + "/") for uri, _ in self.storage.list(self.out)}
        pictures = {key for key in listed if key.startswith("images/")}
        rows = self._results(listed)
        for look_id, n in Counter(row["look_id"] for row in rows).items():
            if n > 1:
                self.problems.append(f"results: {n} rows for look {look_id}")
        for row in rows:
            self._row(row, pictures)
        named = {key for row in rows for key in _keys(row)} | self._superseded(listed, pictures)
        self.problems += [f"{key}: no row names this picture" for key in sorted(pictures - named)]
        self._verdict(listed, rows)

    def _read(self, key: str, parse=bytes, data: bytes | None = None):
        """``parse`` of an object's bytes (or of ``data``, already read), or None and a problem."""
        try:
            return parse(self.storage.read(join(self.out, key)) if data is None else data)
        except (StorageError, pa.ArrowException, ValueError, RowError) as e:
            self.problems.append(f"{key}: cannot be read: {' '.join(str(e).split())[:200]}")
            return None

    def _results(self, listed: set[str]) -> list[dict]:
        markers = {_stem(key) for key in listed if key.startswith("state/commits/")}
        shards = {_stem(key) for key in listed if key.startswith("results/")}
        self.problems += [f"results/{name}.parquet: has no marker in state/commits" for name in sorted(shards - markers)]
        rows = []
        for name in sorted(markers):
            marker = self._read(f"state/commits/{name}.json", json.loads)
            data = self._read(f"results/{name}.parquet")
            if marker is None or data is None:
                continue
            if hashlib.sha256(data).hexdigest() != marker["sha256"]:
                self.problems.append(f"results/{name}.parquet: is not what its marker says (sha256)")
            self.problems += [
                f"results/{old}.parquet: is still there although {name} replaces it" for old in marker["replaces"] if old in shards
            ]
            table = self._read(f"results/{name}.parquet", _read_parquet, data)
            if table is not None:
                if len(table) != marker["rows"]:
                    self.problems.append(f"results/{name}.parquet: {len(table)} rows, its marker says {marker['rows']}")
                rows += table.to_pylist()
        return rows

    def _row(self, row: dict, pictures: set[str]) -> None:
        look, key = f"look {row['look_id']}", row["image_key"]
        if row["status"] not in STATUSES:
            self.problems.append(f"{look}: unknown status {row['status']!r}")
        elif row["status"] == FAILED:
            if row["reason"] not in REASONS:
                self.problems.append(f"{look}: failed for an unknown reason {row['reason']!r}")
            if key:
                self.problems.append(f"{look}: failed, but names the picture {key}")
        elif not key or key not in pictures:
            self.problems.append(f"{look}: its picture {key} is missing")
        elif (data := self._read(key)) is not None:
            if hashlib.sha256(data).hexdigest() != row["sha256"]:
                self.problems.append(f"{key}: is not the picture that was rendered (sha256)")
            picture = self._read(key, lambda b: images.decode(b, ImageConfig(min_side=1, max_pixels=1 << 30)), data)
            if picture is not None and picture.shape[:2] != (row["height"], row["width"]):
                self.problems.append(f"{key}: is {picture.shape[1]}x{picture.shape[0]}, its row says {row['width']}x{row['height']}")
        self._dressing(look, row.get("dressing_keys") or (), pictures)

    def _dressing(self, look: str, keys: Iterable[str], pictures: set[str]) -> None:
        """The timeline comes last and says what the other files are."""
        if missing := [key for key in keys if key not in pictures]:
            self.problems += [f"{look}: {key} of its dressing sequence is missing" for key in missing]
        elif keys and (timeline := self._read(keys[-1], json.loads)) is not None:
            for key in keys[:-1]:
                if (data := self._read(key)) is not None and hashlib.sha256(data).hexdigest() != timeline["files"].get(key):
                    self.problems.append(f"{key}: is not the file that was made (sha256)")

    def _superseded(self, listed: set[str], pictures: set[str]) -> set[str]:
        """The keys of the pictures that superseded rows name."""
        keys = set()
        for name in sorted(key for key in listed if key.startswith("superseded/") and key.endswith(".parquet")):
            table = self._read(name, _read_parquet)
            if table is not None:
                keys |= {key for row in table.to_pylist() for key in _keys(row)}
        self.problems += [f"{key}: a superseded row names it, but it is missing" for key in sorted(keys - pictures)]
        return keys

    def _verdict(self, listed: set[str], rows: list[dict]) -> None:
        verdicts = [name for name in ("_SUCCESS", "_PARTIAL") if name in listed]
        if len(verdicts) != 1:
            self.problems.append(
                f"there must be one of _SUCCESS and _PARTIAL, found {' and '.join(verdicts) or 'none'}: is a run under way?"
            )
        run = self._read("run.json", json.loads)
        if run is None:
            return
        found = _counts((row["status"], row["reason"] or "") for row in rows)
        for name, n in found.items():
            if run["counts"][name] != n:
                self.problems.append(f"run.json: {name} is {run['counts'][name]}, the results have {n}")
        planned, pending = run["counts"]["planned"], run["counts"]["pending"]
        if planned is None:  # stopped before the plan was known
            if verdicts == ["_SUCCESS"]:
                self.problems.append("_SUCCESS, although the run was stopped before its plan was known")
            return
        if planned != len(rows) + pending:
            self.problems.append(f"run.json: {planned} looks planned, {len(rows)} have a row, {pending} pending")
        open_rows = pending + sum(row["reason"] in TRANSIENT_REASONS for row in rows if row["status"] == FAILED)
        if verdicts == ["_SUCCESS"] and open_rows:
            self.problems.append(f"_SUCCESS, although {open_rows} looks are not terminal")
