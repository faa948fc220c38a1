"""tryon/shade.py: light on cloth and limbs."""

import numpy as np

from tryon import schema as S
from tryon import shade

UNIT = 200.0


def test_cloth_turns_away_at_its_sides_and_not_at_its_hem():
    """A garment as flat as it lay in the shop; a hem, a collar or the middle that is darkened as if it were a side."""
    cover = np.zeros((400, 300), np.float32)
    cover[50:350, 60:240] = 1
    factor = shade.turned(cover, UNIT, sleeve=False)
    assert factor[200, 63] < 0.9 < 0.97 < factor[200, 150] <= 1 and (np.diff(factor[200, 63:140]) > -1e-3).all()
    assert 1 - min(factor[346, 150], factor[53, 150]) < 0.5 * (1 - factor[200, 63])
    assert np.abs(factor - factor[:, ::-1]).max() < 0.03


def test_what_a_photo_shows_by_itself_is_not_done_again():
    """A garment photographed on somebody shaded twice; stripes, or light from one side, taken for shade."""
    torso = np.zeros((300, 300), bool)
    torso[40:260, 80:220] = True
    photo = np.full((300, 300, 3), 150, np.uint8)
    photo[:, ::10] = 90
    assert shade.flatness(photo, torso) == 1
    photo = (photo * np.linspace(0.8, 1.2, 300)[None, :, None]).astype(np.uint8)
    assert shade.flatness(photo, torso) > 0.9
    cover = np.where(torso, 1.0, 0.0).astype(np.float32)
    worn = (photo * shade.turned(cover, 140.0, sleeve=False)[..., None]).astype(np.uint8)
    assert shade.flatness(worn, torso) < 0.2
    assert (shade.turned(cover, 140.0, sleeve=False, strength=0.05) >= shade.turned(cover, 140.0, sleeve=False)).all()


def test_what_is_in_front_keeps_light_off():
    """A shadow that is nowhere, everywhere, or that rises."""
    front = np.zeros((400, 300), np.float32)
    front[:200] = 1
    flat, fallen = (shade.beside(front, UNIT, 0.4, fall)[:, 150] for fall in (0.0, 0.04))
    assert 0.75 < flat[201] < 0.86 and flat[240] > 0.99 and (np.diff(flat[204:240]) > -1e-4).all()
    assert (fallen[200:212] < flat[200:212]).all()
    assert (shade.beside(np.zeros_like(front), UNIT) == 1).all()


def test_light_is_read_off_the_face():
    """Light from the wrong side, or from anywhere where no face is seen."""
    face = np.zeros((60, 60), bool)
    face[10:50, 15:45] = True
    image = np.full((60, 60, 3), 120, np.uint8)
    image[:, :30] = 160
    x, y = shade.lit_from(image, face)
    assert x < -0.05 and abs(y) < 0.01
    assert np.allclose(shade.lit_from(image[:, ::-1], face), (-x, y), atol=0.01)
    assert not shade.lit_from(image, np.zeros_like(face)).any() and np.abs(shade.lit_from(np.full_like(image, 90), face)).max() < 1e-6


def test_painted_limbs_are_round():
    """Flat tubes; a side that is dark towards the light; shadows on skin that are grey; shades beside what was painted."""
    layout = np.zeros((400, 300), np.uint8)
    layout[50:350, 140:164] = S.LEFT_ARM
    fill = layout > 0
    fill[:200] = False
    across = lambda light: shade.limbs(layout, fill, UNIT, np.array(light), (200, 350, 130, 180))[75]
    even, lit = across((0.0, 0.0)), across((-0.15, 0.0))
    assert even.shape == (50, 3) and even[22].min() > 0.97 and even[[11, 32], 1].max() < 0.93
    assert (even[11, 0] > even[11, 1]) and (even[11, 1] > even[11, 2]), "red is what is left"
    assert (lit[11] > even[11] + 0.05).all() and (lit[32] < even[32] - 0.05).all() and np.abs(lit[22] - even[22]).max() < 0.02
    assert np.allclose(even[:5], 1, atol=1e-3)


def test_a_chest_in_a_neckline_is_no_neck():
    """Skin in the opening of a shirt darkened all around, as if the shirt's edge were the outline of a neck: a tongue in front of the chest."""
    layout = np.zeros((300, 300), np.uint8)
    layout[120:, 60:240] = S.UPPER
    layout[60:120, 120:180] = layout[120:180, 110:190] = S.NECK
    factor = shade.limbs(layout, layout == S.NECK, UNIT, np.zeros(2), (0, 300, 0, 300))[..., 1]
    assert factor[80, 122] < 0.9 * factor[80, 150]  # the neck before the ground
    opening = factor[150:176, 112:188]
    assert opening.min() > 0.95 * opening.max()


def test_bare_legs_have_knees_and_inner_sides():
    """Legs as even as tubes; the light of the one leg on the other."""
    points = np.stack((np.full(25, 100.0), np.linspace(50, 300, 25)), 1)
    radii, y = np.full(25, 12.0), np.arange(60, 296)
    factor = lambda off, inner, light=(0, 0): shade.on_limb(np.stack((np.full(len(y), 100.0 + off), y), 1), points, radii, 12, inner, False, np.float32(light))
    middle, left, right = factor(0, 1), factor(-8, 1), factor(8, 1)
    knee, shin = (np.abs(y - 175) < 8), (np.abs(y - 205) < 8)
    assert middle[knee].mean() < 0.92 * middle[shin].mean() and (left < right)[y < 270].all()
    assert np.allclose(factor(8, -1), left, atol=1e-4)
    legs = np.array((left, middle, right))[:, y > 140]  # below a skirt; real ones have 0.17
    assert 0.08 < legs.std() < 0.17 and legs.min() > 0.65 and abs(legs.mean() - 1) < 0.06
    lit = factor(8, 1, (0.1, 0)) / right, factor(-8, 1, (0.1, 0)) / left
    assert lit[0].min() > 1.03 and lit[1].max() < 0.97  # from the right of the picture


def test_it_is_dark_between_fingers():
    """Hands without fingers; shadows that fall beside them."""
    label = np.zeros((60, 40), np.uint8)
    label[:, :20] = S.LEFT_ARM
    light = np.ones((60, 40, 3), np.float32)
    shade.crease(light, label, [(S.LEFT_ARM, np.array(((10.0, 10), (10, 50)))), (S.LEFT_ARM, np.array(((19.0, 10), (19, 50))))], 100)
    assert light[30, 10].max() < 0.85 and light[30, 5].min() > 0.98 and (light[:, 20:] == 1).all()


def test_it_is_dark_where_bare_legs_touch():
    """Two legs that are painted side by side and look like one; legs that stand apart, or one alone, with a shadow on them."""
    label = np.full((100, 120), S.BACKGROUND, np.uint8)
    label[:, 20:60], label[:, 60:100] = S.RIGHT_LEG, S.LEFT_LEG
    light = np.ones((100, 120, 3), np.float32)
    shade.meet(light, label, UNIT)
    assert 0.6 < light[50, 59, 1] < 0.75 > light[50, 60, 1] and light[50, 25].min() > 0.9 and (np.diff(light[50, 60:100, 1]) > 0).all()
    assert light[50, 59, 0] > light[50, 59, 1] > light[50, 59, 2] and (light[label == S.BACKGROUND] == 1).all()  # skin's shadows are red
    label[:, 40:80] = S.BACKGROUND
    apart = np.ones_like(light)
    shade.meet(apart, label, UNIT)
    assert apart.min() > 0.95
    label[:, 80:] = S.BACKGROUND
    alone = np.ones_like(light)
    shade.meet(alone, label, UNIT)
    assert (alone == 1).all()
