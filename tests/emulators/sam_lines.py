"""An identity-card reader at the edge of the byte: a module behind a pty, a TCP port or a local socket, whose bytes can be cut, lost, flipped and delayed.

Never knows what a frame means beyond its length: the module (``sam_module.py``) answers.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import termios
import threading
import time
import tty
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.emulators.sam_module import PREAMBLE, SamModule

__all__ = ["LineFaults", "PtyReader", "SocketReader"]

SPEEDS = {9600: termios.B9600, 19200: termios.B19200, 38400: termios.B38400, 57600: termios.B57600, 115200: termios.B115200}


@dataclass
class LineFaults:
    """What happens to an answer on its way. ``mangle`` gets the bytes and gives what arrives; ``piece`` bytes go out at a time, ``pause`` seconds apart."""

    mangle: Callable[[bytes], bytes] | None = None
    piece: int = 0
    pause: float = 0.0
    before: float = 0.0


class _Ears:
    """Takes bytes as they come and gives whole frames, whatever they say."""

    def __init__(self) -> None:
        self._held = b""

    def hear(self, data: bytes) -> list[bytes]:
        self._held += data
        frames: list[bytes] = []
        while True:
            start = self._held.find(PREAMBLE)
            if start < 0 or len(self._held) < start + 7:
                return frames
            end = start + 7 + int.from_bytes(self._held[start + 5:start + 7], "big")
            if len(self._held) < end:
                return frames
            frames.append(self._held[start:end])
            self._held = self._held[end:]


def _send(write: Callable[[bytes], object], answer: bytes, faults: LineFaults) -> None:
    sent = faults.mangle(answer) if faults.mangle else answer
    if faults.before:
        time.sleep(faults.before)
    size = faults.piece or max(1, len(sent))
    for start in range(0, len(sent), size):
        write(sent[start:start + size])
        if faults.pause:
            time.sleep(faults.pause)


class PtyReader:
    """A module behind a pseudo-terminal; ``port`` is what a serial driver opens. It hears nothing but noise at another speed than its own."""

    def __init__(self, module: SamModule, baud: int = 115200) -> None:
        self.module, self.baud, self.faults = module, baud, LineFaults()
        self.heard: list[int] = []
        self._fds: tuple[int, int] | None = None
        self._thread: threading.Thread | None = None
        self.port = ""
        self.plug()

    def plug(self) -> None:
        master, slave = os.openpty()
        tty.setraw(slave)
        self._fds, self.port = (master, slave), os.ttyname(slave)
        self._thread = threading.Thread(target=self._serve, args=(master,), name="pty reader", daemon=True)
        self._thread.start()

    def unplug(self) -> None:
        """The adapter is pulled: the port is gone."""
        fds, self._fds = self._fds, None
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join(5)
        for fd in fds or ():
            os.close(fd)

    close = unplug

    def _serve(self, master: int) -> None:
        ears = _Ears()
        while self._fds is not None:
            if not select.select([master], [], [], 0.02)[0]:
                continue
            with contextlib.suppress(OSError):
                data = os.read(master, 4096)
                speed = termios.tcgetattr(master)[4]
                if speed != SPEEDS[self.baud]:
                    self.heard.append(next(baud for baud, code in SPEEDS.items() if code == speed))
                    os.write(master, bytes(byte & 0x5F for byte in data[:3]))
                    continue
                for frame in ears.hear(data):
                    _send(lambda piece: os.write(master, piece), self.module.answer(frame), self.faults)


class SocketReader:
    """A module behind a TCP port of this machine (a serial server), or behind a local socket (for the stub of a vendor's library)."""

    def __init__(self, module: SamModule, path: Path | None = None) -> None:
        self.module, self.faults = module, LineFaults()
        self._path = path
        self._listener = socket.socket(socket.AF_UNIX if path else socket.AF_INET)
        self._listener.bind(str(path) if path else ("127.0.0.1", 0))
        self._listener.listen(4)
        self._listener.settimeout(0.05)
        self.port = 0 if path else int(self._listener.getsockname()[1])
        self._open = True
        self._line: socket.socket | None = None
        self._thread = threading.Thread(target=self._accept, name="socket reader", daemon=True)
        self._thread.start()

    def cut(self) -> None:
        """The line is cut; a new one may be made."""
        line = self._line
        if line is not None:
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._open = False
        self.cut()
        self._thread.join(5)
        self._listener.close()

    def _accept(self) -> None:
        while self._open:
            try:
                self._line, _ = self._listener.accept()
            except TimeoutError:
                continue
            with self._line as line:
                line.settimeout(None)
                self._serve(line)
            self._line = None

    def _serve(self, line: socket.socket) -> None:
        ears = _Ears()
        with contextlib.suppress(OSError):
            while self._open and (data := line.recv(4096)):
                for frame in ears.hear(data):
                    _send(line.sendall, self.module.answer(frame), self.faults)
