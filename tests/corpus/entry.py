"""What one test case of the corpus is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Wrong:
    """A target whose backward is wrong, with inputs, and the causes that name its mistake.

    `causes` holds the ids of which the report's first finding must be one; the mistake's own name
    comes first, and others follow only where they describe the same mistake as truly.
    `argument` is the argument whose gradient is wrong, where it is one.
    """

    name: str
    target: Any
    inputs: Callable[[], Sequence[Any]]
    causes: tuple[str, ...]
    argument: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Right:
    """A target that is right, at inputs that cause false positives: it must produce none."""

    name: str
    target: Any
    inputs: Callable[[], Sequence[Any]]
    options: Mapping[str, Any] = field(default_factory=dict)
