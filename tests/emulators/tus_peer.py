"""Runs the tus project's own reference server (``@tus/server``) as a child process. Never changes it; installed by name into a folder of the test."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
from pathlib import Path

__all__ = ["TusPeer", "install"]

PACKAGES = ("@tus/server@2.4.5", "@tus/file-store@2.1.1")
SCRIPT = Path(__file__).with_name("tus_peer.js")


def install(folder: Path) -> None:
    """The packages into ``folder``. Raises CalledProcessError, FileNotFoundError where node's package tool is not there."""
    command = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error", *PACKAGES]
    folder.mkdir(exist_ok=True)
    (folder / "package.json").write_text("{}")
    subprocess.run(command, cwd=folder, check=True, timeout=300, capture_output=True)
    shutil.copy(SCRIPT, folder)


class TusPeer:
    """A context manager. ``fall`` ends it without warning; ``start`` again listens on the same port over the same files."""

    def __init__(self, installed: Path, pem: Path, files: Path) -> None:
        self._installed, self._pem, self.files, self.port = installed, pem, files, 0
        self._running: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def start(self) -> None:
        self.files.mkdir(exist_ok=True)
        command = ["node", SCRIPT.name, str(self._pem), str(self.files), str(self.port)]
        self._running = subprocess.Popen(command, cwd=self._installed, stdout=subprocess.PIPE, text=True)
        assert self._running.stdout is not None
        self.port = json.loads(self._running.stdout.readline())["port"]

    def fall(self) -> None:
        running, self._running = self._running, None
        if running is not None:
            with contextlib.suppress(ProcessLookupError):
                running.kill()
            running.wait(20)
            assert running.stdout is not None
            running.stdout.close()

    def __enter__(self) -> TusPeer:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.fall()
