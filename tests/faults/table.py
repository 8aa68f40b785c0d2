"""The fault table: what the fault tests really did, and what came of it. Never counts what did not run, and never calls anything by the clock.

A test says what it did through the fixture ``outcome`` (conftest.py); tests that say nothing are counted by their cases. ``--fault-table FILE`` writes one JSON
object per line; ``python -m tests.faults`` runs all and prints the table, ``python -m tests.faults.table FILE...`` prints it again.
"""

from __future__ import annotations

import json
import sys
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["Outcome", "lines_of", "rows_of"]

_KINDS = (("shut", ("does not open",)), ("lost", ("lost", "is lost", "older than was said", "not sent")),
          ("twice", ("twice", "draft and record of one", "one sitting")), ("readable", ("readable", "in clear", "says it")))
"""Columns, and words of a checker's sentence that count there; the rest is ``other``."""
_HEADS = ("Fault", "runs", "acknowledged", "lost", "twice", "readable", "does not open", "other", "tests", "controls that failed as they must")
_COLUMNS = ("lost", "twice", "readable", "shut", "other")


@dataclass
class Outcome:
    """What one test did. ``ran`` and ``control`` may be called more than once."""

    test: str
    said: list[dict[str, Any]] = field(default_factory=list)
    passed: bool = False

    def ran(self, fault: str, runs: int, faults: Iterable[str] = (), acknowledged: int = 0) -> None:
        """``fault`` happened ``runs`` times; ``acknowledged``: how many promises were out by then; ``faults``: what did not hold, in a checker's words."""
        self.said.append({"fault": fault, "runs": runs, "acknowledged": acknowledged, **_counted(faults)})

    def control(self, fault: str, sin: str, noticed: object) -> None:
        """A program with the ``sin`` was put under the same ``fault``; ``noticed``: whether the checker found it out."""
        self.said.append({"fault": fault, "sin": sin, "noticed": bool(noticed)})


def _counted(faults: Iterable[str]) -> dict[str, int]:
    found = dict.fromkeys(_COLUMNS, 0)
    for one in faults:
        found[next((name for name, words in _KINDS if any(word in one for word in words)), "other")] += 1
    return found


def rows_of(outcomes: Iterable[Mapping[str, Any]]) -> list[tuple[str, ...]]:
    """The cells of the table, in the order in which the faults were first met; last the tests that said nothing, by module.

    A fault that comes at a rarer way (``fault: way``) has the controls of the fault where it has none of its own.
    """
    told: dict[str, dict[str, Any]] = {}
    silent: dict[str, list[int]] = {}
    for one in outcomes:
        if not one["said"]:
            cases = silent.setdefault(one["test"].split("::")[0].rpartition("/")[2], [0, 0])
            cases[not one["passed"]] += 1
        for said in one["said"]:
            row = told.setdefault(said["fault"], {"runs": 0, "acknowledged": 0, **dict.fromkeys(_COLUMNS, 0), "tests": set(), "bad": set(), "sins": []})
            if "sin" in said:
                row["sins"].append(f"{said['sin']}{'' if said['noticed'] else ': NOT NOTICED'}")
                continue
            for name in ("runs", "acknowledged", *_COLUMNS):
                row[name] += said[name]
            (row["tests"] if one["passed"] else row["bad"]).add(one["test"])
    rows = [(fault, *(str(row[name]) for name in ("runs", "acknowledged", *_COLUMNS)), _tests(len(row["tests"]), len(row["bad"])),
             "; ".join(dict.fromkeys(row["sins"])) or ("as without the way" if told.get(fault.partition(": ")[0], row)["sins"] else "NONE"))
            for fault, row in told.items()]
    return rows + [(module, str(good + bad), "-", *("-" for _ in _COLUMNS), _tests(good, bad), "in the module") for module, (good, bad) in silent.items()]


def lines_of(rows: Iterable[tuple[str, ...]]) -> list[str]:
    """The table as Markdown, its columns under each other."""
    cells = [_HEADS, *rows]
    widths = [max(_width(row[at]) for row in cells) for at in range(len(_HEADS))]
    lines = ["| " + " | ".join(cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)) + " |" for row in cells]
    return [lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]]


def write(path: Path, outcomes: Iterable[Outcome]) -> None:
    """Adds one line for each test to ``path``."""
    with path.open("a", encoding="utf-8") as file:
        for one in outcomes:
            file.write(json.dumps(asdict(one), ensure_ascii=False) + "\n")


def read(paths: Iterable[Path]) -> list[Mapping[str, Any]]:
    """The lines that ``write`` wrote."""
    return [json.loads(line) for path in paths for line in path.read_text("utf-8").splitlines()]


def _tests(good: int, bad: int) -> str:
    return f"{good} passed" + (f", {bad} FAILED" if bad else "")


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in text)


if __name__ == "__main__":
    print("\n".join(lines_of(rows_of(read(map(Path, sys.argv[1:]))))))
