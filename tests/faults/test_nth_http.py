"""The n-th request of a registration fails, for every n: before it left, after it was answered, with a fault of the host, or the program dies at it.

A registration's requests: clock, lists, journal head, upload, submission. Over real TLS against the reference province; the faults come from the session's own
edge. Each time the record is receipted in the end, is there once, the store opens, nothing is readable and nothing else of the station changes.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from sync.upload import PART
from tests.contract.province.hall import HallStation, People, open_lists
from tests.emulators.province_run import ProvinceRun
from tests.faults.hall_checker import faults_at, renaming
from tests.faults.table import Outcome

pytestmark = pytest.mark.timeout(300)
MANNERS = {"before": "is lost", "after": "its answer is lost", "busy": "is answered 503", "dies": "the program dies at its answer"}
FEWEST = 9
"""Requests of a registration: clock, lists, journal head, upload, submission."""


class Died(BaseException):
    """The program ended here."""


class Faulty:
    """Counts the requests of a station and lets the n-th fail in one manner. ``number`` 0: none fails."""

    def __init__(self, manner: str) -> None:
        self.manner, self.number, self.seen, self.sent = manner, 0, 0, list[str]()

    def wrap(self, session: requests.Session) -> requests.Session:
        real = session.send

        def send(request: requests.PreparedRequest, **named: Any) -> requests.Response:
            self.seen += 1
            self.sent.append(f"{request.method} {request.path_url}")
            if self.seen != self.number:
                return real(request, **named)
            if self.manner == "before":
                raise requests.ConnectionError("lost")
            answer = real(request, **named)
            if self.manner == "after":
                raise requests.exceptions.ReadTimeout("its answer is lost")
            if self.manner == "dies":
                raise Died
            answer.status_code, answer._content = 503, b"busy"
            answer.headers["Content-Type"] = "text/plain"
            return answer

        session.send = send  # type: ignore[method-assign]
        return session


class FaultyHall(HallStation):
    """A station whose requests go through ``faulty``."""

    faulty = Faulty("before")

    def _watched(self, roots: Any, identity: Any) -> requests.Session:
        return self.faulty.wrap(super()._watched(roots, identity))


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> People:
    return People(tmp_path_factory.mktemp("people") / "ca")


@pytest.fixture(scope="module")
def province(tmp_path_factory: pytest.TempPathFactory, people: People) -> Iterator[ProvinceRun]:
    with people.province(tmp_path_factory.mktemp("province") / "p") as running:
        open_lists(running)
        yield running


@pytest.fixture
def hall(tmp_path: Path, people: People, province: ProvinceRun) -> Iterator[FaultyHall]:
    made = FaultyHall(tmp_path / "home", people, province)
    yield made
    made.close()


def _registration(hall: FaultyHall, record_id: str, hasty: bool = False) -> str:
    """As the courier's thread goes: news where they are due, then the record's steps, with waits where nothing moved; the record's id in the end.

    ``hasty``: the controls' sins, to take no answer for a good one, and to begin with a new id after a death.
    """
    for _ in range(60):
        try:
            moved = hall.courier.refresh() or hall.courier.step()
        except Died:
            hall.reopen()
            record_id = renaming(hall, record_id) if hasty else record_id
            continue
        row = hall.row(record_id)
        if hasty and hall.courier.status().last_error_code:
            hall.outbox.receipted(record_id, b"it will have arrived")
            return record_id
        if row.state == "receipted" and not moved:
            return record_id
        if not moved:
            hall.pass_time(130)
    return record_id


def _faults(hall: FaultyHall, province: ProvinceRun, record_id: str, before: set[str]) -> list[str]:
    found = faults_at(hall, province, before | {record_id})
    if {one.record_id for one in hall.outbox.rows(limit=10_000)} != before | {record_id}:
        found.append("other rows than before")
    return found


def _one(hall: FaultyHall, province: ProvinceRun, number: int, hasty: bool = False) -> tuple[bool, list[str]]:
    """Whether there is an n-th request, and what does not hold after it failed."""
    hall.reopen()  # a start: the news are due
    before = {one.record_id for one in hall.outbox.rows(limit=10_000)}
    record_id = hall.keep(size=PART + 1000)
    hall.faulty.number, hall.faulty.seen, hall.faulty.sent = number, 0, []
    record_id = _registration(hall, record_id, hasty)
    reached = hall.faulty.seen >= number > 0
    hall.faulty.number = 0
    return reached, _faults(hall, province, record_id, before)


@pytest.mark.parametrize("manner", MANNERS)
def test_every_request_of_a_registration_may_fail(hall: FaultyHall, province: ProvinceRun, manner: str, outcome: Outcome) -> None:
    assert _one(hall, province, 0) == (False, [])
    whole = len(hall.faulty.sent)
    assert whole >= FEWEST, hall.faulty.sent
    hall.faulty.manner = manner
    for number in range(1, whole + 1):
        reached, faults = _one(hall, province, number)
        outcome.ran(f"n-th request {MANNERS[manner]}", 1, faults, 1)
        assert reached and not faults, (number, hall.faulty.sent, faults)


@pytest.mark.parametrize(("manner", "sin", "word"), [
    ("before", "takes no answer for a good one", "lost"), ("after", "takes no answer for a good one", "another's receipt"),
    ("busy", "takes no answer for a good one", "another's receipt"), ("dies", "begins with a new id after a death", "twice"),
])
def test_a_program_with_a_sin_is_noticed(hall: FaultyHall, province: ProvinceRun, manner: str, sin: str, word: str, outcome: Outcome) -> None:
    assert _one(hall, province, 0) == (False, [])
    hall.faulty.manner = manner
    own = [number for number, one in enumerate(hall.faulty.sent, 1) if one.startswith("PUT /v1/records")]
    faults = [fault for number in own for fault in _one(hall, province, number, hasty=True)[1]]
    outcome.control(f"n-th request {MANNERS[manner]}", sin, faults)
    assert own and any(fault.startswith(word) for fault in faults), faults
