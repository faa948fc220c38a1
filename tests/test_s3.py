"""tests/s3.py as a user starts it."""

import signal
import socket
import subprocess
import sys
import threading
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


def test_a_stranger_on_the_port_is_not_taken_for_the_server():
    """Ray's own servers answer with bytes of gRPC; that ended every test on S3 instead of counting as "not yet"."""
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        def answer():
            peer, _ = stranger.accept()
            with peer:
                peer.recv(1 << 16)
                peer.sendall(b"\x00\x00\x18\x04\x00\x00\x00\x00\x00\x00\x04\x00?\x00\x01\n")

        threading.Thread(target=answer, daemon=True).start()
        assert not s3._healthy(stranger.getsockname()[1])


def test_ports_are_free_different_and_of_nobody_elses_range():
    ports = s3.free_ports(50)
    assert len(set(ports)) == 50 and set(ports) <= set(s3.PORTS)
    with socket.create_server(("127.0.0.1", ports[0])):
        assert ports[0] not in s3.free_ports(len(s3.PORTS) - 2000)
