"""The durable queue of kept records: the row is the truth of what was kept, sent and receipted. Never signs, seals, sends or decides when to try.

``keep``: packet on the disk first, then one transaction that writes row and journal line and drops the draft; when it returns, and only then, a screen may
say "kept". A failing record only moves its own next try."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sync.blobs import Blobs, Swept
from sync.canon import digest
from sync.ciphers import unwrap_at_station, wrap_at_station
from sync.draft import time_text
from sync.due import DUE, forgettable, next_due_id, next_try_at, waiting
from sync.errors import CarriedUnsigned, DiskFull, FormatTrouble, NotAllowed, PacketDamaged, PacketStray, PacketTooNew, StoreTrouble
from sync.journal import Journal
from sync.life import STATES, allowed
from sync.outbox_row import COLUMNS, Act, CarriedRow, OutboxRow, Summary, acts_text, row_of
from sync.panel import Waits
from sync.parked import drop_draft
from sync.replaced import forget_replaced, is_being_corrected, refuse_open_repair, take_place
from sync.seal import Part, SealedRecord, read_header, unseal_with_key
from sync.slip import refuse_mismatch, seal_slip, slip_of
from sync.sqlcipher import Connection
from sync.store import Store

__all__ = ["Act", "Outbox", "OutboxRow", "Summary"]

_MARKED = frozenset({"upload_id", "upload_offset", "sent_at", "next_try_at"})
_DETAIL_LENGTH = 300
_WAIT_AT_START = timedelta(minutes=10)


class Outbox:
    """The queue of one store. ``clock`` gives aware UTC times. An ``owner`` that is given sees and touches its own rows only (NotAllowed else)."""

    def __init__(self, store: Store, blobs: Blobs, journal: Journal, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._blobs = blobs
        self._journal = journal
        self._clock = clock
        self._strays: tuple[Waits, ...] = ()

    def begin(self) -> Swept:
        """Once at start, before anything else: a signing that a crash cut short is unsigned again, files without rows go (packets that a row once named stay,
        and ``waiting`` tells of them), and nothing waits for a time that a wrong clock has set.
        """
        now = self._clock()
        with self._store.write() as tx:
            tx.execute("UPDATE outbox SET state = 'kept_unsigned' WHERE state = 'signing'")
            tx.execute("UPDATE outbox SET next_try_at = ? WHERE state IN (?, ?, ?) AND next_try_at > ?",
                       (time_text(now), *DUE, time_text(now + _WAIT_AT_START)))
        swept = self._blobs.sweep(self._store.blob_ids(self._blobs.ids()))
        if swept.kept:
            self._strays = (Waits("set_aside", PacketStray.code, len(swept.kept), sum(self._blobs.path(one).stat().st_size for one in swept.kept)),)
        return swept

    # -- keeping ----------------------------------------------------------------------------------------------------------------------
    def keep(self, sealed: SealedRecord, record_digest: str, signature: bytes, acts: Sequence[Act], owner: str, summary: Summary, *, draft_id: str = "",
             station_wrap: bool = True) -> None:
        """Keeps a sealed record durably and drops its draft; what it repairs or corrects names it in the same transaction (``sync.replaced``).

        ``signature`` empty: kept without one (state ``kept_unsigned``, first part ``draft.json``).

        ``station_wrap=False`` (kiosk): this station can never open the packet again. Raises DiskFull, StoreTrouble (also where the id is kept already);
        then nothing was kept and the draft is still there.
        """
        refuse_mismatch(sealed, record_digest, signature)
        now = time_text(self._clock())
        blob_id = self._blobs.write(sealed.packet, lambda: slip_of(sealed, record_digest, signature, acts, owner, now))
        with self._blobs.named((blob_id,)), self._store.write() as tx:
            tx.execute("INSERT INTO outbox (record_id, owner, state, name, id_tail, categories, packet_blob, packet_digest, packet_size, record_digest,"
                       " signature, acts, next_try_at, kept_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                       (sealed.record_id, owner, "kept" if signature else "kept_unsigned", summary.name, summary.id_tail, ",".join(summary.categories),
                        blob_id, sealed.digest, sealed.size, record_digest, signature, acts_text(acts), now, now))
            if station_wrap:
                self._keep_wrap(tx, sealed)
            self._journal.write(tx, owner, "record.kept", sealed.record_id, {"packet": sealed.digest, "record": record_digest, "signed": bool(signature)})
            take_place(tx, self._journal, owner, draft_id, sealed.record_id)
            stills = drop_draft(tx, draft_id) if draft_id else ()
        self._drop_blobs(stills)

    def keep_signed(self, sealed: SealedRecord, record_digest: str, signature: bytes, acts: Sequence[Act], *, who: str) -> None:
        """Signing later at a desk: the signed packet takes the place of the unsigned one of the same record in one transaction (``signing`` -> ``kept``).

        Raises StoreTrouble (step ``state``) where the record is not in state ``signing``, DiskFull; then the unsigned one is unchanged.
        """
        if not signature:
            raise ValueError("no signature")
        refuse_mismatch(sealed, record_digest, signature)
        before = self._row(sealed.record_id)
        blob_id = self._blobs.write(sealed.packet, lambda: slip_of(sealed, record_digest, signature, acts, before.owner, time_text(before.kept_at)), True)
        with self._blobs.named((blob_id,)), self._store.write() as tx:
            row = self._step(tx, sealed.record_id, None)
            if row.state != "signing":
                raise StoreTrouble(f"a record in state {row.state} is not signed now", step="state")
            now = time_text(self._clock())
            tx.execute("UPDATE outbox SET state = 'kept', packet_blob = ?, packet_digest = ?, packet_size = ?, record_digest = ?, signature = ?,"
                       " acts = ?, next_try_at = ? WHERE record_id = ?",
                       (blob_id, sealed.digest, sealed.size, record_digest, signature, acts_text(acts), now, sealed.record_id))
            self._keep_wrap(tx, sealed)
            self._blobs.release(row.packet_blob)
            self._journal.write(tx, who, "record.signed", sealed.record_id, {"packet": sealed.digest, "record": record_digest})
        self._store.forget_old_pages()
        self._drop_blobs((row.packet_blob,))

    def sign_again(self, record_id: str, first: bytes, signature: bytes, acts: Sequence[Act], *, who: str, what: str) -> None:
        """A further person stands for a signed record that still waits here (``kept``, ``set_aside``); row and slip change, the packet's bytes stay.

        ``signature`` is ``first`` with one act more (``what``: record.countersigned), or another person's in its place (record.taken_over): then the record
        is ``kept`` again. Raises StoreTrouble (step ``state``) where it is under way, gone or signed anew meanwhile, DiskFull: nothing has changed then.
        """
        before = self._row(record_id)
        named = before.packet_digest, before.record_digest, signature, acts, before.owner, time_text(before.kept_at)
        slip = seal_slip(self._data_key(before), record_id, *named)
        blob_id = self._blobs.write(self._blobs.read(before.packet_blob), slip, True)  # write-once: a new slip has a new name
        with self._blobs.named((blob_id,)), self._store.write() as tx:
            row = self._step(tx, record_id, None)
            if row.state not in ("kept", "set_aside") or (row.signature, row.packet_blob) != (first, before.packet_blob):
                raise StoreTrouble(f"a record in state {row.state} is not signed again now", step="state")
            refuse_open_repair(tx, record_id)
            tx.execute("UPDATE outbox SET packet_blob = ?, signature = ?, acts = ? WHERE record_id = ?", (blob_id, signature, acts_text(acts), record_id))
            if signature != first:
                again = "UPDATE outbox SET state = 'kept', state_before = '', reason = '', tries = 0, next_try_at = ? WHERE record_id = ?"
                tx.execute(again, (time_text(self._clock()), record_id))
            self._blobs.release(row.packet_blob)
            self._journal.write(tx, who, what, record_id, {"act": digest(acts[-1].act), "packet": row.packet_digest})
        self._drop_blobs((row.packet_blob,))

    def carry_in(self, row: CarriedRow, packet: bytes, slip: bytes, *, who: str, export_id: str) -> None:
        """Keeps a record that another station sealed, as it stands; its packet can never be opened here. Raises DiskFull, StoreTrouble (also: kept already)."""
        blob_id = self._blobs.write(packet, slip)
        now = time_text(self._clock())
        with self._blobs.named((blob_id,)), self._store.write() as tx:
            tx.execute("INSERT INTO outbox (record_id, origin, owner, state, state_before, reason, name, id_tail, categories, packet_blob, packet_digest,"
                       " packet_size, record_digest, signature, acts, next_try_at, kept_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                       (row.record_id, row.origin, row.owner, row.state, "kept" if row.state == "set_aside" else "", row.reason, row.summary.name,
                        row.summary.id_tail, ",".join(row.summary.categories), blob_id, row.packet_digest, row.packet_size, row.record_digest,
                        row.signature, acts_text(row.acts), now, time_text(row.kept_at)))
            self._journal.write(tx, who, "record.imported", row.record_id, {"packet": row.packet_digest, "export": export_id, "owner": row.owner})

    # -- looking ----------------------------------------------------------------------------------------------------------------------
    def rows(self, owner: str | None = None, states: Iterable[str] | None = None, limit: int = 200, after: OutboxRow | None = None) -> tuple[OutboxRow, ...]:
        """Rows by age, the oldest first; ``after`` is the last row of the page before."""
        where, values = ["1"], list[object]()
        if owner is not None:
            where.append("owner = ?")
            values.append(owner)
        if states is not None:
            chosen = tuple(states)
            where.append(f"state IN ({','.join('?' * len(chosen))})")
            values += chosen
        if after is not None:
            where.append("(kept_at, record_id) > (?, ?)")
            values += [time_text(after.kept_at), after.record_id]
        with self._store.read() as rows:
            found = rows.execute(f"SELECT {COLUMNS} FROM outbox WHERE {' AND '.join(where)} ORDER BY kept_at, record_id LIMIT ?", (*values, limit)).fetchall()
        return tuple(row_of(one) for one in found)

    def row(self, record_id: str, owner: str | None = None) -> OutboxRow | None:
        """One row, or None. Raises NotAllowed where it is another owner's."""
        with self._store.read() as rows:
            found = _find(rows, record_id)
        if found is not None and owner is not None and found.owner != owner:
            raise NotAllowed("the record belongs to another person", role="owner")
        return found

    def next_due(self, now: datetime) -> OutboxRow | None:
        """The signed record whose turn it is (``sync.due``), or None."""
        with self._store.read() as rows:
            record_id = next_due_id(rows, now)
            return _find(rows, record_id) if record_id is not None else None

    def next_try_at(self) -> datetime | None:
        """When the next record falls due, or None where nothing waits to be sent."""
        with self._store.read() as rows:
            return next_try_at(rows)

    def waiting(self) -> tuple[Waits, ...]:
        """What of this machine is not receipted, by state and reason; whoever kept it. Also packets without a row, since the start."""
        with self._store.read() as rows:
            return waiting(rows) + self._strays

    def counts(self, owner: str | None = None) -> Mapping[str, int]:
        """How many rows are in each state; every state is there."""
        with self._store.read() as rows:
            found = rows.execute("SELECT state, count(*) FROM outbox GROUP BY state" if owner is None else
                                 "SELECT state, count(*) FROM outbox WHERE owner = ? GROUP BY state", () if owner is None else (owner,)).fetchall()
        return {**dict.fromkeys(STATES, 0), **{str(state): int(count) for state, count in found}}

    def open_packet(self, record_id: str, owner: str | None = None) -> tuple[Part, ...]:
        """All parts of a packet, for a later signing or a review. Raises NotAllowed (another's, or a kiosk's: no key here), PacketDamaged, PacketTooNew,
        StoreTrouble.
        """
        row = self._row(record_id, owner)
        key = self._data_key(row)
        try:
            return unseal_with_key(self._blobs.path(row.packet_blob), key)
        except PacketTooNew:
            raise
        except (FormatTrouble, StoreTrouble, OSError) as error:
            raise PacketDamaged("the packet does not open") from error

    def check_packet(self, record_id: str) -> None:
        """Compares the packet's file with its row and, where this station has the key, opens every part. Raises PacketDamaged, PacketTooNew, StoreTrouble."""
        row = self._row(record_id)
        if row.state == "purged" or row.state == "replaced" and not row.packet_blob:
            return
        try:
            content = self._blobs.read(row.packet_blob)
        except StoreTrouble as trouble:
            raise PacketDamaged(trouble.detail) from trouble
        try:
            if digest(content) != row.packet_digest or len(content) != row.packet_size or read_header(content).record_id != record_id:
                raise PacketDamaged("the packet is not what its row says")
            if self._wrap(record_id) is not None and digest(unseal_with_key(content, self._data_key(row))[0].content) != row.record_digest:
                raise PacketDamaged("the record in the packet is not what its row says")
        except PacketTooNew:
            raise
        except FormatTrouble as trouble:
            raise PacketDamaged(f"the packet does not open: {trouble.detail}") from trouble

    def make_slip(self, row: OutboxRow) -> bytes:
        """The slip of a packet that was kept without one (schema version 1), or nothing where this station has no key for it. Raises FormatTrouble."""
        wrap = self._wrap(row.record_id)
        if wrap is None:
            return b""
        key = unwrap_at_station(self._store.wrap_key, row.record_id, wrap)
        return seal_slip(key, row.record_id, row.packet_digest, row.record_digest, row.signature, row.acts, row.owner, time_text(row.kept_at))

    # -- moving -----------------------------------------------------------------------------------------------------------------------
    def mark(self, record_id: str, state: str, **facts: object) -> None:
        """The record is now in ``state``; ``facts``: upload_id (text), upload_offset (bytes), sent_at, next_try_at (times).

        A step forward ends its row of failures.

        Raises StoreTrouble (step ``state``) for a step that ``sync.life`` does not allow. ``set_aside``, ``receipted``,
        ``replaced``, ``purged`` have doors of their own.
        """
        if state in ("set_aside", "receipted", "replaced", "purged") or not _MARKED.issuperset(facts):
            raise ValueError("mark: not this state or these facts")
        values = [time_text(value) if isinstance(value, datetime) else value for value in facts.values()]
        with self._store.write() as tx:
            row = self._step(tx, record_id, state)
            if row.state == "set_aside" or state == "kept" and not row.signature:
                raise StoreTrouble(f"no mark {state} for a record that is set aside or unsigned", step="state")
            tx.execute(f"UPDATE outbox SET {', '.join(f'{name} = ?' for name in ('state', *facts))} WHERE record_id = ?", (state, *values, record_id))
            if row.state != state:
                tx.execute("UPDATE outbox SET tries = 0, last_error = '', last_detail = '', next_try_at = ? WHERE record_id = ?",
                           (time_text(self._clock()), record_id))
                self._journal.write(tx, "station", f"record.{state}", record_id)

    def failed(self, record_id: str, code: str, next_try_at: datetime, detail: str = "") -> None:
        """A try that did not go through; the state stays. ``code`` is a trouble's code, ``detail`` English and without personal data."""
        with self._store.write() as tx:
            self._step(tx, record_id, None)
            tx.execute("UPDATE outbox SET tries = tries + 1, last_error = ?, last_detail = ?, next_try_at = ? WHERE record_id = ?",
                       (code, detail[:_DETAIL_LENGTH], time_text(next_try_at), record_id))

    def set_aside(self, record_id: str, reason: str, *, who: str = "station") -> None:
        """Takes the record out of the queue until a person releases it. ``reason`` is a trouble's code."""
        with self._store.write() as tx:
            row = self._step(tx, record_id, "set_aside")
            if (row.state, row.reason) != ("set_aside", reason):
                before = row.state_before if row.state == "set_aside" else row.state
                tx.execute("UPDATE outbox SET state = 'set_aside', state_before = ?, reason = ? WHERE record_id = ?", (before, reason, record_id))
                self._journal.write(tx, who, "record.set_aside", record_id, {"reason": reason})

    def retry(self, record_id: str, *, who: str, owner: str | None = None) -> None:
        """A person wants it tried now; a record that was set aside goes back into the queue (to the state it can safely begin again from).

        Raises RepairOpen while it is being repaired, CarriedUnsigned where only another station can sign it, StoreTrouble (step ``state``: ``replaced``).
        """
        with self._store.write() as tx:
            row = self._step(tx, record_id, None, owner)
            refuse_open_repair(tx, record_id)
            if row.state == "replaced":
                raise StoreTrouble("another record was kept in its place", step="state")
            if not row.signature and self._wrap(record_id) is None:
                raise CarriedUnsigned("it can be signed at its own station only")
            if row.state == "set_aside":
                tx.execute("UPDATE outbox SET state = ?, state_before = '', reason = '' WHERE record_id = ?",
                           ("kept" if row.signature else "kept_unsigned", record_id))
            tx.execute("UPDATE outbox SET tries = 0, next_try_at = ? WHERE record_id = ?", (time_text(self._clock()), record_id))
            self._journal.write(tx, who, "record.retry", record_id)

    def receipted(self, record_id: str, receipt_envelope: bytes, received_at: datetime | None = None) -> None:
        """The province has it: the exact bytes of a receipt that was checked before (``sync.receipt``).

        ``received_at``: the receipt's own time, by the province's clock; from it the retention is counted (None: this station's clock).
        """
        with self._store.write() as tx:
            row = self._step(tx, record_id, "receipted")
            if row.state == "receipted":
                return
            at = time_text(received_at or self._clock())
            tx.execute("UPDATE outbox SET state = 'receipted', receipt = ?, receipted_at = ?, tries = 0, last_error = '', last_detail = '' WHERE record_id = ?",
                       (receipt_envelope, at, record_id))
            self._journal.write(tx, "station", "record.receipted", record_id, {"receipt": digest(receipt_envelope)})

    def remote_state(self, record_id: str, state: str, at: datetime, until: date | None = None, items: Sequence[tuple[str, str]] = ()) -> bool:
        """Mirrors the province's state; ``items``: path and text of what is to be corrected.

        False where the record is not here or a newer one is mirrored already. The local state does not change.
        """
        with self._store.write() as tx:
            changed = tx.execute("UPDATE outbox SET remote_state = ?, remote_at = ?, remote_until = ?, remote_items = ? WHERE record_id = ?"
                                 " AND (remote_at IS NULL OR remote_at <= ?)",
                                 (state, time_text(at), until.isoformat() if until else None, json.dumps([list(one) for one in items], ensure_ascii=False),
                                  record_id, time_text(at)))
            return changed.rowcount == 1

    # -- forgetting -------------------------------------------------------------------------------------------------------------------
    def purge_due(self, now: datetime, retention_days: int) -> tuple[str, ...]:
        """Forgets every record whose time is over (``sync.due.forgettable``): the station's key of it, the person's name, then the file. The row stays.

        Works on a full disk, too (the reserve is given up for it). The answer names the records. Raises StoreTrouble.
        """
        with self._store.read() as rows:
            due = forgettable(rows, now, retention_days)
        try:
            for record_id in due:
                self._purge(record_id)
        except DiskFull:
            with self._blobs.reserve_given_up():
                for record_id in due:
                    self._purge(record_id)
        self._blobs.keep_reserve()  # also where somebody else made room
        return due

    def _purge(self, record_id: str) -> None:
        with self._store.write() as tx:
            row = _find(tx, record_id)
            if row is None or row.state != "receipted" or row.receipt is None or is_being_corrected(tx, record_id):
                return
            tx.execute("DELETE FROM packet_keys WHERE record_id = ?", (record_id,))
            tx.execute("UPDATE outbox SET state = 'purged', packet_blob = NULL, name = '', id_tail = '', remote_items = '[]' WHERE record_id = ?", (record_id,))
            self._journal.write(tx, "station", "record.purged", record_id, {"packet": row.packet_digest})
            gone = row.packet_blob, *forget_replaced(tx, self._journal, record_id)
            for one in gone:
                self._blobs.release(one)
        self._store.forget_old_pages()
        self._drop_blobs(gone)

    # -- within -----------------------------------------------------------------------------------------------------------------------
    def _step(self, tx: Connection, record_id: str, state: str | None, owner: str | None = None) -> OutboxRow:
        """The row, where it may go to ``state``. Raises StoreTrouble (step ``record`` or ``state``), NotAllowed."""
        row = _find(tx, record_id)
        if row is None:
            raise StoreTrouble("the record is not here", step="record")
        if owner is not None and row.owner != owner:
            raise NotAllowed("the record belongs to another person", role="owner")
        if state is not None and state != row.state:
            if state not in STATES or not allowed(row.state, state):
                raise StoreTrouble(f"no step from {row.state} to {state}", step="state")
        return row

    def _row(self, record_id: str, owner: str | None = None) -> OutboxRow:
        row = self.row(record_id, owner)
        if row is None:
            raise StoreTrouble("the record is not here", step="record")
        return row

    def _keep_wrap(self, tx: Connection, sealed: SealedRecord) -> None:
        tx.execute("INSERT INTO packet_keys (record_id, wrap) VALUES (?, ?) ON CONFLICT (record_id) DO UPDATE SET wrap = excluded.wrap",
                   (sealed.record_id, wrap_at_station(self._store.wrap_key, sealed.record_id, sealed.data_key)))

    def _wrap(self, record_id: str) -> bytes | None:
        with self._store.read() as rows:
            found = rows.execute("SELECT wrap FROM packet_keys WHERE record_id = ?", (record_id,)).fetchone()
        return None if found is None else bytes(found[0])

    def _data_key(self, row: OutboxRow) -> bytes:
        wrap = self._wrap(row.record_id)
        if wrap is None:
            raise NotAllowed("this station has no key for the packet", role="province")
        return unwrap_at_station(self._store.wrap_key, row.record_id, wrap)

    def _drop_blobs(self, blob_ids: Iterable[str]) -> None:
        for one in filter(None, blob_ids):
            self._blobs.drop(one)


def _find(rows: Connection, record_id: str) -> OutboxRow | None:
    found: tuple[Any, ...] | None = rows.execute(f"SELECT {COLUMNS} FROM outbox WHERE record_id = ?", (record_id,)).fetchone()
    return None if found is None else row_of(found)
