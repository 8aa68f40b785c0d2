"""The receipt on paper: its code can be read back, practice stands across it, nothing runs off the page."""

from __future__ import annotations

import dataclasses
import unicodedata
from datetime import UTC, datetime

import pypdfium2
import pytest
import zxingcpp
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QApplication

from desktop.messages import LANGUAGES, Words
from desktop.widgets.paper import ReceiptPaper, qr_image, receipt_pdf

PAPER = ReceiptPaper("R-20261122-000022", datetime(2026, 11, 22, 6, 2, 41, tzinfo=UTC), "李国强", "5101**********0012", "技术工人", 3, "四川省住房和城乡建设厅",
                     "成都市政务大厅 · 07 窗口", "王敏", "sha256:" + "3f9a07c1" * 8, True, "R-20261122-000022", datetime(2026, 11, 22, 6, 3, tzinfo=UTC))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_receipt_pdf(qt_application: QApplication, lang: str) -> None:
    document = pypdfium2.PdfDocument(receipt_pdf(PAPER, Words(lang)))
    assert len(document) == 1
    page = document[0]
    assert (round(page.get_width()), round(page.get_height())) == (595, 842), "A4"
    text_page = page.get_textpage()
    text = unicodedata.normalize("NFKC", text_page.get_text_range())
    # PySide6 6.7 cannot switch the fonts' other digits off (widgets/paper.py): there only the signs that are no digits can be copied
    plain = (PAPER.serial, PAPER.number, "2026-11-22") if hasattr(QFont.Tag, "fromString") else ()
    for wanted in (*plain, PAPER.name, "成都市政务大厅", Words(lang)("paper.practice"), Words(lang)("paper.practice_words")):
        assert unicodedata.normalize("NFKC", wanted) in text, wanted  # NFKC: Qt writes some radicals where the character was meant
    assert "510104198803120012" not in text
    for at in range(text_page.count_chars()):
        left, bottom, right, top = text_page.get_charbox(at)
        if right > left:
            assert left > 10 and right < 585 and bottom > 10 and top < 832
    picture = page.render(scale=3).to_numpy()
    assert [code.text for code in zxingcpp.read_barcodes(picture)] == [PAPER.code]
    text_page.close()
    page.close()
    document.close()


def test_an_earnest_receipt_has_no_practice_mark(qt_application: QApplication) -> None:
    document = pypdfium2.PdfDocument(receipt_pdf(dataclasses.replace(PAPER, practice=False), Words("zh_CN")))
    page = document[0]
    text_page = page.get_textpage()
    assert "练习" not in text_page.get_text_range()
    text_page.close()
    page.close()
    document.close()


def test_qr_has_its_quiet_zone(qt_application: QApplication) -> None:
    image = qr_image("R-20261122-000022")
    assert image.width() == image.height() > 200
    assert all(image.pixelColor(x, 2).lightness() > 250 for x in range(image.width()))


def test_masked_data_stays_out_of_reprs() -> None:
    assert "李国强" not in repr(PAPER) and "0012" not in repr(PAPER)
