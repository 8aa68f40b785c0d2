"""What every reader driver must do: PC/SC over the real service (in one piece and chained) and by the control channel over a played one, serial, TCP-serial,
vendors' libraries SDT and CVR. What each did goes into the table of ``card_table.py``.

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
from devices.doctor import examine_cards
from devices.errors import (
    BrokenFrame,
    Cancelled,
    CardKindUnknown,
    CardMute,
    CardReadAlready,
    CardRemoved,
    DeviceTrouble,
    DriverHung,
    NoCard,
    NoSam,
    ReaderGone,
    ReaderOutdated,
    SamRefused,
    TimedOut,
)
from devices.registry import Entry
from devices.watch import CardWatch
from tests.contract.reader_stands import Stand, Stands, until
from tests.emulators import idcards
from tests.emulators.idcards import PRACTICE, ZHANG
from tests.emulators.sam_module import SAM_NUMBER, Faults

TODAY = date(2026, 11, 22)


Note = Callable[[str, str, str, str], None]
ONE_OF_A_KIND = tuple(name for name in Stands.NAMES if name != "pcsc-chained")
"""The two tunnels differ below the frame only, so what concerns cards, watch and diagnosis is asked of one of them."""


@pytest.fixture(params=Stands.NAMES)
def stand(request: pytest.FixtureRequest, stands: Stands) -> Stand:
    return stands.make(request.param)


@pytest.fixture
def connection(stand: Stand) -> Iterator[Any]:
    with stand.driver.open(stand.device()) as opened:
        yield opened


def read(connection: Any, cancel: threading.Event | None = None) -> CardRead:
    return connection.read(cancel or threading.Event(), say_nothing)


def name_or_none(connection: Any) -> str | None:
    try:
        return read(connection).card.name_zh
    except DeviceTrouble:
        return None


# -- reading ---------------------------------------------------------------------------------------------------------------------------
def test_every_person_is_read_with_evidence(stand: Stand, connection: Any, table: Note) -> None:
    for who, lying in idcards.PEOPLE.items():
        if not stand.presence:
            stand.lift()
        stand.lay(lying)
        before = datetime.now(UTC)
        found = read(connection)
        addresses = lying.addresses if stand.appends else b""
        assert found.card == parse(lying.text, addresses)
        assert (found.photo, found.photo_image, found.photo_trouble, found.numbers) == (lying.photo, None, None, None)
        evidence = found.evidence
        assert (evidence.sam, evidence.reader, evidence.profile) == (SAM_NUMBER, connection.device.name, stand.profile_name)
        assert evidence.raw_digest == "sha256:" + hashlib.sha256(lying.text + lying.photo + addresses).hexdigest()
        assert before <= evidence.read_at <= datetime.now(UTC)
        odd = sorted(finding.code.removeprefix("finding.") for finding in findings(found.card, TODAY))
        table(stand.name, idcards.LABELS[who], "intact", ", ".join(odd) or "read")


def test_a_kind_that_nobody_knows_is_said_plainly(stand: Stand, connection: Any, table: Note) -> None:
    stand.lay(idcards.UNKNOWN_KIND)
    with pytest.raises(CardKindUnknown) as caught:
        read(connection)
    assert caught.value.facts == {"kind": "K"}
    table(stand.name, "unknown kind (K)", "intact", caught.value.code)


@pytest.mark.parametrize("stand", ONE_OF_A_KIND, indirect=True)
def test_progress_is_told_and_the_reader_says_its_number(stand: Stand, connection: Any) -> None:
    stand.lay(PRACTICE)
    assert connection.sam_number() == SAM_NUMBER
    told: list[str] = []
    connection.read(threading.Event(), lambda what, done=0, total=0: told.append(what))
    assert told == ["read.find", "read.select", "read.text", "read.address", "read.done"]


def test_a_card_that_was_read_is_read_again_or_must_be_lifted(stand: Stand, connection: Any, table: Note) -> None:
    reader = stand.lay(PRACTICE)
    assert read(connection).card.name_zh == "李练工"
    if stand.rereads:
        assert read(connection).card.name_zh == "李练工"
        table(stand.name, "resident", "read, not lifted", "read again")
    else:
        with pytest.raises(CardReadAlready if stand.appends else NoCard) as caught:
            read(connection)
        table(stand.name, "resident", "read, not lifted", caught.value.code)
    assert reader.reads == (2 if stand.rereads else 1)
    stand.lift()
    stand.lay(ZHANG)
    assert read(connection).card.name_zh == "张三"


@pytest.mark.parametrize("stand", ONE_OF_A_KIND, indirect=True)
def test_odd_cards_are_readable_and_said_to_be_odd(stand: Stand, connection: Any) -> None:
    for lying, code, severity in ((idcards.EXPIRED, "finding.expired", "warning"), (idcards.WRONG_CHECK, "finding.number_check_digit", "error")):
        stand.lift()
        stand.lay(lying)
        assert {(finding.code, finding.severity) for finding in findings(read(connection).card, TODAY)} == {(code, severity)}


def test_management_data_where_the_profile_asks_for_it(stands: Stands, table: Note) -> None:
    for name in ("pcsc-whole", "pcsc-chained", "pcsc-escape", "serial", "tcp", "sdt"):      # CVR has no call for it
        stand = stands.make(name, management=True)
        stand.lay(PRACTICE)
        with stand.driver.open(stand.device()) as connection:
            numbers = read(connection).numbers
        assert numbers is not None and (numbers.issuer, numbers.chip, numbers.body) == (bytes(range(4)), bytes(range(4, 12)), bytes(range(12, 28)))
        stand.lift()
        table(name, "card management data (30 05)", "intact", "read")


# -- what can be missing or wrong ------------------------------------------------------------------------------------------------------
def test_no_card(stand: Stand, connection: Any, table: Note) -> None:
    with pytest.raises(NoCard):
        read(connection)
    stand.lay(None)
    with pytest.raises(NoCard) as caught:
        read(connection)
    assert connection.sam_number() == SAM_NUMBER, "the module answers without a card"
    table(stand.name, "none", "no card", caught.value.code)


FAULTS: tuple[tuple[str, Faults, type[DeviceTrouble], str | None], ...] = (
    ("module failed its self-test (60)", Faults(sam_failed=True), SamRefused, "60"),
    ("module not authorised (66)", Faults(sam_unauthorised=True), SamRefused, "66"),
    ("card falls silent (41)", Faults(read_status=0x41), CardMute, "41"), ("kind unknown to the firmware (40)", Faults(find_status=0x40), ReaderOutdated, "40"),
    ("module refuses the card (32)", Faults(read_status=0x32), SamRefused, "32"), ("check sum wrong", Faults(bad_check_sum=True), BrokenFrame, None),
    ("length fields wrong", Faults(bad_length=True), BrokenFrame, None),
)


def test_faults_have_their_names_and_the_next_card_is_read(stand: Stand, connection: Any, table: Note) -> None:
    library = stand.profile_name in ("practice-sdt", "practice-cvr")
    for fault, faults, kind, status in FAULTS:
        stand.lay(PRACTICE, faults)
        with pytest.raises(DeviceTrouble) as caught:
            read(connection)
        if kind is CardMute and not stand.presence:
            kind = CardRemoved      # the module does not find the silent card again, and nobody else knows whether it lies there
        if stand.keeps_statuses and not (library and faults.bad_check_sum):      # a library checks frames by itself
            assert type(caught.value) is kind
            assert caught.value.facts.get("status") == status
        table(stand.name, "resident", fault, caught.value.code)
        if stand.presence:      # the service must have seen that the card was changed
            stand.lift()
    stand.lay(ZHANG)
    until(lambda: name_or_none(connection) == "张三")


@pytest.mark.parametrize("stand", ONE_OF_A_KIND, indirect=True)
def test_noise_and_a_module_without_addresses_are_no_trouble(stand: Stand, connection: Any) -> None:
    noise = b"\x00\xaa\xaa\x17" if stand.profile_name not in ("practice-sdt", "practice-cvr") else b""
    stand.lay(PRACTICE, Faults(noise=noise, knows_addresses=False))
    assert read(connection).card.newest_address == ""


def test_a_card_pulled_during_the_read_is_said_so_and_the_next_one_is_read(stand: Stand, connection: Any, table: Note) -> None:
    for place, command in enumerate(("2002", "3001", "3003")):
        if stand.presence:      # state, number, find: one APDU each, or three pieces and one fetch
            stand.lay(PRACTICE, Faults(pull_after={"practice-whole": 4, "practice-escape": 4, "practice-chained": 16}[stand.profile_name] + place - 1))
        else:
            stand.lay(PRACTICE, Faults(pull_at=bytes.fromhex(command)))
        if stand.appends or command == "3001":
            with pytest.raises(CardRemoved) as caught:
                read(connection)
            table(stand.name, "resident", f"pulled at {command[:2]} {command[2:]}, next card", f"{caught.value.code}, read")
        else:
            name_or_none(connection)     # CVR finds and selects in one call, and asks for no address: NoCard, or a whole read
        stand.lay(ZHANG)
        assert read(connection).card.name_zh == "张三"
        if stand.presence:
            stand.lift()


def test_a_reader_that_is_not_there(stand: Stand, table: Note) -> None:
    with pytest.raises(ReaderGone) as caught:
        stand.driver.open(Device(stand.driver.name, "Gone", "Gone 00 00"))
    table(stand.name, "none", "reader unplugged", caught.value.code)


@pytest.mark.parametrize("name", Stands.NAMES)
def test_a_stalled_read_ends_and_the_reader_comes_back(stands: Stands, name: str, table: Note) -> None:
    stand = stands.make(name, exchange_seconds=0.5)
    stand.lay(PRACTICE, Faults(slow_seconds=1.2))
    begun = time.monotonic()
    with stand.driver.open(stand.device()) as connection:
        with pytest.raises((TimedOut, DriverHung)) as caught:
            read(connection)
        assert time.monotonic() - begun < 30, "generous: the module is slow for a second"
        stand.lay(ZHANG)
        until(lambda: name_or_none(connection) == "张三", 30)
        table(name, "resident", "stalled, next card", f"{caught.value.code}, read")


def test_a_slow_read_can_be_called_off(stand: Stand, connection: Any, table: Note) -> None:
    stand.lay(PRACTICE, Faults(slow_seconds=0.7))
    cancel = threading.Event()
    timer = threading.Timer(0.2, cancel.set)
    timer.start()
    with pytest.raises(Cancelled) as caught:
        read(connection, cancel)
    timer.join()
    stand.lay(ZHANG)
    until(lambda: name_or_none(connection) == "张三", 30)
    table(stand.name, "resident", "called off, next card", f"{caught.value.code}, read")


# -- watching and diagnosis ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("stand", ONE_OF_A_KIND, indirect=True)
def test_watch_sees_cards_come_and_go_once_and_reads_between(stand: Stand) -> None:
    device, seen = stand.device(), list[str]()

    def note(event: CardEvent) -> None:
        if event.device is None or event.device.address == device.address:
            seen.append(event.what)

    watch = CardWatch(stand.driver, note)
    watch.start()
    try:
        until(lambda: seen == ["reader_arrived"])
        stand.lay(PRACTICE)
        until(lambda: "card_placed" in seen)
        with stand.driver.open(device) as connection:
            assert read(connection).card.name_zh == "李练工"
        time.sleep(0.8)
        if stand.appends:   # without it nobody can tell a card that was read from none
            assert seen == ["reader_arrived", "card_placed"], "reading makes no events, and a card is told once"
        stand.lift()
        until(lambda: "card_lifted" in seen)
        stand.lay(ZHANG)
        until(lambda: seen == ["reader_arrived", "card_placed", "card_lifted", "card_placed"])
        with stand.driver.open(device) as connection:
            assert read(connection).card.name_zh == "张三"
    finally:
        assert watch.stop(3.0)


@pytest.mark.parametrize("stand", ONE_OF_A_KIND, indirect=True)
def test_doctor_reads_masked(stand: Stand) -> None:
    stand.lay(PRACTICE)
    report = examine_cards([Entry("cards", stand.driver.name, stand.driver)], TODAY, threading.Event())
    assert report.trouble is None
    reader, *empty = report.readers
    assert (reader.sam, reader.trouble) == (SAM_NUMBER, None)
    assert reader.read is not None and reader.read.photo_bytes == 1024
    assert (reader.read.fields["name_zh"], reader.read.fields["number"]) == ("李**", "51" + "*" * 16)
    assert tuple(other.trouble and type(other.trouble) for other in empty) == stand.empty_slots


def test_a_reader_without_a_module(stands: Stands, table: Note) -> None:
    for name in ("pcsc-whole", "pcsc-chained"):
        stand = stands.make(name)
        stand.lay(PRACTICE, Faults(no_sam=True))
        with stand.driver.open(stand.device()) as connection, pytest.raises(NoSam) as caught:
            read(connection)
        assert caught.value.facts["status"] == "6D00"
        table(name, "resident", "reader without a module", caught.value.code)
        stand.lift()
