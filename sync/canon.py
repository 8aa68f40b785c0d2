"""Objects to the exact bytes that are hashed and signed (RFC 8785), and back. Never re-serialises what was signed."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Mapping
from typing import Any, cast

import rfc8785

from sync.errors import FormatTrouble

__all__ = ["canon", "digest", "nfc", "parse_canonical", "parse_json"]


def nfc(text: str) -> str:
    """Unicode NFC; used where text comes in, never at signing (FORMATS section 0)."""
    return unicodedata.normalize("NFC", text)


def canon(obj: Mapping[str, Any]) -> bytes:
    """Canonical JSON bytes by RFC 8785. Raises FormatTrouble for floats, lone surrogates, integers beyond 2^53 and foreign types."""
    _refuse_floats(obj)
    try:
        return rfc8785.dumps(cast(Any, obj))
    except rfc8785.CanonicalizationError as error:
        raise FormatTrouble(f"not canonical JSON: {type(error).__name__}", what="json") from error


def digest(content: bytes) -> str:
    """``sha256:`` and 64 lower-case hex digits over the bytes."""
    return "sha256:" + hashlib.sha256(content).hexdigest()


def parse_json(untrusted: bytes, what: str = "json") -> dict[str, Any]:
    """A JSON object from outside. Raises FormatTrouble for anything else, double members included."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        members = dict(pairs)
        if len(members) != len(pairs):
            raise ValueError("a member stands twice")
        return members

    try:
        found: object = json.loads(untrusted.decode("utf-8"), object_pairs_hook=once, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise FormatTrouble(f"{what} is not JSON", what=what) from error
    if not isinstance(found, dict):
        raise FormatTrouble(f"{what} is not a JSON object", what=what)
    return cast("dict[str, Any]", found)


def parse_canonical(untrusted: bytes, what: str = "json") -> dict[str, Any]:
    """A JSON object whose bytes are canonical. Raises FormatTrouble where they are not."""
    found = parse_json(untrusted, what)
    if canon(found) != untrusted:
        raise FormatTrouble(f"{what} is not in canonical form", what=what)
    return found


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _refuse_floats(value: object) -> None:
    if isinstance(value, float):
        raise FormatTrouble("floats are not allowed in signed objects", what="json")
    if isinstance(value, Mapping):
        for inner in cast("Mapping[object, object]", value).values():
            _refuse_floats(inner)
    elif isinstance(value, (list, tuple)):
        for inner in cast("list[object]", value):
            _refuse_floats(inner)
