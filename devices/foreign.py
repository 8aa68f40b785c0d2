"""A ``Host`` child that another Python runs: a 32-bit one for libraries that only a 32-bit program can load. Never used where our own Python can do the work.

Parent and child talk over the child's standard input and output, in frames; whatever a library prints goes to standard error instead.
"""

from __future__ import annotations

import os
import pickle
import queue
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

__all__ = ["ForeignChild", "FramedPipe", "main"]

FAREWELL_SECONDS = 1.5
HEAD = struct.Struct(">I")
BEGIN = "import sys; sys.path.insert(0, {root!r}); from devices.foreign import main; main()"


class FramedPipe:
    """Frames over two byte streams, with ``poll``; what a ``Host`` uses of a connection. ``ended`` is called in the reading thread at their end."""

    def __init__(self, incoming: BinaryIO, outgoing: BinaryIO, ended: Callable[[], None] = lambda: None) -> None:
        self._incoming, self._outgoing, self._ended = incoming, outgoing, ended
        self._frames: queue.Queue[bytes | None] = queue.Queue()
        self._ahead: list[bytes | None] = []
        self._reader = threading.Thread(target=self._read, name="framed pipe", daemon=True)
        self._reader.start()

    def send_bytes(self, buf: bytes, /) -> None:
        """Raises ``OSError`` when nobody reads any more."""
        try:
            self._outgoing.write(HEAD.pack(len(buf)) + buf)
            self._outgoing.flush()
        except ValueError as error:  # closed here
            raise OSError(str(error)) from None

    def recv_bytes(self) -> bytes:
        """Raises ``EOFError`` when the other side is gone."""
        frame = self._ahead.pop() if self._ahead else self._frames.get()
        if frame is None:
            self._frames.put(None)
            raise EOFError
        return frame

    def recv(self) -> Any:
        """A pickled object; for the child's side only, which trusts its parent."""
        return pickle.loads(self.recv_bytes())

    def poll(self, timeout: float, /) -> bool:
        """Whether a frame, or the end, is there within ``timeout`` seconds."""
        if not self._ahead:
            with suppress(queue.Empty):
                self._ahead.append(self._frames.get(timeout=timeout) if timeout else self._frames.get_nowait())
        return bool(self._ahead)

    def close(self) -> None:
        """Let the other side see the end."""
        with suppress(OSError):
            self._outgoing.close()

    def _read(self) -> None:
        while True:
            try:
                head = self._incoming.read(HEAD.size)
                frame = self._incoming.read(HEAD.unpack(head)[0]) if len(head) == HEAD.size else b""
                whole = len(head) == HEAD.size and len(frame) == HEAD.unpack(head)[0]
            except (OSError, ValueError):
                whole, frame = False, b""
            self._frames.put(frame if whole else None)
            if not whole:
                self._ended()
                return


class ForeignChild:
    """The process, with the few members of a ``multiprocessing`` process that ``Host`` uses, and ``pipe``. Raises ``OSError`` where it does not start."""

    def __init__(self, python: str, factory: str, args: tuple[object, ...]) -> None:
        root = str(Path(__file__).resolve().parents[1])
        command = [python, "-E", "-S", "-B", "-c", BEGIN.format(root=root)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        assert self._process.stdin is not None and self._process.stdout is not None
        self.pipe = FramedPipe(self._process.stdout, self._process.stdin)  # type: ignore[arg-type]
        with suppress(OSError):  # it ended already: the first answer says so
            self.pipe.send_bytes(pickle.dumps((factory, args), protocol=5))

    @property
    def pid(self) -> int | None:
        return self._process.pid

    @property
    def exitcode(self) -> int | None:
        return self._process.poll()

    def is_alive(self) -> bool:
        return self._process.poll() is None

    def kill(self) -> None:
        self._process.kill()

    def join(self, timeout: float | None = None) -> None:
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout)

    def close(self) -> None:
        """Take back what the process held; it has ended."""
        self.pipe.close()
        self.pipe._reader.join()  # pyright: ignore[reportPrivateUsage]
        assert self._process.stdout is not None
        self._process.stdout.close()


def main() -> None:
    """The child: keeps standard output for the frames, gives everybody else standard error, then serves."""
    frames = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    incoming = os.fdopen(os.dup(0), "rb")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    if sys.platform == "win32":
        import msvcrt

        for stream in (frames, incoming):
            msvcrt.setmode(stream.fileno(), os.O_BINARY)
    pipe = FramedPipe(incoming, frames, ended=_leave)
    from devices.host import serve

    factory, args = pipe.recv()
    serve(pipe, factory, args)
    os._exit(0)


def _leave() -> None:
    """The parent is gone, or wants an end: the object gets a moment to close itself, a hung library gets no more."""
    time.sleep(FAREWELL_SECONDS)
    os._exit(0)
