"""A power cut: the file system drops everything that was not flushed, then the same checker as after kill -9.

Needs the machine's real root. The control without fsync must be noticed; kill -9 cannot show that, for the kernel still has the pages.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.faults.table import Outcome

pytestmark = [pytest.mark.needs_root, pytest.mark.timeout(3600),
              pytest.mark.skipif(not Path("/dev/loop-control").exists(), reason="no loop devices")]
FAULT = "power cut (ext4 SHUTDOWN on a loop mount)"
CHANGING = f"{FAULT}, key changing"
SINS = {"no-fsync": "packet not fsynced", "normal": "synchronous=NORMAL", "rekey-first": "the new key first in the keyring, then under the file"}
_CYCLES, _BATCHES = 15, 20
"""Cycles with one store: each cycle checks all that was ever kept in it. Batches of ten make the 200 of a sweep."""


def _cuts(folder: Path, variant: str, cycles: int, seed: int) -> dict[str, Any]:
    folder.mkdir(exist_ok=True)
    done = subprocess.run(["unshare", "-m", sys.executable, "-m", "tests.faults.power", str(folder), variant, str(cycles), str(seed)],
                          capture_output=True, text=True, timeout=800)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_fifteen_power_cuts_lose_nothing(tmp_path: Path, outcome: Outcome) -> None:
    seed = random.SystemRandom().randrange(2**32)
    told = _cuts(tmp_path, "true", _CYCLES, seed)
    outcome.ran(FAULT, told["cycles"], told["faults"], told["acknowledged"])
    assert not told["faults"], f"seed {seed}"
    assert told["acknowledged"] > _CYCLES


@pytest.mark.sweep
def test_power_cuts_while_the_key_is_changed_lose_nothing(tmp_path: Path, outcome: Outcome) -> None:
    seed = random.SystemRandom().randrange(2**32)
    told = _cuts(tmp_path, "rekey", _CYCLES, seed)
    outcome.ran(CHANGING, told["cycles"], told["faults"], told["acknowledged"])
    assert not told["faults"], f"seed {seed}"
    assert told["acknowledged"] >= _CYCLES


@pytest.mark.sweep
def test_two_hundred_power_cuts_lose_nothing(tmp_path: Path, outcome: Outcome) -> None:
    seed, acknowledged = random.SystemRandom().randrange(2**32), 0
    for batch in range(_BATCHES):
        told = _cuts(tmp_path / str(batch), "true", 10, seed + batch)
        outcome.ran(FAULT, told["cycles"], told["faults"], told["acknowledged"])
        assert not told["faults"], f"seed {seed + batch}"
        acknowledged += told["acknowledged"]
    assert acknowledged > 200


@pytest.mark.parametrize("variant", ["no-fsync", "normal", pytest.param("rekey-first", marks=pytest.mark.sweep)])
def test_a_program_with_a_sin_is_noticed_by_power_cuts(tmp_path: Path, variant: str, outcome: Outcome) -> None:
    fault = CHANGING if variant == "rekey-first" else FAULT
    for seed in range(3):
        if _cuts(tmp_path / str(seed), variant, _CYCLES, seed)["faults"]:
            outcome.control(fault, SINS[variant], True)
            return
    outcome.control(fault, SINS[variant], False)
    pytest.fail(f"{3 * _CYCLES} power cuts of the variant {variant} were not noticed")
