"""Garment training: mask and kind of the product, on the ground it was photographed on and moved onto others."""
import cv2
import numpy as np
import torch
from torch.nn import functional as F

from tryon.datasets import augment, ccp, garments
from tryon.models.unet import UNet
from tryon.models.weights import KINDS
from tryon.training.parser import to_tensor

SIZES = ((256, 224), (256, 224), (256, 256), (224, 256), (288, 192))



class GarmentTask:
    """``data`` is the garments folder; ``grounds`` a CCP folder whose street scenes serve as grounds."""

    def __init__(self, data: str, grounds: str, masks: str, drawn: list[garments.GarmentPhoto] = (), groups: tuple[str, ...] = augment.GROUPS):
        photos = garments.with_easy_masks(garments.read(data, ("train", "val")), masks)
        self.train = [p for p in photos if p.split == "train"]
        self.val = [p for p in photos if p.split == "val"]
        self.unmasked = [p for p in garments.read(data, ("train",)) if p.id not in {q.id for q in photos}]
        self.streets = [p.image for p in ccp.read(grounds, ("train",))[::4]]
        self.drawn, self.groups = list(drawn), groups
        self.colour, self.noise = augment.colour(), augment.noise()
        self.model = UNet(1, tags=len(KINDS))
        self.model.encoder.load_imagenet()
        print(f"{len(self.train)} training and {len(self.val)} validation photos with trusted masks", flush=True)

    def parameters(self, lr: float):
        encoder = list(self.model.encoder.parameters())
        rest = [p for n, p in self.model.named_parameters() if not n.startswith("encoder.")]
        return [{"params": encoder, "lr": lr * 0.5}, {"params": rest, "lr": lr}]

    def ground(self, rng: np.random.Generator, size) -> np.ndarray:
        """A plain ground, a street scene, or the ground beside another garment, stretched."""
        which = rng.random()
        if which < 0.45:
            return augment.studio_ground(size, rng)
        if which < 0.6:
            image = self.streets[rng.integers(len(self.streets))]
            h, w = image.shape[:2]
            side = int(rng.uniform(0.3, 0.6) * w)
            y = rng.integers(0, h - side)
            patch = image[y:y + side, :side] if rng.random() < 0.5 else image[y:y + side, w - side:]
        else:
            photo = self.train[rng.integers(len(self.train))]
            x0, y0, x1, y1 = bounds(photo.mask)
            h, w = photo.mask.shape
            strips = ((0, 0, w, y0), (0, y1, w, h), (0, 0, x0, h), (x1, 0, w, h))
            a, b, c, d = max(strips, key=lambda s: min(s[2] - s[0], s[3] - s[1]))
            if min(c - a, d - b) < 12:
                return augment.studio_ground(size, rng)
            patch = photo.image[b:d, a:c]
            patch = np.concatenate((patch, patch[::-1]), 0) if patch.shape[0] < patch.shape[1] else np.concatenate((patch, patch[:, ::-1]), 1)
        return cv2.resize(patch, size[::-1], interpolation=cv2.INTER_LINEAR)

    def sample(self, rng: np.random.Generator, size):
        pool = self.drawn if self.drawn and rng.random() < 0.15 else self.train
        photo = pool[rng.integers(len(pool))]
        flip = bool("geometry" in self.groups and rng.random() < 0.5)
        angle = rng.normal(0, 12) if rng.random() < 0.85 else rng.uniform(-180, 180)
        x0, y0, x1, y1 = bounds(photo.mask)
        zoom = rng.uniform(1.02, 1.6)
        cx, cy = (x0 + x1) / 2 + rng.normal(0, 0.04) * (x1 - x0), (y0 + y1) / 2 + rng.normal(0, 0.04) * (y1 - y0)
        half = np.array((x1 - x0, y1 - y0)) * zoom / 2
        m = augment.view_matrix((cx - half[0], cy - half[1], cx + half[0], cy + half[1]), size, angle if "geometry" in self.groups else 0.0, flip)
        image = augment.warp(photo.image, m, size)
        mask = augment.warp(photo.mask, m, size, nearest=True, fill=0) > 127
        outside = augment.warp(np.full(photo.mask.shape, 255, np.uint8), m, size, nearest=True, fill=0) == 0
        if rng.random() < 0.55 or outside.mean() > 0.2:
            image = augment.on_ground(image, mask, self.ground(rng, size), rng)
        if "colour" in self.groups:
            image = self.colour(image=image)["image"]
        if "crop_noise" in self.groups:
            image = self.noise(image=image)["image"]
        return image, mask, KINDS.index(photo.subcategory) if photo.subcategory else -1

    def batch(self, rng: np.random.Generator, n: int):
        size = SIZES[rng.integers(len(SIZES))]
        images, masks, kinds = zip(*(self.sample(rng, size) for _ in range(n)))
        return to_tensor(images), torch.from_numpy(np.stack(masks)).float(), torch.tensor(kinds)

    def loss(self, model, batch):
        x_BCHW, mask_BHW, kinds_B = batch
        logits, tags = model(x_BCHW.contiguous(memory_format=torch.channels_last))
        dy, dx = torch.randint(2, (2,)).tolist()
        logits, truth = logits.float()[:, 0], mask_BHW[:, dy::2, dx::2]
        bce = F.binary_cross_entropy_with_logits(logits, truth)
        p = logits.sigmoid()
        dice = (1 - (2 * (p * truth).sum((1, 2)) + 1) / ((p + truth).sum((1, 2)) + 1)).mean()
        kind = F.cross_entropy(tags.float(), kinds_B, ignore_index=-1, label_smoothing=0.05) if (kinds_B >= 0).any() else tags.sum() * 0
        return bce + dice + 0.2 * kind, {"bce": bce.detach(), "dice": dice.detach(), "kind": kind.detach()}

    @torch.no_grad()
    def evaluate(self, model) -> dict:
        """Mask IoU (mean over pictures) on the photographed ground and on another one, and accuracy of the kind."""
        rng, ious, hits, size = np.random.default_rng(0), {"own": [], "moved": []}, [], (256, 224)
        for photo in self.val:
            h, w = photo.mask.shape
            m = augment.view_matrix((0, 0, w, h), size)
            image = augment.warp(photo.image, m, size)
            mask = augment.warp(photo.mask, m, size, nearest=True, fill=0) > 127
            for kind in ious:
                view = image if kind == "own" else augment.on_ground(image, mask, self.ground(rng, size), rng)
                with torch.autocast("cpu", torch.bfloat16):
                    logits, tags = model(to_tensor([view]).contiguous(memory_format=torch.channels_last))
                found = F.interpolate(logits.float(), size=size, mode="bilinear", align_corners=False)[0, 0].numpy() > 0
                ious[kind].append((found & mask).sum() / max((found | mask).sum(), 1))
                if kind == "own" and photo.subcategory:
                    hits.append(KINDS[int(tags.argmax())] == photo.subcategory)
        out = {f"{k}_iou": float(np.mean(v)) for k, v in ious.items()} | {"kind_accuracy": float(np.mean(hits))}
        return {"score": (out["own_iou"] + out["moved_iou"]) / 2 + 0.1 * out["kind_accuracy"], **out}


def bounds(mask: np.ndarray) -> tuple[int, int, int, int]:
    """Tight box (x0, y0, x1, y1), ends exclusive, around the non-zero pixels of an HxW mask."""
    ys, xs = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return int(xs[0]), int(ys[0]), int(xs[-1]) + 1, int(ys[-1]) + 1
