"""The credit record sheet's QR (FORMATS 10): from any bytes to a verdict with facts and evidence. Never opens an address, never raises for bad codes.

A verdict is one of nine; four colours answer "may I use it": green only when the platform was asked just now.
"""

from __future__ import annotations

import base64
import hashlib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, cast

import base45
import cbor2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

__all__ = ["COLOURS", "Evidence", "PlatformNow", "SheetFacts", "SheetKey", "StatusList", "Verdict", "judge", "sheet_keys"]

COLOURS = {
    "valid": "green", "valid_unchecked": "amber",
    "superseded": "red", "revoked": "red", "expired": "red", "forged": "red",
    "unknown_key": "grey", "not_ours": "grey", "practice_mix": "grey",
}
"""Verdict -> colour."""

PREFIX = b"CR1:"
MOST_TEXT = 2_000
"""Characters of a code; the largest honest one has some 500."""
ES256, SM2 = -7, -65537
FRESH = timedelta(minutes=10)
"""An online answer older than this does not count as asked now (a recorded answer could be played back)."""
EPOCH = date(1970, 1, 1)
_BASE45 = re.compile(rb"[0-9A-Z $%*+\-./:]+")


@dataclass(frozen=True, slots=True)
class SheetKey:
    """A key of purpose ``sheets`` from the roots list. ``state`` is good, retired (old sheets stay good) or revoked (nothing of it is)."""

    kid: bytes
    spki: bytes = field(repr=False)
    not_before: datetime
    not_after: datetime
    state: str


@dataclass(frozen=True, slots=True)
class StatusList:
    """Revoked sheets as a bit string by status list index (bit 0 = the highest bit of byte 0), known as of ``as_of``."""

    bits: bytes = field(repr=False)
    as_of: datetime

    def revoked(self, index: int) -> bool | None:
        """None where the list is too short to know this sheet."""
        if index // 8 >= len(self.bits):
            return None
        return bool(self.bits[index // 8] >> (7 - index % 8) & 1)


@dataclass(frozen=True, slots=True)
class SheetFacts:
    """What was signed. Personal members are None where the verdict shows nothing personal."""

    number: str
    kind: int
    name: str | None = field(repr=False)
    masked: str | None = field(repr=False)
    employer: str | None = field(repr=False)
    categories: tuple[int, ...]
    good: int | None
    bad: int | None
    issued: date
    valid_until: date
    status_index: int
    content_digest: bytes = field(repr=False)
    practice: bool


@dataclass(frozen=True, slots=True)
class PlatformNow:
    """What the platform says now about a sheet; members it did not send are None."""

    state: str
    name: str | None = field(repr=False)
    masked: str | None = field(repr=False)
    employer: str | None = field(repr=False)
    good: int | None
    bad: int | None
    newer: str | None
    as_of: datetime


@dataclass(frozen=True, slots=True)
class Evidence:
    """Why the verdict is what it is. ``why`` is a key: ok asked_not list_old list_none key_revoked key_window signature facts_differ newer ... """

    why: str
    code_digest: str
    kid: str = ""
    key_state: str = ""
    asked_at: datetime | None = None
    status_as_of: datetime | None = None
    keys_as_of: datetime | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """``facts`` and ``now`` are None where nothing may be shown."""

    kind: str
    facts: SheetFacts | None
    evidence: Evidence
    now: PlatformNow | None = None

    @property
    def colour(self) -> str:
        """green, amber, red or grey."""
        return COLOURS[self.kind]


class _NotOurs(Exception):
    """These bytes are not one of our sheets."""


def sheet_keys(roots_body: Mapping[str, Any]) -> tuple[SheetKey, ...]:
    """The keys of purpose ``sheets`` from the verified body of the roots downlink (FORMATS 7)."""
    keys: list[SheetKey] = []
    for entry in roots_body.get("keys", ()):
        if entry["purpose"] == "sheets":
            spki = base64.b64decode(entry["spki"])
            kid = hashlib.sha256(spki).digest()[:8]
            keys.append(SheetKey(kid, spki, _moment(entry["not_before"]), _moment(entry["not_after"]), entry["state"]))
    return tuple(keys)


def judge(
    untrusted: bytes,
    keys: Sequence[SheetKey],
    now: datetime,
    *,
    practice: bool,
    online: Mapping[str, Any] | None = None,
    status: StatusList | None = None,
    keys_as_of: datetime | None = None,
) -> Verdict:
    """The verdict about a code's bytes.

    ``now`` is aware UTC. ``online`` is the payload of a sheet-status envelope whose signature and purpose were checked (``sync.envelope``);
    it overrides ``status``, the offline list. Never raises for what the code holds.
    """
    digest = "sha256:" + hashlib.sha256(untrusted).hexdigest()
    blank = Evidence("format", digest, keys_as_of=keys_as_of)
    try:
        protected, payload, signature, algorithm, kid = _cose(untrusted)
        facts = _facts(payload)
    except _NotOurs:
        return Verdict("not_ours", None, blank)
    evidence = Evidence("", digest, kid.hex(), keys_as_of=keys_as_of)
    if algorithm != ES256:
        return Verdict("unknown_key", None, _because(evidence, "algorithm"))
    fitting = [key for key in keys if key.kid == kid]
    if not fitting:
        return Verdict("unknown_key", None, _because(evidence, "key"))
    signed = cbor2.dumps(["Signature1", protected, b"", payload])
    key = next((each for each in fitting if _fits(each, signed, signature)), None)
    if key is None:
        return Verdict("forged", None, _because(evidence, "signature"))
    evidence = Evidence("", digest, kid.hex(), key.state, keys_as_of=keys_as_of)
    return _judged(facts, key, evidence, now, practice, online, status)


def _judged(
    facts: SheetFacts, key: SheetKey, evidence: Evidence, now: datetime, practice: bool, online: Mapping[str, Any] | None, status: StatusList | None
) -> Verdict:
    """A signed sheet: is its key still good, is it of this world, is it still current."""
    if key.state not in ("good", "retired"):
        return Verdict("revoked", None, _because(evidence, "key_revoked"))
    if facts.practice != practice:
        return Verdict("practice_mix", None, _because(evidence, "practice"))
    if not key.not_before.date() <= facts.issued <= key.not_after.date() or facts.issued > (now + timedelta(days=1)).date():
        return Verdict("forged", None, _because(evidence, "key_window"))
    answer = _platform(online, facts.number, now)
    if answer is not None:
        evidence = _because(evidence, "ok", asked_at=answer.as_of)
        if answer.state == "revoked":
            return Verdict("revoked", _impersonal(facts), _because(evidence, "revoked"))
        if answer.state == "expired" or facts.valid_until < now.date():
            return Verdict("expired", _impersonal(facts), _because(evidence, "expired"))
        if answer.state == "superseded":
            return Verdict("superseded", facts, _because(evidence, "newer"), answer)
        if _differs(facts, answer):
            return Verdict("superseded", facts, _because(evidence, "facts_differ"), answer)
        return Verdict("valid", facts, evidence, answer)
    revoked = status.revoked(facts.status_index) if status is not None else None
    if status is not None:
        evidence = _because(evidence, "", status_as_of=status.as_of)
    if revoked:
        return Verdict("revoked", _impersonal(facts), _because(evidence, "revoked"))
    if facts.valid_until < now.date():
        return Verdict("expired", _impersonal(facts), _because(evidence, "expired"))
    return Verdict("valid_unchecked", facts, _because(evidence, "list" if revoked is False else "not_asked"))


def _cose(untrusted: bytes) -> tuple[bytes, bytes, bytes, int, bytes]:
    """protected, payload, signature, algorithm, kid of a strict COSE_Sign1. Raises _NotOurs."""
    if len(untrusted) > MOST_TEXT or not untrusted.startswith(PREFIX):
        raise _NotOurs
    text = untrusted[len(PREFIX) :]
    if not _BASE45.fullmatch(text):
        raise _NotOurs
    try:
        data = base45.b45decode(text)
        again = base45.b45encode(data)
    except (ValueError, OverflowError) as error:
        raise _NotOurs from error
    if again != text:
        raise _NotOurs
    outer = _decoded(data)
    if not isinstance(outer, cbor2.CBORTag) or outer.tag != 18:
        raise _NotOurs
    parts: object = outer.value
    if not isinstance(parts, Sequence) or isinstance(parts, str | bytes):
        raise _NotOurs
    members = tuple(cast("Sequence[object]", parts))
    if len(members) != 4 or members[1] != {}:
        raise _NotOurs
    protected, _open, payload, signature = members
    if not isinstance(protected, bytes) or not isinstance(payload, bytes) or not isinstance(signature, bytes) or len(signature) != 64:
        raise _NotOurs
    header = _map(_decoded(protected))
    algorithm, kid = header.get(1), header.get(4)
    if set(header) != {1, 4} or type(algorithm) is not int or algorithm not in (ES256, SM2) or not isinstance(kid, bytes) or len(kid) != 8:
        raise _NotOurs
    return protected, payload, signature, algorithm, kid


def _decoded(data: bytes) -> object:
    """CBOR in deterministic encoding: what does not come out the same again (duplicate keys, trailing bytes, other lengths) is refused."""
    try:
        value: object = cbor2.loads(data)
        again = cbor2.dumps(value, canonical=True)
    except Exception as error:  # the decoder's own errors are many (nesting, lengths, tags that it turns into objects)
        raise _NotOurs from error
    if again != data:
        raise _NotOurs
    return value


def _map(value: object) -> dict[int, object]:
    if not isinstance(value, dict) or any(type(key) is not int for key in cast("dict[object, object]", value)):
        raise _NotOurs
    return cast("dict[int, object]", value)


def _facts(payload: bytes) -> SheetFacts:
    """The signed map with allow-listed keys, types and lengths. Raises _NotOurs."""
    given = _map(_decoded(payload))
    if set(given) - set(range(1, 14)) or set(range(1, 13)) - {5} - set(given):
        raise _NotOurs
    if 13 in given and given[13] is not True:
        raise _NotOurs
    kind, digest, categories = _count(given[2], 2), given[12], given[6]
    if kind < 1 or not isinstance(digest, bytes) or len(digest) != 16 or not isinstance(categories, list | tuple):
        raise _NotOurs
    many = cast("Sequence[object]", categories)
    if len(many) > 16:
        raise _NotOurs
    return SheetFacts(
        number=_text(given[1], 32), kind=kind, name=_text(given[3], 40), masked=_text(given[4], 20),
        employer=_text(given[5], 80) if 5 in given else None, categories=tuple(_count(each, 999) for each in many),
        good=_count(given[7], 99_999), bad=_count(given[8], 99_999), issued=_day(given[9]), valid_until=_day(given[10]),
        status_index=_count(given[11], 2**40), content_digest=digest, practice=13 in given,
    )  # fmt: skip


def _text(value: object, longest: int) -> str:
    """Shown on screen: no control, format or unassigned characters (they could turn the line round), in NFC."""
    if not isinstance(value, str) or not 1 <= len(value) <= longest or unicodedata.normalize("NFC", value) != value:
        raise _NotOurs
    if any(unicodedata.category(letter) in ("Cc", "Cf", "Cn", "Cs", "Zl", "Zp") for letter in value):
        raise _NotOurs
    return value


def _count(value: object, most: int) -> int:
    if type(value) is not int or not 0 <= value <= most:
        raise _NotOurs
    return value


def _day(value: object) -> date:
    return EPOCH + timedelta(days=_count(value, 80_000))


def _fits(key: SheetKey, signed: bytes, signature: bytes) -> bool:
    try:
        public = load_der_public_key(key.spki)
        if not isinstance(public, ec.EllipticCurvePublicKey) or public.curve.name != "secp256r1":
            return False
        pair = encode_dss_signature(int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big"))
        public.verify(pair, signed, ec.ECDSA(SHA256()))
    except (InvalidSignature, ValueError):
        return False
    return True


def _platform(online: Mapping[str, Any] | None, number: str, now: datetime) -> PlatformNow | None:
    """The platform's answer where it is about this sheet and fresh; else None: then it was not asked."""
    if online is None or online.get("type") not in ("hall-intake/sheet-status/1", "hall-intake/practice-sheet-status/1") or online.get("number") != number:
        return None
    state, facts, newer = online.get("state"), online.get("facts"), online.get("newer")
    if state not in ("current", "superseded", "revoked", "expired") or not isinstance(facts, Mapping):
        return None
    try:
        as_of = _moment(cast("str", online.get("as_of")))
    except (TypeError, ValueError):
        return None
    if abs(now - as_of) > FRESH:
        return None
    told = cast("Mapping[str, object]", facts)
    words = [value if isinstance(value := told.get(member), str) and len(value) <= 80 else None for member in ("name", "masked", "employer")]
    counts = [value if type(value := told.get(member)) is int and value >= 0 else None for member in ("good", "bad")]
    return PlatformNow(str(state), words[0], words[1], words[2], counts[0], counts[1], newer if isinstance(newer, str) and len(newer) <= 32 else None, as_of)


def _differs(facts: SheetFacts, answer: PlatformNow) -> bool:
    """A member that the platform did not send is not a difference."""
    pairs = ((facts.name, answer.name), (facts.masked, answer.masked), (facts.good, answer.good), (facts.bad, answer.bad))
    return any(there is not None and here != there for here, there in pairs) or (answer.employer is not None and facts.employer != answer.employer)


def _impersonal(facts: SheetFacts) -> SheetFacts:
    return SheetFacts(
        facts.number, facts.kind, None, None, None, (), None, None, facts.issued, facts.valid_until, facts.status_index, facts.content_digest, facts.practice
    )


def _because(evidence: Evidence, why: str, *, asked_at: datetime | None = None, status_as_of: datetime | None = None) -> Evidence:
    return Evidence(
        why, evidence.code_digest, evidence.kid, evidence.key_state, asked_at or evidence.asked_at, status_as_of or evidence.status_as_of, evidence.keys_as_of
    )


def _moment(text: str) -> datetime:
    """``2026-11-22T06:00:00Z`` as aware UTC. Raises ValueError, TypeError."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
