"""From residuals to causes: each is tried on all wrong samples, the most telling one wins."""

from __future__ import annotations

from collections.abc import Callable

from derivable.examiner.diagnose import (
    calls,
    experiments,
    forms,
    graph,
    places,
    purpose,
    scalars,
    slopes,
    sums,
)
from derivable.examiner.diagnose.evidence import Case, Fit

CAUSES = (
    "count", "none", "shape", "dtype", "raises", "in_place", "state", "random", "not_linear",
    "ignores_grad_output", "sums_grad_output", "layout", "sign", "factor", "swapped",
    "swapped_outputs", "transposed", "missing_sum", "mean_for_sum", "wrong_axis", "slope_at_output",
    "slope_at_input", "one_side", "part_only", "missing_term", "power", "constant",
    "positions", "repeated_positions", "chain_rule", "conjugate", "second_order", "precision",
    "changed_after_saving", "not_finite",
    "needs_input_grad", "sizes", "option", "jvp", "way", "surrogate", "unrecognised",
)  # fmt: skip

HYPOTHESES: tuple[Callable[[Case], list[Fit]], ...] = (
    experiments.changed_after_saving, calls.changed_by_the_caller, calls.hidden_grad_output,
    calls.redrawn, experiments.stale, experiments.frozen, purpose.surrogate, slopes.conjugated,
    experiments.cancellation, scalars.scalar, sums.averaged, experiments.precision, places.swapped,
    places.repeated, sums.broadcast_sum, slopes.slope_place, places.transposed, sums.coupling,
    places.part, slopes.one_side, purpose.offset, sums.sparse, places.positions,
    sums.summed_grad_output, sums.one_grad_output, forms.exponential, slopes.power, forms.formulas,
    slopes.scaled, sums.along_axis, sums.residual, sums.by_experiment, experiments.other_option,
    graph.inside,
)  # fmt: skip


def conclude(case: Case) -> list[Fit]:
    """The fits, the most telling first, one per cause; empty if nothing fits."""
    found: dict[str, Fit] = {}
    for hypothesis in HYPOTHESES:
        if hypothesis is graph.inside:
            if any(fit.rank < 3 for fit in found.values()):
                break
            for fit in hypothesis(case):  # where it names the operation, it sharpens what was said
                known = found.get(fit.cause)
                if known is not None and known.rank < fit.rank:
                    found[fit.cause] = known._replace(evidence=(*known.evidence, *fit.evidence))
                    break
                found[fit.cause] = fit
            continue
        for fit in hypothesis(case):
            if fit.cause not in found or fit.rank < found[fit.cause].rank:
                found[fit.cause] = fit
        if found and hypothesis is experiments.precision:
            best = min(fit.rank for fit in found.values())
            if best <= 1.5:
                break
    return sorted(found.values(), key=lambda fit: fit.rank)
