"""Packets (each with its slip beside it) and stills as write-once files under random names. Never renames, overwrites or reads meaning into them.

Order of a write: new file, write, fsync, fsync the folder; only then may a row name it, and the row is the commit (store.py). What a crash leaves
without a row is an orphan and is swept at start. A reserve file keeps room on the disk: even deleting needs some (facts: a full tmpfs refuses the
transaction that would free it).
"""

from __future__ import annotations

import os
import re
import stat
import uuid
from collections.abc import Callable, Collection, Generator, Iterable
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from sync.errors import DiskFull, StoreDamaged, StoreTrouble
from sync.file_errors import FULL, free_bytes
from sync.meanwhile import Meanwhile

__all__ = ["Blobs", "RESERVE_BYTES", "ROOM_BYTES", "Swept"]

RESERVE_BYTES = 64 * 1024 * 1024
"""Size of the reserve file; given up only so that what is kept can go on: be signed, sent, forgotten."""
ROOM_BYTES = 256 * 1024 * 1024
"""Free room below which no new sitting begins; one that has begun may use all but a quarter of it."""

_NAME = re.compile(r"^[0-9a-f]{32}$")
_RESERVE = "reserve"
_SLIP = ".slip"
_SLIP_ROOM = 16 * 1024
"""Bytes reckoned for a slip that is not made yet: a signature with its chain, and acts."""
_PACKET_MAGIC = b"HIPK"
_ORPHAN_PACKETS = 4
"""A crash leaves one packet without its row, two at worst. More than this was no crash (a store put back from a copy): they are kept and told (``strays``)."""
_PIECE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep did: ids dropped, and ids of packets kept: a row once named them, or there were too many of them for a crash."""

    dropped: tuple[str, ...]
    kept: tuple[str, ...]


class Blobs:
    """The files of one store, flat in ``folder`` (mode 0700). ``free`` gives the free bytes of the disk, ``fsync`` syncs a descriptor."""

    def __init__(self, folder: Path, *, room: int = ROOM_BYTES, reserve: int = RESERVE_BYTES, fsync: Callable[[int], None] = os.fsync,
                 free: Callable[[Path], int] | None = None) -> None:
        self.folder = folder
        self._room = room
        self._reserve = reserve
        self._fsync = fsync
        self._free = free or free_bytes

    def prepare(self) -> None:
        """Makes the folder and, where there is room, the reserve file. Raises StoreTrouble where the folder cannot be made."""
        try:
            if not self.folder.is_dir():
                self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._sync_folder(self.folder.parent)
        except OSError as error:
            raise StoreTrouble(f"blobs: {error.strerror}", step="folder") from error
        self.keep_reserve()

    def write(self, content: bytes | Iterable[bytes], slip: bytes | Callable[[], bytes] = b"", instead: bool = False) -> str:
        """The id of a new file that is on the disk with its folder entry. ``content`` is already encrypted; a ``slip`` goes into a small file beside it,
        made and written while the disk takes the content where it is a call (one commit of the file system's journal for both). ``instead``: another file
        goes for it, so the floor does not hold: what is kept can be signed, and then sent, on a disk that is too full for new captures.

        Raises DiskFull (facts free, needed in bytes; nothing is left behind), StoreTrouble for other file errors.
        """
        size = (len(content) if isinstance(content, bytes) else 0) + (len(slip) if isinstance(slip, bytes) else _SLIP_ROOM)
        if instead:
            self.spare_room(size)
        else:
            self._check(size, self._room // 4)
        blob_id = uuid.uuid4().hex
        path = self._at(blob_id)
        beside = Meanwhile(lambda: self._write_slip(path, slip), "slip") if slip else None
        try:
            try:
                self._write_file(path, content)
            finally:
                if beside is not None:
                    beside.end()
            if beside is not None:
                beside.answer()
            self._sync_folder(self.folder)
        except OSError as error:
            self.drop(blob_id)
            if error.errno in FULL:
                raise DiskFull("blob", free=self.free(), needed=size) from error
            raise StoreTrouble(f"blob: {error.strerror}", step="blob") from error
        return blob_id

    def path(self, blob_id: str) -> Path:
        """Where the file lies. Raises StoreTrouble where it is gone, ValueError for what is no id."""
        path = self._at(blob_id)
        if not path.is_file():
            raise StoreTrouble(f"blob {blob_id} is not there", step="blob")
        return path

    def read(self, blob_id: str) -> bytes:
        """The whole file. Raises StoreTrouble."""
        try:
            return self.path(blob_id).read_bytes()
        except OSError as error:
            raise StoreTrouble(f"blob: {error.strerror}", step="blob") from error

    def slip(self, blob_id: str) -> bytes:
        """The slip of a packet, or nothing where it was written without one. Raises StoreTrouble."""
        path = self._at(blob_id).with_suffix(_SLIP)
        try:
            return path.read_bytes() if path.exists() else b""
        except OSError as error:
            raise StoreTrouble(f"slip: {error.strerror}", step="blob") from error

    def drop(self, blob_id: str) -> None:
        """Unlinks the file and its slip; what is not there or cannot go now (held open by a virus scanner) is left to the next sweep."""
        if os.name == "nt":
            self.release(blob_id)  # what is read-only cannot be unlinked there
        for path in (self._at(blob_id), self._at(blob_id).with_suffix(_SLIP)):
            with suppress(OSError):
                path.unlink(missing_ok=True)

    @contextmanager
    def named(self, blob_ids: Collection[str]) -> Generator[None]:
        """Around the transaction that writes the rows of these files. Committed: read-only from now on, so that a sweep knows them from what a crash left, even
        where the rows are older than the files (a store put back from a copy). Clearly refused: dropped. After an I/O error the row may be there or not, and
        the next sweep knows.
        """
        try:
            yield
        except StoreTrouble as trouble:
            if trouble.facts.get("step") != "disk" and not isinstance(trouble, StoreDamaged):
                for one in blob_ids:
                    self.drop(one)
            raise
        for one in blob_ids:
            with suppress(OSError):
                self._at(one).chmod(0o400)

    def release(self, blob_id: str) -> None:
        """Its row is about to forget it: what a crash leaves of it may be swept."""
        with suppress(OSError):
            self._at(blob_id).chmod(0o600)

    def ids(self) -> tuple[str, ...]:
        """Ids of all files there, in order of name."""
        return tuple(sorted(one.name for one in self.folder.iterdir() if _NAME.match(one.name)))

    def sweep(self, known_ids: Collection[str]) -> Swept:
        """Drops files that no row knows, but no packet that a row once named. Only at start, with the store locked and checked, before anything is written.

        Other files are not touched.
        """
        orphans = tuple(one for one in self.ids() if one not in known_ids)
        kept = self.strays(known_ids)
        dropped = tuple(one for one in orphans if one not in kept)
        left = {one.stem for one in self.folder.iterdir() if one.suffix == _SLIP and _NAME.match(one.stem)}  # a slip whose packet is gone
        for one in (*dropped, *sorted(left - {*known_ids, *kept})):
            self.drop(one)
        return Swept(dropped, kept)

    def strays(self, known_ids: Collection[str]) -> tuple[str, ...]:
        """Packets that no row knows and that no crash left so: a row once named them, or there are too many. No sweep takes them."""
        packets = tuple(one for one in self.ids() if one not in known_ids and self._is_packet(one))
        return packets if len(packets) > _ORPHAN_PACKETS else tuple(one for one in packets if self._is_settled(one))

    def free(self) -> int:
        """Free bytes on the disk of this folder."""
        return self._free(self.folder)

    def check_room(self, needed: int = 0) -> None:
        """Raises DiskFull (facts free, needed in bytes) where no new sitting may begin."""
        self._check(needed, self._room)

    def spare_room(self, needed: int = 0) -> None:
        """Gives the reserve up where hardly anything is left beside ``needed``, so that rows can still be written: signing, sending and forgetting need that.

        It comes back with ``keep_reserve``. Costs one question to the file system.
        """
        with suppress(OSError):
            if self._reserve and self.free() < self._reserve // 16 + needed:
                (self.folder / _RESERVE).unlink(missing_ok=True)

    def keep_reserve(self) -> None:
        """Makes the reserve file again, where there is room for it and for new captures."""
        if not self._reserve:
            return
        path = self.folder / _RESERVE
        with suppress(OSError):
            if (path.stat().st_size if path.exists() else -1) == self._reserve or self.free() < self._reserve + self._room:
                return
            with path.open("wb", buffering=0) as reserve:
                for start in range(0, self._reserve, _PIECE):
                    _write_all(reserve.fileno(), b"\xa5" * min(_PIECE, self._reserve - start))
                self._fsync(reserve.fileno())

    @contextmanager
    def reserve_given_up(self) -> Generator[None]:
        """While it lasts the reserve's room is free: for deleting on a full disk. The reserve comes back where there is room."""
        with suppress(OSError):
            (self.folder / _RESERVE).unlink(missing_ok=True)
        try:
            yield
        finally:
            self.keep_reserve()

    def _check(self, needed: int, floor: int) -> None:
        if not (self.folder / _RESERVE).exists():
            floor += self._reserve  # given up for rows, not for captures
        free = self.free()
        if free < floor + needed:
            raise DiskFull("below the floor", free=free, needed=floor + needed)

    def _write_slip(self, path: Path, slip: bytes | Callable[[], bytes]) -> None:
        content = slip if isinstance(slip, bytes) else slip()
        if content:
            self._write_file(path.with_suffix(_SLIP), content)

    def _write_file(self, path: Path, content: bytes | Iterable[bytes]) -> None:
        with path.open("xb", buffering=0) as file:
            for piece in _pieces(content):
                _write_all(file.fileno(), piece)
            self._fsync(file.fileno())

    def _at(self, blob_id: str) -> Path:
        if not _NAME.match(blob_id):
            raise ValueError("not the id of a blob")
        return self.folder / blob_id

    def _is_packet(self, blob_id: str) -> bool:
        try:
            with self._at(blob_id).open("rb") as blob:
                return blob.read(len(_PACKET_MAGIC)) == _PACKET_MAGIC
        except OSError:
            return False

    def _is_settled(self, blob_id: str) -> bool:
        try:
            return not self._at(blob_id).stat().st_mode & stat.S_IWUSR
        except OSError:
            return True

    def _sync_folder(self, path: Path) -> None:
        if os.name == "nt":
            return  # a folder cannot be synced there; the file's own FlushFileBuffers is all that Windows offers
        folder = os.open(path, os.O_RDONLY)
        try:
            self._fsync(folder)
        finally:
            os.close(folder)


def _pieces(content: bytes | Iterable[bytes]) -> Iterable[bytes]:
    return (content,) if isinstance(content, bytes) else content


def _write_all(descriptor: int, piece: bytes) -> None:
    left = memoryview(piece)
    while left:
        left = left[os.write(descriptor, left):]
