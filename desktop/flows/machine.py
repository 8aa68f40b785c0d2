"""What a flow is: a first state and one pure table of steps. Never does anything: effects say what should be done."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from resources.trouble import Trouble

__all__ = ["Failed", "Flow", "Step", "run", "steps_of"]

S = TypeVar("S")
E = TypeVar("E")
X = TypeVar("X")

Step = Callable[[Any, Any], tuple[Any, tuple[Any, ...]]]
"""``step(state, event) -> (state, effects)``: pure, total (an event that does not fit changes nothing), never raises."""


@dataclass(frozen=True, slots=True)
class Failed:
    """An effect came to a trouble. ``effect`` is the effect's class name, so that a late failure of something old does not hit the new."""

    trouble: Trouble
    effect: str = ""


def _nothing(_state: Any) -> tuple[Any, ...]:
    return ()


def _same(state: Any) -> Any:
    return state


@dataclass(frozen=True)
class Flow(Generic[S, E, X]):
    """A flow for a stage: ``start()`` makes the first state, ``first(state)`` its effects, ``step`` the table, ``view(state)`` what pages show."""

    name: str
    start: Callable[[], S]
    step: Callable[[S, E], tuple[S, tuple[X, ...]]]
    first: Callable[[S], tuple[X, ...]] = field(default=_nothing)
    view: Callable[[S], Any] = field(default=_same)


def steps_of(table: Mapping[type, X], event: object) -> X | None:
    """The row of a table for the class of this event, or None where the event does not belong to it."""
    return table.get(type(event))


def run(flow: Flow[S, E, X], events: list[E], state: S | None = None) -> tuple[S, list[X]]:
    """Play events through a flow; the last state and every effect in order. For tests and for reading a log again."""
    now = flow.start() if state is None else state
    said: list[X] = [] if state is not None else list(flow.first(now))
    for event in events:
        now, effects = flow.step(now, event)
        said.extend(effects)
    return now, said
