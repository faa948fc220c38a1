"""tryon/dressing/encode.py: files that play, and the same bytes every time."""
import io

import av
import cv2
import numpy as np
import pytest

from tryon import images
from tryon.dressing.encode import encode

FRAMES = [np.roll(cv2.resize(np.random.default_rng(0).integers(0, 256, (6, 5, 3), dtype=np.uint8), (101, 131), interpolation=cv2.INTER_LINEAR), 4 * k, 0)
          for k in range(9)]


def files(format: str) -> dict[str, bytes]:
    return dict(encode(iter(FRAMES), len(FRAMES), format, 12))


@pytest.mark.parametrize("format", ["webp", "gif"])
def test_animation_holds_every_frame(format):
    """Frames that are dropped or in BGR, an animation that plays once or at another speed."""
    made = files(format)
    ok, film = cv2.imdecodeanimation(np.frombuffer(made[format], np.uint8))
    assert ok and len(film.frames) == 9 and film.loop_count == 0 and abs(film.durations[1] - 83) <= 5 and film.durations[0] == 600
    for frame, shown in zip(FRAMES, film.frames):
        assert np.abs(cv2.cvtColor(shown[..., :3], cv2.COLOR_BGR2RGB).astype(int) - frame).mean() < (3 if format == "webp" else 20)
    assert made.keys() == {format, "sheet.jpg"} and made == files(format)


def test_mp4_plays_in_browsers():
    """A codec or colours that browsers refuse, an odd size, an index at the end of the file."""
    made = files("mp4")
    film = av.open(io.BytesIO(made["mp4"]))
    stream = film.streams.video[0]
    assert (stream.codec_context.name, stream.pix_fmt, stream.width, stream.height, stream.average_rate) == ("h264", "yuv420p", 102, 132, 12)
    shown = [f.to_ndarray(format="rgb24") for f in film.decode(video=0)]
    assert len(shown) == 9 and all(np.abs(a[:131, :101].astype(int) - b).mean() < 12 for a, b in zip(shown, FRAMES))
    assert made["mp4"].index(b"moov") < made["mp4"].index(b"mdat") and made == files("mp4")


def test_frames_come_one_by_one():
    """Frames that are held back until all are there: memory grows with their number."""
    asked = []
    made = encode((asked.append(k) or f for k, f in enumerate(FRAMES)), 9, "frames", 12)
    assert next(made)[0] == "000.jpg" and asked == [0]
    rest = dict(made)
    assert list(rest) == [f"{k:03}.jpg" for k in range(1, 9)] + ["sheet.jpg"]
    assert images.decode(rest["008.jpg"]).shape == (131, 101, 3)
