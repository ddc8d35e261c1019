"""WHAT is descended: the loss and its gradient at a flat parameter vector."""

from __future__ import annotations

from torch import Tensor

from derivable.function import Function
from derivable.network import Network
from derivable.objective.base import Objective
from derivable.objective.by_hand import ByHand
from derivable.objective.features_major import FeaturesMajor
from derivable.objective.fused import Fused
from derivable.objective.measured import quicker
from derivable.objective.piecewise import Piecewise

__all__ = [
    "OBJECTIVES",
    "ByHand",
    "FeaturesMajor",
    "Fused",
    "Objective",
    "Piecewise",
    "fastest",
    "fastest_gradient",
]

OBJECTIVES = {kind.name: kind for kind in (ByHand, FeaturesMajor, Fused, Piecewise)}

FEW_STEPS = 1000  # fewer are not worth the count of sides with which Piecewise begins


def fastest(
    network: Network,
    loss: type[Function],
    x: Tensor,
    y: Tensor,
    weight: Tensor | None = None,
    *,
    steps: int,
) -> Objective:
    """The objective that takes so many exact steps of this network and loss in the least time."""
    if steps >= FEW_STEPS and Piecewise.pays(network, loss, x):
        return Piecewise(network, loss, x, y, weight)
    return fastest_gradient(network, loss, x, y, weight)


def fastest_gradient(
    network: Network, loss: type[Function], x: Tensor, y: Tensor, weight: Tensor | None = None
) -> Objective:
    """The objective that computes one loss and gradient of this network in the least time."""
    kinds = [kind for kind in (Fused, FeaturesMajor) if kind.supports(network, loss)]
    if not kinds:
        return ByHand(network, loss, x, y, weight)
    kind = kinds[0] if len(kinds) == 1 else quicker(network, loss, x, y)
    return kind(network, loss, x, y, weight)
