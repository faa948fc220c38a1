"""Contact sheets: pictures side by side in rows, each with a caption, as one picture to look at."""
from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np

from tryon.datasets.labels import voc_colours

HEIGHT = 300  # of the pictures of a tile, pixels
GAP = 6


@dataclass
class Tile:
    """Pictures that belong together, HEIGHT x W x 3 uint8, side by side."""

    picture: np.ndarray

    @classmethod
    def of(cls, pictures: Iterable[np.ndarray], height: int = HEIGHT) -> "Tile":
        """``pictures``: HxWx3 uint8 each, of any size."""
        scaled = [cv2.resize(p, (max(1, round(p.shape[1] * height / p.shape[0])), height), interpolation=cv2.INTER_AREA) for p in pictures]
        return cls(np.hstack(scaled))


def sheet(tiles: list[tuple[str, Tile]], width: int = 2400) -> np.ndarray:
    """Tiles with their captions, from left to right in rows of at most ``width`` pixels: HxWx3 uint8."""
    rows, row, used = [], [], 0
    for caption, tile in tiles:
        cell = cv2.copyMakeBorder(tile.picture, 22, GAP, 0, GAP, cv2.BORDER_CONSTANT, value=(255, 255, 255))
        cv2.putText(cell, caption, (2, 16), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (0, 0, 0), 1, cv2.LINE_AA)
        if row and used + cell.shape[1] > width:
            rows, row, used = [*rows, row], [], 0
        row.append(cell)
        used += cell.shape[1]
    rows = [*rows, row] if row else rows
    if not rows:
        return np.full((22, width, 3), 255, np.uint8)
    width = max(sum(c.shape[1] for c in r) for r in rows)
    strips = []
    for r in rows:
        height = max(c.shape[0] for c in r)
        strip = np.full((height, width, 3), 255, np.uint8)
        x = 0
        for c in r:
            strip[: c.shape[0], x:x + c.shape[1]] = c
            x += c.shape[1]
        strips.append(strip)
    return np.vstack(strips)


def label_picture(parse: np.ndarray) -> np.ndarray:
    """A parse map HxW uint8 in PASCAL VOC's colours: HxWx3 uint8."""
    return voc_colours()[parse]
