"""Effects and answers of signing many kept records with one PIN. Never keeps the PIN beyond the one effect that carries it."""

from __future__ import annotations

from dataclasses import dataclass, field

from desktop.flows.words.facts import CertificateChoice
from sync.batch import BatchItem, EndReason

__all__ = ["BatchBuilt", "BatchEnded", "BatchLine", "BuildBatch", "ShowBatchRecord", "SignBatch"]


@dataclass(frozen=True, slots=True)
class BuildBatch:
    """Effect: make the exact bytes of these unsigned records, to be shown and confirmed. ``reason``: why a supervisor takes over those of others.

    Answer: BatchBuilt. Progress: ``build``.
    """

    record_ids: tuple[str, ...]
    reason: str = field(default="", repr=False)


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
