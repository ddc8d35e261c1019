"""NLL: the negative log-likelihood of classes, from log-probabilities."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from derivable.function import Function
from derivable.function.examples import normal, uniform
from derivable.functions.losses._classes import (
    Labels,
    check_classes,
    check_labels,
    read_labels,
    weight_gradient,
)
from derivable.functions.losses._pair import fit
from derivable.functions.losses._reduction import check_reduction, reduce, spread


class NLL(Function):
    """Negative log-probability of the right class y = target; by default the weighted mean.

    w_n = weight[y_n] (1 unless given), and 0 where y_n = ignore_index.

    Forward   l_n = -w_n input[n, y_n], and 0 where y_n is ignored              (N, ...)
              loss = sum l_n / W, with W = sum w_n                              ()
              "sum" leaves out the 1/W, "none" the sum as well: (N, ...)
    Backward  d loss / d input[n, c] = -w_n grad_output / W where c = y_n, else 0
              d loss / d weight[c]   = sum over y_n = c of (-input[n, c] - loss) grad_output / W
              (without "- loss" and 1/W for "sum" and "none")
    Shapes    input (N, C), (N, C, d1, ...) or (C,); target (N,), (N, d1, ...) or ();
              weight (C,) -> (), or the shape of target for "none"
    Kinks     none
    Saves     input, target, weight
    Raises    ShapeError if the shapes do not fit, SettingError for an unknown reduction or a
              target that is not of integers, DataError for an index that is no class (looked
              for on the CPU, outside of torch.func and torch.compile), NotATensorError
    Source    l_n is linear in the one entry that it reads. weight also stands in W: the slope of
              a / W in w_n is a' / W - a / W^2, and a / W is the loss. With everything ignored
              the mean is 0 / 0, NaN as in PyTorch, and the gradient of input 0.
    """

    @staticmethod
    def forward(
        ctx: Any,
        input: Tensor,
        target: Tensor,
        weight: Tensor | None = None,
        ignore_index: int = -100,
        reduction: str = "mean",
    ) -> Tensor:
        _check(input, target, weight, ignore_index, reduction)
        ctx.save_for_backward(input, target, weight)
        ctx.ignore_index, ctx.reduction = ignore_index, reduction
        labels = read_labels(target, weight, ignore_index, input)
        return reduce(_losses(labels, input), reduction, labels.weight.sum())  # () or (N, ...)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor, None, Tensor | None, None, None]:
        input, target, weight = ctx.saved_tensors
        labels = read_labels(target, weight, ctx.ignore_index, input)
        count = labels.weight.sum()  # ()
        grad_losses = spread(grad_output, ctx.reduction, target.shape, count)  # () or (N, ...)
        grad_picked = torch.where(labels.kept, -labels.weight * grad_losses, 0.0)  # (N, ...)
        grad_input = labels.place(grad_picked, grad_picked.new_zeros(input.shape))  # (N, C, ...)
        grad_weight = None
        if ctx.needs_input_grad[2]:
            losses, own = _losses(labels, input), -labels.pick(input)  # (N, ...)
            grad_weight = weight_gradient(labels, own, losses, grad_losses, ctx.reduction, weight)
        return fit(grad_input, input), None, grad_weight, None, None

    @staticmethod
    def examples() -> list[tuple[Any, ...]]:
        return [
            (normal(5, 3), torch.randint(3, (5,)), uniform(0.5, 2, 3)),
            (normal(4, 3, 2), torch.randint(3, (4, 2)), None, 1, "none"),
        ]


def _losses(labels: Labels, input: Tensor) -> Tensor:
    # where, not the weight of 0 alone: an ignored row may hold infinities.
    return torch.where(labels.kept, -labels.weight * labels.pick(input), 0.0)  # (N, ...)


def _check(
    input: Tensor, target: Tensor, weight: Tensor | None, ignore_index: int, reduction: str
) -> None:
    check_classes("NLL", input, target, weight)
    check_labels("NLL", input, target, ignore_index)
    check_reduction("NLL", reduction)
