"""Flatten: several dimensions as one."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from derivable.errors import SettingError
from derivable.function import Function
from derivable.function.examples import normal
from derivable.functions.messages import say
from derivable.shapes import require_tensors


class Flatten(Function):
    """The dimensions from `start_dim` to `end_dim` as one, like torch.nn.Flatten.

    Forward   output[n, i] = input[n, i_1, ..., i_k], i counting (i_1, ..., i_k) row by row
                                                              (N, D) with D = d_1 ... d_k
    Backward  d loss / d input = grad_output in the shape of input          (N, d_1, ..., d_k)
    Shapes    input (N, d_1, ..., d_k, ...), dimensions counted from the end where negative
              -> (N, D, ...)
    Kinks     none
    Saves     nothing (the shape of input)
    Raises    SettingError for a dimension that input does not have, or an end before the start;
              NotATensorError
    Source    every entry is moved to one place, so its gradient is moved back.
    """

    @staticmethod
    def forward(ctx: Any, input: Tensor, start_dim: int = 1, end_dim: int = -1) -> Tensor:
        first, last = _check(input, start_dim, end_dim)
        ctx.shape = input.shape
        count = input.shape[first : last + 1].numel()  # D
        sizes = (*input.shape[:first], count, *input.shape[last + 1 :])
        return input.reshape(sizes)  # (N, D, ...)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor, None, None]:
        return grad_output.reshape(ctx.shape), None, None  # (N, d_1, ..., d_k, ...)

    @staticmethod
    def examples() -> list[tuple[Any, ...]]:
        return [(normal(2, 3, 4),), (normal(2, 3, 2, 2), 0, -2)]


def _check(input: Tensor, start_dim: int, end_dim: int) -> tuple[int, int]:
    """Both dimensions, counted from the start."""
    require_tensors("Flatten", input=input)
    found = []
    for name, value in (("start_dim", start_dim), ("end_dim", end_dim)):
        if not -input.ndim <= value < input.ndim:
            raise SettingError(
                say(
                    "flatten_dim",
                    name=name,
                    low=-input.ndim,
                    high=input.ndim - 1,
                    got=value,
                    shape=tuple(input.shape),
                )
            )
        found.append(value % input.ndim)
    first, last = found
    if last < first:
        raise SettingError(say("end_dim", start=start_dim, end=end_dim, shape=tuple(input.shape)))
    return first, last
