"""`Training`: what is minimised and how, the same for each model of a comparison."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from functools import partial
from numbers import Real
from typing import TYPE_CHECKING, Any, Self

import torch
from torch import Tensor

from derivable.comparison.messages import say
from derivable.data import Split
from derivable.descent import EarlyStopping
from derivable.descent.checks import check_count
from derivable.descent.method import Method
from derivable.descent.methods import METHODS
from derivable.descent.schedules import SCHEDULES, Schedule, Scheduled
from derivable.errors import DataError, DerivableError, SettingError
from derivable.function.context import Context
from derivable.functions import MSE, CrossEntropy
from derivable.loss import CLASS_LOSSES, LOSSES, AnyLoss, Loss
from derivable.named import loss_of, named, parse_loss
from derivable.problem import check_not_negative

if TYPE_CHECKING:
    from derivable.comparison.result import Facts

VALIDATION, PATIENCE = 0.1, 10
EVERY = 100  # steps from one evaluation on the rows held out to the next
WORDS = (
    "loss", "penalty", "schedule", "early_stopping", "patience", "validation", "class_weight",
)  # fmt: skip
BALANCED = "balanced"


@dataclass(frozen=True)
class Training:
    """What is minimised and how, the same for each model of a comparison.

    `loss` and `penalty` are those of a `Problem`; `loss` may be text, such as "huber:delta=0.5".
    Left out, it is the mean squared error of targets that are numbers and the cross-entropy of
    classes. With `class_weight` "balanced", rows count such that all classes count the same.
    `schedule` makes the learning rate of each step
    from that of the model, such as `partial(Cosine, warm_up=100)`, or is text, such as
    "cosine:warm_up=100"; without it, it stays the same.
    With a `patience`, the share `validation` of the training rows, the last ones, is held out, and
    a descent ends where the loss on these has not fallen in so many evaluations, one in 100 steps,
    and goes back to where it was least.

    Raises SettingError for settings without a meaning.
    """

    loss: AnyLoss | str | None = None
    penalty: float = 0.0
    schedule: Callable[[float], Schedule] | str | None = None
    patience: int | None = None
    validation: float = VALIDATION
    class_weight: str | None = None

    def __post_init__(self) -> None:
        if self.loss is not None:
            object.__setattr__(self, "loss", loss_of(self.loss, {**LOSSES, **CLASS_LOSSES}))
        if isinstance(self.schedule, str):
            object.__setattr__(self, "schedule", parse_schedule(self.schedule))
        of_one_rate = isinstance(self.schedule, Scheduled)  # and a model has its own
        if self.schedule is not None and (of_one_rate or not callable(self.schedule)):
            raise SettingError(say("schedule", got=self.schedule))
        if self.class_weight not in (None, BALANCED):
            raise SettingError(say("class_weight", got=self.class_weight))
        check_not_negative("penalty", self.penalty)
        if self.patience is not None:
            check_count("patience", self.patience, 1)
        if not (isinstance(self.validation, Real) and 0 < self.validation < 1):
            raise SettingError(say("validation", got=self.validation))

    @classmethod
    def of_words(
        cls,
        *,
        loss: str | None = None,
        penalty: float = 0.0,
        schedule: Callable[[float], Schedule] | str | None = None,
        early_stopping: bool = False,
        patience: int | None = None,
        validation: float | None = None,
        class_weight: str | None = None,
    ) -> Self:
        """The same from the words of the command line, which a run folder keeps.

        Raises SettingError for words that have no meaning, or none together.
        """
        for name, value in (("patience", patience), ("validation", validation)):
            if value is not None and not early_stopping:
                raise SettingError(say("with_early_stopping", name=name))
        return cls(
            loss=None if loss is None else parse_loss(loss, {**LOSSES, **CLASS_LOSSES}),
            penalty=penalty,
            schedule=schedule,
            patience=(PATIENCE if patience is None else patience) if early_stopping else None,
            validation=VALIDATION if validation is None else validation,
            class_weight=class_weight,
        )

    @property
    def is_plain(self) -> bool:
        """Whether it is that of the lab sheet: the mean squared error and nothing else."""
        other = replace(self, validation=VALIDATION, loss=None)
        return other == PLAIN and self.loss in (None, Loss(MSE))

    def of_targets(self, targets: Sequence[str], classes: Sequence[str]) -> Self:
        """The same with the loss that goes with targets, which may be one of `classes`.

        Raises SettingError for settings that do not go with them.
        """
        if self.class_weight is not None and not classes:
            raise SettingError(say("weight_of_numbers", target=targets[0]))
        if self.loss is None:
            return replace(self, loss=CrossEntropy if classes else MSE)
        loss = Loss.of(self.loss)
        if classes and loss.function in CLASS_LOSSES.values():
            _try(loss, len(classes))  # raises what is wrong with its options
        elif classes and not _takes_labels(loss, len(classes)):
            gaps = {"target": targets[0], "n": len(classes), "loss": loss.name}
            raise SettingError(say("no_labels", **gaps))
        if not classes and loss.function in CLASS_LOSSES.values():
            raise SettingError(say("loss_of_classes", loss=loss.name, target=targets[0]))
        return self

    def row_weights(self, labels: Tensor, known: Split | Facts) -> Tensor | None:
        """How much each row with one of the `labels` (N,) counts; None where all count alike.

        Balanced, a row counts as its class has fewer of the rows that train than the mean class.
        `known` has the number of rows of each class that train.
        """
        if self.class_weight is None:
            return None
        sizes = known.class_sizes
        return (int(sizes.sum()) / (len(sizes) * sizes.clamp(min=1).double()))[labels]

    def rate(self, lr: float) -> float | Schedule:
        """The learning rate of a descent, from that of the model."""
        assert not isinstance(self.schedule, str)  # it is parsed
        return lr if self.schedule is None else self.schedule(lr)

    def check_method(self, method: str | Method) -> None:
        """Refuse a method that takes no single steps where every step counts."""
        kind = type(method) if isinstance(method, Method) else METHODS.get(method)
        name = method.name if isinstance(method, Method) else method
        if self.schedule is None and self.patience is None:
            return
        if kind is not None and name != "auto" and not kind.step_by_step:
            known = [name for name, one in METHODS.items() if one.step_by_step]
            key = "stopping_method" if self.schedule is None else "schedule_method"
            raise SettingError(say(key, known=known, name=name))

    def hold_out(self, split: Split) -> tuple[Split, Split | None]:
        """The split with the rows that train, and that with the rows held out, if any.

        Raises DataError where one of them would be left without rows.
        """
        if self.patience is None:
            return split, None
        rows = len(split.x_train)
        cut = rows - round(self.validation * rows)
        if cut in (0, rows):
            key = "none_trains" if cut == 0 else "none_validates"
            raise DataError(say(key, share=self.validation, rows=rows))
        train, held = slice(cut), slice(cut, rows)
        x, y = split.x_train, split.y_train
        return (
            replace(split, x_train=x[train], y_train=y[train]),
            replace(split, x_train=x[held], y_train=y[held]),
        )

    def settings(self, split: Split, held: Split | None) -> dict[str, Any]:
        """Those of `descend_many`, but for the learning rate."""
        return {
            "loss": Loss.of(self.loss),
            "penalty": self.penalty,
            "weight": self.row_weights(split.y_train, split),
            "callbacks": partial(self._callbacks, split, held),
        }

    def _callbacks(self, split: Split, held: Split | None, i: int) -> list[EarlyStopping]:
        """Those of descent i: early stopping on the rows held out, or none."""
        if held is None or self.patience is None:
            return []
        x, y = held.x_train, held.y_train
        weight = self.row_weights(y, split)
        return [EarlyStopping(x, y, weight=weight, every=EVERY, patience=self.patience)]


def _takes_labels(loss: Loss, classes: int) -> bool:
    """Whether a loss compares outputs (N, C) with labels (N,)."""
    try:
        _try(loss, classes)
    except (DerivableError, RuntimeError, IndexError):
        return False
    return True


def _try(loss: Loss, classes: int) -> None:
    """Call a loss with outputs (N, C) and labels (N,), where N is neither C nor 1."""
    labels = torch.arange(classes + 1) % classes
    loss.forward(Context(), torch.zeros(classes + 1, classes), labels)


PLAIN = Training()


def parse_schedule(text: str) -> Callable[[float], Schedule]:
    """What makes a schedule of a learning rate, from text such as "cosine:warm_up=100".

    Raises SettingError for a name, an option or a value that is none.
    """
    name, options = named(text, tuple(SCHEDULES), "schedule", "cosine:warm_up=100")
    kind: Any = SCHEDULES[name]
    known = [field.name for field in fields(kind) if field.name != "lr"]
    for option in options:
        if option not in known:
            raise SettingError(say("schedule_option", text=text, option=option, known=known))
    make: Callable[[float], Schedule] = partial(kind, **options)
    make(1.0)  # refuses values without a meaning
    return make
