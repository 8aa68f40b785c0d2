"""Synthetic identity cards: people who do not exist, laid out as the security module hands them over. Never a real person, never a decodable photo.

Written from the layouts alone, without the product's parser. Region 510000 is a province and never given to a person; the numbers end in correct check
digits. The photo block is a pattern: a real WLT block can be decoded with a vendor's library only, so ``photo_image`` stays None with these.
"""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = [
    "ALI", "ALI_2023", "CHEN", "EXPIRED", "LABELS", "PEOPLE", "PRACTICE", "RARE", "TAIWAN", "UNKNOWN_KIND", "WRONG_CHECK", "ZHANG", "SyntheticCard",
    "foreign_2017", "foreign_2023", "number", "padded", "permit", "photo_block", "resident",
]

ISSUER = "示例市公安局示例分局"
ADDRESS = "示例省示例市示例区测试路{}号"
NO_PHOTO = bytes(1024)


@dataclass(frozen=True)
class SyntheticCard:
    """A card as a reader sees it: text block, photo block, appended addresses (each 70 bytes), answer to reset of its chip, management data (28 bytes)."""

    text: bytes = field(repr=False)
    photo: bytes = field(default=NO_PHOTO, repr=False)
    addresses: bytes = field(default=b"", repr=False)
    atr: bytes = bytes.fromhex("3B888001D103860C0080800051")
    management: bytes = field(default=bytes(range(28)), repr=False)


def padded(text: str, size: int) -> bytes:
    """UTF-16LE, filled with blanks to ``size`` bytes."""
    raw = text.encode("utf-16-le")
    if len(raw) > size:
        raise ValueError(f"{text!r} does not fit into {size} bytes")
    return raw + b" \0" * ((size - len(raw)) // 2)


def number(first_17: str) -> str:
    """``first_17`` with its check digit (ISO 7064 MOD 11-2, by the recurrence, not by the table of weights)."""
    rest = 0
    for digit in first_17:
        rest = (rest + int(digit)) * 2 % 11
    return first_17 + "0123456789X"[(1 - rest) % 11]


def photo_block(mark: str = "SYNTHETIC PHOTO, NO WLT PICTURE ") -> bytes:
    """1024 bytes that anybody recognises in a dump."""
    raw = mark.encode("ascii")
    return (raw * (1024 // len(raw) + 1))[:1024]


def resident(name: str, sex: str, nation: str, birth: str, address: str, id_number: str, start: str = "20200101",
             end: str = "长期", issuer: str = ISSUER) -> bytes:
    return (padded(name, 30) + padded(sex, 2) + padded(nation, 4) + padded(birth, 16) + padded(address, 70) + padded(id_number, 36) + padded(issuer, 30)
            + padded(start, 16) + padded(end, 16) + padded("", 36))


def permit(name: str, sex: str, birth: str, address: str, id_number: str, travel_permit: str, count: str, start: str = "20200101",
           end: str = "20250101") -> bytes:
    return (padded(name, 30) + padded(sex, 2) + padded("", 4) + padded(birth, 16) + padded(address, 70) + padded(id_number, 36) + padded(ISSUER, 30)
            + padded(start, 16) + padded(end, 16) + padded(travel_permit, 18) + padded(count, 4) + padded("", 6) + padded("J", 2) + padded("", 6))


def foreign_2017(latin: str, sex: str, id_number: str, nation: str, name: str, birth: str, start: str = "20170601", end: str = "20270531") -> bytes:
    return (padded(latin, 120) + padded(sex, 2) + padded(id_number, 30) + padded(nation, 6) + padded(name, 30) + padded(start, 16) + padded(end, 16)
            + padded(birth, 16) + padded("01", 4) + padded("1500", 8) + padded("I", 2) + padded("", 6))


def foreign_2023(latin: str, sex: str, id_number: str, nation: str, name: str, birth: str, link: str, start: str = "20231201", end: str = "20331130") -> bytes:
    return (padded(name, 30) + padded(sex, 2) + padded("01", 4) + padded(birth, 16) + padded(latin[:35], 70) + padded(id_number, 36) + padded("", 30)
            + padded(start, 16) + padded(end, 16) + padded(latin[35:], 22) + padded(nation, 6) + padded("Y", 2) + padded(link, 6))


# -- the people of the fact sheet (photo 1024 x 00) ---------------------------------------------------------------------------------------
ZHANG = SyntheticCard(resident("张三", "2", "01", "19491231", ADDRESS.format(1), "11010519491231002X"))
CHEN = SyntheticCard(permit("陈大文", "1", "19900101", ADDRESS.format(2), "810000199001010019", "H00000001", "02"))
ALI = SyntheticCard(foreign_2017("SPECIMEN, ALI", "1", "PAK310080010103", "PAK", "阿里", "19800101"))
ALI_2023 = SyntheticCard(foreign_2023("SPECIMEN, ALI", "1", "931586198001010028", "PAK", "阿里", "19800101", "000"))

# -- the people of the practice hall -----------------------------------------------------------------------------------------------------
PRACTICE = SyntheticCard(   # a skilled worker, who has moved since
    resident("李练工", "1", "01", "19900512", "四川省示例市示例区练习路12号", number("51000019900512001"), "20180820", "20380820"),
    photo_block(), padded("四川省示例市示例区工地路8号", 70),
)
EXPIRED = SyntheticCard(resident("王到期", "2", "05", "19850301", ADDRESS.format(3), number("51000019850301002"), "20050601", "20150601"), photo_block())
WRONG_CHECK = SyntheticCard(resident("赵错码", "1", "01", "19880808", ADDRESS.format(4), "510000198808080010", "20190101", "20390101"), photo_block())
TAIWAN = SyntheticCard(
    permit("林小美", "2", "19900101", ADDRESS.format(5), number("83000019900101002"), "12345678", "01", "20230101", "20280101"), photo_block())
RARE = SyntheticCard(   # characters of GB 18030 beyond the usual ones: plane 2, extension A, a compatibility form that has no other
    resident("𠮷㐀﨎", "2", "08", "19920229", "示例省𬭚县㙍村1组", number("51000019920229002"), "20220301", "20420301"), photo_block())
UNKNOWN_KIND = SyntheticCard(ZHANG.text[:248] + padded("K", 2) + ZHANG.text[250:])
PEOPLE = {"zhang": ZHANG, "chen": CHEN, "ali": ALI, "ali-2023": ALI_2023, "practice": PRACTICE, "expired": EXPIRED, "wrong-check": WRONG_CHECK,
          "taiwan": TAIWAN, "rare": RARE}
LABELS = {"zhang": "resident", "chen": "J, Hong Kong", "ali": "I 2017", "ali-2023": "Y 2023", "practice": "resident, newest address (30 03)",
          "expired": "resident, expired", "wrong-check": "resident, wrong check digit", "taiwan": "J, Taiwan", "rare": "resident, rare characters"}
