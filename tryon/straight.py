"""Straight: a bare limb laid out along its bones, always at the same scale and with the body on the right, so that a network that paints it (tryon.models.limb) sees all limbs
alike, and the way back into the picture."""
from dataclasses import dataclass

import cv2
import numpy as np

from tryon import schema as S
from tryon import shade
from tryon.landmarks import along
from tryon.limbs import ANKLE, BONES, HAND, STEPS
from tryon.masks import distance_to, grown, shrunk
from tryon.models import limb as model
from tryon.networks import Networks
from tryon.pyramid import spread, thrice

SIZE = (192, 64)  # H, W
ALONG = (-0.1, 2.3)  # bones from the first joint: from the upper end to the lower one
PER_LENGTH = {True: 165.0, False: 128.0}  # pixels across per torso length, of arms and of legs: about as many as along
SMOOTH = 0.25  # bones over which a bend is rounded
DIM = 1 / 255
ROW = 1024  # places that are asked at a time
SHAPED = (0.5, 0.7, 1.8, 1.95)  # bones from and to which the outline of a leg is the network's, and where that begins to count; beside an arm there is a body, mostly, and nobody told it where that ends
MOST = 1.4  # times as wide, or as narrow, as usual: the most that is
RELIEF = 0.5  # power of the light measured on limbs (tryon.shade) in what is painted: a network that is to err little is too even, by 0.6 of the true contrast
FINEST = 200  # pixels per torso length: all that a straight limb shows of a picture
UNLIKE = 1.6  # how much more of its red than of its blue, say, skin may have in units of the tone of all: what has more was taken for skin
FADES = 18  # pixels of the straight limb within which what is painted goes over into what is seen


def bones_at(points: np.ndarray, cls: int, joint: np.ndarray) -> np.ndarray:
    """How many bones each of the points (tryon.limbs.limbs, Kx2) of a limb of class ``cls`` is from its first joint; joint: x and y of elbow or knee."""
    beyond = ANKLE if cls not in S.ARMS else HAND if np.linalg.norm(points - joint, axis=1).argmin() < STEPS / 2 else 0.0
    return np.linspace(0, 2 + beyond, len(points))


def inner_side(points: np.ndarray, pose: np.ndarray) -> int:
    """1 where the body is to the left of a limb (points Kx2) in the picture, -1 where it is to the right. pose 18x3."""
    return 1 if points[0, 0] > pose[pose[:, 2] > 0][:, 0].mean() else -1


def extended(points: np.ndarray, bones: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Points Kx2 and their ``bones`` carried on straight at both ends."""
    step = bones[1] - bones[0]
    points = np.vstack((points[0] - 8 * (points[1] - points[0]), points, points[-1] + 8 * (points[-1] - points[-2])))
    return points, np.concatenate(([bones[0] - 8 * step], bones, [bones[-1] + 8 * step]))


def laid_out(points: np.ndarray, bones: np.ndarray, unit: float, arm: bool, inner: int) -> np.ndarray:
    """Where each place of the straight limb is in the picture: x and y, float32 SIZE x 2. points, bones: ``bones_at``; unit: torso length in pixels."""
    points, bones = extended(points, bones)
    fine = np.linspace(bones[0], bones[-1], 400)
    line = np.stack([np.interp(fine, bones, points[:, k]) for k in (0, 1)], 1).astype(np.float32)
    way = cv2.blur(np.gradient(line, axis=0), (1, 2 * max(1, int(SMOOTH / 2 / (fine[1] - fine[0]))) + 1))
    way /= np.maximum(np.linalg.norm(way, axis=1, keepdims=True), 1e-6)
    rows = np.linspace(*ALONG, SIZE[0])
    middle, way = (np.stack([np.interp(rows, fine, a[:, k]) for k in (0, 1)], 1) for a in (line, way))
    across = inner * (np.arange(SIZE[1]) - (SIZE[1] - 1) / 2) / PER_LENGTH[arm] * unit
    return (middle[:, None] + across[:, None] * np.stack((-way[:, 1], way[:, 0]), 1)[:, None]).astype(np.float32)


def places(at: np.ndarray, points: np.ndarray, bones: np.ndarray, unit: float, arm: bool, inner: int) -> np.ndarray:
    """Column and row of the straight limb, float32 Nx2, of places ``at`` (x, y; Nx2) of the picture: the way back."""
    points, bones = extended(points, bones)
    t, u, _ = along(at.astype(float), points)
    rows = np.interp(t, np.concatenate(([0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1)))), bones)
    return np.stack((inner * u / unit * PER_LENGTH[arm] + (SIZE[1] - 1) / 2, (rows - ALONG[0]) / (ALONG[1] - ALONG[0]) * (SIZE[0] - 1)), 1).astype(np.float32)


def condition(image: np.ndarray, known: np.ndarray, tone: np.ndarray, light: np.ndarray, radii: np.ndarray, bones: np.ndarray, unit: float, arm: bool, inner: int) -> np.ndarray:
    """What the network sees (tryon.models.limb) of a straight limb, float32 CONDITION x SIZE. image SIZE x 3 uint8 and known bool SIZE, the limb where it is seen; tone: RGB in
    0..255 of the person's skin; light: that on the face in the picture (tryon.shade.lit_from); radii: half widths at ``bones``, in pixels of the picture, whose torso length is unit."""
    out = np.empty((model.CONDITION, *SIZE), np.float32)
    rows = np.linspace(*ALONG, SIZE[0])[:, None]
    out[:3] = (np.minimum(image / np.maximum(2 * tone, 1), 1) * known[..., None]).transpose(2, 0, 1)
    out[model.KNOWN] = known
    out[model.TONE] = tone[:, None, None] * DIM
    out[model.LIGHT] = np.float32((inner * light[0], light[1]))[:, None, None]
    half = np.interp(rows, bones, radii) / unit * PER_LENGTH[arm]
    out[model.ACROSS] = np.clip((np.arange(SIZE[1])[None] - (SIZE[1] - 1) / 2) / np.maximum(2 * half, 1), -2, 2)
    out[model.ALONG] = rows
    out[model.ARM] = arm
    return out


@dataclass
class Painted:
    """A limb of class ``cls`` as the network paints it: colours float32 SIZE x 3 in 0..255 and the logit of being limb, float32 SIZE; points, bones, radii, unit, inner: as above."""

    cls: int
    points: np.ndarray
    bones: np.ndarray
    radii: np.ndarray
    unit: float
    inner: int
    colours: np.ndarray
    logit: np.ndarray

    def outlined(self) -> tuple[np.ndarray, np.ndarray]:
        """Points and half widths of the limb: of a leg as the network sees its outline."""
        if self.cls in S.ARMS:
            return self.points, self.radii
        centre, rows = (SIZE[1] - 1) / 2, np.interp(self.bones, np.linspace(*ALONG, SIZE[0]), np.arange(SIZE[0]))
        inside = cv2.GaussianBlur(self.logit, (0, 0), 2, borderType=cv2.BORDER_REPLICATE) > 0
        middle = int(centre)
        ends = [np.where(half.all(1), half.shape[1], half.argmin(1)) for half in (inside[:, middle::-1], inside[:, middle + 1:])]  # inner columns are on the right
        left, right = (np.interp(rows, np.arange(SIZE[0]), cv2.GaussianBlur(end.astype(np.float32)[:, None], (1, 9), 0)[:, 0]) for end in ends)
        usual = self.radii / self.unit * PER_LENGTH[False]
        share = np.interp(self.bones, SHAPED, (0, 1, 1, 0)) * (left + right > 2)
        half = np.clip((left + right) / 2, usual / MOST, usual * MOST)
        off = np.clip((right - left) / 2, -0.5 * usual, 0.5 * usual)
        way = np.gradient(self.points, axis=0)
        way /= np.maximum(np.linalg.norm(way, axis=1, keepdims=True), 1e-6)
        sideways = self.inner * np.stack((-way[:, 1], way[:, 0]), 1)
        scale = self.unit / PER_LENGTH[False]
        return self.points + (share * off * scale)[:, None] * sideways, self.radii + share * (half - usual) * scale

    def at(self, places_xy: np.ndarray) -> np.ndarray:
        """Colours, float32 Nx3, of places of the picture (x, y; Nx2)."""
        index = places(places_xy, self.points, self.bones, self.unit, self.cls in S.ARMS, self.inner)
        rows = np.zeros((-(-len(index) // ROW), ROW, 2), np.float32)  # OpenCV takes no rows of more than 32767
        rows.reshape(-1, 2)[:len(index)] = index
        found = cv2.remap(self.colours, rows, None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE) if len(index) else np.zeros((0, ROW, 3), np.float32)
        return found.reshape(-1, 3)[:len(index)]


def painted(networks: Networks, image: np.ndarray, parse: np.ndarray, known: np.ndarray, found: list[tuple[int, np.ndarray, np.ndarray]], pose: np.ndarray, unit: float,
            tone: np.ndarray, light: np.ndarray) -> list[Painted]:
    """The limbs ``found`` (class, points and half widths, as tryon.limbs.limbs gives them) of a picture HxWx3 uint8 painted anew; what of its parse (HxW ids) is ``known`` (bool HxW)
    stays to be seen, and what is painted meets it. pose 18x3; unit: torso length in pixels; tone, light: as for ``condition``."""
    straight, seen, fine = [], [], min(1.0, FINEST / unit)
    if fine < 1:
        image = cv2.resize(image, None, fx=fine, fy=fine, interpolation=cv2.INTER_AREA)
    for cls, points, radii in found:
        arm, bones, inner = cls in S.ARMS, bones_at(points, cls, joint_of(cls, pose)), inner_side(points, pose)
        where = laid_out(points, bones, unit, arm, inner)
        rgb = cv2.remap(image, where if fine == 1 else (where + 0.5) * np.float32(fine) - 0.5, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        mine = cv2.remap(((parse == cls) & known).view(np.uint8), where, None, cv2.INTER_NEAREST).view(bool)
        ratio = rgb / np.maximum(tone, 1)
        mine &= ratio.max(2) < UNLIKE * ratio.min(2)
        straight.append((cls, points, bones, radii, unit, inner))
        seen.append((rgb, mine, condition(rgb, mine, tone, light, radii, bones, unit, arm, inner)))
    if not straight:
        return []
    out = []
    for limb, (rgb, mine, x), (colours, logit) in zip(straight, seen, networks.limbs(np.stack([c for *_, c in seen]))):
        cls, _, _, _, _, inner = limb  # inner columns are on the right: as if it were left of the body
        relief = shade.measured(x[model.ALONG].ravel(), -2 * x[model.ACROSS].ravel(), -1, cls in S.ARMS, inner * -light).reshape(SIZE)
        colours = colours * relief[..., None] ** (RELIEF * shade.SKIN)
        clear, hidden = shrunk(mine, 1), ~mine & (np.abs(x[model.ACROSS]) < 0.2)
        mean = lambda a, where: cv2.blur(cv2.copyTo(a.astype(np.float32), where.view(np.uint8)), (9, 9)) / thrice(np.maximum(cv2.blur(where.astype(np.float32), (9, 9)), 1e-3))
        edge = clear & grown(hidden, 3) & (cv2.blur(hidden.astype(np.float32), (9, 9)) > 0.1)
        if edge.sum() > 5:  # what is seen beside the painted, and what is painted beside that
            colours = colours + spread(mean(rgb, clear) - mean(colours, hidden), edge) * np.exp(-distance_to(edge) / FADES)[..., None]
        colours[clear] = rgb[clear]
        out.append(Painted(*limb, colours, logit))
    return out


def joint_of(cls: int, pose: np.ndarray) -> np.ndarray:
    """x and y of the elbow or knee of a limb of class ``cls``; pose 18x3."""
    return pose[BONES[cls][1], :2]
