"""The table of cases: one line per Function and kind of input, against PyTorch's own function.

Sizes are distinct primes, so that a transpose or a sum over the wrong axis cannot hide.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from derivable import MSE, Function, Linear, ReLU, Tanh


@dataclass(frozen=True)
class Case:
    """A Function, the shapes of its inputs, and the PyTorch expression that it must equal."""

    name: str
    function: type[Function]
    shapes: tuple[tuple[int, ...], ...]
    reference: Callable[..., Tensor]

    def inputs(self, dtype: torch.dtype = torch.float64) -> list[Tensor]:
        """Seeded signed numbers of the case's shapes that require grad."""
        generator = torch.Generator().manual_seed(11)
        drawn = (torch.randn(shape, generator=generator).to(dtype) for shape in self.shapes)
        return [value.requires_grad_() for value in drawn]


def _mse(yhat: Tensor, y: Tensor) -> Tensor:
    return torch.nn.functional.mse_loss(yhat, y, reduction="none").mean(0)


def _linear(x: Tensor, w: Tensor, b: Tensor) -> Tensor:
    return torch.nn.functional.linear(x, w.t(), b.reshape(-1))


CASES = [
    Case("linear", Linear, ((13, 5), (5, 7), (7,)), _linear),
    Case("linear-row-bias", Linear, ((13, 5), (5, 7), (1, 7)), _linear),
    Case("linear-one-row", Linear, ((5,), (5, 7), (7,)), _linear),
    Case("linear-batches", Linear, ((2, 3, 5), (5, 7), (7,)), _linear),
    Case("linear-empty", Linear, ((0, 5), (5, 7), (7,)), _linear),
    Case("linear-one-output", Linear, ((13, 5), (5, 1), (1, 1)), _linear),
    Case("mse", MSE, ((13, 5), (13, 5)), _mse),
    Case("mse-one-column", MSE, ((13, 1), (13, 1)), _mse),
    Case("mse-vector", MSE, ((13,), (13,)), _mse),
    Case("mse-batches", MSE, ((3, 2, 5), (3, 2, 5)), _mse),
    Case("tanh", Tanh, ((13, 5),), torch.tanh),
    Case("tanh-0d", Tanh, ((),), torch.tanh),
    Case("tanh-empty", Tanh, ((0, 5),), torch.tanh),
    Case("relu", ReLU, ((13, 5),), torch.relu),
    Case("relu-0d", ReLU, ((),), torch.relu),
    Case("relu-empty", ReLU, ((0, 5),), torch.relu),
]
