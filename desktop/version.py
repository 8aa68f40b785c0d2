"""Which version of the program this is. Never guesses: a checkout that was not installed says 0.0.0."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

__all__ = ["program_version"]


def program_version() -> str:
    """As the installed distribution says, e.g. 0.1.0."""
    try:
        return version("hall-intake")
    except PackageNotFoundError:
        return "0.0.0"
