"""Packets: opened by an independent reading of FORMATS section 2, and refused when anything in them was changed."""

from __future__ import annotations

import base64
import hashlib
import json
import struct
import uuid
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from desktop.messages import LANGUAGES, say
from sync import seal as room
from sync.canon import digest
from sync.ciphers import SEGMENT_BYTES, SM4_GCM
from sync.errors import FormatTrouble, PacketTooLarge, PacketTooNew
from sync.seal import DRAFT_PART, RECORD_PART, read_header, seal, unseal_with_key
from tests.emulators.records import MARKS, STATION_ID, new_recipient, record

RECORD_ID = str(uuid.uuid4())
INTAKE, RECOVERY = new_recipient("intake-1"), new_recipient("recovery-1", 3072)


def _sealed(size: int = 50_000, **more):
    return seal(record(1, RECORD_ID), [("a1.jpg", b"p" * size), ("a2.pdf", b"")], RECORD_ID, STATION_ID, INTAKE[1], RECOVERY[1], **more)


def _province_opens(packet: bytes, private, to: str) -> bytes:
    """The plain bytes, read as the format's text says and without the product's code."""
    magic, version, algorithm, zero, length = struct.unpack(">4sBBHI", packet[:12])
    assert (magic, version, algorithm, zero) == (b"HIPK", 1, 1, 0)
    header = packet[12:12 + length]
    members = json.loads(header)
    wrap = next(one for one in members["wraps"] if one["to"] == to)
    assert wrap["alg"] == "RSA-OAEP-256"
    key = private.decrypt(base64.b64decode(wrap["key"]), padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None))
    about = hashlib.sha256(packet[:12 + length]).digest()
    rest, plain, index = packet[12 + length:], b"", 0
    while rest:
        piece, rest = rest[:1_048_592], rest[1_048_592:]
        counter = struct.pack(">I", index)
        plain += AESGCM(key).decrypt(base64.b64decode(members["nonce"]) + counter, piece, about + counter + (b"\x00" if rest else b"\x01"))
        index += 1
    assert len(plain) == members["plain_size"]
    return plain


@pytest.mark.parametrize(("private", "to"), [(INTAKE[0], "intake"), (RECOVERY[0], "recovery")])
def test_the_province_opens_it_by_the_format_alone(private, to: str) -> None:
    sealed = _sealed(SEGMENT_BYTES + 3)
    plain = _province_opens(sealed.packet, private, to)
    length = int.from_bytes(plain[:4], "big")
    index = json.loads(plain[4:4 + length])
    assert [one["name"] for one in index["parts"]] == ["record.json", "a1.jpg", "a2.pdf"]
    content = plain[4 + length:]
    assert content.startswith(record(1, RECORD_ID)) and content.endswith(b"p" * (SEGMENT_BYTES + 3))
    assert index["parts"][0]["sha256"] == digest(record(1, RECORD_ID)) == sealed.record_digest


@pytest.mark.parametrize("size", [0, SEGMENT_BYTES, 3 * SEGMENT_BYTES + 17])
def test_the_station_opens_bytes_and_file(tmp_path: Path, size: int) -> None:
    sealed = _sealed(size)
    (tmp_path / "p").write_bytes(sealed.packet)
    for source in (sealed.packet, tmp_path / "p"):
        assert [(one.name, one.content) for one in unseal_with_key(source, sealed.data_key)] == [
            (RECORD_PART, record(1, RECORD_ID)), ("a1.jpg", b"p" * size), ("a2.pdf", b"")]
    header = read_header(tmp_path / "p")
    assert (header.record_id, header.station_id, header.packet_size) == (RECORD_ID, STATION_ID, len(sealed.packet))
    assert (sealed.size, sealed.digest) == (len(sealed.packet), digest(sealed.packet))


def test_two_packets_of_the_same_record_share_nothing_and_show_nothing() -> None:
    one, two = _sealed(), _sealed()
    assert one.data_key != two.data_key and one.digest != two.digest
    assert not any(mark in one.packet for mark in MARKS)
    assert repr(one).find(one.data_key.hex()) < 0 and "data_key" not in repr(one) and "packet=" not in repr(one)


@pytest.mark.parametrize("spoil", [
    lambda p: p[:-1], lambda p: p + b"x", lambda p: b"HIPX" + p[4:], lambda p: p[:4] + b"\x02" + p[5:], lambda p: p[:5] + b"\x02" + p[6:], lambda p: p[:11],
    lambda p: p[:8] + b"\xff\xff\xff\xff" + p[12:], lambda p: p.replace(b'"intake-1"', b'"intake-2"', 1), lambda p: p.replace(b'{"nonce"', b'{ "nonce"', 1),
    lambda p: p[:-5] + bytes([p[-5] ^ 1]) + p[-4:],
], ids=["short", "long", "magic", "version", "algorithm", "start only", "header length", "header changed", "not canonical", "one bit"])
def test_a_changed_packet_does_not_open(spoil) -> None:
    sealed = _sealed()
    with pytest.raises(FormatTrouble):
        unseal_with_key(spoil(sealed.packet), sealed.data_key)


def test_a_header_with_foreign_members_or_sizes_is_refused() -> None:
    packet = _sealed().packet
    length = int.from_bytes(packet[8:12], "big")
    header = json.loads(packet[12:12 + length])
    for name, value in (
            ("plain_size", 0), ("plain_size", "5"), ("plain_size", 2**40), ("nonce", "AAA="), ("record_id", "x"), ("type", "other"), ("wraps", [1])):
        changed = room.canon(header | {name: value})
        with pytest.raises(FormatTrouble):
            read_header(packet[:8] + len(changed).to_bytes(4, "big") + changed + packet[12 + length:])


def test_what_cannot_be_a_packet_is_refused_before_sealing(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError):
        seal(b"{}", [("a", b""), ("a", b"")], RECORD_ID, STATION_ID, INTAKE[1], RECOVERY[1])
    with pytest.raises(ValueError):
        seal(b"{}", [], "../../etc/passwd", STATION_ID, INTAKE[1], RECOVERY[1])
    monkeypatch.setattr(room, "PACKET_LIMIT", 1000)
    with pytest.raises(PacketTooLarge) as caught:
        _sealed()
    assert caught.value.facts["limit"] == 1000


def test_an_unsigned_packet_says_so_in_its_first_part() -> None:
    sealed = _sealed(first_part=DRAFT_PART)
    assert unseal_with_key(sealed.packet, sealed.data_key)[0].name == DRAFT_PART == sealed.first_part


def test_a_packet_of_an_algorithm_to_come_is_named_and_not_taken_for_damage(tmp_path: Path) -> None:
    """SM4-GCM will be number 2: its packets are kept, sent and carried by this program, only not opened."""
    sealed = _sealed()
    other = sealed.packet[:5] + bytes((SM4_GCM,)) + sealed.packet[6:]
    assert read_header(other).algorithm == SM4_GCM != read_header(sealed.packet).algorithm
    with pytest.raises(PacketTooNew) as caught:
        unseal_with_key(other, sealed.data_key)
    assert caught.value.facts["algorithm"] == SM4_GCM
    assert all(say(caught.value, language).next and str(SM4_GCM) in say(caught.value, language).cause for language in LANGUAGES)
