"""Measure a network, as the product uses it, on labelled photos.

    python jobs/evaluate.py parser --data ../cache/ccp --format ccp --out report.json
    python jobs/evaluate.py pose --data s3://sets/coco --format coco --out s3://sets/pose.json --limit 500
    python jobs/evaluate.py garment --data tests/data/garment_polygons --format labelme --photos ../cache/garments/image --out garment.json
    python jobs/evaluate.py look --data /data/viton-hd --format viton-hd --pairs test_pairs.txt --out look.json
    python jobs/evaluate.py dressing --data ../cache/ccp/image --products ../cache/garments/image --split test --limit 30 --out dressing.json
    python jobs/evaluate.py parser --data ../cache/ccp --format ccp --out report.json --ablation runs/ablation --ablation-steps 600
    python jobs/evaluate.py compare --data ../cache/ccp --out runs/compare --steps 400

Prints a table and writes OUT, everything in it with its definition, and beside OUT a contact sheet of the worst cases (report.png). The
whole of a set is judged, but of ccp and clothing, which the shipped weights learn from, the test split. --ablation trains the network twice
with the same budget, with and without augmentation (resumable, about as long as two runs of jobs/train.py), and judges both.

compare trains each row of tryon.evaluation.compare from nothing with the same budget of --steps, judges its looks as look does, prints the rows as
a Markdown table with definitions and leaves OUT/compare.json and OUT/compare.png, whose columns show the same pairs. Killed, the same command
goes on: a row in OUT that is trained is not trained again, nor judged again when it was.

dressing takes two folders of raw photos, of people (--data) and of products (--products), or what the built-in store draws (--data sample),
makes sequences of random pairs, kinds of garment evenly, and writes film strips of each kind beside the report.

Exit status: 0 when something was judged, 1 when there was nothing to judge, 2 for bad usage or a data set that cannot be used.
"""
import argparse
import json
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np

from tryon import images
from tryon import storage as storage_module
from tryon.config import GENERATORS, WARPS, StorageConfig
from tryon.datasets import augment, shards
from tryon.datasets.formats import FORMATS
from tryon.datasets.labels import LABEL_SETS
from tryon.datasets.sample import DatasetError, Entry, Rejected, load
from tryon.datasets.source import PICTURES, Source, load_labels
from tryon.dressing.sequence import UNDER
from tryon.evaluation import compare, dressing, garment, look, parser, pose
from tryon.evaluation.views import views
from tryon.leave import leave
from tryon.models.digest import FOLDER
from tryon.networks import Networks
from tryon.progress import Progress
from tryon.report.sheet import sheet
from tryon.storage import Storage, StorageError, is_s3, join

TARGETS = {"parser": parser, "pose": pose, "garment": garment, "look": look, "dressing": dressing}
LEARNED_FROM = ("ccp", "ccp-corrected", "clothing")
TRACED = {"garment": "upper", "hole": "background"}  # labels of outlines of a product photo; of what kind it is they tell nothing


def main(argv: list[str] | None = None) -> int:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False)
    p.add_argument("target", choices=[*TARGETS, "compare"])
    p.add_argument("--data", required=True, metavar="URI", help="folder of the data set, local or s3://")
    p.add_argument("--format", default="", choices=[*FORMATS, "shards"], help="its layout; shards: of jobs/prepare_data.py (default of compare: ccp-corrected)")
    p.add_argument("--out", required=True, metavar="FILE.json",
                   help="the report, local or s3://; FILE.png beside it shows the worst cases; compare: a local folder")
    p.add_argument("--split", default="auto", choices=("auto", "all", *shards.SPLITS), help="what is judged (default: auto, see above)")
    p.add_argument("--limit", type=int, default=0, metavar="N", help="judge only the first N samples")
    p.add_argument("--weights", default="", metavar="FOLDER", help="weights to judge (default: the package's)")
    p.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"))
    p.add_argument("--labels", metavar="FILE", help="JSON or TOML table: label of the data set = class of ours, or ignore")
    p.add_argument("--label-set", default="", choices=["", *sorted(LABEL_SETS)], help="label set of the parse maps, when it is not the format's own")
    p.add_argument("--photos", default="", metavar="URI", help="labelme: folder of the photos, when they are not beside their JSON")
    p.add_argument("--allow", nargs="+", default=[], metavar="PREFIX", help="further places that annotations may name photos in")
    p.add_argument("--negatives", metavar="URI", help="folder of photos without what is looked for, added to drawn grounds")
    p.add_argument("--pairs", default="", metavar="FILE", help="look: pairs file of viton and viton-hd, instead of the set's own")
    p.add_argument("--products", default="", metavar="URI", help="dressing: folder of product photos")
    p.add_argument("--under", default="over", choices=UNDER, help="dressing: what lies under (default: over)")
    p.add_argument("--frames", type=int, default=24, metavar="N", help="dressing: frames of a sequence (default: 24, which the laws are stated for)")
    p.add_argument("--warp", default="flow", choices=WARPS, help="look, dressing: how garments are fitted (default: flow)")
    p.add_argument("--generator", default="cgan", choices=GENERATORS, help="look, dressing: what paints (default: cgan)")
    p.add_argument("--inception", default="", metavar="FILE", help="look: TorchScript of Inception (RGB uint8 B3HW -> features), for a true FID")
    p.add_argument("--worst", type=int, default=24, metavar="N", help="pictures on the contact sheet (default: 24)")
    p.add_argument("--ablation", metavar="DIR", help="train twice under DIR, with and without augmentation, and judge both")
    p.add_argument("--ablation-steps", type=int, default=600, metavar="N", help="steps of either training (default: 600)")
    p.add_argument("--rows", nargs="+", choices=compare.ROWS, default=list(compare.ROWS), metavar="ROW",
                   help=f"compare: some of {', '.join(compare.ROWS)}")
    p.add_argument("--steps", type=int, default=400, metavar="N", help="compare: steps that each row trains (default: 400)")
    p.add_argument("--batch-size", type=int, default=12, metavar="N", help="compare: samples of a step (default: 12)")
    p.add_argument("--grounds", metavar="DIR", help="ablation of garment: the CCP folder that jobs/train.py garment asks for")
    p.add_argument("--endpoint-url", default="", help="S3 endpoint (default: AWS_ENDPOINT_URL_S3, else AWS)")
    args = p.parse_args(argv)
    if args.target == "compare":
        args.format = args.format or "ccp-corrected"
    if not args.format and args.target != "dressing":
        p.error("--format is missing: the layout of --data")
    if args.target == "dressing" and args.data != "sample" and not args.products:
        p.error("--products is missing: a folder of product photos")
    if (args.ablation or args.target == "compare") and args.format not in (*LEARNED_FROM, "shards"):
        p.error("what trains on --data takes what jobs/train.py takes (ccp, ccp-corrected, clothing, shards)")
    try:
        if args.target == "compare":
            signal.signal(signal.SIGTERM, signal.default_int_handler)
            return run_compare(args)
        return run(args)
    except KeyboardInterrupt:
        print("stopped; run the same command again", file=sys.stderr)
        return 1
    except (DatasetError, StorageError, ModuleNotFoundError, FileNotFoundError) as e:
        hint = "; pip install -e '.[data,train]'" if isinstance(e, ModuleNotFoundError) else ""
        print(f"error: {' '.join(str(e).split())}{hint}", file=sys.stderr)
        return 2


def run(args) -> int:
    storage = Storage(replace(StorageConfig(), endpoint_url=args.endpoint_url))
    out = storage_module.absolute(args.out)
    storage.check(out)
    if not out.endswith(".json"):
        raise DatasetError(f"--out {args.out}: the report is a file whose name ends in .json")
    folders = {"": args.weights}
    if args.ablation:
        folders |= {f"augmentation {name}": trained(args, name) for name in ("on", "off")}
    report = {"target": args.target, "data": args.data, "format": args.format, "definitions": TARGETS[args.target].DEFINITIONS}
    names = TARGETS[args.target].Evaluation.networks + ((*WARPS[args.warp], *GENERATORS[args.generator]) if args.target in ("look", "dressing") else ())
    for title, folder in folders.items():
        found, evaluation = judge(args, storage, Networks(args.device, folder, names))
        if found is None:
            return 1
        if title:
            print(f"\n{title}, {args.ablation_steps} steps")
            report.setdefault("ablation", {"steps": args.ablation_steps})[title] = found
        else:
            report |= found
            sheets = {f".{k}.png": v for k, v in evaluation.sheet_cases().items()} if args.target in ("look", "dressing") else {
                ".png": [(c, t) for _, c, t in evaluation.worst()[: args.worst]]}
            for name, tiles in sheets.items():
                storage.write(out.removesuffix(".json") + name, images.encode(sheet(tiles), "png"), "image/png")
        print(table(found["strata"]))
        if "confidence" in found:
            print(confidence_lines(found["confidence"]))
    print("\n" + "\n".join(f"{name}: {text}" for name, text in report["definitions"].items()))
    storage.write(out, json.dumps(report, indent=1).encode(), "application/json")
    print(f"{out}; pictures: {', '.join(out.removesuffix('.json') + name for name in sheets)}")
    return 0


def listed(args, storage: Storage) -> tuple[list[Entry], str]:
    """What is to be judged, and the split it is of."""
    split = args.split if args.split != "auto" else "test" if args.format in (*LEARNED_FROM, "shards") else "all"
    if args.format == "shards":
        found = [Entry(s.id, lambda s=s: s) for s in shards.read(args.data, shards.SPLITS if split == "all" else (split,), storage)]
        return found, split
    labels = (TRACED if args.target == "garment" else {}) | dict(load_labels(args.labels, storage) if args.labels else {})
    data = storage_module.absolute(args.data)
    storage.check(data)
    source = Source.at(data, labels, args.label_set, storage, tuple(args.allow), args.photos, args.pairs)
    return list(FORMATS[args.format](source)), split


def judge_dressing(args, storage: Storage, networks: Networks):
    """The report on sequences, or None when none could be made, and the evaluation it is of."""
    limit, split = args.limit or 30, args.split if args.split != "auto" else "all"
    evaluation = dressing.Evaluation(networks, args.warp, args.under, args.frames, each=-(-limit // 9))
    progress, judged = Progress("sequences judged", limit), 0
    for case in dressing.cases(args.data, args.products, split, storage):
        if evaluation.add(case):
            judged += 1
            progress.count()
        if judged >= limit:
            break
    return ({"split": split, "samples": judged} | evaluation.report() if judged else None), evaluation


def judge(args, storage: Storage, networks: Networks):
    """The report on the networks, or None when there was nothing to judge, and the evaluation it is of."""
    if args.target == "dressing":
        return judge_dressing(args, storage, networks)
    module = TARGETS[args.target]
    evaluation = module.Evaluation(networks, **({"warp": args.warp, "inception": args.inception} if args.target == "look" else {}))
    found, split = listed(args, storage)
    progress, judged, rejected = Progress("judged", len(found) if split == "all" or args.format == "shards" else None), 0, []
    for result in load(found):
        progress.count()
        if isinstance(result, Rejected):
            rejected.append(result._asdict())
            continue
        sample, image = result
        if split != "all" and sample.split != split:
            continue
        if args.target == "look":
            pairs = list(look.cases(sample, image))
            for case in pairs:
                evaluation.add(case)
            judged += bool(pairs)
        elif args.target == "garment":
            judged += evaluation.add(sample, image)
        else:
            judged += any([evaluation.add(view) for view in views(sample, image)])
        if args.limit and judged >= args.limit:
            break
    if not judged:
        print(f"nothing to judge: no sample of {args.data} has {module.Evaluation.wants}", file=sys.stderr)
        return None, evaluation
    report = {"split": split, "samples": judged, "left_out": rejected}
    if args.target == "look":
        return report | evaluation.report(), evaluation
    for image in negatives(args, storage):
        evaluation.reject(image)
    return report | evaluation.report() | {"worst": [(c, round(q, 4)) for q, c, _ in evaluation.worst()[:50]]}, evaluation


def negatives(args, storage: Storage):
    """Pictures that show neither a person nor a garment: 40 drawn studio grounds, and those the user has."""
    rng = np.random.default_rng(0)
    yield from (augment.studio_ground((512, 384), rng) for _ in range(40))
    if args.negatives:
        source = Source.at(storage_module.absolute(args.negatives), storage=storage)
        for name in source.files("", PICTURES):
            yield images.decode(source.read(source.uri(name)))


def train(args, network: str, out: str, steps: int, *options: str) -> None:
    """jobs/train.py, to its end; a run that was killed goes on, a finished one ends at once."""
    command = [sys.executable, str(Path(__file__).parent / "train.py"), network, "--data", args.data, "--out", out, "--drawn", "0",
               "--fit.steps", str(steps), "--fit.eval_every", str(steps), *options]
    print(f"training: {' '.join(command[1:])}", flush=True)
    process = subprocess.Popen(command)
    try:
        status = process.wait()
    except KeyboardInterrupt:
        process.terminate()
        process.wait()
        raise
    if status:
        raise DatasetError(f"the training in {out} did not end; the same command goes on with it")


def trained(args, name: str) -> str:
    """The folder of weights trained with augmentation ``on`` or ``off``; a finished run is used again."""
    out = f"{args.ablation}/{name}"
    train(args, args.target, out, args.ablation_steps, "--augment", ",".join(augment.GROUPS) if name == "on" else "none",
          *(("--grounds", args.grounds) if args.grounds else ()))
    for other in set(TARGETS[args.target].Evaluation.networks) - {args.target}:  # stays what it was
        file = Path(args.weights or FOLDER) / f"{other}.safetensors"
        (Path(out) / file.name).write_bytes(file.read_bytes())
    return out


def run_compare(args) -> int:
    storage, out = Storage(replace(StorageConfig(), endpoint_url=args.endpoint_url)), storage_module.absolute(args.out)
    if is_s3(out):
        raise DatasetError(f"--out {args.out}: compare works in a local folder")
    settings = {k: getattr(args, k) for k in ("data", "format", "split", "limit", "steps", "batch_size", "weights")}
    given = join(out, "settings.json")
    if storage.exists(given) and (before := json.loads(storage.read(given))) != settings:
        raise DatasetError(f"{out} holds a comparison with other settings, {before}; choose another --out")
    storage.write(given, json.dumps(settings).encode(), "application/json")
    rows, strips = {}, {}
    for name in args.rows:
        folder = join(out, name)
        if not storage.exists(join(folder, "row.json")) and not compare_row(args, storage, name, folder):
            return 1
        rows[name] = json.loads(storage.read(join(folder, "row.json")))
        strips |= {kind if kind == "given" else name: images.decode(storage.read(join(folder, f"{kind}.png"))) for kind in ("given", "looks")}
    report = {"settings": settings, "definitions": compare.DEFINITIONS, "rows": rows}
    storage.write(join(out, "compare.json"), json.dumps(report, indent=1).encode(), "application/json")
    storage.write(join(out, "compare.png"), images.encode(compare.contact_sheet(strips), "png"), "image/png")
    print(f"{compare.table(rows)}\n\n" + "\n".join(f"{name}: {text}" for name, text in compare.DEFINITIONS.items()))
    print(join(out, "compare.json"), join(out, "compare.png"))
    return 0


def compare_row(args, storage: Storage, name: str, folder: str) -> bool:
    """Train a row unless it is trained, judge it and leave row.json, given.png and looks.png in its folder; False when there is nothing to judge."""
    row = compare.ROWS[name]
    if not storage.exists(join(folder, f"{row.network}.json")):
        train(args, row.network, folder, args.steps, "--fit.batch_size", str(args.batch_size), "--fit.lr", str(compare.LR), *row.options)
    card = json.loads(storage.read(join(folder, f"{row.network}.json")))
    others = (*look.Evaluation.networks, *GENERATORS[row.generator], *WARPS[row.warp])
    networks = Networks(args.device, args.weights, tuple(n for n in others if n != row.network))
    networks.nets |= Networks(args.device, folder, (row.network,)).nets
    print(f"judging {name}", flush=True)
    found, evaluation = judge(argparse.Namespace(**vars(args) | {"target": "look", "warp": row.warp}), storage, networks)
    if found is None:
        return False
    for kind, which in (("given", ("photo", "other")), ("looks", ("paired", "unpaired"))):
        picture = compare.strip(evaluation, lambda looks: [looks.get(k) for k in which])
        storage.write(join(folder, f"{kind}.png"), images.encode(picture, "png"), "image/png")
    done = {"minutes": card["trained_minutes"], "card": card, "look": found}
    storage.write(join(folder, "row.json"), json.dumps(done, indent=1).encode(), "application/json")
    return True


def table(strata: dict[str, dict]) -> str:
    """One column per stratum; lists of classes and joints are indented below their name."""
    names = list(strata)
    lines, width = [], 22
    cell = lambda v: f"{'-':>16}" if v is None else f"{v:>16}" if isinstance(v, int) else f"{v:>16.4f}"
    lines.append(" " * width + "".join(f"{n:>16}" for n in names))
    for key, value in strata[names[0]].items():
        if isinstance(value, dict):
            lines.append(key)
            lines += [f"  {k:<{width - 2}}" + "".join(cell(strata[n][key].get(k)) for n in names) for k in value]
        elif any(strata[n].get(key) is not None for n in names):
            lines.append(f"{key:<{width}}" + "".join(cell(strata[n].get(key)) for n in names))
    return "\n".join(lines)


def confidence_lines(c: dict) -> str:
    head = [f"confidence: {c['pictures']} pictures, {c['refused']} refused; {c['negatives']} negatives, {c['negatives_accepted']} accepted",
            *(f"  {k} {v:.3f}" for k, v in c.items() if isinstance(v, float))]
    return "\n".join(head + [f"  {b['pictures']:>5} pictures: confidence {b['confidence']:.3f}, quality {b['quality']:.3f}" for b in c["bins"]])


if __name__ == "__main__":
    leave(main())
