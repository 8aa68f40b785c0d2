"""Receipts: every member counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from sync.canon import digest
from sync.errors import ReceiptMismatch
from sync.receipt import MEMBERS, check


@dataclass(frozen=True)
class Row:
    record_id: str = "0b0e4e2e-95a4-4f4b-9d6e-53f8d0a4c001"
    origin: str = ""
    packet_digest: str = digest(b"packet")
    record_digest: str = digest(b"record")
    signature: bytes = b"signature"


@dataclass(frozen=True)
class Who:
    station_id: str = "5a0e4e2e-95a4-4f4b-9d6e-53f8d0a4c002"
    province: str = "51"
    practice: bool = False


def receipt(**changes: Any) -> dict[str, Any]:
    row, who = Row(), Who()
    return {"type": "hall-intake/receipt/1", "province": who.province, "station_id": who.station_id, "record_id": row.record_id,
            "packet_digest": row.packet_digest, "record_digest": row.record_digest, "signature_digest": digest(row.signature),
            "received_at": "2026-11-22T06:00:00Z", "serial": "R-20261122-000001",
            "state": "received", **changes}


def test_the_right_receipt_passes() -> None:
    check(receipt(), Row(), Who())
    check(receipt(type="hall-intake/practice-receipt/1"), Row(), Who(practice=True))


@pytest.mark.parametrize("member", MEMBERS)
def test_every_member_is_compared(member: str) -> None:
    for wrong in ("x" * 65, "", None, 7):
        with pytest.raises(ReceiptMismatch) as caught:
            check(receipt(**{member: wrong}), Row(), Who())
        assert caught.value.facts["member"] == member
    missing = receipt()
    del missing[member]
    with pytest.raises(ReceiptMismatch):
        check(missing, Row(), Who())


def test_a_carried_record_has_the_receipt_of_its_own_station() -> None:
    row = Row(origin="6a0e4e2e-95a4-4f4b-9d6e-53f8d0a4c003")
    check(receipt(station_id=row.origin), row, Who())
    with pytest.raises(ReceiptMismatch):
        check(receipt(), row, Who())


def test_practice_and_earnest_do_not_mix() -> None:
    with pytest.raises(ReceiptMismatch):
        check(receipt(), Row(), Who(practice=True))
    with pytest.raises(ReceiptMismatch):
        check(receipt(type="hall-intake/practice-receipt/1"), Row(), Who())


def test_foreign_members_and_unsigned_rows_are_refused() -> None:
    with pytest.raises(ReceiptMismatch):
        check(receipt(note="also"), Row(), Who())
    with pytest.raises(ReceiptMismatch):
        check(receipt(signature_digest=digest(b"")), Row(signature=b""), Who())
