"""The ruler: derivatives measured from forward alone, each with the error of its measurement.

Central differences over halved steps, extrapolated to step zero (Richardson 1911; in the scheme
of Neville), settle almost every entry to ten or more digits. An entry that they do not settle, or
that disagrees with what backward returned, is looked at again: steps from large to tiny, both
sides apart, which tells a kink, the edge of a domain or a jump from a smooth place; and, where
forward can run on complex numbers, by a complex step (Squire and Trapp 1998), which has no
cancellation. The error is always measured too: from the difference of two extrapolations and from
the noise of forward itself (the difference table of Hamming; Moré and Wild 2011).
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import torch
from torch import Tensor

from derivable.examiner.measure.extrapolation import (
    best_window,
    fourth_differences,
    neville,
    power_of_two,
    size_of,
    steep,
)
from derivable.examiner.measure.space import joined, real, unreal
from derivable.examiner.targets.target import Inputs, Subject, forwards_alone, is_float

EPS = torch.finfo(torch.float64).eps
LEVELS = 4  # halvings of the first look
COARSEST, FINEST = -1, 24  # steps 4**-k of the second look
FIRST_STEP = 2.0**-6
LOOKS = 8  # columns that are looked at twice, at most, where forwards run one by one
TINY = 1e-150  # the complex step: its square is nothing
ROWS_PER_CALL = 32  # points of a batch of forwards that cost as much as one forward, about
CHUNK = 1 << 21  # entries of the points and outputs evaluated at once


@dataclass
class Measured:
    """Derivatives with their errors; everything between `low` and `high` is a right value.

    `low` and `high` differ from `value` at kinks, and are infinite where there is no derivative.
    `reach` is the mean slope over a longer step: the scale on which a derivative of 0 is 0.
    All of one shape, usually (outputs, inputs).
    """

    value: Tensor
    error: Tensor
    low: Tensor
    high: Tensor
    reach: Tensor

    @classmethod
    def smooth(cls, value: Tensor, error: Tensor) -> Measured:
        """A measurement at a place without kinks."""
        return cls(value, error, value.clone(), value.clone(), value.abs())

    @property
    def kinks(self) -> Tensor:
        """Where the one-sided derivatives differ, or where there is none."""
        return self.low < self.high

    @property
    def nowhere(self) -> Tensor:
        """Where there is no derivative: at a jump, or an infinite slope."""
        return torch.isinf(self.low) & torch.isinf(self.high)


MEASURED = tuple(field.name for field in fields(Measured))


class Ruler:
    """Measures `subject` at `inputs`, whose outputs at `smooth` count."""

    def __init__(
        self, subject: Subject, inputs: Inputs, smooth: Sequence[int],
        steps: dict[int, float] | None = None,
    ) -> None:  # fmt: skip
        self.subject = subject
        self.inputs = [v.detach().clone() if isinstance(v, Tensor) else v for v in inputs]
        self.smooth = list(smooth)
        self.at = self.outputs(self.inputs)  # (m,)
        floats = (v for v in self.inputs if isinstance(v, Tensor) and v.dtype.is_floating_point)
        self.eps = max([EPS, *(torch.finfo(v.dtype).eps for v in floats)])
        self.noise = self.eps * self.at.abs()  # (m,)
        self._steps = {} if steps is None else steps  # how long a step suits each argument
        self.listened = False  # whether the noise is known
        self.complex_step = True  # whether to try one

    def outputs(self, inputs: Inputs) -> Tensor:
        """The smooth outputs at `inputs`, as one real vector (m,)."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what forward says at x + h was said at x
            values = self.subject.value(inputs)
        return joined([values[i] for i in self.smooth])

    def at_points(self, argument: int, points: Tensor) -> Tensor:
        """The outputs with `argument` at each of `points`, real vectors (p, n): (p, m)."""
        if len(points) >= 8 and self.subject.batchable:
            rows = max(1, CHUNK // max(1, points.shape[1] + len(self.at)))
            try:
                pieces = [self._batched(argument, piece) for piece in points.split(rows)]
            except Exception:  # many a forward does not run under vmap: then one by one
                self.subject.batchable = False
            else:
                batched = torch.cat(pieces)
                if self._agrees(batched[-1], self._single(argument, points[-1])):
                    return batched
                self.subject.batchable = False
        return torch.stack([self._single(argument, point) for point in points])

    def _single(self, argument: int, point: Tensor) -> Tensor:
        inputs = list(self.inputs)
        inputs[argument] = unreal(point, inputs[argument])
        return self.safely(inputs)

    def safely(self, inputs: Inputs) -> Tensor:
        """The outputs at `inputs`, nan where forward refuses them."""
        try:
            outputs = self.outputs(inputs)
        except Exception:  # forward may refuse a point beside the one that it was given
            return torch.full_like(self.at, torch.nan)
        return outputs if outputs.shape == self.at.shape else torch.full_like(self.at, torch.nan)

    def _batched(self, argument: int, points: Tensor) -> Tensor:
        """`_single` for all points at once, by torch.func.vmap."""
        inputs = list(self.inputs)

        def outputs(point: Tensor) -> tuple[Tensor, ...]:
            inputs[argument] = unreal(point, self.inputs[argument])
            values = self.subject.value(inputs)
            return tuple(values[i] for i in self.smooth)

        with warnings.catch_warnings(), forwards_alone():
            warnings.simplefilter("ignore")
            values = torch.func.vmap(outputs)(points)
        count = len(points)
        self.subject.budget.spend(count // ROWS_PER_CALL)
        parts = [torch.view_as_real(v) if v.is_complex() else v for v in values]
        return torch.cat([part.reshape(count, -1).double() for part in parts], dim=1)

    def _agrees(self, first: Tensor, second: Tensor) -> bool:
        """Whether two evaluations at one point are the same, to rounding."""
        slack = 64 * self.eps * float(first.abs().nan_to_num(0.0).max()) if len(first) else 0.0
        return bool(torch.allclose(first, second, rtol=64 * self.eps, atol=slack, equal_nan=True))

    def continuous(self, arguments: Sequence[int]) -> bool:
        """Whether a hair's breadth aside the outputs are nearly the same."""
        generator = torch.Generator().manual_seed(2)
        inputs = list(self.inputs)
        for i in arguments:
            x = real(inputs[i])
            aside = torch.randn(len(x), generator=generator).double() * (size_of(x) or 1.0)
            inputs[i] = unreal(x + 1e-9 * aside, inputs[i])
        try:
            moved = self.outputs(inputs)
        except Exception:  # forward refuses a point beside this one
            return False
        both = torch.isfinite(moved) & torch.isfinite(self.at)
        largest = float(self.at[both].abs().max()) if bool(both.any()) else 0.0
        return bool(((moved - self.at)[both].abs() <= 1e-3 * (largest or 1.0)).all())

    def jacobian(self, argument: int) -> Measured:
        """The first look at every entry: d outputs / d entries of `argument`, (m, n)."""
        x = real(self.inputs[argument])
        scales = torch.maximum(x.abs(), torch.tensor(0.1 * size_of(x)).double())  # (n,)
        scales = power_of_two(scales)
        value, error, reach = self._first_look(argument, torch.eye(len(x)).double(), scales)
        measured = Measured.smooth(value.T.contiguous(), error.T.contiguous())
        measured.reach = reach.T.contiguous()
        return measured

    def along(self, argument: int, direction: Tensor) -> Measured:
        """The derivative along `direction`, a real vector of the argument's size: (m,)."""
        scale = torch.tensor([self.length(argument, direction)]).double()
        value, error, _ = self._first_look(argument, direction.unsqueeze(0), scale)
        return Measured.smooth(value[0], error[0])

    def along_again(self, argument: int, direction: Tensor) -> Measured:
        """The same with care, kinks told apart: (m,)."""
        scale = torch.tensor([self.length(argument, direction)]).double()
        second = self.second_look(argument, direction.unsqueeze(0), scale)
        return Measured(*(getattr(second, name)[0] for name in MEASURED))

    def look_again(self, argument: int, measured: Measured, columns: Sequence[int]) -> None:
        """Measure some columns of a Jacobian anew, with care, in place.

        If kinks are found and not all columns are looked at, the others are marked as unknown.
        """
        x = real(self.inputs[argument])
        chosen = list(columns if self.subject.batchable else columns[:LOOKS])
        if not chosen:
            return
        own = x.abs()[chosen]  # (c,)
        scales = own.clamp_min(size_of(x))
        directions = torch.eye(len(x)).double()[chosen]
        second = self.second_look(argument, directions, power_of_two(scales))
        lost = (own > 0) & (own < 1e-3 * scales)  # perhaps at the edge of a domain
        if bool(lost.any()):
            near = self.second_look(argument, directions[lost], power_of_two(own[lost]))
            far = Measured(*(getattr(second, name)[lost] for name in MEASURED))
            nearer = near.error / near.value.abs() < far.error / far.value.abs()
            nearer |= far.nowhere & ~near.nowhere
            for name in MEASURED:
                kept = torch.where(nearer, getattr(near, name), getattr(far, name))
                getattr(second, name)[lost] = kept
        for name in MEASURED[:-1]:
            getattr(measured, name)[:, chosen] = getattr(second, name).T
        if bool(second.kinks.any()):
            measured.error[:, list(columns[len(chosen) :])] = torch.inf

    def length(self, argument: int, direction: Tensor) -> float:
        """How far along `direction` the inputs change by their own size."""
        largest = float(direction.abs().max()) if len(direction) else 0.0
        return (size_of(real(self.inputs[argument])) or 1.0) / (largest or 1.0)

    def _first_look(
        self, argument: int, directions: Tensor, scales: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Extrapolated central differences along `directions` (c, n): (c, m), and their errors.

        And the mean slopes over the longest step.
        """
        if not self.listened:
            self.listened = True
            self.noise = torch.maximum(self.noise, self._noise())
        if argument not in self._steps:
            self._steps[argument] = FIRST_STEP
            self._calibrate(argument)
        steps = [scales * self._steps[argument] * 2.0**-k for k in range(LEVELS)]  # (c,) each
        table = self.moved(argument, directions, torch.stack(steps))  # (2, k, c, m)
        quotients = (table[0] - table[1]) / (2 * torch.stack(steps).unsqueeze(-1))  # (k, c, m)
        value, error = neville(list(quotients), 4.0)
        reach = (table[:, 0] - self.at).abs().amax(0) / steps[0].unsqueeze(1)  # (c, m)
        return value, error + 4 * self.noise / steps[-1].unsqueeze(1), reach.nan_to_num(0.0, 0.0)

    def moved(self, argument: int, directions: Tensor, steps: Tensor) -> Tensor:
        """The outputs at x + h direction and x - h direction for each of `steps` (k, c).

        directions (c, n) -> (2, k, c, m)
        """
        x = real(self.inputs[argument])  # (n,)
        signed = torch.stack([steps, -steps])  # (2, k, c)
        points = x + signed.unsqueeze(-1) * directions  # (2, k, c, n)
        outputs = self.at_points(argument, points.reshape(-1, len(x)))
        return outputs.reshape(*signed.shape, len(self.at))

    def _calibrate(self, argument: int) -> None:
        """Find how long a step suits this argument, along one random direction."""
        x = real(self.inputs[argument])
        direction = torch.randn(len(x), generator=torch.Generator().manual_seed(1)).double()
        scale = size_of(x) or 1.0
        best = float("inf")
        for power in (-6, -9, -3, -13, -18):
            self._steps[argument], kept = 2.0**power, self._steps[argument]
            value, error, _ = self._first_look(
                argument, direction.unsqueeze(0), torch.tensor([scale]).double()
            )
            known = torch.isfinite(error)
            share = (error / value.abs().clamp_min(1e-300))[known]
            typical = float(share.median()) if len(share) else float("inf")
            if typical < best / 4:
                best = typical
            else:
                self._steps[argument] = kept
            if best < 1e-9:
                break

    def _noise(self) -> Tensor:
        """How much forward trembles beyond its smooth course: (m,), from fourth differences.

        Of two step lengths the calmer one counts: at the longer one the course itself may bend.
        A thousandth aside of the inputs, because these may lie on kinks exactly.
        """
        generator = torch.Generator().manual_seed(1)
        directions: dict[int, Tensor] = {}
        for i, value in enumerate(self.inputs):
            if is_float(value):
                x = real(value)
                drawn = torch.randn(len(x), generator=generator).double()
                directions[i] = drawn * x.abs().clamp_min(0.01 * (size_of(x) or 1.0))
        found, plateaus, course = [], [], [self.at]
        for step in (1e-6, 1e-8):
            table = self._along_all(directions, step)  # (8, m)
            course += list(table)
            plateaus.append((table.diff(dim=0) == 0).double().mean(0))
            found.append(fourth_differences(table))
        stairs = (plateaus[1] > 0.3) & (plateaus[0] < 1)  # a smaller dtype inside forward
        noise = torch.where(stairs, torch.maximum(*found), torch.minimum(*found))
        noise = 3 * torch.where(torch.isfinite(noise), noise, 0.0)
        share = (noise / self.at.abs())[(self.at != 0) & torch.isfinite(self.at)]
        common = float(share.median()) if len(share) else 0.0
        if len(share) >= 3:
            # One output of many that trembles has a kink or a jump between these points.
            calm = 1e3 * max(common, EPS) * self.at.abs()
            noise = torch.where(calm > 0, torch.minimum(noise, calm), noise)
        noise = torch.maximum(noise, common * self.at.abs().nan_to_num(0.0, 0.0))
        whole = torch.stack(course).amax(0) - torch.stack(course).amin(0)
        wild = (noise > 1e-5 * whole) & (noise > 1e3 * self.eps * self.at.abs()) & ~stairs
        if bool(wild.any()):
            # Of the cosine of a phase of 1e11 all change would pass for noise; what is noise is
            # there over a few roundings of the inputs, too.
            tremble = 3 * fourth_differences(self._along_all(directions, 1e-13))
            noise = torch.where(wild & (tremble > 0) & (tremble < 0.03 * noise), tremble, noise)
        return noise

    def _along_all(self, directions: dict[int, Tensor], step: float) -> Tensor:
        """The outputs at 8 points `step` of the inputs apart, a thousandth aside: (8, m)."""
        rows = []
        for k in range(8):
            inputs = list(self.inputs)
            for i, direction in directions.items():
                inputs[i] = unreal(real(inputs[i]) + (1e-3 + step * k) * direction, inputs[i])
            rows.append(self.safely(inputs))
        return torch.stack(rows)

    def second_look(self, argument: int, directions: Tensor, scales: Tensor) -> Measured:
        """The derivatives along `directions` from steps of all sizes, both sides apart.

        directions (c, n), scales (c,) -> (c, m)
        """
        powers = 4.0 ** -torch.arange(COARSEST, FINEST).double()  # (k,)
        steps = powers.unsqueeze(1) * scales  # (k, c)
        ahead, behind = self.moved(argument, directions, steps)  # (k, c, m) each
        h = steps.unsqueeze(-1)  # (k, c, 1)
        noise = self.noise + EPS * self.at.abs()  # (m,)
        right, right_error = best_window((ahead - self.at) / h, h, noise, 4.0)
        left, left_error = best_window((self.at - behind) / h, h, noise, 4.0)
        value, error = best_window((ahead - behind) / (2 * h), h, noise, 16.0)
        value, error = self._complex_step(argument, directions, value, error)
        one_sided = torch.isfinite(right_error) ^ torch.isfinite(left_error)
        side = torch.where(torch.isfinite(right_error), right, left)
        value = torch.where(one_sided, side, value)
        error = torch.where(one_sided, torch.minimum(right_error, left_error), error)
        measured = Measured.smooth(value, error)
        slack = 4 * (right_error + left_error)
        kink = (right - left).abs() > slack + 1e-7 * (right.abs() + left.abs())
        measured.low[kink] = (torch.minimum(right, left) - slack)[kink]
        measured.high[kink] = (torch.maximum(right, left) + slack)[kink]
        jump = steep(ahead - self.at, noise) | steep(behind - self.at, noise)
        measured.low[jump], measured.high[jump] = -torch.inf, torch.inf
        return measured

    def _complex_step(
        self, argument: int, directions: Tensor, value: Tensor, error: Tensor
    ) -> tuple[Tensor, Tensor]:
        """`value` and `error` (c, m), bettered where a complex step agrees with them."""
        x = self.inputs[argument]
        if not self.complex_step or x.is_complex():
            return value, error
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                if self.subject.batchable:
                    one = functools.partial(self._complex_outputs, argument)
                    with forwards_alone():
                        outputs = torch.func.vmap(one)(directions)
                else:
                    outputs = torch.stack([self._complex_outputs(argument, d) for d in directions])
        except Exception:  # the user's forward may raise whatever it likes at complex numbers
            self.complex_step = False
            return value, error
        if not outputs.is_complex() or outputs.shape != value.shape:
            self.complex_step = False
            return value, error
        stepped = outputs.imag.double() / TINY
        agrees = (stepped - value).abs() <= 4 * error + 1e-9 * value.abs()
        same_value = (outputs.real - self.at).abs() <= 64 * EPS * self.at.abs() + 8 * self.noise
        seen = (stepped.abs() > 4 * error) | (stepped == 0)  # by both, else neither confirms it
        better = agrees & same_value & torch.isfinite(stepped) & seen
        # An iteration inside forward may stop before the imaginary part has arrived.
        exact = better & (error < 1e-7 * value.abs())
        off = ((stepped - value).abs() - 2 * error).clamp_min(0)[exact] / value.abs()[exact]
        share = max(64 * EPS, 4 * float(off.max()) if len(off) else 1e-12)
        sharp = share * stepped.abs()
        return torch.where(better, stepped, value), torch.where(
            better, torch.minimum(sharp, error), error
        )

    def _complex_outputs(self, argument: int, direction: Tensor) -> Tensor:
        """The outputs, as they are, a tiny imaginary step along `direction` away."""
        inputs: list[Any] = list(self.inputs)
        x = inputs[argument]
        inputs[argument] = torch.complex(x.double(), TINY * unreal(direction, x).double())
        values = self.subject.value(inputs)
        return torch.cat([values[i].reshape(-1) for i in self.smooth])
