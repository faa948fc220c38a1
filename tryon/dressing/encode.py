"""Frames to files, one after the other as they are made."""
import tempfile
from collections.abc import Iterable, Iterator

import av
import cv2
import numpy as np

from tryon import images
from tryon.report.sheet import Tile, sheet

HOLD = 0.6  # seconds for which the first and the last picture of an animation stay
SHOWN = 8  # pictures of a contact sheet
CONTENT_TYPES = images.CONTENT_TYPES | {"gif": "image/gif", "mp4": "video/mp4"}


def encode(frames: Iterable[np.ndarray], count: int, format: str, fps: float, quality: int = 90) -> Iterator[tuple[str, bytes]]:
    """``count`` HxWx3 uint8 RGB frames -> (end of a file's name, its bytes), the same frames always the same bytes.

    webp, gif: one animation by OpenCV, whose writer wants all frames at once and gives a gif one coarse palette. mp4: H.264 in yuv420p, encoded
    frame by frame; an odd last row or column is doubled. frames: 000.jpg, 001.jpg ..., each as it comes. Last ``sheet.jpg``, SHOWN of the frames side by side.
    """
    shown, picked = [], set(np.rint(np.linspace(0, count - 1, min(count, SHOWN))).astype(int).tolist())
    encoder = Video(fps) if format == "mp4" else Animation(format, fps, quality) if format in ("webp", "gif") else None
    for k, frame in enumerate(frames):
        if k in picked:
            shown.append((str(k), Tile.of([frame])))
        if encoder:
            encoder.add(frame)
        else:
            yield f"{k:03}.jpg", images.encode(frame, "jpeg", quality)
    if encoder:
        yield format, encoder.close()
    yield "sheet.jpg", images.encode(sheet(shown), "jpeg", quality)


class Animation:
    def __init__(self, format: str, fps: float, quality: int):
        self.format, self.ms, self.quality, self.frames = format, round(1000 / fps), quality, []

    def add(self, frame: np.ndarray) -> None:
        self.frames.append(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))

    def close(self) -> bytes:
        out = cv2.Animation()
        out.frames, out.loop_count = self.frames, 0
        hold = round(1000 * HOLD)
        out.durations = np.array([hold, *[self.ms] * (len(self.frames) - 2), hold], np.int32)
        parameters = [cv2.IMWRITE_WEBP_QUALITY, self.quality] if self.format == "webp" else []
        return cv2.imencodeanimation("." + self.format, out, parameters)[1].tobytes()


class Video:
    def __init__(self, fps: float):
        # A file by name: the index goes to the front, so that browsers begin at once, and for that the film is read again.
        self.file, self.fps, self.stream = tempfile.NamedTemporaryFile(suffix=".mp4"), fps, None
        self.container = av.open(self.file.name, "w", format="mp4", options={"movflags": "faststart"})

    def add(self, frame: np.ndarray) -> None:
        h, w = frame.shape[:2]
        frame = np.pad(frame, ((0, h % 2), (0, w % 2), (0, 0)), mode="edge")
        if self.stream is None:
            # One thread, and nothing looked ahead: how many there are must not change the bytes, nor how busy the machine is, which it did.
            self.stream = self.container.add_stream("libx264", rate=round(self.fps), options={"crf": "19", "threads": "1", "rc-lookahead": "0"})
            self.stream.width, self.stream.height, self.stream.pix_fmt = frame.shape[1], frame.shape[0], "yuv420p"
        # Told in yuv420p: PyAV's own conversion takes several threads, and was seen to give other bytes on a busy machine.
        self.container.mux(self.stream.encode(av.VideoFrame.from_ndarray(cv2.cvtColor(frame, cv2.COLOR_RGB2YUV_I420), format="yuv420p")))

    def close(self) -> bytes:
        self.container.mux(self.stream.encode())
        self.container.close()
        with self.file as file:
            return file.read()
