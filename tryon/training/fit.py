"""The training loop shared by all networks: EMA, cosine schedule, checkpoints, resume, early stopping, best kept."""
import copy
import json
import math
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from torch.utils.data import DataLoader, IterableDataset


@dataclass(frozen=True, kw_only=True)
class FitConfig:
    steps: int = 3000
    batch_size: int = 16
    lr: float = 1e-3
    weight_decay: float = 1e-2
    warmup: int = 100
    ema: float = 0.998
    eval_every: int = 400
    patience: int = 8  # evaluations without a better score before stopping
    checkpoint_seconds: float = 300.0
    workers: int = 2
    bfloat16: bool = True
    seed: int = 0


class _Batches(IterableDataset):
    def __init__(self, task, config: FitConfig, start: int):
        self.task, self.config, self.start = task, config, start

    def __iter__(self):
        cv2.setNumThreads(0)
        info = torch.utils.data.get_worker_info()
        for step in range(self.start + info.id, self.config.steps, info.num_workers):
            yield self.task.batch(np.random.default_rng((self.config.seed, step)), self.config.batch_size)


def fit(task, out: str | Path, config: FitConfig) -> dict:
    """Train ``task`` (``.model``, ``.batch(rng, n)``, ``.loss(model, batch) -> (loss, parts)``, ``.evaluate(model)
    -> dict`` with ``score``, higher is better) and return the best evaluation.

    Writes ``checkpoint.pt`` (resumed from when present), ``best.pt`` (EMA weights) and ``metrics.jsonl`` to ``out``.
    The batches are a function of (seed, step), so a resumed run sees what an unbroken one would have seen.
    """
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(config.seed)
    model = task.model.to(memory_format=torch.channels_last)
    ema = copy.deepcopy(model).eval()
    optimizer = torch.optim.AdamW(task.parameters(config.lr), lr=config.lr, weight_decay=config.weight_decay)
    step, best, stale, trained = 0, {"score": -math.inf}, 0, 0.0
    checkpoint = out / "checkpoint.pt"
    if checkpoint.exists():
        state = torch.load(checkpoint, map_location="cpu", weights_only=True)
        model.load_state_dict(state["model"]), ema.load_state_dict(state["ema"]), optimizer.load_state_dict(state["optimizer"])
        step, best, stale, trained = state["step"], state["best"], state["stale"], state["trained"]
        if hasattr(task, "load_extra_state"):
            task.load_extra_state(state["extra"])
        print(f"resuming at step {step} of {config.steps}, best score so far {best['score']:.4f}", flush=True)

        if stale >= config.patience:
            print("the run had stopped early")
            return {**best, "trained_minutes": trained / 60}

    def save():
        state = {"model": model.state_dict(), "ema": ema.state_dict(), "optimizer": optimizer.state_dict(),
                 "step": step, "best": best, "stale": stale, "trained": trained, "config": asdict(config),
                 "extra": task.extra_state() if hasattr(task, "extra_state") else {}}
        torch.save(state, out / "checkpoint.tmp")
        os.replace(out / "checkpoint.tmp", checkpoint)

    base_lrs = [g["lr"] for g in optimizer.param_groups]
    loader = iter(DataLoader(_Batches(task, config, step), batch_size=None, num_workers=config.workers, prefetch_factor=4))
    log, began, saved, sums, since = (out / "metrics.jsonl").open("a"), time.time(), time.time(), {}, 0
    for batch in loader:
        factor = min(1.0, (step + 1) / config.warmup) * (0.5 + 0.5 * math.cos(math.pi * min(1.0, step / config.steps)))
        for group, lr in zip(optimizer.param_groups, base_lrs):
            group["lr"] = lr * max(factor, 0.01)
        model.train()
        tick = time.time()
        with torch.autocast("cpu", torch.bfloat16, enabled=config.bfloat16):
            loss, parts = task.loss(model, batch)
        if not torch.isfinite(loss):
            raise FloatingPointError(f"loss is {loss.item()} at step {step}; lower --fit.lr")
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        step += 1
        trained += time.time() - tick
        decay = min(config.ema, (1 + step) / (10 + step))
        with torch.no_grad():
            for e, m in zip(ema.state_dict().values(), model.state_dict().values()):
                e.lerp_(m, 1 - decay) if e.is_floating_point() else e.copy_(m)
        for k, v in parts.items():
            sums[k] = sums.get(k, 0.0) + float(v)
        since += 1
        if step % 50 == 0:
            rate = (time.time() - began) / max(1, since)
            print(f"step {step}/{config.steps} " + " ".join(f"{k} {v / since:.4f}" for k, v in sums.items())
                  + f" {rate:.2f} s/step, {rate * (config.steps - step) / 60:.0f} min left", flush=True)
            log.write(json.dumps({"step": step, **{k: v / since for k, v in sums.items()}, "lr": optimizer.param_groups[-1]["lr"]}) + "\n")
            log.flush()
            began, sums, since = time.time(), {}, 0
        if step % config.eval_every == 0 or step == config.steps:
            scores = task.evaluate(ema.eval())
            better = scores["score"] > best["score"]
            stale = 0 if better else stale + 1
            if better:
                best = {"step": step, **scores}
                torch.save(ema.state_dict(), out / "best.tmp")
                os.replace(out / "best.tmp", out / "best.pt")
            print(f"step {step} " + " ".join(f"{k} {v:.4f}" for k, v in scores.items()) + (" (best)" if better else ""), flush=True)
            log.write(json.dumps({"step": step, "val": scores}) + "\n")
            log.flush()
            save()
            saved = began = time.time()
            if stale >= config.patience:
                print(f"stopping early: {stale} evaluations without a better score")
                break
        elif time.time() - saved > config.checkpoint_seconds:
            save()
            saved = time.time()
    return {**best, "trained_minutes": trained / 60}
