"""Which method and which objective: what the user named, else the cheapest that is certain."""

from __future__ import annotations

import copy

import torch
from torch import Tensor

from derivable.descent.steps import OPTIMISERS
from derivable.errors import SettingError
from derivable.function import Function
from derivable.function.kernel import straight
from derivable.network import Network
from derivable.objective import (
    OBJECTIVES,
    Fused,
    Objective,
    Piecewise,
    fastest,
    fastest_gradient,
    fastest_gradient_kind,
    fastest_kind,
)
from derivable.objective.ahead import Demand
from derivable.objective.mlp import Mlp

METHODS = ("auto", "steps", "spectral", "flow", *OPTIMISERS, "lbfgs")
FEW_STEPS = 2000  # fewer are taken one by one before a flow has got going


def choose_method(
    network: Network, loss: type[Function], x: Tensor, *, steps: int, named: bool
) -> str:
    """What "auto" stands for; `named` says whether an objective or a batch size is asked for.

    The flow has to certify itself, and hands over to exact steps where it cannot.
    """
    if named:
        return "steps"
    if is_linear(network, loss):
        return "spectral"
    if steps < FEW_STEPS or Piecewise.pays(network, loss, x):
        return "steps"
    # Elsewhere the curvature comes from autograd, and kinks may stop the flow at every one.
    return "flow" if Fused.supports(network, loss) and is_smooth(network) else "steps"


def make_objective(
    method: str,
    objective: str,
    network: Network,
    loss: type[Function],
    x: Tensor,
    y: Tensor,
    weight: Tensor | None,
    steps: int,
) -> Objective:
    """The objective for a method that needs one; raises SettingError if it cannot run."""
    if objective != "fastest":
        return OBJECTIVES[objective](network, loss, x, y, weight)
    if method == "steps":
        return fastest(network, loss, x, y, weight, steps=steps)
    return fastest_gradient(network, loss, x, y, weight)


def demands(
    network: Network, loss: type[Function], x: Tensor, y: Tensor, *, steps: int, method: str
) -> list[Demand]:
    """The compiled code that such a descent needs, as far as another process can compile it."""
    if method == "auto":
        method = choose_method(network, loss, x, steps=steps, named=False)
    if method == "spectral":
        return []
    if method == "steps":
        kind = fastest_kind(network, loss, x, y, steps=steps)
    else:
        kind = fastest_gradient_kind(network, loss, x, y)
    dtypes = [x.dtype, torch.float64] if method == "flow" else [x.dtype]
    found = [Demand.of(kind, network, loss, dtype, curvature=method == "flow") for dtype in dtypes]
    return [demand for demand in found if demand]


def in_float64(
    goal: Objective,
    network: Network,
    loss: type[Function],
    x: Tensor,
    y: Tensor,
    weight: Tensor | None,
) -> Objective:
    """The same objective in float64."""
    if goal.dtype == torch.float64:
        return goal
    twin = copy.deepcopy(network).double()
    weight = None if weight is None else weight.double()
    return fastest_gradient(twin, loss, x.double(), y.double(), weight)


def is_linear(network: Network, loss: type[Function]) -> bool:
    """Whether the loss is quadratic in the parameters: one Linear layer, and MSE."""
    mlp = Mlp.of(network, loss)
    return mlp is not None and not mlp.activations


def is_smooth(network: Network) -> bool:
    """Whether no Function of the network says that it has kinks."""
    for function in (layer.function for layer in network.layers):
        kernel = getattr(function, "kernel", None)
        if getattr(function, "kinks", ()) or (kernel and kernel.curvature is straight):
            return False
    return True


def check_choice(
    method: str, objective: str, batch_size: int | None, network: Network, loss: type[Function]
) -> None:
    """Refuse a method or objective that is unknown, or that does not go with the other settings."""
    if method not in METHODS:
        raise SettingError(f"method must be one of {', '.join(METHODS)}; got {method!r}")
    if objective not in ("fastest", *OBJECTIVES):
        known = ", ".join(["fastest", *OBJECTIVES])
        raise SettingError(f"objective must be one of {known}; got {objective!r}")
    if method == "spectral" and not is_linear(network, loss):
        raise SettingError(
            "method 'spectral' is for a network of one Linear layer and MSE, whose loss is "
            "quadratic; method 'auto' chooses among those that suit this network"
        )
    full_batch = method not in ("auto", "steps", *OPTIMISERS) or objective != "fastest"
    if batch_size is not None and full_batch:
        raise SettingError(
            f"batches go with the methods steps, {', '.join(OPTIMISERS)} and no named "
            f"objective; got method {method!r} and objective {objective!r}"
        )
