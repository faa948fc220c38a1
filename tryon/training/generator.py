"""Training of the generator and its peers without pairs: on CCP photos a worn garment is flattened and put back, and what lies around it -
arms, neck, legs, ground - is blanked and has to be painted again from the layout."""
import cv2
import numpy as np
import torch
from torch.nn import functional as F

from tryon import schema as S
from tryon.condition import GARMENTS, condition, skeleton, skin_tone
from tryon.datasets import augment, ccp
from tryon.models.generator import CONDITION, FILL, GARMENT, Generator
from tryon.models.losses import Perceptual
from tryon.models.pix2pix import Pix2Pix
from tryon.models.vae import VAE
from tryon.report.sheet import Tile, label_picture
from tryon.training.adversary import Adversary
from tryon.training.parser import with_pseudo_parses
from tryon.training.sources import CCP, DRAWN, PARSED
from tryon.training.task import Task, View, some, to_input, to_picture

SIZE = (256, 192)
VIEWS = {"full": 0.25, "half": 0.25, "torso": 0.15, "legs": 0.3, "any": 0.05}  # how often each is shown (augment.person_box)
LIMBS = {"half": (S.LEFT_ARM, S.RIGHT_ARM), "torso": (S.LEFT_ARM, S.RIGHT_ARM), "legs": (S.LEFT_LEG, S.RIGHT_LEG)}
BARE = 0.006  # share of a photo that bare arms or legs take up at least
KEPT = (S.FACE, S.HAIR, S.SHOES, S.BAG, S.ACCESSORY, S.HEADWEAR)
# What never comes out from under a garment of a class, because it was taken off (tryon.compose.may_become).
NEVER_UNDER = {S.UPPER: (S.UPPER, S.OUTER, S.FULL), S.OUTER: (S.OUTER,), S.FULL: (S.UPPER, S.OUTER, S.FULL, S.LOWER), S.LOWER: (S.LOWER, S.FULL)}


class GeneratorTask(Task):
    """``teacher``: a trained parser whose findings on photos without a parse map, nor one that was put right by eye, are learned from as well; they are kept in the
    folder ``pseudo``. ``loss``: weights other than those of ``losses``; each may be zero."""

    title = "generator: conditional GAN, U-Net with self-attention"
    sources = (CCP, PARSED, DRAWN)
    sizes = (SIZE,)
    network = Generator
    losses = {"l1": 4.0, "perceptual": 1.0, "adversarial": 0.25, "layout": 0.4}

    def __init__(self, data: str, drawn=(), groups: tuple[str, ...] = augment.GROUPS, teacher=None, pseudo: str = "", loss: dict[str, float] = {},
                 attention: bool = True):
        photos = ccp.read(data, ("train", "val"))
        self.val = [p for p in photos if p.parse is not None and p.split == "val"]
        train = [p for p in photos if p.split == "train"]
        self.train = [p for p in train if p.parse is not None or ccp.fill_in(p) is not None] + list(drawn)
        if pseudo:
            self.train += with_pseudo_parses([p for p in train if p.parse is None], pseudo, teacher, 0.0)
        self.bare = {limb: [i for i, p in enumerate(self.train) if np.isin(p.parse, limb).mean() > BARE] for limb in set(LIMBS.values())}
        self.weights = self.losses | loss
        self.model = self.network()
        if not attention:  # it stays the identity it starts as, and the weights fit the same network
            self.model.middle[0].requires_grad_(False)
        self.features = Perceptual()
        self.groups, self.colour, self.noise = groups, augment.colour(), augment.noise()
        print(f"{len(self.train)} training and {len(self.val)} validation photos", flush=True)

    def parameters(self, lr: float):
        return [{"params": list(self.model.parameters()), "lr": lr}]

    def prepare(self, device, wrap) -> None:
        self.features.to(device)
        self.adversary = Adversary(device, wrap, CONDITION)

    def extra_state(self) -> dict:
        return self.adversary.state()

    def load_extra_state(self, state: dict) -> None:
        self.adversary.load(state)

    def sample(self, rng: np.random.Generator, view: View, photo: ccp.Photo | None = None):
        """The photo, what the generator sees (CONDITION x H x W in 0..1), and its parse map."""
        kind = rng.choice(list(VIEWS), p=list(VIEWS.values()))
        bare = self.bare.get(LIMBS.get(kind)) if rng.random() < 0.6 else None
        shown, photo = photo is not None, photo or self.train[rng.choice(bare) if bare else rng.integers(len(self.train))]
        geometry = "geometry" in self.groups
        flip, angle = bool(rng.random() < 0.5) and geometry, rng.normal(0, 4) * geometry
        m = augment.view_matrix(augment.person_box(photo.image.shape, photo.pose[0], kind, rng), SIZE, angle, flip)
        image = augment.warp(photo.image, m, SIZE)
        parse = augment.warp(photo.parse, m, SIZE, nearest=True, fill=0)
        # A window into a photo has joints beyond its border, a photo has not.
        pose = augment.warp_pose(photo.pose, m, None if rng.random() < 0.6 else SIZE, flip)[0]
        if flip:
            parse = np.array(S.PARSE_FLIP, np.uint8)[parse]
        if rng.random() < 0.45:
            image = augment.on_ground(image, parse > 0, augment.studio_ground(SIZE, rng), rng)
        worn = [c for c in GARMENTS if (parse == c).sum() > 300]
        cls = rng.choice(worn) if worn else S.BACKGROUND
        garment = parse == cls if worn else np.zeros(SIZE, bool)
        fill = self._fill(parse, pose, garment, rng) & ~np.isin(parse, NEVER_UNDER.get(cls, ()))
        # What may come out is what does, and some more.
        never = np.isin(np.arange(len(S.PARSE_CLASSES)), NEVER_UNDER.get(cls, ()))
        allowed = (rng.random(len(S.PARSE_CLASSES)) < rng.uniform(0.1, 0.6)) & ~never
        allowed |= np.bincount(parse[fill], minlength=len(allowed))[:len(allowed)] > 20
        allowed[S.BACKGROUND] = True
        if not shown and rng.random() < 0.5:  # the layout is given, as for the second look at a picture
            allowed = parse == np.arange(len(S.PARSE_CLASSES), dtype=np.uint8)[:, None, None]
        hidden = {cls for cls in S.SKIN if (fill & (parse == cls)).sum() > 0.3 * max(1, (parse == cls).sum())}
        hidden = {S.PARSE_FLIP[cls] if flip else cls for cls in hidden}
        tone = skin_tone(photo.image, np.isin(photo.parse, [cls for cls in S.SKIN if cls not in hidden]))
        # Colours change for the tone as they do for the picture.
        both = np.concatenate((image, np.broadcast_to(np.rint(tone).astype(np.uint8), (1, SIZE[1], 3))))
        both = augment.pixels(both, rng, tuple(g for g in self.groups if g == "colour"), self.colour, self.noise)
        image, tone = both[:-1], both[-1].mean(0, dtype=np.float32) * tone.any()
        return image, condition(image, self._flatten(image, garment, rng), tone, garment, fill, parse, skeleton(pose, SIZE), allowed & self.network.told), parse

    def _fill(self, parse: np.ndarray, pose: np.ndarray, garment: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """A region around the garment as an old garment of another cut would free it: bool HxW. Its outline must not tell what it hides."""
        grow = lambda m, r: cv2.dilate(m.astype(np.uint8), cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * int(r) + 1,) * 2)) > 0
        noise = cv2.resize(rng.normal(size=(8, 6)).astype(np.float32), SIZE[::-1], interpolation=cv2.INTER_CUBIC)
        fill = grow(garment, rng.integers(1, 16)) & (noise > rng.uniform(-1.5, 0.6))
        if rng.random() < 0.5:
            fill |= grow(self._borrowed(pose, rng), rng.integers(0, 4))
        y, x = np.mgrid[0:SIZE[0], 0:SIZE[1]]
        for cls, start, end in ((S.LEFT_ARM, S.L_SHOULDER, S.L_WRIST), (S.RIGHT_ARM, S.R_SHOULDER, S.R_WRIST), (S.LEFT_LEG, S.L_HIP, S.L_ANKLE),
                                (S.RIGHT_LEG, S.R_HIP, S.R_ANKLE), (S.NECK, None, None), (S.LOWER, S.R_HIP, S.R_ANKLE), (S.UPPER, None, None)):
            part = parse == cls
            if rng.random() > (0.55 if cls in S.SKIN else 0.35) or not part.any():
                continue
            part = grow(part, rng.integers(1, 8))
            if start is not None and pose[start, 2] > 0 and pose[end, 2] > 0:  # covered down to somewhere along the limb, hands stay
                d = pose[end, :2] - pose[start, :2]
                t = ((x - pose[start, 0]) * d[0] + (y - pose[start, 1]) * d[1]) / max(float(d @ d), 1.0)
                part &= t < rng.uniform(0.3, 1.1)
            fill |= part
        fill &= ~garment & ~np.isin(parse, KEPT)
        if rng.random() < 0.15 and pose[[S.R_EYE, S.L_EYE], 2].all() and pose[S.NECK_JOINT, 2] > 0:  # an old hat, which hid hair and forehead
            eye, neck = pose[[S.R_EYE, S.L_EYE], :2].mean(0), pose[S.NECK_JOINT, :2]
            up = (eye - neck) * rng.uniform(0.25, 0.5)
            size = np.linalg.norm(eye - neck) * rng.uniform((0.35, 0.3), (0.9, 0.7))
            hat = np.zeros(SIZE, np.uint8)
            centre, axes = (tuple(np.rint(v).astype(int).tolist()) for v in (eye + up + (0, -0.6 * size[1] / 2), size))
            cv2.ellipse(hat, centre, axes, 0, 0, 360, 1, -1)
            fill |= (hat > 0) & ~garment & (y < eye[1] - 0.05 * np.linalg.norm(eye - neck))
        return fill

    def _borrowed(self, pose: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """A garment somebody else wears, laid on this body by neck and hips: bool HxW."""
        other = self.train[rng.integers(len(self.train))]
        theirs, need = other.pose[0], [S.NECK_JOINT, S.R_HIP, S.L_HIP]
        classes = [c for c in GARMENTS if (other.parse == c).any()]
        if not classes or (theirs[need, 2] <= 0).any() or (pose[need, 2] <= 0).any():
            return np.zeros(SIZE, bool)
        ends = lambda p: (p[S.NECK_JOINT, :2], (p[S.R_HIP, :2] + p[S.L_HIP, :2]) / 2)
        (a, b), (c, d) = ends(theirs), ends(pose)
        z = complex(*(d - c)) / (complex(*(b - a)) or 1)
        m = np.array(((z.real, -z.imag, 0), (z.imag, z.real, 0)))
        m[:, 2] = c - m[:, :2] @ a
        return cv2.warpAffine(((other.parse == rng.choice(classes)) * 255).astype(np.uint8), m, SIZE[::-1]) > 127

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

    def run(self, model, x_BCHW, truth):
        """The network's outputs for a batch in training, a loss that is its own and the parts of that."""
        return model(x_BCHW), 0.0, {}

    def loss(self, model, batch):
        x_BCHW, truth, parse_BHW = to_pairs(batch)
        (rendered, alpha, logits), loss, parts = self.run(model, x_BCHW, truth)
        made, region = compose(rendered, alpha, x_BCHW, truth)
        # Skin is what people look at; the garment is given.
        skin = torch.isin(parse_BHW, torch.tensor(S.SKIN, device=parse_BHW.device))[:, None]
        weight = region * (0.5 + 0.5 * x_BCHW[:, FILL:FILL + 1] * (1 + 2 * skin))
        l1 = ((made - truth).abs() * weight).sum() / (3 * weight.sum().clamp(min=1.0))
        # Rendering everywhere, a little, makes what is painted comparable with the photo around it.
        loss = loss + self.weights["l1"] * (l1 + 0.15 * (rendered - truth).abs().mean()) + 0.02 * (alpha * x_BCHW[:, GARMENT:GARMENT + 1]).mean()
        parts = parts | {"l1": l1.detach()}
        if self.weights["layout"]:
            ce = (F.cross_entropy(logits, parse_BHW, reduction="none") * x_BCHW[:, FILL]).sum() / x_BCHW[:, FILL].sum().clamp(min=1.0)
            loss, parts = loss + self.weights["layout"] * ce, parts | {"layout": ce.detach()}
        if self.weights["perceptual"]:
            p = self.features(made, truth, weight)
            loss, parts = loss + self.weights["perceptual"] * p, parts | {"perceptual": p.detach()}
        if self.weights["adversarial"]:
            fooled, both = self.adversary(made, truth, x_BCHW, x_BCHW[:, FILL:FILL + 1])
            loss, parts = loss + self.weights["adversarial"] * fooled, parts | both
        return loss, parts

    @torch.no_grad()
    def evaluate(self, model) -> dict:
        """L1 (0..255) and perceptual distance inside the edit region on validation photos, share of the fill region whose layout is right;
        score = minus the two distances, plus the share."""
        l1, distance, right = [], [], []
        for x, truth, parse, made, region, logits in self.judged(model, self.val):
            l1.append(float(((made - truth).abs() * region).sum() / (3 * region.sum()).clamp(min=1)) * 255)
            distance.append(float(self.features(made, truth, region)))
            right.append(float(((logits.argmax(1) == parse) * x[:, FILL]).sum() / x[:, FILL].sum().clamp(min=1)))
        l1, distance, right = (float(np.mean(v)) for v in (l1, distance, right))
        return {"score": right - l1 / 25.5 - distance, "l1": l1, "perceptual": distance, "layout": right}

    @torch.no_grad()
    def judged(self, model, photos):
        """Samples of the photos, the same each time, eight at a time, and what the network makes of them: condition, photo, parse map, picture,
        region and logits."""
        rng, device = np.random.default_rng(0), next(model.parameters()).device
        for start in range(0, len(photos), 8):
            rows = [self.sample(rng, View(SIZE), p) for p in photos[start:start + 8]]
            x, truth, parse = to_pairs([torch.from_numpy(np.stack(column)).to(device) for column in zip(*rows)])
            rendered, alpha, logits = model(x)
            if self.network.told:
                may = x[:, FILL + 1:FILL + 1 + len(S.PARSE_CLASSES)]
                logits = logits.masked_fill(may == 0, -1e4)
                given = F.one_hot(logits.argmax(1), len(S.PARSE_CLASSES)).permute(0, 3, 1, 2) / 2
                rendered, alpha, _ = model(torch.cat((x[:, :FILL + 1], torch.where(x[:, FILL:FILL + 1] > 0, given, may), x[:, FILL + 1 + len(S.PARSE_CLASSES):]), 1))
            yield x, truth, parse, *compose(rendered, alpha, x, truth), logits

    def samples(self, model):
        """Picture and layout that the network is given, those it makes, and the true ones."""
        photos, out = some(self.val), []
        for x, truth, parse, made, _, logits in self.judged(model, photos):
            fill = x[:, FILL] > 0
            layout = torch.where(fill, logits.argmax(1), parse)
            for given, blank, a, b, *maps in zip(x[:, :3] + x[:, 3:6], fill, made, truth, parse * ~fill, layout, parse):
                pictures = zip((torch.where(blank, 0.5, given), a, b), maps)
                out.append(Tile.of([p for rgb, ids in pictures for p in (to_picture(rgb), label_picture(ids.byte().cpu().numpy()))], SIZE[0]))
        return [(p.id, tile) for p, tile in zip(photos, out)]


class Pix2PixTask(GeneratorTask):
    """Pix2Pix with its published losses, L1 and adversarial; the layout is one more thing it is asked for."""

    title = "pix2pix: masks, layout and skeleton to picture, U-Net without attention"
    network = Pix2Pix
    losses = GeneratorTask.losses | {"perceptual": 0.0}


class VaeTask(GeneratorTask):
    """The conditional VAE: likelihoods of colours (L1) and layout, and the divergence from the prior, in nats per picture."""

    title = "vae: conditional variational autoencoder, U-Net with self-attention"
    network = VAE
    losses = GeneratorTask.losses | {"perceptual": 0.0, "adversarial": 0.0, "kl": 0.002}

    def run(self, model, x_BCHW, truth):
        *outputs, mean_BZ, log_variance_BZ = model(x_BCHW, truth)
        kl = (mean_BZ.square() + log_variance_BZ.exp() - 1 - log_variance_BZ).sum(1).mean() / 2
        return outputs, self.weights["kl"] * kl, {"kl": kl.detach()}


def to_pairs(batch) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Stacked samples -> condition BCHW, channels last, photo B3HW in 0..1, parse map (or other ids) BHW."""
    images_BHWC, x_BCHW, parse_BHW = batch
    return x_BCHW.contiguous(memory_format=torch.channels_last), to_input(images_BHWC) / 255, parse_BHW.long()


def compose(rendered: torch.Tensor, alpha: torch.Tensor, x_BCHW: torch.Tensor, photo: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """A generator's outputs put into the photo: picture B3HW in 0..1, and the region (garment or fill) it may differ in."""
    garment, fill = x_BCHW[:, GARMENT:GARMENT + 1], x_BCHW[:, FILL:FILL + 1]
    worn = alpha * x_BCHW[:, 3:6] + (1 - alpha) * rendered
    region = (garment + fill).clamp(max=1)
    return photo * (1 - region) + garment * worn + fill * rendered, region
