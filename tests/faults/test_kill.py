"""kill -9 at any instant: what was acknowledged is there, once, whole and unreadable to others. Variants that break a promise are noticed."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sync.seal import PublicKeyInfo
from tests.emulators.records import new_recipient
from tests.faults.checker import faults_after

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
TO = new_recipient("test")[1]
KEY = bytes(range(32))
_LONGEST_S = 0.25
_LONGEST_START_S = 1.2
"""Every fifth kill falls somewhere in start, making and first records."""


def _run_and_kill(folder: Path, to: PublicKeyInfo, variant: str, kill_number: int, wait_s: float) -> list[str]:
    """Acknowledgements of a child that is killed ``wait_s`` after its first one (or at its start, every fifth time)."""
    child = subprocess.Popen([sys.executable, "-m", "tests.faults.keeper", str(folder), variant], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                             env=os.environ | {"FIRST_SERIAL": str(1 + 1000 * kill_number)})
    assert child.stdin is not None and child.stdout is not None
    with child.stdin, child.stdout:
        child.stdin.write(f"{KEY.hex()} {to.spki_der.hex()}\n".encode())
        child.stdin.flush()
        first = child.stdout.readline() if kill_number % 5 else b""
        time.sleep(wait_s)
        assert child.poll() is None, "the child ended by itself"
        os.kill(child.pid, signal.SIGKILL)
        rest = child.stdout.read()
        child.wait()
    return [line for line in (first + rest).decode().splitlines() if line]


def _kills(folder: Path, kills: int, variant: str, seed: int) -> tuple[int, list[str]]:
    """Acknowledged records and the faults found after each of ``kills`` kills of one store."""
    chance, acknowledged = random.Random(seed), list[str]()
    for number in range(kills):
        acknowledged += _run_and_kill(folder, TO, variant, number, chance.uniform(0, _LONGEST_S if number % 5 else _LONGEST_START_S))
        if faults := faults_after(folder, KEY, TO, acknowledged):
            return len(acknowledged), [f"after kill {number}: {one}" for one in faults]
    return len(acknowledged), []


@pytest.mark.timeout(300)
def test_thirty_kills_lose_nothing(tmp_path: Path) -> None:
    acknowledged, faults = _kills(tmp_path / "home", 30, "true", 1)
    assert not faults
    assert acknowledged > 30, "the child must have kept something"


@pytest.mark.sweep
@pytest.mark.timeout(3600)
def test_three_hundred_kills_lose_nothing(tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(2**32)
    acknowledged = 0
    for part in range(10):
        some, faults = _kills(tmp_path / f"home{part}", 30, "true", seed + part)
        acknowledged += some
        assert not faults, f"seed {seed + part}"
    assert acknowledged > 300


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("variant", "word"), [("early", "lost"), ("late-file", "does not open"), ("two-steps", "twice")])
def test_a_broken_promise_is_noticed(tmp_path: Path, variant: str, word: str) -> None:
    faults: list[str] = []
    for seed in range(4):
        faults = _kills(tmp_path / f"home{seed}", 10, variant, seed)[1]
        if any(word in one for one in faults):
            return
    pytest.fail(f"40 kills of the variant {variant} were not noticed: {faults}")
