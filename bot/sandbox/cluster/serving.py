"""The cluster's socket: TLS on loopback, which can go away and come back on the same port.

Decides when connections are taken. kubectl sends its token over TLS only, so a certificate of the cluster's own is
made for each start; it is good for 127.0.0.1 and nothing else.
"""

import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """Paths of a certificate (its own authority) and of its key, as PEM files."""

    certificate: Path
    key: Path


def make_certificate(directory: Path, name: str) -> Certificate:
    """A self-signed certificate for 127.0.0.1 and localhost, good for a month."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"sandbox {name}"[:64])])
    today = datetime.now(UTC)  # TLS is judged by the machine's clock, whatever the cluster's says
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(IPv4Address("127.0.0.1"))])
    usage = x509.KeyUsage(digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False, key_encipherment=False,
                          data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False)  # fmt: skip
    signed = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=30))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    directory.mkdir(parents=True, exist_ok=True)
    made = Certificate(certificate=directory / "ca.crt", key=directory / "tls.key")
    made.certificate.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    made.key.touch(mode=0o600)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    made.key.write_bytes(pem)
    return made


class Listener:
    """Serves an application on one port; `stop` refuses connections, `start` takes them again on the same port."""

    def __init__(self, application: Any, *, name: str, port: int = 0, certificate: Certificate | None = None) -> None:
        self._application, self._name, self._certificate = application, name, certificate
        self.port = port
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None
        self.on_stop: Callable[[], None] = lambda: None

    @property
    def url(self) -> str:
        """The address without a trailing slash; the port is known from the first start on."""
        return f"{'https' if self._certificate else 'http'}://127.0.0.1:{self.port}"

    @property
    def serving(self) -> bool:
        """Whether connections are taken now."""
        return self._server is not None

    def start(self, *, timeout_seconds: float = 10.0) -> None:
        """Takes connections; raises RuntimeError if that does not come about in time."""
        bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(("127.0.0.1", self.port))
        self.port = int(bound.getsockname()[1])
        files: dict[str, Any] = {}
        if self._certificate:
            files = {"ssl_certfile": str(self._certificate.certificate), "ssl_keyfile": str(self._certificate.key)}
        config = uvicorn.Config(self._application, log_level="critical", access_log=False, lifespan="off", ws="none",
                                timeout_keep_alive=30, timeout_graceful_shutdown=1, **files)  # fmt: skip
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, name=self._name, daemon=True)
        self._server, self._thread = server, thread
        thread.start()
        deadline = time.monotonic() + timeout_seconds
        while not server.started:
            if time.monotonic() > deadline or not thread.is_alive():
                raise RuntimeError(f"{self._name} did not start within {timeout_seconds:g} s")
            time.sleep(0.005)

    def stop(self) -> None:
        """Closes the socket and cuts what is open. Twice does no harm."""
        if self._server is None or self._thread is None:
            return
        self.on_stop()
        self._server.should_exit = True
        self._thread.join(timeout=2.0)
        if self._thread.is_alive():
            self._server.force_exit = True
            self._thread.join(timeout=5.0)
        self._server = self._thread = None
