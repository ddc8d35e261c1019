"""The main job: several models, one table, one protocol, one seed or many."""

from derivable.comparison.driver import (
    Watch,
    compare,
    compare_table,
    needs_all_rows,
    notes_on_weights,
    test_loss,
)
from derivable.comparison.keeper import DescentOrCheckpoint, Keeper
from derivable.comparison.request import Request
from derivable.comparison.result import Comparison, Curve, Facts, Trained
from derivable.comparison.training import Training

__all__ = [
    "Comparison", "Curve", "DescentOrCheckpoint", "Facts", "Keeper", "Request", "Trained",
    "Training", "Watch", "compare", "compare_table", "needs_all_rows", "notes_on_weights",
    "test_loss",
]  # fmt: skip
