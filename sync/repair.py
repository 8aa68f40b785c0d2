"""A record opened again as a sitting: values, provenance, evidence and attachments from the exact sealed bytes. Never signs or sends.

Two ways. One that was set aside is *repaired*: keeping the sitting ends the old one (``sync.replaced``), and whether the province has the old one after all is
asked before anything is opened, for two records of one registration must never come of it. One that the province has and returned is *corrected*: the sitting
amends it, and the old one stays. Throwing the sitting away leaves the old one as it was, either way.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sync.amends import Amends
from sync.canon import digest, parse_canonical
from sync.draft import Draft, time_text
from sync.errors import (
    CorrectionElsewhere,
    FormatTrouble,
    NotAllowed,
    PacketDamaged,
    ProvinceRefused,
    ProvinceTrouble,
    ReaderRefused,
    RepairElsewhere,
    RepairThere,
    SignatureInvalid,
    SignatureLate,
    StoreTrouble,
)
from sync.journal import Journal
from sync.outbox import Outbox, OutboxRow
from sync.outbox_row import COLUMNS, row_of
from sync.parked import Parked
from sync.seal import RECORD_PART, Part
from sync.sqlcipher import Connection

__all__ = ["Asks", "draft_of", "may_open", "record_of", "refused_for_good", "reopen"]

Asks = Callable[[str], bool]
"""Whether the province has a record by this id. Raises ProvinceTrouble where it does not say."""
_TYPES = ("hall-intake/record/1", "hall-intake/practice-record/1")
_FOR_GOOD = (ProvinceRefused.code, ReaderRefused.code, SignatureLate.code)
_OTHER = "record.other"
_ROW = re.compile(r"^([a-z_]+)\[(\d{1,2})\]\.([a-z_]+)$")


def refused_for_good(row: OutboxRow) -> bool:
    """Whether the province itself said, with a code, that it does not take this content: then it is not there. ``record.other`` says the opposite."""
    return row.reason in _FOR_GOOD and not row.last_detail.endswith(_OTHER)


def may_open(row: OutboxRow) -> bool:
    """Whether the record can be repaired or corrected: signed, and set aside or returned."""
    return bool(row.signature) and (row.state == "set_aside" or row.returned)


def reopen(outbox: Outbox, parked: Parked, journal: Journal, record_id: str, owner: str, asks: Asks, draft_id: str, at: datetime) -> str:
    """Opens ``owner``'s own record as the parked sitting ``draft_id``, whole or not at all; the id of the one that is open already, where there is one.

    Where the packet of what was set aside is damaged or gone the sitting is empty, and ``packet.damaged`` is from then on why it was set aside.

    Raises StoreTrouble (step ``state``: neither set aside nor returned, never signed, or corrected already), NotAllowed (another's), RepairElsewhere and
    CorrectionElsewhere (no key here), RepairThere (the province has what was set aside), ProvinceTrouble (it does not answer, and without its word a second
    record could come of it), PacketDamaged (of what was returned), FormatTrouble, DiskFull.
    """
    row = outbox.row(record_id, owner)
    if row is None or not may_open(row):
        raise StoreTrouble("not a signed record that was set aside or returned", step="state")
    open_ = parked.sitting_of(record_id)
    if open_:
        return open_
    elsewhere = CorrectionElsewhere if row.returned else RepairElsewhere
    if row.origin:
        raise elsewhere("sealed at another station")
    try:
        parts = () if row.state == "purged" else outbox.open_packet(record_id, owner)
    except NotAllowed as trouble:
        raise elsewhere("no key for it here") from trouble
    except PacketDamaged:
        if row.returned:
            raise
        outbox.set_aside(record_id, PacketDamaged.code, who=owner)
        parts = ()
    draft, contents = draft_of(row, parts, draft_id, at) if parts else (_empty(row, outbox.row(row.amends), draft_id, at), dict[str, bytes]())
    if not row.returned:
        _refuse_known(row, asks)

    def still_so(tx: Connection) -> None:
        found = tx.execute(f"SELECT {COLUMNS} FROM outbox WHERE record_id = ?", (record_id,)).fetchone()
        now = None if found is None else row_of(found)
        if now is None or not may_open(now) or now.returned != row.returned or now.state != row.state:
            raise StoreTrouble("not set aside or returned any more", step="state")
        journal.write(tx, owner, "record.correct" if row.returned else "record.repair", record_id, {"draft": draft_id})

    parked.put_whole(draft, contents, still_so)
    return draft_id


def _empty(row: OutboxRow, before: OutboxRow | None, draft_id: str, at: datetime) -> Draft:
    """The contents were forgotten or are damaged, the rows know what the new record must name: the person comes with card and papers again.

    ``before``: what the record itself corrects.
    """
    if row.returned:
        return Draft(draft_id, row.owner, at, amends=Amends(row.record_id, row.record_digest, row.revision + 1)).asked(row.remote_items, known=False)
    amends = Amends(before.record_id, before.record_digest, row.revision) if before is not None else None
    return Draft(draft_id, row.owner, at, replaces=row.record_id, amends=amends)


def _refuse_known(row: OutboxRow, asks: Asks) -> None:
    """Raises RepairThere where the province has the record; without an answer only a refusal for good goes on."""
    try:
        there = asks(row.record_id)
    except ProvinceTrouble:
        if not refused_for_good(row):
            raise
        return
    if there:
        raise RepairThere("the province has it")


def draft_of(row: OutboxRow, parts: Sequence[Part], draft_id: str, at: datetime) -> tuple[Draft, Mapping[str, bytes]]:
    """The draft of the exact bytes that were signed, and its stills' bytes by still id, in the manifest's order. ``at``: when the sitting begins.

    It amends the record where that was returned; where it is set aside, the draft replaces it and amends what it amended.

    Raises SignatureInvalid (why: content, attachment) where the packet is not what its row says, StoreTrouble (step ``state``) for what is no
    registration, FormatTrouble.
    """
    record, held = record_of(row, parts), {one.name: one.content for one in parts}
    if record.get("type") not in _TYPES:
        raise StoreTrouble("no registration", step="state")
    try:
        stills = [{"kind": one["kind"], "still_id": f"{draft_id}-{one['index']}", "media": one["media"], "size": one["size"], "sha256": one["sha256"],
                   "pages": one["pages"], "trust": one["trust"]} for one in record["attachments"]]
        contents = {f"{draft_id}-{one['index']}": held[one["name"]] for one in record["attachments"]}
        evidence = record["evidence"]
        members = {"draft_id": draft_id, "owner": row.owner, "created_at": time_text(at), "card": evidence["card"], "face": evidence["face"],
                   "entries": _entries(record), "stills": stills, "replaces": "" if row.returned else row.record_id, "amends": _amends(row, record)}
    except (KeyError, TypeError, IndexError, ValueError) as error:
        raise FormatTrouble("the record does not fit its format", what="record") from error
    if any(digest(contents[str(one["still_id"])]) != one["sha256"] for one in stills):
        raise SignatureInvalid("an attachment is not what the record says", why="attachment")
    return Draft.from_json(members).asked(row.remote_items if row.returned else ()), contents


def record_of(row: OutboxRow, parts: Sequence[Part]) -> dict[str, Any]:
    """The record in its packet. Raises SignatureInvalid (why: content) where it is not what the row says, FormatTrouble."""
    exact = next((one.content for one in parts if one.name == RECORD_PART), b"")
    if digest(exact) != row.record_digest:
        raise SignatureInvalid("the record is not what its row says", why="content")
    return parse_canonical(exact, "record")


def _amends(row: OutboxRow, record: Mapping[str, Any]) -> dict[str, Any] | None:
    if row.returned:
        return Amends(row.record_id, row.record_digest, int(record["revision"]) + 1).as_json()
    if record["amends"] is None:
        return None
    return Amends(record["amends"], record["prev_digest"], record["revision"]).as_json()


def _entries(record: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Each value with its provenance. Raises FormatTrouble where one would be left behind."""
    found = {path: {**entry, "value": _value(record, path)} for path, entry in record["provenance"].items()}
    values = 0
    for section in record["sections"].values():
        values += sum(map(len, section)) if isinstance(section, list) else len(section)  # pyright: ignore[reportUnknownArgumentType]
    if len(found) != values + bool(record["categories"]):
        raise FormatTrouble("values without a source", what="record")
    return found


def _value(record: Mapping[str, Any], path: str) -> Any:
    if path == "person.categories":
        return record["categories"]
    in_row = _ROW.match(path)
    if in_row:
        return record["sections"][in_row.group(1)][int(in_row.group(2))][in_row.group(3)]
    section, _, name = path.partition(".")
    return record["sections"][section][name]
