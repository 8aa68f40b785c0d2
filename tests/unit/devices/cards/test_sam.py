"""Frames, statuses and the read session of the security module. Never needs a reader."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.base import say_nothing
from devices.cards import sam
from devices.cards.sam import FrameParser, build, parse_answer, sam_number, slice_blocks, trouble_of
from devices.cards.session import SamSession, Waits
from devices.errors import (
    BrokenFrame,
    Cancelled,
    CardMute,
    CardRemoved,
    DeviceTrouble,
    NoCard,
    ReaderOutdated,
    ReaderTrouble,
    SamRefused,
    TimedOut,
)
from tests.emulators import idcards

QUICK = Waits(between_finds=0.0)


def answer(status: int, data: bytes = b"") -> bytes:
    body = (len(data) + 4).to_bytes(2, "big") + b"\0\0" + bytes((status,)) + data
    check = 0
    for byte in body:
        check ^= byte
    return sam.PREAMBLE + body + bytes((check,))


def base(card: idcards.SyntheticCard) -> bytes:
    return answer(0x90, b"\x01\x00\x04\x00" + card.text + card.photo)


@pytest.mark.parametrize(("command", "frame"), [
    (sam.RESET, "000310FFEC"), (sam.STATUS, "000311FFED"), (sam.SAM_ID, "000312FFEE"), (sam.FIND, "0003200122"), (sam.SELECT, "0003200221"),
    (sam.READ_BASE, "0003300132"), (sam.APPENDED_ADDRESS, "0003300330"), (sam.MANAGEMENT, "0003300536"),
])
def test_frames_are_those_of_the_fact_sheet(command: tuple[int, int], frame: str) -> None:
    assert build(command).hex().upper() == "AAAAAA9669" + frame


def test_frame_with_data() -> None:
    assert build((0x61, 0xFF), b"\x50").hex().upper() == "AAAAAA9669000461FF50CA"
    with pytest.raises(ValueError, match="too long"):
        build((0x61, 0xFF), bytes(0xFFFD))


@pytest.mark.parametrize(("card", "check"), [(idcards.ZHANG, 0xE3), (idcards.CHEN, 0x41), (idcards.ALI, 0x79), (idcards.ALI_2023, 0x07)])
def test_read_answers_are_the_vectors(card: idcards.SyntheticCard, check: int) -> None:
    frame = base(card)
    assert (len(frame), frame[-1], frame[:14].hex()) == (1295, check, "aaaaaa9669050800009001000400")
    blocks = slice_blocks(parse_answer(frame).data)
    assert (blocks.text, blocks.photo) == (card.text, card.photo)


def test_number_of_the_module() -> None:
    assert sam_number(bytes.fromhex("05000100A53A340187D6120078563412")) == "05.01-20200101-0001234567-0305419896"
    assert parse_answer(bytes.fromhex("AAAAAA9669001400009005000100A53A340187D612007856341261")).data[:2] == b"\x05\x00"
    with pytest.raises(BrokenFrame):
        sam_number(bytes(15))


def test_noise_before_a_frame_is_skipped() -> None:
    parser = FrameParser()
    assert parser.feed(b"\x00\xaa\xaa\xaa\xaa\xaa\x96") is None
    assert parser.feed(b"\x69\x00\x04\x00\x00\x90\x94" + answer(0x9F, bytes(4))[:3]) == sam.Answer(0x90)
    assert parser.feed(answer(0x9F, bytes(4))[3:]) == sam.Answer(0x9F, bytes(4))


def test_bad_frames_are_refused_and_the_next_one_is_read() -> None:
    parser = FrameParser()
    with pytest.raises(BrokenFrame, match="check sum"):
        parser.feed(answer(0x90)[:-1] + b"\x00")
    assert parser.feed(answer(0x80)) == sam.Answer(0x80)
    for length in (b"\x00\x03", b"\x0a\x01", b"\xff\xff"):
        with pytest.raises(BrokenFrame, match="length"):
            parser.feed(sam.PREAMBLE + length)
        assert parser.feed(answer(0x90)) == sam.Answer(0x90)


@given(st.lists(st.binary(max_size=64), max_size=8))
def test_any_bytes_give_answers_or_a_named_trouble(pieces: list[bytes]) -> None:
    parser = FrameParser()
    for piece in pieces:
        try:
            parser.feed(piece)
        except BrokenFrame:
            continue


@given(st.binary(max_size=40).filter(lambda noise: sam.PREAMBLE[:1] not in noise), st.integers(0, 255), st.binary(max_size=300), st.integers(1, 60))
def test_a_frame_is_found_however_it_is_cut(noise: bytes, status: int, data: bytes, size: int) -> None:
    parser, whole, seen = FrameParser(), noise + answer(status, data), []
    for start in range(0, len(whole), size):
        if (found := parser.feed(whole[start:start + size])) is not None:
            seen.append(found)
    assert seen == [sam.Answer(status, data)]


@given(st.binary(max_size=1400))
def test_any_contents_give_blocks_or_a_named_trouble(untrusted: bytes) -> None:
    try:
        blocks = slice_blocks(untrusted)
    except BrokenFrame:
        return
    assert 4 + len(blocks.text) + len(blocks.photo) == len(untrusted)


@pytest.mark.parametrize(("status", "kind"), [
    (0x10, BrokenFrame), (0x11, BrokenFrame), (0x21, ReaderTrouble), (0x31, SamRefused), (0x32, SamRefused), (0x33, SamRefused), (0x40, ReaderOutdated),
    (0x41, CardMute), (0x47, CardMute), (0x60, SamRefused), (0x66, SamRefused), (0x80, NoCard), (0x81, CardMute), (0x91, ReaderTrouble), (0xC7, ReaderTrouble),
])
def test_statuses_have_their_troubles(status: int, kind: type[DeviceTrouble]) -> None:
    trouble = trouble_of(status)
    assert type(trouble) is kind
    assert trouble.facts == {"status": f"{status:02X}"}


# -- the session -----------------------------------------------------------------------------------------------------------------------
class Script:
    """Answers by command; a list gives one answer after another."""

    def __init__(self, **answers: bytes | list[bytes]) -> None:
        self.answers = {"1": answer(0x9F, bytes(4)), "2": answer(0x90, bytes(8)), "3": base(idcards.PRACTICE), "4": answer(0x91)} | answers
        self.asked: list[str] = []

    def __call__(self, frame: bytes, seconds: float) -> bytes:
        name = {"2001": "1", "2002": "2", "3001": "3", "3003": "4"}[frame[7:9].hex()]
        self.asked.append(name)
        found = self.answers[name]
        return found.pop(0) if isinstance(found, list) else found


def session(exchange: Callable[[bytes, float], bytes], cancel: threading.Event | None = None, deadline: float = 5.0) -> SamSession:
    return SamSession(exchange, cancel or threading.Event(), deadline, QUICK)


def test_a_read_asks_in_order_and_tells() -> None:
    script, told = Script(**{"4": answer(0x90, idcards.PRACTICE.addresses)}), []
    blocks = session(script).read(lambda what, done=0, total=0: told.append((what, done, total)))
    assert (blocks.text, blocks.photo, blocks.addresses) == (idcards.PRACTICE.text, idcards.PRACTICE.photo, idcards.PRACTICE.addresses)
    assert script.asked == ["1", "2", "3", "4"]
    assert told == [("read.find", 0, 4), ("read.select", 1, 4), ("read.text", 2, 4), ("read.address", 3, 4), ("read.done", 4, 4)]


@pytest.mark.parametrize("status", [0x91, 0x21])
def test_no_appended_address_is_no_trouble(status: int) -> None:
    assert session(Script(**{"4": answer(status)})).read(say_nothing).addresses == b""


def test_find_is_tried_twice() -> None:
    script = Script(**{"1": [answer(0x80), answer(0x9F, bytes(4))]})
    session(script).read(say_nothing)
    assert script.asked[:2] == ["1", "1"]
    with pytest.raises(NoCard):
        session(Script(**{"1": answer(0x80)})).read(say_nothing)


def test_a_card_that_goes_during_the_read_was_removed() -> None:
    for step in ("2", "3", "4"):
        with pytest.raises(CardRemoved):
            session(Script(**{step: answer(0x80)})).read(say_nothing)


def test_failures_of_each_step_are_named() -> None:
    for step, status, kind in (("1", 0x60, SamRefused), ("2", 0x81, CardMute), ("3", 0x41, CardMute), ("3", 0x40, ReaderOutdated), ("4", 0x41, CardMute)):
        with pytest.raises(kind):
            session(Script(**{step: answer(status)})).read(say_nothing)


def test_cancel_and_deadline_end_the_read() -> None:
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(Cancelled):
        session(Script(), cancel).read(say_nothing)
    with pytest.raises(TimedOut):
        session(Script(), deadline=0.0).read(say_nothing)

    def cancelled_meanwhile(frame: bytes, seconds: float) -> bytes:
        cancel.set()
        return answer(0x80)

    cancel.clear()
    with pytest.raises(Cancelled):
        SamSession(cancelled_meanwhile, cancel, 5.0, Waits(between_finds=5.0)).read(say_nothing)


@given(st.binary(max_size=80))
def test_a_reader_that_talks_nonsense_is_a_named_trouble(noise: bytes) -> None:
    with pytest.raises(DeviceTrouble):
        session(lambda frame, seconds: noise).read(say_nothing)
