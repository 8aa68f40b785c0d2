"""The pure core: canonical bytes, drafts, issues, the frozen record."""

import json
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.canon import canon, digest, parse_canonical
from sync.draft import Draft, DraftStill, Source
from sync.errors import DraftIncomplete, FormatTrouble
from sync.freeze import Sitting, freeze, presence
from sync.life import STATES, allowed
from sync.record import ALL, ATTACHMENT_KINDS, SECTIONS, field_at
from sync.rules import check_digit, issues, uscc_fits
from sync.tables import Tables

NOW = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
TABLES = Tables.load()
SITTING = Sitting("6c0f5f4e-6f5d-4e66-9d5e-0f3f8b8c1a11", "510100-01", "07", "OP-000017", "王敏", "sha256:" + "0" * 64, True)


def complete() -> Draft:
    draft = Draft("d", "op:OP-000017", NOW)
    chip = {"person.name_zh": "李国强", "person.id_doc_type": "111", "person.id_doc_no": "51010419880312001" + check_digit("51010419880312001"),
            "person.sex": "1",
            "person.birth_date": "1988-03-12", "person.nation": "01", "person.id_valid_to": "2038-05-20"}
    typed = {"person.mobile": "13800000000", "education.level": "71", "employer.name": "四川示例建设有限公司", "skill[0].trade": "020", "skill[0].level": "3",
             "skill[0].cert_no": "2106-0088412"}
    draft = draft.take("person.categories", ("4",), Source.TYPED, by="OP-000017", at=NOW)
    for values, source in ((chip, Source.CHIP), (typed, Source.TYPED)):
        for path, value in values.items():
            draft = draft.take(path, value, source, by="OP-000017", at=NOW, device="reader" if source is Source.CHIP else "")
    for kind in ("portrait", "skill_certificate"):
        draft = draft.with_still(DraftStill(kind, kind, "image/jpeg", 10, digest(kind.encode())))
    return draft


def test_a_complete_draft_has_no_issue_and_freezes_to_canonical_bytes():
    draft = complete()
    assert issues(draft, NOW.date(), TABLES) == ()
    record = freeze(draft, SITTING, TABLES, "1d3b1b0a-8f4e-4f1c-9f57-9f2f6f2f0001", NOW)
    exact = canon(record.as_json())
    members = parse_canonical(exact)
    assert members["type"] == "hall-intake/practice-record/1"
    assert members["sections"]["skill"] == [{"trade": "020", "level": "3", "cert_no": "2106-0088412"}]
    assert members["provenance"]["person.name_zh"]["source"] == "chip"
    assert [a["name"] for a in members["attachments"]] == ["a1.jpg", "a2.jpg"]
    assert "李国强" not in repr(record) and "李国强" not in repr(draft)


def test_an_empty_draft_names_everything_at_once_and_does_not_freeze():
    draft = Draft("d", "op:X", NOW).take("person.categories", ("1", "4"), Source.TYPED, by="X", at=NOW)
    found = issues(draft, NOW.date(), TABLES)
    assert {"person.name_zh", "person.mobile", "education.level", "employer.name", "registration", "skill", "stills.portrait",
            "stills.registration_certificate",
            "stills.skill_certificate"} <= {i.path for i in found}
    with pytest.raises(DraftIncomplete) as caught:
        freeze(draft, SITTING, TABLES, "x", NOW)
    assert caught.value.facts["count"] == len(found)


@pytest.mark.parametrize(("path", "value", "code"), [
    ("person.mobile", "12345", "mobile.form"), ("person.mobile", "１3800000000", "mobile.form"), ("person.birth_date", "1988-13-12", "date.form"),
    ("person.birth_date", "1989-03-12", "idno.birth"), ("person.sex", "2", "idno.sex"), ("person.id_doc_no", "510104198803120010", "idno.check_digit"),
    ("person.id_doc_no", "5101", "idno.form"), ("skill[0].trade", "999", "code.unknown"), ("employer.uscc", "91510100X", "uscc.form"),
    ("person.id_valid_to", "2020-01-01", "id.expired"), ("contract.to", "2020-01-01", "contract.ended"), ("employer.name", "长" * 201, "field.too_long"),
])
def test_each_wrong_value_is_named(path: str, value: str, code: str):
    draft = complete().take(path, value, Source.TYPED, by="X", at=NOW)
    assert (code, path) in {(i.code, i.path) for i in issues(draft, NOW.date(), TABLES)}


def foreigner(number: str, **values: str) -> Draft:
    draft = complete().take("person.id_doc_type", "553", Source.TYPED, by="X", at=NOW).take("person.id_doc_no", number, Source.TYPED, by="X", at=NOW)
    for name, value in ({"birth_date": "1980-01-01", "sex": "1"} | values).items():
        draft = draft.take(f"person.{name}", value, Source.TYPED, by="X", at=NOW)
    return draft


def found_in(draft: Draft) -> set[tuple[str, str]]:
    return {(one.code, one.severity) for one in issues(draft, NOW.date(), TABLES)}


def test_numbers_of_permanent_residence_cards_old_and_new():
    assert found_in(foreigner("931586198001010028")) == set(), "the published specimen; its sequence says nothing of the sex"
    assert found_in(foreigner("PAK310080010103", nationality="PAK")) == set()
    assert found_in(foreigner("pak310080010103")) == set(), "small letters are taken for capitals"
    assert found_in(foreigner("PAK310080010104")) == {("idno.check_digit", "explain")}
    assert found_in(foreigner("PAK31008001010")) == {("idno.form_2017", "must")}
    assert found_in(foreigner("PAK310080010103", nationality="USA", birth_date="1980-01-02")) == {("idno.nationality", "explain"), ("idno.birth", "explain")}
    assert found_in(foreigner("931586198001010028", birth_date="1980-01-02")) == {("idno.birth", "must")}
    assert found_in(foreigner("11010519491231002X", birth_date="1949-12-31")) == {("idno.series", "explain")}


@pytest.mark.parametrize(("kind", "number", "found"), [
    ("X01", "810000199001010019", set()), ("X01", "820000199001010010", set()), ("X02", "830000199001010012", set()),
    ("X02", "810000199001010019", {("idno.series", "explain")}), ("111", "810000199001010019", {("idno.series", "explain")}),
    ("111", "932682198501010017", {("idno.series", "explain"), ("idno.birth", "must")}), ("111", "51300119900101001" + check_digit("51300119900101001"), set()),
    ("516", "H12345678", set()), ("516", "M1234567801", set()), ("516", "X1", {("permit.form", "explain")}), ("511", "12345678", set()),
    ("511", "H12345678", {("permit.form", "explain")}), ("414", "E12345678", set()),
])
def test_numbers_by_kind_of_document(kind: str, number: str, found: set[tuple[str, str]]):
    draft = complete().take("person.id_doc_type", kind, Source.TYPED, by="X", at=NOW).take("person.id_doc_no", number, Source.TYPED, by="X", at=NOW)
    assert found_in(draft.take("person.birth_date", "1990-01-01", Source.TYPED, by="X", at=NOW)) == found, "an abolished region is no issue"


def test_a_chip_may_differ_from_its_number_and_a_typed_date_may_not():
    for source, severity in ((Source.CHIP, "explain"), (Source.TYPED, "must"), (Source.SCAN, "must")):
        assert found_in(complete().take("person.birth_date", "1988-03-13", source, by="X", at=NOW)) == {("idno.birth", severity)}


def test_permit_numbers_beside_a_residence_permit():
    permit = complete().take("person.id_doc_type", "X01", Source.TYPED, by="X", at=NOW)
    permit = permit.take("person.id_doc_no", "810000199001010019", Source.TYPED, by="X", at=NOW)
    permit = permit.take("person.birth_date", "1990-01-01", Source.TYPED, by="X", at=NOW)
    assert found_in(permit.take("person.travel_permit_no", "H00000001", Source.TYPED, by="X", at=NOW)) == set()
    assert found_in(permit.take("person.travel_permit_no", "12345678", Source.TYPED, by="X", at=NOW)) == {("permit.form", "explain")}


def test_validity_is_unknown_rather_than_valid():
    without = complete().take("person.id_valid_to", "", Source.TYPED, by="X", at=NOW)
    assert found_in(without) == {("id.validity_unknown", "explain")}
    assert found_in(without.take("person.id_valid_long", True, Source.TYPED, by="X", at=NOW)) == set()
    assert found_in(complete().take("person.id_valid_long", True, Source.TYPED, by="X", at=NOW)) == {("id.validity_both", "must")}
    assert found_in(complete().take("person.id_valid_from", "2026-11-23", Source.TYPED, by="X", at=NOW)) == {("id.not_yet_valid", "explain")}
    future = complete().take("person.birth_date", "2026-11-23", Source.TYPED, by="X", at=NOW)
    assert found_in(future) == {("birth.future", "must"), ("idno.birth", "must")}


def test_a_document_valid_to_today_is_not_expired():
    draft = complete().take("person.id_valid_to", "2026-11-22", Source.CHIP, by="X", at=NOW)
    assert issues(draft, date(2026, 11, 22), TABLES) == ()
    assert issues(draft, date(2026, 11, 23), TABLES)[0].severity == "explain"


def test_an_emptied_value_leaves_and_a_removed_row_moves_the_later_ones_up():
    draft = complete().take("skill[1].trade", "010", Source.TYPED, by="X", at=NOW)
    assert draft.row_count("skill") == 2
    draft = draft.without_row("skill", 0)
    assert draft.row_count("skill") == 1 and draft.value("skill[0].trade") == "010" and draft.value("skill[0].cert_no") == ""
    assert draft.take("person.mobile", " ", Source.TYPED, by="X", at=NOW).value("person.mobile") == ""
    with pytest.raises(KeyError):
        draft.take("person.shoe_size", "43", Source.TYPED, by="X", at=NOW)


def test_a_draft_survives_its_parked_form():
    draft = complete()
    again = Draft.from_json(json.loads(json.dumps(draft.as_json())))
    assert again.as_json() == draft.as_json() and again.categories() == frozenset({"4"})
    with pytest.raises(FormatTrouble):
        Draft.from_json({"draft_id": "x"})


def test_text_is_normalised_when_it_comes_in():
    draft = Draft("d", "o", NOW).take("person.name_latin", "  Cafe\u0301 ", Source.TYPED, by="X", at=NOW)
    assert draft.value("person.name_latin") == "Caf\u00e9"


def test_a_presence_names_the_station_and_its_notice():
    record = presence(complete(), SITTING, "1d3b1b0a-8f4e-4f1c-9f57-9f2f6f2f0002", NOW,
                      {"version": "1", "agreed_at": "2026-11-22T06:00:00Z", "face": "not-used"})
    assert record.as_json()["type"] == "hall-intake/practice-presence/1" and record.as_json()["notice"]["face"] == "not-used"


@pytest.mark.parametrize("untrusted", [b'{"a":1, "b":2}', b'{"b":1,"a":2}', b'{"a":1,"a":1}', b"[1]", b"\xff", b'{"a":NaN}', b'{"a":1.5}', b"[" * 100_000])
def test_bytes_that_are_not_canonical_are_refused(untrusted: bytes):
    with pytest.raises(FormatTrouble):
        parse_canonical(untrusted)


TEXTS = st.text(st.characters(exclude_categories=["Cs"]))


@given(st.dictionaries(TEXTS, TEXTS | st.integers(-2**53 + 1, 2**53 - 1) | st.booleans()))
def test_canonical_bytes_come_back(obj: dict[str, object]):
    assert parse_canonical(canon(obj)) == obj


@given(st.binary(max_size=200))
def test_any_bytes_are_an_object_or_a_named_trouble(untrusted: bytes):
    try:
        assert isinstance(parse_canonical(untrusted), dict)
    except FormatTrouble as trouble:
        assert trouble.code == "sync.format"


def test_states_name_only_known_states_and_nothing_leaves_purged():
    assert all(after in STATES for follow in STATES.values() for after in follow)
    assert STATES["purged"] == frozenset() and allowed("kept", "uploading") and not allowed("purged", "kept") and not allowed("kept_unsigned", "uploading")


def test_every_code_field_names_a_table_and_every_path_resolves():
    for section in SECTIONS:
        for field in section.fields:
            path = f"{section.name}[0].{field.name}" if section.repeats else f"{section.name}.{field.name}"
            assert field_at(path) is field
            if field.kind in ("code", "codes"):
                assert TABLES.rows(field.table)
    assert all(kind.need <= ALL for kind in ATTACHMENT_KINDS)


def test_check_digits_of_the_standards():
    assert check_digit("11010519491231002") == "X"
    assert uscc_fits("91350100M000100Y43") and not uscc_fits("91350100M000100Y44")
