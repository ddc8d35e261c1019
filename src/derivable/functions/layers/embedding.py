"""Embedding: rows of a table, chosen by index."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from derivable.errors import DataError, SettingError
from derivable.function import Function
from derivable.function.examples import normal
from derivable.functions.messages import say
from derivable.shapes import require_tensors, shape_error


class Embedding(Function):
    """The row of `weight` for every index in `input`.

    Forward   output[..., :] = weight[input[...], :]                       (..., D)
    Backward  d loss / d weight[v] = sum of grad_output over the places where input = v, and 0
              for v = padding_idx                                          (V, D)
    Shapes    input (...), integers from 0 to V - 1; weight (V, D) -> (..., D)
    Kinks     none
    Saves     input
    Raises    ShapeError if weight is not (V, D); SettingError if input does not hold int32 or
              int64, or padding_idx is no row; DataError for an index that is no row;
              NotATensorError
    Source    output = one_hot(input) weight is linear in weight; the transpose of one_hot adds
              each row of grad_output to the row it was read from. Indices have no gradient.
              The row of padding_idx takes part in forward as any other; that its gradient is
              0 keeps it as it is during a descent, as in torch.nn.functional.embedding.
    """

    @staticmethod
    def forward(ctx: Any, input: Tensor, weight: Tensor, padding_idx: int | None = None) -> Tensor:
        _check(input, weight, padding_idx)
        # Counted from the end where negative.
        ctx.padding = padding_idx if padding_idx is None else padding_idx % weight.size(0)
        ctx.table = weight.shape
        ctx.save_for_backward(input)
        try:
            return torch.nn.functional.embedding(input, weight)  # (..., D)
        except IndexError:
            raise _no_row(input, weight) from None

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[None, Tensor, None]:
        (input,) = ctx.saved_tensors
        index = input.reshape(input.numel())  # (N,)
        grad = grad_output.reshape(input.numel(), ctx.table[1])  # (N, D)
        if ctx.padding is not None:
            grad = torch.where((index == ctx.padding).unsqueeze(1), 0.0, grad)  # (N, D)
        grad_weight = grad.new_zeros(ctx.table).index_add(0, index, grad)  # (V, D)
        return None, grad_weight, None

    @staticmethod
    def examples() -> list[tuple[Any, ...]]:
        return [(torch.randint(5, (7,)), normal(5, 3))]


def _no_row(input: Tensor, weight: Tensor) -> DataError:
    rows = weight.size(0)
    wrong = input[(input < 0) | (input >= rows)]
    return DataError(say("indices", last=rows - 1, rows=rows, got=int(wrong[0])))


def _check(input: Tensor, weight: Tensor, padding_idx: int | None) -> None:
    require_tensors("Embedding", input=input, weight=weight)
    if input.dtype not in {torch.int32, torch.int64}:
        raise SettingError(say("index_dtype", dtype=input.dtype))
    if weight.ndim != 2:
        raise shape_error(
            "Embedding", "weight", say("rows_of_features"), weight, say("row_per_index")
        )
    rows = weight.size(0)
    if padding_idx is not None and not -rows <= padding_idx < rows:
        raise SettingError(say("padding_idx", rows=rows, got=padding_idx, low=-rows, high=rows - 1))
