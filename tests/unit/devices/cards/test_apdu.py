"""APDUs, chaining and the tunnel. Never needs a reader."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.cards.apdu import Command, Response, Tunnel, TunnelShape, exchange, parse_response
from devices.cards.sam import PREAMBLE, SAM_ID, build
from devices.errors import BrokenFrame, DeviceTrouble, NoSam, ReaderTrouble
from tests.emulators.idcards import PRACTICE
from tests.emulators.sam_reader import Faults, SamReader


@pytest.mark.parametrize(("command", "extended", "written"), [
    (Command(0, 0xA4), False, "00a40000"),
    (Command(0, 0xC0, expected=256), False, "00c0000000"),
    (Command(0, 0xB0, 1, 2, expected=16), False, "00b0010210"),
    (Command(0x80, 0xFE, data=b"\x01\x02"), False, "80fe0000020102"),
    (Command(0x80, 0xFE, data=b"\x01\x02", expected=256), False, "80fe000002010200"),
    (Command(0x80, 0xFE, expected=65_536), True, "80fe0000000000"),
    (Command(0x80, 0xFE, data=b"\x01", expected=65_536), True, "80fe0000000001010000"),
    (Command(0x80, 0xFE, data=b"\x01"), True, "80fe000000000101"),
])
def test_commands_as_written_by_iso_7816(command: Command, extended: bool, written: str) -> None:
    assert command.encode(extended).hex() == written


@pytest.mark.parametrize("command", [Command(0, 0, data=bytes(256)), Command(0, 0, expected=257), Command(0, 0, expected=0)])
def test_what_does_not_fit_is_refused(command: Command) -> None:
    with pytest.raises(ValueError, match="fit"):
        command.encode()


def played(*answers: str) -> tuple[Callable[[bytes], bytes], list[str]]:
    asked, left = [], list(answers)

    def transmit(apdu: bytes) -> bytes:
        asked.append(apdu.hex())
        return bytes.fromhex(left.pop(0))

    return transmit, asked


def test_rest_is_fetched_and_wrong_length_repeated() -> None:
    transmit, asked = played("6c05", "0102036102", "04059000")
    assert exchange(transmit, Command(0, 0xB2, 1, 4, expected=256)) == Response(0x9000, bytes(range(1, 6)))
    assert asked == ["00b2010400", "00b2010405", "00c0000002"]


def test_a_rest_of_another_length_than_announced_is_fetched_again() -> None:
    transmit, asked = played("6110", "6c02", "01029000")
    assert exchange(transmit, Command(0, 0xA4)) == Response(0x9000, b"\x01\x02")
    assert asked == ["00a40000", "00c0000010", "00c0000002"]


def test_an_answer_without_end_is_broken() -> None:
    with pytest.raises(BrokenFrame, match="end"):
        exchange(lambda apdu: b"\x61\x00", Command(0, 0xB2))
    with pytest.raises(BrokenFrame, match="end"):
        exchange(lambda apdu: bytes(250) + b"\x61\x00", Command(0, 0xB2))


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=5))
def test_any_answers_give_a_response_or_a_named_trouble(answers: list[bytes]) -> None:
    left = list(answers)
    tunnel = Tunnel(TunnelShape(0x80, 0xFE, chained=True, chunk=4), lambda apdu: left.pop(0) if left else b"", PREAMBLE)
    try:
        assert isinstance(tunnel.exchange(build(SAM_ID)), bytes)
    except DeviceTrouble as trouble:
        assert trouble.code


def test_responses_have_two_status_bytes() -> None:
    assert parse_response(b"\x01\x90\x00") == Response(0x9000, b"\x01")
    with pytest.raises(BrokenFrame):
        parse_response(b"\x90")


@pytest.mark.parametrize("shape", [
    TunnelShape(0x80, 0xFE, extended=True), TunnelShape(0x80, 0xFE, chained=True, chunk=3), TunnelShape(0x80, 0xFE, chained=True, chunk=240),
    TunnelShape(0x80, 0xFE, chained=True, chunk=10),
])
def test_both_ways_through_the_tunnel_of_the_emulated_reader(shape: TunnelShape) -> None:
    frame = Tunnel(shape, SamReader(PRACTICE).transmit, PREAMBLE).exchange(build(SAM_ID))
    assert frame.hex() == "aaaaaa9669001400009005000100a53a340187d612007856341261"


def test_a_reader_that_frames_by_itself() -> None:
    reader = SamReader(PRACTICE)

    def strips(apdu: bytes) -> bytes:
        return reader.transmit(apdu[:4] + bytes((apdu[4] + 5,)) + PREAMBLE + apdu[5:])[5:]

    tunnel = Tunnel(TunnelShape(0x80, 0xFE, preamble=False), strips, PREAMBLE)
    assert tunnel.exchange(build(SAM_ID))[:9].hex() == "aaaaaa966900140000"


def test_status_words_have_their_troubles() -> None:
    with pytest.raises(NoSam):
        Tunnel(TunnelShape(0x80, 0xFE), SamReader(PRACTICE, Faults(no_sam=True)).transmit, PREAMBLE).exchange(build(SAM_ID))
    for chained in (True, False):
        with pytest.raises(ReaderTrouble) as caught:
            Tunnel(TunnelShape(0x80, 0xFE, chained=chained, chunk=4), lambda apdu: b"\x6f\x00", PREAMBLE).exchange(build(SAM_ID))
        assert caught.value.facts == {"status": "6F00"}
