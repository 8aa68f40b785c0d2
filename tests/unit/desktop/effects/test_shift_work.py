"""Checkpoints at the desk: one at the login that begins a shift, in the same login; one when it is handed over, with the PIN. Over a soft SKF token."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from threading import Event

import pytest

from desktop.effects.shifts import CHECKPOINT_FOLDER, ShiftWork
from desktop.flows.words import Login
from desktop.flows.words.shifts import EndShift
from devices.errors import WrongPin
from devices.tokens.skf import SkfDriver
from sync.checkpoints import Checkpoints, verify_journal
from tests.emulators.records import new_recipient, open_room
from tests.emulators.sm2_ca import PracticeSm2Ca
from tests.emulators.softskf import SoftSkf
from tests.unit.desktop.effects.batch_room import BatchRoom

PIN = "123456"


class Desk(BatchRoom):
    """A desk with a data folder, and its shifts."""

    folder: Path
    shifts: ShiftWork
    skf: SoftSkf

    def login(self, pin: str = PIN) -> None:
        self.tokens.login(Login(self.choice, pin), Event(), None)

    def kinds(self) -> list[str]:
        points = Checkpoints(self.folder / CHECKPOINT_FOLDER, self.store, self.journal)
        covered = verify_journal(list(self.journal.lines()), self.journal.head(), points.lines(), self.roots)
        assert covered.trusted or not covered.checkpoints
        return [one.kind for one in covered.checkpoints]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    ca, skf = PracticeSm2Ca(tmp_path / "ca"), SoftSkf(tmp_path / "skf")
    skf.make_person(ca, "operator", PIN, "OP-000017", "张三")
    to = new_recipient("k")[1]
    with open_room(tmp_path / "home", bytes(32), to) as room:
        driver = SkfDriver(skf.path, "skf", emulated=True)
        made = Desk(room, driver, (*ca.signer_roots, *ca.chain), to, {"OP-000017": frozenset({"collector"})})
        made.folder, made.skf = tmp_path / "home", skf
        made.shifts = ShiftWork(lambda: made, made.tokens, made.now)
        made.tokens.at_login = made.shifts.begin
        yield made
        driver.close()


def test_a_shift_begins_with_its_first_login_and_ends_with_the_pin(desk: Desk) -> None:
    desk.login()
    assert desk.skf.logins == 1 and desk.kinds() == ["begin"], "one PIN for login and checkpoint"
    desk.login()
    assert desk.kinds() == ["begin"], "unlocking the desk begins no new shift"
    with pytest.raises(WrongPin):
        desk.shifts.end(EndShift(desk.choice, "000000"), Event(), None)
    assert desk.kinds() == ["begin"]
    ended = desk.shifts.end(EndShift(desk.choice, PIN), Event(), None)
    assert (ended.number, ended.lines) == (2, 4), "login, its checkpoint, login, the wrong PIN"
    assert desk.kinds() == ["begin", "end"]
    desk.login()
    assert desk.kinds() == ["begin", "end", "begin"]
    desk.later = timedelta(hours=13)
    desk.login()
    assert desk.kinds()[-2:] == ["begin", "begin"], "a shift that nobody ended is over after half a day"


def test_a_login_that_fails_makes_no_checkpoint(desk: Desk) -> None:
    with pytest.raises(WrongPin):
        desk.login("000000")
    assert desk.kinds() == []


@pytest.mark.expects_log("no checkpoint at this login")
def test_a_checkpoint_that_cannot_be_kept_keeps_nobody_from_working(desk: Desk) -> None:
    folder = desk.folder / CHECKPOINT_FOLDER
    folder.mkdir()
    (folder / "00000001.json").write_bytes(b"torn")
    desk.login()
    assert [path.name for path in folder.iterdir()] == ["00000001.json"]
