"""Limits of difference quotients at step zero, each with its error bound."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor

from derivable.examiner.measure.measured import Measured

CENTRAL = (4.0, 16.0, 64.0)  # how the error terms of central differences fall as steps are halved
BENDING = (2.0, 8.0, 32.0)  # and those of half a second difference, divided by the step


def size_of(x: Tensor) -> float:
    """The root mean square of the finite entries."""
    finite = x[torch.isfinite(x)]
    largest = float(finite.abs().max()) if len(finite) else 0.0
    if not largest:
        return 0.0
    return largest * float((finite / largest).square().mean().sqrt())  # squares may overflow


def largest_of(x: Tensor) -> float:
    """The largest absolute value of the finite entries, 0 if there are none."""
    return float(x.abs().nan_to_num(0.0, 0.0).max()) if x.numel() else 0.0


def sizes_of(x: Tensor) -> Tensor:
    """The absolute values of the entries, 0 of infinite ones: no step changes these."""
    return torch.where(torch.isfinite(x), x.abs(), 0.0)


def power_of_two(scales: Tensor) -> Tensor:
    """The powers of two nearest to `scales`, 1 for 0: x + h is then exact, and so is its h."""
    return torch.where(scales > 0, scales.clamp_min(1e-300).log2().round().exp2(), 1.0)


def fourth_differences(table: Tensor) -> Tensor:
    """The noise of a column of values (p, m) at equal distances: what no cubic explains, (m,)."""
    for _ in range(4):
        table = table.diff(dim=0)
    noise: Tensor = table.square().mean(0).sqrt() / 70**0.5  # 70: sum of the squared binomials
    return noise


def neville(rows: Tensor, factors: Sequence[float]) -> tuple[Tensor, Tensor]:
    """The limit at step zero of `rows` (k, ...), whose steps are halved from row to row.

    factors  by how much each term of the error falls from row to row, the largest term first:
             (4, 16, 64) for central differences
    Returns the limit and its distance from the limit without the last row, inf where not finite.
    """
    column, diagonal = list(rows), [rows[0]]
    for factor in factors[: len(rows) - 1]:
        column = [b + (b - a) / (factor - 1) for a, b in itertools.pairwise(column)]
        diagonal.append(column[0])
    error = (diagonal[-1] - diagonal[-2]).abs()
    return diagonal[-1], torch.where(torch.isfinite(error), error, torch.inf)


def kink_size(bending: Tensor, noise: Tensor) -> Tensor:
    """Half of what the slopes ahead and behind of x differ by, 0 where they may be the same.

    bending (k, c, m): half of the slope ahead minus the slope behind, steps halved from one to the
    next; it falls with the step where a function is smooth. noise (c, m): that of a quotient over
    the shortest step. Returns (c, m), inf where the steps are far longer than what f varies over.
    """
    gap, gap_error = neville(bending, BENDING)
    first, last = bending[0].abs(), bending[-1].abs()
    sure = last > 16 * noise
    kink = (gap.abs() > 4 * gap_error + 16 * noise) | (sure & (last > 0.5 * first))
    size = torch.where(kink, torch.maximum(gap.abs(), last), 0.0)
    return size.nan_to_num(0.0, 0.0).masked_fill(sure & (last > 1.5 * first), torch.inf)


def contradict(estimates: Sequence[Measured]) -> bool:
    """Whether two estimates of the same derivatives differ by far more than their errors."""
    for first, second in itertools.combinations(estimates, 2):
        apart = (first.value - second.value).abs() > 16 * (first.error + second.error)
        if bool(apart.any()):
            return True
    return False


def best_window(quotients: Tensor, h: Tensor, noise: Tensor, base: float) -> tuple[Tensor, Tensor]:
    """The best extrapolation over three successive steps, for each output.

    From the finest steps, whose errors are noise alone, to longer ones as long as these agree:
    the quotients of very long steps may agree among themselves and with nothing else. How far the
    finest quotients are apart is the noise at this point, which may be much more than elsewhere.

    quotients (k, c, m), h (k, c, 1), noise (m,) -> the limits (c, m) and their errors (c, m).
    """
    a, b, c = quotients[:-2], quotients[1:-1], quotients[2:]
    trembling, unresolved = _finest(quotients, h, noise)
    noise = torch.maximum(noise, trembling)
    first, second = b + (b - a) / (base - 1), c + (c - b) / (base - 1)
    limits = second + (second - first) / (base * (4.0 if base == 4.0 else 16.0) - 1)
    errors = (second - first).abs() + 8 * noise / h[2:]
    errors[:-1] += (limits[:-1] - limits[1:]).abs()
    errors = torch.where(torch.isfinite(errors), errors, torch.inf)
    limit, error = limits[-1].clone(), errors[-1].clone()
    open_ = torch.ones_like(limit, dtype=torch.bool)
    for value, mistake in zip(limits.flip(0)[1:], errors.flip(0)[1:], strict=True):
        known = torch.isfinite(mistake)
        agrees = ~torch.isfinite(error) | ((value - limit).abs() <= 4 * (mistake + error))
        open_ &= agrees | ~known
        better = open_ & known & (mistake < error)
        limit, error = torch.where(better, value, limit), torch.where(better, mistake, error)
    return limit, error.masked_fill(unresolved, torch.inf)


def _finest(quotients: Tensor, h: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
    """From the finest quotients: the noise, and where they have not converged: (c, m) each.

    Noise is irregular, or as small as rounding. Larger differences that grow steadily as the steps
    shrink occur so near the edge of a domain that no step is short enough.
    """
    apart = quotients.diff(dim=0)[-5:]  # (5, c, m)
    ratio = apart[1:] / apart[:-1]
    moved = (apart * h[-5:]).abs().nan_to_num(0.0, 0.0).amax(0)  # (c, m)
    steady = (ratio > 0).all(0) & (ratio.amax(0) < 2 * ratio.amin(0)) & (moved > 1e3 * noise)
    return torch.where(steady, 0.0, moved), steady & (ratio.amin(0) > 1)


def steep(moved: Tensor, noise: Tensor) -> Tensor:
    """Whether outputs jump, or change with infinite slope: (c, m).

    moved (k, c, m): their change for ever smaller steps, which must shrink as these do.
    """
    last = moved[-5:]  # (5, c, m)
    ratio = last[1:] / last[:-1]  # a quarter where there is a slope, anything where there is noise
    slowly = ((ratio > 0.3) & (ratio < 1.001)).all(0) & (ratio.amax(0) - ratio.amin(0) < 0.1)
    return slowly & (last[-1].abs() > 1e3 * noise) & torch.isfinite(last).all(0)
