"""Training of the limb painter without pairs: bare arms and legs of CCP photos are laid out straight, a part of each is hidden and painted again."""
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch.nn import functional as F

from tryon import schema as S
from tryon import shade, straight
from tryon.condition import skin_tone
from tryon.datasets import augment, ccp
from tryon.limbs import BONES, limbs
from tryon.metrics.keypoints import torso_length
from tryon.models import limb as model
from tryon.models.losses import Perceptual
from tryon.report.sheet import Tile
from tryon.training.adversary import Adversary
from tryon.training.generator import to_pairs
from tryon.training.sources import CCP, PARSED
from tryon.training.task import Task, View, some, to_picture

BARE, SURE = 0.75, 4  # share of its lower bone along which a limb must be bare, and pixels of the straight limb to both sides of its middle that tell it
GROUND, LIMB, UNKNOWN = range(3)
SKIN = 60  # pixels of other skin that tell the tone of all


@dataclass
class BareLimb:
    """A limb in a window of a photo: image HxWx3 uint8; what HxW uint8, GROUND, LIMB or UNKNOWN (something is in front of it); points, bones and radii as in
    tryon.straight; unit: torso length in pixels; tone: RGB in 0..255 of other skin; light: that on the face."""

    id: str
    image: np.ndarray
    what: np.ndarray
    points: np.ndarray
    bones: np.ndarray
    radii: np.ndarray
    unit: float
    cls: int
    inner: int
    tone: np.ndarray
    light: np.ndarray

    @property
    def arm(self) -> bool:
        return self.cls in S.ARMS


def bare_limbs(photo: ccp.Photo) -> list[BareLimb]:
    """The limbs of a photo that are bare from the joint between their bones on, as far as may be told: hands, shoes and sleeves hide the rest."""
    parse, pose, out = photo.parse, photo.pose[0], []
    unit = torso_length(pose)
    if not unit:
        return out
    light, rows = shade.lit_from(photo.image, parse == S.FACE), np.linspace(*straight.ALONG, straight.SIZE[0])
    lower, middle = (rows > 1) & (rows < 1.85), straight.SIZE[1] // 2
    for cls, points, radii in limbs(pose, unit, parse, np.isin(parse, tuple(BONES))):
        bones, inner, arm = straight.bones_at(points, cls, straight.joint_of(cls, pose)), straight.inner_side(points, pose), cls in S.ARMS
        where = straight.laid_out(points, bones, unit, arm, inner)
        mine = cv2.remap((parse == cls).astype(np.uint8), where, None, cv2.INTER_NEAREST)[:, middle - SURE:middle + SURE].mean(1) > 0.7
        others = np.isin(parse, S.SKIN) & (parse != cls)
        tone = skin_tone(photo.image, others) if others.sum() >= SKIN else np.zeros(3, np.float32)
        if mine[lower].mean() < BARE or not tone.any():
            continue
        y0, x0 = (max(0, int(where[..., k].min() - 0.1 * unit)) for k in (1, 0))
        y1, x1 = (int(where[..., k].max() + 0.1 * unit) + 1 for k in (1, 0))
        window = np.s_[y0:y1, x0:x1]
        what = np.where(parse == cls, LIMB, np.where(parse == S.BACKGROUND, GROUND, UNKNOWN)).astype(np.uint8)
        out.append(BareLimb(photo.id, photo.image[window].copy(), what[window].copy(), points - (x0, y0), bones, radii, unit, cls, inner, tone, light))
    return out


class LimbTask(Task):
    """``loss``: weights other than those of ``losses``; each may be zero."""

    title = "limb painter: conditional GAN on limbs laid out straight, U-Net"
    sources = (CCP, PARSED)
    sizes = (straight.SIZE,)
    losses = {"l1": 3.0, "perceptual": 1.0, "adversarial": 0.5, "outline": 0.3}

    def __init__(self, data: str, groups: tuple[str, ...] = augment.GROUPS, loss: dict[str, float] = {}):
        photos = [p for p in ccp.read(data, ("train", "val")) if p.pose is not None and len(p.pose) and (p.parse is not None or ccp.fill_in(p) is not None)]
        self.train, self.val = ([limb for p in photos if p.split == split for limb in bare_limbs(p)] for split in ("train", "val"))
        self.weights, self.groups, self.colour, self.noise = self.losses | loss, groups, augment.colour(), augment.noise()
        self.model, self.features = model.LimbPainter(), Perceptual()
        print(f"{len(self.train)} training and {len(self.val)} validation limbs", flush=True)

    def parameters(self, lr: float):
        return [{"params": list(self.model.parameters()), "lr": lr}]

    def prepare(self, device, wrap) -> None:
        self.features.to(device)
        self.adversary = Adversary(device, wrap, model.CONDITION)

    def extra_state(self) -> dict:
        return self.adversary.state()

    def load_extra_state(self, state: dict) -> None:
        self.adversary.load(state)

    def sample(self, rng: np.random.Generator, view: View, limb: BareLimb | None = None):
        """The straight limb SIZE x 3, what the network sees of it, CONDITION x SIZE, and what each place is, SIZE uint8. A given ``limb`` comes as it is."""
        given, limb = limb is not None, limb or self.train[rng.integers(len(self.train))]
        points, radii = limb.points, limb.radii
        if not given and "geometry" in self.groups:  # bones are found a little off
            k = np.linspace(0, 2, len(points))
            points = points + np.stack([np.interp(k, (0, 1, 2), rng.normal(0, 0.012, 3)) for _ in (0, 1)], 1) * limb.unit
            radii = radii * np.exp(rng.normal(0, 0.06))
        where = straight.laid_out(points, limb.bones, limb.unit, limb.arm, limb.inner)
        image = cv2.remap(limb.image, where, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        what = cv2.remap(limb.what, where, None, cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT, borderValue=UNKNOWN)
        tone = limb.tone
        if not given:  # colours change for the tone as they do for the picture
            both = np.concatenate((image, np.broadcast_to(np.rint(tone).astype(np.uint8), (1, straight.SIZE[1], 3))))
            both = augment.pixels(both, rng, tuple(g for g in self.groups if g == "colour"), self.colour, self.noise)
            image, tone = both[:-1], both[-1].mean(0, dtype=np.float32)
            if "colour" in self.groups:  # what is seen of a limb tells its colour better than a face does
                tone = np.clip(tone * np.exp(rng.normal(0, 0.08) + rng.normal(0, 0.04, 3)), 1, 255).astype(np.float32)
        known = (what == LIMB) & ~self.hidden(rng)[:, None]
        return image, straight.condition(image, known, tone, limb.light, radii, limb.bones, limb.unit, limb.arm, limb.inner), what

    def hidden(self, rng: np.random.Generator) -> np.ndarray:
        """Rows of a straight limb that clothes hide, bool H: mostly all but a hand or foot, or the whole limb, or a piece of it."""
        kind = rng.random()
        first, last = -1.0, 9.0
        if kind < 0.5:
            last = rng.uniform(1.6, 2.15)
        elif kind > 0.65:
            first, last = np.sort(rng.uniform(-0.2, 2.3, 2))
            last = max(last, first + 0.4)
        rows = np.linspace(*straight.ALONG, straight.SIZE[0])
        return (rows >= first) & (rows <= last)

    def loss(self, network, batch):
        x_BCHW, truth, what_BHW = to_pairs(batch)
        made, region, logit = self.made(network, x_BCHW, truth, what_BHW)
        l1 = ((made - truth).abs() * region).sum() / (3 * region.sum()).clamp(min=1)
        outline = (F.binary_cross_entropy_with_logits(logit[:, 0], (what_BHW == LIMB).float(), reduction="none") * (what_BHW != UNKNOWN)).mean()
        loss, parts = self.weights["l1"] * l1 + self.weights["outline"] * outline, {"l1": l1.detach(), "outline": outline.detach()}
        if self.weights["perceptual"]:
            p = self.features(made, truth, region)
            loss, parts = loss + self.weights["perceptual"] * p, parts | {"perceptual": p.detach()}
        if self.weights["adversarial"]:
            fooled, both = self.adversary(made, truth, x_BCHW, region)
            loss, parts = loss + self.weights["adversarial"] * fooled, parts | both
        return loss, parts

    def made(self, network, x_BCHW, truth, what_BHW):
        """The photo with the limb as the network paints it where it is hidden, B3HW in 0..1, that region B1HW, 0 or 1, and the logits of the outline. The outermost pixel,
        mixed with the ground, stays the photo's."""
        colours, logit = network(x_BCHW)
        limb = (what_BHW == LIMB).float()[:, None]
        region = (1 - F.max_pool2d(1 - limb, 3, 1, 1)) * (1 - x_BCHW[:, model.KNOWN:model.KNOWN + 1])
        return truth * (1 - region) + colours * region, region, logit

    @torch.no_grad()
    def evaluate(self, network) -> dict:
        """L1 (0..255) and perceptual distance where validation limbs are painted, IoU of their outlines with the true ones; score = that, minus both distances."""
        l1, distance, overlap = [], [], []
        for x, truth, what, made, region, logit in self.judged(network, self.val):
            l1.append(float(((made - truth).abs() * region).sum() / (3 * region.sum()).clamp(min=1)) * 255)
            distance.append(float(self.features(made, truth, region)))
            a, b, told = logit[:, 0] > 0, what == LIMB, what != UNKNOWN
            overlap.append(float((a & b & told).sum() / ((a | b) & told).sum().clamp(min=1)))
        l1, distance, overlap = (float(np.mean(v)) for v in (l1, distance, overlap))
        return {"score": overlap - l1 / 25.5 - distance, "l1": l1, "perceptual": distance, "outline": overlap}

    @torch.no_grad()
    def judged(self, network, limbs):
        """Samples of the limbs, the same each time, sixteen at a time, and what the network makes of them."""
        rng, device = np.random.default_rng(0), next(network.parameters()).device
        for start in range(0, len(limbs), 16):
            rows = [self.sample(rng, View(straight.SIZE), limb) for limb in limbs[start:start + 16]]
            x, truth, what = to_pairs([torch.from_numpy(np.stack(column)).to(device) for column in zip(*rows)])
            yield x, truth, what, *self.made(network, x, truth, what)

    def samples(self, network):
        """The limb as it is given, as it is painted, alone and in the photo, and the true one."""
        shown, out = some(self.val), []
        for x, truth, what, made, region, logit in self.judged(network, shown):
            colours = network(x)[0] * (logit > 0) + 0.5 * (logit <= 0)
            for given, *pictures in zip(truth * (1 - region) + 0.5 * region, colours, made, truth):
                out.append(Tile.of([to_picture(a) for a in (given, *pictures)], straight.SIZE[0]))
        return [(f"{limb.id} {S.PARSE_CLASSES[limb.cls]}", tile) for limb, tile in zip(shown, out)]
