"""Facts as people say them, and what hides made visible."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from desktop.flows.words import CourierFacts, OutboxFacts
from desktop.hall_time import at_hall
from desktop.messages import LANGUAGES, Words
from desktop.staff.wording import ago, group, issue_words, label_of, masked, platform_words, record_place, visible
from sync.life import STATES
from sync.record import ATTACHMENT_KINDS, SECTIONS
from sync.rules import Issue

WORDS = Words("zh_CN")
NOW = datetime(2026, 11, 22, 6, 2, tzinfo=UTC)


def test_times_as_people_say_them() -> None:
    assert ago(WORDS, NOW - timedelta(seconds=20), NOW) == "刚才"
    assert ago(WORDS, NOW - timedelta(minutes=3, seconds=59), NOW) == "3 分钟前"
    assert ago(WORDS, NOW - timedelta(days=9), NOW) == at_hall(NOW - timedelta(days=9)).strftime("%Y-%m-%d")
    assert ago(WORDS, NOW + timedelta(minutes=5), NOW).count(":") == 1


def test_the_platform_lamp_is_honest() -> None:
    assert platform_words(WORDS, CourierFacts(), NOW) == ("正在连平台", "quiet")
    assert platform_words(WORDS, CourierFacts(True), NOW)[1] == "good"
    assert platform_words(WORDS, CourierFacts(False, NOW - timedelta(minutes=12)), NOW) == ("断网 12 分钟，可继续办", "wait")
    assert platform_words(WORDS, CourierFacts(False, NOW - timedelta(hours=5)), NOW)[0] == "断网 5 小时，可继续办"
    revoked = CourierFacts(False, NOW, error_code="province.station_revoked")
    assert platform_words(WORDS, revoked, NOW) == ("平台不收本机的，找管理员", "stop"), "nothing comes back by itself"
    assert record_place(WORDS, ROW, revoked, NOW)[1] == "省平台停用了这台机器，恢复了会接着传"
    assert record_place(WORDS, ROW, replace(revoked, error_code="province.busy"), NOW)[1] == "省平台现在忙，通了就传"


@pytest.mark.parametrize(("code", "said", "tone"), [
    ("province.unreachable", "断网 12 分钟，可继续办", "wait"), ("province.station_revoked", "平台不收本机的，找管理员", "stop"),
    ("province.station_cloned", "平台不收本机的，找管理员", "stop"), ("province.tls", "对面不是省平台，可继续办", "wait"),
    ("province.proxy", "代理不通，可继续办", "wait"), ("province.clock", "本机时间不对，传不了，可继续办", "wait"),
    ("province.busy", "省平台忙，可继续办", "wait"),
    ("", "断网 12 分钟，可继续办", "wait"), ("sync.format", "连不上平台，可继续办", "wait"),
])
def test_a_line_that_is_up_is_never_called_down(code: str, said: str, tone: str) -> None:
    courier = CourierFacts(False, NOW - timedelta(minutes=12), error_code=code)
    assert platform_words(WORDS, courier, NOW) == (said, tone)
    assert platform_words(Words("en"), courier, NOW)[1] == tone


ROW = OutboxFacts("r-1", "李国强", "0012", ("4",), "kept", NOW)


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("state", STATES)
def test_every_state_has_words_and_uploaded_is_said_only_when_it_is_true(state: str, lang: str) -> None:
    words = Words(lang)
    where, _why, tone = record_place(words, replace(ROW, state=state), CourierFacts(True), NOW)
    assert where
    assert (where == words("state.receipted")) == (state in {"receipted", "purged"})
    assert (tone == "good") == (state in {"receipted", "purged"})


def test_remote_states_and_reasons() -> None:
    assert record_place(WORDS, replace(ROW, state="receipted", remote="accepted"), CourierFacts(True), NOW)[0] == "已受理"
    returned = replace(ROW, state="receipted", remote="correction_required", items=("合同缺页", "电话不通"))
    assert record_place(WORDS, returned, CourierFacts(True), NOW) == ("退回补正", "合同缺页；电话不通", "stop")
    aside = replace(ROW, state="set_aside", error_code="receipt.mismatch")
    assert record_place(WORDS, aside, CourierFacts(True), NOW)[1] == "省平台的回执和发出去的对不上"
    assert "odd.code" in record_place(WORDS, replace(ROW, state="set_aside", error_code="odd.code"), CourierFacts(True), NOW)[1]
    assert record_place(WORDS, ROW, CourierFacts(False, NOW), NOW)[1] == "断网，连上就传"
    assert record_place(WORDS, replace(ROW, remote="brand_new", state="receipted"), CourierFacts(True), NOW)[0] == "已上传"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_field_has_a_label_and_every_issue_words(lang: str) -> None:
    words = Words(lang)
    for section in SECTIONS:
        for field in section.fields:
            assert label_of(f"{section.name}{'[1]' if section.repeats else ''}.{field.name}", words)
    for kind in ATTACHMENT_KINDS:
        assert label_of(f"stills.{kind.name}", words)
    for code, path in (("field.missing", "person.mobile"), ("section.missing", "skill"), ("attachment.missing", "stills.portrait"),
                       ("code.unknown", "skill[0].trade"),
                       ("date.form", "contract.to"), ("mobile.form", "person.mobile"), ("uscc.form", "employer.uscc"),
                       ("contract.ended", "contract.to"),
                       ("date.order", "training[1].to"), ("idno.form", "person.id_doc_no"), ("idno.check_digit", "person.id_doc_no"),
                       ("idno.birth", "person.birth_date"), ("idno.sex", "person.sex"), ("field.too_long", "employer.name"),
                       ("field.form", "training[0].hours")):
        said = issue_words(Issue(code, path, "must"), words)
        assert said and code not in said, code
    assert "2026-01-01" in issue_words(Issue("id.expired", "person.id_valid_to", "explain", {"date": "2026-01-01"}), words)
    assert "odd.new" in issue_words(Issue("odd.new", "person.mobile", "must"), words), "an unknown kind keeps its code"


@pytest.mark.parametrize(("text", "shown"), [
    ("四川\u202e司公", "四川⟨U+202E⟩司公"), ("a\u200bb", "a⟨U+200B⟩b"), ("a\ufeff", "a⟨U+FEFF⟩"), ("a\u2066b\u2069", "a⟨U+2066⟩b⟨U+2069⟩"),
    ("a\x00b\n", "a⟨U+0000⟩b⟨U+000A⟩"),    ("\u3164x", "⟨U+3164⟩x"), ("a\u00adb", "a⟨U+00AD⟩b"), ("买买提·艾力 (1)", "买买提·艾力 (1)"), ("𠮷野家", "𠮷野家"),
    ("é", "é"), ("\ue000", "⟨U+E000⟩"),
])
def test_what_hides_is_made_visible(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_masks_and_groups() -> None:
    assert masked("510104198803120012") == "5101**********0012" and masked("AB12") == "**12" and masked("") == ""
    assert group("sha256:0123456789abcdef", 8) == "01234567 89abcdef"
