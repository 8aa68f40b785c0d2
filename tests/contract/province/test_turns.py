"""Who goes first: large packets and small messages have turns of their own; no record holds another up."""

from __future__ import annotations

import pytest

import sync.courier
from sync.upload import PART
from tests.contract.province.hall import HallStation, came_in
from tests.emulators.province_run import ProvinceRun

pytestmark = pytest.mark.timeout(180)


def test_a_large_packet_lets_small_ones_pass(hall: HallStation, province: ProvinceRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sync.courier, "SLICE_S", 0.0)  # a turn is one part
    large = hall.keep(size=8 * PART)
    hall.drive(large, "uploading")
    hall.courier.step()
    assert (hall.row(large).state, hall.row(large).upload_offset) == ("uploading", PART)
    small = hall.keep()
    for _ in range(6):  # a turn takes seconds in earnest
        hall.pass_time(2)
        hall.courier.step()
    assert hall.row(small).state == "receipted"
    assert hall.row(large).state == "uploading"
    hall.drive(large, "receipted")
    assert [came_in(province, one) for one in (large, small)] == [1, 1] and hall.row(large).tries == 0


def test_what_is_up_is_handed_in_before_the_next_packet_goes_out(hall: HallStation) -> None:
    records = [hall.keep() for _ in range(3)]
    while not any(hall.row(one).state == "receipted" for one in records):
        hall.courier.step()
    assert sum(hall.row(one).sent_at is not None for one in records) == 1
