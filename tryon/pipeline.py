"""The data flow of a run; read this file first.

    people, products -> fetch -> analyse            each source once, analyses cached in the output store; what is there is only looked up
                     -> expand                      one row per look, with its id
                     -> fit -> generate [-> dress] -> finish   each look that has no committed row; pictures leave here
                     -> ledger                      (jobs/render_catalog.py commits what comes out)

A row that fails in a stage keeps its place with a reason and passes through the rest (tryon/stages/contract.py). The stages with
networks are imported where they are used: a run that finds everything done starts no actors and waits for no torch.
"""
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import ray
from ray.data import ActorPoolStrategy, Dataset, TaskPoolStrategy

from tryon.config import Config
from tryon.stages.contract import CRASHES, Guard, Stage
from tryon.stages.expand import LOOK, Expand
from tryon.stages.fetch import INDEX, SOURCE, Fetch
from tryon.stages.finish import Finish
from tryon.storage import Storage


@dataclass
class Pipeline:
    config: Config
    storage: Storage
    run_id: str
    weights: str  # digest of the weight files
    render_hash: str

    def analyse(self, kind: str, sources: Iterable[list[dict]], report: Callable[[pa.Table], None]) -> Dataset:
        """Chunks of source rows -> stages.fetch.INDEX, one row each; executed here, ``report`` sees what is finished."""
        c, finished = self.config.cluster, []

        def finish(rows: pa.Table) -> None:
            if len(rows):
                report(rows)
                finished.append(ray.put(rows))

        def fetch(rows: Dataset, lookup: bool) -> Dataset:
            return self._stage(rows, Fetch(self.config, self.storage, kind, self.weights, lookup), tasks=c.fetch_tasks)

        def unknown() -> Iterator[list[dict]]:
            for batch in _batches(fetch(self._source(sources, SOURCE), lookup=True)):
                rows = batch.to_pylist()
                finish(pa.Table.from_pylist([row for row in rows if row["cached"] or row["reason"]], INDEX))
                yield [row for row in rows if not (row["cached"] or row["reason"])]

        new = self._source(unknown(), SOURCE)
        if new.count():
            from tryon.stages.analyse import Analyse
            stage, actors = Analyse(self.config, self.storage, kind), c.person_actors if kind == "person" else c.garment_actors
            for batch in _batches(self._stage(fetch(new, lookup=False), stage, actors=actors, gpus=c.gpus_per_actor)):
                finish(batch)
        return ray.data.from_arrow_refs(finished or [ray.put(INDEX.empty_table())])

    def plan(self, people: list[dict], products: Dataset, looks: Iterable[list[dict]] | None) -> Dataset:
        """stages.expand.LOOK rows: every product on every person, or the named looks."""
        expand = Expand(people, self.render_hash, self.config.input.limit)
        if looks is None:
            return products.map_batches(lambda t: pa.Table.from_pylist(expand.products(t.to_pylist()), LOOK), batch_format="pyarrow",
                                        batch_size=self.config.cluster.block_rows, num_cpus=self.config.cluster.task_cpus).materialize()
        blocks = products.to_arrow_refs()

        def name(table: pa.Table) -> pa.Table:
            rows = table.to_pylist()
            wanted = {i for row in rows for i in row["product_ids"]}
            found = (row for block in ray.get(blocks) for row in block.to_pylist() if row["id"] in wanted and row["reason"] != "duplicate_id")
            return pa.Table.from_pylist(expand.looks(rows, {row["id"]: row for row in found}), LOOK)

        named = pa.schema([("position", pa.int64()), ("person_id", pa.string()), ("product_ids", pa.list_(pa.string())), ("carried", pa.string()),
                           ("reason", pa.string()), ("detail", pa.string())])
        return self._source(looks, named).map_batches(name, batch_format="pyarrow", batch_size=None, num_cpus=self.config.cluster.task_cpus).materialize()

    def render(self, plan: Dataset, done: set[str]) -> Iterator[dict]:
        """Result rows (stages.finish.Finish.schema) of the planned looks that are not in ``done``, as they are finished."""
        from tryon.stages.render import Dress, Fit, Generate
        c, ids = self.config.cluster, ray.put(np.array(sorted(done), dtype="S32"))
        pending = lambda t: t.filter(pa.array(~np.isin(np.array(t["look_id"].to_pylist(), dtype="S32"), ray.get(ids))))
        rows = plan.map_batches(pending, batch_format="pyarrow", batch_size=None, num_cpus=c.task_cpus)
        rows = rows.repartition(target_num_rows_per_block=c.block_rows)
        rows = self._stage(rows, Fit(self.config, self.storage), actors=c.fit_actors)
        rows = self._stage(rows, Generate(self.config, self.storage), actors=c.generate_actors, gpus=c.gpus_per_actor)
        if self.config.output.dressing != "none":
            rows = self._stage(rows, Dress(self.config, self.storage), actors=c.dress_actors, gpus=c.gpus_per_actor)
        rows = self._stage(rows, Finish(self.config, self.storage), tasks=c.finish_tasks)
        for batch in _batches(rows):
            yield from batch.to_pylist()

    def _source(self, chunks: Iterable[list[dict]], schema: pa.Schema) -> Dataset:
        """Rows into the object store chunk by chunk: the driver never holds a whole table."""
        refs = [ray.put(pa.Table.from_pylist(chunk, schema)) for chunk in chunks if chunk]
        return ray.data.from_arrow_refs(refs or [ray.put(schema.empty_table())])

    def _stage(self, rows: Dataset, stage: Stage, tasks: int = 0, actors: int = 0, gpus: float = 0.0) -> Dataset:
        c = self.config.cluster
        batches = dict(batch_format="pyarrow", batch_size=c.batch_size, zero_copy_batch=True)
        # Tries of a block: as many as its rows may need to be given up by the guard, and some for the machine. Ray's own default is for ever.
        tries = CRASHES * c.block_rows + c.max_restarts
        if actors:
            return rows.map_batches(Guard, fn_constructor_args=(stage, self.run_id), compute=ActorPoolStrategy(size=actors), num_cpus=c.actor_cpus,
                                    num_gpus=gpus or None, max_restarts=-1, max_task_retries=tries, **batches)
        return rows.map_batches(Guard(stage, self.run_id), compute=TaskPoolStrategy(size=tasks), num_cpus=c.task_cpus, max_retries=tries, **batches)


def _batches(rows: Dataset) -> Iterator[pa.Table]:
    return rows.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=0)

