"""ReLU6: the positive part, at most 6."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from derivable.function.elementwise import Elementwise
from derivable.function.examples import uniform
from derivable.function.kernel import Kernel, like, straight
from derivable.function.kink import Kink
from derivable.functions.elementwise.hardtanh import Hardtanh


def _value(x: Any) -> Any:
    return min(max(x, like(x, 0)), like(x, 6))


def _slope(x: Any, output: Any) -> Any:
    return like(x, 1) if like(x, 0) < x < like(x, 6) else like(x, 0)


class ReLU6(Elementwise):
    """Positive part of every entry, at most 6.

    Forward   output = min(max(input, 0), 6)                                    (...)
    Backward  d loss / d input = grad_output where 0 < input < 6, else 0        (...)
    Shapes    input (...) -> (...)
    Kinks     input = 0 and input = 6: value chosen 0, values allowed 0 to 1
    Saves     input
    Raises    NotATensorError
    Source    Hardtanh with the bounds 0 and 6
    """

    kernel = Kernel(_value, _slope, straight)

    kinks = (Kink(0.0, chosen=0.0, lowest=0.0, highest=1.0), Kink(6.0, 0.0, 0.0, 1.0))

    @staticmethod
    def function(input: Tensor) -> Tensor:
        return torch.nn.functional.relu6(input)  # (...)

    @staticmethod
    def slope(input: Tensor) -> Tensor:
        return Hardtanh.slope(input, 0.0, 6.0)  # (...)

    @staticmethod
    def examples() -> list[tuple[Any, ...]]:
        return [(uniform(-4, 10, 4, 3),)]
