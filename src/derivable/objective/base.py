"""What every objective offers, and nothing else."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor


class Objective(Protocol):
    """Anything with a loss and a gradient at a flat parameter vector `theta` of shape (P,)."""

    name: str

    def value_and_gradient(self, theta: Tensor) -> tuple[Tensor, Tensor]:
        """The loss, shape (), and its gradient, shape (P,), both in the dtype of `theta`.

        The caller may read them until the next call; after that their memory may be reused.
        """
        ...
