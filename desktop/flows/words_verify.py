"""Every event, effect and fact of checking credit record sheets, as frozen dataclasses. Never holds words for people; codes and pictures are not in a repr.

| effect | done by | answers |
|---|---|---|
| WatchCamera | camera thread: ``read_codes_live`` on each frame, every fifth ``thorough`` | CodeSeen (each time a code is in the picture) |
| LookNow(look) | a still of full size through ``read_codes`` | CodeSeen, Failed(CodeUnreadable, effect="LookNow") |
| OpenFile(look, data, name) | ``vision.files.pictures`` in its child, ``read_codes`` on each page | CodeSeen, Failed(effect="OpenFile") |
| PickFile | the window's file dialogue (no nested loop) | FileGiven |
| Judge(look, code) | ``sync.sheet.judge`` offline at once, then again with the platform's answer | Judged(asking=True), then Judged(asking=False) |
| PrintResult(look) | paper: what was seen, plainly "not a certificate" | Failed(effect="PrintResult") |
| Note(what, facts) | journal: verdict, digest of the code, list ages; nothing personal | - |
| Forget(look) | drop picture and code of this look | - |
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sync.sheet import Verdict

__all__ = [
    "AcknowledgePressed", "Answered", "CodeSeen", "FileGiven", "Forget", "HealthSeen", "Judge", "Judged", "LookNow", "NextPressed", "Note", "OpenFile",
    "OpenPressed", "PickFile", "PrintPressed", "PrintResult", "ScanPressed", "VerifyFacts", "WatchCamera",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class VerifyFacts:
    """Where this is: hall and window by name, who is logged in (may be empty), and the province whose keys are known here."""

    hall: str = ""
    window: str = ""
    person: str = ""
    practice: bool = False
    language: str = "zh_CN"
    province: str = ""


# -- events: a person ------------------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class ScanPressed:
    """Space: look again, now, with a still of full size."""


@dataclass(frozen=True, slots=True)
class OpenPressed:
    """Ctrl+O."""


@dataclass(frozen=True, slots=True)
class FileGiven:
    """A file dropped or picked; ``untrusted`` are its bytes."""

    untrusted: bytes = field(repr=False)
    name: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Answered:
    """The person compared name and counts with the paper: Y the same, N not."""

    same: bool


@dataclass(frozen=True, slots=True)
class AcknowledgePressed:
    """已知晓: the person saw a bad verdict."""


@dataclass(frozen=True, slots=True)
class NextPressed:
    """The next sheet, please."""


@dataclass(frozen=True, slots=True)
class PrintPressed:
    """F7."""


# -- events: machine -------------------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class CodeSeen:
    """A code was read. ``look`` 0 from the running camera, else the number of the order. ``picture`` (BGR array) and ``quad`` are for showing."""

    look: int
    untrusted: bytes = field(repr=False)
    quad: tuple[tuple[int, int], ...] = ()
    picture: Any = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Judged:
    """The verdict; ``asking``: the platform is still being asked. ``at`` aware."""

    look: int
    verdict: Verdict
    asking: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class HealthSeen:
    """Platform reachable or not (None: not known yet), and how old keys and status list are."""

    online: bool | None
    lists_as_of: datetime | None = None


# -- effects ---------------------------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class WatchCamera:
    """Run the camera and look for codes."""


@dataclass(frozen=True, slots=True)
class LookNow:
    """One thorough look with a still."""

    look: int


@dataclass(frozen=True, slots=True)
class PickFile:
    """Ask the person for a file."""


@dataclass(frozen=True, slots=True)
class OpenFile:
    """Open a stranger's file and read its code."""

    look: int
    untrusted: bytes = field(repr=False)
    name: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Judge:
    """Judge a code offline, then with the platform."""

    look: int
    untrusted: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class PrintResult:
    """Print what was found out (not a certificate)."""

    look: int
    verdict: Verdict = field(repr=False)
    differs: bool = False


@dataclass(frozen=True, slots=True)
class Forget:
    """Drop what was kept of a look."""

    look: int


@dataclass(frozen=True, slots=True)
class Note:
    """A line of the journal; ``facts`` hold nothing personal."""

    what: str
    facts: Mapping[str, str] = field(default_factory=dict[str, str])
