"""Kernels: as plain Python and compiled, against their Functions and autograd."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from derivable import Function, functions
from derivable.formula import kernel_of
from derivable.function import kernel as kernel_module
from derivable.function.kernel import Kernel, exp, like, tanh
from derivable.functions import elementwise

ACTIVATIONS: dict[type[Function], Kernel] = {
    function: kernel
    for name in elementwise.__all__
    if isinstance(kernel := kernel_of(function := getattr(elementwise, name)), Kernel)
}
ALL = pytest.mark.parametrize("activation", ACTIVATIONS, ids=lambda kind: kind.__name__)
DTYPES = pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)

# Away from kinks, small and large, of both signs; 37 is as large as it gets before exp(-x) is lost.
PLACES = [s * x for s in (-1, 1) for x in (1e-9, 3e-4, 0.11, 0.53, 0.97, 1.9, 4.7, 7.3, 13.0, 37.0)]


def places(activation: type[Function]) -> list[float]:
    """Those where it is defined."""
    return [x for x in PLACES if x > 0 or activation not in (functions.Log, functions.Sqrt)]


def derivatives(activation: type[Function], x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Value, slope and second derivative at each entry of x, by the Function and autograd."""
    x = x.clone().requires_grad_()
    value = activation.apply(x)
    (slope,) = torch.autograd.grad(value.sum(), x, create_graph=True)
    if not slope.requires_grad:
        return value.detach(), slope, torch.zeros_like(x)
    (second_derivative,) = torch.autograd.grad(
        slope.sum(), x, allow_unused=True, materialize_grads=True
    )
    return value.detach(), slope.detach(), second_derivative


def compiled(kernel: Kernel, z: Tensor, grad: Tensor, dz: Tensor, dgrad: Tensor) -> list[Tensor]:
    """The results of the loops: y, the gradient of z, dy, and the derivative of the gradient.

    They are called as C functions are, on tensors.
    """
    from derivable.objective import activation

    loops = activation.loops(kernel, z.numpy().dtype)

    def run(place: int, *tensors: Tensor, rows: int | None = None) -> None:
        loop = loops[place].ctypes
        pointers = [tensor.numpy().ctypes.data_as(loop.argtypes[-1]) for tensor in tensors]
        loop(z.numel(), *([] if rows is None else [rows]), *pointers)

    y, gradient, dy = torch.empty_like(z), z.clone(), torch.empty_like(z)
    both, dboth = z.clone(), dz.clone()
    run(activation.ACTIVATE, z, y)
    run(activation.VJP, gradient, y, grad)
    run(activation.JVP, z, y, dz, dy)
    run(activation.VJP_TANGENT, both, y, grad, dboth, dgrad)
    torch.testing.assert_close(both, gradient, equal_nan=True)
    for rows in (1, len(z)):  # many units and one
        w = torch.linspace(0.3, 2, len(z) // rows, dtype=z.dtype)
        expected, ours = z.clone(), z.clone()
        run(activation.VJP, expected, y, (w.view(-1, 1) * grad[:rows]).flatten())
        run(activation.VJP_ONE_OUTPUT, ours, y, grad[:rows].clone(), w, rows=rows)
        torch.testing.assert_close(ours, expected, equal_nan=True)
    return [y, gradient, dy, dboth]


def test_every_elementwise_function_of_the_library_has_one() -> None:
    assert {function.__name__ for function in ACTIVATIONS} == set(elementwise.__all__)


@ALL
def test_as_plain_python(activation: type[Function]) -> None:
    kernel = ACTIVATIONS[activation]
    x = torch.tensor(places(activation), dtype=torch.float64)
    outputs = [kernel.value(place) for place in places(activation)]
    slopes = [kernel.slope(*pair) for pair in zip(places(activation), outputs, strict=True)]
    second_derivatives = [
        kernel.second_derivative(*pair) for pair in zip(places(activation), outputs, strict=True)
    ]
    for ours, expected in zip(
        (outputs, slopes, second_derivatives), derivatives(activation, x), strict=True
    ):
        torch.testing.assert_close(
            torch.tensor(ours, dtype=torch.float64), expected, rtol=1e-12, atol=1e-15
        )


@ALL
def test_plain_python_keeps_the_type_of_a_number(activation: type[Function]) -> None:
    kernel = ACTIVATIONS[activation]
    for x in map(np.float32, places(activation)):
        output = kernel.value(x)
        assert type(output) is type(kernel.slope(x, output)) is np.float32
        assert type(kernel.second_derivative(x, output)) is np.float32


@pytest.mark.parametrize("number", [float, np.float32])
def test_what_kernels_are_made_of_as_plain_python(number: type[Any]) -> None:
    half, close = number(0.5), 1e-15 if number is float else 2e-7
    expected: dict[str, float] = {
        "sqrt": math.sqrt(0.5), "exp": math.exp(0.5), "expm1": math.expm1(0.5),
        "log": math.log(0.5), "log1p": math.log1p(0.5), "softplus": math.log(1 + math.exp(0.5)),
        "tanh": math.tanh(0.5), "erf": math.erf(0.5), "erfc": math.erfc(0.5),
        "sin": math.sin(0.5), "cos": math.cos(0.5), "atan": math.atan(0.5), "floor": 0.0,
    }  # fmt: skip
    assert {*expected, "like", "where", "power"} == {*kernel_module.VOCABULARY}
    found = {name: getattr(kernel_module, name)(half) for name in expected}
    found |= {"power": kernel_module.power(half, number(3)), "like": like(half, 0.1)}
    found |= {"where": kernel_module.where(half > 0, half, -half)}
    assert {type(one) for one in found.values()} == {number}
    assert found == pytest.approx(expected | {"power": 0.125, "like": 0.1, "where": 0.5}, close)


@ALL
def test_the_straight_ones_say_their_slopes(activation: type[Function]) -> None:
    kernel = ACTIVATIONS[activation]
    if kernel.slopes is None:
        return
    for x in PLACES:
        slope = kernel.slopes[x > 0]
        assert kernel.value(x) == slope * x
        assert kernel.slope(x, slope * x) == slope
    assert kernel.slope(0.0, 0.0) == kernel.slopes[0]  # piecewise takes the left side at 0


@DTYPES
@ALL
def test_compiled(activation: type[Function], dtype: torch.dtype) -> None:
    kernel = ACTIVATIONS[activation]
    x = torch.cat([torch.tensor(PLACES), torch.linspace(-11.003, 11.007, 501)]).to(dtype)
    x = x[x > 0] if len(places(activation)) < len(PLACES) else x
    grad, dz, dgrad = torch.randn(3, len(x), dtype=dtype)
    ours = compiled(kernel, x, grad, dz, dgrad)
    value, slope, second_derivative = derivatives(activation, x.double())
    expected = value, grad * slope, slope * dz, dgrad * slope + grad * second_derivative * dz
    close = 40 * torch.finfo(dtype).eps  # tanh is within 7 ulps, and grad, dz are of size 3
    for one, other in zip(ours, expected, strict=True):
        torch.testing.assert_close(one.double(), other, rtol=close, atol=close)


@DTYPES
@ALL
def test_nan_stays_nan(activation: type[Function], dtype: torch.dtype) -> None:
    x = torch.tensor([1.0, torch.nan] * 20, dtype=dtype)  # more than one vector of numbers
    grad, dz, dgrad = torch.randn(3, len(x), dtype=dtype)
    y, *_ = compiled(ACTIVATIONS[activation], x, grad, dz, dgrad)
    assert torch.equal(y.isnan(), x.isnan())


@DTYPES
@ALL
def test_infinity(activation: type[Function], dtype: torch.dtype) -> None:
    x = torch.tensor([torch.inf, 1e30] * 20, dtype=dtype)
    one = torch.ones_like(x)
    y, slope, *_ = compiled(ACTIVATIONS[activation], x, one, one, one)
    if activation is functions.Softsign:
        assert y[0].isnan()  # inf / (1 + inf), as in PyTorch
        return
    if activation in (functions.Sin, functions.Cos):
        assert y.isnan().all()  # rather than a number without a right digit
        return
    expected, expected_slope, _ = derivatives(activation, x)
    if activation is functions.GELU and dtype == torch.float32:
        expected[0::2] = torch.inf  # PyTorch's is NaN
    torch.testing.assert_close(y, expected)
    torch.testing.assert_close(slope[1::2], expected_slope[1::2])


def ulps(ours: Tensor, exact: Tensor) -> float:
    """The largest error of `ours`, as a multiple of the distance between numbers there."""
    near = exact.to(ours.dtype)
    gap = torch.nextafter(near.abs(), torch.full_like(near, torch.inf)) - near.abs()
    return float(((ours.double() - exact) / gap.double()).abs().max())


def applied(function: Callable[[Any], Any], x: Tensor) -> Tensor:
    """Exp or tanh of kernels, compiled."""
    zero = torch.zeros_like(x)
    kernel = Kernel(function, _one, _one)
    return compiled(kernel, x, zero, zero, zero)[0]


def _one(x: Any, output: Any) -> Any:
    return like(x, 1)


def test_exp_and_tanh_are_accurate_to_a_few_ulps() -> None:
    wide = torch.cat([torch.linspace(-86.9, 86.9, 40_001), torch.logspace(-30, 0, 2001)])
    narrow = torch.cat([torch.linspace(-12, 12, 20_001), torch.logspace(-30, 2, 2001)])
    assert ulps(applied(exp, wide), torch.exp(wide.double())) <= 2
    assert ulps(applied(tanh, narrow), torch.tanh(narrow.double())) <= 7
    wide, narrow = 8 * wide.double(), 2 * narrow.double()
    assert ulps(applied(exp, wide), torch.exp(wide)) <= 3  # PyTorch's own is one off
    assert ulps(applied(tanh, narrow), torch.tanh(narrow)) <= 4


@DTYPES
def test_exp_and_tanh_of_numbers_that_are_not_finite(dtype: torch.dtype) -> None:
    x = torch.tensor([-math.inf, math.inf, math.nan, 0.0, -0.0], dtype=dtype)
    torch.testing.assert_close(applied(tanh, x)[:2], torch.tensor([-1, 1], dtype=dtype))
    assert applied(exp, x)[3:].tolist() == [1, 1]
    low, high = applied(exp, x)[:2]
    assert 0 <= low < 2e-38  # the smallest of the normal numbers
    assert high == torch.inf
    assert applied(tanh, x)[2].isnan()
    assert applied(exp, x)[2].isnan()
