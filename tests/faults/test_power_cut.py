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

pytestmark = [pytest.mark.needs_root, pytest.mark.sweep, pytest.mark.timeout(900)]
_CYCLES = 15


def _cuts(folder: Path, variant: str, seed: int) -> dict[str, Any]:
    done = subprocess.run(["unshare", "-m", sys.executable, "-m", "tests.faults.power", str(folder), variant, str(_CYCLES), str(seed)],
                          capture_output=True, text=True, timeout=800)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_fifteen_power_cuts_lose_nothing(tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(2**32)
    told = _cuts(tmp_path, "true", seed)
    assert not told["faults"], f"seed {seed}"
    assert told["acknowledged"] > _CYCLES


def test_without_fsync_a_power_cut_is_noticed(tmp_path: Path) -> None:
    assert _cuts(tmp_path, "no-fsync", 7)["faults"], "the control must lose something"
