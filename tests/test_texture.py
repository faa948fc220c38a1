"""tryon/texture.py on drawn garments."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from tryon.garment import clips
from tryon.texture import in_light, neck_opening, outline, patched, rounded, sampled, slits, textures, without_ground


@pytest.mark.parametrize("height", [100, 300, 1200])
def test_cut_out_cloth_is_solid(height):
    """A product photo of few pixels whose cloth the old garment shines through, or an outline that is not soft."""
    mask = np.zeros((height, height), np.uint8)
    mask[height // 5:-height // 5, height // 5:-height // 5] = 255
    soft = outline(mask)
    assert (soft[height // 3:-height // 3, height // 3:-height // 3] == 1).all() and (soft[:height // 8] == 0).all() and ((soft > 0) & (soft < 1)).any()


def test_ground_between_sleeve_and_torso_is_found(goods):
    """A slit that the mask closes shows the ground of the product photo in the look."""
    garment = goods["sweater-05"]
    photo, parts = garment.photo.copy(), garment.parts
    ground = photo[garment.mask == 0].mean(0)
    x, y = (int(v) for v in garment.landmarks["armpit_left"][:2])
    slit = np.zeros(parts.shape, bool)
    slit[y + 4:y + 20, x - 3:x + 4] = True
    slit &= garment.mask > 0
    assert slit.sum() > 40 and not slits(garment)[slit].any()
    photo[slit] = ground
    found = slits(replace(garment, photo=photo))
    assert found[slit].mean() > 0.8 and (found & ~slit).sum() < 1.5 * slit.sum()
    letter = np.zeros(parts.shape, bool)  # of a print, in the colour of the ground
    inner = int(0.06 * garment.shape.width)
    letter[y + 4:y + 20, x - 3 - inner - 12:x - 3 - inner] = True
    letter &= parts == 1
    photo[letter] = ground
    assert letter.sum() > 100 and not slits(replace(garment, photo=photo))[letter].any()


def test_neck_opens_from_collar_to_collar(goods):
    """A keyhole: corners of the neckline and the rim of the back that the network left, which would close it at the top."""
    top = goods["top-01"]
    rim = np.zeros_like(top.inner)
    ys, xs = np.nonzero(top.inner)
    middle = np.abs(xs - xs.mean()) < 0.6 * np.ptp(xs) / 2
    rim[ys[middle & (ys > ys.min() + 2)], xs[middle & (ys > ys.min() + 2)]] = 255
    for inner in (top.inner, rim):
        opening = neck_opening(replace(top, inner=inner)) & (top.mask > 127)
        assert opening[top.inner > 127].mean() > 0.85 and (opening & (top.inner < 128)).sum() < 0.25 * (top.inner > 127).sum()


def test_collars_at_one_place_leave_no_neckline(goods):
    """An error where both ends of a neckline were found between the same two pixels."""
    top = goods["top-01"]
    marks = {side: (100.2, 80.0, 1.0) for side in ("collar_left", "collar_right")}
    narrow = replace(top, inner=np.zeros_like(top.inner), shape=replace(top.shape, landmarks=top.shape.landmarks | marks))
    assert not neck_opening(narrow).any() and len(textures(narrow))


def test_a_neckline_has_no_dents(goods):
    """Teeth along a neckline, as a hanger and a label leave them in what the network found of the inner back; a point of a V that is cut off."""
    top = goods["top-01"]
    h, w = top.inner.shape
    x0, x1, y = w // 2 - 30, w // 2 + 30, np.arange(h)[:, None]
    depth = 200 - np.abs(np.arange(w) - w // 2)  # a V
    teeth = depth - 10 * (np.arange(w) % 12 < 4)
    found = {name: ((y > 120) & (y <= edge) & (np.arange(w) >= x0) & (np.arange(w) <= x1)) for name, edge in (("v", depth), ("teeth", teeth))}
    lowest = {name: np.where(neck_opening(replace(top, category="lower", inner=inner.astype(np.uint8) * 255)), y, -1).max(0)[x0 + 3:x1 - 2]
              for name, inner in found.items()}
    assert np.abs(lowest["v"] - depth[x0 + 3:x1 - 2]).max() <= 2
    assert np.abs(lowest["teeth"] - depth[x0 + 3:x1 - 2]).max() <= 4 and np.abs(np.diff(lowest["teeth"], 2)).max() <= 2


def test_fine_patterns_do_not_flicker():
    """Every other line of fine stripes, which come and go as the cloth moves; cloth at its own size that gets blurred."""
    stripes = np.zeros((200, 200, 3), np.uint8)
    stripes[:, ::2] = 200
    whole = np.ones((200, 200), np.float32)
    places = lambda step: np.stack(np.meshgrid(np.arange(20, 180, step), np.arange(20, 180, step)), -1).astype(np.float32)
    for step in (2.0, 2.5):
        colour, alpha = sampled((whole, stripes), places(step))
        assert np.abs(colour[4:-4, 4:-4].astype(int) - 100).max() < 45 and (alpha > 0.99).all()
    assert np.ptp(sampled((whole, stripes), places(1.0))[0][..., 0]) == 200


def test_cloth_loses_what_it_shows_of_the_ground():
    """Red rims of a grey shirt that lay on red; edges of cloth that lose their own dark seam."""
    photo, inside = np.full((120, 120, 3), (200, 30, 30), np.uint8), np.zeros((120, 120), bool)
    inside[20:100, 20:100] = True
    photo[inside] = 150
    clean = photo.copy()
    clean[inside] = 150
    for k, share in ((20, 0.3), (21, 0.6)):
        photo[20:100, k] = np.uint8(share * 150 + (1 - share) * np.array((200, 30, 30)))
    seam = photo.copy()
    seam[20:100, 98:100] = 20, 60, 20  # not on the way from grey to red
    out = without_ground(seam, inside, 5)
    assert np.abs(out[30:90, 20:22].astype(int) - 150).max() < 30 < np.abs(seam[30:90, 20:22].astype(int) - 150).max()
    assert (out[30:90, 98:100] == seam[30:90, 98:100]).all() and (out[~inside] == seam[~inside]).all()


def test_hues_of_the_ground_leave_the_shaded_edge_of_cloth():
    """A red line along a dark sleeve that lay on a red bed: the edge is in the shade, and a JPEG blurs hues."""
    photo, inside = np.empty((120, 120, 3), np.uint8), np.zeros((120, 120), bool)
    photo[:] = 210, 55, 45
    inside[20:100, 20:100] = True
    photo[inside] = 90, 88, 92
    photo[20:100, 94:100] = np.linspace(90, 55, 6)[:, None].astype(np.uint8)  # darker towards the edge
    luma, *hues = cv2.split(cv2.cvtColor(photo, cv2.COLOR_RGB2YCrCb))
    photo = cv2.cvtColor(cv2.merge((luma, *(cv2.GaussianBlur(h, (0, 0), 1.5) for h in hues))), cv2.COLOR_YCrCb2RGB)
    print_at = inside.copy()
    print_at[:, :98] = print_at[:50] = print_at[60:] = False
    photo[print_at] = 30, 60, 140  # a blue print that reaches the edge
    out = without_ground(photo, inside, 5).astype(int)
    edge = np.s_[65:90, 96:100]
    redness = lambda a: float((a[edge][..., 0] - a[edge][..., 1]).max())
    assert redness(out) < 12 < 25 < redness(photo.astype(int)) and out[65:90, 98].mean() < 75
    assert np.abs(out[print_at] - photo[print_at]).max() < 12


def test_a_shallow_neckline_is_round_and_a_deep_one_as_it_is():
    """Crew necks that come out as a V, of which the landmarks' network saw the middle too low."""
    across = np.linspace(-1, 1, 101)
    v_shaped = lambda deep: 101 * deep * (1 - np.abs(across))
    shallow, deep = v_shaped(0.3), v_shaped(0.7)
    crew = shallow + rounded(shallow)
    assert abs(crew.mean() - shallow.mean()) < 0.03 * shallow.max() and 0.5 * shallow.max() < crew.max() < 0.75 * shallow.max()
    assert crew[10] > 1.5 * shallow[10] and np.allclose(crew, crew[::-1]) and crew[0] == crew[-1] == 0
    assert (rounded(deep) == 0).all() and 0.1 < np.abs(rounded(v_shaped(0.4))).max() < np.abs(rounded(v_shaped(0.36))).max()


def test_clips_of_a_hanger_are_no_part_of_trousers(goods):
    """Black clips at the waist of yellow trousers, or a buckle that is gone."""
    garment = goods["skirt-09"]
    photo, mask = garment.photo.copy(), garment.mask
    ys, xs = np.nonzero(mask > 127)
    tall, clip, buckle = np.ptp(ys), np.zeros(mask.shape, bool), np.zeros(mask.shape, bool)
    for share, where in ((0.15, clip), (0.5, buckle)):
        columns = np.flatnonzero((mask > 127)[ys.min() + int(0.05 * tall)])
        x = int(columns[0] + share * np.ptp(columns))
        where[:ys.min() + int(0.1 * tall), x - 4:x + 5] = True
        where &= mask > 127
        photo[where] = (20, 230, 60) if photo[ys, xs].mean() < 60 else (10, 10, 10)
    found = clips(photo, mask)
    assert found[clip].mean() > 0.9 and not found[buckle].any() and not clips(garment.photo, mask).any()
    colour = textures(replace(garment, photo=photo))[1].astype(int)
    inner = cv2.erode(clip.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    off = lambda picture: np.abs(np.median(picture[inner].astype(int), 0) - np.median(garment.photo[inner], 0)).max()
    assert off(colour) < 0.6 * off(photo)


def test_a_print_goes_on_where_both_sleeves_hid_it():
    """A grey smear on the chest of a checked shirt whose sleeves were folded over it."""
    y, x = np.mgrid[:200, :160]
    checks = np.where(((y // 6 + x // 6) % 2 == 0)[..., None], np.uint8((200, 190, 170)), np.uint8((60, 30, 30)))
    hole = (abs(x - 80) < 30) & (abs(y - 100) < 25)
    smooth = checks.copy()
    smooth[hole] = 130, 110, 100
    out = patched(smooth, ~hole, hole)
    assert (out[~hole] == checks[~hole]).all()
    spread_of = lambda a: a[hole].astype(float).std(0).mean()
    assert spread_of(out) > 0.7 * spread_of(checks) and np.abs(out[hole].mean(0) - checks[hole].mean(0)).max() < 25
    assert (patched(smooth, np.zeros_like(hole), hole) == smooth).all()


def test_what_a_sleeve_hides_of_the_torso_has_the_light_around_it():
    """A rectangle with hard edges on a jacket that was photographed in the light of a window, where a sleeve lay: the other side of it is darker."""
    picture = np.broadcast_to(np.linspace(110, 170, 300)[None, :, None], (400, 300, 3)).astype(np.uint8)
    hole = np.zeros((400, 300), bool)
    hole[150:300, 220:270] = True
    other = np.ascontiguousarray(picture[:, ::-1])
    other[200:210, 240:250] += 25  # a button
    lit = in_light(other, picture, ~hole, hole).astype(int)
    off = np.abs(lit - picture)[hole]
    assert np.median(off) < 8 and np.median(np.abs(other.astype(int) - picture)[hole]) > 25
    button = lit[200:210, 240:250].mean() - lit[200:210, 225:235].mean() - (picture[0, 240:250].mean() - picture[0, 225:235].mean())
    assert 15 < button < 35 and (in_light(other, picture, np.zeros_like(hole), hole) == other).all()
