"""Fixtures that several test files share: a real S3 server, drawn people and garments with their exact analyses, a
small store on disk, and the job as a subprocess on a real Ray."""

import contextlib
import csv
import fcntl
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from functools import cache
from pathlib import Path

# Tests run side by side: threads of OpenMP that wait for each other spin, and take the cores from those that work.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import boto3
import pyarrow.parquet as pq
import numpy as np
import pytest
import s3
import torch

from tryon import images, sample
from tryon.api import Look, generate
from tryon.config import GENERATORS
from tryon.datasets.articulate import split
from tryon.fit import fit
from tryon.garment import Garment
from tryon.landmarks import measure
from tryon.networks import Networks
from tryon.person import Person

ROOT = Path(__file__).resolve().parent.parent


# Folders of tests that start Ray again and again and take most of the time, about as much in each row.
SLOW = (("e2e",), ("training", "evaluation", "faults"))
# Slow ones that come last of all, those that others cover least first: on a machine so slow that the whole would take more than 15 minutes, one that has not begun
# so many seconds after the start is skipped, and the skip says so. Run alone they always run.
LAST = ("test_submitted_job_on_s3_gives_the_pictures_of_the_local_run", "test_two_workers_learn_what_one_does", "test_webp", "test_poison_rows_cannot_loop_and_cost_themselves_alone",
        "test_final_run_learns_from_validation_and_keeps_its_last_weights", "test_killed_twice_and_run_again_is_one_clean_run", "test_killed_workers_are_replaced", "test_named_looks_size_format_and_a_changing_plan", "test_two_workers_train_a_gan_on_s3_and_stop_early",
        "test_compare_trains_what_is_not_trained", "test_people_are_annotated_and_read_back", "test_garments_are_annotated")
LATE, BEGUN = 600, time.monotonic()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Slow tests come first in the shares that pytest's processes begin with: small ones are left in the end, which even out."""
    count = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", 1))
    last = sorted((item for item in items if item.name in LAST), key=lambda item: LAST.index(item.name))
    items[:] = [item for item in items if item.name not in LAST]
    slow = [[item for folder in row for item in items if item.path.parent.name == folder] for row in SLOW]
    rest = [item for item in items if not any(item in row for row in slow)]
    ordered: list[pytest.Item] = []
    for k in range(count):
        share = [item for row in slow[k::count] for item in row]
        size = (len(items) - len(ordered)) // (count - k)
        ordered += share + rest[:max(0, size - len(share))]
        del rest[:max(0, size - len(share))]
    items[:] = ordered + rest + last


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.name in LAST and time.monotonic() - BEGUN > LATE:
        pytest.skip(f"the tests have taken {time.monotonic() - BEGUN:.0f} s on this slow machine: run this one alone")


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory):
    """The endpoint of a real S3 server; AWS_* is set for this process and its children while it runs."""
    before = dict(os.environ)
    with s3.serve(tmp_path_factory.mktemp("s3")) as port:
        os.environ.update(s3.environment(port))
        yield os.environ["AWS_ENDPOINT_URL_S3"]
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def s3_bucket(s3_server):
    """The name of a fresh, empty bucket."""
    name = f"test-{uuid.uuid4().hex[:12]}"
    boto3.client("s3", endpoint_url=s3_server).create_bucket(Bucket=name)
    return name


def as_person(drawn) -> Person:
    """The analysis of a drawn person that a perfect network would make."""
    return Person(drawn.image, drawn.parse, drawn.pose, 1.0)


def as_garment(drawn) -> Garment:
    """The analysis of a drawn garment that a perfect network would make: its exact mask, parts, inner back and landmarks."""
    parts = split(drawn.mask, drawn.landmarks, drawn.category)
    shape = measure(drawn.mask, drawn.category, drawn.subcategory, parts, {k: (*v[:2], 1.0) for k, v in drawn.landmarks.items()})
    return Garment(drawn.image, drawn.mask, parts, drawn.inner, drawn.category, drawn.subcategory, shape, 1.0)


@cache
def generator(which: str = "cgan") -> Networks:
    """The package's own generator, on one thread as in the job's workers: another number of threads sums in another order."""
    torch.set_num_threads(1)
    return Networks("cpu", names=GENERATORS[which])


def wear(person: Person, *garments: Garment) -> Look:
    """Garments put on in order."""
    return generate(generator(), person, garments, [fit(person, g) for g in garments])


@pytest.fixture(scope="session")
def persons() -> dict[str, Person]:
    """The people of the sample store by name, three full figures and a half one, 512x384, from the drawn truth."""
    return {p.id: as_person(p) for p in sample.people(0, (512, 384))}


@pytest.fixture(scope="session")
def goods() -> dict[str, Garment]:
    """The garments of the sample store by id, and a scarf, 512x384, from the drawn truth."""
    scarf = sample.draw_garment(np.random.default_rng(1), (512, 384), "scarf")
    return {g.id: as_garment(g) for g in sample.garments(0, (512, 384))} | {"scarf": as_garment(scarf)}


@pytest.fixture(scope="session")
def tryon():
    """The package's own networks, on one thread as in the job's workers: another number of threads sums in another order."""
    import torch
    from tryon import TryOn

    torch.set_num_threads(1)
    return TryOn.load(device="cpu")


SMALL_GARMENTS = ("top-02", "shirt-04", "jacket-06", "trousers-07", "skirt-09", "dress-10", "hat-13")
SMALL_PEOPLE = ("clara", "edgar", "amir")
SMALL_LOOKS = len(SMALL_GARMENTS) * len(SMALL_PEOPLE)


@contextlib.contextmanager
def once(tmp_path_factory, name: str) -> Iterator[tuple[Path, bool]]:
    """A folder that all of pytest's processes share, and whether this one is the first to need it: the others wait until it has been filled."""
    base = tmp_path_factory.getbasetemp()
    base = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder, done = base / name, base / f"{name}.done"
    with open(base / f"{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder, not done.exists()
        done.touch()


@pytest.fixture(scope="session")
def small_store(tmp_path_factory) -> Path:
    """A folder with ``catalog.csv`` (7 products) and ``people.csv`` (3 people), pictures of 192x256: 21 looks; only to be read."""
    with once(tmp_path_factory, "store") as (folder, first):
        if first:
            folder.mkdir(exist_ok=True)
            people = [p for p in sample.people(0, (256, 192)) if p.id in SMALL_PEOPLE]
            garments = [g for g in sample.garments(0, (256, 192)) if g.id in SMALL_GARMENTS]
            for item in (*people, *garments):
                (folder / f"{item.id}.png").write_bytes(images.encode(item.image, "png"))
            write_csv(folder / "catalog.csv", [{"product_id": g.id, "garment_uri": f"{g.id}.png", "category": g.category, "title": g.title}
                                               for g in garments])
            write_csv(folder / "people.csv", [{"person_id": p.id, "person_uri": f"{p.id}.png"} for p in people])
    return folder


@pytest.fixture(scope="session")
def clean(small_store, tmp_path_factory) -> Path:
    """The output of one undisturbed run over the small store; only to be read."""
    with once(tmp_path_factory, "clean") as (out, first):
        if first:
            done = render(*tables(small_store), "--out", out)
            assert done.returncode == 0, done.stdout + done.stderr
    return out


def write_csv(path: Path, rows: list[dict]) -> str:
    with open(path, "w", newline="") as file:
        writer = csv.DictWriter(file, list(dict.fromkeys(k for row in rows for k in row)))
        writer.writeheader()
        writer.writerows(rows)
    return str(path)


def tables(folder: Path) -> tuple[str, ...]:
    return "--catalog", f"{folder}/catalog.csv", "--people", f"{folder}/people.csv"


def command(*args) -> list[str]:
    """The command line of the render job."""
    return [sys.executable, str(ROOT / "jobs" / "render_catalog.py"), *map(str, args)]


def render(*args, **options) -> subprocess.CompletedProcess:
    """The render job, run to its end on a local Ray."""
    return subprocess.run(command(*args), capture_output=True, text=True, timeout=600, **options)


def verify(out) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, str(ROOT / "jobs" / "verify.py"), str(out)], capture_output=True, text=True, timeout=60)


def rows(out: Path, drop: tuple[str, ...] = ()) -> dict[str, dict]:
    """look_id -> result row, without the columns whose names begin with one of ``drop``."""
    read = [row for file in sorted(Path(out, "results").glob("*.parquet")) for row in pq.read_table(file).to_pylist()]
    found = {row["look_id"]: {k: v for k, v in row.items() if not k.startswith(drop)} for row in read}
    assert len(found) == len(read), "two rows for one look"
    return found


# What two runs over the same plan may differ in.
RUN_COLUMNS = ("ms_", "attempt", "run_id")


def pictures(out: Path) -> dict[str, bytes]:
    """Key below ``images/`` -> bytes."""
    return {str(p.relative_to(out)): p.read_bytes() for p in sorted(Path(out, "images").rglob("*")) if p.is_file()}
