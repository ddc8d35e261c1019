"""Shapes of found inputs: those of a docstring, of different sizes, and a bias of one row."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from derivable.examiner import check
from derivable.examiner.inputs.found import found_inputs
from derivable.examiner.inputs.found_documented import documented_shapes
from tests.test_found_inputs import shapes


class LowRank(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, U: Tensor, V: Tensor, b: Tensor) -> Tensor:  # noqa: N803
        ctx.save_for_backward(x, U, V)
        return x @ U @ V + b

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor, ...]:
        x, u, v = ctx.saved_tensors
        return g @ v.T @ u.T, x.T @ g @ v.T, u.T @ x.T @ g, g.sum(0)


class DocumentedLowRank(LowRank):
    """x U V + b, with x (N, D), U (D, R), V (R, K), b (K,)."""


class NotSummed(LowRank):
    @staticmethod
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor, ...]:
        return (*LowRank.backward(ctx, g)[:3], g)


class NotSummedDocumented(NotSummed):
    """x U V + b, with x (N, D), U (D, R), V (R, K), b (K,)."""


class ThreeFactors(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, A: Tensor, B: Tensor, C: Tensor, D: Tensor,  # noqa: N803
                E: Tensor, bias: Tensor) -> Tensor:  # fmt: skip # noqa: N803
        ctx.save_for_backward(x, A, B, C, D, E)
        return x @ A @ B @ C @ D @ E + bias

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor | None, ...]:
        gradients: list[Tensor] = []
        x, *factors = ctx.saved_tensors
        before = [x]
        for factor in factors[:-1]:
            before.append(before[-1] @ factor)
        grad = g
        for left, factor in zip(reversed(before), reversed(factors), strict=True):
            gradients.insert(0, left.T @ grad)
            grad = grad @ factor.T
        return grad, *gradients, g.sum(0)


class Bumps(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, centers: Tensor, log_s: Tensor) -> Tensor:
        difference = x[:, None] - centers[None]
        scaled = difference * torch.exp(-log_s)[:, None]
        value = 1 / (1 + (scaled**2).sum(-1))
        ctx.save_for_backward(difference, value, log_s)
        return value

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor, ...]:
        difference, value, log_s = ctx.saved_tensors
        inverse = torch.exp(-2 * log_s)
        common = g * value**2 * inverse
        grad = -2 * common[..., None] * difference
        return grad.sum(1), -grad.sum(0), (2 * common * (difference**2).sum(-1)).sum(0)


class Shifted(torch.autograd.Function):
    """x + b, where x (N, D) is a table."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, b: Tensor) -> Tensor:
        return x + b

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor, ...]:
        return g, g


def test_shapes_are_read_in_docstrings() -> None:
    (n, d), (d_too, r), (r_too, k), (k_too,) = shapes(DocumentedLowRank)
    assert (d, r, k) == (d_too, r_too, k_too)
    assert len({n, d, r, k}) == 4
    found = found_inputs(DocumentedLowRank)
    assert found is not None
    assert found.message.fields["source"].key == "found.docstring"


@pytest.mark.parametrize(
    ("text", "stated"),
    [
        ("x: (N, D), w is a matrix of shape [D, K]", {"x": "N D", "w": "D K"}),
        ("of `x` [N, D] and the vector `b` (K,)", {"x": "N D", "b": "K"}),
        ("x (Tensor, optional): the input\n w: Tensor of shape (N, 3)", {"w": "N 3"}),
        ("x : torch.Tensor, shape (batch, in_features)", {"x": "batch in_features"}),
        ("f(x, w) = x (1 - w), see b (above)", {}),
    ],
)  # fmt: skip
def test_how_docstrings_state_shapes(text: str, stated: dict[str, str]) -> None:
    target = type("Documented", (), {"__doc__": text})
    assert documented_shapes(target, ["x", "w", "b"]) == stated


def test_different_sizes_and_a_bias_of_one_row_are_preferred() -> None:
    assert shapes(LowRank) == [(13, 5), (5, 6), (6, 7), (7,)]
    assert shapes(ThreeFactors)[-1] == (4,)
    x, centers, log_s = shapes(Bumps)
    assert x[1:] == centers[1:]
    assert log_s == centers[:1]
    for right in (LowRank, DocumentedLowRank, ThreeFactors, Bumps):
        assert check(right, level="lab").verdict == "right", right


@pytest.mark.parametrize("function", [NotSummed, NotSummedDocumented, Shifted])
def test_neither_a_docstring_nor_a_larger_bias_hides_a_missing_sum(function: Any) -> None:
    report = check(function, level="lab")
    assert [(f.argument, f.cause) for f in report.findings] == [("b", "missing_sum")]
