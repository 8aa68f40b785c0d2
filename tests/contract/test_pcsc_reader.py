"""What concerns PC/SC alone: the service stopped and restarted, readers of no concern to us, other cards, many cards in a row. Over the real service."""

from __future__ import annotations

import gc
import os
import threading
import time
from collections.abc import Callable, Iterator
from datetime import date

import pytest

from devices.base import Device, say_nothing
from devices.cards.contract import CardEvent, CardRead
from devices.cards.hints import HintReaders
from devices.cards.pcsc import PcscConnection, PcscDriver
from devices.cards.profiles import Profile
from devices.doctor import examine_cards
from devices.errors import CardRemoved, CardUnknown, DeviceTrouble, NoCard, NoReader, NoSam, ReaderGone, ServiceStopped
from devices.registry import Entry
from devices.watch import CardWatch
from tests.contract.reader_stands import PcscStand, until
from tests.emulators import idcards, social_card
from tests.emulators.idcards import PRACTICE, ZHANG
from tests.emulators.pcscd import Pcscd
from tests.emulators.sam_module import Faults
from tests.emulators.sam_reader import WHOLE_PROFILE, SamReader
from tests.emulators.social_card import SocialCard
from tests.emulators.vpcd import VirtualSlot

TODAY = date(2026, 11, 22)
Note = Callable[[str, str, str, str], None]


@pytest.fixture
def stand(slot: VirtualSlot) -> Iterator[PcscStand]:
    made = PcscStand(slot, WHOLE_PROFILE)
    yield made
    made.close()


@pytest.fixture
def connection(stand: PcscStand) -> Iterator[PcscConnection]:
    with stand.driver.open(stand.device()) as opened:
        yield opened


def read(connection: PcscConnection) -> CardRead:
    return connection.read(threading.Event(), say_nothing)


def test_another_kind_of_card_is_not_asked(slot: VirtualSlot) -> None:
    stand = PcscStand(slot, WHOLE_PROFILE, match={"reader": "^Virtual PCD", "atr": "3B00"})
    reader = stand.lay(PRACTICE)
    with stand.driver.open(stand.device()) as connection, pytest.raises(CardUnknown) as caught:
        read(connection)
    assert caught.value.facts["atr"] == PRACTICE.atr.hex().upper()
    stand.close()
    assert reader.commands == []


def test_a_reader_without_profile_is_seen_and_never_opened(stand: PcscStand) -> None:
    reader, driver = stand.lay(PRACTICE), PcscDriver([])
    assert [seen.profile for seen in driver.look()] == ["", ""]
    assert driver.find() == ()
    with pytest.raises(NoSam) as caught:
        driver.open(driver.look()[0].device)
    assert caught.value.facts["reader"] == "Virtual PCD"
    assert reader.commands == []


class Token:
    """A staff token in another reader: notes whatever powers it down or resets it, and loses its login by that."""

    atr = bytes.fromhex("3B00")

    def __init__(self) -> None:
        self.powered: list[bytes] = []
        self.logged_in = False

    def power(self, code: bytes) -> None:
        self.powered.append(code)
        self.logged_in = False

    def transmit(self, apdu: bytes) -> bytes:
        if apdu[1] == 0x20:
            self.logged_in = True
        return b"\x90\x00" if self.logged_in else b"\x69\x82"


def test_a_token_in_another_reader_is_never_reset_nor_powered_down(slot: VirtualSlot, pcscd: Pcscd) -> None:
    """On the wire: watch, look, read, doctor and all closings beside a token at which somebody is logged in."""
    import smartcard.scard as scard

    driver = PcscDriver([Profile.from_json(WHOLE_PROFILE | {"match": {"reader": "^Virtual PCD 00 00"}})])
    other, token = VirtualSlot(1), Token()
    other.place(token)
    try:
        until(lambda: sum(seen.card for seen in driver.look()) == 1, 30)
        _, context = scard.SCardEstablishContext(0)
        _, held, protocol = scard.SCardConnect(context, "Virtual PCD 00 01", scard.SCARD_SHARE_SHARED, 3)
        pci = scard.SCARD_PCI_T0 if protocol == 1 else scard.SCARD_PCI_T1
        assert scard.SCardTransmit(held, pci, [0, 0x20, 0, 1, 0])[1] == [0x90, 0]
        token.powered.clear()
        watch = CardWatch(driver, lambda event: None)
        watch.start()
        for person in (PRACTICE, ZHANG):
            slot.place(SamReader(person))
            until(lambda: any(seen.card and seen.profile for seen in driver.look()), 30)
            with driver.open(driver.find()[0]) as connection:
                assert read(connection).card.number
            assert examine_cards([Entry("cards", "pcsc", driver)], TODAY, threading.Event()).trouble is None
            slot.lift()
            until(lambda: not any(seen.card and seen.profile for seen in driver.look()), 30)
        with pytest.raises(NoSam):
            driver.open(next(seen.device for seen in driver.look() if not seen.profile))
        assert watch.stop(5.0)
        driver.close()
        assert token.powered == [], "nothing but the poll of presence reached it"
        assert scard.SCardTransmit(held, pci, [0, 0xB0, 0, 0, 0])[1] == [0x90, 0], "whoever was logged in still is"
        scard.SCardDisconnect(held, scard.SCARD_LEAVE_CARD)
        scard.SCardReleaseContext(context)
    finally:
        other.lift()


def test_service_stopped_and_back(stand: PcscStand, pcscd: Pcscd, connection: PcscConnection, table: Note) -> None:
    stand.lay(PRACTICE)
    assert read(connection).card.name_zh == "李练工"
    pcscd.stop()
    for call in (lambda: read(connection), stand.driver.find, stand.driver.look):
        with pytest.raises(ServiceStopped):
            call()
    report = examine_cards([Entry("cards", "pcsc", stand.driver)], TODAY, threading.Event())
    assert type(report.trouble) is ServiceStopped
    pcscd.start()
    stand.lay(ZHANG)
    assert read(connection).card.name_zh == "张三", "the same connection works again"
    table("pcsc-whole", "resident", "service stopped, then started", "reader.service_stopped, read")


def test_service_stopped_during_a_read(stand: PcscStand, pcscd: Pcscd, connection: PcscConnection, table: Note) -> None:
    stand.lay(PRACTICE, Faults(slow_seconds=1.0))
    timer = threading.Timer(0.3, pcscd.stop)
    timer.start()
    with pytest.raises((ServiceStopped, CardRemoved)) as caught:
        read(connection)
    timer.join()
    pcscd.start()
    stand.lay(ZHANG)
    assert read(connection).card.name_zh == "张三"
    table("pcsc-whole", "resident", "service stopped during the read, then started", f"{caught.value.code}, read")


# -- watching --------------------------------------------------------------------------------------------------------------------------
@pytest.fixture
def watched(stand: PcscStand) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(event: CardEvent) -> None:
        if event.device is None or event.device.address.endswith("00 00"):
            seen.append(event.what)

    watch = CardWatch(stand.driver, note)
    watch.start()
    yield seen
    assert watch.stop(2.0)


def test_watch_survives_a_restart_of_the_service(slot: VirtualSlot, pcscd: Pcscd, watched: list[str]) -> None:
    slot.place(SamReader(PRACTICE))
    until(lambda: watched == ["reader_arrived", "card_placed"])
    pcscd.stop()
    until(lambda: watched[2:] == ["card_lifted", "reader_left", "service_down"])
    time.sleep(1.2)
    assert len(watched) == 5, "an outage is told once"
    pcscd.start()
    until(lambda: watched[5:] == ["service_up", "reader_arrived"])
    slot.place(SamReader(ZHANG))
    until(lambda: watched[7:] == ["card_placed"])


def test_watch_and_reader_come_through_a_sleep(slot: VirtualSlot, pcscd: Pcscd, watched: list[str], stand: PcscStand, table: Note) -> None:
    """The service stands still as in a sleep of the machine, the card is changed meanwhile; afterwards the new one is told and read."""
    slot.place(SamReader(PRACTICE))
    until(lambda: watched == ["reader_arrived", "card_placed"], 30)
    with pcscd.asleep():
        slot.lift()
        time.sleep(1.5)
    until(lambda: watched[2:] == ["card_lifted"], 30)
    slot.place(SamReader(ZHANG))
    until(lambda: watched[3:] == ["card_placed"], 30)
    with stand.driver.open(stand.device()) as connection:
        assert read(connection).card.name_zh == "张三"
    table("pcsc-whole", "resident", "sleep, card changed meanwhile", "read")


def test_a_read_during_which_the_machine_sleeps_ends(slot: VirtualSlot, pcscd: Pcscd, stand: PcscStand, table: Note) -> None:
    stand = PcscStand(slot, WHOLE_PROFILE, exchange_seconds=1.0)
    stand.lay(PRACTICE, Faults(slow_seconds=0.5))
    with stand.driver.open(stand.device()) as connection:
        with pcscd.asleep(after=0.2), pytest.raises(DeviceTrouble) as caught:
            read(connection)
        stand.lift()
        stand.lay(ZHANG)
        until(lambda: _name(connection) == "张三", 30)
    stand.close()
    table("pcsc-whole", "resident", "sleep during the read, next card", f"{caught.value.code}, read")


def _name(connection: PcscConnection) -> str | None:
    try:
        return read(connection).card.name_zh
    except DeviceTrouble:
        return None


def test_watch_that_starts_without_the_service(stand: PcscStand, pcscd: Pcscd) -> None:
    pcscd.stop()
    seen: list[str] = []
    watch = CardWatch(stand.driver, lambda event: seen.append(event.what))
    watch.start()
    until(lambda: seen == ["service_down"])
    pcscd.start()
    until(lambda: seen[:3] == ["service_down", "service_up", "reader_arrived"])
    assert watch.stop(2.0)


def test_no_reader() -> None:
    """The virtual driver always shows its slots, so the service without any reader is played by a layer that lists none."""

    class Empty:
        SCARD_PCI_T0 = SCARD_PCI_T1 = None

        def SCardEstablishContext(self, scope: int) -> tuple[int, int]:
            return 0, 1

        def SCardListReaders(self, context: int, groups: list[str]) -> tuple[int, list[str]]:
            return 0x8010002E, []

        def SCardReleaseContext(self, context: int) -> int:
            return 0

    driver = PcscDriver([Profile.from_json(WHOLE_PROFILE)], scard=Empty())   # type: ignore[arg-type]
    assert driver.find() == ()
    with pytest.raises(NoReader):
        driver.open(Device("pcsc", "Virtual PCD", "Virtual PCD 00 00"))
    assert type(examine_cards([Entry("cards", "pcsc", driver)], TODAY, threading.Event()).trouble) is NoReader


# -- social security cards ---------------------------------------------------------------------------------------------------------------
def test_a_social_security_card_gives_a_hint_and_its_slot_is_no_identity_reader(slot: VirtualSlot, table: Note) -> None:
    profile = Profile.from_json({"name": "contact", "mode": "social", "match": {"reader": "^Virtual PCD"}})
    hints = HintReaders([profile])
    assert PcscDriver([profile]).find() == ()
    device = next(device for device in hints.find() if device.address.endswith("00 00"))
    with pytest.raises(NoCard):
        hints.read(device, threading.Event())
    for files, name in ((social_card.FIRST, "李练工"), (social_card.SECOND, "李练工·买买提")):
        card = SocialCard(files)
        slot.place(card)
        until(lambda name=name: _hint_name(hints, device) == name)
        table("social", "social security card", "intact", "hint")
        assert {apdu[1] for apdu in card.asked} == {0xA4, 0xB2, 0xC0}
        slot.lift()
        until(lambda: _hint_name(hints, device) is None)
    with pytest.raises(ReaderGone):
        HintReaders([]).read(device, threading.Event())


def _hint_name(hints: HintReaders, device: Device) -> str | None:
    try:
        return hints.read(device, threading.Event()).name
    except DeviceTrouble:
        return None


# -- many cards ------------------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("cards", [50, pytest.param(1000, marks=[pytest.mark.sweep, pytest.mark.timeout(900)])])
def test_many_cards_in_a_row_leave_nothing_behind(stand: PcscStand, cards: int) -> None:
    """Each read opens the reader anew, as the desk does. The card is changed under the reader's nose: laying it down takes the service half a second."""
    people = list(idcards.PEOPLE.values())
    reader = stand.lay(people[0])
    device = stand.device()

    def turn(number: int) -> None:
        reader.card = people[number % len(people)]
        with stand.driver.open(device) as connection:
            assert read(connection).evidence.sam
        assert reader.reads == number + 1

    for number in range(10):
        turn(number)
    gc.collect()
    handles, memory, threads = _handles(), _resident_kb(), threading.active_count()
    for number in range(10, cards):
        turn(number)
    gc.collect()
    assert _handles() <= handles
    assert threading.active_count() <= threads
    assert _resident_kb() - memory < 2048 + cards, "kilobytes"
    stand.lift()


def _handles() -> int:
    return len(os.listdir("/proc/self/fd"))


def _resident_kb() -> int:
    with open("/proc/self/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))
