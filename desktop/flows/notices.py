"""What changed between two views of what the platform lays down for this station. Pure: never asks anybody, never keeps anything."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from desktop.flows.words.day import Change

__all__ = ["MOST_CHANGES", "StationView", "changes", "view_from", "view_text"]

MOST_CHANGES = 20
"""So many are shown; what is older is what counts now anyway."""


@dataclass(frozen=True, slots=True)
class StationView:
    """What of the downlink a person at the desk can notice. ``people``: id -> (name, roles); ``editions``: code table -> digest of its rows; ``keys``: those
    that records are sealed for; ``stations`` of the hall: id -> (window, state); ``trust``: good keys and roots; ``late``: the rule on what comes late.
    """

    hall: str
    window: str
    people: Mapping[str, tuple[str, frozenset[str]]] = field(repr=False)
    readers: frozenset[str]
    retention_days: int | None
    publicity_workdays: int | None
    editions: Mapping[str, str]
    keys: str
    certificate: str
    stations: Mapping[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])
    trust: frozenset[str] = frozenset()
    late: str = ""


def view_text(view: StationView) -> str:
    """The view as text, to be kept until the next start."""
    return json.dumps(asdict(view), default=sorted, ensure_ascii=False)


def view_from(text: str) -> StationView:
    """The view of ``view_text``. Raises ValueError, TypeError or KeyError for other texts."""
    told: dict[str, Any] = json.loads(text)
    told["people"] = {one: (name, frozenset(roles)) for one, (name, roles) in told["people"].items()}
    told["stations"] = {one: (window, state) for one, (window, state) in told["stations"].items()}
    told["readers"], told["trust"] = frozenset(told["readers"]), frozenset(told["trust"])
    return StationView(**told)


def changes(before: StationView, after: StationView, at: datetime) -> tuple[Change, ...]:
    """Every difference, the gravest first; empty where nothing that a person would notice is another."""
    return tuple(Change(what, at, facts) for what, facts in (*_people(before, after), *_places(before, after), *_lists(before, after)))


Found = Iterator[tuple[str, dict[str, str]]]


def _people(before: StationView, after: StationView) -> Found:
    for person_id, (name, roles) in after.people.items():
        if person_id not in before.people:
            yield "person_in", {"name": name, "roles": ",".join(sorted(roles))}
        elif before.people[person_id][1] != roles:
            yield "person_roles", {"name": name, "roles": ",".join(sorted(roles))}
    for person_id, (name, _roles) in before.people.items():
        if person_id not in after.people:
            yield "person_out", {"name": name}


def _places(before: StationView, after: StationView) -> Found:
    if before.hall != after.hall:
        yield "hall", {"hall": after.hall}
    if before.window != after.window:
        yield "window", {"window": after.window}
    if added := after.readers - before.readers:
        yield "readers_in", {"n": str(len(added))}
    if gone := before.readers - after.readers:
        yield "readers_out", {"n": str(len(gone))}
    for one, (window, state) in after.stations.items():
        if one not in before.stations:
            yield "station_in", {"window": window}
        elif before.stations[one][1] != state:
            yield "station_state", {"window": window, "state": state}
    for one, (window, _state) in before.stations.items():
        if one not in after.stations:
            yield "station_out", {"window": window}


def _lists(before: StationView, after: StationView) -> Found:
    """The first list of code tables that comes is no change."""
    if after.retention_days is not None and before.retention_days != after.retention_days:
        yield "retention", {"n": str(after.retention_days)}
    if after.publicity_workdays is not None and before.publicity_workdays != after.publicity_workdays:
        yield "publicity", {"n": str(after.publicity_workdays)}
    if before.late and after.late and before.late != after.late:
        yield "late", {}
    if before.editions and (tables := [table for table, edition in after.editions.items() if before.editions.get(table) != edition]):
        yield "tables", {"n": str(len(tables)), "tables": ",".join(sorted(tables))}
    if tables := sorted(before.editions.keys() - after.editions.keys()):
        yield "tables_out", {"n": str(len(tables)), "tables": ",".join(tables)}
    if before.keys != after.keys:
        yield "keys", {}
    if before.trust != after.trust:
        yield "trust", {"n": str(len(after.trust - before.trust)), "gone": str(len(before.trust - after.trust))}
    if before.certificate != after.certificate:
        yield "certificate", {}
