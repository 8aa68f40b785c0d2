"""The two bars of the desk: who and where on top, what next at the bottom. Never decides what a press means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QWidget

from desktop.flows.intake_state import IntakeState
from desktop.flows.words import (
    BackPressed,
    CaptureClosed,
    CapturePressed,
    DocumentPressed,
    Operator,
    PagePicked,
    ParkPressed,
    PortraitPressed,
    ReadPressed,
    ReviewPressed,
    StationFacts,
)
from desktop.staff.kit import Kit, Post
from desktop.staff.wording import clock_time, platform_words
from desktop.widgets.buttons import ActionButton
from desktop.widgets.cards import label
from desktop.widgets.status_dots import Lamp, StatusDots
from desktop.widgets.style import set_role

__all__ = ["DeskFoot", "TopBar", "bar"]

def bar(kit: Kit, edge: str) -> tuple[QWidget, QHBoxLayout]:
    """A bar with its hairline towards the middle of the window."""
    made = QWidget()
    made.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
    set_role(made, role="bar", edge="bottom" if edge == "top" else "top")
    made.setFixedHeight(kit.look.px("bar_top" if edge == "top" else "bar_bottom"))
    row = QHBoxLayout(made)
    row.setContentsMargins(kit.look.px("four"), 0, kit.look.px("four") - 8, 0)
    row.setSpacing(kit.look.px("one"))
    return made, row


class TopBar(QWidget):
    """Product, practice mark, hall and window, operator with the days of the certificate; the lamps at the right open the health page."""

    def __init__(self, kit: Kit, post: Post) -> None:
        super().__init__()
        self.kit = kit
        outer = QHBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        frame, row = bar(kit, "top")
        outer.addWidget(frame)
        row.setSpacing(kit.look.px("six"))
        title = label(kit.words("app.name"), "strong")
        row.addWidget(title)
        self._practice = label(kit.words("app.practice"), "practice")
        row.addWidget(self._practice)
        self._station, self._operator = label("", "meta"), label("", "meta")
        row.addWidget(self._station)
        row.addWidget(self._operator)
        row.addStretch(1)
        self.dots = StatusDots(kit.look, kit.words("lamp.all"))
        self.dots.clicked.connect(lambda: post(PagePicked("health")))
        row.addWidget(self.dots)

    def show_people(self, station: StationFacts | None, operator: Operator | None) -> None:
        """Who works where."""
        words = self.kit.words
        self._practice.setVisible(station is not None and station.practice)
        self._station.setText(words("app.station", hall=station.hall, window=station.window) if station else "")
        days = operator.certificate.days_left if operator else 0
        self._operator.setText(words("app.operator", name=operator.name, days=days) if operator else "")
        set_role(self._operator, tone="wait" if operator and days <= 30 else "")

    def show_lamps(self, state: IntakeState) -> None:
        """Devices and platform in words."""
        words, lamps = self.kit.words, []
        for one in state.devices:
            if one.name == "social":    # nothing waits for it; the health page has it
                continue
            tone = {"good": "good", "absent": "wait", "other": "wait", "trouble": "stop"}.get(one.state, "quiet")
            said = words(f"lamp.{one.name}") if one.state == "good" else words(f"lamp.{one.name}_{one.state}")
            lamps.append(Lamp(one.name, said, tone, one.detail))
        said, tone = platform_words(words, state.courier, self.kit.now())
        lamps.append(Lamp("platform", said, tone))
        self.dots.show_lamps(lamps)


class DeskFoot(QWidget):
    """What was saved and the keys at the left; the one primary action at the right. ``own``: page of the state -> the buttons that it brings along."""

    def __init__(self, kit: Kit, post: Post, own: Mapping[str, Sequence[ActionButton]] | None = None) -> None:
        super().__init__()
        self.kit, self._own = kit, own or {}
        outer = QHBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        frame, row = bar(kit, "bottom")
        outer.addWidget(frame)
        words = kit.words
        self._saved = label("", "meta")
        row.addWidget(self._saved)
        self._keys: list[ActionButton] = []
        for key, name, event in (("F2", "read", ReadPressed()), ("F3", "portrait", PortraitPressed()), ("F4", "document", DocumentPressed())):
            button = ActionButton(kit.look, words(f"foot.{name}"), key, "plain")
            button.clicked.connect(lambda _=False, said=event: post(said))
            row.addWidget(button)
            self._keys.append(button)
        row.addStretch(1)
        self._esc = ActionButton(kit.look, words("foot.to_form"), "Esc", shortcut=False)
        self._esc.clicked.connect(lambda: post(CaptureClosed()))
        self._back = ActionButton(kit.look, words("foot.to_desk"), "Esc", shortcut=False)
        self._back.clicked.connect(lambda: post(BackPressed()))
        self._park = ActionButton(kit.look, words("foot.park"), "F8")
        self._park.clicked.connect(lambda: post(ParkPressed()))
        self.take = ActionButton(kit.look, words("foot.take"), "Space", "primary")
        self.take.clicked.connect(lambda: post(CapturePressed()))
        self._review = ActionButton(kit.look, words("foot.review"), "F9", "primary")
        self._review.clicked.connect(lambda: post(ReviewPressed(kit.now())))
        brought = [button for buttons in self._own.values() for button in buttons]
        for button in (self._esc, self._back, self._park, *brought, self.take, self._review):
            row.addWidget(button)

    def show_state(self, state: IntakeState) -> None:
        """The foot for this state: at most one primary action."""
        desk, words = state.page == "desk", self.kit.words
        sitting = desk and state.draft is not None
        capture = state.capture if sitting else None
        free = desk and not sitting and state.reading is None
        saved = words("foot.saved", at=clock_time(state.saved_at)) if sitting and state.saved_at else words("foot.waiting") if free else ""
        self._saved.setText(words("foot.parking") if state.parking else saved)
        self._keys[0].setVisible(desk and capture is None and state.reading is None)
        for button in self._keys[1:]:
            button.setVisible(sitting and capture is None and state.reading is None)
        self._esc.setVisible(capture is not None)
        self._back.setVisible(not desk)
        for page, buttons in self._own.items():
            for button in buttons:
                button.setVisible(state.page == page)
        self._park.setVisible(sitting and capture is None)
        self._park.setEnabled(not state.parking)
        self.take.setVisible(capture is not None)
        self.take.say(words("foot.taking" if capture is not None and capture.taking else "foot.take"))   # never greyed: it keeps the focus
        self._review.setVisible(sitting and capture is None)
        self._review.setEnabled(not state.parking and state.reading is None)
