"""Weights of rows: a row of weight 3 counts as three rows, one of weight 0 as none.

With weights w_n of mean 1 the loss is mean_n w_n l_n. No loss has to know: one that is quadratic in
(yhat, y), as MSE, is given both times sqrt(w_n), and one that is linear in y, as CrossEntropy of
probabilities, y times w_n.
"""

from __future__ import annotations

from torch import Tensor

from derivable.function import Function
from derivable.functions import MSE
from derivable.functions.losses import CrossEntropy

QUADRATIC: tuple[type[Function], ...] = (MSE,)  # in (yhat, y)
LINEAR: tuple[type[Function], ...] = (CrossEntropy,)  # in y


def weigh(
    loss: type[Function], x: Tensor, y: Tensor, weight: Tensor
) -> tuple[Tensor, Tensor, Tensor | None]:
    """The rows of x (N, D) and y (N, K) that count, and their weights, of mean 1.

    The weights are None where they say nothing, or where y holds them.
    """
    if not (weight > 0).all():
        x, y, weight = x[weight > 0], y[weight > 0], weight[weight > 0]
    if (weight == weight[0]).all():
        return x, y, None
    weight = (weight / weight.double().mean()).to(y.dtype)
    return (x, y * weight.view(-1, 1), None) if loss in LINEAR else (x, y, weight)


def roots(weight: Tensor | None) -> Tensor | None:
    """Their square roots, as a column (N, 1)."""
    return None if weight is None else weight.sqrt().view(-1, 1)
