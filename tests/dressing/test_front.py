"""tryon/dressing/front.py: which shirts open."""
from dataclasses import replace

import cv2
import numpy as np

from tryon.dressing.front import COLUMNS, opens, rows_of_dots


def buttoned(garment, at: float = 0.0):
    """The garment with a row of buttons down its front, ``at`` widths beside the middle."""
    photo, (xc, top), (_, bottom) = garment.photo.copy(), *garment.shape.centre
    x = int(xc + at * garment.shape.width)
    colour = 255 if photo[int((top + bottom) / 2), x].mean() < 128 else 0
    for y in np.linspace(top, bottom, 9)[1:]:
        cv2.circle(photo, (x, int(y)), max(2, int(0.012 * garment.shape.width)), (colour,) * 3, -1)
    return replace(garment, photo=photo)


def test_shirts_open_and_polos_do_not(goods):
    """A polo that is parted down its closed front, a shirt that is pulled over the head."""
    polo = replace(goods["top-01"], subcategory="shirt")  # short sleeves, no buttons below the middle
    assert opens(goods["shirt-04"]) and not opens(polo) and opens(buttoned(polo))


def test_buttons_are_found_where_they_are(goods):
    """A row of dots seen everywhere, or only in the very middle."""
    plain = rows_of_dots(goods["top-01"])
    for at in (-0.1, 0.0, 0.12):
        score = rows_of_dots(buttoned(goods["top-01"], at))
        assert score.shape == (COLUMNS,) and score.max() > 3 * (np.median(plain) + 1)
        assert abs(np.argmax(score) / (COLUMNS - 1) - 0.5 - at / 0.8) < 0.03
