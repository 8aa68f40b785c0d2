"""All printing and PDF: the receipt on A4 with its QR code. Never writes a file that nobody asked for, and marks practice across the page."""

from __future__ import annotations

import io
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import segno
from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QMarginsF, QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QFont, QImage, QPagedPaintDevice, QPageLayout, QPageSize, QPainter, QPdfWriter, QPen, QTextOption
from PySide6.QtPrintSupport import QPrinter

from desktop.hall_time import at_hall
from desktop.messages import Words
from desktop.widgets.style import load_tokens

__all__ = ["MM", "Draw", "ReceiptPaper", "a4_pdf", "draw_receipt", "practice_mark", "print_a4", "print_receipt", "qr_image", "receipt_pdf", "write_text"]

MM = 96 / 25.4
"""The page is painted in units of 1/96 inch."""
Draw = Callable[[QPainter, QSizeF], None]
"""Paints one page of a size in these units."""
_RADICALS = dict(zip("⺠⺟⻁⻄⻅⻆⻉⻋⻓⻔⻘⻙⻚⻛⻜⻝⻢⻣⻤⻥⻦⻧⻨⻩⻬⻮⻰⻳", "民母虎西见角贝车长门青韦页风飞食马骨鬼鱼鸟卤麦黄齐齿龙龟", strict=True))
"""Radicals of the supplement block that share a glyph with a character; the Kangxi block is unified by NFKC."""
_INK, _QUIET, _LINE, _PRACTICE = QColor("#161d27"), QColor("#556170"), QColor("#c3ccd8"), QColor(122, 79, 208, 46)


@dataclass(frozen=True, slots=True)
class ReceiptPaper:
    """What stands on a receipt. ``number`` already masked, ``categories`` and ``hall`` already in words, ``code`` the text of the QR code."""

    serial: str
    received_at: datetime
    name: str = field(repr=False)
    number: str = field(repr=False)
    categories: str
    attachments: int | None
    province: str
    hall: str
    collector: str
    digest: str
    practice: bool
    code: str
    printed_at: datetime


def qr_image(text: str, size: int = 400) -> QImage:
    """A QR code (error correction M, quiet zone of 4) as a black and white picture of at least ``size`` px."""
    code = segno.make(text, error="m", micro=False)
    scale = max(1, size // code.symbol_size(border=4)[0])
    out = io.BytesIO()
    code.save(out, kind="png", scale=scale, border=4)
    return QImage.fromData(out.getvalue())


def _font(points: float, bold: bool = False) -> QFont:
    font = QFont()
    font.setFamilies(list(load_tokens()["type"]["family"]))
    font.setPixelSize(round(points * 96 / 72))
    font.setWeight(QFont.Weight.DemiBold if bold else QFont.Weight.Normal)
    # CJK fonts swap digits in Latin words by 'locl'; the swapped glyphs have no character, and copied text would lose every number.
    if hasattr(QFont.Tag, "fromString"):   # PySide6 6.7 cannot make a tag: there the text of a PDF is copied with other signs, what is seen is the same
        font.setFeature(QFont.Tag.fromString("locl"), 0)
    return font


def write_text(painter: QPainter, place: QRectF, text: str, points: float, bold: bool = False, colour: QColor = _INK,
         align: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignLeft) -> float:
    """Wrapped text at the top of ``place``; returns its height."""
    painter.setFont(_font(points, bold))
    painter.setPen(colour)
    option = QTextOption(align | Qt.AlignmentFlag.AlignTop)
    option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
    painter.drawText(place, text, option)
    return painter.boundingRect(place, text, option).height()


def draw_receipt(painter: QPainter, paper: ReceiptPaper, words: Words, size: QSizeF) -> None:
    """Paint the receipt on a page of ``size`` (units of 1/96 inch)."""
    width, left = size.width(), 0.0
    if paper.practice:
        practice_mark(painter, words, size)
    y = write_text(painter, QRectF(left, 0, width, 40), paper.province, 11, colour=_QUIET) + 2 * MM
    head = words("paper.receipt_title") + (f"（{words('paper.practice')}）" if paper.practice else "")
    y += write_text(painter, QRectF(left, y, width, 80), head, 22, True) + 5 * MM
    painter.setPen(QPen(_INK, 1.2))
    painter.drawLine(QPointF(left, y), QPointF(width, y))
    y += 5 * MM
    code = 34 * MM
    painter.drawImage(QRectF(width - code, y, code, code), qr_image(paper.code, 600))
    write_text(painter, QRectF(width - code - 8, y + code + 1 * MM, code + 16, 40), words("paper.qr"), 8, colour=_QUIET, align=Qt.AlignmentFlag.AlignHCenter)
    rows = _rows(paper, words)
    bottom = y
    for at, (label, value) in enumerate(rows):
        room = width - code - 10 * MM if bottom < y + code + 8 * MM else width
        named = write_text(painter, QRectF(left, bottom + 1, 32 * MM, 60), label, 10, colour=_QUIET)
        used = write_text(painter, QRectF(left + 34 * MM, bottom, room - 34 * MM, 200), value, 16 if at == 0 else 12, at == 0)
        bottom += max(used, named, 6 * MM) + 3 * MM
    bottom = max(bottom, y + code + 10 * MM) + 2 * MM
    painter.setPen(QPen(_LINE, 0.8))
    painter.drawLine(QPointF(left, bottom), QPointF(width, bottom))
    write_text(painter, QRectF(left, bottom + 4 * MM, width, 120), words("paper.note"), 10.5)
    foot = words("paper.printed", at=at_hall(paper.printed_at).strftime("%Y-%m-%d %H:%M:%S"))
    write_text(painter, QRectF(left, size.height() - 6 * MM, width, 30), foot, 8.5, colour=_QUIET)
    write_text(painter, QRectF(left, size.height() - 6 * MM, width, 30), words("paper.page", n=1, m=1), 8.5, colour=_QUIET, align=Qt.AlignmentFlag.AlignRight)


def _rows(paper: ReceiptPaper, words: Words) -> Sequence[tuple[str, str]]:
    """What is not known is not on the paper: no empty line, no count of nothing."""
    digest = paper.digest.removeprefix("sha256:")
    rows = (
        (words("paper.serial"), paper.serial),
        (words("paper.received"), at_hall(paper.received_at).strftime("%Y-%m-%d %H:%M:%S")),
        (words("paper.name"), paper.name),
        (words("paper.number"), paper.number),
        (words("paper.categories"), paper.categories),
        (words("paper.attachments"), words("paper.count", n=paper.attachments) if paper.attachments is not None else ""),
        (words("paper.hall"), paper.hall),
        (words("paper.collector"), paper.collector),
        (words("paper.digest"), " ".join(digest[at:at + 8] for at in range(0, len(digest), 8))),
    )
    return tuple(row for row in rows if row[1])


def practice_mark(painter: QPainter, words: Words, size: QSizeF) -> None:
    """练习 across the page, so that nobody can take it for earnest."""
    painter.save()
    painter.translate(size.width() / 2, size.height() * 0.62)
    painter.rotate(-28)
    points = 130 if words.lang == "zh_CN" else 84
    write_text(painter, QRectF(-400, -110, 800, 240), words("paper.practice"), points, True, _PRACTICE, Qt.AlignmentFlag.AlignHCenter)
    painter.rotate(28)
    painter.restore()
    painter.save()
    painter.setPen(QPen(QColor("#7a4fd0"), 2))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRect(QRectF(-6 * MM, -6 * MM, size.width() + 12 * MM, size.height() + 12 * MM))
    painter.restore()
    write_text(painter, QRectF(0, size.height() - 14 * MM, size.width(), 30), words("paper.practice_words"), 11, True, QColor("#6a3fc2"))


def _paint(device: QPagedPaintDevice, pages: Sequence[Draw]) -> bool:
    painter = QPainter()
    if not painter.begin(device):  # type: ignore[arg-type]
        return False
    page = device.pageLayout().paintRect(QPageLayout.Unit.Millimeter)
    size = QSizeF(page.width() * MM, page.height() * MM)
    factor = painter.device().width() / size.width()
    painter.scale(factor, factor)
    painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.TextAntialiasing)
    for number, draw in enumerate(pages):
        if number and not device.newPage():
            painter.end()
            return False
        draw(painter, size)
    return painter.end()


def _a4() -> QPageLayout:
    return QPageLayout(QPageSize(QPageSize.PageSizeId.A4), QPageLayout.Orientation.Portrait, QMarginsF(20, 20, 20, 18), QPageLayout.Unit.Millimeter)


def _with_characters(pdf: bytes) -> bytes:
    """The PDF with the characters that were meant in its ToUnicode maps: Qt writes the radical that shares a glyph (U+2F2F for 工), so that a copied
    or searched name would be another one. Same length, so every offset of the file stays.
    """
    def meant(code: re.Match[bytes]) -> bytes:
        sign = chr(int(code[1], 16))
        plain = _RADICALS.get(sign) or (unicodedata.normalize("NFKC", sign) if "\u2f00" <= sign <= "\u2fd5" else sign)
        return b"<%04X>" % ord(plain)

    return re.sub(rb"begincmap.*?endcmap", lambda found: re.sub(rb"<(2[EF][0-9A-F]{2})>", meant, found[0]), pdf, flags=re.DOTALL)


def a4_pdf(draw: Draw, title: str, words: Words, *more: Draw) -> bytes:
    """A4 as PDF bytes, one page or ``more``. Needs a QGuiApplication; RuntimeError where the PDF engine gives up."""
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    writer = QPdfWriter(buffer)
    writer.setPageLayout(_a4())
    writer.setResolution(300)
    writer.setTitle(title)
    writer.setCreator(words("app.name"))
    done = _paint(writer, (draw, *more))
    del writer
    buffer.close()
    if not done:
        raise RuntimeError("the PDF could not be painted")
    return _with_characters(bytes(data.data()))


def print_a4(draw: Draw, title: str, printer: QPrinter | None = None, *more: Draw) -> bool:
    """A4 pages to the default printer (or ``printer``); False where there is none or it refuses. Main thread only."""
    target = printer or QPrinter(QPrinter.PrinterMode.HighResolution)
    if printer is None and not target.isValid():
        return False
    target.setPageLayout(_a4())
    target.setDocName(title)
    return _paint(target, (draw, *more))


def receipt_pdf(paper: ReceiptPaper, words: Words) -> bytes:
    """The receipt as PDF bytes (A4). Raises as ``a4_pdf``."""
    return a4_pdf(lambda painter, size: draw_receipt(painter, paper, words, size), words("paper.receipt_title"), words)


def print_receipt(paper: ReceiptPaper, words: Words, printer: QPrinter | None = None) -> bool:
    """The receipt to the printer; False where there is none or it refuses. Main thread only."""
    return print_a4(lambda painter, size: draw_receipt(painter, paper, words, size), words("paper.receipt_title"), printer)
