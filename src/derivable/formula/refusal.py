"""`Refusal`: why a Function cannot be compiled."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Refusal:
    """The reason, as one sentence that names the Function and the operation."""

    text: str

    def __str__(self) -> str:
        return self.text


class NotPointwiseError(Exception):
    """Raised inside of the author's rule, to end it; its text is that of a Refusal."""
