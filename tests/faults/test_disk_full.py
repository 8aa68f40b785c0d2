"""A full disk: new captures are refused by name, what was kept stays readable, and forgetting goes on in the room of the reserve."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.faults.table import Outcome

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs a tmpfs in a mount namespace of its own")
SMALL, DESK = "ENOSPC on a small tmpfs", "ENOSPC under a desk that sends"
SIN = "says kept although the disk was full"


def _filled(folder: Path, variant: str) -> dict[str, Any]:
    script = f"mount -t tmpfs -o size=8m tmpfs {folder} && exec {sys.executable} -m tests.faults.filler {folder}/home {variant}"
    done = subprocess.run(["unshare", "-rm", "sh", "-c", script], capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def _full_hall(folder: Path, variant: str) -> dict[str, Any]:
    (folder / "disk").mkdir()
    script = (f"mount -t tmpfs -o size=16m tmpfs {folder}/disk && ip link set lo up &&"
              f" exec {sys.executable} -m tests.faults.full_hall {folder}/disk {folder}/elsewhere {variant}")
    done = subprocess.run(["unshare", "-rmn", "sh", "-c", script], capture_output=True, text=True, timeout=100,
                          env=os.environ | {"QT_QPA_PLATFORM": "offscreen"})
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_full_disk_loses_nothing_and_can_be_freed(tmp_path: Path, outcome: Outcome) -> None:
    told = _filled(tmp_path, "true")
    outcome.ran(SMALL, 1, told["faults"], told["said"])
    assert not told["faults"] and told["kept"] > 5 and told["full"] == "store.disk_full" and set(told["facts"]) == {"free", "needed"}
    assert told["free"] == 0 and told["blob"] == told["row"] == "store.disk_full"
    assert told["rows"] == told["files"] == told["checked"] == told["kept"]
    assert told["purged"] == 2 and told["free_again"] > 300_000


def test_on_a_full_disk_no_sitting_begins_but_all_that_is_kept_is_sent_and_forgotten(tmp_path: Path, outcome: Outcome) -> None:
    told = _full_hall(tmp_path, "true")
    outcome.ran(DESK, 1, told["faults"], 4)
    assert told == {
        "begin": "DraftSaved",
        "low: new sitting": "store.no_room_to_begin", "low: open sitting": "DraftSaved", "low: still": "done",
        "full: reserve": True, "full: free": True, "full: new sitting": "store.no_room_to_begin", "full: open sitting": "DraftSaved",
        "full: still": "store.disk_full", "full: keep": "store.disk_full", "full: news": "", "faults": [],
        "purged": 4, "full: after purge": True,
        "free: reserve": 2 * 1024 * 1024, "free: new sitting": "DraftSaved", "free: keep": "done", "opens": True,
    }


def test_a_program_that_says_kept_although_the_disk_was_full_is_noticed(tmp_path: Path, outcome: Outcome) -> None:
    for fault, run in ((SMALL, _filled), (DESK, _full_hall)):
        (tmp_path / run.__name__).mkdir()
        faults = run(tmp_path / run.__name__, "careless")["faults"]
        outcome.control(fault, SIN, faults)
        assert any(one.startswith("lost") for one in faults), (fault, faults)


def _commands(tmp_path: Path, *how: str) -> tuple[dict[str, object], list[str]]:
    """What the commands answered on a full disk, and which of them did not do their work."""
    (tmp_path / "disk").mkdir()
    script = (f"mount -t tmpfs -o size=12m tmpfs {tmp_path}/disk &&"
              f" exec {sys.executable} -m tests.faults.full_commands {tmp_path}/disk/home {tmp_path}/export.zip {' '.join(how)}")
    done = subprocess.run(["unshare", "-rm", "sh", "-c", script], capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    return told, [f"does not open: {act}: {said}" for act, said in told.items() if said and act != "free"]


@pytest.mark.skipif(sys.platform != "linux", reason="needs a tmpfs in a mount namespace of its own")
def test_on_a_full_disk_the_commands_still_open_the_store(tmp_path: Path, outcome: Outcome) -> None:
    """An administrator who is called because of the disk lists, retries and exports in the room of the reserve."""
    told, faults = _commands(tmp_path)
    outcome.ran("ENOSPC under the commands", 1, faults, 1)
    assert told == {"free": 0, "list": "", "show": "", "retry": "", "verify": "", "export": ""}


def test_commands_that_never_give_the_reserve_up_are_noticed(tmp_path: Path, outcome: Outcome) -> None:
    told, faults = _commands(tmp_path, "miser")
    outcome.control("ENOSPC under the commands", "never gives the reserve up", faults)
    assert told["free"] == 0 and faults, told
