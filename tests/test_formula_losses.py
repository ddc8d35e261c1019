"""Losses of pairs: the function of a pair and how it is summed, derived, or refused truly."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from derivable import Context, Function, functions
from derivable.formula import PairKernel, Refusal, Scale, pair_kernel_of

Value = Callable[[Tensor, Tensor], Tensor]
Gradient = Callable[[Tensor, Tensor, Tensor], Tensor]


def loss(name: str, value: Value, gradient: Gradient) -> type[Function]:
    """A classic Function from its value and its gradient along the prediction."""

    class Own(Function):
        @staticmethod
        def forward(ctx: Any, prediction: Tensor, target: Tensor) -> Tensor:
            ctx.save_for_backward(prediction, target)
            return value(prediction, target)

        @staticmethod
        def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor, None]:
            prediction, target = ctx.saved_tensors
            return gradient(prediction, target, grad_output), None

    Own.__name__ = name
    return Own


def d(p: Tensor, t: Tensor) -> Tensor:
    return p - t


Case = tuple[str, Value, Gradient, Scale | str]
CASES: list[Case] = [
    ("MeanOfAll", lambda p, t: (d(p, t) ** 2).mean(),
     lambda p, t, g: 2 * d(p, t) * g / p.numel(), Scale.ENTRIES),
    ("HalfByRows", lambda p, t: 0.5 * d(p, t).square().sum() / len(p),
     lambda p, t, g: d(p, t) * g / p.shape[0], Scale.ROWS),
    ("SumOfColumnMeans", lambda p, t: (d(p, t) ** 2).sum(dim=1).mean(),
     lambda p, t, g: 2 * d(p, t) * g / p.size(0), Scale.ROWS),
    ("PerColumn", lambda p, t: torch.log1p(d(p, t) ** 2).mean(0),
     lambda p, t, g: 2 * d(p, t) / (1 + d(p, t) ** 2) * g / p.size(0), Scale.ROWS),
    ("PerRow", lambda p, t: (d(p, t) ** 4).mean(1),
     lambda p, t, g: 4 * d(p, t) ** 3 * g.unsqueeze(1) / p.size(1), Scale.COLUMNS),
    ("Sum", lambda p, t: d(p, t).abs().sum(),
     lambda p, t, g: d(p, t).sign() * g, Scale.SUM),
    ("PerEntry", lambda p, t: p.exp() - t * p, lambda p, t, g: (p.exp() - t) * g, Scale.SUM),
    ("Quantile", lambda p, t: torch.where(t > p, 0.9 * (t - p), 0.1 * (p - t)).mean(),
     lambda p, t, g: (0.1 - (t > p).to(p.dtype)) * g / p.numel(), Scale.ENTRIES),
    ("OfPyTorch", lambda p, t: F.smooth_l1_loss(p, t, beta=0.5),
     lambda p, t, g: (d(p, t) / 0.5).clamp(-1, 1) * g / p.numel(), Scale.ENTRIES),
    ("Logits", lambda p, t: F.binary_cross_entropy_with_logits(p, t),
     lambda p, t, g: (torch.sigmoid(p) - t) * g / p.numel(), Scale.ENTRIES),
    ("NaiveLogits",
     lambda p, t: -(t * p.sigmoid().log() + (1 - t) * (1 - p.sigmoid()).log()).mean(),
     lambda p, t, g: (torch.sigmoid(p) - t) * g / p.numel(), Scale.ENTRIES),
    ("RootOfMean", lambda p, t: (d(p, t) ** 2).mean().sqrt(),
     lambda p, t, g: d(p, t) * g / p.numel() / (d(p, t) ** 2).mean().sqrt(),
     r"RootOfMean is not the sum or mean of a function of prediction and target"),
    ("PlusOne", lambda p, t: (d(p, t) ** 2).sum() + 1, lambda p, t, g: 2 * d(p, t) * g,
     r"PlusOne is not the sum or mean"),
    ("OtherScale", lambda p, t: (d(p, t) ** 2).mean(), lambda p, t, g: 2 * d(p, t) * g,
     r"OtherScale is not the sum or mean.*other values or gradients"),
    ("Centred", lambda p, t: ((p - p.mean() - t) ** 2).sum(),
     lambda p, t, g: 2 * (p - p.mean() - t) * g, r"Centred is not the sum or mean"),
    ("Length", lambda p, t: d(p, t).norm(), lambda p, t, g: d(p, t) / d(p, t).norm() * g,
     r"Length.forward, line \d+ .*: `linalg_vector_norm` is not pointwise"),
    ("Flat", lambda p, t: d(p, t).square().flatten(), lambda p, t, g: 2 * d(p, t) * g.view(p.shape),
     r"Flat is not the sum or mean"),
    ("OfManyRows", lambda p, t: d(p, t).square().sum(),
     lambda p, t, g: d(p, t) * g * (2 if len(p) < 100 else 3),
     r"OfManyRows.backward at prediction \S+ and target 0.0 gives another gradient than"),
    ("Chosen", lambda p, t: d(p, t).mean() if d(p, t).mean() > 1 else d(p, t).mean() * 2,
     lambda p, t, g: g / p.numel() * torch.ones_like(p),
     r"Chosen.forward, line \d+ .*: Python reads the values of a tensor"),
]  # fmt: skip
OWN = {loss(name, value, gradient): expected for name, value, gradient, expected in CASES}
LIBRARY: dict[type[Function], Scale | str] = {
    functions.MSE: Scale.ROWS,
    functions.L1: Scale.ENTRIES,
    functions.Huber: Scale.ENTRIES,
    functions.LogCosh: Scale.ENTRIES,
    functions.PoissonNLL: Scale.ENTRIES,
    functions.BinaryCrossEntropyWithLogits: Scale.ENTRIES,
    functions.Hinge: Scale.ENTRIES,
    functions.CrossEntropy: r"CrossEntropy.forward, line \d+ .*: `log_softmax` is not pointwise",
}
LOSSES = OWN | LIBRARY


def named(kind: type[Function]) -> str:
    return kind.__name__


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("kind", [k for k, s in LOSSES.items() if isinstance(s, Scale)], ids=named)
def test_it_gives_the_value_and_gradients_of_its_author(
    kind: type[Function], dtype: torch.dtype
) -> None:
    kernel = pair_kernel_of(kind)
    assert isinstance(kernel, PairKernel), kernel
    assert kernel.scale is LOSSES[kind]
    prediction = torch.randn(13, 2, dtype=dtype) * 2
    target = torch.rand(13, 2, dtype=dtype)
    factor, pairs = kernel.scale.factor(13, 2), (prediction.numpy(), target.numpy())
    value, slope, second_derivative = (
        factor * torch.from_numpy(np.vectorize(rule, otypes=[pairs[0].dtype])(*pairs))
        for rule in kernel[:3]
    )
    ctx = Context()
    theirs = kind.forward(ctx, prediction, target)
    gradient, *_ = kind.backward(ctx, torch.ones_like(theirs))
    p = prediction.double().requires_grad_()
    (first,) = torch.autograd.grad(kind.apply(p, target.double()).sum(), p, create_graph=True)
    second = torch.zeros_like(p)
    if first.requires_grad:
        (second,) = torch.autograd.grad(first.sum(), p, allow_unused=True, materialize_grads=True)
    close = 100 * torch.finfo(dtype).eps
    torch.testing.assert_close(value.sum(), theirs.sum(), rtol=close, atol=close)
    torch.testing.assert_close(slope, gradient, rtol=close, atol=close)
    torch.testing.assert_close(second_derivative, second.to(dtype), rtol=close, atol=close)


@pytest.mark.parametrize("kind", [k for k, s in LOSSES.items() if isinstance(s, str)], ids=named)
def test_a_refusal_says_what_cannot_be_compiled(kind: type[Function]) -> None:
    refusal, reason = pair_kernel_of(kind), LOSSES[kind]
    assert isinstance(refusal, Refusal)
    assert isinstance(reason, str)
    assert re.search(reason, refusal.text), refusal


def test_constants_are_those_of_forward() -> None:
    narrow, summed = (
        pair_kernel_of(functions.Huber, delta=0.25),
        pair_kernel_of(functions.Huber, reduction="sum"),
    )
    assert isinstance(narrow, PairKernel)
    assert isinstance(summed, PairKernel)
    assert narrow.slope(3.0, 1.0) == 0.25
    assert summed.slope(3.0, 1.0) == 1.0
    assert (narrow.scale, summed.scale) == (Scale.ENTRIES, Scale.SUM)


def test_the_scales_divide_by_rows_columns_or_both() -> None:
    factors = {scale: scale.factor(5, 3) for scale in Scale}
    assert factors == {
        Scale.SUM: 1, Scale.ROWS: 1 / 5, Scale.COLUMNS: 1 / 3, Scale.ENTRIES: 1 / 15,
    }  # fmt: skip
