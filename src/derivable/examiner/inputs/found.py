"""Inputs for a target that nothing called: chosen from its forward, with what was chosen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from derivable.examiner.finding import Message


@dataclass(frozen=True)
class Found:
    """Inputs at which a forward runs; `message` states what was chosen."""

    inputs: tuple[Any, ...]
    message: Message
    options: Mapping[str, Any] = field(default_factory=dict)


def found_inputs(target: Any) -> Found | None:
    """Inputs at which `target` can be examined; None where none are found."""
    return None
