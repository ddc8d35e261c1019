"""From an estimator's parameters to what the engines take."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from numbers import Real
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from derivable.descent import Auto, Flow, choose_rate
from derivable.descent.checks import check_count
from derivable.ensemble.folds import Array
from derivable.ensemble.penalties import alpha_of_networks, penalty_of
from derivable.errors import SettingError
from derivable.loss import CLASS_LOSSES, LOSSES, Loss
from derivable.named import loss_of
from derivable.problem import Problem, check_not_negative

VALIDATION = 0.1  # of the rows, where early stopping is asked for and no share is named
ADAM_LR = 1e-3  # PyTorch's own; Adam's steps do not grow with the gradient


def loss_for(loss: Any) -> Loss:
    """The loss of a regressor that is meant."""
    if isinstance(loss, str) and loss.partition(":")[0] not in LOSSES:
        raise SettingError(
            f"loss must be one of {', '.join(LOSSES)}, a Function, or one with options such as "
            f"'huber:delta=0.5' or Loss(Huber, delta=0.5); got {loss!r}"
        )
    return loss_of(loss)


def loss_for_classes(loss: Any) -> Loss:
    """The loss of a classifier that is meant: CrossEntropy, which may have options."""
    if not isinstance(loss, str) or loss.partition(":")[0] in CLASS_LOSSES:
        meant = loss_of(loss, CLASS_LOSSES)
        if meant.function in CLASS_LOSSES.values():
            return meant
    raise SettingError(
        "loss of a classifier must be 'crossentropy', or with options "
        "'crossentropy:label_smoothing=0.1' or Loss(CrossEntropy, label_smoothing=0.1); got "
        f"{loss!r}"
    )


def seed_of(random_state: Any) -> int:
    """A seed: the number itself, or one drawn from a generator."""
    try:
        seed = operator.index(random_state)
    except TypeError:
        return int(check_random_state(random_state).randint(2**31 - 1))
    if not 0 <= seed < 2**64:
        raise SettingError(f"random_state must be 0 or more and below 2**64, got {random_state!r}")
    return seed


def method_for(method: Any, tolerance: Any) -> Any:
    """The method of `descend` that is meant, with the tolerance where it has one."""
    for kind in (Auto, Flow):
        if method == kind.name:
            return kind(tolerance)
    return method


def rate_for(lr: Any, method: str, problem: Problem) -> tuple[Any, str]:
    """The learning rate that was given or one that suits the table, and why it is this one."""
    if isinstance(lr, str) and lr != "auto":
        raise SettingError(f"lr must be 'auto' or a positive number, got {lr!r}")
    if lr != "auto":
        return lr, f"lr {lr!r}: as given"
    if method == "lbfgs":
        return None, "L-BFGS has no learning rate"
    if method == "adam":
        return ADAM_LR, f"lr {ADAM_LR}: Adam's usual one"
    rate = choose_rate(problem)
    return rate.lr, rate.reason


def check_fraction(validation_fraction: Any) -> None:
    """Refuse a share of the rows that leaves none on one side."""
    if validation_fraction is None:
        return
    if not (isinstance(validation_fraction, Real) and 0 < float(validation_fraction) < 1):
        raise SettingError(
            "validation_fraction must be a number between 0 and 1, or None for no validation "
            f"rows; got {validation_fraction!r}"
        )


def checked_folds(folds: Any, validation_fraction: Any) -> int:
    """The number of folds that is asked for. Raises SettingError where it is none."""
    count = check_count("folds", folds, 1)
    if count > 1 and validation_fraction is not None:
        raise SettingError(
            "validation_fraction goes with a single network, and each of several holds out rows of "
            f"its own; set folds=1, or leave validation_fraction out; got folds={count}"
        )
    return count


def penalty_for(alpha: Any, loss: Loss, rows: float) -> tuple[float, float]:
    """The alpha that was given, or that of a single network, and what it adds to the mean loss.

    Raises SettingError where it is none.
    """
    if isinstance(alpha, str):
        if alpha != "auto":
            raise SettingError(f"alpha must be 'auto' or a number, 0 or more, got {alpha!r}")
        return alpha_of_networks(loss), penalty_of(alpha_of_networks(loss), loss, rows)
    check_not_negative("alpha", alpha)
    return float(alpha), penalty_of(alpha, loss, rows)


def class_weights(class_weight: Any, classes: Array, labels: Array, weight: Array) -> Array:
    """How much each class counts, (C,); labels (N,) are numbers of classes, weight (N,) of rows.

    Raises SettingError for what are no weights of classes.
    """
    if isinstance(class_weight, str) and class_weight == "balanced":
        counts = np.bincount(labels, weight, len(classes))
        shares = counts / counts.sum() * np.count_nonzero(counts)
        balanced: Array = 1 / np.where(shares > 0, shares, 1.0)
        return balanced
    if not isinstance(class_weight, Mapping):
        raise SettingError(
            "class_weight must be 'balanced', or a dict with the weight of a label for each label "
            f"that does not count as 1; got {class_weight!r}"
        )
    known = classes.tolist()
    for label, value in class_weight.items():
        if label not in known:
            raise SettingError(
                f"class_weight has a weight for {label!r}, which is none of the classes: "
                f"{', '.join(map(repr, known))}"
            )
        check_not_negative(f"class_weight of {label!r}", value)
    return np.array([float(class_weight.get(label, 1.0)) for label in known])
