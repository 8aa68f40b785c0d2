"""A stage holds one flow: events go in, the view and effects come out. Never knows what an effect does: handlers are handed over."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, Signal

from desktop.flows.machine import Flow

__all__ = ["Carry", "Stage"]

Carry = Callable[[Any, Callable[[Any], None]], None]
"""Carries out one effect: ``carry(effect, post)``. Returns at once; answers come back by ``post(event)`` in the main thread."""


class Stage(QObject):
    """Holds the state of one flow. ``post(event)`` from the main thread only; ``changed(view)`` after each step that changed the view.

    An event that is posted while a step runs waits until that step and its effects are through: steps never nest.
    """

    changed = Signal(object)
    stepped = Signal(object)

    def __init__(self, flow: Flow[Any, Any, Any], carry: Carry) -> None:
        super().__init__()
        self._flow, self._carry = flow, carry
        self._waiting: deque[Any] = deque()
        self._running = False
        self.state: Any = flow.start()
        self.view: Any = flow.view(self.state)

    def begin(self) -> None:
        """Show the first view and carry out the first effects."""
        self.changed.emit(self.view)
        self._carry_all(self._flow.first(self.state))
        self._drain()

    def post(self, event: Any) -> None:
        """Let ``event`` happen."""
        self._waiting.append(event)
        self._drain()

    def _drain(self) -> None:
        if self._running:
            return
        self._running = True
        try:
            while self._waiting:
                event = self._waiting.popleft()
                self.state, effects = self._flow.step(self.state, event)
                view = self._flow.view(self.state)
                self.stepped.emit(event)
                if view != self.view:
                    self.view = view
                    self.changed.emit(view)
                self._carry_all(effects)
        finally:
            self._running = False

    def _carry_all(self, effects: tuple[Any, ...]) -> None:
        for effect in effects:
            self._carry(effect, self.post)
