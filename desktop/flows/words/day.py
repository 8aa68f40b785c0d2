"""Events, effects and facts of the day: the reconciliation sheet, what the platform changed, a record handed out or opened again. Never an order to send."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from sync.reconcile import DaySheet, Difference

__all__ = [
    "Change", "DayPicked", "ExportRecord", "ExportTold", "ExportWanted", "Exported", "ItemTurned", "ListAge", "MakeSheet", "PrintSheet",
    "RepairPressed", "RepairReady", "RepairRecord", "SaveSheet", "SheetCounted", "SheetFacts",
    "SheetLine", "SheetMade", "SheetSaved", "SheetWanted", "StationChanged", "StopSheet",
]


@dataclass(frozen=True, slots=True)
class SheetLine:
    """One difference, and whose record it is: ``name`` and ``id_tail`` for the person's own records only, ``keeper`` the colleague for the others."""

    difference: Difference
    name: str = field(default="", repr=False)
    id_tail: str = field(default="", repr=False)
    keeper: str = ""

    @property
    def own(self) -> bool:
        """Whether the one at the desk kept it: only then it can be opened here."""
        return not self.keeper


@dataclass(frozen=True, slots=True)
class SheetFacts:
    """The sheet of a day as it stood ``at``; ``today`` is the hall's date then. ``lines`` of the day, ``earlier`` of the days before;
    ``replaced``: of the day, repaired since, no open difference.
    """

    sheet: DaySheet
    lines: tuple[SheetLine, ...]
    earlier: tuple[SheetLine, ...]
    at: datetime
    today: date
    replaced: tuple[SheetLine, ...] = ()


@dataclass(frozen=True, slots=True)
class DayPicked:
    """The sheet of this day is wanted; None: of today, or once more of the day that is shown, where ``again``."""

    day: date | None = None
    again: bool = False


@dataclass(frozen=True, slots=True)
class MakeSheet:
    """Effect: the sheet of a day (None: today, by the hall's date). Answer: SheetMade, or Failed(JournalFault, Store...); SheetCounted meanwhile."""

    day: date | None = None


@dataclass(frozen=True, slots=True)
class StopSheet:
    """Effect: the sheet that is being made is not wanted any more. No answer."""


@dataclass(frozen=True, slots=True)
class SheetCounted:
    """How many of the journal's lines are checked."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class SheetMade:
    """It is made. ``owner``: the row owner whose people it names."""

    facts: SheetFacts
    owner: str = ""


@dataclass(frozen=True, slots=True)
class SheetWanted:
    """Print the sheet that is shown, or save it as PDF under ``path`` (already asked)."""

    path: str = ""


@dataclass(frozen=True, slots=True)
class SaveSheet:
    """Effect: this sheet as PDF to ``path``; journaled. Answer: SheetSaved, or Failed."""

    facts: SheetFacts
    path: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class PrintSheet:
    """Effect: this sheet to the printer; journaled. Answer: SheetSaved, or Failed."""

    facts: SheetFacts


@dataclass(frozen=True, slots=True)
class SheetSaved:
    """It was printed (``path`` empty) or saved."""

    path: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Change:
    """What the platform changed for this station: ``what`` a key below ``news.`` of the words, ``facts`` what the words name."""

    what: str
    at: datetime
    facts: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class ListAge:
    """A signed list of the platform: ``purpose`` roots, settings, tables; ``expired``: used on, but it should have been renewed."""

    purpose: str
    version: int
    issued_at: datetime
    expired: bool = False


@dataclass(frozen=True, slots=True)
class StationChanged:
    """The latest changes, newest first, and how old the lists are; posted on every change."""

    changes: tuple[Change, ...]
    lists: tuple[ListAge, ...]


@dataclass(frozen=True, slots=True)
class ExportWanted:
    """One record onto a medium, as a file under ``path`` (already asked)."""

    record_id: str
    path: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ExportRecord:
    """Effect: write it, sealed; journaled. Answer: Exported, or Failed."""

    record_id: str
    path: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Exported:
    """It is on the medium. ``code`` opens it at another station and travels apart from it; empty: only the province can open it."""

    record_id: str
    path: str = field(repr=False)
    code: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class ExportTold:
    """The code was written down: it leaves the screen."""


@dataclass(frozen=True, slots=True)
class RepairPressed:
    """The chosen record is to be repaired in a new sitting, where it was set aside, or corrected, where the province returned it."""


@dataclass(frozen=True, slots=True)
class RepairRecord:
    """Effect: open it as a parked sitting; one that was set aside once the province does not have it. Journaled. Answer: RepairReady, or Failed(RepairThere,
    RepairElsewhere, CorrectionElsewhere...).
    """

    record_id: str


@dataclass(frozen=True, slots=True)
class RepairReady:
    """The sitting in which it is repaired or corrected; the same one whenever it is asked for again."""

    record_id: str
    draft_id: str


@dataclass(frozen=True, slots=True)
class ItemTurned:
    """A person says that one item of the correction at the desk is done, or that it is not after all; its place in the draft's list."""

    index: int
