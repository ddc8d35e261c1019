"""CrossEntropy: one class out of C, from scores."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from derivable.errors import SettingError
from derivable.function import Function
from derivable.function.examples import normal, uniform
from derivable.functions.losses._classes import (
    Labels,
    check_classes,
    check_labels,
    class_dim,
    positions,
    read_labels,
    sum_by_class,
    weight_gradient,
    weighted,
)
from derivable.functions.losses._pair import fit
from derivable.functions.losses._reduction import check_reduction, reduce, spread
from derivable.functions.messages import say
from derivable.shapes import shape_error


class CrossEntropy(Function):
    """Cross-entropy of what the target says with p = softmax(input) over the C classes.

    The target is one class index y_n per row, or one probability t_nc per entry of input. With
    w = weight (1 unless given) and e = label_smoothing it asks for

        q_nc = (1 - e) w_c [c = y_n] + e / C w_c    for indices; 0 in a row with y_n = ignore_index
        q_nc = (1 - e) w_c t_nc      + e / C w_c    for probabilities

    Forward   l_n = -sum_c q_nc log p_nc                                        (N, ...)
              loss = sum l_n / W                                                ()
              W = sum of w[y_n] over the rows that are not ignored, for indices; the number N
              of rows, whatever the weights, for probabilities;
              "sum" leaves out the 1/W, "none" the sum as well: (N, ...)
    Backward  d l_n / d input[n, c]  = p_nc sum_k q_nk - q_nc                   (N, C, ...)
              d l_n / d target[n, c] = -(1 - e) w_c log p_nc                    probabilities only
              d loss / d weight[c]   = -sum_n (d q_nc / d w_c) log p_nc / W, and for the mean
              over indices - loss / W for each n with y_n = c, since W holds w as well
              each times grad_output, and those of l_n over W
    Shapes    input (N, C), (N, C, d1, ...) or (C,); target the same without C, of integers, or
              just the same, of floats; weight (C,) -> (), or input's without C for "none"
    Kinks     none
    Saves     input, target, weight
    Raises    ShapeError if the shapes do not fit; SettingError for an unknown reduction, a
              label_smoothing outside 0 to 1, a target of neither integers nor floats, or an
              ignore_index >= 0 with probabilities; DataError for an index that is no class
              (looked for on the CPU, outside of torch.func and torch.compile); NotATensorError
    Source    log p_c = x_c - log sum_k exp x_k has the slope [c = k] - p_k in x_k; summed with
              -q_c over c that is p_k sum q - q_k. W depends on w: (a / W)' = a' / W - a W' / W^2.
              For indices q is never built: the gradient is p times its row sum, less what the
              two terms of q say. All rows ignored: 0 / 0, NaN as in PyTorch, and gradient 0.
    """

    @staticmethod
    def forward(
        ctx: Any,
        input: Tensor,
        target: Tensor,
        weight: Tensor | None = None,
        ignore_index: int = -100,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> Tensor:
        _check(input, target, weight, ignore_index, reduction, label_smoothing)
        ctx.save_for_backward(input, target, weight)
        ctx.ignore_index, ctx.reduction, ctx.smoothing = ignore_index, reduction, label_smoothing
        log_p = F.log_softmax(input, class_dim(input))  # (N, C, ...)
        if target.is_floating_point():
            q = weighted(_smooth(target, label_smoothing), weight)  # (N, C, ...)
            return reduce(-_products(q, log_p).sum(class_dim(q)), reduction)  # () or (N, ...)
        labels = read_labels(target, weight, ignore_index, input)
        losses = _label_losses(labels, log_p, weight, label_smoothing)  # (N, ...)
        return reduce(losses, reduction, labels.weight.sum())  # () or (N, ...)

    @staticmethod
    def backward(
        ctx: Any, grad_output: Tensor
    ) -> tuple[Tensor, Tensor | None, Tensor | None, None, None, None]:
        _, target, _ = ctx.saved_tensors
        rule = _from_probabilities if target.is_floating_point() else _from_labels
        return *rule(ctx, grad_output), None, None, None

    @staticmethod
    def examples() -> list[tuple[Any, ...]]:
        labels, scores = torch.randint(3, (5,)), torch.randn(5, 3, dtype=torch.float64)
        shares, weight = scores.softmax(1).requires_grad_(), uniform(0.5, 2, 3)
        return [
            (normal(5, 3), labels),
            (normal(5, 3), labels, weight, -100, "mean", 0.1),
            (normal(5, 3), shares, weight, -100, "none", 0.1),
        ]


def _from_probabilities(
    ctx: Any, grad_output: Tensor
) -> tuple[Tensor, Tensor | None, Tensor | None]:
    input, target, weight = ctx.saved_tensors
    dim = class_dim(input)
    grad_losses = spread(grad_output, ctx.reduction, positions(input))  # () or (N, ...)
    if ctx.reduction == "none":
        grad_losses = grad_losses.unsqueeze(dim)  # (N, 1, ...)
    smooth = _smooth(target, ctx.smoothing)  # (N, C, ...)
    q = weighted(smooth, weight)  # (N, C, ...)
    p = F.softmax(input, dim)  # (N, C, ...)
    grad_input = fit(grad_losses * (p * q.sum(dim, keepdim=True) - q), input)  # (N, C, ...)
    grad_target = grad_weight = None
    if any(ctx.needs_input_grad[1:3]):
        log_p = F.log_softmax(input, dim)  # (N, C, ...)
        slope = (ctx.smoothing - 1) * weighted(log_p, weight)  # (N, C, ...)
        grad_target = fit(grad_losses * slope, target)  # (N, C, ...)
        if weight is not None:
            grad_weight = sum_by_class(-grad_losses * _products(smooth, log_p), weight)  # (C,)
    return grad_input, grad_target, grad_weight


def _from_labels(ctx: Any, grad_output: Tensor) -> tuple[Tensor, None, Tensor | None]:
    input, target, weight = ctx.saved_tensors
    dim, count = class_dim(input), input.size(class_dim(input))
    labels = read_labels(target, weight, ctx.ignore_index, input)
    grad_losses = spread(grad_output, ctx.reduction, target.shape, labels.weight.sum())
    grad_losses = torch.where(labels.kept, grad_losses, 0.0)  # (N, ...)
    at_label = (1 - ctx.smoothing) * labels.weight * grad_losses  # (N, ...)
    everywhere = ctx.smoothing / count * grad_losses  # (N, ...)
    total = at_label + everywhere * (count if weight is None else weight.sum())  # (N, ...)
    grad_input = F.softmax(input, dim) * total.unsqueeze(dim)  # (N, C, ...)
    if ctx.smoothing:
        grad_input = grad_input - weighted(everywhere.unsqueeze(dim), weight)  # (N, C, ...)
    grad_input = fit(labels.place(-at_label, grad_input), input)  # (N, C, ...)
    if not ctx.needs_input_grad[2]:
        return grad_input, None, None
    log_p = F.log_softmax(input, dim)  # (N, C, ...)
    losses = _label_losses(labels, log_p, weight, ctx.smoothing)  # (N, ...)
    own = (ctx.smoothing - 1) * labels.pick(log_p)  # (N, ...)
    grad_weight = weight_gradient(labels, own, losses, grad_losses, ctx.reduction, weight)  # (C,)
    if ctx.smoothing:
        kept = labels.kept.unsqueeze(dim)  # (N, 1, ...)
        terms = torch.where(kept, -everywhere.unsqueeze(dim) * log_p, 0.0)  # (N, C, ...)
        grad_weight = grad_weight + sum_by_class(terms, weight)  # (C,)
    return grad_input, None, grad_weight


def _label_losses(labels: Labels, log_p: Tensor, weight: Tensor | None, smoothing: float) -> Tensor:
    losses = (smoothing - 1) * labels.weight * labels.pick(log_p)  # (N, ...)
    if smoothing:
        dim = class_dim(log_p)
        losses = losses - smoothing / log_p.size(dim) * weighted(log_p, weight).sum(dim)  # (N, ...)
    return torch.where(labels.kept, losses, 0.0)  # (N, ...)


def _smooth(target: Tensor, smoothing: float) -> Tensor:
    """Probabilities, mixed with the even ones."""
    if not smoothing:
        return target
    return (1 - smoothing) * target + smoothing / target.size(class_dim(target))  # (N, C, ...)


def _products(q: Tensor, log_p: Tensor) -> Tensor:
    """The products with log p: a class neither wanted nor possible is 0, not 0 times infinity."""
    return torch.where(q == 0, 0.0, q * log_p)  # (N, C, ...)


def _check(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None,
    ignore_index: int,
    reduction: str,
    label_smoothing: float,
) -> None:
    name = "CrossEntropy"
    check_classes(name, input, target, weight)
    check_reduction(name, reduction)
    if not 0 <= label_smoothing <= 1:
        raise SettingError(say("smoothing", function=name, got=label_smoothing))
    if not target.is_floating_point():
        check_labels(name, input, target, ignore_index)
        return
    if target.shape != input.shape:
        raise shape_error(
            name,
            "target",
            say("shape_of_probabilities", shape=tuple(input.shape)),
            target,
            say("to_long"),
        )
    if ignore_index >= 0:
        raise SettingError(say("ignore_index", function=name, got=ignore_index))
