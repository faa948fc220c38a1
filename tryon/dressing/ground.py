"""Ground: what cloth on its way lies over, and what lies over it.

What is painted for freed places is painted once, for the stills, so it cannot flicker. What the new garment does not cover of the old one is
drawn in under it along the limb that it is on; elsewhere its border draws back.
"""
from dataclasses import dataclass

import cv2
import numpy as np

from tryon import schema as S
from tryon.body import Body
from tryon.compose import arm_regions, bare_arms, hands
from tryon.dressing.actions import Action, Open
from tryon.dressing.scene import Curve, smooth
from tryon.limbs import capsule
from tryon.masks import closest

SOFT = 0.12  # width of the border of clothes that draw back, in 0.16 torso lengths
CLOTHES = (S.UPPER, S.OUTER, S.FULL, S.LOWER, S.HEADWEAR, S.ACCESSORY)


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
        self.way, length, on_limb, self.old = np.zeros((h, w, 2), np.float32), np.zeros((h, w), np.float32), 0.0, cv2.GaussianBlur((cloth & self.freed).astype(np.float32), (0, 0), 0.6)
        if self.freed.any():
            kept = worn | (np.isin(after.layout, CLOTHES) & ~self.freed)
            self.way, length, on_limb = self._ways(kept, body)
        # What is not on a limb, or next to the new garment anyway, has no way to go, and what is beside the cloth none of its own: its border draws back,
        # the farthest goes first.
        length = length / (0.16 * unit)
        stays = 1 - smooth(length, 0.4, 1) * cloth * on_limb
        self.way *= (1 - stays)[..., None]
        self.rim, self.far = stays[self.freed], length[self.freed]
        # Where that border lies from the end to the beginning: equal areas go in equal times. Where nothing is put on, there is none.
        told = self.far[self.rim > 0.5] if worn.any() else ()
        self.borders = (-SOFT, *np.quantile(told, np.linspace(0, 1, 50)), float(self.far.max()) + SOFT) if len(told) else ()

    def _ways(self, kept: np.ndarray, body: Body) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Along what the old garment is drawn in: for every freed pixel the way, x and y, from the place it is drawn to, float32 HxWx2, how long that is, and
        how much of a limb it is on, HxW 0..1. On a limb that is the end of what is ``kept`` (bool HxW) there, else the nearest kept pixel."""
        (h, w), unit = self.shape, body.unit
        y, x = np.mgrid[0:h, 0:w].astype(np.float32)
        way, on_limb = np.zeros((h, w, 2), np.float32), np.zeros((h, w), np.float32)
        if kept.any():
            ky, kx = closest(kept)
            way = np.stack((x - kx, y - ky), -1).astype(np.float32)
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
            way[i[:, 1], i[:, 0]], on_limb[i[:, 1], i[:, 0]] = (at - curve.at(np.minimum(end, t), u))[ahead], 1
        x, y = np.ascontiguousarray(way.transpose(2, 0, 1))  # between two kept places ways lead apart, and are no shorter for that
        x, y, length, on_limb = (cv2.GaussianBlur(c, (0, 0), 0.02 * unit) for c in (x, y, np.hypot(x, y), on_limb))
        return np.dstack((x, y)), length, on_limb

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
            if len(self.borders):
                near = np.clip((np.interp(1 - gone, np.linspace(0, 1, len(self.borders)), self.borders) - self.far) / SOFT + 0.5, 0, 1)[:, None]
            else:  # it loses its colour
                near = np.clip(2 * (1 - gone) - np.minimum(self.far, 1), 0, 1)[:, None]
            still = still + self.rim[:, None] * (near - still)
            drawn = cv2.remap(self.before.image, *at, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)[self.freed]
            image[self.freed] = drawn * still + self.after.image[self.freed] * (1 - still)
            layout[self.freed] = np.where(still[:, 0] > 0.5, self.before.layout[self.freed], self.after.layout[self.freed])
            edit |= self.freed
        return image, layout, edit


class Occluders:
    """What of the person in still ``before`` hides cloth. laid and worn bool HxW: where the garment is laid out, and where it is seen in the end;
    category of schema."""

    def __init__(self, before: Still, laid: np.ndarray, worn: np.ndarray, category: str, action: Action):
        self.action, scene = action, action.s
        (h, w), layout, body, unit = worn.shape, before.layout, scene.body, scene.unit
        soft = lambda m: cv2.GaussianBlur(m.astype(np.float32), (0, 0), 0.7)
        self.unit, self.hidden = unit, (laid & ~worn).astype(np.float32)
        # How close cloth must have come for what is in front of it in the still to be so: sooner where more of it is in front.
        depth = cv2.distanceTransform((~worn).astype(np.uint8), cv2.DIST_L2, 3)
        self.close = (0.05 * unit + np.minimum(1.5 * depth, 0.5 * unit)).astype(np.float32)
        front = torso = np.zeros((h, w), bool)  # what is in front of any cloth, and of that of the torso
        if category == "lower":
            front = torso = np.isin(layout, (S.UPPER, S.OUTER, S.LEFT_ARM, S.RIGHT_ARM, S.BAG)) & ~worn
        elif category != "accessory":
            front = torso = hands(layout, body) | (layout == S.BAG) & ~worn
            if not isinstance(action, Open):
                front = front | (layout == S.LOWER) & laid & ~worn  # what is tucked in is pulled down under the waistband
                torso = front | bare_arms(layout, arm_regions(layout, body, unit), body, unit) & ~worn
        self.front, self.torso = soft(front), soft(torso)
        # What comes round from behind, on the left, shows first at the shoulder, then downwards and inwards: how far that is at every pixel.
        rel = np.indices((h, w), np.float32)[::-1].transpose(1, 2, 0) - scene.origin.astype(np.float32)
        shoulder = float((scene.limb("left", arm=True)[0] - scene.origin) @ body.across)
        self.round = rel @ body.down + 1.2 * (shoulder - rel @ body.across) * np.sign(shoulder)
        self.person = soft(layout != S.BACKGROUND)
        # What comes from behind is not seen in gaps that the garment will close, beside an arm: it would come and go.
        self.body = soft((layout != S.BACKGROUND) | worn)
        arm = lambda side: capsule((h, w), scene.limb(side, arm=True), (0.12 * unit, 0.1 * unit, 0.09 * unit))
        self.but = {side: self.body * ~arm(side) for side in ("right", "left")}

    def hides(self, part: str, time: float, at, far: np.ndarray) -> np.ndarray:
        """How much, 0..1, of cloth of a part that is ``far`` pixels from its place is hidden at ``at``, an index of the photo."""
        close = np.clip((self.close[at] - far) / (0.01 * self.unit), 0, 1)
        out = np.maximum(self.hidden[at] * close, (self.torso if part.startswith("torso") else self.front)[at])
        line = self.action.in_front(part, time)
        if line < np.inf:
            out = np.maximum(out, self.but.get(part, self.body)[at] * (self.round[at] > line))
        return out
