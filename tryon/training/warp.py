"""Warp training: the shop picture of a worn top, or where there is none the top itself laid out flat (tryon.datasets.unpose), is analysed and
placed as the product does it, and the network learns to move what was placed to where it is worn."""
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch.nn import functional as F

from tryon import garment as garment_module
from tryon import schema as S
from tryon import warp
from tryon.body import Body
from tryon.datasets import augment, ccp
from tryon.datasets.articulate import LEFT, RIGHT, TORSO
from tryon.datasets.sample import Sample
from tryon.datasets.unpose import unpose, worn_parts
from tryon.fit import fit
from tryon.garment import Garment
from tryon.models.gmm import GMM
from tryon.models.warp import PARTS, Residual, moved
from tryon.person import Person
from tryon.report.sheet import Tile
from tryon.schema import RowError
from tryon.training.parser import with_pseudo_parses
from tryon.training.sources import CCP, PARSED
from tryon.training.task import Task, View, some, to_picture

# What may lie over a top: there it is not judged. An arm may lie over its body, but a sleeve that lies over a bare arm is too long.
HIDING = (S.HAIR, S.FACE, S.HEADWEAR, S.BAG, S.ACCESSORY, S.FULL)
HIDDEN, BARE = 255, 254  # in Pair.worn
MIRROR = (0, 2, 1)  # of PARTS
TRUSTED = 0.45  # IoU by geometry alone below which a pair is no example: its product was laid out or analysed wrongly


@dataclass
class Pair:
    """parts P x h x w uint8, as geometry placed them on the coarse grid, ``coarse`` times as fine as the photo; worn HxW uint8: 0, TORSO, RIGHT, LEFT,
    HIDDEN where the garment may be hidden, BARE where an arm shows; parse HxW; pose 18x3."""

    parts: np.ndarray
    coarse: float
    worn: np.ndarray
    parse: np.ndarray
    pose: np.ndarray
    body: Body
    product: np.ndarray  # its parts in a view of its own, P x SIZE uint8


def pairs(photos: list[Sample], networks, times: int) -> list[Pair]:
    """Of each photo with the shop picture of the top one pair; of others, of each worn top that the photo shows nearly whole, ``times`` pairs,
    each laid out anew."""
    out = []
    for n, photo in enumerate(photos):
        if n % 100 == 99:
            print(f"{n + 1} of {len(photos)} photos placed, {len(out)} pairs", flush=True)
        person = Person(photo.image, photo.parse, photo.pose, 1.0)
        for cls, product in products(photo, n, networks, times):
            try:
                placed, body = fit(person, product), person.body
            except RowError:
                continue
            # What is tucked in ends where the trousers begin, which says nothing of its length.
            over = HIDING + ((S.LOWER,) if cls == S.UPPER and body.tucks else ())
            truth = np.select((np.isin(photo.parse, over), np.isin(photo.parse, S.ARMS)), (HIDDEN, BARE), 0).astype(np.uint8)
            worn = worn_parts(photo.parse, cls, photo.pose[0], body.unit, (body.neck + body.hips) / 2)
            truth = np.where(worn > 0, worn, truth)
            parts = np.rint(warp.placed(placed, product) * 255).astype(np.uint8)
            out.append(Pair(parts, parts.shape[1] / len(worn), truth, photo.parse, photo.pose[0], body,
                            np.rint(warp.product_shapes(product) * 255).astype(np.uint8)))
    return out


def products(photo: Sample, seed: int, networks, times: int) -> Iterator[tuple[int, Garment]]:
    """The class a top is worn as (UPPER or OUTER) and its shop picture, analysed; ones that cannot be, and other garments, are left out."""
    analyse = lambda **given: garment_module.analyse(networks, **given)
    if photo.product is not None:
        if any(g.category not in ("", "upper") for g in photo.garments):
            return
        cls = max((S.UPPER, S.OUTER), key=lambda c: int((photo.parse == c).sum()))
        if photo.product.paired and (photo.parse == cls).any():
            with suppress(RowError):
                yield cls, analyse(photo=photo.product.image, category="upper", mask=photo.product.mask, subcategory="jacket" if cls == S.OUTER else None)
        return
    for cls in (S.UPPER, S.OUTER):
        for k in range(times):
            flat = unpose(photo.image, photo.parse, cls, photo.pose[0], np.random.default_rng((seed, cls, k)))
            if flat is None:
                break
            if not flat.natural:
                continue
            with suppress(RowError):
                yield cls, analyse(photo=flat.image, subcategory="jacket" if cls == S.OUTER else "top")


class WarpTask(Task):
    """``teacher``: trained networks (tryon.networks.Networks): the garment network analyses what is laid out flat, and where ``pseudo`` names a
    folder the parser finds what is worn on photos that have no parse map, nor one that was put right by eye; kept there."""

    title = "warp: residual flow on shapes, coarse to fine"
    sources = (CCP + ", worn tops laid out flat", PARSED)
    sizes = (warp.SIZE,)

    def __init__(self, data: str, drawn=(), groups: tuple[str, ...] = augment.GROUPS, teacher=None, pseudo: str = "", times: int = 2):
        photos = [p for p in ccp.read(data, ("train", "val")) if p.pose is not None and len(p.pose)]
        known = [p for p in photos if p.parse is not None or ccp.fill_in(p) is not None]
        train = [p for p in known if p.split == "train"]
        if pseudo:
            train += with_pseudo_parses([p for p in photos if p.parse is None and p.split == "train"], pseudo, teacher.nets["parser"], 0.0)
        found = pairs(train, teacher, times)
        self.groups = groups
        self.train = [pair for pair, (x, _, worn) in zip(found, map(self.as_placed, found)) if overlap(x[:, :len(PARTS)], worn) >= TRUSTED]
        self.val = pairs([p for p in known if p.split == "val"], teacher, 1)
        self.model = Residual()
        print(f"{len(self.train)} of {len(found)} training and {len(self.val)} validation pairs", flush=True)

    def as_placed(self, pair: Pair, device="cpu") -> list[torch.Tensor]:
        """``sample`` of a pair as it is, as a batch of one."""
        return [torch.from_numpy(a)[None].to(device) for a in self.sample(np.random.default_rng(0), View(warp.SIZE), pair)]

    def sample(self, rng: np.random.Generator, view: View, pair: Pair | None = None):
        """What the network sees of the person with what geometry placed, SHAPES x SIZE in 0..1; the product, P x SIZE in 0..1; where the top is
        worn, SIZE uint8 as Pair.worn. A given ``pair`` comes as it is."""
        given, pair = pair is not None, pair or self.train[rng.integers(len(self.train))]
        m, parts = warp.view(pair.body), pair.parts.astype(np.float32) / 255
        if not given:
            m = warp.view(pair.body, rng.normal(0, 5), float(np.exp(rng.normal(0, 0.1))))
            m[:, 2] += rng.normal(0, 4, 2)
            # Geometry misjudges width and length; so may it here, more often than it does.
            neck = (pair.body.neck + 0.5) * pair.coarse - 0.5
            scale, shift = np.exp(rng.normal(0, (0.08, 0.12))), rng.normal(0, 0.03, 2) * pair.body.unit * pair.coarse
            jitter = np.array(((scale[0], 0, neck[0] * (1 - scale[0]) + shift[0]), (0, scale[1], neck[1] * (1 - scale[1]) + shift[1])))
            parts = np.stack([cv2.warpAffine(p, jitter, p.shape[::-1]) for p in parts])
        x = warp.shapes(parts, pair.parse, pair.pose, m, pair.coarse)
        product, worn = pair.product.astype(np.float32) / 255, augment.warp(pair.worn, m, warp.SIZE, nearest=True, fill=HIDDEN)
        if not given and "geometry" in self.groups and rng.random() < 0.5:  # skeletons show right red, left green
            x, product = x[[*MIRROR, 4, 3, 5, 6], :, ::-1], product[list(MIRROR), :, ::-1]
            worn = np.where(worn == RIGHT, LEFT, np.where(worn == LEFT, RIGHT, worn)).astype(np.uint8)[:, ::-1]
        return tuple(np.ascontiguousarray(a) for a in (x, product, worn))

    def loss(self, model, batch):
        """Per level L1 of parts and of their union (x2), second-order smoothness (x3, generalised Charbonnier) and a little total variation
        (after Ge et al. 2021)."""
        x_BCHW, _, worn_BHW = batch
        total = 0.0
        for flow in model(x_BCHW):
            shape = F.interpolate(x_BCHW[:, :len(PARTS)], size=flow.shape[-2:], mode="area")
            l1, union = distances(moved(shape, flow), worn_BHW)
            total = total + l1 + 2 * union + 3 * bending(flow) + 0.02 * (flow[..., 1:] - flow[..., :-1]).abs().mean() * flow.shape[-1]
        return total, {"union": union.detach()}

    def show(self, model, x_BCHW, product_BCHW):
        """The parts where the network puts them."""
        return moved(x_BCHW[:, :len(PARTS)], F.interpolate(model(x_BCHW)[-1], size=warp.SIZE, mode="bilinear", align_corners=False))

    @torch.no_grad()
    def evaluate(self, model) -> dict:
        """IoU of the placed top and the worn one where nothing hides it, mean over the validation pairs, of geometry and of the network."""
        before, after, device = [], [], next(model.parameters()).device
        for pair in self.val:
            x, product, worn = self.as_placed(pair, device)
            before.append(overlap(x[:, :len(PARTS)], worn))
            after.append(overlap(self.show(model, x, product), worn))
        return {"score": float(np.mean(after)), "iou_geometry": float(np.mean(before)), "iou": float(np.mean(after)),
                "share_75": float(np.mean(np.array(after) >= 0.75))}

    @torch.no_grad()
    def samples(self, model):
        """The product laid out flat, the person's skeleton, the product where geometry and where the network puts it, and where it is worn, grey
        where that is not judged; its torso is red, its right and left sleeves are green and blue."""
        device, out = next(model.parameters()).device, []
        for n, pair in enumerate(some(self.val)):
            x, product, worn = self.as_placed(pair, device)
            truth = torch.stack([torch.where(worn == 255, 0.5, worn == v) for v in (TORSO, RIGHT, LEFT)], 1)
            pictures = product, x[:, len(PARTS):len(PARTS) + 3], x[:, :len(PARTS)], self.show(model, x, product), truth
            out.append((str(n), Tile.of([to_picture(p[0]) for p in pictures], 2 * warp.SIZE[0])))
        return out


class GmmTask(WarpTask):
    """CP-VTON's matching module on the same pairs."""

    title = "gmm: geometric matching module of CP-VTON, on shapes"

    def __init__(self, *args, **given):
        super().__init__(*args, **given)
        self.model = GMM()

    def loss(self, model, batch):
        x_BCHW, product_BCHW, worn_BHW = batch
        l1, union = distances(self.show(model, x_BCHW, product_BCHW), worn_BHW)
        return l1 + 2 * union, {"union": union.detach()}

    def show(self, model, x_BCHW, product_BCHW):
        return F.grid_sample(product_BCHW, model(x_BCHW[:, len(PARTS):], product_BCHW), align_corners=False)


def union_of(parts_BPHW: torch.Tensor) -> torch.Tensor:
    return 1 - (1 - parts_BPHW).clamp(0, 1).prod(1)


def distances(parts_BPHW: torch.Tensor, worn_BHW: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean L1 of the parts, and of their union, where the top is known to be or not to be; at the resolution of the parts."""
    shrink = lambda mask: F.interpolate(mask.float(), size=parts_BPHW.shape[-2:], mode="area")
    shown, bare = shrink((worn_BHW < BARE)[:, None]), shrink((worn_BHW == BARE)[:, None])
    truth = shrink(torch.stack([worn_BHW == v for v in (TORSO, RIGHT, LEFT)], 1))
    mean = lambda error, known: (error * known).sum() / known.sum().clamp(min=1)
    error = (parts_BPHW - truth).abs()
    return mean(error[:, :1], shown) + mean(error[:, 1:], shown + bare), mean((union_of(parts_BPHW) - truth.sum(1)).abs()[:, None], shown)


def overlap(parts_BPHW: torch.Tensor, worn_BHW: torch.Tensor) -> float:
    """IoU of the union of the parts and of what is worn, where it may be seen."""
    sleeves = union_of(parts_BPHW[:, 1:]) > 0.5
    judged = (worn_BHW < BARE) | ((worn_BHW == BARE) & sleeves)
    found, truth = (union_of(parts_BPHW) > 0.5) & judged, (worn_BHW > 0) & (worn_BHW < BARE)
    return float((found & truth).sum() / (found | truth).sum().clamp(min=1))


def bending(flow: torch.Tensor) -> torch.Tensor:
    """Second-order smoothness with the generalised Charbonnier penalty, in cells of the flow's own grid."""
    cells = flow * flow.shape[-2]
    charbonnier = lambda d: (d.square() + 1e-6).pow(0.45).mean()
    return (charbonnier(cells[..., 2:] - 2 * cells[..., 1:-1] + cells[..., :-2])
            + charbonnier(cells[..., 2:, :] - 2 * cells[..., 1:-1, :] + cells[..., :-2, :]))
