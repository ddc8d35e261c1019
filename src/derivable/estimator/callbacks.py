"""scikit-learn's callbacks, which came with 1.9; before that there are none, and no error.

A fit is a task with a hundred parts, each a hundredth of its steps. Where the parameters at the end
of a part are known, a callback may have the estimator as it is there.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from torch import Tensor

from derivable.descent import State
from derivable.estimator.messages import say
from derivable.network import Network

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:

    class CallbackSupportMixin:  # type: ignore[no-redef]  # it stands for what is not there
        """No `set_callbacks` before scikit-learn 1.9."""

    def with_callbacks(method: Any) -> Any:
        """The method as it is."""
        return method


__all__ = ["CallbackSupportMixin", "Watch", "with_callbacks"]

PARTS = 100


class Watch:
    """Tells the callbacks of one fit how far it is, and whether they want it to stop."""

    def __init__(self, estimator: Any, steps: int, **facts: Any) -> None:
        """`facts` are what a callback may ask for."""
        self._estimator, self._steps, self._parts = estimator, steps, 0
        self.stopped = False  # whether a callback wants no more
        self._facts = {"estimator": estimator, **facts}
        self._task = None
        if hasattr(estimator, "_init_callback_context"):
            self._task = estimator._init_callback_context(max_subtasks=PARTS)
            self._task.call_on_fit_task_begin(**self._facts)

    def look(self, state: State, taken: int, network_at: Callable[[Tensor], Network]) -> None:
        """Tell the callbacks how far the fit is, which has taken so many steps.

        `network_at(theta)` is what is fitted where the descent is at theta (P,). The descent is
        asked to stop where a callback wants no more.
        """
        if self._task is None or not hasattr(self._estimator, "_skl_callbacks"):
            return
        parts = PARTS * taken // max(self._steps, 1)
        fitted = partial(_fitted, network_at, state.theta)
        while self._parts < parts and not self.stopped:
            self._parts += 1
            part = self._task.subcontext(task_name="steps")
            part.call_on_fit_task_begin(**self._facts)
            known = fitted if self._parts == parts else None
            self.stopped = part.call_on_fit_task_end(**self._facts, reconstruction_attributes=known)
        if self.stopped:
            state.stop(say("asked"))

    def end(self) -> None:
        """The estimator is fitted."""
        if self._task is not None:
            self._task.call_on_fit_task_end(**self._facts, reconstruction_attributes={})


def _fitted(network_at: Callable[[Tensor], Network], theta: Tensor) -> dict[str, Network]:
    """What makes a fitted estimator of one that is being fitted."""
    return {"network_": network_at(theta)}
