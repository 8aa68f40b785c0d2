"""One program per data folder: a second start brings the first one's window to the front. Never looks into the store."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtNetwork import QLocalServer, QLocalSocket

__all__ = ["Single"]

_WAIT_MS = 1000


class Single(QObject):
    """``first`` tells whether this is the first one; then ``asked`` is called (main thread) whenever another start wants the window."""

    def __init__(self, folder: Path, asked: Callable[[], None]) -> None:
        super().__init__()
        name = "hall-intake-" + hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:24]
        self._asked = asked
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self.first = not self._knock(name) and self._listen(name)

    @staticmethod
    def _knock(name: str) -> bool:
        """Whether somebody is there; they bring their window to the front."""
        socket = QLocalSocket()
        socket.connectToServer(name)
        there = socket.waitForConnected(_WAIT_MS)
        if there:
            socket.disconnectFromServer()
        return there

    def _listen(self, name: str) -> bool:
        """Two starts at once: the one whose socket stands is the first. A socket that a killed program left behind is put away."""
        if not self._server.listen(name):
            if self._knock(name):
                return False
            QLocalServer.removeServer(name)
            if not self._server.listen(name):
                return not self._knock(name)   # no place for a socket, and nobody there: the store's own lock keeps two apart
        self._server.newConnection.connect(self._met)
        return True

    def _met(self) -> None:
        while (socket := self._server.nextPendingConnection()) is not None:
            socket.close()
            socket.deleteLater()
            self._asked()

    def close(self) -> None:
        self._server.close()
