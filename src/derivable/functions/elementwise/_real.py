"""The sentence of the Functions that have a derivative on real numbers only."""

from __future__ import annotations

from torch import Tensor

from derivable.errors import SettingError


def require_real(function: str, input: Tensor) -> None:
    """Refuse a complex input, where PyTorch would take it and a slope could not be right."""
    if input.is_complex():
        raise SettingError(
            f"{function}: input must be real, got {input.dtype}; {function} is differentiated on "
            "real numbers only: give it input.real or input.imag"
        )
