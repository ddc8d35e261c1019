"""What speaks for a cause, as data: each kind of evidence knows its sentence and its fields.

A kind of evidence is a small frozen dataclass. `key` names its sentence, where {field} may choose
among several; `formats` says how numbers are written. Evidence without fields is a `Fact`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from enum import Enum
from typing import Any, ClassVar, Protocol

from derivable.examiner.finding import Message
from derivable.examiner.points import Point


class Evidence(Protocol):
    """Anything that speaks for a cause."""

    @property
    def message(self) -> Message:
        """The evidence in words."""
        ...


# What a hypothesis finds: the evidence for its cause, or None where it does not fit.
Found = tuple[Evidence, ...] | None


class Fact(Enum):
    """Evidence that is the same whenever it is given; the value is the key of its sentence."""

    CHANGED_BY_CALLER = "evidence.changed_by_caller"
    STALE = "evidence.stale"
    FROZEN = "evidence.frozen"
    STEPS = "evidence.steps"
    ALL_ZERO = "evidence.all_zero"
    PERMUTED = "evidence.permuted"
    CARRIED = "evidence.carried"
    SUPERFLUOUS = "evidence.superfluous"
    LOST = "evidence.lost"
    REPEATED = "evidence.repeated"
    SUMMED_NEIGHBOURS = "evidence.summed_neighbours"
    TIMES_VARYING = "evidence.times_varying"
    TWO_OUTPUTS = "evidence.swapped_two_outputs"
    SLOPE_AT_OUTPUT = "evidence.slope_at_output"
    SLOPE_AT_INPUT = "evidence.slope_at_input"
    OR_SIGNS = "evidence.or_signs"
    AUTOGRAD_SUMS = "evidence.autograd_sums"
    AUTOGRAD_RESHAPES = "evidence.autograd_reshapes"

    @property
    def message(self) -> Message:
        """The fact in words."""
        return Message(self.value)


def number(value: float) -> str:
    """A number as people write it: 2, 1/3, 0.7071."""
    for below in range(1, 41):
        above = value * below
        if abs(above - round(above)) < 1e-7 * max(1.0, abs(above)) and round(above):
            return f"{round(above)}" if below == 1 else f"{round(above)}/{below}"
    near = abs(abs(value) - 1) < 1e-4
    return f"{value:.10g}" if near else f"{value:.6g}"


def listed(axes: Collection[str]) -> str | Message:
    """The axes by name; "no axis" in the reader's language."""
    return ", ".join(sorted(axes)) or Message("evidence.no_axis")


class Told:
    """Evidence with fields, which are the gaps of its sentence."""

    key: ClassVar[str]
    formats: ClassVar[Mapping[str, str]] = {}  # field -> how a number is written; "" as people do

    @property
    def message(self) -> Message:
        """The evidence in words."""
        gaps = {one.name: self._shown(one.name) for one in fields(self)}  # type: ignore[arg-type]
        return Message(self.key.format_map(gaps), gaps)

    def _shown(self, name: str) -> Any:
        """A field as it stands in the sentence."""
        value = getattr(self, name)
        if isinstance(value, frozenset | tuple):
            return listed(value)
        if isinstance(value, Point):
            return value.message
        spec = self.formats.get(name)
        return value if spec is None else format(value, spec) if spec else number(value)


# One number -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Ratio(Told):
    """Returned / measured is `factor` in all `count` entries that are wrong."""

    key = "evidence.ratio"
    formats: ClassVar = {"factor": ""}
    factor: float
    count: int


@dataclass(frozen=True)
class RatioAtSizes(Told):
    """The factor at inputs of these shapes."""

    key = "evidence.ratio_sizes"
    factor: str
    shapes: str


@dataclass(frozen=True)
class FactorIs(Told):
    """The factor as a formula of sizes."""

    key = "evidence.factor_is"
    formula: str


@dataclass(frozen=True)
class PerhapsSizes(Told):
    """Sizes that are the same number as the factor, at the one shape that was evaluated."""

    key = "evidence.or_sizes"
    names: str


@dataclass(frozen=True)
class Identity(Told):
    """Forward returns this input as it is."""

    key = "evidence.identity"
    name: str


@dataclass(frozen=True)
class Times(Told):
    """A factor that comes with another cause."""

    key = "evidence.times"
    formats: ClassVar = {"factor": ""}
    factor: float


def times(factors: Sequence[float]) -> tuple[Evidence, ...]:
    """What to say about factors that come with a cause."""
    if all(abs(c - 1) < 1e-4 for c in factors):
        return ()
    if max(factors) - min(factors) < 1e-6 * abs(factors[0]):
        return (Times(factors[0]),)
    return (Fact.TIMES_VARYING,)


@dataclass(frozen=True)
class Averaged(Told):
    """The mean of `count` values, where their sum belongs."""

    key = "evidence.averaged"
    formats: ClassVar = {"factor": ""}
    factor: float
    count: int


@dataclass(frozen=True)
class FactorAtOne(Told):
    """For a grad_output of one, it is `factor` times the derivative."""

    key = "evidence.factor_at_one"
    formats: ClassVar = {"factor": ""}
    factor: float


# The derivative of something else ---------------------------------------------------------------


@dataclass(frozen=True)
class OfArgument(Told):
    """The gradient of `other` is returned for `name`."""

    key = "evidence.swapped_argument"
    name: str
    other: str


@dataclass(frozen=True)
class OfOutput(Told):
    """For output i, the grad_output of output i + `other` is used."""

    key = "evidence.swapped_output"
    other: int


@dataclass(frozen=True)
class HiddenOutput(Told):
    """The grad_output of an output that has no gradient is used."""

    key = "evidence.hidden_output"
    output: int


@dataclass(frozen=True)
class ShapeOf(Told):
    """What is returned for `name` has the shape of `other`."""

    key = "evidence.shape_of"
    name: str
    other: str


@dataclass(frozen=True)
class TransposeOf(Told):
    """What is returned for `name` is the gradient of `other`, transposed."""

    key = "evidence.transpose_of"
    name: str
    other: str


@dataclass(frozen=True)
class OtherOption(Told):
    """It is the gradient for another value of an option."""

    key = "evidence.option"
    name: str
    value: Any
    other: Any


@dataclass(frozen=True)
class ConjugateOf(Told):
    """What is conjugated too often or not at all: `both`, the `result` or `grad_output`."""

    key = "evidence.conjugate_{of}"
    of: str


# State, precision, what is not finite -----------------------------------------------------------


@dataclass(frozen=True)
class Changed(Told):
    """The saved tensor at this position, or of this name, was changed after it was saved."""

    key = "evidence.changed"
    position: str


@dataclass(frozen=True)
class OtherMask(Told):
    """Entries that are lost and superfluous, as with the mask of another draw."""

    key = "evidence.other_mask"
    lost: int
    superfluous: int


@dataclass(frozen=True)
class Representable(Told):
    """The wrong entries are exact numbers of a smaller dtype."""

    key = "evidence.representable"
    dtype: str
    count: int


@dataclass(frozen=True)
class Staircase(Told):
    """The gradient moves in steps; their size relative to it."""

    key = "evidence.staircase"
    formats: ClassVar = {"size": ".1g"}
    size: float


@dataclass(frozen=True)
class Nearly(Told):
    """The largest relative deviation of a gradient that is nearly right."""

    key = "evidence.nearly"
    formats: ClassVar = {"size": ".2g"}
    size: float


@dataclass(frozen=True)
class Cancellation(Told):
    """The relative deviations at smaller and smaller arguments."""

    key = "evidence.cancellation"
    shares: str


@dataclass(frozen=True)
class SavedIntermediate(Told):
    """Saved tensors, by position or name, that are neither inputs nor outputs of forward."""

    key = "evidence.saved_intermediate"
    positions: str


@dataclass(frozen=True)
class NotFinite(Told):
    """How many entries are nan or infinite."""

    key = "evidence.not_finite"
    count: int
    all: int


@dataclass(frozen=True)
class Underflow(Told):
    """How many entries are 0 where the derivative is not."""

    key = "evidence.underflow"
    count: int


@dataclass(frozen=True)
class CountWrong(Told):
    """How many entries of the Jacobian are wrong."""

    key = "evidence.count_wrong"
    count: int
    all: int


@dataclass(frozen=True)
class FoundAt(Told):
    """Where the cause was found, if not at the given inputs."""

    key = "evidence.found_at"
    where: Point


# Places -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Exchanged(Told):
    """Right if two axes are exchanged."""

    key = "evidence.transposed"
    a: str
    b: str


@dataclass(frozen=True)
class Moved(Told):
    """The measured values, flipped, rolled or reshaped along an axis."""

    key = "evidence.moved"
    how: str
    where: str


@dataclass(frozen=True)
class OutputsOnly(Told):
    """Wrong for these outputs only."""

    key = "evidence.outputs"
    names: str


@dataclass(frozen=True)
class Part(Told):
    """Wrong in one part along an axis only: the first, the last, from an index on, ..."""

    key = "evidence.part_{kind}"
    kind: str
    axis: str
    index: str = ""
    count: int = 0
    all: int = 0


@dataclass(frozen=True)
class NotAllSummed(Told):
    """Backward has to sum over this axis and takes a part of it."""

    key = "evidence.part_sum"
    axis: str


@dataclass(frozen=True)
class WhereEquals(Told):
    """Wrong where a variable has one value."""

    key = "evidence.where_equals"
    formats: ClassVar = {"at": "g"}
    name: str
    at: float


@dataclass(frozen=True)
class Threshold(Told):
    """Wrong on one side of a threshold: above, below, outside, inside, band or out_of_band."""

    key = "evidence.side_{side}"
    formats: ClassVar = {"at": ".4g"}
    name: str
    at: float
    side: str


# Sums -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sums(Told):
    """Only the sum of grad_output along these axes has an effect."""

    key = "evidence.sums"
    axes: tuple[str, ...]


@dataclass(frozen=True)
class Alone(Told):
    """One entry of grad_output, the `first` or the `last`, is used in the place of all."""

    key = "evidence.{which}_alone"
    which: str
    axes: str


@dataclass(frozen=True)
class SummedOver(Told):
    """The axes over which it is summed, which are others than they should be."""

    key = "evidence.summed_over"
    axes: str


@dataclass(frozen=True)
class Coupling(Told):
    """The axes along which outputs depend on other entries, and those of backward."""

    key = "evidence.coupling"
    measured: frozenset[str]
    returned: frozenset[str]


@dataclass(frozen=True)
class Uncoupled(Coupling):
    """Backward treats entries as independent along some of the measured axes."""

    key = "evidence.uncoupled"


# Terms ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class RatioFormula(Told):
    """Returned / measured as a formula."""

    key = "evidence.ratio_formula"
    formula: str


@dataclass(frozen=True)
class Formulas(Told):
    """Both slopes written out."""

    key = "evidence.formulas"
    measured: str
    returned: str


@dataclass(frozen=True)
class Missing(Told):
    """The term that is missing."""

    key = "evidence.missing"
    formula: str


@dataclass(frozen=True)
class PowerRule(Told):
    """The power rule, applied to base**name."""

    key = "evidence.power_rule"
    formats: ClassVar = {"base": ""}
    name: str
    base: float


@dataclass(frozen=True)
class Offset(Told):
    """A form of the returned gradient is off by a constant."""

    key = "evidence.offset"
    formats: ClassVar = {"offset": ".3g"}
    form: str
    offset: float


@dataclass(frozen=True)
class ChangedRule(Told):
    """It is the gradient of forward with one operation's rule changed: see graph.py."""

    key = "evidence.{kind}"
    kind: str
    name: str


@dataclass(frozen=True)
class OwnFactors(Told):
    """Each output, or each entry of the argument, has a factor of its own."""

    key = "evidence.scaled_{side}"
    formats: ClassVar = {"low": ".3g", "high": ".3g"}
    side: str
    low: float
    high: float


@dataclass(frozen=True)
class Sparse(Told):
    """One number is missing in some entries."""

    key = "evidence.sparse"
    formats: ClassVar = {"number": ""}
    number: float
    count: int


# What is left -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Residual(Told):
    """How much of the derivative is missing, in per cent."""

    key = "evidence.residual"
    formats: ClassVar = {"size": ".3g"}
    size: float


@dataclass(frozen=True)
class ResidualConstant(Told):
    """What is missing is the same along an axis."""

    key = "evidence.residual_constant"
    axis: str


@dataclass(frozen=True)
class ResidualRank(Told):
    """What is missing has a lower rank than the derivative."""

    key = "evidence.residual_rank"
    rank: int
    whole: int


@dataclass(frozen=True)
class AlongAxis(Told):
    """What is missing is, along an axis, the same (`mean`), a `multiple` of the input, or `both`.

    `size` is how much of the derivative it is, in per cent.
    """

    key = "evidence.along_{kind}"
    formats: ClassVar = {"size": ".3g"}
    kind: str
    axis: str
    name: str
    size: float
