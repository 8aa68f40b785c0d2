"""Writes one credit record sheet as a PDF: Chinese text, vector QR code. Never embeds a font: readers put their own for STSong-Light (Adobe-GB1).

Poppler needs the package poppler-data for it; pdfium takes a Chinese font of the system.
"""

from __future__ import annotations

import segno

from tests.province.sheets import Facts, printed_content

__all__ = ["sheet_pdf"]

MM = 72 / 25.4
PAGE = (595.28, 841.89)
MODULE_MM = 0.6
QUIET_MODULES = 4
LEFT = 25 * MM
LINE_LETTERS = 32


def _text(x: float, y: float, size: float, text: str) -> bytes:
    return f"BT /F1 {size} Tf {x:.2f} {y:.2f} Td <{text.encode('utf-16-be').hex()}> Tj ET\n".encode()


def _width(text: str, size: float) -> float:
    return sum(size * (0.5 if character < "\x7f" else 1) for character in text)


def _qr(code: str, right: float, top: float) -> bytes:
    """Black squares of the code; its quiet zone ends at ``right`` and ``top``. EC level M (FORMATS section 10)."""
    rows = list(segno.make_qr(code, error="m", boost_error=False).matrix)
    module = MODULE_MM * MM
    left, upper = right - (len(rows) + QUIET_MODULES) * module, top - QUIET_MODULES * module
    drawn = b"0 g\n"
    for number, row in enumerate(rows):
        start = 0
        while start < len(row):
            if not row[start]:
                start += 1
                continue
            end = start
            while end < len(row) and row[end]:
                end += 1
            drawn += b"%.3f %.3f %.3f %.3f re\n" % (left + start * module, upper - (number + 1) * module, (end - start) * module, module)
            start = end
    return drawn + b"f\n"


def _content(facts: Facts, code: str) -> bytes:
    printed = printed_content(facts)
    title = printed["title"]
    drawn = _text((PAGE[0] - _width(title, 20)) / 2, PAGE[1] - 30 * MM, 20, title)
    y = PAGE[1] - 45 * MM
    for label, text in printed["lines"]:
        drawn += _text(LEFT, y, 11, label)
        for start in range(0, len(text), LINE_LETTERS):
            drawn += _text(LEFT + 32 * MM, y, 11, text[start : start + LINE_LETTERS])
            y -= 8 * MM
    drawn += _qr(code, PAGE[0] - 20 * MM, y)
    drawn += _text(LEFT, y - 10 * MM, 9, "请在窗口出示本单，由工作人员扫码核验。")
    drawn += _text(LEFT, y - 16 * MM, 9, "本单内容以平台最新记录为准。")
    if facts.practice:
        drawn += _text(LEFT, 25 * MM, 16, "练习用单，无效。人物均为虚构。")
    return drawn


def sheet_pdf(facts: Facts, code: str) -> bytes:
    """The bytes of a PDF 1.4 file with one A4 page."""
    content = _content(facts, code)
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %.2f %.2f] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>" % PAGE,
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
        b"<< /Type /Font /Subtype /Type0 /BaseFont /STSong-Light-UniGB-UCS2-H /Encoding /UniGB-UCS2-H /DescendantFonts [6 0 R] >>",
        b"<< /Type /Font /Subtype /CIDFontType0 /BaseFont /STSong-Light /CIDSystemInfo << /Registry (Adobe) /Ordering (GB1) /Supplement 4 >> "
        b"/DW 1000 /W [1 95 500] /FontDescriptor 7 0 R >>",
        b"<< /Type /FontDescriptor /FontName /STSong-Light /Flags 6 /FontBBox [-25 -254 1000 880] "
        b"/ItalicAngle 0 /Ascent 880 /Descent -120 /CapHeight 880 /StemV 93 >>",
    ]
    file = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"
    places: list[int] = []
    for number, body in enumerate(objects, 1):
        places.append(len(file))
        file += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return file + b"xref\n0 %d\n0000000000 65535 f \n%strailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (
        len(objects) + 1,
        table,
        len(objects) + 1,
        len(file),
    )
