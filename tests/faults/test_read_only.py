"""A store on a disk that became read-only (as ext4 does after an error): refused by name, not a byte changed, and still exportable."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.emulators.records import new_recipient, open_room
from tests.faults.checker import faults_after

TO = new_recipient("test")[1]
KEY = bytes(32)


def _content(folder: Path) -> dict[str, str]:
    return {one.name: hashlib.sha256(one.read_bytes()).hexdigest() for one in folder.rglob("*") if one.is_file()}


@pytest.mark.skipif(sys.platform != "linux", reason="needs a mount namespace of its own")
def test_a_store_that_can_only_be_read_is_named_and_its_packets_are_still_exported(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with open_room(home, KEY, TO) as room:
        kept = [f"{room.keep(serial)} {serial}" for serial in range(3)]
    before = _content(home)
    script = (f"mount --bind {home} {home} && mount -o remount,ro,bind {home} && exec {sys.executable} -m tests.faults.read_only {home} {tmp_path}/export.zip")
    done = subprocess.run(["unshare", "-rm", "sh", "-c", script], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"open": "store.trouble", "write": "store.trouble", "export": "done"}
    assert _content(home) == before
    assert faults_after(home, KEY, TO, kept) == []
