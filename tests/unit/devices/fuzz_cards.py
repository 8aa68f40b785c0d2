"""A plain, seeded fuzz loop over everything that takes outside bytes of readers and cards: any bytes give a value or a named trouble, never anything else.

``python -m tests.unit.devices.fuzz_cards --seconds 600 --seed 7`` runs it for as long as wanted; ``one_input`` is also the shape that a coverage-guided
fuzzer calls. A finding prints target, seed and bytes, and can be given back with ``--again TARGET HEX``.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, date, datetime

from devices.base import say_nothing
from devices.cards.apdu import Command, Tunnel, TunnelShape, exchange
from devices.cards.choice import Remembered
from devices.cards.idcard import document_type, findings, linked_number, newest_address, parse
from devices.cards.line import FrameLine
from devices.cards.profiles import Profile
from devices.cards.reading import card_read
from devices.cards.sam import PREAMBLE, SAM_ID, FrameParser, answer_frame, build, card_numbers, parse_answer, sam_number, sam_number_bytes, slice_blocks
from devices.cards.session import SamSession, Waits
from devices.cards.socialcard import hint_of, read_hint
from devices.errors import BrokenFrame, DeviceTrouble, TimedOut
from devices.traffic import masked_answer, masked_command
from tests.emulators import idcards, social_card
from tests.emulators.sam_reader import CHAINED_PROFILE, WHOLE_PROFILE

__all__ = ["TARGETS", "Finding", "fuzz", "one_input"]

TODAY = date(2026, 11, 22)
NOBODY = threading.Event()
_NOW = datetime(2026, 11, 22, tzinfo=UTC)


class Finding(AssertionError):
    """Something other than a value or a named trouble came of bytes."""


# -- targets ---------------------------------------------------------------------------------------------------------------------------
def _frames(data: bytes) -> None:
    """Bytes as they come from a line, in pieces of a size that the first byte says."""
    parser, size = FrameParser(), data[0] % 97 + 1 if data else 1
    for start in range(0, len(data), size):
        try:
            parser.feed(data[start:start + size])
        except BrokenFrame:
            continue
    parse_answer(data)


def _contents(data: bytes) -> None:
    blocks = slice_blocks(data)
    card_read(blocks, "", "r", "p", _NOW)


def _text(data: bytes) -> None:
    card = parse(data[:256], data[256:])
    assert document_type(card) in {"111", "553", "X01", "X02"}
    assert all(finding.code.startswith("finding.") for finding in findings(card, TODAY))
    linked_number(card)
    newest_address(data)


def _numbers(data: bytes) -> None:
    sam_number_bytes(data.decode("latin-1"))
    try:
        sam_number(data[:16])
    finally:
        card_numbers(data[:28])


def _social(data: bytes) -> None:
    """The first byte says how many records, each as long as the byte before it says."""
    records, rest = list[bytes](), data
    while rest:
        records.append(rest[1:1 + rest[0]])
        rest = rest[1 + rest[0]:]
    try:
        hint_of(records)
    finally:
        read_hint(_played(data, b"\x6a\x82"), NOBODY)


def _tunnel(data: bytes) -> None:
    first = data[0] if data else 5
    shape = TunnelShape(0x80, 0xFE, chained=first > 0x7F, extended=len(data) % 2 == 0, preamble=first != 0, chunk=first % 255 + 1)
    try:
        Tunnel(shape, _played(data, b""), PREAMBLE).exchange(build(SAM_ID))
    finally:
        exchange(_played(data[::-1], b"\x6f\x00"), Command(0, 0xB2, 1, 4, expected=256))


def _session(data: bytes) -> None:
    play = _played(data, b"")
    SamSession(lambda frame, seconds: play(frame), NOBODY, 5.0, Waits(between_finds=0.0)).read(say_nothing, True, True)


class _PlayedLine:
    """Gives the bytes in pieces, then nothing for ever."""

    def __init__(self, data: bytes) -> None:
        self._left = data

    def send(self, frame: bytes) -> None: ...

    def receive(self) -> bytes:
        size = self._left[0] + 1 if self._left else 0
        piece, self._left = self._left[:size], self._left[size:]
        return piece

    def speed(self, baud: int) -> None: ...

    def close(self) -> None: ...


def _line(data: bytes) -> None:
    line = FrameLine(_PlayedLine(data))
    try:
        parse_answer(line.exchange(build(SAM_ID), 0.002, NOBODY))
    except TimedOut:
        return


def _json(data: bytes) -> None:
    try:
        read = json.loads(data.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return
    Remembered.from_json(read)
    Profile.from_json(read)


def _masks(data: bytes) -> None:
    """What goes into a trace never holds more of a frame's data than the module's own number."""
    for frame in (data, PREAMBLE + data):
        for masked in (masked_command(frame), masked_answer(frame, b"\x30\x01"), masked_answer(frame, b"\x12\xff")):
            assert len(masked) <= 60, masked
            assert len(frame) < 40 or frame[20:36].hex() not in masked


TARGETS: dict[str, Callable[[bytes], None]] = {
    "frames": _frames, "contents": _contents, "text": _text, "numbers": _numbers, "social": _social, "tunnel": _tunnel, "session": _session, "line": _line,
    "json": _json, "masks": _masks,
}


def one_input(data: bytes) -> None:
    """One input of any origin; its first byte chooses the target. Raises Finding."""
    names = list(TARGETS)
    _try(names[data[0] % len(names)] if data else names[0], data[1:])


def _try(target: str, data: bytes) -> None:
    try:
        TARGETS[target](data)
    except DeviceTrouble as trouble:
        if not trouble.code:
            raise Finding(f"{target}: a trouble without a code for {data.hex()}") from trouble
    except Exception as other:
        raise Finding(f"{target}: {type(other).__name__}: {other} for {data.hex()}") from other


# -- inputs ----------------------------------------------------------------------------------------------------------------------------
def _played(data: bytes, last: bytes) -> Callable[[bytes], bytes]:
    """Answers cut out of the bytes: each as long as two bytes before it say, modulo what frames and APDUs may have."""
    left = [data]

    def answer(sent: bytes) -> bytes:
        rest = left[0]
        if len(rest) < 2:
            return last
        size = int.from_bytes(rest[:2], "big") % 1400
        left[0] = rest[2 + size:]
        return rest[2:2 + size]

    return answer


def _answers(*answers: bytes) -> bytes:
    return b"".join(len(one).to_bytes(2, "big") + one for one in answers)


def _seeds() -> list[bytes]:
    """Well-formed inputs of every kind, to be damaged."""
    people = list(idcards.PEOPLE.values())
    base = [b"\x01\x00\x04\x00" + person.text + person.photo for person in people]
    whole = [_answers(answer_frame(0x9F, bytes(4)), answer_frame(0x90, bytes(8)), answer_frame(0x90, one), answer_frame(0x91), answer_frame(0x90, bytes(28)))
             for one in base]
    records = [record for files in (social_card.FIRST, social_card.SECOND) for file in files.values() for record in file]
    return [
        *base, *whole, *(person.text + person.addresses for person in people), *(answer_frame(0x90, one) for one in base),
        b"".join(bytes((len(record),)) + record for record in records), _answers(b"\x90\x00", b"\x90\x00", *(record + b"\x90\x00" for record in records)),
        _answers(b"\x61\x20", b"\x6c\x10", bytes(16) + b"\x90\x00"), bytes(range(28)), *(json.dumps(one).encode() for one in (WHOLE_PROFILE, CHAINED_PROFILE)),
        json.dumps({"name": "s", "mode": "serial", "match": {"usb": "10C4:EA60"}, "serial": {"bauds": [9600]}}).encode(),
        json.dumps({"name": "v", "mode": "sdt", "vendor": {"library": "x", "port": 1001}, "photo": {"library": "w", "entry": "e", "argument": 1}}).encode(),
        json.dumps({"driver": "pcsc", "name": "n", "profile": "p", "serial": ""}).encode(), b"",
    ]


def _damaged(random_: random.Random, seeds: list[bytes]) -> bytes:
    """A seed with a few changes: flipped, lost, doubled, moved and foreign bytes, boundary values, two seeds spliced."""
    data = bytearray(random_.choice(seeds))
    for _ in range(random_.choice((0, 1, 1, 2, 3, 8))):
        place = random_.randrange(len(data) + 1)
        size = random_.choice((1, 1, 2, 4, 16, 70, 256))
        kind = random_.randrange(7)
        if kind == 0 and data:
            data[place % len(data)] ^= 1 << random_.randrange(8)
        elif kind == 1:
            del data[place:place + size]
        elif kind == 2:
            data[place:place] = data[place:place + size]
        elif kind == 3:
            data[place:place] = random_.randbytes(size)
        elif kind == 4:
            data[place:place + size] = bytes((random_.choice((0x00, 0x20, 0x61, 0x6C, 0x7F, 0x80, 0x90, 0xAA, 0xD8, 0xFF)),)) * size
        elif kind == 5:
            data[place:place] = PREAMBLE
        else:
            other = random_.choice(seeds)
            data[place:] = other[random_.randrange(len(other) + 1):]
    return bytes(data[:6000])


def fuzz(rounds: int = 0, seconds: float = 0.0, seed: int = 1) -> int:
    """Runs so many rounds, or for so long; how many inputs were tried. Raises Finding with what gives it again."""
    random_, seeds, names = random.Random(seed), _seeds(), list(TARGETS)
    for sent in seeds:
        for name in names:
            _try(name, sent)
    done, end = 0, time.monotonic() + seconds
    while done < rounds or time.monotonic() < end:
        name = random_.choice(names)
        data = _damaged(random_, seeds) if random_.random() < 0.9 else random_.randbytes(random_.randrange(400))
        try:
            _try(name, data)
        except Finding as finding:
            raise Finding(f"seed {seed}, round {done}: {finding}") from finding
        done += 1
    return done


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--again", nargs=2, metavar=("TARGET", "HEX"))
    given = parser.parse_args(arguments)
    if given.again:
        _try(given.again[0], bytes.fromhex(given.again[1]))
        return 0
    print(f"{fuzz(seconds=given.seconds, seed=given.seed)} inputs, no finding")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
