"""`TargetDerivatives`: numerical derivatives of a target's outputs by each of its inputs.

`examiner/measure` differentiates functions of one real vector. Here a target becomes such a
function of an argument's entries: they are converted to its shape and dtype, and the
differentiable outputs are concatenated. Many points are evaluated by one call of `torch.func.vmap`.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from derivable.examiner.measure import (
    EPS,
    Budget,
    Differentiator,
    Evaluations,
    Measured,
    Settings,
)
from derivable.examiner.measure.evaluation import Evaluator
from derivable.examiner.measure.extrapolation import size_of
from derivable.examiner.measure.noise import Noise, random_direction
from derivable.examiner.measure.space import joined, real, unreal
from derivable.examiner.targets.target import Adapter, Inputs, is_float, with_entries


class TargetDerivatives:
    """The numerical derivatives of `adapter` at `inputs`, of its outputs at `differentiable`.

    measure_noise  whether the noise of forward is measured; else rounding is all
    complex_step   whether refinements try a complex step
    steps          argument -> a step length that suited before; what is found is added
    budget         charged with each evaluation of forward; that of the adapter if left out

    `at` is the joined outputs at the inputs (m,), and `eps` their relative rounding.
    """

    def __init__(
        self, adapter: Adapter, inputs: Inputs, differentiable: Sequence[int], *,
        measure_noise: bool = True, complex_step: bool = True,
        steps: dict[int, float] | None = None, budget: Budget | None = None,
    ) -> None:  # fmt: skip
        self.adapter = adapter
        self.inputs = [v.detach().clone() if isinstance(v, Tensor) else v for v in inputs]
        self.differentiable = list(differentiable)
        self.budget = adapter.budget if budget is None else budget
        self.evaluations = Evaluations()
        self.at = self.outputs(self.inputs)  # (m,)
        floats = (v for v in self.inputs if isinstance(v, Tensor) and v.dtype.is_floating_point)
        self.eps = max([EPS, *(torch.finfo(v.dtype).eps for v in floats)])
        self._settings = Settings(self.eps, measure_noise, complex_step)
        self._noise = Noise(self._along_all, self.at, self.eps, measured=not measure_noise)
        self._steps = {} if steps is None else steps
        self._by_argument: dict[int, Differentiator] = {}

    @property
    def noise(self) -> Tensor:
        """The noise of the outputs (m,), as far as it is known."""
        return self._noise.level

    def outputs(self, inputs: Inputs) -> Tensor:
        """The differentiable outputs at `inputs`, as one real vector (m,)."""
        self.budget.spend(1)
        self.evaluations.add(calls=1, rows=1)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # forward has given the same warnings at x
            values = self.adapter.value(inputs)
        return joined([values[i] for i in self.differentiable])

    def outputs_or_nan(self, inputs: Inputs) -> Tensor:
        """The outputs at `inputs`, nan if forward raises."""
        try:
            outputs = self.outputs(inputs)
        except Exception:  # forward may raise near the given point
            return torch.full_like(self.at, torch.nan)
        return outputs if outputs.shape == self.at.shape else torch.full_like(self.at, torch.nan)

    def by(self, argument: int) -> Differentiator:
        """The derivatives by one argument."""
        if argument not in self._by_argument:
            self._by_argument[argument] = Differentiator(
                InputsFunction(self, [argument]), real(self.inputs[argument]), at=self.at,
                settings=self._settings, budget=self.budget, noise=self._noise,
                step=self._steps.get(argument), count=self.evaluations,
            )  # fmt: skip
        return self._by_argument[argument]

    def jacobian(self, argument: int) -> Measured:
        """The first estimate of every entry: d outputs / d entries of `argument`, (m, n)."""
        measured = self.by(argument).jacobian()
        self._keep_step(argument)
        return measured

    def along(self, argument: int, direction: Tensor) -> Measured:
        """The first estimate along `direction`, a real vector of the argument's size: (m,)."""
        measured = self.by(argument).along(direction)
        self._keep_step(argument)
        return measured

    def refined_along(self, argument: int, direction: Tensor) -> Measured:
        """The refined estimate along `direction`, with kinks recognised: (m,)."""
        return self.by(argument).refined_along(direction)

    def refined(self, argument: int, measured: Measured, columns: Sequence[int]) -> Measured:
        """`measured` with the refined estimates of some columns."""
        return self.by(argument).refined(measured, columns)

    def continuous(self, arguments: Sequence[int]) -> bool:
        """Whether the outputs are nearly the same after a small perturbation of the inputs."""
        generator = torch.Generator().manual_seed(2)
        inputs = list(self.inputs)
        for i in arguments:
            x = real(inputs[i])
            aside = torch.randn(len(x), generator=generator).double() * (size_of(x) or 1.0)
            inputs[i] = unreal(x + 1e-9 * aside, inputs[i])
        try:
            moved = self.outputs(inputs)
        except Exception:  # forward raises near this point
            return False
        both = torch.isfinite(moved) & torch.isfinite(self.at)
        largest = float(self.at[both].abs().max()) if bool(both.any()) else 0.0
        return bool(((moved - self.at)[both].abs() <= 1e-3 * (largest or 1.0)).all())

    def _keep_step(self, argument: int) -> None:
        step = self.by(argument).step
        assert step is not None  # it is found with the estimate
        self._steps[argument] = step

    def _along_all(self, parameters: Tensor) -> Tensor:
        """The outputs (p, m) at parameters (p,) of a random line on which all inputs change."""
        generator = torch.Generator().manual_seed(1)
        floats = [i for i, value in enumerate(self.inputs) if is_float(value)]
        vectors = [real(self.inputs[i]) for i in floats]
        direction = torch.cat([random_direction(x, generator) for x in vectors])
        line = InputsFunction(self, floats)
        evaluator = Evaluator(line, self.at, self.eps, self.budget, self.evaluations)
        return evaluator.at_points(torch.cat(vectors) + parameters.unsqueeze(1) * direction)


class InputsFunction:
    """The joined outputs of a target as a function of some arguments, joined to a vector (n,).

    A complex vector is a point of a complex step; arguments that are complex themselves have none.
    """

    def __init__(self, owner: TargetDerivatives, arguments: Sequence[int]) -> None:
        self._adapter, self._differentiable = owner.adapter, owner.differentiable
        self._inputs, self._arguments = owner.inputs, list(arguments)

    @property
    def batchable(self) -> bool:
        """Whether forward is assumed to run under vmap."""
        return self._adapter.batchable

    @batchable.setter
    def batchable(self, value: bool) -> None:
        self._adapter.batchable = value

    def __call__(self, point: Tensor) -> Tensor:
        """The joined outputs (m,) at one point (n,)."""
        values = self._values(point)
        if point.is_complex():
            return torch.cat([v.reshape(-1) for v in values])
        return joined(values)

    def evaluate_many(self, points: Tensor) -> Tensor:
        """The joined outputs (p, m) at the points (p, n), by one call."""
        outputs = self._adapter.values_at(self._inputs, self._arguments, points)
        values = [outputs[i] for i in self._differentiable]
        if points.is_complex():
            return torch.cat([v.reshape(len(points), -1) for v in values], dim=1)
        parts = [torch.view_as_real(v) if v.is_complex() else v for v in values]
        return torch.cat([part.reshape(len(points), -1).double() for part in parts], dim=1)

    def _values(self, point: Tensor) -> list[Any]:
        """The differentiable outputs at one point."""
        values = self._adapter.value(with_entries(self._inputs, self._arguments, point))
        return [values[i] for i in self._differentiable]
