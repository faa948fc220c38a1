"""Flat garments laid out anew: sleeves and legs are cut off at the joint, turned, bent and laid back.

Shop photos show sleeves spread out, hanging, or lying on the torso. Where they are spread out, geometry alone finds the
parts; turned copies of those teach a network the parts where they are not.
"""
from dataclasses import dataclass

import cv2
import numpy as np

from tryon import schema as S
from tryon.datasets.garments import SUBCATEGORY
from tryon.landmarks import measure

# Length of the sleeves in widths of the torso that a label of the Clothing dataset stands for; others may have any.
SLEEVES = {"T-Shirt": (0.12, 0.65), "Polo": (0.12, 0.65), "Undershirt": (0.0, 0.0), "Longsleeve": (0.7, 2.2), "Hoodie": (0.7, 2.2),
           "Blazer": (0.7, 2.2), "Outwear": (0.7, 2.2), "Shirt": (0.15, 2.2), "Blouse": (0.15, 2.2), "Top": (0.12, 2.2), "Dress": (0.15, 2.2)}

TORSO, RIGHT, LEFT = 1, 2, 3  # values of a part map; 0 is the ground
SIDE = {"right": RIGHT, "left": LEFT}


@dataclass
class Layout:
    """A garment and where its parts are: image HxWx3 uint8, mask HxW uint8 0/255, parts HxW uint8 (0, TORSO, RIGHT, LEFT),
    landmarks name -> (x, y) in pixels."""

    image: np.ndarray
    mask: np.ndarray
    parts: np.ndarray
    landmarks: dict[str, tuple[float, float]]


def joint(landmarks: dict, side: str, category: str) -> tuple[np.ndarray, np.ndarray] | None:
    """Outer and inner end of the line where a sleeve (upper, full) or leg (lower) joins the garment, or None."""
    get = lambda name: np.array(landmarks[name][:2], float) if name in landmarks else None
    if category == "lower":
        crotch, hem, inner, waist = get("crotch"), get(f"hem_{side}"), get(f"leg_inner_{side}"), get(f"waist_{side}")
        if crotch is None or hem is None or inner is None or waist is None:
            return None
        t = np.clip((crotch - waist) @ (hem - waist) / max(float((hem - waist) @ (hem - waist)), 1e-6), 0, 1)
        return waist + t * (hem - waist), crotch
    shoulder, armpit, cuff = get(f"shoulder_{side}"), get(f"armpit_{side}"), get(f"cuff_outer_{side}")
    return None if shoulder is None or armpit is None or cuff is None else (shoulder, armpit)


def split(mask: np.ndarray, landmarks: dict, category: str) -> np.ndarray | None:
    """Part map of a garment whose sleeves or legs lie apart from the rest: HxW uint8, or None when a cut from joint to
    joint does not part them, or what it parts is no sleeve."""
    solid, parts = mask > 127, np.where(mask > 127, TORSO, 0).astype(np.uint8)
    total = solid.sum()
    for side, value in SIDE.items():
        ends = joint(landmarks, side, category)
        if ends is None:
            continue
        outer, inner = ends
        d = (outer - inner) / max(float(np.linalg.norm(outer - inner)), 1e-6)
        reach = 0.06 * total ** 0.5
        cut = solid.astype(np.uint8)
        cv2.line(cut, *(tuple(int(v) for v in np.rint(p)) for p in (outer + 3 * reach * d, inner - reach * d)), 0, 2)
        _, pieces = cv2.connectedComponents(cut)
        names = ("hem", "leg_inner") if category == "lower" else ("cuff_outer", "cuff_inner")
        tip = np.mean([landmarks[f"{n}_{side}"][:2] for n in names], 0)
        middle = 0.85 * tip + 0.15 * (outer + inner) / 2
        x, y = (int(np.clip(v, 0, n - 1)) for v, n in zip(np.rint(middle), solid.shape[::-1]))
        limb = pieces == pieces[y, x]
        if pieces[y, x] == 0 or not 0.015 < limb.sum() / total < (0.55 if category == "lower" else 0.36):
            return None
        rim = solid & (cut == 0) & (cv2.dilate(limb.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0)
        parts[limb | rim] = value
    return parts


def _turn(points: np.ndarray, pivot: np.ndarray, angle: float) -> np.ndarray:
    m = cv2.getRotationMatrix2D(tuple(pivot), angle, 1.0)
    return points @ m[:, :2].T + m[:, 2]


def lay(garment: Layout, category: str, rng: np.random.Generator) -> Layout:
    """A copy with each sleeve or leg turned about its joint, long sleeves also bent; what they uncover is left to the ground."""
    h, w = garment.mask.shape
    landmarks = {k: np.array(v[:2], float) for k, v in garment.landmarks.items()}
    image, soft = garment.image, cv2.GaussianBlur(garment.mask, (0, 0), 0.7)
    limbs, together = [], rng.random() < 0.7
    hanging = rng.uniform(-5, 18)  # degrees from the vertical, of both sleeves when they are laid alike
    for side, value in SIDE.items():
        ends = joint(landmarks, side, category)
        region = garment.parts == value
        if ends is None or not region.any():
            continue
        outer, inner = ends
        names = [f"{n}_{side}" for n in (("hem", "leg_inner") if category == "lower" else ("cuff_outer", "cuff_inner"))]
        tip, root = np.mean([landmarks[n] for n in names], 0), (outer + inner) / 2
        sign = 1 if side == "left" else -1
        now = np.degrees(np.arctan2(sign * (tip - root)[0], (tip - root)[1]))  # from the vertical, outwards
        if category == "lower":
            wanted = now + rng.normal(0, 5)
        else:
            wanted = hanging + rng.normal(0, 3) if together else rng.choice((rng.uniform(-25, 15), rng.uniform(15, 80)))
        angle = float(np.clip(wanted - now, -110, 60)) * sign
        pivot = outer if angle * sign < 0 else inner  # turning down opens nothing at the shoulder, turning up nothing at the armpit
        if category == "lower":
            pivot = root
        m = cv2.getRotationMatrix2D(tuple(pivot), angle, 1.0)
        piece = cv2.warpAffine(image, m, (w, h), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        alpha = cv2.warpAffine(np.where(cv2.dilate(region.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0, soft, 0), m, (w, h), flags=cv2.INTER_LINEAR)
        moved = {n: _turn(landmarks[n], pivot, angle) for n in names}
        tip, root = _turn(tip, pivot, angle), _turn(root, pivot, angle)
        length, width = float(np.linalg.norm(tip - root)), float(np.linalg.norm(outer - inner))
        if category != "lower" and length > 1.4 * width and rng.random() < 0.45:  # bend at the elbow
            at, axis = root + rng.uniform(0.42, 0.6) * (tip - root), (tip - root) / length
            bend = rng.normal(0, 28) + (sign * rng.uniform(-70, 0) if rng.random() < 0.3 else 0)
            y, x = np.mgrid[0:h, 0:w]
            ahead = (x - at[0]) * axis[0] + (y - at[1]) * axis[1]
            mb = cv2.getRotationMatrix2D(tuple(at), bend, 1.0)
            fore = cv2.warpAffine(np.where(ahead > -0.1 * width, alpha, 0), mb, (w, h), flags=cv2.INTER_LINEAR)
            pixels = cv2.warpAffine(piece, mb, (w, h), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            upper = np.where(ahead < 0.15 * width, alpha, 0)
            a = fore.astype(np.float32)[..., None] / 255
            piece = (pixels * a + piece * (1 - a)).astype(np.uint8)
            alpha = np.maximum(upper, fore)
            moved = {n: _turn(p, at, bend) for n, p in moved.items()}
        limbs.append((value, piece, alpha, rng.random() < 0.8))
        landmarks |= moved
    torso = np.where(garment.parts == TORSO, soft, 0)
    if limbs:  # the cut goes through the cloth: keep a seam of the limb on the torso
        near = cv2.dilate((garment.parts == TORSO).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
        torso = np.where(near, soft, 0)
    layers = [(v, p, a) for v, p, a, over in limbs if not over] + [(TORSO, image, torso)] + [(v, p, a) for v, p, a, over in limbs if over]
    out, cover, parts = image.astype(np.float32), np.zeros((h, w), np.float32), np.zeros((h, w), np.uint8)
    for value, pixels, alpha in layers:
        a = alpha.astype(np.float32) / 255
        if value != TORSO and rng.random() < 0.8:  # a sleeve that lies on something casts a little shadow on it
            dark = cv2.GaussianBlur(a, (0, 0), 0.012 * h) * rng.uniform(0.1, 0.45)
            out = out * (1 - dark * (parts > 0))[..., None]
        out = pixels * a[..., None] + out * (1 - a[..., None])
        cover, parts = np.maximum(cover, a), np.where(a > 0.5, value, parts).astype(np.uint8)
    return Layout(np.clip(out, 0, 255).astype(np.uint8), np.where(cover > 0.5, 255, 0).astype(np.uint8), parts, {k: tuple(v) for k, v in landmarks.items()})


def reliable(image: np.ndarray, mask: np.ndarray, label: str) -> tuple[Layout, set[str]] | None:
    """Parts and landmarks that geometry (tryon/landmarks.py) finds on a product photo, where its finding fits what ``label`` (of the
    Clothing dataset) says of the sleeves, with the names of the landmarks that may be learned from; else None."""
    kind = SUBCATEGORY[label]
    category = S.CATEGORY_OF.get(kind)
    if category not in ("upper", "lower", "full"):
        return None
    shape = measure(mask, category, kind)
    solid = mask > 127
    ys, xs = np.flatnonzero(solid.any(1)), np.flatnonzero(solid.any(0))
    height, width = np.ptp(ys) + 1, np.ptp(xs) + 1
    low, high = SLEEVES.get(label, (0.0, 3.0))
    if category == "lower":
        if kind == "skirt":
            return (Layout(image, mask, np.where(solid, TORSO, 0).astype(np.uint8), _places(shape)), {"waist_left", "waist_right", "hem_left", "hem_right"}) \
                if 0.5 < height / width < 2.2 and shape.width > 0.3 * width else None
        if height < (1.15 if kind == "trousers" else 0.6) * width or len(shape.limbs) < 2 or shape.landmarks["crotch"][2] < 0.5:
            return None
        parts = split(mask, shape.landmarks, category)
        known = set(shape.landmarks)
    else:
        if high == 0.0:  # sleeveless by its label
            known = {f"{n}_{s}" for n in ("hem", "shoulder") for s in SIDE}
            return None if shape.limbs else (Layout(image, mask, np.where(solid, TORSO, 0).astype(np.uint8), _places(shape)), known)
        sure = [s for s in SIDE if s in shape.limbs and shape.landmarks[f"cuff_outer_{s}"][2] >= 0.8]
        if len(sure) < 2:
            return None
        reach = [float(np.linalg.norm(np.diff(shape.limbs[s][:, :2], axis=0), axis=1).sum()) / shape.width for s in SIDE]
        roots = [abs(shape.landmarks[f"armpit_{s}"][1] - ys[0]) / shape.width for s in SIDE]
        if not (low <= min(reach) and max(reach) <= high and max(reach) < 1.35 * min(reach) and max(roots) < 0.8 and shape.width < 0.85 * width):
            return None
        parts = split(mask, shape.landmarks, category)
        known = {f"{n}_{s}" for n in ("shoulder", "armpit", "cuff_outer", "cuff_inner", "hem") for s in SIDE}
        if label in ("T-Shirt", "Longsleeve", "Polo", "Dress", "Top", "Blouse"):
            known |= {"collar_left", "collar_right"}
        if parts is not None:
            areas = [(parts == v).sum() for v in (RIGHT, LEFT)]
            if min(areas) == 0 or max(areas) > 1.7 * min(areas):
                return None
    return None if parts is None else (Layout(image, mask, parts, _places(shape)), known)


def _places(shape) -> dict[str, tuple[float, float]]:
    return {k: (float(v[0]), float(v[1])) for k, v in shape.landmarks.items()}
