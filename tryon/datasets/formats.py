"""The formats a data set may have, by the name the jobs know them by."""
from collections.abc import Callable, Iterator

from tryon.datasets import ccp, coco, deepfashion2, dresscode, garments, labelme, mpii, on_model, supervisely, viton
from tryon.datasets.sample import Entry
from tryon.datasets.source import Source

FORMATS: dict[str, Callable[[Source], Iterator[Entry]]] = {
    "viton": viton.entries, "viton-hd": viton.entries_hd, "dresscode": dresscode.entries, "deepfashion2": deepfashion2.entries,
    "coco": coco.entries, "mpii": mpii.entries, "ccp": ccp.entries, "ccp-corrected": ccp.corrected_entries,
    "clothing": garments.entries, "labelme": labelme.entries, "supervisely": supervisely.entries,
    "catalogue": on_model.entries,
}
