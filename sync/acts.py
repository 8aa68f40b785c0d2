"""A second person's act over a record: takeover, countersignature, supervision (FORMATS section 3). Never changes the record or its first signature.

``takeover``: a supervisor signs in place of a collector who can no longer; made before the record's signature, by the same hand. ``countersign`` and
``supervise``: another person stands by a signature that is there. An act is a small canonical object with a signature of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, cast

from sync.canon import canon, digest, nfc, parse_canonical
from sync.draft import time_text
from sync.errors import FormatTrouble, SyncTrouble
from sync.members import parse_time
from sync.outbox_row import Act
from sync.signing import USUAL, SignatureReport, Signer, Sm2Choice, certificate_facts, check_signature, make_signature
from sync.trust import Revocation

__all__ = ["ACT_KINDS", "REASON_LIMIT", "Act", "ActInvalid", "ActKind", "ActReport", "RecordVerdict", "Roles", "check_record", "make_act"]

ActKind = Literal["takeover", "countersign", "supervise"]
ACT_KINDS: tuple[ActKind, ...] = ("takeover", "countersign", "supervise")
MEMBERS = frozenset({"type", "act", "record", "first_signature", "reason", "actor", "claimed_at"})
REASON_LIMIT = 500
"""Characters of a reason at most."""

Roles = Callable[[str], frozenset[str]]
"""The roles of a person's id in the record's hall, empty for strangers (settings of the province)."""


class ActInvalid(SyncTrouble):
    """An act does not fit its record, its signature or its actor. Facts: why.

    ``why``: form, type, record (of another record), first-signature, reason, actor (another person signed it), collector (the collector's own), role,
    double (two of a kind by one person), or a word of ``SignatureReport.why``.
    """

    code = "act.invalid"


@dataclass(frozen=True, slots=True)
class ActReport:
    """An act that holds: who, what, why they said they did it, and their signature's report."""

    kind: ActKind
    actor_id: str
    actor_name: str
    reason: str = field(repr=False)
    claimed_at: datetime
    signature: SignatureReport = field(repr=False)


@dataclass(frozen=True, slots=True)
class RecordVerdict:
    """Who stands for a record. ``why`` is empty when ``signature`` is trusted and its signer is the collector, or took the record over; else a word of
    ``SignatureReport.why`` or ``signer`` (neither), ``role`` (the collector has no role here), ``type``.
    """

    signature: SignatureReport
    acts: tuple[ActReport, ...]
    why: str

    @property
    def holds(self) -> bool:
        return not self.why

    @property
    def taken_over(self) -> bool:
        return any(one.kind == "takeover" for one in self.acts)


def make_act(kind: ActKind, record: bytes, first_signature: bytes | None, reason: str, signer: Signer, claimed_at: datetime, choice: Sm2Choice = USUAL) -> Act:
    """The act of the person behind ``signer`` over these exact record bytes, signed and verified at once. ``claimed_at`` aware UTC.

    ``first_signature`` is the record's p7s, None for a takeover. Raises ``ActInvalid(why="reason" | "collector")`` before anything is signed, ValueError where
    the first signature is missing or too many, FormatTrouble for bytes that are no record, and what ``make_signature`` raises.
    """
    if (first_signature is None) is not (kind == "takeover"):
        raise ValueError("a takeover comes before the first signature, the others after it")
    told = nfc(reason).strip()
    if not told or len(told) > REASON_LIMIT:
        raise ActInvalid("a reason is needed", why="reason")
    parsed = parse_canonical(record, "record")
    facts = certificate_facts(signer.certificate)
    if facts.id == _collector(parsed).get("id"):
        raise ActInvalid("the collector's own record", why="collector")
    act = canon({
        "type": _act_type(parsed), "act": kind, "record": digest(record), "first_signature": None if first_signature is None else digest(first_signature),
        "reason": told, "actor": {"id": facts.id, "name": nfc(facts.name), "certificate": facts.digest}, "claimed_at": time_text(claimed_at),
    })  # fmt: skip
    return Act(act, make_signature(act, signer, claimed_at, choice))


def check_record(
    record: bytes, untrusted_signature: bytes, untrusted_acts: Sequence[Act], roots: Sequence[bytes], roles: Roles, moment: datetime | None = None,
    choice: Sm2Choice = USUAL, revocation: Revocation | None = None,
) -> RecordVerdict:
    """Does this record stand: its signature, its acts, and whether the right people made them (FORMATS section 3)? ``moment`` as for ``check_signature``.

    Raises ``ActInvalid`` for the first act that does not hold: a record with a false act is not a record with one act fewer.
    """

    def look(content: bytes, signature: bytes) -> SignatureReport:
        return check_signature(content, signature, roots, moment, choice, revocation)

    parsed = parse_canonical(record, "record")
    signature = look(record, untrusted_signature)
    acts = tuple(_check(one, parsed, digest(record), digest(untrusted_signature), roles, look) for one in untrusted_acts)
    if len({(one.kind, one.actor_id) for one in acts}) != len(acts):
        raise ActInvalid("two acts of a kind by one person", why="double")
    return RecordVerdict(signature, acts, _why_not(parsed, signature, acts, roles))


def _why_not(record: dict[str, Any], signature: SignatureReport, acts: Sequence[ActReport], roles: Roles) -> str:
    if not signature.trusted:
        return signature.why
    collector = _collector(record)
    if (collector.get("id"), collector.get("certificate")) == (signature.signer_id, signature.certificate_digest):
        return "" if "collector" in roles(signature.signer_id) else "role"
    return "" if any(one.kind == "takeover" and one.actor_id == signature.signer_id for one in acts) else "signer"


def _check(untrusted: Act, record: dict[str, Any], record_digest: str, signature_digest: str, roles: Roles,
           look: Callable[[bytes, bytes], SignatureReport]) -> ActReport:
    try:
        act = parse_canonical(untrusted.act, "act")
        actor = cast("dict[str, object]", act["actor"])
        kind, reason, claimed = act["act"], act["reason"], parse_time(act["claimed_at"], "claimed_at")
        whole = act.keys() == MEMBERS and actor.keys() == {"id", "name", "certificate"} and all(isinstance(one, str) for one in actor.values())
    except (FormatTrouble, KeyError, TypeError, ValueError, AttributeError):
        raise ActInvalid("not an act", why="form") from None
    _must(whole and kind in ACT_KINDS, "form")
    _must(isinstance(reason, str) and 0 < len(reason) <= REASON_LIMIT, "reason")
    _must(act["type"] == _act_type(record), "type")
    _must(act["record"] == record_digest, "record")
    _must(act["first_signature"] == (None if kind == "takeover" else signature_digest), "first-signature")
    report = look(untrusted.act, untrusted.signature)
    _must(report.trusted, report.why)
    _must((actor["id"], actor["certificate"]) == (report.signer_id, report.certificate_digest), "actor")
    _must(kind == "takeover" or report.signer_id != _collector(record).get("id"), "collector")
    _must("supervisor" in roles(report.signer_id), "role")
    return ActReport(kind, report.signer_id, str(actor["name"]), reason, claimed, report)


def _must(right: bool, why: str) -> None:
    if not right:
        raise ActInvalid(f"the act does not hold: {why}", why=why)


def _collector(record: dict[str, Any]) -> dict[str, Any]:
    found = record.get("collector")
    if not isinstance(found, dict):
        raise FormatTrouble("no collector", what="record")
    return cast("dict[str, Any]", found)


def _act_type(record: dict[str, Any]) -> str:
    """The type of acts over this record: practice acts over practice records, none over a presence."""
    types = {"hall-intake/record/1": "hall-intake/act/1", "hall-intake/practice-record/1": "hall-intake/practice-act/1"}
    try:
        return types[str(record.get("type"))]
    except KeyError:
        raise ActInvalid("no acts over such an object", why="type") from None
