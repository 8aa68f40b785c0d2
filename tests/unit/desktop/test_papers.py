"""Receipts and check results on paper: what stands there, what never does, and the trouble of a place that cannot be written."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pypdfium2
import pytest
from PySide6.QtCore import qVersion
from PySide6.QtWidgets import QApplication

from desktop.errors import NotSaved
from desktop.flows.login import LoginState
from desktop.flows.verify import VerifyState
from desktop.flows.words import ReceiptFacts, StationFacts
from desktop.flows.words.day import SheetFacts as DayFacts
from desktop.flows.words.day import SheetLine
from desktop.flows.words_verify import PrintResult, VerifyFacts
from desktop.messages import Words
from desktop.papers import CheckPrinter, ReceiptPrinter, SheetPrinter
from desktop.staff.kit import Kit
from desktop.widgets.check_paper import draw_check
from desktop.widgets.paper import a4_pdf
from desktop.widgets.style import Look
from devices.vision.codes import read_codes
from sync.reconcile import DaySheet, Difference
from sync.sheet import Evidence, SheetFacts, Verdict
from sync.tables import Tables
from tests.flows.sample import OPERATOR

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


def test_what_is_not_known_any_more_is_not_on_the_paper(tmp_path: Path) -> None:
    """A record that another station sealed, or whose packet was forgotten: "0 attachments" would be false."""
    words = Words()
    for receipt, there in ((RECEIPT, True), (replace(RECEIPT, attachments=None, collector=""), False)):
        ReceiptPrinter(words, Tables.load()).write(receipt, str(tmp_path / f"{there}.pdf"))
        text = text_of(tmp_path / f"{there}.pdf")
        assert (words("paper.attachments") in text) is there and (words("paper.collector") in text) is there
        assert "R-20261122-000001" in text or qVersion().startswith("6.7.")  # that one draws it right and writes other characters into the PDF's text


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


# -- the day ------------------------------------------------------------------------------------------------------------------------------
def day_printer() -> SheetPrinter:
    here = LoginState("in", StationFacts("s", "练习省", "练习大厅", "07", True), operator=OPERATOR)
    return SheetPrinter(Kit(Look(practice=True), Words(), Tables.load(), lambda: AT), lambda: here)


def pages_of(path: Path) -> list[str]:
    document = pypdfium2.PdfDocument(str(path))
    try:
        return [unicodedata.normalize("NFKC", "".join(page.get_textpage().get_text_bounded().split())) for page in document]
    finally:
        document.close()


def many(count: int) -> DayFacts:
    found = tuple(Difference(f"{number:08x}-0000-4000-8000-000000000000", "waiting", "kept", "province.unreachable", AT) for number in range(count))
    lines = tuple(SheetLine(one, "李练工", "0011") if number % 2 else SheetLine(one, keeper="刘洋") for number, one in enumerate(found))
    return DayFacts(DaySheet(date(2026, 11, 22), count + 3, count + 3, 3, 3, 0, 3, found, ()), lines, (), AT, date(2026, 11, 22))


def test_the_sheet_of_a_day_names_every_difference_by_its_record_and_nobody_by_name(tmp_path: Path) -> None:
    day_printer().write(many(40), str(tmp_path / "day.pdf"))
    pages = pages_of(tmp_path / "day.pdf")
    whole = "".join(pages)
    assert len(pages) == 3 and all("练习" in one for one in pages) and "第1页,共3页" in pages[0] and "第3页,共3页" in pages[2]
    assert whole.count("连不上省平台") == 40, "none is cut off between two pages"
    if not qVersion().startswith("6.7."):  # that one draws the ids right and writes other characters for some of them into the PDF's text
        assert all(f"{number:08x}-0000-4000-8000-000000000000" in whole for number in range(40))
    assert "李练工" not in whole and "尾号" not in whole and "刘洋" in whole and "王敏" in whole
    assert "43" in pages[0] and "≠" in pages[0] and "连不上省平台" in whole and "主管签字" in pages[2] and "主管签字" not in pages[0]


def test_a_day_without_a_difference_is_one_page(tmp_path: Path) -> None:
    day_printer().write(DayFacts(DaySheet(date(2026, 11, 22), 3, 3, 3, 3, 0, 3, (), ()), (), (), AT, date(2026, 11, 22)), str(tmp_path / "day.pdf"))
    (page,) = pages_of(tmp_path / "day.pdf")
    assert "全部对上" in page and "≠" not in page and page.count("=") >= 3


def test_a_sheet_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotSaved):
        day_printer().write(many(1), str(tmp_path / "missing" / "day.pdf"))
