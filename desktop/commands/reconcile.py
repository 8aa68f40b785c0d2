"""The day's reconciliation sheet as text: four counts, and every record that keeps them apart. Never prints a person's name or number."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

from desktop.flows.intake_state import hall_date
from desktop.hall_time import at_hall
from desktop.messages import say_code
from sync.journal import Journal, verify_lines
from sync.outbox import Outbox, OutboxRow
from sync.reconcile import DaySheet, Difference, reconcile

__all__ = ["KIND_WORDS", "lines_of", "sheet_of"]

KIND_WORDS = {
    "unsigned": "还没签名，等人签 (not signed yet)", "waiting": "还没上传，会自己再传 (not sent yet)",
    "unacknowledged": "上传了，回执还没到 (sent, no receipt yet)",
    "set_aside": "单独放着，要人处理 (set aside, a person must look)",
    "row_missing": "日志里有，队列里没有 (in the journal, not in the queue)",
    "not_in_journal": "队列里有，日志里没有 (in the queue, not in the journal)", "kept_twice": "日志里保存了两次 (kept twice in the journal)",
    "receipt_other": "回执和这一份对不上 (the receipt does not fit)",
    "receipt_missing": "说有回执，实际没有 (no receipt where one must be)",
    "receipt_not_in_journal": "有回执，日志里没记 (a receipt that the journal does not know)",
    "serial_twice": "两份用同一个回执号 (two records with one serial)",
    "replaced_otherwise": "改正重办过，日志和接替的那份对不上 (repaired, but the journal or the other record does not fit)",
    "amended_otherwise": "补正过，日志和补正的那份对不上 (corrected, but the journal or the other record does not fit)",
    "replaced": "改正重办了 (repaired)",
}


def sheet_of(outbox: Outbox, journal: Journal, day: date) -> DaySheet:
    """The sheet of ``day`` from the whole queue and journal. Raises JournalFault where the chain does not hold, StoreTrouble."""
    verify_lines(journal.lines(), journal.head())
    return reconcile(_all(outbox), journal.lines(), day, hall_date)


def _all(outbox: Outbox) -> Iterator[OutboxRow]:
    after: OutboxRow | None = None
    while page := outbox.rows(limit=500, after=after):
        yield from page
        after = page[-1]


def lines_of(sheet: DaySheet) -> Iterator[str]:
    """What is printed."""
    yield f"日结核对 end of day: {sheet.day}"
    counts = (("采集 captured", sheet.captured), ("已签 signed", sheet.signed), ("已传 sent", sheet.sent), ("已回执 acknowledged", sheet.acknowledged))
    yield "\t".join(f"{name}: {count}" for name, count in counts)
    yield f"当天收到的回执 receipts of this day: {sheet.acknowledged_that_day}\t从别的机器导入 carried in: {sheet.carried_in}"
    if sheet.balanced:
        yield "全部对上 all equal"
    yield from _part("当天没对上的 differences of this day", sheet.differences)
    yield from _part("以前几天还没完的 still open from earlier days", sheet.earlier)
    yield from _part("改正重办的，算接替的那份 repaired, the other one counts", sheet.replaced)


def _part(title: str, differences: Iterable[Difference]) -> Iterator[str]:
    lines = [_line(one) for one in differences]
    if lines:
        yield f"{title}: {len(lines)}"
        yield from lines


def _line(one: Difference) -> str:
    message = say_code(one.why) if one.why else None
    why = f"{message.title} [{one.why}]" if message is not None else one.why
    mark = {"alarm": "!!", "person": "! ", "waits": "  ", "settled": "  "}[one.weight]
    since = at_hall(one.since).strftime("%Y-%m-%d %H:%M") if one.since else ""
    return "\t".join((mark + one.record_id, KIND_WORDS[one.kind], since, why, f"-> {one.by}" if one.by else "")).rstrip()
