"""`Trials`: runs forward at candidate inputs, a bounded number of times."""

from __future__ import annotations

import contextlib
import io
import time
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from derivable.examiner.targets.random_state import seeded
from derivable.examiner.targets.target import SEED, Adapter, FunctionAdapter, Inputs, Run, is_float

FORWARDS, SECONDS = 800, 10.0  # bounds of one search; the seconds after its first forward
NOTHING = 3  # forwards that return None: it is to be written


@dataclass
class Outcome:
    """The result of one run of forward and backward."""

    inputs: list[Any]
    finite: bool  # every floating-point output
    depends: bool  # the outputs change with every floating-point input
    fits: bool  # backward returned one gradient per input, of its shape
    raised: bool  # whether backward raised
    missing: frozenset[int]  # floating-point inputs for which backward returned None

    @property
    def whole(self) -> bool:
        """Whether there is a gradient to examine for every input."""
        return self.finite and self.depends

    @property
    def worth(self) -> tuple[bool, bool, bool]:
        """What makes one outcome better than another."""
        return self.finite, self.depends, self.fits


class Trials:
    """Runs of one target, counted; the last error of forward is kept for the error message."""

    def __init__(self, adapter: Adapter) -> None:
        self.adapter = adapter
        self.keywords: dict[int, str] = {}  # position -> name, of inputs that go by keyword
        self.forwards = 0
        self.started = time.perf_counter()
        self.refusals: list[tuple[list[Any], Exception]] = []
        self.nothing = 0  # how many times forward returned None

    @property
    def spent(self) -> bool:
        """Whether a bound is reached: forwards, their time, or a forward that returns None."""
        if self.nothing >= NOTHING:
            return True
        return self.forwards >= FORWARDS or time.perf_counter() - self.started > SECONDS

    def outcome(self, inputs: list[Any]) -> Outcome | None:
        """One forward and one backward at `inputs`; None if forward refuses them."""
        given, wanted = inputs, [i for i, value in enumerate(inputs) if is_float(value)]
        try:
            with quiet():
                inputs = self._bound(given)
                run = self._run(inputs, wanted)
                outputs = [o for o in run.outputs if is_float(o)]
                if not run.differentiable:
                    self.nothing += all(o is None for o in run.outputs)
                    return None
                finite = all(bool(torch.isfinite(o).all()) for o in outputs)
                depends = all(o.numel() for o in outputs) and all(
                    self._depends(inputs, i, outputs) for i in wanted
                )
        except Exception as error:  # whatever forward raises
            self.refusals.append((given, error))
            return None
        gradients = _gradients(run)
        return Outcome(given, finite, depends, *_fit(gradients, inputs, wanted))

    def _bound(self, inputs: list[Any]) -> list[Any]:
        """The inputs in forward's order, with the defaults of those that are not chosen."""
        if not isinstance(self.adapter, FunctionAdapter):
            return inputs
        options = {name: inputs[i] for i, name in self.keywords.items()}
        own = [value for i, value in enumerate(inputs) if i not in self.keywords]
        return self.adapter.bind(own, options)

    def _run(self, inputs: Inputs, wanted: Sequence[int]) -> Run:
        self.forwards += 1
        try:
            with seeded(SEED):
                return self.adapter.run(inputs, wanted)
        finally:
            if self.forwards == 1:  # which may import for seconds
                self.started = time.perf_counter()

    def _depends(self, inputs: Inputs, position: int, outputs: Sequence[Tensor]) -> bool:
        """Whether the outputs change with one input; also where another value is refused."""
        for change in (_nudged, _replaced):
            changed = list(inputs)
            changed[position] = change(inputs[position])
            try:
                others = [o for o in self._run(changed, ()).outputs if is_float(o)]
            except Exception:
                return True
            if len(others) != len(outputs) or any(
                a.shape != b.shape or not torch.equal(a.nan_to_num(), b.nan_to_num())
                for a, b in zip(others, outputs, strict=True)
            ):
                return True
        return False


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Inside, output and warnings of the user's code are suppressed."""
    with (
        warnings.catch_warnings(),
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
    ):
        warnings.simplefilter("ignore")
        yield


def _nudged(x: Tensor) -> Tensor:
    """Other numbers of the same kind: positive ones stay positive, a symmetric matrix so."""
    return x * 1.03125


def _replaced(x: Tensor) -> Tensor:
    """The same numbers in the opposite order, shifted, so that a step function changes."""
    return (1.5 * x.flatten().flip(0) + 0.75).reshape(x.shape)


def _gradients(run: Run) -> tuple[Any, ...] | None:
    """What backward returns for a random grad_output; None where it raises, as it may."""
    generator = torch.Generator().manual_seed(SEED)
    grads = [
        torch.randn(run.outputs[i].shape, generator=generator).to(run.outputs[i])
        for i in run.differentiable
    ]
    try:
        with quiet(), seeded(SEED):
            return run.vjp(grads)
    except Exception:  # a finding of the examination, if it is one
        return None


def _fit(
    gradients: tuple[Any, ...] | None, inputs: Inputs, wanted: Sequence[int]
) -> tuple[bool, bool, frozenset[int]]:
    """Whether the gradients fit in number and shape, backward raised, and what is None."""
    if gradients is None:
        return False, True, frozenset()
    if len(gradients) < len(inputs):
        return False, False, frozenset()
    missing = frozenset(i for i in wanted if gradients[i] is None)
    fits = all(
        isinstance(gradients[i], Tensor) and gradients[i].shape == inputs[i].shape
        for i in wanted
        if i not in missing
    )
    return fits and len(missing) < len(wanted), False, missing
