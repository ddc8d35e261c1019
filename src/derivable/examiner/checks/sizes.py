"""Sizes: other sizes than the given ones, and special ones, such as an empty batch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import torch

from derivable.examiner.checks.calls import random_grad_output
from derivable.examiner.checks.check import Check, Results, Seen, Setup
from derivable.examiner.checks.evaluate import evaluate
from derivable.examiner.checks.returned import contract, nothing, raised
from derivable.examiner.finding import Severity
from derivable.examiner.inputs.probes import describe
from derivable.examiner.message import Message

MOST = 2  # accepted inputs of other sizes
MOST_UNTIED = 3  # and of sizes that are equal in the given inputs


class OtherSizes(Check):
    """All sizes changed together, and sizes that are equal in the given inputs made different."""

    name, share = "sizes", 0.4

    def applies(self, setup: Setup, seen: Seen) -> bool:
        """Theta of a value with its gradient has the sizes of data that is not seen here."""
        return setup.by_hand or any(e.wrong for e in seen.evaluations)

    def run(self, setup: Setup, seen: Seen) -> Iterator[Results]:
        """One evaluation each."""
        yield from _some(setup, setup.probes.other_sizes(), MOST, "where.sizes")
        yield from _some(setup, setup.probes.untied(), MOST_UNTIED, "where.untied")


def _some(
    setup: Setup, candidates: Iterable[tuple[set[int], list[Any]]], count: int, key: str
) -> Iterator[Results]:
    """The first `count` of the candidates that forward accepts.

    And further ones in which a size is another one that was the same in all of these.
    """
    accepted: set[str] = set()
    varied: set[int] = set()
    for sizes, inputs in candidates:
        shapes = describe(inputs, setup.names)
        if shapes in accepted or (len(accepted) >= count and sizes <= varied):
            continue
        where = Message(key, {"shapes": shapes})
        results = evaluate(setup, inputs, where, sizes=True, strictly=setup.by_hand)
        if any(e.whole or e.problems for e in results.evaluations):
            accepted.add(shapes)
            varied |= sizes
        yield results


class SpecialSizes(Check):
    """All sizes equal, each size 1, all sizes 2, no dimensions, an empty batch."""

    name = "special sizes"

    def applies(self, setup: Setup, seen: Seen) -> bool:
        """Theta of a value with its gradient keeps its sizes."""
        return setup.by_hand

    def run(self, setup: Setup, seen: Seen) -> Iterator[Results]:
        """One evaluation each."""
        probes = setup.probes
        for inputs in probes.tied():
            yield evaluate(setup, inputs, Message("where.tied"), sizes=True)
        for inputs, where in probes.lone():
            yield evaluate(setup, inputs, where, sizes=True)
        for inputs in probes.scalar():
            yield evaluate(setup, inputs, Message("where.scalar"), sizes=True)
        for inputs, batch in probes.empty():
            yield _empty(setup, inputs, batch)


def _empty(setup: Setup, inputs: list[Any], batch: int) -> Results:
    """Backward runs for an empty batch, and returns gradients of the right shape.

    Where the rows are examples of a batch, each for itself; a warning, since few have none.
    """
    examined, meant = setup.examined, setup.meant
    if not setup.probes.keep(inputs):
        return Results()
    try:
        run = examined.run(inputs)
        finite = all(bool(torch.isfinite(run.outputs[i]).all()) for i in run.smooth)
    except Exception:  # forward refuses an empty batch, which it may
        return Results()
    if not finite or not run.smooth or not meant.for_empty(run, batch) or not meant.rowwise(batch):
        return Results()
    where = Message("where.empty")
    examined.comparisons += 1
    try:
        lenient = not getattr(examined.adapter, "ours", False)
        found = contract(
            examined, examined.vjp(run, inputs, random_grad_output(run)), inputs, lenient
        )
    except Exception as error:  # such as torch.stack of the gradients of no rows
        return Results(notes=[Message("note.raises", {"where": where, "text": raised(error)})])
    # Nothing in another shape is nothing; PyTorch's own pixel_unshuffle returns such.
    found = [p for p in found if p.cause != "shape" or not nothing(p, inputs)]
    for problem in found:
        problem.where, problem.inputs = where, inputs
        problem.severity = Severity.WARNING
    return Results(found)
