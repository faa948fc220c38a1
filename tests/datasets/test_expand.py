"""tryon/datasets/expand.py and --expand of jobs/prepare_data.py, on a picture whose joints are dots of their own colours."""

import io
import json
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import handmade
import numpy as np
import pytest
from PIL import Image

from jobs.prepare_data import main
from tryon import schema as S
from tryon.datasets import augment, deepfashion2, expand, shards
from tryon.datasets.sample import IGNORE, Garment, Product, Sample
from tryon.sample import draw_person

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "training"))
import drawn  # noqa: E402

W, H = 240, 320
# joint -> where it is, colour of its dot, class of a disc around it.
DOTS = {
    S.NOSE: ((120, 50), (255, 255, 255), S.UPPER), S.NECK_JOINT: ((120, 80), (0, 0, 0), S.UPPER),
    S.R_WRIST: ((70, 150), (255, 0, 0), S.RIGHT_ARM), S.L_WRIST: ((175, 110), (0, 0, 255), S.LEFT_ARM),
    S.R_HIP: ((100, 170), (0, 255, 0), S.UPPER), S.L_HIP: ((140, 172), (255, 0, 255), S.UPPER),
    S.R_ANKLE: ((95, 285), (255, 255, 0), S.RIGHT_LEG), S.L_ANKLE: ((150, 275), (0, 255, 255), S.LEFT_LEG),
}  # fmt: skip
BOX = (150, 200, 186, 251)
GEOMETRY, COLOUR, CROP = ("geometry",), ("colour",), ("crop_noise",)


def dotted() -> Sample:
    image, parse, pose = np.full((H, W, 3), 128, np.uint8), np.zeros((H, W), np.uint8), np.zeros((1, 18, 3), np.float32)
    parse[30:300, 60:190], parse[:, :6] = S.UPPER, IGNORE
    for joint, (at, colour, cls) in DOTS.items():
        cv2.circle(parse, at, 12, cls, -1)
        cv2.circle(image, at, 6, colour, -1)
        pose[0, joint] = (*at, 0.9)
    parse[BOX[1] : BOX[3], BOX[0] : BOX[2]] = S.BAG
    corners = {"hem_right": (150.0, 250.0, 1.0), "hem_left": (185.0, 250.0, 0.5), "crown": (167.0, 200.0, 1.0)}
    garment = Garment("accessory", "bag", "bag", np.where(parse == S.BAG, 255, 0).astype(np.uint8), corners, tuple(map(float, BOX)), "7", 2)
    heads = np.float32([[105, 30, 135, 70]])
    return Sample("a", "set/a", "set", handmade.save(Image.fromarray(image), "PNG"), parse, pose, heads, [augment.people(parse) * np.uint8(255)],
                  np.where(parse == IGNORE, 255, 0).astype(np.uint8), [garment], split="train")  # fmt: skip


def copies(sample: Sample, groups, count: int = 12, seed: int = 0) -> list[Sample]:
    augmentation = expand.Augmentation(groups, seed)
    return [augmentation.copy(sample, sample.image, k) for k in range(1, count + 1)]


def same(a, b) -> bool:
    """Everything but id and photo."""
    arrays = lambda s: (s.parse, s.poses, s.heads, s.ignore, *s.masks, *(g.mask for g in s.garments))  # noqa: E731
    others = lambda s: [(g.landmarks, g.box) for g in s.garments]  # noqa: E731
    return all(map(np.array_equal, arrays(a), arrays(b))) and others(a) == others(b)


def dots(image) -> dict[int, np.ndarray]:
    """joint -> where the middle of the dot of its colour is in the picture, if all of the dot is there."""
    found = {}
    for joint, (_, colour, _) in DOTS.items():
        y, x = np.nonzero((np.abs(image.astype(int) - colour) < 100).all(-1))
        if len(x) and min(x.min(), y.min()) > 7 and x.max() < W - 8 and y.max() < H - 8:
            found[joint] = np.array((x.mean(), y.mean()))
    return found


@pytest.mark.parametrize("groups", [GEOMETRY, CROP, GEOMETRY + CROP])
def test_picture_maps_masks_landmarks_and_key_points_move_together(groups):
    """A key point transformed by the inverse, or half a pixel per scale off; a reflection that leaves left and right as they were, in the pose,
    in the parse map or in the landmarks; a joint that stays although its dot has left."""
    flips, missing = set(), 0
    for copy in copies(dotted(), groups, 20):
        found, image = dots(copy.image), copy.image
        assert image.shape == (H, W, 3) and len(copy.poses) == 1
        pose = copy.poses[0]
        # In the reflection the dot of the right wrist is the left wrist.
        errors = {flip: [np.abs(pose[S.JOINT_FLIP[j] if flip else j, :2] - at).max() for j, at in found.items()] for flip in (False, True)}
        flip = max(errors[True]) < max(errors[False])
        flips.add(flip)
        assert max(errors[flip]) < 1 and len(found) >= 3
        for joint in np.flatnonzero(pose[:, 2]):
            assert pose[joint, 2] == np.float32(0.9)
            x, y = np.rint(pose[joint, :2]).astype(int).clip(0, (W - 1, H - 1))
            assert copy.parse[y, x] in (DOTS[joint][2], S.BAG)
        gone = [j for j in DOTS if pose[j, 2] == 0]
        assert all((pose[j] == 0).all() for j in gone) and not any(S.JOINT_FLIP[j] in found if flip else j in found for j in gone)
        missing += len(gone)
        assert np.array_equal(copy.masks[0] > 0, augment.people(copy.parse)) and ((copy.ignore > 0) == (copy.parse == IGNORE)).all()
        assert set(np.unique(copy.parse)) <= {0, *(d[2] for d in DOTS.values()), S.BAG, IGNORE} and set(np.unique(copy.masks[0])) <= {0, 255}
        if copy.garments:
            (g,) = copy.garments
            assert np.array_equal(g.mask > 0, copy.parse == S.BAG) and g.box[2:] == tuple(np.argwhere(g.mask).max(0)[::-1] + 1.0)
            assert (g.category, g.pair_id, g.style) == ("accessory", "7", 2)
            hems = {n: p for n, p in g.landmarks.items() if n != "crown"}
            assert all(np.hypot(*(np.argwhere(g.mask)[:, ::-1] - p[:2]).T).min() < 2.5 for p in g.landmarks.values())
            assert len(hems) < 2 or hems["hem_right"][0] < hems["hem_left"][0] and hems["hem_right"][2] == (0.5 if flip else 1.0)
        else:
            assert not (copy.parse == S.BAG).any()
        nose = pose[S.NOSE]
        if nose[2]:
            middle, size = (copy.heads[0, :2] + copy.heads[0, 2:]) / 2, np.ptp(copy.heads[0].reshape(2, 2), 0)
            assert np.abs(middle - nose[:2]).max() < 0.01 and size[1] / size[0] == pytest.approx(40 / 30, rel=1e-3)
    assert flips == ({True, False} if "geometry" in groups else {False}) and (missing > 10 or groups == GEOMETRY)


def test_groups_that_are_off_change_nothing():
    """Colours that change with the geometry alone; a picture that moves with its colours; copies that are all the same."""
    sample = dotted()
    colour, geometry, crop = (copies(sample, g, 10) for g in (COLOUR, GEOMETRY, CROP))
    assert all(same(c, sample) for c in colour) and not any(same(c, sample) for c in geometry) and not all(same(c, sample) for c in crop)
    shift = [np.abs(c.image.astype(int) - sample.image).mean() for c in colour]
    assert max(shift) > 8 and len(set(shift)) > 5
    for c in geometry:
        assert (np.abs(np.median(c.image, (0, 1)) - 128) <= 1).all() and (np.abs(c.image.astype(int) - 128).max(-1) < 6).mean() > 0.9
    assert all(c.parse[:, :1].max() != IGNORE or c.poses[0, S.R_HIP, 0] <= c.poses[0, S.L_HIP, 0] for c in crop)


def test_a_copy_depends_on_seed_id_and_number_alone():
    """Copies that change with the order in which samples come, or that are the same for every sample or seed."""
    sample, other = dotted(), replace(dotted(), id="b")
    first = copies(sample, augment.GROUPS, 3)
    augmentation = expand.Augmentation(augment.GROUPS, 0)
    augmentation.copy(other, other.image, 1)
    again = augmentation.copy(sample, sample.image, 3)
    assert again.photo == first[2].photo and same(again, first[2]) and again.id == "a~3"
    assert (again.identity, again.source, again.split) == ("set/a", "set", "train")
    assert len({c.photo for c in [*first, *copies(other, augment.GROUPS, 3), *copies(sample, augment.GROUPS, 3, seed=1)]}) == 9


def test_crops_are_half_bodies_headless_torsos_and_legs():
    """Crops that always show all of the person: nothing is learned of close-ups. Crops that show nobody."""
    person = draw_person(np.random.default_rng(1), (320, 240), "full")
    sample = Sample("p", "set/p", "set", handmade.save(Image.fromarray(person.image), "PNG"), person.parse, person.pose, split="train")
    seen = [c.poses[0, :, 2] > 0 for c in copies(sample, CROP, 60)]
    head, neck, hips, ankles = ([s[j].any() for s in seen] for j in ([S.NOSE], [S.NECK_JOINT], [S.R_HIP, S.L_HIP], [S.R_ANKLE, S.L_ANKLE]))
    kinds = {"full": sum(h and a for h, a in zip(head, ankles)), "half": sum(h and p and not a for h, p, a in zip(head, hips, ankles)),
             "headless": sum(not h and n for h, n in zip(head, neck)), "legs": sum(a and not n for n, a in zip(neck, ankles))}  # fmt: skip
    assert min(kinds.values()) >= 3 and kinds["half"] >= 10, kinds
    assert all(s.sum() >= expand.MIN_JOINTS for s in seen)
    without = replace(sample, poses=None)
    assert all(0.7**2 * 0.95 < (sample.parse > 0).mean() / (c.parse > 0).mean() for c in copies(without, CROP, 20))


def test_shop_picture_and_tags_stay_true():
    """A reflected print beside a shop picture that is not; a garment cropped away from its shop picture; tags of what a crop does not show;
    a right arm tagged in the reflection of a left one."""
    product = Product("p", handmade.photo(W, H, 3))
    for copy in copies(replace(dotted(), product=product), augment.GROUPS):
        pose = copy.poses[0]
        assert copy.product is product and (pose[[S.NECK_JOINT, S.R_HIP, S.L_HIP], 2] > 0).all() and copy.garments
        assert copy.garments[0].landmarks["hem_right"][2] == 1.0
    classes = np.isin(np.arange(17), [S.RIGHT_ARM, S.UPPER])
    tagged = replace(dotted(), parse=None, classes=classes)
    flips = set()
    for copy in copies(tagged, GEOMETRY + CROP):
        assert (copy.poses[0, list(DOTS), 2] > 0).sum() >= 6 and copy.parse is None
        found = dots(copy.image)
        flip = found[S.R_HIP][0] > found[S.L_HIP][0]
        assert np.flatnonzero(copy.classes).tolist() == [S.LEFT_ARM if flip else S.RIGHT_ARM, S.UPPER]
        flips.add(flip)
    assert flips == {True, False}


def test_people_who_leave_are_left_out_and_the_largest_comes_first():
    """Poses, heads and masks that no longer belong together; a row of zeros that looks like somebody without labels; those dropped who had none."""
    sample = dotted()
    small = np.zeros((18, 3), np.float32)
    small[[S.R_ANKLE, S.L_ANKLE]] = (20, 300, 1), (40, 310, 1)
    spot = np.zeros((H, W), np.uint8)
    spot[295:315, 15:45] = 255
    nobody = np.zeros((18, 3), np.float32)
    sample = replace(sample, poses=np.stack((sample.poses[0], small, nobody, nobody)), masks=[sample.masks[0], spot, None, spot],
                     heads=np.float32([[105, 30, 135, 70], [15, 290, 45, 300], [1, 2, 3, 4], [0, 0, 0, 0]]))  # fmt: skip
    counts = set()
    for copy in copies(sample, GEOMETRY + CROP, 30):
        n = len(copy.poses)
        counts.add(n)
        assert len(copy.masks) == len(copy.heads) == n and sum(m is None for m in copy.masks) == 1
        areas = [np.prod(np.ptp(p[p[:, 2] > 0, :2], 0)) if (p[:, 2] > 0).any() else -1 for p in copy.poses]
        assert areas == sorted(areas, reverse=True)
        for pose, mask in zip(copy.poses, copy.masks):
            assert mask is None or mask.any() or (pose[:, 2] > 0).any()
            for x, y, _ in pose[pose[:, 2] > 0] if mask is not None else []:
                assert mask[int(y), int(x)] or cv2.dilate(mask, np.ones((9, 9)))[int(y), int(x)]
    assert counts == {2, 4} or counts == {2, 3, 4}
    crowd = replace(sample, poses=np.zeros((0, 18, 3), np.float32), masks=[], heads=None)
    assert all(c.poses.shape == (0, 18, 3) and c.heads is None and c.masks == [] for c in copies(crowd, augment.GROUPS, 3))


def test_names_of_landmarks_swap_sides():
    """A left cuff in the reflection of a left cuff; DeepFashion2's numbers left as they are, or a pair of another category."""
    assert expand.reflected("cuff_outer_left", "") == "cuff_outer_right" and expand.reflected("crotch", "") == "crotch"
    pairs = {"short sleeve top": {1: 1, 2: 6, 4: 4, 7: 25, 16: 16}, "long sleeve outwear": {2: 6, 4: 34, 7: 33, 20: 37, 19: 21, 35: 38, 36: 39},
             "short sleeve outwear": {4: 26, 7: 25, 16: 29, 27: 30, 28: 31}, "vest": {7: 15, 11: 11}, "trousers": {1: 3, 2: 2, 4: 14, 9: 9},
             "skirt": {4: 8, 6: 6}, "sling dress": {7: 19, 9: 17, 13: 13}, "long sleeve dress": {7: 37, 22: 22}}  # fmt: skip
    for label, known in pairs.items():
        assert {a: int(expand.reflected(str(a), label)) for a in known} == known
    for label, (_, count, _, _) in deepfashion2.CATEGORIES.items():
        numbers = [str(i) for i in range(1, count + 1)]
        names = [expand.reflected(n, label) for n in numbers]
        assert sorted(names) == sorted(numbers) and [expand.reflected(n, label) for n in names] == numbers
    assert expand.reflected("3", "my own label") is None
    trousers = Garment(label="trousers", landmarks={"1": (60.0, 200.0, 1.0), "3": (180.0, 200.0, 0.5)}, box=(60, 200, 180, 300))
    sample = replace(dotted(), garments=[trousers])
    seen = {tuple((n, c) for n, (_, _, c) in sorted(g.landmarks.items())) for c in copies(sample, GEOMETRY, 20) for g in c.garments}
    assert {(("1", 1.0), ("3", 0.5)), (("1", 0.5), ("3", 1.0))} <= seen


def test_boxes_without_a_mask_move_as_their_corners_and_go_when_they_are_outside():
    """A box left where it was; garments beyond the edge of a crop."""
    sample = dotted()
    sample.garments += [Garment(box=tuple(map(float, BOX))), Garment("upper")]
    for copy in copies(sample, GEOMETRY + CROP, 30):
        masked, boxed, known = ([g for g in copy.garments if test(g)] for test in (
            lambda g: g.mask is not None, lambda g: g.mask is None and g.box, lambda g: g.category == "upper"))  # fmt: skip
        assert len(known) == 1 and len(masked) == len(boxed)
        if masked:
            (x0, y0, x1, y1), box = masked[0].box, boxed[0].box
            assert 0 <= min(box) and box[2] <= W and box[3] <= H and max(box[0] - x0, box[1] - y0, x1 - box[2], y1 - box[3]) < 3
            assert np.abs(np.subtract(masked[0].box, box)).max() < 4 or min(x0, y0) == 0 or x1 == W or y1 == H  # a corner is cut off


def test_copies_are_shared_out_evenly():
    """A sample with all of the copies; one copy too few."""
    for samples, copied in ((7, 0), (7, 3), (7, 7), (7, 30), (1, 5)):
        counts = expand.shares(samples, copied)
        assert len(counts) == samples and sum(counts) == copied and max(counts) - min(counts) <= 1
    assert expand.shares(6, 3) == [0, 1, 0, 1, 0, 1]


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    """A set like CCP of 8 training and 3 validation samples, and the folder it may be written beside."""
    root = tmp_path_factory.mktemp("expand")
    return root, drawn.ccp(root / "ccp", 8, 3)


def run(people, out, *more) -> int:
    root, data = people
    return main(["--format", "ccp", "--data", data, "--out", f"{root}/{out}", "--shard-rows", "6", *map(str, more)])


def contents(root) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def test_train_alone_is_expanded_and_the_same_command_gives_the_same_bytes(people, capsys):
    """Augmented samples in validation; originals lost, or no longer as they were; copies of others with every run or number of threads."""
    root, _ = people
    assert run(people, "plain") == 0 and run(people, "out", "--expand", 21) == 0 and "21" in capsys.readouterr().out
    plain, train = (list(shards.read(f"{root}/{out}", ("train",))) for out in ("plain", "out"))
    assert [s.id for s in train[:8]] == [s.id for s in plain] and all(a.photo == b.photo for a, b in zip(train, plain))
    assert len(train) == 21 and len({s.id for s in train}) == 21 and len({s.photo for s in train}) == 21
    of = {s.id: s for s in plain}
    for copy in train[8:]:
        original = of[copy.id.split("~")[0]]
        assert (copy.identity, copy.source, copy.split) == (original.identity, "ccp", "train") and copy.image.shape == original.image.shape
        assert copy.parse.shape == original.parse.shape and copy.pose is not None
    before, after = contents(root / "plain"), contents(root / "out")
    assert all(after[k] == v for k, v in before.items() if k.startswith(("val", "test")))
    report = json.loads(after["statistics.json"])
    assert report["expanded"] == {"copies": 13, "of": 8, "groups": list(augment.GROUPS), "seed": 0}
    assert report["samples"] == {"train": 21, "val": 3, "test": 0} and report["train"]["people"] == 21
    assert "expanded" not in json.loads(before["statistics.json"])
    assert run(people, "again", "--expand", 21, "--threads", 1) == 0 and contents(root / "again") == after
    assert run(people, "other", "--expand", 21, "--seed", 1) == 0
    other = list(shards.read(f"{root}/other", ("train",)))
    assert [s.id for s in other] == [s.id for s in train] and not any(a.photo == b.photo for a, b in zip(other[8:], train[8:]))


def test_groups_are_chosen_on_the_command_line_and_curation_comes_first(people):
    """--augment that is not heard; copies of samples that curation has left out."""
    root, _ = people
    assert run(people, "kept", "--keep", 5, "--expand", 9, "--augment", "colour") == 0
    train = list(shards.read(f"{root}/kept", ("train",)))
    report = json.loads((root / "kept/statistics.json").read_text())
    of = {s.id: s for s in train if "~" not in s.id}
    assert len(train) == 9 and report["expanded"] == {"copies": 9 - len(of), "of": len(of), "groups": ["colour"], "seed": 0} and len(of) < 6
    for copy in train:
        assert np.array_equal(copy.parse, of[copy.id.split("~")[0]].parse) and np.array_equal(copy.poses, of[copy.id.split("~")[0]].poses)


def test_what_cannot_be_expanded_is_told(people, capsys):
    """Originals thrown away to reach a number; copies without a difference; a typo in a group that switches it off; a traceback."""
    root, _ = people
    assert run(people, "few", "--expand", 7) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: --expand 7 is less than the 8 samples of the train split") and error.count("\n") == 1
    assert not (root / "few/statistics.json").exists()
    for more, words in ((("--augment", "none"), "--augment none"), (("--augment", "color"), "color"), (("--seed", "-1"), "at least 0")):
        with pytest.raises(SystemExit) as e:
            run(people, "few", "--expand", 20, *more)
        assert e.value.code == 2 and words in capsys.readouterr().err
    assert run(people, "exact", "--expand", 8) == 0 and len(list(shards.read(f"{root}/exact", ("train",)))) == 8


def test_photos_of_copies_are_jpeg_that_others_can_read():
    """Red and blue swapped in the file."""
    copy = copies(dotted(), GEOMETRY, 1)[0]
    assert np.abs(np.asarray(Image.open(io.BytesIO(copy.photo)).convert("RGB")).astype(int) - copy.image).max() <= 8
