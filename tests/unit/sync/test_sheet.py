"""Verdicts about sheet codes: what is shown, what is not, and that no bytes ever raise."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import base45
import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.sheet import COLOURS, StatusList, judge, sheet_keys
from tests.emulators.sheets import SheetOffice, payload

NOW = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
OFFICE = SheetOffice()
KEYS = sheet_keys({"keys": [OFFICE.roots_entry(NOW), {**SheetOffice().roots_entry(NOW), "purpose": "receipts"}]})
BODY = payload(NOW.date())
CODE = OFFICE.code(BODY)


def verdict(code: bytes = CODE, **more):
    return judge(code, more.pop("keys", KEYS), more.pop("now", NOW), practice=more.pop("practice", False), **more)


def test_only_keys_of_purpose_sheets_are_taken():
    assert [key.kid for key in KEYS] == [OFFICE.kid]


def test_green_needs_the_platform_now():
    found = verdict(online=OFFICE.status(BODY, NOW))
    assert (found.kind, found.colour) == ("valid", "green")
    assert found.facts is not None and found.facts.name == "李建国" and found.evidence.asked_at == NOW
    assert verdict().kind == "valid_unchecked" and verdict().colour == "amber" and verdict().evidence.why == "not_asked"


def test_an_old_answer_is_not_asked_now():
    assert verdict(online=OFFICE.status(BODY, NOW - timedelta(minutes=11))).kind == "valid_unchecked"


def test_an_answer_about_another_sheet_does_not_count():
    assert verdict(online=OFFICE.status(payload(NOW.date(), k1="CX-OTHER"), NOW)).kind == "valid_unchecked"


@pytest.mark.parametrize("state,kind", [("revoked", "revoked"), ("expired", "expired"), ("superseded", "superseded")])
def test_the_platform_says_no(state, kind):
    found = verdict(online=OFFICE.status(BODY, NOW, state))
    assert found.kind == kind and found.colour == "red"


def test_a_changed_count_is_superseded_and_says_both():
    found = verdict(online=OFFICE.status(BODY, NOW, bad=1))
    assert found.kind == "superseded" and found.evidence.why == "facts_differ"
    assert found.facts is not None and found.now is not None and (found.facts.bad, found.now.bad) == (0, 1)


@pytest.mark.parametrize("online", [None, OFFICE.status(BODY, NOW, "revoked"), OFFICE.status(BODY, NOW, "expired")])
def test_failed_verdicts_show_nothing_personal(online):
    status = StatusList(b"\xff" * 20, NOW - timedelta(hours=3)) if online is None else None
    found = verdict(online=online, status=status)
    assert found.colour == "red" and found.facts is not None
    assert (found.facts.name, found.facts.masked, found.facts.employer, found.facts.good, found.facts.bad) == (None,) * 5


def test_offline_list_and_its_age():
    bits = bytearray(20)
    bits[77 // 8] |= 0x80 >> 77 % 8
    old = NOW - timedelta(hours=5)
    assert verdict(status=StatusList(bytes(bits), old)).kind == "revoked"
    fine = verdict(status=StatusList(bytes(20), old))
    assert fine.kind == "valid_unchecked" and fine.evidence.status_as_of == old and fine.evidence.why == "list"
    assert verdict(status=StatusList(b"", old)).evidence.why == "not_asked"


def test_online_overrides_the_offline_list():
    assert verdict(online=OFFICE.status(BODY, NOW), status=StatusList(b"\xff" * 20, NOW)).kind == "valid"


def test_expired_by_its_own_date():
    assert verdict(OFFICE.code(payload(NOW.date() - timedelta(days=100)))).kind == "expired"


def test_forged_and_unknown():
    other = SheetOffice()
    forged = verdict(other.code(BODY, kid=OFFICE.kid))
    assert forged.kind == "forged" and forged.facts is None and forged.evidence.why == "signature"
    assert verdict(other.code(BODY)).kind == "unknown_key"
    assert verdict(OFFICE.code(BODY, algorithm=-65537)).evidence.why == "algorithm"


def test_a_kid_shared_by_two_keys_tries_both():
    twin = sheet_keys({"keys": [SheetOffice().roots_entry(NOW)]})[0]
    twins = (type(twin)(OFFICE.kid, twin.spki, twin.not_before, twin.not_after, "good"), *KEYS)
    assert verdict(keys=twins).kind == "valid_unchecked"


def test_retired_key_keeps_old_sheets_revoked_key_keeps_none():
    retired = sheet_keys({"keys": [OFFICE.roots_entry(NOW, "retired")]})
    revoked = sheet_keys({"keys": [OFFICE.roots_entry(NOW, "revoked")]})
    assert verdict(keys=retired).kind == "valid_unchecked"
    found = verdict(keys=revoked, online=OFFICE.status(BODY, NOW))
    assert found.kind == "revoked" and found.facts is None and found.evidence.why == "key_revoked"


def test_issued_outside_the_key_or_in_the_future():
    assert verdict(OFFICE.code(payload(NOW.date() - timedelta(days=500), k10=30_000))).evidence.why == "key_window"
    assert verdict(OFFICE.code(payload(NOW.date() + timedelta(days=3)))).kind == "forged"


def test_practice_and_earnest_do_not_mix():
    practice = OFFICE.code(payload(NOW.date(), k13=True))
    assert verdict(practice).kind == "practice_mix" and verdict(practice).facts is None
    assert verdict(practice=True).kind == "practice_mix"
    assert verdict(practice, practice=True).kind == "valid_unchecked"


@pytest.mark.parametrize(
    "change",
    [{"k1": ""}, {"k1": "x" * 33}, {"k2": 3}, {"k2": True}, {"k3": "a\u202eb"}, {"k3": "e\u0301"}, {"k4": 5}, {"k6": "4"}, {"k6": [True]}, {"k7": -1},
     {"k9": 90_000}, {"k12": b"short"}, {"k13": False}, {"k13": 1}, {"k14": 1}, {"k0": 1}, {"k8": None}, {"k11": 1.0}],
)  # fmt: skip
def test_payloads_outside_the_list_are_not_ours(change):
    assert verdict(OFFICE.code(payload(NOW.date(), **change))).kind == "not_ours"


def test_employer_may_be_absent():
    assert verdict(OFFICE.code(payload(NOW.date(), k5=None))).kind == "valid_unchecked"


def test_other_encodings_of_the_same_facts_are_not_ours():
    raw = cbor2.dumps(BODY, canonical=True)
    protected = cbor2.dumps({1: -7, 4: OFFICE.kid}, canonical=True)
    duplicate = bytes([raw[0] + 1]) + raw[1:] + cbor2.dumps(13) + b"\xf5"
    duplicate = bytes([raw[0] + 1]) + raw[1:] + cbor2.dumps(1) + cbor2.dumps("CX-SECOND")
    backwards = cbor2.dumps(dict(reversed(list(BODY.items()))))
    for body in (raw + b"\x00", duplicate, backwards, raw.replace(b"\x07\x02", b"\x07\x18\x02")):
        assert verdict(OFFICE.code(body)).kind == "not_ours"
    good = [protected, {}, raw, OFFICE.signature(protected, raw)]
    assert verdict(OFFICE.wrapped(good)).kind == "valid_unchecked"
    assert verdict(OFFICE.wrapped(good, tag=98)).kind == "not_ours"
    assert verdict(OFFICE.wrapped([protected, {7: 1}, *good[2:]])).kind == "not_ours"
    assert verdict(OFFICE.wrapped([*good, b""])).kind == "not_ours"
    assert verdict(OFFICE.wrapped([cbor2.dumps({1: -7, 4: OFFICE.kid, 16: 1}, canonical=True), *good[1:]])).kind == "not_ours"
    assert verdict(b"CR1:" + base45.b45encode(cbor2.dumps(cbor2.CBORTag(18, good)) + b"\x00")).kind == "not_ours"


@pytest.mark.parametrize("code", [b"", b"CR1:", b"https://example.cn/CR1:", CODE.lower(), CODE + b" ", CODE + b"\n", b" " + CODE,
                                  b"CR1:" + b"A" * 3000, "CR1:中文".encode()])
def test_other_codes_are_not_ours(code):
    found = verdict(code)
    assert found.kind == "not_ours" and found.colour == "grey" and found.facts is None


@settings(max_examples=400, deadline=None)
@given(st.one_of(st.binary(max_size=300), st.binary(max_size=300).map(lambda raw: b"CR1:" + base45.b45encode(raw))))
def test_any_bytes_get_a_verdict(code):
    assert verdict(code).kind in COLOURS and verdict(code).colour == "grey"


cbor_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.binary(max_size=70), st.text(max_size=50)),
    lambda inner: st.one_of(st.lists(inner, max_size=5), st.dictionaries(st.one_of(st.integers(-70_000, 20), st.text(max_size=3)), inner, max_size=14)),
    max_leaves=20,
)


@settings(max_examples=300, deadline=None)
@given(cbor_values, cbor_values, cbor_values, st.binary(min_size=63, max_size=65), st.sampled_from([18, 17, 0, 1, 2, 4, 37]))
def test_any_cbor_gets_a_verdict(protected, header, body, signature, tag):
    parts = [cbor2.dumps(protected), header, cbor2.dumps(body), signature]
    try:
        code = OFFICE.wrapped(parts, tag)
    except Exception:
        return
    assert verdict(code).colour == "grey"
    assert verdict(OFFICE.code(cbor2.dumps(body))).kind == "not_ours"


@settings(max_examples=200, deadline=None)
@given(st.integers(4, len(CODE) - 1), st.sampled_from(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"))
def test_one_changed_letter_is_never_valid(place, letter):
    code = CODE[:place] + bytes([letter]) + CODE[place + 1 :]
    if code != CODE:
        assert verdict(code, online=OFFICE.status(BODY, NOW)).kind in ("forged", "not_ours", "unknown_key")


def test_nothing_personal_in_a_repr():
    found = verdict(online=OFFICE.status(BODY, NOW))
    assert "李建国" not in repr(found) and "0012" not in repr(found) and "示例建设" not in repr(found)
