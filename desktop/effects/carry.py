"""Finds the handler of an effect, runs it in its lane and brings the answer back as an event. Never knows what a handler does."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Any

from desktop.bridge.jobs import Jobs, Tell
from desktop.flows.machine import Failed
from desktop.flows.words import Progress
from resources.trouble import Trouble

__all__ = ["Carrier", "Post"]

Post = Callable[[Any], None]
Handler = Callable[[Any, Post], None]
LaneWork = Callable[[Any, threading.Event, Tell], Any]


class Carrier:
    """Effects of one face by class. ``carry`` is what a stage is given."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs
        self._handlers: dict[type, Handler] = {}

    def at_once(self, effect: type, act: Handler) -> None:
        """``act(effect, post)`` in the main thread; it must return at once. A trouble that it raises becomes Failed."""

        def start(order: Any, post: Post) -> None:
            try:
                act(order, post)
            except Trouble as trouble:
                post(Failed(trouble, type(order).__name__))

        self._handlers[effect] = start

    def in_lane(self, effect: type, lane: str, work: LaneWork, progress: bool = False) -> None:
        """``work(effect, cancel, tell)`` in ``lane``; what it returns (an event, several, or None) is posted, a trouble becomes Failed."""

        def start(order: Any, post: Post) -> None:
            def done(answer: Any) -> None:
                for event in answer if isinstance(answer, tuple | list) else (answer,):
                    if event is not None:
                        post(event)

            def failed(trouble: Trouble) -> None:
                post(Failed(trouble, type(order).__name__))

            tell = (lambda what, at, total: post(Progress(what, at, total))) if progress else None
            self._jobs.start(lane, lambda cancel, say: work(order, cancel, say), done, failed, tell)

        self._handlers[effect] = start

    def carry(self, effect: Any, post: Post) -> None:
        """KeyError for an effect that no handler was given for: a fault of the composition, found by the tests of every effect."""
        self._handlers[type(effect)](effect, post)

    def known(self) -> Iterable[type]:
        return self._handlers.keys()
