"""Hidden, turning and look-alike characters are found; names of all peoples and usual addresses pass without a word."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.oddities import is_hidden, oddities, visible


def found(text: str) -> list[tuple[str, str, str]]:
    return [(one.character, one.kind, one.like) for one in oddities(text)]


@pytest.mark.parametrize("text", [
    "李国强", "四川省成都市锦江区练习路1号A座3单元", "买买提·艾力", "川建技 2106-0088412", "O'Connor-Smith, José", "Нгуен Ван", "Παύλος", "〇一二三", "王〇〇",
    "（一）、“测试”——完",
    "རྒྱལ་མཚན", "محمد", "𠮷野家", "51010419880312001X", "", "2026年11月22日 06:00", "α粒子", "ハヤシ", "김철수", "株式会社",
    "①②", "甲　乙", "é", "100%", "C++", "叁佰元整",
])  # fmt: skip
def test_what_people_really_write_passes(text: str) -> None:
    assert found(unicodedata.normalize("NFC", text)) == []


@pytest.mark.parametrize(("text", "character", "kind", "like"), [
    ("甲\u202e乙", "\u202e", "turning", ""), ("甲\u2066乙", "\u2066", "turning", ""), ("甲\u200b乙", "\u200b", "hidden", ""),
    ("甲\ufeff", "\ufeff", "hidden", ""), ("甲\u3164", "\u3164", "hidden", ""), ("甲\u00ad乙", "\u00ad", "hidden", ""),
    ("葛\U000e0100", "\U000e0100", "hidden", ""),
    ("甲\x00", "\x00", "hidden", ""), ("甲\ue000", "\ue000", "hidden", ""), ("甲\u2028乙", "\u2028", "hidden", ""), ("\U000e0041", "\U000e0041", "hidden", ""),
    ("a\u00a0b", "\u00a0", "lookalike", " "), ("买买提\u2022艾力", "\u2022", "lookalike", "·"), ("2106\u20130088412", "\u2013", "lookalike", "-"),
    ("2106一0088412", "一", "lookalike", "-"), ("1\u22122", "\u2212", "lookalike", "-"),
    ("pаypal", "а", "lookalike", "a"), ("ΟK", "Ο", "lookalike", "O"), ("李国ニ", "ニ", "lookalike", "二"), ("王ハ一", "ハ", "lookalike", "八"),
    ("\u2f00二", "\u2f00", "lookalike", "一"), ("\u2e81", "\u2e81", "lookalike", ""), ("ＡＢ", "Ａ", "lookalike", "A"), ("２", "２", "lookalike", "2"),
    ("١", "١", "lookalike", "1"), ("王○", "○", "lookalike", "〇"), ("王\u0307", "\u0307", "lookalike", ""), ("1\u20e3", "\u20e3", "lookalike", ""),
])  # fmt: skip
def test_what_is_not_what_it_looks_like_is_found(text: str, character: str, kind: str, like: str) -> None:
    assert (character, kind, like) in found(text)


def test_place_and_name() -> None:
    (one,) = oddities("甲乙\u202e丙")
    assert (one.at, one.name) == (2, "U+202E RIGHT-TO-LEFT OVERRIDE")
    assert oddities("\ue000")[0].name == "U+E000"


def test_the_rarer_script_of_a_word_is_the_odd_one() -> None:
    assert [one.character for one in oddities("Москвa")] == ["a"]
    assert [one.character for one in oddities("pаypаl")] == ["а", "а"]
    assert [one.character for one in oddities("カ力")] == ["カ"], "of two alike in number, Chinese is the usual one"


def test_visible_shows_what_hides_and_leaves_the_rest() -> None:
    assert visible("甲\u202e乙\u200b") == "甲⟨U+202E⟩乙⟨U+200B⟩"
    assert visible("葛\U000e0100") == "葛⟨U+E0100⟩" and visible("a\nb") == "a⟨U+000A⟩b"
    assert visible("pаypal 李") == "pаypal 李"


@given(st.text(max_size=40))
def test_nothing_hidden_is_left_and_nothing_breaks(text: str) -> None:
    shown = visible(text)
    assert not any(is_hidden(sign) for sign in shown)
    places = [one.at for one in oddities(text)]
    assert places == sorted(set(places)) and all(text[one.at] == one.character for one in oddities(text))
    assert {at for at, sign in enumerate(text) if is_hidden(sign)} <= set(places)
