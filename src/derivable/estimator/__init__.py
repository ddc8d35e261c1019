"""The engines of descent behind scikit-learn's interface."""

from derivable.estimator.classifier import DescentClassifier
from derivable.estimator.regressor import DescentRegressor

__all__ = ["DescentClassifier", "DescentRegressor"]
