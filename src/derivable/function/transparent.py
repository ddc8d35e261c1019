"""`Transparent`: a mode in which `detach`, `.data` and `no_grad` have no effect."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

_CUTS = {Tensor.detach, Tensor.data.__get__}  # type: ignore[attr-defined]


class Transparent(TorchFunctionMode):
    """Within it, `.detach()`, `.data` and `torch.no_grad()` do not interrupt differentiation.

    Inside the forward of a Function nothing is recorded, so that they have no effect there, and
    authors write `ctx.save_for_backward(output.detach())`. When that forward runs again in order
    to be differentiated, or a backward in order to be transposed, they would silently make a
    constant of what depends on the inputs.
    """

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """The result of an operation; a view of the input in place of a detached tensor."""
        if func is torch._C._set_grad_enabled:
            return None
        if func in _CUTS:
            return args[0].view_as(args[0])
        return func(*args, **(kwargs or {}))
