"""A real PostgreSQL in a folder of the test, reached by a socket there. Never listens on a port, never touches the machine's own."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

__all__ = ["Postgres", "find_programs"]

START_S = 60


def find_programs() -> Path | None:
    """The folder of ``initdb`` and ``postgres``, or None where no server is installed."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    found = next((folder for folder in folders if (folder / "initdb").exists()), None)
    return found or (Path(which).parent if (which := shutil.which("initdb")) else None)


def _not_as_root(command: list[str]) -> list[str]:
    """PostgreSQL refuses user id 0, and one that no list names: in a namespace of its own it is nobody."""
    if os.geteuid() != 0:
        return command
    nobody = pwd.getpwnam("nobody")
    return ["unshare", "--user", f"--map-user={nobody.pw_uid}", f"--map-group={nobody.pw_gid}", "--", *command]


class Postgres:
    """A context manager."""

    def __init__(self) -> None:
        programs = find_programs()
        if programs is None:
            raise FileNotFoundError("no PostgreSQL server here")
        self._programs = programs
        self._folder = Path(tempfile.mkdtemp(prefix="pg-"))  # a socket's path is short
        self._running: subprocess.Popen[bytes] | None = None

    def words(self) -> str:
        """The one setting that the province takes."""
        return f"host={self._folder} user=province dbname=postgres"

    def start(self) -> None:
        """Returns when it takes questions. Raises RuntimeError where it does not."""
        log = (self._folder / "log").open("ab")
        command = [str(self._programs / "postgres"), "-D", str(self._folder / "data"), "-c", "listen_addresses=",
                   "-c", f"unix_socket_directories={self._folder}",
                   "-c", "fsync=on", "-c", "synchronous_commit=on", "-c", "max_connections=60", "-c", "shared_buffers=32MB"]
        with log:
            self._running = subprocess.Popen(_not_as_root(command), stdout=log, stderr=log)
        end = time.monotonic() + START_S
        ready = [str(self._programs / "pg_isready"), "-q", "-h", str(self._folder), "-U", "province"]
        while subprocess.run(ready, check=False).returncode:
            if self._running.poll() is not None or time.monotonic() > end:
                raise RuntimeError((self._folder / "log").read_text()[-2000:])
            time.sleep(0.1)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Ends it; SIGQUIT: at once, without tidying up."""
        running, self._running = self._running, None
        if running is not None:
            running.send_signal(how)
            running.wait(START_S)

    def __enter__(self) -> Postgres:
        command = [str(self._programs / "initdb"), "-D", str(self._folder / "data"), "-U", "province", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
        subprocess.run(_not_as_root(command), check=True, stdout=subprocess.DEVNULL)
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)
