"""The table of signing beside the sitting: one PIN for a list that was shown, no way round the extra question, no step back while the token signs."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desktop.flows.batch import BATCH, BatchState, may_build, needs_reason, step
from desktop.flows.machine import Failed, run
from desktop.flows.words import (
    AskPin,
    BackPressed,
    BatchAsked,
    BatchBuilt,
    BatchEnded,
    BatchLine,
    BuildBatch,
    BuildPressed,
    EndBatch,
    EndShift,
    LastTryAccepted,
    LinePicked,
    ListWaiting,
    LockPressed,
    OperatorIn,
    PinStateRead,
    Progress,
    ReadPinState,
    ReasonEdited,
    RetryPressed,
    ReviewBuilt,
    ReviewSheet,
    RowsTicked,
    Send,
    ShiftEnded,
    ShowBatchRecord,
    SignBatch,
    SignPressed,
    StopBatch,
    StopPressed,
    TroubleClosed,
    WaitingFacts,
    WaitingListed,
)
from devices.errors import Cancelled, PinLocked, TokenGone, WrongPin
from devices.tokens.contract import PinState
from sync.batch import BatchItem
from sync.errors import StoreTrouble
from tests.flows.sample import CERTIFICATE, NOW, OPERATOR, STATION


def row(record_id: str, own: bool = True, why: str = "", at: datetime = NOW) -> WaitingFacts:
    return WaitingFacts(record_id, "李国强", "0018", ("4",), at, "张三" if own else "王五", own, why)


ROWS = (row("r-1"), row("r-2"), row("r-3", own=False), row("r-4", why="person.not_allowed"))
LINES = tuple(BatchLine(BatchItem(one, "sha256:" + "1" * 64), "李国强", "0018", ("4",)) for one in ("r-1", "r-2"))
SHEET = ReviewSheet("r-1", {"record_id": "r-1"}, "sha256:" + "1" * 64, 2048)
CHOOSING = [OperatorIn(OPERATOR, STATION), BatchAsked(), WaitingListed("sign", ROWS)]
CONFIRMING = [*CHOOSING, BuildPressed(), BatchBuilt(LINES)]
AT_PIN = [*CONFIRMING, AskPin(), PinStateRead(PinState(6))]
SIGNING = [*AT_PIN, SignPressed("123456")]
ENDED = BatchEnded("done", ("r-1", "r-2"))


def test_the_whole_way() -> None:
    state, effects = run(BATCH, [*SIGNING, Progress("sign", 1, 2)])
    assert (state.page, state.done, state.total) == ("signing", 1, 2)
    assert effects == [ListWaiting("sign"), BuildBatch(("r-1", "r-2")), ReadPinState(CERTIFICATE),
                       SignBatch(CERTIFICATE, "123456", (LINES[0].item, LINES[1].item))]
    state, _ = step(state, ENDED)
    assert state.page == "ended" and state.ended == ENDED and "123456" not in repr(state)
    assert step(state, RetryPressed()) == (BatchState("listing", "sign", OPERATOR, STATION), (ListWaiting("sign"),))
    assert step(state, BackPressed())[0] == BatchState(operator=OPERATOR, station=STATION)


def test_own_records_are_chosen_and_others_need_a_reason() -> None:
    state, _ = run(BATCH, CHOOSING)
    assert state.chosen == {"r-1", "r-2"} and not needs_reason(state) and may_build(state)
    state, _ = step(state, RowsTicked(("r-3", "r-4")))
    assert state.chosen == {"r-1", "r-2", "r-3"}, "what may not be signed cannot be chosen"
    assert needs_reason(state) and not may_build(state) and step(state, BuildPressed()) == (state, ())
    state, _ = step(state, ReasonEdited("采集员证书介质损坏"))
    assert step(state, BuildPressed())[1] == (BuildBatch(("r-1", "r-2", "r-3"), "采集员证书介质损坏"),)
    state, _ = step(state, RowsTicked(("r-1", "r-2", "r-3"), False))
    assert not state.chosen and step(state, BuildPressed()) == (state, ()), "nothing chosen, nothing built"


def test_a_countersignature_begins_with_nothing_chosen_and_needs_a_reason() -> None:
    state, effects = run(BATCH, [OperatorIn(OPERATOR, STATION), BatchAsked("countersign"), WaitingListed("countersign", ROWS[2:3])])
    assert effects == [ListWaiting("countersign")] and not state.chosen and needs_reason(state)
    state, effects = run(BATCH, [RowsTicked(("r-3",)), ReasonEdited("复核无误"), BuildPressed()], state)
    assert effects == [BuildBatch(("r-3",), "复核无误", "countersign")]


def test_pages_of_the_list_are_read_before_the_pin() -> None:
    state, effects = run(BATCH, [*CONFIRMING, LinePicked("unknown"), LinePicked("r-1")])
    assert state.page == "opening" and effects[-1] == ShowBatchRecord("r-1")
    state, _ = step(state, ReviewBuilt(SHEET))
    assert state.page == "sheet" and state.sheet == SHEET and state.opened == {"r-1"}
    assert step(state, AskPin()) == (state, ()), "back to the list first"
    state, _ = step(state, BackPressed())
    assert state.page == "confirming" and state.sheet is None and state.opened == {"r-1"}
    assert step(state, BackPressed())[0].page == "choosing"


@pytest.mark.parametrize(("pin", "page"), [(PinState(6), "pin"), (PinState(1, last_try=True), "last_try"), (PinState(0, locked=True), "locked_pin")])
def test_the_state_of_the_pin_decides_the_page(pin: PinState, page: str) -> None:
    state, _ = run(BATCH, [*CONFIRMING, AskPin(), PinStateRead(pin)])
    assert state.page == page
    if page != "pin":
        assert step(state, SignPressed("123456")) == (state, ()), "no PIN before the extra question"
    assert (step(state, LastTryAccepted())[0].page == "pin") == (page in {"pin", "last_try"})


def test_a_wrong_pin_reads_the_tries_anew_and_is_never_tried_again() -> None:
    state, effects = run(BATCH, [*SIGNING, Failed(WrongPin("wrong", tries_left=1), "SignBatch")])
    assert state.page == "checking" and isinstance(state.trouble, WrongPin) and effects[-1] == ReadPinState(CERTIFICATE)
    assert sum(isinstance(one, SignBatch) for one in effects) == 1
    assert step(state, PinStateRead(PinState(1, last_try=True)))[0].page == "last_try"
    assert run(BATCH, [*SIGNING, Failed(PinLocked("locked"), "SignBatch")])[0].page == "locked_pin"


@pytest.mark.parametrize("trouble", [TokenGone("pulled"), Cancelled("on the pad")])
def test_no_login_leads_back_to_the_list(trouble: TokenGone) -> None:
    state, _ = run(BATCH, [*SIGNING, Failed(trouble, "SignBatch")])
    assert state.page == "confirming" and state.lines == LINES and (state.trouble is None) == isinstance(trouble, Cancelled)


def test_while_it_signs_there_is_a_stop_and_no_way_back() -> None:
    state, _ = run(BATCH, SIGNING)
    assert step(state, BackPressed()) == (state, ()) and step(state, BatchAsked()) == (state, ())
    state, effects = step(state, StopPressed())
    assert state.page == "signing" and state.stopping and effects == (StopBatch(),)
    assert step(state, StopPressed()) == (state, ()), "once"
    assert step(state, BatchEnded("cancelled", ("r-1",), left=("r-2",)))[0].page == "ended"


def test_locking_ends_the_session_and_asks_for_no_pin_behind_the_lock() -> None:
    assert run(BATCH, [*SIGNING, LockPressed()])[1][-2:] == [EndBatch(), Send("login", LockPressed())]
    state, effects = run(BATCH, [*AT_PIN, LockPressed()])
    assert state.page == "confirming" and state.pin is None and effects[-1] == Send("login", LockPressed())


def test_another_person_finds_nothing_of_the_list() -> None:
    from dataclasses import replace

    other = replace(OPERATOR, operator_id="OP-000099")
    assert run(BATCH, [*CONFIRMING, OperatorIn(other, STATION)])[0] == BatchState(operator=other, station=STATION)
    assert run(BATCH, [*CONFIRMING, OperatorIn(OPERATOR, STATION)])[0].page == "confirming", "the same person after a lock"


def test_troubles_of_the_store() -> None:
    trouble = StoreTrouble("busy", step="disk")
    begun = [OperatorIn(OPERATOR, STATION), BatchAsked()]
    for events, page in ((begun, "choosing"), ([*CHOOSING, BuildPressed()], "choosing"), ([*CONFIRMING, LinePicked("r-1")], "confirming")):
        state, _ = run(BATCH, [*events, Failed(trouble, "")])
        assert state.page == page and state.trouble is trouble
        assert step(state, TroubleClosed())[0].trouble is None


def test_a_shift_is_handed_over_with_a_pin_and_the_desk_locks() -> None:
    state, effects = run(BATCH, [OperatorIn(OPERATOR, STATION), BatchAsked("shift"), PinStateRead(PinState(6)), SignPressed("123456"), StopPressed()])
    assert state.page == "signing" and not state.stopping, "one signature is not stopped"
    assert effects == [ReadPinState(CERTIFICATE), EndShift(CERTIFICATE, "123456")]
    ended = ShiftEnded(2, 40, NOW)
    last, effects = step(state, ended)
    assert (last.page, last.shift, effects) == ("ended", ended, (Send("login", LockPressed()),))
    failed, _ = step(state, Failed(TokenGone("pulled"), "EndShift"))
    assert failed.page == "ended" and failed.shift is None and isinstance(failed.trouble, TokenGone)


EVENTS = [
    OperatorIn(OPERATOR, STATION), BatchAsked(), BatchAsked("shift"), BatchAsked("countersign"), WaitingListed("sign", ROWS), RowsTicked(("r-1",)),
    RowsTicked(("r-1",), False), ReasonEdited("x"), BuildPressed(), BatchBuilt(LINES), LinePicked("r-1"), ReviewBuilt(SHEET), AskPin(),
    PinStateRead(PinState(6)), PinStateRead(PinState(1, last_try=True)), LastTryAccepted(), SignPressed("123456"), Progress("sign", 1, 2), StopPressed(), ENDED,
    ShiftEnded(1, 1, NOW), BackPressed(), RetryPressed(), LockPressed(), Failed(WrongPin("x")), Failed(TokenGone("x")), TroubleClosed(), object(),
]  # fmt: skip


@given(st.lists(st.sampled_from(EVENTS), max_size=30))
@settings(max_examples=300, deadline=None)
def test_random_walks_never_sign_without_list_and_pin(events: list[object]) -> None:
    state, pins, orders = BATCH.start(), 0, 0
    for event in events:
        before = state
        state, effects = step(state, event)
        for effect in effects:
            if isinstance(effect, SignBatch | EndShift):
                orders += 1
                assert isinstance(event, SignPressed) and before.page == "pin"
                assert isinstance(effect, EndShift) or effect.confirmed == tuple(one.item for one in before.lines) and effect.confirmed
        pins += isinstance(event, SignPressed)
        assert "123456" not in repr(state)
        assert orders <= pins
