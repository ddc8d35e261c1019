"""`Gradients`: the gradients that a student's backward returns, with the true ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from derivable.function.context import Tape
from derivable.labs.draw import Draw
from derivable.labs.questions.compared import copies_of
from derivable.messages import Text

CLOSE = 1e-7  # relative to the largest entry of the true gradient, in float64


@dataclass(frozen=True)
class KnownGradient:
    """A wrong gradient that is often found, and what it means.

    key       as in `Feedback.mistake`
    argument  its position among the inputs of forward, after ctx
    gradient  (grad_output, *inputs) -> the wrong gradient
    why       what is wrong; follows the name of the argument
    """

    key: str
    argument: int
    gradient: Callable[..., Tensor]
    why: Text


@dataclass(frozen=True)
class Convention:
    """Inputs at which several gradients are right, and a remark on those that are not PyTorch's.

    inputs  makes them from a Draw
    what    the remark; it costs no points
    """

    inputs: Callable[[Draw], Sequence[Any]]
    what: Text


@dataclass(frozen=True)
class Gradients:
    """The returned and the true gradient of each input, for one call.

    true  None for inputs without a gradient
    """

    inputs: Sequence[Any]
    grad_output: Tensor
    returned: tuple[Any, ...]
    true: tuple[Tensor | None, ...]

    @property
    def are_right(self) -> bool:
        """Whether all that have a true gradient agree with it."""
        wanted = [i for i, true in enumerate(self.true) if true is not None]
        return all(self.is_close(i, self.true[i]) for i in wanted)

    def none_for(self) -> list[int]:
        """The positions of inputs with a gradient for which None was returned."""
        both = enumerate(zip(self.returned, self.true, strict=False))
        return [i for i, (got, true) in both if got is None and true is not None]

    def booleans_for(self) -> list[int]:
        """The positions of inputs for which the result of a comparison was returned."""
        return [
            i
            for i, got in enumerate(self.returned)
            if isinstance(got, Tensor) and got.dtype == torch.bool
        ]

    def known(self, every: Sequence[KnownGradient]) -> KnownGradient | None:
        """The first known mistake that it is."""
        for one in every:
            if self.is_close(one.argument, one.gradient(self.grad_output, *self.inputs)):
                return one
        return None

    def is_close(self, place: int, expected: Tensor | None) -> bool:
        """Whether this is what was returned for the input at this place."""
        got = self.returned[place] if place < len(self.returned) else None
        if not isinstance(got, Tensor) or expected is None or got.shape != expected.shape:
            return False
        size = max(float(expected.abs().max()) if expected.numel() else 0.0, 1e-300)
        return bool(((got.detach().double() - expected).abs() <= CLOSE * size).all())


def tape_of(inputs: Sequence[Any]) -> Tape:
    """A ctx for these inputs, of which tensors of floating-point numbers need a gradient."""
    return Tape(tuple(isinstance(v, Tensor) and v.is_floating_point() for v in inputs))


def gradients_at(
    function: Any, reference: Callable[..., Tensor], inputs: Sequence[Any], draw: Draw
) -> Gradients:
    """The gradients at these inputs, for a random grad_output; runs the student's code.

    Those that are true are of PyTorch's autograd on the reference. Inputs have one where they are
    of floating-point numbers, unless some of them require grad: then those.
    """
    leaves = list(copies_of(inputs))
    examined = _examined(leaves)
    for place in examined:
        leaves[place].requires_grad_()
    expected = reference(*leaves)
    grad_output = draw.normal(*expected.shape).to(expected.dtype)
    found = torch.autograd.grad(
        expected, [leaves[i] for i in examined], grad_output, allow_unused=True
    )
    true: list[Tensor | None] = [None] * len(leaves)
    for place, gradient in zip(examined, found, strict=True):
        true[place] = gradient
    tape = tape_of(inputs)
    function.forward(tape, *copies_of(inputs))
    returned = function.backward(tape, grad_output.clone())
    several = returned if isinstance(returned, tuple | list) else (returned,)
    return Gradients(copies_of(inputs), grad_output, tuple(several), tuple(true))


def _examined(inputs: Sequence[Any]) -> list[int]:
    tensors = [i for i, v in enumerate(inputs) if isinstance(v, Tensor)]
    chosen = [i for i in tensors if inputs[i].requires_grad]
    return chosen or [i for i in tensors if inputs[i].is_floating_point()]
