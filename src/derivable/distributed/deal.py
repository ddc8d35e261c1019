"""`deal`: from rows as the processes happen to have them to the rows of whole tasks."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from derivable.distributed.group import Group
from derivable.distributed.messages import say
from derivable.distributed.shard import Shard
from derivable.errors import SettingError
from derivable.partition import Partition
from derivable.storage import allocate


def deal(group: Group, columns: Mapping[str, Tensor | None]) -> tuple[dict[str, Tensor], Shard]:
    """The rows of the tasks of this process, from those that it has.

    The table is that of process 0, followed by that of process 1, and so on. `columns` are tensors
    of as many rows, by name; None is for what there is not.

    Raises SettingError in every process where the tensors of two of them do not go together, or
    where there are fewer tasks than processes.
    """
    given = {name: value for name, value in columns.items() if value is not None}
    forms = [f"{name} {tuple(one.shape[1:])} {one.dtype}" for name, one in given.items()]
    group.check_same("columns", ", ".join(forms), "one_form")
    own = len(next(iter(given.values())))
    counts = group.gather(torch.tensor(own)).tolist()
    partition = Partition(sum(counts))
    if partition.tasks < group.size:
        gaps = {"rows": partition.rows, "got": group.size}
        raise SettingError(say("few_rows", n=partition.tasks, **gaps))
    shard = Shard(group, partition)
    have, end = [], 0
    for count in counts:
        have.append(range(end, end + count))
        end += count
    dealt = {name: _moved(one, have, shard) for name, one in given.items()}
    return dealt, shard


def _moved(mine: Tensor, have: list[range], shard: Shard) -> Tensor:
    """The rows of the shard, of which each process has those in `have`."""
    group, partition = shard.group, shard.partition
    wanted = [partition.rows_of(partition.tasks_of(r, group.size)) for r in range(group.size)]
    own, rows = have[group.rank], shard.rows
    stays = own == rows  # those of others may move nevertheless
    found = mine if stays else allocate((len(rows), *mine.shape[1:]), mine.dtype)
    received, sent = {}, {}
    for rank in range(group.size):
        to_me, to_it = _common(have[rank], rows), _common(own, wanted[rank])
        if rank == group.rank:
            if not stays:
                found[_inside(to_me, rows)] = mine[_inside(to_me, own)]
            continue
        if to_me:
            received[rank] = found[_inside(to_me, rows)]
        if to_it:
            sent[rank] = mine[_inside(to_it, own)]
    group.exchange(sent, received)
    return found


def _common(one: range, other: range) -> range:
    """The rows in both."""
    start = max(one.start, other.start)
    return range(start, max(start, min(one.stop, other.stop)))


def _inside(rows: range, whole: range) -> slice:
    """The places of `rows` in `whole`, of which they are a part."""
    return slice(rows.start - whole.start, rows.stop - whole.start)
