"""From a draft without issues to a kept record: exact bytes, signature, packet, row. Never shows other bytes than it signs, never keeps half of it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from threading import Event
from typing import Any

from desktop.effects.thumbs import thumbnail
from desktop.effects.tokens import TokenWork
from desktop.flows.words import BuildReview, Keep, KeepUnsigned, Kept, KeptUnsigned, Operator, ReviewBuilt, ReviewSheet, Signed, SignRecord
from desktop.rooms import Rooms, now
from sync.canon import canon, digest, parse_canonical
from sync.differs import changed, gone
from sync.draft import Draft
from sync.errors import PacketDamaged, SignatureInvalid, StoreTrouble
from sync.freeze import Sitting, freeze, part_name
from sync.outbox_row import Summary
from sync.repair import record_of
from sync.seal import DRAFT_PART, PublicKeyInfo, seal

__all__ = ["Held", "RecordWork", "keep_unsigned", "kept_packet", "version_before"]


@dataclass(slots=True)
class Held:
    """The one record that is under review: exact bytes, and the signature once it is made."""

    record_id: str
    draft: Draft = field(repr=False)
    exact: bytes = field(repr=False)
    parts: tuple[tuple[str, str], ...]
    """Part name and still id of each attachment, in the manifest's order."""
    signature: bytes = field(default=b"", repr=False)


def kept_packet(rooms: Rooms, held: Held, owner: str, draft_id: str, station_can_open: bool = True) -> datetime:
    """Seals and keeps; durable when it returns (packet fsynced, then one transaction with row, journal line and the dropped draft). Returns the time.

    Every attachment is read and hashed anew; one that is not what the signed manifest says raises FormatTrouble. Raises DiskFull, StoreTrouble.
    """
    station = rooms.station
    parts = [(name, rooms.parked.still(still_id)) for name, still_id in held.parts]
    manifest = {one["name"]: one["sha256"] for one in parse_canonical(held.exact, "record")["attachments"]}
    if manifest != {name: digest(content) for name, content in parts}:
        raise SignatureInvalid("an attachment is not what the record says", why="attachment")
    intake, recovery = (PublicKeyInfo(key.kid, key.spki_der) for key in (station.intake, station.recovery))
    sealed = seal(held.exact, parts, held.record_id, station.station_id, intake, recovery)
    draft = held.draft
    summary = Summary(draft.text("person.name_zh"), draft.text("person.id_doc_no")[-4:], tuple(sorted(draft.categories())))
    rooms.outbox.keep(sealed, digest(held.exact), held.signature, (), owner, summary, draft_id=draft_id, station_wrap=station_can_open)
    return now()


def keep_unsigned(rooms: Rooms, draft: Draft, owner: str) -> str:
    """Keeps a draft that cannot be signed at the sitting (token missing, clerk ill), sealed and durable, and drops the parked one. The record's id.

    Raises DiskFull, StoreTrouble; then nothing was kept.
    """
    record_id = str(uuid.uuid4())
    parts = [(part_name(index, still.media), rooms.parked.still(still.still_id)) for index, still in enumerate(draft.stills, 1)]
    intake, recovery = (PublicKeyInfo(key.kid, key.spki_der) for key in (rooms.station.intake, rooms.station.recovery))
    sealed = seal(canon(replace(draft, replaces="").as_json()), parts, record_id, rooms.station.station_id, intake, recovery, first_part=DRAFT_PART)
    summary = Summary(draft.text("person.name_zh"), draft.text("person.id_doc_no")[-4:], tuple(sorted(draft.categories())))
    rooms.outbox.keep(sealed, sealed.record_digest, b"", (), owner, summary, draft_id=draft.draft_id)
    return record_id


def version_before(rooms: Rooms, draft: Draft) -> Mapping[str, Any] | None:
    """The record that the draft repairs or corrects; None where it does neither, or the contents are forgotten or damaged.

    Raises StoreTrouble, FormatTrouble.
    """
    old = draft.replaces or (draft.amends.record_id if draft.amends is not None else "")
    row = rooms.outbox.row(old, draft.owner) if old else None
    if row is None or not row.packet_blob:
        return None
    try:
        return record_of(row, rooms.outbox.open_packet(old))
    except PacketDamaged:  # what was changed cannot be marked then; the record itself is whole, and nobody is kept from signing it
        return None


class RecordWork:
    """Handlers of review and signing. ``operator`` gives who is logged in; ``kept(record_id, draft_id)`` is called (in the lane) after a record was kept."""

    def __init__(self, rooms: Any, tokens: TokenWork, operator: Callable[[], Operator], kept: Callable[[str, str], None]) -> None:
        self._rooms, self._tokens, self._operator, self._kept = rooms, tokens, operator, kept
        self._held: Held | None = None

    def build(self, order: BuildReview, _cancel: Event, _tell: Any) -> ReviewBuilt:
        """Freeze, canon, digest, and small pictures made from the very bytes that the manifest names."""
        rooms: Rooms = self._rooms()
        draft, station, choice = order.draft, rooms.station, self._operator().certificate
        record_id = str(uuid.uuid4())
        sitting = Sitting(station.station_id, station.hall, station.window, choice.signer_id, choice.signer_name, self._tokens.certificate_digest(choice),
                          station.practice)
        record = freeze(draft, sitting, rooms.tables, record_id, now())
        exact = canon(record.as_json())
        parts = tuple((one.name, still.still_id) for one, still in zip(record.attachments, draft.stills, strict=True))
        shown = {name: small for (name, still_id), one in zip(parts, record.attachments, strict=True)
                 if (small := thumbnail(rooms.parked.still(still_id), one.media))}
        self._held = Held(record_id, draft, exact, parts)
        members = parse_canonical(exact, "record")
        before = version_before(rooms, draft)
        differs = (changed(before, members), gone(before, members)) if before is not None else ((), ())
        return ReviewBuilt(ReviewSheet(record_id, members, digest(exact), len(exact), shown, *differs))

    def sign(self, order: SignRecord, _cancel: Event, _tell: Any) -> Signed:
        """One PIN try, one signature over the held bytes, verified before it is taken."""
        held = self._of(order.record_id)
        record = parse_canonical(held.exact, "record")
        moment = datetime.fromisoformat(record["claimed_at"])
        held.signature = self._tokens.sign(order.certificate, order.pin, held.exact, moment, held.record_id)
        self._rooms().note(f"op:{order.certificate.signer_id}", "record.signed", held.record_id, {"digest": digest(held.exact)})
        return Signed(held.record_id)

    def keep(self, order: Keep, _cancel: Event, _tell: Any) -> Kept:
        held = self._of(order.record_id)
        if not held.signature:
            raise SignatureInvalid("not signed", why="signature")
        at = kept_packet(self._rooms(), held, held.draft.owner, order.draft_id)   # its owner's, whoever sits at the desk by now
        self._held = None
        self._kept(held.record_id, order.draft_id)
        return Kept(held.record_id, at)

    def keep_unsigned(self, order: KeepUnsigned, _cancel: Event, _tell: Any) -> KeptUnsigned:
        """The draft under review, kept without a signature. Raises DiskFull, StoreTrouble; then nothing was kept."""
        record_id = keep_unsigned(self._rooms(), order.draft, order.draft.owner)
        self._held = None
        self._kept(record_id, order.draft.draft_id)
        return KeptUnsigned(record_id, now())

    def _of(self, record_id: str) -> Held:
        if self._held is None or self._held.record_id != record_id:
            raise StoreTrouble("this record is not under review", step="review")
        return self._held
