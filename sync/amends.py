"""What a correction knows of the record that it amends, and each item that the province wants changed. Never opens a packet and never judges a value.

An item is open until what stands at its place was changed, or a person said that it is done: nobody overlooks one, and none keeps a person from signing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sync.record import attachment_kind, field_at, section

__all__ = ["Amends", "Item", "place_of"]

_ROW = re.compile(r"^([a-z_]+)\[(\d{1,2})\](.*)$")
_HEAD = re.compile(r"^([a-z_]+)(\[\d{1,2}\])?$", re.ASCII)


def place_of(untrusted: str) -> str:
    """The path where it names a field, a row, a section or a kind of material; else an empty text: then the whole record is meant."""
    head, dot, name = untrusted.partition(".")
    found = _HEAD.match(head)
    if found is None or dot and not name:
        return ""
    try:
        if head == "stills":
            attachment_kind(name)
        elif name:
            field_at(untrusted)
        elif found.group(2) and not section(found.group(1)).repeats:
            return ""
        else:
            section(found.group(1))
    except KeyError:
        return ""
    return untrusted


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that the province wants changed: ``path`` and ``text`` as it said them. ``was``: digest of what stood there, empty where that is not known;
    ``done``: a person said so.
    """

    path: str
    text: str = field(repr=False)
    was: str = ""
    done: bool = False

    @property
    def place(self) -> str:
        return place_of(self.path)


@dataclass(frozen=True, slots=True)
class Amends:
    """FORMATS section 1: the record that is amended and its canonical digest; ``revision`` of the new one."""

    record_id: str
    prev_digest: str
    revision: int
    items: tuple[Item, ...] = ()

    def asked(self, said: Iterable[Item]) -> Amends:
        """With what the province said since; what it said before stays, done or not."""
        known = {(one.path, one.text) for one in self.items}
        return replace(self, items=(*self.items, *(one for one in said if (one.path, one.text) not in known)))

    def turned(self, index: int) -> Amends:
        """With one item done, or not done after all. Raises IndexError."""
        items = list(self.items)
        items[index] = replace(items[index], done=not items[index].done)
        return replace(self, items=tuple(items))

    def without_row(self, name: str, gone: int) -> Amends:
        """A row of a section was taken out: items of later rows go with them, those of the row itself are answered."""
        return replace(self, items=tuple(_moved(one, name, gone) for one in self.items))

    def as_json(self) -> dict[str, Any]:
        return {"record_id": self.record_id, "prev_digest": self.prev_digest, "revision": self.revision,
                "items": [{"path": one.path, "text": one.text, "was": one.was, "done": one.done} for one in self.items]}

    @classmethod
    def from_json(cls, members: Mapping[str, Any] | None) -> Amends | None:
        """Raises KeyError, TypeError."""
        if members is None:
            return None
        return cls(str(members["record_id"]), str(members["prev_digest"]), int(members["revision"]), tuple(Item(**one) for one in members["items"]))


def _moved(item: Item, name: str, gone: int) -> Item:
    found = _ROW.match(item.path)
    if found is None or found.group(1) != name or int(found.group(2)) < gone:
        return item
    row = int(found.group(2))
    return replace(item, done=True) if row == gone else replace(item, path=f"{name}[{row - 1}]{found.group(3)}")
