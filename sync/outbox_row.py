"""One row of the outbox as a frozen fact. Never reads or writes the store itself."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple

__all__ = ["COLUMNS", "RETURNED", "Act", "CarriedRow", "OutboxRow", "Summary", "acts_json", "acts_text", "row_of"]

COLUMNS = ("record_id, owner, state, state_before, reason, name, id_tail, categories, packet_blob, packet_digest, packet_size, record_digest, signature, acts,"
           " upload_id, upload_offset, tries, last_error, last_detail, next_try_at, kept_at, sent_at, receipted_at, receipt, remote_state, remote_at,"
           " remote_until, remote_items, origin, replaced_by, revision, amends, amended_by")
"""The columns that ``row_of`` takes, in order."""
_REFUSAL = re.compile(r"status \d{3}: (\S{1,64})")
RETURNED = ("correction_required", "refused")
"""States of the province that ask for a correction; the partial index of schema 003 names them too."""


class Act(NamedTuple):
    """A further person's act over the record and its detached signature (FORMATS section 3), exact bytes."""

    act: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Summary:
    """What a list shows of a person: name, the last four characters of the document number, category codes. Empty once purged."""

    name: str = field(repr=False)
    id_tail: str = field(repr=False)
    categories: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """A kept record. Sizes and offsets in bytes; times aware UTC; ``receipt`` and ``signature`` exact bytes; ``remote_items``: path and text."""

    record_id: str
    owner: str
    state: str
    summary: Summary
    packet_blob: str
    packet_digest: str
    packet_size: int
    record_digest: str
    signature: bytes = field(repr=False)
    acts: tuple[Act, ...] = field(repr=False)
    upload_id: str
    upload_offset: int
    tries: int
    last_error: str
    next_try_at: datetime
    kept_at: datetime
    sent_at: datetime | None = None
    receipted_at: datetime | None = None
    receipt: bytes | None = field(default=None, repr=False)
    remote_state: str = ""
    remote_at: datetime | None = None
    remote_until: date | None = None
    remote_items: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    state_before: str = ""
    reason: str = ""
    last_detail: str = ""
    origin: str = ""
    """The station that sealed the packet, where it was carried here from another one."""
    replaced_by: str = ""
    """The record that was kept in the place of this one, where it was repaired (state ``replaced``)."""
    revision: int = 1
    amends: str = ""
    """The record that this one corrects."""
    amended_by: str = ""
    """The record that corrects this one."""

    @property
    def returned(self) -> bool:
        """The province has it and wants it corrected, and no correction was kept."""
        return self.remote_state in RETURNED and self.state in ("receipted", "purged") and not self.amended_by

    @property
    def refusal(self) -> str:
        """The province's own code of the last refusal (of ``sync.wire.trouble_of``), or nothing where it said none."""
        said = _REFUSAL.fullmatch(self.last_detail)
        return said[1] if said is not None else ""


@dataclass(frozen=True, slots=True)
class CarriedRow:
    """A row on its way between stations (FORMATS section 14): what of an OutboxRow is not of one machine only."""

    record_id: str
    origin: str
    owner: str
    state: str
    reason: str
    kept_at: datetime
    packet_digest: str
    packet_size: int
    record_digest: str
    signature: bytes = field(repr=False)
    acts: tuple[Act, ...] = field(repr=False)
    summary: Summary


def row_of(values: Sequence[Any]) -> OutboxRow:
    """The row of the values of COLUMNS."""
    v = dict(zip(COLUMNS.split(", "), values, strict=True))
    return OutboxRow(
        record_id=v["record_id"], owner=v["owner"], state=v["state"],
        summary=Summary(v["name"], v["id_tail"], tuple(c for c in v["categories"].split(",") if c)),
        packet_blob=v["packet_blob"] or "", packet_digest=v["packet_digest"], packet_size=v["packet_size"], record_digest=v["record_digest"],
        signature=bytes(v["signature"]), acts=_acts(v["acts"]), upload_id=v["upload_id"], upload_offset=v["upload_offset"], tries=v["tries"],
        last_error=v["last_error"], next_try_at=datetime.fromisoformat(v["next_try_at"]), kept_at=datetime.fromisoformat(v["kept_at"]),
        sent_at=_time(v["sent_at"]), receipted_at=_time(v["receipted_at"]), receipt=None if v["receipt"] is None else bytes(v["receipt"]),
        remote_state=v["remote_state"], remote_at=_time(v["remote_at"]), remote_until=date.fromisoformat(v["remote_until"]) if v["remote_until"] else None,
        remote_items=tuple((path, text) for path, text in json.loads(v["remote_items"])),
        state_before=v["state_before"], reason=v["reason"], last_detail=v["last_detail"], origin=v["origin"],
        replaced_by=v["replaced_by"], revision=v["revision"], amends=v["amends"], amended_by=v["amended_by"])


def acts_json(acts: Sequence[Act]) -> list[dict[str, str]]:
    """Acts as FORMATS section 6 writes them."""
    return [{"act": base64.b64encode(one.act).decode("ascii"), "signature": base64.b64encode(one.signature).decode("ascii")} for one in acts]


def acts_text(acts: Sequence[Act]) -> str:
    """Acts as the row keeps them: the JSON of ``acts_json``."""
    return json.dumps(acts_json(acts))


def _acts(text: str) -> tuple[Act, ...]:
    return tuple(Act(base64.b64decode(one["act"]), base64.b64decode(one["signature"])) for one in json.loads(text))


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
