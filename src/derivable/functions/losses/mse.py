"""MSE: the mean squared error over the batch."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from derivable.function import Function
from derivable.function.examples import normal
from derivable.functions.losses._pair import fit
from derivable.functions.messages import say
from derivable.shapes import require_tensors, shape_error


class MSE(Function):
    """Mean over the batch, dimension 0, of (yhat - y)^2: one loss per output column.

    Forward   loss_k = sum_n (yhat_nk - y_nk)^2 / N                   (K,)
    Backward  d loss / d yhat =  2 (yhat - y) grad_output / N         (N, K)
              d loss / d y    = -2 (yhat - y) grad_output / N         (N, K)
              with (yhat - y) conjugated where it is complex
    Shapes    yhat (N, ...), y the same -> (...); usually (N, K) -> (K,)
    Kinks     none
    Saves     yhat, y
    Raises    ShapeError if the shapes differ or have no batch dimension, NotATensorError
    Source    d (e^2) / d e = 2 e with e = yhat - y, and d e / d y = -1. The mean is over the
              batch only, so the factor is 1/N and not 1/(N K) as in torch.nn.MSELoss.
    """

    @staticmethod
    def forward(ctx: Any, yhat: Tensor, y: Tensor) -> Tensor:
        _check(yhat, y)
        ctx.save_for_backward(yhat, y)
        return ((yhat - y) ** 2).mean(0)  # (K,)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor, Tensor]:
        yhat, y = ctx.saved_tensors
        n = max(yhat.size(0), 1)  # an empty batch has no entries to divide
        grad_yhat = grad_output * (2 / n * (yhat - y)).conj()  # (N, K)
        return fit(grad_yhat, yhat), fit(-grad_yhat, y)

    @staticmethod
    def examples() -> list[tuple[Any, ...]]:
        return [(normal(5, 3), normal(5, 3))]


def _check(yhat: Tensor, y: Tensor) -> None:
    require_tensors("MSE", yhat=yhat, y=y)
    if yhat.ndim == 0:
        raise shape_error("MSE", "yhat", say("batch_dimension"), yhat, say("n_k"))
    if yhat.shape != y.shape:
        # Broadcasting (N, 1) against (N,) would compare every row with every other, silently.
        raise shape_error(
            "MSE", "y", say("shape_of_yhat", shape=tuple(yhat.shape)), y, say("reshape_one")
        )
