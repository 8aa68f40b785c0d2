"""Scenes of the desk around a record that the platform returned: the row, the correction with its items, its review, the pair. Nobody real."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

from desktop.flows.words import DraftOpened, Edited, OutboxFacts, OutboxListed, PagePicked, RecordPicked, ReviewAsked, ReviewBuilt, ReviewSheet
from desktop.flows.words.day import ItemTurned, RepairPressed, RepairReady
from sync.amends import Amends
from sync.differs import changed, gone
from sync.draft import Draft, DraftStill
from sync.freeze import Sitting, freeze
from tests.flows.sample import NOW, OPERATOR, STATION, full_draft

if TYPE_CHECKING:
    from tests.scenes.staff_scenes import Scene

__all__ = ["ITEMS", "OLD", "correcting", "correction", "correction_scenes", "listed"]

OLD = "5b1f7c20-6f0e-4a7e-8f5e-1a2b3c4d5e6f"
_NEW = "0d1f3c55-6f0e-4a7e-8f5e-1a2b3c4d5e6f"
ITEMS = (("person.mobile", "手机号码打不通，请和本人核对"), ("stills.skill_certificate", "证书编号看不清，请重拍"), ("record", "请写明是新招还是续签"))
_LONG = "单位名称和营业执照上的不一样，请对照执照原件逐字核对；如果单位改过名，请把变更通知书也拍上来，并在说明里写清楚改名的日期"
_SITTING = Sitting(STATION.station_id, STATION.hall, STATION.window, OPERATOR.operator_id, OPERATOR.name, "sha256:" + "5" * 64, True)


def listed(*rows: OutboxFacts) -> OutboxListed:
    """The list with the record that came back, or with ``rows`` in its place."""
    other = OutboxFacts("r-7", "钱国庆", "1207", ("4",), "receipted", NOW - timedelta(minutes=48), serial="R-20261122-000021")
    return OutboxListed((*(rows or (returned(),)), other), {"today": 23, "uploaded": 16, "waiting": 0, "returned": 0 if rows else 1, "set_aside": 0})


def returned(**more: object) -> OutboxFacts:
    row = OutboxFacts(OLD, "李国强", "0018", ("4",), "receipted", NOW - timedelta(days=1), serial="R-20261121-000017", remote="correction_required",
                      remote_at=NOW - timedelta(minutes=8), until=date(2026, 12, 14), places=tuple(path for path, _ in ITEMS),
                      items=tuple(text for _, text in ITEMS))
    return replace(row, **more)  # type: ignore[arg-type]


def correction(known: bool = True) -> Draft:
    """The sitting as it is opened: whole, or empty where the contents are forgotten."""
    amends = Amends(OLD, "sha256:" + "7" * 64, 2)
    one = replace(full_draft("d-c"), amends=amends) if known else Draft("d-c", "op:OP-000017", NOW, amends=amends)
    return one.asked(ITEMS, known)


def correcting(scene: Scene, rows: OutboxListed | None = None, draft: Draft | None = None) -> Scene:
    """From the row to the sitting, at the desk."""
    return scene.inside().desk(rows or listed(), PagePicked("returned"), RecordPicked(OLD), RepairPressed(), RepairReady(OLD, "d-c"),
                               DraftOpened(draft or correction(), {}, NOW, None))


def _review(scene: Scene) -> Scene:
    correcting(scene).desk(Edited("person.mobile", "13900001111", NOW), ItemTurned(2))
    draft = scene.draft()
    draft = draft.take("education.level", "", draft.entries["person.mobile"].source, by="OP-000017", at=NOW).take(
        "education.school", "成都示例职业学校", draft.entries["person.mobile"].source, by="OP-000017", at=NOW)
    draft = draft.without_still("s-skill_certificate").with_still(DraftStill("skill_certificate", "s-new", "image/jpeg", 900, "sha256:" + "2" * 64))
    before = freeze(full_draft("d-c"), _SITTING, scene.kit.tables, OLD, NOW - timedelta(days=1)).as_json()
    record = freeze(replace(draft, entries={**draft.entries, "education.level": full_draft().entries["education.level"]}), _SITTING, scene.kit.tables,
                    _NEW, NOW).as_json()
    del before["sections"]["person"]["sex"]
    before["sections"]["employer"]["post"] = "木工班组"
    sheet = ReviewSheet(_NEW, record, "sha256:" + "3f9a07c1" * 8, 3184, {}, changed(before, record), gone(before, record))
    return scene.review(ReviewAsked(draft), ReviewBuilt(sheet))


def correction_scenes(make: Callable[[], Scene]) -> Iterator[tuple[str, Scene]]:
    """Name and scene, one after another."""
    row = make().inside().desk(listed(), PagePicked("returned"))
    row.window.desk.outbox.table.pick(OLD)
    yield "90-returned-row", row.desk(RecordPicked(OLD))
    yield "91-correction", correcting(make())
    yield "92-correction-half", correcting(make()).desk(Edited("person.mobile", "13900001111", NOW), ItemTurned(2))
    yield "93-correction-done", correcting(make()).desk(Edited("person.mobile", "13900001111", NOW), ItemTurned(1), ItemTurned(2))
    forgotten = returned(state="purged", name="", id_tail="")
    yield "94-correction-forgotten", correcting(make(), listed(forgotten), correction(known=False))
    many = correction().asked((("employer.name", _LONG), *(("record", f"第 {number} 条说明：请补充") for number in range(4, 12))))
    yield "95-correction-many", correcting(make(), draft=many)
    yield "96-correction-review", _review(make())
    new = OutboxFacts(_NEW, "李国强", "0018", ("4",), "kept", NOW - timedelta(minutes=1), amends=OLD)
    pair = make().inside().desk(listed(new, returned(amended_by=_NEW)), PagePicked("outbox"))
    pair.window.desk.outbox.table.pick(OLD)
    yield "97-corrected-pair", pair.desk(RecordPicked(OLD))
