"""Networks and tables for the tests of objectives and of ways down."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from derivable import Function, Network, Tanh

Given = tuple[Network, Tensor, Tensor]


class Length(Function):
    """A loss that is no sum over rows or entries, so that no fast objective can run it."""

    @staticmethod
    def forward(ctx: Any, yhat: Tensor, y: Tensor) -> Tensor:
        ctx.save_for_backward(yhat, y)
        return (yhat - y).norm()

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor, None]:
        yhat, y = ctx.saved_tensors
        return grad_output * (yhat - y) / (yhat - y).norm(), None


def problem(
    *sizes: int,
    rows: int,
    activation: type[Function] = Tanh,
    dtype: torch.dtype = torch.float64,
    seed: int = 0,
) -> Given:
    """A network of those sizes with weights of size 1, and a table with a smooth target."""
    generator = torch.Generator().manual_seed(seed)
    network = Network.mlp(*sizes, activation=activation, dtype=dtype)
    theta = torch.randn(network.theta.shape, generator=generator, dtype=torch.float64)
    x = torch.randn(rows, sizes[0], generator=generator, dtype=torch.float64)
    mix = torch.randn(sizes[0], sizes[-1], generator=generator, dtype=torch.float64)
    noise = torch.randn(rows, sizes[-1], generator=generator, dtype=torch.float64)
    y = torch.sin(x @ mix) + 0.1 * noise
    return network.with_theta(0.7 * theta), x.to(dtype), y.to(dtype)


def doubled(network: Network, x: Tensor, y: Tensor) -> Given:
    """The same in float64."""
    twin = Network(network.layers).with_theta(network.theta).double()
    return twin, x.double(), y.double()
