"""HTTPS on loopback: sockets, TLS, client certificates, ordered faults. Never knows what a request means: ``routes.py`` does."""

from __future__ import annotations

import socket
import ssl
import sys
import threading
import time
import traceback
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization

from tests.province.faults import Faults, other_envelope
from tests.province.jcs import Refused
from tests.province.routes import Answer, Office, Request, find_route

__all__ = ["ProvinceServer", "tls_context"]

IDLE_SECONDS = 60
HANDSHAKE_SECONDS = 10
DRAIN = 32 * 1024 * 1024
SEEN = 5000
NO_CHECK_TIME = 0x200000
"""X509_V_FLAG_NO_CHECK_TIME."""


def tls_context(certificate: Path, key: Path, device_ca: bytes) -> ssl.SSLContext:
    """TLS 1.2 or newer; a client certificate is asked for and, where one comes, must be of the device CA (PEM). Its days are judged by the province's clock."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key)
    context.load_verify_locations(cadata=device_ca.decode("ascii"))
    context.verify_mode = ssl.CERT_OPTIONAL
    context.verify_flags |= NO_CHECK_TIME
    return context


class _Heads:
    """The stream of a connection; remembers the last line, so that a head that was cut off is not taken for a whole one."""

    def __init__(self, stream: Any) -> None:
        self._stream, self.last = stream, b""

    def readline(self, *limit: int) -> bytes:
        self.last = self._stream.readline(*limit)
        return self.last

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class _Cut(Exception):
    """The connection ends here."""


class _Handler(BaseHTTPRequestHandler):
    """One connection; HTTP/1.1 with keep-alive."""

    protocol_version = "HTTP/1.1"
    server_version = "reference-province"
    sys_version = ""
    timeout = IDLE_SECONDS
    wbufsize = -1
    disable_nagle_algorithm = True
    server: ProvinceServer

    def log_message(self, format: str, *args: Any) -> None:
        """The list ``seen`` of the server takes the place of a log."""

    def date_time_string(self, timestamp: float | None = None) -> str:
        return super().date_time_string(self.server.office.realm.clock.now().timestamp() if timestamp is None else timestamp)

    def setup(self) -> None:
        super().setup()
        self.rfile: Any = _Heads(self.rfile)

    def _serve(self) -> None:
        status = 0
        try:
            if self.rfile.last not in (b"\r\n", b"\n"):
                raise _Cut
            if self.server.faults.take("unreachable", self.command, self.path) is not None:
                raise _Cut
            answer = self._answer()
            status = answer.status
            self._send(answer)
        except (_Cut, ConnectionError, TimeoutError, ssl.SSLError):
            self.close_connection = True
        finally:
            self.server.seen.append({"method": self.command, "path": self.path, "status": status})

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _serve

    def _answer(self) -> Answer:
        order = self.server.faults.take("delay", self.command, self.path)
        if order is not None:
            time.sleep(float(order.get("seconds", 1)))
        order = self.server.faults.take("cut-request", self.command, self.path)
        if order is not None:
            self.rfile.read(int(order.get("after", 0)))
            raise _Cut
        order = self.server.faults.take("status", self.command, self.path)
        if order is not None:
            self._body(DRAIN)
            return _ordered(order)
        try:
            return self._routed()
        except Refused as refused:
            return Answer(refused.status, refused.body(), refused.headers)
        except (_Cut, ConnectionError, TimeoutError, ssl.SSLError):
            raise
        except Exception as error:  # a fault of the province itself: say where, never with what content
            traceback.print_tb(error.__traceback__, file=sys.stderr)
            print(type(error).__name__, file=sys.stderr)
            self.close_connection = True
            return Answer(500, Refused(500, "province.fault", "the province could not do this").body())

    def _routed(self) -> Answer:
        station = None
        try:
            route, part, query = find_route(self.command, self.path)
            if route.needs_station:
                station = self._station()
        except Refused:
            self._body(DRAIN)
            raise
        body = self._body(route.max_body)
        answer = route.answer(self.server.office, Request(self.command, self.path, query, self.headers, body, station, part))
        order = self.server.faults.take("envelope", self.command, self.path) if b'"payloadType"' in answer.body else None
        if order is not None:
            return Answer(answer.status, other_envelope(answer.body, order, self.server.office.realm.keys), answer.headers)
        return answer

    def _station(self) -> Any:
        certificate = self.connection.getpeercert(binary_form=True)
        if not certificate:
            raise Refused(401, "station.certificate", "a station shows its client certificate")
        return self.server.office.realm.stations.of(certificate)

    def _body(self, most: int) -> bytes:
        """The request's body, whole. Raises Refused 411, 413; _Cut where the connection ended before."""
        length = self.headers.get("Content-Length")
        if self.headers.get("Transfer-Encoding"):
            self.close_connection = True
            raise Refused(411, "request.length", "Content-Length is needed")
        if length is None:
            return b""
        if not length.isascii() or not length.isdigit() or len(length) > 12:
            self.close_connection = True
            raise Refused(400, "request.malformed", "Content-Length is not a number")
        if int(length) > most:
            self._skip(int(length))
            raise Refused(413, "request.too_large", f"at most {most} bytes here")
        body = self.rfile.read(int(length))
        if len(body) != int(length):
            raise _Cut
        return body

    def _skip(self, length: int) -> None:
        """Read a body away, so that the answer is heard; one that is far too long ends the connection."""
        if length > DRAIN:
            self.close_connection = True
            return
        while length > 0:
            piece = self.rfile.read(min(length, 65536))
            if not piece:
                raise _Cut
            length -= len(piece)

    def _send(self, answer: Answer) -> None:
        if self.server.faults.take("double", self.command, self.path) is not None:
            self._say(answer, None)
            self.wfile.flush()  # a TLS record of its own: in one with the first copy the second would be read away with it
        self._say(answer, self.server.faults.take("cut-answer", self.command, self.path))
        self.wfile.flush()

    def _say(self, answer: Answer, order: dict[str, Any] | None) -> None:
        self.send_response(answer.status)
        for name, text in answer.headers.items():
            self.send_header(name, text)
        if answer.status != 204:
            self.send_header("Content-Length", str(len(answer.body)))
            if answer.body:
                self.send_header("Content-Type", answer.media)
        if self.close_connection:
            self.send_header("Connection", "close")
        if order is not None:
            self._send_cut(answer, int(order.get("after", 0)))
        self.end_headers()
        if self.command != "HEAD" and answer.status != 204:
            self.wfile.write(answer.body)

    def _send_cut(self, answer: Answer, after: int) -> None:
        """``after`` bytes of the body; with 0 not even the head."""
        if after:
            self.end_headers()
            self.wfile.write(answer.body[:after])
            self.wfile.flush()
        else:
            self._headers_buffer: list[bytes] = []
        raise _Cut


def _ordered(order: dict[str, Any]) -> Answer:
    status = int(order.get("status", 500))
    headers = {"Retry-After": str(order["retry_after"])} if "retry_after" in order else {}
    if "body" in order:
        return Answer(status, str(order["body"]).encode("utf-8"), headers, str(order.get("media", "text/html")))
    return Answer(status, Refused(status, str(order.get("code", "province.ordered")), "as ordered").body(), headers)


def _let_hear(tls: ssl.SSLSocket) -> None:
    """Ends a failed handshake so that the other side hears why: a line that is closed over unread bytes is reset, and the alert with it."""
    try:
        tls.settimeout(1)
        plain = socket.socket(fileno=tls.detach())
        with plain:
            plain.settimeout(1)
            plain.shutdown(socket.SHUT_WR)
            while plain.recv(65536):
                continue
    except OSError:
        pass


class ProvinceServer(ThreadingHTTPServer):
    """Listens at once, serves after ``start``; ``stop`` ends the listening and every open connection."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, host: str, port: int, office: Office, context: ssl.SSLContext, faults: Faults) -> None:
        self.office = office
        self.faults = faults
        self.seen: deque[dict[str, Any]] = deque(maxlen=SEEN)
        self._context = context
        self._open: set[socket.socket] = set()
        self._open_lock = threading.Lock()
        self._thread: threading.Thread | None = None
        super().__init__((host, port), _Handler)

    @classmethod
    def over(cls, host: str, port: int, office: Office, certificate: Path, key: Path, faults: Faults) -> ProvinceServer:
        device_ca = office.realm.keys.device_ca.public_bytes(serialization.Encoding.PEM)
        return cls(host, port, office, tls_context(certificate, key, device_ca), faults)

    def verify_request(self, request: Any, client_address: Any) -> bool:
        return self.faults.take("unreachable") is None

    def finish_request(self, request: Any, client_address: Any) -> None:
        """In the connection's own thread: the handshake cannot stop the others."""
        request.settimeout(HANDSHAKE_SECONDS)
        try:
            tls = self._shown().wrap_socket(request, server_side=True, do_handshake_on_connect=False)
        except (OSError, ValueError):
            return
        try:
            tls.do_handshake()
        except (OSError, ValueError):
            _let_hear(tls)
            return
        with self._open_lock:
            self._open.add(tls)
        try:
            _Handler(tls, client_address, self)
        except (ConnectionError, TimeoutError, ssl.SSLError):
            pass
        finally:
            with self._open_lock:
                self._open.discard(tls)
            tls.close()

    def _shown(self) -> ssl.SSLContext:
        """The context of the next handshake: the province's own, or one with an ordered certificate."""
        order = self.faults.take("certificate")
        if order is None:
            return self._context
        return tls_context(Path(order["cert"]), Path(order["key"]), self.office.realm.keys.device_ca.public_bytes(serialization.Encoding.PEM))

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A broken connection is the other side's matter."""

    def start(self) -> None:
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.1}, name="province", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        if self._thread is not None:
            self.shutdown()
            self._thread.join(5)
        self.server_close()
        with self._open_lock:
            for tls in self._open:
                try:
                    tls.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
