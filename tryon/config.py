"""The configuration: one frozen dataclass per section, every key reachable from TOML and from the command line.

Precedence: defaults < TOML file (``--config``) < command line. ``python -m tryon.config`` prints the reference table
of the README.
"""

import argparse
import dataclasses
import difflib
import hashlib
import json
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tryon import schema


class ConfigError(Exception):
    """A key, a value or a combination that cannot be used; the message is one line that says where it came from."""


def option(default, help: str, choices: tuple[str, ...] = (), low: float | None = None, high: float | None = None):
    """A configuration field: ``help`` names the unit; ``choices`` or the closed range ``low``..``high`` bound the value."""
    return field(default=default, metadata={"help": help, "choices": choices, "low": low, "high": high})


@dataclass(frozen=True, kw_only=True)
class InputConfig:
    catalog: str = option("", "table (parquet, CSV, JSONL) or folder of garment photos; empty: the built-in sample store")
    people: str = option("", "table or folder of photos of people; empty: the built-in sample store")
    looks: str = option("", "table of person_id, product_ids in dressing order; empty: every product on every person")
    limit: int = option(0, "render only the first N looks; 0: all", low=0)
    allow: tuple[str, ...] = option((), "further prefixes that the tables may name pictures under")


@dataclass(frozen=True, kw_only=True)
class OutputConfig:
    out: str = option("./out", "folder or s3://bucket/prefix of pictures, results and report")
    size: str = option("source", "'source': as the person photo; or WxH in pixels: fitted inside, centred on the edge colour")
    format: str = option("webp", "picture format; webp and png are lossless", choices=("webp", "png", "jpeg", "avif"))
    quality: int = option(90, "quality of jpeg, avif and the files of dressing sequences, 1-100; no effect on lossless pictures", low=1, high=100)
    dressing: str = option("none", "file of each look's garments being put on, beside its picture; frames: one file per frame", choices=("none", "webp", "gif", "mp4", "frames"))


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    retry_failed: bool = option(False, "render looks again that failed for a permanent reason")
    prune: bool = option(False, "delete pictures, rows and analyses of looks and photos that are no longer in the plan")
    dry_run: bool = option(False, "read the tables, print the plan, render nothing")
    shard_rows: int = option(64, "rows after which results are committed", low=1)
    shard_seconds: float = option(10.0, "seconds after which results are committed, however few", low=0)


@dataclass(frozen=True, kw_only=True)
class ImageConfig:
    max_bytes: int = option(64 << 20, "largest source file, bytes", low=1)
    max_pixels: int = option(80_000_000, "largest source picture, pixels (width x height)", low=1)
    min_side: int = option(64, "shortest side of a source picture, pixels", low=1)


# The weight files that each choice of render.warp and of render.generator needs.
WARPS = {"flow": ("warp",), "geometry": (), "gmm": ("gmm",)}
GENERATORS = {"cgan": ("generator", "limb"), "pix2pix": ("pix2pix", "limb"), "vae": ("vae", "limb"), "none": ()}
TUCKS = ("worn", "out")


@dataclass(frozen=True, kw_only=True)
class RenderConfig:
    max_height: int = option(2048, "person photos above this height are scaled down to it, pixels", low=64)
    warp: str = option("flow", "how garments are fitted: geometry with a learned residual flow, geometry alone, CP-VTON's module",
                       choices=tuple(WARPS))
    generator: str = option("cgan", "what paints where the old garment was, and lights the new one: the conditional GAN, its peers, no network",
                            choices=tuple(GENERATORS))
    tuck: str = option("worn", "T-shirts and shirts: tucked in where the person's own top is worn so; out: never, the whole product is seen", choices=TUCKS)
    review_below: float = option(0.5, "looks scoring below this go to review, 0-1", low=0, high=1)


@dataclass(frozen=True, kw_only=True)
class DressingConfig:
    frames: int = option(24, "frames of a sequence, the photo and the finished look included", low=2, high=120)
    under: str = option("over", "what lies under: the person's own clothes; remove: they are taken off first; base: a neutral base layer",
                        choices=("over", "remove", "base"))
    backwards: bool = option(False, "taking off: from the finished look to the photo")
    height: int = option(768, "sequences of higher photos are made at this height, pixels", low=64, high=1024)
    fps: int = option(12, "frames per second of webp, gif and mp4", low=1, high=120)


@dataclass(frozen=True, kw_only=True)
class StorageConfig:
    endpoint_url: str = option("", "S3 endpoint; empty: AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, else AWS")
    region: str = option("", "S3 region; empty: from the environment or the AWS profile")
    max_attempts: int = option(8, "tries of one S3 request, with adaptive back-off", low=1)
    connect_timeout: float = option(5.0, "seconds to connect to S3", low=0.1)
    read_timeout: float = option(60.0, "seconds of silence after which an S3 request is given up", low=0.1)
    lease_seconds: float = option(30.0, "seconds without renewal after which a run's lease on an S3 output is taken over", low=1)


@dataclass(frozen=True, kw_only=True)
class ClusterConfig:
    address: str = option("", "Ray address; empty: the cluster of the job (RAY_ADDRESS), else a local Ray")
    fetch_tasks: int = option(4, "concurrent fetch tasks", low=1)
    person_actors: int = option(1, "actors that analyse person photos", low=1)
    garment_actors: int = option(1, "actors that analyse garment photos", low=1)
    fit_actors: int = option(1, "actors that fit garments", low=1)
    generate_actors: int = option(1, "actors that generate pictures", low=1)
    dress_actors: int = option(1, "actors that make dressing sequences", low=1)
    finish_tasks: int = option(2, "concurrent tasks that encode, score and put pictures", low=1)
    actor_cpus: float = option(0.2, "logical CPUs of one actor", low=0)
    task_cpus: float = option(0.1, "logical CPUs of one task", low=0)
    gpus_per_actor: float = option(0.0, "GPUs of one actor that runs a network", low=0)
    batch_size: int = option(8, "rows per batch", low=1)
    block_rows: int = option(16, "rows per Ray Data block", low=1)
    max_restarts: int = option(3, "tries of a block whose worker died, beyond those that its own bad rows use up", low=0)
    device: str = option("auto", "where networks run", choices=("auto", "cpu", "cuda"))


@dataclass(frozen=True, kw_only=True)
class WeightsConfig:
    folder: str = option("", "folder of *.safetensors; empty: the package's")
    precision: str = option("auto", "what networks compute in; auto: bfloat16 where the device has it, which differs a little from float32: on unlike "
                            "nodes choose one", choices=("auto", "float32", "bfloat16"))


@dataclass(frozen=True, kw_only=True)
class Config:
    """The whole configuration of a run."""

    input: InputConfig = field(default_factory=InputConfig)
    output: OutputConfig = field(default_factory=OutputConfig)
    run: RunConfig = field(default_factory=RunConfig)
    images: ImageConfig = field(default_factory=ImageConfig)
    render: RenderConfig = field(default_factory=RenderConfig)
    dressing: DressingConfig = field(default_factory=DressingConfig)
    storage: StorageConfig = field(default_factory=StorageConfig)
    cluster: ClusterConfig = field(default_factory=ClusterConfig)
    weights: WeightsConfig = field(default_factory=WeightsConfig)

    def to_dict(self) -> dict:
        """Section -> key -> value, of JSON types only."""
        return json.loads(json.dumps(dataclasses.asdict(self)))


LOSSY_FORMATS = ("jpeg", "avif")

# The short flags of the render job. A name without dashes would be a positional argument.
RENDER_FLAGS = {
    "--catalog": "input.catalog",
    "--people": "input.people",
    "--out": "output.out",
    "--looks": "input.looks",
    "--limit": "input.limit",
    "--size": "output.size",
    "--format": "output.format",
    "--dressing": "output.dressing",
    "--allow": "input.allow",
    "--retry-failed": "run.retry_failed",
    "--prune": "run.prune",
    "--dry-run": "run.dry_run",
}


def options() -> Iterator[tuple[str, dataclasses.Field]]:
    """Every key as ("section.key", its field), in the order of this file."""
    for section in dataclasses.fields(Config):
        for f in dataclasses.fields(section.default_factory):
            yield f"{section.name}.{f.name}", f


def build(values: Mapping[str, tuple[object, str]]) -> Config:
    """A configuration from ``{"section.key": (value, where it came from)}`` over the defaults.

    A value may be text (as on a command line) or already of the field's type. Raises ConfigError.
    """
    fields = dict(options())
    sections: dict[str, dict] = {s.name: {} for s in dataclasses.fields(Config)}
    for key, (value, where) in values.items():
        if key not in fields:
            raise ConfigError(f"{where}: unknown configuration key {key!r}{_nearest(key, fields)}")
        section, name = key.split(".")
        sections[section][name] = convert(fields[key], value, where)
    config = Config(**{s.name: s.default_factory(**sections[s.name]) for s in dataclasses.fields(Config)})
    if not re.fullmatch(r"source|[1-9]\d{1,4}x[1-9]\d{1,4}", config.output.size):
        raise ConfigError(f"{values['output.size'][1]}: {config.output.size!r} is no size; write 'source' or WxH, for example 768x1024")
    if bool(config.input.catalog) != bool(config.input.people):
        have, lack = ("catalog", "people") if config.input.catalog else ("people", "catalog")
        raise ConfigError(f"--{have} without --{lack}: give both, or neither for the built-in sample store")
    if config.input.looks and not config.input.catalog:
        raise ConfigError("--looks without --catalog and --people: the looks of the built-in sample store are fixed")
    if config.run.prune and config.input.limit:
        raise ConfigError("--prune together with --limit would delete the looks that the limit left out; give one of them")
    return config


def load_toml(path: str) -> dict[str, tuple[object, str]]:
    """The keys of a TOML file, in the form ``build`` takes. Raises ConfigError."""
    try:
        with open(path, "rb") as f:
            document = tomllib.load(f)
    except OSError as e:
        raise ConfigError(f"--config: cannot read {path}: {e.strerror}") from e
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as e:
        raise ConfigError(f"--config: {path} is not TOML: {e}") from e
    names = [s.name for s in dataclasses.fields(Config)]
    values = {}
    for section, table in document.items():
        if section not in names or not isinstance(table, dict):
            raise ConfigError(f"{path}: unknown section [{section}]{_nearest(section, names)}")
        values |= {f"{section}.{key}": (value, f"{path} [{section}] {key}") for key, value in table.items()}
    return values


def parse_args(argv: Sequence[str] | None = None, flags: Mapping[str, str] = RENDER_FLAGS, description: str | None = None) -> Config:
    """The configuration of a command line: ``flags`` (short name -> key), ``--config FILE`` and any ``--section.key``.

    ``-h`` prints the help; bad usage prints one line on stderr and exits with status 2.
    """
    parser = _Parser(
        description=description,
        allow_abbrev=False,
        argument_default=argparse.SUPPRESS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--config", metavar="FILE", help="TOML file with the sections and keys below")
    fields = dict(options())
    for flag, key in flags.items():
        add_option(parser, flag, key, fields[key])
    for section in dataclasses.fields(Config):
        group = parser.add_argument_group(f"[{section.name}]")
        for key, f in fields.items():
            if key.startswith(section.name + "."):
                add_option(group, "--" + key, key, f)
    known, rest = parser.parse_known_args(argv)
    given = vars(known)
    if rest:
        parser.error(f"unknown argument {rest[0]!r}" + _nearest(rest[0].partition("=")[0], [*flags, *("--" + key for key in fields)]))
    path = given.pop("config", None)
    names = {key: flag for flag, key in flags.items()}
    try:
        values = load_toml(path) if path else {}
        values |= {key: (value, names.get(key, "--" + key)) for key, value in given.items()}
        return build(values)
    except ConfigError as e:
        parser.error(str(e))


def render_hash(config: Config, weights: str) -> str:
    """32 hex digits over everything that changes the pixels of a look, apart from its sources.

    weights: the identity of the weights in use. Limits, storage and cluster do not count: they decide whether and
    where a look is rendered, not how it looks.
    """
    out = config.output
    quality = out.quality if out.format in LOSSY_FORMATS or out.dressing != "none" else None
    parts = {
        "size": out.size,
        "format": out.format,
        "quality": quality,
        "dressing": out.dressing if out.dressing == "none" else [out.dressing, dataclasses.asdict(config.dressing)],
        "render": dataclasses.asdict(config.render),
        "weights": weights,
        "pipeline": schema.PIPELINE_VERSION,
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]


class _Parser(argparse.ArgumentParser):
    def error(self, message: str):
        self.exit(2, f"{self.prog}: {' '.join(message.split())} (-h lists what there is)\n")


def add_option(parser, flag: str, key: str, f: dataclasses.Field) -> None:
    """An argument ``flag`` for the field ``f`` ("section.key" is ``key``), with its help and default; its value is text for ``convert``."""
    name = key.split(".")[1]
    kind = {bool: "true|false", int: "N", float: "X"}.get(type(f.default), "|".join(f.metadata["choices"]) or "TEXT")
    help = (f.metadata["help"] + f" (default: {_show(f.default)})").replace("%", "%%")
    if not flag.startswith("-"):
        parser.add_argument(key, metavar=name.upper(), help=help)
    elif flag != "--" + key and isinstance(f.default, bool):
        parser.add_argument(flag, dest=key, action="store_true", help=help)
    elif isinstance(f.default, tuple):
        parser.add_argument(flag, dest=key, metavar="PREFIX", nargs="+", action="extend", help=help)
    else:
        parser.add_argument(flag, dest=key, metavar=kind, help=help)


def convert(f: dataclasses.Field, value: object, where: str):
    """``value`` as the type of the field's default, inside its bounds. Raises ConfigError."""
    kind, meta = type(f.default), f.metadata
    wanted = {bool: "true or false", int: "an integer", float: "a number", str: "text", tuple: "a list of texts"}[kind]
    wrong = ConfigError(f"{where}: expected {wanted}, got {value!r}")
    if isinstance(value, str) and kind in (bool, int, float):
        try:
            value = {"true": True, "false": False}[value.lower()] if kind is bool else kind(value)
        except (KeyError, ValueError):
            raise wrong from None
    if kind is tuple and isinstance(value, list | tuple) and all(isinstance(v, str) for v in value):
        value = tuple(value)
    if kind is float and type(value) is int:
        value = float(value)
    if type(value) is not kind:
        raise wrong
    if meta["choices"] and value not in meta["choices"]:
        raise ConfigError(f"{where}: {value!r} is none of {', '.join(meta['choices'])}")
    low, high = meta["low"], meta["high"]
    # Written so that nan fails too.
    if (low is not None and not value >= low) or (high is not None and not value <= high):
        bounds = f"between {low} and {high}" if high is not None else f"at least {low}"
        raise ConfigError(f"{where}: must be {bounds}, got {value}")
    return value


def _nearest(name: str, known) -> str:
    """A hint at the known name most like ``name``; a key is also found by its last part alone."""
    near = difflib.get_close_matches(name, known, 1, 0.6) or [k for k in known if k.split(".")[-1] == name.split(".")[-1].lstrip("-")]
    return f"; did you mean {near[0]}?" if near else f"; there are: {', '.join(known)}" if len(known) < 10 else ""


def _show(value) -> str:
    return "empty" if value in ("", ()) else str(value).lower() if isinstance(value, bool) else str(value)


def reference() -> str:
    """The reference table of the README, in Markdown."""
    lines = ["| key | default | meaning |", "|---|---|---|"]
    for key, f in options():
        choices = f": {', '.join(f.metadata['choices'])}" if f.metadata["choices"] else ""
        lines.append(f"| `{key}` | {_show(f.default)} | {f.metadata['help']}{choices} |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(reference() + "\n")
