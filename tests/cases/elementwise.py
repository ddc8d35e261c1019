"""Cases of the elementwise Functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from derivable import Function
from derivable.functions import (
    ELU,
    GELU,
    SELU,
    Abs,
    Cos,
    Exp,
    Hardswish,
    Hardtanh,
    LeakyReLU,
    Log,
    LogSigmoid,
    Mish,
    ReLU,
    ReLU6,
    Sigmoid,
    SiLU,
    Sin,
    Softplus,
    Softsign,
    Sqrt,
    Square,
    Tanh,
)
from tests.cases.case import Case, Make

Draw = Callable[..., Tensor]  # make and a shape


def _normal(make: Make, *shape: int) -> Tensor:
    return make(*shape)


def _wide(*points: float) -> Draw:
    """Numbers from about -4 to 4, none near `points`."""
    return lambda make, *shape: make.away(points, *shape)


def _complex(make: Make, *shape: int) -> Tensor:
    return torch.complex(make(*shape), make(*shape))


def _gelu(input: Tensor, approximate: str) -> Tensor:
    return F.gelu(input, approximate=approximate)


def _case(
    function: type[Function],
    draw: Draw,
    reference: Callable[..., Any],
    label: str,
    *options: Any,
    shape: tuple[int, ...] = (5, 3),
) -> Case:
    """One Function with these options, on these numbers."""
    return Case(function, lambda make: [draw(make, *shape), *options], reference, label)


def _shapes(
    function: type[Function], draw: Draw, reference: Callable[..., Any], *options: Any
) -> list[Case]:
    """One Function in every shape that is special: a matrix first, then none, no entry, one."""
    shapes: dict[str, tuple[int, ...]] = {"": (5, 3), "0d": (), "empty": (0, 3), "size-1": (1,)}
    return [
        _case(function, draw, reference, label, *options, shape=shape)
        for label, shape in shapes.items()
    ]


ELEMENTWISE = [
    *_shapes(Tanh, _normal, torch.tanh),
    _case(Tanh, _complex, torch.tanh, "complex"),
    *_shapes(ReLU, _wide(0), torch.relu),
    *_shapes(Sigmoid, _normal, torch.sigmoid),
    _case(Sigmoid, _complex, torch.sigmoid, "complex"),
    *_shapes(LogSigmoid, _wide(), F.logsigmoid),
    *_shapes(Softplus, _wide(), F.softplus, 1.0, 20.0),
    _case(Softplus, _wide(0.75), F.softplus, "options", 2.0, 1.5),
    *_shapes(Softsign, _wide(0), F.softsign),
    *_shapes(GELU, _wide(), _gelu, "none"),
    _case(GELU, _wide(), _gelu, "tanh", "tanh"),
    *_shapes(SiLU, _wide(), F.silu),
    *_shapes(Mish, _wide(), F.mish),
    *_shapes(LeakyReLU, _wide(0), F.leaky_relu, 0.01),
    _case(LeakyReLU, _wide(0), F.leaky_relu, "steep", 1.3),
    *_shapes(ELU, _wide(0), F.elu, 1.0),
    _case(ELU, _wide(0), F.elu, "alpha", 0.7),
    *_shapes(SELU, _wide(0), torch.selu),
    *_shapes(Hardtanh, _wide(-1, 1), F.hardtanh, -1.0, 1.0),
    _case(Hardtanh, _wide(-2, 0.5), F.hardtanh, "bounds", -2.0, 0.5),
    *_shapes(ReLU6, _wide(0, 6), F.relu6),
    *_shapes(Hardswish, _wide(-3, 3), F.hardswish),
    *_shapes(Exp, _normal, torch.exp),
    _case(Exp, _complex, torch.exp, "complex"),
    *_shapes(Log, Make.positive, torch.log),
    _case(Log, _complex, torch.log, "complex"),
    *_shapes(Sqrt, Make.positive, torch.sqrt),
    _case(Sqrt, _complex, torch.sqrt, "complex"),
    *_shapes(Square, _normal, torch.square),
    _case(Square, _complex, torch.square, "complex"),
    *_shapes(Abs, _wide(0), torch.abs),
    *_shapes(Sin, _wide(), torch.sin),
    _case(Sin, _complex, torch.sin, "complex"),
    *_shapes(Cos, _wide(), torch.cos),
    _case(Cos, _complex, torch.cos, "complex"),
]
