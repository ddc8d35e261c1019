"""The check of edges: gradients that are nan or infinite where an entry is exactly 0, 1 or -1.

Data take these values exactly (a count, a probability, a cosine), and many formulas divide by zero
there: `y / x` at the edge of the domain of x**1.5, `x / |x|` at a kink. One-sided difference
quotients of forward are computed on each side on which it is defined. If all of them converge, a
gradient that is not finite is a problem, because one nan makes a training fail. If they diverge,
as those of sqrt at 0 do, infinity of their sign is right, as is any finite number; nan is a note.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from derivable.examiner.checks.calls import gradients, random_grad_output
from derivable.examiner.checks.returned import Problem
from derivable.examiner.checks.values import MOST_ROWS, ExaminedTarget
from derivable.examiner.finding import Worst
from derivable.examiner.inputs.contracts import (
    Contract,
    Definite,
    LogSimplex,
    Rotation,
    Unit,
    structure,
)
from derivable.examiner.measure.extrapolation import power_of_two, size_of
from derivable.examiner.measure.space import joined, real, unreal
from derivable.examiner.message import Message
from derivable.examiner.targets.derivatives import TargetDerivatives
from derivable.examiner.targets.target import Inputs, Run

VALUES = (0.0, 1.0, -1.0)
COLUMNS = 4  # entries that are followed, of those whose gradient is not finite
STEPS = 4.0 ** -torch.arange(6, 15).double()  # of an argument's size; short, as edges may be near
SETTLED = 0.2  # of the first differences of quotients, where these have a limit
GROWING = 0.9  # of each the next, where they have none


class Slopes(NamedTuple):
    """One-sided difference quotients of the outputs by one entry, (2, m) each: above, below."""

    open: Tensor  # whether forward is defined there
    settles: Tensor  # whether the quotients converge
    grows: Tensor  # whether they diverge
    value: Tensor  # the limit, or a large number of the right sign
    error: Tensor  # what the last of the steps changed

    @property
    def have_limits(self) -> bool:
        """Whether every output has a finite slope on each side on which forward is defined."""
        return bool((self.settles | ~self.open).all()) and bool(self.open.any(0).all())


class NonFinite(NamedTuple):
    """An entry of a gradient that is not finite, for the outputs (m,), and forward's slopes."""

    argument: int
    entry: tuple[int, ...]
    returned: Tensor
    slopes: Slopes


def edges(examined: ExaminedTarget, inputs: Inputs) -> tuple[list[Problem], list[Message]]:
    """Problems and notes on gradients that are not finite where one entry is 0, 1 or -1."""
    problems: dict[int, Problem] = {}
    notes: list[Message] = []
    for argument, entry, value in _entries_and_values(examined, inputs):
        moved = list(inputs)
        moved[argument] = inputs[argument].detach().clone()
        moved[argument].view(-1)[entry] = value
        examined.comparisons += 1
        try:
            lost, have_limits = _non_finite_entries(examined, moved)
        except (
            Exception
        ):  # forward may refuse this number; what backward raises is reported elsewhere
            continue
        fields = {"argument": examined.name(argument, inputs), "value": f"{value:g}"}
        point = Message("point.edge", fields)
        if not have_limits:  # infinity times 0 is nan, and no mistake
            notes += [_note(point, one) for one in lost if _nan_for_infinity(one)]
            continue
        for one in lost:
            if one.argument in examined.known_wrong:
                continue
            problems.setdefault(one.argument, _problem(one, point, moved))
    return list(problems.values()), notes[:1]


def _entries_and_values(
    examined: ExaminedTarget, inputs: Inputs
) -> Iterator[tuple[int, int, float]]:
    """The first, a middle and the last entry of each argument, and values that it may take."""
    for argument in examined.wanted:
        x = inputs[argument]
        if not x.numel() or x.is_complex() or argument in examined.known_wrong:
            continue
        if isinstance(structure(x), Definite | Unit | Rotation | LogSimplex):
            continue
        lowest = 0.0 if bool((x >= 0).all()) else -1.0
        contract = examined.adapter.forms.get(argument)
        for entry in sorted({0, x.numel() // 2, x.numel() - 1}):
            for value in VALUES:
                if value >= lowest and _allowed(contract, x, entry, value):
                    yield argument, entry, value


def _allowed(contract: Any, x: Tensor, entry: int, value: float) -> bool:
    """Whether the contract of an argument, if it has one, lets one of its entries be `value`."""
    if not isinstance(contract, Contract):
        return True
    moved = x.detach().clone()
    moved.view(-1)[entry] = value
    return contract.holds(moved)


def _non_finite_entries(examined: ExaminedTarget, inputs: Inputs) -> tuple[list[NonFinite], bool]:
    """The entries whose gradient is not finite, and whether forward has finite slopes there."""
    run = examined.run(inputs)
    at = joined([run.outputs[i] for i in run.differentiable])
    if not len(at) or len(at) > MOST_ROWS or not bool(torch.isfinite(at).all()):
        return [], True
    found = gradients(examined, run, inputs, random_grad_output(run))
    if all(g is None or bool(torch.isfinite(real(g)).all()) for g in found):
        return [], True
    numeric = TargetDerivatives(examined.adapter, inputs, run.differentiable)
    lost = []
    for argument, rows in _rows(examined, run, inputs, len(at)).items():
        x = inputs[argument]
        for column in (~torch.isfinite(rows)).any(0).nonzero().flatten().tolist()[:COLUMNS]:
            place = torch.unravel_index(torch.tensor(column), x.shape) if x.ndim else ()
            entry = tuple(int(i) for i in place)
            lost.append(
                NonFinite(argument, entry, rows[:, column], _along_one(numeric, argument, column))
            )
    have_limits = all(one.slopes.have_limits for one in lost)
    return lost, have_limits and _along_all(numeric, examined.wanted).have_limits


def _rows(examined: ExaminedTarget, run: Run, inputs: Inputs, count: int) -> dict[int, Tensor]:
    """The returned Jacobians of real arguments, (m, n) each."""
    rows: dict[int, list[Tensor]] = {}
    for vector in torch.eye(count).double():
        for argument, gradient in zip(
            examined.wanted, gradients(examined, run, inputs, vector), strict=True
        ):
            if gradient is not None and not gradient.is_complex():
                rows.setdefault(argument, []).append(real(gradient))
    return {argument: torch.stack(parts) for argument, parts in rows.items()}


def _along_one(numeric: TargetDerivatives, argument: int, column: int) -> Slopes:
    """The difference quotients of the outputs by one entry, for decreasing steps."""
    x = real(numeric.inputs[argument])
    scale = power_of_two(torch.tensor([size_of(x)]).double())
    direction = torch.zeros(1, len(x)).double()
    direction[0, column] = 1.0
    steps = STEPS.unsqueeze(1) * scale  # (k, 1)
    ahead, behind = numeric.by(argument).moved(direction, steps).squeeze(2)  # (k, m) each
    return _slopes(numeric, ahead, behind, steps)


def _along_all(numeric: TargetDerivatives, arguments: Sequence[int]) -> Slopes:
    """The difference quotients where all entries change together, each at its own rate."""
    generator = torch.Generator().manual_seed(23)
    paces = {}
    for i in arguments:
        x = real(numeric.inputs[i])
        paces[i] = (0.5 + torch.rand(len(x), generator=generator).double()) * (size_of(x) or 1.0)

    def outputs(step: float) -> Tensor:
        inputs = list(numeric.inputs)
        for i, pace in paces.items():
            inputs[i] = unreal(real(inputs[i]) + step * pace, inputs[i])
        return numeric.outputs_or_nan(inputs)

    ahead, behind = (torch.stack([outputs(sign * float(h)) for h in STEPS]) for sign in (1, -1))
    return _slopes(numeric, ahead, behind, STEPS.unsqueeze(1))


def _slopes(numeric: TargetDerivatives, ahead: Tensor, behind: Tensor, steps: Tensor) -> Slopes:
    """The one-sided slopes, from the outputs (k, m) at the distances `steps` (k, 1)."""
    quotients = torch.stack(
        [(ahead - numeric.at) / steps, (numeric.at - behind) / steps]
    )  # (2, k, m)
    noise = 64 * numeric.noise / steps[-1]  # (m,)
    apart = quotients.diff(dim=1)  # (2, k - 1, m)
    first, last = (part.abs().amax(1) for part in (apart[:, :3], apart[:, -3:]))  # (2, m)
    settles = last <= torch.maximum(SETTLED * first, 1e-6 * quotients[:, -1].abs() + noise)
    growth = (apart[:, 1:] / apart[:, :-1])[:, -6:]
    grows = (growth > GROWING).all(1) & (last > noise) & ~settles
    limit = quotients[:, -1] - apart[:, -1] / (1 - apart[:, -2] / apart[:, -1])  # Aitken's
    limit = torch.where(torch.isfinite(limit) & settles & (last > noise), limit, quotients[:, -1])
    nothing = limit.abs() <= 1e-6 * quotients.abs().amax(1) + noise
    goes_on = torch.isfinite(quotients).any(1)
    return Slopes(goes_on, settles, grows, limit.masked_fill(nothing, 0.0), apart[:, -1].abs())


def _nan_for_infinity(lost: NonFinite) -> bool:
    """Whether nan, or infinity of the wrong sign, is returned where the slope is infinite."""
    grows = lost.slopes.grows.any(0)
    sign = torch.where(lost.slopes.grows, lost.slopes.value.sign(), 0.0).sum(0)  # (m,)
    right = torch.isinf(lost.returned) & (lost.returned.sign() * sign >= 0)
    return bool((grows & ~right & ~torch.isfinite(lost.returned)).any())


def _note(point: Message, lost: NonFinite) -> Message:
    returned = lost.returned[lost.slopes.grows.any(0) & ~torch.isfinite(lost.returned)]
    return Message("note.edge", {"point": point, "returned": f"{float(returned[0]):g}"})


def _problem(lost: NonFinite, point: Message, inputs: Inputs) -> Problem:
    """The problem with one output, with the returned value and the one-sided slopes of forward."""
    row = int((~torch.isfinite(lost.returned)).double().argmax())
    above, below = lost.slopes.value[:, row].tolist()
    ahead, behind = lost.slopes.open[:, row].tolist()
    side = "both" if ahead and behind else "above" if ahead else "below"
    evidence = Message(f"evidence.edge_{side}", {"above": f"{above:.4g}", "below": f"{below:.4g}"})
    slope = above if ahead else below
    worst = Worst(
        lost.entry,
        float(lost.returned[row]),
        slope,
        float(lost.slopes.error[0 if ahead else 1, row]),
    )
    return Problem(
        "not_finite", lost.argument, (evidence,), point=point, inputs=inputs, worst=worst
    )
