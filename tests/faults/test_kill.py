"""kill -9 at any instant: what was acknowledged is there, once, whole and unreadable to others. Variants that break a promise are noticed."""

from __future__ import annotations

import os
import random
import select
import signal
import sys
import time
from pathlib import Path

import pytest

from tests.emulators.records import MARKS, new_recipient
from tests.faults.checker import faults_after, readable_files
from tests.faults.keeper import keys_for, run
from tests.faults.table import Outcome

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
TO = new_recipient("test")[1]
KEY = bytes(range(32))
FAULT = "kill -9 at random instants"
SINS = {"early": "says kept before the commit", "late-file": "row before its file", "two-steps": "draft dropped in a transaction of its own",
        "late-still": "a picture is the draft's only when a text names it", "rekey-first": "the new key first in the keyring, then under the file"}
_LONGEST_S = 0.1
"""Two to ten records."""
_FIRST_S = 20.0


def _run_and_kill(folder: Path, variant: str, kill_number: int, wait_s: float) -> list[str]:
    """Acknowledgements of a forked keeper that is killed ``wait_s`` after its first one (or after its start, every fifth time)."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.dup2(writing, 1)
        try:
            run(folder, variant, KEY, TO, 1 + 1000 * kill_number)
        finally:
            os._exit(1)
    os.close(writing)
    with os.fdopen(reading, "rb", buffering=0) as lines:
        if kill_number % 5:
            assert select.select([lines], [], [], _FIRST_S)[0], "nothing was kept"
        time.sleep(wait_s)
        os.kill(child, signal.SIGKILL)
        told = lines.readall()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL, "the keeper ended by itself"
    return told.decode().splitlines()


def _kills(folder: Path, kills: int, variant: str, seed: int) -> tuple[int, list[str]]:
    """Acknowledged records and the faults found after each of ``kills`` kills of one store."""
    chance, acknowledged = random.Random(seed), list[str]()
    for number in range(kills):
        acknowledged += _run_and_kill(folder, variant, number, chance.uniform(0, _LONGEST_S))
        if faults := faults_after(folder, keys_for(folder, variant, KEY), TO, acknowledged):
            return len(acknowledged), [f"after kill {number}: {one}" for one in faults]
    return len(acknowledged), []


@pytest.mark.timeout(300)
def test_fifty_kills_lose_nothing(quick_folder: Path, outcome: Outcome) -> None:
    acknowledged = 0
    for part in range(5):
        some, faults = _kills(quick_folder / f"home{part}", 10, "true", 1 + part)
        acknowledged += some
        outcome.ran(FAULT, 10, faults, some)
        assert not faults
    assert acknowledged > 50, "the keeper must have kept something"
    assert readable_files(quick_folder) == []


@pytest.mark.parametrize("mark", MARKS)
def test_the_scan_finds_what_can_be_read(tmp_path: Path, mark: bytes, outcome: Outcome) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "file").write_bytes(b"..." + mark + b"...")
    found = readable_files(tmp_path)
    outcome.control(FAULT, "name, number or picture readable in a file", found)
    assert found == ["file is readable"]


@pytest.mark.timeout(300)
def test_kills_while_the_key_is_changed_lose_nothing(quick_folder: Path, outcome: Outcome) -> None:
    acknowledged, faults = _kills(quick_folder / "home", 10, "rekey", 3)
    outcome.ran(f"{FAULT}, key changing", 10, faults, acknowledged)
    assert not faults and acknowledged > 5


@pytest.mark.sweep
@pytest.mark.timeout(3600)
def test_a_hundred_kills_while_the_key_is_changed_lose_nothing(tmp_path: Path, outcome: Outcome) -> None:
    seed = random.SystemRandom().randrange(2**32)
    for part in range(5):
        some, faults = _kills(tmp_path / f"home{part}", 20, "rekey", seed + part)
        outcome.ran(f"{FAULT}, key changing", 20, faults, some)
        assert not faults, f"seed {seed + part}"


@pytest.mark.sweep
@pytest.mark.timeout(3600)
def test_five_hundred_kills_lose_nothing(tmp_path: Path, outcome: Outcome) -> None:
    seed = random.SystemRandom().randrange(2**32)
    acknowledged = 0
    for part in range(20):
        some, faults = _kills(tmp_path / f"home{part}", 25, "true", seed + part)
        acknowledged += some
        outcome.ran(FAULT, 25, faults, some)
        assert not faults, f"seed {seed + part}"
    assert acknowledged > 500


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("variant", "word"), [("early", "lost"), ("late-file", "does not open"), ("two-steps", "twice"),
                                              ("late-still", "lost"), ("rekey-first", "does not open")])
def test_a_broken_promise_is_noticed(quick_folder: Path, variant: str, word: str, outcome: Outcome) -> None:
    faults, fault = list[str](), f"{FAULT}, key changing" if variant.startswith("rekey") else FAULT
    for seed in range(8):
        faults = _kills(quick_folder / f"home{seed}", 10, variant, seed)[1]
        if any(word in one for one in faults):
            outcome.control(fault, SINS[variant], True)
            return
    outcome.control(fault, SINS[variant], False)
    pytest.fail(f"80 kills of the variant {variant} were not noticed: {faults}")
