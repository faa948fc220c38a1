"""Turn a data set of any format into training shards.

    python jobs/prepare_data.py --format ccp --data ../cache/ccp --out ../cache/shards/ccp
    python jobs/prepare_data.py --format viton-hd --data s3://sets/viton-hd --out s3://sets/shards --keep 5000
    python jobs/prepare_data.py --format labelme --data ./corrected --out ./shards --labels labels.toml
    python jobs/prepare_data.py --format ccp --data ../cache/ccp --out /tmp/shards --limit 50   # a quick look
    python jobs/prepare_data.py --format ccp --data ../cache/ccp --out ../cache/shards/ccp --keep 1000 --expand 3000 --augment geometry,colour

Writes OUT/{train,val,test}/NNNNN.parquet (tryon/datasets/shards.py), OUT/rejected.jsonl with every sample that was left out and why, and
last OUT/statistics.json, without which the set is not whole. The split is 70 / 15 / 15 by a hash of the person or garment and comes before
all else; curation (--keep) follows, and then expansion (--expand), which adds augmented copies to the train split alone. The same command
after a kill makes the same bytes. COCO and MPII need the extra: pip install -e '.[data]'

Exit status: 0 when samples were written, 1 when there were none, 2 for bad usage or a data set that cannot be used.
"""
import argparse
import itertools
import json
import sys
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tryon import storage as storage_module
from tryon.config import StorageConfig
from tryon.datasets import augment, curate, expand
from tryon.datasets.formats import FORMATS
from tryon.datasets.labels import LABEL_SETS
from tryon.datasets.sample import DatasetError, Entry, Rejected, load
from tryon.datasets.shards import ShardWriter
from tryon.datasets.source import Source, load_labels
from tryon.datasets.statistics import Statistics, table
from tryon.leave import leave
from tryon.progress import Progress
from tryon.storage import Storage, StorageError, join


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False)
    parser.add_argument("--format", required=True, choices=FORMATS, help="layout of the data set")
    parser.add_argument("--data", required=True, metavar="URI", help="its folder, local or s3://; coco and mpii also take one annotation file")
    parser.add_argument("--out", required=True, metavar="URI", help="folder of the shards, local or s3://")
    parser.add_argument("--labels", metavar="FILE", help="JSON or TOML table: label of the data set = class of ours, or ignore")
    parser.add_argument("--label-set", default="", choices=sorted(LABEL_SETS), help="label set of the parse maps, when it is not the format's own")
    parser.add_argument("--keep", type=count, default=0, metavar="N", help="curate: keep the N best samples (tryon/datasets/curate.py)")
    parser.add_argument("--expand", type=count, default=0, metavar="M", help="expand: the train split to M samples by augmented copies of its own "
                                                                             "(tryon/datasets/expand.py)")
    parser.add_argument("--augment", type=augment.groups, default=augment.GROUPS, metavar="GROUPS",
                        help=f"what --expand varies: some of {','.join(augment.GROUPS)}, joined by commas (default: all)")
    parser.add_argument("--seed", type=seed, default=0, metavar="S", help="of the copies of --expand (default 0)")
    parser.add_argument("--limit", type=count, default=0, metavar="N", help="read only the first N samples")
    parser.add_argument("--shard-rows", type=count, default=256, metavar="N", help="samples per shard (default 256); 128 MB end a shard too")
    parser.add_argument("--threads", type=count, default=4, metavar="N", help="samples read at the same time (default 4)")
    parser.add_argument("--allow", nargs="+", default=[], metavar="PREFIX", help="further places that annotations may name photos in")
    parser.add_argument("--endpoint-url", default="", help="S3 endpoint (default: AWS_ENDPOINT_URL_S3, else AWS)")
    args = parser.parse_args(argv)
    if args.expand and not args.augment:
        parser.error("--expand with --augment none would add copies that are all the same")
    try:
        return run(args)
    except (DatasetError, StorageError, ModuleNotFoundError) as e:
        hint = "; pip install -e '.[data]'" if isinstance(e, ModuleNotFoundError) else ""
        print(f"error: {' '.join(str(e).split())}{hint}", file=sys.stderr)
        return 2


def run(args) -> int:
    storage = Storage(replace(StorageConfig(), endpoint_url=args.endpoint_url))
    data, out = storage_module.absolute(args.data), storage_module.absolute(args.out)
    if (out + "/").startswith(data + "/") or (data + "/").startswith(out + "/"):
        raise DatasetError(f"--out {args.out} and --data {args.data} lie in one another: give the shards a folder of their own")
    for uri in (data, out):
        storage.check(uri)
    source = Source.at(data, load_labels(args.labels, storage) if args.labels else {}, args.label_set, storage, tuple(args.allow))
    entries = list(itertools.islice(FORMATS[args.format](source), args.limit or None))
    print(f"{len(entries)} samples listed", flush=True)
    found = Statistics()
    if args.keep:
        entries = curated(entries, args.keep, args.threads, found)
    writer = ShardWriter(storage, out, args.shard_rows)
    progress, train = Progress("written", len(entries)), []
    for entry, result in zip(entries, load(entries, args.threads), strict=True):
        progress.count()
        if isinstance(result, Rejected):
            found.reject(result)
        else:
            sample, image = result
            found.add(sample, image.shape[:2])
            writer.add(sample)
            train += [entry] * (sample.split == "train")
    storage.write(join(out, "rejected.jsonl"), "".join(json.dumps(r._asdict()) + "\n" for r in found.details).encode())
    report = {"format": args.format, "data": data, "keep": args.keep}
    if args.expand and found.samples:
        report["expanded"] = expanded(train, args, found, writer)
    report |= found.report()
    writer.close(report)
    print(table(report))
    print(f"{sum(found.samples.values())} samples in {len(writer.shards)} shards, {sum(found.rejected.values())} left out: {out}")
    return 0 if found.samples else 1


def curated(entries: list[Entry], keep: int, threads: int, found: Statistics) -> list[Entry]:
    """The entries that curation keeps, in order. Every one is read for it, and those that are kept a second time afterwards: what is
    remembered of each is small, so a set may be larger than the memory."""
    candidates, positions = [], []
    progress = Progress("judged", len(entries))
    for position, result in enumerate(load(entries, threads)):
        progress.count()
        if isinstance(result, Rejected):
            found.reject(result)
        else:
            candidates.append(curate.candidate(*result))
            positions.append(position)
    if any(leaks := curate.leaks(candidates).values()):
        print(f"warning: {sum(leaks)} pictures of val and test have a near-duplicate in train; are identities told apart?", flush=True)
    fate = curate.choose(candidates, keep)
    for i, reason in fate.items():
        if reason:
            found.reject(Rejected(candidates[i].id, reason, f"quality {candidates[i].quality:.3f}"))
    return [entries[positions[i]] for i, reason in fate.items() if not reason]


def expanded(train: list[Entry], args, found: Statistics, writer: ShardWriter) -> dict:
    """Add augmented copies of the train split, which are read a second time, after the originals; what statistics.json says of it."""
    if not train:
        raise DatasetError("--expand: no sample of the train split was read, so there is nothing to copy")
    if args.expand < len(train):
        raise DatasetError(f"--expand {args.expand} is less than the {len(train)} samples of the train split, which all stay; --keep takes fewer")
    counts = expand.shares(len(train), args.expand - len(train))
    copied = [(entry, n) for entry, n in zip(train, counts, strict=True) if n]
    augmentation, progress = expand.Augmentation(args.augment, args.seed), Progress("copies written", sum(counts))
    for (entry, n), result in zip(copied, load((entry for entry, _ in copied), args.threads), strict=True):
        if isinstance(result, Rejected):
            raise DatasetError(f"sample {entry.id} was read a moment ago and now is not: {result.reason}, {result.detail}")
        for k in range(1, n + 1):
            copy = augmentation.copy(*result, k)
            found.add(copy, result[1].shape[:2])
            writer.add(copy)
            progress.count()
    return {"copies": sum(counts), "of": len(train), "groups": [g for g in augment.GROUPS if g in args.augment], "seed": args.seed}


def count(text: str, least: int = 1) -> int:
    if int(text) < least:
        raise argparse.ArgumentTypeError(f"must be at least {least}, got {text}")
    return int(text)


def seed(text: str) -> int:
    return count(text, 0)


if __name__ == "__main__":
    leave(main())
