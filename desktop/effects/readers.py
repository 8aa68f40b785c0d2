"""Which reader a face uses: the one remembered in the station's settings, or the question that the clerk answers. Never opens a reader, never guesses."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable
from threading import Event
from typing import Any

from desktop.flows.words import AskReaders, ReaderAsked, ReaderOption, ReaderQuestion, ReaderTaken, UseReader
from desktop.rooms import Rooms
from desktop.settings import SETTINGS_FILE, Settings, SettingWrong
from devices.base import Device
from devices.cards.choice import NoneThere, Offer, Pick, Remembered, Use, choose, remember
from devices.cards.contract import Sighting
from devices.errors import NoReader, NoSam

__all__ = ["ReaderChoice", "plain_fact"]

LOG = logging.getLogger(__name__)
SETTING = "card_reader"
_LONG_DIGITS = re.compile(r"\d{10}(?=\d)")


class ReaderChoice:
    """The choice of one face. ``rooms`` gives the open rooms, ``who`` the owner for the journal."""

    def __init__(self, rooms: Callable[[], Rooms], who: Callable[[], str] = lambda: "station") -> None:
        self._rooms, self._who = rooms, who
        self._chosen: Remembered | None = None

    def device(self, laid: Device | None) -> Device | ReaderQuestion:
        """The reader to read from, or what must be asked first. ``laid``: where the watch saw a card. Raises NoReader, NoSam, and why drivers cannot look."""
        remembered = self._remembered()
        if laid is not None and remembered is not None and _is(laid, remembered):   # no second look while the card lies there
            return laid
        seen = self._rooms().cards().look()
        decision = choose(remembered, seen, laid)
        if isinstance(decision, Use):
            if decision.first_time:
                self._keep(decision.remember, "reader.chosen", {"to": decision.remember.name, "profile": decision.remember.profile})
            return decision.device
        if isinstance(decision, NoneThere):
            if seen:
                raise NoSam("no profile fits", reader=seen[0].device.name)
            raise NoReader("no reader is plugged")
        return _question(decision, remembered, seen)

    def unattended(self) -> Device:
        """The reader of a face where nobody can be asked: the remembered one, else a sister, else the first; the change is journaled. Raises as ``device``."""
        found = self.device(None)
        if isinstance(found, Device):
            return found
        option = found.options[0]
        self._take(option, found.instead_of)
        here = next(one for one in self._rooms().cards().look() if one.profile and remember(one) == option.reader)
        return here.device

    def chosen(self) -> Remembered | None:
        """The reader that is used, whether it is here or not; None: nobody has chosen yet. Looks at no device."""
        return self._remembered()

    # -- effects of the desk ----------------------------------------------------------------------------------------------------------
    def ask(self, _order: AskReaders, _cancel: Event, _tell: Any) -> ReaderAsked:
        """Whether a question stands as the readers are now. No reader at all is the lamps' matter."""
        try:
            found = self.device(None)
        except (NoReader, NoSam):
            return ReaderAsked(None)
        return ReaderAsked(found if isinstance(found, ReaderQuestion) else None)

    def use(self, order: UseReader, _cancel: Event, _tell: Any) -> ReaderTaken:
        self._take(order.option, order.instead_of)
        return ReaderTaken(order.read)

    def _take(self, option: ReaderOption, instead_of: Remembered | None) -> None:
        facts: dict[str, str | bool] = {"to": option.reader.name, "profile": option.reader.profile}
        if instead_of is not None:
            facts |= {"from": instead_of.name, "sister": option.sister}
        self._keep(option.reader, "reader.changed" if instead_of is not None else "reader.chosen", facts)

    def _remembered(self) -> Remembered | None:
        if self._chosen is not None:
            return self._chosen
        try:
            return Remembered.from_json(json.loads(self._settings().get(SETTING) or "null"))
        except ValueError:
            return None

    def _keep(self, reader: Remembered, what: str, facts: dict[str, str | bool]) -> None:
        """The journal first: what is remembered was journaled. Settings that cannot be written cost the memory of it, not the read."""
        plain = {name: plain_fact(fact) if isinstance(fact, str) else fact for name, fact in facts.items()}
        self._rooms().note(self._who() or "station", what, facts=plain)
        self._chosen = reader
        try:
            self._settings().choose(SETTING, json.dumps(reader.as_json(), ensure_ascii=False, sort_keys=True))
        except (OSError, SettingWrong) as failed:
            LOG.warning("the choice of a reader holds until the program ends: %s", failed)

    def _settings(self) -> Settings:
        """Read anew: other parts of the program keep settings in the same file."""
        return Settings(self._rooms().folder / SETTINGS_FILE)


def plain_fact(name: str) -> str:
    """A reader's or profile's name as the journal takes texts: brackets as ``/``, what is beyond ASCII as ``+`` and its number, no eleven digits in a row.

    The journal refuses whatever could be a person's name or number, and cannot know that this is none.
    """
    signs = (sign if sign.isascii() and (sign.isalnum() or sign in " ._:/@-") else "/" if sign in "()[]" else f"+{ord(sign):04X}" for sign in name)
    return _LONG_DIGITS.sub(lambda found: f"{found[0]} ", "".join(signs))[:100].rstrip()


def _is(device: Device, remembered: Remembered) -> bool:
    same = (device.driver, device.name) == (remembered.driver, remembered.name)
    return same and (not remembered.serial or device.serial == remembered.serial)


def _question(decision: Offer | Pick, remembered: Remembered | None, seen: tuple[Sighting, ...]) -> ReaderQuestion:
    if isinstance(decision, Offer):
        return ReaderQuestion((ReaderOption(decision.remember, decision.sister),), decision.instead_of)
    by_device = {one.device: remember(one) for one in seen}
    options = [by_device[device] for device in decision.devices]
    return ReaderQuestion(tuple(ReaderOption(one, remembered is not None and one.profile == remembered.profile) for one in options), remembered)
