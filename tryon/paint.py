"""Paint: what the generator makes of a look, brought to full resolution.

The generator works at about 256x192. Its layout says what the freed region becomes. Its colours are brought up class by class, so that
edges follow the layout, and are mixed with what the photo itself tells: of skin they give the light alone, in the colours of the skin around,
rounded along each limb, of cloth a share; the ground the photo tells alone. They meet the photo at the border and take their grain from there. On the garment only the difference the generator makes,
light and folds, is brought up: print and hue stay those of the product photo. Without a generator (render.generator=none) the photo alone tells
layout and colours, and the garment is not lit.
"""
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np

from tryon import schema as S
from tryon import inpaint, shade, straight
from tryon.condition import condition, skeleton
from tryon.limbs import BONES, SLIM, STEPS, above_shoulders, at, beside_neck, capsule, head, limbs, out_of_sleeves, shoulders, throat, trousers, with_ends
from tryon.masks import box_of, closest, distance_to, grown, shrunk
from tryon.networks import Networks, working_size
from tryon.pyramid import spread, thrice

# Classes that look alike, so that one may be matched to the other: all skin is one.
GROUP = np.arange(len(S.PARSE_CLASSES))
GROUP[list(S.SKIN)] = S.FACE
# Share of the generator's colours, by group, where the photo tells some; none of the ground, where they are a little off and the outline of what was taken
# off stays to be seen.
CLOTH = (S.UPPER, S.OUTER, S.FULL, S.LOWER, S.LEGWEAR)
TRUST = {S.FACE: 0.75, S.BACKGROUND: 0.0} | dict.fromkeys(CLOTH, 0.2)
GUESS = {S.LEFT_ARM: 0.12, S.RIGHT_ARM: 0.12, S.LEFT_LEG: 0.2, S.RIGHT_LEG: 0.2}  # thickness of bones without a network, in torso lengths
# What may hide a limb that was freed. Where none of it may come out, a limb is where its bones are; else the generator decides.
SLEEVES, LEGS = (S.UPPER, S.OUTER, S.FULL), (S.LOWER, S.LEGWEAR, S.FULL)
HIDES = {S.LEFT_ARM: SLEEVES, S.RIGHT_ARM: SLEEVES, S.LEFT_LEG: LEGS, S.RIGHT_LEG: LEGS}
# Bare arms and legs in units of the tone of the other skin that is well lit, RGB: medians of 169 and 344 people of CCP's train split; of arms of which hands are
# seen, and of those of which nothing is. Legs that are seen are as they are. The brightest channel of skin, of 255.
ARMS, LEGS, BRIGHTEST = np.float32(((1.02, 1.035, 1.03), (1.055, 1.1, 1.1))), np.float32((0.81, 0.755, 0.72)), 225
OF_HANDS, MEETING = 0.35, 6  # share of the colour of what is seen of arms far from it; and within so many pixels of the generator arms go over into other skin
UNLIKE = 0.25  # how far the colour of the skin beside may be from the one expected: a hand in the shadow
SHOWN = 0.01  # squared torso lengths of a leg that tell its colour
# Torso lengths from a face, and how light a neck is there, of that tone: medians of 475 necks of the same split, but four fifths of the
# chin's shadow; beyond 0.3 it goes over into that of arms.
NECK = (0.01, 0.05, 0.075, 0.105, 0.14, 0.18, 0.25, 0.35, 0.45), (0.66, 0.74, 0.78, 0.86, 0.95, 1.04, 1.12, 1.1, 1.0)
# The same from hair that hangs beside a neck: medians of 74 people of that split, below the chin's shadow.
HAIR = (0.0, 0.005, 0.015, 0.025, 0.037, 0.052, 0.07, 0.09, 0.12), (0.5, 0.53, 0.61, 0.69, 0.79, 0.85, 0.89, 0.92, 1.0)
NEAREST = 0.06  # share of a place of the pyramid that must be known: so little that the nearest colours count
WIDER = 1.03  # times as wide as it is taken to be: the most that a limb is painted
TRUNK = (0.3, 1.0, 0.35)  # of the way from the neck to the hips: from where to where a body surely is, and so many times as far to both sides as hips are apart
NARROW = 0.85  # times as wide as it is taken to be: where there is a limb, whatever it is in
FROM = {S.LEFT_LEG: 5, S.RIGHT_LEG: 5}  # piece from which on a leg is where its bones are; hips are left to the generator
PAINTED = 3  # of the points of a limb: fewer that come out are a rim
BELOW = 0.3  # torso lengths below the hips: where legs are
THIN = 700  # part of the height: half the width of ground between what is painted and what is worn that is none
FRONT = {S.LEFT_ARM: 2000, S.RIGHT_ARM: 2000, S.LEFT_LEG: 1000, S.RIGHT_LEG: 1000, S.NECK: 500, S.LOWER: 500, S.LEGWEAR: 1000}  # which is in front
BEHIND = 0.35  # torso lengths from the middle of a neck: no farther off does hair hang beside it
SMALL = 0.005  # of the picture: a fill up to this size would be lost at half the size, and is painted in one pass
COARSER = 1.5  # of the generator's pixels: detail of the ground that is repeated
HANGS = (S.LOWER, S.FULL)  # of what the folds that are seen go on upwards
FOLD, CREASE = 7.0, 30  # how wide they are, in pixels of the generator, and the most that they differ from what is beside them, of 255
HEMMED = 0.7  # of what is seen: below there is a hem
SHADOW, LIT = 4, 0.3  # pixels of the generator beside what is taken off, whose shadow may lie there, and the least share of cloth that is seen beyond them
FAINT, CAST, FAR = 1.5, 30, 30  # differences of ground, of 255, that are no shadow, and the most that is one; pixels of the generator within which it fades
PRINT = 8.0  # the same of prints
PRINTED = 0.002, 10  # of the picture: the least of a print that is seen, and that goes on; and how much it differs from place to place, of 255
SEAM = 3.0  # the same: a seam between pieces of it that come from places farther apart shows
LIGHT = 10  # the most that light and folds change a garment, of 255: beside another one the network mixes the two
SLIVER = 0.03  # of what is painted: less of a kind has no grain
NOISE = 1.5  # the strongest on painted skin, of 255: a beard is no noise
WEAVE = 8  # how strong the grain of painted cloth may be, of 255: seams and holes are not to be repeated


def paint(networks: Networks, image: np.ndarray, worn: np.ndarray, garment: np.ndarray, fill: np.ndarray, layout: np.ndarray, before: np.ndarray,
          pose: np.ndarray, allowed: np.ndarray, unit: float, tone: np.ndarray, soft: float = 0.8) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """image and worn (the warped garment) HxWx3, uint8 and float32 in 0..255; garment and fill HxW bool; layout and before HxW parse
    ids, of the result (not looked at inside fill) and of image; pose 18x3; allowed: bool per class, what fill may become; unit: torso length
    in pixels; tone: RGB in 0..255 of the person's skin (tryon.condition.skin_tone); soft: pixels of blur at edges. The arrays may be a window into a photo, with joints beyond it.

    Returns the layout with fill decided, the picture to show inside fill (float32 HxWx3), and what to add to every channel of worn inside
    garment (float32 HxWx1).
    """
    h, w = fill.shape
    size = working_size(fill.shape, 256 * 192)
    small = lambda a: cv2.resize(a.astype(np.float32), size[::-1], interpolation=cv2.INTER_AREA)
    part = small(garment)
    garment_s = part > 0.5
    fill_s = (small(fill) > 0.05) & ~garment_s
    image_s = cv2.resize(image, size[::-1], interpolation=cv2.INTER_AREA)
    worn_s = np.rint(small(cv2.copyTo(worn, garment.view(np.uint8))) / thrice(np.maximum(part, 1e-3))).clip(0, 255).astype(np.uint8)
    nearest = lambda a: cv2.resize(a, size[::-1], interpolation=cv2.INTER_NEAREST_EXACT)
    scaled = pose.copy()
    scaled[:, :2] = (pose[:, :2] + 0.5) * (size[1] / w, size[0] / h) - 0.5
    known, before_s = ~fill_s & ~garment_s, nearest(before)
    if networks.generator is None:
        rgb, alpha, logits = guess(image_s, known, before_s, scaled, unit * size[0] / h)
    else:
        told, bones = networks.generator.told, skeleton(scaled, size)
        look = lambda may, **how: networks.generate(condition(image_s, worn_s, tone, garment_s, fill_s, nearest(layout), bones, may & told), **how)
        twice = told and fill_s.mean() > SMALL  # the layout first, then its colours
        rgb, alpha, logits = look(allowed, coarse=twice)
    logits[~allowed] = -1e4
    hidden = above((before_s == S.LOWER) & ~garment_s & allowed[S.LOWER])
    for cls in (S.LEFT_LEG, S.RIGHT_LEG, S.LEGWEAR):  # which are not seen above a hem
        logits[cls][hidden] = -1e4
    small_unit = unit * size[0] / h
    hips = scaled[[S.R_HIP, S.L_HIP]]
    never = before_s == S.BACKGROUND  # of which no top comes out, nor between the legs of trousers
    if hips[:, 2].all():
        never |= (before_s == S.LOWER) & (np.arange(size[0])[:, None] > hips[:, 1].mean() + BELOW * small_unit)
    logits[[S.UPPER, S.OUTER]] = np.where(never, -1e4, logits[[S.UPPER, S.OUTER]])
    found = list(limbs(scaled, small_unit, before_s, ~known))
    lit = shade.lit_from(image_s, known & (before_s == S.FACE))
    stretch = np.array((w / size[1], h / size[0]))
    if "limb" in networks.nets and tone.any():
        hidden = [(cls, (points + 0.5) * stretch - 0.5, radii * stretch[1]) for cls, points, radii in found if at(fill_s, points).sum() >= PAINTED]
        anew = {limb.cls: limb for limb in straight.painted(networks, image, before, ~fill & ~garment, hidden, pose, unit, tone, lit)}
        outlines = {cls: limb.outlined() for cls, limb in anew.items()}
        found = [(cls, (outlines[cls][0] + 0.5) / stretch - 0.5, outlines[cls][1] / stretch[1]) if cls in anew else (cls, *piece) for cls, *piece in found]
    else:
        anew = {}
    whole, bare = found, out_of_sleeves(found, garment_s, fill_s)
    sleeved = {cls for cls, points, _ in found} - {cls for cls, points, _ in bare if len(points) > STEPS}
    bare, creases = with_ends(bare, whole, scaled, small_unit, before_s, ~known)
    if allowed[S.LEGWEAR] and not allowed[[S.LEFT_LEG, S.RIGHT_LEG, *HANGS]].any():
        bare = [(S.LEGWEAR if cls in (S.LEFT_LEG, S.RIGHT_LEG) else cls, *piece) for cls, *piece in bare]  # in tights
    found = [*bare, *trousers(found, before_s, ~known), *shoulders(scaled, small_unit, fill_s, sleeved), *throat(scaled, small_unit, fill_s)]
    layout_s = logits.copy()
    bounded(layout_s, np.arange(len(allowed)), found, allowed, scaled, small_unit)
    behind_hair = beside_hair(fill_s, np.where(garment_s, S.UPPER, before_s), scaled, small_unit) & allowed[S.HAIR]
    layout_s[S.BACKGROUND][behind_hair] = -1e4
    layout_s = layout_s.argmax(0)
    out, painted, light = layout.copy(), image.astype(np.float32), np.zeros((h, w, 1), np.float32)
    with ThreadPoolExecutor(1) as aside:  # the layout is brought up while the network finds its colours
        if networks.generator is not None and twice:
            second = aside.submit(look, layout_s == np.arange(len(allowed))[:, None, None], coarse=True)
        if fill_s.any():
            # Outside the fill the logits mean nothing: they are carried over its border before they are enlarged.
            classes = np.unique(np.concatenate((logits.argmax(0)[fill_s], layout_s[fill_s])))
            logits = spread(logits[classes].transpose(1, 2, 0), fill_s)
            box = y0, y1, x0, x1 = box_of(fill)
            window = np.s_[y0:y1, x0:x1]
            label = np.stack([zoom(np.ascontiguousarray(logits[..., i]), fill.shape, box) for i in range(len(classes))])
            within = lambda p: (p + 0.5) * stretch - 0.5 - (x0, y0)
            moved = pose.copy()
            moved[:, :2] -= (x0, y0)
            bounded(label, classes, [(cls, within(points), radii * stretch[1]) for cls, points, radii in found], allowed, moved, unit)
            label[classes == S.BACKGROUND] -= 1e4 * (zoom(behind_hair, fill.shape, box) > 0.5)
            label = without_crevices(classes[label.argmax(0)], fill[window], layout[window], max(1, round(h / THIN)))
            out[window][fill[window]] = label[fill[window]]
            relieved = relief(whole, scaled, np.where(fill_s, layout_s, np.where(known, before_s, S.BACKGROUND)), lit)
            flat = image_s / relieved[..., None] ** shade.SKIN
            clear = distance_to(~known) > SHADOW
            around = _told(image_s, flat, known, clear, before_s, tone, np.where(fill_s, layout_s, S.BACKGROUND), small_unit)
            ground, moves = _ground(image_s, known, before_s, fill_s & grown(layout_s == S.BACKGROUND, 2))
            around |= {S.BACKGROUND: ground} if ground is not None else {}
            prints = printed(image_s, known, before_s, layout_s, fill_s)
            falls = shade.limbs(out, fill, unit, lit, box, set(shade.LIMBS) - {cls for cls, *_ in whole})
            bare_limbs = [cls for cls, *_ in whole]
            mine, here = np.isin(label, bare_limbs), fill_s & np.isin(layout_s, bare_limbs)
            mine &= ~np.isin(label, list(anew))
            if here.any() and mine.any():
                falls[mine] *= zoom(spread(relieved[..., None], here), fill.shape, box)[mine][:, None] ** shade.SKIN
            shade.meet(falls, label, unit)
            shade.crease(falls, label, [(cls, within(points)) for cls, points in creases], unit)
            grain = _grain(image, out, before, fill, box, h / size[0], {S.BACKGROUND: moves, **prints})
        if networks.generator is not None and twice:
            rgb, alpha, _ = second.result()
    if garment_s.any():
        change = spread((1 - alpha)[..., None] * (rgb - worn_s).mean(2, keepdims=True), garment_s)
        light = cv2.resize(np.clip(change, -LIGHT, LIGHT).astype(np.float32), (w, h), interpolation=cv2.INTER_LINEAR)[..., None]
    if fill_s.any():
        colours = {g: _colours(rgb, around.get(g), flat if g == S.FACE else image_s, fill_s & (GROUP[layout_s] == g), known & (GROUP[before_s] == g), g, clear) for g in np.unique(GROUP[label])}
        painted[window] = _bring_up(colours, falls, label, fill.shape, box, soft, anew, grown(fill[window], 2)) + grain
    return out, painted, light


def guess(image: np.ndarray, known: np.ndarray, before: np.ndarray, pose: np.ndarray, unit: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What the photo alone tells, in the place and form of Networks.generate: every place is of the nearest class, the limbs' bones being known as
    well as what is seen, and has the colours around it; alpha is 1."""
    logits = np.full((len(S.PARSE_CLASSES), *known.shape), -1e3, np.float32)
    for cls in {*np.unique(before[known]).tolist(), *BONES}:
        seen = (known & (before == cls)).astype(np.uint8)
        joints = BONES.get(cls, ())
        for a, b in zip(joints, joints[1:]):
            if pose[[a, b], 2].all():
                cv2.line(seen, *(tuple(int(v) for v in np.rint(pose[j, :2])) for j in (a, b)), 1, max(1, round(GUESS[cls] * unit)))
        if seen.any():
            logits[cls] = -cv2.distanceTransform(1 - seen, cv2.DIST_L2, 5)
    return spread(image.astype(np.float32), known), np.ones(known.shape, np.float32), logits


def bounded(logits: np.ndarray, classes: np.ndarray, found: list[tuple[int, np.ndarray, np.ndarray]], allowed: np.ndarray, pose: np.ndarray, unit: float) -> None:
    """Keep limbs and neck to where they can be, in place: logits K x H x W of ``classes``; found: class, points and half widths of limbs and of what is
    around bones besides (tryon.limbs), pose 18x3 and unit (torso length), in pixels of the logits; allowed: bool per class."""
    where, shape = {cls: i for i, cls in enumerate(classes)}, logits.shape[1:]
    neck, top = pose[S.NECK_JOINT, :2], head(pose)
    if S.NECK in where and pose[S.NECK_JOINT, 2] and top is not None:
        logits[where[S.NECK]][beside_neck(shape, neck, top, unit, SLIM) | above_shoulders(shape, neck, unit)] = -1e4
    hips = [S.R_HIP, S.L_HIP]
    if S.BACKGROUND in where and pose[[S.NECK_JOINT, *hips], 2].all():  # no ground is seen through a body
        trunk = np.array(TRUNK[:2])[:, None] * (pose[hips, :2].mean(0) - neck) + neck
        logits[where[S.BACKGROUND]][capsule(shape, trunk, np.full(2, TRUNK[2] * np.linalg.norm(np.ptp(pose[hips, :2], 0))))] = -1e4
    for cls in {cls for cls, *_ in found} & {*HIDES, S.LEGWEAR} & set(where):
        inside = np.zeros(shape, bool)
        for points, radii in (piece for mine, *piece in found if mine == cls):
            end = points[-1] + 0.25 * (points[-1] - points[len(points) // 2])
            inside |= capsule(shape, np.vstack((points, end)), WIDER * np.append(radii, radii[-1]))
        logits[where[cls]][~inside] = -1e4
    for cls, points, radii in found:
        if cls not in where:
            continue
        if cls == S.LOWER and allowed[cls]:  # of the other leg, too: between them trousers are as low as the seat
            legs = [(p, r) for c, p, r in found if c == cls]
            seat = np.vstack([p[0] + t * (p[0] - p[FROM[S.LEFT_LEG]]) for t in (-1, 0, 1, 2) for p, _ in legs])
            inside = np.any([capsule(shape, p, r) for p, r in legs] + [capsule(shape, seat, np.full(len(seat), legs[0][1][0]))], 0)
            logits[where[cls]][~inside] = -1e4
        first = max(0, FROM.get(cls, 0) + len(points) - STEPS - 1)
        if allowed[cls] and not allowed[list(HIDES.get(cls, SLEEVES if cls == S.NECK else ()))].any():
            logits[where[cls]][capsule(shape, points[first:], radii[first:])] += FRONT[cls]
        elif allowed[cls] and cls in HIDES and S.BACKGROUND in where:  # in a sleeve or bare, but there
            logits[where[S.BACKGROUND]][capsule(shape, points[first:], NARROW * radii[first:])] = -1e4


def above(cloth: np.ndarray) -> np.ndarray:
    """Bool h x w: what is higher than the lowest of ``cloth`` (bool h x w) in its column, but for specks of it."""
    cloth = cv2.morphologyEx(cloth.view(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)).view(bool)
    return np.logical_or.accumulate(cloth[::-1], 0)[::-1]


def beside_hair(fill: np.ndarray, layout: np.ndarray, pose: np.ndarray, unit: float) -> np.ndarray:
    """Bool h x w: where in ``fill`` (bool h x w) no ground is seen, as it lies between neck and hair of a ``layout`` (h x w ids, not looked at in fill),
    which hangs beside and behind it. pose 18x3; unit: torso length in pixels."""
    out, top = np.zeros_like(fill), head(pose)
    if top is None or not pose[S.NECK_JOINT, 2]:
        return out
    neck, reach = pose[S.NECK_JOINT, :2], int(BEHIND * unit)
    for y in range(max(0, int(top[1])), min(len(fill), int(neck[1]))):
        x = int(round(np.interp(y, (top[1], neck[1]), (top[0], neck[0]))))
        for step in (-1, 1):
            xs = x + step * np.arange(reach)
            xs = xs[(xs >= 0) & (xs < fill.shape[1])]
            through = fill[y, xs] | np.isin(layout[y, xs], (S.NECK, S.FACE))
            end = int(np.argmin(through)) if not through.all() else len(xs)
            if end < len(xs) and layout[y, xs[end]] == S.HAIR:
                out[y, xs[:end]] = True
    return out & fill


def without_crevices(label: np.ndarray, fill: np.ndarray, layout: np.ndarray, radius: int) -> np.ndarray:
    """``label`` without ground in ``fill`` that is no wider than twice ``radius`` pixels, such as between an arm and a garment: it is of what lies beside it in
    fill, if anything does. Outside of fill ``layout`` tells what is ground, and label is that of the nearest place in it: soft edges show no more than it. HxW,
    fill bool."""
    ground = np.where(fill, label, layout) == S.BACKGROUND
    wide = cv2.morphologyEx(ground.view(np.uint8), cv2.MORPH_OPEN, np.ones((2 * radius + 1,) * 2, np.uint8)).view(bool)
    solid = fill & (~ground | grown(wide, radius))
    if not solid.any():
        return label
    return np.where(fill & (distance_to(solid) > 2 * radius + 1), label, label[closest(solid)])


def zoom(a: np.ndarray, shape: tuple[int, int], box: tuple[int, int, int, int]) -> np.ndarray:
    """The part ``box`` of ``a`` enlarged to ``shape``, bilinear."""
    y0, y1, x0, x1 = box
    fy, fx = a.shape[0] / shape[0], a.shape[1] / shape[1]
    m = np.array(((fx, 0, (x0 + 0.5) * fx - 0.5), (0, fy, (y0 + 0.5) * fy - 0.5)))
    return cv2.warpAffine(a.astype(np.float32), m, (x1 - x0, y1 - y0), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE)


def _told(image: np.ndarray, flat: np.ndarray, known: np.ndarray, clear: np.ndarray, before: np.ndarray, tone: np.ndarray, layout: np.ndarray, unit: float) -> dict[int, np.ndarray]:
    """What the photo tells of skin and cloth, carried into the fill: group -> h x w x 3. Skin is the nearest skin - of arms, hands - and, farther
    away, the tone of all that is well lit, on a neck (of the fill's ``layout``, h x w ids) soon so, and as dark as the chin's shadow makes it; cloth goes
    on as it is seen where it is ``clear`` (bool h x w) of the shadow of what was taken off. flat: the image with limbs as if no light came from anywhere (``relief``); unit: torso length in pixels."""
    out = {}
    deep = lambda mask: cv2.erode(mask.view(np.uint8), np.ones((3, 3), np.uint8)).view(bool)
    skin = known & (GROUP[before] == S.FACE)
    skin = deep(skin) if deep(skin).sum() >= 12 else skin
    alike = lambda colour, expected: np.clip(colour / np.maximum(expected, 1), 1 - UNLIKE, 1 + UNLIKE)
    soft = lambda *classes: cv2.GaussianBlur(np.isin(layout, classes).astype(np.float32), (0, 0), 2)[..., None]
    if tone.any():
        near, hands = np.zeros((*skin.shape, 1)), known & np.isin(before, S.ARMS)
        hands = deep(hands) if deep(hands).sum() >= 12 else hands
        below, beside = (distance_to(known & (before == cls)) / unit for cls in (S.FACE, S.HAIR))
        if skin.sum() >= 12:
            away = cv2.distanceTransform((~skin).astype(np.uint8), cv2.DIST_L2, 3)[..., None]
            neck, arms = soft(S.NECK), soft(*S.ARMS)
            near = (1 - neck) * (0.5 + 0.5 * np.exp(-(away / 30) ** 2)) + neck * np.exp(-away / 12)
            near = (1 - arms) * near + arms * np.exp(-(away / MEETING) ** 2)
            usual = ARMS[0 if hands.sum() >= 12 else 1]
            most = max(BRIGHTEST / float(tone.max()), 0.95)  # skin is no glare
            light = (np.minimum(np.interp(below, *NECK), most) * np.interp(beside, *HAIR))[..., None] ** shade.SKIN
            plain = tone * (1 + (np.minimum(usual, most) - 1) * arms) * (1 + neck * (light - 1))
            if hands.sum() >= 12 and arms.any():
                share = arms * (OF_HANDS + (1 - OF_HANDS) * np.exp(-(distance_to(hands)[..., None] / 30) ** 2))
                plain = plain * (1 + share * (alike(spread(flat, hands, NEAREST), plain) - 1))
        else:
            plain = tone
        nearest = plain * alike(spread(flat, skin, NEAREST), plain) if near.any() else plain
        out[S.FACE] = near * nearest + (1 - near) * plain
        legs = soft(S.LEFT_LEG, S.RIGHT_LEG)
        if legs.any():
            seen = deep(skin & np.isin(before, (S.LEFT_LEG, S.RIGHT_LEG)))
            out[S.FACE] += legs * ((spread(flat, seen, NEAREST) if seen.sum() > SHOWN * unit ** 2 else tone * LEGS) - out[S.FACE])
    for group in CLOTH:
        seen = beyond_shadow(known & (before == group), clear)
        if seen.sum() >= 30:
            out[group] = spread(image.astype(np.float32), seen)
    return out


def beyond_shadow(seen: np.ndarray, clear: np.ndarray) -> np.ndarray:
    """What is ``seen`` of some cloth (bool h x w) without its outermost pixels, which are mixed with what lay beside it, and, as far as enough is left, without
    its hem, and alone what is ``clear`` (bool h x w) of the shadow of what was taken off. Columns no longer than that shadow are hem."""
    inner = cv2.erode(seen.view(np.uint8), np.ones((3, 3), np.uint8)).view(bool)
    count = inner.sum(0)
    plain = inner & (np.cumsum(inner, 0) <= HEMMED * count) & (count > SHADOW)
    inner = plain if plain.sum() >= LIT * max(int(inner.sum()), 1) else inner
    beyond = inner & clear
    return beyond if beyond.sum() >= LIT * max(int(inner.sum()), 1) else inner


def _ground(image: np.ndarray, known: np.ndarray, before: np.ndarray, hole: np.ndarray) -> tuple[np.ndarray | None, tuple[np.ndarray, np.ndarray] | None]:
    """What the photo tells of the ground in ``hole`` (bool h x w), h x w x 3, and where it comes from (tryon.inpaint.fill): patches of the ground around the
    person, or where there is too little of that its colours alone, or nothing."""
    seen = cv2.dilate(((before != S.BACKGROUND) | ~known).view(np.uint8), np.ones((3, 3), np.uint8)) == 0
    if not seen.any():
        return None, None
    smooth = spread(image.astype(np.float32), seen, NEAREST)
    found = inpaint.fill(image, smooth, seen, hole)
    return (smooth, None) if found is None else (np.where(hole[..., None], met(found[0], image, seen, hole), smooth), found[1:])


def met(filled: np.ndarray, image: np.ndarray, seen: np.ndarray, hole: np.ndarray) -> np.ndarray:
    """``filled`` (h x w x 3, of which ``hole`` is made of patches of what is ``seen`` elsewhere, bool h x w) in the light of the ground beside it: a shadow
    that the person cast on what is seen goes on over its border and fades."""
    mean = lambda a, where: cv2.blur(cv2.copyTo(a.astype(np.float32), where.view(np.uint8)), (7, 7)) / thrice(np.maximum(cv2.blur(where.astype(np.float32), (7, 7)), 1e-3))
    away = distance_to(seen)
    band = hole & (away <= 4)
    enough = lambda where: cv2.blur(where.astype(np.float32), (7, 7)) > 0.1
    known = band & enough(seen) & enough(band)
    if not known.any():
        return filled
    off = mean(image, seen) - mean(filled, band)
    off = np.sign(off) * np.clip(np.abs(off) - FAINT, 0, CAST)
    return filled + spread(off, known) * np.exp(-away / FAR)[..., None]


def printed(image: np.ndarray, known: np.ndarray, before: np.ndarray, layout: np.ndarray, fill: np.ndarray) -> dict[int, tuple[np.ndarray, np.ndarray]]:
    """Where cloth with a print that goes on in the fill (bool h x w) of a ``layout`` (h x w ids) comes from (tryon.inpaint.shift), by class."""
    out, grey = {}, image.astype(np.float32).mean(2)
    for cls in CLOTH:
        hole, there = fill & (layout == cls), known & (before == cls)
        seen = cv2.erode(there.view(np.uint8), np.ones((9, 9), np.uint8)).view(bool)  # without its hem
        if min(hole.sum(), seen.sum()) < PRINTED[0] * hole.size:
            continue
        mean, square = (cv2.blur(a, (11, 11))[seen] for a in (grey, grey * grey))
        if np.percentile(np.sqrt(np.maximum(square - mean * mean, 0)), 25) > PRINTED[1]:  # almost everywhere
            out[cls] = inpaint.shift(image, seen, fill & grown(layout == cls, 2))
    return out


def _colours(rgb: np.ndarray, told: np.ndarray | None, image: np.ndarray, mine: np.ndarray, seen: np.ndarray, group: int, clear: np.ndarray) -> np.ndarray:
    """Colours h x w x 3 for what is painted of a group (``mine``, bool h x w): what the network and what the photo tells, skin in the colours around it;
    shifted so that they meet the photo where it shows the same kind of thing (``seen``), which fades away from there."""
    share = 1.0 if told is None else TRUST[group]
    out = spread(rgb.astype(np.float32), core(mine)) if share and mine.any() else rgb.astype(np.float32)
    if told is not None:  # what the network says of light, in the colours around
        out = told + share * (out - rgb[mine].mean(0)) if share and mine.any() else told
    inner = beyond_shadow(seen, clear) if group in CLOTH else cv2.erode(seen.view(np.uint8), np.ones((3, 3), np.uint8)).view(bool)
    reach = SHADOW * (4 if group in CLOTH else 2) + 1
    ring = inner & cv2.dilate(mine.view(np.uint8), np.ones((reach, reach), np.uint8)).view(bool)
    if ring.any():
        distance = cv2.distanceTransform((~ring).astype(np.uint8), cv2.DIST_L2, 3)
        out = out + spread(np.clip(image - out, -60, 60), ring) * np.exp(-distance / 10)[..., None]
    return out


def relief(found: list[tuple[int, np.ndarray, np.ndarray]], pose: np.ndarray, layout: np.ndarray, light: np.ndarray) -> np.ndarray:
    """What the light makes of bare limbs (tryon.shade.on_limb): a factor float32 h x w, 1 elsewhere. found (tryon.limbs.limbs), pose 18x3 and layout (ids) at
    one size; light: that on the face (tryon.shade.lit_from)."""
    out, middle = np.ones(layout.shape, np.float32), pose[pose[:, 2] > 0][:, 0].mean()
    for cls, line, radii in found:
        ys, xs = np.nonzero(layout == cls)
        if len(ys):
            joint = int(np.linalg.norm(line - pose[BONES[cls][1], :2], axis=1).argmin())
            out[ys, xs] = shade.on_limb(np.stack((xs, ys), 1).astype(float), line, radii, max(joint, 1), 1 if line[0, 0] > middle else -1, cls in S.ARMS, light)
    return out


def core(mask: np.ndarray) -> np.ndarray:
    """A mask (bool h x w) without its outermost two pixels, where the network's colours are mixed with those beside; of what is thin the middle stays."""
    deep, less = shrunk(mask, 2), shrunk(mask, 1)
    deep |= less & ~grown(deep, 4)
    return deep | mask & ~grown(deep, 4)


def _bring_up(colours: dict[int, np.ndarray], light: np.ndarray, wanted: np.ndarray, shape, box, soft: float, limbs: dict[int, straight.Painted],
              near: np.ndarray) -> np.ndarray:
    """Colours of ``box`` at full resolution: each pixel takes those of its own kind only (group -> h x w x 3), skin in the ``light`` (a factor h x w x 3) that
    falls on it, and edges between kinds are a little soft, by a blur of ``soft`` pixels; they are those of a blur twice as wide, twice as steep, so that
    the steps of the pixels of ``wanted`` are not seen."""
    out, total, sigma = np.zeros((*wanted.shape, 3), np.float32), np.zeros(wanted.shape, np.float32), 2 * max(soft, shape[0] / 900)
    for group, colour in colours.items():
        mine = GROUP[wanted] == group
        alpha, colour = cv2.GaussianBlur(mine.astype(np.float32), (0, 0), sigma), zoom(colour, shape, box)
        if group == S.FACE:  # what shows of it in the pixels beside it has its light and colours, too
            for cls, limb in limbs.items():
                ys, xs = np.nonzero(near & (wanted == cls))
                colour[ys, xs] = limb.at(np.stack((xs + box[2], ys + box[0]), 1))
            colour = cv2.copyTo(colour * light, mine.view(np.uint8))
            beside = cv2.GaussianBlur(colour, (0, 0), sigma) / thrice(np.maximum(alpha, 1e-3))
            colour = cv2.copyTo(colour, mine.view(np.uint8), beside)
        alpha *= alpha
        out += colour * thrice(alpha)
        total += alpha
    return out / thrice(total)


def _grain(image: np.ndarray, layout: np.ndarray, before: np.ndarray, fill: np.ndarray, box, scale: float, moves) -> np.ndarray:
    """Fine detail for what was painted: that of the photo on the other side of the nearest border with the same kind of thing; on skin, where
    it would bring fingers and eyes along, noise as strong as the photo's; of ground and prints what the ``moves`` of their group (tryon.inpaint) bring, if there are any."""
    y0, y1, x0, x1 = box
    h, w = fill.shape
    out = np.zeros((y1 - y0, x1 - x0, 3), np.float32)
    kernel, smooth = np.ones((2 * max(1, round(scale)) + 1,) * 2, np.uint8), None
    for group in np.unique(GROUP[layout[fill]]):
        todo = fill & (GROUP[layout] == group)
        if todo.sum() < SLIVER * fill.sum():  # hardly any, and mostly a rim that goes over into the photo
            continue
        source = cv2.erode(((GROUP[before] == group) & ~fill).astype(np.uint8), kernel) > 0
        if source.sum() < 50:
            continue
        if group in HANGS:
            ty, tx, my, mx = folded(source, todo, round(6 * scale))
            detail, mine = np.zeros_like(out), todo[y0:y1, x0:x1]
            if len(ty):
                reach = round(FOLD * scale)
                top, left = max(0, my.min() - reach), mx.min()
                near = np.s_[top:my.max() + reach + 1, left:mx.max() + 1]
                fine = np.clip(image[near] - _mean(image, source, FOLD * scale)[near], -CREASE, CREASE)
                detail[ty - y0, tx - x0] = upright(fine, source[near], reach)[my - top, mx - left]
                out[mine] = cv2.GaussianBlur(detail, (0, 0), 0.6 * scale)[mine]
        if group in moves:
            if moves[group]:
                ty, tx, my, mx = copied(moves[group], source, todo)
                out[ty - y0, tx - x0] = image[my, mx] - _mean(image, source, (COARSER if group == S.BACKGROUND else PRINT) * scale)[my, mx]
                out = cv2.copyTo(feathered(out, (ty - y0, tx - x0), (my - ty, mx - tx), scale), np.ascontiguousarray(todo[y0:y1, x0:x1]).view(np.uint8), out)
            continue
        if smooth is None:
            smooth = cv2.GaussianBlur(image, (0, 0), max(1.0, 0.8 * scale))
        fine = lambda where: image[where].astype(np.float32) - smooth[where]
        if group == S.FACE:
            strength = min(0.35 * float(np.median(np.abs(fine(source)))), NOISE)
            out[todo[y0:y1, x0:x1]] = np.random.default_rng(0).normal(0, strength, (int(todo.sum()), 1))
            continue
        ty, tx, my, mx = mirrored(source, todo)
        out[ty - y0, tx - x0] += np.clip(fine((my, mx)), -WEAVE, WEAVE)
    return out


def upright(detail: np.ndarray, source: np.ndarray, reach: int) -> np.ndarray:
    """What of a detail float32 HxWx3 of ``source`` (bool HxW) goes on for about ``reach`` pixels upwards and downwards: folds, but no hems and rips."""
    blur = lambda a: cv2.blur(a.astype(np.float32), (1, 2 * reach + 1))
    return blur(cv2.copyTo(detail, source.view(np.uint8))) / thrice(np.maximum(blur(source), 1e-3))


def folded(source: np.ndarray, todo: np.ndarray, least: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """y and x of the pixels of ``todo`` above those of ``source`` (bool HxW each) and y and x of pixels of it that may go on there, as folds of skirts and creases of
    trousers go on upwards: those of the same column, as in mirrors at its upper end and at HEMMED of its length; beside all columns that are at least
    ``least`` pixels long as in mirrors at the outermost of them."""
    ty, tx = np.nonzero(todo)
    count, top = source.sum(0), source.argmax(0)
    columns = np.flatnonzero(count >= max(least, 2))
    if not len(ty) or len(columns) < 2:
        return (np.zeros(0, int),) * 4
    reflect = lambda at, length: np.where(at % (2 * length) < length, at % (2 * length), 2 * length - 1 - at % (2 * length))
    inside = columns[0] + reflect(np.arange(source.shape[1]) - columns[0], int(np.ptp(columns)) + 1)
    column = columns[np.abs(inside[:, None] - columns).argmin(1)][tx]
    above = top[column] - 1 - ty
    my = top[column] + reflect(above, np.maximum((HEMMED * count).astype(int), 1)[column])
    there = above >= 0
    there[there] = source[my[there], column[there]]
    return ty[there], tx[there], my[there], column[there]


def feathered(detail: np.ndarray, at: tuple[np.ndarray, np.ndarray], moves: tuple[np.ndarray, np.ndarray], scale: float) -> np.ndarray:
    """Detail HxWx3 blurred where pieces meet that come from places farther apart than SEAM: the pixels ``at`` (y, x) were moved by ``moves`` (dy, dx)."""
    seam, kernel = np.zeros(detail.shape[:2], bool), np.ones((3, 3), np.uint8)
    for move in moves:
        which = np.full(seam.shape, 1e4, np.float32)
        which[at] = move
        seam |= cv2.morphologyEx(which, cv2.MORPH_GRADIENT, kernel) > SEAM * scale
    share = thrice(np.clip(3 * cv2.GaussianBlur(seam.astype(np.float32), (0, 0), 1.2 * scale), 0, 1))
    return detail * (1 - share) + cv2.GaussianBlur(detail, (0, 0), 1.5 * scale) * share


def _mean(image: np.ndarray, source: np.ndarray, sigma: float) -> np.ndarray:
    """The mean of ``source`` (bool HxW) of an image HxWx3 within about ``sigma`` pixels of each pixel: float32 HxWx3."""
    step, (h, w) = max(1, int(sigma / 1.5)), source.shape
    size = max(1, w // step), max(1, h // step)
    blur = lambda a: cv2.GaussianBlur(cv2.resize(a.astype(np.float32), size, interpolation=cv2.INTER_AREA), (0, 0), max(1.0, sigma / step))
    mean = blur(cv2.copyTo(image, source.view(np.uint8))) / thrice(np.maximum(blur(source), 1e-3))
    return cv2.resize(mean, (w, h), interpolation=cv2.INTER_LINEAR)


def copied(moves: tuple[np.ndarray, np.ndarray], source: np.ndarray, todo: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """y and x of the pixels of ``todo`` (bool HxW), and y and x of the pixels of ``source`` that ``moves`` (tryon.inpaint.fill, worked out at any size)
    send there."""
    ty, tx = np.nonzero(todo)
    rows, columns = (n / m for n, m in zip(todo.shape, moves[0].shape))
    at = (ty / rows).astype(int), (tx / columns).astype(int)
    my, mx = ty + np.rint(rows * moves[0][at]).astype(int), tx + np.rint(columns * moves[1][at]).astype(int)
    inside = (my >= 0) & (my < todo.shape[0]) & (mx >= 0) & (mx < todo.shape[1])
    inside[inside] = source[my[inside], mx[inside]]
    return ty[inside], tx[inside], my[inside], mx[inside]


def mirrored(source: np.ndarray, todo: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """y and x of the pixels of ``todo`` whose reflection across the nearest pixel of ``source`` (bool HxW each) falls into it, and y and x of
    that reflection."""
    h, w = source.shape
    ty, tx = np.nonzero(todo)
    near_y, near_x = (a[ty, tx] for a in closest(source))
    my, mx = 2 * near_y - ty, 2 * near_x - tx
    inside = (my >= 0) & (my < h) & (mx >= 0) & (mx < w)
    inside[inside] = source[my[inside], mx[inside]]
    return ty[inside], tx[inside], my[inside], mx[inside]
