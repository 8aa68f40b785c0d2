"""Social security cards: records by tag, the manners of T=0, and hints that say nothing rather than guess. Never needs a reader."""

from __future__ import annotations

import threading
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.cards.socialcard import APPLICATION, SocialCardHint, hint_of, read_hint, values
from devices.errors import BrokenFrame, Cancelled, CardUnknown, DeviceTrouble
from tests.emulators import social_card
from tests.emulators.social_card import SocialCard, entry


def hint(card: SocialCard) -> SocialCardHint:
    return read_hint(card.transmit, threading.Event())


@pytest.mark.parametrize(("files", "name"), [(social_card.FIRST, "李练工"), (social_card.SECOND, "李练工·买买提")])
def test_both_generations_say_the_same(files: dict[int, list[bytes]], name: str) -> None:
    found = hint(SocialCard(files))
    assert found == SocialCardHint(name=name, number="510000199005120017", sex="1", nation="01", birth_date=date(1990, 5, 12), card_no="A12345678",
                                   region="510000", version="2.00", issued=date(2018, 1, 1), expires=date(2028, 1, 1))


def test_the_application_is_named_as_published_and_no_other_is_selected() -> None:
    card = SocialCard(social_card.FIRST)
    hint(card)
    assert APPLICATION.hex().upper() == "7378312E73682EC9E7BBE1B1A3D5CF"
    selected = [apdu for apdu in card.asked if apdu[1] == 0xA4 and apdu[2] == 4]
    assert [apdu[5:] for apdu in selected] == [APPLICATION]
    assert {apdu[1] for apdu in card.asked} == {0xA4, 0xB2, 0xC0}, "nothing but SELECT, READ RECORD and GET RESPONSE: no PIN"


def test_another_card_is_not_one() -> None:
    with pytest.raises(CardUnknown):
        hint(SocialCard({}, application=False))
    with pytest.raises(BrokenFrame):
        hint(SocialCard({}))


def test_a_file_without_end_is_left_after_a_dozen_records() -> None:
    card = SocialCard(social_card.FIRST | {0xEF06: [entry(0x08, b"51000019900512001X")] * 40})
    assert hint(card).number == "51000019900512001X"
    assert max(apdu[2] for apdu in card.asked if apdu[1] == 0xB2) == 12


def test_a_card_that_never_gives_what_it_announced_ends() -> None:
    with pytest.raises(BrokenFrame):
        hint(SocialCard(social_card.FIRST, stubborn=True))


@pytest.mark.parametrize("after", range(6))
def test_it_can_be_called_off_between_commands(after: int) -> None:
    card, cancel = SocialCard(social_card.FIRST), threading.Event()

    def transmit(apdu: bytes) -> bytes:
        if len(card.asked) >= after:
            cancel.set()
        return card.transmit(apdu)

    with pytest.raises(Cancelled):
        read_hint(transmit, cancel)
    assert len(card.asked) <= after + 3


def test_what_may_mean_two_things_is_left_out() -> None:
    def nation(byte: int) -> str:
        return hint_of([entry(0x0B, bytes((byte,)))]).nation

    assert [nation(byte) for byte in (0x01, 0x09, 0x0B, 0x11, 0x38, 0x56, 0x97, 0x61, 0x00, 0xFF)] == ["01", "09", "11", "", "", "56", "97", "97", "", ""]
    assert [hint_of([entry(0x0A, value)]).sex for value in (b"1", b"\x02", b"9", b"7", b"\xff")] == ["1", "2", "9", "", ""]
    unreadable = hint_of([entry(0x08, b"51000019900512001Y"), entry(0x0D, bytes.fromhex("19901301")), entry(0x07, b"A1234567\x01"), entry(0x05, b"\xff" * 4)])
    assert unreadable == SocialCardHint()


def test_rare_names_and_filling() -> None:
    assert hint_of([entry(0x09, "𠮷㐀".encode("gb18030") + b"\xff\xff")]).name == "𠮷㐀"
    assert hint_of([entry(0x09, "张三".encode("gbk") + b"  ")]).name == "张三"
    assert "\ufffd" in hint_of([entry(0x09, b"\xd5\xc5\xc8")]).name


def test_entries_end_where_they_stop_making_sense() -> None:
    good = entry(0x0A, b"1")
    assert list(values(good + b"\x99\x01\x00" + good)) == [(0x0A, b"1")]
    assert list(values(good + b"\x0a\x05\x00")) == [(0x0A, b"1")]
    assert list(values(good + b"\x0a\x00" + good)) == [(0x0A, b"1")]
    assert list(values(b"\x0a")) == []


def test_nothing_of_a_person_in_repr() -> None:
    assert not [secret for secret in ("李练工", "19900512", "A12345678") if secret in repr(hint(SocialCard(social_card.FIRST)))]


@given(st.lists(st.binary(max_size=60), max_size=6))
def test_any_records_give_a_hint_or_a_named_trouble(records: list[bytes]) -> None:
    try:
        assert isinstance(hint_of(records), SocialCardHint)
    except DeviceTrouble as trouble:
        assert trouble.code


@given(st.lists(st.binary(max_size=70), min_size=1, max_size=20))
def test_any_answers_give_a_hint_or_a_named_trouble(answers: list[bytes]) -> None:
    left = list(answers)
    try:
        read_hint(lambda apdu: left.pop(0) if left else b"\x6a\x82", threading.Event())
    except DeviceTrouble as trouble:
        assert trouble.code
