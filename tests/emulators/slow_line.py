"""A slow line to a province: bytes pass at a given rate and with a given delay, in both directions, through a process of its own. Never looks into them.

The rate is that of TCP's payload (headers of TCP and IP are not counted); a short queue stands before the line, as in a router, and fills up like one.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from collections import deque
from urllib.parse import urlsplit

__all__ = ["SlowLine"]

_PIECE = 8192
_QUEUE_S = 0.1
"""Seconds of line that the queue before it holds."""


class SlowLine:
    """A context manager; ``url`` is the near end of the line."""

    def __init__(self, url: str, mbit: float, delay_s: float = 0.0) -> None:
        """``mbit``: 10^6 bits a second in each direction; ``delay_s``: each way."""
        self._far = urlsplit(url)
        self._words = [str(self._far.port), str(mbit), str(delay_s)]
        self.url = ""

    def __enter__(self) -> SlowLine:
        command = [sys.executable, "-m", "tests.emulators.slow_line", *self._words]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.url = f"https://{self._far.hostname}:{int(self._process.stdout.readline())}"
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate(timeout=30)  # its input ends, and so does it


class _Way:
    """One direction of one connection: a queue of limited length, and a clock that says when its pieces come out."""

    def __init__(self, source: socket.socket, target: socket.socket, rate: float, delay_s: float) -> None:
        self._source, self._target, self._rate, self._delay = source, target, rate, delay_s
        self._pieces: deque[tuple[float, bytes]] = deque()
        self._changed = threading.Condition()
        self._free = 0.0
        threading.Thread(target=self._take, daemon=True).start()
        threading.Thread(target=self._give, daemon=True).start()

    def _take(self) -> None:
        while True:
            try:
                piece = self._source.recv(_PIECE)
            except OSError:
                piece = b""
            now = time.monotonic()
            self._free = max(self._free, now) + len(piece) / self._rate
            with self._changed:
                self._pieces.append((self._free + self._delay, piece))
                self._changed.notify()
            if not piece:
                return
            time.sleep(max(0.0, self._free - now - _QUEUE_S))

    def _give(self) -> None:
        while True:
            with self._changed:
                while not self._pieces:
                    self._changed.wait()
                at, piece = self._pieces.popleft()
            time.sleep(max(0.0, at - time.monotonic()))
            try:
                if not piece:
                    self._target.shutdown(socket.SHUT_WR)
                    return
                self._target.sendall(piece)
            except OSError:
                return


def _serve(port: int, mbit: float, delay_s: float) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        print(listening.getsockname()[1], flush=True)
        while True:
            near, _ = listening.accept()
            far = socket.create_connection(("127.0.0.1", port))
            for one in (near, far):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            near.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
            _Way(near, far, mbit * 1e6 / 8, delay_s)
            _Way(far, near, mbit * 1e6 / 8, delay_s)


if __name__ == "__main__":
    threading.Thread(target=_serve, args=(int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])), daemon=True).start()
    sys.stdin.read()
