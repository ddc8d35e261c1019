"""`Sample`: the returned and the measured Jacobian of one argument at one evaluation point.

A Jacobian has one row per real entry of the differentiable outputs and one column per real entry of
the argument; backward is called once for each one-hot `grad_output`. Large examples are compared
along random directions instead, and their Jacobians are computed at smaller sizes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from derivable.examiner.checks import exemptions, overflow
from derivable.examiner.checks.returned import EXAMPLE, Problem, contract, fit, raised, raised_at
from derivable.examiner.measure import EPS, Measured
from derivable.examiner.measure.evaluation import ROWS_PER_CALL
from derivable.examiner.measure.extrapolation import largest_of, sizes_of
from derivable.examiner.measure.space import joined, parted, real, size
from derivable.examiner.message import Message
from derivable.examiner.points import GIVEN_SIZES, Kind, kind
from derivable.examiner.targets.derivatives import TargetDerivatives
from derivable.examiner.targets.target import Adapter, Inputs, Run
from derivable.function.gradients import as_tuple

MOST_ROWS, MOST_COLUMNS, MOST_ENTRIES = 400, 640, 80_000  # of a Jacobian that is taken whole
RELATIVE = 1e-9  # the largest relative error of an entry that rounding in backward may cause
GIVEN = 1e-5  # and that rounding of float32 inputs may cause
CALLS_PER_COLUMN = 10  # forwards that the measurement of one column takes, about
STRICT, WIDE, GROSS = 1.0, 100.0, 1e6  # tolerances, in multiples of RELATIVE


@dataclass
class Sample:
    """The Jacobian with respect to one argument, as returned and as measured: (m, n) each."""

    point: Message
    argument: int
    inputs: list[Any]
    outputs: list[Tensor]  # the differentiable ones
    measured: Measured
    returned: Tensor
    wrong: Tensor  # (m, n), bool
    unsettled: Tensor  # (m, n), bool: not determined numerically

    @property
    def x(self) -> Tensor:
        """The argument."""
        value: Tensor = self.inputs[self.argument]
        return value

    @property
    def sure(self) -> Tensor:
        """Where the two can be compared: finite, no kink, settled."""
        differentiable = (
            ~self.measured.kinks & ~self.unsettled & torch.isfinite(self.measured.value)
        )
        return differentiable & torch.isfinite(self.returned)

    @property
    def count(self) -> int:
        """How many entries are wrong."""
        return int(self.wrong.sum())

    @property
    def off(self) -> float:
        """The deviation of the worst wrong entry, relative to the largest derivative."""
        gap = (self.returned - self.measured.value).abs()[self.wrong]
        largest = max(_typical(self.measured.value), 1e-300)
        return float(gap.nan_to_num(torch.inf).max()) / largest if len(gap) else 0.0


@dataclass
class Evaluation:
    """The results at one evaluation point: one sample per argument, and the problems."""

    point: Message
    inputs: list[Any]
    samples: list[Sample] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    notes: list[Message] = field(default_factory=list)
    whole: bool = True  # whether Jacobians were taken whole

    @property
    def wrong(self) -> list[Sample]:
        """The samples with wrong entries."""
        return [sample for sample in self.samples if sample.count]


class ExaminedTarget:
    """A target with its examined arguments, and its comparison at one evaluation point."""

    def __init__(self, adapter: Adapter, wanted: Sequence[int], values: bool = True) -> None:
        self.adapter = adapter
        self.wanted = list(wanted)
        self.values = values  # False for a surrogate, whose values are not compared
        self.reference: Any = None
        self.usual: dict[int, float] = {}  # argument -> size of its derivatives at the given inputs
        self.steps: dict[str, dict[int, float]] = {}  # kind of point -> argument -> step length
        self.known_wrong: set[int] = (
            set()
        )  # arguments found wrong, not compared again at special values
        self.low_noise = False  # whether forward has no more noise than rounding
        self.largest_output = (
            0.0  # the largest output at the given inputs: small ones may be differences
        )
        self.right_inputs: dict[
            Any, list[Any]
        ] = {}  # shapes -> inputs at which everything is right
        self.overflows = False  # whether entries were accepted because forward overflows
        self.unconverged = False  # whether forward is an iteration that does not always arrive
        self.low_precision = False  # whether the inputs were given in a smaller dtype than float64
        self.eps = EPS  # of the dtype in which it is examined
        self.forward_per_vjp = False  # whether every vjp needs a forward of its own
        self.comparisons = 0

    def name(self, argument: int, inputs: Inputs) -> str:
        """The argument's name."""
        return self.adapter.names(len(inputs))[argument]

    def run(self, inputs: Inputs) -> Run:
        """One forward."""
        self.adapter.budget.spend()
        return self.adapter.run(inputs, self.wanted)

    def vjp(self, run: Run, inputs: Inputs, vector: Tensor) -> tuple[Any, ...]:
        """What backward returns for the joined grad_output `vector` (m,)."""
        self.adapter.budget.spend()
        if self.forward_per_vjp:
            run = self.run(inputs)
        likes = [run.outputs[i] for i in run.differentiable]
        return run.vjp([g.clone() for g in parted(vector, likes)])

    def evaluate(
        self, inputs: Inputs, point: Message, tolerance: float = STRICT
    ) -> Evaluation | None:
        """Compare all wanted gradients at `inputs`; None if there is nothing to compare there."""
        inputs = [v.detach() if isinstance(v, Tensor) else v for v in inputs]
        if tolerance == GROSS and self.known_wrong.issuperset(self.wanted):
            return None
        run = self.run(inputs)
        outputs = [run.outputs[i] for i in run.differentiable]
        at = joined(outputs)
        if not len(at) or not bool(torch.isfinite(at).any()):
            return None
        evaluation = Evaluation(point, inputs)
        total = sum(size(inputs[i]) for i in self.wanted)
        if self._too_large(len(at), total):
            evaluation.whole = False
            return evaluation
        lenient = point != EXAMPLE and not getattr(self.adapter, "ours", False)
        lenient |= self.adapter.value_only
        rows, evaluation.problems = self._rows(run, inputs, len(at), lenient)
        if not self.values:
            return evaluation
        largest = largest_of(at)
        low_noise = tolerance == GROSS and self.low_noise and largest >= 1e-3 * self.largest_output
        numeric = TargetDerivatives(
            self.adapter, inputs, run.differentiable, measure_noise=not low_noise,
            complex_step=tolerance < GROSS, steps=self.steps.setdefault(point.key, {}),
        )  # fmt: skip
        # Jumps, and outputs in a smaller dtype, cannot be compared at special values.
        if tolerance == GROSS and (
            not numeric.continuous(self.wanted) or _coarser(outputs, self.eps)
        ):
            return evaluation if evaluation.problems else None
        for argument, returned in rows.items():
            if tolerance == GROSS and argument in self.known_wrong:
                continue
            measured = self._measure(numeric, argument, returned, tolerance)
            sample = Sample(
                point, argument, inputs, outputs, measured, returned,
                *_judge(measured, returned, numeric, real(inputs[argument]), tolerance,
                        self.usual.setdefault(argument, _typical(measured.value))),
            )  # fmt: skip
            if sample.count and not bool(torch.isfinite(at).all()):
                sample.wrong &= torch.isfinite(returned)  # 0 * inf of another output is no mistake
            self._exempt(sample, numeric)
            if sample.count:
                evaluation.notes += overflow.accept(self, sample)
            self.comparisons += measured.value.numel()
            evaluation.samples.append(sample)
        if point == EXAMPLE:
            self.low_noise = bool((numeric.noise <= 1e3 * numeric.eps * at.abs()).all())
            self.largest_output = largest
        if tolerance == STRICT and evaluation.samples and not evaluation.wrong:
            self.right_inputs.setdefault(exemptions.shapes(inputs), inputs)
        return evaluation

    def _exempt(self, sample: Sample, numeric: TargetDerivatives) -> None:
        """Accept wrong entries of a sample that have another explanation."""
        if sample.count:
            exemptions.corners(sample, numeric)
            exemptions.rounding(self, sample)
            exemptions.symmetry(sample)
            exemptions.negligible(sample, numeric)
            if kind(sample) not in GIVEN_SIZES:
                exemptions.flat(sample, numeric)
                exemptions.saturated(sample, numeric)
        if sample.count and kind(sample) is Kind.WIDE:
            exemptions.unconverged(self, sample)

    def _too_large(self, rows: int, columns: int) -> bool:
        """Whether a whole Jacobian is too large, or costs more calls than are left."""
        if rows > MOST_ROWS or columns > MOST_COLUMNS or rows * columns > MOST_ENTRIES:
            return True
        at_once = ROWS_PER_CALL if self.adapter.batchable else 1
        return rows + CALLS_PER_COLUMN * columns / at_once > self.adapter.budget.left

    def _rows(
        self, run: Run, inputs: Inputs, count: int, lenient: bool
    ) -> tuple[dict[int, Tensor], list[Problem]]:
        """The returned Jacobian of each wanted argument, by one-hot vjps, and the problems."""
        rows: dict[int, list[Tensor]] = {i: [] for i in self.wanted}
        problems: list[Problem] = []
        for row in range(count):
            vector = torch.zeros(count).double()
            vector[row] = 1.0
            try:
                gradients = self.vjp(run, inputs, vector)
            except Exception as error:  # whatever the user's backward raises is a finding
                return {}, [Problem("raises", None, (raised(error),), source=raised_at(error))]
            if row == 0:
                problems = contract(self, gradients, inputs, lenient)
                if any(p.argument is None for p in problems):
                    return {}, problems
            for argument in self.wanted:
                fitted = fit(gradients, argument, inputs[argument])
                if fitted is None:
                    rows.pop(argument, None)
                elif argument in rows:
                    rows[argument].append(real(fitted))
        return {argument: torch.stack(rows[argument]) for argument in rows}, problems

    def _measure(
        self, numeric: TargetDerivatives, argument: int, returned: Tensor, tolerance: float
    ) -> Measured:
        """The measured Jacobian; columns that disagree with `returned` are measured again.

        Where there is a reference, its autograd is taken where the measurement agrees with it.
        """
        measured = self._by_differences(numeric, argument, returned, tolerance)
        if self.reference is not None:
            rows = self._referenced(numeric, argument)
            near = (rows - measured.value).abs() <= 5 * measured.error + 1e-7 * rows.abs()
            near &= torch.isfinite(rows) & ~measured.kinks
            measured.value[near], measured.error[near] = rows[near], 64 * EPS * rows[near].abs()
            measured.low[near], measured.high[near] = rows[near], rows[near]
        return measured

    def _referenced(self, numeric: TargetDerivatives, argument: int) -> Tensor:
        """The Jacobian of the reference by autograd, (m, n)."""
        inputs = list(numeric.inputs)
        inputs[argument] = inputs[argument].clone().requires_grad_()
        outputs = as_tuple(self.reference(*inputs))
        differentiable = [outputs[i] for i in numeric.differentiable]
        rows = []
        for row in torch.eye(len(numeric.at)).double():
            grads = parted(row, differentiable)
            (found,) = torch.autograd.grad(
                differentiable, inputs[argument], grads, retain_graph=True, allow_unused=True
            )
            rows.append(real(torch.zeros_like(inputs[argument]) if found is None else found))
        return torch.stack(rows)

    def _by_differences(
        self, numeric: TargetDerivatives, argument: int, returned: Tensor, tolerance: float
    ) -> Measured:
        measured = numeric.jacobian(argument)
        off = (returned - measured.value).abs()
        near = 0.1 * tolerance * RELATIVE  # less than what will count as wrong
        doubt = off > 5 * measured.error + near * measured.value.abs()
        # At special values only what is gross beside the usual derivative will count.
        usual = self.usual.get(argument, 0.0) if tolerance == GROSS else 0.0
        precise = 1e-3 if tolerance == GROSS else 1e-6
        typical = max(_typical(measured.value), usual)
        doubt |= ~(measured.error <= precise * measured.value.abs().clamp_min(typical))
        own = torch.maximum(measured.value.abs(), returned.abs()).nan_to_num(0.0).amax(0)  # (n,)
        little = (1e-3 * own).clamp_min(1e-9 * usual)  # perhaps, but beside large ones
        doubt |= torch.minimum(off, measured.error) > little
        doubt |= ~torch.isfinite(returned)
        weight = torch.where(doubt, off.nan_to_num(torch.inf, torch.inf), 0.0).amax(0)
        if len(weight):
            order = weight.argsort(descending=True)
            columns = [int(j) for j in order if bool(doubt[:, j].any())]
            measured = numeric.refined(argument, measured, columns)
        return measured


def _judge(
    measured: Measured,
    returned: Tensor,
    numeric: TargetDerivatives,
    x: Tensor,
    tolerance: float,
    usual: float,
) -> tuple[Tensor, Tensor]:
    """Which entries are wrong, and which are not determined: (m, n) each.

    `usual` is the size of the derivatives at the given inputs.
    """
    value, error = measured.value, measured.error
    row = value.abs().nan_to_num(0.0).amax(1, keepdim=True) if value.numel() else value  # (m, 1)
    own = sizes_of(x)
    typical_x = float(own.mean()) if len(x) else 0.0
    scale = own.clamp_min(typical_x or 1.0)  # (n,); steps from zeros are as long as from ones
    natural = numeric.at.abs().nan_to_num(0.0).unsqueeze(1) / scale  # (m, n)
    known = torch.isfinite(value) & torch.isfinite(error)
    eps = numeric.eps
    slack = 1e-280 + 5 * error + 64 * eps * torch.maximum(row, natural) + 4 * eps * usual
    slack = slack + tolerance * max(RELATIVE, 64 * eps) * value.abs()
    if tolerance == GROSS:
        slack = slack + 1e-6 * torch.maximum(row, natural) + 1e-9 * usual
    outside = (returned < measured.low - slack) | (returned > measured.high + slack)
    typical = torch.maximum(row, returned.abs().nan_to_num(0.0, 0.0))
    still = (value == 0) & (measured.reach == 0)  # no step changes anything
    vague = (5 * error > 1e-3 * typical.clamp_min(1e-300)) & ~still
    far = torch.maximum(natural, measured.reach)
    settled = known & (~(vague & (5 * error > 1e-8 * far)) | measured.kinks)
    nowhere = measured.nowhere
    # An infinite slope times 0 is nan, and no mistake.
    edge = (nowhere | (~settled & ~torch.isfinite(returned))).any(0, keepdim=True)
    not_finite = ~torch.isfinite(returned) & settled & ~measured.kinks & ~edge
    outside &= torch.isfinite(returned) | ~edge
    wrong = (outside | not_finite) & known & ~nowhere & (settled | (outside & ~vague))
    there = torch.isfinite(numeric.at).unsqueeze(1)
    return wrong, ~settled & ~wrong & ~nowhere & there


def _coarser(outputs: Sequence[Tensor], eps: float) -> bool:
    """Whether the outputs have a smaller dtype than the one in which it is examined."""
    return any(torch.finfo(o.dtype).eps > eps for o in outputs)


def _typical(value: Tensor) -> float:
    """The largest finite derivative in a Jacobian."""
    finite = value[torch.isfinite(value)].abs()
    return float(finite.max()) if len(finite) else 0.0
