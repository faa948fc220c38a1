"""Breadcrumbs: what each worker process is busy with, on the local disk, so that a row that kills its process is known.

The crumbs of a run lie in one folder of the temporary folder of each machine it works on. On the driver's machine the driver
holds a lock in it, which ends with its process, however that ends: the next run sweeps up what nobody holds. On the other
machines of a cluster, where there is no driver, a folder is swept a day after its last change.
"""
import contextlib
import fcntl
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

PREFIX, DRIVER = "tryon-crumbs-", "driver"
FORGOTTEN = 24 * 3600  # seconds


def folder(run_id: str) -> Path:
    """Where the crumbs of a run lie, see tryon/stages/contract.py."""
    return Path(tempfile.gettempdir()) / f"{PREFIX}{run_id}"


@contextlib.contextmanager
def laid(run_id: str) -> Iterator[None]:
    """The run of this process is alive; afterwards its crumbs are gone. Raises OSError when there is no room for them."""
    path = folder(run_id)
    path.mkdir(parents=True, exist_ok=True)
    with open(path / DRIVER, "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        sweep()
        try:
            yield
        finally:
            shutil.rmtree(path, ignore_errors=True)


def sweep() -> None:
    """Remove the crumbs of dead runs on this machine."""
    for path in folder("").parent.glob(PREFIX + "*"):
        with contextlib.suppress(OSError):  # somebody holds it, it is another user's, or another run has just swept it
            if (path / DRIVER).exists():
                with open(path / DRIVER) as file:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(path)
            elif time.time() - max(p.stat().st_mtime for p in (path, *path.iterdir())) > FORGOTTEN:
                shutil.rmtree(path)
