"""How long a card takes from the card-present event to ``IdentityCard``, as a ratio to a bare pyscard loop that exchanges the same frames in the same run.

``python -m tests.bench.cards`` in namespaces of its own (own mounts, a tmpfs on /run, loopback up), as the tests run. Prints a table; never fails by the
clock. Ours and the bare loops take turns, card by card, so that whatever else the machine does falls on all of them alike.
"""

from __future__ import annotations

import argparse
import queue
import statistics
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from devices.base import Device, say_nothing
from devices.cards.contract import CardEvent
from devices.cards.idcard import findings, parse
from devices.cards.pcsc import PcscDriver
from devices.cards.profiles import Profile
from devices.cards.sam import APPENDED_ADDRESS, FIND, READ_BASE, SAM_ID, SELECT, STATUS, build, parse_answer, slice_blocks
from devices.watch import CardWatch
from tests.emulators.idcards import PEOPLE, PRACTICE
from tests.emulators.pcscd import Pcscd, why_not_here
from tests.emulators.sam_module import Faults
from tests.emulators.sam_reader import WHOLE_PROFILE, SamReader
from tests.emulators.vpcd import VirtualSlot

FRAMES = [build(command) for command in (STATUS, SAM_ID, FIND, SELECT, READ_BASE, APPENDED_ADDRESS)]
"""What our read exchanges, one by one."""
READER = "Virtual PCD 00 00"
HALL_S = {"at once": 0.0, "text and photo in 0.4 s": 0.4}
"""An emulated module answers at once; a real one needs its time for the radio and the cipher (vendors allow 2 to 3 s)."""


def apdu(frame: bytes) -> list[int]:
    """A frame in the emulated reader's tunnel, extended lengths."""
    return [0x80, 0xFE, 0, 0, 0, *len(frame).to_bytes(2, "big"), *frame, 0, 0]


COMMANDS = [apdu(frame) for frame in FRAMES]


def bare_scard() -> bytes:
    """The functions of the service alone: connect, the same commands, disconnect."""
    import smartcard.scard as scard

    code, context = scard.SCardEstablishContext(0)
    code, card, protocol = scard.SCardConnect(context, READER, 2, 3)
    answer: Sequence[int] = ()
    for command in COMMANDS:
        code, got = scard.SCardTransmit(card, scard.SCARD_PCI_T1 if protocol == 2 else scard.SCARD_PCI_T0, command)
        answer = got if len(got) > 1000 else answer
    scard.SCardDisconnect(card, 2)
    scard.SCardReleaseContext(context)
    return bytes(byte & 0xFF for byte in answer)


def bare_pyscard() -> bytes:
    """pyscard as its manual shows it."""
    from smartcard.System import readers

    connection = next(reader for reader in readers() if str(reader) == READER).createConnection()
    connection.connect()
    answer: Sequence[int] = ()
    for command in COMMANDS:
        got, _, _ = connection.transmit(command)
        answer = got if len(got) > 1000 else answer
    connection.disconnect()
    connection.release()
    return bytes(answer)


class Hall:
    """The service, a reader and our watch; ``events`` gives the moments at which a card was told."""

    def __init__(self, slow: float) -> None:
        self.driver = PcscDriver([Profile.from_json(WHOLE_PROFILE)], emulated=True)
        self.slot = VirtualSlot()
        self.reader = SamReader(PRACTICE, Faults(slow_seconds=slow))
        self.events: queue.Queue[tuple[float, CardEvent]] = queue.Queue()
        self.watch = CardWatch(self.driver, lambda event: self.events.put((time.perf_counter(), event)))

    def __enter__(self) -> Hall:
        self.watch.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.watch.stop()
        self.slot.lift()

    def place(self) -> tuple[float, Device]:
        """Lays the card down; the moment at which the event came."""
        self.slot.place(self.reader)
        return self._until("card_placed")

    def lift(self) -> None:
        self.slot.lift()
        self._until("card_lifted")

    def ours(self, device: Device) -> bytes:
        """As the desk does: open the reader, read, let it go."""
        with self.driver.open(device) as connection:
            return connection.read(threading.Event(), say_nothing).photo

    def _until(self, what: str) -> tuple[float, Device]:
        while True:
            at, event = self.events.get(timeout=10)
            if event.what == what and event.device is not None and event.device.address == READER:
                return at, event.device


def from_event(hall: Hall, cards: int, ways: dict[str, Callable[[Device], bytes]]) -> dict[str, list[float]]:
    """Milliseconds from the event to the card's data; each way gets a card of its own, in turns."""
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(cards * len(ways)):
        name = list(ways)[(number + number // len(ways)) % len(ways)]
        at, device = hall.place()
        assert PRACTICE.photo in ways[name](device)
        taken[name].append((time.perf_counter() - at) * 1000)
        hall.lift()
    return taken


def lying(hall: Hall, reads: int, ways: dict[str, Callable[[Device], bytes]]) -> dict[str, list[float]]:
    """Milliseconds of a read of a card that lies there: more of them, in turns."""
    _, device = hall.place()
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(reads * len(ways)):
        name = list(ways)[(number + number // len(ways)) % len(ways)]
        begun = time.perf_counter()
        assert PRACTICE.photo in ways[name](device)
        taken[name].append((time.perf_counter() - begun) * 1000)
    hall.lift()
    return taken


def table(title: str, taken: dict[str, list[float]], base: str) -> None:
    """Medians, and lower quartiles, which a busy machine disturbs less; ratios to ``base``."""
    print(f"\n{title} (n = {len(taken[base])} each)\n{'':24}{'median ms':>11}{'ratio':>7}{'p25 ms':>11}{'ratio':>7}{'p90 ms':>11}")
    middle, low = statistics.median(taken[base]), statistics.quantiles(taken[base], n=4)[0]
    for name, times in taken.items():
        quarter = statistics.quantiles(times, n=4)[0]
        print(f"{name:24}{statistics.median(times):11.2f}{statistics.median(times) / middle:7.2f}{quarter:11.2f}{quarter / low:7.2f}"
              f"{statistics.quantiles(times, n=10)[8]:11.2f}")


def parsing(rounds: int) -> None:
    """Milliseconds from the answer's bytes to the card and its findings, without a reader."""
    from datetime import date

    frames = []
    for person in PEOPLE.values():
        reader = SamReader(person)
        for frame in FRAMES[2:5]:
            answer = reader.answer(frame)
        frames.append((answer, person.addresses))
    times: list[float] = []
    for number in range(rounds):
        answer, addresses = frames[number % len(frames)]
        begun = time.perf_counter()
        card = parse(slice_blocks(parse_answer(answer).data).text, addresses)
        findings(card, date(2026, 11, 22))
        times.append((time.perf_counter() - begun) * 1000)
    print(f"\nparsing one read, with findings (n = {rounds}): median {statistics.median(times):.3f} ms, p99 {statistics.quantiles(times, n=100)[98]:.3f} ms")


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cards", type=int, default=15, help="cards laid down for each way")
    parser.add_argument("--reads", type=int, default=100, help="reads of a lying card for each way")
    given = parser.parse_args(arguments)
    parsing(3000)
    if why := why_not_here():
        print(f"no measurement of readers: {why}")
        return 0
    for title, slow in HALL_S.items():
        with Pcscd(), Hall(slow) as hall:
            ways: dict[str, Callable[[Any], bytes]] = {
                "bare pyscard": lambda device: bare_pyscard(), "bare service calls": lambda device: bare_scard(), "ours": hall.ours,
            }
            hall.place()
            for way in ways.values():   # imports and first calls
                way(hall.driver.find()[0])
            hall.lift()
            table(f"event to IdentityCard, module answers {title}", from_event(hall, given.cards, ways), "bare pyscard")
            table(f"a card that lies there, module answers {title}", lying(hall, given.reads if slow == 0 else max(5, given.reads // 10), ways), "bare pyscard")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
