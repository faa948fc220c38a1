"""tryon/pipeline.py on a real Ray, with a stage of the tests in place of the networks."""

import json
import os
import subprocess
import sys
import textwrap
import time

from conftest import ROOT

POISON = """
    import json, os, sys
    import ray
    from test_stages import ROW, Try
    from tryon import cluster
    from tryon.config import ClusterConfig, Config
    from tryon.pipeline import Pipeline
    from tryon.stages import crumbs
    from tryon.storage import Storage

    config = Config(cluster=ClusterConfig(block_rows=8, batch_size=4))
    with crumbs.laid("poison"):
        cluster.connect(config)
        pipeline = Pipeline(config, Storage(), "poison", "w", "h")
        row = lambda i: {"id": "dies" if i in (2, 5) else f"r{i}", "uri": f"u{i}", "reason": "", "detail": "", "traceback": ""}
        rows = pipeline._source([[row(i) for i in range(start, start + 8)] for start in (0, 8, 16)], ROW)
        done = pipeline._stage(rows, Try(), actors=1).take_all()
        print(json.dumps(sorted((row["uri"], row["id"], row["reason"], row["out"]) for row in done)))
    sys.stdout.flush()
    ray.shutdown()
    os._exit(0)
"""


def test_poison_rows_cannot_loop_and_cost_themselves_alone(tmp_path):
    """Two photos in one block that kill whatever decodes them: a night that goes round for ever, or a worker that is not
    started again after the third death and takes the run with it."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "tests"))), "TMPDIR": str(tmp_path), "RAY_TMPDIR": "/tmp"}
    start = time.monotonic()
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(POISON)], env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and time.monotonic() - start < 60, done.stdout + done.stderr
    expected = [[f"u{i}", "dies", "worker_crashed", None] if i in (2, 5) else [f"u{i}", f"r{i}", "", f"R{i}"] for i in range(24)]
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("[[")]
    assert json.loads(line) == sorted(expected)
