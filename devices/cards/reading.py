"""Turns what a security module handed over into a read with its evidence. Never opens a reader, never keeps a photo that was decoded elsewhere."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime

from devices.cards import idcard, sam
from devices.cards.contract import CardRead, ReadEvidence
from devices.cards.sam import Blocks
from devices.errors import DeviceTrouble

__all__ = ["Decode", "card_read"]

Decode = Callable[[bytes], bytes]
"""Makes a picture (PNG) of a photo block. Raises ``DeviceTrouble`` where the vendor's library is missing, refuses, crashes or hangs."""


def card_read(blocks: Blocks, number: str, reader: str, profile: str, at: datetime, decode: Decode | None = None) -> CardRead:
    """The card in ``blocks``, read ``at`` (aware, UTC) through the module ``number``. The digest is over text, photo and newest address as they came.

    Raises BrokenFrame and ReaderOutdated for blocks that hold no card. A photo that cannot be decoded is no trouble: ``photo_trouble`` says why.
    """
    card = idcard.parse(blocks.text, blocks.addresses)
    digest = hashlib.sha256(blocks.text + blocks.photo + blocks.addresses).hexdigest()
    picture, trouble = _picture(blocks.photo, decode)
    return CardRead(
        card=card, photo=blocks.photo, photo_image=picture, photo_trouble=trouble,
        evidence=ReadEvidence(number, reader, profile, at, f"sha256:{digest}"),
        numbers=sam.card_numbers(blocks.management) if len(blocks.management) == 28 else None,
    )


def _picture(photo: bytes, decode: Decode | None) -> tuple[bytes | None, DeviceTrouble | None]:
    if decode is None:
        return None, None
    try:
        return decode(photo), None
    except DeviceTrouble as trouble:
        return None, trouble
