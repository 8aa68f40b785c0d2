"""Qt's own words (file dialogue, menus of fields) in the language of the desk. Never a word of ours: those are in resources/i18n."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QLibraryInfo, QTranslator

__all__ = ["speak"]

_OURS = "hall-intake-qt-words"


def speak(application: QCoreApplication, lang: str) -> bool:
    """Whether words of ``lang`` (``zh_CN``, ``en``) were loaded; without them Qt says what it says by itself, in English, and everything works."""
    for before in application.findChildren(QTranslator, _OURS):
        application.removeTranslator(before)
        before.deleteLater()
    made = QTranslator(application)
    made.setObjectName(_OURS)
    loaded = made.load(f"qtbase_{lang}", QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath))
    return loaded and application.installTranslator(made)
