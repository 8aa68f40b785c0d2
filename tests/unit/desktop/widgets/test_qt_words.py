"""Qt's own dialogues speak the language of the desk, and propose a folder where people look for their files."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QStandardPaths
from PySide6.QtWidgets import QApplication, QFileDialog, QWidget

from desktop.widgets import files
from desktop.widgets.qt_words import speak


def said(word: str) -> str:
    return QCoreApplication.translate("QFileDialog", word)


def test_qt_speaks_the_language_of_the_desk_and_one_only(qt_application: QApplication) -> None:
    try:
        assert speak(qt_application, "zh_CN") and said("Look in:") != "Look in:" and not said("Look in:").isascii()
        speak(qt_application, "en")
        assert said("Look in:") == "Look in:"
        assert not speak(qt_application, "no_such"), "an installation without them works on"
    finally:
        speak(qt_application, "en")


def test_new_files_go_to_the_documents_and_then_where_the_last_one_went(qt_application: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    documents, other = tmp_path / "documents", tmp_path / "other"
    documents.mkdir()
    other.mkdir()
    monkeypatch.setattr(QStandardPaths, "writableLocation", lambda _kind: str(documents))
    monkeypatch.setattr(files, "_LAST", {})
    chosen: list[str] = []
    parent = QWidget()
    seen: list[str] = []
    for path in (other / "a.pdf", other / "b.pdf"):
        files.ask_for_pdf(parent, "t", "R-1", chosen.append)
        dialogue = parent.findChildren(QFileDialog)[-1]
        seen.append(dialogue.directory().absolutePath())
        dialogue.fileSelected.emit(str(path))
        dialogue.close()
        qt_application.processEvents()
    assert seen == [str(documents), str(other)] and chosen == [str(other / "a.pdf"), str(other / "b.pdf")]
