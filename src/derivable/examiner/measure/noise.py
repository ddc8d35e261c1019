"""`Noise`: how much a function scatters about its smooth course, by fourth differences.

The difference table is Hamming's (Numerical Methods for Scientists and Engineers, 1962); how the
noise follows from it, and why two step lengths are compared, is in Moré and Wild, Estimating
computational noise (SIAM Journal on Scientific Computing 33, 2011).
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from derivable.examiner.measure.extrapolation import fourth_differences, size_of, sizes_of

POINTS = 8  # of a difference table
ASIDE = 1e-3  # x itself may lie on a kink; points begin this far along the line
LONG, SHORT, ROUNDINGS = 1e-6, 1e-8, 1e-13  # step lengths, relative to the inputs
EPS = torch.finfo(torch.float64).eps
SEARCHED, INTERVALS, HALVINGS = 2e-3, 8, 33  # in which jumps are searched for, by bisection

Line = Callable[[Tensor], Tensor]  # parameters (p,) -> outputs there (p, m)


class Noise:
    """The noise of the outputs (m,): their rounding at first, and what is measured once asked for.

    line      the outputs (p, m) at parameters (p,) along a line through x, at which the parameter
              is 0, and on which the inputs change by about their own size for a parameter of 1
    at        the outputs at x (m,)
    rounding  the relative rounding of the function
    measured  whether nothing needs to be measured: the rounding is known to be all
    """

    def __init__(self, line: Line, at: Tensor, rounding: float, measured: bool = False) -> None:
        self.level = rounding * at.abs()  # (m,)
        self._line, self._at, self._rounding = line, at, rounding
        self._known = self._measured = measured
        self._stairs: Tensor | None = None

    def measure(self) -> Tensor:
        """The noise over long steps (m,), measured by 16 to 24 evaluations at the first call.

        It is `level`, except for outputs that do not change over short steps: these may be
        staircases, such as an iteration that stops early, and the noise is the height of a step.
        """
        if not self._measured:
            self._measured = True
            noise, flat = self._estimate()
            self.level = torch.maximum(self.level, noise)
            if bool(flat.any()):
                self._stairs = self._jumps(flat, intervals=1)
        return self.level if self._stairs is None else torch.maximum(self.level, self._stairs)

    def find_jumps(self, chosen: Tensor | None = None) -> bool:
        """Raise the level to the size of repeated jumps on the line; whether it is much higher now.

        chosen  the outputs (m,), bool, whose jumps count; all if left out
        """
        if self._known:
            return False
        chosen = torch.ones_like(self.level, dtype=torch.bool) if chosen is None else chosen
        before, jumps = self.level, self._jumps(chosen, INTERVALS)
        self.level = torch.maximum(before, _alike(jumps, self._at))
        return bool((self.level > 16 * before).any())

    def _jumps(self, chosen: Tensor, intervals: int) -> Tensor:
        """The second largest jump in some intervals, or the only one (m,); 0 if not `chosen` (m,).

        Bisection finds them: what an interval changes by shrinks with it, unless there is a jump.
        """
        ends = self._line(ASIDE + SEARCHED * torch.arange(intervals + 1).double())  # (s + 1, m)
        change = ends.diff(dim=0).abs().nan_to_num(0.0, 0.0).amax(0)  # (m,)
        change = change.masked_fill(~chosen | (change <= 64 * self.level), 0.0)
        if not bool(change.any()):
            return torch.zeros_like(change)
        output = int((change / (self._at.abs() + self.level)).nan_to_num(0.0).argmax())
        jumps = self._bisected(ends, output).sort(dim=0).values  # (s, m)
        return jumps[max(0, intervals - 2)].masked_fill(~chosen, 0.0)

    def _bisected(self, ends: Tensor, output: int) -> Tensor:
        """The jump in each interval (s, m), which is halved towards the larger change; else 0."""
        low = ASIDE + SEARCHED * torch.arange(len(ends) - 1).double()  # (s,)
        at_low, at_high = ends[:-1], ends[1:]  # (s, m)
        for halving in range(HALVINGS):
            middle = low + SEARCHED * 0.5 ** (halving + 1)
            between = self._line(middle)
            first, second = (
                (between - at_low)[:, output].abs(),
                (at_high - between)[:, output].abs(),
            )
            upper = second > first  # (s,)
            low = torch.where(upper, middle, low)
            at_low = torch.where(upper.unsqueeze(1), between, at_low)
            at_high = torch.where(upper.unsqueeze(1), at_high, between)
        left = (at_high - at_low).abs().nan_to_num(0.0, 0.0)
        whole = ends.diff(dim=0).abs().nan_to_num(0.0, 0.0)
        return torch.where(left > 2.0**-30 * whole, left, 0.0)

    def _table(self, step: float) -> Tensor:
        """The outputs at points `step` apart, (POINTS, m)."""
        return self._line(ASIDE + step * torch.arange(POINTS).double())

    def _estimate(self) -> tuple[Tensor, Tensor]:
        """The noise (m,), and which outputs stay exactly the same (m,).

        Of two step lengths the calmer one counts: at the longer one the course may bend.
        """
        long, short = self._table(LONG), self._table(SHORT)
        level = [(table.diff(dim=0) == 0).double().mean(0) for table in (long, short)]  # (m,)
        stairs = (level[1] > 0.3) & (level[0] < 1)  # a smaller dtype inside of the function
        found = fourth_differences(long), fourth_differences(short)
        # Or one of the steps happens to fit its grid, and hides it.
        stairs |= ((found[0] == 0) | (found[1] == 0)) & (level[1] < 1)
        noise = torch.where(stairs, torch.maximum(*found), torch.minimum(*found))
        noise = _alike(3 * torch.where(torch.isfinite(noise), noise, 0.0), self._at)
        course = torch.cat([self._at.unsqueeze(0), long, short])
        change = course.amax(0) - course.amin(0)
        irregular = (
            (noise > 1e-5 * change) & (noise > 1e3 * self._rounding * self._at.abs()) & ~stairs
        )
        if bool(irregular.any()) and not self.find_jumps(irregular):
            # The cosine of a phase of 1e11 changes irregularly at these steps; true noise also
            # shows over a few roundings of the inputs.
            least = 3 * fourth_differences(self._table(ROUNDINGS))
            noise = torch.where(irregular & (least > 0) & (least < 0.03 * noise), least, noise)
        return noise, (course[1:] == long[0]).all(0)


def _alike(noise: Tensor, at: Tensor) -> Tensor:
    """The noise (m,) corrected by that of the other outputs: relative to `at`, it is alike.

    One output of many that scatters much more has a kink or a jump between the points.
    """
    share = (noise / at.abs())[(at != 0) & torch.isfinite(at)]
    common = float(share.median()) if len(share) else 0.0
    if len(share) >= 3:
        usual = 1e3 * max(common, EPS) * at.abs()
        noise = torch.where(usual > 0, torch.minimum(noise, usual), noise)
    return torch.maximum(noise, common * at.abs().nan_to_num(0.0, 0.0))


def random_direction(x: Tensor, generator: torch.Generator) -> Tensor:
    """A random direction (n,) along which each entry of `x` (n,) changes by about its own size.

    Infinite entries do not change.
    """
    drawn = torch.randn(len(x), generator=generator).double()
    return drawn * torch.where(x == 0, 0.01 * (size_of(x) or 1.0), sizes_of(x))
