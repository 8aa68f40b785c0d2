"""Facts of a receipt, a check or a day onto paper or into a PDF that a person asked for. Never writes anywhere else."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from desktop.errors import NoPrinter, NotSaved
from desktop.flows.login import LoginState
from desktop.flows.verify import VerifyState
from desktop.flows.words import ReceiptFacts
from desktop.flows.words.day import SheetFacts, SheetLine
from desktop.flows.words_verify import PrintResult
from desktop.hall_time import at_hall
from desktop.messages import Words
from desktop.rooms import now
from desktop.staff.kit import Kit
from desktop.staff.sheet_page import sheet_verdict
from desktop.staff.wording import exact, reason_words
from desktop.verify.panel import fact_rows, verdict_words
from desktop.widgets.check_paper import CheckPaper, draw_check
from desktop.widgets.paper import ReceiptPaper, a4_pdf, print_a4, print_receipt, receipt_pdf
from desktop.widgets.sheet_paper import SheetPaper, SheetPaperLine, sheet_pages
from sync.draft import time_text
from sync.tables import Tables

__all__ = ["CheckPrinter", "ReceiptPrinter", "SheetPrinter", "receipt_paper"]


def receipt_paper(facts: ReceiptFacts, words: Words, tables: Tables) -> ReceiptPaper:
    """What stands on the sheet. The QR holds serial and digest, nothing of the person."""
    lang = "en" if words.lang == "en" else "zh"
    categories = "、".join(tables.label("practitioner_categories", code, lang) for code in facts.categories)
    hall = words("app.station", hall=facts.hall, window=facts.window) if facts.window else facts.hall
    return ReceiptPaper(facts.serial, facts.received_at, facts.name, "*" * 14 + facts.id_tail, categories, facts.attachments, facts.province, hall,
                        facts.collector, facts.digest, facts.practice, f"HI1:{facts.serial}:{facts.digest.removeprefix('sha256:')}", now())


class ReceiptPrinter:
    """``write(facts, path)``: a PDF to ``path``, or paper where it is empty. Main thread only."""

    def __init__(self, words: Words, tables: Tables) -> None:
        self._words, self._tables = words, tables

    def write(self, facts: ReceiptFacts, path: str) -> None:
        """Raises NotSaved, NoPrinter."""
        paper = receipt_paper(facts, self._words, self._tables)
        if not path:
            if not print_receipt(paper, self._words):
                raise NoPrinter("no printer, or it refuses")
            return
        _write(path, lambda: receipt_pdf(paper, self._words))


def _write(path: str, make: Callable[[], bytes]) -> None:
    """Raises NotSaved."""
    try:
        content = make()
        with Path(path).open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except (OSError, RuntimeError) as error:
        raise NotSaved(f"not written: {type(error).__name__}", path=Path(path).parent.name) from error


class SheetPrinter:
    """``write(facts, path)``: the reconciliation sheet as a PDF to ``path``, or on paper where it is empty. Main thread only."""

    def __init__(self, kit: Kit, here: Callable[[], LoginState]) -> None:
        """``here``: which station this is, and who is at the desk and keeps the records that the sheet does not call another's."""
        self._kit, self._here = kit, here

    def paper(self, facts: SheetFacts) -> SheetPaper:
        words, sheet, station = self._kit.words, facts.sheet, self._here().station
        _tone, title, said = sheet_verdict(self._kit, facts)
        counts = [(words(f"sheet.{name}"), getattr(sheet, name)) for name in ("captured", "signed", "sent", "acknowledged")]
        note = " · ".join((words("sheet.receipts", n=sheet.acknowledged_that_day), words("sheet.carried", n=sheet.carried_in),
                           words("sheet.made_at", at=exact(facts.at))))
        lines = [self._line(one, words("sheet.of_day")) for one in facts.lines] + [self._line(one, words("sheet.of_earlier")) for one in facts.earlier]
        lines += [self._line(one, words("sheet.of_day")) for one in facts.replaced]
        place = words("app.station", hall=station.hall, window=station.window) if station is not None else ""
        return SheetPaper(sheet.day.isoformat(), place, title, said, counts, note, lines, station is not None and station.practice, now())

    def _line(self, one: SheetLine, when: str) -> SheetPaperLine:
        words, difference = self._kit.words, one.difference
        operator = self._here().operator
        since = at_hall(difference.since).strftime("%Y-%m-%d %H:%M") if difference.since is not None else ""
        return SheetPaperLine(difference.record_id, words(f"sheet.kind_{difference.kind}"),
                              words("outbox.replaced_by", id=difference.by) if difference.by else reason_words(words, difference.why),
                              one.keeper or (operator.name if operator is not None and one.name else ""),
                              f"{when} {since}".strip())

    def write(self, facts: SheetFacts, path: str) -> None:
        """Raises NotSaved, NoPrinter."""
        words = self._kit.words
        first, *more = sheet_pages(self.paper(facts), words)
        title = words("paper.sheet_title", day=facts.sheet.day.isoformat())
        if path:
            _write(path, lambda: a4_pdf(first, title, words, *more))
        elif not print_a4(first, title, None, *more):
            raise NoPrinter("no printer, or it refuses")


class CheckPrinter:
    """``write(order)``: what the screen of the sheet check says, on paper. Main thread only."""

    def __init__(self, state: Callable[[], VerifyState], words: Words, tables: Tables) -> None:
        self._state, self._words, self._tables = state, words, tables

    def paper(self, order: PrintResult) -> CheckPaper:
        state, words = self._state(), self._words
        title, line = verdict_words(state, words)
        rows = tuple((row.label, row.signed, row.now) for row in fact_rows(order.verdict, words, self._tables))
        evidence = order.verdict.evidence
        said = " · ".join(part for part in (evidence.code_digest.removeprefix("sha256:")[:16], evidence.kid, time_text(state.at) if state.at else "") if part)
        place = words("app.station", hall=state.facts.hall, window=state.facts.window)
        return CheckPaper(title, line, rows, said, place, state.facts.practice, now())

    def write(self, order: PrintResult) -> None:
        """Raises NoPrinter."""
        paper = self.paper(order)
        if not print_a4(lambda painter, size: draw_check(painter, paper, self._words, size), self._words("paper.check_title")):
            raise NoPrinter("no printer, or it refuses")
