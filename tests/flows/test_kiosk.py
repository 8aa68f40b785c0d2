"""The terminal's table, and random walks that no person's data survives."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from desktop.flows.kiosk import LOOKS, PAGES, KioskState, kiosk_flow, mobile_ready, step
from desktop.flows.machine import Failed, run
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
    ReadCard,
    RetryPressed,
    Sent,
    StaffCalled,
    StaffPressed,
    StartLooking,
    StartPressed,
    StopLooking,
    Ticked,
    Wipe,
)
from devices.cards.contract import CardRead, ReadEvidence
from devices.cards.idcard import IdentityCard
from devices.errors import CameraGone, CardRemoved, NoModel
from sync.errors import DiskFull

NOW = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
CARD = CardRead(
    IdentityCard("resident", "李建国", "", "1", "01", date(1980, 1, 1), "四川省成都市", "510100198001010012", "成都市公安局", date(2016, 1, 1), None, True),
    ReadEvidence("05.01", "reader", "profile", NOW, "sha256:00"), b"wlt", None,
)  # fmt: skip
WITH, WITHOUT = KioskFacts(can_compare=True), KioskFacts(can_compare=False)
SAME, UNSURE, DIFFERENT = (FaceResult("model", verdict, "0.61", "sha256:aa") for verdict in ("same", "unsure", "different"))
MOBILE = [DigitPressed(digit) for digit in "13800001234"]


def read(sitting: int = 1, **more) -> CardWasRead:
    return CardWasRead(sitting, CARD, "李建国", "510100********0012", **more)


def kinds(effects) -> list[str]:
    return [type(effect).__name__ for effect in effects if type(effect).__name__ not in ("Speak", "Note")]


TO_CARD = [StartPressed(), NextPressed(), NextPressed(), CardSeen()]
TO_FACE = [*TO_CARD, read()]
TO_CHECK = [*TO_FACE, FaceCompared(1, SAME), *MOBILE, NextPressed()]


def test_the_whole_way_with_a_face():
    state, effects = run(kiosk_flow(WITH), [*TO_CHECK, ConfirmPressed(), Kept(1, "K-07-0031"), Sent(1)])
    assert (state.page, state.number, state.sent) == ("result", "K-07-0031", True)
    assert kinds(effects) == ["WatchCards", "ReadCard", "StartLooking", "StopLooking", "KeepPresence"]
    keep = next(effect for effect in effects if isinstance(effect, KeepPresence))
    assert (keep.mobile, keep.face, keep.face_consent, keep.card) == ("13800001234", SAME, "agreed", CARD)


def test_without_models_no_consent_is_asked_and_staff_looks():
    state, _ = run(kiosk_flow(WITHOUT), [StartPressed(), NextPressed(), CardSeen(), read()])
    assert (state.page, state.face_way, state.work, state.consent) == ("face", "staff", "", "not-used")
    state, effects = run(kiosk_flow(WITHOUT), [StaffPressed(), *MOBILE, NextPressed(), ConfirmPressed()], state)
    keep = next(effect for effect in effects if isinstance(effect, KeepPresence))
    assert keep.face is None and keep.face_consent == "not-used" and state.page == "keeping"


def test_who_does_not_want_the_face_goes_the_same_way():
    events = [StartPressed(), NextPressed(), StaffPressed(), CardSeen(), read(), StaffPressed(), *MOBILE, NextPressed(), ConfirmPressed()]
    state, effects = run(kiosk_flow(WITH), events)
    assert "StartLooking" not in kinds(effects)
    keep = next(effect for effect in effects if isinstance(effect, KeepPresence))
    assert keep.face is None and keep.face_consent == "declined" and state.page == "keeping"


def test_no_during_the_look_stops_the_camera_and_takes_the_consent_back():
    state, effects = run(kiosk_flow(WITH), [*TO_FACE, StaffPressed()])
    assert (state.page, state.consent) == ("mobile", "declined") and kinds(effects)[-1] == "StopLooking"


def test_unsure_may_try_again_then_staff_looks():
    events = [*TO_FACE]
    for _ in range(LOOKS - 1):
        events += [FaceCompared(1, UNSURE, "turned"), RetryPressed()]
    state, effects = run(kiosk_flow(WITH), events)
    assert state.work == "looking" and kinds(effects).count("StartLooking") == LOOKS
    state, _ = run(kiosk_flow(WITH), [FaceCompared(1, UNSURE)], state)
    assert (state.page, state.face_way, state.face) == ("face", "staff", UNSURE)
    assert run(kiosk_flow(WITH), [RetryPressed()], state) == (state, [])
    assert run(kiosk_flow(WITH), [StaffPressed()], state)[0].consent == "agreed"


def test_different_is_never_the_end():
    state, _ = run(kiosk_flow(WITH), [*TO_FACE, FaceCompared(1, DIFFERENT), StaffPressed(), *MOBILE, NextPressed(), ConfirmPressed(), Kept(1, "n")])
    assert state.page == "result"


@pytest.mark.parametrize("trouble", [NoModel(), CameraGone()])
def test_without_camera_or_model_in_the_middle_staff_looks(trouble):
    state, effects = run(kiosk_flow(WITH), [*TO_FACE, Failed(trouble, "StartLooking")])
    assert (state.page, state.face_way, state.work) == ("face", "staff", "") and "StopLooking" in kinds(effects)


def test_a_card_without_a_readable_photo_goes_to_staff():
    state, effects = run(kiosk_flow(WITH), [*TO_CARD, read(has_photo=False)])
    assert state.face_way == "staff" and "StartLooking" not in kinds(effects)


def test_a_card_that_already_lies_is_read_at_once_and_after_a_trouble_again():
    state, effects = run(kiosk_flow(WITHOUT), [CardSeen(), NextPressed()])
    assert (state.page, state.work) == ("card", "reading") and "ReadCard" in kinds(effects)
    state, _ = run(kiosk_flow(WITHOUT), [Failed(CardRemoved(), "ReadCard")], state)
    assert state.trouble is not None and state.work == ""
    state, effects = run(kiosk_flow(WITHOUT), [CardTaken(), CardSeen()], state)
    assert kinds(effects) == ["ReadCard"] and state.trouble is None


def test_a_card_left_behind_is_not_read_for_the_next_person():
    state, _ = run(kiosk_flow(WITHOUT), [StartPressed(), NextPressed(), CardSeen(), read(), *[Ticked()] * 100])
    assert state.page == "welcome" and state.left_behind
    state, effects = run(kiosk_flow(WITHOUT), [StartPressed(), NextPressed(), CardSeen(), RetryPressed()], state)
    assert state.page == "card" and "ReadCard" not in kinds(effects)
    state, effects = run(kiosk_flow(WITHOUT), [CardTaken(), CardSeen()], state)
    assert kinds(effects) == ["ReadCard"]


def test_answers_for_the_person_before_are_dropped():
    state, _ = run(kiosk_flow(WITH), [*TO_CARD, *[Ticked()] * 100, CardTaken(), StartPressed(), NextPressed(), NextPressed(), CardSeen()])
    assert (state.sitting, state.page, state.work) == (2, "card", "reading")
    for late in (read(1), FaceCompared(1, SAME), Kept(1, "x"), Sent(1), LookTold(1, "dark"), StaffCalled(1)):
        assert step(state, late) == (state, ())


def test_time_runs_out_and_everything_is_wiped():
    state, effects = run(kiosk_flow(WITH), [*TO_CHECK, *[Ticked()] * 60])
    assert state == KioskState(WITH, sitting=1, card_lies=True, left_behind=True) and Wipe(1) in effects


def test_touch_and_more_time_and_large_type():
    state, _ = run(kiosk_flow(WITH), [*TO_FACE, FaceCompared(1, SAME), *[Ticked()] * 50])
    assert state.left == 10
    assert step(state, DigitPressed("1"))[0].left == 60
    more = step(state, MorePressed())[0]
    assert more.left == 70 and more.whole == 70
    for _ in range(20):
        more = step(more, MorePressed())[0]
    assert more.left == 300
    large = step(state, ElderSet(True))[0]
    assert large.left == 120 and large.elder


def test_the_result_counts_down_to_the_wipe_and_can_be_held():
    state, _ = run(kiosk_flow(WITH), [*TO_CHECK, ConfirmPressed(), Kept(1, "n")])
    assert state.left == 20
    held = step(state, MorePressed())[0]
    assert held.left == 80
    gone, effects = step(state, LeavePressed())
    assert gone.page == "welcome" and Wipe(1) in effects


def test_keeping_has_no_clock_and_a_failure_can_be_tried_again():
    state, _ = run(kiosk_flow(WITH), [*TO_CHECK, ConfirmPressed(), *[Ticked()] * 500])
    assert state.page == "keeping"
    state, _ = run(kiosk_flow(WITH), [Failed(DiskFull(), "KeepPresence")], state)
    assert state.page == "check" and state.trouble is not None and state.number == ""
    assert kinds(step(state, RetryPressed())[1]) == ["KeepPresence"]


def test_back_step_by_step():
    state, _ = run(kiosk_flow(WITH), TO_CHECK)
    seen = []
    while state.page != "welcome":
        seen.append(state.page)
        state, _ = step(state, BackPressed())
    assert seen == ["check", "mobile", "face", "consent", "notice"]


def test_back_from_the_number_and_on_again_with_the_face_known():
    state, effects = run(kiosk_flow(WITH), [*TO_FACE, FaceCompared(1, SAME), BackPressed(), NextPressed()])
    assert state.page == "mobile" and kinds(effects).count("StartLooking") == 1


def test_the_number_pad():
    state, _ = run(kiosk_flow(WITH), [*TO_FACE, FaceCompared(1, SAME), *MOBILE, DigitPressed("9"), DigitPressed("x"), DigitPressed("")])
    assert state.mobile == "13800001234"
    assert step(state, ErasePressed())[0].mobile == "1380000123" and step(state, ErasePressed(all=True))[0].mobile == ""
    for bad in ("1380000123", "23800001234", "12800001234", ""):
        assert not mobile_ready(bad) and step(replace(state, mobile=bad), NextPressed())[0].page == "mobile"


def test_staff_can_be_called_from_everywhere():
    for page in PAGES:
        state, effects = step(KioskState(WITH, page=page), CallPressed())
        assert state.called == "asked" and CallStaff(0, page) in effects and state.page == page
    assert step(state, StaffCalled(0))[0].called == "coming"


def test_language_and_large_type_end_with_the_sitting():
    state, _ = run(kiosk_flow(WITH), [LanguageSet("en"), ElderSet(True), StartPressed(), LanguageSet("xx"), BackPressed()])
    assert (state.language, state.elder, state.page) == ("zh_CN", False, "welcome")


def test_nothing_personal_in_a_repr():
    state, effects = run(kiosk_flow(WITH), [*TO_CHECK, ConfirmPressed()])
    for thing in (state, *effects, read(), DigitPressed("7")):
        text = repr(thing)
        assert "李建国" not in text and "13800001234" not in text and "0012" not in text and "'7'" not in text


ANY = [
    StartPressed(), NextPressed(), ConfirmPressed(), StaffPressed(), BackPressed(), CallPressed(), MorePressed(), RetryPressed(), LeavePressed(), *MOBILE,
    ErasePressed(), ErasePressed(all=True), LanguageSet("en"), ElderSet(True), ElderSet(False), Ticked(), CardSeen(), CardTaken(),
    Failed(CardRemoved(), "ReadCard"), Failed(NoModel(), "StartLooking"), Failed(DiskFull(), "KeepPresence"), Failed(DiskFull(), "CallStaff"), object(), None,
]  # fmt: skip


@pytest.mark.parametrize("seed", range(40))
def test_random_walks(seed):
    """The camera looks only with consent; only what was read, typed and confirmed is kept; the end always wipes; time always ends it."""
    dice = random.Random(seed)
    flow = kiosk_flow(WITH if seed % 3 else WITHOUT)
    state, looking, dirty = flow.start(), False, False
    for _ in range(600):
        sitting = state.sitting - dice.choice([0, 0, 0, 1])
        face = FaceCompared(sitting, dice.choice([SAME, UNSURE, DIFFERENT]))
        late = [read(sitting), face, Kept(sitting, "n"), Sent(sitting), LookTold(sitting, "dark"), StaffCalled(sitting)]
        before = state
        state, effects = step(state, dice.choice([*ANY, *late]))
        assert state.page in PAGES
        for effect in effects:
            if isinstance(effect, StartLooking):
                assert state.consent == "agreed" and effect.card is CARD and not looking
                looking = True
            elif isinstance(effect, StopLooking):
                looking = False
            elif isinstance(effect, ReadCard):
                assert not before.left_behind
            elif isinstance(effect, KeepPresence):
                assert before.page == "check" and effect.card is CARD and mobile_ready(effect.mobile)
                assert effect.face is None or effect.face_consent == "agreed"
            elif isinstance(effect, Wipe):
                dirty = False
        assert looking == (state.work == "looking")
        dirty = dirty or state.card is not None
        if state.page == "welcome":
            assert not dirty and state.card is None and state.mobile == "" and state.name == "" and state.face is None and state.number == ""
        if before.page != "result" and state.page == "result":
            assert before.page == "keeping" and state.number
    if state.page != "keeping":
        state, _ = run(flow, [Ticked()] * 700, state)
        assert state.page == "welcome"
