"""Person analysis: parse map and pose of a photo of a model."""
import functools
import io
import json
from dataclasses import dataclass

import cv2
import numpy as np

from tryon import schema as S
from tryon.body import Body
from tryon.colours import COLOURS, colours
from tryon.limbs import BONES, HAND, bare_legs
from tryon.masks import among, box_of, closest, distance_to, grown, opened, pieces, shrunk
from tryon.metrics.keypoints import torso_length
from tryon.models.openpose import assemble
from tryon.networks import Networks
from tryon.outlines import GuidedFilter
from tryon.schema import RowError


@dataclass
class Person:
    """photo HxWx3 uint8 RGB; parse HxW uint8 ids into PARSE_CLASSES, of the first person alone; pose Px18x3 float32, the largest first;
    confidence 0..1 of the parse map (``sureness``); each joint has its own."""

    photo: np.ndarray
    parse: np.ndarray
    pose: np.ndarray
    confidence: float

    @functools.cached_property
    def body(self) -> Body:
        """Raises RowError ``no_place`` when neither shoulders nor hips are in the photo."""
        return Body(self)

    @functools.cached_property
    def bare_legs(self) -> dict[int, tuple[np.ndarray, np.ndarray]]:
        """Where bare legs are seen (tryon.limbs.bare_legs), found in a picture made smaller."""
        step = max(1, len(self.parse) // LEGS_AT)
        pose = self.pose[0] / (step, step, 1)
        found = bare_legs(pose, self.body.unit / step, np.ascontiguousarray(self.parse[::step, ::step]))
        return {cls: (points * step, radii * step) for cls, (points, radii) in found.items()}

    def to_bytes(self) -> bytes:
        """The analysis without the photo."""
        return pack({"confidence": self.confidence}, {"pose": self.pose}, {"parse": self.parse})

    @staticmethod
    def from_bytes(data: bytes, photo: np.ndarray) -> "Person":
        meta, a = unpack(data)
        return Person(photo, a["parse"], a["pose"], meta["confidence"])


LEGS_AT = 400  # pixels high, or somewhat more
RIM, UNLIKE = 180, 40  # so many-th of the height of what is seen beside clothes may be theirs, and how far colours are apart then, of 255
HEMS = (S.LOWER, S.FULL, S.OUTER)  # what hangs over shoes
RIMMED = (S.ARMS, (S.HAIR,), (S.BAG,), (S.LEFT_LEG, S.RIGHT_LEG))
# Pieces of a class that may be scraps of the garment beside them: the largest, of the person, and the least share of their colours that it has, too. Two thirds and
# more of what it changes in CCP's train and validation splits are cloth by the labels. And the least share of what is around them that is of that garment.
SCRAPS, TOUCHING = {S.BAG: (0.014, 0.4), S.ACCESSORY: (0.005, 0.2), S.LEFT_ARM: (0.005, 0.4), S.RIGHT_ARM: (0.005, 0.4)}, 0.15
SURE = 0.9  # probability of a class above which a place needs no second look
OUTLINE = 4  # pixels at the parser's size within which an outline is looked for in the photo
EVEN = 180  # the same of the edges of boots and bags
FRAYED = 400  # so many-th of the height: as far as outlines are evened out
BARE = (S.HAIR, S.FACE, S.NECK, S.LEFT_ARM, S.RIGHT_ARM, S.LEFT_LEG, S.RIGHT_LEG)
CLOTHED = [S.UPPER, S.OUTER, S.FULL, S.LOWER]
# Share of a person, and of the largest piece of its class, up to which a piece of a garment is an island, and share of what is around it, but for the ground.
ISLAND, PIECE, SURROUNDED = 0.03, 0.2, 0.75
# A wrist that is found in a sleeve, or beside the person, goes to where its hand begins to show. In torso lengths: farther than APART from skin, in a sleeve
# no farther than ASTRAY from that hand, which is LONGEST from the elbow at most, and nearer than OTHERS to the other wrist is the hand of that; squared, the least area of a hand.
APART, ASTRAY, LONGEST, OTHERS, LEAST = 0.08, 0.4, 0.8, 0.2, 0.004

# Torso lengths from all bones: so far are clothes in the mean, and no nearer than that anywhere, that are a stranger's. All of them were by the labels of CCP's
# validation split, in 2 of 127 photos.
STRAY, BESIDE = 0.55, 0.25
LEGS = (S.R_HIP, S.R_KNEE, S.R_ANKLE, S.L_HIP, S.L_KNEE, S.L_ANKLE)
# Pieces of skin are of the other side if they are in the mean so near to its bones and so far from their own, in torso lengths; squared, the least of them.
ON_BONES, OFF_BONES, SIDED = 0.15, 0.3, 0.002
# Torso lengths below the hips above which no dress ends; along such a share of a hem, and so many torso lengths below it, trousers or a skirt are seen under it.
SHORT, ALONG, UNDER = 0.4, 0.7, 0.02


def soft_iou(p: np.ndarray) -> float:
    """The IoU that a region found by probabilities (float32 h x w in 0..1, above a half) can be expected to have, if they are what they say:
    what is probably rightly in it over what is in it or probably should be."""
    found = p > 0.5
    return float(p[found].sum() / max(float(found.sum() + p[~found].sum()), 1e-6))


def sureness(p: np.ndarray) -> float:
    """Confidence 0..1 of class probabilities h x w x 17: the mean of the IoU that cloth as one region can be expected to have and of the
    probability of the winning class off the background."""
    front = p.argmax(-1) != S.BACKGROUND
    return 0.5 * soft_iou(p[..., CLOTHED].sum(-1)) + 0.5 * float(p.max(-1)[front].mean()) if front.any() else 0.0


def parse(networks: Networks, photo: np.ndarray) -> tuple[np.ndarray, float]:
    """Parse map of an HxWx3 uint8 photo at its own size, and its ``sureness``."""
    told, p = networks.parse(photo)
    classes = np.flatnonzero(p.reshape(-1, p.shape[-1]).max(0) > 0.3)
    best, label = np.zeros(photo.shape[:2], np.float32), np.zeros(photo.shape[:2], np.uint8)
    for cls in classes:
        full = cv2.resize(p[..., cls], photo.shape[1::-1], interpolation=cv2.INTER_LINEAR)
        label[full > best] = cls
        np.maximum(best, full, out=best)
    # Along outlines the photo decides.
    unsure, guided = np.nonzero(best < SURE), GuidedFilter(photo, p.shape[:2], OUTLINE)
    label[unsure] = classes[guided(np.ascontiguousarray(p[..., classes].transpose(2, 0, 1)), unsure).argmax(0)]
    return smooth(label, unsure, classes), round(sureness(told), 3)


def smooth(label: np.ndarray, where: tuple[np.ndarray, np.ndarray], classes: np.ndarray) -> np.ndarray:
    """Parse ids HxW in which the pixels ``where`` (rows and columns) have the class that most around them have, one of ``classes``: outlines that are not frayed."""
    reach = 2 * max(1, round(len(label) / FRAYED)) + 1
    count = [cv2.boxFilter((label == cls).view(np.uint8), cv2.CV_16U, (reach, reach), normalize=False)[where] for cls in classes]
    out = label.copy()
    out[where] = classes[np.argmax(count, 0)]
    return out


def pose(networks: Networks, photo: np.ndarray) -> np.ndarray:
    """Px18x3 float32 (x, y in pixels of the photo, confidence), largest person first; P may be 0."""
    paf, heat, (fx, fy) = networks.pose(photo)
    poses = assemble(paf, heat)
    seen = poses[..., 2] > 0
    # To 1/8 pixel: finer digits depend on the number of threads, and pictures must not.
    poses[..., 0] = np.where(seen, np.rint(((poses[..., 0] + 0.5) * fx - 0.5) * 8) / 8, 0)
    poses[..., 1] = np.where(seen, np.rint(((poses[..., 1] + 0.5) * fy - 0.5) * 8) / 8, 0)
    return poses


def without_islands(label: np.ndarray) -> np.ndarray:
    """Parse ids HxW in which small pieces of a garment that another one surrounds are of that: taken off with theirs, they would leave bites in it, or scraps.
    The largest piece of a class stays, as of a shirt that an open coat lets see, but for that of a coat. Found in a picture made smaller."""
    step = max(1, len(label) // LEGS_AT)
    few, classes = np.ascontiguousarray(label[::step, ::step]), np.array((*CLOTHED, S.LEGWEAR))
    counts = np.bincount(few.ravel(), minlength=len(S.PARSE_CLASSES))
    most, moved = ISLAND * float(few.size - counts[S.BACKGROUND]), few.copy()
    for cls in classes[counts[classes] > 0]:
        _, pieces, stats, _ = cv2.connectedComponentsWithStats((few == cls).view(np.uint8))
        areas = stats[1:, cv2.CC_STAT_AREA]
        limit = PIECE * areas.max() if areas.max() > most else most
        for k in np.flatnonzero(areas <= limit) + 1:
            if k == areas.argmax() + 1 and cls != S.OUTER:
                continue
            x, y, w, h = (int(v) for v in stats[k, :4])
            window = np.s_[max(0, y - 1):y + h + 1, max(0, x - 1):x + w + 1]
            mine = pieces[window] == k
            around = few[window][cv2.dilate(mine.view(np.uint8), np.ones((3, 3), np.uint8)).view(bool) & ~mine]
            person, others = (around != S.BACKGROUND).sum(), (around[:, None] == classes).sum(0)
            if person > 0.4 * len(around) and others.max() > SURROUNDED * person:
                moved[window][mine] = classes[others.argmax()]
    return moved_on(label, few, moved, step)


def moved_on(label: np.ndarray, few: np.ndarray, moved: np.ndarray, step: int) -> np.ndarray:
    """Parse ids HxW in which what became another class between ``few``, every ``step``-th of them, and ``moved`` is of that, up to the pixels of its outline."""
    changed, out = moved != few, label
    for was, now in np.unique(np.stack((few, moved))[:, changed], axis=1).T:
        mine = grown(changed & (few == was) & (moved == now), 1.5) & ((few != was) | changed)
        mine = np.repeat(np.repeat(mine, step, 0), step, 1)[:len(label), :label.shape[1]] & (label == was)
        out = np.where(mine, now, out).astype(np.uint8)
    return out


def without_scraps(photo: np.ndarray, label: np.ndarray) -> np.ndarray:
    """Parse ids HxW in which small pieces of bags, accessories and arms beside a garment that have its colours are of it: cuffs, ends of collars, corners of skirts.
    What is told of them is the share of their colours that the garment has, too. photo HxWx3 uint8. Found in half the size."""
    few = np.ascontiguousarray(label[::2, ::2])
    counts, classes = np.bincount(few.ravel(), minlength=len(S.PARSE_CLASSES)), np.array(CLOTHED)
    classes = classes[counts[classes] > 0]
    if not len(classes):
        return label
    person, moved = few.size - int(counts[S.BACKGROUND]), few.copy()
    found = []
    for cls, (most, alike) in SCRAPS.items():
        if counts[cls]:
            _, labels, stats, _ = cv2.connectedComponentsWithStats((few == cls).view(np.uint8))
            found += [(labels, k, stats[k], alike) for k in np.flatnonzero((stats[:, cv2.CC_STAT_AREA] < most * person) & (stats[:, cv2.CC_STAT_AREA] > 3)) if k]
    if not found:
        return label
    index = colours(np.ascontiguousarray(photo[::2, ::2]))
    shares = {cls: np.bincount(index[few == cls], minlength=COLOURS) / counts[cls] for cls in classes}
    for labels, k, (x, y, w, h, area), alike in found:
        window = np.s_[max(0, y - 2):y + h + 2, max(0, x - 2):x + w + 2]
        mine = labels[window] == k
        around = few[window][grown(mine, 2) & ~mine]
        beside = (around[:, None] == classes).sum(0)
        nearest = classes[beside.argmax()]
        same = np.minimum(np.bincount(index[window][mine], minlength=COLOURS) / area, shares[nearest]).sum()
        if beside.max() > TOUCHING * len(around) and same > alike:
            moved[window][mine] = nearest
    return moved_on(label, few, moved, 2)


def evened(label: np.ndarray) -> np.ndarray:
    """Parse ids HxW with even edges of shoes along trousers and tights, and of bags along clothes, which between dark and dark are guessed: each of both has what most
    around it have. Straps, which are thinner than that, stay."""
    out, room = label.copy(), max(1, len(label) // EVEN)
    for cls, beside in ((S.SHOES, (S.LOWER, S.LEGWEAR)), (S.BAG, CLOTHED)):
        mine, worn = out == cls, among(out, beside)
        if not mine.any() or not worn.any():
            continue
        y0, y1, x0, x1 = np.maximum(np.array(box_of(mine)) + (-4 * room, 4 * room, -4 * room, 4 * room), 0)
        mine, worn, near = mine[y0:y1, x0:x1].copy(), worn[y0:y1, x0:x1].copy(), out[y0:y1, x0:x1]
        if cls == S.BAG:
            mine = opened(mine, 2 * room)
        share = [cv2.GaussianBlur(mask.astype(np.float32), (0, 0), room) for mask in (mine, worn)]
        most = share[0] > share[1]
        lost = mine & ~most
        if lost.any():
            near[lost] = near[closest(worn)][lost]
        near[worn & most] = cls
    return out


def under_hems(label: np.ndarray) -> np.ndarray:
    """Parse ids HxW in which the outermost pixels of shoes along trousers, skirts and coats, which show some of these, are of them: shoes are never painted, and would
    keep a dark or white rim of what was taken off."""
    shoes = label == S.SHOES
    if not shoes.any():
        return label
    width = max(2, round(len(label) / RIM))
    y0, y1, x0, x1 = box_of(shoes)
    window = np.s_[max(0, y0 - width):y1 + width, max(0, x0 - width):x1 + width]
    cloth, shoes, out = among(label[window], HEMS), shoes[window], label.copy()
    rim = shoes & grown(cloth, width)
    if rim.any():
        out[window][rim] = label[window][tuple(a[rim] for a in closest(cloth))]
    return out


def without_rims(photo: np.ndarray, label: np.ndarray) -> np.ndarray:
    """Parse ids HxW in which the outermost pixels of skin, hair and bags beside clothes that have the colour of these clothes rather than that of what is farther in
    are of them: they would stay as an outline of what was taken off. photo HxWx3 uint8."""
    width, out, few = (max(2, round(len(label) / RIM)) + 1) / 2, label, np.ascontiguousarray(label[::2, ::2])  # all but the pixels themselves is looked at in half the size
    cloth = among(few, (*CLOTHED, S.LEGWEAR))
    if not cloth.any():
        return label
    near, inner, picture = grown(cloth, width), shrunk(cloth, width), np.ascontiguousarray(photo[::2, ::2])
    for classes in RIMMED:
        mine = among(few, classes)
        if not (mine & near).any():
            continue
        y0, y1, x0, x1 = box_of(mine & near)
        room = int(8 * width)
        window = np.s_[max(0, y0 - room):y1 + room, max(0, x0 - room):x1 + room]
        top, left = window[0].start, window[1].start
        own = shrunk(mine[window], width)
        own = own if own.any() else shrunk(mine[window], 1)
        mean = lambda mask: [cv2.boxFilter(cv2.copyTo(a, mask.view(np.uint8)), cv2.CV_32F, (2 * int(3 * width) + 1,) * 2) for a in (picture[window], mask.view(np.uint8))]
        means = [mean(own), mean(inner[window])]
        ys, xs = np.nonzero(among(label[2 * y0:2 * y1, 2 * x0:2 * x1], classes))
        ys, xs = ys + 2 * y0, xs + 2 * x0
        beside = near[ys // 2, xs // 2]
        ys, xs = ys[beside], xs[beside]
        at = ys // 2 - top, xs // 2 - left
        colour, ((mine, some), (theirs, others)) = photo[ys, xs].astype(np.float32), ([a[at] for a in pair] for pair in means)
        known = (some > 0.02) & (others > 0.02)
        mine, theirs = mine / np.maximum(some, 1e-3)[:, None], theirs / np.maximum(others, 1e-3)[:, None]
        off = lambda a, b: ((a - b) ** 2).sum(1)
        taken = known & (off(colour, theirs) < off(colour, mine)) & (off(mine, theirs) > UNLIKE ** 2)
        if taken.any():
            # Pixels go with those around them, or outlines are frayed; but those of hands have corners, of hair none.
            y0, y1, x0, x1 = 2 * window[0].start, 2 * window[0].stop, 2 * window[1].start, 2 * window[1].stop
            clothes = among(label[y0:y1, x0:x1], (*CLOTHED, S.LEGWEAR)).view(np.uint8)
            clothes[ys[taken] - y0, xs[taken] - x0] = 1
            if S.HAIR in classes:
                taken = cv2.medianBlur(clothes, 5)[ys - y0, xs - x0] > 0
            else:
                beside = cv2.boxFilter(clothes, cv2.CV_8U, (3, 3), normalize=False)[ys - y0, xs - x0]
                taken = (beside >= 7) | taken & (beside > 3)
        if taken.any():
            out = out.copy() if out is label else out
            nearest = tuple(a[at[0][taken], at[1][taken]] for a in closest(cloth[window]))
            out[ys[taken], xs[taken]] = few[window][nearest]
    return out


def alone(label: np.ndarray, poses: np.ndarray) -> np.ndarray:
    """The parse map of the first of ``poses`` alone: other people become background, with what is nearer to their bones. What is loose -
    a bag, a shoe - stays when it is within half a torso of the person."""
    def distance(pose: np.ndarray) -> np.ndarray:
        lines = np.full(label.shape, 1, np.uint8)
        for a, b in S.LIMBS:
            if pose[a, 2] > 0 and pose[b, 2] > 0:
                cv2.line(lines, *(tuple(int(v) for v in np.rint(pose[k, :2])) for k in (a, b)), 0, 3)
        return cv2.distanceTransform(lines, cv2.DIST_L2, 3)

    count, piece = cv2.connectedComponents((label != S.BACKGROUND).view(np.uint8))
    if count <= 2 and len(poses) == 1:
        return label
    own = distance(poses[0])
    seen = poses[0, poses[0, :, 2] > 0, :2]
    near = own < 0.15 * float(np.ptp(seen, axis=0).max())
    mine = np.isin(piece, np.unique(piece[own == 0])) & (label != S.BACKGROUND)
    # A stranger's face is none of a person's belongings.
    loose = np.setdiff1d(np.unique(piece[near & ~mine]), np.unique(piece[(label == S.FACE) & ~mine]))
    mine |= np.isin(piece, loose)
    for other in poses[1:]:
        mine &= own <= distance(other)
    return np.where(mine, label, S.BACKGROUND).astype(np.uint8)


def without_strangers(pose: np.ndarray, label: np.ndarray) -> np.ndarray:
    """Parse ids HxW without clothes, legs and shoes that are far from the bones of a pose (18x3), what is worn on legs from those of the legs: those of a stranger
    behind the person whose own bones were not found. Found in a picture made smaller."""
    unit, step = torso_length(pose), max(1, 2 * len(label) // LEGS_AT)
    if not unit:
        return label
    few = np.ascontiguousarray(label[::step, ::step])
    gone = np.zeros(few.shape, bool)
    for classes, joints in (((*CLOTHED[:-1],), range(len(S.JOINTS))), ((S.LOWER, S.LEGWEAR, S.LEFT_LEG, S.RIGHT_LEG, S.SHOES), LEGS)):
        bones = np.zeros(few.shape, np.uint8)
        for a, b in (*S.LIMBS, (S.R_HIP, S.L_HIP)):
            if a in joints and b in joints and pose[a, 2] > 0 and pose[b, 2] > 0:
                cv2.line(bones, *(tuple(int(v) for v in np.rint(pose[k, :2] / step)) for k in (a, b)), 1, 1)
        away = distance_to(bones > 0) * np.float32(step / unit)
        for cls in np.intersect1d(classes, few[away > STRAY]):
            labels, areas = pieces(few == cls)
            mean, near = np.bincount(labels.ravel(), away.ravel()) / areas, np.bincount(labels[away < BESIDE], minlength=len(areas)) > 0
            strange = (mean > STRAY) & ~near
            strange[0] = False
            gone |= strange[labels]
    if not gone.any():
        return label
    whole = cv2.resize(grown(gone, 2).view(np.uint8), label.shape[::-1], interpolation=cv2.INTER_NEAREST) > 0  # with what lies between those places
    return np.where(whole & np.isin(label, np.unique(few[gone])), np.uint8(S.BACKGROUND), label)


def to_hands(pose: np.ndarray, label: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A pose 18x3 and a parse map HxW in which wrists that were found in a sleeve, or beside the person, lie where their hands begin to show, beyond the
    end of the sleeve, and these hands belong to those arms. Crossed arms leave little else to be seen."""
    pose, label = pose.copy(), label.copy()
    trunk = [S.NECK_JOINT, *(k for k in (S.R_HIP, S.L_HIP) if pose[k, 2] > 0)]
    if len(trunk) < 2 or not pose[S.NECK_JOINT, 2]:
        return pose, label
    unit = float(np.linalg.norm(pose[trunk[1:], :2].mean(0) - pose[S.NECK_JOINT, :2]))
    labels, areas = pieces(among(label, S.ARMS))
    y, x = np.nonzero(labels)
    skin, piece = np.stack((x, y), 1).astype(np.float32), labels[y, x]
    for cls, elbow, wrist, other in ((S.RIGHT_ARM, S.R_ELBOW, S.R_WRIST, S.L_WRIST), (S.LEFT_ARM, S.L_ELBOW, S.L_WRIST, S.R_WRIST)):
        from_wrist, from_other = (np.linalg.norm(skin - pose[k, :2], axis=1) / unit for k in (wrist, other))
        if not pose[[elbow, wrist], 2].all() or from_wrist.min(initial=np.inf) < APART:
            continue
        bone, rel = pose[wrist, :2] - pose[elbow, :2], skin - pose[elbow, :2]
        bone = bone / max(float(np.linalg.norm(bone)), 1e-6)
        along, aside, far = rel @ bone, np.abs(rel @ (-bone[1], bone[0])), np.linalg.norm(rel, axis=1)
        near = far < LONGEST * unit
        if label[tuple(np.clip(np.rint(pose[wrist, 1::-1]).astype(int), 0, np.subtract(label.shape, 1)))] != S.BACKGROUND:
            near &= (along > 0) & (from_wrist < ASTRAY) & (aside < np.maximum(0.12 * unit, 0.5 * along))
        else:  # such a wrist tells nothing; but what holds an elbow or the other wrist is an arm, not a hand
            near &= bool(pose[other, 2]) & ~np.isin(piece, piece[(far < OTHERS * unit) | (from_other < OTHERS)])
        if pose[other, 2]:
            near &= from_other > OTHERS
        count = np.bincount(piece[near], minlength=len(areas))
        hands = (count > 0.5 * areas) & (areas > LEAST * unit ** 2)
        mine = near & hands[piece]
        if mine.any():
            first = mine & (far <= np.percentile(far[mine], 10))
            pose[wrist, :2] = np.rint(skin[first].mean(0) * 8) / 8
            label[hands[labels]] = cls
    return pose, label


def on_their_side(pose: np.ndarray, label: np.ndarray) -> np.ndarray:
    """Parse ids HxW in which pieces of bare arms and legs that lie on the bones of the other side (pose 18x3), and far from those of their own, are of that: a hand
    on the other side of the chest, ankles of crossed legs. Found in a picture made smaller."""
    unit, step = torso_length(pose), max(1, 2 * len(label) // LEGS_AT)
    few = np.ascontiguousarray(label[::step, ::step])
    moved = few.copy()
    for pair in ((S.RIGHT_ARM, S.LEFT_ARM), (S.RIGHT_LEG, S.LEFT_LEG)):
        joints = [list(BONES[cls]) for cls in pair]
        if not unit or not pose[joints, 2].all():
            continue
        lines = [np.vstack((line, line[2] + HAND * (line[2] - line[1]))) / step for line in pose[joints, :2].astype(float)]  # with hand or foot
        for cls, other, own, others in ((*pair, *lines), (*pair[::-1], *lines[::-1])):
            labels, areas = pieces(few == cls)
            ys, xs = np.nonzero(labels)
            piece, points = labels[ys, xs], np.stack((xs, ys), 1).astype(np.float32)
            near, far = (np.bincount(piece, from_line(points, line), len(areas)) * step / unit / np.maximum(areas, 1) for line in (others, own))
            taken = (near < ON_BONES) & (far > OFF_BONES) & (areas > SIDED * (unit / step) ** 2)
            mine = taken[piece]
            moved[ys[mine], xs[mine]] = other
    return moved_on(label, few, moved, step)


def without_short_dresses(pose: np.ndarray, label: np.ndarray) -> np.ndarray:
    """Parse ids HxW in which what was taken for a dress, but ends high above the knees over trousers or a skirt (pose 18x3), is of the coat or top it goes
    on from: all of a dress that is below the waist would stay under a new top."""
    unit, hips = torso_length(pose), pose[[S.R_HIP, S.L_HIP]]
    dress, tops = label == S.FULL, max((S.OUTER, S.UPPER), key=lambda cls: np.count_nonzero(label == cls))
    if not unit or not dress.any() or not (label == tops).any():
        return label
    columns = np.flatnonzero(dress.any(0))
    hem = len(label) - 1 - dress[::-1, columns].argmax(0)
    below = label[np.minimum(hem + max(2, int(UNDER * unit)), len(label) - 1), columns]
    if np.median(hem) > hips[:, 1].mean() + SHORT * unit or np.mean(below == S.LOWER) < ALONG:
        return label
    return np.where(dress, np.uint8(tops), label)


def from_line(points: np.ndarray, line: np.ndarray) -> np.ndarray:
    """How far points Nx2 are from a polyline Kx2."""
    out = np.full(len(points), np.inf, np.float32)
    for start, way in zip(line[:-1].astype(np.float32), np.diff(line, axis=0).astype(np.float32)):
        rel = points - start
        t = np.clip(rel @ way / max(float(way @ way), 1e-6), 0, 1)
        out = np.minimum(out, np.hypot(rel[:, 0] - t * way[0], rel[:, 1] - t * way[1]))
    return out


def analyse(networks: Networks, photo: np.ndarray) -> Person:
    """Raises RowError ``no_person`` when there is nobody in the photo."""
    label, sure = parse(networks, photo)
    poses = pose(networks, photo)
    if not len(poses):
        raise RowError("no_person", "no person with at least four visible joints was found in the photo")
    label = without_strangers(poses[0], alone(label, poses))
    if (label != S.BACKGROUND).mean() < 0.01:
        raise RowError("no_person", "a pose was found but nothing that looks like a person around it")
    # A garment laid out flat has arms and hips, too. Both limits were set on 50 product photos, of
    # which 6 still pass, and on 89 views of validation people, of which all do.
    bare, joints = np.isin(label, BARE).sum() / (label != S.BACKGROUND).sum(), poses[0, poses[0, :, 2] > 0, 2].mean()
    if bare < 0.04 and joints < 0.62:
        raise RowError("no_person", "what was found has neither skin nor hair: it looks like a photo of a garment")
    poses[0], label = to_hands(poses[0], label)
    label = without_short_dresses(poses[0], on_their_side(poses[0], label))
    return Person(photo, evened(under_hems(without_rims(photo, without_scraps(photo, without_islands(label))))), poses, sure)


def pack(meta: dict, arrays: dict[str, np.ndarray], pictures: dict[str, np.ndarray]) -> bytes:
    """One npz: JSON, small arrays, and HxW uint8 label pictures as PNG."""
    out = io.BytesIO()
    png = {f"png_{k}": np.frombuffer(cv2.imencode(".png", v)[1].tobytes(), np.uint8) for k, v in pictures.items()}
    np.savez(out, meta=np.frombuffer(json.dumps(meta, sort_keys=True).encode(), np.uint8), **arrays, **png)
    return out.getvalue()


def unpack(data: bytes) -> tuple[dict, dict[str, np.ndarray]]:
    """The reverse of ``pack``: JSON, and arrays and pictures by name."""
    with np.load(io.BytesIO(data)) as z:
        arrays = {k: z[k] for k in z.files}
    meta = json.loads(arrays.pop("meta").tobytes())
    return meta, {k.removeprefix("png_"): cv2.imdecode(v, cv2.IMREAD_UNCHANGED) if k.startswith("png_") else v for k, v in arrays.items()}
