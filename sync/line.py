"""One TLS line on which every request ends: a whole head, an end for sending and answering alike, a cut from outside. Never judges an answer.

The time-outs of the library below hold for one call on the socket; a head that drips, endless interim answers or a body that is sipped would go on for ever.
"""

from __future__ import annotations

import contextlib
import functools
import http.client
import io
import math
import socket
import ssl
import time
from collections.abc import Callable
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPSConnection
from urllib3.connectionpool import HTTPSConnectionPool

__all__ = ["End", "PlainRefused", "PrivateRoots", "ProxySilent"]

_PIECE = 65_536
"""Bytes that are sent in one go; between two of them the end is looked at."""
_LOST_MS = 30_000
"""Milliseconds after which a line that acknowledges nothing of what was sent is over, where the system can tell (TCP_USER_TIMEOUT)."""
_OPTIONS = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]
if hasattr(socket, "TCP_USER_TIMEOUT"):
    _OPTIONS.append((socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _LOST_MS))


class ProxySilent(OSError):
    """The proxy took the call and did not answer it, or with something that is no answer: what lies behind it was never reached."""


class End:
    """When the request under way is over. One thread asks and sends; ``cut`` may come from any."""

    def __init__(self) -> None:
        self._at = math.inf
        self._line: Any = None
        self._cut = False
        self._body: bytes | None = None
        self._sent: Callable[[], object] | None = None

    def within(self, seconds: float, body: bytes | None = None, sent: Callable[[], object] | None = None) -> None:
        """A new request begins; ``sent()`` is called when all of ``body`` was given to the system, while its answer is still to come."""
        self._at = time.monotonic() + seconds
        self._body, self._sent = body, sent

    def left(self, most: float | None) -> float:
        """Seconds for the next call on the socket, ``most`` at the most. Raises TimeoutError where the request is over."""
        left = self._at - time.monotonic()
        if self._cut or left <= 0:
            raise TimeoutError("the line was cut" if self._cut else "the request took too long")
        return min(left, 3600.0 if most is None else most)

    def gone(self, data: bytes) -> None:
        """``data`` was given to the system."""
        if data is self._body and self._sent is not None:
            told, self._sent = self._sent, None
            told()

    def holds(self, line: Any) -> None:
        """The socket, or what wraps it, that ``cut`` ends."""
        self._line = line

    def cut(self) -> None:
        """Whatever is under way ends at once, and so does all that is asked later."""
        self._cut = True
        line = self._line
        while line is not None and not isinstance(line, socket.socket):
            line = getattr(line, "socket", None)
        if line is not None:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(line, socket.SHUT_RDWR)  # not that of ssl: it would take its object away from the thread that reads


class _Ending(io.RawIOBase):
    """What comes over a socket, until the request's end."""

    def __init__(self, line: Any, end: End) -> None:
        self._line, self._end, self._most = line, end, line.gettimeout()
        self._file: Any = line.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._line.settimeout(self._end.left(self._most))
        found: int | None = self._file.readinto(buffer)
        return found

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()


class _Remembered:
    """A stream that remembers the last line that was read from it."""

    def __init__(self, stream: Any) -> None:
        self.stream, self.last = stream, b""

    def readline(self, *limit: int) -> bytes:
        self.last = self.stream.readline(*limit)
        return self.last

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


class _WholeHead(http.client.HTTPResponse):
    """An answer whose head must end with its empty line. The standard library takes a head that was cut off for a whole one with fewer lines."""

    def __init__(self, end: End, sock: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        endless: Any = self.fp
        ending: Any = io.BufferedReader(_Ending(sock, end))
        self.fp = ending
        endless.close()

    def begin(self) -> None:
        remembered: Any = _Remembered(self.fp)
        self.fp = remembered
        super().begin()
        if self.fp is remembered:
            self.fp = remembered.stream
        if remembered.last not in (b"\r\n", b"\n"):
            self.close()
            raise http.client.RemoteDisconnected("the answer ended within its head")


class _Line(HTTPSConnection):
    def __init__(self, end: End, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)  # pyright: ignore[reportUnknownMemberType]
        self._end = end
        self.response_class: Any = functools.partial(_WholeHead, end)

    def _new_conn(self) -> socket.socket:
        self._end.left(None)
        made = super()._new_conn()
        self._end.holds(made)
        return made

    def connect(self) -> None:
        super().connect()
        self._end.holds(self.sock)

    def _tunnel(self) -> None:
        told: Any = super()
        try:
            told._tunnel()
        except (OSError, http.client.HTTPException) as error:
            if "Tunnel connection failed" in str(error):  # an answer, with its status
                raise
            raise ProxySilent(type(error).__name__) from error

    def send(self, data: Any) -> None:
        """Over the last piece the end stands; a body that nobody reads is not waited upon for longer."""
        if self.sock is None or not isinstance(data, bytes):
            super().send(data)
            return
        for begin in range(0, len(data), _PIECE):
            self.sock.settimeout(self._end.left(self.timeout))
            super().send(memoryview(data)[begin:begin + _PIECE])
        self._end.gone(data)


class _Lines(HTTPSConnectionPool):
    def __init__(self, end: End, *args: Any, **kwargs: Any) -> None:
        self.ConnectionCls: Any = functools.partial(_Line, end)
        super().__init__(*args, **kwargs)


class PrivateRoots(HTTPAdapter):
    """An adapter that uses one given context and adds no root to it: requests would add its own bundle of public roots. ``end``: of its one line."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        self.end = End()
        super().__init__(max_retries=0, pool_connections=1, pool_maxsize=1)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs, ssl_context=self._context, socket_options=_OPTIONS)
        pools: Any = self.poolmanager
        pools.pool_classes_by_scheme = {"https": functools.partial(_Lines, self.end)}

    def proxy_manager_for(self, proxy: str, **proxy_kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **proxy_kwargs, ssl_context=self._context, socket_options=_OPTIONS)
        manager.pool_classes_by_scheme = {**manager.pool_classes_by_scheme, "https": functools.partial(_Lines, self.end)}
        return manager

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        conn.cert_reqs, conn.ca_certs, conn.ca_cert_dir = "CERT_REQUIRED", None, None


class PlainRefused(HTTPAdapter):
    """What stands for http:// so that nothing ever leaves unencrypted."""

    def send(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        raise requests.exceptions.InvalidSchema("only https")
