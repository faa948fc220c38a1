"""tryon/training/pose.py: couples, lifted arms. What all tasks have in common is tested in test_tasks.py."""

import drawn
import numpy as np
import torch

from tryon import schema as S
from tryon.metrics.keypoints import FOREARMS, lifted
from tryon.training.pose import BENT, FOREARM, PoseTask
from tryon.training.task import View

SIZE = (192, 160)


def test_joints_behind_somebody_else_are_left_out_of_the_loss_where_they_lie(tmp_path):
    """A network taught to see through people, or that a joint nobody can see is not there; a joint of the one in front that is not learned."""
    task = PoseTask(drawn.ccp(tmp_path, 6), groups=("geometry",))
    checked = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        if not 0.04 <= rng.random() < 0.16:
            continue
        _, poses, hidden, covered = task.couple(rng, SIZE)
        image, paf, heat, heat_known, paf_known = task.sample(np.random.default_rng(seed), View(SIZE))
        assert image.shape == (*SIZE, 3) and paf.shape == paf_known.shape and heat.shape == heat_known.shape
        seen = poses[..., 2] > 0
        cells = np.clip(np.rint((poses[..., :2] + 0.5) / 8 - 0.5).astype(int), 0, (heat.shape[2] - 1, heat.shape[1] - 1))
        for p, j in zip(*np.nonzero(seen & (hidden == 0))):
            x, y = cells[p, j]
            apart = np.linalg.norm(poses[1 - p, j, :2] - poses[p, j, :2]) > 30 if len(poses) > 1 else True
            if covered[p, j]:
                assert not apart or heat_known[j, y, x] == 0 and heat[j, y, x] < 0.3
                checked += bool(apart)
            elif apart:
                assert heat_known[j, y, x] == 1 and heat[j, y, x] > 0.5
        assert set(np.unique(heat_known)) <= {0, 1} and heat_known[:-1][hidden == 0].mean() > 0.8
    assert checked > 5


def hanging(pose: np.ndarray) -> np.ndarray:
    """The pose 18x3 with its wrists half a torso below the elbows."""
    out = pose.copy()
    for elbow, wrist in FOREARMS:
        out[wrist] = out[elbow] + (0, 0.5 * np.linalg.norm(pose[S.NECK_JOINT, :2] - pose[[S.R_HIP, S.L_HIP], :2].mean(0)), 0)
    return out


def up(pose: np.ndarray) -> np.ndarray:
    """The pose 18x3 with its right wrist at the height of the neck."""
    out = pose.copy()
    out[S.R_WRIST] = *pose[S.NECK_JOINT, :2], 1
    return out


def test_lifted_arms_are_told_from_hanging_and_unknown_ones(tmp_path):
    pose = hanging(PoseTask(drawn.ccp(tmp_path)).train[0].pose[0])
    np.testing.assert_allclose(lifted(pose), (-0.5, -0.5), atol=1e-4)
    assert lifted(up(pose))[0] > 0.2 and lifted(up(pose))[1] == lifted(pose)[1]
    for missing, known in ((S.R_WRIST, [False, True]), (S.L_ELBOW, [True, False]), (S.L_HIP, [False, False])):
        without = pose.copy()
        without[missing] = 0
        assert (np.isfinite(lifted(without)) == known).all()


def test_people_with_lifted_arms_come_more_often(tmp_path, monkeypatch):
    """One photo of four: it comes as often as the others together, and more. The way it was, networks do not even learn the lifted arms they are shown."""
    read = lambda folder, splits, **k: [photos[:], photos[:1]][splits != ("train",)]
    photos = PoseTask(drawn.ccp(tmp_path)).train
    for i, photo in enumerate(photos):
        photo.photo, photo.parse, photo.poses = np.full_like(photo.image, 60 * i), None, (up if i == 2 else hanging)(photo.pose[0])[None]
    monkeypatch.setattr("tryon.training.pose.ccp.read", read)
    task = PoseTask("", groups=())
    came = [round(int(np.median(task.person(np.random.default_rng(seed), SIZE)[0])) / 60) for seed in range(200)]
    assert abs(came.count(2) / 200 - (1 + BENT) / (4 + BENT)) < 0.1 and {0, 1, 3} <= set(came)


def test_what_is_wrong_about_wrists_counts_twice(tmp_path):
    task = PoseTask(drawn.ccp(tmp_path), groups=())
    batch = task.batch(0, 0, [0])
    loss = lambda joint: [t.item() for t in task.loss(lambda x: [(batch[1], off(joint))], batch)[1].values()][0]

    def off(joint: int) -> torch.Tensor:
        heat = batch[2].clone()
        heat[:, joint, 0, 0] += 1
        return heat

    known = batch[3][0, :, 0, 0]
    assert known[S.R_WRIST] == known[S.R_HIP] == 1
    ratio = loss(S.R_WRIST) / loss(S.R_HIP)
    assert abs(ratio / FOREARM - 1) < 0.01 and FOREARM > 1
