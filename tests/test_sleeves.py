"""tryon/sleeves.py on drawn garments: coordinates of a sleeve, and sleeves that cover arms."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from tryon import schema as S
from tryon.body import Body
from tryon.fit import _walk, fit
from tryon.sleeves import PART, SIGN, Chart, Shoulder, _short, chart, place_sleeve, share_of_arm

SLEEVED = ("top-01", "shirt-04", "sweater-05", "jacket-06")


def pixels(garment, side: str) -> np.ndarray:
    return np.argwhere(garment.parts == PART[side])[:, ::-1].astype(float)


@pytest.mark.parametrize("side", SIGN)
@pytest.mark.parametrize("id", SLEEVED)
def test_coordinates_run_from_armhole_to_cuff_and_from_outside_to_inside(goods, id, side):
    """Axes that are swapped or turned round; a sleeve of which half lies beyond its own edges."""
    garment = goods[id]
    c = chart(garment, side, pixels(garment, side))
    assert np.mean((c.way > -0.25) & (c.way < 1.15)) > 0.95 and np.mean((c.across > -0.12) & (c.across < 1.12)) > 0.9
    at = lambda name: chart(garment, side, np.array([garment.landmarks[f"{name}_{side}"][:2]]))
    shoulder, armpit, outer, inner = (at(n) for n in ("shoulder", "armpit", "cuff_outer", "cuff_inner"))
    assert max(shoulder.way[0], armpit.way[0]) < 0.3 and min(outer.way[0], inner.way[0]) > 0.7
    assert outer.across[0] < 0.35 and inner.across[0] > 0.65 and shoulder.across[0] < armpit.across[0]


@pytest.mark.parametrize("id", ("sweater-05", "jacket-06"))
def test_long_sleeves_cover_the_arm_to_the_wrist_however_narrow_they_lie(persons, goods, id):
    """A jacket on a hanger shows a sliver of its sleeves: arms looked out beside them."""
    garment = goods[id]
    sliver = garment.parts.copy()
    for side in SIGN:
        p = pixels(garment, side)
        hidden = p[chart(garment, side, p).across > 0.45].astype(int)
        sliver[hidden[:, 1], hidden[:, 0]] = 0
    narrow = replace(garment, parts=sliver, mask=np.where(sliver > 0, garment.mask, 0).astype(np.uint8))
    for person in persons.values():
        body = Body(person)
        for g in (garment, narrow):
            for layer in fit(person, g).layers:
                if layer.part == "torso":
                    continue
                line, _ = body.limb(layer.part, arm=True)
                scale = layer.cover.shape[0] / person.parse.shape[0]
                for t in (0.5, 1.0, 1.5):
                    a, b = line[int(min(t, 1.99))], line[int(min(t, 1.99)) + 1]
                    at, across = a + (t - int(min(t, 1.99))) * (b - a), np.array((a[1] - b[1], b[0] - a[0])) / max(np.linalg.norm(b - a), 1e-6)
                    for off in (-0.05, 0, 0.05):
                        x, y = np.rint((at + off * body.unit * across) * scale).astype(int)
                        if 0 <= y < layer.cover.shape[0] and 0 <= x < layer.cover.shape[1]:
                            assert layer.cover[y, x] > 127, (person, layer.part, t, off)


def test_a_raised_arm_is_in_its_sleeve(persons, goods):
    """Sleeves that stay below when the arm goes up."""
    person, pose = persons["edgar"], persons["edgar"].pose.copy()
    unit = Body(person).unit
    pose[0, S.R_ELBOW], pose[0, S.R_WRIST] = ((*(pose[0, S.R_SHOULDER, :2] + np.array(d) * unit), 1) for d in ((-0.4, -0.38), (-0.2, -0.8)))
    layer = next(x for x in fit(replace(person, pose=pose), goods["sweater-05"]).layers if x.part == "right")
    scale = layer.cover.shape[0] / person.parse.shape[0]
    for p in (pose[0, S.R_ELBOW, :2], (pose[0, S.R_ELBOW, :2] + pose[0, S.R_WRIST, :2]) / 2):
        x, y = np.rint(p * scale).astype(int)
        assert layer.cover[y, x] > 127


def test_cloth_under_a_hanging_arm_is_folded_away_not_squeezed():
    """The underside of a sleeve that lay straight out from the torso, crammed in between armpit and cuff when the arm hangs: swirls that look like a puff sleeve."""
    unit, line = 100.0, np.array(((0.0, 0), (2, 55), (4, 105)))
    shoulder = Shoulder(np.array((-22.0, -10)), line, np.array((55.0, 50)), _walk, unit, np.array((0.0, 1)), np.array((1.0, 0)), 1)
    way, across, ends = np.repeat(np.linspace(0, 1, 5), 3), np.tile((0, 0.5, 1.0), 5), np.array(((4.0, -6), (-4, 37)))
    for lag, shown in ((7.5, 5.0), (27, 3.0), (45, 0)):  # laid straight out, aslant, hanging
        c = Chart(way, across, np.full(15, 16.0), ends, 41.0, lag)
        place, outside = place_sleeve(c, np.zeros((15, 2)), ends, shoulder, c.length, 0.9, False)
        steps = np.linalg.norm(np.diff(place[across == 1], axis=0), axis=1)
        assert steps.min() > max(shown, 0.6 * (41 - lag) / 4)
        assert (np.abs(np.linalg.norm(np.diff(place[across == 0], axis=0), axis=1) - 41 / 4) < 1).all()
        under = outside[(across == 1) & (way < 0.5)]
        assert (under < 0).all() if lag < 30 else (under > -5).all()  # behind the torso's armhole
        assert (outside[way == 1] > -1).all() and (outside[across == 0] > -1).all()  # never the cuff, or the outside


@pytest.mark.parametrize("shares, long", [((0.9, 0.7), True), ((0.5, 0.9), False)])
def test_both_sleeves_are_long_or_neither_is(persons, goods, monkeypatch, shares, long):
    """A sleeve that ends at the wrist beside one that ends below the elbow, as one arm seems to be shorter than the other."""
    told, share = [], iter(shares)
    monkeypatch.setattr("tryon.fit.place_sleeve", lambda *args: told.append(bool(args[-1])) or place_sleeve(*args))
    monkeypatch.setattr("tryon.fit.share_of_arm", lambda *args: next(share))
    fit(persons["edgar"], goods["sweater-05"])
    assert told == [long, long]


def test_how_much_of_an_arm_a_sleeve_reaches_down(persons, goods):
    """Long sleeves that count as short, or the reverse."""
    body = Body(persons["edgar"])
    line, true = body.limb("left", arm=True)
    shoulder = Shoulder(body.neck + 0.15 * body.unit * body.across, line, true, _walk, body.unit, body.down, body.across, 1)
    start = shoulder.at(np.array([shoulder.far[1]]))[0]
    to = lambda arc: float(np.interp(arc, shoulder.arc, shoulder.far) - shoulder.far[1])  # along the outline, to so far along the bones
    for share in (0, 0.4, 0.8, 1):
        assert share_of_arm(start, shoulder, to(share * true.sum())) == pytest.approx(share, abs=0.02)


@pytest.mark.parametrize("sign", [-1, 1])
def test_the_cuff_of_a_short_sleeve_is_where_landmarks_tell(sign):
    """A cap sleeve that ends almost in the armpit: the largest quadrangle in it has its cuff along the outer edge, and the sleeve is next to none."""
    mirror = lambda points: np.array(points, float) if sign < 0 else (99, 0) + np.array(points, float) * (-1, 1)
    region, ends, cuff = np.zeros((110, 100), np.uint8), mirror(((74, 16), (57, 91))), mirror(((24, 57), (55, 90)))
    cv2.fillPoly(region, [np.rint(mirror(((74, 16), (60, 21), (24, 57), (55, 90), (57, 91)))).astype(np.int32)], 1)
    length = lambda told: _short(region > 0, ends, sign, ends, told).length
    assert length(None) < 25 and length(cuff) == pytest.approx(64.7, abs=3)
    assert length(mirror(((55, 90), (24, 57)))) == length(None), "landmarks that are wrong are not followed"


def test_a_sleeve_begins_above_the_elbow_though_the_hand_is_at_the_shoulder():
    """A short sleeve that counts as long, and is drawn out to the wrist, as the forearm of a raised hand passes its seam."""
    line, true = np.array(((0.0, 0), (8, 55), (2, 6))), np.array((55.0, 50))
    shoulder = Shoulder(np.array((-22.0, -10)), line, true, _walk, 100.0, np.array((0.0, 1)), np.array((1.0, 0)), 1)
    for start in np.stack(np.meshgrid((-4.0, 2, 8), (0.0, 8, 16)), -1).reshape(-1, 2):
        assert shoulder.arc[0] <= np.interp(shoulder.nearest(start), shoulder.far, shoulder.arc) < 0.6 * true[0], start
        assert share_of_arm(start, shoulder, 25.0) < 0.5, start
