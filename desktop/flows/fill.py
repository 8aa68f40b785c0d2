"""The one place where devices meets sync: what a card says becomes values of a draft. Never overwrites a typed value of another field, never judges."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from devices.cards.contract import CardRead, ReadEvidence
from devices.cards.idcard import IdentityCard, document_type
from sync.draft import Draft, Source, Value, time_text

__all__ = ["CHIP_PATHS", "card_evidence", "card_values", "fill"]

CHIP_PATHS = (
    "person.name_zh", "person.name_latin", "person.id_doc_type", "person.id_doc_no", "person.sex", "person.birth_date", "person.nation", "person.id_address",
    "person.newest_address", "person.id_issuer", "person.id_valid_from", "person.id_valid_to", "person.id_valid_long", "person.nationality",
    "person.travel_permit_no",
)
"""Everything that a chip may give: what a card leaves out is emptied, so that nothing of another card stays behind."""


def card_values(card: IdentityCard) -> dict[str, Value]:
    """The card's values by draft path; blanks are left out. 长期 is the flag and no date (the project's card notes, section 4)."""
    values: dict[str, Value] = {
        "person.name_zh": card.name_zh, "person.name_latin": card.name_latin, "person.id_doc_type": document_type(card), "person.id_doc_no": card.number,
        "person.sex": card.sex, "person.birth_date": card.birth_date.isoformat() if card.birth_date else "", "person.nation": card.nation,
        "person.id_address": card.address, "person.newest_address": card.newest_address, "person.id_issuer": card.issuer,
        "person.id_valid_from": card.valid_from.isoformat() if card.valid_from else "",
        "person.id_valid_to": card.valid_to.isoformat() if card.valid_to else "", "person.nationality": card.nationality,
        "person.travel_permit_no": card.travel_permit_no,
    }
    if card.valid_long:
        values["person.id_valid_long"] = True
    return {path: value for path, value in values.items() if value != ""}


def card_evidence(evidence: ReadEvidence) -> dict[str, str]:
    """Member ``evidence.card`` of FORMATS section 1."""
    return {"sam": evidence.sam, "reader": evidence.reader, "profile": evidence.profile, "read_at": time_text(evidence.read_at),
            "raw_digest": evidence.raw_digest}


def fill(draft: Draft, read: CardRead, *, by: str, at: datetime) -> Draft:
    """The draft with everything that the card says, source chip; ``by`` = the operator's id, ``at`` aware."""
    values = card_values(read.card)
    for path in CHIP_PATHS:
        draft = draft.take(path, values.get(path, ""), Source.CHIP, by=by, at=at, device=read.evidence.reader)
    return replace(draft, card=card_evidence(read.evidence))
