"""Waiting: bounds of the jitter, Retry-After, the breaker."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.patience import BASE_S, CAP_S, LONG_AFTER_S, LONG_CAP_S, OPENS_AFTER, Patience, delay


@given(st.integers(1, 10_000), st.floats(0, 3600), st.floats(0, 1, exclude_max=True))
def test_a_wait_lies_between_the_demand_and_the_cap(tries: int, at_least: float, drawn: float) -> None:
    wait = delay(tries, at_least, lambda: drawn)
    assert at_least <= wait <= at_least + CAP_S
    assert delay(1, 0.0, lambda: 0.999999) <= BASE_S


def test_the_whole_range_is_used() -> None:
    assert delay(6, 0.0, lambda: 0.0) == 0.0 and 63.9 < delay(6, 0.0, lambda: 0.999999) < 64.0


def test_the_breaker_opens_after_five_and_closes_at_the_first_success() -> None:
    host = Patience(lambda: 0.5)
    for number in range(1, OPENS_AFTER + 1):
        assert not host.must_probe
        host.failed(float(number))
    assert host.must_probe and host.left(float(OPENS_AFTER)) == 16.0
    host.succeeded()
    assert not host.must_probe and host.left(0.0) == 0.0


def test_doubts_do_not_stop_the_queue_until_they_open_the_breaker() -> None:
    host = Patience(lambda: 0.5)
    for _ in range(OPENS_AFTER - 1):
        host.doubted(0.0)
        assert host.left(0.0) == 0.0 and not host.must_probe
    host.doubted(0.0)
    assert host.must_probe and host.left(0.0) > 0.0


def test_a_long_outage_is_asked_about_more_rarely_and_the_first_success_forgets_it() -> None:
    host, now, waits = Patience(lambda: 0.999999), 0.0, list[tuple[float, float]]()
    while now < LONG_AFTER_S + 3 * LONG_CAP_S:
        wait = host.failed(now)
        waits.append((now, wait))
        now += wait
    assert max(wait for at, wait in waits if at < LONG_AFTER_S) == pytest.approx(CAP_S, abs=0.01)
    assert all(wait == pytest.approx(LONG_CAP_S, abs=0.01) for at, wait in waits if at >= LONG_AFTER_S)
    host.succeeded()
    assert host.failed(now) <= BASE_S


def test_hurry_ends_the_wait_but_not_the_breaker() -> None:
    host = Patience(lambda: 0.5)
    for _ in range(OPENS_AFTER):
        host.failed(0.0, 100.0)
    assert host.left(0.0) >= 100.0
    host.hurry(0.0)
    assert host.left(0.0) == 0.0 and host.must_probe
