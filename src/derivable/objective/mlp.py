"""What the fast objectives can run: Linear layers with activations between them, and a loss."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Self

from derivable.function import Function
from derivable.functions import CrossEntropy, Linear
from derivable.problem import Problem


@dataclass(frozen=True)
class Mlp:
    """A multi-layer perceptron: `sizes` from inputs to outputs, `activations` between them."""

    sizes: tuple[int, ...]
    activations: tuple[type[Function], ...]

    @classmethod
    def of(cls, problem: Problem, losses: Sequence[type[Function]] = ()) -> Self | None:
        """The perceptron of a problem; None if it is none, or the loss none of `losses`, if any.

        x (N, D) holds floating-point numbers, and y (N, K) too, or it is the labels (N,) of
        CrossEntropy; no layer has options.
        """
        network, x, y = problem.network, problem.x, problem.y
        labels = problem.loss is CrossEntropy and not y.is_floating_point()
        if x.ndim != 2 or not x.is_floating_point() or y.ndim != (1 if labels else 2):
            return None
        functions = [layer.function for layer in network.layers]
        if (
            (losses and problem.loss not in losses)
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
        if not labels and not (y.is_floating_point() and y.size(1) == sizes[-1]):
            return None  # targets that a loss of one's own reads in another way
        return cls(sizes, tuple(functions[1::2]))


def no_mlp(who: str, losses: Sequence[type[Function]] = ()) -> str:
    """The reason of a refusal: what `who` can run instead of what it was given."""
    end = f", and {' or '.join(one.__name__ for one in losses)} at the end" if losses else ""
    return (
        f"the {who} objective runs Linear layers with activations between them, without "
        f"options{end}, on x (N, D) and y (N, K) of floating-point numbers, or labels y (N,) of "
        "CrossEntropy; the objective by hand runs any network"
    )
