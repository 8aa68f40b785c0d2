"""The shape of a named trouble: a key into ``messages/``, which say it to a person. Holds no words of its own and no policy."""

from typing import ClassVar

__all__ = ["Trouble"]


class Trouble(Exception):
    """Something went wrong that has a name, a message and a next step.

    ``code`` is ``place.what`` and a key of ``messages/zh_CN.toml``; ``facts`` fill the placeholders of that message.
    ``detail`` is for the log, in English, and never holds personal data.
    """

    code: ClassVar[str] = ""
    may_retry: ClassVar[bool] = False

    def __init__(self, detail: str = "", **facts: object) -> None:
        super().__init__(detail or type(self).__name__)
        self.detail = detail
        self.facts = facts

    def __str__(self) -> str:
        return f"{self.code}: {self.detail}" if self.detail else self.code
