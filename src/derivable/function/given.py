"""What may be given in the place of a Function class, and how it is named where it is refused."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from derivable.errors import SettingError
from derivable.function.function import Function
from derivable.function.messages import say


def is_ours(value: Any) -> bool:
    """Whether it is a Function class with both rules.

    Raises SettingError for a class of `torch.autograd.Function`, which has to be derived anew.
    """
    if not isinstance(value, type):
        return False
    if issubclass(value, torch.autograd.Function) and not issubclass(value, Function):
        raise SettingError(say("of_torch", name=value.__name__))
    return issubclass(value, Function) and hasattr(value, "_rules")


def shown_function(value: Any) -> str:
    """An object of a Function class as such, a tensor by its shape, all else as Python shows it."""
    if isinstance(value, Tensor):
        return f"Tensor {tuple(value.shape)}"
    is_object = isinstance(value, torch.autograd.Function)
    return say("an_object", name=type(value).__name__) if is_object else repr(value)
