"""Events, effects and answers of signing kept records with one PIN. Never keeps the PIN beyond the one event and the one effect that carry it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from desktop.flows.words.facts import CertificateChoice
from sync.batch import BatchItem, EndReason
from sync.draft import Draft

__all__ = [
    "BatchAsked", "BatchBuilt", "BatchEnded", "BatchLine", "BuildBatch", "BuildPressed", "Deed", "EndBatch", "KeepUnsigned", "KeepUnsignedPressed",
    "KeptUnsigned", "LinePicked", "ListWaiting", "ReasonEdited", "RowsTicked", "ShowBatchRecord", "SignBatch", "StopBatch", "StopPressed", "WaitingFacts",
    "WaitingListed",
]

Deed = Literal["sign", "countersign", "shift"]
"""What is done with the certificate: sign what was kept unsigned (another person's: take it over), countersign what a colleague signed, hand a shift over."""


# -- kept without a signature ---------------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class KeepUnsignedPressed:
    """On the review page: keep it now, sign it later (token missing, certificate expired, clerk ill)."""


@dataclass(frozen=True, slots=True)
class KeepUnsigned:
    """Effect: seal and keep the draft without a signature. Answer: KeptUnsigned, or Failed: then nothing was kept and the draft is still there."""

    draft: Draft = field(repr=False)


@dataclass(frozen=True, slots=True)
class KeptUnsigned:
    """Durable since ``at``, and waiting for a signature."""

    record_id: str
    at: datetime


# -- choosing -------------------------------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class BatchAsked:
    """A person opens the page of records that wait for their signature (or hands the shift over: ``shift`` has no list)."""

    deed: Deed = "sign"


@dataclass(frozen=True, slots=True)
class ListWaiting:
    """Effect: what waits for a signature of this person. Answer: WaitingListed, the oldest first."""

    deed: Deed


@dataclass(frozen=True, slots=True)
class WaitingFacts:
    """A kept record that waits for a signature. ``own``: this person collected it; ``why``: the code of what keeps this person from signing it, or empty.

    ``collector``: who collected it, by name where the province's list has one, else by number.
    """

    record_id: str
    name: str = field(repr=False)
    id_tail: str = field(repr=False)
    categories: tuple[str, ...]
    kept_at: datetime
    collector: str
    own: bool
    why: str = ""


@dataclass(frozen=True, slots=True)
class WaitingListed:
    """The oldest first."""

    deed: Deed
    rows: tuple[WaitingFacts, ...]


@dataclass(frozen=True, slots=True)
class RowsTicked:
    """Lines of the list ticked or unticked; one, or all of them."""

    record_ids: tuple[str, ...]
    on: bool = True


@dataclass(frozen=True, slots=True)
class ReasonEdited:
    """Why: asked for where records of others are among the chosen, and for a countersignature."""

    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class BuildPressed:
    """The choice is made: show me what exactly I would sign."""


@dataclass(frozen=True, slots=True)
class LinePicked:
    """Show the page of one record of the built list."""

    record_id: str


@dataclass(frozen=True, slots=True)
class StopPressed:
    """Stop after the record that is being signed."""


@dataclass(frozen=True, slots=True)
class StopBatch:
    """Effect: the cancel of the session that runs. No answer of its own: BatchEnded follows."""


@dataclass(frozen=True, slots=True)
class EndBatch:
    """Effect: the desk is being locked, no further record is signed. No answer of its own: BatchEnded follows."""


@dataclass(frozen=True, slots=True)
class BuildBatch:
    """Effect: make the exact bytes of these records, to be shown and confirmed. ``reason``: why a supervisor takes over those of others, or countersigns.

    Answer: BatchBuilt. Progress: ``build``.
    """

    record_ids: tuple[str, ...]
    reason: str = field(default="", repr=False)
    deed: Deed = "sign"


@dataclass(frozen=True, slots=True)
class BatchLine:
    """One record of the list to confirm: ``item`` goes back with SignBatch. ``takeover``: another person collected it."""

    item: BatchItem
    name: str = field(repr=False)
    id_tail: str = field(repr=False)
    categories: tuple[str, ...]
    takeover: bool = False


@dataclass(frozen=True, slots=True)
class BatchBuilt:
    """``refused``: record id and code of those that cannot be signed as they are."""

    lines: tuple[BatchLine, ...]
    refused: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ShowBatchRecord:
    """Effect: the page of one record of the list, from its exact bytes. Answer: ReviewBuilt."""

    record_id: str


@dataclass(frozen=True, slots=True)
class SignBatch:
    """Effect: sign the confirmed list, one login. Answer: BatchEnded; progress ``sign``; or Failed where not even the login went through."""

    certificate: CertificateChoice
    pin: str | None = field(repr=False)
    confirmed: tuple[BatchItem, ...]


@dataclass(frozen=True, slots=True)
class BatchEnded:
    """``reason`` of sync.batch; ``left`` were not reached and are unsigned as before, ``failed`` (record id, code) had a trouble of their own.

    ``code`` is the trouble that ended it, empty for an orderly end.
    """

    reason: EndReason
    done: tuple[str, ...]
    failed: tuple[tuple[str, str], ...] = ()
    left: tuple[str, ...] = ()
    code: str = ""
