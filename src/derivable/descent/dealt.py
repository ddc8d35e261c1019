"""Descents from many starts, dealt out to the processes of a group, in rounds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import torch

from derivable.descent.result import Descent
from derivable.distributed import Group
from derivable.network import Network
from derivable.tensors import from_bytes, to_bytes

OnEnd = Callable[[int, Descent], None]
SCHEDULED = "scheduled"  # a text beside a descent whose learning rate is a schedule


def deal(
    group: Group,
    run: Callable[[Sequence[int]], dict[int, Descent]],
    networks: Sequence[Network],
    lr: Any,
    on_end: OnEnd,
) -> dict[int, Descent]:
    """The descents from all `networks`, in every process; each runs some of them by `run`.

    A round is one descent for each thread of each process. After it, each process has all of
    its descents, and calls `on_end` for them in their order. The last round is the one in which a
    descent was interrupted, and `run` returns those that ended.
    """
    group.check_same("networks", str(len(networks)), "same_networks")
    threads = int(group.gather(torch.tensor(torch.get_num_threads())).min())
    results: dict[int, Descent] = {}
    for first in range(0, len(networks), threads * group.size):
        indices = range(first, min(first + threads * group.size, len(networks)))
        parts = [indices[rank :: group.size] for rank in range(group.size)]
        with group.agreed():
            own = run(parts[group.rank])
        own = {i: one for i, one in own.items() if not one.interrupted}
        for slot in range(threads):
            mine = next(iter(parts[group.rank][slot : slot + 1]), None)
            contents = group.contents(_packed(own.get(mine)) if mine is not None else b"")
            for part, content in zip(parts, contents, strict=True):
                if content:
                    results[part[slot]] = _unpacked(content, networks[part[slot]], lr)
        results |= own  # with the schedule and network that they have here
        for i in indices:
            if i not in results:
                return results
            on_end(i, results[i])
    return results


def _packed(run: Descent | None) -> bytes:
    if run is None:
        return b""
    scheduled = callable(run.lr)  # which may be a function of the user's, and is known everywhere
    tensors, texts = (replace(run, lr=None) if scheduled else run).pack()
    return to_bytes(tensors, texts | ({SCHEDULED: "yes"} if scheduled else {}))


def _unpacked(content: bytes, network: Network, lr: Any) -> Descent:
    tensors, texts = from_bytes(content)
    run = Descent.unpack(tensors, texts, network)
    return replace(run, lr=lr) if SCHEDULED in texts else run
