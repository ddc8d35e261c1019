"""Numbers that are settings: what is refused, by name."""

from __future__ import annotations

import math
import operator
from numbers import Real
from typing import Any

from derivable.descent.messages import say
from derivable.errors import SettingError


def check_count(name: str, value: Any, least: int = 0) -> int:
    """The whole number that the setting of that name asks for, as an int."""
    try:
        count = operator.index(value)
    except TypeError:
        count = least - 1
    if count < least or isinstance(value, bool):
        raise SettingError(say("count", name=name, least=least, got=value))
    return count


def check_positive(name: str, value: Any) -> None:
    """Refuse a setting that is no positive number."""
    if not (isinstance(value, Real) and math.isfinite(value) and float(value) > 0):
        raise SettingError(say("positive", name=name, got=value))


def check_share(name: str, value: Any) -> None:
    """Refuse a setting that is not 0 or more and below 1."""
    if not (isinstance(value, Real) and 0 <= float(value) < 1):
        raise SettingError(say("share", name=name, got=value))
