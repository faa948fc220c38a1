"""What the networks find in photos, as files: parse maps, poses, garment masks and landmarks.

    python jobs/annotate.py people --data shop/models --out found
    python jobs/annotate.py garments --data s3://shop/products --out s3://shop/found --actors 8

Of people: OUT/parse/ID.png (8-bit ids, named by OUT/labels.json), OUT/pose/ID_keypoints.json (OpenPose, COCO-18). Of garments: OUT/mask/ID.png.
Of both: OUT/labelme/ID.json, to be corrected in LabelMe and read back by jobs/prepare_data.py --format labelme, and OUT/found.jsonl, a line per
photo: confidence, kind, landmarks, or the reason why there is nothing. ID is the photo's path below --data without its suffix. The photos are
streamed by Ray Data, here or under ray job submit; one bad photo costs one line.

Exit status: 0 when something was found, 1 when not, 2 for bad usage or storage that cannot be used.
"""
import argparse
import json
import sys
import uuid
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import pyarrow as pa
import ray
from ray.data import ActorPoolStrategy

from tryon import cluster
from tryon import schema as S
from tryon.config import Config
from tryon.datasets.sample import DatasetError
from tryon.datasets.source import PICTURES, Source, stem
from tryon.leave import leave
from tryon.progress import Progress
from tryon.stages.annotate import FOUND, Annotate
from tryon.stages.contract import Guard
from tryon.storage import Storage, StorageError, absolute, join, roots


def main(argv: list[str] | None = None) -> int:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False)
    p.add_argument("kind", choices=("people", "garments"))
    p.add_argument("--data", required=True, metavar="URI", help="folder of photos, local or s3://")
    p.add_argument("--out", required=True, metavar="URI", help="folder of what is found, local or s3://")
    p.add_argument("--limit", type=int, default=0, metavar="N", help="the first N photos only")
    p.add_argument("--actors", type=int, default=2, metavar="N", help="processes with networks (default: 2)")
    p.add_argument("--gpus-per-actor", type=float, default=0.0, metavar="X", help="GPUs of each (default: 0)")
    args = p.parse_args(argv)
    try:
        return run(args)
    except (DatasetError, StorageError, FileNotFoundError) as e:
        print(f"error: {' '.join(str(e).split())}", file=sys.stderr)
        return 2


def run(args) -> int:
    config, out = Config(), absolute(args.out)
    storage = Storage(config.storage, roots((args.data,)))
    source = Source.at(args.data)
    for uri in (source.root, out):
        storage.check(uri)
    names = sorted(source.files("", PICTURES))[: args.limit or None]
    if not names:
        raise DatasetError(f"there is no photo ({', '.join(PICTURES)}) in {source.root}")
    empty = {n: None for n in FOUND.names}
    rows = pa.Table.from_pylist([empty | {"id": stem(n), "uri": source.uri(n)} for n in names], FOUND)
    cluster.join(store_bytes=1 << 30)
    cluster.stream()
    try:
        found = ray.data.from_arrow(rows).repartition(target_num_rows_per_block=8).map_batches(
            Guard, fn_constructor_args=(Annotate(config, storage, args.kind, out), uuid.uuid4().hex), batch_format="pyarrow", batch_size=8,
            zero_copy_batch=True, compute=ActorPoolStrategy(size=args.actors), num_cpus=0.4, num_gpus=args.gpus_per_actor or None,
            max_restarts=3, max_task_retries=3)
        progress, lines = Progress("annotated", len(names)), []
        for row in found.iter_rows():
            progress.count()
            lines.append(row)
    finally:
        cluster.leave()
    lines.sort(key=lambda r: r["id"])
    storage.write(join(out, "found.jsonl"), "".join(json.dumps(r) + "\n" for r in lines).encode())
    if args.kind == "people":
        storage.write(join(out, "labels.json"), json.dumps(S.PARSE_CLASSES).encode())
    bad = [r for r in lines if r["reason"]]
    for r in bad[:10]:
        print(f"{r['id']}: {r['reason']}: {r['detail']}")
    print(f"{len(lines) - len(bad)} of {len(lines)} photos annotated: {out}")
    return 0 if len(bad) < len(lines) else 1


if __name__ == "__main__":
    leave(main())
