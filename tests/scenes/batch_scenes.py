"""Sample scenes of signing beside the sitting, in every state that the flow knows. Nobody real: people and records are made up."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

from desktop.flows.machine import Failed
from desktop.flows.words import (
    AskPin,
    BatchAsked,
    BatchBuilt,
    BatchEnded,
    BatchLine,
    BuildPressed,
    KeepUnsignedPressed,
    KeptUnsigned,
    LinePicked,
    OperatorIn,
    PinStateRead,
    Progress,
    ReasonEdited,
    ReviewBuilt,
    RowsTicked,
    ShiftEnded,
    SignPressed,
    StopPressed,
    WaitingFacts,
    WaitingListed,
)
from devices.errors import PinLocked, WrongPin
from devices.tokens.contract import PinState
from sync.batch import BatchItem, EndReason
from tests.flows.sample import NOW, OPERATOR, STATION
from tests.scenes.staff_scenes import Scene

__all__ = ["LINES", "OTHERS", "ROWS", "SUPERVISOR", "at_pin", "batch_scenes", "choosing", "confirming", "ended"]

NAMES = ("郑和平", "买买提·艾力", "冯春梅", "褚卫东", "卫国", "蒋兰")


def _id(number: int) -> str:
    return f"{number:08x}-6f0e-4a7e-8f5e-1a2b3c4d5e6f"


ROWS = tuple(WaitingFacts(_id(number), name, f"{1210 + number}", ("4",) if number % 3 else ("2", "3"), NOW - timedelta(hours=20 - number * 3), "王敏", True)
             for number, name in enumerate(NAMES))
OTHERS = (WaitingFacts(_id(20), "沈卫东", "1230", ("4",), NOW - timedelta(hours=30), "陈静", False),
          WaitingFacts(_id(21), "韩梅", "1231", ("1",), NOW - timedelta(hours=3), "自助终端", False, "person.not_allowed"))
LINES = tuple(BatchLine(BatchItem(one.record_id, "sha256:" + f"{at}" * 64), one.name, one.id_tail, one.categories) for at, one in enumerate(ROWS, 1))
SUPERVISOR = replace(OPERATOR, operator_id="OP-000003", name="刘洋", roles=frozenset({"collector", "supervisor"}))


def choosing(scene: Scene, rows: tuple[WaitingFacts, ...] = ROWS) -> Scene:
    return scene.inside().batch(BatchAsked(), WaitingListed("sign", rows))


def confirming(scene: Scene, refused: tuple[tuple[str, str], ...] = ()) -> Scene:
    lines = LINES[:len(LINES) - len(refused)]
    return choosing(scene).batch(BuildPressed(), BatchBuilt(lines, refused))


def at_pin(scene: Scene, pin: PinState | None = None) -> Scene:
    return confirming(scene).batch(AskPin(), PinStateRead(pin or PinState(6)))


def ended(scene: Scene, reason: EndReason, done: int, failed: int = 0, code: str = "") -> Scene:
    ids = [one.item.record_id for one in LINES]
    return at_pin(scene).batch(SignPressed("1"), BatchEnded(reason, tuple(ids[:done]), tuple((one, "signature.invalid") for one in ids[done:done + failed]),
                                                           tuple(ids[done + failed:]), code))


def batch_scenes(make: Callable[[], Scene]) -> Iterator[tuple[str, Scene]]:
    """Name and scene, one after another."""
    yield "70-batch-listing", make().inside().batch(BatchAsked())
    yield "71-batch-nothing", choosing(make(), ())
    yield "72-batch-choosing", choosing(make()).batch(RowsTicked((ROWS[2].record_id,), False))
    supervisor = make().inside().batch(OperatorIn(SUPERVISOR, STATION), BatchAsked(), WaitingListed("sign", (*OTHERS, *ROWS)))
    yield "73-batch-supervisor", supervisor.batch(RowsTicked((OTHERS[0].record_id,)), ReasonEdited("陈静生病，材料我都核对过"))
    yield "74-batch-building", choosing(make()).batch(BuildPressed(), Progress("build", 2, 6))
    yield "75-batch-confirming", confirming(make(), ((ROWS[5].record_id, "draft.incomplete"),))
    other = make().reviewed()
    sheet = other.stages["review"].state.sheet
    other.close()
    read = confirming(make()).batch(LinePicked(ROWS[0].record_id), ReviewBuilt(replace(sheet, record_id=ROWS[0].record_id)))
    yield "76-batch-sheet", read
    yield "77-batch-pin", at_pin(make())
    yield "78-batch-wrong-pin", at_pin(make()).batch(SignPressed("1"), Failed(WrongPin(tries_left=1), "SignBatch"),
                                                    PinStateRead(PinState(1, last_try=True)))
    yield "79-batch-locked-pin", at_pin(make()).batch(SignPressed("1"), Failed(PinLocked(), "SignBatch"))
    yield "80-batch-signing", at_pin(make()).batch(SignPressed("1"), Progress("sign", 2, 6))
    yield "81-batch-stopping", at_pin(make()).batch(SignPressed("1"), Progress("sign", 2, 6), StopPressed())
    yield "82-batch-done", ended(make(), "done", 6)
    yield "83-batch-removed", ended(make(), "removed", 2, code="token.gone")
    yield "84-batch-failed", ended(make(), "done", 4, 2)
    yield "85-batch-countersign-none", make().inside().batch(OperatorIn(SUPERVISOR, STATION), BatchAsked("countersign"), WaitingListed("countersign", ()))
    yield "86-shift-pin", make().inside().batch(BatchAsked("shift"), PinStateRead(PinState(6)))
    yield "87-shift-done", make().inside().batch(BatchAsked("shift"), PinStateRead(PinState(6)), SignPressed("1"), ShiftEnded(14, 2311, NOW)).login()
    yield "88-kept-unsigned", make().reviewed().review(KeepUnsignedPressed(), KeptUnsigned(ROWS[0].record_id, NOW))
