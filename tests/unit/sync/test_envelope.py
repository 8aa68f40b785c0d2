"""Envelopes: only a good signature of a key of the right purpose opens one."""

from __future__ import annotations

import base64
import json
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.canon import canon
from sync.downlink import check_follows, open_downlink
from sync.envelope import KeyRing, keyid_of, open_envelope, signed_bytes
from sync.errors import FormatTrouble, SignatureInvalid
from sync.members import Members
from tests.emulators.province_word import ISSUED, ProvinceWord, spki, stamp

WORD = ProvinceWord()
RING = KeyRing.from_roots(Members(WORD.roots_body(), "roots"))
RECEIPT = {"received_at": stamp(ISSUED), "serial": "R-1"}
GOOD = WORD.seal("receipt", canon(RECEIPT))


def test_the_signed_bytes_are_those_of_the_dsse_text() -> None:
    # the example of the DSSE v1 specification
    assert signed_bytes("http://example.com/HelloWorld", b"hello world") == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"


def test_a_good_envelope_opens() -> None:
    assert open_envelope(GOOD, RING, "receipt") == RECEIPT


def test_one_good_signature_among_foreign_ones_is_enough() -> None:
    stranger = ProvinceWord()
    assert open_envelope(WORD.seal("receipt", canon(RECEIPT), stranger.root, WORD.keys["receipts"]), RING, "receipt") == RECEIPT


@pytest.mark.parametrize("purpose", ["settings", "tables", "states", "sheets"])
def test_a_key_of_another_purpose_opens_nothing(purpose: str) -> None:
    with pytest.raises(SignatureInvalid) as caught:
        open_envelope(WORD.seal("receipt", canon(RECEIPT), WORD.keys[purpose]), RING, "receipt")
    assert caught.value.facts["why"] == "purpose"


def test_the_root_key_signs_no_receipt_and_a_listed_root_key_no_roots() -> None:
    with pytest.raises(SignatureInvalid):
        open_envelope(WORD.seal("receipt", canon(RECEIPT), WORD.root), KeyRing.pinned(spki(WORD.root)), "receipt")
    listed = ProvinceWord()
    body = WORD.roots_body()
    body["keys"].append({**body["keys"][0], "keyid": keyid_of(spki(listed.root)), "spki": base64.b64encode(spki(listed.root)).decode(), "purpose": "roots"})
    ring = KeyRing.from_roots(Members(body, "roots"))
    with pytest.raises(SignatureInvalid):
        open_envelope(WORD.seal("roots", canon({"issued_at": stamp(ISSUED)}), listed.root), ring, "roots")


def test_an_envelope_of_another_name_is_not_taken() -> None:
    with pytest.raises(FormatTrouble):
        open_envelope(GOOD, RING, "sheet-status")


def test_revoked_keys_open_nothing_retired_ones_what_they_signed_in_time() -> None:
    other = ProvinceWord()
    for state, opens in (("retired", True), ("revoked", False)):
        other.states["receipts"] = state
        ring = KeyRing.from_roots(Members(other.roots_body(), "roots"))
        envelope = other.seal("receipt", canon(RECEIPT))
        if opens:
            assert open_envelope(envelope, ring, "receipt") == RECEIPT
        else:
            with pytest.raises(SignatureInvalid) as caught:
                open_envelope(envelope, ring, "receipt")
            assert caught.value.facts["why"] == "revoked"


def test_a_key_speaks_only_in_its_time() -> None:
    with pytest.raises(SignatureInvalid) as caught:
        open_envelope(WORD.seal("receipt", canon({**RECEIPT, "received_at": stamp(ISSUED + timedelta(days=4000))})), RING, "receipt")
    assert caught.value.facts["why"] == "key_age"


def test_a_payload_that_is_not_canonical_is_refused() -> None:
    with pytest.raises(FormatTrouble):
        open_envelope(WORD.seal("receipt", json.dumps({"serial": "R-1", "received_at": stamp(ISSUED)}).encode()), RING, "receipt")


def test_a_list_with_one_key_twice_is_refused() -> None:
    body = WORD.roots_body()
    body["keys"].append({**body["keys"][0], "purpose": "settings"})
    with pytest.raises(FormatTrouble):
        KeyRing.from_roots(Members(body, "roots"))


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(GOOD) - 1), st.integers(1, 255))
def test_no_flipped_byte_changes_what_is_read(at: int, change: int) -> None:
    damaged = bytearray(GOOD)
    damaged[at] ^= change
    try:
        found = open_envelope(bytes(damaged), RING, "receipt")
    except (FormatTrouble, SignatureInvalid):
        return
    assert found == RECEIPT  # white space and the like may change, the content never


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_are_refused_by_name(noise: bytes) -> None:
    with pytest.raises(FormatTrouble):
        open_envelope(noise, RING, "receipt")


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 5), st.booleans()), max_size=12))
def test_versions_never_fall_and_never_change_their_bytes(offers: list[tuple[int, bool]]) -> None:
    kept = None
    for version, other in offers:
        offer = open_downlink(WORD.downlink("tables", version, {"t": {"edition": "2" if other else "1", "digest": "x"}}), RING, "tables")
        try:
            news = check_follows(kept, offer)
        except SignatureInvalid:
            assert kept is not None and (version < kept.version or (version == kept.version and offer.payload != kept.payload))
            continue
        assert kept is None or version >= kept.version
        if news:
            kept = offer
        else:
            assert kept is not None and offer.payload == kept.payload
