"""What the fast objectives can run: Linear layers with activations between them, and a loss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Self

from derivable.formula import Refusal, kernel_of
from derivable.function import Function
from derivable.function.kernel import Kernel
from derivable.functions import Linear
from derivable.layer import Layer
from derivable.loss import Loss
from derivable.messages import joined
from derivable.objective.messages import say
from derivable.problem import Problem
from derivable.row_losses import has_labels


@dataclass(frozen=True)
class Activation:
    """A Function with its options, such as ELU with alpha=0.5."""

    function: type[Function]
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def kernel(self) -> Kernel | Refusal:
        """Its kernel, derived with the options as constants."""
        return kernel_of(self.function, **self.options)


@dataclass(frozen=True)
class Mlp:
    """A multi-layer perceptron: `sizes` from inputs to outputs, `activations` between them."""

    sizes: tuple[int, ...]
    activations: tuple[Activation, ...]

    @classmethod
    def of(cls, problem: Problem, losses: Sequence[type[Function]] = ()) -> Self | None:
        """The perceptron of a problem; None if it is none, or the loss none of `losses`, if any.

        x (N, D) holds floating-point numbers, and y (N, K) too, or it is the labels (N,) of
        CrossEntropy; activations may have options.
        """
        network, x, y = problem.network, problem.x, problem.y
        labels = has_labels(problem.loss, y)
        if x.ndim != 2 or not x.is_floating_point() or y.ndim != (1 if labels else 2):
            return None
        functions = [layer.function for layer in network.layers]
        if (
            (losses and Loss.of(problem.loss).function not in losses)
            or len(functions) % 2 == 0
            or not all(layer.is_plain for layer in network.layers[::2])
            or any(function is not Linear for function in functions[::2])
            or not all(_is_activation(layer) for layer in network.layers[1::2])
        ):
            return None
        shapes = [tuple(p.shape) for p in network.parameters()]
        sizes = (shapes[0][0], *(shape[-1] for shape in shapes[1::2]))
        if shapes != [shape for pair in pairwise(sizes) for shape in (pair, pair[1:])]:
            return None  # a bias of shape (1, H)
        if not labels and not (y.is_floating_point() and y.size(1) == sizes[-1]):
            return None  # targets that a loss of one's own reads in another way
        activations = (Activation(one.function, one.constants) for one in network.layers[1::2])
        return cls(sizes, tuple(activations))


def _is_activation(layer: Layer) -> bool:
    """Whether it is given x, and nothing else but constants."""
    return layer.is_stateless and not list(layer.parameters())


def no_mlp(who: str, losses: Sequence[type[Function]] = ()) -> str:
    """The reason of a refusal: what `who` can run instead of what it was given."""
    names = joined((one.__name__ for one in losses), say("or"))
    return say("perceptron", name=who, end=say("at_the_end", losses=names) if losses else "")
