"""`check` and `check_gradient`: examine a target, and report what is wrong and why.

The examiner runs the code that it examines: check only what you would run.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor

from derivable.errors import InputError
from derivable.examiner.checks.authoring import (
    described,
    first_run,
    not_runnable,
    old_names,
)
from derivable.examiner.examination import Examination
from derivable.examiner.finding import Finding, Message
from derivable.examiner.inputs.found import Search
from derivable.examiner.report import Report
from derivable.examiner.targets.subjects import subject_of
from derivable.examiner.targets.target import (
    CallableSubject,
    FunctionSubject,
    Inputs,
    PairRun,
    Run,
    Subject,
    seeded,
    unchanged_random_state,
)
from derivable.function.compiled import without_importing_dynamo


def check(
    target: Any,
    *inputs: Any,
    reference: Callable[..., Any] | None = None,
    surrogate: str | None = None,
    compile: bool = False,
    seed: int = 0,
    **options: Any,
) -> Report:
    """Examine the gradients of `target` at `inputs` and around them.

    target     a torch.autograd.Function (ours, or PyTorch's in either style), a plain class with
               a forward and a backward, or a callable or torch.nn.Module that uses one; a module's
               parameters are examined too
    inputs     what forward takes, in its order. Tensors that require grad are examined; if none
               does, all floating-point ones are. Without inputs, target.examples() are taken,
               else inputs are found (see found_inputs), and a note states them
    reference  the same function in plain PyTorch: its autograd sharpens the ruler
    surrogate  why backward is not the derivative on purpose: values are then not compared (a
               class may say it once, as its attribute `surrogate`)
    compile    run it under torch.compile too, which takes seconds
    options    inputs of forward given by keyword

    Runs the target's code many times. The global random generators are left as they were.
    Raises InputError for inputs that cannot be examined.
    """
    with _examining():
        target = _unwrapped(target)
        subject = subject_of(target, options)
        found = not_runnable(subject)
        if found:
            return _stopped(subject, (), seed, findings=found)
        examples, notes = _examples(target, subject, inputs, options, seed)
        if not examples:
            return _stopped(subject, (), seed, notes=notes)
        why = surrogate if surrogate is not None else getattr(target, "surrogate", None)
        reports = []
        for example in examples:
            stopped = _stop(subject, example, seed)
            reports.append(
                stopped
                if stopped is not None
                else Examination(
                    subject, example, surrogate=why, reference=reference, compile=compile, seed=seed
                ).report()
            )
    report = reports[0] if len(reports) == 1 else Report.merged(reports)
    notes = [*notes, *old_names(subject)]
    return dataclasses.replace(report, notes=(*notes, *report.notes)) if notes else report


@contextmanager
def _examining() -> Iterator[None]:
    """What an examination needs to be so, and leaves as it was."""
    with (
        unchanged_random_state(),
        torch.inference_mode(False),
        torch.enable_grad(),
        without_importing_dynamo(),
    ):
        yield


def check_gradient(
    value: Callable[[Any], Any],
    gradient: Callable[[Any], Any] | None = None,
    *,
    at: Any,
    seed: int = 0,
) -> Report:
    """Examine a gradient that is computed beside a value, such as an optimiser's objective.

    value      theta -> a number (NumPy or PyTorch)
    gradient   theta -> its gradient, of the shape of theta; None if `value` returns both
    at         theta: an array, a tensor, or a sequence or mapping of them

    Raises InputError if the value is no single number, or theta holds no floating-point array.
    """
    with _examining():
        subject = PairSubject(value, gradient, at)
        report = Examination(
            subject, subject.leaves, surrogate=None, reference=None, compile=False, seed=seed
        ).report()
        return dataclasses.replace(report, target=(value, gradient), example=(at,))


def _unwrapped(target: Any) -> Any:
    """The class of `mse = MSE.apply`, or of a partial of it; any other target as it is."""
    if isinstance(target, functools.partial) and not target.args and not target.keywords:
        return _unwrapped(target.func)
    own = getattr(target, "__self__", None)
    return own if getattr(target, "__name__", "") == "apply" and isinstance(own, type) else target


def _examples(
    target: Any, subject: Subject, inputs: Inputs, options: dict[str, Any], seed: int
) -> tuple[list[list[Any]], list[Message]]:
    """The examples to examine a target at, and notes on what was chosen.

    Without given inputs, and without examples() of the target, inputs are looked for; none, with
    a note, for a forward that is still to be written.
    """
    notes: list[Message] = []
    examples: Sequence[Sequence[Any]] = [inputs]
    if not inputs and not options:
        if hasattr(target, "examples"):
            with seeded(seed):
                known = target.examples()
            examples = [known] if isinstance(known, tuple) else list(known)
        else:
            search = Search(target, seed)
            found = search.found()
            if found is None and search.unfinished is not None:
                return [], [search.unfinished]
            if found is None:
                raise InputError(
                    f"no inputs were found at which {subject.name} runs"
                    f"{search.refusal(before=': ')}; give its inputs: "
                    f"check({subject.name}, torch.randn(4, 3), ...)"
                )
            examples, notes = [found.inputs], [found.message]
            options = found.options
    if isinstance(subject, FunctionSubject):
        return [subject.bind(example, options) for example in examples], notes
    if isinstance(subject, CallableSubject):
        subject.options = options
    parameters = list(subject.parameters.values())
    return [[*example, *parameters] for example in examples], notes


def _stop(subject: Subject, example: list[Any], seed: int) -> Report | None:
    """A report where there is nothing to examine yet: unfinished, or called in another way."""
    note, found = first_run(subject, example)
    if note is None and not found:
        return None
    return _stopped(subject, example, seed, findings=found, notes=[note] if note else [])


def _stopped(
    subject: Subject, example: Sequence[Any], seed: int,
    findings: Sequence[Finding] = (), notes: Sequence[Message] = (),
) -> Report:  # fmt: skip
    """The report on a target that cannot run as it is: wrong by a finding, else inconclusive."""
    return Report(
        function=subject.name, verdict="wrong" if findings else "inconclusive",
        findings=tuple(findings), notes=tuple(notes), rungs={"calls": 1},
        inputs=described(subject, example), seed=seed, example=tuple(example),
        target=subject.target,
    )  # fmt: skip


class PairSubject(Subject):
    """A value with a gradient beside it, as a function of the arrays in theta."""

    by_hand = True

    def __init__(self, value: Any, gradient: Any, at: Any) -> None:
        super().__init__(getattr(gradient or value, "__name__", "gradient"), value)
        self.gradient = gradient
        self.at = at
        self.value_only = True
        if isinstance(at, Mapping):
            self.keys: list[Any] = list(at)
        elif isinstance(at, list | tuple):
            self.keys = list(range(len(at)))
        else:
            self.keys = []
        arrays = [at[key] for key in self.keys] if self.keys else [at]
        self.leaves = [tensor_of(a) for a in arrays]

    def names(self, count: int) -> list[str]:
        """`theta`, or the keys of its parts."""
        if not self.keys:
            return ["theta"]
        return [str(k) if isinstance(k, str) else f"theta[{k}]" for k in self.keys]

    def _packed(self, inputs: Inputs) -> Any:
        """Theta in the form in which it was given."""
        originals = [self.at[key] for key in self.keys] if self.keys else [self.at]
        values = [
            v.detach().clone() if isinstance(o, Tensor) else _array(v, o)
            for v, o in zip(inputs, originals, strict=True)
        ]
        if isinstance(self.at, Mapping):
            return dict(zip(self.keys, values, strict=True))
        if not self.keys:
            return values[0]
        make = getattr(type(self.at), "_make", type(self.at))  # a namedtuple has its own
        return make(values)

    def _run(self, inputs: list[Any], wanted: Sequence[int]) -> Run:
        theta = self._packed(inputs)
        result = self.target(theta)
        if self.gradient is None:
            result = result[0]
        number = tensor_of(result).double()
        if number.numel() != 1:
            raise InputError(
                f"{self.name}: the value must be one number, got shape {tuple(number.shape)}"
            )

        def gradient() -> list[Any]:
            point = self._packed(inputs)
            found = self.target(point)[1] if self.gradient is None else self.gradient(point)
            parts = [found[key] for key in self.keys] if self.keys else [found]
            return [None if p is None else tensor_of(p) for p in parts]

        return PairRun((number.reshape(()),), inputs, gradient)


def tensor_of(value: Any) -> Tensor:
    """A tensor, an array, or numbers, as a new tensor; Python's numbers are float64."""
    if isinstance(value, Tensor):
        return value.detach().clone()
    return torch.from_numpy(np.array(value))


def _array(value: Tensor, original: Any) -> Any:
    """A tensor as NumPy has it; a number stays a number."""
    array = value.detach().numpy().copy()
    return array if isinstance(original, np.ndarray) else type(original)(array)
