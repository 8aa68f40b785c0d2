"""Runs the unit tests of cards and fails unless every branch of the pure files is taken: ``python -m tests.unit.devices.cards.covered``.

Files that speak to hardware, services or child processes are covered by the contract suites and are not measured here.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

__all__ = ["PURE", "measure"]

PURE = ("apdu", "choice", "hresult", "idcard", "profiles", "reading", "sam", "session", "socialcard")
TOP = Path(__file__).resolve().parents[4]


def measure() -> tuple[int, str]:
    """Exit status and the table. 0: every test passes and every branch is taken."""
    files = ",".join(f"devices/cards/{name}.py" for name in PURE)
    with tempfile.TemporaryDirectory() as folder:
        tool = [sys.executable, "-m", "coverage"]
        data = f"--data-file={folder}/data"
        tests = [*tool, "run", "--branch", data, f"--include={files}", "-m", "pytest", "tests/unit/devices/cards", "-q", "-p", "no:cacheprovider"]
        ran = subprocess.run(tests, cwd=TOP, capture_output=True, text=True, check=False)
        if ran.returncode:
            return ran.returncode, ran.stdout + ran.stderr
        table = subprocess.run([*tool, "report", data, "--show-missing", "--fail-under=100"], cwd=TOP, capture_output=True, text=True, check=False)
    return table.returncode, table.stdout + table.stderr


if __name__ == "__main__":
    status, text = measure()
    print(text)
    sys.exit(status)
