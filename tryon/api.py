"""The Python face: analyses and looks without Ray. The job's stages call exactly this code."""
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from tryon import garment as garment_module
from tryon import person as person_module
from tryon import schema as S
from tryon.check import signs, unsure_arms, without_feet
from tryon.compose import finish, lay_out
from tryon.config import GENERATORS, WARPS
from tryon.dressing import sequence
from tryon.fit import Fit
from tryon.garment import Garment
from tryon.networks import Networks
from tryon.person import Person
from tryon.texture import textures
from tryon.warp import place


@dataclass
class Look:
    """One or more garments on one person; all arrays have the height and width of the person photo.

    image HxWx3 uint8 RGB; warped_mask HxW uint8 0/255, garment pixels visible in image (after arms and hair in front);
    edit_mask HxW uint8 0/255, every pixel that may differ from the photo; layout HxW uint8, parse ids of the result;
    score 0..1; reasons: keys of schema.REVIEW_REASONS, empty when nothing needs a look.
    """

    image: np.ndarray
    warped_mask: np.ndarray
    edit_mask: np.ndarray
    layout: np.ndarray
    score: float
    reasons: tuple[str, ...] = ()


PARSE_SURE = 0.75  # below it the parse map of a person is to be looked at
SHOWN, WHOLE, DISTORTED = 0.45, 0.8, 0.15  # limits of tryon.check.Signs, set by eye of random looks over validation photos
REPAINTED = 0.85  # squared torso lengths beside the new garments: what a long coat hid, say; half of it for the arms of a T-shirt
TURNED = 0.5  # distance of the shoulders in that of a person seen from the front


def generate(networks: Networks, person: Person, garments: Sequence[Garment], fits: Sequence[Fit]) -> Look:
    """Put the fitted garments on in order."""
    body = person.body
    canvas = lay_out(person.photo, person.parse, body, garments, fits)[-1]
    image, layout, edit = finish(canvas, person.pose[0], body, networks)
    as_mask = lambda m: m.astype(np.uint8) * 255
    pose_sure, mask_sure = min(f.confidence for f in fits), min(g.confidence for g in garments)
    # What lies over a garment because it should, hides nothing that is missed.
    found = [signs(f, g, canvas.worn == i, (canvas.worn > i) | (f.tucked & (canvas.layout == S.LOWER))) for i, (f, g) in enumerate(zip(fits, garments))]
    shown, whole, distorted = min(s.shown for s in found), min(s.whole for s in found), max(s.distorted for s in found)
    on_arms = any(g.category in ("upper", "full") for g in garments)
    painted = float((edit & (canvas.worn < 0)).sum()) / body.unit ** 2
    score = (0.5 * pose_sure + 0.3 * mask_sure + 0.2 * person.confidence) * min(1.0, shown / SHOWN) * whole * (1 - distorted)
    pose_bad = pose_sure < 0.35 or on_arms and unsure_arms(person.pose[0], layout.shape, body.unit)
    reasons = tuple(r for r, bad in (("pose_uncertain", pose_bad), ("mask_uncertain", mask_sure < 0.8), ("parse_uncertain", person.confidence < PARSE_SURE),
                                     ("hidden", shown < SHOWN), ("in_pieces", whole < WHOLE), ("distorted", distorted > DISTORTED), ("turned", body.view < TURNED),
                                     ("no_feet", without_feet(layout, edit, body)), ("repainted", painted > REPAINTED)) if bad)
    return Look(image, as_mask(canvas.worn >= 0), as_mask(edit), layout, float(np.clip(score, 0, 1)), reasons)


class TryOn:
    """Photos are HxWx3 uint8 RGB arrays of any size; results have the photo's. Bad input raises schema.RowError with a
    reason (``no_person``, ``no_garment``, ``no_place``, ``unsupported_category``, ``unknown_category``)."""

    def __init__(self, networks: Networks, warp: str = "flow", tuck: str = "worn"):
        self.networks, self.warp, self.tuck = networks, warp, tuck

    @classmethod
    def load(cls, device: str = "auto", weights: str = "", warp: str = "flow", generator: str = "cgan", tuck: str = "worn") -> "TryOn":
        """Load the networks on ``cpu``, ``cuda`` or ``auto``; ``weights`` is a folder, by default the package's; ``warp``: flow, geometry or gmm, ``tuck``: worn
        or out (tryon.warp.place); ``generator``: cgan, pix2pix, vae or none (tryon.paint)."""
        return cls(Networks(device, weights, ("parser", "pose", "garment", *GENERATORS[generator], *WARPS[warp])), warp, tuck)

    def parse(self, photo: np.ndarray) -> np.ndarray:
        """uint8 HxW of ids into schema.PARSE_CLASSES."""
        return person_module.parse(self.networks, _photo(photo))[0]

    def pose(self, photo: np.ndarray) -> np.ndarray:
        """float32 Px18x3 (COCO-18; x, y in pixels, confidence), largest person first; a missing joint is 0, 0, 0."""
        return person_module.pose(self.networks, _photo(photo))

    def person(self, photo: np.ndarray) -> Person:
        """The reusable analysis of a photo of a model."""
        return person_module.analyse(self.networks, _photo(photo))

    def garment(self, photo: np.ndarray, category: str | None = None, mask: np.ndarray | None = None) -> Garment:
        """The reusable analysis of a product photo; ``mask`` (HxW uint8 0/255) replaces the network's."""
        return garment_module.analyse_upright(self.networks, _photo(photo), category, mask)

    def render(self, person, garments, category: str | None = None) -> Look:
        """Put ``garments`` (one photo or Garment, or an ordered list) on ``person`` (a photo or a Person)."""
        return generate(self.networks, *self._placed(person, garments, category))

    def dress(self, person, garments, frames: int = 24, under: str = "over", backwards: bool = False, category: str | None = None) -> sequence.Sequence:
        """``garments`` being put on ``person``, both as ``render`` takes them, in ``frames`` pictures: the first is the photo, the last what ``render``
        gives; ``backwards``, taken off. ``under``: ``over`` the person's own clothes, of which what the new ones do not cover is drawn in under
        them; ``remove``, those that have to go are taken off first, down to a neutral base layer; ``base``, they turn into that first."""
        return sequence.dress(self.networks, *self._placed(person, garments, category), frames, under, backwards)

    def _placed(self, person, garments, category: str | None) -> tuple[Person, list[Garment], list[Fit]]:
        if isinstance(garments, (Garment, np.ndarray)):
            garments = [garments]
        if not garments:
            raise ValueError("at least one garment is needed")
        with ThreadPoolExecutor(os.cpu_count()) as pool:  # a photo takes one thread
            found = [pool.submit(self._analysed, g, category) for g in garments]
            needed = [pool.submit(lambda f: textures(f.result()), f) for f in found]  # beside ``place``, which does without them
            person = person if isinstance(person, Person) else self.person(person)
            garments = [f.result() for f in found]
            fits = [place(self.networks, person, g, self.warp, self.tuck) for g in garments]
            for f in needed:
                f.result()
        return person, garments, fits

    def _analysed(self, garment, category: str | None) -> Garment:
        return garment if isinstance(garment, Garment) else self.garment(garment, category)


def _photo(photo: np.ndarray) -> np.ndarray:
    if not (isinstance(photo, np.ndarray) and photo.dtype == np.uint8 and photo.ndim == 3 and photo.shape[2] == 3):
        raise ValueError(f"a photo is an HxWx3 uint8 RGB array, not {getattr(photo, 'dtype', type(photo))} {getattr(photo, 'shape', '')}")
    return photo


__all__ = ["Garment", "Look", "Person", "TryOn", "generate", "place"]
