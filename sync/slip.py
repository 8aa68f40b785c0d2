"""What a packet lacks to be handed in without this station's store: digests, signature, acts, sealed beside it (FORMATS section 14.1). Never names a person.

Whoever can open the packet (the province) can open its slip, nobody else; so a lost keyring loses no signature.
"""

from __future__ import annotations

import base64
import os
import uuid
from collections.abc import Sequence
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sync.canon import canon, parse_canonical
from sync.ciphers import AES_256_GCM, derived_key
from sync.errors import FormatTrouble, PacketTooNew
from sync.outbox_row import Act, acts_json
from sync.seal import RECORD_PART, SealedRecord

__all__ = ["SLIP_LIMIT", "open_slip", "refuse_mismatch", "seal_slip", "slip_of"]

SLIP_LIMIT = 4 * 1024 * 1024
_START = b"HISL" + bytes((1, AES_256_GCM, 0, 0))
_NONCE = 12


def seal_slip(data_key: bytes, record_id: str, packet_digest: str, record_digest: str, signature: bytes, acts: Sequence[Act], owner: str,
              kept_at: str) -> bytes:
    """The slip of a packet; ``signature`` is empty while there is none. ``data_key``: the packet's own."""
    plain = canon({
        "type": "hall-intake/slip/1", "record_id": record_id, "packet_digest": packet_digest, "record_digest": record_digest,
        "signature": base64.b64encode(signature).decode("ascii"), "acts": acts_json(acts), "owner": owner, "kept_at": kept_at,
    })
    nonce = os.urandom(_NONCE)
    return _START + nonce + AESGCM(_key(data_key, record_id)).encrypt(nonce, plain, _START + record_id.encode("ascii"))


def slip_of(sealed: SealedRecord, record_digest: str, signature: bytes, acts: Sequence[Act], owner: str, kept_at: str) -> bytes:
    """The slip of a packet that was sealed just now."""
    return seal_slip(sealed.data_key, sealed.record_id, sealed.digest, record_digest, signature, acts, owner, kept_at)


def refuse_mismatch(sealed: SealedRecord, record_digest: str, signature: bytes) -> None:
    """Raises ValueError where record, signature and packet are not of one piece."""
    if sealed.record_digest != record_digest:
        raise ValueError("the digest is not that of the sealed record")
    if bool(signature) != (sealed.first_part == RECORD_PART):
        raise ValueError("a packet of record.json has a signature, one of draft.json has none")


def open_slip(untrusted: bytes, data_key: bytes, record_id: str) -> dict[str, Any]:
    """The members of a slip. Raises FormatTrouble where it is not one of this packet, PacketTooNew for an algorithm that this program does not have."""
    if untrusted[:5] == _START[:5] and untrusted[5:6] != _START[5:6]:
        raise PacketTooNew(f"a slip of algorithm {untrusted[5:6].hex()}", what="slip", algorithm=int.from_bytes(untrusted[5:6], "big"))
    if not untrusted.startswith(_START) or len(untrusted) > SLIP_LIMIT:
        raise FormatTrouble("not a slip of this version", what="slip")
    nonce, sealed = untrusted[len(_START):len(_START) + _NONCE], untrusted[len(_START) + _NONCE:]
    try:
        plain = AESGCM(_key(data_key, record_id)).decrypt(nonce, sealed, _START + record_id.encode("ascii"))
    except (InvalidTag, ValueError) as error:
        raise FormatTrouble("the slip does not open", what="slip") from error
    members = parse_canonical(plain, "slip")
    if members.get("type") != "hall-intake/slip/1" or members.get("record_id") != record_id:
        raise FormatTrouble("the slip is of another record", what="slip")
    return members


def _key(data_key: bytes, record_id: str) -> bytes:
    return derived_key(data_key, uuid.UUID(record_id).bytes, b"hall-intake/slip/1")
