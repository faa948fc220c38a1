"""Dressing sequences: the frames of garments being put on, from the photo to the still. Read sequence.py first."""
