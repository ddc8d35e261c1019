"""Where a descent was now and then on its way: for a test loss there, say."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

import torch
from torch import Tensor

from derivable.device import CPU

MOST = 128  # of one descent
BEGINNING = tuple(2**k for k in range(10))
NUMBERS = 2**22  # that all of them may hold; fewer are taken of a large network


@dataclass
class Snapshots:
    """The parameters after some of the steps: the first, the last, and evenly many between.

    On a logarithmic axis the beginning is as long as the end, so there are also those after 1, 2,
    4, 8, ..., 512 steps, by when exact steps have come to the end of their first piece.
    """

    every: int  # steps from one to the next, about: exact steps stop between pieces
    doubling: bool = True  # those of the beginning
    at: list[int] = field(default_factory=list)
    taken: list[Tensor] = field(default_factory=list)  # (P,) each

    @classmethod
    def of(cls, steps: int, parameters: int) -> Self:
        """None taken yet, of a descent of so many steps."""
        most = max(2, min(MOST, NUMBERS // parameters))
        return cls(max(1, -(-steps // most)), doubling=most == MOST)

    def early(self, first: int, last: int) -> list[int]:
        """Those of the beginning after `first` and up to `last`."""
        return [step for step in BEGINNING if self.doubling and first < step <= last]

    def wanted(self, first: int, last: int) -> list[int]:
        """The steps after `first` and up to `last` of which there shall be one."""
        even = range(first - first % self.every + self.every, last + 1, self.every)
        return sorted({*self.early(first, last), *even})

    def take(self, step: int, theta: Tensor) -> None:
        """The one after `step` steps, unless there is one already."""
        if not self.at or step > self.at[-1]:
            self.at.append(step)
            self.taken.append(theta.to(CPU, copy=True))

    def forget_after(self, step: int) -> None:
        """Leave out those after `step`, which turned out not to count."""
        while self.at[-1] > step:
            self.at.pop(), self.taken.pop()

    @property
    def steps(self) -> Tensor:
        """(S,), int64: after how many steps each was taken."""
        return torch.tensor(self.at, dtype=torch.int64)

    @property
    def thetas(self) -> Tensor:
        """(S, P): the parameters there."""
        return torch.stack(self.taken)

    def copy(self) -> Self:
        """Another one, which goes on from the same."""
        return type(self)(self.every, self.doubling, self.at.copy(), self.taken.copy())
