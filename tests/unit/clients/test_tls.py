"""Over TLS, as in production: the certificate is checked, and the deadline holds."""

import datetime as dt
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

import payflowx_client as pfx

BODY = b'{"status": "ok"}' + b" " * 200_000


def certificate(folder: Path) -> tuple[Path, Path]:
    """Of 127.0.0.1, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "certificate.pem", folder / "key.pem"
    paths[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    none = serialization.NoEncryption()
    pkcs8 = serialization.PrivateFormat.PKCS8
    paths[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, pkcs8, none))
    return paths


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY)

    def log_message(self, *_: Any) -> None:
        pass


class Quiet(ThreadingHTTPServer):
    def handle_error(self, *_: Any) -> None:
        """A client that refuses the certificate hangs up."""


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    chain, key = certificate(tmp_path)
    server = Quiet(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield f"https://127.0.0.1:{server.server_address[1]}", chain
    server.shutdown()
    server.server_close()
    thread.join()


def client(url: str) -> pfx.Client:
    return pfx.Client(base_url=url, api_key="k", timeout_seconds=5, retries=pfx.NO_RETRIES)


def test_an_answer_of_several_records_is_read_whole(served: tuple[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    url, chain = served
    monkeypatch.setenv("SSL_CERT_FILE", str(chain))
    assert client(url).is_healthy()


def test_a_certificate_that_nobody_vouches_for_is_refused_before_the_key_is_sent(served: tuple[str, Path]) -> None:
    url, _ = served
    with pytest.raises(pfx.UnansweredError, match="not connected: SSLCertVerificationError"):
        client(url).is_healthy()


def test_a_server_that_does_not_shake_hands_costs_the_timeout_only() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"https://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(pfx.UnansweredError, match="not connected"):
            pfx.Client(base_url=url, api_key="k", timeout_seconds=0.2, retries=pfx.NO_RETRIES).is_healthy()
