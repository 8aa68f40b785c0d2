"""Reads social security cards in the contact slots that a profile of mode ``social`` names. Never fills a draft, never counts as an identity card's reader."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from devices.base import Cancel, Device
from devices.cards.lane import CallLane
from devices.cards.link import Scard, establish, reader_names, states_now
from devices.cards.pcsc import PcscConnection, load_scard, remembered_name
from devices.cards.profiles import Profile, profile_for
from devices.cards.socialcard import SocialCardHint, read_hint
from devices.errors import ReaderGone

__all__ = ["HintReaders"]


class HintReaders:
    """Contact slots for social security cards. Raises DriverMissing where pyscard cannot be loaded."""

    name = "social"

    def __init__(self, profiles: Sequence[Profile], scard: Scard | None = None, emulated: bool = False) -> None:
        self._profiles = tuple(profile for profile in profiles if profile.mode == "social")
        self._scard = scard if scard is not None else load_scard()
        self._emulated = emulated
        self._blocked: dict[str, CallLane] = {}

    def find(self) -> Sequence[Device]:
        """Slots that a profile fits. Raises ServiceStopped, NotPermitted."""
        return tuple(device for device, _ in self._here())

    def read(self, device: Device, cancel: Cancel) -> SocialCardHint:
        """The hint of the card in this slot. Raises ReaderGone, NoCard, CardMute, CardUnknown, CardRemoved, BrokenFrame, TimedOut, Cancelled."""
        profile = next((profile for known, profile in self._here() if known.address == device.address), None)
        if profile is None:
            raise ReaderGone(f"{device.address} is not listed, or no profile fits it", reader=device.name)
        with PcscConnection(self._scard, device, profile, self._blocked, lambda: datetime.now(UTC), None) as connection:
            return connection.apdus(cancel, lambda transmit: read_hint(transmit, cancel))

    def _here(self) -> list[tuple[Device, Profile]]:
        context = establish(self._scard)
        try:
            states = states_now(self._scard, context, reader_names(self._scard, context))
        finally:
            self._scard.SCardReleaseContext(context)
        found = [(name, profile_for(self._profiles, name, atr)) for name, _, atr in states]
        return [(Device(self.name, remembered_name(name), name, "", self._emulated), profile) for name, profile in found if profile is not None]
