"""The desk's look at a social security card, on the real smart-card service with an emulated contact card. Never an identity reader."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

from desktop.effects.social import SocialWork
from desktop.flows.words.social import ReadSocial, SocialRead
from devices.installed import installed
from tests.contract.reader_stands import until
from tests.emulators import social_card
from tests.emulators.social_card import SocialCard
from tests.emulators.vpcd import VirtualSlot

PROFILE = {"name": "contact", "mode": "social", "match": {"reader": "^Virtual PCD 00 00"}}


def test_damaged_and_foreign_cards_are_named_and_the_next_card_works(slot: VirtualSlot) -> None:
    rooms: Any = SimpleNamespace(registry=installed({"profiles": [PROFILE], "emulated": True}), note=lambda *line: None)
    work = SocialWork(lambda: rooms)

    def look() -> SocialRead:
        return work.read(ReadSocial("d-1"), threading.Event(), None)

    def code() -> str:
        answer = look()
        return answer.trouble.code if answer.trouble is not None else answer.said.name if answer.said is not None else ""

    assert code() == "social.no_card"
    whole = SocialCard(social_card.FIRST)
    stubborn, empty, other = SocialCard(social_card.FIRST, stubborn=True), SocialCard({}), SocialCard({}, application=False)
    for card, told in ((other, "social.unknown"), (whole, "李练工"), (stubborn, "social.unreadable"), (empty, "social.unreadable"), (whole, "李练工")):
        slot.place(card)
        until(lambda told=told: code() == told)
        slot.lift()
        until(lambda: code() == "social.no_card")
    assert not [apdu for apdu in other.asked if apdu[1] not in (0xA4, 0xC0)], "of a card that is no social security card nothing is read"
    assert look().said is None
