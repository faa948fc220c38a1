"""Parser training: cross-entropy + Dice on hard crops, studio grounds, reflections and couples of CCP; those of its tagged half that were
outlined by eye, and self-training on the others."""
from pathlib import Path

import cv2
import numpy as np
import torch
from torch.nn import functional as F

from tryon import schema as S
from tryon.datasets import augment, ccp
from tryon.datasets.sample import IGNORE
from tryon.metrics.quality import merged_iou
from tryon.models.unet import UNet
from tryon.training.sources import CCP, DRAWN, PARSED
from tryon.training.task import Task, View, judged_views, predict, to_input

VIEWS = ("full", "half", "torso", "legs", "any")
CLASS_WEIGHT = {S.BACKGROUND: 0.5, S.LEGWEAR: 1.5, S.HEADWEAR: 1.5, S.BAG: 1.2, S.ACCESSORY: 1.5, S.FULL: 1.2}


def may_show(classes: np.ndarray) -> np.ndarray:
    """What a photo tagged with ``classes`` (bool per class) may show: CCP often calls the skirt below a top a dress."""
    out = classes.copy()
    out[S.LOWER] |= classes[S.FULL] & (classes[S.UPPER] | classes[S.OUTER])
    return out


@torch.no_grad()
def pseudo_parse(model: UNet, photo: ccp.Photo, sure: float = 0.6) -> np.ndarray:
    """Parse map of a photo without one by a trained parser, restricted to the classes the photo is tagged with (self-training, Lee
    2013): HxW uint8, 255 where the winner has less than ``sure``. Averaged over two sizes and their reflections."""
    h, w = photo.image.shape[:2]
    total, flip = 0.0, torch.tensor(S.PARSE_FLIP)
    for size in ((352, 256), (448, 320)):
        x = to_input(torch.from_numpy(cv2.resize(photo.image, size[::-1], interpolation=cv2.INTER_AREA))[None])
        for view in (x, x.flip(3)):
            with torch.autocast("cpu", torch.bfloat16):
                p = model(view).float().softmax(1)
            total = total + F.interpolate(p if view is x else p.flip(3)[:, flip], size=(h, w), mode="bilinear", align_corners=False)
    p = total * torch.from_numpy(may_show(photo.classes).astype(np.float32))[None, :, None, None]
    best, label = (p / p.sum(1, keepdim=True).clamp(min=1e-6)).max(1)
    return np.where(best[0] >= sure, label[0], 255).astype(np.uint8)


def write(path: Path, picture: np.ndarray) -> None:
    """Write a PNG that is whole or not there: a killed run finds it again."""
    cv2.imwrite(str(path.with_suffix(".part.png")), picture)
    path.with_suffix(".part.png").replace(path)


def with_pseudo_parses(photos: list[ccp.Photo], cache: str, teacher: UNet, sure: float = 0.6) -> list[ccp.Photo]:
    """Those of ``photos`` that carry tags and a pose, with a pseudo parse; found once and kept as PNG in the folder ``cache``."""
    photos = [p for p in photos if p.pose is not None and p.classes is not None]
    Path(cache).mkdir(parents=True, exist_ok=True)
    for i, photo in enumerate(photos):
        path = Path(cache) / f"{photo.id}.png"
        if not path.exists():
            write(path, pseudo_parse(teacher, photo, sure))
        photo.parse = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        if i % 100 == 99:
            print(f"{i + 1} of {len(photos)} tagged photos parsed by the teacher", flush=True)
    return photos


class ParserTask(Task):
    """``teacher``: a trained parser whose findings on the photos that carry only tags are learned from as well; they are kept in
    the folder ``pseudo``, so that a resumed run learns from the same. ``final``: learn from the validation split, too."""

    title = "parser: U-Net on EfficientNet-Lite0"
    sources = (CCP, PARSED, DRAWN)
    sizes = ((448, 320), (448, 320), (416, 320), (384, 288), (352, 256))

    def __init__(self, data: str, drawn: list[ccp.Photo] = (), groups: tuple[str, ...] = augment.GROUPS, teacher: UNet | None = None,
                 pseudo: str = "", final: bool = False):
        self.final = final
        self.train, self.outlined, self.unsure, unknown = ccp.read(data, ("train", "val") if final else ("train",)), [], {}, []
        for p in self.train:
            if p.parse is None and p.pose is not None:
                unsure = ccp.fill_in(p)
                (unknown if unsure is None else self.outlined).append(p)
                if unsure is not None:
                    self.unsure[p.id] = unsure.astype(np.uint8)
        self.tagged = with_pseudo_parses(unknown, pseudo, teacher) if pseudo else []
        self.val = [p for p in ccp.read(data, ("val",), parsed_only=True) if p.parse is not None]
        self.train = [p for p in self.train if p.parse is not None and p.classes is None]
        self.others = [p for p in self.train if augment.whole(p.parse)]
        self.drawn, self.groups = list(drawn), groups
        print(f"{len(self.train)} photos with parse maps, {len(self.outlined)} with ones put right by eye, {len(self.tagged)} parsed by the teacher", flush=True)
        self.colour, self.noise = augment.colour(), augment.noise()
        self.model = UNet(len(S.PARSE_CLASSES))
        self.model.encoder.load_imagenet()
        self.weight = torch.tensor([CLASS_WEIGHT.get(i, 1.0) for i in range(len(S.PARSE_CLASSES))])

    def sample(self, rng: np.random.Generator, view: View):
        size = view.size
        which, couple = rng.random(), rng.random() < 0.06 and bool(self.others)
        pools = ((0.08, self.drawn), (0.18, self.tagged), (0.5, self.outlined), (1.0, self.train))
        pool = self.train if couple else next(p for limit, p in pools if p and which < limit)
        photo = pool[rng.integers(len(pool))]
        kind = rng.choice(VIEWS, p=(0.34, 0.34, 0.12, 0.08, 0.12))
        geometry = "geometry" in self.groups
        flip = bool(geometry and rng.random() < 0.5)
        angle = rng.normal(0, 6) if geometry else 0.0
        box = augment.person_box(photo.image.shape, photo.pose[0], kind, rng) if "crop_noise" in self.groups else (0, 0, *photo.image.shape[1::-1])
        m = augment.view_matrix(augment.aside(box, rng) if couple else box, size, angle, flip)
        image = augment.warp(photo.image, m, size)
        parse = augment.warp(photo.parse, m, size, nearest=True, fill=255)  # 255: outside the photo, not judged
        if flip:
            parse = augment.reflect_parse(parse)
        if pool is not self.tagged and rng.random() < 0.35:
            image = augment.on_ground(image, augment.people(parse), augment.studio_ground(size, rng), rng)
            parse[parse == 255] = S.BACKGROUND
        if photo.id in self.unsure:
            parse[augment.warp(self.unsure[photo.id], m, size, nearest=True, fill=0) > 0] = IGNORE
        if couple:
            other = self.others[rng.integers(len(self.others))]
            one = image, parse, augment.warp_pose(photo.pose, m, None, flip)
            image, parse, *_ = augment.beside(one, (other.image, other.parse, other.pose[0]), rng, bool(geometry and rng.random() < 0.5))
        image = augment.pixels(image, rng, self.groups, self.colour, self.noise)
        return image, view.halve(parse)

    def loss(self, model, batch):
        images_BHWC, parse_BHW = batch
        logits, y_BHW = model(to_input(images_BHWC)).float(), parse_BHW.long()
        ce = F.cross_entropy(logits, y_BHW, weight=self.weight.to(logits.device), ignore_index=255)
        known = (y_BHW != 255).unsqueeze(1)
        p = logits.softmax(1) * known
        truth = torch.zeros_like(p).scatter_(1, y_BHW.clamp(max=16).unsqueeze(1), 1.0) * known
        inter, total = (p * truth).sum((0, 2, 3)), (p + truth).sum((0, 2, 3))
        present = truth.sum((0, 2, 3)) > 0
        dice = (1 - (2 * inter + 1) / (total + 1))[present].mean()
        return ce + 0.5 * dice, {"ce": ce.detach(), "dice": dice.detach()}

    @torch.no_grad()
    def evaluate(self, model) -> dict:
        """mIoU over the merged classes on the validation photos, whole and as half-body crops on a studio ground."""
        pairs = {"street": ([], []), "half": ([], [])}
        rng = np.random.default_rng(0)
        for photo, kind, m, size in judged_views(self.val, {"street": (448, 320), "half": (416, 320)}, rng):
            image = augment.warp(photo.image, m, size)
            parse = augment.warp(photo.parse, m, size, nearest=True, fill=0)
            if kind == "half":
                image = augment.on_ground(image, parse > 0, augment.studio_ground(size, rng), rng)
            logits = F.interpolate(predict(model, image).float(), size=size, mode="bilinear", align_corners=False)
            pairs[kind][0].append(logits.argmax(1)[0].cpu().numpy().astype(np.uint8))
            pairs[kind][1].append(parse)
        out = {}
        for kind, (predicted, truth) in pairs.items():
            iou, garment = merged_iou(predicted, truth)
            out[f"{kind}_miou"], out[f"{kind}_garment"] = float(np.nanmean(iou)), garment
        return {"score": (out["street_miou"] + out["half_miou"]) / 2, **out}
