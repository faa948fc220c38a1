"""The built-in sample store: drawn people and garments, so that the first run needs no photo. See ``store.py``."""

from tryon.sample.garment import SampleGarment, draw_garment
from tryon.sample.person import SamplePerson, draw_person
from tryon.sample.store import garments, people, write_store

__all__ = ["SampleGarment", "SamplePerson", "draw_garment", "draw_person", "garments", "people", "write_store"]
