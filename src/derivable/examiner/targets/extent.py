"""`extent`: how large and how small the numbers are that forward computes on the way."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves

from derivable.examiner.targets.target import Adapter, Inputs, is_float
from derivable.function.compiled import DispatchMode

SHRINKING = frozenset({"exp", "exp2", "mul", "div", "pow", "reciprocal", "square", "prod"})
WITH_POLES = frozenset(
    {"log", "log2", "log10", "log1p", "logit", "atanh", "lgamma", "digamma", "polygamma",
     "reciprocal", "rsqrt", "tan", "xlogy", "xlog1py"}
)  # fmt: skip
QUOTIENTS = frozenset({"div", "pow"})  # whose pole is at 0


@dataclass
class Extent:
    """What the operations of forward make of moderate numbers.

    large  an infinity, or a number beyond a limit: one whose third power overflows, if none is set
    small  0 by underflow, or a number whose third power underflows

    An infinity at a pole, such as log(0), counts only where the 0 may come from an underflow.
    """

    large: bool = False
    small: bool = False


class _Watch(DispatchMode):
    """Records the Extent of the operations that run under it."""

    def __init__(self, limit: float) -> None:
        super().__init__()
        self.extent, self.limit = Extent(), limit

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        numbers = list(_numbers((args, kwargs)))  # now, as the operation may overwrite them
        moderate = all(bool((n.abs() <= self._most(n)).all()) for n in numbers)
        some_zero = any(bool((n == 0).any()) for n in numbers)
        result = func(*args, **(kwargs or {}))
        name = func.overloadpacket.__name__.rstrip("_")
        if moderate and numbers and "empty" not in name:
            for number in _numbers(result):
                self._look(name, number, some_zero)
        return result

    def _look(self, name: str, number: Tensor, some_zero: bool) -> None:
        """Record what an operation has made of moderate numbers."""
        size = number.abs()
        pole = name in WITH_POLES or (name in QUOTIENTS and some_zero)
        if self.extent.small or not pole:
            self.extent.large |= bool((size > self._most(number)).any())
        if name in SHRINKING:
            tiny = size < 1 / third_root(number)
            tiny &= (size > 0) | (not some_zero or name.startswith("exp"))
            self.extent.small |= bool(tiny.any())

    def _most(self, number: Tensor) -> float:
        """The largest number that is moderate, in the dtype of `number`."""
        return min(self.limit, third_root(number))


def extent(adapter: Adapter, inputs: Inputs, limit: float = math.inf) -> Extent:
    """The Extent of forward at `inputs`; raises what forward raises."""
    adapter.budget.spend()
    watch = _Watch(limit)
    with watch, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        adapter.value(inputs)
    return watch.extent


def extreme(inputs: Inputs) -> bool:
    """Whether an entry is so large or small that its third power overflows or underflows."""
    for value in inputs:
        if is_float(value) and value.layout == torch.strided:
            size, limit = value.abs(), third_root(value)
            size = size[torch.isfinite(size) & (size > 0)]
            if bool((size > limit).any()) or bool((size < 1 / limit).any()):
                return True
    return False


def third_root(number: Tensor) -> float:
    """The largest number whose third power does not overflow in the dtype of `number`."""
    return math.cbrt(torch.finfo(number.dtype).max)


def _numbers(values: Any) -> Iterator[Tensor]:
    """The floating-point tensors with entries, and the numbers, among the leaves of `values`."""
    for value in tree_leaves(values):
        if isinstance(value, Tensor):
            if is_float(value) and value.numel() and value.layout == torch.strided:
                yield value.detach()
        elif isinstance(value, float):
            yield torch.tensor(value, dtype=torch.float64)
