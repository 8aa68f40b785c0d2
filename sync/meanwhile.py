"""One call beside whatever else is done, in a thread of its own: a packet is hashed while the disk takes it. Never outlives whoever asks for its answer."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

__all__ = ["Meanwhile"]

T = TypeVar("T")


class Meanwhile(Generic[T]):
    """Begins at once. ``answer`` waits for the end, gives what the call gave or raises what it raised, as often as it is asked, from any thread."""

    def __init__(self, call: Callable[[], T], name: str = "meanwhile") -> None:
        self._call: Callable[[], T] | None = call
        self._answers: list[T] = []
        self._trouble: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def answer(self) -> T:
        self._thread.join()
        if self._trouble is not None:
            raise self._trouble
        return self._answers[0]

    def end(self) -> None:
        """Waits for the end, whatever came of it."""
        self._thread.join()

    def _run(self) -> None:
        call, self._call = self._call, None
        assert call is not None
        try:
            self._answers.append(call())
        except BaseException as error:  # handed to whoever asks
            self._trouble = error
