"""Checking sheets: the table, and random walks in which no bad sheet passes unseen."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest

from desktop.flows.machine import Failed, run
from desktop.flows.verify import BAD, VerifyState, inert_words, must_acknowledge, must_compare, step, verify_flow
from desktop.flows.words_verify import (
    AcknowledgePressed,
    Answered,
    CodeSeen,
    FileGiven,
    Forget,
    HealthSeen,
    Judge,
    Judged,
    LookNow,
    NextPressed,
    OpenFile,
    OpenPressed,
    PickFile,
    PrintPressed,
    PrintResult,
    ScanPressed,
    VerifyFacts,
)
from devices.errors import CodeUnreadable, FileHostile
from sync.sheet import judge, sheet_keys
from tests.emulators.sheets import SheetOffice, payload

NOW = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
OFFICE = SheetOffice()
KEYS = sheet_keys({"keys": [OFFICE.roots_entry(NOW)]})
BODY = payload(NOW.date())
CODE, OTHER = OFFICE.code(BODY), OFFICE.code(payload(NOW.date(), k1="CX-2"))
FLOW = verify_flow(VerifyFacts())


def verdicts() -> dict[str, object]:
    def one(code=CODE, **more):
        return judge(code, KEYS, NOW, practice=more.pop("practice", False), **more)

    return {
        "valid": one(online=OFFICE.status(BODY, NOW)), "valid_unchecked": one(), "superseded": one(online=OFFICE.status(BODY, NOW, bad=1)),
        "revoked": one(online=OFFICE.status(BODY, NOW, "revoked")), "expired": one(OFFICE.code(payload(NOW.date() - timedelta(days=100)))),
        "forged": one(SheetOffice().code(BODY, kid=OFFICE.kid)), "unknown_key": one(SheetOffice().code(BODY)), "not_ours": one(b"x"),
        "practice_mix": one(practice=True),
    }  # fmt: skip


VERDICTS = verdicts()


def judged(kind: str, look: int = 1, asking: bool = False) -> Judged:
    return Judged(look, VERDICTS[kind], asking, NOW)


def test_every_kind_is_known_here():
    assert {kind: verdict.kind for kind, verdict in VERDICTS.items()} == {kind: kind for kind in VERDICTS}


def test_a_good_sheet_and_the_next_one_put_down():
    state, effects = run(FLOW, [CodeSeen(0, CODE), judged("valid_unchecked", asking=True), judged("valid")])
    assert state.page == "verdict" and not state.asking and state.done == 1 and Judge(1, CODE) in effects
    state, effects = run(FLOW, [CodeSeen(0, CODE), CodeSeen(0, OTHER)], state)
    assert (state.look, state.code, state.verdict) == (2, OTHER, None) and effects == [Forget(1), Judge(2, OTHER)]


@pytest.mark.parametrize("kind", sorted(BAD))
def test_a_bad_sheet_must_be_acknowledged_first(kind):
    state, _ = run(FLOW, [CodeSeen(0, CODE), judged(kind)])
    for event in (CodeSeen(0, OTHER), FileGiven(b"x", "x.pdf"), NextPressed(), ScanPressed(), OpenPressed(), Answered(True)):
        after, effects = step(state, event)
        assert after.verdict is state.verdict and not any(isinstance(effect, Judge | OpenFile | LookNow | PickFile) for effect in effects)
    assert step(state, CodeSeen(0, OTHER))[0].waiting
    state, _ = run(FLOW, [AcknowledgePressed()], state)
    assert state.page == "look" and state.verdict is None
    assert step(state, CodeSeen(0, CODE)) == (state, ()), "the same sheet still lies there"
    assert step(state, CodeSeen(0, OTHER))[0].look == 2


def test_half_open_needs_an_answer():
    state, _ = run(FLOW, [CodeSeen(0, CODE), judged("valid_unchecked")])
    assert must_compare(state) and step(state, CodeSeen(0, OTHER))[0].waiting
    assert step(state, NextPressed())[0].page == "verdict"
    state = step(state, Answered(True))[0]
    assert step(state, CodeSeen(0, OTHER))[0].look == 2


def test_a_paper_that_says_something_else_is_bad():
    state, _ = run(FLOW, [CodeSeen(0, CODE), judged("valid"), Answered(False)])
    assert must_acknowledge(state) and step(state, CodeSeen(0, OTHER))[0].look == 1
    assert step(state, Answered(True))[0].answer is True, "a slip of the finger can be mended"


def test_an_answer_falls_when_the_facts_change_under_it():
    state, _ = run(FLOW, [CodeSeen(0, CODE), judged("valid_unchecked", asking=True), Answered(True), judged("revoked")])
    assert state.answer is None and must_acknowledge(state)


def test_nothing_is_acknowledged_while_the_platform_is_asked():
    state, _ = run(FLOW, [CodeSeen(0, CODE), judged("expired", asking=True), AcknowledgePressed()])
    assert state.page == "verdict"


@pytest.mark.parametrize("kind", ["forged", "not_ours", "unknown_key", "practice_mix", "revoked"])
def test_there_is_nothing_to_compare_on_a_failed_one(kind):
    state, _ = run(FLOW, [CodeSeen(0, CODE), judged(kind)])
    assert step(state, Answered(True)) == (state, ())


def test_files_stills_and_their_troubles():
    state, effects = run(FLOW, [FileGiven(b"%PDF", "a.pdf")])
    assert state.page == "working" and OpenFile(1, b"%PDF", "a.pdf") in effects
    assert step(state, CodeSeen(0, OTHER)) == (state, ()), "the camera waits while a file is read"
    bad, _ = step(state, Failed(FileHostile(why="crash"), "OpenFile"))
    assert bad.page == "look" and bad.trouble.code == "vision.hostile_file"
    good, effects = step(state, CodeSeen(1, CODE))
    assert good.page == "verdict" and Judge(2, CODE) in effects and good.trouble is None
    again, effects = step(bad, ScanPressed())
    assert again.page == "working" and LookNow(2) in effects
    assert step(again, Failed(CodeUnreadable(), "LookNow"))[0].page == "look"
    assert step(again, CodeSeen(1, CODE)) == (again, ()), "an answer to an older order"


def test_print_health_and_pick():
    state, _ = run(FLOW, [HealthSeen(False, NOW), CodeSeen(0, CODE), judged("superseded")])
    assert (state.online, state.lists_as_of) == (False, NOW)
    assert isinstance(step(state, PrintPressed())[1][0], PrintResult)
    assert step(VerifyState(VerifyFacts()), OpenPressed())[1] == (PickFile(),)
    assert step(VerifyState(VerifyFacts()), PrintPressed())[1] == ()


def test_a_broken_judge_gives_no_verdict():
    state, _ = run(FLOW, [CodeSeen(0, CODE), Failed(CodeUnreadable(), "Judge")])
    assert state.page == "look" and state.verdict is None
    state, _ = run(FLOW, [CodeSeen(0, CODE), judged("valid_unchecked", asking=True), Failed(CodeUnreadable(), "Judge")])
    assert state.verdict.kind == "valid_unchecked" and not state.asking


def test_only_the_host_of_an_address_is_shown():
    assert inert_words(b"https://pukgac.com/verify?id=1#x") == "pukgac.com"
    assert inert_words(b"HTTP://user:pw@a.gov.cn:80/") == "a.gov.cn"
    assert inert_words("https://假.cn/x".encode()) in ("", "cn", ".cn") or "假" not in inert_words("https://假.cn/x".encode())
    assert inert_words(b"http://[::1") == "" and inert_words(b"\x00\x1bhello\n") == "hello" and len(inert_words(b"a" * 300)) == 40


def test_nothing_of_a_code_in_a_repr():
    state, effects = run(FLOW, [CodeSeen(0, CODE, (), "picture"), judged("valid")])
    for thing in (state, *effects, CodeSeen(0, CODE, (), "picture"), FileGiven(b"secret", "张三.pdf")):
        assert "CR1:" not in repr(thing) and "李建国" not in repr(thing) and "secret" not in repr(thing) and "张三" not in repr(thing)


@pytest.mark.parametrize("seed", range(30))
def test_random_walks(seed):
    """A bad verdict leaves the screen by acknowledging only; each look is judged once; answers belong to their look."""
    dice = random.Random(seed)
    state = FLOW.start()
    judges: set[int] = set()
    for _ in range(500):
        look = state.look - dice.choice([0, 0, 0, 1])
        event = dice.choice([
            CodeSeen(0, dice.choice([CODE, OTHER])), CodeSeen(look, CODE), judged(dice.choice(list(VERDICTS)), look, dice.random() < 0.3),
            Answered(dice.random() < 0.5),
            AcknowledgePressed(), NextPressed(), ScanPressed(), OpenPressed(), FileGiven(b"x", "x"), PrintPressed(), HealthSeen(True, NOW),
            Failed(CodeUnreadable(), dice.choice(["OpenFile", "LookNow", "Judge", "WatchCamera"])), object(),
        ])  # fmt: skip
        before = state
        state, effects = step(state, event)
        for effect in effects:
            if isinstance(effect, Judge):
                assert effect.look == state.look and effect.look not in judges
                judges.add(effect.look)
        if must_acknowledge(before) and state.verdict is None:
            assert isinstance(event, AcknowledgePressed)
        assert state.page in ("look", "working", "verdict") and (state.page == "verdict" or state.verdict is None)
