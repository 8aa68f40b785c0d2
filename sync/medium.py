"""An export as it lies on a medium: a new folder or one ``.zip``, with names of our own only. Never overwrites, and never trusts what it reads.

Names: ``manifest.json`` ``manifest.p7s`` ``rows.hipk`` ``packets/<id>.hipk`` ``slips/<id>.slip``. The manifest is written last: without it there is no export.
"""

from __future__ import annotations

import errno
import os
import re
import struct
import zipfile
from collections.abc import Generator, Iterable
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Protocol

from sync.errors import ExportNotWritten, ExportRefused
from sync.file_errors import FULL
from sync.label import sync_folder

__all__ = ["MANIFEST", "MANIFEST_SIGNATURE", "ROWS", "Writing", "packet_name", "read_medium", "slip_name", "write_file", "write_medium"]

MANIFEST, MANIFEST_SIGNATURE, ROWS = "manifest.json", "manifest.p7s", "rows.hipk"
_UNREADABLE = (OSError, EOFError, zipfile.BadZipFile, RuntimeError, ValueError, struct.error)
"""What the library raises over a file that is no zip, or a spoiled one; a kind of packing that it does not know is a RuntimeError, too."""
_WHY = {errno.EEXIST: "there", errno.EFBIG: "large", errno.EROFS: "refused", errno.EACCES: "refused", errno.EPERM: "refused", errno.ENOENT: "nowhere",
        errno.ENOTDIR: "nowhere", **dict.fromkeys(FULL, "full")}
_NO_SUCH_CALL = (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP)
_NAME = re.compile(r"^(manifest\.json|manifest\.p7s|rows\.hipk|(packets|slips)/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.(hipk|slip))$")


def packet_name(record_id: str) -> str:
    return f"packets/{record_id}.hipk"


def slip_name(record_id: str) -> str:
    return f"slips/{record_id}.slip"


class Writing(Protocol):
    """An export that is being written."""

    def __call__(self, name: str, content: bytes, /) -> None: ...


@contextmanager
def write_medium(to: Path) -> Generator[Writing]:
    """A new export at ``to``, on the disk when the block ends. Raises ExportNotWritten, also where something is there already; what was begun then goes."""
    with _taken_back(to) as begun:
        with _write_zip(to, begun) if to.suffix == ".zip" else _write_folder(to, begun) as write:
            yield write
        _sync_folder(to.parent)


@contextmanager
def write_file(to: Path) -> Generator[BinaryIO]:
    """One new file at ``to``, on the disk when the block ends. Raises ExportNotWritten, also where something is there already; what was begun then goes."""
    with _taken_back(to) as begun:
        with to.open("xb") as file:
            begun.append(to)
            yield file
            file.flush()
            os.fsync(file.fileno())
        _sync_folder(to.parent)


@contextmanager
def _taken_back(to: Path) -> Generator[list[Path]]:
    """What the block puts into the list goes again where it does not end well."""
    begun: list[Path] = []
    try:
        yield begun
    except BaseException as error:
        for one in reversed(begun):
            with suppress(OSError):  # a medium that was pulled takes nothing back either; without a manifest what is left is no export
                one.rmdir() if one.is_dir() else one.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise ExportNotWritten(f"{error.strerror}", path=str(to), why=_WHY.get(error.errno or 0, "failed")) from error
        raise


@contextmanager
def _write_folder(to: Path, begun: list[Path]) -> Generator[Writing]:
    def make(folder: Path) -> None:
        folder.mkdir(mode=0o700)
        begun.append(folder)

    def write(name: str, content: bytes) -> None:
        path = to / name
        if not path.parent.exists():
            make(path.parent)
        begun.append(path)
        with path.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())

    make(to)
    yield write
    for folder in (*(one for one in begun if one.is_dir()),):
        _sync_folder(folder)


def _sync_folder(folder: Path) -> None:
    """Entries of a folder onto the medium, where its file system knows such a call (network shares and some drivers of FAT do not)."""
    try:
        sync_folder(folder)
    except OSError as error:
        if error.errno not in _NO_SUCH_CALL:
            raise


@contextmanager
def _write_zip(to: Path, begun: list[Path]) -> Generator[Writing]:
    with to.open("xb") as file:
        begun.append(to)
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as packed:
            yield packed.writestr
        file.flush()
        os.fsync(file.fileno())


class Reading:
    """An export that is being read."""

    def __init__(self, names: Iterable[str], read: _Read) -> None:
        self.names = frozenset(names)
        self._read = read

    def __call__(self, name: str, most: int) -> bytes:
        """The untrusted bytes of one file, at most ``most``. Raises ExportRefused (why: ``missing``, ``size``, ``medium``)."""
        if name not in self.names:
            raise ExportRefused(f"{name} is not there", why="missing")
        try:
            content = self._read(name, most + 1)
        except _UNREADABLE as error:
            raise ExportRefused(f"{name} cannot be read: {type(error).__name__}", why="medium") from error
        if len(content) > most:
            raise ExportRefused(f"{name} is too large", why="size")
        return content


class _Read(Protocol):
    def __call__(self, name: str, most: int, /) -> bytes: ...


@contextmanager
def read_medium(source: Path) -> Generator[Reading]:
    """The export at ``source``. Raises ExportRefused (why: ``medium``, ``names``) for what is no export."""
    try:
        packed = zipfile.ZipFile(source) if source.is_file() else None
    except _UNREADABLE as error:
        raise ExportRefused(f"not an export: {type(error).__name__}", why="medium") from error
    if packed is None:
        yield _folder(source)
        return
    with packed:
        listed = packed.infolist()
        ours = all(one.compress_type == zipfile.ZIP_STORED and _NAME.match(one.filename) for one in listed)
        if not ours or len({one.filename for one in listed}) != len(listed):
            raise ExportRefused("names or packing that an export does not have", why="names")

        def read(name: str, most: int) -> bytes:
            with packed.open(name) as file:
                return file.read(most)

        yield Reading((one.filename for one in listed), read)


def _folder(source: Path) -> Reading:
    def read(name: str, most: int) -> bytes:
        with (source / name).open("rb") as file:
            return file.read(most)

    files = [one.relative_to(source).as_posix() for one in (*source.glob("*"), *source.glob("*/*")) if one.is_file() and not one.is_symlink()]
    return Reading((name for name in files if _NAME.match(name)), read)
