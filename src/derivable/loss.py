"""`Loss`: a Function of prediction and target with its options."""

from __future__ import annotations

import hashlib
from typing import Any, Self

import torch
from torch import Tensor

from derivable.core_messages import say
from derivable.errors import InputError, SettingError
from derivable.function import Function
from derivable.function.context import Context
from derivable.function.given import is_ours, shown_function
from derivable.functions.losses import L1, MSE, CrossEntropy, Huber, LogCosh

# Those for targets that are any numbers, by the names that commands and estimators take.
LOSSES: dict[str, type[Function]] = {"mse": MSE, "l1": L1, "huber": Huber, "logcosh": LogCosh}
# Those for targets of classes.
CLASS_LOSSES: dict[str, type[Function]] = {"crossentropy": CrossEntropy}


class Loss:
    """A Function of prediction and target: all inputs of its `forward` but those two are given.

        Loss(Huber, delta=0.5)
        Loss(CrossEntropy, label_smoothing=0.1)

    It has the three methods of a Function, so that what takes a loss takes either: `Huber` is
    `Loss(Huber)`. Two are equal where Function and options are.

    Raises SettingError for what is no Function, InputError for an option that is unknown or an
    input without a default that is not given.
    """

    def __init__(self, function: type[Function], /, **options: Any) -> None:
        if not is_ours(function):
            raise SettingError(say("loss_function", got=shown_function(function)))
        if options:
            _check_options(function, options)
        self.function, self.options = function, options

    @classmethod
    def of(cls, loss: Any) -> Self:
        """The Loss that is given, also as a Function. Raises SettingError for anything else."""
        return loss if isinstance(loss, cls) else cls(loss)

    def on(self, device: torch.device) -> Self:
        """The same with tensors among its options on that device."""
        moved = {k: v.to(device) if isinstance(v, Tensor) else v for k, v in self.options.items()}
        return type(self)(self.function, **moved)

    def forward(self, ctx: Context, prediction: Tensor, target: Tensor) -> Tensor:
        """The loss by hand, of the shape that the Function returns."""
        value: Tensor = self.function.forward(ctx, prediction, target, **self.options)
        return value

    def backward(self, ctx: Context, grad_output: Tensor) -> Any:
        """The gradients by hand, that of the prediction first."""
        return self.function.backward(ctx, grad_output)

    def apply(self, prediction: Tensor, target: Tensor) -> Tensor:
        """The loss, recorded by autograd."""
        value: Tensor = self.function.apply(prediction, target, **self.options)
        return value

    @property
    def name(self) -> str:
        """Function and options as text, such as Huber(delta=0.5); equal losses have equal names."""
        options = ", ".join(f"{k}={_spelled(v)}" for k, v in sorted(self.options.items()))
        return f"{self.function.__name__}({options})" if options else self.function.__name__

    def __repr__(self) -> str:
        options = "".join(f", {name}={value!r}" for name, value in self.options.items())
        return f"Loss({self.function.__name__}{options})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Loss):
            return NotImplemented
        return self.function is other.function and self.name == other.name

    def __hash__(self) -> int:
        return hash((self.function, self.name))


AnyLoss = type[Function] | Loss


def _check_options(function: type[Function], options: dict[str, Any]) -> None:
    """Refuse options that are none of the inputs of forward after prediction and target."""
    signature = function._rules.signature
    known = [p.name for p in signature.positional[2:]] + signature.keyword_only
    for name in options:
        if name not in known:
            there = say("its_options", names=known) if known else say("no_options")
            text = say("no_option", function=function.__name__, name=name, there=there)
            raise InputError(text)
    signature.bind((None, None), options)


def _spelled(value: Any) -> str:
    """An option as text; tensors by shape and a digest of their numbers."""
    if not isinstance(value, Tensor):
        return repr(value)
    numbers = repr(value.detach().cpu().tolist()).encode()
    digest = hashlib.sha256(numbers).hexdigest()[:12]
    return f"tensor{tuple(value.shape)}:{digest}"
