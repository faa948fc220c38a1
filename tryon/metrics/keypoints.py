"""Object key point similarity and COCO's average precision over it; which arms are lifted, which legs crossed."""
import contextlib
import io

import numpy as np

from tryon import schema as S

# COCO's own constants of its 17 joints (twice the sigma of where annotators put them), and the place of each in ours.
SIGMAS = np.array([26, 25, 25, 35, 35, 79, 79, 72, 72, 62, 62, 107, 107, 87, 87, 89, 89]) / 1000
COCO = (S.NOSE, S.L_EYE, S.R_EYE, S.L_EAR, S.R_EAR, S.L_SHOULDER, S.R_SHOULDER, S.L_ELBOW, S.R_ELBOW, S.L_WRIST, S.R_WRIST, S.L_HIP, S.R_HIP,
        S.L_KNEE, S.R_KNEE, S.L_ANKLE, S.R_ANKLE)
FOREARMS = ((S.R_ELBOW, S.R_WRIST), (S.L_ELBOW, S.L_WRIST))
ANKLES = (S.R_ANKLE, S.L_ANKLE)
CLOSE = 0.05  # torso lengths between ankles, sideways, below which legs count as crossed


def torso_length(pose: np.ndarray) -> float:
    """From the neck to the middle of the hips of a pose (18x3), pixels; 0 where one of the three is not known."""
    hips = pose[[S.R_HIP, S.L_HIP]]
    return float(np.linalg.norm(pose[S.NECK_JOINT, :2] - hips[:, :2].mean(0))) if (hips[:, 2] > 0).all() and pose[S.NECK_JOINT, 2] > 0 else 0.0


def apart(pose: np.ndarray) -> float:
    """How far the ankles of a pose (18x3) stand apart sideways, in torso lengths, below 0 where the legs are crossed; inf where that is not known."""
    torso = torso_length(pose)
    if not torso or not (pose[list(ANKLES), 2] > 0).all():
        return np.inf
    return float((pose[S.L_ANKLE, 0] - pose[S.R_ANKLE, 0]) * np.copysign(1, pose[S.L_HIP, 0] - pose[S.R_HIP, 0])) / torso


def lifted(pose: np.ndarray) -> np.ndarray:
    """How far the right and the left wrist of a pose (18x3) lie above their elbows, in torso lengths; -inf where that is not known."""
    torso = torso_length(pose)
    known = lambda e, w: torso > 0 and pose[e, 2] > 0 and pose[w, 2] > 0
    return np.array([(pose[e, 1] - pose[w, 1]) / torso if known(e, w) else -np.inf for e, w in FOREARMS])


def oks(truth: np.ndarray, found: np.ndarray, area: float) -> float:
    """Similarity 0-1 of two 18x3 poses; ``area``: pixels the person covers. Joints the truth lacks do not count."""
    t, f = truth[list(COCO)], found[list(COCO)]
    labelled = t[:, 2] > 0
    if not labelled.any():
        return 0.0
    distance = ((t[:, :2] - f[:, :2]) ** 2).sum(1)
    near = np.exp(-distance / (2 * max(area, 1.0) * (2 * SIGMAS) ** 2)) * (f[:, 2] > 0)
    return float(near[labelled].mean())


def oks_ap(pictures: list[tuple]) -> float | None:
    """Average precision over OKS .50:.05:.95 by pycocotools. ``pictures``: per picture the labelled poses Px18x3, their areas, the found
    poses Qx18x3, and a region HxW uint8 of people not told apart or None. None without a labelled person.

    Raises ModuleNotFoundError when pycocotools (extra ``data``) is not installed.
    """
    from pycocotools.coco import COCO as Dataset
    from pycocotools.cocoeval import COCOeval

    people, results = [], []
    for image, (truth, areas, found, ignore) in enumerate(pictures, 1):
        for pose, area in zip(truth, areas):
            people.append(_entry(image, pose, len(people) + 1) | {"area": area, "iscrowd": 0})
        if ignore is not None and ignore.any():
            ys, xs = np.nonzero(ignore)
            box = [float(xs.min()), float(ys.min()), float(np.ptp(xs) + 1), float(np.ptp(ys) + 1)]
            people.append({"id": len(people) + 1, "image_id": image, "category_id": 1, "keypoints": [0] * 51, "num_keypoints": 0, "bbox": box,
                           "area": box[2] * box[3], "iscrowd": 1})
        results += [_entry(image, pose, len(results) + i + 1) | {"score": float(pose[pose[:, 2] > 0, 2].mean())} for i, pose in enumerate(found)]
    if not any(p["num_keypoints"] for p in people):
        return None
    if not results:
        return 0.0
    with contextlib.redirect_stdout(io.StringIO()):  # it prints a table of its own
        dataset = Dataset()
        dataset.dataset = {"images": [{"id": i} for i in range(1, len(pictures) + 1)], "annotations": people, "categories": [{"id": 1}]}
        dataset.createIndex()
        judge = COCOeval(dataset, dataset.loadRes(results), "keypoints")
        judge.params.areaRng, judge.params.areaRngLbl = [judge.params.areaRng[0]], ["all"]
        judge.evaluate()
        judge.accumulate()
    precision = judge.eval["precision"]
    return float(precision[precision > -1].mean())


def _entry(image: int, pose: np.ndarray, id: int) -> dict:
    joints = pose[list(COCO)].astype(float)
    seen = joints[:, 2] > 0
    joints[:, 2] = np.where(seen, 2, 0)
    xy = joints[seen, :2] if seen.any() else np.zeros((1, 2))
    low, side = xy.min(0), np.ptp(xy, axis=0)
    return {"id": id, "image_id": image, "category_id": 1, "keypoints": joints.reshape(-1).tolist(), "num_keypoints": int(seen.sum()),
            "bbox": [*low.tolist(), *side.tolist()]}
