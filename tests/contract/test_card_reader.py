"""What every card reader must do, over the real smart-card service and an emulated reader with its security module, in one piece and chained.

Never decides by the clock, beyond generous limits.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest

from devices.base import Device, say_nothing
from devices.cards.contract import CardEvent, CardRead
from devices.cards.idcard import findings, parse
from devices.cards.pcsc import PcscConnection, PcscDriver
from devices.cards.profiles import Profile
from devices.doctor import examine_cards
from devices.errors import (
    BrokenFrame,
    Cancelled,
    CardMute,
    CardRemoved,
    CardUnknown,
    DeviceTrouble,
    NoCard,
    NoReader,
    NoSam,
    ReaderGone,
    ReaderOutdated,
    SamRefused,
    ServiceStopped,
    TimedOut,
)
from devices.registry import Entry
from devices.watch import CardWatch
from tests.emulators import idcards
from tests.emulators.idcards import PRACTICE, ZHANG, SyntheticCard
from tests.emulators.pcscd import Pcscd
from tests.emulators.sam_reader import CHAINED_PROFILE, SAM_NUMBER, WHOLE_PROFILE, Faults, SamReader
from tests.emulators.vpcd import VirtualSlot

TODAY = date(2026, 11, 22)
APDUS_BEFORE_TEXT = {"practice-whole": 4, "practice-chained": 16}
"""State, number, find and select: four APDUs, or four frames of three pieces and one GET RESPONSE each."""


@pytest.fixture(params=[WHOLE_PROFILE, CHAINED_PROFILE], ids=["whole", "chained"])
def profile(request: pytest.FixtureRequest) -> dict[str, Any]:
    return request.param


@pytest.fixture
def driver(pcscd: Pcscd, profile: dict[str, Any]) -> PcscDriver:
    return PcscDriver([Profile.from_json(profile)], emulated=True)


@pytest.fixture
def connection(driver: PcscDriver) -> Iterator[PcscConnection]:
    with driver.open(first(driver)) as opened:
        yield opened


def first(driver: PcscDriver) -> Device:
    return next(device for device in driver.find() if device.address.endswith("00 00"))


def until(true: Callable[[], object], seconds: float = 5.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "did not come about"
        time.sleep(0.02)


def lay(driver: PcscDriver, slot: VirtualSlot, card: SyntheticCard | None, faults: Faults | None = None) -> SamReader:
    """Puts an emulated reader with ``card`` down and waits until the service has seen it."""
    reader = SamReader(card, faults)
    slot.place(reader)
    until(lambda: any(seen.card for seen in driver.look()))
    return reader


def take_away(driver: PcscDriver, slot: VirtualSlot) -> None:
    slot.lift()
    until(lambda: not any(seen.card for seen in driver.look()))


def read(connection: PcscConnection, cancel: threading.Event | None = None) -> CardRead:
    return connection.read(cancel or threading.Event(), say_nothing)


# -- reading ---------------------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("person", sorted(idcards.PEOPLE))
def test_a_read_gives_the_card_and_its_evidence(driver: PcscDriver, slot: VirtualSlot, connection: PcscConnection, person: str) -> None:
    lying = idcards.PEOPLE[person]
    lay(driver, slot, lying)
    before = datetime.now(UTC)
    found = read(connection)
    assert found.card == parse(lying.text, lying.addresses)
    assert (found.photo, found.photo_image) == (lying.photo, None)
    evidence = found.evidence
    assert (evidence.sam, evidence.reader) == (SAM_NUMBER, "Virtual PCD")
    assert evidence.raw_digest == "sha256:" + hashlib.sha256(lying.text + lying.photo + lying.addresses).hexdigest()
    assert before <= evidence.read_at <= datetime.now(UTC)


def test_progress_is_told_and_the_reader_says_its_number(driver: PcscDriver, slot: VirtualSlot, connection: PcscConnection, profile: dict[str, Any]) -> None:
    lay(driver, slot, PRACTICE)
    assert connection.sam_number() == SAM_NUMBER
    told: list[str] = []
    found = connection.read(threading.Event(), lambda what, done=0, total=0: told.append(what))
    assert told == ["read.find", "read.select", "read.text", "read.address", "read.done"]
    assert found.evidence.profile == profile["name"]


def test_the_same_card_can_be_read_again_and_another_one_after_it(driver: PcscDriver, slot: VirtualSlot, connection: PcscConnection) -> None:
    reader = lay(driver, slot, PRACTICE)
    assert [read(connection).card.name_zh for _ in range(2)] == ["李练工", "李练工"]
    assert reader.reads == 2
    take_away(driver, slot)
    lay(driver, slot, ZHANG)
    assert read(connection).card.name_zh == "张三"


def test_an_expired_card_is_readable_and_said_to_be_expired(driver: PcscDriver, slot: VirtualSlot, connection: PcscConnection) -> None:
    lay(driver, slot, idcards.EXPIRED)
    card = read(connection).card
    assert (card.name_zh, card.valid_to) == ("王到期", date(2015, 6, 1))
    assert {(finding.code, finding.severity) for finding in findings(card, TODAY)} == {("finding.expired", "warning")}


def test_a_wrong_check_digit_is_readable_and_said_to_be_wrong(driver: PcscDriver, slot: VirtualSlot, connection: PcscConnection) -> None:
    lay(driver, slot, idcards.WRONG_CHECK)
    assert {(finding.code, finding.severity) for finding in findings(read(connection).card, TODAY)} == {("finding.number_check_digit", "error")}


# -- what can be missing or wrong ------------------------------------------------------------------------------------------------------
def test_no_card(driver: PcscDriver, slot: VirtualSlot, connection: PcscConnection) -> None:
    with pytest.raises(NoCard):
        read(connection)
    lay(driver, slot, None)
    with pytest.raises(NoCard):
        read(connection)
    assert connection.sam_number() == SAM_NUMBER, "the module answers without a card"


@pytest.mark.parametrize(("faults", "kind", "status"), [
    (Faults(no_sam=True), NoSam, "6D00"), (Faults(sam_failed=True), SamRefused, "60"), (Faults(sam_unauthorised=True), SamRefused, "66"),
    (Faults(read_status=0x41), CardMute, "41"), (Faults(find_status=0x40), ReaderOutdated, "40"), (Faults(read_status=0x32), SamRefused, "32"),
    (Faults(bad_check_sum=True), BrokenFrame, None), (Faults(bad_length=True), BrokenFrame, None),
])
def test_faults_have_their_names_and_the_next_card_is_read(
    driver: PcscDriver, slot: VirtualSlot, connection: PcscConnection, faults: Faults, kind: type[DeviceTrouble], status: str | None,
) -> None:
    lay(driver, slot, PRACTICE, faults)
    with pytest.raises(kind) as caught:
        read(connection)
    assert type(caught.value) is kind
    assert caught.value.facts.get("status") == status
    lay(driver, slot, ZHANG)
    until(lambda: read(connection).card.name_zh == "张三")


def test_noise_and_a_module_without_addresses_are_no_trouble(driver: PcscDriver, slot: VirtualSlot, connection: PcscConnection) -> None:
    lay(driver, slot, PRACTICE, Faults(noise=b"\x00\xaa\xaa\x17", knows_addresses=False))
    assert read(connection).card.newest_address == ""


@pytest.mark.parametrize("beyond", range(3))
def test_a_card_pulled_during_the_read_is_said_so_and_the_next_one_is_read(
    driver: PcscDriver, slot: VirtualSlot, connection: PcscConnection, profile: dict[str, Any], beyond: int,
) -> None:
    lay(driver, slot, PRACTICE, Faults(pull_after=APDUS_BEFORE_TEXT[profile["name"]] + beyond - 1))
    with pytest.raises(CardRemoved):
        read(connection)
    lay(driver, slot, ZHANG)
    assert read(connection).card.name_zh == "张三"


def test_another_kind_of_card_is_not_asked(pcscd: Pcscd, slot: VirtualSlot, profile: dict[str, Any]) -> None:
    driver = PcscDriver([Profile.from_json(profile | {"match": {"reader": "^Virtual PCD", "atr": "3B00"}})])
    reader = lay(driver, slot, PRACTICE)
    with driver.open(first(driver)) as connection, pytest.raises(CardUnknown) as caught:
        read(connection)
    assert caught.value.facts["atr"] == PRACTICE.atr.hex().upper()
    assert reader.commands == []


def test_a_reader_without_profile_is_seen_and_never_opened(pcscd: Pcscd, slot: VirtualSlot) -> None:
    driver = PcscDriver([])
    reader = lay(driver, slot, PRACTICE)
    assert [seen.profile for seen in driver.look()] == ["", ""]
    assert driver.find() == ()
    with pytest.raises(NoSam) as caught:
        driver.open(driver.look()[0].device)
    assert caught.value.facts["reader"] == "Virtual PCD"
    assert reader.commands == []


def test_a_reader_that_is_not_there(driver: PcscDriver) -> None:
    with pytest.raises(ReaderGone):
        driver.open(Device("pcsc", "Gone", "Gone 00 00"))


def test_a_stalled_read_ends_and_the_reader_comes_back(pcscd: Pcscd, slot: VirtualSlot, profile: dict[str, Any]) -> None:
    driver = PcscDriver([Profile.from_json(profile | {"exchange_seconds": 1})])
    lay(driver, slot, PRACTICE, Faults(slow_seconds=3.5))
    begun = time.monotonic()
    with driver.open(first(driver)) as connection:
        with pytest.raises(TimedOut):
            read(connection)
        assert time.monotonic() - begun < 3
        with pytest.raises(TimedOut):
            read(connection)
        lay(driver, slot, ZHANG)
        until(lambda: _name_or_none(connection) == "张三", 10)


def _name_or_none(connection: PcscConnection) -> str | None:
    try:
        return read(connection).card.name_zh
    except DeviceTrouble:
        return None


def test_a_slow_read_can_be_called_off(driver: PcscDriver, slot: VirtualSlot, connection: PcscConnection) -> None:
    lay(driver, slot, PRACTICE, Faults(slow_seconds=1.5))
    cancel = threading.Event()
    timer = threading.Timer(0.3, cancel.set)
    timer.start()
    with pytest.raises(Cancelled):
        read(connection, cancel)
    timer.join()
    lay(driver, slot, ZHANG)
    until(lambda: _name_or_none(connection) == "张三")


def test_service_stopped_and_back(driver: PcscDriver, slot: VirtualSlot, pcscd: Pcscd, connection: PcscConnection) -> None:
    lay(driver, slot, PRACTICE)
    assert read(connection).card.name_zh == "李练工"
    pcscd.stop()
    for call in (lambda: read(connection), driver.find, driver.look):
        with pytest.raises(ServiceStopped):
            call()
    pcscd.start()
    lay(driver, slot, ZHANG)
    assert read(connection).card.name_zh == "张三", "the same connection works again"


def test_service_stopped_during_a_read(driver: PcscDriver, slot: VirtualSlot, pcscd: Pcscd, connection: PcscConnection) -> None:
    lay(driver, slot, PRACTICE, Faults(slow_seconds=1.0))
    timer = threading.Timer(0.3, pcscd.stop)
    timer.start()
    with pytest.raises((ServiceStopped, CardRemoved)):
        read(connection)
    timer.join()
    pcscd.start()
    lay(driver, slot, ZHANG)
    assert read(connection).card.name_zh == "张三"


# -- watching --------------------------------------------------------------------------------------------------------------------------
@pytest.fixture
def watched(driver: PcscDriver) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(event: CardEvent) -> None:
        if event.device is None or event.device.address.endswith("00 00"):
            seen.append(event.what)

    watch = CardWatch(driver, note)
    watch.start()
    yield seen
    assert watch.stop(2.0)


def test_watch_sees_cards_come_and_go_once(driver: PcscDriver, slot: VirtualSlot, connection: PcscConnection, watched: list[str]) -> None:
    until(lambda: watched == ["reader_arrived"])
    slot.place(SamReader(PRACTICE))
    until(lambda: "card_placed" in watched)
    for _ in range(3):
        read(connection)
    time.sleep(1.0)
    assert watched == ["reader_arrived", "card_placed"], "reading makes no events, and a card is told once"
    slot.lift()
    until(lambda: "card_lifted" in watched)
    slot.place(SamReader(ZHANG))
    until(lambda: watched == ["reader_arrived", "card_placed", "card_lifted", "card_placed"])


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


def test_watch_that_starts_without_the_service(driver: PcscDriver, pcscd: Pcscd) -> None:
    pcscd.stop()
    seen: list[str] = []
    watch = CardWatch(driver, lambda event: seen.append(event.what))
    watch.start()
    until(lambda: seen == ["service_down"])
    pcscd.start()
    until(lambda: seen[:3] == ["service_down", "service_up", "reader_arrived"])
    assert watch.stop(2.0)


# -- diagnosis -------------------------------------------------------------------------------------------------------------------------
def test_doctor_reads_masked(driver: PcscDriver, slot: VirtualSlot) -> None:
    lay(driver, slot, PRACTICE)
    report = examine_cards([Entry("cards", "pcsc", driver)], TODAY, threading.Event())
    assert report.trouble is None
    reader, empty = report.readers
    assert (reader.sam, reader.trouble) == (SAM_NUMBER, None)
    assert reader.read is not None and reader.read.photo_bytes == 1024
    assert (reader.read.fields["name_zh"], reader.read.fields["number"]) == ("李**", "51" + "*" * 16)
    assert type(empty.trouble) is NoCard


def test_doctor_without_service(driver: PcscDriver, pcscd: Pcscd) -> None:
    pcscd.stop()
    report = examine_cards([Entry("cards", "pcsc", driver)], TODAY, threading.Event())
    assert type(report.trouble) is ServiceStopped


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
