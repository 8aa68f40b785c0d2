"""Looks at the social security card in its contact slot when the clerk asks for it. Never keeps what it says, never gives it to a draft."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event
from typing import Any

from desktop.flows.words.social import ReadSocial, SocialRead
from desktop.rooms import Rooms
from devices.cards.socialcard import SocialCardHint
from devices.errors import (
    BrokenFrame,
    Cancelled,
    CardMute,
    CardRemoved,
    CardUnknown,
    DeviceTrouble,
    NoCard,
    NoSocialCard,
    NoSocialSlot,
    SocialCardUnknown,
    SocialCardUnreadable,
    TimedOut,
)

__all__ = ["SocialWork"]

_UNREADABLE = (BrokenFrame, CardMute, CardRemoved, TimedOut)


class SocialWork:
    """The handler of ``ReadSocial``, in the readers' lane: slot and identity reader are often one device. ``rooms`` gives the open rooms."""

    def __init__(self, rooms: Callable[[], Rooms]) -> None:
        self._rooms = rooms

    def read(self, order: ReadSocial, cancel: Event, _tell: Any) -> SocialRead:
        """What the card says, or the trouble, named. A look leaves a line in the journal without anything of the card."""
        try:
            said = self._hint(cancel)
        except Cancelled:
            return SocialRead(order.draft_id)
        except DeviceTrouble as trouble:
            trouble.__traceback__ = None
            return SocialRead(order.draft_id, None, trouble)
        self._rooms().note("station", "card.social_seen")
        return SocialRead(order.draft_id, said)

    def _hint(self, cancel: Event) -> SocialCardHint:
        """Of the first slot with a readable card. Raises NoSocialSlot, NoSocialCard, SocialCardUnknown, SocialCardUnreadable, and why slots cannot be asked."""
        registry = self._rooms().registry
        slots = [(driver, device) for driver in registry.hints() for device in driver.find()]
        if not slots:
            raise next(iter(registry.troubles("hints")), NoSocialSlot("no slot that a profile fits"))
        found: DeviceTrouble = NoSocialCard("every slot is empty")
        for driver, device in slots:
            try:
                return driver.read(device, cancel)
            except NoCard:
                continue
            except CardUnknown as other:
                found = SocialCardUnknown(other.detail)
            except _UNREADABLE as damaged:
                found = SocialCardUnreadable(f"{damaged.code}: {damaged.detail}")
        raise found
