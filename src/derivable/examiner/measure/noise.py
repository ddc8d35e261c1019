"""`Noise`: how much a function scatters about its smooth course, by fourth differences.

The difference table is Hamming's (Numerical Methods for Scientists and Engineers, 1962); how the
noise follows from it, and why two step lengths are compared, is in Moré and Wild, Estimating
computational noise (SIAM Journal on Scientific Computing 33, 2011).
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from derivable.examiner.measure.extrapolation import fourth_differences, size_of

POINTS = 8  # of a difference table
ASIDE = 1e-3  # x itself may lie on a kink; points begin this far along the line
LONG, SHORT, ROUNDINGS = 1e-6, 1e-8, 1e-13  # step lengths, relative to the inputs
EPS = torch.finfo(torch.float64).eps

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
        self._measured = measured

    def measure(self) -> Tensor:
        """The noise (m,), measured by 16 to 24 evaluations at the first call."""
        if not self._measured:
            self._measured = True
            self.level = torch.maximum(self.level, self._estimate())
        return self.level

    def _table(self, step: float) -> Tensor:
        """The outputs at points `step` apart, (POINTS, m)."""
        return self._line(ASIDE + step * torch.arange(POINTS).double())

    def _estimate(self) -> Tensor:
        """Of two step lengths the calmer one counts: at the longer one the course may bend."""
        long, short = self._table(LONG), self._table(SHORT)
        level = [(table.diff(dim=0) == 0).double().mean(0) for table in (long, short)]  # (m,)
        stairs = (level[1] > 0.3) & (level[0] < 1)  # a smaller dtype inside of the function
        found = fourth_differences(long), fourth_differences(short)
        noise = torch.where(stairs, torch.maximum(*found), torch.minimum(*found))
        noise = _alike(3 * torch.where(torch.isfinite(noise), noise, 0.0), self._at)
        course = torch.cat([self._at.unsqueeze(0), long, short])
        change = course.amax(0) - course.amin(0)
        wild = (noise > 1e-5 * change) & (noise > 1e3 * self._rounding * self._at.abs()) & ~stairs
        if bool(wild.any()):
            # Of the cosine of a phase of 1e11 all change would pass for noise; what is noise is
            # there over a few roundings of the inputs, too.
            least = 3 * fourth_differences(self._table(ROUNDINGS))
            noise = torch.where(wild & (least > 0) & (least < 0.03 * noise), least, noise)
        return noise


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
    """A random direction (n,) along which each entry of `x` (n,) changes by about its own size."""
    drawn = torch.randn(len(x), generator=generator).double()
    return drawn * x.abs().clamp_min(0.01 * (size_of(x) or 1.0))
