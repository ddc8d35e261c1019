"""KLDivergence: how far one distribution is from another, given by its logarithm."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from derivable.function import Function
from derivable.function.examples import normal, uniform
from derivable.functions.losses._pair import check_pair, fit
from derivable.functions.losses._reduction import reduce, spread


class KLDivergence(Function):
    """Divergence of the distribution exp(input) from the distribution p, entry by entry.

    p is target, or exp(target) with log_target; log p is log target, or target.

    Forward   loss = sum p (log p - input) / M, an entry with p = 0 counts 0    ()
              M is the number of entries for "mean", the first size for "batchmean" (which is
              the divergence of the mathematics), 1 for "sum"; "none" leaves out the sum: (...)
    Backward  d loss / d input  = -p grad_output / M                            (...)
              d loss / d target = (log target + 1 - input) grad_output / M      (...)
                                  p (target + 1 - input) grad_output / M with log_target
    Shapes    input (...), target the same -> (), or (...) for "none"
    Kinks     target = 0: value chosen -inf for target, values allowed -inf (not with log_target)
    Saves     input, target
    Raises    ShapeError if the shapes differ, SettingError for an unknown reduction or
              complex numbers, NotATensorError
    Source    input enters linearly. (p log p)' = log p + 1, and exp(t) (t - input) has by the
              product rule the slope exp(t) (t - input) + exp(t). p log p goes to 0 with p.
    """

    @staticmethod
    def forward(
        ctx: Any, input: Tensor, target: Tensor, reduction: str = "mean", log_target: bool = False
    ) -> Tensor:
        allowed = ("mean", "batchmean", "sum", "none")
        check_pair("KLDivergence", reduction, allowed, input=input, target=target)
        ctx.save_for_backward(input, target)
        ctx.reduction, ctx.log_target = reduction, log_target
        p = target.exp() if log_target else target  # (...)
        log_p = target if log_target else target.log()  # (...)
        return reduce(p * _gap(p, log_p, input), reduction)  # () or (...)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor, Tensor | None, None, None]:
        input, target = ctx.saved_tensors
        grad_losses = spread(grad_output, ctx.reduction, input.shape)  # () or (...)
        p = target.exp() if ctx.log_target else target  # (...)
        grad_target = None
        if ctx.needs_input_grad[1]:
            slope = p * (_gap(p, target, input) + 1) if ctx.log_target else target.log() + 1 - input
            grad_target = fit(grad_losses * slope, target)  # (...)
        return fit(-p * grad_losses, input), grad_target, None, None

    @staticmethod
    def examples() -> list[tuple[Any, ...]]:
        return [
            (normal(5, 3), uniform(0.1, 1, 5, 3), "batchmean"),
            (normal(5, 3), normal(5, 3), "none", True),
        ]


def _gap(p: Tensor, log_p: Tensor, input: Tensor) -> Tensor:
    """The difference of the logarithms; 0 where p is, lest 0 times infinity become NaN."""
    return torch.where(p == 0, 0.0, log_p - input)  # (...)
