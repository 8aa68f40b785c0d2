"""The child that lets the n-th file call (or SQL call) fail, for every n of a scenario, and looks what holds afterwards.

``LD_PRELOAD=failing.so FAULT_UNDER=FOLDER/home python -m tests.faults.nth FOLDER SCENARIO MODE [PART]``, the outcome as one JSON object. Modes:
``eio`` ``enospc``
(that one call), ``eio-on`` ``enospc-on`` (it and all after it), ``kill`` (before it), ``kill-after``, ``torn`` (half a write, then killed), ``sql-before``
``sql-after`` (the call raises, undone or done). PART ``k/m``: every m-th n, beginning with k. Only named troubles may come out; anything else is a fault.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import sqlcipher3.dbapi2

from resources.trouble import Trouble
from sync.seal import PublicKeyInfo
from tests.emulators.records import new_recipient
from tests.faults.checker import faults_after
from tests.faults.scenarios import SCENARIOS, Acknowledge, copy, keys_of, prepare

_MODES = {"eio": (errno.EIO, 0), "enospc": (errno.ENOSPC, 0), "eio-on": (errno.EIO, 1), "enospc-on": (errno.ENOSPC, 1), "kill": (-1, 0), "kill-after": (-2, 0),
          "torn": (-3, 0)}
_KILLS = ("kill", "kill-after", "torn")
_MOST = 5_000
_RAN, _FOREIGN = 0, 7
"""Exit codes of a forked run: to its end (or a named trouble), or an exception without a name of ours."""


class FileFaults:
    """The preloaded shim."""

    def __init__(self, mode: str) -> None:
        self._shim = ctypes.CDLL(None)
        self._shim.fault_last.restype = ctypes.c_char_p
        self._how = _MODES[mode]

    def arm(self, number: int) -> None:
        self._shim.fault_arm(ctypes.c_long(number), *self._how)

    def disarm(self) -> tuple[bool, str]:
        """Whether it came to the failing call, and its name."""
        found = bool(self._shim.fault_hit()), self._shim.fault_last().decode()
        self._shim.fault_arm(ctypes.c_long(0), 0, 0)
        return found


class SqlFaults:
    """The binding's own edge: the n-th call of a connection raises an I/O error, before or after it was carried out."""

    def __init__(self, after: bool) -> None:
        self._number = self._seen = 0
        self._last = ""
        real, faults = cast(Any, sqlcipher3.dbapi2).connect, self

        class Failing(cast("type[Any]", sqlcipher3.dbapi2.Connection)):
            def execute(self, sql: str, *more: Any) -> Any:
                return faults.turn(sql, lambda: super(Failing, self).execute(sql, *more), after)

            def executescript(self, sql: str) -> Any:
                return faults.turn(sql, lambda: super(Failing, self).executescript(sql), after)

        cast(Any, sqlcipher3.dbapi2).connect = lambda *more, **named: real(*more, factory=Failing, **named)

    def turn(self, sql: str, call: Callable[[], Any], after: bool) -> Any:
        self._seen += not sql.startswith("ROLLBACK")
        if self._seen != self._number or self._last or sql.startswith("ROLLBACK"):
            return call()
        self._last = sql[:24]
        if after:
            call()
        error = sqlcipher3.dbapi2.OperationalError("disk I/O error")
        error.sqlite_errorcode = 10
        raise error

    def arm(self, number: int) -> None:
        self._number, self._seen, self._last = number, 0, ""

    def disarm(self) -> tuple[bool, str]:
        found = bool(self._last), self._last
        self._number = 0
        return found


def _run(scenario: str, folder: Path, to: PublicKeyInfo, faults: Any, number: int, acknowledge: Acknowledge) -> tuple[bool, str, str]:
    """Whether the n-th call was reached, its name, and what came out: a code, nothing, or the name of a foreign exception."""
    faults.arm(number)
    out = ""
    try:
        SCENARIOS[scenario](folder, to, acknowledge)
    except Trouble as trouble:
        out = trouble.code
    except Exception as error:
        out = f"{type(error).__name__}: {error}"
    reached, name = faults.disarm()
    return reached, name, out


def _killed(scenario: str, folder: Path, to: PublicKeyInfo, faults: Any, number: int, acknowledge: Acknowledge) -> tuple[bool, str, str]:
    """As ``_run``, in a forked process that dies of it."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        out = _run(scenario, folder, to, faults, number, lambda line: (os.write(writing, line.encode() + b"\n"), None)[1])[2]
        os._exit(_FOREIGN if out and "." not in out.split(":")[0] else _RAN)
    os.close(writing)
    with os.fdopen(reading) as lines:
        for line in lines:
            acknowledge(line.strip())
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return code < 0, "", "foreign" if code == _FOREIGN else ""


def _all(folder: Path, scenario: str, mode: str, first: int, every: int) -> dict[str, Any]:
    to = new_recipient("test")[1]
    template = folder / "template"
    prepare(scenario, template, to)
    faults = SqlFaults(mode == "sql-after") if mode.startswith("sql") else FileFaults(mode)
    outcome: dict[str, Any] = {"scenario": scenario, "mode": mode, "calls": 0, "tried": 0, "acknowledged": 0, "codes": {}, "faults": []}
    for number in range(first, _MOST, every):
        home = folder / "home"
        copy(template, home)
        acknowledged: list[str] = []
        reached, name, out = (_killed if mode in _KILLS else _run)(scenario, home, to, faults, number, acknowledged.append)
        if not reached:
            outcome["calls"] = number - 1
            break
        if mode not in _KILLS and out and "." not in out.split(":")[0]:
            outcome["faults"].append(f"{number} {name}: {out}")
        outcome["codes"][out] = outcome["codes"].get(out, 0) + 1
        outcome["tried"] += 1
        outcome["acknowledged"] += len(acknowledged)
        outcome["faults"] += [f"{number} {name}: {one}"
                              for one in faults_after(home, keys_of(home), to, acknowledged, drafts=2 if scenario == "upgrade" else 1)]
    return outcome


if __name__ == "__main__":
    part, _, parts = (sys.argv[4] if len(sys.argv) > 4 else "1/1").partition("/")
    print(json.dumps(_all(Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(part), int(parts))))
