"""Film: one garment on its way onto a person, as layouts and pictures.

A stage goes from one still to the next. What is painted for freed places is painted once, for those stills, so it cannot flicker. In between
the cloth of the new garment moves (tryon/dressing/actions.py, cloth.py), and what the new garment does not cover of the old one is drawn in
under it, along the limb that it is on. The first and the last frame of a stage are its stills.
"""
from dataclasses import dataclass

import cv2
import numpy as np

from tryon import schema as S
from tryon.compose import CLASS_OF, capsule, hands
from tryon.dressing.actions import OPEN, Curve, Open, Outline, Scene, action, ramp, smooth
from tryon.dressing.cloth import LAMBDA, SPACING, Sheet, draw, grid_over, ridges, simulate
from tryon.fit import COARSE, Body
from tryon.paint import spread

LIGHT = np.array((-0.38, -0.52, 0.76))  # where light comes from: x to the right, y down, z to the viewer
BARE = 100  # number of the base layer among garments, and of old clothes on top of it
AREA_STEP = 0.06  # of its final area, by which the visible cloth of a garment may change from frame to frame of 24
INSIDE = 0.72  # brightness of the inside of cloth
FAR = 0.15  # torso lengths, from where on cloth is on its way
CLOTHES = (S.UPPER, S.OUTER, S.FULL, S.LOWER, S.HEADWEAR)


@dataclass
class Frame:
    """image HxWx3 uint8; layout HxW uint8, parse ids; displacement HxW float32, pixels, -1 where no new garment is seen; flow float32 HxWx2, x and y by
    which what is seen has moved since the frame before; edit bool HxW, every pixel that may differ from the photo; garment: number of the one that
    moves; time 0..1 of its action; phase: what is being done."""

    image: np.ndarray
    layout: np.ndarray
    displacement: np.ndarray
    flow: np.ndarray
    edit: np.ndarray
    garment: int
    time: float
    phase: str


@dataclass
class Still:
    """A finished picture on the way: image HxWx3 uint8, layout HxW uint8, edit bool HxW, worn HxW int8 as in tryon.compose.Canvas."""

    image: np.ndarray
    layout: np.ndarray
    edit: np.ndarray
    worn: np.ndarray


class Ground:
    """What is under the cloth on the way from still ``before`` to still ``after``. worn bool HxW: what the new garment covers in the end."""

    def __init__(self, before: Still, after: Still, worn: np.ndarray, body: Body):
        self.before, self.after, self.shape = before, after, worn.shape
        (h, w), unit = self.shape, body.unit
        grow = lambda m, r: cv2.dilate(m.astype(np.uint8), np.ones((2 * r + 1,) * 2, np.uint8)) > 0
        changed = (before.image != after.image).any(2) & ~worn
        cloth = np.isin(before.layout, CLOTHES) & (before.layout != after.layout)
        near = grow(cloth & changed, max(2, h // 170))
        self.freed = changed & near
        self.lit = changed & ~near & ~grow(worn, 3)  # cloth beside it, with other light
        self.settled = ~(self.freed | self.lit | worn)
        self.way, self.old = np.zeros((h, w, 2), np.float32), cv2.GaussianBlur((cloth & self.freed).astype(np.float32), (0, 0), 0.6)
        if self.freed.any():
            kept = worn | (np.isin(after.layout, CLOTHES) & ~self.freed)
            self.way = self._ways(kept, body)
        # What is next to the new garment anyway has no way to go: it fades.
        self.rim = 1 - smooth(np.hypot(self.way[..., 0], self.way[..., 1])[self.freed], 0.02 * unit, 0.06 * unit) * cloth[self.freed]

    def _ways(self, kept: np.ndarray, body: Body) -> np.ndarray:
        """Along what the old garment is drawn in: for every freed pixel the way, x and y, from the place it is drawn to, float32 HxWx2. On a limb
        that is the end of what is ``kept`` (bool HxW) there, else the nearest kept pixel."""
        (h, w), unit = self.shape, body.unit
        y, x = np.mgrid[0:h, 0:w].astype(np.float32)
        way = np.zeros((h, w, 2), np.float32)
        if kept.any():
            _, labels = cv2.distanceTransformWithLabels((~kept).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
            ky, kx = np.nonzero(kept)
            where = np.zeros((labels.max() + 1, 2), np.float32)
            where[labels[ky, kx]] = np.stack((kx, ky), 1)
            way = np.stack((x, y), -1) - where[labels]
        pixels = lambda m: np.argwhere(m)[:, ::-1].astype(float)
        for side, arm in ((s, a) for a in (True, False) for s in ("left", "right")):
            line, radii = body.limb(side, arm)[0], np.array((0.14, 0.11, 0.1) if arm else (0.2, 0.17, 0.15)) * unit
            at = pixels(capsule((h, w), line, radii) & self.freed)
            if len(at) < 30:
                continue
            curve = Curve(line, unit)
            t, u = curve.project(at)
            on = pixels(kept & capsule((h, w), line, 0.7 * radii))
            end = float(np.percentile(curve.project(on)[0], 95)) if len(on) > 20 else float(np.percentile(t, 2))
            ahead = t > end
            i = at[ahead].astype(int)
            way[i[:, 1], i[:, 0]] = (at - curve.at(np.minimum(end, t), u))[ahead]
        return np.dstack([cv2.GaussianBlur(c, (0, 0), 0.02 * unit) for c in np.ascontiguousarray(way.transpose(2, 0, 1))])

    def at(self, gone: float, lit: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The old garment drawn in by ``gone``, light changed by ``lit``, 0..1 each: image float32 HxWx3, layout HxW uint8, edit bool HxW."""
        image, edit = self.before.image.astype(np.float32), self.before.edit.copy()
        layout = np.where(self.settled, self.after.layout, self.before.layout)
        if lit > 0:
            image[self.lit] += lit * (self.after.image[self.lit] - image[self.lit])
            edit |= self.lit
            if lit > 0.5:
                layout[self.lit] = self.after.layout[self.lit]
        if gone > 0 and self.freed.any():
            h, w = self.shape
            y, x = np.mgrid[0:h, 0:w].astype(np.float32)
            k = 1 / max(1 - gone, 0.02) - 1
            at = x + self.way[..., 0] * k, y + self.way[..., 1] * k
            still = np.clip(cv2.remap(self.old, *at, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT), 0, 1)[self.freed][:, None]
            still = still + self.rim[:, None] * (1 - gone - still)
            drawn = cv2.remap(self.before.image, *at, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)[self.freed]
            image[self.freed] = drawn * still + self.after.image[self.freed] * (1 - still)
            layout[self.freed] = np.where(still[:, 0] > 0.5, self.before.layout[self.freed], self.after.layout[self.freed])
            edit |= self.freed
        return image, layout, edit


class Stage:
    """A garment on its way from still ``before`` to still ``after``, in which it is number ``index``. ``parts``: its sheets, with ``pad`` pixels
    around the photo, back to front."""

    def __init__(self, before: Still, after: Still, parts: list[Sheet], pad: int, category: str, subcategory: str, index: int, body: Body):
        self.before, self.after, self.index, self.body, self.pad = before, after, index, body, pad
        self.shape = h, w = before.layout.shape
        self.unit, self.ratio = body.unit, h / COARSE
        self.worn = after.worn == index
        self.kind = "jacket" if subcategory == "jacket" else category
        self.cls = S.OUTER if self.kind == "jacket" else CLASS_OF[category]
        parts = self._as_in_the_still(parts)
        if category == "upper" and subcategory in OPEN:
            parts = self._halves(parts)
        elif category in ("upper", "full") and subcategory != "jumpsuit":
            torso = next(s for s in parts if s.part == "torso")
            parts = [Sheet("torso-back", (torso.colour[:, ::-1] * 0 + torso.colour * np.float32(INSIDE)).astype(np.uint8), torso.alpha), *parts]
        parts = [s for s in parts if (s.alpha > 8).any()]
        self.grid = grid_over(parts, pad, SPACING * self.ratio)
        self.sheets, self.active = parts, np.stack([s.active for s in parts])
        self.inside = np.stack([self.grid.read(s.alpha, pad) > 127 for s in parts])
        # Cloth ends where its picture does: what is drawn reaches farther, however much it is gathered. Of sleeves, which bend, not over themselves.
        grow = lambda m, size: cv2.dilate(m.astype(np.uint8), np.ones((size, size), np.uint8)) > 0
        self.near = [grow(s.active, 7) if s.part.startswith("torso") else grow(i, 3) for s, i in zip(parts, self.inside)]
        self.scene = Scene(body, category, subcategory, self.shape, self.grid, [s.part for s in parts], self.active, self.inside)
        self.action, self.rest = action(self.scene), self.scene.rest.astype(np.float32)
        self.sewn = [[k for k, s in enumerate(parts) if s.part.removeprefix("torso-") == side] for side in ("right", "left")] \
            if isinstance(self.action, Open) else [[k for k, s in enumerate(parts) if s.part != "torso-back"]]
        self.ground = Ground(before, after, self.worn, body)
        self._fold()
        self._occluders()
        self.pace = self._pace()

    # Preparation.

    def _as_in_the_still(self, parts):
        """Parts with the light of the still, and its very pixels where they are seen in it."""
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
        self.laid = alpha > 0.5
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
                closed = self.worn & ~self.laid
                s.colour[inner][closed] = self.after.image[closed]
                s.alpha[inner][closed] = 255
        return parts

    def _halves(self, parts):
        """The torso parted at the middle of the front."""
        p, out = self.pad, []
        origin = self.body.neck
        y, x = np.mgrid[0:self.shape[0] + 2 * p, 0:self.shape[1] + 2 * p].astype(np.float32)
        a = (x - p - origin[0]) * self.body.across[0] + (y - p - origin[1]) * self.body.across[1]
        right = -1.0 if self.body.right_to_left > 0 else 1.0
        for s in parts:
            if s.part != "torso":
                out.append(s)
                continue
            for side, sign in (("left", -right), ("right", right)):
                half = np.clip((a * sign + (1.5 if side == "left" else 0.0)) + 0.5, 0, 1)
                out.append(type(s)(f"torso-{side}", s.colour, (s.alpha * half).astype(np.uint8)))
        return sorted(out, key=lambda s: not s.part.startswith("torso"))

    def _fold(self):
        rng = np.random.default_rng(7 + self.index)
        size = (self.shape[1] + 2 * self.pad, self.shape[0] + 2 * self.pad)
        s, g = self.scene, self.grid
        m = np.array(((1 / g.spacing, 0, -(g.origin[0] + self.pad) / g.spacing), (0, 1 / g.spacing, -(g.origin[1] + self.pad) / g.spacing)))
        zoom = lambda a: cv2.warpAffine(a.astype(np.float32), m, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE)
        self.axis = []
        for sheet in self.sheets:
            if sheet.part in ("right", "left"):
                curve = Curve(self.body.limb(s.sides()[sheet.part], arm=self.kind != "lower")[0], 3 * self.unit)
                t, u = curve.project(s.rest[0])
                near = np.clip(np.searchsorted(curve.t, t), 0, len(curve.t) - 1)
                self.axis.append(curve.tangent[near].astype(np.float32))
            else:
                t, u = s.b, s.a
                self.axis.append(np.broadcast_to(self.body.down.astype(np.float32), (*t.shape, 2)))
            length = LAMBDA * self.unit
            t, u = zoom(t), zoom(u)
            (along, aside), (across, _) = ridges(t, u, length, rng), ridges(u, t, 0.8 * length, rng)
            sheet.folds = np.dstack((along, across, *(aside * zoom(c) for c in self.axis[-1].transpose(2, 0, 1))))

    def _occluders(self):
        """What is in front of cloth at rest, and what always is."""
        (h, w), layout, unit = self.shape, self.before.layout, self.unit
        self.hidden = (self.laid & ~self.worn).astype(np.float32)
        # How close cloth must have come for what is in front of it in the still to be so: sooner where more of it is in front.
        depth = cv2.distanceTransform((~self.worn).astype(np.uint8), cv2.DIST_L2, 3)
        self.close = (0.05 * unit + np.minimum(1.5 * depth, 0.5 * unit)).astype(np.float32)
        always = np.zeros((h, w), bool)
        kind = self.kind
        if kind == "lower":
            always = np.isin(layout, (S.UPPER, S.OUTER, S.LEFT_ARM, S.RIGHT_ARM, S.BAG)) & ~self.worn
        elif kind in ("upper", "full"):
            always = hands(layout, self.body) | (layout == S.BAG) & ~self.worn
        self.torso_always = always
        if kind in ("upper", "full") and not isinstance(self.action, Open):
            always = always | (layout == S.LOWER) & self.laid & ~self.worn  # what is tucked in is pulled down under the waistband
            shoulders = np.zeros((h, w), np.uint8)
            for side in ("left", "right"):
                cv2.circle(shoulders, tuple(int(v) for v in np.rint(self.body.limb(side, arm=True)[0][0])), max(1, int(0.2 * unit)), 1, -1)
            self.torso_always = always | (np.isin(layout, (S.LEFT_ARM, S.RIGHT_ARM)) & (shoulders == 0) & ~self.worn)
        self.always, self.torso_always = (cv2.GaussianBlur(m.astype(np.float32), (0, 0), 0.7) for m in (always, self.torso_always))
        y, x = np.mgrid[0:h, 0:w].astype(np.float32)
        self.down = (x - self.scene.origin[0]) * self.body.down[0] + (y - self.scene.origin[1]) * self.body.down[1]
        self.person = cv2.GaussianBlur((layout != S.BACKGROUND).astype(np.float32), (0, 0), 0.7)
        arms = {side: capsule((h, w), self.body.limb(seen, arm=True)[0], (0.12 * unit, 0.1 * unit, 0.09 * unit))
                for side, seen in self.scene.sides().items()}
        self.person_but = {side: self.person * ~arm for side, arm in arms.items()}

    def _pace(self) -> tuple[np.ndarray, np.ndarray]:
        """Times of the film and of the action that belong together: the action takes longer where much cloth comes into sight or goes out of it, less
        before any does, and does not come to its end before the last third of the film."""
        h, w = self.shape
        cell = self.grid.spacing
        shape = int(h / cell) + 1, int(w / cell) + 1

        def seen(time: float) -> tuple[float, float]:
            """Visible cloth in final areas, and the share of it that is far from its place."""
            x, shown = self.action(time)[0], np.zeros((2, *shape))
            for k, s in enumerate(self.sheets):
                at = np.rint(x[k]).astype(int)
                ok = self.inside[k] & (at >= 0).all(-1) & (at[..., 0] < w) & (at[..., 1] < h)
                at, away = at[ok], np.linalg.norm(x[k] - self.rest[k], axis=-1)[ok]
                visible = 1 - self._covered(s, time, (at[:, 1], at[:, 0]), away)
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
        passed = np.concatenate(((0.0,), np.cumsum(share) / share.sum()))
        passed *= 0.96  # the rest is for what the simulation lags behind
        last = np.flatnonzero(far > 0.35).max(initial=0)
        if 0 < passed[last] < 0.67:
            passed = np.interp(passed, (0, passed[last], 0.96), (0, 0.67, 0.96))
        return passed, times

    def _covered(self, sheet: Sheet, time: float, at, far: np.ndarray) -> np.ndarray:
        """How much, 0..1, of a sheet's cloth that is ``far`` pixels from its place is hidden at ``at``, an index of the photo."""
        # What is in front of the cloth in the still is so where the cloth has come close to its place.
        out = self.hidden[at] * np.clip((self.close[at] - far) / (0.01 * self.unit), 0, 1)
        out = np.maximum(out, (self.torso_always if sheet.part.startswith("torso") else self.always)[at])
        if sheet.part == "torso-back":
            return np.maximum(out, self.person[at]) if time < 0.6 else np.ones_like(out)
        if isinstance(self.action, Open):
            person = self.person if sheet.part.startswith("torso") else self.person_but[sheet.part]
            out = np.maximum(out, person[at] * (self.down[at] > self.action.in_front(sheet.part, time)))
        return out

    # Frames.

    def frames(self, count: int, backwards: bool = False):
        """``count`` frames, both stills included; from the last to the first when ``backwards``."""
        xs = simulate(self.rest, self.active, self.sewn, lambda time: self.action(self.paced(time)), count, self.unit, Outline(self.scene))
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
        (h, w), pad = self.shape, self.pad
        image, layout, edit = self.ground.at(ramp(passed, 0.5, 0.95), ramp(passed, 0.3, 0.95))
        displacement = np.where((self.before.worn >= 0) & (layout == self.before.layout), 0.0, -1.0).astype(np.float32)
        coarse = (COARSE, max(8, round(w / self.ratio)))
        fx, fy = coarse[1] / w, 1 / self.ratio
        m = np.array(((fx, 0, 0.5 * fx - 0.5), (0, fy, 0.5 * fy - 0.5)))
        colour, total, moving = np.zeros((h, w, 3), np.float32), np.zeros((h, w), np.float32), np.full((h, w), -1, np.float32)
        flow = np.zeros((h, w, 2), np.float32)
        yy, xx = np.mgrid[0:h, 0:w].astype(np.float32)
        form = self.action.form(time) if hasattr(self.action, "form") else np.float32([[[[0, -1]]]]) * np.ones((*self.active.shape, 1), np.float32)
        order = sorted(range(len(self.sheets)), key=lambda k: (self.sheets[k].part == "torso") * (time < 0.45) - (self.sheets[k].part == "torso-back"))
        for k, s in ((k, self.sheets[k]) for k in order):
            strain_ = self._strains(x[k], k)
            values = np.dstack((self.rest[k] - x[k], strain_, x[k] - last[k], form[k], strain_[..., 0] - self._strains(last[k], k)[..., 0]))
            field, cover = draw(x[k], values, self.near[k], self.grid.spacing, self.ratio, coarse)
            if not (cover > 0.02).any():
                continue
            ys, xs = np.flatnonzero((cover > 0.02).any(1)), np.flatnonzero((cover > 0.02).any(0))
            y0, y1 = max(0, int((ys[0] - 1) * self.ratio)), min(h, int((ys[-1] + 2) * self.ratio) + 1)
            x0, x1 = max(0, int((xs[0] - 1) * self.ratio)), min(w, int((xs[-1] + 2) * self.ratio) + 1)
            win = np.s_[y0:y1, x0:x1]
            mw = m.copy()
            mw[:, 2] += (x0 * fx, y0 * fy)
            zoom = lambda a: cv2.warpAffine(np.ascontiguousarray(a), mw, (x1 - x0, y1 - y0), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
                                            borderMode=cv2.BORDER_REPLICATE)
            move, strain, since, covered = zoom(field[..., :2]), zoom(field[..., 2:4]), zoom(field[..., 4:6]), zoom(cover)
            shape, turned = zoom(field[..., 6:8]), zoom(field[..., 8])
            at = (xx[win] + move[..., 0] + pad, yy[win] + move[..., 1] + pad)
            folds = cv2.remap(s.folds, *at, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            a = self._sample(s.alpha, *at) / 255 * np.clip(0.5 - shape[..., 1], 0, 1) * np.clip(2 * covered - 0.5, 0, 1)
            tucked = np.maximum(1 - strain[..., :1], 0) * folds[..., 2:]
            pixels = self._sample(s.colour, at[0] - tucked[..., 0], at[1] - tucked[..., 1]) * self.shade(folds[..., :2], strain, shape[..., 0])[..., None]
            since = since - turned[..., None] * folds[..., 2:]
            far = np.hypot(move[..., 0], move[..., 1])
            a = a * (1 - self._covered(s, time, win, far))
            colour[win] = pixels * a[..., None] + colour[win] * (1 - a[..., None])
            total[win] = a + total[win] * (1 - a)
            moving[win] = np.where(a > 0.5, far, moving[win])
            flow[win] = np.where(a[..., None] > 0.5, since, flow[win])
        # The cloth's shadow, where it is not yet at rest.
        loft = np.where(total > 0.5, np.clip(moving / (0.25 * self.unit), 0, 1), 0).astype(np.float32)
        offset = np.array(((1, 0, 0.02 * self.unit), (0, 1, 0.045 * self.unit)))
        shadow = cv2.warpAffine(cv2.GaussianBlur(loft, (0, 0), 0.035 * self.unit), offset, (w, h)) * self.person * 0.38
        shadow *= 1 - total
        shadow[shadow < 0.02] = 0
        image = image * (1 - shadow[..., None])
        image = colour + image * (1 - total[..., None])
        edit |= (shadow > 0) | (total > 0)
        seen = total > 0.5
        layout[seen] = self.cls
        displacement[seen] = moving[seen] if self.index < BARE else -1
        out = self.before.image.copy()
        out[edit] = np.clip(np.rint(image[edit]), 0, 255).astype(np.uint8)
        return Frame(out, layout, displacement, flow, edit, self.index, time, phase)

    def _sample(self, picture: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """A picture (uint8) at x, y, HxW each, float32. Gathered cloth shows many pixels of the still in one: four samples of each are averaged."""
        gy, gx = (np.stack(np.gradient(c)) for c in (y, x))
        return sum(cv2.remap(picture, x + ox * gx[1] + oy * gx[0], y + ox * gy[1] + oy * gy[0], cv2.INTER_LINEAR).astype(np.float32)
                   for ox, oy in ((0.125, 0.375), (0.375, -0.125), (-0.125, -0.375), (-0.375, 0.125))) / 4

    def shade(self, folds: np.ndarray, strain: np.ndarray, height: np.ndarray) -> np.ndarray:
        """Factor of brightness HxW of cloth whose crests ``folds`` HxWx2 stand up as far as ``strain`` HxWx2 gathers it."""
        left = np.clip(strain, 0.2, 1)
        steep = 1.8 * (1 - left)
        rise = steep * left * (LAMBDA * self.unit / (2 * np.pi))
        z = (rise * folds).sum(-1)
        crest = z
        z = z + height
        zx, zy = cv2.Sobel(z, cv2.CV_32F, 1, 0, ksize=3, scale=1 / 8), cv2.Sobel(z, cv2.CV_32F, 0, 1, ksize=3, scale=1 / 8)
        lit = (LIGHT[2] - zx * LIGHT[0] - zy * LIGHT[1]) / np.sqrt(1 + zx * zx + zy * zy) / LIGHT[2]
        dark = 1 - 0.3 * (1 - left.min(-1)) * np.clip(0.5 - 0.8 * crest / np.maximum(rise.max(-1), 1e-3), 0, 1) * (left.min(-1) < 0.999)
        return np.clip(1 + 0.6 * (lit - 1), 0.4, 1.2) * dark
