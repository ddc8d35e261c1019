"""`examined`: the examination of one target at given, recorded, declared or found inputs."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch

from derivable.errors import DerivableError, InputError
from derivable.examiner.called import examine_calls, merged
from derivable.examiner.capture.calls import Calls
from derivable.examiner.capture.found import Found
from derivable.examiner.capture.locations import error_line
from derivable.examiner.check import check
from derivable.examiner.inputs.declared import declared
from derivable.examiner.inputs.found import Search
from derivable.examiner.inputs.text import Made, bind, suggestion
from derivable.examiner.message import Message
from derivable.examiner.report import Report
from derivable.examiner.settings import USUAL, Settings
from derivable.examiner.targets.adapters import adapter_of
from derivable.examiner.unrunnable import stopped, unrunnable

Given = Mapping[str, Sequence[Made]]


@dataclass(frozen=True)
class Outcome:
    """A target with its report, or the reason why there is none.

    `inputs` states where the inputs come from; None for those that were given, or are examples().
    """

    found: Found
    report: Report | None = None
    inputs: Message | None = None
    reason: Message | str = ""

    @property
    def verdict(self) -> str:
        """right, wrong, inconclusive or not_examined."""
        return self.report.verdict if self.report is not None else "not_examined"


def examined(found: Found, given: Sequence[Given] = (), settings: Settings = USUAL) -> Outcome:
    """The Outcome of a target at the first of `given` that it accepts, else at its recorded calls.

    Its own examples() are examined in addition to its calls; without either, `check` finds inputs.
    An error of its code becomes the reason of the Outcome.
    """
    before = torch.get_default_dtype()
    torch.set_default_dtype(found.dtype)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _examined(found, given, settings)
    except DerivableError as error:
        return Outcome(found, reason=str(error))
    except Exception as error:  # the user's forward, or their examples()
        return Outcome(found, reason=error_line(error))
    finally:
        torch.set_default_dtype(before)


def _examined(found: Found, given: Sequence[Given], settings: Settings) -> Outcome:
    target, refused = found.target, ""
    for made in given:
        try:
            inputs, options = bind(target, made, settings.seed)
        except InputError as error:
            refused = refused or str(error)
            continue
        return Outcome(found, check(target, *inputs, settings=settings, **options))
    reports = []
    if declared(target).examples is not None:
        reports.append(check(target, settings=settings))
    if found.calls is not None:
        reports.append(examine_calls(found.calls, target=target, settings=settings))
    if reports:
        called = _called(found.calls) if found.calls is not None else None
        return Outcome(found, merged(reports), called)
    return Outcome(found, reason=refused) if refused else _searched(found, settings)


def _searched(found: Found, settings: Settings) -> Outcome:
    """The Outcome of a target without recorded calls, at inputs that a search finds."""
    target = found.target
    adapter = adapter_of(target)
    report = unrunnable(adapter, settings)
    if report is not None:
        return Outcome(found, report)
    search = Search(target, settings.seed)
    chosen = search.found()
    if chosen is not None:
        report = check(target, *chosen.inputs, settings=settings, **chosen.options)
        return Outcome(found, report, chosen.message)
    if search.unfinished is not None:
        return Outcome(found, stopped(adapter, (), settings, notes=[search.unfinished]))
    gaps = {"refusal": search.refusal(), "inputs": suggestion(target)}
    return Outcome(found, reason=Message("cli.needs_inputs", gaps))


def _called(calls: Calls) -> Message | None:
    """Where the inputs come from: the test or the line that made the first call."""
    tests = list(calls.tests)
    if tests:
        key = "cli.called_by" if len(tests) == 1 else "cli.called_by_more"
        return Message(key, {"test": tests[0], "count": len(tests) - 1})
    first = next(iter(calls))
    if first.location is None:
        return None
    key = "cli.called" if len(calls.kinds) == 1 else "cli.called_kinds"
    return Message(key, {"location": str(first.location), "count": len(calls.kinds)})
