"""A registration in the making: each value with its source, who, when, device. Never judges (rules.py) and never stores itself (parked.py)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, cast

from sync.amends import Amends, Item, place_of
from sync.canon import canon, digest, nfc
from sync.errors import FormatTrouble
from sync.record import field_at

__all__ = ["Draft", "DraftStill", "Entry", "Source", "Value", "time_text"]

Value = str | int | bool | tuple[str, ...]
_ROW = re.compile(r"^([a-z_]+)\[(\d{1,2})\]\.([a-z_]+)$")


class Source(StrEnum):
    """Where a value comes from."""

    CHIP = "chip"
    SCAN = "scan"
    TYPED = "typed"
    PLATFORM = "platform"


def time_text(at: datetime) -> str:
    """An aware time as FORMATS writes it: UTC, whole seconds, ``Z``."""
    return at.astimezone(UTC).replace(microsecond=0).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True, slots=True)
class Entry:
    """One value and its provenance."""

    value: Value = field(repr=False)
    source: Source
    by: str
    at: datetime
    device: str = ""


@dataclass(frozen=True, slots=True)
class DraftStill:
    """A captured picture or document of a draft; its bytes lie encrypted in parked.py under ``still_id``."""

    kind: str
    still_id: str
    media: str
    size: int
    sha256: str
    pages: int = 1
    trust: str = "B"


@dataclass(frozen=True, slots=True)
class Draft:
    """Frozen; ``take`` gives a new one. ``owner`` is the row owner of FORMATS section 9."""

    draft_id: str
    owner: str
    created_at: datetime
    entries: Mapping[str, Entry] = field(default_factory=lambda: MappingProxyType(cast("dict[str, Entry]", {})), repr=False)
    stills: tuple[DraftStill, ...] = ()
    card: Mapping[str, str] | None = None
    """Evidence of the card read (FORMATS 1, ``evidence.card``)."""
    face: Mapping[str, str] | None = None
    replaces: str = ""
    """The record that was set aside and is repaired here (``sync.repair``), or an empty text."""
    amends: Amends | None = None
    """The record that the province has and that this one corrects (FORMATS section 1), or None."""

    def take(self, path: str, value: Value, source: Source, *, by: str, at: datetime, device: str = "") -> Draft:
        """The draft with one more value; an empty one removes it. Text is trimmed and NFC. Raises KeyError for an unknown path."""
        kind = field_at(path).kind
        if isinstance(value, str):
            value = nfc(value).strip()
            if kind == "idno":
                value = value.upper()
        entries = dict(self.entries)
        if value == "" or value == ():
            entries.pop(path, None)
        else:
            entries[path] = Entry(value, source, by, at, device)
        return replace(self, entries=MappingProxyType(entries))

    def value(self, path: str) -> Value:
        """The value, or an empty text."""
        entry = self.entries.get(path)
        return "" if entry is None else entry.value

    def text(self, path: str) -> str:
        value = self.value(path)
        return value if isinstance(value, str) else ""

    def categories(self) -> frozenset[str]:
        value = self.value("person.categories")
        return frozenset(value) if isinstance(value, tuple) else frozenset()

    def row_count(self, section: str) -> int:
        """Rows of a repeating section that have a value."""
        rows = [int(found.group(2)) for path in self.entries if (found := _ROW.match(path)) and found.group(1) == section]
        return max(rows) + 1 if rows else 0

    def without_row(self, section: str, index: int) -> Draft:
        """The draft without one row; later rows move up."""
        entries: dict[str, Entry] = {}
        for path, entry in self.entries.items():
            found = _ROW.match(path)
            if found and found.group(1) == section:
                row = int(found.group(2))
                if row == index:
                    continue
                path = f"{section}[{row - 1 if row > index else row}].{found.group(3)}"
            entries[path] = entry
        amends = self.amends.without_row(section, index) if self.amends is not None else None
        return replace(self, entries=MappingProxyType(entries), amends=amends)

    def with_still(self, still: DraftStill, *, instead: str = "") -> Draft:
        """One more still; ``instead`` names a still_id that it replaces."""
        kept = tuple(one for one in self.stills if one.still_id != instead)
        return replace(self, stills=(*kept, still))

    def taken(self, still: DraftStill) -> Draft:
        """With a picture that was just taken: a new portrait takes the place of the old one and of its comparison, pages of documents add up."""
        if still.kind != "portrait":
            return self.with_still(still)
        before = next((one.still_id for one in self.stills if one.kind == "portrait"), "")
        return replace(self.with_still(still, instead=before), face=None)

    def without_still(self, still_id: str) -> Draft:
        return replace(self, stills=tuple(one for one in self.stills if one.still_id != still_id))

    @property
    def empty(self) -> bool:
        """Nothing would be lost with it."""
        return not self.entries and not self.stills and self.amends is None

    # -- corrections -------------------------------------------------------------------------------------------------------------------
    def standing(self, place: str) -> str:
        """Digest of what stands at a place: a field, a row, a section, the pictures of a kind. Compared with an item's ``was``."""
        if place.startswith("stills."):
            return digest(canon({"stills": [one.sha256 for one in self.stills if one.kind == place.removeprefix("stills.")]}))
        values = {path: list(one.value) if isinstance(one.value, tuple) else one.value for path, one in self.entries.items()
                  if path == place or path.startswith((f"{place}.", f"{place}["))}
        return digest(canon(values))

    def asked(self, items: Iterable[tuple[str, str]], known: bool = True) -> Draft:
        """With what the province wants changed, path and text of each. ``known``: what stands here is what it speaks of, so a change answers it."""
        if self.amends is None:
            return self
        said = [Item(path, text, self.standing(place_of(path)) if known and place_of(path) else "") for path, text in items]
        return replace(self, amends=self.amends.asked(said))

    def is_open(self, item: Item) -> bool:
        """Whether an item still waits: nothing at its place was changed, and nobody said that it is done."""
        return not item.done and (not item.was or self.standing(item.place) == item.was)

    def as_json(self) -> dict[str, Any]:
        """For the parked row (SQLCipher); plain text of a person: never a file or a log."""
        named = {"replaces": self.replaces} if self.replaces else {}
        return {
            **named, **({"amends": self.amends.as_json()} if self.amends is not None else {}),
            "draft_id": self.draft_id, "owner": self.owner, "created_at": time_text(self.created_at), "card": dict(self.card) if self.card else None,
            "face": dict(self.face) if self.face else None,
            "entries": {path: {"value": list(e.value) if isinstance(e.value, tuple) else e.value, "source": e.source.value, "by": e.by, "at": time_text(e.at),
                               "device": e.device} for path, e in self.entries.items()},
            "stills": [{"kind": s.kind, "still_id": s.still_id, "media": s.media, "size": s.size, "sha256": s.sha256, "pages": s.pages, "trust": s.trust}
                       for s in self.stills],
        }

    @classmethod
    def from_json(cls, members: Mapping[str, Any]) -> Draft:
        """The draft of ``as_json``. Raises FormatTrouble."""
        try:
            entries = {str(path): _entry(e) for path, e in members["entries"].items()}
            for path in entries:
                field_at(path)
            return cls(members["draft_id"], members["owner"], datetime.fromisoformat(members["created_at"]), MappingProxyType(entries),
                       tuple(DraftStill(**s) for s in members["stills"]), members.get("card"), members.get("face"),
                       str(members.get("replaces", "")), Amends.from_json(members.get("amends")))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise FormatTrouble("parked draft does not fit its format", what="draft") from error


def _entry(members: Mapping[str, Any]) -> Entry:
    found: object = members["value"]
    if isinstance(found, list):
        value: Value = tuple(str(code) for code in cast("list[object]", found))
    elif isinstance(found, str | int):
        value = found
    else:
        raise TypeError("value")
    return Entry(value, Source(members["source"]), members["by"], datetime.fromisoformat(members["at"]),
                 members["device"])
