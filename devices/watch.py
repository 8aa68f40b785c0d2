"""Sees readers and cards come and go, and survives a restart of the smart-card service. Never connects to a card, never reads one."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from devices.base import Device
from devices.cards.contract import CardEvent, Sight, SightDriver, Sighting
from devices.errors import DeviceTrouble

__all__ = ["CardWatch", "CardWatches", "Presence"]

LOG = logging.getLogger(__name__)
SETTLE_S = 0.6                      # some readers report the 14443-B card gone and back for ever; presence is polled every 0.45 s or so
LONGEST_WAIT_S = 1.0
SHORTEST_BACK_OFF_S, LONGEST_BACK_OFF_S = 0.5, 5.0


@dataclass(slots=True)
class _Seen:
    """What was told of one reader: there; with a card; since when the card looks gone (None: it does not)."""

    device: Device
    card: bool = False
    gone_since: float | None = None


class Presence:
    """Turns pictures of all readers into events. A card is told at once, and once; it counts as lifted when it was gone for ``settle`` seconds on end."""

    def __init__(self, settle: float = SETTLE_S) -> None:
        self._settle = settle
        self._seen: dict[str, _Seen] = {}

    def see(self, sightings: Iterable[Sighting], now: float) -> list[CardEvent]:
        """Events that follow from what is there at ``now`` (monotonic seconds). Readers without a profile are none of ours."""
        here = {sighting.device.address: sighting for sighting in sightings if sighting.profile}
        events: list[CardEvent] = []
        for address in [address for address in self._seen if address not in here]:
            events += _farewell(self._seen.pop(address))
        for address, sighting in here.items():
            seen = self._seen.get(address)
            if seen is None:
                seen = self._seen[address] = _Seen(sighting.device)
                events.append(CardEvent("reader_arrived", seen.device))
            events += self._card(seen, sighting.card, now)
        return events

    def next_due(self) -> float | None:
        """When ``see`` should be asked again even if nothing changes: a card is about to count as lifted."""
        return min((seen.gone_since + self._settle for seen in self._seen.values() if seen.gone_since is not None), default=None)

    def forget(self) -> list[CardEvent]:
        """Everything is gone: the service is down."""
        gone, self._seen = list(self._seen.values()), {}
        return [event for seen in gone for event in _farewell(seen)]

    def _card(self, seen: _Seen, there: bool, now: float) -> list[CardEvent]:
        if there:
            seen.gone_since = None
            if not seen.card:
                seen.card = True
                return [CardEvent("card_placed", seen.device)]
        elif seen.card and seen.gone_since is None:
            seen.gone_since = now
        elif seen.gone_since is not None and now - seen.gone_since >= self._settle:
            seen.card, seen.gone_since = False, None
            return [CardEvent("card_lifted", seen.device)]
        return []


def _farewell(seen: _Seen) -> list[CardEvent]:
    return [*([CardEvent("card_lifted", seen.device)] if seen.card else []), CardEvent("reader_left", seen.device)]


class CardWatch:
    """The monitor thread. ``emit`` is called in it, one event after another, and must return soon.

    ``service_down`` is told once per outage, after a farewell to every reader; ``service_up`` when a look works again. A card that still lies there then
    is told anew: during the outage it may have been changed.
    """

    def __init__(self, driver: SightDriver, emit: Callable[[CardEvent], None], settle: float = SETTLE_S, back_off: tuple[float, float] | None = None) -> None:
        self._driver = driver
        self._emit = emit
        self._presence = Presence(settle)
        self._back_off = back_off or (SHORTEST_BACK_OFF_S, LONGEST_BACK_OFF_S)
        self._stop = threading.Event()
        self._sight: Sight | None = None
        self._thread: threading.Thread | None = None
        self._down = False

    def start(self) -> None:
        """Begins to watch. A watch starts once. Raises RuntimeError the second time."""
        if self._thread is not None:
            raise RuntimeError("a watch starts once")
        self._thread = threading.Thread(target=self._run, name="card watch", daemon=True)
        self._thread.start()

    def stop(self, seconds: float = 2.0) -> bool:
        """Ends the thread; True when it has ended within ``seconds``. No event comes after that. Safe to call twice, and before ``start``."""
        self._stop.set()
        end = time.monotonic() + seconds
        while self._thread is not None and self._thread.is_alive() and time.monotonic() < end:
            sight = self._sight
            if sight is not None:   # again and again: a cancel that comes just before the wait is lost
                sight.cancel()
            self._thread.join(0.05)
        return self._thread is None or not self._thread.is_alive()

    def _run(self) -> None:
        shortest, longest = self._back_off
        pause = shortest
        while not self._stop.is_set():
            try:
                with self._driver.sight() as sight:
                    self._sight = sight
                    for _ in iter(lambda: self._look(sight), False):
                        pause = shortest
            except DeviceTrouble as trouble:
                LOG.info("watch lost the service: %s", trouble)
                self._lost()
                self._stop.wait(pause)
                pause = min(pause * 2, longest)
            finally:
                self._sight = None

    def _look(self, sight: Sight) -> bool:
        """One wait and its events; False when the watch is to end."""
        if self._stop.is_set():
            return False
        due = self._presence.next_due()
        sightings = sight.wait(LONGEST_WAIT_S if due is None else min(LONGEST_WAIT_S, max(0.0, due - time.monotonic()) + 0.01))
        if self._down:
            self._down = False
            self._tell([CardEvent("service_up")])
        self._tell(self._presence.see(sightings, time.monotonic()))
        return True

    def _lost(self) -> None:
        self._tell(self._presence.forget())
        if not self._down:
            self._down = True
            self._tell([CardEvent("service_down")])

    def _tell(self, events: Iterable[CardEvent]) -> None:
        for event in events:
            if self._stop.is_set():
                return
            try:
                self._emit(event)
            except Exception:   # the listener's fault must not blind the watch
                LOG.exception("listener of card events failed at %s", event.what)


class CardWatches:
    """One watch per driver, as one. ``emit`` is called in several threads, one event at a time.

    ``service_down`` and ``service_up`` come from drivers with a service (PC/SC) only: a line that is cut is a reader that left.
    """

    def __init__(self, drivers: Iterable[SightDriver], emit: Callable[[CardEvent], None], settle: float = SETTLE_S) -> None:
        self._one_at_a_time = threading.Lock()
        self._listener = emit
        self._watches = [CardWatch(driver, self._emit, settle) for driver in drivers]

    def start(self) -> None:
        """Begins to watch. Raises RuntimeError the second time."""
        for watch in self._watches:
            watch.start()

    def stop(self, seconds: float = 2.0) -> bool:
        """Ends all threads; True when they have ended within ``seconds`` each."""
        return all([watch.stop(seconds) for watch in self._watches])

    def _emit(self, event: CardEvent) -> None:
        with self._one_at_a_time:
            self._listener(event)
