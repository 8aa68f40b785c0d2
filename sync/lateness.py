"""The province's rule on records that were signed in time and come late, and what a signature is worth by its times alone. Pure: knows no clock, no list.

The rule comes with the settings (FORMATS section 7); the province applies it, a station forecasts by it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

__all__ = ["LateRule", "TimeVerdict", "judge_time"]


@dataclass(frozen=True, slots=True)
class LateRule:
    """The province's rule on records that were signed in time and come late. ``after_end``: how long after the certificate's end they may still be sent;
    None sets no limit, which is what FORMATS section 3 says. ``trust_claimed_time``: believe a signing time before a revocation without other proof.
    """

    after_end: timedelta | None = None
    trust_claimed_time: bool = False


TimeVerdict = Literal["in-time", "late-allowed", "late-refused", "before-start", "after-end", "revoked-before", "revoked-since"]


def judge_time(
    signed_at: datetime, sent_at: datetime, not_before: datetime, not_after: datetime, revoked_at: datetime | None = None, rule: LateRule | None = None,
    proved_at: datetime | None = None,
) -> TimeVerdict:
    """What a signature is worth by its times alone (all aware): ``signed_at`` as claimed, ``sent_at`` when the province gets it (now, for a forecast).

    ``proved_at``: a time at which the signature was there by another's word (a receipt, a time stamp); it settles what a claim cannot. Acceptable are
    ``in-time`` and ``late-allowed``; ``late-refused`` and ``revoked-since`` are what a supervisor's takeover is for; the rest was never right.
    """
    rule = rule or LateRule()
    if signed_at < not_before:
        return "before-start"
    if signed_at > not_after:
        return "after-end"
    if revoked_at is not None and revoked_at <= signed_at:
        return "revoked-before"
    arrived = proved_at or sent_at
    if revoked_at is not None and revoked_at <= arrived and not rule.trust_claimed_time:
        return "revoked-since"
    if arrived <= not_after:
        return "in-time"
    return "late-allowed" if rule.after_end is None or arrived <= not_after + rule.after_end else "late-refused"
