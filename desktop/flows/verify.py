"""Checking credit record sheets: look - verdict - compare with the paper - next. Never opens what a code says, never lets a bad sheet pass unseen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, cast
from urllib.parse import urlsplit

from desktop.flows.machine import Failed, Flow
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
    Note,
    OpenFile,
    OpenPressed,
    PickFile,
    PrintPressed,
    PrintResult,
    ScanPressed,
    VerifyFacts,
    WatchCamera,
)
from resources.trouble import Trouble
from sync.sheet import Verdict

__all__ = ["BAD", "VerifyState", "inert_words", "must_acknowledge", "must_compare", "step", "verify_flow"]

BAD = frozenset({"superseded", "revoked", "expired", "forged", "unknown_key", "practice_mix"})
"""Verdicts that a person must acknowledge before the next sheet is looked at."""
COMPARED = frozenset({"valid", "valid_unchecked", "superseded"})
"""Verdicts whose signed facts are shown, so that they can be compared with the paper."""


@dataclass(frozen=True, slots=True)
class VerifyState:
    """``page``: look (nothing yet), working (a file or still is read), verdict. ``answer``: None not answered, True the paper says the same.

    ``waiting``: another sheet was put down while a bad one is not acknowledged. ``code`` tells a sheet that still lies there from a new one.
    """

    facts: VerifyFacts
    page: str = "look"
    look: int = 0
    code: bytes = field(default=b"", repr=False)
    quad: tuple[tuple[int, int], ...] = ()
    picture: Any = field(default=None, repr=False, compare=False)
    verdict: Verdict | None = None
    asking: bool = False
    at: datetime | None = None
    answer: bool | None = None
    waiting: bool = False
    done: int = 0
    online: bool | None = None
    lists_as_of: datetime | None = None
    trouble: Trouble | None = None


Effects = tuple[Any, ...]
Answer = tuple[VerifyState, Effects]


def verify_flow(facts: VerifyFacts) -> Flow[VerifyState, Any, Any]:
    """The flow of one place where sheets are checked."""
    return Flow("verify", lambda: VerifyState(facts), step, first=lambda _state: (WatchCamera(),))


def step(state: VerifyState, event: Any) -> Answer:
    """One step: total; an event that does not fit changes nothing."""
    handler = _TABLE.get(cast("type[object]", type(event)))
    return handler(state, event) if handler is not None else (state, ())


def must_acknowledge(state: VerifyState) -> bool:
    """A bad verdict, or a paper that says something else than its code. While the platform is being asked too: it may only get worse."""
    return state.verdict is not None and (state.verdict.kind in BAD or state.answer is False)


def must_compare(state: VerifyState) -> bool:
    """The half-open verdict needs the person's answer before the next sheet."""
    return state.verdict is not None and state.verdict.kind == "valid_unchecked" and state.answer is None


def inert_words(code: bytes) -> str:
    """What may be shown of a foreign code: the host of an address, never more of it; the first 40 printable ASCII letters of anything else."""
    text = code[:200].decode("ascii", "replace")
    if text.lower().startswith(("http://", "https://")):
        try:
            host = urlsplit(text.split("\ufffd")[0]).hostname or ""
        except ValueError:
            return ""
        return "".join(letter for letter in host if letter.isalnum() or letter in ".-:")[:60]
    return "".join(letter for letter in text if " " <= letter <= "~")[:40]


def _fresh(state: VerifyState, **changes: Any) -> Answer:
    """Ready for the next sheet; the code is remembered so that the old sheet, still lying there, is not taken for a new one."""
    told: Effects = (Forget(state.look),) if state.verdict is not None else ()
    clean = VerifyState(state.facts, look=state.look, done=state.done, online=state.online, lists_as_of=state.lists_as_of)
    return replace(clean, **changes), told


def _code_seen(state: VerifyState, event: CodeSeen) -> Answer:
    if event.look and (event.look != state.look or state.page != "working"):
        return state, ()
    if not event.look and (state.page == "working" or event.untrusted == state.code):
        return state, ()
    if state.page == "verdict" and (must_acknowledge(state) or must_compare(state)):
        return replace(state, waiting=True), ()
    if state.page == "verdict" and state.verdict is None:
        return state, ()
    state, told = _fresh(state)
    look = state.look + 1
    state = replace(state, page="verdict", look=look, code=event.untrusted, quad=event.quad, picture=event.picture, asking=True)
    return state, (*told, Judge(look, event.untrusted))


def _judged(state: VerifyState, event: Judged) -> Answer:
    if state.page != "verdict" or event.look != state.look:
        return state, ()
    counted = 0 if event.asking else 1
    changed = state.verdict is not None and state.verdict.facts != event.verdict.facts
    state = replace(state, verdict=event.verdict, asking=event.asking, at=event.at, done=state.done + counted, answer=None if changed else state.answer)
    if event.asking:
        return state, ()
    evidence = event.verdict.evidence
    return state, (Note("verify.verdict", {"kind": event.verdict.kind, "why": evidence.why, "code": evidence.code_digest}),)


def _answered(state: VerifyState, event: Answered) -> Answer:
    if state.verdict is None or state.verdict.kind not in COMPARED or state.verdict.facts is None:
        return state, ()
    return replace(state, answer=event.same), (Note("verify.compared", {"same": "yes" if event.same else "no"}),)


def _acknowledge(state: VerifyState, _event: AcknowledgePressed) -> Answer:
    if not must_acknowledge(state) or state.asking:
        return state, ()
    code = state.code
    state, told = _fresh(state, code=code)
    return state, (Note("verify.acknowledged"), *told)


def _next(state: VerifyState, _event: NextPressed) -> Answer:
    """After a good one: by hand too. The same sheet may then be looked at again."""
    if state.page != "verdict" or state.verdict is None or must_acknowledge(state) or must_compare(state):
        return state, ()
    return _fresh(state, code=state.code)


def _free(state: VerifyState) -> bool:
    """May something new be looked at?"""
    if state.page == "working" or (state.page == "verdict" and state.verdict is None):
        return False
    return state.page == "look" or not (must_acknowledge(state) or must_compare(state))


def _scan(state: VerifyState, _event: ScanPressed) -> Answer:
    if not _free(state):
        return state, ()
    state, told = _fresh(state)
    state = replace(state, page="working", look=state.look + 1)
    return state, (*told, LookNow(state.look))


def _open(state: VerifyState, _event: OpenPressed) -> Answer:
    return (state, (PickFile(),)) if _free(state) else (state, ())


def _file(state: VerifyState, event: FileGiven) -> Answer:
    if not _free(state):
        return replace(state, waiting=state.page == "verdict"), ()
    state, told = _fresh(state)
    state = replace(state, page="working", look=state.look + 1)
    return state, (*told, OpenFile(state.look, event.untrusted, event.name))


def _print(state: VerifyState, _event: PrintPressed) -> Answer:
    if state.verdict is None or state.asking:
        return state, ()
    return state, (PrintResult(state.look, state.verdict, state.answer is False),)


def _health(state: VerifyState, event: HealthSeen) -> Answer:
    return replace(state, online=event.online, lists_as_of=event.lists_as_of), ()


def _failed(state: VerifyState, event: Failed) -> Answer:
    """A file or still that could not be read brings back the camera with a word about it; a broken judge too: no verdict is no verdict."""
    if event.effect in ("OpenFile", "LookNow") and state.page == "working":
        return replace(state, page="look", trouble=event.trouble), (Note("verify.trouble", {"code": event.trouble.code}),)
    if event.effect == "Judge" and state.page == "verdict":
        if state.verdict is not None:
            return replace(state, asking=False), ()
        return _fresh(state, trouble=event.trouble)
    if event.effect in ("WatchCamera", "PickFile", "PrintResult"):
        return replace(state, trouble=event.trouble), ()
    return state, ()


_TABLE: dict[type[object], Callable[[VerifyState, Any], Answer]] = {
    CodeSeen: _code_seen, Judged: _judged, Answered: _answered, AcknowledgePressed: _acknowledge, NextPressed: _next, ScanPressed: _scan,
    OpenPressed: _open, FileGiven: _file, PrintPressed: _print, HealthSeen: _health, Failed: _failed,
}  # fmt: skip
