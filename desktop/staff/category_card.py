"""The choice of categories: one person may hold several. Never hides a category that was chosen."""

from __future__ import annotations

from PySide6.QtWidgets import QGridLayout

from desktop.flows.words import Edited, LeftField
from desktop.staff.kit import Kit, Post
from desktop.widgets.buttons import ToggleButton
from desktop.widgets.cards import Card
from sync.draft import Draft

__all__ = ["CategoryCard"]

PATH = "person.categories"


class CategoryCard(Card):
    """Four switches, Alt+1 to Alt+4."""

    def __init__(self, kit: Kit, post: Post) -> None:
        super().__init__(kit.look, kit.words("form.categories"), kit.words("form.categories_note"))
        self.kit, self._post = kit, post
        grid = QGridLayout()
        grid.setSpacing(kit.look.px("one"))
        self.body.addLayout(grid)
        columns = 4 if kit.lang == "zh" and kit.look.scale < 150 else 2
        self.switches: dict[str, ToggleButton] = {}
        for one in kit.tables.rows("practitioner_categories"):
            switch = ToggleButton(kit.look, one.en if kit.lang == "en" else one.zh, f"Alt+{one.code}" if kit.look.scale < 150 else "")
            switch.setShortcut(f"Alt+{one.code}")
            switch.clicked.connect(self._changed)
            at = len(self.switches)
            grid.addWidget(switch, at // columns, at % columns)
            self.switches[one.code] = switch

    def _changed(self) -> None:
        chosen = tuple(code for code, switch in self.switches.items() if switch.isChecked())
        self._post(Edited(PATH, chosen, self.kit.now()))
        self._post(LeftField(PATH))

    def show_draft(self, draft: Draft) -> None:
        """Show what is chosen."""
        for code, switch in self.switches.items():
            switch.show_on(code in draft.categories())
