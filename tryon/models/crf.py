"""Mean field of a fully connected CRF (Krähenbühl & Koltun 2011, https://arxiv.org/abs/1210.5644) on a parser's logits: places that are near and of one colour agree
on their class, so that a corner of a skirt that was taken for a bag becomes skirt.

Pixels that share a cell of place and colour hear the same from the others, so messages pass between about a thousand cells instead of all pairs of pixels.
"""
import cv2
import numpy as np
import torch

from tryon import schema as S

APART, LIGHTER, OTHER_HUE = 0.09, 8.0, 4.0  # spread of the kernel: share of a side of a square of the picture's area; CIELAB L; a and b
CELL, MOST = 1.4, 4000  # side of a cell, in spreads, or more where there would be more cells than that (of 254 views of CCP none has 2700)
WEIGHT, STEPS = 3.0, 5
# A class that fills little is heard somewhat better than its share of the picture, or accessories and hands would go under: its share, and somewhat, to this power.
RARE, SOMEWHAT = 0.15, 0.0014
GROUND, BESIDE = 0.98, 4 / 224  # what is surer of the background than this and so far from all else, as a share of the height, is left alone
SEEN = 0.3  # classes whose probability stays below this everywhere are not in the picture


def settle(logits_CHW: torch.Tensor, picture: np.ndarray) -> torch.Tensor:
    """Logits CHW (0 is the background) and the picture, uint8 RGB of any size -> logits CHW after the mean field, float32 on the same device. Messages pass in the
    precision of the logits.

    Shape legend: N pixels that are looked at, M cells of them, K classes that are in the picture.
    """
    precision, logits_CHW = logits_CHW.dtype, logits_CHW.float()
    h, w = logits_CHW.shape[1:]
    p_CHW, device = logits_CHW.softmax(0), logits_CHW.device
    reach = 2 * round(BESIDE * h) + 1
    ys, xs = np.nonzero(cv2.dilate((p_CHW[0] < GROUND).cpu().numpy().view(np.uint8), np.ones((reach, reach), np.uint8)))
    classes = torch.nonzero(p_CHW.flatten(1).amax(1) > SEEN)[:, 0]
    if not len(ys) or not len(classes):
        return logits_CHW
    small = cv2.resize(picture, (w, h), interpolation=cv2.INTER_AREA)
    lab_N3 = cv2.cvtColor(small.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)[ys, xs]
    spread = APART * (h * w) ** 0.5
    places_N5 = np.column_stack((ys / spread, xs / spread, lab_N3 / (LIGHTER, OTHER_HUE, OTHER_HUE))).astype(np.float32)
    cell_N, order, first = cells(places_N5)
    rows, columns = (torch.from_numpy(a).to(device) for a in (ys, xs))
    logits_KN, p_KN = (a[classes][:, rows, columns] for a in (logits_CHW, p_CHW))
    count_M = np.diff(first, append=len(ys)).astype(np.float32)
    means = lambda a: torch.from_numpy(np.add.reduceat(a[order], first, 0) / count_M[:, None]).to(device)
    places_M5, told_KM, q_KM = means(places_N5), means(logits_KN.T.cpu().numpy()).T, means(p_KN.T.cpu().numpy()).T
    count_M = torch.from_numpy(count_M).to(device)
    half_M = (places_M5 * places_M5).sum(1) / -2
    kernel_MM = torch.addmm(half_M[None], places_M5, places_M5.T).add_(half_M[:, None]).to(precision).exp_()
    skin = torch.isin(classes.cpu(), torch.tensor(S.SKIN)).to(device)
    together = torch.where(skin[:, None] & skin, 1.0, torch.eye(len(classes), device=device))
    for _ in range(STEPS):
        q_KM = q_KM * count_M
        heard_KM = ((q_KM / (q_KM.sum(1, keepdim=True) / (h * w) + SOMEWHAT) ** RARE).to(precision) @ kernel_MM).float()
        heard_KM = together @ heard_KM / heard_KM.sum(0)
        q_KM = (told_KM + WEIGHT * heard_KM).softmax(0)
    out_CHW = logits_CHW.clone()
    out_CHW[classes[:, None], rows, columns] = logits_KN + WEIGHT * heard_KM[:, torch.from_numpy(cell_N).to(device)]
    return out_CHW


def cells(places_ND: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Places N x D in spreads -> the cell of each, N; the order that brings those of a cell together, N; and where in it each cell begins, MOST at most."""
    side, first = CELL, range(MOST + 1)
    while len(first) > MOST:
        keys_ND = np.floor(places_ND / side).astype(np.int64)
        keys_ND -= keys_ND.min(0)
        flat_N = np.ravel_multi_index(keys_ND.T, keys_ND.max(0) + 1)
        order = np.argsort(flat_N, kind="stable")
        new = np.diff(flat_N[order], prepend=-1) != 0
        first, side = np.flatnonzero(new), 1.3 * side
    cell_N = np.empty(len(flat_N), np.int64)
    cell_N[order] = np.cumsum(new) - 1
    return cell_N, order, first
