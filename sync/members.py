"""Members of objects from outside, asked for by name and kind. Never guesses, never fills in what is missing."""

from __future__ import annotations

import base64
import binascii
import re
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import cast

from sync.errors import FormatTrouble

__all__ = ["Members", "is_digest", "is_owner", "is_uuid", "parse_time"]

_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_OWNER = re.compile(r"op:[A-Za-z0-9._-]{1,64}|st:[0-9a-f-]{36}")
_MOST = 2**53 - 1


def parse_time(untrusted: object, what: str) -> datetime:
    """A time of FORMATS section 0 as aware UTC. Raises FormatTrouble."""
    if not isinstance(untrusted, str) or not _TIME.fullmatch(untrusted):
        raise FormatTrouble(f"{what} is not a time", what=what)
    try:
        return datetime.strptime(untrusted, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError as error:
        raise FormatTrouble(f"{what} is not a time", what=what) from error


def is_owner(text: str) -> bool:
    """Whether this can be the owner of a row (FORMATS section 9): ``op:`` and a person's id, or ``st:`` and a station's."""
    return _OWNER.fullmatch(text) is not None


def is_uuid(untrusted: object) -> bool:
    """Whether this is a UUID version 4 in lower case with hyphens."""
    if not isinstance(untrusted, str):
        return False
    try:
        found = uuid.UUID(untrusted)
    except ValueError:
        return False
    return str(found) == untrusted and found.version == 4


def is_digest(untrusted: object) -> bool:
    """Whether this is ``sha256:`` and 64 lower-case hex digits."""
    return isinstance(untrusted, str) and bool(_DIGEST.fullmatch(untrusted))


class Members:
    """One object from outside. Every question raises FormatTrouble (fact: what) where the member is missing or of another kind."""

    def __init__(self, untrusted: object, what: str, only: Sequence[str] = ()) -> None:
        """``only``: the exact set of members of a signed object; empty where more may stand there."""
        if not isinstance(untrusted, Mapping):
            raise FormatTrouble(f"{what} is not an object", what=what)
        self._what = what
        self._members = cast("Mapping[str, object]", untrusted)
        if only and set(self._members) != set(only):
            raise FormatTrouble(f"{what} has other members than its format: {sorted(set(self._members) ^ set(only))}", what=what)

    def _refuse(self, name: str, kind: str) -> FormatTrouble:
        return FormatTrouble(f"{self._what}.{name} is not {kind}", what=f"{self._what}.{name}")

    def raw(self, name: str) -> object:
        """The member as it stands; it must be there."""
        if name not in self._members:
            raise self._refuse(name, "there")
        return self._members[name]

    def text(self, name: str, most: int = 4096) -> str:
        """A string of 1 to ``most`` characters."""
        found = self.raw(name)
        if not isinstance(found, str) or not 0 < len(found) <= most:
            raise self._refuse(name, "a text")
        return found

    def integer(self, name: str, least: int = 0, most: int = _MOST) -> int:
        """A whole number in the range."""
        found = self.raw(name)
        if isinstance(found, bool) or not isinstance(found, int) or not least <= found <= most:
            raise self._refuse(name, "a count")
        return found

    def flag(self, name: str) -> bool:
        """True or false."""
        found = self.raw(name)
        if not isinstance(found, bool):
            raise self._refuse(name, "true or false")
        return found

    def time(self, name: str) -> datetime:
        """An aware UTC time."""
        return parse_time(self.raw(name), f"{self._what}.{name}")

    def day(self, name: str) -> date | None:
        """A date or null."""
        found = self.raw(name)
        if found is None:
            return None
        try:
            if isinstance(found, str) and len(found) == 10:
                return date.fromisoformat(found)
        except ValueError:
            pass
        raise self._refuse(name, "a date")

    def uuid(self, name: str) -> str:
        """A UUID version 4."""
        found = self.raw(name)
        if not is_uuid(found):
            raise self._refuse(name, "a UUID")
        return cast(str, found)

    def digest(self, name: str) -> str:
        """A digest."""
        found = self.raw(name)
        if not is_digest(found):
            raise self._refuse(name, "a digest")
        return cast(str, found)

    def bytes64(self, name: str) -> bytes:
        """Bytes in padded base64 (RFC 4648 section 4), not empty."""
        return self._decode(self.raw(name), name)

    def list64(self, name: str) -> tuple[bytes, ...]:
        """An array of bytes in padded base64."""
        return tuple(self._decode(one, name) for one in self.array(name))

    def array(self, name: str) -> Sequence[object]:
        """An array."""
        found = self.raw(name)
        if not isinstance(found, list):
            raise self._refuse(name, "an array")
        return cast("list[object]", found)

    def texts(self, name: str) -> tuple[str, ...]:
        """An array of strings."""
        found = self.array(name)
        if not all(isinstance(one, str) for one in found):
            raise self._refuse(name, "an array of texts")
        return tuple(cast("Sequence[str]", found))

    def inner(self, name: str, only: Sequence[str] = ()) -> Members:
        """The object that stands there."""
        return Members(self.raw(name), f"{self._what}.{name}", only)

    def each(self, name: str, only: Sequence[str] = ()) -> tuple[Members, ...]:
        """The objects of an array."""
        return tuple(Members(one, f"{self._what}.{name}", only) for one in self.array(name))

    def names(self) -> tuple[str, ...]:
        """The names of all members."""
        return tuple(self._members)

    def be(self, name: str, *values: str) -> str:
        """A string that is one of ``values``."""
        found = self.raw(name)
        if not isinstance(found, str) or found not in values:
            raise self._refuse(name, "one of " + ", ".join(values))
        return found

    def _decode(self, found: object, name: str) -> bytes:
        try:
            content = base64.b64decode(found, validate=True) if isinstance(found, str) else b""
        except (binascii.Error, ValueError):
            content = b""
        if not content or base64.b64encode(content).decode() != found:
            raise self._refuse(name, "base64")
        return content
