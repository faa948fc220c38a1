"""Parser training: cross-entropy + Dice on hard crops, studio grounds and reflections of CCP."""
import numpy as np
import torch
from torch.nn import functional as F

from tryon import schema as S
from tryon.datasets import augment, ccp
from tryon.metrics.quality import merged_iou
from tryon.models.unet import UNet

SIZES = ((288, 192), (288, 192), (256, 192), (288, 224))  # view sizes (H, W) a batch may have
VIEWS = ("full", "half", "torso", "legs", "any")
CLASS_WEIGHT = {S.BACKGROUND: 0.5, S.LEGWEAR: 1.5, S.HEADWEAR: 1.5, S.BAG: 1.2, S.ACCESSORY: 1.5, S.FULL: 1.2}


def to_tensor(images: list[np.ndarray]) -> torch.Tensor:
    """List of HxWx3 uint8 -> float B3HW in 0..255, channels last."""
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float()


class ParserTask:
    def __init__(self, data: str, drawn: list[ccp.Photo] = (), groups: tuple[str, ...] = augment.GROUPS):
        self.train = ccp.read(data, ("train",), parsed_only=True)
        self.val = [p for p in ccp.read(data, ("val",), parsed_only=True) if p.parse is not None]
        self.train = [p for p in self.train if p.parse is not None]
        self.drawn, self.groups = list(drawn), groups
        self.colour, self.noise = augment.colour(), augment.noise()
        self.model = UNet(len(S.PARSE_CLASSES))
        self.model.encoder.load_imagenet()
        self.weight = torch.tensor([CLASS_WEIGHT.get(i, 1.0) for i in range(len(S.PARSE_CLASSES))])

    def parameters(self, lr: float):
        encoder = list(self.model.encoder.parameters())
        rest = [p for n, p in self.model.named_parameters() if not n.startswith("encoder.")]
        return [{"params": encoder, "lr": lr * 0.5}, {"params": rest, "lr": lr}]

    def sample(self, rng: np.random.Generator, size):
        pool = self.drawn if self.drawn and rng.random() < 0.1 else self.train
        photo = pool[rng.integers(len(pool))]
        kind = rng.choice(VIEWS, p=(0.34, 0.34, 0.12, 0.08, 0.12))
        geometry = "geometry" in self.groups
        flip = bool(geometry and rng.random() < 0.5)
        angle = rng.normal(0, 6) if geometry else 0.0
        box = augment.person_box(photo.image.shape, photo.pose[0], kind, rng) if "crop_noise" in self.groups else (0, 0, *photo.image.shape[1::-1])
        m = augment.view_matrix(box, size, angle, flip)
        image = augment.warp(photo.image, m, size)
        parse = augment.warp(photo.parse, m, size, nearest=True, fill=255)  # 255: outside the photo, not judged
        if flip:
            parse = np.append(np.array(S.PARSE_FLIP, np.uint8), np.full(239, 255, np.uint8))[parse]
        if rng.random() < 0.35:
            person = (parse != S.BACKGROUND) & (parse != 255)
            image = augment.on_ground(image, person, augment.studio_ground(size, rng), rng)
            parse[parse == 255] = S.BACKGROUND
        if "colour" in self.groups:
            image = self.colour(image=image)["image"]
        if "crop_noise" in self.groups:
            image = self.noise(image=image)["image"]
        return image, parse

    def batch(self, rng: np.random.Generator, n: int):
        size = SIZES[rng.integers(len(SIZES))]
        images, parses = zip(*(self.sample(rng, size) for _ in range(n)))
        return to_tensor(images), torch.from_numpy(np.stack(parses)).long()

    def loss(self, model, batch):
        x_BCHW, y_BHW = batch
        logits = model(x_BCHW.contiguous(memory_format=torch.channels_last)).float()
        dy, dx = torch.randint(2, (2,)).tolist()  # the loss is taken at stride 2: a random phase keeps edges unbiased
        y_BHW = y_BHW[:, dy::2, dx::2]
        ce = F.cross_entropy(logits, y_BHW, weight=self.weight, ignore_index=255)
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
        for photo in self.val:
            for kind in pairs:
                size = (288, 192) if kind == "street" else (256, 192)
                box = (0, 0, *photo.image.shape[1::-1]) if kind == "street" else augment.person_box(photo.image.shape, photo.pose[0], "half", rng)
                m = augment.view_matrix(box, size)
                image = augment.warp(photo.image, m, size)
                parse = augment.warp(photo.parse, m, size, nearest=True, fill=0)
                if kind == "half":
                    image = augment.on_ground(image, parse > 0, augment.studio_ground(size, rng), rng)
                with torch.autocast("cpu", torch.bfloat16):
                    logits = model(to_tensor([image]).contiguous(memory_format=torch.channels_last)).float()
                logits = F.interpolate(logits, size=size, mode="bilinear", align_corners=False)
                pairs[kind][0].append(logits.argmax(1)[0].numpy().astype(np.uint8))
                pairs[kind][1].append(parse)
        out = {}
        for kind, (predicted, truth) in pairs.items():
            iou, garment = merged_iou(predicted, truth)
            out[f"{kind}_miou"], out[f"{kind}_garment"] = float(np.nanmean(iou)), garment
        return {"score": (out["street_miou"] + out["half_miou"]) / 2, **out}
