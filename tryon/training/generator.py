"""Generator training without pairs: on CCP photos a worn garment is flattened and put back, and what lies around it -
arms, neck, legs, ground - is blanked and has to be painted again from the layout."""
import cv2
import numpy as np
import torch
from torch.nn import functional as F

from tryon import schema as S
from tryon.condition import GARMENTS, condition, skeleton
from tryon.datasets import augment, ccp
from tryon.models.discriminator import PatchGAN
from tryon.models.generator import Generator
from tryon.models.losses import Perceptual

SIZE = (256, 192)
KEPT = (S.FACE, S.HAIR, S.SHOES, S.BAG, S.ACCESSORY, S.HEADWEAR)


class GeneratorTask:
    def __init__(self, data: str, l1: float = 4.0, perceptual: float = 1.0, adversarial: float = 0.1, attention: bool = True):
        self.train = [p for p in ccp.read(data, ("train",), parsed_only=True) if p.parse is not None]
        self.val = [p for p in ccp.read(data, ("val",), parsed_only=True) if p.parse is not None]
        self.weights = {"l1": l1, "perceptual": perceptual, "adversarial": adversarial}
        self.model = Generator(attention=attention)
        self.judge = PatchGAN()
        self.judge_optimizer = torch.optim.Adam(self.judge.parameters(), 2e-4, betas=(0.5, 0.99))
        self.features = Perceptual()
        self.colour = augment.colour()

    def parameters(self, lr: float):
        return [{"params": list(self.model.parameters()), "lr": lr}]

    def extra_state(self) -> dict:
        """What a checkpoint must hold beside the generator."""
        return {"judge": self.judge.state_dict(), "judge_optimizer": self.judge_optimizer.state_dict()}

    def load_extra_state(self, state: dict) -> None:
        self.judge.load_state_dict(state["judge"])
        self.judge_optimizer.load_state_dict(state["judge_optimizer"])

    def sample(self, rng: np.random.Generator, photo: ccp.Photo, hard: bool = True):
        kind = rng.choice(("full", "half", "torso", "any"), p=(0.35, 0.45, 0.1, 0.1))
        flip = bool(rng.random() < 0.5)
        m = augment.view_matrix(augment.person_box(photo.image.shape, photo.pose[0], kind, rng), SIZE, rng.normal(0, 4), flip)
        image = augment.warp(photo.image, m, SIZE)
        parse = augment.warp(photo.parse, m, SIZE, nearest=True, fill=0)
        pose = augment.warp_pose(photo.pose, m, SIZE, flip)[0]
        if flip:
            parse = np.array(S.PARSE_FLIP, np.uint8)[parse]
        if rng.random() < 0.3:
            image = augment.on_ground(image, parse > 0, augment.studio_ground(SIZE, rng), rng)
        image = self.colour(image=image)["image"]
        worn = [c for c in GARMENTS if (parse == c).sum() > 300]
        garment = parse == rng.choice(worn) if worn else np.zeros(SIZE, bool)
        return image, parse, pose, garment, self._fill(parse, garment, rng), self._flatten(image, garment, rng)

    def _fill(self, parse: np.ndarray, garment: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """A region around the garment as an old garment of another cut would free it."""
        reach = int(rng.integers(3, 26))
        near = cv2.dilate(garment.astype(np.uint8), cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1,) * 2)) > 0
        noise = cv2.resize(rng.normal(size=(8, 6)).astype(np.float32), SIZE[::-1], interpolation=cv2.INTER_CUBIC)
        fill = near & (noise > rng.uniform(-1.5, 0.3))
        for cls in (S.LEFT_ARM, S.RIGHT_ARM, S.NECK, S.LEFT_LEG, S.RIGHT_LEG, S.LOWER, S.UPPER):
            if rng.random() < 0.35:  # a whole limb, or the upper part of it, was covered
                part = parse == cls
                if part.any():
                    ys = np.flatnonzero(part.any(1))
                    cut = ys[0] + rng.uniform(0.2, 1.0) * (ys[-1] - ys[0] + 1)
                    fill |= part & (np.arange(SIZE[0])[:, None] < cut)
        return fill & ~garment & ~np.isin(parse, KEPT)

    def _flatten(self, image: np.ndarray, garment: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """The worn garment with its folds and shading taken out, as a product photo shows it, and a little displaced."""
        m = garment.astype(np.float32)
        light = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
        sigma = rng.uniform(2.5, 12)
        smooth = cv2.GaussianBlur(light * m, (0, 0), sigma) / np.maximum(cv2.GaussianBlur(m, (0, 0), sigma), 1e-3)
        mean = float(light[garment].mean()) if garment.any() else 128.0
        gain = ((mean + 16) / (smooth + 16)) ** rng.uniform(0.5, 1.0) * rng.uniform(0.85, 1.15)
        flat = np.clip(image * gain[..., None], 0, 255).astype(np.uint8)
        shift = [cv2.resize(rng.normal(0, 2.0, (6, 5)).astype(np.float32), SIZE[::-1], interpolation=cv2.INTER_CUBIC) for _ in range(2)]
        y, x = np.mgrid[0:SIZE[0], 0:SIZE[1]].astype(np.float32)
        return cv2.remap(flat, x + shift[0], y + shift[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)

    def batch(self, rng: np.random.Generator, n: int):
        rows = [self.sample(rng, self.train[rng.integers(len(self.train))]) for _ in range(n)]
        return self._tensors(rows)

    def _tensors(self, rows):
        x = np.stack([condition(image, flat, garment, fill, parse, skeleton(pose, SIZE)) for image, parse, pose, garment, fill, flat in rows])
        truth = np.stack([r[0] for r in rows]).transpose(0, 3, 1, 2)
        return torch.from_numpy(x), torch.from_numpy(truth).float() / 255

    def loss(self, model, batch):
        x_BCHW, truth = batch
        x_BCHW = x_BCHW.contiguous(memory_format=torch.channels_last)
        made, alpha, region = compose(model, x_BCHW, truth)
        area = region.sum().clamp(min=1.0)
        l1 = ((made - truth).abs() * region).sum() / (3 * area)
        loss, parts = self.weights["l1"] * l1 + 0.02 * (alpha * x_BCHW[:, 6:7]).mean(), {"l1": l1.detach()}
        if self.weights["perceptual"]:
            p = self.features(made, truth, region)
            loss, parts = loss + self.weights["perceptual"] * p, parts | {"perceptual": p.detach()}
        if self.weights["adversarial"]:
            self.judge.requires_grad_(True)
            real, fake = self.judge(truth, x_BCHW).float(), self.judge(made.detach(), x_BCHW).float()
            where = F.interpolate(region, size=real.shape[-2:], mode="area") > 0.05
            count = where.sum().clamp(min=1)
            judged = (((real - 1) ** 2 + fake ** 2) * where).sum() / count / 2
            if torch.is_grad_enabled():
                self.judge_optimizer.zero_grad(set_to_none=True)
                judged.backward()
                self.judge_optimizer.step()
            self.judge.requires_grad_(False)
            fooled = (((self.judge(made, x_BCHW).float() - 1) ** 2) * where).sum() / count
            loss, parts = loss + self.weights["adversarial"] * fooled, parts | {"judge": judged.detach(), "fooled": fooled.detach()}
        return loss, parts

    @torch.no_grad()
    def evaluate(self, model) -> dict:
        """L1 (0..255) and perceptual distance inside the edit region on validation photos; score = minus their sum."""
        rng, l1, distance = np.random.default_rng(0), [], []
        for start in range(0, len(self.val), 8):
            x, truth = self._tensors([self.sample(rng, p) for p in self.val[start:start + 8]])
            made, _, region = compose(model, x.contiguous(memory_format=torch.channels_last), truth)
            l1.append(float(((made - truth).abs() * region).sum() / (3 * region.sum()).clamp(min=1)) * 255)
            distance.append(float(self.features(made, truth, region)))
        return {"score": -float(np.mean(l1)) / 25.5 - float(np.mean(distance)), "l1": float(np.mean(l1)), "perceptual": float(np.mean(distance))}


def compose(model, x_BCHW: torch.Tensor, photo: torch.Tensor):
    """Generator output put together: picture B3HW in 0..1, alpha, and the region (garment or fill) it may differ in."""
    rendered, alpha = model(x_BCHW)
    garment, fill = x_BCHW[:, 6:7], x_BCHW[:, 7:8]
    worn = alpha * x_BCHW[:, 3:6] + (1 - alpha) * rendered
    region = (garment + fill).clamp(max=1)
    return photo * (1 - region) + garment * worn + fill * rendered, alpha, region
