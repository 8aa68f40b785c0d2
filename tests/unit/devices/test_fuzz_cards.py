"""The fuzz loop over readers and cards: short in the usual run, long under sweep; and that it finds what it should."""

from __future__ import annotations

import pytest

from tests.unit.devices import fuzz_cards
from tests.unit.devices.fuzz_cards import TARGETS, Finding, fuzz, one_input


def test_a_short_run_finds_nothing() -> None:
    assert fuzz(rounds=4000, seed=20261122) == 4000


@pytest.mark.sweep
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", range(4))
def test_a_long_run_finds_nothing(seed: int) -> None:
    assert fuzz(seconds=60.0, seed=seed) > 20_000


def test_a_planted_sin_is_found_and_can_be_given_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def brittle(data: bytes) -> None:
        if b"\xd8" * 4 in data:      # no seed has it
            raise UnicodeDecodeError("utf-16", data, 0, 1, "planted")

    monkeypatch.setitem(TARGETS, "text", brittle)
    with pytest.raises(Finding, match=r"seed 3, round \d+: text: UnicodeDecodeError") as caught:
        fuzz(rounds=4000, seed=3)
    again = str(caught.value).rpartition(" for ")[2]
    with pytest.raises(Finding):
        fuzz_cards.main(["--again", "text", again])
    with pytest.raises(Finding):
        one_input(bytes((list(TARGETS).index("text"),)) + bytes.fromhex(again))
    assert one_input(b"") is None
