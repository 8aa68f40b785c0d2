"""Every command explains itself: each subcommand and each of its options has words, in both languages. Starts nothing."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import pytest

from desktop.__main__ import _parser


def commands(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                yield from commands(below)


ALL = {one.prog: one for one in commands(_parser())}


def both(words: str | None) -> bool:
    """Chinese first, English in brackets."""
    return bool(words) and any("\u4e00" <= one <= "\u9fff" for one in str(words)) and any("a" <= one <= "z" for one in str(words))


@pytest.mark.parametrize("name", ALL)
def test_each_command_and_option_has_words(name: str) -> None:
    parser = ALL[name]
    assert parser.description, name
    unsaid = [action.dest for action in parser._actions if not isinstance(action, argparse._HelpAction | argparse._SubParsersAction) and not both(action.help)]
    assert unsaid == []
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            assert sorted(one.dest for one in action._choices_actions if both(one.help)) == sorted(action.choices), "the list of commands names each"
