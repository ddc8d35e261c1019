"""What the fast objectives can run: Linear layers with activations between them, and a loss."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Self

from derivable.function import Function
from derivable.functions import MSE, Linear
from derivable.problem import Problem


@dataclass(frozen=True)
class Mlp:
    """A multi-layer perceptron: `sizes` from inputs to outputs, `activations` between them."""

    sizes: tuple[int, ...]
    activations: tuple[type[Function], ...]

    @classmethod
    def of(cls, problem: Problem, losses: Sequence[type[Function]] = (MSE,)) -> Self | None:
        """The perceptron of a problem; None if it is none, or the loss none of `losses`.

        x (N, D) and y (N, K) are floating-point numbers, and no layer has options.
        """
        network = problem.network
        if not all(
            table.ndim == 2 and table.is_floating_point() for table in (problem.x, problem.y)
        ):
            return None
        functions = [layer.function for layer in network.layers]
        if (
            problem.loss not in losses
            or len(functions) % 2 == 0
            or not all(layer.is_plain for layer in network.layers)
            or any(function is not Linear for function in functions[::2])
            or any(list(layer.parameters()) for layer in network.layers[1::2])
        ):
            return None
        shapes = [tuple(p.shape) for p in network.parameters()]
        sizes = (shapes[0][0], *(shape[-1] for shape in shapes[1::2]))
        if shapes != [shape for pair in pairwise(sizes) for shape in (pair, pair[1:])]:
            return None  # a bias of shape (1, H)
        return cls(sizes, tuple(functions[1::2]))


def no_mlp(who: str, losses: Sequence[type[Function]] = (MSE,)) -> str:
    """The reason of a refusal: what `who` can run instead of what it was given."""
    return (
        f"the {who} objective runs Linear layers with activations between them, without options, "
        f"and {' or '.join(one.__name__ for one in losses)} at the end, on x (N, D) and y (N, K) "
        "of floating-point numbers; the objective by hand runs any network"
    )
