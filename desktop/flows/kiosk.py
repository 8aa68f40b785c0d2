"""The self-service terminal: welcome - notice - face consent - card - face - mobile number - check - result - wipe. Never decides against a person.

No is never said by the machine: where it does not recognise somebody, staff looks. Everything of a person is in the state alone, so a wipe is a new state.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, cast

from desktop.flows.machine import Failed, Flow
from desktop.flows.words_kiosk import (
    BackPressed,
    CallPressed,
    CallStaff,
    CardSeen,
    CardTaken,
    CardWasRead,
    ConfirmPressed,
    DigitPressed,
    ElderSet,
    ErasePressed,
    FaceCompared,
    FaceResult,
    KeepPresence,
    Kept,
    KioskFacts,
    LanguageSet,
    LeavePressed,
    LookTold,
    MorePressed,
    NextPressed,
    Note,
    ReadCard,
    RetryPressed,
    Sent,
    Speak,
    StaffCalled,
    StaffPressed,
    StartLooking,
    StartPressed,
    StopLooking,
    Ticked,
    WatchCards,
    Wipe,
)  # fmt: skip
from devices.cards.contract import CardRead
from resources.trouble import Trouble

__all__ = ["MOBILE_DIGITS", "PAGES", "STEPS", "KioskState", "kiosk_flow", "mobile_ready", "step"]

PAGES = ("welcome", "notice", "consent", "card", "face", "mobile", "check", "keeping", "result")
STEPS = {"notice": 1, "consent": 1, "card": 2, "face": 3, "mobile": 4, "check": 5, "keeping": 5}
"""Page -> which of the five dots."""
MOBILE_DIGITS = 11
PAGE_SECONDS = {"notice": 90, "consent": 60, "card": 60, "face": 60, "mobile": 60, "check": 60, "result": 20}
"""Seconds without a touch after which a page ends and everything is wiped; twice as long in 大字. ``keeping`` has no clock: the job ends by itself."""
MORE_SECONDS = 60
WARN_SECONDS = 15
"""From here the remaining time is shown large and said."""
MOST_SECONDS = 300
LOOKS = 3
"""Tries of the machine before staff looks."""
DIRECT_STAFF = frozenset({"vision.no_model", "camera.none", "camera.gone", "camera.busy"})


@dataclass(frozen=True, slots=True)
class KioskState:
    """``page`` of PAGES. ``work``: '', reading, looking. ``face_way``: '' undecided, model, staff. ``called``: '', asked, coming. ``sitting`` counts people.

    ``left_behind``: the card of the sitting before still lies there; it is not read until it was lifted, so nobody sees another person's name.
    """

    facts: KioskFacts
    page: str = "welcome"
    sitting: int = 0
    language: str = "zh_CN"
    elder: bool = False
    left: int = 0
    whole: int = 0
    work: str = ""
    card_lies: bool = False
    left_behind: bool = False
    card: CardRead | None = field(default=None, repr=False)
    name: str = field(default="", repr=False)
    number_masked: str = field(default="", repr=False)
    has_photo: bool = False
    consent: str = "not-used"
    face_way: str = ""
    face: FaceResult | None = None
    looks: int = 0
    hint: str = ""
    mobile: str = field(default="", repr=False)
    number: str = ""
    sent: bool = False
    called: str = ""
    trouble: Trouble | None = None


Effects = tuple[Any, ...]
Answer = tuple[KioskState, Effects]


def kiosk_flow(facts: KioskFacts) -> Flow[KioskState, Any, Any]:
    """The flow of one terminal."""
    return Flow("kiosk", lambda: KioskState(facts, language=facts.language), step, first=lambda _state: (WatchCards(),))


def step(state: KioskState, event: Any) -> Answer:
    """One step: total; an event that does not fit changes nothing. Any touch gives the page its whole time again."""
    if getattr(event, "sitting", state.sitting) != state.sitting:
        return state, ()
    handler = _TABLE.get(cast("type[object]", type(event)))
    if handler is None:
        return state, ()
    if isinstance(event, _TOUCHES) and state.page not in ("welcome", "result", "keeping"):
        state = replace(state, left=max(state.left, state.whole))
    return handler(state, event)


def mobile_ready(mobile: str) -> bool:
    """Eleven digits that begin like a mainland mobile number (1, then 3-9)."""
    return len(mobile) == MOBILE_DIGITS and mobile.isdecimal() and mobile[0] == "1" and mobile[1] in "3456789"


# -- going from page to page ---------------------------------------------------------------------------------------------------------------
def _to(state: KioskState, page: str, effects: Effects = ()) -> Answer:
    """Another page with its whole time; what was under way on the old one ends."""
    seconds = PAGE_SECONDS.get(page, 0) * (2 if state.elder else 1)
    ended: Effects = (StopLooking(),) if state.work == "looking" else ()
    state = replace(state, page=page, left=seconds, whole=seconds, work="", trouble=None, hint="")
    return state, (*ended, *effects, Speak(f"say.{page}"))


def _end(state: KioskState, why: str) -> Answer:
    """Back to the welcome page; nothing of the person is left in the state."""
    ended: Effects = (StopLooking(),) if state.work == "looking" else ()
    lies = state.card_lies
    fresh = KioskState(state.facts, sitting=state.sitting, language=state.facts.language, card_lies=lies, left_behind=lies)
    return fresh, (*ended, Wipe(state.sitting), Note("kiosk.ended", {"why": why, "page": state.page}))


def _start(state: KioskState, _event: StartPressed) -> Answer:
    if state.page != "welcome":
        return state, ()
    return _to(replace(state, sitting=state.sitting + 1), "notice", (Note("kiosk.started"),))


def _next(state: KioskState, _event: NextPressed) -> Answer:
    match state.page:
        case "notice":
            return _after_notice(state)
        case "consent":
            return _to_card(replace(state, consent="agreed", face_way="model"))
        case "face" if state.face is not None and state.face.verdict == "same":
            return _to(state, "mobile")
        case "mobile" if mobile_ready(state.mobile):
            return _to(state, "check")
        case _:
            return state, ()


def _after_notice(state: KioskState) -> Answer:
    """Consent is only asked where a machine could look."""
    if state.facts.can_compare:
        return _to(state, "consent")
    return _to_card(replace(state, consent="not-used", face_way="staff"))


def _to_card(state: KioskState) -> Answer:
    if state.card is not None:
        return _after_card(state)
    state, effects = _to(state, "card")
    return _read(state, effects) if state.card_lies and not state.left_behind else (state, effects)


def _read(state: KioskState, effects: Effects = ()) -> Answer:
    return replace(state, work="reading", trouble=None), (*effects, ReadCard(state.sitting))


def _after_card(state: KioskState) -> Answer:
    """To the face, or in plain words past it."""
    state, effects = _to(state, "face")
    if state.face_way == "model" and state.has_photo and state.card is not None and state.face is None:
        return replace(state, work="looking"), (*effects, StartLooking(state.sitting, state.card))
    if state.face is not None and state.face.verdict == "same":
        return state, effects
    return replace(state, face_way="staff"), effects


def _staff(state: KioskState, _event: StaffPressed) -> Answer:
    """我不刷脸. Before the card: only the wish is noted. On the face page: on, and staff looks later."""
    if state.page == "consent":
        return _to_card(replace(state, consent="declined", face_way="staff", face=None))
    if state.page == "face" and not (state.face is not None and state.face.verdict == "same"):
        consent = "declined" if state.consent == "agreed" and state.looks == 0 else state.consent
        return _to(replace(state, face_way="staff", consent=consent), "mobile", (Note("kiosk.face_by_staff"),))
    return state, ()


def _back(state: KioskState, _event: BackPressed) -> Answer:
    match state.page:
        case "notice":
            return _end(state, "back")
        case "consent":
            return _to(state, "notice")
        case "card":
            return _to(state, "consent" if state.facts.can_compare else "notice")
        case "face":
            # another way may be chosen, another card put down
            forget = replace(state, card=None, name="", number_masked="", has_photo=False, face=None, looks=0)
            return _to(forget, "consent" if state.facts.can_compare else "notice")
        case "mobile":
            return _after_card(state)
        case "check":
            return _to(state, "mobile")
        case _:
            return state, ()


# -- card ------------------------------------------------------------------------------------------------------------------------------
def _card_seen(state: KioskState, _event: CardSeen) -> Answer:
    """A card on the welcome page is a person who begins; elsewhere only the card page reads."""
    state = replace(state, card_lies=True)
    if state.left_behind:
        return state, ()
    if state.page == "welcome":
        return _start(state, StartPressed())
    if state.page == "card" and state.work != "reading":
        return _read(state)
    return state, ()


def _card_taken(state: KioskState, _event: CardTaken) -> Answer:
    return replace(state, card_lies=False, left_behind=False), ()


def _card_read(state: KioskState, event: CardWasRead) -> Answer:
    if state.page != "card" or state.work != "reading":
        return state, ()
    state = replace(state, card=event.card, name=event.name, number_masked=event.number_masked, has_photo=event.has_photo, face=None, looks=0)
    return _after_card(replace(state, work=""))


# -- face ------------------------------------------------------------------------------------------------------------------------------
def _look_told(state: KioskState, event: LookTold) -> Answer:
    return (replace(state, hint=event.hint), ()) if state.work == "looking" else (state, ())


def _compared(state: KioskState, event: FaceCompared) -> Answer:
    """same: on. unsure: once more, three times in all. different or still unsure: staff looks; nobody is sent away."""
    if state.page != "face" or state.work != "looking":
        return state, ()
    looks = state.looks + 1
    state = replace(state, work="", looks=looks, hint=event.why)
    told = Note("kiosk.face", {"verdict": event.result.verdict, "looks": str(looks)})
    if event.result.verdict == "same":
        state, effects = _to(replace(state, face=event.result), "mobile", (StopLooking(), told))
        return state, effects
    if event.result.verdict == "unsure" and looks < LOOKS:
        return state, (StopLooking(), told)
    return replace(state, face=event.result, face_way="staff"), (StopLooking(), told, Speak("say.face_staff"))


def _retry(state: KioskState, _event: RetryPressed) -> Answer:
    if state.page == "card" and state.work == "" and state.card_lies and not state.left_behind:
        return _read(state)
    if state.page == "face" and state.work == "" and state.face_way == "model" and state.card is not None and state.looks < LOOKS:
        return replace(state, work="looking", hint="", trouble=None), (StartLooking(state.sitting, state.card),)
    if state.page == "check" and state.trouble is not None:
        return _confirm(state, ConfirmPressed())
    return state, ()


# -- number, check, result -----------------------------------------------------------------------------------------------------------------
def _digit(state: KioskState, event: DigitPressed) -> Answer:
    if state.page != "mobile" or len(event.digit) != 1 or event.digit not in "0123456789" or len(state.mobile) >= MOBILE_DIGITS:
        return state, ()
    return replace(state, mobile=state.mobile + event.digit), ()


def _erase(state: KioskState, event: ErasePressed) -> Answer:
    return (replace(state, mobile="" if event.all else state.mobile[:-1]), ()) if state.page == "mobile" else (state, ())


def _confirm(state: KioskState, _event: ConfirmPressed) -> Answer:
    if state.page != "check" or state.card is None or not mobile_ready(state.mobile):
        return state, ()
    keep = KeepPresence(state.sitting, state.card, state.mobile, state.face, state.consent, state.facts.notice_version)
    return _to(state, "keeping", (keep,))


def _kept(state: KioskState, event: Kept) -> Answer:
    return _to(replace(state, number=event.number), "result", (Note("kiosk.kept"),)) if state.page == "keeping" else (state, ())


def _sent(state: KioskState, _event: Sent) -> Answer:
    return (replace(state, sent=True), ()) if state.page == "result" else (state, ())


def _leave(state: KioskState, _event: LeavePressed) -> Answer:
    return _end(state, "done") if state.page == "result" else (state, ())


# -- time, help, look, troubles --------------------------------------------------------------------------------------------------------------
def _ticked(state: KioskState, _event: Ticked) -> Answer:
    if state.page in ("welcome", "keeping"):
        return state, ()
    left = state.left - 1
    if left <= 0:
        return _end(state, "done" if state.page == "result" else "time")
    said: Effects = (Speak("say.time"),) if left == WARN_SECONDS and state.page != "result" else ()
    return replace(state, left=left), said


def _more(state: KioskState, _event: MorePressed) -> Answer:
    if state.page in ("welcome", "keeping"):
        return state, ()
    left = min(state.left + MORE_SECONDS, MOST_SECONDS)
    return replace(state, left=left, whole=max(state.whole, left)), ()


def _call(state: KioskState, _event: CallPressed) -> Answer:
    return replace(state, called="asked"), (CallStaff(state.sitting, state.page),)


def _staff_called(state: KioskState, _event: StaffCalled) -> Answer:
    return (replace(state, called="coming"), ()) if state.called else (state, ())


def _language(state: KioskState, event: LanguageSet) -> Answer:
    return (replace(state, language=event.language), ()) if event.language in ("zh_CN", "en") else (state, ())


def _elder(state: KioskState, event: ElderSet) -> Answer:
    """The clock of the page grows with it at once; turning it off takes nothing away on this page."""
    whole = PAGE_SECONDS.get(state.page, 0) * 2 if event.on else state.whole
    return replace(state, elder=event.on, whole=max(whole, state.whole), left=max(state.left, whole) if event.on else state.left), ()


def _failed(state: KioskState, event: Failed) -> Answer:
    """Troubles on the card and check page stay there for another try; without camera or model staff looks."""
    if event.effect == "ReadCard" and state.page == "card":
        return replace(state, work="", trouble=event.trouble), (Note("kiosk.trouble", {"code": event.trouble.code}),)
    if event.effect == "StartLooking" and state.page == "face" and state.work == "looking":
        way = "staff" if event.trouble.code in DIRECT_STAFF or state.looks + 1 >= LOOKS else state.face_way
        state = replace(state, work="", trouble=event.trouble, looks=state.looks + 1, face_way=way)
        return state, (StopLooking(), Note("kiosk.trouble", {"code": event.trouble.code}))
    if event.effect == "KeepPresence" and state.page == "keeping":
        state, effects = _to(state, "check")
        return replace(state, trouble=event.trouble), (*effects, Note("kiosk.trouble", {"code": event.trouble.code}))
    if event.effect == "CallStaff":
        return replace(state, called=""), ()
    return state, ()


_TOUCHES = (BackPressed, CallPressed, DigitPressed, ElderSet, ErasePressed, LanguageSet, NextPressed, RetryPressed, StaffPressed)
_TABLE: dict[type[object], Callable[[KioskState, Any], Answer]] = {
    StartPressed: _start, NextPressed: _next, StaffPressed: _staff, BackPressed: _back, CardSeen: _card_seen, CardTaken: _card_taken,
    CardWasRead: _card_read, LookTold: _look_told, FaceCompared: _compared, RetryPressed: _retry, DigitPressed: _digit, ErasePressed: _erase,
    ConfirmPressed: _confirm, Kept: _kept, Sent: _sent, LeavePressed: _leave, Ticked: _ticked, MorePressed: _more, CallPressed: _call,
    StaffCalled: _staff_called, LanguageSet: _language, ElderSet: _elder, Failed: _failed,
}  # fmt: skip
