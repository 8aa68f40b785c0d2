"""Draws what the practice hall's cameras see, into files. Runs as a process of its own, because drawing needs a Qt application. Never shows a real person.

use: python -m tests.hall.drawings FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.emulators.pictures import as_stills, as_video, certificate, live_frames, on_mat

__all__ = ["cameras", "draw"]

HOLDER = "李练工"
"""Whose certificate lies under the document camera: the person of ``tests.emulators.idcards.PRACTICE``."""


def draw(folder: Path) -> None:
    """A person in front of the portrait camera (video file), a certificate under the document camera (stills)."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    as_video(live_frames(), folder / "portrait.avi")
    page = certificate(HOLDER)
    as_stills((on_mat(page, seed=seed) for seed in range(4)), folder / "document")


def cameras(folder: Path) -> list[dict[str, str]]:
    """The entries of the device list for what ``draw`` wrote."""
    return [
        {"name": "练习人像摄像头", "source": str(folder / "portrait.avi"), "use": "portrait"},
        {"name": "练习高拍仪", "source": str(folder / "document" / "frame_%03d.png"), "use": "document"},
        {"name": "练习扫码口", "source": str(folder / "document" / "frame_%03d.png"), "use": "code"},
    ]


if __name__ == "__main__":
    draw(Path(sys.argv[1]))
