"""tryon/config.py: what a command line and a TOML file may say."""

import dataclasses
import json

import pytest

from tryon import config
from tryon.config import Config, ConfigError, build, load_toml, parse_args, render_hash
from tryon.plan import look_id


def refused(capsys, *argv: str) -> str:
    with pytest.raises(SystemExit) as e:
        parse_args(argv)
    err = capsys.readouterr().err
    assert e.value.code == 2 and err.count("\n") == 1
    return err


def test_every_key_is_reachable_by_toml_and_by_command_line(tmp_path):
    """A field that was added but can be set from one side only, or loses its type on the way."""
    values = {}
    for key, f in config.options():
        section, name = key.split(".")
        other = {bool: True, int: 65, float: 0.75, tuple: ("a", "b")}.get(type(f.default), (f.metadata["choices"] or ("100x200",))[-1])
        other = float(max(other, f.metadata["low"] or other)) if type(f.default) is float else other
        values[key] = other
    del values["run.prune"]  # not together with a limit
    toml = tmp_path / "c.toml"
    sections = {}
    for key, value in values.items():
        sections.setdefault(key.split(".")[0], []).append(f"{key.split('.')[1]} = {json.dumps(value)}")
    toml.write_text("\n".join(f"[{name}]\n" + "\n".join(lines) for name, lines in sections.items()))
    argv = []
    for key, value in values.items():
        argv += ["--" + key, *(value if isinstance(value, tuple) else [str(value).lower() if isinstance(value, bool) else str(value)])]
    from_toml, from_argv = parse_args(["--config", str(toml)]), parse_args(argv)
    assert from_toml == from_argv
    for key, value in values.items():
        section, name = key.split(".")
        found = getattr(getattr(from_argv, section), name)
        assert found == value and type(found) is type(value), key


def test_the_command_line_wins_over_toml_and_toml_over_defaults(tmp_path):
    """A TOML value that silently overrides what was typed."""
    toml = tmp_path / "c.toml"
    toml.write_text("[render]\nmax_height = 512\nreview_below = 0.25\n[input]\nlimit = 3\n")
    c = parse_args(["--limit", "5", "--config", str(toml), "--render.max_height=1024"])
    assert (c.input.limit, c.render.max_height, c.render.review_below, c.output.format) == (5, 1024, 0.25, "webp")


def test_short_flags_and_repeated_allow():
    """--allow that keeps only its last prefix; a switch that wants a value."""
    c = parse_args(["--allow", "a", "b", "--allow=c", "--dry-run", "--retry-failed", "--out", "s3://b/o", "--size", "768x1024"])
    assert c.input.allow == ("a", "b", "c") and c.run.dry_run and c.run.retry_failed and not c.run.prune
    assert c.output.out == "s3://b/o" and c.output.size == "768x1024"


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["--limt", "3"], ["--limt", "--limit"]),
        (["--render.max_hieght", "3"], ["--render.max_height"]),
        (["--max_height=3"], ["--render.max_height"]),
        (["--limit", "x"], ["--limit", "integer", "'x'"]),
        (["--limit", "-1"], ["--limit", "at least 0"]),
        (["--format", "gif"], ["webp, png, jpeg, avif"]),
        (["--quality", "3"], ["--output.quality"]),
        (["--output.quality", "101"], ["between 1 and 100"]),
        (["--size", "big"], ["--size", "WxH"]),
        (["--catalog", "x"], ["--people"]),
        (["--people", "x"], ["--catalog"]),
        (["--prune", "--limit", "3"], ["--prune", "--limit"]),
        (["--render.review_below", "nan"], ["between"]),
        (["--config", "no.toml"], ["no.toml"]),
        (["stray"], ["stray"]),
        (["--run.prune", "maybe"], ["true or false"]),
    ],
)
def test_bad_usage_is_one_line_that_names_what_to_do(capsys, argv, words):
    """A traceback, a page of usage, or a typo that is ignored."""
    err = refused(capsys, *argv)
    assert all(word in err for word in words), err


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[rendr]\nmax_height = 1", ["[rendr]", "render"]),
        ("[render]\nmax_heigt = 1", ["c.toml [render] max_heigt", "render.max_height"]),
        ("[render]\nmax_height = '512 px'", ["c.toml [render] max_height", "integer"]),
        ("[render]\nmax_height = true", ["integer"]),
        ("[render]\nmax_height = 512.5", ["integer"]),
        ("[input]\nallow = 'a'", ["list"]),
        ("limit = 3", ["limit"]),
        ("[render", ["not TOML"]),
    ],
)
def test_a_bad_toml_key_is_named_with_its_file(tmp_path, text, words):
    """A misspelt key that is ignored; true taken for 1."""
    path = tmp_path / "c.toml"
    path.write_text(text)
    with pytest.raises(ConfigError) as e:
        build(load_toml(str(path)))
    assert all(word in str(e.value) for word in words) and "\n" not in str(e.value)


def test_to_dict_is_json_and_complete():
    """A run.json that lacks a key, or holds a tuple that comes back as something else."""
    d = Config().to_dict()
    assert json.loads(json.dumps(d)) == d
    assert {f"{s}.{k}" for s, keys in d.items() for k in keys} == {key for key, _ in config.options()}


def test_render_hash_follows_pixels_and_nothing_else():
    """Stale pictures after a change of size; a store rendered anew because a timeout changed."""
    base = Config()
    changed = lambda section, **keys: dataclasses.replace(base, **{section: dataclasses.replace(getattr(base, section), **keys)})  # noqa: E731
    same = render_hash(base, "w")
    for c in (changed("output", size="10x10"), changed("output", format="png"), changed("render", max_height=512)):
        assert render_hash(c, "w") != same
    assert render_hash(base, "w2") != same
    for c in (
        changed("storage", max_attempts=1),
        changed("images", max_pixels=1),
        changed("cluster", batch_size=1),
        changed("output", quality=1),
    ):
        assert render_hash(c, "w") == same
    jpeg = changed("output", format="jpeg")
    assert render_hash(jpeg, "w") != render_hash(dataclasses.replace(jpeg, output=dataclasses.replace(jpeg.output, quality=1)), "w")


def test_every_generator_gives_other_look_ids():
    """Pictures of one generator that pass for those of another."""
    hashes = [render_hash(parse_args(["--render.generator", choice]), "w") for choice in ("cgan", "pix2pix", "vae", "none")]
    assert len({look_id(["a"], "p", ["1", "2"], h) for h in hashes}) == 4
    assert hashes[0] == render_hash(Config(), "w")


def test_the_reference_and_the_help_name_every_key(capsys):
    """A key nobody can find."""
    with pytest.raises(SystemExit) as e:
        parse_args(["-h"])
    text = capsys.readouterr().out
    assert e.value.code == 0
    for key, f in config.options():
        assert f"`{key}`" in config.reference() and "--" + key in text and f.metadata["help"]
