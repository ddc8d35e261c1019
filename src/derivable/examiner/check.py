"""`check` and `check_gradient`: examine a target, and report what is wrong and why.

The examiner runs the code that it examines: check only what you would run.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor

from derivable.errors import InputError
from derivable.examiner.examination import Examination
from derivable.examiner.report import Report
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

    target     a torch.autograd.Function (ours, or PyTorch's in either style), or a callable or
               torch.nn.Module that uses one; a module's parameters are examined too
    inputs     what forward takes, in its order. Tensors that require grad are examined; if none
               does, all floating-point ones are. Without inputs, target.examples() are taken
    reference  the same function in plain PyTorch: its autograd refines the numerical derivative
    surrogate  why backward is not the derivative on purpose: values are then not compared (a
               class may say it once, as its attribute `surrogate`)
    compile    run it under torch.compile too, which takes seconds
    options    inputs of forward given by keyword

    Runs the target's code many times. The global random generators are left as they were.
    Raises InputError for inputs that cannot be examined.
    """
    with _examining():
        subject, examples = _subject(target, inputs, options, seed)
        why = surrogate if surrogate is not None else getattr(target, "surrogate", None)
        reports = [
            Examination(
                subject, example, surrogate=why, reference=reference, compile=compile, seed=seed
            ).report()
            for example in examples
        ]
    return reports[0] if len(reports) == 1 else Report.merged(reports)


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


def _subject(
    target: Any, inputs: Inputs, options: dict[str, Any], seed: int
) -> tuple[Subject, list[list[Any]]]:
    """The subject for a target, and the examples to examine it at."""
    own = getattr(target, "__self__", None)
    if getattr(target, "__name__", "") == "apply" and isinstance(own, type):
        target = own  # Cube.apply is Cube
    is_function = isinstance(target, type) and issubclass(target, torch.autograd.Function)
    if not is_function and not callable(target):
        raise InputError(
            f"check examines a Function, a callable or a module, got {type(target).__name__}"
        )
    name = getattr(target, "__name__", type(target).__name__)
    examples: Sequence[Sequence[Any]] = [inputs]
    if not inputs and not options:
        if not hasattr(target, "examples"):
            raise InputError(
                f"{name} has no examples(), so give its inputs: "
                f"check({name}, torch.randn(4, 3), ...)"
            )
        with seeded(seed):
            found = target.examples()
        examples = [found] if isinstance(found, tuple) else list(found)
    if is_function:
        function = FunctionSubject(target)
        return function, [function.bind(example, options) for example in examples]
    subject = CallableSubject(target, options)
    parameters = list(subject.parameters.values())
    return subject, [[*example, *parameters] for example in examples]


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
