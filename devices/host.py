"""Runs one object with native code in a child process, so that its crash or hang is a named trouble. Never loads that code into the caller's process.

The child is spawned, not forked; it imports no Qt, writes no core, and ends with its parent even inside a hung native call. It has one thread, so the object
sees one call at a time. What comes back is read as outside bytes: plain values, arrays and our own frozen classes, nothing that could run code here.
"""

from __future__ import annotations

import importlib
import io
import multiprocessing
import os
import pickle
import signal
import sys
import threading
import traceback
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import is_dataclass
from enum import Enum
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, cast

from devices.base import Cancel
from devices.errors import Cancelled, DeviceTrouble, DriverCrashed, DriverHung
from devices.foreign import ForeignChild
from resources.trouble import Trouble

if TYPE_CHECKING:
    from multiprocessing.context import SpawnProcess

__all__ = ["Host", "serve"]

CANCEL_STEP_SECONDS = 0.05
"""How often a waiting call looks at ``cancel``."""
FAREWELL_SECONDS = 2.0
"""How long an idle child may take to close its object before it is ended."""
PLAIN: dict[str, frozenset[str]] = {
    "builtins": frozenset({"bytearray", "complex", "frozenset", "range", "set", "slice"}),
    "datetime": frozenset({"date", "datetime", "time", "timedelta", "timezone"}),
    "numpy": frozenset({"dtype", "ndarray"}),
    "numpy._core.multiarray": frozenset({"_reconstruct"}),
    "numpy._core.numeric": frozenset({"_frombuffer"}),
    "numpy.core.multiarray": frozenset({"_reconstruct"}),
    "numpy.core.numeric": frozenset({"_frombuffer"}),
}
"""Names beside our own classes that an answer may mention. None of them runs code that the child chose."""


class _Pipe(Protocol):
    """What we use of a multiprocessing connection, whose class differs between systems."""

    def send_bytes(self, buf: bytes, /) -> None: ...
    def recv_bytes(self) -> bytes: ...
    def recv(self) -> Any: ...
    def poll(self, timeout: float, /) -> bool: ...
    def close(self) -> None: ...


class Host:
    """One object in one child process.

    ``factory`` is ``"package.module:callable"``; it is called in the child with ``args`` at the first call, and again in a new child after the old one ended:
    whatever the object remembered is then gone. If the object has a method ``close``, it is called before an orderly end. Times are seconds.
    Calls from several threads wait for each other. ``python``: another interpreter for the child (a 32-bit one), which then needs the factory's module only.
    """

    def __init__(self, factory: str, *args: object, call_seconds: float = 30.0, start_seconds: float = 30.0, python: str | None = None) -> None:
        self._factory = factory
        self._args = args
        self._call_seconds = call_seconds
        self._start_seconds = start_seconds
        self._python = python
        self._lock = threading.Lock()
        self._process: SpawnProcess | ForeignChild | None = None
        self._pipe: _Pipe | None = None
        self._ready = False
        self.starts = 0

    def start(self) -> None:
        """Start the child and return at once, so that a later call finds it warm. A call starts it too."""
        with self._lock:
            self._begin()

    def call(self, method: str, /, *args: object, seconds: float | None = None, cancel: Cancel | None = None, **named: object) -> Any:
        """Call ``method`` of the object and give its answer.

        Raises what the method raised if that is a ``Trouble`` (code and facts intact) and ``DeviceTrouble`` for any other error; ``DriverCrashed`` when the
        child ended; ``DriverHung`` when no answer came within ``seconds`` (the child is killed); ``Cancelled`` when ``cancel`` was set (the child is killed).
        The next call starts a new child.
        """
        with self._lock:
            self._begin()
            if not self._ready:
                with self._within(self._start_seconds):
                    self._take(self._receive(cancel))
                self._ready = True
            with self._within(self._call_seconds if seconds is None else seconds):
                assert self._pipe is not None
                self._pipe.send_bytes(pickle.dumps((method, args, named), protocol=5))
                answer = self._receive(cancel)
            return self._take(answer)

    def close(self) -> None:
        """End the child: orderly if it listens, else by force. A later call starts a new one."""
        with self._lock:
            self._end(FAREWELL_SECONDS)

    def kill(self) -> None:
        """End the child now, even while another thread waits in a call (which then raises ``DriverCrashed``)."""
        process = self._process
        if process is not None:
            with suppress(OSError, ValueError):  # it ended in this very moment
                process.kill()

    @property
    def pid(self) -> int | None:
        """The child's process id, or None while there is no child."""
        process = self._process
        return process.pid if process is not None else None

    def __enter__(self) -> Host:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    # -- the parent's side; the lock is held -------------------------------------------------------------------------------------------
    def _begin(self) -> None:
        if self._process is not None and self._pipe is not None and self._process.is_alive():
            unasked = self._ready and self._pipe.poll(0)  # a closed pipe, or an answer to no call
            if not unasked:
                return
        self._end(0)
        try:
            self._process, self._pipe = self._spawned() if self._python is None else self._foreign(self._python)
        except OSError as error:
            raise DriverCrashed(f"{self._factory}: no child process: {error}", driver=self._factory, status=None) from None
        self._ready = False
        self.starts += 1

    def _spawned(self) -> tuple[SpawnProcess, _Pipe]:
        spawn = multiprocessing.get_context("spawn")
        ours, theirs = spawn.Pipe()
        process = spawn.Process(target=serve, args=(theirs, self._factory, self._args), name=f"host {self._factory}", daemon=True)
        try:
            process.start()
        except OSError:
            ours.close()
            raise
        finally:
            theirs.close()
        return process, ours

    def _foreign(self, python: str) -> tuple[ForeignChild, _Pipe]:
        child = ForeignChild(python, self._factory, self._args)
        return child, child.pipe

    def _end(self, patience: float) -> int | None:
        """Close the pipe, wait ``patience`` seconds, kill, and give the exit status."""
        process, self._process = self._process, None
        if self._pipe is not None:
            self._pipe.close()
        self._pipe, self._ready = None, False
        if process is None:
            return None
        process.join(patience)
        if process.is_alive():
            process.kill()
        process.join()
        status = process.exitcode
        process.close()
        return status

    @contextmanager
    def _within(self, seconds: float) -> Generator[None]:
        """Kill the child when the block takes longer, and name what ended the block."""
        late = threading.Event()

        def give_up() -> None:
            late.set()
            self.kill()

        watchdog = threading.Timer(seconds, give_up)
        watchdog.daemon = True
        watchdog.start()
        try:
            yield
        except (EOFError, OSError, _Refused) as error:
            status = self._end(0.5 if isinstance(error, EOFError) else 0)
            if late.is_set():
                raise DriverHung(f"{self._factory}: no answer within {seconds:g} s", driver=self._factory, seconds=seconds) from None
            raise DriverCrashed(f"{self._factory}: child ended with {status}: {error!r}", driver=self._factory, status=status) from None
        except Cancelled:
            self._end(0)
            raise
        finally:
            watchdog.cancel()
            watchdog.join()
        if late.is_set():
            self._end(0)

    def _receive(self, cancel: Cancel | None) -> tuple[Any, ...]:
        assert self._pipe is not None
        while cancel is not None and not self._pipe.poll(CANCEL_STEP_SECONDS):
            if cancel.is_set():
                raise Cancelled(f"{self._factory}: called off")
        answer = _read(self._pipe.recv_bytes(), self._factory)
        if not isinstance(answer, tuple) or not answer:
            raise _Refused("an answer without a kind")
        return answer  # pyright: ignore[reportUnknownVariableType]

    def _take(self, answer: tuple[Any, ...]) -> Any:
        match answer:
            case ("value", value):
                return value
            case ("trouble", kind, str(detail), facts) if isinstance(facts, dict) and isinstance(kind, type) and issubclass(kind, Trouble):
                if not self._ready:
                    self._end(FAREWELL_SECONDS)
                raise kind(detail, **cast("dict[str, object]", facts))
            case ("error", str(where)):
                if not self._ready:
                    self._end(FAREWELL_SECONDS)
                raise DeviceTrouble(f"{self._factory}: {where}")
            case _:
                self._end(0)
                raise DriverCrashed(f"{self._factory}: answered with something unexpected", driver=self._factory, status=None)


class _Refused(Exception):
    """An answer that names something outside ``PLAIN`` and our own classes."""


class _Reader(pickle.Unpickler):
    """Reads an answer. Only plain values, and classes of devices or of the factory's package that are dataclasses, enums, named tuples or troubles."""

    def __init__(self, untrusted: bytes, factory: str) -> None:
        super().__init__(io.BytesIO(untrusted))
        self._packages = ("devices", factory.partition(":")[0].rpartition(".")[0] or "devices")
        self._modules = (factory.partition(":")[0], "resources.trouble")

    def find_class(self, module_name: str, global_name: str, /) -> Any:
        if global_name in PLAIN.get(module_name, ()):
            return super().find_class(module_name, global_name)
        ours = module_name in self._modules or any(module_name.startswith(package + ".") for package in self._packages)
        if ours and "." not in global_name:
            found = super().find_class(module_name, global_name)
            if isinstance(found, type) and found.__module__ == module_name and (is_dataclass(found) or issubclass(found, Enum | Trouble | tuple)):
                return found  # pyright: ignore[reportUnknownVariableType]
        raise _Refused(f"{module_name}.{global_name}")


def _read(untrusted: bytes, factory: str) -> Any:
    try:
        return _Reader(untrusted, factory).load()
    except (_Refused, EOFError, OSError) as error:
        raise _Refused(str(error)) from None
    except Exception as error:  # whatever broken bytes do to an unpickler, they are a broken answer
        raise _Refused(type(error).__name__) from None


# -- the child's side -----------------------------------------------------------------------------------------------------------------
def serve(pipe: _Pipe, factory: str, args: tuple[object, ...]) -> None:
    """Main function of the child: make the object, answer calls until the pipe closes."""
    _go_quietly()
    _end_with_the_parent()
    try:
        module, _, name = factory.partition(":")
        thing = getattr(importlib.import_module(module), name)(*args)
    except Exception as error:
        _send(pipe, _as_answer(error))
        return
    _send(pipe, ("value", None))
    while True:
        try:
            method, given, named = pipe.recv()
        except (EOFError, OSError):
            break
        try:
            answer: tuple[object, ...] = ("value", getattr(thing, method)(*given, **named))
        except Exception as error:
            answer = _as_answer(error)
        del given, named  # a PIN may have been among them
        _send(pipe, answer)
        del answer
    with suppress(Exception):
        getattr(thing, "close", lambda: None)()


def _send(pipe: _Pipe, answer: tuple[object, ...]) -> None:
    try:
        written = pickle.dumps(answer, protocol=5)
    except Exception as error:
        written = pickle.dumps(("error", f"answer cannot travel: {type(error).__name__}"), protocol=5)
    with suppress(OSError):
        pipe.send_bytes(written)


def _as_answer(error: Exception) -> tuple[object, ...]:
    """Troubles travel whole; of other errors only kind and place, since their text may hold personal bytes."""
    if isinstance(error, Trouble):
        return ("trouble", type(error), error.detail, error.facts)
    last = traceback.extract_tb(error.__traceback__)[-1:]
    where = f" at {os.path.basename(last[0].filename)}:{last[0].lineno}" if last else ""
    return ("error", type(error).__name__ + where)


def _go_quietly() -> None:
    """No core file, no death by the terminal's Ctrl-C (the parent ends us), no vendor chatter on standard output."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(OSError):
        os.dup2(2, 1)


def _end_with_the_parent() -> None:
    """Die when the parent does.

    On Linux the kernel sends SIGIO, whose default is the end, when the parent's end of our start pipe closes: this needs no thread and no interpreter lock,
    so it works inside a hung native call. (PR_SET_PDEATHSIG would also fire when merely the starting *thread* ends.) Elsewhere a thread waits.
    """
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    if sys.platform == "linux":
        import fcntl
        import select

        lifeline = int(parent.sentinel)
        fcntl.fcntl(lifeline, fcntl.F_SETOWN, os.getpid())
        fcntl.fcntl(lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | os.O_ASYNC)
        if select.select([lifeline], [], [], 0)[0]:
            os._exit(0)
        return

    def wait() -> None:
        parent.join()
        os._exit(0)

    threading.Thread(target=wait, name="parent", daemon=True).start()
