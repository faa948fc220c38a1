"""jobs/report.py on drawn photos, in this process."""

import importlib.util
import json

import cv2
import numpy as np
from conftest import ROOT

from tryon.sample import draw_garment, draw_person

spec = importlib.util.spec_from_file_location("report_job", ROOT / "jobs" / "report.py")
job = importlib.util.module_from_spec(spec)
spec.loader.exec_module(job)


def test_random_looks_are_the_same_for_the_same_seed(tmp_path, capsys):
    """Looks that cannot be found again; a photo that is no picture ends the job; a sheet that is not there."""
    for folder in ("people", "garments"):
        (tmp_path / folder).mkdir()
    for n in range(2):
        cv2.imwrite(str(tmp_path / "people" / f"{n}.png"), draw_person(np.random.default_rng(n), (384, 288), "full").image[..., ::-1])
        cv2.imwrite(str(tmp_path / "garments" / f"{n}.png"), draw_garment(np.random.default_rng(n), (320, 256), "top").image[..., ::-1])
    (tmp_path / "garments" / "bad.jpg").write_bytes(b"no picture")

    def run(out, seed):
        status = job.main(["looks", "--people", str(tmp_path / "people"), "--garments", str(tmp_path / "garments"), "--looks", "5", "--seed", str(seed),
                           "--out", str(tmp_path / out)])
        return status, [json.loads(line) for line in (tmp_path / out / "looks.jsonl").read_text().splitlines()]

    status, rows = run("a", 1)
    assert status == 0 and len(rows) == 5 and rows == run("b", 1)[1] != run("c", 2)[1]
    bad = [r for r in rows if r["garment"].endswith("bad.jpg")]
    assert bad and all(r["reason"] == "decode_error" for r in bad)
    made = [r for r in rows if not r["reason"]]
    assert made and all(cv2.imread(str(tmp_path / "a" / f"{r['look']:03}.png")).shape == (384, 288, 3) for r in made)
    assert cv2.imread(str(tmp_path / "a" / "sheet-00.png")).shape[0] >= 420
    assert f"{len(made)} of 5 looks rendered" in capsys.readouterr().out


def test_an_empty_folder_is_told(tmp_path, capsys):
    (tmp_path / "people").mkdir()
    assert job.main(["looks", "--people", str(tmp_path / "people"), "--garments", str(tmp_path), "--out", str(tmp_path / "out")]) == 2
    assert "there is no photo" in capsys.readouterr().err
