"""tryon/limbs.py: how thick limbs are, where they go on from what shows of them, and where legs end."""

import numpy as np
import pytest

from tryon import schema as S
from tryon.limbs import ARM, LEG, adjusted, capsule, into_shoe, limbs, profile

LINE, UNIT = np.array(((60.0, 20), (60, 90), (60, 160))), 100.0


@pytest.mark.parametrize("arm, widths", [(True, ARM), (False, LEG)])
def test_a_limb_is_as_thick_as_its_table_says(arm, widths):
    """Radii taken for diameters, or bones that are mixed up."""
    region = capsule((200, 120), *profile(LINE, arm, UNIT))
    for t, half in widths[1:-1]:
        assert abs(region[int(20 + 70 * t)].sum() - 2 * half * UNIT) < 3


def test_a_limb_goes_on_through_the_middle_of_what_shows_of_it():
    """A painted forearm beside the wrist it belongs to, or twice as thick."""
    points, radii = profile(LINE, True, UNIT)
    seen, hidden = capsule((200, 120), points + (6, 0), 0.85 * radii), np.zeros((200, 120), bool)
    hidden[:110], seen[:110] = True, False
    moved, thick = adjusted(points, radii, seen, hidden)
    assert abs(moved[-1, 0] - 66) < 1.5 and np.abs(moved[0] - points[0]).max() < 0.5
    assert 0.8 < np.median(thick / radii) < 0.92
    same = adjusted(points, radii, np.zeros_like(seen), np.ones_like(seen))
    assert (same[0] == points).all() and (same[1] == radii).all()


def test_legs_end_in_the_nearest_shoe():
    """Legs that end above their shoes where trousers hid the ankles, or run to a stranger's."""
    parse, nothing = np.zeros((200, 120), np.uint8), np.zeros((200, 120), bool)
    assert into_shoe(np.array((60.0, 150)), parse, nothing, 50) is None
    parse[170:180, 50:75], parse[170:180, 100:118] = S.SHOES, S.SHOES
    end = into_shoe(np.array((60.0, 150)), parse, nothing, 50)
    assert 50 <= end[0] <= 75 and 169 <= end[1] <= 176
    assert into_shoe(np.array((60.0, 100)), parse, nothing, 50) is None
    pose = np.zeros((18, 3), np.float32)
    pose[[S.R_HIP, S.R_KNEE]] = (60, 30, 1), (60, 95, 1)
    found = list(limbs(pose, UNIT, parse, nothing))
    assert [cls for cls, *_ in found] == [S.RIGHT_LEG] and found[0][1][-1, 1] > 168
