"""Every event, effect and fact of the self-service terminal, as frozen dataclasses. Never holds words for people; what a person gave is not in a repr.

The number of the sitting goes with every order that takes time and comes back with its answer: an answer for the person before is dropped.
Who answers what:

| effect | done by | answers |
|---|---|---|
| WatchCards | card watch on the one reader of the terminal | CardSeen, CardTaken |
| ReadCard(sitting) | card lane | CardWasRead, Failed(effect="ReadCard") |
| StartLooking(sitting, card) / StopLooking | camera thread, FaceComparer over good frames | LookTold, FaceCompared, Failed(effect="StartLooking") |
| KeepPresence(...) | seal, sign with the device key, outbox.keep | Kept; later, if still on screen, Sent; Failed(effect="KeepPresence") |
| CallStaff(page, sitting) | lamp, bell, line on the staff desk: what the hall has | StaffCalled |
| Wipe(sitting) | forget camera frames, card, job results; clear the clipboard | - |
| Speak(key) | voice, where the terminal has one; key below ``kiosk`` of the i18n files | - |
| Note(what, facts) | journal; nothing personal | - |

Live frames go to the page by the terminal window's ``show_frame``, not through the flow.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from devices.cards.contract import CardRead

__all__ = [
    "BackPressed", "CallPressed", "CallStaff", "CardSeen", "CardTaken", "CardWasRead", "ConfirmPressed", "DigitPressed", "ElderSet", "ErasePressed",
    "FaceCompared", "FaceResult", "Kept", "KeepPresence", "KioskFacts", "LanguageSet", "LeavePressed", "LookTold", "MorePressed", "NextPressed", "Note",
    "ReadCard", "RetryPressed", "Sent", "Speak", "StaffCalled", "StaffPressed", "StartLooking", "StartPressed", "StopLooking", "Ticked", "WatchCards",
    "Wipe",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class KioskFacts:
    """What this terminal is. ``can_compare``: detector and recogniser are loaded. ``notice_version`` goes into the presence (FORMATS 1.1)."""

    hall: str = ""
    window: str = ""
    practice: bool = False
    can_compare: bool = False
    notice_version: str = "1"
    language: str = "zh_CN"


@dataclass(frozen=True, slots=True)
class FaceResult:
    """What was seen: ``way`` model (staff compares later: no result), verdict same/different/unsure, score and model digest as for FORMATS 1."""

    way: str
    verdict: str
    score: str = ""
    model: str = ""


# -- events: a person ------------------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class StartPressed:
    """A person touched the welcome page."""


@dataclass(frozen=True, slots=True)
class NextPressed:
    """The one primary button: notice read, face agreed, number typed."""


@dataclass(frozen=True, slots=True)
class ConfirmPressed:
    """"Everything is right, register": the last yes."""


@dataclass(frozen=True, slots=True)
class StaffPressed:
    """我不刷脸,找工作人员办: no face by machine; staff looks instead. Always there until the face step is through."""


@dataclass(frozen=True, slots=True)
class BackPressed:
    """One step back; on the first step: the end."""


@dataclass(frozen=True, slots=True)
class CallPressed:
    """叫工作人员."""


@dataclass(frozen=True, slots=True)
class MorePressed:
    """我要慢一点: more time."""


@dataclass(frozen=True, slots=True)
class RetryPressed:
    """Once more: reading, looking or keeping."""


@dataclass(frozen=True, slots=True)
class LeavePressed:
    """办好了: wipe now."""


@dataclass(frozen=True, slots=True)
class DigitPressed:
    """A key of the number pad, "0" to "9"."""

    digit: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ErasePressed:
    """The last digit away; ``all`` of them."""

    all: bool = False


@dataclass(frozen=True, slots=True)
class LanguageSet:
    """zh_CN or en."""

    language: str


@dataclass(frozen=True, slots=True)
class ElderSet:
    """大字: large type and twice the time."""

    on: bool


# -- events: machine -------------------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Ticked:
    """One second went by."""


@dataclass(frozen=True, slots=True)
class CardSeen:
    """A card lies on the reader."""


@dataclass(frozen=True, slots=True)
class CardTaken:
    """The card was lifted."""


@dataclass(frozen=True, slots=True)
class CardWasRead:
    """The card's content. ``name`` and ``number_tail`` are for the screen; ``has_photo``: its picture could be decoded, so a machine can compare."""

    sitting: int
    card: CardRead = field(repr=False)
    name: str = field(repr=False)
    number_masked: str = field(repr=False)
    has_photo: bool = True


@dataclass(frozen=True, slots=True)
class LookTold:
    """A hint while looking: no_face several_faces too_far too_close turned dark hold."""

    sitting: int
    hint: str


@dataclass(frozen=True, slots=True)
class FaceCompared:
    """The three-way answer. ``why`` of an unsure one: no_face, turned, between, chip …"""

    sitting: int
    result: FaceResult
    why: str = ""


@dataclass(frozen=True, slots=True)
class Kept:
    """The presence is on the disk for good. ``number`` is what the person can say at the counter."""

    sitting: int
    number: str


@dataclass(frozen=True, slots=True)
class Sent:
    """The province's receipt for it is here."""

    sitting: int


@dataclass(frozen=True, slots=True)
class StaffCalled:
    """The call went out (a lamp, a line on the staff desk)."""

    sitting: int


# -- effects ---------------------------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class WatchCards:
    """Tell of cards from now on; a card that already lies there is told too."""


@dataclass(frozen=True, slots=True)
class ReadCard:
    """Read the card."""

    sitting: int


@dataclass(frozen=True, slots=True)
class StartLooking:
    """Open the portrait camera, show it, compare with the card's photo; at most 15 s, then unsure."""

    sitting: int
    card: CardRead = field(repr=False)


@dataclass(frozen=True, slots=True)
class StopLooking:
    """Close the camera and forget its frames."""


@dataclass(frozen=True, slots=True)
class KeepPresence:
    """Make, sign, seal and keep the presence (FORMATS 1.1). ``face_consent``: agreed, declined, not-used. ``face`` None: staff looks."""

    sitting: int
    card: CardRead = field(repr=False)
    mobile: str = field(repr=False)
    face: FaceResult | None
    face_consent: str
    notice_version: str


@dataclass(frozen=True, slots=True)
class CallStaff:
    """Somebody needs help on this page."""

    sitting: int
    page: str


@dataclass(frozen=True, slots=True)
class Wipe:
    """The sitting is over: nothing of it stays in memory that can be dropped."""

    sitting: int


@dataclass(frozen=True, slots=True)
class Speak:
    """Say a sentence."""

    key: str


@dataclass(frozen=True, slots=True)
class Note:
    """A line of the journal; ``facts`` hold nothing personal."""

    what: str
    facts: Mapping[str, str] = field(default_factory=dict[str, str])
