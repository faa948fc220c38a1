"""Names that stages and driver share; apart, so that the driver need not import the networks."""
import tempfile
from pathlib import Path


def thumb_key(name: str) -> str:
    """Key of a small picture of the report. ``name``: the sha256 of a source, or a look id."""
    return f"report/thumbs/{name}.jpg"


def crumbs(run_id: str) -> Path:
    """The local folder of a run's breadcrumbs, see tryon/stages/contract.py."""
    return Path(tempfile.gettempdir()) / f"tryon-crumbs-{run_id}"
