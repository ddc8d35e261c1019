"""Evaluations of a function of real vectors: counted, in batches where it can, nan where refused.

A function is any callable that takes a float64 vector (n,) and returns a real vector (m,). It may
offer batches besides, see `BatchFunction`.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from derivable.examiner.measure.budget import Budget

EPS = torch.finfo(torch.float64).eps
CHUNK = 1 << 21  # entries of points and outputs in one batch
SMALLEST_BATCH = 8  # points; fewer are evaluated one by one
ROWS_PER_CALL = 64  # points of one batch that are counted as one call of a budget

VectorFunction = Callable[[Tensor], Tensor]


@runtime_checkable
class BatchFunction(Protocol):
    """A function that can be evaluated at many points at once.

    `batchable` is read before each batch, and set to False once a batch raises or disagrees with
    an evaluation by itself. Points are float64, or complex128 for a complex step.
    """

    batchable: bool

    def __call__(self, point: Tensor) -> Tensor:
        """The function at one point: (n,) -> (m,)."""

    def evaluate_many(self, points: Tensor) -> Tensor:
        """The function at each of the points: (p, n) -> (p, m)."""


@dataclass
class Evaluations:
    """How often a function was evaluated: `calls` of it, at `rows` points in all."""

    calls: int = 0
    rows: int = 0

    def add(self, calls: int, rows: int) -> None:
        """Count `calls` more, at `rows` points in all."""
        self.calls, self.rows = self.calls + calls, self.rows + rows


class Evaluator:
    """Evaluates `f` near the point at which it is `at`, a vector (m,), and counts.

    f         VectorFunction or BatchFunction
    at        f(x) (m,)
    rounding  the relative rounding of f, to which a batch must agree with an evaluation by itself
    budget    is charged one call per evaluation, and one per 64 points of a batch
    count     where evaluations are counted
    """

    def __init__(
        self, f: VectorFunction, at: Tensor, rounding: float = EPS,
        budget: Budget | None = None, count: Evaluations | None = None,
    ) -> None:  # fmt: skip
        self.f = f
        self.at = at
        self.rounding = rounding
        self.budget = Budget() if budget is None else budget
        self.count = Evaluations() if count is None else count

    @property
    def batchable(self) -> bool:
        """Whether many points are evaluated at once."""
        return isinstance(self.f, BatchFunction) and self.f.batchable

    def at_points(self, points: Tensor) -> Tensor:
        """The function at `points` (p, n): (p, m), nan where it raises or has another shape."""
        if len(points) >= SMALLEST_BATCH and isinstance(self.f, BatchFunction) and self.batchable:
            outputs = self._batched(self.f, points)
            if outputs is not None:
                return outputs
        if not len(points):
            return self.at.new_zeros(0, len(self.at))
        return torch.stack([self._one(point) for point in points])

    def at_complex_points(self, points: Tensor) -> Tensor | None:
        """The function at complex128 points (p, n): (p, m); None where it does not take them."""
        try:
            if isinstance(self.f, BatchFunction) and self.batchable:
                self._spend(math.ceil(len(points) / ROWS_PER_CALL), len(points))
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    outputs = self.f.evaluate_many(points)
            else:
                outputs = torch.stack([self._call(point) for point in points])
        except Exception:  # f may raise anything at complex numbers
            return None
        fits = outputs.is_complex() and outputs.shape == (len(points), len(self.at))
        return outputs if fits else None

    def _batched(self, f: BatchFunction, points: Tensor) -> Tensor | None:
        """The function at all points by batches; None, and no more batches, if one fails."""
        rows = max(1, CHUNK // max(1, points.shape[1] + len(self.at)))
        pieces = points.split(rows)
        for piece in pieces:
            self._spend(math.ceil(len(piece) / ROWS_PER_CALL), len(piece))
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                batched = torch.cat([f.evaluate_many(piece) for piece in pieces])
        except Exception:  # many a function does not run in batches: then one by one
            f.batchable = False
            return None
        if batched.shape == (len(points), len(self.at)):
            batched = batched.double()
            if self._agrees(batched[-1], self._one(points[-1])):
                return batched
        f.batchable = False
        return None

    def _agrees(self, first: Tensor, second: Tensor) -> bool:
        """Whether two evaluations at one point are the same, to rounding."""
        relative = 64 * self.rounding
        slack = relative * float(first.abs().nan_to_num(0.0).max()) if len(first) else 0.0
        return bool(torch.allclose(first, second, rtol=relative, atol=slack, equal_nan=True))

    def _one(self, point: Tensor) -> Tensor:
        """The function at one point (n,): (m,), nan where it raises or has another shape."""
        try:
            outputs = self._call(point)
        except Exception:  # f may refuse a point beside the one that it was given
            return torch.full_like(self.at, torch.nan)
        if outputs.shape != self.at.shape or outputs.is_complex():
            return torch.full_like(self.at, torch.nan)
        return outputs.double()

    def _call(self, point: Tensor) -> Tensor:
        self._spend(1, 1)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what f warns of at x + h it warned of at x
            return self.f(point)

    def _spend(self, calls: int, rows: int) -> None:
        self.budget.spend(calls)
        self.count.add(1, rows)
