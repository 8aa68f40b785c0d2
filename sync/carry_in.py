"""Imports an export of another station of the same province (FORMATS section 14). Never trusts the medium, never overwrites a record that is here.

The record ids stay: whoever sends a record first, the province keeps it once. Each record is one transaction; an import cut short is simply done again.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sync.blobs import Blobs
from sync.canon import digest, parse_canonical
from sync.carry_out import CODE_LETTERS, EXPORT_TYPE, ROWS_TYPE, UNSENT, transfer_key, transfer_wrap_about
from sync.errors import CarriedUnsigned, ExportForProvince, ExportRefused, FormatTrouble
from sync.journal import Journal
from sync.medium import MANIFEST, MANIFEST_SIGNATURE, ROWS, Reading, packet_name, read_medium, slip_name
from sync.members import Members, is_owner
from sync.outbox import Outbox
from sync.outbox_row import Act, CarriedRow, Summary
from sync.seal import PACKET_LIMIT, ROWS_PART, read_header, unseal_with_key
from sync.signing import check_signature
from sync.slip import SLIP_LIMIT
from sync.station import Station
from sync.store import Store

__all__ = ["Imported", "import_queue", "normal_transfer_code"]

_MANIFEST_LIMIT = 64 * 1024 * 1024
_PACKET_FILE_LIMIT = PACKET_LIMIT + 1024 * 1024
"""A packet's file is larger than its plain bytes by its header and 16 bytes for each MiB."""
_REASON = re.compile(r"[a-z_.]{0,64}")
_MEMBERS = ("type", "export_id", "from", "made_at", "records", "station_id", "province", "practice", "rows", "journal", "transfer")
_ROW = ("record_id", "origin", "owner", "state", "reason", "kept_at", "packet_digest", "packet_size", "record_digest", "signature", "acts", "name",
        "id_tail", "categories")


@dataclass(frozen=True, slots=True)
class Imported:
    """Record ids: those that came, those that were here already with the same packet, and those not taken, each with why."""

    export_id: str
    station_id: str
    came: tuple[str, ...]
    here: tuple[str, ...]
    not_taken: tuple[tuple[str, str], ...]


def import_queue(store: Store, blobs: Blobs, station: Station, source: Path, code: str, owner: str = "", who: str = "station",
                 clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Imported:
    """Takes the records of an export into this queue, owned as before or by ``owner`` (``op:`` and a person's id).

    Raises ExportRefused (why: medium, names, missing, size, format, signature, province, code, rows), ExportForProvince, DiskFull, StoreTrouble, ValueError
    for what is no ``owner``.
    """
    if owner and not is_owner(owner):
        raise ValueError("not the owner of a row")
    blobs.prepare()  # the first thing that a new station ever keeps may be this
    journal = Journal(store, station.station_id, clock)
    outbox = Outbox(store, blobs, journal, clock)
    came: list[str] = []
    here: list[str] = []
    not_taken: list[tuple[str, str]] = []
    with read_medium(source) as read:
        try:
            manifest, rows = _opened(read, station, code)
        except (FormatTrouble, KeyError, ValueError, TypeError) as error:
            raise ExportRefused(f"not in its form: {type(error).__name__}", why="format") from error
        export_id, sender = manifest.uuid("export_id"), manifest.uuid("station_id")
        listed = {one.uuid("record_id"): one for one in manifest.each("records")}
        for row in rows:
            known = outbox.row(row.record_id)
            if known is not None:
                here.append(row.record_id) if known.packet_digest == row.packet_digest else not_taken.append((row.record_id, "record.other"))
                continue
            try:
                packet, slip = _files(read, row, listed[row.record_id], sender)
            except (ExportRefused, FormatTrouble, KeyError) as trouble:
                not_taken.append((row.record_id, str(getattr(trouble, "code", "export.refused"))))
                continue
            outbox.carry_in(_for_here(row, station.station_id, sender, owner), packet, slip, who=who, export_id=export_id)
            came.append(row.record_id)
    with store.write() as tx:
        journal.write(tx, who, "outbox.imported", "", {"export": export_id, "from": sender, "came": len(came), "here": len(here), "not_taken": len(not_taken)})
    return Imported(export_id, sender, tuple(came), tuple(here), tuple(not_taken))


def normal_transfer_code(typed: str) -> str:
    """The code without spaces, hyphens and small letters. Raises ExportRefused (why: ``code``) for what cannot be one."""
    code = "".join(typed.split()).replace("-", "").upper()
    if len(code) != 20 or not set(code) <= set(CODE_LETTERS):
        raise ExportRefused("not a transfer code", why="code")
    return code


def _opened(read: Reading, station: Station, code: str) -> tuple[Members, list[CarriedRow]]:
    """The manifest, checked to be a station's of this province, and the rows. Raises ExportRefused, ExportForProvince, FormatTrouble and kin."""
    untrusted = read(MANIFEST, _MANIFEST_LIMIT)
    members = Members(parse_canonical(untrusted, "export"), "export", _MEMBERS)
    members.be("type", EXPORT_TYPE)
    if members.be("from", "store", "files") == "files" or MANIFEST_SIGNATURE not in read.names:
        raise ExportForProvince("made without the store's key, or with a certificate that has ended")
    if (members.text("province"), members.flag("practice")) != (station.province, station.practice):
        raise ExportRefused("of another province", why="province")
    report = check_signature(untrusted, read(MANIFEST_SIGNATURE, SLIP_LIMIT), station.identity.chain)
    if not report.trusted or report.signer_id != members.uuid("station_id"):
        raise ExportRefused(f"the manifest's signature: {report.why or 'another station'}", why="signature")
    export_id, sealed = members.uuid("export_id"), read(ROWS, _PACKET_FILE_LIMIT)
    if digest(sealed) != members.digest("rows"):
        raise ExportRefused("the rows are not those of the manifest", why="rows")
    parts = unseal_with_key(sealed, _data_key(members, export_id, normal_transfer_code(code)))
    if len(parts) != 1 or parts[0].name != ROWS_PART:
        raise ExportRefused("no rows", why="rows")
    body = Members(parse_canonical(parts[0].content, "rows"), "rows", ("type", "export_id", "rows"))
    body.be("type", ROWS_TYPE)
    body.be("export_id", export_id)
    return members, [_row(one) for one in body.each("rows", _ROW)]


def _data_key(members: Members, export_id: str, code: str) -> bytes:
    wrap = members.bytes64("transfer")
    try:
        return AESGCM(transfer_key(code, export_id)).decrypt(wrap[:12], wrap[12:], transfer_wrap_about(export_id))
    except (InvalidTag, ValueError) as error:
        raise ExportRefused("another code", why="code") from error


def _row(one: Members) -> CarriedRow:
    """Raises FormatTrouble, also for an owner or a reason that no station writes: they go into journal and lists."""
    if not is_owner(one.text("owner", 128)) or not _REASON.fullmatch(str(one.raw("reason"))):
        raise FormatTrouble("no owner or no reason", what="rows")
    acts = tuple(Act(act.bytes64("act"), act.bytes64("signature")) for act in one.each("acts", ("act", "signature")))
    state = one.be("state", *UNSENT)
    return CarriedRow(
        record_id=one.uuid("record_id"), origin=one.uuid("origin") if one.raw("origin") else "", owner=one.text("owner", 128), state=state,
        reason=str(one.raw("reason")), kept_at=one.time("kept_at"), packet_digest=one.digest("packet_digest"), packet_size=one.integer("packet_size"),
        record_digest=one.digest("record_digest"), signature=_bytes(one.raw("signature")), acts=acts,
        summary=Summary(str(one.raw("name")), str(one.raw("id_tail")), one.texts("categories")))


def _for_here(row: CarriedRow, station_id: str, sender: str, owner: str) -> CarriedRow:
    """The row as this station keeps it: sent from its beginning again, what has no signature set aside (its key is elsewhere)."""
    origin = row.origin or sender
    changed: dict[str, Any] = {"origin": "" if origin == station_id else origin, "owner": owner or row.owner}
    if not row.signature:
        changed |= {"state": "set_aside", "reason": row.reason or CarriedUnsigned.code}
    elif row.state != "set_aside":
        changed |= {"state": "kept", "reason": ""}
    return replace(row, **changed)


def _files(read: Reading, row: CarriedRow, listed: Members, sender: str) -> tuple[bytes, bytes]:
    """Packet and slip, each the bytes that manifest and row name."""
    packet = read(packet_name(row.record_id), _PACKET_FILE_LIMIT)
    header = read_header(packet)
    if (digest(packet), len(packet)) != (row.packet_digest, row.packet_size) or listed.digest("packet_digest") != row.packet_digest:
        raise ExportRefused("the packet is not what its row says", why="packet")
    if (header.record_id, header.station_id) != (row.record_id, row.origin or sender):
        raise ExportRefused("the packet is of another record or station", why="packet")
    if not listed.raw("slip"):
        return packet, b""
    slip = read(slip_name(row.record_id), SLIP_LIMIT)
    if digest(slip) != listed.digest("slip"):
        raise ExportRefused("the slip is not what the manifest says", why="packet")
    return packet, slip


def _bytes(untrusted: object) -> bytes:
    try:
        return base64.b64decode(str(untrusted), validate=True)
    except binascii.Error as error:
        raise ExportRefused("not base64", why="rows") from error


