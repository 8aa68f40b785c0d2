"""A real Secret Service for tests: a private D-Bus and gnome-keyring-daemon in a folder of their own. Never touches the session of whoever runs the tests."""

from __future__ import annotations

import os
import select
import subprocess
import time
from pathlib import Path
from types import TracebackType

__all__ = ["PrivateKeyring"]

_START_S = 15.0
_BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:path={socket}</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>
"""
"""A bus without service folders: nothing is started on demand, so that a stopped keyring is really away."""


class PrivateKeyring:
    """Use as a context manager; ``env`` names the private bus. ``lock()`` locks the collection, as an automatic log-in leaves it."""

    def __init__(self, folder: Path, password: str = "test") -> None:
        """``folder`` becomes HOME and XDG_RUNTIME_DIR; keep its path short (a socket path has 107 bytes at most)."""
        self.folder = folder
        self.env: dict[str, str] = {}
        self._password = password
        self._bus: subprocess.Popen[bytes] | None = None
        self._daemon: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> PrivateKeyring:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        runtime = self.folder / "run"
        runtime.mkdir(mode=0o700, exist_ok=True)
        base = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY", "DBUS_SESSION_BUS_ADDRESS")}
        base |= {"HOME": str(self.folder), "XDG_RUNTIME_DIR": str(runtime), "XDG_DATA_HOME": str(self.folder / "data")}
        (self.folder / "bus.conf").write_text(_BUS.format(socket=runtime / "bus"), "utf-8")
        self._bus = subprocess.Popen(["dbus-daemon", f"--config-file={self.folder / 'bus.conf'}", "--nofork", "--nopidfile", "--print-address=1"], env=base,
                                     stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        assert self._bus.stdout is not None
        if not select.select([self._bus.stdout], [], [], _START_S)[0]:
            self.close()
            raise RuntimeError("dbus-daemon does not start")
        self.env = base | {"DBUS_SESSION_BUS_ADDRESS": self._bus.stdout.readline().decode().strip()}
        self.start_daemon()
        return self

    def start_daemon(self) -> None:
        """Starts the keyring and unlocks it with the password; the first time this makes its login collection."""
        self._daemon = subprocess.Popen(["gnome-keyring-daemon", "--foreground", "--unlock", "--components=secrets"],
                                        env=self.env, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        assert self._daemon.stdin is not None
        self._daemon.stdin.write(self._password.encode())
        self._daemon.stdin.close()
        until = time.monotonic() + _START_S
        while not self._answers():
            if time.monotonic() > until or self._daemon.poll() is not None:
                self.close()
                raise RuntimeError("gnome-keyring-daemon does not start")
            time.sleep(0.05)

    def stop_daemon(self) -> None:
        """Ends the keyring, as a log-out does; the bus stays."""
        _end(self._daemon)
        self._daemon = None

    def lock(self) -> None:
        """Locks the login collection."""
        import secretstorage
        from jeepney.io.blocking import open_dbus_connection
        with open_dbus_connection(self.env["DBUS_SESSION_BUS_ADDRESS"]) as connection:
            secretstorage.get_default_collection(connection).lock()

    def close(self) -> None:
        """Ends both processes, by their own ids."""
        self.stop_daemon()
        _end(self._bus)
        if self._bus is not None and self._bus.stdout is not None:
            self._bus.stdout.close()
        self._bus = None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _answers(self) -> bool:
        import secretstorage
        from jeepney.io.blocking import open_dbus_connection
        try:
            with open_dbus_connection(self.env["DBUS_SESSION_BUS_ADDRESS"]) as connection:
                return not secretstorage.get_default_collection(connection).is_locked()
        except Exception:  # not there yet, whatever it says
            return False


def _end(process: subprocess.Popen[bytes] | None) -> None:
    if process is not None and process.poll() is None:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(5)
