"""scikit-learn's callbacks, which exist from version 1.9 on; with older versions there are none.

A fit is a task with a hundred parts, each a hundredth of its steps. If the parameters at the end
of a part are known, a callback receives the estimator in this state.
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

    class CallbackSupportMixin:  # type: ignore[no-redef]  # a substitute for older versions
        """A class without `set_callbacks`, for scikit-learn before 1.9."""

    def with_callbacks(method: Any) -> Any:
        """The method as it is."""
        return method


__all__ = ["CallbackSupportMixin", "Watch", "with_callbacks"]

PARTS = 100


class Watch:
    """Calls the callbacks of one fit, and records whether one of them stops it."""

    def __init__(self, estimator: Any, steps: int, **facts: Any) -> None:
        """`facts` are passed to the callbacks."""
        self._estimator, self._steps, self._parts = estimator, steps, 0
        self.stopped = False  # whether a callback has stopped the fit
        self._facts = {"estimator": estimator, **facts}
        self._task = None
        if hasattr(estimator, "_init_callback_context"):
            self._task = estimator._init_callback_context(max_subtasks=PARTS)
            self._task.call_on_fit_task_begin(**self._facts)

    def notify(self, state: State, taken: int, network_at: Callable[[Tensor], Network]) -> None:
        """Call the callbacks for each part that is completed after `taken` steps.

        `network_at(theta)` is the fitted network for the parameters theta (P,). Stops the descent
        if a callback stops the fit.
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
        """Call the callbacks at the end of the fit."""
        if self._task is not None:
            self._task.call_on_fit_task_end(**self._facts, reconstruction_attributes={})


def _fitted(network_at: Callable[[Tensor], Network], theta: Tensor) -> dict[str, Network]:
    """The attributes that make the estimator a fitted one."""
    return {"network_": network_at(theta)}
