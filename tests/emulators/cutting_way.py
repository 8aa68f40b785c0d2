"""A way between station and province that can be cut at any byte of any message. Never changes a byte, never answers by itself.

It ends the TLS of both sides (with the station's own key, which a test has), so that a cut falls on a byte of the message and not on a TLS record.
"""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import struct
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

__all__ = ["Cut", "CuttingWay", "Passed"]

Direction = Literal["up", "down"]
Section = Literal["head", "body"]
_PIECE = 65_536


@dataclass(frozen=True)
class Cut:
    """Ends the line after ``after`` bytes of a section of the first message that fits. ``reset``: with a TCP reset instead of an end."""

    method: str
    path: str
    direction: Direction
    section: Section
    after: int
    reset: bool = False

    def fits(self, method: str, path: str, direction: Direction, section: Section) -> bool:
        return (self.method, self.direction, self.section) == (method, direction, section) and re.search(self.path, path) is not None


@dataclass(frozen=True)
class Passed:
    """Sizes of one request and its answer, in bytes."""

    method: str
    path: str
    up_head: int
    up_body: int
    down_head: int
    down_body: int


class _Ended(Exception):
    """One side hung up, or the cut fell."""


class CuttingWay:
    """A context manager. ``arm`` orders the next cut; ``fired`` tells whether it fell, ``whole`` whether it fell behind the last byte of an answer (then there
    was nothing to notice); ``passed`` lists whole messages.
    """

    def __init__(self, url: str, server_pem: tuple[Path, Path], to_province: ssl.SSLContext) -> None:
        self._far = urlsplit(url)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(*server_pem)
        self._to_province = to_province
        self._lock = threading.Lock()
        self._cut: Cut | None = None
        self.fired = self.whole = False
        self.passed: list[Passed] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._listening.settimeout(0.1)
        self._ended = threading.Event()
        self._lines: list[threading.Thread] = []
        self.url = f"https://127.0.0.1:{self._listening.getsockname()[1]}"
        self._thread = threading.Thread(target=self._listen, name="way")

    def arm(self, cut: Cut) -> None:
        with self._lock:
            self._cut, self.fired, self.whole = cut, False, False

    def disarm(self) -> None:
        with self._lock:
            self._cut = None

    def _listen(self) -> None:
        while not self._ended.is_set():
            with contextlib.suppress(TimeoutError, OSError):
                taken, _ = self._listening.accept()
                line = threading.Thread(target=self._serve, args=(taken,), name="way line")
                self._lines = [one for one in self._lines if one.is_alive()] + [line]
                line.start()

    def _serve(self, taken: socket.socket) -> None:
        taken.settimeout(5)
        taken.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # a body is sent behind its head: no waiting for the head's ACK
        with contextlib.suppress(OSError, _Ended), self._context.wrap_socket(taken, server_side=True) as near:
            raw = socket.create_connection((self._far.hostname or "", self._far.port or 443), 5)
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else 40 ms for each part
            with self._to_province.wrap_socket(raw, server_hostname=self._far.hostname) as far:
                while not self._ended.is_set():
                    self._exchange(near, far)
        taken.close()

    def _exchange(self, near: ssl.SSLSocket, far: ssl.SSLSocket) -> None:
        head, rest = self._head(near, patient=True)
        method, path = head.split()[0].decode(), head.split()[1].decode()
        self._send(near, far, head, method, path, "up", "head")
        up_body = self._body(near, far, near, rest, head, method, path, "up")
        answer, rest = self._head(far)
        bare = method == "HEAD" or answer.split()[1] in (b"204", b"304")
        self._send(near, near, answer, method, path, "down", "head", last=bare or re.search(rb"(?i)\r\ncontent-length: *0\r\n", answer) is not None)
        down_body = 0 if bare else self._body(near, near, far, rest, answer, method, path, "down")
        self.passed.append(Passed(method, path, len(head), up_body, len(answer), down_body))

    def _head(self, source: ssl.SSLSocket, patient: bool = False) -> tuple[bytes, bytes]:
        """A head with its empty line, and what came behind it."""
        got = b""
        source.settimeout(0.2 if patient else 5)
        while b"\r\n\r\n" not in got:
            try:
                piece = source.recv(_PIECE)
            except TimeoutError:
                if patient and not got and not self._ended.is_set():
                    continue
                raise
            if not piece:
                raise _Ended
            got += piece
        source.settimeout(5)
        cut = got.index(b"\r\n\r\n") + 4
        return got[:cut], got[cut:]

    def _body(self, near: ssl.SSLSocket, target: ssl.SSLSocket, source: ssl.SSLSocket, rest: bytes, head: bytes, method: str, path: str,
              direction: Direction) -> int:
        found = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
        length = int(found[1]) if found else 0
        chunked = re.search(rb"(?i)\r\ntransfer-encoding: *chunked", head) is not None
        whole = rest
        while not whole.endswith(b"0\r\n\r\n") if chunked else len(whole) < length:
            piece = source.recv(_PIECE)
            if not piece:
                raise _Ended
            whole += piece
        length = len(whole) if chunked else length
        if length:
            self._send(near, target, whole[:length], method, path, direction, "body", last=direction == "down")
        return length

    def _send(self, near: ssl.SSLSocket, target: ssl.SSLSocket, content: bytes, method: str, path: str, direction: Direction, section: Section, *,
              last: bool = False) -> None:
        """``last``: nothing of the answer comes behind ``content``."""
        with self._lock:
            cut = self._cut if self._cut is not None and self._cut.fits(method, path, direction, section) and self._cut.after <= len(content) else None
            if cut is not None:
                self._cut, self.fired, self.whole = None, True, last and cut.after == len(content)
        if cut is None:
            target.sendall(content)
            return
        if cut.after:
            target.sendall(content[:cut.after])
        if cut.reset:
            near.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise _Ended

    def __enter__(self) -> CuttingWay:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join(10)
        for line in self._lines:
            line.join(10)
        self._listening.close()
