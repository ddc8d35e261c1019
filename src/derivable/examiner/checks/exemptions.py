"""Exemptions: entries that differ from the measured ones, but are accepted for a reason.

Each function changes `sample.wrong` in place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from derivable.examiner.checks.returned import fit
from derivable.examiner.measure import EPS
from derivable.examiner.measure.extrapolation import largest_of, sizes_of
from derivable.examiner.measure.space import joined, real, unreal
from derivable.examiner.targets.derivatives import TargetDerivatives
from derivable.examiner.targets.recorder import replace_saved
from derivable.examiner.targets.target import FunctionRun, Inputs

if TYPE_CHECKING:
    from derivable.examiner.checks.values import ExaminedTarget, Sample

SAMPLES_ON_PATH, HALVINGS = 16, 12  # on the way from right inputs to wrong ones
STAIRCASE_TOLERANCE = 0.3  # relative: how well few steps of a staircase show its slope
SHARE_BEFORE = 2e-3  # of the way
NEGLIGIBLE = 1e-7  # of the outputs over the inputs: a slope that is lost beside usual ones


def corners(sample: Sample, numeric: TargetDerivatives) -> None:
    """Accept entries at a point without a derivative, such as a tie of several arguments of max.

    A derivative is linear: along a random direction it is the combination of the derivatives by
    the entries. Where the measured ones do not combine so, there is none.
    """
    measured = sample.measured
    generator = torch.Generator().manual_seed(4)
    direction = torch.randn(measured.value.shape[1], generator=generator).double()
    along = numeric.refined_along(sample.argument, direction)
    known = torch.isfinite(measured.error).all(1) & torch.isfinite(along.error)
    expected = measured.value.nan_to_num(0.0) @ direction
    slack = 8 * (measured.error.nan_to_num(0.0, 0.0) @ direction.abs() + along.error)
    slack = slack + 1e-6 * (measured.value.nan_to_num(0.0).abs() @ direction.abs())
    corner = known & (((along.value - expected).abs() > slack) | along.kinks)
    sample.wrong[corner] = False
    measured.low[corner], measured.high[corner] = -torch.inf, torch.inf


def rounding(examined: ExaminedTarget, sample: Sample) -> None:
    """Accept deviations that rounding of the inputs or of the saved tensors can explain."""
    off = (sample.returned - sample.measured.value).abs()
    rows = [int(row) for row in sample.wrong.any(1).nonzero()[:6]]
    explained = True
    generator = torch.Generator().manual_seed(7)

    def perturbed(value: Any) -> Any:
        noise = torch.randn(value.shape, generator=generator, dtype=torch.float64)
        return value.detach() * (1 + 4 * EPS * noise).to(value)

    for row in rows:
        vector = torch.zeros(len(sample.returned)).double()
        vector[row] = 1.0
        noise = torch.zeros_like(off[row])
        for saved in (False, True, False, True):
            inputs = list(sample.inputs)
            if not saved:
                for i in examined.wanted:
                    inputs[i] = perturbed(inputs[i])
            try:
                other = examined.run(inputs)
                if saved and isinstance(other, FunctionRun):
                    replace_saved(other.ctx, perturbed)
                gradients = examined.vjp(other, inputs, vector)
            except Exception:  # it raises at perturbed inputs only, which shows nothing
                continue
            fitted = fit(gradients, sample.argument, sample.x)
            if fitted is not None:
                noise = torch.maximum(noise, (real(fitted) - sample.returned[row]).abs())
        sample.wrong[row] &= ~(off[row] <= 16 * noise.nan_to_num(0.0))
        explained = explained and not bool(sample.wrong[row].any())
    if rows and explained:
        sample.wrong[:] = False  # the other rows have the same accuracy


def symmetry(sample: Sample) -> None:
    """Accept the symmetric gradient of a symmetric argument of which forward reads one triangle."""
    x = sample.x
    if x.ndim < 2 or x.shape[-1] != x.shape[-2] or x.is_complex() or x.shape[-1] < 2:
        return
    if not torch.equal(x, x.mT):
        return
    shape = (len(sample.returned), *x.shape)
    measured, returned = sample.measured.value.view(shape), sample.returned.view(shape)
    above, below = measured.triu(1), measured.tril(-1)
    if bool(above.abs().max() > 1e-6 * below.abs().max()) and bool(
        below.abs().max() > 1e-6 * above.abs().max()
    ):
        return  # forward reads both triangles
    gap = (returned + returned.mT - measured - measured.mT).abs()
    if bool((gap <= 1e-6 * measured.abs().max()).all()):
        sample.wrong[:] = False


def flat(sample: Sample, numeric: TargetDerivatives) -> None:
    """Accept a zero where the smallest steps change no output, such as rounding to integers.

    Over longer steps the outputs of a staircase change, so that the numerical derivative may be
    their mean slope, with the steps of the staircase taken for noise.
    """
    x = real(sample.x)
    for column in (sample.wrong & (sample.returned == 0)).any(0).nonzero().flatten().tolist():
        offset = torch.zeros_like(x)
        offset[column] = float(x[column].abs()) * 2.0**-40 or 2.0**-40
        outputs = numeric.by(sample.argument).at_points(torch.stack([x + offset, x - offset]))
        still = (outputs == numeric.at).all(0)  # (m,)
        rise = sample.measured.value[:, column].abs() * offset[column]
        still &= rise > 64 * EPS * numeric.at.abs()  # the slope would exceed rounding
        sample.wrong[:, column] &= ~(still & (sample.returned[:, column] == 0))


def negligible(sample: Sample, numeric: TargetDerivatives) -> None:
    """Accept a slope that is far smaller than outputs over inputs, where none can be measured.

    softplus(x) is x for PyTorch beyond a threshold of 20, so that terms which cancel there leave
    nothing of its true slope, 1 - 2e-9.
    """
    measured, size = sample.measured, sizes_of(real(sample.x))
    steepest = largest_of(numeric.at) / size.clamp_min(size.mean())
    nothing = measured.value.abs() <= 5 * measured.error
    sample.wrong &= ~(nothing & (sample.returned.abs() <= NEGLIGIBLE * steepest))


def saturated(sample: Sample, numeric: TargetDerivatives) -> None:
    """Accept a slope where the smallest steps change no output, but longer ones agree with it.

    1 - tanh(x)**2 at a large x is a multiple of the rounding of 1: a staircase whose steps are
    wider than those of the numerical derivative.
    """
    x, returned = real(sample.x), sample.returned
    hidden = sample.wrong & (sample.measured.value == 0)
    for column in hidden.any(0).nonzero().flatten().tolist():
        steps = float(x[column].abs()) * 2.0 ** -torch.arange(3, 24, dtype=torch.float64)
        offset = torch.zeros(len(steps), len(x), dtype=torch.float64)
        offset[:, column] = steps
        outputs = numeric.by(sample.argument).at_points(torch.cat([x + offset, x - offset]))
        above, below = outputs.chunk(2)  # (steps, m) each
        slopes = (above - below) / (2 * steps.unsqueeze(1))
        agree = (slopes - returned[:, column]).abs() <= STAIRCASE_TOLERANCE * returned[
            :, column
        ].abs()
        sample.wrong[:, column] &= ~(hidden[:, column] & (agree[1:] & agree[:-1]).any(0))


def unconverged(examined: ExaminedTarget, sample: Sample) -> None:
    """Accept deviations that grow gradually on the path from inputs where the gradient is right.

    A wrong formula deviates abruptly where a branch begins, such as beyond a threshold. A deviation
    that grows gradually, or comes with a jump of forward, comes from an iteration that has not
    converged: its derivative is not that of the limit.
    """
    start = examined.right_inputs.get(shapes(sample.inputs))
    if start is None:
        return
    if examined.unconverged:
        sample.wrong[:] = False
        return
    off = (sample.returned - sample.measured.value).abs()
    off = torch.where(sample.wrong & torch.isfinite(off), off, 0.0)
    share = off / sample.measured.value.abs().clamp_min(1e-300)
    for entry in {int(off.argmax()), int(share.argmax())}:
        row, column = divmod(entry, off.shape[1])
        if not _by_iteration(examined, sample, start, row, column):
            return
    sample.wrong[:] = False
    examined.unconverged = True


def shapes(inputs: Inputs) -> tuple[tuple[int, ...], ...]:
    """The shapes of the tensors."""
    return tuple(tuple(v.shape) for v in inputs if isinstance(v, Tensor))


def _by_iteration(
    examined: ExaminedTarget, sample: Sample, start: Inputs, row: int, column: int
) -> bool:
    """Whether an entry deviates gradually before it counts as wrong, or forward jumps there."""

    def at(share: float) -> list[Any]:
        return _between(examined, start, sample.inputs, share)

    def output(share: float) -> float:
        run = examined.run(at(share))
        return float(joined([run.outputs[i] for i in run.differentiable])[row])

    def off(share: float) -> float:
        return deviation(examined, sample, at(share), row, column)

    low = 0.0
    for sample_number in range(SAMPLES_ON_PATH, -1, -1):
        high = 2.0 ** (-sample_number / 2)
        if off(high) > 1e-7:
            break
        low = high
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if off(middle) > 1e-7 else (middle, high)
    if high > 1e-3 and off((1 - SHARE_BEFORE) * high) > 1e-2 * off(high):
        return True
    here, after = output(low), output(high)  # nearly the same inputs
    return abs(after - here) > 0.02 * max(abs(after), abs(here))


def _between(examined: ExaminedTarget, first: Inputs, last: Inputs, share: float) -> list[Any]:
    """Inputs on the straight line from the first ones to the last ones."""
    inputs = list(last)
    for i in examined.wanted:
        x = (1 - share) * real(first[i]) + share * real(last[i])
        inputs[i] = unreal(x, last[i])
    return inputs


def deviation(
    examined: ExaminedTarget, sample: Sample, inputs: Inputs, row: int, column: int
) -> float:
    """The deviation of one entry at `inputs`, relative to the larger value; 0 if unknown."""
    run = examined.run(inputs)
    count = len(sample.returned)
    try:
        vector = torch.zeros(count).double()
        vector[row] = 1.0
        fitted = fit(examined.vjp(run, inputs, vector), sample.argument, sample.x)
        numeric = TargetDerivatives(examined.adapter, inputs, run.differentiable)
    except Exception:  # forward may raise between two valid inputs
        return 0.0
    if fitted is None or len(numeric.at) != count:
        return 0.0
    returned = real(fitted)
    direction = torch.zeros_like(returned)
    direction[column] = 1.0
    measured = numeric.refined_along(sample.argument, direction)
    value, error = float(measured.value[row]), float(measured.error[row])
    off = abs(float(returned[column]) - value)
    larger = max(abs(float(returned[column])), abs(value))
    return off / larger if off > 5 * error and larger else 0.0
