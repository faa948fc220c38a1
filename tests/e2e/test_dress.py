"""``--dressing`` of jobs/render_catalog.py as a user runs it: a process of its own, a real Ray, three looks of the small store."""
import hashlib
import json
import os
import shutil

import cv2
import numpy as np
from conftest import pictures, render, rows, tables, verify, write_csv

from tryon import images


def test_webp(clean, small_store, tmp_path):
    """Sequences that are not there, do not play, or belong to another look; files that verify does not know, that a second night makes
    again, that pruning leaves behind; a gallery that does not show them. Stills and analyses are there from an earlier night."""
    out, before = tmp_path / "out", pictures(clean)
    shutil.copytree(clean, out)
    looks = lambda *outfits: ("--looks", write_csv(tmp_path / "looks.csv", [{"person_id": "clara", "product_ids": o} for o in outfits]))
    store = *tables(small_store), "--out", out
    filmed = *store, "--dressing", "webp", "--dressing.frames", 8, *looks("top-02", "trousers-07", "top-02|trousers-07")
    made = render(*filmed)
    assert made.returncode == 0, made.stdout + made.stderr
    found, files = rows(out), {key: data for key, data in pictures(out).items() if key not in before}
    assert len(found) == 3 and len(files) == 3 * 4
    for row in found.values():
        film, sheet, timeline = row["dressing_keys"]
        assert {film, sheet, timeline} <= files.keys() and all(f"/{row['look_id']}.dressing." in k for k in row["dressing_keys"])
        told = json.loads(files[timeline])
        assert [e["frame"] for e in told["frames"]] == list(range(8))
        assert told["files"] == {k: hashlib.sha256(files[k]).hexdigest() for k in (film, sheet)}
        ok, shown = cv2.imdecodeanimation(np.frombuffer(files[film], np.uint8))
        assert ok and len(shown.frames) == 8 and shown.frames[0].shape[:2] == (256, 192) == (row["height"], row["width"])
        last = cv2.cvtColor(shown.frames[-1][..., :3], cv2.COLOR_BGR2RGB)
        assert np.abs(last.astype(int) - images.decode(files[row["image_key"]])).mean() < 6
        assert row["ms_dress"] > 0 and row["score"] is not None
    page = (out / "report" / "index.html").read_text()
    assert page.count('class="play"') == 3 and verify(out).returncode == 0
    outfit = next(r for r in found.values() if len(r["product_ids"]) == 2)
    assert {e["garment"] for e in json.loads(files[outfit["dressing_keys"][-1]])["frames"]} == {0, 1}

    # The second night makes again what somebody deleted, byte for byte, and nothing else.
    os.remove(out / outfit["dressing_keys"][0])
    broken = verify(out)
    assert broken.returncode == 1 and "of its dressing sequence is missing" in broken.stdout
    mended = render(*filmed)
    assert "1 done by this run" in mended.stdout and pictures(out) == before | files

    # Stills alone are other looks; with --prune the sequences go.
    stills = render(*store, *looks("top-02", "trousers-07"), "--prune")
    assert stills.returncode == 0 and len(pictures(out)) == 2 and not any(r["dressing_keys"] for r in rows(out).values())
    assert pictures(out).items() <= before.items() and "0 done by this run" in stills.stdout
    assert verify(out).returncode == 0
