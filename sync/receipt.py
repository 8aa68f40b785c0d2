"""Compares a receipt, member by member, with what this station sent. Never opens an envelope, never marks a row."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

from sync.canon import digest, parse_json
from sync.errors import FormatTrouble, ReceiptMismatch
from sync.members import parse_time

__all__ = ["Receipted", "Sent", "check", "received_at"]

MEMBERS = ("type", "province", "station_id", "record_id", "packet_digest", "record_digest", "signature_digest", "received_at", "serial", "state")


class Sent(Protocol):
    """What of an outbox row a receipt speaks of."""

    @property
    def record_id(self) -> str: ...
    @property
    def origin(self) -> str: ...
    @property
    def packet_digest(self) -> str: ...
    @property
    def record_digest(self) -> str: ...
    @property
    def signature(self) -> bytes: ...


class Receipted(Protocol):
    """What of the station a receipt speaks of."""

    @property
    def station_id(self) -> str: ...
    @property
    def province(self) -> str: ...
    @property
    def practice(self) -> bool: ...


def received_at(envelope: bytes) -> datetime | None:
    """The province's own time in a receipt that was verified and kept; None where there is none to be read."""
    try:
        payload = parse_json(base64.b64decode(str(parse_json(envelope, "receipt")["payload"]), validate=True), "receipt")
        return parse_time(payload.get("received_at"), "received_at")
    except (FormatTrouble, KeyError, ValueError):
        return None


def check(receipt_payload: Mapping[str, Any], row: Sent, station: Receipted) -> datetime:
    """When the province received it, by its clock, once every member of FORMATS section 5 fits.

    Raises ReceiptMismatch with the fact ``member`` for the first that differs, is missing or is foreign.
    """
    if not row.signature or not row.record_digest:
        raise ReceiptMismatch("a receipt for a record that was never signed", member="signature_digest")
    expected = {
        "type": "hall-intake/practice-receipt/1" if station.practice else "hall-intake/receipt/1",
        "province": station.province, "station_id": row.origin or station.station_id, "record_id": row.record_id, "packet_digest": row.packet_digest,
        "record_digest": row.record_digest, "signature_digest": digest(row.signature), "state": "received",
    }
    for member, value in expected.items():
        if receipt_payload.get(member) != value:
            raise ReceiptMismatch(f"{member} is another one", member=member)
    serial = receipt_payload.get("serial")
    if not isinstance(serial, str) or not 0 < len(serial) <= 64:
        raise ReceiptMismatch("no serial", member="serial")
    try:
        received_at = parse_time(receipt_payload.get("received_at"), "received_at")
    except FormatTrouble as error:
        raise ReceiptMismatch("no time", member="received_at") from error
    if foreign := set(receipt_payload) - set(MEMBERS):
        raise ReceiptMismatch(f"foreign members {sorted(foreign)}", member=min(foreign))
    return received_at
