"""Layouts, numbers and findings of identity cards, on the vectors of the fact sheet and on any bytes. Never needs a reader."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from devices.cards.idcard import IdentityCard, check_digit, document_type, findings, linked_number, newest_address, parse, passport_check_digit
from devices.errors import BrokenFrame, CardKindUnknown, DeviceTrouble, ReaderOutdated
from tests.emulators import idcards
from tests.emulators.idcards import padded, resident

TODAY = date(2026, 11, 22)


def codes(card: IdentityCard, today: date = TODAY) -> set[str]:
    return {finding.code for finding in findings(card, today)}


@pytest.mark.parametrize(("card", "digest"), [
    (idcards.ZHANG, "7ff4164cede3c368"), (idcards.CHEN, "c0712d1578052b9e"), (idcards.ALI, "518908f33bd0b002"), (idcards.ALI_2023, "98641d0a950de75a"),
])
def test_emulated_people_are_the_vectors(card: idcards.SyntheticCard, digest: str) -> None:
    assert len(card.text) == 256
    assert hashlib.sha256(card.text).hexdigest()[:16] == digest


def test_resident_card() -> None:
    card = parse(idcards.ZHANG.text)
    assert card == IdentityCard(
        kind="resident", name_zh="张三", name_latin="", sex="2", nation="01", birth_date=date(1949, 12, 31), address="示例省示例市示例区测试路1号",
        number="11010519491231002X", issuer="示例市公安局示例分局", valid_from=date(2020, 1, 1), valid_to=None, valid_long=True,
    )
    assert document_type(card) == "111"
    assert codes(card) == set()


def test_residence_permit() -> None:
    card = parse(idcards.CHEN.text)
    assert (card.kind, card.nation, card.travel_permit_no, card.issue_count, card.valid_to) == ("hmt_permit", "", "H00000001", "02", date(2025, 1, 1))
    assert document_type(card) == "X01"
    assert document_type(replace(card, number="830000199001010012")) == "X02"
    assert codes(card) == {"finding.expired"}
    assert codes(card, date(2025, 1, 1)) == set(), "the last day is a valid day"


def test_residence_card_of_2017() -> None:
    card = parse(idcards.ALI.text)
    assert (card.kind, card.name_latin, card.name_zh, card.number, card.nationality) == ("foreign_2017", "SPECIMEN, ALI", "阿里", "PAK310080010103", "PAK")
    assert (card.birth_date, card.card_version, card.authority_code, card.issuer, card.address) == (date(1980, 1, 1), "01", "1500", "", "")
    assert document_type(card) == "553"
    assert codes(card) == set()


def test_residence_card_of_2023_leads_to_its_older_number() -> None:
    card = parse(idcards.ALI_2023.text)
    assert (card.kind, card.name_latin, card.name_zh, card.number, card.previous_link) == ("foreign_2023", "SPECIMEN, ALI", "阿里", "931586198001010028", "000")
    assert linked_number(card) == "PAK310080010103"
    assert document_type(card) == "553"
    assert codes(card) == {"finding.earlier_number"}
    assert linked_number(parse(idcards.ALI.text)) == ""


def test_long_latin_name_goes_on_in_the_extension() -> None:
    name = "SPECIMEN, ALEXANDER BARTHOLOMEW CHRISTOPHER"
    card = parse(idcards.foreign_2023(name, "1", "931586198001010028", "PAK", "", "19800101", "000"))
    assert card.name_latin == name
    assert "finding.name_missing" not in codes(card)


def test_blanks_and_nuls_go_from_the_tail_only() -> None:
    block = bytearray(resident("张 三", "2", "01", "19491231", "甲路  1号", "11010519491231002x"))
    block[0:30] = "张 三".encode("utf-16-le") + bytes(24)
    card = parse(bytes(block))
    assert (card.name_zh, card.address, card.number) == ("张 三", "甲路  1号", "11010519491231002X")


def test_rare_characters_stay_and_broken_ones_are_seen() -> None:
    assert parse(resident("𠮷𪚥", "2", "01", "19491231", "", "11010519491231002X")).name_zh == "𠮷𪚥"
    torn = b"\x42\xd8" + idcards.ZHANG.text[2:]
    assert "finding.text_garbled" in codes(parse(torn))


def test_newest_address_is_the_last_written_one() -> None:
    first, second, blank = padded("甲路1号", 70), padded("乙路2号", 70), padded("", 70)
    assert newest_address(b"") == ""
    assert newest_address(first + second + blank) == "乙路2号"
    card = parse(idcards.PRACTICE.text, idcards.PRACTICE.addresses)
    assert (card.address, card.newest_address) == ("四川省示例市示例区练习路12号", "四川省示例市示例区工地路8号")
    assert codes(card) == {"finding.newer_address"}


@pytest.mark.parametrize(("first", "last"), [
    ("11010519491231002", "X"), ("81000019900101001", "9"), ("82000019900101001", "0"), ("83000019900101001", "2"),
    ("93268219850101001", "7"), ("91112419810803002", "4"), ("93158619800101002", "8"),
])
def test_check_digit(first: str, last: str) -> None:
    assert check_digit(first) == last
    assert idcards.number(first) == first + last, "the emulator counts in another way and must agree"


@given(st.text("0123456789", min_size=17, max_size=17), st.integers(0, 16), st.integers(1, 9))
def test_check_digit_sees_every_single_slip(first: str, place: int, shift: int) -> None:
    slipped = first[:place] + str((int(first[place]) + shift) % 10) + first[place + 1:]
    assert check_digit(slipped) != check_digit(first)
    assert idcards.number(first)[-1] == check_digit(first)


@pytest.mark.parametrize("wrong", ["", "1101051949123100", "1101051949123100２", "1101051949123100a"])
def test_check_digit_refuses(wrong: str) -> None:
    with pytest.raises(ValueError, match="digits"):
        check_digit(wrong)


def test_passport_check_digit_refuses() -> None:
    with pytest.raises(ValueError, match="capital"):
        passport_check_digit("pak")


GOOD = parse(idcards.ZHANG.text)
I_CARD = parse(idcards.ALI.text)


@pytest.mark.parametrize(("card", "code", "severity"), [
    (replace(GOOD, number="110105194912310021"), "finding.number_check_digit", "error"),
    (replace(GOOD, number="1101051949123100"), "finding.number_malformed", "error"),
    (replace(GOOD, number="11010519491231００2X"), "finding.number_malformed", "error"),
    (replace(GOOD, sex="1"), "finding.sex_differs", "warning"),
    (replace(GOOD, sex="7"), "finding.sex_unknown", "warning"),
    (replace(GOOD, nation="57"), "finding.nation_unknown", "warning"),
    (replace(GOOD, birth_date=date(1949, 12, 30)), "finding.birth_differs", "warning"),
    (replace(GOOD, birth_date=None), "finding.birth_unreadable", "error"),
    (replace(GOOD, birth_date=date(2027, 1, 1)), "finding.birth_future", "error"),
    (replace(GOOD, name_zh=""), "finding.name_missing", "error"),
    (replace(GOOD, valid_long=False), "finding.validity_unknown", "warning"),
    (replace(GOOD, valid_from=None), "finding.validity_unknown", "warning"),
    (replace(GOOD, valid_from=date(2026, 11, 23)), "finding.not_yet_valid", "warning"),
    (replace(GOOD, valid_long=False, valid_to=date(2026, 11, 21)), "finding.expired", "warning"),
    (replace(GOOD, valid_long=False, valid_to=date(2040, 1, 1)), "finding.term_unusual", "note"),
    (replace(GOOD, birth_date=date(1990, 1, 1)), "finding.term_unusual", "note"),
    (replace(I_CARD, number="PAK310080010104"), "finding.number_check_digit", "warning"),
    (replace(I_CARD, number="PAK31008001010"), "finding.number_malformed", "error"),
    (replace(I_CARD, birth_date=date(1980, 1, 2)), "finding.birth_differs", "warning"),
    (replace(parse(idcards.CHEN.text), travel_permit_no="X1"), "finding.travel_permit_malformed", "warning"),
    (replace(parse(idcards.CHEN.text), number="11010519491231002X"), "finding.number_series", "warning"),
    (replace(parse(idcards.ALI_2023.text), number="11010519491231002X"), "finding.number_series", "warning"),
])
def test_what_is_odd_is_named(card: IdentityCard, code: str, severity: str) -> None:
    assert (code, severity) in {(finding.code, finding.severity) for finding in findings(card, TODAY)}


@pytest.mark.parametrize(("born", "start", "end"), [
    ("20150601", "20200601", "20250601"), ("20000601", "20200601", "20300601"), ("19800601", "20200601", "20400601"),
    ("19940610", "20200615", "20300615"),   # applied for at 25, made at 26
])
def test_terms_of_the_law_are_not_odd(born: str, start: str, end: str) -> None:
    card = parse(resident("张三", "1", "01", born, "", idcards.number("510000" + born + "001"), start, end))
    assert "finding.term_unusual" not in codes(card)


def test_abolished_regions_are_never_odd() -> None:
    assert codes(parse(resident("张三", "1", "01", "19600101", "", idcards.number("51300119600101001")))) == set()


def test_days_that_no_calendar_has_are_unreadable() -> None:
    card = parse(resident("张三", "2", "01", "19500230", "", idcards.number("51000019500230002"), "20201301", "20251301"))
    assert (card.birth_date, card.valid_from, card.valid_to) == (None, None, None)
    assert {"finding.birth_unreadable", "finding.validity_unknown"} <= codes(card)


def test_garbled_validity_is_unknown_not_valid() -> None:
    card = parse(resident("张三", "2", "01", "19491231", "", "11010519491231002X", "20200101", "2026??01"))
    assert (card.valid_to, card.valid_long) == (None, False)
    assert "finding.validity_unknown" in codes(card)


def test_nothing_of_a_person_in_repr() -> None:
    shown = repr(parse(idcards.PRACTICE.text, idcards.PRACTICE.addresses))
    assert not [secret for secret in ("李练工", "19900512", "1990", "练习路", "工地路") if secret in shown]


def test_other_lengths_are_a_broken_frame() -> None:
    with pytest.raises(BrokenFrame):
        parse(idcards.ZHANG.text[:-1])


def test_a_block_without_name_and_number_is_the_readers_fault() -> None:
    with pytest.raises(ReaderOutdated):
        parse(b" \0" * 128)


@pytest.mark.parametrize("letter", ["A", "K", "Z"])
def test_a_kind_that_nobody_knows_is_said_plainly(letter: str) -> None:
    text = bytearray(idcards.ZHANG.text)
    text[248:250] = letter.encode("utf-16-le")
    with pytest.raises(CardKindUnknown) as caught:
        parse(bytes(text))
    assert caught.value.facts == {"kind": letter} and caught.value.code == "card.kind_unknown"


@pytest.mark.parametrize("sign", [" ", "\0", "1", "j", "\ufffe", "中"])
def test_what_marks_no_kind_is_a_resident_card(sign: str) -> None:
    text = bytearray(idcards.ZHANG.text)
    text[248:250] = sign.encode("utf-16-le")
    assert parse(bytes(text)) == parse(idcards.ZHANG.text)


def test_codes_of_the_tables_are_known() -> None:
    """GB/T 2261.1 and GB/T 3304: a code that stands in them is never odd."""
    for sex in ("0", "1", "2", "9"):
        assert "finding.sex_unknown" not in codes(replace(GOOD, sex=sex))
    for nation in (*(f"{code:02d}" for code in range(1, 57)), "97", "98"):
        assert "finding.nation_unknown" not in codes(replace(GOOD, nation=nation))
    for nation in ("00", "57", "96", "99", "", "1"):
        assert "finding.nation_unknown" in codes(replace(GOOD, nation=nation))


@pytest.mark.parametrize(("permit", "odd"), [
    ("H12345678", False), ("M12345678", False), ("M1234567801", False), ("12345678", False), ("1234567801", True), ("H1234567", True), ("X12345678", True),
    ("", True),
])
def test_numbers_of_travel_permits(permit: str, odd: bool) -> None:
    assert ("finding.travel_permit_malformed" in codes(replace(parse(idcards.CHEN.text), travel_permit_no=permit))) is odd


@pytest.mark.parametrize(("number", "first"), [("830000199001010012", "X02"), ("810000199001010019", "X01"), ("820000199001010010", "X01")])
def test_numbers_of_residence_permits(number: str, first: str) -> None:
    card = replace(parse(idcards.CHEN.text), number=number, sex="1")
    assert document_type(card) == first and not codes(card, date(2024, 1, 1)) & {"finding.number_series", "finding.number_check_digit", "finding.birth_differs"}


@pytest.mark.parametrize("number", ["932682198501010017", "911124198108030024", "931586198001010028"])
def test_published_numbers_of_the_2023_card(number: str) -> None:
    card = replace(parse(idcards.ALI_2023.text), number=number, birth_date=date(int(number[6:10]), int(number[10:12]), int(number[12:14])))
    assert codes(card) <= {"finding.earlier_number"}


def test_no_end_is_a_flag_and_no_date() -> None:
    card = parse(idcards.ZHANG.text)
    assert (card.valid_to, card.valid_long) == (None, True) and not codes(card, date(9999, 12, 31)) & {"finding.expired", "finding.validity_unknown"}


def test_the_17th_digit_tells_the_sex_of_residents() -> None:
    for first, sex in (("51000019900512001", "1"), ("51000019900512002", "2")):
        card = parse(resident("张三", sex, "01", "19900512", "", idcards.number(first), "20200601", "20400601"))
        assert "finding.sex_differs" not in codes(card)
        assert "finding.sex_differs" in codes(replace(card, sex={"1": "2", "2": "1"}[sex]))


def test_rare_characters_of_gb18030_come_through() -> None:
    card = parse(idcards.RARE.text)
    assert (card.name_zh, card.address) == ("𠮷㐀﨎", "示例省𬭚县㙍村1组")
    assert card.name_zh.encode("gb18030").decode("gb18030") == card.name_zh and codes(card) == set()


@given(st.one_of(st.binary(max_size=300), st.binary(min_size=256, max_size=256)), st.binary(max_size=300))
def test_any_bytes_give_a_card_or_a_named_trouble(untrusted: bytes, addresses: bytes) -> None:
    try:
        card = parse(untrusted, addresses)
    except DeviceTrouble as trouble:
        assert trouble.code
        return
    assert document_type(card) in {"111", "553", "X01", "X02"}
    assert all(finding.code.startswith("finding.") for finding in findings(card, TODAY))
    linked_number(card)


@example(248, b"K", idcards.ZHANG)
@given(st.integers(0, 255), st.binary(min_size=1, max_size=8), st.sampled_from([idcards.ZHANG, idcards.CHEN, idcards.ALI, idcards.ALI_2023]))
def test_damaged_cards_give_a_card_or_a_named_trouble(place: int, noise: bytes, of: idcards.SyntheticCard) -> None:
    damaged = (of.text[:place] + noise + of.text[place + len(noise):])[:256]
    try:
        card = parse(damaged)
    except DeviceTrouble as trouble:
        assert trouble.code
        return
    findings(card, TODAY)
