"""What only PostgreSQL can get wrong: writers at once, a database that falls, the setting. Sweep only."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.emulators.postgres import Postgres, find_programs
from tests.unit.province import hand
from tests.unit.province.conftest import open_province

pytestmark = [pytest.mark.sweep, pytest.mark.timeout(300), pytest.mark.skipif(find_programs() is None, reason="no PostgreSQL server here")]


def test_writers_at_once_leave_no_gap_and_lose_nothing(tmp_path: Path, people: SimpleNamespace) -> None:
    with Postgres() as running, open_province(tmp_path / "p", people, practice=False, database=running.words()) as province:
        stations = []
        for number in range(6):
            invitation, code = province.realm.invite(hand.HALL, f"{number:02}")
            stations.append(hand.enrol(tmp_path / f"s{number}", invitation, code, people.administrator, window=f"{number:02}"))
        statuses: list[int] = []

        def send(station: hand.Station) -> None:
            for _ in range(5):
                statuses.append(station.send(station.record(people.second), people.second).status_code)
            station.session.close()

        threads = [threading.Thread(target=send, args=(one,)) for one in stations]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        kept = province.office.records.list()
    assert statuses == [201] * 30 and [row["serial"] for row in kept] == list(range(1, 31))


def test_a_database_that_falls_is_a_fault_to_try_again_and_keeps_what_was_receipted(tmp_path: Path, people: SimpleNamespace) -> None:
    with Postgres() as running, open_province(tmp_path / "p", people, practice=False, database=running.words()) as province:
        invitation, code = province.realm.invite(hand.HALL, hand.WINDOW)
        station = hand.enrol(tmp_path / "s", invitation, code, people.administrator)
        record = station.record(people.second)
        receipt = station.send(record, people.second)
        assert receipt.status_code == 201
        running.stop(signal.SIGQUIT)
        assert station.ask("GET", f"/v1/records/{record['record_id']}").status_code == 500
        running.start()
        again = station.ask("GET", f"/v1/records/{record['record_id']}")
        assert (again.status_code, again.content) == (200, receipt.content)
        station.session.close()


def test_the_folder_remembers_its_database(tmp_path: Path, people: SimpleNamespace) -> None:
    with Postgres() as running:
        with open_province(tmp_path / "p", people, practice=False, database=running.words()) as province:
            name = province.realm.id
        with open_province(tmp_path / "p", people, practice=False) as province:
            assert province.realm.id == name and province.realm.people(hand.HALL)
    assert not (tmp_path / "p" / "province.db").exists()
