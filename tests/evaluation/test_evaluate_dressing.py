"""jobs/evaluate.py dressing on drawn people and garments."""

import pytest
from test_evaluate import evaluate, job

from tryon import images
from tryon.evaluation.dressing import LAWS


def test_dressing(tmp_path, capsys):
    """A report without definitions or laws, kinds that are left out, strips that are not there."""
    status, report, said = evaluate(capsys, "dressing", "--data", "sample", "--limit", 3, "--frames", 12, "--out", tmp_path / "r.json")
    assert status == 0 and report["samples"] == 3
    made = [r for r in report["rows"] if not r["refused"]]
    assert len(made) == 3 and len({r["kind"] for r in made}) == 3 == len(report["strata"]) - 1
    assert all(LAWS.keys() <= r.keys() and r["first_exact"] == r["last_exact"] == 1 and r["changed_outside"] == 0 for r in made)
    assert {*LAWS, "lawful", "frame_score"} <= report["definitions"].keys() and all(k in said for k in LAWS)
    for r in made:
        assert images.decode((tmp_path / f"r.{r['kind']}.png").read_bytes()).shape[0] > 300


def test_bad_usage(tmp_path, capsys):
    for arguments in (("dressing", "--data", tmp_path), ("parser", "--data", tmp_path)):
        with pytest.raises(SystemExit) as e:
            job.main([str(a) for a in (*arguments, "--out", tmp_path / "r.json")])
        assert e.value.code == 2 and "is missing" in capsys.readouterr().err
    status, _, said = evaluate(capsys, "dressing", "--data", tmp_path, "--products", tmp_path, "--out", tmp_path / "r.json")
    assert status == 2 and "no photo" in said
