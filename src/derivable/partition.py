"""How the rows of a table are cut into blocks and tasks, whoever computes them."""

from __future__ import annotations

from dataclasses import dataclass

ROWS = 256  # of a block at most: 8 features, 10 units, outputs and a target are 30 KB of float32
GRAIN = 64  # rows: blocks have a multiple of it, whatever the length of vectors
TASKS = 32  # shares of the table whose sums are added in order, whoever computes them


def part_of(count: int, part: int, parts: int) -> range:
    """The numbers that are in one of several parts of so many things, in order and equally long."""
    return range(*(count * one // parts for one in (part, part + 1)))


@dataclass(frozen=True)
class Partition:
    """A table of `rows` rows in blocks, and these in tasks, by the number of rows alone.

    A task is what one thread of one process computes: its sums over rows are added up in one order.
    The sums of the tasks are then added in the order of the tasks. So the bits of a loss or its
    gradient depend neither on the number of threads nor on that of processes.
    """

    rows: int

    @property
    def blocks(self) -> int:
        """Their number: 1, or an even one, so that two threads have the same to do."""
        return 1 if self.rows <= ROWS else 2 * -(-self.rows // (2 * ROWS))

    @property
    def grains(self) -> int:
        """How many times `GRAIN` rows there are, the last ones perhaps fewer."""
        return -(-self.rows // GRAIN)

    @property
    def tasks(self) -> int:
        """Their number. A task has two blocks at least, where there are as many.

        To add up a task's sums, which lie in the cache of another core, takes as long as a good
        part of a block.
        """
        return min(TASKS, -(-self.blocks // 2))

    def first_row(self, block: int) -> int:
        """The row with which a block begins; `rows` for the one behind the last.

        Blocks are as long as each other, or longer by one grain.
        """
        return min(self.rows, GRAIN * (block * self.grains // self.blocks))

    def blocks_of(self, tasks: range) -> range:
        """The blocks of some tasks that lie one after the other."""
        first, end = (task * self.blocks // self.tasks for task in (tasks.start, tasks.stop))
        return range(first, end)

    def rows_of(self, tasks: range) -> range:
        """Their rows."""
        blocks = self.blocks_of(tasks)
        return range(self.first_row(blocks.start), self.first_row(blocks.stop))

    def tasks_of(self, process: int, processes: int) -> range:
        """The tasks of one process of several."""
        return part_of(self.tasks, process, processes)
