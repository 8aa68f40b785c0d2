"""Segments, wraps and derived keys: what fits opens, anything moved, cut or swapped does not."""

from __future__ import annotations

import os

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.ciphers import SEGMENT_BYTES, TAG_BYTES, Segments, derived_key, key_check, new_key, segmented, unwrap_at_station, wrap_at_station, wrap_for
from sync.errors import CertificateTrouble, FormatTrouble

KEY, NONCE, CONTEXT = bytes(range(32)), b"12345678", b"c" * 32
STEP = SEGMENT_BYTES + TAG_BYTES


@pytest.mark.parametrize("size", [0, 1, SEGMENT_BYTES - 1, SEGMENT_BYTES, SEGMENT_BYTES + 1, 2 * SEGMENT_BYTES, 2 * SEGMENT_BYTES + 5])
def test_segments_open_again_with_the_sizes_of_the_format(size: int) -> None:
    plain = os.urandom(size)
    segments = list(Segments(KEY, NONCE, CONTEXT).seal_all((plain[:7], plain[7:])))
    assert len(segments) == max(1, -(-size // SEGMENT_BYTES))
    assert [len(one) for one in segments[:-1]] == [STEP] * (len(segments) - 1)
    assert b"".join(Segments(KEY, NONCE, CONTEXT).open_all((b"".join(segments),))) == plain


@pytest.mark.parametrize("spoil", [
    lambda c: c[:STEP], lambda c: c[:-1], lambda c: c[STEP:], lambda c: c[STEP:2 * STEP] + c[:STEP] + c[2 * STEP:], lambda c: c + c[-30:], lambda c: b"",
    lambda c: c[:5] + bytes([c[5] ^ 1]) + c[6:],
], ids=["cut at a segment", "cut", "first gone", "swapped", "longer", "empty", "one bit"])
def test_spoiled_segments_do_not_open(spoil) -> None:
    content = b"".join(Segments(KEY, NONCE, CONTEXT).seal_all((bytes(2 * SEGMENT_BYTES + 100),)))
    with pytest.raises(FormatTrouble):
        list(Segments(KEY, NONCE, CONTEXT).open_all((spoil(content),)))


@pytest.mark.parametrize("other", [Segments(b"k" * 32, NONCE, CONTEXT), Segments(KEY, b"87654321", CONTEXT), Segments(KEY, NONCE, b"d" * 32)])
def test_another_key_nonce_or_context_does_not_open(other: Segments) -> None:
    with pytest.raises(FormatTrouble):
        list(other.open_all(Segments(KEY, NONCE, CONTEXT).seal_all((b"x",))))


@given(st.lists(st.binary(max_size=40), max_size=12), st.integers(1, 17))
@settings(max_examples=200)
def test_segmented_keeps_all_bytes_in_pieces_of_one_size(pieces: list[bytes], size: int) -> None:
    found = list(segmented(pieces, size))
    assert b"".join(found) == b"".join(pieces)
    assert all(len(one) == size for one in found[:-1]) and all(found)


def test_a_wrap_for_the_province_opens_with_its_private_key() -> None:
    private = rsa.generate_private_key(65537, 2048)
    spki = private.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    key = new_key()
    oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
    assert private.decrypt(wrap_for(spki, key), oaep) == key


def test_weak_or_foreign_keys_are_refused() -> None:
    def spki(private) -> bytes:
        return private.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)

    for bad in (b"no key", spki(ec.generate_private_key(ec.SECP256R1())), spki(rsa.generate_private_key(65537, 1024))):
        with pytest.raises(CertificateTrouble):
            wrap_for(bad, new_key())


def test_a_station_wrap_fits_one_record_and_one_store() -> None:
    wrap = wrap_at_station(KEY, "record-1", b"k" * 32)
    assert len(wrap) == 12 + 32 + 16
    assert unwrap_at_station(KEY, "record-1", wrap) == b"k" * 32
    for key, record_id, spoiled in ((KEY, "record-2", wrap), (b"o" * 32, "record-1", wrap), (KEY, "record-1", wrap[:-1]), (KEY, "record-1", b"")):
        with pytest.raises(FormatTrouble):
            unwrap_at_station(key, record_id, spoiled)


def test_the_check_value_tells_keys_apart_and_purposes_give_other_keys() -> None:
    assert key_check(KEY, b"salt") == key_check(KEY, b"salt")
    assert len({key_check(KEY, b"salt"), key_check(b"o" * 32, b"salt"), key_check(KEY, b"other")}) == 3
    assert derived_key(KEY, b"salt", b"one") != derived_key(KEY, b"salt", b"two") != KEY
