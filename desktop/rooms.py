"""Opens the rooms that a face needs, in their order, and closes them in reverse: store, station, outbox, drivers. Never knows Qt or a window."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from desktop.device_list import load_device_list
from desktop.settings import SETTINGS_FILE, Settings
from devices.cameras.opencv import OpencvDriver
from devices.cards.readers import Readers
from devices.errors import DriverMissing
from devices.installed import installed
from devices.registry import Registry
from devices.vision.face import Models
from sync.blobs import Blobs
from sync.courier import Courier, CourierStatus
from sync.editions import current
from sync.journal import Journal
from sync.keys import KeyCabinet
from sync.news import News
from sync.outbox import Outbox
from sync.parked import Parked
from sync.province import Province
from sync.revocation import REVOCATION_FOLDER, Revocations
from sync.station import Station, load
from sync.store import Keys, Store, open_folder
from sync.tables import Tables

__all__ = ["LAST_ANSWER_S", "Rooms", "now", "open_rooms", "proxies"]

LAST_ANSWER_S = 2.0
"""Seconds that the province's last answer is waited for when the program ends; then the line is cut."""


def now() -> datetime:
    """The station's clock: aware, UTC."""
    return datetime.now(UTC)


def proxies(folder: Path) -> Mapping[str, str] | None:
    """The way to the province that the machine's settings name, as ``sync.province.Province`` takes it; None: straight."""
    proxy = str(Settings(folder / SETTINGS_FILE).get("proxy")).strip()
    return {"https": proxy} if proxy else None


@dataclass(slots=True)
class Rooms:
    """The open rooms of one station. ``close`` may be called twice."""

    folder: Path
    store: Store
    blobs: Blobs
    journal: Journal
    parked: Parked
    outbox: Outbox
    province: Province
    registry: Registry
    devices: Mapping[str, Any] = field(repr=False)
    models: Models
    tables: Tables
    revocations: Revocations

    @property
    def station(self) -> Station:
        """As the last downlink left it."""
        return self.province.station

    def cards(self) -> Readers:
        """All reader drivers that could be loaded, as one. Raises DriverMissing, or why none of them could be."""
        drivers = self.registry.cards()
        if not drivers:
            raise next(iter(self.registry.troubles("cards")), DriverMissing("no card driver", library="pcsc"))
        return Readers(drivers)

    def cameras(self) -> OpencvDriver:
        """The camera driver. Raises DriverMissing, or why it could not be loaded."""
        for driver in self.registry.cameras():
            if isinstance(driver, OpencvDriver):
                return driver
        raise next(iter(self.registry.troubles("cameras")), DriverMissing("no camera driver", library="opencv"))

    def make_courier(self, tell: Callable[[CourierStatus], None]) -> Courier:
        """The way to the province for this store; ``tell`` is called in the courier's thread."""
        news = News(self.store, self.outbox, self.journal, lists=self.revocations)
        return Courier(self.outbox, self.blobs, self.province, news, now, tell)

    def known_there(self, record_id: str) -> bool:
        """Asks the province for one record, on a line of its own: the courier's belongs to the courier. Raises ProvinceTrouble where it does not say."""
        asking = Province(self.station, proxies=proxies(self.folder), folder=self.folder)
        try:
            return asking.record(record_id) is not None
        finally:
            asking.close()

    def note(self, who: str, what: str, about: str = "", facts: Mapping[str, str | int | bool] | None = None) -> None:
        """One journal line in a transaction of its own."""
        with self.store.write() as tx:
            self.journal.write(tx, who, what, about, facts)

    def close(self, wait: bool = True) -> None:
        """``wait=False``: a lane still hangs in a library; its child process ends with this one and is not waited for."""
        for driver in (*self.registry.tokens(), *self.registry.cards()) if wait else ():
            stop = getattr(driver, "close", None)
            if stop is not None:
                stop()
        self.province.close()
        self.store.close()


def open_rooms(folder: Path, cabinet: Keys | None = None) -> Rooms:
    """Opens what was enrolled in ``folder``; nothing is made. Raises NotEnrolled, the kinds of StoreTrouble, DeviceListRefused."""
    blobs = Blobs(folder / "blobs")
    store = open_folder(folder, cabinet or KeyCabinet())
    try:
        station = load(store)
        members = load_device_list(folder, station)
        blobs.prepare()
        journal = Journal(store, station.station_id)
        outbox = Outbox(store, blobs, journal, now)
        outbox.begin()
        registry = installed(members)
        province = Province(station, proxies=proxies(folder), folder=folder)
        return Rooms(folder, store, blobs, journal, Parked(store, blobs, now), outbox, province, registry, members,
                     Models.from_json(members["models"]), current(Tables.load(), station, store), Revocations(folder / REVOCATION_FOLDER))
    except BaseException:
        store.close()
        raise
