"""tryon/person.py: confidence, and whose parse map it is."""

import cv2
import numpy as np
import pytest

from tryon import schema as S
from tryon.person import alone, soft_iou, sureness


def test_soft_iou_is_the_iou_that_probabilities_promise():
    rng = np.random.default_rng(0)
    p = np.clip(cv2.GaussianBlur((np.hypot(*(np.mgrid[:200, :200] - 100)) < 60).astype(np.float32), (0, 0), 12), 0, 1)
    found = p > 0.5
    ious = [(found & truth).sum() / (found | truth).sum() for truth in (rng.random(p.shape) < p for _ in range(5))]
    assert soft_iou(p) == pytest.approx(np.mean(ious), abs=0.01)
    assert soft_iou(found.astype(np.float32)) == 1.0 and soft_iou(np.zeros((4, 4), np.float32)) == 0.0


def test_doubt_lowers_the_confidence():
    p = np.zeros((10, 10, len(S.PARSE_CLASSES)), np.float32)
    p[..., S.BACKGROUND] = 1
    assert sureness(p) == 0.0  # nobody
    p[2:8, 2:8] = 0
    p[2:8, 2:8, S.UPPER] = 1
    certain = sureness(p)
    p[2:8, 2:8, S.UPPER], p[2:8, 2:8, S.FULL] = 0.6, 0.4
    kind = sureness(p)
    p[2:8, 2:8, S.FULL], p[2:8, 2:8, S.BACKGROUND] = 0, 0.4
    assert 1.0 == certain > kind > sureness(p)


def test_a_stranger_becomes_background():
    label = np.zeros((100, 200), np.uint8)
    label[10:90, 20:60], label[10:90, 130:170] = S.UPPER, S.LOWER
    poses = np.zeros((2, 18, 3), np.float32)
    for pose, x in zip(poses, (40, 150)):
        for k, y in ((S.NECK_JOINT, 20), (S.R_HIP, 60), (S.R_KNEE, 80)):
            pose[k] = (x, y, 1)
    assert (alone(label, poses) > 0).sum() == (label == S.UPPER).sum() and not np.isin(alone(label, poses), S.LOWER).any()
    assert np.array_equal(alone(label, poses[::-1]) > 0, label == S.LOWER)
