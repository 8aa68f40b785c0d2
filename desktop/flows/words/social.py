"""Events and effects of looking at a social security card, which is a hint and never an identity. Never opens a slot."""

from __future__ import annotations

from dataclasses import dataclass, field

from devices.cards.socialcard import SocialCardHint
from devices.errors import DeviceTrouble

__all__ = ["ReadSocial", "SocialClosed", "SocialPressed", "SocialRead"]


@dataclass(frozen=True, slots=True)
class SocialPressed:
    """The clerk wants to see what the social security card in its slot says."""


@dataclass(frozen=True, slots=True)
class ReadSocial:
    """Effect: read the social security card for the sitting ``draft_id``. Answer: SocialRead."""

    draft_id: str


@dataclass(frozen=True, slots=True)
class SocialRead:
    """What the card says, or why it says nothing; neither: the look was broken off."""

    draft_id: str
    said: SocialCardHint | None = field(default=None, repr=False)
    trouble: DeviceTrouble | None = None


@dataclass(frozen=True, slots=True)
class SocialClosed:
    """The hint was read and put away."""
