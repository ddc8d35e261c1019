"""Every Function against PyTorch's own: values, gradients, by hand and under autograd."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.autograd import gradcheck, gradgradcheck

from derivable import MSE, Context, Linear, ReLU, Tanh
from derivable.by_hand import as_tuple
from derivable.errors import NotATensorError, ShapeError
from tests.cases import CASES, Case

all_cases = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
TOLERANCE = {torch.float32: 2e-6, torch.float64: 1e-14}


def cotangent(output: Tensor) -> Tensor:
    """A random signed grad_output, never all ones: ones would hide an ignored grad_output."""
    return torch.randn(output.shape, generator=torch.Generator().manual_seed(5)).to(output.dtype)


def reference_gradients(case: Case, inputs: list[Tensor]) -> tuple[Tensor, tuple[Tensor, ...]]:
    output = case.reference(*inputs)
    return output, torch.autograd.grad(output, inputs, cotangent(output))


@all_cases
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["float32", "float64"])
def test_by_hand_equals_pytorch(case: Case, dtype: torch.dtype) -> None:
    inputs = case.inputs(dtype)
    expected, expected_gradients = reference_gradients(case, inputs)
    ctx = Context()
    with torch.no_grad():
        output = case.function.forward(ctx, *inputs)
        gradients = as_tuple(case.function.backward(ctx, cotangent(output)))
    close = partial(torch.testing.assert_close, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype])
    close(output, expected)
    assert len(gradients) == len(inputs)
    for gradient, expected_gradient in zip(gradients, expected_gradients, strict=True):
        close(gradient, expected_gradient)


@all_cases
def test_apply_equals_pytorch(case: Case) -> None:
    inputs = case.inputs()
    expected, expected_gradients = reference_gradients(case, inputs)
    output = case.function.apply(*inputs)
    gradients = torch.autograd.grad(output, inputs, cotangent(output))
    torch.testing.assert_close(output, expected)
    torch.testing.assert_close(gradients, expected_gradients)


@all_cases
def test_gradcheck_first_and_second_order(case: Case) -> None:
    inputs = case.inputs()
    assert gradcheck(case.function.apply, inputs)
    assert gradgradcheck(case.function.apply, inputs)


@all_cases
def test_shapes_without_data(case: Case) -> None:
    inputs = [value.detach().to("meta") for value in case.inputs()]
    ctx = Context()
    output = case.function.forward(ctx, *inputs)
    gradients = as_tuple(case.function.backward(ctx, torch.empty_like(output)))
    assert [g.shape for g in gradients] == [value.shape for value in inputs]


@all_cases
def test_non_contiguous_inputs(case: Case) -> None:
    plain = [value.detach() for value in case.inputs()]
    strided = [torch.stack([value, value], -1)[..., 0] for value in plain]
    one, other = Context(), Context()
    output = case.function.forward(one, *plain)
    torch.testing.assert_close(case.function.forward(other, *strided), output)
    grad = cotangent(output)
    torch.testing.assert_close(
        case.function.backward(other, grad), case.function.backward(one, grad)
    )


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
