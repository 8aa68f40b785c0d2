"""Signing many kept records under one login: one by one, each verified and durable before it counts. Never signs what was not shown.

The token stays logged in for the list only. Locking the desk, a cancel, a pull or any trouble of the token ends it; what was signed stays signed, what was
not is as before.
"""

from __future__ import annotations

import getpass
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from threading import Event
from typing import Any

from desktop.effects.batch_deeds import COUNTERSIGNED, Countersigning, Deeds, Ready, Signing, parts_of, person_name, waits_for_signature
from desktop.effects.beside import Beside, inline
from desktop.effects.thumbs import thumbnail
from desktop.effects.token_signer import TokenSigner
from desktop.effects.tokens import TokenWork
from desktop.flows.words import CertificateChoice, Operator, ReviewBuilt, ReviewSheet
from desktop.flows.words.batch import (
    BatchBuilt,
    BatchEnded,
    BatchLine,
    BuildBatch,
    ListWaiting,
    ShowBatchRecord,
    SignBatch,
    WaitingFacts,
    WaitingListed,
)
from desktop.rooms import Rooms, now
from resources.trouble import Trouble
from sync.batch import Batch, BatchItem, BatchLimits, Binding, EndReason, begin, ends_with
from sync.canon import digest, parse_canonical
from sync.errors import NotAllowed, SignatureInvalid, SignatureLate, StoreTrouble
from sync.outbox_row import OutboxRow
from sync.seal import SealedRecord

__all__ = ["BatchWork"]

_SHOWN = 500
"""Most rows of one list: as many as one PIN reaches."""


class _Run:
    """One session at work: while the token signs a record, the one before goes to the disk and the one after is read and sealed, beside it."""

    def __init__(self, work: BatchWork, deeds: Deeds, rooms: Rooms, batch: Batch, who: str, tell: Any) -> None:
        self.batch, self.code = batch, ""
        self._work, self._deeds, self._rooms, self._who, self._tell = work, deeds, rooms, who, tell
        self._prepared: dict[str, Callable[[], SealedRecord | None]] = {}
        self._keeping: tuple[str, Callable[[], None]] | None = None

    def sign(self, item: BatchItem, signer: TokenSigner) -> None:
        """Signs one record and sends it to the disk; what became of the one before is known then."""
        deeds, rooms, who, ready = self._deeds, self._rooms, self._who, self._work.ready(item.record_id)
        self._prepare(item)
        if self.batch.waiting:
            self._prepare(self.batch.waiting[0])
        try:
            sealed = self._prepared[item.record_id]()
            made = deeds.make(ready, signer)
        except Trouble as trouble:
            self.settle()
            self._refused(item.record_id, trouble)
            return
        self.settle()
        if self.batch.ended is None:
            del self._prepared[item.record_id]
            self._keeping = item.record_id, self._work.beside(lambda: deeds.keep(rooms, ready, sealed, made, who))

    def settle(self) -> None:
        """Waits for the record that is on its way to the disk, and counts it."""
        if self._keeping is None:
            return
        (record_id, wait), self._keeping = self._keeping, None
        try:
            wait()
        except Trouble as trouble:
            self._refused(record_id, trouble, unsign=True)
            return
        self.batch = self.batch.signed(record_id, self._work.tell_kept(record_id))
        self._told()

    def put_back(self) -> None:
        """Records that were made ready and not signed are as before."""
        for record_id, wait in self._prepared.items():
            with suppress(Trouble):
                wait()
                self._deeds.put_back(self._rooms, record_id)
        self._prepared.clear()

    def _prepare(self, item: BatchItem) -> None:
        if item.record_id not in self._prepared:
            deeds, rooms, ready = self._deeds, self._rooms, self._work.ready(item.record_id)
            self._prepared[item.record_id] = self._work.beside(lambda: deeds.prepare(rooms, ready))

    def _refused(self, record_id: str, trouble: Trouble, unsign: bool = False) -> None:
        self._rooms.note(self._who, "signature.failed", record_id, {"code": trouble.code})
        if unsign:
            with suppress(Trouble):
                self._deeds.put_back(self._rooms, record_id)
        if self.batch.ended is None and ends_with(trouble.code) is not None:
            self.code = trouble.code
        self.batch = self.batch.refused(record_id, trouble.code)
        self._told()

    def _told(self) -> None:
        self._tell("sign", len(self.batch.done) + len(self.batch.failed), self.batch.total)


class BatchWork:
    """Handlers of the batch. ``operator`` gives who is logged in (raises where nobody is), ``kept`` is called (in the lane) after each record.

    ``beside``: a lane for disk work, so that the token need not wait for it (``desktop.effects.beside``).
    """

    def __init__(self, rooms: Any, tokens: TokenWork, operator: Callable[[], Operator], kept: Callable[[str], None], limits: BatchLimits | None = None,
                 user: Callable[[], str] = getpass.getuser, clock: Callable[[], datetime] = now, beside: Beside = inline) -> None:
        self._rooms, self._tokens, self._operator, self._kept = rooms, tokens, operator, kept
        self._limits, self._user, self._clock, self.beside = limits or BatchLimits(), user, clock, beside
        self._ready: dict[str, Ready] = {}
        self._deeds: Deeds | None = None
        self._stop: EndReason | None = None

    # -- without a PIN --------------------------------------------------------------------------------------------------------------------
    def waiting(self, order: ListWaiting, _cancel: Event, _tell: Any) -> WaitingListed:
        """What waits for this person's signature; the rows of others are a supervisor's to see, and to nobody else are there any."""
        rooms, operator = self._rooms(), self._operator()
        own, every = f"op:{operator.operator_id}", "supervisor" in operator.roles
        if order.deed == "sign":
            rows = _oldest(rooms, None if every else own, ("kept_unsigned", "set_aside"), waits_for_signature)
        else:
            rows = _oldest(rooms, None, COUNTERSIGNED, lambda one: bool(one.signature) and one.owner != own) if every else ()
        return WaitingListed(order.deed, tuple(_facts(rooms, one, own, operator.operator_id) for one in rows if one.owner.startswith("op:")))

    def build(self, order: BuildBatch, cancel: Event, tell: Any) -> BatchBuilt:
        """The exact bytes of each record, claimed now. A record with issues, of another person without reason or role, or signed already is refused by code."""
        rooms, reason = self._rooms(), order.reason.strip()
        deeds = self._deeds_of(order, reason)
        self._ready, self._deeds = {}, deeds
        lines: list[BatchLine] = []
        refused: list[tuple[str, str]] = []
        for number, record_id in enumerate(dict.fromkeys(order.record_ids), 1):
            if cancel.is_set():
                break
            try:
                ready = deeds.ready(rooms, record_id)
            except Trouble as trouble:
                refused.append((record_id, trouble.code))
            else:
                self._ready[record_id] = ready
                summary = ready.summary
                lines.append(BatchLine(BatchItem(record_id, digest(ready.exact)), summary.name, summary.id_tail, summary.categories, ready.takeover))
            tell("build", number, len(order.record_ids))
        return BatchBuilt(tuple(lines), tuple(refused))

    def show(self, order: ShowBatchRecord, _cancel: Event, _tell: Any) -> ReviewBuilt:
        """The page of one record, with small pictures of the very files that its manifest names."""
        ready = self.ready(order.record_id)
        record = parse_canonical(ready.exact, "record")
        media = {one["name"]: one["media"] for one in record["attachments"]}
        shown = {name: small for name, content in parts_of(self._rooms(), ready) if (small := thumbnail(content, media[name]))}
        return ReviewBuilt(ReviewSheet(ready.record_id, record, digest(ready.exact), len(ready.exact), shown))

    # -- with the PIN -----------------------------------------------------------------------------------------------------------------------
    def sign(self, order: SignBatch, cancel: Event, tell: Any) -> BatchEnded:
        """One login, then record after record. Raises what the login raises; whatever comes later ends the session and is told in the answer."""
        rooms: Rooms = self._rooms()
        if self._deeds is None or any(digest(self.ready(one.record_id).exact) != one.digest for one in order.confirmed):
            raise SignatureInvalid("the list is not the one that was shown", why="content")
        self._stop = None
        who = f"op:{order.certificate.signer_id}"
        certificate = self._tokens.certificate_digest(order.certificate)
        batch = begin(order.confirmed, self._binding(order.certificate, certificate), self._clock(), self._limits)
        run = _Run(self, self._deeds, rooms, batch, who, tell)
        try:
            with self._tokens.logged_in(order.certificate, order.pin, self._clock()) as signer:
                rooms.note(who, "batch.begun", facts={"records": run.batch.total})
                while (one := self._next(run, order.certificate, signer, cancel)) is not None:
                    run.sign(one, signer)
                run.settle()
        except Trouble as trouble:
            run.settle()
            if not run.batch.done and not run.batch.failed and run.batch.ended is None:
                rooms.note(who, "batch.failed", facts={"code": trouble.code})
                raise
            run.batch, run.code = run.batch.end(ends_with(trouble.code) or "trouble"), trouble.code
        finally:
            run.put_back()
        batch, reason = run.batch, run.batch.ended or "trouble"
        rooms.note(who, "batch.ended", facts={"reason": reason, "signed": len(batch.done), "failed": len(batch.failed), "left": len(batch.left)})
        self._ready = {record_id: ready for record_id, ready in self._ready.items() if record_id not in batch.done}
        return BatchEnded(reason, batch.done, batch.failed, batch.left, run.code)

    def lock(self) -> None:
        """The desk was locked: no further record is signed, whatever is on its way. From any thread."""
        self._stop = "locked"

    def ready(self, record_id: str) -> Ready:
        """A record of the list that was built. Raises StoreTrouble for any other."""
        try:
            return self._ready[record_id]
        except KeyError:
            raise StoreTrouble("this record is not on the list", step="batch") from None

    def tell_kept(self, record_id: str) -> datetime:
        self._kept(record_id)
        return self._clock()

    # -- pieces -------------------------------------------------------------------------------------------------------------------------------
    def _next(self, run: _Run, choice: CertificateChoice, signer: TokenSigner, cancel: Event) -> BatchItem | None:
        if self._stop is not None:
            run.batch = run.batch.end(self._stop)
        if cancel.is_set():
            run.batch = run.batch.end("cancelled")
        run.batch, one = run.batch.next(self._clock(), self._binding(choice, digest(signer.certificate)))
        return one

    def _deeds_of(self, order: BuildBatch, reason: str) -> Deeds:
        if order.deed == "countersign":
            return Countersigning(self._operator(), reason, self._tokens.sm2, self._clock)
        return Signing(self._operator(), reason, self._tokens.certificate_digest, self._tokens.sm2, self._clock)

    def _binding(self, choice: CertificateChoice, certificate: str) -> Binding:
        try:
            user = f"{self._operator().operator_id} {self._user()}"
        except Trouble:  # nobody is logged in any more
            user = ""
        return Binding(choice.device.serial or choice.device.address, certificate, user)


def _oldest(rooms: Rooms, owner: str | None, states: tuple[str, ...], fits: Callable[[OutboxRow], bool]) -> tuple[OutboxRow, ...]:
    """The oldest that fit, behind however many that lie there for another reason."""
    found: list[OutboxRow] = []
    after: OutboxRow | None = None
    while len(found) < _SHOWN and (page := rooms.outbox.rows(owner, states, after=after)):
        found += filter(fits, page)
        after = page[-1]
    return tuple(found[:_SHOWN])


def _facts(rooms: Rooms, row: OutboxRow, own: str, operator_id: str) -> WaitingFacts:
    """One that was countersigned by this person already, or that another station sealed, is shown and cannot be chosen."""
    done = any(parse_canonical(one.act, "act")["actor"]["id"] == operator_id for one in row.acts)
    why = NotAllowed.code if row.origin or done else ""
    summary = row.summary
    if row.signature and row.owner == own:  # it came too late: somebody else must stand for it
        why = why or SignatureLate.code
    return WaitingFacts(row.record_id, summary.name, summary.id_tail, summary.categories, row.kept_at, person_name(rooms, row.owner), row.owner == own, why)
