"""Warp: a trained residual flow corrects the outline of a placed top; or, to compare with, CP-VTON's matching module places it on its own.
Shapes alone go in, so both work on every cloth and need no photo."""
from dataclasses import replace

import cv2
import numpy as np

from tryon import schema as S
from tryon.body import Body
from tryon.condition import skeleton
from tryon.fit import COARSE, Fit, Layer, fit, part_masks, smooth
from tryon.garment import Garment, once
from tryon.models.warp import PARTS, SIZE
from tryon.networks import Networks
from tryon.person import Person
from tryon.texture import neck_opening

VIEW = (0.8, 2.8, 2.7)  # of the view, in torso lengths: above the neck, below it, across
HEAD = (S.HAIR, S.FACE, S.HEADWEAR)
WAIST = 0.5  # torso lengths below the neck; what hangs below moves as one with it, so that its length stays what geometry made it
FREE = (0.25, 0.6)  # torso lengths below the neck: from where on, and from where on wholly, the flow moves a torso sideways
# Of a top that is wide for its length the network knows better how long it is worn. One of the usual proportions - lengths per width from and from where on
# wholly - is as long as it is: of what the network, which learned from worn tops laid out flat, would change of that, this share is followed.
PLAIN, FOLLOWED = (1.05, 1.15), 0.4
CATEGORIES = ("upper",)  # what it has learned


def view(body: Body, angle: float = 0.0, zoom: float = 1.0) -> np.ndarray:
    """2x3 affine from pixels of the person photo to the network's view, upright around the torso."""
    above, below, across = (v * body.unit / zoom for v in VIEW)
    scale = SIZE[0] / (above + below)
    centre = body.neck + np.array((0, (below - above) / 2))
    m = cv2.getRotationMatrix2D(tuple(float(v) for v in centre), angle, scale)
    m[:, 2] += (SIZE[1] / 2, SIZE[0] / 2) - centre
    return m


@once
def small_parts(garment: Garment) -> tuple[float, dict[str, np.ndarray]]:
    """The scale at which no side of the product photo is longer than 400 pixels, and there each of PARTS without its neck opening: float32 h x w in 0..1."""
    solid = (garment.mask > 127) & ~neck_opening(garment)
    scale = min(1.0, 400 / max(solid.shape))
    return scale, {part: cv2.resize((solid & mask).astype(np.float32), None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
                   for part, mask in part_masks(garment).items()}


def placed(fit: Fit, garment: Garment) -> np.ndarray:
    """How much of each place of the coarse grid each of PARTS covers: float32 P x h x w in 0..1."""
    scale, own = small_parts(garment)
    out = np.zeros((len(PARTS), *fit.layers[0].cover.shape), np.float32)
    for layer in fit.layers:
        at = (layer.map * np.float32(fit.step) + np.float32(0.5)) * np.float32(scale) - np.float32(0.5)
        a = cv2.remap(own[layer.part], at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
        out[PARTS.index(layer.part)] = a * np.clip(layer.cover * (2 / 255), 0, 1)
    return out


def shapes(parts: np.ndarray, parse: np.ndarray, pose: np.ndarray, m: np.ndarray, coarse: float) -> np.ndarray:
    """What the network sees: SHAPES x SIZE float32 in 0..1. parts P x h x w on a grid ``coarse`` times as fine as the photo; parse HxW ids; pose
    18x3; m: ``view``. Not the old clothes: what they cover must not tell how large the new ones are."""
    warp = lambda a, m: cv2.warpAffine(a, m, SIZE[::-1], flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    fine = m @ np.array(((1 / coarse, 0, 0.5 / coarse - 0.5), (0, 1 / coarse, 0.5 / coarse - 0.5), (0, 0, 1)))
    scale = float(np.sqrt(abs(np.linalg.det(m[:, :2]))))
    soft = lambda mask, sigma: warp(cv2.GaussianBlur(mask.astype(np.float32), (0, 0), sigma / scale), m)
    joints = pose.copy()
    joints[:, :2] = pose[:, :2] @ m[:, :2].T + m[:, 2]
    return np.concatenate((
        np.stack([warp(np.ascontiguousarray(p), fine) for p in parts]), skeleton(joints, SIZE).transpose(2, 0, 1).astype(np.float32) / 255,
        soft(np.isin(parse, HEAD), 0.7)[None]))


def place(networks: Networks, person: Person, garment: Garment, how: str = "flow", tuck: str = "worn") -> Fit:
    """Where the garment lies on the person: by ``geometry`` alone, geometry and the residual ``flow``, or by CP-VTON's ``gmm``; ``tuck``: ``worn``, tucked in
    where the person's own top is, or ``out``. Raises RowError as tryon.fit.fit does."""
    placed = fit(person, garment)
    placed.tucked &= tuck == "worn"
    if garment.category not in CATEGORIES or how == "geometry":
        return placed
    return refine(networks, person, garment, placed) if how == "flow" else match(networks, person, garment, placed)


def product_view(garment: Garment) -> np.ndarray:
    """2x3 affine from pixels of the product photo to the matching module's view of the garment."""
    ys, xs = np.flatnonzero(garment.mask.any(1)), np.flatnonzero(garment.mask.any(0))
    scale = 0.92 * min(SIZE[0] / (ys[-1] - ys[0] + 1), SIZE[1] / (xs[-1] - xs[0] + 1))
    return np.array(((scale, 0, SIZE[1] / 2 - scale * (xs[0] + xs[-1] + 1) / 2), (0, scale, SIZE[0] / 2 - scale * (ys[0] + ys[-1] + 1) / 2)))


def product_shapes(garment: Garment) -> np.ndarray:
    """The parts of the product in its view: P x SIZE float32 in 0..1."""
    m, masks = product_view(garment), part_masks(garment)
    soft = lambda mask: cv2.GaussianBlur((mask & (garment.mask > 127)).astype(np.float32), (0, 0), 0.5 / m[0, 0])
    return np.stack([cv2.warpAffine(soft(masks[p]), m, SIZE[::-1]) for p in PARTS])


def match(networks: Networks, person: Person, garment: Garment, geometry: Fit) -> Fit:
    """A fit whose maps are the matching module's."""
    body = person.body
    m, n, w = view(body), product_view(garment), geometry.layers[0].cover.shape[1]
    coarse = COARSE / person.parse.shape[0]
    nothing = np.zeros((len(PARTS), COARSE, w), np.float32)
    grid = networks.match(shapes(nothing, person.parse, person.pose[0], m, coarse)[len(PARTS):], product_shapes(garment))
    at = ((grid + 1) / 2 * SIZE[::-1] - 0.5 - n[:, 2]) / n[0, 0]  # pixels of the product photo
    y, x = np.mgrid[0:COARSE, 0:w].astype(np.float32)
    in_view = (np.stack(((x + 0.5) / coarse - 0.5, (y + 0.5) / coarse - 0.5), -1) @ m[:, :2].T + m[:, 2]).astype(np.float32)
    carried = cv2.remap(at.astype(np.float32), in_view, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    cover = cv2.remap(np.full(SIZE, 255, np.uint8), in_view, None, cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT)
    share = np.full(geometry.layers[0].share.shape, 255, np.uint8)
    steps = np.rint(np.clip(carried / geometry.step, -32000, 32000)).astype(np.int16)
    return replace(geometry, layers=[Layer(part, steps, cover, share) for part in PARTS])


def refine(networks: Networks, person: Person, garment: Garment, fit: Fit) -> Fit:
    """The fit with its torso moved by the residual flow, below the shoulders; kinds that the network has not learned stay as they are. Shoulders and
    sleeves stay on the body's own outline: what the network learned of them, from worn garments laid out flat, puffs them up."""
    if fit.category not in CATEGORIES:
        return fit
    body = person.body
    m, h = view(body), fit.layers[0].cover.shape[0]
    coarse = h / person.parse.shape[0]
    flow = networks.warp(shapes(placed(fit, garment), person.parse, person.pose[0], m, coarse))  # P x 2 x SIZE, pixels of the view
    back = np.linalg.inv(m[:, :2])
    y, x = np.mgrid[0:h, 0:fit.layers[0].cover.shape[1]].astype(np.float32)
    in_photo = np.stack(((x + 0.5) / coarse - 0.5, (y + 0.5) / coarse - 0.5), -1)
    in_view = (in_photo @ m[:, :2].T + m[:, 2]).astype(np.float32)
    where = np.minimum(in_view, (np.inf, SIZE[0] * (VIEW[0] + WAIST) / (VIEW[0] + VIEW[1]))).astype(np.float32)
    below = (in_photo - body.neck) @ body.down / body.unit
    # Sideways from below the shoulders on; along the body more and more down to the hips: less evenly, a print would be torn.
    (top, bottom), width = garment.shape.centre[:, 1], garment.shape.width
    followed = 1 - (1 - FOLLOWED) * smooth((bottom - top) / width, *PLAIN)
    shares = np.stack((smooth(below, *FREE), followed * np.clip(below, 0, 1)), -1)
    frame = np.stack((body.across, body.down))
    layers = []
    for layer in fit.layers:
        if layer.part == "torso":
            f = np.stack([cv2.remap(c, where, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE) for c in flow[PARTS.index(layer.part)]], -1)
            at = (np.stack((x, y), -1) + shares * (f @ back.T @ np.linalg.inv(frame)) @ frame * coarse).astype(np.float32)
            moved = lambda a, border: cv2.remap(a, at, None, cv2.INTER_LINEAR, borderMode=border)
            layer = replace(layer, map=np.rint(moved(layer.map.astype(np.float32), cv2.BORDER_REPLICATE)).astype(np.int16), cover=moved(layer.cover, cv2.BORDER_CONSTANT))
        layers.append(layer)
    return replace(fit, layers=layers)
