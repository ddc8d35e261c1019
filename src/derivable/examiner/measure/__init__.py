"""Numerical differentiation: derivatives from values of a function alone, each with its error.

    from derivable.examiner.measure import numerical_jacobian

    measured = numerical_jacobian(torch.sin, x)  # value, error, low, high: (m, n) each

The lowest package of the examiner: it knows functions of real vectors, and no Function, backward or
target. docs/measure.md shows its use, how errors are bounded, and how often the bounds hold.
"""

from derivable.examiner.measure.budget import Budget, BudgetSpent
from derivable.examiner.measure.differentiator import Differentiator, Settings
from derivable.examiner.measure.evaluation import EPS, BatchFunction, Evaluations
from derivable.examiner.measure.measured import Measured
from derivable.examiner.measure.numerical import numerical_derivative, numerical_jacobian

__all__ = [
    "EPS",
    "BatchFunction",
    "Budget",
    "BudgetSpent",
    "Differentiator",
    "Evaluations",
    "Measured",
    "Settings",
    "numerical_derivative",
    "numerical_jacobian",
]
