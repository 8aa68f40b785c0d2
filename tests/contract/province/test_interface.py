"""What the client asks is what the text of the interface says; every other contract test is held to it, too (``HallStation.close``)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from sync.errors import ProvinceRefused
from sync.renewal import renew
from tests.contract.province.hall import HallStation
from tests.contract.province.interface import METHODS, TEXT, Interface
from tests.emulators.province_run import ProvinceRun

NOT_ASKED = {"descriptor", "packetOptions", "packetDrop"}
"""For people, other clients and tests: this client never needs them."""


def test_every_operation_that_the_client_uses_is_in_the_text_and_the_other_way_round(hall: HallStation, province: ProvinceRun) -> None:
    record = hall.keep(size=2_000_000)
    hall.begin(record)
    hall.drive(record, "receipted")
    province.desk("POST", "/tables", table="degree", edition="2", rows=[["1", "练习", "Practice"]])
    hall.courier.refresh()
    hall.province.record(record)
    assert hall.province.revocations().digests == ()
    with pytest.raises(ProvinceRefused):
        hall.province.revocation(hall.row(record).packet_digest)
    renew(hall.province, hall.store, hall.station, datetime.now(UTC))
    made = province.desk("POST", "/sheets", kind=1, name="练习人", masked="5101**********0012", employer="", good=0, bad=0)
    hall.province.sheet(made["number"])
    renew(hall.province, hall.store, hall.station, datetime.now(UTC))
    every = {op["operationId"] for item in TEXT["paths"].values() for name, op in item.items() if name in METHODS}
    assert hall.interface.asked == every - NOT_ASKED and hall.interface.misfits == []


def test_the_holding_bites() -> None:
    good = {"Tus-Resumable": "1.0.0", "Upload-Length": "5", "Upload-Metadata": "record_id YQ==,digest YQ=="}
    url = "https://x/v1/packets"
    wrong = [
        ("POST", url, {**good, "Tus-Resumable": "0.9"}, b""), ("POST", url, {**good, "Upload-Length": "0"}, b""),
        ("POST", url, {**good, "Upload-Length": "x"}, b""),
        ("POST", url, {name: value for name, value in good.items() if name != "Upload-Metadata"}, b""), ("POST", url, good, b"body"),
        ("GET", url, {}, b""), ("GET", "https://x/v1/records/not-a-uuid", {}, b""), ("GET", "https://x/v1/downlink/states?since=-1", {}, b""),
        ("GET", "https://x/v1/downlink/states?until=1", {}, b""), ("PUT", "https://x/v1/records/0b0e4e2e-95a4-4f4b-9d6e-53f8d0a4c001",
                                                                     {"Content-Type": "application/json"}, b'{"type": "hall-intake/submission/1"}'),
        ("POST", "https://x/v1/journal-heads", {"Content-Type": "text/plain"}, b"{}"),
    ]
    right = Interface()
    right.check_request("POST", url, good, b"")
    assert right.misfits == [] and right.asked == {"packetCreate"}
    for one in wrong:
        held = Interface()
        held.check_request(*one)
        assert held.misfits, one
