"""A store on a disk that became read-only (as ext4 does after an error): refused by name, not a byte changed, and still exportable."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from tests.emulators.records import new_recipient, open_room
from tests.faults.checker import faults_after
from tests.faults.table import Outcome

TO = new_recipient("test")[1]
KEY = bytes(32)
FAULT = "disk became read-only"


def _content(folder: Path) -> dict[str, str]:
    return {one.name: hashlib.sha256(one.read_bytes()).hexdigest() for one in folder.rglob("*") if one.is_file()}


@pytest.mark.skipif(sys.platform != "linux", reason="needs a mount namespace of its own")
def test_a_store_that_can_only_be_read_is_named_and_its_packets_are_still_exported(tmp_path: Path, outcome: Outcome) -> None:
    home = tmp_path / "home"
    with open_room(home, KEY, TO) as room:
        kept = [f"{room.keep(serial)} {serial}" for serial in range(3)]
    before = _content(home)
    script = (f"mount --bind {home} {home} && mount -o remount,ro,bind {home} && exec {sys.executable} -m tests.faults.read_only {home} {tmp_path}/export.zip")
    done = subprocess.run(["unshare", "-rm", "sh", "-c", script], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"open": "store.trouble", "write": "store.trouble", "export": "done"}
    assert _content(home) == before
    faults = faults_after(home, KEY, TO, kept)
    outcome.ran(FAULT, 1, faults, len(kept))
    assert faults == []


def test_a_program_that_says_kept_all_the_same_is_noticed(tmp_path: Path, outcome: Outcome) -> None:
    home = tmp_path / "home"
    with open_room(home, KEY, TO) as room:
        kept = [f"{room.keep(1)} 1", f"{uuid.uuid4()} 2"]
    faults = faults_after(home, KEY, TO, kept)
    outcome.control(FAULT, "says kept though nothing could be written", faults)
    assert any(one.startswith("lost") for one in faults)
