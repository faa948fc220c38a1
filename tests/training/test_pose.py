"""tryon/training/pose.py: couples. What all tasks have in common is tested in test_tasks.py."""

import drawn
import numpy as np

from tryon.training.pose import PoseTask
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
