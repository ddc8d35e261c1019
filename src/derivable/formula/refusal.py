"""`Refusal`: why a Function cannot be compiled."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Refusal:
    """The reason why a Function has no kernel, which names the Function and the operation."""

    text: str

    def __str__(self) -> str:
        return self.text


class NotPointwiseError(Exception):
    """Raised inside the author's rule to stop it; its text is that of a Refusal."""
