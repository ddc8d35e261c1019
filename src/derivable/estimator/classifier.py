"""`DescentClassifier`: the same descent, of the cross-entropy."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d
from torch import Tensor

from derivable.ensemble.folds import Array
from derivable.errors import DataError, SettingError
from derivable.estimator.base import DescentEstimator
from derivable.estimator.callbacks import with_callbacks
from derivable.estimator.messages import say
from derivable.estimator.settings import class_weights, loss_for_classes
from derivable.loss import Loss


class DescentClassifier(ClassifierMixin, DescentEstimator):
    """Small neural networks, logistic regression, or both: what predicts best rows held out.

    The loss is the mean cross-entropy of softmax(outputs), one output per class.

    The parameters and attributes are those of `DescentRegressor`, with these differences: only
    features are standardised; `loss` is "crossentropy", or with options such as
    "crossentropy:label_smoothing=0.1" or `Loss(CrossEntropy, label_smoothing=0.1)`;
    `validation_scores_` and `fold_scores_` are accuracies; `classes_` are the labels, sorted.
    `alpha` is that of MLPClassifier and 1 / C of LogisticRegression, 1 of networks. `coef_` (C, D)
    and `intercept_` (C,) of a linear model are those of LogisticRegression, (1, D) and (1,) for two
    classes.

    `class_weight` is how much rows of a label count: a dict with weights of labels, 1 for those
    that are missing; or "balanced", which makes all classes count the same. The weights multiply
    `sample_weight`.
    """

    _own_units = True

    # The regressor's, but for `loss`; written out, because scikit-learn reads the parameters of an
    # estimator off its signature.
    def __init__(
        self,
        hidden: Any = "auto",
        activation: Any = "relu",
        *,
        lr: Any = "auto",
        max_iter: int = 1000,
        method: str = "lbfgs",
        tolerance: float = 1e-4,
        loss: Any = "crossentropy",
        alpha: Any = "auto",
        folds: int = 10,
        standardize: bool = True,
        categorical_features: Any = "from_dtype",
        class_weight: Any = None,
        early_stopping: bool = False,
        validation_fraction: float | None = None,
        warm_start: bool = False,
        random_state: Any = 0,
    ) -> None:
        super().__init__(
            hidden,
            activation,
            lr=lr,
            max_iter=max_iter,
            method=method,
            tolerance=tolerance,
            loss=loss,
            alpha=alpha,
            folds=folds,
            standardize=standardize,
            categorical_features=categorical_features,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            warm_start=warm_start,
            random_state=random_state,
        )
        self.class_weight = class_weight

    @with_callbacks
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Take at most `max_iter` steps on X (N, D) and the labels y (N,), as the regressor."""
        self._named = None
        return self._fit(X, y, sample_weight)

    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """Take one step on this table; the first call has to name all `classes`."""
        if classes is None and not hasattr(self, "classes_"):
            raise SettingError(say("first_classes"))
        if isinstance(self.class_weight, str) and self.class_weight == "balanced":
            raise SettingError(say("balanced_in_part"))
        self._named = classes
        return self._fit_once(X, y, sample_weight)

    def predict_proba(self, X: Any) -> Array:
        """The probability of each class, (N, C), in the order of `classes_`."""
        probabilities: Array = self._outputs(X).softmax(1).numpy()
        return probabilities

    def predict_log_proba(self, X: Any) -> Array:
        """The logarithm of the probability of each class, (N, C); finite where that is 0."""
        logarithms: Array = self._outputs(X).log_softmax(1).numpy()
        return logarithms

    def predict(self, X: Any) -> Array:
        """The most probable class for each row of X (N, D)."""
        outputs = self._outputs(X)
        labels: Array = self.classes_[outputs.argmax(1).numpy()]
        return labels

    def _read(self, X: Any, y: Any, *, reset: bool) -> tuple[Array, Array, Array]:
        X, y = self._validated(X, y, reset=reset)
        y = column_or_1d(y, warn=True)
        check_classification_targets(y)
        if reset:
            classes = np.unique(y if self._named is None else self._named)
            if len(classes) < 2:
                raise DataError(say("one_class", classes=_listed(classes)))
            self.classes_ = classes
        unknown = np.setdiff1d(y, self.classes_)
        if len(unknown):
            gaps = {"label": _listed(unknown[:1]), "classes": _listed(self.classes_)}
            raise DataError(say("unknown_class", **gaps))
        return X, y, np.searchsorted(self.classes_, y)  # (N,)

    def _read_weight(self, sample_weight: Any, X: Array, targets: Array) -> Array | None:
        weight = super()._read_weight(sample_weight, X, targets)
        if self.class_weight is None:
            return weight
        rows = np.ones(len(X)) if weight is None else weight
        return rows * class_weights(self.class_weight, self.classes_, targets, rows)[targets]

    def _shaped(self, weights: Array, constants: Array) -> tuple[Array, Any]:
        if len(self.classes_) > 2:
            return weights, constants
        return weights[1:] - weights[:1], constants[1:] - constants[:1]

    def _parsed_loss(self) -> Loss:
        return loss_for_classes(self.loss)

    def _width(self, targets: Tensor) -> int:
        return len(self.classes_)

    def _split_by(self, y: Array) -> Array:
        return y

    def _score_of(self, outputs: Array, targets: Array, weight: Array | None) -> float:
        return float(accuracy_score(targets, outputs.argmax(1), sample_weight=weight))


def _listed(labels: Array) -> str:
    return ", ".join(map(repr, labels.tolist()))
