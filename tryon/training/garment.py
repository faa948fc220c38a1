"""Garment training: mask, parts, landmarks and kind of the product, on the ground it was photographed on and moved onto others,
laid out as photographed and anew."""
import hashlib
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from torch.nn import functional as F

from tryon import schema as S
from tryon.datasets import articulate, augment, ccp, garments, polygons
from tryon.datasets.articulate import LEFT, RIGHT, Layout
from tryon.datasets.unpose import unpose
from tryon.garment import edges_of, soft_mask
from tryon.models.unet import UNet
from tryon.models.weights import GARMENT_CHANNELS, KINDS
from tryon.training.parser import write
from tryon.training.sources import CCP, DRAWN, GARMENTS, OUTLINED, PARSED, TRACED
from tryon.training.task import Task, View, predict, to_input

MIRRORED = tuple(n.replace("left", "RIGHT").replace("right", "left").replace("RIGHT", "right") for n in S.LANDMARKS)
SIGMA = 2.0  # of a landmark's Gaussian, in cells of the stride-2 grid


@dataclass
class Product:
    """A training garment: its layout (parts all 255 where unknown), the names of the landmarks that may be learned from, its kind."""

    layout: Layout
    known: set[str]
    kind: str | None
    place: str | None  # category, None when its parts cannot be laid out anew
    inner: np.ndarray | None = None  # bool HxW: what a wearer's neck hides, None where nobody knows
    sure: bool = True  # of the mask; else it is not learned, and the garment stays where it is
    by_eye: bool = False  # the mask is an outline traced by eye: its edge is not learned, and the garment stays where it is


def masked(networks, image: np.ndarray) -> tuple[np.ndarray, float]:
    """tryon.garment.soft_mask of what a trained network finds in a product photo."""
    p = networks.garment(image)[0]
    return soft_mask(p, edges_of(image, p))


@torch.no_grad()
def pseudo_mask(networks, image: np.ndarray) -> np.ndarray | None:
    """Mask of a product photo by a trained network, or None when it is unsure, or finds another one in the reflection."""
    (a, sure_a), (b, sure_b) = masked(networks, image), masked(networks, np.ascontiguousarray(image[:, ::-1]))
    a, b = a > 0, b[:, ::-1] > 0
    iou = (a & b).sum() / max((a | b).sum(), 1)
    return a.astype(np.uint8) * 255 if iou > 0.965 and min(sure_a, sure_b) > 0.955 and 0.05 < a.mean() < 0.9 else None


def traced_product(photo: garments.GarmentPhoto, trace: garments.Traced, networks=None) -> Product | None:
    """A photo in which landmarks were traced by eye. Where it has no mask that can be trusted the network's tells where to look; None when there is none
    at all."""
    kind, sure = photo.subcategory, photo.mask is not None
    if not sure and networks is None:
        return None
    mask = photo.mask if sure else masked(networks, photo.image)[0]
    if not mask.any():
        return None
    category = S.CATEGORY_OF.get(kind, "upper")
    whole = {f"{n}_{s}" for n in ("shoulder", "armpit", "cuff_outer", "cuff_inner") for s in articulate.SIDE} <= trace.known
    apart = articulate.split(mask, trace.landmarks, category) if sure and whole else None
    parts = between_points(mask, trace.landmarks) if apart is None and whole else apart
    layout = Layout(photo.image, mask, np.where(mask > 127, 255, 0).astype(np.uint8) if parts is None else parts, trace.landmarks)
    return Product(layout, trace.known, kind, None if apart is None or photo.id in garments.outlined() else category, trace.inner(mask), sure,
                   photo.id in garments.outlined())


def between_points(mask: np.ndarray, landmarks: dict) -> np.ndarray | None:
    """Part map HxW of a top whose sleeves lie on its torso or hang against it: the quadrangles between their corners, with what is farther outside of
    those that hang. None where one of them is not all cloth, or lies across the torso, as of a sleeve that is bent."""
    parts = np.where(mask > 127, articulate.TORSO, 0).astype(np.uint8)
    for side, value in articulate.SIDE.items():
        corners = np.array([landmarks[f"{n}_{side}"] for n in ("shoulder", "cuff_outer", "cuff_inner", "armpit") if f"{n}_{side}" in landmarks])
        if len(corners) < 4:  # has no sleeve
            continue
        shoulder, outer, _, armpit = corners
        inside = cv2.fillPoly(np.zeros_like(mask), [np.rint(corners).astype(np.int32)], 1) > 0
        if (mask[inside] > 127).mean() < 0.93 or not 0.01 < inside.sum() / (mask > 127).sum() < 0.4:
            return None
        far = np.array((-1e4 if side == "right" else 1e4, 0))
        if (outer - armpit) @ far > 0:
            inside |= cv2.fillPoly(np.zeros_like(mask), [np.rint((shoulder, shoulder + far, outer + far, outer)).astype(np.int32)], 1) > 0
        elif np.linalg.norm(outer - shoulder) > 1.2 * np.linalg.norm(armpit - shoulder):
            return None
        parts[inside & (mask > 127)] = value
    return parts


def with_pseudo_masks(photos: list[garments.GarmentPhoto], cache: str, networks) -> list[garments.GarmentPhoto]:
    """Those of ``photos`` whose mask a trained network is sure of, with it; found once and kept in ``cache``."""
    folder, out = Path(cache), []
    folder.mkdir(parents=True, exist_ok=True)
    for i, photo in enumerate(photos):
        path = folder / f"{photo.id}.png"
        if not path.exists():
            mask = pseudo_mask(networks, photo.image)
            write(path, np.zeros((1, 1), np.uint8) if mask is None else mask)
        mask = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        if mask.shape == photo.image.shape[:2]:
            photo.mask = mask
            out.append(photo)
        if i % 500 == 499:
            print(f"{i + 1} of {len(photos)} photos masked, {len(out)} kept", flush=True)
    return out


class GarmentTask(Task):
    """``data`` is the garments folder; ``grounds`` a CCP folder whose street scenes serve as grounds; ``drawn`` garments drawn by the
    package; ``teacher`` a trained garment network (tryon.networks.Networks) whose masks are learned from (self-training), or
    None: those of GrabCut."""

    title = "garment: U-Net on EfficientNet-Lite0: mask, parts, landmarks, inner back and kind"
    sources = (GARMENTS, TRACED, OUTLINED, CCP + " (as grounds, and worn tops laid out flat)", PARSED, DRAWN)
    sizes = ((256, 224), (256, 224), (256, 256), (224, 256), (288, 192))

    def __init__(self, data: str, grounds: str, masks: str, drawn=(), groups: tuple[str, ...] = augment.GROUPS, teacher=None):
        everything, traces, outlines = garments.read(data, ("train", "val")), garments.traced(), garments.outlined()
        photos = with_pseudo_masks(everything, masks, teacher) if teacher else garments.with_easy_masks(everything, masks)
        self.outlined = {"train": [], "val": []}  # by eye
        for p in everything:
            if p.id in outlines:
                p.mask = polygons.even_odd(p.image.shape, outlines[p.id])
                unknown = Layout(p.image, p.mask, p.mask, {})
                self.outlined[p.split].append(Product(unknown, set(), p.subcategory, None, by_eye=True))
        products = {"train": [], "val": []}
        self.laid = {"train": [], "val": []}  # those whose parts are known
        self.traced = {"train": [], "val": []}
        for p in everything:
            if p.id in traces and (product := traced_product(p, traces[p.id], teacher)):
                self.traced[p.split].append(product)
        for p in photos:
            if p.id in traces or p.id in outlines:
                continue
            found = articulate.reliable(p.image, p.mask, p.label)
            if found:
                self.laid[p.split].append(Product(*found, p.subcategory, S.CATEGORY_OF[p.subcategory]))
            else:
                unknown = Layout(p.image, p.mask, np.where(p.mask > 127, 255, 0).astype(np.uint8), {})
                products[p.split].append(Product(unknown, set(), p.subcategory, None))
        self.train, self.val = products["train"], products["val"]
        self.drawn = []
        for g in drawn:
            parts = articulate.split(g.mask, g.landmarks, g.category)
            if parts is not None:
                self.drawn.append(Product(Layout(g.image, g.mask, parts, g.landmarks), set(S.LANDMARKS), g.subcategory, g.category, g.inner > 0))
        self.drawn_val = [self.drawn.pop() for _ in range(len(self.drawn) // 8)]
        people = ccp.read(grounds, ("train",))
        self.streets = [p.image for p in people[::4]]
        self.worn = worn_products(people)
        self.groups, self.colour, self.noise = groups, augment.colour(), augment.noise()
        self.model = UNet(GARMENT_CHANNELS, tags=len(KINDS))
        self.model.encoder.load_imagenet()
        print(f"training: {len(self.train)} photos with masks, {len(self.laid['train'])} also with parts, {len(self.traced['train'])} traced by eye, "
              f"{len(self.worn)} worn ones laid out flat, {len(self.drawn)} drawn; "
              f"validation: {len(self.val)}, {len(self.laid['val'])}, {len(self.traced['val'])}, {len(self.drawn_val)}", flush=True)

    def ground(self, rng: np.random.Generator, size, like: np.ndarray | None = None) -> np.ndarray:
        """A plain ground (of the colour ``like`` when given), a street scene, or the ground beside another garment, stretched."""
        which = rng.random()
        if like is not None:  # white on white, black on black
            ground = augment.studio_ground(size, rng).astype(np.float32)
            return np.clip(ground + (like + rng.normal(0, 7, 3) - ground.mean((0, 1))), 0, 255).astype(np.uint8)
        if which < 0.45:
            return augment.studio_ground(size, rng)
        if which < 0.6:
            image = self.streets[rng.integers(len(self.streets))]
            h, w = image.shape[:2]
            side = int(rng.uniform(0.3, 0.6) * w)
            y = rng.integers(0, h - side)
            patch = image[y:y + side, :side] if rng.random() < 0.5 else image[y:y + side, w - side:]
        else:
            layout = self.train[rng.integers(len(self.train))].layout
            x0, y0, x1, y1 = bounds(layout.mask)
            h, w = layout.mask.shape
            strips = ((0, 0, w, y0), (0, y1, w, h), (0, 0, x0, h), (x1, 0, w, h))
            a, b, c, d = max(strips, key=lambda s: min(s[2] - s[0], s[3] - s[1]))
            if min(c - a, d - b) < 12:
                return augment.studio_ground(size, rng)
            patch = layout.image[b:d, a:c]
            patch = np.concatenate((patch, patch[::-1]), 0) if patch.shape[0] < patch.shape[1] else np.concatenate((patch, patch[:, ::-1]), 1)
        return cv2.resize(patch, size[::-1], interpolation=cv2.INTER_LINEAR)

    def pick(self, rng: np.random.Generator) -> Product:
        which = rng.random()
        pools = ((0.12, self.drawn), (0.20, self.worn), (0.36, self.outlined["train"]), (0.62, self.traced["train"]), (0.81, self.laid["train"]), (1.0, self.train))
        pool = next(p for limit, p in pools if p and which < limit)
        return pool[rng.integers(len(pool))]

    def sample(self, rng: np.random.Generator, view: View, product: Product | None = None, turn: bool = True):
        """image; at half size mask, parts and inner back (uint8, 255 unknown) and landmark heat-maps; which landmarks are known; kind."""
        size, half = view.size, (view.size[0] // 2, view.size[1] // 2)
        if product is None and rng.random() < 0.04:  # nothing but ground
            image = self.ground(rng, size)
            nothing = np.zeros(half, np.uint8)
            return image, nothing, nothing, nothing, np.zeros((len(S.LANDMARKS), *half), np.float32), np.ones(len(S.LANDMARKS), np.float32), -1
        product = product or self.pick(rng)
        layout, inner, anew = product.layout, np.full(product.layout.mask.shape, 255, np.uint8) if product.inner is None else product.inner.astype(np.uint8), False
        if product.place in ("upper", "full", "lower") and rng.random() < 0.6:
            # Room around the garment for sleeves that swing out.
            pad = int(0.2 * max(layout.mask.shape))
            border = lambda x, **k: cv2.copyMakeBorder(x, pad, pad, pad, pad, **k)
            layout = Layout(border(layout.image, borderType=cv2.BORDER_REPLICATE), border(layout.mask, borderType=cv2.BORDER_CONSTANT),
                            border(layout.parts, borderType=cv2.BORDER_CONSTANT), {k: (v[0] + pad, v[1] + pad) for k, v in layout.landmarks.items()})
            layout, anew = articulate.lay(layout, product.place, rng), True
            if product.inner is not None:  # a sleeve may lie on it
                inner = border(inner, borderType=cv2.BORDER_CONSTANT) * (layout.parts == articulate.TORSO)
            else:
                inner = np.full(layout.mask.shape, 255, np.uint8)
        flip = bool("geometry" in self.groups and rng.random() < 0.5)
        angle = rng.normal(0, 10) if not turn or rng.random() < 0.8 else rng.uniform(-180, 180)
        x0, y0, x1, y1 = bounds(layout.mask)
        zoom = rng.uniform(1.02, 1.6)
        cx, cy = (x0 + x1) / 2 + rng.normal(0, 0.04) * (x1 - x0), (y0 + y1) / 2 + rng.normal(0, 0.04) * (y1 - y0)
        rx, ry = np.array((x1 - x0, y1 - y0)) * zoom / 2
        m = augment.view_matrix((cx - rx, cy - ry, cx + rx, cy + ry), size, angle if "geometry" in self.groups else 0.0, flip)
        image = augment.warp(layout.image, m, size)
        mask = augment.warp(layout.mask, m, size, nearest=True, fill=0) > 127
        parts, inner = (augment.warp(a, m, size, nearest=True, fill=0) for a in (layout.parts, inner))
        if flip:
            parts = np.where(parts == RIGHT, LEFT, np.where(parts == LEFT, RIGHT, parts)).astype(np.uint8)
        outside = augment.warp(np.full(layout.mask.shape, 255, np.uint8), m, size, nearest=True, fill=0) == 0
        if anew or product.sure and not product.by_eye and (rng.random() < 0.5 or outside.mean() > 0.2):
            like = image[mask].mean(0) if mask.any() and rng.random() < 0.15 else None
            image = augment.on_ground(image, mask, self.ground(rng, size, like), rng)
        image = augment.pixels(image, rng, self.groups, self.colour, self.noise)
        heat, known = heatmaps(layout.landmarks, product.known, m, flip, size)
        truth = mask.astype(np.uint8) if product.sure else np.where(outside, 0, 255).astype(np.uint8)
        if product.by_eye:
            truth[near_edge(mask) | outside] = 255
        return image, *(view.halve(a) for a in (truth, parts, inner)), heat, known, KINDS.index(product.kind) if product.kind else -1

    def loss(self, model, batch):
        images_BHWC, mask_BHW, parts_BHW, inner_BHW, heat_BCHW, known_BC, kinds_B = batch
        logits, tags = model(to_input(images_BHWC))
        logits, parts = logits.float(), parts_BHW.long()
        (bce, dice), (inner_bce, inner_dice) = binary(logits[:, 0], mask_BHW), binary(logits[:, -1], inner_BHW)
        where = torch.where((parts == 0) | (parts == 255), 255, parts - 1)
        weight = torch.tensor((0.6, 1.2, 1.2), device=logits.device)
        part = F.cross_entropy(logits[:, 1:4], where, ignore_index=255, weight=weight) if (where != 255).any() else logits.sum() * 0
        heat = ((logits[:, 4:-1] - heat_BCHW) ** 2 * (1 + 30 * heat_BCHW) * known_BC[..., None, None]).mean() * 150
        kind = F.cross_entropy(tags.float(), kinds_B, ignore_index=-1, label_smoothing=0.05) if (kinds_B >= 0).any() else tags.sum() * 0
        inner = 3 * inner_bce + 0.5 * inner_dice
        parts = {"bce": bce, "dice": dice, "part": part, "inner": inner, "heat": heat, "kind": kind}
        return bce + dice + 0.5 * part + inner + heat + 0.2 * kind, {k: v.detach() for k, v in parts.items()}

    @torch.no_grad()
    def evaluate(self, model) -> dict:
        """On validation garments: mask IoU on the photographed ground and on another one (mean over pictures); accuracy of parts
        (pixels of the garment) and landmarks (share within 5 % of the view's height) with sleeves and legs laid out anew, photographed
        and drawn; accuracy of the kind. Masks and parts of photos are those this training learns from, not hand-traced. Of photos traced by eye, as they
        lie: landmarks, within 3 % also, and the IoU of the inner back, mean over those that show one. ``outlined_iou``: of masks outlined by eye, most of
        them hard ones, beside their edges."""
        rng, size = np.random.default_rng(0), (256, 224)
        ious, hits, parts_right, near = {"own": [], "moved": []}, [], {"photo": [], "drawn": []}, {"photo": [], "drawn": []}
        seen, inner_ious = [], []

        for product in (self.val + self.laid["val"])[::2]:
            h, w = product.layout.mask.shape
            m = augment.view_matrix((0, 0, w, h), size)
            image, mask = augment.warp(product.layout.image, m, size), augment.warp(product.layout.mask, m, size, nearest=True, fill=0) > 127
            for kind in ious:
                logits, tags = predict(model, image if kind == "own" else augment.on_ground(image, mask, self.ground(rng, size), rng))
                found = cv2.resize(logits[0, 0].float().cpu().numpy(), size[::-1], interpolation=cv2.INTER_LINEAR) > 0
                ious[kind].append((found & mask).sum() / max((found | mask).sum(), 1))
                if kind == "own" and product.kind:
                    hits.append(KINDS[int(tags.argmax())] == product.kind)
        outlined_ious = []
        for product in self.outlined["val"]:
            m = augment.view_matrix((0, 0, *product.layout.mask.shape[::-1]), size)
            mask = augment.warp(product.layout.mask, m, size, nearest=True, fill=0) > 127
            logits = predict(model, augment.warp(product.layout.image, m, size))[0][0, 0].float().cpu().numpy()
            found, far = cv2.resize(logits, size[::-1], interpolation=cv2.INTER_LINEAR) > 0, ~near_edge(mask)
            outlined_ious.append((found & mask & far).sum() / max(((found | mask) & far).sum(), 1))
        for source, pool in (("photo", self.laid["val"][:120]), ("drawn", self.drawn_val)):
            for product in pool:
                image, _, parts, _, heat, known, _ = self.sample(rng, View(size), product, turn=False)
                logits = predict(model, image)[0][0].float().cpu().numpy()
                found = logits[1:4].argmax(0) + 1
                parts_right[source].append(float((found == parts)[parts > 0].mean()))
                for c in np.flatnonzero(known):
                    if heat[c].max() > 0.5:
                        a, b = (np.array(np.unravel_index(np.argmax(q), q.shape)) for q in (heat[c], logits[4 + c]))
                        near[source].append(bool(np.linalg.norm(a - b) <= 0.05 * heat.shape[1]))
        for product in self.traced["val"]:
            x0, y0, x1, y1 = bounds(product.layout.mask)
            m = augment.view_matrix((x0 - 0.08 * (x1 - x0), y0 - 0.08 * (y1 - y0), x1 + 0.08 * (x1 - x0), y1 + 0.08 * (y1 - y0)), size)
            logits = predict(model, augment.warp(product.layout.image, m, size))[0][0].float().cpu().numpy()
            heat, known = heatmaps(product.layout.landmarks, product.known, m, False, size)
            for c in np.flatnonzero(known):
                if heat[c].max() > 0.5:
                    a, b = (np.array(np.unravel_index(np.argmax(q), q.shape)) for q in (heat[c], logits[4 + c]))
                    seen.append(float(np.linalg.norm(a - b) / heat.shape[1]))
            if product.inner is not None:
                truth = View(size).halve(augment.warp(product.inner.astype(np.uint8), m, size, nearest=True, fill=0)) > 0
                if truth.mean() > 0.002:
                    inner_ious.append(((logits[-1] > 0) & truth).sum() / ((logits[-1] > 0) | truth).sum())
        out = {f"{k}_iou": float(np.mean(v)) for k, v in ious.items()} | {"kind_accuracy": float(np.mean(hits))}
        if outlined_ious:
            out |= {"outlined_iou": float(np.mean(outlined_ious))}
        out |= {f"{k}_parts": float(np.mean(v)) for k, v in parts_right.items() if v}
        out |= {f"{k}_landmarks": float(np.mean(v)) for k, v in near.items() if v}
        if seen and inner_ious:
            out |= {"traced_landmarks": float(np.mean(np.array(seen) <= 0.05)), "traced_landmarks_3": float(np.mean(np.array(seen) <= 0.03)),
                    "inner_iou": float(np.mean(inner_ious))}
        return {"score": (out["own_iou"] + out["moved_iou"]) / 2 + sum(v for k, v in out.items() if k.endswith(("parts", "landmarks"))) / 4
                + 0.1 * out["kind_accuracy"] + out.get("inner_iou", 0.0) / 4 + out.get("outlined_iou", 0.0) / 2, **out}


def near_edge(mask: np.ndarray, share: float = 0.012) -> np.ndarray:
    """Bool HxW: pixels no farther than so much of the height from the edge of a bool mask, where an outline traced by eye says nothing."""
    r = max(1, round(share * len(mask)))
    disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * r + 1, 2 * r + 1))
    return cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_GRADIENT, disk) > 0


def binary(logits: torch.Tensor, truth: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Cross entropy and 1 - Dice of BHW logits against a uint8 truth, 0 or 1, where it is not 255."""
    known = truth != 255
    t, p = (truth == 1).float(), logits.sigmoid() * known
    bce = (F.binary_cross_entropy_with_logits(logits, t, reduction="none") * known).sum() / known.sum().clamp(min=1)
    dice = 1 - (2 * (p * t).sum((1, 2)) + 1) / ((p + t).sum((1, 2)) + 1)
    told = known.flatten(1).any(1)
    return bce, (dice * told).sum() / told.sum().clamp(min=1)


def worn_products(people: list[ccp.Photo], times: int = 2) -> list[Product]:
    """Tops and coats that ``people`` wear, laid out flat ``times`` times each, where the photo shows nearly all of them; parts by the skeleton."""
    out = []
    for photo in people:
        if photo.pose is None or photo.parse is None and ccp.fill_in(photo) is None:
            continue
        for cls in (S.UPPER, S.OUTER):
            for n in range(times):
                seed = int(hashlib.sha256(f"{photo.id}/{cls}/{n}".encode()).hexdigest()[:12], 16)
                flat = unpose(photo.image, photo.parse, cls, photo.pose[0], np.random.default_rng(seed))
                if flat is None:
                    break
                if not flat.natural:
                    continue
                out.append(Product(Layout(flat.image, flat.mask, flat.parts, {}), set(), None, None))  # a kind would be learned from their looks
    return out


def heatmaps(landmarks: dict, known: set[str], matrix: np.ndarray, flip: bool, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Landmarks carried by a forward 2x3 affine -> Gaussians, float32 L x H/2 x W/2, and which may be learned from, float32 L: those in
    ``known`` (one that is known and absent is known to be absent)."""
    h, w = size[0] // 2, size[1] // 2
    heat = np.zeros((len(S.LANDMARKS), h, w), np.float32)
    ys, xs = np.arange(h, dtype=np.float32), np.arange(w, dtype=np.float32)
    for name, (x, y, *_) in landmarks.items():
        if name not in known:
            continue
        px, py = matrix[:, :2] @ (x, y) + matrix[:, 2]
        i = S.LANDMARKS.index(MIRRORED[S.LANDMARKS.index(name)] if flip else name)
        gx, gy = np.exp(-((xs - (px - 0.5) / 2) ** 2) / (2 * SIGMA ** 2)), np.exp(-((ys - (py - 0.5) / 2) ** 2) / (2 * SIGMA ** 2))
        heat[i] = gy[:, None] * gx[None]
    names = {MIRRORED[S.LANDMARKS.index(n)] for n in known} if flip else known
    return heat, np.array([n in names for n in S.LANDMARKS], np.float32)


def bounds(mask: np.ndarray) -> tuple[int, int, int, int]:
    """Tight box (x0, y0, x1, y1), ends exclusive, around the non-zero pixels of an HxW mask."""
    ys, xs = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return int(xs[0]), int(ys[0]), int(xs[-1]) + 1, int(ys[-1]) + 1
