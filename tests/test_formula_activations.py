"""Activations as people write them: compiled and equal to their own tensors, or refused truly."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from derivable import MSE, Context, Elementwise, Function, Network, descend, functions
from derivable.descent.integration import is_smooth
from derivable.formula import Refusal, kernel_of
from derivable.function.kernel import Kernel
from derivable.objective import ByHand, Fused
from derivable.problem import Problem
from tests import activations
from tests.activations import WRITTEN
from tests.problems import problem

COMPILED = [function for function, reason in WRITTEN.items() if reason is None]
DTYPES = pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
ALL = pytest.mark.parametrize("function", COMPILED, ids=lambda kind: kind.__name__)


def kernel(function: type[Function], **constants: Any) -> Kernel:
    found = kernel_of(function, **constants)
    assert isinstance(found, Kernel), found
    return found


def looped(kernel: Kernel, x: Tensor) -> tuple[Tensor, ...]:
    """Value, slope and second derivative of each entry, by a loop compiled with our options."""
    numba = pytest.importorskip("numba")
    import derivable.objective.vector_math  # noqa: F401  gives kernels their compiled meaning
    from derivable.compiler.jit import FAST

    value, slope, second_derivative = (numba.njit(**FAST)(one) for one in kernel[:3])

    @numba.njit(**FAST)  # type: ignore[untyped-decorator]
    def loop(x: Any, results: Any) -> None:
        for i in range(x.size):
            y = value(x[i])
            results[0, i], results[1, i] = y, slope(x[i], y)
            results[2, i] = second_derivative(x[i], y)

    results = np.empty((3, len(x)), x.numpy().dtype)
    loop(x.numpy(), results)
    return tuple(torch.from_numpy(results))


# A detach in its backward, and an operation that autograd cannot differentiate.
NO_SECOND_DERIVATIVE = (activations.ByAutograd, activations.ReLUBySign)


def second_derivative(function: type[Function], x: Tensor) -> Tensor:
    """By autograd through the author's backward."""
    x = x.clone().requires_grad_()
    (slope,) = torch.autograd.grad(function.apply(x * 1).sum(), x, create_graph=True)
    if not slope.requires_grad:
        return torch.zeros_like(x)
    (second,) = torch.autograd.grad(slope.sum(), x, allow_unused=True, materialize_grads=True)
    return second


@DTYPES
@ALL
def test_compiled_it_gives_the_tensors_of_its_author(
    function: type[Function], dtype: torch.dtype
) -> None:
    # away from kinks; beyond 13.1 the slope of SoftplusNaive is 1 in float32
    x = torch.cat([2 * torch.randn(211), torch.tensor([-37.3, -13.1, 1e-5, 13.1])]).to(dtype)
    ctx, grad_output = Context(), torch.randn(len(x), dtype=dtype)
    output = function.forward(ctx, x.clone())
    expected_value = output.clone()
    gradient = function.backward(ctx, grad_output.clone())
    gradient = gradient[0] if isinstance(gradient, tuple) else gradient
    value, slope, traced_second = looped(kernel(function), x)
    second = traced_second
    if function not in NO_SECOND_DERIVATIVE:
        second = second_derivative(function, x.double()).to(dtype)
    for ours, theirs, sensitivity in (
        (value, expected_value, x * slope),
        (grad_output * slope, gradient, grad_output * x * traced_second),
        (traced_second, second, x * traced_second + slope),
    ):
        allowed = 64 * torch.finfo(dtype).eps * (1 + theirs.abs() + sensitivity.abs())
        assert ((ours - theirs).abs() <= allowed).all()


@ALL
def test_far_out_it_is_finite_where_its_author_is(function: type[Function]) -> None:
    x = torch.tensor([-1e4, -100.0, -20.0, 0.0, 20.0, 100.0, 1e4], dtype=torch.float64)
    ctx = Context()
    output = function.forward(ctx, x.clone()).clone()
    gradient = function.backward(ctx, torch.full_like(x, -1.3))
    gradient = gradient[0] if isinstance(gradient, tuple) else gradient
    value, slope, _ = looped(kernel(function), x)
    for ours, theirs in ((value, output), (-1.3 * slope, gradient)):
        seen = theirs.isfinite()
        torch.testing.assert_close(ours[seen], theirs[seen], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    "function", [f for f in WRITTEN if f not in COMPILED], ids=lambda kind: kind.__name__
)
def test_a_refusal_says_what_cannot_be_compiled(function: type[Function]) -> None:
    refusal, reason = kernel_of(function), WRITTEN[function]
    assert isinstance(refusal, Refusal)
    assert reason is not None
    assert re.search(reason, str(refusal)), refusal
    assert kernel_of(function) is refusal


def test_there_are_forty_of_them_and_more() -> None:
    assert len(COMPILED) >= 36
    assert len(WRITTEN) >= 50


COSTLY = re.compile(r"\b(exp|expm1|log|log1p|softplus|tanh|erf|erfc|sin|cos)\(")


@pytest.mark.parametrize(
    "function",
    [activations.Bump, activations.TanhOfInput, activations.TanhOfOutput, activations.ELUByPieces,
     activations.ELUOfConstants, activations.SigmoidByHand, activations.SigmoidInPlace,
     activations.WrongTanh, activations.ByAutograd, functions.ELU, functions.SELU],
    ids=lambda kind: kind.__name__,
)  # fmt: skip
def test_what_forward_computed_is_not_computed_again(function: type[Function]) -> None:
    for rule in kernel(function)[1:3]:
        source = vars(rule)["source"]
        assert not COSTLY.search(source), source


def test_where_the_output_has_lost_digits_the_slope_is_as_it_was_traced() -> None:
    class Large(Elementwise):
        @staticmethod
        def function(input: Tensor) -> Tensor:
            return 1e9 * (torch.exp(input) - 1)

        @staticmethod
        def slope(input: Tensor) -> Tensor:
            return 1e9 * torch.exp(input)

    found = kernel(Large)
    output = found.value(-30.0)
    assert found.slope(-30.0, output) == pytest.approx(1e9 * np.exp(-30.0), rel=1e-12)


def test_it_is_derived_in_inference_mode_too() -> None:
    class Doubled(functions.Square):
        @staticmethod
        def function(input: Tensor) -> Tensor:
            return 2 * torch.square(input)

        @staticmethod
        def slope(input: Tensor) -> Tensor:
            return 4 * input

    with torch.inference_mode():
        assert kernel(Doubled).slope(3.0, 18.0) == 12.0


def test_two_spellings_of_one_formula_share_their_code() -> None:
    one, other = kernel(activations.TanhOfInput), kernel(activations.WrongTanh)
    assert one.value is other.value is kernel(functions.Tanh).value
    assert one == kernel(activations.TanhOfOutput) == kernel(functions.Tanh)
    assert one.slope is not other.slope


def test_constants_are_those_of_forward() -> None:
    assert kernel(functions.LeakyReLU).slopes == (0.01, 1.0)
    assert kernel(functions.LeakyReLU, negative_slope=0.25).slopes == (0.25, 1.0)
    assert kernel(functions.ELU).smooth
    assert not kernel(functions.ELU, alpha=0.7).smooth
    refusal = kernel_of(functions.Hardtanh, min_val=2.0, max_val=1.0)
    assert "min_val must not be above max_val" in str(refusal)


class WrongReLU(Elementwise):
    @staticmethod
    def function(input: Tensor) -> Tensor:
        return input.clamp(min=0)

    @staticmethod
    def slope(input: Tensor) -> Tensor:
        return 2.0 * (input > 0)


@pytest.mark.parametrize(
    ("function", "slopes"),
    [
        (functions.ReLU, (0.0, 1.0)),
        (activations.ReLUByMask, (0.0, 1.0)),
        (activations.ReLUByMaximum, (0.0, 1.0)),
        (activations.ReLUBySign, (0.0, 1.0)),
        (activations.ReLUByClamp, None),  # its slope at 0 is that of the right line
        (activations.LeakyByMaximum, None),
        (WrongReLU, None),  # its slope is not that of its lines
        (functions.Abs, None),  # its slope at 0 is that of neither
        (functions.Hardtanh, None),
        (functions.Square, None),
        (functions.Tanh, None),
    ],
)
def test_two_straight_lines(function: type[Function], slopes: tuple[float, float] | None) -> None:
    assert kernel(function).slopes == slopes


SMOOTH = {"Cos", "ELU", "Exp", "GELU", "Log", "LogSigmoid", "Mish", "Sigmoid", "SiLU", "Sin",
          "Softplus", "Softsign", "Sqrt", "Square", "Tanh"}  # fmt: skip


def test_smooth_are_those_whose_pages_state_no_kinks() -> None:
    for name in functions.elementwise.__all__:
        function = getattr(functions, name)
        stated = not getattr(function, "kinks", ()) and name != "ReLU"
        assert kernel(function).smooth == stated == (name in SMOOTH), name


def test_a_jump_of_the_value_is_not_smooth() -> None:
    class Stairs(Elementwise):
        @staticmethod
        def function(input: Tensor) -> Tensor:
            return torch.floor(input)

        @staticmethod
        def slope(input: Tensor) -> Tensor:
            return torch.zeros_like(input)

    assert not kernel(Stairs).smooth


@pytest.mark.parametrize(
    "function",
    [activations.Bump, activations.TanhOfInput, activations.GELUByErf, activations.SoftplusStable],
    ids=lambda kind: kind.__name__,
)
def test_a_function_of_ones_own_is_fused_and_flows(function: type[Function]) -> None:
    pytest.importorskip("numba")
    network, x, y = problem(3, 7, 2, rows=211, activation=function)
    assert is_smooth(network)
    given = Problem(network, MSE, x, y)
    fused, by_hand, theta = Fused(given), ByHand(given), network.theta
    for ours, theirs in zip(
        fused.value_and_gradient(theta), by_hand.value_and_gradient(theta), strict=True
    ):
        torch.testing.assert_close(ours, theirs, rtol=1e-11, atol=1e-11)
    direction = torch.randn_like(theta)
    ours, theirs = fused.hvp(theta, direction), by_hand.hvp(theta, direction)
    torch.testing.assert_close(ours, theirs, rtol=1e-11, atol=1e-11)
    flow = descend(network, MSE, x, y, lr=1e-3, steps=3000)
    steps = descend(network, MSE, x, y, lr=1e-3, steps=3000, method="steps", objective="by hand")
    assert (flow.method, flow.objective) == ("flow", "fused")
    assert flow.train_loss == pytest.approx(steps.train_loss, rel=1e-3)


def test_a_relu_of_ones_own_is_piecewise() -> None:
    pytest.importorskip("numba")
    network, x, y = problem(3, 5, 1, rows=2003, activation=activations.ReLUByMask)
    fast = descend(network, MSE, x, y, lr=0.01, steps=1500)
    slow = descend(network, MSE, x, y, lr=0.01, steps=1500, method="steps", objective="by hand")
    assert (fast.method, fast.objective) == ("steps", "piecewise")
    torch.testing.assert_close(fast.losses, slow.losses, rtol=1e-9, atol=0)


def test_the_fused_objective_says_why_it_cannot_run() -> None:
    softmax = Problem(*problem_of(activations.Softmax))
    assert "`softmax` is not pointwise" in Fused.refusal(softmax)
    assert Fused.refusal(Problem(*problem_of(functions.Tanh))) == ""


def problem_of(activation: type[Function]) -> tuple[Network, type[Function], Tensor, Tensor]:
    network, x, y = problem(3, 5, 1, rows=20, activation=activation)
    return network, MSE, x, y
