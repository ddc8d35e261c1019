"""`SharedRun`: a run that several processes work on, and one of them keeps."""

from __future__ import annotations

import json
from typing import Any

from derivable.comparison import DescentOrCheckpoint, Facts, Keeper, Trained
from derivable.comparison.steps import Steps
from derivable.descent import Rate
from derivable.distributed import Group
from derivable.messages import packed, unpacked
from derivable.protocol import Model
from derivable.run.folder import Run
from derivable.run.record import pack_trained, unpack_descent, unpack_trained
from derivable.tensors import from_bytes, to_bytes


class SharedRun(Keeper):
    """What the first process of a group keeps and knows, in each of its processes.

    `own` is the run of the first process; the others have none, and keep nothing.
    """

    def __init__(self, group: Group, own: Run | None) -> None:
        self._group, self._own = group, own or Keeper()
        self._seeds = own.seeds if own else ()

    def begin(self, facts: Facts) -> None:
        """Before the first model; where the table is refused, it is in every process."""
        self._facts = facts
        with self._group.agreed():
            self._own.begin(facts)

    def trained(self, model: Model) -> Trained | None:
        """The model, if it was finished before."""
        with self._group.agreed():
            own = self._own.trained(model)
        packed_own = b"" if own is None else to_bytes(*pack_trained(own, self._seeds))
        content = self._group.of_first(packed_own)
        return unpack_trained(*from_bytes(content), self._facts) if content else None

    def finish(self, result: Trained) -> None:
        """Keep a finished model."""
        with self._group.agreed():
            self._own.finish(result)

    def rate(self, model: Model) -> Rate | None:
        """The learning rate that was chosen before."""
        with self._group.agreed():
            own = self._own.rate(model)
        known: Any = None if own is None else [own.lr, packed(own.reason)]
        known = json.loads(self._group.of_first(json.dumps(known).encode()))
        return None if known is None else Rate(known[0], unpacked(known[1]))

    def keep_rate(self, model: Model, rate: Rate) -> None:
        """Keep the learning rate that was chosen now."""
        with self._group.agreed():
            self._own.keep_rate(model, rate)

    def keep_steps(self, steps: Steps) -> None:
        """Keep the number of steps that was chosen now."""
        with self._group.agreed():
            self._own.keep_steps(steps)

    def found(self, model: Model, seed: int) -> DescentOrCheckpoint | None:
        """How far the descent from this seed came before."""
        with self._group.agreed():
            own = self._own.found(model, seed)
        content = self._group.of_first(b"" if own is None else to_bytes(*own.pack()))
        if not content:
            return None
        sizes = len(self._facts.features), self._facts.width
        return unpack_descent(*from_bytes(content), lambda: model.network(*sizes, seed))

    def keep(self, model: Model, seed: int, found: DescentOrCheckpoint) -> None:
        """Keep how far the descent from this seed came."""
        self._own.keep(model, seed, found)
