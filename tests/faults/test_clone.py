"""A store that was copied: on the same machine the copy is turned away, on another one the province notices; nothing is lost or taken twice by it."""

from __future__ import annotations

import copy
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from sync import oslock
from sync.errors import StoreInUse
from sync.news import News
from sync.store import Store
from tests.contract.province.hall import HallStation, People, came_in, open_lists
from tests.emulators.province_run import ProvinceRun
from tests.emulators.records import new_recipient, open_room
from tests.faults.checker import faults_after, readable_files
from tests.faults.table import Outcome

pytestmark = pytest.mark.timeout(180)
FAULT = "two stations with a cloned store"
BESIDE = "a copied folder beside its original"


@pytest.fixture(scope="module")
def province(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ProvinceRun, People]]:
    people = People(tmp_path_factory.mktemp("people") / "ca")
    with people.province(tmp_path_factory.mktemp("province") / "p") as running:
        open_lists(running)
        yield running, people


def test_a_copied_folder_is_not_opened_beside_its_original(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, outcome: Outcome) -> None:
    key, to = bytes(32), new_recipient("test")[1]
    with open_room(tmp_path / "one", key, to) as room:
        kept = [f"{room.keep(1)} 1"]
        shutil.copytree(tmp_path / "one", tmp_path / "two")
        with pytest.raises(StoreInUse):
            Store.open(tmp_path / "two", key)
        with monkeypatch.context() as alone:
            alone.setattr(oslock, "_claim", lambda name: lambda: None)
            Store.open(tmp_path / "two", key).close()
            outcome.control(BESIDE, "looks at the folder's own lock only (opens both)", True)
        with pytest.raises(StoreInUse):
            Store.open(tmp_path / "two", key)
    faults = [*faults_after(tmp_path / "one", key, to, kept), *faults_after(tmp_path / "two", key, to, kept)]
    outcome.ran(BESIDE, 2, faults, len(kept))
    assert faults == []


@pytest.mark.expects_log("journal head refused")
@pytest.mark.parametrize("tells", [True, False])
def test_a_store_cloned_to_another_machine_is_noticed_and_loses_nothing(tmp_path: Path, province: tuple[ProvinceRun, People], tells: bool,
                                                                        outcome: Outcome) -> None:
    running, people = province
    hall = HallStation(tmp_path / "home", people, running)
    try:
        before = hall.keep()
        hall.close()
        clone = copy.copy(hall)
        clone.folder = Path(shutil.copytree(hall.folder, tmp_path / "clone"))
        hall.reopen()
        mine = hall.keep()
        for record_id in (before, mine):
            hall.drive(record_id, "receipted")
        assert hall.courier.refresh() and hall.courier.status().last_error_code == ""
        hall.close()
        clone.reopen()
        theirs = clone.keep()
        if not tells:  # the control: a station that does not tell its journal's head is not noticed
            clone.courier._news = News(clone.store, clone.outbox)
        clone.courier.refresh()
        assert clone.courier.status().last_error_code == ("province.refused" if tells else "")
        if tells:
            while clone.courier.status().last_error_code == "province.refused" and clone.courier.step():
                continue
            assert clone.courier.status().last_error_code == "province.station_cloned" and clone.row(theirs).state in ("kept", "uploading")
            running.desk("POST", "/stations/release", station_id=hall.station.station_id)  # people looked
            clone.pass_time(600)
        for record_id in (before, theirs):
            clone.drive(record_id, "receipted")
        assert clone.row(before).receipt is not None
        counts = {one: came_in(running, one) for one in (before, mine, theirs)}
        clone.close()
        hall.reopen()
        hall.outbox.check_packet(mine)
        faults = [*readable_files(hall.folder, clone.folder), *(f"{'twice' if count else 'lost'}: {one}" for one, count in counts.items() if count != 1)]
        assert not faults
        if tells:
            outcome.ran(FAULT, 1, faults, 3)
        else:
            outcome.control(FAULT, "does not tell its journal's head (the clone is not noticed)", True)
    finally:
        hall.close()
