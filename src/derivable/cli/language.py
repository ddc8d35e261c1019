"""The language of the command line: `--lang`, and help and click's own texts in French."""

from __future__ import annotations

import gettext
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import click
from click import core, decorators, exceptions, formatting, parser, types

from derivable.errors import SettingError
from derivable.language import LANGUAGES, language, speaking
from derivable.messages import typeset

lang_option = click.option(
    "--lang",
    type=click.Choice(LANGUAGES),
    expose_value=False,
    help="The language of messages, help and pages.  [default: DERIVABLE_LANG, else en]",
)


@contextmanager
def spoken(command: click.Command, words: Sequence[str]) -> Iterator[None]:
    """Inside, all that a command shows is in the language that its words or DERIVABLE_LANG name.

    A language without messages is left to the command, which refuses it.
    """
    with speaking(_asked(words)):
        if not _is_french():
            yield
            return
        for module in (core, decorators, exceptions, formatting, parser, types):
            vars(module).update(_=_translated, ngettext=_counted)
        english = []
        for owner, attribute, text in _helped(command, "derivable"):
            english.append((owner, attribute, getattr(owner, attribute)))
            setattr(owner, attribute, text)
        try:
            yield
        finally:
            for owner, attribute, text in english:
                setattr(owner, attribute, text)


def _asked(words: Sequence[str]) -> str | None:
    """What --lang names, before the words after `--`, which are of another program."""
    own = list(words[: words.index("--")] if "--" in words else words)
    named = [word.partition("=")[2] for word in own if word.startswith("--lang=")]
    named += [second for first, second in pairwise(own) if first == "--lang"]
    return next((word for word in named if word in LANGUAGES), None)


def _is_french() -> bool:
    try:
        return language() == "fr"
    except SettingError:
        return False


def _helped(command: click.Command, name: str) -> Iterator[tuple[Any, str, str | None]]:
    """Each help text of a command and of those below it: whose, which attribute, the French."""
    from derivable.cli.help_in_french import HELP

    for attribute, key in (("help", name), ("short_help", f"{name} short")):
        if key in HELP:
            yield command, attribute, typeset(HELP[key])
    yield command, "_help_option", None  # click makes the option --help where it has none yet
    for param in command.params:
        if isinstance(param, click.Option):
            option = next(word for word in param.opts if word.startswith("--"))
            text = HELP.get(f"{name} {option}", HELP.get(option))
            yield param, "help", typeset(text) if text else param.help
    for below, one in getattr(command, "commands", {}).items():
        yield from _helped(one, f"{name} {below}".removeprefix("derivable "))


def _translated(text: str) -> str:
    """One of click's own texts, which it asks for in English."""
    from derivable.cli.help_in_french import CLICK

    known = _is_french() and text in CLICK
    return typeset(f"{CLICK[text]}:").removesuffix(":") if known else gettext.gettext(text)


def _counted(one: str, several: str, count: int) -> str:
    return _translated(one if count == 1 else several)
