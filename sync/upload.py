"""Carries one packet file to the province by tus 1.0 (FORMATS section 11). Never holds more than two parts in memory, never takes a 204 for "kept".

The offset is always asked for (HEAD) before bytes are sent again, so a cut costs at most the part that was under way; a new upload's is in the answer that
made it, where the province says it there. The first part is of 1 MiB; while parts come through quickly the next ones are larger, for each costs the line one
way there and back. A part is read and digested while the answer to the request before it is still to come.
"""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from sync.errors import PacketDamaged, ProvinceTrouble
from sync.members import is_uuid
from sync.wire import Answer, trouble_of

__all__ = ["LARGEST", "PART", "Asks", "Ends", "Slice", "Upload", "check_packet", "upload_packet"]

PART = 1_048_576
"""Bytes of the first PATCH (FORMATS section 11), and of every one on a slow line."""
LARGEST = 4 * PART
"""Bytes of the largest PATCH."""
PART_S = 2.0
"""Seconds that a part may take: a larger one is tried where it would take less."""

_TUS = {"Tus-Resumable": "1.0.0"}


class Asks(Protocol):
    """What of ``sync.wire.Wire`` an upload needs."""

    def ask(self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None, good: tuple[int, ...] = (200,),
            sent: Callable[[], object] | None = None) -> Answer: ...


class Ends(Protocol):
    """What tells an upload to stop after the part under way: an event, or a ``Slice``."""

    def is_set(self) -> bool: ...


class Slice:
    """Set when ``stop`` is, or ``seconds`` after it was first asked: then others have their turn, and the upload goes on later."""

    def __init__(self, stop: Ends, seconds: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._stop, self._seconds, self._monotonic = stop, seconds, monotonic
        self._over: float | None = None

    def is_set(self) -> bool:
        now = self._monotonic()
        if self._over is None:
            self._over = now + self._seconds
            return self._stop.is_set()
        return self._stop.is_set() or now >= self._over


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
    wire: Asks, path: Path, record_id: str, packet_digest: str, upload_id: str | None, cancel: Ends,
    tell: Callable[[int, int], None], on_created: Callable[[str], None],
) -> Upload:
    """Brings the packet at ``path`` to its end, or to the part after which ``cancel`` was set (then ``complete`` is false).

    ``upload_id``: of an earlier try, or None; ``on_created(upload_id)`` is called before the first byte of a new one goes out;
    ``tell(done, total)`` in bytes after each part. Raises the kinds of ProvinceTrouble; nothing is tried twice here.
    """
    size = path.stat().st_size
    corrected = False
    with open(path, "rb") as file, ThreadPoolExecutor(1, "part") as lane:
        parts = _Parts(file, size, lane)
        here = _ask_offset(wire, upload_id, size) if upload_id else None
        if here is None:
            parts.begin(0)
            here = _created(wire, record_id, packet_digest, size, on_created)
        tell(here.offset, size)
        while not here.complete and not cancel.is_set():
            sent = _send_part(wire, here, parts)
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


@dataclass(frozen=True, slots=True)
class _Part:
    offset: int
    content: bytes
    checksum: str


class _Parts:
    """The parts of one file. When one has left the next is read and digested; only the one thread of ``lane`` touches the file."""

    def __init__(self, file: BinaryIO, size: int, lane: ThreadPoolExecutor) -> None:
        self._file, self._size, self._lane = file, size, lane
        self._length = PART
        self._next: Future[_Part] | None = None
        self._next_at = -1

    def begin(self, offset: int) -> None:
        """The part that begins at ``offset`` will be asked for."""
        self._next, self._next_at = self._begin(offset), offset

    def take(self, offset: int) -> _Part:
        """The part that begins at ``offset``. Raises PacketDamaged where the file ends before."""
        coming, at = self._next, self._next_at
        part = (coming if coming is not None and at == offset else self._begin(offset)).result()
        self._next = None
        return part

    def came_through(self, length: int, seconds: float) -> None:
        """A part of ``length`` bytes took so long: where twice as much would still come through in good time, the parts become larger."""
        if seconds * 2 <= PART_S:
            self._length = max(self._length, min(2 * length, LARGEST))
        elif seconds > 2 * PART_S:
            self._length = PART

    def _begin(self, offset: int) -> Future[_Part]:
        return self._lane.submit(self._read, offset, self._length)

    def _read(self, offset: int, length: int) -> _Part:
        self._file.seek(offset)
        content = self._file.read(length)
        if len(content) != min(length, self._size - offset):
            raise PacketDamaged("the packet file became shorter while it was sent")
        return _Part(offset, content, "sha256 " + base64.b64encode(hashlib.sha256(content).digest()).decode())


def _created(wire: Asks, record_id: str, packet_digest: str, size: int, on_created: Callable[[str], None]) -> Upload:
    """A new upload, or the one that was begun before, where its answer was lost."""
    made, answer = _create(wire, record_id, packet_digest, size)
    on_created(made)
    if "Upload-Offset" in answer.headers:
        return Upload(made, _count(answer, "Upload-Offset", size), size)
    here = _ask_offset(wire, made, size)
    if here is None:
        raise ProvinceTrouble("the upload was gone as soon as it was made", status=404)
    return here


def _create(wire: Asks, record_id: str, packet_digest: str, size: int) -> tuple[str, Answer]:
    metadata = ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in (("record_id", record_id), ("digest", packet_digest)))
    answer = wire.ask("POST", "/v1/packets", b"", {**_TUS, "Upload-Length": str(size), "Upload-Metadata": metadata}, (201,))
    # Location may be absolute or a path; only the id at its end is taken, so that a location never sends us to another host.
    folder, _, made = answer.headers.get("Location", "").rpartition("/")
    if not folder.endswith("/v1/packets") or not is_uuid(made):
        raise ProvinceTrouble("the new upload has no place", status=201)
    return made, answer


def _ask_offset(wire: Asks, upload_id: str, size: int) -> Upload | None:
    """Where the province stands, or None where it no longer knows this upload."""
    answer = wire.ask("HEAD", f"/v1/packets/{upload_id}", None, dict(_TUS), (200, 204, 404, 410))
    if answer.status in (404, 410):
        return None
    if _count(answer, "Upload-Length", size) != size:
        raise ProvinceTrouble("the upload has another length than the packet", status=answer.status)
    return Upload(upload_id, _count(answer, "Upload-Offset", size), size)


def _send_part(wire: Asks, here: Upload, parts: _Parts) -> Upload | None:
    part = parts.take(here.offset)
    headers = {**_TUS, "Content-Type": "application/offset+octet-stream", "Upload-Offset": str(here.offset), "Upload-Checksum": part.checksum}
    started = time.monotonic()
    after = here.offset + len(part.content)
    answer = wire.ask("PATCH", f"/v1/packets/{here.upload_id}", part.content, headers, (204, 409),
                      (lambda: parts.begin(after)) if after < here.size else None)
    if answer.status == 409:
        return None
    offset = _count(answer, "Upload-Offset", here.size)
    if not here.offset < offset <= here.offset + len(part.content):
        raise trouble_of(answer)
    parts.came_through(len(part.content), time.monotonic() - started)
    return Upload(here.upload_id, offset, here.size)


def _count(answer: Answer, name: str, most: int) -> int:
    text = answer.headers.get(name, "")
    if not (text.isascii() and text.isdigit() and len(text) <= 16) or int(text) > most:
        raise ProvinceTrouble(f"{name} is not a count", status=answer.status)
    return int(text)
