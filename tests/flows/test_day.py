"""The day at the desk: reconciliation sheet, export of one record, what the platform changed, what works offline. Pure tables only."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from desktop.flows.intake import intake
from desktop.flows.intake_state import IntakeState, SheetState
from desktop.flows.machine import Failed
from desktop.flows.notices import StationView, changes, view_from, view_text
from desktop.flows.offline import ABILITIES, stands
from desktop.flows.words import (
    BackPressed,
    BatchAsked,
    ClosePreview,
    DraftOpened,
    DraftParked,
    ListParked,
    OpenDraft,
    OperatorIn,
    OutboxListed,
    PagePicked,
    ParkDraft,
    ParkedFacts,
    ParkedListed,
    ParkedPicked,
    PortraitPressed,
    RecordPicked,
    RetryPressed,
    Send,
    SittingMade,
    TroubleClosed,
)
from desktop.flows.words.day import (
    Change,
    DayPicked,
    Exported,
    ExportRecord,
    ExportTold,
    ExportWanted,
    MakeSheet,
    PrintSheet,
    RepairPressed,
    RepairReady,
    RepairRecord,
    SaveSheet,
    SheetCounted,
    SheetMade,
    SheetSaved,
    SheetWanted,
    StationChanged,
    StopSheet,
)
from desktop.messages import LANGUAGES, Words
from desktop.staff.panel_words import news_rows
from devices.errors import Cancelled
from sync.errors import ProvinceUnreachable, RepairThere, StoreTrouble
from sync.journal import JournalFault
from sync.reconcile import KINDS
from sync.tables import Tables
from tests.flows.sample import NOW, OPERATOR, STATION, full_draft
from tests.scenes.day_scenes import TODAY, outbox, sheet

FLOW = intake(Tables.load())
YESTERDAY = TODAY - timedelta(days=1)
FAULT = JournalFault("x", what="journal", line=3)


def play(*events: object, state: IntakeState | None = None) -> tuple[IntakeState, list[object]]:
    """The state after these events of a person who is in, and the effects of the last one."""
    now, last = state or FLOW.step(FLOW.start(), OperatorIn(OPERATOR, STATION))[0], list[object]()
    for event in events:
        now, effects = FLOW.step(now, event)
        last = list(effects)
    return now, last


# -- the sheet ----------------------------------------------------------------------------------------------------------------------------
def test_opening_the_page_makes_todays_sheet() -> None:
    state, effects = play(PagePicked("sheet"))
    assert effects == [MakeSheet()] and state.sheet == SheetState(working=True)
    state, _ = play(SheetCounted(1000, 4000), state=state)
    assert (state.sheet.done, state.sheet.total) == (1000, 4000)
    state, _ = play(SheetMade(sheet()), state=state)
    assert not state.sheet.working and state.sheet.facts == sheet()


def test_days_before_and_after_but_none_that_has_not_come() -> None:
    shown, _ = play(PagePicked("sheet"), SheetMade(sheet()))
    state, effects = play(DayPicked(YESTERDAY), state=shown)
    assert effects == [MakeSheet(YESTERDAY)] and state.sheet.asked == YESTERDAY
    state, _ = play(SheetMade(sheet(day=YESTERDAY)), state=state)
    assert state.sheet.facts.sheet.day == YESTERDAY
    assert play(DayPicked(again=True), state=state)[1] == [MakeSheet(YESTERDAY)]
    assert play(DayPicked(TODAY + timedelta(days=1)), state=shown) == (shown, [])


def test_the_sheet_that_is_shown_is_the_one_that_was_asked_for_last() -> None:
    shown, _ = play(PagePicked("sheet"), SheetMade(sheet()))
    state, _ = play(DayPicked(YESTERDAY), state=shown)
    state, effects = play(DayPicked(TODAY), state=state)
    assert effects == [StopSheet(), MakeSheet(TODAY)]
    state, _ = play(SheetMade(sheet(day=YESTERDAY)), state=state)
    assert state.sheet.working, "the one of yesterday came late"
    state, _ = play(Failed(Cancelled("x"), "MakeSheet"), SheetMade(sheet()), state=state)
    assert state.sheet.facts.sheet.day == TODAY and not state.sheet.failed


@pytest.mark.parametrize("away", [BackPressed(), PagePicked("outbox")])
def test_leaving_stops_what_is_not_wanted_any_more(away: object) -> None:
    state, effects = play(PagePicked("sheet"), away)
    assert StopSheet() in effects and state.sheet == SheetState() and state.page != "sheet"
    state, _ = play(SheetMade(sheet()), state=state)
    assert state.sheet.facts is None


def test_a_sheet_that_cannot_be_made_says_why_and_is_tried_again() -> None:
    state, _ = play(PagePicked("sheet"), SheetMade(sheet()), DayPicked(YESTERDAY), Failed(FAULT, "MakeSheet"))
    assert state.sheet.failed and state.sheet.facts is None and state.trouble is FAULT
    state, effects = play(RetryPressed(), state=state)
    assert effects == [Send("intake", DayPicked(YESTERDAY))] and state.trouble is None
    state, effects = play(DayPicked(YESTERDAY), state=state)
    assert effects == [MakeSheet(YESTERDAY)] and state.sheet.working


def test_paper_only_of_what_is_shown() -> None:
    assert play(PagePicked("sheet"), SheetWanted())[1] == []
    state, effects = play(PagePicked("sheet"), SheetMade(sheet()), SheetWanted())
    assert effects == [PrintSheet(sheet())]
    assert play(SheetWanted("/x/day.pdf"), state=state)[1] == [SaveSheet(sheet(), "/x/day.pdf")]
    state, _ = play(SheetSaved(), state=state)
    assert state.sheet.saved
    failed, _ = play(Failed(StoreTrouble("x"), "PrintSheet"), state=state)
    assert failed.trouble is not None and failed.sheet.facts is not None and play(TroubleClosed(), state=failed)[0].trouble is None


def test_a_sitting_stays_what_it_was() -> None:
    state, _ = play(SittingMade("d-1", NOW), PagePicked("sheet"), SheetMade(sheet()), BackPressed())
    assert state.page == "desk" and state.draft is not None and state.draft.draft_id == "d-1"


# -- one record onto a medium, signing of many, news ---------------------------------------------------------------------------------------
def test_export_of_one_record_and_its_code_stays_until_it_is_written_down() -> None:
    state, effects = play(outbox(), ExportWanted("r-2", "/x/a.zip"))
    assert effects == [ExportRecord("r-2", "/x/a.zip")] and state.exporting == "r-2"
    assert play(ExportWanted("r-4", "/x/b.zip"), state=state)[1] == [], "one at a time"
    state, _ = play(Exported("r-2", "/x/a.zip", "ABCD-EFGH"), BackPressed(), PagePicked("outbox"), state=state)
    assert state.exported is not None and state.exported.code == "ABCD-EFGH" and state.exporting == ""
    assert "ABCD" not in repr(state)
    assert play(ExportTold(), state=state)[0].exported is None
    assert play(outbox(), ExportWanted("r-7", "/x/a.zip"))[1] == [], "the platform has it: there is nothing to carry"
    failed, _ = play(outbox(), ExportWanted("r-2", "/x/a.zip"), Failed(StoreTrouble("x"), "ExportRecord"))
    assert failed.exporting == "" and failed.trouble is not None


# -- repair of one that was set aside -----------------------------------------------------------------------------------------------------
ASIDE = (outbox(), PagePicked("returned"), RecordPicked("r-2"))


def test_what_was_set_aside_comes_to_the_desk_as_a_sitting() -> None:
    state, effects = play(*ASIDE, RepairPressed())
    assert effects == [RepairRecord("r-2")] and state.repairing == "r-2"
    assert play(RepairPressed(), state=state)[1] == [], "one at a time"
    state, effects = play(RepairReady("r-2", "d-9"), state=state)
    assert effects == [ListParked(), Send("intake", ParkedPicked("d-9"))] and state.repairing == ""
    state, effects = play(ParkedPicked("d-9"), state=state)
    assert effects == [OpenDraft("d-9")]
    state, _ = play(DraftOpened(replace(full_draft("d-9"), replaces="r-2"), {}, NOW, None), state=state)
    assert state.page == "desk" and state.draft is not None and state.draft.replaces == "r-2"
    back, _ = play(PagePicked("returned"), RecordPicked("r-2"), RepairPressed(), RepairReady("r-2", "d-9"), ParkedPicked("d-9"), state=state)
    assert back.page == "desk" and back.draft == state.draft, "asked for again it is the sitting that is open"


def test_an_open_sitting_is_parked_first() -> None:
    state, _ = play(SittingMade("d-1", NOW), *ASIDE)
    state = replace(state, draft=full_draft("d-1"))
    state, effects = play(RepairPressed(), RepairReady("r-2", "d-9"), ParkedPicked("d-9"), state=state)
    assert effects == [ParkDraft(full_draft("d-1"))]
    assert OpenDraft("d-9") in play(DraftParked("d-1"), state=state)[1]


def test_only_what_is_set_aside_and_only_where_it_is_shown() -> None:
    for events in ((outbox(), PagePicked("outbox"), RecordPicked("r-4")), (outbox(), RecordPicked("r-2")), (*ASIDE, RecordPicked("r-0"))):
        assert play(*events, RepairPressed())[1] == []


def test_a_repair_that_cannot_be_opened_says_why() -> None:
    state, _ = play(*ASIDE, RepairPressed(), Failed(RepairThere("x"), "RepairRecord"))
    assert state.repairing == "" and state.trouble is not None and state.retry is None and state.page == "returned"
    state, _ = play(*ASIDE, RepairPressed(), Failed(ProvinceUnreachable("x"), "RepairRecord"))
    state, effects = play(RetryPressed(), state=state)
    assert effects == [Send("intake", RepairPressed())]
    assert play(RepairPressed(), state=state)[1] == [RepairRecord("r-2")]


def test_whoever_went_on_meanwhile_is_not_torn_away() -> None:
    asked, _ = play(*ASIDE, RepairPressed())
    state, effects = play(PagePicked("health"), RepairReady("r-2", "d-9"), state=asked)
    assert effects == [ListParked()] and state.page == "health"
    other, _ = play(OperatorIn(replace(OPERATOR, operator_id="OP-000018"), STATION), state=asked)
    state, effects = play(RepairReady("r-2", "d-9"), state=other)
    assert effects == [ListParked()] and state == other


def test_another_person_does_not_see_the_code() -> None:
    state, _ = play(outbox(), ExportWanted("r-2", "/x/a.zip"), Exported("r-2", "/x/a.zip", "ABCD-EFGH"))
    other = replace(OPERATOR, operator_id="OP-000018")
    assert play(OperatorIn(other, STATION), state=state)[0].exported is None


def test_an_answer_that_comes_after_another_person_sat_down_is_not_theirs() -> None:
    """A sheet of a large journal takes seconds: long enough for a lock, a PIN and the same page again."""
    mine, theirs = f"op:{OPERATOR.operator_id}", "op:OP-000018"
    asked, _ = play(PagePicked("sheet"))
    after, _ = play(OperatorIn(replace(OPERATOR, operator_id="OP-000018"), STATION), PagePicked("sheet"), state=asked)
    listed = OutboxListed((replace(outbox().rows[0]),), {}, owner=mine)
    for late in (SheetMade(sheet(), mine), listed, ParkedListed((ParkedFacts("d-1", "李国强", "0018", NOW),), mine)):
        assert play(late, state=after)[0] == after, "the people of who sat here before"
    state, _ = play(SheetMade(sheet(), theirs), replace(listed, owner=theirs), state=after)
    assert state.sheet.facts == sheet() and state.outbox == listed.rows


def test_the_page_of_signing_is_another_flow() -> None:
    state, effects = play(PagePicked("batch"))
    assert effects == [Send("batch", BatchAsked("sign"))] and state.page == "desk"
    state, effects = play(SittingMade("d-1", NOW), PortraitPressed(), PagePicked("batch"))
    assert effects == [ClosePreview(), Send("batch", BatchAsked("sign"))] and state.capture is None and state.draft is not None


def test_the_first_list_of_code_tables_is_no_news() -> None:
    assert changes(replace(VIEW, editions={}), VIEW, NOW) == ()


def test_changes_are_known_before_anybody_is_in_and_stay_for_the_next() -> None:
    told = StationChanged((Change("keys", NOW),), ())
    state, _ = FLOW.step(FLOW.start(), told)
    state, _ = FLOW.step(state, OperatorIn(OPERATOR, STATION))
    assert state.changes == told.changes
    assert play(SittingMade("d-1", NOW), OutboxListed((), {}), state=state)[0].changes == told.changes


VIEW = StationView("大厅", "07", {"OP-1": ("王敏", frozenset({"collector"}))}, frozenset({"s1"}), 30, 7, {"sex": "2020", "degree": "2020"}, "k1", "c1",
                   {"st-1": ("07", "good")}, frozenset({"t1"}), "none")


@pytest.mark.parametrize(("after", "what", "facts"), [
    (replace(VIEW, people={**VIEW.people, "OP-2": ("刘洋", frozenset({"supervisor", "collector"}))}), "person_in",
     {"name": "刘洋", "roles": "collector,supervisor"}),
    (replace(VIEW, people={}), "person_out", {"name": "王敏"}),
    (replace(VIEW, people={"OP-1": ("王敏", frozenset({"supervisor"}))}), "person_roles", {"name": "王敏", "roles": "supervisor"}),
    (replace(VIEW, hall="新大厅"), "hall", {"hall": "新大厅"}),
    (replace(VIEW, window="08"), "window", {"window": "08"}),
    (replace(VIEW, readers=frozenset({"s1", "s2"})), "readers_in", {"n": "1"}),
    (replace(VIEW, readers=frozenset[str]()), "readers_out", {"n": "1"}),
    (replace(VIEW, retention_days=60), "retention", {"n": "60"}),
    (replace(VIEW, publicity_workdays=5), "publicity", {"n": "5"}),
    (replace(VIEW, editions={"sex": "2026", "degree": "2026"}), "tables", {"n": "2", "tables": "degree,sex"}),
    (replace(VIEW, editions={"sex": "2020"}), "tables_out", {"n": "1", "tables": "degree"}),
    (replace(VIEW, keys="k2"), "keys", {}),
    (replace(VIEW, trust=frozenset({"t2", "t3"})), "trust", {"n": "2", "gone": "1"}),
    (replace(VIEW, late="30 days"), "late", {}),
    (replace(VIEW, stations={**VIEW.stations, "st-2": ("08", "good")}), "station_in", {"window": "08"}),
    (replace(VIEW, stations={"st-1": ("07", "lent")}), "station_state", {"window": "07", "state": "lent"}),
    (replace(VIEW, stations={}), "station_out", {"window": "07"}),
    (replace(VIEW, certificate="c2"), "certificate", {}),
])
def test_every_change_is_told_and_has_words(after: StationView, what: str, facts: dict[str, str]) -> None:
    assert changes(VIEW, after, NOW) == (Change(what, NOW, facts),)
    assert changes(after, after, NOW) == () and view_from(view_text(after)) == after
    for lang in LANGUAGES:
        assert Words(lang)(f"news.{what}", **facts)


# -- offline ------------------------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_table_and_every_state_of_a_station_that_comes_down_has_a_name(lang: str) -> None:
    words = Words(lang)
    assert [name for name in Tables.load().by_name if not name.startswith("map_") and not words.has(f"table.{name}")] == []
    assert [state for state in ("good", "lent", "replaced", "revoked", "cloned") if not words.has(f"station_state.{state}")] == []
    told = Change("station_state", NOW, {"window": "07", "state": "lent"})
    row, = news_rows(words, replace(FLOW.start(), changes=(told, )), NOW)
    assert words("station_state.lent") in row.title and "lent}" not in row.title
    told = Change("tables", NOW, {"n": "1", "tables": "workdays"})
    assert words("table.workdays") in news_rows(words, replace(FLOW.start(), changes=(told, )), NOW)[0].title


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_function_says_in_words_what_becomes_of_it_offline(lang: str) -> None:
    words = Words(lang)
    for one in ABILITIES:
        assert words(f"ability.{one.name}")
        assert words.has(f"ability.{one.name}_off") == (one.needs != "nothing"), one.name
        assert words.has("sync.ability_refused") and words.has(f"sync.ability_{stands(one, False)}") and words.has(f"sync.ability_{stands(one, None)}")


def test_what_needs_the_line_never_claims_to_work_without_it() -> None:
    upload = next(one for one in ABILITIES if one.name == "upload")
    assert [stands(upload, online) for online in (True, False, None)] == ["works", "waits", "unknown"]
    sign = next(one for one in ABILITIES if one.name == "sign")
    assert [stands(sign, online) for online in (True, False, None)] == ["works", "aged", "aged"]
    keep = next(one for one in ABILITIES if one.name == "keep")
    assert {stands(keep, online) for online in (True, False, None)} == {"works"}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_kind_of_difference_has_words(lang: str) -> None:
    assert [kind for kind in KINDS if not Words(lang).has(f"sheet.kind_{kind}")] == []
    assert date.fromisoformat("2026-11-22") == TODAY
