"""Compose: put a fitted garment into the person photo at full resolution.

The layout (parse map of the result) is decided first; pixels follow it. What the old garment covered and the new one
does not is freed: it becomes skin, trousers or background. Nothing outside the edit mask is ever written.
"""
from dataclasses import dataclass

import cv2
import numpy as np

from tryon import schema as S
from tryon.fit import Body, Fit, on_photo
from tryon.garment import Garment

SKIN = (S.FACE, S.NECK, S.LEFT_ARM, S.RIGHT_ARM, S.LEFT_LEG, S.RIGHT_LEG)
CLASS_OF = {"upper": S.UPPER, "lower": S.LOWER, "full": S.FULL, "accessory": S.HEADWEAR}
# What a garment takes the place of. A jacket goes over what is worn under it.
REPLACES = {
    "upper": (S.UPPER, S.OUTER, S.FULL), "jacket": (S.OUTER,), "lower": (S.LOWER, S.FULL),
    "full": (S.UPPER, S.OUTER, S.FULL, S.LOWER), "accessory": (S.HEADWEAR,),
}


@dataclass
class Canvas:
    """The picture while garments are put on: image HxWx3 uint8, layout HxW uint8, edit HxW bool (may differ from the
    photo), worn HxW int8 (index of the garment seen at each pixel, -1 where none)."""

    image: np.ndarray
    layout: np.ndarray
    edit: np.ndarray
    worn: np.ndarray


def capsule(shape: tuple[int, int], line: np.ndarray, radii: tuple[float, ...]) -> np.ndarray:
    """Bool HxW of a limb: the polyline Kx2 thickened by a radius per point."""
    out = np.zeros(shape, np.uint8)
    for (a, b), (ra, rb) in zip(zip(line[:-1], line[1:]), zip(radii[:-1], radii[1:])):
        d = b - a
        n = np.array((-d[1], d[0])) / max(float(np.linalg.norm(d)), 1e-6)
        quad = np.array((a + n * ra, b + n * rb, b - n * rb, a - n * ra))
        cv2.fillConvexPoly(out, np.rint(quad).astype(np.int32), 1)
        for p, r in ((a, ra), (b, rb)):
            cv2.circle(out, tuple(int(v) for v in np.rint(p)), max(1, int(r)), 1, -1)
    return out > 0


def sample(fit: Fit, garment: Garment, shape: tuple[int, int]) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """Layers at full resolution, back to front: part, colour uint8 HxWx3, alpha float32 HxW in 0..1."""
    h, w = shape
    soft = cv2.GaussianBlur(garment.mask.astype(np.float32) / 255, (0, 0), 0.6)
    soft[neck_opening(garment)] = 0  # the inner collar is hidden behind the neck
    # The outermost pixels of a mask carry the colour of the ground: colours are taken from inside.
    rim = max(3, garment.mask.shape[0] // 110 | 1)
    colour = bleed(garment.photo, cv2.erode(garment.mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (rim, rim))) > 0)
    out = []
    for layer in fit.layers:
        m = cv2.resize(layer.map.astype(np.float32) / 8, (w, h), interpolation=cv2.INTER_LINEAR)
        cover = cv2.resize(layer.cover.astype(np.float32) / 255, (w, h), interpolation=cv2.INTER_LINEAR)
        # Parts agree on where a shared pixel goes, so they may overlap: no seam opens between torso and sleeve.
        share = np.clip((on_photo(layer.share, fit.grid, soft.shape) - 0.05) / 0.1, 0, 1)
        alpha = cv2.remap(soft * share, m, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT) * np.clip(cover * 2, 0, 1)
        out.append((layer.part, cv2.remap(colour, m, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), alpha))
    return out


def bleed(photo: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Carry the colours of ``inside`` outwards over its border, uint8 HxWx3."""
    out = photo.copy()
    base = np.concatenate((photo, np.full((*inside.shape, 1), 255, np.uint8)), -1).astype(np.float32) * inside[..., None]
    todo = ~inside
    for sigma in (1.5, 5.0, 15.0):
        b = cv2.GaussianBlur(base, (0, 0), sigma)
        fill = todo & (b[..., 3] > 2)
        out[fill] = (b[fill, :3] * (255 / b[fill, 3:])).clip(0, 255).astype(np.uint8)
        todo &= ~fill
    return out


def neck_opening(garment: Garment) -> np.ndarray:
    """Bool HxW, in the product photo, of the inner back collar that a worn garment hides behind the neck."""
    lm = garment.landmarks
    out = np.zeros(garment.mask.shape, np.uint8)
    if garment.category not in ("upper", "full"):
        return out > 0
    a, b = np.array(lm["collar_right"][:2]), np.array(lm["collar_left"][:2])
    depth = {"shirt": 0.22, "jacket": 0.3}.get(garment.subcategory, 0.42)
    centre = (a + b) / 2
    across = max(float(np.linalg.norm(b - a)), 1.0)
    cv2.ellipse(out, (int(centre[0]), int(centre[1])), (int(across * 0.47), max(1, int(depth * across))), 0, 0, 180, 1, -1)
    out[:int(centre[1]) + 1, int(a[0]):int(b[0]) + 1] = 1
    return out > 0


def put_on(canvas: Canvas, fit: Fit, garment: Garment, index: int, body: Body) -> Canvas:
    """Put garment number ``index`` on the canvas; returns a new canvas."""
    h, w = canvas.layout.shape
    kind = "jacket" if garment.subcategory == "jacket" else garment.category
    unit, layout = fit.unit, canvas.layout.copy()
    layers = sample(fit, garment, (h, w))
    old = np.isin(canvas.layout, REPLACES[kind])
    if kind in ("upper", "lower"):  # a top takes the place of a dress above the waist, trousers and skirts below it
        below = ((np.arange(w)[None] - body.hips[0]) * body.down[0] + (np.arange(h)[:, None] - body.hips[1]) * body.down[1]) > -0.2 * unit
        whole = canvas.layout == S.FULL
        if kind == "upper" and (canvas.layout == S.LOWER).sum() < 0.1 * unit * unit:
            whole |= canvas.layout == S.OUTER  # under a closed coat nothing is known: its lower part stays as a skirt
        old &= ~whole | (below if kind == "lower" else ~below)
        layout[whole & ~old] = S.LOWER if kind == "upper" else S.UPPER

    arms = {side: body.limb(side, arm=True)[0] for side in ("left", "right")}
    arm_region = {side: capsule((h, w), line, (0.105 * unit, 0.078 * unit, 0.058 * unit)) for side, line in arms.items()}
    arm_class = {"left": S.LEFT_ARM, "right": S.RIGHT_ARM}
    arm_skin = np.isin(canvas.layout, tuple(arm_class.values()))

    shoulders = np.zeros((h, w), np.uint8)
    for line in arms.values():  # a bare shoulder is covered by the torso of a garment, the arm below it is in front
        cv2.circle(shoulders, tuple(int(v) for v in np.rint(line[0])), max(1, int(0.2 * unit)), 1, -1)
    arm_in_front = arm_skin & (shoulders == 0)

    # What stays in front of every layer, and what stays in front of the torso only.
    front = np.isin(canvas.layout, (S.FACE, S.HAIR, S.HEADWEAR, S.BAG, S.ACCESSORY))
    front |= hands(canvas.layout, body)
    if garment.category == "accessory":
        front = np.isin(canvas.layout, (S.FACE, S.BAG))
    if garment.category == "lower":
        # The own top hangs over; one that was put on before in this look is tucked in.
        front |= np.isin(canvas.layout, (S.UPPER, S.OUTER)) & ~old & (canvas.worn < 0)
        front |= np.isin(canvas.layout, (S.SHOES, S.LEFT_ARM, S.RIGHT_ARM))
    elif garment.category == "upper" and kind != "jacket":
        front |= canvas.layout == S.SHOES
    alpha = np.zeros((h, w), np.float32)
    colour = np.zeros((h, w, 3), np.float32)
    for part, pixels, a in layers:
        if part == "torso" and garment.category in ("upper", "full"):
            a = a * ~arm_in_front
        a = a * ~front
        colour = pixels * a[..., None] + colour * (1 - a[..., None])
        alpha = a + alpha * (1 - a)
    colour = colour / np.maximum(alpha, 1e-3)[..., None]
    alpha = np.clip(alpha, 0, 1)
    seen = alpha > 0.5

    # Arms whose old sleeve is gone lie in front of the torso, below the end of the new sleeve.
    if garment.category in ("upper", "full") and kind != "jacket":
        bare = np.zeros((h, w), bool)
        sleeves = np.zeros((h, w), bool)
        for (part, _, a) in layers:
            if part != "torso":
                sleeves |= a > 0.5
        for side, region in arm_region.items():
            freed_arm = region & old & ~sleeves & ~front
            if part_reaches(layers, side, region):
                freed_arm &= beyond(layers, side, arms[side], (h, w))
            layout[freed_arm] = arm_class[side]
            bare |= freed_arm
        alpha[bare & ~arm_skin] = 0
        seen = alpha > 0.5

    # Crumbs that show beside an arm are no part of a picture.
    _, pieces, stats, _ = cv2.connectedComponentsWithStats(seen.astype(np.uint8))
    small = np.flatnonzero(stats[:, cv2.CC_STAT_AREA] < 0.02 * int(seen.sum()))
    crumbs = np.isin(pieces, small[small > 0])
    seen &= ~crumbs
    alpha[crumbs | (cv2.dilate(seen.astype(np.uint8), np.ones((5, 5), np.uint8)) == 0)] = 0

    freed = old & ~seen
    _assign_freed(layout, freed, seen, canvas, body, arm_region, arm_class, kind)
    layout[seen] = CLASS_OF[garment.category] if kind != "jacket" else S.OUTER

    # The parse is a little narrow: take a rim of the old garment along, but never from what is protected.
    grow = max(1, h // 340)
    rim = cv2.dilate(freed.astype(np.uint8), np.ones((2 * grow + 1, 2 * grow + 1), np.uint8)) > 0
    protected = np.isin(canvas.layout, (S.FACE, S.HAIR, S.SHOES, S.BAG, S.ACCESSORY, S.HEADWEAR, S.LEFT_ARM, S.RIGHT_ARM, S.LEFT_LEG, S.RIGHT_LEG, S.NECK))
    rim &= ~protected & ~freed
    rim_bg = rim & (canvas.layout == S.BACKGROUND)
    fill = freed | rim_bg
    image = _fill(canvas.image, layout, canvas.layout, fill, body)
    shaded = _shade(colour, canvas, old, seen, garment)
    edge = alpha[..., None]
    image = np.where(edge > 0, (shaded * edge + image * (1 - edge)), image)
    edit = fill | (alpha > 0)
    out = canvas.image.copy()
    out[edit] = np.clip(np.rint(image[edit]), 0, 255).astype(np.uint8)
    worn = canvas.worn.copy()
    worn[seen] = index
    return Canvas(out, layout, canvas.edit | edit, worn)


def hands(layout: np.ndarray, body: Body) -> np.ndarray:
    """Bool HxW: skin of the arms beyond the wrists; no sleeve may cover it."""
    out = np.zeros(layout.shape, bool)
    for wrist, elbow in ((S.R_WRIST, S.R_ELBOW), (S.L_WRIST, S.L_ELBOW)):
        if not (body.seen[wrist] and body.seen[elbow]):
            continue
        centre, reach = body.joint[wrist], 0.4 * body.unit
        d = centre - body.joint[elbow]
        d /= max(float(np.linalg.norm(d)), 1e-6)
        y0, x0 = (max(0, int(v)) for v in (centre[1] - reach, centre[0] - reach))
        window = layout[y0:int(centre[1] + reach) + 1, x0:int(centre[0] + reach) + 1]
        if not window.size:
            continue
        y, x = np.mgrid[0:window.shape[0], 0:window.shape[1]]
        along = (x + x0 - centre[0]) * d[0] + (y + y0 - centre[1]) * d[1]
        out[y0:y0 + window.shape[0], x0:x0 + window.shape[1]] |= np.isin(window, (S.LEFT_ARM, S.RIGHT_ARM)) & (along > 0)
    return out


def part_reaches(layers, side: str, region: np.ndarray) -> bool:
    """Whether the new garment has a sleeve on this side that is seen on the arm."""
    return any(part == side and ((a > 0.5) & region).any() for part, _, a in layers)


def beyond(layers, side: str, line: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Bool HxW: farther along the arm than the new sleeve reaches."""
    a = next(a for part, _, a in layers if part == side)
    ys, xs = np.nonzero(a > 0.5)
    t = arm_position(np.stack((xs, ys), 1).astype(float), line)
    y, x = np.mgrid[0:shape[0]:4, 0:shape[1]:4]
    grid = arm_position(np.stack((x.ravel(), y.ravel()), 1).astype(float), line).reshape(x.shape).astype(np.float32)
    full = cv2.resize(grid, shape[::-1], interpolation=cv2.INTER_LINEAR)
    return full > np.percentile(t, 90)


def arm_position(points: np.ndarray, line: np.ndarray) -> np.ndarray:
    """Arc length in pixels of the nearest place on the polyline Kx2 to each of the points Nx2."""
    best, out, s = np.full(len(points), np.inf), np.zeros(len(points)), 0.0
    for a, b in zip(line[:-1], line[1:]):
        d = b - a
        l = max(float(np.linalg.norm(d)), 1e-6)
        t = np.clip((points - a) @ d / l, 0, l)
        dist = ((points - a - np.outer(t / l, d)) ** 2).sum(1)
        closer = dist < best
        best[closer], out[closer] = dist[closer], s + t[closer]
        s += l
    return out


def _assign_freed(layout, freed, seen, canvas, body, arm_region, arm_class, kind) -> None:
    """Decide what shows where the old garment was and the new one is not; writes ``layout`` in place."""
    h, w = layout.shape
    unit = body.unit
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    rx, ry = x - body.neck[0], y - body.neck[1]
    down = rx * body.down[0] + ry * body.down[1]
    across = rx * body.across[0] + ry * body.across[1]
    decided = np.isin(layout, tuple(arm_class.values())) & freed & ~np.isin(canvas.layout, tuple(arm_class.values()))
    todo = freed & ~decided
    layout[todo] = S.BACKGROUND
    worn_below = S.LOWER if (layout == S.LOWER).sum() > 0.002 * h * w else None
    if kind in ("upper", "full", "jacket"):
        half = 0.5 * body.torso_width * np.interp(down / unit, (-0.3, -0.12, 0.1, 0.5, 1.0, 1.3), (0.3, 0.62, 0.95, 0.86, 1.0, 1.0))
        torso = todo & (np.abs(across) < half) & (down > -0.35 * unit) & (down < 1.18 * unit)
        hem = max(float(np.percentile(down[seen], 95)) if seen.any() else 0.0, 0.55 * unit)
        upper = torso & (down < hem)
        layout[upper] = S.NECK
        lower = torso & ~upper
        if kind == "upper" and worn_below is not None:
            layout[lower] = worn_below
        elif kind == "jacket":
            layout[torso] = S.UPPER if (canvas.layout == S.UPPER).any() else S.FULL if (canvas.layout == S.FULL).any() else S.UPPER
        else:
            layout[lower] = S.LOWER if worn_below == S.LOWER else S.NECK
        for side, region in arm_region.items():
            layout[todo & region & ~torso] = arm_class[side]
    if kind == "lower":  # between the new waist and the top: the top hangs down to it
        half = 0.5 * body.hip_width
        belly = todo & (np.abs(across) < 1.1 * half) & (down > 0.3 * unit) & (down < 1.02 * unit)
        layout[belly] = next((c for c in (S.UPPER, S.OUTER) if (layout == c).sum() > 0.02 * unit * unit), S.NECK)
    leg_class = {"left": S.LEFT_LEG, "right": S.RIGHT_LEG}
    if kind != "accessory":
        for side in ("left", "right"):
            line, _ = body.limb(side, arm=False)
            region = capsule((h, w), line, (0.16 * unit, 0.105 * unit, 0.07 * unit)) & todo & (down > 1.02 * unit)
            bare = leg_class[side] if kind in ("lower", "full") else (worn_below if worn_below == S.LOWER else leg_class[side])
            layout[region & (layout == S.BACKGROUND)] = bare
    else:
        layout[todo & (down < -0.2 * unit)] = S.HAIR if (canvas.layout == S.HAIR).any() else S.BACKGROUND


def _push_pull(image: np.ndarray, known: np.ndarray, height: int = 256) -> np.ndarray:
    """Smooth colours everywhere from the known pixels: float32 HxWx3 by a pyramid of normalised averages, worked out
    at ``height`` pixels."""
    h, w = known.shape
    size = (max(2, round(w * height / h)), height) if h > height else (w, h)
    weight = cv2.resize(known.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    colour = cv2.resize(image * known[..., None].astype(np.uint8), size, interpolation=cv2.INTER_AREA)
    levels = [np.concatenate((colour.astype(np.float32), weight[..., None]), -1)]
    while min(levels[-1].shape[:2]) > 2:
        levels.append(cv2.resize(levels[-1], (max(1, levels[-1].shape[1] // 2), max(1, levels[-1].shape[0] // 2)), interpolation=cv2.INTER_AREA))
    out = levels[-1][..., :3] / np.maximum(levels[-1][..., 3:], 1e-6)
    for level in levels[-2::-1]:
        up = cv2.resize(out, level.shape[1::-1], interpolation=cv2.INTER_LINEAR)
        trust = np.clip(level[..., 3:] * 4, 0, 1)
        out = level[..., :3] / np.maximum(level[..., 3:], 1e-6) * trust + up * (1 - trust)
    return cv2.resize(out, (w, h), interpolation=cv2.INTER_LINEAR)


def _fill(image: np.ndarray, layout: np.ndarray, before: np.ndarray, fill: np.ndarray, body) -> np.ndarray:
    """Paint the pixels of ``fill`` according to ``layout``: float32 HxWx3, unchanged elsewhere."""
    out = image.astype(np.float32)
    if not fill.any():
        return out
    h, w = layout.shape
    kernel = np.ones((max(3, h // 150) | 1,) * 2, np.uint8)
    inner = lambda m: cv2.erode(m.astype(np.uint8), kernel) > 0
    skin_todo = fill & np.isin(layout, SKIN)
    if skin_todo.any():
        known = inner(np.isin(before, SKIN)) & ~fill
        if known.sum() < 30:
            known = np.isin(before, SKIN) & ~fill
        if known.any():
            pixels = image[known].astype(np.float32)
            light = pixels.sum(1)
            lit = (light >= np.percentile(light, 50)) & (light <= np.percentile(light, 85))
            tone = pixels[lit].mean(0)
            near = _push_pull(image, known)
            mixed = 0.55 * tone + 0.45 * near
            # Round the limbs: darker towards their outline.
            solid = np.isin(layout, SKIN) & (skin_todo | np.isin(before, SKIN))
            depth = cv2.distanceTransform(solid.astype(np.uint8), cv2.DIST_L2, 3)
            shade = 0.84 + 0.17 * np.clip(depth / (0.07 * body.unit), 0, 1) ** 0.6
            out[skin_todo] = (mixed * cv2.GaussianBlur(shade.astype(np.float32), (0, 0), max(1.0, h / 400))[..., None])[skin_todo]
    for cls in (S.LOWER, S.FULL, S.UPPER, S.OUTER, S.HAIR):
        todo = fill & (layout == cls)
        if not todo.any():
            continue
        source = inner((layout == cls) & ~fill)
        if not source.any():
            source = (layout == cls) & ~fill
        if not source.any():
            continue
        out[todo] = _mirror(image, source, todo)
    ground = fill & (layout == S.BACKGROUND)
    if ground.any():
        out[ground] = _ground(image, before, ground)[ground]
    # Edges between what was painted and what is beside it are as soft as a lens makes them.
    radius = max(1, h // 500)
    edges = cv2.morphologyEx(layout, cv2.MORPH_GRADIENT, np.ones((2 * radius + 1, 2 * radius + 1), np.uint8)) > 0
    soft = edges & fill
    out[soft] = cv2.GaussianBlur(out, (0, 0), 0.8 * radius)[soft]
    return out


def _mirror(image: np.ndarray, source: np.ndarray, todo: np.ndarray) -> np.ndarray:
    """Texture for ``todo`` reflected across the nearest pixel of ``source``; where that leaves it, smooth colours."""
    h, w = source.shape
    _, labels = cv2.distanceTransformWithLabels((~source).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    ys, xs = np.nonzero(source)
    where = np.zeros((labels.max() + 1, 2), np.int32)
    where[labels[ys, xs]] = np.stack((ys, xs), 1)
    ty, tx = np.nonzero(todo)
    near = where[labels[ty, tx]]
    my, mx = 2 * near[:, 0] - ty, 2 * near[:, 1] - tx
    inside = (my >= 0) & (my < h) & (mx >= 0) & (mx < w)
    inside[inside] = source[my[inside], mx[inside]]
    out = _push_pull(image, source)[ty, tx]
    out[inside] = image[my[inside], mx[inside]]
    return out


def _ground(image: np.ndarray, before: np.ndarray, todo: np.ndarray) -> np.ndarray:
    """Background behind a removed garment: fast marching inpainting (Telea 2004) at a coarse size, from background only."""
    h, w = todo.shape
    scale = min(1.0, 320 / h)
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    person = cv2.dilate(((before != S.BACKGROUND) | todo).astype(np.uint8), np.ones((5, 5), np.uint8))
    person = cv2.resize(person, small.shape[1::-1], interpolation=cv2.INTER_NEAREST)
    if person.all():
        return image.astype(np.float32)
    filled = _push_pull(small, person == 0)
    near = cv2.inpaint(small, person, 3, cv2.INPAINT_TELEA).astype(np.float32)
    depth = np.clip(cv2.distanceTransform(person, cv2.DIST_L2, 3) / 12, 0, 1)[..., None]
    return cv2.resize(near * (1 - depth) + filled * depth, (w, h), interpolation=cv2.INTER_LINEAR)


def _shade(colour: np.ndarray, canvas: Canvas, old: np.ndarray, seen: np.ndarray, garment: Garment) -> np.ndarray:
    """Let the folds of a plain old garment show on the new one; prints are left behind."""
    both = old & seen
    if both.sum() < 500:
        return colour
    # Folds are broad: they are read at a few hundred pixels of height.
    h, w = old.shape
    size = (max(2, round(w * 384 / h)), 384) if h > 384 else (w, h)
    light = cv2.cvtColor(cv2.resize(canvas.image, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY).astype(np.float32)
    small = lambda m: cv2.resize(m.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
    m = cv2.erode(small(old), np.ones((3, 3), np.uint8)).astype(np.float32)
    blur = lambda sigma: cv2.GaussianBlur(light * m, (0, 0), sigma) / np.maximum(cv2.GaussianBlur(m, (0, 0), sigma), 1e-3)
    fine, mid, wide = blur(0.8), blur(2.7), blur(15)
    inside = small(both) > 0
    if not inside.any():
        return colour
    texture = float(np.abs(light - mid)[inside].mean()) / max(float(light[inside].mean()), 20.0)
    strength = 0.7 * np.exp(-(texture / 0.06) ** 2)
    ratio = np.clip((0.5 * fine + 0.5 * mid + 12) / (wide + 12), 0.75, 1.2)
    factor = 1 + (ratio - 1) * cv2.GaussianBlur(m, (0, 0), 2.3) * strength
    return colour * cv2.resize(factor, (w, h), interpolation=cv2.INTER_LINEAR)[..., None]
