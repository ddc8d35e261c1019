"""The sentence of the Functions that have a derivative on real numbers only."""

from __future__ import annotations

from torch import Tensor

from derivable.errors import SettingError
from derivable.functions.messages import say


def require_real(function: str, input: Tensor) -> None:
    """Refuse a complex input, where PyTorch would take it and a slope could not be right."""
    if input.is_complex():
        raise SettingError(say("real_input", function=function, dtype=input.dtype))
