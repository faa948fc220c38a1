"""Dressing sequences: the frames of garments being put on, from the photo to the still."""
from tryon.dressing.film import Frame, Stage, Still
