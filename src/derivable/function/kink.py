"""`Kink`: a place where a function has no derivative, and the value that stands there instead."""

from __future__ import annotations

from typing import NamedTuple


class Kink(NamedTuple):
    """At input `at`, `backward` takes `chosen`; anything from `lowest` to `highest` is allowed."""

    at: float
    chosen: float
    lowest: float
    highest: float
