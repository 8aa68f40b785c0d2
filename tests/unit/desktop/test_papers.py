"""Receipts and check results on paper: what stands there, what never does, and the trouble of a place that cannot be written."""

from __future__ import annotations

import unicodedata
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pypdfium2
import pytest
from PySide6.QtWidgets import QApplication

from desktop.errors import NotSaved
from desktop.flows.verify import VerifyState
from desktop.flows.words import ReceiptFacts
from desktop.flows.words_verify import PrintResult, VerifyFacts
from desktop.messages import Words
from desktop.papers import CheckPrinter, ReceiptPrinter
from desktop.widgets.check_paper import draw_check
from desktop.widgets.paper import a4_pdf
from devices.vision.codes import read_codes
from sync.sheet import Evidence, SheetFacts, Verdict
from sync.tables import Tables

AT = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
RECEIPT = ReceiptFacts("r", "R-20261122-000001", AT, "李练工", "0011", ("4",), 2, "sha256:" + "ab" * 32, True, "练习省", "练习大厅", "07", "王敏")


@pytest.fixture(autouse=True)
def application() -> QApplication:
    return QApplication.instance() or QApplication(["t"])  # type: ignore[return-value]


def text_of(path: Path) -> str:
    document = pypdfium2.PdfDocument(str(path))
    try:
        page = document[0]
        said: str = page.get_textpage().get_text_bounded()
    finally:
        document.close()
    return unicodedata.normalize("NFKC", "".join(said.split()))   # fonts map some signs to their radicals


def test_a_receipt_says_its_serial_and_hides_the_number(tmp_path: Path) -> None:
    ReceiptPrinter(Words(), Tables.load()).write(RECEIPT, str(tmp_path / "r.pdf"))
    text = text_of(tmp_path / "r.pdf")
    assert "实名登记回执" in text and "李练工" in text and "技术工人" in text and "练习" in text
    (code,) = read_codes(picture_of(tmp_path / "r.pdf"))
    assert code.text == "HI1:R-20261122-000001:" + "ab" * 32


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotSaved) as caught:
        ReceiptPrinter(Words(), Tables.load()).write(RECEIPT, str(tmp_path / "missing" / "r.pdf"))
    assert caught.value.facts["path"] == "missing"


def picture_of(path: Path) -> np.ndarray:
    document = pypdfium2.PdfDocument(str(path))
    try:
        return np.ascontiguousarray(document[0].render(scale=2, grayscale=True).to_numpy().squeeze())
    finally:
        document.close()


@pytest.mark.parametrize("language", ["zh_CN", "en"])
def test_a_check_result_is_no_certificate(tmp_path: Path, language: str) -> None:
    facts = SheetFacts("CX-1", 1, "李国强", "5101**********0012", None, (4,), 2, 0, date(2026, 6, 2), date(2026, 12, 2), 1, b"x" * 16, True)
    verdict = Verdict("valid_unchecked", facts, Evidence("", "sha256:" + "cd" * 32, "aabb"))
    state = VerifyState(VerifyFacts("练习大厅", "07", practice=True), page="verdict", verdict=verdict, at=AT)
    words = Words(language)
    printer = CheckPrinter(lambda: state, words, Tables.load())
    paper = printer.paper(PrintResult(1, verdict))
    (tmp_path / "c.pdf").write_bytes(a4_pdf(lambda painter, size: draw_check(painter, paper, words, size), "check", words))
    text = text_of(tmp_path / "c.pdf")
    assert "李国强" in text and words("paper.check_title").replace(" ", "") in text
    assert ("不是证明" if language == "zh_CN" else "notacertificate") in text
