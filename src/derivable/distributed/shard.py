"""`Shard`: the rows of a table that one process has, and how sums over all rows are made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import torch
from torch import Tensor

from derivable.distributed.group import Group
from derivable.distributed.mailbox import CAPACITY, Mailbox
from derivable.partition import Partition


@dataclass(frozen=True, eq=False)
class Shard:
    """The rows of some tasks of a table, `partition`, in one process of a group."""

    group: Group
    partition: Partition

    @classmethod
    def of_all(cls, rows: int) -> Self:
        """All rows of a table, in this process alone."""
        return cls(Group.alone(), Partition(rows))

    @cached_property
    def tasks(self) -> range:
        """Those of this process."""
        return self.partition.tasks_of(self.group.rank, self.group.size)

    @cached_property
    def rows(self) -> range:
        """Those of this process, as they are numbered in the whole table."""
        return self.partition.rows_of(self.tasks)

    @property
    def blocks(self) -> range:
        """Those of its tasks."""
        return self.partition.blocks_of(self.tasks)

    def own_rows(self) -> list[slice]:
        """The rows of each task of this process, as they are numbered in this process."""
        first = self.rows.start
        parts = [self.partition.rows_of(range(task, task + 1)) for task in self.tasks]
        return [slice(part.start - first, part.stop - first) for part in parts]

    def gather(self, mine: Tensor) -> Tensor:
        """The sums of all tasks (tasks, W), from those of this process, in float64.

        Raises KeyboardInterrupt in all processes where one of them was interrupted.
        """
        if self.group.size == 1:
            return mine
        most, width = self._most, mine.size(1)
        message = mine.new_zeros(most * width + 1)
        message[: mine.numel()] = mine.flatten()
        message[-1] = float(self.group.take_interruption())
        box = self._mailbox if len(message) <= CAPACITY else None
        found = self.group.gather(message) if box is None else box.gather(message)  # (size, ...)
        if found[:, -1].any():
            raise KeyboardInterrupt
        each = [
            found[rank, : self._count(rank) * width].view(-1, width)
            for rank in range(self.group.size)
        ]
        return torch.cat(each)

    def total(self, compute: Callable[[slice], Tensor]) -> Tensor:
        """The sum over all tasks, in their order, of what is computed of the rows of each (W,)."""
        return self.added(torch.stack([compute(rows).double() for rows in self.own_rows()]))

    def added(self, mine: Tensor) -> Tensor:
        """The sum (W,) of those of all tasks in their order, from those of this process (t, W)."""
        found = self.gather(mine)
        total = found[0].clone()
        for one in found[1:]:
            total += one
        return total

    @cached_property
    def _mailbox(self) -> Mailbox | None:
        return Mailbox.of(self.group)

    @cached_property
    def _most(self) -> int:
        return max(self._count(rank) for rank in range(self.group.size))

    def _count(self, rank: int) -> int:
        return len(self.partition.tasks_of(rank, self.group.size))
