"""The training loop shared by all networks, on Ray Train: data parallel, EMA, cosine schedule, early stopping, best kept, resume.

The run folder, local or s3://, holds

    config.json                  what the run was given
    checkpoints/                 Ray Train's: the last checkpoint and the manager's snapshot that names it
    metrics.jsonl, tensorboard/  losses of every log_every steps and evaluations (TensorBoard only in a local folder)
    samples/step-000400.png      at every evaluation, what the network makes of the same few validation samples (of some tasks)

The data of a step is a function of (seed, step, index in the global batch), so neither a kill nor the number of workers changes what a run
learns from; noise inside a network is one of (seed, step, worker). What a kill costs is the steps since the last checkpoint, or since the one
before when it comes while one is written.
"""
import contextlib
import copy
import json
import math
import os
import tempfile
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import pyarrow.fs
import ray
import torch
import torch.distributed
from ray import train
from ray.train import Checkpoint, CheckpointConfig, FailureConfig, LoggingConfig, RunConfig, ScalingConfig, UserCallback
from ray.train.collective import broadcast_from_rank_zero
from ray.train.torch import TorchConfig, TorchTrainer
from ray.util.queue import Queue
from torch.utils.data import DataLoader, IterableDataset

from tryon import images
from tryon.cluster import own_handlers
from tryon.config import ConfigError, option
from tryon.report.sheet import sheet
from tryon.storage import Storage, absolute, is_s3, join
from tryon.training.task import Task

CHECKPOINTS = "checkpoints"
SNAPSHOT = "checkpoint_manager_snapshot.json"  # Ray's name
STATE = "state.pt"  # in a checkpoint


@dataclass(frozen=True, kw_only=True)
class FitConfig:
    steps: int = option(3000, "steps of the whole run", low=1)
    batch_size: int = option(16, "samples of a step, of all workers together", low=1)
    lr: float = option(1e-3, "highest learning rate", low=0)
    weight_decay: float = option(1e-2, "of AdamW", low=0)
    warmup: int = option(100, "steps until the highest learning rate, from where it falls as a cosine", low=1)
    ema: float = option(0.998, "decay per step of the averaged weights, which are those that are kept", low=0, high=1)
    log_every: int = option(50, "steps between two lines of losses", low=1)
    eval_every: int = option(400, "steps between two evaluations", low=1)
    patience: int = option(8, "evaluations without a better score before the run stops", low=1)
    checkpoint_seconds: float = option(300.0, "seconds between two checkpoints; every evaluation makes one, too", low=0)
    loaders: int = option(2, "processes per worker that make samples; 0: the worker itself", low=0)
    bfloat16: bool = option(True, "compute in bfloat16 where that is safe (autocast)")
    seed: int = option(0, "of the data and of weights that are not given", low=0)


def fit(task: Task, out: str, config: FitConfig, workers: int = 1, gpus: float = 0.0) -> tuple[dict, dict[str, torch.Tensor]]:
    """Train ``task`` on the Ray that is connected, by ``workers`` processes with ``gpus`` each; go on where a run in ``out`` stopped.

    Returns the best evaluation (with ``step`` and ``trained_minutes``) and the EMA weights it was made with. Raises ConfigError when the
    workers cannot share the batch or the machine, FloatingPointError when training diverges, ray.train.TrainingFailedError when a worker
    fails for the third time.
    """
    if workers < 1 or config.batch_size % workers:
        raise ConfigError(f"--fit.batch_size {config.batch_size} is of all workers together: choose a multiple of --workers {workers}")
    for kind, wanted in (("CPU", workers), ("GPU", workers * gpus)):
        have = ray.cluster_resources().get(kind, 0)
        if wanted > have and "RAY_ADDRESS" not in os.environ:
            raise ConfigError(f"--workers {workers} ask for {wanted:g} {kind}s, this machine has {have:g}")
        if wanted > have:
            print(f"the workers ask for {wanted:g} {kind}s, the cluster has {have:g}: waiting for it to grow", flush=True)
    out, storage = absolute(out), Storage()
    storage.write(join(out, "config.json"), json.dumps(asdict(config) | {"workers": workers, "gpus_per_worker": gpus}, indent=1).encode())
    _mend(storage, join(out, CHECKPOINTS))
    filesystem, path = storage.filesystem(out)
    rows, journal = Queue(), Journal(storage, out, config.steps)
    trainer = TorchTrainer(
        _work,
        train_loop_config={"task": ray.put(task), "config": config, "rows": rows},
        # Two processes that share a GPU cannot use NCCL.
        torch_config=TorchConfig(backend="nccl" if gpus >= 1 else "gloo"),
        # Without GPUs each worker uses all cores of its node, so they are spread over the nodes.
        scaling_config=ScalingConfig(num_workers=workers, use_gpu=gpus > 0, resources_per_worker={"CPU": 1} | ({"GPU": gpus} if gpus else {}),
                                     placement_strategy="PACK" if gpus else "SPREAD"),
        run_config=RunConfig(name=CHECKPOINTS, storage_path=path, storage_filesystem=filesystem, checkpoint_config=CheckpointConfig(num_to_keep=1),
                             failure_config=FailureConfig(max_failures=2), callbacks=[_KeepSnapshot(storage, join(out, CHECKPOINTS))],
                             logging_config=LoggingConfig(log_level="WARNING")),
    )
    del task  # its photos are in the object store now
    follower = threading.Thread(target=journal.follow, args=(rows,), daemon=True)
    follower.start()
    try:
        with own_handlers():
            result = trainer.fit()
    finally:
        rows.put(None)
        follower.join()
    _mend(storage, join(out, CHECKPOINTS))
    if "diverged" in result.return_value:
        raise FloatingPointError(f"the gradient is not finite at step {result.return_value['diverged']}; lower --fit.lr and start in a new folder")
    with result.checkpoint.as_directory() as folder:
        state = torch.load(Path(folder) / STATE, map_location="cpu", weights_only=True)
    return {**state["best"], "trained_minutes": state["trained"] / 60}, state["best_ema"]


def _work(given: dict) -> dict:
    """What every worker does, from the last checkpoint to the end. All of them take the same decisions at the same steps."""
    task, config, rows = ray.get(given["task"]), given["config"], given["rows"]
    context, device = train.get_context(), train.torch.get_device()
    rank, world = context.get_world_rank(), context.get_world_size()
    if device.type == "cpu":
        torch.set_num_threads(max(1, (os.cpu_count() or 1) // context.get_local_world_size()))
    torch.manual_seed(config.seed)

    def wrap(module):
        return train.torch.prepare_model(module, move_to_device=device, parallel_strategy_kwargs={"broadcast_buffers": False})

    own = task.model.to(device, memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(task.parameters(config.lr), lr=config.lr, weight_decay=config.weight_decay)
    base_lrs = [g["lr"] for g in optimizer.param_groups]
    ema, model = copy.deepcopy(own).eval(), wrap(own)
    task.prepare(device, wrap)
    step, best, best_ema, stale, trained, history = 0, {"score": -math.inf}, {}, 0, 0.0, []
    if checkpoint := train.get_checkpoint():
        with checkpoint.as_directory() as folder:
            state = torch.load(Path(folder) / STATE, map_location=device, weights_only=True)
        own.load_state_dict(state["model"]), ema.load_state_dict(state["ema"]), optimizer.load_state_dict(state["optimizer"])
        task.load_extra_state(state["extra"])
        step, best, best_ema, stale, trained, history = (state[k] for k in ("step", "best", "best_ema", "stale", "trained", "history"))
    if rank == 0:
        rows.put({"from": step, "rows": history})

    def tell(row: dict):
        if rank == 0:
            history.append({"step": step, **row})
            rows.put(history[-1])

    def save():
        with tempfile.TemporaryDirectory() as folder:
            if rank == 0:
                state = {"model": own.state_dict(), "ema": ema.state_dict(), "optimizer": optimizer.state_dict(), "extra": task.extra_state(),
                         "step": step, "best": best, "best_ema": best_ema, "stale": stale, "trained": trained, "history": history}
                torch.save(state, Path(folder) / STATE)
            train.report({"step": step}, Checkpoint.from_directory(folder) if rank == 0 else None)

    share = config.batch_size // world
    batches = _Batches(task, config, step, range(rank * share, (rank + 1) * share))
    loader = iter(DataLoader(batches, batch_size=None, num_workers=config.loaders, prefetch_factor=4 if config.loaders else None,
                             pin_memory=device.type == "cuda"))
    model.train()
    sums, since, began = {}, 0, time.monotonic()
    saved = began
    while step < config.steps and stale < config.patience:
        batch = [t.to(device, non_blocking=True) for t in next(loader)]
        factor = min(1.0, (step + 1) / config.warmup) * (0.5 + 0.5 * math.cos(math.pi * min(1.0, step / config.steps)))
        for group, lr in zip(optimizer.param_groups, base_lrs):
            group["lr"] = lr * max(factor, 0.01)
        tick = time.monotonic()
        torch.manual_seed(config.seed + step * world + rank)
        with torch.autocast(device.type, torch.bfloat16, enabled=config.bfloat16):
            loss, parts = task.loss(model, batch)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        if not torch.nn.utils.clip_grad_norm_(own.parameters(), 5.0).isfinite():  # the same for all workers: gradients are shared
            return {"diverged": step}
        optimizer.step()
        step += 1
        trained += time.monotonic() - tick
        decay = min(config.ema, (1 + step) / (10 + step))
        with torch.no_grad():
            for e, m in zip(ema.state_dict().values(), own.state_dict().values()):
                e.lerp_(m, 1 - decay) if e.is_floating_point() else e.copy_(m)
        for k, v in parts.items():
            sums[k] = sums.get(k, 0.0) + v.detach().float()
        since += 1
        if step % config.log_every == 0:
            means = _mean(torch.stack(list(sums.values())) / since).tolist()
            tell({"losses": dict(zip(sums, means)), "lr": optimizer.param_groups[-1]["lr"], "seconds_per_step": (time.monotonic() - began) / since})
            sums, since, began = {}, 0, time.monotonic()
        if step % config.eval_every == 0 or step == config.steps:
            scores = broadcast_from_rank_zero({k: float(v) for k, v in task.evaluate(ema).items()} if rank == 0 else None)
            assert math.isfinite(scores["score"]), f"no score, are there validation photos? {scores}"
            stale += 1
            if task.final or scores["score"] > best["score"]:
                best, best_ema, stale = {"step": step, **scores}, copy.deepcopy(ema.state_dict()), 0
            tell({"val": scores, "stale": stale})
            if rank == 0 and (tiles := task.samples(ema)):
                rows.put({"step": step, "sheet": images.encode(sheet(tiles), "png")})
            save()
            saved = began = time.monotonic()
        elif _agreed(rank == 0 and time.monotonic() - saved > config.checkpoint_seconds, device):
            save()
            saved = time.monotonic()
    return {}


class _Batches(IterableDataset):
    """One worker's share of every global batch, made by the loader processes in turn."""

    def __init__(self, task: Task, config: FitConfig, start: int, indices: range):
        self.task, self.config, self.start, self.indices = task, config, start, indices

    def __iter__(self):
        cv2.setNumThreads(0)
        info = torch.utils.data.get_worker_info()
        first, stride = (info.id, info.num_workers) if info else (0, 1)
        for step in range(self.start + first, self.config.steps, stride):
            yield self.task.batch(self.config.seed, step, self.indices)


def _mean(values: torch.Tensor) -> torch.Tensor:
    """Mean over the workers."""
    if torch.distributed.is_initialized():
        torch.distributed.all_reduce(values)
        values /= torch.distributed.get_world_size()
    return values


def _agreed(mine: bool, device: torch.device) -> bool:
    """Whether any worker says yes."""
    return bool(_mean(torch.tensor(float(mine), device=device)))


class Journal:
    """What the driver tells of a run: lines with the time left, metrics.jsonl, TensorBoard."""

    def __init__(self, storage: Storage, out: str, steps: int):
        from torch.utils.tensorboard import SummaryWriter  # of the extra "train", which workers do without

        self.storage, self.out, self.steps = storage, out, steps
        self.rows, self.board, self.open_board = [], None, SummaryWriter

    def follow(self, queue: Queue) -> None:
        """Take off the queue, until None comes, what workers tell: first the rows up to the checkpoint they begin with, then each new row
        and each sheet. Rows of steps that a kill has undone are thus forgotten."""
        while (told := queue.get()) is not None:
            if "from" in told:
                self.begin(told["from"], told["rows"])
            elif "sheet" in told:
                self.storage.write(join(self.out, "samples", f"step-{told['step']:06}.png"), told["sheet"], "image/png")
            else:
                self.rows.append(told)
                print(self.line(told), flush=True)
                self.draw(told)
            self.storage.write(join(self.out, "metrics.jsonl"), "".join(json.dumps(row) + "\n" for row in self.rows).encode())
        if self.board:
            self.board.close()

    def begin(self, step: int, rows: list[dict]) -> None:
        self.rows = rows
        if step:
            print(f"going on after step {step} of {self.steps}", flush=True)
        if self.board:  # a worker was lost
            self.board.close()
        if not is_s3(self.out):
            self.board = self.open_board(join(self.out, "tensorboard"), purge_step=0)
        for row in rows:
            self.draw(row)

    def line(self, row: dict) -> str:
        text = f"step {row['step']}/{self.steps} " + " ".join(f"{k} {v:.4f}" for k, v in (row.get("losses") or row["val"]).items())
        if "val" in row:
            return text + (f" ({row['stale']} evaluations without a better score)" if row["stale"] else " (best)")
        return text + f" {row['seconds_per_step']:.2f} s/step, {row['seconds_per_step'] * (self.steps - row['step']) / 60:.0f} min left"

    def draw(self, row: dict) -> None:
        kind = "losses" if "losses" in row else "val"
        if self.board:
            for name, value in row[kind].items():
                self.board.add_scalar(f"{kind}/{name}", value, row["step"])


class _KeepSnapshot(UserCallback):
    """Keeps a copy of the manager's snapshot, which Ray overwrites in place: a kill at that moment leaves half of one. Runs in the controller,
    after the manager. What the copy names is deleted only when the next snapshot is whole."""

    def __init__(self, storage: Storage, folder: str):
        self.storage, self.folder = storage, folder

    def after_report(self, run_context, metrics, checkpoint) -> None:
        if checkpoint:
            self.storage.write(join(self.folder, SNAPSHOT + ".copy"), self.storage.read(join(self.folder, SNAPSHOT)))


def _mend(storage: Storage, folder: str) -> None:
    """Put ``folder`` in order: after a kill, the copy in the place of half a snapshot; checkpoints away that no snapshot names."""
    uri, whole = join(folder, SNAPSHOT), b""
    for candidate in (uri + ".copy", uri):
        text = storage.read(candidate) if storage.exists(candidate) else b""
        with contextlib.suppress(json.JSONDecodeError):
            json.loads(text)
            whole = text
    if whole:
        storage.write(uri + ".copy", whole)
        storage.write(uri, whole)
    else:
        storage.delete(uri)
    named = {c["checkpoint_dir_name"] for c in json.loads(whole)["checkpoint_results"]} if whole else ()
    filesystem, path = storage.filesystem(folder)
    for info in filesystem.get_file_info(pyarrow.fs.FileSelector(path, allow_not_found=True)):
        if info.type == pyarrow.fs.FileType.Directory and info.base_name.startswith("checkpoint_") and info.base_name not in named:
            filesystem.delete_dir(info.path)
