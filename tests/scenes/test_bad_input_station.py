"""A station that is not as it should be, at the desk's stages: device list, enrolment, store, keyring, disk, second start. Never mends anything.

The desk refuses with one clear sentence and changes nothing; once its station is mended by hand, it goes on where it was.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from desktop.app import Desk
from desktop.flows.words import CapturePressed, DiscardConfirmed, DiscardPressed, PortraitPressed, RetryPressed, SyncPressed
from desktop.single import Single
from sync.canon import canon, parse_canonical
from tests.scenes.bench import desk_on, holdings, provisioned, said
from tests.scenes.hall import ADMINISTRATOR, COLLECTOR, SUPERVISOR, PracticeHall
from tests.scenes.stages import capture, lift, log_in, reviewed, signed, type_in, until

pytestmark = pytest.mark.timeout(180)


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory, qt_application: QApplication) -> Iterator[PracticeHall]:
    with PracticeHall(tmp_path_factory.mktemp("h")) as open_hall:
        provisioned(open_hall)
        yield open_hall


def stopped(desk: Desk, code: str, **facts: object) -> None:
    """The desk does not open, and says why."""
    until(lambda: desk.login.state.page in ("stopped", "not_enrolled", "pin"), "an answer", 40)
    assert desk.login.state.page == ("not_enrolled" if code == "station.not_enrolled" else "stopped")
    said(desk.login.state.trouble, code, **facts)


def opens_again(desk: Desk) -> None:
    desk.login.post(RetryPressed())
    until(lambda: desk.login.state.page == "pin", "the PIN page", 40)


def digests(folder: Path) -> dict[str, str]:
    """Every file by name, with digest, size and time of change; the lock has no content."""
    return {str(path.relative_to(folder)): f"{hashlib.sha256(path.read_bytes()).hexdigest()} {path.stat().st_mtime_ns}"
            for path in sorted(folder.rglob("*")) if path.is_file() and path.name != "lock"}


# -- the list of devices ------------------------------------------------------------------------------------------------------------------
def _missing(hall: PracticeHall) -> None:
    (hall.home / "devices.p7s").unlink()


def _altered(hall: PracticeHall) -> None:
    members = parse_canonical((hall.home / "devices.json").read_bytes(), "devices")
    (hall.home / "devices.json").write_bytes(canon(members | {"tokens": []}))


def _of_another_station(hall: PracticeHall) -> None:
    assert hall.station is not None
    hall.write_device_list(hall.station, station_id=str(uuid.uuid4()))


def _by_somebody_else(hall: PracticeHall) -> None:
    (hall.home / "devices.p7s").write_bytes(hall.sign_as(SUPERVISOR, (hall.home / "devices.json").read_bytes()))


def _for_earnest(hall: PracticeHall) -> None:
    assert hall.station is not None
    hall.write_device_list(hall.station, practice=False, emulated=False)


def _of_another_form(hall: PracticeHall) -> None:
    assert hall.station is not None
    hall.write_device_list(hall.station, more="x")


@pytest.mark.parametrize(("spoil", "why"), [(_missing, "missing"), (_altered, "signature"), (_of_another_station, "station"), (_by_somebody_else, "role"),
                                            (_for_earnest, "kind"), (_of_another_form, "form")])
def test_list_of_devices_that_does_not_hold(hall: PracticeHall, spoil: Callable[[PracticeHall], None], why: str) -> None:
    good = {name: (hall.home / name).read_bytes() for name in ("devices.json", "devices.p7s")}
    signers = [hall.people[one.id] for one in (ADMINISTRATOR, SUPERVISOR)]
    before = holdings(hall.home)
    try:
        for one in signers:
            one.replug()
        spoil(hall)
        for one in signers:
            one.pull()
        with desk_on(hall.home, hall, compare=False) as desk:
            stopped(desk, "station.device_list", why=why)
            for name, content in good.items():
                (hall.home / name).write_bytes(content)
            opens_again(desk)
    finally:
        for name, content in good.items():
            (hall.home / name).write_bytes(content)
    assert holdings(hall.home) == before


# -- enrolment and store ------------------------------------------------------------------------------------------------------------------
def test_machine_that_is_not_enrolled(hall: PracticeHall, tmp_path: Path) -> None:
    with desk_on(tmp_path / "nothing", hall, compare=False) as desk:
        stopped(desk, "station.not_enrolled")
        desk.login.post(RetryPressed())
        stopped(desk, "station.not_enrolled")
    assert not (tmp_path / "nothing").exists(), "nothing is made by looking"


def _flip(path: Path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 0xFF
    path.write_bytes(bytes(content))


@pytest.mark.parametrize(("name", "spoil"), [
    ("a page", lambda home: _flip(home / "store.db", 4096 + 100)), ("the head", lambda home: _flip(home / "store.db", 3)),
    ("cut", lambda home: os.truncate(home / "store.db", 5000)), ("gone", lambda home: (home / "store.db").unlink()),
    ("without its name", lambda home: (home / "store-id").unlink()), ("without its check", lambda home: (home / "store.check").write_text("x")),
])
def test_damaged_store_is_refused_and_not_touched(hall: PracticeHall, tmp_path: Path, name: str, spoil: Callable[[Path], None]) -> None:
    del name
    home = tmp_path / "home"
    shutil.copytree(hall.home, home, copy_function=shutil.copy2)
    spoil(home)
    before = digests(home)
    with desk_on(home, hall, compare=False) as desk:
        stopped(desk, "store.damaged")
        desk.login.post(RetryPressed())
        stopped(desk, "store.damaged")
    assert digests(home) == before


# -- keyring ------------------------------------------------------------------------------------------------------------------------------
def test_keyring_locked_then_unlocked(hall: PracticeHall) -> None:
    hall.keyring.lock()
    try:
        with desk_on(hall.home, hall, compare=False) as desk:
            stopped(desk, "keyring.locked")
            hall.keyring.stop_daemon()
            hall.keyring.start_daemon()
            opens_again(desk)
    finally:
        if hall.keyring._daemon is None:
            hall.keyring.start_daemon()
    assert holdings(hall.home).kept


def test_no_keyring_then_one(hall: PracticeHall) -> None:
    hall.keyring.stop_daemon()
    try:
        with desk_on(hall.home, hall, compare=False) as desk:
            stopped(desk, "keyring.missing")
            hall.keyring.start_daemon()
            opens_again(desk)
    finally:
        if hall.keyring._daemon is None:
            hall.keyring.start_daemon()
    assert holdings(hall.home).kept


def test_keyring_that_forgot_the_key(hall: PracticeHall, tmp_path: Path) -> None:
    """A store from another machine, or a new keyring: a missing key is never made anew over something that is there."""
    home = tmp_path / "home"
    shutil.copytree(hall.home, home)
    label = parse_canonical((home / "store-id").read_bytes(), "store-id")
    (home / "store-id").write_bytes(canon(label | {"store_id": str(uuid.uuid4())}))
    before = digests(home)
    with desk_on(home, hall, compare=False) as desk:
        stopped(desk, "keyring.key_missing")
    assert digests(home) == before


# -- a second start -----------------------------------------------------------------------------------------------------------------------
def test_second_start_brings_the_first_to_the_front(hall: PracticeHall) -> None:
    asked: list[int] = []
    first = Single(hall.home, lambda: asked.append(1))
    assert first.first
    second = Single(hall.home, lambda: asked.append(2))
    assert not second.first
    until(lambda: asked, "the first one asked for its window")
    assert set(asked) == {1}
    elsewhere = Single(hall.home / "blobs", lambda: None)
    assert elsewhere.first, "another data folder is another station"
    for one in (first, second, elsewhere):
        one.close()
    third = Single(hall.home, lambda: None)
    assert third.first, "the place is free again"
    third.close()


def test_second_desk_on_the_same_store(hall: PracticeHall) -> None:
    with desk_on(hall.home, hall) as desk:
        log_in(desk, COLLECTOR.pin)
        with desk_on(hall.home, hall, compare=False) as other:
            stopped(other, "store.in_use")
        desk.intake.post(SyncPressed())
        until(lambda: desk.intake.state.courier.online, "the first one goes on")


# -- disk ---------------------------------------------------------------------------------------------------------------------------------
@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "disk"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=330m", "tmpfs", str(place)], check=True)
    yield place
    subprocess.run(["umount", str(place)], check=True)


@pytest.mark.timeout(240)
def test_full_disk_refuses_captures_and_sends_what_was_kept(hall: PracticeHall, small_disk: Path) -> None:
    """The last scene of this hall: the station's folder moves to the small disk."""
    home = small_disk / "home"
    shutil.copytree(hall.home, home, copy_function=shutil.copy2, ignore=lambda folder, names: ["reserve"])
    hall.province.fault("unreachable", times=None)
    with desk_on(home, hall) as desk:
        log_in(desk, COLLECTOR.pin)
        hall.place()
        until(lambda: desk.intake.state.draft and desk.intake.state.draft.text("person.name_zh"), "the form filled from the card")
        lift(desk, hall)
        type_in(desk, cert_no="full-1")
        capture(desk)
        record = reviewed(desk).record_id
        signed(desk, COLLECTOR.pin)
        (small_disk / "rubbish").write_bytes(bytes(64 * 1024 * 1024))
        hall.place()
        until(lambda: desk.intake.state.draft and desk.intake.state.draft.text("person.name_zh"), "a card is read all the same")
        lift(desk, hall)
        draft = desk.intake.state.draft.draft_id
        desk.intake.post(PortraitPressed())
        until(lambda: desk.intake.state.capture is not None and desk.intake.state.capture.hint is not None, "the live picture")
        desk.intake.post(CapturePressed())
        until(lambda: desk.intake.state.trouble, "the trouble")
        said(desk.intake.state.trouble, "store.no_room_to_begin")
        until(lambda: not desk.intake.state.capture.taking, "the picture refused, too")
        assert desk.intake.state.draft.stills == ()
        assert desk.intake.state.draft.draft_id == draft, "a new sitting is refused on a full disk, and what was typed stays on the screen"
        hall.province.order("faults", "DELETE")
        desk.intake.post(SyncPressed())
        until(lambda: desk.rooms().outbox.row(record).state == "receipted", "what was kept is sent", 60)
        (small_disk / "rubbish").unlink()
        desk.intake.post(CapturePressed())
        until(lambda: desk.intake.state.draft.stills, "the portrait, once there is room again")
        desk.intake.post(DiscardPressed())
        desk.intake.post(DiscardConfirmed())
        until(lambda: not desk.jobs.busy("outbox"), "the sitting thrown away")
