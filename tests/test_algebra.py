"""What algebra and linear algebra promise beyond the matrix: kinks, extremes, errors."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from derivable import Context, Function
from derivable.errors import DataError, DerivableError, NotATensorError, SettingError, ShapeError
from derivable.functions import (
    Add,
    Cholesky,
    Divide,
    Inverse,
    LogDet,
    LogSoftmax,
    LogSumExp,
    MatMul,
    Max,
    Mean,
    Multiply,
    Norm,
    Power,
    Softmax,
    Solve,
    Subtract,
    Sum,
)

INF = math.inf


def gradient(apply: Callable[..., Tensor], *inputs: Any, grad_output: Any = None) -> Tensor:
    """The gradient of the first input, of the sum of the outputs or weighted by `grad_output`."""
    first = inputs[0].detach().clone().requires_grad_()
    output = apply(first, *inputs[1:])
    weights = torch.ones_like(output) if grad_output is None else grad_output
    (found,) = torch.autograd.grad(output, first, weights)
    return found


# Broadcasting and promotion -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("function", "reference"),
    [
        (Add, torch.add),
        (Subtract, torch.sub),
        (Multiply, torch.mul),
        (Divide, torch.div),
        (Power, torch.pow),
    ],
)
@pytest.mark.parametrize(
    ("dtypes", "shapes"),
    [
        ((torch.float32, torch.float64), ((5, 1), (2, 1, 3))),
        ((torch.float64, torch.float32), ((), (3,))),
        ((torch.float64, torch.complex128), ((3,), (2, 1))),
        ((torch.complex64, torch.float32), ((1, 1), (3,))),
    ],
)
def test_each_gradient_has_the_shape_and_dtype_of_its_operand(
    function: type[Function], reference: Any, dtypes: Any, shapes: Any
) -> None:
    operands = [
        (torch.rand(shape, dtype=dtype) + 0.5).requires_grad_()
        for shape, dtype in zip(shapes, dtypes, strict=True)
    ]
    output, expected = function.apply(*operands), reference(*operands)
    torch.testing.assert_close(output, expected)
    grad_output = torch.randn_like(expected)
    ours = torch.autograd.grad(output, operands, grad_output)
    theirs = torch.autograd.grad(expected, operands, grad_output)
    for mine, other, operand in zip(ours, theirs, operands, strict=True):
        assert mine.shape == operand.shape
        assert mine.dtype == operand.dtype
        torch.testing.assert_close(mine, other)


def test_an_operand_without_gradient_costs_none() -> None:
    ctx = Context()
    Multiply.forward(ctx, torch.ones(3, dtype=torch.int64), torch.ones(3))
    grad_input, grad_other = Multiply.backward(ctx, torch.ones(3))
    assert grad_input is None
    assert grad_other is not None
    assert grad_other.tolist() == [1, 1, 1]


def test_a_repeated_entry_gets_the_sum_of_its_copies() -> None:
    grad_row = gradient(Add.apply, torch.zeros(1, 3), torch.zeros(5, 3), 2)
    assert grad_row.tolist() == [[5, 5, 5]]
    grad_column = gradient(lambda b: Subtract.apply(torch.zeros(5, 3), b, 2), torch.zeros(5, 1))
    assert grad_column.tolist() == [[-6]] * 5


def test_one_matrix_for_a_batch_is_multiplied_without_a_copy_per_batch() -> None:
    left, right = torch.randn(2, 7, 5, 3), torch.randn(3, 2)
    grad_output = torch.randn(2, 7, 5, 2)
    found = gradient(lambda b: MatMul.apply(left, b), right, grad_output=grad_output)
    torch.testing.assert_close(found, torch.einsum("abnk,abnh->kh", left, grad_output))


@pytest.mark.parametrize("shapes", [((2, 5, 3), (2, 3, 7)), ((5, 3), (2, 3, 7)), ((3,), (2, 3, 7))])
def test_matrices_of_a_batch_get_a_gradient_each(shapes: Any) -> None:
    left, right = (torch.randn(shape, dtype=torch.float64) for shape in shapes)
    grad_output = torch.randn_like(left @ right)
    found = gradient(lambda b: MatMul.apply(left, b), right, grad_output=grad_output)
    theirs = gradient(lambda b: left @ b, right, grad_output=grad_output)
    torch.testing.assert_close(found, theirs)


def test_the_exponents_of_a_number_have_a_gradient() -> None:
    exponent = torch.randn(5, 3, dtype=torch.float64)
    grad_output = torch.randn(5, 3, dtype=torch.float64)
    found = gradient(lambda b: Power.apply(1.7, b), exponent, grad_output=grad_output)
    torch.testing.assert_close(found, grad_output * 1.7**exponent * math.log(1.7))


# Kinks and extremes -------------------------------------------------------------------------------


def test_max_shares_the_gradient_of_a_tie_evenly() -> None:
    x = torch.tensor([[2.0, 1.0, 2.0, 2.0], [0.0, 5.0, -1.0, 5.0]])
    assert gradient(Max.apply, x, 1, grad_output=torch.tensor([6.0, 4.0])).tolist() == [
        [2, 0, 2, 2],
        [0, 2, 0, 2],
    ]
    torch.testing.assert_close(gradient(Max.apply, x), gradient(torch.amax, x, (0, 1)))


def test_max_keeps_an_infinite_gradient_out_of_the_smaller_entries() -> None:
    found = gradient(Max.apply, torch.tensor([1.0, 2.0]), grad_output=torch.tensor(INF))
    assert found.tolist() == [0, INF]


def test_max_of_nan_is_nan_with_gradient_nan_as_in_amax() -> None:
    x = torch.tensor([1.0, math.nan])
    assert Max.apply(x).isnan()
    torch.testing.assert_close(gradient(Max.apply, x), gradient(torch.amax, x), equal_nan=True)


@pytest.mark.parametrize("p", [1, 1.5, 2, 3.0, INF])
def test_norm_has_gradient_zero_at_the_zero_vector_in_every_order(p: float) -> None:
    x = torch.tensor([[0.0, 0.0], [3.0, -4.0]], dtype=torch.float64)
    expected = gradient(torch.linalg.vector_norm, x, p, 1)
    torch.testing.assert_close(gradient(Norm.apply, x, p, 1), expected)
    zeros = torch.zeros(3, requires_grad=True)
    (first,) = torch.autograd.grad(Norm.apply(zeros, p), zeros, create_graph=True)
    second = torch.autograd.grad(first.sum(), zeros)[0] if first.requires_grad else zeros
    # + 0: PyTorch's second derivative of sgn is a tensor of zeros without any memory behind it.
    assert first.tolist() == (second + 0).tolist() == [0, 0, 0]


def test_norm_with_p_1_and_inf_at_their_kinks() -> None:
    assert gradient(Norm.apply, torch.tensor([0.0, -2.0, 3.0]), 1).tolist() == [0, -1, 1]
    assert gradient(Norm.apply, torch.tensor([-3.0, 1.0, 3.0]), INF).tolist() == [-0.5, 0, 0.5]


@pytest.mark.parametrize("p", [1.5, 3.0])
def test_norm_of_large_numbers_has_a_finite_gradient(p: float) -> None:
    x = torch.tensor([3e60, -4e60, 0.0], dtype=torch.float64)
    unit = x / 1e60
    torch.testing.assert_close(gradient(Norm.apply, x, p), gradient(Norm.apply, unit, p))


ROWS = torch.tensor(
    [[-INF, -INF, -INF], [1.0, -INF, 2.0], [1e4, -1e4, 0.0], [INF, 1.0, -INF]],
    dtype=torch.float64,
)


@pytest.mark.parametrize(
    ("function", "reference"),
    [
        (LogSumExp, torch.logsumexp),
        (Softmax, torch.softmax),
        (LogSoftmax, torch.log_softmax),
    ],
)
@pytest.mark.parametrize("row", range(len(ROWS)))
def test_infinite_entries_and_rows_give_what_pytorch_gives(
    function: type[Function], reference: Any, row: int
) -> None:
    x = ROWS[row]
    torch.testing.assert_close(function.apply(x, 0), reference(x, 0), equal_nan=True)
    weights = torch.tensor([0.3, -1.7, 0.9], dtype=torch.float64)
    weights = weights[0] if function is LogSumExp else weights
    torch.testing.assert_close(
        gradient(function.apply, x, 0, grad_output=weights),
        gradient(reference, x, 0, grad_output=weights),
        equal_nan=True,
    )


def test_an_entry_of_minus_infinity_has_gradient_zero() -> None:
    x = torch.tensor([1.0, -INF, 1.0])
    assert gradient(LogSumExp.apply, x, 0).tolist() == [0.5, 0, 0.5]
    assert gradient(Softmax.apply, x, 0).tolist() == [0, 0, 0]


@pytest.mark.parametrize("base", [0.0, 1e-310, 2.0, INF, -3.0])
def test_power_zero_is_flat_everywhere(base: float) -> None:
    x = torch.tensor([base], dtype=torch.float64)
    assert gradient(Power.apply, x, 0).tolist() == [0]
    assert gradient(Power.apply, x, torch.zeros(1, dtype=torch.float64)).tolist() == [0]


def test_power_of_zero_is_flat_in_its_exponent_in_every_order() -> None:
    exponents = torch.tensor([0.0, 0.5, 3.0], dtype=torch.float64, requires_grad=True)
    zeros = torch.zeros(3, dtype=torch.float64)
    output = Power.apply(zeros, exponents)
    (first,) = torch.autograd.grad(output.sum(), exponents, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), exponents)
    assert output.tolist() == [1, 0, 0]
    assert first.tolist() == second.tolist() == [0, 0, 0]


def test_power_of_zero_to_a_negative_exponent_and_of_negative_bases_are_as_in_pytorch() -> None:
    base = torch.tensor([0.0, -2.0, -2.0], dtype=torch.float64)
    exponent = torch.tensor([-1.0, 3.0, 0.5], dtype=torch.float64)
    torch.testing.assert_close(
        gradient(lambda e: Power.apply(base, e), exponent),
        gradient(lambda e: torch.pow(base, e), exponent),
        equal_nan=True,
    )


def test_power_mixed_derivative_is_right_where_the_exponent_is_zero() -> None:
    # d/dp (p x^(p-1)) is 1/x at p = 0; a zero that is masked out would give 0.
    x = torch.tensor(2.0, dtype=torch.float64, requires_grad=True)
    p = torch.tensor(0.0, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(Power.apply(x, p), x, create_graph=True)
    assert torch.autograd.grad(slope, p)[0] == 0.5


def test_divide_does_not_square_a_large_denominator() -> None:
    other = torch.tensor(1e200, dtype=torch.float64)
    found = gradient(lambda b: Divide.apply(torch.tensor(1e250, dtype=torch.float64), b), other)
    torch.testing.assert_close(found, torch.tensor(-1e-150, dtype=torch.float64))


# Linear algebra -----------------------------------------------------------------------------------


def test_log_det_of_a_negative_determinant_is_nan_with_gradient_zero() -> None:
    x = torch.diag(torch.tensor([1.0, -2.0]))
    assert LogDet.apply(x).isnan()
    assert gradient(LogDet.apply, x).tolist() == gradient(torch.logdet, x).tolist()
    assert gradient(LogDet.apply, x).abs().sum() == 0


def test_log_det_of_a_singular_matrix_has_a_value_and_no_gradient() -> None:
    x = torch.zeros(2, 2, requires_grad=True)
    output = LogDet.apply(x)
    assert output == -INF
    with pytest.raises(DataError, match="LogDet: input must be invertible, but it is not"):
        output.backward()


def test_cholesky_factorises_the_hermitian_part() -> None:
    a = torch.tensor([[4.0, 3.0], [1.0, 5.0]])
    lower = Cholesky.apply(a)
    torch.testing.assert_close(lower @ lower.mT, torch.tensor([[4.0, 2.0], [2.0, 5.0]]))
    found = gradient(Cholesky.apply, a, grad_output=torch.tensor([[1.0, 0.0], [2.0, 3.0]]))
    torch.testing.assert_close(found, found.mT)


@pytest.mark.parametrize(
    ("apply", "message"),
    [
        (lambda: Inverse.apply(torch.zeros(2, 2)), "Inverse: A must be invertible, but"),
        (
            lambda: Inverse.apply(torch.stack([torch.eye(2), torch.zeros(2, 2)])),
            "Inverse: A, matrix 1 of the batch must be invertible, but it is not; torch.linalg",
        ),
        (lambda: Solve.apply(torch.zeros(2, 2), torch.ones(2)), "Solve: A must be invertible, but"),
        (lambda: Cholesky.apply(-torch.eye(2)), "Cholesky: A must be positive definite, but it"),
        (lambda: torch.func.vmap(Inverse.apply)(torch.zeros(3, 2, 2)), "matrix 0 of the batch"),
        (lambda: torch.func.jacrev(Cholesky.apply)(-torch.eye(2)), "positive definite"),
    ],
)
def test_a_matrix_of_the_wrong_kind_is_named_in_one_sentence(apply: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        apply()


@pytest.mark.parametrize("dims", [(0, 0), (None, 0), (0, None)])
def test_solve_broadcasts_its_batches_under_vmap(dims: tuple[int | None, int | None]) -> None:
    matrices, right = torch.randn(7, 3, 3) + 6 * torch.eye(3), torch.randn(7, 5, 3, 2)
    a = matrices if dims[0] == 0 else matrices[0]
    b = right if dims[1] == 0 else right[0]
    rows = [
        torch.linalg.solve(a if dims[0] is None else a[i], b if dims[1] is None else b[i])
        for i in range(7)
    ]
    torch.testing.assert_close(torch.func.vmap(Solve.apply, dims)(a, b), torch.stack(rows))


# Errors -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("function", "inputs", "error", "message"),
    [
        (
            Add,
            (torch.ones(5, 3), torch.ones(2)),
            ShapeError,
            r"Add: other must have a shape that broadcasts with input of .* \(5, 3\), got \(2,\)",
        ),
        (
            Power,
            (torch.ones(5, 3), torch.ones(5, 2)),
            ShapeError,
            r"Power: exponent must have a shape that broadcasts .* \(5, 3\), got \(5, 2\)",
        ),
        (Multiply, (2.0, 3.0), NotATensorError, "Multiply: input must be a tensor, got float"),
        (
            Subtract,
            (torch.ones(2), "2"),
            NotATensorError,
            "Subtract: other must be a tensor or a number, got str",
        ),
        (
            Divide,
            (None, torch.ones(2)),
            NotATensorError,
            "Divide: input must be a tensor or a number, got NoneType",
        ),
        (
            MatMul,
            (torch.ones(5, 3), torch.ones(2, 7)),
            ShapeError,
            r"MatMul: other must have 3 rows to meet input of shape \(5, 3\), got \(2, 7\)",
        ),
        (
            MatMul,
            (torch.ones(()), torch.ones(2)),
            ShapeError,
            r"MatMul: input must have at least one dimension, got \(\); Multiply takes",
        ),
        (
            MatMul,
            (torch.ones(5, 2, 3), torch.ones(7, 3, 2)),
            ShapeError,
            r"MatMul: other must have a shape that broadcasts .*, its last 2 dimensions apart, got",
        ),
        (
            Sum,
            (torch.ones(5, 3), 2),
            SettingError,
            r"Sum: dim must lie between -2 and 1 for input of shape \(5, 3\), got 2; name",
        ),
        (Mean, (torch.ones(5, 3), "rows"), SettingError, "Mean: dim must be whole numbers, got"),
        (Mean, (torch.ones(5, 3), 0.5), SettingError, "Mean: dim must be whole numbers, got 0.5"),
        (
            Max,
            (torch.ones(5, 3), (0, -2)),
            SettingError,
            r"Max: dim must name each dimension once, got \(0, -2\)",
        ),
        (
            Max,
            (torch.ones(0, 3), 0),
            ShapeError,
            r"Max: input must have at least one entry along the reduced dimensions \(0,\), got",
        ),
        (Norm, (torch.ones(3), 0.5), SettingError, "Norm: p must be a number from 1 to inf"),
        (Norm, (torch.ones(3), math.nan), SettingError, "Norm: p must be a number .*, got nan"),
        (Norm, (torch.ones(3), "fro"), SettingError, "Norm: p must be a number .*, got 'fro'"),
        (Norm, (torch.ones(0), INF), ShapeError, "Norm: input must have at least one entry"),
        (LogSumExp, (torch.ones(3), 1), SettingError, "LogSumExp: dim must lie between -1 and 0"),
        (Softmax, (torch.ones(3), (0,)), SettingError, "Softmax: dim must be one whole number"),
        (LogSoftmax, (torch.ones(3), -2), SettingError, "LogSoftmax: dim must lie between"),
        (
            Inverse,
            (torch.ones(5, 3),),
            ShapeError,
            r"Inverse: A must have shape \(..., N, N\), got \(5, 3\); give a square",
        ),
        (LogDet, (torch.ones(3),), ShapeError, r"LogDet: input must have shape .*, got \(3,\)"),
        (Cholesky, (2.0,), NotATensorError, "Cholesky: A must be a tensor, got float"),
        (
            Solve,
            (torch.eye(3), torch.ones(2, 3)),
            ShapeError,
            r"Solve: B must have 3 rows to meet A of shape \(3, 3\), got \(2, 3\)",
        ),
        (
            Solve,
            (torch.eye(3), torch.ones(3, 2), False),
            ShapeError,
            r"Solve: B must have 3 columns to meet A of shape \(3, 3\), got \(3, 2\)",
        ),
        (
            Solve,
            (torch.eye(3), torch.ones(3), False),
            SettingError,
            r"Solve: left must be True where B is a vector, of shape \(3,\), got False",
        ),
        (
            Solve,
            (torch.eye(3).expand(5, 3, 3), torch.ones(2, 3, 2)),
            ShapeError,
            r"Solve: B must have batch dimensions that broadcast with those of A of shape",
        ),
    ],
)
@pytest.mark.parametrize("way", ["by hand", "apply"])
def test_errors_name_the_function_the_argument_and_what_was_got(
    function: Any, inputs: tuple[Any, ...], error: type[DerivableError], message: str, way: str
) -> None:
    with pytest.raises(error, match=message):
        function.apply(*inputs) if way == "apply" else function.forward(Context(), *inputs)
