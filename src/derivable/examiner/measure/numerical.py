"""`numerical_jacobian` and `numerical_derivative`: one call each, all decisions made."""

from __future__ import annotations

from torch import Tensor

from derivable.examiner.measure.budget import Budget
from derivable.examiner.measure.differentiator import PRECISE, Differentiator, Settings
from derivable.examiner.measure.evaluation import VectorFunction
from derivable.examiner.measure.measured import Measured


def numerical_jacobian(
    f: VectorFunction, x: Tensor, *, settings: Settings | None = None, budget: Budget | None = None
) -> Measured:
    """The derivatives of `f` at `x` from its values alone, each with its error bound, (m, n) each.

    f         takes a float64 vector (n,) and returns a real vector (m,); a `BatchFunction` is
              evaluated at many points at once
    x         a vector (n,), of any real dtype
    settings  see Settings
    budget    charged with each evaluation

    8 evaluations per entry of x, 24 to 80 besides, and 50 more for each entry whose derivatives are
    not known to 1e-6. Raises what f raises at x, and BudgetSpent when the budget is spent; where f
    raises beside x, it counts as not defined there.
    """
    differentiator = Differentiator(f, x, settings=settings, budget=budget)
    measured = differentiator.jacobian()
    return differentiator.refined(measured, differentiator.doubtful(measured))


def numerical_derivative(
    f: VectorFunction, x: Tensor, direction: Tensor, *,
    settings: Settings | None = None, budget: Budget | None = None,
) -> Measured:  # fmt: skip
    """The derivative of `f` at `x` along `direction` (n,), with its error bound, (m,) each.

    As `numerical_jacobian`, by 8 evaluations, 24 to 80 besides, and 50 more if they do not settle
    it.
    """
    differentiator = Differentiator(f, x, settings=settings, budget=budget)
    direction = direction.detach().double()
    measured = differentiator.along(direction)
    doubtful = ~(measured.error <= PRECISE * measured.value.abs())
    if not bool(doubtful.any()):
        return measured
    return differentiator.refined_along(direction).where(doubtful, measured)
