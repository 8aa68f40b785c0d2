"""The reference province as a process of its own, with its desk, for tests and the practice hall. Never reaches into the province's folder."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.request import ProxyHandler, Request, build_opener

__all__ = ["ProvinceRun"]

START_S = 60.0


class ProvinceRun:
    """``python -m tests.province`` over a folder. ``start``, ``stop`` and ``start`` again keep the port, so that stations find it where it was."""

    def __init__(self, folder: Path, signer_roots: list[Path], tls: tuple[Path, Path, Path] | None = None, practice: bool = True,
                 database: str = "") -> None:
        """``tls``: certificate, key and CA (PEM files); None: the folder makes its own. ``database``: PostgreSQL's connection words, or SQLite."""
        self._options = ["--folder", str(folder), "--signer-root", *map(str, signer_roots)]
        if tls:
            self._options += [part for name, path in zip(("--tls-cert", "--tls-key", "--tls-ca"), tls, strict=True) for part in (name, str(path))]
        if practice:
            self._options.append("--practice")
        if database:
            self._options += ["--database", database]
        self._process: subprocess.Popen[str] | None = None
        self.port = 0
        self.url = ""
        self._desk = ""

    def start(self) -> None:
        """Returns when it listens. Raises RuntimeError where it ended instead."""
        command = [sys.executable, "-m", "tests.province", *self._options, "--port", str(self.port)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2])
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self.stop()
            raise RuntimeError("the province did not start")
        ready = json.loads(line)
        self.port, self.url, self._desk = ready["port"], ready["url"], ready["admin_url"]

    def stop(self, kill: bool = False) -> None:
        """Ends it; ``kill``: without a chance to tidy up."""
        process, self._process = self._process, None
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                process.kill() if kill else process.terminate()
            process.wait(START_S)
            assert process.stdout is not None
            process.stdout.close()

    def desk(self, method: str, path: str, **body: Any) -> dict[str, Any]:
        """One order at the province's desk."""
        request = Request(self._desk + path, json.dumps(body).encode(), {"Content-Type": "application/json"}, method=method)
        with build_opener(ProxyHandler({})).open(request, timeout=30) as answer:
            return json.loads(answer.read())

    def order(self, kind: str, **order: Any) -> None:
        """One fault (``tests/province/faults.py``)."""
        self.desk("POST", "/faults", faults=[{"kind": kind, **order}])

    def look(self) -> dict[str, Any]:
        return self.desk("GET", "/")

    def __enter__(self) -> ProvinceRun:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
