"""The child of the kill tests over the whole way: drives registrations through the desk's stages and tells each step, until it is killed.

``python -m tests.faults.way_child``: one line ``VARIANT MARK`` on standard input is one run in a fork of its own (so that the libraries are loaded once); it
answers with the fork's process id, then with one JSON object per step, at last with ``{"step": "gone"}``. MARK goes into the certificate number, so that two
records of one sitting are known. Variants: ``true``; ``early`` says "kept" before the outbox has it, so that the checker can be shown to notice.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__: list[str] = []

_EARLY_S = 1.0


def _say(step: str, **facts: object) -> None:
    """One line in one write: whoever kills this process never reads half of it."""
    os.write(1, json.dumps({"step": step, **facts}).encode() + b"\n")


def _listen(variant: str) -> None:
    """Lines from the very functions that make a promise true, said when they returned."""
    from sync.courier import Courier
    from sync.outbox import Outbox
    from sync.parked import Parked

    note_fault = Courier._note_fault

    def noting(self: Any, error: Exception) -> None:
        traceback.print_exception(error)   # into the parent's file: a fault that the courier only names is not to be guessed at
        note_fault(self, error)

    put, add_still, keep, mark, receipted = Parked.put, Parked.add_still, Outbox.keep, Outbox.mark, Outbox.receipted

    def adding(self: Any, draft_id: str, *rest: Any, **named: Any) -> Any:
        still = add_still(self, draft_id, *rest, **named)
        _say("still kept", draft=draft_id, still=still.still_id)
        return still

    def putting(self: Any, draft: Any, photo: bytes | None = None) -> None:
        put(self, draft, photo)
        _say("draft saved", draft=draft.draft_id, entries=len(draft.entries), stills=[one.still_id for one in draft.stills])
        if any(one.kind == "portrait" for one in draft.stills):
            _say("portrait kept", draft=draft.draft_id)

    def keeping(self: Any, sealed: Any, record_digest: str, *rest: Any, **named: Any) -> None:
        _say("keep begun", record=sealed.record_id, draft=named["draft_id"])
        if variant == "early":
            _say("kept", record=sealed.record_id, digest=record_digest, draft=named["draft_id"])
            time.sleep(_EARLY_S)
        keep(self, sealed, record_digest, *rest, **named)

    def marking(self: Any, record_id: str, state: str, **facts: Any) -> None:
        mark(self, record_id, state, **facts)
        _say(state, record=record_id)

    def taking(self: Any, record_id: str, *rest: Any) -> None:
        receipted(self, record_id, *rest)
        _say("receipted", record=record_id)

    Parked.put, Parked.add_still, Outbox.keep, Outbox.mark, Outbox.receipted = putting, adding, keeping, marking, taking
    Courier._note_fault = noting  # type: ignore[method-assign]


def _tell_events(desk: Any) -> None:
    """Lines of what the screen was told."""
    from desktop.flows.words import CardWasRead, Edited, Kept, ReviewBuilt, Signed, StillTaken

    def intake(event: Any) -> None:
        names = {CardWasRead: "card read", Edited: "value typed", StillTaken: "still taken"}
        if type(event) in names:
            _say(names[type(event)])

    def review(event: Any) -> None:
        if isinstance(event, ReviewBuilt):
            _say("review built", record=event.sheet.record_id)
        elif isinstance(event, Signed):
            _say("signed", record=event.record_id)
        elif isinstance(event, Kept):
            sheet = desk.review.state.sheet
            _say("kept", record=event.record_id, digest=sheet.digest, draft=desk.review.state.draft.draft_id)

    desk.intake.stepped.connect(intake)
    desk.review.stepped.connect(review)


def _drive(desk: Any, mark: str, pin: str) -> None:
    """What is parked is taken up, as a person would; else the next card. Then all the way to the receipt."""
    from desktop.flows.words import ParkedListed, ParkedPicked
    from tests.scenes.stages import capture, log_in, reviewed, signed, type_in, until

    listed: list[ParkedListed] = []
    desk.intake.stepped.connect(lambda event: listed.append(event) if isinstance(event, ParkedListed) else None)
    log_in(desk, pin)
    until(lambda: listed, "the parked drafts")
    if listed[0].parked:
        desk.intake.post(ParkedPicked(listed[0].parked[0].draft_id))
    until(lambda: desk.intake.state.draft and desk.intake.state.draft.text("person.name_zh"), "the form filled", 40,
          lambda: (desk.intake.state.trouble, desk.intake.state.reading, len(listed[0].parked), [(one.name, one.state) for one in desk.intake.state.devices]))
    type_in(desk, cert_no=mark)
    capture(desk)
    reviewed(desk)
    signed(desk, pin)
    until(lambda: desk.review.state.page == "receipt", "the receipt", 60,
          lambda: (desk.review.state.page, desk.intake.state.courier,
                   [(row.state, row.tries, row.last_error, row.last_detail) for row in desk.rooms().outbox.rows()]))
    _say("receipt shown")


def _run(variant: str, mark: str) -> None:
    """One life of the application. It ends by itself only where nobody kills it."""
    from PySide6.QtWidgets import QApplication

    from desktop.app import Desk
    from tests.scenes.hall import COLLECTOR

    application = QApplication(["hall-intake"])
    _listen(variant)
    desk = Desk(Path(os.environ["HALL_INTAKE_HOME"]))
    _tell_events(desk)
    desk.begin()
    _drive(desk, mark, COLLECTOR.pin)
    desk.close()
    del application


def _forked(run: Callable[[], None]) -> None:
    pid = os.fork()
    if pid:
        _say("begun", pid=pid)
        os.waitpid(pid, 0)
        _say("gone")
        return
    try:
        run()
        os._exit(0)
    except BaseException as error:  # the parent sees it in its list of steps
        _say("broke", why=f"{type(error).__name__}: {error}")
        os._exit(1)


def main() -> None:
    for name in ("desktop.app", "tests.scenes.hall", "tests.scenes.stages"):   # once, before the first fork
        importlib.import_module(name)
    _say("ready")
    for line in sys.stdin:
        variant, mark = line.split()
        _forked(lambda variant=variant, mark=mark: _run(variant, mark))


if __name__ == "__main__":
    main()
