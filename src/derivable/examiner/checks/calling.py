"""A target's `.apply` as a function of the examined inputs, for checks of transforms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from derivable.examiner.measure.extrapolation import largest_of
from derivable.examiner.targets.target import Adapter, is_float
from derivable.function.gradients import as_tuple


def handed(adapter: Adapter, apply: Callable[..., Any]) -> Callable[..., Any]:
    """`apply` as a function of the examined inputs, which are converted to what forward takes."""
    return lambda *inputs: apply(*adapter.given(inputs))


def only(
    apply: Callable[..., Any], inputs: list[Any], wanted: list[int]
) -> tuple[Callable[..., tuple[Tensor, ...]], list[Tensor]]:
    """`apply` as a function of the wanted inputs that returns its differentiable outputs."""
    plain = [inputs[i].detach() for i in wanted]
    probe = apply(*[v.detach().clone().requires_grad_() if i in wanted else v
                    for i, v in enumerate(inputs)])  # fmt: skip
    differentiable = [i for i, o in enumerate(as_tuple(probe)) if is_float(o) and o.requires_grad]

    def function(*values: Tensor) -> tuple[Tensor, ...]:
        everything = list(inputs)
        for i, value in zip(wanted, values, strict=True):
            everything[i] = value
        outputs = as_tuple(apply(*everything))
        return tuple(outputs[i] for i in differentiable)

    return function, plain


def near(first: Tensor, second: Tensor, noise: float = 0.0) -> bool:
    """Whether two gradients are the same to rounding, and to their `noise`, nan included."""
    scale = largest_of(second)
    return torch.allclose(first, second, rtol=1e-7, atol=1e-9 * scale + noise, equal_nan=True)
