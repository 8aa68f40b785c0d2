"""What ``sync.der`` writes is what asn1crypto writes for the same values. Never reads."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from asn1crypto import core
from hypothesis import given
from hypothesis import strategies as st

from sync import der


@given(st.integers(-(2**300), 2**300), st.binary(max_size=70000))
def test_integers_and_octets_of_every_length(number: int, content: bytes) -> None:
    assert der.integer(number) == core.Integer(number).dump()
    assert der.octets(content) == core.OctetString(content).dump()


@pytest.mark.parametrize("dotted", ["2.5.4.5", "1.2.840.113549.1.9.16.2.47", "1.2.156.10197.6.1.4.2.2", "2.16.840.1.101.3.4.2.1", "0.9.2342"])
def test_object_identifiers(dotted: str) -> None:
    assert der.oid(dotted) == core.ObjectIdentifier(dotted).dump()


@given(st.lists(st.integers(0, 2**40), max_size=8))
def test_sets_are_sorted_and_sequences_are_not(numbers: list[int]) -> None:
    class Numbers(core.SetOf):
        _child_spec = core.Integer

    parts = [der.integer(number) for number in numbers]
    assert der.set_of(parts) == Numbers(numbers).dump()
    assert der.implicit_set(0, parts) == b"\xa0" + der.set_of(parts)[1:]
    assert der.sequence(*parts)[-len(b"".join(parts)) or len(der.sequence(*parts)) :] == b"".join(parts)
    assert der.explicit(0, der.NULL) == b"\xa0\x02\x05\x00"


def test_times_are_utc_in_whole_seconds() -> None:
    moment = datetime(2026, 11, 22, 14, 2, 31, 999999, tzinfo=timezone(timedelta(hours=8)))
    assert der.utc_time(moment) == core.UTCTime(datetime(2026, 11, 22, 6, 2, 31, tzinfo=UTC)).dump() == b"\x17\x0d261122060231Z"
    for year in (1949, 2050):
        with pytest.raises(ValueError, match="year"):
            der.utc_time(datetime(year, 1, 1, tzinfo=UTC))
