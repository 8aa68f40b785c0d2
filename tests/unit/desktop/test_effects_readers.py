"""Which reader the desk uses: remembered by name, a sister offered in one step and journaled, never guessed, never forgotten where settings fail."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.effects.cards import CardWork
from desktop.effects.readers import ReaderChoice, plain_fact
from desktop.flows.words import AskReaders, CardWasRead, ReadCard, ReaderAsked, ReaderOption, ReaderQuestion, ReaderTaken, UseReader
from desktop.settings import Settings
from devices.base import Device
from devices.cards.choice import Remembered
from devices.cards.contract import Sighting
from devices.errors import NoReader, NoSam
from sync.journal import _check
from tests.flows.sample import card

NEVER = threading.Event()


def reader(name: str, profile: str = "p", lies: bool = False, index: int = 0, driver: str = "pcsc") -> Sighting:
    return Sighting(Device(driver, name, f"{name} 0{index} 00"), profile, lies)


OLD, SISTER, OTHER, TOKEN = reader("Vendor (A1)"), reader("Vendor (B2)", index=1), reader("Else", "q"), reader("Token", "")


@given(st.text(max_size=120) | st.just("国腾 GTICR100 (12345678901234567)"))
def test_the_journal_takes_any_readers_name(name: str) -> None:
    _check("station", "reader.chosen", "", {"to": plain_fact(name)})


def test_names_in_the_journal_can_be_read() -> None:
    assert plain_fact("Vendor RF [if 0] (A1B2)") == "Vendor RF /if 0/ /A1B2/"
    assert plain_fact("窗口7") == "+7A97+53E37" and plain_fact("1" * 25) == f"{'1' * 10} {'1' * 10} {'1' * 5}"


class Opened:
    """An open reader that reads the sample's card."""

    def __enter__(self) -> Opened:
        return self

    def __exit__(self, *_: object) -> None: ...

    def read(self, cancel: threading.Event, tell: Any) -> Any:
        return card()


class Room:
    """In place of the open rooms: readers by what they show, journal lines as they come."""

    def __init__(self, folder: Path, *seen: Sighting, sams: tuple[str, ...] = ()) -> None:
        self.folder, self.seen, self.lines, self.opened, self.looks = folder, seen, list[tuple[Any, ...]](), list[Device](), 0
        self.station = SimpleNamespace(sams=sams)

    def cards(self) -> Room:
        return self

    def look(self) -> tuple[Sighting, ...]:
        self.looks += 1
        return tuple(self.seen)

    def open(self, device: Device) -> Opened:
        self.opened.append(device)
        return Opened()

    def note(self, who: str, what: str, about: str = "", facts: Any = None) -> None:
        self.lines.append((who, what, facts))


def choice(room: Room) -> ReaderChoice:
    return ReaderChoice(lambda: room, lambda: "op:OP-1")   # type: ignore[arg-type, return-value]


def used(folder: Path, *seen: Sighting) -> Room:
    """A room in which OLD was the reader."""
    room = Room(folder, OLD)
    assert choice(room).device(None) == OLD.device
    return Room(folder, *seen)


def test_the_first_reader_is_taken_remembered_and_journaled_once(tmp_path: Path) -> None:
    room = Room(tmp_path, TOKEN, OLD)
    for _ in range(2):
        assert choice(room).device(None) == OLD.device
    assert room.lines == [("op:OP-1", "reader.chosen", {"to": "Vendor /A1/", "profile": "p"})]
    assert json.loads(Settings(tmp_path / "settings.json").get("card_reader")) == {"driver": "pcsc", "name": "Vendor (A1)", "profile": "p", "serial": ""}


def test_a_card_on_the_chosen_reader_is_read_without_another_look(tmp_path: Path) -> None:
    room = used(tmp_path, OLD)
    moved = Device("pcsc", "Vendor (A1)", "Vendor (A1) 07 00")
    assert choice(room).device(moved) == moved, "plugged elsewhere it has another index"
    assert room.looks == 0


def test_a_sister_is_offered_and_taken_in_one_step(tmp_path: Path) -> None:
    room = used(tmp_path, TOKEN, SISTER)
    work = choice(room)
    asked = work.ask(AskReaders(), NEVER, None)
    option = ReaderOption(Remembered("pcsc", "Vendor (B2)", "p"), True)
    assert asked == ReaderAsked(ReaderQuestion((option,), Remembered("pcsc", "Vendor (A1)", "p")))
    assert room.lines == [] and room.opened == []
    assert work.use(UseReader(option, asked.question.instead_of, True), NEVER, None) == ReaderTaken(True)
    assert room.lines == [("op:OP-1", "reader.changed", {"from": "Vendor /A1/", "to": "Vendor /B2/", "profile": "p", "sister": True})]
    assert work.ask(AskReaders(), NEVER, None) == ReaderAsked(None)
    assert choice(room).device(None) == SISTER.device, "and at the next start"


def test_a_card_on_a_reader_that_was_not_chosen_is_not_read_but_asked_about(tmp_path: Path) -> None:
    room = used(tmp_path, OLD, reader("Else", "q", True))
    cards = CardWork(lambda: room, lambda _event: None, lambda: None, readers=choice(room))
    answer = cards.read(ReadCard(OTHER.device), NEVER, None)
    assert answer == ReaderAsked(ReaderQuestion((ReaderOption(Remembered("pcsc", "Else", "q"), False),), Remembered("pcsc", "Vendor (A1)", "p"), read=True))
    assert room.opened == []


def test_several_are_asked_for_and_two_slots_of_one_device_are_one(tmp_path: Path) -> None:
    found = choice(Room(tmp_path, OLD, SISTER)).device(None)
    assert isinstance(found, ReaderQuestion) and [one.reader.name for one in found.options] == ["Vendor (A1)", "Vendor (B2)"] and found.instead_of is None
    slots = Room(tmp_path, reader("Virtual"), reader("Virtual", lies=True, index=1))
    assert choice(slots).device(None) == slots.seen[1].device


def test_nobody_there_is_no_question(tmp_path: Path) -> None:
    assert choice(Room(tmp_path)).ask(AskReaders(), NEVER, None) == ReaderAsked(None)
    with pytest.raises(NoReader):
        choice(Room(tmp_path)).device(None)
    with pytest.raises(NoSam):
        choice(Room(tmp_path, TOKEN)).device(None)


@pytest.mark.parametrize("text", ["", "null", "{", "[]", '{"driver": "pcsc"}', '"x"'])
def test_a_choice_that_cannot_be_read_is_none(tmp_path: Path, text: str) -> None:
    Settings(tmp_path / "settings.json").choose("card_reader", text)
    assert choice(Room(tmp_path, OLD)).device(None) == OLD.device


@pytest.mark.expects_log("the choice of a reader holds until the program ends")
def test_settings_that_cannot_be_written_cost_the_memory_of_it_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Settings, name: str, value: object) -> None:
        raise OSError(28, "no space left")

    monkeypatch.setattr(Settings, "choose", full)
    room = Room(tmp_path, OLD)
    work = choice(room)
    assert work.device(None) == OLD.device
    room.seen = (SISTER,)
    assert isinstance(work.device(None), ReaderQuestion), "as long as the program runs it is known"


def test_a_face_where_nobody_can_be_asked_takes_the_sister_and_journals_it(tmp_path: Path) -> None:
    room = used(tmp_path, SISTER)
    assert choice(room).unattended() == SISTER.device
    assert [line[1] for line in room.lines] == ["reader.changed"]
    assert choice(room).unattended() == SISTER.device and len(room.lines) == 1


def test_a_module_that_the_province_does_not_list_is_told_with_the_read(tmp_path: Path) -> None:
    for sams, listed in (((), False), ((card().evidence.sam,), True)):
        room = Room(tmp_path, OLD, sams=sams)
        answer = CardWork(lambda room=room: room, lambda _event: None, lambda: None).read(ReadCard(), NEVER, None)
        assert isinstance(answer, CardWasRead) and answer.sam_listed is listed
        assert room.lines[-1] == ("station", "card.read", {"sam": card().evidence.sam, "listed": listed})
