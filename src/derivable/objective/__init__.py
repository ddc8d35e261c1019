"""WHAT is descended: the loss and its gradient at a flat parameter vector."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

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
    "make_ready",
]

Kind = type[ByHand] | type[FeaturesMajor] | type[Fused] | type[Piecewise]

OBJECTIVES: dict[str, Kind] = {
    kind.name: kind for kind in (ByHand, FeaturesMajor, Fused, Piecewise)
}

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
    return fastest_kind(network, loss, x, y, steps=steps)(network, loss, x, y, weight)


def fastest_gradient(
    network: Network, loss: type[Function], x: Tensor, y: Tensor, weight: Tensor | None = None
) -> Objective:
    """The objective that computes one loss and gradient of this network in the least time."""
    return fastest_gradient_kind(network, loss, x, y)(network, loss, x, y, weight)


def fastest_kind(
    network: Network, loss: type[Function], x: Tensor, y: Tensor, *, steps: int
) -> Kind:
    """The class of `fastest`."""
    if steps >= FEW_STEPS and Piecewise.pays(network, loss, x):
        return Piecewise
    return fastest_gradient_kind(network, loss, x, y)


def fastest_gradient_kind(network: Network, loss: type[Function], x: Tensor, y: Tensor) -> Kind:
    """The class of `fastest_gradient`."""
    kinds: list[type[Fused] | type[FeaturesMajor]] = [
        kind for kind in (Fused, FeaturesMajor) if kind.supports(network, loss)
    ]
    if not kinds:
        return ByHand
    return kinds[0] if len(kinds) == 1 else quicker(network, loss, x, y)


def make_ready(objectives: Sequence[Objective], *, curvature: bool) -> None:
    """Load or compile what the objectives need, that for the curvature only where it is wanted."""
    routines = list(chain(*(one.routines(curvature=curvature) for one in objectives)))
    if routines:
        from derivable.compiler import ready

        ready.make_ready(routines)
