"""What the fused objective can run: Linear and LayerNorm with activations between them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Self

from derivable.functions import LayerNorm, Linear
from derivable.layer import Layer
from derivable.objective.mlp import Activation
from derivable.problem import Problem
from derivable.row_losses import has_labels

LINEAR, ACTIVATION, NORM = range(3)  # kinds of stages


@dataclass(frozen=True)
class Stage:
    """A layer: its kind, the width of its output, and the eps of a LayerNorm."""

    kind: int
    width: int
    eps: float = 0.0


@dataclass(frozen=True)
class Chain:
    """Stages from `inputs` columns to outputs, and the activations among them, in order."""

    inputs: int
    stages: tuple[Stage, ...]
    activations: tuple[Activation, ...]

    @property
    def sizes(self) -> tuple[int, ...]:
        """The widths from inputs to outputs, one more than there are stages."""
        return (self.inputs, *(stage.width for stage in self.stages))

    @property
    def parameters(self) -> int:
        """How many parameters all stages have."""
        counts = {LINEAR: lambda n, k: (n + 1) * k, NORM: lambda n, k: 2 * k}
        pairs = zip(self.sizes, self.stages, strict=False)
        return sum(counts[s.kind](n, s.width) for n, s in pairs if s.kind in counts)

    @classmethod
    def of(cls, problem: Problem) -> Self | None:
        """The chain of a problem; None if it is none.

        x (N, D) holds floating-point numbers, and y (N, K) too, or it is the labels (N,) of
        CrossEntropy. Between two Linear layers, and between two activations, there is another
        stage; an activation is neither first nor last; a LayerNorm, with weight and bias, is
        anywhere.
        """
        x, y = problem.x, problem.y
        labels = has_labels(problem.loss, y)
        if x.ndim != 2 or not x.is_floating_point() or y.ndim != (1 if labels else 2):
            return None
        width, stages = x.size(1), []
        for layer in problem.network.layers:
            stage = _stage(layer, width)
            if stage is None:
                return None
            stages.append(stage)
            width = stage.width
        kinds = [stage.kind for stage in stages]
        twice = any(a == b != NORM for a, b in pairwise(kinds))
        if twice or LINEAR not in kinds or ACTIVATION in (kinds[0], kinds[-1]):
            return None
        if not labels and not (y.is_floating_point() and y.size(1) == width):
            return None  # targets that a loss of one's own reads in another way
        activations = [
            Activation(layer.function, layer.constants)
            for layer, kind in zip(problem.network.layers, kinds, strict=True)
            if kind == ACTIVATION
        ]
        return cls(x.size(1), tuple(stages), tuple(activations))


def _stage(layer: Layer, width: int) -> Stage | None:
    """The stage of a layer of inputs of that width; None where the pass does not know it."""
    shapes = [tuple(p.shape) for p in layer.parameters()]
    if layer.function is LayerNorm:
        names = set(layer.constants) <= {"normalized_shape", "eps"}
        whole = names and not layer.takes and shapes == [(width,), (width,)]
        return Stage(NORM, width, float(layer.constants.get("eps", 1e-5))) if whole else None
    if layer.function is Linear:
        # a bias of shape (1, H) is none that the pass knows
        fits = len(shapes) == 2 and shapes[0] == (width, *shapes[1]) and len(shapes[1]) == 1
        return Stage(LINEAR, shapes[1][0]) if fits else None
    return Stage(ACTIVATION, width) if layer.is_stateless and not shapes else None
