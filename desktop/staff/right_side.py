"""The right column: two portraits, still to do, materials. Never judges: issues and verdicts come with the state."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QMenu, QVBoxLayout, QWidget

from desktop.flows.intake_social import has_slot
from desktop.flows.intake_state import IntakeState
from desktop.flows.words import DiscardPressed, DocumentPressed, FaceCompared, PlacePicked, PortraitPressed
from desktop.flows.words.social import SocialPressed
from desktop.staff.kit import Kit, Post
from desktop.staff.wording import issue_words
from desktop.widgets.buttons import ActionButton
from desktop.widgets.cards import Card, ScrolledColumn, hairline, label
from desktop.widgets.id_panel import IdPanel
from desktop.widgets.issue_list import IssueLine, IssueList
from desktop.widgets.material_row import MaterialRow
from desktop.widgets.style import set_role
from sync.draft import Draft
from sync.record import ATTACHMENT_KINDS

__all__ = ["RightSide"]

_VERDICT_TONES = {"same": "good", "different": "stop", "unsure": "wait"}


class RightSide(QWidget):
    """Shown while a sitting is open."""

    def __init__(self, kit: Kit, post: Post) -> None:
        super().__init__()
        self.kit, self._post, words = kit, post, kit.words
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        set_role(self, role="side", edge="left")
        self.setFixedWidth(kit.look.px("side_right"))
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        scrolled = ScrolledColumn(kit.look, kit.look.px("three"))
        outer.addWidget(scrolled)
        self.panel = IdPanel(kit.look, words("face.chip"), words("face.live"))
        self.panel.live.pressed.connect(lambda: post(PortraitPressed()))
        scrolled.column.addWidget(self.panel)
        self._decide = self._decision()
        scrolled.column.addWidget(self._decide)
        self.social = ActionButton(kit.look, words("social.look"), "Alt+K", "link", "card")
        self.social.clicked.connect(lambda: post(SocialPressed()))
        scrolled.column.addWidget(self.social, 0, Qt.AlignmentFlag.AlignLeft)
        self.still = Card(kit.look, words("still.title"), role="strong", tight=True)
        self.issues = IssueList(kit.look, words("still.none"))
        self.issues.picked.connect(lambda path: post(PlacePicked(path)))
        self.still.body.addWidget(self.issues)
        scrolled.column.addWidget(self.still)
        self.materials = Card(kit.look, words("material.title"), role="strong", tight=True)
        self.materials.body.setSpacing(0)
        scrolled.column.addWidget(self.materials)
        drop = ActionButton(kit.look, words("discard.ask"), "Ctrl+Delete", "link")
        drop.clicked.connect(lambda: post(DiscardPressed()))
        scrolled.column.addWidget(drop, 0, Qt.AlignmentFlag.AlignRight)
        self._said: object = None

    def _decision(self) -> QWidget:
        """Staff compares where the model is not there or not sure."""
        part = QWidget()
        column = QVBoxLayout(part)
        column.setContentsMargins(0, 0, 0, 0)
        self._ask = label("", "meta", wrap=True)
        column.addWidget(self._ask)
        row = QHBoxLayout() if self.kit.lang == "zh" else QVBoxLayout()   # the English answers are too long to stand side by side
        for verdict in ("same", "different"):
            button = ActionButton(self.kit.look, self.kit.words(f"face.say_{verdict}"), {"same": "Alt+Y", "different": "Alt+X"}[verdict], "small")
            button.clicked.connect(lambda _=False, said=verdict: self._post(FaceCompared(said, "staff")))
            row.addWidget(button)
        column.addLayout(row)
        return part

    def show_state(self, state: IntakeState) -> None:
        """Show the sitting's pictures, issues and materials."""
        draft = state.draft
        if draft is None:
            return
        portrait = next((one.still_id for one in draft.stills if one.kind == "portrait"), "")
        verdict = (draft.face or {}).get("verdict", "")
        self.panel.show_pictures(state.chip_photo, state.pictures.get(portrait), self.kit.words(f"face.{verdict}") if verdict else "",
                                 _VERDICT_TONES.get(verdict, "quiet"))
        ask = bool(portrait) and (verdict == "unsure" or (not verdict and (state.no_model or not state.chip_photo)))
        self._decide.setVisible(ask)
        self._ask.setText(self.kit.words("face.ask_card" if not state.chip_photo else "face.ask_unsure" if verdict == "unsure" else "face.ask"))
        self.social.setVisible(has_slot(state))
        self.social.say(self.kit.words("social.looking" if state.social.reading else "social.look"))    # never greyed: it keeps the focus
        self._show_issues(state)
        self._show_materials(state, draft)

    def _show_issues(self, state: IntakeState) -> None:
        words = self.kit.words
        counts = {name: sum(1 for one in state.issues if one.severity == name) for name in ("returned", "must", "missing", "explain")}
        parts = [words(f"still.{name}", n=count) for name, count in counts.items() if count]
        self.still.title.setText(words("still.joined").join(parts) if parts else words("still.title"))
        self.issues.show_lines([IssueLine(one.path, issue_words(one, words), one.severity, one.code) for one in state.issues])

    def _show_materials(self, state: IntakeState, draft: Draft) -> None:
        words, categories = self.kit.words, draft.categories()
        missing = {one.path.removeprefix("stills.") for one in state.issues if one.code == "attachment.missing"}
        held: dict[str, list[str]] = {}
        pages: dict[str, int] = {}
        for one in draft.stills:
            held.setdefault(one.kind, []).append(one.trust)
            pages[one.kind] = pages.get(one.kind, 0) + one.pages
        shown = [kind for kind in ATTACHMENT_KINDS if kind.name != "portrait" and (kind.name in held or kind.name in missing)]
        said = (tuple(kind.name for kind in shown), tuple(sorted(pages.items())), tuple(sorted((k, tuple(v)) for k, v in held.items())), categories,
                state.capture.kind if state.capture else "")
        if said == self._said:
            return
        self._said = said
        while self.materials.body.count():
            part = self.materials.body.takeAt(0).widget()
            if part is not None:
                part.hide()
                part.deleteLater()
        self.materials.note.setText(f"{sum(1 for kind in shown if kind.name in held)} / {len(shown)}" if shown else "")
        for kind in shown:
            name = kind.label_en if words.lang == "en" else kind.label_zh
            have = kind.name in held
            trust = "original" if have and all(one == "B" for one in held[kind.name]) else "copy"
            note = words("material.held", n=pages[kind.name], trust=words(f"material.{trust}")) if have else words("material.press")
            self.materials.body.addWidget(hairline())
            row = MaterialRow(self.kit.look, name, note, have)
            row.clicked.connect(lambda _=False, which=kind.name: self._post(DocumentPressed(which)))
            self.materials.body.addWidget(row)
        self.materials.body.addWidget(hairline())
        more = ActionButton(self.kit.look, words("material.more"), "Alt+M", "link", "plus")
        more.clicked.connect(lambda: self._more(more, categories))
        self.materials.body.addWidget(more)

    def _more(self, button: ActionButton, categories: frozenset[str]) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for kind in ATTACHMENT_KINDS:
            if kind.name != "portrait" and kind.categories & (categories or kind.categories):
                action = menu.addAction(kind.label_en if self.kit.words.lang == "en" else kind.label_zh)
                action.triggered.connect(lambda _=False, which=kind.name: self._post(DocumentPressed(which)))
        menu.popup(button.mapToGlobal(button.rect().bottomLeft()))
