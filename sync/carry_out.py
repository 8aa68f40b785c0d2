"""Exports the queue to a medium (FORMATS section 14): packets, slips, a signed manifest, and rows that only a transfer code or the province opens.

Never writes anything readable of a person, never changes a record, and needs no key where only packets and slips are taken (``export_files``).
"""

from __future__ import annotations

import base64
import os
import secrets
import uuid
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import load_der_private_key

from sync.blobs import Blobs
from sync.canon import canon, digest
from sync.ciphers import derived_key
from sync.draft import time_text
from sync.errors import CertificateTrouble, FormatTrouble, NotEnrolled, PacketDamaged, PacketTooNew, StoreDamaged, StoreInUse, StoreTrouble
from sync.journal import Journal
from sync.label import read_label
from sync.medium import MANIFEST, MANIFEST_SIGNATURE, ROWS, Writing, packet_name, slip_name, write_medium
from sync.oslock import StoreLock
from sync.outbox import Outbox
from sync.outbox_row import OutboxRow, acts_json
from sync.seal import ROWS_PART, PacketHeader, SealedRecord, read_header, seal
from sync.signing import KeySigner, make_signature
from sync.station import Station
from sync.store import Store

__all__ = ["CODE_LETTERS", "EXPORT_TYPE", "Exported", "ROWS_TYPE", "UNSENT", "export_files", "export_queue", "transfer_key", "transfer_wrap_about"]

EXPORT_TYPE, ROWS_TYPE = "hall-intake/export/1", "hall-intake/rows/1"
UNSENT = ("kept_unsigned", "signing", "kept", "uploading", "uploaded", "set_aside")
CODE_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""32 letters that are not taken for one another: 20 of them are 100 bits of chance, so the code needs no slow hashing."""
_CODE_LENGTH = 20
_NONCE = 12


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written. ``code`` opens the rows at another station and goes another way than the medium; empty where the export is for the province only.

    ``left_out``: files that only this store's key opens (drafts' pictures). ``damaged``: not carried, for the file is gone, cannot be read or is not what its
    row says; ids of records, or names of files where the store was not opened.
    """

    export_id: str
    records: tuple[str, ...]
    signed: bool
    code: str = field(default="", repr=False)
    left_out: int = 0
    damaged: tuple[str, ...] = ()


def export_queue(store: Store, blobs: Blobs, station: Station, to: Path, who: str = "station",
                 clock: Callable[[], datetime] = lambda: datetime.now(UTC), only: Collection[str] | None = None) -> Exported:
    """Every record that has no receipt, as a new export at ``to`` (a folder, or a file ``.zip``); one journal line. ``only``: these of them.

    A damaged packet keeps no other one back: it is left out and named. Raises ExportNotWritten, PacketDamaged (one of ``only``), StoreTrouble.
    """
    journal = Journal(store, station.station_id, clock)
    outbox = Outbox(store, blobs, journal, clock)
    rows, damaged = _whole(outbox, (row for row in _all(outbox) if only is None or row.record_id in only), only is not None)
    export_id, code = str(uuid.uuid4()), "".join(secrets.choice(CODE_LETTERS) for _ in range(_CODE_LENGTH))
    body = canon({"type": ROWS_TYPE, "export_id": export_id, "rows": [_row_json(row) for row in rows]})
    sealed = seal(body, (), export_id, station.station_id, station.intake, station.recovery, first_part=ROWS_PART)
    with store.write() as tx:
        journal.write(tx, who, "outbox.exported", "", {"export": export_id, "records": len(rows)})
    with write_medium(to) as write:
        listed = [_write_record(write, outbox, blobs, row, station) for row in rows]
        write(ROWS, sealed.packet)
        members = _manifest(export_id, "store", clock(), listed) | {
            "station_id": station.station_id, "province": station.province, "practice": station.practice, "rows": sealed.digest,
            "journal": {name: journal.head()[name] for name in ("size", "head")}, "transfer": _transfer(sealed, code)}
        signed = _sign(write, canon(members), station, clock())
    return Exported(export_id, tuple(row.record_id for row in rows), signed, "-".join(code[i:i + 4] for i in range(0, _CODE_LENGTH, 4)), damaged=damaged)


def export_files(folder: Path, to: Path, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Exported:
    """Every packet of a store whose key is lost or locked, with its slip, for the province's people. The store is not opened and not changed.

    Needs nothing but the files: neither ``store.db`` nor ``store-id``, and what cannot be read keeps nothing else back. Raises NotEnrolled where nothing was
    ever kept, StoreInUse where a program has it open, ExportNotWritten, StoreTrouble.
    """
    if not (folder / "blobs").is_dir():
        raise NotEnrolled("there is no store")
    lock = _lock_if_possible(folder)
    try:
        blobs, export_id = Blobs(folder / "blobs"), str(uuid.uuid4())
        newest, left_out, damaged = _newest(blobs)
        listed: list[dict[str, Any]] = []
        with write_medium(to) as write:
            for header, blob_id in newest:
                try:
                    packet, slip = blobs.read(blob_id), blobs.slip(blob_id)
                except StoreTrouble:
                    damaged.append(blob_id)
                    continue
                listed.append(_write_files(write, header.record_id, header.station_id, packet, slip))
            members = _manifest(export_id, "files", clock(), listed) | {
                "station_id": "", "province": "", "practice": _is_practice(folder), "rows": "", "journal": None, "transfer": None}
            write(MANIFEST, canon(members))
    finally:
        if lock is not None:
            lock.release()
    return Exported(export_id, tuple(one["record_id"] for one in listed), False, left_out=left_out, damaged=tuple(damaged))


def transfer_key(code: str, export_id: str) -> bytes:
    """The key that a transfer code stands for."""
    return derived_key(code.encode("ascii"), uuid.UUID(export_id).bytes, b"hall-intake/transfer/1")


def transfer_wrap_about(export_id: str) -> bytes:
    """Associated data of the wrap of the rows' data key."""
    return b"hall-intake/transfer/1 " + export_id.encode("ascii")


def _whole(outbox: Outbox, rows: Iterable[OutboxRow], strictly: bool) -> tuple[tuple[OutboxRow, ...], tuple[str, ...]]:
    """The rows whose packets are whole, and the ids of the others. Raises PacketDamaged for the first one where ``strictly``."""
    whole: list[OutboxRow] = []
    damaged: list[str] = []
    for row in rows:
        try:
            outbox.check_packet(row.record_id)
        except PacketTooNew:
            pass  # sealed by a newer program: not opened here, carried as it is
        except PacketDamaged:
            if strictly:
                raise
            damaged.append(row.record_id)
            continue
        whole.append(row)
    return tuple(whole), tuple(damaged)


def _newest(blobs: Blobs) -> tuple[list[tuple[PacketHeader, str]], int, list[str]]:
    """The packet of each record, how many files are none, and the names of those that cannot be read.

    Of two packets of one record (a crash came while it was signed, or signed again) the later one is taken: it holds the last signature.
    """
    found: dict[str, tuple[int, PacketHeader, str]] = {}
    none, damaged = 0, list[str]()
    for blob_id in blobs.ids():
        try:
            path = blobs.path(blob_id)
            header, written = read_header(path), path.stat().st_mtime_ns
        except FormatTrouble:
            none += 1
        except (OSError, StoreTrouble):
            damaged.append(blob_id)
        else:
            found[header.record_id] = max(found.get(header.record_id, (-1, header, "")), (written, header, blob_id), key=lambda one: one[0])
    return [(header, blob_id) for _, header, blob_id in found.values()], none, damaged


def _is_practice(folder: Path) -> bool:
    """As the label says; where that is lost each record still says it by its own type."""
    try:
        label = read_label(folder)
    except StoreDamaged:
        return False
    return label is not None and label.practice


def _all(outbox: Outbox) -> Iterable[OutboxRow]:
    after: OutboxRow | None = None
    while page := outbox.rows(states=UNSENT, after=after):
        yield from page
        after = page[-1]


def _row_json(row: OutboxRow) -> dict[str, Any]:
    return {
        "record_id": row.record_id, "origin": row.origin, "owner": row.owner, "state": row.state, "reason": row.reason, "kept_at": time_text(row.kept_at),
        "packet_digest": row.packet_digest, "packet_size": row.packet_size, "record_digest": row.record_digest,
        "signature": base64.b64encode(row.signature).decode("ascii"), "acts": acts_json(row.acts),
        "name": row.summary.name, "id_tail": row.summary.id_tail, "categories": list(row.summary.categories)}


def _write_record(write: Writing, outbox: Outbox, blobs: Blobs, row: OutboxRow, station: Station) -> dict[str, Any]:
    slip = blobs.slip(row.packet_blob) or outbox.make_slip(row)
    return _write_files(write, row.record_id, row.origin or station.station_id, blobs.read(row.packet_blob), slip)


def _write_files(write: Writing, record_id: str, station_id: str, packet: bytes, slip: bytes) -> dict[str, Any]:
    write(packet_name(record_id), packet)
    if slip:
        write(slip_name(record_id), slip)
    return {"record_id": record_id, "station_id": station_id, "packet_digest": digest(packet), "packet_size": len(packet), "slip": digest(slip) if slip else ""}


def _manifest(export_id: str, origin: str, at: datetime, listed: list[dict[str, Any]]) -> dict[str, Any]:
    return {"type": EXPORT_TYPE, "export_id": export_id, "from": origin, "made_at": time_text(at), "records": listed}


def _transfer(sealed: SealedRecord, code: str) -> str:
    nonce = os.urandom(_NONCE)
    wrap = AESGCM(transfer_key(code, sealed.record_id)).encrypt(nonce, sealed.data_key, transfer_wrap_about(sealed.record_id))
    return base64.b64encode(nonce + wrap).decode("ascii")


def _sign(write: Writing, manifest: bytes, station: Station, at: datetime) -> bool:
    """Signature first, manifest last. A device certificate that may no longer sign leaves an export for the province only."""
    key = cast("ec.EllipticCurvePrivateKey", load_der_private_key(station.identity.private_key, None))
    try:
        write(MANIFEST_SIGNATURE, make_signature(manifest, KeySigner(key, station.certificate, station.identity.chain), at))
        signed = True
    except CertificateTrouble:
        signed = False
    write(MANIFEST, manifest)
    return signed


def _lock_if_possible(folder: Path) -> StoreLock | None:
    """None on a medium that cannot be written: there nobody else has it open for writing either."""
    try:
        return StoreLock(folder / "lock")
    except StoreInUse:
        raise
    except StoreTrouble:
        return None
