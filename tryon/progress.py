"""Progress of a long job, for whoever waits for it."""
import time


class Progress:
    """One line every five seconds: how many of how many, how fast, time left. ``total`` None: not known."""

    def __init__(self, verb: str, total: int | None):
        self.verb, self.total, self.done, self.start, self.shown = verb, total, 0, time.monotonic(), time.monotonic()

    def count(self) -> None:
        self.done += 1
        now = time.monotonic()
        if now - self.shown > 5 or self.done == self.total:
            self.shown, rate = now, self.done / max(now - self.start, 1e-3)
            if self.total is None:
                print(f"{self.done} {self.verb}, {rate:.1f}/s", flush=True)
            else:
                left = int((self.total - self.done) / rate)
                print(f"{self.done}/{self.total} {self.verb}, {rate:.1f}/s, {left // 60}:{left % 60:02d} left", flush=True)
