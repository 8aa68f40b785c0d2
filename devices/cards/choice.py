"""Which reader the desk uses: the one remembered, or the one to offer in its place. Pure: never looks at a device, never remembers anything itself.

A choice is remembered by what stays the same when things are plugged in another order: the reader's name without index, its profile, and its serial number
where it tells one.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from devices.base import Device
from devices.cards.contract import Sighting
from devices.cards.idcard import Finding

__all__ = ["Decision", "NoneThere", "Offer", "Pick", "Remembered", "Use", "choose", "remember", "sam_finding"]

_SERIAL_IN_NAME = re.compile(r" \([^()]*\)$")


@dataclass(frozen=True, slots=True)
class Remembered:
    """A choice as it is kept in the station's settings: texts only."""

    driver: str
    name: str
    profile: str
    serial: str = ""

    def as_json(self) -> dict[str, str]:
        return {"driver": self.driver, "name": self.name, "profile": self.profile, "serial": self.serial}

    @classmethod
    def from_json(cls, untrusted: object) -> Remembered | None:
        """The choice in settings; None where there is none, or none that can be read."""
        if not isinstance(untrusted, Mapping):
            return None
        parts = [untrusted.get(member, "") for member in ("driver", "name", "profile", "serial")]   # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
        texts = [part for part in parts if isinstance(part, str)]   # pyright: ignore[reportUnknownVariableType]
        return cls(*texts) if len(texts) == 4 and all(texts[:3]) else None


@dataclass(frozen=True, slots=True)
class Use:
    """Take this one. ``remember``: it is to be remembered (there was no choice yet)."""

    device: Device
    remember: Remembered
    first_time: bool = False


@dataclass(frozen=True, slots=True)
class Offer:
    """The remembered reader is not here; this one is. One step of the clerk takes it, and the change belongs in the journal.

    ``sister``: a reader of the same profile, so nothing but the unit has changed.
    """

    device: Device
    remember: Remembered
    instead_of: Remembered
    sister: bool


@dataclass(frozen=True, slots=True)
class Pick:
    """Several readers and no reason to prefer one: the clerk picks."""

    devices: tuple[Device, ...]


@dataclass(frozen=True, slots=True)
class NoneThere:
    """No reader that a profile fits. ``missing`` is the one that was here before."""

    missing: Remembered | None = None


Decision = Use | Offer | Pick | NoneThere


def remember(sighting: Sighting) -> Remembered:
    """What to keep of a reader that was chosen."""
    device = sighting.device
    return Remembered(device.driver, device.name, sighting.profile, device.serial)


def choose(remembered: Remembered | None, seen: Sequence[Sighting], laid: Device | None = None) -> Decision:
    """The reader to use among all that are seen. Those without a profile (tokens of the staff sit in readers, too) are none of ours.

    ``laid``: where a card was just laid down. On another reader than the remembered one that is an offer, too: nothing is read where nobody chose to read.
    Slots of one device, which nothing tells apart but their index, are one choice.
    """
    ours = [sighting for sighting in seen if sighting.profile]
    if not ours:
        return NoneThere(remembered)
    here = [sighting for sighting in ours if sighting.device == laid]
    if remembered is None:
        one = _only(here or ours)
        return Use(one.device, remember(one), True) if one is not None else Pick(_one_of_each(ours))
    same = [sighting for sighting in ours if (sighting.device.driver, sighting.device.name) == (remembered.driver, remembered.name)]
    mine = [sighting for sighting in same if remembered.serial and sighting.device.serial == remembered.serial] or same
    if mine and (not here or here[0] in mine):
        best = (here or _with_card(mine) or mine)[0]
        return Use(best.device, remember(best))
    sisters = [sighting for sighting in ours if sighting.profile == remembered.profile or _model(sighting.device.name) == _model(remembered.name)]
    offered = _only(here or sisters) or _only(ours)
    if offered is None:
        return Pick(_one_of_each(sisters or ours))
    return Offer(offered.device, remember(offered), remembered, offered in sisters)


def sam_finding(sam: str, listed: Collection[str]) -> Finding | None:
    """A warning where the province does not list the module that made a read, or the module does not tell its number. It blocks nothing."""
    if not sam:
        return Finding("finding.sam_silent", "warning")
    return None if sam in listed else Finding("finding.sam_unlisted", "warning")


def _only(sightings: Sequence[Sighting]) -> Sighting | None:
    """The one reader, or the one of several on which a card lies; None where it cannot be told."""
    laid = _with_card(sightings)
    for some in (sightings, laid):
        if len(set(map(remember, some))) == 1:
            return (laid or some)[0]
    return None


def _one_of_each(sightings: Sequence[Sighting]) -> tuple[Device, ...]:
    first: dict[Remembered, Device] = {}
    for sighting in sightings:
        first.setdefault(remember(sighting), sighting.device)
    return tuple(first.values())


def _with_card(sightings: Sequence[Sighting]) -> list[Sighting]:
    return [sighting for sighting in sightings if sighting.card]


def _model(name: str) -> str:
    """The name without the serial number that pcsc-lite puts behind it."""
    return _SERIAL_IN_NAME.sub("", name)
