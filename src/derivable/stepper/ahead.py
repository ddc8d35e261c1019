"""Compiling in a second process: it begins where this one ends.

Both have the same list of routines. Each compiles what is not on the disk and what the other has
not claimed, this process from the front and the other one from the back.
"""

from __future__ import annotations

import gc
import importlib
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self

import torch

from derivable.extras import is_installed
from derivable.function import Function
from derivable.functions import Tanh
from derivable.layer import Layer
from derivable.loss import Loss
from derivable.network import Network
from derivable.objective.mlp import Activation, Mlp
from derivable.problem import Problem
from derivable.stepper import Kind, choose_stepper

if TYPE_CHECKING:
    from derivable.compiler.jit import Compiled

WORTH = 2.0  # about so many seconds of compiling are worth the start of a process, which takes one


@dataclass(frozen=True)
class Demand:
    """A stepper of a perceptron, as far as its compiled code depends on it."""

    stepper: str
    sizes: tuple[int, ...]
    activation: str  # as `_spelled` spells it
    loss: str
    labels: bool  # whether the targets are classes
    dtype: str
    hvp: bool

    @classmethod
    def of(
        cls,
        kind: Kind,
        problem: Problem,
        dtype: torch.dtype,
        *,
        hvp: bool,
    ) -> Self | None:
        """That of a problem; None where another process could not make the same one."""
        mlp, loss = Mlp.of(problem), Loss.of(problem.loss)
        if mlp is None:
            return None
        first = mlp.activations[0] if mlp.activations else Activation(Tanh)
        activation = _spelled(first.function, first.options)
        spelled_loss = _spelled(loss.function, loss.options)
        if activation is None or spelled_loss is None:
            return None
        name = str(dtype).removeprefix("torch.")
        labels = not problem.y.is_floating_point()
        return cls(kind.name, mlp.sizes, activation, spelled_loss, labels, name, hvp)

    def routines(self) -> list[Compiled]:
        """The compiled code of such a stepper."""
        dtype = getattr(torch, self.dtype)
        activation, options = _meant(self.activation)
        layers = Network.mlp(*self.sizes, activation=activation, dtype=dtype).layers
        network = Network(
            [Layer(activation, **options) if i % 2 else one for i, one in enumerate(layers)]
        )
        x, y = (torch.zeros(1, size, dtype=dtype) for size in (self.sizes[0], self.sizes[-1]))
        if self.labels:
            y = torch.zeros(1, dtype=torch.long)
        loss, options = _meant(self.loss)
        problem = Problem(network, Loss(loss, **options), x, y)
        return choose_stepper(problem, self.stepper, steps=0).routines(hvp=self.hvp)


def compile_ahead(demands: Sequence[Demand]) -> None:
    """Let a second process compile what is missing, where that pays."""
    if not is_installed("numba"):
        return
    from derivable.compiler.helper import helper
    from derivable.compiler.ready import missing

    to_compile = missing(routine for demand in demands for routine in demand.routines())
    if sum(routine.seconds for routine in to_compile) >= WORTH and helper.start():
        helper.give(json.dumps([asdict(demand) for demand in demands]))
    else:
        helper.give("")


def _spelled(function: type[Function], options: Mapping[str, Any]) -> str | None:
    """Module, name and options as JSON; None where another process does not have the same."""
    if not function.__module__.startswith("derivable."):
        return None
    try:
        return json.dumps([function.__module__, function.__qualname__, dict(options)])
    except TypeError:  # tensors, for example
        return None


def _meant(text: str) -> tuple[type[Function], dict[str, Any]]:
    """The Function and the options that `_spelled` has spelled."""
    module, name, options = json.loads(text)
    return getattr(importlib.import_module(module), name), options


def main() -> None:
    """Compile what the demands on the standard input need, the last first."""
    from derivable.compiler import jit
    from derivable.objective import passes  # noqa: F401  is imported while there is time

    gc.disable()  # it takes a sixth of the time to compile, and this process soon ends
    jit.get_ready_to_compile()
    words = sys.stdin.read()
    demands = [Demand(**one | {"sizes": tuple(one["sizes"])}) for one in json.loads(words or "[]")]
    routines = dict.fromkeys(routine for demand in demands for routine in demand.routines())
    for routine in reversed(routines):
        routine.load(wait=False)


if __name__ == "__main__":
    main()
