"""Sample scenes of the day: sync panel and reconciliation sheet in every state that they know. Nobody real: people and records are made up."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta

from desktop.flows.machine import Failed
from desktop.flows.words import CourierFacts, CourierSeen, DraftOpened, OutboxListed, PagePicked, RecordPicked, SyncPressed
from desktop.flows.words.day import (
    Change,
    Exported,
    ExportWanted,
    ListAge,
    RepairPressed,
    RepairReady,
    SheetCounted,
    SheetFacts,
    SheetLine,
    SheetMade,
    StationChanged,
)
from sync.draft import Draft
from sync.journal import JournalFault
from sync.panel import Waits
from sync.reconcile import DaySheet, Difference
from tests.flows.sample import NOW, full_draft
from tests.scenes.staff_scenes import MOVING, OFFLINE, ONLINE, OUTBOX, Scene

__all__ = ["CHANGED", "WAITS", "day_scenes", "outbox", "repaired", "repairing", "sheet"]

TODAY = date(2026, 11, 22)
WAITS = (
    Waits("kept", "province.unreachable", 5, 31_400_000, NOW + timedelta(minutes=1)), Waits("kept", "", 2, 9_100_000, NOW),
    Waits("set_aside", "receipt.mismatch", 1, 4_200_000), Waits("kept_unsigned", "", 3, 12_800_000),
)
CHANGED = StationChanged(
    (Change("person_in", NOW - timedelta(minutes=40), {"name": "刘洋", "roles": "collector,supervisor"}),
     Change("tables", NOW - timedelta(hours=3), {"n": "2", "tables": "skill_levels,worker_trades"})),
    (ListAge("roots", 4, NOW - timedelta(days=20)), ListAge("settings", 17, NOW - timedelta(minutes=40)),
     ListAge("tables", 9, NOW - timedelta(days=300), expired=True)),
)
REFUSED = CourierSeen(CourierFacts(False, NOW - timedelta(minutes=3), last_success=NOW - timedelta(hours=2), error_code="province.station"))
CLOCK = CourierSeen(CourierFacts(True, last_success=NOW - timedelta(seconds=20), error_code="province.clock_off", clock_off_s=380.0))
BROKEN = CourierSeen(CourierFacts(False, NOW - timedelta(minutes=12), last_success=NOW - timedelta(minutes=13), next_try_at=NOW + timedelta(minutes=1),
                                  error_code="province.unreachable"))


def outbox() -> OutboxListed:
    """The rows of the staff scenes, with what the platform said and what waits."""
    rows = tuple(_told(one) for one in OUTBOX.rows)
    return OutboxListed(rows, OUTBOX.counts, WAITS)


def repaired() -> OutboxListed:
    """The rows once r-2 was repaired."""
    rows = tuple(replace(one, state="replaced", replaced_by="r-4") if one.record_id == "r-2" else one for one in outbox().rows)
    return replace(outbox(), rows=rows)


def repairing(scene: Scene) -> Scene:
    """r-2 in its repair at the desk."""
    draft = replace(full_draft("d-r"), replaces="r-2")
    return scene.inside().desk(outbox(), PagePicked("returned"), RecordPicked("r-2"), RepairPressed(), RepairReady("r-2", "d-r"),
                               DraftOpened(draft, {}, NOW, None))


def repairing_damaged(scene: Scene) -> Scene:
    """r-2, whose packet is damaged, in its empty repair at the desk."""
    rows = tuple(replace(one, error_code="packet.damaged") if one.record_id == "r-2" else one for one in outbox().rows)
    return scene.inside().desk(replace(outbox(), rows=rows), PagePicked("returned"), RecordPicked("r-2"), RepairPressed(), RepairReady("r-2", "d-r"),
                               DraftOpened(Draft("d-r", full_draft().owner, NOW, replaces="r-2"), {}, NOW, None))


def _told(one):
    if one.remote == "correction_required":
        return replace(one, remote_at=NOW - timedelta(minutes=8), places=("stills.contract", "person.mobile"))
    if one.remote == "publicity":
        return replace(one, remote_at=NOW - timedelta(hours=1), until=date(2026, 12, 3))
    return replace(one, remote_at=NOW - timedelta(hours=5)) if one.remote else one


def _difference(number: int, kind: str, state: str, why: str = "", hours: float = 1.0) -> Difference:
    return Difference(f"{number:08x}-6f0e-4a7e-8f5e-1a2b3c4d5e6f", kind, state, why, NOW - timedelta(hours=hours))


def sheet(kind: str = "waits", day: date = TODAY) -> SheetFacts:
    """``kind``: balanced, replaced (and balanced), empty, waits, person, alarm."""
    if kind in {"balanced", "empty"}:
        counts = (0, 0, 0, 0, 0, 0) if kind == "empty" else (23, 23, 23, 23, 0, 24)
        return SheetFacts(DaySheet(day, *counts, (), ()), (), (), NOW, TODAY)
    if kind == "replaced":
        pair = replace(_difference(7, "replaced", "replaced", "province.reader", 3), by="0d1f3c55-6f0e-4a7e-8f5e-1a2b3c4d5e6f")
        return SheetFacts(DaySheet(day, 23, 23, 23, 23, 0, 24, (), (), (pair,)), (), (), NOW, TODAY, (SheetLine(pair, "韩冰", "1211"),))
    lines = [SheetLine(_difference(1, "unsigned", "kept_unsigned"), "郑和平", "1210"),
             SheetLine(_difference(2, "waiting", "kept", "province.unreachable", 0.2), "赵敏", "1204"),
             SheetLine(_difference(3, "waiting", "kept", "", 0.3), keeper="刘洋"), SheetLine(_difference(4, "unacknowledged", "uploaded"), "孙立", "1206")]
    earlier: list[SheetLine] = []
    if kind in {"person", "alarm"}:
        earlier = [SheetLine(_difference(5, "set_aside", "set_aside", "receipt.mismatch", 30), "吴建军", "1202")]
    if kind == "alarm":
        lines.insert(0, SheetLine(_difference(6, "row_missing", "", "", 2)))
    made = DaySheet(day, 23, 22, 20, 19, 1, 19, tuple(one.difference for one in lines), tuple(one.difference for one in earlier))
    return SheetFacts(made, tuple(lines), tuple(earlier), NOW, TODAY)


def day_scenes(make: Callable[[], Scene]) -> Iterator[tuple[str, Scene]]:
    """Name and scene, one after another."""
    def panel(courier: CourierSeen = ONLINE) -> Scene:
        return make().inside(courier).desk(outbox(), CHANGED, PagePicked("sync"))

    yield "50-sync-moving", panel(MOVING)
    yield "51-sync-offline", panel(BROKEN)
    yield "52-sync-asking", panel(OFFLINE).desk(SyncPressed())
    yield "53-sync-idle", make().inside().desk(OutboxListed((), {}), PagePicked("sync"))
    yield "54-sync-refused", panel(REFUSED)
    yield "55-sync-clock", panel(CLOCK)
    yield "56-sync-unknown", make().inside(CourierSeen(CourierFacts())).desk(OutboxListed((), {}), PagePicked("sync"))
    exported = make().inside(OFFLINE).desk(outbox(), PagePicked("returned"))
    exported.window.desk.outbox.table.selectRow(1)
    exported.desk(RecordPicked("r-2"), ExportWanted("r-2", "/media/usb/登记导出-r-2.zip"),
                  Exported("r-2", "/media/usb/登记导出-r-2.zip", "K7QM-2XWD-93FA-PLRC-8UTE"))
    yield "57-exported", exported
    yield "58-repair", repairing(make())
    yield "58a-repair-damaged", repairing_damaged(make())
    returned = make().inside().desk(repaired(), PagePicked("outbox"))
    returned.window.desk.outbox.table.pick("r-2")
    yield "59-repaired", returned
    yield "60-sheet-making", make().inside().desk(PagePicked("sheet"), SheetCounted(3000, 12_000))
    for number, kind in enumerate(("balanced", "empty", "waits", "person", "alarm"), 61):
        yield f"{number}-sheet-{kind}", make().inside().desk(PagePicked("sheet"), SheetMade(sheet(kind)))
    yield "67-sheet-replaced", make().inside().desk(PagePicked("sheet"), SheetMade(sheet("replaced")))
    yield "66-sheet-failed", make().inside().desk(PagePicked("sheet"), Failed(JournalFault("x", what="journal", line=17), "MakeSheet"))
