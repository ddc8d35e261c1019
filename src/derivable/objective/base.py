"""What every objective offers, and nothing else."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from derivable.compiler.jit import Compiled


class Objective(ABC):
    """A loss, its gradient and its curvature at a flat parameter vector `theta` of shape (P,).

    `dtype` is that of the `theta` it takes, and of all that it returns. `piece` is how many steps
    are taken between two looks at the loss. `block` is how many until `begin_block` is called
    again: what a block's steps give follows from its first `theta` alone, so that a descent can go
    on from there with the same bits.
    """

    name: str
    dtype: torch.dtype
    piece: int = 500
    block: int = 500

    @abstractmethod
    def value_and_gradient(self, theta: Tensor) -> tuple[Tensor, Tensor]:
        """The loss, shape (), and its gradient, shape (P,).

        The caller may read them until the next call; after that their memory may be reused.
        """

    @abstractmethod
    def curvature(self, theta: Tensor, direction: Tensor) -> Tensor:
        """The Hessian of the loss, shape (P, P), times `direction` (P,), exactly: shape (P,)."""

    def routines(self, *, curvature: bool) -> list[Compiled]:
        """What of compiled code it needs, that for the curvature only where it is wanted."""
        return []

    def begin_block(self) -> None:  # noqa: B027  most remember nothing
        """Forget what earlier steps have left, but for `theta`."""

    def take_steps(self, theta: Tensor, lr: float, losses: Tensor) -> None:
        """Move `theta` by as many steps of gradient descent as there are `losses`.

        Each entry of `losses`, in float64, becomes the loss before its step. This is the plain
        loop; an objective overrides it where it can do the same faster.
        """
        for k in range(len(losses)):
            losses[k], gradient = self.value_and_gradient(theta)
            theta -= lr * gradient


def steps_per_block(rows: int) -> int:
    """So few that a block of passes over `rows` rows takes a moment, so many that it counts."""
    return max(1, min(500, 2**24 // max(rows, 1)))
