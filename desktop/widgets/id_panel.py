"""The two pictures side by side - chip and person - with the word of the comparison. Never compares anything itself."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QImage, QMouseEvent, QPainter, QPainterPath, QPaintEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QSizePolicy, QWidget

from desktop.widgets.cards import label
from desktop.widgets.icons import draw
from desktop.widgets.style import Look, set_role

__all__ = ["IdPanel", "Portrait"]


class Portrait(QWidget):
    """A portrait with rounded corners, or a calm outline where there is none."""

    pressed = Signal()

    def __init__(self, look: Look, says: str) -> None:
        super().__init__()
        self._look, self._image = look, QImage()
        self.setAccessibleName(says)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(round(138 * (100 + (look.scale - 100) // 2) / 100))

    def sizeHint(self) -> QSize:
        return QSize(134, 138)

    def show_image(self, data: bytes | None) -> None:
        """Show encoded picture bytes (PNG, JPEG, BMP); None or unreadable bytes show the outline."""
        self._image = QImage.fromData(data) if data else QImage()
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        self.pressed.emit()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        place = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        path = QPainterPath()
        path.addRoundedRect(place, self._look.px("card"), self._look.px("card"))
        painter.fillPath(path, self._look.colour("surface" if not self._image.isNull() else "side"))
        if self._image.isNull():
            side = min(place.width(), place.height()) * 0.42
            draw(painter, "person", QRectF(place.center().x() - side / 2, place.center().y() - side / 2, side, side), self._look.name("faint"))
        else:
            painter.save()
            painter.setClipPath(path)
            ratio = self.devicePixelRatioF()
            scaled = self._image.scaled(self.size() * ratio, Qt.AspectRatioMode.KeepAspectRatioByExpanding, Qt.TransformationMode.SmoothTransformation)
            scaled.setDevicePixelRatio(ratio)
            width, height = scaled.width() / ratio, scaled.height() / ratio
            painter.drawImage(QRectF((self.width() - width) / 2, (self.height() - height) / 3, width, height), scaled)
            painter.restore()
        painter.setPen(self._look.colour("hairline"))
        painter.drawPath(path)


class IdPanel(QWidget):
    """Chip portrait left, live portrait right, the verdict beside the caption: 相符, 不像, 说不准, 待比对."""

    def __init__(self, look: Look, chip_words: str, live_words: str) -> None:
        super().__init__()
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(look.px("one") + 2)
        grid.setVerticalSpacing(look.px("half"))
        self.chip, self.live = Portrait(look, chip_words), Portrait(look, live_words)
        self.verdict = label("", "strong")
        self.verdict.setFont(look.font("meta", bold=True))
        grid.addWidget(self.chip, 0, 0)
        grid.addWidget(self.live, 0, 1)
        caption = label(chip_words, "meta")
        caption.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        grid.addWidget(caption, 1, 0)
        under = QHBoxLayout()
        under.addStretch(1)
        under.addWidget(label(live_words, "meta"))
        under.addWidget(self.verdict)
        under.addStretch(1)
        grid.addLayout(under, 1, 1)

    def show_pictures(self, chip: bytes | None, live: bytes | None, verdict: str = "", tone: str = "quiet") -> None:
        """``verdict`` in words with its tone; empty where nothing was compared."""
        self.chip.show_image(chip)
        self.live.show_image(live)
        self.verdict.setText(f"· {verdict}" if verdict else "")
        set_role(self.verdict, tone="" if tone == "quiet" else tone, role="verdict-small")
