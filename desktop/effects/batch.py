"""Kept without a signature, and signed later at a desk: one by one under one login, each verified and durable before the next. Never signs what was not shown.

The token stays logged in for the list only. Locking the desk, a cancel, a pull or any trouble of the token ends it; what was signed stays signed, what was
not is unsigned as before.
"""

from __future__ import annotations

import getpass
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from threading import Event
from typing import Any

from desktop.effects.beside import Beside, inline
from desktop.effects.thumbs import thumbnail
from desktop.effects.token_signer import TokenSigner
from desktop.effects.tokens import TokenWork
from desktop.flows.words import CertificateChoice, Operator, ReviewBuilt, ReviewSheet
from desktop.flows.words.batch import BatchBuilt, BatchEnded, BatchLine, BuildBatch, ShowBatchRecord, SignBatch
from desktop.rooms import Rooms, now
from resources.trouble import Trouble
from sync.acts import make_act
from sync.batch import Batch, BatchItem, BatchLimits, Binding, EndReason, begin, ends_with
from sync.canon import canon, digest, parse_canonical, parse_json
from sync.draft import Draft
from sync.errors import NotAllowed, SignatureInvalid, StoreTrouble
from sync.freeze import Sitting, freeze, part_name
from sync.outbox_row import Act, OutboxRow, Summary
from sync.seal import DRAFT_PART, Part, PublicKeyInfo, SealedRecord, seal
from sync.signing import make_signature

__all__ = ["BatchWork", "keep_unsigned"]


def keep_unsigned(rooms: Rooms, draft: Draft, owner: str) -> str:
    """Keeps a draft that cannot be signed at the sitting (token missing, clerk ill), sealed and durable, and drops the parked one. The record's id.

    Raises DiskFull, StoreTrouble; then nothing was kept.
    """
    record_id = str(uuid.uuid4())
    parts = [(part_name(index, still.media), rooms.parked.still(still.still_id)) for index, still in enumerate(draft.stills, 1)]
    intake, recovery = (PublicKeyInfo(key.kid, key.spki_der) for key in (rooms.station.intake, rooms.station.recovery))
    sealed = seal(canon(draft.as_json()), parts, record_id, rooms.station.station_id, intake, recovery, first_part=DRAFT_PART)
    summary = Summary(draft.text("person.name_zh"), draft.text("person.id_doc_no")[-4:], tuple(sorted(draft.categories())))
    rooms.outbox.keep(sealed, sealed.record_digest, b"", (), owner, summary, draft_id=draft.draft_id)
    return record_id


@dataclass(frozen=True, slots=True)
class _Ready:
    """A record of the list: what will be signed, exactly."""

    record_id: str
    exact: bytes = field(repr=False)
    summary: Summary = field(repr=False)
    takeover: bool


class _Run:
    """One session at work: while the token signs a record, the one before goes to the disk and the one after is read and sealed, beside it."""

    def __init__(self, work: BatchWork, rooms: Rooms, batch: Batch, who: str, tell: Any) -> None:
        self.batch, self.code = batch, ""
        self._work, self._rooms, self._who, self._tell = work, rooms, who, tell
        self._prepared: dict[str, Callable[[], SealedRecord]] = {}
        self._keeping: tuple[str, Callable[[], None]] | None = None

    def sign(self, item: BatchItem, signer: TokenSigner) -> None:
        """Signs one record and sends it to the disk; what became of the one before is known then."""
        work, rooms, who = self._work, self._rooms, self._who
        self._prepare(item)
        if self.batch.waiting:
            self._prepare(self.batch.waiting[0])
        try:
            sealed = self._prepared[item.record_id]()
            signature, acts = work.signature(item.record_id, signer)
        except Trouble as trouble:
            self.settle()
            self._refused(item.record_id, trouble)
            return
        self.settle()
        if self.batch.ended is None:
            del self._prepared[item.record_id]
            self._keeping = item.record_id, work.beside(lambda: work.keep(rooms, sealed, signature, acts, who))

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
        """Records that were made ready and not signed are unsigned as before."""
        for record_id, wait in self._prepared.items():
            with suppress(Trouble):
                wait()
                self._rooms.outbox.mark(record_id, "kept_unsigned")
        self._prepared.clear()

    def _prepare(self, item: BatchItem) -> None:
        if item.record_id not in self._prepared:
            work, rooms, record_id = self._work, self._rooms, item.record_id
            self._prepared[record_id] = work.beside(lambda: work.prepare(rooms, record_id))

    def _refused(self, record_id: str, trouble: Trouble, unsign: bool = False) -> None:
        self._rooms.note(self._who, "signature.failed", record_id, {"code": trouble.code})
        if unsign:
            with suppress(Trouble):
                self._rooms.outbox.mark(record_id, "kept_unsigned")
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
        self._limits, self._user, self._clock, self._beside = limits or BatchLimits(), user, clock, beside
        self._ready: dict[str, _Ready] = {}
        self._reason = ""
        self._stop: EndReason | None = None

    # -- before the PIN -------------------------------------------------------------------------------------------------------------------
    def build(self, order: BuildBatch, cancel: Event, tell: Any) -> BatchBuilt:
        """The exact bytes of each record, claimed now. A record with issues, of another person without reason or role, or signed already is refused by code."""
        self._ready, self._reason = {}, order.reason.strip()
        lines: list[BatchLine] = []
        refused: list[tuple[str, str]] = []
        for number, record_id in enumerate(dict.fromkeys(order.record_ids), 1):
            if cancel.is_set():
                break
            try:
                ready = self._made_ready(record_id)
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
        ready = self._of(order.record_id)
        record = parse_canonical(ready.exact, "record")
        media = {one["name"]: one["media"] for one in record["attachments"]}
        parts = self._parts(self._rooms(), ready)
        shown = {name: small for name, content in parts if (small := thumbnail(content, media[name]))}
        return ReviewBuilt(ReviewSheet(ready.record_id, record, digest(ready.exact), len(ready.exact), shown))

    # -- with the PIN -----------------------------------------------------------------------------------------------------------------------
    def sign(self, order: SignBatch, cancel: Event, tell: Any) -> BatchEnded:
        """One login, then record after record. Raises what the login raises; whatever comes later ends the session and is told in the answer."""
        rooms: Rooms = self._rooms()
        if any(digest(self._of(one.record_id).exact) != one.digest for one in order.confirmed):
            raise SignatureInvalid("the list is not the one that was shown", why="content")
        self._stop = None
        who = f"op:{order.certificate.signer_id}"
        certificate = self._tokens.certificate_digest(order.certificate)
        run = _Run(self, rooms, begin(order.confirmed, self._binding(order.certificate, certificate), self._clock(), self._limits), who, tell)
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

    def _next(self, run: _Run, choice: CertificateChoice, signer: TokenSigner, cancel: Event) -> BatchItem | None:
        if cancel.is_set():
            run.batch = run.batch.end("cancelled")
        if self._stop is not None:
            run.batch = run.batch.end(self._stop)
        run.batch, one = run.batch.next(self._clock(), self._binding(choice, digest(signer.certificate)))
        return one

    def prepare(self, rooms: Rooms, record_id: str) -> SealedRecord:
        """Attachments read and hashed anew, sealed with the exact bytes, and the row in state ``signing``."""
        ready, station = self._of(record_id), rooms.station
        parts = self._parts(rooms, ready)
        intake, recovery = (PublicKeyInfo(key.kid, key.spki_der) for key in (station.intake, station.recovery))
        sealed = seal(ready.exact, parts, record_id, station.station_id, intake, recovery)
        rooms.outbox.mark(record_id, "signing")
        return sealed

    def signature(self, record_id: str, signer: TokenSigner) -> tuple[bytes, tuple[Act, ...]]:
        """Signature over the exact bytes, and the act of a takeover before it; both verified."""
        ready = self._of(record_id)
        moment, choice = datetime.fromisoformat(parse_canonical(ready.exact, "record")["claimed_at"]), self._tokens.sm2()
        acts: tuple[Act, ...] = (make_act("takeover", ready.exact, None, self._reason, signer, moment, choice),) if ready.takeover else ()
        return make_signature(ready.exact, signer, moment, choice), acts

    def keep(self, rooms: Rooms, sealed: SealedRecord, signature: bytes, acts: tuple[Act, ...], who: str) -> None:
        """Durable when it returns."""
        rooms.outbox.keep_signed(sealed, digest(self._of(sealed.record_id).exact), signature, acts, who=who)

    def tell_kept(self, record_id: str) -> datetime:
        self._kept(record_id)
        return self._clock()

    @property
    def beside(self) -> Beside:
        return self._beside

    # -- pieces -------------------------------------------------------------------------------------------------------------------------------
    def _binding(self, choice: CertificateChoice, certificate: str) -> Binding:
        try:
            user = f"{self._operator().operator_id} {self._user()}"
        except Trouble:  # nobody is logged in any more
            user = ""
        return Binding(choice.device.serial or choice.device.address, certificate, user)

    def _made_ready(self, record_id: str) -> _Ready:
        rooms: Rooms = self._rooms()
        row = rooms.outbox.row(record_id)
        if row is None or row.state != "kept_unsigned":
            raise StoreTrouble("this record waits for no signature", step="state")
        draft = Draft.from_json(parse_json(_part(rooms.outbox.open_packet(record_id), DRAFT_PART), "draft"))
        operator = self._operator()
        takeover = row.owner != f"op:{operator.operator_id}"
        if takeover and ("supervisor" not in operator.roles or not self._reason):
            raise NotAllowed("another person's record needs a supervisor and a reason", role="supervisor")
        record = freeze(draft, self._sitting(rooms, row, operator, takeover), rooms.tables, record_id, self._clock())
        return _Ready(record_id, canon(record.as_json()), row.summary, takeover)

    def _sitting(self, rooms: Rooms, row: OutboxRow, operator: Operator, takeover: bool) -> Sitting:
        """The collector stays who sat there; on a takeover without a certificate (FORMATS section 1)."""
        station, choice = rooms.station, operator.certificate
        if not takeover:
            return Sitting(station.station_id, station.hall, station.window, choice.signer_id, choice.signer_name,
                           self._tokens.certificate_digest(choice), station.practice)
        collector = row.owner.removeprefix("op:")
        person = station.person(collector)
        return Sitting(station.station_id, station.hall, station.window, collector, person.name if person else collector, "", station.practice)

    def _parts(self, rooms: Rooms, ready: _Ready) -> list[tuple[str, bytes]]:
        """The attachments out of the unsigned packet, read and hashed anew. Raises SignatureInvalid (why: ``attachment``) where they are not the manifest's."""
        manifest = [(one["name"], one["sha256"]) for one in parse_canonical(ready.exact, "record")["attachments"]]
        parts = [(one.name, one.content) for one in rooms.outbox.open_packet(ready.record_id) if one.name != DRAFT_PART]
        if manifest != [(name, digest(content)) for name, content in parts]:
            raise SignatureInvalid("an attachment is not what the record says", why="attachment")
        return parts

    def _of(self, record_id: str) -> _Ready:
        try:
            return self._ready[record_id]
        except KeyError:
            raise StoreTrouble("this record is not on the list", step="batch") from None


def _part(parts: tuple[Part, ...], name: str) -> bytes:
    found = next((one.content for one in parts if one.name == name), None)
    if found is None:
        raise StoreTrouble("the packet holds no draft", step="batch")
    return found
