"""Exactly once: the real courier over random schedules of lost requests, lost answers, doubled and late ones, and crashes on both sides.

Each wrong rule must be found out by the same schedules, else they prove nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from datetime import timedelta

import pytest

import sync.upload
from tests.faults.outbox_model import START, Dice, Found, Packets, Platform, Rows, Rules, _NoNews, _Unsealed, play
from tests.faults.table import Outcome

FAULT = "lost, doubled and late messages, crashes on both sides (model)"
RECORDS = 20
USUAL, SWEEP, CONTROL = 2_000, 10_000, 60
SLICES = 5


@pytest.fixture(scope="module")
def packets(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Packets]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sync.upload, "PART", 16)  # three parts to a packet
        patch.setattr(sync.upload, "LARGEST", 16)
        yield Packets(tmp_path_factory.mktemp("packets"), 400)


def total(packets: Packets, seeds: range, records: int, rules: Rules | None = None) -> Found:
    found = [play(packets, seed, records, rules) for seed in seeds]
    return Found(*(sum(getattr(one, name) for one in found) for name in ("lost", "twice", "waiting", "aside", "crashes")))


def tell(outcome: Outcome, schedules: int, records: int, found: Found) -> None:
    outcome.ran(FAULT, schedules, [*["lost"] * found.lost, *["twice"] * found.twice, *["waits for ever"] * (found.waiting + found.aside)], schedules * records)


@pytest.mark.expects_log("set aside")
@pytest.mark.timeout(600)
def test_every_record_arrives_exactly_once(packets: Packets, outcome: Outcome) -> None:
    found = total(packets, range(USUAL), 4)
    tell(outcome, USUAL, 4, found)
    assert (found.lost, found.twice, found.waiting, found.aside) == (0, 0, 0, 0)
    assert found.crashes > USUAL / 2, "the schedules hold crashes"


@pytest.mark.sweep
@pytest.mark.expects_log("set aside")
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("first", range(0, SWEEP, SWEEP // SLICES))
def test_every_record_arrives_exactly_once_in_ten_thousand_schedules(packets: Packets, first: int, outcome: Outcome) -> None:
    found = total(packets, range(first, first + SWEEP // SLICES), RECORDS)
    tell(outcome, SWEEP // SLICES, RECORDS, found)
    assert (found.lost, found.twice, found.waiting, found.aside) == (0, 0, 0, 0)


@pytest.mark.expects_log("set aside")
@pytest.mark.parametrize(("rules", "sin"), [
    (Rules(new_id_per_try=True), "twice"), (Rules(id_at_send=True), "twice"), (Rules(ack_before_commit=True), "lost"),
])
def test_a_wrong_rule_is_found_out(packets: Packets, rules: Rules, sin: str, outcome: Outcome) -> None:
    found = total(packets, range(CONTROL), 8, rules)
    rule = next(one.name for one in fields(rules) if getattr(rules, one.name))
    outcome.control(FAULT, f"{rule.replace('_', ' ')} ({getattr(found, sin)} {sin} of {CONTROL * 8})", getattr(found, sin))
    print(f"\n{CONTROL} schedules x 8 records, {rules}: {found}")
    assert getattr(found, sin) >= 5


def test_sync_now_tries_every_waiting_record_whatever_their_number(packets: Packets) -> None:
    dice = Dice.of(1)
    dice.calm = True
    rows = Rows(packets, 400, dice, Rules(), lambda: START)
    for row in rows.all():
        rows.failed(row.record_id, "province.trouble", START + timedelta(days=1), "")
    courier = _Unsealed(rows, packets, Platform(dice, Rules(), frozenset()), _NoNews(), lambda: START, lambda status: None, monotonic=lambda: 0.0)  # type: ignore[arg-type]
    assert not courier.step()
    courier.hurry()
    while courier.step():
        continue
    assert {row.state for row in rows.all()} == {"receipted"}
