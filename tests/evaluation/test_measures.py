"""tryon/metrics and tryon/evaluation: figures worked out by hand."""

import cv2
import numpy as np
import pytest

from tryon import schema as S
from tryon.evaluation import confidence
from tryon.evaluation.garment import plain
from tryon.evaluation.pose import match
from tryon.evaluation.views import HALF, PHOTO, rarity, texture, views
from tryon.metrics.keypoints import CLOSE, COCO, apart, oks, oks_ap
from tryon.metrics.quality import confusion, iou_of, merged_iou, region_iou
from tryon.datasets.sample import IGNORE, Sample
from tryon.sample import draw_person


def standing(x=50.0, scale=1.0) -> np.ndarray:
    """All 18 joints of somebody who stands upright, arms down."""
    points = {S.NOSE: (0, 0), S.NECK_JOINT: (0, 20), S.R_SHOULDER: (-15, 20), S.L_SHOULDER: (15, 20), S.R_ELBOW: (-17, 45), S.L_ELBOW: (17, 45),
              S.R_WRIST: (-18, 70), S.L_WRIST: (18, 70), S.R_HIP: (-9, 70), S.L_HIP: (9, 70), S.R_KNEE: (-9, 105), S.L_KNEE: (9, 105),
              S.R_ANKLE: (-9, 140), S.L_ANKLE: (9, 140), S.R_EYE: (-3, -3), S.L_EYE: (3, -3), S.R_EAR: (-6, -1), S.L_EAR: (6, -1)}
    return np.array([(x + points[j][0] * scale, 20 + points[j][1] * scale, 1.0) for j in range(18)], np.float32)


def test_iou_of_two_small_maps():
    truth = np.array([[S.UPPER, S.UPPER, S.LOWER, IGNORE]], np.uint8)
    found = np.array([[S.UPPER, S.LOWER, S.LOWER, S.UPPER]], np.uint8)
    counts = confusion(found, truth)
    assert counts.sum() == 3 and counts[S.UPPER, S.LOWER] == 1  # the ignored pixel is not judged
    ious = iou_of(counts)
    assert ious[S.UPPER] == 0.5 and ious[S.LOWER] == 0.5 and np.isnan(ious[S.SHOES])
    assert region_iou(found, truth, (S.UPPER, S.LOWER)) == (3, 3)
    assert region_iou(found, truth, (S.UPPER, S.OUTER)) == (1, 2)
    merged, garment = merged_iou([found, truth], [truth, truth])
    assert merged[S.MERGED_CLASSES.index("upper")] == pytest.approx(3 / 4) and garment == pytest.approx(3 / 4)


def test_oks_and_its_average_precision():
    a, b = standing(50), standing(150)
    assert oks(a, a, 5000) == 1.0
    moved = a.copy()
    moved[:, 0] += 30
    assert oks(a, moved, 5000) < 0.5
    part = a.copy()
    part[[S.R_ANKLE, S.L_ANKLE]] = 0  # not found: two of 17 joints
    assert oks(a, part, 5000) == pytest.approx(15 / 17)
    assert oks(part, a, 5000) == 1.0  # not labelled: not judged
    assert len(set(COCO)) == 17 and S.NECK_JOINT not in COCO
    truth = np.stack((a, b))
    assert oks_ap([(truth, [5000, 5000], np.stack((b, a)), None)]) == pytest.approx(1.0)
    assert oks_ap([(truth, [5000, 5000], a[None], None)]) == pytest.approx(0.5, abs=0.01)  # one of two: recall ends at a half
    assert oks_ap([(truth, [5000, 5000], np.zeros((0, 18, 3), np.float32), None)]) == 0.0
    assert oks_ap([(np.zeros((0, 18, 3), np.float32), [], a[None], None)]) is None


def test_a_crowd_is_not_held_against_who_is_found_in_it():
    a, other = standing(50), standing(150)
    other[:, 2] = 0.9
    second = standing(50)
    second[:, 2] = 0.1
    crowd = np.zeros((200, 220), np.uint8)
    crowd[:, 120:] = 255
    pictures = [(a[None], [5000], np.stack((other, second)), None)]
    assert oks_ap(pictures) == pytest.approx(0.5, abs=0.01)  # the surer one is wrong
    assert oks_ap([(*pictures[0][:3], crowd)]) == pytest.approx(1.0)


def test_people_are_matched_by_similarity_unless_one_is_labelled():
    a, b = standing(50), standing(150)
    assert match(np.stack((a, b)), [5000, 5000], np.stack((b, a)))[0] is not None
    first, second = match(np.stack((a, b)), [5000, 5000], np.stack((b, a)))
    assert np.array_equal(first, a) and np.array_equal(second, b)
    assert np.array_equal(match(a[None], [5000], np.stack((b, a)))[0], b)  # as the product takes it: the first found
    assert not match(np.stack((a, b)), [5000, 5000], a[None])[1].any()


def test_the_rare_pose_is_rare():
    rng = np.random.default_rng(0)
    poses = [standing() + rng.normal(0, 0.5, (18, 3)).astype(np.float32) * (1, 1, 0) for _ in range(9)]
    up = standing()
    up[[S.R_ELBOW, S.R_WRIST, S.L_ELBOW, S.L_WRIST], 1] = (0, -20, 0, -20)
    values = rarity([*poses, up])
    assert values.argmax() == 9 and values[9] > 5 * np.median(values)
    assert np.isnan(rarity(poses[:3])).all()  # too few to say


def test_confidence_is_told_from_luck():
    assert confidence.auc(np.array([0.9, 0.8]), np.array([0.1, 0.8])) == pytest.approx((2 + 1.5) / 4)
    assert np.isnan(confidence.auc(np.array([1.0]), np.array([])))
    assert confidence.spearman(np.array([1, 2, 3, 4]), np.array([10, 20, 30, 41])) == pytest.approx(1)
    assert confidence.spearman(np.array([1, 2, 3, 4]), np.array([4, 3, 2, 1])) == pytest.approx(-1)
    report = confidence.report([0.9, 0.8, 0.2, 0.0], [0.9, 0.7, 0.3, 0.0], 0.5, [0.0, 0.3], 1, 1)
    assert report["auc_quality_at_least_0.5"] == 1.0 and report["auc_present"] == pytest.approx((2 + 2 + 1 + 0.5) / 8)
    assert [b["pictures"] for b in report["bins"]] == [1, 1, 1, 1] and report["refused"] == 1


def test_texture_and_ground():
    y, x = np.mgrid[:256, :192]
    mask = (abs(y - 128) < 70) & (abs(x - 96) < 50)
    flat = np.where(mask[..., None], (180, 20, 20), (240, 240, 240)).astype(np.uint8)
    striped = np.where((mask & (y // 6 % 2 == 0))[..., None], (255, 255, 255), flat).astype(np.uint8)
    assert texture(striped, mask) > 10 > 1 > texture(flat, mask) and texture(flat, np.zeros_like(mask)) == 0
    assert plain(flat, mask)
    noisy = np.where(mask[..., None], flat, np.random.default_rng(0).integers(0, 255, flat.shape)).astype(np.uint8)
    assert not plain(noisy, mask)


def test_a_half_body_crop_knows_what_it_cut_off():
    person = draw_person(np.random.default_rng(5), (512, 384), "full")
    sample = Sample("a", "set/a", "set", person.image, parse=person.parse, poses=person.pose)
    whole, half = views(sample, person.image)
    assert whole.kind == PHOTO and "full body" in whole.strata and whole.image is person.image
    assert half.kind == HALF and half.absent[[S.R_ANKLE, S.L_ANKLE]].all() and not half.absent[[S.NECK_JOINT, S.R_SHOULDER]].any()
    assert not half.poses[0, half.absent].any()
    again = list(views(sample, person.image))[1]
    assert np.array_equal(half.image, again.image)
    # Labels and picture moved together: the shoulders lie where the label says upper body, and the ground is plain.
    ground = half.parse == S.BACKGROUND
    grey = cv2.cvtColor(half.image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    far = cv2.erode(ground.astype(np.uint8), np.ones((15, 15), np.uint8)) > 0
    assert far.any() and np.abs(grey - cv2.GaussianBlur(grey, (0, 0), 3))[far].mean() < 3


def test_crossed_legs_are_told_from_others_and_unknown_ones():
    """Somebody who is seen from behind, whose right ankle is on the other side of the picture, is not crossing legs."""
    pose = standing()
    crossed, turned = pose.copy(), pose * np.float32((-1, 1, 1))
    crossed[[S.R_ANKLE, S.L_ANKLE]] = pose[[S.L_ANKLE, S.R_ANKLE]]
    assert apart(pose) == pytest.approx(0.36) == apart(turned) and apart(crossed) == pytest.approx(-0.36) and 0 < CLOSE < 0.36
    for missing in (S.R_ANKLE, S.L_HIP, S.NECK_JOINT):
        without = pose.copy()
        without[missing] = 0
        assert apart(without) == np.inf
