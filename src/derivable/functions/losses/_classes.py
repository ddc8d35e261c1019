"""What the losses over classes have in common: where the classes are, and how targets are read."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from derivable.errors import DataError, SettingError
from derivable.functions.messages import say
from derivable.shapes import require_tensors, shape_error


class Labels(NamedTuple):
    """Class indices, read: what they say at each of the positions (N, ...)."""

    classes: Tensor  # the class, int64; 0 where the position is ignored
    kept: Tensor  # whether the position is not ignored
    weight: Tensor  # the weight of its class; 0 where it is ignored

    def pick(self, values: Tensor) -> Tensor:
        """Of values (N, C, ...) those at the classes."""
        dim = class_dim(values)
        return values.gather(dim, self.classes.unsqueeze(dim)).squeeze(dim)  # (N, ...)

    def place(self, numbers: Tensor, values: Tensor) -> Tensor:
        """Values (N, C, ...) with `numbers` (N, ...) added at the classes."""
        dim = class_dim(values)
        return values.scatter_add(dim, self.classes.unsqueeze(dim), numbers.unsqueeze(dim))


def read_labels(target: Tensor, weight: Tensor | None, ignore_index: int, like: Tensor) -> Labels:
    """Class indices as `Labels`; the weights are 1, in the dtype of `like`, unless given."""
    kept = target != ignore_index  # (N, ...)
    index = torch.where(kept, target, 0).long()  # (N, ...)
    if weight is None:
        return Labels(index, kept, kept.to(like.dtype))
    return Labels(index, kept, torch.where(kept, weight[index], 0.0))


def class_dim(input: Tensor) -> int:
    """The dimension of the classes: the first of (C,), the second of (N, C, ...)."""
    return 0 if input.ndim == 1 else 1


def positions(input: Tensor) -> torch.Size:
    """The shape of input without its classes: one loss for each."""
    dim = class_dim(input)
    return torch.Size((*input.shape[:dim], *input.shape[dim + 1 :]))


def weighted(values: Tensor, weight: Tensor | None) -> Tensor:
    """Values (N, C, ...) times the weight of their class."""
    if weight is None:
        return values
    return values * weight.reshape(_alone(weight, values))  # (N, C, ...)


def sum_by_class(values: Tensor, weight: Tensor) -> Tensor:
    """The sum of values (N, C, ...) for each class, as a gradient of the weights."""
    return values.sum_to_size(_alone(weight, values)).reshape(weight.shape).to(weight.dtype)  # (C,)


def weight_gradient(
    labels: Labels,
    own: Tensor,
    losses: Tensor,
    grad_losses: Tensor,
    reduction: str,
    weight: Tensor,
) -> Tensor:
    """The gradient of the weights, which multiply `own` in `losses` and make up their divisor."""
    if reduction == "mean":
        own = own - losses.sum() / labels.weight.sum()  # (N, ...)
    numbers = torch.where(labels.kept, grad_losses * own, 0.0)  # (N, ...)
    sums = numbers.new_zeros(weight.shape).index_add(0, labels.classes.flatten(), numbers.flatten())
    return sums.to(weight.dtype)  # (C,)


def _alone(weight: Tensor, values: Tensor) -> tuple[int, ...]:
    """The shape (C, 1, ...) in which the weights broadcast to values (N, C, ...)."""
    return (weight.numel(), *(1,) * (values.ndim - 1 - class_dim(values)))


def check_classes(function: str, input: Tensor, target: Tensor, weight: Tensor | None) -> None:
    """Input has a dimension of classes, and the weights are one per class."""
    require_tensors(function, input=input, target=target)
    if input.ndim == 0:
        raise shape_error(function, "input", say("scores"), input, say("counts_classes"))
    if not (input.is_floating_point() or input.is_complex()):
        raise SettingError(say("real_scores", function=function, dtype=input.dtype))
    if weight is None:
        return
    require_tensors(function, weight=weight)
    count = input.size(class_dim(input))
    if tuple(weight.shape) != (count,):
        raise shape_error(
            function,
            "weight",
            say("per_class", count=count, shape=tuple(input.shape)),
            weight,
            say("weight_per_class"),
        )


def check_labels(function: str, input: Tensor, target: Tensor, ignore_index: int) -> None:
    """Class indices are integers, one per position, each the number of a class or ignored."""
    if target.is_floating_point() or target.is_complex() or target.dtype == torch.bool:
        raise SettingError(say("class_indices", function=function, dtype=target.dtype))
    rows = tuple(positions(input))
    if tuple(target.shape) != rows:
        raise shape_error(
            function,
            "target",
            say("class_per_row", rows=rows, shape=tuple(input.shape)),
            target,
            say("squeeze"),
        )
    count = input.size(class_dim(input))
    if not _readable(target):
        return
    wrong = ((target < 0) | (target >= count)) & (target != ignore_index)  # (N, ...)
    if wrong.any():
        raise DataError(
            say(
                "class_range",
                function=function,
                last=count - 1,
                count=count,
                got=int(target[wrong][0]),
                ignored=ignore_index,
            )
        )


def _readable(target: Tensor) -> bool:
    """Whether values can be looked at, without a wait for the device or a break of the graph."""
    return (
        type(target) is Tensor
        and target.device.type == "cpu"
        and not torch._C._are_functorch_transforms_active()
        and not torch.compiler.is_compiling()
    )
