"""What the elementwise Functions promise beyond the matrix: kinks, extremes, complex, errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd import gradcheck, gradgradcheck

from derivable import Context, Function
from derivable.errors import DefinitionError, NotATensorError, SettingError
from derivable.function.elementwise import Elementwise
from derivable.functions import (
    ELU,
    GELU,
    SELU,
    Abs,
    Cos,
    Exp,
    Hardswish,
    Hardtanh,
    LeakyReLU,
    Log,
    LogSigmoid,
    Mish,
    ReLU,
    ReLU6,
    Sigmoid,
    SiLU,
    Sin,
    Softplus,
    Softsign,
    Sqrt,
    Square,
    Tanh,
)
from tests.cases.elementwise import ELEMENTWISE

Call = Callable[[Tensor], Tensor]

# Every Function of the group with PyTorch's own; options by keyword, under PyTorch's names.
PAIRS: list[tuple[type[Function], Callable[..., Tensor], dict[str, Any]]] = [
    (Tanh, torch.tanh, {}),
    (ReLU, torch.relu, {}),
    (Sigmoid, torch.sigmoid, {}),
    (LogSigmoid, F.logsigmoid, {}),
    (Softplus, F.softplus, {}),
    (Softplus, F.softplus, {"beta": 2, "threshold": 5}),
    (Softplus, F.softplus, {"beta": -1.5}),
    (Softsign, F.softsign, {}),
    (GELU, F.gelu, {}),
    (GELU, F.gelu, {"approximate": "tanh"}),
    (SiLU, F.silu, {}),
    (Mish, F.mish, {}),
    (LeakyReLU, F.leaky_relu, {}),
    (LeakyReLU, F.leaky_relu, {"negative_slope": -0.3}),
    (ELU, F.elu, {}),
    (ELU, F.elu, {"alpha": 0.7}),
    (SELU, torch.selu, {}),
    (Hardtanh, F.hardtanh, {}),
    (Hardtanh, F.hardtanh, {"min_val": -2, "max_val": 3}),
    (ReLU6, F.relu6, {}),
    (Hardswish, F.hardswish, {}),
    (Exp, torch.exp, {}),
    (Log, torch.log, {}),
    (Sqrt, torch.sqrt, {}),
    (Square, torch.square, {}),
    (Abs, torch.abs, {}),
    (Sin, torch.sin, {}),
    (Cos, torch.cos, {}),
]
# A Function that is new to the group is compared by its first case, with its defaults.
PAIRS += [
    (case.function, case.reference, {})
    for case in ELEMENTWISE
    if not case.label and case.function not in {function for function, _, _ in PAIRS}
]
KINKED = {Abs, Hardswish, Hardtanh, LeakyReLU, ReLU6, SELU}
FLOATS = [torch.float32, torch.float64]

pairs = pytest.mark.parametrize(
    ("function", "reference", "options"),
    PAIRS,
    ids=["-".join([pair[0].__name__, *map(str, pair[2].values())]) for pair in PAIRS],
)
floats = pytest.mark.parametrize("dtype", FLOATS, ids=["float32", "float64"])


def _apart(call: Call, values: list[float], dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Value and gradient at each of `values`, in a tensor of its own.

    PyTorch computes long tensors in another way than the entries left over, and at NaN the two
    give different gradients, so that only single entries can be compared.
    """
    found = []
    for value in values:
        x = torch.tensor(value, dtype=dtype, requires_grad=True)
        output = call(x)
        found.append((output.detach(), torch.autograd.grad(output, x)[0]))
    outputs, gradients = zip(*found, strict=True)
    return torch.stack(outputs), torch.stack(gradients)


def _both(
    function: type[Function], reference: Callable[..., Tensor], options: dict[str, Any]
) -> tuple[Call, Call]:
    return lambda x: function.apply(x, **options), lambda x: reference(x, **options)


# Kinks -------------------------------------------------------------------------------------------


def test_the_functions_with_kinks_declare_them() -> None:
    declared = {f for f, _, _ in PAIRS if issubclass(f, Elementwise) and f.kinks}
    assert declared == KINKED


@floats
@pytest.mark.parametrize("length", [None, 1, 19], ids=["0d", "one", "many"])
@pytest.mark.parametrize(
    ("function", "reference"), [(f, r) for f, r, options in PAIRS if f in KINKED and not options]
)
def test_slope_at_a_kink_is_the_declared_one_and_that_of_pytorch(
    function: type[Elementwise],
    reference: Call,
    length: int | None,
    dtype: torch.dtype,
) -> None:
    for kink in function.kinks:
        x = torch.full([length] if length else [], kink.at, dtype=dtype, requires_grad=True)
        expected = torch.full_like(x, kink.chosen)
        (ours,) = torch.autograd.grad(function.apply(x).sum(), x)
        torch.testing.assert_close(ours, expected)
        if function is Hardswish and torch.__version__ < "2.8":
            continue  # it took the slopes of the inner side, -0.5 and 1.5 (PyTorch issue 147801)
        torch.testing.assert_close(torch.autograd.grad(reference(x).sum(), x)[0], expected)


@pytest.mark.parametrize("function", KINKED, ids=lambda function: function.__name__)
def test_the_slopes_allowed_at_a_kink_are_those_of_its_two_sides(
    function: type[Elementwise],
) -> None:
    for kink in function.kinks:
        x = torch.tensor([kink.at - 1e-9, kink.at + 1e-9], dtype=torch.float64, requires_grad=True)
        (sides,) = torch.autograd.grad(function.apply(x).sum(), x)
        expected = torch.tensor([kink.lowest, kink.highest], dtype=torch.float64)
        torch.testing.assert_close(sides.sort().values, expected, rtol=0, atol=1e-6)
        assert kink.lowest <= kink.chosen <= kink.highest


def test_minus_zero_is_at_the_kink_too() -> None:
    for function in (Abs, LeakyReLU, SELU, ReLU6):
        x = torch.tensor([-0.0, 0.0], requires_grad=True)
        left, right = torch.autograd.grad(function.apply(x).sum(), x)[0].tolist()
        assert left == right


# Values ------------------------------------------------------------------------------------------


@floats
@pairs
def test_value_and_gradient_on_a_grid_equal_those_of_pytorch(
    function: type[Function],
    reference: Callable[..., Tensor],
    options: dict[str, Any],
    dtype: torch.dtype,
) -> None:
    start = 0.013 if function in {Log, Sqrt} else -30
    ours, theirs = _both(function, reference, options)
    x = torch.linspace(start, 30, 1511, dtype=dtype, requires_grad=True)
    for call in (ours, theirs):
        assert call(x).dtype == dtype
    torch.testing.assert_close(ours(x), theirs(x))
    (gradient,) = torch.autograd.grad(ours(x).sum(), x)
    (expected,) = torch.autograd.grad(theirs(x).sum(), x)
    torch.testing.assert_close(gradient, expected)


@floats
@pairs
def test_extremes_give_the_value_and_gradient_of_pytorch(
    function: type[Function],
    reference: Callable[..., Tensor],
    options: dict[str, Any],
    dtype: torch.dtype,
) -> None:
    points = [1e4, -1e4, torch.inf, -torch.inf]
    ours, theirs = _both(function, reference, options)
    value, gradient = _apart(ours, points, dtype)
    expected_value, expected = _apart(theirs, points, dtype)
    torch.testing.assert_close(value, expected_value, equal_nan=True)
    # Where PyTorch's gradient is NaN, ours may be the limit of the slope, and no other number.
    torch.testing.assert_close(
        gradient, torch.where(expected.isnan(), _limits(function), expected), equal_nan=True
    )


def _limits(function: type[Function]) -> Tensor:
    """The slope at the four extremes where PyTorch gives NaN there."""
    if function in {GELU, SiLU, Mish}:
        return torch.tensor([1.0, 0.0, 1.0, 0.0])
    return torch.zeros(4) if function is Softsign else torch.full([4], torch.nan)


@floats
@pairs
def test_nan_propagates(
    function: type[Function],
    reference: Callable[..., Tensor],
    options: dict[str, Any],
    dtype: torch.dtype,
) -> None:
    value, gradient = _apart(_both(function, reference, options)[0], [torch.nan], dtype)
    _, expected = _apart(_both(function, reference, options)[1], [torch.nan], dtype)
    assert value.isnan().all()
    torch.testing.assert_close(gradient, expected, equal_nan=True)


@floats
@pairs
def test_second_derivatives_equal_those_of_pytorch_and_stay_finite(
    function: type[Function],
    reference: Callable[..., Tensor],
    options: dict[str, Any],
    dtype: torch.dtype,
) -> None:
    def second_derivative(call: Call, x: Tensor) -> Tensor:
        return torch.func.vmap(torch.func.grad(torch.func.grad(call)))(x)

    ours, theirs = _both(function, reference, options)
    moderate = torch.linspace(0.113 if function in {Log, Sqrt} else -9.7, 9.9, 301, dtype=dtype)
    torch.testing.assert_close(
        second_derivative(ours, moderate), second_derivative(theirs, moderate)
    )
    if function not in {Exp, Log, Sqrt}:
        far = torch.tensor([-1e30, -1e4, -90.0, 90.0, 1e4, 1e30], dtype=dtype)
        assert second_derivative(ours, far).isfinite().all()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, *FLOATS])
@pairs
def test_slope_has_the_dtype_of_the_input(
    function: type[Function],
    reference: Callable[..., Tensor],
    options: dict[str, Any],
    dtype: torch.dtype,
) -> None:
    for shape in ((), (1,), (3, 5)):
        ctx = Context()
        output = function.forward(ctx, torch.full(shape, 0.4, dtype=dtype), **options)
        gradients = function.backward(ctx, torch.ones_like(output))
        gradient = gradients[0] if isinstance(gradients, tuple) else gradients
        assert (gradient.dtype, gradient.shape) == (dtype, torch.Size(shape))
        assert gradient.isfinite().all()


def _slope(function: type[Function], x: Tensor) -> Tensor:
    x = x.clone().requires_grad_()
    return torch.autograd.grad(function.apply(x).sum(), x)[0]


def test_the_tail_of_gelu_keeps_its_digits() -> None:
    x = torch.tensor([-20.0, -13.0], dtype=torch.float64)
    density = torch.exp(-x * x / 2) / (2 * torch.pi) ** 0.5
    # The probability below x, by the first terms of its asymptotic series.
    below = density / -x * (1 - 1 / x**2 + 3 / x**4 - 15 / x**6)
    torch.testing.assert_close(_slope(GELU, x), below + x * density, rtol=1e-7, atol=0)


def test_the_tail_of_log_sigmoid_keeps_its_digits() -> None:
    x = torch.tensor([40.0, 700.0], dtype=torch.float64)
    torch.testing.assert_close(_slope(LogSigmoid, x), torch.exp(-x), rtol=1e-12, atol=0)


# Complex -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("function", [Exp, Log, Sqrt, Square, Sin, Cos, Sigmoid])
def test_complex_inputs_in_both_modes_and_to_second_order(function: type[Function]) -> None:
    z = torch.randn(5, dtype=torch.complex128, requires_grad=True)
    assert gradcheck(function.apply, z, check_forward_ad=True)
    assert gradgradcheck(function.apply, z)


@pytest.mark.parametrize("function", [Abs, SiLU, Softsign])
def test_complex_inputs_are_refused_where_there_is_no_complex_slope(
    function: type[Function],
) -> None:
    name = function.__name__
    with pytest.raises(SettingError, match=rf"{name}: input must be real, got torch.complex64"):
        function.apply(torch.ones(2, dtype=torch.complex64))


# Errors ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("function", "options", "message"),
    [
        (GELU, {"approximate": "erf"}, r'GELU: approximate must be "none" or "tanh", got \'erf\''),
        (
            Hardtanh,
            {"min_val": 2.0},
            r"Hardtanh: min_val must not be above max_val, got 2.0 and 1.0; exchange them",
        ),
        (Softplus, {"beta": 0}, "Softplus: beta must not be 0, got 0"),
    ],
)
def test_options_without_meaning(
    function: type[Function], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(SettingError, match=message):
        function.apply(torch.ones(2), **options)
    with pytest.raises(SettingError, match=message):
        function.forward(Context(), torch.ones(2), **options)


def test_bounds_that_meet_are_allowed() -> None:
    x = torch.tensor([0.0, 1.0, 2.0], requires_grad=True)
    output = Hardtanh.apply(x, 1.0, 1.0)
    assert output.tolist() == [1, 1, 1]
    assert torch.autograd.grad(output.sum(), x)[0].tolist() == [0, 0, 0]


def test_an_input_that_is_no_tensor() -> None:
    with pytest.raises(NotATensorError, match="Exp: input must be a tensor, got float"):
        Exp.apply(1.0)


def test_an_elementwise_without_slope() -> None:
    with pytest.raises(DefinitionError, match="Halved must define function and slope, both as @st"):

        class Halved(Elementwise):
            @staticmethod
            def function(input: Tensor) -> Tensor:
                return input / 2


def test_an_elementwise_without_function() -> None:
    with pytest.raises(DefinitionError, match="Halved must define function and slope"):

        class Halved(Elementwise):
            @staticmethod
            def slope(input: Tensor) -> Tensor:
                return torch.full_like(input, 0.5)


def test_a_slope_that_is_no_staticmethod() -> None:
    with pytest.raises(DefinitionError, match="both as @staticmethod"):

        class Halved(Elementwise):
            @staticmethod
            def function(input: Tensor) -> Tensor:
                return input / 2

            def slope(self, input: Tensor) -> Tensor:
                return torch.full_like(input, 0.5)


def test_a_slope_that_names_something_unknown() -> None:
    message = r"Scaled.slope names x, speed: expected input, output, .* of function \(factor\)"
    with pytest.raises(DefinitionError, match=message):

        class Scaled(Elementwise):
            @staticmethod
            def function(input: Tensor, factor: float = 2.0) -> Tensor:
                return factor * input

            @staticmethod
            def slope(x: Tensor, speed: float) -> Tensor:
                return torch.full_like(x, speed)


def test_a_slope_that_names_something_unknown_where_there_are_no_options() -> None:
    with pytest.raises(DefinitionError, match=r"Halved.slope names x: .*\(it has no others\)"):

        class Halved(Elementwise):
            @staticmethod
            def function(input: Tensor) -> Tensor:
                return input / 2

            @staticmethod
            def slope(x: Tensor) -> Tensor:
                return torch.full_like(x, 0.5)


def test_an_elementwise_has_an_example_without_writing_one() -> None:
    class Triple(Elementwise):
        @staticmethod
        def function(x: Tensor) -> Tensor:
            return 3 * x

        @staticmethod
        def slope() -> Tensor:
            return torch.tensor(3.0)

    ((x,),) = Triple.examples()
    assert x.requires_grad
    assert gradcheck(Triple.apply, (x,))


def test_a_slope_may_name_input_output_and_options_in_any_order() -> None:
    class Power(Elementwise):
        @staticmethod
        def function(base: Tensor, exponent: float = 2.0) -> Tensor:
            return base**exponent

        @staticmethod
        def slope(exponent: float, output: Tensor, base: Tensor) -> Tensor:
            return exponent * output / base

    x = torch.tensor([0.5, 1.3], dtype=torch.float64, requires_grad=True)
    assert gradcheck(lambda x: Power.apply(x, exponent=3.0), x)
    assert gradgradcheck(lambda x: Power.apply(x), x)
