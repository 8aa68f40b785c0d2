"""Sleep and another network are noticed once; a clock that is set back, a line that goes and the machine's own quiet are not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sync.around import Around, own_address

START = datetime(2026, 12, 31, 15, 0, tzinfo=UTC)


def test_sleep_and_another_address_are_told_once() -> None:
    now, ticks, here = [START], [100.0], ["10.0.0.7"]
    around = Around(lambda: now[0], lambda: ticks[0], lambda: here[0])

    def passes(seconds: float, awake: bool = True) -> bool:
        now[0] += timedelta(seconds=seconds)
        ticks[0] += seconds if awake else 0
        return around.came_back()

    assert not passes(2) and not passes(86_400)
    assert passes(8 * 3600, awake=False) and not passes(2)
    assert not passes(-7200, awake=False), "a clock that was set back"
    here[0] = ""
    assert not passes(2), "the line is gone: nothing to try"
    here[0] = "10.0.0.7"
    assert passes(2) and not passes(2)
    here[0] = "10.0.0.8"
    assert passes(2) and not passes(2)


def test_the_own_address_is_found_without_asking_anybody() -> None:
    assert isinstance(own_address(), str)
