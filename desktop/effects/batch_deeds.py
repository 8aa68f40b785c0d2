"""What is done to one record of a list: signed for the first time, taken over, or countersigned. Never asks for a PIN and never opens a token.

A deed prepares a record beside the token, signs it with the token, and keeps what was made, durably; ``put_back`` leaves it as it was.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from desktop.effects.token_signer import TokenSigner
from desktop.flows.words import CertificateChoice, Operator
from desktop.rooms import Rooms
from sync.acts import make_act
from sync.canon import canon, digest, parse_canonical, parse_json
from sync.draft import Draft
from sync.errors import NotAllowed, SignatureInvalid, SignatureLate, StoreTrouble
from sync.freeze import Sitting, freeze
from sync.outbox_row import Act, OutboxRow, Summary
from sync.seal import DRAFT_PART, RECORD_PART, Part, PublicKeyInfo, SealedRecord, seal
from sync.signing import Sm2Choice, make_signature

__all__ = ["COUNTERSIGNED", "Countersigning", "Deeds", "Made", "Ready", "Signing", "parts_of", "person_name", "waits_for_signature"]

COUNTERSIGNED = ("kept", "set_aside")
"""States in which a signed record still waits here, so that an act can go along with it."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A record of the list: what will be signed, exactly. ``signature``: the collector's, where it is countersigned."""

    record_id: str
    exact: bytes = field(repr=False)
    summary: Summary = field(repr=False)
    takeover: bool = False
    signature: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Made:
    """What the token made of one record, verified."""

    signature: bytes = field(repr=False)
    acts: tuple[Act, ...] = field(default=(), repr=False)


class Deeds(Protocol):
    """One deed over the records of a list; ``sealed`` is what ``prepare`` gave."""

    def ready(self, rooms: Rooms, record_id: str) -> Ready: ...
    def prepare(self, rooms: Rooms, ready: Ready) -> SealedRecord | None: ...
    def make(self, ready: Ready, signer: TokenSigner) -> Made: ...
    def keep(self, rooms: Rooms, ready: Ready, sealed: SealedRecord | None, made: Made, who: str) -> None: ...
    def put_back(self, rooms: Rooms, record_id: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Signing:
    """The first signature over what was kept without one; a supervisor's over another person's record is an act of takeover before it.

    What its collector signed in time and what came too late (``signature.late``) is taken over as it stands: the same bytes, another signature.
    """

    operator: Operator
    reason: str = field(repr=False)
    certificate_digest: Callable[[CertificateChoice], str]
    choice: Callable[[], Sm2Choice]
    clock: Callable[[], datetime]

    def ready(self, rooms: Rooms, record_id: str) -> Ready:
        """The exact bytes, claimed now. Raises StoreTrouble, NotAllowed, DraftIncomplete, FormatTrouble."""
        row = rooms.outbox.row(record_id)
        if row is None or not waits_for_signature(row):
            raise StoreTrouble("this record waits for no signature", step="state")
        takeover = row.owner != f"op:{self.operator.operator_id}"
        if takeover and ("supervisor" not in self.operator.roles or not self.reason):
            raise NotAllowed("another person's record needs a supervisor and a reason", role="supervisor")
        if row.signature:
            if not takeover:
                raise NotAllowed("another person must stand for what came too late", role="supervisor")
            return Ready(record_id, _exact(rooms, row), row.summary, True, row.signature)
        draft = Draft.from_json(parse_json(_part(rooms.outbox.open_packet(record_id), DRAFT_PART), "draft"))
        record = freeze(draft, self._sitting(rooms, row, takeover), rooms.tables, record_id, self.clock())
        return Ready(record_id, canon(record.as_json()), row.summary, takeover)

    def prepare(self, rooms: Rooms, ready: Ready) -> SealedRecord | None:
        """Attachments read and hashed anew, sealed with the exact bytes, and the row in state ``signing``; None where the packet stays as it is."""
        parts, station = parts_of(rooms, ready), rooms.station
        if ready.signature:
            return None
        intake, recovery = (PublicKeyInfo(key.kid, key.spki_der) for key in (station.intake, station.recovery))
        sealed = seal(ready.exact, parts, ready.record_id, station.station_id, intake, recovery)
        rooms.outbox.mark(ready.record_id, "signing")
        return sealed

    def make(self, ready: Ready, signer: TokenSigner) -> Made:
        """Signature over the exact bytes, and the act of a takeover before it; both verified."""
        moment, choice = datetime.fromisoformat(parse_canonical(ready.exact, "record")["claimed_at"]), self.choice()
        moment = self.clock() if ready.signature else moment
        acts: tuple[Act, ...] = (make_act("takeover", ready.exact, None, self.reason, signer, moment, choice),) if ready.takeover else ()
        return Made(make_signature(ready.exact, signer, moment, choice), acts)

    def keep(self, rooms: Rooms, ready: Ready, sealed: SealedRecord | None, made: Made, who: str) -> None:
        """Durable when it returns."""
        if sealed is None:
            rooms.outbox.sign_again(ready.record_id, ready.signature, made.signature, made.acts, who=who, what="record.taken_over")
            return
        rooms.outbox.keep_signed(sealed, digest(ready.exact), made.signature, made.acts, who=who)

    def put_back(self, rooms: Rooms, record_id: str) -> None:
        row = rooms.outbox.row(record_id)
        if row is not None and row.state == "signing":
            rooms.outbox.mark(record_id, "kept_unsigned")

    def _sitting(self, rooms: Rooms, row: OutboxRow, takeover: bool) -> Sitting:
        """The collector stays who sat there; on a takeover without a certificate (FORMATS section 1)."""
        station, choice = rooms.station, self.operator.certificate
        if not takeover:
            return Sitting(station.station_id, station.hall, station.window, choice.signer_id, choice.signer_name, self.certificate_digest(choice),
                           station.practice)
        return Sitting(station.station_id, station.hall, station.window, row.owner.removeprefix("op:"), person_name(rooms, row.owner), "", station.practice)


@dataclass(frozen=True, slots=True)
class Countersigning:
    """A supervisor's second signature over what a colleague signed: an act beside it; the record and its packet stay as they are."""

    operator: Operator
    reason: str = field(repr=False)
    choice: Callable[[], Sm2Choice]
    clock: Callable[[], datetime]

    def ready(self, rooms: Rooms, record_id: str) -> Ready:
        """The exact bytes that the collector signed. Raises StoreTrouble, NotAllowed, FormatTrouble, SignatureInvalid (why: ``content``)."""
        row = rooms.outbox.row(record_id)
        if row is None or row.state not in COUNTERSIGNED or not row.signature:
            raise StoreTrouble("this record waits for no second signature", step="state")
        if "supervisor" not in self.operator.roles or row.owner == f"op:{self.operator.operator_id}" or not self.reason:
            raise NotAllowed("a second signature is a supervisor's, with a reason, over another person's record", role="supervisor")
        return Ready(record_id, _exact(rooms, row), row.summary, signature=row.signature)

    def prepare(self, rooms: Rooms, ready: Ready) -> None:
        """Attachments read and hashed anew."""
        parts_of(rooms, ready)

    def make(self, ready: Ready, signer: TokenSigner) -> Made:
        return Made(ready.signature, (make_act("countersign", ready.exact, ready.signature, self.reason, signer, self.clock(), self.choice()),))

    def keep(self, rooms: Rooms, ready: Ready, sealed: SealedRecord | None, made: Made, who: str) -> None:
        row = rooms.outbox.row(ready.record_id)
        before = row.acts if row is not None else ()
        rooms.outbox.sign_again(ready.record_id, ready.signature, ready.signature, (*before, *made.acts), who=who, what="record.countersigned")

    def put_back(self, rooms: Rooms, record_id: str) -> None:
        """Nothing was changed."""


def person_name(rooms: Rooms, owner: str) -> str:
    """The name of a row's owner on the province's list, else the number."""
    number = owner.removeprefix("op:")
    person: Any = rooms.station.person(number)
    return person.name if person is not None else number


def parts_of(rooms: Rooms, ready: Ready) -> list[tuple[str, bytes]]:
    """The attachments out of the packet, read and hashed anew. Raises SignatureInvalid (why: ``attachment``) where they are not the manifest's."""
    manifest = [(one["name"], one["sha256"]) for one in parse_canonical(ready.exact, "record")["attachments"]]
    parts = [(one.name, one.content) for one in rooms.outbox.open_packet(ready.record_id) if one.name not in (DRAFT_PART, RECORD_PART)]
    if manifest != [(name, digest(content)) for name, content in parts]:
        raise SignatureInvalid("an attachment is not what the record says", why="attachment")
    return parts


def waits_for_signature(row: OutboxRow) -> bool:
    """Whether this row is for ``Signing``."""
    return row.state == "kept_unsigned" or row.state == "set_aside" and row.reason == SignatureLate.code


def _exact(rooms: Rooms, row: OutboxRow) -> bytes:
    exact = _part(rooms.outbox.open_packet(row.record_id), RECORD_PART)
    if digest(exact) != row.record_digest:
        raise SignatureInvalid("the record is not what its row says", why="content")
    return exact


def _part(parts: tuple[Part, ...], name: str) -> bytes:
    found = next((one.content for one in parts if one.name == name), None)
    if found is None:
        raise StoreTrouble("the packet holds no draft" if name == DRAFT_PART else "the packet holds no record", step="batch")
    return found
