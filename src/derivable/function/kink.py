"""`Kink`: an input at which a function has no derivative, and the slope that is used there."""

from __future__ import annotations

from typing import NamedTuple


class Kink(NamedTuple):
    """At input `at`, `backward` uses `chosen`; any slope from `lowest` to `highest` is right."""

    at: float
    chosen: float
    lowest: float
    highest: float
