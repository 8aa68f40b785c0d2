"""The props panel of the practice hall: cards, certificate tokens, the line to the province, credit sheets, in a small window beside the product's.

Clearly marked as practice: the people are made up and the PINs are no secret. Never part of the product, and never touches it but through its devices.
"""

from __future__ import annotations

import json
import urllib.error
from collections.abc import Callable

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QCloseEvent, QGuiApplication
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QVBoxLayout, QWidget

from desktop.widgets.buttons import ActionButton
from desktop.widgets.cards import Card, label
from desktop.widgets.style import Look, set_role
from resources import find
from tests.emulators.idcards import ALI, CHEN, EXPIRED, PRACTICE, WRONG_CHECK, ZHANG, SyntheticCard
from tests.scenes.hall import PEOPLE, PracticeHall, Someone

__all__ = ["PropsPanel"]

CARDS: tuple[tuple[str, SyntheticCard], ...] = (
    ("李练工 · 技术工人", PRACTICE), ("张三 · 年长的从业人员", ZHANG), ("陈大文 · 港澳台居民居住证", CHEN), ("ALI · 外国人永久居留证", ALI),
    ("王到期 · 证件已过期", EXPIRED), ("赵错码 · 号码校验位不对", WRONG_CHECK),
)
SHEETS = (
    ("有效的一张", "current"), ("有更新的, 这张旧了", "superseded"), ("已撤销", "revoked"), ("已过期", "expired"), ("伪造的", "forged"),
    ("什么也不放", "none"),
)
ROLES = {"operator": "经办人", "supervisor": "主管", "administrator": "管理员"}
CARD_PAUSE_MS = 1500
"""Between a card's lifting and the next one's placing: the smart-card service must have seen the empty reader (tests/emulators/vpcd.py)."""
WIDTH = 320


class PropsPanel(QWidget):
    """``face`` decides what is needed: sheets for verify, cards and tokens for the others. Closing it hides it; ``come`` shows it again."""

    def __init__(self, hall: PracticeHall, face: str) -> None:
        super().__init__()
        self.hall = hall
        self.look = look = Look(practice=True)
        self.setWindowTitle("练习道具")
        self.setWindowFlag(Qt.WindowType.WindowStaysOnTopHint)  # on a small screen the product's window takes all of it
        arrow = find("icons", "down.svg")
        self.setStyleSheet(look.sheet() + f"QComboBox::down-arrow {{ image: url({arrow}); width: 14px; height: 14px; }}")
        self.setFixedWidth(WIDTH)
        set_role(self, role="practice-edge")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(3, 3, 3, 3)
        inner = QWidget()
        set_role(inner, role="ground")
        inner.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        outer.addWidget(inner)
        self.column = QVBoxLayout(inner)
        self.column.setContentsMargins(*[look.px("two")] * 4)
        self.column.setSpacing(look.px("one"))
        self.column.addWidget(label("练习道具", "section", "practice"))
        self.column.addWidget(label("人、证件和密码都是编的, 随便试, 弄不坏。", "meta", wrap=True))
        if face == "verify":
            self._add_sheets()
        else:
            self._add_cards()
        if face == "desk":
            self._add_tokens()
        self._add_line()
        self.column.addWidget(label("关上登记台的窗口, 练习就结束。", "meta", wrap=True))
        self.column.addStretch(1)

    def come(self) -> None:
        """To the front, at the right edge of the screen where it was not moved."""
        if not self.isVisible():
            room = QGuiApplication.primaryScreen().availableGeometry()
            self.adjustSize()
            self.move(room.right() - self.width() - 16, room.top() + 72)
        self.setWindowState(self.windowState() & ~Qt.WindowState.WindowMinimized)
        self.show()
        self.raise_()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Only out of sight: the next start of the command shows it again."""
        event.ignore()
        self.hide()

    # -- parts ---------------------------------------------------------------------------------------------------------------------------
    def _card(self, title: str) -> Card:
        card = Card(self.look, title, role="strong", tight=True)
        card.body.setSpacing(self.look.px("one"))
        self.column.addWidget(card)
        return card

    def _button(self, words: str, pressed: Callable[[], None]) -> ActionButton:
        button = ActionButton(self.look, words, kind="small")
        button.clicked.connect(pressed)
        return button

    @staticmethod
    def _beside(*widgets: QWidget) -> QHBoxLayout:
        row = QHBoxLayout()
        for widget in widgets:
            row.addWidget(widget)
        return row

    def _add_cards(self) -> None:
        card = self._card("身份证 · 读卡器")
        self.cards = QComboBox()
        for words, _card in CARDS:
            self.cards.addItem(words)
        self.place = self._button("放到读卡器上", self._place)
        self.lift = self._button("拿起来", self._lift)
        self.lift.setEnabled(False)
        card.body.addWidget(self.cards)
        card.body.addLayout(self._beside(self.place, self.lift))
        self.on_reader = card.note
        self.on_reader.setText("没有证件")

    def _place(self) -> None:
        words, card = CARDS[self.cards.currentIndex()]
        self.hall.place(card)
        self.on_reader.setText(words.partition(" ")[0] + " 在上面")
        self._set_card(lying=True)

    def _lift(self) -> None:
        self.hall.lift()
        self.on_reader.setText("没有证件")
        self.lift.setEnabled(False)
        QTimer.singleShot(CARD_PAUSE_MS, self, lambda: self._set_card(lying=False))

    def _set_card(self, lying: bool) -> None:
        self.place.setEnabled(not lying)
        self.cards.setEnabled(not lying)
        self.lift.setEnabled(lying)

    def _add_tokens(self) -> None:
        card = self._card("数字证书 · USB 口")
        self.tokens: dict[str, ActionButton] = {}
        for one in PEOPLE:
            row = QHBoxLayout()
            row.addWidget(label(f"{one.name} {ROLES[one.label]}", "row"), 1)
            row.addWidget(label(f"PIN {one.pin}", "meta", "practice"))
            self.tokens[one.id] = self._button("拔下", lambda _checked=False, one=one: self._turn(one))
            row.addWidget(self.tokens[one.id])
            card.body.addLayout(row)
            self._show_token(one)

    def _turn(self, one: Someone) -> None:
        token = self.hall.people[one.id]
        token.pull() if token.plugged else token.replug()
        self._show_token(one)

    def _show_token(self, one: Someone) -> None:
        self.tokens[one.id].say("拔下" if self.hall.people[one.id].plugged else "插上")

    def _add_line(self) -> None:
        card = self._card("到省平台的网络")
        self.line_state = card.note
        self.line = self._button("拔掉网线", self._turn_line)
        card.body.addWidget(self.line)
        self._show_line(up=True)

    def _turn_line(self) -> None:
        try:
            self.hall.province.cut_line() if self.line_up else self.hall.province.mend_line()
        except (urllib.error.URLError, OSError, json.JSONDecodeError):
            self.line_state.setText("练习省没有回答")
            return
        self._show_line(not self.line_up)

    def _show_line(self, up: bool) -> None:
        self.line_up = up
        set_role(self.line_state, role="meta", tone="good" if up else "wait")
        self.line_state.setText("通" if up else "断着")
        self.line.say("拔掉网线" if up else "插上网线")

    def _add_sheets(self) -> None:
        card = self._card("诚信记录单 · 镜头下")
        self.sheets = QComboBox()
        for words, _state in SHEETS:
            self.sheets.addItem(words)
        self.lay = self._button("放到镜头下", self._lay)
        card.body.addWidget(self.sheets)
        card.body.addWidget(self.lay)

    def _lay(self) -> None:
        self.hall.lay_sheet(SHEETS[self.sheets.currentIndex()][1])
