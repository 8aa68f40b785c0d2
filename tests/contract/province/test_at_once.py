"""The same submission many times at once, and from a store that was put back to every earlier step: one record, one serial."""

from __future__ import annotations

import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sync.errors import ProvinceTrouble
from sync.province import Province
from sync.store import Store
from tests.contract.province.hall import HallStation, came_in
from tests.emulators.province_run import ProvinceRun

pytestmark = pytest.mark.timeout(180)


def test_one_submission_eight_times_at_once_is_one_record_with_one_receipt(hall: HallStation, province: ProvinceRun) -> None:
    record_id = hall.keep()
    hall.drive(record_id, "uploaded")
    row = hall.row(record_id)

    def submit(_number: int) -> bytes:
        own = Province(hall.station, limits=hall.limits)
        try:
            while True:
                try:
                    return own.submit(row, row.upload_id)
                except ProvinceTrouble as trouble:  # the packet is in another request's hands: later
                    assert trouble.facts["why"] == "upload.busy"
                    time.sleep(0.02)
        finally:
            own.close()

    with ThreadPoolExecutor(8) as lanes:
        receipts = set(lanes.map(submit, range(8)))
    assert len(receipts) == 1 and came_in(province, record_id) == 1
    hall.drive(record_id, "receipted")
    assert hall.row(record_id).receipt in receipts


@pytest.mark.parametrize("step", ["kept", "uploading", "uploaded"])
def test_a_store_that_is_put_back_to_any_step_gets_the_same_receipt(hall: HallStation, province: ProvinceRun, tmp_path: Path, step: str) -> None:
    record_id = hall.keep()
    hall.drive(record_id, step)
    hall.close()
    shutil.copytree(hall.folder, tmp_path / "backup")
    hall.store = Store.open(hall.folder, hall._key)
    hall._build()
    hall.drive(record_id, "receipted")
    back = HallStation.over(tmp_path / "backup", hall)
    try:
        assert back.row(record_id).state == step
        back.drive(record_id, "receipted")
        assert back.row(record_id).receipt == hall.row(record_id).receipt and came_in(province, record_id) == 1
    finally:
        back.close()
