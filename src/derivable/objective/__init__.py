"""The loss of a Problem, its gradient and its Hessian-vector product, as fast as can be."""

from __future__ import annotations

from derivable.objective.base import Objective
from derivable.objective.by_hand import ByHand
from derivable.objective.features_major import FeaturesMajor
from derivable.objective.fused import Fused
from derivable.objective.measured import quicker
from derivable.problem import Problem

__all__ = [
    "OBJECTIVES",
    "ByHand",
    "FeaturesMajor",
    "Fused",
    "Objective",
    "fastest",
]

OBJECTIVES: dict[str, type[Objective]] = {
    kind.name: kind for kind in (ByHand, FeaturesMajor, Fused)
}


def fastest(problem: Problem) -> type[Objective]:
    """The objective that computes one loss and gradient of this problem in the least time."""
    kinds = [kind for kind in (Fused, FeaturesMajor) if kind.supports(problem)]
    if not kinds:
        return ByHand
    return kinds[0] if len(kinds) == 1 else quicker(problem)
