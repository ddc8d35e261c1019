"""The methods by name, and the one that is meant."""

from __future__ import annotations

from typing import Any

from derivable.descent.auto import Auto
from derivable.descent.blocks import StepByStep
from derivable.descent.checkpoint import Checkpoint
from derivable.descent.flow import Flow
from derivable.descent.gradient_descent import GradientDescent
from derivable.descent.lbfgs import LBFGS
from derivable.descent.messages import say
from derivable.descent.method import Method
from derivable.descent.optimisers import Adam, Momentum, Nesterov
from derivable.descent.spectral import Spectral
from derivable.errors import SettingError

METHODS: dict[str, type[Method]] = {
    kind.name: kind
    for kind in (Auto, GradientDescent, Spectral, Flow, Momentum, Nesterov, Adam, LBFGS)
}


def method_of(method: Any, start: Checkpoint | None = None) -> Method:
    """The method that is given by name or as an object; that of a checkpoint to go on from.

    Raises SettingError for one that is unknown, or not that of the checkpoint.
    """
    if isinstance(method, Method) and not hasattr(method, "name"):
        raise SettingError(say("unnamed_method", name=type(method).__name__))
    if not isinstance(method, (str, Method)) or (
        isinstance(method, str) and method not in METHODS and not (start and method == start.method)
    ):
        raise SettingError(say("method", names=list(METHODS), got=method))
    if start is None:
        return METHODS[method]() if isinstance(method, str) else method
    name = method if isinstance(method, str) else method.name
    if name not in (Auto.name, start.method):
        raise SettingError(say("start_method", then=start.method, now=name))
    if isinstance(method, Method) and not isinstance(method, Auto):
        _check_settings(method, start)
        return method
    if start.method not in METHODS:
        raise SettingError(say("start_foreign", then=start.method))
    return METHODS[start.method](**start.settings)


def in_batches(name: str, size: int | None, seed: int = 0) -> str | Method:
    """The method of that name, in mini-batches of `size` rows where a size is given.

    Raises SettingError for one that takes no steps on part of the table.
    """
    kind = METHODS[name]
    if size is None:
        return name
    if not issubclass(kind, StepByStep):
        known = [name for name, one in METHODS.items() if issubclass(one, StepByStep)]
        raise SettingError(say("batch_size", known=known, name=name))
    return kind(batch_size=size, seed=seed)


def _check_settings(method: Method, start: Checkpoint) -> None:
    """Refuse other settings than those of the checkpoint."""
    for name, value in method.settings.items():
        was = start.settings.get(name)
        was = tuple(was) if isinstance(was, list) else was  # JSON has no tuples
        if value != was and name not in method.adjustable:
            gaps = {"name": name, "then": was, "now": value}
            raise SettingError(say("start_setting", method=method.name, **gaps))
