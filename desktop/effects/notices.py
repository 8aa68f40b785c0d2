"""Notices what the platform changed for this station, and keeps the last changes over a restart. Never asks the platform: that is the courier's work.

What was seen last is kept beside the changes: what came down just before the program ended is told at its next start.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from desktop.bridge.jobs import Jobs
from desktop.flows.notices import MOST_CHANGES, StationView, changes, view_from, view_text
from desktop.flows.words import CourierSeen
from desktop.flows.words.day import Change, ListAge, StationChanged
from desktop.rooms import Rooms, now
from sync.canon import digest
from sync.draft import time_text
from sync.errors import StoreTrouble
from sync.station import Station

__all__ = ["NoticeWork", "view_of"]

_LOG = logging.getLogger(__name__)
_NAME = "desk.changes"
"""The row of the store's table ``station`` that keeps the last changes; the station's own rows have other names."""
_KEPT_FOR = timedelta(days=14)
_LISTS = ("roots", "settings", "tables")


def view_of(station: Station) -> StationView:
    """What a person at the desk can notice of a station's downlink."""
    return StationView(
        station.hall_name, station.window, {one.id: (one.name, one.roles) for one in station.people}, frozenset(station.sams), station.retention_days,
        station.publicity_workdays, {name: one.digest for name, one in station.tables.items()},
        " ".join(sorted((station.intake.kid, station.recovery.kid))), station.certificate_digest,
        {one["id"]: (one["window"], one["state"]) for one in station.kept["settings"].body["stations"]} if "settings" in station.kept else {},
        frozenset({one.keyid for one in station.keys.keys if one.state == "good"} | {digest(one) for one in (*station.signer_roots, *station.tls_roots)}),
        str(station.late),
    )


class NoticeWork:
    """``look`` after every word of the courier, in the main thread; ``emit`` posts to intake."""

    def __init__(self, rooms: Any, jobs: Jobs, emit: Callable[[Any], None], clock: Callable[[], datetime] = now) -> None:
        self._rooms, self._jobs, self._emit, self._clock = rooms, jobs, emit, clock
        self._seen: Station | None = None
        self._changes: tuple[Change, ...] = ()

    def start(self) -> None:
        """Tells the changes of earlier days, and the age of the lists."""
        rooms: Rooms = self._rooms()
        self._seen = rooms.station

        view = view_of(rooms.station)

        def known(kept: tuple[tuple[Change, ...], StationView | None]) -> None:
            told, seen = kept
            found = changes(seen, view, self._clock()) if seen is not None else ()
            self._changes = _latest((*self._changes, *found, *told))
            if found or seen is None:
                self._note(rooms, view)
            self._say()

        self._jobs.start("outbox", lambda _cancel, _tell: _kept(rooms, self._clock()), known, lambda _trouble: self._say())

    def pass_on(self, event: Any) -> None:
        """What the mail says goes to intake; with a word of the courier may have come a change."""
        self._emit(event)
        if isinstance(event, CourierSeen):
            self.look()

    def look(self) -> None:
        """Compares the station with the one that was seen last; a change is told and kept."""
        rooms: Rooms = self._rooms()
        station = rooms.station
        if self._seen is None or station is self._seen:
            return
        found, self._seen = changes(view_of(self._seen), view_of(station), self._clock()), station
        if found:
            self._changes = _latest((*found, *self._changes))
            self._note(rooms, view_of(station))
        self._say()

    def _note(self, rooms: Rooms, seen: StationView) -> None:
        told = self._changes
        self._jobs.start("outbox", lambda _cancel, _tell: _keep(rooms, told, seen))

    def _say(self) -> None:
        station = self._seen
        if station is None:
            return
        at = self._clock()
        lists = tuple(ListAge(one, station.kept[one].version, station.kept[one].issued_at, station.kept[one].expired(at))
                      for one in _LISTS if one in station.kept)
        self._emit(StationChanged(self._changes, lists))


def _latest(found: tuple[Change, ...]) -> tuple[Change, ...]:
    return tuple(sorted(found, key=lambda one: one.at, reverse=True))[:MOST_CHANGES]


def _keep(rooms: Rooms, told: tuple[Change, ...], seen: StationView) -> None:
    """On a disk that is full they are told now, and the newest once more at the next start: nothing of a registration hangs on them."""
    content = json.dumps({"changes": [{"what": one.what, "at": time_text(one.at), "facts": dict(one.facts)} for one in told], "seen": view_text(seen)},
                         ensure_ascii=False).encode()
    try:
        with rooms.store.write() as tx:
            rooms.store.put_station_value(tx, _NAME, content)
    except StoreTrouble as trouble:
        _LOG.info("changes are not kept: %s", trouble.code)


def _kept(rooms: Rooms, at: datetime) -> tuple[tuple[Change, ...], StationView | None]:
    """The changes of earlier days, and what was seen last; None where nothing was, or an earlier version of this program kept it."""
    kept: Any = json.loads(rooms.store.station_value(_NAME) or b"[]")
    found: list[Mapping[str, Any]] = kept["changes"] if isinstance(kept, dict) else kept
    told = tuple(Change(str(one["what"]), datetime.fromisoformat(one["at"]), {name: str(value) for name, value in one["facts"].items()}) for one in found)
    try:
        seen = view_from(kept["seen"]) if isinstance(kept, dict) else None
    except (ValueError, TypeError, KeyError):
        seen = None
    return tuple(one for one in told if at - one.at < _KEPT_FOR), seen
