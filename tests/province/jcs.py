"""Canonical JSON (RFC 8785) without floats, digests, times and base64 of the interface. Never judges what an object means.

A second implementation on purpose: the stations use another one, so both must agree on the bytes.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from datetime import UTC, datetime
from typing import Any

__all__ = ["Refused", "b64", "canon", "digest", "moment", "parse", "parse_canonical", "stamp", "unb64"]

ESCAPES = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", '"': '\\"', "\\": "\\\\"}
MAX_INTEGER = 2**53 - 1
TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z")


class Refused(Exception):
    """An answer that is not 2xx: HTTP status, code ``place.what``, English detail without personal data, extra headers."""

    def __init__(self, status: int, code: str, detail: str = "", **headers: str) -> None:
        super().__init__(f"{status} {code}: {detail}")
        self.status = status
        self.code = code
        self.detail = detail
        self.headers = {name.replace("_", "-"): text for name, text in headers.items()}

    def body(self) -> bytes:
        return canon({"type": "hall-intake/error/1", "code": self.code, "detail": self.detail})


def canon(value: Any) -> bytes:
    """The RFC 8785 bytes of ``value``. Raises ValueError for floats, integers past 2^53 and lone surrogates."""
    return _text(value).encode("utf-8")


def _text(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int):
        if abs(value) > MAX_INTEGER:
            raise ValueError("integer past 2^53")
        return str(value)
    if isinstance(value, str):
        return '"' + "".join(ESCAPES.get(c) or (f"\\u{ord(c):04x}" if c < " " else c) for c in value) + '"'
    if isinstance(value, list | tuple):
        return "[" + ",".join(_text(item) for item in value) + "]"
    if isinstance(value, dict):
        names = sorted(value, key=lambda name: name.encode("utf-16-be"))
        return "{" + ",".join(_text(str(name)) + ":" + _text(value[name]) for name in names) + "}"
    raise ValueError(f"no canonical form for {type(value).__name__}")


def _no_float(untrusted: str) -> Any:
    raise ValueError("floats are not used")


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = dict(pairs)
    if len(names) != len(pairs):
        raise ValueError("a member is there twice")
    return names


def parse(untrusted: bytes, code: str = "request.malformed", status: int = 400) -> dict[str, Any]:
    """The JSON object in ``untrusted``. Raises Refused(status, code) for everything else, doubled members and floats."""
    try:
        value = json.loads(untrusted.decode("utf-8"), object_pairs_hook=_pairs, parse_float=_no_float, parse_constant=_no_float)
    except (ValueError, RecursionError) as error:
        raise Refused(status, code, f"not JSON of this interface: {type(error).__name__}") from error
    if not isinstance(value, dict):
        raise Refused(status, code, "not a JSON object")
    return value


def parse_canonical(untrusted: bytes, code: str) -> dict[str, Any]:
    """Like ``parse``, and the bytes must be the canonical ones. Raises Refused(422, code)."""
    value = parse(untrusted, code, 422)
    try:
        same = canon(value) == untrusted
    except (ValueError, UnicodeEncodeError, RecursionError):
        same = False
    if not same:
        raise Refused(422, code, "not the canonical bytes (RFC 8785)")
    return value


def digest(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


def b64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


def unb64(untrusted: Any, code: str = "request.malformed", status: int = 400) -> bytes:
    """Bytes of padded base64 (RFC 4648 section 4). Raises Refused(status, code)."""
    if not isinstance(untrusted, str):
        raise Refused(status, code, "base64 text expected")
    try:
        return base64.b64decode(untrusted.encode("ascii"), validate=True)
    except (binascii.Error, ValueError) as error:
        raise Refused(status, code, "not base64 with padding") from error


def stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment(untrusted: Any, code: str = "request.malformed", status: int = 422) -> datetime:
    """The aware UTC time of ``2026-11-22T06:00:00Z``. Raises Refused(status, code)."""
    if isinstance(untrusted, str) and TIME.fullmatch(untrusted):
        try:
            return datetime.strptime(untrusted, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        except ValueError:
            pass
    raise Refused(status, code, "not a time of this interface")
