"""What a descent refuses before its first step, by name."""

from __future__ import annotations

import math
import operator
from numbers import Real
from typing import Any

import torch
from torch import Tensor

from derivable.descent.path import Checkpoint
from derivable.errors import DataError, SettingError, ShapeError
from derivable.function import Function
from derivable.network import Network
from derivable.objective.batches import Batches
from derivable.objective.weights import LINEAR, QUADRATIC
from derivable.shapes import require_tensors


def check_kind(start: Any) -> None:
    """Refuse what is no checkpoint."""
    if start is not None and not isinstance(start, Checkpoint):
        raise SettingError(
            "start must be a Checkpoint, such as run.checkpoint or Checkpoint.load(file), "
            f"got {type(start).__name__}"
        )


def check_numbers(lr: float | None, steps: Any, method: str, tolerance: float) -> int:
    """The number of steps, as an int. Raises SettingError for numbers without a meaning."""
    if lr is None and method != "lbfgs":
        raise SettingError(f"method {method!r} needs a learning rate; for example lr=1e-4")
    if lr is not None and not _positive(lr):
        raise SettingError(f"lr must be a positive number, got {lr!r}")
    if not _positive(tolerance):
        raise SettingError(f"tolerance must be a positive number, got {tolerance!r}")
    return check_count("steps", steps)


def check_count(name: str, value: Any, least: int = 0) -> int:
    """The whole number that the setting of that name asks for, as an int."""
    try:
        count = operator.index(value)
    except TypeError:
        count = least - 1
    if count < least or isinstance(value, bool):
        raise SettingError(f"{name} must be a whole number, {least} or more, got {value!r}")
    return count


def _positive(value: Any) -> bool:
    return isinstance(value, Real) and math.isfinite(value) and float(value) > 0


def check_problem(network: Network, loss: Any, x: Tensor, y: Tensor) -> None:
    """Refuse a loss that is none, a network that cannot move, and a table that does not fit."""
    if not (isinstance(loss, type) and issubclass(loss, Function)):
        raise SettingError(f"loss must be a Function class such as MSE, got {loss!r}")
    parameters = list(network.parameters())
    if not parameters:
        raise SettingError("the network has no parameters to descend with; give it a Linear layer")
    for name, parameter in network.named_parameters():
        if not parameter.requires_grad:
            raise SettingError(
                f"the parameter {name} is frozen (requires_grad=False), and descend moves all of "
                "them; network.requires_grad_() thaws the network"
            )
        if not parameter.dtype.is_floating_point:
            raise SettingError(
                f"the parameter {name} is {parameter.dtype}, and descend moves real numbers"
            )
    require_tensors("descend", x=x, y=y)
    first, last = parameters[0], parameters[-1]  # w of the first layer, b of the last
    for name, value in (("x", x), ("y", y)):
        if value.dtype != first.dtype:
            raise DataError(
                f"{name} has dtype {value.dtype} and the network {first.dtype}; "
                f"convert one of them, for example {name}.to({first.dtype})"
            )
        if not torch.isfinite(value).all():
            row = int(torch.nonzero(~torch.isfinite(value))[0, 0])
            raise DataError(
                f"{name} is not finite: its first NaN or infinite value is in row {row}; "
                "drop or fill such rows first"
            )
    inputs, outputs = first.size(0), last.size(-1)
    if x.ndim != 2 or x.size(1) != inputs or x.size(0) == 0:
        raise ShapeError(f"x must have shape (N, {inputs}) with N > 0, got {tuple(x.shape)}")
    if tuple(y.shape) != (x.size(0), outputs):
        raise ShapeError(
            f"y must have shape ({x.size(0)}, {outputs}), one row per row of x and one column "
            f"per output, got {tuple(y.shape)}"
        )


def check_weight(loss: type[Function], x: Tensor, weight: Any) -> None:
    """Refuse weights that are none, that are all 0, or that the loss has no way to carry."""
    if loss not in (*QUADRATIC, *LINEAR):
        known = " and ".join(one.__name__ for one in (*QUADRATIC, *LINEAR))
        raise SettingError(
            f"weight goes with the losses {known}, got {loss.__name__}; repeat the rows of x and y "
            "as often as they count"
        )
    require_tensors("descend", weight=weight)
    if tuple(weight.shape) != (len(x),):
        raise ShapeError(
            f"weight must have shape ({len(x)},), one number per row of x, "
            f"got {tuple(weight.shape)}"
        )
    if not (torch.isfinite(weight) & (weight >= 0)).all():
        row = int(torch.nonzero(~(torch.isfinite(weight) & (weight >= 0)))[0, 0])
        raise DataError(
            f"weight must be finite and 0 or more, got {weight[row].item()} in row {row}"
        )
    if not (weight > 0).any():
        raise DataError("weight is zero in every row; give at least one row a positive weight")


def check_start(
    start: Checkpoint,
    network: Network,
    steps: int,
    *,
    method: str,
    objective: str,
    batch_size: int | None,
) -> None:
    """Refuse a checkpoint of another network, of other settings, or from beyond the last step."""
    for name, given, open_, was in (
        ("method", method, "auto", start.method),
        ("objective", objective, "fastest", start.objective),
    ):
        if given not in (open_, was):
            raise SettingError(
                f"the checkpoint is of {name} {was!r}, got {name} {given!r}; leave {name} out to "
                "go on from it"
            )
    if (batch_size is not None) != (start.objective == Batches.name):
        raise SettingError(
            "the checkpoint is of the full batch; leave batch_size out to go on from it"
            if batch_size is not None
            else "the checkpoint is of mini-batches; give their batch_size and seed again"
        )
    if start.theta.shape != network.theta.shape:
        raise ShapeError(
            f"the checkpoint has {start.theta.numel()} parameters and the network "
            f"{network.theta.numel()}; start from a checkpoint of this network"
        )
    if start.step > steps:
        raise SettingError(
            f"the checkpoint is at step {start.step:,}, beyond steps={steps:,}; ask for more steps"
        )
