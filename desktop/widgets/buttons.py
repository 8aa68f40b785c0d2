"""Buttons that show their key: the primary action, quiet actions, rows of a side list, tabs. Never decides what a press means."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence, QShortcutEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QWidget

from desktop.widgets.icons import IconLabel
from desktop.widgets.style import Look, set_role

__all__ = ["ActionButton", "KeyCap", "KeyedButton", "RowButton", "TabButton", "ToggleButton", "key_words"]

_ON = {"primary": "accent", "touch-primary": "accent", "danger": "danger", "link": "link"}
_TYPE = {"touch": "kiosk-body", "touch-primary": "kiosk-body"}


def key_words(key: str) -> str:
    """A key as people read it: ``Ctrl+Return`` -> ``Ctrl Enter``."""
    return key.replace("Return", "Enter").replace("Escape", "Esc").replace("+", " ")


class KeyCap(QLabel):
    """A key drawn as a small cap."""

    def __init__(self, key: str, on: str = "") -> None:
        super().__init__(key_words(key))
        set_role(self, role="key", on=on)
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)


class KeyedButton(QPushButton):
    """A push button whose key clicks at once.

    Qt clicks a shortcut's button 100 ms later, for show: an Esc typed in between would overtake F4, and a PIN would begin in the field before.
    A button that has the focus keeps the space bar for itself, whatever else that key does on the page.
    """

    def event(self, event: QEvent) -> bool:
        kind = event.type()
        if kind == QEvent.Type.Shortcut and isinstance(event, QShortcutEvent):
            if not event.isAmbiguous():
                self.click()
            return True
        if kind == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Space and not event.modifiers():
            event.accept()
            return True
        return super().event(event)


class _LaidButton(KeyedButton):
    """A push button whose face is a layout. Its size is the layout's."""

    def __init__(self, look: Look, says: str, kind: str) -> None:
        super().__init__()
        self.look = look
        set_role(self, kind=kind)
        self.setAutoDefault(True)
        self.setAccessibleName(says)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.row = QHBoxLayout(self)
        self.row.setSpacing(look.px("one"))

    def sizeHint(self) -> QSize:
        hint = self.row.totalSizeHint()
        return QSize(hint.width() + 4, max(hint.height(), super().sizeHint().height(), self.minimumHeight()))

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def _add(self, widget: QWidget, stretch: int = 0) -> None:
        widget.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.row.addWidget(widget, stretch, Qt.AlignmentFlag.AlignVCenter)


class ActionButton(_LaidButton):
    """An action with its words and its key. ``kind``: primary (one per screen), quiet, small, plain, danger, link, touch, touch-primary."""

    def __init__(self, look: Look, words: str, key: str = "", kind: str = "quiet", icon: str = "", shortcut: bool = True) -> None:
        super().__init__(look, words, {"danger": "quiet", "link": "plain"}.get(kind, kind))
        self._on = _ON.get(kind, "")
        edge = look.px("three") if kind not in {"small", "plain", "link"} else look.px("two" if words else "half")
        self.row.setContentsMargins(edge, 0, edge, 2 if kind == "small" else 0)   # Chinese faces stand low in their line: a low button shows it
        self.row.addStretch(1)
        self._icon = None
        if icon:
            self._mark = (icon, {"accent": "on_accent", "danger": "stop_text", "link": "accent_text"}.get(self._on, "quiet"))
            self._icon = IconLabel(look, *self._mark, look.type("kiosk_body") if kind.startswith("touch") else None)
            self._add(self._icon)
        self._words = QLabel(words)
        set_role(self._words, on=self._on, role=_TYPE.get(kind, "label-small" if kind == "small" else ""))
        self._add(self._words)
        self._words.setVisible(bool(words))
        self._cap: KeyCap | None = None
        if key:
            self._cap = KeyCap(key, "accent" if self._on == "accent" else "")
            self._add(self._cap)
            if shortcut:
                self.setShortcut(QKeySequence(key))
        self.row.addStretch(1)

    def text(self) -> str:
        """The words on the button (the base class knows none: the face is a layout)."""
        return self._words.text()

    def say(self, words: str) -> None:
        """Change the words; the key stays."""
        self._words.setText(words)
        self._words.setVisible(bool(words))
        self.setAccessibleName(words)
        self.updateGeometry()

    def show_key(self, shown: bool) -> None:
        """Show the key where it acts now; the button keeps its place."""
        if self._cap is not None and self._cap.isHidden() == shown:
            self._cap.setVisible(shown)
            self.updateGeometry()

    def setEnabled(self, enabled: bool) -> None:
        """Grey out mark, words and key together with the button."""
        super().setEnabled(enabled)
        if self._icon is not None:
            self._icon.show_icon(self._mark[0], self._mark[1] if enabled else "faint")
        set_role(self._words, on=self._on if enabled else "")
        if self._cap is not None:
            set_role(self._cap, on="accent" if enabled and self._on == "accent" else "")


class RowButton(_LaidButton):
    """One row of a side list: words, and a pill with a count or a key at its end."""

    def __init__(self, look: Look, words: str, pill: str = "", tone: str = "", key: str = "", current: bool = False) -> None:
        super().__init__(look, f"{words} {pill}".strip(), "row")
        self.row.setContentsMargins(look.px("one"), 0, look.px("one"), 0)
        self._words = QLabel(words)
        set_role(self._words, role="row")
        self._add(self._words, 1)
        if pill:
            badge = QLabel(pill)
            set_role(badge, role="pill", tone=tone)
            self._add(badge)
        if key:
            self._add(KeyCap(key))
            self.setShortcut(QKeySequence(key))
        set_role(self, current="true" if current else "false")

    def text(self) -> str:
        """The words on the row."""
        return self._words.text()


class TabButton(_LaidButton):
    """One step of the form: done ones have a tick, the current one stands on white."""

    def __init__(self, look: Look, words: str) -> None:
        super().__init__(look, words, "tab")
        self.row.setContentsMargins(look.px("two") - 2, 0, look.px("two") - 2, 0)
        self.row.setSpacing(2)
        self._tick = IconLabel(look, "check", "good_text", look.type("meta"))
        self._add(self._tick)
        self._words = QLabel(words)
        self._add(self._words)
        self.mark()

    def text(self) -> str:
        """The words of the step."""
        return self._words.text()

    def mark(self, done: bool = False, current: bool = False) -> None:
        """Show where this step stands."""
        self._tick.setVisible(done)
        set_role(self, done="true" if done else "false", current="true" if current else "false")
        for label in (self._words, self._tick):
            set_role(label)
        self.updateGeometry()


class ToggleButton(_LaidButton):
    """A switch with words: a tick and colour when it is on."""

    def __init__(self, look: Look, words: str, key: str = "") -> None:
        super().__init__(look, words, "toggle")
        self.setCheckable(True)
        self.row.setContentsMargins(look.px("one") + 2, 0, look.px("one") + 2, 0)
        self.row.addStretch(1)
        self._tick = IconLabel(look, "check", "accent_text", look.px("icon") - 2)
        self._add(self._tick)
        self._words = QLabel(words)
        self._add(self._words)
        if key:
            self._add(KeyCap(key))
        self.row.addStretch(1)
        self.toggled.connect(self._look_on)
        self._look_on(False)

    def text(self) -> str:
        """The words of the switch."""
        return self._words.text()

    def show_on(self, on: bool) -> None:
        """Show it on or off without a click."""
        if self.isChecked() != on:
            self.setChecked(on)

    def _look_on(self, on: bool) -> None:
        self._tick.setVisible(on)
        set_role(self._words, on="link" if on else "", role="strong" if on else "")
        self.updateGeometry()
