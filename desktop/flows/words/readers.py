"""Events and effects of choosing a reader, and what is worth a look on the card that was read. Never opens a reader."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from devices.cards.choice import Remembered

__all__ = ["AskReaders", "CardNote", "NotesClosed", "ReaderAsked", "ReaderLater", "ReaderOption", "ReaderPicked", "ReaderQuestion", "ReaderTaken", "UseReader"]


@dataclass(frozen=True, slots=True)
class ReaderOption:
    """A reader that may be taken. ``sister``: of the same profile as the one that was here before, so nothing but the unit has changed."""

    reader: Remembered
    sister: bool = False


@dataclass(frozen=True, slots=True)
class ReaderQuestion:
    """Which reader shall be used. ``instead_of``: the one that was chosen before; ``read``: a read waits for the answer."""

    options: tuple[ReaderOption, ...]
    instead_of: Remembered | None = None
    read: bool = False


@dataclass(frozen=True, slots=True)
class AskReaders:
    """Effect: look which readers there are, without reading. Answer: ReaderAsked."""


@dataclass(frozen=True, slots=True)
class ReaderAsked:
    """The clerk must say which reader is used; None: nothing is to be asked. Ends a read that waits for it."""

    question: ReaderQuestion | None


@dataclass(frozen=True, slots=True)
class ReaderPicked:
    """The clerk takes this one of the question's options."""

    index: int = 0


@dataclass(frozen=True, slots=True)
class ReaderLater:
    """The clerk puts the question away; it comes again with the next card."""


@dataclass(frozen=True, slots=True)
class UseReader:
    """Effect: remember this reader and journal the change. Answer: ReaderTaken."""

    option: ReaderOption
    instead_of: Remembered | None = None
    read: bool = False


@dataclass(frozen=True, slots=True)
class ReaderTaken:
    """The reader is remembered. ``read``: a card waits to be read."""

    read: bool = False


@dataclass(frozen=True, slots=True)
class CardNote:
    """Something about the card or the module that read it which is no open issue: ``code`` is a key of the messages, ``facts`` fill its words."""

    code: str
    facts: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)


@dataclass(frozen=True, slots=True)
class NotesClosed:
    """The notes were read and put away."""
