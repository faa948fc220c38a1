"""tryon/condition.py: what the generator sees, and what it must not see."""

import numpy as np

from tryon import schema as S
from tryon.condition import condition, skin_tone
from tryon.models.generator import COLOURS, CONDITION, FILL, GARMENT


def scene(rng: np.random.Generator) -> dict[str, np.ndarray]:
    h, w = 32, 24
    garment, fill, allowed = np.zeros((h, w), bool), np.zeros((h, w), bool), np.zeros(len(S.PARSE_CLASSES), bool)
    garment[8:16, 4:12], fill[8:24, 12:20], allowed[[S.BACKGROUND, S.LEFT_ARM]] = True, True, True
    picture = lambda: rng.integers(0, 256, (h, w, 3)).astype(np.uint8)
    return {"image": picture(), "warped": picture(), "tone": np.float32((200, 150, 120)), "garment": garment, "fill": fill,
            "layout": rng.integers(0, len(S.PARSE_CLASSES), (h, w)).astype(np.uint8), "limbs": picture(), "allowed": allowed}


def test_nothing_of_what_is_to_be_painted_is_seen():
    """A network that reads off the old garment what it should guess."""
    a, b = scene(np.random.default_rng(0)), scene(np.random.default_rng(1))
    hidden = a["fill"] | a["garment"]
    changed = a | {"image": np.where(hidden[..., None], b["image"], a["image"]), "layout": np.where(a["fill"], b["layout"], a["layout"]),
                   "warped": np.where(a["garment"][..., None], a["warped"], b["warped"])}
    x = condition(**a)
    assert x.shape == (CONDITION, 32, 24) and x.dtype == np.float32 and x.min() >= 0 and x.max() <= 1
    assert (condition(**changed) == x).all()


def test_masks_tone_and_what_may_come_out_are_in_their_channels():
    """Channels in another order than the losses and the peers read them."""
    a = scene(np.random.default_rng(2))
    x = condition(**a)
    assert (x[GARMENT] == a["garment"]).all() and (x[FILL] == a["fill"]).all()
    assert np.allclose(x[COLOURS - 3:COLOURS].mean((1, 2)), a["tone"] / 255)
    classes = x[FILL + 1:FILL + 1 + len(S.PARSE_CLASSES)]
    assert (classes[:, a["fill"]] == 0.5 * a["allowed"][:, None]).all()
    assert (classes[:, ~a["fill"]].argmax(0) == a["layout"][~a["fill"]]).all() and (classes[:, ~a["fill"]].sum(0) == 1).all()


def test_skin_tone_is_that_of_well_lit_skin():
    """A tone of shadow and highlights, or of a handful of pixels."""
    photo = np.full((20, 20, 3), (200, 150, 120), np.uint8)
    photo[:9], photo[19:] = (60, 40, 30), 255
    skin = np.ones((20, 20), bool)
    assert np.abs(skin_tone(photo, skin) - (200, 150, 120)).max() < 1
    assert (skin_tone(photo, np.zeros((20, 20), bool)) == 0).all()
