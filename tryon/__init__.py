"""tryon: every product worn by every model, as a batch job. Read tryon/pipeline.py first."""
from tryon.schema import PARSE_CLASSES, RowError

__all__ = ["PARSE_CLASSES", "RowError", "TryOn"]


def __getattr__(name: str):
    # torch takes seconds to import: the driver and the light stages never need it.
    if name == "TryOn":
        from tryon.api import TryOn
        return TryOn
    raise AttributeError(f"module 'tryon' has no attribute {name!r}")
