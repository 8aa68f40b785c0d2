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
from collections.abc import Callable, Generator, Iterator, Sequence

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


Way = Callable[[Device], Generator[bytes]]
"""Gives the photo block as soon as the card's data are in hand; what follows (letting card and reader go) runs when the generator is closed."""


def bare_scard(_device: Device) -> Generator[bytes]:
    """The functions of the service alone: connect, the same commands, disconnect."""
    import smartcard.scard as scard

    _, context = scard.SCardEstablishContext(0)
    _, card, protocol = scard.SCardConnect(context, READER, 2, 3)
    answer: Sequence[int] = ()
    for command in COMMANDS:
        _, got = scard.SCardTransmit(card, scard.SCARD_PCI_T1 if protocol == 2 else scard.SCARD_PCI_T0, command)
        answer = got if len(got) > 1000 else answer
    try:
        yield bytes(byte & 0xFF for byte in answer)
    finally:
        scard.SCardDisconnect(card, 2)
        scard.SCardReleaseContext(context)


def bare_pyscard(_device: Device) -> Generator[bytes]:
    """pyscard as its manual shows it."""
    from smartcard.System import readers

    connection = next(reader for reader in readers() if str(reader) == READER).createConnection()
    connection.connect()
    answer: Sequence[int] = ()
    for command in COMMANDS:
        got, _, _ = connection.transmit(command)
        answer = got if len(got) > 1000 else answer
    try:
        yield bytes(answer)
    finally:
        connection.disconnect()
        connection.release()


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
        self.driver.close()

    def place(self) -> tuple[float, Device]:
        """Lays the card down; the moment at which the event came."""
        self.slot.place(self.reader)
        return self._until("card_placed")

    def lift(self) -> None:
        self.slot.lift()
        self._until("card_lifted")

    def ours(self, device: Device) -> Generator[bytes]:
        """As the desk does: open the reader, read, let it go. What is in hand is an ``IdentityCard`` with its evidence."""
        with self.driver.open(device) as connection:
            yield connection.read(threading.Event(), say_nothing).photo

    def _until(self, what: str) -> tuple[float, Device]:
        while True:
            at, event = self.events.get(timeout=10)
            if event.what == what and event.device is not None and event.device.address == READER:
                return at, event.device


def timed(way: Way, device: Device, begun: float) -> tuple[float, float]:
    """Milliseconds since ``begun`` until the data are in hand, and until the reader is let go."""
    read = way(device)
    photo = next(read)
    in_hand = time.perf_counter()
    read.close()
    gone = time.perf_counter()
    assert PRACTICE.photo in photo
    return (in_hand - begun) * 1000, (gone - begun) * 1000


def turns(ways: dict[str, Way], rounds: int) -> Iterator[str]:
    """Each way once a round, in an order that moves on, so that what one leaves behind falls on all of them."""
    names = list(ways)
    for number in range(rounds):
        yield from names[number % len(names):] + names[:number % len(names)]


def from_event(hall: Hall, cards: int, ways: dict[str, Way]) -> dict[str, list[float]]:
    """Milliseconds from the card-present event to the card's data; each way gets a card of its own, in turns."""
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for name in turns(ways, cards):
        at, device = hall.place()
        taken[name].append(timed(ways[name], device, at)[0])
        hall.lift()
    return taken


def lying(hall: Hall, reads: int, ways: dict[str, Way]) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Milliseconds of a read of a card that lies there, to the data and to the reader let go: more of them, in turns."""
    _, device = hall.place()
    in_hand: dict[str, list[float]] = {name: [] for name in ways}
    gone: dict[str, list[float]] = {name: [] for name in ways}
    for name in turns(ways, reads):
        first, last = timed(ways[name], device, time.perf_counter())
        in_hand[name].append(first)
        gone[name].append(last)
    hall.lift()
    return in_hand, gone


def table(title: str, taken: dict[str, list[float]], base: str) -> None:
    """Medians, the median of the ratios of each round (what disturbs a round disturbs both), and lower quartiles, which a busy machine disturbs less."""
    print(f"\n{title} (n = {len(taken[base])} each)\n{'':24}{'median ms':>11}{'ratio':>7}{'by round':>10}{'p25 ms':>10}{'ratio':>7}{'p90 ms':>10}")
    middle, low = statistics.median(taken[base]), statistics.quantiles(taken[base], n=4)[0]
    for name, times in taken.items():
        quarter = statistics.quantiles(times, n=4)[0]
        by_round = statistics.median(ours / bare for ours, bare in zip(times, taken[base], strict=True))
        print(f"{name:24}{statistics.median(times):11.2f}{statistics.median(times) / middle:7.2f}{by_round:10.2f}{quarter:10.2f}{quarter / low:7.2f}"
              f"{statistics.quantiles(times, n=10)[8]:10.2f}")


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
    parser.add_argument("--cards", type=int, default=10, help="cards laid down for each way")
    parser.add_argument("--reads", type=int, default=200, help="reads of a lying card for each way, by a module that answers at once")
    given = parser.parse_args(arguments)
    parsing(3000)
    if why := why_not_here():
        print(f"no measurement of readers: {why}")
        return 0
    for title, slow in HALL_S.items():
        with Pcscd(), Hall(slow) as hall:
            ways: dict[str, Way] = {"bare pyscard": bare_pyscard, "ours": hall.ours}
            _, device = hall.place()
            for way in (*ways.values(), bare_scard):   # imports and first calls
                timed(way, device, 0.0)
            hall.lift()
            table(f"event to IdentityCard, module answers {title}", from_event(hall, given.cards, ways), "bare pyscard")
            in_hand, gone = lying(hall, given.reads if slow == 0 else max(5, given.reads // 20), {**ways, "bare service calls": bare_scard})
            table(f"a card that lies there, to its data, module answers {title}", in_hand, "bare pyscard")
            table(f"the same, to the reader let go, module answers {title}", gone, "bare pyscard")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
