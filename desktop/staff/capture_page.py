"""Taking a picture: live preview, what to mind, the pages taken so far. Never keeps a frame."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QImage, QPixmap
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from desktop.flows.intake_state import IntakeState
from desktop.flows.words import FileGiven, OriginalSeen, StillDropped
from desktop.staff.kit import Kit, Post
from desktop.widgets.buttons import ActionButton, ToggleButton
from desktop.widgets.cards import label
from desktop.widgets.files import ask_for_file
from desktop.widgets.preview import Preview
from sync.record import attachment_kind

__all__ = ["CapturePage"]


class CapturePage(QWidget):
    """One preview per use, so that the guide fits; pages of this kind as thumbnails below."""

    def __init__(self, kit: Kit, post: Post) -> None:
        super().__init__()
        self.kit, self._post, words = kit, post, kit.words
        column = QVBoxLayout(self)
        column.setContentsMargins(kit.look.px("six"), kit.look.px("three"), kit.look.px("six"), kit.look.px("three"))
        column.setSpacing(kit.look.px("two"))
        head = QHBoxLayout()
        self._title = label("", "page")
        head.addWidget(self._title)
        head.addStretch(1)
        self._file = ActionButton(kit.look, words("capture.file"), "Ctrl+O", icon="folder")
        self._file.clicked.connect(self._choose_file)
        head.addWidget(self._file)
        column.addLayout(head)
        self._words = label("", "quiet", wrap=True)
        column.addWidget(self._words)
        self.portrait = Preview(kit.look, "portrait", True, words("capture.portrait"))
        self.document = Preview(kit.look, "page", False, words("capture.document"))
        column.addWidget(self.portrait, 1)
        column.addWidget(self.document, 1)
        self._below = QWidget()
        below = QHBoxLayout(self._below)
        below.setContentsMargins(0, 0, 0, 0)
        self._seen = ToggleButton(kit.look, words("capture.seen"), "Alt+O")
        self._seen.setShortcut("Alt+O")
        self._seen.clicked.connect(lambda on: post(OriginalSeen(on)))
        below.addWidget(self._seen)
        below.addStretch(1)
        self._pages = QHBoxLayout()
        self._pages.setSpacing(kit.look.px("one"))
        below.addLayout(self._pages)
        column.addWidget(self._below)
        self._said: object = None
        self.setAcceptDrops(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def show_state(self, state: IntakeState) -> None:
        """Show the capture that is on."""
        capture, draft, words = state.capture, state.draft, self.kit.words
        if capture is None or draft is None:
            for preview in (self.portrait, self.document):
                preview.show_frame(None)
            return
        document = capture.use == "document"
        kind = attachment_kind(capture.kind)
        self._title.setText((kind.label_en if words.lang == "en" else kind.label_zh) if document else words("capture.portrait"))
        self._words.setText(words("capture.document_words" if document else "capture.portrait_words"))
        self.portrait.setVisible(not document)
        self.document.setVisible(document)
        self._below.setVisible(document)
        self._file.setVisible(document)
        self._seen.show_on(capture.seen)
        key = f"hint.{capture.hint.code.replace('.', '_')}" if capture.hint else ""
        shown = words("capture.taking") if capture.taking else words(key) if key and words.has(key) else ""
        tone = "accent" if capture.taking or capture.hint is None else capture.hint.tone
        (self.document if document else self.portrait).show_guide(shown, tone)
        stills = [one for one in draft.stills if one.kind == capture.kind]
        said = (tuple(one.still_id for one in stills), tuple(one.still_id in state.pictures for one in stills))
        if said != self._said:
            self._said = said
            self._show_pages(state, [one.still_id for one in stills])

    def _show_pages(self, state: IntakeState, still_ids: list[str]) -> None:
        while self._pages.count():
            part = self._pages.takeAt(0).widget()
            if part is not None:
                part.hide()
                part.deleteLater()
        for number, still_id in enumerate(still_ids, 1):
            part = QWidget()
            row = QHBoxLayout(part)
            row.setContentsMargins(0, 0, 0, 0)
            row.setSpacing(2)
            picture = QLabel()
            picture.setFixedSize(QSize(40, 52))
            picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
            picture.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
            image = QImage.fromData(state.pictures.get(still_id, b""))
            if not image.isNull():
                picture.setPixmap(QPixmap.fromImage(image).scaled(40, 52, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation))
            row.addWidget(picture)
            row.addWidget(label(self.kit.words("capture.page", n=number), "meta"))
            drop = ActionButton(self.kit.look, "", kind="plain", icon="trash")
            drop.setAccessibleName(self.kit.words("capture.drop", n=number))
            drop.setToolTip(self.kit.words("capture.drop", n=number))
            drop.clicked.connect(lambda _=False, which=still_id: self._post(StillDropped(which)))
            row.addWidget(drop)
            self._pages.addWidget(part)

    def _choose_file(self) -> None:
        ask_for_file(self, self.kit.words("capture.file"), self.kit.words("capture.file_kinds"), lambda path: self._post(FileGiven(path)))

    def dragEnterEvent(self, event) -> None:
        if event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event) -> None:
        for url in event.mimeData().urls()[:1]:
            if url.isLocalFile():
                self._post(FileGiven(url.toLocalFile()))
