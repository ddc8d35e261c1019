"""What single Functions promise beyond the matrix: kinks, extremes, and their errors."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from derivable import MSE, Context, Linear, ReLU, Tanh
from derivable.errors import NotATensorError, ShapeError


def test_relu_slope_at_the_kink_is_zero() -> None:
    x = torch.tensor([-1.0, -0.0, 0.0, 1e-30, 1.0])
    ctx = Context()
    ReLU.forward(ctx, x)
    assert ReLU.backward(ctx, torch.full_like(x, 3.0)).tolist() == [0, 0, 0, 3, 3]


def test_relu_keeps_an_infinite_gradient_out_of_its_flat_side() -> None:
    ctx = Context()
    ReLU.forward(ctx, torch.tensor([-1.0, 1.0]))
    gradient = ReLU.backward(ctx, torch.tensor([torch.inf, torch.inf]))
    assert gradient.tolist() == [0, torch.inf]


def test_tanh_of_large_values_is_one_with_slope_zero() -> None:
    ctx = Context()
    output = Tanh.forward(ctx, torch.tensor([-1e30, 1e30]))
    assert output.tolist() == [-1, 1]
    assert Tanh.backward(ctx, torch.ones(2)).tolist() == [0, 0]


def test_tanh_saves_its_output() -> None:
    ctx = Context()
    output = Tanh.forward(ctx, torch.randn(3))
    assert ctx.saved_tensors[0] is output


def test_mse_averages_over_the_batch_only() -> None:
    yhat, y = torch.tensor([[1.0, 5.0], [3.0, 5.0]]), torch.tensor([[0.0, 1.0], [0.0, 3.0]])
    assert MSE.forward(Context(), yhat, y).tolist() == [5, 10]


def test_gradcheck_of_complex_numbers() -> None:
    def make(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, dtype=torch.complex128, requires_grad=True)

    assert torch.autograd.gradcheck(Linear.apply, (make(3, 5), make(5, 2), make(2)))
    assert torch.autograd.gradcheck(MSE.apply, (make(3, 2), make(3, 2)))
    assert torch.autograd.gradcheck(Tanh.apply, (make(3, 2),))


@pytest.mark.parametrize(
    ("function", "shapes", "message"),
    [
        (
            Linear,
            [(13, 4), (5, 7), (7,)],
            r"Linear: x must have 5 columns to meet w of shape \(5, 7\), got \(13, 4\)",
        ),
        (Linear, [(), (5, 7), (7,)], r"Linear: x must have 5 columns .*, got \(\)"),
        (Linear, [(13, 5), (5,), (7,)], r"Linear: w must have shape \(in, out\), got \(5,\)"),
        (
            Linear,
            [(13, 5), (5, 7), (5,)],
            r"Linear: b must have shape \(7,\) or \(1, 7\) .*\(5, 7\), got \(5,\)",
        ),
        (Linear, [(13, 5), (5, 7), (1,)], r"Linear: b must have .* got \(1,\)"),
        (
            MSE,
            [(13, 1), (13,)],
            r"MSE: y must have the shape of yhat, \(13, 1\), got \(13,\); reshape",
        ),
        (MSE, [(), ()], r"MSE: yhat must have a batch dimension, got \(\)"),
    ],
)
@pytest.mark.parametrize("way", ["by hand", "apply"])
def test_wrong_shapes_name_function_argument_and_both_shapes(
    function: Any, shapes: list[tuple[int, ...]], message: str, way: str
) -> None:
    inputs = [torch.randn(shape) for shape in shapes]
    with pytest.raises(ShapeError, match=message):
        function.apply(*inputs) if way == "apply" else function.forward(Context(), *inputs)


@pytest.mark.parametrize(
    ("function", "inputs", "message"),
    [
        (Tanh, (3.0,), r"Tanh: x must be a tensor, got float; torch.as_tensor\(x\) makes one"),
        (ReLU, ([1.0],), "ReLU: x must be a tensor, got list"),
        (Linear, (torch.ones(2, 3), None, torch.ones(1)), "Linear: w must be a tensor"),
        (MSE, (torch.ones(2), 2), "MSE: y must be a tensor, got int"),
    ],
)
def test_arguments_that_are_no_tensors(
    function: Any, inputs: tuple[Any, ...], message: str
) -> None:
    with pytest.raises(NotATensorError, match=message):
        function.forward(Context(), *inputs)
