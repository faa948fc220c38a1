"""Pose training: OpenPose targets on hard crops, reflections, studio grounds and two people, side by side or one behind the other."""
import numpy as np
import torch

from tryon import schema as S
from tryon.datasets import augment, ccp
from tryon.datasets.sample import IGNORE
from tryon.metrics.keypoints import FOREARMS, lifted
from tryon.metrics.quality import pck
from tryon.models.openpose import HEATMAPS, OpenPose, assemble, targets
from tryon.training.parser import VIEWS
from tryon.training.sources import CCP, DRAWN
from tryon.training.task import Task, View, judged_views, predict, to_input

BENT = 4.0  # so many times more often than one with hanging arms comes, on top, a photo of somebody with a wrist at the height of the elbow or above
HANGING = 0.35  # torso lengths below its elbow at which a wrist begins to count as lifted
FOREARM = 2.0  # weight of elbows and wrists, and of what leads to them, in the loss: they move most


class PoseTask(Task):
    title = "pose: OpenPose-style heat-maps and PAFs on EfficientNet-Lite0"
    sources = (CCP + ", joints by BlazePose", DRAWN)
    sizes = ((320, 224), (320, 224), (288, 224), (320, 192))

    def __init__(self, data: str, drawn: list[ccp.Photo] = (), groups: tuple[str, ...] = augment.GROUPS):
        self.train = [p for p in ccp.read(data, ("train",)) if p.pose is not None]
        self.val = [p for p in ccp.read(data, ("val",)) if p.pose is not None]
        often = 1 + BENT * np.array([np.clip(1 + lifted(p.pose[0]).max() / HANGING, 0, 1) for p in self.train])
        self.often = often / often.sum()
        self.drawn, self.groups = list(drawn), groups
        self.others = [p for p in self.train if p.parse is not None and augment.whole(p.parse)]
        self.colour, self.noise = augment.colour(), augment.noise()
        self.model = OpenPose()
        self.model.encoder.load_imagenet()

    def person(self, rng: np.random.Generator, size: tuple[int, int], couple: bool = False):
        """Somebody in a picture of ``size``: picture, parse map (None: not known), pose 1x18x3, and which joints are not judged (1) as the
        label calls them missing. ``couple``: with room for somebody else, and joints beyond the picture kept."""
        if self.drawn and rng.random() < 0.1:
            photo = self.drawn[rng.integers(len(self.drawn))]
        else:
            photo = self.train[rng.choice(len(self.train), p=self.often)]
        kind = rng.choice(VIEWS, p=(0.4, 0.34, 0.1, 0.06, 0.1))
        geometry = "geometry" in self.groups
        flip, angle = bool(geometry and rng.random() < 0.5), rng.normal(0, 9) if geometry else 0.0
        box = augment.person_box(photo.image.shape, photo.pose[0], kind, rng) if "crop_noise" in self.groups else (0, 0, *photo.image.shape[1::-1])
        m = augment.view_matrix(augment.aside(box, rng) if couple else box, size, angle, flip)
        image, pose = augment.warp(photo.image, m, size), augment.warp_pose(photo.pose, m, None if couple else size, flip)
        parse = None
        if photo.parse is not None:
            parse = augment.warp(photo.parse, m, size, nearest=True, fill=IGNORE)
            parse = augment.reflect_parse(parse) if flip else parse
            if rng.random() < 0.45:
                image = augment.on_ground(image, augment.people(parse), augment.studio_ground(size, rng), rng)
        hidden = (photo.pose[0][:, 2] == 0).astype(np.float32)  # unknown, not absent
        return image, parse, pose, hidden[list(S.JOINT_FLIP)] if flip else hidden

    def couple(self, rng: np.random.Generator, size: tuple[int, int]):
        """Two people that touch, overlap or stand apart: picture, poses, which joints are not judged, which lie behind the other (Px18 bool)."""
        image, parse, pose, hidden = self.person(rng, size, couple=True)
        other = self.others[rng.integers(len(self.others))]
        flip = bool("geometry" in self.groups and rng.random() < 0.5)
        image, _, poses, covered = augment.beside((image, parse, pose), (other.image, other.parse, other.pose[0]), rng, flip)
        unknown = (other.pose[0][:, 2] == 0).astype(np.float32)
        return image, poses, np.maximum(hidden, unknown[list(S.JOINT_FLIP)] if flip else unknown), covered

    def sample(self, rng: np.random.Generator, view: View):
        size, which = view.size, rng.random()
        covered = None
        if which < 0.04:  # two people side by side
            half = (size[0], size[1] // 2)
            (a, _, pose_a, hid_a), (b, _, pose_b, hid_b) = self.person(rng, half), self.person(rng, half)
            pose_b[..., 0] += np.where(pose_b[..., 2] > 0, half[1], 0)
            image, pose, hidden = np.concatenate((a, b), 1), np.concatenate((pose_a, pose_b)), np.maximum(hid_a, hid_b)
        elif which < 0.16 and self.others:
            image, pose, hidden, covered = self.couple(rng, size)
        else:
            image, _, pose, hidden = self.person(rng, size)
        image = augment.pixels(image, rng, self.groups, self.colour, self.noise)
        paf, heat = targets(pose, size)
        known = 1.0 - hidden
        heat_known = np.broadcast_to(np.append(known, 1.0)[:, None, None], heat.shape)
        paf_known = np.broadcast_to(np.repeat([known[a] * known[b] for a, b in S.LIMBS], 2)[:, None, None], paf.shape)
        if covered is not None:  # what a joint behind somebody else would add is neither asked for nor punished
            all_paf, all_heat = paf, heat
            paf, heat = targets(np.where(covered[..., None], 0, pose), size)
            heat_known, paf_known = heat_known * (np.abs(all_heat - heat) < 0.01), paf_known * (np.abs(all_paf - paf) < 0.01)
        return image, paf, heat, heat_known.astype(np.float32), paf_known.astype(np.float32)

    def loss(self, model, batch):
        images_BHWC, paf_t, heat_t, heat_known, paf_known = batch
        loss, parts = 0.0, {}
        fore = np.where(np.isin(np.arange(HEATMAPS), np.ravel(FOREARMS)), FOREARM, 1.0)
        of_heat, of_paf = (torch.tensor(w, dtype=torch.float32, device=heat_t.device)[:, None, None] for w in (fore, np.repeat(fore[[b for _, b in S.LIMBS]], 2)))
        for i, (paf, heat) in enumerate(model(to_input(images_BHWC))):
            lh = ((heat.float() - heat_t) ** 2 * heat_known * of_heat * (1 + 4 * heat_t)).mean() * 100
            lp = ((paf.float() - paf_t) ** 2 * paf_known * of_paf * (1 + 2 * paf_t.abs())).mean() * 50
            loss = loss + lh + lp
            parts[f"heat{i}"], parts[f"paf{i}"] = lh.detach(), lp.detach()
        return loss, parts

    @torch.no_grad()
    def evaluate(self, model) -> dict:
        """PCK@0.2 of torso length on validation photos: the street photo, and a half-body crop of it."""
        found, truth = {"street": [], "half": []}, {"street": [], "half": []}
        rng = np.random.default_rng(0)
        for photo, kind, m, size in judged_views(self.val, {"street": (320, 224), "half": (288, 224)}, rng):
            paf, heat = predict(model, augment.warp(photo.image, m, size))[-1]
            poses = assemble(paf[0].float().cpu().numpy(), heat[0].float().cpu().numpy())
            found[kind].append(poses[0] if len(poses) else np.zeros((18, 3), np.float32))
            truth[kind].append(augment.warp_pose(photo.pose, m, size, False)[0])
        out = {f"{k}_pck": pck(found[k], truth[k])[0] for k in found}
        up = np.array([lifted(t) >= 0 for t in truth["street"]])
        if up.any():
            wrists = [pck([f for f, u in zip(found["street"], up[:, i]) if u], [t for t, u in zip(truth["street"], up[:, i]) if u])[1][w]
                      for i, (_, w) in enumerate(FOREARMS)]
            out["lifted_wrist_pck"] = float(np.nansum(wrists * up.sum(0)) / up.sum())
        return {"score": sum(out.values()) / len(out), **out}
