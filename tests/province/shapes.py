"""What members an object of the interface must have and of which kind. Never looks anything up: form only, no meaning.

A shape is a mapping of member name to a check; a check takes the untrusted value and says whether it fits.
Unknown members and missing members are refused, as FORMATS section 0 says for signed objects.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from tests.province.jcs import Refused, moment

__all__ = ["ACT", "ENROLMENT", "HEADER", "JOURNAL_HEAD", "PARTS", "RENEWAL", "SUBMISSION", "check", "check_presence", "check_record", "is_uuid"]

Check = Callable[[Any], bool]
UUID4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
PATH = re.compile(r"[a-z][a-z0-9_]*(\[\d{1,3}\])?(\.[a-z][a-z0-9_]*)?")
FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
CODE = re.compile(r"[A-Za-z0-9]{1,16}")


def text(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= 4000 and "\0" not in value  # no database takes a NUL


def filled(value: Any) -> bool:
    return text(value) and bool(value)


def matches(pattern: re.Pattern[str]) -> Check:
    return lambda value: isinstance(value, str) and pattern.fullmatch(value) is not None


is_uuid = matches(UUID4)
is_digest = matches(DIGEST)


def count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53


def a_time(value: Any) -> bool:
    try:
        moment(value)
    except Refused:
        return False
    return True


def among(*allowed: Any) -> Check:
    return lambda value: isinstance(value, str | int | bool | None) and value in allowed and type(value) in {type(a) for a in allowed}


def either(*checks: Check) -> Check:
    return lambda value: any(c(value) for c in checks)


def nothing(value: Any) -> bool:
    return value is None


def true_or_false(value: Any) -> bool:
    return isinstance(value, bool)


def many(one: Check, most: int = 1000) -> Check:
    return lambda value: isinstance(value, list) and len(value) <= most and all(one(item) for item in value)


def shape(members: Mapping[str, Check]) -> Check:
    return lambda value: isinstance(value, dict) and set(value) == set(members) and all(fits(value[name]) for name, fits in members.items())


def table(name: Check, one: Check) -> Check:
    return lambda value: isinstance(value, dict) and all(name(key) and one(item) for key, item in value.items())


SCALAR = either(filled, true_or_false, count, many(filled, 200))
ROW = table(matches(re.compile(r"[a-z][a-z0-9_]*")), SCALAR)
SECTIONS = table(matches(re.compile(r"[a-z][a-z0-9_]*")), either(ROW, many(ROW, 200)))
PERSON = shape({"id": filled, "name": filled, "certificate": either(is_digest, among(""))})
CARD = shape({"sam": filled, "reader": text, "profile": text, "read_at": a_time, "raw_digest": is_digest})
FACE = shape({"way": among("staff", "model"), "verdict": among("same", "different", "unsure"), "score": text, "model": either(is_digest, among(""))})
ATTACHMENT = shape(
    {
        "index": count,
        "kind": filled,
        "name": matches(FILE_NAME),
        "media": filled,
        "size": count,
        "sha256": is_digest,
        "pages": count,
        "trust": among("A", "B", "C", "D"),
    }
)
SOURCE = shape({"source": among("chip", "scan", "typed", "platform"), "by": text, "at": a_time, "device": text})

RECORD: dict[str, Check] = {
    "type": filled,
    "schema": among(1),
    "record_id": is_uuid,
    "revision": lambda v: count(v) and v >= 1,
    "amends": either(nothing, is_uuid),
    "prev_digest": either(nothing, is_digest),
    "station": shape({"id": is_uuid, "hall": filled, "window": filled}),
    "collector": PERSON,
    "purpose": filled,
    "claimed_at": a_time,
    "time_source": among("station-clock", "province-offset"),
    "labels": is_digest,
    "categories": many(matches(CODE), 20),
    "sections": SECTIONS,
    "provenance": table(matches(PATH), SOURCE),
    "evidence": shape({"card": either(nothing, CARD), "face": either(nothing, FACE)}),
    "attachments": many(ATTACHMENT, 200),
}
NOTICE = shape({"version": filled, "agreed_at": a_time, "face": among("agreed", "declined", "not-used")})
ACT: dict[str, Check] = {
    "type": filled,
    "act": among("takeover", "countersign", "supervise"),
    "record": is_digest,
    "first_signature": either(nothing, is_digest),
    "reason": filled,
    "actor": shape({"id": filled, "name": filled, "certificate": is_digest}),
    "claimed_at": a_time,
}
SUBMISSION: dict[str, Check] = {
    "type": among("hall-intake/submission/1"),
    "record_id": is_uuid,
    "station_id": is_uuid,
    "upload_id": is_uuid,
    "packet_digest": is_digest,
    "packet_size": count,
    "record_digest": is_digest,
    "signature": lambda v: isinstance(v, str) and bool(v),
    "acts": many(shape({"act": lambda v: isinstance(v, str), "signature": lambda v: isinstance(v, str)}), 8),
}
ENROLMENT: dict[str, Check] = {
    "type": among("hall-intake/enrolment/1"),
    "code_proof": filled,
    "csr": filled,
    "hall": filled,
    "window": filled,
    "machine": text,
    "claimed_at": a_time,
}
RENEWAL: dict[str, Check] = {"type": among("hall-intake/renewal/1"), "csr": filled, "claimed_at": a_time}
JOURNAL_HEAD: dict[str, Check] = {"type": among("hall-intake/journal-head/1"), "station_id": is_uuid, "size": count, "head": is_digest, "at": a_time}
WRAP = shape({"to": among("intake", "recovery"), "kid": filled, "alg": among("RSA-OAEP-256"), "key": filled})
HEADER: dict[str, Check] = {
    "type": among("hall-intake/packet/1"),
    "record_id": is_uuid,
    "station_id": is_uuid,
    "nonce": filled,
    "plain_size": count,
    "wraps": many(WRAP, 4),
}
PARTS: dict[str, Check] = {
    "type": among("hall-intake/parts/1"),
    "parts": many(shape({"name": matches(FILE_NAME), "size": count, "sha256": is_digest}), 201),
}


def check(value: dict[str, Any], members: Mapping[str, Check], code: str, status: int = 422) -> None:
    """Raise Refused(status, code) naming the members that are missing, unknown or of another kind; never their content."""
    wrong = sorted(set(members) - set(value)) + sorted(name for name in members if name in value and not members[name](value[name]))
    if set(value) - set(members):
        wrong.append("an unknown member")
    if wrong:
        raise Refused(status, code, "wrong members: " + ", ".join(wrong))


def check_record(value: dict[str, Any]) -> None:
    """Form of a record (FORMATS section 1). Raises Refused(422, ``record.format``)."""
    check(value, RECORD, "record.format")
    if (value["amends"] is None) != (value["prev_digest"] is None):
        raise Refused(422, "record.format", "amends and prev_digest come both or not at all")
    if [a["index"] for a in value["attachments"]] != list(range(1, len(value["attachments"]) + 1)):
        raise Refused(422, "record.format", "attachments are counted from 1")
    if value["categories"] != sorted(set(value["categories"])):
        raise Refused(422, "record.format", "categories are sorted and each is there once")


def check_presence(value: dict[str, Any]) -> None:
    """Form of a presence (FORMATS section 1.1). Raises Refused(422, ``record.format``)."""
    check({"notice": value.get("notice")}, {"notice": NOTICE}, "record.format")
    check_record({name: item for name, item in value.items() if name != "notice"})
    if set(value["sections"]) != {"person"} or value["categories"] or value["purpose"] != "自助实名核验":
        raise Refused(422, "record.format", "a presence has the section person only, no categories and its own purpose")
