"""Two bands above the page: which reader is to be used, and what is worth a look on the card that was read. Neither keeps anybody from going on."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from desktop.flows.words import CardNote, NotesClosed, ReaderLater, ReaderOption, ReaderPicked, ReaderQuestion
from desktop.messages import say_code
from desktop.staff.kit import Kit, Post
from desktop.widgets.banner import Banner, joined
from desktop.widgets.buttons import ActionButton

__all__ = ["NotesBand", "ReaderBand"]

_MOST_OPTIONS = 4


class ReaderBand(QWidget):
    """The question with a button per reader; Alt+U takes the first one. Shown until it is answered or put away."""

    def __init__(self, kit: Kit, post: Post) -> None:
        super().__init__()
        self.kit, self._post = kit, post
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(kit.look.px("one"))
        self.banner = Banner(kit.look)
        column.addWidget(self.banner)
        row = QHBoxLayout()
        row.setSpacing(kit.look.px("one"))
        self.options = [ActionButton(kit.look, "…", "Alt+U" if number == 0 else "", icon="card") for number in range(_MOST_OPTIONS)]
        for number, button in enumerate(self.options):
            button.clicked.connect(lambda _=False, index=number: self._post(ReaderPicked(index)))
            row.addWidget(button)
        self.later = ActionButton(kit.look, kit.words("reader_choice.later"), kind="link")
        self.later.clicked.connect(lambda: self._post(ReaderLater()))
        row.addWidget(self.later)
        row.addStretch(1)
        column.addLayout(row)
        self.setVisible(False)

    def show_question(self, question: ReaderQuestion | None) -> None:
        """Ask; None takes the band away."""
        self.setVisible(question is not None)
        if question is None:
            return
        words, options = self.kit.words, question.options[:_MOST_OPTIONS]
        one = options[0] if len(options) == 1 else None
        if question.instead_of is None:
            title, after = words("reader_choice.first"), words("reader_choice.first_words")
        elif one is not None and one.sister:
            title, after = words("reader_choice.gone", name=question.instead_of.name), words("reader_choice.sister", name=_name(one))
        else:
            title, after = words("reader_choice.gone", name=question.instead_of.name), words("reader_choice.other")
        self.banner.show_words("wait", title, after)
        for button, option in zip(self.options, (*options, *(None,) * _MOST_OPTIONS), strict=False):
            button.setVisible(option is not None)
            if option is not None:
                button.say(words("reader_choice.take", name=_name(option)))
                button.setAccessibleDescription(title)


class NotesBand(QWidget):
    """What is worth a look and blocks nothing; put away by a press, or Esc. ``away``: what is posted then."""

    def __init__(self, kit: Kit, post: Post, away: object = NotesClosed()) -> None:
        super().__init__()
        self.kit = kit
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        self.banner = Banner(kit.look, kit.words("banner.close"))
        self.banner.closed.connect(lambda: post(away))
        row.addWidget(self.banner)
        self.setVisible(False)

    def show_notes(self, notes: tuple[CardNote, ...], tone: str = "wait") -> None:
        """One note with all its words; several as a list of titles and steps."""
        self.setVisible(bool(notes))
        messages = [found for note in notes if (found := say_code(note.code, self.kit.words.lang, note.facts)) is not None]
        if len(messages) == 1:
            self.banner.show_message(messages[0], tone, who=self.kit.words.who(messages[0].who))
        elif messages:
            lines = [joined(f"{one.title}{self.kit.words('reader_choice.stop')}", one.next) for one in messages]
            self.banner.show_words(tone, self.kit.words("reader_choice.notes", n=len(messages)), "\n".join(lines))


def _name(option: ReaderOption) -> str:
    serial = option.reader.serial
    return option.reader.name if not serial or serial in option.reader.name else f"{option.reader.name} ({serial})"
