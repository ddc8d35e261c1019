"""`writing_line`: the line of a forward that writes to one of its inputs in place."""

from __future__ import annotations

import traceback
from typing import Any

from torch import Tensor

from derivable.examiner.checks.returned import users_line
from derivable.examiner.finding import Source
from derivable.examiner.targets.placement import Placement
from derivable.examiner.targets.target import Adapter, Inputs, copied
from derivable.function.compiled import DispatchMode


class _Writes(DispatchMode):
    """Records the line of the first operation that changes the version of `watched`.

    PyTorch increments the version after the operation has returned, so it is read at the next one.
    """

    def __init__(self, watched: Tensor) -> None:
        super().__init__()
        self.watched, self.before = watched, watched._version
        self.line: Source | None = None

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if self.watched._version == self.before:
            self.line = users_line(traceback.extract_stack())
        return func(*args, **(kwargs or {}))


def writing_line(adapter: Adapter, inputs: Inputs, position: int) -> Source | None:
    """The line of forward that writes to the input at `position`; None if none is seen."""
    placement = adapter.placement
    copies = placement.there([copied(value, False) for value in adapter.given(inputs)])
    adapter.placement = Placement()  # forward is given the tensor that is watched
    try:
        with _Writes(copies[position]) as writes:
            adapter._run(copies, [position])
    except Exception:  # forward may not run while it is watched
        return None
    finally:
        adapter.placement = placement
    line: Source | None = writes.line
    return line
