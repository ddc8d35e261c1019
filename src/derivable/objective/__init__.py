"""WHAT is descended: the loss and its gradient at a flat parameter vector."""

from __future__ import annotations

import torch
from torch import Tensor

from derivable.function import Function
from derivable.network import Network
from derivable.objective.base import Objective
from derivable.objective.by_hand import ByHand
from derivable.objective.features_major import FeaturesMajor
from derivable.objective.fused import Fused

__all__ = ["OBJECTIVES", "ByHand", "FeaturesMajor", "Fused", "Objective", "fastest"]

OBJECTIVES = {kind.name: kind for kind in (ByHand, FeaturesMajor, Fused)}


def fastest(network: Network, loss: type[Function], x: Tensor, y: Tensor) -> Objective:
    """The fastest objective that can stand for this network and loss.

    In float64 the fused one is passed over: its tanh does not vectorise there.
    """
    if x.dtype == torch.float32 and Fused.supports(network, loss):
        return Fused(network, loss, x, y)
    if FeaturesMajor.supports(network, loss):
        return FeaturesMajor(network, loss, x, y)
    return ByHand(network, loss, x, y)
