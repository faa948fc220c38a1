"""Names that stages and driver share; apart, so that the driver need not import the networks."""


def thumb_key(name: str) -> str:
    """Key of a small picture of the report. ``name``: the sha256 of a source, or a look id."""
    return f"report/thumbs/{name}.jpg"
