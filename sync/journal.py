"""Who did what, as a chain of hashes in the store (FORMATS section 12). Never holds a name, a document number, a telephone number or a PIN.

The chain shows edits and reorder by itself; that lines were cut off at the end shows only against a head that is kept elsewhere (the province).
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sync.canon import canon, digest, parse_canonical
from sync.draft import time_text
from sync.errors import FormatTrouble
from sync.sqlcipher import Connection
from sync.store import Store

__all__ = ["Chain", "FIRST_PREV", "HEAD_TYPE", "Journal", "JournalFault", "LINE_TYPE", "verify_lines"]

FIRST_PREV = "sha256:" + "0" * 64
LINE_TYPE = "hall-intake/journal/1"
HEAD_TYPE = "hall-intake/journal-head/1"

_PAGE = 500
_WHAT = re.compile(r"^[a-z_]+\.[a-z_]+$")
_WHO = re.compile(r"^(station|op:[A-Za-z0-9._-]{1,64}|st:[0-9a-f-]{36})$")
_PLAIN_FACT = re.compile(r"^[A-Za-z0-9 ._:/+@-]{0,100}$")
_ID = re.compile(r"^(sha256:[0-9a-f]{64}|[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$")
_NUMBER_OF_A_PERSON = re.compile(r"\d{11,}")
"""Eleven digits in a row are a telephone or document number until the text is a known kind of id."""


class JournalFault(FormatTrouble):
    """The chain does not hold. Facts: what, line (the first one that is wrong, from 1)."""

    code = "journal.fault"


@dataclass(frozen=True, slots=True)
class Chain:
    """A chain that holds: how many lines, and the digest of the last."""

    size: int
    head: str


class Journal:
    """The journal of one store. ``station_id`` is the enrolled station's id, or empty before enrolment."""

    def __init__(self, store: Store, station_id: str, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._store = store
        self._station_id = station_id
        self._clock = clock

    def write(self, tx: Connection, who: str, what: str, about: str = "", facts: Mapping[str, str | int | bool] | None = None) -> None:
        """Appends a line in the transaction ``tx`` of ``Store.write``. Raises ValueError for a line that is not in its form or may hold personal data."""
        _check(who, what, about, facts or {})
        last = tx.execute("SELECT seq, digest FROM journal ORDER BY seq DESC LIMIT 1").fetchone()
        seq, prev = (int(last[0]) + 1, str(last[1])) if last else (1, FIRST_PREV)
        line = canon({"type": LINE_TYPE, "seq": seq, "prev": prev, "at": time_text(self._clock()), "who": who, "what": what, "about": about,
                      "facts": dict(facts or {})})
        tx.execute("INSERT INTO journal (seq, line, digest) VALUES (?, ?, ?)", (seq, line, digest(line)))

    def head(self) -> dict[str, Any]:
        """The journal head of this moment, ready for ``canon``."""
        with self._store.read() as rows:
            last = rows.execute("SELECT seq, digest FROM journal ORDER BY seq DESC LIMIT 1").fetchone()
        size, head = (int(last[0]), str(last[1])) if last else (0, FIRST_PREV)
        return {"type": HEAD_TYPE, "station_id": self._station_id, "size": size, "head": head, "at": time_text(self._clock())}

    def lines(self, start: int = 1) -> Iterator[bytes]:
        """The exact bytes of the lines from number ``start`` on."""
        while True:
            with self._store.read() as rows:
                page = rows.execute("SELECT seq, line FROM journal WHERE seq >= ? ORDER BY seq LIMIT ?", (start, _PAGE)).fetchall()
            for seq, line in page:
                start = int(seq) + 1
                yield bytes(line)
            if len(page) < _PAGE:
                return


def verify_lines(untrusted_lines: Iterable[bytes], untrusted_head: Mapping[str, Any] | None = None) -> Chain:
    """Checks a whole journal from its first line, and against a head that was taken earlier or now.

    Raises JournalFault for edited, reordered, missing, foreign or cut-off lines, with the number of the first bad one.
    """
    head_size, head = _read_head(untrusted_head)
    prev, size = FIRST_PREV, 0
    if head_size == 0 and head != FIRST_PREV:
        raise JournalFault("the head of an empty journal has a digest", what="journal", line=0)
    for untrusted in untrusted_lines:
        size += 1
        try:
            line = parse_canonical(untrusted, "journal")
        except FormatTrouble as trouble:
            raise JournalFault(trouble.detail, what="journal", line=size) from trouble
        if line.get("type") != LINE_TYPE or line.get("seq") != size or line.get("prev") != prev or len(line) != 8:
            raise JournalFault("the line does not follow the one before", what="journal", line=size)
        prev = digest(untrusted)
        if size == head_size and prev != head:
            raise JournalFault("the line is not the one that the head names", what="journal", line=size)
    if size < head_size:
        raise JournalFault("lines are cut off at the end", what="journal", line=size + 1)
    return Chain(size, prev)


def _read_head(untrusted: Mapping[str, Any] | None) -> tuple[int, str]:
    if untrusted is None:
        return 0, FIRST_PREV
    size, head = untrusted.get("size"), untrusted.get("head")
    if untrusted.get("type") != HEAD_TYPE or type(size) is not int or size < 0 or not isinstance(head, str):
        raise JournalFault("no head of a journal", what="journal", line=0)
    return size, head


def _check(who: str, what: str, about: str, facts: Mapping[str, str | int | bool]) -> None:
    if not _WHO.match(who) or not _WHAT.match(what):
        raise ValueError(f"journal: {who!r} or {what!r} is not in its form")
    if about and str(uuid.UUID(about)) != about:
        raise ValueError("journal: about is no record id")
    for name, value in facts.items():
        if isinstance(value, str) and not _ID.match(value) and (not _PLAIN_FACT.match(value) or _NUMBER_OF_A_PERSON.search(value)):
            raise ValueError(f"journal: the fact {name} may hold personal data")
        if not isinstance(value, str) and abs(value) > 9_999_999_999:
            raise ValueError(f"journal: the fact {name} may be a number of a person")
