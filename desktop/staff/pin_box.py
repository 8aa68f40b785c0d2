"""The PIN field with its tries, and the question before the last one. Never keeps a PIN: the field is emptied the moment it is read."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from desktop.staff.kit import Kit
from desktop.widgets.banner import Banner
from desktop.widgets.buttons import ActionButton
from desktop.widgets.cards import label
from desktop.widgets.style import set_role
from devices.tokens.contract import PinState

__all__ = ["PinBox"]


class PinBox(QWidget):
    """``typed(pin)`` once per Enter (None on a PIN pad), ``accepted`` when the last try shall be risked.

    The field takes digits as soon as it is seen, also while the token is still asked how many tries are left: a PIN that lost its first digits would
    cost a try. It is handed over only on page ``pin``, and emptied on every page but these two.
    """

    typed = Signal(object)
    accepted = Signal()

    def __init__(self, kit: Kit) -> None:
        super().__init__()
        self.kit, words = kit, kit.words
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(kit.look.px("one"))
        self._label = label(words("pin.label"), "label")
        column.addWidget(self._label)
        self.edit = QLineEdit()
        self.edit.setEchoMode(QLineEdit.EchoMode.Password)
        self.edit.setMaxLength(64)
        self.edit.setAccessibleName(words("pin.label"))
        self.edit.setInputMethodHints(Qt.InputMethodHint.ImhSensitiveData | Qt.InputMethodHint.ImhNoPredictiveText | Qt.InputMethodHint.ImhHiddenText)
        self.edit.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)
        self.edit.returnPressed.connect(self.give)
        self._label.setBuddy(self.edit)
        column.addWidget(self.edit)
        self._tries = label("", "meta", wrap=True)
        column.addWidget(self._tries)
        self._last = Banner(kit.look)
        column.addWidget(self._last)
        self._accept = ActionButton(kit.look, words("pin.accept"), kind="danger", icon="warning")
        self._accept.clicked.connect(self.accepted)
        column.addWidget(self._accept)
        self._pad = self._open = False

    def give(self) -> None:
        """Hand the PIN over and empty the field; before the token has said how it is, nothing."""
        if not self._open:
            return
        pin = self.edit.text()
        self.edit.clear()
        if pin or self._pad:
            self.typed.emit(None if self._pad else pin)

    def show_pin(self, page: str, pin: PinState | None) -> None:
        """``page``: pin, checking (typing is possible already), last_try, locked_pin, or anything else (shut)."""
        words = self.kit.words
        self._pad = pin is not None and pin.pin_pad
        self._open = page == "pin"
        typing = page in {"pin", "checking"}
        self.edit.setVisible(page not in {"last_try", "locked_pin"} and not self._pad)
        self._label.setVisible(self.edit.isVisibleTo(self))
        self.edit.setEnabled(typing)
        if not typing:
            self.edit.clear()
        self._accept.setVisible(page == "last_try")
        self._last.setVisible(False)
        if page == "last_try":
            self._last.show_words("stop", words("pin.last_title"), words("pin.last_words"))
        if page == "locked_pin":
            self._last.show_words("stop", words("pin.locked_title"), words("pin.locked_words"))
        self._tries.setText(self._tries_words(pin) if page not in {"last_try", "locked_pin"} else "")
        self._tries.setVisible(bool(self._tries.text()))
        set_role(self._tries, tone="stop" if pin is not None and (pin.last_try or pin.tries_left == 1) else "wait" if pin is not None and pin.low else "")

    def _tries_words(self, pin: PinState | None) -> str:
        words = self.kit.words
        if pin is None:
            return words("pin.asking")
        if pin.pin_pad:
            return words("pin.pad")
        if pin.tries_left is not None:
            return words("pin.tries", n=pin.tries_left)
        if pin.last_try:
            return words("pin.last_open")
        return words("pin.low") if pin.low else words("pin.uncounted")
