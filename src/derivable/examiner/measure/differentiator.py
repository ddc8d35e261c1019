"""`Differentiator`: numerical derivatives of a function of real vectors at one point.

First central differences over halved steps, extrapolated to step zero (Richardson 1911; in the
scheme of Neville, as in Romberg's integration). They settle almost every entry to ten or more
digits with 8 evaluations. A refinement, with 50, takes steps from 4 times the size of the inputs
down to 1e-14 of it, both sides apart, which distinguishes a kink, the edge of a domain or a jump
from a smooth point; where the function runs on complex numbers, a complex step (Squire and Trapp,
SIAM Review 40, 1998), which has no cancellation, replaces what it confirms.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from derivable.examiner.measure.budget import Budget
from derivable.examiner.measure.evaluation import EPS, Evaluations, Evaluator, VectorFunction
from derivable.examiner.measure.extrapolation import (
    CENTRAL,
    best_window,
    contradict,
    kink_size,
    neville,
    power_of_two,
    size_of,
    sizes_of,
    steep,
)
from derivable.examiner.measure.measured import Measured
from derivable.examiner.measure.noise import Noise, random_direction

LEVELS = 4  # step lengths of the first estimate, each half of the one before
FIRST_STEP = -6  # a power of two, of the size of the inputs
OTHER_STEPS = (-9, -3, -13, -18)  # tried where the first one does not suit
PRECISE = 1e-6  # relative error above which an estimate is doubtful
FAR_BELOW = 1e-6  # an entry of x, of the size of x, for which steps are too long
UNSUITABLE = 1e-3  # relative error of the best step, above which jumps are searched for
COARSEST, FINEST = -1, 24  # steps 4**-k of a refinement
REFINED = 8  # columns that are refined at most where evaluations are made one by one
ROUNDINGS = torch.tensor(
    [0.0, 1.0, -2.0, 3.0], dtype=torch.float64
)  # of x, at which complex steps are compared
# Two grids of larger shifts, relative to x, for the same: a domain may end within the first.
SHIFTS = torch.outer(
    torch.tensor([2.0**-33, 2.0**-42], dtype=torch.float64),
    torch.arange(1, 7, dtype=torch.float64),
)  # (2, 6)
TINY = 1e-150  # the complex step: its square underflows to 0


@dataclass(frozen=True)
class Settings:
    """How derivatives are computed.

    rounding       relative rounding of the function: larger than 2**-52 if its inputs are rounded
                   to float32
    measure_noise  whether the noise of the function is measured; else rounding is all
    complex_step   whether a refinement tries a complex step
    """

    rounding: float = EPS
    measure_noise: bool = True
    complex_step: bool = True


class Differentiator:
    """Numerical derivatives of `f` at `x`, which keeps step length and noise between calls.

    f         takes a float64 vector (n,) and returns a real vector (m,); it may raise, and may
              offer batches as a `BatchFunction`
    x         the point, float64 (n,). The derivative by an infinite entry is 0: no step changes it
    at        f(x), float64 (m,), if it is known; else it is evaluated, and may raise
    settings  see Settings
    budget    charged with each evaluation; BudgetSpent is raised when it is spent
    noise     shared by several functions with the same outputs; else one of its own
    step      a step length that suited before, relative to the size of x; else it is found
    count     where evaluations are counted; else one of its own
    """

    def __init__(
        self, f: VectorFunction, x: Tensor, *, at: Tensor | None = None,
        settings: Settings | None = None, budget: Budget | None = None,
        noise: Noise | None = None, step: float | None = None, count: Evaluations | None = None,
    ) -> None:  # fmt: skip
        self.settings = Settings() if settings is None else settings
        self.x = x.detach().double()
        budget = Budget() if budget is None else budget
        count = Evaluations() if count is None else count
        if at is None:
            budget.spend(1)
            at = f(self.x).detach().double()
            count.add(calls=1, rows=1)
        self.at = at
        self._evaluator = Evaluator(f, at, self.settings.rounding, budget, count)
        self.step = step
        if noise is None:
            known = not self.settings.measure_noise
            noise = Noise(self._line(), at, self.settings.rounding, known)
        self.noise = noise
        self._complex_step = self.settings.complex_step

    @property
    def evaluations(self) -> Evaluations:
        """How often the function was evaluated."""
        return self._evaluator.count

    def jacobian(self) -> Measured:
        """The first estimate of every derivative, (m, n), by 8 evaluations per entry of x."""
        scales = sizes_of(self.x).clamp_min(0.1 * size_of(self.x))  # (n,)
        if self.step is None:
            self._find_step(self._random())
        first = self._estimate(torch.eye(len(self.x)).double(), power_of_two(scales), self.step)
        return first.mapped(lambda t: t.T.contiguous())

    def along(self, direction: Tensor) -> Measured:
        """The first estimate of the derivative along `direction` (n,): (m,), by 8 evaluations.

        The first call needs up to 56 more, for the noise and the step length.
        """
        if self.step is None:
            self._find_step(self._random())
        scale = torch.tensor([self.length(direction)]).double()
        first = self._estimate(direction.unsqueeze(0), scale, self.step)
        return Measured.smooth(first.value[0], first.error[0])

    def refined_along(self, direction: Tensor) -> Measured:
        """The refined estimate along `direction`, kinks recognised: (m,), by 50 evaluations."""
        scale = torch.tensor([self.length(direction)]).double()
        return self._refinement(direction.unsqueeze(0), scale).mapped(lambda t: t[0])

    def refined(self, measured: Measured, columns: Sequence[int]) -> Measured:
        """`measured` (m, n) with refined estimates of some columns, by 50 evaluations each.

        Without batches only the first eight are refined. If kinks are found there, the others are
        marked as unknown.
        """
        chosen = list(columns if self._evaluator.batchable else columns[:REFINED])
        if not chosen:
            return measured
        own = sizes_of(self.x)[chosen]  # (c,)
        scales = own.clamp_min(size_of(self.x))
        directions = torch.eye(len(self.x)).double()[chosen]
        second = self._refinement(directions, power_of_two(scales))
        lost = (own > 0) & (own < 1e-3 * scales)  # perhaps at the edge of a domain
        if bool(lost.any()):
            near = self._refinement(directions[lost], power_of_two(own[lost]))
            far = second.mapped(lambda t: t[lost])
            nearer = near.error / near.value.abs() < far.error / far.value.abs()
            nearer |= far.nowhere & ~near.nowhere
            apart = (near.value - far.value).abs() > 4 * (near.error + far.error)
            nearer |= apart & torch.isfinite(near.error)  # too long steps agree among themselves
            best = near.where(nearer, far)
            for tensor, better in zip(vars(second).values(), vars(best).values(), strict=True):
                tensor[lost] = better
        result = measured.mapped(torch.clone)
        for name in ("value", "error", "low", "high"):
            getattr(result, name)[:, chosen] = getattr(second, name).T
        if bool(second.kinks.any()):
            result.error[:, list(columns[len(chosen) :])] = torch.inf
        return result

    def doubtful(self, measured: Measured) -> list[int]:
        """The columns of a first estimate that are not known to 1e-6, or not to be trusted."""
        columns = ~(measured.error <= PRECISE * measured.value.abs()).all(0)  # (n,)
        own = sizes_of(self.x)
        columns |= (own > 0) & (own < FAR_BELOW * size_of(self.x))  # steps were far longer than x
        return [int(column) for column in columns.nonzero()]

    def length(self, direction: Tensor) -> float:
        """How far along `direction` (n,) the inputs change by their own size."""
        largest = float(direction.abs().max()) if len(direction) else 0.0
        return (size_of(self.x) or 1.0) / (largest or 1.0)

    def at_points(self, points: Tensor) -> Tensor:
        """The function at `points` (p, n): (p, m), nan where it is refused."""
        return self._evaluator.at_points(points)

    def moved(self, directions: Tensor, steps: Tensor) -> Tensor:
        """The function at x + h direction and x - h direction for each of `steps` (k, c).

        directions (c, n) -> (2, k, c, m)
        """
        signed = torch.stack([steps, -steps])  # (2, k, c)
        points = self.x + signed.unsqueeze(-1) * directions  # (2, k, c, n)
        outputs = self.at_points(points.reshape(-1, len(self.x)))
        return outputs.reshape(*signed.shape, len(self.at))

    def _random(self) -> Tensor:
        """A random direction (n,), always the same."""
        return torch.randn(len(self.x), generator=torch.Generator().manual_seed(1)).double()

    def _line(self) -> LineThrough:
        return LineThrough(self, random_direction(self.x, torch.Generator().manual_seed(1)))

    def _find_step(self, direction: Tensor) -> None:
        """Find how long a step suits this function, along one direction."""
        estimates, errors = self._steps_compared(direction)
        # The usual step or none suits, or two contradict: f oscillates fast, or jumps many times.
        odd = errors[0] > 0.1 or min(errors) > UNSUITABLE or contradict(estimates)
        if odd and self.noise.find_jumps():
            self._steps_compared(direction)

    def _steps_compared(self, direction: Tensor) -> tuple[list[Measured], list[float]]:
        """Choose the step with the smallest errors.

        Returns the estimates with the steps that were tried, and their typical relative errors.
        """
        scale = torch.tensor([size_of(self.x) or 1.0]).double()
        best, self.step = float("inf"), 2.0**FIRST_STEP
        estimates, errors = [], []
        for power in (FIRST_STEP, *OTHER_STEPS):
            found = self._estimate(direction.unsqueeze(0), scale, 2.0**power)
            estimates.append(found)
            known = torch.isfinite(found.error)
            share = (found.error / found.value.abs().clamp_min(1e-300))[known]
            typical = float(share.median()) if len(share) else float("inf")
            errors.append(typical)
            if typical < best / 4:
                best, self.step = typical, 2.0**power
            if best < 1e-9:
                break
        return estimates, errors

    def _estimate(self, directions: Tensor, scales: Tensor, step: float | None) -> Measured:
        """Extrapolated central differences along `directions` (c, n): (c, m)."""
        noise = self.noise.measure()
        step = 2.0**FIRST_STEP if step is None else step
        steps = torch.stack([scales * step * 2.0**-k for k in range(LEVELS)])  # (k, c)
        h = steps.unsqueeze(-1)  # (k, c, 1)
        ahead, behind = self.moved(directions, steps)  # (k, c, m) each
        value, error = neville((ahead - behind) / (2 * h), CENTRAL)
        error = error + 4 * noise / h[-1] + EPS * value.abs()
        error = error + kink_size((ahead - self.at + (behind - self.at)) / (2 * h), noise / h[-1])
        reach = (ahead - self.at).abs().amax(0) / steps[0].unsqueeze(1)  # (c, m)
        return Measured.smooth(value, error, reach.nan_to_num(0.0, 0.0))

    def _refinement(self, directions: Tensor, scales: Tensor) -> Measured:
        """The derivatives along `directions` from steps of all sizes, both sides apart.

        directions (c, n), scales (c,) -> (c, m)
        """
        powers = 4.0 ** -torch.arange(COARSEST, FINEST).double()  # (k,)
        steps = powers.unsqueeze(1) * scales  # (k, c)
        ahead, behind = self.moved(directions, steps)  # (k, c, m) each
        h = steps.unsqueeze(-1)  # (k, c, 1)
        noise = self.noise.level + EPS * self.at.abs()  # (m,)
        right, right_error = best_window((ahead - self.at) / h, h, noise, 4.0)
        left, left_error = best_window((self.at - behind) / h, h, noise, 4.0)
        value, error = best_window((ahead - behind) / (2 * h), h, noise, 16.0)
        value, error = self._by_complex_step(directions, value, error)
        one_sided = torch.isfinite(right_error) ^ torch.isfinite(left_error)
        side = torch.where(torch.isfinite(right_error), right, left)
        value = torch.where(one_sided, side, value)
        error = torch.where(one_sided, torch.minimum(right_error, left_error), error)
        measured = Measured.smooth(value, error + EPS * value.abs())
        slack = 4 * (right_error + left_error)
        kink = (right - left).abs() > slack + 1e-7 * (right.abs() + left.abs())
        measured.low[kink] = (torch.minimum(right, left) - slack)[kink]
        measured.high[kink] = (torch.maximum(right, left) + slack)[kink]
        jump = steep(ahead - self.at, noise) | steep(behind - self.at, noise)
        measured.low[jump], measured.high[jump] = -torch.inf, torch.inf
        return measured

    def _by_complex_step(
        self, directions: Tensor, value: Tensor, error: Tensor
    ) -> tuple[Tensor, Tensor]:
        """`value` and `error` (c, m), improved where a complex step agrees with them."""
        if not self._complex_step:
            return value, error
        stepped, real_part, error_of_step = self._complex_quotients(directions)
        if stepped is None or real_part is None:
            self._complex_step = False
            return value, error
        agrees = (stepped - value).abs() <= 4 * error + 1e-9 * value.abs()
        noise = self.noise.level
        same_value = (real_part - self.at).abs() <= 64 * EPS * self.at.abs() + 8 * noise
        seen = (stepped.abs() > 4 * error) | (stepped == 0)  # by both, else neither confirms it
        better = agrees & same_value & torch.isfinite(stepped) & seen
        # An iteration inside of f may stop before the imaginary part has converged.
        exact = better & (error < 1e-7 * value.abs())
        off = ((stepped - value).abs() - 2 * error).clamp_min(0)[exact] / value.abs()[exact]
        share = max(64 * EPS, 4 * float(off.max()) if len(off) else 1e-12)
        sharp = share * stepped.abs() + error_of_step
        sharp = torch.minimum(sharp, error + (stepped - value).abs())
        return torch.where(better, stepped, value), torch.where(better, sharp, error)

    def _complex_quotients(self, directions: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor]:
        """Derivatives (c, m) by complex steps, f's real part there, and the derivatives' scatter.

        A complex step is affected by the rounding of x, which the cosine of 1e7 x amplifies, and
        by rounding inside f. Both show as scatter when x changes by a few roundings, and as the
        residual of a parabola when it changes more. None if f does not take complex numbers.
        """
        shifts = torch.cat([ROUNDINGS * EPS, SHIFTS.flatten()])  # (s,)
        points = (self.x * (1 + shifts.unsqueeze(1))).unsqueeze(1)  # (s, 1, n)
        shape = (len(shifts), *directions.shape)  # (s, c, n)
        complex_points = torch.complex(
            points.expand(shape).contiguous(), (TINY * directions).expand(shape).contiguous()
        )
        outputs = self._evaluator.at_complex_points(complex_points.reshape(-1, len(self.x)))
        if outputs is None:
            return None, None, self.at
        outputs = outputs.reshape(*shape[:2], -1)
        stepped = outputs.imag.double() / TINY  # (s, c, m)
        scatter = (stepped[: len(ROUNDINGS)] - stepped[0]).abs().amax(0)
        # Noise beyond rounding comes from inside of f, and may be alike at all these points.
        noise = self.noise.level
        inner = torch.where(noise > 1e3 * self.settings.rounding * self.at.abs(), noise, 0.0)
        scatter = scatter + inner / (size_of(self.x) or 1.0)
        grids = stepped[len(ROUNDINGS) :].reshape(*SHIFTS.shape, *stepped.shape[1:])
        bent = grids.diff(dim=1, n=3).abs().amax(1).nan_to_num(torch.inf, torch.inf).amin(0)
        scatter = scatter + bent / 20**0.5
        return stepped[0], outputs[0].real, scatter.nan_to_num(torch.inf, torch.inf)


class LineThrough:
    """The outputs of a differentiator's function along one direction (n,) through its x."""

    def __init__(self, differentiator: Differentiator, direction: Tensor) -> None:
        self._differentiator, self._direction = differentiator, direction

    def __call__(self, parameters: Tensor) -> Tensor:
        """Parameters (p,) -> outputs (p, m)."""
        x = self._differentiator.x
        return self._differentiator.at_points(x + parameters.unsqueeze(1) * self._direction)
