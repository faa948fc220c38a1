"""Ray: start or join, and check that the stages fit into what there is."""
import contextlib
import logging
import os
import signal
import warnings
from collections.abc import Iterator
from pathlib import Path

import ray
from ray.data import DataContext

from tryon.config import Config, ConfigError

ROOT = str(Path(__file__).resolve().parent.parent)


def connect(config: Config) -> None:
    """``join`` for the render job. Raises ConfigError when the stages ask for more than the cluster has: they would wait for ever."""
    join(config.cluster.address, int(os.environ.get("TRYON_OBJECT_STORE", 1 << 30)))
    stream()
    check_budget(config, ray.cluster_resources())


def stream() -> None:
    """How Ray Data works here: rows as they come, silently - the jobs show progress of their own -, and no block is ever dropped."""
    warnings.filterwarnings("ignore", module=r"ray\.")
    warnings.filterwarnings("ignore", message=".*ray_remote_args.*")
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    context = DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    context.execution_options.preserve_order = False
    context.max_errored_blocks = 0


def join(address: str = "", store_bytes: int | None = None) -> None:
    """Join the cluster at ``address``, else that of the job (``RAY_ADDRESS``, set by ``ray job submit``); else start a local Ray, whose
    object store holds ``store_bytes`` (None: 30 % of the memory)."""
    address = address or os.environ.get("RAY_ADDRESS", "")
    # Freed blocks stay mapped: without this a third of the CPU time goes into page faults.
    env = {"THP_MEM_ALLOC_ENABLE": "1", "OMP_NUM_THREADS": "1", "NO_ALBUMENTATIONS_UPDATE": "1"}
    if address:
        with own_handlers():
            ray.init(address=address, runtime_env={"env_vars": env}, log_to_driver=False, logging_level=logging.ERROR)
    else:
        os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")  # its C++ side prints internals between the progress lines
        os.environ.setdefault("RAY_worker_niceness", "0")  # workers at nice 15 starve beside anything else on the machine
        # Its processes inherit the environment. As a runtime_env it would make those useless that Ray starts in advance.
        os.environ |= env | {"PYTHONPATH": os.pathsep.join(filter(None, (ROOT, os.environ.get("PYTHONPATH", ""))))}
        with own_handlers():
            ray.init(address="local", include_dashboard=False, num_cpus=max(2, os.cpu_count() or 1), log_to_driver=False,
                     logging_level=logging.ERROR, object_store_memory=store_bytes)


@contextlib.contextmanager
def own_handlers() -> Iterator[None]:
    """Keep the handlers of signals. Ray's, which ``ray.init`` puts in place, raises SystemExit wherever the program is at that
    moment; in the middle of a fork Python swallows it and a lock of ``logging`` stays taken for ever. That of Ray Train, put in place by
    ``Trainer.fit``, ends an interrupted run with status 0."""
    original, signal.signal = signal.signal, lambda number, handler: signal.getsignal(number)
    try:
        yield
    finally:
        signal.signal = original


def leave() -> None:
    """Leave the cluster, or end the local Ray. No worker of this run is then at work any more; on a cluster: within a moment."""
    ray.shutdown()


def check_budget(config: Config, resources: dict[str, float]) -> None:
    """All operators of a pipeline run at once: their logical CPUs must leave one for the rest, or Ray waits silently."""
    c, cpus = config.cluster, resources.get("CPU", 0)
    networks = c.generate_actors + (c.dress_actors if config.output.dressing != "none" else 0)
    needed = max(c.fetch_tasks * c.task_cpus + max(c.person_actors, c.garment_actors) * c.actor_cpus,
                 (c.fit_actors + networks) * c.actor_cpus + c.finish_tasks * c.task_cpus)
    if not cpus:
        print("no node with CPUs for work is up yet: waiting for the cluster to bring one", flush=True)
    elif needed > max(cpus - 1, 0.5):
        raise ConfigError(f"the stages ask for {needed:.1f} logical CPUs, the cluster has {cpus:.0f} and one must stay free: "
                          "lower [cluster] *_actors and *_tasks, or actor_cpus and task_cpus")
    gpus = c.gpus_per_actor * max(c.person_actors, c.garment_actors, networks)
    if cpus and gpus > resources.get("GPU", 0):
        raise ConfigError(f"the stages ask for {gpus:g} GPUs, the cluster has {resources.get('GPU', 0):g}: set cluster.gpus_per_actor to 0 or add GPUs")
