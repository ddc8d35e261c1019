"""`derivable check`: examine every Function of a file, a module or a package."""

from __future__ import annotations

from contextlib import redirect_stdout
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from derivable.examiner.capture.discover import Found
    from derivable.examiner.inputs.text import Made
    from derivable.examiner.report import Report

WRONG, USAGE, BAD_DATA = 1, 2, 3


@dataclass(frozen=True)
class Examined:
    """One line of the result: a Function with its report, or why there is none."""

    name: str
    path: str
    line: int
    report: Report | None
    reason: str = ""

    @property
    def verdict(self) -> str:
        """right, wrong, inconclusive or not_examined."""
        return self.report.verdict if self.report is not None else "not_examined"


@click.command("check", short_help="Examine every backward in a file, and say why one is wrong.")
@click.argument("targets", nargs=-1, required=True, metavar="TARGET...")
@click.option(
    "--input",
    "words",
    multiple=True,
    metavar="TEXT",
    help='The inputs by name: "x:13x5 w:5x7:float32 labels:13:int<7 p:13:0.1..0.9 alpha=0.1". '
    "Several, for Functions that take different ones.  [default: the class's own examples()]",
)
@click.option(
    "--seed",
    type=click.IntRange(0, 2**63 - 1),
    default=0,
    show_default=True,
    metavar="N",
    help="Seed of the inputs and of what is examined at random.",
)
@click.option("--compile", "compiled", is_flag=True, help="Examine it under torch.compile, too.")
@click.option("--strict", is_flag=True, help="What is inconclusive or not examined fails, too.")
@click.option("--details", is_flag=True, help="Everything that was found, and how to see it.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "github"]),
    default="text",
    show_default=True,
    help="github: annotations on the lines of a pull request.",
)
@click.option(
    "--lang",
    type=click.Choice(["en", "fr"]),
    envvar="DERIVABLE_LANG",
    help="The language of the report.  [default: DERIVABLE_LANG, else en]",
)
def check_command(
    targets: tuple[str, ...],
    words: tuple[str, ...],
    seed: int,
    compiled: bool,
    strict: bool,
    details: bool,
    as_json: bool,
    form: str,
    lang: str | None,
) -> int:
    """Examine every backward that TARGET defines, and say why it is wrong.

    TARGET is file.py, package.module or a package; with :Name, one Function of it. This RUNS THE
    CODE of the target, as importing it does: do not examine what you would not run. What that
    code prints goes to stderr.

    A Function is examined at --input, else at its own examples(), a static method that returns a
    list of tuples of inputs; without either it is not examined, and said so.

    The exit code is 1 if something is wrong; else 3 if a target cannot be loaded; else 2 if
    nothing could be examined; else 0.
    """
    import sys

    from derivable.cli import check_output
    from derivable.examiner.inputs.text import parse_inputs

    given = [parse_inputs(text) for text in words]
    output = check_output.choose(as_json, form, details, lang)
    with redirect_stdout(sys.stderr):
        found, broken = _discover(targets)
    results = [Examined(name, name, 1, None, reason) for name, reason in broken]
    names = _names(found)
    output.begin([*names, *(result.name for result in results)])
    for result in results:
        output.line(result)
    for name, function in zip(names, found, strict=True):
        with redirect_stdout(sys.stderr):
            result = _examine(name, function, given, seed, compiled, lang)
        results.append(result)
        output.line(result)
    verdicts = [result.verdict for result in results]
    examined = [verdict for verdict in verdicts if verdict != "not_examined"]
    code = 0 if examined else USAGE
    if broken:
        code = BAD_DATA
    if "wrong" in verdicts or (strict and set(verdicts) != {"right"}):
        code = WRONG
    output.end(results, code)
    return code


def _discover(targets: Sequence[str]) -> tuple[list[Found], list[tuple[str, str]]]:
    """All Functions, and for each target or submodule that fails, its name and one sentence."""
    from derivable.errors import TargetError
    from derivable.examiner.capture.discover import discover

    found: dict[int, Found] = {}
    broken = []
    for target in targets:
        try:
            discovery = discover(target)
        except TargetError as error:
            broken.append((target, str(error)))
            continue
        found |= {id(one.target): one for one in discovery.found}
        broken += [(target, problem) for problem in discovery.problems]
    return list(found.values()), broken


def _names(found: Sequence[Found]) -> list[str]:
    """The name of each Function; with its file where two have the same."""
    from derivable.examiner.render.show import short

    names = [one.name for one in found]
    return [
        one.name if names.count(one.name) == 1 else f"{short(one.path)}:{one.name}" for one in found
    ]


def _examine(
    name: str,
    found: Found,
    given: Sequence[Mapping[str, Sequence[Made]]],
    seed: int,
    compiled: bool,
    lang: str | None,
) -> Examined:
    """The report on one Function, at the first of `given` that it can take, else its examples."""
    from derivable.errors import DerivableError, InputError
    from derivable.examiner.capture.discover import told
    from derivable.examiner.check import check
    from derivable.examiner.finding import Message
    from derivable.examiner.inputs.text import bind, suggestion
    from derivable.examiner.render.sentences import say

    def not_examined(reason: str) -> Examined:
        return Examined(name, found.path, found.line, None, reason)

    inputs: list[Any] = []
    options: dict[str, Any] = {}
    refused = ""
    for made in given:
        try:
            inputs, options = bind(found.target, made, seed)
            break
        except InputError as error:
            refused = refused or str(error)
    else:
        if not callable(getattr(found.target, "examples", None)):
            gaps = {"inputs": suggestion(found.target)}
            return not_examined(refused or say(Message("cli.needs_inputs", gaps), lang))
    try:
        report = check(found.target, *inputs, compile=compiled, seed=seed, **options)
    except DerivableError as error:
        return not_examined(str(error))
    except Exception as error:  # the user's forward, or their examples()
        return not_examined(told(error))
    return Examined(name, found.path, found.line, report)
