"""A social security card at the edge of the APDU, with the manners of T=0: answers wait for GET RESPONSE (61xx), wrong lengths are told (6Cxx).

Written from the published file layouts, without the product's parser. The holder does not exist.
"""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["FIRST", "SECOND", "SocialCard", "records"]

AID = bytes.fromhex("7378312E73682EC9E7BBE1B1A3D5CF")


def entry(tag: int, value: bytes) -> bytes:
    return bytes((tag, len(value))) + value


def records(
    name: str = "李练工", number: str = "510000199005120017", extension: str = "", packed: bool = True, together: bool = False,
) -> dict[int, list[bytes]]:
    """EF05 and EF06. First generation: one entry per record. ``together``: several entries in one record. ``packed``: nation in packed digits."""
    whole = name.encode("gb18030").ljust(30, b"\0")
    issuer = [entry(0x01, bytes.fromhex("510000") + bytes(13)), entry(0x02, b"1"), entry(0x03, b"2.00"), entry(0x04, bytes(12)),
              entry(0x05, bytes.fromhex("20180101")), entry(0x06, bytes.fromhex("20280101")), entry(0x07, b"A12345678")]
    holder = [entry(0x08, number.encode("ascii")), entry(0x09, whole), entry(0x0A, b"1"), entry(0x0B, b"\x01" if packed else b"\x0b"),
              entry(0x0C, bytes.fromhex("510000")), entry(0x0D, bytes.fromhex("19900512"))]
    if extension:
        holder.insert(2, entry(0x4E, extension.encode("gb18030").ljust(30, b"\0")))
    if together:
        return {0xEF05: [b"".join(issuer)], 0xEF06: [b"".join(holder[:3]), b"".join(holder[3:])]}
    return {0xEF05: issuer, 0xEF06: holder}


@dataclass
class SocialCard:
    """``application`` False: another contact card. ``stubborn``: a card that never gives the length it asked for."""

    files: dict[int, list[bytes]]
    application: bool = True
    stubborn: bool = False
    atr: bytes = bytes.fromhex("3B6D000000814D22086086200000000000")
    asked: list[bytes] = field(default_factory=list)

    def power(self, code: bytes) -> None:
        self._file: list[bytes] | None = None
        self._inside = False
        self._left = b""

    def __post_init__(self) -> None:
        self.power(b"")

    def transmit(self, apdu: bytes) -> bytes:
        self.asked.append(apdu)
        cla, ins, p1, p2 = apdu[:4]
        if cla != 0:
            return b"\x6e\x00"
        if ins == 0xA4:
            return self._select(p1, apdu[5:5 + apdu[4]])
        if ins == 0xC0:
            return self._rest(apdu[4])
        if ins == 0xB2:
            return self._record(p1, p2, apdu[4])
        return b"\x6d\x00"

    def _select(self, how: int, name: bytes) -> bytes:
        if how == 4:
            self._inside = self.application and name == AID
            if not self._inside:
                return b"\x6a\x82"
            self._left = b"\x6f\x11\x84\x0f" + AID
            return bytes((0x61, len(self._left)))
        self._file = self.files.get(int.from_bytes(name, "big")) if self._inside else None
        return b"\x90\x00" if self._file is not None else b"\x6a\x82"

    def _rest(self, size: int) -> bytes:
        if (size or 256) != len(self._left):
            return bytes((0x6C, len(self._left)))
        left, self._left = self._left, b""
        return left + b"\x90\x00"

    def _record(self, number: int, how: int, size: int) -> bytes:
        if self._file is None or how & 7 != 4:
            return b"\x69\x86"
        if not 1 <= number <= len(self._file):
            return b"\x6a\x83"
        record = self._file[number - 1]
        if self.stubborn or (size or 256) != len(record):
            return bytes((0x6C, len(record)))
        return record + b"\x90\x00"


FIRST = records()
SECOND = records(together=True, extension="·买买提")
