"""What the courier asks beside the records: clock, downlink, states of records sent, journal head, what may be purged. Never moves a record.

Only the answers of the province change what is known here; the local clock alone never makes anything purgeable.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from random import SystemRandom
from typing import Any, Protocol

from sync.changes import LINE, Change, changes, line_facts, table_change
from sync.downlink import Purpose, States
from sync.draft import time_text
from sync.editions import fetch
from sync.errors import ClockOff, ClockWrong, FormatTrouble, ProvinceRefused, SignatureInvalid, StationExpired, StationRefused, SyncTrouble
from sync.members import parse_time
from sync.province import ClockOffset, Province
from sync.renewal import is_due, renew
from sync.revocation import known_authorities
from sync.station import Station, StationStore, Tx, apply, read_rows, write_rows
from sync.tables import Row, Tables

__all__ = ["News"]

_LOG = logging.getLogger(__name__)

STATES_EVERY_S = 60.0
DOWNLINK_EVERY_S = 900.0
ROUND_KEPT_S = 600.0
"""Seconds after which the time of the last whole round is written down anew: a start while the line is down knows since when."""
_ROUND = "news.round"
STATES_AT_ONCE = 500
"""Most records of one states answer (FORMATS section 7): so many = there are more."""


class Mirror(Protocol):
    """What of ``sync.outbox.Outbox`` takes the province's view of a record, and forgets what is long receipted."""

    def remote_state(self, record_id: str, state: str, at: datetime, until: date | None, items: Sequence[tuple[str, str]]) -> object: ...
    def purge_due(self, now: datetime, retention_days: int) -> object: ...


class Head(Protocol):
    """What of ``sync.journal.Journal`` is told to the province, and what takes the changes that it sent."""

    def head(self) -> Mapping[str, Any]: ...
    def write(self, tx: Any, who: str, what: str, about: str = "", facts: Mapping[str, str | int | bool] | None = None) -> None: ...


class Lists(Protocol):
    """What of ``sync.revocation.Revocations`` takes lists of revoked certificates."""

    def has(self, wanted: str) -> bool: ...
    def take(self, untrusted: bytes, authorities: Sequence[bytes]) -> object: ...


class News:
    """Asked by the courier's thread. ``clock_offset`` and ``trouble_code`` are those of the last asking."""

    def __init__(self, store: StationStore, outbox: Mirror, journal: Head | None = None, random: Callable[[], float] | None = None,
                 lists: Lists | None = None, shipped: Tables | None = None) -> None:
        """``lists``: of revoked certificates; ``shipped``: the product's own tables, which need not be fetched."""
        self._store, self._outbox, self._journal, self._random, self._lists = store, outbox, journal, random or SystemRandom().random, lists
        self._shipped = shipped or Tables.load()
        self._next_states = self._next_downlink = float("-inf")
        self._round_kept: float | None = None
        self.clock_offset: ClockOffset | None = None
        self.trouble_code = ""

    def last_round(self) -> datetime | None:
        """When all was asked the last time, by this station's clock and to ten minutes; kept over a restart."""
        kept = read_rows(self._store).get(_ROUND)
        return parse_time(kept.decode("ascii"), _ROUND) if kept else None

    def hurry(self) -> None:
        """Everything is due."""
        self._next_states = self._next_downlink = float("-inf")

    def later(self, now: float, trouble_code: str) -> None:
        """What could not be taken is asked for again in a while, not in every turn."""
        self.trouble_code = trouble_code
        self._next_states, self._next_downlink = now + STATES_EVERY_S, max(self._next_downlink, now + STATES_EVERY_S)

    def due(self, now: float) -> bool:
        """``now``: seconds of the monotonic clock."""
        return now >= min(self._next_states, self._next_downlink)

    def ask(self, province: Province, moment: datetime, now: float) -> None:
        """One round. Raises the kinds of ProvinceTrouble where the host does not serve; refused objects are logged and left in ``trouble_code``."""
        self.trouble_code = ""
        self.clock_offset = province.time()
        if self.clock_offset.wrong:
            self.trouble_code = ClockOff.code
        try:
            self._ask_all(province, moment, now, self.clock_offset)
        except StationExpired as refused:
            if self.clock_offset.wrong:  # to a clock that is off, this station's certificate is not yet or no longer good
                raise ClockWrong(refused.detail, seconds=round(abs(self.clock_offset.seconds))) from refused
            raise

    def _ask_all(self, province: Province, moment: datetime, now: float, offset: ClockOffset) -> None:
        if now >= self._next_downlink:
            for purpose in ("roots", "settings", "tables"):
                self._fetch(province, purpose)
            self._fetch_tables(province)
            self._fetch_lists(province)
            self._renew(province, offset.corrected(moment))
            self._next_downlink = now + DOWNLINK_EVERY_S * (0.8 + 0.4 * self._random())
        self._ask_states(province)
        self._tell_head(province)
        self._purge(province, offset.corrected(moment))
        self._next_states = now + STATES_EVERY_S * (0.8 + 0.4 * self._random())
        if self._round_kept is None or now - self._round_kept >= ROUND_KEPT_S:
            write_rows(self._store, {_ROUND: time_text(moment).encode()})
            self._round_kept = now

    def _ask_states(self, province: Province) -> None:
        while True:
            told: list[States] = []

            def mirror(states: States, told: list[States] = told) -> None:
                for one in states.records:
                    self._outbox.remote_state(one.record_id, one.state, one.at, one.until, one.items)
                told.append(states)

            before = province.station.states_cursor
            self._fetch(province, "states", before, mirror)
            if not told or len(told[0].records) < STATES_AT_ONCE or province.station.states_cursor <= before:
                return

    def _fetch(self, province: Province, purpose: Purpose, since: int = 0, before: Callable[[States], None] | None = None) -> None:
        try:
            untrusted = province.downlink(purpose, since)
        except ProvinceRefused as refused:
            self._note(purpose, refused)
            return
        applied = apply(self._store, province.station, {purpose: untrusted}, before, self._tell_changes)
        for trouble in applied.refused:
            self._note(purpose, trouble)
        if applied.news:
            province.adopt(applied.station)

    def _fetch_tables(self, province: Province) -> None:
        """The rows of editions that are not here yet; each table counts as soon as it is whole."""
        def tell(tx: Tx, name: str, before: Sequence[Row], now: Sequence[Row]) -> None:
            self._tell(tx, "tables", province.station, (table_change(name, before, now),))

        try:
            fetch(province, province.station, self._shipped, self._store, tell)
        except (ProvinceRefused, SignatureInvalid, FormatTrouble) as trouble:
            self._note("table", trouble)

    def _tell_changes(self, tx: Tx, purpose: Purpose, before: Station, after: Station) -> None:
        self._tell(tx, purpose, after, changes(purpose, before, after))

    def _tell_renewal(self, tx: Tx, station: Station) -> None:
        self._tell(tx, "roots", station, (Change("certificate.other", station.certificate_digest),))

    def _tell(self, tx: Tx, purpose: Purpose, station: Station, changed: Sequence[Change]) -> None:
        """A line of the journal for each change, in the transaction that keeps what brought it."""
        if self._journal is None:
            return
        for one in changed:
            self._journal.write(tx, "station", LINE, "", line_facts(purpose, station.kept[purpose].version, one))

    def _fetch_lists(self, province: Province) -> None:
        """Lists of revoked certificates that are new here, over the same line as all else: a hall reaches the province and nobody's own server.

        A list that is refused here (unknown authority, older than the kept one) is logged and shown as what is known anyway: the kept one, with its age.
        """
        if self._lists is None:
            return
        try:
            offered = province.revocations()
            missing = [one for one in offered.digests if not self._lists.has(one)]
            authorities = known_authorities(province.station.signer_roots, offered.authorities) if missing else ()
            for wanted in missing:
                self._take_list(self._lists, province.revocation(wanted), authorities)
        except (ProvinceRefused, FormatTrouble) as trouble:
            if isinstance(trouble, StationRefused):
                raise
            _LOG.info("no lists of revoked certificates: %s", trouble.detail)  # a province may have none

    @staticmethod
    def _take_list(lists: Lists, untrusted: bytes, authorities: Sequence[bytes]) -> None:
        try:
            lists.take(untrusted, authorities)
        except (SignatureInvalid, FormatTrouble, OSError) as trouble:
            _LOG.warning("a list of revoked certificates was not taken: %s", trouble)

    def _renew(self, province: Province, corrected: datetime) -> None:
        """A certificate that ends soon, by the province's clock, is renewed; where that is refused the present one serves on."""
        if not is_due(province.station, corrected):
            return
        try:
            province.adopt(renew(province, self._store, province.station, corrected, self._tell_renewal))
        except (ProvinceRefused, FormatTrouble) as trouble:
            self._note("renewal", trouble)

    def _note(self, what: str, trouble: SyncTrouble) -> None:
        """A refusal of one thing is shown and does not keep the others back; a refusal of the station does."""
        if isinstance(trouble, StationRefused):
            raise trouble
        _LOG.warning("%s refused: %s", what, trouble.detail)
        self.trouble_code = trouble.code

    def _tell_head(self, province: Province) -> None:
        if self._journal is None:
            return
        try:
            province.journal_head(self._journal.head())
        except ProvinceRefused as refused:
            self._note("journal head", refused)

    def _purge(self, province: Province, corrected: datetime) -> None:
        if province.station.retention_days is not None:
            self._outbox.purge_due(corrected, province.station.retention_days)
