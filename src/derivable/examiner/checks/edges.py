"""The check of edges: nan or infinity where an entry is exactly 0, 1 or -1.

These are the numbers that data take exactly (a count, a probability, a cosine), and there many a
formula divides by zero: `y / x` at the edge of the domain of x**1.5, `x / |x|` at a kink. Forward
is followed from each side on which it goes on. Where its difference quotients settle on all of
these, backward has a number to give, and one nan makes a training fail. Where they grow without
end, as those of sqrt at 0 do, infinity of their sign is right, and so is any number that the
author chooses; nan is a note.
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
    """What the outputs do on both sides of one entry, (2, m) each: above, below."""

    open: Tensor  # whether forward goes on there
    settles: Tensor  # whether the quotients have a limit
    grows: Tensor  # whether they grow without end
    value: Tensor  # the limit, or a large number of the right sign
    error: Tensor  # what the last of the steps changed

    @property
    def have_limits(self) -> bool:
        """Whether every output has a finite slope on each side on which forward goes on."""
        return bool((self.settles | ~self.open).all()) and bool(self.open.any(0).all())


class Lost(NamedTuple):
    """An entry of a gradient that is not finite, for the outputs (m,), and forward's slopes."""

    argument: int
    entry: tuple[int, ...]
    returned: Tensor
    slopes: Slopes


def edges(examined: ExaminedTarget, inputs: Inputs) -> tuple[list[Problem], list[Message]]:
    """The gradients that are not finite where one entry is 0, 1 or -1, and what is a note."""
    problems: dict[int, Problem] = {}
    notes: list[Message] = []
    for argument, entry, value in _places(examined, inputs):
        moved = list(inputs)
        moved[argument] = inputs[argument].detach().clone()
        moved[argument].view(-1)[entry] = value
        examined.comparisons += 1
        try:
            lost, smooth = _looked_at(examined, moved)
        except (
            Exception
        ):  # forward may refuse this number; what backward raises is reported elsewhere
            continue
        fields = {"argument": examined.name(argument, inputs), "value": f"{value:g}"}
        where = Message("where.edge", fields)
        if not smooth:  # infinity times 0 is nan, and no mistake
            notes += [_note(where, one) for one in lost if _nan_for_infinity(one)]
            continue
        for one in lost:
            if one.argument in examined.known:
                continue
            problems.setdefault(one.argument, _problem(one, where, moved))
    return list(problems.values()), notes[:1]


def _places(examined: ExaminedTarget, inputs: Inputs) -> Iterator[tuple[int, int, float]]:
    """The first, a middle and the last entry of each argument, and the numbers it may be."""
    for argument in examined.wanted:
        x = inputs[argument]
        if not x.numel() or x.is_complex() or argument in examined.known:
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


def _looked_at(examined: ExaminedTarget, inputs: Inputs) -> tuple[list[Lost], bool]:
    """The entries whose gradient is not finite, and whether forward has finite slopes there."""
    run = examined.run(inputs)
    at = joined([run.outputs[i] for i in run.smooth])
    if not len(at) or len(at) > MOST_ROWS or not bool(torch.isfinite(at).all()):
        return [], True
    found = gradients(examined, run, inputs, random_grad_output(run))
    if all(g is None or bool(torch.isfinite(real(g)).all()) for g in found):
        return [], True
    numeric = TargetDerivatives(examined.adapter, inputs, run.smooth)
    lost = []
    for argument, rows in _rows(examined, run, inputs, len(at)).items():
        x = inputs[argument]
        for column in (~torch.isfinite(rows)).any(0).nonzero().flatten().tolist()[:COLUMNS]:
            place = torch.unravel_index(torch.tensor(column), x.shape) if x.ndim else ()
            entry = tuple(int(i) for i in place)
            lost.append(
                Lost(argument, entry, rows[:, column], _along_one(numeric, argument, column))
            )
    smooth = all(one.slopes.have_limits for one in lost)
    return lost, smooth and _along_all(numeric, examined.wanted).have_limits


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
    """How the outputs move with one entry, as its steps shrink."""
    x = real(numeric.inputs[argument])
    scale = power_of_two(torch.tensor([size_of(x)]).double())
    direction = torch.zeros(1, len(x)).double()
    direction[0, column] = 1.0
    steps = STEPS.unsqueeze(1) * scale  # (k, 1)
    ahead, behind = numeric.by(argument).moved(direction, steps).squeeze(2)  # (k, m) each
    return _slopes(numeric, ahead, behind, steps)


def _along_all(numeric: TargetDerivatives, arguments: Sequence[int]) -> Slopes:
    """How the outputs move with all entries together, each at a pace of its own."""
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
    """From the outputs (k, m) on both sides, `steps` (k, 1) away."""
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


def _nan_for_infinity(lost: Lost) -> bool:
    """Whether something else than infinity is returned where the slope grows to it."""
    grows = lost.slopes.grows.any(0)
    sign = torch.where(lost.slopes.grows, lost.slopes.value.sign(), 0.0).sum(0)  # (m,)
    right = torch.isinf(lost.returned) & (lost.returned.sign() * sign >= 0)
    return bool((grows & ~right & ~torch.isfinite(lost.returned)).any())


def _note(where: Message, lost: Lost) -> Message:
    returned = lost.returned[lost.slopes.grows.any(0) & ~torch.isfinite(lost.returned)]
    return Message("note.edge", {"where": where, "returned": f"{float(returned[0]):g}"})


def _problem(lost: Lost, where: Message, inputs: Inputs) -> Problem:
    """What was returned for one output, and forward's slopes on the sides on which it goes on."""
    row = int((~torch.isfinite(lost.returned)).double().argmax())
    above, below = lost.slopes.value[:, row].tolist()
    ahead, behind = lost.slopes.open[:, row].tolist()
    side = "both" if ahead and behind else "above" if ahead else "below"
    said = Message(f"evidence.edge_{side}", {"above": f"{above:.4g}", "below": f"{below:.4g}"})
    slope = above if ahead else below
    worst = Worst(
        lost.entry,
        float(lost.returned[row]),
        slope,
        float(lost.slopes.error[0 if ahead else 1, row]),
    )
    return Problem("not_finite", lost.argument, (said,), where=where, inputs=inputs, worst=worst)
