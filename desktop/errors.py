"""Troubles that only the application knows: paper. Never holds words for people."""

from resources.trouble import Trouble

__all__ = ["NoPrinter", "NotSaved"]


class NoPrinter(Trouble):
    """There is no printer, or it refuses."""

    code = "paper.no_printer"
    may_retry = True


class NotSaved(Trouble):
    """The file could not be written there. Facts: path (only its folder's name)."""

    code = "paper.not_saved"
    may_retry = True
