"""The outline icons in the colours of the look. Never draws an icon of its own: all come from resources/icons."""

from __future__ import annotations

from functools import lru_cache

from PySide6.QtCore import QByteArray, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QLabel

from desktop.widgets.style import Look
from resources import find

__all__ = ["SOURCE_ICONS", "IconLabel", "draw", "icon", "picture"]

SOURCE_ICONS = {"chip": "chip", "scan": "page", "typed": "pencil", "platform": "cloud"}
"""Where a value comes from -> its mark."""


@lru_cache(maxsize=512)
def _svg(name: str, colour: str) -> bytes:
    text = find("icons", f"{name}.svg").read_text("utf-8")
    return text.replace("#000", colour).encode()


def draw(painter: QPainter, name: str, place: QRectF, colour: QColor | str) -> None:
    """Paint icon ``name`` into ``place``. FileNotFoundError for an icon that was not drawn."""
    shade = colour if isinstance(colour, str) else colour.name()
    QSvgRenderer(QByteArray(_svg(name, shade))).render(painter, place)


def picture(look: Look, name: str, colour: str = "quiet", size: int | None = None, ratio: float = 2.0) -> QPixmap:
    """Icon ``name`` as a pixmap of ``size`` px (the look's icon size), in colour token ``colour``; sharp up to the pixel ratio given."""
    side = size or look.px("icon")
    pixmap = QPixmap(QSize(round(side * ratio), round(side * ratio)))
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    draw(painter, name, QRectF(0, 0, side * ratio, side * ratio), look.name(colour))
    painter.end()
    pixmap.setDevicePixelRatio(ratio)
    return pixmap


def icon(look: Look, name: str, colour: str = "quiet") -> QIcon:
    """Icon ``name`` as a QIcon for actions inside fields."""
    made = QIcon(picture(look, name, colour))
    made.addPixmap(picture(look, name, "faint"), QIcon.Mode.Disabled)
    return made


class IconLabel(QLabel):
    """An icon standing beside words. Has no accessible name unless it is given one: the words say it."""

    def __init__(self, look: Look, name: str, colour: str = "quiet", size: int | None = None, says: str = "") -> None:
        super().__init__()
        self._look, self._size = look, size or look.px("icon")
        self.setFixedSize(self._size, self._size)
        self.setAccessibleName(says)
        if says:
            self.setToolTip(says)
        self.show_icon(name, colour)

    def show_icon(self, name: str, colour: str = "quiet") -> None:
        """Change the icon."""
        self.setPixmap(picture(self._look, name, colour, self._size))
