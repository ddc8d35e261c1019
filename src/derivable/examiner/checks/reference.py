"""Whether the functions that a user gives to compare with are functions of the same inputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from derivable.errors import InputError
from derivable.examiner.checks.values import Examined
from derivable.examiner.measure.space import joined
from derivable.examiner.targets.target import Inputs, is_float
from derivable.function.gradients import as_tuple


def compare_references(examined: Examined, inputs: Inputs) -> None:
    """Check `reference`, the same function, and `surrogate_of`, another one of the same shapes.

    Raises InputError where they raise, and where they return something else.
    """
    subject = examined.subject
    forward = [output for output in subject.outputs(inputs) if is_float(output)]
    if examined.reference is not None:
        theirs = _returned(examined.reference, "the reference", subject.given(inputs), subject.name)
        ours, other = joined(forward), joined(theirs)
        if ours.shape != other.shape or not torch.allclose(
            ours, other, rtol=1e-6, atol=1e-9, equal_nan=True
        ):
            raise InputError(
                f"the reference computes something else than {subject.name}.forward at the "
                "given inputs; give the same function in plain PyTorch"
            )
    if subject.meant is not None:
        theirs = _returned(subject.meant, "surrogate_of", subject.given(inputs), subject.name)
        shapes = [[tuple(output.shape) for output in some] for some in (forward, theirs)]
        if shapes[0] != shapes[1]:
            raise InputError(
                f"surrogate_of returns shapes {shapes[1]}, and {subject.name}.forward "
                f"{shapes[0]}; give a function of the same inputs with outputs of the same shapes"
            )


def _returned(function: Callable[..., Any], what: str, inputs: Inputs, name: str) -> list[Tensor]:
    """The floating-point outputs of a function that the user gave."""
    try:
        return [output for output in as_tuple(function(*inputs)) if is_float(output)]
    except Exception as error:
        raise InputError(
            f"{what} raises {type(error).__name__} at the inputs of {name}: "
            f"{' '.join(str(error).split())[:160]}; it must take the same inputs"
        ) from error
