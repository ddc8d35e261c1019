"""`FunctionQuestion`: a Function with its forward and backward."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor

from derivable.examiner import check
from derivable.examiner.finding import Finding
from derivable.examiner.message import Message
from derivable.examiner.messages import say as examiner_says
from derivable.examiner.render.show import heading
from derivable.examiner.report import Report
from derivable.examiner.settings import Level, Settings
from derivable.labs.draw import Draw
from derivable.labs.feedback import Feedback, Status
from derivable.labs.ownership import Calls, blank_line, is_unwritten, package_of, watched
from derivable.labs.questions.base import Question
from derivable.labs.questions.compared import (
    Comparison,
    Difference,
    copies_of,
    inputs_in_words,
    names_of_inputs,
    sizes_of,
)
from derivable.labs.questions.gradients import (
    Convention,
    Gradients,
    KnownGradient,
    gradients_at,
    tape_of,
)
from derivable.labs.text import colon
from derivable.labs.typography import decimals_in
from derivable.labs.words import say

TIMES = 3  # draws of sizes and numbers at which forward is compared
CALLS, MORE_CALLS = 2_000, 20_000  # of an examination; more where the first decides nothing
SECONDS = 1.5  # of each
GIVING_AWAY = {"evidence.formulas", "evidence.missing"}  # evidence that states the right formula


@dataclass(frozen=True, kw_only=True)
class FunctionQuestion(Question):
    """A class with static `forward(ctx, ...)` and `backward(ctx, grad_output)`.

    reference      the forward in plain PyTorch
    inputs         makes the inputs of one check from a Draw; tensors of floating-point numbers are
                   examined, unless some of them require grad: then those
    also           inputs of other kinds at which forward is compared, such as large numbers
    forbidden      functions of PyTorch, by their names, that are the answer themselves
    forward_share  the share of the points for a right forward beside a wrong backward
    known          wrong gradients that have an explanation
    conventions    inputs at which another gradient than PyTorch's is right, and gets a remark
    """

    reference: Callable[..., Any]
    inputs: Callable[[Draw], Sequence[Any]]
    also: tuple[Callable[[Draw], Sequence[Any]], ...] = ()
    forbidden: frozenset[str] = frozenset()
    forward_share: float = 0.4
    known: tuple[KnownGradient, ...] = ()
    conventions: tuple[Convention, ...] = ()

    def judge(self, *answers: Any, draw: Draw, lang: str) -> Feedback:
        """The feedback: on whose code it is, then on forward, then on backward."""
        (function,) = answers
        if function is ...:
            return self.to_do(lang)
        stop = self._refused(function, lang)
        if stop is not None:
            return stop
        drawn = [tuple(make(draw)) for make in (*[self.inputs] * TIMES, *self.also)]
        names = _names(function.forward, len(drawn[0]))
        stop = self._forward(function, drawn, names, lang)
        if stop is not None:
            return stop
        stop = self._run_backward(function, drawn[0], lang)
        return self._at_every_draw(function, drawn[:TIMES], draw, lang) if stop is None else stop

    def _refused(self, function: Any, lang: str) -> Feedback | None:
        """The feedback on an answer that is no class with both methods, or not the student's."""
        if not isinstance(function, type):
            got = getattr(function, "__name__", type(function).__name__)
            key = "object_of_class" if hasattr(type(function), "forward") else "no_class"
            return self.wrong("type", say(key, lang, name=self.names, got=got))
        for method in ("forward", "backward"):
            own = any(method in vars(base) for base in function.__mro__[:-1] if _is_own(base))
            if not own and not package_of(function):
                line = say("no_method", lang, name=self.names, method=method)
                return self.wrong(f"no {method}", line)
        package = package_of(function)
        if package:
            return self.borrowed(package, lang, function.__name__)
        return None

    def _forward(
        self, function: Any, drawn: Sequence[Sequence[Any]], names: Sequence[str], lang: str
    ) -> Feedback | None:
        """The feedback on a forward that is not right."""
        for inputs in drawn:
            try:
                with watched(self.forbidden) as calls:
                    output = function.forward(tape_of(inputs), *copies_of(inputs))
            except Exception as error:
                if is_unwritten(error):
                    return self.to_do(lang)
                failed = self.failed(error, lang, "forward", kind="forward")
                return self._blank(function, "forward", lang) or failed
            expected = self.reference(*copies_of(inputs))
            compared = Comparison(
                f"{self.names}.forward", "forward", lang, inputs_in_words(names, inputs),
                sizes_of(inputs),
            )  # fmt: skip
            difference = _first_difference(compared, output, expected)
            if difference is not None:
                return self._blank(function, "forward", lang) or self.wrong(
                    f"forward.{difference.kind}", *difference.lines
                )
            if calls.solution:
                return self._declined(calls, lang)
        return None

    def _run_backward(self, function: Any, inputs: Sequence[Any], lang: str) -> Feedback | None:
        """The feedback on a backward that cannot run, or that is not the student's own."""
        tape, copies = tape_of(inputs), copies_of(inputs)
        output = function.forward(tape, *copies)
        outputs = output if isinstance(output, tuple) else (output,)
        grads = [o.detach().clone().fill_(1.0) for o in outputs]
        try:
            with watched(self.forbidden) as calls:
                returned = function.backward(tape, *grads)
        except Exception as error:
            blank = self._blank(function, "backward", lang)
            if blank is not None or is_unwritten(error):
                return blank or self._unfinished(lang)
            return self.failed(error, lang, "backward", kind="backward", share=self.forward_share)
        if returned is None:
            blank = self._blank(function, "backward", lang)
            line = say("none", lang, name=f"{self.names}.backward")
            return blank or self.wrong("backward.none", line, share=self.forward_share)
        return self._declined(calls, lang) if calls.solution or calls.autograd else None

    def _at_every_draw(
        self, function: Any, drawn: Sequence[Sequence[Any]], draw: Draw, lang: str
    ) -> Feedback:
        """The findings of the examiner at the first inputs, else where a gradient is wrong."""
        feedback = self._backward(function, drawn[0], draw, lang)
        for inputs in drawn[1:]:
            if feedback.right and self._differs(function, inputs, draw):
                feedback = self._backward(function, inputs, draw, lang)
        if not feedback.right:
            return feedback
        remarks = (
            say("remark", lang, text=one.what.to(lang))
            for one in self.conventions
            if self._differs(function, tuple(one.inputs(draw)), draw)
        )
        return replace(feedback, remarks=(*feedback.remarks, *remarks))

    def _gradients(self, function: Any, inputs: Sequence[Any], draw: Draw) -> Gradients | None:
        """The returned gradients with the true ones; None if they cannot be compared."""
        with suppress(Exception):
            return gradients_at(function, self.reference, inputs, draw)
        return None

    def _differs(self, function: Any, inputs: Sequence[Any], draw: Draw) -> bool:
        """Whether backward cannot run at these inputs, or returns another gradient than PyTorch."""
        found = self._gradients(function, inputs, draw)
        return found is None or not found.are_right

    def _backward(self, function: Any, inputs: Sequence[Any], draw: Draw, lang: str) -> Feedback:
        """The report of the examiner, at the level `lab`."""
        seed = int(sum(v.numel() for v in inputs if isinstance(v, Tensor)))
        for budget in (CALLS, MORE_CALLS):
            settings = Settings(level=Level.LAB, seed=seed, budget=budget, timeout=SECONDS)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                report = check(function, *copies_of(inputs), settings=settings)
            if report.verdict != "inconclusive":
                break
        failing = [f for f in report.findings if Level.LAB.fails(f)]
        if not failing:
            if report.verdict == "inconclusive":
                line = say("inconclusive", lang, name=self.names)
                return self.wrong("inconclusive", line, share=self.forward_share)
            return self.right(lang, _remarks(report, lang))
        blank = self._blank(function, "backward", lang)
        if blank is not None:
            return blank
        gradients = self._gradients(function, inputs, draw)
        names = _names(function.forward, len(inputs))
        named = None if gradients is None else self._named(gradients, names, lang)
        return named or self._explained(failing, lang)

    def _named(self, found: Gradients, names: Sequence[str], lang: str) -> Feedback | None:
        """The feedback on a mistake that the returned values themselves show."""
        name, share = f"{self.names}.backward", self.forward_share
        if places := found.none_for():
            arguments = ", ".join(names[place] for place in places)
            line = say("none_for", lang, name=name, arguments=arguments)
            return self.wrong(f"backward.{names[places[0]]}.none", line, share=share)
        if places := found.booleans_for():
            argument = names[places[0]]
            lines = [say("booleans", lang, name=name, argument=argument), say("precedence", lang)]
            return self.wrong(f"backward.{argument}.booleans", *lines, share=share)
        known = found.known(self.known)
        if known is None:
            return None
        argument = names[known.argument]
        line = f"{name}{colon(lang)}{argument}{colon(lang)}{known.why.to(lang)}"
        return self.wrong(f"backward.{argument}.{known.key}", line, share=share)

    def _explained(self, findings: Sequence[Finding], lang: str) -> Feedback:
        """The first finding in three lines, the others by their headings."""
        first, *others = findings
        head = heading(first, lang, level=Level.LAB)
        lines = [f"{self.names}.backward{colon(lang)}{head}."]
        lines += [
            _sentence(examiner_says(one, lang), first.argument)
            for one in first.evidence[:1]
            if one.key not in GIVING_AWAY
        ]
        lines = [decimals_in(lang, line) for line in lines]
        lines.append(_sentence(examiner_says(Message(f"advice.{first.cause}"), lang)))
        if others:
            named = "; ".join(heading(one, lang, level=Level.LAB) for one in others[:2])
            lines.append(say("others", lang, others=named))
        argument = f".{first.argument}" if first.argument else ""
        return self.wrong(f"backward{argument}.{first.cause}", *lines, share=self.forward_share)

    def _blank(self, function: Any, method: str, lang: str) -> Feedback | None:
        """The feedback on a method with a `...` in it."""
        if not blank_line(getattr(function, method, None)):
            return None
        return self.to_do(lang) if method == "forward" else self._unfinished(lang)

    def _unfinished(self, lang: str) -> Feedback:
        line = say("forward_done", lang, name=self.names)
        return replace(self.to_do(lang), lines=(line,), share=self.forward_share)

    def _declined(self, calls: Calls, lang: str) -> Feedback:
        if calls.solution:
            return self.declined(calls.solution, calls.package, lang)
        return self.wrong("borrowed", say("uses_autograd", lang), status=Status.DECLINED)


def _is_own(base: type) -> bool:
    """Whether a class is neither PyTorch's nor derivable's base class."""
    return not base.__module__.startswith(("torch.", "derivable."))


def _names(forward: Callable[..., Any], count: int) -> list[str]:
    """The names of forward's inputs, after ctx."""
    names = names_of_inputs(forward)[1:]
    return names if len(names) >= count else [f"input {i}" for i in range(1, count + 1)]


def _first_difference(compared: Comparison, output: Any, expected: Any) -> Difference | None:
    """The difference of one output, or of the first of several that differs."""
    if not isinstance(expected, tuple):
        return compared(output, expected)
    outputs = output if isinstance(output, tuple) else (output,)
    for got, one in zip([*outputs, *[None] * len(expected)], expected, strict=False):
        difference = compared(got, one)
        if difference is not None:
            return difference
    return None


def _remarks(report: Report, lang: str) -> tuple[str, ...]:
    """What the examiner found besides, one line."""
    if not report.findings:
        return ()
    found = heading(report.findings[0], lang, level=Level.STANDARD)
    return (say("remark", lang, text=_sentence(found)),)


def _sentence(text: str, name: str | None = None) -> str:
    """Text with a capital letter, unless it begins with this name, and a full stop."""
    text = text.strip()
    end = "" if text.endswith((".", "?", "!")) else "."
    first = text[:1] if name is not None and text.split()[0] == name else text[:1].upper()
    return first + text[1:] + end
