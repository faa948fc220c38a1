"""Film: one garment on its way onto a person, as layouts and pictures.

A stage goes from one still to the next: in between the cloth of the new garment moves (tryon/dressing/actions.py, cloth.py) over what the old
one leaves (ground.py). The first and the last frame of a stage are its stills.
"""
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from tryon.body import Body
from tryon.compose import CLASS_OF
from tryon.dressing.actions import way
from tryon.dressing.cloth import LAMBDA, SPACING, Sheet, draw, grid_over, ridges, simulate
from tryon.dressing.ground import Ground, Occluders, Still
from tryon.dressing.scene import Curve, Outline, Scene, ramp
from tryon.fit import COARSE
from tryon.masks import box_of
from tryon.pyramid import spread

LIGHT = np.array((-0.38, -0.52, 0.76))  # where light comes from: x to the right, y down, z to the viewer
BARE = 100  # number of the base layer among garments, and of old clothes on top of it
AREA_STEP = 0.05  # of its final area, by which the visible cloth of a garment may change from frame to frame of 24
FAR = 0.15  # torso lengths, from where on cloth is on its way
SAME, JUMP = 0.75, 8.0  # pixels on the screen, and of the still, from where on another place of the cloth is seen
TRACE, NEARBY = 2, 2  # steps in which motion is made exact, and the longest of them, in pixels
BETWEEN, HALVES = 2.2, 3  # pixels of the still per pixel, from where on gathered cloth is sampled from it made smaller, and how often it is halved
CREASE = 0.6  # pixels of blur within cloth that is on its way
DONE = 0.96  # of the film, when the action ends: the rest is for what the cloth lags behind


@dataclass
class Frame:
    """image HxWx3 uint8; layout HxW uint8, parse ids; displacement HxW float32, pixels, -1 where no new garment is seen; flow float32 HxWx2, x and y by
    which what is seen has moved since the frame before, NaN where of that cloth nothing was seen there; edit bool HxW, every pixel that may differ from the photo; garment: number of the one that
    moves; time 0..1 of its action; phase: what is being done."""

    image: np.ndarray
    layout: np.ndarray
    displacement: np.ndarray
    flow: np.ndarray
    edit: np.ndarray
    garment: int
    time: float
    phase: str


def on_screen(source: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """A function that tells how far what is seen at each pixel moves when the place of the sheet it is taken from (``source``) moves by so much, HxWx2 each, in
    pixels: zero where places jump from pixel to pixel."""
    x, y = cv2.split(source)
    slopes = lambda a: [cv2.Scharr(a, cv2.CV_32F, dx, 1 - dx, scale=1 / 32) for dx in (1, 0)]
    (xx, xy), (yx, yy) = slopes(x), slopes(y)
    det = xx * yy - xy * yx
    share = np.where(np.abs(det) > 0.1, 1 / np.where(det == 0, 1, det), 0)
    xx, xy, yx, yy = (a * share for a in (xx, xy, yx, yy))

    def move(shift: np.ndarray) -> np.ndarray:
        x, y = cv2.split(np.ascontiguousarray(shift, np.float32))
        return cv2.merge((yy * x - xy * y, xx * y - yx * x))

    return move


def traced(way: np.ndarray, source: np.ndarray, moves: Callable[[np.ndarray], np.ndarray], corner: tuple[int, int],
           before: tuple[np.ndarray, tuple[int, int]]) -> np.ndarray:
    """``way`` (HxWx2, pixels), by which what is seen at each pixel has moved, made exact by steps of Newton's method: the place of the sheet it is taken from
    (``source``, HxWx2, of a window whose first pixel is ``corner``, x and y; ``moves``: its ``on_screen``) is looked for in the frame ``before`` (source and
    corner). It stays where that is not seen there close by."""
    last, (left, top) = before
    y, x = np.mgrid[0:way.shape[0], 0:way.shape[1]].astype(np.float32) + np.float32((corner[1] - top, corner[0] - left))[:, None, None]
    for _ in range(TRACE):
        wx, wy = cv2.split(way)
        step = moves(source - cv2.remap(last, x - wx, y - wy, cv2.INTER_LINEAR, borderValue=(1e6, 1e6)))
        sx, sy = cv2.split(step)
        near = ((np.abs(sx) < NEARBY) & (np.abs(sy) < NEARBY)).astype(np.float32)
        way = way - cv2.merge((sx * near, sy * near))
    return way


def seen_before(way: np.ndarray, source: np.ndarray, moves: Callable[[np.ndarray], np.ndarray], corner: tuple[int, int],
                before: tuple[np.ndarray, tuple[int, int]], on_top: np.ndarray) -> np.ndarray:
    """Bool HxW: where the cloth that is seen now was seen in the frame ``before``, too, at the place that its ``way`` says (arguments as of ``traced``;
    ``on_top``, bool and as large as the photo: where this sheet was seen then, over all others); the rest has come out of a fold or from behind."""
    last, (left, top) = before
    y, x = np.mgrid[0:way.shape[0], 0:way.shape[1]].astype(np.float32) + np.float32((corner[1], corner[0]))[:, None, None]
    x, y = x - way[..., 0], y - way[..., 1]
    off = source - cv2.remap(last, x - left, y - top, cv2.INTER_LINEAR, borderValue=(1e6, 1e6))
    uncovered = cv2.remap(on_top.astype(np.uint8), x, y, cv2.INTER_NEAREST) > 0
    return (np.abs(off).max(-1) < JUMP) & (np.abs(moves(off)).max(-1) < SAME) & uncovered


def halved(picture: np.ndarray, times: int) -> list[np.ndarray]:
    """A picture and what is left of it when it is made half as large again and again."""
    out = [picture]
    for _ in range(times):
        out.append(cv2.pyrDown(out[-1]))
    return out


def minified(levels: list[np.ndarray], x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The first of ``levels`` (``halved``) at x, y, HxW each: float32. Gathered cloth shows many pixels of the still in one: four samples of each are
    averaged, of pictures so much smaller (mip maps, Williams 1983; two are mixed) that they lie about BETWEEN of their pixels apart, as far as levels go."""
    gy, gx = (np.stack(np.gradient(c)) for c in (y, x))
    wide = np.sqrt((gx * gx + gy * gy).max(0))
    level = np.clip(np.log2(np.maximum(wide / BETWEEN, 1)), 0, len(levels) - 1)
    out = np.zeros((*x.shape, *levels[0].shape[2:]), np.float32)
    for n, picture in enumerate(levels):
        share = np.clip(1 - np.abs(level - n), 0, 1)
        if share.any():
            top, bottom, left, right = box_of(share > 0)
            at = np.s_[top:bottom, left:right]
            own = sum(cv2.remap(picture, (x[at] + ox * gx[1][at] + oy * gx[0][at]) / 2 ** n, (y[at] + ox * gy[1][at] + oy * gy[0][at]) / 2 ** n,
                                cv2.INTER_LINEAR).astype(np.float32)
                      for ox, oy in ((0.125, 0.375), (0.375, -0.125), (-0.125, -0.375), (-0.375, 0.125))) / 4
            out[at] += own * (share[at][..., None] if picture.ndim == 3 else share[at])
    return out


class Stage:
    """A garment on its way from still ``before`` to still ``after``, in which it is number ``index``. ``parts``: its sheets, with ``pad`` pixels
    around the photo, back to front."""

    def __init__(self, before: Still, after: Still, parts: list[Sheet], pad: int, category: str, subcategory: str, index: int, body: Body):
        self.before, self.after, self.index, self.body, self.pad = before, after, index, body, pad
        self.shape = h, w = before.layout.shape
        self.unit, self.ratio = body.unit, h / COARSE
        self.worn = after.worn == index
        self.cls = CLASS_OF[subcategory if subcategory in CLASS_OF else category]
        laid, made = self._as_in_the_still(parts), way(category, subcategory)
        self.sheets = parts = [s for s in made.cut(parts, pad, body) if (s.alpha > 8).any()]
        self.grid = grid_over(parts, pad, SPACING * self.ratio)
        self.active, self.inside = np.stack([s.active for s in parts]), np.stack([self.grid.read(s.alpha, pad) > 127 for s in parts])
        # Cloth ends where its picture does: what is drawn reaches farther, however much it is gathered. Of sleeves, which bend, not over themselves.
        grow = lambda m, size: cv2.dilate(m.astype(np.uint8), np.ones((size, size), np.uint8)) > 0
        self.near = [grow(s.active, 7) if s.part.startswith("torso") else grow(i, 3) for s, i in zip(parts, self.inside)]
        self.scene = Scene(body, category, subcategory, self.shape, self.grid, [s.part for s in parts], self.active, self.inside)
        self.action, self.rest = made(self.scene), self.scene.rest.astype(np.float32)
        self.axis = [self._fold(s, np.random.default_rng((7 + index, k))) for k, s in enumerate(parts)]
        self.ground, self.occluders = Ground(before, after, self.worn, body), Occluders(before, laid, self.worn, category, self.action)
        self.pace = self._pace()
        self.levels = [halved(s.colour, HALVES) for s in parts]
        self.seen: dict[int, tuple] = {}  # sheet -> which places of it lay where in the frame before, seen or not
        self.top = np.full(self.shape, -1, np.int8)  # number of the sheet that was seen there, or -1

    # Preparation.

    def _as_in_the_still(self, parts: list[Sheet]) -> np.ndarray:
        """Gives parts the light of the still, and its very pixels where they are seen in it. Returns bool HxW, where they are laid out."""
        p, (h, w) = self.pad, self.shape
        inner = np.s_[p:p + h, p:p + w]
        colour, alpha = np.zeros((h, w, 3), np.float32), np.zeros((h, w), np.float32)
        owner = np.full((h, w), -1)
        for k, s in enumerate(parts):
            a = s.alpha[inner].astype(np.float32) / 255
            colour = s.colour[inner] * a[..., None] + colour * (1 - a[..., None])
            alpha = a + alpha * (1 - a)
            owner[a > 0.5] = k
        colour /= np.maximum(alpha, 1e-3)[..., None]
        laid = alpha > 0.5
        seen = self.worn & (alpha > 0.9)
        small = (max(8, w // 4), max(8, h // 4))
        if seen.any():
            light = (self.after.image.astype(np.float32) - colour).mean(2) * seen
            known = cv2.resize(seen.astype(np.float32), small, interpolation=cv2.INTER_AREA)
            light = cv2.resize(light, small, interpolation=cv2.INTER_AREA) / np.maximum(known, 1e-3)
            light = cv2.resize(spread(light[..., None].astype(np.float32), known > 0.3) if (known > 0.3).any() else light[..., None], (w, h))
            light = cv2.copyMakeBorder(light.reshape(h, w), p, p, p, p, cv2.BORDER_REPLICATE)
            for s in parts:
                s.colour = np.clip(s.colour + light[..., None], 0, 255).astype(np.uint8)
        inside = cv2.erode(self.worn.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        torso = next(k for k, s in enumerate(parts) if s.part == "torso")
        for k, s in enumerate(parts):
            mine = inside & (owner == k)
            s.colour[inner][mine] = self.after.image[mine]
            if k == torso:  # what closes gaps belongs to the torso
                closed = self.worn & ~laid
                s.colour[inner][closed] = self.after.image[closed]
                s.alpha[inner][closed] = 255
        return laid

    def _fold(self, sheet: Sheet, rng: np.random.Generator) -> np.ndarray:
        """Gives a sheet its folds. Returns the direction along it at every point, gh x gw x 2."""
        s, g = self.scene, self.grid
        if sheet.part in ("right", "left"):
            curve = Curve(s.limb(sheet.part, arm=s.category != "lower"), 3 * self.unit)
            t, u = curve.project(s.rest[0])
            axis = curve.tangent[np.clip(np.searchsorted(curve.t, t), 0, len(curve.t) - 1)].astype(np.float32)
        else:
            t, u, axis = s.b, s.a, np.broadcast_to(self.body.down.astype(np.float32), (*s.a.shape, 2))
        m = np.array(((1 / g.spacing, 0, -(g.origin[0] + self.pad) / g.spacing), (0, 1 / g.spacing, -(g.origin[1] + self.pad) / g.spacing)))
        zoom = lambda a: cv2.warpAffine(a.astype(np.float32), m, sheet.alpha.shape[::-1], flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
                                        borderMode=cv2.BORDER_REPLICATE)
        length, t, u = LAMBDA * self.unit, zoom(t), zoom(u)
        (along, aside), (across, _) = ridges(t, u, length, rng), ridges(u, t, 0.8 * length, rng)
        sheet.folds = np.dstack((along, across, aside[..., None] * zoom(axis)))
        return axis

    def _pace(self) -> tuple[np.ndarray, np.ndarray]:
        """Times of the film and of the action that belong together: the action takes longer where much cloth comes into sight or goes out of it, less
        before any does, and comes to its end in the last third of the film, if what is left can come into sight in that time."""
        (h, w), cell = self.shape, self.grid.spacing
        shape = int(h / cell) + 1, int(w / cell) + 1

        def seen(time: float) -> tuple[float, float]:
            """Visible cloth in final areas, and the share of it that is far from its place."""
            x, shown = self.action(time)[0], np.zeros((2, *shape))
            for k in self.action.order(time):
                at = np.rint(x[k]).astype(int)
                ok = self.inside[k] & (at >= 0).all(-1) & (at[..., 0] < w) & (at[..., 1] < h)
                at, away = at[ok], np.linalg.norm(x[k] - self.rest[k], axis=-1)[ok]
                visible = 1 - self.occluders.hides(self.sheets[k].part, time, (at[:, 1], at[:, 0]), away)
                index = tuple((at / cell).astype(int).T[::-1])
                np.maximum.at(shown[0], index, visible)
                np.maximum.at(shown[1], index, visible * (away > FAR * self.unit))
            area, far = shown.sum((1, 2))
            return area * cell ** 2 / max(int(self.worn.sum()), 1), far / max(area, 1.0)

        times = np.linspace(0, 1, 61)
        area, far = np.array([seen(t) for t in times]).T
        even = lambda v: np.convolve(np.pad(v, 2, mode="edge"), (0.15, 0.2, 0.3, 0.2, 0.15), "valid")
        change = np.maximum(even(np.abs(np.diff(even(area)))), 0.9 * np.abs(np.diff(area)) * (area[:-1] < 0.15))
        share = np.maximum(np.where(np.maximum.accumulate(area[1:]) < 0.01, 0.1, 1) / 60, change / (23 * AREA_STEP))
        passed = DONE * np.concatenate(((0.0,), np.cumsum(share) / share.sum()))
        last = np.flatnonzero(far > 0.5).max(initial=0)
        if last:  # of film that is left, as much as may be taken without a jump of what is seen
            step = float((change[last:] / np.diff(passed[last:])).max(initial=0)) / 23
            held = min(0.67, DONE - (DONE - passed[last]) * step / (2.6 * AREA_STEP))
            passed = np.interp(passed, (0, passed[last], DONE), (0, max(held, passed[last]), DONE))
        return passed, times

    # Frames.

    def frames(self, count: int, backwards: bool = False) -> Iterator[Frame]:
        """``count`` frames, both stills included; from the last to the first when ``backwards``."""
        self.seen.clear()
        self.top[:] = -1
        wanted = lambda time: self.action(self.paced(time))
        xs = simulate(self.rest, self.active, self.action.pieces(), wanted, count, self.unit, Outline(self.scene))
        xs, last = reversed(list(enumerate(xs))) if backwards else enumerate(xs), None
        for k, x in xs:
            time = self.paced(k / (count - 1))
            phase = [name for start, name in self.action.phases if start <= time][-1]
            frame = self.frame(x, x if last is None else last, k / (count - 1), time, phase)
            yield self.still(k, time, frame.flow) if k in (0, count - 1) else frame
            last = x

    def paced(self, time: float) -> float:
        """Time of the action at a time of the film."""
        return float(np.interp(time, *self.pace))

    def still(self, k: int, time: float, flow: np.ndarray) -> Frame:
        s = self.after if k else self.before
        displacement = np.where((s.worn >= 0) & (s.worn < BARE), 0, -1).astype(np.float32)
        return Frame(s.image.copy(), s.layout, displacement, flow, s.edit, self.index, time, "worn" if k else "before")

    def _strains(self, x: np.ndarray, k: int) -> np.ndarray:
        """gh x gw x 2: share of its length that cloth has left along and across the part."""
        s, d = self.grid.spacing, self.axis[k]
        gy, gx = np.gradient(x, axis=0) / s, np.gradient(x, axis=1) / s
        along = np.linalg.norm(gx * d[..., :1] + gy * d[..., 1:], axis=-1)
        across = np.linalg.norm(-gx * d[..., 1:] + gy * d[..., :1], axis=-1)
        out = np.minimum(np.dstack((along, across)), 1).astype(np.float32)
        return cv2.GaussianBlur(out, (0, 0), 0.9)

    def frame(self, x: np.ndarray, last: np.ndarray, passed: float, time: float, phase: str) -> Frame:
        """The frame in which the points of the sheets are at x, and were at ``last`` in the one before: S x gh x gw x 2; ``passed``: time of the film,
        ``time``: of the action."""
        h, w = self.shape
        image, layout, edit = self.ground.at(ramp(passed, 0.5, 0.95), ramp(passed, 0.3, 0.95))
        displacement = np.where((self.before.worn >= 0) & (layout == self.before.layout), 0.0, -1.0).astype(np.float32)
        colour, total, moving = np.zeros((h, w, 3), np.float32), np.zeros((h, w), np.float32), np.full((h, w), -1, np.float32)
        flow, form, top = np.zeros((h, w, 2), np.float32), self.action.form(time), np.full((h, w), -1, np.int8)
        for k in self.action.order(time):
            drawn = self._drawn(k, x[k], last[k], form[k], time)
            if drawn is None:
                continue
            win, pixels, a, far, way = drawn
            colour[win] = pixels * a[..., None] + colour[win] * (1 - a[..., None])
            total[win] = a + total[win] * (1 - a)
            moving[win] = np.where(a > 0.5, far, moving[win])
            flow[win] = np.where(a[..., None] > 0.5, way, flow[win])
            top[win] = np.where(a > 0.5, k, top[win])
        self.top = np.where(total > 0.5, top, -1)
        # Creases between folds are as soft as a photo's: a pixel wide, they would flicker where cloth moves by half of one.
        soft, share = (cv2.GaussianBlur(a, (0, 0), CREASE) for a in (colour, total))
        away = np.clip(moving / (FAR * self.unit), 0, 1)[..., None]
        colour += away * (soft * (total / np.maximum(share, 1e-3))[..., None] - colour)
        # The cloth's shadow, where it is not yet at rest.
        loft = np.where(total > 0.5, np.clip(moving / (0.25 * self.unit), 0, 1), 0).astype(np.float32)
        offset = np.array(((1, 0, 0.02 * self.unit), (0, 1, 0.045 * self.unit)))
        shadow = cv2.warpAffine(cv2.GaussianBlur(loft, (0, 0), 0.035 * self.unit), offset, (w, h)) * self.occluders.person * 0.38 * (1 - total)
        shadow[shadow < 0.02] = 0
        image = colour + image * ((1 - shadow) * (1 - total))[..., None]
        edit |= (shadow > 0) | (total > 0)
        seen = total > 0.5
        layout[seen] = self.cls
        displacement[seen] = moving[seen] if self.index < BARE else -1
        out = self.before.image.copy()
        out[edit] = np.clip(np.rint(image[edit]), 0, 255).astype(np.uint8)
        return Frame(out, layout, displacement, flow, edit, self.index, time, phase)

    def _drawn(self, k: int, x: np.ndarray, last: np.ndarray, form: np.ndarray, time: float):
        """Sheet number k, whose points are at x and were at ``last`` (gh x gw x 2), ``form`` as from the action: the window (slices of the photo) it is
        in, and there its colours 0..255, alpha 0..1, distance from its place and way since the frame before in pixels. None where nothing is seen."""
        (h, w), s, strain = self.shape, self.sheets[k], self._strains(x, k)
        values = np.dstack((self.rest[k] - x, strain, x - last, form, strain[..., 0] - self._strains(last, k)[..., 0]))
        coarse = (COARSE, max(8, round(w / self.ratio)))
        field, cover = draw(x, values, self.near[k], self.grid.spacing, self.ratio, coarse)
        ys, xs = (np.flatnonzero((cover > 0.02).any(axis)) for axis in (1, 0))
        if not len(ys):
            self.seen.pop(k, None)
            return None
        y0, y1 = max(0, int((ys[0] - 1) * self.ratio)), min(h, int((ys[-1] + 2) * self.ratio) + 1)
        x0, x1 = max(0, int((xs[0] - 1) * self.ratio)), min(w, int((xs[-1] + 2) * self.ratio) + 1)
        win, fx, fy = np.s_[y0:y1, x0:x1], coarse[1] / w, 1 / self.ratio
        m = np.array(((fx, 0, (x0 + 0.5) * fx - 0.5), (0, fy, (y0 + 0.5) * fy - 0.5)))
        zoom = lambda a: cv2.warpAffine(np.ascontiguousarray(a), m, (x1 - x0, y1 - y0), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
                                        borderMode=cv2.BORDER_REPLICATE)
        move, strain, way, form, change, cover = (zoom(a) for a in (*np.split(field, (2, 4, 6, 8), axis=2), cover))
        y, x = np.mgrid[y0:y1, x0:x1].astype(np.float32) + self.pad
        at, far = (x + move[..., 0], y + move[..., 1]), np.hypot(move[..., 0], move[..., 1])
        folds = cv2.remap(s.folds, *at, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        alpha = minified([s.alpha], *at) / 255 * np.clip(0.5 - form[..., 1], 0, 1) * np.clip(2 * cover - 0.5, 0, 1)
        alpha *= 1 - self.occluders.hides(s.part, time, win, far)
        # Gathered cloth shows what is near its crests as it is, and hides the rest between them; unfolding, it moves away from the crests.
        source = np.dstack(at) - (1 - strain[..., :1]) * folds[..., 2:]
        pixels = minified(self.levels[k], source[..., 0], source[..., 1]) * self.shade(folds[..., :2], strain, form[..., 0])[..., None]
        moves = on_screen(source)
        way = way - moves(change[..., None] * folds[..., 2:])
        if k in self.seen:
            way = traced(way, source, moves, (x0, y0), self.seen[k])
            way[~seen_before(way, source, moves, (x0, y0), self.seen[k], self.top == k)] = np.nan
        else:
            way = np.full_like(way, np.nan)
        self.seen[k] = source, (x0, y0)
        return win, pixels, alpha, far, way

    def shade(self, folds: np.ndarray, strain: np.ndarray, height: np.ndarray) -> np.ndarray:
        """Factor of brightness HxW of cloth whose crests ``folds`` HxWx2 stand up as far as ``strain`` HxWx2 gathers it, on cloth ``height`` HxW pixels
        before its place."""
        left = np.clip(strain, 0.2, 1)
        rise = 1.8 * (1 - left) * left * (LAMBDA * self.unit / (2 * np.pi))
        crest, tight = (rise * folds).sum(-1), 1 - left.min(-1)
        zx, zy = (cv2.Sobel(crest + height, cv2.CV_32F, dx, 1 - dx, ksize=3, scale=1 / 8) for dx in (1, 0))
        lit = (LIGHT[2] - zx * LIGHT[0] - zy * LIGHT[1]) / np.sqrt(1 + zx * zx + zy * zy) / LIGHT[2]
        dark = 1 - 0.3 * tight * np.clip(0.5 - 0.8 * crest / np.maximum(rise.max(-1), 1e-3), 0, 1) * (tight > 0.001)
        return np.clip(1 + 0.6 * (lit - 1), 0.4, 1.2) * dark
