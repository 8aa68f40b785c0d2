"""What the desk knows while a person is being registered, and the pure steps that several tables share. Never does anything, never holds a PIN."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import Any, cast

from desktop.flows.words import (
    CardNote,
    CardWasRead,
    CourierFacts,
    DeviceFacts,
    Hint,
    Operator,
    OutboxFacts,
    ParkedFacts,
    Progress,
    ReaderQuestion,
    SaveDraft,
    StationFacts,
)
from desktop.flows.words.day import Change, Exported, ListAge, SheetFacts
from desktop.hall_time import at_hall
from devices.cards.socialcard import SocialCardHint
from devices.errors import DeviceTrouble
from resources.trouble import Trouble
from sync.draft import Draft
from sync.panel import Waits
from sync.record import ATTACHMENT_KINDS, SECTIONS, section
from sync.rules import Issue, issues
from sync.tables import Tables

__all__ = [
    "Answer", "Capture", "Effects", "IntakeState", "Place", "SheetState", "SocialSeen", "cleared", "for_another", "hall_date", "hall_day", "jump",
    "missing_document", "row_count", "with_draft",
]


def for_another(operator: Operator | None, event: object) -> bool:
    """Whether this answer names another person's people: it was asked for by who sat here before."""
    owner = getattr(event, "owner", "")
    return bool(owner) and (operator is None or owner != f"op:{operator.operator_id}")


def hall_date(at: datetime) -> date:
    """The hall's date at an aware time."""
    return at_hall(at).date()


def hall_day(at: datetime) -> tuple[datetime, datetime]:
    """Begin and end of the hall's day at an aware time."""
    begin = at_hall(at).replace(hour=0, minute=0, second=0, microsecond=0)
    return begin, begin + timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Place:
    """Where the caret shall go; ``count`` makes the same place new again."""

    path: str = ""
    count: int = 0


@dataclass(frozen=True, slots=True)
class Capture:
    """A picture being taken. ``use`` portrait or document, ``kind`` of sync.record, ``taking`` while the still is on its way,
    ``seen`` whether the original was seen, ``last`` the still_id just taken.
    """

    use: str
    kind: str
    taking: bool = False
    seen: bool = True
    hint: Hint | None = None
    last: str = ""
    hints: tuple[Hint, ...] = ()


@dataclass(frozen=True, slots=True)
class SocialSeen:
    """The look at a social security card: on its way (``reading``), what the card ``said``, or the ``trouble``. A hint; never part of the draft."""

    reading: bool = False
    said: SocialCardHint | None = field(default=None, repr=False)
    trouble: DeviceTrouble | None = None


@dataclass(frozen=True, slots=True)
class SheetState:
    """The reconciliation sheet: ``working`` while one is being made (``done`` of ``total`` lines checked; the one before is still in ``facts``), ``failed``
    where it could not be made, ``saved``: printed or written. ``asked``: the day that is wanted (None: today).
    """

    working: bool = False
    asked: date | None = None
    done: int = 0
    total: int = 0
    facts: SheetFacts | None = None
    failed: bool = False
    saved: bool = False


def _no_pictures() -> Mapping[str, bytes]:
    return MappingProxyType(cast("dict[str, bytes]", {}))


def _no_counts() -> Mapping[str, int]:
    return MappingProxyType(cast("dict[str, int]", {}))


@dataclass(frozen=True, slots=True)
class IntakeState:
    """``page``: desk, outbox, returned, parked, health, sync, sheet. On the desk: ``draft`` None = waiting for a card; ``reading`` a read on its way;
    ``capture`` a picture on its way; ``after``: what follows once the open sitting is parked or the read has ended ('' nothing, 'card', or a draft_id).
    """

    page: str = "desk"
    operator: Operator | None = None
    station: StationFacts | None = None
    draft: Draft | None = field(default=None, repr=False)
    issues: tuple[Issue, ...] = ()
    rows: Mapping[str, int] = field(default_factory=_no_counts)
    unlocked: frozenset[str] = frozenset()
    place: Place = Place()
    today: date | None = None
    saved_at: datetime | None = None
    reading: Progress | None = None
    other_card: CardWasRead | None = field(default=None, repr=False)
    reader_question: ReaderQuestion | None = None
    notes: tuple[CardNote, ...] = ()
    social: SocialSeen = SocialSeen()
    chip_photo: bytes | None = field(default=None, repr=False)
    pictures: Mapping[str, bytes] = field(default_factory=_no_pictures, repr=False)
    capture: Capture | None = None
    no_model: bool = False
    parking: bool = False
    after: str = ""
    discard_asked: bool = False
    parked: tuple[ParkedFacts, ...] = ()
    outbox: tuple[OutboxFacts, ...] = ()
    outbox_pages: int = 1
    outbox_more: bool = False
    counts: Mapping[str, int] = field(default_factory=_no_counts)
    chosen: str = ""
    courier: CourierFacts = CourierFacts()
    waits: tuple[Waits, ...] = ()
    devices: tuple[DeviceFacts, ...] = ()
    sheet: SheetState = SheetState()
    changes: tuple[Change, ...] = ()
    lists: tuple[ListAge, ...] = ()
    exporting: str = ""
    repairing: str = ""
    checking: bool = False
    exported: Exported | None = field(default=None, repr=False)
    trouble: Trouble | None = None
    retry: Any = None
    """The effect that RetryPressed sends again; None where there is nothing to try again. Never one with a PIN."""


Effects = tuple[Any, ...]
Answer = tuple[IntakeState, Effects]


def with_draft(state: IntakeState, draft: Draft, today: date, tables: Tables, now: bool = False) -> Answer:
    """The state with this draft, all its issues, and the order to save it."""
    return replace(state, draft=draft, today=today, issues=issues(draft, today, tables)), (SaveDraft(draft, now),)


def cleared(state: IntakeState) -> IntakeState:
    """The desk without a sitting; what belongs to the day stays."""
    return IntakeState(operator=state.operator, station=state.station, page="desk", parked=state.parked, outbox=state.outbox, counts=state.counts,
                       outbox_pages=state.outbox_pages, outbox_more=state.outbox_more,
                       chosen=state.chosen, courier=state.courier, waits=state.waits, devices=state.devices, sheet=state.sheet,
                       changes=state.changes, lists=state.lists, exporting=state.exporting, exported=state.exported,
                       place=Place("", state.place.count + 1), reader_question=state.reader_question)


def jump(state: IntakeState, path: str) -> IntakeState:
    """The state with the caret on its way to ``path``."""
    return replace(state, page="desk", place=Place(path, state.place.count + 1))


def first_field(path: str) -> str:
    """Where the caret goes for an issue: a section that lacks a row, and a row as a whole, is entered at its first field; nowhere for the whole record."""
    if "." in path or not path:
        return path
    if path.endswith("]"):
        return f"{path}.{section(path.partition('[')[0]).fields[0].name}"
    return f"{path}[0].{section(path).fields[0].name}" if section(path).repeats else f"{path}.{section(path).fields[0].name}"


def row_count(state: IntakeState, section: str) -> int:
    """Rows of a repeating section as shown: those with values, those added, and one where a category must give one."""
    if state.draft is None:
        return 0
    found = next(one for one in SECTIONS if one.name == section)
    least = 1 if found.at_least & state.draft.categories() else 0
    return max(state.draft.row_count(section), state.rows.get(section, 0), least)


def missing_document(state: IntakeState) -> str:
    """The first document that is still missing; 'contract' where none is."""
    held = {one.kind for one in state.draft.stills} if state.draft is not None else set[str]()
    wanted = {one.path.removeprefix("stills.") for one in state.issues if one.code == "attachment.missing"} - {"portrait"}
    for kind in ATTACHMENT_KINDS:
        if kind.name in wanted:
            return kind.name
    return next((kind.name for kind in ATTACHMENT_KINDS if kind.name in {"contract", "insurance_proof"} and kind.name not in held), "other")
