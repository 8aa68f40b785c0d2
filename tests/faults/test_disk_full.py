"""A full disk: new captures are refused by name, what was kept stays readable, and forgetting goes on in the room of the reserve."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.table import Outcome


@pytest.mark.skipif(sys.platform != "linux", reason="needs a tmpfs in a mount namespace of its own")
def test_a_full_disk_loses_nothing_and_can_be_freed(tmp_path: Path, outcome: Outcome) -> None:
    script = f"mount -t tmpfs -o size=8m tmpfs {tmp_path} && exec {sys.executable} -m tests.faults.filler {tmp_path}/home"
    done = subprocess.run(["unshare", "-rm", "sh", "-c", script], capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    faults = [] if told["rows"] == told["files"] == told["checked"] == told["kept"] else [f"lost: {told}"]
    outcome.ran("ENOSPC on a small tmpfs", 1, faults, told["kept"])
    assert told["kept"] > 5 and told["full"] == "store.disk_full" and set(told["facts"]) == {"free", "needed"}
    assert told["free"] == 0 and told["blob"] == told["row"] == "store.disk_full"
    assert told["rows"] == told["files"] == told["checked"] == told["kept"]
    assert told["purged"] == 2 and told["free_again"] > 300_000


@pytest.mark.skipif(sys.platform != "linux", reason="needs a tmpfs in a mount namespace of its own")
def test_on_a_full_disk_no_sitting_begins_but_all_that_is_kept_is_sent_and_forgotten(tmp_path: Path, outcome: Outcome) -> None:
    (tmp_path / "disk").mkdir()
    script = (f"mount -t tmpfs -o size=16m tmpfs {tmp_path}/disk && ip link set lo up &&"
              f" exec {sys.executable} -m tests.faults.full_hall {tmp_path}/disk {tmp_path}/elsewhere")
    done = subprocess.run(["unshare", "-rmn", "sh", "-c", script], capture_output=True, text=True, timeout=100,
                          env=os.environ | {"QT_QPA_PLATFORM": "offscreen"})
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    outcome.ran("ENOSPC under a desk that sends", 1, [] if told["sent once"] else ["lost or twice"], 4)
    assert told == {
        "begin": "DraftSaved",
        "low: new sitting": "store.no_room_to_begin", "low: open sitting": "DraftSaved", "low: still": "done",
        "full: reserve": True, "full: free": True, "full: new sitting": "store.no_room_to_begin", "full: open sitting": "DraftSaved",
        "full: still": "store.disk_full", "full: keep": "store.disk_full", "full: news": "", "sent once": True,
        "purged": 4, "full: after purge": True,
        "free: reserve": 2 * 1024 * 1024, "free: new sitting": "DraftSaved", "free: keep": "done", "opens": True,
    }


@pytest.mark.skipif(sys.platform != "linux", reason="needs a tmpfs in a mount namespace of its own")
def test_on_a_full_disk_the_commands_still_open_the_store(tmp_path: Path, outcome: Outcome) -> None:
    """An administrator who is called because of the disk lists, retries and exports in the room of the reserve."""
    (tmp_path / "disk").mkdir()
    script = (f"mount -t tmpfs -o size=12m tmpfs {tmp_path}/disk &&"
              f" exec {sys.executable} -m tests.faults.full_commands {tmp_path}/disk/home {tmp_path}/export.zip")
    done = subprocess.run(["unshare", "-rm", "sh", "-c", script], capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    outcome.ran("ENOSPC under the commands", 1, [], 1)
    assert told == {"free": 0, "list": "", "show": "", "retry": "", "verify": "", "export": ""}
