"""`ProblemError`: one problem of a table, with the options that solve it; and texts of messages."""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Callable, Sequence
from typing import Any

from derivable.data.messages import say
from derivable.data.options import TableOptions
from derivable.errors import DataError
from derivable.messages import SEMICOLON, Message, joined, message_of

MOST_CHARACTERS = 60  # of a cell in a message
_READINGS = 12  # of a table, each with the remedies of the problems before


class ProblemError(DataError):
    """One problem of a table; `remedy` are options that solve it, empty where no option does."""

    def __init__(self, text: str, **remedy: Any) -> None:
        super().__init__(text)
        self.remedy = remedy


class ProblemsError(DataError):
    """Several problems of a table, or one; `options`, if not None, read the table."""

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
    """Raise all problems in one error; none if there are no problems."""
    if problems:
        raise as_error(problems)


def as_error(problems: Sequence[ProblemError]) -> ProblemError | ProblemsError:
    """The only problem, or an error of all of them."""
    return problems[0] if len(problems) == 1 else ProblemsError(problems)


def all_problems(
    first: DataError, name: str, options: TableOptions, read: Callable[[TableOptions], Any]
) -> DataError:
    """All problems of a table as one error, found by reading it again with each remedy.

    `first` is the error of the first reading, with `options`, and `read` reads the table with other
    options. The `options` of the result have been tried and read the table; None if no tried
    options do.
    """
    found: list[ProblemError] = []
    for _ in range(_READINGS):
        new = first.found if isinstance(first, ProblemsError) else (first,)
        known = [problem for problem in new if isinstance(problem, ProblemError)]
        if len(known) < len(new) or not all(problem.remedy for problem in known):
            # A problem after the remedies of others may be caused by them, and is not reported.
            return ProblemsError(found or known, name) if found or known else first
        met = {str(problem) for problem in found}
        known = [problem for problem in known if str(problem) not in met]
        if not known:  # the remedies undo each other
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
    """A number with a noun, such as "1 row", "2,000 rows" or "3 classes"."""
    return say(f"n_{noun.replace(' ', '_')}", n=number)


def shown(cell: str | None) -> str:
    """A cell as a message quotes it: in one line, at most MOST_CHARACTERS characters."""
    line = " ".join((cell or "").split()) or str(cell)
    return line if len(line) <= MOST_CHARACTERS else f"{line[: MOST_CHARACTERS - 3]}..."


def some(words: Sequence[str], most: int = 12) -> str:
    """The first `most` names or values as a list in a message, with the number of the others."""
    names = ", ".join(f"'{shown(word)}'" for word in words[:most])
    rest = len(words) - most
    return say("quoted_more", names=names, n=rest) if rest > 0 else names


def did_you_mean(name: str, names: Sequence[str]) -> Message:
    """The end of a message about an unknown name: the most similar known one, else all."""
    lower = {known.lower(): known for known in names}
    near = difflib.get_close_matches(name.lower(), lower, n=1)
    if near:
        return say("did_you_mean", name=lower[near[0]])
    return say("it_has", names=some(names))


def option_of(option: str, *names: str) -> str:
    """An option of the command line with names of columns: --ignore 'a,b'.

    The option is repeated where a name has a comma. The result can be copied into a shell.
    """
    values = names if any("," in name for name in names) else [",".join(names)]
    return " ".join(f"{option} {_quoted(value)}" for value in values)


def _quoted(value: str) -> str:
    """A value in quotation marks, as one word of a shell."""
    return shlex.quote(value) if "'" in value else f"'{value}'"


def ignore(*names: str) -> str:
    """The option of the command line that leaves these columns out."""
    return option_of("--ignore", *names)
