"""Carries one packet file to the province by tus 1.0 (FORMATS section 11). Never reads more than one part into memory, never takes a 204 for "kept".

The offset is always asked for (HEAD) before bytes are sent again, so a cut costs at most the part that was under way.
"""

from __future__ import annotations

import base64
import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from sync.errors import PacketDamaged, ProvinceTrouble
from sync.members import is_uuid
from sync.wire import Answer, trouble_of

__all__ = ["PART", "Asks", "Upload", "check_packet", "upload_packet"]

PART = 1_048_576
"""Bytes of one PATCH (FORMATS section 11)."""

_TUS = {"Tus-Resumable": "1.0.0"}


class Asks(Protocol):
    """What of ``sync.wire.Wire`` an upload needs."""

    def ask(self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None, good: tuple[int, ...] = (200,)) -> Answer: ...


@dataclass(frozen=True, slots=True)
class Upload:
    """Where an upload stands; ``offset`` in bytes, as the province says it."""

    upload_id: str
    offset: int
    size: int

    @property
    def complete(self) -> bool:
        return self.offset == self.size


def check_packet(path: Path, packet_digest: str, size: int) -> None:
    """Reads the file once. Raises PacketDamaged where it is gone or not the bytes of its row."""
    hasher, found = hashlib.sha256(), 0
    try:
        with open(path, "rb") as file:
            while part := file.read(PART):
                hasher.update(part)
                found += len(part)
    except OSError as error:
        raise PacketDamaged("the packet file cannot be read") from error
    if found != size or "sha256:" + hasher.hexdigest() != packet_digest:
        raise PacketDamaged("the packet file is not the one of its row")


def upload_packet(
    wire: Asks, path: Path, record_id: str, packet_digest: str, upload_id: str | None, cancel: threading.Event,
    tell: Callable[[int, int], None], on_created: Callable[[str], None],
) -> Upload:
    """Brings the packet at ``path`` to its end, or to the part after which ``cancel`` was set (then ``complete`` is false).

    ``upload_id``: of an earlier try, or None; ``on_created(upload_id)`` is called before the first byte of a new one goes out;
    ``tell(done, total)`` in bytes after each part. Raises the kinds of ProvinceTrouble; nothing is tried twice here.
    """
    size = path.stat().st_size
    here = _ask_offset(wire, upload_id, size) if upload_id else None
    if here is None:
        made = _create(wire, record_id, packet_digest, size)
        on_created(made)
        here = _ask_offset(wire, made, size)
        if here is None:
            raise ProvinceTrouble("the upload was gone as soon as it was made", status=404)
    tell(here.offset, size)
    corrected = False
    with open(path, "rb") as file:
        while not here.complete and not cancel.is_set():
            sent = _send_part(wire, here, file)
            if sent is None:  # 409: our offset is not the province's
                asked = _ask_offset(wire, here.upload_id, size)
                if corrected or asked is None:
                    raise ProvinceTrouble("the province and this station do not agree on the offset", status=409)
                sent = asked
                corrected = True
            else:
                corrected = False
            here = sent
            tell(here.offset, size)
    return here


def _create(wire: Asks, record_id: str, packet_digest: str, size: int) -> str:
    metadata = ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in (("record_id", record_id), ("digest", packet_digest)))
    answer = wire.ask("POST", "/v1/packets", b"", {**_TUS, "Upload-Length": str(size), "Upload-Metadata": metadata}, (201,))
    # Location may be absolute or a path; only the id at its end is taken, so that a location never sends us to another host.
    folder, _, made = answer.headers.get("Location", "").rpartition("/")
    if not folder.endswith("/v1/packets") or not is_uuid(made):
        raise ProvinceTrouble("the new upload has no place", status=201)
    return made


def _ask_offset(wire: Asks, upload_id: str, size: int) -> Upload | None:
    """Where the province stands, or None where it no longer knows this upload."""
    answer = wire.ask("HEAD", f"/v1/packets/{upload_id}", None, dict(_TUS), (200, 204, 404, 410))
    if answer.status in (404, 410):
        return None
    if _count(answer, "Upload-Length", size) != size:
        raise ProvinceTrouble("the upload has another length than the packet", status=answer.status)
    return Upload(upload_id, _count(answer, "Upload-Offset", size), size)


def _send_part(wire: Asks, here: Upload, file: BinaryIO) -> Upload | None:
    file.seek(here.offset)
    part = file.read(PART)
    if len(part) != min(PART, here.size - here.offset):
        raise PacketDamaged("the packet file became shorter while it was sent")
    headers = {
        **_TUS, "Content-Type": "application/offset+octet-stream", "Upload-Offset": str(here.offset),
        "Upload-Checksum": "sha256 " + base64.b64encode(hashlib.sha256(part).digest()).decode(),
    }
    answer = wire.ask("PATCH", f"/v1/packets/{here.upload_id}", part, headers, (204, 409))
    if answer.status == 409:
        return None
    offset = _count(answer, "Upload-Offset", here.size)
    if not here.offset < offset <= here.offset + len(part):
        raise trouble_of(answer)
    return Upload(here.upload_id, offset, here.size)


def _count(answer: Answer, name: str, most: int) -> int:
    text = answer.headers.get(name, "")
    if not (text.isascii() and text.isdigit() and len(text) <= 16) or int(text) > most:
        raise ProvinceTrouble(f"{name} is not a count", status=answer.status)
    return int(text)
