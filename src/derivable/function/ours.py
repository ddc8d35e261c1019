"""Whether a class is a Function that can be a layer or a loss."""

from __future__ import annotations

from typing import Any

import torch

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
