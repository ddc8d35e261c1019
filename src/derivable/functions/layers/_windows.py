"""Options of a moving window, such as stride: one number for all axes, or one for each."""

from __future__ import annotations

from collections.abc import Sequence

from derivable.errors import SettingError
from derivable.functions.messages import say

Size = int | Sequence[int]


def per_axis(function: str, name: str, value: Size, axes: int, lowest: int) -> tuple[int, ...]:
    """`value` as one int per axis; a single one serves all axes."""
    numbers = tuple(value) if isinstance(value, tuple | list) else (value,)
    if len(numbers) == 1:
        numbers *= axes
    if len(numbers) != axes or not all(isinstance(n, int) and n >= lowest for n in numbers):
        raise SettingError(
            say(
                "per_axis",
                function=function,
                name=name,
                lowest=lowest,
                axes=axes,
                got=value,
                example=max(lowest, 1),
            )
        )
    return numbers
