"""`Placement`: a target runs where its inputs lie, and the examiner measures on the CPU."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from derivable.device import CPU
from derivable.errors import GradientError
from derivable.examiner.messages import error_of


@dataclass(frozen=True)
class Placement:
    """The device of each argument that lies on another device than the CPU, by position."""

    devices: Mapping[int, torch.device] = field(default_factory=dict)

    @classmethod
    def of(cls, inputs: Sequence[Any]) -> Placement:
        """Where these inputs lie."""
        return cls(
            {
                i: value.device
                for i, value in enumerate(inputs)
                if isinstance(value, Tensor) and value.device != CPU
            }
        )

    def there(self, inputs: Sequence[Any]) -> list[Any]:
        """The inputs where the target takes them; autograd follows."""
        return [
            value.to(self.devices[i]) if i in self.devices and isinstance(value, Tensor) else value
            for i, value in enumerate(inputs)
        ]

    def here(self, values: Any) -> Any:
        """A tensor, or those in a tuple or list, on the CPU; autograd follows."""
        if not self.devices:
            return values
        if isinstance(values, Tensor):
            return values.to(CPU)
        if isinstance(values, tuple):
            return tuple(map(self.here, values))
        return [self.here(value) for value in values] if isinstance(values, list) else values

    def called(self, call: Callable[[list[Any]], Any], inputs: Sequence[Any]) -> Placed:
        """A call with the inputs there; what it changes in place changes here, too."""
        if not self.devices:
            return Placed(inputs, inputs, call(list(inputs)))
        placed = self.there(inputs)
        versions = [_version(value) for value in placed]
        found = Placed(inputs, placed, call(placed))
        with torch.no_grad():
            for own, value, version in zip(inputs, placed, versions, strict=True):
                if value is not own and _version(value) != version:
                    own.copy_(value)
        return found

    def check_gradients(self, gradients: Sequence[Any]) -> None:
        """Raise GradientError for one that lies elsewhere than its input, as autograd would."""
        for i, gradient in enumerate(gradients):
            device = self.devices.get(i)
            if device is not None and isinstance(gradient, Tensor) and gradient.device != device:
                raise error_of(
                    GradientError, "error.gradient_elsewhere",
                    input=i, found=gradient.device, device=device,
                )  # fmt: skip


@dataclass(frozen=True)
class Placed:
    """One call: its inputs here and where they were placed, and what it returned there."""

    given: Sequence[Any]
    placed: Sequence[Any]
    returned: Any

    def given_for(self, value: Any) -> Any:
        """The input here of one that was placed; anything else as it is."""
        pairs = zip(self.given, self.placed, strict=True)
        return next((own for own, placed in pairs if placed is value), value)


def _version(value: Any) -> int:
    return value._version if isinstance(value, Tensor) else 0
