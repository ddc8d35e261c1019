"""`conclusions`: the findings of an examination, one per mistake, the most informative first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor

from derivable.examiner.checks.returned import Problem
from derivable.examiner.checks.values import GIVEN, Evaluation, ExaminedTarget
from derivable.examiner.diagnose import contracts
from derivable.examiner.diagnose.consequences import VALUES, class_of, ordered
from derivable.examiner.diagnose.evidence import EvidenceWithFields
from derivable.examiner.diagnose.lines import line_at, return_of
from derivable.examiner.diagnose.values import value_finding
from derivable.examiner.finding import Finding, Source
from derivable.examiner.points import GIVEN_SIZES, OTHER_SIZES, SMALLEST_SIZES, Kind, Point, kind
from derivable.examiner.targets.target import Inputs

NOT_LINEAR = (
    "not_linear",
    "ignores_grad_output",
)  # there is no Jacobian whose values could be named
ELSEWHERE = SMALLEST_SIZES | OTHER_SIZES | {Kind.EMPTY, Kind.UNITS}
CONTRACT = ("raises", "shape", "count", "dtype")


@dataclass(frozen=True)
class FoundAt(EvidenceWithFields):
    """The evaluation point at which the cause was found, if not at the given inputs."""

    key = "evidence.found_at"
    point: Point


@dataclass(frozen=True)
class Observations:
    """The evaluations and problems of an examination."""

    examined: ExaminedTarget
    inputs: Inputs
    evaluations: Sequence[Evaluation]
    problems: Sequence[Problem]


def conclusions(
    examined: ExaminedTarget,
    inputs: Inputs,
    evaluations: Sequence[Evaluation],
    problems: Sequence[Problem],
) -> list[Finding]:
    """The findings, those that explain most first, without consequences of others."""
    observations = Observations(examined, inputs, evaluations, problems)
    values = _of_values(observations)
    found = [*values.values(), *_of_problems(observations, values)]
    if (
        examined.low_precision
    ):  # the inputs were given in a smaller dtype, and its rounding is their own
        found = [finding for finding in found if not _of_the_inputs(observations, finding)]
    return [
        replace(finding, source=finding.source or _source(observations, finding))
        for finding in ordered(found)
    ]


def _source(observations: Observations, finding: Finding) -> Source | None:
    """The line of the user's code behind a finding."""
    return line_at(
        observations.examined, finding.inputs or observations.inputs, Point.of(finding.point)
    )


def _of_values(observations: Observations) -> dict[int, Finding]:
    """The findings about values, by argument."""
    not_linear = {p.argument for p in observations.problems if p.cause in NOT_LINEAR}
    if any(p.cause == "random" for p in observations.problems):
        return {}
    reshaped = _reshaped(observations)
    found: dict[int, Finding] = {}
    for argument in observations.examined.wanted:
        if argument in not_linear:
            continue
        finding = value_finding(observations.examined, argument, observations.evaluations)
        if finding is None or (argument in reshaped and kind(finding) not in GIVEN_SIZES):
            continue  # where it has another shape at the given sizes, it is no matter of values
        found[argument] = _at_large(observations, argument, finding)
    return found


def _reshaped(observations: Observations) -> set[int | None]:
    """The arguments whose gradients have another shape at the given inputs."""
    return {
        p.argument for p in observations.problems if p.cause == "shape" and kind(p) is Kind.EXAMPLE
    }


def _at_large(observations: Observations, argument: int, finding: Finding) -> Finding:
    """The finding as one at the given inputs, where these are too large for a whole Jacobian.

    Comparisons along random directions show that values are wrong there; the cause was found at
    smaller sizes.
    """
    wrong = any(
        p.argument == argument and class_of(p.cause) == VALUES for p in observations.problems
    )
    if not wrong:
        return finding
    near = FoundAt(Point.of(finding.point)).message
    return replace(finding, point=Point(Kind.EXAMPLE).message, evidence=(*finding.evidence, near))


def _of_problems(observations: Observations, values: dict[int, Finding]) -> list[Finding]:
    """The findings about other mistakes than wrong values, once per cause and argument."""
    raising = any(p.cause == "raises" and kind(p) is Kind.EXAMPLE for p in observations.problems)
    found: dict[tuple[str, int | None], Finding] = {}
    for problem in observations.problems:
        if raising and kind(problem) is not Kind.EXAMPLE:
            continue  # it raises already where it should run
        finding = _of_problem(observations, problem, values)
        if finding is not None:
            found.setdefault((finding.cause, problem.argument), finding)
    return list(found.values())


def _of_problem(
    observations: Observations, problem: Problem, values: dict[int, Finding]
) -> Finding | None:
    """The finding for a problem; None if wrong values explain it, or it is accepted."""
    cause, elsewhere = problem.cause, kind(problem) in ELSEWHERE
    if problem.argument in values and (elsewhere or cause in ("shape", "unrecognised")):
        return None
    if elsewhere and cause == "raises" and values:
        return None
    if kind(problem) is not Kind.EXAMPLE and _at_the_example(observations, problem):
        return None
    if cause == "shape" and elsewhere and _unit_by_nature(observations, problem):
        return None
    known = contracts.Observations(
        observations.examined,
        problem,
        problem.inputs or observations.inputs,
        tuple(observations.evaluations),
    )
    cause, after, before = contracts.named(known)
    if elsewhere and cause in CONTRACT:
        cause = "sizes"
    name = None
    if problem.argument is not None:
        name = observations.examined.name(problem.argument, observations.inputs)
    evidence = (
        *(one.message for one in before),
        *problem.evidence,
        *(one.message for one in after),
    )
    return Finding(
        observations.examined.adapter.name, cause, name, problem.point, evidence, problem.worst,
        inputs=problem.inputs, severity=problem.severity,
        source=problem.source or return_of(observations.examined, problem.rule),
    )  # fmt: skip


def _at_the_example(observations: Observations, problem: Problem) -> bool:
    """Whether the argument has the same problem at the given inputs."""
    same = (
        p
        for p in observations.problems
        if (p.cause, p.argument) == (problem.cause, problem.argument)
    )
    return problem.cause in CONTRACT and any(kind(p) is Kind.EXAMPLE for p in same)


def _unit_by_nature(observations: Observations, problem: Problem) -> bool:
    """Whether an axis that always has size 1, such as that of an intercept, was made larger."""
    given: Any = None if problem.argument is None else observations.inputs[problem.argument]
    if not isinstance(given, Tensor) or not isinstance(problem.raw, Tensor):
        return False
    return 1 in given.shape and problem.raw.shape == given.shape


def _of_the_inputs(observations: Observations, finding: Finding) -> bool:
    """Whether the deviation is within the rounding of inputs given in float32."""
    if kind(finding) is not Kind.EXAMPLE or finding.cause not in ("precision", "dtype"):
        return False
    if finding.cause == "dtype":
        return True
    if finding.worst is None:  # seen in how the gradients add up
        return finding.evidence[0].fields.get("dtype") not in ("float16", "bfloat16")
    samples = [
        s
        for evaluation in observations.evaluations
        for s in evaluation.samples
        if kind(s) is Kind.EXAMPLE
    ]
    return all(
        sample.off <= GIVEN
        for sample in samples
        if observations.examined.name(sample.argument, sample.inputs) == finding.argument
    )
