"""The lab sheet: its loops run unchanged on our Functions, and give its own classes' losses."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.autograd import Function, gradcheck

import derivable


class SheetContext:
    """The sheet's Context: a place for tensors, with nothing checked."""

    saved_tensors: tuple[Tensor, ...] = ()

    def save_for_backward(self, *tensors: Tensor) -> None:
        self.saved_tensors = tensors


class SheetMSE(Function):
    @staticmethod
    def forward(ctx: Any, yhat: Tensor, y: Tensor) -> Tensor:
        ctx.save_for_backward(yhat, y)
        return ((yhat - y) ** 2).mean(0)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Any:
        yhat, y = ctx.saved_tensors
        factor = 2 / yhat.size(0)
        return grad_output * (factor * (yhat - y)), grad_output * (-factor * (yhat - y))


class SheetLinear(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, w: Tensor, b: Tensor) -> Tensor:
        ctx.save_for_backward(x, w, b)
        return torch.mm(x, w) + b

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Any:
        x, w, _ = ctx.saved_tensors
        return torch.mm(grad_output, w.t()), torch.mm(x.t(), grad_output), grad_output.sum(0)


class SheetTanh(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return torch.tanh(x)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Any:
        (x,) = ctx.saved_tensors
        return grad_output * (1 - torch.tanh(x) ** 2)


class SheetReLU(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return torch.relu(x)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Any:
        (x,) = ctx.saved_tensors
        return grad_output * (x > 0).to(x.dtype)


SHEET = SimpleNamespace(
    Context=SheetContext, MSE=SheetMSE, Linear=SheetLinear, Tanh=SheetTanh, ReLU=SheetReLU
)


def linear_loop(names: Any, x: Tensor, y: Tensor, w: Tensor, b: Tensor, steps: int) -> list[float]:
    """The sheet's first training loop, with the sheet's names taken from `names`."""
    losses = []
    for _ in range(steps):
        ctx_linear = names.Context()
        ctx_mse = names.Context()
        yhat = names.Linear.forward(ctx_linear, x, w, b)
        loss = names.MSE.forward(ctx_mse, yhat, y)
        losses.append(loss.item())
        grad_yhat, _ = names.MSE.backward(ctx_mse, torch.tensor(1.0))
        _, grad_w, grad_b = names.Linear.backward(ctx_linear, grad_yhat)
        w = w - 1e-3 * grad_w
        b = b - 1e-3 * grad_b
    return losses


def network_loop(
    names: Any, activation: str, x: Tensor, y: Tensor, weights: list[Tensor], steps: int
) -> list[float]:
    """The sheet's second and third loops: one hidden layer, updated in place."""
    w1, b1, w2, b2 = (weight.clone() for weight in weights)
    act = getattr(names, activation)
    losses = []
    for _ in range(steps):
        ctx_linear1, ctx_act = names.Context(), names.Context()
        ctx_linear2, ctx_mse = names.Context(), names.Context()
        h_pre = names.Linear.forward(ctx_linear1, x, w1, b1)
        h = act.forward(ctx_act, h_pre)
        yhat = names.Linear.forward(ctx_linear2, h, w2, b2)
        loss = names.MSE.forward(ctx_mse, yhat, y)
        losses.append(loss.item())
        grad_yhat, _ = names.MSE.backward(ctx_mse, torch.tensor(1.0))
        grad_h, grad_w2, grad_b2 = names.Linear.backward(ctx_linear2, grad_yhat)
        grad_h_pre = act.backward(ctx_act, grad_h)
        _, grad_w1, grad_b1 = names.Linear.backward(ctx_linear1, grad_h_pre)
        w1 -= 1e-2 * grad_w1
        b1 -= 1e-2 * grad_b1
        w2 -= 1e-2 * grad_w2
        b2 -= 1e-2 * grad_b2
    return losses


@pytest.fixture
def table() -> tuple[Tensor, Tensor]:
    x = torch.randn(211, 8)
    return x, x[:, :1] - 0.5 * x[:, 1:2] ** 2 + 2


def test_the_linear_loop_gives_the_sheets_losses(table: tuple[Tensor, Tensor]) -> None:
    w, b = 0.01 * torch.randn(8, 1), torch.zeros(1, 1)
    expected = linear_loop(SHEET, *table, w, b, 300)
    torch.testing.assert_close(
        linear_loop(derivable, *table, w, b, 300), expected, rtol=1e-6, atol=0
    )
    assert expected[-1] < 0.9 * expected[0]


@pytest.mark.parametrize("activation", ["Tanh", "ReLU"])
@pytest.mark.parametrize("bias", [(1, 10), (10,)], ids=["row bias", "flat bias"])
def test_the_network_loops_give_the_sheets_losses(
    table: tuple[Tensor, Tensor], activation: str, bias: tuple[int, ...]
) -> None:
    w1, w2 = 0.1 * torch.randn(8, 10), 0.1 * torch.randn(10, 1)
    weights = [w1, torch.zeros(1, 10), w2, torch.zeros(1, 1)]
    expected = network_loop(SHEET, activation, *table, weights, 300)
    ours = network_loop(derivable, activation, *table, [w1, torch.zeros(bias), *weights[2:]], 300)
    torch.testing.assert_close(ours, expected, rtol=1e-5, atol=0)
    assert expected[-1] < 0.5 * expected[0]


def test_every_gradcheck_of_the_sheet() -> None:
    def double(*shape: int) -> Tensor:
        return torch.randn(*shape, requires_grad=True, dtype=torch.float64)

    mse, linear = derivable.MSE.apply, derivable.Linear.apply
    tanh, relu = derivable.Tanh.apply, derivable.ReLU.apply
    assert gradcheck(mse, (double(10, 5), double(10, 5)))
    assert gradcheck(linear, (double(13, 5), double(5, 7), double(7)))
    assert gradcheck(tanh, (double(13, 5),))
    assert gradcheck(tanh, double(13, 5))
    assert gradcheck(relu, (double(13, 5),))
