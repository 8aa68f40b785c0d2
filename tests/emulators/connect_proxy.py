"""A hall's proxy on loopback: answers CONNECT, carries bytes both ways, or refuses as told. Never sees inside the TLS that it carries."""

from __future__ import annotations

import contextlib
import select
import socket
import threading

__all__ = ["ConnectProxy"]


class ConnectProxy:
    """A context manager. ``asked`` are the targets of CONNECT; ``answer`` is the status line, 200 carries on."""

    def __init__(self) -> None:
        self.answer = b"200 Connection established"
        self.asked: list[str] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._listening.settimeout(0.1)
        self._ended = threading.Event()
        self._carriers: list[threading.Thread] = []
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self._thread = threading.Thread(target=self._listen, name="proxy")

    def _listen(self) -> None:
        while not self._ended.is_set():
            with contextlib.suppress(TimeoutError, OSError):
                taken, _ = self._listening.accept()
                carrier = threading.Thread(target=self._carry, args=(taken,), name="proxy line")
                self._carriers.append(carrier)
                carrier.start()

    def _carry(self, near: socket.socket) -> None:
        with near, contextlib.suppress(OSError):
            near.settimeout(5)
            head = b""
            while b"\r\n\r\n" not in head:
                head += near.recv(65_536)
            target = head.split()[1].decode("ascii")
            self.asked.append(target)
            if not self.answer.startswith(b"200"):
                near.sendall(b"HTTP/1.1 " + self.answer + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                return
            host, _, port = target.rpartition(":")
            with socket.create_connection((host, int(port)), 5) as far:
                near.sendall(b"HTTP/1.1 " + self.answer + b"\r\n\r\n")
                self._both_ways(near, far)

    def _both_ways(self, near: socket.socket, far: socket.socket) -> None:
        while not self._ended.is_set():
            for ready in select.select([near, far], [], [], 0.1)[0]:
                piece = ready.recv(65_536)
                if not piece:
                    return
                (far if ready is near else near).sendall(piece)

    def __enter__(self) -> ConnectProxy:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join(10)
        for carrier in self._carriers:
            carrier.join(10)
        self._listening.close()
