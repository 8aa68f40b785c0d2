"""Asks a person for a file, in the system's own dialogue. Never waits in a loop of its own, and never reads or writes the file."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QDir, QFileInfo, QStandardPaths, Qt
from PySide6.QtWidgets import QFileDialog, QWidget

__all__ = ["ask_for_file", "ask_for_pdf", "ask_for_zip"]

_LAST: dict[str, str] = {}
"""Ending -> the folder that was chosen last for it, as long as the program runs."""


def ask_for_pdf(parent: QWidget, title: str, name: str, chosen: Callable[[str], None]) -> None:
    """Where a new PDF goes; ``name`` (a serial, never a person's name) is proposed. ``chosen(path)`` if the person agrees."""
    _ask_for_new(parent, title, name, "pdf", chosen)


def ask_for_zip(parent: QWidget, title: str, name: str, chosen: Callable[[str], None]) -> None:
    """Where a new export goes, on a medium; ``name`` holds nothing of a person."""
    _ask_for_new(parent, title, name, "zip", chosen)


def _ask_for_new(parent: QWidget, title: str, name: str, ending: str, chosen: Callable[[str], None]) -> None:
    dialogue = QFileDialog(parent, title)
    dialogue.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialogue.setNameFilter(f"{ending.upper()} (*.{ending})")
    dialogue.setDefaultSuffix(ending)
    documents = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)
    folder = _LAST.get(ending, documents)   # never the program's own folder: nobody finds it again, and nobody may write there
    dialogue.setDirectory(folder if QFileInfo(folder).isDir() else QDir.homePath())
    dialogue.fileSelected.connect(lambda path: _LAST.update({ending: QFileInfo(path).absolutePath()}))
    dialogue.selectFile(f"{name}.{ending}")
    _open(parent, dialogue, chosen)


def ask_for_file(parent: QWidget, title: str, kinds: str, chosen: Callable[[str], None]) -> None:
    """One file that is there; ``kinds`` as Qt writes name filters. ``chosen(path)`` if the person agrees."""
    dialogue = QFileDialog(parent, title)
    dialogue.setFileMode(QFileDialog.FileMode.ExistingFile)
    dialogue.setNameFilter(kinds)
    _open(parent, dialogue, chosen)


def _open(parent: QWidget, dialogue: QFileDialog, chosen: Callable[[str], None]) -> None:
    dialogue.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialogue.fileSelected.connect(chosen)
    dialogue.finished.connect(lambda _result: parent.window().activateWindow())   # a screen without a window manager gives the keyboard to nobody
    dialogue.open()
