"""All that signs at a desk, put together: tokens, lists with one PIN, shifts, and the settings that bound them. Never signs by itself."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from desktop.bridge.jobs import Jobs
from desktop.effects.batch import BatchWork
from desktop.effects.beside import in_lane
from desktop.effects.carry import Carrier
from desktop.effects.shifts import ShiftWork
from desktop.effects.tokens import TokenWork
from desktop.flows.words import (
    BuildBatch,
    EndBatch,
    EndShift,
    ListCertificates,
    ListWaiting,
    Login,
    Operator,
    ReadPinState,
    ShowBatchRecord,
    SignBatch,
    StopBatch,
)
from desktop.settings import Settings
from sync.batch import BatchLimits
from sync.signing import Sm2Choice

__all__ = ["SigningDesk", "limits_of", "sm2_of"]

_TOKEN, _DISK = "token", "batch"
"""Lanes: one for the token, one for what is read and written beside it."""


def sm2_of(settings: Settings) -> Sm2Choice:
    """How SM2 signatures are made here (``sm2_profile``, ``sm2_id``)."""
    return Sm2Choice(str(settings.get("sm2_profile")), (str(settings.get("sm2_id")).encode("utf-8"),))  # type: ignore[arg-type]


def limits_of(settings: Settings) -> BatchLimits:
    """How far one PIN reaches here (``batch_records``, ``batch_hours``, ``batch_idle_minutes``)."""
    return BatchLimits(int(settings.get("batch_records")), timedelta(hours=int(settings.get("batch_hours"))),
                       timedelta(minutes=int(settings.get("batch_idle_minutes"))))


class SigningDesk:
    """``operator`` gives who is logged in (raises where nobody is); ``hurry`` is called in the lane after each record of a list was kept."""

    def __init__(self, rooms: Any, jobs: Jobs, settings: Settings, operator: Callable[[], Operator], hurry: Callable[[], None]) -> None:
        self._jobs = jobs
        self.tokens = TokenWork(rooms, lambda: sm2_of(settings))
        self.batch = BatchWork(rooms, self.tokens, operator, lambda _record_id: hurry(), limits_of(settings), beside=in_lane(jobs.start, _DISK))
        self.shifts = ShiftWork(rooms, self.tokens)
        self.tokens.at_login = self.shifts.begin

    def hand_out(self, carrier: Carrier) -> None:
        """Names the handlers of everything that signs beside the sitting, and of the login."""
        for effect, work in ((ListCertificates, self.tokens.list), (ReadPinState, self.tokens.pin_state), (Login, self.tokens.login),
                             (EndShift, self.shifts.end)):
            carrier.in_lane(effect, _TOKEN, work)
        carrier.in_lane(SignBatch, _TOKEN, self.batch.sign, progress=True)
        carrier.in_lane(BuildBatch, _DISK, self.batch.build, progress=True)
        carrier.in_lane(ListWaiting, _DISK, self.batch.waiting)
        carrier.in_lane(ShowBatchRecord, _DISK, self.batch.show)
        carrier.at_once(StopBatch, lambda _order, _post: self._stop())
        carrier.at_once(EndBatch, lambda _order, _post: self.batch.lock())

    def _stop(self) -> None:
        """The list that is being made ready, or signed: both lanes do nothing else meanwhile."""
        self._jobs.cancel(_DISK)
        self._jobs.cancel(_TOKEN)
