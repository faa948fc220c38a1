"""A data set's folder, local or s3://, and how it is read."""
import json
import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from tryon import storage as storage_module
from tryon.datasets.sample import LIMITS, DatasetError, SampleError
from tryon.storage import Storage, join

PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".bmp")


@dataclass(frozen=True)
class Source:
    """``labels``: a label of the data set (name, id, or #rrggbb of a palette copy) -> ours, before the format's own table.

    ``label_set``: which of labels.LABEL_SETS the parse maps follow; empty: the format's own. ``photos``: the folder of LabelMe's photos when
    they are not beside their JSON. ``pairs``: the pairs file of a VITON layout's test part, instead of its own. Files are read only below ``root``
    and the ``allow`` prefixes of ``storage``, whatever an annotation names.
    """

    storage: Storage
    root: str  # absolute
    labels: Mapping[str, str] = field(default_factory=dict)
    label_set: str = ""
    photos: str = ""  # absolute
    pairs: str = ""  # absolute

    @classmethod
    def at(cls, uri: str, labels: Mapping[str, str] = {}, label_set: str = "", storage: Storage = Storage(), allow: tuple[str, ...] = (),
           photos: str = "", pairs: str = "") -> "Source":
        """The data set at a folder's (or one annotation file's) URI. Raises StorageError for a URI that is neither local nor s3://."""
        root = storage_module.absolute(uri)
        inside = root
        if storage_module.is_table(root):
            inside = storage_module.folder(root)
        elif root.endswith((".mat", ".json")):
            # The photos lie beside an annotation file, or beside its folder.
            inside = root.rpartition("/")[0].removesuffix("/annotations").removesuffix("/annot")
        photos = photos and storage_module.absolute(photos)
        allowed = (inside, *map(storage_module.absolute, allow), *([photos] if photos else []))
        return cls(Storage(storage.config, allowed), root, labels, label_set, photos, pairs and storage_module.absolute(pairs))

    def uri(self, *parts: str) -> str:
        return join(self.root, *parts)

    def read(self, uri: str) -> bytes:
        """Raises RowError: not_found, uri_denied, too_large, storage_error."""
        return self.storage.read_source(uri, LIMITS.max_bytes)

    def annotation(self, uri: str, expected: str) -> bytes:
        """A file without which nothing can be read, of any size. Raises DatasetError saying what was expected."""
        if not self.storage.exists(uri):
            raise DatasetError(f"there is no {uri}: {expected}")
        return self.storage.read(uri)

    def has(self, folder: str) -> bool:
        """Whether anything lies in a folder, given absolute or below the root."""
        return next(self.storage.list(folder if folder.startswith(("/", "s3://")) else self.uri(folder)), None) is not None

    def require(self, *folders: str, hint: str = "") -> None:
        """Raise DatasetError naming the first of ``folders`` below the root that is missing or empty."""
        for folder in folders:
            if not self.has(folder):
                raise DatasetError(f"there is nothing in {self.uri(folder)}: this format keeps {', '.join(folders)} there{hint}")

    def files(self, folder: str, suffixes: tuple[str, ...]) -> Iterator[str]:
        """Names below ``folder``, relative to it, in the storage's order."""
        base = self.uri(folder) if folder else self.root
        for uri, _ in self.storage.list(base):
            if uri.lower().endswith(suffixes):
                yield uri.removeprefix(base).lstrip("/")


def stem(name: str) -> str:
    """The name without its suffix, folders kept."""
    return os.path.splitext(name)[0]


def parse_json(data: bytes, where: str, kind: type = dict):
    """The JSON in a sample's file. Raises SampleError("bad_annotation") naming the file."""
    try:
        found = json.loads(data)
    except ValueError as e:
        raise SampleError("bad_annotation", f"{where} is not JSON: {e}") from None
    if not isinstance(found, kind):
        raise SampleError("bad_annotation", f"{where} holds a {type(found).__name__}, a {kind.__name__} was expected")
    return found


def whole_json(data: bytes, where: str, kind: type = dict):
    """As ``parse_json`` for the file of a whole set: raises DatasetError."""
    try:
        return parse_json(data, where, kind)
    except SampleError as e:
        raise DatasetError(e.detail) from None


def load_labels(path: str, storage: Storage = Storage()) -> Mapping[str, str]:
    """A JSON or TOML file of label -> ours (local or s3://). Raises DatasetError when it is not such a table."""
    try:
        text = storage.read(storage_module.absolute(path)).decode()
        table = tomllib.loads(text) if path.endswith(".toml") else json.loads(text)
    except (ValueError, storage_module.NotFoundError) as e:
        raise DatasetError(f"--labels {path}: {e}") from None
    table = table.get("labels", table) if isinstance(table, dict) else table
    if not isinstance(table, dict) or not all(isinstance(v, str) for v in table.values()):
        raise DatasetError(f'--labels {path}: write a table of label = class, for example {{"jumpsuits": "full", "20": "neck"}}')
    return table
