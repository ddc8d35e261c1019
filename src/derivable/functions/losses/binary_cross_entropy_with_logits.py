"""BinaryCrossEntropyWithLogits: yes or no, from a score."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from derivable.function import Function
from derivable.function.examples import normal, uniform
from derivable.functions.losses._pair import check_pair, fit
from derivable.functions.losses._reduction import reduce, spread
from derivable.functions.messages import say
from derivable.shapes import require_tensors, shape_error


class BinaryCrossEntropyWithLogits(Function):
    """Cross-entropy of yes (y = target = 1) and no (y = 0) with the logits x = input; mean over M.

    s(x) = 1 / (1 + exp(-x)); w = weight and p = pos_weight are 1 unless given.

    Forward   l = w (p y (-log s(x)) + (1 - y) (-log s(-x)))                    (...)
              loss = sum l / M                                                  ()
              M counts all entries, whatever their weights;
              "sum" leaves out the 1/M, "none" the sum as well: (...)
    Backward  d l / d input      = w ((1 - y) s(x) - p y s(-x))                 (...)
              d l / d target     = w (log s(-x) - p log s(x))                   (...)
              d l / d weight     = l without w, summed to the shape of weight
              d l / d pos_weight = w y (-log s(x)), summed to the shape of pos_weight
              each times grad_output / M
    Shapes    input (...), target the same, weight and pos_weight broadcast to it
              -> (), or (...) for "none"
    Kinks     none
    Saves     input, target, weight, pos_weight
    Raises    ShapeError if the shapes do not fit, SettingError for an unknown reduction or
              complex numbers, NotATensorError
    Source    s(x) is the probability of yes and s(-x) = 1 - s(x) that of no; the slope of
              -log s(x) is -s(-x). Neither logarithm overflows nor cancels as log s(x) does
              when it is computed in one piece.
    """

    @staticmethod
    def forward(
        ctx: Any,
        input: Tensor,
        target: Tensor,
        weight: Tensor | None = None,
        reduction: str = "mean",
        pos_weight: Tensor | None = None,
    ) -> Tensor:
        _check(input, target, weight, reduction, pos_weight)
        ctx.save_for_backward(input, target, weight, pos_weight)
        ctx.reduction = reduction
        losses = _unweighted(input, target, pos_weight)  # (...)
        return reduce(_times(losses, weight), reduction)  # () or (...)

    @staticmethod
    def backward(
        ctx: Any, grad_output: Tensor
    ) -> tuple[Tensor, Tensor | None, Tensor | None, None, Tensor | None]:
        input, target, weight, pos_weight = ctx.saved_tensors
        grad_losses = spread(grad_output, ctx.reduction, input.shape)  # () or (...)
        grad = _times(grad_losses, weight)  # () or (...)
        slope = (1 - target) * torch.sigmoid(input) - _times(target, pos_weight) * torch.sigmoid(
            -input
        )  # (...)
        grad_target = grad_weight = grad_pos_weight = None
        if ctx.needs_input_grad[1]:
            slope_target = F.logsigmoid(-input) - _times(F.logsigmoid(input), pos_weight)  # (...)
            grad_target = fit(grad * slope_target, target)  # (...)
        if ctx.needs_input_grad[2]:
            grad_weight = fit(grad_losses * _unweighted(input, target, pos_weight), weight)
        if ctx.needs_input_grad[4]:
            grad_pos_weight = fit(-grad * target * F.logsigmoid(input), pos_weight)
        return fit(grad * slope, input), grad_target, grad_weight, None, grad_pos_weight

    @staticmethod
    def examples() -> list[tuple[Any, ...]]:
        return [
            (normal(5, 3), uniform(0, 1, 5, 3)),
            (normal(5, 3), uniform(0, 1, 5, 3), uniform(0.5, 2, 5, 1), "none", uniform(0.5, 2, 3)),
        ]


def _unweighted(input: Tensor, target: Tensor, pos_weight: Tensor | None) -> Tensor:
    """The losses before `weight`."""
    no = (target - 1) * F.logsigmoid(-input)  # (...)
    return no - _times(target, pos_weight) * F.logsigmoid(input)  # (...)


def _times(values: Tensor, weight: Tensor | None) -> Tensor:
    return values if weight is None else values * weight


def _check(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None,
    reduction: str,
    pos_weight: Tensor | None,
) -> None:
    name = "BinaryCrossEntropyWithLogits"
    check_pair(name, reduction, input=input, target=target)
    for word, value in (("weight", weight), ("pos_weight", pos_weight)):
        if value is None:
            continue
        require_tensors(name, **{word: value})
        ends = zip(reversed(value.shape), reversed(input.shape), strict=False)
        if value.ndim > input.ndim or any(size not in (1, full) for size, full in ends):
            raise shape_error(
                name,
                word,
                say("broadcasts_to_input", shape=tuple(input.shape)),
                value,
                say("weight_per_column"),
            )
