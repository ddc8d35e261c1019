"""A value with a gradient computed beside it, such as an optimiser's objective."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from derivable.device import CPU
from derivable.errors import InputError
from derivable.examiner.messages import error_of
from derivable.examiner.targets.placement import Placement
from derivable.examiner.targets.target import Adapter, Inputs, Run


class PairAdapter(Adapter):
    """The adapter of a value with its gradient, as a function of the arrays in theta."""

    by_hand = True

    def __init__(self, value: Any, gradient: Any, at: Any) -> None:
        super().__init__(getattr(gradient or value, "__name__", "gradient"), value)
        self.gradient = gradient
        self.at = at
        self.value_only = True
        if isinstance(at, Mapping):
            self.keys: list[Any] = list(at)
        elif isinstance(at, list | tuple):
            self.keys = list(range(len(at)))
        else:
            self.keys = []
        arrays = [at[key] for key in self.keys] if self.keys else [at]
        self.placement = Placement.of(arrays)
        self.leaves = [tensor_of(a) for a in arrays]

    def names(self, count: int) -> list[str]:
        """`theta`, or the keys of its parts."""
        if not self.keys:
            return ["theta"]
        return [str(k) if isinstance(k, str) else f"theta[{k}]" for k in self.keys]

    def _packed(self, inputs: Inputs) -> Any:
        """Theta in the form in which it was given."""
        originals = [self.at[key] for key in self.keys] if self.keys else [self.at]
        values = [
            v.detach().clone() if isinstance(o, Tensor) else _array(v, o)
            for v, o in zip(self.placement.there(inputs), originals, strict=True)
        ]
        if isinstance(self.at, Mapping):
            return dict(zip(self.keys, values, strict=True))
        if not self.keys:
            return values[0]
        make = getattr(type(self.at), "_make", type(self.at))  # a namedtuple has its own
        return make(values)

    def _run(self, inputs: list[Any], wanted: Sequence[int]) -> Run:
        theta = self._packed(inputs)
        result = self.target(theta)
        if self.gradient is None:
            result = result[0]
        number = tensor_of(result).double()
        if number.numel() != 1:
            raise error_of(
                InputError, "error.not_one_number", name=self.name, shape=str(tuple(number.shape))
            )

        def gradient() -> list[Any]:
            point = self._packed(inputs)
            found = self.target(point)[1] if self.gradient is None else self.gradient(point)
            parts = [found[key] for key in self.keys] if self.keys else [found]
            return [None if p is None else tensor_of(p) for p in parts]

        return PairRun((number.reshape(()),), inputs, gradient)


class PairRun(Run):
    """A value, and the gradient that the user's code computes for it."""

    def __init__(self, outputs: tuple[Any, ...], inputs: Inputs, gradient: Callable[[], Any]):
        super().__init__(outputs, [0], inputs)
        self._gradient = gradient

    def _vjp(self, grad_outputs: Sequence[Tensor | None]) -> tuple[Any, ...]:
        (grad,) = grad_outputs
        return tuple(g if g is None or grad is None else grad * g for g in self._gradient())


def tensor_of(value: Any) -> Tensor:
    """A tensor, an array, or numbers, as a new tensor on the CPU; Python's numbers are float64."""
    if isinstance(value, Tensor):
        return value.detach().to(CPU, copy=True)
    return torch.from_numpy(np.array(value))


def _array(value: Tensor, original: Any) -> Any:
    """A tensor as NumPy has it; a number stays a number."""
    array = value.detach().numpy().copy()
    return array if isinstance(original, np.ndarray) else type(original)(array)
