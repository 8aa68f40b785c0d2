"""The review table: sign one, keep, receipt; "kept" is said only after the store said so."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from desktop.flows.machine import Failed, run
from desktop.flows.review import REVIEW, ReviewState, step
from desktop.flows.words import (
    AskPin,
    BackPressed,
    BuildReview,
    Keep,
    Kept,
    LastTryAccepted,
    LockPressed,
    OperatorIn,
    PagePicked,
    PinStateRead,
    PrintReceipt,
    ReceiptFacts,
    ReceiptSaved,
    ReceiptWanted,
    RecordMoved,
    RetryPressed,
    ReviewAsked,
    ReviewBuilt,
    ReviewSheet,
    SaveReceipt,
    Send,
    Signed,
    SignPressed,
    SignRecord,
    SittingDone,
    TroubleClosed,
    WatchRecord,
)
from devices.errors import PinLocked, TokenGone, WrongPin
from devices.tokens.contract import PinState
from sync.errors import DiskFull, DraftIncomplete
from tests.flows.sample import CERTIFICATE, NOW, OPERATOR, STATION, full_draft

SHEET = ReviewSheet("r-1", {"record_id": "r-1"}, "sha256:" + "2" * 64, 2048)
RECEIPT = ReceiptFacts("r-1", "R-20261122-000001", NOW, "李国强", "0018", ("4",), 2, SHEET.digest, True)
DRAFT = full_draft()
TO_PIN = [OperatorIn(OPERATOR, STATION), ReviewAsked(DRAFT), ReviewBuilt(SHEET), AskPin(), PinStateRead(PinState(6))]


def test_the_whole_way() -> None:
    state, effects = run(REVIEW, [*TO_PIN, SignPressed("123456"), Signed("r-1"), Kept("r-1", NOW), RecordMoved("r-1", "uploading")])
    assert state.page == "kept" and state.kept_at == NOW and state.record_state == "uploading"
    assert effects[0] == BuildReview(DRAFT)
    assert SignRecord("r-1", CERTIFICATE, "123456") in effects and Keep("r-1", "d-1") in effects
    assert effects[-2:] == [WatchRecord("r-1"), Send("intake", SittingDone("d-1"))]
    state, _ = step(state, RecordMoved("r-1", "receipted", RECEIPT))
    assert state.page == "receipt"
    assert step(state, ReceiptWanted("r-1"))[1] == (PrintReceipt("r-1"),)
    assert step(state, ReceiptWanted("r-1", "/x.pdf"))[1] == (SaveReceipt("r-1", "/x.pdf"),)
    assert step(state, ReceiptSaved("r-1"))[0].saved
    assert step(state, BackPressed())[0].page == "idle"


def test_a_store_that_fails_never_says_kept_and_keeps_the_signature() -> None:
    state, _ = run(REVIEW, [*TO_PIN, SignPressed("1"), Signed("r-1"), Failed(DiskFull(free=1, needed=2), "Keep")])
    assert state.page == "unkept" and state.kept_at is None
    assert step(state, BackPressed()) == (state, ()), "no way out that would lose the signature unseen"
    state, effects = step(state, RetryPressed())
    assert state.page == "keeping" and effects == (Keep("r-1", "d-1"),)


def test_what_the_platform_did_not_take_leads_to_the_list_that_says_why() -> None:
    kept, _ = run(REVIEW, [*TO_PIN, SignPressed("1"), Signed("r-1"), Kept("r-1", NOW)])
    assert step(kept, PagePicked("returned")) == (kept, ()), "it is on its way"
    aside, _ = step(kept, RecordMoved("r-1", "set_aside"))
    state, effects = step(aside, PagePicked("returned"))
    assert state.page == "idle" and effects == (Send("intake", PagePicked("returned")),)


def test_wrong_pin_and_pulled_token_come_back_to_the_page() -> None:
    signing, _ = run(REVIEW, [*TO_PIN, SignPressed("1")])
    wrong, effects = step(signing, Failed(WrongPin(tries_left=5), "SignRecord"))
    assert wrong.page == "checking" and len(effects) == 1
    assert step(signing, Failed(TokenGone(), "SignRecord"))[0].page == "reading"
    assert step(signing, Failed(PinLocked(), "SignRecord"))[0].page == "locked_pin"
    assert step(signing, BackPressed())[0].page == "signing", "a signature on its way is awaited"


def test_a_draft_that_cannot_be_frozen_goes_back_to_the_desk() -> None:
    state, effects = run(REVIEW, [OperatorIn(OPERATOR, STATION), ReviewAsked(DRAFT), Failed(DraftIncomplete(count=2), "BuildReview")])
    assert state.page == "idle" and isinstance(effects[-1], Send) and effects[-1].flow == "intake"


def test_lock_shuts_the_pin_page() -> None:
    state, _ = run(REVIEW, TO_PIN)
    state, effects = step(state, LockPressed())
    assert state.page == "reading" and effects == (Send("login", LockPressed()),)


EVENTS = st.sampled_from([
    OperatorIn(OPERATOR, STATION), ReviewAsked(DRAFT), ReviewBuilt(SHEET), AskPin(), PinStateRead(PinState(6)), PinStateRead(PinState(1, last_try=True)),
    LastTryAccepted(), SignPressed("s3cret-pin"), Signed("r-1"), Signed("r-2"), Kept("r-1", NOW), Kept("r-2", NOW), RecordMoved("r-1", "uploading"),
    RecordMoved("r-1", "receipted", RECEIPT), BackPressed(), RetryPressed(), LockPressed(), TroubleClosed(), Failed(WrongPin(tries_left=2)),
    Failed(DiskFull()), ReceiptWanted("r-1"), ReceiptSaved("r-1"), RecordMoved("r-1", "set_aside"), PagePicked("returned"), "?",
])


@settings(max_examples=150, deadline=None)
@given(st.lists(EVENTS, max_size=40))
def test_random_walks(events: list[object]) -> None:
    """Kept only after Kept, Keep only after Signed, the PIN nowhere, one PIN one signature."""
    state = ReviewState()
    for event in events:
        before = state
        state, effects = step(state, event)
        assert "s3cret-pin" not in repr((state, effects, event))
        if any(isinstance(one, SignRecord) for one in effects):
            assert isinstance(event, SignPressed) and before.page == "pin" and before.sheet is not None
        if any(isinstance(one, Keep) for one in effects):
            assert (before.page, type(event)) in {("signing", Signed), ("unkept", RetryPressed)}
        if state.kept_at is not None and before.kept_at is None:
            assert isinstance(event, Kept) and before.page == "keeping"
        if state.page == "receipt" and before.page != "receipt":
            assert isinstance(event, RecordMoved) and event.receipt is not None
        if any(isinstance(one, Send) and isinstance(one.event, SittingDone) for one in effects):
            assert isinstance(event, Kept), "the draft leaves the desk only when its record is kept"
