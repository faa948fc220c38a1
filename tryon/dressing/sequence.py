"""Sequences: a look as frames of its garments being put on, one after the other.

    still -> stage -> still -> stage -> ... -> the look

Every still on the way is laid out and painted as the look itself is (tryon/compose.py, tryon/paint.py); a stage (film.py) moves one garment
from one to the next (actions.py says where, cloth.py how). Frames are worked out one by one, so memory does not grow with their number.
"""
from collections.abc import Iterator
from collections.abc import Sequence as List
from dataclasses import dataclass, replace
from itertools import islice

import cv2
import numpy as np

from tryon import images
from tryon import schema as S
from tryon.body import Body
from tryon.compose import REPLACES, Canvas, finish, kind_of, lay_out, may_become
from tryon.dressing.cloth import Sheet, sheets
from tryon.dressing.film import BARE, Frame, Stage
from tryon.dressing.front import opens
from tryon.dressing.ground import Ground, Still
from tryon.fit import Fit
from tryon.garment import Garment
from tryon.limbs import capsule
from tryon.networks import Networks
from tryon.person import Person
from tryon.texture import bleed

UNDER = ("over", "remove", "base")
OFF = 0.4  # share of the frames in which the old clothes are taken off, or turn into the base layer
BASE = (214, 208, 202)  # RGB of the base layer


@dataclass
class Sequence:
    """``frames`` HxWx3 uint8 RGB; ``layouts`` HxW uint8, parse ids; ``displacement`` HxW float32, how far the cloth seen at a pixel lies from its
    final place, in pixels, -1 where no new garment is seen; ``flow`` HxWx2 float32, how far it has come since the frame before, NaN where that cloth was hidden then; ``edits``
    bool HxW, every pixel that may differ from the photo; ``timeline``: per frame its number, the time of the sequence 0..1, the garment that
    moves (None for old clothes) with the time 0..1 of its action, and what is done."""

    frames: list[np.ndarray]
    layouts: list[np.ndarray]
    displacement: list[np.ndarray]
    flow: list[np.ndarray]
    edits: list[np.ndarray]
    timeline: list[dict]


def dress(networks: Networks, person: Person, garments: List[Garment], fits: List[Fit], count: int = 24, under: str = "over",
          backwards: bool = False) -> Sequence:
    """All frames of a sequence at once."""
    made = list(frames(networks, person, garments, fits, count, under, backwards))
    timeline = [event(k, count, f) for k, f in enumerate(made)]
    pick = lambda name: [getattr(f, name) for f in made]
    return Sequence(pick("image"), pick("layout"), pick("displacement"), pick("flow"), pick("edit"), timeline)


def scaled(person: Person, fits: List[Fit], height: int) -> tuple[Person, List[Fit]]:
    """A person and where garments lie on it, scaled down to ``height`` pixels when the photo is higher."""
    ratio = height / person.photo.shape[0]
    if ratio >= 1:
        return person, fits
    photo = images.fit_height(person.photo, height)
    pose = person.pose.copy()
    pose[..., :2] = np.where(pose[..., 2:] > 0, (pose[..., :2] + 0.5) * ratio - 0.5, 0)
    parse = cv2.resize(person.parse, photo.shape[1::-1], interpolation=cv2.INTER_NEAREST_EXACT)
    return Person(photo, parse, pose, person.confidence), [replace(f, unit=f.unit * ratio) for f in fits]


def event(k: int, count: int, frame: Frame) -> dict:
    """Row of the timeline."""
    return {"frame": k, "time": round(k / (count - 1), 4), "garment": frame.garment if frame.garment < BARE else None,
            "action_time": round(frame.time, 4), "action": frame.phase}


def frames(networks: Networks, person: Person, garments: List[Garment], fits: List[Fit], count: int = 24, under: str = "over",
           backwards: bool = False) -> Iterator[Frame]:
    """``count`` frames from the photo to the look (tryon.api.generate), or, ``backwards``, from the look to the photo. Raises ValueError for fewer
    frames than the garments need."""
    if under not in UNDER:
        raise ValueError(f"under is one of {', '.join(UNDER)}, not {under!r}")
    body, shape = person.body, person.parse.shape
    canvases = lay_out(person.photo, person.parse, body, garments, fits)
    before = photo = Still(person.photo, person.parse, np.zeros(shape, bool), canvases[0].worn)
    steps = []  # (frames of a step as a function of their number and direction, share of all frames)
    if under != "over" and (bare := undressed(networks, person, body, garments, canvases[-1])):
        before, way = bare, [Melt(photo, bare, body).frames] if under == "base" else taken_off(photo, bare, body)
        steps += [(step, OFF / len(way)) for step in way]
    share = (1 - sum(s for _, s in steps)) / len(garments)
    for k, (canvas, garment, placed) in enumerate(zip(canvases[1:], garments, fits)):
        image, layout, edit = finish(canvas, person.pose[0], body, networks)
        after = Still(image, layout, edit, canvas.worn)
        steps.append((put_on(before, after, placed, garment, k, body), share))
        before = after
    ends = np.rint(np.cumsum([0, *(s for _, s in steps)]) * (count - 1)).astype(int).tolist()
    if min(b - a for a, b in zip(ends, ends[1:])) < 1:
        raise ValueError(f"{len(steps)} steps need more than {count} frames")
    for n in range(len(steps))[::-1 if backwards else 1]:
        # The still between two steps is one frame, the last of the step before it.
        total = ends[n + 1] - ends[n] + 1
        made = steps[n][0](total, backwards)
        yield from made if n == 0 else islice(made, total - 1) if backwards else islice(made, 1, None)


def put_on(before: Still, after: Still, placed: Fit, garment: Garment, index: int, body: Body):
    """The step that puts a garment on, made when it is its turn."""
    kind = "top" if garment.subcategory == "shirt" and not opens(garment) else garment.subcategory
    return lambda count, backwards: Stage(before, after, *sheets(placed, garment, after.layout.shape), garment.category, kind, index,
                                          body).frames(count, backwards)


def undressed(networks: Networks, person: Person, body: Body, garments: List[Garment], laid: Canvas) -> Still | None:
    """The person in a neutral base layer where clothes have to go for ``garments``, which are ``laid`` out in the end; None when none have to."""
    (h, w), unit = person.parse.shape, body.unit
    old = np.isin(person.parse, [c for g in garments for c in REPLACES[kind_of(g)] if g.category != "accessory" and g.subcategory != "jacket"])
    old &= laid.freed | (laid.worn >= 0)
    if not old.any():
        return None
    across, down = body.across, body.down
    at = lambda a, b: body.neck + a * across + b * down
    top, hips = 0.27 * unit * body.view, 0.5 * body.hip_width
    half = ((0.35 * top, 0.1 * unit), (0.8 * top, -0.02 * unit), (1.1 * top, 0.3 * unit), (0.92 * hips, 0.7 * unit), (hips, unit))
    trunk = np.array([at(a, b) for a, b in half] + [at(-a, b) for a, b in half[::-1]])
    layer = np.zeros((h, w), np.uint8)
    cv2.fillPoly(layer, [np.rint(trunk).astype(np.int32)], 1)
    for side in ("right", "left"):
        line = body.limb(side, arm=False)[0]
        layer[capsule((h, w), np.array((line[0], line[0] + 0.35 * (line[1] - line[0]))), (0.21 * unit, 0.19 * unit))] = 1
    layer = (layer > 0) & old
    alpha = cv2.GaussianBlur(layer.astype(np.float32), (0, 0), 0.7) * old
    depth = cv2.distanceTransform(layer.astype(np.uint8), cv2.DIST_L2, 5) / (0.16 * unit)
    colour = np.array(BASE, np.float32) * (0.8 + 0.2 * np.clip(depth, 0, 1) ** 0.6)[..., None]
    layout = person.parse.copy()
    above = ((np.arange(w)[None] - body.hips[0]) * down[0] + (np.arange(h)[:, None] - body.hips[1]) * down[1]) < -0.2 * unit
    layout[old] = S.BACKGROUND
    layout[layer] = np.where(above, S.UPPER, S.LOWER)[layer]
    may = may_become("full", layout)
    canvas = Canvas(person.photo, layout, person.parse, np.where(layer, BARE, -1).astype(np.int8), colour * alpha[..., None], alpha, old & ~layer, may)
    image, layout, edit = finish(canvas, person.pose[0], body, networks)
    return Still(image, layout, edit, np.full((h, w), -1, np.int8))


class Melt:
    """Own clothes turn into the base layer: what it does not cover is drawn in, the rest loses its colour."""

    def __init__(self, before: Still, after: Still, body: Body):
        self.ground = Ground(before, after, np.zeros(before.layout.shape, bool), body)

    def frames(self, count: int, backwards: bool = False) -> Iterator[Frame]:
        before, after = self.ground.before, self.ground.after
        for k in range(count)[::-1 if backwards else 1]:
            time = k / (count - 1)
            still = after if k else before
            image, layout, edit = self.ground.at(time, time) if 0 < k < count - 1 else (still.image, still.layout, still.edit)
            yield Frame(np.clip(np.rint(image), 0, 255).astype(np.uint8), layout, np.full(layout.shape, -1, np.float32),
                        np.zeros((*layout.shape, 2), np.float32), edit, BARE, time, "own clothes become the base layer")


def taken_off(photo: Still, bare: Still, body: Body) -> list:
    """The steps in which old clothes, cut out of the photo, are taken off by the reverse of how such clothes are put on: what is worn above first."""
    gone, (h, w), unit = (photo.image != bare.image).any(2), photo.layout.shape, body.unit
    steps, dressed = [], photo
    for category, classes in (("upper", (S.UPPER, S.OUTER, S.FULL)), ("lower", (S.LOWER,))):
        mask = np.isin(photo.layout, classes) & gone
        if mask.sum() < 0.05 * unit ** 2:
            continue
        coat = category == "upper" and (photo.layout[mask] == S.OUTER).mean() > 0.5
        around = cv2.dilate(mask.astype(np.uint8), np.ones((2 * max(1, h // 170) + 1,) * 2, np.uint8)) > 0
        if category == "lower":
            around = np.ones((h, w), bool)  # the last of them leaves nothing behind
        mix = lambda a, b: np.where(around[..., None] if a.ndim == 3 else around, b, a)
        after = Still(mix(dressed.image, bare.image), mix(dressed.layout, bare.layout), mix(dressed.edit, bare.edit), photo.worn)
        worn = Still(dressed.image, dressed.layout, dressed.edit, np.where(mask, BARE, -1).astype(np.int8))
        steps.append(lambda count, backwards, after=after, worn=worn, mask=mask, category=category, coat=coat: Stage(
            after, worn, *cut_out(photo.image, mask, category, body), category, "jacket" if coat else "", BARE, body).frames(count, not backwards))
        dressed = after
    if (dressed.image != bare.image).any() or not steps:
        steps.append(Melt(dressed, bare, body).frames)
    return steps


def cut_out(photo: np.ndarray, mask: np.ndarray, category: str, body: Body) -> tuple[list[Sheet], int]:
    """Old clothes (bool HxW) as sheets: torso and sleeves."""
    pad, rest, out = mask.shape[0] // 4, mask.copy(), []
    if category == "upper":
        trunk = capsule(mask.shape, np.array((body.neck + 0.25 * body.unit * body.down, body.hips)), (0.33 * body.unit,) * 2)
        for side, seen in zip(("right", "left"), ("right", "left") if body.right_to_left > 0 else ("left", "right")):
            arm = capsule(mask.shape, body.limb(seen, arm=True)[0], (0.17 * body.unit, 0.15 * body.unit, 0.14 * body.unit)) & rest & ~trunk
            out, rest = [*out, (side, arm)], rest & ~arm
    grow = lambda m: cv2.copyMakeBorder(m, pad, pad, pad, pad, cv2.BORDER_CONSTANT)
    inside = cv2.erode(mask.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0  # the rim has the colour of what is around, too
    colour = cv2.copyMakeBorder(bleed(photo, inside if inside.any() else mask), pad, pad, pad, pad, cv2.BORDER_REPLICATE)
    soft = lambda m: grow(cv2.GaussianBlur(m.astype(np.uint8) * 255, (0, 0), 0.6))
    return [Sheet(part, colour.copy(), soft(m)) for part, m in (("torso", rest), *out) if m.any()], pad
