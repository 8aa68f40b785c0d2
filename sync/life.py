"""The states of a kept record and the steps that are allowed between them: one table. Never performs a step."""

from __future__ import annotations

__all__ = ["STATES", "allowed"]

STATES: dict[str, frozenset[str]] = {
    "kept_unsigned": frozenset({"signing", "set_aside"}),
    "signing": frozenset({"kept", "kept_unsigned", "set_aside"}),
    "kept": frozenset({"uploading", "receipted", "set_aside"}),
    "uploading": frozenset({"uploaded", "kept", "receipted", "set_aside"}),
    "uploaded": frozenset({"receipted", "kept", "set_aside"}),
    "receipted": frozenset({"purged"}),
    "set_aside": frozenset({"kept", "kept_unsigned", "replaced"}),
    "replaced": frozenset(),
    "purged": frozenset(),
}
"""State -> the states that may follow it. ``kept`` may become ``receipted`` at once where the province already has the record (reconcile);
``set_aside`` never ends by itself: a person repairs, retries or exports. ``replaced``: repaired, and another record was kept in its place; it never moves
again."""


def allowed(from_: str, to: str) -> bool:
    """Whether a record in state ``from_`` may go to ``to``. Staying where it is is always allowed. Raises KeyError for an unknown state."""
    return from_ == to or to in STATES[from_]
