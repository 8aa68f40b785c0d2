"""A field whose value is a row of a code table: type the words, the code or the first letters of the pinyin. Never invents a value outside its table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent

from desktop.widgets.choice_list import ChoiceList
from desktop.widgets.fields import FieldBox, FieldFace
from desktop.widgets.icons import icon
from desktop.widgets.style import Look

__all__ = ["ChoiceBox", "initials"]

_EDGES = ((0xB0A1, "a"), (0xB0C5, "b"), (0xB2C1, "c"), (0xB4EE, "d"), (0xB6EA, "e"), (0xB7A2, "f"), (0xB8C1, "g"), (0xB9FE, "h"), (0xBBF7, "j"), (0xBFA6, "k"),
          (0xC0AC, "l"), (0xC2E8, "m"), (0xC4C3, "n"), (0xC5B6, "o"), (0xC5BE, "p"), (0xC6DA, "q"), (0xC8BB, "r"), (0xC8F6, "s"), (0xCBFA, "t"), (0xCDDA, "w"),
          (0xCEF4, "x"), (0xD1B9, "y"), (0xD4D1, "z"), (0xD7FA, ""))
"""Where each initial begins among the 3755 characters of GB/T 2312 level 1, which stand in the order of their pinyin."""


def initials(words: str) -> str:
    """First letters of the pinyin: ``钢筋工`` -> ``gjg``. Characters outside GB/T 2312 level 1 are left out; a character with two readings has one."""
    letters: list[str] = []
    for sign in words:
        if sign.isascii():
            letters.append(sign.lower() if sign.isalnum() else "")
            continue
        try:
            place = int.from_bytes(sign.encode("gb2312"), "big")
        except UnicodeEncodeError:
            continue
        letters.append(next((letter for edge, letter in reversed(_EDGES) if place >= edge), ""))
    return "".join(letters)


class ChoiceBox(FieldBox):
    """A choice of ``rows`` (code, words). ``value()`` is the code, or what was typed where it fits no row."""

    def __init__(self, look: Look, path: str, words: str, rows: Sequence[tuple[str, str]], need: str = "") -> None:
        super().__init__(look, path, words, need=need)
        self._labels = dict(rows)
        self._lines = [f"{text} · {code} {initials(text)}" for code, text in rows]
        self._keys = {line: (text.lower(), code.lower(), initials(text)) for line, (code, text) in zip(self._lines, rows, strict=True)}
        self._codes = dict(zip(self._lines, (code for code, _ in rows), strict=True))
        self._typing = False
        self.list = ChoiceList(look, self.edit, words, lambda line: self._take(self._codes[line]))
        self._open = self.edit.add_mark(self._open_all)
        self._open.setIcon(icon(look, "down", "faint"))
        self._open.show()
        self.edit.left.connect(self._settle)

    def shown_text(self, value: str) -> str:
        return self._labels.get(value, value)

    def show_face(self, face: FieldFace) -> None:
        """Letters that were typed and not yet taken stay, whatever arrives meanwhile."""
        if self._typing and self.edit.hasFocus():
            face = replace(face, value=self.value())
        super().show_face(face)
        if self._open.isHidden() != face.locked:
            self._open.setVisible(not face.locked)
            self.edit.place_marks()

    def value(self) -> str:
        """The code of the row whose words or code stand in the field; else the text itself."""
        text = self.edit.text().strip()
        if text in self._labels:
            return text
        return next((code for code, words in self._labels.items() if words == text), text)

    def _typed(self, text: str) -> None:
        self._typing = True
        typed = text.strip().lower()
        self.list.open_with(self._fitting(typed) if typed else ())
        if not typed:
            self.edited.emit(self.path, "")

    def _fitting(self, typed: str) -> list[str]:
        """The rows that hold what was typed: first those that are it, then those that begin so, each group in the order of its table."""
        found = [line for line in self._lines if typed in line.lower()]
        return sorted(found, key=lambda line: (typed not in self._keys[line], not any(key.startswith(typed) for key in self._keys[line])))

    def _take(self, code: str) -> None:
        self._typing = False
        self.edit.setText(self._labels[code])
        self.edited.emit(self.path, code)

    def _settle(self) -> None:
        """Leaving the field with letters that fit one row takes that row; what fits none stays and the rules will say so."""
        if not self._typing:
            return
        typed = self.edit.text().strip().lower()
        fits = [code for line, code in self._codes.items() if typed and typed in line.lower()]
        exact = [code for code, words in self._labels.items() if typed in (code.lower(), words.lower(), initials(words))]
        if len(exact) == 1 or len(fits) == 1:
            self._take((exact if len(exact) == 1 else fits)[0])
        else:
            self._typing = False
            self.edited.emit(self.path, self.value())

    def _open_all(self) -> None:
        if self.edit.isReadOnly():
            return
        self.edit.setFocus()
        self.list.open_with(self._lines)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Down:
            self._open_all()
            return
        super().keyPressEvent(event)
