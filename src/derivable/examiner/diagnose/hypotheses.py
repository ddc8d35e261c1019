"""`conclude`: the causes of wrong samples, by one table of hypotheses.

A hypothesis is a cause, a test and its tier. A test takes a `Case` and returns the evidence for
its cause, or None; it must hold at every wrong sample, and refers to no other hypothesis. The first
hypothesis of the table that holds is the conclusion, and further ones of the same tier or the next
are its rivals. The docstring of a test states its hypothesis.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum, auto
from typing import NamedTuple

from derivable.examiner.diagnose import (
    calls,
    experiments,
    forms,
    graph,
    infinite,
    last_step,
    options,
    positions,
    products,
    purpose,
    regions,
    residuals,
    rounding,
    scalars,
    slopes,
    sums,
    thresholds,
)
from derivable.examiner.diagnose.case import Case
from derivable.examiner.diagnose.evidence import Evidence, Found
from derivable.examiner.diagnose.forms import Difference, written
from derivable.examiner.diagnose.options import Source, value_from
from derivable.examiner.measure.budget import BudgetSpent

CAUSES = (
    "forward", "count", "none", "shape", "keepdim", "dtype", "raises", "in_place", "state",
    "random", "not_linear",
    "ignores_grad_output", "sums_grad_output", "layout", "sign", "factor", "swapped",
    "swapped_outputs", "transposed", "missing_sum", "mean_for_sum", "wrong_axis", "last_step",
    "slope_at_output",
    "slope_at_input", "one_side", "part_only", "missing_term", "power", "constant",
    "positions", "repeated_positions", "chain_rule", "conjugate", "second_order", "precision",
    "changed_after_saving", "not_finite",
    "needs_input_grad", "sizes", "option", "jvp", "way", "surrogate", "unrecognised",
)  # fmt: skip


class Tier(IntEnum):
    """How much a hypothesis that holds explains; lower tiers explain more."""

    EXPERIMENT = auto()  # the run, repeated with one thing changed, shows it
    NUMBER = auto()  # the derivative times one number
    OTHER = auto()  # the derivative by another argument, of another output, or with another option
    POSITION = auto()  # the numbers of the derivative, at other positions or summed over other axes
    FORM = auto()  # an exact part is wrong, or both gradients can be written out
    OPERATION = auto()  # the derivative of forward with the rule of one operation changed
    TERM = auto()  # what is missing, or the ratio, can be written out
    RESIDUAL = auto()  # what is missing has a structure
    SHARE = auto()  # most of the derivative is there


class Hypothesis(NamedTuple):
    """A cause, and the test for it."""

    cause: str
    tier: Tier
    test: Callable[[Case], Found]


class Fit(NamedTuple):
    """A cause that explains what was returned, and the evidence for it."""

    cause: str
    tier: Tier
    evidence: tuple[Evidence, ...]


def _rows(tier: Tier, *rows: tuple[str, Callable[[Case], Found]]) -> list[Hypothesis]:
    return [Hypothesis(cause, tier, test) for cause, test in rows]


HYPOTHESES: tuple[Hypothesis, ...] = (
    *_rows(
        Tier.EXPERIMENT,
        ("not_finite", infinite.nothing_finite),
        ("not_finite", infinite.at_special_values),
        ("changed_after_saving", experiments.changed_after_saving),
        ("changed_after_saving", calls.changed_by_the_caller),
        ("state", experiments.stale),
        ("state", experiments.frozen),
        ("surrogate", purpose.surrogate),
        ("random", calls.redrawn),
        ("precision", rounding.representable),
        ("precision", rounding.cancellation),
        ("swapped_outputs", calls.hidden_grad_output),
        ("precision", rounding.staircase),
    ),
    *_rows(
        Tier.NUMBER,
        ("mean_for_sum", sums.averaged),
        ("conjugate", slopes.conjugated),
        ("part_only", scalars.zero_for_some),
        ("none", scalars.zero),
        ("swapped", positions.exchanged_pair),
        ("sign", scalars.sign),
        ("factor", scalars.constant),
        ("factor", scalars.of_sizes),
        ("missing_term", scalars.zero_for_some),
        ("constant", scalars.nearly_one),
        ("wrong_axis", options.axis),
        ("constant", value_from(Source.DEFAULT)),
    ),
    *_rows(
        Tier.OTHER,
        ("last_step", last_step.last_step),
        ("factor", scalars.varying),
        ("swapped", positions.of_argument),
        ("swapped_outputs", positions.of_output),
        ("repeated_positions", positions.repeated),
        ("slope_at_output", slopes.everywhere(slopes.slope_at_output)),
        ("slope_at_input", slopes.everywhere(slopes.slope_at_input)),
        ("constant", value_from(Source.WORD)),
        ("sums_grad_output", sums.one_grad_output),
        ("wrong_axis", sums.broadcast_sum),
        ("option", value_from(Source.DEFAULT, Source.WORD)),
        ("factor", scalars.nearly_one),
        ("missing_sum", regions.not_all_summed),
        ("option", options.axis),
    ),
    *_rows(
        Tier.POSITION,
        ("transposed", products.other_arrangement),
        ("positions", positions.moved_on),
        ("transposed", positions.transposed),
        ("positions", positions.reordered),
        ("sums_grad_output", sums.summed_grad_output),
        ("positions", positions.permuted),
        ("wrong_axis", sums.coupling),
        ("wrong_axis", sums.coupling_by_experiment),
    ),
    *_rows(
        Tier.FORM,
        ("power", written(Difference.POWER, plain=True)),
        ("constant", purpose.offset),
        ("missing_term", sums.uncoupled),
        ("chain_rule", written(Difference.TERM, plain=True)),
        ("missing_term", written(Difference.COEFFICIENT, Difference.LOST, plain=True)),
        ("missing_term", regions.not_carried),
        ("part_only", regions.part),
        ("part_only", thresholds.under_mask),
        ("missing_term", residuals.sparse),
        ("one_side", thresholds.one_side),
        ("part_only", regions.one_index),
        ("power", forms.exponential),
        ("constant", value_from(Source.NUMBER)),
        ("power", slopes.another_power),
        ("chain_rule", slopes.lost_factor),
        ("chain_rule", written(Difference.ONLY_TERM, plain=True)),
        ("constant", value_from(Source.INTEGER)),
        ("part_only", regions.other_support),
    ),
    *_rows(
        Tier.OPERATION,
        ("power", written(Difference.POWER)),
        ("missing_term", written(Difference.OTHERS, plain=True)),
        ("chain_rule", written(Difference.TERM)),
        ("unrecognised", written(Difference.LONGER, plain=True)),
        ("missing_term", written(Difference.COEFFICIENT, Difference.LOST)),
        ("chain_rule", graph.edited("skipped")),
        ("wrong_axis", graph.edited("turned")),
        ("missing_term", graph.edited("dropped", "negated")),
    ),
    *_rows(
        Tier.TERM,
        ("chain_rule", written(Difference.ONLY_TERM, Difference.RATIO)),
        ("missing_term", written(Difference.GAP)),
        ("unrecognised", written(Difference.LONGER)),
        ("missing_term", written(Difference.OTHERS)),
        ("missing_term", residuals.along_axis),
    ),
    *_rows(
        Tier.RESIDUAL,
        ("missing_term", residuals.residual_constant),
        ("part_only", regions.some_outputs),
        ("missing_term", sums.uncoupled_by_experiment),
        ("chain_rule", slopes.scaled),
        ("part_only", regions.part_beyond),
        ("part_only", regions.some_indices),
        ("slope_at_output", slopes.slope_at_output),
        ("slope_at_input", slopes.slope_at_input),
        ("missing_term", residuals.residual_rank),
        ("constant", rounding.nearly),
    ),
)

GUESSES: tuple[Hypothesis, ...] = tuple(
    _rows(
        Tier.SHARE,
        ("constant", residuals.nearly_all),
        ("missing_term", residuals.most),
    )
)

# Tests that add evidence to a conclusion of the same cause, from this tier on.
DETAILS = tuple(
    _rows(
        Tier.POSITION,
        ("chain_rule", graph.edited("skipped")),
        ("wrong_axis", graph.edited("turned")),
        ("missing_term", graph.edited("dropped", "negated")),
    )
)


def conclude(case: Case, table: tuple[Hypothesis, ...] = HYPOTHESES) -> list[Fit]:
    """The fits in the order of their tiers, one per cause; empty if nothing fits."""
    found: dict[str, Fit] = {}
    last = max(Tier)
    for cause, tier, test in table:
        if tier > last:
            break
        evidence = _tried(test, case) if cause not in found else None
        if evidence is not None:
            last = min(last, Tier(min(tier + 1, max(Tier))))
            found[cause] = Fit(cause, tier, evidence)
    fits = list(found.values())
    return [_detailed(case, fits[0]), *fits[1:]] if fits else []


def _detailed(case: Case, fit: Fit) -> Fit:
    """A fit with further evidence."""
    for cause, tier, test in DETAILS:
        more = _tried(test, case) if cause == fit.cause and fit.tier >= tier else None
        fresh = [one for one in more or () if one not in fit.evidence]
        fit = fit._replace(evidence=(*fit.evidence, *fresh))
    return fit


def _tried(test: Callable[[Case], Found], case: Case) -> Found:
    """The result of a test; None if its experiments raise or exceed the budget."""
    try:
        return test(case)
    except (Exception, BudgetSpent):
        return None
