"""Facts of a receipt onto paper or into a PDF that a person asked for. Never writes anywhere else."""

from __future__ import annotations

import os
from pathlib import Path

from desktop.errors import NoPrinter, NotSaved
from desktop.flows.words import ReceiptFacts
from desktop.messages import Words
from desktop.rooms import now
from desktop.widgets.paper import ReceiptPaper, print_receipt, receipt_pdf
from sync.tables import Tables

__all__ = ["ReceiptPrinter", "receipt_paper"]


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
        try:
            content = receipt_pdf(paper, self._words)
            with Path(path).open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        except (OSError, RuntimeError) as error:
            raise NotSaved(f"not written: {type(error).__name__}", path=Path(path).parent.name) from error
