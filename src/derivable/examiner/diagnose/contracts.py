"""Causes in what backward returned as a whole: a gradient of another shape, and why."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from derivable.examiner.checks.returned import Problem
from derivable.examiner.checks.values import Evaluation, Examined
from derivable.examiner.diagnose.evidence import Evidence, ShapeOf
from derivable.examiner.points import OTHER_SIZES, Kind, kind

Named = tuple[str, tuple[Evidence, ...]]  # a cause, and what else speaks for it


def named(examined: Examined, problem: Problem, looks: Sequence[Evaluation]) -> Named:
    """The cause of a problem, and what can be said besides what the check has said."""
    ordinary = kind(problem) in OTHER_SIZES | {Kind.EXAMPLE}
    if problem.cause == "shape" and problem.argument is not None and ordinary:
        return _reshaped(examined, problem, problem.argument, looks) or (problem.cause, ())
    return problem.cause, ()


def _reshaped(
    examined: Examined, problem: Problem, argument: int, looks: Sequence[Evaluation]
) -> Named | None:
    """What a gradient of the wrong shape would have been: not summed, transposed, another's."""
    raw = problem.raw
    look = next((one for one in looks if one.where is problem.where), None)
    if not isinstance(raw, Tensor) or look is None:
        return None
    shape = tuple(look.inputs[argument].shape)
    if raw.ndim >= len(shape):
        try:
            raw.sum_to_size(shape)
        except RuntimeError:
            pass
        else:
            return "missing_sum", ()
    for i, other in enumerate(look.inputs):
        if i != argument and isinstance(other, Tensor) and other.shape == raw.shape:
            names = examined.subject.names(len(look.inputs))
            return "swapped", (ShapeOf(names[argument], names[i]),)
    if raw.ndim == len(shape) and sorted(raw.shape) == sorted(shape):
        return "transposed", ()
    return None
