"""What every stage is, and the guard around it: one bad row costs one row, with a reason.

A stage is a plain class: its fields are its configuration (picklable), ``setup()`` loads what is loaded once per
worker, ``__call__(row)`` takes and returns one row and can be tested without Ray. ``schema`` names the columns that
leave the stage. A row whose ``reason`` is set has failed earlier and is passed on untouched.
"""
import os
import time
import traceback

import cv2
import pyarrow as pa

from tryon.schema import RowError
from tryon.stages import crumbs
from tryon.storage import StorageError

# Columns every row has from its first stage to its result.
STATE = [("reason", pa.string()), ("detail", pa.string()), ("traceback", pa.string())]
CRASHES = 2  # times a row may take its process down before it is given up


class Stage:
    name: str
    schema: pa.Schema

    def setup(self) -> None:
        """Load models and the like; called once per worker, before the first row that needs the stage."""

    def __call__(self, row: dict) -> dict:
        raise NotImplementedError


class Guard:
    """A stage as Ray Data calls it: Arrow table in, Arrow table out, as many rows out as in.

    Before each row a breadcrumb (a file named after this process, holding the row's key) is left on the local disk
    and removed afterwards, so that a row that kills its process is known when the process comes back: it is tried
    once more and then fails with ``worker_crashed``. ``run_id`` keeps the crumbs of different runs apart.
    """

    def __init__(self, stage: Stage, run_id: str):
        self.stage, self.ready = stage, False
        self.crumbs = crumbs.folder(run_id) / stage.name

    def __call__(self, table: pa.Table) -> pa.Table:
        return pa.Table.from_pylist([self.one(row) for row in table.to_pylist()], schema=self.stage.schema)

    def one(self, row: dict) -> dict:
        if row["reason"]:
            return row
        start = time.perf_counter()
        crumb = self.crumbs / f"{os.getpid()}"
        try:
            if not self.ready:
                self._setup()
            if (crashes := self._crashes(row)) >= CRASHES:
                raise RowError("worker_crashed", f"the process died {crashes} times while it worked on this row")
            self.crumbs.mkdir(parents=True, exist_ok=True)  # somebody may tidy up the temporary folder under a long run
            crumb.write_text(_key(row))
            row = self.stage(row)
        except RowError as e:
            row = row | {"reason": e.reason, "detail": e.detail}
        except StorageError as e:
            row = row | {"reason": "storage_error", "detail": str(e)}
        except Exception as e:  # the guard: whatever a stage raises costs this row alone
            row = row | {"reason": "stage_error", "detail": f"{self.stage.name}: {type(e).__name__}: {e}"[:500], "traceback": traceback.format_exc()}
        finally:
            crumb.unlink(missing_ok=True)
        return row | {f"ms_{self.stage.name}": 1000 * (time.perf_counter() - start)}

    def _setup(self) -> None:
        crumbs.sweep()
        cv2.setNumThreads(0)
        self.stage.setup()
        self.ready = True

    def _crashes(self, row: dict) -> int:
        """How many processes that are gone have left a breadcrumb of this row."""
        key = _key(row)
        return sum(not _alive(int(p.name)) and p.read_text() == key for p in self.crumbs.glob("*"))


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _key(row: dict) -> str:
    return row.get("look_id") or f"{row['id']} {row['uri']}"
