"""`Training`: what is minimised and how, the same for each model of a comparison."""

from __future__ import annotations

import difflib
import runpy
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from functools import partial
from numbers import Real
from pathlib import Path
from typing import Any, Self

import torch

from derivable.data import Split
from derivable.descent import Cosine, EarlyStopping, StepDecay, WarmUp
from derivable.descent.checks import check_count
from derivable.descent.methods import METHODS
from derivable.descent.schedules import Schedule
from derivable.errors import DataError, SettingError
from derivable.examiner.capture.places import told
from derivable.function import Function
from derivable.function.context import Context
from derivable.functions import MSE, losses
from derivable.loss import LOSSES, AnyLoss, Loss
from derivable.problem import check_not_negative

SCHEDULES = {"cosine": Cosine, "step": StepDecay, "warm-up": WarmUp}
VALIDATION, PATIENCE = 0.1, 10
EVERY = 100  # steps from one evaluation on the rows held out to the next
WORDS = ("loss", "penalty", "schedule", "early_stopping", "patience", "validation")


@dataclass(frozen=True)
class Training:
    """What is minimised and how, the same for each model of a comparison.

    `loss` and `penalty` are those of a `Problem`. `schedule` makes the learning rate of each step
    from that of the model, such as `partial(Cosine, warm_up=100)`; without it, it stays the same.
    With a `patience`, the share `validation` of the training rows, the last ones, is held out, and
    a descent ends where the loss on these has not fallen in so many evaluations, one in 100 steps,
    and goes back to where it was least.

    Raises SettingError for settings without a meaning.
    """

    loss: AnyLoss = MSE
    penalty: float = 0.0
    schedule: Callable[[float], Schedule] | None = None
    patience: int | None = None
    validation: float = VALIDATION

    def __post_init__(self) -> None:
        object.__setattr__(self, "loss", Loss.of(self.loss))
        check_not_negative("penalty", self.penalty)
        if self.patience is not None:
            check_count("patience", self.patience, 1)
        if not (isinstance(self.validation, Real) and 0 < self.validation < 1):
            raise SettingError(
                "validation is the share of the training rows that is held out, a number between "
                f"0 and 1, got {self.validation!r}"
            )

    @classmethod
    def of_words(
        cls,
        *,
        loss: str = "mse",
        penalty: float = 0.0,
        schedule: str | None = None,
        early_stopping: bool = False,
        patience: int | None = None,
        validation: float | None = None,
    ) -> Self:
        """The same from the words of the command line, which a run folder keeps.

        Raises SettingError for words that have no meaning, or none together.
        """
        for name, value in (("patience", patience), ("validation", validation)):
            if value is not None and not early_stopping:
                raise SettingError(f"--{name} goes with --early-stopping; give that as well")
        return cls(
            loss=parse_loss(loss),
            penalty=penalty,
            schedule=None if schedule is None else parse_schedule(schedule),
            patience=(PATIENCE if patience is None else patience) if early_stopping else None,
            validation=VALIDATION if validation is None else validation,
        )

    @property
    def is_plain(self) -> bool:
        """Whether it is that of the lab sheet: the mean squared error and nothing else."""
        return replace(self, validation=VALIDATION) == PLAIN

    def rate(self, lr: float) -> float | Schedule:
        """The learning rate of a descent, from that of the model."""
        return lr if self.schedule is None else self.schedule(lr)

    def check_method(self, method: str) -> None:
        """Refuse a method that takes no single steps where every step counts."""
        what = "a schedule" if self.schedule is not None else "early stopping"
        kind = METHODS.get(method)
        if self.schedule is None and self.patience is None:
            return
        if kind is not None and method != "auto" and not kind.step_by_step:
            known = [name for name, one in METHODS.items() if one.step_by_step]
            raise SettingError(
                f"{what} goes with methods that take every step, {', '.join(known)} (auto takes "
                f"exact steps then); got method {method!r}"
            )

    def hold_out(self, split: Split) -> tuple[Split, Split | None]:
        """The split with the rows that train, and that with the rows held out, if any.

        Raises DataError where one of them would be left without rows.
        """
        if self.patience is None:
            return split, None
        rows = len(split.x_train)
        cut = rows - round(self.validation * rows)
        if cut in (0, rows):
            raise DataError(
                f"{self.validation:g} of {rows} training rows leaves none "
                f"{'to train' if cut == 0 else 'for validation'}; choose another --validation"
            )
        train, held = slice(cut), slice(cut, rows)
        x, y = split.x_train, split.y_train
        return (
            replace(split, x_train=x[train], y_train=y[train]),
            replace(split, x_train=x[held], y_train=y[held]),
        )

    def settings(self, held: Split | None) -> dict[str, Any]:
        """Those of `descend_many`, but for the learning rate."""
        callbacks = partial(self._callbacks, held)
        return {"loss": self.loss, "penalty": self.penalty, "callbacks": callbacks}

    def _callbacks(self, held: Split | None, i: int) -> list[EarlyStopping]:
        """Those of descent i: early stopping on the rows held out, or none."""
        if held is None or self.patience is None:
            return []
        return [EarlyStopping(held.x_train, held.y_train, every=EVERY, patience=self.patience)]


PLAIN = Training()


def parse_loss(text: str) -> Loss:
    """A loss from text such as "mse", "huber:delta=0.5", or "file.py:MyLoss:delta=0.5".

    Runs the code of a file. Raises SettingError for a name or an option that is none, for a value
    that the loss refuses, and for a file that cannot be run or has no such Function.
    """
    path, of_a_file, rest = text.strip().partition(".py:")
    if of_a_file:
        name, _, settings = rest.partition(":")
        function = _function_of(f"{path}.py", name)
        options = _options(text, settings, "loss", "file.py:MyLoss:delta=0.5")
    else:
        name, options = _named(text, tuple(LOSSES), "loss", "huber:delta=0.5")
        function = LOSSES[name]
    loss = Loss(function, **options)
    for parameter in loss.function._rules.signature.positional:
        value, default = options.get(parameter.name, parameter.default), parameter.default
        if isinstance(default, Real) and not isinstance(value, Real):
            raise SettingError(f"{parameter.name} of {name} must be a number, got {value!r}")
    loss.forward(Context(), torch.zeros(2, 1), torch.ones(2, 1))  # refuses values without a meaning
    return loss


def parse_schedule(text: str) -> Callable[[float], Schedule]:
    """What makes a schedule of a learning rate, from text such as "cosine:warm_up=100".

    Raises SettingError for a name, an option or a value that is none.
    """
    name, options = _named(text, tuple(SCHEDULES), "schedule", "cosine:warm_up=100")
    kind: Any = SCHEDULES[name]
    known = [field.name for field in fields(kind) if field.name != "lr"]
    for option in options:
        if option not in known:
            raise SettingError(
                f"the schedule {text!r} has no option {option!r}; its options are "
                f"{', '.join(known)}"
            )
    make: Callable[[float], Schedule] = partial(kind, **options)
    make(1.0)  # refuses values without a meaning
    return make


def _named(
    text: str, known: tuple[str, ...], what: str, example: str
) -> tuple[str, dict[str, Any]]:
    """The name and the options of text such as "name:option=value,option=value"."""
    name, _, rest = text.strip().lower().partition(":")
    if name not in known:
        near = difflib.get_close_matches(name, known)
        hint = f"did you mean {near[0]}?" if near else f"options go like {example}"
        if what == "loss" and name in map(str.lower, losses.__all__):
            what = "loss for a table whose targets are any numbers"
            hint = "descend(network, loss, x, y) takes the others"
        raise SettingError(f"{name!r} names no {what}: expected one of {', '.join(known)}; {hint}")
    return name, _options(text, rest, what, example)


def _function_of(path: str, name: str) -> Any:
    """The class of this name that a file defines; runs the file."""
    if not Path(path).is_file():
        raise SettingError(f"there is no file {path}, which --loss names; its code would be run")
    try:
        names = runpy.run_path(path)
    except Exception as error:  # the user's code
        raise SettingError(f"{path}, which --loss names, cannot be run: {told(error)}") from None
    if name not in names:
        found = [n for n, v in names.items() if isinstance(v, type) and issubclass(v, Function)]
        own = [n for n in found if names[n].__module__ == "<run_path>"]
        raise SettingError(
            f"{path} defines no {name!r}; its Functions are {', '.join(own) or 'none'}"
        )
    return names[name]


def _options(text: str, rest: str, what: str, example: str) -> dict[str, Any]:
    """The options of text such as "option=value,option=value"."""
    options: dict[str, Any] = {}
    for part in filter(None, map(str.strip, rest.split(","))):
        option, equals, value = part.partition("=")
        if not equals:
            raise SettingError(
                f"{part!r} in {text!r} is no option=value of the {what}; for example {example}"
            )
        option = option.strip().replace("-", "_")
        if option in options:
            raise SettingError(f"the option {option} of the {what} {text!r} is given twice")
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
