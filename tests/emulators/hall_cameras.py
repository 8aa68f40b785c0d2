"""Draws what the cameras of the practice hall see, into video files. Drawing needs a Qt application, hence the command line. Never shows a real person.

use: python -m tests.emulators.hall_cameras FOLDER            the person and the certificate
     python -m tests.emulators.hall_cameras FOLDER CODE       the sheet with this code under the sheet camera; an empty code: the bare mat
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tests.emulators.pictures import as_video, certificate, credit_sheet, live_frames, on_mat

__all__ = ["DOCUMENT", "PORTRAIT", "SHEET", "draw", "lay_sheet"]

PORTRAIT, DOCUMENT, SHEET = "portrait.avi", "document.avi", "sheet.avi"
HOLDER = "李练工"
"""Whose certificate lies under the document camera: the person of ``tests.emulators.idcards.PRACTICE``."""
LINES = ("工种:钢筋工", "等级:三级/高级工", "证书编号:2106-0088412", "发证日期:2021-06-18", "发证机关:四川省住房和城乡建设厅", "本证书用于练习,不具效力。")
SHEET_ROWS = (("姓名", "李国强"), ("证件号码", "5101**********0012"), ("单位", "四川示例建设有限公司"), ("类别", "技术工人"), ("良好行为", "2 条"),
              ("不良行为", "0 条"))
"""What is printed on the sheet: the facts of ``tests.scenes.hall.SHEET_FACTS``, which its code carries."""
SHEET_PIXELS = (2448, 1836)
"""Of a document camera: a sheet's code needs them."""


def draw(folder: Path) -> None:
    """A person in front of the portrait camera, a certificate under the document camera. Raises OSError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    as_video(live_frames(12), folder / PORTRAIT)
    page = certificate(HOLDER, "职业技能等级证书", LINES)
    as_video([on_mat(page, seed=seed) for seed in range(2)], folder / DOCUMENT)


def lay_sheet(folder: Path, code: str, rows: Sequence[tuple[str, str]] = SHEET_ROWS) -> None:
    """A credit sheet with ``code`` under the sheet camera, or the bare mat; an open camera sees it at its next turn. Raises OSError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    across, down = SHEET_PIXELS
    picture = on_mat(credit_sheet(code, rows), across, down) if code else np.full((down, across, 3), (58, 49, 43), np.uint8)
    new = folder / f"new-{SHEET}"
    as_video([picture] * 2, new)
    new.replace(folder / SHEET)


if __name__ == "__main__":
    lay_sheet(Path(sys.argv[1]), sys.argv[2]) if len(sys.argv) > 2 else draw(Path(sys.argv[1]))
