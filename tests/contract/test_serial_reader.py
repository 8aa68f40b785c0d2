"""What concerns readers on a line alone: speeds, damaged bytes, a port that is pulled or held, late answers. Over a pty and a TCP port of this machine."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from devices.base import Device, say_nothing
from devices.cards.contract import CardRead
from devices.cards.line import FrameLine, Port, SerialLine, TcpLine, ports_here
from devices.cards.profiles import Profile
from devices.cards.sam import STATUS, build
from devices.cards.serial import SerialDriver
from devices.errors import BrokenFrame, CardReadAlready, DeviceTrouble, NoReader, NoSam, ReaderBusy, ReaderGone, TimedOut
from devices.watch import CardWatch
from tests.contract.reader_stands import LineStand, until
from tests.emulators.idcards import CHEN, PRACTICE, ZHANG
from tests.emulators.sam_lines import LineFaults, PtyReader
from tests.emulators.sam_module import PREAMBLE, SAM_NUMBER, Faults, SamModule

Note = Callable[[str, str, str, str], None]


@pytest.fixture(params=["serial", "tcp"])
def stand(request: pytest.FixtureRequest) -> Iterator[LineStand]:
    made = LineStand(request.param)
    yield made
    made.close()


@pytest.fixture
def pty() -> Iterator[LineStand]:
    made = LineStand("serial")
    yield made
    made.close()


def read(connection: Any) -> CardRead:
    return connection.read(threading.Event(), say_nothing)


def one_read(stand: LineStand) -> CardRead:
    with stand.driver.open(stand.device()) as connection:
        return read(connection)


# -- speeds ----------------------------------------------------------------------------------------------------------------------------
@pytest.fixture(autouse=True)
def quick_probes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pty answers at once."""
    monkeypatch.setattr("devices.cards.serial.PROBE_S", 0.3)


def test_the_speed_is_found_and_remembered() -> None:
    module = SamModule(PRACTICE)
    reader = PtyReader(module, baud=38400)
    try:
        driver = SerialDriver([Profile.from_json({"name": "slow", "mode": "serial", "match": {"port": reader.port}})])
        for _ in range(2):
            with driver.open(driver.find()[0]) as connection:
                assert connection.sam_number() == SAM_NUMBER
        assert sorted(set(reader.heard)) == [57600, 115200]
        heard = len(reader.heard)
        with driver.open(driver.find()[0]) as connection:
            assert read(connection).card.name_zh == "李练工"
        assert len(reader.heard) == heard, "the speed that worked comes first"
        assert module.commands.count(b"\x60\x00") == 0, "the module's own speed is never changed"
    finally:
        reader.close()


def test_no_module_at_any_speed_of_the_profile(pty: LineStand) -> None:
    driver = SerialDriver([Profile.from_json({"name": "deaf", "mode": "serial", "match": {"port": pty.reader.port}, "serial": {"bauds": [9600, 19200]}})])
    with pytest.raises(NoSam) as caught:
        driver.open(driver.find()[0])
    assert caught.value.facts["reader"] == "deaf"


# -- bytes -----------------------------------------------------------------------------------------------------------------------------
def once(change: Callable[[bytes], bytes], least: int = 1000) -> Callable[[bytes], bytes]:
    """Changes the first answer of at least so many bytes."""
    left = [1]

    def mangle(answer: bytes) -> bytes:
        if len(answer) < least or not left:
            return answer
        left.pop()
        return change(answer)

    return mangle


HARMLESS: dict[str, LineFaults] = {
    "single bytes": LineFaults(piece=1),
    "odd pieces with pauses": LineFaults(piece=97, pause=0.004),
    "noise before": LineFaults(mangle=lambda answer: b"\x00\xffHELLO\xaa\xaa" + answer),
    "half a preamble before": LineFaults(mangle=lambda answer: PREAMBLE[:4] + answer),
    "a preamble with an impossible length before": LineFaults(mangle=lambda answer: PREAMBLE + b"\xff\xff" + answer),
    "noise behind": LineFaults(mangle=lambda answer: answer + b"\xaa\xaa\xaa\x96"),
    "answered twice": LineFaults(mangle=lambda answer: answer + answer),
}
HARMFUL: dict[str, tuple[Callable[[bytes], bytes], tuple[type[DeviceTrouble], ...]]] = {
    "a byte lost": (lambda answer: answer[:300] + answer[301:], (TimedOut, BrokenFrame)),
    "a byte flipped": (lambda answer: answer[:300] + bytes((answer[300] ^ 4,)) + answer[301:], (BrokenFrame,)),
    "cut short": (lambda answer: answer[:700], (TimedOut,)),
    "nothing": (lambda answer: b"", (TimedOut,)),
    "noise without end": (lambda answer: bytes(80_000), (BrokenFrame, TimedOut)),
    "the length damaged": (lambda answer: answer[:5] + b"\x00\x09" + answer[7:], (BrokenFrame,)),
}


@pytest.mark.parametrize("name", HARMLESS)
def test_bytes_in_any_pieces_and_noise_around_them_are_no_trouble(pty: LineStand, name: str, table: Note) -> None:
    pty.reader.faults = HARMLESS[name]
    for person in (PRACTICE, ZHANG):
        pty.lay(person)
        assert one_read(pty).card.number == person.text[122:158].decode("utf-16-le")
    table("serial", "resident", f"bytes: {name}", "read")


@pytest.mark.parametrize("name", HARMFUL)
def test_damaged_answers_have_their_names_and_the_next_read_is_right(name: str, table: Note) -> None:
    change, kinds = HARMFUL[name]
    stand = LineStand("serial", exchange_seconds=0.3)
    try:
        stand.lay(PRACTICE)
        stand.reader.faults = LineFaults(mangle=once(change))
        with stand.driver.open(stand.device()) as connection:
            with pytest.raises(kinds) as caught:
                read(connection)
            assert type(caught.value) in kinds
            stand.lay(ZHANG)
            assert read(connection).card.name_zh == "张三"
        table("serial", "resident", f"bytes: {name}, next card", f"{caught.value.code}, read")
    finally:
        stand.close()


def test_a_late_answer_is_never_taken_for_the_next_person() -> None:
    """The module answers for the first person after the caller has gone; the second person's read must not show the first."""
    stand = LineStand("serial", exchange_seconds=0.4)
    try:
        with stand.driver.open(stand.device()) as connection:
            for slow in (1.0, 1.6):   # well after the caller has gone, on a busy machine, too
                stand.lay(PRACTICE, Faults(slow_seconds=slow))
                with pytest.raises(TimedOut):
                    read(connection)
                stand.lay(CHEN)
                with suppress(DeviceTrouble):
                    assert read(connection).card.name_zh == "陈大文"
                stand.lift()
                stand.lay(CHEN)
                until(lambda: _name(connection) == "陈大文")
    finally:
        stand.close()


def _name(connection: Any) -> str | None:
    try:
        return read(connection).card.name_zh
    except DeviceTrouble:
        return None


# -- ports -----------------------------------------------------------------------------------------------------------------------------
def test_a_port_that_is_pulled_during_a_read_and_plugged_again() -> None:
    stand = LineStand("serial")
    try:
        stand.lay(PRACTICE, Faults(slow_seconds=0.5))
        timer = threading.Timer(0.2, stand.reader.unplug)
        with stand.driver.open(stand.device()) as connection:
            timer.start()
            with pytest.raises((ReaderGone, TimedOut)):
                read(connection)
        timer.join()
        with pytest.raises((ReaderGone, NoReader)):
            stand.driver.open(Device("serial", "practice-serial", stand.reader.port))
    finally:
        stand.close()


def test_a_server_that_hangs_up_and_comes_back() -> None:
    stand = LineStand("tcp")
    stand.lay(PRACTICE)
    device = stand.device()
    with stand.driver.open(device) as connection:
        assert connection.sam_number() == SAM_NUMBER
        stand.reader.cut()
        with pytest.raises(ReaderGone):
            read(connection)
        assert read(connection).card.name_zh == "李练工", "the next call makes a new line"
    stand.close()
    with pytest.raises(ReaderGone):
        stand.driver.open(device)


def test_a_port_that_another_program_holds(pty: LineStand) -> None:
    pty.lay(PRACTICE)
    other = SerialLine(pty.reader.port, 115200)
    try:
        with pytest.raises(ReaderBusy):
            pty.driver.open(pty.device())
    finally:
        other.close()
    assert one_read(pty).card.name_zh == "李练工"
    assert SerialLine(pty.reader.port, 9600).close() is None, "and it is let go after the read"


def test_ports_are_known_by_their_adapter() -> None:
    usb = Port("COM7", (0x10C4, 0xEA60), "A1")
    other = Port("COM8", (0x10C4, 0xEA60), "B2")
    printer = Port("COM9", (0x04B8, 0x0E15), "P")
    opened: list[tuple[str, int]] = []

    def refuse(shape: Any, port: str, baud: int) -> Any:
        opened.append((port, baud))
        raise ReaderGone(port)

    profile = Profile.from_json({"name": "adapter", "mode": "serial", "match": {"usb": "10c4:EA60"}, "serial": {"bauds": [9600]}})
    one = Profile.from_json({"name": "first", "mode": "serial", "match": {"usb": "10C4:EA60", "usb_serial": "A1"}})
    driver = SerialDriver([one, profile], ports=lambda: [usb, other, printer], lines=refuse)
    assert driver.find() == (Device("serial", "first", "COM7", "A1"), Device("serial", "adapter", "COM8", "B2"))
    assert [(seen.device.address, seen.card) for seen in driver.look()] == []
    assert opened == [("COM7", 115200), ("COM8", 9600)], "a port that no profile names is never opened"
    with pytest.raises(ReaderGone):
        driver.open(Device("serial", "printer", "COM9"))
    assert SerialDriver([]).find() == ()
    with pytest.raises(NoReader):
        SerialDriver([]).open(usb_device := Device("serial", "x", "COM7"))
    assert usb_device and all(isinstance(port.name, str) for port in ports_here())


def test_windows_names_are_known_from_the_list_of_ports_alone() -> None:
    profile = Profile.from_json({"name": "com", "mode": "serial", "match": {"port": "COM3"}})
    assert SerialDriver([profile], ports=lambda: [Port("COM3")]).find() == (Device("serial", "com", "COM3"),)
    assert SerialDriver([profile], ports=lambda: []).find() == ()


# -- turns and watching ----------------------------------------------------------------------------------------------------------------
def test_one_caller_at_a_time(stand: LineStand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("devices.cards.module.TURN_S", 0.2)
    with stand.driver.open(stand.device()), pytest.raises(ReaderBusy):
        stand.driver.open(stand.device())
    with stand.driver.open(stand.device()) as connection:
        connection.close()
        connection.close()
        with pytest.raises(NoReader):
            read(connection)


def test_a_watch_tells_of_a_reader_that_is_switched_off_and_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("devices.cards.module.AFTER_TROUBLE_S", 0.1)
    stand = LineStand("serial", serial={"bauds": [115200]}, exchange_seconds=0.3)
    seen: list[str] = []
    watch = CardWatch(stand.driver, lambda event: seen.append(event.what))
    watch.start()
    try:
        stand.lay(PRACTICE)
        until(lambda: seen == ["reader_arrived", "card_placed"])
        assert one_read(stand).card.name_zh == "李练工"
        with pytest.raises(CardReadAlready):
            one_read(stand)
        stand.reader.faults = LineFaults(mangle=lambda answer: b"")     # no power: no answer
        until(lambda: seen[2:] == ["card_lifted"], 10)
        stand.reader.faults = LineFaults()
        stand.module.forget()
        until(lambda: seen[3:] == ["card_placed"])
        stand.reader.unplug()
        until(lambda: seen[4:] == ["card_lifted", "reader_left"])
    finally:
        assert watch.stop(3.0)
        stand.close()


# -- the line itself -------------------------------------------------------------------------------------------------------------------
def test_a_line_says_what_kept_it_from_opening(tmp_path: Any) -> None:
    with pytest.raises(ReaderGone):
        SerialLine(str(tmp_path / "no-port"), 9600)
    with pytest.raises(ReaderGone):
        TcpLine("127.0.0.1", 1)


def test_a_closed_line_is_a_line_that_was_cut() -> None:
    stand = LineStand("tcp")
    line = TcpLine("127.0.0.1", stand.reader.port)
    line.close()
    for call in (lambda: line.send(b"x"), line.receive):
        with pytest.raises(ReaderGone):
            call()
    stand.close()
    stand = LineStand("serial")
    port = SerialLine(stand.reader.port, 9600)
    port.speed(19200)
    port.close()
    for call in (lambda: port.send(b"x"), port.receive):
        with pytest.raises(ReaderGone):
            call()
    stand.close()


def test_settling_ends_even_where_the_line_is_never_quiet() -> None:
    class Chatter:
        def send(self, frame: bytes) -> None: ...
        def receive(self) -> bytes:
            time.sleep(0.01)
            return b"\xaa"
        def speed(self, baud: int) -> None: ...
        def close(self) -> None: ...

    line = FrameLine(Chatter())
    begun = time.monotonic()
    cancel = threading.Event()
    threading.Timer(0.2, cancel.set).start()
    line.settle(cancel)
    assert time.monotonic() - begun < 1.0
    with pytest.raises((TimedOut, BrokenFrame)):
        line.exchange(build(STATUS), 0.2, threading.Event())
