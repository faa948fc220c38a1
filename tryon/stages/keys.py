"""Keys of the report's small pictures; apart, so that the driver need not import the networks."""


def thumb_key(name: str) -> str:
    """``name``: the sha256 of a source, or a look id."""
    return f"report/thumbs/{name}.jpg"
