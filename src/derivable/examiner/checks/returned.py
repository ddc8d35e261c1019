"""Problems with the number, types, shapes and dtypes of the returned gradients."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from derivable.examiner.finding import Severity, Source, Worst
from derivable.examiner.message import Message
from derivable.examiner.targets.target import Inputs

if TYPE_CHECKING:
    from derivable.examiner.checks.values import ExaminedTarget

ACCEPTED = "accepted"  # the cause of what is reported as a note
EXAMPLE = Message("point.example")
LIBRARY_FOLDERS = [  # whose lines are not the user's
    Path(torch.__file__).parent,
    *(Path(__file__).parents[2] / part for part in ("examiner", "function")),
]


@dataclass
class Problem:
    """A mistake other than wrong values, such as a gradient of the wrong shape."""

    cause: str  # an id of a cause
    argument: int | None
    evidence: tuple[Message, ...]
    raw: Any = None  # what was returned, where its shape or kind is the problem
    point: Message = EXAMPLE
    inputs: Inputs = ()  # those at which it shows; empty for the given ones
    worst: Worst | None = None  # where it is one entry of a gradient
    severity: Severity = Severity.ERROR
    rule: str = "backward"  # the static method that is at fault
    source: Source | None = None  # the line, where it is known


def contract(
    examined: ExaminedTarget, gradients: tuple[Any, ...], inputs: Inputs, lenient: bool = False
) -> list[Problem]:
    """Problems with the number, types, shapes and dtypes of the returned gradients.

    `lenient` accepts what autograd converts and sums by itself.
    """
    expected, names = len(inputs), examined.adapter.names(len(inputs))
    if len(gradients) < expected or any(g is not None for g in gradients[expected:]):
        evidence = Message(
            "evidence.count",
            {"returned": len(gradients), "expected": expected, "names": ", ".join(names)},
        )
        return [Problem("count", None, (evidence,))]
    problems = []
    repaired = Severity.ERROR if getattr(examined.adapter, "ours", False) else Severity.WARNING
    dtypes = {inputs[i].dtype for i in examined.wanted}
    for i in examined.wanted:
        gradient, x = gradients[i], inputs[i]
        if gradient is None:
            continue
        if not isinstance(gradient, Tensor):
            evidence = Message("evidence.no_tensor", {"kind": type(gradient).__name__})
            problems.append(Problem("shape", i, (evidence,), gradient))
        elif gradient.shape != x.shape:
            summed = fit((gradient,), 0, x) is not None
            if lenient and summed:
                continue  # autograd sums it silently
            shapes = {"returned": tuple(gradient.shape), "expected": tuple(x.shape)}
            if summed and not x.ndim and not getattr(examined.adapter, "ours", False):
                named = {"name": names[i], **shapes}
                problems.append(Problem(ACCEPTED, i, (Message("note.summed", named),)))
                continue
            evidence = Message("evidence.shape", shapes)
            severity = repaired if summed else Severity.ERROR
            problems.append(Problem("shape", i, (evidence,), gradient, severity=severity))
        elif gradient.dtype != x.dtype and len(dtypes) == 1 and not lenient:
            kinds = {"returned": short(gradient.dtype), "expected": short(x.dtype)}
            evidence = Message("evidence.dtype", kinds)
            problems.append(Problem("dtype", i, (evidence,), gradient, severity=repaired))
    return problems


def nothing(problem: Problem, inputs: Inputs) -> bool:
    """Whether a gradient without entries was returned for an argument without entries."""
    assert problem.argument is not None
    raw = problem.raw
    return isinstance(raw, Tensor) and not raw.numel() and not inputs[problem.argument].numel()


def fit(gradients: tuple[Any, ...], argument: int, x: Tensor) -> Tensor | None:
    """The gradient of one argument summed to its shape, zeros for None; None if impossible."""
    gradient = gradients[argument] if argument < len(gradients) else None
    if gradient is None:
        return torch.zeros_like(x)
    if not isinstance(gradient, Tensor):
        return None
    if gradient.is_complex() and not x.is_complex():
        gradient = gradient.real  # as autograd does
    if gradient.shape != x.shape:
        try:
            gradient = gradient.sum_to_size(x.shape)  # as autograd does
        except RuntimeError:
            return None
    return gradient.to(torch.complex128 if x.is_complex() else torch.float64)


def raised(error: BaseException) -> Message:
    """The evidence for an error, in one line."""
    text = " ".join(str(error).split())
    return Message("evidence.raised", {"kind": type(error).__name__, "text": text[:160]})


def raised_at(error: BaseException) -> Source | None:
    """The last line of the user's code that an error came through; None if there is none."""
    return users_line(traceback.extract_tb(error.__traceback__))


def users_line(frames: Sequence[traceback.FrameSummary]) -> Source | None:
    """The innermost of `frames` that is neither PyTorch's nor the examiner's."""
    for frame in reversed(frames):
        path = Path(frame.filename)
        if path.is_file() and not any(path.is_relative_to(folder) for folder in LIBRARY_FOLDERS):
            return Source(frame.filename, frame.lineno or 0, (frame.line or "").strip())
    return None


def short(dtype: torch.dtype) -> str:
    """float64 for torch.float64."""
    return str(dtype).removeprefix("torch.")
