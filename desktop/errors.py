"""Troubles that only the application knows: screen and paper. Never holds words for people."""

from resources.trouble import Trouble

__all__ = ["NoPrinter", "NoScreen", "NotSaved"]


class NoScreen(Trouble):
    """No screen can be reached, so no window can be opened. Facts: named (what the environment names, or an empty string)."""

    code = "desktop.no_screen"
    may_retry = True


class NoPrinter(Trouble):
    """There is no printer, or it refuses."""

    code = "paper.no_printer"
    may_retry = True


class NotSaved(Trouble):
    """The file could not be written there. Facts: path (only its folder's name)."""

    code = "paper.not_saved"
    may_retry = True
