"""`ProblemError`: what is wrong with a table, in a sentence, with the options that help."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from typing import Any

from derivable.data.messages import say
from derivable.data.options import TableOptions
from derivable.errors import DataError
from derivable.messages import SEMICOLON, Message, joined, message_of

LONGEST = 60  # characters of a cell in a sentence
_ROUNDS = 12  # after so many problems behind one another the rest waits


class ProblemError(DataError):
    """One problem of a table; `remedy` are options with which it is none, empty where none are."""

    def __init__(self, text: str, **remedy: Any) -> None:
        super().__init__(text)
        self.remedy = remedy


class ProblemsError(DataError):
    """Several problems of a table, or one; `options` read it, where some do."""

    def __init__(
        self, found: Sequence[ProblemError], name: str = "", options: TableOptions | None = None
    ) -> None:
        texts = [message_of(problem) for problem in found]
        listed = (joined([f"({i})", text]) for i, text in enumerate(texts, 1))
        several = say("problems", name=name, n=len(found), text=joined(listed, SEMICOLON))
        super().__init__(several if len(found) > 1 else texts[0])
        self.found = tuple(found)
        self.options = options


def raise_all(problems: Sequence[ProblemError]) -> None:
    """Raise what was found at once, if anything was."""
    if len(problems) == 1:
        raise problems[0]
    if problems:
        raise ProblemsError(problems)


def all_problems(
    first: DataError, name: str, options: TableOptions, read: Callable[[TableOptions], Any]
) -> DataError:
    """All that is wrong with a table, seen by reading it again with what each problem proposes.

    The options of the result were tried: with these the table is read. Where none are found, it
    has none.
    """
    found: list[ProblemError] = []
    for _ in range(_ROUNDS):
        new = first.found if isinstance(first, ProblemsError) else (first,)
        known = [problem for problem in new if isinstance(problem, ProblemError)]
        if len(known) < len(new) or not all(problem.remedy for problem in known):
            # What is wrong after the remedies of others may be their doing, and is not reported.
            return ProblemsError(found or known, name) if found or known else first
        met = {str(problem) for problem in found}
        known = [problem for problem in known if str(problem) not in met]
        if not known:  # each remedy undoes another
            break
        found += known
        for problem in known:
            options = options.with_remedy(problem.remedy)
        try:
            read(options)
        except DataError as error:
            first = error
            continue
        return ProblemsError(found, name, options)
    return ProblemsError(found, name)


def count(number: int, noun: str) -> Message:
    """1 row, 2,000 rows, 3 classes."""
    return say(f"n_{noun.replace(' ', '_')}", n=number)


def shown(cell: str | None) -> str:
    """A cell as a sentence quotes it: in one line, and not all of a long one."""
    line = " ".join((cell or "").split()) or str(cell)
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 3]}..."


def some(words: Sequence[str], most: int = 12) -> str:
    """The first of some names or values, as a list in a sentence."""
    names = ", ".join(f"'{shown(word)}'" for word in words[:most])
    rest = len(words) - most
    return say("quoted_more", names=names, n=rest) if rest > 0 else names


def did_you_mean(name: str, names: Sequence[str]) -> Message:
    """The end of a message about a name that is not there."""
    lower = {known.lower(): known for known in names}
    near = difflib.get_close_matches(name.lower(), lower, n=1)
    if near:
        return say("did_you_mean", name=lower[near[0]])
    return say("it_has", names=some(names))


def option_of(option: str, *names: str) -> str:
    """An option that names these columns: --ignore 'a,b'."""
    joined = [",".join(names)] if not any("," in name for name in names) else names
    return " ".join(f"{option} '{word}'" for word in joined)


def ignore(*names: str) -> str:
    """The option that leaves these columns out."""
    return option_of("--ignore", *names)
