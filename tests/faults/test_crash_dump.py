"""A crash of the program leaves no copy of its memory on the disk: no core file, nothing for other programs of the account to read, files for it alone."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.emulators.records import MARKS
from tests.faults.checker import readable_files
from tests.faults.table import Outcome

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="core files")
FAULT = "crash with a person in memory (SIGABRT)"
_CHILD = """
import ctypes, os, resource, subprocess, sys
if sys.argv[1] == "hardened":
    from desktop.harden import harden
    harden()
    assert resource.getrlimit(resource.RLIMIT_CORE) == (0, 0)
    assert ctypes.CDLL(None).prctl(3, 0, 0, 0, 0) == 0, "dumpable"
    told = subprocess.run([sys.executable, "-c", "import resource; print(resource.getrlimit(resource.RLIMIT_CORE))"], capture_output=True, text=True)
    assert told.stdout.strip() == "(0, 0)", "the driver's child process may dump"
    open("made", "w").close()
    assert os.stat("made").st_mode & 0o077 == 0, "others may read new files"
held = bytes.fromhex(sys.argv[2])[::-1]
print("ready", flush=True)
os.abort()
"""


def _crash(folder: Path, how: str) -> None:
    """A process with a mark in its memory (turned around on its command line, so that only memory holds it) that aborts where core files are allowed."""
    def allow() -> None:
        resource.setrlimit(resource.RLIMIT_CORE, (resource.getrlimit(resource.RLIMIT_CORE)[1],) * 2)

    done = subprocess.run([sys.executable, "-c", _CHILD, how, MARKS[0][::-1].hex()], cwd=folder, capture_output=True, text=True, preexec_fn=allow,
                          env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2]), "TMPDIR": str(folder)})
    assert done.stdout == "ready\n" and done.returncode == -signal.SIGABRT, done.stderr


def test_a_crash_leaves_nothing_of_the_person(tmp_path: Path, outcome: Outcome) -> None:
    _crash(tmp_path, "hardened")
    faults = [*readable_files(tmp_path), *(f"readable: {one.name}" for one in tmp_path.iterdir() if one.name.startswith("core"))]
    outcome.ran(FAULT, 1, faults)
    assert not faults and [one.name for one in tmp_path.iterdir()] == ["made"]


def test_without_it_the_core_file_holds_the_person(tmp_path: Path, outcome: Outcome) -> None:
    pattern = Path("/proc/sys/kernel/core_pattern").read_text().strip()
    if pattern.startswith(("|", "/")) or resource.getrlimit(resource.RLIMIT_CORE)[1] == 0:
        return  # this system keeps core files elsewhere, or makes none: nothing to compare with
    _crash(tmp_path, "bare")
    faults = readable_files(tmp_path)
    outcome.control(FAULT, "core files allowed", faults)
    assert faults
