"""The n-th file or SQL call of a scenario fails, or the process dies at it, for every n: only named troubles come out, nothing is lost, nothing is twice.

The faults come from below the product: a preloaded library for file calls (``failing.c``), the binding's own connection for SQL.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.faults.table import Outcome

pytestmark = [pytest.mark.skipif(sys.platform != "linux", reason="a preloaded library"), pytest.mark.timeout(900)]
_MANNERS = {"eio": "fails (EIO)", "enospc": "fails (ENOSPC)", "eio-on": "and all after it fail (EIO)", "enospc-on": "and all after it fail (ENOSPC)",
            "kill": "is the last before kill -9", "kill-after": "is the last before kill -9", "torn": "is torn in half, then kill -9"}
MODES = ("eio", "enospc", "eio-on", "enospc-on", "kill", "kill-after", "torn", "sql-before", "sql-after")


def _every(shim: Path, folder: Path, scenario: str, mode: str, part: str = "1/1") -> dict[str, Any]:
    env = os.environ | {"LD_PRELOAD": str(shim), "FAULT_UNDER": str(folder / "home")}
    done = subprocess.run([sys.executable, "-m", "tests.faults.nth", str(folder), scenario, mode, part], capture_output=True, text=True, env=env, timeout=800)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def _what(mode: str) -> str:
    return f"n-th SQL call fails, {mode[4:]} it was done" if mode.startswith("sql") else f"n-th file call {_MANNERS[mode]}"


def _tell(outcome: Outcome, scenario: str, mode: str, told: dict[str, Any]) -> None:
    what = _what(mode)
    outcome.ran(what if scenario == "registration" else f"{what}: {scenario}", told["tried"], told["faults"], told["acknowledged"])


@pytest.mark.parametrize(("mode", "part"), [("eio", "1/1"), ("kill", "1/2"), ("enospc-on", "2/3"), ("sql-after", "1/2")])
def test_the_calls_of_a_registration_may_fail(shim: Path, quick_folder: Path, mode: str, part: str, outcome: Outcome) -> None:
    told = _every(shim, quick_folder, "registration", mode, part)
    _tell(outcome, "registration", mode, told)
    assert not told["faults"] and told["tried"] > 40 and told["acknowledged"] > 20, told


@pytest.mark.parametrize(("scenario", "mode"), [("making", "kill-after"), ("signing", "eio"), ("repair", "kill"), ("repair", "sql-after"),
                                                ("correction", "kill"), ("correction", "sql-after"), ("upgrade", "torn"),
                                                ("upgrade", "enospc-on"), ("rekey", "kill"),
                                                ("rekey", "eio")])
def test_some_calls_of_the_rarer_ways_may_fail(shim: Path, quick_folder: Path, scenario: str, mode: str, outcome: Outcome) -> None:
    told = _every(shim, quick_folder, scenario, mode, "3/9")
    _tell(outcome, scenario, mode, told)
    assert not told["faults"] and told["tried"] > 6, told


@pytest.mark.sweep
@pytest.mark.parametrize("scenario", ["registration", "signing", "repair", "correction", "making", "upgrade", "rekey"])
@pytest.mark.parametrize("mode", MODES)
def test_every_call_of_every_way_may_fail_in_every_manner(shim: Path, quick_folder: Path, scenario: str, mode: str, outcome: Outcome) -> None:
    told = _every(shim, quick_folder, scenario, mode)
    _tell(outcome, scenario, mode, told)
    assert not told["faults"] and told["tried"] == told["calls"] > 40, told


@pytest.mark.parametrize(("scenario", "mode"), [("careless", "eio"), ("careless", "enospc-on"), ("early", "kill"), ("early", "torn"), ("early", "sql-after"),
                                                pytest.param("careless", "enospc", marks=pytest.mark.sweep),
                                                pytest.param("careless", "eio-on", marks=pytest.mark.sweep),
                                                pytest.param("early", "sql-before", marks=pytest.mark.sweep)])
def test_a_program_that_breaks_its_promise_is_noticed(shim: Path, quick_folder: Path, scenario: str, mode: str, outcome: Outcome) -> None:
    told = _every(shim, quick_folder, scenario, mode, "1/3")
    outcome.control(_what(mode), {"careless": "takes a failed write for a good one", "early": "says kept before the commit"}[scenario],
                    told["faults"])
    assert any("lost" in one or "does not open" in one for one in told["faults"]), told
