"""The real smart-card service, started for one test run in a namespace of its own. Never touches the service of the machine."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

__all__ = ["FIRST_PORT", "Pcscd", "why_not_here"]

FIRST_PORT = 35963          # vpcd: slot n listens on FIRST_PORT + n, on all addresses
SOCKET = Path("/run/pcscd/pcscd.comm")
PID_FILE = Path("/run/pcscd/pcscd.pid")
START_S, STOP_S = 10.0, 5.0


def why_not_here() -> str:
    """Why the service must not be started here; an empty string when it may. Port and socket are fixed, so it needs its own mounts and network."""
    if shutil.which("pcscd") is None:
        return "pcscd is not installed"
    if os.environ.get("HALL_INTAKE_ALONE") == "1":
        return ""
    for kind in ("net", "mnt"):
        try:
            if os.readlink(f"/proc/self/ns/{kind}") == os.readlink("/proc/1/ns/" + kind):
                return "not in namespaces of its own: run under `unshare -rmn` with a tmpfs on /run and the loopback up"
        except PermissionError:   # another user namespace: not the machine's own
            return ""
    return ""


class Pcscd:
    """``with Pcscd() as service:`` starts it and waits until its virtual readers listen; ``restart()``, ``stop()`` and ``start()`` for faults."""

    def __init__(self) -> None:
        self._child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Pcscd:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    @property
    def running(self) -> bool:
        return self._child is not None and self._child.poll() is None

    def start(self) -> None:
        """Raises RuntimeError where this is no place for it, or it does not come up."""
        if why := why_not_here():
            raise RuntimeError(why)
        SOCKET.parent.mkdir(mode=0o755, exist_ok=True)
        for left in (SOCKET, PID_FILE):
            left.unlink(missing_ok=True)
        quiet = subprocess.DEVNULL
        self._child = subprocess.Popen(["pcscd", "--foreground", *_polkit_off()], stdin=quiet, stdout=quiet, stderr=quiet)
        end = time.monotonic() + START_S
        while not (SOCKET.exists() and _listens(FIRST_PORT)):
            if self._child.poll() is not None or time.monotonic() > end:
                self.stop()
                raise RuntimeError("pcscd with the virtual reader driver did not come up")
            time.sleep(0.02)

    def stop(self) -> None:
        """Ends it by its own process id."""
        child, self._child = self._child, None
        if child is None:
            return
        child.terminate()
        try:
            child.wait(STOP_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait(STOP_S)

    @contextmanager
    def asleep(self, after: float = 0.0) -> Iterator[threading.Event]:
        """The service stands still (from ``after`` seconds on) until the block ends, as in a sleep of the machine. Gives an event: it sleeps."""
        child = self._child
        assert child is not None
        sleeping = threading.Event()

        def sleep() -> None:
            child.send_signal(signal.SIGSTOP)
            sleeping.set()

        timer = threading.Timer(after, sleep)
        timer.start()
        try:
            if not after:
                sleeping.wait()
            yield sleeping
        finally:
            timer.join()
            child.send_signal(signal.SIGCONT)

    def restart(self) -> None:
        self.stop()
        self.start()


def _polkit_off() -> list[str]:
    """From 2.0 on the service asks polkit, which a container has not; 1.9 does not know the switch."""
    said = subprocess.run(["pcscd", "--help"], capture_output=True, check=False)
    return ["--disable-polkit"] if b"--disable-polkit" in said.stdout + said.stderr else []


def _listens(port: int) -> bool:
    """Whether somebody listens, asked of the kernel: a real connection would look like a card."""
    wanted = f":{port:04X}"
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            lines = Path(table).read_text(encoding="ascii").splitlines()[1:]
        except FileNotFoundError:
            continue
        if any(line.split()[1].endswith(wanted) and line.split()[3] == "0A" for line in lines):
            return True
    return False


