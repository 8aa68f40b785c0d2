"""A small real disk that becomes full, or answers EIO to everything: named, nothing acknowledged is lost, the store opens afterwards. Needs the real root."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.faults.table import Outcome

pytestmark = [pytest.mark.needs_root, pytest.mark.timeout(900),
              pytest.mark.skipif(not Path("/dev/loop-control").exists(), reason="no loop devices")]
FAULT = "EIO from a small ext4 while records are kept"
FULL = "ENOSPC on a small ext4"


def _rounds(folder: Path, variant: str, rounds: int) -> dict[str, Any]:
    seed = random.SystemRandom().randrange(2**32)
    done = subprocess.run(["unshare", "-m", sys.executable, "-m", "tests.faults.small_disk", str(folder), variant, str(rounds), str(seed)],
                          capture_output=True, text=True, timeout=800)
    assert done.returncode == 0, done.stderr
    return {**json.loads(done.stdout), "seed": seed}


@pytest.mark.parametrize("rounds", [6, pytest.param(60, marks=pytest.mark.sweep)])
def test_a_disk_that_fails_is_named_and_loses_nothing_that_was_said(tmp_path: Path, rounds: int, outcome: Outcome) -> None:
    told = _rounds(tmp_path, "true", rounds)
    outcome.ran(FAULT, told["rounds"], told["faults"], told["acknowledged"])
    assert not told["faults"], told
    assert set(told["codes"]) <= {"store.trouble", "store.damaged"} and len(told["codes"]) == 3 * rounds, told


def test_a_program_that_takes_a_failed_write_for_a_good_one_is_noticed(tmp_path: Path, outcome: Outcome) -> None:
    told = _rounds(tmp_path, "careless", 2)
    outcome.control(FAULT, "takes a failed write for a good one", told["faults"])
    assert any("lost" in one for one in told["faults"]), told


def _filled(folder: Path, variant: str) -> dict[str, Any]:
    """As on the tmpfs of test_disk_full, on a file system with a journal of its own."""
    image = folder / "disk"
    with image.open("wb") as disk:
        disk.truncate(16 * 1024 * 1024)
    subprocess.run(["mkfs.ext4", "-q", "-F", "-m", "0", str(image)], check=True)
    (folder / "mount").mkdir()
    script = f"mount -o loop {image} {folder}/mount && {sys.executable} -m tests.faults.filler {folder}/mount/home {variant}; umount {folder}/mount"
    done = subprocess.run(["unshare", "-m", "sh", "-c", script], capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_full_ext4_loses_nothing_and_can_be_freed(tmp_path: Path, outcome: Outcome) -> None:
    told = _filled(tmp_path, "true")
    outcome.ran(FULL, 1, told["faults"], told["said"])
    assert told["kept"] > 5 and told["full"] == told["blob"] == told["row"] == "store.disk_full" and not told["faults"], told
    assert told["rows"] == told["files"] == told["checked"] == told["kept"], told
    assert told["purged"] == 2 and told["free_again"] > 300_000, told


def test_a_program_that_says_kept_although_the_disk_was_full_is_noticed(tmp_path: Path, outcome: Outcome) -> None:
    faults = _filled(tmp_path, "careless")["faults"]
    outcome.control(FULL, "says kept although the disk was full", faults)
    assert any(one.startswith("lost") for one in faults), faults
