"""Signed checkpoints of the journal at the begin and end of a shift, and their check without a store (FORMATS section 12). Never signs by itself: whoever has
a token open hands over ``sign``.

The chain alone shows edits; a checkpoint shows who vouched for its head, and that nothing before it was cut. They lie as write-once files beside the store:
a head, a time and a clerk's certificate, nothing of an applicant. A line of the journal names each, so one that is missing is missed.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal, cast

from sync.canon import canon, digest, parse_canonical
from sync.draft import time_text
from sync.errors import FormatTrouble
from sync.journal import FIRST_PREV, HEAD_TYPE, Chain, Journal, JournalFault, verify_lines
from sync.members import Members
from sync.signing import USUAL, Sm2Choice, check_signature
from sync.store import Store

__all__ = ["CHECKPOINT_TYPE", "SIGNED_TYPE", "Checkpoint", "CheckpointKind", "Checkpoints", "Covered", "SignContent", "verify_journal", "wants_begin"]

CHECKPOINT_TYPE = "hall-intake/checkpoint/1"
SIGNED_TYPE = "hall-intake/signed-checkpoint/1"
SHIFT = timedelta(hours=12)
"""A begun shift that is older is over, ended or not."""

CheckpointKind = Literal["begin", "end"]
SignContent = Callable[[bytes, datetime], bytes]
"""A detached signature over a content, claimed at a time; ``TokenWork.sign`` with a certificate in mind."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One checkpoint as it was written. ``by``: the row owner (``op:…``) who signed; ``size`` and ``head`` are the journal's then."""

    number: int
    kind: CheckpointKind
    by: str
    size: int
    head: str
    station_id: str
    prev: str
    claimed_at: datetime
    digest: str


@dataclass(frozen=True, slots=True)
class Covered:
    """A journal that holds with its checkpoints. ``open_shift``: the last one is a begin; ``trusted``: all signers led to the given roots."""

    chain: Chain
    checkpoints: tuple[Checkpoint, ...]
    trusted: bool

    @property
    def uncovered(self) -> int:
        """Lines after the last checkpoint: for them only a head that is kept elsewhere vouches."""
        return self.chain.size - (self.checkpoints[-1].size if self.checkpoints else 0)

    @property
    def open_shift(self) -> bool:
        return bool(self.checkpoints) and self.checkpoints[-1].kind == "begin"


class Checkpoints:
    """The checkpoints of one station's journal, in a folder beside the store."""

    def __init__(self, folder: Path, store: Store, journal: Journal) -> None:
        self._folder, self._store, self._journal = folder, store, journal

    def make(self, kind: CheckpointKind, by: str, sign: SignContent, claimed_at: datetime) -> Checkpoint:
        """Signs the journal's head and keeps it durably, then writes the line that names it. ``claimed_at`` aware UTC.

        Raises what ``sign`` raises (then nothing was kept), FormatTrouble where the last checkpoint cannot be read.
        """
        last = self.last()
        content = canon({
            "type": CHECKPOINT_TYPE, "number": last.number + 1 if last else 1, "kind": kind, "by": by, "head": self._journal.head(),
            "prev": last.digest if last else FIRST_PREV, "claimed_at": time_text(claimed_at),
        })  # fmt: skip
        made = _checkpoint(content)
        signed = canon({"type": SIGNED_TYPE, "checkpoint": _b64(content), "signature": _b64(sign(content, claimed_at))})
        _write_once(self._folder / f"{made.number:08}.json", signed)
        with self._store.write() as tx:
            self._journal.write(tx, by, "journal.checkpoint", "", {"number": made.number, "kind": kind, "checkpoint": made.digest})
        return made

    def lines(self) -> Iterator[bytes]:
        """The signed checkpoints as they are exported, oldest first."""
        for path in sorted(self._folder.glob("[0-9]*.json")) if self._folder.is_dir() else ():
            yield path.read_bytes()

    def last(self) -> Checkpoint | None:
        """The newest one. Raises FormatTrouble where it cannot be read."""
        paths = sorted(self._folder.glob("[0-9]*.json")) if self._folder.is_dir() else []
        return _checkpoint(_unpacked(paths[-1].read_bytes())[0]) if paths else None


def wants_begin(last: Checkpoint | None, by: str, now: datetime) -> bool:
    """Whether a login begins a shift: not when this person's shift is open and not older than a shift lasts."""
    return last is None or last.kind == "end" or last.by != by or now - last.claimed_at > SHIFT


def verify_journal(
    untrusted_lines: Sequence[bytes], untrusted_head: dict[str, Any], untrusted_checkpoints: Iterable[bytes], roots: Sequence[bytes] = (),
    choice: Sm2Choice = USUAL,
) -> Covered:
    """Checks a whole journal against its head and its checkpoints, without a store. ``roots``: the province's signer roots; without them signers are not
    traced to anybody, only their signatures checked.

    Raises JournalFault (line: where the journal stops being what was signed) for a chain or checkpoint that does not hold: edited, cut, of another station,
    out of order, wrongly signed, or named by the journal and missing.
    """
    chain = verify_lines(untrusted_lines, untrusted_head)
    found: list[Checkpoint] = []
    trusted = bool(roots)
    for untrusted in untrusted_checkpoints:
        one, signer_trusted = _check(untrusted, found[-1] if found else None, untrusted_lines, untrusted_head, roots, choice)
        found.append(one)
        trusted = trusted and signer_trusted
    _check_names(untrusted_lines, found)
    return Covered(chain, tuple(found), trusted)


def _check(
    untrusted: bytes, before: Checkpoint | None, lines: Sequence[bytes], head: dict[str, Any], roots: Sequence[bytes], choice: Sm2Choice
) -> tuple[Checkpoint, bool]:
    try:
        content, signature = _unpacked(untrusted)
        one = _checkpoint(content)
    except FormatTrouble as trouble:
        raise JournalFault(f"checkpoint: {trouble.detail}", what="journal", line=before.size if before else 0) from None
    start = before or Checkpoint(0, "end", "", 0, FIRST_PREV, one.station_id, "", one.claimed_at, FIRST_PREV)
    _must(one.number == start.number + 1 and one.prev == start.digest, "a checkpoint before it is missing or another", start.size)
    _must(one.station_id == start.station_id == head.get("station_id", one.station_id), "a checkpoint of another station", start.size)
    _must(one.size >= start.size, "checkpoints go backwards", start.size)
    _must(one.size <= len(lines), "lines that were signed for are cut off", len(lines) + 1)
    _must(one.head == (digest(lines[one.size - 1]) if one.size else FIRST_PREV), "the lines are not those that were signed for", one.size)
    report = check_signature(content, signature, roots, None, choice)
    _must(report.valid and one.by == f"op:{report.signer_id}", "the signature of a checkpoint does not hold", one.size)
    _must(report.trusted or not roots, f"the signer of a checkpoint is not trusted: {report.why}", one.size)
    return one, report.trusted


def _check_names(lines: Sequence[bytes], found: Sequence[Checkpoint]) -> None:
    """Every checkpoint that the journal names must be there, as it was."""
    known = {one.number: one.digest for one in found}
    for number, untrusted in enumerate(lines, 1):
        line = parse_canonical(untrusted, "journal")
        if line.get("what") == "journal.checkpoint":
            facts = cast("dict[str, Any]", line["facts"])
            _must(known.get(facts.get("number", 0)) == facts.get("checkpoint"), "a checkpoint that the journal names is missing", number)


def _must(right: bool, detail: str, line: int) -> None:
    if not right:
        raise JournalFault(detail, what="journal", line=line)


def _unpacked(untrusted: bytes) -> tuple[bytes, bytes]:
    members = Members(parse_canonical(untrusted, "checkpoint"), "checkpoint", ("type", "checkpoint", "signature"))
    members.be("type", SIGNED_TYPE)
    return members.bytes64("checkpoint"), members.bytes64("signature")


def _checkpoint(content: bytes) -> Checkpoint:
    members = Members(parse_canonical(content, "checkpoint"), "checkpoint", ("type", "number", "kind", "by", "head", "prev", "claimed_at"))
    members.be("type", CHECKPOINT_TYPE)
    members.be("kind", "begin", "end")
    head = members.inner("head", ("type", "station_id", "size", "head", "at"))
    head.be("type", HEAD_TYPE)
    return Checkpoint(
        members.integer("number", 1), cast("CheckpointKind", members.text("kind")), members.text("by"), head.integer("size"), head.digest("head"),
        str(head.raw("station_id")), members.digest("prev"), members.time("claimed_at"), digest(content),
    )  # fmt: skip


def _b64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


def _write_once(path: Path, content: bytes) -> None:
    """A new file, durable with its folder entry; never over one that is there (one lane makes them, so nobody comes between)."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.exists():
        raise FileExistsError(path)
    fresh = path.with_suffix(".new")
    with fresh.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(fresh, path)
    if os.name != "nt":
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
