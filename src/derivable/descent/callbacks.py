"""What is called between blocks of steps: the state of the descent, and what is called with it.

A callback is any callable that takes a `State`. Where it has an attribute `every`, a whole number,
it is called after each multiple of so many steps and at the end; otherwise at the end of every
block, or of every stride of a method that has no blocks. Where it is a context manager too, it is
entered before the first step and left at the end, however the descent ends. Where it has a method
`memory()`, the tensors by name that this returns are kept in the checkpoints on the way, and a
descent that goes on from one of those calls `recall(memory, checkpoint)` before the first step;
so does one that an interruption takes back to the end of its last block.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from derivable.descent.checkpoint import Checkpoint, group
from derivable.descent.messages import say
from derivable.errors import SettingError
from derivable.network import Network
from derivable.problem import Problem


class Stop(KeyboardInterrupt):
    """A callback has asked to stop: the descent ends where it is."""


@dataclass
class State:
    """Where a descent is, between two blocks of steps."""

    step: int  # the number of steps that were taken
    steps: int  # that were asked for
    loss: float  # before the last step; at the end, after it
    theta: Tensor  # (P,): the parameters, to read; `clone()` them to keep them
    problem: Problem
    resumable: bool  # whether what goes on from here has the bits of what is never stopped
    make_checkpoint: Callable[[], Checkpoint] = field(repr=False)
    reason: str = ""  # why it shall stop, where it shall
    back_to: Checkpoint | None = None  # where it shall end, if not here
    converged: bool = False  # before all steps were taken, and no more will be

    @property
    def ended(self) -> bool:
        """Whether no more steps will be taken."""
        return self.converged or self.step == self.steps

    @property
    def network(self) -> Network:
        """A copy of the network as it is here, in evaluation mode."""
        return self.problem.network.trained(self.theta)

    def checkpoint(self) -> Checkpoint:
        """A checkpoint here, from which `descend(..., start=...)` goes on."""
        return self.make_checkpoint()

    def stop(self, reason: str, back_to: Checkpoint | None = None) -> None:
        """Ask the descent to end here, or at an earlier checkpoint; `Descent.stopped` has why."""
        self.reason, self.back_to = reason, back_to


Callback = Callable[[State], Any]


class Callbacks:
    """Several callbacks as one. Raises SettingError where one is none."""

    def __init__(self, given: Callback | Sequence[Callback]) -> None:
        self._each: tuple[Any, ...] = tuple(given) if isinstance(given, Sequence) else (given,)
        for callback in self._each:
            if isinstance(callback, type):
                raise SettingError(say("on_block_class", name=callback.__name__))
            if not callable(callback):
                raise SettingError(say("on_block", kind=type(callback).__name__))
            every = getattr(callback, "every", 1)
            if not isinstance(every, int) or every < 1:
                raise SettingError(say("every", name=type(callback).__name__, got=every))

    @property
    def periodic(self) -> str:
        """The name of one that is called after so many steps; empty where none is."""
        return next((type(one).__name__ for one in self._each if hasattr(one, "every")), "")

    def next_step(self, done: int, end: int) -> int:
        """The next step after `done` at which one is to be called, `end` at the latest."""
        periods: list[int] = [
            callback.every for callback in self._each if hasattr(callback, "every")
        ]
        return min([done - done % every + every for every in periods] + [end])

    @contextmanager
    def entered(self, start: Checkpoint | None = None) -> Iterator[None]:
        """Enter those that are context managers; give back what they remembered at `start`."""
        with ExitStack() as stack:
            for callback in self._each:
                if hasattr(callback, "__enter__"):
                    stack.enter_context(callback)
            if start is not None:
                self.recall(start.callbacks, start)
            yield

    def memory(self) -> dict[str, Tensor]:
        """What those with a memory remember, for a checkpoint."""
        return {
            name + key: value
            for name, callback in self._remembering()
            for key, value in callback.memory().items()
        }

    def recall(self, memory: dict[str, Tensor], checkpoint: Checkpoint) -> None:
        """Give it back to them: what they remembered at that checkpoint, which may be nothing."""
        for name, callback in self._remembering():
            callback.recall(group(name, memory), checkpoint)

    def _remembering(self) -> list[tuple[str, Any]]:
        """Those with a memory, and what the names of their tensors begin with."""
        have = [one for one in self._each if hasattr(one, "memory")]
        return [(f"{i}.{type(one).__name__}.", one) for i, one in enumerate(have)]

    def __call__(self, state: State) -> None:
        """Call each that is due."""
        for callback in self._each:
            if state.ended or state.step % getattr(callback, "every", 1) == 0:
                callback(state)
