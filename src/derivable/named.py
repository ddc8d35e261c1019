"""Settings as text, such as "huber:delta=0.5": the words of the command line, also for Python."""

from __future__ import annotations

import difflib
import runpy
from collections.abc import Mapping
from contextlib import suppress
from numbers import Real
from pathlib import Path
from typing import Any

import torch

from derivable.core_messages import say
from derivable.errors import SettingError
from derivable.examiner.capture.locations import error_line
from derivable.function import Function
from derivable.function.context import Context
from derivable.functions import losses
from derivable.loss import LOSSES, Loss

ALL_LOSSES: dict[str, type[Function]] = {
    name.lower(): getattr(losses, name) for name in losses.__all__
}

# What other packages call them.
ELSEWHERE = {
    "mae": "l1",
    "absolute_error": "l1",
    "mean_absolute_error": "l1",
    "rmse": "mse",
    "l2": "mse",
    "squared_error": "mse",
    "mean_squared_error": "mse",
    "smooth_l1": "huber",
    "log_cosh": "logcosh",
    "ce": "crossentropy",
    "cross_entropy": "crossentropy",
    "log_loss": "crossentropy",
}


def parse_loss(text: str, known: Mapping[str, type[Function]] = LOSSES) -> Loss:
    """A loss from text such as "mse", "huber:delta=0.5", or "file.py:MyLoss:delta=0.5".

    `known` are those with names: without it, the ones for targets that are any numbers. Runs the
    code of a file. Raises SettingError for a name or an option that is none, for a value that the
    loss refuses, and for a file that cannot be run or has no such Function.
    """
    path, rest = split_file(text)
    if path:
        name, _, settings = rest.partition(":")
        if not name:
            raise SettingError(say("whole_file", path=path))
        function = _function_of(path, name)
        options = _options(text, settings, "loss", "file.py:MyLoss:delta=0.5")
    else:
        name, options = named(text, tuple(known), "loss", "huber:delta=0.5")
        function = known[name]
    loss = Loss(function, **options)
    for parameter in loss.function._rules.signature.positional:
        value, default = options.get(parameter.name, parameter.default), parameter.default
        if isinstance(default, Real) and not isinstance(value, Real):
            gaps = {"option": parameter.name, "name": name, "got": value}
            raise SettingError(say("option_number", **gaps))
    if name in LOSSES:  # refuses values without a meaning
        loss.forward(Context(), torch.zeros(2, 1), torch.ones(2, 1))
    return loss


def split_file(text: str) -> tuple[str, str]:
    """The file of a loss such as "file.py:MyLoss:delta=0.5", and the rest; "" where it has none."""
    path, of_a_file, rest = text.strip().partition(".py:")
    if not of_a_file and path.endswith(".py"):
        return path, ""
    return (f"{path}.py", rest) if of_a_file else ("", text)


def loss_of(loss: Any, known: Mapping[str, type[Function]] = LOSSES) -> Loss:
    """The loss that is meant: a Function, a Loss, or text as `parse_loss` takes it."""
    return parse_loss(loss, known) if isinstance(loss, str) else Loss.of(loss)


def named(text: str, known: tuple[str, ...], what: str, example: str) -> tuple[str, dict[str, Any]]:
    """The name and the options of text such as "name:option=value,option=value"."""
    name, _, rest = text.strip().lower().partition(":")
    if name not in known:
        near = [ELSEWHERE.get(name, "")] if what == "loss" else []
        near = [one for one in near if one in known] or difflib.get_close_matches(name, known)
        hint = say("did_you_mean", name=near[0]) if near else say("options_like", example=example)
        meant = say(what)
        if what == "loss" and name in ALL_LOSSES:
            meant, hint = say("loss_of_numbers"), say("others_by_descend")
        raise SettingError(say("names_none", name=name, what=meant, known=list(known), hint=hint))
    return name, _options(text, rest, what, example)


def _function_of(path: str, name: str) -> Any:
    """The class of this name that a file defines; runs the file."""
    if not Path(path).is_file():
        raise SettingError(say("no_loss_file", path=path))
    try:
        names = runpy.run_path(path)
    except Exception as error:  # the user's code
        raise SettingError(say("loss_file_fails", path=path, error=error_line(error))) from None
    if name not in names:
        found = [n for n, v in names.items() if isinstance(v, type) and issubclass(v, Function)]
        own = [n for n in found if names[n].__module__ == "<run_path>"]
        listed = own or [say("none")]
        raise SettingError(say("not_defined", path=path, name=name, names=listed))
    return names[name]


def _options(text: str, rest: str, what: str, example: str) -> dict[str, Any]:
    """The options of text such as "option=value,option=value"."""
    options: dict[str, Any] = {}
    for part in filter(None, map(str.strip, rest.split(","))):
        option, equals, value = part.partition("=")
        if not equals:
            gaps = {"part": part, "text": text, "what": say(what)}
            raise SettingError(say("no_assignment", example=example, **gaps))
        option = option.strip().replace("-", "_")
        if option in options:
            raise SettingError(say("option_twice", option=option, what=say(what), text=text))
        options[option] = _value(value.strip())
    return options


def _value(text: str) -> Any:
    """A number, true or false, or a word."""
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    for kind in (int, float):
        with suppress(ValueError):
            return kind(text)
    return text
