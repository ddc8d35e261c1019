"""Further evidence on problems other than wrong values, such as a wrong shape."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor

from derivable.examiner.checks.returned import Problem, fit
from derivable.examiner.checks.values import Evaluation, ExaminedTarget
from derivable.examiner.diagnose import scalars
from derivable.examiner.diagnose.case import Case
from derivable.examiner.diagnose.evidence import (
    Evidence,
    EvidenceWithFields,
    Fact,
    FactorIs,
    OfArgument,
    OfEachOther,
)
from derivable.examiner.diagnose.products import Beside, alike, beside, product_of, rearranged
from derivable.examiner.points import GIVEN_SIZES, ORDINARY, OTHER_SIZES, Kind, kind
from derivable.examiner.targets.recorder import kept_by_name
from derivable.examiner.targets.target import FunctionRun, Inputs, Run


@dataclass(frozen=True)
class FactorAtOne(EvidenceWithFields):
    """For a grad_output of 1, the gradient is `factor` times the derivative."""

    key = "evidence.factor_at_one"
    formats: ClassVar = {"factor": ""}
    factor: float


@dataclass(frozen=True)
class ShapeOf(EvidenceWithFields):
    """What is returned for `name` has the shape of `other`."""

    key = "evidence.shape_of"
    name: str
    other: str


@dataclass(frozen=True)
class TransposeOf(EvidenceWithFields):
    """What is returned for `name` is the gradient of `other`, transposed."""

    key = "evidence.transpose_of"
    name: str
    other: str


@dataclass(frozen=True)
class SavedIntermediate(EvidenceWithFields):
    """Saved tensors, by position or name, that are neither inputs nor outputs of forward."""

    key = "evidence.saved_intermediate"
    positions: str


class Named(NamedTuple):
    """The cause of a problem, and its evidence beside that of the check."""

    cause: str
    evidence: tuple[Evidence, ...] = ()
    before: tuple[Evidence, ...] = ()  # what is reported first, also of the other arguments


class Observations(NamedTuple):
    """A problem with the results around it."""

    examined: ExaminedTarget
    problem: Problem
    inputs: Inputs  # those at which it shows
    evaluations: tuple[Evaluation, ...]


def named(observations: Observations) -> Named:
    """The cause of a problem, and further evidence."""
    known = NAMED.get(observations.problem.cause)
    return (known(observations) if known else None) or Named(observations.problem.cause)


# A gradient of another shape --------------------------------------------------------------------


def _shape(observations: Observations) -> Named | None:
    """The cause of a gradient of the wrong shape: not summed, transposed, of another argument."""
    raw, argument = observations.problem.raw, observations.problem.argument
    ordinary = kind(observations.problem) in OTHER_SIZES | {Kind.EXAMPLE}
    if argument is None or not isinstance(raw, Tensor) or not ordinary:
        return None
    shape = tuple(observations.inputs[argument].shape)
    summed = fit((raw,), 0, observations.inputs[argument]) is not None  # as autograd does
    ours = getattr(observations.examined.adapter, "ours", False)
    if raw.ndim > len(shape) and _squeezed(raw.shape) == _squeezed(shape):
        in_use = Fact.GRADIENT_ERROR if ours else Fact.AUTOGRAD_RESHAPES
        return Named("keepdim", (in_use,) if summed else ())
    if raw.ndim >= len(shape) and summed:
        return Named("missing_sum", (Fact.GRADIENT_ERROR if ours else Fact.AUTOGRAD_SUMS,))
    known = beside(observations.examined, observations.inputs)
    found = _whose(observations, argument, known) if known else None
    return found or _of_shape(observations, argument, raw)


def _squeezed(shape: tuple[int, ...]) -> list[int]:
    return [length for length in shape if length != 1]


def _whose(observations: Observations, argument: int, known: Beside) -> Named | None:
    """The argument whose measured gradient it is, as it is or transposed; and the right formula."""
    run = observations.examined.run(observations.inputs)
    returned = observations.examined.vjp(run, observations.inputs, known.vector)
    names = observations.examined.adapter.names(len(observations.inputs))
    owner, turned = _owner(returned[argument], argument, known)
    if owner is None:
        return None
    evidence = (TransposeOf if turned else OfArgument)(names[argument], names[owner])
    back, _ = _owner(returned[owner], owner, known)
    if owner == argument or back != argument:
        right = product_of(observations.examined, observations.inputs, argument, known)
        return Named("transposed" if owner == argument else "swapped", (evidence, *right))
    first, second = sorted((argument, owner))
    pair = OfEachOther(names[first], names[second])
    right = tuple(
        one
        for i in (first, second)
        for one in product_of(observations.examined, observations.inputs, i, known)
    )
    return Named("swapped", (evidence,) if turned else (), (pair, *right))


def _owner(returned: Any, argument: int, known: Beside) -> tuple[int | None, bool]:
    """The argument whose measured gradient it is, others first; and whether it is transposed."""
    if isinstance(returned, Tensor):
        order = sorted(known.measured, key=lambda i: i == argument)
        for i in order:
            if i != argument and alike(returned, known.measured[i]):
                return i, False
        for i in order:
            if returned.ndim == 2 and alike(returned.mT, known.measured[i]):
                return i, True
    return None, False


def _of_shape(observations: Observations, argument: int, raw: Tensor) -> Named | None:
    """The argument whose shape it has."""
    names = observations.examined.adapter.names(len(observations.inputs))
    shape = observations.inputs[argument].shape
    for i, other in enumerate(observations.inputs):
        if i != argument and isinstance(other, Tensor) and other.shape == raw.shape:
            return Named("swapped", (ShapeOf(names[argument], names[i]),))
    if raw.ndim == len(shape) and sorted(raw.shape) == sorted(shape):
        return Named("transposed")
    return None


# An error, a grad_output that is ignored, a second derivative -----------------------------------


def _raises(observations: Observations) -> Named | None:
    """The matrix product that raises, in the arrangement in which the gradient is right."""
    if kind(observations.problem) is Kind.DTYPE:
        return Named("raises", (Fact.RUNS_IN_FLOAT64,))
    if kind(observations.problem) is not Kind.EXAMPLE or observations.examined.adapter.random:
        return None
    return Named(
        "raises",
        tuple(rearranged(observations.examined, observations.inputs, observations.examined.wanted)),
    )


def _ignored(observations: Observations) -> Named | None:
    """The wrong factor for a grad_output of 1, which a loss receives."""
    argument = observations.problem.argument
    samples = [s for evaluation in observations.evaluations for s in evaluation.samples
               if s.argument == argument and kind(s) in ORDINARY]  # fmt: skip
    found: scalars.Factors = []
    for sample in samples:
        measured, returned = sample.measured.value.sum(0), sample.returned[:1].sum(0)
        known = torch.isfinite(measured) & (measured != 0)
        ratio = returned[known] / measured[known]
        if not len(ratio) or float(ratio.std(correction=0)) > 1e-6 * float(ratio.abs().max()):
            return None
        found.append((sample, float(ratio.mean())))
    if argument is None or not found or all(abs(c - 1) < 1e-6 for _, c in found):
        return None
    case = Case(
        observations.examined, argument, [s for s, _ in found], list(observations.evaluations)
    )
    formulas = [name for name, c in scalars.formulas(case, found) if abs(c - 1) < 1e-6]
    given = next((c for s, c in found if kind(s) in GIVEN_SIZES), found[0][1])
    return Named("ignores_grad_output", (FactorAtOne(given), *map(FactorIs, formulas[:1])))


def _second_order(observations: Observations) -> Named | None:
    """Saved tensors that are neither inputs nor outputs: autograd takes them for constants."""
    run = observations.examined.run(observations.inputs)
    if not isinstance(run, FunctionRun) or getattr(observations.examined.adapter, "ours", False):
        return None  # ours are computed again from the inputs
    own = [v for v in run.placed if isinstance(v, Tensor)]
    names = [
        name for name, tensor in kept_by_name(run.ctx).items()
        if tensor.is_floating_point() and not any(_same_memory(tensor, other) for other in own)
        and _moves(observations, name)
    ]  # fmt: skip
    return Named("second_order", (SavedIntermediate(", ".join(names)),)) if names else None


def _same_memory(first: Tensor, second: Tensor) -> bool:
    return first.data_ptr() == second.data_ptr() and first.shape == second.shape


def _moves(observations: Observations, name: str) -> bool:
    """Whether a saved tensor depends on the inputs."""
    inputs = [
        1.01 * v if i in observations.examined.wanted else v
        for i, v in enumerate(observations.inputs)
    ]
    first, second = (
        _kept(observations.examined.run(given)).get(name) for given in (observations.inputs, inputs)
    )
    return first is not None and second is not None and not torch.equal(first, second)


def _kept(run: Run) -> dict[str, Tensor]:
    return kept_by_name(run.ctx) if isinstance(run, FunctionRun) else {}


NAMED: dict[str, Callable[[Observations], Named | None]] = {
    "shape": _shape,
    "raises": _raises,
    "ignores_grad_output": _ignored,
    "second_order": _second_order,
}
