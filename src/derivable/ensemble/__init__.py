"""Models fitted by folds: their losses on rows held out decide which is the model."""

from derivable.ensemble.choice import Tried
from derivable.ensemble.fit import Ensemble, Task, fit_ensemble
from derivable.ensemble.folds import fold_of_rows

__all__ = ["Ensemble", "Task", "Tried", "fit_ensemble", "fold_of_rows"]
