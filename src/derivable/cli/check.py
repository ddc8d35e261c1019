"""`derivable check`: examine what a script, a notebook, a module or a package defines and calls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from derivable.cli.check_request import CheckRequest
from derivable.language import speaking

if TYPE_CHECKING:
    from derivable.cli.check_output import Output, Result
    from derivable.examiner.capture.discover import Discovery, Settings
    from derivable.examiner.capture.found import Found
    from derivable.examiner.message import Message
    from derivable.examiner.outcome import Outcome

WRONG, USAGE, BAD_DATA = 1, 2, 3


class WithArguments(click.Command):
    """A command whose words after `--` are the arguments of the program that it runs."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put them aside: `ctx.meta["arguments"]`."""
        cut = args.index("--") if "--" in args else len(args)
        ctx.meta["arguments"] = tuple(args[cut + 1 :])
        return super().parse_args(ctx, args[:cut])


@click.command(
    "check",
    cls=WithArguments,
    short_help="Examine every backward of a file, and say why one is wrong.",
)
@click.argument("targets", nargs=-1, metavar="TARGET...")
@click.option(
    "-m", "--module", "modules", multiple=True, metavar="MODULE",
    help="Run this module as python -m does, and examine what it calls.",
)  # fmt: skip
@click.option(
    "--input",
    "words",
    multiple=True,
    metavar="TEXT",
    help='The inputs by name: "x:13x5 w:5x7:float32 labels:13:int<7 p:13:0.1..0.9 alpha=0.1". '
    "Several, for Functions that take different ones.  [default: those that the code itself uses]",
)
@click.option(
    "--run-timeout",
    type=click.FloatRange(0, min_open=True),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="For how long the code of a target may run; what it called until then is examined.",
)
@click.option(
    "--setup-only",
    is_flag=True,
    help="Stop the code of a target at its first long loop: more than 200 calls of one Function.",
)
@click.option(
    "--seed",
    type=click.IntRange(0, 2**63 - 1),
    default=0,
    show_default=True,
    metavar="N",
    help="Seed of the inputs and of what is examined at random.",
)
@click.option(
    "--level",
    type=click.Choice(["lab", "standard", "strict"]),
    default="standard",
    show_default=True,
    help="What fails. lab: first order at inputs like those used, by hand as under autograd; "
    "standard: all but second order and warnings; strict: everything.",
)
@click.option(
    "--budget",
    type=click.IntRange(1),
    metavar="CALLS",
    help="Calls of forward and backward in each examination, at most.  "
    "[default: 40,000, fewer for a forward of many operations]",
)
@click.option(
    "--timeout",
    type=click.FloatRange(0, min_open=True),
    default=15.0,
    show_default=True,
    metavar="SECONDS",
    help="Seconds of computing in each examination, at most.",
)
@click.option(
    "--surrogate",
    "surrogates",
    multiple=True,
    metavar="PATTERN[=WHY]",
    help="Functions whose backward is not the derivative on purpose, such as 'package.*STE'.",
)
@click.option(
    "--contract",
    "contracts",
    multiple=True,
    metavar="ARGUMENT=CONTRACT",
    help="What an argument always is, such as A=symmetric or p=0..1.",
)
@click.option(
    "--reference",
    metavar="FILE",
    help="A file with right functions of the same names: forward is compared, too.",
)
@click.option(
    "--examples",
    "declarations",
    metavar="FILE",
    help="A file that calls derivable.declare(...): examples, contracts, surrogates.",
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
    help="The language of the report and of errors.  [default: DERIVABLE_LANG, else en]",
)
@click.pass_context
def check_command(
    ctx: click.Context, /, targets: tuple[str, ...], modules: tuple[str, ...], **options: Any
) -> int:
    """Examine every backward that TARGET defines and calls, and say why it is wrong.

    TARGET is script.py, notebook.ipynb, package.module or a package; with :Name, one Function of
    it. What follows -- are the arguments of the program. This RUNS THE CODE of the target, a
    script as python script.py does: do not examine what you would not run. What that code prints
    goes to stderr, its windows are not shown, and nobody answers its input().

    A Function is examined at --input, else at the inputs with which the code called it and at its
    own examples(), a static method that returns a list of tuples of inputs, else at inputs that
    are found from its forward. Where the code stops or fails, what it called before is examined,
    and the line is stated.

    The exit code is 1 if something is wrong; else 3 if a target cannot be loaded; else 2 if
    nothing could be examined; else 0.
    """
    if not targets and not modules:
        raise click.UsageError(_without_target(options["lang"]), ctx)
    with speaking(options["lang"]):
        return _check(targets, modules, ctx.meta["arguments"], CheckRequest(**options))


def _without_target(lang: str | None) -> str:
    from derivable.examiner.message import Message
    from derivable.examiner.messages import say

    return say(Message("error.target_missing"), lang)


def _check(
    targets: Sequence[str], modules: Sequence[str], arguments: Sequence[str], request: CheckRequest
) -> int:
    """Run, examine and print; returns the exit code."""
    from derivable.cli.check_output import Result
    from derivable.examiner.capture import discover
    from derivable.examiner.capture.surroundings import output_to_stderr
    from derivable.examiner.inputs.text import parse_inputs
    from derivable.examiner.outcome import examined

    given = [parse_inputs(text) for text in request.words]
    settings, output = request.settings(), request.output()
    how = discover.Settings(request.run_timeout, request.setup_only, tuple(arguments), main=True)
    with output_to_stderr():
        request.declare()
        references = request.references()
    found, notes, broken = _discover(targets, modules, how, output)
    results = [Result(name, None, name, 1, reason) for name, reason in broken]
    names = _names(found)
    output.begin([*names, *(result.name for result in results)], notes)
    for result in results:
        output.line(result)
    for number, (name, one) in enumerate(zip(names, found, strict=True)):
        own = replace(settings, reference=references.get(one.name))
        with output.waiting(name, number, len(found)), output_to_stderr():
            outcome = examined(one, given, own)
        results.append(_result(name, outcome, output))
        output.line(results[-1])
    code = _exit_code([result.verdict for result in results], bool(broken), request.strict)
    output.end(results, code)
    return code


def _exit_code(verdicts: Sequence[str], broken: bool, strict: bool) -> int:
    if "wrong" in verdicts or (strict and set(verdicts) != {"right"}):
        return WRONG
    if broken:
        return BAD_DATA
    return 0 if set(verdicts) - {"not_examined"} else USAGE


def _result(name: str, outcome: Outcome, output: Output) -> Result:
    from derivable.cli import check_output

    found, reason, inputs = outcome.found, outcome.reason, outcome.inputs
    return check_output.Result(
        name, outcome.report, found.path, found.line, output.words(reason), output.words(inputs)
    )


def _discover(
    targets: Sequence[str], modules: Sequence[str], settings: Settings, output: Output
) -> tuple[list[Found], list[Message], list[tuple[str, str]]]:
    """The targets, notes on code that did not run, and one message for each that fails."""
    from derivable.errors import TargetError
    from derivable.examiner.capture.discover import discover, discover_main
    from derivable.examiner.capture.surroundings import output_to_stderr

    found: dict[object, Found] = {}
    notes: list[Message] = []
    broken = []
    for target, main in [*((t, False) for t in targets), *((m, True) for m in modules)]:
        output.running(target, settings.seconds)
        try:
            with output_to_stderr():
                discovery: Discovery
                discovery = (discover_main if main else discover)(target, settings)
        except TargetError as error:
            broken.append((target, str(error)))
            continue
        for one in discovery.found:
            key = (one.path, one.line, one.name)
            if key not in found or found[key].calls is None:
                found[key] = one
        notes += discovery.notes
        broken += [(target, problem) for problem in discovery.problems]
    return list(found.values()), notes, broken


def _names(found: Sequence[Found]) -> list[str]:
    """The name of each Function; with its file where two have the same."""
    from derivable.examiner.render.show import short

    names = [one.name for one in found]
    return [
        one.name if names.count(one.name) == 1 else f"{short(one.path)}:{one.name}" for one in found
    ]
