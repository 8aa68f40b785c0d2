"""The steps of the desk that show a social security card beside the open sitting: a hint. Never fills a field, never touches the draft: what such a card says
is neither evidence nor part of a record, for anybody can write one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from desktop.flows.intake_state import Answer, IntakeState, SocialSeen
from desktop.flows.words import CardNote
from desktop.flows.words.social import ReadSocial, SocialClosed, SocialPressed, SocialRead

__all__ = ["STEPS", "ended", "has_slot", "note"]

_CITIZEN: Final = re.compile(r"[0-9]{17}[0-9X]", re.ASCII)
"""GB 11643: what a social security number is. Numbers of other documents cannot be compared with it."""
_BETWEEN: Final = re.compile(r"[\s·•‧∙・．.]")
"""Signs between the parts of a name, which each system writes in its own way."""
_UNREAD: Final = "—"


def has_slot(state: IntakeState) -> bool:
    """Whether this station has contact slots for social security cards."""
    return any(one.name == "social" for one in state.devices)


def pressed(state: IntakeState, _event: SocialPressed) -> Answer:
    """Beside an open sitting only, and one look at a time."""
    if state.draft is None or state.page != "desk" or state.capture is not None or state.reading is not None or state.parking or state.social.reading:
        return state, ()
    return replace(state, social=SocialSeen(reading=True)), (ReadSocial(state.draft.draft_id),)


def read(state: IntakeState, event: SocialRead) -> Answer:
    """An answer that comes when another sitting is open is let fall."""
    if state.draft is None or event.draft_id != state.draft.draft_id or not state.social.reading:
        return state, ()
    return replace(state, social=SocialSeen(said=event.said, trouble=event.trouble)), ()


def closed(state: IntakeState, _event: SocialClosed | None = None) -> Answer:
    return replace(state, social=SocialSeen(reading=state.social.reading)), ()


def ended(state: IntakeState, effect: str) -> IntakeState:
    """The state after a failed effect: where it was the look at a card, that is over."""
    return replace(state, social=SocialSeen()) if effect == "ReadSocial" else state


def note(state: IntakeState) -> CardNote | None:
    """What is to be shown, compared with the sitting as it is now; None: nothing."""
    seen, draft = state.social, state.draft
    if draft is None:
        return None
    if seen.trouble is not None:
        return CardNote(seen.trouble.code, {name: str(fact) for name, fact in seen.trouble.facts.items()})
    if seen.said is None:
        return None
    said = seen.said
    name, number = _same_name(said.name, draft.text("person.name_zh")), _same_number(said.number, draft.text("person.id_doc_no"))
    facts = {"name": said.name or _UNREAD, "tail": said.number[-4:] or _UNREAD}
    if False in (name, number):
        return CardNote("social.differs", facts | {"what": "both" if name is number else "name" if name is False else "number"})
    return CardNote("social.same" if name and number else "social.unsure", facts)


def _same_name(said: str, held: str) -> bool | None:
    """None where one of them is missing or not wholly readable."""
    one, other = _BETWEEN.sub("", said), _BETWEEN.sub("", held)
    return one == other if one and other and "\ufffd" not in one + other else None


def _same_number(said: str, held: str) -> bool | None:
    return said == held if _CITIZEN.fullmatch(said) and _CITIZEN.fullmatch(held) else None


STEPS: Mapping[type, Callable[[IntakeState, Any], Answer]] = {SocialPressed: pressed, SocialRead: read, SocialClosed: closed}
"""The rows of the desk's table that stand here."""
