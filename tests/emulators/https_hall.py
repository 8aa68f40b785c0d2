"""A small HTTPS server with a CA of its own, which answers what a test tells it: login pages, wrong certificates, slow bytes. Never speaks for a province."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

__all__ = ["HttpsHall", "SmallCa"]

Script = Callable[[bytes, ssl.SSLSocket], bytes]
"""Gets the request's head and the socket; returns the raw answer."""


class SmallCa:
    """One CA key; ``issue`` gives PEM files."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = self._build("Small CA", self.key, timedelta(days=-900), timedelta(days=900), ca=True)

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    def _build(
        self, name: str, key: ec.EllipticCurvePrivateKey, start: timedelta, end: timedelta, ca: bool = False, host: str = "127.0.0.1",
    ) -> x509.Certificate:
        subject, issuer = (x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, one)]) for one in (name, "Small CA"))
        now = datetime.now(UTC)
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key()).serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(now + start).not_valid_after(now + end).add_extension(x509.BasicConstraints(ca, None), True)
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(host))]), False)
        return builder.sign(self.key, SHA256())

    def issue(self, name: str = "server", start_days: int = -1, end_days: int = 1, host: str = "127.0.0.1") -> tuple[bytes, bytes, bytes]:
        """(PEM of certificate and key, DER certificate, DER PKCS#8 key)."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._build(name, key, timedelta(days=start_days), timedelta(days=end_days), host=host)
        private = [key.private_bytes(encoding, PrivateFormat.PKCS8, NoEncryption()) for encoding in (Encoding.PEM, Encoding.DER)]
        return certificate.public_bytes(Encoding.PEM) + private[0], certificate.public_bytes(Encoding.DER), private[1]


class HttpsHall:
    """Listens on loopback; a context manager. ``heads`` are the request heads seen, ``clients`` the client certificates (DER or None)."""

    def __init__(self, folder: Path, pem: bytes, script: Script, client_ca: bytes | None = None) -> None:
        path = folder / "server.pem"
        path.write_bytes(pem)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(path)
        if client_ca is not None:
            self._context.verify_mode = ssl.CERT_REQUIRED
            self._context.load_verify_locations(cadata=client_ca)
        self._script = script
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._listening.settimeout(0.1)
        self._ended = threading.Event()
        self.heads: list[bytes] = []
        self.clients: list[bytes | None] = []
        self.url = f"https://127.0.0.1:{self._listening.getsockname()[1]}"
        self._thread = threading.Thread(target=self._listen, name="https hall")

    def _listen(self) -> None:
        while not self._ended.is_set():
            with contextlib.suppress(TimeoutError, OSError):
                taken, _ = self._listening.accept()
                taken.settimeout(5)
                with contextlib.suppress(OSError), self._context.wrap_socket(taken, server_side=True) as tls:
                    self._serve(tls)
                taken.close()

    def _serve(self, tls: ssl.SSLSocket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            piece = tls.recv(65_536)
            if not piece:
                return
            head += piece
        self.heads.append(head)
        self.clients.append(tls.getpeercert(binary_form=True))
        answer = self._script(head, tls)
        if answer:
            tls.sendall(answer)

    def __enter__(self) -> HttpsHall:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join(10)
        self._listening.close()
