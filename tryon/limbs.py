"""Limbs: where bare arms and legs lie around their bones, and how thick they are."""
from collections.abc import Iterable, Iterator

import cv2
import numpy as np

from tryon import schema as S
from tryon.body import SHIN, THIGH
from tryon.masks import runs

BONES = {S.LEFT_ARM: (S.L_SHOULDER, S.L_ELBOW, S.L_WRIST), S.RIGHT_ARM: (S.R_SHOULDER, S.R_ELBOW, S.R_WRIST),
         S.LEFT_LEG: (S.L_HIP, S.L_KNEE, S.L_ANKLE), S.RIGHT_LEG: (S.R_HIP, S.R_KNEE, S.R_ANKLE)}
# Half of a limb's width in torso lengths, at so many bones from its first joint.
ARM = np.array(((0, 0.09), (0.35, 0.076), (0.9, 0.062), (1.25, 0.066), (1.9, 0.046), (2, 0.046), (2.15, 0.058), (2.3, 0.058), (2.4, 0.045)))  # and a hand
# Legs are measured on 500 bare ones of CCP's train split, medians: so are CALVES, how far the middle of a leg lies outside of its bones, in torso lengths.
LEG = np.array(((0, 0.17), (0.5, 0.137), (0.75, 0.115), (1, 0.1), (1.1, 0.097), (1.28, 0.101), (1.45, 0.093), (1.65, 0.075), (1.85, 0.058), (2, 0.058)))
CALVES = np.array(((0.7, 0), (0.9, -0.005), (1, 0), (1.1, 0.009), (1.25, 0.018), (1.65, 0.019), (1.85, 0.013), (2, 0.004), (2.1, 0)))
APART, KNEES = 0.17, 0.2  # torso lengths between a hip and the middle of both, from the front; and so much of that a knee is nearer to it: medians
SHOULDERS = (0.1, 0.11, 0.09)  # torso lengths: the base of the neck above the joints, its half width, that of the shoulder
# The outline of bare shoulders, medians of CCP's train split: so high above the joints at 0.32 torso lengths from the middle, so much higher per length
# inwards, and beside the neck by so much more, which is gone within so many.
OUTLINE, FLARE = (0.09, 0.32, 0.42), (0.04, 0.03)
NAPE = 0.16  # torso lengths above the joints: from where on there is nothing beside a neck
THROAT = 0.13  # torso lengths: the most that half a neck is wide
CORE, SLIM = 0.1, 0.112  # torso lengths: half of what surely is neck, and the most of it that is painted
ARMPIT = 0.22  # torso lengths below the shoulder
ANKLE = 0.12  # of the shin: how far a leg goes on below the joint, into the shoe
REACH = 0.55  # of its greatest half width: how far off its bones a limb may show
BORDER = 1.5  # pixels beside a limb in which nothing may hide it, for its width to be told
FOREARM = 0.35  # torso lengths from an elbow: skin beyond it is no hand that was taken for one
HAND = 0.4  # of the forearm: a hand that hangs
# A hand that hangs, as 477 of CCP's train split do in the median: palm, fingers from the first to the last and thumb, by their middle (torso lengths from the wrist
# along the forearm, and towards the body) and half width; and where the creases between them are.
PALM = np.array(((0, 0, 0.046), (0.05, 0.002, 0.05), (0.12, 0.006, 0.053)))
FINGERS = tuple(np.array(rows) for rows in (
    ((0.12, 0.036, 0.02), (0.18, 0.046, 0.019), (0.232, 0.042, 0.015)), ((0.12, 0.014, 0.02), (0.195, 0.026, 0.019), (0.255, 0.03, 0.015)),
    ((0.12, -0.01, 0.02), (0.19, 0.004, 0.018), (0.245, 0.014, 0.014)), ((0.12, -0.03, 0.018), (0.175, -0.018, 0.017), (0.218, -0.003, 0.013))))
THUMB = np.array(((0.02, 0.025, 0.026), (0.08, 0.058, 0.022), (0.13, 0.073, 0.018), (0.165, 0.074, 0.014)))
FOOT = (np.array(((0, 0, 0.055), (0.06, -0.012, 0.052), (0.125, -0.035, 0.06), (0.145, -0.042, 0.057))), np.array(((0.15, -0.01, 0.03), (0.178, -0.012, 0.026))))  # and its first toe
CREASES = tuple(np.array(rows) for rows in (((0.085, 0.03), (0.13, 0.05), (0.165, 0.06)), ((0.15, 0.03), (0.19, 0.036), (0.24, 0.038)), ((0.15, 0.006), (0.2, 0.016), (0.25, 0.022)),
                                            ((0.15, -0.016), (0.19, -0.006), (0.225, 0.004))))
WIDEST = 1.25  # times the usual width
END = 0.9  # of a limb's length: from where on it is a hand or a foot
STEPS = 24  # pieces of a limb
MANY = STEPS / 2  # lines across a limb that tell how thick all of it is
ROUNDER = 1.1  # times those widths: bare arms, median of 92 in CCP's train split
BARE = 0.03  # squared torso lengths: the least of a leg that tells where it is
SKIRT = 1.25  # times as wide as both legs in trousers: what is wider is no trousers
CLOTHED = 0.85, 1.15  # times a leg's width: that of trousers, the least and the usual one


def profile(line: np.ndarray, arm: bool, unit: float, beyond: float = 0.0, outwards: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Points Nx2 along two bones (3x2, in pixels), carried on by ``beyond`` of the second, and half the limb's width at each: N, in pixels. unit:
    torso length in pixels; outwards: of a leg, the direction (x, y) away from the other one, shorter than 1 as far as it is seen from the side."""
    t = np.linspace(0, 2 + beyond, STEPS + 1)[:, None]
    points = np.where(t < 1, line[0] + t * (line[1] - line[0]), line[1] + (t - 1) * (line[2] - line[1]))
    if outwards is not None:
        points = points + np.interp(t, *CALVES.T) * unit * outwards
    return points, np.interp(t[:, 0], *(ARM if arm else LEG).T) * unit


def capsule(shape: tuple[int, int], line: np.ndarray, radii) -> np.ndarray:
    """Bool HxW: the polyline Kx2 thickened by a radius per point, in pixels."""
    out, fine = np.zeros(shape, np.uint8), 16
    fixed = lambda p: np.rint(np.clip(p, -4e3, 2e4) * fine).astype(np.int32)
    line, radii = np.asarray(line, float), np.asarray(radii, float)[:, None]
    along = np.diff(line, axis=0)
    side = np.stack((-along[:, 1], along[:, 0]), 1) / np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-6)
    starts, ends = side * radii[:-1], side * radii[1:]
    for corners in fixed(np.stack((line[:-1] + starts, line[1:] + ends, line[1:] - ends, line[:-1] - starts), 1)):
        cv2.fillConvexPoly(out, corners, 1, cv2.LINE_8, 4)
    for centre, radius in zip(fixed(line).tolist(), radii[:, 0].tolist()):
        cv2.circle(out, centre, max(fine, int(radius * fine)), 1, -1, cv2.LINE_8, 4)
    return out.view(bool)


def hand(line: np.ndarray, arm: np.ndarray, unit: float) -> float:
    """How far an arm (3x2, in pixels) goes on beyond its wrist, in forearms: by a closed hand, unless its hand is seen in ``arm`` (bool HxW)."""
    reach = line[1:] + np.array((1, 0.35))[:, None] * (line[2] - line[1])
    return 0.0 if (arm & capsule(arm.shape, reach, np.full(2, 0.12 * unit))).sum() > 0.004 * unit * unit else HAND


def placed(shape: np.ndarray, joint: np.ndarray, along: np.ndarray, inner: np.ndarray, unit: float) -> np.ndarray:
    """Points Nx2 of a part of a hand or foot (Nx2 or more: along the limb, towards the body, in torso lengths) at a ``joint`` (x, y); along and inner: unit vectors."""
    return joint + unit * (shape[:, :1] * along + shape[:, 1:2] * inner)


def footless(cls: int, pose: np.ndarray, unit: float, parse: np.ndarray, hidden: np.ndarray) -> bool:
    """Whether a leg's ankle is known (pose 18x3) and nothing is seen of its foot in the parse (HxW ids), as it is ``hidden`` (HxW bool). unit in pixels."""
    x, y, known = pose[BONES[cls][2]]
    if not known or not (0 <= x < parse.shape[1] and 0 <= y < parse.shape[0]) or not at(hidden, pose[None, BONES[cls][2], :2])[0]:
        return False
    foot = np.isin(parse, (S.SHOES, S.LEGWEAR, cls)) & ~hidden
    return (foot & capsule(parse.shape, np.array(((x, y), (x, y + 0.2 * unit))), np.full(2, 0.2 * unit))).sum() < 0.003 * unit * unit


def with_ends(found: Iterable[tuple[int, np.ndarray, np.ndarray]], whole: Iterable[tuple[int, np.ndarray, np.ndarray]], pose: np.ndarray, unit: float,
              parse: np.ndarray, hidden: np.ndarray) -> tuple[list[tuple[int, np.ndarray, np.ndarray]], list[tuple[int, np.ndarray]]]:
    """Those limbs of ``whole`` (as ``limbs`` gives them) that are found out of sleeves (``out_of_sleeves``), with a hand or a foot, in further pieces of the same
    form, where none is seen; and the creases between its fingers: class and points Nx2. A thumb is on the side of the body, or above; toes point away from it.
    pose 18x3, unit in pixels; parse HxW ids; hidden HxW bool."""
    out, creases, middle = [], [], pose[pose[:, 2] > 0][:, 0].mean()
    beyond, of = round(STEPS * HAND / (2 + HAND)), {cls: points for cls, points, _ in whole}  # pieces of an arm that are its hand's
    for cls, points, radii in found:
        joints, arm = list(BONES[cls]), cls in S.ARMS
        if arm and pose[joints, 2].all() and hand(pose[joints, :2], (parse == cls) & ~hidden, unit):
            joint, end = of[cls][-1 - beyond], of[cls][-1]
            along = (end - joint) / max(float(np.linalg.norm(end - joint)), 1e-6)
            if len(points) > beyond + 1:
                out.append((cls, points[:-beyond], radii[:-beyond]))
            parts, lines = (PALM, *FINGERS, THUMB), CREASES
        elif not arm and footless(cls, pose, unit, parse, hidden):
            joint, along, parts, lines = pose[joints[2], :2].astype(float), np.array((0.0, 1)), FOOT, ()
            out.append((cls, points, radii))
        else:
            out.append((cls, points, radii))
            continue
        inner = np.array((along[1], -along[0]))
        inner *= 1 if inner @ (np.sign(middle - joint[0]), -1) >= 0 else -1
        out += [(cls, placed(part, joint, along, inner, unit), part[:, 2] * unit) for part in parts]
        creases += [(cls, placed(line, joint, along, inner, unit)) for line in lines]
    return out, creases


def sections(points: np.ndarray, radii: np.ndarray, seen: np.ndarray, hidden: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """How wide a limb (points and half widths) shows to be on lines across it, two to a piece: where (in pieces from its first point) that is told, half the
    width and the way from its middle there, Kx2, all in pixels. ``seen``: where it shows; ``hidden``: where something is in front of it (bool HxW each), which
    tells nothing; nor does what is beyond the picture."""
    where = (np.arange(2 * STEPS) + 0.5) / 2
    piece, part = where.astype(int), where[:, None] % 1
    along = points[piece + 1] - points[piece]
    across = np.stack((-along[:, 1], along[:, 0]), 1) / np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-6)
    usual, step = np.interp(where, np.arange(STEPS + 1), radii), 0.5  # pixels
    longest = 2 * (usual.max() + REACH * radii.max())
    away = np.arange(-longest, longest + step, step)
    x, y = ((points[piece] + part * along)[..., None] + across[..., None] * away).transpose(1, 0, 2)
    column, row = np.rint(x).astype(int), np.rint(y).astype(int)
    inside = (column >= 0) & (column < seen.shape[1]) & (row >= 0) & (row < seen.shape[0])
    row[~inside] = column[~inside] = 0
    mine, covered = seen[row, column] & inside, hidden[row, column] | ~inside
    at, lines = np.arange(len(away)), np.arange(len(where))
    first = np.where(mine, np.abs(away), np.inf).argmin(1)
    before = np.maximum.accumulate(np.where(mine, -1, at), 1)[lines, first]
    after = np.minimum.accumulate(np.where(mine, len(away), at)[:, ::-1], 1)[:, ::-1][lines, first]
    free = np.cumsum(np.pad(covered, ((0, 0), (1, 0))), 1)
    rim = round(BORDER / step)
    beside = lambda a, b: free[lines, np.clip(b, 0, len(away))] - free[lines, np.clip(a, 0, len(away))] == 0
    told = mine.any(1) & beside(before - rim + 1, before + 1) & beside(after, after + rim)
    middle, half = (away[np.maximum(before, 0)] + away[np.minimum(after, len(away) - 1)]) / 2, (after - before - 1) * step / 2
    told &= (np.abs(away[first]) <= usual + REACH * radii.max()) & (half < 2 * usual)
    return where[told], half[told], middle[told, None] * across[told]


def adjusted(points: np.ndarray, radii: np.ndarray, seen: np.ndarray, hidden: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Points and half widths of a limb that go on from what shows of it: as thick as it is there, and through its middle. ``seen``: where the limb
    shows; ``hidden``: where something is in front of it (bool HxW each)."""
    where, half, off = sections(points, radii, seen, hidden)
    share = half / np.interp(where, np.arange(STEPS + 1), radii)
    told = (share > 0.5) & (where > STEPS / 8)
    if told.sum() < 2:
        return points, radii
    where, share, off = where[told], share[told], off[told]
    off *= np.minimum(1, 0.8 * radii.max() / np.maximum(np.linalg.norm(off, axis=1, keepdims=True), 1e-6))
    at = np.arange(STEPS + 1)
    points = points + np.stack([np.interp(at, np.append(0.0, where), np.append(0.0, off[:, k])) for k in (0, 1)], 1)
    # As thick as the nearest line that shows; farther away as all of them, if they are many. At the end there are hands and feet, which tell nothing of that.
    whole = where < END * STEPS
    if not whole.any():
        return points, radii
    where, share = where[whole], share[whole]
    local = np.exp(-np.abs(at[:, None] - where).min(1) / 4)
    usual = 1 + min(1, len(share) / MANY) * (np.median(share) - 1)
    return points, radii * np.clip(np.interp(at, where, share) * local + usual * (1 - local), 0.65, WIDEST)


def into_shoe(ankle: np.ndarray, parse: np.ndarray, hidden: np.ndarray, reach: float) -> np.ndarray | None:
    """Where a leg ends (x and y): in the top of the nearest shoe within ``reach`` pixels, if there is one."""
    ys, xs = np.nonzero((parse == S.SHOES) & ~hidden)
    if not len(xs):
        return None
    away = np.hypot(xs - ankle[0], ys - ankle[1])
    near = away <= away.min() + 0.1 * reach
    return np.array((xs[near].mean(), ys[near].mean())) if away.min() < reach else None


def outside(pose: np.ndarray, hip: int, unit: float) -> np.ndarray:
    """The direction (x, y) from the middle of the hips of an 18x3 pose to one of them, as long as both are apart, at most 1. unit: torso length in pixels."""
    hips = pose[[S.R_HIP, S.L_HIP]]
    away = (pose[hip, :2] - hips[:, :2].mean(0)) / (APART * unit) if hips[:, 2].all() else np.zeros(2)
    return away / max(1.0, float(np.linalg.norm(away)))


def limbs(pose: np.ndarray, unit: float, parse: np.ndarray, hidden: np.ndarray,
          classes: Iterable[int] = tuple(BONES)) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """Limbs of ``classes`` whose joints are known, but for an ankle, which is where the shoe is or below the picture, and a wrist whose hand is seen at the elbow: class,
    points and half widths (``adjusted``). pose 18x3; unit in pixels; parse HxW ids; hidden HxW bool, where the parse tells nothing."""
    for cls, joints in ((cls, BONES[cls]) for cls in classes):
        line, seen, arm = pose[joints, :2].astype(float), pose[joints, 2] > 0, cls in S.ARMS
        if not arm and seen[0] and not seen[1] and line[0, 1] + THIGH * unit >= parse.shape[0]:  # a leg of which the picture ends above the knee
            line[1:], seen[1:] = line[0] + np.array(((0, THIGH), (0, THIGH + SHIN))) * unit - KNEES * APART * unit * outside(pose, joints[0], unit), True
        if not arm and seen[:2].all():
            ankle = line[2] if seen[2] else line[1] + 0.9 * (line[1] - line[0])
            shoe = into_shoe(ankle, parse, hidden, 0.5 * unit)
            if shoe is not None or ankle[1] >= parse.shape[0]:  # a leg that goes on below the picture
                line[2], seen[2] = ankle if shoe is None else shoe, True
        mine = (parse == cls) & ~hidden
        if arm and seen[:2].all() and not seen[2]:  # one that points to the viewer: its elbow was found at the hand
            short, away = np.array((line[0], (line[0] + line[1]) / 2, line[1])), np.linalg.norm(np.argwhere(mine)[:, ::-1] - line[1], axis=1)
            if not hand(short, mine, unit) and (away > FOREARM * unit).sum() < 0.004 * unit * unit:
                line, seen[2] = short, True
        if seen.all():
            points, radii = profile(line, arm, unit, *((hand(line, mine, unit),) if arm else (ANKLE, outside(pose, joints[0], unit))))
            yield cls, *adjusted(points, ROUNDER * radii if arm else radii, mine, hidden)


def bare_legs(pose: np.ndarray, unit: float, parse: np.ndarray) -> dict[int, tuple[np.ndarray, np.ndarray]]:
    """Points and half widths of those legs (``limbs``) of which skin is seen, by class."""
    seen = [cls for cls in (S.LEFT_LEG, S.RIGHT_LEG) if (parse == cls).sum() > BARE * unit ** 2]
    return {cls: found for cls, *found in limbs(pose, unit, parse, np.zeros(parse.shape, bool), seen)} if seen else {}


def head(pose: np.ndarray) -> np.ndarray | None:
    """Where a neck leads to (x, y): between the ears, as a face that is turned looks past it, or to the nose; None where neither is seen. pose 18x3."""
    ears = pose[[S.R_EAR, S.L_EAR]]
    return ears[:, :2].mean(0) if ears[:, 2].all() else pose[S.NOSE, :2] if pose[S.NOSE, 2] else None


def beside_neck(shape: tuple[int, int], neck: np.ndarray, head: np.ndarray, unit: float, half: float = THROAT) -> np.ndarray:
    """Bool HxW: above the shoulders, farther than ``half`` torso lengths from the line between ``neck`` (between the shoulders) and ``head`` (x, y)."""
    above = np.arange(shape[0])[:, None] < neck[1] - NAPE * unit
    return above & ~capsule(shape, np.array((neck, head)), np.full(2, half * unit))


def shoulder_height(away):
    """How high the outline of a bare shoulder is above the joints, so far ``away`` from the middle, both in torso lengths."""
    (height, at, slope), (more, within) = OUTLINE, FLARE
    return height + slope * (at - away) + more * np.exp(-np.maximum(away - THROAT, 0) / within)


def above_shoulders(shape: tuple[int, int], neck: np.ndarray, unit: float) -> np.ndarray:
    """Bool HxW: above the line that falls from the side of a neck over the shoulder, ``neck`` (x, y) being between the shoulders."""
    away = np.abs(np.arange(shape[1])[None] - neck[0]) / unit
    return neck[1] - np.arange(shape[0])[:, None] > unit * np.where(away < THROAT, 1.0, shoulder_height(away))


def at(a: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The pixels of an array HxW nearest to points Nx2; of points beyond it those of its border."""
    return a[tuple(np.clip(np.rint(points).astype(int), 0, np.array(a.shape[::-1]) - 1).T[::-1])]


def out_of_sleeves(found: list[tuple[int, np.ndarray, np.ndarray]], garment: np.ndarray, free: np.ndarray) -> list[tuple[int, np.ndarray, np.ndarray]]:
    """Limbs (as ``limbs`` gives them) without the upper part that a garment (bool HxW) covers: of arms from the shoulder on, of legs down to its hem. free:
    bool HxW, where limbs may come to be seen; what is neither may be hair in front of a sleeve."""
    out, high, middle = [], slice(1, STEPS // 4), slice(STEPS // 4, STEPS // 2)
    for cls, points, radii in found:
        covered, first = at(garment, points), 0
        if cls in S.ARMS and (covered[high].any() or covered[middle].any() and not at(free, points[high]).any()):
            start = int(covered.argmax())
            first = min(int(np.append(covered[start:], False).argmin()) + start, len(points) - 2)  # of one in a long sleeve there is a hand
        elif cls in (S.LEFT_LEG, S.RIGHT_LEG) and covered[middle].any():
            first = int(np.flatnonzero(covered)[-1]) + 1
        if first < len(points) - 1:
            out.append((cls, points[first:], radii[first:]))
    return out


def shoulders(pose: np.ndarray, unit: float, free: np.ndarray, sleeved: set[int]) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """What lies between the neck and those shoulders that come to be seen (are in ``free``, bool HxW), and down to the armpit, in the form of ``limbs``.
    sleeved: arms that are in sleeves."""
    up, neck, end = SHOULDERS
    for arm in S.ARMS:
        joint = BONES[arm][0]
        if arm not in sleeved and pose[[S.NECK_JOINT, joint], 2].all() and at(free, pose[None, joint, :2])[0]:
            middle, shoulder = pose[S.NECK_JOINT, :2], pose[joint, :2]
            yield S.NECK, np.array((middle - (0, up * unit), shoulder)), np.array((neck, end)) * unit
            side = shoulder + 0.2 * (middle - shoulder)
            yield S.NECK, np.array((side, side + (0, ARMPIT * unit))), np.full(2, end) * unit


def throat(pose: np.ndarray, unit: float, free: np.ndarray) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """What surely is neck, from between the shoulders up to the chin, if it comes to be seen (is in ``free``, bool HxW), in the form of ``limbs``."""
    neck, top = pose[S.NECK_JOINT, :2], head(pose)
    if pose[S.NECK_JOINT, 2] and top is not None and at(free, np.linspace(neck, top, 9)).any():
        yield S.NECK, np.array((neck, top)), np.full(2, CORE * unit)


def in_trousers(points: np.ndarray, radii: np.ndarray, other: np.ndarray, parse: np.ndarray, hidden: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A leg (points and half widths) in its trousers, no farther out than their outer edge where that is first seen (the median of three places): as much narrower
    as CLOTHED tells, and if that is not enough nearer to the ``other`` leg (its points), by no more than half its width. parse, hidden: as in ``trousers``."""
    shares, middle = [], np.s_[STEPS // 4:round(END * STEPS)]
    for (x, y), radius, across in zip(np.rint(points[middle]).astype(int), radii[middle], other[middle, 0]):
        side = 1 if x > across else -1
        if 0 <= y < len(parse) and 0 <= x < parse.shape[1] and parse[y, x] == S.LOWER and not hidden[y, x]:
            row, gone = parse[y, x::side], hidden[y, x::side]
            end = int(np.argmin(np.append((row == S.LOWER) & ~gone, False)))
            if end < len(row) and row[end] == S.BACKGROUND and not gone[end]:
                shares.append((end / radius, radius * side))
    if not shares:
        return points, CLOTHED[1] * radii
    share, outwards = np.median(shares[:3], 0)
    return points - (max(0.0, CLOTHED[0] - share) * outwards, 0), float(np.clip(share, *CLOTHED)) * radii


def trousers(found: list[tuple[int, np.ndarray, np.ndarray]], parse: np.ndarray, hidden: np.ndarray) -> list[tuple[int, np.ndarray, np.ndarray]]:
    """Both legs in trousers, in the form of ``limbs`` (which gives ``found``), down to where they are first seen, no farther out than their edge there: nothing if
    one is bare there, or if they seem to be in a skirt: no ground is seen between them, or what close legs are in is wider than both."""
    legs = {cls: (points, radii) for cls, points, radii in found if cls in (S.LEFT_LEG, S.RIGHT_LEG)}
    if len(legs) < 2:
        return []
    out, below = [], np.ones(STEPS + 1, bool)
    for (points, radii), (other, _) in zip(legs.values(), reversed(legs.values())):
        points, radii = in_trousers(points, radii, other, parse, hidden)
        seen, told = ~at(hidden, points), at(parse, points)
        first = int(np.argmax(seen & (np.arange(STEPS + 1) > STEPS // 4)))
        below_it = told[first:][seen[first:] & (told[first:] != S.SHOES)]  # boots tell nothing
        if not first or not len(below_it) or np.mean(below_it == S.LOWER) < 0.5:  # skin may show through holes
            return []
        below &= seen & (np.arange(STEPS + 1) >= first)
        out.append((S.LOWER, points[:first + 2], radii[:first + 2]))
    (a, r), (b, q) = legs.values()
    if not below.any():
        return []
    if np.mean(at(parse, ((a + b) / 2)[below]) == S.LOWER) < 0.8:
        return out
    # Between close legs no ground is to be seen: they are no wider than both. What they are in may be a narrow skirt, too.
    first = below & (np.cumsum(below) <= 3)
    middle, between, legs = ((a + b) / 2)[first], np.linalg.norm(a - b, axis=1)[first], CLOTHED[1] * (r + q)[first]
    around = lambda x, y: next((b - a + 1 for a, b in runs(parse[int(np.clip(y, 0, len(parse) - 1))] == S.LOWER) if a <= round(x) <= b), 0)
    wide = np.array([around(x, y) for x, y in middle])
    close = between < legs
    return out if close[middle[:, 1] < len(parse)].all() and np.median(wide / (between + legs)) < SKIRT else []
