"""One PIN for many records: what a session is bound to, what ends it, and that nothing begins again. Times and bindings as data; no clock."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.batch import Batch, BatchItem, BatchLimits, Binding, begin, ends_with

START = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
BOUND = Binding("SERIAL", "sha256:aa", "OP-000017 uid:1000")
LIMITS = BatchLimits(most=3, longest=timedelta(hours=1), idle=timedelta(minutes=5))


def items(count: int) -> tuple[BatchItem, ...]:
    return tuple(BatchItem(f"record-{number}", f"sha256:{number}") for number in range(count))


def after(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def run(batch: Batch, count: int) -> Batch:
    for _ in range(count):
        batch, one = batch.next(batch.last_at, BOUND)
        assert one is not None
        batch = batch.signed(batch.last_at)
    return batch


def test_a_list_is_worked_through_in_order() -> None:
    batch = begin(items(3), BOUND, START)
    for number in range(3):
        batch, one = batch.next(after(number), BOUND)
        assert one == BatchItem(f"record-{number}", f"sha256:{number}") and batch.ended is None
        batch = batch.signed(after(number))
        assert len(batch.done) == number + 1 and batch.total == 3
    assert (batch.ended, batch.waiting, batch.done) == ("done", (), ("record-0", "record-1", "record-2"))
    assert batch.next(after(3), BOUND) == (batch, None)


@pytest.mark.parametrize(("binding", "minutes", "why"), [
    (replace(BOUND, token="OTHER"), 1, "other-token"), (replace(BOUND, token=""), 1, "removed"),
    (replace(BOUND, certificate="sha256:bb"), 1, "other-certificate"),
    (replace(BOUND, user="OP-000099 uid:1000"), 1, "other-user"), (BOUND, 5.1, "idle"), (BOUND, -1, "clock"), (BOUND, 61, "time"),
])  # fmt: skip
def test_what_ends_a_session_for_good(binding: Binding, minutes: float, why: str) -> None:
    batch, one = begin(items(2), BOUND, START, LIMITS).next(after(minutes), binding)
    assert (batch.ended, one, len(batch.waiting)) == (why, None, 2)
    again, one = batch.next(START, BOUND)
    assert (again, one) == (batch, None), "what has ended does not begin again when all is right"


def test_count_and_hours_are_held() -> None:
    batch = run(begin(items(9), BOUND, START, LIMITS), 3)
    batch, one = batch.next(START, BOUND)
    assert (batch.ended, one) == ("count", None)
    slow = begin(items(99), BOUND, START, LIMITS)
    for number in range(0, 60, 4):
        slow, one = slow.next(after(number), BOUND)
        slow = replace(slow, done=()).signed(after(number)) if one else slow
    assert slow.ended is None
    assert slow.next(after(61), BOUND)[0].ended == "time"


def test_each_signature_ends_the_idling() -> None:
    batch = begin(items(3), BOUND, START, LIMITS)
    for number in (4, 8, 12):
        batch, one = batch.next(after(number), BOUND)
        assert one is not None
        batch = batch.signed(after(number))
    assert batch.ended == "done"


@pytest.mark.parametrize(("code", "why"), [
    ("token.gone", "removed"), ("token.none", "removed"), ("token.wrong_pin", "wrong-pin"), ("token.pin_locked", "pin-locked"),
    ("token.login_needed", "login-lost"), ("driver.crashed", "trouble"), ("driver.hung", "trouble"), ("token.busy", "trouble"), ("store.disk_full", "trouble"),
    ("certificate.expired", "trouble"), ("certificate.refused", "trouble"), ("device.cancelled", "cancelled"), ("something.new", "trouble"),
])  # fmt: skip
def test_troubles_of_token_station_and_certificate_end_it(code: str, why: str) -> None:
    batch, _ = begin(items(2), BOUND, START).next(START, BOUND)
    batch = batch.refused(code)
    assert (batch.ended, batch.failed, len(batch.waiting)) == (why, (), 2)


@pytest.mark.parametrize(
    "code", ["draft.incomplete", "signature.invalid", "packet.too_large", "packet.damaged", "sync.format", "person.not_allowed", "act.invalid"]
)
def test_a_records_own_trouble_lets_the_others_go_on(code: str) -> None:
    assert ends_with(code) is None
    batch, _ = begin(items(2), BOUND, START).next(START, BOUND)
    batch = batch.refused(code)
    assert (batch.ended, batch.failed, batch.waiting) == (None, (("record-0", code),), items(2)[1:])
    assert batch.refused(code).ended == "done" and batch.refused(code).total == 2


def test_ended_from_outside_once() -> None:
    batch = begin(items(2), BOUND, START).end("locked")
    assert batch.ended == "locked" and batch.end("cancelled") is batch
    assert batch.next(START, BOUND)[1] is None


def test_lists_and_bindings_that_are_none() -> None:
    for wrong in ((), (*items(2), items(1)[0])):
        with pytest.raises(ValueError, match="records"):
            begin(wrong, BOUND, START)
    for part in ("token", "certificate", "user"):
        with pytest.raises(ValueError, match="bound"):
            begin(items(1), replace(BOUND, **{part: ""}), START)


@given(st.lists(st.tuples(st.sampled_from(["ok", "draft.incomplete", "token.gone", "lock"]), st.floats(-2, 7)), max_size=30), st.integers(1, 12))
def test_whatever_happens_nothing_is_signed_beyond_the_limits(steps: list[tuple[str, float]], count: int) -> None:
    batch, now, signed = begin(items(count), BOUND, START, LIMITS), START, 0
    over = False
    for what, minutes in steps:
        now += timedelta(minutes=minutes)
        batch, one = batch.next(now, BOUND)
        assert one is None or not over, "no signature after the end"
        assert (one is None) == (batch.ended is not None)
        if one is not None:
            if what == "ok":
                batch, signed = batch.signed(now), signed + 1
            else:
                batch = batch.end("locked") if what == "lock" else batch.refused(what)
        over = batch.ended is not None
        assert batch.total == count and len(batch.done) == signed <= LIMITS.most
