"""What a downlink changed, in facts: people, readers, stations, keys, roots, settings, tables. Pure but for reading the journal; never holds a person's name.

Each change is a line of the journal (``downlink.changed``), so that it can be shown later and after a new start.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sync.canon import digest, parse_canonical
from sync.downlink import Purpose
from sync.members import parse_time
from sync.station import Station
from sync.tables import Row

__all__ = ["KINDS", "LINE", "Change", "Told", "changes", "line_facts", "recent", "table_change"]

KINDS = (
    "key.added", "key.ended", "intake.other", "recovery.other", "signer_root.added", "signer_root.removed", "tls_root.added", "tls_root.removed",
    "person.added", "person.removed", "person.roles", "reader.added", "reader.removed", "station.added", "station.removed", "station.state", "hall.other",
    "window.other", "retention.other", "publicity.other", "late.other", "certificate.other", "table.edition", "table.removed", "table.rows",
)
LINE = "downlink.changed"
MOST = 100
"""Most changes of one object that are told one by one."""
_PLAIN = re.compile(r"[A-Za-z0-9 ._:/+@-]{0,90}")
_ID = re.compile(r"sha256:[0-9a-f]{64}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_LONG_NUMBER = re.compile(r"\d{11,}")


@dataclass(frozen=True, slots=True)
class Change:
    """``kind``: one of KINDS; ``what``: a person's, station's, reader's or table's id, or a key's; ``now``: its new value, where there is one."""

    kind: str
    what: str = ""
    now: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """A change as the journal has it; ``at`` when this station took it, ``version`` of the downlink object."""

    at: datetime
    purpose: str
    version: int
    change: Change


def changes(purpose: Purpose, before: Station, after: Station) -> tuple[Change, ...]:
    """What ``after`` says differently from ``before``; nothing for the first object of its kind. States of records are told by the records themselves."""
    makers: Mapping[str, Callable[[Mapping[str, Any], Mapping[str, Any]], Iterator[Change]]] = {"roots": _roots, "settings": _settings, "tables": _tables}
    maker = makers.get(purpose)
    if maker is None or purpose not in before.kept or purpose not in after.kept:
        return ()
    return tuple(maker(before.kept[purpose].body, after.kept[purpose].body))[:MOST]


def table_change(name: str, before: Sequence[Row], now: Sequence[Row]) -> Change:
    """Rows that came, went and were worded anew, as ``+3 -1 ~2``."""
    old, new = {row.code: row for row in before}, {row.code: row for row in now}
    other = sum(old[code] != new[code] for code in old.keys() & new.keys())
    return Change("table.rows", name, f"+{len(new.keys() - old.keys())} -{len(old.keys() - new.keys())} {other} reworded")


# -- the three objects --------------------------------------------------------------------------------------------------------------------
def _roots(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    was, now = _keyed(old["keys"], "keyid"), _keyed(new["keys"], "keyid")
    for keyid, key in now.items():
        if keyid not in was:
            yield Change("key.added", keyid, str(key["purpose"]))
        elif was[keyid]["state"] != key["state"]:
            yield Change("key.ended", keyid, f"{key['purpose']} {key['state']}")
    for keyid in sorted(was.keys() - now.keys()):
        yield Change("key.ended", keyid, str(was[keyid]["purpose"]))
    for name, kind in (("intake", "intake.other"), ("recovery", "recovery.other")):
        if old[name]["kid"] != new[name]["kid"]:
            yield Change(kind, str(new[name]["kid"]))
    for name, kind in (("signer_roots", "signer_root"), ("tls_roots", "tls_root")):
        yield from _came_and_went(kind, *([digest(b64decode(one)) for one in body[name]] for body in (old, new)))


def _settings(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    if old["hall"]["code"] != new["hall"]["code"]:
        yield Change("hall.other", now=str(new["hall"]["code"]))
    for name, kind in (("window", "window.other"), ("retention_days", "retention.other"), ("publicity_workdays", "publicity.other")):
        if old[name] != new[name]:
            yield Change(kind, now=str(new[name]))
    if old.get("late") != new.get("late"):
        yield Change("late.other")
    was, now = _keyed(old["people"], "id"), _keyed(new["people"], "id")
    yield from _came_and_went("person", was, now)
    for person in sorted(was.keys() & now.keys()):
        if set(was[person]["roles"]) != set(now[person]["roles"]):
            yield Change("person.roles", person, " ".join(sorted(now[person]["roles"])))
    yield from _came_and_went("reader", old["sams"], new["sams"])
    was, now = _keyed(old["stations"], "id"), _keyed(new["stations"], "id")
    yield from _came_and_went("station", was, now)
    for station in sorted(was.keys() & now.keys()):
        if was[station]["state"] != now[station]["state"]:
            yield Change("station.state", station, str(now[station]["state"]))


def _tables(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    for name, edition in new.items():
        if name not in old or old[name]["digest"] != edition["digest"]:
            yield Change("table.edition", name, str(edition["edition"]))
    for name in sorted(old.keys() - new.keys()):
        yield Change("table.removed", name)


def _keyed(rows: Iterable[Mapping[str, Any]], name: str) -> dict[str, Mapping[str, Any]]:
    return {str(row[name]): row for row in rows}


def _came_and_went(kind: str, old: Iterable[str], new: Iterable[str]) -> Iterator[Change]:
    was, now = list(old), list(new)
    yield from (Change(f"{kind}.added", one) for one in now if one not in was)
    yield from (Change(f"{kind}.removed", one) for one in was if one not in now)


# -- the journal --------------------------------------------------------------------------------------------------------------------------
class Lines(Protocol):
    """What of ``sync.journal.Journal`` is read."""

    def head(self) -> Mapping[str, Any]: ...
    def lines(self, start: int = 1) -> Iterator[bytes]: ...


def line_facts(purpose: str, version: int, change: Change) -> dict[str, str | int | bool]:
    """The facts of a change's line; an id that the journal does not take (it could be a person's number) is told by its digest."""
    told = version if version < 10**10 else f"{version:_}"  # a version may be a time; the journal takes no long number, that could be a person's
    return {"purpose": purpose, "version": told, "kind": change.kind, "what": _plain(change.what), "now": _plain(change.now)}


def recent(journal: Lines, most: int = 50, look_back: int = 5000) -> tuple[Told, ...]:
    """The newest changes, newest first, among the last ``look_back`` lines of the journal."""
    start = max(1, int(journal.head()["size"]) - look_back + 1)
    found: list[Told] = []
    for content in journal.lines(start):
        line = parse_canonical(content, "journal")
        if line["what"] == LINE:
            facts = line["facts"]
            change = Change(str(facts["kind"]), str(facts["what"]), str(facts["now"]))
            found.append(Told(parse_time(line["at"], "journal.at"), str(facts["purpose"]), int(facts["version"]), change))
    return tuple(reversed(found[-most:]))


def _plain(text: str) -> str:
    known = _ID.fullmatch(text) or (_PLAIN.fullmatch(text) and not _LONG_NUMBER.search(text))
    return text if known else digest(text.encode())
