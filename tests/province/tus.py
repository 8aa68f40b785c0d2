"""Resumable uploads, tus 1.0.0 with creation, checksum and termination (FORMATS section 11). Never looks into a packet.

The file's size is the offset. A packet is whole when its last byte came, its digest fits and it was fsynced.
"""

from __future__ import annotations

import hashlib
import os
import threading
import uuid
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.province.jcs import Refused, unb64
from tests.province.shapes import is_digest, is_uuid
from tests.province.store import Store, fsync_folder

__all__ = ["MAX_PACKET", "MAX_PART", "Uploads"]

MAX_PACKET = 512 * 1024 * 1024
MAX_PART = 16 * 1024 * 1024
VERSION = {"Tus-Resumable": "1.0.0"}


def file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()


def _metadata(untrusted: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for pair in untrusted.split(","):
        name, _, value = pair.strip().partition(" ")
        if name in found:
            raise Refused(400, "upload.metadata", "a key is there twice")
        try:
            found[name] = unb64(value, "upload.metadata").decode("ascii")
        except UnicodeDecodeError as error:
            raise Refused(400, "upload.metadata", "not ASCII") from error
    return found


def _number(untrusted: str | None, header: str) -> int:
    if untrusted is None or not untrusted.isascii() or not untrusted.isdigit() or len(untrusted) > 15:
        raise Refused(400, "request.malformed", f"{header} is missing or not a number")
    return int(untrusted)


class Uploads:
    """All uploads of a province folder."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._busy: set[str] = set()
        self._lock = threading.Lock()

    def path(self, upload_id: str) -> Path:
        return self._store.uploads / upload_id

    def options(self) -> dict[str, str]:
        return {
            **VERSION,
            "Tus-Version": "1.0.0",
            "Tus-Extension": "creation,checksum,termination",
            "Tus-Checksum-Algorithm": "sha256",
            "Tus-Max-Size": str(MAX_PACKET),
        }

    def check_version(self, untrusted: str | None) -> None:
        if untrusted != "1.0.0":
            raise Refused(412, "tus.version", "Tus-Resumable: 1.0.0 is needed", Tus_Version="1.0.0")

    def create(self, station_id: str, headers: Any) -> tuple[str, int]:
        """Upload id and offset for POST. The same station, record and digest get the same upload."""
        size = _number(headers.get("Upload-Length"), "Upload-Length")
        if size > MAX_PACKET:
            raise Refused(413, "request.too_large", f"a packet is at most {MAX_PACKET} bytes")
        meta = _metadata(headers.get("Upload-Metadata") or "")
        record_id, wanted = meta.get("record_id"), meta.get("digest")
        if not is_uuid(record_id) or not is_digest(wanted) or size == 0:
            raise Refused(400, "upload.metadata", "record_id, digest and a length are needed")
        with self._store.write() as db:
            found = db.execute(
                "SELECT id, size FROM uploads WHERE station_id = ? AND record_id = ? AND digest = ?", (station_id, record_id, wanted)
            ).fetchone()
            if found and found["size"] != size:
                raise Refused(409, "upload.other", "the same digest was announced with another length")
            upload_id = found["id"] if found else str(uuid.uuid4())
            if not found:
                db.execute(
                    "INSERT INTO uploads (id, station_id, record_id, digest, size) VALUES (?, ?, ?, ?, ?)",
                    (upload_id, station_id, record_id, wanted, size),
                )
        return upload_id, self._here(upload_id)

    def _here(self, upload_id: str) -> int:
        """Bytes that are here. Begun, it has no file yet: what is there is synced when it is whole, for nothing was promised before."""
        path = self.path(upload_id)
        return path.stat().st_size if path.exists() else 0

    def find(self, station_id: str, untrusted_id: str) -> Any:
        found = self._store.row("SELECT * FROM uploads WHERE id = ? AND station_id = ?", untrusted_id, station_id)
        if found is None:
            raise Refused(404, "upload.unknown", "no such upload of this station")
        return found

    def state(self, station_id: str, untrusted_id: str) -> tuple[int, int]:
        """Offset and length for HEAD."""
        row = self.find(station_id, untrusted_id)
        return self._here(row["id"]), row["size"]

    @contextmanager
    def _alone(self, upload_id: str):
        with self._lock:
            if upload_id in self._busy:
                raise Refused(423, "upload.busy", "another request writes to this upload", Retry_After="1")
            self._busy.add(upload_id)
        try:
            yield
        finally:
            with self._lock:
                self._busy.discard(upload_id)

    def check_part(self, station_id: str, untrusted_id: str, headers: Any, length: int) -> None:
        """All that can be refused before the body is read."""
        row = self.find(station_id, untrusted_id)
        if headers.get("Content-Type") != "application/offset+octet-stream":
            raise Refused(415, "request.media", "application/offset+octet-stream is needed")
        offset = _number(headers.get("Upload-Offset"), "Upload-Offset")
        here = self._here(row["id"])
        if offset != here:
            raise Refused(409, "upload.offset", "the offset is another one", Upload_Offset=str(here))
        if offset + length > row["size"]:
            raise Refused(413, "request.too_large", "more bytes than announced")

    def append(self, station_id: str, untrusted_id: str, headers: Any, part: bytes) -> int:
        """The new offset after PATCH. Raises Refused 409 offset, 460 checksum, 422 ``packet.digest`` (the upload is dropped)."""
        with self._alone(untrusted_id):
            self.check_part(station_id, untrusted_id, headers, len(part))
            algorithm, _, value = (headers.get("Upload-Checksum") or "").partition(" ")
            if algorithm != "sha256":
                raise Refused(400, "upload.checksum", "Upload-Checksum: sha256 is needed")
            if unb64(value, "upload.checksum") != hashlib.sha256(part).digest():
                raise Refused(460, "upload.checksum", "the part came with other bytes")
            row = self.find(station_id, untrusted_id)
            path = self.path(row["id"])
            with path.open("ab") as file:
                file.write(part)
                file.flush()
                offset = file.tell()
                if offset == row["size"]:
                    os.fsync(file.fileno())
            if offset == row["size"] and not row["whole"]:
                self._complete(row, path)
            return offset

    def _complete(self, row: Any, path: Path) -> None:
        if file_digest(path) != row["digest"]:
            self._drop(row["id"])
            raise Refused(422, "packet.digest", "the packet has another digest than announced; the upload was dropped")
        fsync_folder(self._store.uploads)
        with self._store.write() as db:
            db.execute("UPDATE uploads SET whole = 1 WHERE id = ?", (row["id"],))

    def finish(self, row: Any) -> Path:
        """The path of a whole upload, checked again. A crash between the last part and its mark is healed here."""
        path = self.path(row["id"])
        if (here := self._here(row["id"])) != row["size"]:
            raise Refused(409, "upload.incomplete", "the packet is not here yet", Upload_Offset=str(here))
        with self._alone(row["id"]):
            with path.open("rb+") as file:
                os.fsync(file.fileno())
            self._complete(row, path)
        return path

    def _drop(self, upload_id: str) -> None:
        with self._store.write() as db:
            db.execute("DELETE FROM uploads WHERE id = ?", (upload_id,))
        self.path(upload_id).unlink(missing_ok=True)

    def terminate(self, station_id: str, untrusted_id: str) -> None:
        """DELETE. A packet that belongs to a record stays: 409 ``upload.taken``."""
        row = self.find(station_id, untrusted_id)
        if self._store.row("SELECT 1 FROM records WHERE upload_id = ?", row["id"]):
            raise Refused(409, "upload.taken", "the packet belongs to a record")
        with self._alone(row["id"]):
            self._drop(row["id"])
