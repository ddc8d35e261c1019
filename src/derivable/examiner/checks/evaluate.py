"""`evaluate`: the result of a check at inputs that the examiner has generated."""

from __future__ import annotations

from typing import Any

from derivable.examiner.checks.check import Results, Setup
from derivable.examiner.checks.returned import ACCEPTED, EXAMPLE, Problem
from derivable.examiner.checks.values import STRICT
from derivable.examiner.message import Message
from derivable.examiner.points import Kind, kind
from derivable.examiner.targets.target import Inputs

RARE = (Kind.SCALAR, Kind.SIZE_ONE, Kind.ALL_SIZES_TWO)  # sizes that few will meet


def evaluate(
    setup: Setup,
    inputs: Inputs,
    point: Message,
    tolerance: float = STRICT,
    *,
    sizes: bool = False,
    strictly: bool = True,
) -> Results:
    """The results at `inputs`; empty if forward raises or does not apply there.

    sizes     whether sizes differ from the given ones: forward must apply to them
    strictly  whether wrong shapes and dtypes count, and not only wrong values
    """
    examined = setup.examined
    try:
        if point is not EXAMPLE and not setup.probes.keep(inputs):
            return Results()
        if sizes and not setup.applicability.for_sizes(inputs):
            return Results()
        evaluation = examined.evaluate(inputs, point, tolerance)
    except Exception:  # forward may raise at generated inputs
        return Results()
    if evaluation is None:
        return Results()
    problems: list[Problem] = []
    notes: list[Message] = [*evaluation.notes]
    for problem in evaluation.problems:
        problem.point, problem.inputs = point, () if point is EXAMPLE else inputs
        if problem.cause == ACCEPTED:
            notes += problem.evidence
        elif problem.cause == "raises" and _rare(setup, problem):
            notes.append(_note(problem))
        elif point is EXAMPLE or strictly or problem.cause == "count":
            problems.append(problem)
    examined.known_wrong |= {sample.argument for sample in evaluation.wrong}
    return Results(problems, notes, [evaluation])


def _rare(setup: Setup, problem: Problem) -> bool:
    """Whether backward may raise at this point, which few users will reach."""
    point = problem.point
    singular = "LinAlgError" in str(problem.evidence[0].fields.get("kind"))
    if kind(problem) is Kind.BATCH_OF_ONE and not singular:
        return not setup.applicability.is_batch(point.fields["size"])
    return kind(problem) in RARE or (singular and point is not EXAMPLE)


def _note(problem: Problem) -> Message:
    point = problem.point
    if kind(problem) is Kind.BATCH_OF_ONE:  # but it is no batch
        point = Message("point.size_one", point.fields)
    return Message("note.raises", {"point": point, "text": problem.evidence[0]})


def named(setup: Setup, point: Message) -> Message:
    """`point` with the position of its argument replaced by the name."""
    fields: dict[str, Any] = dict(point.fields)
    if "argument" in fields:
        fields["argument"] = setup.names[fields["argument"]]
    return Message(point.key, fields)
