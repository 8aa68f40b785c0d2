"""Draws what the cameras of the practice hall see, into video files. A process of its own, because drawing needs a Qt application. Never shows a real person.

use: python -m tests.emulators.hall_cameras FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.emulators.pictures import as_video, certificate, live_frames, on_mat

__all__ = ["DOCUMENT", "PORTRAIT", "SHEET", "draw"]

PORTRAIT, DOCUMENT, SHEET = "portrait.avi", "document.avi", "sheet.avi"
HOLDER = "李练工"
"""Whose certificate lies under the document camera: the person of ``tests.emulators.idcards.PRACTICE``."""
LINES = ("工种:钢筋工", "等级:三级/高级工", "证书编号:2106-0088412", "发证日期:2021-06-18", "发证机关:四川省住房和城乡建设厅", "本证书用于练习,不具效力。")


def draw(folder: Path) -> None:
    """A person in front of the portrait camera, a certificate under the document camera; ``SHEET`` is drawn once there is a sheet. Raises OSError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    as_video(live_frames(12), folder / PORTRAIT)
    page = certificate(HOLDER, "职业技能等级证书", LINES)
    as_video([on_mat(page, seed=seed) for seed in range(4)], folder / DOCUMENT)


if __name__ == "__main__":
    draw(Path(sys.argv[1]))
