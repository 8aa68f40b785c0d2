"""The band over a sitting that repairs a record which was set aside: which one, and why. Never asks anything."""

from __future__ import annotations

from desktop.flows.intake_state import IntakeState
from desktop.staff.kit import Kit
from desktop.staff.wording import ago, reason_words
from desktop.widgets.banner import Banner
from sync.errors import PacketDamaged

__all__ = ["RepairBand"]


class RepairBand(Banner):
    """Stays as long as the sitting is open: the reason is what is to be mended."""

    def __init__(self, kit: Kit) -> None:
        super().__init__(kit.look)
        self.kit = kit

    def show_state(self, state: IntakeState) -> bool:
        """Whether there is anything to show."""
        draft = state.draft if state.page == "desk" and state.capture is None else None
        if draft is None or not draft.replaces:
            self.show_message(None)
            return False
        words = self.kit.words
        row = next((one for one in state.outbox if one.record_id == draft.replaces), None)
        why = reason_words(words, row.error_code) if row is not None else ""
        title = words("repair.title_why", at=ago(words, row.kept_at, self.kit.now()), why=why) if row is not None and why else words("repair.title")
        damaged = row is not None and row.error_code == PacketDamaged.code
        self.show_words("wait", title, words("repair.words_empty" if damaged else "repair.words"))
        return True
