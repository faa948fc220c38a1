"""Reading and writing bytes: local paths and s3:// behind one class, and the guard on what a catalogue may name.

URIs are local paths (relative, absolute, file:///...) or s3://bucket/key. A key is taken literally: nothing in it is
decoded. This file is one of the two places of the package where exceptions are caught (STYLE): what botocore and
the operating system raise becomes StorageError, or RowError when a merchant's URI is at fault.
"""

import contextlib
import errno
import os
import posixpath
import re
import stat
import threading
import urllib.parse
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import boto3
import botocore.config
import botocore.exceptions as boto_errors
import pyarrow.fs

from tryon.config import StorageConfig
from tryon.schema import RowError

TABLE_SUFFIXES = (".parquet", ".csv", ".jsonl")
# S3 allows 1024 bytes of key; anything longer than this is no picture's name.
MAX_URI = 2048
# Tries of one object whose connection breaks in mid-body, which botocore itself does not retry.
BODY_ATTEMPTS = 4
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:/")
_MISSING = ("NoSuchKey", "404", "NotFound")
_CONFLICT = ("PreconditionFailed", "ConditionalRequestConflict", "412", "409")


class StorageError(Exception):
    """Storage cannot be used; the message is one line: what failed, where, what to check."""


class NotFoundError(StorageError):
    """There is no object at the URI."""


def is_s3(uri: str) -> bool:
    return uri.startswith("s3://")


def split_s3(uri: str) -> tuple[str, str]:
    """(bucket, key) of an s3:// URI; the key has no slash at either end."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key.strip("/")


def absolute(uri: str) -> str:
    """The URI as every process understands it: an absolute local path, or s3://bucket/key without a slash at the end.

    Raises StorageError for a scheme that is neither.
    """
    if is_s3(uri):
        bucket, key = split_s3(uri)
        if not bucket:
            raise StorageError(f"{uri!r} names no bucket; write s3://bucket/prefix")
        return f"s3://{bucket}/{key}" if key else f"s3://{bucket}"
    if uri.startswith("file:///"):
        uri = urllib.parse.unquote(uri.removeprefix("file://"))
    elif _SCHEME.match(uri):
        raise StorageError(f"cannot use {uri!r}: only local paths, file:///path and s3://bucket/prefix are read")
    return os.path.abspath(uri)


def join(root: str, *parts: str) -> str:
    """``root`` and ``parts`` with one slash between each."""
    return "/".join([root.rstrip("/"), *(part.strip("/") for part in parts)])


def is_table(uri: str) -> bool:
    return uri.lower().endswith(TABLE_SUFFIXES)


def folder(uri: str) -> str:
    """The folder that URIs of a table are relative to: the table's, or ``uri`` itself when it is no table."""
    uri = absolute(uri)
    return uri.rpartition("/")[0] or "/" if is_table(uri) else uri


def resolve(base: str, uri: str) -> str:
    """``uri`` as written in a table of the folder ``base`` (absolute). Not yet a judgement: see Storage.read_source."""
    if _SCHEME.match(uri):
        return uri
    if is_s3(base):
        bucket, prefix = split_s3(base)
        # An S3 key is opaque, so dots are resolved here; what climbs out of the bucket keeps its .. and is denied.
        return f"s3://{bucket}/{posixpath.normpath(posixpath.join(prefix, uri))}" if not uri.startswith("/") else uri
    return os.path.join(base, uri)


def roots(uris: tuple[str, ...], allow: tuple[str, ...] = ()) -> tuple[str, ...]:
    """What may be read: the folders of the given tables or the folders themselves, and every ``allow`` prefix."""
    return tuple(dict.fromkeys([*(folder(uri) for uri in uris if uri), *(absolute(prefix) for prefix in allow)]))


@dataclass(frozen=True)
class Storage:
    """Storage as configured. Cheap to make and to pickle: clients are made once per process, when first used.

    allow: absolute prefixes (see ``roots``) inside which the *_source methods read. The guard resolves symbolic links
    before it opens; it does not protect against somebody who changes links on the local disk at that very moment.
    """

    config: StorageConfig = StorageConfig()
    allow: tuple[str, ...] = ()

    join = staticmethod(join)

    def read(self, uri: str, limit: int | None = None) -> bytes:
        """The bytes at a trusted URI. Raises NotFoundError, StorageError; RowError("too_large") above ``limit`` bytes."""
        return self.read_with_etag(uri, limit)[0]

    def read_with_etag(self, uri: str, limit: int | None = None) -> tuple[bytes, str]:
        """As ``read``, with the etag of exactly these bytes."""
        with self.errors(uri):
            if not is_s3(uri):
                _local_etag(os.stat(_local(uri)))  # opening a pipe would block
                with open(_local(uri), "rb") as f:
                    info = os.fstat(f.fileno())
                    _check_size(info.st_size, limit)
                    return f.read(), _local_etag(info)
            bucket, key = split_s3(uri)
            for attempt in range(BODY_ATTEMPTS):
                answer = self._client().get_object(Bucket=bucket, Key=key)
                try:
                    # The length is in the header: a too large object is refused before its body is sent.
                    _check_size(answer["ContentLength"], limit)
                    return answer["Body"].read(), answer["ETag"].strip('"')
                except (boto_errors.IncompleteReadError, boto_errors.HTTPClientError):
                    if attempt == BODY_ATTEMPTS - 1:
                        raise
                finally:
                    answer["Body"].close()

    def read_source(self, uri: str, limit: int) -> bytes:
        """The bytes at a merchant's URI, at most ``limit`` of them.

        Raises RowError: uri_denied (then nothing was opened or sent), not_found, too_large, storage_error.
        """
        uri = self._guard(uri)
        with _as_row_errors():
            return self.read(uri, limit)

    def etag(self, uri: str) -> str | None:
        """The S3 ETag, or "size-mtime_ns" of a local file; None when there is nothing. Raises StorageError."""
        with contextlib.suppress(NotFoundError), self.errors(uri):
            if not is_s3(uri):
                return _local_etag(os.stat(_local(uri)))
            bucket, key = split_s3(uri)
            return self._client().head_object(Bucket=bucket, Key=key)["ETag"].strip('"')
        return None

    def etag_source(self, uri: str) -> str | None:
        """``etag`` of a merchant's URI. Raises RowError: uri_denied, storage_error."""
        uri = self._guard(uri)
        with _as_row_errors():
            return self.etag(uri)

    def exists(self, uri: str) -> bool:
        return self.etag(uri) is not None

    def write(self, uri: str, data: bytes, content_type: str = "application/octet-stream") -> str:
        """Put ``data`` at ``uri``, whole or not at all, and return its etag. Raises StorageError."""
        with self.errors(uri):
            if is_s3(uri):
                return self._put(uri, data, content_type)
            with _temporary(_local(uri), data) as temporary:
                os.replace(temporary, _local(uri))
            return _local_etag(os.stat(_local(uri)))

    def write_if_absent(self, uri: str, data: bytes) -> str | None:
        """As ``write``, but None and no change when something is there already. Of several writers one wins."""
        with self.errors(uri):
            if is_s3(uri):
                return self._put_if(uri, data, IfNoneMatch="*")
            with _temporary(_local(uri), data) as temporary:
                try:
                    os.link(temporary, _local(uri))
                except FileExistsError:
                    return None
                return _local_etag(os.stat(temporary))

    def replace_if(self, uri: str, data: bytes, etag: str) -> str | None:
        """Put ``data`` at an s3:// URI and return its etag, but only if what is there has ``etag``; else None."""
        with self.errors(uri):
            return self._put_if(uri, data, IfMatch=f'"{etag}"')

    def delete(self, uri: str) -> None:
        """Remove what is at ``uri``; nothing there is fine."""
        with contextlib.suppress(NotFoundError), self.errors(uri):
            if not is_s3(uri):
                return os.remove(_local(uri))
            bucket, key = split_s3(uri)
            self._client().delete_object(Bucket=bucket, Key=key)

    def list(self, prefix: str) -> Iterator[tuple[str, str]]:
        """(uri, etag) of every object below the folder ``prefix``, one page at a time.

        Locally and on AWS in the order of the names' bytes; other servers may sort "a/b" and "a.b" the other way
        round, but always alike. A folder that does not exist is empty. Links to folders are not followed.
        """
        with self.errors(prefix):
            if not is_s3(prefix):
                yield from _walk(_local(prefix))
                return
            bucket, key = split_s3(prefix)
            pages = self._client().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=key and key + "/")
            for page in pages:
                for item in page.get("Contents", ()):
                    if not item["Key"].endswith("/"):
                        yield f"s3://{bucket}/{item['Key']}", item["ETag"].strip('"')

    def check(self, uri: str) -> None:
        """Raise StorageError within seconds when the bucket of ``uri`` cannot be used; local paths always pass."""
        if is_s3(uri):
            with self.errors(uri):
                self._client(patient=False).list_objects_v2(Bucket=split_s3(uri)[0], MaxKeys=1)

    def filesystem(self, uri: str) -> tuple[pyarrow.fs.FileSystem, str]:
        """A pyarrow filesystem for tables, and the path of ``uri`` in it."""
        if not is_s3(uri):
            return pyarrow.fs.LocalFileSystem(), _local(uri)
        return _arrow_filesystem(self.config, _endpoint(self.config)), uri.removeprefix("s3://")

    def _client(self, patient: bool = True):
        # boto3 clients may be shared by threads, but not made by two at once.
        with _CLIENT_LOCK:
            return _s3_client(self.config, _endpoint(self.config), patient)

    def _put(self, uri: str, data: bytes, content_type: str, **conditions: str) -> str:
        bucket, key = split_s3(uri)
        return self._client().put_object(Bucket=bucket, Key=key, Body=data, ContentType=content_type, **conditions)["ETag"].strip('"')

    def _put_if(self, uri: str, data: bytes, **condition: str) -> str | None:
        try:
            return self._put(uri, data, "application/json", **condition)
        except boto_errors.ClientError as e:
            if e.response["Error"]["Code"] not in _CONFLICT:
                raise
        # A put whose answer was lost is sent again and then meets itself: what counts is whose bytes are there.
        with contextlib.suppress(NotFoundError):
            there, etag = self.read_with_etag(uri)
            return etag if there == data else None
        return None

    def _guard(self, uri: str) -> str:
        """The absolute form of a merchant's URI, or RowError("uri_denied")."""
        decoded, before = uri, None
        while decoded != before:
            decoded, before = urllib.parse.unquote(decoded), decoded
        climbs, hidden = (re.split(r"[/\\]", text).count("..") for text in (uri, decoded))
        if len(uri) > MAX_URI or not decoded.isprintable() or hidden > climbs or (climbs and is_s3(uri)):
            raise RowError("uri_denied", f"{uri[:80]!r} is no plain URI")
        try:
            path = absolute(uri)
        except StorageError as e:
            raise RowError("uri_denied", str(e)) from None
        path = path if is_s3(path) else os.path.realpath(path)
        for root in self.allow:
            root = root if is_s3(root) else os.path.realpath(root)
            if path == root or path.startswith(root.rstrip("/") + "/"):
                return path
        raise RowError("uri_denied", f"{uri[:200]!r} lies outside what may be read; --allow PREFIX adds a place")

    @contextlib.contextmanager
    def errors(self, uri: str) -> Iterator[None]:
        """What the operating system and botocore raise, as StorageError."""
        where = _endpoint(self.config) or "AWS S3"
        bucket = split_s3(uri)[0] if is_s3(uri) else ""
        try:
            yield
        except OSError as e:
            if isinstance(e, FileNotFoundError | NotADirectoryError) or e.errno in (errno.ENAMETOOLONG, errno.ELOOP):
                raise NotFoundError(f"there is nothing at {uri}") from e
            raise StorageError(f"{uri}: {e.strerror or e}") from e
        except boto_errors.ClientError as e:
            code, text = e.response["Error"].get("Code", ""), e.response["Error"].get("Message", "")
            if code in _MISSING:
                raise NotFoundError(f"there is nothing at {uri}") from e
            if code == "NoSuchBucket":
                raise StorageError(f"there is no bucket {bucket!r} at {where}; check the name and the endpoint") from e
            hint = "; check the credentials and the bucket's policy" if e.response["ResponseMetadata"].get("HTTPStatusCode") == 403 else ""
            raise StorageError(f"{where} refused {uri}: {code} {text}".rstrip() + hint) from e
        except (boto_errors.NoCredentialsError, boto_errors.PartialCredentialsError) as e:
            raise StorageError(f"no S3 credentials for {uri}; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or use a profile") from e
        except boto_errors.ParamValidationError as e:
            raise StorageError(f"{uri} is no valid s3:// URI: {' '.join(str(e).split())}") from e
        except (boto_errors.BotoCoreError, boto_errors.HTTPClientError) as e:
            raise StorageError(
                f"cannot reach bucket {bucket!r} at {where}: {' '.join(str(e).split())}; check [storage] endpoint_url"
            ) from e


_CLIENT_LOCK = threading.Lock()


def _endpoint(config: StorageConfig) -> str:
    return config.endpoint_url or os.environ.get("AWS_ENDPOINT_URL_S3", "") or os.environ.get("AWS_ENDPOINT_URL", "")


def _region(config: StorageConfig, endpoint: str) -> str | None:
    # A server of one's own has no regions, but the signature wants a name.
    return config.region or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or ("us-east-1" if endpoint else None)


@cache
def _s3_client(config: StorageConfig, endpoint: str, patient: bool):
    attempts = {"mode": "adaptive", "max_attempts": config.max_attempts} if patient else {"mode": "standard", "max_attempts": 2}
    own = {"s3": {"addressing_style": "path"}, "request_checksum_calculation": "when_required"} if endpoint else {}
    return boto3.session.Session().client(
        "s3",
        endpoint_url=endpoint or None,
        region_name=_region(config, endpoint),
        config=botocore.config.Config(
            retries=attempts,
            connect_timeout=config.connect_timeout,
            read_timeout=config.read_timeout if patient else min(10.0, config.read_timeout),
            max_pool_connections=32,
            **own,
        ),
    )


@cache
def _arrow_filesystem(config: StorageConfig, endpoint: str) -> pyarrow.fs.S3FileSystem:
    return pyarrow.fs.S3FileSystem(
        endpoint_override=endpoint or None,
        region=_region(config, endpoint),
        connect_timeout=config.connect_timeout,
        request_timeout=config.read_timeout,
        retry_strategy=pyarrow.fs.AwsStandardS3RetryStrategy(max_attempts=config.max_attempts),
    )


@contextlib.contextmanager
def _as_row_errors() -> Iterator[None]:
    try:
        yield
    except NotFoundError as e:
        raise RowError("not_found", str(e)) from e
    except StorageError as e:
        raise RowError("storage_error", str(e)) from e


def _check_size(size: int, limit: int | None) -> None:
    if limit is not None and size > limit:
        raise RowError("too_large", f"{size} bytes, the limit is {limit} ([images] max_bytes)")


def _local(uri: str) -> str:
    return urllib.parse.unquote(uri.removeprefix("file://")) if uri.startswith("file:///") else uri


def _local_etag(info: os.stat_result) -> str:
    if not stat.S_ISREG(info.st_mode):
        raise FileNotFoundError("not a regular file")
    return f"{info.st_size}-{info.st_mtime_ns}"


@contextlib.contextmanager
def _temporary(path: str, data: bytes) -> Iterator[str]:
    """A synced file with ``data`` beside ``path``, gone afterwards unless it was renamed."""
    parent, name = os.path.split(path)
    os.makedirs(parent or ".", exist_ok=True)
    temporary = os.path.join(parent, f".{name}.{uuid.uuid4().hex}.tmp")
    try:
        with open(temporary, "xb") as f:
            f.write(data)
            f.flush()
            os.fsync(f.fileno())
        yield temporary
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.remove(temporary)


def _walk(path: str) -> Iterator[tuple[str, str]]:
    if not os.path.isdir(path):
        return
    with os.scandir(path) as entries:
        # A folder sorts as its name with a slash, so that the whole walk is in the order S3 lists keys.
        found = sorted((os.fsencode(e.name) + b"/" * e.is_dir(follow_symlinks=False), e) for e in entries)
    for _, entry in found:
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(entry.path)
        elif entry.is_file():
            yield entry.path, _local_etag(entry.stat())
