"""Comparison of forward with a `reference` and a `surrogate_of` that the user has given."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from derivable.errors import InputError
from derivable.examiner.checks.check import Check, Results, ResultsSoFar, Setup
from derivable.examiner.checks.returned import EXAMPLE, Problem
from derivable.examiner.checks.values import ExaminedTarget
from derivable.examiner.measure.space import joined
from derivable.examiner.message import Message
from derivable.examiner.messages import error_of
from derivable.examiner.targets.target import Inputs, is_float
from derivable.function.gradients import as_tuple


def compare_references(examined: ExaminedTarget, inputs: Inputs) -> None:
    """Check that `reference` and `surrogate_of` can be called, and have outputs of these shapes.

    A reference with other values than forward is not used for gradients; the check of forward
    reports it. Raises InputError if they raise, and for a `surrogate_of` with outputs of other
    shapes.
    """
    adapter = examined.adapter
    if examined.reference is None and adapter.surrogate_of is None:
        return
    forward = [output for output in adapter.outputs(inputs) if is_float(output)]
    if examined.reference is not None:
        theirs = _returned(
            examined.reference, "error.the_reference", adapter.given(inputs), adapter.name
        )
        if _differ(forward, theirs):
            examined.reference = None
    if adapter.surrogate_of is not None:
        theirs = _returned(
            adapter.surrogate_of, "error.surrogate_of", adapter.given(inputs), adapter.name
        )
        shapes = [[tuple(output.shape) for output in some] for some in (forward, theirs)]
        if shapes[0] != shapes[1]:
            raise error_of(
                InputError, "error.surrogate_shapes", function=adapter.name,
                returned=_written(shapes[1]), expected=_written(shapes[0]),
            )  # fmt: skip


class Forward(Check):
    """Compares the outputs of forward with those of the reference."""

    name = "forward"

    def applies(self, setup: Setup, so_far: ResultsSoFar) -> bool:
        """Only if there is a reference."""
        return setup.settings.reference is not None

    def run(self, setup: Setup, so_far: ResultsSoFar) -> Iterator[Results]:
        """One comparison at the given inputs, and at others of the same sizes."""
        for inputs, point in (
            (setup.inputs, EXAMPLE),
            (setup.probes.other_values(), Message("point.other_values")),
        ):
            problem = _forward_problem(setup, inputs)
            if problem is not None:
                problem.point, problem.inputs = point, () if point is EXAMPLE else inputs
                yield Results([problem])
                return


def _forward_problem(setup: Setup, inputs: Inputs) -> Problem | None:
    """The problem with the outputs at these inputs; None if they agree."""
    examined, reference = setup.examined, setup.settings.reference
    assert reference is not None
    adapter = examined.adapter
    examined.comparisons += 1
    try:
        ours = [output for output in adapter.outputs(inputs) if is_float(output)]
    except Exception:  # forward may refuse made-up inputs
        return None
    theirs = _returned(reference, "error.the_reference", adapter.given(inputs), adapter.name)
    shapes = [[tuple(output.shape) for output in some] for some in (ours, theirs)]
    if shapes[0] != shapes[1]:
        fields = {"returned": _written(shapes[0]), "expected": _written(shapes[1])}
        return Problem("forward", None, (Message("evidence.forward_shape", fields),))
    if not _differ(ours, theirs):
        return None
    off = (joined(ours) - joined(theirs)).abs().nan_to_num(torch.inf, torch.inf)
    wrong = off > 1e-9 + 1e-6 * joined(theirs).abs()
    entry = int(off.argmax())
    numbers: dict[str, Any] = {
        "returned": f"{float(joined(ours)[entry]):.6g}",
        "expected": f"{float(joined(theirs)[entry]):.6g}",
        "count": int(wrong.sum()),
        "all": len(wrong),
    }
    return Problem("forward", None, (Message("evidence.forward_values", numbers),))


def _written(shapes: Sequence[tuple[int, ...]]) -> str:
    return ", ".join(map(str, shapes))


def _differ(ours: Sequence[Tensor], theirs: Sequence[Tensor]) -> bool:
    """Whether two lists of outputs differ by more than rounding."""
    first, second = joined(ours), joined(theirs)
    if first.shape != second.shape or [o.shape for o in ours] != [o.shape for o in theirs]:
        return True
    return not torch.allclose(first, second, rtol=1e-6, atol=1e-9, equal_nan=True)


def _returned(function: Callable[..., Any], what: str, inputs: Inputs, name: str) -> list[Tensor]:
    """The floating-point outputs of a function that the user gave, `what` being its message."""
    try:
        return [output for output in as_tuple(function(*inputs)) if is_float(output)]
    except Exception as error:
        text = " ".join(str(error).split())[:160]
        raise error_of(
            InputError, "error.given_raises",
            what=Message(what), error=type(error).__name__, function=name, text=text,
        ) from error  # fmt: skip
