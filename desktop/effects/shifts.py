"""Signed checkpoints of the journal at the desk: at the login that begins a shift, and when the shift is handed over. Never asks for a PIN of its own at login.

At the begin the token is logged in anyway, so the head is signed in the same login. At the end the clerk gives the PIN once more: nobody keeps it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from threading import Event
from typing import Any

from desktop.effects.token_signer import TokenSigner
from desktop.effects.tokens import TokenWork
from desktop.flows.words.shifts import EndShift, ShiftEnded
from desktop.rooms import Rooms, now
from sync.checkpoints import Checkpoint, Checkpoints, wants_begin
from sync.errors import FormatTrouble, StoreTrouble
from sync.signing import Sm2Choice, make_signature

__all__ = ["CHECKPOINT_FOLDER", "ShiftWork"]

_LOG = logging.getLogger(__name__)

CHECKPOINT_FOLDER = "checkpoints"
"""Below the data folder."""


class ShiftWork:
    """``begin`` is handed to ``TokenWork`` as what to do inside a login; ``end`` is a handler of the token lane."""

    def __init__(self, rooms: Any, tokens: TokenWork, clock: Callable[[], datetime] = now) -> None:
        self._rooms, self._tokens, self._clock = rooms, tokens, clock

    def begin(self, owner: str, signer: TokenSigner, choice: Sm2Choice) -> Checkpoint | None:
        """Signs the journal's head where this login begins a shift; None where one is open. ``owner``: ``op:`` and the person's id.

        A disk that is full or a checkpoint that cannot be read is for the auditor to find, and keeps nobody from working: None, too.
        Raises TokenTrouble and its kinds, SignatureInvalid.
        """
        points, moment = self._points(), self._clock()
        try:
            if not wants_begin(points.last(), owner, moment):
                return None
            return points.make("begin", owner, lambda content, at: make_signature(content, signer, at, choice), moment)
        except (StoreTrouble, FormatTrouble, OSError) as trouble:
            _LOG.warning("no checkpoint at this login: %s", type(trouble).__name__)
            return None

    def end(self, order: EndShift, _cancel: Event, _tell: Any) -> ShiftEnded:
        """One PIN try, one signature over the head. Raises TokenTrouble and its kinds, CertificateTrouble; then the shift is still open."""
        choice = order.certificate
        made = self._points().make(
            "end", f"op:{choice.signer_id}", lambda content, at: self._tokens.sign(choice, order.pin, content, at), self._clock()
        )
        return ShiftEnded(made.number, made.size, made.claimed_at)

    def _points(self) -> Checkpoints:
        rooms: Rooms = self._rooms()
        return Checkpoints(Path(rooms.folder) / CHECKPOINT_FOLDER, rooms.store, rooms.journal)

