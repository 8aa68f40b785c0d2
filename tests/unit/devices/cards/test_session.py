"""The session with a module: its number, whether a card lies there, silent cards, late answers. Over the emulated module; never needs a reader."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.base import say_nothing
from devices.cards import sam
from devices.cards.reading import card_read
from devices.cards.sam import Blocks, answer_frame, card_numbers, sam_number, sam_number_bytes
from devices.cards.session import SamSession, Waits
from devices.errors import BrokenFrame, Cancelled, CardMute, CardReadAlready, CardRemoved, DeviceTrouble, DriverCrashed, NoCard, SamRefused, TimedOut
from tests.emulators.idcards import PRACTICE, ZHANG
from tests.emulators.sam_module import SAM_ID, SAM_NUMBER, Faults, SamModule

QUICK = Waits(between_finds=0.0)


def session(
    module: SamModule, change: Callable[[bytes, bytes], bytes] = lambda command, answer: answer, lies: Callable[[], bool] | None = None,
    cancel: threading.Event | None = None,
) -> SamSession:
    """``change`` gets each command with its answer and gives what arrives."""
    return SamSession(lambda frame, seconds: change(frame[7:9], module.answer(frame)), cancel or threading.Event(), 5.0, QUICK, lies)


def silent(*commands: str) -> Callable[[bytes, bytes], bytes]:
    def change(command: bytes, answer: bytes) -> bytes:
        if command.hex() in commands:
            raise TimedOut("no answer")
        return answer

    return change


def answering(**statuses: int) -> Callable[[bytes, bytes], bytes]:
    return lambda command, answer: answer_frame(statuses[f"c{command.hex()}"]) if f"c{command.hex()}" in statuses else answer


def test_state_and_number() -> None:
    assert session(SamModule()).number() == SAM_NUMBER
    assert session(SamModule(), answering(c12ff=0x21)).number() == ""
    with pytest.raises(SamRefused):
        session(SamModule(faults=Faults(sam_failed=True))).number()


def test_whether_a_card_lies_there() -> None:
    module = SamModule(PRACTICE)
    assert session(module).lies(False) and session(module).lies(True)
    assert not session(SamModule()).lies(False) and not session(SamModule()).lies(True)
    session(module).read(say_nothing)
    assert not session(module).lies(False), "a card that was read is not found"
    assert session(module).lies(True), "but answers for its address"
    module.lift()
    assert not session(module).lies(True)
    assert not session(SamModule(), silent("3003")).lies(True)
    with pytest.raises(SamRefused):
        session(SamModule(faults=Faults(sam_failed=True))).lies(False)


def test_a_card_that_lies_there_after_its_read_must_be_lifted() -> None:
    module = SamModule(PRACTICE)
    session(module).read(say_nothing)
    with pytest.raises(CardReadAlready):
        session(module).read(say_nothing, read_before=True)
    with pytest.raises(NoCard):
        session(module).read(say_nothing, read_before=False)
    module.lift()
    with pytest.raises(NoCard):
        session(module).read(say_nothing, read_before=True)


def test_a_silent_card_lies_there_still_or_has_left() -> None:
    for faults, status in ((Faults(read_status=0x41), "41"), (Faults(read_status=0x47), "47")):
        for lies, kind in ((lambda: True, CardMute), (lambda: False, CardRemoved), (None, CardRemoved)):
            with pytest.raises(kind) as caught:
                session(SamModule(PRACTICE, replace(faults)), lies=lies).read(say_nothing)
            assert type(caught.value) is kind and caught.value.facts == {"status": status}
    module = SamModule(PRACTICE)

    def refuses_to_select(command: bytes, answer: bytes) -> bytes:
        if command != b"\x20\x02":
            return answer
        module.forget()
        return answer_frame(0x81)

    with pytest.raises(CardMute):   # nothing was selected, so the card is found again
        session(module, refuses_to_select).read(say_nothing)

    finds: list[bytes] = []

    def deaf_at_last(command: bytes, answer: bytes) -> bytes:
        finds.append(command)
        if command == b"\x20\x01" and finds.count(command) > 1:
            raise TimedOut("no answer")
        return answer

    with pytest.raises(CardMute):
        session(SamModule(PRACTICE, Faults(read_status=0x41)), deaf_at_last).read(say_nothing)


def test_what_a_card_may_lack() -> None:
    whole = session(SamModule(PRACTICE)).read(say_nothing, management=True)
    assert (whole.addresses, whole.management) == (PRACTICE.addresses, PRACTICE.management)
    poor = session(SamModule(PRACTICE), answering(c3003=0x21, c3005=0x91)).read(say_nothing, management=True)
    assert (poor.text, poor.addresses, poor.management) == (PRACTICE.text, b"", b"")
    assert session(SamModule(PRACTICE)).read(say_nothing).management == b""


def test_a_late_answer_to_another_question_is_not_taken() -> None:
    late = answer_frame(0x90, b"\x01\x00\x04\x00" + PRACTICE.text + PRACTICE.photo)
    for command in ("11ff", "12ff", "2001", "2002"):
        with pytest.raises(BrokenFrame):
            one = session(SamModule(ZHANG), lambda asked, answer, command=command: late if asked.hex() == command else answer)
            one.number()
            one.read(say_nothing)


def test_called_off_between_two_tries_to_find() -> None:
    cancel = threading.Event()

    def change(command: bytes, answer: bytes) -> bytes:
        cancel.set()
        return answer

    with pytest.raises(Cancelled):
        session(SamModule(), change, cancel=cancel).read(say_nothing)


@given(st.lists(st.binary(max_size=30) | st.sampled_from([answer_frame(status) for status in range(256)])
                | st.sampled_from([answer_frame(0x9F, bytes(4)), answer_frame(0x90, bytes(8)), answer_frame(0x90, b"\x01\x00\x04\x00" + bytes(1280))]),
                max_size=12), st.booleans())
def test_any_answers_give_blocks_or_a_named_trouble(answers: list[bytes], management: bool) -> None:
    left = list(answers)
    one = SamSession(lambda frame, seconds: left.pop(0) if left else b"", threading.Event(), 5.0, QUICK)
    try:
        assert len(one.read(say_nothing, management, True).text) <= 0x0A00
    except DeviceTrouble as trouble:
        assert trouble.code


# -- contents --------------------------------------------------------------------------------------------------------------------------
def test_frames_as_a_module_would_send_them() -> None:
    assert answer_frame(0x90).hex().upper() == "AAAAAA9669000400009094"
    assert answer_frame(0x190, b"\x01") == answer_frame(0x90, b"\x01")
    with pytest.raises(ValueError, match="too long"):
        answer_frame(0x90, bytes(0x0A00))


@given(st.binary(min_size=16, max_size=16))
def test_numbers_and_their_bytes(raw: bytes) -> None:
    written = sam_number(raw)
    if len(written) == 36:      # two digits for kind and version, eight for the day: others are no numbers of modules
        assert sam_number_bytes(written) == raw
    assert sam_number_bytes(SAM_NUMBER) == SAM_ID


@pytest.mark.parametrize("wrong", ["", "05.01-20200101-0001234567", "05.01-20200101-0001234567-9999999999", "05.01-20200101-0001234567-030541989６", "x" * 36])
def test_other_writings_are_no_numbers(wrong: str) -> None:
    assert sam_number_bytes(wrong) == b""


def test_management_data() -> None:
    numbers = card_numbers(bytes(range(28)))
    assert (numbers.issuer, numbers.chip, numbers.body) == (bytes(range(4)), bytes(range(4, 12)), bytes(range(12, 28)))
    assert "issuer" not in repr(numbers)
    with pytest.raises(BrokenFrame):
        card_numbers(bytes(27))


def test_a_read_with_and_without_a_picture() -> None:
    blocks, at = Blocks(ZHANG.text, ZHANG.photo), datetime(2026, 11, 22, tzinfo=UTC)

    def broken(block: bytes) -> bytes:
        raise DriverCrashed("gone")

    assert (bare := card_read(blocks, SAM_NUMBER, "r", "p", at)).photo_image is None and bare.photo_trouble is None and bare.numbers is None
    assert card_read(blocks, SAM_NUMBER, "r", "p", at, lambda block: b"PNG" + block).photo_image == b"PNG" + ZHANG.photo
    failed = card_read(blocks, SAM_NUMBER, "r", "p", at, broken)
    assert failed.photo_image is None and type(failed.photo_trouble) is DriverCrashed and failed.photo == ZHANG.photo
    assert card_read(replace(blocks, management=bytes(28)), SAM_NUMBER, "r", "p", at).numbers == card_numbers(bytes(28))
    assert card_read(replace(blocks, management=bytes(3)), SAM_NUMBER, "r", "p", at).numbers is None
    with pytest.raises(BrokenFrame):
        card_read(Blocks(b"", b""), SAM_NUMBER, "r", "p", at)
    assert sam.MANAGEMENT == (0x30, 0x05)
