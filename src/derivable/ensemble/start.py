"""The networks that a fit begins with: their sizes, activation and first weights."""

from __future__ import annotations

import math
import operator
from typing import Any

import torch

from derivable.ensemble.messages import say
from derivable.errors import SettingError
from derivable.function import Function
from derivable.function.given import shown_function
from derivable.network import ACTIVATIONS, INITIAL_SCALE, Network, flatten

HIDDEN, ACTIVATION, FOLDS = (32,), "relu", 10  # of networks, where nothing else is asked for


def network_for(
    inputs: int, outputs: int, hidden: Any, activation: Any, seed: int, dtype: torch.dtype
) -> Network:
    """The network at the start, with weights of Glorot's size.

    They are those of `Network.mlp`, but larger: the lab's 0.01 lies so near to the saddle at zero
    that a network with several hidden layers takes very long to leave it. Glorot's deviation,
    sqrt(2 / (inputs + outputs)) of each layer, keeps units and gradients of size 1.
    """
    sizes = (inputs, *hidden_sizes(hidden), outputs)
    kind = activation_of(activation)
    with torch.random.fork_rng(devices=[]):  # for an activation that draws, as Dropout does
        torch.manual_seed(seed)
        network = Network.mlp(*sizes, activation=kind, seed=seed, dtype=dtype)
    larger = [
        p.detach() * math.sqrt(2 / sum(p.shape)) / INITIAL_SCALE if p.ndim == 2 else p.detach()
        for p in network.parameters()
    ]
    return network.with_theta(flatten(larger))


def hidden_sizes(hidden: Any) -> tuple[int, ...]:
    """The number of units of each hidden layer."""
    try:
        sizes = tuple(map(operator.index, hidden if hasattr(hidden, "__iter__") else [hidden]))
    except TypeError:
        sizes = (-1,)
    if min(sizes, default=1) < 1:
        raise SettingError(say("hidden", got=hidden))
    return sizes


def activation_of(activation: Any) -> type[Function]:
    """The Function that is meant."""
    if isinstance(activation, type) and issubclass(activation, Function):
        return activation
    if activation not in ACTIVATIONS:
        raise SettingError(
            say("activation", names=sorted(ACTIVATIONS), got=shown_function(activation))
        )
    return ACTIVATIONS[activation]
