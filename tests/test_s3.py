"""tests/s3.py as a user starts it."""

import signal
import subprocess
import sys
from pathlib import Path

import s3


def test_the_server_ends_with_its_script(tmp_path):
    """A server that outlives the script that started it, when that gets a SIGTERM, and holds its port."""
    (port,) = s3.free_ports(1)
    command = [sys.executable, str(Path(s3.__file__)), "--port", str(port), "--dir", str(tmp_path / "s3")]
    script = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert script.stdout.readline() == f"export AWS_ENDPOINT_URL_S3=http://127.0.0.1:{port}\n" and s3._healthy(port)
    script.send_signal(signal.SIGTERM)
    assert script.wait(20) == 0 and not s3._healthy(port)
