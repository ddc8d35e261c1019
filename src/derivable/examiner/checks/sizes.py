"""Checks at other sizes than the given ones, and at special ones, such as an empty batch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import torch

from derivable.examiner.checks.calls import random_grad_output
from derivable.examiner.checks.check import Check, Results, ResultsSoFar, Setup
from derivable.examiner.checks.evaluate import evaluate
from derivable.examiner.checks.returned import contract, nothing, raised
from derivable.examiner.finding import Severity
from derivable.examiner.inputs.probes import describe
from derivable.examiner.message import Message

MOST = 2  # accepted inputs of other sizes
MOST_UNEQUAL = 3  # and of sizes that are equal in the given inputs


class OtherSizes(Check):
    """Compares at other sizes: all sizes changed, or sizes that are equal made different."""

    name, share = "sizes", 0.4

    def applies(self, setup: Setup, so_far: ResultsSoFar) -> bool:
        """Not for a right value with its gradient: theta has sizes of data that is not an input."""
        return setup.by_hand or any(e.wrong for e in so_far.evaluations)

    def run(self, setup: Setup, so_far: ResultsSoFar) -> Iterator[Results]:
        """One evaluation each."""
        yield from _some(setup, setup.probes.other_sizes(), MOST, "point.sizes")
        yield from _some(setup, setup.probes.unequal_sizes(), MOST_UNEQUAL, "point.unequal_sizes")


def _some(
    setup: Setup, candidates: Iterable[tuple[set[int], list[Any]]], count: int, key: str
) -> Iterator[Results]:
    """The first `count` of the candidates that forward accepts.

    And further ones that change a size that no accepted candidate has changed.
    """
    accepted: set[str] = set()
    varied: set[int] = set()
    for sizes, inputs in candidates:
        shapes = describe(inputs, setup.names)
        if shapes in accepted or (len(accepted) >= count and sizes <= varied):
            continue
        point = Message(key, {"shapes": shapes})
        results = evaluate(setup, inputs, point, sizes=True, strictly=setup.by_hand)
        if any(e.whole or e.problems for e in results.evaluations):
            accepted.add(shapes)
            varied |= sizes
        yield results


class SpecialSizes(Check):
    """Compares with all sizes equal, each size 1, all sizes 2, no dimensions, an empty batch."""

    name = "special sizes"

    def applies(self, setup: Setup, so_far: ResultsSoFar) -> bool:
        """Not for a value with its gradient, whose theta has fixed sizes."""
        return setup.by_hand

    def run(self, setup: Setup, so_far: ResultsSoFar) -> Iterator[Results]:
        """One evaluation each."""
        probes = setup.probes
        for inputs in probes.equal_sizes():
            yield evaluate(setup, inputs, Message("point.equal_sizes"), sizes=True)
        for inputs, point in probes.smallest_sizes():
            yield evaluate(setup, inputs, point, sizes=True)
        for inputs in probes.scalar():
            yield evaluate(setup, inputs, Message("point.scalar"), sizes=True)
        for inputs, batch in probes.empty():
            yield _empty(setup, inputs, batch)


def _empty(setup: Setup, inputs: list[Any], batch: int) -> Results:
    """Problems with the gradients of an empty batch, if rows are independent examples.

    They are warnings, because empty batches are rare.
    """
    examined, applicability = setup.examined, setup.applicability
    if not setup.probes.keep(inputs):
        return Results()
    try:
        run = examined.run(inputs)
        finite = all(bool(torch.isfinite(run.outputs[i]).all()) for i in run.differentiable)
    except Exception:  # forward may raise for an empty batch
        return Results()
    if (
        not finite
        or not run.differentiable
        or not applicability.for_empty(run, batch)
        or not applicability.rowwise(batch)
    ):
        return Results()
    point = Message("point.empty")
    examined.comparisons += 1
    try:
        lenient = not getattr(examined.adapter, "ours", False)
        found = contract(
            examined, examined.vjp(run, inputs, random_grad_output(run)), inputs, lenient
        )
    except Exception as error:  # such as torch.stack of the gradients of no rows
        return Results(notes=[Message("note.raises", {"point": point, "text": raised(error)})])
    # An empty gradient of another shape is accepted; PyTorch's own pixel_unshuffle returns one.
    found = [p for p in found if p.cause != "shape" or not nothing(p, inputs)]
    for problem in found:
        problem.point, problem.inputs = point, inputs
        problem.severity = Severity.WARNING
    return Results(found)
