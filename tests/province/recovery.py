"""Takes in an export that was carried to the province on a medium (FORMATS section 14): packets and slips, as if each had been handed in by its own station.

Written from the interface text. Needs no word of the station: packet and slip open with the intake key, else with the recovery key. Never skips a check of a
submission, and never takes a record twice.
"""

from __future__ import annotations

import os
import zipfile
from pathlib import Path
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from tests.province.jcs import Refused, b64, canon, digest, parse_canonical
from tests.province.packet import data_key, read_header
from tests.province.store import fsync_folder

__all__ = ["recover"]


class _Medium:
    """A folder or a zip."""

    def __init__(self, source: Path) -> None:
        self._zip = zipfile.ZipFile(source) if source.is_file() else None
        self._folder = source

    def read(self, name: str) -> bytes | None:
        try:
            return self._zip.read(name) if self._zip else (self._folder / name).read_bytes()
        except (KeyError, FileNotFoundError):
            return None

    def close(self) -> None:
        if self._zip:
            self._zip.close()


def recover(office: Any, source: Path) -> list[dict[str, str]]:
    """What became of each record of the export's manifest: ``received``, ``known``, or the code of the refusal. Raises Refused 422 where it is no export."""
    medium = _Medium(source)
    try:
        manifest = parse_canonical(medium.read("manifest.json") or b"", "export.manifest")
        if manifest.get("type") != "hall-intake/export/1":
            raise Refused(422, "export.manifest", "not an export of version 1")
        told: list[dict[str, str]] = []
        for one in manifest["records"]:
            try:
                outcome = _take(office, medium, one)
            except Refused as refused:
                outcome = refused.code
            told.append({"record_id": one["record_id"], "outcome": outcome})
        return told
    finally:
        medium.close()


def _take(office: Any, medium: _Medium, listed: dict[str, Any]) -> str:
    record_id = str(UUID(listed["record_id"]))
    packet, slip = medium.read(f"packets/{record_id}.hipk"), medium.read(f"slips/{record_id}.slip")
    if packet is None or digest(packet) != listed["packet_digest"]:
        raise Refused(422, "packet.digest", "the packet is not that of the manifest")
    if slip is None:
        raise Refused(422, "slip.missing", "without a slip nobody knows who signed")
    upload_id, to, key, header = _keep_packet(office, packet, record_id)
    members = _open_slip(slip, key, record_id)
    if members["packet_digest"] != listed["packet_digest"]:
        raise Refused(422, "slip.other", "the slip is of another packet")
    if not members["signature"]:
        raise Refused(422, "record.unsigned", "a draft that nobody signed")
    body = {
        "type": "hall-intake/submission/1", "record_id": record_id, "station_id": header["station_id"], "upload_id": upload_id,
        "packet_digest": listed["packet_digest"], "packet_size": len(packet), "record_digest": members["record_digest"],
        "signature": members["signature"], "acts": members["acts"],
    }
    station = office.realm.store.row("SELECT * FROM stations WHERE id = ?", header["station_id"])
    return "received" if office.records.put(station, record_id, canon(body), to)[0] == 201 else "known"


def _keep_packet(office: Any, packet: bytes, record_id: str) -> tuple[str, str, bytes, dict[str, Any]]:
    """The packet as an upload of its own station: its id, the key that opens it and the data key."""
    keys = office.realm.keys
    scratch = office.realm.store.uploads / f"recovering-{record_id}"
    scratch.write_bytes(packet)
    try:
        with scratch.open("rb") as file:
            header, _ = read_header(file)
    finally:
        scratch.unlink()
    if header["record_id"] != record_id or office.realm.store.row("SELECT 1 FROM stations WHERE id = ?", header["station_id"]) is None:
        raise Refused(422, "packet.header", "of another record, or of a station that this province does not know")
    to = "intake"
    try:
        key = data_key(header, to, lambda kid: keys.by_id("intake", kid))
    except Refused:
        to = "recovery"
        key = data_key(header, to, lambda kid: keys.by_id("recovery", kid))
    described = f"record_id {b64(record_id.encode())},digest {b64(digest(packet).encode())}"
    upload_id, here = office.uploads.create(header["station_id"], {"Upload-Length": str(len(packet)), "Upload-Metadata": described})
    if here < len(packet):
        path = office.uploads.path(upload_id)
        with path.open("wb") as file:
            file.write(packet)
            file.flush()
            os.fsync(file.fileno())
        fsync_folder(path.parent)
    return upload_id, to, key, header


def _open_slip(slip: bytes, key: bytes, record_id: str) -> dict[str, Any]:
    start = b"HISL\x01\x01\x00\x00"
    own = HKDF(algorithm=hashes.SHA256(), length=32, salt=UUID(record_id).bytes, info=b"hall-intake/slip/1").derive(key)
    try:
        plain = AESGCM(own).decrypt(slip[8:20], slip[20:], start + record_id.encode("ascii"))
    except (InvalidTag, ValueError) as error:
        raise Refused(422, "slip.unseal", "the slip does not open") from error
    members = parse_canonical(plain, "slip.format")
    if slip[:8] != start or members.get("type") != "hall-intake/slip/1" or members.get("record_id") != record_id:
        raise Refused(422, "slip.format", "not the slip of this record")
    return members
