"""`check` and `check_gradient`: examine a target, and report what is wrong and why.

The examiner runs the code that it examines: check only what you would run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from derivable.errors import InputError
from derivable.examiner.examination import examine
from derivable.examiner.inputs.contract_text import bound
from derivable.examiner.inputs.contracts_of_entries import FixedSize
from derivable.examiner.inputs.declared import Declaration, Examples, declared
from derivable.examiner.report import Report
from derivable.examiner.settings import Settings
from derivable.examiner.targets.custom_ops import CustomOpSubject, custom_op_of
from derivable.examiner.targets.jax_functions import JaxSubject, is_jax, tensors_of
from derivable.examiner.targets.sparse import through_values
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
from derivable.threads import on_one_thread

USUAL = Settings()


def check(target: Any, *inputs: Any, settings: Settings = USUAL, **options: Any) -> Report:
    """Examine the gradients of `target` at `inputs` and around them.

    target    a torch.autograd.Function (ours, or PyTorch's in either style), or a callable or
              torch.nn.Module that uses one; a module's parameters are examined too
    inputs    what forward takes, in its order. Tensors that require grad are examined; if none
              does, all floating-point ones are. Without inputs, target.examples() are taken
    settings  see Settings
    options   settings by name, as in check(f, x, level="lab"); others are inputs of forward by
              keyword

    What a class says in its attributes `contracts`, `surrogate` and `surrogate_of`, and what
    `declare` says, counts where nothing is given here. Runs the target's code many times. The
    global random generators are left as they were. Raises InputError for inputs that cannot be
    examined, SettingError for such settings.
    """
    settings, options = settings.taken_from(options)
    with _examining():
        known = _declared(target, settings)
        settings = replace(settings, surrogate=known.surrogate, surrogate_of=known.surrogate_of)
        subject, examples = _subject(target, inputs, options, settings.seed, known.examples)
        reports = [_report(subject, example, known, settings) for example in examples]
    return reports[0] if len(reports) == 1 else Report.merged(reports)


def _declared(target: Any, settings: Settings) -> Declaration:
    """What is known of the target: by the settings, its class, or `declare`."""
    given = Declaration(None, settings.contracts, settings.surrogate, settings.surrogate_of)
    known = given.over(declared(target))
    return known if known.surrogate_of is None else replace(known, surrogate=None)


def _report(
    subject: Subject, example: Sequence[Any], known: Declaration, settings: Settings
) -> Report:
    """The report on one example, in which sparse tensors are examined through their values."""
    names = subject.names(len(example))
    contracts = bound(known.contracts, names, example, subject.name)
    values, sparse = through_values(example, names, subject.name)
    subject.forms = {**contracts, **sparse}
    fixed = {i: FixedSize() for i in sparse}
    subject.meant = known.surrogate_of
    entries = sum(v.numel() for v in example if isinstance(v, Tensor))
    with on_one_thread(entries):
        report = examine(subject, values, settings, {**contracts, **fixed})
    if not sparse:
        return report
    findings = tuple(replace(f, inputs=subject.given(f.inputs)) for f in report.findings)
    return replace(report, findings=findings, example=tuple(example))


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
        report = examine(subject, subject.leaves, Settings(seed=seed))
        return replace(report, target=(value, gradient), example=(at,))


def _subject(
    target: Any, inputs: Inputs, options: dict[str, Any], seed: int, known: Examples | None
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
        if known is None:
            raise InputError(
                f"{name} has no examples(), so give its inputs: "
                f"check({name}, torch.randn(4, 3), ...)"
            )
        with seeded(seed):
            found = known()
        examples = [found] if isinstance(found, tuple) else list(found)
    if is_function:
        function = FunctionSubject(target)
        return function, [function.bind(example, options) for example in examples]
    if is_jax(target):
        wrapped = JaxSubject(target, options)
        return wrapped, [tensors_of(example) for example in examples]
    definition = custom_op_of(target)
    if definition is not None:
        operator = CustomOpSubject(definition)
        return operator, [operator.bind(example, options) for example in examples]
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
