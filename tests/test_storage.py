"""tryon/storage.py: local disk and a real S3 server behind one class."""

import http.client
import http.server
import os
import pickle
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tryon import storage as st
from tryon.config import StorageConfig
from tryon.schema import RowError
from tryon.storage import NotFoundError, Storage, StorageError


@pytest.fixture(params=["local", "s3"])
def root(request, tmp_path):
    """An empty folder, once on the local disk and once on S3."""
    if request.param == "local":
        return str(tmp_path / "root")
    return f"s3://{request.getfixturevalue('s3_bucket')}/some/prefix"


def test_what_is_written_is_read_back_everywhere(root):
    """An etag that does not change with the bytes, a listing that lacks a folder or comes in no order."""
    s = pickle.loads(pickle.dumps(Storage()))
    names = ["b/c.txt", "a.txt", "b.txt", "b/d/e.txt", "\u00e9 +%20#.txt"]
    etags = {name: s.write(s.join(root, name), name.encode(), "text/plain") for name in names}
    order = sorted if st.is_s3(root) else list  # SeaweedFS sorts within each folder
    assert order(uri for uri, _ in s.list(root)) == [s.join(root, name) for name in sorted(names, key=str.encode)]
    assert list(s.list(root)) == list(s.list(root))
    assert {uri.removeprefix(root + "/"): etag for uri, etag in s.list(root)} == etags
    for name in names:
        assert s.read_with_etag(s.join(root, name)) == (name.encode(), etags[name])
        assert s.etag(s.join(root, name)) == etags[name] and s.exists(s.join(root, name))
    assert [uri for uri, _ in s.list(s.join(root, "b"))] == [s.join(root, "b/c.txt"), s.join(root, "b/d/e.txt")]  # not b.txt
    assert s.write(s.join(root, "a.txt"), b"other bytes") != etags["a.txt"]
    s.delete(s.join(root, "a.txt"))
    s.delete(s.join(root, "a.txt"))
    assert s.etag(s.join(root, "a.txt")) is None and not s.exists(s.join(root, "b")) and list(s.list(s.join(root, "no"))) == []
    with pytest.raises(NotFoundError, match="a.txt"):
        s.read(s.join(root, "a.txt"))


def test_of_many_writers_one_is_first(root):
    """Two runs that both believe they hold the lock."""
    s, uri, wins = Storage(), st.join(root, "lock"), []
    threads = [threading.Thread(target=lambda n=n: wins.append(n) if s.write_if_absent(uri, b"%d" % n) else None) for n in range(6)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert len(wins) == 1 and s.read(uri) == b"%d" % wins[0]
    assert [uri for uri, _ in s.list(root)] == [uri]


def test_a_conditional_put_notices_a_change_and_recognises_itself(s3_bucket):
    """A lease overwritten by a run that had lost it; a run that loses its lease to its own repeated put."""
    s, uri = Storage(), f"s3://{s3_bucket}/lease"
    first = s.write(uri, b"1")
    second = s.replace_if(uri, b"2", first)
    assert second and s.replace_if(uri, b"3", first) is None and s.read(uri) == b"2"
    assert s.replace_if(uri, b"2", first) == second and s.write_if_absent(uri, b"2") == second


def test_a_broken_off_local_write_leaves_the_old_bytes_and_no_debris(tmp_path, monkeypatch):
    """Half a picture under its final name after a full disk."""
    s, uri = Storage(), str(tmp_path / "x")
    s.write(uri, b"old")
    monkeypatch.setattr(os, "fsync", lambda fd: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(StorageError, match="No space left"):
        s.write(uri, b"new")
    assert s.read(uri) == b"old" and os.listdir(tmp_path) == ["x"]


@pytest.mark.parametrize(
    "name",
    [
        "../secret.jpg",
        "a/../../secret.jpg",
        "%2e%2e/secret.jpg",
        "%252e%252e/secret.jpg",
        "..%2fsecret.jpg",
        "/etc/passwd",
        "file:///etc/passwd",
        "FILE:///etc/passwd",
        "file:/etc/passwd",
        "file://host/etc/passwd",
        "file:///%65tc/passwd",
        "http://169.254.169.254/latest",
        "https://127.0.0.1/a.jpg",
        "gs://bucket/a.jpg",
        "ftp://x/a",
        "s3://other/a.jpg",
        "a.jpg\0.png",
        "a\n.jpg",
        "x" * 4096,
        "link.jpg",
        "linked/secret.jpg",
        "//etc/passwd",
        "../catalogue-private/a.jpg",
        "\ud800.jpg",
    ],
)
def test_local_paths_outside_the_roots_are_denied(tmp_path, monkeypatch, name):
    """A catalogue that reads /etc/passwd, another shop's folder with the same beginning, or the cloud's metadata server."""
    base = tmp_path / "catalogue"
    for folder in (base, tmp_path / "catalogue-private"):
        folder.mkdir()
        (folder / "a.jpg").write_bytes(b"x")
    (tmp_path / "secret.jpg").write_bytes(b"secret")
    (base / "link.jpg").symlink_to(tmp_path / "secret.jpg")
    (base / "linked").symlink_to(tmp_path)
    s = Storage(allow=st.roots((str(base),)))
    opened = []
    monkeypatch.setattr("builtins.open", lambda *a, **k: opened.append(a))
    for call in (lambda uri: s.read_source(uri, 100), s.etag_source):
        with pytest.raises(RowError) as e:
            call(st.resolve(str(base), name))
        assert e.value.reason == "uri_denied"
    assert not opened


@pytest.mark.parametrize(
    "name",
    [
        "s3://shop/private/a.jpg",
        "s3://shop/photos-2/a.jpg",
        "s3://other/photos/a.jpg",
        "s3://shop/photos/../private/a.jpg",
        "s3://shop/photos/%2e%2e/private/a.jpg",
        "../private/a.jpg",
        "../../other/photos/a.jpg",
        "/etc/passwd",
        "s3://shop",
        "s3:///photos/a.jpg",
        "S3://shop/private/a.jpg",
    ],
)
def test_s3_keys_outside_the_roots_are_denied_and_nothing_is_sent(name):
    """A look into another bucket or prefix; the endpoint refuses connections, so a request would be storage_error."""
    s = Storage(StorageConfig(endpoint_url="http://127.0.0.1:9", max_attempts=1), allow=("s3://shop/photos",))
    with pytest.raises(RowError) as e:
        s.read_source(st.resolve("s3://shop/photos", name), 100)
    assert e.value.reason == "uri_denied"


def test_what_lies_inside_the_roots_is_read(root, tmp_path):
    """A guard that also denies relative paths, an --allow prefix, names with blanks or percent signs."""
    s = Storage()
    for name in ("in/sub/50%20off shirt.jpg", "in/t.csv", "extra/b.jpg"):
        s.write(s.join(root, name), name.encode())
    guarded = Storage(allow=st.roots((st.join(root, "in/t.csv"),), (st.join(root, "extra/"),)))
    base = st.folder(st.join(root, "in/t.csv"))
    for name, want in (
        ("sub/50%20off shirt.jpg", "in/sub/50%20off shirt.jpg"),
        ("./sub/../sub/50%20off shirt.jpg", "in/sub/50%20off shirt.jpg"),
        ("../extra/b.jpg", "extra/b.jpg"),
        (st.join(root, "extra/b.jpg"), "extra/b.jpg"),
    ):
        assert guarded.read_source(st.resolve(base, name), 100) == want.encode()
        assert guarded.etag_source(st.resolve(base, name))


def test_missing_and_too_large_sources_say_so(root):
    """A 5 GB object downloaded before it is found to be too large; a missing photo retried for ever."""
    s = Storage(allow=(root,))
    s.write(s.join(root, "big"), b"x" * 101)
    for name, reason in (("big", "too_large"), ("none", "not_found"), ("big/below-a-file", "not_found"), ("n" * 300, "not_found")):
        with pytest.raises(RowError) as e:
            s.read_source(s.join(root, name), 100)
        assert e.value.reason == reason
    assert s.etag_source(s.join(root, "none")) is None and s.read_source(s.join(root, "big"), 101)


def test_a_pipe_does_not_block(tmp_path):
    """A FIFO in the photo folder that hangs the fetch stage."""
    os.mkfifo(tmp_path / "p.jpg")
    with pytest.raises(RowError, match="not_found"):
        Storage(allow=(str(tmp_path),)).read_source(str(tmp_path / "p.jpg"), 100)


def test_an_unusable_bucket_is_reported_in_seconds_and_in_one_line(s3_server, monkeypatch):
    """A night that hangs on a misspelt bucket or endpoint, or ends in a page of botocore."""
    start = time.monotonic()
    for config, uri, words in (
        (StorageConfig(), "s3://no-such-bucket/x", ["no-such-bucket", s3_server]),
        (StorageConfig(endpoint_url="http://127.0.0.1:9"), "s3://bucket/x", ["127.0.0.1:9", "endpoint_url"]),
        (StorageConfig(), "s3://Bad_Bucket!/x", ["Bad_Bucket!"]),
    ):
        with pytest.raises(StorageError) as e:
            Storage(config).check(uri)
        assert all(word in str(e.value) for word in words) and "\n" not in str(e.value)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    with pytest.raises(StorageError, match="credentials"):
        Storage(StorageConfig(region="eu-west-1")).check("s3://bucket/x")
    assert time.monotonic() - start < 20


@pytest.fixture
def flaky():
    """An HTTP server that speaks just enough S3 to misbehave; ``flaky.answers`` is what it does next."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.server.requests += 1
            status, length, body = self.server.answers.pop(0) if self.server.answers else (503, 0, b"")
            self.send_response(status)
            self.send_header("Content-Length", str(length))
            self.send_header("ETag", '"e"')
            self.end_headers()
            self.wfile.write(body)
            self.close_connection = True

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.answers, server.requests = [], 0
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def flaky_storage(server, s3_server, **config) -> Storage:
    return Storage(StorageConfig(endpoint_url=f"http://127.0.0.1:{server.server_port}", **config), allow=("s3://b",))


def test_throttling_and_a_connection_cut_in_mid_body_are_absorbed(flaky, s3_server):
    """A night lost to one SlowDown; a photo cut in half because the stream broke off."""
    flaky.answers[:] = [(503, 0, b""), (200, 10, b"01234"), (500, 0, b""), (200, 10, b"0123456789")]
    assert flaky_storage(flaky, s3_server).read_source("s3://b/k", 100) == b"0123456789"


@pytest.fixture
def troubled(s3_server):
    """A way to the real server that throttles and breaks off: until ``quiet`` (seconds of time.monotonic) everything is answered
    with SlowDown, then three requests in ten; the first put of a URI in ``cut`` is broken off in mid-body, and ``seen`` gets
    what is then there."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def pass_on(self):
            trouble, length = self.server, int(self.headers.get("Content-Length", 0))
            with trouble.lock:
                trouble.requests += 1
                throttled = time.monotonic() < trouble.quiet or trouble.requests % 10 in (2, 5, 8)
                cut = not throttled and self.command == "PUT" and "s3:/" + self.path in trouble.cut
                trouble.cut -= {"s3:/" + self.path} if cut else set()
            upstream = http.client.HTTPConnection(s3_server.removeprefix("http://"))
            if throttled:
                self.rfile.read(length)
                return self.answer(503, b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>")
            upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() != "expect":
                    upstream.putheader(name, value)
            upstream.endheaders()
            upstream.send(self.rfile.read(length // 2 if cut else length))
            if cut:
                upstream.close()
                time.sleep(0.2)
                trouble.seen.append(Storage().read("s3:/" + self.path))
                self.close_connection = True
                return self.connection.close()
            answer = upstream.getresponse()
            self.answer(answer.status, answer.read(), answer.headers.items())

        def answer(self, status: int, body: bytes, headers=()):
            self.send_response(status)
            for name, value in [("Content-Length", str(len(body))), *((n, v) for n, v in headers if n.lower() != "content-length")]:
                if name.lower() not in ("transfer-encoding", "connection"):
                    self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_PUT = pass_on

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.quiet, server.requests, server.cut, server.seen, server.lock = 0.0, 0, set(), [], threading.Lock()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_throttled_and_broken_off_puts_are_whole_in_the_end(troubled, s3_bucket):
    """A night lost to five seconds of SlowDown for everybody and to three refusals in ten after that; half a picture that can be
    seen where a connection broke off in mid-put."""
    storage = Storage(StorageConfig(endpoint_url=f"http://127.0.0.1:{troubled.server_port}"))
    uris = [f"s3://{s3_bucket}/images/{i}" for i in range(6)]
    bodies = {uri: os.urandom(200_000) for uri in uris}
    troubled.cut = set(uris[:2])
    for uri in troubled.cut:
        Storage().write(uri, b"old")
    troubled.quiet = time.monotonic() + 5
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda uri: storage.write(uri, bodies[uri]), uris))
    assert troubled.seen == [b"old"] * 2 and troubled.requests > len(uris) + 2
    assert {uri: Storage().read(uri) for uri in uris} == bodies


def test_a_server_that_stays_down_is_a_transient_failure_of_the_row(flaky, s3_server):
    """A dead server taken for a missing photo, which would be terminal; tries without end."""
    with pytest.raises(RowError) as e:
        flaky_storage(flaky, s3_server, max_attempts=2).read_source("s3://b/k", 100)
    assert e.value.reason == "storage_error" and 2 <= flaky.requests <= 3


def test_a_too_large_object_is_refused_by_its_header(flaky, s3_server):
    """The whole body read before the limit is looked at: here it never comes."""
    flaky.answers[:] = [(200, 1 << 40, b"")]
    with pytest.raises(RowError) as e:
        flaky_storage(flaky, s3_server).read_source("s3://b/k", 100)
    assert e.value.reason == "too_large" and flaky.requests == 1


def test_tables_are_read_through_pyarrow(root):
    """pyarrow sent to AWS although boto3 goes to the configured endpoint."""
    s = Storage()
    s.write(s.join(root, "t.csv"), b"a,b\n1,2\n")
    filesystem, path = s.filesystem(s.join(root, "t.csv"))
    with filesystem.open_input_stream(path) as f:
        assert f.read() == b"a,b\n1,2\n"
