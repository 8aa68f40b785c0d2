"""Work that goes on beside the caller, in a lane: started now, waited for later. Never makes a thread: whoever hands over ``start`` has lanes."""

from __future__ import annotations

import queue
from collections.abc import Callable
from typing import Any, TypeVar

__all__ = ["Beside", "in_lane", "inline"]

T = TypeVar("T")
Beside = Callable[[Callable[[], Any]], Callable[[], Any]]
"""Starts work and gives the function that waits for it: its answer, or what it raised."""


def inline(work: Callable[[], T]) -> Callable[[], T]:
    """Does the work at once; the waiting function only tells what came of it."""
    return _kept(work)


def in_lane(start: Callable[..., Any], lane: str) -> Beside:
    """``start`` is ``Jobs.start``; the lane must be another than the one that waits. Where jobs are closed already the work is done at once."""

    def beside(work: Callable[[], Any]) -> Callable[[], Any]:
        box: queue.SimpleQueue[Callable[[], Any]] = queue.SimpleQueue()
        try:
            start(lane, lambda _cancel, _tell: box.put(_kept(work)))
        except RuntimeError:
            return _kept(work)
        return lambda: box.get()()

    return beside


def _kept(work: Callable[[], T]) -> Callable[[], T]:
    try:
        answer = work()
    except BaseException as error:
        raised = error

        def again() -> T:
            raise raised

        return again
    return lambda: answer
