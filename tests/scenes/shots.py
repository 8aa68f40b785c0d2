"""Renders every page and state of the desk into a folder: ``python -m tests.scenes.shots FOLDER [name part] [--size WxH] [--scale N] [--contrast] [--en]``.

Never asserts anything: a person looks at the pictures.
"""

from __future__ import annotations

import argparse
import os
import sys
from itertools import chain
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")


def main() -> int:
    """Render; returns the exit code."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("part", nargs="?", default="")
    parser.add_argument("--size", action="append", default=[])
    parser.add_argument("--scale", type=int, default=100)
    parser.add_argument("--contrast", action="store_true")
    parser.add_argument("--en", action="store_true")
    args = parser.parse_args()
    from PySide6.QtWidgets import QApplication

    from desktop.widgets.style import Look
    from tests.scenes.batch_scenes import batch_scenes
    from tests.scenes.correction_scenes import correction_scenes
    from tests.scenes.day_scenes import day_scenes
    from tests.scenes.staff_scenes import SCENES, Scene, stage_window

    app = QApplication.instance() or QApplication(sys.argv[:1])
    look = Look(args.scale, args.contrast, practice=True, calm=True)
    app.setStyleSheet(look.sheet())  # type: ignore[attr-defined]
    args.folder.mkdir(parents=True, exist_ok=True)
    for size in args.size or ["1366x768", "1920x1080"]:
        width, height = map(int, size.split("x"))
        def make() -> Scene:
            return Scene(look, "en" if args.en else "zh_CN")

        for name, scene in chain(SCENES(make), day_scenes(make), correction_scenes(make), batch_scenes(make)):
            if args.part and args.part not in name:
                scene.window.deleteLater()
                continue
            stage_window(scene, width, height)
            for _ in range(6):
                app.processEvents()
            picture = scene.window.grab()
            picture.save(str(args.folder / f"{name}-{size}.png"))
            scene.window.close()
            scene.window.deleteLater()
            app.processEvents()
            print(name, size)
    return 0


if __name__ == "__main__":
    sys.exit(main())
