"""tryon/dressing/actions.py: where each kind of garment is wanted, and when."""
from dataclasses import replace

import numpy as np
import pytest
from conftest import wear

from tryon import schema as S
from tryon.body import Body
from tryon.compose import lay_out
from tryon.dressing.actions import FromAbove, Handed, Open, OverHead, StepIn
from tryon.dressing.cloth import sheets
from tryon.dressing.film import Stage
from tryon.dressing.ground import Still
from tryon.dressing.scene import Curve, gathered, placed_for, ramp
from tryon.fit import fit

ACTIONS = {"top-01": OverHead, "sweater-05": OverHead, "dress-10": OverHead, "shirt-04": Open, "jacket-06": Open, "trousers-07": StepIn,
           "shorts-08": StepIn, "skirt-09": StepIn, "jumpsuit-12": StepIn, "hat-13": FromAbove, "scarf": FromAbove, "bag-14": Handed}


def stage(person, garment) -> Stage:
    body, placed, look = Body(person), fit(person, garment), wear(person, garment)
    worn = lay_out(person.photo, person.parse, body, [garment], [placed])
    before = Still(person.photo, person.parse, np.zeros(person.parse.shape, bool), worn[0].worn)
    after = Still(look.image, look.layout, look.edit_mask > 0, worn[1].worn)
    return Stage(before, after, *sheets(placed, garment, person.parse.shape), garment.category, garment.subcategory, 0, body)


@pytest.mark.parametrize("name, who", [*((name, "edgar") for name in ACTIONS), ("top-01", "amir"), ("jacket-06", "amir"), ("jumpsuit-12", "amir")])
def test_from_outside_to_its_place(persons, goods, name, who):
    """A garment that is there from the beginning, or not where it belongs in the end; a kind put on like another."""
    made = stage(persons[who], goods[name])
    act = made.action
    assert type(act) is ACTIONS[name]
    begin, end = act(0.0)[0], act(1.0)[0]
    assert begin.shape == end.shape == (*made.active.shape, 2) and begin.dtype == np.float32
    assert np.abs(end - made.rest)[made.active].max() < 0.03 * made.unit
    first = made.frame(begin, begin, 0.0, 0.0, "")
    assert (first.displacement >= 0).mean() < 0.004
    starts = [start for start, _ in act.phases]
    assert starts[0] == 0 and starts == sorted(starts)
    loose = act(0.5)[1]
    assert loose.shape == made.active.shape and -1e-6 <= loose.min() and loose.max() <= 1 + 1e-6


def middle(made: Stage, time: float, part: str | None = None) -> np.ndarray:
    k = slice(None) if part is None else made.scene.parts.index(part)
    return made.action(time)[0][k][made.active[k]].mean(0)


def test_from_above_or_below(persons, goods):
    """Trousers over the head, a top from the feet."""
    for name, sign in (("top-01", -1), ("dress-10", -1), ("hat-13", -1), ("scarf", -1), ("trousers-07", 1), ("skirt-09", 1), ("bag-14", 1)):
        made = stage(persons["edgar"], goods[name])
        away = sign * (middle(made, 0.3)[1] - made.rest[made.active].mean(0)[1])
        assert away > 0.1 * made.unit, name


def test_one_leg_then_the_other(persons, goods):
    """Both legs at once."""
    made = stage(persons["edgar"], goods["trousers-07"])
    way = {side: made.rest[made.scene.parts.index(side)][made.active[made.scene.parts.index(side)]].mean(0)[1] for side in ("right", "left")}
    assert middle(made, 0.3, "left")[1] - way["left"] > middle(made, 0.3, "right")[1] - way["right"] + 0.1 * made.unit


def test_one_sleeve_then_the_other(persons, goods):
    """A jacket whose sleeves come together; a second sleeve that is in front of the body before the arm is in."""
    made = stage(persons["edgar"], goods["jacket-06"])
    gap = lambda side, time: np.linalg.norm(middle(made, time, side) - made.rest[k := made.scene.parts.index(side)][made.active[k]].mean(0))
    assert gap("right", 0.45) < 0.3 * made.unit < gap("left", 0.45)
    assert made.action.in_front("torso-left", 0.4) < 0 and made.action.in_front("torso-left", 1.0) == np.inf
    parts = made.scene.parts
    assert not set(range(len(parts))) - {k for piece in made.action.pieces() for k in piece} and len(made.action.pieces()) == 2


def test_ring_goes_round_the_head(persons, goods):
    """A bundle in front of the face that the head cannot come through; a back that is in front of the head, or never goes."""
    made = stage(persons["edgar"], goods["top-01"])
    act, parts = made.action, made.scene.parts
    front, back, hem = parts.index("torso"), parts.index("torso-back"), act.length
    middle, half = made.scene.row(0.3 * hem)
    a, b = middle + np.array((-1, 0, 1)) * half, np.full(3, 0.3 * hem)
    opening = act.ring(a, b, 0.2)[1] - act.ring(a, b, 0.2, back=True)[1]
    assert opening[1] > 0.15 * made.unit and np.abs(opening[[0, 2]]).max() < 0.06 * made.unit
    assert act.order(0.2)[0] == back and back not in act.order(0.8) and act.order(0.2)[-1] == front != act.order(0.8)[-1]
    assert act.in_front("torso-back", 0.2) == -np.inf and act.in_front("torso", 0.2) == np.inf
    assert act.form(0.2)[front, ..., 0].max() > 0.2 * made.unit and np.abs(act.form(1.0)[..., 0]).max() < 1


def test_crossed_legs_step_in_together(persons, goods):
    """Trouser legs that are torn apart and tangled on their way up crossed legs."""
    person = persons["edgar"]
    crossed = person.pose.copy()
    crossed[0, [S.R_ANKLE, S.L_ANKLE]] = person.pose[0, [S.L_ANKLE, S.R_ANKLE]]
    one, both = stage(person, goods["trousers-07"]).action, stage(replace(person, pose=crossed), goods["trousers-07"]).action
    assert {"one leg", "other leg"} < {name for _, name in one.phases} and "step in" in {name for _, name in both.phases}


def test_gathers():
    """Cloth that gets longer when it is gathered, or that has not all come out in the end."""
    x = np.linspace(-0.2, 1.2, 50)
    for least in (0.17, 0.3):
        assert np.allclose(gathered(x, 1.0, least), x, atol=0.01)
        totals = [float(gathered(np.array(1.0), p, least)) for p in np.linspace(0, 1, 12)]
        assert (np.diff(totals) > 0).all() and totals[0] == pytest.approx(least, abs=0.02)
        assert all((np.diff(gathered(x, p, least)) > 0).all() for p in (0, 0.3, 0.7, 1))
        assert float(gathered(np.array(1.0), placed_for(0.6, least), least)) == pytest.approx(0.6, abs=0.01)


def test_ramp_is_eased():
    assert [ramp(t, 0.2, 0.8) for t in (0, 0.2, 0.5, 0.8, 1)] == pytest.approx([0, 0, 0.5, 1, 1])
    steps = np.diff([ramp(t, 0, 1) for t in np.linspace(0, 1, 24)])
    assert steps.max() < 1.35 * steps.mean() and steps[0] < steps[11]


def test_curve_there_and_back():
    """Points of a limb that do not come back from its coordinates, beyond its ends too."""
    curve = Curve(np.array(((50.0, 20.0), (60.0, 80.0), (90.0, 130.0))), 200)
    points = np.array(((52.0, 30.0), (70.0, 60.0), (40.0, 0.0), (95.0, 160.0), (80.0, 100.0)))
    assert np.abs(curve.at(*curve.project(points)) - points).max() < 1.0
    assert curve.length == pytest.approx(60.8 + 58.3, abs=3) and curve.leaves((120, 100)) == pytest.approx(105, abs=12)
